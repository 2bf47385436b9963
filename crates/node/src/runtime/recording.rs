//! A runtime that runs nothing: it writes down what it was asked, and ends containers as a plan says. For tests and simulators.

use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use tokio::sync::mpsc;

use jiff::Timestamp;

use super::{ContainerSpec, End, Ended, Error, Exit, ProcessSpec, Runtime, Sandbox, SandboxSpec, Stdio};

/// What a container does when it is started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behaviour {
    /// It ends at once.
    Ends(Exit),
    /// It runs until a signal comes, and dies from it.
    Runs,
}

type Plan = dyn Fn(&ContainerSpec) -> Behaviour + Send + Sync;

/// A runtime that records.
#[derive(Clone)]
pub struct Recording {
    calls: Arc<Mutex<Vec<String>>>,
    plan: Arc<Plan>,
}

impl Recording {
    /// A runtime whose containers do what `plan` says.
    pub fn new(plan: impl Fn(&ContainerSpec) -> Behaviour + Send + Sync + 'static) -> Recording {
        Recording {
            calls: Arc::default(),
            plan: Arc::new(plan),
        }
    }

    /// What was asked so far, one line each.
    pub fn calls(&self) -> Vec<String> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn note(&self, call: String) {
        self.calls
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(call);
    }
}

#[async_trait]
impl Runtime for Recording {
    async fn create(
        &self,
        spec: &SandboxSpec,
    ) -> Result<(Box<dyn Sandbox>, mpsc::UnboundedReceiver<Ended>), Error> {
        self.note(format!("create {}", spec.hostname));
        let (ends, events) = mpsc::unbounded_channel();
        Ok((
            Box::new(Recorded {
                runtime: self.clone(),
                ends: Mutex::new(Some(ends)),
            }),
            events,
        ))
    }
}

struct Recorded {
    runtime: Recording,
    /// Dropped by `destroy`, which closes the channel.
    ends: Mutex<Option<mpsc::UnboundedSender<Ended>>>,
}

impl Recorded {
    fn end(&self, key: &str, exit: Exit) {
        if let Some(ends) = &*self.ends.lock().unwrap_or_else(PoisonError::into_inner) {
            let _ = ends.send(Ended {
                key: key.into(),
                end: End {
                    exit,
                    at: Timestamp::now(),
                    out_of_memory: false,
                },
            });
        }
    }
}

#[async_trait]
impl Sandbox for Recorded {
    async fn start(&self, spec: &ContainerSpec) -> Result<(), Error> {
        self.runtime
            .note(format!("start {}: {}", spec.key, spec.process.argv.join(" ")));
        if let Behaviour::Ends(exit) = (self.runtime.plan)(spec) {
            self.end(&spec.key, exit);
        }
        Ok(())
    }

    async fn exec(&self, key: &str, target: &str, spec: &ProcessSpec, _io: Stdio) -> Result<(), Error> {
        self.runtime
            .note(format!("exec {key} in {target}: {}", spec.argv.join(" ")));
        self.end(key, Exit::Code(0));
        Ok(())
    }

    async fn signal(&self, key: &str, signal: i32, group: bool) -> Result<(), Error> {
        let whom = if group { "group of " } else { "" };
        self.runtime.note(format!("signal {signal} to {whom}{key}"));
        self.end(key, Exit::Signal(signal));
        Ok(())
    }

    fn pid(&self) -> Option<u32> {
        None
    }

    async fn destroy(&self) {
        self.runtime.note("destroy".into());
        self.ends.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}
