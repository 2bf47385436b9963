//! The classes of faults that users of engines of this kind report most, one test for each that is a matter of
//! decisions. What needs many runs (results that come late or never, stale news, crashes, locks) is in `simulate.rs`,
//! what is recorded word by word in the vectors, what needs a server beside the server.

use std::collections::BTreeSet;

use argosy_engine::edit::{self, Resubmission, Retry};
use argosy_engine::names::PodNames;
use argosy_model::{NodePhase, Workflow, WorkflowPhase};
use argosy_testkit::{World, run};
use jiff::{SignedDuration, Timestamp};

const LEAF: &str = "
  - {name: leaf, container: {image: x, command: [x]}}
";

fn start() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().expect("a time")
}

/// Runs a workflow to where it rests; what is shown begins with how it ended and when.
fn check(templates: &str, script: &str, first: &str) -> Workflow {
    let manifest = format!("spec:\n  entrypoint: main\n{templates}{LEAF}");
    let mut world = World::default();
    let shown = run(&mut world, &manifest, script);
    assert!(shown.starts_with(first), "{first}, not {shown}");
    world.workflows.remove("wf").expect("it was submitted").workflow
}

/// Display names of the nodes in a phase.
fn names(workflow: &Workflow, phase: &NodePhase) -> BTreeSet<String> {
    let nodes = workflow.status.nodes.values().filter(|n| n.phase == *phase);
    nodes.map(|n| n.display_name.clone()).collect()
}

/// Runs what was edited to its end, each pod succeeding, which it must do too; gives the nodes that had pods made.
fn succeeds(workflow: Workflow) -> BTreeSet<String> {
    let mut world = World::default();
    let name = workflow.metadata.name.clone();
    world.submit(workflow, start());
    let mut made = BTreeSet::new();
    for second in 0..60 {
        let now = start() + SignedDuration::from_secs(second);
        let passed = world.pass(&name, now).expect("it was submitted");
        let life = world.workflows.get_mut(&name).expect("it was submitted");
        for (id, pod) in passed.created {
            made.insert(life.workflow.status.nodes[&id].name.clone());
            let pod = std::sync::Arc::make_mut(life.pods.get_mut(&pod).expect("it was just made"));
            "Succeeded".clone_into(&mut pod.status.phase);
        }
        if argosy_engine::node::workflow_fulfilled(&life.workflow.status.phase) {
            break;
        }
    }
    let status = &world.workflows[&name].workflow.status;
    assert_eq!(status.phase, WorkflowPhase::Succeeded, "{}", status.message);
    made
}

/// Seconds of nothing between two steps, because somebody polled.
#[test]
fn steps_follow_each_other_without_a_pause() {
    let steps: String = (0..10)
        .map(|n| format!("    - - {{name: s{n}, template: leaf}}\n"))
        .collect();
    check(
        &format!("  templates:\n  - name: main\n    steps:\n{steps}"),
        "",
        "Succeeded after 100s",
    );
}

/// Wide and long at once: reconciling stopped for good.
#[test]
fn a_wide_and_long_workflow_is_followed_to_its_end() {
    let group = |n: usize| format!("    - - {{name: s{n}, template: leaf, withSequence: {{count: '60'}}}}\n");
    let steps: String = (0..5).map(group).collect();
    let ended = check(
        &format!("  templates:\n  - name: main\n    steps:\n{steps}"),
        "",
        "Succeeded after 50s",
    );
    assert_eq!(names(&ended, &NodePhase::Succeeded).len(), 5 * 60 + 5 + 1);
    assert!(
        ended.status.task_results_completion_status.is_empty(),
        "what grows with the nodes is kept once"
    );
}

const FAN: &str = "  templates:
  - name: main
    dag:
      tasks:
      - {name: a, template: leaf}
      - {name: each, template: inner, withItems: [p, q], depends: a}
      - {name: end, template: leaf, depends: each}
  - name: inner
    steps:
    - - {name: x, template: leaf, withItems: [one, two]}
    - - {name: last, template: leaf}
";

/// A memoized resubmission that lost the order of a DAG, or never completed over loops inside loops.
#[test]
fn a_memoized_resubmission_runs_only_what_is_missing_in_its_order() {
    let failed = check(FAN, "pod x(1:two) exits 1", "Failed after 20s");
    let how = Resubmission {
        memoized: true,
        suffix: "again".to_owned(),
        ..Resubmission::default()
    };
    let again = edit::resubmit(&failed, &how, start()).expect("it failed");
    let name = again.metadata.name.clone();
    let made = succeeds(again);
    let item = |item: &str, step: &str| format!("{name}.each({item})[{step}");
    let expected = [
        item("0:p", "0].x(1:two)"),
        item("0:p", "1].last"),
        item("1:q", "0].x(1:two)"),
        item("1:q", "1].last"),
        format!("{name}.end"),
    ];
    assert_eq!(made, BTreeSet::from(expected));
}

/// A retry of one chosen node that ran all of them again, or that never completed.
#[test]
fn a_retry_of_one_node_runs_that_one_and_what_comes_after_it() {
    let ended = check(FAN, "", "Succeeded after 40s");
    let how = Retry {
        restart_successful: true,
        selector: "name=wf.each(1:q)[1].last".parse().expect("a selector"),
        ..Retry::default()
    };
    let again = edit::retry(&ended, &how, PodNames::V2, start()).expect("a node is chosen");
    let made = succeeds(again.workflow);
    assert_eq!(
        made,
        BTreeSet::from(["wf.each(1:q)[1].last".to_owned(), "wf.end".to_owned()])
    );
}

/// A retry that waited for a hook left Pending by the first run, and an exit handler that did not run again.
#[test]
fn a_retry_runs_its_hook_and_the_exit_handler_once_more() {
    let hooked = "  onExit: leaf
  templates:
  - name: main
    steps:
    - - name: a
        template: leaf
        hooks: {tell: {template: leaf, expression: 'steps.a.status == \"Running\"'}}
";
    let failed = check(
        hooked,
        "pod a exits 1; pod a.hooks.tell exits 1",
        "Failed after 21s",
    );
    assert!(names(&failed, &NodePhase::Pending).is_empty());
    let again = edit::retry(&failed, &Retry::default(), PodNames::V2, start()).expect("it failed");
    let made = succeeds(again.workflow);
    assert!(made.contains("wf[0].a") && made.contains("wf.onExit"), "{made:?}");
}

/// Locks of what was terminated, held for ever.
#[test]
fn a_terminated_workflow_holds_no_lock() {
    let locked = "  synchronization: {mutexes: [{name: whole}]}
  templates:
  - {name: main, synchronization: {mutexes: [{name: part}]}, container: {image: x, command: [x]}}
";
    let manifest = format!("spec:\n  entrypoint: main\n{locked}");
    let mut world = World::default();
    let shown = run(&mut world, &manifest, "pod wf stays; at 5s terminate");
    assert!(shown.starts_with("Failed after 5s"), "{shown}");
    let held = world.locks.iter().filter(|(_, lock)| !lock.holders.is_empty());
    assert_eq!(held.count(), 0);
}
