//! Arguments: that they have values (C-VAL-05), and what becomes of a template with them (C-ARG-01…C-ARG-03).

use std::collections::BTreeMap;

use argosy_model::{AnyString, Arguments, Artifact, Parameter, Template, decode};
use argosy_template::{Level, tags};
use serde_json::Value;

use super::Fault;
use super::fault::Place;
use super::names::{check_list, parameter_name_fault};
use super::scope::Globals;
use crate::pod::{has_key, has_location};

/// The arguments with which a template is validated.
#[derive(Clone, Copy)]
pub(super) enum Supplied<'a> {
    /// Anything that it asks for.
    Anything,
    /// These.
    Given(&'a Arguments),
}

/// Checks names and values; `prefix` ends with a dot. With `values_later` values need not be there yet.
pub(super) fn check(prefix: &str, arguments: &Arguments, values_later: bool) -> Result<(), Fault> {
    check_names(prefix, arguments)?;
    for (index, parameter) in arguments.parameters.iter().enumerate() {
        let place = [Place::Key("parameters"), Place::Index(index)];
        check_parameter(&format!("{prefix}{}", parameter.name), parameter, values_later)
            .map_err(|f| f.at(&place))?;
    }
    for (index, artifact) in arguments.artifacts.iter().enumerate() {
        let place = [Place::Key("artifacts"), Place::Index(index)];
        check_artifact(&format!("{prefix}{}", artifact.name), artifact).map_err(|f| f.at(&place))?;
    }
    Ok(())
}

/// Checks names only.
pub(super) fn check_names(prefix: &str, arguments: &Arguments) -> Result<(), Fault> {
    let parameters = arguments.parameters.iter().map(|p| p.name.as_str());
    check_list(parameters, parameter_name_fault).map_err(|f| {
        f.within(&format!("{prefix}parameters"))
            .at(&[Place::Key("parameters")])
    })?;
    let artifacts = arguments.artifacts.iter().map(|a| a.name.as_str());
    check_list(artifacts, parameter_name_fault).map_err(|f| {
        f.within(&format!("{prefix}artifacts"))
            .at(&[Place::Key("artifacts")])
    })
}

fn check_parameter(path: &str, parameter: &Parameter, values_later: bool) -> Result<(), Fault> {
    if parameter.value.is_none() && parameter.value_from.is_none() && !values_later {
        return Err(Fault::new(format!(
            "{path}.value or {path}.valueFrom is required"
        )));
    }
    if let Some(from) = &parameter.value_from {
        let allowed = from.config_map_key_ref.is_some() || !from.event.is_empty() || from.supplied.is_some();
        let other = [&from.path, &from.json_path, &from.parameter, &from.expression]
            .iter()
            .any(|t| !t.is_empty());
        if !allowed || other {
            return Err(Fault::new(format!(
                "{path}.valueFrom only allows: default, configMapKeyRef and supplied"
            )));
        }
    }
    if parameter.enum_.is_null() {
        return Ok(());
    }
    if parameter.enum_.is_empty() {
        return Err(Fault::new(format!(
            "{path}.enum should contain at least one value"
        )));
    }
    match &parameter.value {
        None if values_later => Ok(()),
        None => Err(Fault::new(format!("{path}.value is required"))),
        Some(value) if parameter.enum_.contains(value) => Ok(()),
        Some(value) => {
            let known = parameter.enum_.iter().map(AnyString::as_str);
            Err(
                Fault::new(format!("{path}.value should be present in {path}.enum list"))
                    .maybe(value.as_str(), known),
            )
        }
    }
}

fn check_artifact(path: &str, artifact: &Artifact) -> Result<(), Fault> {
    if !artifact.from.is_empty() && !artifact.from_expression.is_empty() {
        return Err(Fault::new(format!(
            "{path} shouldn't have both `from` and `fromExpression` in Artifact"
        )));
    }
    let placed = !artifact.from.is_empty()
        || !artifact.from_expression.is_empty()
        || has_location(&artifact.location)
        || has_key(&artifact.location);
    if placed {
        Ok(())
    } else {
        Err(Fault::new(format!(
            "{path}.from, artifact location, or key is required"
        )))
    }
}

/// Checks that every input gets something.
pub(super) fn check_supplied(template: &Template, supplied: Supplied<'_>) -> Result<(), Fault> {
    let Supplied::Given(arguments) = supplied else {
        return Ok(());
    };
    for input in &template.inputs.parameters {
        let argument = arguments.parameters.iter().find(|p| p.name == input.name);
        let source = argument.map_or(&input.value_from, |argument| &argument.value_from);
        let later = source
            .as_ref()
            .is_some_and(|from| from.config_map_key_ref.is_some());
        let has_value =
            input.value.is_some() || input.default.is_some() || argument.is_some_and(|a| a.value.is_some());
        if !has_value && !later {
            return Err(Fault::new(format!(
                "inputs.parameters.{} was not supplied",
                input.name
            )));
        }
    }
    for input in &template.inputs.artifacts {
        let placed = has_location(&input.location) || has_key(&input.location) || input.optional;
        if !placed && !arguments.artifacts.iter().any(|a| a.name == input.name) {
            return Err(Fault::new(format!(
                "inputs.artifacts.{} was not supplied",
                input.name
            )));
        }
    }
    Ok(())
}

/// The template with its inputs filled and all known variables in place.
pub(super) fn process(
    template: &Template,
    supplied: Supplied<'_>,
    globals: &mut Globals,
    locals: &BTreeMap<String, Value>,
) -> Result<Template, Fault> {
    check_supplied(template, supplied)?;
    let mut filled = template.clone();
    let mut scope = globals.values.clone();
    scope.extend(locals.iter().map(|(name, value)| (name.clone(), value.clone())));
    for input in &mut filled.inputs.parameters {
        fill(input, supplied, globals);
        if let Some(value) = &input.value {
            let value = Value::String(value.as_str().to_owned());
            scope.insert(format!("inputs.parameters.{}", input.name), value);
        }
    }
    let mut json = serde_json::to_value(&filled).expect("wire types are always valid JSON");
    tags::replace_in_value(&mut json, &scope, Level::Lenient)
        .map_err(|error| Fault::new(error.to_string()))?;
    decode::lenient(json).map_err(|error| Fault::new(error.to_string()))
}

fn fill(input: &mut Parameter, supplied: Supplied<'_>, globals: &mut Globals) {
    if input.value.is_none() {
        input.value.clone_from(&input.default);
    }
    let Supplied::Given(arguments) = supplied else {
        input.value = Some(AnyString(globals.placeholder()));
        return;
    };
    if let Some(argument) = arguments.parameters.iter().find(|p| p.name == input.name) {
        if argument.value.is_some() {
            input.value.clone_from(&argument.value);
            input.value_from = None;
        } else {
            input.value_from.clone_from(&argument.value_from);
        }
    }
}
