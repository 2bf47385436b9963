//! The simulator: whole runs of random workflows in virtual time, with faults at every boundary, all from one seed.
//!
//! A simulation is a cluster (`cluster`, what is really there), pods on their nodes (`kubelet`), and a controller
//! (`shell` with its `cache`) that calls the engine. What happens next is drawn from the seed (`events`); what must
//! never happen is in `properties`. The same seed gives the same run, step by step.

mod cache;
mod cluster;
mod events;
mod faults;
mod generate;
mod kubelet;
mod properties;
mod rng;
mod shell;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use argosy_engine::throttle::Throttle;
use argosy_model::Workflow;
use jiff::{SignedDuration, Timestamp};

pub use faults::{Faults, Injected};
pub use generate::Scenario;

use cache::Cache;
use cluster::Cluster;
use events::Event;
use rng::Rng;
use shell::{Clean, Shell};

/// Steps after which a run counts as endless: the longest of 100,000 seeds took a tenth of it.
const STEPS: usize = 40_000;

/// Lines of the trace that are kept for a report.
const TRACE: usize = 400;

/// What came of one seed.
#[derive(Debug, Clone, Default)]
pub struct Outcome {
    /// Broken properties, none if all is well.
    pub violations: Vec<String>,
    /// The last events before the first violation, or of the whole run.
    pub trace: Vec<String>,
    /// What went wrong on purpose.
    pub injected: Injected,
    /// How many decisions were made.
    pub decisions: u64,
    /// How much happened around the controller: news that reached it, pods that moved, people who acted.
    pub events: u64,
    /// Phases that the workflows ended in, by name.
    pub phases: BTreeMap<String, String>,
    /// Names, phases and messages of the nodes of each workflow at the end.
    pub trees: BTreeMap<String, BTreeMap<String, String>>,
}

/// Runs one scenario under faults.
#[must_use]
pub fn simulate(seed: u64, scenario: Scenario, faults: Faults) -> Outcome {
    let mut sim = Sim::new(seed, scenario, faults);
    sim.run();
    sim.outcome()
}

/// Runs the scenario of a seed: first without faults, then with harmless ones, which must give the same end where the
/// workflows are deterministic, then with harmful ones.
#[must_use]
pub fn check_seed(seed: u64) -> Outcome {
    let calm = simulate(seed, Scenario::of(seed), Faults::default());
    if !calm.violations.is_empty() {
        return calm;
    }
    let harmful = seed % 2 == 1;
    let faults = if harmful {
        Faults::harmful()
    } else {
        Faults::harmless()
    };
    let mut stormy = simulate(seed, Scenario::of(seed), faults);
    stormy.decisions += calm.decisions;
    stormy.events += calm.events;
    if !harmful && Scenario::of(seed).deterministic && stormy.violations.is_empty() {
        for (name, tree) in &calm.trees {
            let Some(other) = stormy.trees.get(name) else {
                continue;
            };
            if let Some(difference) = properties::difference(tree, other) {
                stormy
                    .violations
                    .push(format!("{name} ends otherwise than without faults: {difference}"));
            }
        }
    }
    stormy
}

/// One simulation under way.
pub struct Sim {
    seed: u64,
    rng: Rng,
    faults: Faults,
    injected: Injected,
    scenario: Scenario,
    cluster: Cluster,
    shell: Shell,
    /// Counts lives of the controller, so that what was meant for an earlier one is not delivered to a later one.
    life: u32,
    /// Whether the controller is up.
    up: bool,
    /// The cluster's clock.
    now: Timestamp,
    /// How far the controller's clock is ahead of it.
    skew: SignedDuration,
    agenda: BTreeMap<(Timestamp, u64), Event>,
    serial: u64,
    /// When the last event of an object is delivered: events of one object keep their order.
    last_told: BTreeMap<(&'static str, String), Timestamp>,
    /// Until when a kind of watch is broken.
    broken: BTreeMap<&'static str, Timestamp>,
    /// When the list of a kind of watch is delivered that has come back.
    listed: BTreeMap<&'static str, Timestamp>,
    trace: VecDeque<String>,
    violations: Vec<String>,
    decisions: u64,
    events: u64,
    ended: BTreeMap<String, Arc<Workflow>>,
    retried: BTreeSet<String>,
    /// Whether anything happened after which two runs need not agree.
    disturbed: bool,
}

impl Sim {
    fn new(seed: u64, scenario: Scenario, faults: Faults) -> Self {
        let now: Timestamp = "2026-01-01T00:00:00Z".parse().expect("the text is a time");
        let mut cluster = Cluster::default();
        for (name, key, value) in &scenario.maps {
            cluster.put_map(name, "Parameter", key, value);
        }
        let throttle = Throttle::new(scenario.limits.clone());
        let mut sim = Self {
            seed,
            rng: Rng::of(seed, "faults"),
            faults,
            injected: Injected::default(),
            shell: Shell::start(Cache::of(&cluster), throttle, now),
            scenario,
            cluster,
            life: 0,
            up: true,
            now,
            skew: SignedDuration::ZERO,
            agenda: BTreeMap::new(),
            serial: 0,
            last_told: BTreeMap::new(),
            broken: BTreeMap::new(),
            listed: BTreeMap::new(),
            trace: VecDeque::new(),
            violations: Vec::new(),
            decisions: 0,
            events: 0,
            ended: BTreeMap::new(),
            retried: BTreeSet::new(),
            disturbed: false,
        };
        sim.plan_people();
        sim
    }

    fn run(&mut self) {
        for workflow in std::mem::take(&mut self.scenario.workflows) {
            self.cluster.submit(workflow, self.now);
        }
        for _ in 0..STEPS {
            self.spread_news();
            if !self.violations.is_empty() || !self.step() {
                self.check_end();
                return;
            }
        }
        self.violate(format!("the run did not end within {STEPS} steps"));
    }

    /// Does whatever is next. False: nothing will ever happen any more.
    fn step(&mut self) -> bool {
        let event = self.agenda.first_key_value().map(|((at, _), _)| *at);
        let look = self.next_look();
        let clean = self.next_clean();
        let next = [event, look.as_ref().map(|l| l.0), clean.as_ref().map(|c| c.0)]
            .into_iter()
            .flatten()
            .min();
        let Some(next) = next else {
            return self.act_at_rest();
        };
        self.now = self.now.max(next);
        let result = if event == Some(next) {
            let (_, event) = self.agenda.pop_first().expect("it was just seen");
            self.events += 1;
            self.happen(event);
            Ok(())
        } else if let Some((_, pod, what)) = clean.filter(|c| c.0 == next) {
            self.clean_now(&pod, what)
        } else {
            let (_, name) = look.expect("one of the three is next");
            self.look(&name)
        };
        if result.is_err() {
            self.crash();
        }
        self.check_limits();
        true
    }

    fn next_look(&self) -> Option<(Timestamp, String)> {
        let due = self.shell.due.iter().filter(|_| self.up);
        due.map(|(name, at)| (*at, name.clone())).min()
    }

    fn next_clean(&self) -> Option<(Timestamp, String, Clean)> {
        let due = self.shell.cleaning.iter().filter(|_| self.up);
        due.map(|((pod, what), (at, ..))| (*at, pod.clone(), *what)).min()
    }

    fn say(&mut self, what: impl FnOnce() -> String) {
        if self.trace.len() >= TRACE {
            self.trace.pop_front();
        }
        let at = self
            .now
            .duration_since("2026-01-01T00:00:00Z".parse().expect("a time"));
        self.trace
            .push_back(format!("{:9.3} {}", at.as_secs_f64(), what()));
    }

    fn violate(&mut self, what: String) {
        self.say(|| format!("VIOLATION {what}"));
        self.violations.push(what);
    }

    fn outcome(self) -> Outcome {
        let trees = self
            .ended
            .iter()
            .map(|(name, w)| (name.clone(), properties::tree(w)))
            .collect();
        Outcome {
            violations: self.violations,
            trace: self.trace.into(),
            injected: self.injected,
            decisions: self.decisions,
            events: self.events,
            phases: self
                .ended
                .iter()
                .map(|(name, w)| (name.clone(), w.status.phase.to_string()))
                .collect(),
            trees,
        }
    }
}
