//! Every decision about a workflow, as pure functions.
//!
//! [`compile`] makes a [`Plan`] of a workflow and the templates it refers to; [`decide`] says what to do next, given
//! a [`Snapshot`] of everything seen and the time. Same arguments, same answer. Nothing here reads a clock, a file, the
//! environment or the network, and nothing waits.

pub mod check;
pub mod config;
pub mod cron;
mod decision;
pub mod duration;
pub mod edit;
pub mod estimate;
pub mod from_template;
pub mod item;
pub mod locks;
pub mod merge;
pub mod names;
pub mod node;
mod pass;
pub mod plan;
pub mod pod;
pub mod retention;
pub mod scope_check;
mod snapshot;
pub mod submit;
pub mod throttle;
pub mod transient;
pub mod ttl;
pub mod validate;
mod vars;
mod workings;

pub use config::Config;
pub use decision::{Changes, Decision, Effect, Event, Metric, MetricKind, Order, Store, Waiting};
pub use plan::{Diagnostic, Plan, Severity, Templates, compile};
pub use snapshot::{ConfigMaps, Moved, Outcomes, Refusal, Snapshot, forget_pod, is_done_with};
pub use vars::{Error as SubstitutionError, Substitution};

/// A looped task for one of its items: its name and everything in it (C-LOOP-04, C-LOOP-05).
///
/// # Errors
/// The text for the user when a variable is unknown.
pub fn expand_item(
    task: &argosy_model::DagTask,
    index: usize,
    item: &serde_json::Value,
) -> Result<argosy_model::DagTask, String> {
    pass::expand_item(task, index, item)
}

/// Decides what to do next about one workflow.
///
/// The plan must have been compiled from the workflow of the snapshot (C-OP-03). The decision's changes apply to
/// exactly that object: when storing them fails with a conflict, throw the decision away and decide again on the newer one.
#[must_use]
pub fn decide(plan: &Plan, seen: &Snapshot<'_>, now: jiff::Timestamp) -> Decision {
    pass::run(plan, seen, now)
}
