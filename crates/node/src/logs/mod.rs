//! Logs of containers: files in the format of the container runtime interface, with bounded rotation.

mod read;
mod write;

use jiff::Timestamp;

pub use read::LogStream;
pub(crate) use read::{last_lines, read};
pub(crate) use write::{Log, pump};

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
