//! The devices a container sees.

use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::mount::MountFlags;

use super::failure;
use super::mounts::{by_fd, make_target, open_in};
use crate::runtime::StartFailure;

/// Devices shown from the host: binding works in user namespaces too, where making device nodes is forbidden.
const NODES: &[&str] = &["null", "zero", "full", "random", "urandom", "tty"];
const LINKS: &[(&str, &str)] = &[
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
    ("ptmx", "pts/ptmx"),
    ("core", "/proc/kcore"),
];

/// Mounts `/dev`: a small set of devices, or all of the host's when privileged.
pub(super) fn mount(root: &OwnedFd, privileged: bool) -> Result<(), StartFailure> {
    let target = make_target(root, Path::new("/dev"), true)?;
    if privileged {
        return rustix::mount::mount_bind_recursive("/dev", by_fd(&target))
            .map_err(|e| failure("mounting /dev", e));
    }
    rustix::mount::mount(
        "tmpfs",
        by_fd(&target),
        "tmpfs",
        MountFlags::NOSUID,
        c"mode=755,size=64k",
    )
    .map_err(|e| failure("mounting /dev", e))?;
    for node in NODES {
        let target = make_target(root, &Path::new("/dev").join(node), false)?;
        let source = Path::new("/dev").join(node);
        rustix::mount::mount_bind(&source, by_fd(&target)).map_err(|e| failure(source.display(), e))?;
    }
    let dev = open_in(root, Path::new("/dev")).map_err(|e| failure("/dev", e))?;
    for (name, link) in LINKS {
        rustix::fs::symlinkat(*link, &dev, *name).map_err(|e| failure(format_args!("/dev/{name}"), e))?;
    }
    let quiet = MountFlags::NOSUID | MountFlags::NOEXEC;
    let folder = |name: &str| make_target(root, &Path::new("/dev").join(name), true);
    // Without group 5 (tty) in a user namespace of one user, the second form is the only one allowed.
    let (pts, shm, mqueue) = (folder("pts")?, folder("shm")?, folder("mqueue")?);
    let pts = by_fd(&pts);
    rustix::mount::mount(
        "devpts",
        &pts,
        "devpts",
        quiet,
        c"newinstance,ptmxmode=0666,mode=0620,gid=5",
    )
    .or_else(|_| {
        rustix::mount::mount(
            "devpts",
            &pts,
            "devpts",
            quiet,
            c"newinstance,ptmxmode=0666,mode=0620",
        )
    })
    .map_err(|e| failure("mounting /dev/pts", e))?;
    rustix::mount::mount(
        "shm",
        by_fd(&shm),
        "tmpfs",
        quiet | MountFlags::NODEV,
        c"mode=1777,size=65536k",
    )
    .map_err(|e| failure("mounting /dev/shm", e))?;
    // Absent when the kernel has no POSIX message queues; nothing depends on it.
    let _ = rustix::mount::mount(
        "mqueue",
        by_fd(&mqueue),
        "mqueue",
        quiet | MountFlags::NODEV,
        None,
    );
    Ok(())
}
