//! Long-running programs of the cluster, each with a log and a file that holds its process id.

use std::fs::File;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::Context;

/// The folder with `NAME.pid` and `logs/NAME.log`.
pub struct Processes {
    /// The cluster's state.
    pub folder: PathBuf,
}

impl Processes {
    /// Starts a program that outlives us, unless it runs already.
    ///
    /// # Errors
    /// When it can't be started.
    pub fn start(&self, name: &str, program: &Path, args: &[String]) -> anyhow::Result<()> {
        if self.running(name).is_some() {
            return Ok(());
        }
        let log = self.folder.join("logs").join(format!("{name}.log"));
        let out = File::create(&log).with_context(|| format!("creating {}", log.display()))?;
        // As many open files as the kernel allows: an API server with thousands of watches needs them.
        let child = Command::new("sh")
            .args(["-c", "ulimit -n \"$(ulimit -Hn)\"; exec \"$@\"", "sh"])
            .arg(program)
            .args(args)
            .current_dir(&self.folder)
            .stdin(Stdio::null())
            .stdout(out.try_clone()?)
            .stderr(out)
            .process_group(0)
            .spawn()
            .with_context(|| format!("starting {}", program.display()))?;
        std::fs::write(self.pid_file(name), child.id().to_string())?;
        Ok(())
    }

    /// Asks a program to end and waits for it; kills it after five seconds.
    pub fn stop(&self, name: &str) {
        let Some(pid) = self.running(name) else { return };
        let signal = |word: &str| drop(Command::new("kill").args([word, &pid.to_string()]).status());
        signal("-TERM");
        let asked = Instant::now();
        let mut killed = false;
        while self.running(name).is_some() && asked.elapsed() < Duration::from_secs(10) {
            if !killed && asked.elapsed() > Duration::from_secs(5) {
                signal("-KILL");
                killed = true;
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        let _ = std::fs::remove_file(self.pid_file(name));
    }

    /// The last lines of a program's log.
    pub fn log_end(&self, name: &str) -> String {
        let log = self.folder.join("logs").join(format!("{name}.log"));
        let text = std::fs::read_to_string(log).unwrap_or_default();
        let lines: Vec<&str> = text.lines().collect();
        lines[lines.len().saturating_sub(15)..].join("\n")
    }

    /// The process id of a program that runs and is no zombie.
    pub fn running(&self, name: &str) -> Option<u32> {
        let pid: u32 = std::fs::read_to_string(self.pid_file(name)).ok()?.parse().ok()?;
        let status = std::fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let state = status.rsplit(')').next()?.trim_start().chars().next()?;
        (state != 'Z').then_some(pid)
    }

    fn pid_file(&self, name: &str) -> PathBuf {
        self.folder.join(format!("{name}.pid"))
    }
}

/// Asks until the answer is yes.
///
/// # Errors
/// When it is not within the limit.
pub fn wait(what: &str, limit: Duration, mut ask: impl FnMut() -> bool) -> anyhow::Result<()> {
    let begun = Instant::now();
    while !ask() {
        anyhow::ensure!(
            begun.elapsed() < limit,
            "{what} took longer than {} s",
            limit.as_secs()
        );
        std::thread::sleep(Duration::from_millis(200));
    }
    Ok(())
}
