//! Takes what a container prints and writes it to its log file.

use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::sync::watch;

/// Longest line in one piece, as the kubelet's runtimes cut it.
const PIECE_BYTES: usize = 16 * 1024;

/// The log of one attempt of a container.
#[derive(Debug)]
pub(crate) struct Log {
    path: PathBuf,
    limit_bytes: u64,
    file: Mutex<Current>,
    /// Wakes followers: the bytes written so far. Closed when the container has ended.
    written: Mutex<Option<watch::Sender<u64>>>,
    progress: watch::Receiver<u64>,
}

#[derive(Debug)]
struct Current {
    file: File,
    bytes: u64,
    /// Bytes in files already put aside or deleted.
    total: u64,
}

impl Log {
    /// Makes the file.
    pub(crate) fn create(path: &Path, limit_bytes: u64) -> io::Result<Arc<Log>> {
        if let Some(folder) = path.parent() {
            std::fs::create_dir_all(folder)?;
        }
        let file = OpenOptions::new().create(true).append(true).open(path)?;
        let (written, progress) = watch::channel(0);
        let current = Current {
            file,
            bytes: 0,
            total: 0,
        };
        Ok(Arc::new(Log {
            path: path.to_path_buf(),
            limit_bytes,
            file: Mutex::new(current),
            written: Mutex::new(Some(written)),
            progress,
        }))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Tells followers that nothing more comes.
    pub(crate) fn close(&self) {
        self.written.lock().unwrap_or_else(PoisonError::into_inner).take();
    }

    /// A receiver that changes with every write and closes at the end.
    pub(crate) fn progress(&self) -> watch::Receiver<u64> {
        self.progress.clone()
    }

    fn append(&self, entries: &[u8]) -> io::Result<()> {
        let total = {
            let mut current = self.file.lock().unwrap_or_else(PoisonError::into_inner);
            if current.bytes > 0 && current.bytes + entries.len() as u64 > self.limit_bytes {
                std::fs::rename(&self.path, older(&self.path))?;
                current.file = OpenOptions::new().create(true).append(true).open(&self.path)?;
                current.bytes = 0;
            }
            current.file.write_all(entries)?;
            current.bytes += entries.len() as u64;
            current.total += entries.len() as u64;
            current.total
        };
        if let Some(written) = &*self.written.lock().unwrap_or_else(PoisonError::into_inner) {
            written.send_replace(total);
        }
        Ok(())
    }
}

/// Where a full log file is put aside.
pub(super) fn older(path: &Path) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".1");
    PathBuf::from(name)
}

/// Copies a container's output into its log until all writers have closed it.
///
/// Writes go straight to the page cache from this task; when the disk is full, output is dropped rather than the
/// container blocked, and `false` is returned.
pub(crate) async fn pump(mut output: pipe::Receiver, stream: &'static str, log: Arc<Log>) -> bool {
    let mut held: Vec<u8> = Vec::new();
    let mut chunk = vec![0u8; 64 * 1024];
    let mut kept_all = true;
    loop {
        let read = match output.read(&mut chunk).await {
            Ok(0) | Err(_) => break,
            Ok(read) => read,
        };
        held.extend_from_slice(&chunk[..read]);
        let mut entries = Vec::with_capacity(read + 64);
        let mut rest = held.as_slice();
        let time = now();
        while let Some((piece, full, after)) = split(rest) {
            entry(&mut entries, &time, stream, piece, full);
            rest = after;
        }
        held = rest.to_vec();
        kept_all &= log.append(&entries).is_ok();
    }
    if !held.is_empty() {
        let mut last = Vec::new();
        entry(&mut last, &now(), stream, &held, false);
        kept_all &= log.append(&last).is_ok();
    }
    kept_all
}

/// Cuts the next entry off: a whole line, or a piece of one that is too long.
fn split(bytes: &[u8]) -> Option<(&[u8], bool, &[u8])> {
    match bytes.iter().take(PIECE_BYTES).position(|b| *b == b'\n') {
        Some(end) => Some((&bytes[..end], true, &bytes[end + 1..])),
        None if bytes.len() >= PIECE_BYTES => Some((&bytes[..PIECE_BYTES], false, &bytes[PIECE_BYTES..])),
        None => None,
    }
}

fn entry(into: &mut Vec<u8>, time: &str, stream: &str, piece: &[u8], full: bool) {
    into.extend_from_slice(time.as_bytes());
    into.extend_from_slice(b" ");
    into.extend_from_slice(stream.as_bytes());
    into.extend_from_slice(if full { b" F " } else { b" P " });
    into.extend_from_slice(piece);
    into.push(b'\n');
}

fn now() -> String {
    format!("{:.9}", Timestamp::now())
}
