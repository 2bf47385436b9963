//! The simulator in the usual run of tests: a bounded number of seeds, and the classes of faults one by one.
//!
//! Many more seeds: `cargo xtask simulate --seeds N`. What the runs check is in `docs/reliability.md`.

use argosy_testkit::sim::{self, Faults, Outcome, Scenario};
use serde_json::{Value, json};

/// Seeds of the usual run: some twenty seconds without optimisation.
const SEEDS: u64 = 40;

/// Seeds for each single class of faults.
const EACH: u64 = 8;

fn clean(seed: u64, outcome: &Outcome) {
    let broken = outcome.violations.join("; ");
    assert!(
        broken.is_empty(),
        "seed {seed}: {broken}\n{}",
        outcome.trace.join("\n")
    );
}

/// Runs scenarios under one class of faults.
fn check(faults: Faults) {
    for seed in 0..EACH {
        clean(seed, &sim::simulate(seed, Scenario::of(seed), faults));
    }
}

#[test]
fn a_seed_gives_the_same_run_every_time() {
    for seed in 0..3 {
        let (one, two) = (sim::check_seed(seed), sim::check_seed(seed));
        assert_eq!(one.trace, two.trace, "seed {seed}");
        assert_eq!(one.injected, two.injected, "seed {seed}");
    }
}

#[test]
fn random_workflows_under_random_faults() {
    let mut decisions = 0;
    for seed in 0..SEEDS {
        let outcome = sim::check_seed(seed);
        clean(seed, &outcome);
        decisions += outcome.decisions;
    }
    println!("{SEEDS} seeds, {decisions} decisions, no property broken");
}

/// Seeds that broke a property and are quickly run; what was wrong in them is in `docs/reliability.md`.
#[test]
fn seeds_that_once_broke_a_property_break_none() {
    for seed in [
        1990, 5325, 6387, 6908, 7403, 30_366, 46_668, 56_997, 76_356, 105_553, 109_299, 110_439, 111_382,
        113_924, 114_309, 116_743, 118_977, 140_687, 150_375, 162_361, 163_787, 171_604, 181_457, 189_783,
        199_415, 215_187, 226_223, 231_001, 240_435,
    ] {
        clean(seed, &sim::check_seed(seed));
    }
}

/// More pods than `parallelism`, or under one lock: a decision made them and was lost.
#[test]
fn limits_and_locks_hold_when_decisions_are_lost() {
    let each = |template: &str, name: &str| json!({"name": name, "template": template, "withItems": ["a", "b", "c"]});
    check_workflow(json!({"parallelism": 1, "onExit": "lock", "templates": [
        {"name": "main", "steps": [[each("again-lock", "x"), each("lock", "y")], [each("pod", "z")]]},
    ]}));
}

/// Workflows stuck in Running because a result came late or never.
#[test]
fn late_and_missing_results_stop_no_workflow() {
    check(Faults {
        late_results: 400,
        missing_results: 300,
        ..Faults::default()
    });
}

/// Pods made twice, or steps run again, because an old object was decided on.
#[test]
fn a_stale_cache_makes_no_pod_twice() {
    check(Faults {
        late_millis: 20_000,
        repeated: 300,
        broken_watches: 60,
        conflicts: 200,
        ..Faults::default()
    });
}

/// Locks leaked or lost when a controller restarts, and places of workflows that ended.
#[test]
fn crashes_lose_no_lock_and_no_clean_up() {
    check(Faults {
        crashes: 80,
        calls: 100,
        ..Faults::default()
    });
}

/// Locks and pods left behind by people who stop, end, suspend and retry workflows.
#[test]
fn people_leave_nothing_behind() {
    check(Faults {
        people: true,
        late_millis: 2_000,
        ..Faults::default()
    });
}

/// Nodes that vanish and pods that somebody deletes.
#[test]
fn lost_pods_end_their_nodes_or_are_made_anew() {
    check(Faults {
        deleted_pods: 250,
        lost_nodes: 250,
        late_millis: 2_000,
        ..Faults::default()
    });
}

/// A controller whose clock is wrong for a while.
#[test]
fn clock_jumps_stop_no_workflow() {
    check(Faults {
        clock_jumps: 6,
        ..Faults::default()
    });
}

/// Seeds for one workflow: what its pods come to differs with each.
const LIVES: u64 = 12;

/// Runs one workflow, with leaves `pod`, `lock` (under a mutex) and `again` (tried twice), without faults, with harmless
/// and with harmful ones. Each of these once hung or broke a limit.
fn check_workflow(mut spec: Value) {
    let container = json!({"image": "x", "command": ["x"]});
    let mutex = json!({"mutexes": [{"name": "m"}]});
    let retry = json!({"limit": 1});
    let leaves = [
        json!({"name": "pod", "container": container}),
        json!({"name": "lock", "container": container, "synchronization": mutex}),
        json!({"name": "again", "container": container, "retryStrategy": retry}),
        json!({"name": "again-lock", "container": container, "retryStrategy": retry, "synchronization": mutex}),
        json!({"name": "server", "container": container, "daemon": true}),
    ];
    spec["entrypoint"] = json!("main");
    let templates = spec["templates"].as_array_mut().expect("a spec has templates");
    templates.extend(leaves);
    for faults in [Faults::default(), Faults::harmless(), Faults::harmful()] {
        for seed in 0..LIVES {
            clean(
                seed,
                &sim::simulate(seed, Scenario::of_spec(spec.clone()), faults),
            );
        }
    }
}

/// Locks that are never given back: their nodes ended with the whole, which stopped at the first failure.
#[test]
fn locks_of_nodes_that_ended_with_their_parent_are_given_back() {
    let each = json!({"name": "each", "template": "lock", "withItems": ["a", "b", "c"]});
    check_workflow(json!({"templates": [
        {"name": "main", "dag": {"tasks": [{"name": "t", "template": "stop", "withItems": ["a", "b"]}]}},
        {"name": "stop", "failFast": true, "steps": [[each]]},
    ]}));
}

/// Locks that are never given back: exit handlers of a loop's items, which nothing looked at any more.
#[test]
fn locks_of_exit_handlers_of_items_are_given_back() {
    let each = json!({"name": "each", "template": "pod", "withSequence": {"count": "3"}, "onExit": "lock"});
    check_workflow(json!({"templates": [{"name": "main", "dag": {"tasks": [each]}}]}));
}

/// Workflows stuck in Running: what only had to end waited for a place that nothing gave back.
#[test]
fn a_retry_ends_although_no_place_is_free() {
    let each = json!({"name": "each", "template": "again-lock", "withItems": ["a", "b", "c"]});
    check_workflow(json!({"parallelism": 1, "onExit": "pod", "templates": [
        {"name": "main", "steps": [[each]]},
    ]}));
}

/// Workflows stuck in Running: an item that held the only place and had no pod was not looked at.
#[test]
fn an_item_without_its_pod_is_looked_at_when_others_are_held_back() {
    let each = json!({"name": "each", "template": "again", "withItems": ["a", "b", "c"]});
    check_workflow(json!({"parallelism": 1, "templates": [{"name": "main", "dag": {"tasks": [each]}}]}));
}

/// More at work than may: a retry under a lock had a node, but no attempt that counted.
#[test]
fn a_retry_that_waited_for_a_lock_takes_a_place_when_it_starts() {
    let tell = json!({"tell": {"template": "pod", "expression": "steps[\"b\"].status == \"Running\""}});
    check_workflow(json!({"templates": [
        {"name": "main", "steps": [[{"name": "t", "template": "one", "withItems": ["a", "b"]}]]},
        {"name": "one", "parallelism": 1, "steps": [[
            {"name": "a", "template": "again-lock"}, {"name": "b", "template": "pod", "hooks": tell},
        ]]},
    ]}));
}

/// Retries that never complete: a task that was left out hid what it depends on.
#[test]
fn a_task_left_out_does_not_hide_what_a_person_retries() {
    check_workflow(json!({"templates": [
        {"name": "main", "dag": {"tasks": [
            {"name": "a", "template": "inner"},
            {"name": "b", "template": "pod", "dependencies": ["a"]},
        ]}},
        {"name": "inner", "dag": {"tasks": [{"name": "x", "template": "rest"}, {"name": "y", "template": "two"}]}},
        {"name": "rest", "suspend": {"duration": "1"}},
        {"name": "two", "steps": [[{"name": "p", "template": "pod"}], [{"name": "q", "template": "pod"}]]},
    ]}));
}

/// Hooks stuck Pending: one inside an exit handler, after the workflow's deadline.
#[test]
fn hooks_of_an_exit_handler_run_after_the_deadline() {
    let tell =
        json!({"tell": {"template": "again-lock", "expression": "steps[\"a\"].status == \"Succeeded\""}});
    check_workflow(
        json!({"activeDeadlineSeconds": 3, "onExit": "last", "templates": [
            {"name": "main", "steps": [[{"name": "a", "template": "pod"}]]},
            {"name": "last", "steps": [[{"name": "a", "template": "pod", "hooks": tell}]]},
        ]}),
    );
}

/// Workflows stuck in Running: a whole that stopped at the first failure left a loop with an item that was never made.
#[test]
fn a_loop_held_back_in_what_stopped_leaves_no_item() {
    let loops = json!({"name": "a", "template": "lock", "withItems": ["a", "b"]});
    check_workflow(json!({"parallelism": 1, "templates": [
        {"name": "main", "dag": {"tasks": [{"name": "t", "template": "stop"}]}},
        {"name": "stop", "parallelism": 1, "failFast": true,
         "dag": {"tasks": [loops, {"name": "b", "template": "pod"}, {"name": "c", "template": "pod"}]}},
    ]}));
}

/// Daemons left behind: the pod of one was just to be made anew when its workflow ended.
#[test]
fn daemons_end_with_their_workflow() {
    check_workflow(json!({"templates": [{"name": "main", "steps": [
        [{"name": "server", "template": "server"}], [{"name": "a", "template": "pod"}],
    ]}]}));
}

/// Hooks stuck Running: the task after the one with the hook was done before the hook was.
#[test]
fn a_hook_goes_on_although_a_later_task_is_done() {
    let tell = json!({"tell": {"template": "again", "expression": "tasks.a.status == \"Succeeded\""}});
    check_workflow(json!({"templates": [{"name": "main", "dag": {"tasks": [
        {"name": "a", "template": "pod", "withItems": ["a", "b", "c"], "hooks": tell},
        {"name": "b", "template": "pod", "dependencies": ["a"]},
    ]}}]}));
}

/// Two at work under one lock: a retry node that had waited for it was timed out, and its attempt was not.
#[test]
fn a_retry_keeps_its_lock_as_long_as_its_attempt_works() {
    check_workflow(json!({"onExit": "lock", "templates": [
        {"name": "main", "steps": [[{"name": "t", "template": "timed", "withItems": ["a", "b", "c"]}]]},
        {"name": "timed", "container": {"image": "x", "command": ["x"]}, "retryStrategy": {"limit": 1},
         "synchronization": {"mutexes": [{"name": "m"}]}, "timeout": "4s"},
    ]}));
}

/// Two pods under one mutex: an exit handler whose retry waited for the lock was timed out while its attempt worked.
#[test]
fn a_retried_exit_handler_keeps_its_lock_as_long_as_its_attempt_works() {
    for limit in ["2s", "3s", "4s"] {
        check_workflow(json!({"retryStrategy": {"limit": 1}, "templates": [
            {"name": "main", "dag": {"tasks": [
                {"name": "a", "template": "held"}, {"name": "b", "template": "pod", "onExit": "held"},
                {"name": "c", "template": "held", "depends": "b.Succeeded || b.Failed"},
            ]}},
            {"name": "held", "container": {"image": "x", "command": ["x"]},
             "synchronization": {"mutexes": [{"name": "m"}]}, "pendingTimeout": limit},
        ]}));
    }
}

/// A workflow stuck in Running without any fault: behind a retry, an edge led to a task that a limit held back until its
/// graph had failed.
#[test]
fn what_was_never_made_behind_a_retry_holds_no_graph_open() {
    check_workflow(json!({"templates": [
        {"name": "main", "failFast": false, "dag": {"tasks": [{"name": "x", "template": "inner"}]}},
        {"name": "inner", "parallelism": 1, "failFast": true, "dag": {"tasks": [
            {"name": "a", "template": "again"},
            {"name": "b", "template": "pod", "depends": "a"}, {"name": "c", "template": "pod", "depends": "a"},
        ]}},
    ]}));
}

/// Locks never given back: the exit handlers of a loop's items took turns under one, and the second was not looked at.
#[test]
fn exit_handlers_of_items_take_turns() {
    check_workflow(json!({"templates": [
        {"name": "main", "dag": {"tasks": [
            {"name": "t", "template": "pod", "withItems": ["a", "b", "c"], "onExit": "again-lock"},
        ]}},
    ]}));
}

/// Looked at for ever: a person was waited for after the workflow's deadline.
#[test]
fn a_suspended_exit_handler_outlasts_the_deadline_at_rest() {
    check_workflow(
        json!({"activeDeadlineSeconds": 3, "onExit": "rest", "templates": [
            {"name": "main", "steps": [[{"name": "a", "template": "pod"}]]},
            {"name": "rest", "suspend": {}},
        ]}),
    );
}

/// Daemons left at work: nothing looked at an exit handler any more once its workflow was terminated.
#[test]
fn daemons_of_an_exit_handler_end_with_a_termination() {
    check_workflow(json!({"onExit": "last", "templates": [
        {"name": "main", "steps": [[{"name": "a", "template": "pod"}]]},
        {"name": "last", "failFast": true, "dag": {"tasks": [
            {"name": "server", "template": "server"}, {"name": "a", "template": "pod"},
        ]}},
    ]}));
}

/// Workflows stuck in Running: what a person retried had edges to what came after it, which ran again as well.
#[test]
fn a_retried_graph_ends_before_what_comes_after_it() {
    check_workflow(json!({"templates": [
        {"name": "main", "steps": [[{"name": "a", "template": "inner"}], [{"name": "b", "template": "inner"}]]},
        {"name": "inner", "dag": {"tasks": [
            {"name": "x", "template": "again"},
            {"name": "y", "template": "pod", "depends": "x.Succeeded || x.Failed", "onExit": "again"},
        ]}, "retryStrategy": {"limit": 1}},
    ]}));
}
