//! Objects as files: `root/bucket/key`. A key's parts become names of folders and files as they
//! are, except those that no file can have, which are written with percent signs. An object is
//! written beside its place and then renamed, so that it is never there half.

use std::collections::BTreeMap;
use std::io::{self, SeekFrom};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};

use bytes::Bytes;
use http::request::Parts;
use hyper::body::Body;
use tokio::fs::File;
use tokio::io::{AsyncSeekExt as _, AsyncWriteExt as _};

use super::body::Content;
use super::reply::{Listed, Listing, Object, Refusal};

/// Name of the folder for what is not yet an object. No bucket can be called so.
const ASIDE: &str = ".argosy";

/// Longest name that file systems take, in bytes.
const LONGEST_NAME: usize = 255;

/// Keys that one answer lists at most, as the protocol says.
const MOST_LISTED: usize = 1000;

/// The folder of a store.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    next: AtomicU64,
}

impl Folder {
    pub fn open(root: &Path) -> io::Result<Self> {
        let aside = root.join(ASIDE);
        // Left behind by a process that was killed.
        crate::archive::remove_all(&aside)?;
        std::fs::create_dir_all(&aside)?;
        Ok(Self {
            root: root.to_owned(),
            next: AtomicU64::new(0),
        })
    }

    /// A new path for something that is not yet an object.
    pub fn aside(&self, kind: &str) -> PathBuf {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.root
            .join(ASIDE)
            .join(format!("{kind}-{}-{number}", std::process::id()))
    }

    /// A path aside by its last name, if it is one that [`Self::aside`] gave.
    pub fn aside_named(&self, name: &str) -> Option<PathBuf> {
        let is_plain = name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        is_plain.then(|| self.root.join(ASIDE).join(name))
    }

    pub fn bucket(&self, bucket: &str) -> Result<PathBuf, Refusal> {
        let path = self.bucket_path(bucket)?;
        if path.is_dir() {
            Ok(path)
        } else {
            Err(Refusal::missing("NoSuchBucket", "the bucket does not exist"))
        }
    }

    pub fn make_bucket(&self, bucket: &str) -> Result<(), Refusal> {
        std::fs::create_dir_all(self.bucket_path(bucket)?).map_err(|e| Refusal::disk(&e))
    }

    fn bucket_path(&self, bucket: &str) -> Result<PathBuf, Refusal> {
        let is_name = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'_');
        if !(1..=63).contains(&bucket.len()) || bucket.starts_with('.') || !bucket.bytes().all(is_name) {
            return Err(Refusal::bad(
                "InvalidBucketName",
                "the bucket's name is not valid",
            ));
        }
        Ok(self.root.join(bucket))
    }

    /// The file of an object.
    pub fn path(&self, bucket: &str, key: &str) -> Result<PathBuf, Refusal> {
        let mut path = self.bucket(bucket)?;
        for part in key.split('/') {
            let name = name_of(part);
            if name.len() > LONGEST_NAME {
                return Err(Refusal::bad(
                    "KeyTooLongError",
                    "a part of the key is longer than a file name may be",
                ));
            }
            path.push(name);
        }
        Ok(path)
    }

    pub async fn put<B>(&self, bucket: &str, key: &str, head: &Parts, body: B) -> Result<String, Refusal>
    where
        B: Body<Data = Bytes> + Unpin,
        B::Error: std::fmt::Display,
    {
        let target = self.path(bucket, key)?;
        let half = self.aside("put");
        let written = write(&half, head, body).await;
        let placed = written.and_then(|()| self.place(&half, &target));
        if placed.is_err() {
            // The first error is the one to report.
            let _ = std::fs::remove_file(&half);
        }
        placed
    }

    /// Moves a finished file to its place; gives its tag.
    pub fn place(&self, half: &Path, target: &Path) -> Result<String, Refusal> {
        let conflict = |e: io::Error| match e.kind() {
            io::ErrorKind::NotADirectory | io::ErrorKind::AlreadyExists | io::ErrorKind::IsADirectory => {
                Refusal::conflict(
                    "an object whose key is a part of this key, or begins with it, is in the way",
                )
            }
            _ => Refusal::disk(&e),
        };
        // A deletion may take an emptied folder away between the two steps.
        for _ in 0..8 {
            if let Some(parent) = target.parent() {
                std::fs::create_dir_all(parent).map_err(conflict)?;
            }
            match std::fs::rename(half, target) {
                Ok(()) => break,
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(conflict(error)),
            }
        }
        tag_of(&std::fs::metadata(target).map_err(|e| Refusal::disk(&e))?)
    }

    pub async fn get(&self, bucket: &str, key: &str, range: Option<&str>) -> Result<Object, Refusal> {
        let path = self.path(bucket, key)?;
        let missing = || Refusal::missing("NoSuchKey", "The specified key does not exist.");
        let mut file = match File::open(&path).await {
            Ok(file) => file,
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
                return Err(missing());
            }
            Err(error) => return Err(Refusal::disk(&error)),
        };
        let metadata = file.metadata().await.map_err(|e| Refusal::disk(&e))?;
        if !metadata.is_file() {
            return Err(missing());
        }
        let size = metadata.len();
        let (start, end) = range.map_or(Ok((0, size)), |r| range_of(r, size))?;
        if start > 0 {
            file.seek(SeekFrom::Start(start))
                .await
                .map_err(|e| Refusal::disk(&e))?;
        }
        let tag = tag_of(&metadata)?;
        let part = range.map(|_| (start, end));
        Ok(Object {
            file,
            size,
            part,
            tag,
            modified: metadata.modified().ok(),
            key: key.to_owned(),
        })
    }

    /// Removes an object, and folders that are empty afterwards. One that is not there is fine.
    pub fn delete(&self, bucket: &str, key: &str) -> Result<(), Refusal> {
        let root = self.bucket(bucket)?;
        let path = self.path(bucket, key)?;
        match std::fs::remove_file(&path) {
            Ok(()) => {}
            Err(e)
                if matches!(
                    e.kind(),
                    io::ErrorKind::NotFound | io::ErrorKind::NotADirectory | io::ErrorKind::IsADirectory
                ) => {}
            Err(error) => return Err(Refusal::disk(&error)),
        }
        let mut folder = path.parent();
        while let Some(empty) = folder.filter(|f| **f != *root && f.starts_with(&root)) {
            if std::fs::remove_dir(empty).is_err() {
                break;
            }
            folder = empty.parent();
        }
        Ok(())
    }

    pub fn list_buckets(&self) -> Result<String, Refusal> {
        let entries = std::fs::read_dir(&self.root).map_err(|e| Refusal::disk(&e))?;
        let mut names: Vec<String> = entries
            .filter_map(Result::ok)
            .map(|e| e.file_name().to_string_lossy().into_owned())
            .filter(|name| self.bucket(name).is_ok())
            .collect();
        names.sort();
        Ok(super::reply::buckets(&names))
    }

    pub fn list(&self, bucket: &str, query: &BTreeMap<String, String>) -> Result<String, Refusal> {
        let root = self.bucket(bucket)?;
        let value = |name: &str| query.get(name).map(String::as_str).unwrap_or_default();
        let (prefix, delimiter) = (value("prefix"), value("delimiter"));
        let after = [value("continuation-token"), value("start-after"), value("marker")];
        let after = after.into_iter().max().unwrap_or_default();
        let limit = value("max-keys").parse().unwrap_or(MOST_LISTED).min(MOST_LISTED);
        let mut keys = keys_below(&root, prefix).map_err(|e| Refusal::disk(&e))?;
        keys.sort_by(|a, b| a.key.cmp(&b.key));
        let mut listing = Listing {
            bucket,
            prefix,
            delimiter,
            ..Listing::default()
        };
        for listed in keys {
            if !listed.key.starts_with(prefix) || listed.key.as_str() <= after {
                continue;
            }
            let rest = &listed.key[prefix.len()..];
            let cut = if delimiter.is_empty() {
                None
            } else {
                rest.find(delimiter)
            };
            let common = cut.map(|at| format!("{prefix}{}{delimiter}", &rest[..at]));
            if common
                .as_ref()
                .is_some_and(|c| listing.common.last() == Some(c) || c.as_str() <= after)
            {
                continue;
            }
            if listing.objects.len() + listing.common.len() >= limit {
                listing.next = listing.last.take();
                break;
            }
            match common {
                Some(common) => {
                    // Everything below the common part comes before this text.
                    listing.last = Some(format!("{common}\u{10ffff}"));
                    listing.common.push(common);
                }
                None => {
                    listing.last = Some(listed.key.clone());
                    listing.objects.push(listed);
                }
            }
        }
        Ok(listing.xml())
    }
}

async fn write<B>(path: &Path, head: &Parts, body: B) -> Result<(), Refusal>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    let disk = |e: io::Error| Refusal::disk(&e);
    let mut content = Content::new(body, head);
    let file = File::create(path).await.map_err(disk)?;
    // Each write is a hop to another thread, so that small ones are put together.
    let mut file = tokio::io::BufWriter::with_capacity(512 * 1024, file);
    while let Some(bytes) = content.next().await? {
        file.write_all(&bytes).await.map_err(disk)?;
    }
    file.flush().await.map_err(disk)
}

/// Writes a body to a file aside.
pub async fn write_aside<B>(path: &Path, head: &Parts, body: B) -> Result<String, Refusal>
where
    B: Body<Data = Bytes> + Unpin,
    B::Error: std::fmt::Display,
{
    write(path, head, body).await?;
    tag_of(&std::fs::metadata(path).map_err(|e| Refusal::disk(&e))?)
}

/// Changes when the content does: size and time of the last change.
fn tag_of(metadata: &std::fs::Metadata) -> Result<String, Refusal> {
    let nanos = i128::from(metadata.mtime()) * 1_000_000_000 + i128::from(metadata.mtime_nsec());
    Ok(format!("\"{:x}-{:x}\"", metadata.len(), nanos))
}

/// All objects of a bucket that may begin with a prefix.
fn keys_below(root: &Path, prefix: &str) -> io::Result<Vec<Listed>> {
    // Only the folder that the prefix leads into can hold them.
    let folders = prefix.rsplit_once('/').map_or("", |(folders, _)| folders);
    let mut start = root.to_owned();
    if !folders.is_empty() {
        start.extend(folders.split('/').map(name_of));
    }
    let mut found = Vec::new();
    let mut left = vec![start];
    while let Some(folder) = left.pop() {
        let entries = match std::fs::read_dir(&folder) {
            Ok(entries) => entries,
            Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => continue,
            Err(error) => return Err(error),
        };
        for entry in entries {
            let entry = entry?;
            let kind = entry.file_type()?;
            if kind.is_dir() {
                left.push(entry.path());
            } else if kind.is_file()
                && let (Some(key), Ok(metadata)) = (key_of(root, &entry.path()), entry.metadata())
            {
                found.push(Listed {
                    key,
                    size: metadata.len(),
                    modified: metadata.modified().ok(),
                });
            }
        }
    }
    Ok(found)
}

fn key_of(root: &Path, path: &Path) -> Option<String> {
    let parts = path
        .strip_prefix(root)
        .ok()?
        .iter()
        .map(|part| Some(part_of(part.to_str()?)));
    Some(parts.collect::<Option<Vec<_>>>()?.join("/"))
}

/// A part of a key as a file's name. Empty parts and those of dots only would mean something to
/// the file system, and a percent sign must stay recognisable.
fn name_of(part: &str) -> String {
    if part.is_empty() {
        return "%".to_owned();
    }
    let is_dots = matches!(part, "." | "..");
    let mut name = String::with_capacity(part.len());
    for c in part.chars() {
        match c {
            '%' => name.push_str("%25"),
            '\0' => name.push_str("%00"),
            '.' if is_dots => name.push_str("%2E"),
            c => name.push(c),
        }
    }
    name
}

fn part_of(name: &str) -> String {
    if name == "%" {
        return String::new();
    }
    name.replace("%2E", ".").replace("%00", "\0").replace("%25", "%")
}

/// `bytes=a-b`, `bytes=a-` or `bytes=-n` as start and end (exclusive).
fn range_of(text: &str, size: u64) -> Result<(u64, u64), Refusal> {
    let wrong = || Refusal::range();
    let (start, end) = text
        .strip_prefix("bytes=")
        .and_then(|r| r.split_once('-'))
        .ok_or_else(wrong)?;
    let number = |text: &str| text.trim().parse::<u64>().map_err(|_| wrong());
    let (start, end) = match (start.trim(), end.trim()) {
        ("", last) => (size.saturating_sub(number(last)?), size),
        (start, "") => (number(start)?, size),
        (start, end) => (number(start)?, number(end)?.saturating_add(1).min(size)),
    };
    if start >= end {
        Err(wrong())
    } else {
        Ok((start, end))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_files_stay_below_the_bucket() {
        for part in [
            "a", "..", ".", "", "...", "a%2Eb", "%", "..%", ".hidden", "ü", "a b",
        ] {
            let name = name_of(part);
            assert!(
                !matches!(&*name, "" | "." | "..") && !name.contains('/'),
                "{part:?} {name:?}"
            );
            assert_eq!(part_of(&name), part);
        }
    }

    #[test]
    fn ranges() {
        for (text, want) in [
            ("bytes=0-0", Some((0, 1))),
            ("bytes=2-", Some((2, 10))),
            ("bytes=-3", Some((7, 10))),
            ("bytes=5-100", Some((5, 10))),
            ("bytes=10-", None),
            ("bytes=3-2", None),
            ("lines=1-2", None),
        ] {
            assert_eq!(range_of(text, 10).ok(), want, "{text}");
        }
    }
}
