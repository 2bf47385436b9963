//! Writes the files of a volume as the kubelet lays them out: `..data` links to a folder of one moment, so that a later
//! version can take its place in one step.

use std::collections::BTreeMap;
use std::io;
use std::os::unix::fs::{PermissionsExt, chown, symlink};
use std::path::{Component, Path};

use jiff::Timestamp;

/// One file of a volume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) data: Vec<u8>,
    pub(super) mode: u32,
}

/// Files by relative path.
pub(super) type Content = BTreeMap<String, Entry>;

/// Puts the content into the folder, replacing an earlier version.
pub(super) fn write(folder: &Path, content: &Content, group: Option<u32>) -> io::Result<()> {
    let stamp = Timestamp::now().strftime("..%Y_%m_%d_%H_%M_%S.%N").to_string();
    let version = folder.join(&stamp);
    std::fs::create_dir(&version)?;
    for (name, entry) in content {
        check(name)?;
        let path = version.join(name);
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        std::fs::write(&path, &entry.data)?;
        let mode = if group.is_some() {
            entry.mode | 0o440
        } else {
            entry.mode
        };
        if group.is_some() {
            chown(&path, None, group)?;
        }
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode))?;
    }
    let next = folder.join("..data_tmp");
    let _ = std::fs::remove_file(&next);
    symlink(&stamp, &next)?;
    let data = folder.join("..data");
    let earlier = std::fs::read_link(&data).ok();
    std::fs::rename(&next, &data)?;
    for name in content.keys() {
        let first = name.split('/').next().unwrap_or(name);
        let link = folder.join(first);
        if link.symlink_metadata().is_err() {
            symlink(Path::new("..data").join(first), link)?;
        }
    }
    if let Some(earlier) = earlier {
        std::fs::remove_dir_all(folder.join(earlier))?;
    }
    for entry in std::fs::read_dir(folder)?.flatten() {
        // Links to files that this version has no more.
        let ours = entry.file_name().to_string_lossy().starts_with("..");
        if !ours && !entry.path().exists() {
            std::fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

/// Whether the folder shows exactly this content.
pub(super) fn shows(folder: &Path, content: &Content) -> bool {
    let data = folder.join("..data");
    let same = |(name, entry): (&String, &Entry)| {
        std::fs::read(data.join(name)).is_ok_and(|bytes| bytes == entry.data)
    };
    content.iter().all(same) && count(&data) == content.len()
}

/// Files below a folder.
fn count(folder: &Path) -> usize {
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let count_of = |entry: std::fs::DirEntry| match entry.file_type() {
        Ok(kind) if kind.is_dir() => count(&entry.path()),
        _ => 1,
    };
    entries.map(count_of).sum()
}

fn check(name: &str) -> io::Result<()> {
    let plain = Path::new(name)
        .components()
        .all(|c| matches!(c, Component::Normal(_)));
    if name.is_empty() || !plain || name.starts_with("..") {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            format!("{name:?} is no relative path"),
        ));
    }
    Ok(())
}
