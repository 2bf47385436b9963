//! Who sums up what becomes of a node: all those that it can be reached from, found once for nodes that hang on the same.
//!
//! The sums themselves are in `derived`.

use std::collections::BTreeSet;
use std::sync::Arc;

use argosy_model::{NodeStatus, NodeType};
use rustc_hash::{FxHashMap, FxHashSet};

/// Ids of nodes.
type Ids = Arc<[Arc<str>]>;

/// The edges between the nodes of a workflow, backwards.
#[derive(Debug, Default)]
pub(crate) struct Above {
    ids: Vec<Arc<str>>,
    places: FxHashMap<Arc<str>, usize>,
    /// The nodes that have an edge to each.
    parents: Vec<Vec<usize>>,
    /// Whether each may sum up what is below it.
    sums: Vec<bool>,
    /// Whether there is an edge to a node that is not there.
    is_loose: bool,
    /// What was found for the nodes that hang on the same.
    known: FxHashMap<Vec<usize>, Ids>,
}

impl Above {
    /// Of all nodes.
    pub fn of<'n>(nodes: impl Iterator<Item = &'n NodeStatus>) -> Self {
        let nodes: Vec<&NodeStatus> = nodes.collect();
        let mut above = Self::default();
        above.take(&nodes);
        above
    }

    /// Takes up those that are new among nodes that were added or changed; edges were added to new ones only. False: not all
    /// their edges may be known.
    pub fn add(&mut self, changed: &[NodeStatus]) -> bool {
        let changed: Vec<&NodeStatus> = changed.iter().collect();
        let was_loose = self.is_loose;
        self.take(&changed) == 0 || !was_loose
    }

    /// Takes up the new ones among nodes, and gives their number.
    fn take(&mut self, nodes: &[&NodeStatus]) -> usize {
        let known = self.ids.len();
        for node in nodes {
            if !self.places.contains_key(node.id.as_str()) {
                let id: Arc<str> = node.id.as_str().into();
                self.places.insert(Arc::clone(&id), self.ids.len());
                self.ids.push(id);
                self.sums.push(node.type_ != NodeType::Pod);
            }
        }
        self.parents.resize(self.ids.len(), Vec::new());
        for node in nodes {
            let parent = self.places[node.id.as_str()];
            for child in node.children.iter().rev() {
                match self.places.get(child.as_str()) {
                    Some(child) if *child >= known => self.parents[*child].push(parent),
                    Some(_) if parent < known => break,
                    Some(_) => {}
                    None => self.is_loose = true,
                }
            }
        }
        self.ids.len() - known
    }

    /// The id of the node that has an edge to a node, if there is one only.
    pub fn only_parent_of(&self, id: &str) -> Option<&str> {
        match self.parents[*self.places.get(id)?].as_slice() {
            [parent] => Some(&self.ids[*parent]),
            _ => None,
        }
    }

    /// The ids of the nodes that may sum up what becomes of a node.
    pub fn sums_of(&mut self, id: &str) -> Ids {
        let Some(at) = self.places.get(id) else {
            return Ids::default();
        };
        let parents = &self.parents[*at];
        if let Some(known) = self.known.get(parents) {
            return Arc::clone(known);
        }
        let mut met = FxHashSet::default();
        let mut open = parents.clone();
        let mut found = BTreeSet::new();
        while let Some(next) = open.pop() {
            if !met.insert(next) {
                continue;
            }
            found.extend(self.sums[next].then(|| Arc::clone(&self.ids[next])));
            match self.known.get(&self.parents[next]) {
                Some(known) => found.extend(known.iter().cloned()),
                None => open.extend(&self.parents[next]),
            }
        }
        let found: Ids = found.into_iter().collect();
        self.known.insert(parents.clone(), Arc::clone(&found));
        found
    }
}
