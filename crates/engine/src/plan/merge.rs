//! The spec that a workflow runs by: its own, its template's and the configured defaults, merged (section 11.1).

use argosy_model::k8s::ObjectMeta;
use argosy_model::{Arguments, ArtifactLocation, Parameter, Template, Workflow, WorkflowSpec};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use super::{Diagnostic, Severity, Templates};
use crate::config::Config;
use crate::merge::schema::{self, Type};
use crate::merge::strategic;

/// Why a workflow ends whose template is no longer what it began with (C-MRG-06).
const CHANGED: &str =
    "WorkflowSpec may not change during execution when the controller is set `templateReferencing: Secure`";

/// The spec to run by, and the one that status keeps for workflows that refer to a template.
pub(super) fn execution_spec(
    workflow: &Workflow,
    templates: &Templates,
    config: &Config,
) -> Result<(WorkflowSpec, Option<WorkflowSpec>), Diagnostic> {
    let error = |message: String| Diagnostic::new(Severity::Error, message);
    let Some(reference) = &workflow.spec.workflow_template_ref else {
        let spec = layered(&config.default_spec, &workflow.spec, schema::workflow_spec).map_err(error)?;
        return Ok((spec, None));
    };
    let stored = workflow.status.stored_workflow_template_spec.as_deref();
    let kept = stored.filter(|stored| !outdated(workflow, stored));
    let may_change = config.template_referencing != "Secure";
    if let Some(kept) = kept
        && may_change
    {
        return Ok((kept.clone(), Some(kept.clone())));
    }
    let found = if reference.cluster_scope {
        templates.cluster.get(&reference.name).map(|t| &t.spec)
    } else {
        templates.namespaced.get(&reference.name).map(|t| &t.spec)
    };
    let below = if kept.is_some() { found } else { stored.or(found) };
    let below = below.ok_or_else(|| {
        let kind = if reference.cluster_scope {
            "clusterworkflowtemplates"
        } else {
            "workflowtemplates"
        };
        error(format!("{kind}.argoproj.io {:?} not found", reference.name))
    })?;
    let own = super::restrict::allowed(&workflow.spec, config);
    let merged = join_spec(&own, Some(below), Some(&config.default_spec)).map_err(error)?;
    if kept.is_some_and(|kept| json_of(kept) != json_of(&merged)) {
        return Err(error(CHANGED.to_owned()));
    }
    Ok((merged.clone(), Some(merged)))
}

/// Whether the stored spec no longer says what the user wants (C-MRG-03, Q-05).
fn outdated(workflow: &Workflow, stored: &WorkflowSpec) -> bool {
    let own = &workflow.spec;
    !own.entrypoint.is_empty() && stored.entrypoint.is_empty()
        || own.shutdown != stored.shutdown
        || own.suspend != stored.suspend
}

fn json_of<T: Serialize>(value: &T) -> Value {
    serde_json::to_value(value).expect("wire types are always valid JSON")
}

/// `over` merged onto `under`; the JSON of both is what Go would write.
fn layered<T: Serialize + DeserializeOwned>(under: &T, over: &T, schema: Type) -> Result<T, String> {
    let merged = strategic::merge(&json_of(under), &json_of(over), schema).map_err(|e| e.to_string())?;
    serde_json::from_value(merged).map_err(|e| e.to_string())
}

/// Merges `patch` under `target`: the target wins.
///
/// # Errors
/// When an item of a keyed list lacks its key.
pub fn merge_workflow(patch: &Workflow, target: &Workflow) -> Result<Workflow, String> {
    let mut merged = layered(patch, target, schema::workflow)?;
    merge_hooks(&mut merged.spec, &[&target.spec, &patch.spec]);
    Ok(merged)
}

/// The spec of a workflow that refers to a template (C-MRG-02): workflow over template over defaults.
///
/// # Errors
/// When an item of a keyed list lacks its key.
pub fn join_spec(
    workflow: &WorkflowSpec,
    template: Option<&WorkflowSpec>,
    defaults: Option<&WorkflowSpec>,
) -> Result<WorkflowSpec, String> {
    let empty = WorkflowSpec::default();
    let (template, defaults) = (template.unwrap_or(&empty), defaults.unwrap_or(&empty));
    let lower = layered(defaults, template, schema::workflow_spec)?;
    let mut merged = layered(&lower, workflow, schema::workflow_spec)?;
    merge_hooks(&mut merged, &[workflow, template, defaults]);
    merged.suspend = workflow.suspend;
    merge_values(
        &mut merged.arguments,
        &[&workflow.arguments, &template.arguments, &defaults.arguments],
    );
    Ok(merged)
}

/// Hooks and computed labels are whole entries of the highest layer that has them (C-MRG-04).
fn merge_hooks(merged: &mut WorkflowSpec, layers: &[&WorkflowSpec]) {
    for layer in layers.iter().rev() {
        for (name, hook) in &layer.hooks {
            merged.hooks.insert(name.clone(), hook.clone());
        }
        if let Some(metadata) = &layer.workflow_metadata {
            let target = merged.workflow_metadata.get_or_insert_with(Default::default);
            for (name, from) in &metadata.labels_from {
                target.labels_from.insert(name.clone(), from.clone());
            }
        }
    }
}

/// Arguments are whole definitions of one layer (C-MRG-05).
fn merge_values(merged: &mut Arguments, layers: &[&Arguments]) {
    for parameter in &mut merged.parameters {
        let defining = layers
            .iter()
            .filter_map(|l| l.parameters.iter().find(|p| p.name == parameter.name))
            .find(|p| p.value.is_some() || p.default.is_some() || p.value_from.is_some());
        if let Some(defining) = defining {
            *parameter = defining.clone();
        }
    }
    for artifact in &mut merged.artifacts {
        let mut found = layers
            .iter()
            .filter_map(|l| l.artifacts.iter().find(|a| a.name == artifact.name));
        let Some(highest) = found.next() else { continue };
        let mut joined = highest.clone();
        for lower in found {
            join_location(&mut joined.location, &lower.location);
        }
        *artifact = joined;
    }
}

/// Fields of the same store that the higher layer leaves open come from the lower one.
fn join_location(over: &mut ArtifactLocation, under: &ArtifactLocation) {
    let (mut high, low) = (json_of(over), json_of(under));
    let (Some(stores), Some(low)) = (high.as_object_mut(), low.as_object()) else {
        return;
    };
    let mut changed = false;
    for (name, store) in stores.iter_mut() {
        if let (Value::Object(store), Some(Value::Object(lower))) = (store, low.get(name)) {
            changed |= fill(store, lower);
        }
    }
    if changed && let Ok(joined) = serde_json::from_value(high) {
        *over = joined;
    }
}

fn fill(over: &mut Map<String, Value>, under: &Map<String, Value>) -> bool {
    let mut changed = false;
    for (key, value) in under {
        match over.get_mut(key) {
            Some(Value::Object(inner)) => {
                if let Value::Object(lower) = value {
                    changed |= fill(inner, lower);
                }
            }
            Some(present) if *present != json!("") && !present.is_null() => {}
            _ => {
                over.insert(key.clone(), value.clone());
                changed = true;
            }
        }
    }
    changed
}

/// Parameters of several layers, the first layer that has a name wins.
#[must_use]
pub fn merge_parameters(layers: &[&[Parameter]]) -> Vec<Parameter> {
    let mut merged: Vec<Parameter> = Vec::new();
    for layer in layers {
        for parameter in *layer {
            if merged.iter().all(|p| p.name != parameter.name) {
                merged.push(parameter.clone());
            }
        }
    }
    merged
}

/// Adds labels and annotations of the defaults to a workflow's metadata.
pub fn join_metadata(workflow: &mut ObjectMeta, defaults: &ObjectMeta) {
    for (own, below) in [
        (&mut workflow.labels, &defaults.labels),
        (&mut workflow.annotations, &defaults.annotations),
    ] {
        for (key, value) in below {
            own.entry(key.clone()).or_insert_with(|| value.clone());
        }
    }
}

/// A template with the defaults under it; sections of other kinds are left out (C-MRG-10).
#[must_use]
pub fn merge_template(template: &Template, defaults: Option<&Template>) -> Template {
    let Some(defaults) = defaults else {
        return template.clone();
    };
    let (mut under, over) = (json_of(defaults), json_of(template));
    const SECTIONS: [&str; 10] = [
        "container",
        "containerSet",
        "script",
        "resource",
        "dag",
        "steps",
        "data",
        "suspend",
        "http",
        "plugin",
    ];
    if let Value::Object(under) = &mut under {
        under.retain(|key, _| !SECTIONS.contains(&key.as_str()) || over.get(key).is_some());
        under.remove("name");
    }
    let merged = strategic::merge(&under, &over, schema::template);
    merged
        .ok()
        .and_then(|m| serde_json::from_value(m).ok())
        .unwrap_or_else(|| template.clone())
}
