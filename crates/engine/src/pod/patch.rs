//! `podSpecPatch`: what users change in the spec of a pod as the last thing (C-BLD-35).

use argosy_model::k8s::{Pod, PodSpec};
use argosy_model::{Template, decode, yaml};
use serde_json::Value;

use super::{Error, PodRequest};
use crate::merge::{schema, strategic};

/// Applies the workflow's patch, then the template's.
pub(super) fn apply_all(request: &PodRequest<'_>, template: &Template, pod: &mut Pod) -> Result<(), Error> {
    for patch in [&request.spec.pod_spec_patch, &template.pod_spec_patch] {
        if patch.is_empty() {
            continue;
        }
        let patch = substituted(request, patch)?;
        pod.spec = apply(&pod.spec, &patch).map_err(|_| Error::refused("Error applying PodSpecPatch"))?;
    }
    Ok(())
}

fn substituted(request: &PodRequest<'_>, patch: &str) -> Result<String, Error> {
    request
        .substitute
        .apply(&patch.to_owned())
        .map_err(|_| Error::refused("Failed to substitute the PodSpecPatch variables"))
}

/// Why a patch does not fit a pod.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PatchError {
    /// The patch is no YAML.
    #[error("Failed to convert the PodSpecPatch yaml to json")]
    Yaml,
    /// The patch is no part of a pod's spec.
    #[error("invalid podSpecPatch {patch:?}: {reason}")]
    Invalid {
        /// The patch.
        patch: String,
        /// What is wrong, as Go says it.
        reason: String,
    },
    /// The patch can't be merged.
    #[error("Error occurred during strategic merge patch")]
    Merge(#[source] strategic::Error),
}

/// The spec with one patch (YAML or JSON) applied.
///
/// # Errors
/// When the patch is no YAML, is no part of a pod's spec, or can't be merged.
pub fn apply(spec: &PodSpec, patch: &str) -> Result<PodSpec, PatchError> {
    let value = yaml::value(patch).map_err(|_| PatchError::Yaml)?;
    let invalid = |error: &decode::Error| PatchError::Invalid {
        patch: patch.to_owned(),
        reason: error
            .problems
            .first()
            .map(|p| p.go_text.clone())
            .unwrap_or_default(),
    };
    decode::lenient::<PodSpec>(value.clone()).map_err(|error| invalid(&error))?;
    let before = serde_json::to_value(spec).expect("wire types are always valid JSON");
    let value = if value.is_null() {
        Value::Object(serde_json::Map::new())
    } else {
        value
    };
    let merged = strategic::merge(&before, &value, schema::pod_spec).map_err(PatchError::Merge)?;
    decode::lenient(merged).map_err(|error| invalid(&error))
}
