//! A new workflow like an old one, with or without what the old one has done (C-CTL-06).

use argosy_model::k8s::{ObjectMeta, Time};
use argosy_model::{
    Condition, ConditionType, NodePhase, NodeStatus, NodeType, ShutdownStrategy, Workflow, WorkflowPhase,
    WorkflowStatus,
};
use jiff::Timestamp;

use super::tree::above;
use super::{Error, parameters};
use crate::names;

/// Labels that say what became of a workflow or who made it, which a new one gets anew.
const NOT_KEPT: &[&str] = &[
    "workflows.argoproj.io/creator",
    "workflows.argoproj.io/creator-email",
    "workflows.argoproj.io/creator-preferred-username",
    "workflows.argoproj.io/phase",
    "workflows.argoproj.io/completed",
    "workflows.argoproj.io/workflow-archiving-status",
];
const FROM: &str = "workflows.argoproj.io/resubmitted-from-workflow";

/// How a workflow is submitted again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Resubmission {
    /// Keep what succeeded; only for workflows that failed.
    pub memoized: bool,
    /// New arguments, `NAME=VALUE`.
    pub parameters: Vec<String>,
    /// Five random characters that make the name of a memoized workflow.
    pub suffix: String,
}

/// The new workflow.
///
/// # Errors
/// When a memoized run of a workflow is wanted that did not fail, or a parameter has no `=`.
pub fn resubmit(old: &Workflow, how: &Resubmission, now: Timestamp) -> Result<Workflow, Error> {
    let mut new = Workflow {
        type_meta: old.type_meta.clone(),
        metadata: metadata(old),
        spec: old.spec.clone(),
        status: WorkflowStatus::default(),
    };
    if how.memoized {
        if !matches!(old.status.phase, WorkflowPhase::Failed | WorkflowPhase::Error) {
            return Err(Error::MemoizeUnfailed);
        }
        new.metadata.name = format!("{}{}", new.metadata.generate_name, how.suffix);
    }
    new.spec.shutdown = ShutdownStrategy::Unset;
    if new.spec.active_deadline_seconds == Some(0) {
        new.spec.active_deadline_seconds = None;
    }
    parameters::override_with(&mut new, &how.parameters)?;
    if how.memoized {
        keep_successes(old, &mut new, now);
    }
    Ok(new)
}

fn metadata(old: &Workflow) -> ObjectMeta {
    let old = &old.metadata;
    let generate_name = if old.generate_name.is_empty() {
        format!("{}-", old.name)
    } else {
        old.generate_name.clone()
    };
    let mut labels = old.labels.clone();
    labels.retain(|key, _| !NOT_KEPT.contains(&key.as_str()));
    labels.insert(FROM.to_owned(), old.name.clone());
    ObjectMeta {
        generate_name,
        labels,
        annotations: old.annotations.clone(),
        owner_references: old.owner_references.clone(),
        ..ObjectMeta::default()
    }
}

fn keep_successes(old: &Workflow, new: &mut Workflow, now: Timestamp) {
    let old_name = old.metadata.name.as_str();
    let new_name = new.metadata.name.clone();
    let on_exit = names::on_exit(old_name);
    let renamed = |name: &str| format!("{new_name}{}", name.strip_prefix(old_name).unwrap_or(name));
    let new_id = |id: &str| {
        let name = old
            .status
            .nodes
            .get(id)
            .map_or_else(String::new, |node| renamed(&node.name));
        names::node_id(&new_name, &name)
    };
    let fruitful = above(&old.status.nodes, |node| node.phase == NodePhase::Succeeded);
    for node in old
        .status
        .nodes
        .values()
        .filter(|node| !node.name.starts_with(&on_exit))
    {
        if node.type_ == NodeType::Skipped && !fruitful.contains(node.id.as_str()) {
            continue;
        }
        let mut kept = node.clone();
        kept.name = renamed(&node.name);
        kept.id = names::node_id(&new_name, &kept.name);
        if !node.boundary_id.is_empty() {
            kept.boundary_id = new_id(&node.boundary_id);
        }
        let children: Vec<String> = node.children.iter().map(|id| new_id(id)).collect();
        kept.children = children.into();
        kept.outbound_nodes = node.outbound_nodes.iter().map(|id| new_id(id)).collect();
        settle(&mut kept, node, now);
        new.status.nodes.insert(kept.id.clone(), kept);
    }
    new.status.stored_templates = old.status.stored_templates.clone();
    new.status.conditions = vec![Condition {
        type_: ConditionType::Completed,
        status: "False".to_owned(),
        ..Condition::default()
    }];
}

/// Pods that did not fail count as done; everything else starts again.
fn settle(kept: &mut NodeStatus, node: &NodeStatus, now: Timestamp) {
    let failed = matches!(node.phase, NodePhase::Failed | NodePhase::Error);
    if node.type_ == NodeType::Pod && failed {
        kept.started_at = None;
        kept.finished_at = None;
    } else {
        kept.started_at = Some(Time(now));
        kept.finished_at = Some(Time(now));
    }
    if node.type_ == NodeType::Pod && !failed {
        kept.phase = NodePhase::Skipped;
        kept.type_ = NodeType::Skipped;
        kept.message = format!("original pod: {}", node.id);
    } else {
        kept.phase = NodePhase::Pending;
        kept.message.clear();
    }
}
