//! Logs of containers, read back: sandboxes write them, in the format of the container runtime interface.

mod changes;
mod read;

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tokio::sync::watch;

pub use read::LogStream;
pub(crate) use read::{last_lines, read};

/// The log of an attempt that this node watches.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    /// Dropped when nothing more comes.
    open: Mutex<Option<watch::Sender<()>>>,
    ended: watch::Receiver<()>,
}

impl Log {
    pub(crate) fn new(path: PathBuf) -> Arc<Log> {
        let (open, ended) = watch::channel(());
        let open = Mutex::new(Some(open));
        Arc::new(Log { path, open, ended })
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Tells followers that nothing more comes.
    pub(crate) fn close(&self) {
        self.open.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// A receiver that closes at the end.
    pub(crate) fn ended(&self) -> watch::Receiver<()> {
        self.ended.clone()
    }
}

/// What part of a log to read.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LogOptions {
    /// Go on until the container ends.
    pub follow: bool,
    /// Only so many last lines.
    pub tail_lines: Option<u64>,
    /// Only lines written at this time or later.
    pub since: Option<Timestamp>,
    /// The attempt before the last one.
    pub previous: bool,
    /// Begin each line with the time at which it was written.
    pub timestamps: bool,
    /// Stop after so many bytes.
    pub limit_bytes: Option<u64>,
}
