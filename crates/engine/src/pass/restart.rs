//! Pods that never ran are made anew under the same node (C-POD-30).

use argosy_model::k8s::Pod;
use argosy_model::{NodePhase, NodeStatus};

use super::Pass;
use crate::node;

/// Reasons of the kubelet that say nothing about the workload.
const REASONS: [&str; 4] = [
    "Evicted",
    "NodeShutdown",
    "NodeAffinity",
    "UnexpectedAdmissionError",
];

impl Pass<'_> {
    /// The node as a restart makes it, `None` if its pod is not restarted.
    pub fn restart_instead(&mut self, pod: &Pod, old: &NodeStatus, mains: &[String]) -> Option<NodeStatus> {
        let limit = self.seen.config.failed_pod_restart?.max_restarts;
        let status = &pod.status;
        let ran = status
            .container_statuses
            .iter()
            .filter(|c| mains.contains(&c.name))
            .any(|c| {
                c.state.running.is_some()
                    || c.last_state.running.is_some()
                    || c.state
                        .terminated
                        .as_ref()
                        .is_some_and(|t| t.started_at.is_some())
            });
        // What ended before its pod did has been followed by others, which may have its place.
        let is_over = node::phase_ended(&old.phase) || old.failed_pod_restarts >= limit;
        if ran || is_over || !REASONS.contains(&status.reason.as_str()) {
            return None;
        }
        self.restart_pod(old, pod);
        Some(NodeStatus {
            phase: NodePhase::Pending,
            message: format!("Pod auto-restarting due to {}: {}", status.reason, status.message),
            failed_pod_restarts: old.failed_pod_restarts + 1,
            restarting_pod_uid: pod.metadata.uid.clone(),
            daemoned: None,
            finished_at: None,
            host_node_name: pod.spec.node_name.clone(),
            ..old.clone()
        })
    }

    /// Deletes the pod that is to be made anew.
    pub fn restart_pod(&mut self, node: &NodeStatus, pod: &Pod) {
        self.delete_pod(&node.id, pod);
    }
}
