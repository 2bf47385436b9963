//! What follows from a node's or workflow's status alone (rule C-NODE-05). Decisions are made in the engine.

use crate::status::{NodeStatus, WorkflowStatus};
use crate::text::{NodePhase, WorkflowPhase};

impl NodePhase {
    /// Whether the phase is Succeeded, Failed or Error.
    pub fn is_completed(&self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Error)
    }

    /// Whether the phase is completed, Skipped or Omitted: nothing more will happen.
    pub fn is_fulfilled(&self) -> bool {
        self.is_completed() || matches!(self, Self::Skipped | Self::Omitted)
    }

    /// Whether the phase is Failed or Error.
    pub fn is_failed_or_error(&self) -> bool {
        matches!(self, Self::Failed | Self::Error)
    }
}

impl WorkflowPhase {
    /// Whether the workflow has ended: Succeeded, Failed or Error.
    pub fn is_completed(&self) -> bool {
        matches!(self, Self::Succeeded | Self::Failed | Self::Error)
    }
}

impl NodeStatus {
    /// Whether every output of the node was reported, or none is expected.
    pub fn is_task_result_synced(&self) -> bool {
        self.task_result_synced.unwrap_or(true)
    }

    /// Whether the node ended by itself and its outputs are there.
    pub fn is_completed(&self) -> bool {
        self.phase.is_completed() && self.is_task_result_synced()
    }

    /// Whether others may go on: the node ended, was left out, or is a daemon that has started.
    pub fn is_fulfilled(&self) -> bool {
        self.phase.is_fulfilled() && self.is_task_result_synced()
            || self.is_daemoned() && self.phase != NodePhase::Pending
    }

    /// Whether the node runs on as a daemon.
    pub fn is_daemoned(&self) -> bool {
        self.daemoned == Some(true)
    }

    /// Whether the node belongs to a hook.
    pub fn is_hooked(&self) -> bool {
        self.node_flag.as_ref().is_some_and(|flag| flag.hooked)
    }

    /// Whether the node is one attempt of a retried node.
    pub fn is_retried(&self) -> bool {
        self.node_flag.as_ref().is_some_and(|flag| flag.retried)
    }
}

impl WorkflowStatus {
    /// Whether the workflow has ended.
    pub fn is_fulfilled(&self) -> bool {
        self.phase.is_completed()
    }
}
