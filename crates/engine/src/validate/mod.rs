//! Validation of workflows, their templates and cron workflows (section 25): one implementation for lint, submission
//! and the first pass of the controller, with the peer's texts and, beside them, the place and a hint.
//!
//! Like the peer it stops at the first fault; [`all`] goes on for people. Not here: decoding (unknown keys, wrong types; see `argosy_model::decode`).

mod all;
mod arguments;
mod container_set;
mod cron;
mod dag;
mod fault;
mod holder;
mod inputs;
mod leaf;
mod metrics;
mod names;
mod object;
mod outputs;
mod plugins;
mod resource;
mod resources;
mod scope;
mod steps;
mod template;

use argosy_model::{ClusterWorkflowTemplate, CronWorkflow, Workflow, WorkflowSpec, WorkflowTemplate};

use crate::config::Config;
use crate::plan::{Diagnostic, Severity, Templates};

pub use all::{Object, all};
pub use fault::Fault;
pub(crate) use plugins::is_valid as is_executor_plugin;
pub(crate) use scope::has_result;

/// What the validation is for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Mode {
    /// Only checking a file: arguments need no values yet.
    pub lint: bool,
    /// A template is being submitted as a workflow: its arguments need values.
    pub submit: bool,
    /// `{{=…}}` is a tag like others, whose name nothing has (`EXPRESSION_TEMPLATES=false`).
    pub plain_tags_only: bool,
}

impl Mode {
    /// With what the configuration switches off.
    fn with(self, config: &Config) -> Self {
        Self {
            plain_tags_only: self.plain_tags_only || !config.expression_templates,
            ..self
        }
    }
}

/// What is wrong with a workflow in the first pass, whose merged spec is `spec`.
#[must_use]
pub fn workflow(
    workflow: &Workflow,
    spec: &WorkflowSpec,
    templates: &Templates,
    config: &Config,
) -> Vec<Diagnostic> {
    match object::workflow(workflow, spec, templates, Mode::default().with(config)) {
        Ok(()) => Vec::new(),
        Err(fault) => vec![Diagnostic {
            severity: Severity::Failed,
            message: format!("invalid spec: {fault}"),
            path: fault.path(),
            hint: fault.hint,
        }],
    }
}

/// Checks a workflow before it is created.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn check_workflow(
    workflow: &Workflow,
    templates: &Templates,
    config: &Config,
    mode: Mode,
) -> Result<(), Fault> {
    let spec = object::merged_spec(workflow, templates, config)?;
    object::workflow(workflow, &spec, templates, mode.with(config))
}

/// Checks a template object.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn check_template(template: &WorkflowTemplate, templates: &Templates, mode: Mode) -> Result<(), Fault> {
    object::template(
        &template.metadata,
        &template.spec,
        "workflow template",
        templates,
        mode,
    )
}

/// Checks a cluster-wide template object.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn check_cluster_template(
    template: &ClusterWorkflowTemplate,
    templates: &Templates,
    mode: Mode,
) -> Result<(), Fault> {
    object::template(
        &template.metadata,
        &template.spec,
        "cluster workflow template",
        templates,
        mode,
    )
}

/// Checks a cron workflow and the workflow in it.
///
/// # Errors
/// The first thing that is wrong with it.
pub fn check_cron_workflow(cron: &CronWorkflow, templates: &Templates, config: &Config) -> Result<(), Fault> {
    cron::check(cron, templates, config)
}
