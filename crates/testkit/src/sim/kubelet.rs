//! What becomes of a pod on its node: when it starts, how long it runs, how it ends and what it reports.
//!
//! All of it follows from the seed and the node's name, so that a run with faults meets the same pods as one without.

use argosy_model::k8s::{
    ContainerState, ContainerStateRunning, ContainerStateTerminated, ContainerStatus, Pod, Time,
};
use argosy_model::{Outputs, Parameter, Template, WorkflowTaskResult};
use jiff::{SignedDuration, Timestamp};

use super::cluster::WORKFLOW;
use super::rng::Rng;

const NODE_ID: &str = "workflows.argoproj.io/node-id";
const NODE_NAME: &str = "workflows.argoproj.io/node-name";
const REPORTED: &str = "workflows.argoproj.io/report-outputs-completed";

/// What is to come of one pod.
#[derive(Debug, Clone)]
pub struct Life {
    /// From creation to start.
    pub start_after: SignedDuration,
    /// From start to end; daemons run until they are ended.
    pub length: Option<SignedDuration>,
    /// Exit code of its main containers.
    pub exit: i32,
    /// Whether containers of the user run on after the main ones.
    pub sidecars: bool,
    /// What the executor reports at the end.
    pub outputs: Outputs,
}

/// A variable of the pod's environment.
fn variable<'p>(pod: &'p Pod, name: &str) -> Option<&'p str> {
    let containers = pod.spec.init_containers.iter().chain(&pod.spec.containers);
    let variable = containers.flat_map(|c| &c.env).find(|v| v.name == name);
    variable.map(|v| v.value.as_str())
}

/// The template in the pod's environment.
fn template(pod: &Pod) -> Template {
    variable(pod, "ARGO_TEMPLATE")
        .and_then(|text| serde_json::from_str(text).ok())
        .unwrap_or_default()
}

/// The id of the pod's node.
#[must_use]
pub fn node_id(pod: &Pod) -> Option<&str> {
    pod.metadata.annotations.get(NODE_ID).map(String::as_str)
}

/// What comes of a pod.
#[must_use]
pub fn life(seed: u64, pod: &Pod) -> Life {
    let name = pod.metadata.annotations.get(NODE_NAME).map_or("", String::as_str);
    let mut rng = Rng::of(seed, name);
    let template = template(pod);
    let millis = |n: u64| SignedDuration::from_millis(i64::try_from(n).unwrap_or(0));
    let start_after = millis(rng.below(3_000));
    let longest = if rng.one_in(8) { 60_000 } else { 8_000 };
    let length = millis(rng.below(longest));
    let exit = if rng.one_in(5) {
        rng.pick(&[1, 2, 64, 137])
    } else {
        0
    };
    let word = format!("v{}", rng.below(4));
    let mut outputs = Outputs::default();
    for declared in &template.outputs.parameters {
        outputs.parameters.push(Parameter {
            name: declared.name.clone(),
            global_name: declared.global_name.clone(),
            value: Some(word.as_str().into()),
            ..Parameter::default()
        });
    }
    // What nothing reads is not reported (C-CTR-01).
    if template.script.is_some() && variable(pod, "ARGO_INCLUDE_SCRIPT_OUTPUT") == Some("true") {
        let list = template.name.starts_with("list");
        outputs.result = Some(if list { r#"["p","q"]"#.to_owned() } else { word });
    }
    let known = |name: &str| {
        name == "main"
            || name == "wait"
            || template
                .container_set
                .as_ref()
                .is_some_and(|s| s.containers.iter().any(|c| c.container.name == name))
    };
    Life {
        start_after,
        length: (template.daemon != Some(true)).then_some(length),
        exit,
        sidecars: pod.spec.containers.iter().any(|c| !known(&c.name)),
        outputs,
    }
}

/// How the containers of a pod are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// All run.
    Running,
    /// The template's containers and the executor's ended so, the user's others run on.
    MainsEnded(i32),
    /// All ended; the user's other containers with 143 after a sidecar was ended.
    Ended(i32),
}

/// Gives a pod the status that goes with a state.
pub fn set(pod: &mut Pod, state: State, now: Timestamp) {
    let started = pod.status.start_time.map_or(now, |t| t.0);
    pod.status.start_time = Some(Time(started));
    "10.0.0.1".clone_into(&mut pod.status.pod_ip);
    "node-1".clone_into(&mut pod.spec.node_name);
    let template = template(pod);
    let is_main = |name: &str| {
        name == "main"
            || template
                .container_set
                .as_ref()
                .is_some_and(|s| s.containers.iter().any(|c| c.container.name == name))
    };
    let old = std::mem::take(&mut pod.status.container_statuses);
    pod.status.container_statuses = pod
        .spec
        .containers
        .iter()
        .map(|container| {
            let before = old
                .iter()
                .find(|s| s.name == container.name && s.state.terminated.is_some());
            if let Some(before) = before {
                return before.clone();
            }
            let code = match state {
                State::Running => None,
                State::MainsEnded(code) if is_main(&container.name) => Some(code),
                State::MainsEnded(_) if container.name == "wait" => Some(0),
                State::MainsEnded(_) => None,
                State::Ended(code) if is_main(&container.name) => Some(code),
                State::Ended(_) if container.name == "wait" => Some(0),
                State::Ended(_) => Some(143),
            };
            status(&container.name, code, started, now)
        })
        .collect();
    let failed = |s: &ContainerStatus| s.state.terminated.as_ref().is_some_and(|t| t.exit_code != 0);
    let phase = match state {
        State::Running | State::MainsEnded(_) => "Running",
        State::Ended(_) if pod.status.container_statuses.iter().any(failed) => "Failed",
        State::Ended(_) => "Succeeded",
    };
    phase.clone_into(&mut pod.status.phase);
}

fn status(name: &str, code: Option<i32>, started: Timestamp, now: Timestamp) -> ContainerStatus {
    let mut state = ContainerState::default();
    match code {
        None => {
            state.running = Some(ContainerStateRunning {
                started_at: Some(Time(started)),
            });
        }
        Some(code) => {
            state.terminated = Some(Box::new(ContainerStateTerminated {
                exit_code: code,
                reason: if code == 0 { "Completed" } else { "Error" }.to_owned(),
                started_at: Some(Time(started)),
                finished_at: Some(Time(now)),
                ..ContainerStateTerminated::default()
            }));
        }
    }
    ContainerStatus {
        name: name.to_owned(),
        state,
        ready: code.is_none(),
        ..ContainerStatus::default()
    }
}

/// What the executor of a pod reports: at its start nothing but that there is more to come.
#[must_use]
pub fn report(pod: &Pod, outputs: Option<&Outputs>) -> Option<WorkflowTaskResult> {
    let mut result = WorkflowTaskResult::default();
    node_id(pod)?.clone_into(&mut result.metadata.name);
    "argo".clone_into(&mut result.metadata.namespace);
    let labels = &mut result.metadata.labels;
    labels.insert(REPORTED.to_owned(), outputs.is_some().to_string());
    labels.insert(WORKFLOW.to_owned(), pod.metadata.labels.get(WORKFLOW)?.clone());
    result.metadata.uid = format!("result-{}", pod.metadata.uid);
    result.result.outputs = outputs.filter(|o| **o != Outputs::default()).cloned();
    Some(result)
}
