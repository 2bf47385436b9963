//! A folder that is filled from an archive nobody vouches for: every path is resolved below the
//! folder's own descriptor, so that neither names nor links lead outside (rule X-ARC-15).

use std::ffi::OsStr;
use std::fs::File;
use std::io;
use std::os::fd::{AsFd as _, OwnedFd};
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, Mode, OFlags, ResolveFlags};
use rustix::io::Errno;

use super::Error;

/// A folder being filled.
pub struct Tree {
    root: OwnedFd,
    path: PathBuf,
    // Entries of one folder come in a row; the last parent is kept open.
    last: Option<(PathBuf, OwnedFd)>,
    links: Vec<(PathBuf, PathBuf)>,
}

const FOLDER: OFlags = OFlags::RDONLY.union(OFlags::DIRECTORY).union(OFlags::CLOEXEC);

impl Tree {
    /// Opens an existing, empty folder.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let root =
            rustix::fs::open(path, FOLDER, Mode::empty()).map_err(|e| Error::io("open", path, e.into()))?;
        Ok(Self {
            root,
            path: path.to_owned(),
            last: None,
            links: Vec::new(),
        })
    }

    /// Bytes that still fit on the disk.
    pub fn free_bytes(&self) -> u64 {
        rustix::fs::fstatvfs(&self.root).map_or(u64::MAX, |stat| stat.f_bavail.saturating_mul(stat.f_frsize))
    }

    /// Makes a folder and those above it; one that is there already is fine.
    pub fn folder(&mut self, name: &Path) -> Result<(), Error> {
        self.open_folder(name).map(drop)
    }

    /// Makes a new file with the given permissions, in place of whatever had its name.
    pub fn file(&mut self, name: &Path, mode: u32) -> Result<File, Error> {
        let path = self.path.join(name);
        let make = |parent: &OwnedFd, last: &OsStr| {
            let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC;
            rustix::fs::openat(parent, last, flags | OFlags::NOFOLLOW, Mode::from_raw_mode(mode))
        };
        let file = self.replace(name, make)?;
        // The mask of the process is not the archive's business.
        rustix::fs::fchmod(&file, Mode::from_raw_mode(mode))
            .map_err(|e| Error::io("chmod", &path, e.into()))?;
        Ok(File::from(file))
    }

    /// Makes a symbolic link whose target must lie inside the tree.
    pub fn symlink(&mut self, name: &Path, target: &Path) -> Result<(), Error> {
        let inside = name.parent().unwrap_or(Path::new("")).join(target);
        if target.is_absolute() || clean(&inside).is_none() {
            return Err(illegal_link(name, target));
        }
        self.replace(name, |parent, last| rustix::fs::symlinkat(target, parent, last))?;
        self.links.push((name.to_owned(), target.to_owned()));
        Ok(())
    }

    /// Gives an entry that is already there a second name.
    pub fn hard_link(&mut self, name: &Path, existing: &Path) -> Result<(), Error> {
        let from = self.open_folder(existing.parent().unwrap_or(Path::new("")))?;
        let from_last = last_of(existing)?.to_owned();
        self.replace(name, |parent, last| {
            rustix::fs::linkat(&from, &*from_last, parent, last, AtFlags::empty())
        })
    }

    /// Looks at every link once all entries are there: one whose target goes through another
    /// link may lead outside although its text does not (`a -> .`, `b -> a/../x`).
    pub fn check_links(&self) -> Result<(), Error> {
        for (name, target) in &self.links {
            // Links to nothing, and rings of links, lead nowhere.
            if matches!(
                self.beneath(name, OFlags::PATH | OFlags::CLOEXEC),
                Err(Errno::XDEV)
            ) {
                return Err(illegal_link(name, target));
            }
        }
        Ok(())
    }

    fn replace<T>(
        &mut self,
        name: &Path,
        make: impl Fn(&OwnedFd, &OsStr) -> Result<T, Errno>,
    ) -> Result<T, Error> {
        let path = self.path.join(name);
        let last = last_of(name)?;
        let parent = self.open_folder(name.parent().unwrap_or(Path::new("")))?;
        let made = match make(&parent, last) {
            Err(Errno::EXIST) => {
                rustix::fs::unlinkat(&parent, last, AtFlags::empty()).and_then(|()| make(&parent, last))
            }
            other => other,
        };
        made.map_err(|e| Error::io("create", &path, e.into()))
    }

    fn open_folder(&mut self, name: &Path) -> Result<OwnedFd, Error> {
        if let Some((known, folder)) = &self.last
            && known == name
        {
            return folder.try_clone().map_err(|e| Error::io("open", name, e));
        }
        let folder = self.make_folders(name)?;
        let copy = folder.try_clone().map_err(|e| Error::io("open", name, e))?;
        self.last = Some((name.to_owned(), copy));
        Ok(folder)
    }

    fn make_folders(&self, name: &Path) -> Result<OwnedFd, Error> {
        let failed = |e: io::Error| Error::io("create", self.path.join(name), e);
        let escapes = || Error::IllegalPath(name.display().to_string());
        let mut current = self.root.try_clone().map_err(failed)?;
        let mut so_far = PathBuf::new();
        for part in name.components() {
            let Component::Normal(part) = part else {
                return Err(escapes());
            };
            so_far.push(part);
            let opened = match self.beneath(&so_far, FOLDER) {
                Err(Errno::NOENT) => {
                    let made = rustix::fs::mkdirat(&current, part, Mode::from_raw_mode(0o755));
                    made.and_then(|()| {
                        rustix::fs::openat(&current, part, FOLDER | OFlags::NOFOLLOW, Mode::empty())
                    })
                }
                other => other,
            };
            current = match opened {
                Ok(opened) => opened,
                Err(Errno::XDEV) => return Err(escapes()),
                Err(error) => return Err(failed(error.into())),
            };
        }
        Ok(current)
    }

    /// Opens a path below the root, following links as long as they stay below it. On a kernel
    /// without that call, links are not followed at all.
    fn beneath(&self, path: &Path, flags: OFlags) -> Result<OwnedFd, Errno> {
        let resolve = ResolveFlags::BENEATH | ResolveFlags::NO_MAGICLINKS;
        loop {
            match rustix::fs::openat2(&self.root, path, flags, Mode::empty(), resolve) {
                // The kernel could not be sure because something was renamed meanwhile.
                Err(Errno::AGAIN | Errno::INTR) => {}
                Err(Errno::NOSYS | Errno::PERM) => break,
                other => return other,
            }
        }
        let mut current = rustix::fs::openat(self.root.as_fd(), ".", FOLDER, Mode::empty())?;
        let parts: Vec<_> = path.components().collect();
        for (index, part) in parts.iter().enumerate() {
            let flags = if index + 1 == parts.len() { flags } else { FOLDER };
            let name = Path::new(part.as_os_str());
            current = rustix::fs::openat(&current, name, flags | OFlags::NOFOLLOW, Mode::empty())?;
        }
        Ok(current)
    }
}

fn last_of(name: &Path) -> Result<&OsStr, Error> {
    name.file_name()
        .ok_or_else(|| Error::IllegalPath(name.display().to_string()))
}

fn illegal_link(name: &Path, target: &Path) -> Error {
    Error::IllegalLink {
        link: name.display().to_string(),
        target: target.display().to_string(),
    }
}

/// An entry's name without `.`, `..` and slashes at its ends; `None` if it leads outside.
pub fn clean(name: &Path) -> Option<PathBuf> {
    let mut out = PathBuf::new();
    for part in name.components() {
        match part {
            Component::Normal(part) => out.push(part),
            Component::CurDir | Component::RootDir => {}
            Component::ParentDir => {
                if !out.pop() {
                    return None;
                }
            }
            Component::Prefix(_) => return None,
        }
    }
    Some(out)
}
