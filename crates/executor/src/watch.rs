//! Changes of files as they happen, for the commands that run on the asynchronous runtime
//! (rule X-EMIS-33). The emissary has its own, which needs no runtime.

use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use rustix::fs::inotify;
use tokio::io::unix::AsyncFd;
use tokio::signal::unix::{Signal, SignalKind, signal};

use crate::sys;

/// How often files are looked at when the system has no watches left.
const FALLBACK_PERIOD: Duration = Duration::from_secs(2);

/// Folders whose files are watched.
#[derive(Debug)]
pub struct Watch {
    // Must exist before the first folder is watched: unhandled, the signal would end us.
    signals: Option<Signal>,
    // Open for as long as their changes are signalled.
    folders: Vec<OwnedFd>,
    // For systems without directory notification.
    inotify: Option<AsyncFd<OwnedFd>>,
    // Set when the system has no watches left: files are then looked at periodically.
    polls: bool,
}

impl Watch {
    /// Watches nothing yet.
    pub fn new() -> Self {
        let signals = signal(SignalKind::io()).ok();
        Self {
            signals,
            folders: Vec::new(),
            inotify: None,
            polls: false,
        }
    }

    /// Reports changes of the files directly in a folder from now on.
    pub fn add(&mut self, folder: &Path) {
        let notified = self
            .signals
            .is_some()
            .then(|| sys::notify_of_changes(folder).ok())
            .flatten();
        match notified {
            Some(descriptor) => self.folders.push(descriptor),
            None => self.polls |= self.add_by_inotify(folder).is_none(),
        }
    }

    fn add_by_inotify(&mut self, folder: &Path) -> Option<()> {
        let flags = inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK;
        let wanted = inotify::WatchFlags::CREATE
            | inotify::WatchFlags::CLOSE_WRITE
            | inotify::WatchFlags::MODIFY
            | inotify::WatchFlags::MOVED_TO;
        if self.inotify.is_none() {
            self.inotify = Some(sys::readable(inotify::init(flags).ok()?).ok()?);
        }
        let queue = self.inotify.as_ref()?;
        inotify::add_watch(queue.get_ref(), folder, wanted).ok().map(drop)
    }

    /// Returns when something may have changed. What it was is seen by looking.
    pub async fn changed(&mut self) {
        let Self {
            signals,
            inotify,
            polls,
            ..
        } = self;
        tokio::select! {
            () = signalled(signals.as_mut()) => {}
            () = queued(inotify.as_ref()) => {}
            () = tokio::time::sleep(FALLBACK_PERIOD), if *polls => {}
        }
    }
}

async fn signalled(signals: Option<&mut Signal>) {
    let news = match signals {
        Some(signals) => signals.recv().await,
        None => None,
    };
    if news.is_none() {
        std::future::pending().await
    }
}

async fn queued(queue: Option<&AsyncFd<OwnedFd>>) {
    let Some(queue) = queue else {
        return std::future::pending().await;
    };
    if let Ok(mut ready) = queue.readable().await {
        let mut buffer = [0_u8; 4096];
        while rustix::io::read(queue.get_ref(), &mut buffer).is_ok_and(|read| read > 0) {}
        ready.clear_ready();
    }
}
