//! `artifact delete`: deletes the artifacts that the tasks of this pod name, and reports on each
//! (rules X-GC-20 to X-GC-24). Which artifacts those are was decided by the controller.

use argosy_artifact::{Error, Options, location};
use argosy_model::artifact::{Artifact, ArtifactLocation};
use argosy_model::task::{ArtifactResult, WorkflowArtifactGcTask, WorkflowArtifactGcTaskList};
use futures::stream::{self, StreamExt as _};
use serde_json::json;

use crate::api::{self, Api};
use crate::args::Line;
use crate::artifacts::MountedSecrets;
use crate::env;
use crate::log;
use crate::outcome::Failure;
use crate::paths::Layout;
use crate::plugins;
use crate::retry;

/// Artifacts that are deleted at the same time. Each keeps a client of some hundred KiB; the pod may use 64 MiB.
const AT_ONCE: usize = 8;

const TASKS: &str = "workflowartifactgctasks";

/// Deletes what all tasks of this pod say. Artifacts that cannot be deleted are reported, and are
/// no failure of this program.
///
/// # Errors
/// Another word than `delete`, or an API that is not reached or says no.
pub async fn run(layout: &Layout, line: &Line) -> Result<i32, Failure> {
    if line.words.get(1).map(String::as_str) != Some("delete") {
        return Err(Failure::new("artifact needs: delete"));
    }
    let label = env::text("ARGO_ARTIFACT_POD_NAME")
        .ok_or_else(|| Failure::new("ARGO_ARTIFACT_POD_NAME is not set"))?;
    let options = retry::store_options(layout)?;
    let api = Api::connect(line).await?;
    let collection = format!(
        "/apis/argoproj.io/v1alpha1/namespaces/{}/{TASKS}",
        api.namespace()
    );
    let list = format!("{collection}?labelSelector=workflows.argoproj.io%2Fartifact-gc-pod%3D{label}");
    let is_transient = |e: &api::Error| e.is_transient;
    let tasks = retry::DEFAULT.retry(is_transient, || api.get(&list)).await;
    let tasks = tasks.map_err(|e| Failure::new(format!("cannot read the tasks: {e}")))?;
    let tasks: WorkflowArtifactGcTaskList =
        serde_json::from_value(tasks).map_err(|e| Failure::new(format!("cannot read the tasks: {e}")))?;
    let secrets = MountedSecrets::new(layout);
    for task in tasks.items.iter() {
        let status = delete_all(task, &secrets, &options).await;
        let path = format!("{collection}/{}/status", task.metadata.name);
        let reported = retry::DEFAULT
            .retry(is_transient, || api.merge(&path, &status))
            .await;
        reported.map_err(|e| Failure::new(format!("cannot report on {}: {e}", task.metadata.name)))?;
    }
    plugins::stop(&plugins::sidecars(), layout, env::grace()?).await?;
    Ok(0)
}

/// Does one task; gives the patch that reports on it.
async fn delete_all(
    task: &WorkflowArtifactGcTask,
    secrets: &MountedSecrets,
    options: &Options,
) -> serde_json::Value {
    let wanted = task.spec.artifacts_by_node.iter().flat_map(|(node, spec)| {
        let archive = spec.archive_location.as_deref();
        spec.artifacts
            .iter()
            .map(move |(name, artifact)| (node, archive, name, artifact))
    });
    let results: Vec<_> = stream::iter(wanted)
        .map(|(node, archive, name, artifact)| async move {
            let deleted = delete(artifact, archive, secrets, options).await;
            let error = deleted.err().map(|e| e.to_string());
            match &error {
                None => log::info("artifact deleted", &[("node", node), ("name", name)]),
                Some(error) => log::error(
                    "artifact not deleted",
                    &[("node", node), ("name", name), ("error", error)],
                ),
            }
            let result = ArtifactResult {
                name: name.clone(),
                success: error.is_none(),
                error,
            };
            (node, name, result)
        })
        .buffer_unordered(AT_ONCE)
        .collect()
        .await;
    let mut by_node = json!({});
    for (node, name, result) in results {
        by_node[node]["artifactResults"][name] = json!(result);
    }
    json!({"status": {"artifactResultsByNode": by_node}})
}

/// Deletes one artifact. What its store's driver does not repeat by itself is repeated here.
async fn delete(
    artifact: &Artifact,
    archive: Option<&ArtifactLocation>,
    secrets: &MountedSecrets,
    options: &Options,
) -> Result<(), Error> {
    let whole = Artifact {
        location: location::complete(&artifact.location, archive)?,
        ..artifact.clone()
    };
    let store = argosy_artifact::open_artifact(&whole, secrets, options).await?;
    let helps = |e: &Error| matches!(e, Error::Store { .. }) && !e.is_transient();
    retry::DEFAULT.retry(helps, || store.delete()).await
}
