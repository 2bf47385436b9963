//! What happens when main runs longer than it may (rule X-DEAD-01): it is asked to end, then
//! killed, then given up. Plugin sidecars are never stopped by this.

use std::os::unix::fs::OpenOptionsExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::log;
use crate::startup::Pod;
use crate::text::failed;

/// What the pod then shows.
pub const MESSAGE: &str = "Step exceeded its deadline";

/// How long a killed container may take to say so.
const AFTER_KILL: Duration = Duration::from_secs(10);

/// The steps, each reported once.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Step {
    /// The deadline passed: ask the containers to end.
    Passed,
    /// They had their grace period: kill them.
    GraceOver,
    /// They were killed and still have not ended.
    Hopeless,
}

/// When the next step is due.
#[derive(Debug)]
pub struct Stopping {
    next: Option<(Instant, Step)>,
    grace: Duration,
}

impl Stopping {
    /// From a pod's deadline, which may have passed already.
    pub fn new(pod: &Pod) -> Self {
        let left = |deadline: Timestamp| {
            let left = deadline.as_millisecond() - Timestamp::now().as_millisecond();
            Duration::from_millis(u64::try_from(left).unwrap_or(0))
        };
        let next = pod.deadline.and_then(|d| Instant::now().checked_add(left(d)));
        Self {
            next: next.map(|time| (time, Step::Passed)),
            grace: pod.grace,
        }
    }

    /// Returns when the next step is due; never, when there is none.
    pub async fn next(&mut self) -> Step {
        let Some((time, step)) = self.next else {
            return std::future::pending().await;
        };
        tokio::time::sleep_until(time).await;
        self.next = match step {
            Step::Passed => Some((Instant::now() + self.grace, Step::GraceOver)),
            Step::GraceOver => Some((Instant::now() + AFTER_KILL, Step::Hopeless)),
            Step::Hopeless => None,
        };
        step
    }
}

/// Leaves an order for the emissaries of containers that have not ended.
pub fn signal(folders: &[PathBuf], number: i32) {
    for folder in folders.iter().filter(|f| !f.join("exitcode").exists()) {
        if let Err(text) = write_signal(folder, number) {
            log::warn("cannot signal a container", &[("error", &text)]);
        }
    }
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
