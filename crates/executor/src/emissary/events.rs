//! What wakes the emissary: signals, ended children and files that others write, through one
//! wait without polling. What is done about them is not here.

use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::Path;
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::fs::inotify;

use crate::sys;

/// How often files are looked at when the system has no watches left (X-EMIS-33).
const FALLBACK_PERIOD: Duration = Duration::from_secs(2);

/// One reason to look around.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Event {
    /// A signal to this process, other than that a child ended.
    Signal(sys::Signal),
    /// A child may have ended.
    Children,
    /// A watched folder changed, or it is time to look because it cannot be watched.
    Files,
    /// The deadline passed.
    Deadline,
}

/// The one place where the emissary waits.
#[derive(Debug)]
pub struct Events {
    signals: OwnedFd,
    // Open for as long as their changes are signalled.
    folders: Vec<OwnedFd>,
    // For systems without directory notification.
    inotify: Option<OwnedFd>,
    // Set when the system has no watches left: files are then looked at periodically.
    polls: bool,
}

impl Events {
    /// Takes over this process's signals and prepares to watch folders.
    ///
    /// # Errors
    /// The system gives no descriptor for signals.
    pub fn new() -> io::Result<Self> {
        Ok(Self {
            signals: sys::signal_descriptor()?,
            folders: Vec::new(),
            inotify: None,
            polls: false,
        })
    }

    /// Reports changes of the files directly in a folder from now on.
    pub fn watch(&mut self, folder: &Path) {
        match sys::notify_of_changes(folder) {
            Ok(descriptor) => self.folders.push(descriptor),
            Err(_) => self.polls |= self.watch_by_inotify(folder).is_err(),
        }
    }

    fn watch_by_inotify(&mut self, folder: &Path) -> io::Result<()> {
        let wanted = inotify::WatchFlags::CREATE
            | inotify::WatchFlags::CLOSE_WRITE
            | inotify::WatchFlags::MODIFY
            | inotify::WatchFlags::MOVED_TO;
        let flags = inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK;
        let queue = match self.inotify.take() {
            Some(queue) => queue,
            None => inotify::init(flags)?,
        };
        let added = inotify::add_watch(&queue, folder, wanted);
        self.inotify = Some(queue);
        added.map(drop).map_err(io::Error::from)
    }

    /// Waits until something happens or the deadline passes. Several things may have happened.
    ///
    /// # Errors
    /// The descriptors cannot be waited for, which nothing can mend.
    pub fn next(&mut self, deadline: Option<Instant>) -> io::Result<Vec<Event>> {
        let left = deadline.map(|d| d.saturating_duration_since(Instant::now()));
        let limit = match (left, self.polls) {
            (None, false) => None,
            (None, true) => Some(FALLBACK_PERIOD),
            (Some(left), false) => Some(left),
            (Some(left), true) => Some(left.min(FALLBACK_PERIOD)),
        };
        let mut descriptors = vec![PollFd::new(&self.signals, PollFlags::IN)];
        descriptors.extend(self.inotify.as_ref().map(|f| PollFd::new(f, PollFlags::IN)));
        let limit = limit.and_then(|l| Timespec::try_from(l).ok());
        match poll(&mut descriptors, limit.as_ref()) {
            Ok(_) | Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        let mut events = Vec::new();
        self.take_signals(&mut events)?;
        if self.take_files() || self.polls {
            events.push(Event::Files);
        }
        if deadline.is_some_and(|d| Instant::now() >= d) {
            events.push(Event::Deadline);
        }
        Ok(events)
    }

    fn take_signals(&self, events: &mut Vec<Event>) -> io::Result<()> {
        while let Some(received) = sys::read_signal(&self.signals)? {
            match received.number {
                libc::SIGCHLD => events.push(Event::Children),
                libc::SIGIO if !received.is_sent => events.push(Event::Files),
                number => events.push(Event::Signal(number)),
            }
        }
        Ok(())
    }

    /// Empties the queue of file changes; which file it was is seen by looking.
    fn take_files(&self) -> bool {
        let mut buffer = [0_u8; 4096];
        let mut changed = false;
        if let Some(files) = &self.inotify {
            while rustix::io::read(files.as_fd(), &mut buffer).is_ok_and(|read| read > 0) {
                changed = true;
            }
        }
        changed
    }
}
