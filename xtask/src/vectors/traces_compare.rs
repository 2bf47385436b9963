//! What a difference between a recorded pass and ours is. Order of children counts nowhere: the peer's comes from maps.

use std::collections::BTreeMap;

use argosy_engine::Effect;
use argosy_model::{NodeStatus, Workflow};
use argosy_testkit::{Life, Passed, World};
use serde_json::{Map, Value, json};

use super::Verdict;
use super::traces::text;

/// Nodes as the trace has them up to now, by name.
#[derive(Default)]
pub struct Shown {
    nodes: BTreeMap<String, Map<String, Value>>,
}

/// Compares one pass.
pub fn compare_pass(state: &mut Shown, pass: &Value, life: &Life, passed: &Passed) -> Verdict {
    for node in pass["nodes"].as_array().into_iter().flatten() {
        let entry = state.nodes.entry(text(&node["name"])).or_default();
        for (key, value) in node.as_object().into_iter().flatten() {
            if value.is_null() {
                entry.remove(key);
            } else {
                entry.insert(key.clone(), value.clone());
            }
        }
    }
    let workflow = &life.workflow;
    compare_nodes(&state.nodes, workflow)?;
    let names: BTreeMap<&str, &str> = workflow
        .status
        .nodes
        .values()
        .map(|n| (n.id.as_str(), n.name.as_str()))
        .collect();
    let created: Vec<Value> = passed
        .created
        .iter()
        .map(|(id, pod)| json!({"node": names.get(id.as_str()).copied().unwrap_or_default(), "pod": pod}))
        .collect();
    same_set("created_pods", &list(&pass["created_pods"]), &created)?;
    same_set(
        "pod_actions",
        &list(&pass["pod_actions"]),
        &actions(passed, &names),
    )?;
    if pass["taskset"].is_array() {
        let tasks: Vec<Value> = life
            .tasks
            .keys()
            .map(|id| json!(names.get(id.as_str()).copied().unwrap_or_default()))
            .collect();
        same_set("taskset", &list(&pass["taskset"]), &tasks)?;
    }
    let phase = workflow.status.phase.as_str();
    let message = real_texts(text(&pass["message"]));
    if text(&pass["phase"]) != phase || message != workflow.status.message {
        let expected = text(&pass["phase"]);
        return Err(format!(
            "workflow is {phase} {:?}, expected {expected} {message:?}",
            workflow.status.message
        ));
    }
    Ok(())
}

/// Texts of the recording's stand-in for the API server as a real one writes them (C-MRG-02).
fn real_texts(message: String) -> String {
    message.replace("workflowtemplate.argoproj.io", "workflowtemplates.argoproj.io")
}

fn list(value: &Value) -> Vec<Value> {
    value.as_array().cloned().unwrap_or_default()
}

fn same_set(what: &str, expected: &[Value], ours: &[Value]) -> Verdict {
    let sorted = |values: &[Value]| {
        let mut texts: Vec<String> = values.iter().map(ToString::to_string).collect();
        texts.sort();
        texts
    };
    if sorted(expected) == sorted(ours) {
        return Ok(());
    }
    Err(format!("{what}: {}, expected {}", json!(ours), json!(expected)))
}

fn actions(passed: &Passed, names: &BTreeMap<&str, &str>) -> Vec<Value> {
    let mut actions = Vec::new();
    for effect in &passed.decision.effects {
        let (action, id, pod, after) = match effect {
            Effect::TerminateContainers { node_id, pod, .. } => ("terminateContainers", node_id, pod, None),
            Effect::LabelPodCompleted { node_id, pod, .. } => ("labelPodCompleted", node_id, pod, None),
            Effect::DeletePod {
                node_id,
                pod,
                uid: Some(_),
                by_strategy: false,
                ..
            } => ("deletePodByUID", node_id, pod, None),
            Effect::DeletePod {
                node_id, pod, after, ..
            } => (
                "deletePod",
                node_id,
                pod,
                (!after.is_zero()).then(|| argosy_engine::duration::to_go(*after)),
            ),
            _ => continue,
        };
        let mut action = json!({"action": action, "pod": pod});
        if let Some(name) = names.get(id.as_str()) {
            action["node"] = json!(name);
        }
        if let Some(after) = after {
            action["after"] = json!(after);
        }
        actions.push(action);
    }
    actions
}

fn compare_nodes(expected: &BTreeMap<String, Map<String, Value>>, workflow: &Workflow) -> Verdict {
    let names: BTreeMap<&str, &str> = workflow
        .status
        .nodes
        .values()
        .map(|n| (n.id.as_str(), n.name.as_str()))
        .collect();
    let ours: BTreeMap<String, Map<String, Value>> = workflow
        .status
        .nodes
        .values()
        .map(|n| (n.name.clone(), shown(n, &names, workflow)))
        .collect();
    for (name, node) in &ours {
        let Some(expected) = expected.get(name) else {
            return Err(format!("node {name} is too many: {}", json!(node)));
        };
        for key in node.keys().chain(expected.keys()) {
            let (a, b) = (node.get(key), expected.get(key));
            if key == "finishedAt" && node["phase"] == "Running" {
                // The peer gives a task of the agent a new end in every pass while it runs; ours has one when it ends.
                continue;
            }
            if comparable(key, a) != comparable(key, b) {
                let show = |v: Option<&Value>| v.map_or_else(|| "nothing".to_owned(), ToString::to_string);
                return Err(format!("node {name} {key}: {}, expected {}", show(a), show(b)));
            }
        }
    }
    match expected.keys().find(|name| !ours.contains_key(*name)) {
        Some(name) => Err(format!("node {name} is missing")),
        None => Ok(()),
    }
}

fn comparable(key: &str, value: Option<&Value>) -> Option<Value> {
    let mut value = value?.clone();
    if key == "inputs" && value.to_string().contains("displayName") {
        // The value of `workflow.failures` comes in any order.
        let mut letters: Vec<char> = value.to_string().chars().collect();
        letters.sort_unstable();
        return Some(json!(letters.into_iter().collect::<String>()));
    }
    if matches!(key, "children" | "outboundNodes")
        && let Some(list) = value.as_array_mut()
    {
        list.sort_by_key(ToString::to_string);
    }
    Some(value)
}

/// A node as traces write it: names for ids, no nulls, no derived or usual fields.
fn shown(node: &NodeStatus, names: &BTreeMap<&str, &str>, workflow: &Workflow) -> Map<String, Value> {
    let Value::Object(mut map) = json!(node) else {
        return Map::new();
    };
    let name_of = |id: &str| {
        names
            .get(id)
            .map_or_else(|| json!(format!("?{id}")), |n| json!(n))
    };
    for key in ["id", "estimatedDuration"] {
        map.remove(key);
    }
    if let Some(Value::String(boundary)) = map.remove("boundaryID") {
        map.insert("boundary".to_owned(), name_of(&boundary));
    }
    for key in ["children", "outboundNodes"] {
        if let Some(Value::Array(ids)) = map.get_mut(key) {
            for id in ids.iter_mut() {
                *id = name_of(id.as_str().unwrap_or_default());
            }
        }
    }
    if node.template_scope == format!("local/{}", workflow.metadata.name) {
        map.remove("templateScope");
    }
    map.retain(|_, value| !value.is_null());
    map
}

/// Conditions without the status of `PodRunning`, which the peer takes from the pods of the last pass alone.
fn conditions(list: &Value) -> Vec<Value> {
    let mut list = list.as_array().cloned().unwrap_or_default();
    for condition in &mut list {
        if condition["type"] == "PodRunning" {
            condition["status"] = Value::Null;
        }
    }
    list
}

/// Compares the end of a trace.
pub fn compare_final(vector: &Value, world: &World) -> Verdict {
    let ends = match &vector["final"] {
        Value::Array(ends) => ends.clone(),
        end => vec![end.clone()],
    };
    let default = text(&vector["workflow"]["metadata"]["name"]);
    for end in ends {
        let name = end["wf"]
            .as_str()
            .map_or_else(|| default.clone(), ToOwned::to_owned);
        let workflow = &world.workflows.get(&name).ok_or("no such workflow")?.workflow;
        let status = json!(workflow.status);
        for (key, expected) in end.as_object().into_iter().flatten() {
            let ours = match key.as_str() {
                "wf" => continue,
                "labels" => json!(workflow.metadata.labels),
                "annotations" => continue,
                "storedTemplates" => json!(workflow.status.stored_templates.keys().collect::<Vec<_>>()),
                key => status[key].clone(),
            };
            let expected = &match expected.as_str() {
                Some(text) if key == "message" => json!(real_texts(text.to_owned())),
                _ => expected.clone(),
            };
            if key == "persistentVolumeClaims"
                && ours.is_null()
                && workflow.status.phase.as_str() == "Succeeded"
            {
                // The claims are deleted; the peer's list stays because it trips over their absence.
                continue;
            }
            if key == "conditions" && conditions(&ours) == conditions(expected) {
                continue;
            }
            if ours != *expected {
                return Err(format!(
                    "at the end, {key} of {name}: {ours}, expected {expected}"
                ));
            }
        }
    }
    Ok(())
}
