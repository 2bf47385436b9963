//! What people do to workflows: suspend, resume, stop, terminate, set, retry, resubmit (section 21).
//!
//! Pure: a workflow with its nodes in clear goes in, the changed one comes out. Writing it, and deleting the pods that
//! a retry names, is the caller's.

mod parameters;
mod resubmit;
mod retry;
mod selector;
mod suspend;
mod tree;

use argosy_model::{NodePhase, ShutdownStrategy, Workflow};

use crate::node::workflow_fulfilled;

pub use resubmit::{Resubmission, resubmit};
pub use retry::{Retried, Retry, retry};
pub use selector::{Selector, SelectorError};
pub use suspend::{Set, resume, set, suspend};

/// Why a workflow is left as it is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// A workflow that ended can't be suspended.
    #[error("timed out waiting for the condition: cannot suspend completed workflows")]
    SuspendCompleted,
    /// A workflow that ended can't be stopped.
    #[error("cannot shutdown a completed workflow: workflow: \"{name}\", namespace: \"{namespace}\"")]
    ShutdownCompleted {
        /// Name of the workflow.
        name: String,
        /// Its namespace.
        namespace: String,
    },
    /// The selector can't be read.
    #[error(transparent)]
    Selector(#[from] SelectorError),
    /// No waiting suspend node matches.
    #[error("currently, set only targets suspend nodes: no suspend nodes matching nodeFieldSelector: {0}")]
    NothingSelected(String),
    /// The node has no output parameters.
    #[error("cannot set output parameters because node is not expecting any raw parameters")]
    NoOutputs,
    /// The node has no such output parameter.
    #[error("node is not expecting output parameter '{0}'")]
    NoSuchOutput(String),
    /// The output parameter is not one that people supply, or has its value.
    #[error("cannot set output parameter '{0}' because it does not use valueFrom.raw or it was already set")]
    OutputAlreadySet(String),
    /// The node can't go on without a value that nobody supplied.
    #[error(
        "timed out waiting for the condition: raw output parameter '{0}' has not been set and does not have a default value"
    )]
    OutputMissing(String),
    /// A parameter is not of the form that the command line has.
    #[error("expected parameter of the form: NAME=VALUE. Received: {0}")]
    Parameter(String),
    /// Only nodes that failed can be left out of a new run.
    #[error("workflow must be Failed/Error to resubmit in memoized mode")]
    MemoizeUnfailed,
    /// A workflow that succeeded is retried only on demand.
    #[error("To retry a succeeded workflow, set the options restartSuccessful and nodeFieldSelector")]
    RetrySucceeded,
    /// A workflow that did not end can't be retried.
    #[error("Cannot retry a workflow in phase {0}")]
    RetryUnfinished(String),
    /// The tree of nodes is broken.
    #[error("couldn't find parent node for {0}")]
    NoParent(String),
}

/// Ends a workflow early: `Stop` lets exit handlers run, `Terminate` does not (C-CTL-03).
///
/// # Errors
/// When the workflow has ended.
pub fn shutdown(workflow: &mut Workflow, strategy: ShutdownStrategy) -> Result<(), Error> {
    if workflow_fulfilled(&workflow.status.phase) {
        return Err(Error::ShutdownCompleted {
            name: workflow.metadata.name.clone(),
            namespace: workflow.metadata.namespace.clone(),
        });
    }
    workflow.spec.shutdown = strategy;
    Ok(())
}

/// Fails the waiting suspend nodes that match (C-CTL-03).
///
/// # Errors
/// When no node matches.
pub fn stop_nodes(
    workflow: &mut Workflow,
    selector: &Selector,
    message: &str,
    now: jiff::Timestamp,
) -> Result<(), Error> {
    let change = Set {
        phase: NodePhase::Failed,
        message: message.to_owned(),
        ..Set::default()
    };
    set(workflow, selector, &change, now)
}
