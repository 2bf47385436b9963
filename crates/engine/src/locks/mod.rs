//! Locks shared by workflows, as a pure machine: who holds, who waits, who is to be woken.
//!
//! `decide` works on a [`Session`], which sees the machine and records what it would do as [`Op`]s; the controller
//! applies them. Not here: how status shows locks (`pass::sync`), the database that keeps some of them.

mod machine;
mod name;
mod session;

pub use machine::{Lock, Machine, Op, Waiter};
pub use name::{Error, Kind, Name, mutex_name, semaphore_name};
pub use session::{Answer, Request, Session};

/// The key of a holder: `<namespace>/<workflow>` or `<namespace>/<workflow>/<node id>` (C-SYN-03).
#[must_use]
pub fn holder_key(namespace: &str, workflow: &str, node_id: Option<&str>) -> String {
    node_id.map_or_else(
        || format!("{namespace}/{workflow}"),
        |node| format!("{namespace}/{workflow}/{node}"),
    )
}

/// The workflow part (`<namespace>/<workflow>`) of a holder key.
#[must_use]
pub fn workflow_of(holder: &str) -> &str {
    let mut slashes = holder.match_indices('/').map(|(at, _)| at);
    slashes.next();
    slashes.next().map_or(holder, |at| &holder[..at])
}
