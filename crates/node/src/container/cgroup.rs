//! The control groups of a container: made and entered by its first process, read and removed by the sandbox.

use std::fs;
use std::path::Path;

use super::failure;
use super::process::reason;
use crate::runtime::{Cgroup, StartFailure};

/// Makes the groups and moves this process into them.
pub(super) fn make(groups: &[Cgroup]) -> Result<(), StartFailure> {
    for group in groups {
        fs::create_dir_all(&group.folder).map_err(|e| {
            failure(
                format_args!("making control group {}", group.folder.display()),
                reason(&e),
            )
        })?;
        for setting in &group.settings {
            let path = group.folder.join(&setting.file);
            let written = fs::write(&path, &setting.value);
            if let (Err(error), false) = (written, setting.optional) {
                let what = format!("setting {} to {}", path.display(), setting.value);
                return Err(failure(what, reason(&error)));
            }
        }
    }
    enter(groups)
}

/// Moves this process into groups that exist.
pub(super) fn enter(groups: &[Cgroup]) -> Result<(), StartFailure> {
    for group in groups {
        let procs = group.folder.join("cgroup.procs");
        fs::write(&procs, "0").map_err(|e| {
            failure(
                format_args!("entering control group {}", procs.display()),
                reason(&e),
            )
        })?;
    }
    Ok(())
}

/// Whether the kernel ended a process in one of the groups for its memory.
pub(super) fn ran_out_of_memory(groups: &[Cgroup]) -> bool {
    // The first is of the unified tree, the second of the older one.
    let files = ["memory.events", "memory.oom_control"];
    groups
        .iter()
        .any(|group| files.iter().any(|file| kills(&group.folder.join(file)) > 0))
}

fn kills(file: &Path) -> u64 {
    let text = fs::read_to_string(file).unwrap_or_default();
    let count = text.lines().find_map(|line| line.strip_prefix("oom_kill "));
    count.and_then(|count| count.trim().parse().ok()).unwrap_or(0)
}

/// Removes the groups. One in which something still runs stays; the next node sweeps it.
pub(super) fn remove(groups: &[Cgroup]) {
    for group in groups {
        let _ = fs::remove_dir(&group.folder);
    }
}
