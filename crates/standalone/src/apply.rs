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
    let request = kube::core::Request::new(format!("/api/v1/namespaces/{namespace}/secrets"))
        .patch(name, &PatchParams::apply("argosy").force(), &Patch::Apply(secret))
        .map_err(kube::Error::BuildRequest)?;
    client.request::<Value>(request).await.map(drop)
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
