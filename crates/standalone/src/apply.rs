//! Objects that the platform itself puts into its API, each time it starts.

use kube::Client;
use kube::core::params::{Patch, PatchParams};
use serde_json::{Value, json};

/// The account that pods have when they name none.
const ACCOUNT: &str = "default";

/// Makes a Secret or brings it up to date.
///
/// # Errors
/// The API's refusal.
pub async fn secret(client: &Client, namespace: &str, name: &str, secret: &Value) -> Result<(), kube::Error> {
    put(
        client,
        &format!("/api/v1/namespaces/{namespace}/secrets"),
        name,
        secret,
    )
    .await
}

async fn put(client: &Client, path: &str, name: &str, object: &Value) -> Result<(), kube::Error> {
    let request = kube::core::Request::new(path)
        .patch(name, &PatchParams::apply("argosy").force(), &Patch::Apply(object))
        .map_err(kube::Error::BuildRequest)?;
    client.request::<Value>(request).await.map(drop)
}

const RBAC: &str = "rbac.authorization.k8s.io";

/// Gives service accounts the rights that a cluster's administrator would give them: every account may report what its
/// workflow's pod did; pods that name no account may do in the namespace of workflows what its administrator may.
///
/// # Errors
/// The API's refusal.
pub async fn rights(client: &Client, namespace: &str) -> Result<(), kube::Error> {
    let cluster_role = |name: &str, labels: Value, resources: &[&str], verbs: &[&str]| {
        json!({
            "apiVersion": format!("{RBAC}/v1"), "kind": "ClusterRole", "metadata": {"name": name, "labels": labels},
            "rules": [{"apiGroups": ["argoproj.io"], "resources": resources, "verbs": verbs}],
        })
    };
    let report = cluster_role(
        "argosy-executor",
        json!({}),
        &["workflowtaskresults"],
        &["create", "patch"],
    );
    let mut objects = vec![("clusterroles", "argosy-executor".to_owned(), report)];
    let read = ["get", "list", "watch"];
    for (level, verbs) in [("view", &read[..]), ("edit", &["*"]), ("admin", &["*"])] {
        let name = format!("argosy-aggregate-to-{level}");
        let labels = json!({format!("{RBAC}/aggregate-to-{level}"): "true"});
        let role = cluster_role(&name, labels, &["*"], verbs);
        objects.push(("clusterroles", name, role));
    }
    let binding = |kind: &str, name: &str, role: &str, subject: Value| {
        json!({
            "apiVersion": format!("{RBAC}/v1"), "kind": kind, "metadata": {"name": name}, "subjects": [subject],
            "roleRef": {"apiGroup": RBAC, "kind": "ClusterRole", "name": role},
        })
    };
    let everyone = json!({"apiGroup": RBAC, "kind": "Group", "name": "system:serviceaccounts"});
    let everyone = binding(
        "ClusterRoleBinding",
        "argosy-executor",
        "argosy-executor",
        everyone,
    );
    objects.push(("clusterrolebindings", "argosy-executor".to_owned(), everyone));
    for (plural, name, object) in &objects {
        put(client, &format!("/apis/{RBAC}/v1/{plural}"), name, object).await?;
    }
    let own = json!({"kind": "ServiceAccount", "name": ACCOUNT, "namespace": namespace});
    let own = binding("RoleBinding", "argosy-default", "admin", own);
    let path = format!("/apis/{RBAC}/v1/namespaces/{namespace}/rolebindings");
    put(client, &path, "argosy-default", &own).await
}

/// Makes the Secret by which the agent of a workflow speaks to the API (C-BLD-04): a cluster's administrator makes it by
/// hand, here nobody is there to do so.
///
/// # Errors
/// The API's refusal.
pub async fn agent_token(client: &Client, namespace: &str) -> Result<(), kube::Error> {
    let name = format!("{ACCOUNT}.service-account-token");
    let object = json!({
        "apiVersion": "v1", "kind": "Secret", "type": "kubernetes.io/service-account-token",
        "metadata": {
            "name": name, "namespace": namespace,
            "annotations": {"kubernetes.io/service-account.name": ACCOUNT},
        },
    });
    secret(client, namespace, &name, &object).await
}
