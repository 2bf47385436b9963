//! Validation of workflows before they run (section 25).

use argosy_model::{Workflow, WorkflowSpec};

use crate::config::Config;
use crate::plan::{Diagnostic, Templates};

/// What is wrong with a workflow whose merged spec is `spec`.
#[must_use]
pub fn workflow(_workflow: &Workflow, _spec: &WorkflowSpec, _templates: &Templates, _config: &Config) -> Vec<Diagnostic> {
    Vec::new()
}
