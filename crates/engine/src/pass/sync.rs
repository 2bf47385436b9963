//! Locks of the workflow and of templates, and how status shows them (section 19).

use std::collections::{BTreeMap, BTreeSet};

use argosy_model::{
    MutexHolding, MutexStatus, NodePhase, NodeSynchronizationStatus, NodeType, SemaphoreHolding,
    SemaphoreStatus, Synchronization, SynchronizationStatus, Template, WorkflowPhase,
};
use jiff::Timestamp;

use super::template::Call;
use super::{Pass, Stop};
use crate::decision::{Effect, Waiting};
use crate::locks::{self, Answer, Kind, Name, Request};
use crate::plan::kind;
use crate::{names, node};

/// What a template's locks say.
pub(crate) enum Gate {
    /// Go on; `fresh` when a lock was taken just now.
    Open { fresh: bool },
    /// Wait; the node says for what.
    Closed,
}

impl Pass<'_> {
    /// Takes over what is stored as held and is not known to be: the write that said so worked, and its answer was lost.
    pub fn adopt_stored_locks(&mut self) {
        if node::workflow_fulfilled(&self.status.phase) {
            return;
        }
        let mut stored: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
        for (lock, holder) in holdings(self.wf.status.synchronization.as_ref()) {
            if locks::workflow_of(holder) == self.lock_key {
                stored.entry(lock).or_default().insert(holder);
            }
        }
        for (lock, holders) in stored {
            self.locks.adopt(lock, &self.lock_key, &holders);
        }
    }

    /// Takes the workflow's own locks. False: the pass ends here (C-OP-20).
    pub fn workflow_locks(&mut self) -> bool {
        let Some(block) = self.spec.synchronization.clone() else {
            return true;
        };
        if crate::node::workflow_fulfilled(&self.status.phase) {
            return true;
        }
        let holder = locks::holder_key(&self.wf.metadata.namespace, &self.wf.metadata.name, None);
        match self.acquire(&block, &holder) {
            Ok(Answer::Held { .. }) => true,
            Ok(Answer::Waiting { lock, message }) => {
                if *self.shutdown() == argosy_model::ShutdownStrategy::Terminate
                    && self.status.phase == WorkflowPhase::Pending
                {
                    self.release_everything();
                    self.mark_workflow(WorkflowPhase::Failed, "Stopped with strategy 'Terminate'");
                    return false;
                }
                if self.status.phase != WorkflowPhase::Running {
                    self.mark_workflow(WorkflowPhase::Pending, &message);
                } else {
                    self.updated |= self.status.message != message;
                    self.status.message.clone_from(&message);
                }
                self.note_lock_wait("", &lock, message);
                false
            }
            Err(message) => {
                let message = format!("Failed to acquire the synchronization lock. {message}");
                self.mark_workflow(WorkflowPhase::Failed, &message);
                false
            }
        }
    }

    /// Takes the locks of a template for a node (C-EXE-20).
    pub fn template_locks(&mut self, id: &str, call: &Call<'_>, template: &Template) -> Result<Gate, Stop> {
        let Some(block) = &template.synchronization else {
            return Ok(Gate::Open { fresh: false });
        };
        // One that has ended is looked at until its report is there, and would wait anew for what it gave back.
        if self.nodes.get(id).is_some_and(|n| node::phase_ended(&n.phase)) {
            return Ok(Gate::Open { fresh: false });
        }
        let holder = locks::holder_key(&self.wf.metadata.namespace, &self.wf.metadata.name, Some(id));
        match self.acquire(block, &holder) {
            Ok(Answer::Held { .. }) => {
                let fresh = self.change(id, |node| {
                    if node.synchronization_status.take().is_some() {
                        node.message = String::new();
                    }
                });
                Ok(Gate::Open { fresh })
            }
            Ok(Answer::Waiting { lock, message }) => {
                if self.nodes.get(id).is_none() {
                    let kind = self.node_type(template);
                    self.add_executable(call, call.name, kind, template, NodePhase::Pending, &message);
                }
                self.change(id, |node| {
                    node.synchronization_status = Some(NodeSynchronizationStatus {
                        waiting: lock.clone(),
                    });
                    node.message.clone_from(&message);
                });
                self.note_lock_wait(id, &lock, message);
                Ok(Gate::Closed)
            }
            Err(message) => {
                self.error_or_add(call, &message);
                Err(Stop::Error(message))
            }
        }
    }

    /// The type of a template's node.
    pub fn node_type(&self, template: &Template) -> NodeType {
        use crate::plan::Kind as K;
        if template.retry_strategy.is_some() || self.spec.retry_strategy.is_some() {
            return NodeType::Retry;
        }
        match kind(template) {
            K::Steps => NodeType::Steps,
            K::Dag => NodeType::Dag,
            K::Suspend => NodeType::Suspend,
            K::Http => NodeType::Http,
            K::Plugin => NodeType::Plugin,
            _ => NodeType::Pod,
        }
    }

    fn note_lock_wait(&mut self, id: &str, lock: &str, message: String) {
        let holders = self
            .locks
            .get(lock)
            .map_or_else(Vec::new, |l| l.holders.iter().cloned().collect());
        self.waiting.insert(
            id.to_owned(),
            Waiting::Lock {
                lock: lock.to_owned(),
                holders,
                message,
            },
        );
    }

    /// Asks for all locks of a block and shows the answer in status.
    fn acquire(&mut self, block: &Synchronization, holder: &str) -> Result<Answer, String> {
        let names = self.lock_names(block)?;
        let mut wanted = Vec::new();
        for (at, name) in names.iter().enumerate() {
            // A name says only that a database has the lock, not what kind it is: semaphores come first.
            let kind = if at < block.semaphores.len() {
                "semaphore"
            } else {
                "mutex"
            };
            wanted.push((name.to_string(), self.lock_limit(name, kind)?));
        }
        let created = self
            .wf
            .metadata
            .creation_timestamp
            .as_ref()
            .map_or(Timestamp::UNIX_EPOCH, |t| t.0);
        let priority = i64::from(self.spec.priority.unwrap_or(0));
        let answer = self.locks.acquire(&Request {
            holder,
            locks: &wanted,
            priority,
            created,
        });
        let before = self.status.synchronization.clone();
        match &answer {
            // Also those taken before: the decision that took them may not have been stored.
            Answer::Held { .. } => names.iter().for_each(|name| self.show_held(name, holder)),
            Answer::Waiting { .. } => {
                for name in &names {
                    self.show_waiting(name);
                }
            }
        }
        self.updated |= before != self.status.synchronization;
        Ok(answer)
    }

    /// The locks of a block: semaphores, then mutexes (C-SYN-04).
    fn lock_names(&self, block: &Synchronization) -> Result<Vec<Name>, String> {
        let own = &self.wf.metadata.namespace;
        let space = |given: &str| {
            if given.is_empty() {
                own.clone()
            } else {
                given.to_owned()
            }
        };
        let mut names = Vec::new();
        for semaphore in &block.semaphores {
            names.push(
                locks::semaphore_name(semaphore, &space(&semaphore.namespace)).map_err(|e| e.to_string())?,
            );
        }
        for mutex in &block.mutexes {
            names.push(locks::mutex_name(mutex, &space(&mutex.namespace)).map_err(|e| e.to_string())?);
        }
        for (at, name) in names.iter().enumerate() {
            if names[..at].contains(name) {
                return Err(locks::Error::Duplicate.to_string());
            }
        }
        Ok(names)
    }

    fn lock_limit(&self, name: &Name, kind: &str) -> Result<u32, String> {
        let limit = match &name.kind {
            Kind::Mutex => return Ok(1),
            Kind::Database => {
                return Err(format!("database session is not available for {kind} {name}"));
            }
            Kind::ConfigMap { key } => {
                let map = self.seen.config_maps.get(&name.namespace, &name.resource);
                map.and_then(|m| m.data.get(key))
                    .and_then(|v| v.trim().parse::<u32>().ok())
            }
        };
        let known = self.locks.get(&name.to_string()).map(|l| l.limit);
        limit
            .filter(|l| *l > 0)
            .or(known.filter(|l| *l > 0))
            .ok_or_else(|| format!("failed to initialize semaphore {name} with limit"))
    }

    /// Whether a node of the workflow still waits for a lock.
    fn is_awaited(&self, lock: &str) -> bool {
        let own = |holder: &str| locks::workflow_of(holder) == self.lock_key;
        let lock = self.locks.get(lock);
        lock.is_some_and(|l| l.queue.iter().any(|waiter| own(&waiter.holder)))
    }

    fn show_held(&mut self, name: &Name, holder: &str) {
        let text = name.to_string();
        let is_awaited = self.is_awaited(&text);
        let status = self
            .status
            .synchronization
            .get_or_insert_with(SynchronizationStatus::default);
        match name.kind {
            Kind::ConfigMap { .. } => {
                let semaphore = status.semaphore.get_or_insert_with(SemaphoreStatus::default);
                semaphore.waiting.retain(|w| is_awaited || w.semaphore != text);
                match semaphore.holding.iter_mut().find(|h| h.semaphore == text) {
                    Some(entry) if entry.holders.iter().any(|h| h == holder) => {}
                    Some(entry) => entry.holders.push(holder.to_owned()),
                    None => semaphore.holding.push(SemaphoreHolding {
                        semaphore: text,
                        holders: vec![holder.to_owned()],
                    }),
                }
            }
            Kind::Mutex | Kind::Database => {
                let mutex = status.mutex.get_or_insert_with(MutexStatus::default);
                mutex.waiting.retain(|w| is_awaited || w.mutex != text);
                let shown = mutex
                    .holding
                    .iter()
                    .any(|h| h.mutex == text && h.holder == holder);
                if !shown {
                    mutex.holding.push(MutexHolding {
                        mutex: text,
                        holder: holder.to_owned(),
                    });
                }
            }
        }
    }

    fn show_waiting(&mut self, name: &Name) {
        let text = name.to_string();
        let holders: Vec<String> = self
            .locks
            .get(&text)
            .map_or_else(Vec::new, |l| l.holders.iter().cloned().collect());
        let status = self
            .status
            .synchronization
            .get_or_insert_with(SynchronizationStatus::default);
        match name.kind {
            Kind::ConfigMap { .. } => {
                let semaphore = status.semaphore.get_or_insert_with(SemaphoreStatus::default);
                match semaphore.waiting.iter_mut().find(|w| w.semaphore == text) {
                    Some(entry) => entry.holders = holders,
                    None => semaphore.waiting.push(SemaphoreHolding {
                        semaphore: text,
                        holders,
                    }),
                }
            }
            Kind::Mutex | Kind::Database => {
                let holder = holders.into_iter().next().unwrap_or_default();
                let mutex = status.mutex.get_or_insert_with(MutexStatus::default);
                match mutex.waiting.iter_mut().find(|w| w.mutex == text) {
                    Some(entry) => entry.holder = holder,
                    None => mutex.waiting.push(MutexHolding { mutex: text, holder }),
                }
            }
        }
    }

    /// Has the pods that work under a lock made only once it is stored that it is held, if their nodes still go on then.
    pub fn hold_back_locked_pods(&mut self) {
        let stored = holders(self.wf.status.synchronization.as_ref());
        let held = holders(self.status.synchronization.as_ref());
        let own = self.lock_key.clone();
        let fresh = held.difference(&stored);
        let fresh: Vec<&str> = fresh.filter_map(|holder| holder.strip_prefix(&own)).collect();
        let nodes = &self.nodes;
        let covers = |holder: &str, pod: &str| match holder.strip_prefix('/').and_then(|id| nodes.get(id)) {
            Some(node) => names::is_within(pod, &node.name),
            None => holder.is_empty(),
        };
        for effect in &mut self.effects {
            if let Effect::CreatePod { node_id, locked, .. } = effect
                && let Some(node) = nodes.get(node_id)
            {
                *locked = fresh.iter().any(|holder| covers(holder, &node.name));
            }
        }
        let last_resort = self.last_resort;
        self.effects.retain(|effect| match effect {
            Effect::CreatePod { node_id, locked, .. } if *locked || last_resort => {
                nodes.get(node_id).is_none_or(|n| !node::phase_ended(&n.phase))
            }
            _ => true,
        });
    }

    /// Gives back what a node holds or waits for (C-SYN-22).
    pub fn release_template_locks(&mut self, id: &str) {
        // Asked first: this is called for every node that is done, in every pass.
        let waits = self
            .nodes
            .get(id)
            .is_some_and(|n| n.synchronization_status.is_some());
        if !waits && !self.locks.involves(&self.lock_key) {
            return;
        }
        if self.nodes.get(id).is_some_and(|n| self.may_still_work(n)) {
            return;
        }
        let holder = locks::holder_key(&self.wf.metadata.namespace, &self.wf.metadata.name, Some(id));
        // From memory, not from status: a lock may have been taken by a decision that was never stored.
        let names = self.locks.of_holder(&holder);
        for name in names {
            if self.locks.release(&name, &holder) {
                self.hide(&name, &holder);
            }
        }
        // One that goes on still waits, though nothing looks at it and it has no turn: else it seems to lack its pod.
        self.change(id, |n| {
            if node::fulfilled(n) {
                n.synchronization_status = None;
            }
        });
    }

    /// Gives back what nodes still hold or wait for that nothing looks at any more: they ended with what holds them, or
    /// what holds them ended without them.
    pub fn release_locks_of_the_dead(&mut self) {
        let workflow = self.lock_key.clone();
        let mut nodes = self.locks.nodes_of_workflow(&workflow);
        nodes.retain(|id| {
            let asked = self.locks.was_asked(&format!("{workflow}/{id}"));
            let dead = |n| node::fulfilled(n) || !asked && self.is_forsaken(n);
            self.nodes.get(id).is_some_and(dead)
        });
        for id in nodes {
            self.release_template_locks(&id);
        }
    }

    fn hide(&mut self, lock: &str, holder: &str) {
        let is_awaited = self.is_awaited(lock);
        let Some(status) = &mut self.status.synchronization else {
            return;
        };
        if let Some(semaphore) = &mut status.semaphore {
            for entry in semaphore.holding.iter_mut().filter(|h| h.semaphore == lock) {
                entry.holders.retain(|h| h != holder);
            }
            semaphore.holding.retain(|h| !h.holders.is_empty());
            semaphore.waiting.retain(|w| is_awaited || w.semaphore != lock);
        }
        if let Some(mutex) = &mut status.mutex {
            mutex.holding.retain(|h| h.mutex != lock || h.holder != holder);
            mutex.waiting.retain(|w| is_awaited || w.mutex != lock);
        }
        self.updated = true;
    }

    /// Gives back everything of the workflow.
    pub fn release_everything(&mut self) {
        let key = self.lock_key.clone();
        self.locks.release_all(&key);
        self.status.synchronization = None;
    }

    /// Gives back everything once the workflow is done (C-PER-05).
    pub fn release_at_end(&mut self) {
        if !crate::node::workflow_fulfilled(&self.status.phase) {
            return;
        }
        let key = self.lock_key.clone();
        if self.status.synchronization.is_some() || self.locks.involves(&key) {
            self.release_everything();
        }
    }
}

/// All who hold a lock by a status.
fn holders(status: Option<&SynchronizationStatus>) -> BTreeSet<&str> {
    holdings(status).map(|(_, holder)| holder).collect()
}

/// Locks by a status, each with one who holds it.
pub(crate) fn holdings(status: Option<&SynchronizationStatus>) -> impl Iterator<Item = (&str, &str)> {
    let mutexes = status.and_then(|s| s.mutex.as_ref()).into_iter();
    let mutexes = mutexes.flat_map(|m| m.holding.iter().map(|h| (h.mutex.as_str(), h.holder.as_str())));
    let semaphores = status.and_then(|s| s.semaphore.as_ref()).into_iter();
    let semaphores = semaphores.flat_map(|s| &s.holding);
    mutexes.chain(semaphores.flat_map(|s| {
        let holders = s.holders.iter();
        holders.map(|holder| (s.semaphore.as_str(), holder.as_str()))
    }))
}
