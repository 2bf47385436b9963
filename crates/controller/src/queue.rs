//! Which keys are to be looked at, and when: each key at most once at a time, never forgotten.
//!
//! Pure apart from the waiting: no knowledge of what a key stands for.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::Instant;

use crate::metrics::Registry;

/// A queue with due times. A key that is asked for while it is worked on comes back afterwards.
#[derive(Debug)]
pub struct Queue<K> {
    state: Mutex<State<K>>,
    moved: Notify,
    /// The name in metrics, and where those are.
    told: Option<(&'static str, Arc<Registry>)>,
}

/// How busy a queue is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// Keys that are due and wait for a worker.
    pub waiting: usize,
    /// Keys that are worked on.
    pub working: usize,
    /// How long the longest of that work has been going on.
    pub longest: Duration,
    /// How long all of that work has been going on, added up.
    pub unfinished: Duration,
    /// How often a key was asked for since the start.
    pub added: u64,
}

#[derive(Debug)]
struct State<K> {
    /// Keys that are due, and since when.
    ready: VecDeque<(K, Instant)>,
    /// Keys in `ready`, so that none is in it twice.
    queued: BTreeSet<K>,
    /// The earliest time at which a key is due.
    due: BTreeMap<K, Instant>,
    by_time: BTreeSet<(Instant, K)>,
    working: BTreeMap<K, Work>,
    closed: bool,
    added: u64,
}

/// Work on a key.
#[derive(Debug)]
struct Work {
    since: Instant,
    /// Whether the key was asked for again meanwhile.
    again: bool,
}

impl<K: Ord + Clone> Default for Queue<K> {
    fn default() -> Self {
        let state = State {
            ready: VecDeque::new(),
            queued: BTreeSet::new(),
            due: BTreeMap::new(),
            by_time: BTreeSet::new(),
            working: BTreeMap::new(),
            closed: false,
            added: 0,
        };
        Self {
            state: Mutex::new(state),
            moved: Notify::new(),
            told: None,
        }
    }
}

impl<K: Ord + Clone> Queue<K> {
    /// A queue whose times go into metrics under this name.
    pub fn told(name: &'static str, metrics: Arc<Registry>) -> Self {
        Self {
            told: Some((name, metrics)),
            ..Self::default()
        }
    }

    /// Asks again after work that failed.
    pub fn retry(&self, key: K, wait: Duration) {
        if let Some((name, metrics)) = &self.told {
            metrics.add("queue_retries", &[("queue_name", name)], 1.0);
        }
        self.add_after(key, wait);
    }

    fn observe(&self, metric: &str, took: Duration) {
        if let Some((name, metrics)) = &self.told {
            metrics.observe(metric, &[("queue_name", name)], took.as_secs_f64());
        }
    }

    /// Asks for a look at once.
    pub fn add(&self, key: K) {
        self.with(|s| {
            s.added += 1;
            s.add(key);
        });
        self.moved.notify_one();
    }

    /// Asks for a look after a time; an earlier due time of the same key stays (C-INF-07).
    pub fn add_after(&self, key: K, wait: Duration) {
        if wait.is_zero() {
            return self.add(key);
        }
        let at = Instant::now() + wait;
        self.with(|s| {
            s.added += 1;
            s.add_at(key, at);
        });
        self.moved.notify_one();
    }

    /// Gives the next due key and marks it as worked on; `None` once the queue is closed.
    pub async fn next(&self) -> Option<K> {
        loop {
            let moved = self.moved.notified();
            let wake = {
                let mut state = self.lock();
                if state.closed {
                    return None;
                }
                state.promote(Instant::now());
                if let Some((key, waited)) = state.take() {
                    if !state.ready.is_empty() {
                        self.moved.notify_one();
                    }
                    drop(state);
                    self.observe("queue_latency", waited);
                    return Some(key);
                }
                state.by_time.first().map(|(at, _)| *at)
            };
            match wake {
                Some(at) => tokio::select! { () = tokio::time::sleep_until(at) => {}, () = moved => {} },
                None => moved.await,
            }
        }
    }

    /// Ends the work on a key; it comes back at once if it was asked for meanwhile.
    pub fn done(&self, key: &K) {
        let Some(work) = self.with(|s| s.working.remove(key)) else {
            return;
        };
        self.observe("queue_duration", work.since.elapsed());
        if work.again {
            self.add(key.clone());
        }
    }

    /// How much there is to do, and was.
    pub fn load(&self) -> Load {
        self.with(|s| Load {
            waiting: s.ready.len(),
            working: s.working.len(),
            longest: s
                .working
                .values()
                .map(|w| w.since.elapsed())
                .max()
                .unwrap_or_default(),
            unfinished: s.working.values().map(|w| w.since.elapsed()).sum(),
            added: s.added,
        })
    }

    /// Ends the queue: every waiting and later [`Queue::next`] gives `None`.
    pub fn close(&self) {
        self.with(|s| s.closed = true);
        self.moved.notify_waiters();
        self.moved.notify_one();
    }

    fn with<R>(&self, change: impl FnOnce(&mut State<K>) -> R) -> R {
        change(&mut self.lock())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State<K>> {
        self.state.lock().expect("no holder of this lock panics")
    }
}

impl<K: Ord + Clone> State<K> {
    fn add(&mut self, key: K) {
        if let Some(work) = self.working.get_mut(&key) {
            work.again = true;
            return;
        }
        if let Some(at) = self.due.remove(&key) {
            self.by_time.remove(&(at, key.clone()));
        }
        if self.queued.insert(key.clone()) {
            self.ready.push_back((key, Instant::now()));
        }
    }

    fn add_at(&mut self, key: K, at: Instant) {
        if self.queued.contains(&key) {
            return;
        }
        if let Some(old) = self.due.get(&key).copied() {
            if old <= at {
                return;
            }
            self.by_time.remove(&(old, key.clone()));
        }
        self.due.insert(key.clone(), at);
        self.by_time.insert((at, key));
    }

    fn promote(&mut self, now: Instant) {
        while let Some((at, key)) = self.by_time.first().cloned() {
            if at > now {
                return;
            }
            self.by_time.remove(&(at, key.clone()));
            self.due.remove(&key);
            self.add(key);
        }
    }

    /// The next key, and how long it waited.
    fn take(&mut self) -> Option<(K, Duration)> {
        let (key, due) = self.ready.pop_front()?;
        self.queued.remove(&key);
        let work = Work {
            since: Instant::now(),
            again: false,
        };
        self.working.insert(key.clone(), work);
        Some((key, due.elapsed()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_key_is_worked_on_once_and_comes_back_when_asked_meanwhile() {
        let queue = Queue::default();
        queue.add("a");
        queue.add("a");
        queue.add("b");
        assert_eq!(queue.next().await, Some("a"));
        queue.add("a");
        assert_eq!(queue.next().await, Some("b"));
        queue.done(&"b");
        queue.done(&"a");
        assert_eq!(queue.next().await, Some("a"));
    }

    #[tokio::test(start_paused = true)]
    async fn the_earlier_due_time_stays() {
        let queue = Queue::default();
        let start = Instant::now();
        queue.add_after("a", Duration::from_secs(5));
        queue.add_after("a", Duration::from_secs(9));
        queue.add_after("a", Duration::from_secs(2));
        assert_eq!(queue.next().await, Some("a"));
        assert_eq!(start.elapsed().as_secs(), 2);
        queue.done(&"a");
        queue.close();
        assert_eq!(queue.next().await, None);
    }
}
