//! Tasks and pods of artifact clean-up: made, read and deleted as decisions ask. What they mean is the engine's.

use argosy_engine::Outcomes;
use argosy_model::k8s::{OwnerReference, PartialObjectMetadata, Pod};
use argosy_model::{WorkflowArtifactGcTask, WorkflowArtifactGcTaskList};

use crate::Shared;
use crate::api::{self, Failure};

/// Makes the tasks, and then the pod that they own. What exists already is taken as it is.
pub async fn create(shared: &Shared, tasks: &[WorkflowArtifactGcTask], pod: &Pod) -> Result<Pod, Failure> {
    let namespace = pod.metadata.namespace.as_str();
    let mut pod = pod.clone();
    for task in tasks {
        let name = &task.metadata.name;
        let made = api::create(&shared.client, &api::ARTIFACT_GC_TASKS, namespace, task).await;
        let made: PartialObjectMetadata = match made {
            Err(Failure::AlreadyExists(_)) => {
                api::get(&shared.client, &api::ARTIFACT_GC_TASKS, namespace, name).await?
            }
            other => other?,
        };
        pod.metadata.owner_references.push(OwnerReference {
            api_version: "argoproj.io/v1alpha1".to_owned(),
            kind: "WorkflowArtifactGCTask".to_owned(),
            name: name.clone(),
            uid: made.metadata.uid,
            ..OwnerReference::default()
        });
    }
    match api::create(&shared.client, &api::PODS, namespace, &pod).await {
        Err(Failure::AlreadyExists(_)) => {
            api::get(&shared.client, &api::PODS, namespace, &pod.metadata.name).await
        }
        other => other,
    }
}

/// Reads the tasks of a pod that has ended. True when they could be read.
pub async fn read(
    shared: &Shared,
    namespace: &str,
    pod: &str,
    selector: &str,
    outcomes: &mut Outcomes,
) -> bool {
    let list =
        api::list::<WorkflowArtifactGcTaskList>(&shared.client, &api::ARTIFACT_GC_TASKS, namespace, selector);
    match list.await {
        Ok(list) => {
            let tasks = list.items.into_iter().collect();
            outcomes.artifact_gc_tasks.insert(pod.to_owned(), tasks);
            true
        }
        Err(failure) => {
            tracing::warn!(pod, error = %failure, "Tasks of artifact clean-up can't be read; trying again");
            false
        }
    }
}

/// Deletes tasks; their pod goes with them.
pub async fn delete(shared: &Shared, namespace: &str, tasks: &[String]) -> Result<(), Failure> {
    for task in tasks {
        api::delete(
            &shared.client,
            &api::ARTIFACT_GC_TASKS,
            namespace,
            task,
            None,
            None,
        )
        .await?;
    }
    Ok(())
}
