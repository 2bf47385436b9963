//! The controller's own metrics: names, kinds and buckets of the peer's, so that dashboards and alerts keep working.

use super::{Definition, Kind};

/// One of the controller's own metrics.
#[derive(Debug)]
pub struct BuiltIn {
    /// Name without prefix.
    pub name: &'static str,
    /// What its values mean.
    pub kind: Kind,
    /// Upper bounds of buckets; empty takes the default ones.
    pub bounds: &'static [f64],
    /// One line of help.
    pub help: &'static str,
}

const LIMITER: &[f64] = &[0.0, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 180.0];
const SHORT: &[f64] = &[0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0, 180.0];
const LOOK: &[f64] = &[5.0, 10.0, 15.0, 20.0, 25.0, 30.0];

macro_rules! metrics {
    ($($name:literal $kind:ident $bounds:expr, $help:literal;)*) => {
        /// All of them, sorted by name.
        pub const BUILT_IN: &[BuiltIn] = &[$(
            BuiltIn { name: $name, kind: Kind::$kind, bounds: $bounds, help: $help },
        )*];
    };
}

metrics! {
    "client_rate_limiter_latency" Histogram LIMITER, "How long requests waited for the client's own limit.";
    "cronworkflows_concurrencypolicy_triggered" Counter &[], "Times that a concurrency policy of a CronWorkflow acted.";
    "cronworkflows_triggered_total" Counter &[], "Runs started by CronWorkflows.";
    "error_count" Counter &[], "Errors of the controller by cause.";
    "gauge" Gauge &[], "Workflows that exist, by phase.";
    "is_leader" Gauge &[], "Whether this controller leads.";
    "k8s_request_duration" Histogram SHORT, "How long requests to Kubernetes took.";
    "k8s_request_total" Counter &[], "Requests to Kubernetes.";
    "locks_held" Gauge &[], "Holders of locks.";
    "locks_pending" Gauge &[], "Who waits for locks.";
    "log_messages" Counter &[], "Lines of the log by level.";
    "operation_duration_seconds" Histogram LOOK, "How long a look at one workflow took.";
    "pods_gauge" Gauge &[], "Pods of workflows that exist, by phase.";
    "pods_total_count" Counter &[], "Pods that came into a phase.";
    "queue_adds_count" Counter &[], "Keys added to a queue.";
    "queue_depth_gauge" Gauge &[], "Keys that wait in a queue.";
    "stuck_gauge" Gauge &[], "Workflows that nothing moves any more: faults of the controller.";
    "total_count" Counter &[], "Workflows that came into a phase.";
    "version" Counter &[], "Which release this is; always 1.";
    "workers_busy_count" Gauge &[], "Workers that are at work.";
    "workflow_condition" Gauge &[], "Workflows by condition.";
}

/// The definition of one of them; `None` for a name that is not in the table.
pub(super) fn family(name: &str) -> Option<Definition<'static>> {
    let at = BUILT_IN.binary_search_by_key(&name, |metric| metric.name).ok()?;
    let metric = &BUILT_IN[at];
    Some(Definition {
        name: metric.name,
        help: metric.help,
        kind: metric.kind,
        bounds: metric.bounds,
        custom: false,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted() {
        assert!(BUILT_IN.is_sorted_by_key(|metric| metric.name));
    }
}
