//! The host's files in parts, for user namespaces: there the kernel refuses an overlay over `/`, because the mounts below it
//! are locked, but allows one over each folder that has no mounts in it. Folders with mounts stay empty.

use std::fs;
use std::path::{Component, Path, PathBuf};

use super::{failure, mounts};
use crate::runtime::{Mount, Root, StartFailure};

/// Folders that every container gets anew.
const OWN: &[&str] = &["dev", "proc", "sys"];

/// Puts the view together on `target`, with places for `mounts`.
pub(super) fn assemble(root: &Root, target: &Path, mounts: &[Mount]) -> Result<(), StartFailure> {
    for mount in mounts {
        make_place(root, mount)
            .map_err(|e| failure(format_args!("a place for {}", mount.target.display()), e))?;
    }
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

/// Makes a mount point beforehand where writes of the container would go: in the view itself, folders of others than this
/// user cannot be changed.
fn make_place(root: &Root, mount: &Mount) -> std::io::Result<()> {
    let there = mount
        .target
        .ancestors()
        .find_map(|path| fs::canonicalize(path).ok());
    let depth = mount.target.ancestors().take_while(|path| !path.exists()).count();
    let Some(there) = there.filter(|_| depth > 0) else {
        return Ok(());
    };
    let missing: Vec<Component<'_>> = mount.target.components().rev().take(depth).collect();
    let place: PathBuf = there
        .components()
        .chain(missing.into_iter().rev())
        .skip(1)
        .collect();
    // Folders of the first level are made with the view.
    if place.components().count() < 2 || place.components().any(|part| part == Component::ParentDir) {
        return Ok(());
    }
    let place = root.upper.join("parts").join(place);
    if mount.source.is_dir() || mount.sub_path.is_some() {
        return fs::create_dir_all(place);
    }
    if let Some(folder) = place.parent() {
        fs::create_dir_all(folder)?;
    }
    fs::OpenOptions::new()
        .create(true)
        .append(true)
        .open(place)
        .map(drop)
}
