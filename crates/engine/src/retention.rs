//! Which finished workflows are beyond what is kept (C-GC-10).

use std::cmp::Reverse;
use std::sync::Arc;

use argosy_model::config::RetentionPolicy;
use argosy_model::{Workflow, WorkflowPhase};

use crate::ttl;

/// The finished workflows that go: of each phase all but the newest by creation, over all namespaces.
///
/// A number that is missing in the policy or below 0 keeps none of its phase.
#[must_use]
pub fn surplus(
    workflows: impl IntoIterator<Item = Arc<Workflow>>,
    policy: &RetentionPolicy,
) -> Vec<Arc<Workflow>> {
    let done: Vec<Arc<Workflow>> = workflows.into_iter().filter(|w| ttl::is_done(w)).collect();
    let phases = [
        (WorkflowPhase::Succeeded, policy.completed),
        (WorkflowPhase::Failed, policy.failed),
        (WorkflowPhase::Error, policy.errored),
    ];
    let mut surplus = Vec::new();
    for (phase, keep) in phases {
        let mut ended: Vec<&Arc<Workflow>> = done.iter().filter(|w| w.status.phase == phase).collect();
        ended.sort_by_key(|w| {
            let meta = &w.metadata;
            Reverse((meta.creation_timestamp, &meta.namespace, &meta.name))
        });
        surplus.extend(
            ended
                .into_iter()
                .skip(usize::try_from(keep).unwrap_or(0))
                .cloned(),
        );
    }
    surplus
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    /// `<phase> <second of creation>` each; who goes.
    fn check(policy: &str, workflows: &[&str], expected: &[&str]) {
        let policy: RetentionPolicy = serde_json::from_str(policy).expect("a policy");
        let made = workflows.iter().map(|text| {
            let (phase, second) = text.split_once(' ').expect("two words");
            let done = (!phase.is_empty()).to_string();
            let workflow: Workflow = serde_json::from_value(json!({
                "metadata": {
                    "name": text, "namespace": if phase == "Failed" { "a" } else { "b" },
                    "creationTimestamp": format!("2026-01-01T00:00:{second}Z"),
                    "labels": {"workflows.argoproj.io/completed": done},
                },
                "spec": {}, "status": {"phase": phase, "startedAt": null, "finishedAt": null},
            }))
            .expect("a workflow");
            Arc::new(workflow)
        });
        let gone = surplus(made, &policy);
        let names: Vec<&str> = gone.iter().map(|w| w.metadata.name.as_str()).collect();
        assert_eq!(names, expected);
    }

    #[test]
    fn c_gc_10_the_newest_of_each_phase_stay() {
        let all = [
            "Succeeded 01",
            "Succeeded 03",
            "Succeeded 02",
            "Failed 05",
            "Error 06",
            "Error 04",
            " 07",
        ];
        check(
            r#"{"completed": 2, "failed": 1, "errored": 1}"#,
            &all,
            &["Succeeded 01", "Error 04"],
        );
        check(r#"{"completed": 9, "errored": 9}"#, &all, &["Failed 05"]);
    }
}
