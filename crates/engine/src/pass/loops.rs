//! Expanding steps and tasks over items (C-LOOP-01 to C-LOOP-06). Names and variables of items are in `item`.

use argosy_model::{DagTask, Field, Item, Sequence, WorkflowStep};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use super::Pass;
use crate::item;
use crate::vars::{self, Level, Vars};

/// A step or task, which loop in the same way.
pub(crate) trait Looped: Clone + Field + Serialize + DeserializeOwned {
    fn sources(&self) -> (&[Item], &str, Option<&Sequence>);
    fn when(&self) -> &str;
    fn clear_sources(&mut self);
    fn rename(&mut self, name: String);
    fn name(&self) -> &str;
}

macro_rules! looped {
    ($($type:ty),*) => {$(
        impl Looped for $type {
            fn sources(&self) -> (&[Item], &str, Option<&Sequence>) {
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
        }
    )*};
}

looped!(WorkflowStep, DagTask);

/// Whether there is a loop at all.
pub(crate) fn loops(looped: &impl Looped) -> bool {
    let (items, param, sequence) = looped.sources();
    !items.is_empty() || !param.is_empty() || sequence.is_some()
}

/// The same step or task for each item: `None` when there is no loop.
///
/// `settled` tells by its name whether an item needs nothing but its name any more; nothing is put into those.
///
/// # Errors
/// The text for the user when the items can't be read or a variable is unknown.
pub(crate) fn expand<L: Looped>(
    looped: &L,
    settled: impl Fn(&str) -> bool,
) -> Result<Option<Vec<L>>, String> {
    let (items, param, sequence) = looped.sources();
    let items: Vec<Value> = if !items.is_empty() {
        items.iter().map(|i| i.0.clone()).collect()
    } else if !param.is_empty() {
        match serde_json::from_str::<Vec<Value>>(param) {
            Ok(items) => items,
            Err(_) if vars::when(looped.when()) == Ok(false) => Vec::new(),
            Err(error) => {
                let error = argosy_template_json_error(param, &error);
                return Err(format!(
                    "withParam value could not be parsed as a JSON list: {}: {error}",
                    param.trim()
                ));
            }
        }
    } else if let Some(sequence) = sequence {
        let text = |v: &Option<argosy_model::k8s::IntOrString>| v.as_ref().map(ToString::to_string);
        let (start, end, count) = (text(&sequence.start), text(&sequence.end), text(&sequence.count));
        let texts = item::sequence(
            start.as_deref(),
            end.as_deref(),
            count.as_deref(),
            &sequence.format,
        )
        .map_err(|e| e.to_string())?;
        texts.into_iter().map(Value::String).collect()
    } else {
        return Ok(None);
    };
    let mut template = looped.clone();
    template.clear_sources();
    let mut expanded = Vec::with_capacity(items.len());
    for (index, item) in items.iter().enumerate() {
        let name = item::expanded_name(looped.name(), index, item);
        if settled(&name) {
            let mut named = template.clone();
            named.rename(name);
            expanded.push(named);
        } else {
            expanded.push(for_item(&template, index, item)?);
        }
    }
    Ok(Some(expanded))
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

/// The words of Go's JSON reader for the commonest mistakes.
fn argosy_template_json_error(text: &str, error: &serde_json::Error) -> String {
    vars::go_json_error(text, error)
}

impl Pass<'_> {
    /// Expands a resolved step of a group of steps.
    pub fn expand_step(&self, group: &str, step: &WorkflowStep) -> Result<Option<Vec<WorkflowStep>>, String> {
        let plain = step.hooks.is_empty() && step.on_exit.is_empty() && step.when.is_empty();
        expand(step, |name| plain && self.settled(&format!("{group}.{name}")))
    }

    /// Whether an item's node is done for good.
    pub fn settled(&self, name: &str) -> bool {
        self.nodes.by_name(name).is_some_and(crate::node::fulfilled)
    }
}
