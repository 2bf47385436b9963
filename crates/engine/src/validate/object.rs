//! Whole objects: workflows, and templates as workflows that nobody runs yet.

use std::borrow::Cow;
use std::collections::BTreeSet;

use argosy_model::k8s::ObjectMeta;
use argosy_model::{PodGcStrategy, Template, TemplateRef, Workflow, WorkflowSpec, WorkflowTemplateRef};
use argosy_template::scope::SWITCHED_OFF;
use serde_json::Value;

use super::arguments::{self, Supplied};
use super::fault::Place;
use super::holder::{Check, Holder, spec_of};
use super::names::{check_list, has_tag, template_name_fault};
use super::scope::Globals;
use super::template::check_hooks;
use super::{Fault, Mode, plugins, resources};
use crate::config::Config;
use crate::plan::{Base, Templates};

/// Longest name of a workflow or template object.
const NAME_LIMIT: usize = 63;

/// The spec of a workflow with its template and the configured defaults under it.
pub(super) fn merged_spec(
    workflow: &Workflow,
    templates: &Templates,
    config: &Config,
) -> Result<WorkflowSpec, Fault> {
    if let Some(reference) = &workflow.spec.workflow_template_ref
        && spec_of(templates, &reference.name, reference.cluster_scope).is_none()
    {
        return Err(not_found(reference));
    }
    let own = &workflow.spec;
    if let Some(reference) = &own.workflow_template_ref {
        let below = spec_of(templates, &reference.name, reference.cluster_scope);
        return crate::plan::join_spec(own, below, Some(&config.default_spec)).map_err(Fault::new);
    }
    let defaults = Workflow {
        spec: config.default_spec.clone(),
        ..Workflow::default()
    };
    let target = Workflow {
        spec: own.clone(),
        ..Workflow::default()
    };
    crate::plan::merge_workflow(&defaults, &target)
        .map(|merged| merged.spec)
        .map_err(Fault::new)
}

fn not_found(reference: &WorkflowTemplateRef) -> Fault {
    let kind = if reference.cluster_scope {
        "clusterworkflowtemplates"
    } else {
        "workflowtemplates"
    };
    Fault::new(format!("{kind}.argoproj.io \"{}\" not found", reference.name))
        .at(&[Place::Key("spec"), Place::Key("workflowTemplateRef")])
}

/// Checks a workflow whose merged spec is `spec`.
pub(super) fn workflow(
    workflow: &Workflow,
    spec: &WorkflowSpec,
    templates: &Templates,
    mode: Mode,
) -> Result<(), Fault> {
    check_name(&workflow.metadata, "workflow")?;
    check_spec(&workflow.metadata, &workflow.spec, spec, templates, mode, false)
}

/// Checks a template object of the kind that `what` names.
pub(super) fn template(
    metadata: &ObjectMeta,
    spec: &WorkflowSpec,
    what: &str,
    templates: &Templates,
    mode: Mode,
) -> Result<(), Fault> {
    check_name(metadata, what)?;
    let mut merged = Cow::Borrowed(spec);
    if let Some(reference) = &spec.workflow_template_ref {
        let below = spec_of(templates, &reference.name, reference.cluster_scope)
            .ok_or_else(|| not_found(reference))?;
        merged = Cow::Owned(crate::plan::join_spec(spec, Some(below), None).map_err(Fault::new)?);
    }
    check_spec(metadata, spec, &merged, templates, mode, true)
}

fn check_name(metadata: &ObjectMeta, what: &str) -> Result<(), Fault> {
    let length = metadata.name.len();
    if length > NAME_LIMIT {
        return Err(Fault::new(format!(
            "{what} name \"{}\" must not be more than {NAME_LIMIT} characters long (currently {length})",
            metadata.name
        ))
        .at(&[Place::Key("metadata"), Place::Key("name")]));
    }
    Ok(())
}

fn check_spec(
    metadata: &ObjectMeta,
    own: &WorkflowSpec,
    spec: &WorkflowSpec,
    templates: &Templates,
    mode: Mode,
    template_only: bool,
) -> Result<(), Fault> {
    let reference = own.workflow_template_ref.as_ref();
    if reference.is_some() && !own.templates.is_empty() {
        return Err(Fault::new(
            "Templates is invalid field in spec if workflow referred WorkflowTemplate reference",
        )
        .at(&[Place::Key("spec"), Place::Key("templates")]));
    }
    let local: &[Template] = if reference.is_some() { &[] } else { &spec.templates };
    plugins::check(&spec.executor_plugins)?;
    check_list(local.iter().map(|t| t.name.as_str()), template_name_fault).map_err(|f| {
        f.within("spec.templates")
            .at(&[Place::Key("spec"), Place::Key("templates")])
    })?;
    let values_later = mode.lint || (template_only && !mode.submit);
    arguments::check("spec.arguments.", &spec.arguments, values_later)
        .map_err(|f| f.at(&[Place::Key("spec"), Place::Key("arguments")]))?;
    resources::check("spec.podResources", spec.pod_resources.as_ref())?;
    check_hooks("hooks", &spec.hooks).map_err(|f| f.at(&[Place::Key("spec")]))?;
    let entrypoint_optional = template_only && spec.entrypoint.is_empty();
    if spec.entrypoint.is_empty() && !entrypoint_optional {
        return Err(Fault::new("spec.entrypoint is required").at(&[Place::Key("spec")]));
    }
    let mut check = Check {
        templates,
        local,
        local_index: local
            .iter()
            .enumerate()
            .rev()
            .map(|(at, t)| (t.name.as_str(), at))
            .collect(),
        defaults: spec.template_defaults.as_deref(),
        globals: globals(metadata, spec, mode),
        template_only,
        seen: BTreeSet::new(),
        depth: 0,
    };
    let base = Base::Local(metadata.name.clone());
    if !entrypoint_optional {
        let supplied = if template_only {
            Supplied::Anything
        } else {
            Supplied::Given(&spec.arguments)
        };
        check_named(&mut check, &base, reference, &spec.entrypoint, supplied)
            .map_err(|f| f.at(&[Place::Key("spec"), Place::Key("entrypoint")]))?;
    }
    if !spec.on_exit.is_empty() || spec.hooks.contains_key("exit") {
        check.globals.add("workflow.failures");
    }
    if !spec.on_exit.is_empty() {
        check_named(
            &mut check,
            &base,
            reference,
            &spec.on_exit,
            Supplied::Given(&spec.arguments),
        )
        .map_err(|f| f.at(&[Place::Key("spec"), Place::Key("onExit")]))?;
    }
    check_pod_gc(spec)?;
    for template in local {
        check
            .holder(&base, &Holder::named(&template.name), Supplied::Anything)
            .map_err(|f| f.within(&format!("templates.{} ", template.name)))?;
    }
    Ok(())
}

/// Checks the entrypoint or exit handler, which may be a template of the object that the workflow refers to.
fn check_named(
    check: &mut Check<'_>,
    base: &Base,
    object: Option<&WorkflowTemplateRef>,
    template: &str,
    supplied: Supplied<'_>,
) -> Result<(), Fault> {
    let Some(object) = object else {
        return check.holder(base, &Holder::named(template), supplied).map(|_| ());
    };
    let reference = TemplateRef {
        name: object.name.clone(),
        template: template.to_owned(),
        cluster_scope: object.cluster_scope,
    };
    check
        .holder(base, &Holder::referred(&reference), supplied)
        .map(|_| ())
}

fn check_pod_gc(spec: &WorkflowSpec) -> Result<(), Fault> {
    let Some(gc) = &spec.pod_gc else { return Ok(()) };
    let place = [Place::Key("spec"), Place::Key("podGC"), Place::Key("strategy")];
    if let PodGcStrategy::Other(strategy) = &gc.strategy {
        return Err(
            Fault::new(format!("podGC.strategy unknown strategy '{strategy}'"))
                .maybe(strategy, PodGcStrategy::KNOWN.iter().copied())
                .at(&place),
        );
    }
    let wrong = gc
        .label_selector
        .iter()
        .flat_map(|s| &s.match_expressions)
        .find_map(|requirement| match requirement.operator.as_str() {
            "In" | "NotIn" if requirement.values.is_empty() => Some(
                "values: Invalid value: []: for 'in', 'notin' operators, values set can't be empty"
                    .to_owned(),
            ),
            "Exists" | "DoesNotExist" if !requirement.values.is_empty() => Some(
                "values: Invalid value: values set must be empty for exists and does not exist".to_owned(),
            ),
            "In" | "NotIn" | "Exists" | "DoesNotExist" => None,
            other => Some(format!("\"{other}\" is not a valid label selector operator")),
        });
    match wrong {
        Some(why) => Err(Fault::new(format!("podGC.labelSelector invalid: {why}"))),
        None => Ok(()),
    }
}

/// The global variables, with placeholders for what only a run knows (C-VAR-01).
fn globals(metadata: &ObjectMeta, spec: &WorkflowSpec, mode: Mode) -> Globals {
    let mut globals = Globals::default();
    if mode.plain_tags_only {
        globals.values.insert(SWITCHED_OFF.to_owned(), Value::Bool(true));
    }
    for name in [
        "name",
        "namespace",
        "uid",
        "mainEntrypoint",
        "serviceAccountName",
        "status",
    ] {
        globals.add(format!("workflow.{name}"));
    }
    for of in ["labels", "annotations"] {
        globals.add(format!("workflow.{of}"));
        globals.add(format!("workflow.{of}.json"));
    }
    if !spec.arguments.parameters.is_empty() {
        globals.add("workflow.parameters");
        globals.add("workflow.parameters.json");
    }
    for parameter in &spec.arguments.parameters {
        let name = format!("workflow.parameters.{}", parameter.name);
        match parameter.value.as_ref().filter(|value| !has_tag(value.as_str())) {
            Some(value) => {
                globals
                    .values
                    .insert(name, Value::String(value.as_str().to_owned()));
            }
            None => globals.add(name),
        }
    }
    let extra = spec.workflow_metadata.as_ref();
    for key in metadata
        .annotations
        .keys()
        .chain(extra.iter().flat_map(|m| m.annotations.keys()))
    {
        globals.add(format!("workflow.annotations.{key}"));
    }
    let from = extra
        .iter()
        .flat_map(|m| m.labels.keys().chain(m.labels_from.keys()));
    for key in metadata.labels.keys().chain(from) {
        globals.add(format!("workflow.labels.{key}"));
    }
    if spec.priority.is_some() {
        globals.add("workflow.priority");
    }
    globals
}
