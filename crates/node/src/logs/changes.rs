//! Tells when files of a folder change, so that following a log needs no polling.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::OwnedFd;
use std::path::Path;
use std::time::Duration;

use rustix::fs::inotify::{self, CreateFlags, WatchFlags};
use tokio::io::Interest;
use tokio::io::unix::AsyncFd;

/// How often to look when the kernel gives no more watches to this user.
const FALLBACK: Duration = Duration::from_millis(250);

/// Changes of the files beside one file.
pub(super) struct Changes {
    watch: Option<AsyncFd<OwnedFd>>,
}

impl Changes {
    pub(super) fn below(file: &Path) -> Changes {
        let watch = file.parent().and_then(|folder| watch(folder).ok());
        Changes { watch }
    }

    /// Returns when something has changed since the last call, or might have.
    pub(super) async fn next(&mut self) {
        let Some(watch) = &self.watch else {
            return tokio::time::sleep(FALLBACK).await;
        };
        let mut events = [MaybeUninit::<u8>::uninit(); 4096];
        let drained = watch.async_io(Interest::READABLE, |fd| {
            let (read, _) = rustix::io::read(fd, &mut events[..])?;
            Ok(read.len())
        });
        if drained.await.is_err() {
            self.watch = None;
        }
    }
}

fn watch(folder: &Path) -> io::Result<AsyncFd<OwnedFd>> {
    let fd = inotify::init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)?;
    let flags = WatchFlags::MODIFY | WatchFlags::CREATE | WatchFlags::MOVED_TO;
    inotify::add_watch(&fd, folder, flags)?;
    crate::watched::watch(fd)
}
