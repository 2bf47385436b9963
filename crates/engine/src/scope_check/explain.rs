//! What a person needs to mend a tag or expression that failed while a workflow ran: the texts on nodes are the
//! contract's, and this goes beside them. It is found again from the object, so that whoever has that can tell it.

use argosy_model::{NodeStatus, Template, Workflow, WorkflowSpec};
use argosy_template::diagnose::Diagnosis;
use serde_json::Value;

use super::{Known, Walk};
use crate::pass::Holder;
use crate::plan::Base;

/// Explains the message of a node, or of the workflow where there is no node; `None` when it is about no tag or
/// expression of what the node ran.
#[must_use]
pub fn explain(workflow: &Workflow, node: Option<&NodeStatus>, message: &str) -> Option<Diagnosis> {
    if message.is_empty() {
        return None;
    }
    let stored = workflow.status.stored_workflow_template_spec.as_deref();
    let spec = stored.unwrap_or(&workflow.spec);
    let globals = Known::of_spec(spec, stored.is_some());
    let Some(node) = node else {
        let beside = WorkflowSpec {
            templates: Default::default(),
            ..spec.clone()
        };
        return first(globals, false, message, serde_json::to_value(&beside).ok()?);
    };
    // Arguments are completed by whoever calls: the node of the boundary.
    let caller = workflow.status.nodes.get(&node.boundary_id);
    [Some(node), caller].into_iter().flatten().find_map(|node| {
        let template = template_of(workflow, spec, node)?;
        let known = globals.of_template(template, spec);
        first(known, true, message, serde_json::to_value(template).ok()?)
    })
}

fn first(known: Known, of_template: bool, message: &str, body: Value) -> Option<Diagnosis> {
    let mut found = Vec::new();
    Walk {
        known,
        of_template,
        expression_tags: true,
        failure: Some(message),
        place: Vec::new(),
        found: &mut found,
    }
    .value(&body, None);
    found.into_iter().next().map(|finding| finding.diagnosis)
}

/// The template that a node ran; inline ones have no name to be found by.
fn template_of<'w>(
    workflow: &'w Workflow,
    spec: &'w WorkflowSpec,
    node: &NodeStatus,
) -> Option<&'w Template> {
    let holder = Holder {
        template: node.template_name.clone(),
        reference: node.template_ref.clone(),
        ..Holder::default()
    };
    match Base::parse(&node.template_scope).stored_key(&holder) {
        Some(key) => workflow.status.stored_templates.get(&key),
        None => spec.templates.iter().find(|t| t.name == node.template_name),
    }
}
