//! Performs what was decided about a CronWorkflow. Matches every effect without a wildcard.

use argosy_engine::cron::{Decision, Effect, Outcomes, reference};
use argosy_engine::transient::is_transient_answer;
use argosy_model::k8s::ObjectReference;
use argosy_model::{CronWorkflow, Workflow};
use serde_json::{Value, json};
use tracing::{info, warn};

use crate::Shared;
use crate::api::{self, Failure};
use crate::world::Key;

/// Nothing came of it for a reason that passes: all is to be decided again later.
pub struct Retry;

/// Performs the start of a run, if one is among the effects, and what must come before it. True if something was
/// started, or could not be, so that it is to be decided again.
pub async fn starts(
    shared: &Shared,
    cron: &CronWorkflow,
    decision: &Decision,
    outcomes: &mut Outcomes,
) -> Result<bool, Retry> {
    let effects = &decision.effects;
    if !effects.iter().any(|e| matches!(e, Effect::Submit(_))) {
        return Ok(false);
    }
    for effect in effects {
        match effect {
            Effect::Terminate { name } => {
                if let Err(failure) = terminate(shared, cron, name).await {
                    retry_if_it_passes(shared, &failure)?;
                    outcomes.termination = Some(failure.to_string());
                    return Ok(true);
                }
            }
            Effect::Submit(run) => {
                let outcome = match submit(shared, run).await {
                    Ok(made) => Ok(made),
                    Err(failure) => {
                        retry_if_it_passes(shared, &failure)?;
                        Err(failure.to_string())
                    }
                };
                outcomes.submitted.insert(run.metadata.name.clone(), outcome);
            }
            Effect::PolicyApplied { policy } => count_policy(shared, cron, policy),
            // Decided again, and then for good.
            Effect::Delete { .. } | Effect::Emit(_) | Effect::Triggered | Effect::CountError { .. } => {}
        }
    }
    Ok(true)
}

/// Performs the effects of a decision that starts nothing more, once its changes are stored.
pub async fn rest(shared: &Shared, cron: &CronWorkflow, effects: &[Effect]) {
    let meta = &cron.metadata;
    for effect in effects {
        match effect {
            Effect::Delete { name, uid } => delete(shared, &meta.namespace, name, uid).await,
            Effect::Emit(event) => shared.emit_about("CronWorkflow", meta, event),
            Effect::PolicyApplied { policy } => count_policy(shared, cron, policy),
            Effect::Triggered => {
                let labels = [
                    ("name", meta.name.as_str()),
                    ("namespace", meta.namespace.as_str()),
                ];
                shared.metrics.add("cronworkflows_triggered_total", &labels, 1.0);
            }
            Effect::CountError { cause } => shared.metrics.add("error_count", &[("cause", cause)], 1.0),
            // Neither comes without the other, and then `starts` did both.
            Effect::Submit(_) | Effect::Terminate { .. } => {}
        }
    }
}

fn retry_if_it_passes(shared: &Shared, failure: &Failure) -> Result<(), Retry> {
    let message = failure.to_string();
    let passes = match failure {
        Failure::Unreachable(_) => true,
        other => is_transient_answer(other.code(), &message, &shared.config().transient_error_pattern),
    };
    if passes {
        warn!(error = %message, "The API does not take a scheduled run now; trying again");
        return Err(Retry);
    }
    Ok(())
}

fn count_policy(shared: &Shared, cron: &CronWorkflow, policy: &str) {
    let labels = [
        ("name", cron.metadata.name.as_str()),
        ("namespace", cron.metadata.namespace.as_str()),
        ("concurrency_policy", policy),
    ];
    shared
        .metrics
        .add("cronworkflows_concurrencypolicy_triggered", &labels, 1.0);
}

/// Makes a run; `None` when one of its name, and so of its time, is there already.
async fn submit(shared: &Shared, run: &Workflow) -> Result<Option<ObjectReference>, Failure> {
    let namespace = &run.metadata.namespace;
    match api::create::<_, Workflow>(&shared.client, &api::WORKFLOWS, namespace, run).await {
        Ok(made) => {
            info!(workflow = %made.metadata.name, namespace = %namespace, "Scheduled workflow started");
            let reference = reference(&made);
            let key = Key::new(namespace, &made.metadata.name);
            shared.world.put_workflow(made);
            shared.queue.add(key);
            Ok(Some(reference))
        }
        Err(Failure::AlreadyExists(_)) => Ok(None),
        Err(failure) => Err(failure),
    }
}

/// Ends an active run; one that is gone or has ended is success.
async fn terminate(shared: &Shared, cron: &CronWorkflow, name: &str) -> Result<(), Failure> {
    let namespace = &cron.metadata.namespace;
    let patch = json!({"spec": {"shutdown": "Terminate"}});
    match api::merge_patch::<Value>(&shared.client, &api::WORKFLOWS, namespace, name, &patch).await {
        Ok(_) | Err(Failure::NotFound(_)) => Ok(()),
        Err(failure) => Err(failure),
    }
}

/// Deletes a run beyond the history. One that can't be deleted now is chosen again at the next look.
async fn delete(shared: &Shared, namespace: &str, name: &str, uid: &str) {
    match api::delete(&shared.client, &api::WORKFLOWS, namespace, name, Some(uid), None).await {
        Ok(()) => info!(workflow = %name, namespace = %namespace, "Run beyond the history deleted"),
        Err(failure) => warn!(workflow = %name, error = %failure, "Run beyond the history not deleted"),
    }
}
