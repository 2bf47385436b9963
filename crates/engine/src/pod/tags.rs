//! Substitution in the whole template and the whole pod (C-BLD-35).

use argosy_model::k8s::Pod;
use argosy_model::{Template, go_json};

use super::containers::{Draft, escaped};
use super::{Error, PodRequest};

/// The template with all variables that are known now.
pub(super) fn substitute_template(request: &PodRequest<'_>, template: Template) -> Result<Template, Error> {
    request
        .substitute
        .apply(&template)
        .map_err(|error| Error::refused(error.to_string()))
}

/// The pod with all variables that are known now, and what the executor is told about the template.
pub(super) fn substituted_pod(request: &PodRequest<'_>, draft: &Draft<'_>) -> Result<Pod, Error> {
    let mut pod: Pod = request
        .substitute
        .apply(&draft.pod)
        .map_err(|error| Error::refused(error.to_string()))?;
    let template = escaped(&draft.template_text);
    let containers = pod
        .spec
        .init_containers
        .iter_mut()
        .chain(pod.spec.containers.iter_mut());
    for variable in containers
        .flat_map(|c| c.env.iter_mut())
        .filter(|v| v.name == super::offload::TEMPLATE)
    {
        variable.value.clone_from(&template);
    }
    Ok(pod)
}

/// A place for artifacts with an unknown variable in it would lose them.
pub(super) fn archive_location_is_resolved(draft: &Draft<'_>) -> Result<(), Error> {
    let Some(location) = &draft.template.archive_location else {
        return Ok(());
    };
    let text = go_json::to_string(location).expect("wire types are always valid JSON");
    match text
        .split_once("{{")
        .map(|(_, rest)| rest.split_once("}}").map_or(rest, |(tag, _)| tag))
    {
        Some(tag) => Err(Error::refused(format!("failed to resolve {{{{{tag}}}}}"))),
        None => Ok(()),
    }
}
