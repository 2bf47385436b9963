//! The two processes of a pod's sandbox: one makes the namespaces and waits, one is their first process and runs
//! containers (`serve`). Neither ever runs foreign code.

use std::fs;
use std::os::fd::{BorrowedFd, OwnedFd};
use std::os::unix::fs::{PermissionsExt, chown};

use rustix::mount::{MountFlags, MountPropagationFlags};
use rustix::process::{Pid, WaitOptions};

use super::{failure, mounts, serve, sys};
use crate::network::{self, Netlink};
use crate::runtime::wire;
use crate::runtime::{Report, SandboxSpec, StartFailure};

type Result<T> = std::result::Result<T, StartFailure>;

/// Exit code of a sandbox that could not be set up.
const SETUP_FAILED: i32 = 125;

/// Sets up the namespaces, then waits for the inner process, so that the end of this one means that all is gone.
pub(super) fn main() -> i32 {
    sys::default_signals();
    // A Ctrl-C at the node's terminal is for the node: it decides what becomes of its pods.
    let _ = rustix::process::setsid();
    let socket = rustix::stdio::stdin();
    let spec = match wire::receive::<()>(socket) {
        Ok(Some(((), mut fds))) if fds.len() == 1 => wire::from_memory::<SandboxSpec>(fds.remove(0)),
        Ok(_) => return SETUP_FAILED,
        Err(error) => Err(error),
    };
    let forked = spec
        .map_err(|e| failure("reading the sandbox's specification", e))
        .and_then(|spec| {
            // Made by this process: its id is then what a later node learns of whoever answers at the door.
            let door = match spec.keep_running {
                true => {
                    Some(wire::open_door(&spec.dir).map_err(|e| failure("making the sandbox's socket", e))?)
                }
                false => None,
            };
            enter_namespaces(&spec)?;
            let forked = sys::fork(0).map_err(|e| failure("fork", e))?;
            Ok((spec, door, forked))
        });
    match forked {
        Err(StartFailure { message, .. }) => {
            let _ = wire::send(socket, &Report::Failed { message }, &[]);
            SETUP_FAILED
        }
        Ok((spec, door, sys::Forked::Child)) => inner(socket, door, spec),
        Ok((_, door, sys::Forked::Parent(pid))) => {
            drop(door);
            wait_for(pid)
        }
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
    // Opened before the network namespace is left: it reaches the bridge.
    let outside = match &spec.network {
        Some(link) => Some((link, Netlink::open().map_err(|e| failure("netlink", e))?)),
        None => None,
    };
    if outside.is_some() {
        flags |= libc::CLONE_NEWNET;
    }
    sys::unshare(flags).map_err(|e| failure("unshare", e))?;
    if let Some((link, outside)) = outside {
        sys::loopback_up().map_err(|e| failure("bringing up the loopback interface", e))?;
        network::connect(&outside, link)
            .map_err(|e| failure(format_args!("connecting the pod to {}", link.bridge), e))?;
    }
    Ok(())
}

fn inner(socket: BorrowedFd<'_>, door: Option<OwnedFd>, spec: SandboxSpec) -> i32 {
    // If the waiting process is killed, nobody would learn of our end.
    let _ = rustix::process::set_parent_process_death_signal(Some(rustix::process::Signal::KILL));
    let _ = rustix::process::setsid();
    let signals = match set_up(&spec).and_then(|()| sys::child_signals().map_err(|e| failure("signalfd", e)))
    {
        Ok(signals) => signals,
        Err(StartFailure { message, .. }) => {
            let _ = wire::send(socket, &Report::Failed { message }, &[]);
            return SETUP_FAILED;
        }
    };
    if wire::send(socket, &Report::Ready, &[]).is_err() && door.is_none() {
        return SETUP_FAILED;
    }
    match own_socket(socket) {
        Ok(socket) => serve::Sandbox::new(socket, door, signals, spec.dir).serve(),
        Err(_) => SETUP_FAILED,
    }
}

/// Takes the socket off standard input, so that it can be closed when the node is gone.
fn own_socket(socket: BorrowedFd<'_>) -> std::io::Result<OwnedFd> {
    let own = rustix::io::fcntl_dupfd_cloexec(socket, 3)?;
    rustix::stdio::dup2_stdin(fs::File::open("/dev/null")?)?;
    Ok(own)
}

fn set_up(spec: &SandboxSpec) -> Result<()> {
    // Slave, not private: an unmount on the host must not be held up by a pod.
    rustix::mount::mount_change(
        "/",
        MountPropagationFlags::DOWNSTREAM | MountPropagationFlags::REC,
    )
    .map_err(|e| failure("making mounts private", e))?;
    rustix::system::sethostname(spec.hostname.as_bytes()).map_err(|e| failure("sethostname", e))?;
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
    spec.images.iter().try_for_each(mounts::show_image)
}
