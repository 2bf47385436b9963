//! What must hold of every status that a decision leaves behind: the invariants that tests and the simulator check.
//!
//! Not here: whether the status is the right one for its workflow. Nodes may still run when their workflow has ended: a
//! limit, a failure or a person that ended it from above leaves them as they are, as in the peer.

use std::collections::BTreeSet;

use argosy_model::{NodeStatus, NodeType, Workflow};

use crate::{names, node};

/// What is wrong with a workflow's status; nothing if all is well. Each text names the node.
#[must_use]
pub fn faults(workflow: &Workflow) -> Vec<String> {
    let mut faults = Vec::new();
    for (id, node) in &workflow.status.nodes {
        let mut fault = |what: String| faults.push(format!("node {}: {what}", node.name));
        identity(workflow, id, node, &mut fault);
        edges(node, &mut fault);
        times(node, &mut fault);
    }
    whole(workflow, &mut faults);
    faults
}

/// Ids follow from names, and boundaries exist (C-NODE-02, C-NODE-06).
fn identity(workflow: &Workflow, id: &str, node: &NodeStatus, fault: &mut impl FnMut(String)) {
    if node.id != id {
        fault(format!("is kept under the id {id}, its own is {}", node.id));
    }
    let expected = names::node_id(&workflow.metadata.name, &node.name);
    if id != expected {
        fault(format!("has the id {id}, its name gives {expected}"));
    }
    if !node.boundary_id.is_empty() && !workflow.status.nodes.contains_key(&node.boundary_id) {
        fault(format!("has a boundary {} that is missing", node.boundary_id));
    }
}

/// Children are listed once (C-NODE-20). They need not exist: an item that a limit held back to the end has an edge and
/// no node, as in the peer.
fn edges(node: &NodeStatus, fault: &mut impl FnMut(String)) {
    let mut seen = BTreeSet::new();
    for child in node.children.iter() {
        if !seen.insert(child) {
            fault(format!("lists the child {child} twice"));
        }
    }
}

/// What ended has an end, and what goes on has none (C-NODE-09).
fn times(node: &NodeStatus, fault: &mut impl FnMut(String)) {
    let ended = node::phase_ended(&node.phase);
    let waits_for_result = ended && !node::synced(node);
    match (&node.finished_at, ended) {
        // Of a pod that never ran no container tells an end.
        (None, true) if !waits_for_result && node.type_ != NodeType::Pod => {
            fault(format!("is {} without an end", node.phase));
        }
        (Some(_), false) if !node::daemoned(node) => fault(format!("is {} and has an end", node.phase)),
        _ => {}
    }
    if let Some((done, total)) = node.progress.parts()
        && done > total
    {
        fault(format!("has the progress {done}/{total}"));
    }
}

/// The workflow's own phase, labels and sums.
fn whole(workflow: &Workflow, faults: &mut Vec<String>) {
    let status = &workflow.status;
    let ended = node::workflow_fulfilled(&status.phase);
    let label = |name: &str| workflow.metadata.labels.get(name).map(String::as_str);
    let phase = label("workflows.argoproj.io/phase").unwrap_or_default();
    if phase != status.phase.to_string() {
        faults.push(format!("the label says {phase:?}, the phase is {}", status.phase));
    }
    let completed = label("workflows.argoproj.io/completed") == Some("true");
    if completed != ended {
        faults.push(format!("completed is {completed} in phase {}", status.phase));
    }
    let sum = status
        .nodes
        .values()
        .filter(|n| node::has_progress(&n.type_))
        .filter_map(|n| n.progress.parts());
    let sum = sum.fold((0, 0), |sum, part| (sum.0 + part.0, sum.1 + part.1));
    if !status.nodes.is_empty() && status.progress.parts().is_some_and(|own| own != sum) {
        faults.push(format!(
            "the progress is {}, its nodes add up to {sum:?}",
            status.progress
        ));
    }
    if !ended {
        return;
    }
    if status.finished_at.is_none() {
        faults.push("it ended and has no end".to_owned());
    }
    if status.synchronization.is_some() {
        faults.push("it ended and still shows locks".to_owned());
    }
    for node in status.nodes.values().filter(|n| node::daemoned(n)) {
        faults.push(format!("it ended while node {} is a daemon", node.name));
    }
}
