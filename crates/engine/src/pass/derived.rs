//! Progress and resource durations, which follow from other nodes (C-NODE-30, C-NODE-31, C-PER-01).

use std::cmp::Reverse;
use std::collections::{BTreeMap, BTreeSet, BinaryHeap};

use argosy_model::{NodePhase, NodeStatus, NodeType, Progress};
use rustc_hash::FxHashMap;

use super::Pass;
use super::pods::{is_running, runs_by};
use crate::node;

impl Pass<'_> {
    /// Brings the derived values up to the nodes, before they are stored.
    pub fn update_derived(&mut self) {
        let own = self.nodes.iter().filter(|n| is_to_be_completed(n));
        let own: Vec<String> = own.map(|n| n.id.clone()).collect();
        for id in own {
            self.nodes.change(&id, |n| n.progress = n.progress.complete());
        }
        let graph = Graph::of(self.nodes.iter());
        let mut all = Sum::default();
        graph.own.iter().for_each(|own| all.add(own));
        let changed = graph.changed_sums();
        self.status.progress = Progress::new(all.done, all.total);
        self.status.resources_duration = graph.resources(&all);
        for (id, progress, resources) in changed {
            self.nodes.set_sums(&id, progress, resources);
        }
        self.set_pod_running();
    }

    /// Whether what is stored of the nodes together is right: sums, and whether any pod runs. It is not after a person has
    /// ended a node.
    pub fn stored_sums_hold(&self) -> bool {
        if self.wf.status.nodes.values().any(is_to_be_completed) {
            return false;
        }
        let graph = Graph::of(self.wf.status.nodes.values());
        let mut all = Sum::default();
        graph.own.iter().for_each(|own| all.add(own));
        let status = &self.wf.status;
        runs_by(status) == status.nodes.values().any(is_running)
            && status.progress == Progress::new(all.done, all.total)
            && status.resources_duration == graph.resources(&all)
            && graph.changed_sums().is_empty()
    }
}

/// Whether a node ended well whose progress does not say so.
pub(super) fn is_to_be_completed(node: &NodeStatus) -> bool {
    node::has_progress(&node.type_)
        && node.progress.parts().is_some_and(|(done, total)| done < total)
        && matches!(
            node.phase,
            NodePhase::Succeeded | NodePhase::Skipped | NodePhase::Omitted
        )
}

/// Whether nodes of the type sum up the progress of those below.
pub(super) fn sums_progress(node: &NodeStatus) -> bool {
    !node::has_progress(&node.type_)
}

/// Whether a node sums up what those below have used.
pub(super) fn sums_resources(node: &NodeStatus) -> bool {
    node.type_ != NodeType::Pod && node::fulfilled(node)
}

/// The nodes with their edges as numbers: walks over thousands of nodes compare no texts.
struct Graph<'n> {
    nodes: Vec<&'n NodeStatus>,
    children: Children,
    /// Nodes so that each comes before those that it leads to.
    order: Vec<usize>,
    /// Where a node stands in that order.
    rank: Vec<usize>,
    /// What each node makes by itself.
    own: Vec<Sum>,
    /// Names of the resources.
    resources: Vec<&'n str>,
}

/// The children of all nodes, one after the other.
struct Children {
    all: Vec<usize>,
    /// Where those of each node end.
    ends: Vec<usize>,
}

impl Children {
    fn of(nodes: &[&NodeStatus], places: &FxHashMap<&str, usize>) -> Self {
        let mut all = Vec::with_capacity(nodes.iter().map(|n| n.children.len()).sum());
        let mut ends = Vec::with_capacity(nodes.len());
        let mut parents = vec![usize::MAX; nodes.len()];
        for (at, node) in nodes.iter().enumerate() {
            let children = node.children.iter().filter_map(|c| places.get(c.as_str()));
            // Each once, whatever others have written.
            all.extend(children.filter(|child| std::mem::replace(&mut parents[**child], at) != at));
            ends.push(all.len());
        }
        Self { all, ends }
    }

    fn of_node(&self, at: usize) -> &[usize] {
        let start = if at == 0 { 0 } else { self.ends[at - 1] };
        &self.all[start..self.ends[at]]
    }

    /// The numbers so that each comes before those that it leads to; those in circles, which no tree of ours has, come
    /// last.
    fn order(&self) -> Vec<usize> {
        let count = self.ends.len();
        let mut before = vec![0_usize; count];
        for child in &self.all {
            before[*child] += 1;
        }
        let mut order = Vec::with_capacity(count);
        order.extend((0..count).filter(|at| before[*at] == 0));
        let mut at = 0;
        while let Some(node) = order.get(at).copied() {
            at += 1;
            for child in self.of_node(node) {
                before[*child] -= 1;
                if before[*child] == 0 {
                    order.push(*child);
                }
            }
        }
        if order.len() < count {
            order.extend((0..count).filter(|at| before[*at] > 0));
        }
        order
    }
}

/// What nodes make together.
#[derive(Clone, Default)]
struct Sum {
    done: i64,
    total: i64,
    /// By the place of the name; those that none of them has are missing.
    resources: Vec<Option<i64>>,
}

impl<'n> Graph<'n> {
    fn of(nodes: impl Iterator<Item = &'n NodeStatus>) -> Self {
        let nodes: Vec<&NodeStatus> = nodes.collect();
        let places: FxHashMap<&str, usize> = nodes
            .iter()
            .enumerate()
            .map(|(at, n)| (n.id.as_str(), at))
            .collect();
        let children = Children::of(&nodes, &places);
        let order = children.order();
        let mut rank = vec![0; nodes.len()];
        for (at, node) in order.iter().enumerate() {
            rank[*node] = at;
        }
        let pods = nodes.iter().filter(|n| n.type_ == NodeType::Pod);
        let names: BTreeSet<&str> = pods
            .flat_map(|n| n.resources_duration.keys())
            .map(String::as_str)
            .collect();
        let resources: Vec<&str> = names.into_iter().collect();
        Self {
            own: nodes.iter().map(|node| Sum::of(node, &resources)).collect(),
            nodes,
            children,
            order,
            rank,
            resources,
        }
    }

    /// Progress and resources of the nodes that do no work themselves, where they are others than they were: sums over
    /// everything that can be reached from them.
    fn changed_sums(&self) -> Vec<(String, Progress, BTreeMap<String, i64>)> {
        let mut changed = Vec::new();
        for (node, sum) in self.sums() {
            let progress = if sums_progress(node) && sum.total > 0 {
                Progress::new(sum.done, sum.total)
            } else {
                node.progress.clone()
            };
            let resources = if sums_resources(node) {
                self.resources(&sum)
            } else {
                node.resources_duration.clone()
            };
            if progress != node.progress || resources != node.resources_duration {
                changed.push((node.id.clone(), progress, resources));
            }
        }
        changed
    }

    /// The sum of what can be reached from each node that sums.
    fn sums(&self) -> impl Iterator<Item = (&'n NodeStatus, Sum)> {
        let mut sums: Vec<Option<Sum>> = vec![None; self.nodes.len()];
        let mut walk = Walk {
            met: vec![usize::MAX; self.nodes.len()],
            known: FxHashMap::default(),
        };
        for at in self.order.iter().rev().copied() {
            let node = self.nodes[at];
            if sums_progress(node) || sums_resources(node) {
                sums[at] = Some(self.sum(at, &mut walk));
            }
        }
        let nodes = self.nodes.clone();
        nodes
            .into_iter()
            .zip(sums)
            .filter_map(|(node, sum)| Some((node, sum?)))
    }

    /// What can be reached from one node. Where all ways meet, in a node or in one that leads to all of a layer, nothing
    /// behind it is walked to twice: chains and layers of thousands cost no more than their edges.
    fn sum<'g>(&'g self, from: usize, walk: &mut Walk<'g>) -> Sum {
        // What was added since all that was left to walk from were the children of one node, for each such node.
        let mut parts: Vec<(&[usize], Sum)> = vec![(self.children.of_node(from), Sum::default())];
        // By rank, so that nothing that was met can be reached from the last ones left.
        let mut open: BinaryHeap<Reverse<usize>> = BinaryHeap::new();
        let mut total = Sum::default();
        walk.meet(&mut open, from, from, self);
        while let Some(Reverse(rank)) = open.pop() {
            let next = self.order[rank];
            if let Some((_, part)) = parts.last_mut() {
                part.add(&self.own[next]);
            }
            walk.meet(&mut open, next, from, self);
            let children = self.children.of_node(next);
            if children.is_empty() || children.len() != open.len() {
                continue;
            }
            if let Some(known) = walk.known.get(children) {
                total.add(known);
                break;
            }
            parts.push((children, Sum::default()));
        }
        for (children, part) in parts.into_iter().rev() {
            total.add(&part);
            walk.known.insert(children, total.clone());
        }
        total
    }

    fn resources(&self, sum: &Sum) -> BTreeMap<String, i64> {
        let named = self.resources.iter().zip(&sum.resources);
        named
            .filter_map(|(name, secs)| Some(((*name).to_owned(), (*secs)?)))
            .collect()
    }
}

/// What is known from one walk over the nodes to the next.
struct Walk<'g> {
    /// The walk that met each node last: where it began.
    met: Vec<usize>,
    /// What can be reached from all of these children, themselves included.
    known: FxHashMap<&'g [usize], Sum>,
}

impl Walk<'_> {
    /// Meets the children of a node, on the walk that began at `from`.
    fn meet(&mut self, open: &mut BinaryHeap<Reverse<usize>>, at: usize, from: usize, graph: &Graph<'_>) {
        for next in graph.children.of_node(at) {
            if std::mem::replace(&mut self.met[*next], from) != from {
                open.push(Reverse(graph.rank[*next]));
            }
        }
    }
}

impl Sum {
    fn of(node: &NodeStatus, resources: &[&str]) -> Self {
        let mut sum = Self::default();
        if node::has_progress(&node.type_)
            && let Some((done, total)) = node.progress.parts()
        {
            (sum.done, sum.total) = (done, total);
        }
        if node.type_ == NodeType::Pod {
            for (name, secs) in &node.resources_duration {
                if let Ok(place) = resources.binary_search(&name.as_str()) {
                    sum.add_resource(place, *secs);
                }
            }
        }
        sum
    }

    fn add_resource(&mut self, place: usize, secs: i64) {
        if self.resources.len() <= place {
            self.resources.resize(place + 1, None);
        }
        *self.resources[place].get_or_insert(0) += secs;
    }

    fn add(&mut self, other: &Self) {
        self.done += other.done;
        self.total += other.total;
        for (place, secs) in other.resources.iter().enumerate() {
            if let Some(secs) = secs {
                self.add_resource(place, *secs);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    /// Nodes in layers, from numbers that look random: some wholly connected to the next layer, some by a few edges.
    fn layered(seed: u64) -> Vec<NodeStatus> {
        let mut state = seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1;
        let mut next = |below: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % below
        };
        let widths: Vec<u64> = (0..2 + next(6)).map(|_| 1 + next(5)).collect();
        let id = |layer: usize, at: u64| format!("{layer}-{at}");
        let mut nodes = Vec::new();
        for (layer, width) in widths.iter().enumerate() {
            let is_whole = next(2) == 0;
            for at in 0..*width {
                let after = widths.get(layer + 1).copied().unwrap_or(0);
                let children = (0..after).filter(|_| is_whole || next(3) == 0);
                let children: Vec<String> = children.map(|child| id(layer + 1, child)).collect();
                let is_pod = next(2) == 0;
                nodes.push(NodeStatus {
                    id: id(layer, at),
                    type_: if is_pod { NodeType::Pod } else { NodeType::Retry },
                    phase: NodePhase::Succeeded,
                    progress: Progress::new(i64::from(next(2) == 0), 1),
                    children: Arc::new(children),
                    resources_duration: BTreeMap::from([("cpu".to_owned(), 1)]),
                    ..NodeStatus::default()
                });
            }
        }
        nodes
    }

    #[test]
    fn sums_are_over_each_node_that_can_be_reached_once() {
        for seed in 0..500 {
            let nodes = layered(seed);
            let by_id: BTreeMap<&str, &NodeStatus> = nodes.iter().map(|n| (n.id.as_str(), n)).collect();
            let graph = Graph::of(nodes.iter());
            for (node, sum) in graph.sums() {
                let mut reached = BTreeSet::new();
                let mut open: Vec<&String> = node.children.iter().collect();
                while let Some(id) = open.pop() {
                    if reached.insert(id) {
                        open.extend(by_id[id.as_str()].children.iter());
                    }
                }
                let pods = reached.iter().map(|id| by_id[id.as_str()]);
                let pods = pods.filter(|n| n.type_ == NodeType::Pod);
                let parts: Vec<(i64, i64)> = pods.filter_map(|n| n.progress.parts()).collect();
                let expected = (parts.iter().map(|p| p.0).sum(), parts.iter().map(|p| p.1).sum());
                assert_eq!((sum.done, sum.total), expected, "seed {seed}, node {}", node.id);
                let cpu = i64::try_from(parts.len()).expect("few");
                let resources = graph.resources(&sum);
                assert_eq!(resources.get("cpu").copied().unwrap_or(0), cpu, "seed {seed}");
            }
        }
    }
}
