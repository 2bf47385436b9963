//! What follows from a node's status alone: completed, synced, fulfilled (C-NODE-05), and which kinds count.

use argosy_model::{NodePhase, NodeStatus, NodeType, WorkflowPhase};

/// Succeeded, Failed or Error.
#[must_use]
pub fn phase_completed(phase: &NodePhase) -> bool {
    matches!(phase, NodePhase::Succeeded | NodePhase::Failed | NodePhase::Error)
}

/// Completed, Skipped or Omitted.
#[must_use]
pub fn phase_ended(phase: &NodePhase) -> bool {
    phase_completed(phase) || matches!(phase, NodePhase::Skipped | NodePhase::Omitted)
}

/// Failed or Error.
#[must_use]
pub fn failed_or_error(phase: &NodePhase) -> bool {
    matches!(phase, NodePhase::Failed | NodePhase::Error)
}

/// Whether the node's task result arrived, as far as one is expected.
#[must_use]
pub fn synced(node: &NodeStatus) -> bool {
    node.task_result_synced != Some(false)
}

/// Whether the node runs as a daemon.
#[must_use]
pub fn daemoned(node: &NodeStatus) -> bool {
    node.daemoned == Some(true)
}

/// Ended in a phase of its own, with its result.
#[must_use]
pub fn completed(node: &NodeStatus) -> bool {
    phase_completed(&node.phase) && synced(node)
}

/// Nothing more is expected of the phase, whatever the result.
#[must_use]
pub fn phase_fulfilled(node: &NodeStatus) -> bool {
    phase_completed(&node.phase)
        || matches!(node.phase, NodePhase::Skipped | NodePhase::Omitted)
        || daemoned(node) && node.phase != NodePhase::Pending
}

/// Nothing more is expected of the node.
#[must_use]
pub fn fulfilled(node: &NodeStatus) -> bool {
    let ended = phase_completed(&node.phase) || matches!(node.phase, NodePhase::Skipped | NodePhase::Omitted);
    ended && synced(node) || daemoned(node) && node.phase != NodePhase::Pending
}

/// Whether a node that is new goes on by pods alone: one of its own, or those inside it.
#[must_use]
pub fn begins(node: &NodeStatus) -> bool {
    let by_pods = matches!(
        node.type_,
        NodeType::Pod
            | NodeType::Retry
            | NodeType::TaskGroup
            | NodeType::Dag
            | NodeType::Steps
            | NodeType::StepGroup
    );
    by_pods && matches!(node.phase, NodePhase::Pending | NodePhase::Running) && !hooked(node)
}

/// Whether the node is a hook or exit handler.
#[must_use]
pub fn hooked(node: &NodeStatus) -> bool {
    node.node_flag.as_ref().is_some_and(|f| f.hooked)
}

/// Whether the node waits for a lock.
#[must_use]
pub fn waits_for_lock(node: &NodeStatus) -> bool {
    let waiting = node.synchronization_status.as_ref();
    waiting.is_some_and(|status| !status.waiting.is_empty())
}

/// Whether the workflow ended.
#[must_use]
pub fn workflow_fulfilled(phase: &WorkflowPhase) -> bool {
    matches!(
        phase,
        WorkflowPhase::Succeeded | WorkflowPhase::Failed | WorkflowPhase::Error
    )
}

/// Whether nodes of the type have a progress of their own.
#[must_use]
pub fn has_progress(kind: &NodeType) -> bool {
    matches!(
        kind,
        NodeType::Pod | NodeType::Http | NodeType::Plugin | NodeType::Container | NodeType::Suspend
    )
}

/// Whether nodes of the type do work outside the controller.
#[must_use]
pub fn executes(kind: &NodeType) -> bool {
    matches!(
        kind,
        NodeType::Pod | NodeType::Http | NodeType::Plugin | NodeType::Container
    )
}
