//! Gauges that count what the world holds when they are asked for, so that nothing has to keep them up to date.

use std::collections::BTreeMap;

use argosy_engine::locks::{Kind, Name};

use crate::Shared;
use crate::queue::Load;

/// A counted gauge.
#[derive(Debug, Clone, PartialEq)]
pub struct Gauge {
    /// Name without prefix.
    pub name: &'static str,
    /// Labels.
    pub labels: Vec<(&'static str, String)>,
    /// How many.
    pub value: f64,
}

const WORKFLOW_PHASES: [&str; 5] = ["Pending", "Running", "Succeeded", "Failed", "Error"];
const POD_PHASES: [&str; 5] = ["Pending", "Running", "Succeeded", "Failed", "Unknown"];

/// Workflows and pods by phase, conditions, queues.
pub(crate) fn count(shared: &Shared) -> Vec<Gauge> {
    let mut workflows: BTreeMap<String, usize> = WORKFLOW_PHASES.map(|p| (p.to_owned(), 0)).into();
    let mut conditions: BTreeMap<(String, String), usize> = BTreeMap::new();
    let mut pods: BTreeMap<String, usize> = POD_PHASES.map(|p| (p.to_owned(), 0)).into();
    for key in shared.world.workflow_keys() {
        let Some(workflow) = shared.world.workflow(&key) else {
            continue;
        };
        let phase = match workflow.status.phase.as_str() {
            "" => "Pending",
            phase => phase,
        };
        *workflows.entry(phase.to_owned()).or_default() += 1;
        for condition in &workflow.status.conditions {
            let key = (condition.type_.to_string(), condition.status.clone());
            *conditions.entry(key).or_default() += 1;
        }
        for pod in shared.world.parts(&key).pods.values() {
            *pods.entry(pod.status.phase.clone()).or_default() += 1;
        }
    }
    let by_phase = |name, counts: BTreeMap<String, usize>| {
        counts
            .into_iter()
            .map(move |(phase, count)| gauge(name, vec![("phase", phase)], count))
    };
    let mut gauges: Vec<Gauge> = by_phase("gauge", workflows).collect();
    gauges.extend(by_phase("pods_gauge", pods));
    gauges.extend(conditions.into_iter().map(|((kind, status), count)| {
        gauge(
            "workflow_condition",
            vec![("type", kind), ("status", status)],
            count,
        )
    }));
    gauges.push(gauge("stuck_gauge", Vec::new(), shared.watchdog.reported()));
    gauges.extend(queues(shared));
    gauges.extend(locks(shared));
    gauges
}

fn queues(shared: &Shared) -> Vec<Gauge> {
    let queues = [
        ("workflow_queue", shared.queue.load()),
        ("pod_cleanup_queue", shared.cleaner.load()),
        ("cron_wf_queue", shared.crons.load()),
    ];
    let of = |(queue, load): (&str, Load)| {
        let label = |name| vec![(name, queue.to_owned())];
        [
            Gauge {
                name: "queue_longest_running",
                labels: label("queue_name"),
                value: load.longest.as_secs_f64(),
            },
            Gauge {
                name: "queue_unfinished_work",
                labels: label("queue_name"),
                value: load.unfinished.as_secs_f64(),
            },
            gauge("queue_depth_gauge", label("queue_name"), load.waiting),
            gauge("workers_busy_count", label("worker_type"), load.working),
            // A 64-bit count of additions fits wherever this program can run long enough to reach it.
            gauge(
                "queue_adds_count",
                label("queue_name"),
                usize::try_from(load.added).unwrap_or(usize::MAX),
            ),
        ]
    };
    queues.into_iter().flat_map(of).collect()
}

/// Holders and waiters of every lock that somebody holds or wants.
fn locks(shared: &Shared) -> Vec<Gauge> {
    let locks = shared.locks();
    let mut gauges = Vec::new();
    for (text, lock) in locks.iter() {
        let Some(labels) = lock_labels(text) else { continue };
        gauges.push(gauge("locks_held", labels.clone(), lock.holders.len()));
        gauges.push(gauge("locks_pending", labels, lock.queue.len()));
    }
    gauges
}

/// The labels of a lock of this name; `None` for a text that is none.
pub(super) fn lock_labels(text: &str) -> Option<Vec<(&'static str, String)>> {
    let name = Name::parse(text).ok()?;
    let (kind, storage) = match name.kind {
        Kind::Mutex => ("mutex", "configmap"),
        Kind::ConfigMap { .. } => ("semaphore", "configmap"),
        Kind::Database => ("semaphore", "database"),
    };
    Some(vec![
        ("type", kind.to_owned()),
        ("storage", storage.to_owned()),
        ("lock_name", text.to_owned()),
        ("namespace", name.namespace),
    ])
}

fn gauge(name: &'static str, labels: Vec<(&'static str, String)>, count: usize) -> Gauge {
    Gauge {
        name,
        labels,
        // Counts stay far below 2^52.
        value: count as f64,
    }
}
