//! DAG templates (C-VAL-15).

mod graph;

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use argosy_model::{DagTask, Template, go_json};
use argosy_template::depends::RESULTS;

use self::graph::Graph;
use super::Fault;
use super::arguments::{self, Supplied};
use super::fault::Place;
use super::holder::{Check, Holder};
use super::names::{check_list, has_tag, template_name_fault};
use super::scope::{Names, simple_tags};
use super::template::{check_hooks, check_not_leaf};
use crate::plan::Base;

/// Templates of the tasks by name; `None` when a name is not known yet.
type Resolved<'a, 'd> = BTreeMap<&'d str, Option<Cow<'a, Template>>>;

/// Checks the tasks; `names` grows with what they give.
pub(super) fn check(
    check: &mut Check<'_>,
    base: &Base,
    template: &Template,
    names: &mut Names,
) -> Result<(), Fault> {
    check_not_leaf(template)?;
    let Some(dag) = &template.dag else { return Ok(()) };
    let prefix = format!("templates.{}", template.name);
    if dag.tasks.is_empty() {
        return Err(Fault::new(format!("{prefix} must have at least one task")).at(&[Place::Key("dag")]));
    }
    let graph = Graph::new(dag).map_err(|f| f.within(&format!("{prefix} sorting failed: ")))?;
    check_list(
        graph.order.iter().map(|at| dag.tasks[*at].name.as_str()),
        template_name_fault,
    )
    .map_err(|f| f.elsewhere().within(&format!("{prefix}.tasks")))?;
    let mut resolved = Resolved::new();
    for at in &graph.order {
        let found = check_task(check, base, &prefix, &graph, *at).map_err(|f| f.at(&graph::place(*at)))?;
        resolved.insert(&dag.tasks[*at].name, found);
    }
    check_targets(check, &prefix, &graph, names)?;
    for at in &graph.order {
        check_use(check, base, &prefix, &graph, *at, &resolved, names)
            .map_err(|f| f.at(&graph::place(*at)))?;
    }
    Ok(())
}

fn check_task<'a>(
    check: &mut Check<'a>,
    base: &Base,
    prefix: &str,
    graph: &Graph<'_>,
    at: usize,
) -> Result<Option<Cow<'a, Template>>, Fault> {
    let task = &graph.dag.tasks[at];
    let name = &task.name;
    let ordered = graph.using_depends || !task.dependencies.is_empty();
    if ordered && name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(Fault::new(format!(
            "{prefix}.tasks.{name} name cannot begin with a digit when using either 'depends' or 'dependencies'"
        )));
    }
    if graph.using_depends && !task.dependencies.is_empty() {
        return Err(Fault::new(format!(
            "{prefix} cannot use both 'depends' and 'dependencies' in the same DAG template"
        )));
    }
    if graph.using_depends && task.continue_on.is_some() {
        return Err(Fault::new(format!(
            "{prefix} cannot use 'continueOn' when using 'depends'. Instead use 'dep-task.Failed'/'dep-task.Errored'"
        )));
    }
    let found = check
        .holder(base, &Holder::of_task(task), Supplied::Anything)
        .map_err(|f| f.within(&format!("{prefix}.tasks.{name} ")))?;
    check_hooks(&format!("{prefix}.tasks.{name}"), &task.hooks)?;
    check_wanted(prefix, graph, at)?;
    Ok(found)
}

/// Results that exist, of tasks that can have them.
fn check_wanted(prefix: &str, graph: &Graph<'_>, at: usize) -> Result<(), Fault> {
    let task = &graph.dag.tasks[at].name;
    for wanted in &graph.wanted[at] {
        if let Some(result) = &wanted.result
            && !RESULTS.contains(&result.as_str())
        {
            let name = &wanted.task;
            return Err(Fault::new(format!(
                "{prefix}.tasks.{task} task result '{result}' for task '{name}' is invalid"
            ))
            .maybe(result, RESULTS.iter().copied()));
        }
    }
    for wanted in &graph.wanted[at] {
        let name = &wanted.task;
        let Some(on) = graph.task(name) else {
            return Err(Fault::new(format!(
                "{prefix}.tasks.{task} dependency '{name}' not defined"
            )));
        };
        let looped = is_looped(on) || on.with_sequence.is_some();
        if matches!(wanted.result.as_deref(), Some("AnySucceeded" | "AllFailed")) && !looped {
            // The peer names the dependency in both places.
            return Err(Fault::new(format!(
                "{prefix}.tasks.{name} dependency '{name}' uses an items-based condition such as .AnySucceeded or \
                 .AllFailed but does not contain any items"
            )));
        }
    }
    Ok(())
}

fn check_targets(check: &Check<'_>, prefix: &str, graph: &Graph<'_>, names: &Names) -> Result<(), Fault> {
    let place = [Place::Key("dag"), Place::Key("target")];
    let target = &graph.dag.target;
    names
        .check_tags(&check.globals, &go_json::quoted(target), check.template_only)
        .map_err(|f| f.within(&format!("{prefix}.targets ")).at(&place))?;
    if target.is_empty() {
        return Ok(());
    }
    match target
        .split(' ')
        .find(|target| !has_tag(target) && graph.task(target).is_none())
    {
        Some(target) => Err(
            Fault::new(format!("{prefix}.targets: target '{target}' is not defined"))
                .maybe(target, graph.names())
                .at(&place),
        ),
        None => Ok(()),
    }
}

/// Checks what a task uses: variables, arguments, and its template with them.
fn check_use(
    check: &mut Check<'_>,
    base: &Base,
    prefix: &str,
    graph: &Graph<'_>,
    at: usize,
    resolved: &Resolved<'_, '_>,
    names: &mut Names,
) -> Result<(), Fault> {
    let task = &graph.dag.tasks[at];
    let prefix = format!("{prefix}.tasks.{}", task.name);
    let within = |f: Fault| f.within(&format!("{prefix} "));
    add_outputs(names, check, resolved, task);
    let json = go_json::to_string(task).expect("wire types are always valid JSON");
    let mut own = own_names(task);
    own.add_items(&task.with_items, &task.with_param, task.with_sequence.as_ref())
        .map_err(within)?;
    for ancestor in referred(&json)? {
        if let Some(found) = graph.ancestor(at, &ancestor) {
            add_outputs(&mut own, check, resolved, found);
            own.add(format!("tasks.{ancestor}.status"));
        }
    }
    check_arguments_come_from_ancestors(graph, at).map_err(within)?;
    names
        .check_tags_with(&own, &check.globals, &json, check.template_only)
        .map_err(within)?;
    arguments::check(&format!("{prefix}.arguments."), &task.arguments, false)
        .map_err(|f| f.at(&[Place::Key("arguments")]))?;
    check
        .holder(base, &Holder::of_task(task), Supplied::Given(&task.arguments))
        .map_err(within)?;
    Ok(())
}

fn add_outputs(names: &mut Names, check: &mut Check<'_>, resolved: &Resolved<'_, '_>, task: &DagTask) {
    let template = resolved.get(task.name.as_str()).and_then(Option::as_deref);
    names.add_outputs(
        &mut check.globals,
        template,
        &format!("tasks.{}", task.name),
        is_looped(task),
    );
}

/// Names that only the task itself may use.
fn own_names(task: &DagTask) -> Names {
    let mut own = Names::default();
    if !task.hooks.is_empty() || !task.on_exit.is_empty() {
        own.add(format!("tasks.{}.status", task.name));
    }
    if let Some(inline) = &task.inline {
        for parameter in &inline.inputs.parameters {
            own.add(format!("inputs.parameters.{}", parameter.name));
        }
        for artifact in &inline.inputs.artifacts {
            own.add(format!("inputs.artifacts.{}", artifact.name));
            own.add(format!("inputs.artifacts.{}.path", artifact.name));
        }
        own.add("pod.name");
    }
    own
}

/// Tasks that the tags of a JSON text name.
fn referred(json: &str) -> Result<BTreeSet<String>, Fault> {
    if !json.contains("tasks.") {
        return Ok(BTreeSet::new());
    }
    let tags = simple_tags(json)?;
    let names = tags
        .iter()
        .filter_map(|tag| tag.trim().strip_prefix("tasks.")?.split('.').next());
    Ok(names.map(ToOwned::to_owned).collect())
}

fn is_looped(task: &DagTask) -> bool {
    !task.with_items.is_empty() || !task.with_param.is_empty()
}

fn check_arguments_come_from_ancestors(graph: &Graph<'_>, at: usize) -> Result<(), Fault> {
    let arguments = &graph.dag.tasks[at].arguments;
    let missing = |text: &str| {
        let name = text.strip_prefix("{{tasks.")?.split(['.', '}']).next()?;
        graph.ancestor(at, name).is_none().then(|| name.to_owned())
    };
    for parameter in &arguments.parameters {
        if let Some(name) = parameter.value.as_ref().and_then(|value| missing(value.as_str())) {
            let parameter = &parameter.name;
            return Err(Fault::new(format!(
                "missing dependency '{name}' for parameter '{parameter}'"
            )));
        }
    }
    for artifact in &arguments.artifacts {
        if let Some(name) = missing(&artifact.from) {
            let artifact = &artifact.name;
            return Err(Fault::new(format!(
                "missing dependency '{name}' for artifact '{artifact}'"
            )));
        }
    }
    Ok(())
}
