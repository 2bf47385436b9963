//! Warnings about variables: for every template which are in scope, and every tag and expression that reads others.
//!
//! Not the contract's validation (see `validate`): that stops at the first fault, in the peer's words, and lets most
//! expressions through until they run. This finds all of them, and what is found never refuses a workflow: a name
//! may yet be given by someone else.

use std::collections::BTreeMap;

use argosy_model::decode::Step;
use argosy_model::{Template, WorkflowSpec};
use argosy_template::diagnose::{self, Diagnosis};
use argosy_template::{Expr, Scope, Tags};
use serde_json::Value;

/// Something that will probably fail when it runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// Where in the object, from its root.
    pub place: Vec<Step>,
    /// The expression, the place in it, and what was in scope.
    pub diagnosis: Diagnosis,
}

/// Where the spec stands in its object, and who may add parameters to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Of {
    /// All that it reads is in it.
    Workflow,
    /// A workflow made from it may bring parameters of its own.
    Template,
    /// Like a workflow, inside a CronWorkflow.
    Cron,
}

/// Fields whose whole text is an expression.
const EXPRESSIONS: &[&str] = &["expression", "fromExpression"];

/// Variables that every template has, without those of workflow, inputs and siblings.
const EVERYWHERE: &[&str] = &[
    "node.name",
    "pod.name",
    "steps.name",
    "tasks.name",
    "retries",
    "lastRetry.exitCode",
    "lastRetry.status",
    "lastRetry.duration",
    "lastRetry.message",
    "status",
    "duration",
    "exitCode",
    "message",
    "outputs.result",
    "workflow.name",
    "workflow.namespace",
    "workflow.uid",
    "workflow.mainEntrypoint",
    "workflow.serviceAccountName",
    "workflow.creationTimestamp",
    "workflow.scheduledTime",
    "workflow.priority",
    "workflow.duration",
    "workflow.status",
    "workflow.failures",
    "workflow.message",
    "workflow.parameters",
    "workflow.parameters.json",
    "workflow.labels",
    "workflow.annotations",
    "inputs.parameters",
    "asInt",
    "asFloat",
    "jsonpath",
    "toJson",
    "sprig",
    "$env",
];

/// Begins of variables of which nobody knows beforehand which there are.
const OPEN: &[&str] = &[
    "workflow.creationTimestamp.",
    "workflow.labels.",
    "workflow.annotations.",
    "workflow.outputs.",
    "workflow.failures.",
    "resourcesDuration.",
    "cronworkflow.",
    "sprig.",
];

/// What each step and task gives, whatever its template.
const OF_NODES: &[&str] = &[
    "id",
    "ip",
    "status",
    "exitCode",
    "startedAt",
    "finishedAt",
    "hostNodeName",
    "outputs",
];

/// All findings of a spec, in the order of its templates.
#[must_use]
pub fn check(spec: &WorkflowSpec, of: Of) -> Vec<Finding> {
    let root: Vec<Step> = match of {
        Of::Cron => vec![Step::Key("spec".into()), Step::Key("workflowSpec".into())],
        Of::Workflow | Of::Template => vec![Step::Key("spec".into())],
    };
    let open_parameters = of == Of::Template || spec.workflow_template_ref.is_some();
    let mut globals = Known::everywhere();
    for parameter in &spec.arguments.parameters {
        globals.add(format!("workflow.parameters.{}", parameter.name));
    }
    if open_parameters {
        globals.open.push("workflow.parameters.".to_owned());
    }
    let mut found = Vec::new();
    for (i, template) in spec.templates.iter().enumerate() {
        let Ok(body) = serde_json::to_value(template) else {
            continue;
        };
        let mut place = root.clone();
        place.extend([Step::Key("templates".into()), Step::Index(i)]);
        let mut walk = Walk {
            known: globals.of_template(template),
            place,
            found: &mut found,
        };
        walk.value(&body, None);
    }
    found
}

/// Names in scope: those that are listed, and begins of which any name may be there.
#[derive(Debug, Clone, Default)]
struct Known {
    names: BTreeMap<String, Value>,
    open: Vec<String>,
}

impl Known {
    fn everywhere() -> Self {
        let mut known = Self::default();
        for name in EVERYWHERE {
            known.add(*name);
        }
        known.open = OPEN.iter().map(|o| (*o).to_owned()).collect();
        known
    }

    fn add(&mut self, name: impl Into<String>) {
        self.names.insert(name.into(), Value::String(String::new()));
    }

    /// With what a template has beside the globals.
    fn of_template(&self, template: &Template) -> Self {
        let mut known = self.clone();
        for parameter in &template.inputs.parameters {
            known.add(format!("inputs.parameters.{}", parameter.name));
        }
        for artifact in &template.inputs.artifacts {
            known.add(format!("inputs.artifacts.{}", artifact.name));
            known.open.push(format!("inputs.artifacts.{}.", artifact.name));
        }
        for parameter in &template.outputs.parameters {
            known.add(format!("outputs.parameters.{}", parameter.name));
            known.open.push(format!("outputs.parameters.{}.", parameter.name));
        }
        for artifact in &template.outputs.artifacts {
            known.open.push(format!("outputs.artifacts.{}", artifact.name));
        }
        let mut loops = false;
        for step in template.steps.iter().flat_map(|group| &group.0) {
            known.add_node("steps", &step.name);
            loops |=
                !step.with_items.is_empty() || !step.with_param.is_empty() || step.with_sequence.is_some();
        }
        for task in template.dag.iter().flat_map(|dag| &dag.tasks) {
            known.add_node("tasks", &task.name);
            loops |=
                !task.with_items.is_empty() || !task.with_param.is_empty() || task.with_sequence.is_some();
        }
        if let Some(set) = &template.container_set {
            // Containers of a set are read as steps where they are exported.
            for container in &set.containers {
                known.add_node("steps", &container.container.name);
            }
        }
        if loops {
            known.add("item");
            known.open.push("item.".to_owned());
        }
        known
    }

    fn add_node(&mut self, of: &str, name: &str) {
        for field in OF_NODES {
            self.add(format!("{of}.{name}.{field}"));
        }
        self.open.push(format!("{of}.{name}.outputs."));
    }

    /// Whether a name is known: listed, beginning like an open one, or above a listed one.
    fn knows(&self, name: &str) -> bool {
        let below = |known: &str, name: &str| {
            name.strip_prefix(known)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        self.open
            .iter()
            .any(|o| name.starts_with(o.as_str()) || below(name, o))
            || self.names.keys().any(|n| below(name, n))
    }
}

struct Walk<'w> {
    known: Known,
    place: Vec<Step>,
    found: &'w mut Vec<Finding>,
}

impl Walk<'_> {
    fn value(&mut self, value: &Value, key: Option<&str>) {
        match value {
            Value::String(text) if key.is_some_and(|k| EXPRESSIONS.contains(&k)) && !text.contains("{{") => {
                self.expression(Expr::cached(text).as_ref());
            }
            Value::String(text) => self.text(text),
            Value::Array(items) => {
                for (i, item) in items.iter().enumerate() {
                    self.place.push(Step::Index(i));
                    self.value(item, None);
                    self.place.pop();
                }
            }
            Value::Object(members) => {
                for (key, member) in members {
                    // Templates in templates have scopes of their own.
                    if key == "inline" {
                        continue;
                    }
                    self.place.push(Step::Key(key.clone().into()));
                    self.value(member, Some(key));
                    self.place.pop();
                }
            }
            _ => {}
        }
    }

    fn text(&mut self, text: &str) {
        let Ok(tags) = Tags::compile(text) else { return };
        for tag in tags.simple_tags() {
            let name = tag.trim();
            // Tags that begin otherwise belong to programs inside the container.
            let ours = ["inputs.", "outputs.", "workflow.", "steps.", "tasks.", "item."];
            if ours.iter().any(|o| name.starts_with(o)) && !self.known.knows(name) {
                let error = argosy_template::tags::Error::Unresolved(name.to_owned());
                self.report(diagnose::substitution(&error, &self.known.names));
            }
        }
        for expression in tags.expressions() {
            self.expression(expression);
        }
    }

    fn expression(&mut self, expression: Result<&Expr, &argosy_template::expr::Error>) {
        let expression = match expression {
            Ok(expression) => expression,
            Err(error) => return self.report(diagnose::expression(error, &self.known.names)),
        };
        let own = expression.declared();
        for reference in expression.references() {
            let root = reference.name.split('.').next().unwrap_or_default();
            let declared = own.iter().any(|name| name == root);
            if !declared && !reference.optional && !self.known.knows(&reference.name) {
                self.report(diagnose::unknown(
                    expression,
                    reference,
                    &self.known.names as &dyn Scope,
                ));
            }
        }
    }

    fn report(&mut self, diagnosis: Diagnosis) {
        self.found.push(Finding {
            place: self.place.clone(),
            diagnosis,
        });
    }
}
