//! The simulator in the usual run of tests: a bounded number of seeds, and the classes of faults one by one.
//!
//! Many more seeds: `cargo xtask simulate --seeds N`. What the runs check is in `docs/reliability.md`.

use argosy_testkit::sim::{self, Faults, Outcome, Scenario};

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
