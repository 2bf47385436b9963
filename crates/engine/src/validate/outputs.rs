//! Outputs of a template: each has one source that fits the template's kind (C-VAL-16).

use argosy_model::{Parameter, Template, ValueFrom, go_json};

use super::Fault;
use super::fault::Place;
use super::inputs::clean_path;
use super::names::{check_list, has_tag, parameter_name_fault};
use super::scope::{Globals, Names};
use super::template::{is_leaf, kind_name};
use crate::plan::{Kind, kind};

/// Checks the outputs.
pub(super) fn check(
    template: &Template,
    names: &Names,
    globals: &Globals,
    template_only: bool,
) -> Result<(), Fault> {
    let of = |list: &'static str| [Place::Key("outputs"), Place::Key(list)];
    let prefix = format!("templates.{}.outputs", template.name);
    check_list(
        template.outputs.parameters.iter().map(|p| p.name.as_str()),
        parameter_name_fault,
    )
    .map_err(|f| f.within(&format!("{prefix}.parameters ")).at(&of("parameters")))?;
    check_list(
        template.outputs.artifacts.iter().map(|a| a.name.as_str()),
        parameter_name_fault,
    )
    .map_err(|f| f.within(&format!("{prefix}.artifacts ")).at(&of("artifacts")))?;
    let json = go_json::to_string(&template.outputs).expect("wire types are always valid JSON");
    names
        .check_tags(globals, &json, template_only)
        .map_err(|f| f.within(&format!("{prefix} ")).at(&[Place::Key("outputs")]))?;
    for (index, artifact) in template.outputs.artifacts.iter().enumerate() {
        let path = format!("{prefix}.artifacts.{}", artifact.name);
        let place = [
            Place::Key("outputs"),
            Place::Key("artifacts"),
            Place::Index(index),
        ];
        let checked = if is_leaf(template) {
            clean_path(artifact).map_err(|f| f.within(&format!("error in {path}: ")))
        } else if artifact.path.is_empty() {
            Ok(())
        } else {
            Err(Fault::new(format!(
                "{path}.path only valid in container/script templates"
            )))
        };
        checked
            .and_then(|()| check_global_name(&path, &artifact.global_name))
            .map_err(|f| f.at(&place))?;
    }
    for (index, parameter) in template.outputs.parameters.iter().enumerate() {
        let path = format!("{prefix}.parameters.{}", parameter.name);
        let place = [
            Place::Key("outputs"),
            Place::Key("parameters"),
            Place::Index(index),
        ];
        check_parameter(&path, parameter, template).map_err(|f| f.at(&place))?;
    }
    Ok(())
}

fn check_global_name(path: &str, name: &str) -> Result<(), Fault> {
    match parameter_name_fault(name) {
        Some(why) if !name.is_empty() && !has_tag(name) => {
            Err(Fault::new(format!("{path}.globalName: {why}")))
        }
        _ => Ok(()),
    }
}

fn check_parameter(path: &str, parameter: &Parameter, template: &Template) -> Result<(), Fault> {
    let Some(from) = &parameter.value_from else {
        if parameter.value.is_none() {
            return Err(Fault::new(format!(
                "{path} does not have valueFrom or value specified"
            )));
        }
        return check_global_name(path, &parameter.global_name);
    };
    if parameter.value.is_some() {
        return Err(Fault::new(format!(
            "{path} has both valueFrom and value specified, choose one"
        )));
    }
    check_source(from)?;
    let kind_of = kind(template);
    let fits = match kind_of {
        Kind::Container | Kind::ContainerSet | Kind::Script if from.path.is_empty() => Err(format!(
            "{path}.path must be specified for {} templates",
            kind_name(kind_of)
        )),
        Kind::Resource if from.jq_filter.is_empty() && from.json_path.is_empty() => Err(format!(
            "{path} .jqFilter or jsonPath must be specified for {} templates",
            kind_name(kind_of)
        )),
        Kind::Steps | Kind::Dag if from.parameter.is_empty() && from.expression.is_empty() => Err(format!(
            "{path}.parameter or expression must be specified for {} templates",
            kind_name(kind_of)
        )),
        _ => Ok(()),
    };
    fits.map_err(Fault::new)?;
    check_global_name(path, &parameter.global_name)
}

fn check_source(from: &ValueFrom) -> Result<(), Fault> {
    let texts = [
        &from.path,
        &from.jq_filter,
        &from.json_path,
        &from.parameter,
        &from.expression,
    ];
    let count = texts.iter().filter(|t| !t.is_empty()).count() + usize::from(from.supplied.is_some());
    let choose = "choose one of: path, jqFilter, jsonPath, parameter, raw, expression";
    match count {
        0 => Err(Fault::new(format!("valueFrom type unspecified. {choose}"))),
        1 => Ok(()),
        _ => Err(Fault::new(format!(
            "multiple valueFrom types specified. {choose}"
        ))),
    }
}
