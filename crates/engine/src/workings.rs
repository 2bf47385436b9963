//! What a decision by a plan worked out and the next one needs again: templates with their inputs put in, and what was
//! left at rest.
//!
//! It only saves work: a decision says the same without, which tests in virtual time check in every pass.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use argosy_model::{Arguments, Item, Sequence, Template};

use crate::pass::{Prepared, Rest};
use crate::vars::Vars;

/// Most templates, texts and loops that are kept of each; a workflow with more open nodes than this that have steps or tasks
/// works some out anew.
const MOST: usize = 4_096;

/// The global variable that is another in each decision. Templates that read it are not kept.
pub(crate) const VOLATILE: &str = "workflow.duration";

/// What is kept beside a plan.
#[derive(Debug, Default)]
pub(crate) struct Workings {
    entries: Mutex<HashMap<String, Entry>>,
    loops: Mutex<HashMap<String, Loop>>,
    texts: Mutex<HashMap<String, Written>>,
    rest: Mutex<Option<Rest>>,
}

/// A template as text.
#[derive(Debug)]
struct Written {
    template: Arc<Template>,
    text: Arc<str>,
}

/// What a loop goes over: the three ways to say it.
pub(crate) type Sources<'s> = (&'s [Item], &'s str, Option<&'s Sequence>);

/// The nodes of a loop.
#[derive(Debug)]
struct Loop {
    items: Vec<Item>,
    param: String,
    sequence: Option<Sequence>,
    ids: Arc<[String]>,
}

/// What a prepared template is made of.
#[derive(Debug)]
pub(crate) struct MadeOf<'m> {
    pub template: &'m Arc<Template>,
    pub arguments: &'m Arguments,
    pub locals: &'m Vars,
    pub globals: &'m Vars,
}

#[derive(Debug)]
struct Entry {
    template: Arc<Template>,
    arguments: Arguments,
    locals: Vars,
    globals: Arc<Vars>,
    prepared: Arc<Prepared>,
}

impl Entry {
    fn is_of(&self, made_of: &MadeOf<'_>) -> bool {
        same_template(&self.template, made_of.template)
            && self.arguments == *made_of.arguments
            && self.locals == *made_of.locals
            && same_globals(&self.globals, made_of.globals)
    }
}

/// Nearly always one and the same.
fn same_template(a: &Arc<Template>, b: &Arc<Template>) -> bool {
    Arc::ptr_eq(a, b) || a == b
}

fn lock<T>(kept: &Mutex<T>) -> MutexGuard<'_, T> {
    kept.lock().unwrap_or_else(PoisonError::into_inner)
}

fn make_room<V>(map: &mut HashMap<String, V>) {
    if map.len() >= MOST {
        map.clear();
    }
}

fn same_globals(a: &Vars, b: &Vars) -> bool {
    let steady = |vars: &'_ Vars| vars.len() - usize::from(vars.contains_key(VOLATILE));
    let differs =
        |(name, value): (&String, &serde_json::Value)| name != VOLATILE && b.get(name) != Some(value);
    steady(a) == steady(b) && !a.iter().any(differs)
}

impl Workings {
    /// What the last decision left at rest, if it did.
    pub(crate) fn take_rest(&self) -> Option<Rest> {
        lock(&self.rest).take()
    }

    /// Keeps what a decision left at rest.
    pub(crate) fn put_rest(&self, rest: Rest) {
        *lock(&self.rest) = Some(rest);
    }

    /// The template of a node as it was prepared last.
    pub(crate) fn last(&self, node: &str) -> Option<Arc<Prepared>> {
        lock(&self.entries)
            .get(node)
            .map(|entry| Arc::clone(&entry.prepared))
    }

    /// The template of a node as it was prepared before, if that was of the same.
    pub(crate) fn get(&self, node: &str, made_of: &MadeOf<'_>) -> Option<Arc<Prepared>> {
        let entries = lock(&self.entries);
        let entry = entries.get(node).filter(|entry| entry.is_of(made_of))?;
        Some(Arc::clone(&entry.prepared))
    }

    /// Keeps the prepared template of a node.
    pub(crate) fn put(&self, node: &str, made_of: &MadeOf<'_>, prepared: &Arc<Prepared>) {
        let mut entries = lock(&self.entries);
        make_room(&mut entries);
        // Nearly always the same for all nodes, and parameters may be long.
        let shared = entries.values().next().map(|entry| &entry.globals);
        let shared = shared.filter(|globals| same_globals(globals, made_of.globals));
        let globals = shared.map_or_else(|| Arc::new(made_of.globals.clone()), Arc::clone);
        let entry = Entry {
            template: Arc::clone(made_of.template),
            arguments: made_of.arguments.clone(),
            locals: made_of.locals.clone(),
            globals,
            prepared: Arc::clone(prepared),
        };
        entries.insert(node.to_owned(), entry);
    }

    /// The template of a node with steps or tasks as JSON text, empty when nothing in it reads results. One for all nodes
    /// of the boundary: a loop's parent can be as big as its items.
    pub(crate) fn text_of(&self, node: &str, template: &Arc<Template>) -> Arc<str> {
        let mut texts = lock(&self.texts);
        if let Some(known) = texts
            .get(node)
            .filter(|known| same_template(&known.template, template))
        {
            return Arc::clone(&known.text);
        }
        let text = argosy_model::go_json::to_string(&**template).unwrap_or_default();
        let text: Arc<str> = if text.contains("result") {
            text.into()
        } else {
            "".into()
        };
        make_room(&mut texts);
        let written = Written {
            template: Arc::clone(template),
            text: Arc::clone(&text),
        };
        texts.insert(node.to_owned(), written);
        text
    }

    /// Forgets what a node needed: it has ended.
    pub(crate) fn forget(&self, node: &str) {
        lock(&self.entries).remove(node);
        lock(&self.texts).remove(node);
    }

    /// Ids of the nodes of a loop, in the order of its items, if it goes over the same as before.
    pub(crate) fn ids_of_loop(&self, name: &str, sources: Sources<'_>) -> Option<Arc<[String]>> {
        let loops = lock(&self.loops);
        let known = loops.get(name)?;
        let of = (
            known.items.as_slice(),
            known.param.as_str(),
            known.sequence.as_ref(),
        );
        (of == sources).then(|| Arc::clone(&known.ids))
    }

    /// Keeps the ids of the nodes of a loop.
    pub(crate) fn put_loop(&self, name: &str, (items, param, sequence): Sources<'_>, ids: Arc<[String]>) {
        let mut loops = lock(&self.loops);
        make_room(&mut loops);
        let known = Loop {
            items: items.to_vec(),
            param: param.to_owned(),
            sequence: sequence.cloned(),
            ids,
        };
        loops.insert(name.to_owned(), known);
    }
}
