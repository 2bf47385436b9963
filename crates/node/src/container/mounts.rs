//! Puts together what a container sees: root, `/proc`, `/dev`, `/sys`, volumes.
//!
//! All of it happens in the container's own mount namespace, so nothing has to be undone. Paths inside the root are opened
//! with `RESOLVE_IN_ROOT`: links in an image or volume cannot lead a mount to the host.

use std::ffi::CString;
use std::os::fd::{AsRawFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, FileType, Mode, OFlags, ResolveFlags, StatVfsMountFlags};
use rustix::io::Errno;
use rustix::mount::{MountFlags, UnmountFlags};

use super::{dev, failure, host_view};
use crate::runtime::{ContainerSpec, ImageMount, Mount, Root, StartFailure};

type Result<T> = std::result::Result<T, StartFailure>;

/// Links followed while a mount point is made; the kernel's own limit.
const LINKS_LIMIT: usize = 40;

const MASKED: &[&str] = &[
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
];
const READ_ONLY: &[&str] = &[
    "/proc/bus",
    "/proc/fs",
    "/proc/irq",
    "/proc/sys",
    "/proc/sysrq-trigger",
];

/// Makes the root and moves the process into it.
pub(super) fn assemble(spec: &ContainerSpec) -> Result<()> {
    let root = mount_root(spec)?;
    mount_proc(&root)?;
    dev::mount(&root, spec.privileged)?;
    mount_sys(&root, spec)?;
    mount_volumes(&root, spec)?;
    drop(root);
    enter(&spec.rootfs)?;
    if !spec.privileged {
        mask()?;
    }
    if spec.readonly_root {
        remount_readonly(Path::new("/"))?;
    }
    Ok(())
}

/// Makes the root with volumes only; an OCI runtime adds `/proc`, `/dev` and `/sys`.
pub(super) fn assemble_for_oci(spec: &ContainerSpec) -> Result<()> {
    mount_root(spec)?;
    // The runtime looks its own children up, which the host's `/proc` knows by other numbers.
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    rustix::mount::mount("proc", "/proc", "proc", flags, None).map_err(|e| failure("mounting /proc", e))
}

/// Shows an image on its folder, with what belongs to it, and lets nobody change that.
pub(super) fn show_image(image: &ImageMount) -> Result<()> {
    overlay(&image.root, &image.path, &image.files)?;
    let root = open_root(&image.path)?;
    for file in &image.files {
        bind(&root, file)?;
    }
    drop(root);
    rustix::process::chdir("/").map_err(|e| failure("/", e))?;
    remount_readonly(&image.path)
}

fn open_root(path: &Path) -> Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC;
    rustix::fs::open(path, flags, Mode::empty()).map_err(|e| failure("opening the root", e))
}

fn mount_root(spec: &ContainerSpec) -> Result<OwnedFd> {
    overlay(&spec.root, &spec.rootfs, &spec.mounts)?;
    let root = open_root(&spec.rootfs)?;
    for hidden in &spec.root.hidden {
        let Ok(target) = open_in(&root, hidden) else {
            continue;
        };
        let flags = MountFlags::RDONLY | MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
        rustix::mount::mount("tmpfs", by_fd(&target), "tmpfs", flags, c"size=0,mode=755")
            .map_err(|e| failure(format_args!("hiding {}", hidden.display()), e))?;
    }
    Ok(root)
}

fn overlay(root: &Root, target: &Path, mounts: &[Mount]) -> Result<()> {
    let mounted = match root.host {
        true => mount_overlay(root, Path::new("/"), "/", &root.upper, &root.work, target),
        false => mount_overlay(
            root,
            &root.layers_dir,
            &root.layers.join(":"),
            &root.upper,
            &root.work,
            target,
        ),
    };
    match mounted {
        Ok(()) => Ok(()),
        Err(Errno::INVAL) if root.host => host_view::assemble(root, target, mounts),
        Err(Errno::NODEV) => Err(failure(
            "mounting the root",
            "this kernel has no overlay file system (CONFIG_OVERLAY_FS)",
        )),
        Err(Errno::PERM) => Err(failure(
            "mounting the root",
            "overlay mounts in user namespaces need Linux 5.11 or newer, or run as root",
        )),
        Err(error) => Err(failure("mounting the root (overlay)", error)),
    }
}

/// Mounts an overlay whose lower layers are named relative to `folder`: that keeps many of them below the limit of one
/// page of options.
pub(super) fn mount_overlay(
    root: &Root,
    folder: &Path,
    lower: &str,
    upper: &Path,
    work: &Path,
    target: &Path,
) -> std::result::Result<(), Errno> {
    rustix::process::chdir(folder)?;
    let attributes = if root.user_attributes { ",userxattr" } else { "" };
    let paths = format!(
        "lowerdir={lower},upperdir={},workdir={}{attributes}",
        escape(upper),
        escape(work)
    );
    // Nothing of a container's root is kept, so it need not be synced: unmounting is then free. The second attempt is
    // for kernels before 5.10.
    let mount = |extra: &str| {
        let options = CString::new(format!("{paths}{extra}")).map_err(|_| Errno::INVAL)?;
        rustix::mount::mount(
            "overlay",
            target,
            "overlay",
            MountFlags::empty(),
            options.as_c_str(),
        )
    };
    mount(",volatile").or_else(|_| mount(""))
}

pub(super) fn escape(path: &Path) -> String {
    path.to_string_lossy()
        .replace('\\', "\\\\")
        .replace(',', "\\,")
        .replace(':', "\\:")
}

fn mount_proc(root: &OwnedFd) -> Result<()> {
    let target = make_target(root, Path::new("/proc"), true)?;
    let flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    rustix::mount::mount("proc", by_fd(&target), "proc", flags, None)
        .map_err(|e| failure("mounting /proc", e))
}

fn mount_sys(root: &OwnedFd, spec: &ContainerSpec) -> Result<()> {
    let target = make_target(root, Path::new("/sys"), true)?;
    let mut flags = MountFlags::NOSUID | MountFlags::NODEV | MountFlags::NOEXEC;
    if !spec.privileged {
        flags |= MountFlags::RDONLY;
    }
    match rustix::mount::mount("sysfs", by_fd(&target), "sysfs", flags, None) {
        Ok(()) => Ok(()),
        // A user namespace may mount sysfs only with a network namespace of its own; the host's shows no more then.
        Err(Errno::PERM) => rustix::mount::mount_bind_recursive("/sys", by_fd(&target))
            .map_err(|e| failure("mounting /sys", e)),
        Err(error) => Err(failure("mounting /sys", error)),
    }
}

fn mount_volumes(root: &OwnedFd, spec: &ContainerSpec) -> Result<()> {
    for mount in &spec.mounts {
        bind(root, mount)?;
    }
    Ok(())
}

fn bind(root: &OwnedFd, mount: &Mount) -> Result<()> {
    let what = || {
        format!(
            "mounting {} to rootfs at {}",
            mount.source.display(),
            mount.target.display()
        )
    };
    let source = open_source(mount)?;
    let stat = rustix::fs::fstat(&source).map_err(|e| failure(what(), e))?;
    let is_dir = FileType::from_raw_mode(stat.st_mode) == FileType::Directory;
    let target = make_target(root, &mount.target, is_dir)?;
    rustix::mount::mount_bind_recursive(by_fd(&source), by_fd(&target)).map_err(|e| failure(what(), e))?;
    if mount.readonly {
        // `target` is the covered place; only a fresh lookup reaches the mount on top of it.
        let mounted = open_in(root, &mount.target).map_err(|e| failure(what(), e))?;
        remount_readonly(&by_fd(&mounted))?;
    }
    Ok(())
}

fn open_source(mount: &Mount) -> Result<OwnedFd> {
    let flags = OFlags::PATH | OFlags::CLOEXEC;
    let source = rustix::fs::open(&mount.source, flags, Mode::empty())
        .map_err(|e| failure(mount.source.display(), e))?;
    let Some(sub_path) = mount.sub_path.as_deref() else {
        return Ok(source);
    };
    let refuse = |error: Errno| match error {
        Errno::XDEV | Errno::LOOP => failure(format_args!("subPath {sub_path:?}"), "leads out of the volume"),
        error => failure(format_args!("subPath {sub_path:?}"), error),
    };
    let beneath = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
    match rustix::fs::openat2(&source, sub_path, flags, Mode::empty(), beneath) {
        Err(Errno::NOENT) => {}
        other => return other.map_err(refuse),
    }
    // Who may write to the volume may write there, as with a kubelet.
    let mode = Mode::from_raw_mode(rustix::fs::fstat(&source).map_err(refuse)?.st_mode & 0o7777);
    let mut folder = source;
    for name in Path::new(sub_path).components() {
        let is_new = match rustix::fs::mkdirat(&folder, name.as_os_str(), mode) {
            Ok(()) => true,
            Err(Errno::EXIST) => false,
            Err(error) => return Err(refuse(error)),
        };
        // Links are refused here: while a missing path is being made, nobody has a reason to put one.
        let resolve = beneath | ResolveFlags::NO_SYMLINKS;
        folder =
            rustix::fs::openat2(&folder, name.as_os_str(), flags, Mode::empty(), resolve).map_err(refuse)?;
        if is_new {
            // Whatever this process takes off the modes of new files.
            rustix::fs::chmod(by_fd(&folder), mode).map_err(refuse)?;
        }
    }
    Ok(folder)
}

/// Opens a path as a process inside the root would see it.
pub(super) fn open_in(root: &OwnedFd, path: &Path) -> std::result::Result<OwnedFd, Errno> {
    let path = path.strip_prefix("/").unwrap_or(path);
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    loop {
        // EAGAIN: someone renamed a folder above while `..` was resolved.
        match rustix::fs::openat2(root, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), resolve) {
            Err(Errno::AGAIN | Errno::INTR) => {}
            other => return other,
        }
    }
}

/// Opens a mount point, making folders and the last file if they are missing.
pub(super) fn make_target(root: &OwnedFd, path: &Path, is_dir: bool) -> Result<OwnedFd> {
    let error = |e: Errno| match e {
        Errno::NOSYS => failure("openat2", "needs Linux 5.6 or newer"),
        e => failure(format_args!("making mount point {}", path.display()), e),
    };
    let mut path = path.to_path_buf();
    for _ in 0..LINKS_LIMIT {
        match try_make_target(root, &path, is_dir).map_err(error)? {
            Made::Open(target) => return Ok(target),
            Made::Link(elsewhere) => path = elsewhere,
        }
    }
    Err(error(Errno::LOOP))
}

enum Made {
    Open(OwnedFd),
    /// A link whose end is missing: the path to make instead.
    Link(PathBuf),
}

fn try_make_target(root: &OwnedFd, path: &Path, is_dir: bool) -> std::result::Result<Made, Errno> {
    match open_in(root, path) {
        Err(Errno::NOENT) => {}
        other => return other.map(Made::Open),
    }
    let mut done = PathBuf::new();
    let mut folder = open_in(root, &done)?;
    let mut rest = path.strip_prefix("/").unwrap_or(path).components().peekable();
    while let Some(name) = rest.next() {
        let parent = done.clone();
        done.push(name);
        match open_in(root, &done) {
            Ok(next) => {
                folder = next;
                continue;
            }
            Err(Errno::NOENT) => {}
            Err(error) => return Err(error),
        }
        if let Ok(link) = rustix::fs::readlinkat(&folder, name.as_os_str(), Vec::new()) {
            let link = link.to_string_lossy().into_owned();
            let remaining: PathBuf = rest.collect();
            return Ok(Made::Link(parent.join(link).join(remaining)));
        }
        if rest.peek().is_some() || is_dir {
            rustix::fs::mkdirat(&folder, name.as_os_str(), Mode::from_raw_mode(0o755))?;
        } else {
            let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
            rustix::fs::openat(
                reopen(&folder)?,
                name.as_os_str(),
                flags,
                Mode::from_raw_mode(0o644),
            )?;
        }
        folder = open_in(root, &done)?;
    }
    Ok(Made::Open(folder))
}

fn reopen(folder: &OwnedFd) -> std::result::Result<OwnedFd, Errno> {
    rustix::fs::openat(folder, ".", OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())
}

/// A path that leads to exactly what a descriptor has open.
pub(super) fn by_fd(fd: &OwnedFd) -> PathBuf {
    PathBuf::from(format!("/proc/self/fd/{}", fd.as_raw_fd()))
}

fn enter(rootfs: &Path) -> Result<()> {
    std::env::set_current_dir(rootfs).map_err(|e| failure(rootfs.display(), e))?;
    rustix::process::pivot_root(".", ".").map_err(|e| failure("pivot_root", e))?;
    // The old root now lies on top of the new one.
    rustix::mount::unmount(".", UnmountFlags::DETACH).map_err(|e| failure("leaving the old root", e))?;
    std::env::set_current_dir("/").map_err(|e| failure("/", e))
}

fn mask() -> Result<()> {
    for path in MASKED {
        let Ok(stat) = rustix::fs::statat(CWD, *path, AtFlags::SYMLINK_NOFOLLOW) else {
            continue;
        };
        let done = match FileType::from_raw_mode(stat.st_mode) {
            FileType::Directory => {
                rustix::mount::mount("tmpfs", *path, "tmpfs", MountFlags::RDONLY, c"size=0")
            }
            _ => rustix::mount::mount_bind("/dev/null", *path),
        };
        done.map_err(|e| failure(format_args!("masking {path}"), e))?;
    }
    for path in READ_ONLY {
        match rustix::mount::mount_bind_recursive(*path, *path) {
            Err(Errno::NOENT) => continue,
            done => done.map_err(|e| failure(format_args!("protecting {path}"), e))?,
        }
        remount_readonly(Path::new(path))?;
    }
    Ok(())
}

fn remount_readonly(path: &Path) -> Result<()> {
    let what = || format!("making {} read-only", path.display());
    let present = rustix::fs::statvfs(path).map_err(|e| failure(what(), e))?.f_flag;
    // Flags that the mount has must be repeated; a user namespace may not drop them.
    let mut flags = MountFlags::BIND | MountFlags::RDONLY;
    for (has, flag) in [
        (StatVfsMountFlags::NOSUID, MountFlags::NOSUID),
        (StatVfsMountFlags::NODEV, MountFlags::NODEV),
        (StatVfsMountFlags::NOEXEC, MountFlags::NOEXEC),
        (StatVfsMountFlags::NOATIME, MountFlags::NOATIME),
        (StatVfsMountFlags::RELATIME, MountFlags::RELATIME),
    ] {
        if present.contains(has) {
            flags |= flag;
        }
    }
    rustix::mount::mount_remount(path, flags, "").map_err(|e| failure(what(), e))
}
