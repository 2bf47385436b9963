//! Reads objects without what the controller never looks at: most of a pod's bytes, and more than that of the work of
//! reading one and of the memory to keep it.
//!
//! Deliberately absent: other parts of other kinds. What we keep of an object may be shown, logged and decided on.

use argosy_model::decode::{self, LeftOut};
use argosy_model::k8s::{ConfigMap, PartialObjectMetadata, PersistentVolumeClaim, Pod};
use argosy_model::{CronWorkflow, Workflow, WorkflowArtifactGcTaskList};
use k8s_openapi::api::coordination::v1::Lease;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_json::Value;

/// What can be read from the text of an answer.
pub trait Answer: DeserializeOwned {
    /// The form that is asked for, where it is not the object as it is.
    const FORM: Option<&'static str> = None;

    /// Reads it, of our wire types without what [`WHO_SET_WHAT`] leaves out.
    ///
    /// # Errors
    /// When the text is no JSON or does not fit.
    fn read(text: &str) -> Result<Self, serde_json::Error> {
        serde_json::from_str(text)
    }
}

impl Answer for IgnoredAny {}
impl Answer for Lease {}
impl Answer for Value {}

macro_rules! wire_types {
    ($($kind:ty),*) => {$(
        impl Answer for $kind {
            fn read(text: &str) -> Result<Self, serde_json::Error> {
                decode::text(text, WHO_SET_WHAT)
            }
        }
    )*};
}

wire_types!(
    ConfigMap,
    CronWorkflow,
    PersistentVolumeClaim,
    Pod,
    Workflow,
    WorkflowArtifactGcTaskList
);

impl Answer for PartialObjectMetadata {
    const FORM: Option<&'static str> = Some("application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1");

    fn read(text: &str) -> Result<Self, serde_json::Error> {
        decode::text(text, WHO_SET_WHAT)
    }
}

/// `metadata.managedFields`: which field was set by whom.
pub const WHO_SET_WHAT: LeftOut = |of, key| key == "managedFields" && of == "ObjectMeta";

/// `metadata.managedFields[].fieldsV1`: which fields were set, but not who did.
pub const WHAT_WAS_SET: LeftOut = |of, key| key == "fieldsV1" && of == "ManagedFieldsEntry";

/// Of pods also what only says how they run. Decided is by where a pod is, by the resources and the template of its
/// containers, and by its status.
pub const HOW_PODS_RUN: LeftOut = |of, key| match of {
    "PodSpec" => !matches!(key, "nodeName" | "resources" | "containers" | "initContainers"),
    "Container" => !matches!(key, "name" | "resources" | "env"),
    _ => WHO_SET_WHAT(of, key),
};

/// All of a pod but which one it is, which is enough of one that is gone.
pub const ALL_BUT_WHICH_POD: LeftOut = |of, key| match of {
    "Pod" => key != "metadata",
    _ => WHO_SET_WHAT(of, key),
};

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_nobody_looks_at_is_left_out() {
        let whole = json!({
            "metadata": {"name": "p", "labels": {"managedFields": "kept"}, "managedFields": [{"manager": "m"}]},
            "spec": {
                "nodeName": "n", "hostNetwork": true, "volumes": [{"name": "v"}],
                "initContainers": [{"name": "init", "image": "i"}],
                "containers": [{
                    "name": "main", "image": "i", "env": [{"name": "E", "value": "1"}],
                    "resources": {"limits": {"cpu": "1"}}, "volumeMounts": [{"name": "v", "mountPath": "/v"}],
                }],
            },
            "status": {"phase": "Running", "containerStatuses": [{"name": "main", "image": "i"}]},
        });
        let mut who = whole.clone();
        who["metadata"]["managedFields"] = Value::Null;
        let mut how = who.clone();
        how["spec"] = json!({
            "nodeName": "n", "initContainers": [{"name": "init"}],
            "containers": [{
                "name": "main", "env": [{"name": "E", "value": "1"}], "resources": {"limits": {"cpu": "1"}},
            }],
        });
        let which = json!({"metadata": who["metadata"]});
        for (left_out, wanted) in [
            (WHO_SET_WHAT, who),
            (HOW_PODS_RUN, how),
            (ALL_BUT_WHICH_POD, which),
        ] {
            let pod: Pod = decode::text(&whole.to_string(), left_out).expect("it is a pod");
            let wanted: Pod = serde_json::from_value(wanted).expect("it is a pod");
            assert_eq!(pod, wanted);
        }
    }
}
