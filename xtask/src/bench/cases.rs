//! What `cargo xtask bench --cluster` measures: workflows, how many of them, their budgets, and how long each case may
//! take at most.
//!
//! Deliberately absent: measuring (see `cluster`).

use std::time::Duration;

use serde_json::{Value, json};

/// One thing to measure.
pub struct Case {
    /// Its name, which `--only` chooses by.
    pub what: &'static str,
    /// How many workflows are made.
    pub count: usize,
    /// Of each of them.
    pub spec: Value,
    /// What the design allows.
    pub budget: &'static str,
    /// Longest time until all workflows are where they shall be.
    pub limit: Duration,
    /// How long the workflows, which wait for a person, are watched at rest; those of other cases end.
    pub rest: Option<Duration>,
}

/// All cases, in the order in which they are measured.
pub fn cases() -> Vec<Case> {
    let mut all = real();
    all.extend(simulated());
    all
}

/// On a kubelet: how long a user waits.
fn real() -> Vec<Case> {
    let case = |what, spec, budget| case(what, 1, 120, workflow(spec), budget);
    vec![
        case("real: one pod", json!([pod("main")]), "3.25 s on an idle machine"),
        case("real: chain of 5", chain(5), "–"),
        case("real: chain of 10", chain(10), "–"),
    ]
}

/// On nodes that only say that pods have ended: what a controller takes.
fn simulated() -> Vec<Case> {
    let one = || json!([pod("main")]);
    let case =
        |what, count, limit_secs, templates, budget| case(what, count, limit_secs, fake(templates), budget);
    vec![
        case("simulated: chain of 5", 1, 120, chain(5), "–"),
        case("simulated: chain of 10", 1, 120, chain(10), "≤ 11.5 s"),
        case(
            "simulated: 200 workflows of one pod",
            200,
            300,
            one(),
            "CPU ≤ 0.5 s",
        ),
        case(
            "simulated: 1,000 workflows of one pod",
            1000,
            600,
            one(),
            "≤ 22 s, CPU ≤ 2 s, ≤ 60 MiB",
        ),
        case(
            "simulated: fan-out of 500",
            1,
            300,
            fan_out(500),
            "CPU ≤ 0.5 s, ≤ 40 MiB",
        ),
        case(
            "simulated: fan-out of 2,000",
            1,
            600,
            fan_out(2000),
            "CPU ≤ 2 s, ≤ 80 MiB",
        ),
        case("simulated: fan-out of 5,000", 1, 900, fan_out(5000), "–"),
        case(
            "simulated: DAG 20 × 10",
            1,
            300,
            layers(20, 10),
            "≤ 12 s, CPU ≤ 0.4 s",
        ),
        case("simulated: DAG 50 × 20", 1, 600, layers(50, 20), "–"),
        case(
            "simulated: one workflow of 10,000 nodes",
            1,
            1800,
            groups(20, 499),
            "–",
        ),
        Case {
            rest: Some(Duration::from_secs(60)),
            ..case(
                "5,000 live workflows at rest",
                5000,
                600,
                suspended(),
                "no writes",
            )
        },
    ]
}

fn case(what: &'static str, count: usize, limit_secs: u64, spec: Value, budget: &'static str) -> Case {
    Case {
        what,
        count,
        spec,
        budget,
        limit: Duration::from_secs(limit_secs),
        rest: None,
    }
}

fn workflow(templates: Value) -> Value {
    json!({"entrypoint": "main", "templates": templates})
}

/// On simulated nodes nobody reports results; what a pod's phase says is all there is.
fn fake(templates: Value) -> Value {
    let mut spec = workflow(templates);
    spec["nodeSelector"] = json!({"type": "kwok"});
    spec["tolerations"] = json!([{"key": "kwok", "operator": "Exists"}]);
    spec
}

fn pod(name: &str) -> Value {
    json!({"name": name, "container": {"image": "busybox", "command": ["true"]}})
}

fn chain(length: usize) -> Value {
    let steps: Vec<Value> = (0..length)
        .map(|i| json!([{"name": format!("s{i}"), "template": "pod"}]))
        .collect();
    json!([{"name": "main", "steps": steps}, pod("pod")])
}

fn fan_out(count: usize) -> Value {
    groups(1, count)
}

/// Loops one after the other; each has a node for itself and one for each pod.
fn groups(count: usize, wide: usize) -> Value {
    let group = |number: usize| json!([{"name": format!("g{number}"), "template": "pod", "withSequence": {"count": wide.to_string()}}]);
    let groups: Vec<Value> = (0..count).map(group).collect();
    json!([{"name": "main", "steps": groups}, pod("pod")])
}

/// Layers of a DAG, each task after all of the layer before.
fn layers(wide: usize, deep: usize) -> Value {
    let names = |layer: usize| (0..wide).map(|i| format!("t{layer}-{i}")).collect::<Vec<_>>();
    let mut tasks = Vec::new();
    for layer in 0..deep {
        let before = layer.checked_sub(1).map(names).unwrap_or_default();
        tasks.extend(
            names(layer)
                .into_iter()
                .map(|name| json!({"name": name, "template": "pod", "dependencies": before})),
        );
    }
    json!([{"name": "main", "dag": {"tasks": tasks}}, pod("pod")])
}

/// A template that waits until a person resumes it.
fn suspended() -> Value {
    json!([{"name": "main", "suspend": {}}])
}
