//! The state of all locks in memory and the operations on it.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::workflow_of;

/// One lock in memory.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Lock {
    /// How many may hold it at once. Lowering it evicts nobody (C-SYN-14).
    pub limit: u32,
    /// Holder keys.
    pub holders: BTreeSet<String>,
    /// Who waits, first served first.
    pub queue: Vec<Waiter>,
    /// Why the lock can't be used until the next start (C-SYN-30).
    pub poisoned: Option<String>,
}

/// An entry of a lock's queue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiter {
    /// Holder key of who waits.
    pub holder: String,
    /// Higher is served first.
    pub priority: i64,
    /// Creation of the workflow; older is served first.
    pub created: Timestamp,
}

impl Lock {
    /// How many more may hold it now.
    #[must_use]
    pub fn free(&self) -> u32 {
        self.limit
            .saturating_sub(u32::try_from(self.holders.len()).unwrap_or(u32::MAX))
    }

    /// Adds to the queue, or moves an entry whose priority changed (C-SYN-11).
    pub(super) fn enqueue(&mut self, waiter: Waiter) {
        if let Some(at) = self.queue.iter().position(|w| w.holder == waiter.holder) {
            if self.queue[at].priority == waiter.priority {
                return;
            }
            self.queue.remove(at);
        }
        let before = |w: &Waiter| (-w.priority, w.created) <= (-waiter.priority, waiter.created);
        let at = self.queue.iter().take_while(|w| before(w)).count();
        self.queue.insert(at, waiter);
    }

    pub(super) fn acquire(&mut self, holder: &str) {
        self.queue.retain(|w| w.holder != holder);
        self.holders.insert(holder.to_owned());
    }

    /// Whether the workflow or one of its nodes holds it or waits for it.
    pub(super) fn involves(&self, workflow: &str) -> bool {
        let all = self.holders.iter().chain(self.queue.iter().map(|w| &w.holder));
        all.into_iter().any(|holder| workflow_of(holder) == workflow)
    }

    pub(super) fn release(&mut self, holder: &str) -> bool {
        let queued = self.queue.len();
        self.queue.retain(|w| w.holder != holder);
        self.holders.remove(holder) || self.queue.len() != queued
    }
}

/// Something that a decision does to a lock. Repeating one changes nothing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// Make the lock, or set its limit.
    Limit {
        /// Name of the lock.
        lock: String,
        /// New limit.
        limit: u32,
    },
    /// Wait for the lock.
    Enqueue {
        /// Name of the lock.
        lock: String,
        /// The new entry.
        waiter: Waiter,
    },
    /// Hold the lock. To be applied before the status is persisted.
    Acquire {
        /// Name of the lock.
        lock: String,
        /// Holder key.
        holder: String,
        /// Whether the place may be one that the same decision gives back: then it is to be applied after the status is
        /// persisted, together with the release, or a decision that is lost leaves two holders.
        handed: bool,
    },
    /// Neither hold nor wait any more. To be applied after the status is persisted.
    Release {
        /// Name of the lock.
        lock: String,
        /// Holder key.
        holder: String,
    },
    /// Release every lock of a workflow and its nodes. To be applied after the status is persisted.
    ReleaseAll {
        /// `<namespace>/<name>`.
        workflow: String,
    },
}

/// All locks in memory.
#[derive(Debug, Clone, Default)]
pub struct Machine {
    pub(super) locks: BTreeMap<String, Lock>,
    /// Names of the locks that a workflow (`<namespace>/<name>`) holds or waits for, so that giving back needs no
    /// search through all locks.
    by_workflow: BTreeMap<String, BTreeSet<String>>,
}

impl Machine {
    /// The lock of that name.
    #[must_use]
    pub fn get(&self, lock: &str) -> Option<&Lock> {
        self.locks.get(lock)
    }

    /// Names of the locks that a workflow (`<namespace>/<name>`) or its nodes hold or wait for.
    pub fn of_workflow(&self, workflow: &str) -> impl Iterator<Item = &str> {
        let names = self.by_workflow.get(workflow);
        names.into_iter().flatten().map(String::as_str)
    }

    /// All locks by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Lock)> {
        self.locks.iter().map(|(name, lock)| (name.as_str(), lock))
    }

    /// Marks a lock unusable until the next start (C-SYN-30).
    pub fn poison(&mut self, lock: &str, reason: impl Into<String>) {
        self.locks.entry(lock.to_owned()).or_default().poisoned = Some(reason.into());
    }

    /// Registers a holder as it was before a restart, whatever the limit (C-SYN-30).
    pub fn restore(&mut self, lock: &str, limit: u32, holder: &str) {
        let entry = self.locks.entry(lock.to_owned()).or_default();
        entry.limit = limit;
        entry.acquire(holder);
        self.note(lock, holder);
    }

    /// Notes that a holder holds or waits for a lock.
    fn note(&mut self, lock: &str, holder: &str) {
        let known = self
            .by_workflow
            .entry(workflow_of(holder).to_owned())
            .or_default();
        if !known.contains(lock) {
            known.insert(lock.to_owned());
        }
    }

    /// Notes that a holder let go of a lock; its workflow may have other holders of it.
    fn forget(&mut self, lock: &str, holder: &str) {
        let workflow = workflow_of(holder);
        let others = self.locks.get(lock).is_some_and(|l| l.involves(workflow));
        if others {
            return;
        }
        if let Some(known) = self.by_workflow.get_mut(workflow) {
            known.remove(lock);
            if known.is_empty() {
                self.by_workflow.remove(workflow);
            }
        }
    }

    /// Registers everything that a workflow held by its status before a restart (C-SYN-30). A semaphore whose limit
    /// can't be read is poisoned.
    pub fn restore_workflow(&mut self, workflow: &argosy_model::Workflow, config_maps: &crate::ConfigMaps) {
        let Some(held) = &workflow.status.synchronization else {
            return;
        };
        for holding in held.mutex.iter().flat_map(|m| &m.holding) {
            self.restore(&holding.mutex, 1, &holding.holder);
        }
        for holding in held.semaphore.iter().flat_map(|s| &s.holding) {
            let mut parts = holding.semaphore.split('/');
            let (namespace, _, name, key) = (parts.next(), parts.next(), parts.next(), parts.next());
            let limit = namespace
                .zip(name)
                .and_then(|(namespace, name)| config_maps.get(namespace, name))
                .and_then(|map| map.data.get(key.unwrap_or_default())?.trim().parse().ok());
            match limit {
                Some(limit) => holding
                    .holders
                    .iter()
                    .for_each(|holder| self.restore(&holding.semaphore, limit, holder)),
                None => self.poison(&holding.semaphore, "its limit can't be read"),
            }
        }
    }

    /// Performs operations in order and gives the workflows (`<namespace>/<name>`) to look at again (C-SYN-15).
    pub fn apply<'o>(&mut self, ops: impl IntoIterator<Item = &'o Op>) -> BTreeSet<String> {
        let mut wake = BTreeSet::new();
        for op in ops {
            self.apply_one(op, &mut wake);
        }
        wake
    }

    fn apply_one(&mut self, op: &Op, wake: &mut BTreeSet<String>) {
        match op {
            Op::Limit { lock, limit } => {
                let entry = self.locks.entry(lock.clone()).or_default();
                if entry.limit != *limit {
                    entry.limit = *limit;
                    wake_heads(entry, wake);
                }
            }
            Op::Enqueue { lock, waiter } => {
                let entry = self.locks.entry(lock.clone()).or_default();
                entry.enqueue(waiter.clone());
                self.note(lock, &waiter.holder);
            }
            Op::Acquire { lock, holder, .. } => {
                let entry = self.locks.entry(lock.clone()).or_default();
                entry.acquire(holder);
                wake_heads(entry, wake);
                self.note(lock, holder);
            }
            Op::Release { lock, holder } => {
                if let Some(entry) = self.locks.get_mut(lock)
                    && entry.release(holder)
                {
                    wake_heads(entry, wake);
                    self.forget(lock, holder);
                }
            }
            Op::ReleaseAll { workflow } => {
                for name in self.by_workflow.remove(workflow).unwrap_or_default() {
                    let Some(entry) = self.locks.get_mut(&name) else {
                        continue;
                    };
                    let mine: Vec<String> = entry
                        .holders
                        .iter()
                        .chain(entry.queue.iter().map(|w| &w.holder))
                        .filter(|holder| workflow_of(holder) == workflow)
                        .cloned()
                        .collect();
                    if !mine.is_empty() {
                        mine.iter().for_each(|holder| {
                            entry.release(holder);
                        });
                        wake_heads(entry, wake);
                    }
                }
            }
        }
    }

    /// Drops holders and waiters of workflows that are gone (C-SYN-32) and gives the workflows to wake.
    pub fn sweep(&mut self, exists: impl Fn(&str) -> bool) -> BTreeSet<String> {
        let gone: BTreeSet<String> = self
            .locks
            .values()
            .flat_map(|lock| lock.holders.iter().chain(lock.queue.iter().map(|w| &w.holder)))
            .map(|holder| workflow_of(holder).to_owned())
            .filter(|workflow| !exists(workflow))
            .collect();
        self.apply(
            gone.into_iter()
                .map(|workflow| Op::ReleaseAll { workflow })
                .collect::<Vec<_>>()
                .iter(),
        )
    }
}

fn wake_heads(lock: &Lock, wake: &mut BTreeSet<String>) {
    let free = usize::try_from(lock.free()).unwrap_or(usize::MAX);
    wake.extend(
        lock.queue
            .iter()
            .take(free)
            .map(|w| workflow_of(&w.holder).to_owned()),
    );
}
