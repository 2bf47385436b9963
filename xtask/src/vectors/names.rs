//! Names and ids: of nodes, pods, loop items, locks, and objects made from others.

use std::collections::BTreeMap;

use argosy_engine::names::{self, PodNames};
use argosy_engine::{Config, from_template, item, locks};
use argosy_model::{CronWorkflow, DagTask, Mutex, SemaphoreRef, Sequence};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::Verdict;
use super::traces::text;

/// Checks one name.
pub fn check(_file: &Value, vector: &Value) -> Verdict {
    let field = |name: &str| text(&vector[name]);
    let expected = field("out");
    let ours = match field("fn").as_str() {
        "nodeID" => names::node_id(&field("workflow"), &field("node")),
        "podName" => names::pod_name(
            &field("workflow"),
            &field("node"),
            &field("template"),
            PodNames::parse(&field("version")),
        ),
        "agentPodName" => names::agent_pod(&field("workflow")),
        "backfillPrefix" => names::backfill_prefix(&field("cron"), &field("ops")),
        "cronChildName" => {
            let time: Timestamp = field("scheduled").parse().map_err(|e| format!("{e}"))?;
            names::cron_child(&field("cron"), time.as_second())
        }
        "artGCPodName" => return artifact_gc(vector),
        "processItem" => return process_item(vector),
        "hookNodeName" => names::hook(&field("parent"), &field("hook")),
        "onExitNodeName" => names::on_exit(&field("parent")),
        "stepOrTaskName" => names::step_or_task(&field("node")).to_owned(),
        "recoverIndex" => {
            if vector["panic"].is_string() {
                // The peer crashes; anything but a crash is right.
                let _ = names::loop_index(&field("node"));
                return Ok(());
            }
            return same(
                &json!(names::loop_index(&field("node")).unwrap_or(-1)),
                &vector["out"],
            );
        }
        "expandSequence" => return sequence(vector),
        "mutexLockName" | "semaphoreLockName" => return lock_name(vector),
        "decodeLockName" => {
            let parsed = locks::Name::parse(&field("in"));
            return outcome(
                parsed.map(|n| json!(n.to_string())).map_err(|e| e.to_string()),
                vector,
            );
        }
        "saTokenSecret" => names::token_secret(&field("serviceAccount")),
        "offloadVersion" => names::offload_version(&field("marshalled")),
        "storedTemplateID" => return stored_template(vector),
        "resourceSelfLink" => names::self_link(&vector["object"]),
        "cronToWorkflow" => return cron_to_workflow(vector),
        "workflowFromTemplate" => {
            let cluster_scope = vector["clusterScope"] == json!(true);
            let mut ours = json!(from_template::workflow(&field("template"), cluster_scope));
            // The recording is of an object without its kind.
            if let Some(ours) = ours.as_object_mut() {
                ours.retain(|key, _| !matches!(key.as_str(), "apiVersion" | "kind"));
            }
            return same(&ours, &vector["out"]);
        }
        other => return Err(format!("unknown function {other}")),
    };
    if ours == expected {
        Ok(())
    } else {
        Err(format!("{ours:?}, expected {expected:?}"))
    }
}

fn same(ours: &Value, expected: &Value) -> Verdict {
    if ours == expected {
        Ok(())
    } else {
        Err(format!("{ours}, expected {expected}"))
    }
}

fn outcome(ours: Result<Value, String>, vector: &Value) -> Verdict {
    match (ours, vector["err"].as_str()) {
        (Ok(value), None) => same(&value, &vector["out"]),
        (Err(error), Some(expected)) if error == expected => Ok(()),
        (ours, expected) => Err(format!(
            "{ours:?}, expected error {expected:?}, value {}",
            vector["out"]
        )),
    }
}

fn artifact_gc(vector: &Value) -> Verdict {
    let map = |name: &str| -> BTreeMap<String, String> {
        serde_json::from_value(vector[name].clone()).unwrap_or_default()
    };
    let (labels, annotations) = (map("labels"), map("annotations"));
    let pairs = |m: &BTreeMap<String, String>| m.clone().into_iter().collect::<Vec<_>>();
    let (labels, annotations) = (pairs(&labels), pairs(&annotations));
    let ours = names::artifact_gc_pod(
        &text(&vector["workflow"]),
        &text(&vector["strategy"]),
        &text(&vector["serviceAccount"]),
        labels.iter().map(|(k, v)| (k.as_str(), v.as_str())),
        annotations.iter().map(|(k, v)| (k.as_str(), v.as_str())),
    );
    match (ours, vector["err"].is_string()) {
        (None, true) => Ok(()),
        (Some(name), false) => {
            same(&json!(name), &vector["out"])?;
            same(
                &json!(names::fnv1a_32(name.as_bytes()).to_string()),
                &vector["podLabel"],
            )
        }
        (ours, _) => Err(format!("{ours:?}, expected {vector}")),
    }
}

fn process_item(vector: &Value) -> Verdict {
    let task: DagTask = serde_json::from_value(vector["task"].clone()).map_err(|e| e.to_string())?;
    let index = usize::try_from(vector["index"].as_u64().unwrap_or(0)).unwrap_or(0);
    let expanded = argosy_engine::expand_item(&task, index, &vector["item"]);
    let expanded = match (expanded, vector["err"].as_str()) {
        (Ok(task), None) => task,
        (Err(error), Some(expected)) if error == expected => return Ok(()),
        (ours, expected) => return Err(format!("{ours:?}, expected error {expected:?}")),
    };
    same(&json!(expanded.name), &vector["name"])?;
    let mut body = json!(expanded);
    body["name"] = vector["out"]["name"].clone();
    same(&body, &vector["out"])
}

fn sequence(vector: &Value) -> Verdict {
    let sequence: Sequence = serde_json::from_value(vector["sequence"].clone()).map_err(|e| e.to_string())?;
    let ours = item::sequence(&sequence);
    outcome(ours.map(|texts| json!(texts)).map_err(|e| e.to_string()), vector)
}

fn lock_name(vector: &Value) -> Verdict {
    let namespace = text(&vector["namespace"]);
    let named = if vector["mutex"].is_object() {
        let mutex: Mutex = serde_json::from_value(vector["mutex"].clone()).map_err(|e| e.to_string())?;
        locks::mutex_name(&mutex, &namespace)
    } else {
        let semaphore: SemaphoreRef =
            serde_json::from_value(vector["semaphore"].clone()).map_err(|e| e.to_string())?;
        locks::semaphore_name(&semaphore, &namespace)
    };
    outcome(
        named.map(|n| json!(n.to_string())).map_err(|e| e.to_string()),
        vector,
    )
}

/// The run of a CronWorkflow. The recording is of a function that leaves name and namespace to its caller, and takes
/// the controller's instance from the object instead of the configuration.
fn cron_to_workflow(vector: &Value) -> Verdict {
    const INSTANCE: &str = "workflows.argoproj.io/controller-instanceid";
    let cron: CronWorkflow = serde_json::from_value(vector["cron"].clone()).map_err(|e| e.to_string())?;
    let time: Timestamp = text(&vector["scheduled"]).parse().map_err(|e| format!("{e}"))?;
    let config = Config {
        instance_id: cron.metadata.labels.get(INSTANCE).cloned().unwrap_or_default(),
        ..Config::default()
    };
    let mut ours = argosy_engine::cron::child(&cron, time, &config);
    ours.metadata.name = text(&vector["name"]);
    ours.metadata.namespace = String::new();
    let mut ours = json!(ours);
    if let Some(ours) = ours.as_object_mut() {
        ours.remove("apiVersion");
    }
    same(&ours, &vector["out"])
}

fn stored_template(vector: &Value) -> Verdict {
    let step = serde_json::from_value(vector["step"].clone()).map_err(|e| e.to_string())?;
    let key =
        argosy_engine::plan::stored_template_key(&text(&vector["scope"]), &text(&vector["resource"]), &step);
    same(&json!(key.is_some()), &vector["stored"])?;
    same(&json!(key.unwrap_or_default()), &vector["out"])
}
