//! Writing and reading of zip (rules X-ARC-20 to X-ARC-23). Folders are not stored, so that
//! empty ones are lost, as they are with the peer.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::path::Path;

use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipArchive, ZipWriter};

use super::tree::{Tree, clean};
use super::{Error, Report};

/// Packs a file, under its base name, or a folder, under the folder's.
///
/// # Errors
/// The source is missing or cannot be read, or the writer fails.
pub fn pack<W: Write + Seek>(source: &Path, to: W) -> io::Result<(W, Report)> {
    let metadata = std::fs::metadata(source)?;
    let base = source
        .file_name()
        .map_or("root".into(), |n| n.to_string_lossy().into_owned());
    let mut writer = ZipWriter::new(to);
    let mut report = Report::default();
    let mut left = vec![(base, source.to_owned(), metadata.is_dir())];
    while let Some((name, path, is_folder)) = left.pop() {
        if is_folder {
            left.extend(children(&name, &path)?);
            continue;
        }
        let options = SimpleFileOptions::default()
            .compression_method(CompressionMethod::Deflated)
            .unix_permissions(0o666)
            .large_file(std::fs::metadata(&path).is_ok_and(|m| m.len() >= u64::from(u32::MAX)));
        writer.start_file(&*name, options).map_err(io::Error::other)?;
        if std::fs::metadata(&path).is_ok_and(|m| m.is_file()) {
            io::copy(&mut File::open(&path)?, &mut writer)?;
        } else {
            report.note(format!("{} is no file and is stored empty", path.display()));
        }
    }
    Ok((writer.finish().map_err(io::Error::other)?, report))
}

type Child = (String, std::path::PathBuf, bool);

fn children(name: &str, folder: &Path) -> io::Result<Vec<Child>> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let entry = entry?;
        let child = format!("{name}/{}", entry.file_name().to_string_lossy());
        // A link to a folder is not followed: it could lead in a ring.
        found.push((child, entry.path(), entry.file_type()?.is_dir()));
    }
    found.sort_by(|a, b| b.0.cmp(&a.0));
    Ok(found)
}

/// Unpacks a zip into an existing, empty folder.
///
/// # Errors
/// See [`Error`]. What was unpacked until then stays.
pub fn unpack(archive: File, folder: &Path) -> Result<Report, Error> {
    let mut tree = Tree::open(folder)?;
    let mut room = tree.free_bytes();
    let invalid = |e: zip::result::ZipError| Error::Invalid(e.to_string());
    let mut archive = ZipArchive::new(io::BufReader::new(archive)).map_err(invalid)?;
    for index in 0..archive.len() {
        let mut entry = archive.by_index(index).map_err(invalid)?;
        let text = entry.name().map_err(invalid)?.into_owned();
        let Some(name) = clean(Path::new(&text)) else {
            return Err(Error::IllegalPath(text));
        };
        if name.as_os_str().is_empty() {
            continue;
        }
        // Only a slash separates; the library takes a backslash for one too.
        if text.ends_with('/') {
            tree.folder(&name)?;
            continue;
        }
        let file = tree.file(&name, entry.unix_mode().map_or(0o666, |m| m & 0o7777))?;
        // The size in the header is a claim; what counts is what comes out.
        let mut limited = Read::take(&mut entry, room.saturating_add(1));
        let written = io::copy(&mut limited, &mut &file).map_err(|e| Error::io("write", &name, e))?;
        room = room
            .checked_sub(written)
            .ok_or_else(|| Error::TooLarge(format!("no room on the disk for {text}")))?;
    }
    Ok(Report::default())
}
