//! Uploads in parts: each part is a file aside, and completing puts them together in order.
//! What was never completed goes when the server starts again.

use std::collections::BTreeMap;
use std::fs::File;
use std::io;
use std::path::PathBuf;

use bytes::Bytes;
use http::request::Parts;
use hyper::body::Body;

use super::folder::{Folder, write_aside};
use super::reply::Refusal;

/// Parts of one upload, as the protocol says.
const MOST_PARTS: u32 = 10_000;

impl Folder {
    /// Begins an upload; gives its id.
    pub fn begin_parts(&self, bucket: &str, key: &str) -> Result<String, Refusal> {
        self.path(bucket, key)?;
        let folder = self.aside("parts");
        std::fs::create_dir(&folder).map_err(|e| Refusal::disk(&e))?;
        let name = folder.file_name().unwrap_or_default();
        Ok(name.to_string_lossy().into_owned())
    }

    /// Takes one part; gives its tag.
    pub async fn put_part<B>(
        &self,
        upload: &str,
        query: &BTreeMap<String, String>,
        head: &Parts,
        body: B,
    ) -> Result<String, Refusal>
    where
        B: Body<Data = Bytes> + Unpin,
        B::Error: std::fmt::Display,
    {
        let folder = self.upload(upload)?;
        let number = number_of(query.get("partNumber").map_or("", String::as_str))?;
        let half = self.aside("part");
        let written = write_aside(&half, head, body).await;
        let placed = written.and_then(|tag| {
            std::fs::rename(&half, folder.join(number.to_string())).map_err(|e| Refusal::disk(&e))?;
            Ok(tag)
        });
        if placed.is_err() {
            // The first error is the one to report.
            let _ = std::fs::remove_file(&half);
        }
        placed
    }

    /// Puts the named parts together and into their place; gives the object's tag.
    pub async fn complete_parts(
        &self,
        bucket: &str,
        key: &str,
        upload: &str,
        numbers: &[String],
    ) -> Result<String, Refusal> {
        let target = self.path(bucket, key)?;
        let folder = self.upload(upload)?;
        let mut parts = Vec::new();
        for number in numbers {
            let path = folder.join(number_of(number)?.to_string());
            if !path.is_file() {
                return Err(Refusal::bad("InvalidPart", "a part was never sent"));
            }
            parts.push(path);
        }
        if parts.is_empty() {
            return Err(Refusal::bad("MalformedXML", "the list of parts is empty"));
        }
        let joined = tokio::task::spawn_blocking(move || join(&parts)).await;
        let whole = joined
            .map_err(io::Error::other)
            .and_then(|j| j)
            .map_err(|e| Refusal::disk(&e))?;
        let tag = self.place(&whole, &target)?;
        self.abort_parts(upload)?;
        Ok(tag)
    }

    /// Forgets an upload.
    pub fn abort_parts(&self, upload: &str) -> Result<(), Refusal> {
        std::fs::remove_dir_all(self.upload(upload)?).map_err(|e| Refusal::disk(&e))
    }

    fn upload(&self, upload: &str) -> Result<PathBuf, Refusal> {
        let known = self
            .aside_named(upload)
            .filter(|path| upload.starts_with("parts-") && path.is_dir());
        known.ok_or_else(|| Refusal::missing("NoSuchUpload", "the upload does not exist"))
    }
}

/// Appends all parts to the first one, which becomes the object.
fn join(parts: &[PathBuf]) -> io::Result<PathBuf> {
    let (first, rest) = parts.split_first().ok_or(io::ErrorKind::InvalidInput)?;
    // Not in append mode, in which the kernel would not copy between files by itself.
    let mut whole = File::options().write(true).open(first)?;
    io::Seek::seek(&mut whole, io::SeekFrom::End(0))?;
    for part in rest {
        io::copy(&mut File::open(part)?, &mut whole)?;
        // Frees the room that the next one needs.
        std::fs::remove_file(part)?;
    }
    Ok(first.clone())
}

fn number_of(text: &str) -> Result<u32, Refusal> {
    let number = text.trim().parse().ok().filter(|n| (1..=MOST_PARTS).contains(n));
    number.ok_or_else(|| Refusal::bad("InvalidArgument", "a part's number must be between 1 and 10000"))
}
