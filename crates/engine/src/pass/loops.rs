//! Expanding steps and tasks over items (C-LOOP-01 to C-LOOP-06). Names and variables of items are in `item`.

use std::borrow::Cow;
use std::sync::Arc;

use argosy_model::{DagTask, Field, WorkflowStep};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Pass;
use super::template::Holder;
use crate::item;
use crate::plan::Base;
use crate::vars::{self, Level, Vars};
use crate::workings::Sources;

/// A step or task, which loop in the same way.
pub(crate) trait Looped: Clone + Field + Serialize + DeserializeOwned {
    fn sources(&self) -> Sources<'_>;
    fn when(&self) -> &str;
    fn clear_sources(&mut self);
    fn rename(&mut self, name: String);
    fn name(&self) -> &str;
    /// Whether hooks or an exit handler follow what becomes of it.
    fn is_watched(&self) -> bool;
}

macro_rules! looped {
    ($($type:ty),*) => {$(
        impl Looped for $type {
            fn sources(&self) -> Sources<'_> {
                (&self.with_items, &self.with_param, self.with_sequence.as_ref())
            }
            fn when(&self) -> &str {
                &self.when
            }
            fn clear_sources(&mut self) {
                self.with_items.clear();
                self.with_param.clear();
                self.with_sequence = None;
            }
            fn rename(&mut self, name: String) {
                self.name = name;
            }
            fn name(&self) -> &str {
                &self.name
            }
            fn is_watched(&self) -> bool {
                !self.hooks.is_empty() || !self.on_exit.is_empty()
            }
        }
    )*};
}

looped!(WorkflowStep, DagTask);

/// Whether there is a loop at all.
pub(crate) fn loops(looped: &impl Looped) -> bool {
    let (items, param, sequence) = looped.sources();
    !items.is_empty() || !param.is_empty() || sequence.is_some()
}

/// What a loop unfolds to.
pub(crate) enum Items<L> {
    /// The ids of its nodes, of which nothing else is needed any more: all are there, done or at work.
    Quiet(Arc<[String]>),
    /// Each by itself.
    Each(Vec<Unfolded<L>>),
}

impl<L> Items<L> {
    pub fn len(&self) -> usize {
        match self {
            Self::Quiet(ids) => ids.len(),
            Self::Each(items) => items.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The id of each node with the step or task for it, if that is still needed.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Option<&L>)> {
        let (ids, items) = match self {
            Self::Quiet(ids) => (&**ids, &[][..]),
            Self::Each(items) => (&[][..], items.as_slice()),
        };
        let ids = ids.iter().map(|id| (id.as_str(), None));
        ids.chain(items.iter().map(|item| (item.id.as_str(), item.looped.as_ref())))
    }

    /// The ids of those of which nothing else is needed any more.
    pub fn quiet(&self) -> impl Iterator<Item = &str> {
        self.iter()
            .filter_map(|(id, looped)| looped.is_none().then_some(id))
    }
}

/// A step or task for one item of a loop.
pub(crate) struct Unfolded<L> {
    /// Id of its node.
    pub id: String,
    /// `None` when its node is there and nothing but its id is needed any more.
    pub looped: Option<L>,
}

/// The items of a loop.
///
/// # Errors
/// The text for the user when the items can't be read.
fn items<L: Looped>(looped: &L) -> Result<Vec<Cow<'_, Value>>, String> {
    let (items, param, sequence) = looped.sources();
    if !items.is_empty() {
        return Ok(items.iter().map(|i| Cow::Borrowed(&i.0)).collect());
    }
    if !param.is_empty() {
        let items = match item::list(param) {
            Ok(items) => items,
            Err(_) if vars::when(looped.when()) == Ok(false) => Vec::new(),
            Err(error) => {
                return Err(format!(
                    "withParam value could not be parsed as a JSON list: {}: {error}",
                    param.trim()
                ));
            }
        };
        return Ok(items.into_iter().map(Cow::Owned).collect());
    }
    let Some(sequence) = sequence else {
        return Ok(Vec::new());
    };
    let texts = item::sequence(sequence).map_err(|e| e.to_string())?;
    let values = texts.into_iter().map(|text| Cow::Owned(Value::String(text)));
    Ok(values.collect())
}

/// The step or task for one item (C-LOOP-04).
///
/// # Errors
/// When a variable is unknown.
pub(crate) fn for_item<L: Looped>(template: &L, index: usize, item: &Value) -> Result<L, String> {
    let variables: Vars = item::variables(item)
        .into_iter()
        .map(|(k, v)| (k, vars::text(v)))
        .collect();
    // A step that is skipped whatever the item need not resolve.
    let skipped = vars::when(template.when()) == Ok(false);
    let level = if skipped { Level::Lenient } else { Level::StrictAll };
    let mut one: L = vars::substitute(template, &[&variables], level).map_err(|e| e.to_string())?;
    one.rename(item::expanded_name(template.name(), index, item));
    Ok(one)
}

impl Pass<'_> {
    /// Expands a resolved step or task over its items (C-LOOP-01): `None` when there is no loop. Of an item whose node is
    /// done or at work, so that there is nothing to be put into it any more, only the id is given.
    ///
    /// `outer` is the name of the group or DAG node, to which the item's name is added after a dot.
    ///
    /// # Errors
    /// The text for the user when the items can't be read or a variable is unknown.
    pub fn unfold<L>(&self, looped: &L, outer: &str, base: &Base) -> Result<Option<Items<L>>, String>
    where
        L: Looped,
        Holder: for<'l> From<&'l L>,
    {
        if !loops(looped) {
            return Ok(None);
        }
        let template = if looped.is_watched() {
            None
        } else {
            self.named_template(base, &Holder::from(looped))
        };
        let needs_id_only = |id: &String| !looped.is_watched() && self.needs_no_look(id, template.as_deref());
        let name = format!("{outer}.{}", looped.name());
        let known = self.plan.workings.ids_of_loop(&name, looped.sources());
        if let Some(ids) = &known
            && ids.iter().all(needs_id_only)
        {
            return Ok(Some(Items::Quiet(Arc::clone(ids))));
        }
        let items = items(looped)?;
        let ids = known.unwrap_or_else(|| {
            let id = |(index, item): (usize, &Cow<'_, Value>)| {
                let name = item::expanded_name(looped.name(), index, item);
                self.nodes.id(&format!("{outer}.{name}"))
            };
            let ids: Arc<[String]> = items.iter().enumerate().map(id).collect();
            self.plan
                .workings
                .put_loop(&name, looped.sources(), Arc::clone(&ids));
            ids
        });
        let mut bare = looped.clone();
        bare.clear_sources();
        let mut unfolded = Vec::with_capacity(items.len());
        for (index, (item, id)) in items.iter().zip(ids.iter()).enumerate() {
            let looped = if needs_id_only(id) {
                None
            } else {
                Some(for_item(&bare, index, item)?)
            };
            unfolded.push(Unfolded {
                id: id.clone(),
                looped,
            });
        }
        Ok(Some(Items::Each(unfolded)))
    }
}
