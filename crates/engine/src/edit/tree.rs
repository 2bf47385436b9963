//! Ways through the nodes of a workflow, from children to parents.

use std::collections::{BTreeMap, BTreeSet};

use argosy_model::NodeStatus;

/// Ids of the nodes that have one of the marked nodes below them.
pub(super) fn above(
    nodes: &BTreeMap<String, NodeStatus>,
    marked: impl Fn(&NodeStatus) -> bool,
) -> BTreeSet<&str> {
    let mut parents: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for node in nodes.values() {
        for child in node.children.iter() {
            parents.entry(child).or_default().push(&node.id);
        }
    }
    let mut found = BTreeSet::new();
    let mut open: Vec<&str> = nodes
        .values()
        .filter(|n| marked(n))
        .map(|n| n.id.as_str())
        .collect();
    while let Some(id) = open.pop() {
        for parent in parents.get(id).into_iter().flatten() {
            if found.insert(*parent) {
                open.push(parent);
            }
        }
    }
    found
}
