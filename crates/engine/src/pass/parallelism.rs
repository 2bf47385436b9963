//! How many may run at once inside one workflow (section 14).

use argosy_model::{NodePhase, NodeStatus, NodeType, RetryStrategy, Template};

use super::pods::is_active;
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
    /// Counts the pods at the start of the pass (C-PAR-01). Pods count whose nodes were never stored, and nodes whose
    /// pods are not seen: a call that failed may have made them.
    pub fn count_active_pods(&mut self) {
        if self.spec.parallelism.is_none() {
            return;
        }
        let runs =
            |pods: &Vec<&std::sync::Arc<argosy_model::k8s::Pod>>| pods.iter().any(|pod| is_active(pod));
        let nodes = self.nodes.iter().filter(|n| self.active_pod(n)).count();
        let strays = self.pods.iter().filter(|(id, _)| self.nodes.get(id).is_none());
        let strays = strays.filter(|(_, pods)| runs(pods)).count();
        self.has_strays = strays > 0;
        self.active_pods = i64::try_from(nodes + strays).unwrap_or(i64::MAX);
        self.lacks_pods = self
            .nodes
            .iter()
            .any(|n| self.active_pod(n) && !self.has_pod(&n.id));
    }

    fn active_pod(&self, node: &NodeStatus) -> bool {
        node.type_ == NodeType::Pod
            && in_progress(node)
            && node
                .synchronization_status
                .as_ref()
                .is_none_or(|s| s.waiting.is_empty())
    }

    /// Whether the node was counted at the start of the pass.
    pub fn is_counted(&self, id: &str) -> bool {
        self.nodes.before(id).is_some_and(|n| self.active_pod(n))
    }

    /// Whether the pod is there or was asked for in this pass.
    fn has_pod(&self, id: &str) -> bool {
        self.pods.contains_key(id) || self.asked.contains(id)
    }

    /// Whether a limit does not hold back this node: it is counted already, or it may hold a node that is counted and
    /// lacks its pod (`lacks`), or its pod is there although the node was never stored.
    fn is_within_limit(&self, id: &str, call: &Call<'_>, template: &Template, lacks: bool) -> bool {
        match self.nodes.get(id) {
            Some(node) if node.type_ == NodeType::Pod => self.active_pod(node),
            Some(node) if node.type_ == NodeType::Retry => {
                let last = self.nodes.attempts(node).1.filter(|last| in_progress(last));
                last.is_some_and(|last| self.is_within_limit(&last.id, call, template, lacks))
            }
            Some(node) => lacks && in_progress(node),
            None if crate::plan::kind(template).is_pod() => {
                self.pods.contains_key(id)
                    || self
                        .pods
                        .contains_key(&self.nodes.id(&format!("{}(0)", call.name)))
            }
            // What is no pod may hold the pod that was never stored.
            None => self.has_strays,
        }
    }

    /// Whether a node is about to start something: a new one, or a retry node before an attempt.
    fn starts(&self, node: Option<&NodeStatus>) -> bool {
        let Some(node) = node else { return true };
        let between = || self.nodes.attempts(node).1.is_none_or(node::fulfilled);
        !in_progress(node) || node.type_ == NodeType::Retry && between()
    }

    /// How many pods of a boundary are active, and how many of them are seen.
    fn count_within(&self, id: &str) -> (i64, i64) {
        let (mut active, mut seen) = (0, 0);
        for pod in self.nodes.in_boundary(id).filter(|n| self.active_pod(n)) {
            active += 1;
            // A daemon never ends by itself: once nothing else moves, it is not waited for any more.
            let ends = !self.last_resort || !node::daemoned(pod);
            seen += i64::from(self.has_pod(&pod.id) && ends);
        }
        (active, seen)
    }

    /// Refuses a node that would be too many.
    pub fn check_parallelism(&mut self, id: &str, call: &Call<'_>, template: &Template) -> Result<(), Stop> {
        let node = self.nodes.get(id).cloned();
        if let Some(limit) = self.spec.parallelism
            && self.active_pods >= limit
            && !self.is_within_limit(id, call, template, self.lacks_pods || self.has_strays)
        {
            return self.refuse_parallelism(id, self.active_pods, limit);
        }
        if let Some(node) = &node {
            if matches!(node.type_, NodeType::Steps | NodeType::Dag)
                && let Some(limit) = template.parallelism
            {
                let (active, seen) = self.count_within(id);
                self.check_fail_fast(id, template, seen)?;
                if active >= limit
                    && !self.is_within_limit(id, call, template, active > seen || self.has_strays)
                {
                    return self.refuse_parallelism(id, active, limit);
                }
            } else if matches!(node.type_, NodeType::Steps | NodeType::Dag)
                && template.fail_fast == Some(true)
            {
                let (_, seen) = self.count_within(id);
                self.check_fail_fast(id, template, seen)?;
            }
        }
        if !self.starts(node.as_ref()) || call.boundary.is_empty() {
            return Ok(());
        }
        let Some(limit) = self.boundary_template(call.boundary).and_then(|t| t.parallelism) else {
            return Ok(());
        };
        let in_place = |n: &&NodeStatus| counted(n) && in_progress(n);
        let count = |active: usize| i64::try_from(active).unwrap_or(i64::MAX);
        let within = self.nodes.in_boundary(call.boundary).filter(in_place);
        let mut active = count(within.count());
        if active > limit && self.last_resort {
            // A retry by a person set more to Running at once: what is not at work could never take its turn.
            let within = self.nodes.in_boundary(call.boundary).filter(in_place);
            let works = |n: &&NodeStatus| self.has_pod(&n.id) || self.works_inside(n);
            active = count(within.filter(works).count());
        }
        if active >= limit {
            self.refuse_parallelism(id, active, limit)
        } else {
            Ok(())
        }
    }

    /// Whether a retry node that is refused may end all the same, since those who have a place may wait for it: for its
    /// lock, or as pods that no node knows of yet. Otherwise it waits for a place, as in the peer.
    pub fn ends_without_place(
        &self,
        id: &str,
        template: &Template,
        strategy: Option<&RetryStrategy>,
    ) -> bool {
        let awaited = template.synchronization.is_some() || self.has_strays || self.lacks_pods;
        awaited && strategy.is_some_and(|strategy| self.retries_end(id, strategy))
    }

    /// Whether a node was begun and has no pod, or may hold one that has none.
    pub fn may_lack_pod(&self, id: &str) -> bool {
        let lacks = |n: &NodeStatus| self.active_pod(n) && !self.has_pod(&n.id);
        self.nodes.get(id).is_some_and(|node| match node.type_ {
            NodeType::Pod => lacks(node),
            NodeType::Retry => self
                .nodes
                .attempts(node)
                .1
                .is_some_and(|last| self.may_lack_pod(&last.id)),
            _ => self.has_strays || self.lacks_pods || self.nodes.in_boundary(id).any(lacks),
        })
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
            self.fail_without_pods(id, MESSAGE);
            if !template.steps.is_empty()
                && let Some(group) = self.last_group(id)
            {
                self.mark(&group, NodePhase::Failed, Some(MESSAGE));
            }
            self.mark(id, NodePhase::Failed, Some(MESSAGE));
        }
        Err(Stop::Parallelism)
    }

    /// Ends what still waits for a pod in a boundary that starts none any more.
    fn fail_without_pods(&mut self, boundary: &str, message: &str) {
        let waiting: Vec<String> = self
            .nodes
            .in_boundary(boundary)
            .filter(|n| self.active_pod(n))
            .map(|n| n.id.clone())
            .collect();
        for id in waiting {
            self.mark(&id, NodePhase::Failed, Some(message));
        }
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
