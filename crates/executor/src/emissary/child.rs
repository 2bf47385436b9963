//! The wrapped process: found, started in a group of its own, signalled, and its end seen
//! (rules X-EMIS-09, X-EMIS-21 to X-EMIS-24). When and how often it runs is decided elsewhere.

use std::ffi::{OsStr, OsString};
use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::OwnedFd;
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus, Stdio};
use std::sync::Arc;

use rustix::process::{WaitOptions, wait};

use super::capture::{Capture, Stream};
use super::terminal::{self, Terminal};
use crate::outcome::Failure;
use crate::sys;
use crate::text::{failed, reason};

/// What is to be run.
#[derive(Clone, Debug)]
pub struct Program {
    /// The file to execute.
    pub path: PathBuf,
    /// What the program sees as its own name.
    pub name: OsString,
    /// Everything after the name.
    pub args: Vec<OsString>,
}

/// Finds the file of a command: as it is when it holds a slash, else in `PATH` (X-EMIS-09).
///
/// # Errors
/// No executable file of that name is in `PATH`.
pub fn find(command: &OsStr) -> Result<PathBuf, Failure> {
    if command.as_encoded_bytes().contains(&b'/') {
        return Ok(PathBuf::from(command));
    }
    let executable = |path: &PathBuf| {
        std::fs::metadata(path).is_ok_and(|m| m.is_file() && m.permissions().mode() & 0o111 != 0)
    };
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .map(|dir| dir.join(command))
        .find(executable);
    found.ok_or_else(|| {
        Failure::new(format!(
            "failed to find name in PATH: exec: {:?}: executable file not found in $PATH",
            command.to_string_lossy()
        ))
    })
}

/// A started child.
#[derive(Debug)]
pub struct Child {
    pid: i32,
    capture: Option<Capture>,
    terminal: Option<Terminal>,
}

/// A child's end as an exit code: its own, or 128 and the signal that killed it.
pub fn code_of(status: ExitStatus) -> i32 {
    status
        .code()
        .or_else(|| status.signal().map(|s| 128 + s))
        .unwrap_or(1)
}

impl Child {
    /// Starts a program. With `keep`, its output is also appended to files in that folder.
    ///
    /// # Errors
    /// The program cannot be executed, or its output cannot be captured.
    pub fn start(program: &Program, keep: Option<&Path>) -> Result<Self, Failure> {
        let mut command = Command::new(&program.path);
        command.arg0(&program.name).args(&program.args);
        sys::unblocked(&mut command);
        let mut terminal = None;
        if terminal::is_wanted() {
            let attached = Terminal::attach(&mut command);
            let attached = attached.map_err(|e| Failure::new(format!("terminal: {}", reason(&e))));
            terminal = Some(attached?);
        } else {
            command.process_group(0);
            if keep.is_some() {
                command.stdout(Stdio::piped()).stderr(Stdio::piped());
            }
        }
        let mut started = command
            .spawn()
            .map_err(|e| Failure::new(failed("failed to start command: fork/exec", &program.path, &e)))?;
        let pid = started.id() as i32;
        let streams = (started.stdout.take(), started.stderr.take());
        // Dropping the handle neither ends the process nor waits for it; `reap` does the waiting,
        // because only one place may, when orphans come in between.
        drop(started);
        // The command holds the child's side of a terminal, and would keep it open.
        drop(command);
        let streams = (streams.0.map(OwnedFd::from), streams.1.map(OwnedFd::from));
        let capture = begin_capture(keep, terminal.as_ref(), streams)?;
        Ok(Self {
            pid,
            capture,
            terminal,
        })
    }

    /// Sends a signal to the child's group, or to the child alone when it has no group.
    pub fn signal(&self, signal: sys::Signal) {
        if sys::kill(-self.pid, signal).is_err() {
            // Gone already: its end is on its way to us.
            let _ = sys::kill(self.pid, signal);
        }
    }

    /// Gives the child's terminal the size of ours, if it has one.
    pub fn resize(&self) {
        if let Some(terminal) = &self.terminal {
            terminal.resize();
        }
    }

    /// Collects every child that has ended, adopted orphans included (X-EMIS-24), and gives the
    /// end of the wrapped one when it is among them.
    pub fn reap(&self) -> Option<ExitStatus> {
        let mut own = None;
        while let Ok(Some((pid, status))) = wait(WaitOptions::NOHANG) {
            if pid.as_raw_nonzero().get() == self.pid {
                own = Some(ExitStatus::from_raw(status.as_raw()));
            }
        }
        own
    }

    /// Finishes copying what the child wrote.
    ///
    /// # Errors
    /// Its output could not be kept whole.
    pub fn finish(self) -> Result<(), Failure> {
        let Some(capture) = self.capture else {
            return Ok(());
        };
        let finished = capture.finish();
        finished.map_err(|e| Failure::new(format!("failed to capture output: {}", reason(&e))))
    }
}

fn begin_capture(
    keep: Option<&Path>,
    terminal: Option<&Terminal>,
    (output, errors): (Option<OwnedFd>, Option<OwnedFd>),
) -> Result<Option<Capture>, Failure> {
    if keep.is_none() && terminal.is_none() {
        return Ok(None);
    }
    let (mut output_files, mut error_files) = (Vec::new(), Vec::new());
    if let Some(folder) = keep {
        let combined = Arc::new(append_to(&folder.join("combined"))?);
        output_files = vec![
            Arc::new(append_to(&folder.join("stdout"))?),
            Arc::clone(&combined),
        ];
        error_files = vec![combined];
    }
    let begin = || -> io::Result<Capture> {
        let output = match terminal {
            Some(terminal) => Some(terminal.output()?),
            None => output,
        };
        let mut capture = Capture::new()?;
        if let Some(output) = output {
            capture.copy(output, Stream::Output, output_files)?;
        }
        if let Some(errors) = errors {
            capture.copy(errors, Stream::Error, error_files)?;
        }
        Ok(capture)
    };
    begin()
        .map(Some)
        .map_err(|e| Failure::new(format!("failed to capture output: {}", reason(&e))))
}

fn append_to(path: &Path) -> Result<File, Failure> {
    OpenOptions::new()
        .create(true)
        .append(true)
        .mode(0o666)
        .open(path)
        .map_err(|e| Failure::new(failed("open", path, &e)))
}
