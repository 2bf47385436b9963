//! The custom resources as Kubernetes must know them: names, scope, printed columns, and schemas made from our types.

use serde_json::{Value, json};

use crate::{cron, event, schema, task, workflow};

/// Group of all kinds.
pub const GROUP: &str = "argoproj.io";

/// Version of all kinds.
pub const VERSION: &str = "v1alpha1";

/// A custom resource.
struct Definition {
    kind: &'static str,
    plural: &'static str,
    short: &'static [&'static str],
    namespaced: bool,
    /// Whether status is written through its own subresource.
    status: bool,
    /// Title, type and path of the columns that `kubectl get` prints.
    columns: &'static [(&'static str, &'static str, &'static str)],
    schema: fn() -> Value,
}

const DEFINITIONS: [Definition; 8] = [
    Definition {
        kind: "Workflow",
        plural: "workflows",
        short: &["wf"],
        namespaced: true,
        status: false,
        columns: &[
            ("Status", "string", ".status.phase"),
            ("Age", "date", ".status.startedAt"),
            ("Message", "string", ".status.message"),
        ],
        schema: schema::of::<workflow::Workflow>,
    },
    Definition {
        kind: "WorkflowTemplate",
        plural: "workflowtemplates",
        short: &["wftmpl"],
        namespaced: true,
        status: false,
        columns: &[],
        schema: schema::of::<workflow::WorkflowTemplate>,
    },
    Definition {
        kind: "ClusterWorkflowTemplate",
        plural: "clusterworkflowtemplates",
        short: &["clusterwftmpl", "cwft"],
        namespaced: false,
        status: false,
        columns: &[],
        schema: schema::of::<workflow::ClusterWorkflowTemplate>,
    },
    Definition {
        kind: "CronWorkflow",
        plural: "cronworkflows",
        short: &["cwf", "cronwf"],
        namespaced: true,
        status: false,
        columns: &[],
        schema: schema::of::<cron::CronWorkflow>,
    },
    Definition {
        kind: "WorkflowEventBinding",
        plural: "workfloweventbindings",
        short: &["wfeb"],
        namespaced: true,
        status: false,
        columns: &[],
        schema: schema::of::<event::WorkflowEventBinding>,
    },
    Definition {
        kind: "WorkflowTaskSet",
        plural: "workflowtasksets",
        short: &["wfts"],
        namespaced: true,
        status: true,
        columns: &[],
        schema: schema::of::<task::WorkflowTaskSet>,
    },
    Definition {
        kind: "WorkflowTaskResult",
        plural: "workflowtaskresults",
        short: &[],
        namespaced: true,
        status: false,
        columns: &[],
        schema: schema::of::<task::WorkflowTaskResult>,
    },
    Definition {
        kind: "WorkflowArtifactGCTask",
        plural: "workflowartifactgctasks",
        short: &["wfat"],
        namespaced: true,
        status: true,
        columns: &[],
        schema: schema::of::<task::WorkflowArtifactGcTask>,
    },
];

/// One CustomResourceDefinition for each kind.
pub fn all() -> Vec<Value> {
    let full = |definition: &Definition| {
        let mut schema = (definition.schema)();
        // Kubernetes has its own schema of metadata.
        schema["properties"]["metadata"] = json!({"type": "object"});
        schema["required"] = json!(["metadata"]);
        if let Some(status) = schema["properties"].get_mut("status") {
            // One owner for all of it. Else Kubernetes notes who has set which field of which node, which makes a large
            // workflow twice as large.
            status["x-kubernetes-map-type"] = json!("atomic");
        }
        definition.object(schema)
    };
    DEFINITIONS.iter().map(full).collect()
}

/// The same with schemas that take anything, for an API whose clients check more than a schema can.
pub fn unchecked() -> Vec<Value> {
    DEFINITIONS
        .iter()
        .map(|definition| definition.object(schema::open_object()))
        .collect()
}

impl Definition {
    fn object(&self, schema: Value) -> Value {
        let mut version = json!({
            "name": VERSION, "served": true, "storage": true, "schema": {"openAPIV3Schema": schema},
        });
        if self.status {
            version["subresources"] = json!({"status": {}});
        }
        if !self.columns.is_empty() {
            let column = |(name, kind, path): &(&str, &str, &str)| json!({"name": name, "type": kind, "jsonPath": path});
            version["additionalPrinterColumns"] = self.columns.iter().map(column).collect();
        }
        let mut names = json!({
            "kind": self.kind, "listKind": format!("{}List", self.kind),
            "plural": self.plural, "singular": self.kind.to_lowercase(),
        });
        if !self.short.is_empty() {
            names["shortNames"] = json!(self.short);
        }
        json!({
            "apiVersion": "apiextensions.k8s.io/v1",
            "kind": "CustomResourceDefinition",
            "metadata": {"name": format!("{}.{GROUP}", self.plural)},
            "spec": {
                "group": GROUP,
                "names": names,
                "scope": if self.namespaced { "Namespaced" } else { "Cluster" },
                "versions": [version],
            },
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Kubernetes asks for a type everywhere, except where anything goes or a number may be text.
    fn check(path: &str, schema: &Value) {
        let open = schema["x-kubernetes-preserve-unknown-fields"] == true
            || schema["x-kubernetes-int-or-string"] == true;
        assert!(open || schema["type"].is_string(), "{path} has no type");
        for (key, inner) in schema["properties"].as_object().into_iter().flatten() {
            check(&format!("{path}.{key}"), inner);
        }
        for key in ["items", "additionalProperties"] {
            if !schema[key].is_null() {
                check(&format!("{path}[]"), &schema[key]);
            }
        }
    }

    #[test]
    fn schemas_are_structural() {
        for definition in all() {
            let version = &definition["spec"]["versions"][0];
            check(
                definition["spec"]["names"]["kind"].as_str().unwrap_or_default(),
                &version["schema"]["openAPIV3Schema"],
            );
        }
    }
}
