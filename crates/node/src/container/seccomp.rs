//! The filter of system calls for `seccompProfile: RuntimeDefault`: those that reach around a container's walls answer
//! "operation not permitted" unless the container has the capability for them, as docker's and containerd's profile has it.
//!
//! Deliberately absent: filters of single arguments, except for the new namespaces of `clone`; profiles from files.

use rustix::thread::CapabilitySet;

use super::{failure, sys};
use crate::runtime::StartFailure;

macro_rules! calls {
    ($($name:ident)*) => { &[$((stringify!($name), libc::$name)),*] };
}

type Calls = &'static [(&'static str, libc::c_long)];

/// System calls, and the capability with which they are allowed; without one they never are.
const DENIED: &[(CapabilitySet, Calls)] = &[
    (
        CapabilitySet::SYS_ADMIN,
        calls! {
            SYS_bpf SYS_fanotify_init SYS_fsconfig SYS_fsmount SYS_fsopen SYS_fspick SYS_mount SYS_mount_setattr
            SYS_move_mount SYS_open_tree SYS_perf_event_open SYS_pivot_root SYS_quotactl SYS_setdomainname
            SYS_sethostname SYS_setns SYS_umount2 SYS_unshare
        },
    ),
    (CapabilitySet::SYS_BOOT, calls! { SYS_kexec_load SYS_reboot }),
    (
        CapabilitySet::SYS_MODULE,
        calls! { SYS_delete_module SYS_finit_module SYS_init_module },
    ),
    (
        CapabilitySet::SYS_NICE,
        calls! { SYS_mbind SYS_migrate_pages SYS_move_pages SYS_set_mempolicy },
    ),
    (CapabilitySet::SYS_PACCT, calls! { SYS_acct }),
    (
        CapabilitySet::SYS_TIME,
        calls! { SYS_clock_adjtime SYS_clock_settime SYS_settimeofday },
    ),
    (CapabilitySet::SYS_TTY_CONFIG, calls! { SYS_vhangup }),
    (CapabilitySet::DAC_READ_SEARCH, calls! { SYS_open_by_handle_at }),
    (CapabilitySet::SYSLOG, calls! { SYS_syslog }),
    (
        CapabilitySet::empty(),
        calls! {
            SYS_add_key SYS_io_uring_enter SYS_io_uring_register SYS_io_uring_setup SYS_kcmp SYS_keyctl SYS_lookup_dcookie
            SYS_nfsservctl SYS_request_key SYS_swapoff SYS_swapon SYS_userfaultfd
        },
    ),
    #[cfg(target_arch = "x86_64")]
    (CapabilitySet::SYS_RAWIO, calls! { SYS_ioperm SYS_iopl }),
];

/// Flags of `clone` for new namespaces.
const NAMESPACES: u32 = 0x7e02_0000;

#[cfg(target_arch = "x86_64")]
const ARCHITECTURE: u32 = 0xc000_003e;
#[cfg(target_arch = "aarch64")]
const ARCHITECTURE: u32 = 0xc000_00b7;

/// Where a filter finds what it looks at.
const NUMBER: u32 = 0;
const MACHINE: u32 = 4;
const FIRST_ARGUMENT: u32 = 16;

const LOAD: u16 = (libc::BPF_LD | libc::BPF_W | libc::BPF_ABS) as u16;
const IF_EQUAL: u16 = (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16;
const IF_ANY_BIT: u16 = (libc::BPF_JMP | libc::BPF_JSET | libc::BPF_K) as u16;
const ANSWER: u16 = (libc::BPF_RET | libc::BPF_K) as u16;

/// Names of the system calls that a process with these capabilities may not make.
pub(super) fn denied(capabilities: u64) -> Vec<&'static str> {
    calls(capabilities)
        .map(|(name, _)| name.trim_start_matches("SYS_"))
        .collect()
}

fn calls(capabilities: u64) -> impl Iterator<Item = (&'static str, libc::c_long)> {
    let kept = CapabilitySet::from_bits_truncate(capabilities);
    let denied = move |(with, _): &&(CapabilitySet, Calls)| with.is_empty() || !kept.contains(*with);
    DENIED
        .iter()
        .filter(denied)
        .flat_map(|(_, calls)| calls.iter().copied())
}

/// Puts the filter on this process for ever. Must be done while it may still set filters.
pub(super) fn enter(capabilities: u64) -> Result<(), StartFailure> {
    sys::filter_calls(&program(capabilities)).map_err(|e| failure("seccomp", e))
}

fn program(capabilities: u64) -> Vec<libc::sock_filter> {
    let step = |code, jt, jf, k| libc::sock_filter { code, jt, jf, k };
    let refuse = |error: i32| step(ANSWER, 0, 0, libc::SECCOMP_RET_ERRNO | error.cast_unsigned());
    let mut program = vec![
        step(LOAD, 0, 0, MACHINE),
        step(IF_EQUAL, 1, 0, ARCHITECTURE),
        // Numbers of another architecture mean other calls.
        refuse(libc::ENOSYS),
        step(LOAD, 0, 0, NUMBER),
    ];
    let mut on = |number: libc::c_long, then: &[libc::sock_filter]| {
        let past = u8::try_from(then.len()).expect("a few steps");
        let number = u32::try_from(number).expect("numbers of calls are small");
        program.push(step(IF_EQUAL, 0, past, number));
        program.extend(then);
    };
    for (_, number) in calls(capabilities) {
        on(number, &[refuse(libc::EPERM)]);
    }
    if !CapabilitySet::from_bits_truncate(capabilities).contains(CapabilitySet::SYS_ADMIN) {
        let without_namespaces = [
            step(LOAD, 0, 0, FIRST_ARGUMENT),
            step(IF_ANY_BIT, 0, 1, NAMESPACES),
            refuse(libc::EPERM),
            step(ANSWER, 0, 0, libc::SECCOMP_RET_ALLOW),
        ];
        on(libc::SYS_clone, &without_namespaces);
        // Its arguments are out of a filter's sight; libraries fall back to `clone`.
        on(libc::SYS_clone3, &[refuse(libc::ENOSYS)]);
    }
    program.push(step(ANSWER, 0, 0, libc::SECCOMP_RET_ALLOW));
    program
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capabilities_allow_their_calls() {
        for (capabilities, name, expected) in [
            (CapabilitySet::empty(), "mount", true),
            (CapabilitySet::SYS_ADMIN, "mount", false),
            (CapabilitySet::SYS_ADMIN, "reboot", true),
            (CapabilitySet::all(), "keyctl", true),
            (CapabilitySet::all(), "reboot", false),
            (CapabilitySet::empty(), "read", false),
        ] {
            let denied = denied(capabilities.bits());
            assert_eq!(denied.contains(&name), expected, "{name}");
        }
    }
}
