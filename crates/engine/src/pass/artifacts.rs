//! Artifacts between templates: references, expressions, sub-paths (C-ARG-02, C-ARG-05).

use argosy_model::{Arguments, Artifact, ArtifactLocation};
use serde_json::Value;

use super::Pass;
use crate::vars::{self, Level, Vars};

/// Fills an input artifact from its argument.
///
/// # Errors
/// When it needs one and there is none, or it has no place.
pub(crate) fn fill(artifact: &mut Artifact, arguments: &Arguments) -> Result<(), String> {
    let argument = arguments.artifacts.iter().find(|a| a.name == artifact.name);
    if has_location(&artifact.location) && argument.is_none() {
        return Ok(());
    }
    let Some(argument) = argument else {
        if artifact.optional {
            return Ok(());
        }
        return Err(format!("inputs.artifacts.{} was not supplied", artifact.name));
    };
    if !artifact.optional && !has_location(&argument.location) {
        return Err(format!(
            "inputs.artifacts.{} missing location information",
            artifact.name
        ));
    }
    *artifact = Artifact {
        path: artifact.path.clone(),
        mode: artifact.mode,
        recurse_mode: artifact.recurse_mode,
        optional: artifact.optional || argument.optional,
        ..argument.clone()
    };
    Ok(())
}

/// Whether the place of an artifact is known.
pub(crate) fn has_location(location: &ArtifactLocation) -> bool {
    ArtifactLocation {
        archive_logs: None,
        ..location.clone()
    } != ArtifactLocation::default()
}

impl Pass<'_> {
    /// Puts artifacts in the place of references in arguments.
    ///
    /// `lenient` drops every optional artifact that can't be had, else only those that are unknown.
    pub fn resolve_argument_artifacts(
        &mut self,
        arguments: &mut Arguments,
        variables: &Vars,
        lenient: bool,
    ) -> Result<(), String> {
        let mut kept = Vec::new();
        for artifact in std::mem::take(&mut arguments.artifacts) {
            if artifact.from.is_empty() && artifact.from_expression.is_empty() {
                kept.push(artifact);
                continue;
            }
            match self.resolve_artifact(&artifact, variables) {
                Ok(found) => kept.push(Artifact {
                    name: artifact.name,
                    optional: artifact.optional || found.optional,
                    ..found
                }),
                Err(error) if artifact.optional && (lenient || error.contains("Unable to resolve")) => {}
                Err(error) => return Err(error),
            }
        }
        arguments.artifacts = kept;
        Ok(())
    }

    /// The artifact that a reference or expression stands for.
    pub fn resolve_artifact(&self, artifact: &Artifact, variables: &Vars) -> Result<Artifact, String> {
        let layers: [&Vars; 2] = [variables, &self.globals];
        let value = if artifact.from.is_empty() {
            vars::evaluate(&artifact.from_expression, &layers)?
        } else {
            let text = artifact.from.trim();
            let tag = text
                .strip_prefix("{{")
                .and_then(|t| t.strip_suffix("}}"))
                .map_or(text, str::trim);
            let found = layers.iter().find_map(|l| l.get(tag));
            found
                .cloned()
                .ok_or_else(|| format!("Unable to resolve: {{{{{tag}}}}}"))?
        };
        if !value.is_object() {
            let text = if artifact.from.is_empty() {
                &artifact.from_expression
            } else {
                &artifact.from
            };
            return Err(format!("Variable {{{{{text}}}}} is not an artifact"));
        }
        let mut found: Artifact = serde_json::from_value(value).map_err(|e| e.to_string())?;
        if !artifact.sub_path.is_empty() {
            let sub_path = vars::substitute_text(&artifact.sub_path, &layers, Level::Lenient)
                .map_err(|e| e.to_string())?;
            append_key(&mut found.location, &sub_path);
        }
        Ok(found)
    }
}

/// Appends a path to the key of whatever store the location names.
fn append_key(location: &mut ArtifactLocation, path: &str) {
    let Ok(mut value) = serde_json::to_value(&*location) else {
        return;
    };
    let Some(stores) = value.as_object_mut() else {
        return;
    };
    for store in stores.values_mut().filter_map(Value::as_object_mut) {
        for field in ["key", "blob", "path", "url"] {
            if let Some(Value::String(key)) = store.get_mut(field) {
                if !key.ends_with('/') {
                    key.push('/');
                }
                key.push_str(path.trim_start_matches('/'));
                break;
            }
        }
    }
    if let Ok(changed) = serde_json::from_value(value) {
        *location = changed;
    }
}
