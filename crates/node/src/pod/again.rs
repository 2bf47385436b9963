//! Finds again what an earlier node left: a sandbox that still runs, and records of attempts.

use std::collections::{BTreeMap, BTreeSet};
use std::net::Ipv4Addr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use serde::{Deserialize, Serialize};
use tokio::sync::mpsc;

use super::start::Ground;
use crate::node::Shared;
use crate::runtime::{Ended, Record, Running};
use crate::volumes::Prepared;

/// File in a pod's folder that says what its containers stand on.
const GROUND: &str = "ground.json";

/// What is left of a pod.
#[derive(Default)]
pub(crate) struct Found {
    /// Attempts by container, in the order of their numbers.
    pub(crate) records: BTreeMap<String, Vec<Record>>,
    /// The sandbox, if it still runs, and what runs in it.
    pub(crate) alive: Option<(Ground, mpsc::UnboundedReceiver<Ended>, Vec<Running>)>,
}

impl Found {
    /// Keys of containers that still run.
    pub(crate) fn running(&self) -> BTreeSet<String> {
        let running = self.alive.iter().flat_map(|(_, _, running)| running);
        running.map(|running| running.record.key.clone()).collect()
    }
}

/// What a new sandbox cannot be asked for later.
#[derive(Serialize, Deserialize)]
struct Kept {
    volumes: Prepared,
    ip: String,
    own_network: bool,
}

impl Kept {
    /// The pod's own address, if it has one.
    fn address(&self) -> Option<Ipv4Addr> {
        self.ip.parse().ok().filter(|_| self.own_network)
    }

    fn read(dir: &Path) -> Option<Kept> {
        let bytes = std::fs::read(dir.join(GROUND)).ok()?;
        serde_json::from_slice(&bytes).ok()
    }
}

/// Addresses that pods of an earlier node may still have; `pods` is the folder of all pods.
pub(crate) fn addresses(pods: &Path) -> impl Iterator<Item = Ipv4Addr> {
    let folders = std::fs::read_dir(pods).into_iter().flatten().flatten();
    folders.filter_map(|folder| Kept::read(&folder.path())?.address())
}

/// Keeps what the pod's containers stand on for the next node.
///
/// # Errors
/// When the file cannot be written.
pub(crate) fn keep(dir: &Path, volumes: &Prepared, ip: &str, own_network: bool) -> std::io::Result<()> {
    let kept = Kept {
        volumes: volumes.clone(),
        ip: ip.to_string(),
        own_network,
    };
    std::fs::write(dir.join(GROUND), serde_json::to_vec(&kept)?)
}

/// Looks for what an earlier node left of a pod.
pub(crate) async fn find(shared: &Shared, pod: &Pod, dir: &Path) -> Found {
    if !dir.exists() {
        return Found::default();
    }
    let found = match shared.runtime.find(dir).await {
        Ok(found) => found,
        Err(error) => {
            tracing::warn!(folder = %dir.display(), %error, "The sandbox of a pod was not found again");
            None
        }
    };
    let kept = Kept::read(dir);
    let over = pod.status.as_ref().and_then(|s| s.phase.as_deref());
    let over = matches!(over, Some("Succeeded" | "Failed"));
    let alive = match (found, kept) {
        (Some(found), Some(kept)) if !over => {
            let ground = Ground {
                sandbox: Arc::from(found.sandbox),
                lease: kept
                    .address()
                    .zip(shared.bridge.as_ref())
                    .and_then(|(address, bridge)| bridge.renew(address)),
                volumes: kept.volumes,
                ip: kept.ip,
            };
            Some((ground, found.ends, found.running))
        }
        (Some(found), _) => {
            // The node died between the last status and the end of the sandbox.
            found.sandbox.destroy().await;
            None
        }
        (None, _) => None,
    };
    // Read after the sandbox has said what runs: what is neither running nor recorded as ended is lost.
    let records = records(dir);
    Found { records, alive }
}

/// The attempts of each container.
fn records(dir: &Path) -> BTreeMap<String, Vec<Record>> {
    let mut records: BTreeMap<String, Vec<Record>> = BTreeMap::new();
    let folders = std::fs::read_dir(dir.join("logs"))
        .into_iter()
        .flatten()
        .flatten();
    for folder in folders {
        let name = folder.file_name().to_string_lossy().into_owned();
        let files = std::fs::read_dir(folder.path()).into_iter().flatten().flatten();
        let mut found: Vec<(u32, Record)> = files
            .filter(|file| file.path().extension().is_some_and(|e| e == "json"))
            .filter_map(|file| {
                let record: Record = serde_json::from_slice(&std::fs::read(file.path()).ok()?).ok()?;
                Some((number_of(&record.key)?, record))
            })
            .collect();
        found.sort_by_key(|(number, _)| *number);
        records.insert(name, found.into_iter().map(|(_, record)| record).collect());
    }
    records
}

/// The number of an attempt from its key, `name/number`.
pub(crate) fn number_of(key: &str) -> Option<u32> {
    key.rsplit('/').next()?.parse().ok()
}

/// Container and log file of an attempt.
pub(crate) fn log_of(dir: &Path, key: &str) -> Option<(String, PathBuf)> {
    let (name, number) = key.rsplit_once('/')?;
    let log = dir.join("logs").join(name).join(format!("{number}.log"));
    Some((name.to_string(), log))
}

/// Folder with the root and the last words of an attempt.
pub(crate) fn attempt_dir(dir: &Path, key: &str) -> PathBuf {
    dir.join("containers").join(key)
}
