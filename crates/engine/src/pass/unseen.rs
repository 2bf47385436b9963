//! Pods that may be at work for nodes that end without them: seen ones that have not ended yet, and unseen ones, whose
//! creation failed by its answer and may have worked. Their locks are kept until it is known that they are gone.
//!
//! Not here: how such pods count for limits (`parallelism`).

use argosy_model::{NodeStatus, NodeType};

use super::Pass;
use super::pods::is_active;
use crate::{names, node};

impl Pass<'_> {
    /// Whether a pod may be there for a node that goes on, or that this pass ends, although none is seen.
    fn may_have_unseen_pod(&self, node: &NodeStatus) -> bool {
        let refused = &self.seen.outcomes.pods;
        let stored = || self.nodes.before(&node.id).unwrap_or(node);
        !refused.is_empty()
            && node.type_ == NodeType::Pod
            && !self.pods.contains_key(node.id.as_str())
            && !node::phase_ended(&stored().phase)
            && refused
                .get(&self.stored_pod_name(node))
                .is_some_and(|refusal| refusal.transient)
    }

    /// The same for a node or any inside it.
    pub fn may_work_unseen_inside(&self, node: &NodeStatus) -> bool {
        !self.seen.outcomes.pods.is_empty()
            && self
                .nodes
                .iter()
                .any(|inside| names::is_within(&inside.name, &node.name) && self.may_have_unseen_pod(inside))
    }

    /// Whether the pod of a node that has ended, or of its last attempt, may still be at work.
    pub fn may_still_work(&self, node: &NodeStatus) -> bool {
        match node.type_ {
            NodeType::Pod if node::daemoned(node) => false,
            NodeType::Pod => {
                let pods = self.pods.get(node.id.as_str());
                pods.is_some_and(|pods| pods.iter().any(|pod| is_active(pod)))
                    || self.may_have_unseen_pod(node)
            }
            NodeType::Retry => {
                let last = self.nodes.attempts(node).1;
                last.is_some_and(|last| self.may_still_work(last))
            }
            _ => false,
        }
    }

    /// Deletes the pod that may be there for a node that ends without one.
    pub fn delete_unseen_pod(&mut self, id: &str) {
        let Some(node) = self.nodes.get(id).filter(|n| self.may_have_unseen_pod(n)) else {
            return;
        };
        let pod = self.stored_pod_name(node);
        self.delete_any_pod(id, pod);
    }
}
