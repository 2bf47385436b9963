//! Runs many seeds of the simulator and prints what came of them: `cargo xtask simulate` calls it, optimised.
//!
//! Arguments: how many seeds, and the first of them. A single seed is shown with its trace.
#![expect(clippy::print_stdout, reason = "a program of figures")]

use std::collections::BTreeMap;
use std::time::Instant;

use argosy_testkit::sim::{self, Injected};

/// Failing seeds that are shown.
const SHOWN: usize = 12;

fn main() -> std::process::ExitCode {
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let (count, from) = (
        numbers.first().copied().unwrap_or(300),
        numbers.get(1).copied().unwrap_or(0),
    );
    let started = Instant::now();
    let mut injected = Injected::default();
    let (mut decisions, mut failed) = (0, 0);
    let mut phases: BTreeMap<String, u64> = BTreeMap::new();
    for seed in from..from + count {
        let outcome = sim::check_seed(seed);
        injected.add(&outcome.injected);
        decisions += outcome.decisions;
        for phase in outcome.phases.values() {
            *phases.entry(phase.clone()).or_default() += 1;
        }
        if outcome.violations.is_empty() {
            continue;
        }
        failed += 1;
        if failed <= SHOWN {
            println!("seed {seed}: {}", outcome.violations.join("; "));
            if count == 1 {
                for workflow in &sim::Scenario::of(seed).workflows {
                    println!("{}", serde_json::to_string(&workflow.spec).unwrap_or_default());
                }
                outcome.trace.iter().for_each(|line| println!("  {line}"));
            }
        }
    }
    println!(
        "{count} seeds from {from}: {failed} failed, {decisions} decisions, {:.1} s",
        started.elapsed().as_secs_f64()
    );
    println!("ended: {phases:?}");
    for (name, number) in injected.rows() {
        println!("  {number:>9} {name}");
    }
    if failed == 0 { 0.into() } else { 1.into() }
}
