//! What others may reach of a running pod: its sandbox, its containers, their logs.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use k8s_openapi::api::core::v1::Container;
use tokio::sync::{mpsc, oneshot};

use super::worker::Event;
use crate::events::Notes;
use crate::logs::Log;
use crate::runtime::{Exit, ProcessSpec, Sandbox};

/// What others may reach of a running pod.
pub(crate) struct Handle {
    pub(crate) uid: String,
    pub(crate) dir: PathBuf,
    pub(crate) notes: Notes,
    pub(crate) events: mpsc::UnboundedSender<Event>,
    pub(super) live: Mutex<Live>,
}

#[derive(Default)]
pub(super) struct Live {
    pub(super) sandbox: Option<Arc<dyn Sandbox>>,
    pub(super) containers: BTreeMap<String, LiveContainer>,
    pub(super) execs: BTreeMap<String, oneshot::Sender<Exit>>,
    /// What containers will leave, by key.
    pub(super) outputs: BTreeMap<String, Output>,
}

/// What a container leaves: its output, and perhaps a message.
pub(crate) struct Output {
    pub(crate) container: String,
    pub(crate) log: Arc<Log>,
    /// Folder of the attempt.
    pub(crate) dir: PathBuf,
    /// Without a message, the end of the log of a failed container is one.
    pub(crate) fall_back_to_log: bool,
}

impl Output {
    pub(crate) fn new(spec: &Container, log: Arc<Log>, dir: PathBuf) -> Output {
        Output {
            container: spec.name.clone(),
            log,
            dir,
            fall_back_to_log: spec.termination_message_policy.as_deref() == Some("FallbackToLogsOnError"),
        }
    }
}

/// A container that was started.
#[derive(Clone)]
pub(crate) struct LiveContainer {
    pub(crate) key: String,
    pub(crate) process: ProcessSpec,
    pub(crate) log: Arc<Log>,
}

impl Handle {
    pub(super) fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn container(&self, name: &str) -> Option<LiveContainer> {
        self.live().containers.get(name).cloned()
    }

    pub(crate) fn sandbox(&self) -> Option<Arc<dyn Sandbox>> {
        self.live().sandbox.clone()
    }

    /// Must be called before the container is started, whose end may come at once.
    pub(crate) fn add_output(&self, key: &str, output: Output) {
        self.live().outputs.insert(key.into(), output);
    }

    /// Registers a process beside the containers; the receiver tells its end.
    pub(crate) fn add_exec(&self) -> (String, oneshot::Receiver<Exit>) {
        // A sandbox that outlives the node may still run processes of the one before: numbers alone would not do.
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let key = format!("exec/{}-{number}", std::process::id());
        let (sender, receiver) = oneshot::channel();
        self.live().execs.insert(key.clone(), sender);
        (key, receiver)
    }
}
