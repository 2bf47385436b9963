//! How many may run at once inside one workflow (section 14).

use std::collections::BTreeMap;

use argosy_model::k8s::Pod;
use argosy_model::{NodePhase, NodeStatus, NodeType, RetryStrategy, Template};

use super::pods::is_active;
use super::template::Call;
use super::{Pass, Stop, labels};
use crate::decision::Waiting;
use crate::{names, node};

pub(super) fn in_progress(node: &NodeStatus) -> bool {
    matches!(node.phase, NodePhase::Pending | NodePhase::Running)
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn counted(node: &NodeStatus) -> bool {
    matches!(node.type_, NodeType::Pod | NodeType::Steps | NodeType::Dag)
}

/// Whether a template limits how many go on inside its nodes.
pub(super) fn limits_inside(template: &Template) -> bool {
    template.parallelism.is_some() || template.fail_fast == Some(true)
}

/// A pod whose node was never stored: the decision that made it was lost.
pub(crate) struct Stray {
    id: String,
    /// Name of the node that it is for.
    node: String,
    /// Whether it runs or is to run.
    active: bool,
    /// Whether it never ends by itself.
    daemon: bool,
}

/// Whether the template in a pod's environment is a daemon's.
fn is_daemon(pod: &Pod) -> bool {
    let containers = pod.spec.containers.iter().chain(&pod.spec.init_containers);
    let mut variables = containers.flat_map(|c| &c.env);
    let template = variables.find(|variable| variable.name == "ARGO_TEMPLATE");
    let template = template.and_then(|variable| serde_json::from_str::<Template>(&variable.value).ok());
    template.is_some_and(|template| template.daemon == Some(true))
}

impl Pass<'_> {
    /// Counts the pods at the start of the pass (C-PAR-01). Pods count whose nodes were never stored, also ended ones,
    /// which may be made anew once their node is known; and nodes whose pods are not seen: a call that failed may have
    /// made them. Once nothing moves any more, only what is seen at work counts.
    pub fn count_active_pods(&mut self) {
        if self.spec.parallelism.is_none() {
            return;
        }
        let (mut at_work, mut lacking) = (0, Vec::new());
        for node in self.nodes.iter().filter(|n| self.active_pod(n)) {
            if self.pods.contains_key(node.id.as_str()) {
                at_work += 1;
            } else {
                lacking.push(node.name.clone());
            }
        }
        at_work += self
            .strays()
            .iter()
            .filter(|stray| stray.active || !self.last_resort)
            .count();
        self.pods_at_work = count(at_work);
        if self.last_resort {
            lacking.clear();
        }
        self.active_pods = self.pods_at_work + count(lacking.len());
        self.lacking = lacking;
    }

    /// Whether a node counts: a pod that goes on, and does not wait for a lock. One that is seen counts all the same: the
    /// decision that made it had the lock and was lost.
    fn active_pod(&self, node: &NodeStatus) -> bool {
        node.type_ == NodeType::Pod
            && in_progress(node)
            && (!node::waits_for_lock(node) || self.pods.contains_key(node.id.as_str()))
    }

    /// Whether the node was counted at the start of the pass.
    pub fn is_counted(&self, id: &str) -> bool {
        !self.last_resort && self.nodes.before(id).is_some_and(|n| self.active_pod(n))
    }

    /// Whether the pod is there or was asked for in this pass.
    fn has_pod(&self, id: &str) -> bool {
        self.pods.contains_key(id) || self.asked.contains(id)
    }

    /// Pods whose nodes were not stored when the pass began.
    fn strays(&self) -> &[Stray] {
        self.strays.get_or_init(|| {
            let unknown = self.pods.iter().filter(|(id, _)| self.nodes.before(id).is_none());
            let strays = unknown.map(|(id, pods)| Stray {
                id: id.to_string(),
                node: pods
                    .iter()
                    .find_map(|pod| pod.metadata.annotations.get(labels::NODE_NAME).cloned())
                    .unwrap_or_default(),
                active: pods.iter().any(|pod| is_active(pod)),
                daemon: pods.iter().any(|pod| is_daemon(pod)),
            });
            strays.collect()
        })
    }

    /// Whether a pod runs that no node is known of, and whose end will be news.
    pub fn awaits_strays(&self) -> bool {
        self.strays().iter().any(|stray| stray.active && !stray.daemon)
    }

    /// Whether a pod is there for the node of that name, or for one inside it, of which nothing was stored.
    fn holds_stray(&self, name: &str) -> bool {
        let mut strays = self.strays().iter();
        strays.any(|stray| names::is_within(&stray.node, name) || stray.id == self.nodes.id(name))
    }

    /// Whether a pod is there for an attempt of the retry node of that name, of which nothing was stored. Its hooks are
    /// no attempts: they take places of their own.
    fn has_stray_attempt(&self, name: &str) -> bool {
        let is_attempt = |node: &str| node.strip_prefix(name).is_some_and(|rest| rest.starts_with('('));
        self.strays().iter().any(|stray| is_attempt(&stray.node))
    }

    /// Whether a limit does not hold back this node, although as many count as may: it is one of them, or it may hold one
    /// that lacks its pod, or a pod is there that was made for it or for what is inside it.
    fn is_within_limit(&self, id: &str, name: &str, lacking: &[String], limit: i64) -> bool {
        match self.nodes.get(id) {
            Some(node) if node.type_ == NodeType::Pod => {
                // Of more than may, as after a decision that was lost, those go on that have their pods.
                let room = || self.pods_at_work + count(self.asked.len()) < limit;
                let counts = !self.last_resort && self.active_pods <= limit;
                self.active_pod(node) && (self.has_pod(id) || counts || room())
            }
            Some(node) if node.type_ == NodeType::Retry => {
                match self.nodes.attempts(node).1.filter(|last| in_progress(last)) {
                    Some(last) => self.is_within_limit(&last.id, &last.name, lacking, limit),
                    None => self.has_stray_attempt(name),
                }
            }
            Some(node) => {
                let lacks = || lacking.iter().any(|pod| names::is_inside(pod, name));
                // It may have to end before what such a pod is for begins.
                in_progress(node) && (lacks() || !self.strays().is_empty())
            }
            None => self.holds_stray(name),
        }
    }

    /// Whether a node is about to start something: a new one, a retry node before an attempt, or one that takes no place
    /// while it waits for a lock.
    fn starts(&self, node: Option<&NodeStatus>) -> bool {
        let Some(node) = node else { return true };
        let between = || self.nodes.attempts(node).1.is_none_or(node::fulfilled);
        let only_waits = || self.last_resort && node::waits_for_lock(node) && !self.goes_on(node);
        !in_progress(node) || node.type_ == NodeType::Retry && between() || only_waits()
    }

    /// How many pods of a boundary are active, how many of them are seen, and which are not.
    fn count_within(&self, id: &str) -> (i64, i64, Vec<String>) {
        let (mut active, mut seen, mut lacking) = (0, 0, Vec::new());
        for pod in self.nodes.in_boundary(id).filter(|n| self.active_pod(n)) {
            // A daemon never ends by itself: once nothing else moves, it is not waited for any more.
            let ends = !self.last_resort || !node::daemoned(pod);
            if self.has_pod(&pod.id) {
                active += 1;
                seen += i64::from(ends);
            } else if !self.last_resort {
                active += 1;
                lacking.push(pod.name.clone());
            }
        }
        (active, seen, lacking)
    }

    /// Refuses a new node before anything is worked out for it, if it would be too many: of a loop of thousands, all but
    /// a few wait for their places in each pass.
    pub fn has_no_place(&mut self, id: &str, call: &Call<'_>) -> Result<(), Stop> {
        if self.nodes.get(id).is_some() {
            return Ok(());
        }
        if let Some(limit) = self.spec.parallelism
            && self.active_pods >= limit
            && !self.is_within_limit(id, call.name, &self.lacking, limit)
        {
            return self.refuse_parallelism(id, self.active_pods, limit);
        }
        if !self.full.contains(call.boundary) {
            return Ok(());
        }
        match self.boundary_template(call.boundary).and_then(|t| t.parallelism) {
            Some(limit) => self.refuse_parallelism(id, limit, limit),
            None => Ok(()),
        }
    }

    /// Refuses a node that would be too many.
    pub fn check_parallelism(&mut self, id: &str, call: &Call<'_>, template: &Template) -> Result<(), Stop> {
        let node = self.nodes.get(id).cloned();
        let limits_inside = limits_inside(template);
        if limits_inside {
            self.limited.insert(id.to_owned());
        }
        if let Some(limit) = self.spec.parallelism
            && self.active_pods >= limit
            && !self.is_within_limit(id, call.name, &self.lacking, limit)
        {
            return self.refuse_parallelism(id, self.active_pods, limit);
        }
        if let Some(node) = &node
            && matches!(node.type_, NodeType::Steps | NodeType::Dag)
            && limits_inside
        {
            let (active, seen, lacking) = self.count_within(id);
            self.check_fail_fast(id, template, seen)?;
            if let Some(limit) = template.parallelism
                && active >= limit
                && !self.is_within_limit(id, call.name, &lacking, limit)
            {
                return self.refuse_parallelism(id, active, limit);
            }
        }
        if !self.starts(node.as_ref()) || call.boundary.is_empty() {
            return Ok(());
        }
        let Some(limit) = self.boundary_template(call.boundary).and_then(|t| t.parallelism) else {
            return Ok(());
        };
        let within = self.nodes.in_boundary(call.boundary);
        // What is inside it takes no place of its own away, as attempts that a retry by a person took up again.
        let others = within.filter(|n| !names::is_inside(&n.name, call.name));
        let active = others.filter(|n| counted(n) && in_progress(n) && self.goes_on(n));
        let active = count(active.count());
        if active >= limit {
            if node.is_none() {
                self.full.insert(call.boundary.to_owned());
            }
            self.refuse_parallelism(id, active, limit)
        } else {
            Ok(())
        }
    }

    /// Whether a pod that was asked for takes a place that others may be refused from now on.
    pub fn fills_places(&self) -> bool {
        if self.spec.parallelism.is_some() {
            return !self.asked.is_empty();
        }
        if self.limited.is_empty() {
            return false;
        }
        let mut met = std::collections::BTreeSet::new();
        let mut open: Vec<&str> = self.asked.iter().map(String::as_str).collect();
        while let Some(id) = open.pop() {
            if self.limited.contains(id) {
                return true;
            }
            let boundary = self.nodes.get(id).map(|n| n.boundary_id.as_str());
            open.extend(boundary.filter(|boundary| met.insert(*boundary)));
        }
        false
    }

    /// Notes that the evaluation came to a node, if that is asked for, and with it to its last attempt.
    pub fn note_reached(&mut self, id: &str) {
        let Some(reached) = &mut self.reached else { return };
        reached.insert(id.to_owned());
        let retry = self.nodes.get(id).filter(|n| n.type_ == NodeType::Retry);
        let last = retry.and_then(|retry| self.nodes.attempts(retry).1);
        reached.extend(last.map(|last| last.id.clone()));
    }

    /// Whether a node in progress may come to anything. Once nothing moves any more, those don't that nothing looks at:
    /// a retry by a person sets nodes to Running whose turn comes later, and attempts that others have followed.
    fn goes_on(&self, node: &NodeStatus) -> bool {
        !self.last_resort
            || self.nodes.before(&node.id).is_none()
            || self.has_pod(&node.id)
            || self.works_inside(node)
            || self
                .reached
                .as_ref()
                .is_some_and(|reached| reached.contains(&node.id))
                && !self.only_waits_for_locks(node)
    }

    /// Whether a node, or whatever could begin inside it, waits for locks: who holds one may wait for its place.
    fn only_waits_for_locks(&self, node: &NodeStatus) -> bool {
        if node::waits_for_lock(node) {
            return true;
        }
        let begins = |inside: &NodeStatus| match inside.type_ {
            NodeType::Steps | NodeType::Dag | NodeType::StepGroup | NodeType::TaskGroup => false,
            NodeType::Retry => self.nodes.attempts(inside).1.is_none_or(node::fulfilled),
            _ => true,
        };
        let is_open =
            |inside: &&NodeStatus| !node::fulfilled(inside) && names::is_inside(&inside.name, &node.name);
        let (mut waits, mut known) = (false, BTreeMap::new());
        for inside in self.nodes.iter().filter(is_open) {
            if node::waits_for_lock(inside) {
                // What nothing looks at any more is ended, and the node goes on without it.
                waits |= !self.is_abandoned(inside, &mut known);
            } else if begins(inside) {
                return false;
            }
        }
        waits
    }

    /// Whether a retry node that is refused may end all the same, since those who have a place may wait for it: for its
    /// lock, or as pods that no node knows of yet. Otherwise it waits for a place, as in the peer.
    pub fn ends_without_place(
        &self,
        id: &str,
        template: &Template,
        strategy: Option<&RetryStrategy>,
    ) -> bool {
        let awaited =
            template.synchronization.is_some() || !self.strays().is_empty() || !self.lacking.is_empty();
        awaited && strategy.is_some_and(|strategy| self.retries_end(id, strategy))
    }

    /// Whether a node of that name was begun and has no pod, or may hold one that has none, or has a pod and was never
    /// stored.
    pub fn may_lack_pod(&self, name: &str) -> bool {
        let lacks = |n: &NodeStatus| self.active_pod(n) && !self.has_pod(&n.id);
        let begun = self.nodes.by_name(name).is_some_and(|node| match node.type_ {
            NodeType::Pod => lacks(node),
            NodeType::Retry => {
                let last = self.nodes.attempts(node).1;
                last.is_some_and(|last| self.may_lack_pod(&last.name))
            }
            _ => !self.lacking.is_empty() || self.nodes.in_boundary(&node.id).any(lacks),
        });
        begun || self.holds_stray(name)
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
        // It ends by the end of others.
        self.looks_again = true;
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
