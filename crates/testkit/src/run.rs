//! A whole run of one workflow in virtual time: pods do what a script says, and the end is shown as a tree.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use argosy_engine::edit;
use argosy_engine::node::workflow_fulfilled;
use argosy_model::k8s::{
    ContainerState, ContainerStateRunning, ContainerStateTerminated, ContainerStatus, Pod, Time,
};
use argosy_model::{NodeStatus, Outputs, Parameter, ShutdownStrategy, Workflow, WorkflowTaskResult};
use jiff::{SignedDuration, Timestamp};

use crate::World;

/// How long a pod runs when its script does not say.
const USUAL: SignedDuration = SignedDuration::from_secs(10);
/// More passes than any test's workflow needs.
const PASSES: usize = 2_000;

/// What a script says of one pod.
#[derive(Clone, Default)]
struct Act {
    exit: i32,
    message: String,
    result: Option<String>,
    outputs: Vec<(String, String)>,
    after: Option<SignedDuration>,
    stays: bool,
    pending: bool,
}

/// What a script says as a whole.
///
/// Parts are separated by `;`: `pod NAME exits 1`, then any of `message WORD`, `result WORD`, `out NAME=VALUE`, `after 30s`; `pod
/// NAME stays` runs until it is ended, `pod NAME pends` never starts. `at 20s suspend|resume|stop|terminate` is a person. The
/// name is a node's display name; pods that are not named succeed after ten seconds.
#[derive(Default)]
struct Script {
    pods: BTreeMap<String, Act>,
    people: Vec<(Timestamp, String)>,
}

impl Script {
    fn parse(text: &str, start: Timestamp) -> Self {
        let mut script = Self::default();
        for part in text.split(';').map(str::trim).filter(|p| !p.is_empty()) {
            let mut words = part.split_whitespace();
            match words.next() {
                Some("pod") => {
                    let name = words.next().expect("a pod has a name").to_owned();
                    script.pods.insert(name, Self::act(words));
                }
                Some("at") => {
                    let after = seconds(words.next().expect("a time"));
                    let what = words.next().expect("an action").to_owned();
                    script.people.push((start + after, what));
                }
                other => panic!("a part of a script starts with `pod` or `at`, not {other:?}"),
            }
        }
        script.people.sort();
        script
    }

    fn act<'w>(mut words: impl Iterator<Item = &'w str>) -> Act {
        let mut act = Act::default();
        while let Some(word) = words.next() {
            let mut next = || words.next().expect("a value follows").to_owned();
            match word {
                "exits" => act.exit = next().parse().expect("a number"),
                "message" => act.message = next().replace('_', " "),
                "result" => act.result = Some(next()),
                "after" => act.after = Some(seconds(&next())),
                "stays" => act.stays = true,
                "pends" => act.pending = true,
                "out" => {
                    let pair = next();
                    let (name, value) = pair.split_once('=').expect("NAME=VALUE");
                    act.outputs.push((name.to_owned(), value.to_owned()));
                }
                other => panic!("unknown word {other:?} in a script"),
            }
        }
        act
    }
}

fn seconds(text: &str) -> SignedDuration {
    argosy_engine::duration::parse(text).expect("a duration")
}

/// Runs a workflow to its end, or to where it waits for ever, and shows it.
///
/// # Panics
/// When the workflow or the script can't be read, or the run takes more passes than any should.
#[must_use]
pub fn run(world: &mut World, manifest: &str, script: &str) -> String {
    let start: Timestamp = "2026-01-01T00:00:00Z".parse().expect("a time");
    let script = Script::parse(script, start);
    let value = argosy_model::yaml::value(manifest).expect("the manifest is YAML");
    let mut workflow: Workflow = serde_json::from_value(value).expect("the manifest is a workflow");
    if workflow.metadata.name.is_empty() {
        "wf".clone_into(&mut workflow.metadata.name);
    }
    if workflow.metadata.namespace.is_empty() {
        "argo".clone_into(&mut workflow.metadata.namespace);
    }
    let name = workflow.metadata.name.clone();
    world.submit(workflow, start);
    let mut people: Vec<(Timestamp, String)> = script.people.clone();
    let mut now = start;
    for _ in 0..PASSES {
        while people.first().is_some_and(|(at, _)| *at <= now) {
            let (_, what) = people.remove(0);
            act(
                &mut world.workflows.get_mut(&name).expect("submitted").workflow,
                &what,
                now,
            );
        }
        move_pods(world, &name, &script, now);
        let passed = world.pass(&name, now).expect("submitted");
        let life = world.workflows.get_mut(&name).expect("submitted");
        end_pods(life, &passed.decision, now);
        if workflow_fulfilled(&life.workflow.status.phase) {
            return show(&life.workflow, start);
        }
        if passed.decision.wake_at == Some(now) {
            continue;
        }
        let moves = life
            .pods
            .values()
            .filter_map(|pod| next_move(pod, &life.workflow, &script));
        let next = moves
            .chain(passed.decision.wake_at)
            .chain(people.first().map(|(at, _)| *at))
            .min();
        match next {
            Some(next) => now = next.max(now + SignedDuration::from_millis(1)),
            None => {
                let waiting = passed.decision.waiting;
                return format!("{}waits for {waiting:?}\n", show(&life.workflow, start));
            }
        }
    }
    panic!("the workflow did not end within {PASSES} passes");
}

fn act(workflow: &mut Workflow, what: &str, now: Timestamp) {
    let result = match what {
        "suspend" => edit::suspend(workflow),
        "resume" => edit::resume(workflow, "", now),
        "stop" => edit::shutdown(workflow, ShutdownStrategy::Stop),
        "terminate" => edit::shutdown(workflow, ShutdownStrategy::Terminate),
        other => panic!("unknown action {other:?}"),
    };
    result.expect("the action is allowed");
}

fn node_of<'w>(pod: &Pod, workflow: &'w Workflow) -> Option<&'w NodeStatus> {
    workflow
        .status
        .nodes
        .get(pod.metadata.annotations.get("workflows.argoproj.io/node-id")?)
}

fn act_of(pod: &Pod, workflow: &Workflow, script: &Script) -> Act {
    let name = node_of(pod, workflow).map_or("", |n| n.display_name.as_str());
    script.pods.get(name).cloned().unwrap_or_default()
}

fn created(pod: &Pod) -> Timestamp {
    pod.metadata
        .creation_timestamp
        .as_ref()
        .map_or(Timestamp::UNIX_EPOCH, |t| t.0)
}

/// When something about the pod changes by itself.
fn next_move(pod: &Pod, workflow: &Workflow, script: &Script) -> Option<Timestamp> {
    let act = act_of(pod, workflow, script);
    match pod.status.phase.as_str() {
        "Pending" if !act.pending => Some(created(pod) + SignedDuration::from_secs(1)),
        "Running" if !act.stays => Some(created(pod) + act.after.unwrap_or(USUAL)),
        _ => None,
    }
}

fn move_pods(world: &mut World, name: &str, script: &Script, now: Timestamp) {
    let life = world.workflows.get_mut(name).expect("submitted");
    let due: Vec<String> = life
        .pods
        .iter()
        .filter(|(_, pod)| next_move(pod, &life.workflow, script).is_some_and(|at| at <= now))
        .map(|(name, _)| name.clone())
        .collect();
    for pod_name in due {
        let pod = &life.pods[&pod_name];
        let act = act_of(pod, &life.workflow, script);
        let id = node_of(pod, &life.workflow).map(|n| n.id.clone());
        let pod = Arc::make_mut(life.pods.get_mut(&pod_name).expect("it was just there"));
        if pod.status.phase == "Pending" {
            "Running".clone_into(&mut pod.status.phase);
            set_containers(pod, None, now);
            continue;
        }
        end(pod, act.exit, &act.message, now);
        if let Some(id) = id {
            life.results.insert(id.clone(), Arc::new(result(&id, &act)));
        }
    }
}

fn result(id: &str, act: &Act) -> WorkflowTaskResult {
    let parameters = act.outputs.iter().map(|(name, value)| Parameter {
        name: name.clone(),
        value: Some(value.as_str().into()),
        ..Parameter::default()
    });
    let outputs = Outputs {
        parameters: parameters.collect(),
        result: act.result.clone(),
        ..Outputs::default()
    };
    let mut result = WorkflowTaskResult::default();
    id.clone_into(&mut result.metadata.name);
    let label = "workflows.argoproj.io/report-outputs-completed".to_owned();
    result.metadata.labels.insert(label, "true".to_owned());
    result.result.outputs = (outputs != Outputs::default()).then_some(outputs);
    result
}

/// Pods that a decision ends: those asked to terminate exit with 143.
fn end_pods(life: &mut crate::Life, decision: &argosy_engine::Decision, now: Timestamp) {
    for effect in &decision.effects {
        match effect {
            argosy_engine::Effect::TerminateContainers { pod, .. } => {
                if let Some(pod) = life.pods.get_mut(pod) {
                    end(Arc::make_mut(pod), 143, "", now);
                }
            }
            argosy_engine::Effect::DeletePod { pod, .. } => {
                life.pods.remove(pod);
            }
            _ => {}
        }
    }
}

fn end(pod: &mut Pod, exit: i32, message: &str, now: Timestamp) {
    (if exit == 0 { "Succeeded" } else { "Failed" }).clone_into(&mut pod.status.phase);
    set_containers(pod, Some((exit, message)), now);
}

fn set_containers(pod: &mut Pod, ended: Option<(i32, &str)>, now: Timestamp) {
    let names: BTreeSet<String> = pod.spec.containers.iter().map(|c| c.name.clone()).collect();
    let started = created(pod);
    "10.0.0.1".clone_into(&mut pod.status.pod_ip);
    pod.status.container_statuses = names
        .into_iter()
        .map(|name| {
            let mut state = ContainerState::default();
            match ended {
                None => {
                    state.running = Some(ContainerStateRunning {
                        started_at: Some(Time(started)),
                    });
                }
                Some((code, message)) => {
                    let exit = if name == "wait" { 0 } else { code };
                    state.terminated = Some(Box::new(ContainerStateTerminated {
                        exit_code: exit,
                        reason: if exit == 0 { "Completed" } else { "Error" }.to_owned(),
                        message: if exit == 0 {
                            String::new()
                        } else {
                            message.to_owned()
                        },
                        started_at: Some(Time(started)),
                        finished_at: Some(Time(now)),
                        ..ContainerStateTerminated::default()
                    }));
                }
            }
            ContainerStatus {
                name,
                state,
                ready: ended.is_none(),
                ..ContainerStatus::default()
            }
        })
        .collect();
}

/// The workflow's phase, length and message, then its nodes: children below their parents, each once.
fn show(workflow: &Workflow, start: Timestamp) -> String {
    let status = &workflow.status;
    let length = status
        .finished_at
        .as_ref()
        .map_or(SignedDuration::ZERO, |t| t.0.duration_since(start));
    let mut text = format!("{} after {}s {}", status.phase, length.as_secs(), status.message);
    text.truncate(text.trim_end().len());
    text.push('\n');
    let mut seen = BTreeSet::new();
    let roots: Vec<&NodeStatus> = status
        .nodes
        .values()
        .filter(|n| n.boundary_id.is_empty())
        .collect();
    let mut roots = roots;
    roots.sort_by_key(|n| n.name.len());
    for root in roots {
        show_node(workflow, root, 0, &mut seen, &mut text);
    }
    text
}

fn show_node(
    workflow: &Workflow,
    node: &NodeStatus,
    depth: usize,
    seen: &mut BTreeSet<String>,
    text: &mut String,
) {
    if !seen.insert(node.id.clone()) {
        return;
    }
    let line = format!(
        "{}{} {} {}",
        "  ".repeat(depth),
        node.display_name,
        node.phase,
        node.message
    );
    text.push_str(line.trim_end());
    text.push('\n');
    let children = node.children.iter().filter_map(|c| workflow.status.nodes.get(c));
    let mut children: Vec<&NodeStatus> = children.collect();
    children.sort_by(|a, b| a.name.cmp(&b.name));
    for child in children {
        // What follows a node stands beside it, not below.
        let follower = child.boundary_id == node.boundary_id && !child.name.starts_with(&node.name);
        show_node(
            workflow,
            child,
            if follower { depth } else { depth + 1 },
            seen,
            text,
        );
    }
}
