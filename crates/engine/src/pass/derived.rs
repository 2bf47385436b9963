//! Progress and resource durations, which follow from other nodes (C-NODE-30, C-NODE-31, C-PER-01).

use std::collections::{BTreeMap, BTreeSet};

use argosy_model::{NodePhase, NodeType, Progress};

use super::Pass;
use crate::node;

impl Pass<'_> {
    /// Brings the derived values up to the nodes, before they are stored.
    pub fn update_derived(&mut self) {
        let own: Vec<String> = self
            .nodes
            .iter()
            .filter(|n| node::has_progress(&n.type_))
            .filter(|n| matches!(n.phase, NodePhase::Succeeded | NodePhase::Skipped | NodePhase::Omitted))
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
        let all: Vec<String> = self.nodes.iter().filter(|n| n.type_ != NodeType::Pod).map(|n| n.id.clone()).collect();
        for id in all {
            self.update_virtual(&id);
        }
        self.status.progress = Progress::new(progress.0, progress.1);
        self.set_pod_running();
        self.status.resources_duration = resources;
    }

    fn update_virtual(&mut self, id: &str) {
        let Some(node) = self.nodes.get(id) else { return };
        let sums_progress = !node::has_progress(&node.type_);
        let sums_resources = node::fulfilled(node);
        if !sums_progress && !sums_resources {
            return;
        }
        let mut seen = BTreeSet::new();
        let mut open: Vec<&str> = node.children.iter().map(String::as_str).collect();
        let mut progress = (0, 0);
        let mut resources = BTreeMap::new();
        while let Some(next) = open.pop() {
            if !seen.insert(next.to_owned()) {
                continue;
            }
            let Some(child) = self.nodes.get(next) else { continue };
            if node::has_progress(&child.type_)
                && let Some((done, total)) = child.progress.parts()
            {
                progress = (progress.0 + done, progress.1 + total);
            }
            if child.type_ == NodeType::Pod {
                add(&mut resources, &child.resources_duration);
            }
            open.extend(child.children.iter().map(String::as_str));
        }
        self.nodes.change(id, |n| {
            if sums_progress && progress.1 > 0 {
                n.progress = Progress::new(progress.0, progress.1);
            }
            if sums_resources {
                n.resources_duration = resources;
            }
        });
    }
}

fn add(total: &mut BTreeMap<String, i64>, part: &BTreeMap<String, i64>) {
    for (name, secs) in part {
        *total.entry(name.clone()).or_insert(0) += secs;
    }
}
