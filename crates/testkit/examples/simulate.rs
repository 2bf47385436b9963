//! Runs many seeds of the simulator and prints what came of them: `cargo xtask simulate` calls it, optimised.
//!
//! Arguments: how many seeds, and the first of them. A single seed is shown with its trace. Seeds are independent, so
//! that each core takes its share of them.
#![expect(clippy::print_stdout, reason = "a program of figures")]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use argosy_testkit::sim::{self, Injected, Outcome};

/// Seeds between two lines that tell how far the run is.
const REPORT: u64 = 5_000;

/// What came of all seeds so far.
#[derive(Default)]
struct Total {
    seeds: u64,
    injected: Injected,
    decisions: u64,
    events: u64,
    phases: BTreeMap<String, u64>,
    failed: BTreeSet<u64>,
}

impl Total {
    fn add(&mut self, seed: u64, outcome: &Outcome) {
        self.seeds += 1;
        self.injected.add(&outcome.injected);
        self.decisions += outcome.decisions;
        self.events += outcome.events;
        for phase in outcome.phases.values() {
            *self.phases.entry(phase.clone()).or_default() += 1;
        }
        if !outcome.violations.is_empty() {
            // At once: a long run may be cut short.
            let broken = outcome.violations.join("; ");
            println!("seed {seed}: {broken}");
            self.failed.insert(seed);
        }
    }
}

fn main() -> std::process::ExitCode {
    let numbers: Vec<u64> = std::env::args().skip(1).filter_map(|a| a.parse().ok()).collect();
    let (count, from) = (
        numbers.first().copied().unwrap_or(300),
        numbers.get(1).copied().unwrap_or(0),
    );
    let started = Instant::now();
    let total = if count == 1 { show(from) } else { run(count, from) };
    println!(
        "{count} seeds from {from}: {} failed {:?}, {} events, {} decisions, {:.1} s",
        total.failed.len(),
        total.failed,
        total.events,
        total.decisions,
        started.elapsed().as_secs_f64()
    );
    println!("ended: {:?}", total.phases);
    for (name, number) in total.injected.rows() {
        println!("  {number:>9} {name}");
    }
    if total.failed.is_empty() {
        0.into()
    } else {
        1.into()
    }
}

/// Runs one seed and shows its workflows and its last events.
fn show(seed: u64) -> Total {
    let outcome = sim::check_seed(seed);
    for workflow in &sim::Scenario::of(seed).workflows {
        println!("{}", serde_json::to_string(&workflow.spec).unwrap_or_default());
    }
    outcome.trace.iter().for_each(|line| println!("  {line}"));
    let mut total = Total::default();
    total.add(seed, &outcome);
    total
}

/// Runs many seeds on all cores.
fn run(count: u64, from: u64) -> Total {
    let next = AtomicU64::new(from);
    let total = Mutex::new(Total::default());
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    std::thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= from + count {
                        return;
                    }
                    let outcome = sim::check_seed(seed);
                    let mut total = total.lock().expect("nobody panics while holding it");
                    total.add(seed, &outcome);
                    if total.seeds % REPORT == 0 {
                        println!("{} seeds, {} failed", total.seeds, total.failed.len());
                    }
                }
            });
        }
    });
    total.into_inner().expect("nobody panics while holding it")
}
