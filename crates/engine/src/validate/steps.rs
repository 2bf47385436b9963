//! Steps templates (C-VAL-14).

use std::borrow::Cow;
use std::collections::BTreeMap;

use argosy_model::{Template, WorkflowStep, go_json};

use super::Fault;
use super::arguments::{self, Supplied};
use super::fault::Place;
use super::holder::{Check, Holder};
use super::names::template_name_fault;
use super::scope::Names;
use super::template::{check_hooks, check_not_leaf};
use crate::plan::Base;

/// Checks the steps; `names` grows with what they give.
pub(super) fn check(
    check: &mut Check<'_>,
    base: &Base,
    template: &Template,
    names: &mut Names,
) -> Result<(), Fault> {
    check_not_leaf(template)?;
    let mut resolved: BTreeMap<String, Option<Cow<'_, Template>>> = BTreeMap::new();
    for (group, steps) in template.steps.iter().enumerate() {
        let prefix = format!("templates.{}.steps[{group}]", template.name);
        for (index, step) in steps.0.iter().enumerate() {
            let place = [Place::Key("steps"), Place::Index(group), Place::Index(index)];
            check_name(&prefix, step, &resolved).map_err(|f| f.at(&place))?;
            names.add(format!("steps.{}.status", step.name));
            let found = check_step(check, base, &prefix, step, names).map_err(|f| f.at(&place))?;
            if step.hooks.contains_key("exit") || !step.on_exit.is_empty() {
                let of = format!("steps.{}", step.name);
                names.add_outputs(&mut check.globals, found.as_deref(), &of, false);
            }
            resolved.insert(step.name.clone(), found);
        }
        let json = go_json::to_string(&steps.0).expect("wire types are always valid JSON");
        names
            .check_tags(&check.globals, &json, check.template_only)
            .map_err(|f| f.within(&format!("templates.{}.steps ", template.name)))
            .map_err(|f| f.at(&[Place::Key("steps"), Place::Index(group)]))?;
        for (index, step) in steps.0.iter().enumerate() {
            let place = [Place::Key("steps"), Place::Index(group), Place::Index(index)];
            let looped = !step.with_items.is_empty() || !step.with_param.is_empty();
            let found = resolved.get(&step.name).and_then(Option::as_deref);
            names.add_outputs(&mut check.globals, found, &format!("steps.{}", step.name), looped);
            check
                .holder(base, &Holder::of_step(step), Supplied::Given(&step.arguments))
                .map_err(|f| f.within(&format!("{prefix}.{} ", step.name)).at(&place))?;
        }
    }
    Ok(())
}

fn check_name<T>(prefix: &str, step: &WorkflowStep, known: &BTreeMap<String, T>) -> Result<(), Fault> {
    let name = &step.name;
    if name.is_empty() {
        return Err(Fault::new(format!("{prefix}.name is required")));
    }
    if known.contains_key(name) {
        return Err(Fault::new(format!("{prefix}.name '{name}' is not unique")));
    }
    match template_name_fault(name) {
        Some(why) => Err(Fault::new(format!("{prefix}.name '{name}' is invalid: {why}"))),
        None => Ok(()),
    }
}

fn check_step<'a>(
    check: &mut Check<'a>,
    base: &Base,
    prefix: &str,
    step: &WorkflowStep,
    names: &mut Names,
) -> Result<Option<Cow<'a, Template>>, Fault> {
    let prefix = format!("{prefix}.{}", step.name);
    names
        .add_items(&step.with_items, &step.with_param, step.with_sequence.as_ref())
        .map_err(|f| f.within(&format!("{prefix} ")))?;
    arguments::check(&format!("{prefix}.arguments."), &step.arguments, false)
        .map_err(|f| f.at(&[Place::Key("arguments")]))?;
    check_hooks(&prefix, &step.hooks)?;
    check
        .holder(base, &Holder::of_step(step), Supplied::Anything)
        .map_err(|f| f.within(&format!("{prefix} ")))
}
