//! Which runs are active, how the others ended, and which of those are kept (C-CRON-40).

use std::sync::Arc;

use argosy_model::k8s::ObjectReference;
use argosy_model::{Workflow, WorkflowPhase};

use super::{BACKFILL, Effect, Pass};
use crate::node::workflow_fulfilled;

/// How many good runs are kept when nothing is said.
const KEEP_SUCCEEDED: usize = 3;

/// How many bad runs are kept when nothing is said.
const KEEP_FAILED: usize = 1;

impl Pass<'_> {
    /// Brings the list of active runs up to date and deletes those beyond the history; whether a run has ended.
    pub(super) fn follow_runs(&mut self) -> bool {
        let runs: Vec<&Arc<Workflow>> = self
            .seen
            .children
            .iter()
            .filter(|w| !w.metadata.labels.contains_key(BACKFILL))
            .collect();
        let by_uid = |uid: &str| runs.iter().find(|w| w.metadata.uid == uid);
        let mut ended = false;
        let mut active = Vec::new();
        for known in self.status.active.iter() {
            match by_uid(&known.uid) {
                Some(run) if !workflow_fulfilled(&run.status.phase) => active.push(known.clone()),
                Some(run) => {
                    ended = true;
                    match run.status.phase {
                        WorkflowPhase::Succeeded => self.status.succeeded += 1,
                        _ => self.status.failed += 1,
                    }
                }
                // Just made, and the watch has not told yet.
                None if self.was_just_made(known) => active.push(known.clone()),
                None => ended = true,
            }
        }
        for run in &runs {
            let running = !workflow_fulfilled(&run.status.phase);
            if running && active.iter().all(|a| a.uid != run.metadata.uid) {
                active.push(reference(run));
            }
        }
        if *self.status.active != active {
            self.status.active = active.into();
        }
        self.trim(&runs);
        ended
    }

    fn was_just_made(&self, known: &ObjectReference) -> bool {
        let mut made = self.seen.outcomes.submitted.values().flatten().flatten();
        made.any(|m| m.uid == known.uid)
    }

    fn trim(&mut self, runs: &[&Arc<Workflow>]) {
        let spec = &self.seen.cron.spec;
        let limit = |given: Option<i32>, default: usize| {
            given.and_then(|n| usize::try_from(n).ok()).unwrap_or(default)
        };
        for (good, keep) in [
            (true, limit(spec.successful_jobs_history_limit, KEEP_SUCCEEDED)),
            (false, limit(spec.failed_jobs_history_limit, KEEP_FAILED)),
        ] {
            let mut ended: Vec<&Arc<Workflow>> = runs
                .iter()
                .copied()
                .filter(|w| workflow_fulfilled(&w.status.phase))
                .filter(|w| (w.status.phase == WorkflowPhase::Succeeded) == good)
                .collect();
            ended.sort_by_key(|w| std::cmp::Reverse((w.status.finished_at, w.metadata.name.clone())));
            let surplus = ended.into_iter().skip(keep);
            let deletions = surplus
                .filter(|w| w.metadata.deletion_timestamp.is_none())
                .map(|w| Effect::Delete {
                    name: w.metadata.name.clone(),
                    uid: w.metadata.uid.clone(),
                });
            self.decision.effects.extend(deletions);
        }
    }
}

/// How a CronWorkflow's status names a run.
pub fn reference(run: &Workflow) -> ObjectReference {
    ObjectReference {
        api_version: "argoproj.io/v1alpha1".to_owned(),
        kind: "Workflow".to_owned(),
        name: run.metadata.name.clone(),
        namespace: run.metadata.namespace.clone(),
        uid: run.metadata.uid.clone(),
        resource_version: run.metadata.resource_version.clone(),
        ..ObjectReference::default()
    }
}
