//! Writes the status of one pod, always the newest, and asks the API to forget the pod when that is due.

use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::{Pod, PodStatus};
use kube::api::{DeleteParams, Patch, PatchParams, Preconditions};
use kube::core::Status;
use kube::{Api, Client};
use serde_json::{Value, json};
use tokio::sync::watch;

/// First wait after a failed write; doubled up to [`RETRY_LIMIT`].
const RETRY_FIRST: Duration = Duration::from_millis(100);
const RETRY_LIMIT: Duration = Duration::from_secs(10);

/// What shall become true in the API.
#[derive(Debug, Clone, Default, PartialEq)]
pub(crate) struct Order {
    pub(crate) status: Option<PodStatus>,
    /// Delete the object after the status is written.
    pub(crate) remove: bool,
}

/// Writes until the sender is gone.
pub(crate) async fn run(client: Client, pod: Arc<Pod>, mut orders: watch::Receiver<Order>) {
    let namespace = pod.metadata.namespace.as_deref().unwrap_or("default");
    let name = pod.metadata.name.clone().unwrap_or_default();
    let api: Api<Pod> = Api::namespaced(client, namespace);
    let mut written = serde_json::to_value(&pod.status).unwrap_or_default();
    let mut wait = RETRY_FIRST;
    while orders.changed().await.is_ok() {
        loop {
            let order = orders.borrow_and_update().clone();
            match write(&api, &name, &pod, &order, &mut written).await {
                Ok(()) => break,
                Err(kube::Error::Api(status)) if is_another(&status) => {
                    // The object is gone or another one has its name; the watch will tell.
                    tracing::debug!(pod = name, code = status.code, "Status has nowhere to go");
                    break;
                }
                Err(error) => {
                    tracing::warn!(pod = name, %error, "Status was not written, trying again");
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        changed = orders.changed() => if changed.is_err() { return },
                    }
                    wait = (wait * 2).min(RETRY_LIMIT);
                    continue;
                }
            }
        }
        wait = RETRY_FIRST;
    }
}

/// Whether the pod is there no more. Writers that were faster are no such conflict: the next try may succeed.
fn is_another(status: &Status) -> bool {
    status.code == 404 || status.code == 409 && !status.message.contains("has been modified")
}

async fn write(
    api: &Api<Pod>,
    name: &str,
    pod: &Pod,
    order: &Order,
    written: &mut Value,
) -> Result<(), kube::Error> {
    if let Some(status) = &order.status {
        let new = serde_json::to_value(status).map_err(kube::Error::SerdeError)?;
        if new != *written {
            // The uid keeps the status off another pod of the same name.
            let patch = json!({"metadata": {"uid": pod.metadata.uid}, "status": replacing(written, &new)});
            api.patch_status(name, &PatchParams::default(), &Patch::Merge(patch))
                .await?;
            *written = new;
        }
    }
    if order.remove {
        let preconditions = Preconditions {
            uid: pod.metadata.uid.clone(),
            resource_version: None,
        };
        let params = DeleteParams {
            preconditions: Some(preconditions),
            ..DeleteParams::default()
        }
        .grace_period(0);
        api.delete(name, &params).await?;
    }
    Ok(())
}

/// A merge patch that makes `old` equal to `new`: everything in `new`, and null for what is not there any more.
fn replacing(old: &Value, new: &Value) -> Value {
    let mut patch = new.clone();
    if let (Value::Object(old), Value::Object(patch)) = (old, &mut patch) {
        for key in old.keys() {
            patch.entry(key.clone()).or_insert(Value::Null);
        }
    }
    patch
}
