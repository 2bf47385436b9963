//! For every node that does not move, why (what [`crate::Decision::waiting`] promises).
//!
//! Reasons with facts of their own are noted where they arise; here the rest is filled in from the nodes, and what
//! turned out to move is taken out again.

use std::collections::{BTreeMap, BTreeSet};

use argosy_model::{NodePhase, NodeStatus, NodeType, ShutdownStrategy, WorkflowPhase};
use rustc_hash::FxHashMap;

use super::Pass;
use super::pods::is_active;
use crate::decision::Waiting;
use crate::{locks, names, node};

/// How many nodes a reason names at most: a person reads them.
const NAMED: usize = 10;

impl Pass<'_> {
    /// Makes `waiting` complete.
    pub fn complete_waiting(&mut self) {
        if node::workflow_fulfilled(&self.status.phase) {
            self.waiting.clear();
            return;
        }
        let nodes = &self.nodes;
        self.waiting
            .retain(|id, _| nodes.get(id).is_none_or(|n| !node::fulfilled(n)));
        let open: Vec<&NodeStatus> = self.nodes.iter().filter(|n| !node::fulfilled(n)).collect();
        let mut inside: FxHashMap<&str, Vec<&NodeStatus>> = FxHashMap::default();
        for node in &open {
            inside.entry(&node.boundary_id).or_default().push(node);
        }
        let silent = open.iter().filter(|n| !self.waiting.contains_key(&n.id));
        let mut reasons: BTreeMap<String, Waiting> =
            silent.map(|n| (n.id.clone(), self.reason(n, &inside))).collect();
        let idle = |(_, reason): &(&String, &Waiting)| **reason == Waiting::Nodes(Vec::new());
        let empty: Vec<String> = reasons.iter().filter(idle).map(|(id, _)| id.clone()).collect();
        self.waiting.append(&mut reasons);
        self.inherit(&empty);
        if self.waiting.is_empty() {
            // Every node is done, yet the workflow goes on: a result or a daemon holds it.
            let held = self
                .nodes
                .iter()
                .filter(|n| !node::synced(n) || node::daemoned(n));
            let names = held.take(NAMED).map(|n| n.name.clone()).collect();
            self.waiting.insert(String::new(), Waiting::Nodes(names));
        }
    }

    /// Notes of one pod at work that its node waits for it, if there is one: then something moves the workflow, whatever
    /// else waits.
    pub fn names_a_pod_at_work(&mut self) -> bool {
        let Some(node) = self.pod_at_work() else {
            return false;
        };
        let (id, reason) = (node.id.clone(), self.pod_reason(node));
        self.waiting.entry(id).or_insert(reason);
        true
    }

    /// A node that goes on by its pod alone, if there is one.
    pub fn pod_at_work(&self) -> Option<&NodeStatus> {
        if node::workflow_fulfilled(&self.status.phase) {
            return None;
        }
        let mut nodes = self.pods.iter().filter_map(|(id, _)| self.nodes.get(id));
        nodes.find(|n| {
            let reason = self.waiting.get(&n.id);
            n.type_ == NodeType::Pod && !node::fulfilled(n) && reason.is_none_or(is_of_pod)
        })
    }

    /// Whether this pass changes nothing and no other one ever would: the peer's workflow hangs for ever here.
    pub fn is_stuck(&self) -> bool {
        let does_something = self.has_changes() || !self.effects.is_empty() || self.locks.gives_back();
        if does_something || !self.assessed || self.wake_at.is_some() {
            return false;
        }
        // The usual case, before the tree is searched.
        if self.status.phase != WorkflowPhase::Running || self.waiting.values().any(is_of_pod) {
            return false;
        }
        let abandoned = self.abandoned();
        let mut reasons = self.waiting.iter();
        reasons.all(|(id, reason)| self.is_idle(id, reason, &abandoned))
    }

    /// Whether a reason names nothing that can come about by itself or by a person.
    fn is_idle(&self, id: &str, reason: &Waiting, abandoned: &BTreeSet<String>) -> bool {
        let own = |holder: &String| locks::workflow_of(holder) == self.lock_key;
        match reason {
            // Whoever makes a pod asks for it in each pass.
            Waiting::Nodes(_) | Waiting::Variable { .. } | Waiting::PodCreation { .. } => true,
            Waiting::PodRunning { .. } | Waiting::PodPending { .. } | Waiting::Result { .. } => false,
            // Held by nodes that don't move either.
            Waiting::Lock { holders, .. } => abandoned.contains(id) || holders.iter().any(own),
            // If no pod that could end is seen, nothing gives a place back.
            Waiting::Parallelism { .. } => !self.awaits_strays(),
            _ => abandoned.contains(id),
        }
    }

    /// Unfinished nodes that nothing looks at any more because what they belong to has ended without them.
    fn abandoned(&self) -> BTreeSet<String> {
        let mut known = BTreeMap::new();
        let open = self.nodes.iter().filter(|n| !node::fulfilled(n));
        open.filter(|n| self.is_abandoned(n, &mut known))
            .map(|n| n.id.clone())
            .collect()
    }

    /// Whether nothing looks at a node any more and no pod of it, or of what is inside it, has yet to end.
    pub fn is_forsaken(&self, node: &NodeStatus) -> bool {
        self.is_abandoned(node, &mut BTreeMap::new())
            && !self.pods.contains_key(node.id.as_str())
            && !self.works_inside(node)
            && !self.may_work_unseen_inside(node)
    }

    /// Whether a pod inside a node has not ended or was just asked for: one of its attempts, steps or tasks.
    pub fn works_inside(&self, node: &NodeStatus) -> bool {
        let active = self
            .pods
            .iter()
            .filter(|(_, pods)| pods.iter().any(|pod| is_active(pod)));
        let mut ids = active
            .map(|(id, _)| &**id)
            .chain(self.asked.iter().map(String::as_str));
        ids.any(|id| {
            let inside = self.nodes.get(id);
            inside.is_some_and(|n| names::is_inside(&n.name, &node.name))
        })
    }

    /// Whether what a node is evaluated by has ended without it. `known` has what was found out before.
    pub fn is_abandoned(&self, node: &NodeStatus, known: &mut BTreeMap<String, bool>) -> bool {
        if let Some(answer) = known.get(&node.id) {
            return *answer;
        }
        // Against nodes in circles, which no tree of ours has.
        known.insert(node.id.clone(), false);
        let owners: Vec<&NodeStatus> = self.owners(node);
        let answer = self.is_dropped_exit_handler(node)
            || owners
                .into_iter()
                .any(|o| node::fulfilled(o) || self.is_abandoned(o, known));
        known.insert(node.id.clone(), answer);
        answer
    }

    /// Whether a node is an exit handler begun before a termination, after which none runs (C-HOOK-30, C-HOOK-31).
    fn is_dropped_exit_handler(&self, node: &NodeStatus) -> bool {
        *self.shutdown() == ShutdownStrategy::Terminate && names::is_on_exit(&node.name)
    }

    /// What a node is evaluated by: its boundary, its group of steps, its retry node or its loop.
    fn owners(&self, node: &NodeStatus) -> Vec<&NodeStatus> {
        let mut owners: Vec<&NodeStatus> = self.nodes.get(&node.boundary_id).into_iter().collect();
        let group = owners.first().and_then(|boundary| {
            let rest = node.name.strip_prefix(boundary.name.as_str())?;
            let end = rest.strip_prefix('[')?.find(']')?;
            self.nodes.by_name(&node.name[..boundary.name.len() + end + 2])
        });
        owners.extend(group.filter(|group| group.id != node.id));
        let repeats = |n: &&NodeStatus| matches!(n.type_, NodeType::Retry | NodeType::TaskGroup);
        let brackets = node.name.match_indices('(').map(|(at, _)| at);
        owners.extend(brackets.filter_map(|at| self.nodes.by_name(&node.name[..at]).filter(repeats)));
        owners
    }

    /// Ends what is abandoned and has no pod that would end by itself, and gives back its locks.
    pub fn end_abandoned(&mut self) {
        for id in self.abandoned() {
            if self.pods.contains_key(id.as_str()) {
                continue;
            }
            self.delete_unseen_pod(&id);
            self.mark(
                &id,
                NodePhase::Failed,
                Some("abandoned: its parent ended before it"),
            );
            // Edges are drawn before limits are asked: what was held back then is never made.
            let exists = |child: &String| self.nodes.get(child).is_some();
            let children = self.nodes.get(&id).into_iter().flat_map(|n| n.children.iter());
            let children: Vec<String> = children.filter(|c| exists(c)).cloned().collect();
            self.change(&id, |n| n.children = children.into());
            self.release_template_locks(&id);
        }
    }

    /// Reasons for groups with nothing unfinished in them: what holds back the whole also holds back these.
    fn inherit(&mut self, empty: &[String]) {
        let reason = if self.waiting.get("") == Some(&Waiting::WorkflowSuspended) {
            Waiting::WorkflowSuspended
        } else {
            let at_work = self
                .waiting
                .iter()
                .filter(|(_, reason)| !matches!(reason, Waiting::Nodes(_)));
            let name = |id: &String| self.nodes.get(id).map_or_else(|| id.clone(), |n| n.name.clone());
            Waiting::Nodes(at_work.take(NAMED).map(|(id, _)| name(id)).collect())
        };
        for id in empty {
            self.waiting.insert(id.clone(), reason.clone());
        }
    }

    fn reason(&self, node: &NodeStatus, inside: &FxHashMap<&str, Vec<&NodeStatus>>) -> Waiting {
        match node.type_ {
            NodeType::Pod => self.pod_reason(node),
            NodeType::Container => {
                let pod = self.nodes.get(&node.boundary_id);
                pod.map_or_else(|| Waiting::Nodes(Vec::new()), |pod| self.pod_reason(pod))
            }
            NodeType::Http | NodeType::Plugin => Waiting::Agent,
            NodeType::Suspend => Waiting::Suspended { until: None },
            _ => Waiting::Nodes(self.first_open_inside(node, inside)),
        }
    }

    /// The first unfinished nodes that a node consists of: its steps or tasks, the children of a group, loop or retry
    /// node, or what still belongs to those of them that are done, such as hooks. `open` has all unfinished nodes by
    /// boundary.
    fn first_open_inside(&self, node: &NodeStatus, open: &FxHashMap<&str, Vec<&NodeStatus>>) -> Vec<String> {
        let names = |nodes: &mut dyn Iterator<Item = &NodeStatus>| -> Vec<String> {
            nodes.take(NAMED).map(|n| n.name.clone()).collect()
        };
        let of = |boundary: &str| open.get(boundary).into_iter().flatten().copied();
        if matches!(node.type_, NodeType::Steps | NodeType::Dag) {
            return names(&mut of(&node.id));
        }
        let children = node.children.iter().filter_map(|id| self.nodes.get(id));
        let direct = names(&mut children.filter(|n| !node::fulfilled(n)));
        if !direct.is_empty() {
            return direct;
        }
        names(&mut of(&node.boundary_id).filter(|n| names::is_inside(&n.name, &node.name)))
    }

    fn pod_reason(&self, node: &NodeStatus) -> Waiting {
        let Some(pod) = self.pods.get(node.id.as_str()).and_then(|pods| pods.first()) else {
            return Waiting::PodCreation {
                pod: self.stored_pod_name(node),
            };
        };
        let pod_name = pod.metadata.name.clone();
        match pod.status.phase.as_str() {
            "Succeeded" | "Failed" => Waiting::Result {
                pod: pod_name,
                until: None,
            },
            _ => reason_at_work(node, pod_name),
        }
    }
}

/// What a node waits for whose pod has not ended.
pub(super) fn reason_at_work(node: &NodeStatus, pod: String) -> Waiting {
    match node.phase {
        NodePhase::Pending => Waiting::PodPending {
            pod,
            message: node.message.clone(),
        },
        _ => Waiting::PodRunning { pod },
    }
}

fn is_of_pod(reason: &Waiting) -> bool {
    matches!(
        reason,
        Waiting::PodRunning { .. } | Waiting::PodPending { .. } | Waiting::Result { .. }
    )
}
