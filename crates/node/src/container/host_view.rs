//! The host's files in parts, for user namespaces: there the kernel refuses an overlay over `/`, because the mounts below it
//! are locked, but allows one over each folder that has no mounts in it. Folders with mounts stay empty.

use std::fs;
use std::path::Path;

use super::{failure, mounts};
use crate::runtime::{Root, StartFailure};

/// Folders that every container gets anew.
const OWN: &[&str] = &["dev", "proc", "sys"];

/// Puts the view together on `target`.
pub(super) fn assemble(root: &Root, target: &Path) -> Result<(), StartFailure> {
    let base = root.upper.join("root");
    fs::create_dir_all(&base).map_err(|e| failure(base.display(), e))?;
    rustix::mount::mount_bind(&base, target).map_err(|e| failure("mounting the root", e))?;
    let entries = fs::read_dir("/").map_err(|e| failure("/", e))?;
    for entry in entries.flatten() {
        let (from, name) = (entry.path(), entry.file_name());
        let to = target.join(&name);
        let Ok(kind) = entry.file_type() else { continue };
        if kind.is_symlink() {
            let link = fs::read_link(&from).map_err(|e| failure(from.display(), e))?;
            std::os::unix::fs::symlink(link, &to).map_err(|e| failure(to.display(), e))?;
        } else if kind.is_dir() {
            fs::create_dir(&to).map_err(|e| failure(to.display(), e))?;
            if OWN.iter().any(|own| name == *own) {
                continue;
            }
            let part = |kind: &Path| kind.join("parts").join(&name);
            let (upper, work) = (part(&root.upper), part(&root.work));
            for folder in [&upper, &work] {
                fs::create_dir_all(folder).map_err(|e| failure(folder.display(), e))?;
            }
            // A folder with mounts in it, or one that may not be read, is left empty.
            let _ = mounts::mount_overlay(root, Path::new("/"), &mounts::escape(&from), &upper, &work, &to);
        }
    }
    Ok(())
}
