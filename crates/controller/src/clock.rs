//! What time it is, as one value that a test can replace. Waiting is tokio's; see [`watch`] for clocks that are set.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;
use tracing::info;

use crate::{Shared, worker};

/// How often the clock is held against the time that passed. A machine that slept finds what it missed this late.
const CHECK: Duration = Duration::from_secs(10);

/// From how many seconds on the clock counts as set: less is drift, which schedules by the second do not feel.
const SET_SECS: f64 = 1.0;

/// Tells the time. Default: that of the machine.
#[derive(Clone)]
pub struct Clock(Arc<dyn Fn() -> Timestamp + Send + Sync>);

impl Clock {
    /// A clock of this function.
    pub fn new(now: impl Fn() -> Timestamp + Send + Sync + 'static) -> Self {
        Self(Arc::new(now))
    }

    /// The time.
    pub fn now(&self) -> Timestamp {
        (self.0)()
    }
}

impl Default for Clock {
    fn default() -> Self {
        Self::new(Timestamp::now)
    }
}

/// The time until then; none when it has passed.
pub fn wait_until(at: Timestamp, now: Timestamp) -> Duration {
    Duration::try_from(at.duration_since(now)).unwrap_or(Duration::ZERO)
}

/// Looks at everything anew when the clock was set or the machine slept: waits are measured in time that passed.
pub(crate) async fn watch(shared: Arc<Shared>) {
    loop {
        let (clock, began) = (shared.clock.now(), Instant::now());
        tokio::time::sleep(CHECK).await;
        let shown = shared.clock.now().duration_since(clock).as_secs_f64();
        let jump = shown - began.elapsed().as_secs_f64();
        if jump.abs() < SET_SECS {
            continue;
        }
        info!(seconds = jump, "The clock was set; looking at everything anew");
        for key in worker::unfinished(&shared) {
            shared.queue.add(key);
        }
        shared.crons.look_at(shared.world.cron_keys());
    }
}
