//! DAG templates (C-VAL-15).

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use argosy_model::{DagTask, DagTemplate, Template, go_json};
use argosy_template::depends::RESULTS;

use super::Fault;
use super::arguments::{self, Supplied};
use super::container_set::cycle;
use super::fault::Place;
use super::holder::{Check, Holder};
use super::names::{check_list, has_tag, template_name_fault};
use super::scope::Names;
use super::template::{check_hooks, check_not_leaf};
use crate::plan::Base;

/// What one task waits for: names with the result that is asked for, if any.
type Wanted = Vec<(String, Option<String>)>;

/// Checks the tasks; `names` grows with what they give.
pub(super) fn check(
    check: &mut Check<'_>,
    base: &Base,
    template: &Template,
    names: &mut Names,
) -> Result<(), Fault> {
    check_not_leaf(template)?;
    let Some(dag) = &template.dag else { return Ok(()) };
    let name = &template.name;
    if dag.tasks.is_empty() {
        return Err(
            Fault::new(format!("templates.{name} must have at least one task")).at(&[Place::Key("dag")]),
        );
    }
    let wanted: Vec<Wanted> = dag.tasks.iter().map(wanted).collect();
    let order = sorted(dag, &wanted).map_err(|f| f.within(&format!("templates.{name} sorting failed: ")))?;
    check_list(
        order.iter().map(|at| dag.tasks[*at].name.as_str()),
        template_name_fault,
    )
    .map_err(|f| f.elsewhere().within(&format!("templates.{name}.tasks")))?;
    let mut resolved = BTreeMap::new();
    for at in &order {
        let task = &dag.tasks[*at];
        let found =
            check_task(check, base, template, dag, task, &wanted[*at]).map_err(|f| f.at(&place(*at)))?;
        resolved.insert(task.name.as_str(), found);
    }
    check_cycles(name, dag, &wanted)?;
    check_targets(check, template, dag, names)?;
    for at in &order {
        check_use(check, base, template, dag, *at, &wanted, &resolved, names)
            .map_err(|f| f.at(&place(*at)))?;
    }
    Ok(())
}

fn place(index: usize) -> [Place<'static>; 3] {
    [Place::Key("dag"), Place::Key("tasks"), Place::Index(index)]
}

/// The tasks that a task names, in `dependencies` or `depends`.
fn wanted(task: &DagTask) -> Wanted {
    let mut found: Wanted = task
        .dependencies
        .iter()
        .map(|name| (name.clone(), None))
        .collect();
    let mut rest = task.depends.as_str();
    while let Some(start) = rest.find(|c: char| c.is_ascii_alphanumeric()) {
        rest = &rest[start..];
        let (name, after) = word(rest);
        let result = after
            .strip_prefix('.')
            .map(word)
            .filter(|(result, _)| !result.is_empty());
        found.push((name.to_owned(), result.map(|(result, _)| result.to_owned())));
        rest = result.map_or(after, |(_, after)| after);
    }
    found
}

/// A name at the begin of a text, and the rest.
fn word(text: &str) -> (&str, &str) {
    let end = text
        .find(|c: char| !c.is_ascii_alphanumeric() && c != '-')
        .unwrap_or(text.len());
    text.split_at(end)
}

/// The order in which tasks can run: indices, earlier declared first.
fn sorted(dag: &DagTemplate, wanted: &[Wanted]) -> Result<Vec<usize>, Fault> {
    let mut index_of: BTreeMap<&str, usize> = BTreeMap::new();
    for (index, task) in dag.tasks.iter().enumerate() {
        if index_of.insert(&task.name, index).is_some() {
            return Err(Fault::new(format!("duplicated nodeName {}", task.name)).at(&place(index)));
        }
    }
    for (index, names) in wanted.iter().enumerate() {
        for (name, _) in names {
            if !index_of.contains_key(name.as_str()) {
                return Err(Fault::new(format!("invalid dependency {name}"))
                    .maybe(name, index_of.keys().copied())
                    .at(&place(index)));
            }
        }
    }
    let mut waits: Vec<BTreeSet<usize>> = wanted
        .iter()
        .map(|names| {
            names
                .iter()
                .filter_map(|(name, _)| index_of.get(name.as_str()).copied())
                .collect()
        })
        .collect();
    let mut dependants: Vec<Vec<usize>> = vec![Vec::new(); waits.len()];
    for (index, on) in waits.iter().enumerate() {
        on.iter().for_each(|other| dependants[*other].push(index));
    }
    let mut ready: BTreeSet<usize> = (0..waits.len())
        .filter(|index| waits[*index].is_empty())
        .collect();
    let mut order = Vec::with_capacity(waits.len());
    while let Some(index) = ready.pop_first() {
        order.push(index);
        for dependant in &dependants[index] {
            waits[*dependant].remove(&index);
            if waits[*dependant].is_empty() {
                ready.insert(*dependant);
            }
        }
    }
    if order.len() < waits.len() {
        return Err(Fault::new("graph with cycle").at(&[Place::Key("dag"), Place::Key("tasks")]));
    }
    Ok(order)
}

fn check_task<'a>(
    check: &mut Check<'a>,
    base: &Base,
    template: &Template,
    dag: &DagTemplate,
    task: &DagTask,
    wanted: &Wanted,
) -> Result<Option<Cow<'a, Template>>, Fault> {
    let prefix = format!("templates.{}", template.name);
    let name = &task.name;
    let using_depends = dag.tasks.iter().any(|t| !t.depends.is_empty());
    let ordered = using_depends || !task.dependencies.is_empty();
    if ordered && name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err(Fault::new(format!(
            "{prefix}.tasks.{name} name cannot begin with a digit when using either 'depends' or 'dependencies'"
        )));
    }
    if using_depends && !task.dependencies.is_empty() {
        return Err(Fault::new(format!(
            "{prefix} cannot use both 'depends' and 'dependencies' in the same DAG template"
        )));
    }
    if using_depends && task.continue_on.is_some() {
        return Err(Fault::new(format!(
            "{prefix} cannot use 'continueOn' when using 'depends'. Instead use 'dep-task.Failed'/'dep-task.Errored'"
        )));
    }
    let found = check
        .holder(base, &Holder::of_task(task), Supplied::Anything)
        .map_err(|f| f.within(&format!("{prefix}.tasks.{name} ")))?;
    check_hooks(&format!("{prefix}.tasks.{name}"), &task.hooks)?;
    check_wanted(&prefix, dag, name, wanted)?;
    Ok(found)
}

fn check_wanted(prefix: &str, dag: &DagTemplate, task: &str, wanted: &Wanted) -> Result<(), Fault> {
    for (name, result) in wanted {
        let Some(result) = result else { continue };
        if !RESULTS.contains(&result.as_str()) {
            return Err(Fault::new(format!(
                "{prefix}.tasks.{task} task result '{result}' for task '{name}' is invalid"
            ))
            .maybe(result, RESULTS.iter().copied()));
        }
    }
    for (name, result) in wanted {
        let Some(on) = dag.tasks.iter().find(|t| t.name == *name) else {
            return Err(Fault::new(format!(
                "{prefix}.tasks.{task} dependency '{name}' not defined"
            )));
        };
        let looped = !on.with_items.is_empty() || !on.with_param.is_empty() || on.with_sequence.is_some();
        if matches!(result.as_deref(), Some("AnySucceeded" | "AllFailed")) && !looped {
            // The peer names the dependency in both places.
            return Err(Fault::new(format!(
                "{prefix}.tasks.{name} dependency '{name}' uses an items-based condition such as .AnySucceeded or \
                 .AllFailed but does not contain any items"
            )));
        }
    }
    Ok(())
}

fn check_cycles(name: &str, dag: &DagTemplate, wanted: &[Wanted]) -> Result<(), Fault> {
    let names: Vec<Vec<String>> = wanted
        .iter()
        .map(|w| w.iter().map(|(name, _)| name.clone()).collect())
        .collect();
    let graph = dag
        .tasks
        .iter()
        .zip(&names)
        .map(|(task, on)| (task.name.as_str(), on.as_slice()))
        .collect();
    match cycle(&graph) {
        Some(cycle) => Err(Fault::new(format!(
            "templates.{name}.tasks dependency cycle detected: {cycle}"
        ))
        .at(&[Place::Key("dag"), Place::Key("tasks")])),
        None => Ok(()),
    }
}

fn check_targets(
    check: &Check<'_>,
    template: &Template,
    dag: &DagTemplate,
    names: &Names,
) -> Result<(), Fault> {
    let place = [Place::Key("dag"), Place::Key("target")];
    let json = go_json::quoted(&dag.target);
    names
        .check_tags(&check.globals, &json, check.template_only)
        .map_err(|f| {
            f.within(&format!("templates.{}.targets ", template.name))
                .at(&place)
        })?;
    if dag.target.is_empty() {
        return Ok(());
    }
    let known = || dag.tasks.iter().map(|t| t.name.as_str());
    match dag
        .target
        .split(' ')
        .find(|target| !has_tag(target) && !known().any(|task| task == *target))
    {
        Some(target) => Err(Fault::new(format!(
            "templates.{}.targets: target '{target}' is not defined",
            template.name
        ))
        .maybe(target, known())
        .at(&place)),
        None => Ok(()),
    }
}

/// Checks what a task uses: variables, arguments, and its template with them.
#[expect(clippy::too_many_arguments, reason = "each is another view of the same DAG")]
fn check_use<'a>(
    check: &mut Check<'a>,
    base: &Base,
    template: &Template,
    dag: &DagTemplate,
    at: usize,
    wanted: &[Wanted],
    resolved: &BTreeMap<&str, Option<Cow<'a, Template>>>,
    names: &mut Names,
) -> Result<(), Fault> {
    let task = &dag.tasks[at];
    let prefix = format!("templates.{}.tasks.{}", template.name, task.name);
    let within = |f: Fault| f.within(&format!("{prefix} "));
    let found = |name: &str| resolved.get(name).and_then(Option::as_deref);
    names.add_outputs(
        &mut check.globals,
        found(&task.name),
        &format!("tasks.{}", task.name),
        is_looped(task),
    );
    let ancestors = ancestors(dag, at, wanted);
    let mut own = names.clone();
    for ancestor in ancestors.iter().map(|at| &dag.tasks[*at]) {
        let of = format!("tasks.{}", ancestor.name);
        own.add_outputs(
            &mut check.globals,
            found(&ancestor.name),
            &of,
            is_looped(ancestor),
        );
        own.add(format!("{of}.status"));
    }
    if !task.hooks.is_empty() || !task.on_exit.is_empty() {
        own.add(format!("tasks.{}.status", task.name));
    }
    if let Some(inline) = &task.inline {
        inline
            .inputs
            .parameters
            .iter()
            .for_each(|p| own.add(format!("inputs.parameters.{}", p.name)));
        inline.inputs.artifacts.iter().for_each(|a| {
            own.add(format!("inputs.artifacts.{}", a.name));
            own.add(format!("inputs.artifacts.{}.path", a.name));
        });
        own.add("pod.name");
    }
    own.add_items(&task.with_items, &task.with_param, task.with_sequence.as_ref())
        .map_err(within)?;
    check_arguments_come_from_ancestors(dag, task, &ancestors).map_err(within)?;
    let json = go_json::to_string(task).expect("wire types are always valid JSON");
    own.check_tags(&check.globals, &json, check.template_only)
        .map_err(within)?;
    arguments::check(&format!("{prefix}.arguments."), &task.arguments, false)
        .map_err(|f| f.at(&[Place::Key("arguments")]))?;
    check
        .holder(base, &Holder::of_task(task), Supplied::Given(&task.arguments))
        .map_err(within)?;
    Ok(())
}

fn is_looped(task: &DagTask) -> bool {
    !task.with_items.is_empty() || !task.with_param.is_empty()
}

/// Every task that must end before this one starts.
fn ancestors(dag: &DagTemplate, at: usize, wanted: &[Wanted]) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    let mut waiting = vec![at];
    while let Some(index) = waiting.pop() {
        for (name, _) in &wanted[index] {
            if let Some(on) = dag.tasks.iter().position(|t| t.name == *name)
                && found.insert(on)
            {
                waiting.push(on);
            }
        }
    }
    found
}

fn check_arguments_come_from_ancestors(
    dag: &DagTemplate,
    task: &DagTask,
    ancestors: &BTreeSet<usize>,
) -> Result<(), Fault> {
    let missing = |text: &str| {
        let name = text
            .strip_prefix("{{tasks.")?
            .split(['.', '}'])
            .next()?
            .to_owned();
        let is_ancestor = ancestors.iter().any(|at| dag.tasks[*at].name == name);
        (!is_ancestor).then_some(name)
    };
    for parameter in &task.arguments.parameters {
        if let Some(name) = parameter.value.as_ref().and_then(|value| missing(value.as_str())) {
            return Err(Fault::new(format!(
                "missing dependency '{name}' for parameter '{}'",
                parameter.name
            )));
        }
    }
    for artifact in &task.arguments.artifacts {
        if let Some(name) = missing(&artifact.from) {
            return Err(Fault::new(format!(
                "missing dependency '{name}' for artifact '{}'",
                artifact.name
            )));
        }
    }
    Ok(())
}
