//! What main leaves behind is copied to where wait can read it (rules X-EMIS-51, X-EMIS-52).
//! Outputs on volumes are left where they are: wait sees the volumes too.

use std::fs::{File, OpenOptions};
use std::io::{self, BufWriter, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::Path;

use argosy_artifact::archive::{Compression, tar, with_suffix};

use crate::log;
use crate::outcome::Failure;
use crate::paths::Layout;
use crate::task::{Artifact, Task};
use crate::text::failed;

/// Saves every output of the template that lies in main's own file system.
///
/// # Errors
/// An output is there but cannot be copied whole.
pub fn save(layout: &Layout, task: &Task) -> Result<(), Failure> {
    for parameter in &task.outputs.parameters {
        let path = parameter.value_from.as_ref().map_or("", |v| v.path.as_str());
        if path.is_empty() {
            continue;
        }
        if task.mount_of(path).is_some() {
            log::info(
                "no need to save parameter - on overlapping volume",
                &[("path", path)],
            );
            continue;
        }
        save_parameter(layout, path)?;
    }
    for artifact in &task.outputs.artifacts {
        if artifact.path.is_empty() {
            continue;
        }
        if task.mount_of(&artifact.path).is_some() {
            log::info(
                "no need to save artifact - on overlapping volume",
                &[("path", &artifact.path)],
            );
            continue;
        }
        save_artifact(layout, artifact)?;
    }
    Ok(())
}

fn save_parameter(layout: &Layout, path: &str) -> Result<(), Failure> {
    let source = layout.place(path);
    let target = layout.staged_parameter(path);
    let mut from = match File::open(&source) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            log::warn("cannot save parameter, does not exist", &[("path", path)]);
            return Ok(());
        }
        Err(error) => return Err(Failure::new(failed("open", &source, &error))),
    };
    whole("copy", &source, &target, |mut to| io::copy(&mut from, &mut to))?;
    log::info("saved parameter", &[("path", path)]);
    Ok(())
}

fn save_artifact(layout: &Layout, artifact: &Artifact) -> Result<(), Failure> {
    let source = layout.place(&artifact.path);
    let source = without_trailing_slashes(&source);
    let target = layout.staged_artifact(&artifact.path);
    if std::fs::metadata(source).is_err_and(|e| e.kind() == io::ErrorKind::NotFound) {
        log::warn(
            "cannot save artifact, does not exist",
            &[("path", &artifact.path)],
        );
        return Ok(());
    }
    let report = whole("archive", source, &target, |file| {
        let file = BufWriter::with_capacity(128 * 1024, file);
        let (mut file, report) = tar::pack(source, compression(artifact), file)?;
        file.flush()?;
        Ok(report)
    })?;
    for skipped in &report.notes {
        log::warn(
            "archived differently",
            &[("path", &artifact.path), ("note", skipped)],
        );
    }
    log::info("saved artifact", &[("path", &artifact.path)]);
    Ok(())
}

/// Wait undoes the archive when the artifact is wanted as it is or as zip, so that squeezing it
/// would be work for nothing. It stays a gzip'd tar all the same, because a wait of the peer
/// reads nothing else (X-EMIS-52).
fn compression(artifact: &Artifact) -> Compression {
    let Some(archive) = &artifact.archive else {
        return Compression::Default;
    };
    if archive.none.is_some() || archive.zip.is_some() {
        return Compression::Level(0);
    }
    let level = archive.tar.as_ref().and_then(|t| t.compression_level);
    level.map_or(Compression::Default, Compression::of_level)
}

fn without_trailing_slashes(path: &Path) -> &Path {
    // Components never include a trailing slash.
    path.components().as_path()
}

/// Writes a file that is there when it is whole, or not at all: wait would take a half one for what main left.
fn whole<T>(
    operation: &str,
    source: &Path,
    target: &Path,
    write: impl FnOnce(File) -> io::Result<T>,
) -> Result<T, Failure> {
    let half = with_suffix(target, ".half~");
    let written = write(create(&half)?).and_then(|done| {
        std::fs::rename(&half, target)?;
        Ok(done)
    });
    written.map_err(|error| {
        // The first error is the one to report.
        let _ = std::fs::remove_file(&half);
        Failure::new(failed(operation, source, &error))
    })
}

fn create(path: &Path) -> Result<File, Failure> {
    if let Some(parent) = path.parent() {
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o755)
            .create(parent)
            .map_err(|e| Failure::new(failed("mkdir", parent, &e)))?;
    }
    OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o666)
        .open(path)
        .map_err(|e| Failure::new(failed("open", path, &e)))
}
