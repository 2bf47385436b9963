//! The names that tags may use while validating, and the check of tags against them (C-VAL-11).

use std::collections::{BTreeMap, BTreeSet};

use argosy_model::{Item, Sequence, Template};
use argosy_template::tags;
use serde_json::Value;

use super::Fault;
use super::names::has_tag;
use crate::plan::{Kind, kind};

/// Begin of the texts that stand for values that are not known yet (C-SUB-09).
pub(super) const PLACEHOLDER: &str = "__argo__internal__placeholder-";

/// Begins of tags that are checked; what begins otherwise may be anything.
const CHECKED: &[&str] = &[
    "item.",
    "steps.",
    "inputs.",
    "outputs.",
    "pod.",
    "workflow.",
    "tasks.",
];
/// Begins of tags that always resolve when their time comes.
const ALWAYS: &[&str] = &[
    "outputs.",
    "workflow.creationTimestamp",
    "workflow.scheduledTime",
    "workflow.duration",
    "tasks.name",
    "steps.name",
    "node.name",
];

/// Values of global variables; those that are not known yet have a placeholder.
#[derive(Debug, Clone, Default)]
pub(super) struct Globals {
    pub values: BTreeMap<String, Value>,
    made: usize,
}

impl Globals {
    /// A new placeholder.
    pub fn placeholder(&mut self) -> String {
        self.made += 1;
        format!("{PLACEHOLDER}{}", self.made)
    }

    /// Makes a name known whose value is not.
    pub fn add(&mut self, name: impl Into<String>) {
        let value = self.placeholder();
        self.values.insert(name.into(), Value::String(value));
    }
}

/// Names that a template may use.
#[derive(Debug, Clone, Default)]
pub(super) struct Names {
    known: BTreeSet<String>,
    any_item: bool,
    any_output_parameter: bool,
    any_output_artifact: bool,
}

impl Names {
    pub fn add(&mut self, name: impl Into<String>) {
        self.known.insert(name.into());
    }

    /// Makes the variables of a loop known.
    pub fn add_items(
        &mut self,
        items: &[Item],
        parameter: &str,
        sequence: Option<&Sequence>,
    ) -> Result<(), Fault> {
        let kinds = [!items.is_empty(), !parameter.is_empty(), sequence.is_some()];
        if kinds.iter().filter(|set| **set).count() > 1 {
            return Err(Fault::new(
                "only one of withItems, withParam, withSequence can be specified",
            ));
        }
        if !items.is_empty() {
            self.add("item");
            for item in items {
                self.add_item(item)?;
            }
        } else if !parameter.is_empty() {
            self.add("item");
            self.any_item = true;
        } else if let Some(sequence) = sequence {
            if sequence.count.is_some() && sequence.end.is_some() {
                return Err(Fault::new(
                    "only one of count or end can be defined in withSequence",
                ));
            }
            self.add("item");
        }
        Ok(())
    }

    fn add_item(&mut self, item: &Item) -> Result<(), Fault> {
        match &item.0 {
            Value::Object(map) => map.keys().for_each(|key| self.add(format!("item.{key}"))),
            Value::Array(list) => (0..list.len()).for_each(|index| self.add(format!("item.[{index}]"))),
            Value::String(_) | Value::Number(_) | Value::Bool(_) => {}
            Value::Null => return Err(Fault::new("unsupported withItems type: <nil>")),
        }
        Ok(())
    }

    /// Makes known what a step or task called `prefix` gives. Globally named outputs become known to all.
    pub fn add_outputs(
        &mut self,
        globals: &mut Globals,
        template: Option<&Template>,
        prefix: &str,
        looped: bool,
    ) {
        for field in ["id", "startedAt", "finishedAt", "hostNodeName"] {
            self.add(format!("{prefix}.{field}"));
        }
        let Some(template) = template else { return };
        if template.daemon == Some(true) {
            self.add(format!("{prefix}.ip"));
        }
        if has_result(template) {
            self.add(format!("{prefix}.outputs.result"));
            self.add(format!("{prefix}.exitCode"));
        }
        for parameter in &template.outputs.parameters {
            self.add(format!("{prefix}.outputs.parameters.{}", parameter.name));
            self.add_global(globals, "parameters", &parameter.global_name);
        }
        for artifact in &template.outputs.artifacts {
            self.add(format!("{prefix}.outputs.artifacts.{}", artifact.name));
            self.add_global(globals, "artifacts", &artifact.global_name);
        }
        if looped {
            if kind(template) == Kind::Script {
                self.add(format!("{prefix}.outputs.result"));
                self.add(format!("{prefix}.exitCode"));
            }
            self.add(format!("{prefix}.outputs.parameters"));
        }
    }

    fn add_global(&mut self, globals: &mut Globals, of: &str, name: &str) {
        if name.is_empty() {
            return;
        }
        if has_tag(name) {
            self.any_output_parameter |= of == "parameters";
            self.any_output_artifact |= of == "artifacts";
            return;
        }
        let name = format!("workflow.outputs.{of}.{name}");
        self.add(name.clone());
        globals.add(name);
    }

    /// Checks every simple tag of a JSON text.
    pub fn check_tags(&self, globals: &Globals, json: &str, template_only: bool) -> Result<(), Fault> {
        self.check_tags_with(&Self::default(), globals, json, template_only)
    }

    /// The same with some more names, so that these here need not be copied for each of many tasks.
    pub fn check_tags_with(
        &self,
        more: &Self,
        globals: &Globals,
        json: &str,
        template_only: bool,
    ) -> Result<(), Fault> {
        if !json.contains("{{") {
            return Ok(());
        }
        for raw in simple_tags(json)? {
            let tag = raw.trim();
            // The peer looks at the tag before it takes the blanks away: with one in front it is not checked.
            let free = !CHECKED.iter().any(|begin| raw.starts_with(begin))
                || ALWAYS.iter().any(|begin| tag.starts_with(begin))
                || globals.values.contains_key(tag)
                || (template_only && tag.starts_with("workflow.parameters."));
            if !free && !self.knows(tag) && !more.knows(tag) {
                let known = self.known.iter().chain(&more.known).chain(globals.values.keys());
                return Err(Fault::new(format!("failed to resolve {{{{{raw}}}}}"))
                    .maybe(tag, known.map(String::as_str)));
            }
        }
        Ok(())
    }

    fn knows(&self, tag: &str) -> bool {
        self.known.contains(tag)
            || (self.any_item && tag.starts_with("item"))
            || (self.any_output_parameter && tag.starts_with("workflow.outputs.parameters."))
            || (self.any_output_artifact && tag.starts_with("workflow.outputs.artifacts."))
    }
}

/// The simple tags of a JSON text, as they stand there.
pub(super) fn simple_tags(json: &str) -> Result<Vec<String>, Fault> {
    tags::simple_tags_in_json(json).map_err(|error| Fault::new(error.to_string()))
}

/// Whether a node of the template has a result and an exit code.
pub(crate) fn has_result(template: &Template) -> bool {
    match kind(template) {
        Kind::Container | Kind::Script | Kind::Data | Kind::Http | Kind::Plugin => true,
        Kind::ContainerSet => template
            .container_set
            .as_ref()
            .is_some_and(|s| s.containers.iter().any(|c| c.container.name == "main")),
        Kind::Resource | Kind::Steps | Kind::Dag | Kind::Suspend | Kind::Unknown => false,
    }
}
