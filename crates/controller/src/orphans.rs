//! Pods whose workflow is gone: what they were told to do by themselves then (C-CLN-20). Nobody decides about them any
//! more, so that our finalizer would keep them for ever.

use std::time::Duration;

use argosy_model::Workflow;
use argosy_model::k8s::Pod;
use argosy_model::names::annotation::POD_GC_STRATEGY;
use jiff::Timestamp;
use tracing::{info, warn};

use crate::Shared;
use crate::api::{self, Failure};
use crate::cleanup::{Action, POD_FINALIZER, What};
use crate::clock::wait_until;
use crate::world::Key;

/// The pause before the API is asked again whether the workflow is gone.
const RETRY: Duration = Duration::from_secs(10);

/// Looks after the pods of a workflow that is not known. Gives the time after which to look again.
pub async fn tidy(shared: &Shared, key: &Key) -> Option<Duration> {
    let pods = shared.world.parts(key).pods;
    let now = shared.clock.now();
    let due: Vec<(&Pod, What, Duration)> = pods
        .values()
        .filter_map(|pod| {
            let (what, at) = fate(pod)?;
            Some((&**pod, what, wait_until(at, now)))
        })
        .collect();
    if due.is_empty() {
        return None;
    }
    // The watch may be behind: a pod is an orphan only when the API says so.
    match api::get::<Workflow>(&shared.client, &api::WORKFLOWS, &key.namespace, &key.name).await {
        Err(Failure::NotFound(_)) => {}
        Ok(_) => return None,
        Err(failure) => {
            warn!(workflow = %key, error = %failure, "Whether the workflow of pods is gone is not known; asking again");
            return Some(RETRY);
        }
    }
    for (pod, what, after) in due {
        info!(pod = %pod.metadata.name, namespace = %key.namespace, action = ?what, "Looking after a pod whose workflow is gone");
        let action = Action {
            namespace: pod.metadata.namespace.clone(),
            pod: pod.metadata.name.clone(),
            uid: Some(pod.metadata.uid.clone()),
            what,
        };
        shared.cleaner.ask(action, after);
    }
    None
}

/// What becomes of a pod without a workflow, and when.
fn fate(pod: &Pod) -> Option<(What, Timestamp)> {
    let meta = &pod.metadata;
    if meta.deletion_timestamp.is_none()
        && let Some(delay) = is_to_go(pod)
    {
        let since = last_transition(pod).unwrap_or(Timestamp::UNIX_EPOCH);
        let at = since.saturating_add(delay).unwrap_or(Timestamp::MAX);
        return Some((What::Delete, at));
    }
    let is_held = meta.finalizers.iter().any(|f| f == POD_FINALIZER);
    is_held.then_some((What::RemoveFinalizer, Timestamp::UNIX_EPOCH))
}

/// How long after its end a pod is to be deleted, if its workflow wanted that. Whether the workflow succeeded is not
/// known any more; that it has ended is.
fn is_to_go(pod: &Pod) -> Option<jiff::SignedDuration> {
    let text = pod.metadata.annotations.get(POD_GC_STRATEGY)?;
    let (strategy, delay) = text.split_once('/').unwrap_or((text, ""));
    let phase = pod.status.phase.as_str();
    let goes = match strategy {
        "OnPodSuccess" => phase == "Succeeded",
        "OnPodCompletion" | "OnWorkflowCompletion" => matches!(phase, "Succeeded" | "Failed"),
        _ => false,
    };
    goes.then(|| argosy_engine::duration::parse_go(delay).unwrap_or_default())
}

fn last_transition(pod: &Pod) -> Option<Timestamp> {
    let conditions = pod.status.conditions.iter();
    conditions
        .filter_map(|c| Some(c.last_transition_time.as_ref()?.0))
        .max()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn c_cln_20_what_becomes_of_orphans() {
        let check = |strategy: &str, phase: &str, finalizers: &[&str], wanted: Option<(&str, i64)>| {
            let pod = json!({
                "metadata": {
                    "name": "p", "namespace": "n", "uid": "u", "finalizers": finalizers,
                    "annotations": {POD_GC_STRATEGY: strategy},
                },
                "status": {"phase": phase, "conditions": [
                    {"type": "Ready", "status": "False", "lastTransitionTime": "1970-01-01T00:01:40Z"},
                    {"type": "Initialized", "status": "True", "lastTransitionTime": "1970-01-01T00:00:10Z"},
                ]},
            });
            let pod: Pod = serde_json::from_value(pod).expect("a pod");
            let came = fate(&pod).map(|(what, at)| (format!("{what:?}"), at.as_second()));
            let came = came.as_ref().map(|(what, at)| (what.as_str(), *at));
            assert_eq!(came, wanted, "{strategy} {phase} {finalizers:?}");
        };
        const DELETE: &str = "Delete";
        let ours: &[&str] = &[POD_FINALIZER];
        check("OnPodSuccess/5s", "Succeeded", &[], Some((DELETE, 105)));
        check("OnPodSuccess/5s", "Failed", &[], None);
        check("OnPodSuccess/5s", "Failed", ours, Some(("RemoveFinalizer", 0)));
        check("OnPodCompletion/2m0s", "Failed", ours, Some((DELETE, 220)));
        check("OnWorkflowCompletion/0s", "Failed", &[], Some((DELETE, 100)));
        check("OnWorkflowSuccess/5s", "Succeeded", &["other"], None);
        check("OnPodCompletion/5s", "Running", &[], None);
        check("/0s", "Running", ours, Some(("RemoveFinalizer", 0)));
    }
}
