//! Users, groups and capabilities from the security contexts of pod and container.

use k8s_openapi::api::core::v1::{Capabilities, Container, Pod};
use rustix::thread::CapabilitySet;

use crate::runtime::ProcessSpec;

/// What docker and containerd leave to a container by default.
const DEFAULT_CAPABILITIES: CapabilitySet = CapabilitySet::CHOWN
    .union(CapabilitySet::DAC_OVERRIDE)
    .union(CapabilitySet::FSETID)
    .union(CapabilitySet::FOWNER)
    .union(CapabilitySet::MKNOD)
    .union(CapabilitySet::NET_RAW)
    .union(CapabilitySet::SETGID)
    .union(CapabilitySet::SETUID)
    .union(CapabilitySet::SETFCAP)
    .union(CapabilitySet::SETPCAP)
    .union(CapabilitySet::NET_BIND_SERVICE)
    .union(CapabilitySet::SYS_CHROOT)
    .union(CapabilitySet::KILL)
    .union(CapabilitySet::AUDIT_WRITE);

/// Fills in who the process is and what it may do.
pub(crate) fn process_security(
    pod: &Pod,
    container: &Container,
    process: &mut ProcessSpec,
) -> Result<(), String> {
    let of_pod = pod.spec.as_ref().and_then(|s| s.security_context.as_ref());
    let own = container.security_context.as_ref();
    let id = |value: Option<i64>, what: &str| -> Result<Option<u32>, String> {
        let bad = |_| format!("{what} {} is out of range", value.unwrap_or_default());
        value.map(u32::try_from).transpose().map_err(bad)
    };
    process.uid = id(
        own.and_then(|c| c.run_as_user)
            .or(of_pod.and_then(|c| c.run_as_user)),
        "runAsUser",
    )?;
    process.gid = id(
        own.and_then(|c| c.run_as_group)
            .or(of_pod.and_then(|c| c.run_as_group)),
        "runAsGroup",
    )?;
    for group in of_pod
        .iter()
        .flat_map(|c| c.supplemental_groups.iter().flatten().copied().chain(c.fs_group))
    {
        process.groups.extend(id(Some(group), "supplementalGroups")?);
    }
    process.must_not_be_root = own
        .and_then(|c| c.run_as_non_root)
        .or(of_pod.and_then(|c| c.run_as_non_root))
        .unwrap_or(false);
    process.no_new_privileges = own.and_then(|c| c.allow_privilege_escalation) == Some(false);
    let profile = own
        .and_then(|c| c.seccomp_profile.as_ref())
        .or(of_pod.and_then(|c| c.seccomp_profile.as_ref()));
    process.filtered_calls = profile.is_some_and(|profile| profile.type_ == "RuntimeDefault");
    process.capabilities = capabilities(own.and_then(|c| c.capabilities.as_ref()))?.bits();
    if own.and_then(|c| c.privileged) == Some(true) {
        process.capabilities = u64::MAX;
    }
    Ok(())
}

fn capabilities(asked: Option<&Capabilities>) -> Result<CapabilitySet, String> {
    let names = |list: Option<&Vec<String>>| list.cloned().unwrap_or_default();
    let (add, drop) = (
        names(asked.and_then(|a| a.add.as_ref())),
        names(asked.and_then(|a| a.drop.as_ref())),
    );
    let is_all = |name: &String| name.eq_ignore_ascii_case("all");
    let mut set = DEFAULT_CAPABILITIES;
    if add.iter().any(is_all) {
        set = CapabilitySet::all();
    }
    if drop.iter().any(is_all) {
        set = CapabilitySet::empty();
    }
    for name in add.iter().filter(|name| !is_all(name)) {
        set |= parse(name)?;
    }
    for name in drop.iter().filter(|name| !is_all(name)) {
        set &= !parse(name)?;
    }
    Ok(set)
}

fn parse(name: &str) -> Result<CapabilitySet, String> {
    let upper = name.to_uppercase();
    let short = upper.strip_prefix("CAP_").unwrap_or(&upper);
    CapabilitySet::from_name(short).ok_or_else(|| format!("unknown capability to add or drop: {name:?}"))
}
