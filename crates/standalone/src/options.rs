//! What the caller chooses when the platform starts, and where files lie when it chooses nothing.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

pub use argosy_controller::{Conduct, Limits};
pub use argosy_engine::Config;
pub use argosy_node::images::PullOptions;
pub use argosy_node::{NetworkChoice, RuntimeChoice};

/// Where the platform keeps its state, pods, volumes, logs and artifacts.
#[derive(Debug, Clone)]
pub enum Data {
    /// A folder made for this run and removed at its end.
    Temporary,
    /// This folder; it stays, and the next platform in it goes on where this one ended.
    Folder(PathBuf),
}

/// Options of a [`crate::Platform`].
#[derive(Debug, Clone)]
pub struct Options {
    /// Where data lies. Default: temporary.
    pub data: Data,
    /// Where images lie, shared by all platforms of a user, as they are big and never change. Default: `images` in the
    /// user's data folder.
    pub images: PathBuf,
    /// How images are pulled. Default: plainly; see [`user_pull_options`].
    pub pull: PullOptions,
    /// Images that the workflows to come will ask for. With [`RuntimeChoice::Auto`], when none of them is here or can
    /// be pulled, containers see this machine's files instead. Default none: images are always needed.
    pub wanted_images: BTreeSet<String>,
    /// Folder with the two programs that go into pods. Default: see [`find_pod_programs`].
    pub pod_programs: Option<PathBuf>,
    /// How containers are made. Default: the node chooses.
    pub runtime: RuntimeChoice,
    /// How pods are connected. Default: as root behind a bridge, where the machine can; else over the host's network.
    pub network: NetworkChoice,
    /// Labels of the node, besides those that every node has, for pods that select by them. Default none. Each must pass
    /// [`crate::label_fault`].
    pub node_labels: BTreeMap<String, String>,
    /// The namespace that clients use and that exists from the start. Default `default`.
    pub namespace: String,
    /// Settings of the controller. Executor image, namespace and artifact repository are filled in where they are
    /// not set.
    pub config: Config,
    /// Limits of running workflows. Default: none.
    pub limits: Limits,
    /// How the controller carries decisions out.
    pub conduct: Conduct,
    /// Address at which the API listens. Default: the one of the last start in this data folder, because pods that run
    /// know it; the first time any free port of `127.0.0.1`.
    pub listen: Option<std::net::SocketAddr>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            data: Data::Temporary,
            images: user_data_folder().join("images"),
            pull: PullOptions::default(),
            wanted_images: BTreeSet::new(),
            pod_programs: None,
            runtime: RuntimeChoice::Auto,
            network: NetworkChoice::Auto,
            node_labels: BTreeMap::new(),
            namespace: "default".to_owned(),
            config: Config::default(),
            limits: Limits::default(),
            conduct: Conduct::default(),
            listen: None,
        }
    }
}

/// The folder for data of this user: `$ARGOSY_DATA`, else `$XDG_DATA_HOME/argosy`, else `~/.local/share/argosy`, else
/// one in the folder for temporary files.
pub fn user_data_folder() -> PathBuf {
    let set = |name: &str| {
        std::env::var_os(name)
            .filter(|v| !v.is_empty())
            .map(PathBuf::from)
    };
    set("ARGOSY_DATA")
        .or_else(|| set("XDG_DATA_HOME").map(|d| d.join("argosy")))
        .or_else(|| set("HOME").map(|d| d.join(".local/share/argosy")))
        .unwrap_or_else(|| std::env::temp_dir().join("argosy"))
}

/// How this user wants images to be pulled: by `registries.json` in the data folder, with the logins of docker's
/// configuration (`$DOCKER_CONFIG`, else `~/.docker`).
///
/// # Errors
/// When the file is there but cannot be read.
pub fn user_pull_options() -> Result<PullOptions, argosy_node::images::Error> {
    let mut options = PullOptions::read(&user_data_folder().join("registries.json"))?;
    if options.docker_config.is_none() {
        let home = || std::env::var_os("HOME").map(|home| Path::new(&home).join(".docker"));
        let folder = std::env::var_os("DOCKER_CONFIG").map(PathBuf::from).or_else(home);
        options.docker_config = folder.map(|folder| folder.join("config.json"));
    }
    Ok(options)
}

/// Names of the programs that go into pods.
pub const POD_PROGRAMS: [&str; 2] = ["argosy-executor", "argosy-emissary"];

/// The folder with the programs that go into pods: `$ARGOSY_POD_PROGRAMS`, else `pod` beside this program, else the
/// program's own folder, else `../lib/argosy` from there.
///
/// # Errors
/// The folders that were looked into.
pub fn find_pod_programs() -> Result<PathBuf, Vec<PathBuf>> {
    let own = std::env::current_exe()
        .ok()
        .and_then(|exe| exe.parent().map(Path::to_owned));
    let mut candidates: Vec<PathBuf> = std::env::var_os("ARGOSY_POD_PROGRAMS")
        .map(PathBuf::from)
        .into_iter()
        .collect();
    if let Some(own) = own {
        candidates.extend([own.join("pod"), own.clone(), own.join("../lib/argosy")]);
    }
    let complete = |folder: &&PathBuf| POD_PROGRAMS.iter().all(|name| folder.join(name).is_file());
    candidates.iter().find(complete).cloned().ok_or(candidates)
}
