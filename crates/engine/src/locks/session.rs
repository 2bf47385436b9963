//! One decision's view of the locks: what it takes and gives back, without touching the machine.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::{Lock, Machine, Op, Waiter, workflow_of};

/// Wish of one holder for all locks of one `synchronization` block.
#[derive(Debug, Clone)]
pub struct Request<'r> {
    /// Holder key.
    pub holder: &'r str,
    /// Names of the locks with their limits: semaphores first, then mutexes.
    pub locks: &'r [(String, u32)],
    /// Effective priority of the workflow.
    pub priority: i64,
    /// Creation of the workflow.
    pub created: Timestamp,
}

/// What came of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    /// All are held; the names of those newly taken.
    Held {
        /// Locks that were not held before.
        taken: Vec<String>,
    },
    /// None was taken.
    Waiting {
        /// The first lock that can't be had.
        lock: String,
        /// Text for the user.
        message: String,
    },
}

/// A view of the machine with the changes of one decision.
#[derive(Debug)]
pub struct Session<'m> {
    machine: &'m Machine,
    touched: BTreeMap<String, Lock>,
    ops: Vec<Op>,
    /// Who asked for locks.
    askers: BTreeSet<String>,
}

impl<'m> Session<'m> {
    /// A view without changes.
    #[must_use]
    pub fn new(machine: &'m Machine) -> Self {
        Self {
            machine,
            touched: BTreeMap::new(),
            ops: Vec::new(),
            askers: BTreeSet::new(),
        }
    }

    /// Whether nothing was done or asked for.
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        self.ops.is_empty() && self.touched.is_empty() && self.askers.is_empty()
    }

    /// Whether any lock was given back, or is not waited for any more.
    #[must_use]
    pub fn gives_back(&self) -> bool {
        self.ops.iter().any(|op| matches!(op, Op::Release { .. }))
    }

    /// What was done, in order.
    #[must_use]
    pub fn into_ops(self) -> Vec<Op> {
        self.ops
    }

    /// The lock as this decision sees it.
    #[must_use]
    pub fn get(&self, lock: &str) -> Option<&Lock> {
        self.touched.get(lock).or_else(|| self.machine.get(lock))
    }

    fn touch(&mut self, lock: &str) -> &mut Lock {
        self.touched
            .entry(lock.to_owned())
            .or_insert_with(|| self.machine.get(lock).cloned().unwrap_or_default())
    }

    /// Takes all locks of the request or none (C-SYN-10).
    pub fn acquire(&mut self, request: &Request<'_>) -> Answer {
        self.askers.insert(request.holder.to_owned());
        let waiter = Waiter {
            holder: request.holder.to_owned(),
            priority: request.priority,
            created: request.created,
        };
        for (lock, limit) in request.locks {
            if self.get(lock).is_none_or(|l| l.limit != *limit) {
                self.touch(lock).limit = *limit;
                self.ops.push(Op::Limit {
                    lock: lock.clone(),
                    limit: *limit,
                });
            }
            let known = |l: &Lock| {
                l.holders.contains(&waiter.holder)
                    || l.queue
                        .iter()
                        .any(|w| w.holder == waiter.holder && w.priority == waiter.priority)
            };
            if !self.get(lock).is_some_and(known) {
                self.touch(lock).enqueue(waiter.clone());
                self.ops.push(Op::Enqueue {
                    lock: lock.clone(),
                    waiter: waiter.clone(),
                });
            }
        }
        for (lock, _) in request.locks {
            if let Some(message) = self.refusal(lock, request.holder) {
                return Answer::Waiting {
                    lock: lock.clone(),
                    message,
                };
            }
        }
        let mut taken = Vec::new();
        for (lock, _) in request.locks {
            if !self.get(lock).is_some_and(|l| l.holders.contains(request.holder)) {
                self.touch(lock).acquire(request.holder);
                let given_back = |op: &Op| matches!(op, Op::Release { lock: other, .. } if other == lock);
                let handed = self.ops.iter().any(given_back);
                self.ops.push(Op::Acquire {
                    lock: lock.clone(),
                    holder: request.holder.to_owned(),
                    handed,
                });
                taken.push(lock.clone());
            }
        }
        Answer::Held { taken }
    }

    /// Why the holder can't have the lock now, `None` if it can or has it (C-SYN-12, C-SYN-13).
    fn refusal(&self, name: &str, holder: &str) -> Option<String> {
        let lock = self.get(name)?;
        if let Some(reason) = &lock.poisoned {
            return Some(format!(
                "lock {name} is in a poisoned state: {reason}; manual intervention required"
            ));
        }
        if lock.holders.contains(holder) {
            return None;
        }
        if lock.limit == 0 {
            return Some(format!("Failed to get semaphore limit for {name}"));
        }
        let level = |key: &str| (workflow_of(key).to_owned(), key.matches('/').count());
        let first = lock
            .queue
            .first()
            .is_none_or(|head| level(&head.holder) == level(holder));
        (!first || lock.free() == 0).then(|| {
            format!(
                "Waiting for {name} lock. Lock status: {}/{}",
                lock.free(),
                lock.limit
            )
        })
    }

    /// Takes over who of a workflow (`<namespace>/<name>`) holds a lock by its stored status, whatever the limit (as
    /// C-SYN-30). If those are too many then, who of it holds the lock in memory alone gives it back: the decision that
    /// took it was not stored, or what it did after that was not done.
    pub fn adopt(&mut self, lock: &str, workflow: &str, stored: &BTreeSet<&str>) {
        for holder in stored {
            if self.get(lock).is_none_or(|l| !l.holders.contains(*holder)) {
                self.touch(lock).acquire(holder);
                self.ops.push(Op::Acquire {
                    lock: lock.to_owned(),
                    holder: (*holder).to_owned(),
                    handed: false,
                });
            }
        }
        let is_over = |l: &&Lock| l.holders.len() > usize::try_from(l.limit).unwrap_or(usize::MAX);
        let Some(over) = self.get(lock).filter(is_over) else {
            return;
        };
        let is_unstored = |h: &&String| workflow_of(h) == workflow && !stored.contains(h.as_str());
        let unstored: Vec<String> = over.holders.iter().filter(is_unstored).cloned().collect();
        for holder in unstored {
            self.release(lock, &holder);
        }
    }

    /// Names of the locks that a holder holds or waits for.
    pub fn of_holder(&self, holder: &str) -> Vec<String> {
        let known = self.machine.of_workflow(workflow_of(holder));
        let names: BTreeSet<&str> = known.chain(self.touched.keys().map(String::as_str)).collect();
        let involved = |name: &&str| {
            self.get(name).is_some_and(|l| {
                l.holders.contains(holder) || l.queue.iter().any(|waiter| waiter.holder == holder)
            })
        };
        names
            .into_iter()
            .filter(involved)
            .map(ToOwned::to_owned)
            .collect()
    }

    /// Whether the holder asked for locks in this decision.
    pub fn was_asked(&self, holder: &str) -> bool {
        self.askers.contains(holder)
    }

    /// Ids of the nodes of a workflow (`<namespace>/<name>`) that hold or wait for any lock.
    pub fn nodes_of_workflow(&self, workflow: &str) -> BTreeSet<String> {
        let known = self.machine.of_workflow(workflow);
        let names: BTreeSet<&str> = known.chain(self.touched.keys().map(String::as_str)).collect();
        let locks = names.into_iter().filter_map(|name| self.get(name));
        let holders = locks.flat_map(|l| l.holders.iter().chain(l.queue.iter().map(|w| &w.holder)));
        let node = |holder: &String| Some(holder.strip_prefix(workflow)?.strip_prefix('/')?.to_owned());
        holders.filter_map(node).collect()
    }

    /// Whether the workflow (`<namespace>/<name>`) or one of its nodes holds or waits for any lock.
    pub fn involves(&self, workflow: &str) -> bool {
        self.machine.of_workflow(workflow).next().is_some()
            || self.touched.values().any(|lock| lock.involves(workflow))
    }

    /// Gives back one lock, or stops waiting for it. True when there was anything to give back.
    pub fn release(&mut self, lock: &str, holder: &str) -> bool {
        let known = self
            .get(lock)
            .is_some_and(|l| l.holders.contains(holder) || l.queue.iter().any(|w| w.holder == holder));
        if known {
            self.touch(lock).release(holder);
            self.ops.push(Op::Release {
                lock: lock.to_owned(),
                holder: holder.to_owned(),
            });
        }
        known
    }

    /// Gives back every lock of the workflow (`<namespace>/<name>`).
    pub fn release_all(&mut self, workflow: &str) {
        self.ops.push(Op::ReleaseAll {
            workflow: workflow.to_owned(),
        });
    }
}
