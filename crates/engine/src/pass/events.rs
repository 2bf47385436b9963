//! Events about nodes, after their phases are stored (C-EVT-02).

use argosy_model::{NodePhase, NodeStatus};

use super::Pass;
use crate::decision::{Effect, Event};
use crate::node;

impl Pass<'_> {
    /// Emits the events of nodes whose phase changed.
    pub fn node_events(&mut self) {
        let mut events = Vec::new();
        for node in self.nodes.touched() {
            let before = self.nodes.before(&node.id).map(|n| &n.phase);
            if before == Some(&node.phase) {
                continue;
            }
            let from_nothing = matches!(before, None | Some(NodePhase::Pending));
            let completed = node::phase_completed(&node.phase);
            if before.is_none() && !completed && node.phase != NodePhase::Running {
                continue;
            }
            if from_nothing && completed {
                events.push(event(node, &NodePhase::Running));
            }
            events.push(event(node, &node.phase));
        }
        for event in events {
            self.effect(Effect::Emit(event));
        }
    }
}

fn event(node: &NodeStatus, phase: &NodePhase) -> Event {
    let mut message = format!("{phase} node {}", node.name);
    if !node.message.is_empty() && *phase == node.phase {
        message = format!("{message}: {}", node.message);
    }
    Event {
        warning: !matches!(phase, NodePhase::Running | NodePhase::Succeeded),
        reason: format!("WorkflowNode{phase}"),
        message,
        node_id: Some(node.id.clone()),
    }
}
