//! What a node needs to know before it starts.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crate::Bridge;
use crate::images::{Collection, ProvidedImage, PullOptions};

/// Options of a [`crate::Node`].
#[derive(Debug, Clone)]
pub struct Options {
    /// Name of the node: pods whose `spec.nodeName` is this are run here.
    pub name: String,
    /// Labels of the node besides those that every node has. Default none. Each must be a valid label, or the node cannot
    /// be registered.
    pub labels: BTreeMap<String, String>,
    /// Folder for images, volumes and logs. On a file system that can hold overlay mounts: not itself an overlay.
    pub data_dir: PathBuf,
    /// Folder for images, which several nodes may share. Default: `images` in the data folder.
    pub images_dir: Option<PathBuf>,
    /// What containers are made with. Default: [`RuntimeChoice::Auto`].
    pub runtime: RuntimeChoice,
    /// How pods are connected. Default: [`NetworkChoice::Auto`].
    pub network: NetworkChoice,
    /// The bridge behind which pods get addresses. Whoever opens it beforehand can let the API listen at
    /// [`Bridge::gateway`], where pods reach it. Default: none, and [`NetworkChoice::Bridge`] makes the node open one.
    pub bridge: Option<Arc<Bridge>>,
    /// Images that need no pull. Default: none.
    pub provided_images: Vec<ProvidedImage>,
    /// Host and port at which pods reach the API; given to containers as `KUBERNETES_SERVICE_HOST` and `_PORT`.
    pub api_address: Option<(String, u16)>,
    /// Certificate that pods trust when they speak to the API (`ca.crt`), used where the namespace has no ConfigMap
    /// `kube-root-ca.crt`.
    pub ca_pem: Option<String>,
    /// Also schedule pods that no node was chosen for, by what they select and ask for. Default: true, as a lone node has
    /// no scheduler beside it.
    pub bind_unscheduled: bool,
    /// Program that calls [`crate::container_main_if_asked`] first in its `main`. Default: this very program.
    pub init_program: PathBuf,
    /// Size at which a container's log file is put aside, in bytes. Default 10 MiB, as a kubelet's.
    ///
    /// Too small and `logs` forgets early; too large and chatty containers fill the disk.
    pub log_limit_bytes: u64,
    /// Log files kept besides the newest. Default 4.
    pub log_older_files: u32,
    /// How images are pulled.
    pub pull: PullOptions,
    /// How often volumes that show ConfigMaps, Secrets or the pod itself are brought up to date. Default one minute, as a
    /// kubelet's; every look asks the API once for each such volume.
    pub volume_refresh: Duration,
    /// How often it is measured what pods with limits of their disk take. Default ten seconds, as a kubelet's; every look
    /// goes through all their files.
    pub usage_check: Duration,
    /// When pulled images are deleted to make room. Default: as a kubelet.
    pub collection: Collection,
    /// Containers outlive the node, however it ends; the next node on the same data folder finds them again, with what
    /// ended and was printed meanwhile. Default false: all containers end with the node, even when it is killed.
    pub keep_running: bool,
}

impl Options {
    /// Options with defaults for everything that has one.
    pub fn new(name: impl Into<String>, data_dir: impl Into<PathBuf>) -> Options {
        Options {
            name: name.into(),
            labels: BTreeMap::new(),
            data_dir: data_dir.into(),
            images_dir: None,
            runtime: RuntimeChoice::Auto,
            network: NetworkChoice::Auto,
            bridge: None,
            provided_images: Vec::new(),
            api_address: None,
            ca_pem: None,
            bind_unscheduled: true,
            init_program: PathBuf::from("/proc/self/exe"),
            log_limit_bytes: 10 * 1024 * 1024,
            log_older_files: 4,
            pull: PullOptions::default(),
            volume_refresh: Duration::from_secs(60),
            usage_check: Duration::from_secs(10),
            collection: Collection::default(),
            keep_running: false,
        }
    }
}

/// What containers are made with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum RuntimeChoice {
    /// The built-in runtime.
    #[default]
    Auto,
    /// Namespaces and mounts made by this program.
    Builtin,
    /// As `Builtin`, but every container sees a private copy-on-write view of the host's files, whatever its image.
    Host,
    /// An OCI runtime (`runc`, `crun`): name in `PATH` or path.
    Oci(PathBuf),
}

/// How pods are connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NetworkChoice {
    /// `Bridge` when one was opened for the node, else `Host`.
    #[default]
    Auto,
    /// Pods share the host's network.
    Host,
    /// Each pod has its own address behind a bridge of the node; needs root. Pods that ask for `hostNetwork` share the
    /// host's.
    Bridge,
}
