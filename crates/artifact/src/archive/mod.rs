//! Packing and unpacking of artifacts: gzip'd tar and zip (section 8 of the executor's rules).
//! Everything but `packed` is synchronous; nothing knows where the bytes come from or go.

mod packed;
pub mod tar;
mod tree;
pub mod untar;
pub mod zip;

use std::fs::File;
use std::io::{self, Read, Seek as _};
use std::path::{Path, PathBuf};

use flate2::read::MultiGzDecoder;

pub use packed::packed;

/// How hard gzip works.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Compression {
    /// The library's choice, between speed and size.
    Default,
    /// 0 stores, 1 is fastest, 9 is smallest.
    Level(u32),
}

impl Compression {
    /// The level of a template: -1 is the default, -2 (Huffman only) is the fastest there is.
    pub fn of_level(level: i32) -> Self {
        match level {
            -2 => Self::Level(1),
            0..=9 => Self::Level(level.unsigned_abs()),
            _ => Self::Default,
        }
    }

    fn flate2(self) -> flate2::Compression {
        match self {
            Self::Default => flate2::Compression::default(),
            Self::Level(level) => flate2::Compression::new(level.min(9)),
        }
    }
}

/// What was done differently from what the source would suggest, for the log.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Report {
    /// One sentence each; bounded, the last one then says that there were more.
    pub notes: Vec<String>,
}

/// So many notes are kept; a tree of a million sockets must not become a million lines.
const MOST_NOTES: usize = 100;

impl Report {
    fn note(&mut self, text: String) {
        match self.notes.len() {
            n if n < MOST_NOTES => self.notes.push(text),
            MOST_NOTES => self.notes.push("more of the same".to_owned()),
            _ => {}
        }
    }
}

/// Why an archive cannot be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// An entry that would lie outside the target (X-ARC-11).
    #[error("illegal file path: {0}")]
    IllegalPath(String),
    /// A link that would lead outside the target (X-ARC-13).
    #[error("illegal symlink target: {link} -> {target}")]
    IllegalLink {
        /// The link's own name in the archive.
        link: String,
        /// What it points to.
        target: String,
    },
    /// More bytes than the disk has room for, or than a header may have.
    #[error("archive is too large: {0}")]
    TooLarge(String),
    /// Not an archive of the kind that was asked for, or a broken one.
    #[error("invalid archive: {0}")]
    Invalid(String),
    /// Reading the archive or writing its content failed.
    #[error("{operation} {path}: {source}")]
    Io {
        /// What was being done.
        operation: &'static str,
        /// To which file.
        path: String,
        /// Why it failed.
        #[source]
        source: io::Error,
    },
}

impl Error {
    fn io(operation: &'static str, path: impl AsRef<Path>, source: io::Error) -> Self {
        Self::Io {
            operation,
            path: path.as_ref().display().to_string(),
            source,
        }
    }
}

/// Whether a file is a gzip whose payload begins with a tar header (X-INIT-17).
///
/// # Errors
/// The file cannot be read.
pub fn is_tar_gz(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let mut magic = [0_u8; 2];
    if read_up_to(&mut file, &mut magic)? < 2 || magic != [0x1f, 0x8b] {
        return Ok(false);
    }
    file.rewind()?;
    let mut block = [0_u8; 512];
    match read_up_to(&mut MultiGzDecoder::new(file), &mut block) {
        Ok(512) => Ok(untar::is_header(&block)),
        // Broken or short: then it is no archive, and is kept as it is.
        Ok(_) | Err(_) => Ok(false),
    }
}

/// Unpacks a gzip'd tar so that its one top-level entry, or all of them, are at `target`
/// (X-ARC-10).
///
/// # Errors
/// See [`Error`]; what was unpacked until then is removed.
pub fn unpack_tar_gz(archive: impl Read, target: &Path) -> Result<Report, Error> {
    let archive = MultiGzDecoder::new(archive);
    into_place(target, |folder| untar::unpack(archive, folder))
}

/// Unpacks a zip by the same rule as [`unpack_tar_gz`].
///
/// # Errors
/// See [`Error`]; what was unpacked until then is removed.
pub fn unpack_zip(archive: File, target: &Path) -> Result<Report, Error> {
    into_place(target, |folder| zip::unpack(archive, folder))
}

fn into_place(target: &Path, unpack: impl FnOnce(&Path) -> Result<Report, Error>) -> Result<Report, Error> {
    let folder = with_suffix(target, ".tmpdir");
    // Left behind by an attempt that was cut off.
    remove_all(&folder).map_err(|e| Error::io("remove", &folder, e))?;
    std::fs::create_dir(&folder).map_err(|e| Error::io("create", &folder, e))?;
    let result = unpack(&folder).and_then(|report| {
        move_up(&folder, target)?;
        Ok(report)
    });
    if result.is_err() {
        // The first error is the one to report.
        let _ = remove_all(&folder);
    }
    result
}

fn move_up(folder: &Path, target: &Path) -> Result<(), Error> {
    let read = |folder: &Path| -> io::Result<Vec<PathBuf>> {
        std::fs::read_dir(folder)?
            .take(2)
            .map(|entry| Ok(entry?.path()))
            .collect()
    };
    let entries = read(folder).map_err(|e| Error::io("read", folder, e))?;
    let rename = |from: &Path| std::fs::rename(from, target).map_err(|e| Error::io("rename to", target, e));
    match entries.as_slice() {
        [only] => {
            rename(only)?;
            std::fs::remove_dir(folder).map_err(|e| Error::io("remove", folder, e))
        }
        _ => rename(folder),
    }
}

/// Removes a file or a tree; nothing there is fine.
pub fn remove_all(path: &Path) -> io::Result<()> {
    let removed = match path.symlink_metadata() {
        Ok(found) if found.is_dir() => std::fs::remove_dir_all(path),
        Ok(_) => std::fs::remove_file(path),
        Err(error) => Err(error),
    };
    match removed {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        other => other,
    }
}

/// A path with something appended to its last component.
pub fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    PathBuf::from(name)
}

fn read_up_to(from: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < buffer.len() {
        match from.read(&mut buffer[filled..]) {
            Ok(0) => break,
            Ok(read) => filled += read,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(filled)
}
