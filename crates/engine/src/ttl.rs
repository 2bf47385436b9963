//! When a finished workflow is deleted (C-GC-01, C-GC-02).

use argosy_model::{TtlStrategy, Workflow, WorkflowPhase};
use jiff::{SignedDuration, Timestamp};

/// The time after which the workflow is to be deleted; `None` while it runs, is being archived, is being deleted, or
/// has no time to live.
#[must_use]
pub fn expires_at(workflow: &Workflow) -> Option<Timestamp> {
    if !is_done(workflow) {
        return None;
    }
    let stored = workflow.status.stored_workflow_template_spec.as_ref();
    let strategy = workflow
        .spec
        .ttl_strategy
        .as_ref()
        .or_else(|| stored.and_then(|spec| spec.ttl_strategy.as_ref()))?;
    let ttl = SignedDuration::from_secs(seconds(strategy, &workflow.status.phase)?.into());
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
        let workflow: Workflow = serde_json::from_value(json!({
            "metadata": {"name": "w", "labels": {"workflows.argoproj.io/completed": "true"}},
            "spec": {"ttlStrategy": strategy},
            "status": {"phase": phase, "startedAt": null, "finishedAt": "2026-01-01T00:00:00Z"},
        }))
        .expect("the object is a workflow");
        let end: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
        assert_eq!(
            expires_at(&workflow).map(|t| t.duration_since(end).as_secs()),
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
}
