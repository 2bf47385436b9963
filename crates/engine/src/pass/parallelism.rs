//! How many may run at once inside one workflow (section 14).

use argosy_model::{NodePhase, NodeStatus, NodeType, Template};

use super::template::Call;
use super::{Pass, Stop};
use crate::decision::Waiting;
use crate::node;

fn in_progress(node: &NodeStatus) -> bool {
    matches!(node.phase, NodePhase::Pending | NodePhase::Running)
}

fn counted(node: &NodeStatus) -> bool {
    matches!(node.type_, NodeType::Pod | NodeType::Steps | NodeType::Dag)
}

impl Pass<'_> {
    /// Counts the pods at the start of the pass (C-PAR-01).
    pub fn count_active_pods(&mut self) {
        if self.spec.parallelism.is_some() {
            let active = self.nodes.iter().filter(|n| self.active_pod(n)).count();
            self.active_pods = i64::try_from(active).unwrap_or(i64::MAX);
        }
    }

    fn active_pod(&self, node: &NodeStatus) -> bool {
        node.type_ == NodeType::Pod
            && in_progress(node)
            && node
                .synchronization_status
                .as_ref()
                .is_none_or(|s| s.waiting.is_empty())
            && self.has_pod(&node.id)
    }

    /// Whether the pod is there or was asked for in this pass.
    fn has_pod(&self, id: &str) -> bool {
        self.pods.contains_key(id) || self.asked.contains(id)
    }

    /// Refuses a node that would be too many.
    pub fn check_parallelism(&mut self, id: &str, call: &Call<'_>, template: &Template) -> Result<(), Stop> {
        let node = self.nodes.get(id).cloned();
        if let Some(limit) = self.spec.parallelism
            && self.active_pods >= limit
        {
            return self.refuse_parallelism(id, self.active_pods, limit);
        }
        if let Some(node) = &node {
            if matches!(node.type_, NodeType::Steps | NodeType::Dag)
                && let Some(limit) = template.parallelism
            {
                let active = self.nodes.in_boundary(id).filter(|n| self.active_pod(n)).count();
                let active = i64::try_from(active).unwrap_or(i64::MAX);
                self.check_fail_fast(id, template, active)?;
                if active >= limit {
                    return self.refuse_parallelism(id, active, limit);
                }
            } else if matches!(node.type_, NodeType::Steps | NodeType::Dag) {
                let active = self.nodes.in_boundary(id).filter(|n| self.active_pod(n)).count();
                self.check_fail_fast(id, template, i64::try_from(active).unwrap_or(i64::MAX))?;
            }
        }
        if node.as_ref().is_some_and(in_progress) || call.boundary.is_empty() {
            return Ok(());
        }
        let Some(limit) = self.boundary_template(call.boundary).and_then(|t| t.parallelism) else {
            return Ok(());
        };
        let active = self
            .nodes
            .in_boundary(call.boundary)
            .filter(|n| counted(n) && in_progress(n))
            .count();
        let active = i64::try_from(active).unwrap_or(i64::MAX);
        if active >= limit {
            self.refuse_parallelism(id, active, limit)
        } else {
            Ok(())
        }
    }

    fn refuse_parallelism(&mut self, id: &str, active: i64, limit: i64) -> Result<(), Stop> {
        self.waiting
            .insert(id.to_owned(), Waiting::Parallelism { active, limit });
        Err(Stop::Parallelism)
    }

    /// Ends a node whose template stops at the first failure, once nothing in it is active (C-PAR-04).
    fn check_fail_fast(&mut self, id: &str, template: &Template, active: i64) -> Result<(), Stop> {
        let failed = self
            .nodes
            .in_boundary(id)
            .any(|n| counted(n) && node::failed_or_error(&n.phase));
        if template.fail_fast != Some(true) || !failed {
            return Ok(());
        }
        if active == 0 {
            const MESSAGE: &str = "template has failed or errored children and failFast enabled";
            if !template.steps.is_empty()
                && let Some(group) = self.last_group(id)
            {
                self.mark(&group, NodePhase::Failed, Some(MESSAGE));
            }
            self.mark(id, NodePhase::Failed, Some(MESSAGE));
        }
        Err(Stop::Parallelism)
    }

    /// The last group of steps met on a walk down from a node, as deep as it goes: the peer ends that one.
    fn last_group(&self, id: &str) -> Option<String> {
        let mut last = None;
        let mut seen = std::collections::BTreeSet::new();
        let mut open = vec![id.to_owned()];
        while let Some(next) = open.pop() {
            let Some(node) = self.nodes.get(&next).filter(|_| seen.insert(next.clone())) else {
                continue;
            };
            if node.type_ == NodeType::StepGroup {
                last = Some(next);
            }
            open.extend(node.children.iter().rev().cloned());
        }
        last
    }

    /// The template of a stored node, defaults merged.
    pub fn boundary_template(&mut self, id: &str) -> Option<std::sync::Arc<Template>> {
        let node = self.nodes.get(id)?.clone();
        self.node_template(&node)
    }
}
