//! How a command ends: exit codes, and the message that Kubernetes shows
//! (rules X-GEN-30 to X-GEN-35). No command decides a node's phase.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;

use crate::log;
use crate::paths::Layout;

/// Any error of the executor itself (X-GEN-32).
pub const EXECUTOR_ERROR: i32 = 64;
/// What happened before main in an init-less pod failed (X-GEN-33).
pub const BEFORE_MAIN_ERROR: i32 = 65;
/// Failure of start-up that comes before any work (X-GEN-34).
pub const STARTUP_ERROR: i32 = 1;

/// Why a command failed: its exit code and one message for people.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    /// The process's exit code.
    pub code: i32,
    /// The text for the termination log and the last line of the log.
    pub message: String,
}

impl Failure {
    /// An error of the executor itself: exit code 64.
    pub fn new(message: impl Into<String>) -> Self {
        Self {
            code: EXECUTOR_ERROR,
            message: message.into(),
        }
    }

    /// The same failure with another exit code.
    pub fn with_code(self, code: i32) -> Self {
        Self { code, ..self }
    }
}

/// Ends a command: writes the message where Kubernetes and the user look for it, and gives the
/// exit code.
pub fn conclude(layout: &Layout, result: Result<i32, Failure>) -> i32 {
    match result {
        Ok(code) => code,
        Err(failure) => {
            log::error("command failed", &[("error", &failure.message)]);
            write_termination_message(layout, &failure.message);
            log::final_error(&failure.message);
            failure.code
        }
    }
}

/// Writes the termination message whole (X-GEN-19); failure to do so is only logged.
pub fn write_termination_message(layout: &Layout, message: &str) {
    let path = layout.termination_log();
    let written = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&path)
        .and_then(|mut file| file.write_all(message.as_bytes()));
    if let Err(error) = written {
        let text = crate::text::failed("write", &path, &error);
        log::warn("cannot write the termination message", &[("error", &text)]);
    }
}
