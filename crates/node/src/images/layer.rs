//! Unpacks one layer into a folder that an overlay mount can use.
//!
//! Every path is opened below the folder with `RESOLVE_IN_ROOT`, so a hostile layer cannot write elsewhere.

use std::fs::File;
use std::io::{self, Read};
use std::os::fd::OwnedFd;
use std::path::{Component, Path, PathBuf};

use rustix::fs::{AtFlags, FileType, Gid, Mode, OFlags, ResolveFlags, Timespec, Timestamps, Uid, XattrFlags};
use rustix::io::Errno;
use tar::EntryType;

/// Links followed on the way to a parent folder; the kernel's own limit.
const LINKS_LIMIT: usize = 40;

/// Unpacks a tar stream into the empty folder `root`, whose content lies over `lowers` (the topmost first). Returns bytes written.
pub(super) fn unpack(stream: impl Read, root: &Path, lowers: &[PathBuf]) -> io::Result<u64> {
    let open = |path: &Path| {
        rustix::fs::open(
            path,
            OFlags::PATH | OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )
    };
    let privileged = rustix::process::geteuid().is_root();
    let mut layer = Layer {
        root: open(root)?,
        lowers: lowers.iter().map(|l| open(l)).collect::<Result<_, _>>()?,
        parent: None,
        times: Vec::new(),
        privileged,
        written_bytes: 0,
    };
    let mut archive = tar::Archive::new(stream);
    for entry in archive.entries()? {
        let mut entry = entry?;
        let name = entry.path()?.into_owned();
        layer
            .add(&name, &mut entry)
            .map_err(|e| io::Error::new(e.kind(), format!("{}: {e}", name.display())))?;
    }
    layer.finish();
    Ok(layer.written_bytes)
}

struct Layer {
    root: OwnedFd,
    lowers: Vec<OwnedFd>,
    /// The folder used last: neighbours follow each other in archives.
    parent: Option<(PathBuf, OwnedFd)>,
    /// Times of folders, set at the end because filling them changes them.
    times: Vec<(PathBuf, i64)>,
    privileged: bool,
    written_bytes: u64,
}

impl Layer {
    fn add<R: Read>(&mut self, name: &Path, entry: &mut tar::Entry<'_, R>) -> io::Result<()> {
        let path = clean(name)?;
        let Some(file_name) = path.file_name().map(|n| n.to_owned()) else {
            return self.root_attributes(entry);
        };
        let parent = self.open_parent(path.parent().unwrap_or(Path::new("")))?;
        if let Some(hidden) = file_name.to_string_lossy().strip_prefix(".wh.") {
            return self.whiteout(&parent, hidden);
        }
        let kind = entry.header().entry_type();
        if kind != EntryType::Directory {
            make_room(&parent, &file_name)?;
        }
        let mode = Mode::from_raw_mode(entry.header().mode()? & 0o7777);
        match kind {
            EntryType::Directory => {
                match rustix::fs::mkdirat(&parent, &file_name, Mode::from_raw_mode(0o755)) {
                    Err(Errno::EXIST) if !is_dir(&parent, &file_name)? => {
                        rustix::fs::unlinkat(&parent, &file_name, AtFlags::empty())?;
                        rustix::fs::mkdirat(&parent, &file_name, Mode::from_raw_mode(0o755))?;
                    }
                    Err(Errno::EXIST) => {}
                    done => done?,
                }
            }
            EntryType::Symlink => {
                let link = entry
                    .link_name()?
                    .ok_or_else(|| io::Error::other("link without a target"))?;
                rustix::fs::symlinkat(link.as_ref(), &parent, &file_name)?;
            }
            EntryType::Link => {
                let link = entry
                    .link_name()?
                    .ok_or_else(|| io::Error::other("link without a target"))?
                    .into_owned();
                return self.hard_link(&clean(&link)?, &parent, &file_name);
            }
            EntryType::Char | EntryType::Block | EntryType::Fifo => {
                let (kind, device) = device_of(entry.header())?;
                match rustix::fs::mknodat(&parent, &file_name, kind, mode, device) {
                    // Only root may make device nodes; `/dev` of a container is mounted anyway.
                    Err(Errno::PERM) if !self.privileged => return Ok(()),
                    done => done?,
                }
            }
            kind if kind.is_file() => {
                let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
                let file = rustix::fs::openat(&parent, &file_name, flags, Mode::from_raw_mode(0o600))?;
                self.written_bytes += io::copy(entry, &mut File::from(file))?;
            }
            // Headers of pax and GNU are handled by the reader; anything else is for tools we are not.
            _ => return Ok(()),
        }
        self.attributes(entry, &path, &parent, &file_name, kind, mode)
    }

    fn attributes<R: Read>(
        &mut self,
        entry: &mut tar::Entry<'_, R>,
        path: &Path,
        parent: &OwnedFd,
        name: &std::ffi::OsStr,
        kind: EntryType,
        mode: Mode,
    ) -> io::Result<()> {
        let header = entry.header();
        let mtime = i64::try_from(header.mtime().unwrap_or(0)).unwrap_or(0);
        if self.privileged {
            // Some tools leave numbers blank that they hold to be zero.
            let (uid, gid) = (header.uid().unwrap_or(0) as u32, header.gid().unwrap_or(0) as u32);
            let owner = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
            rustix::fs::chownat(parent, name, owner.0, owner.1, AtFlags::SYMLINK_NOFOLLOW)?;
        }
        if kind != EntryType::Symlink {
            rustix::fs::chmodat(parent, name, mode, AtFlags::empty())?;
        }
        if kind == EntryType::Directory {
            self.times.push((path.to_path_buf(), mtime));
        } else {
            let _ = rustix::fs::utimensat(parent, name, &times(mtime), AtFlags::SYMLINK_NOFOLLOW);
        }
        if kind.is_file() {
            let extended = extended_attributes(entry)?;
            if !extended.is_empty() {
                let flags = OFlags::RDONLY | OFlags::NOFOLLOW | OFlags::CLOEXEC;
                let file = rustix::fs::openat(parent, name, flags, Mode::empty())?;
                for (key, value) in extended {
                    // File systems differ in what they store; programs mind only when they need it.
                    let _ = rustix::fs::fsetxattr(&file, key.as_str(), &value, XattrFlags::empty());
                }
            }
        }
        Ok(())
    }

    fn root_attributes<R: Read>(&mut self, entry: &tar::Entry<'_, R>) -> io::Result<()> {
        let mode = Mode::from_raw_mode(entry.header().mode()? & 0o7777);
        let here = rustix::fs::openat(
            &self.root,
            ".",
            OFlags::DIRECTORY | OFlags::CLOEXEC,
            Mode::empty(),
        )?;
        Ok(rustix::fs::fchmod(here, mode)?)
    }

    fn whiteout(&self, parent: &OwnedFd, hidden: &str) -> io::Result<()> {
        if hidden == ".wh..opq" {
            let folder = rustix::fs::openat(parent, ".", OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
            let key = if self.privileged {
                "trusted.overlay.opaque"
            } else {
                "user.overlay.opaque"
            };
            return Ok(rustix::fs::fsetxattr(folder, key, b"y", XattrFlags::empty())?);
        }
        match rustix::fs::mknodat(parent, hidden, FileType::CharacterDevice, Mode::empty(), 0) {
            // The layer itself brought a new file of this name.
            Ok(()) | Err(Errno::EXIST) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    fn hard_link(&self, target: &Path, parent: &OwnedFd, name: &std::ffi::OsStr) -> io::Result<()> {
        let folder = target.parent().unwrap_or(Path::new(""));
        let target_name = target
            .file_name()
            .ok_or_else(|| io::Error::other("hard link to the root"))?;
        match open_in(&self.root, folder, OFlags::DIRECTORY) {
            Ok(folder) => match rustix::fs::linkat(&folder, target_name, parent, name, AtFlags::empty()) {
                Err(Errno::NOENT) => {}
                done => return Ok(done?),
            },
            Err(Errno::NOENT) => {}
            Err(error) => return Err(error.into()),
        }
        // The file is in a layer below; a link cannot cross layers, so copy it.
        for lower in &self.lowers {
            let Ok(file) = open_for_reading(lower, target) else {
                continue;
            };
            let stat = rustix::fs::fstat(&file)?;
            let flags = OFlags::CREATE | OFlags::EXCL | OFlags::WRONLY | OFlags::CLOEXEC;
            let copy = rustix::fs::openat(parent, name, flags, Mode::from_raw_mode(0o600))?;
            let mut copy = File::from(copy);
            io::copy(&mut File::from(file), &mut copy)?;
            if self.privileged {
                rustix::fs::fchown(
                    &copy,
                    Some(Uid::from_raw(stat.st_uid)),
                    Some(Gid::from_raw(stat.st_gid)),
                )?;
            }
            return Ok(rustix::fs::fchmod(
                &copy,
                Mode::from_raw_mode(stat.st_mode & 0o7777),
            )?);
        }
        Err(io::Error::new(
            io::ErrorKind::NotFound,
            format!("hard link to missing {}", target.display()),
        ))
    }

    fn open_parent(&mut self, path: &Path) -> io::Result<OwnedFd> {
        if let Some((known, fd)) = &self.parent
            && known == path
        {
            return fd.try_clone();
        }
        let mut wanted = path.to_path_buf();
        for _ in 0..LINKS_LIMIT {
            match self.make_folders(&wanted)? {
                Ok(fd) => {
                    self.parent = Some((path.to_path_buf(), fd.try_clone()?));
                    return Ok(fd);
                }
                Err(elsewhere) => wanted = elsewhere,
            }
        }
        Err(Errno::LOOP.into())
    }

    /// Makes missing folders as they are in the layers below; `Err` holds the path to try when a link stands there.
    fn make_folders(&self, path: &Path) -> io::Result<Result<OwnedFd, PathBuf>> {
        match open_in(&self.root, path, OFlags::DIRECTORY) {
            Err(Errno::NOENT) => {}
            done => return Ok(Ok(done?)),
        }
        let mut done = PathBuf::new();
        let mut folder = self.root.try_clone()?;
        let mut rest = path.components();
        while let Some(name) = rest.next() {
            let before = done.clone();
            done.push(name);
            match open_in(&self.root, &done, OFlags::DIRECTORY) {
                Ok(next) => {
                    folder = next;
                    continue;
                }
                Err(Errno::NOENT) => {}
                Err(error) => return Err(error.into()),
            }
            match self.below(&done)? {
                Below::Link(link) => {
                    let link = link
                        .strip_prefix("/")
                        .map_or_else(|_| before.join(&link), Path::to_path_buf);
                    return Ok(Err(link.join(rest.as_path())));
                }
                Below::Folder(mode, uid, gid) => {
                    rustix::fs::mkdirat(&folder, name.as_os_str(), Mode::from_raw_mode(mode))?;
                    rustix::fs::chmodat(
                        &folder,
                        name.as_os_str(),
                        Mode::from_raw_mode(mode),
                        AtFlags::empty(),
                    )?;
                    if self.privileged {
                        let owner = (Some(Uid::from_raw(uid)), Some(Gid::from_raw(gid)));
                        rustix::fs::chownat(
                            &folder,
                            name.as_os_str(),
                            owner.0,
                            owner.1,
                            AtFlags::SYMLINK_NOFOLLOW,
                        )?;
                    }
                }
                Below::Nothing => rustix::fs::mkdirat(&folder, name.as_os_str(), Mode::from_raw_mode(0o755))?,
            }
            folder = open_in(&self.root, &done, OFlags::DIRECTORY)?;
        }
        Ok(Ok(folder))
    }

    fn below(&self, path: &Path) -> io::Result<Below> {
        for lower in &self.lowers {
            let Ok(found) = open_in(lower, path, OFlags::NOFOLLOW) else {
                continue;
            };
            let stat = rustix::fs::fstat(&found)?;
            return Ok(match FileType::from_raw_mode(stat.st_mode) {
                FileType::Directory => Below::Folder(stat.st_mode & 0o7777, stat.st_uid, stat.st_gid),
                FileType::Symlink => {
                    let link = rustix::fs::readlinkat(&found, "", Vec::new())?;
                    Below::Link(PathBuf::from(link.to_string_lossy().into_owned()))
                }
                _ => Below::Nothing,
            });
        }
        Ok(Below::Nothing)
    }

    fn finish(&self) {
        for (path, mtime) in self.times.iter().rev() {
            if let Ok(folder) = open_in(&self.root, path, OFlags::NOFOLLOW) {
                let _ = rustix::fs::utimensat(folder, ".", &times(*mtime), AtFlags::empty());
            }
        }
    }
}

/// What layers below have at a path.
enum Below {
    Nothing,
    Link(PathBuf),
    Folder(u32, u32, u32),
}

fn clean(path: &Path) -> io::Result<PathBuf> {
    let mut cleaned = PathBuf::new();
    for component in path.components() {
        match component {
            Component::Normal(name) => cleaned.push(name),
            Component::RootDir | Component::CurDir => {}
            Component::ParentDir | Component::Prefix(_) => {
                return Err(io::Error::new(
                    io::ErrorKind::InvalidData,
                    "a layer may not name files outside of it",
                ));
            }
        }
    }
    Ok(cleaned)
}

fn open_in(root: &OwnedFd, path: &Path, extra: OFlags) -> Result<OwnedFd, Errno> {
    let path = if path.as_os_str().is_empty() {
        Path::new(".")
    } else {
        path
    };
    let flags = OFlags::PATH | OFlags::CLOEXEC | extra;
    rustix::fs::openat2(
        root,
        path,
        flags,
        Mode::empty(),
        ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS,
    )
}

fn open_for_reading(root: &OwnedFd, path: &Path) -> Result<OwnedFd, Errno> {
    let resolve = ResolveFlags::IN_ROOT | ResolveFlags::NO_MAGICLINKS;
    rustix::fs::openat2(
        root,
        path,
        OFlags::RDONLY | OFlags::CLOEXEC,
        Mode::empty(),
        resolve,
    )
}

fn make_room(parent: &OwnedFd, name: &std::ffi::OsStr) -> io::Result<()> {
    match rustix::fs::unlinkat(parent, name, AtFlags::empty()) {
        Ok(()) | Err(Errno::NOENT) => Ok(()),
        Err(Errno::ISDIR) => Ok(rustix::fs::unlinkat(parent, name, AtFlags::REMOVEDIR)?),
        Err(error) => Err(error.into()),
    }
}

fn is_dir(parent: &OwnedFd, name: &std::ffi::OsStr) -> io::Result<bool> {
    let stat = rustix::fs::statat(parent, name, AtFlags::SYMLINK_NOFOLLOW)?;
    Ok(FileType::from_raw_mode(stat.st_mode) == FileType::Directory)
}

fn device_of(header: &tar::Header) -> io::Result<(FileType, u64)> {
    let number = |part: Option<u32>| part.unwrap_or(0);
    let device = rustix::fs::makedev(number(header.device_major()?), number(header.device_minor()?));
    Ok(match header.entry_type() {
        EntryType::Char => (FileType::CharacterDevice, device),
        EntryType::Block => (FileType::BlockDevice, device),
        _ => (FileType::Fifo, 0),
    })
}

fn extended_attributes<R: Read>(entry: &mut tar::Entry<'_, R>) -> io::Result<Vec<(String, Vec<u8>)>> {
    let Some(extensions) = entry.pax_extensions()? else {
        return Ok(Vec::new());
    };
    let mut found = Vec::new();
    for extension in extensions {
        let extension = extension?;
        if let Some(key) = extension
            .key()
            .ok()
            .and_then(|key| key.strip_prefix("SCHILY.xattr."))
        {
            found.push((key.to_string(), extension.value_bytes().to_vec()));
        }
    }
    Ok(found)
}

fn times(mtime: i64) -> Timestamps {
    let time = Timespec {
        tv_sec: mtime,
        tv_nsec: 0,
    };
    Timestamps {
        last_access: time,
        last_modification: time,
    }
}
