//! Deletes finished workflows beyond the number that is kept (`retentionPolicy`).

use std::sync::Arc;
use std::time::Duration;

use tracing::{info, warn};

use crate::Shared;
use crate::api;

/// How long is waited for others that end at the same time: looking through all workflows once serves them, too.
const GATHER: Duration = Duration::from_secs(1);

/// The pause after a deletion that failed.
const RETRY: Duration = Duration::from_secs(10);

/// Looks through the workflows whenever one has ended.
pub async fn run(shared: Arc<Shared>) {
    shared.ended.notify_one();
    loop {
        shared.ended.notified().await;
        tokio::time::sleep(GATHER).await;
        if !delete_surplus(&shared).await {
            tokio::time::sleep(RETRY).await;
            shared.ended.notify_one();
        }
    }
}

/// Whether everything that is too much is gone.
async fn delete_surplus(shared: &Shared) -> bool {
    let config = shared.config();
    let Some(policy) = &config.retention else {
        return true;
    };
    let keys = shared.world.workflow_keys();
    let all = keys.iter().filter_map(|key| shared.world.workflow(key));
    let mut good = true;
    for workflow in argosy_engine::retention::surplus(all, policy) {
        let meta = &workflow.metadata;
        let uid = Some(meta.uid.as_str());
        match api::delete(
            &shared.client,
            &api::WORKFLOWS,
            &meta.namespace,
            &meta.name,
            uid,
            None,
        )
        .await
        {
            Ok(()) => {
                info!(workflow = %meta.name, namespace = %meta.namespace, "Workflow deleted, newer ones are kept")
            }
            Err(failure) => {
                warn!(workflow = %meta.name, error = %failure, "Deleting a workflow beyond those that are kept failed");
                good = false;
            }
        }
    }
    good
}
