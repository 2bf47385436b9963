//! What the program's health check and metrics ask a running controller.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use jiff::{SignedDuration, Timestamp};

use crate::Shared;
use crate::metrics::gauges::{self, Gauge};
use crate::world::Key;

/// A view of a controller that may outlive it.
#[derive(Clone)]
pub struct Probe(pub(crate) Arc<Shared>);

impl Probe {
    /// Whether everything was listed and workflows are decided on.
    pub fn is_ready(&self) -> bool {
        self.0.filled.load(Ordering::Acquire)
    }

    /// Gauges that count what there is now.
    pub fn gauges(&self) -> Vec<Gauge> {
        gauges::count(&self.0)
    }

    /// Workflows that are older than this and have not got a phase yet (C-PROC-21).
    pub fn untouched(&self, age: SignedDuration, now: Timestamp) -> BTreeSet<Key> {
        let world = &self.0.world;
        let old = |key: &Key| {
            let Some(workflow) = world.workflow(key) else {
                return false;
            };
            let created = workflow.metadata.creation_timestamp.as_ref().map_or(now, |t| t.0);
            workflow.status.phase.as_str().is_empty() && now.duration_since(created) > age
        };
        world.workflow_keys().into_iter().filter(|key| old(key)).collect()
    }
}
