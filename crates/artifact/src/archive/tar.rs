//! Writing of gzip'd tar: a file, or a folder with everything in it (rules X-ARC-01 to X-ARC-06).
//! Entries are in lexical order, so that the same tree gives the same bytes.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs::{File, Metadata};
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt as _;
use std::os::unix::fs::{FileTypeExt as _, MetadataExt as _};
use std::path::{Path, PathBuf};

use flate2::write::GzEncoder;
use tar::{EntryType, Header};

use super::{Compression, Report};

/// Largest size and time that the octal fields of a plain header hold: 11 digits.
const OCTAL_11: u64 = 0o77_777_777_777;
/// Largest user and group number of a plain header: 7 digits.
const OCTAL_7: u64 = 0o7_777_777;
/// A tar is a row of blocks of this size.
const BLOCK: usize = 512;

/// Packs a file or a folder and gives the writer back, complete but not flushed.
///
/// # Errors
/// The source is missing, is neither file nor folder, cannot be read, or the writer fails.
pub fn pack<W: Write>(source: &Path, level: Compression, to: W) -> io::Result<(W, Report)> {
    // The source itself may be a link, to a file as well as to a folder (X-ARC-01, X-ARC-01a).
    let metadata = std::fs::metadata(source)?;
    if !metadata.is_file() && !metadata.is_dir() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "neither a regular file nor a directory",
        ));
    }
    let base = source.file_name().unwrap_or(OsStr::new("root")).to_owned();
    let mut writer = Writer {
        to: GzEncoder::new(to, level.flate2()),
        report: Report::default(),
        users: Names::default(),
    };
    if metadata.is_file() {
        writer.file(Path::new(&base), source, &metadata)?;
    } else {
        writer.tree(Path::new(&base), source, &metadata)?;
    }
    writer.to.write_all(&[0; BLOCK * 2])?;
    Ok((writer.to.finish()?, writer.report))
}

struct Writer<W: Write> {
    to: GzEncoder<W>,
    report: Report,
    users: Names,
}

impl<W: Write> Writer<W> {
    /// Goes through a tree with a list of what is left to do, so that depth costs no stack.
    fn tree(&mut self, name: &Path, folder: &Path, metadata: &Metadata) -> io::Result<()> {
        self.entry(name, metadata, EntryType::Directory, None, 0)?;
        let mut left = children(name, folder)?;
        while let Some((name, path)) = left.pop() {
            let metadata = path.symlink_metadata().map_err(|e| at(&path, &e))?;
            let kind = metadata.file_type();
            if kind.is_dir() {
                self.entry(&name, &metadata, EntryType::Directory, None, 0)?;
                left.extend(children(&name, &path)?);
            } else if kind.is_symlink() {
                let target = std::fs::read_link(&path)?;
                self.entry(&name, &metadata, EntryType::Symlink, Some(&target), 0)?;
            } else if kind.is_file() {
                self.file(&name, &path, &metadata)?;
            } else if kind.is_socket() {
                self.report.note(format!("socket {} is left out", path.display()));
            } else {
                let entry = match (kind.is_fifo(), kind.is_char_device()) {
                    (true, _) => EntryType::Fifo,
                    (_, true) => EntryType::Char,
                    _ => EntryType::Block,
                };
                self.entry(&name, &metadata, entry, None, 0)?;
            }
        }
        Ok(())
    }

    fn file(&mut self, name: &Path, path: &Path, metadata: &Metadata) -> io::Result<()> {
        let mut file = File::open(path).map_err(|e| at(path, &e))?;
        let size = metadata.len();
        self.entry(name, metadata, EntryType::Regular, None, size)?;
        // The size is promised by the header: what was appended since is left out, what was cut
        // off is made up with zeroes (X-ARC-06).
        let copied = io::copy(&mut Read::by_ref(&mut file).take(size), &mut self.to)?;
        if copied < size {
            self.report
                .note(format!("{} became shorter while it was archived", path.display()));
            io::copy(&mut io::repeat(0).take(size - copied), &mut self.to)?;
        } else if file.read(&mut [0])? > 0 {
            self.report
                .note(format!("{} became longer while it was archived", path.display()));
        }
        self.pad(size)
    }

    fn entry(
        &mut self,
        name: &Path,
        metadata: &Metadata,
        kind: EntryType,
        link: Option<&Path>,
        size: u64,
    ) -> io::Result<()> {
        let mut header = Header::new_ustar();
        let mut extra: BTreeMap<&str, Vec<u8>> = BTreeMap::new();
        header.set_entry_type(kind);
        header.set_mode(metadata.mode() & 0o7777);
        fit(&mut extra, "size", size, OCTAL_11, |v| header.set_size(v));
        fit(&mut extra, "uid", metadata.uid().into(), OCTAL_7, |v| {
            header.set_uid(v)
        });
        fit(&mut extra, "gid", metadata.gid().into(), OCTAL_7, |v| {
            header.set_gid(v)
        });
        // Times before 1970 have no octal form, and nobody needs them.
        let time = u64::try_from(metadata.mtime()).unwrap_or(0);
        fit(&mut extra, "mtime", time, OCTAL_11, |v| header.set_mtime(v));
        if let Some(user) = self.users.user(metadata.uid()) {
            // A name that does not fit is left out; the number is what counts.
            let _ = header.set_username(user);
        }
        if let Some(group) = self.users.group(metadata.gid()) {
            let _ = header.set_groupname(group);
        }
        if matches!(kind, EntryType::Char | EntryType::Block) {
            let device = metadata.rdev();
            header.set_device_major(rustix::fs::major(device))?;
            header.set_device_minor(rustix::fs::minor(device))?;
        }
        set_name(&mut header, name, &mut extra);
        if let Some(link) = link {
            let bytes = link.as_os_str().as_bytes();
            let field = &mut header.as_old_mut().linkname;
            if bytes.len() > field.len() {
                extra.insert("linkpath", bytes.to_vec());
            }
            let kept = bytes.len().min(field.len());
            field[..kept].copy_from_slice(&bytes[..kept]);
        }
        if !extra.is_empty() {
            self.extension(&extra)?;
        }
        header.set_cksum();
        self.to.write_all(header.as_bytes())
    }

    /// A PAX header with what the next plain header cannot hold.
    fn extension(&mut self, extra: &BTreeMap<&str, Vec<u8>>) -> io::Result<()> {
        let mut body = Vec::new();
        for (key, value) in extra {
            body.extend_from_slice(&record(key, value));
        }
        let mut header = Header::new_ustar();
        header.set_entry_type(EntryType::XHeader);
        let name = b"PaxHeaders.0/entry";
        header.as_old_mut().name[..name.len()].copy_from_slice(name);
        header.set_size(body.len() as u64);
        header.set_cksum();
        self.to.write_all(header.as_bytes())?;
        self.to.write_all(&body)?;
        self.pad(body.len() as u64)
    }

    fn pad(&mut self, size: u64) -> io::Result<()> {
        let over = (size % BLOCK as u64) as usize;
        if over > 0 {
            self.to.write_all(&[0; BLOCK][over..])?;
        }
        Ok(())
    }
}

/// Puts a number into the header if it fits, else into the PAX header.
fn fit(
    extra: &mut BTreeMap<&'static str, Vec<u8>>,
    key: &'static str,
    value: u64,
    largest: u64,
    mut set: impl FnMut(u64),
) {
    if value > largest {
        extra.insert(key, value.to_string().into_bytes());
        set(0);
    } else {
        set(value);
    }
}

/// The name goes whole into the name field, or split at a slash over prefix and name, or into
/// the PAX header.
fn set_name(header: &mut Header, name: &Path, extra: &mut BTreeMap<&str, Vec<u8>>) {
    let bytes = name.as_os_str().as_bytes();
    if let Some(ustar) = header.as_ustar_mut() {
        if bytes.len() <= ustar.name.len() {
            ustar.name[..bytes.len()].copy_from_slice(bytes);
            return;
        }
        let split = (0..bytes.len()).filter(|at| bytes[*at] == b'/').find(|at| {
            *at > 0 && *at <= ustar.prefix.len() && (1..=ustar.name.len()).contains(&(bytes.len() - at - 1))
        });
        if let Some(at) = split {
            ustar.prefix[..at].copy_from_slice(&bytes[..at]);
            ustar.name[..bytes.len() - at - 1].copy_from_slice(&bytes[at + 1..]);
            return;
        }
    }
    extra.insert("path", bytes.to_vec());
    let field = &mut header.as_old_mut().name;
    let kept = bytes.len().min(field.len());
    field[..kept].copy_from_slice(&bytes[..kept]);
}

/// `<length> <key>=<value>\n`, where the length counts its own digits too.
fn record(key: &str, value: &[u8]) -> Vec<u8> {
    let rest = key.len() + value.len() + 3;
    let mut length = rest + 1;
    while length != rest + length.to_string().len() {
        length = rest + length.to_string().len();
    }
    let mut record = format!("{length} {key}=").into_bytes();
    record.extend_from_slice(value);
    record.push(b'\n');
    record
}

/// The entries of a folder, last one first, because they are taken from the end.
fn children(name: &Path, folder: &Path) -> io::Result<Vec<(PathBuf, PathBuf)>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(|e| at(folder, &e))? {
        let entry = entry?;
        found.push((name.join(entry.file_name()), entry.path()));
    }
    found.sort_by(|a, b| b.0.as_os_str().cmp(a.0.as_os_str()));
    Ok(found)
}

/// Says which of many files it was.
fn at(path: &Path, error: &io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{}: {error}", path.display()))
}

/// Names of users and groups, read once from the files of the container.
#[derive(Default)]
struct Names {
    users: Option<BTreeMap<u32, String>>,
    groups: Option<BTreeMap<u32, String>>,
}

impl Names {
    fn user(&mut self, id: u32) -> Option<&str> {
        let names = self.users.get_or_insert_with(|| ids_of("/etc/passwd"));
        names.get(&id).map(String::as_str)
    }

    fn group(&mut self, id: u32) -> Option<&str> {
        let names = self.groups.get_or_insert_with(|| ids_of("/etc/group"));
        names.get(&id).map(String::as_str)
    }
}

/// Both files have the name first and the number third.
fn ids_of(path: &str) -> BTreeMap<u32, String> {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let parse = |line: &str| {
        let mut fields = line.split(':');
        let name = fields.next()?;
        Some((fields.nth(1)?.parse().ok()?, name.to_owned()))
    };
    // The first line of a number wins, as it does for the C library.
    let mut names = BTreeMap::new();
    for (id, name) in text.lines().filter_map(parse) {
        names.entry(id).or_insert(name);
    }
    names
}
