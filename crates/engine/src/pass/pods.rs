//! Bringing nodes up to what their pods have come to (section 8). The phase of a single pod is in `pod_phase`.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use argosy_model::k8s::{Pod, Time};
use argosy_model::{
    Condition, ConditionType, NodePhase, NodeStatus, NodeType, ShutdownStrategy, Template, WorkflowStatus,
};
use rustc_hash::FxHashMap;

use super::pod_phase::pending_message;
use super::{Pass, labels};
use crate::decision::{Effect, Waiting};
use crate::{names, node};

/// The pods of a workflow by the ids of their nodes.
#[derive(Default)]
pub(crate) struct Pods<'a> {
    pods: Vec<&'a Arc<Pod>>,
    /// In order of the ids, each with the place of its pods.
    nodes: Vec<(Cow<'a, str>, Range<usize>)>,
    /// Each id is looked up several times, and long ids that begin alike are slow to compare.
    places: FxHashMap<Cow<'a, str>, usize>,
}

impl<'a> Pods<'a> {
    fn of(mut found: Vec<(Cow<'a, str>, &'a Arc<Pod>)>) -> Self {
        found.sort_by(|a, b| a.0.cmp(&b.0));
        let mut nodes: Vec<(Cow<'a, str>, Range<usize>)> = Vec::with_capacity(found.len());
        let mut pods = Vec::with_capacity(found.len());
        for (at, (id, pod)) in found.into_iter().enumerate() {
            pods.push(pod);
            match nodes.last_mut() {
                Some((last, places)) if *last == id => places.end = at + 1,
                _ => nodes.push((id, at..at + 1)),
            }
        }
        let places = nodes.iter().enumerate().map(|(at, (id, _))| (id.clone(), at));
        Self {
            places: places.collect(),
            pods,
            nodes,
        }
    }

    /// The pods of a node; nearly always one.
    pub fn get(&self, id: &str) -> Option<&[&'a Arc<Pod>]> {
        let (_, places) = &self.nodes[*self.places.get(id)?];
        Some(&self.pods[places.clone()])
    }

    /// Whether no node has more than one pod.
    pub fn are_single(&self) -> bool {
        self.pods.len() == self.nodes.len()
    }

    pub fn contains_key(&self, id: &str) -> bool {
        self.places.contains_key(id)
    }

    /// In order of the ids; no node is without a pod here.
    pub fn iter(&self) -> impl Iterator<Item = (&Cow<'a, str>, &[&'a Arc<Pod>])> {
        let nodes = self.nodes.iter();
        nodes.map(|(id, places)| (id, &self.pods[places.clone()]))
    }
}

impl<'a> Pass<'a> {
    /// Groups pods by node (C-POD-02).
    pub fn index_pods(&mut self, pods: impl Iterator<Item = &'a Arc<Pod>>) {
        let mut found = Vec::with_capacity(pods.size_hint().0);
        for pod in pods {
            let annotations = &pod.metadata.annotations;
            let id = match (
                annotations.get(labels::NODE_ID),
                annotations.get(labels::NODE_NAME),
            ) {
                (Some(id), _) => Cow::Borrowed(id.as_str()),
                (None, Some(name)) => Cow::Owned(self.nodes.id(name)),
                (None, None) => continue,
            };
            found.push((id, pod));
        }
        self.pods = Pods::of(found);
    }

    /// Looks at every pod. False: the pass ends here because something is incomplete (C-OP-03, row 9b).
    pub fn assess_pods(&mut self) -> bool {
        let mut complete = self.assess_seen_pods();
        self.assess_agent_pod();
        complete &= self.find_missing_pods();
        self.fail_nodes_without_pods();
        complete
    }

    /// Brings nodes up to the pods that are known. False: a result is still missing.
    pub fn assess_seen_pods(&mut self) -> bool {
        self.assessed = true;
        if self
            .status
            .conditions
            .iter()
            .all(|c| c.type_ != ConditionType::PodRunning)
        {
            self.set_condition(ConditionType::PodRunning, "False", "");
        }
        let mut complete = true;
        let spared = *self.shutdown() == ShutdownStrategy::Unset && !self.deadline_passed();
        let first = self
            .pods
            .iter()
            .filter_map(|(id, pods)| Some((id, *pods.first()?)));
        // Of thousands at work most say nothing new.
        let news = first.filter(|(id, pod)| {
            !spared || !self.nodes.get(id).is_some_and(|n| self.says_nothing_new(pod, n))
        });
        let pods: Vec<_> = news.map(|(id, pod)| (id.clone(), pod)).collect();
        for (id, pod) in pods {
            complete &= self.assess_pod(&id, pod);
        }
        complete
    }

    /// Brings one node up to its pod. False: its result is still missing (C-POD-04).
    fn assess_pod(&mut self, id: &str, pod: &Pod) -> bool {
        let Some(old) = self.nodes.get(id) else {
            self.end_rest_of_stray(id, pod);
            return true;
        };
        let mut complete = true;
        // What ended without its pod, at a timeout or deadline, does not begin anew while the pod is being ended.
        let ended = node::phase_ended(&old.phase) && is_active(pod);
        if (!ended && !node::fulfilled(old) || node::daemoned(old)) && !self.says_nothing_new(pod, old) {
            let old = old.clone();
            complete = self.take_pod_status(pod, &old);
        } else if node::fulfilled(old) && !is_active(pod) && self.has_open_containers(old) {
            // The node ended before its pod, as at an error of its hook.
            let old = old.clone();
            self.container_children(pod, &old);
        }
        self.control_pod(id, pod);
        complete
    }

    /// Ends the sidecars of a pod whose node was never stored, once the template's own containers have ended: what it
    /// holds up may be what its node waits for.
    fn end_rest_of_stray(&mut self, id: &str, pod: &Pod) {
        let status = |names: [&str; 2]| {
            let mut all = pod.status.container_statuses.iter();
            all.find(|c| names.contains(&c.name.as_str()))
        };
        let last = status(["wait", "supervisor"]).or_else(|| status(["main", "main"]));
        if is_active(pod) && last.is_some_and(|c| c.state.terminated.is_some()) {
            self.terminate(id);
        }
    }

    /// Whether a pod that is on its way leaves its node as it is: most of thousands in most passes. What may be more than
    /// that is worked out.
    fn says_nothing_new(&self, pod: &Pod, node: &NodeStatus) -> bool {
        let is_same = match pod.status.phase.as_str() {
            "Running" => node.phase == NodePhase::Running,
            "Pending" | "" => node.phase == NodePhase::Pending && node.message == pending_message(pod),
            _ => false,
        };
        let is_plain =
            |template: &Template| template.daemon != Some(true) && template.container_set.is_none();
        let is_local = node.template_ref.is_none() && node.template_scope.starts_with("local/");
        is_same
            && is_local
            && self.plan.local(&node.template_name).is_some_and(is_plain)
            && node.restarting_pod_uid.is_empty()
            && node.daemoned.is_none()
            && node.host_node_name == pod.spec.node_name
            && node.progress.is_valid()
            && !pod.metadata.annotations.contains_key(labels::PROGRESS)
            && pod
                .status
                .container_statuses
                .iter()
                .all(|c| c.state.terminated.is_none())
    }

    /// Stores what the pod makes of the node, unless its success still lacks its result. False: it does.
    fn take_pod_status(&mut self, pod: &Pod, old: &NodeStatus) -> bool {
        let Some(new) = self.pod_node(pod, old) else {
            return true;
        };
        if new.phase != NodePhase::Succeeded || new.task_result_synced != Some(false) {
            self.store_pod_node(new, old);
            return true;
        }
        let until = self.result_deadline(pod, &new);
        if self.now >= until {
            self.store_pod_node(
                NodeStatus {
                    task_result_synced: Some(true),
                    ..new
                },
                old,
            );
            return true;
        }
        self.await_result(&old.id, Some(until));
        false
    }

    fn store_pod_node(&mut self, new: NodeStatus, old: &NodeStatus) {
        if new == *old {
            return;
        }
        self.nodes.insert(new.clone());
        self.updated = true;
        if let Some(outputs) = &new.outputs {
            self.export_globals(outputs);
        }
        if new.phase == NodePhase::Succeeded {
            self.save_memo(&new.id);
        }
    }

    /// Pods that should be there and are not (C-POD-05, Q-36).
    fn find_missing_pods(&mut self) -> bool {
        let missing: Vec<NodeStatus> = self
            .nodes
            .iter()
            .filter(|n| n.type_ == NodeType::Pod && !node::phase_fulfilled(n) || node::daemoned(n))
            .filter(|n| {
                n.type_ == NodeType::Pod && n.started_at.is_some() && !node::phase_completed(&n.phase)
            })
            .filter(|n| n.phase != NodePhase::Pending && !self.pods.contains_key(n.id.as_str()))
            .cloned()
            .collect();
        for lost in missing {
            let started = lost.started_at.as_ref().map_or(self.now, |t| t.0);
            let due = started + self.seen.config.recently_started;
            if self.now <= due {
                self.wake(due + jiff::SignedDuration::from_millis(1));
                self.waiting
                    .insert(lost.id.clone(), Waiting::PodCreation { pod: String::new() });
                return false;
            }
            self.change(&lost.id, |n| {
                n.daemoned = None;
                n.task_result_synced = n.task_result_synced.map(|_| true);
            });
            self.mark_error(&lost.id, "pod deleted");
            for child in self.container_descendants(&lost.id) {
                self.mark_error(&child, "container deleted");
            }
        }
        true
    }

    fn has_open_containers(&self, node: &NodeStatus) -> bool {
        let containers = self.container_descendants(&node.id);
        let mut containers = containers.iter().filter_map(|id| self.nodes.get(id));
        containers.any(|container| !node::fulfilled(container))
    }

    pub fn container_descendants(&self, id: &str) -> Vec<String> {
        let mut found = Vec::new();
        let mut open = self.nodes.get(id).map_or_else(Vec::new, |n| n.children.to_vec());
        while let Some(next) = open.pop() {
            let Some(child) = self.nodes.get(&next).filter(|n| n.type_ == NodeType::Container) else {
                continue;
            };
            if !found.contains(&next) {
                open.extend(child.children.iter().cloned());
                found.push(next);
            }
        }
        found
    }

    /// The condition that tells whether any pod runs (C-POD-03, Q-04).
    pub fn set_pod_running(&mut self) {
        if self.assessed {
            let runs = self.nodes.iter().any(is_running);
            self.note_pod_running(runs);
        }
    }

    /// Notes whether any pod runs.
    pub fn note_pod_running(&mut self, runs: bool) {
        let status = if runs { "True" } else { "False" };
        self.set_condition(ConditionType::PodRunning, status, "");
    }

    /// Sets or replaces a condition. It alone is no reason to store.
    pub fn set_condition(&mut self, kind: ConditionType, status: &str, message: &str) {
        let new = Condition {
            type_: kind,
            status: status.to_owned(),
            message: message.to_owned(),
        };
        match self.status.conditions.iter_mut().find(|c| c.type_ == new.type_) {
            Some(old) => *old = new,
            None => self.status.conditions.push(new),
        }
    }

    /// Asks the containers of a node's pod to end.
    pub fn terminate(&mut self, id: &str) {
        if let Some(pod) = self.pods.get(id).and_then(|pods| pods.first().copied()) {
            self.end_pod(id, pod);
        }
    }

    /// Asks the containers of a pod to end, once for its node.
    pub fn end_pod(&mut self, id: &str, pod: &Pod) {
        if self.terminated.insert(id.to_owned()) {
            self.effect(Effect::TerminateContainers {
                node_id: id.to_owned(),
                pod: pod.metadata.name.clone(),
                uid: pod.metadata.uid.clone(),
            });
        }
    }

    /// The name of the pod of a stored node.
    pub fn stored_pod_name(&self, node: &NodeStatus) -> String {
        let template = node
            .template_ref
            .as_ref()
            .map_or(node.template_name.as_str(), |r| r.template.as_str());
        let version = self
            .annotations
            .get(labels::POD_NAME_FORMAT)
            .map_or(self.seen.config.pod_names, |v| names::PodNames::parse(v));
        names::pod_name(&self.wf.metadata.name, &node.name, template, version)
    }
}

/// Whether a status says that any pod runs.
pub(crate) fn runs_by(status: &WorkflowStatus) -> bool {
    let mut conditions = status.conditions.iter();
    conditions.any(|c| c.type_ == ConditionType::PodRunning && c.status == "True")
}

/// Whether a node is one of a pod that runs.
pub(crate) fn is_running(node: &NodeStatus) -> bool {
    node.type_ == NodeType::Pod && node.phase == NodePhase::Running
}

/// Whether a pod runs or is to run.
pub(crate) fn is_active(pod: &Pod) -> bool {
    matches!(pod.status.phase.as_str(), "Pending" | "Running" | "")
}

/// The latest finish of the pod's containers.
pub(crate) fn latest_finish(pod: &Pod) -> Option<jiff::Timestamp> {
    let statuses = pod
        .status
        .init_container_statuses
        .iter()
        .chain(&pod.status.container_statuses);
    statuses
        .filter_map(|s| {
            s.state
                .terminated
                .as_ref()?
                .finished_at
                .as_ref()
                .map(|t: &Time| t.0)
        })
        .max()
}
