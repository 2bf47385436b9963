//! Templates that do work themselves (C-VAL-12).

use std::collections::BTreeMap;

use argosy_model::k8s::{IntOrString, VolumeMount};
use argosy_model::{Template, go_json};

use super::fault::Place;
use super::names::has_tag;
use super::scope::{Globals, Names};
use super::{Fault, container_set, resource};

/// What a leaf is checked against.
pub(super) struct Surroundings<'a> {
    pub names: &'a Names,
    pub globals: &'a Globals,
    pub template_only: bool,
    /// The workflow's `templateDefaults`.
    pub defaults: Option<&'a Template>,
}

/// Checks a leaf.
pub(super) fn check(template: &Template, around: &Surroundings<'_>) -> Result<(), Fault> {
    let name = &template.name;
    let json = go_json::to_string(template).expect("wire types are always valid JSON");
    around
        .names
        .check_tags(around.globals, &json, around.template_only)
        .map_err(|f| f.within(&format!("templates.{name}: ")))?;
    check_containers(template, around)?;
    if let Some(resource) = &template.resource {
        resource::check(name, resource, template)?;
    }
    if let Some(set) = &template.container_set {
        container_set::check(template, set)?;
    }
    check_names_beside(template)?;
    check_deadline(name, template.active_deadline_seconds.as_ref())?;
    if template.parallelism.is_some() {
        return Err(Fault::new(format!(
            "templates.{name}.parallelism is only valid for steps and dag templates"
        ))
        .at(&[Place::Key("parallelism")]));
    }
    Ok(())
}

fn check_containers(template: &Template, around: &Surroundings<'_>) -> Result<(), Fault> {
    let name = &template.name;
    let (section, container) = if let Some(container) = &template.container {
        ("container", &**container)
    } else if let Some(script) = &template.script {
        ("script", &script.container)
    } else {
        return Ok(());
    };
    if section == "container" {
        let mut mounted = BTreeMap::new();
        check_mounts(
            &format!("templates.{name}.{section}"),
            section,
            &container.volume_mounts,
            &mut mounted,
        )
        .map_err(|f| f.at(&[Place::Key("container")]))?;
        check_artifact_paths(template, &mut mounted)?;
    }
    let default = around.defaults.and_then(|defaults| match section {
        "container" => defaults.container.as_ref().map(|c| c.image.as_str()),
        _ => defaults.script.as_ref().map(|s| s.container.image.as_str()),
    });
    if container.image.is_empty() && default.is_none_or(str::is_empty) {
        let section = if section == "container" {
            "container"
        } else {
            "script"
        };
        return Err(
            Fault::new(format!("templates.{name}.{section}.image may not be empty"))
                .at(&[Place::Name(section), Place::Key("image")]),
        );
    }
    Ok(())
}

/// Checks that no two mounts have one path; `mounted` collects what is where.
pub(super) fn check_mounts(
    prefix: &str,
    section: &str,
    mounts: &[VolumeMount],
    mounted: &mut BTreeMap<String, String>,
) -> Result<(), Fault> {
    for (index, mount) in mounts.iter().enumerate() {
        if let Some(before) = mounted.get(&mount.mount_path) {
            return Err(Fault::new(format!(
                "{prefix}.volumeMounts[{index}].mountPath '{}' already mounted in {before}",
                mount.mount_path
            ))
            .at(&[
                Place::Key("volumeMounts"),
                Place::Index(index),
                Place::Key("mountPath"),
            ]));
        }
        mounted.insert(
            mount.mount_path.clone(),
            format!("{section}.volumeMounts.{}", mount.name),
        );
    }
    Ok(())
}

/// Checks that no artifact has the path of a mount or of another artifact.
pub(super) fn check_artifact_paths(
    template: &Template,
    mounted: &mut BTreeMap<String, String>,
) -> Result<(), Fault> {
    for (index, artifact) in template.inputs.artifacts.iter().enumerate() {
        if let Some(before) = mounted.get(&artifact.path) {
            return Err(Fault::new(format!(
                "templates.{}.inputs.artifacts[{index}].path '{}' already mounted in {before}",
                template.name, artifact.path
            ))
            .at(&[
                Place::Key("inputs"),
                Place::Key("artifacts"),
                Place::Index(index),
                Place::Key("path"),
            ]));
        }
        mounted.insert(
            artifact.path.clone(),
            format!("inputs.artifacts.{}", artifact.name),
        );
    }
    Ok(())
}

/// Init containers need names; sidecars must not have ours.
fn check_names_beside(template: &Template) -> Result<(), Fault> {
    if template
        .init_containers
        .iter()
        .any(|c| c.container.name.is_empty())
    {
        return Err(
            Fault::new("initContainers must all have container name").at(&[Place::Key("initContainers")])
        );
    }
    let prefix = format!("templates.{}.sidecars", template.name);
    for (index, sidecar) in template.sidecars.iter().enumerate() {
        check_reserved(&prefix, &sidecar.container.name)
            .map_err(|f| f.at(&[Place::Key("sidecars"), Place::Index(index), Place::Key("name")]))?;
    }
    Ok(())
}

/// Names that our containers have.
pub(super) fn check_reserved(prefix: &str, name: &str) -> Result<(), Fault> {
    if name == "wait" || name == "supervisor" || name.starts_with("artifact-plugin-") {
        return Err(Fault::new(format!(
            "{prefix}: \"{name}\" is a reserved Argo container name"
        )));
    }
    Ok(())
}

fn check_deadline(template: &str, deadline: Option<&IntOrString>) -> Result<(), Fault> {
    let good = match deadline {
        None => true,
        Some(IntOrString::Int(seconds)) => *seconds >= 0,
        Some(IntOrString::String(text)) => {
            has_tag(text) || text.parse::<i64>().is_ok_and(|seconds| seconds >= 0)
        }
    };
    if good {
        return Ok(());
    }
    Err(Fault::new(format!(
        "templates.{template}.activeDeadlineSeconds must be a positive integer > 0 or an argo variable"
    ))
    .at(&[Place::Key("activeDeadlineSeconds")]))
}
