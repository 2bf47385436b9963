//! `timeout` and `pendingTimeout` of templates whose pod has not started (C-EXE-10).

use argosy_model::{NodePhase, NodeStatus, NodeType, Template};
use jiff::{SignedDuration, Timestamp};

use super::{Pass, Stop};
use crate::duration;

impl Pass<'_> {
    /// Fails a pending node whose time is up, and wakes when it will be.
    pub fn check_timeouts(&mut self, id: &str, template: &Template) -> Result<(), Stop> {
        let mut first: Option<Timestamp> = None;
        for text in [&template.timeout, &template.pending_timeout] {
            if text.is_empty() {
                continue;
            }
            let length =
                duration::parse(text).map_err(|e| Stop::Error(format!("invalid timeout format {e}")))?;
            // A retry node that waited for its lock stays Pending; from then on its attempts have the limit.
            let waits = |n: &&NodeStatus| n.phase == NodePhase::Pending && !self.has_attempts(n);
            let Some(node) = self.nodes.get(id).filter(waits) else {
                continue;
            };
            let Some(started) = node.started_at.as_ref().map(|t| t.0) else {
                continue;
            };
            let end = started.checked_add(length).unwrap_or(Timestamp::MAX);
            if self.now > end {
                self.time_out(id);
                return Err(Stop::Timeout);
            }
            first = Some(first.map_or(end, |f| f.min(end)));
        }
        if let Some(first) = first {
            // The limit counts as passed only after its instant.
            self.wake(first.checked_add(SignedDuration::from_millis(1)).unwrap_or(first));
        }
        Ok(())
    }

    /// Whether a node is a retry node that has begun.
    pub fn has_attempts(&self, node: &NodeStatus) -> bool {
        node.type_ == NodeType::Retry && self.nodes.attempts(node).0 > 0
    }

    fn time_out(&mut self, id: &str) {
        if let Some(pod) = self.pods.get(id).and_then(|pods| pods.first().copied()) {
            self.delete_pod(id, pod);
        }
        self.delete_unseen_pod(id);
        self.mark(id, NodePhase::Failed, Some("timeout"));
        self.release_template_locks(id);
    }
}
