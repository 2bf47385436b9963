//! The least rights with which our own containers can run (C-BLD-13).

use argosy_model::k8s::{Capabilities, PodSecurityContext, SeccompProfile, SecurityContext};

/// The user that our containers run as, when nobody says otherwise.
const USER: i64 = 8737;

/// Rights of a container; `read_only_root` closes its root file system.
pub(super) fn container(read_only_root: bool) -> SecurityContext {
    SecurityContext {
        capabilities: Some(Capabilities {
            drop: vec!["ALL".to_owned()],
            ..Capabilities::default()
        }),
        privileged: Some(false),
        run_as_user: Some(USER),
        run_as_non_root: Some(true),
        read_only_root_filesystem: read_only_root.then_some(true),
        allow_privilege_escalation: Some(false),
        seccomp_profile: Some(runtime_default()),
        ..SecurityContext::default()
    }
}

/// Rights of a pod.
pub(super) fn pod() -> PodSecurityContext {
    PodSecurityContext {
        run_as_user: Some(USER),
        run_as_non_root: Some(true),
        seccomp_profile: Some(runtime_default()),
        ..PodSecurityContext::default()
    }
}

fn runtime_default() -> SeccompProfile {
    SeccompProfile {
        type_: "RuntimeDefault".to_owned(),
        ..SeccompProfile::default()
    }
}
