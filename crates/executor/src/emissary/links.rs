//! In init-less pods main finds its input artifacts through links (rules X-EMIS-12 to
//! X-EMIS-14). Loading them is the supervisor's.

use std::io;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};

use crate::outcome::{BEFORE_MAIN_ERROR, Failure};
use crate::paths::Layout;
use crate::task::{Artifact, Task};
use crate::text::failed;

/// Links every loaded input artifact to its path.
///
/// # Errors
/// A path cannot be replaced by a link: exit code 65.
pub fn stage(layout: &Layout, task: &Task) -> Result<(), Failure> {
    let back = std::env::current_dir().map_err(|e| failure(format!("getwd: {e}")))?;
    // A link may take the place of the working directory itself, which must not be busy then.
    std::env::set_current_dir("/").map_err(|e| failure(format!("chdir /: {e}")))?;
    for artifact in &task.inputs.artifacts {
        link(layout, task, artifact).map_err(|f| f.with_code(BEFORE_MAIN_ERROR))?;
    }
    std::env::set_current_dir(&back).map_err(|e| failure(failed("chdir", &back, &e)))
}

fn failure(message: String) -> Failure {
    Failure::new(message).with_code(BEFORE_MAIN_ERROR)
}

fn link(layout: &Layout, task: &Task, artifact: &Artifact) -> Result<(), Failure> {
    let source = layout.input_artifact(&artifact.name);
    if artifact.path.is_empty() || !source.exists() {
        return Ok(());
    }
    let path = layout.place(&artifact.path);
    let path = path.components().as_path();
    let Some(parent) = path.parent() else {
        return Err(Failure::new(format!(
            "artifact {} cannot replace /",
            artifact.name
        )));
    };
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(parent)
        .map_err(|e| Failure::new(failed("mkdir", parent, &e)))?;
    match path.symlink_metadata() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(Failure::new(failed("lstat", path, &error))),
        Ok(found) => {
            refuse_mounts(layout, task, artifact, path, parent)?;
            let removed = if found.is_dir() {
                std::fs::remove_dir_all(path)
            } else {
                std::fs::remove_file(path)
            };
            removed.map_err(|e| Failure::new(failed("remove", path, &e)))?;
        }
    }
    std::os::unix::fs::symlink(&source, path).map_err(|e| Failure::new(failed("symlink", path, &e)))
}

/// What is on a volume, or holds one, is not ours to remove.
fn refuse_mounts(
    layout: &Layout,
    task: &Task,
    artifact: &Artifact,
    path: &Path,
    parent: &Path,
) -> Result<(), Failure> {
    let parent = parent
        .canonicalize()
        .map_err(|e| Failure::new(failed("readlink", parent, &e)))?;
    let resolved: PathBuf = parent.join(path.file_name().unwrap_or_default());
    for mount in task.mounts() {
        let mount = layout.place(mount);
        let mount = mount.components().as_path();
        if resolved.starts_with(mount) || mount.starts_with(&resolved) {
            return Err(Failure::new(format!(
                "artifact {} at {} conflicts with the volume mounted at {}",
                artifact.name,
                artifact.path,
                mount.display()
            )));
        }
    }
    Ok(())
}
