//! A platform in a process of its own, in a folder of its own.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Longest time that anything may take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// How often a process or a file is looked at.
const LOOK: Duration = Duration::from_millis(10);

/// Waits until `found` gives something.
pub fn wait_for<T>(what: &str, mut found: impl FnMut() -> Option<T>) -> T {
    wait_within(PATIENCE, what, &mut found)
}

/// The same with a time of its own.
pub fn wait_within<T>(limit: Duration, what: &str, found: &mut dyn FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = found() {
            return found;
        }
        assert!(
            begun.elapsed() < limit,
            "{what}: not within {} s",
            limit.as_secs()
        );
        std::thread::park_timeout(LOOK);
    }
}

/// A folder with a data folder and the images of a user in it, and the process that runs there.
pub struct Machine {
    folder: TempDir,
    child: Option<Child>,
    /// Size of the disk that the platform gets for its data, in KiB; none of its own otherwise.
    disk_kib: Option<u32>,
    /// How pods are connected, as `--network` takes it.
    network: &'static str,
}

/// How a process ended, and what it said.
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Machine {
    /// Nothing runs yet.
    pub fn new() -> Self {
        let folder = tempfile::Builder::new().prefix("argosy-machine-").tempdir();
        Self {
            folder: folder.expect("a folder for the test"),
            child: None,
            disk_kib: None,
            network: "host",
        }
    }

    /// A machine whose pods are connected as when nobody says how.
    pub fn with_own_network() -> Self {
        let mut machine = Self::new();
        machine.network = "auto";
        machine
    }

    /// A machine whose data folder lies on a small disk, which lives as long as the platform's process.
    pub fn with_disk(kib: u32) -> Self {
        let mut machine = Self::new();
        machine.disk_kib = Some(kib);
        machine
    }

    /// A path below the folder as the platform sees it.
    pub fn inside(&self, path: &str) -> PathBuf {
        let folder = self.folder().strip_prefix("/").expect("an absolute path");
        Path::new("/proc")
            .join(self.pid().to_string())
            .join("root")
            .join(folder)
            .join(path)
    }

    /// The folder of the test.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// The data folder of the platform.
    pub fn data(&self) -> PathBuf {
        self.folder().join("data")
    }

    /// The kubeconfig that the platform wrote, as others see it.
    pub fn kubeconfig(&self) -> PathBuf {
        match (self.disk_kib, &self.child) {
            (Some(_), Some(_)) => self.inside("data/kubeconfig"),
            _ => self.data().join("kubeconfig"),
        }
    }

    /// A call of `argosy` in this folder.
    pub fn argosy(&self, args: &[&str]) -> Command {
        let program = Path::new(env!("CARGO_BIN_EXE_argosy"));
        let pod = program.with_file_name("pod").join("argosy-executor");
        assert!(
            pod.is_file(),
            "{} is missing; `cargo xtask build --profile dev` makes it",
            pod.display()
        );
        let mut command = Command::new(program);
        command
            .args(args)
            .current_dir(self.folder())
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap_or_default())
            .env("ARGOSY_DATA", self.folder().join("user"))
            .env("KUBECONFIG", self.kubeconfig())
            .env("TZ", "UTC")
            .stdin(Stdio::null());
        command
    }

    /// Starts the platform and does not wait for anything.
    pub fn spawn(&mut self, more: &[&str]) {
        assert!(self.child.is_none(), "one platform at a time");
        let data = self.data();
        let mut args = vec!["standalone", "--data", data.to_str().expect("a path is text")];
        args.extend(["--runtime", "host", "--network", self.network]);
        args.extend(more);
        let file = |name: &str| File::create(self.folder().join(name)).expect("the folder can be written");
        let mut command = self.argosy(&args);
        if let Some(kib) = self.disk_kib {
            std::fs::create_dir_all(&data).expect("the folder can be written");
            command = self.on_disk(kib, &command);
        }
        let child = command.stdout(file("stdout")).stderr(file("stderr")).spawn();
        self.child = Some(child.expect("the program starts"));
    }

    /// The same command with a disk of its own under the data folder.
    fn on_disk(&self, kib: u32, command: &Command) -> Command {
        let root = rustix::process::geteuid().is_root();
        let mut wrapped = Command::new("unshare");
        // Everybody but root needs a user namespace for that.
        wrapped.args(if root {
            &["--mount"][..]
        } else {
            &["--mount", "--map-root-user"]
        });
        let script = format!("mount -t tmpfs -o size={kib}k none \"$0\" && exec \"$@\"");
        wrapped.args(["sh", "-c", &script]).arg(self.data());
        wrapped.arg(command.get_program()).args(command.get_args());
        wrapped
            .env_clear()
            .current_dir(self.folder())
            .stdin(Stdio::null());
        for (name, value) in command.get_envs() {
            wrapped.env(name, value.unwrap_or_default());
        }
        wrapped
    }

    /// Starts the platform and waits until it is up.
    pub fn start(&mut self) {
        self.start_with(&[]);
    }

    /// The same with more arguments.
    pub fn start_with(&mut self, more: &[&str]) {
        self.spawn(more);
        wait_for("the platform is up", || {
            if let Some(status) = self.exited() {
                panic!("the platform ended with {status}: {}", self.read("stderr"));
            }
            self.read("stdout").contains("kubeconfig: ").then_some(())
        });
    }

    fn exited(&mut self) -> Option<ExitStatus> {
        let child = self.child.as_mut().expect("a platform was started");
        child.try_wait().expect("the process can be asked")
    }

    /// What the platform printed so far to `stdout` or `stderr`.
    pub fn read(&self, stream: &str) -> String {
        std::fs::read_to_string(self.folder().join(stream)).unwrap_or_default()
    }

    /// The address of the API.
    pub fn address(&self) -> String {
        let said = self.read("stdout");
        let found = said
            .lines()
            .find_map(|line| line.strip_prefix("api:        https://"));
        found.expect("the platform says its address").to_owned()
    }

    /// The number of the process.
    pub fn pid(&self) -> u32 {
        self.child.as_ref().expect("a platform was started").id()
    }

    /// Kills it as the kernel does: nothing of it runs any more afterwards.
    pub fn kill(&mut self) {
        let mut child = self.child.take().expect("a platform was started");
        child.kill().expect("the process can be killed");
        child.wait().expect("the process can be awaited");
    }

    /// Asks it to stop, and waits for its end.
    pub fn stop(&mut self) -> Ended {
        let pid = rustix::process::Pid::from_raw(self.pid().cast_signed()).expect("a process has a number");
        rustix::process::kill_process(pid, rustix::process::Signal::TERM).expect("the process can be asked");
        self.ended()
    }

    /// Waits for its end.
    pub fn ended(&mut self) -> Ended {
        let status = wait_for("the platform ends", || self.exited());
        self.child = None;
        Ended {
            code: status.code(),
            stdout: self.read("stdout"),
            stderr: self.read("stderr"),
        }
    }

    /// Writes a file into the folder and gives its path as an argument.
    pub fn file(&self, name: &str, text: &str) -> String {
        let path = self.folder().join(name);
        std::fs::write(&path, text).expect("the folder can be written");
        path.display().to_string()
    }

    /// Submits a workflow of this spec.
    pub fn submit(&self, name: &str, spec: &str) {
        let head = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata:";
        let text =
            format!("{head} {{name: {name}, labels: {{workflows.argoproj.io/test: {name}}}}}\nspec:\n{spec}");
        let file = self.file(&format!("{name}.yaml"), &text);
        let submitted = self.run(&["submit", &file]);
        assert_eq!(submitted.code, Some(0), "{}", submitted.stderr);
    }

    /// The workflow as it is.
    pub fn get(&self, name: &str) -> serde_json::Value {
        let got = self.run(&["get", name, "-o", "json"]);
        serde_json::from_str(&got.stdout).unwrap_or_else(|_| panic!("{}", got.stderr))
    }

    /// The workflow when it has ended and nothing is left to do for it.
    pub fn completed(&self, name: &str) -> serde_json::Value {
        wait_for("the workflow ends", || {
            let got = self.get(name);
            let completed = got["metadata"]["labels"]["workflows.argoproj.io/completed"] == "true";
            completed.then_some(got)
        })
    }

    /// Runs a command of `argosy` to its end.
    pub fn run(&self, args: &[&str]) -> Ended {
        let child = self
            .argosy(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn();
        finish(child.expect("the program starts"), &args.join(" "))
    }
}

/// Waits for the end of a program.
pub fn finish(mut child: Child, what: &str) -> Ended {
    let (stdout, stderr) = (drain(child.stdout.take()), drain(child.stderr.take()));
    let status = wait_for(&format!("{what} ends"), || {
        child.try_wait().expect("it can be asked")
    });
    let text = |pipe: JoinHandle<String>| pipe.join().expect("output is text");
    Ended {
        code: status.code(),
        stdout: text(stdout),
        stderr: text(stderr),
    }
}

/// Reads a pipe to its end, so that nobody waits for room in it.
fn drain(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
    std::thread::spawn(move || {
        let mut text = String::new();
        if let Some(mut pipe) = pipe {
            pipe.read_to_string(&mut text).expect("output is text");
        }
        text
    })
}

impl Drop for Machine {
    fn drop(&mut self) {
        if let Some(mut child) = self.child.take() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
