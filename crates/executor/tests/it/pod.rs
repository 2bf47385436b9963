//! A pod's shared files below a temporary folder, and programs started in it.
//! What the programs must do is in the files beside this one.

use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::time::{Duration, Instant};

/// How long anything in these tests may take before it counts as stuck.
pub const BOUND: Duration = Duration::from_secs(60);

/// One pod.
pub struct Pod {
    pub root: tempfile::TempDir,
}

impl Pod {
    /// A pod whose template file holds this JSON.
    pub fn with_template(template: &str) -> Self {
        let pod = Self {
            root: tempfile::tempdir().unwrap(),
        };
        std::fs::create_dir_all(pod.path("/var/run/argo")).unwrap();
        std::fs::create_dir_all(pod.path("/dev")).unwrap();
        std::fs::create_dir_all(pod.path("/tmp")).unwrap();
        pod.write("/var/run/argo/template", template);
        pod
    }

    pub fn path(&self, path: &str) -> PathBuf {
        self.root.path().join(path.trim_start_matches('/'))
    }

    pub fn write(&self, path: &str, text: &str) {
        let path = self.path(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    /// A file's text; `None` when there is none.
    pub fn read(&self, path: &str) -> Option<String> {
        std::fs::read_to_string(self.path(path)).ok()
    }

    /// A file of a container's folder.
    pub fn of(&self, container: &str, file: &str) -> Option<String> {
        self.read(&format!("/var/run/argo/ctr/{container}/{file}"))
    }

    /// `emissary -- COMMAND` for a container, ready to be changed and started.
    pub fn emissary(&self, container: &str, command: &[&str]) -> Command {
        self.small("emissary", container, command)
    }

    /// `NAME -- COMMAND` of the small program, as [`Pod::emissary`].
    pub fn small(&self, name: &str, container: &str, command: &[&str]) -> Command {
        let mut program = Command::new(env!("CARGO_BIN_EXE_argosy-emissary"));
        program
            .args([
                name,
                "--loglevel",
                "info",
                "--log-format",
                "text",
                "--gloglevel",
                "0",
                "--",
            ])
            .args(command)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("ARGOSY_ROOT", self.root.path())
            .env("ARGO_CONTAINER_NAME", container)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        program
    }

    /// `sh -c` under the emissary, run to its end.
    pub fn run(&self, container: &str, script: &str) -> Output {
        finish(self.emissary(container, &["sh", "-c", script]).spawn().unwrap())
    }
}

/// Waits for a process with a bound, and gives what it printed.
pub fn finish(child: Child) -> Output {
    let id = rustix::process::Pid::from_child(&child);
    let (done, wait) = std::sync::mpsc::channel();
    let thread = std::thread::spawn(move || done.send(child.wait_with_output().unwrap()));
    let output = wait.recv_timeout(BOUND);
    if output.is_err() {
        let _ = rustix::process::kill_process(id, rustix::process::Signal::KILL);
    }
    let _ = thread.join();
    output.expect("the process ends in time")
}

/// Looks until something is there.
pub fn eventually<T>(what: &str, mut look: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(found) = look() {
            return found;
        }
        assert!(start.elapsed() < BOUND, "{what} did not happen");
        std::thread::sleep(Duration::from_millis(2));
    }
}

/// Makes a process the reaper of its orphans, as the first process of a container is.
pub fn adopt_orphans(command: &mut Command) {
    // SAFETY: one system call between fork and exec.
    #[expect(unsafe_code, reason = "there is no safe way to run code in the child")]
    unsafe {
        command.pre_exec(|| {
            rustix::process::set_child_subreaper(Some(rustix::process::getpid()))
                .map_err(std::io::Error::from)
        });
    }
}

/// The permissions of a file.
pub fn mode(path: &Path) -> u32 {
    use std::os::unix::fs::PermissionsExt as _;
    path.metadata().unwrap().permissions().mode() & 0o7777
}
