//! The node tree of one decision: the stored nodes with what the decision changed on top.

use std::cell::{Cell, OnceCell};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::Arc;

use argosy_model::{NodeStatus, NodeType, Progress};
use rustc_hash::{FxHashMap, FxHashSet};

use crate::names;

/// An index is made once more than one of so many stored nodes were looked up.
const UNINDEXED: usize = 16;

/// Stored nodes and, over them, new and touched ones.
pub(crate) struct Tree<'a> {
    workflow: &'a str,
    base: &'a BTreeMap<String, NodeStatus>,
    /// The stored nodes once more, made once many were looked up: each is so several times, and long ids that begin alike
    /// are slow to compare. Who makes ids that collide slows down decisions about that one workflow.
    index: OnceCell<FxHashMap<&'a str, &'a NodeStatus>>,
    /// How often a node was looked up without the index.
    asked: Cell<usize>,
    touched: FxHashMap<String, NodeStatus>,
    /// Ids of stored nodes by boundary, made at the first question, so that loops need no scan of all nodes.
    by_boundary: OnceCell<BTreeMap<&'a str, Vec<&'a str>>>,
    /// The children of nodes that edges were added to, so that a fan-out of thousands is not searched for each edge.
    edges: FxHashMap<String, FxHashSet<String>>,
    /// Ids of new nodes by boundary.
    new_by_boundary: BTreeMap<String, Vec<String>>,
}

impl<'a> Tree<'a> {
    pub fn new(workflow: &'a str, base: &'a BTreeMap<String, NodeStatus>) -> Self {
        Self {
            workflow,
            base,
            index: OnceCell::new(),
            asked: Cell::new(0),
            touched: FxHashMap::default(),
            by_boundary: OnceCell::new(),
            edges: FxHashMap::default(),
            new_by_boundary: BTreeMap::new(),
        }
    }

    pub fn id(&self, name: &str) -> String {
        names::node_id(self.workflow, name)
    }

    pub fn get(&self, id: &str) -> Option<&NodeStatus> {
        self.touched.get(id).or_else(|| self.before(id))
    }

    pub fn by_name(&self, name: &str) -> Option<&NodeStatus> {
        self.get(&self.id(name))
    }

    /// The node as it was before this decision.
    pub fn before(&self, id: &str) -> Option<&'a NodeStatus> {
        if let Some(index) = self.index.get() {
            return index.get(id).copied();
        }
        self.asked.set(self.asked.get() + 1);
        if self.asked.get() * UNINDEXED > self.base.len() {
            let nodes = self.base.iter().map(|(id, node)| (id.as_str(), node));
            return self.index.get_or_init(|| nodes.collect()).get(id).copied();
        }
        self.base.get(id)
    }

    /// The stored nodes, those from that id on first, then those before it.
    pub fn from(&self, id: &str) -> impl Iterator<Item = &NodeStatus> {
        let bounds = (Bound::Included(id), Bound::Unbounded);
        let nodes = self.base.range::<str, _>(bounds);
        let nodes = nodes.chain(self.base.range::<str, _>((Bound::Unbounded, Bound::Excluded(id))));
        nodes.map(|(id, node)| self.touched.get(id).unwrap_or(node))
    }

    /// Changes a node, if there is one with that id, and tells whether it differs now from before the call.
    pub fn change(&mut self, id: &str, edit: impl FnOnce(&mut NodeStatus)) -> bool {
        let Some(old) = self.get(id) else { return false };
        let mut new = old.clone();
        edit(&mut new);
        let changed = new != *old;
        if changed {
            self.touched.insert(id.to_owned(), new);
        }
        changed
    }

    /// Sets what a node and those below it have come to.
    pub fn set_sums(&mut self, id: &str, progress: Progress, resources: BTreeMap<String, i64>) {
        if let Some(node) = self.touch(id) {
            (node.progress, node.resources_duration) = (progress, resources);
        }
    }

    /// A node to be changed.
    fn touch(&mut self, id: &str) -> Option<&mut NodeStatus> {
        if !self.touched.contains_key(id) {
            let stored = self.before(id)?.clone();
            self.touched.insert(id.to_owned(), stored);
        }
        self.touched.get_mut(id)
    }

    /// Adds an edge; false when it is there, or there is no such parent.
    pub fn add_child(&mut self, parent: &str, child: &str) -> bool {
        if !self.edges.contains_key(parent) {
            let Some(node) = self.get(parent) else {
                return false;
            };
            let children = node.children.iter().cloned().collect();
            self.edges.insert(parent.to_owned(), children);
        }
        let fresh = self
            .edges
            .get_mut(parent)
            .is_some_and(|known| known.insert(child.to_owned()));
        if !fresh {
            return false;
        }
        let Some(node) = self.touch(parent) else {
            return false;
        };
        Arc::make_mut(&mut node.children).push(child.to_owned());
        true
    }

    /// Adds a new node or replaces one.
    pub fn insert(&mut self, node: NodeStatus) {
        if self.get(&node.id).is_none() {
            self.new_by_boundary
                .entry(node.boundary_id.clone())
                .or_default()
                .push(node.id.clone());
        }
        self.touched.insert(node.id.clone(), node);
    }

    /// All nodes in order of their ids.
    pub fn iter(&self) -> impl Iterator<Item = &NodeStatus> {
        let stored = self
            .base
            .iter()
            .map(|(id, node)| self.touched.get(id).unwrap_or(node));
        stored.chain(self.new_nodes())
    }

    /// Touched nodes in order of their ids, new ones last.
    pub fn touched(&self) -> impl Iterator<Item = &NodeStatus> {
        let stored = self.touched.values().filter(|n| self.before(&n.id).is_some());
        in_order(stored).into_iter().chain(self.new_nodes())
    }

    fn new_nodes(&self) -> impl Iterator<Item = &NodeStatus> {
        in_order(self.iter_new()).into_iter()
    }

    /// New nodes in any order.
    pub fn iter_new(&self) -> impl Iterator<Item = &NodeStatus> {
        self.touched.values().filter(|n| self.before(&n.id).is_none())
    }

    /// The nodes of one boundary.
    pub fn in_boundary(&self, boundary: &str) -> impl Iterator<Item = &NodeStatus> {
        let stored = self.by_boundary.get_or_init(|| {
            let mut index: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
            for (id, node) in self.base {
                index.entry(node.boundary_id.as_str()).or_default().push(id);
            }
            index
        });
        let stored = stored
            .get(boundary)
            .into_iter()
            .flatten()
            .filter_map(|id| self.get(id));
        stored.chain(
            self.new_by_boundary
                .get(boundary)
                .into_iter()
                .flatten()
                .filter_map(|id| self.get(id)),
        )
    }

    /// The last attempt of a retry node and the number of attempts.
    pub fn attempts<'n>(&'n self, retry: &'n NodeStatus) -> (usize, Option<&'n NodeStatus>) {
        let mut last = None;
        let count = self
            .each_attempt(retry)
            .inspect(|attempt| last = Some(*attempt))
            .count();
        (count, last)
    }

    /// The attempts of a retry node, oldest first; hooks don't count (C-RTY-01).
    pub fn each_attempt<'n>(
        &'n self,
        retry: &'n NodeStatus,
    ) -> impl DoubleEndedIterator<Item = &'n NodeStatus> {
        // By name: the attempts of a hook are flagged as hooks, too.
        let is_attempt = |child: &&NodeStatus| {
            let rest = child.name.strip_prefix(retry.name.as_str());
            rest.is_some_and(|rest| rest.starts_with('('))
        };
        retry
            .children
            .iter()
            .filter_map(|id| self.get(id))
            .filter(is_attempt)
    }

    /// The nodes that what comes next hangs on (C-NODE-21).
    pub fn outbound(&self, id: &str) -> Vec<String> {
        let Some(node) = self.get(id) else {
            return Vec::new();
        };
        let own = vec![node.id.clone()];
        match node.type_ {
            NodeType::TaskGroup | NodeType::Container => self.outbound_of_children(node),
            NodeType::Pod => {
                let set = node
                    .children
                    .first()
                    .and_then(|id| self.get(id))
                    .is_some_and(|child| child.type_ == NodeType::Container);
                if set { self.outbound_of_children(node) } else { own }
            }
            NodeType::Retry => node.children.last().cloned().into_iter().collect(),
            NodeType::Steps | NodeType::Dag if !node.memoization_status.as_ref().is_some_and(|m| m.hit) => {
                node.outbound_nodes
                    .iter()
                    .flat_map(|id| self.outbound(id))
                    .collect()
            }
            NodeType::StepGroup => node.outbound_nodes.clone(),
            _ => own,
        }
    }

    /// The nodes that what comes after several nodes hangs on, each once.
    pub fn outbound_of<'n>(&self, ids: impl Iterator<Item = &'n str>) -> Vec<String> {
        let mut outbound = Vec::new();
        for found in ids.flat_map(|id| self.outbound(id)) {
            if !outbound.contains(&found) {
                outbound.push(found);
            }
        }
        outbound
    }

    fn outbound_of_children(&self, node: &NodeStatus) -> Vec<String> {
        if node.children.is_empty() {
            return vec![node.id.clone()];
        }
        let mut found = Vec::new();
        for child in node.children.iter().filter_map(|id| self.get(id)) {
            if node.type_ == NodeType::Container && child.boundary_id != node.boundary_id {
                found.push(node.id.clone());
            } else {
                found.extend(self.outbound(&child.id));
            }
        }
        found
    }

    /// Whether any node is new or changed, so that it is to be stored.
    pub fn differs(&self) -> bool {
        let mut touched = self.touched.iter();
        touched.any(|(id, node)| self.before(id).is_none_or(|before| is_other(before, node)))
    }

    /// New and changed nodes, which are taken out.
    pub fn take_touched(&mut self) -> BTreeMap<String, NodeStatus> {
        let mut touched = std::mem::take(&mut self.touched);
        touched.retain(|id, node| self.before(id) != Some(&*node));
        // Put in order by their ids alone: nodes are big to move.
        let mut ids: Vec<String> = touched.keys().cloned().collect();
        ids.sort_unstable();
        let node = |id: String| touched.remove_entry(&id);
        ids.into_iter().filter_map(node).collect()
    }
}

/// Whether a node says anything else than before. That its result arrived follows from the result at every look.
pub(super) fn is_other(before: &NodeStatus, node: &NodeStatus) -> bool {
    if before.task_result_synced == node.task_result_synced {
        return before != node;
    }
    let as_before = NodeStatus {
        task_result_synced: before.task_result_synced,
        ..node.clone()
    };
    as_before != *before
}

fn in_order<'n>(nodes: impl Iterator<Item = &'n NodeStatus>) -> Vec<&'n NodeStatus> {
    let mut nodes: Vec<&NodeStatus> = nodes.collect();
    nodes.sort_by(|a, b| a.id.cmp(&b.id));
    nodes
}
