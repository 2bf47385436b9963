//! How many workflows may run at once, and who is next: the queues across workflows (C-THR).
//!
//! Pure: the limits come from the caller, and so does the news of workflows. Not here: limits inside one workflow
//! (`pass::parallelism`).

use std::collections::{BTreeMap, BTreeSet};

use argosy_model::{Workflow, WorkflowPhase};
use jiff::Timestamp;

use crate::pass::holdings;

/// A workflow that waits for its turn. Ordered so that the first is served first: higher priority, then older, then
/// by name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Turn {
    /// Negated, so that the highest comes first.
    priority: std::cmp::Reverse<i64>,
    created: Timestamp,
    name: String,
}

/// Whether a workflow had its turn before this start: one that runs (C-THR-06), or that holds locks before it runs, as a
/// suspended one does. Who waits for those would have its place, and neither would go on.
#[must_use]
pub fn had_turn(workflow: &Workflow) -> bool {
    let mut held = holdings(workflow.status.synchronization.as_ref());
    workflow.status.phase == WorkflowPhase::Running || held.any(|(_, holder)| !holder.is_empty())
}

/// Limits of running workflows; 0 means none.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Limits {
    /// Over all namespaces.
    pub global: usize,
    /// In each namespace without a limit of its own.
    pub namespace: usize,
    /// Limits of single namespaces (label `parallelism-limit`).
    pub namespaces: BTreeMap<String, usize>,
}

/// Who runs and who waits.
#[derive(Debug, Clone, Default)]
pub struct Throttle {
    limits: Limits,
    /// Running workflows: namespace and name.
    running: BTreeSet<(String, String)>,
    /// Waiting workflows by namespace.
    pending: BTreeMap<String, BTreeSet<Turn>>,
}

impl Throttle {
    /// A throttle with these limits.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self {
            limits,
            ..Self::default()
        }
    }

    /// Registers a workflow that already runs, whatever the limits (C-THR-06).
    pub fn seed(&mut self, namespace: &str, name: &str) {
        self.running.insert((namespace.to_owned(), name.to_owned()));
    }

    /// Asks for a turn and tells whether the workflow may run now (C-THR-03). Asking again with another priority moves
    /// it in the queue.
    pub fn ask(&mut self, namespace: &str, name: &str, priority: i64, created: Timestamp) -> bool {
        let key = (namespace.to_owned(), name.to_owned());
        if self.running.contains(&key) {
            return true;
        }
        let queue = self.pending.entry(key.0.clone()).or_default();
        queue.retain(|turn| turn.name != name);
        queue.insert(Turn {
            priority: std::cmp::Reverse(priority),
            created,
            name: name.to_owned(),
        });
        self.admit();
        self.running.contains(&key)
    }

    /// Gives up the turn or the place in the queue; gives the workflows that may run now instead.
    pub fn leave(&mut self, namespace: &str, name: &str) -> Vec<(String, String)> {
        self.running.remove(&(namespace.to_owned(), name.to_owned()));
        if let Some(queue) = self.pending.get_mut(namespace) {
            queue.retain(|turn| turn.name != name);
        }
        self.admit()
    }

    /// Sets new limits; gives the workflows that may run now (C-THR-05; a removed limit drains too, Q-06).
    pub fn set_limits(&mut self, limits: Limits) -> Vec<(String, String)> {
        self.limits = limits;
        self.admit()
    }

    /// How many run, and how many may, over all namespaces.
    #[must_use]
    pub fn load(&self) -> (usize, usize) {
        (self.running.len(), self.limits.global)
    }

    /// Admits as many as the limits allow, best first (C-THR-04).
    fn admit(&mut self) -> Vec<(String, String)> {
        let mut admitted = Vec::new();
        while self.limits.global == 0 || self.running.len() < self.limits.global {
            let best = self
                .pending
                .iter()
                .filter(|(namespace, _)| self.has_room(namespace))
                .filter_map(|(namespace, queue)| Some((queue.first()?, namespace)))
                .min()
                .map(|(turn, namespace)| (namespace.clone(), turn.clone()));
            let Some((namespace, turn)) = best else { break };
            if let Some(queue) = self.pending.get_mut(&namespace) {
                queue.remove(&turn);
                if queue.is_empty() {
                    self.pending.remove(&namespace);
                }
            }
            self.running.insert((namespace.clone(), turn.name.clone()));
            admitted.push((namespace, turn.name));
        }
        admitted
    }

    fn has_room(&self, namespace: &str) -> bool {
        let limit = self
            .limits
            .namespaces
            .get(namespace)
            .copied()
            .unwrap_or(self.limits.namespace);
        limit == 0 || self.running.iter().filter(|(ns, _)| ns == namespace).count() < limit
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).expect("a small number is a time")
    }

    /// Asks in order of the list, then lets running ones leave and notes who comes next.
    fn check(limits: Limits, asks: &[(&str, &str, i64, i64)], leaves: &[&str], order: &[&str]) {
        let mut throttle = Throttle::new(limits);
        let mut ran: Vec<String> = Vec::new();
        for (namespace, name, priority, created) in asks {
            if throttle.ask(namespace, name, *priority, at(*created)) {
                ran.push((*name).to_owned());
            }
        }
        for leaving in leaves {
            let namespace = asks
                .iter()
                .find(|a| a.1 == *leaving)
                .expect("leaves only who asked")
                .0;
            ran.extend(
                throttle
                    .leave(namespace, leaving)
                    .into_iter()
                    .map(|(_, name)| name),
            );
        }
        assert_eq!(ran, order);
    }

    #[test]
    fn c_thr_01_higher_priority_then_older_goes_first() {
        let asks = [
            ("n", "a", 0, 5),
            ("n", "b", 0, 4),
            ("n", "c", 7, 9),
            ("n", "d", 0, 3),
        ];
        let limits = Limits {
            global: 1,
            ..Limits::default()
        };
        check(limits, &asks, &["a", "c", "d"], &["a", "c", "d", "b"]);
    }

    #[test]
    fn c_thr_02_a_namespace_limit_holds_back_only_its_namespace() {
        let limits = Limits {
            namespaces: [("n".to_owned(), 1)].into(),
            ..Limits::default()
        };
        let asks = [("n", "a", 0, 1), ("n", "b", 0, 2), ("m", "c", 0, 3)];
        check(limits, &asks, &["a"], &["a", "c", "b"]);
    }

    #[test]
    fn c_thr_02_zero_is_no_limit() {
        check(
            Limits::default(),
            &[("n", "a", 0, 1), ("n", "b", 0, 2)],
            &[],
            &["a", "b"],
        );
    }

    /// One that holds locks before it runs, as a suspended one does, keeps its turn over a start.
    #[test]
    fn who_holds_locks_had_a_turn() {
        let workflow = |phase: &str, holding: serde_json::Value| -> Workflow {
            let status = serde_json::json!({"phase": phase, "synchronization": holding});
            serde_json::from_value(serde_json::json!({"metadata": {"name": "w"}, "status": status}))
                .expect("a workflow")
        };
        let none = serde_json::json!({});
        let mutex = serde_json::json!({"mutex": {"holding": [{"mutex": "m", "holder": "argo/w"}]}});
        let semaphore =
            serde_json::json!({"semaphore": {"holding": [{"semaphore": "s", "holders": ["argo/w"]}]}});
        let waits = serde_json::json!({"mutex": {"waiting": [{"mutex": "m", "holder": "argo/other"}]}});
        for (phase, locks, expected) in [
            ("Running", &none, true),
            ("Pending", &none, false),
            ("Pending", &mutex, true),
            ("Pending", &semaphore, true),
            ("Pending", &waits, false),
        ] {
            assert_eq!(
                had_turn(&workflow(phase, locks.clone())),
                expected,
                "{phase} {locks}"
            );
        }
    }
}
