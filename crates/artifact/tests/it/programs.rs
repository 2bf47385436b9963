//! Servers as programs that a test starts and ends. Where they come from is said in their messages.

use std::net::TcpListener as StdListener;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

/// A machine under load starts a server in seconds; one that needs longer will not come.
const START: Duration = Duration::from_secs(60);

/// A running program; it ends with the test.
pub struct Program {
    child: Child,
    pub port: u16,
}

impl Drop for Program {
    fn drop(&mut self) {
        // It may have ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The path of a program among the brought ones or on `PATH`.
pub fn find(name: &str) -> PathBuf {
    let parts = std::env::var_os("ARGOSY_PARTS").map(PathBuf::from);
    let home = std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache/argosy-parts"));
    if name.starts_with('/') {
        return name.into();
    }
    let brought = parts.or(home).map(|folder| folder.join("bin"));
    let path = std::env::var_os("PATH").unwrap_or_default();
    let path = format!("{}:/usr/sbin:/sbin", path.to_string_lossy());
    brought
        .into_iter()
        .chain(std::env::split_paths(&path))
        .map(|folder| folder.join(name))
        .find(|path| path.is_file())
        .unwrap_or_else(|| {
            panic!(
                "program {name} is missing: bring it with `cargo xtask parts`, or install it (see .ci/run)"
            )
        })
}

/// A port that nobody listened on a moment ago.
fn free_port() -> u16 {
    let listener = StdListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

/// Starts a program and waits until it listens. Another process may be quicker to take the port,
/// so that a program that ends at once is started again on another one.
pub fn start(name: &str, set_up: impl Fn(&mut Command, u16)) -> Program {
    let path = find(name);
    for _ in 0..5 {
        let port = free_port();
        let mut command = Command::new(&path);
        set_up(&mut command, port);
        let quiet = command
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let child = quiet.spawn().unwrap_or_else(|e| panic!("{name}: {e}"));
        let mut program = Program { child, port };
        if listens(&mut program) {
            return program;
        }
    }
    panic!("{name} does not start");
}

fn listens(program: &mut Program) -> bool {
    let end = Instant::now() + START;
    while Instant::now() < end {
        if std::net::TcpStream::connect(("127.0.0.1", program.port)).is_ok() {
            return program.child.try_wait().unwrap().is_none();
        }
        if program.child.try_wait().unwrap().is_some() {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    false
}

/// Set in a test that [`again`] runs.
const INSIDE: &str = "ARGOSY_TEST_INSIDE";

/// Runs one test of this program once more, with other environment variables: those of a process
/// cannot be changed while other tests run in it. Gives what it printed.
pub fn again(test: &str, variables: &[(&str, String)]) -> Result<(), String> {
    let mut command = Command::new(std::env::current_exe().unwrap());
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("AWS_") {
            command.env_remove(name);
        }
    }
    command.args([test, "--exact", "--nocapture"]).env(INSIDE, "yes");
    command.envs(variables.iter().map(|(name, value)| (name, value)));
    let output = command.output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    if output.status.success() && text(&output.stdout).contains("1 passed") {
        return Ok(());
    }
    Err(format!("{}{}", text(&output.stdout), text(&output.stderr)))
}

/// Whether this is a test that [`again`] runs.
pub fn is_inside() -> bool {
    std::env::var_os(INSIDE).is_some()
}
