//! `pods.json`: the exact manifests of the pods, and what is made beside them, for workflows that `decide` runs.

use std::collections::BTreeMap;
use std::sync::Arc;

use argosy_engine::config::ImageConfig;
use argosy_engine::names::PodNames;
use argosy_engine::{Config, Effect};
use argosy_model::{ArtifactRepositoryRefStatus, Workflow, decode};
use argosy_testkit::{Life, Passed, World};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Map, Value, json};

use super::Verdict;
use super::compare::difference;

/// What stands for a text that is too big to be written down.
const BIG: (&str, usize) = ("@BIG@", 131_200);
/// Time between passes.
const TICK: SignedDuration = SignedDuration::from_secs(10);

/// Checks everything that is made for one workflow.
pub fn check(_file: &Value, vector: &Value) -> Verdict {
    let vector = with_big_texts(vector);
    let mut world = world(&vector)?;
    let mut now: Timestamp = "2026-01-01T00:00:00Z".parse().map_err(|e| format!("{e}"))?;
    let workflow: Workflow = decode::lenient(vector["workflow"].clone()).map_err(|e| e.to_string())?;
    let name = workflow.metadata.name.clone();
    world.submit(workflow, now);
    let life = world.workflows.get_mut(&name).ok_or("no workflow")?;
    life.outcomes.repository = Some(Ok(ArtifactRepositoryRefStatus {
        default: true,
        artifact_repository: Some(Box::new(read(&world.config.artifact_repository)?)),
        ..ArtifactRepositoryRefStatus::default()
    }));
    let mut made = Made::default();
    let mut counts = BTreeMap::new();
    for pass in 0..vector["passes"].as_i64().unwrap_or(1) {
        if pass > 0 {
            let life = world.workflows.get_mut(&name).ok_or("no workflow")?;
            end_pods(life, &vector["script"], &mut counts, now)?;
        }
        let passed = world.pass(&name, now).ok_or("no workflow")?;
        made.take(&passed);
        now += TICK;
    }
    let status = &world.workflows[&name].workflow.status;
    if let Some(last) = vector.get("final") {
        let got = json!({"phase": status.phase, "message": status.message});
        difference(&got, last)?;
    }
    made.compare(&vector).map_err(|why| {
        if status.message.is_empty() {
            why
        } else {
            format!("{} {}: {why}", status.phase, status.message)
        }
    })
}

fn with_big_texts(vector: &Value) -> Value {
    let text = vector.to_string().replace(BIG.0, &"x".repeat(BIG.1));
    serde_json::from_str(&text).expect("letters change no JSON")
}

fn read<T: argosy_model::Field>(value: &Value) -> Result<T, String> {
    decode::lenient(value.clone()).map_err(|e| e.to_string())
}

/// Everything that the passes made.
#[derive(Default)]
struct Made {
    pods: Vec<Value>,
    config_maps: Vec<Value>,
    claims: Vec<Value>,
    budgets: Vec<Value>,
    tasks: Map<String, Value>,
}

impl Made {
    fn take(&mut self, passed: &Passed) {
        let created = |name: &str| passed.created.iter().any(|(_, pod)| pod == name);
        for effect in &passed.decision.effects {
            match effect {
                Effect::CreatePod { pod, config_maps, .. } if created(&pod.metadata.name) => {
                    self.pods.push(json!(pod));
                    self.config_maps.extend(config_maps.iter().map(|map| json!(map)));
                }
                Effect::CreateAgentPod { pod } if created(&pod.metadata.name) => self.pods.push(json!(pod)),
                Effect::CreateClaim { claim } => self.claims.push(json!(claim)),
                Effect::CreateDisruptionBudget { budget } => self.budgets.push(budget.clone()),
                Effect::WriteTaskSet { tasks } => {
                    self.tasks
                        .extend(tasks.iter().map(|(id, task)| (id.clone(), json!(task))));
                }
                _ => {}
            }
        }
    }

    fn compare(&self, vector: &Value) -> Verdict {
        let list = |key: &str| vector[key].as_array().cloned().unwrap_or_default();
        let normal = |pods: &[Value]| -> Value { pods.iter().map(normal_pod).collect() };
        difference(&normal(&self.pods), &normal(&list("pods"))).map_err(|e| format!("pods{e}"))?;
        let bare = |objects: &[Value]| -> Value { objects.iter().map(without_kind).collect() };
        for (keys, got) in [
            (&["configmaps"][..], &self.config_maps),
            (&["pvcs", "claims", "persistentvolumeclaims"][..], &self.claims),
            (&["pdbs", "budgets", "poddisruptionbudgets"][..], &self.budgets),
        ] {
            let key = keys
                .iter()
                .find(|key| vector.get(**key).is_some())
                .unwrap_or(&keys[0]);
            difference(&bare(got), &bare(&list(key))).map_err(|e| format!("{key}{e}"))?;
        }
        let wanted = vector["tasksets"][0]["spec"]["tasks"]
            .as_object()
            .cloned()
            .unwrap_or_default();
        difference(&self.tasks.clone().into(), &wanted.into()).map_err(|e| format!("tasks{e}"))
    }
}

fn without_kind(object: &Value) -> Value {
    let mut object = object.clone();
    if let Some(map) = object.as_object_mut() {
        for key in ["apiVersion", "kind", "status"] {
            map.remove(key);
        }
    }
    object
}

/// A pod without what chance decides: ids of traces, random names, and the order of secrets and of the two variables
/// with the trace.
fn normal_pod(pod: &Value) -> Value {
    let mut pod = without_kind(pod);
    let annotations = pod["metadata"]["annotations"].as_object_mut();
    for (key, value) in annotations.into_iter().flatten() {
        if key.ends_with("/trace-id") || key.ends_with("/span-id") {
            *value = json!("RAND");
        }
    }
    let spec = &mut pod["spec"];
    let secrets: Vec<Value> = spec["volumes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter(|volume| volume["secret"].is_object())
        .map(|volume| volume["name"].clone())
        .collect();
    if let Some(volumes) = spec["volumes"].as_array_mut() {
        steady(volumes, |volume| secrets.contains(&volume["name"]));
        volumes.iter_mut().for_each(hide_random_name);
    }
    for list in ["containers", "initContainers"] {
        for container in spec[list].as_array_mut().into_iter().flatten() {
            if let Some(mounts) = container["volumeMounts"].as_array_mut() {
                steady(mounts, |mount| secrets.contains(&mount["name"]));
                mounts.iter_mut().for_each(hide_random_name);
            }
            if let Some(env) = container["env"].as_array_mut() {
                for variable in env.iter_mut().filter(|v| v["name"] == "TRACEPARENT") {
                    variable["value"] = json!("RAND");
                }
                steady(env, |v| v["name"] == "TRACEPARENT" || v["name"] == "TRACESTATE");
            }
        }
    }
    pod
}

fn hide_random_name(value: &mut Value) {
    if value["name"]
        .as_str()
        .is_some_and(|name| name.starts_with("kube-api-access-"))
    {
        value["name"] = json!("kube-api-access-RAND");
    }
}

/// Sorts some items of a list among themselves.
fn steady(list: &mut [Value], which: impl Fn(&Value) -> bool) {
    let places: Vec<usize> = (0..list.len()).filter(|at| which(&list[*at])).collect();
    let mut items: Vec<Value> = places.iter().map(|at| list[*at].clone()).collect();
    items.sort_by_key(ToString::to_string);
    for (at, item) in places.into_iter().zip(items) {
        list[at] = item;
    }
}

fn world(vector: &Value) -> Result<World, String> {
    let mut world = World {
        config: config(vector)?,
        ..World::default()
    };
    for object in vector["objects"].as_array().into_iter().flatten() {
        let name = object["metadata"]["name"].as_str().unwrap_or_default().to_owned();
        match object["kind"].as_str().unwrap_or_default() {
            "WorkflowTemplate" => {
                world.templates.namespaced.insert(name, Arc::new(read(object)?));
            }
            "ClusterWorkflowTemplate" => {
                world.templates.cluster.insert(name, Arc::new(read(object)?));
            }
            "ConfigMap" => world
                .config_maps
                .insert("argo", &name, Some(Arc::new(read(object)?))),
            _ => {}
        }
    }
    Ok(world)
}

/// The controller's configuration as the vectors give it.
fn config(vector: &Value) -> Result<Config, String> {
    let given = &vector["config"];
    let mut config = Config {
        images: images(&given["images"])?,
        ..Config::default()
    };
    config.artifact_repository = match &given["artifactRepository"] {
        Value::Null => json!({"s3": {"endpoint": "minio:9000", "bucket": "my-bucket"}}),
        repository => repository.clone(),
    };
    config.artifact_drivers = given["artifactDrivers"].as_array().cloned().unwrap_or_default();
    given["instanceID"]
        .as_str()
        .unwrap_or_default()
        .clone_into(&mut config.instance_id);
    config.kube_config = given.get("kubeConfig").cloned();
    config.executor = given.get("executor").map(read).transpose()?;
    config.main_container = given.get("mainContainer").map(read).transpose()?;
    config.initless_pod = given["initlessPod"]["enabled"] == true;
    if let Some(defaults) = given.get("workflowDefaults") {
        let defaults: Workflow = read(defaults)?;
        config.default_metadata = defaults.metadata;
        config.default_spec = defaults.spec;
    }
    for (name, value) in vector["env"].as_object().into_iter().flatten() {
        let value = value.as_str().unwrap_or_default();
        match name.as_str() {
            "ARGO_POD_STATUS_CAPTURE_FINALIZER" => config.pod_finalizer = value == "true",
            "POD_NAMES" => config.pod_names = PodNames::parse(value),
            _ => {
                config.environment.insert(name.clone(), value.to_owned());
            }
        }
    }
    Ok(config)
}

fn images(more: &Value) -> Result<BTreeMap<String, ImageConfig>, String> {
    let mut all = json!({
        "argoproj/argosay:v2": {"entrypoint": ["/argosay"]},
        "busybox": {"cmd": ["sh"]},
        "nginx": {"entrypoint": ["/docker-entrypoint.sh"], "cmd": ["nginx", "-g", "daemon off;"]},
        "drv:1": {"entrypoint": ["/drv"]},
    });
    if let (Some(all), Some(more)) = (all.as_object_mut(), more.as_object()) {
        all.extend(more.clone());
    }
    let list = |value: &Value| read::<Vec<String>>(value);
    let entries = all.as_object().into_iter().flatten();
    entries
        .map(|(image, config)| {
            let config = ImageConfig {
                entrypoint: list(&config["entrypoint"])?,
                cmd: list(&config["cmd"])?,
            };
            Ok((image.clone(), config))
        })
        .collect()
}

/// Ends every pod as the script says; without a word about it, with success.
fn end_pods(
    life: &mut Life,
    script: &Value,
    counts: &mut BTreeMap<String, usize>,
    now: Timestamp,
) -> Result<(), String> {
    let nodes: Vec<(String, String)> = life
        .workflow
        .status
        .nodes
        .values()
        .filter(|node| !matches!(node.phase.as_str(), "Succeeded" | "Failed" | "Error"))
        .map(|node| (node.id.clone(), node.display_name.clone()))
        .collect();
    for (id, display_name) in nodes {
        let label = |pod: &argosy_model::k8s::Pod| {
            pod.metadata
                .annotations
                .get("workflows.argoproj.io/node-id")
                .is_some_and(|node| *node == id)
        };
        let Some(pod) = life.pods.values_mut().find(|pod| label(pod)) else {
            continue;
        };
        let count = counts.entry(display_name.clone()).or_insert(0);
        let outcome = &script[&display_name][*count];
        *count += 1;
        let failed = outcome["phase"] == "Failed" || outcome["phase"] == "Error";
        let ended = json!({"terminated": {"exitCode": i32::from(failed), "finishedAt": now.to_string()}});
        let statuses: Vec<Value> = pod
            .spec
            .containers
            .iter()
            .map(|c| json!({"name": c.name, "state": ended}))
            .collect();
        Arc::make_mut(pod).status = read(&json!({
            "phase": if failed { "Failed" } else { "Succeeded" },
            "containerStatuses": statuses,
        }))?;
        let result = json!({
            "metadata": {"name": id, "labels": {"workflows.argoproj.io/report-outputs-completed": "true"}},
            "outputs": outcome["outputs"],
        });
        life.results.insert(id, Arc::new(read(&result)?));
    }
    Ok(())
}
