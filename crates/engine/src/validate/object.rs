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
    whole_workflow(workflow, spec, templates, mode).first()
}

/// A workflow whose merged spec is `spec`.
pub(super) fn whole_workflow<'o>(
    workflow: &'o Workflow,
    spec: &'o WorkflowSpec,
    templates: &'o Templates,
    mode: Mode,
) -> Whole<'o> {
    Whole {
        metadata: &workflow.metadata,
        own: &workflow.spec,
        spec,
        templates,
        mode,
        template_only: false,
    }
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
    let merged = merged_template(spec, templates)?;
    whole_template(metadata, spec, &merged, templates, mode).first()
}

/// The spec of a template object with that of the object it refers to under it.
pub(super) fn merged_template<'o>(
    spec: &'o WorkflowSpec,
    templates: &Templates,
) -> Result<Cow<'o, WorkflowSpec>, Fault> {
    let mut merged = Cow::Borrowed(spec);
    if let Some(reference) = &spec.workflow_template_ref {
        let below = spec_of(templates, &reference.name, reference.cluster_scope)
            .ok_or_else(|| not_found(reference))?;
        merged = Cow::Owned(crate::plan::join_spec(spec, Some(below), None).map_err(Fault::new)?);
    }
    Ok(merged)
}

/// A template object whose merged spec is `merged`.
pub(super) fn whole_template<'o>(
    metadata: &'o ObjectMeta,
    spec: &'o WorkflowSpec,
    merged: &'o WorkflowSpec,
    templates: &'o Templates,
    mode: Mode,
) -> Whole<'o> {
    Whole {
        metadata,
        own: spec,
        spec: merged,
        templates,
        mode,
        template_only: true,
    }
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

/// A spec in its object.
pub(super) struct Whole<'o> {
    pub metadata: &'o ObjectMeta,
    /// As it is written.
    pub own: &'o WorkflowSpec,
    /// With its template and the defaults under it.
    pub spec: &'o WorkflowSpec,
    pub templates: &'o Templates,
    pub mode: Mode,
    pub template_only: bool,
}

impl<'o> Whole<'o> {
    fn reference(&self) -> Option<&'o WorkflowTemplateRef> {
        self.own.workflow_template_ref.as_ref()
    }

    fn local(&self) -> &'o [Template] {
        match self.reference() {
            Some(_) => &[],
            None => &self.spec.templates,
        }
    }

    fn base(&self) -> Base {
        Base::Local(self.metadata.name.clone())
    }

    /// The checks of what stands beside the templates and is looked at before them, in the peer's order.
    fn sections(&self) -> [Result<(), Fault>; 7] {
        let spec = self.spec;
        let values_later = self.mode.lint || (self.template_only && !self.mode.submit);
        let listed = self.reference().is_some() && !self.own.templates.is_empty();
        let named = !spec.entrypoint.is_empty() || self.template_only;
        let names = self.local().iter().map(|t| t.name.as_str());
        [
            refused_if(
                listed,
                "Templates is invalid field in spec if workflow referred WorkflowTemplate reference",
                &[Place::Key("spec"), Place::Key("templates")],
            ),
            plugins::check(&spec.executor_plugins),
            check_list(names, template_name_fault).map_err(|f| {
                f.within("spec.templates")
                    .at(&[Place::Key("spec"), Place::Key("templates")])
            }),
            arguments::check("spec.arguments.", &spec.arguments, values_later)
                .map_err(|f| f.at(&[Place::Key("spec"), Place::Key("arguments")])),
            resources::check("spec.podResources", spec.pod_resources.as_ref()),
            check_hooks("hooks", &spec.hooks).map_err(|f| f.at(&[Place::Key("spec")])),
            refused_if(!named, "spec.entrypoint is required", &[Place::Key("spec")]),
        ]
    }

    fn check(&self) -> Check<'o> {
        let local = self.local();
        Check {
            templates: self.templates,
            local,
            local_index: local
                .iter()
                .enumerate()
                .rev()
                .map(|(at, t)| (t.name.as_str(), at))
                .collect(),
            defaults: self.spec.template_defaults.as_deref(),
            globals: globals(self.metadata, self.spec, self.mode),
            template_only: self.template_only,
            seen: BTreeSet::new(),
            depth: 0,
        }
    }

    /// The first thing that is wrong.
    fn first(&self) -> Result<(), Fault> {
        self.sections().into_iter().collect::<Result<(), Fault>>()?;
        let spec = self.spec;
        let mut check = self.check();
        let base = self.base();
        if !spec.entrypoint.is_empty() {
            let supplied = if self.template_only {
                Supplied::Anything
            } else {
                Supplied::Given(&spec.arguments)
            };
            check_named(&mut check, &base, self.reference(), &spec.entrypoint, supplied)
                .map_err(|f| f.at(&[Place::Key("spec"), Place::Key("entrypoint")]))?;
        }
        self.add_failures(&mut check);
        if !spec.on_exit.is_empty() {
            let supplied = Supplied::Given(&spec.arguments);
            check_named(&mut check, &base, self.reference(), &spec.on_exit, supplied)
                .map_err(|f| f.at(&[Place::Key("spec"), Place::Key("onExit")]))?;
        }
        check_pod_gc(spec)?;
        for template in self.local() {
            check_local(&mut check, &base, template)?;
        }
        Ok(())
    }

    /// `workflow.failures` is there as soon as an exit handler may read it.
    fn add_failures(&self, check: &mut Check<'_>) {
        if !self.spec.on_exit.is_empty() || self.spec.hooks.contains_key("exit") {
            check.globals.add("workflow.failures");
        }
    }

    /// The first fault of each section and of each template by itself, whatever is wrong with the others.
    pub fn each(&self) -> impl Iterator<Item = Fault> {
        let templates = self.local().iter().map(|template| {
            let mut check = self.check();
            self.add_failures(&mut check);
            // What was seen is not gone into again.
            check.seen = self
                .local()
                .iter()
                .filter(|other| other.name != template.name)
                .map(|other| format!("{}/{}", self.base().scope_text(), other.name))
                .collect();
            check_local(&mut check, &self.base(), template)
        });
        self.sections()
            .into_iter()
            .chain([check_pod_gc(self.spec)])
            .chain(templates)
            .filter_map(Result::err)
            .collect::<Vec<_>>()
            .into_iter()
    }
}

fn refused_if(wrong: bool, message: &str, place: &[Place<'_>]) -> Result<(), Fault> {
    if wrong {
        Err(Fault::new(message).at(place))
    } else {
        Ok(())
    }
}

fn check_local(check: &mut Check<'_>, base: &Base, template: &Template) -> Result<(), Fault> {
    check
        .holder(base, &Holder::named(&template.name), Supplied::Anything)
        .map(|_| ())
        .map_err(|f| f.within(&format!("templates.{} ", template.name)))
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
