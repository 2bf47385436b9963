//! Fixed names and paths of a workflow pod (rules X-GEN-01 to X-GEN-19).
//! Only names: nothing here touches a file.

use std::path::{Path, PathBuf};

/// The environment variable that puts a folder before every fixed path.
///
/// Empty or unset in pods. A runtime without mount namespaces, and the tests, set it.
pub const ROOT_VARIABLE: &str = "ARGOSY_ROOT";

/// Name of the container whose outputs are saved.
pub const MAIN: &str = "main";

/// Where the executor's files are, below one root.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Layout {
    root: PathBuf,
}

impl Layout {
    /// The layout of a pod: every path from `/`, or below [`ROOT_VARIABLE`] when it is set.
    pub fn of_environment() -> Self {
        let root = std::env::var_os(ROOT_VARIABLE).filter(|v| !v.is_empty());
        Self {
            root: root.map_or_else(|| PathBuf::from("/"), PathBuf::from),
        }
    }

    /// The same layout below `root`.
    pub fn at(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// An absolute path of the pod, below the root of this layout.
    pub fn place(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// `/var/run/argo` (X-GEN-03).
    pub fn shared(&self) -> PathBuf {
        self.place("/var/run/argo")
    }

    /// The program that wraps user containers, in the legacy layout (X-GEN-04).
    pub fn program(&self) -> PathBuf {
        self.place("/var/run/argo/argoexec")
    }

    /// The template file (X-GEN-06).
    pub fn template(&self) -> PathBuf {
        self.place("/var/run/argo/template")
    }

    /// The supervisor's marker of init-less pods (X-GEN-10).
    pub fn marker(&self) -> PathBuf {
        self.place("/var/run/argo/status")
    }

    /// The folder of one container's files (X-GEN-07).
    pub fn container(&self, name: &str) -> PathBuf {
        self.shared().join("ctr").join(name)
    }

    /// Where the emissary leaves a copy of an output parameter's file (X-GEN-08).
    pub fn staged_parameter(&self, path: &str) -> PathBuf {
        self.shared()
            .join("outputs/parameters")
            .join(path.trim_start_matches('/'))
    }

    /// Where the emissary leaves the archive of an output artifact (X-GEN-08).
    pub fn staged_artifact(&self, path: &str) -> PathBuf {
        let name = format!("{}.tgz", path.trim_matches('/'));
        self.shared().join("outputs/artifacts").join(name)
    }

    /// Where an input artifact is put (X-GEN-11).
    pub fn input_artifact(&self, name: &str) -> PathBuf {
        self.place("/argo/inputs/artifacts").join(name)
    }

    /// A path of main as init and wait see it (X-GEN-12).
    pub fn mirrored(&self, path: &str) -> PathBuf {
        self.place("/mainctrfs").join(path.trim_start_matches('/'))
    }

    /// The staged source of a script template (X-GEN-13).
    pub fn script(&self) -> PathBuf {
        self.place("/argo/staging/script")
    }

    /// The manifest of a resource template (X-GEN-14).
    pub fn manifest(&self) -> PathBuf {
        self.place("/tmp/manifest.yaml")
    }

    /// The file of one key of a secret (X-GEN-15).
    pub fn secret(&self, name: &str, key: &str) -> PathBuf {
        self.place("/argo/secret").join(name).join(key)
    }

    /// A value that was moved to the offload ConfigMap (X-GEN-16).
    pub fn offloaded(&self, key: &str) -> PathBuf {
        self.place("/argo/config").join(key)
    }

    /// Scratch folder for outputs on their way to a store (X-GEN-18).
    pub fn scratch_artifacts(&self) -> PathBuf {
        self.place("/tmp/argo/outputs/artifacts")
    }

    /// Scratch folder for logs on their way to a store (X-GEN-18).
    pub fn scratch_logs(&self) -> PathBuf {
        self.place("/tmp/argo/outputs/logs")
    }

    /// The folder in which artifact plugins have their sockets (X-GEN-17).
    pub fn plugins(&self) -> PathBuf {
        self.place("/tmp/artifact-plugins")
    }

    /// What Kubernetes shows as a container's message (X-GEN-19).
    pub fn termination_log(&self) -> PathBuf {
        self.place("/dev/termination-log")
    }
}
