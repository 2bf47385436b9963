//! Working directory, environment and program of a process, in the words of Go's `exec` package that users know from runc.

use std::ffi::CString;
use std::fs;
use std::io;
use std::os::unix::fs::PermissionsExt;

use super::creds::User;
use super::{failure, sys};
use crate::runtime::{ProcessSpec, StartFailure};

/// Search path when the environment has none.
pub(crate) const DEFAULT_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// Changes to the working directory, which containerd makes if it is missing.
pub(super) fn enter_working_directory(cwd: &str) -> Result<(), StartFailure> {
    let cwd = if cwd.is_empty() { "/" } else { cwd };
    if std::env::set_current_dir(cwd).is_ok() {
        return Ok(());
    }
    fs::create_dir_all(cwd)
        .and_then(|()| std::env::set_current_dir(cwd))
        .map_err(|e| {
            failure(
                format_args!("chdir to cwd ({cwd:?}) set in config.json failed"),
                reason(&e),
            )
        })
}

/// The environment with later entries winning, and `HOME`, `PATH` and, with a terminal, `TERM` filled in.
pub(super) fn environment(spec: &ProcessSpec, user: &User) -> Vec<(String, String)> {
    let mut env: Vec<(String, String)> = Vec::with_capacity(spec.env.len() + 2);
    for (name, value) in &spec.env {
        match env.iter_mut().find(|(known, _)| known == name) {
            Some(entry) => entry.1.clone_from(value),
            None => env.push((name.clone(), value.clone())),
        }
    }
    let mut usual = vec![("PATH", DEFAULT_PATH), ("HOME", user.home.as_str())];
    usual.extend(spec.terminal.then_some(("TERM", "xterm")));
    for (name, value) in usual {
        if !env.iter().any(|(known, _)| known == name) {
            env.push((name.into(), value.into()));
        }
    }
    env
}

/// Finds the program: as it is when it holds a slash, else in `PATH`.
pub(super) fn look_up(argv: &[String], env: &[(String, String)]) -> Result<String, StartFailure> {
    let Some(name) = argv.first().filter(|name| !name.is_empty()) else {
        return Err(command("exec: no command"));
    };
    if name.contains('/') {
        return match check_executable(name) {
            Ok(()) => Ok(name.clone()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Err(command(format!(
                "exec: {name:?}: stat {name}: no such file or directory"
            ))),
            Err(error) => Err(command(format!("exec: {name:?}: {}", reason(&error)))),
        };
    }
    let path = env
        .iter()
        .find(|(key, _)| key == "PATH")
        .map_or("", |(_, value)| value);
    let mut refused = None;
    for folder in path.split(':') {
        let candidate = format!("{}/{name}", if folder.is_empty() { "." } else { folder });
        match check_executable(&candidate) {
            Ok(()) => return Ok(candidate),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => refused = Some(error),
            Err(_) => {}
        }
    }
    Err(command(match refused {
        Some(_) => format!("exec: {name:?}: permission denied"),
        None => format!("exec: {name:?}: executable file not found in $PATH"),
    }))
}

fn check_executable(path: &str) -> io::Result<()> {
    let data = fs::metadata(path)?;
    if data.is_dir() {
        return Err(io::ErrorKind::IsADirectory.into());
    }
    if data.permissions().mode() & 0o111 == 0 {
        return Err(io::ErrorKind::PermissionDenied.into());
    }
    Ok(())
}

/// Replaces the process; returns why it could not.
pub(super) fn execute(program: &str, argv: &[String], env: &[(String, String)]) -> StartFailure {
    let strings = || -> Result<_, std::ffi::NulError> {
        let program = CString::new(program)?;
        let argv = argv
            .iter()
            .map(|a| CString::new(a.as_str()))
            .collect::<Result<Vec<_>, _>>()?;
        let env = env
            .iter()
            .map(|(k, v)| CString::new(format!("{k}={v}")))
            .collect::<Result<Vec<_>, _>>()?;
        Ok((program, argv, env))
    };
    match strings() {
        Err(_) => command("exec: an argument or environment variable contains a nul byte"),
        Ok((path, argv, env)) => command(format!(
            "exec {program}: {}",
            reason(&sys::execve(&path, &argv, &env))
        )),
    }
}

fn command(message: impl Into<String>) -> StartFailure {
    StartFailure {
        command: true,
        message: message.into(),
    }
}

/// The text of an operating system error as Go prints it: lower case, no number.
pub(super) fn reason(error: &io::Error) -> String {
    match error.raw_os_error() {
        Some(libc::E2BIG) => "argument list too long".into(),
        Some(libc::ENOEXEC) => "exec format error".into(),
        Some(libc::ENOENT) => "no such file or directory".into(),
        Some(libc::EACCES) => "permission denied".into(),
        Some(libc::EPERM) => "operation not permitted".into(),
        Some(libc::ENOTDIR) => "not a directory".into(),
        Some(libc::EISDIR) => "is a directory".into(),
        _ if error.kind() == io::ErrorKind::PermissionDenied => "permission denied".into(),
        _ if error.kind() == io::ErrorKind::IsADirectory => "is a directory".into(),
        _ => error.to_string(),
    }
}
