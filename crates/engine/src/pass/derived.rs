//! Progress and resource durations, which follow from other nodes (C-NODE-30, C-NODE-31, C-PER-01).

use std::collections::{BTreeMap, HashMap};

use argosy_model::{NodePhase, NodeStatus, NodeType, Progress};

use super::Pass;
use crate::node;

impl Pass<'_> {
    /// Brings the derived values up to the nodes, before they are stored.
    pub fn update_derived(&mut self) {
        let own: Vec<String> = self
            .nodes
            .iter()
            .filter(|n| {
                node::has_progress(&n.type_) && n.progress.parts().is_some_and(|(done, total)| done < total)
            })
            .filter(|n| {
                matches!(
                    n.phase,
                    NodePhase::Succeeded | NodePhase::Skipped | NodePhase::Omitted
                )
            })
            .map(|n| n.id.clone())
            .collect();
        for id in own {
            self.nodes.change(&id, |n| n.progress = n.progress.complete());
        }
        let mut progress = (0, 0);
        let mut resources = BTreeMap::new();
        for leaf in self.nodes.iter() {
            if node::has_progress(&leaf.type_)
                && let Some((done, total)) = leaf.progress.parts()
            {
                progress = (progress.0 + done, progress.1 + total);
            }
            if leaf.type_ == NodeType::Pod {
                add(&mut resources, &leaf.resources_duration);
            }
        }
        self.update_virtual();
        self.status.progress = Progress::new(progress.0, progress.1);
        self.set_pod_running();
        self.status.resources_duration = resources;
    }

    /// Sums of the nodes that do no work themselves, over everything that can be reached from them.
    fn update_virtual(&mut self) {
        let graph = Graph::of(self.nodes.iter());
        let mut seen = vec![usize::MAX; graph.nodes.len()];
        let mut sums = Vec::new();
        for (at, node) in graph.nodes.iter().enumerate() {
            let sums_progress = !node::has_progress(&node.type_);
            let sums_resources = node.type_ != NodeType::Pod && node::fulfilled(node);
            if !sums_progress && !sums_resources {
                continue;
            }
            let mut open = graph.children[at].clone();
            let mut progress = (0, 0);
            let mut resources = BTreeMap::new();
            while let Some(next) = open.pop() {
                if std::mem::replace(&mut seen[next], at) == at {
                    continue;
                }
                let child = graph.nodes[next];
                if node::has_progress(&child.type_)
                    && let Some((done, total)) = child.progress.parts()
                {
                    progress = (progress.0 + done, progress.1 + total);
                }
                if sums_resources && child.type_ == NodeType::Pod {
                    add(&mut resources, &child.resources_duration);
                }
                open.extend(&graph.children[next]);
            }
            let progress = (sums_progress && progress.1 > 0).then(|| Progress::new(progress.0, progress.1));
            let resources = sums_resources.then_some(resources);
            let same = progress.as_ref().is_none_or(|p| *p == node.progress)
                && resources.as_ref().is_none_or(|r| *r == node.resources_duration);
            if !same {
                sums.push((node.id.clone(), progress, resources));
            }
        }
        for (id, progress, resources) in sums {
            self.nodes.change(&id, |node| {
                if let Some(progress) = progress {
                    node.progress = progress;
                }
                if let Some(resources) = resources {
                    node.resources_duration = resources;
                }
            });
        }
    }
}

/// The nodes with their edges as numbers: walks over thousands of nodes compare no texts.
struct Graph<'n> {
    nodes: Vec<&'n NodeStatus>,
    children: Vec<Vec<usize>>,
}

impl<'n> Graph<'n> {
    fn of(nodes: impl Iterator<Item = &'n NodeStatus>) -> Self {
        let nodes: Vec<&NodeStatus> = nodes.collect();
        let places: HashMap<&str, usize> = nodes
            .iter()
            .enumerate()
            .map(|(at, n)| (n.id.as_str(), at))
            .collect();
        let children = nodes
            .iter()
            .map(|n| {
                n.children
                    .iter()
                    .filter_map(|c| places.get(c.as_str()).copied())
                    .collect()
            })
            .collect();
        Self { nodes, children }
    }
}

fn add(total: &mut BTreeMap<String, i64>, part: &BTreeMap<String, i64>) {
    for (name, secs) in part {
        *total.entry(name.clone()).or_insert(0) += secs;
    }
}
