//! The tree of nodes that `get`, `watch` and `run` show.
//!
//! Templates that hold others (`Steps`, `DAG`) hold the nodes that name them as their boundary; groups and retries hold
//! their own children. Task groups and the containers of a set are not shown.

use std::collections::{BTreeMap, BTreeSet};

use argosy_model::{NodePhase, NodeStatus, NodeType, Workflow};

use super::glyph::Style;
use super::lookup::Filter;

/// A row of the tree.
pub struct Row<'a> {
    /// Branches, icon and name.
    pub label: String,
    /// What the row is of; `None` for the empty row before the exit handler.
    pub node: Option<&'a NodeStatus>,
}

/// The rows of a workflow's tree; empty while there is no root.
pub fn rows<'a>(workflow: &'a Workflow, style: Style, filter: &Filter) -> Vec<Row<'a>> {
    let nodes = &workflow.status.nodes;
    let name = workflow.metadata.name.as_str();
    let Some(root) = nodes.get(name) else {
        return Vec::new();
    };
    let mut tree = Tree {
        held: held(nodes),
        style,
        filter,
        rows: Vec::new(),
    };
    tree.draw(root, " ", " ");
    let exit = format!("{name}.onExit");
    if let Some(handler) = nodes.values().find(|node| node.name == exit) {
        tree.rows.push(Row {
            label: String::new(),
            node: None,
        });
        tree.draw(handler, " ", " ");
    }
    tree.rows
}

/// By node id: the nodes that it holds, in the order in which they are shown.
fn held(nodes: &BTreeMap<String, NodeStatus>) -> BTreeMap<&str, Vec<&NodeStatus>> {
    let mut held: BTreeMap<&str, Vec<&NodeStatus>> = BTreeMap::new();
    let mut in_group = BTreeSet::new();
    for (id, node) in nodes
        .iter()
        .filter(|(_, n)| matches!(n.type_, NodeType::StepGroup | NodeType::Retry))
    {
        let children: Vec<_> = node
            .children
            .iter()
            .filter_map(|c| nodes.get(c))
            .filter(|c| is_shown(c))
            .collect();
        in_group.extend(node.children.iter().map(String::as_str));
        held.insert(id, children);
    }
    for (id, node) in nodes {
        let within = nodes
            .get(&node.boundary_id)
            .filter(|b| matches!(b.type_, NodeType::Steps | NodeType::Dag));
        if within.is_some() && is_shown(node) && !in_group.contains(id.as_str()) {
            held.entry(node.boundary_id.as_str()).or_default().push(node);
        }
    }
    for children in held.values_mut() {
        children.sort_by(|a, b| {
            let index = |n: &NodeStatus| trailing_index(&n.name);
            let by_index = match (index(a), index(b)) {
                (Some(x), Some(y)) => x.cmp(&y),
                _ => std::cmp::Ordering::Equal,
            };
            a.started_at
                .cmp(&b.started_at)
                .then(by_index)
                .then_with(|| a.name.cmp(&b.name))
        });
    }
    held
}

fn is_shown(node: &NodeStatus) -> bool {
    !matches!(
        node.type_,
        NodeType::TaskGroup | NodeType::Container | NodeType::Unset | NodeType::Other(_)
    )
}

/// The `3` of a name that ends like `step(3:item)`.
fn trailing_index(name: &str) -> Option<u64> {
    let inner = name.strip_suffix(')')?;
    let (_, inner) = inner
        .rsplit_once('(')
        .filter(|(_, i)| i.contains(':'))
        .or_else(|| inner.split_once('('))?;
    inner.split(':').next()?.parse().ok()
}

struct Tree<'a, 'f> {
    held: BTreeMap<&'a str, Vec<&'a NodeStatus>>,
    style: Style,
    filter: &'f Filter,
    rows: Vec<Row<'a>>,
}

impl<'a> Tree<'a, '_> {
    /// Draws a node and all below it; `before` stands on its own row, `below` on the rows of what it holds.
    fn draw(&mut self, node: &'a NodeStatus, before: &str, below: &str) {
        let children = self.held.get(node.id.as_str()).cloned().unwrap_or_default();
        let hidden = self.is_hidden(node, children.len());
        if !hidden {
            let label = format!("{before}{} {}", self.style.node(node), node.display_name);
            self.rows.push(Row {
                label,
                node: Some(node),
            });
        }
        let grouped = matches!(node.type_, NodeType::StepGroup | NodeType::Retry);
        let passes_through = hidden && (!grouped || node.type_ == NodeType::Retry && children.len() == 1);
        let branches = self.style.branches();
        let count = children.len();
        for (index, child) in children.into_iter().enumerate() {
            let last = index + 1 == count;
            let continued = format!("{below}{}", if last { "  " } else { branches.continued });
            if passes_through {
                self.draw(child, before, below);
            } else if hidden && index == 0 {
                let branch = if last { branches.only } else { branches.first };
                self.draw(child, &format!("{before}{branch}"), &continued);
            } else {
                let branch = if last { branches.last } else { branches.middle };
                self.draw(child, &format!("{below}{branch}"), &continued);
            }
        }
    }

    fn is_hidden(&self, node: &NodeStatus, children: usize) -> bool {
        node.type_ == NodeType::StepGroup
            || node.type_ == NodeType::Retry && children == 1
            || node.type_ == NodeType::Skipped && node.phase == NodePhase::Omitted
            || !self.filter.matches(node)
    }
}
