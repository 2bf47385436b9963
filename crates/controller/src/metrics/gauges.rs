//! Gauges that count what the world holds when they are asked for, so that nothing has to keep them up to date.

use std::collections::BTreeMap;

use crate::Shared;

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
    let (waiting, busy) = shared.queue.load();
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
    let queue = || "workflow_queue".to_owned();
    gauges.push(gauge("queue_depth_gauge", vec![("queue_name", queue())], waiting));
    gauges.push(gauge("workers_busy_count", vec![("worker_type", queue())], busy));
    gauges
}

fn gauge(name: &'static str, labels: Vec<(&'static str, String)>, count: usize) -> Gauge {
    Gauge {
        name,
        labels,
        // Counts stay far below 2^52.
        value: count as f64,
    }
}
