//! Folders as stores with keys see them: the files to send, and where objects may be put. What a
//! key means is the drivers' affair.

use std::path::{Path, PathBuf};

use crate::store::Error;

/// Files of a folder that are on their way at the same time.
pub(crate) const FILES_AT_ONCE: usize = 8;

/// What is below a folder, in order.
#[derive(Debug, Default)]
pub(crate) struct Tree {
    /// Regular files.
    pub files: Vec<PathBuf>,
    /// Folders, whether or not something is in them.
    pub folders: Vec<PathBuf>,
}

/// Everything below a folder. Links are left out (X-DRV-07); anything that cannot be read fails
/// the upload instead of being left out (X-DRV-08).
pub(crate) fn walk(folder: &Path) -> Result<Tree, Error> {
    let mut tree = Tree::default();
    let mut left = vec![folder.to_owned()];
    while let Some(folder) = left.pop() {
        let failed = |e| Error::io("read", &folder, e);
        for entry in std::fs::read_dir(&folder).map_err(failed)? {
            let entry = entry.map_err(failed)?;
            let kind = entry.file_type().map_err(failed)?;
            if kind.is_dir() {
                left.push(entry.path());
                tree.folders.push(entry.path());
            } else if kind.is_file() {
                tree.files.push(entry.path());
            }
        }
    }
    tree.files.sort();
    tree.folders.sort();
    Ok(tree)
}

/// The key of something below a folder whose own key is `key`.
pub(crate) fn key_of(key: &str, folder: &Path, path: &Path) -> String {
    let relative = path.strip_prefix(folder).unwrap_or(path).to_string_lossy();
    format!("{}/{relative}", key.trim_end_matches('/'))
}

/// A key's rest as a path below a folder: a store may hold keys that would lead outside.
pub(crate) fn below(folder: &Path, rest: &str) -> Result<PathBuf, Error> {
    let is_plain = |part: &str| !matches!(part, "" | "." | "..") && !part.contains('\0');
    if !rest.split('/').all(is_plain) {
        return Err(Error::Location(format!(
            "object {rest:?} cannot be a file below a folder"
        )));
    }
    Ok(folder.join(rest))
}

/// Makes the folder in which a file will lie.
pub(crate) fn make_parent(path: &Path) -> Result<(), Error> {
    match path.parent() {
        Some(parent) => std::fs::create_dir_all(parent).map_err(|e| Error::io("mkdir", parent, e)),
        None => Ok(()),
    }
}
