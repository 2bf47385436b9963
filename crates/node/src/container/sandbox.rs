//! The first process of a pod: makes the namespaces, forks containers, reports their ends. It never runs foreign code.

use std::collections::BTreeMap;
use std::fs;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{PermissionsExt, chown};

use rustix::event::{PollFd, PollFlags, poll};
use rustix::mount::{MountFlags, MountPropagationFlags};
use rustix::process::{Pid, WaitOptions};

use super::{failure, init, sys};
use crate::runtime::wire;
use crate::runtime::{Exit, Report, Request, SandboxSpec, StartFailure};

type Result<T> = std::result::Result<T, StartFailure>;

/// Exit code of a sandbox that could not be set up.
const SETUP_FAILED: i32 = 125;

/// Sets up the namespaces, then waits for the inner process, so that the end of this one means that all is gone.
pub(super) fn main() -> i32 {
    sys::default_signals();
    let socket = rustix::stdio::stdin();
    let spec = match wire::receive::<()>(socket) {
        Ok(Some(((), mut fds))) if fds.len() == 1 => wire::from_memory::<SandboxSpec>(fds.remove(0)),
        Ok(_) => return SETUP_FAILED,
        Err(error) => Err(error),
    };
    let forked = spec
        .map_err(|e| failure("reading the sandbox's specification", e))
        .and_then(|spec| {
            enter_namespaces(&spec)?;
            let forked = sys::fork(0).map_err(|e| failure("fork", e))?;
            Ok((spec, forked))
        });
    match forked {
        Err(StartFailure { message, .. }) => {
            let _ = wire::send(socket, &Report::Failed { message }, &[]);
            SETUP_FAILED
        }
        Ok((spec, sys::Forked::Child)) => inner(socket, &spec),
        Ok((_, sys::Forked::Parent(pid))) => wait_for(pid),
    }
}

fn wait_for(pid: i32) -> i32 {
    // The node must see the end of the socket when the inner process ends, not when this one does.
    if let Ok(null) = fs::File::open("/dev/null") {
        let _ = rustix::stdio::dup2_stdin(null);
    }
    loop {
        match rustix::process::waitpid(Pid::from_raw(pid), WaitOptions::empty()) {
            Err(rustix::io::Errno::INTR) => {}
            Ok(Some((_, status))) => return status.exit_status().unwrap_or(SETUP_FAILED),
            _ => return SETUP_FAILED,
        }
    }
}

fn enter_namespaces(spec: &SandboxSpec) -> Result<()> {
    if spec.own_user {
        let (uid, gid) = (rustix::process::getuid(), rustix::process::getgid());
        sys::unshare(libc::CLONE_NEWUSER).map_err(|e| {
            failure(
                "user namespaces are not available to this user (unshare CLONE_NEWUSER)",
                e,
            )
        })?;
        let write = |file: &str, text: String| fs::write(file, text).map_err(|e| failure(file, e));
        write("/proc/self/setgroups", "deny".into())?;
        write("/proc/self/uid_map", format!("0 {} 1", uid.as_raw()))?;
        write("/proc/self/gid_map", format!("0 {} 1", gid.as_raw()))?;
    }
    let mut flags = libc::CLONE_NEWNS | libc::CLONE_NEWPID | libc::CLONE_NEWUTS;
    if spec.own_ipc {
        flags |= libc::CLONE_NEWIPC;
    }
    if spec.own_network {
        flags |= libc::CLONE_NEWNET;
    }
    sys::unshare(flags).map_err(|e| failure("unshare", e))
}

fn inner(socket: BorrowedFd<'_>, spec: &SandboxSpec) -> i32 {
    // If the waiting process is killed, nobody would learn of our end.
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    let _ = rustix::process::setsid();
    let signals = match set_up(spec).and_then(|()| sys::child_signals().map_err(|e| failure("signalfd", e))) {
        Ok(signals) => signals,
        Err(StartFailure { message, .. }) => {
            let _ = wire::send(socket, &Report::Failed { message }, &[]);
            return SETUP_FAILED;
        }
    };
    if wire::send(socket, &Report::Ready, &[]).is_err() {
        return SETUP_FAILED;
    }
    Sandbox {
        socket,
        signals,
        processes: BTreeMap::new(),
    }
    .serve()
}

fn set_up(spec: &SandboxSpec) -> Result<()> {
    // Slave, not private: an unmount on the host must not be held up by a pod.
    rustix::mount::mount_change(
        "/",
        MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC,
    )
    .map_err(|e| failure("making mounts private", e))?;
    rustix::system::sethostname(spec.hostname.as_bytes()).map_err(|e| failure("sethostname", e))?;
    if spec.own_network {
        sys::loopback_up().map_err(|e| failure("bringing up the loopback interface", e))?;
    }
    for tmpfs in &spec.tmpfs {
        let mut options = format!("mode={:o}", tmpfs.mode);
        if let Some(bytes) = tmpfs.size_bytes {
            options.push_str(&format!(",size={bytes}"));
        }
        let options = std::ffi::CString::new(options).expect("digits and commas hold no nul");
        let flags = MountFlags::NOSUID | MountFlags::NODEV;
        rustix::mount::mount("tmpfs", &tmpfs.path, "tmpfs", flags, options.as_c_str())
            .map_err(|e| failure(format_args!("mounting memory on {}", tmpfs.path.display()), e))?;
        if let Some(group) = tmpfs.group {
            chown(&tmpfs.path, None, Some(group)).map_err(|e| failure("chown", e))?;
            fs::set_permissions(&tmpfs.path, fs::Permissions::from_mode(tmpfs.mode | 0o2070))
                .map_err(|e| failure("chmod", e))?;
        }
    }
    Ok(())
}

struct Sandbox<'a> {
    socket: BorrowedFd<'a>,
    signals: OwnedFd,
    /// Running first processes by key.
    processes: BTreeMap<String, i32>,
}

impl Sandbox<'_> {
    /// Serves until the node closes its end. Returning ends the process namespace and with it every process of the pod.
    fn serve(mut self) -> i32 {
        loop {
            let mut ready = [
                PollFd::from_borrowed_fd(self.socket, PollFlags::IN),
                PollFd::from_borrowed_fd(self.signals.as_fd(), PollFlags::IN),
            ];
            match poll(&mut ready, None) {
                Err(rustix::io::Errno::INTR) => continue,
                Err(_) => return SETUP_FAILED,
                Ok(_) => {}
            }
            let (asked, ended) = (!ready[0].revents().is_empty(), !ready[1].revents().is_empty());
            if ended {
                let mut drained = [0u8; 1024];
                let _ = rustix::io::read(&self.signals, &mut drained);
            }
            if asked && !self.handle() {
                return 0;
            }
            self.reap();
        }
    }

    fn reap(&mut self) {
        while let Ok(Some((pid, status))) = rustix::process::wait(WaitOptions::NOHANG) {
            let pid = pid.as_raw_nonzero().get();
            let Some(key) = self
                .processes
                .iter()
                .find(|(_, p)| **p == pid)
                .map(|(key, _)| key.clone())
            else {
                continue;
            };
            self.processes.remove(&key);
            let exit = match status.terminating_signal() {
                Some(signal) => Exit::Signal(signal),
                None => Exit::Code(status.exit_status().unwrap_or(255)),
            };
            let _ = wire::send(self.socket, &Report::Exited { key, exit }, &[]);
        }
    }

    /// Handles one request; false when the node is gone.
    fn handle(&mut self) -> bool {
        match wire::receive::<Request>(self.socket) {
            Ok(None) => return false,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => return false,
            Ok(Some((Request::Start, fds))) => self.start(fds),
            Ok(Some((Request::Exec { key, target }, fds))) => self.exec(key, &target, fds),
            Ok(Some((Request::Signal { key, signal, group }, _))) => self.signal(&key, signal, group),
        }
        true
    }

    fn start(&mut self, fds: Vec<OwnedFd>) {
        let Some(io) = init::Io::from_descriptors(fds) else {
            return;
        };
        let spec: crate::runtime::ContainerSpec = match io.spec() {
            Ok(spec) => spec,
            Err(error) => return io.fail(&failure("reading the container's specification", error)),
        };
        let pids = if spec.shared_pids { 0 } else { libc::CLONE_NEWPID };
        // runc makes its own process namespace; its supervisor must stay outside of it.
        let pids = if spec.oci_runtime.is_some() { 0 } else { pids };
        match sys::fork(libc::CLONE_NEWNS | pids) {
            Ok(sys::Forked::Child) => init::container(&spec, io),
            Ok(sys::Forked::Parent(pid)) => {
                self.processes.insert(spec.key, pid);
            }
            Err(error) => io.fail(&failure("clone", error)),
        }
    }

    fn exec(&mut self, key: String, target: &str, fds: Vec<OwnedFd>) {
        let Some(io) = init::Io::from_descriptors(fds) else {
            return;
        };
        let Some(pid) = self.processes.get(target).copied() else {
            return io.fail(&failure("container is not running", target));
        };
        match sys::fork(0) {
            Ok(sys::Forked::Child) => init::exec(pid, io),
            Ok(sys::Forked::Parent(pid)) => {
                self.processes.insert(key, pid);
            }
            Err(error) => io.fail(&failure("fork", error)),
        }
    }

    fn signal(&self, key: &str, signal: i32, group: bool) {
        let Some(pid) = self.processes.get(key) else {
            return;
        };
        let target = if group { -pid } else { *pid };
        // The only outcome besides success is that the process is gone already, which its report will tell.
        kill(target, signal);
        if group {
            kill(*pid, signal);
        }
    }
}

#[allow(unsafe_code)]
fn kill(target: i32, signal: i32) {
    // SAFETY: kill touches no memory. rustix knows only named signals, users may send any.
    unsafe { libc::kill(target, signal) };
}
