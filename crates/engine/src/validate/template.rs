//! One template: its kind, inputs, timeouts, then the body by kind, outputs and metrics.

use std::collections::BTreeMap;

use argosy_model::{RetryPolicy, Template};
use serde_json::Value;

use super::arguments::{self, Supplied};
use super::fault::Place;
use super::holder::{Check, Found};
use super::leaf::{self, Surroundings};
use super::names::has_tag;
use super::{Fault, dag, inputs, metrics, outputs, resources, steps};
use crate::duration;
use crate::plan::{Kind, kind};

/// The peer's name of a kind.
pub(super) fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::Container => "Container",
        Kind::ContainerSet => "ContainerSet",
        Kind::Script => "Script",
        Kind::Resource => "Resource",
        Kind::Data => "Data",
        Kind::Steps => "Steps",
        Kind::Dag => "DAG",
        Kind::Suspend => "Suspend",
        Kind::Http => "HTTP",
        Kind::Plugin => "Plugin",
        Kind::Unknown => "Unknown",
    }
}

/// Whether the template does work itself.
pub(super) fn is_leaf(template: &Template) -> bool {
    !matches!(
        kind(template),
        Kind::Steps | Kind::Dag | Kind::Suspend | Kind::Unknown
    )
}

/// Checks a template with the given arguments; its body only once.
pub(super) fn check(check: &mut Check<'_>, found: &Found<'_>, supplied: Supplied<'_>) -> Result<(), Fault> {
    let template = &*found.template;
    let seen = found.id.as_ref().is_some_and(|id| check.seen.contains(id));
    if seen && !depends_on_arguments(template) {
        return arguments::check_supplied(template, supplied)
            .map_err(|f| f.within(&format!("templates.{} ", template.name)));
    }
    check_kind(template)?;
    let mut names = inputs::check(template)?;
    let mut locals: BTreeMap<String, Value> = BTreeMap::new();
    if kind(template).is_pod() {
        names.add("pod.name");
        locals.insert("pod.name".to_owned(), Value::String(check.globals.placeholder()));
    }
    if is_leaf(template) {
        for artifact in template.outputs.artifacts.iter().filter(|a| !a.path.is_empty()) {
            names.add(format!("outputs.artifacts.{}.path", artifact.name));
        }
    }
    let processed = arguments::process(template, supplied, &mut check.globals, &locals)
        .map_err(|f| f.within(&format!("templates.{} ", template.name)))?;
    check_timeouts(&processed)?;
    check_retry_policy(&processed)?;
    resources::check_template(&processed)?;
    if let Some(id) = &found.id
        && !check.seen.insert(id.clone())
    {
        return Ok(());
    }
    match kind(&processed) {
        Kind::Steps => steps::check(check, &found.base, &processed, &mut names)?,
        Kind::Dag => dag::check(check, &found.base, &processed, &mut names)?,
        _ => leaf::check(
            &processed,
            &Surroundings {
                names: &names,
                globals: &check.globals,
                template_only: check.template_only,
                defaults: check.defaults,
            },
        )?,
    }
    outputs::check(&processed, &names, &check.globals, check.template_only)?;
    if let Some(location) = &processed.archive_location {
        inputs::check_location(&format!("templates.{}.archiveLocation", template.name), location)
            .map_err(|f| f.at(&[Place::Key("archiveLocation")]))?;
    }
    processed
        .metrics
        .as_ref()
        .map_or(Ok(()), |found| metrics::check(&template.name, found))
}

/// Whether fields outside the body, which are checked each time, have variables in them.
fn depends_on_arguments(template: &Template) -> bool {
    let policy = template
        .retry_strategy
        .as_ref()
        .map_or("", |s| s.retry_policy.as_str());
    [template.timeout.as_str(), &template.pending_timeout, policy]
        .into_iter()
        .any(has_tag)
}

fn check_kind(template: &Template) -> Result<(), Fault> {
    let sections = [
        template.container.is_some(),
        template.container_set.is_some(),
        !template.steps.is_empty(),
        template.script.is_some(),
        template.resource.is_some(),
        template.dag.is_some(),
        template.suspend.is_some(),
        template.data.is_some(),
        template.http.is_some(),
        template.plugin.is_some(),
    ];
    let choose = "choose one of: container, containerSet, steps, script, resource, dag, suspend, template, template ref";
    let what = match sections.iter().filter(|set| **set).count() {
        0 => "template type unspecified",
        1 => return Ok(()),
        _ => "multiple template types specified",
    };
    Err(Fault::new(format!(
        "templates.{} {what}. {choose}",
        template.name
    )))
}

fn check_timeouts(template: &Template) -> Result<(), Fault> {
    let fields = [
        ("timeout", &template.timeout),
        ("pendingTimeout", &template.pending_timeout),
    ];
    for (field, text) in fields {
        if text.is_empty() {
            continue;
        }
        if !is_leaf(template) {
            let kind = kind_name(kind(template));
            return Err(
                Fault::new(format!("{kind} template doesn't support {field} field")).at(&[Place::Key(field)]),
            );
        }
        if !has_tag(text) && duration::parse_go(text).is_err() {
            return Err(Fault::new(format!(
                "{} has invalid duration format in {field}",
                template.name
            ))
            .at(&[Place::Key(field)]));
        }
    }
    Ok(())
}

fn check_retry_policy(template: &Template) -> Result<(), Fault> {
    match template
        .retry_strategy
        .as_ref()
        .map(|strategy| &strategy.retry_policy)
    {
        Some(RetryPolicy::Other(policy)) if !has_tag(policy) => {
            Err(Fault::new(format!("{policy} is not a valid RetryPolicy"))
                .maybe(policy, RetryPolicy::KNOWN.iter().copied())
                .at(&[Place::Key("retryStrategy"), Place::Key("retryPolicy")]))
        }
        _ => Ok(()),
    }
}

/// What steps and DAG templates can't have.
pub(super) fn check_not_leaf(template: &Template) -> Result<(), Fault> {
    if template.active_deadline_seconds.is_some() {
        let name = &template.name;
        return Err(Fault::new(format!(
            "templates.{name}.activeDeadlineSeconds is only valid for leaf templates"
        ))
        .at(&[Place::Key("activeDeadlineSeconds")]));
    }
    Ok(())
}

/// Every hook but the exit handler says when it runs.
pub(super) fn check_hooks(
    prefix: &str,
    hooks: &BTreeMap<String, argosy_model::LifecycleHook>,
) -> Result<(), Fault> {
    match hooks
        .iter()
        .find(|(name, hook)| *name != "exit" && hook.expression.is_empty())
    {
        Some((name, _)) => Err(Fault::new(format!("{prefix}.{name} Expression required"))
            .at(&[Place::Key("hooks"), Place::Name(name)])),
        None => Ok(()),
    }
}
