//! The folder for data of one platform: whose it is at the moment, what stays the same from one start to the next, and
//! what becomes of a temporary one when the platform is killed.
//!
//! Deliberately absent: the folders of the parts (API, node, artifacts), which make their own.

use std::fs::{File, OpenOptions};
use std::io::{self, Read, Seek, Write};
use std::net::SocketAddr;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::options::Data;
use crate::platform::random_text;

/// An open folder. A temporary one is removed when this is dropped, and also when the process is killed.
pub struct Folder {
    pub path: PathBuf,
    temporary: Option<(tempfile::TempDir, Option<Child>)>,
    /// Held as long as this platform runs; the kernel lets go of it however the process ends.
    _lock: Option<File>,
}

impl Folder {
    /// Makes the folder and takes it for this process.
    ///
    /// # Errors
    /// When another process has it, when that is not allowed, or the disk is full.
    pub fn open(data: Data) -> Result<Self, Error> {
        let refused = |path: &Path| {
            let path = path.to_owned();
            move |source| Error::Folder { path, source }
        };
        match data {
            Data::Temporary => {
                let made = tempfile::Builder::new().prefix("argosy-").tempdir();
                let folder = made.map_err(refused(&std::env::temp_dir()))?;
                let path = folder.path().to_owned();
                // Without a guard the folder outlives only a kill, which is no reason not to start.
                let guard = guard(&path).ok();
                Ok(Self {
                    path,
                    temporary: Some((folder, guard)),
                    _lock: None,
                })
            }
            Data::Folder(path) => {
                let mut maker = std::fs::DirBuilder::new();
                // The state holds keys, and Secrets of workflows.
                let made = maker.recursive(true).mode(0o700).create(&path);
                made.map_err(refused(&path))?;
                // Paths below it go into mounts and into processes that start elsewhere.
                let path = path.canonicalize().map_err(refused(&path))?;
                let lock = lock(&path)?;
                Ok(Self {
                    path,
                    temporary: None,
                    _lock: Some(lock),
                })
            }
        }
    }

    /// Whether the platform's state outlives its process.
    pub fn stays(&self) -> bool {
        self.temporary.is_none()
    }

    /// The file that keeps the objects of the API.
    pub fn state_file(&self) -> Option<PathBuf> {
        self.stays().then(|| self.path.join("state.db"))
    }

    /// Where the kubeconfig of a platform that stays is written.
    pub fn kubeconfig(&self) -> PathBuf {
        self.path.join("kubeconfig")
    }

    /// What the last platform in this folder was known by; made when there was none.
    ///
    /// # Errors
    /// When the file can't be read. One that makes no sense is an error too: pods that run may depend on it.
    pub fn kept(&self) -> Result<Kept, Error> {
        let path = self.path.join(KEPT);
        let refused = |source| Error::Folder {
            path: path.clone(),
            source,
        };
        match std::fs::read(&path) {
            Ok(text) => serde_json::from_slice(&text).map_err(|error| refused(io::Error::other(error))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Kept::new()),
            Err(error) => Err(refused(error)),
        }
    }

    /// Keeps it for the next start.
    ///
    /// # Errors
    /// When the file can't be written.
    pub fn keep(&self, kept: &Kept) -> Result<(), Error> {
        let path = self.path.join(KEPT);
        let text = serde_json::to_string_pretty(kept).expect("texts and addresses have a JSON form");
        write_private(&path, &(text + "\n")).map_err(|source| Error::Folder { path, source })
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let Some((folder, guard)) = self.temporary.take() else {
            return;
        };
        if let Err(error) = folder.close() {
            tracing::warn!(folder = %self.path.display(), %error, "The temporary folder was not removed");
        }
        if let Some(mut guard) = guard {
            drop(guard.stdin.take());
            let _ = guard.wait();
        }
    }
}

/// Name of the file that says what stays the same.
const KEPT: &str = "platform.json";

/// What pods and users know the platform by. A running pod was told addresses and keys, so they must not change.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Kept {
    /// The owner's bearer token.
    pub token: String,
    /// Where the API listened.
    pub api: Option<SocketAddr>,
    /// Where the artifact store listened.
    pub artifacts: Option<SocketAddr>,
    /// Access key and secret key of the artifact store.
    pub artifact_keys: (String, String),
}

impl Kept {
    fn new() -> Self {
        Self {
            token: random_text(),
            api: None,
            artifacts: None,
            artifact_keys: (random_text(), random_text()),
        }
    }
}

/// Takes the folder for this process, and says so in the file.
fn lock(folder: &Path) -> Result<File, Error> {
    let path = folder.join("platform.lock");
    let refused = |source| Error::Folder {
        path: path.clone(),
        source,
    };
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    let mut file = options.open(&path).map_err(refused)?;
    match file.try_lock() {
        Ok(()) => {}
        Err(std::fs::TryLockError::WouldBlock) => {
            let mut pid = String::new();
            // A process that has just taken it may not have written its number yet.
            let _ = file.read_to_string(&mut pid);
            return Err(Error::InUse {
                folder: folder.to_owned(),
                pid: pid.trim().parse().ok(),
            });
        }
        Err(std::fs::TryLockError::Error(error)) => return Err(refused(error)),
    }
    let written = file
        .set_len(0)
        .and_then(|()| file.rewind())
        .and_then(|()| writeln!(file, "{}", std::process::id()));
    written.map_err(refused)?;
    Ok(file)
}

/// Writes a file that only its owner may read, whole or not at all.
///
/// # Errors
/// What the system says.
pub fn write_private(path: &Path, text: &str) -> io::Result<()> {
    let mut fresh = path.as_os_str().to_owned();
    fresh.push(".new");
    let mut options = OpenOptions::new();
    options.write(true).create(true).truncate(true).mode(0o600);
    let mut file = options.open(&fresh)?;
    file.write_all(text.as_bytes())?;
    // Otherwise a machine that loses power may show an empty file under the final name.
    file.sync_all()?;
    std::fs::rename(fresh, path)
}

/// A process that removes the folder as soon as this one is gone, however it ended: its standard input ends then. In a
/// group of its own, so that a Ctrl-C at the terminal does not reach it.
fn guard(folder: &Path) -> io::Result<Child> {
    Command::new("/bin/sh")
        .args(["-c", "read -r never; rm -rf -- \"$0\""])
        .arg(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()
}
