//! A workflow of a given shape and size, nearly all of it done, and then some pods that end one after the other:
//! `cargo xtask bench` counts the instructions of it.
//!
//! Arguments: `fan-out`, `chain`, `line` or `layers`; how many nodes; how many pods end (none: what all that comes before costs).
//! What each event costs is the difference of two runs, divided. Prints how many decisions the events took.
#![expect(clippy::print_stdout, reason = "a program of figures")]

use std::sync::Arc;

use argosy_engine::{Moved, Plan, compile};
use argosy_model::k8s::{ContainerState, ContainerStateTerminated, ContainerStatus, Time};
use argosy_model::{NodePhase, NodeType, Workflow};
use argosy_testkit::World;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// Tasks in one layer of a DAG; each depends on all of the layer before.
const WIDTH: usize = 10;

/// Steps at the end of a chain, and layers at the end of a DAG, that are not done when the events begin.
const OPEN: usize = 24;

/// Decisions after which a workflow must be at rest.
const PASSES: usize = 40;

const NAME: &str = "w";

fn main() {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let number = |at: usize| words.get(at).and_then(|w| w.parse().ok()).unwrap_or(0);
    let (nodes, events) = (number(1), number(2));
    let spec = match words.first().map(String::as_str) {
        Some("chain") => chain(nodes),
        Some("layers") => layers(nodes, WIDTH),
        Some("line") => layers(nodes, 1),
        _ => fan_out(nodes),
    };
    let mut bench = Bench::new(spec);
    let before = bench.decisions;
    for _ in 0..events {
        bench.end_a_pod();
    }
    println!("{}", bench.decisions - before);
}

fn work() -> Value {
    json!({"name": "work", "container": {"image": "busybox", "command": ["true"]}})
}

fn fan_out(nodes: usize) -> Value {
    let each = json!({"name": "each", "template": "work", "withSequence": {"count": nodes.to_string()}});
    json!({"entrypoint": "main", "templates": [{"name": "main", "steps": [[each]]}, work()]})
}

/// A step or task that is skipped if it is to be done at the beginning.
fn call(name: &str, done: bool) -> Value {
    let mut call = json!({"name": name, "template": "work"});
    if done {
        call["when"] = json!("1 == 2");
    }
    call
}

fn chain(nodes: usize) -> Value {
    // Each step has a group.
    let steps = nodes / 2;
    let groups: Vec<Value> = (0..steps)
        .map(|n| json!([call(&format!("s{n}"), n + OPEN < steps)]))
        .collect();
    json!({"entrypoint": "main", "templates": [{"name": "main", "steps": groups}, work()]})
}

fn layers(nodes: usize, width: usize) -> Value {
    let depth = nodes / width;
    let name = |layer: usize, n: usize| format!("t{layer}-{n}");
    let tasks = (0..depth).flat_map(|layer| {
        (0..width).map(move |n| {
            let mut task = call(&name(layer, n), layer + OPEN < depth);
            if layer > 0 {
                let before: Vec<String> = (0..width).map(|n| name(layer - 1, n)).collect();
                task["dependencies"] = json!(before);
            }
            task
        })
    });
    let tasks: Vec<Value> = tasks.collect();
    json!({"entrypoint": "main", "templates": [{"name": "main", "dag": {"tasks": tasks}}, work()]})
}

/// One workflow and its plan.
struct Bench {
    world: World,
    plan: Plan,
    now: Timestamp,
    decisions: usize,
}

impl Bench {
    fn new(spec: Value) -> Self {
        let object = json!({"metadata": {"name": NAME, "namespace": "argo"}, "spec": spec});
        let workflow: Workflow = serde_json::from_value(object).expect("the object is a workflow");
        let now = Timestamp::from_second(1_767_225_600).expect("the number is a time");
        let mut world = World {
            hurried: true,
            ..World::default()
        };
        world.submit(workflow, now);
        let submitted = &world.workflows[NAME].workflow;
        let (plan, _) = compile(submitted, &world.templates, &world.config);
        let mut bench = Self {
            world,
            plan,
            now,
            decisions: 0,
        };
        bench.rest();
        bench.tell_as_done();
        bench.rest();
        bench
    }

    /// What was skipped counts as pods that succeeded: the state that a long run comes to.
    fn tell_as_done(&mut self) {
        let life = self.world.workflows.get_mut(NAME).expect("it was submitted");
        let nodes = life.workflow.status.nodes.values_mut();
        life.moved = Moved::Everything;
        for node in nodes.filter(|n| n.type_ == NodeType::Skipped) {
            node.type_ = NodeType::Pod;
            node.phase = NodePhase::Succeeded;
            node.message.clear();
            node.task_result_synced = Some(true);
        }
    }

    fn rest(&mut self) {
        for _ in 0..PASSES {
            self.decisions += 1;
            let passed = self.world.pass_by(&self.plan, NAME, self.now);
            let passed = passed.expect("it was submitted");
            let is_due = passed.decision.wake_at.is_some_and(|at| at <= self.now);
            // The controller is told of pods that it makes.
            if !is_due && passed.created.is_empty() {
                return;
            }
        }
        panic!("the workflow does not come to rest");
    }

    /// The first pod that is there ends well.
    fn end_a_pod(&mut self) {
        self.now += SignedDuration::from_secs(1);
        let life = self.world.workflows.get_mut(NAME).expect("it was submitted");
        let (name, pod) = life.pods.iter_mut().next().expect("pods are left");
        life.moved.note_pod(name);
        let pod = Arc::make_mut(pod);
        "Succeeded".clone_into(&mut pod.status.phase);
        let ended = ContainerStateTerminated {
            started_at: Some(Time(self.now)),
            finished_at: Some(Time(self.now)),
            ..ContainerStateTerminated::default()
        };
        pod.status.container_statuses = vec![ContainerStatus {
            name: "main".to_owned(),
            state: ContainerState {
                terminated: Some(Box::new(ended)),
                ..ContainerState::default()
            },
            ..ContainerStatus::default()
        }];
        self.rest();
    }
}
