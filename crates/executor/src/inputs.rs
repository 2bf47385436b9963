//! Input artifacts on their way into a pod (rules X-INIT-10 to X-INIT-22).

use std::fs::File;
use std::io;
use std::os::unix::fs::{DirBuilderExt as _, PermissionsExt};
use std::path::{Path, PathBuf};

use argosy_artifact::archive::{self, with_suffix};
use argosy_artifact::{Options, location};
use argosy_model::artifact::{ArchiveStrategy, Artifact, ArtifactLocation};

use crate::artifacts::{MountedSecrets, archive_failure, in_background, path_of};
use crate::log;
use crate::outcome::Failure;
use crate::startup::Pod;
use crate::text::failed;

/// Whose artifacts are loaded (X-INIT-13).
#[derive(Clone, Copy, Debug)]
pub enum Keeper<'a> {
    /// Those that our own drivers reach.
    Store,
    /// Those of one plugin.
    Plugin(&'a str),
}

impl Keeper<'_> {
    fn has(self, place: &ArtifactLocation) -> bool {
        match (self, &place.plugin) {
            (Self::Store, plugin) => plugin.is_none(),
            (Self::Plugin(name), Some(plugin)) => plugin.name == name,
            (Self::Plugin(_), None) => false,
        }
    }
}

/// Loads one keeper's input artifacts, in the order of the template.
///
/// # Errors
/// The first artifact that cannot be loaded.
pub async fn load(pod: &Pod, options: &Options, keeper: Keeper<'_>) -> Result<(), Failure> {
    for artifact in &pod.template.inputs.artifacts {
        if let Some((artifact, path)) = wanted(pod, artifact, keeper)? {
            Box::pin(load_one(pod, artifact, &path, options)).await?;
        }
    }
    Ok(())
}

/// An artifact with its whole location and its path, if it is there and this keeper's.
fn wanted(pod: &Pod, artifact: &Artifact, keeper: Keeper<'_>) -> Result<Option<(Artifact, String)>, Failure> {
    let name = &artifact.name;
    if !location::is_complete(&artifact.location) && location::key(&artifact.location).is_none() {
        if artifact.optional {
            log::warn("optional artifact was not supplied", &[("name", name)]);
            return Ok(None);
        }
        return Err(Failure::new(format!("required artifact '{name}' not supplied")));
    }
    let path = path_of(artifact)?;
    let place = location::complete(&artifact.location, pod.template.archive_location.as_deref())
        .map_err(|e| Failure::new(format!("failed to load artifact '{name}': {e}")))?;
    let whole = Artifact {
        location: place,
        ..artifact.clone()
    };
    Ok(keeper.has(&whole.location).then_some((whole, path)))
}

async fn load_one(pod: &Pod, artifact: Artifact, path: &str, options: &Options) -> Result<(), Failure> {
    let name = &artifact.name;
    let target = target_of(pod, &artifact, path);
    log::info(
        "loading artifact",
        &[("name", name), ("path", &target.to_string_lossy())],
    );
    if let Some(parent) = target.parent() {
        make_folder(parent)?;
    }
    let half = with_suffix(&target, ".tmp");
    // Left behind by an init container that was started again.
    archive::remove_all(&half).map_err(|e| Failure::new(failed("remove", &half, &e)))?;
    let secrets = MountedSecrets::new(&pod.layout);
    let loaded = match argosy_artifact::open_artifact(&artifact, &secrets, options).await {
        Ok(store) => store.load(&half).await,
        Err(error) => Err(error),
    };
    match loaded {
        Ok(()) => {}
        Err(argosy_artifact::Error::NotFound(_)) if artifact.optional => {
            log::warn("optional artifact was not found", &[("name", name)]);
            return Ok(());
        }
        Err(error) => {
            let text = crate::artifacts::failure(error).message;
            return Err(Failure::new(format!("artifact {name} failed to load: {text}")));
        }
    }
    in_background(move || {
        unpack(&artifact, &half, &target)?;
        set_modes(&artifact, &target)
    })
    .await
}

/// Main's own place for inputs, or the volume in which the path lies (X-INIT-14).
fn target_of(pod: &Pod, artifact: &Artifact, path: &str) -> PathBuf {
    match pod.task.mount_of(path) {
        Some(_) => pod.layout.mirrored(path),
        None => pod.layout.input_artifact(&artifact.name),
    }
}

/// Unpacks what was loaded, or keeps it as it is (X-INIT-17).
fn unpack(artifact: &Artifact, half: &Path, target: &Path) -> Result<(), Failure> {
    let opened = || File::open(half).map_err(|e| Failure::new(failed("open", half, &e)));
    let is_folder = half.is_dir();
    let ArchiveStrategy { tar, none, zip } = artifact.archive.clone().unwrap_or_default();
    let report = if none.is_some() {
        None
    } else if tar.is_some() {
        Some(archive::unpack_tar_gz(opened()?, target).map_err(archive_failure)?)
    } else if zip.is_some() {
        Some(archive::unpack_zip(opened()?, target).map_err(archive_failure)?)
    } else if !is_folder && archive::is_tar_gz(half).map_err(|e| Failure::new(failed("read", half, &e)))? {
        Some(archive::unpack_tar_gz(opened()?, target).map_err(archive_failure)?)
    } else {
        None
    };
    let Some(report) = report else {
        return keep(half, target);
    };
    for note in &report.notes {
        log::warn(
            "unpacked differently",
            &[("name", &artifact.name), ("note", note)],
        );
    }
    archive::remove_all(half).map_err(|e| Failure::new(failed("remove", half, &e)))
}

fn keep(half: &Path, target: &Path) -> Result<(), Failure> {
    std::fs::rename(half, target).map_err(|e| match e.kind() {
        io::ErrorKind::DirectoryNotEmpty => Failure::new(format!(
            "{}: the volume already holds a folder with content there",
            target.display()
        )),
        _ => Failure::new(failed("rename", target, &e)),
    })
}

/// Permissions as the template says; without a word there, everyone may read, and write what a plugin made
/// (X-INIT-18 to X-INIT-20).
fn set_modes(artifact: &Artifact, target: &Path) -> Result<(), Failure> {
    let given = artifact
        .mode
        .map(|mode| u32::try_from(mode).unwrap_or(0) & 0o7777);
    if given.is_none() && artifact.location.plugin.is_none() {
        return Ok(());
    }
    let set = |path: &Path| {
        // Without `x` nobody could enter a folder (X-INIT-19).
        let open = if path.is_dir() { 0o777 } else { 0o666 };
        std::fs::set_permissions(path, PermissionsExt::from_mode(given.unwrap_or(open)))
            .map_err(|e| Failure::new(failed("chmod", path, &e)))
    };
    if artifact.recurse_mode && target.is_dir() {
        // Deepest first: a folder that loses its `x` could not be entered any more.
        for path in everything_below(target)?.iter().rev() {
            set(path)?;
        }
    }
    set(target)
}

fn everything_below(folder: &Path) -> Result<Vec<PathBuf>, Failure> {
    let mut found = Vec::new();
    let mut left = vec![folder.to_owned()];
    while let Some(folder) = left.pop() {
        let fail = |e: io::Error| Failure::new(failed("read", &folder, &e));
        for entry in std::fs::read_dir(&folder).map_err(fail)? {
            let entry = entry.map_err(fail)?;
            let kind = entry.file_type().map_err(fail)?;
            if kind.is_dir() {
                left.push(entry.path());
            }
            // A link's permissions are its target's, which may be elsewhere.
            if !kind.is_symlink() {
                found.push(entry.path());
            }
        }
    }
    Ok(found)
}

fn make_folder(path: &Path) -> Result<(), Failure> {
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o755)
        .create(path)
        .map_err(|e| Failure::new(failed("mkdir", path, &e)))
}
