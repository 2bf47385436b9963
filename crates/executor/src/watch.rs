//! Changes of files as they happen, for the commands that run on the asynchronous runtime
//! (rule X-EMIS-33). The emissary has its own, which needs no runtime.

use std::path::Path;
use std::time::Duration;

use rustix::fs::inotify;
use tokio::io::unix::AsyncFd;

/// How often files are looked at when the system has no watches left.
const FALLBACK_PERIOD: Duration = Duration::from_secs(2);

/// Folders whose files are watched.
#[derive(Debug)]
pub struct Watch {
    // None when the system has no watches left.
    queue: Option<AsyncFd<std::os::fd::OwnedFd>>,
}

impl Watch {
    /// Watches nothing yet.
    pub fn new() -> Self {
        let flags = inotify::CreateFlags::CLOEXEC | inotify::CreateFlags::NONBLOCK;
        let queue = inotify::init(flags).ok();
        Self {
            queue: queue.and_then(|q| crate::sys::readable(q).ok()),
        }
    }

    /// Reports changes of the files directly in a folder from now on.
    pub fn add(&mut self, folder: &Path) {
        let wanted = inotify::WatchFlags::CREATE
            | inotify::WatchFlags::CLOSE_WRITE
            | inotify::WatchFlags::MODIFY
            | inotify::WatchFlags::MOVED_TO;
        if let Some(queue) = &self.queue
            && inotify::add_watch(queue.get_ref(), folder, wanted).is_err()
        {
            self.queue = None;
        }
    }

    /// Returns when something may have changed. What it was is seen by looking.
    pub async fn changed(&mut self) {
        if let Some(queue) = &self.queue
            && let Ok(mut ready) = queue.readable().await
        {
            let mut buffer = [0_u8; 4096];
            while rustix::io::read(queue.get_ref(), &mut buffer).is_ok_and(|read| read > 0) {}
            ready.clear_ready();
            return;
        }
        tokio::time::sleep(FALLBACK_PERIOD).await;
    }
}
