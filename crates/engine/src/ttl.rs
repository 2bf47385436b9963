//! When a finished workflow is deleted (C-GC-01, C-GC-02).

use argosy_model::{TtlStrategy, Workflow, WorkflowPhase};
use jiff::{SignedDuration, Timestamp};

use crate::config::Config;

/// The time after which the workflow is to be deleted; `None` while it runs, is being archived, is being deleted, or
/// has no time to live.
#[must_use]
pub fn expires_at(workflow: &Workflow, config: &Config) -> Option<Timestamp> {
    if !is_done(workflow) {
        return None;
    }
    let ttl = seconds(&strategy(workflow, config)?, &workflow.status.phase)?;
    let ttl = SignedDuration::from_secs(ttl.into());
    let finished = workflow.status.finished_at.as_ref()?.0;
    finished.checked_add(ttl + SignedDuration::from_secs(1)).ok()
}

/// Whether a finished workflow may be deleted: it neither waits for the archive nor is being deleted (C-GC-01).
pub(crate) fn is_done(workflow: &Workflow) -> bool {
    let meta = &workflow.metadata;
    let label = |name: &str| meta.labels.get(name).map(String::as_str);
    label("workflows.argoproj.io/completed") == Some("true")
        && label("workflows.argoproj.io/workflow-archiving-status") != Some("Pending")
        && meta.deletion_timestamp.is_none()
}

/// The workflow's own strategy, else that of the spec which status keeps. Where it keeps none, what the workflow leaves
/// open is as configured (C-MRG-01): the peer writes that into the spec.
fn strategy(workflow: &Workflow, config: &Config) -> Option<TtlStrategy> {
    let own = workflow.spec.ttl_strategy.clone();
    if workflow.spec.workflow_template_ref.is_some() {
        let stored = workflow.status.stored_workflow_template_spec.as_ref();
        return own.or_else(|| stored?.ttl_strategy.clone());
    }
    let Some(default) = config.default_spec.ttl_strategy.clone() else {
        return own;
    };
    let own = own.unwrap_or_default();
    Some(TtlStrategy {
        seconds_after_completion: own.seconds_after_completion.or(default.seconds_after_completion),
        seconds_after_success: own.seconds_after_success.or(default.seconds_after_success),
        seconds_after_failure: own.seconds_after_failure.or(default.seconds_after_failure),
    })
}

/// Phase Error only matches `secondsAfterCompletion`.
fn seconds(strategy: &TtlStrategy, phase: &WorkflowPhase) -> Option<i32> {
    let own = match phase {
        WorkflowPhase::Succeeded => strategy.seconds_after_success,
        WorkflowPhase::Failed => strategy.seconds_after_failure,
        _ => None,
    };
    own.or(strategy.seconds_after_completion)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::{Value, json};

    /// Seconds after the end at which a workflow of this phase with this strategy is deleted.
    fn check(strategy: Value, phase: &str, expect: Option<i64>) {
        check_with_default(Value::Null, strategy, phase, expect);
    }

    /// The same where a default is configured.
    fn check_with_default(default: Value, strategy: Value, phase: &str, expect: Option<i64>) {
        let mut config = Config::default();
        config.default_spec.ttl_strategy = serde_json::from_value(default).expect("a strategy");
        let workflow: Workflow = serde_json::from_value(json!({
            "metadata": {"name": "w", "labels": {"workflows.argoproj.io/completed": "true"}},
            "spec": {"ttlStrategy": strategy},
            "status": {"phase": phase, "startedAt": null, "finishedAt": "2026-01-01T00:00:00Z"},
        }))
        .expect("the object is a workflow");
        let end: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
        assert_eq!(
            expires_at(&workflow, &config).map(|t| t.duration_since(end).as_secs()),
            expect,
            "{phase}"
        );
    }

    #[test]
    fn c_gc_02_the_phase_chooses_the_time_to_live() {
        let all = json!({"secondsAfterSuccess": 5, "secondsAfterFailure": 7, "secondsAfterCompletion": 9});
        check(all.clone(), "Succeeded", Some(6));
        check(all.clone(), "Failed", Some(8));
        check(all, "Error", Some(10));
        check(json!({"secondsAfterCompletion": 0}), "Succeeded", Some(1));
        check(json!({"secondsAfterSuccess": 5}), "Failed", None);
    }

    #[test]
    fn c_mrg_01_the_configured_time_to_live_counts_where_the_workflow_says_nothing() {
        let default = json!({"secondsAfterCompletion": 9, "secondsAfterFailure": 7});
        check_with_default(default.clone(), Value::Null, "Succeeded", Some(10));
        check_with_default(
            default.clone(),
            json!({"secondsAfterFailure": 3}),
            "Failed",
            Some(4),
        );
        check_with_default(default, json!({"secondsAfterSuccess": 3}), "Failed", Some(8));
    }
}
