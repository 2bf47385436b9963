//! `emissary -- CMD [ARG…]`: wraps the process of a user container (section 5 of the executor's
//! rules). It ends when that process ends; nothing here waits by polling.
//!
//! This file holds the order of the steps. How each is done is in the files beside it.

mod attempts;
mod capture;
mod child;
mod events;
mod links;
mod outputs;
mod ready;
mod terminal;
mod waiting;

use std::ffi::OsString;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use crate::log;
use crate::outcome::{EXECUTOR_ERROR, Failure};
use crate::paths::{Layout, MAIN};
use crate::task::Task;
use crate::text::failed;
use crate::{env, sys};

use events::Events;

/// Longest argument that is passed as it is when arguments were offloaded, in bytes (X-EMIS-03).
const LONGEST_ARG: usize = 131_072;

/// How the wrapped container ends.
#[derive(Debug)]
struct Ended {
    /// What goes into the `exitcode` file.
    published: i32,
    /// Why the process does not simply end with the published code.
    failure: Option<Failure>,
}

impl Ended {
    fn with_code(code: i32) -> Self {
        Self {
            published: code,
            failure: None,
        }
    }

    fn failed(failure: Failure) -> Self {
        Self {
            published: failure.code,
            failure: Some(failure),
        }
    }
}

/// Wraps one command from start to end and gives the process's exit code.
///
/// # Errors
/// Anything but the command's own failure; the exit code file is written all the same
/// (X-EMIS-01).
pub fn run(layout: &Layout, command: Vec<OsString>) -> Result<i32, Failure> {
    let (name, folder) = begin(layout, &command)?;
    let ended = wrap(layout, &name, command).unwrap_or_else(Ended::failed);
    publish(&folder, ended.published)?;
    log::info("file signal handler exiting due to context cancellation", &[]);
    match ended.failure {
        Some(failure) => Err(failure),
        None => {
            if ended.published != 0 {
                log::final_error(&format!("exit status {}", ended.published));
            }
            Ok(ended.published)
        }
    }
}

/// Runs an artifact plugin beside main until it is told to end by its `signal` file; the exit code is 0 whatever
/// becomes of it (X-APLG-21).
///
/// # Errors
/// It cannot be started.
pub fn run_plugin(layout: &Layout, command: Vec<OsString>) -> Result<i32, Failure> {
    let (_, folder) = begin(layout, &command)?;
    let run = || {
        let mut events = Events::new().map_err(|e| Failure::new(format!("signals: {e}")))?;
        events.watch(&folder);
        Ok(attempts::run_plugin(&folder, &mut events, &program(command)?))
    };
    let ended = run().unwrap_or_else(Ended::failed);
    publish(&folder, ended.published)?;
    ended.failure.map_or(Ok(0), Err)
}

/// The container's name and its folder, which is there then.
fn begin(layout: &Layout, command: &[OsString]) -> Result<(String, PathBuf), Failure> {
    if command.is_empty() {
        return Err(Failure::new("requires at least 1 arg(s), only received 0"));
    }
    let name = env::container_name();
    if name.is_empty() {
        return Err(Failure::new("ARGO_CONTAINER_NAME is not set"));
    }
    sys::clear_umask();
    let folder = layout.container(&name);
    make_open_folder(&folder)?;
    Ok((name, folder))
}

/// Looks the command up.
fn program(command: Vec<OsString>) -> Result<child::Program, Failure> {
    let mut words = command.into_iter();
    let Some(word) = words.next() else {
        return Err(Failure::new("requires at least 1 arg(s), only received 0"));
    };
    Ok(child::Program {
        path: child::find(&word)?,
        name: word,
        args: words.collect(),
    })
}

fn wrap(layout: &Layout, name: &str, command: Vec<OsString>) -> Result<Ended, Failure> {
    let mut events = Events::new().map_err(|e| Failure::new(format!("signals: {e}")))?;
    events.watch(&layout.container(name));
    let command = with_offloaded_args(layout, command)?;
    let waits_for_ready = env::is_true("ARGO_WAIT_FOR_READY");
    if waits_for_ready && let Some(code) = ready::wait(layout, &mut events)? {
        return Ok(Ended::with_code(code));
    }
    let task = Task::load(layout)?;
    if waits_for_ready && name == MAIN {
        links::stage(layout, &task)?;
    }
    if let Some(ended) = waiting::for_dependencies(layout, &mut events, name, &task)? {
        return Ok(ended);
    }
    let program = program(command)?;
    let folder = layout.container(name);
    if env::is_true("ARGO_DEBUG_PAUSE_BEFORE")
        && let Some(code) = waiting::for_file(&mut events, &folder, "before")?
    {
        return Ok(Ended::with_code(code));
    }
    let ended = attempts::run(layout, &mut events, name, &task, &program)?;
    if env::is_true("ARGO_DEBUG_PAUSE_AFTER") {
        // A signal that comes now ends the pause; the code is already known.
        waiting::for_file(&mut events, &folder, "after")?;
    }
    Ok(after(layout, name, &task, ended))
}

/// Saves outputs, which never changes the published code but may fail the process (X-EMIS-51).
fn after(layout: &Layout, name: &str, task: &Task, ended: Ended) -> Ended {
    let saved = if name == MAIN {
        outputs::save(layout, task)
    } else {
        log::info("not saving outputs - not main container", &[]);
        Ok(())
    };
    match saved {
        Err(failure) if ended.failure.is_none() => Ended {
            failure: Some(failure),
            ..ended
        },
        _ => ended,
    }
}

/// Appends arguments that did not fit into the pod, and moves those that no kernel would pass
/// into files (X-EMIS-03).
fn with_offloaded_args(layout: &Layout, mut command: Vec<OsString>) -> Result<Vec<OsString>, Failure> {
    let Some(file) = env::text("ARGO_CONTAINER_ARGS_FILE") else {
        return Ok(command);
    };
    let path = layout.place(file);
    let text = std::fs::read(&path).map_err(|e| Failure::new(failed("open", &path, &e)))?;
    let more: Vec<String> = serde_json::from_slice(&text)
        .map_err(|e| Failure::new(format!("failed to unmarshal container args: {e}")))?;
    command.extend(more.into_iter().map(OsString::from));
    for (index, arg) in command.iter_mut().skip(1).enumerate() {
        if arg.len() <= LONGEST_ARG {
            continue;
        }
        let path = layout.place(format!("/tmp/argo_arg_{index}.txt"));
        std::fs::write(&path, arg.as_encoded_bytes())
            .and_then(|()| set_mode(&path, 0o644))
            .map_err(|e| Failure::new(failed("write", &path, &e)))?;
        let mut reference = OsString::from("@");
        reference.push(&path);
        *arg = reference;
    }
    Ok(command)
}

fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(mode))
}

/// Makes a folder that every user may write to. One that is already there stays as it is.
fn make_open_folder(path: &Path) -> Result<(), Failure> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o777)
        .create(path)
        .map_err(|e| Failure::new(failed("mkdir", path, &e)))
}

/// Makes the code visible all at once: readers wait for the file to appear and read it then.
fn publish(folder: &Path, code: i32) -> Result<(), Failure> {
    let (path, half) = (folder.join("exitcode"), folder.join("exitcode.tmp"));
    let write = || -> io::Result<()> {
        use std::io::Write as _;
        let mut options = std::fs::OpenOptions::new();
        let mut file = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o644)
            .open(&half)?;
        write!(file, "{code}")?;
        std::fs::rename(&half, &path)
    };
    write().map_err(|e| {
        Failure::new(failed("write", &path, &e)).with_code(if code == 0 { EXECUTOR_ERROR } else { code })
    })
}
