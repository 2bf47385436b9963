//! Compiling a workflow: the merged spec with its templates resolved, ready for decisions, and diagnostics on the way.
//!
//! A plan depends on nothing but its inputs, so workflows of equal content can share one. Not here: what a pass
//! does with it.

mod merge;
mod restrict;

use std::collections::BTreeMap;
use std::sync::Arc;

use argosy_model::decode::path_text;
use argosy_model::{ClusterWorkflowTemplate, Template, Workflow, WorkflowSpec, WorkflowTemplate};

use crate::config::Config;
use crate::pass::Holder;
use crate::scope_check;
use crate::workings::Workings;

pub use merge::{join_metadata, join_spec, merge_parameters, merge_template, merge_workflow};
pub use restrict::{sanitize, user_overrides};

/// Templates of the cluster that workflows may refer to.
#[derive(Debug, Clone, Default)]
pub struct Templates {
    /// Of the workflow's namespace, by name.
    pub namespaced: BTreeMap<String, Arc<WorkflowTemplate>>,
    /// Of the whole cluster, by name.
    pub cluster: BTreeMap<String, Arc<ClusterWorkflowTemplate>>,
    /// True when the controller may not read cluster templates (C-TPL-05).
    pub cluster_forbidden: bool,
}

/// Something wrong with a workflow, in the words of the peer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// What the workflow becomes because of it.
    pub severity: Severity,
    /// The peer's text.
    pub message: String,
    /// Advice, not part of the text.
    pub hint: Option<String>,
    /// Where in the object, as `spec.templates[0].steps[1][0]`; empty for the whole object.
    pub path: String,
}

/// How bad a diagnostic is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Severity {
    /// The workflow runs all the same.
    Warning,
    /// The workflow becomes Failed: the user's spec is wrong.
    Failed,
    /// The workflow becomes Error: something it needs is missing or forbidden.
    Error,
}

impl Diagnostic {
    pub(crate) fn new(severity: Severity, message: impl Into<String>) -> Self {
        Self {
            severity,
            message: message.into(),
            hint: None,
            path: String::new(),
        }
    }
}

/// A compiled workflow.
#[derive(Debug, Clone)]
pub struct Plan {
    /// The spec to run by: workflow, template and defaults merged.
    pub spec: Arc<WorkflowSpec>,
    /// The merged spec as status keeps it, for workflows with a `workflowTemplateRef`.
    pub stored_spec: Option<Arc<WorkflowSpec>>,
    /// Metadata of the defaults that the workflow lacks: labels and annotations.
    pub default_labels: BTreeMap<String, String>,
    /// Annotations of the defaults.
    pub default_annotations: BTreeMap<String, String>,
    /// What keeps the workflow from running, if anything does.
    pub fault: Option<Diagnostic>,
    /// The spec without its templates.
    pub(crate) bare: Arc<WorkflowSpec>,
    /// The workflow's arguments as JSON text if they hold tags, else empty: steps and tasks call exit handlers with them.
    pub(crate) beside: Arc<str>,
    /// What decisions worked out of it; nothing depends on that.
    pub(crate) workings: Arc<Workings>,
    local: BTreeMap<String, Arc<Template>>,
    templates: Templates,
    reference: Option<argosy_model::WorkflowTemplateRef>,
}

/// What will probably fail when it runs, told before it does.
fn warnings(spec: &WorkflowSpec, config: &Config) -> impl Iterator<Item = Diagnostic> + use<> {
    scope_check::check(spec, scope_check::Of::Workflow, config.expression_templates)
        .into_iter()
        .map(|finding| Diagnostic {
            path: path_text(&finding.place),
            ..Diagnostic::new(Severity::Warning, finding.diagnosis.to_string())
        })
}

/// Compiles a workflow.
///
/// The plan is usable whatever the diagnostics say: a workflow that can't run is decided to its Failed or Error end.
#[must_use]
pub fn compile(workflow: &Workflow, templates: &Templates, config: &Config) -> (Plan, Vec<Diagnostic>) {
    let mut diagnostics = Vec::new();
    let (spec, stored) = match merge::execution_spec(workflow, templates, config) {
        Ok(merged) => merged,
        Err(diagnostic) => {
            diagnostics.push(diagnostic);
            (workflow.spec.clone(), None)
        }
    };
    if diagnostics.is_empty()
        && let Err(diagnostic) = restrict::check(workflow, config)
    {
        diagnostics.push(diagnostic);
    }
    if diagnostics.is_empty() && workflow.status.phase == argosy_model::WorkflowPhase::Unset {
        diagnostics.extend(crate::validate::workflow(workflow, &spec, templates, config));
        diagnostics.extend(warnings(&spec, config));
    }
    let defaults = spec.template_defaults.as_deref();
    let local = spec
        .templates
        .iter()
        .map(|t| (t.name.clone(), Arc::new(merge_template(t, defaults))))
        .collect();
    let fault = diagnostics
        .iter()
        .find(|d| d.severity > Severity::Warning)
        .cloned();
    let missing = |own: &BTreeMap<String, String>, defaults: &BTreeMap<String, String>| {
        defaults
            .iter()
            .filter(|(k, _)| !own.contains_key(*k))
            .map(|(k, v)| (k.clone(), v.clone()))
            .collect()
    };
    let plan = Plan {
        default_labels: missing(&workflow.metadata.labels, &config.default_metadata.labels),
        default_annotations: missing(
            &workflow.metadata.annotations,
            &config.default_metadata.annotations,
        ),
        bare: Arc::new(WorkflowSpec {
            templates: Default::default(),
            ..spec.clone()
        }),
        beside: tagged(&spec.arguments).into(),
        spec: Arc::new(spec),
        stored_spec: stored.map(Arc::new),
        fault,
        workings: Arc::default(),
        local,
        templates: templates.clone(),
        reference: workflow.spec.workflow_template_ref.clone(),
    };
    (plan, diagnostics)
}

/// Whether a plan that was made of one state of a workflow serves another, the templates being the same.
#[must_use]
pub fn serves(made_of: &Workflow, workflow: &Workflow) -> bool {
    let (a, b) = (&made_of.status, &workflow.status);
    made_of.spec == workflow.spec
        && a.stored_workflow_template_spec == b.stored_workflow_template_spec
        && a.stored_templates == b.stored_templates
        && a.phase == b.phase
}

/// Arguments as JSON text, empty when no tag is in them.
fn tagged(arguments: &argosy_model::Arguments) -> String {
    let text = argosy_model::go_json::to_string(arguments).unwrap_or_default();
    if text.contains("{{") { text } else { String::new() }
}

/// Where names of templates are looked up: the object in which the caller was defined (C-TPL-01).
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Base {
    /// The workflow itself; the name is empty for workflows that refer to a template.
    Local(String),
    Namespaced(String),
    Cluster(String),
}

impl Base {
    /// The text of `templateScope` (C-NODE-07).
    pub fn scope_text(&self) -> String {
        match self {
            Self::Local(name) => format!("local/{name}"),
            Self::Namespaced(name) => format!("namespaced/{name}"),
            Self::Cluster(name) => format!("cluster/{name}"),
        }
    }

    /// Reads the text of `templateScope`.
    pub fn parse(text: &str) -> Self {
        match text.split_once('/') {
            Some(("namespaced", name)) => Self::Namespaced(name.to_owned()),
            Some(("cluster", name)) => Self::Cluster(name.to_owned()),
            Some((_, name)) => Self::Local(name.to_owned()),
            None if text.is_empty() => Self::Local(String::new()),
            None => Self::Namespaced(text.to_owned()),
        }
    }

    /// The key under which status keeps what the holder names; `None` for the workflow's own templates (C-TPL-02).
    pub fn stored_key(&self, holder: &Holder) -> Option<String> {
        if let Some(reference) = &holder.reference {
            let scope = if reference.cluster_scope {
                "cluster"
            } else {
                "namespaced"
            };
            return Some(format!("{scope}/{}/{}", reference.name, reference.template));
        }
        let own = match self {
            Self::Local(_) => return None,
            Self::Namespaced(name) => format!("namespaced/{name}"),
            Self::Cluster(name) => format!("cluster/{name}"),
        };
        Some(if holder.inline.is_some() {
            format!("{own}/inline/{}", holder.name)
        } else {
            format!("{own}/{}", holder.template)
        })
    }
}

/// The key under which status keeps the template that a step names, called from an object of that scope (`local`,
/// `namespaced`, `cluster`); `None` for the workflow's own templates (C-TPL-02).
#[must_use]
pub fn stored_template_key(scope: &str, object: &str, step: &argosy_model::WorkflowStep) -> Option<String> {
    Base::parse(&format!("{scope}/{object}")).stored_key(&Holder::from(step))
}

/// A template that was found.
pub(crate) struct Found {
    /// Ready to run: defaults merged.
    pub template: Arc<Template>,
    /// As status keeps it.
    pub stored: Arc<Template>,
    /// Base of the calls inside it.
    pub base: Base,
}

impl Plan {
    /// Finds the template that a holder names from a base. `stored` is what status keeps under the key of the two.
    pub(crate) fn resolve(
        &self,
        base: &Base,
        holder: &Holder,
        stored: Option<&Template>,
    ) -> Result<Found, String> {
        if holder.inline.is_none()
            && holder.reference.is_none()
            && matches!(base, Base::Local(_))
            && let Some(template) = self.local.get(&holder.template)
        {
            return Ok(Found {
                template: Arc::clone(template),
                stored: Arc::clone(template),
                base: base.clone(),
            });
        }
        let (found, inner) = match stored {
            Some(template) => (template.clone(), inner_base(base, holder)),
            None => (self.look_up(base, holder)?, inner_base(base, holder)),
        };
        let ready = merge_template(&found, self.spec.template_defaults.as_deref());
        Ok(Found {
            template: Arc::new(ready),
            stored: Arc::new(found),
            base: inner,
        })
    }

    /// The workflow's own template of that name.
    pub(crate) fn local(&self, name: &str) -> Option<&Template> {
        self.local.get(name).map(|template| &**template)
    }

    /// The templates of the object that the workflow refers to, by the keys under which status keeps them.
    pub(crate) fn referenced_templates(&self) -> Vec<(String, &Template)> {
        let Some(reference) = &self.reference else {
            return Vec::new();
        };
        let (scope, spec) = if reference.cluster_scope {
            (
                "cluster",
                self.templates.cluster.get(&reference.name).map(|t| &t.spec),
            )
        } else {
            (
                "namespaced",
                self.templates.namespaced.get(&reference.name).map(|t| &t.spec),
            )
        };
        let templates = spec.map_or(&[][..], |s| &s.templates);
        templates
            .iter()
            .map(|t| (format!("{scope}/{}/{}", reference.name, t.name), t))
            .collect()
    }

    fn look_up(&self, base: &Base, holder: &Holder) -> Result<Template, String> {
        if let Some(inline) = &holder.inline {
            return Ok((**inline).clone());
        }
        match &holder.reference {
            Some(reference) if reference.cluster_scope => {
                self.in_cluster(&reference.name, &reference.template, true)
            }
            Some(reference) => self.in_namespace(&reference.name, &reference.template, true),
            None => match base {
                Base::Local(_) => Err(format!("template {} not found", holder.template)),
                Base::Namespaced(name) => self.in_namespace(name, &holder.template, false),
                Base::Cluster(name) => self.in_cluster(name, &holder.template, false),
            },
        }
    }

    fn in_namespace(&self, object: &str, template: &str, referred: bool) -> Result<Template, String> {
        let found = self.templates.namespaced.get(object);
        let spec = &found
            .ok_or_else(|| format!("workflow template {object} not found"))?
            .spec;
        pick(spec, object, template, referred)
    }

    fn in_cluster(&self, object: &str, template: &str, referred: bool) -> Result<Template, String> {
        if self.templates.cluster_forbidden {
            return Err(format!(
                "invalid spec: clusterworkflowtemplates.argoproj.io `{object}` is forbidden: User cannot get resource 'clusterworkflowtemplates' in API group argoproj.io at the cluster scope"
            ));
        }
        let found = self.templates.cluster.get(object);
        let spec = &found
            .ok_or_else(|| format!("workflow template {object} not found"))?
            .spec;
        pick(spec, object, template, referred)
    }
}

fn inner_base(base: &Base, holder: &Holder) -> Base {
    match &holder.reference {
        Some(reference) if reference.cluster_scope => Base::Cluster(reference.name.clone()),
        Some(reference) => Base::Namespaced(reference.name.clone()),
        None => base.clone(),
    }
}

/// The template of that name with the object's `podMetadata` merged under its own (C-TPL-04).
fn pick(spec: &WorkflowSpec, object: &str, template: &str, referred: bool) -> Result<Template, String> {
    let found = spec
        .templates
        .iter()
        .find(|t| t.name == template)
        .ok_or_else(|| {
            if referred {
                format!("template {template} not found in workflow template {object}")
            } else {
                format!("template {template} not found")
            }
        })?;
    let mut found = found.clone();
    if let Some(metadata) = &spec.pod_metadata {
        for (key, value) in &metadata.labels {
            found
                .metadata
                .labels
                .entry(key.clone())
                .or_insert_with(|| value.clone());
        }
        for (key, value) in &metadata.annotations {
            found
                .metadata
                .annotations
                .entry(key.clone())
                .or_insert_with(|| value.clone());
        }
    }
    Ok(found)
}

/// The kind of a template, by the section it has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `container`
    Container,
    /// `containerSet`
    ContainerSet,
    /// `script`
    Script,
    /// `resource`
    Resource,
    /// `data`
    Data,
    /// `steps`
    Steps,
    /// `dag`
    Dag,
    /// `suspend`
    Suspend,
    /// `http`
    Http,
    /// `plugin`
    Plugin,
    /// None of them.
    Unknown,
}

impl Kind {
    /// Whether a node of the kind is a pod.
    #[must_use]
    pub fn is_pod(self) -> bool {
        matches!(
            self,
            Self::Container | Self::ContainerSet | Self::Script | Self::Resource | Self::Data
        )
    }
}

/// The kind of a template.
#[must_use]
pub fn kind(template: &Template) -> Kind {
    let sections = [
        (template.container.is_some(), Kind::Container),
        (template.container_set.is_some(), Kind::ContainerSet),
        (!template.steps.is_empty(), Kind::Steps),
        (template.dag.is_some(), Kind::Dag),
        (template.script.is_some(), Kind::Script),
        (template.resource.is_some(), Kind::Resource),
        (template.data.is_some(), Kind::Data),
        (template.suspend.is_some(), Kind::Suspend),
        (template.http.is_some(), Kind::Http),
        (template.plugin.is_some(), Kind::Plugin),
    ];
    sections
        .into_iter()
        .find(|(has, _)| *has)
        .map_or(Kind::Unknown, |(_, kind)| kind)
}
