//! What the server asks of whoever runs the pods: logs and commands in containers.
//!
//! Deliberately absent: an implementation. Without one, those requests answer 503.

use std::io;

use bytes::Bytes;
use futures::future::BoxFuture;
use futures::stream::BoxStream;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, oneshot};

/// A container of a pod that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ContainerRef {
    /// The pod's namespace.
    pub namespace: String,
    /// The pod's name.
    pub pod: String,
    /// The pod's uid.
    pub uid: String,
    /// The container's name; it is one of the pod's.
    pub container: String,
}

/// A pod that exists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PodRef {
    /// Its namespace.
    pub namespace: String,
    /// Its name.
    pub name: String,
    /// Its uid.
    pub uid: String,
}

/// Which part of a container's log is wanted. Everything absent means the whole log up to now.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct LogOptions {
    /// Keep sending until the container ends.
    pub follow: bool,
    /// The log of the container's previous run.
    pub previous: bool,
    /// Start each line with its time, RFC 3339 with nanoseconds, and a space.
    pub timestamps: bool,
    /// Only the last so many lines.
    pub tail_lines: Option<u64>,
    /// Only lines of the last so many seconds.
    pub since_secs: Option<u64>,
    /// Only lines since this time.
    pub since: Option<jiff::Timestamp>,
    /// Stop after so many bytes.
    pub limit_bytes: Option<u64>,
}

/// A command to run in a container.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ExecOptions {
    /// Program and arguments; empty means attaching to the container's main process.
    pub command: Vec<String>,
    /// Whether the command gets a terminal.
    pub tty: bool,
}

/// A terminal's size in characters.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TerminalSize {
    /// Columns.
    pub width: u16,
    /// Rows.
    pub height: u16,
}

/// The ends of a command's streams; one that was not asked for is `None`.
pub struct ExecStreams {
    /// What the user types.
    pub stdin: Option<Box<dyn AsyncRead + Send + Unpin>>,
    /// What the command prints.
    pub stdout: Option<Box<dyn AsyncWrite + Send + Unpin>>,
    /// What the command prints as errors; `None` with a terminal.
    pub stderr: Option<Box<dyn AsyncWrite + Send + Unpin>>,
    /// New sizes of the user's terminal.
    pub resize: mpsc::Receiver<TerminalSize>,
    /// Fires when the user is gone; the command should then be ended.
    pub hangup: oneshot::Receiver<()>,
}

/// Why the node could not do it.
#[derive(Debug, thiserror::Error)]
pub enum KubeletError {
    /// The container does not run (yet, or any more); the text is shown to the user.
    #[error("{0}")]
    NotReady(String),
    /// The container or its log is not there.
    #[error("{0}")]
    NotFound(String),
    /// This node cannot do this.
    #[error("{0}")]
    Unsupported(String),
    /// It failed.
    #[error("the node failed")]
    Failed(#[source] io::Error),
}

/// A log as it comes.
pub type LogStream = BoxStream<'static, io::Result<Bytes>>;

/// Both directions of a connection.
pub trait Duplex: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Duplex for T {}

/// A connection to a port of a pod.
pub type Connection = Box<dyn Duplex>;

/// Whoever runs the pods.
pub trait Kubelet: Send + Sync + 'static {
    /// The log of a container.
    fn logs(
        &self,
        container: ContainerRef,
        options: LogOptions,
    ) -> BoxFuture<'static, Result<LogStream, KubeletError>>;

    /// Runs a command (or attaches) and gives its exit code when it ended.
    fn exec(
        &self,
        container: ContainerRef,
        options: ExecOptions,
        streams: ExecStreams,
    ) -> BoxFuture<'static, Result<i32, KubeletError>>;

    /// Connects to a port of a pod, as seen from inside of it.
    fn connect(&self, pod: PodRef, port: u16) -> BoxFuture<'static, Result<Connection, KubeletError>> {
        let _ = (pod, port);
        let why = "this node does not forward ports".to_owned();
        Box::pin(std::future::ready(Err(KubeletError::Unsupported(why))))
    }
}
