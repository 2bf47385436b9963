//! New values for the arguments of a workflow, as the command line gives them.

use argosy_model::{AnyString, Parameter, Workflow};

use super::Error;

/// Puts `NAME=VALUE` arguments before the others, in place of those with the same names.
pub(super) fn override_with(workflow: &mut Workflow, texts: &[String]) -> Result<(), Error> {
    if texts.is_empty() {
        return Ok(());
    }
    let mut new = Vec::with_capacity(texts.len());
    for text in texts {
        let (name, value) = text
            .split_once('=')
            .ok_or_else(|| Error::Parameter(text.clone()))?;
        new.push(Parameter {
            name: name.to_owned(),
            value: Some(AnyString(value.to_owned())),
            ..Parameter::default()
        });
    }
    let stored = workflow.status.stored_workflow_template_spec.as_deref_mut();
    for spec in std::iter::once(&mut workflow.spec).chain(stored) {
        let old = std::mem::take(&mut spec.arguments.parameters);
        spec.arguments.parameters.clone_from(&new);
        spec.arguments
            .parameters
            .extend(old.into_iter().filter(|o| new.iter().all(|n| n.name != o.name)));
    }
    Ok(())
}
