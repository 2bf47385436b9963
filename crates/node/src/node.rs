//! The node: watches its pods and keeps one task for each.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, OnceLock, PoisonError};
use std::time::Duration;

use futures::StreamExt;
use k8s_openapi::api::core::v1::{Pod, Secret};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, watcher};
use kube::{Api, Client};
use sha2::{Digest, Sha256};
use tokio::sync::{Mutex as AsyncMutex, mpsc, watch};
use tokio::task::JoinHandle;

use crate::cgroups::Cgroups;
use crate::events::{self, Recorder};
use crate::images::{self, Credentials, Store};
use crate::network::{self, Bridge};
use crate::options::{NetworkChoice, Options, RuntimeChoice};
use crate::pod::again;
use crate::pod::handle::Handle;
use crate::pod::start::full;
use crate::pod::worker::{self, Event};
use crate::register;
use crate::runtime::{Runtime, linux::Linux};
use crate::schedule::{self, News};
use crate::tree;
use crate::volumes::Sources;

/// How often the node looks whether the disk is full; a kubelet's interval.
const COLLECT_EVERY: Duration = Duration::from_secs(300);

/// Why a node cannot start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The data folder cannot be used.
    #[error("data folder {}", path.display())]
    DataFolder {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Another node uses the data folder.
    #[error("data folder {} is used by another node", .0.display())]
    InUse(PathBuf),
    /// The images cannot be used.
    #[error("images")]
    Images(#[from] images::Error),
    /// Pods cannot have addresses of their own.
    #[error("network of pods")]
    Network(#[from] network::Error),
    /// The program of the chosen runtime is not there.
    #[error("runtime {} is not in PATH", .0.display())]
    RuntimeMissing(PathBuf),
}

/// What the tasks of all pods use.
pub(crate) struct Shared {
    pub(crate) options: Options,
    pub(crate) client: Client,
    pub(crate) runtime: Arc<dyn Runtime>,
    pub(crate) store: Store,
    pub(crate) sources: Sources,
    pub(crate) host_ip: String,
    /// Where pods get addresses of their own; without it they share the host's network.
    pub(crate) bridge: Option<Arc<Bridge>>,
    /// The node runs as root.
    pub(crate) privileged: bool,
    /// With the `host` runtime: folders that stay hidden from containers.
    pub(crate) host_view: Option<Vec<PathBuf>>,
    pub(crate) oci_runtime: Option<PathBuf>,
    pub(crate) cgroups: Cgroups,
    pub(crate) recorder: Recorder,
    pub(crate) told_unlimited: OnceLock<()>,
    /// One pull at a time per image: many pods often want the same.
    pulls: AsyncMutex<BTreeMap<String, Arc<AsyncMutex<()>>>>,
}

impl Shared {
    /// Pulls an image unless another pod has just done so; returns its normalised reference.
    pub(crate) async fn pull(&self, pod: &Pod, name: &str) -> Result<String, images::Error> {
        let reference = images::normalize(name)?;
        let turn = Arc::clone(self.pulls.lock().await.entry(reference.clone()).or_default());
        let waited = turn.try_lock().is_err();
        let _turn = turn.lock().await;
        if waited && self.store.get(&reference)?.is_some() {
            return Ok(reference);
        }
        let logins = self.logins(pod, &reference).await;
        self.store.pull(&reference, &logins, &self.options.pull).await
    }

    /// What the pod's pull secrets hold for this image.
    async fn logins(&self, pod: &Pod, reference: &str) -> Vec<Credentials> {
        let Some((registry, repository)) = reference.split_once('/') else {
            return Vec::new();
        };
        let namespace = pod.metadata.namespace.as_deref().unwrap_or("default");
        let secrets: Api<Secret> = Api::namespaced(self.client.clone(), namespace);
        let mut found = Vec::new();
        for named in pod
            .spec
            .iter()
            .flat_map(|spec| spec.image_pull_secrets.iter().flatten())
        {
            let secret = match secrets.get_opt(&named.name).await {
                Ok(Some(secret)) => secret,
                Ok(None) => {
                    tracing::warn!(secret = named.name, namespace, "A pull secret does not exist");
                    continue;
                }
                Err(error) => {
                    tracing::warn!(secret = named.name, namespace, %error, "A pull secret was not read");
                    continue;
                }
            };
            for (key, value) in secret.data.iter().flatten() {
                found.extend(images::logins(key, &value.0, registry, repository));
            }
        }
        found
    }
}

/// A running node. Dropping it stops watching but leaves pods to [`Node::shutdown`] or the end of the process.
pub struct Node {
    pub(crate) pods: Arc<Pods>,
    store: Store,
    /// To be taken away at the end.
    bridge: Option<Arc<Bridge>>,
    keep_running: bool,
    stop: watch::Sender<bool>,
    task: Mutex<Option<JoinHandle<()>>>,
    _lock: File,
}

impl Node {
    /// Registers the node and starts to run its pods.
    ///
    /// # Errors
    /// When the data folder cannot be used or the chosen runtime is missing. A runtime that the kernel does not allow
    /// shows in the status of pods, with the name of the missing feature.
    pub async fn start(client: Client, options: Options) -> Result<Node, Error> {
        let runtime = Linux::new(options.init_program.clone());
        Node::start_with(client, options, Arc::new(runtime)).await
    }

    /// As [`Node::start`], with another way to run containers, for tests and simulators.
    ///
    /// # Errors
    /// As for [`Node::start`].
    pub async fn start_with(
        client: Client,
        options: Options,
        runtime: Arc<dyn Runtime>,
    ) -> Result<Node, Error> {
        let lock = prepare_data_dir(&options)?;
        let store = match &options.images_dir {
            Some(folder) => Store::open_in(folder, &options.provided_images)?,
            None => Store::open(&options.data_dir, &options.provided_images)?,
        };
        let oci_runtime = match &options.runtime {
            RuntimeChoice::Oci(program) => {
                Some(find_program(program).ok_or_else(|| Error::RuntimeMissing(program.clone()))?)
            }
            _ => None,
        };
        let bridge = bridge(&options)?;
        let own_folders = std::iter::once(&options.data_dir).chain(&options.images_dir);
        let host_view = (options.runtime == RuntimeChoice::Host).then(|| own_folders.cloned().collect());
        let (recorder, notes) = Recorder::new();
        tokio::spawn(events::run(client.clone(), options.name.clone(), notes));
        let shared = Arc::new(Shared {
            runtime,
            store: store.clone(),
            sources: Sources {
                client: client.clone(),
                data_dir: options.data_dir.clone(),
                ca_pem: options.ca_pem.clone(),
            },
            host_ip: register::host_ip(),
            bridge: bridge.clone(),
            privileged: rustix::process::geteuid().is_root(),
            host_view,
            oci_runtime,
            cgroups: Cgroups::find(&own_name(&options)),
            recorder,
            told_unlimited: OnceLock::new(),
            pulls: AsyncMutex::default(),
            client,
            options,
        });
        let keep_running = shared.options.keep_running;
        let pods = Arc::new(Pods::default());
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(run(shared, Arc::clone(&pods), stopped));
        Ok(Node {
            pods,
            store,
            bridge,
            keep_running,
            stop,
            task: Mutex::new(Some(task)),
            _lock: lock,
        })
    }

    /// The node's images.
    pub fn images(&self) -> &Store {
        &self.store
    }

    /// Stops watching. Pods stay in the API. Their containers are killed and awaited with their mounts, unless
    /// [`Options::keep_running`] is set: then they go on, and the next node finds them.
    pub async fn shutdown(&self) {
        self.stop.send_replace(true);
        let task = self.task.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(task) = task else { return };
        let _ = task.await;
        // Pods that go on need the bridge.
        let is_needed = |bridge: &Arc<Bridge>| self.keep_running && !bridge.is_free();
        if let Some(bridge) = self.bridge.clone().filter(|bridge| !is_needed(bridge)) {
            let _ = tokio::task::spawn_blocking(move || bridge.close()).await;
        }
    }
}

fn bridge(options: &Options) -> Result<Option<Arc<Bridge>>, network::Error> {
    let bridge = match (options.network, &options.bridge) {
        (NetworkChoice::Host, _) | (NetworkChoice::Auto, None) => return Ok(None),
        (_, Some(bridge)) => Arc::clone(bridge),
        (NetworkChoice::Bridge, None) => Arc::new(Bridge::open(&options.data_dir)?),
    };
    bridge.reserve(again::addresses(&options.data_dir.join("pods")));
    Ok(Some(bridge))
}

/// A name for what this node makes outside of its data folder, the same at every start.
fn own_name(options: &Options) -> String {
    let digest = Sha256::digest(options.data_dir.as_os_str().as_encoded_bytes());
    format!("argosy-{}", &images::hex(&digest)[..12])
}

fn prepare_data_dir(options: &Options) -> Result<File, Error> {
    let error = |path: &PathBuf| {
        let path = path.clone();
        move |source| Error::DataFolder { path, source }
    };
    let pods = options.data_dir.join("pods");
    fs::create_dir_all(&pods).map_err(error(&pods))?;
    let path = options.data_dir.join("node.lock");
    let lock = File::create(&path).map_err(error(&path))?;
    rustix::fs::flock(&lock, rustix::fs::FlockOperation::NonBlockingLockExclusive)
        .map_err(|_| Error::InUse(options.data_dir.clone()))?;
    Ok(lock)
}

fn find_program(program: &PathBuf) -> Option<PathBuf> {
    if program.components().count() > 1 {
        return program.exists().then(|| program.clone());
    }
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|folder| folder.join(program))
        .find(|candidate| candidate.is_file())
}

/// The pods of the node by namespace and name.
#[derive(Default)]
pub(crate) struct Pods {
    running: Mutex<BTreeMap<(String, String), Running>>,
}

struct Running {
    handle: Arc<Handle>,
    pod: Arc<Pod>,
    task: JoinHandle<()>,
}

impl Pods {
    fn running(&self) -> MutexGuard<'_, BTreeMap<(String, String), Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn find(&self, namespace: &str, name: &str) -> Option<(Arc<Handle>, Arc<Pod>)> {
        let running = self.running();
        let found = running.get(&(namespace.to_string(), name.to_string()))?;
        Some((Arc::clone(&found.handle), Arc::clone(&found.pod)))
    }

    fn apply(&self, shared: &Arc<Shared>, pod: Arc<Pod>) {
        let key = key_of(&pod);
        let uid = pod.metadata.uid.clone().unwrap_or_default();
        let mut running = self.running();
        if let Some(known) = running.get_mut(&key) {
            if known.handle.uid == uid {
                known.pod = Arc::clone(&pod);
                let _ = known.handle.events.send(Event::Pod(pod));
                return;
            }
            // The name was given to another pod while the watch was interrupted.
            let _ = known.handle.events.send(Event::Deleted);
        }
        let (handle, task) = worker::spawn(Arc::clone(shared), Arc::clone(&pod));
        running.insert(key, Running { handle, pod, task });
    }

    fn delete(&self, pod: &Pod) {
        let mut running = self.running();
        let key = key_of(pod);
        if running
            .get(&key)
            .is_some_and(|known| Some(&known.handle.uid) == pod.metadata.uid.as_ref())
            && let Some(known) = running.remove(&key)
        {
            let _ = known.handle.events.send(Event::Deleted);
        }
    }

    /// Drops pods that the API no longer has.
    fn keep(&self, uids: &BTreeSet<String>) {
        self.running().retain(|_, known| {
            let keep = uids.contains(&known.handle.uid);
            if !keep {
                let _ = known.handle.events.send(Event::Deleted);
            }
            keep
        });
    }

    async fn stop_all(&self) {
        let all: Vec<Running> = std::mem::take(&mut *self.running()).into_values().collect();
        for running in &all {
            let _ = running.handle.events.send(Event::Shutdown);
        }
        for running in all {
            let _ = running.task.await;
        }
    }
}

fn key_of(pod: &Pod) -> (String, String) {
    (
        pod.metadata.namespace.clone().unwrap_or_default(),
        pod.metadata.name.clone().unwrap_or_default(),
    )
}

async fn run(shared: Arc<Shared>, pods: Arc<Pods>, mut stopped: watch::Receiver<bool>) {
    let registered = tokio::spawn(register::run(Arc::clone(&shared)));
    let collected = tokio::spawn(collect(Arc::clone(&shared)));
    let (news, unread) = mpsc::channel(schedule::NEWS);
    let schedules = shared.options.bind_unscheduled;
    let scheduled = schedules.then(|| tokio::spawn(schedule::run(Arc::clone(&shared), unread)));
    let api: Api<Pod> = Api::all(shared.client.clone());
    let config = match shared.options.bind_unscheduled {
        true => watcher::Config::default(),
        false => watcher::Config::default().fields(&format!("spec.nodeName={}", shared.options.name)),
    };
    let mut events = watcher(api, config).default_backoff().boxed();
    let mut listed = BTreeSet::new();
    loop {
        let event = tokio::select! {
            event = events.next() => event,
            _ = stopped.changed() => break,
        };
        let told = match event {
            None => break,
            Some(Err(error)) => {
                tracing::warn!(%error, "Watch of pods was interrupted");
                continue;
            }
            Some(Ok(watcher::Event::Init)) => {
                listed.clear();
                continue;
            }
            Some(Ok(watcher::Event::InitApply(pod))) => {
                listed.extend(pod.metadata.uid.clone());
                News::Pod(take(&shared, &pods, pod))
            }
            Some(Ok(watcher::Event::InitDone)) => {
                pods.keep(&listed);
                sweep(&shared, &listed);
                News::Only(listed.clone())
            }
            Some(Ok(watcher::Event::Apply(pod))) => News::Pod(take(&shared, &pods, pod)),
            Some(Ok(watcher::Event::Delete(pod))) => {
                pods.delete(&pod);
                News::Gone(pod.metadata.uid.unwrap_or_default())
            }
        };
        if schedules && news.send(told).await.is_err() {
            tracing::error!("The scheduler has ended: new pods stay where they are");
        }
    }
    for task in [Some(registered), Some(collected), scheduled]
        .into_iter()
        .flatten()
    {
        task.abort();
    }
    pods.stop_all().await;
}

/// Makes room on a full disk, again and again.
async fn collect(shared: Arc<Shared>) {
    loop {
        let (store, rules) = (shared.store.clone(), shared.options.collection.clone());
        match tokio::task::spawn_blocking(move || store.collect(&rules)).await {
            Ok(Ok(collected)) if collected.references.is_empty() => {}
            Ok(Ok(collected)) => tracing::info!(
                images = collected.references.len(),
                bytes = collected.freed_bytes,
                "Images were deleted to make room"
            ),
            Ok(Err(error)) => {
                tracing::warn!(error = full(&error), "Images could not be deleted to make room");
            }
            Err(_) => return,
        }
        tokio::time::sleep(COLLECT_EVERY).await;
    }
}

/// Runs the pod if it is one of this node.
fn take(shared: &Arc<Shared>, pods: &Arc<Pods>, pod: Pod) -> Arc<Pod> {
    let pod = Arc::new(pod);
    let node = pod.spec.as_ref().and_then(|spec| spec.node_name.as_ref());
    if node == Some(&shared.options.name) {
        pods.apply(shared, Arc::clone(&pod));
    }
    pod
}

/// Ends and removes pods that the API does not know: left by a node that was killed.
fn sweep(shared: &Arc<Shared>, known: &BTreeSet<String>) {
    let Ok(folders) = fs::read_dir(shared.options.data_dir.join("pods")) else {
        return;
    };
    for folder in folders.flatten() {
        if !known.contains(&*folder.file_name().to_string_lossy()) {
            tokio::spawn(remove(Arc::clone(shared), folder.path()));
        }
    }
}

async fn remove(shared: Arc<Shared>, folder: PathBuf) {
    match shared.runtime.find(&folder).await {
        Ok(Some(found)) => found.sandbox.destroy().await,
        Ok(None) => {}
        Err(error) => {
            tracing::warn!(folder = %folder.display(), %error, "The sandbox of a forgotten pod was not ended");
        }
    }
    let path = folder.clone();
    let removed = tokio::task::spawn_blocking(move || tree::remove(&path)).await;
    if let Ok(Err(error)) = removed {
        tracing::warn!(folder = %folder.display(), %error, "Folder of a forgotten pod was not removed");
    }
}
