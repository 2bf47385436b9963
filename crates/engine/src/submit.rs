//! What a submission changes in the workflow that was given: names, labels, parameters and the like.
//! Not here: making a workflow from a template (`from_template`), and reading options.

use argosy_model::{AnyString, Parameter, SubmitOpts, Workflow};
use serde_json::{Value, json};

/// Why options can't be applied.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A parameter without a sign of equality.
    #[error("expected parameter of the form: NAME=VALUE. Received: {0}")]
    Parameter(String),
    /// Labels that are no pairs.
    #[error(
        "expected {what} of the form: NAME1=VALUE2,NAME2=VALUE2. Received: {text}: unexpected {single} spec: {spec}"
    )]
    Pairs {
        /// `labels` or `annotations`.
        what: &'static str,
        /// `label` or `annotation`.
        single: &'static str,
        /// All of the text.
        text: String,
        /// The pair that is none.
        spec: String,
    },
    /// An artifact without a sign of equality.
    #[error("expected artifact of the form: NAME=KEY. Received: {0}")]
    Artifact(String),
    /// Artifacts that the workflow does not have.
    #[error("artifact override(s) matched no artifact: {0}")]
    UnknownArtifacts(String),
}

/// Applies the options of a submission.
///
/// # Errors
/// At the first option that is malformed or names nothing of the workflow.
pub fn apply(workflow: &mut Workflow, options: &SubmitOpts) -> Result<(), Error> {
    let meta = &mut workflow.metadata;
    let spec = &mut workflow.spec;
    if !options.name.is_empty() {
        meta.name.clone_from(&options.name);
    }
    if !options.generate_name.is_empty() {
        meta.generate_name.clone_from(&options.generate_name);
    }
    meta.labels.extend(pairs(&options.labels, "labels", "label")?);
    meta.annotations
        .extend(pairs(&options.annotations, "annotations", "annotation")?);
    if !options.entry_point.is_empty() {
        spec.entrypoint.clone_from(&options.entry_point);
    }
    if !options.service_account.is_empty() {
        spec.service_account_name.clone_from(&options.service_account);
    }
    if !options.pod_priority_class_name.is_empty() {
        spec.pod_priority_class_name
            .clone_from(&options.pod_priority_class_name);
    }
    if options.priority.is_some() {
        spec.priority = options.priority;
    }
    if let Some(owner) = &options.owner_reference {
        meta.owner_references.push(owner.clone());
    }
    if !options.parameters.is_empty() {
        let given = options
            .parameters
            .iter()
            .map(|text| parameter(text))
            .collect::<Result<Vec<_>, _>>()?;
        spec.arguments.parameters = crate::plan::merge_parameters(&[&given, &spec.arguments.parameters]);
    }
    override_artifacts(workflow, &options.artifacts)
}

fn parameter(text: &str) -> Result<Parameter, Error> {
    let (name, value) = text
        .split_once('=')
        .ok_or_else(|| Error::Parameter(text.to_owned()))?;
    Ok(Parameter {
        name: name.to_owned(),
        value: Some(AnyString::from(value)),
        ..Parameter::default()
    })
}

fn pairs(text: &str, what: &'static str, single: &'static str) -> Result<Vec<(String, String)>, Error> {
    if text.is_empty() {
        return Ok(Vec::new());
    }
    text.split(',')
        .map(|spec| match spec.split('=').collect::<Vec<_>>().as_slice() {
            [name, value] => Ok(((*name).to_owned(), (*value).to_owned())),
            _ => Err(Error::Pairs {
                what,
                single,
                text: text.to_owned(),
                spec: spec.to_owned(),
            }),
        })
        .collect()
}

/// Gives artifacts of the workflow's arguments other keys in their stores.
fn override_artifacts(workflow: &mut Workflow, overrides: &[String]) -> Result<(), Error> {
    let mut unknown = Vec::new();
    for text in overrides {
        let (name, key) = text
            .split_once('=')
            .ok_or_else(|| Error::Artifact(text.clone()))?;
        match workflow
            .spec
            .arguments
            .artifacts
            .iter_mut()
            .find(|a| a.name == name)
        {
            Some(artifact) => set_key(&mut artifact.location, key),
            None => unknown.push(name.to_owned()),
        }
    }
    if unknown.is_empty() {
        Ok(())
    } else {
        Err(Error::UnknownArtifacts(unknown.join(", ")))
    }
}

fn set_key(location: &mut argosy_model::ArtifactLocation, key: &str) {
    let Ok(mut value) = serde_json::to_value(&*location) else {
        return;
    };
    for (store, fields) in value.as_object_mut().into_iter().flatten() {
        let name = match store.as_str() {
            "s3" | "gcs" | "oss" | "plugin" => "key",
            "azure" => "blob",
            "hdfs" => "path",
            "http" | "artifactory" => "url",
            _ => continue,
        };
        if let Value::Object(fields) = fields {
            fields.insert(name.to_owned(), json!(key));
        }
    }
    if let Ok(changed) = serde_json::from_value(value) {
        *location = changed;
    }
}
