//! Resource templates (C-VAL-13).

use argosy_model::{ResourceTemplate, Template, yaml};

use super::Fault;
use super::fault::Place;

const ACTIONS: &[&str] = &["get", "create", "apply", "delete", "replace", "patch"];

/// Checks the resource section.
pub(super) fn check(name: &str, resource: &ResourceTemplate, template: &Template) -> Result<(), Fault> {
    checked(name, resource, template).map_err(|f| f.at(&[Place::Key("resource")]))
}

fn checked(name: &str, resource: &ResourceTemplate, template: &Template) -> Result<(), Fault> {
    let path = format!("templates.{name}.resource");
    let action = resource.action.as_str();
    if !ACTIONS.contains(&action) {
        return Err(
            Fault::new(format!("{path}.action must be one of: {}", ACTIONS.join(", ")))
                .maybe(action, ACTIONS.iter().copied()),
        );
    }
    if matches!(action, "get" | "delete") {
        return Ok(());
    }
    let from = resource.manifest_from.as_ref();
    if resource.manifest.is_empty() && from.is_none() {
        return Err(Fault::new(format!(
            "either {path}.manifest or {path}.manifestFrom must be specified"
        )));
    }
    if !resource.manifest.is_empty() && from.is_some() {
        return Err(Fault::new(
            "shouldn't have both `manifest` and `manifestFrom` specified in `Manifest` for resource template",
        ));
    }
    if let Some(artifact) = from.and_then(|from| from.artifact.as_deref()) {
        let known = || template.inputs.artifacts.iter().map(|a| a.name.as_str());
        if !known().any(|input| input == artifact.name) {
            return Err(Fault::new(format!(
                "artifact {} in `manifestFrom` refer to a non-exist artifact",
                artifact.name
            ))
            .maybe(&artifact.name, known()));
        }
    }
    if !resource.manifest.is_empty() && yaml::value(&masked(&resource.manifest)).is_err() {
        return Err(Fault::new(format!("{path}.manifest must be a valid yaml")).at(&[Place::Key("manifest")]));
    }
    Ok(())
}

/// The manifest with a harmless word in place of every tag, whose braces are no YAML.
fn masked(manifest: &str) -> String {
    let mut result = String::new();
    let mut rest = manifest;
    while let Some((before, tail)) = rest.split_once("{{") {
        result.push_str(before);
        result.push('_');
        rest = tail.split_once("}}").map_or("", |(_, after)| after);
    }
    result.push_str(rest);
    result
}
