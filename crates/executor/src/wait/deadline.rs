//! What happens when main runs longer than it may (rule X-DEAD-01): it is asked to end, then
//! killed, then given up. Plugin sidecars are never stopped by this.

use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::containers::AFTER_KILL;
use crate::startup::Pod;

/// What the pod then shows.
pub const MESSAGE: &str = "Step exceeded its deadline";

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
