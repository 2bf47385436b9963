//! Waiting for the main containers: their `exitcode` files say when (rules X-WAIT-05, X-WAIT-06,
//! X-DEAD-01). What they left behind is collected elsewhere.

use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::time::Duration;

use tokio::signal::unix::{SignalKind, signal};
use tokio::time::Instant;

use super::{deadline, progress};
use crate::log;
use crate::outcome::{Failure, write_termination_message};
use crate::report::Reporter;
use crate::startup::Pod;
use crate::text::{failed, reason};
use crate::watch::Watch;

/// What is left of the grace period for saving outputs after a termination signal.
const TO_SAVE: Duration = Duration::from_secs(5);

/// Returns when every main container has ended, or when there is no point in waiting longer.
///
/// # Errors
/// The containers' folders cannot be made. Then main has certainly not been started properly.
pub async fn wait(pod: &Pod, reporter: &Reporter) -> Result<(), Failure> {
    let mut watch = Watch::new();
    let mut folders = Vec::new();
    for name in pod.task.main_containers() {
        let folder = pod.layout.container(name);
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o777)
            .create(&folder)
            .map_err(|e| Failure::new(failed("mkdir", &folder, &e)))?;
        watch.add(&folder);
        folders.push(folder);
    }
    let reporting = tokio::spawn(progress::run(pod.clone(), reporter.clone()));
    let result = until_ended(pod, &folders, &mut watch).await;
    // Nothing is reported after the end (X-PROG-04).
    reporting.abort();
    result
}

async fn until_ended(pod: &Pod, folders: &[PathBuf], watch: &mut Watch) -> Result<(), Failure> {
    let mut terminated =
        signal(SignalKind::terminate()).map_err(|e| Failure::new(format!("signals: {}", reason(&e))))?;
    let mut stopping = deadline::Stopping::new(pod);
    let mut give_up: Option<Instant> = None;
    loop {
        if folders.iter().all(|f| f.join("exitcode").exists()) {
            log::info("Main container completed", &[]);
            return Ok(());
        }
        tokio::select! {
            () = watch.changed() => {}
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
                    deadline::signal(folders, 15);
                }
                deadline::Step::GraceOver => deadline::signal(folders, 9),
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
