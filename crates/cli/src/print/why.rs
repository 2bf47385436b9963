//! Why nodes do not move, as sentences.

use std::collections::BTreeSet;

use argosy_engine::Waiting;
use argosy_engine::scope_check::explain;
use argosy_model::{NodeStatus, Workflow};
use jiff::Timestamp;

use super::table;
use super::time::Clock;

const PADDING: usize = 3;

/// The table of nodes that wait, each with its reason.
pub fn describe(rows: &[(String, &Waiting)], clock: &Clock) -> String {
    let mut text = String::from("NODE\tWAITS FOR\n");
    for (node, waiting) in rows {
        text.push_str(&format!("{node}\t{}\n", sentence(waiting, clock)));
    }
    table::align(&text, PADDING)
}

/// What is wrong with the tags and expressions that nodes failed with, or wait for: the expression with a caret, the
/// nearest name, what was in scope. Of one node, or of all and the workflow itself.
pub fn failures(workflow: &Workflow, wanted: Option<&str>) -> String {
    let all = &workflow.status.nodes;
    // Those around a node that failed say what it says.
    let below = |node: &NodeStatus| {
        let children = node.children.iter().filter_map(|id| all.get(id));
        children
            .map(|child| &child.message)
            .any(|message| *message == node.message)
    };
    let nodes = all
        .iter()
        .filter(|(id, node)| match wanted {
            Some(wanted) => is_called(workflow, id, wanted),
            None => !below(node),
        })
        .map(|(_, node)| (node.name.as_str(), Some(node), node.message.as_str()));
    let own = wanted.is_none().then_some((
        workflow.metadata.name.as_str(),
        None,
        workflow.status.message.as_str(),
    ));
    let mut told = BTreeSet::new();
    let mut text = String::new();
    for (name, node, message) in nodes.chain(own) {
        if let Some(diagnosis) = explain(workflow, node, message)
            && told.insert(diagnosis.to_string())
        {
            text.push_str(&format!("{name}: {diagnosis}\n"));
        }
    }
    text
}

/// Whether a user who writes `wanted` means the node.
pub fn is_called(workflow: &Workflow, id: &str, wanted: &str) -> bool {
    id == wanted
        || workflow
            .status
            .nodes
            .get(id)
            .is_some_and(|n| n.name == wanted || n.display_name == wanted)
}

/// What a node waits for, with the facts that somebody needs to do something about it.
pub fn sentence(waiting: &Waiting, clock: &Clock) -> String {
    match waiting {
        Waiting::Admission => {
            "its turn: as many workflows run as the controller's parallelism allows".to_owned()
        }
        Waiting::WorkflowSuspended => "somebody to resume the workflow: it is suspended".to_owned(),
        Waiting::Lock {
            lock,
            holders,
            message,
        } => {
            let by = match holders.is_empty() {
                true => String::new(),
                false => format!(", held by {}", holders.join(", ")),
            };
            format!("lock {lock}{by}{}", after(message))
        }
        Waiting::Parallelism { active, limit } => {
            format!("one of {active} running nodes to end: parallelism is {limit}")
        }
        Waiting::RetryAt(time) => format!("its next attempt, {}", at(*time, clock)),
        Waiting::PodCreation { pod } => format!("pod {pod} to be made"),
        Waiting::PodRefused { message } => format!("the API to accept its pod{}", after(message)),
        Waiting::PodPending { pod, message } => format!("pod {pod} to start{}", after(message)),
        Waiting::PodRunning { pod } => format!("pod {pod}, which runs"),
        Waiting::Result { pod, until } => {
            let end = until.map_or(String::new(), |t| format!("; given up {}", at(t, clock)));
            format!("the result of pod {pod}, which has ended{end}")
        }
        Waiting::Suspended { until: None } => "somebody to resume it".to_owned(),
        Waiting::Suspended { until: Some(time) } => {
            format!("its time, {}, or somebody to resume it", at(*time, clock))
        }
        Waiting::Agent => "the agent, which works on it".to_owned(),
        Waiting::Nodes(nodes) if nodes.is_empty() => {
            "nothing that is known: this is a fault of Argosy, please report it".to_owned()
        }
        Waiting::Nodes(nodes) => format!("other nodes: {}", nodes.join(", ")),
        Waiting::Variable { message } => format!("a value that no node has given yet{}", after(message)),
        Waiting::Image { image } => format!("the entrypoint of image {image} to be looked up"),
        Waiting::Claim { message } => format!("its volume claim{}", after(message)),
        Waiting::ArtifactRepository => "its artifact repository to be looked up".to_owned(),
    }
}

/// What helps, on a machine that runs pods itself, against a scheduler's reason to keep a pod waiting.
pub fn advice(message: &str) -> Option<&'static str> {
    let reason = message.split("nodes are available: ").nth(1)?;
    if reason.contains("didn't match Pod's node affinity/selector") {
        Some(
            "the node of this machine lacks a label that the pod selects; `--node-label KEY=VALUE` of run and standalone \
             gives it, and so does `kubectl label node argosy KEY=VALUE`",
        )
    } else if reason.contains("untolerated taint") {
        Some("`kubectl taint node argosy KEY-` takes a taint away from the node of this machine")
    } else if reason.contains("were unschedulable") {
        Some("`kubectl uncordon argosy` lets the node of this machine take pods again")
    } else if reason.contains("Insufficient") && message.contains("Preemption is not helpful") {
        Some("the pod requests more than this machine has; its `resources.requests` would have to be lower")
    } else {
        None
    }
}

fn after(message: &str) -> String {
    match message.is_empty() {
        true => String::new(),
        false => format!(": {message}"),
    }
}

fn at(time: Timestamp, clock: &Clock) -> String {
    clock.timestamp(time)
}
