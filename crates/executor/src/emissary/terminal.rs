//! A terminal for a child whose container has one (`tty: true`, rule X-EMIS-21): a new one in a
//! session of its own, joined to the container's. Capturing its output is done by the caller.

use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::process::{Command, Stdio};

use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};
use rustix::termios::{OptionalActions, Termios};

use crate::sys;

/// The child's terminal, joined to our own until this value is dropped.
#[derive(Debug)]
pub struct Terminal {
    ours: OwnedFd,
    before: Termios,
}

/// Whether our standard input is a terminal.
pub fn is_wanted() -> bool {
    rustix::termios::isatty(rustix::stdio::stdin())
}

impl Terminal {
    /// Gives `command` a terminal of its own, puts ours into raw mode, and begins to pass on what
    /// is typed.
    ///
    /// # Errors
    /// The system has no terminal left, or ours cannot be changed.
    pub fn attach(command: &mut Command) -> io::Result<Self> {
        let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC)?;
        grantpt(&ours)?;
        unlockpt(&ours)?;
        let name: CString = ptsname(&ours, Vec::new())?;
        let theirs = rustix::fs::open(
            name.as_c_str(),
            OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        command.stdin(Stdio::from(theirs.try_clone()?));
        command.stdout(Stdio::from(theirs.try_clone()?));
        command.stderr(Stdio::from(theirs));
        sys::own_terminal(command);
        let input = rustix::stdio::stdin();
        let before = rustix::termios::tcgetattr(input)?;
        let mut raw = before.clone();
        raw.make_raw();
        rustix::termios::tcsetattr(input, OptionalActions::Now, &raw)?;
        let terminal = Self { ours, before };
        terminal.resize();
        terminal.pass_on_input()?;
        Ok(terminal)
    }

    /// A descriptor from which the child's output can be read.
    ///
    /// # Errors
    /// No descriptor is left.
    pub fn output(&self) -> io::Result<OwnedFd> {
        self.ours.try_clone()
    }

    /// Gives the child's terminal the size of ours. A terminal without a size is left as it is.
    pub fn resize(&self) {
        if let Ok(size) = rustix::termios::tcgetwinsize(rustix::stdio::stdin()) {
            let _ = rustix::termios::tcsetwinsize(&self.ours, size);
        }
    }

    /// The thread ends with the process: a read from a terminal cannot be called off.
    fn pass_on_input(&self) -> io::Result<()> {
        let to = self.ours.try_clone()?;
        let work = move || {
            let mut buffer = [0_u8; 4096];
            while let Ok(read) = rustix::io::read(rustix::stdio::stdin(), &mut buffer) {
                if read == 0 || rustix::io::write(to.as_fd(), &buffer[..read]).is_err() {
                    break;
                }
            }
        };
        std::thread::Builder::new().stack_size(64 * 1024).spawn(work)?;
        Ok(())
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let input = rustix::stdio::stdin();
        // A terminal that is gone needs no restoring.
        let _ = rustix::termios::tcsetattr(input, OptionalActions::Now, &self.before);
    }
}
