//! The store as the API uses it: the pure core behind a lock, and a bell for watches.
//!
//! Deliberately absent: what the objects mean (see `api`), and queues per watcher: a watcher keeps only the
//! revision it has seen and reads on from the core's bounded history, so a slow one costs no memory.

pub mod core;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

pub use self::core::{Change, ChangeKind, Compacted, Core, Key, Limits, Object, Page, Refused, Resource};

/// The store of one API server; shared by all its requests.
pub struct Store {
    core: Mutex<Core>,
    bells: Mutex<BTreeMap<Resource, watch::Sender<u64>>>,
}

impl Store {
    /// An empty store in memory.
    pub fn in_memory(limits: Limits) -> Self {
        Store {
            core: Mutex::new(Core::new(limits)),
            bells: Mutex::new(BTreeMap::new()),
        }
    }

    /// Reads without waiting for anyone but other readers and writers of a few microseconds.
    pub fn read(&self) -> MutexGuard<'_, Core> {
        // A panic inside the core leaves maps that are still whole: every write ends in one insert or remove.
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs one write and wakes the watchers of its resource.
    ///
    /// # Errors
    /// Whatever `write` refused.
    pub fn write(
        &self,
        resource: &Resource,
        write: impl FnOnce(&mut Core) -> Result<Arc<Change>, Refused>,
    ) -> Result<Arc<Change>, Refused> {
        let change = write(&mut self.read())?;
        let bells = self.bells.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(bell) = bells.get(resource) {
            let revision = change.revision();
            bell.send_if_modified(|last| {
                let newer = revision > *last;
                *last = revision.max(*last);
                newer
            });
        }
        Ok(change)
    }

    /// Rings after each write of `resource`.
    pub fn bell(&self, resource: &Resource) -> watch::Receiver<u64> {
        let mut bells = self.bells.lock().unwrap_or_else(PoisonError::into_inner);
        bells
            .entry(resource.clone())
            .or_insert_with(|| watch::Sender::new(0))
            .subscribe()
    }
}
