//! Running the failed part of a workflow again (C-CTL-07…C-CTL-09).

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use argosy_model::k8s::Time;
use argosy_model::{
    AnyString, Condition, ConditionType, NodePhase, NodeStatus, NodeType, ShutdownStrategy,
    SuppliedValueFrom, ValueFrom, Workflow, WorkflowPhase,
};
use jiff::Timestamp;

use super::tree::above;
use super::{Error, Selector, parameters};
use crate::names::{self, PodNames};
use crate::node::{executes, failed_or_error};

/// What is run again.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Retry {
    /// Also nodes that succeeded, when the selector matches them.
    pub restart_successful: bool,
    /// Which of those.
    pub selector: Selector,
    /// New arguments, `NAME=VALUE`.
    pub parameters: Vec<String>,
}

/// A workflow that is to run again.
#[derive(Debug, Clone, PartialEq)]
pub struct Retried {
    /// The workflow.
    pub workflow: Workflow,
    /// Pods to delete before it is written.
    pub pods: Vec<String>,
}

/// The workflow with its failed part taken away.
///
/// # Errors
/// When the workflow did not end, succeeded and nothing is selected, or a parameter has no `=`.
pub fn retry(old: &Workflow, how: &Retry, pod_names: PodNames, now: Timestamp) -> Result<Retried, Error> {
    match &old.status.phase {
        WorkflowPhase::Failed | WorkflowPhase::Error => {}
        WorkflowPhase::Succeeded if how.restart_successful && !how.selector.is_empty() => {}
        WorkflowPhase::Succeeded => return Err(Error::RetrySucceeded),
        other => return Err(Error::RetryUnfinished(other.to_string())),
    }
    let mut workflow = old.clone();
    reset_workflow(&mut workflow, now);
    parameters::override_with(&mut workflow, &how.parameters)?;
    let tree = Tree::new(old);
    let mut plan = tree.plan(how)?;
    if !how.parameters.is_empty() {
        tree.forget_loop_items(&mut plan);
    }
    let pods = tree.pods_of(&plan.deleted, pod_names);
    apply(&mut workflow, &plan, now);
    Ok(Retried { workflow, pods })
}

/// The object as if it had not ended (C-CTL-08).
fn reset_workflow(workflow: &mut Workflow, now: Timestamp) {
    for label in [
        "workflows.argoproj.io/completed",
        "workflows.argoproj.io/workflow-archiving-status",
    ] {
        workflow.metadata.labels.remove(label);
    }
    let status = &mut workflow.status;
    match status
        .conditions
        .iter_mut()
        .find(|c| c.type_ == ConditionType::Completed)
    {
        Some(condition) => "False".clone_into(&mut condition.status),
        None => status.conditions.push(Condition {
            type_: ConditionType::Completed,
            status: "False".to_owned(),
            ..Condition::default()
        }),
    }
    status.phase = WorkflowPhase::Unset;
    status.message.clear();
    status.started_at = Some(Time(now));
    status.finished_at = None;
    status.persistent_volume_claims.clear();
    let stored = status.stored_workflow_template_spec.as_deref_mut();
    for spec in std::iter::once(&mut workflow.spec).chain(stored) {
        spec.shutdown = ShutdownStrategy::Unset;
        if spec.active_deadline_seconds == Some(0) {
            spec.active_deadline_seconds = None;
        }
    }
}

/// What becomes of the nodes; deletion is stronger than reset.
#[derive(Default)]
struct Plan {
    deleted: BTreeSet<String>,
    reset: BTreeSet<String>,
    /// Groups from which the way up was gone already.
    climbed: BTreeSet<String>,
}

/// The nodes of a workflow with the ways up.
struct Tree<'a> {
    workflow: &'a Workflow,
    nodes: &'a BTreeMap<String, NodeStatus>,
    parents: BTreeMap<&'a str, &'a str>,
}

impl<'a> Tree<'a> {
    fn new(workflow: &'a Workflow) -> Self {
        let nodes = &workflow.status.nodes;
        let mut parents = BTreeMap::new();
        for node in nodes.values() {
            for child in node.children.iter() {
                parents.insert(child.as_str(), node.id.as_str());
            }
        }
        Self {
            workflow,
            nodes,
            parents,
        }
    }

    fn parent(&self, node: &NodeStatus) -> Option<&'a NodeStatus> {
        self.nodes.get(*self.parents.get(node.id.as_str())?)
    }

    /// A node and everything below it that is not in `known`, in breadth-first order.
    fn below(&self, root: &str, known: &BTreeSet<String>) -> Vec<&'a NodeStatus> {
        let mut seen = BTreeSet::new();
        let mut found = Vec::new();
        let mut queue: VecDeque<&NodeStatus> = self.nodes.get(root).into_iter().collect();
        while let Some(node) = queue.pop_front() {
            if seen.insert(node.id.as_str()) && !known.contains(&node.id) {
                found.push(node);
                queue.extend(node.children.iter().filter_map(|id| self.nodes.get(id)));
            }
        }
        found
    }

    fn plan(&self, how: &Retry) -> Result<Plan, Error> {
        let on_exit = names::on_exit(&self.workflow.metadata.name);
        let mut plan = Plan::default();
        for node in self.nodes.values().filter(|n| n.name.starts_with(&on_exit)) {
            plan.deleted.insert(node.id.clone());
        }
        let selected: BTreeSet<&str> = self
            .nodes
            .values()
            .filter(|node| how.restart_successful && !how.selector.is_empty() && how.selector.matches(node))
            .map(|node| node.id.as_str())
            .collect();
        let fruitful = above(self.nodes, |n| {
            n.phase == NodePhase::Succeeded && !selected.contains(n.id.as_str())
        });
        for node in self.below(&self.workflow.metadata.name, &BTreeSet::new()) {
            let wanted = selected.contains(node.id.as_str()) || self.is_failed_leaf(node, &fruitful);
            if wanted && !plan.deleted.contains(&node.id) {
                self.take_away(node, &mut plan)?;
            }
        }
        Ok(plan)
    }

    /// A node that did the work and failed, unless something built on its failure succeeded.
    fn is_failed_leaf(&self, node: &NodeStatus, fruitful: &BTreeSet<&str>) -> bool {
        if !executes(&node.type_) || !failed_or_error(&node.phase) {
            return false;
        }
        let is_attempt = node.node_flag.as_ref().is_some_and(|flag| flag.retried);
        let judged = if is_attempt {
            self.parent(node).unwrap_or(node)
        } else {
            node
        };
        !fruitful.contains(judged.id.as_str())
    }

    /// Deletes a node with all below it, and resets what holds it.
    fn take_away(&self, node: &'a NodeStatus, plan: &mut Plan) -> Result<(), Error> {
        self.delete(&node.id, plan);
        let mut below_container = false;
        let mut passed = BTreeSet::new();
        let mut next = Some(node);
        while let Some(mut current) = next {
            if !passed.insert(current.id.as_str()) {
                return Err(Error::NoParent(current.id.clone()));
            }
            match current.type_ {
                NodeType::Steps | NodeType::StepGroup | NodeType::Dag | NodeType::TaskGroup => {
                    if !plan.climbed.insert(current.id.clone()) {
                        return Ok(());
                    }
                    plan.reset.insert(current.id.clone());
                    current = self.reset_boundaries(current, plan)?;
                }
                NodeType::Retry if failed_or_error(&current.phase) => {
                    plan.reset.insert(current.id.clone());
                }
                NodeType::Container => {
                    plan.reset.insert(current.id.clone());
                    below_container = true;
                }
                NodeType::Pod if below_container => {
                    self.delete(&current.id, plan);
                    below_container = false;
                }
                _ => {}
            }
            next = self.parent(current);
        }
        Ok(())
    }

    /// Below what is deleted already, everything is.
    fn delete(&self, id: &str, plan: &mut Plan) {
        let more = self.below(id, &plan.deleted);
        plan.deleted.extend(more.into_iter().map(|n| n.id.clone()));
    }

    /// Resets the nodes that enclose a group, boundary by boundary up to the outermost, but not the earlier groups
    /// on the way; gives the last one.
    fn reset_boundaries(&self, group: &'a NodeStatus, plan: &mut Plan) -> Result<&'a NodeStatus, Error> {
        let mut current = group;
        let mut steps_left = self.nodes.len() * 2;
        loop {
            steps_left = steps_left
                .checked_sub(1)
                .ok_or_else(|| Error::NoParent(current.id.clone()))?;
            for kinds in [
                [NodeType::Retry, NodeType::Retry],
                [NodeType::StepGroup, NodeType::TaskGroup],
            ] {
                if let Some(holder) = self.parent(current).filter(|p| kinds.contains(&p.type_)) {
                    plan.reset.insert(holder.id.clone());
                    current = holder;
                }
            }
            if current.boundary_id.is_empty() {
                return Ok(current);
            }
            let boundary = current.boundary_id.clone();
            while current.id != boundary {
                // A tree that leads in circles would keep us here for ever.
                steps_left = steps_left
                    .checked_sub(1)
                    .ok_or_else(|| Error::NoParent(boundary.clone()))?;
                current = self
                    .parent(current)
                    .ok_or_else(|| Error::NoParent(current.id.clone()))?;
            }
            plan.reset.insert(boundary);
        }
    }

    /// With new arguments loops may expand differently, so the items of loops that run again go.
    fn forget_loop_items(&self, plan: &mut Plan) {
        let groups: Vec<&NodeStatus> = plan
            .reset
            .iter()
            .filter_map(|id| self.nodes.get(id))
            .filter(|n| matches!(n.type_, NodeType::StepGroup | NodeType::TaskGroup))
            .collect();
        for group in groups {
            for child in group.children.iter() {
                self.delete(child, plan);
            }
        }
    }

    /// Names of pods that belong to deleted nodes. Of exit handlers every node is named, as the peer does.
    fn pods_of(&self, ids: &BTreeSet<String>, version: PodNames) -> Vec<String> {
        let workflow = &self.workflow.metadata;
        let on_exit = names::on_exit(&workflow.name);
        let version = workflow
            .annotations
            .get("workflows.argoproj.io/pod-name-format")
            .map_or(version, |text| PodNames::parse(text));
        let mut pods: Vec<String> = ids
            .iter()
            .filter_map(|id| self.nodes.get(id))
            .filter(|node| node.type_ == NodeType::Pod || node.name.starts_with(&on_exit))
            .map(|node| {
                let template = node
                    .template_ref
                    .as_ref()
                    .map_or(&node.template_name, |r| &r.template);
                names::pod_name(&workflow.name, &node.name, template, version)
            })
            .collect();
        pods.sort();
        pods.dedup();
        pods
    }
}

fn apply(workflow: &mut Workflow, plan: &Plan, now: Timestamp) {
    let nodes = &mut workflow.status.nodes;
    nodes.retain(|id, _| !plan.deleted.contains(id));
    for node in nodes.values_mut() {
        Arc::make_mut(&mut node.children).retain(|id| !plan.deleted.contains(id));
        node.outbound_nodes.retain(|id| !plan.deleted.contains(id));
        if plan.reset.contains(&node.id) {
            reset(node, now);
        }
    }
}

fn reset(node: &mut NodeStatus, now: Timestamp) {
    if node.phase != NodePhase::Skipped {
        node.phase = NodePhase::Running;
    }
    node.message.clear();
    node.started_at = Some(Time(now));
    node.finished_at = None;
    if node.type_ == NodeType::Suspend {
        let outputs = node.outputs.iter_mut().flat_map(|o| o.parameters.iter_mut());
        for parameter in outputs {
            parameter.value = None::<AnyString>;
            let source = ValueFrom {
                supplied: Some(SuppliedValueFrom::default()),
                ..ValueFrom::default()
            };
            parameter.value_from = Some(Box::new(source));
        }
    }
}
