//! Other containers of the pod as one of ours sees them: whether they have ended, and orders to them (rules X-WAIT-05,
//! X-EMIS-31, X-APLG-24). Their emissaries are on the other side of the same files.

use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::time::{Instant, timeout_at};

use crate::log;
use crate::outcome::Failure;
use crate::paths::Layout;
use crate::text::failed;
use crate::watch::Watch;

/// How long a killed container may take to say so.
pub const AFTER_KILL: Duration = Duration::from_secs(10);

/// Some containers of the pod.
#[derive(Debug)]
pub struct Others {
    folders: Vec<PathBuf>,
    watch: Watch,
}

impl Others {
    /// Containers by name. They may not have started yet, so that their folders are made (X-EMIS-02).
    ///
    /// # Errors
    /// A folder cannot be made. Then the container has certainly not been started properly.
    pub fn new<'a>(layout: &Layout, names: impl IntoIterator<Item = &'a str>) -> Result<Self, Failure> {
        let mut watch = Watch::new();
        let mut folders = Vec::new();
        for name in names {
            let folder = layout.container(name);
            std::fs::DirBuilder::new()
                .recursive(true)
                .mode(0o777)
                .create(&folder)
                .map_err(|e| Failure::new(failed("mkdir", &folder, &e)))?;
            watch.add(&folder);
            folders.push(folder);
        }
        Ok(Self { folders, watch })
    }

    /// Whether all of them have ended.
    pub fn have_ended(&self) -> bool {
        self.folders.iter().all(|f| has_ended(f))
    }

    /// Returns when that may have changed.
    pub async fn changed(&mut self) {
        self.watch.changed().await;
    }

    /// Leaves an order for the emissaries of those that have not ended.
    pub fn signal(&self, number: i32) {
        for folder in self.folders.iter().filter(|f| !has_ended(f)) {
            if let Err(text) = write_signal(folder, number) {
                log::warn("cannot signal a container", &[("error", &text)]);
            }
        }
    }

    /// Asks them to end, kills those that have not after the grace period, and says whether all are gone.
    pub async fn stop(mut self, grace: Duration) -> bool {
        for (number, time) in [(libc::SIGTERM, grace), (libc::SIGKILL, AFTER_KILL)] {
            self.signal(number);
            let end = Instant::now() + time;
            while !self.have_ended() && timeout_at(end, self.changed()).await.is_ok() {}
        }
        self.have_ended()
    }
}

fn has_ended(folder: &Path) -> bool {
    folder.join("exitcode").exists()
}

fn write_signal(folder: &Path, number: i32) -> Result<(), String> {
    use std::io::Write as _;
    let path = folder.join("signal");
    let mut options = std::fs::OpenOptions::new();
    let options = options.write(true).create(true).truncate(true).mode(0o666);
    options
        .open(&path)
        .and_then(|mut file| file.write_all(number.to_string().as_bytes()))
        .map_err(|e| failed("write", &path, &e))
}
