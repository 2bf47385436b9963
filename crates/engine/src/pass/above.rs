//! Who sums up what becomes of a node: all those that it can be reached from, found once for nodes that hang on the same.
//!
//! The sums themselves are in `derived`.

use std::sync::Arc;

use argosy_model::{NodeStatus, NodeType};
use rustc_hash::FxHashMap;

/// Ids of nodes.
type Ids = Arc<[Arc<str>]>;

/// The edges between the nodes of a workflow, backwards.
#[derive(Debug)]
pub(crate) struct Above {
    ids: Vec<Arc<str>>,
    places: FxHashMap<Arc<str>, usize>,
    /// The nodes that have an edge to each.
    parents: Vec<Vec<usize>>,
    /// Whether each may sum up what is below it.
    sums: Vec<bool>,
    /// What was found for the nodes that hang on the same.
    known: FxHashMap<Vec<usize>, Ids>,
}

impl Above {
    /// Of all nodes.
    pub fn of<'n>(nodes: impl Iterator<Item = &'n NodeStatus>) -> Self {
        let nodes: Vec<&NodeStatus> = nodes.collect();
        let ids: Vec<Arc<str>> = nodes.iter().map(|n| n.id.as_str().into()).collect();
        let numbered = ids.iter().enumerate();
        let places: FxHashMap<Arc<str>, usize> = numbered.map(|(at, id)| (Arc::clone(id), at)).collect();
        let mut parents = vec![Vec::new(); nodes.len()];
        for (at, node) in nodes.iter().enumerate() {
            for child in node
                .children
                .iter()
                .filter_map(|child| places.get(child.as_str()))
            {
                parents[*child].push(at);
            }
        }
        Self {
            sums: nodes.iter().map(|node| node.type_ != NodeType::Pod).collect(),
            ids,
            places,
            parents,
            known: FxHashMap::default(),
        }
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
        let mut met = vec![false; self.ids.len()];
        let mut open = parents.clone();
        let mut found = Vec::new();
        while let Some(next) = open.pop() {
            if !std::mem::replace(&mut met[next], true) {
                open.extend(&self.parents[next]);
                found.extend(self.sums[next].then(|| Arc::clone(&self.ids[next])));
            }
        }
        let found: Ids = found.into();
        self.known.insert(parents.clone(), Arc::clone(&found));
        found
    }
}
