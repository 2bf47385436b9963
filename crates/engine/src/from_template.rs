//! Workflows made from templates on the server: `submit --from`. Options of a submission are in `submit`.

use argosy_model::k8s::ObjectMeta;
use argosy_model::{Workflow, WorkflowSpec, WorkflowTemplateRef};

/// Label of workflows that were submitted from a WorkflowTemplate.
pub const TEMPLATE: &str = "workflows.argoproj.io/workflow-template";

/// Label of workflows that were submitted from a ClusterWorkflowTemplate.
pub const CLUSTER_TEMPLATE: &str = "workflows.argoproj.io/cluster-workflow-template";

/// A workflow that does what the named template says, with a generated name that begins with the template's.
#[must_use]
pub fn workflow(template: &str, cluster_scope: bool) -> Workflow {
    let label = if cluster_scope { CLUSTER_TEMPLATE } else { TEMPLATE };
    Workflow {
        metadata: ObjectMeta {
            generate_name: format!("{template}-"),
            labels: [(label.to_owned(), template.to_owned())].into(),
            ..ObjectMeta::default()
        },
        spec: WorkflowSpec {
            workflow_template_ref: Some(WorkflowTemplateRef {
                name: template.to_owned(),
                cluster_scope,
            }),
            ..WorkflowSpec::default()
        },
        ..Workflow::default()
    }
}
