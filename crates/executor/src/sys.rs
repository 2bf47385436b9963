//! The few system calls for which no safe wrapper is in our dependencies: signals as a
//! descriptor, signals to processes, and a session with its own terminal.
#![expect(
    unsafe_code,
    reason = "each call is a system call on plain values, argued beside it"
)]

use std::io;
use std::os::fd::{AsRawFd as _, BorrowedFd, FromRawFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::process::Command;

/// A signal received, by number.
pub type Signal = i32;

/// Blocks every signal that can be forwarded, and gives a descriptor to read them from.
///
/// Threads and programs started afterwards inherit the mask; see [`unblocked`]. Faults of this process itself (SIGSEGV and its like) stay as they are, and SIGPIPE,
/// which Rust ignores, is not forwarded because it would be our own.
pub fn signal_descriptor() -> io::Result<OwnedFd> {
    // SAFETY: the set is initialised by sigfillset before it is used, and lives on this stack
    // through all calls; signalfd makes a new descriptor that nobody else owns.
    unsafe {
        let mut set = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
        libc::sigfillset(set.as_mut_ptr());
        let mut set = set.assume_init();
        for own in [
            libc::SIGSEGV,
            libc::SIGBUS,
            libc::SIGFPE,
            libc::SIGILL,
            libc::SIGABRT,
            libc::SIGTRAP,
            libc::SIGSYS,
            libc::SIGPIPE,
        ] {
            libc::sigdelset(&raw mut set, own);
        }
        let code = libc::pthread_sigmask(libc::SIG_SETMASK, &raw const set, std::ptr::null_mut());
        if code != 0 {
            return Err(io::Error::from_raw_os_error(code));
        }
        let fd = libc::signalfd(-1, &raw const set, libc::SFD_CLOEXEC | libc::SFD_NONBLOCK);
        if fd < 0 {
            return Err(io::Error::last_os_error());
        }
        Ok(OwnedFd::from_raw_fd(fd))
    }
}

/// A received signal.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Received {
    /// Which.
    pub number: Signal,
    /// Whether a process sent it, not the kernel.
    pub is_sent: bool,
}

/// Reads one received signal; `None` when none is waiting.
pub fn read_signal(descriptor: &OwnedFd) -> io::Result<Option<Received>> {
    let size = std::mem::size_of::<libc::signalfd_siginfo>();
    let mut info = std::mem::MaybeUninit::<libc::signalfd_siginfo>::zeroed();
    // SAFETY: the buffer is exactly one record long, and a record of zeroes is valid.
    let (read, info) = unsafe {
        let read = libc::read(descriptor.as_raw_fd(), info.as_mut_ptr().cast(), size);
        (read, info.assume_init())
    };
    if read == size as isize {
        let is_sent = info.ssi_code == libc::SI_USER || info.ssi_code == libc::SI_TKILL;
        return Ok(Some(Received {
            number: info.ssi_signo as Signal,
            is_sent,
        }));
    }
    let error = io::Error::last_os_error();
    match error.kind() {
        io::ErrorKind::WouldBlock | io::ErrorKind::Interrupted => Ok(None),
        _ => Err(error),
    }
}

/// Makes the kernel send us SIGIO whenever a file directly in a folder is made, written or
/// renamed, for as long as the descriptor is open.
///
/// Directory notification, not inotify: closing an inotify descriptor, be it by ending, takes the
/// kernel 5 to 20 ms, which would be most of what a short step takes.
pub fn notify_of_changes(folder: &std::path::Path) -> io::Result<OwnedFd> {
    const DN_MODIFY: libc::c_int = 0x02;
    const DN_CREATE: libc::c_int = 0x04;
    const DN_RENAME: libc::c_int = 0x10;
    const DN_MULTISHOT: libc::c_int = libc::c_int::MIN;
    const F_NOTIFY: libc::c_int = 1026;
    let file = std::fs::File::open(folder)?;
    // SAFETY: no memory is passed; SIGIO is caught or blocked by every caller before.
    match unsafe {
        libc::fcntl(
            file.as_raw_fd(),
            F_NOTIFY,
            DN_MODIFY | DN_CREATE | DN_RENAME | DN_MULTISHOT,
        )
    } {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(file.into()),
    }
}

/// Sends a signal to one process, or to a group when the number is negative.
pub fn kill(pid: i32, signal: Signal) -> io::Result<()> {
    // SAFETY: no memory is passed.
    match unsafe { libc::kill(pid, signal) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Makes a program start with no signal blocked, although this process blocks them all.
pub fn unblocked(command: &mut Command) {
    // SAFETY: between fork and exec the closure makes two calls that are safe there, on a set
    // that lives on its own stack.
    unsafe {
        command.pre_exec(|| {
            let mut set = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
            libc::sigemptyset(set.as_mut_ptr());
            match libc::pthread_sigmask(libc::SIG_SETMASK, set.as_ptr(), std::ptr::null_mut()) {
                0 => Ok(()),
                code => Err(io::Error::from_raw_os_error(code)),
            }
        });
    }
}

/// Makes a program start in a session of its own whose terminal is its standard input.
pub fn own_terminal(command: &mut Command) {
    // SAFETY: between fork and exec the closure makes two system calls and allocates nothing.
    unsafe {
        command.pre_exec(|| {
            if libc::setsid() < 0 || libc::ioctl(0, libc::TIOCSCTTY as _, 0) < 0 {
                return Err(io::Error::last_os_error());
            }
            Ok(())
        });
    }
}

/// Sets what new files may not grant (X-EMIS-02 and X-INIT-01 want nothing withheld).
pub fn clear_umask() {
    // SAFETY: no memory is passed, and the call cannot fail.
    unsafe { libc::umask(0) };
}

/// Makes reads of a descriptor return instead of wait.
pub fn set_nonblocking(descriptor: BorrowedFd<'_>) -> io::Result<()> {
    let flags = rustix::fs::fcntl_getfl(descriptor)?;
    rustix::fs::fcntl_setfl(descriptor, flags | rustix::fs::OFlags::NONBLOCK)?;
    Ok(())
}

/// Lets the asynchronous runtime wait until a descriptor can be read.
pub fn readable(descriptor: OwnedFd) -> io::Result<tokio::io::unix::AsyncFd<OwnedFd>> {
    // SAFETY: an owned descriptor is open, and the same, for as long as its owner lives; the
    // wrapper becomes its owner and never gives out more than a shared reference.
    let wrapped = unsafe {
        tokio::io::unix::AsyncFd::register_with_interest(descriptor, tokio::io::Interest::READABLE)
    };
    wrapped.map_err(io::Error::from)
}
