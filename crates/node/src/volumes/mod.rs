//! Makes the volumes of a pod on the host: plain folders and files that containers then bind.

mod claim;
mod files;
mod projected;
pub(crate) mod refresh;

use std::collections::BTreeMap;
use std::os::unix::fs::{PermissionsExt, chown};
use std::path::{Path, PathBuf};

use k8s_openapi::api::core::v1::{HostPathVolumeSource, Pod, Volume};
use serde::{Deserialize, Serialize};

use crate::runtime::{ImageMount, Tmpfs};
use crate::spec::quantity;

use files::Content;
pub(crate) use projected::Sources;

/// A volume could not be made; the text is what the pod's events show.
#[derive(Debug, thiserror::Error)]
#[error("MountVolume.SetUp failed for volume {volume:?} : {message}")]
pub(crate) struct Error {
    pub(crate) volume: String,
    pub(crate) message: String,
}

/// Volumes ready to be bound.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(crate) struct Prepared {
    /// Host path by volume name.
    pub(crate) paths: BTreeMap<String, PathBuf>,
    /// Volumes that the sandbox mounts in memory.
    pub(crate) tmpfs: Vec<Tmpfs>,
    /// Volumes that show images, which the sandbox mounts.
    #[serde(default)]
    pub(crate) images: Vec<ImageMount>,
    /// Volumes that may only be read.
    pub(crate) read_only: Vec<String>,
}

/// Makes every volume of the pod below `pod_dir`, except those that show images.
pub(crate) async fn prepare(pod: &Pod, pod_dir: &Path, sources: &Sources) -> Result<Prepared, Error> {
    let mut prepared = Prepared::default();
    let volumes = pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
    for volume in volumes.filter(|volume| volume.image.is_none()) {
        let error = |message: String| Error {
            volume: volume.name.clone(),
            message,
        };
        let path = pod_dir.join("volumes").join(&volume.name);
        let path = one(pod, volume, path, sources, &mut prepared)
            .await
            .map_err(error)?;
        prepared.paths.insert(volume.name.clone(), path);
    }
    Ok(prepared)
}

async fn one(
    pod: &Pod,
    volume: &Volume,
    path: PathBuf,
    sources: &Sources,
    prepared: &mut Prepared,
) -> Result<PathBuf, String> {
    let group = fs_group(pod);
    if group.is_some() && !rustix::process::geteuid().is_root() {
        return Err("fsGroup needs a node that runs as root".into());
    }
    if let Some(host_path) = &volume.host_path {
        return check_host_path(host_path);
    }
    if let Some(claim) = &volume.persistent_volume_claim {
        if claim.read_only == Some(true) {
            prepared.read_only.push(volume.name.clone());
        }
        let namespace = pod.metadata.namespace.as_deref().unwrap_or("default");
        return claim::folder(sources, namespace, &claim.claim_name).await;
    }
    if let Some(ephemeral) = &volume.ephemeral {
        let _ = ephemeral;
        let namespace = pod.metadata.namespace.as_deref().unwrap_or("default");
        let name = format!(
            "{}-{}",
            pod.metadata.name.as_deref().unwrap_or_default(),
            volume.name
        );
        return claim::folder(sources, namespace, &name).await;
    }
    make_folder(&path, 0o755, None)?;
    if let Some(empty) = &volume.empty_dir {
        return empty_dir(empty, path, group, prepared);
    }
    let content = content(pod, volume, sources)
        .await?
        .ok_or("this kind of volume is not supported by the node")?;
    prepared.read_only.push(volume.name.clone());
    files::write(&path, &content, group).map_err(|e| format!("{}: {e}", path.display()))?;
    Ok(path)
}

/// The files of a volume that shows objects of the API; `None` for other volumes.
async fn content(pod: &Pod, volume: &Volume, sources: &Sources) -> Result<Option<Content>, String> {
    Ok(Some(if let Some(source) = &volume.config_map {
        projected::config_map_volume(sources, pod, source).await?
    } else if let Some(source) = &volume.secret {
        projected::secret_volume(sources, pod, source).await?
    } else if let Some(source) = &volume.downward_api {
        projected::downward_volume(pod, source)?
    } else if let Some(source) = &volume.projected {
        projected::projected_volume(sources, pod, source).await?
    } else {
        return Ok(None);
    }))
}

fn empty_dir(
    empty: &k8s_openapi::api::core::v1::EmptyDirVolumeSource,
    path: PathBuf,
    group: Option<u32>,
    prepared: &mut Prepared,
) -> Result<PathBuf, String> {
    make_folder(&path, 0o777, group)?;
    if empty.medium.as_deref() == Some("Memory") {
        let size_bytes = match &empty.size_limit {
            Some(limit) => Some(
                quantity::bytes(limit).ok_or_else(|| format!("sizeLimit {:?} is no quantity", limit.0))?,
            ),
            None => None,
        };
        prepared.tmpfs.push(Tmpfs {
            path: path.clone(),
            size_bytes,
            mode: 0o777,
            group,
        });
    }
    Ok(path)
}

/// The group that owns what the pod writes.
fn fs_group(pod: &Pod) -> Option<u32> {
    let context = pod.spec.as_ref()?.security_context.as_ref()?;
    context.fs_group.and_then(|group| u32::try_from(group).ok())
}

pub(super) fn make_folder(path: &Path, mode: u32, group: Option<u32>) -> Result<(), String> {
    let error = |e: std::io::Error| format!("{}: {e}", path.display());
    std::fs::create_dir_all(path).map_err(error)?;
    let mode = if group.is_some() { mode | 0o2070 } else { mode };
    if group.is_some() {
        chown(path, None, group).map_err(error)?;
    }
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).map_err(error)
}

fn check_host_path(source: &HostPathVolumeSource) -> Result<PathBuf, String> {
    use std::os::unix::fs::FileTypeExt;
    let path = PathBuf::from(&source.path);
    if !path.is_absolute() || path.components().any(|c| c == std::path::Component::ParentDir) {
        return Err(format!(
            "hostPath {:?} must be absolute and without ..",
            source.path
        ));
    }
    let kind = source.type_.as_deref().unwrap_or("");
    let error = |e: std::io::Error| format!("hostPath {}: {e}", source.path);
    match kind {
        "DirectoryOrCreate" if !path.exists() => std::fs::create_dir_all(&path).map_err(error)?,
        "FileOrCreate" if !path.exists() => drop(std::fs::File::create(&path).map_err(error)?),
        _ => {}
    }
    if kind.is_empty() && !path.exists() {
        // Container runtimes make a missing folder.
        std::fs::create_dir_all(&path).map_err(error)?;
    }
    let wrong = |what: &str| {
        Err(format!(
            "hostPath type check failed: {} is not a {what}",
            source.path
        ))
    };
    let Ok(found) = std::fs::metadata(&path).map(|m| m.file_type()) else {
        return wrong(match kind {
            "Directory" => "directory",
            _ => "file",
        });
    };
    match kind {
        "Directory" | "DirectoryOrCreate" if !found.is_dir() => wrong("directory"),
        "File" | "FileOrCreate" if !found.is_file() => wrong("file"),
        "Socket" if !found.is_socket() => wrong("socket file"),
        "CharDevice" if !found.is_char_device() => wrong("character device"),
        "BlockDevice" if !found.is_block_device() => wrong("block device"),
        _ => Ok(path),
    }
}
