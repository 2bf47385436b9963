//! The operating system behind one trait: sandboxes, and containers in them.

pub mod linux;
pub mod recording;
mod spec;
pub(crate) mod wire;

use std::os::fd::OwnedFd;
use std::path::Path;

use async_trait::async_trait;
use tokio::sync::mpsc;

pub use spec::{
    Cgroup, ContainerSpec, End, Exit, ImageMount, Link, LogFile, Mount, Pids, ProcessSpec, Record, Report,
    Request, Root, Running, SandboxSpec, Setting, StartFailure, Stdin, Tmpfs,
};

/// What can go wrong below the node.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The sandbox could not be made; the text names what is missing.
    #[error("{0}")]
    Sandbox(String),
    /// The process could not be started.
    #[error("{}", .0.message)]
    Start(StartFailure),
    /// The sandbox has ended, and all its containers with it.
    #[error("the pod's sandbox is gone")]
    Gone,
    /// A call to the operating system failed.
    #[error("{what}")]
    System {
        /// The operation.
        what: &'static str,
        /// Why.
        #[source]
        source: std::io::Error,
    },
}

/// Makes sandboxes.
#[async_trait]
pub trait Runtime: Send + Sync {
    /// Makes the namespaces of a pod. Ends of processes are told on the channel, which closes with the sandbox.
    ///
    /// # Errors
    /// When the kernel lacks or forbids a namespace, or the pod's folder cannot be used.
    async fn create(
        &self,
        spec: &SandboxSpec,
    ) -> Result<(Box<dyn Sandbox>, mpsc::UnboundedReceiver<Ended>), Error>;

    /// Finds a sandbox that an earlier node made with `keep_running`; `None` when nothing of it is left.
    ///
    /// # Errors
    /// When it is there but does not answer.
    async fn find(&self, dir: &Path) -> Result<Option<Found>, Error> {
        let _ = dir;
        Ok(None)
    }
}

/// A sandbox that was found again.
pub struct Found {
    /// The sandbox.
    pub sandbox: Box<dyn Sandbox>,
    /// As for [`Runtime::create`].
    pub ends: mpsc::UnboundedReceiver<Ended>,
    /// Containers that run in it.
    pub running: Vec<Running>,
}

/// The end of a first process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// As given to `start` or `exec`.
    pub key: String,
    /// How it ended.
    pub end: End,
}

/// Standard input and output of a process.
pub enum Stdio {
    /// A pipe for each.
    Pipes {
        /// Read end.
        stdin: OwnedFd,
        /// Write end.
        stdout: OwnedFd,
        /// Write end.
        stderr: OwnedFd,
    },
    /// One terminal, made where the process runs.
    Terminal {
        /// Socket over which its other side is sent.
        console: OwnedFd,
    },
}

/// What listens to a container beside its log.
pub struct Listeners {
    /// Stream socket that gets what the container prints from now on; of a reader that is slow, parts are lost.
    pub stdout: OwnedFd,
    /// The same of its errors.
    pub stderr: OwnedFd,
    /// Socket over which the write end of its standard input is sent, or the other side of its terminal, if it has one.
    pub console: OwnedFd,
}

/// The namespaces of one pod.
#[async_trait]
pub trait Sandbox: Send + Sync {
    /// Starts a container; returns when its program runs. What it prints goes to its log.
    ///
    /// # Errors
    /// [`Error::Start`] with the reason when it does not.
    async fn start(&self, spec: &ContainerSpec) -> Result<(), Error>;

    /// Starts a process in the running container `target`.
    ///
    /// # Errors
    /// As for `start`; also when the container does not run.
    async fn exec(&self, key: &str, target: &str, spec: &ProcessSpec, io: Stdio) -> Result<(), Error>;

    /// Listens to the running container `target`.
    ///
    /// # Errors
    /// When the container does not run, or the runtime cannot do this.
    async fn attach(&self, target: &str, listeners: Listeners) -> Result<(), Error> {
        let _ = listeners;
        Err(Error::Start(StartFailure {
            command: false,
            message: format!("this runtime does not attach to containers: {target}"),
        }))
    }

    /// Sends a signal to a first process, or to its process group too.
    ///
    /// # Errors
    /// [`Error::Gone`] when the sandbox has ended.
    async fn signal(&self, key: &str, signal: i32, group: bool) -> Result<(), Error>;

    /// Process id of the sandbox, to reach its network namespace.
    fn pid(&self) -> Option<u32>;

    /// Kills everything in the sandbox and waits until it is gone, with its mounts.
    async fn destroy(&self);

    /// Lets go of the sandbox: it goes on if it was made to, and ends otherwise.
    fn leave(&self) {}
}
