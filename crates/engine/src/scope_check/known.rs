//! Which variables there are, where, and of what kind: facts of the language's reference, and what a spec adds to them.
//! Not here: looking for them in texts.

use std::collections::BTreeMap;

use argosy_model::{Template, WorkflowSpec};
use argosy_template::expr::check::Names;
use argosy_template::expr::types::Type;
use argosy_template::{Env, Scope};
use serde_json::Value;

use crate::plan::{Kind, kind};
use crate::validate::has_result;

/// Where variables exist.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    Everywhere,
    /// Templates that make a pod.
    Pods,
    /// Templates that may be tried again.
    Retries,
    Metrics,
    MetricsOfWorkflow,
}

/// Variables with fixed names. One that ends in `.` stands for all below it, of which nobody knows beforehand which there
/// are.
const VARIABLES: &[(&str, Type, Place)] = &[
    ("node.name", Type::Str, Place::Everywhere),
    ("pod.name", Type::Str, Place::Pods),
    ("steps.name", Type::Str, Place::Everywhere),
    ("tasks.name", Type::Str, Place::Everywhere),
    ("retries", Type::Str, Place::Retries),
    ("lastRetry.exitCode", Type::Str, Place::Retries),
    ("lastRetry.status", Type::Str, Place::Retries),
    ("lastRetry.duration", Type::Str, Place::Retries),
    ("lastRetry.message", Type::Str, Place::Retries),
    ("status", Type::Str, Place::Metrics),
    ("duration", Type::Str, Place::Metrics),
    ("exitCode", Type::Str, Place::Metrics),
    ("retries", Type::Str, Place::Metrics),
    ("outputs.result", Type::Str, Place::Metrics),
    ("resourcesDuration.", Type::Str, Place::Metrics),
    ("status", Type::Str, Place::MetricsOfWorkflow),
    ("duration", Type::Str, Place::MetricsOfWorkflow),
    ("resourcesDuration.", Type::Str, Place::MetricsOfWorkflow),
    ("inputs.parameters", Type::Str, Place::Everywhere),
    ("workflow.name", Type::Str, Place::Everywhere),
    ("workflow.namespace", Type::Str, Place::Everywhere),
    ("workflow.uid", Type::Str, Place::Everywhere),
    ("workflow.mainEntrypoint", Type::Str, Place::Everywhere),
    ("workflow.serviceAccountName", Type::Str, Place::Everywhere),
    ("workflow.creationTimestamp", Type::Str, Place::Everywhere),
    ("workflow.creationTimestamp.", Type::Str, Place::Everywhere),
    ("workflow.scheduledTime", Type::Str, Place::Everywhere),
    ("workflow.priority", Type::Str, Place::Everywhere),
    ("workflow.duration", Type::Str, Place::Everywhere),
    ("workflow.status", Type::Str, Place::Everywhere),
    ("workflow.failures", Type::Str, Place::Everywhere),
    ("workflow.message", Type::Str, Place::Everywhere),
    ("workflow.parameters", Type::Str, Place::Everywhere),
    ("workflow.parameters.json", Type::Str, Place::Everywhere),
    ("workflow.labels", Type::Str, Place::Everywhere),
    ("workflow.labels.", Type::Str, Place::Everywhere),
    ("workflow.annotations", Type::Str, Place::Everywhere),
    ("workflow.annotations.", Type::Str, Place::Everywhere),
    ("workflow.outputs.parameters.", Type::Str, Place::Everywhere),
    ("workflow.outputs.artifacts.", Type::Unknown, Place::Everywhere),
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
];

/// What the condition of an http template reads.
const OF_HTTP: &[(&str, Type)] = &[
    ("request.method", Type::Str),
    ("request.url", Type::Str),
    ("request.body", Type::Str),
    ("request.headers", Type::Unknown),
    ("request.headers.", Type::Unknown),
    ("response.statusCode", Type::Int),
    ("response.body", Type::Str),
    ("response.headers", Type::Unknown),
    ("response.headers.", Type::Unknown),
];

/// What the conditions of a cron workflow read.
const OF_CRON: &[(&str, Type)] = &[
    ("cronworkflow.name", Type::Str),
    ("cronworkflow.namespace", Type::Str),
    ("cronworkflow.labels", Type::Unknown),
    ("cronworkflow.labels.", Type::Str),
    ("cronworkflow.annotations", Type::Unknown),
    ("cronworkflow.annotations.", Type::Str),
    ("cronworkflow.lastScheduledTime", Type::Unknown),
    ("cronworkflow.succeeded", Type::Int),
    ("cronworkflow.failed", Type::Int),
];

/// Names in scope with their kinds: those that are listed, and begins of which any name may be there.
#[derive(Debug, Clone, Default)]
pub(super) struct Known {
    names: BTreeMap<String, Type>,
    open: BTreeMap<String, Type>,
}

impl Known {
    /// What is known outside of templates. Where others may add parameters, any of them is known.
    pub fn of_spec(spec: &WorkflowSpec, open_parameters: bool) -> Self {
        let mut known = Self::default();
        known.add_all(Place::Everywhere);
        for parameter in &spec.arguments.parameters {
            known.add(format!("workflow.parameters.{}", parameter.name), Type::Str);
        }
        if open_parameters {
            known.add("workflow.parameters.", Type::Str);
        }
        known
    }

    /// What the conditions of a cron workflow see.
    pub fn of_cron() -> Self {
        let mut known = Self::default();
        known.add_list(OF_CRON);
        known
    }

    /// With what a template has beside the globals.
    pub fn of_template(&self, template: &Template, spec: &WorkflowSpec) -> Self {
        let mut known = self.clone();
        for parameter in &template.inputs.parameters {
            known.add(format!("inputs.parameters.{}", parameter.name), Type::Str);
        }
        for artifact in &template.inputs.artifacts {
            known.add(format!("inputs.artifacts.{}", artifact.name), Type::Unknown);
            known.add(format!("inputs.artifacts.{}.", artifact.name), Type::Unknown);
        }
        for parameter in &template.outputs.parameters {
            known.add(format!("outputs.parameters.{}", parameter.name), Type::Unknown);
            known.add(format!("outputs.parameters.{}.", parameter.name), Type::Str);
        }
        for artifact in &template.outputs.artifacts {
            known.add(format!("outputs.artifacts.{}", artifact.name), Type::Unknown);
            known.add(format!("outputs.artifacts.{}.", artifact.name), Type::Str);
        }
        match kind(template) {
            Kind::Steps | Kind::Dag | Kind::Suspend | Kind::Http => {}
            _ => known.add_all(Place::Pods),
        }
        let retries = [&template.retry_strategy, &spec.retry_strategy];
        if retries.iter().any(|r| r.is_some()) || spec.template_defaults.is_some() {
            known.add_all(Place::Retries);
        }
        known.add_nodes(template, spec);
        known
    }

    fn add_nodes(&mut self, template: &Template, spec: &WorkflowSpec) {
        for step in template.steps.iter().flat_map(|group| &group.0) {
            let looped =
                !step.with_items.is_empty() || !step.with_param.is_empty() || step.with_sequence.is_some();
            let target = named(spec, &step.template);
            self.add_node(&format!("steps.{}", step.name), target, looped);
        }
        for task in template.dag.iter().flat_map(|dag| &dag.tasks) {
            let looped =
                !task.with_items.is_empty() || !task.with_param.is_empty() || task.with_sequence.is_some();
            let target = named(spec, &task.template);
            self.add_node(&format!("tasks.{}", task.name), target, looped);
        }
        // Containers of a set are read as steps where they are exported.
        for container in template.container_set.iter().flat_map(|set| &set.containers) {
            self.add_node(&format!("steps.{}", container.container.name), None, false);
        }
    }

    /// What a step or task gives; all that is below its outputs when its template is not at hand.
    fn add_node(&mut self, node: &str, template: Option<&Template>, looped: bool) {
        if looped {
            self.add("item", Type::Unknown);
            self.add("item.", Type::Unknown);
        }
        for field in OF_NODES {
            self.add(format!("{node}.{field}"), Type::Str);
        }
        let Some(template) = template.filter(|_| !looped) else {
            return self.add(format!("{node}.outputs."), Type::Unknown);
        };
        if has_result(template) {
            self.add(format!("{node}.outputs.result"), Type::Str);
        }
        for parameter in &template.outputs.parameters {
            self.add(format!("{node}.outputs.parameters.{}", parameter.name), Type::Str);
        }
        for artifact in &template.outputs.artifacts {
            self.add(
                format!("{node}.outputs.artifacts.{}", artifact.name),
                Type::Unknown,
            );
            self.add(
                format!("{node}.outputs.artifacts.{}.", artifact.name),
                Type::Unknown,
            );
        }
    }

    /// With what metrics may read: those of a template, or those of the workflow.
    pub fn with_metrics(&self, of_template: bool) -> Self {
        let mut known = self.clone();
        known.add_all(if of_template {
            Place::Metrics
        } else {
            Place::MetricsOfWorkflow
        });
        known
    }

    /// With what the condition of an http template may read.
    pub fn with_answer(&self) -> Self {
        let mut known = self.clone();
        known.add_list(OF_HTTP);
        known
    }

    /// With what the expressions of a data template may read.
    pub fn with_data(&self) -> Self {
        let mut known = self.clone();
        known.add("data", Type::Unknown);
        known
    }

    fn add_list(&mut self, list: &[(&str, Type)]) {
        for (name, kind) in list {
            self.add(*name, kind.clone());
        }
    }

    fn add_all(&mut self, place: Place) {
        for (name, kind, _) in VARIABLES.iter().filter(|(_, _, at)| *at == place) {
            self.add(*name, kind.clone());
        }
    }

    fn add(&mut self, name: impl Into<String>, kind: Type) {
        let name = name.into();
        if name.ends_with('.') {
            self.open.insert(name, kind);
        } else {
            self.names.insert(name, kind);
        }
    }

    /// The kind behind a dotted name, if it is known: listed, above a listed one, or begun like an open one.
    pub fn kind(&self, name: &str) -> Option<Type> {
        let below = format!("{name}.");
        let parent = self
            .names
            .range(below.clone()..)
            .next()
            .is_some_and(|(n, _)| n.starts_with(&below))
            || self.open.keys().any(|begin| begin.starts_with(&below));
        match (self.names.get(name), parent) {
            // Which of the two it is depends on what there is when it runs.
            (Some(_), true) => return Some(Type::Unknown),
            (None, true) => return Some(Type::MAP),
            (Some(kind), false) => return Some(kind.clone()),
            (None, false) => {}
        }
        let open = self
            .open
            .iter()
            .find(|(begin, _)| name.starts_with(begin.as_str()));
        open.map(|(_, kind)| kind.clone())
    }

    /// Whether the name continues below one that has a kind of its own: the check of kinds tells what is wrong there.
    pub fn beyond(&self, name: &str) -> bool {
        name.match_indices('.').any(|(at, _)| {
            self.kind(&name[..at])
                .is_some_and(|kind| !kind.is_map() && !kind.is_unknown())
        })
    }

    /// The names as a scope for messages.
    pub fn scope(&self) -> impl Scope + use<> {
        self.names
            .keys()
            .map(|name| (name.clone(), Value::Null))
            .collect::<BTreeMap<_, _>>()
    }
}

impl Names for Known {
    fn lookup(&self, name: &str) -> Option<Type> {
        Env::with_functions(BTreeMap::new())
            .root_type(name)
            .or_else(|| self.kind(name))
    }

    fn member(&self, path: &str) -> Option<Type> {
        self.kind(path)
    }
}

/// A template of the spec whose outputs are all that it can have.
fn named<'s>(spec: &'s WorkflowSpec, name: &str) -> Option<&'s Template> {
    let found = spec
        .templates
        .iter()
        .find(|t| !name.is_empty() && t.name == name)?;
    let whole = spec.template_defaults.is_none() && kind(found) != Kind::Plugin;
    whole.then_some(found)
}
