//! Users, groups and capabilities of a process.

use std::fs;

use rustix::fs::{Gid, Uid};
use rustix::thread::{CapabilitySet, CapabilitySets};

use super::failure;
use crate::runtime::{ProcessSpec, StartFailure};

/// A user looked up in the container's own files.
pub(super) struct User {
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) groups: Vec<u32>,
    pub(super) home: String,
}

/// Finds out who the process shall be: ids given by the pod, else the image's user, else root.
pub(super) fn resolve(spec: &ProcessSpec) -> Result<User, StartFailure> {
    // Absent files are usual in images of one static program.
    let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
    let group = fs::read_to_string("/etc/group").unwrap_or_default();
    let user = resolve_in(spec, &passwd, &group)?;
    if spec.must_not_be_root && user.uid == 0 {
        return Err(failure(
            "container has runAsNonRoot and image will run as root",
            "uid 0",
        ));
    }
    Ok(user)
}

fn resolve_in(spec: &ProcessSpec, passwd: &str, group: &str) -> Result<User, StartFailure> {
    let (name, group_name) = spec.image_user.split_once(':').unwrap_or((&spec.image_user, ""));
    let given = spec.uid.map(|uid| uid.to_string());
    let wanted = given
        .as_deref()
        .unwrap_or(if name.is_empty() { "0" } else { name });
    let entry = passwd
        .lines()
        .map(fields)
        .find(|f| f.first() == Some(&wanted) || f.get(2) == Some(&wanted));
    let uid = match (&entry, wanted.parse::<u32>()) {
        (_, Ok(uid)) => uid,
        (Some(entry), _) => number(entry.get(2))?,
        (None, _) => {
            return Err(failure(
                "unable to find user",
                format_args!("{wanted}: no matching entries in passwd file"),
            ));
        }
    };
    let entry_gid = entry.as_ref().and_then(|e| e.get(3)).and_then(|g| g.parse().ok());
    let gid = match spec.gid {
        Some(gid) => gid,
        None if spec.uid.is_none() && !group_name.is_empty() => find_group(group_name, group)?,
        None => entry_gid.unwrap_or(0),
    };
    let user_name = entry.as_ref().and_then(|e| e.first()).copied().unwrap_or("");
    let mut groups: Vec<u32> = spec.groups.clone();
    if !user_name.is_empty() && group_name.is_empty() {
        groups.extend(member_groups(user_name, group));
    }
    groups.push(gid);
    groups.sort_unstable();
    groups.dedup();
    let home = entry
        .as_ref()
        .and_then(|e| e.get(5))
        .filter(|h| !h.is_empty())
        .map_or("/", |home| home);
    let home = if uid == 0 && entry.is_none() {
        "/root"
    } else {
        home
    };
    Ok(User {
        uid,
        gid,
        groups,
        home: home.to_string(),
    })
}

fn fields(line: &str) -> Vec<&str> {
    line.split(':').collect()
}

fn number(text: Option<&&str>) -> Result<u32, StartFailure> {
    text.and_then(|t| t.parse().ok())
        .ok_or_else(|| failure("/etc/passwd", "an id is no number"))
}

fn find_group(wanted: &str, group: &str) -> Result<u32, StartFailure> {
    if let Ok(gid) = wanted.parse() {
        return Ok(gid);
    }
    let entry = group.lines().map(fields).find(|f| f.first() == Some(&wanted));
    entry
        .and_then(|e| e.get(2).and_then(|g| g.parse().ok()))
        .ok_or_else(|| {
            failure(
                "unable to find group",
                format_args!("{wanted}: no matching entries in group file"),
            )
        })
}

fn member_groups(user: &str, group: &str) -> Vec<u32> {
    let member = |f: &Vec<&str>| {
        f.get(3)
            .is_some_and(|members| members.split(',').any(|m| m == user))
    };
    group
        .lines()
        .map(fields)
        .filter(member)
        .filter_map(|f| f.get(2)?.parse().ok())
        .collect()
}

/// Takes on the user and gives up every capability that the container may not have.
pub(super) fn become_user(spec: &ProcessSpec, user: &User, privileged: bool) -> Result<(), StartFailure> {
    let keep = if privileged {
        CapabilitySet::all()
    } else {
        CapabilitySet::from_bits_truncate(spec.capabilities)
    };
    for capability in CapabilitySet::all().iter() {
        if !keep.contains(capability) {
            // The kernel may know fewer capabilities than rustix, which answers EINVAL.
            let _ = rustix::thread::remove_capability_from_bounding_set(capability);
        }
    }
    // A user namespace with one mapped user forbids setgroups; then there is nothing to drop either.
    let groups: Vec<Gid> = user.groups.iter().map(|g| Gid::from_raw(*g)).collect();
    let in_full_control = may_set_groups();
    if in_full_control {
        rustix::thread::set_thread_groups(&groups).map_err(|e| failure("setgroups", e))?;
    }
    let (uid, gid) = (Uid::from_raw(user.uid), Gid::from_raw(user.gid));
    let explain = |what: &'static str, id: u32| {
        move |error: rustix::io::Errno| match (error, in_full_control) {
            (rustix::io::Errno::INVAL, false) => failure(
                format_args!("{what} {id}"),
                "only user 0 exists for a node that does not run as root",
            ),
            _ => failure(format_args!("{what} {id}"), error),
        }
    };
    rustix::thread::set_thread_res_gid(gid, gid, gid).map_err(explain("setgid", user.gid))?;
    rustix::thread::set_thread_res_uid(uid, uid, uid).map_err(explain("setuid", user.uid))?;
    if user.uid == 0 {
        let present = rustix::thread::capabilities(None).map_err(|e| failure("capget", e))?;
        let kept = present.permitted & keep;
        let sets = CapabilitySets {
            effective: kept,
            permitted: kept,
            inheritable: CapabilitySet::empty(),
        };
        rustix::thread::set_capabilities(None, sets).map_err(|e| failure("capset", e))?;
    }
    if spec.no_new_privileges {
        rustix::thread::set_no_new_privs(true).map_err(|e| failure("no_new_privs", e))?;
    }
    Ok(())
}

fn may_set_groups() -> bool {
    fs::read_to_string("/proc/self/setgroups").map_or(true, |text| text.trim() != "deny")
}
