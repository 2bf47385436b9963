//! What runs on the other side of the re-execution: the sandbox of a pod and the first steps of a container.
//!
//! The node starts its own program again with [`ENTRY`] as first argument. That process is single-threaded, so it may
//! unshare and fork. It becomes the first process of the pod's process namespace and forks containers on request.
//! libcontainer 0.7 was the other choice; the two were not measured side by side. Ours needs one `clone` for a container
//! and one re-execution for a pod (a pod of one container goes from created to Succeeded in about 20 ms, one of three in
//! about 40 ms, in a debug build on two cores), no state folder, works in a user namespace on cgroup v1, where
//! libcontainer failed, and gives what crash hygiene needs: all mounts of a pod live in the sandbox's mount namespace,
//! and when the node dies the sandbox sees the end of its socket, exits, and the kernel kills the process namespace.

mod cgroup;
pub(crate) mod creds;
pub(crate) mod dev;
mod host_view;
pub(crate) mod init;
pub(crate) mod mounts;
pub(crate) mod oci;
pub(crate) mod output;
pub(crate) mod process;
pub(crate) mod sandbox;
mod seccomp;
mod serve;
pub(crate) mod sys;

use std::fmt::Display;

use crate::runtime::StartFailure;

/// First argument of a process that is the sandbox of a pod.
pub const ENTRY: &str = "__container-init";

/// Becomes the sandbox of a pod if the process was started as one; otherwise returns at once.
///
/// Call it first thing in `main` of every program that starts a [`crate::Node`], before any thread exists.
pub fn container_main_if_asked() {
    if std::env::args_os()
        .nth(1)
        .is_some_and(|argument| argument == ENTRY)
    {
        container_main();
    }
}

/// Runs the sandbox of a pod; its socket is standard input.
pub fn container_main() -> ! {
    std::process::exit(sandbox::main())
}

/// An error with the operation in front, in the style of runc.
pub(crate) fn failure(what: impl Display, error: impl Display) -> StartFailure {
    StartFailure {
        command: false,
        message: format!("{what}: {error}"),
    }
}

/// Lets a test program be a sandbox: its `main` belongs to the test harness, so this runs before it.
///
/// Use it once per test program, at top level. Not for shipped programs, which have a `main` of their own.
#[macro_export]
macro_rules! sandboxes_in_tests {
    () => {
        #[used]
        #[allow(unsafe_code)]
        // SAFETY: the C library calls functions of this section once, before `main`, in a single thread.
        #[unsafe(link_section = ".init_array")]
        static SANDBOXES_IN_TESTS: extern "C" fn() = {
            extern "C" fn hook() {
                $crate::container_main_if_asked();
            }
            hook
        };
    };
}
