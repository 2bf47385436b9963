//! The first steps of a container and of a process in a running container, up to `execve`.

use std::io::{self, Write};
use std::os::fd::{AsFd, OwnedFd};

use rustix::process::{Pid, PidfdFlags};
use rustix::pty::OpenptFlags;

use super::{cgroup, creds, failure, mounts, oci, process, seccomp, sys};
use crate::runtime::{Cgroup, ContainerSpec, ProcessSpec, StartFailure, Stdio, wire};

/// Exit code of a container that could not be started, as containerd reports it.
const START_FAILED: i32 = 128;

/// The descriptors of one process to be started.
pub(super) struct Io {
    /// Closed when the program runs; otherwise told why it does not.
    pub(super) status: OwnedFd,
    pub(super) streams: Stdio,
}

impl Io {
    fn become_stdio(&self) -> Result<(), StartFailure> {
        let [stdin, stdout, stderr] = match &self.streams {
            Stdio::Pipes {
                stdin,
                stdout,
                stderr,
            } => [stdin, stdout, stderr],
            Stdio::Terminal { console } => {
                let terminal = terminal(console).map_err(|e| failure("making a terminal", e))?;
                return become_all([&terminal; 3]);
            }
        };
        become_all([stdin, stdout, stderr])
    }
}

fn become_all(streams: [&OwnedFd; 3]) -> Result<(), StartFailure> {
    let [stdin, stdout, stderr] = streams;
    rustix::stdio::dup2_stdin(stdin)
        .and_then(|()| rustix::stdio::dup2_stdout(stdout))
        .and_then(|()| rustix::stdio::dup2_stderr(stderr))
        .map_err(|e| failure("standard input and output", e))
}

/// Makes a terminal among those of the container, where programs find its name, and sends its other side to `console`.
fn terminal(console: &OwnedFd) -> io::Result<OwnedFd> {
    let flags = OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC;
    let outer = rustix::pty::openpt(flags)?;
    rustix::pty::unlockpt(&outer)?;
    let inner = rustix::pty::ioctl_tiocgptpeer(&outer, flags)?;
    wire::send(console, &(), &[outer.as_fd()])?;
    Ok(inner)
}

/// Tells the node why nothing was started.
pub(super) fn fail(status: OwnedFd, failure: &StartFailure) {
    let bytes = serde_json::to_vec(failure).unwrap_or_default();
    let _ = std::fs::File::from(status).write_all(&bytes);
}

/// Runs a container in the new process; never returns.
pub(super) fn container(spec: &ContainerSpec, io: Io) -> ! {
    let failed = run_container(spec, &io)
        .err()
        .unwrap_or_else(|| failure("exec", "returned"));
    fail(io.status, &failed);
    std::process::exit(START_FAILED)
}

fn run_container(spec: &ContainerSpec, io: &Io) -> Result<(), StartFailure> {
    let _ = rustix::process::setsid();
    cgroup::make(&spec.cgroups)?;
    if let Some(program) = &spec.oci_runtime {
        mounts::assemble_for_oci(spec)?;
        io.become_stdio()?;
        return Err(oci::run(program, spec));
    }
    mounts::assemble(spec)?;
    io.become_stdio()?;
    start(&spec.process, spec.privileged)
}

/// Joins the container whose first process is `pid`, and runs a process there; never returns.
pub(super) fn exec(pid: i32, groups: &[Cgroup], spec: OwnedFd, io: Io) -> ! {
    match cgroup::enter(groups).and_then(|()| join_and_fork(pid)) {
        Ok(sys::Forked::Parent(child)) => {
            drop(io);
            std::process::exit(exit_code_of(child))
        }
        Ok(sys::Forked::Child) => {
            let run = || {
                let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
                let _ = rustix::process::setsid();
                let spec: ProcessSpec =
                    wire::from_memory(spec).map_err(|e| failure("reading the process's specification", e))?;
                io.become_stdio()?;
                start(&spec, false)
            };
            let failed: StartFailure = run().err().unwrap_or_else(|| failure("exec", "returned"));
            fail(io.status, &failed);
            std::process::exit(START_FAILED)
        }
        Err(failed) => {
            fail(io.status, &failed);
            std::process::exit(START_FAILED)
        }
    }
}

fn join_and_fork(pid: i32) -> Result<sys::Forked, StartFailure> {
    let pid = Pid::from_raw(pid).ok_or_else(|| failure("pidfd_open", "no such process"))?;
    let pidfd =
        rustix::process::pidfd_open(pid, PidfdFlags::empty()).map_err(|e| failure("pidfd_open", e))?;
    sys::join(&pidfd, libc::CLONE_NEWNS | libc::CLONE_NEWPID).map_err(|e| failure("setns", e))?;
    sys::fork(0).map_err(|e| failure("fork", e))
}

fn exit_code_of(child: i32) -> i32 {
    loop {
        match rustix::process::waitpid(Pid::from_raw(child), rustix::process::WaitOptions::empty()) {
            Err(rustix::io::Errno::INTR) => {}
            Ok(Some((_, status))) => {
                return status
                    .exit_status()
                    .or(status.terminating_signal().map(|s| 128 + s))
                    .unwrap_or(255);
            }
            _ => return 255,
        }
    }
}

/// Drops privileges and replaces the process.
fn start(spec: &ProcessSpec, privileged: bool) -> Result<(), StartFailure> {
    rustix::process::umask(rustix::fs::Mode::from_raw_mode(0o022));
    let user = creds::resolve(spec)?;
    if spec.terminal {
        sys::take_terminal().map_err(|e| failure("controlling terminal", e))?;
        // The program may open it again by its name. In a user namespace of one user it is that user's already.
        let owner = rustix::fs::Uid::from_raw(user.uid);
        let _ = rustix::fs::fchown(rustix::stdio::stdin(), Some(owner), None);
    }
    process::enter_working_directory(&spec.cwd)?;
    let env = process::environment(spec, &user);
    if spec.filtered_calls && !privileged {
        seccomp::enter(spec.capabilities)?;
    }
    creds::become_user(spec, &user, privileged)?;
    let program = process::look_up(&spec.argv, &env)?;
    sys::default_signals();
    sys::close_on_exec_above_stdio();
    Err(process::execute(&program, &spec.argv, &env))
}
