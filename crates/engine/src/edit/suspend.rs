//! Suspending and resuming workflows, and the suspend nodes that wait for people (C-CTL-01…C-CTL-04).

use std::collections::BTreeMap;

use argosy_model::k8s::Time;
use argosy_model::{AnyString, NodePhase, NodeStatus, NodeType, Outputs, Parameter, Workflow};
use jiff::Timestamp;

use super::{Error, Selector};
use crate::node::workflow_fulfilled;

/// What [`set`] changes in the nodes that it finds.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Set {
    /// The new phase; `Unset` leaves it.
    pub phase: NodePhase,
    /// Text to add to the message.
    pub message: String,
    /// Values of supplied output parameters.
    pub outputs: BTreeMap<String, String>,
}

/// Holds the workflow: nothing new starts.
///
/// # Errors
/// When the workflow has ended.
pub fn suspend(workflow: &mut Workflow) -> Result<(), Error> {
    if workflow_fulfilled(&workflow.status.phase) {
        return Err(Error::SuspendCompleted);
    }
    workflow.spec.suspend = Some(true);
    Ok(())
}

/// Lets the workflow and every waiting suspend node go on. `actor` is who did it, empty for nobody.
///
/// # Errors
/// When a node waits for a value that has no default.
pub fn resume(workflow: &mut Workflow, actor: &str, now: Timestamp) -> Result<(), Error> {
    let mut resumed = Vec::new();
    for node in workflow.status.nodes.values().filter(|node| waits(node)) {
        let mut node = node.clone();
        if let Some(outputs) = &mut node.outputs {
            outputs.parameters.iter_mut().try_for_each(take_default)?;
        }
        if !actor.is_empty() {
            add_message(&mut node, &format!("Resumed by: {actor}"));
        }
        node.phase = NodePhase::Succeeded;
        node.finished_at = Some(Time(now));
        resumed.push(node);
    }
    if workflow.spec.suspend.is_some() {
        workflow.spec.suspend = None;
    }
    workflow
        .status
        .nodes
        .extend(resumed.into_iter().map(|node| (node.id.clone(), node)));
    Ok(())
}

/// Changes the waiting suspend nodes that match; values of global names are known to the workflow at once.
///
/// # Errors
/// When nothing matches, or a node does not wait for one of the values.
pub fn set(workflow: &mut Workflow, selector: &Selector, change: &Set, now: Timestamp) -> Result<(), Error> {
    let mut changed = Vec::new();
    let mut global = Vec::new();
    for node in workflow
        .status
        .nodes
        .values()
        .filter(|node| waits(node) && selector.matches(node))
    {
        let mut node = node.clone();
        if !change.outputs.is_empty() {
            let outputs = node.outputs.as_mut().ok_or(Error::NoOutputs)?;
            global.extend(supply(outputs, &change.outputs)?);
        }
        if change.phase != NodePhase::Unset {
            node.phase = change.phase.clone();
            if crate::node::phase_fulfilled(&node) {
                node.finished_at = Some(Time(now));
            }
        }
        if !change.message.is_empty() {
            add_message(&mut node, &change.message);
        }
        if workflow.status.nodes.get(&node.id) != Some(&node) {
            changed.push(node);
        }
    }
    if changed.is_empty() {
        return Err(Error::NothingSelected(selector.to_string()));
    }
    workflow
        .status
        .nodes
        .extend(changed.into_iter().map(|node| (node.id.clone(), node)));
    for parameter in global {
        export(workflow, parameter);
    }
    Ok(())
}

fn waits(node: &NodeStatus) -> bool {
    node.type_ == NodeType::Suspend && node.phase == NodePhase::Running
}

fn add_message(node: &mut NodeStatus, text: &str) {
    if node.message.is_empty() {
        text.clone_into(&mut node.message);
    } else {
        node.message = format!("{}; {text}", node.message);
    }
}

/// A parameter that nobody supplied takes its default (C-SUSP-03).
fn take_default(parameter: &mut Parameter) -> Result<(), Error> {
    let Some(source) = parameter
        .value_from
        .as_ref()
        .filter(|from| from.supplied.is_some())
    else {
        return Ok(());
    };
    let default = source
        .default
        .clone()
        .ok_or_else(|| Error::OutputMissing(parameter.name.clone()))?;
    parameter.value = Some(default);
    parameter.value_from = None;
    Ok(())
}

/// Fills in values; gives those that have a global name.
fn supply(outputs: &mut Outputs, values: &BTreeMap<String, String>) -> Result<Vec<Parameter>, Error> {
    let mut global = Vec::new();
    for (name, value) in values {
        let parameter = outputs
            .parameters
            .iter_mut()
            .find(|p| p.name == *name)
            .ok_or_else(|| Error::NoSuchOutput(name.clone()))?;
        if parameter
            .value_from
            .as_ref()
            .is_none_or(|from| from.supplied.is_none())
        {
            return Err(Error::OutputAlreadySet(name.clone()));
        }
        parameter.value = Some(AnyString(value.clone()));
        parameter.value_from = None;
        if !parameter.global_name.is_empty() {
            global.push(parameter.clone());
        }
    }
    Ok(global)
}

/// Stores a value under its global name in the workflow's outputs.
fn export(workflow: &mut Workflow, parameter: Parameter) {
    let outputs = workflow.status.outputs.get_or_insert_with(Outputs::default);
    let value = parameter.value;
    match outputs
        .parameters
        .iter_mut()
        .find(|p| p.name == parameter.global_name)
    {
        Some(known) => known.value = value,
        None => outputs.parameters.push(Parameter {
            name: parameter.global_name,
            value,
            ..Parameter::default()
        }),
    }
}
