//! The folder for data of one platform, and what becomes of it when the platform is killed.

use std::io;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use crate::options::Data;
use crate::platform::Error;

/// An open folder. A temporary one is removed when this is dropped, and also when the process is killed.
pub struct Folder {
    pub path: PathBuf,
    temporary: Option<(tempfile::TempDir, Option<Child>)>,
}

impl Folder {
    /// Makes the folder.
    ///
    /// # Errors
    /// When that is not allowed or the disk is full.
    pub fn open(data: Data) -> Result<Self, Error> {
        match data {
            Data::Temporary => {
                let made = tempfile::Builder::new().prefix("argosy-").tempdir();
                let refused = |source| Error::Folder {
                    path: std::env::temp_dir(),
                    source,
                };
                let folder = made.map_err(refused)?;
                let path = folder.path().to_owned();
                // Without a guard the folder outlives only a kill, which is no reason not to start.
                let guard = guard(&path).ok();
                Ok(Self {
                    path,
                    temporary: Some((folder, guard)),
                })
            }
            Data::Folder(path) => {
                let refused = |source| Error::Folder {
                    path: path.clone(),
                    source,
                };
                std::fs::create_dir_all(&path).map_err(refused)?;
                Ok(Self {
                    path,
                    temporary: None,
                })
            }
        }
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
