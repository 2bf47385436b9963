//! Runs our own `examples/` on this machine and checks how each ends.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::{programs, shell};

/// Longest time an example may take; each is made to end within seconds.
const LIMIT: Duration = Duration::from_secs(60);

/// How long a program may take to clean up after it was interrupted.
const STOPPING: Duration = Duration::from_secs(20);

/// Builds the programs and runs every example.
///
/// # Errors
/// When an example ends with another exit code than its first lines say, or doesn't end.
pub fn main() -> anyhow::Result<()> {
    let built = programs::build(programs::Profile::Dev)?;
    let files = files(&shell::root().join("examples"))?;
    let mut failed = 0;
    for file in &files {
        let name = file
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        match check(&built.argosy, file) {
            Ok(took) => println!("test example {name} ... ok ({:.2} s)", took.as_secs_f64()),
            Err(error) => {
                failed += 1;
                println!("test example {name} ... FAILED\n{error:#}");
            }
        }
    }
    println!("{} passed, {failed} failed", files.len() - failed);
    if failed > 0 {
        bail!("{failed} examples did not end as they say");
    }
    Ok(())
}

/// The YAML files of a folder, in order of their names.
///
/// # Errors
/// When the folder can't be read, or has none.
pub fn files(folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("reading folder {}", folder.display()))?;
    let mut files: Vec<PathBuf> = entries
        .filter_map(|e| e.ok().map(|e| e.path()))
        .filter(|p| p.extension().is_some_and(|e| e == "yaml"))
        .collect();
    files.sort();
    if files.is_empty() {
        bail!("no YAML file in {}", folder.display());
    }
    Ok(files)
}

fn check(argosy: &Path, file: &Path) -> anyhow::Result<Duration> {
    let text = std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
    let wanted: i32 = text
        .lines()
        .find_map(|l| l.strip_prefix("# Exit code: "))
        .map_or(Ok(0), |n| n.trim().parse())?;
    let mut command = Command::new(argosy);
    // With the machine's own files instead of images, because a test must not need a registry.
    command.args(["run", "--runtime", "host"]).arg(file);
    let (code, said, took) = run_within(&mut command, LIMIT)?;
    if code != Some(wanted) {
        bail!("exit code {code:?}, expected {wanted}\n{said}");
    }
    Ok(took)
}

/// Runs a program with all its output kept, and stops it as a user would when it takes too long.
///
/// # Errors
/// When it can't be started, or had to be stopped.
pub fn run_within(command: &mut Command, limit: Duration) -> anyhow::Result<(Option<i32>, String, Duration)> {
    let log = tempfile::NamedTempFile::new().context("making a file for the output")?;
    let started = Instant::now();
    let mut child = command
        .stdin(Stdio::null())
        .stdout(log.reopen()?)
        .stderr(log.reopen()?)
        .spawn()
        .with_context(|| format!("starting {}", command.get_program().display()))?;
    let status = wait_within(&mut child, limit);
    let took = started.elapsed();
    let said = String::from_utf8_lossy(&std::fs::read(log.path())?).into_owned();
    match status? {
        Some(status) => Ok((status.code(), said, took)),
        None => bail!("stopped after {} s\n{said}", limit.as_secs()),
    }
}

/// A child is looked at this often; a chore needs no better clock.
const LOOK: Duration = Duration::from_millis(5);

/// Whether a program ends within a time.
///
/// # Errors
/// When the operating system refuses to wait.
pub fn exited_within(child: &mut std::process::Child, limit: Duration) -> anyhow::Result<bool> {
    let started = Instant::now();
    while child.try_wait()?.is_none() {
        if started.elapsed() >= limit {
            return Ok(false);
        }
        std::thread::sleep(LOOK);
    }
    Ok(true)
}

/// Waits for a program; interrupts it, then kills it, when the limit is over. `None` if it had to be stopped.
///
/// # Errors
/// When the operating system refuses to wait.
pub fn wait_within(
    child: &mut std::process::Child,
    limit: Duration,
) -> anyhow::Result<Option<std::process::ExitStatus>> {
    if exited_within(child, limit)? {
        return Ok(Some(child.wait()?));
    }
    let _ = Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status();
    if !exited_within(child, STOPPING)? {
        child.kill()?;
    }
    child.wait()?;
    Ok(None)
}
