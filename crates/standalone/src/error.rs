//! Why a platform does not start, and what the user can do about it.

use std::error::Error as _;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};

use argosy_apiserver::StartError;
use argosy_apiserver::store::Error as StoreError;

use crate::options::POD_PROGRAMS;

/// Why the platform did not start.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The programs that go into pods are missing.
    #[error("the programs {} are not in any of: {}", POD_PROGRAMS.join(" and "), list(.0))]
    PodPrograms(Vec<PathBuf>),
    /// A folder can't be made or written.
    #[error("folder {}", path.display())]
    Folder {
        /// The folder.
        path: PathBuf,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// Another process runs a platform in the folder.
    #[error("data folder {} is in use by another platform{}", folder.display(), process(*.pid))]
    InUse {
        /// The folder.
        folder: PathBuf,
        /// The other process, if it can be told.
        pid: Option<u32>,
    },
    /// The address can't be listened on.
    #[error("listening on {address}")]
    Listen {
        /// The address.
        address: SocketAddr,
        /// Whether it is the one of the last start, and not one that was asked for.
        kept: bool,
        /// Why.
        #[source]
        source: std::io::Error,
    },
    /// The API did not start.
    #[error("starting the API")]
    Api(#[source] StartError),
    /// A client for it could not be made.
    #[error("connecting to the API")]
    Client(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// The store for artifacts did not start.
    #[error("starting the artifact store")]
    Artifacts(#[source] std::io::Error),
    /// An object that everything relies on could not be made.
    #[error("preparing the namespace")]
    Prepare(#[source] kube::Error),
    /// The node did not start.
    #[error("starting the node")]
    Node(#[source] argosy_node::Error),
}

impl Error {
    /// What the user can do about it, where there is something beyond what the message says.
    pub fn hint(&self) -> Option<String> {
        match self {
            Error::InUse { folder, .. } => Some(format!(
                "use it with --kubeconfig {}, stop it, or choose another folder with --data",
                folder.join("kubeconfig").display()
            )),
            Error::Listen { kept: true, .. } => Some(
                "the platform had this address before, and pods that run know it; stop the program that has it now, or \
                 give another address with --listen"
                    .to_owned(),
            ),
            Error::Listen { source, .. } if source.kind() == std::io::ErrorKind::AddrInUse => Some(
                "another program listens there; stop it, or give another address with --listen (port 0 takes any free \
                 one)"
                    .to_owned(),
            ),
            Error::Folder { path, source } => folder_hint(path, source),
            Error::Api(StartError::Store(StoreError::Damaged { path, .. })) => Some(format!(
                "nothing was changed. `sqlite3 {0} .recover | sqlite3 {0}.new` saves what can be read; with the file \
                 moved away the platform starts empty",
                path.display()
            )),
            // Only the disk refuses what the platform makes for itself.
            Error::Api(StartError::Object { .. }) => Some(SPACE.to_owned()),
            Error::Api(StartError::Store(store @ StoreError::Open { path, .. })) => store
                .source()
                .map(|said| format!("{said}; see that {} can be read and written", path.display())),
            _ => None,
        }
    }
}

/// What helps against a full disk.
const SPACE: &str = "free some space, or choose another folder with --data";

fn folder_hint(path: &Path, source: &std::io::Error) -> Option<String> {
    match source.kind() {
        std::io::ErrorKind::PermissionDenied => Some(format!(
            "{} must belong to the user who starts the platform; choose another folder with --data or ARGOSY_DATA",
            path.display()
        )),
        std::io::ErrorKind::StorageFull => Some(SPACE.to_owned()),
        _ => None,
    }
}

fn process(pid: Option<u32>) -> String {
    pid.map(|pid| format!(" (process {pid})")).unwrap_or_default()
}

fn list(paths: &[PathBuf]) -> String {
    let paths: Vec<String> = paths.iter().map(|p| p.display().to_string()).collect();
    paths.join(", ")
}
