//! Task results: outputs and progress that executors report, and how long they may be late (section 10).

use argosy_model::{NodeStatus, NodeType};
use jiff::Timestamp;

use super::{Pass, labels};
use crate::decision::Waiting;
use crate::node;

impl Pass<'_> {
    /// Takes over what the executors reported (C-RES-02, C-RES-04).
    pub fn apply_results(&mut self) {
        for (id, result) in self.seen.results {
            let Some(old) = self.nodes.get(id).cloned() else {
                continue;
            };
            let mut new = old.clone();
            let reported = result.metadata.labels.get(labels::REPORTED).map(|v| v == "true");
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
            // The flag alone is no reason to store: it follows from the result object at every look.
            let only_flag = NodeStatus {
                task_result_synced: old.task_result_synced,
                ..new.clone()
            } == old;
            if new != old {
                self.nodes.insert(new);
                self.updated |= !only_flag;
            }
        }
    }

    /// Whether the result of a finished node has been late for too long (C-RES-03, Q-35).
    fn given_up(&mut self, node: &NodeStatus) -> bool {
        if !node::phase_completed(&node.phase) {
            return false;
        }
        let Some(finished) = node.finished_at.as_ref().map(|t| t.0) else {
            return false;
        };
        let gone = node.type_ == NodeType::Pod && !self.pods.contains_key(&node.id);
        let limit = if gone {
            self.seen.config.recently_deleted
        } else {
            self.seen.config.task_result_timeout
        };
        let until = finished + limit;
        if self.now >= until {
            return true;
        }
        self.await_result(&node.id, Some(until));
        false
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
