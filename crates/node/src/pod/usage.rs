//! Watches what a pod takes of the disk, where it has limits: volumes of their own, and `ephemeral-storage` of containers
//! (what they write beside volumes, and their logs). Memory-backed volumes are limited by the kernel.

use std::collections::BTreeSet;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use k8s_openapi::api::core::v1::Pod;

use super::again;
use super::handle::Handle;
use super::seen::all_containers;
use super::worker::Event;
use crate::spec::quantity;

/// A limit of the disk.
struct Limit {
    of: Of,
    bytes: u64,
    /// What is said when it is passed, in the kubelet's words.
    message: String,
}

enum Of {
    /// A volume in this folder.
    Volume(PathBuf),
    /// A container.
    Container(String),
}

/// Measures again and again, until a limit is passed or the task is aborted.
pub(super) async fn run(pod: Arc<Pod>, handle: Arc<Handle>, every: Duration) {
    let limits = limits(&pod, &handle.dir);
    if limits.is_empty() {
        return;
    }
    let limits = Arc::new(limits);
    loop {
        tokio::time::sleep(every).await;
        let (limits, handle_now) = (Arc::clone(&limits), Arc::clone(&handle));
        let passed = tokio::task::spawn_blocking(move || {
            let passed = |limit: &&Limit| used(&limit.of, &handle_now) > limit.bytes;
            limits.iter().find(passed).map(|limit| limit.message.clone())
        });
        if let Ok(Some(message)) = passed.await {
            let _ = handle.events.send(Event::Overflowed(message));
            return;
        }
    }
}

fn limits(pod: &Pod, dir: &Path) -> Vec<Limit> {
    let volumes = pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
    let volumes = volumes.filter_map(|volume| {
        let empty = volume.empty_dir.as_ref()?;
        let limit = empty.size_limit.as_ref()?;
        (empty.medium.as_deref() != Some("Memory")).then_some(())?;
        Some(Limit {
            of: Of::Volume(dir.join("volumes").join(&volume.name)),
            bytes: quantity::bytes(limit)?,
            message: format!(
                "Usage of EmptyDir volume {:?} exceeds the limit {:?}. ",
                volume.name, limit.0
            ),
        })
    });
    let containers = all_containers(pod).filter_map(|container| {
        let limits = container.resources.as_ref()?.limits.as_ref()?;
        let limit = limits.get("ephemeral-storage")?;
        Some(Limit {
            of: Of::Container(container.name.clone()),
            bytes: quantity::bytes(limit)?,
            message: format!(
                "Container {} exceeded its local ephemeral storage limit {:?}. ",
                container.name, limit.0
            ),
        })
    });
    volumes.chain(containers).collect()
}

fn used(of: &Of, handle: &Handle) -> u64 {
    let mut links = BTreeSet::new();
    match of {
        Of::Volume(folder) => measure(folder, &mut links).unwrap_or(0),
        Of::Container(name) => {
            let Some(live) = handle.container(name) else {
                return 0;
            };
            let upper = again::attempt_dir(&handle.dir, &live.key).join("upper");
            let logs = handle.dir.join("logs").join(name);
            let parts = [upper, logs].map(|folder| measure(&folder, &mut links).unwrap_or(0));
            parts.iter().sum()
        }
    }
}

/// Bytes on the disk of everything below a folder. Files come and go meanwhile: what is gone takes nothing.
fn measure(folder: &Path, links: &mut BTreeSet<(u64, u64)>) -> io::Result<u64> {
    let mut bytes = 0;
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let Ok(data) = entry.metadata() else { continue };
        // A file with several names takes its room once.
        if data.nlink() > 1 && !data.is_dir() && !links.insert((data.dev(), data.ino())) {
            continue;
        }
        bytes += data.blocks() * 512;
        if data.is_dir() {
            bytes += measure(&entry.path(), links).unwrap_or(0);
        }
    }
    Ok(bytes)
}
