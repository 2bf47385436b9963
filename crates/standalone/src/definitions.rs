//! The custom resources that the platform serves.

use serde_json::Value;

const GROUP: &str = "argoproj.io";
const VERSION: &str = "v1alpha1";

/// Plural, kind, whether namespaced, and the short names kubectl takes.
const KINDS: [(&str, &str, bool, &[&str]); 8] = [
    ("workflows", "Workflow", true, &["wf"]),
    ("workflowtemplates", "WorkflowTemplate", true, &["wftmpl"]),
    (
        "clusterworkflowtemplates",
        "ClusterWorkflowTemplate",
        false,
        &["clusterwftmpl", "cwft"],
    ),
    ("cronworkflows", "CronWorkflow", true, &["cwf", "cronwf"]),
    ("workfloweventbindings", "WorkflowEventBinding", true, &["wfeb"]),
    ("workflowtasksets", "WorkflowTaskSet", true, &["wfts"]),
    ("workflowtaskresults", "WorkflowTaskResult", true, &[]),
    (
        "workflowartifactgctasks",
        "WorkflowArtifactGCTask",
        true,
        &["wfat"],
    ),
];

/// Kinds whose status is written through its own subresource, as in the peer's published definitions.
const WITH_STATUS: [&str; 2] = ["workflowtasksets", "workflowartifactgctasks"];

/// One CustomResourceDefinition for each kind.
pub fn all() -> Vec<Value> {
    let make = |(plural, kind, namespaced, short): &(&str, &str, bool, &[&str])| {
        let mut definition = argosy_apiserver::definition(GROUP, VERSION, plural, kind, *namespaced);
        definition["spec"]["names"]["shortNames"] = serde_json::json!(short);
        if WITH_STATUS.contains(plural) {
            definition["spec"]["versions"][0]["subresources"] = serde_json::json!({"status": {}});
        }
        definition
    };
    KINDS.iter().map(make).collect()
}
