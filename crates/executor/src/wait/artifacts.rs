//! Output artifacts and logs on their way into stores (rules X-WAIT-30 to X-WAIT-40).

use std::fs::File;
use std::io::{self, BufWriter, Write as _};
use std::path::{Path, PathBuf};

use argosy_artifact::archive::{self, Compression};
use argosy_artifact::{Options, Store, location};
use argosy_model::artifact::{ArchiveStrategy, Artifact, ArtifactLocation};

use crate::artifacts::{MountedSecrets, archive_failure, base_of, failure, in_background, path_of};
use crate::env;
use crate::log;
use crate::outcome::Failure;
use crate::paths::Layout;
use crate::startup::Pod;
use crate::text::failed;

/// What is to be sent, and the name of the object if the artifact has no key of its own.
#[derive(Debug)]
struct Staged {
    content: Content,
    object: String,
}

/// Where the bytes are.
#[derive(Debug)]
enum Content {
    /// The user's own file or folder: never deleted (X-WAIT-34).
    Theirs(PathBuf),
    /// A file that was made by us, and may be deleted when it was sent.
    Ours(PathBuf),
    /// Nowhere yet: a file or folder that is packed on its way (X-WAIT-35).
    ToPack(PathBuf, Compression),
}

/// Saves the template's output artifacts; gives those that were saved.
///
/// # Errors
/// All messages, when some could not be saved; the others are saved all the same (X-WAIT-30).
pub async fn save(pod: &Pod, wanted: &[Artifact], saved: &mut Vec<Artifact>) -> Result<(), Failure> {
    let options = crate::retry::store_options(&pod.layout)?;
    let mut messages = String::new();
    for artifact in wanted {
        match save_one(pod, artifact, &options).await {
            Ok(Some(artifact)) => saved.push(artifact),
            Ok(None) => {}
            Err(failure) => {
                log::error(
                    "artifact not saved",
                    &[("name", &artifact.name), ("error", &failure.message)],
                );
                messages.push_str(&failure.message);
                messages.push_str("; ");
            }
        }
    }
    if messages.is_empty() {
        Ok(())
    } else {
        Err(Failure::new(messages))
    }
}

/// Saves the logs of main containers, if the template says so; gives those that were saved.
///
/// # Errors
/// The first log that is there and cannot be saved.
pub async fn save_logs(pod: &Pod, saved: &mut Vec<Artifact>) -> Result<(), Failure> {
    if !pod.task.archives_logs() {
        return Ok(());
    }
    let options = crate::retry::store_options(&pod.layout)?;
    let mut result = Ok(());
    for name in pod.task.main_containers() {
        let combined = pod.layout.container(name).join("combined");
        if !combined.exists() {
            log::warn("no logs to save", &[("container", name)]);
            continue;
        }
        match save_log(pod, name, &combined, &options).await {
            Ok(artifact) => saved.push(artifact),
            Err(failure) => {
                log::error(
                    "logs not saved",
                    &[("container", name), ("error", &failure.message)],
                );
                result = result.and(Err(failure));
            }
        }
    }
    result
}

async fn save_log(
    pod: &Pod,
    container: &str,
    combined: &Path,
    options: &Options,
) -> Result<Artifact, Failure> {
    // A copy, so that what the container's last children still write cannot change it while it is
    // sent.
    let copy = pod.layout.scratch_logs().join(format!("{container}.log"));
    let from = combined.to_owned();
    let file = copy.clone();
    in_background(move || {
        make_folder_of(&file)?;
        std::fs::copy(&from, &file)
            .map(drop)
            .map_err(|e| Failure::new(failed("copy", &from, &e)))
    })
    .await?;
    let artifact = Artifact {
        name: format!("{container}-logs"),
        ..Artifact::default()
    };
    let staged = Staged {
        content: Content::Ours(copy),
        object: format!("{container}.log"),
    };
    send(pod, &artifact, &staged, options).await
}

async fn save_one(pod: &Pod, artifact: &Artifact, options: &Options) -> Result<Option<Artifact>, Failure> {
    let path = path_of(artifact)?;
    log::info("saving artifact", &[("name", &artifact.name), ("path", &path)]);
    let plan = Plan {
        on_volume: pod.is_on_volume(&path),
        layout: pod.layout.clone(),
        name: artifact.name.clone(),
        path,
        archive: artifact.archive.clone().unwrap_or_default(),
    };
    let staged = match in_background(move || plan.stage()).await {
        Ok(staged) => staged,
        Err(failure) if artifact.optional && failure.code == MISSING => {
            log::warn("optional artifact was not found", &[("name", &artifact.name)]);
            return Ok(None);
        }
        Err(failure) => return Err(failure),
    };
    let (Content::Theirs(file) | Content::Ours(file) | Content::ToPack(file, _)) = &staged.content;
    if file.metadata().is_ok_and(|m| m.is_file() && m.len() == 0) {
        log::warn("the artifact's file is empty", &[("name", &artifact.name)]);
    }
    send(pod, artifact, &staged, options).await.map(Some)
}

/// Sends a staged file or folder, and gives the artifact as it is reported (X-WAIT-33).
async fn send(
    pod: &Pod,
    artifact: &Artifact,
    staged: &Staged,
    options: &Options,
) -> Result<Artifact, Failure> {
    let archive = pod.template.archive_location.as_deref();
    let mut reported = artifact.clone();
    if location::key(&artifact.location).is_none() && !location::is_complete(&artifact.location) {
        let missing = || Failure::new("template artifact location not set".to_owned());
        let archive = archive
            .filter(|a| location::kind(a).is_some())
            .ok_or_else(missing)?;
        let prefix = location::key(archive).unwrap_or_default();
        reported.location = keyed(archive, &join_key(&prefix, &staged.object))?;
    }
    let whole = Artifact {
        location: location::complete(&reported.location, archive).map_err(failure)?,
        ..reported.clone()
    };
    let secrets = MountedSecrets::new(&pod.layout);
    let store = argosy_artifact::open_artifact(&whole, &secrets, options)
        .await
        .map_err(failure)?;
    put(pod, &*store, &artifact.name, staged).await?;
    log::info("artifact saved", &[("name", &artifact.name)]);
    Ok(reported)
}

/// Sends the bytes; what is to be packed goes through a file only if the store wants one.
async fn put(pod: &Pod, store: &dyn Store, name: &str, staged: &Staged) -> Result<(), Failure> {
    let made;
    let (file, is_ours) = match &staged.content {
        Content::Theirs(file) => (file, false),
        Content::Ours(file) => (file, true),
        Content::ToPack(source, level) if store.takes_streams().await.map_err(failure)? => {
            let told = name.to_owned();
            let content = archive::packed(source.clone(), *level, move |report| tell(&told, &report));
            let saved = store.save_stream(Path::new(&staged.object), content).await;
            return saved.map_err(failure);
        }
        Content::ToPack(source, level) => {
            made = pod.layout.scratch_artifacts().join(&staged.object);
            let (source, level, to, told) = (source.clone(), *level, made.clone(), name.to_owned());
            in_background(move || pack_to(&source, level, &to, &told)).await?;
            (&made, true)
        }
    };
    store.save(file).await.map_err(failure)?;
    if is_ours && env::is_true("REMOVE_LOCAL_ART_PATH") {
        // What remains goes with the pod.
        let _ = archive::remove_all(file);
    }
    Ok(())
}

fn pack_to(source: &Path, level: Compression, to: &Path, name: &str) -> Result<(), Failure> {
    let file = new_file(to)?;
    let packed = archive::tar::pack(source, level, BufWriter::with_capacity(256 * 1024, file));
    finish(source, name, packed)
}

fn new_file(path: &Path) -> Result<File, Failure> {
    make_folder_of(path)?;
    File::create(path).map_err(|e| Failure::new(failed("open", path, &e)))
}

/// Writes what is left of a packed file.
fn finish(
    source: &Path,
    name: &str,
    packed: io::Result<(BufWriter<File>, archive::Report)>,
) -> Result<(), Failure> {
    let flushed = packed.and_then(|(mut file, report)| {
        file.flush()?;
        Ok(report)
    });
    let report = flushed.map_err(|e| Failure::new(failed("archive", source, &e)))?;
    tell(name, &report);
    Ok(())
}

fn tell(name: &str, report: &archive::Report) {
    for note in &report.notes {
        log::warn("archived differently", &[("name", name), ("note", note)]);
    }
}

fn keyed(archive: &ArtifactLocation, key: &str) -> Result<ArtifactLocation, Failure> {
    location::key_only(archive, key).map_err(failure)
}

/// Parts of a key put together as paths are: one slash between them, none doubled.
fn join_key(prefix: &str, name: &str) -> String {
    if prefix.is_empty() {
        return name.to_owned();
    }
    format!("{}/{name}", prefix.trim_end_matches('/'))
}

/// Marks a failure that means only that the source is not there.
const MISSING: i32 = -1;

/// How one artifact's file is made ready, without a store.
struct Plan {
    on_volume: bool,
    layout: Layout,
    name: String,
    path: String,
    archive: ArchiveStrategy,
}

impl Plan {
    /// The table of X-WAIT-31.
    fn stage(&self) -> Result<Staged, Failure> {
        let base = base_of(&self.path);
        let (as_is, zipped) = (self.archive.none.is_some(), self.archive.zip.is_some());
        if !self.on_volume {
            let archived = self.layout.staged_artifact(&self.path);
            require(&archived)?;
            if !as_is && !zipped {
                return Ok(Staged {
                    content: Content::Ours(archived),
                    object: format!("{}.tgz", self.name),
                });
            }
            let unpacked = self.unpack(&archived, &base)?;
            if as_is {
                return Ok(Staged {
                    content: Content::Ours(unpacked),
                    object: base,
                });
            }
            return self.zip(&unpacked);
        }
        let source = self.layout.mirrored(&self.path);
        require(&source)?;
        if as_is {
            return Ok(Staged {
                content: Content::Theirs(source),
                object: base,
            });
        }
        if zipped {
            return self.zip(&source);
        }
        let level = self.archive.tar.as_ref().and_then(|t| t.compression_level);
        let level = level.map_or(Compression::Default, Compression::of_level);
        Ok(Staged {
            content: Content::ToPack(source, level),
            object: format!("{}.tgz", self.name),
        })
    }

    /// Takes the emissary's archive apart again, under the name that the user knows. The folder
    /// is the artifact's own, so that equal names of two artifacts do not meet.
    fn unpack(&self, archived: &Path, base: &str) -> Result<PathBuf, Failure> {
        let target = self.layout.scratch_artifacts().join(&self.name).join(base);
        make_folder_of(&target)?;
        archive::remove_all(&target).map_err(|e| Failure::new(failed("remove", &target, &e)))?;
        let file = File::open(archived).map_err(|e| Failure::new(failed("open", archived, &e)))?;
        let report = archive::unpack_tar_gz(file, &target).map_err(archive_failure)?;
        tell(&self.name, &report);
        Ok(target)
    }

    fn zip(&self, source: &Path) -> Result<Staged, Failure> {
        let object = format!("{}.zip", self.name);
        let path = self.layout.scratch_artifacts().join(&object);
        let packed = archive::zip::pack(source, BufWriter::new(new_file(&path)?));
        finish(source, &self.name, packed)?;
        Ok(Staged {
            content: Content::Ours(path),
            object,
        })
    }
}

fn require(path: &Path) -> Result<(), Failure> {
    match std::fs::metadata(path) {
        Ok(_) => Ok(()),
        Err(error) => {
            let failure = Failure::new(failed("open", path, &error));
            let is_missing = error.kind() == io::ErrorKind::NotFound;
            Err(if is_missing {
                failure.with_code(MISSING)
            } else {
                failure
            })
        }
    }
}

fn make_folder_of(path: &Path) -> Result<(), Failure> {
    let Some(parent) = path.parent() else {
        return Ok(());
    };
    std::fs::create_dir_all(parent).map_err(|e| Failure::new(failed("mkdir", parent, &e)))
}
