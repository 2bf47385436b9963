//! Counters of what decisions change: phases of workflows and their templates, locks taken, pods lost and made again.

use std::sync::Arc;

use argosy_engine::Changes;
use argosy_engine::locks::Op;
use argosy_model::k8s::Pod;
use argosy_model::{NodePhase, NodeStatus, Workflow};

use super::{Registry, gauges};

/// Counts what a stored decision has changed; `pod_of` finds the pod of a node.
pub fn count(
    registry: &Registry,
    before: &Workflow,
    after: &Workflow,
    changes: &Changes,
    pod_of: impl Fn(&NodeStatus) -> Option<Arc<Pod>>,
) {
    let namespace = before.metadata.namespace.as_str();
    if after.status.phase != before.status.phase {
        let phase = after.status.phase.as_str();
        registry.add("total_count", &[("phase", phase), ("namespace", namespace)], 1.0);
        template(registry, after, phase);
    }
    for (id, node) in &changes.nodes {
        let Some(old) = before.status.nodes.get(id) else {
            continue;
        };
        if node.failed_pod_restarts > old.failed_pod_restarts {
            let status = pod_of(node).map(|pod| pod.status.clone()).unwrap_or_default();
            let ready = status.conditions.iter().find(|c| c.type_ == "DisruptionTarget");
            let labels = [
                ("reason", status.reason.as_str()),
                ("condition", ready.map_or("", |c| c.reason.as_str())),
                ("namespace", namespace),
            ];
            registry.add("pod_restarts_total", &labels, 1.0);
        }
        if node.phase == NodePhase::Error && node.message == LOST && old.message != LOST {
            let labels = [("node_phase", old.phase.as_str()), ("recently_started", "false")];
            registry.add("pod_missing", &labels, 1.0);
        }
    }
}

/// The message of a node whose pod was gone (C-POD-05).
const LOST: &str = "pod deleted";

/// Counts a workflow of a template that has come into a phase, and how long it ran once it has ended.
fn template(registry: &Registry, workflow: &Workflow, phase: &str) {
    let Some(reference) = &workflow.spec.workflow_template_ref else {
        return;
    };
    let scope = reference.cluster_scope.to_string();
    let labels = [
        ("name", reference.name.as_str()),
        ("namespace", workflow.metadata.namespace.as_str()),
        ("cluster_scope", scope.as_str()),
    ];
    let [name, namespace, scope] = labels;
    let triggered = [name, namespace, scope, ("phase", phase)];
    registry.add("workflowtemplate_triggered_total", &triggered, 1.0);
    if let (Some(begun), Some(ended)) = (&workflow.status.started_at, &workflow.status.finished_at) {
        let ran = ended.0.duration_since(begun.0).as_secs_f64();
        registry.observe("workflowtemplate_runtime", &labels, ran);
    }
}

/// Counts the locks that a decision takes.
pub fn locks<'a>(registry: &Registry, taken: impl Iterator<Item = &'a Op>) {
    for op in taken {
        let Op::Acquire { lock, .. } = op else { continue };
        let labels = gauges::lock_labels(lock).unwrap_or_default();
        let labels: Vec<(&str, &str)> = labels
            .iter()
            .map(|(name, value)| (*name, value.as_str()))
            .collect();
        registry.add("locks_taken_total", &labels, 1.0);
    }
}

/// Counts a pod that can't start for another reason than the one it was known to have.
pub fn pending(registry: &Registry, known: Option<&Pod>, pod: &Pod) {
    let Some(reason) = pending_reason(pod) else { return };
    if known.and_then(pending_reason) != Some(reason) {
        let labels = [("reason", reason), ("namespace", pod.metadata.namespace.as_str())];
        registry.add("pod_pending_count", &labels, 1.0);
    }
}

/// Why a pod does not run yet: what a container waits for, else what scheduling waits for.
fn pending_reason(pod: &Pod) -> Option<&str> {
    if pod.status.phase != "Pending" {
        return None;
    }
    let containers = pod
        .status
        .init_container_statuses
        .iter()
        .chain(&pod.status.container_statuses);
    let waits = containers
        .filter_map(|c| c.state.waiting.as_ref())
        .map(|w| w.reason.as_str());
    let unscheduled = pod
        .status
        .conditions
        .iter()
        .filter(|c| c.type_ == "PodScheduled" && c.status == "False");
    waits
        .chain(unscheduled.map(|c| c.reason.as_str()))
        .find(|reason| !reason.is_empty())
}
