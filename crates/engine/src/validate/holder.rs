//! What steps, tasks and entrypoints name: the template behind it, and its validation (C-VAL-06).

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use argosy_model::{
    ClusterWorkflowTemplate, DagTask, Template, TemplateRef, WorkflowSpec, WorkflowStep, WorkflowTemplate,
};

use super::Fault;
use super::arguments::Supplied;
use super::fault::Place;
use super::names::has_tag;
use super::scope::Globals;
use crate::plan::{Base, Kind, Templates, kind};

/// Templates deeper than this in one another can only come from inline templates without end.
const DEPTH_LIMIT: usize = 100;

/// Something that names a template.
pub(super) struct Holder<'h> {
    pub template: &'h str,
    pub reference: Option<&'h TemplateRef>,
    pub inline: Option<&'h Template>,
}

impl<'h> Holder<'h> {
    /// A name in the workflow or template object at hand.
    pub fn named(template: &'h str) -> Self {
        Self {
            template,
            reference: None,
            inline: None,
        }
    }

    /// A template of another object.
    pub fn referred(reference: &'h TemplateRef) -> Self {
        Self {
            template: "",
            reference: Some(reference),
            inline: None,
        }
    }

    pub fn of_step(step: &'h WorkflowStep) -> Self {
        Self {
            template: &step.template,
            reference: step.template_ref.as_ref(),
            inline: step.inline.as_deref(),
        }
    }

    pub fn of_task(task: &'h DagTask) -> Self {
        Self {
            template: &task.template,
            reference: task.template_ref.as_ref(),
            inline: task.inline.as_deref(),
        }
    }
}

/// One validation run.
pub(super) struct Check<'a> {
    pub templates: &'a Templates,
    /// The workflow's own templates.
    pub local: &'a [Template],
    /// Where in them each name is first.
    pub local_index: BTreeMap<&'a str, usize>,
    /// The workflow's `templateDefaults`.
    pub defaults: Option<&'a Template>,
    pub globals: Globals,
    /// Whether a template object is checked: its parameters come later.
    pub template_only: bool,
    /// Bodies that were checked already.
    pub seen: BTreeSet<String>,
    pub depth: usize,
}

/// A template and where its own names are looked up.
pub(super) struct Found<'a> {
    pub template: Cow<'a, Template>,
    pub base: Base,
    /// Tells bodies apart; `None` for inline ones, which have no name.
    pub id: Option<String>,
}

impl<'a> Check<'a> {
    /// Checks what a holder names with the given arguments. Gives the template, or `None` when its name is not known yet.
    pub fn holder(
        &mut self,
        base: &Base,
        holder: &Holder<'_>,
        supplied: Supplied<'_>,
    ) -> Result<Option<Cow<'a, Template>>, Fault> {
        if self.depth >= DEPTH_LIMIT {
            return Err(Fault::new(format!(
                "templates are nested deeper than {DEPTH_LIMIT} levels"
            )));
        }
        let Some(found) = self.find(base, holder)? else {
            return Ok(None);
        };
        let own = self.index_of_own(base, holder);
        self.depth += 1;
        let checked = super::template::check(self, &found, supplied);
        self.depth -= 1;
        checked.map_err(|fault| match own {
            Some(index) => {
                fault.rooted_at(&[Place::Key("spec"), Place::Key("templates"), Place::Index(index)])
            }
            None if holder.inline.is_some() => fault.at(&[Place::Key("inline")]),
            None => fault.elsewhere(),
        })?;
        Ok(Some(found.template))
    }

    /// The index of a workflow's own template.
    fn index_of_own(&self, base: &Base, holder: &Holder<'_>) -> Option<usize> {
        let own = holder.inline.is_none() && holder.reference.is_none() && matches!(base, Base::Local(_));
        own.then(|| self.local_index.get(holder.template).copied())
            .flatten()
    }

    fn find(&self, base: &Base, holder: &Holder<'_>) -> Result<Option<Found<'a>>, Fault> {
        if let Some(inline) = holder.inline {
            return known_kind(Found {
                template: Cow::Owned(inline.clone()),
                base: base.clone(),
                id: None,
            });
        }
        if let Some(reference) = holder.reference {
            if !holder.template.is_empty() {
                return Err(Fault::new("template name cannot be specified with templateRef"));
            }
            if reference.name.is_empty() {
                return Err(Fault::new("resource name is required"));
            }
            if reference.template.is_empty() {
                return Err(Fault::new("template name is required"));
            }
            if has_tag(&reference.name) || has_tag(&reference.template) {
                return Ok(None);
            }
            let base = if reference.cluster_scope {
                Base::Cluster(reference.name.clone())
            } else {
                Base::Namespaced(reference.name.clone())
            };
            return self.find_in(base, &reference.template, || {
                format!(
                    "template reference {}.{} not found",
                    reference.name, reference.template
                )
            });
        }
        if has_tag(holder.template) {
            return Ok(None);
        }
        if holder.template.is_empty() {
            // The peer looks up the empty name.
            return Err(Fault::new("template  not found"));
        }
        self.find_in(base.clone(), holder.template, || {
            format!("template name '{}' undefined", holder.template)
        })
    }

    fn find_in(
        &self,
        base: Base,
        name: &str,
        missing: impl Fn() -> String,
    ) -> Result<Option<Found<'a>>, Fault> {
        if self.templates.cluster_forbidden
            && let Base::Cluster(object) = &base
        {
            return Err(Fault::new(format!(
                "clusterworkflowtemplates.argoproj.io `{object}` is forbidden: User cannot get resource \
                 'clusterworkflowtemplates' in API group argoproj.io at the cluster scope"
            )));
        }
        let known = self.templates_of(&base);
        let found = match &base {
            Base::Local(_) => self.local_index.get(name).map(|at| &known[*at]),
            Base::Namespaced(_) | Base::Cluster(_) => known.iter().find(|t| t.name == name),
        };
        match found {
            Some(template) => {
                let id = Some(format!("{}/{name}", base.scope_text()));
                known_kind(Found {
                    template: Cow::Borrowed(template),
                    base,
                    id,
                })
            }
            None => Err(Fault::new(missing()).maybe(name, known.iter().map(|t| t.name.as_str()))),
        }
    }

    fn templates_of(&self, base: &Base) -> &'a [Template] {
        match base {
            Base::Local(_) => self.local,
            Base::Namespaced(name) => self
                .templates
                .namespaced
                .get(name)
                .map_or(&[], |t| &t.spec.templates),
            Base::Cluster(name) => self
                .templates
                .cluster
                .get(name)
                .map_or(&[], |t| &t.spec.templates),
        }
    }
}

fn known_kind(found: Found<'_>) -> Result<Option<Found<'_>>, Fault> {
    if kind(&found.template) == Kind::Unknown {
        return Err(Fault::new(format!(
            "template '{}' type is unknown",
            found.template.name
        )));
    }
    Ok(Some(found))
}

/// The spec of a template object; `None` when there is none of that name.
pub(super) fn spec_of<'t>(templates: &'t Templates, name: &str, cluster: bool) -> Option<&'t WorkflowSpec> {
    if cluster {
        templates
            .cluster
            .get(name)
            .map(|t: &std::sync::Arc<ClusterWorkflowTemplate>| &t.spec)
    } else {
        templates
            .namespaced
            .get(name)
            .map(|t: &std::sync::Arc<WorkflowTemplate>| &t.spec)
    }
}
