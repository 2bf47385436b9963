//! Waits that come before and after the wrapped process: for other containers, for files, for
//! a time. Each can be ended by a termination signal (rules X-EMIS-07, X-EMIS-20).

use std::path::Path;
use std::time::Instant;

use super::events::{Event, Events};
use super::{Ended, make_open_folder};
use crate::log;
use crate::outcome::Failure;
use crate::paths::Layout;
use crate::sys::Signal;
use crate::task::Task;

/// Waits for every dependency in turn. Gives how the container ends if it must not start.
pub fn for_dependencies(
    layout: &Layout,
    events: &mut Events,
    name: &str,
    task: &Task,
) -> Result<Option<Ended>, Failure> {
    for dependency in task.dependencies(name) {
        log::info("waiting for dependency", &[("dependency", dependency)]);
        let folder = layout.container(dependency);
        make_open_folder(&folder)?;
        events.watch(&folder);
        let own = layout.container(name);
        let code = match until(events, &own, None, || exit_code(&folder))? {
            Until::Found(code) => code,
            Until::Ended(code) => return Ok(Some(Ended::with_code(code))),
            Until::Deadline => unreachable!("there is no deadline"),
        };
        if code != 0 {
            let message = format!("dependency \"{dependency}\" exited with non-zero code: {code}");
            return Ok(Some(Ended {
                published: code,
                failure: Some(Failure::new(message)),
            }));
        }
    }
    Ok(None)
}

/// Waits until a file of the container's folder exists. Gives an exit code if a signal ended
/// the wait.
pub fn for_file(events: &mut Events, folder: &Path, name: &str) -> Result<Option<i32>, Failure> {
    let path = folder.join(name);
    log::info("pausing", &[("until", &path.to_string_lossy())]);
    match until(events, folder, None, || path.exists().then_some(()))? {
        Until::Found(()) | Until::Deadline => Ok(None),
        Until::Ended(code) => Ok(Some(code)),
    }
}

/// Waits until a moment. Gives an exit code if a signal ended the wait.
pub fn for_time(events: &mut Events, folder: &Path, end: Instant) -> Result<Option<i32>, Failure> {
    match until(events, folder, Some(end), || None::<()>)? {
        Until::Ended(code) => Ok(Some(code)),
        Until::Found(()) | Until::Deadline => Ok(None),
    }
}

/// How a wait ended.
pub enum Until<T> {
    /// What was waited for is there.
    Found(T),
    /// A signal ended it; the exit code that follows from the signal.
    Ended(i32),
    /// The time is up.
    Deadline,
}

/// Waits until `look` finds something, looking again whenever a watched file changes.
pub fn until<T>(
    events: &mut Events,
    own_folder: &Path,
    deadline: Option<Instant>,
    mut look: impl FnMut() -> Option<T>,
) -> Result<Until<T>, Failure> {
    loop {
        if let Some(found) = look() {
            return Ok(Until::Found(found));
        }
        if let Some(signal) = take_signal_file(own_folder)
            && ends(signal)
        {
            return Ok(Until::Ended(128 + signal));
        }
        for event in events
            .next(deadline)
            .map_err(|e| Failure::new(format!("poll: {e}")))?
        {
            match event {
                Event::Signal(signal) if ends(signal) => return Ok(Until::Ended(128 + signal)),
                Event::Deadline => return Ok(Until::Deadline),
                Event::Children => reap_orphans(),
                Event::Signal(_) | Event::Files => {}
            }
        }
    }
}

/// Whether a signal asks the container to end.
pub fn ends(signal: Signal) -> bool {
    matches!(
        signal,
        libc::SIGTERM | libc::SIGKILL | libc::SIGINT | libc::SIGQUIT
    )
}

/// The number in a container's `exitcode` file; `None` while it is not there or not whole.
pub fn exit_code(folder: &Path) -> Option<i32> {
    std::fs::read_to_string(folder.join("exitcode"))
        .ok()?
        .trim()
        .parse()
        .ok()
}

/// Takes the order that another container left in the `signal` file (X-EMIS-31). A file that
/// holds no positive number may be half-written, and is left for the next look.
pub fn take_signal_file(folder: &Path) -> Option<Signal> {
    let path = folder.join("signal");
    let signal = std::fs::read_to_string(&path)
        .ok()?
        .trim()
        .parse::<Signal>()
        .ok()?;
    if signal <= 0 {
        return None;
    }
    // Deleted before it is acted upon, so that an order is never carried out twice.
    std::fs::remove_file(&path).ok()?;
    Some(signal)
}

fn reap_orphans() {
    while let Ok(Some(_)) = rustix::process::wait(rustix::process::WaitOptions::NOHANG) {}
}
