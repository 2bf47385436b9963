//! The controller's own metrics: names, kinds and buckets of the peer's, so that dashboards and alerts keep working.

use super::{Definition, Kind};

/// One of the controller's own metrics.
#[derive(Debug)]
pub struct BuiltIn {
    /// Name without prefix.
    pub name: &'static str,
    /// What its values mean.
    pub kind: Kind,
    /// Names of its labels; those that say nothing may be absent.
    pub labels: &'static [&'static str],
    /// Upper bounds of buckets; empty takes the default ones.
    pub bounds: &'static [f64],
    /// One line of help.
    pub help: &'static str,
}

const LIMITER: &[f64] = &[0.01, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 180.0];
const CREATION: &[f64] = &[0.0, 0.1, 0.5, 1.0, 5.0, 10.0, 30.0, 60.0, 180.0];
const SHORT: &[f64] = &[0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 60.0, 180.0];
const WAIT: &[f64] = &[1.0, 5.0, 20.0, 60.0, 180.0];
const LOOK: &[f64] = &[5.0, 10.0, 15.0, 20.0, 25.0, 30.0];

const LOCK: &[&str] = &["type", "storage", "lock_name", "namespace"];
const QUEUE: &[&str] = &["queue_name"];
const REQUEST: &[&str] = &["kind", "verb", "status_code"];
const CRON: &[&str] = &["name", "namespace"];
const BUILD: &[&str] = &[
    "version",
    "platform",
    "go_version",
    "build_date",
    "compiler",
    "git_commit",
    "git_tree_state",
    "git_tag",
];

macro_rules! metrics {
    ($($name:literal $kind:ident $labels:expr, $bounds:expr, $help:literal;)*) => {
        /// All of them, sorted by name.
        pub const BUILT_IN: &[BuiltIn] = &[$(
            BuiltIn { name: $name, kind: Kind::$kind, labels: $labels, bounds: $bounds, help: $help },
        )*];
    };
}

metrics! {
    "client_rate_limiter_latency" Histogram &[], LIMITER, "How long requests waited for the client's own limit.";
    "cronworkflows_concurrencypolicy_triggered" Counter &["name", "namespace", "concurrency_policy"], &[], "Runs of cron workflows that their policy held back or replaced.";
    "cronworkflows_triggered_total" Counter CRON, &[], "Runs of cron workflows.";
    "deprecated_feature" Counter &["feature", "namespace"], &[], "Uses of deprecated fields.";
    "error_count" Counter &["cause"], &[], "Errors of the controller by cause.";
    "gauge" Gauge &["phase"], &[], "Workflows that exist, by phase.";
    "is_leader" Gauge &[], &[], "Whether this controller leads.";
    "k8s_request_duration" Histogram REQUEST, SHORT, "How long requests to Kubernetes took.";
    "k8s_request_total" Counter REQUEST, &[], "Requests to Kubernetes.";
    "locks_held" Gauge LOCK, &[], "Holders of locks.";
    "locks_pending" Gauge LOCK, &[], "Who waits for locks.";
    "locks_taken_total" Counter LOCK, &[], "How often locks were taken.";
    "log_messages" Counter &["level"], &[], "Lines of the log by level.";
    "operation_duration_seconds" Histogram &[], LOOK, "How long a look at one workflow took.";
    "pod_missing" Counter &["node_phase", "recently_started"], &[], "Pods that were gone without a result.";
    "pod_pending_count" Counter &["reason", "namespace"], &[], "Pods that could not start, by reason.";
    "pod_restarts_total" Counter &["reason", "condition", "namespace"], &[], "Pods that were made again because they never ran.";
    "pods_gauge" Gauge &["phase"], &[], "Pods of workflows that exist, by phase.";
    "pods_total_count" Counter &["phase", "namespace"], &[], "Pods that came into a phase.";
    "queue_adds_count" Counter QUEUE, &[], "Keys added to a queue.";
    "queue_depth_gauge" Gauge QUEUE, &[], "Keys that wait in a queue.";
    "queue_duration" Histogram QUEUE, SHORT, "How long work on a key took.";
    "queue_latency" Histogram QUEUE, WAIT, "How long a key that was due waited for a worker.";
    "queue_longest_running" Gauge QUEUE, &[], "How long the longest work has been going on, in seconds.";
    "queue_retries" Counter QUEUE, &[], "Keys that came back because work on them failed.";
    "queue_unfinished_work" Gauge QUEUE, &[], "How long all work that goes on has been going on, in seconds.";
    "resource_rate_limiter_latency" Histogram &[], CREATION, "How long the creation of pods waited for its limit.";
    "stuck_gauge" Gauge &[], &[], "Workflows that nothing moves any more: faults of the controller.";
    "total_count" Counter &["phase", "namespace"], &[], "Workflows that came into a phase.";
    "version" Counter BUILD, &[], "Which release this is; always 1.";
    "workers_busy_count" Gauge &["worker_type"], &[], "Workers that are at work.";
    "workflow_condition" Gauge &["type", "status"], &[], "Workflows by condition.";
    "workflowtemplate_runtime" Histogram &["name", "namespace", "cluster_scope"], &[], "How long workflows of a template ran, in seconds.";
    "workflowtemplate_triggered_total" Counter &["name", "namespace", "cluster_scope", "phase"], &[], "Workflows of a template that came into a phase.";
}

/// The definition of one of them; `None` for a name that is not in the table.
pub(super) fn family(name: &str, labels: &[(&str, &str)]) -> Option<Definition<'static>> {
    let at = BUILT_IN.binary_search_by_key(&name, |metric| metric.name).ok()?;
    let metric = &BUILT_IN[at];
    debug_assert!(
        labels.iter().all(|(label, _)| metric.labels.contains(label)),
        "{name} has other labels than {labels:?}"
    );
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
