//! Making nodes and moving them through phases (C-NODE-03, C-NODE-08, C-NODE-09, C-NODE-20).

use argosy_model::{NodeFlag, NodePhase, NodeStatus, NodeType, Progress, Template};

use super::Pass;
use super::template::Call;
use crate::node;

/// What a new node starts with.
pub(crate) struct Birth<'b> {
    pub name: &'b str,
    pub kind: NodeType,
    pub phase: NodePhase,
    pub boundary: &'b str,
    pub message: &'b str,
    pub flag: Option<NodeFlag>,
    pub scope: String,
}

impl Pass<'_> {
    /// Adds a node and gives its id.
    pub fn add_node(&mut self, birth: Birth<'_>) -> String {
        let id = self.nodes.id(birth.name);
        let fulfilled = node::phase_completed(&birth.phase)
            || matches!(birth.phase, NodePhase::Skipped | NodePhase::Omitted);
        let node = NodeStatus {
            id: id.clone(),
            name: birth.name.to_owned(),
            display_name: self.display_name(birth.name, birth.boundary),
            progress: if node::has_progress(&birth.kind) {
                Progress::new(0, 1)
            } else {
                Progress::default()
            },
            type_: birth.kind,
            phase: birth.phase,
            boundary_id: birth.boundary.to_owned(),
            message: birth.message.to_owned(),
            started_at: self.time(),
            finished_at: if fulfilled { self.time() } else { None },
            node_flag: birth.flag,
            template_scope: birth.scope,
            ..NodeStatus::default()
        };
        self.nodes.insert(node);
        self.updated = true;
        id
    }

    /// Adds the node of an evaluated template (C-NODE-06) and gives its id.
    pub fn add_executable(
        &mut self,
        call: &Call<'_>,
        name: &str,
        kind: NodeType,
        template: &Template,
        phase: NodePhase,
        message: &str,
    ) -> String {
        let pod = kind == NodeType::Pod && template.daemon != Some(true);
        let id = self.add_node(Birth {
            name,
            kind,
            phase,
            boundary: call.boundary,
            message,
            flag: call.flag.clone(),
            scope: call.base.scope_text(),
        });
        let has_inputs = !template.inputs.parameters.is_empty() || !template.inputs.artifacts.is_empty();
        let estimate = self.estimate_of(name);
        self.change(&id, |node| {
            node.template_name = call.holder.template.clone();
            node.template_ref = call.holder.reference.clone();
            node.inputs = has_inputs.then(|| template.inputs.clone());
            node.task_result_synced = pod.then_some(true);
            node.estimated_duration = estimate;
        });
        id
    }

    /// The name to show (C-NODE-03).
    fn display_name(&self, name: &str, boundary: &str) -> String {
        let Some(parent) = self.nodes.get(boundary).filter(|_| !boundary.is_empty()) else {
            return name.to_owned();
        };
        let rest = name.strip_prefix(parent.name.as_str()).unwrap_or(name);
        let after_group = rest
            .strip_prefix('[')
            .and_then(|r| r.split_once(']'))
            .filter(|(digits, _)| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()))
            .map_or(rest, |(_, r)| r);
        after_group.strip_prefix('.').unwrap_or(rest).to_owned()
    }

    /// Adds the node of something that does not run at all: skipped, omitted or impossible.
    pub fn add_skipped(&mut self, call: &Call<'_>, phase: NodePhase, message: &str) -> String {
        if phase == NodePhase::Omitted {
            // Found once, kept for ever, run or not (C-TPL-02).
            let _ = self.resolve(call);
        }
        let mut flag = call.flag.clone();
        if matches!(phase, NodePhase::Skipped | NodePhase::Omitted) {
            flag.get_or_insert_with(NodeFlag::default);
        }
        let id = self.add_node(Birth {
            name: call.name,
            kind: NodeType::Skipped,
            phase,
            boundary: call.boundary,
            message,
            flag,
            scope: call.base.scope_text(),
        });
        let estimate = self.estimate_of(call.name);
        self.change(&id, |node| {
            node.template_name = call.holder.template.clone();
            node.template_ref = call.holder.reference.clone();
            node.estimated_duration = estimate;
        });
        id
    }

    /// Makes a node an Error, adding it as one that could not even start if there is none.
    pub fn error_or_add(&mut self, call: &Call<'_>, message: &str) -> String {
        let id = self.nodes.id(call.name);
        if self.nodes.get(&id).is_some() {
            self.mark_error(&id, message);
            return id;
        }
        self.add_skipped(call, NodePhase::Error, message)
    }

    /// Moves a node to a phase; `message` replaces the old one if given.
    pub fn mark(&mut self, id: &str, phase: NodePhase, message: Option<&str>) {
        if node::phase_ended(&phase) {
            self.full.clear();
        }
        let now = self.time();
        self.change(id, |node| {
            if node::failed_or_error(&phase)
                && node.phase != NodePhase::Running
                && node.task_result_synced.is_some()
            {
                // No result can come of a pod that never ran; waiting for one would hang (C-NODE-08).
                node.task_result_synced = Some(true);
            }
            node.phase = phase;
            if let Some(message) = message {
                message.clone_into(&mut node.message);
            }
            if node::fulfilled(node) && node.finished_at.is_none() {
                node.finished_at = now;
            }
        });
    }

    pub fn mark_error(&mut self, id: &str, message: &str) {
        self.mark(id, NodePhase::Error, Some(message));
    }

    /// Adds an edge.
    pub fn add_child(&mut self, parent: &str, child: &str) {
        self.updated |= self.nodes.add_child(parent, child);
    }

    fn estimate_of(&self, name: &str) -> i64 {
        let relative = name.strip_prefix(self.wf.metadata.name.as_str()).unwrap_or(name);
        self.seen.outcomes.estimates.get(relative).copied().unwrap_or(0)
    }
}
