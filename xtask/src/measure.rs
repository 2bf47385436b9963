//! `cargo xtask measure`: figures that are taken inside a program. `bench` runs it optimised and puts them into its table.

use std::time::{Duration, Instant};

use anyhow::Context;
use argosy_engine::{Snapshot, compile, decide};
use argosy_model::Workflow;
use argosy_testkit::World;
use jiff::Timestamp;
use serde_json::json;

use crate::languages;

/// Pods of the workflow that is decided about.
const PODS: usize = 10_000;

/// A workflow comes to rest within this many passes, or never.
const PASSES: usize = 20;

/// Prints one JSON object: lengths of time in microseconds.
///
/// # Errors
/// When the workflow does not come to rest.
pub fn main(runs: usize) -> anyhow::Result<()> {
    let workflow: Workflow = serde_json::from_value(json!({
        "metadata": {"name": "wide", "namespace": "argo"},
        "spec": {"entrypoint": "main", "templates": [
            {"name": "main", "steps": [[
                {"name": "each", "template": "work", "withSequence": {"count": PODS.to_string()},
                 "arguments": {"parameters": [{"name": "n", "value": "{{item}}"}]}},
            ]]},
            {"name": "work", "inputs": {"parameters": [{"name": "n"}]},
             "container": {"image": "busybox", "command": ["echo", "{{inputs.parameters.n}}"]}},
        ]},
    }))?;
    let now = Timestamp::from_second(1_767_225_600)?;
    let mut world = World::default();
    world.submit(workflow, now);
    let rest = (0..PASSES).find_map(|_| match world.pass("wide", now) {
        Some(passed) if passed.created.is_empty() && passed.decision.effects.is_empty() => Some(Ok(())),
        Some(_) => None,
        None => Some(Err(anyhow::anyhow!("the workflow is gone"))),
    });
    rest.context("the workflow does not come to rest")??;
    let life = &world.workflows["wide"];
    let (plan, _) = compile(&life.workflow, &world.templates, &world.config);
    let seen = Snapshot {
        workflow: &life.workflow,
        pods: &life.pods,
        results: &life.results,
        agent_results: &life.agent_results,
        config_maps: &world.config_maps,
        locks: &world.locks,
        outcomes: &life.outcomes,
        config: &world.config,
        admitted: true,
        explain: false,
        moved: &argosy_engine::Moved::Everything,
    };
    let decided = median(runs, || drop(std::hint::black_box(decide(&plan, &seen, now))));
    let compiled = median(runs, || {
        drop(std::hint::black_box(compile(
            &life.workflow,
            &world.templates,
            &world.config,
        )))
    });
    let languages: Vec<_> = languages::measure(runs)?
        .into_iter()
        .map(|(what, times)| json!({"what": what, "times": times}))
        .collect();
    println!(
        "{}",
        json!({
            "nodes": life.workflow.status.nodes.len(),
            "decide": decided,
            "compile": compiled,
            "languages": languages,
        })
    );
    Ok(())
}

/// Median, least and most of some runs, in microseconds, after one that is not counted.
fn median(runs: usize, once: impl Fn()) -> [u128; 3] {
    once();
    let mut all: Vec<Duration> = (0..runs.max(1))
        .map(|_| {
            let started = Instant::now();
            once();
            started.elapsed()
        })
        .collect();
    all.sort();
    [all[all.len() / 2], all[0], all[all.len() - 1]].map(|d| d.as_micros())
}
