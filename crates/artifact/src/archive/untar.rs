//! Reading of tar from a source nobody vouches for (rules X-ARC-10 to X-ARC-15). The reader is
//! ours because an extension header decides how much memory a library would take for it.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt as _;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use tar::{EntryType, Header};

use super::tree::{Tree, clean};
use super::{Error, Report};

const BLOCK: usize = 512;

/// Longest extension header, in bytes: a name of the longest path a kernel takes (4 KiB) in the
/// largest encoding, and as much again for attributes, rounded up generously.
const LONGEST_EXTENSION: u64 = 1024 * 1024;

/// Whether a block is a tar header: its checksum is right and it is not all zeroes.
pub fn is_header(block: &[u8; BLOCK]) -> bool {
    let header = Header::from_byte_slice(block);
    let Ok(wanted) = header.cksum() else {
        return false;
    };
    // The checksum counts its own field as spaces.
    let field = 148..156;
    let sum = |index: usize, byte: u8| u32::from(if field.contains(&index) { b' ' } else { byte });
    block.iter().any(|b| *b != 0) && block.iter().enumerate().map(|(i, b)| sum(i, *b)).sum::<u32>() == wanted
}

/// Unpacks a tar into an existing, empty folder.
///
/// # Errors
/// See [`Error`]. What was unpacked until then stays.
pub fn unpack(archive: impl Read, folder: &Path) -> Result<Report, Error> {
    let tree = Tree::open(folder)?;
    let room = tree.free_bytes();
    let mut unpacker = Unpacker {
        archive,
        tree,
        room,
        report: Report::default(),
    };
    while let Some(entry) = unpacker.next_entry()? {
        unpacker.take(entry)?;
    }
    unpacker.tree.check_links()?;
    Ok(unpacker.report)
}

struct Unpacker<R: Read> {
    archive: R,
    tree: Tree,
    room: u64,
    report: Report,
}

struct Entry {
    kind: EntryType,
    name: Vec<u8>,
    link: Vec<u8>,
    size: u64,
    mode: u32,
    modified: Option<u64>,
}

impl<R: Read> Unpacker<R> {
    fn next_entry(&mut self) -> Result<Option<Entry>, Error> {
        let mut extra = BTreeMap::new();
        loop {
            let Some(block) = self.block()? else {
                return Ok(None);
            };
            if !is_header(&block) {
                // A block of zeroes ends the archive; what follows is padding.
                return if block.iter().all(|b| *b == 0) {
                    Ok(None)
                } else {
                    Err(Error::Invalid("a header's checksum is wrong".to_owned()))
                };
            }
            let header = Header::from_byte_slice(&block);
            let size = number(header.entry_size())?;
            match header.entry_type() {
                EntryType::XHeader => extra.extend(records(&self.extension(size)?)?),
                EntryType::GNULongName => {
                    extra.insert("path".to_owned(), until_zero(self.extension(size)?));
                }
                EntryType::GNULongLink => {
                    extra.insert("linkpath".to_owned(), until_zero(self.extension(size)?));
                }
                // Defaults for all entries: names and sizes cannot sensibly be among them.
                EntryType::XGlobalHeader => drop(self.extension(size)?),
                kind => return Ok(Some(entry_of(header, kind, size, &extra)?)),
            }
        }
    }

    fn take(&mut self, entry: Entry) -> Result<(), Error> {
        let name = PathBuf::from(OsString::from_vec(entry.name.clone()));
        let text = name.display().to_string();
        let Some(name) = clean(&name) else {
            return Err(Error::IllegalPath(text));
        };
        let target = PathBuf::from(OsString::from_vec(entry.link.clone()));
        match entry.kind {
            EntryType::Directory => self.tree.folder(&name)?,
            _ if name.as_os_str().is_empty() => {}
            EntryType::Regular | EntryType::Continuous => return self.file(&name, &entry),
            EntryType::Symlink => self.tree.symlink(&name, &target)?,
            EntryType::Link => match clean(&target) {
                None => return Err(Error::IllegalPath(target.display().to_string())),
                Some(existing) => {
                    if self.tree.hard_link(&name, &existing).is_err() {
                        self.report
                            .note(format!("hard link {text} has no target and is left out"));
                    }
                }
            },
            EntryType::GNUSparse => {
                return Err(Error::Invalid(format!(
                    "{text} is a sparse file, which is not supported"
                )));
            }
            _ => self
                .report
                .note(format!("{text} is no file, folder or link and is left out")),
        }
        self.skip(padded(entry.size))
    }

    fn file(&mut self, name: &Path, entry: &Entry) -> Result<(), Error> {
        self.room = self
            .room
            .checked_sub(entry.size)
            .ok_or_else(|| Error::TooLarge(format!("no room on the disk for {}", name.display())))?;
        let file = self.tree.file(name, entry.mode & 0o7777)?;
        let mut content = Read::by_ref(&mut self.archive).take(entry.size);
        let copied = io::copy(&mut content, &mut &file).map_err(|e| Error::io("write", name, e))?;
        if copied < entry.size {
            return Err(cut_off());
        }
        set_modified(&file, entry.modified, name)?;
        self.skip(padded(entry.size) - entry.size)
    }

    /// One block; `None` at the end of the archive.
    fn block(&mut self) -> Result<Option<[u8; BLOCK]>, Error> {
        let mut block = [0; BLOCK];
        match super::read_up_to(&mut self.archive, &mut block) {
            Ok(0) => Ok(None),
            Ok(BLOCK) => Ok(Some(block)),
            Ok(_) => Err(cut_off()),
            Err(error) => Err(Error::io("read", "archive", error)),
        }
    }

    fn extension(&mut self, size: u64) -> Result<Vec<u8>, Error> {
        if size > LONGEST_EXTENSION {
            return Err(Error::TooLarge(format!("an extension header of {size} bytes")));
        }
        let mut body = vec![0; padded(size) as usize];
        let read = super::read_up_to(&mut self.archive, &mut body);
        let read = read.map_err(|e| Error::io("read", "archive", e))?;
        if (read as u64) < size {
            return Err(cut_off());
        }
        body.truncate(size as usize);
        Ok(body)
    }

    fn skip(&mut self, bytes: u64) -> Result<(), Error> {
        let mut rest = Read::by_ref(&mut self.archive).take(bytes);
        let skipped = io::copy(&mut rest, &mut io::sink());
        match skipped.map_err(|e| Error::io("read", "archive", e))? {
            skipped if skipped == bytes => Ok(()),
            _ => Err(cut_off()),
        }
    }
}

fn entry_of(
    header: &Header,
    kind: EntryType,
    size: u64,
    extra: &BTreeMap<String, Vec<u8>>,
) -> Result<Entry, Error> {
    let text = |key: &str| extra.get(key).and_then(|v| std::str::from_utf8(v).ok());
    let size = match text("size") {
        Some(size) => size
            .parse()
            .map_err(|_| Error::Invalid(format!("size {size:?}")))?,
        None => size,
    };
    let name = extra.get("path").cloned();
    let link = extra.get("linkpath").cloned();
    // Whole seconds are enough for files that were just packed.
    let extended = text("mtime").and_then(|t| t.split('.').next()?.parse().ok());
    let has_body = matches!(
        kind,
        EntryType::Regular | EntryType::Continuous | EntryType::GNUSparse
    );
    // A name that ends in a slash made a folder in the oldest form.
    let name = name.unwrap_or_else(|| header.path_bytes().into_owned());
    let kind = if kind == EntryType::Regular && name.ends_with(b"/") {
        EntryType::Directory
    } else {
        kind
    };
    // Links carry their target's size in some archives, but never a body.
    let bodiless = matches!(kind, EntryType::Link | EntryType::Symlink) && !has_body;
    Ok(Entry {
        kind,
        name,
        link: link
            .or_else(|| header.link_name_bytes().map(|l| l.into_owned()))
            .unwrap_or_default(),
        size: if bodiless { 0 } else { size },
        mode: number(header.mode().map(u64::from))? as u32,
        modified: extended.or_else(|| header.mtime().ok()),
    })
}

/// The `<length> <key>=<value>\n` records of an extension header.
fn records(mut body: &[u8]) -> Result<BTreeMap<String, Vec<u8>>, Error> {
    let broken = || Error::Invalid("an extension header is malformed".to_owned());
    let mut found = BTreeMap::new();
    while !body.is_empty() {
        let space = body.iter().position(|b| *b == b' ').ok_or_else(broken)?;
        let digits = std::str::from_utf8(&body[..space]).map_err(|_| broken())?;
        let length: usize = digits.parse().map_err(|_| broken())?;
        if length <= space + 1 || length > body.len() {
            return Err(broken());
        }
        let record = &body[space + 1..length];
        let record = record.strip_suffix(b"\n").ok_or_else(broken)?;
        let equals = record.iter().position(|b| *b == b'=').ok_or_else(broken)?;
        let key = String::from_utf8(record[..equals].to_vec()).map_err(|_| broken())?;
        found.insert(key, record[equals + 1..].to_vec());
        body = &body[length..];
    }
    Ok(found)
}

fn set_modified(file: &File, seconds: Option<u64>, name: &Path) -> Result<(), Error> {
    let time = seconds.and_then(|s| UNIX_EPOCH.checked_add(Duration::from_secs(s)));
    match time.map(|t| file.set_modified(t)) {
        // A time that the file system cannot hold is no reason to lose the file.
        Some(Err(error)) if error.kind() != io::ErrorKind::InvalidInput => {
            Err(Error::io("set the time of", name, error))
        }
        _ => Ok(()),
    }
}

fn until_zero(mut text: Vec<u8>) -> Vec<u8> {
    if let Some(end) = text.iter().position(|b| *b == 0) {
        text.truncate(end);
    }
    text
}

fn number(field: io::Result<u64>) -> Result<u64, Error> {
    field.map_err(|e| Error::Invalid(e.to_string()))
}

fn padded(size: u64) -> u64 {
    size.div_ceil(BLOCK as u64).saturating_mul(BLOCK as u64)
}

fn cut_off() -> Error {
    Error::Invalid("it ends too early".to_owned())
}
