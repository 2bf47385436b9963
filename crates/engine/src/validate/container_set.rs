//! Container sets: names, mounts and the graph of dependencies (C-VAL-12, C-CSET-02).

use std::collections::BTreeMap;

use argosy_model::{ContainerSetTemplate, Template};

use super::Fault;
use super::fault::Place;
use super::leaf::{check_artifact_paths, check_mounts, check_reserved};
use super::names::template_name_fault;

/// Checks a container set.
pub(super) fn check(template: &Template, set: &ContainerSetTemplate) -> Result<(), Fault> {
    checked(template, set).map_err(|f| f.at(&[Place::Key("containerSet")]))
}

fn checked(template: &Template, set: &ContainerSetTemplate) -> Result<(), Fault> {
    let prefix = format!("templates.{}.containerSet", template.name);
    let list = format!("{prefix}.containers");
    if set.containers.is_empty() {
        return Err(Fault::new(format!("{list} must have at least one container")));
    }
    let mut seen: Vec<&str> = Vec::new();
    for (index, member) in set.containers.iter().enumerate() {
        let name = member.container.name.as_str();
        let place = [Place::Key("containers"), Place::Index(index), Place::Key("name")];
        let fault = if name.is_empty() {
            Some(format!("{list}[{index}].name is required"))
        } else if seen.contains(&name) {
            Some(format!("{list}[{index}].name '{name}' is not unique"))
        } else {
            template_name_fault(name).map(|why| format!("{list}[{index}].name '{name}' is invalid: {why}"))
        };
        if let Some(message) = fault {
            return Err(Fault::new(message).at(&place));
        }
        check_reserved(&list, name).map_err(|f| f.at(&place))?;
        seen.push(name);
    }
    let mut mounted = BTreeMap::new();
    check_mounts(&prefix, "containerSet", &set.volume_mounts, &mut mounted)?;
    check_artifact_paths(template, &mut mounted)?;
    for (index, member) in set.containers.iter().enumerate() {
        let name = &member.container.name;
        let mut own = mounted.clone();
        check_mounts(
            &format!("{list}[{index}]"),
            &format!("containerSet.containers.{name}"),
            &member.container.volume_mounts,
            &mut own,
        )?;
        for dependency in &member.dependencies {
            if !seen.contains(&dependency.as_str()) {
                return Err(
                    Fault::new(format!("{list}.{name} dependency '{dependency}' not defined"))
                        .maybe(dependency, seen.iter().copied()),
                );
            }
        }
    }
    let graph = set
        .containers
        .iter()
        .map(|m| (m.container.name.as_str(), m.dependencies.as_slice()))
        .collect();
    if let Some(cycle) = cycle(&graph) {
        return Err(Fault::new(format!("{list} dependency cycle detected: {cycle}")));
    }
    check_main(template, &seen, &list)
}

/// Parameters and artifacts need a container called main.
fn check_main(template: &Template, names: &[&str], list: &str) -> Result<(), Fault> {
    let reads = !template.inputs.artifacts.is_empty();
    let writes = !template.outputs.parameters.is_empty() || !template.outputs.artifacts.is_empty();
    if (reads || writes) && !names.contains(&"main") {
        return Err(Fault::new(format!(
            "{list} must have a container named \"main\" for input or output"
        )));
    }
    Ok(())
}

/// A cycle in a graph of names, as `a->b->a`; `None` when there is none.
fn cycle(graph: &BTreeMap<&str, &[String]>) -> Option<String> {
    let mut open = graph.clone();
    loop {
        let before = open.len();
        let free: Vec<&str> = open
            .iter()
            .filter(|(_, on)| on.iter().all(|name| !open.contains_key(name.as_str())))
            .map(|(name, _)| *name)
            .collect();
        free.iter().for_each(|name| {
            open.remove(name);
        });
        if open.len() == before {
            break;
        }
    }
    // What is left has a way on from everywhere, so following it comes back to where it was.
    let mut path: Vec<&str> = vec![open.keys().next()?];
    loop {
        let last = path.last().copied()?;
        let next = open
            .get(last)?
            .iter()
            .find_map(|name| open.get_key_value(name.as_str()))?
            .0;
        if let Some(at) = path.iter().position(|name| name == next) {
            // The peer names the last one first.
            let mut cycle = path.split_off(at);
            cycle.rotate_left(1);
            cycle.push(cycle.first().copied()?);
            return Some(cycle.join("->"));
        }
        path.push(next);
    }
}
