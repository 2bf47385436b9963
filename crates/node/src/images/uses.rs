//! Which images containers use, so that none is deleted below them, and when each was used last.
//!
//! A mark is a file named after a container. It holds for as long as the container's folder exists, whoever made that
//! folder and however its maker ended, so nobody has to take marks away.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use rustix::fs::FlockOperation;
use serde::{Deserialize, Serialize};

use super::{Error, Image, Store};

/// Folder of marks.
pub(super) const MARKS: &str = "uses";
/// Folder of files whose time says when an image was used last; their names are ids of images.
pub(super) const LAST: &str = "used";

#[derive(Serialize, Deserialize)]
struct Mark {
    id: String,
    layers: Vec<String>,
    /// Exists as long as the container does.
    folder: PathBuf,
}

/// What containers use now.
#[derive(Debug, Default)]
pub(super) struct InUse {
    pub(super) ids: BTreeSet<String>,
    pub(super) layers: BTreeSet<String>,
}

impl Store {
    /// Finds an image and keeps its layers for a container, for as long as `folder` exists.
    ///
    /// # Errors
    /// When the reference is malformed or the folder of images cannot be used.
    pub(crate) fn claim(
        &self,
        reference: &str,
        container: &str,
        folder: &Path,
    ) -> Result<Option<Image>, Error> {
        let _held = self.lock_uses(FlockOperation::LockShared)?;
        let Some(image) = self.get(reference)? else {
            return Ok(None);
        };
        let mark = Mark {
            id: image.id.clone(),
            layers: image.layers.clone(),
            folder: folder.to_path_buf(),
        };
        let path = self.part(MARKS).join(container);
        let text = serde_json::to_vec(&mark).map_err(|e| Error::Damaged(e.to_string()))?;
        fs::write(&path, text).map_err(Error::file(&path))?;
        let path = self.last_use(&image.id);
        fs::write(&path, "").map_err(Error::file(&path))?;
        Ok(Some(image))
    }

    /// What containers use; marks of containers that are gone are taken away.
    pub(super) fn in_use(&self) -> Result<InUse, Error> {
        let folder = self.part(MARKS);
        let mut used = InUse::default();
        for entry in fs::read_dir(&folder).map_err(Error::file(&folder))?.flatten() {
            let mark = fs::read(entry.path()).ok();
            let mark = mark.and_then(|bytes| serde_json::from_slice::<Mark>(&bytes).ok());
            match mark.filter(|mark| mark.folder.exists()) {
                Some(mark) => {
                    used.ids.insert(mark.id);
                    used.layers.extend(mark.layers);
                }
                None => drop(fs::remove_file(entry.path())),
            }
        }
        Ok(used)
    }

    /// When the image of this id was used last; `None` when it never was.
    pub(super) fn last_used(&self, id: &str) -> Option<SystemTime> {
        fs::metadata(self.last_use(id)).and_then(|m| m.modified()).ok()
    }

    pub(super) fn last_use(&self, id: &str) -> PathBuf {
        self.part(LAST).join(id.trim_start_matches("sha256:"))
    }

    /// Held shared while a container takes its image, alone while layers are taken away.
    pub(super) fn lock_uses(&self, operation: FlockOperation) -> Result<File, Error> {
        let path = self.part("uses.lock");
        let file = File::create(&path).map_err(Error::file(&path))?;
        rustix::fs::flock(&file, operation).map_err(|e| Error::file(&path)(io::Error::from(e)))?;
        Ok(file)
    }
}
