//! Resources and claims of whole pods (C-VAL-08).

use argosy_model::Template;
use argosy_model::k8s::ResourceRequirements;

use super::Fault;
use super::fault::Place;
use super::template::kind_name;
use crate::plan::{Kind, kind};

/// Checks resources that belong to a pod and to none of its containers.
pub(super) fn check(path: &str, resources: Option<&ResourceRequirements>) -> Result<(), Fault> {
    let Some(resources) = resources else { return Ok(()) };
    let groups = [("limits", &resources.limits), ("requests", &resources.requests)];
    for (group, entries) in groups {
        for name in entries.keys() {
            if name != "cpu" && name != "memory" && !name.starts_with("hugepages-") {
                return Err(Fault::new(format!(
                    "{path}.{group}: \"{name}\" is not a valid pod-level resource, only cpu, memory and hugepages-* are supported"
                ))
                .at(&[Place::Key("podResources")]));
            }
        }
    }
    if !resources.claims.is_empty() {
        return Err(Fault::new(format!(
            "{path}.claims is not supported, use resourceClaims instead"
        ))
        .at(&[Place::Key("podResources")]));
    }
    Ok(())
}

/// Checks a template's own.
pub(super) fn check_template(template: &Template) -> Result<(), Fault> {
    let name = &template.name;
    let kind = kind(template);
    if template.pod_resources.is_some() && matches!(kind, Kind::Http | Kind::Plugin) {
        return Err(Fault::new(format!(
            "templates.{name}.podResources is not supported for {} templates",
            kind_name(kind)
        ))
        .at(&[Place::Key("podResources")]));
    }
    check(
        &format!("templates.{name}.podResources"),
        template.pod_resources.as_ref(),
    )?;
    if !template.resource_claims.is_empty() && !kind.is_pod() {
        return Err(Fault::new(format!(
            "templates.{name}.resourceClaims is not supported for {} templates, which do not create a pod",
            kind_name(kind)
        ))
        .at(&[Place::Key("resourceClaims")]));
    }
    Ok(())
}
