//! Waiting for the main containers: their `exitcode` files say when (rules X-WAIT-05, X-WAIT-06,
//! X-DEAD-01). What they left behind is collected elsewhere.

use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;

use super::{deadline, progress};
use crate::containers::Others;
use crate::log;
use crate::outcome::{Failure, write_termination_message};
use crate::report::Reporter;
use crate::startup::Pod;
use crate::text::reason;

/// What is left of the grace period for saving outputs after a termination signal.
const TO_SAVE: Duration = Duration::from_secs(5);

/// Returns when every main container has ended, or when there is no point in waiting longer.
///
/// # Errors
/// The containers' folders cannot be made. Then main has certainly not been started properly.
pub async fn wait(pod: &Pod, reporter: &Reporter) -> Result<(), Failure> {
    let mut mains = Others::new(&pod.layout, pod.task.main_containers())?;
    let reporting = tokio::spawn(progress::run(pod.clone(), reporter.clone()));
    let result = until_ended(pod, &mut mains).await;
    // Nothing is reported after the end (X-PROG-04).
    reporting.abort();
    result
}

async fn until_ended(pod: &Pod, mains: &mut Others) -> Result<(), Failure> {
    let mut terminated =
        signal(SignalKind::terminate()).map_err(|e| Failure::new(format!("signals: {}", reason(&e))))?;
    let mut stopping = deadline::Stopping::new(pod);
    let mut give_up: Option<Instant> = None;
    loop {
        if mains.have_ended() {
            log::info("Main container completed", &[]);
            return Ok(());
        }
        tokio::select! {
            () = mains.changed() => {}
            _ = terminated.recv() => {
                // Main is told at the same time. What it still writes in its grace period is
                // worth keeping (X-WAIT-06).
                let left = pod.grace.saturating_sub(TO_SAVE).max(Duration::from_secs(1));
                give_up.get_or_insert(Instant::now() + left);
            }
            () = at(give_up) => {
                log::warn("main did not end in time", &[]);
                return Ok(());
            }
            next = stopping.next() => match next {
                deadline::Step::Passed => {
                    write_termination_message(&pod.layout, deadline::MESSAGE);
                    mains.signal(libc::SIGTERM);
                }
                deadline::Step::GraceOver => mains.signal(libc::SIGKILL),
                deadline::Step::Hopeless => {
                    log::warn("main did not end although it was killed", &[]);
                    return Ok(());
                }
            }
        }
    }
}

/// Never, when there is no such time.
async fn at(time: Option<Instant>) {
    match time {
        Some(time) => tokio::time::sleep_until(time).await,
        None => std::future::pending().await,
    }
}
