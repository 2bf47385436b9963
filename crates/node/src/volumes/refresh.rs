//! Keeps the files of running pods up to date: ConfigMaps, Secrets, the pod's own labels, and tokens before they expire.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use k8s_openapi::api::core::v1::{Pod, Volume};
use tokio::sync::watch;

use super::{Sources, content, files, fs_group};

/// Validity of a token for which the volume asks for none, in seconds.
const TOKEN_SECS: u64 = 3600;

/// Looks after the volumes of a pod until the task is aborted or nothing is left to look after. `dir` is the pod's folder;
/// `every` is how often what a volume shows is compared with what it should show.
pub(crate) async fn run(
    mut pods: watch::Receiver<Arc<Pod>>,
    dir: PathBuf,
    sources: Sources,
    every: Duration,
) {
    let pod = Arc::clone(&pods.borrow_and_update());
    let volumes = pod.spec.iter().flat_map(|spec| spec.volumes.iter().flatten());
    let volumes: Vec<(Volume, Duration)> = volumes
        .filter_map(|volume| Some((volume.clone(), period(volume, every)?)))
        .collect();
    if volumes.is_empty() {
        return;
    }
    let mut done: BTreeMap<String, Instant> = BTreeMap::new();
    let begin = Instant::now();
    loop {
        tokio::time::sleep(every).await;
        let pod = Arc::clone(&pods.borrow_and_update());
        for (volume, period) in &volumes {
            let last = done.get(&volume.name).copied().unwrap_or(begin);
            if last.elapsed() < *period {
                continue;
            }
            if let Err(error) = refresh(&pod, volume, &dir, &sources).await {
                // The old files stay, as with a kubelet; the next round tries again.
                tracing::debug!(volume = volume.name, error, "A volume was not brought up to date");
                continue;
            }
            done.insert(volume.name.clone(), Instant::now());
        }
    }
}

/// How often the volume is looked at; `None` when it never changes. Asking for a token gives a new one, so that is done
/// only when four fifths of its time are over.
fn period(volume: &Volume, every: Duration) -> Option<Duration> {
    if let Some(projected) = &volume.projected {
        let sources = projected.sources.iter().flatten();
        let tokens = sources.filter_map(|source| source.service_account_token.as_ref());
        let validity = tokens.map(|token| {
            let asked = token.expiration_seconds.and_then(|secs| u64::try_from(secs).ok());
            asked.unwrap_or(TOKEN_SECS)
        });
        let of_tokens = validity.min().map(|secs| Duration::from_secs(secs * 4 / 5));
        return Some(of_tokens.unwrap_or(every));
    }
    let changes = volume.config_map.is_some() || volume.secret.is_some() || volume.downward_api.is_some();
    changes.then_some(every)
}

async fn refresh(pod: &Pod, volume: &Volume, dir: &std::path::Path, sources: &Sources) -> Result<(), String> {
    let Some(content) = content(pod, volume, sources).await? else {
        return Ok(());
    };
    let (folder, group) = (dir.join("volumes").join(&volume.name), fs_group(pod));
    let written = tokio::task::spawn_blocking(move || {
        if files::shows(&folder, &content) {
            return Ok(());
        }
        files::write(&folder, &content, group)
    });
    written
        .await
        .map_err(|e| e.to_string())?
        .map_err(|e| e.to_string())
}
