//! What was allowed by a stored status and then lost: effects that a crash or a failed call swallowed are asked for
//! again, from what is still to be seen of them.
//!
//! Not here: which pods are labelled or deleted (`cleanup`), what happens at the end itself (`finish`).

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::sync::Arc;

use argosy_model::k8s::Pod;
use argosy_model::{NodeStatus, NodeType};
use jiff::{SignedDuration, Timestamp};

use super::Pass;
use super::pods::is_active;
use crate::decision::Effect;
use crate::{duration, names, node};

/// How long an effect on a pod may take before it counts as lost: longer than its retries in the usual case.
const LOST_AFTER: SignedDuration = SignedDuration::from_secs(30);

impl Pass<'_> {
    /// Asks again for everything that a finished workflow still shows traces of.
    pub fn tidy_ended(&mut self) {
        let key = self.lock_key.clone();
        if self.locks.involves(&key) {
            self.locks.release_all(&key);
        }
        if !self.seen.results.is_empty() {
            self.effect(Effect::DeleteTaskResults);
        }
        let agent = names::agent_pod(&self.wf.metadata.name);
        if self.seen.pods.contains_key(&agent) || !self.seen.agent_results.is_empty() {
            self.end_agent();
        }
        // Also pods whose nodes were still at work when the workflow ended from above.
        self.end_running_pods(|_| true);
        self.clean_up(|_| true);
        self.delete_strays();
    }

    /// Ends the agent's pod and tasks.
    pub fn end_agent(&mut self) {
        let pod = names::agent_pod(&self.wf.metadata.name);
        self.effect(Effect::CompleteTasks {
            tasks: Vec::new(),
            all: true,
        });
        self.delete_any_pod("", pod);
    }

    /// In a pass with nothing to store: asks again for what was to be done to pods of nodes that ended a while ago.
    pub fn tidy_again(&mut self) {
        if node::workflow_fulfilled(&self.status.phase) || !self.assessed {
            return;
        }
        let (mut lost, mut next) = (BTreeSet::new(), None);
        for (id, due) in self.due_to_pods() {
            let mut at = due;
            if self.now >= due {
                at = self.now + LOST_AFTER;
                lost.insert(id.to_string());
            }
            next = Some(next.map_or(at, |next: Timestamp| next.min(at)));
        }
        if let Some(next) = next {
            self.wake(next);
        }
        if !lost.is_empty() {
            self.end_running_pods(|id| lost.contains(id));
            self.clean_up(|id| lost.contains(id));
        }
    }

    /// The ended nodes with pods to which something is still to be done, and when that counts as lost.
    pub fn due_to_pods(&self) -> impl Iterator<Item = (&Cow<'_, str>, Timestamp)> {
        self.pods.iter().filter_map(|(id, pods)| {
            let node = self.nodes.get(id).filter(|n| node::phase_ended(&n.phase))?;
            let is_due = pods.iter().any(|pod| is_active(pod) || self.is_fated(pod));
            is_due.then(|| (id, self.lost_at(node)))
        })
    }

    /// When what was asked for at a node's end counts as lost.
    fn lost_at(&self, node: &NodeStatus) -> Timestamp {
        let ended = node.finished_at.or(node.started_at).map_or(self.now, |t| t.0);
        ended + LOST_AFTER + self.delete_delay()
    }

    /// Whether a node had ended before this decision, and what was asked for then may still be under way.
    pub fn ended_just_now(&self, node: &NodeStatus) -> bool {
        node::phase_ended(&node.phase) && self.now < self.lost_at(node)
    }

    /// Ends what still runs in the pods of some nodes.
    fn end_running_pods(&mut self, concerned: impl Fn(&str) -> bool) {
        let running: Vec<_> = self
            .pods
            .iter()
            .filter(|(id, _)| concerned(id))
            .flat_map(|(id, pods)| pods.iter().map(move |pod| (id.to_string(), *pod)))
            .filter(|(_, pod)| is_active(pod))
            .collect();
        for (id, pod) in running {
            self.end_pod(&id, pod);
        }
    }

    /// How long pods are kept after their node's end.
    pub fn delete_delay(&self) -> SignedDuration {
        let gc = self.spec.pod_gc.as_ref();
        gc.and_then(|gc| duration::parse(&gc.delete_delay_duration).ok())
            .unwrap_or(self.seen.config.pod_gc_delay)
    }

    /// Deletes the pods of a workflow that ended which belong to no node: made by a decision that was never stored.
    pub fn delete_strays(&mut self) {
        if !node::workflow_fulfilled(&self.status.phase) {
            return;
        }
        let strays: Vec<(String, Arc<Pod>)> = self
            .pods
            .iter()
            .filter(|(id, _)| self.nodes.get(id).is_none())
            .flat_map(|(id, pods)| pods.iter().map(|pod| (id.to_string(), Arc::clone(pod))))
            .collect();
        for (node_id, pod) in strays {
            self.delete_pod(&node_id, &pod);
        }
    }

    /// Whether any node was the agent's.
    pub fn had_agent(&self) -> bool {
        self.nodes
            .iter()
            .any(|n| matches!(n.type_, NodeType::Http | NodeType::Plugin))
    }
}
