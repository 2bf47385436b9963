//! Shutdown, deadlines and the end of daemons (section 9, C-DMN-05).

use std::collections::BTreeSet;

use argosy_model::k8s::Pod;
use argosy_model::{NodePhase, NodeStatus, NodeType, ShutdownStrategy};
use jiff::{SignedDuration, Timestamp};

use super::pods::is_active;
use super::{Pass, labels};
use crate::{names, node};

impl Pass<'_> {
    /// The end of the workflow's time (C-OP-60).
    pub fn workflow_deadline(&self) -> Option<Timestamp> {
        let secs = self.spec.active_deadline_seconds?;
        let started = self.status.started_at.as_ref()?.0;
        let whole = Timestamp::from_second(started.as_second()).ok()?;
        whole.checked_add(SignedDuration::from_secs(secs)).ok()
    }

    pub fn deadline_passed(&self) -> bool {
        self.workflow_deadline().is_some_and(|d| self.now > d)
    }

    /// Whether a pod may run under the shutdown in force (C-EXC-02).
    pub fn may_run(&self, on_exit: bool) -> bool {
        match self.shutdown() {
            ShutdownStrategy::Unset => true,
            ShutdownStrategy::Stop => on_exit,
            _ => false,
        }
    }

    /// Ends a pod whose time is up (C-EXC-01).
    pub fn control_pod(&mut self, id: &str, pod: &Pod) {
        let Some(node) = self.nodes.get(id) else { return };
        if node::fulfilled(node) || !is_active(pod) {
            return;
        }
        let on_exit = pod
            .metadata
            .labels
            .get(labels::ON_EXIT)
            .is_some_and(|v| v == "true");
        if !self.may_run(on_exit) {
            let message = format!("workflow shutdown with strategy:  {}", self.shutdown());
            self.terminate(id);
            self.mark(id, NodePhase::Failed, Some(&message));
            self.fail_descendants(id, &message);
        } else if !on_exit && self.deadline_passed() {
            self.terminate(id);
            self.mark(id, NodePhase::Failed, Some("Step exceeded its deadline"));
            self.fail_descendants(id, "Step exceeded its deadline");
        }
    }

    fn fail_descendants(&mut self, id: &str, message: &str) {
        for child in self.container_descendants(id) {
            if self.nodes.get(&child).is_some_and(|n| !node::fulfilled(n)) {
                self.mark(&child, NodePhase::Failed, Some(message));
            }
        }
    }

    /// Ends nodes that have no pod when the workflow is stopped or its time is up (C-EXC-10).
    pub fn fail_nodes_without_pods(&mut self) {
        let stopped = *self.shutdown() != ShutdownStrategy::Unset;
        let late = self.deadline_passed();
        if !stopped && !late {
            return;
        }
        let open: Vec<NodeStatus> = self
            .nodes
            .iter()
            .filter(|n| !node::fulfilled(n))
            .cloned()
            .collect();
        for open in open {
            let on_exit = self.in_exit_handler(&open);
            let suspended = open.type_ == NodeType::Suspend && open.phase == NodePhase::Running;
            if stopped && !(on_exit && *self.shutdown() == ShutdownStrategy::Stop) {
                let waits = open.phase == NodePhase::Pending && node::waits_for_lock(&open);
                let spent = open.type_ == NodeType::Retry && self.descendants_fulfilled(&open);
                if suspended || waits || spent || matches!(open.type_, NodeType::Http | NodeType::Plugin) {
                    let message = format!("Stopped with strategy '{}'", self.shutdown());
                    self.mark(&open.id, NodePhase::Failed, Some(&message));
                    continue;
                }
            }
            // A retry node that waited for its lock stays Pending; its attempts end by themselves.
            let waits = open.phase == NodePhase::Pending && !self.has_attempts(&open);
            if late && !on_exit && (waits || suspended) {
                self.mark(&open.id, NodePhase::Failed, Some("Step exceeded its deadline"));
            }
        }
    }

    /// Whether nothing below a node is at work any more; groups and the like don't work.
    fn descendants_fulfilled(&self, node: &NodeStatus) -> bool {
        let works = |n: &NodeStatus| node::has_progress(&n.type_) && !node::fulfilled(n);
        let (mut open, mut seen) = (vec![node], BTreeSet::new());
        while let Some(next) = open.pop() {
            for child in next.children.iter().filter_map(|c| self.nodes.get(c)) {
                if works(child) {
                    return false;
                }
                if seen.insert(child.id.as_str()) {
                    open.push(child);
                }
            }
        }
        true
    }

    /// Whether a node is an exit handler or inside one.
    pub fn in_exit_handler(&self, node: &NodeStatus) -> bool {
        let mut current = Some(node);
        while let Some(node) = current {
            // Without the number of an attempt.
            let name = node
                .display_name
                .strip_suffix(')')
                .and_then(|n| n.rsplit_once('('));
            if names::is_on_exit(name.map_or(&node.display_name, |n| n.0)) {
                return true;
            }
            current = self
                .nodes
                .get(&node.boundary_id)
                .filter(|n| !node.boundary_id.is_empty() && n.id != node.id);
        }
        false
    }

    /// Ends the daemons of a boundary that is done; "" stands for the workflow.
    pub fn stop_daemons(&mut self, boundary: &str) {
        let nodes = self.nodes.in_boundary(boundary);
        let daemons = nodes.filter(|n| node::daemoned(n) || !n.restarting_pod_uid.is_empty());
        let daemons: Vec<NodeStatus> = daemons.cloned().collect();
        for daemon in daemons {
            // One whose pod is just being made anew is none until that runs.
            if !node::daemoned(&daemon) && !self.expectation(&daemon).daemon {
                continue;
            }
            let id = daemon.id;
            self.terminate(&id);
            self.change(&id, |node| {
                node.phase = NodePhase::Succeeded;
                node.daemoned = None;
            });
        }
    }
}
