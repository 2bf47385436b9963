//! The store as the API uses it: the pure core behind a lock, a bell for watches, and the file that keeps it.
//!
//! Deliberately absent: what the objects mean (see `api`), and queues per watcher: a watcher keeps only the
//! revision it has seen and reads on from the core's bounded history, so a slow one costs no memory.

pub mod core;
mod journal;

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::watch;

pub use self::core::{Change, ChangeKind, Compacted, Core, Key, Limits, Object, Page, Refused, Resource};
use self::journal::Journal;
pub use self::journal::{Error, note};

/// Who is told when writes are safe: watchers by resource, and requests by revision.
pub struct Signals {
    bells: Mutex<BTreeMap<Resource, watch::Sender<u64>>>,
    safe: watch::Sender<u64>,
}

impl Signals {
    fn new(revision: u64) -> Self {
        Signals {
            bells: Mutex::new(BTreeMap::new()),
            safe: watch::Sender::new(revision),
        }
    }

    /// Everything up to `revision` is safe; these resources changed.
    fn settled(&self, revision: u64, resources: &BTreeSet<Resource>) {
        let raise = |last: &mut u64| {
            let newer = revision > *last;
            *last = revision.max(*last);
            newer
        };
        self.safe.send_if_modified(raise);
        let bells = self.bells.lock().unwrap_or_else(PoisonError::into_inner);
        for resource in resources {
            if let Some(bell) = bells.get(resource) {
                bell.send_if_modified(raise);
            }
        }
    }
}

/// The store of one API server; shared by all its requests.
pub struct Store {
    core: Mutex<Core>,
    signals: Arc<Signals>,
    journal: Option<Journal>,
}

impl Store {
    /// An empty store in memory.
    pub fn in_memory(limits: Limits) -> Self {
        let core = Core::new(limits);
        Store {
            signals: Arc::new(Signals::new(core.revision())),
            core: Mutex::new(core),
            journal: None,
        }
    }

    /// The store in a file, and the named texts that were kept in it.
    ///
    /// # Errors
    /// [`Error`] when the file cannot be used; it is left as it is.
    pub fn on_disk(path: &Path, limits: Limits) -> Result<(Self, BTreeMap<String, String>), Error> {
        let signals = Arc::new(Signals::new(0));
        let (journal, kept) = Journal::open(path, signals.clone())?;
        let damaged = |said: String| Error::Damaged {
            path: path.to_owned(),
            said,
        };
        let mut core = Core::resumed(limits, kept.revision);
        for (resource, key, revision, text) in kept.objects {
            core.restore(&resource, key, revision, text)
                .map_err(|error| damaged(error.to_string()))?;
        }
        signals.settled(kept.revision, &BTreeSet::new());
        let store = Store {
            core: Mutex::new(core),
            signals,
            journal: Some(journal),
        };
        Ok((store, kept.notes.into_iter().collect()))
    }

    /// Reads without waiting for anyone but other readers and writers of a few microseconds.
    pub fn read(&self) -> MutexGuard<'_, Core> {
        // A panic inside the core leaves maps that are still whole: every write ends in one insert or remove.
        self.core.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs one write. Others see it at once, watchers when it is safe.
    ///
    /// # Errors
    /// Whatever `write` refused; [`Refused::Stuck`] while the disk takes nothing.
    pub fn write(
        &self,
        resource: &Resource,
        write: impl FnOnce(&mut Core) -> Result<Arc<Change>, Refused>,
    ) -> Result<Arc<Change>, Refused> {
        let Some(journal) = &self.journal else {
            let change = write(&mut self.read())?;
            self.signals
                .settled(change.revision(), &BTreeSet::from([resource.clone()]));
            return Ok(change);
        };
        if journal.is_stuck() {
            return Err(Refused::Stuck);
        }
        // Under the lock, so that the journal gets the changes in order.
        let mut core = self.read();
        let change = write(&mut core)?;
        // Of two changes in one write the last one says what is left.
        journal.append(resource, &change);
        Ok(change)
    }

    /// Rings after each write of `resource` that is safe.
    pub fn bell(&self, resource: &Resource) -> watch::Receiver<u64> {
        let mut bells = self.signals.bells.lock().unwrap_or_else(PoisonError::into_inner);
        bells
            .entry(resource.clone())
            .or_insert_with(|| watch::Sender::new(0))
            .subscribe()
    }

    /// The last revision that survives the end of the process.
    pub fn safe(&self) -> u64 {
        if self.journal.is_some() {
            *self.signals.safe.borrow()
        } else {
            u64::MAX
        }
    }

    /// Writes what is left and closes the file; blocks until that is done. Later writes are refused.
    pub fn close(&self) {
        if let Some(journal) = &self.journal {
            journal.close();
        }
    }

    /// Whether writes are refused at the moment, because the disk takes none or the store is closed.
    pub fn is_stuck(&self) -> bool {
        self.journal.as_ref().is_some_and(Journal::is_stuck)
    }

    /// Waits until everything written so far is safe.
    pub async fn settle(&self) {
        if self.journal.is_none() {
            return;
        }
        let wanted = self.read().revision();
        let mut safe = self.signals.safe.subscribe();
        // The sender lives as long as we do.
        let _ = safe.wait_for(|safe| *safe >= wanted).await;
    }
}
