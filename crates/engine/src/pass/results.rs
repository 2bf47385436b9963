//! Task results: outputs and progress that executors report, and how long they may be late (section 10).

use argosy_model::k8s::Pod;
use argosy_model::{NodeResult, NodeStatus, NodeType, WorkflowTaskResult};
use jiff::Timestamp;

use super::tree::is_other;
use super::{Pass, labels};
use crate::decision::Waiting;
use crate::node;

/// Whether a node already has everything that was reported.
fn has_all(node: &NodeStatus, reported: &NodeResult) -> bool {
    let outputs = reported.outputs.as_ref().is_none_or(|new| {
        node.outputs.as_ref().is_some_and(|old| {
            new.result == old.result
                && new.parameters == old.parameters
                && new.artifacts == old.artifacts
                && (new.exit_code.is_none() || new.exit_code == old.exit_code)
        })
    });
    outputs && (!reported.progress.is_valid() || reported.progress == node.progress)
}

impl Pass<'_> {
    /// Takes over what the executors reported (C-RES-02, C-RES-04).
    pub fn apply_results(&mut self) {
        for (id, result) in self.seen.results {
            self.apply_result(id, result);
        }
        let silent = self.nodes.iter().filter(|n| self.is_silent(n));
        let silent: Vec<NodeStatus> = silent.cloned().collect();
        silent.iter().for_each(|node| self.give_up_silent(node));
    }

    /// Takes over what the executor reported of one node.
    pub fn apply_result(&mut self, id: &str, result: &WorkflowTaskResult) {
        let reported = result.metadata.labels.get(labels::REPORTED).map(|v| v == "true");
        let Some(old) = self.nodes.get(id) else {
            return;
        };
        if reported != Some(false) && node::synced(old) && has_all(old, &result.result) {
            return;
        }
        let old = old.clone();
        let mut new = old.clone();
        if let Some(reported) = reported
            && new.task_result_synced.is_some()
        {
            new.task_result_synced = Some(reported || self.given_up(&new));
        }
        if let Some(outputs) = &result.result.outputs {
            let mut outputs = outputs.clone();
            if outputs.exit_code.is_none() {
                outputs.exit_code = new.outputs.as_ref().and_then(|o| o.exit_code.clone());
            }
            new.outputs = Some(outputs);
        }
        if result.result.progress.is_valid() {
            new.progress = result.result.progress.clone();
        }
        if new != old {
            self.updated |= is_other(&old, &new);
            self.nodes.insert(new);
        }
    }

    /// Whether a node ended and its report is gone: of a life before a retry, or lost.
    pub fn is_silent(&self, node: &NodeStatus) -> bool {
        !node::synced(node) && node::phase_completed(&node.phase) && !self.seen.results.contains_key(&node.id)
    }

    /// Bounds the wait for a report that is gone.
    pub fn give_up_silent(&mut self, node: &NodeStatus) {
        if self.given_up(node) {
            self.change(&node.id, |n| n.task_result_synced = Some(true));
        }
    }

    /// Whether the result of a finished node has been late for too long (C-RES-03, Q-35).
    fn given_up(&mut self, node: &NodeStatus) -> bool {
        if !node::phase_completed(&node.phase) {
            return false;
        }
        let pod = self
            .pods
            .get(node.id.as_str())
            .and_then(|pods| pods.first().copied());
        let until = match (pod, &node.finished_at) {
            (Some(pod), _) => self.result_deadline(pod, node),
            (None, Some(finished)) if node.type_ == NodeType::Pod => {
                finished.0 + self.seen.config.recently_deleted
            }
            (None, Some(finished)) => finished.0 + self.seen.config.task_result_timeout,
            // A node that waits for its result has no end of its own. Its pod is gone, and with it who would report.
            (None, None) => return true,
        };
        if self.now >= until {
            return true;
        }
        self.await_result(&node.id, Some(until));
        false
    }

    /// When nobody waits any more for the result of a pod that ended. A pod without a word on its containers never
    /// reports; the start of its node bounds that.
    pub fn result_deadline(&self, pod: &Pod, node: &NodeStatus) -> Timestamp {
        let ended = super::pods::latest_finish(pod)
            .or(node.finished_at.map(|t| t.0))
            .or(node.started_at.map(|t| t.0));
        ended.unwrap_or(self.now) + self.seen.config.task_result_timeout
    }

    /// Notes that a node waits for its result.
    pub fn await_result(&mut self, id: &str, until: Option<Timestamp>) {
        let pod = self
            .pods
            .get(id)
            .and_then(|p| p.first())
            .map_or_else(String::new, |p| p.metadata.name.clone());
        self.waiting.insert(id.to_owned(), Waiting::Result { pod, until });
        if let Some(until) = until {
            self.wake(until);
        }
    }
}
