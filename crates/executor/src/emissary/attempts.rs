//! Runs of the wrapped process: signals forwarded, sidecars ended, runs repeated where a
//! container set says so (rules X-EMIS-22, X-EMIS-30 to X-EMIS-43).

use std::path::Path;
use std::time::{Duration, Instant};

use super::child::{Child, Program, code_of};
use super::events::{Event, Events};
use super::{Ended, make_open_folder, waiting};
use crate::env;
use crate::log;
use crate::outcome::Failure;
use crate::paths::Layout;
use crate::sys::Signal;
use crate::task::{Retry, Task};

/// How often the process runs, and the pause between two runs.
#[derive(Clone, Copy, Debug)]
struct Plan {
    runs: u64,
    pause: Duration,
}

/// Runs the program until it succeeds, its runs are used up, or a signal says to end.
///
/// # Errors
/// A retry strategy or grace period that makes no sense, or a system that gives no events.
pub fn run(
    layout: &Layout,
    events: &mut Events,
    name: &str,
    task: &Task,
    program: &Program,
) -> Result<Ended, Failure> {
    let plan = plan_of(task)?;
    let folder = layout.container(name);
    let captures = env::is_true("ARGO_INCLUDE_SCRIPT_OUTPUT") || task.archives_logs();
    let mut guard = Guard {
        folder: &folder,
        keep: captures.then_some(folder.as_path()),
        mains: mains_to_outlive(layout, events, name, task)?,
        grace: env::grace()?,
        told_to_end: None,
        kill_at: None,
        deaf_to: None,
    };
    if captures {
        log::info("capturing logs", &[]);
    }
    let mut run = 1;
    loop {
        let ended = guard.attempt(events, program);
        if ended.published == 0 && ended.failure.is_none() {
            return Ok(ended);
        }
        if let Some(signal) = guard.told_to_end {
            // The process may have been told before it could be started.
            return Ok(match ended.failure {
                Some(_) => Ended::with_code(128 + signal),
                None => ended,
            });
        }
        if run >= plan.runs {
            return Ok(ended);
        }
        run += 1;
        log::info("retrying", &[("run", &run.to_string())]);
        let end = Instant::now() + plan.pause;
        if let Some(code) = waiting::for_time(events, &folder, end)? {
            return Ok(Ended::with_code(code));
        }
    }
}

/// Runs an artifact plugin once. That the pod is to end does not reach it: outputs still go through it, and whoever
/// saves them ends it by its `signal` file.
pub fn run_plugin(folder: &Path, events: &mut Events, program: &Program) -> Ended {
    let mut guard = Guard {
        folder,
        keep: None,
        mains: Vec::new(),
        grace: Duration::ZERO,
        told_to_end: None,
        kill_at: None,
        deaf_to: Some(libc::SIGTERM),
    };
    guard.attempt(events, program)
}

/// The main containers that a sidecar must outlive; empty for every other container.
fn mains_to_outlive(
    layout: &Layout,
    events: &mut Events,
    name: &str,
    task: &Task,
) -> Result<Vec<std::path::PathBuf>, Failure> {
    if !task.is_sidecar(name) {
        return Ok(Vec::new());
    }
    let folders: Vec<_> = task
        .main_containers()
        .into_iter()
        .map(|m| layout.container(m))
        .collect();
    for folder in &folders {
        make_open_folder(folder)?;
        events.watch(folder);
    }
    Ok(folders)
}

fn plan_of(task: &Task) -> Result<Plan, Failure> {
    let Some(retry) = task
        .container_set
        .as_ref()
        .and_then(|s| s.retry_strategy.as_ref())
    else {
        return Ok(Plan {
            runs: 1,
            pause: Duration::ZERO,
        });
    };
    Ok(Plan {
        runs: runs_of(retry)?,
        pause: pause_of(retry)?,
    })
}

/// The number of runs. It is the given number, not one more (X-EMIS-41), and at least one, where
/// the peer would not run the command at all (X-EMIS-42).
fn runs_of(retry: &Retry) -> Result<u64, Failure> {
    let number = match &retry.retries {
        serde_json::Value::Number(number) => number.as_i64(),
        serde_json::Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    match number.unwrap_or(1) {
        negative if negative < 0 => Err(Failure::new(format!(
            "invalid retries {negative}: must not be negative"
        ))),
        number => Ok(number.unsigned_abs().max(1)),
    }
}

fn pause_of(retry: &Retry) -> Result<Duration, Failure> {
    if retry.duration.is_empty() {
        return Ok(Duration::ZERO);
    }
    crate::duration::parse(&retry.duration)
        .ok_or_else(|| Failure::new(format!("invalid duration {:?}", retry.duration)))
}

/// Everything that concerns the process while it runs.
struct Guard<'a> {
    folder: &'a Path,
    keep: Option<&'a Path>,
    mains: Vec<std::path::PathBuf>,
    grace: Duration,
    told_to_end: Option<Signal>,
    kill_at: Option<Instant>,
    deaf_to: Option<Signal>,
}

impl Guard<'_> {
    fn attempt(&mut self, events: &mut Events, program: &Program) -> Ended {
        let child = match Child::start(program, self.keep) {
            Ok(child) => child,
            Err(failure) => return Ended::failed(failure),
        };
        let path = self.folder.join("signal");
        log::info("waiting for signals", &[("signalPath", &path.to_string_lossy())]);
        let code = match self.outlast(events, &child) {
            Ok(code) => code,
            Err(failure) => return Ended::failed(failure),
        };
        let error = if code == 0 {
            "<nil>".to_owned()
        } else {
            format!("exit status {code}")
        };
        // Our own lines may go to the same terminal: they come after all that the child wrote.
        let finished = child.finish();
        log::info("sub-process exited", &[("error", &error)]);
        match finished {
            Ok(()) => Ended::with_code(code),
            Err(failure) => Ended {
                published: code,
                failure: Some(failure),
            },
        }
    }

    /// Passes on what happens until the child has ended; gives its code.
    fn outlast(&mut self, events: &mut Events, child: &Child) -> Result<i32, Failure> {
        // Orders may have been left before the child was there, and it may have ended already.
        self.look_at_files(child);
        loop {
            if let Some(status) = child.reap() {
                return Ok(code_of(status));
            }
            let happened = events.next(self.kill_at);
            for event in happened.map_err(|e| Failure::new(format!("poll: {e}")))? {
                match event {
                    Event::Children => {}
                    Event::Files => self.look_at_files(child),
                    Event::Signal(libc::SIGWINCH) => child.resize(),
                    Event::Signal(libc::SIGURG) => {}
                    Event::Signal(signal) if self.deaf_to == Some(signal) => {}
                    Event::Signal(signal) => self.pass_on(child, signal),
                    Event::Deadline => {
                        self.kill_at = None;
                        child.signal(libc::SIGKILL);
                    }
                }
            }
        }
    }

    fn pass_on(&mut self, child: &Child, signal: Signal) {
        if waiting::ends(signal) {
            self.told_to_end = Some(signal);
        }
        child.signal(signal);
    }

    fn look_at_files(&mut self, child: &Child) {
        if let Some(signal) = waiting::take_signal_file(self.folder) {
            self.pass_on(child, signal);
        }
        let ended = |folder: &std::path::PathBuf| waiting::exit_code(folder).is_some();
        if !self.mains.is_empty() && self.mains.iter().all(ended) {
            // A sidecar is not needed any longer (X-EMIS-32).
            self.mains.clear();
            self.kill_at = Some(Instant::now() + self.grace);
            self.pass_on(child, libc::SIGTERM);
        }
    }
}
