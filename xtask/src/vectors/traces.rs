//! Whole runs of the peer's controller, pass by pass, against `decide`.
//!
//! A trace is a chain: state and events in, new status out. Ours runs on its own state, so the first difference of a
//! trace is its cause. Reading the trace is here; what a difference is, in `traces_compare`.

use std::collections::BTreeMap;
use std::sync::Arc;

use argosy_engine::config::{FailedPodRestart, ImageConfig};
use argosy_engine::edit;
use argosy_model::k8s::{Pod, PodStatus};
use argosy_model::{NodeResult, ShutdownStrategy, Workflow, WorkflowTaskResult};
use argosy_testkit::{Life, World};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::Verdict;
use super::traces_compare::{Shown, compare_final, compare_pass};

/// Checks one trace.
pub fn check(_file: &Value, vector: &Value) -> Verdict {
    if vector.to_string().contains("\\\\u00") {
        // Node names with characters as the submitted file escaped them: no API server keeps these escapes.
        return Ok(());
    }
    let mut world = world(vector)?;
    let default = text(&vector["workflow"]["metadata"]["name"]);
    let mut shown: BTreeMap<String, Shown> = BTreeMap::new();
    for (number, pass) in vector["passes"].as_array().into_iter().flatten().enumerate() {
        let name = pass["wf"]
            .as_str()
            .map_or_else(|| default.clone(), ToOwned::to_owned);
        let at = |why: String| format!("pass {number} at {}: {why}", text(&pass["t"]));
        let now: Timestamp = text(&pass["t"]).parse().map_err(|e| format!("time: {e}"))?;
        for event in pass["events"].as_array().into_iter().flatten() {
            let target = event["wf"]
                .as_str()
                .map_or_else(|| name.clone(), ToOwned::to_owned);
            let life = world.workflows.get_mut(&target).ok_or("no such workflow")?;
            happen(life, event, now).map_err(at)?;
        }
        let passed = world.pass(&name, now).ok_or("no such workflow")?;
        let life = &world.workflows[&name];
        let state = shown.entry(name.clone()).or_default();
        match compare_pass(state, pass, life, &passed) {
            Err(_) if is_deliberate(pass) || is_stuck(vector, pass) => return Ok(()),
            result => result.map_err(at)?,
        }
    }
    compare_final(vector, &world)
}

/// Whether the peer fails here where we go on on purpose: a loop's result that is no JSON counts as text.
fn is_deliberate(pass: &Value) -> bool {
    let nodes = pass["nodes"].as_array().into_iter().flatten();
    nodes
        .filter_map(|n| n["message"].as_str())
        .any(|m| m.contains("invalid character '"))
}

/// Whether the peer hangs here for ever: nothing moves any more, and ours ends such workflows.
fn is_stuck(vector: &Value, pass: &Value) -> bool {
    let changes = ["nodes", "created_pods", "pod_actions"]
        .iter()
        .any(|key| !pass[*key].is_null());
    vector["stuck"].is_string() && !changes
}

pub fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().to_owned()
}

fn read<T: serde::de::DeserializeOwned>(value: &Value) -> Result<T, String> {
    serde_json::from_value(value.clone()).map_err(|e| format!("{e}: {value}"))
}

/// The world before the first pass.
fn world(vector: &Value) -> Result<World, String> {
    let mut world = World::default();
    let start: Timestamp = "2026-01-01T00:00:00Z".parse().map_err(|e| format!("{e}"))?;
    for (image, entrypoint, cmd) in [
        ("argoproj/argosay:v2", "/argosay", ""),
        ("busybox", "", "sh"),
        ("nginx", "/docker-entrypoint.sh", "nginx"),
    ] {
        let list = |t: &str| {
            if t.is_empty() {
                Vec::new()
            } else {
                vec![t.to_owned()]
            }
        };
        let config = ImageConfig {
            entrypoint: list(entrypoint),
            cmd: list(cmd),
        };
        world.config.images.insert(image.to_owned(), config);
    }
    let config = &vector["config"];
    if config["failedPodRestart"]["enabled"] == true {
        let max = config["failedPodRestart"]["maxRestarts"].as_i64().unwrap_or(3);
        world.config.failed_pod_restart = Some(FailedPodRestart {
            max_restarts: i32::try_from(max).unwrap_or(3),
        });
    }
    if config["workflowDefaults"]["spec"].is_object() {
        world.config.default_spec = read(&config["workflowDefaults"]["spec"])?;
    }
    for object in vector["objects"].as_array().into_iter().flatten() {
        let name = text(&object["metadata"]["name"]);
        match object["kind"].as_str() {
            Some("WorkflowTemplate") => {
                world.templates.namespaced.insert(name, Arc::new(read(object)?));
            }
            Some("ClusterWorkflowTemplate") => {
                world.templates.cluster.insert(name, Arc::new(read(object)?));
            }
            Some("ConfigMap") => world
                .config_maps
                .insert("argo", &name, Some(Arc::new(read(object)?))),
            other => return Err(format!("unknown kind of object {other:?}")),
        }
    }
    let others = vector["others"].as_array().into_iter().flatten();
    for workflow in std::iter::once(&vector["workflow"]).chain(others) {
        let workflow: Workflow = read(workflow)?;
        world.submit(workflow, start);
    }
    Ok(world)
}

/// Makes one recorded event happen.
fn happen(life: &mut Life, event: &Value, now: Timestamp) -> Result<(), String> {
    let node = text(&event["node"]);
    let id = argosy_engine::names::node_id(&life.workflow.metadata.name, &node);
    match event["kind"].as_str() {
        Some("pod") => {
            let name = match event["pod"].as_str() {
                Some(pod) => pod.to_owned(),
                None => match find_pod(life, &node) {
                    Some(name) => name,
                    None => return Ok(()),
                },
            };
            if event["deleted"] == true {
                life.pods.remove(&name);
                return Ok(());
            }
            let Some(pod) = life.pods.get_mut(&name) else {
                return Ok(());
            };
            set_status(Arc::make_mut(pod), &event["status"])
        }
        Some("taskresult") => {
            let mut result: WorkflowTaskResult = read(&json!({
                "metadata": {"name": id},
                "outputs": event["outputs"],
                "progress": event["progress"],
            }))?;
            let completed = event["completed"] == true;
            let label = "workflows.argoproj.io/report-outputs-completed".to_owned();
            result.metadata.labels.insert(label, completed.to_string());
            life.results.insert(id, Arc::new(result));
            Ok(())
        }
        Some("taskset") => {
            let result: NodeResult = read(&event["result"])?;
            life.agent_results.insert(id, result);
            Ok(())
        }
        Some("user") => act(life, event, now),
        other => Err(format!("unknown kind of event {other:?}")),
    }
}

fn find_pod(life: &Life, node: &str) -> Option<String> {
    let found = life.pods.values().find(|p| {
        p.metadata
            .annotations
            .get("workflows.argoproj.io/node-name")
            .map(String::as_str)
            == Some(node)
    });
    found.map(|p| p.metadata.name.clone())
}

/// Gives a pod a recorded status. Starts of ended containers are not recorded; they are the pod's creation.
fn set_status(pod: &mut Pod, status: &Value) -> Result<(), String> {
    let mut new: PodStatus = read(status)?;
    let created = pod.metadata.creation_timestamp;
    for container in new
        .container_statuses
        .iter_mut()
        .chain(&mut new.init_container_statuses)
    {
        if let Some(ended) = &mut container.state.terminated {
            ended.started_at = ended.started_at.or(created);
        }
    }
    if !new.pod_ip.is_empty() {
        "node-1".clone_into(&mut pod.spec.node_name);
    }
    pod.status = new;
    Ok(())
}

/// What a user did.
fn act(life: &mut Life, event: &Value, now: Timestamp) -> Result<(), String> {
    let workflow = &mut life.workflow;
    let selector: edit::Selector = event["selector"]
        .as_str()
        .unwrap_or_default()
        .parse()
        .map_err(|e| format!("{e:?}"))?;
    let result = match event["do"].as_str() {
        Some("resume") => edit::resume(workflow, "", now),
        Some("suspend") => edit::suspend(workflow),
        Some("terminate") => edit::shutdown(workflow, ShutdownStrategy::Terminate),
        Some("stop") if selector.is_empty() => edit::shutdown(workflow, ShutdownStrategy::Stop),
        Some("stop") => edit::stop_nodes(
            workflow,
            &selector,
            event["message"].as_str().unwrap_or_default(),
            now,
        ),
        Some("set") => {
            let outputs: Map<String, Value> = event["outputs"].as_object().cloned().unwrap_or_default();
            let change = edit::Set {
                phase: text(&event["phase"]).as_str().into(),
                message: text(&event["message"]),
                outputs: outputs.into_iter().map(|(k, v)| (k, text(&v))).collect(),
            };
            edit::set(workflow, &selector, &change, now)
        }
        Some("deletePod") => {
            let name = find_pod(life, &text(&event["node"]));
            if let Some(name) = name {
                life.pods.remove(&name);
            }
            Ok(())
        }
        other => return Err(format!("unknown user action {other:?}")),
    };
    match (result, event["error"].as_str()) {
        (Ok(()), None) => Ok(()),
        (Err(error), Some(expected)) if error.to_string() == expected => Ok(()),
        (result, expected) => Err(format!(
            "user action gave {result:?}, expected error {expected:?}"
        )),
    }
}
