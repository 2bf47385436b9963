//! Reads logs back, as `kubectl logs` shows them.

use std::collections::VecDeque;
use std::fs::File;
use std::io::{self, BufRead, BufReader};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::sync::Arc;

use bytes::Bytes;
use futures::Stream;
use jiff::Timestamp;
use tokio::sync::mpsc;

use super::changes::Changes;
use super::{Log, LogOptions};
use crate::container::output::older;

/// The bytes of a log.
pub type LogStream = Pin<Box<dyn Stream<Item = io::Result<Bytes>> + Send>>;

/// Chunks waiting for a slow reader; each is at most a block of lines. The container never waits, only this reader.
const CHUNKS_WAITING: usize = 16;
/// Lines are collected to chunks of about this size.
const CHUNK_BYTES: usize = 64 * 1024;

/// Streams a log file; `live` is its writer, if the container still runs.
pub(crate) fn read(path: PathBuf, live: Option<Arc<Log>>, options: LogOptions) -> LogStream {
    let (chunks, receiver) = mpsc::channel(CHUNKS_WAITING);
    tokio::spawn(async move {
        let mut reader = Reader {
            chunks,
            left: options.limit_bytes,
            line_open: false,
            full_kept: 0,
            options,
        };
        if let Err(error) = reader.run(&path, live).await {
            let _ = reader.chunks.send(Err(error)).await;
        }
    });
    Box::pin(futures::stream::unfold(receiver, |mut receiver| async {
        Some((receiver.recv().await?, receiver))
    }))
}

struct Reader {
    chunks: mpsc::Sender<io::Result<Bytes>>,
    options: LogOptions,
    left: Option<u64>,
    /// The last piece sent did not end its line.
    line_open: bool,
    /// Whole lines among those kept for the tail.
    full_kept: u64,
}

impl Reader {
    async fn run(&mut self, path: &Path, live: Option<Arc<Log>>) -> io::Result<()> {
        // Before the first read: what is written after it must be noticed.
        let live = live.filter(|_| self.options.follow);
        let mut changes = live.is_some().then(|| Changes::below(path));
        let mut files = all(path)?;
        let mut earlier = VecDeque::new();
        for file in &mut files {
            self.collect(file, &mut earlier).await?;
        }
        if self.options.tail_lines.take().is_some() {
            let mut chunk = Vec::new();
            for line in earlier {
                self.render(&line, &mut chunk);
            }
            self.send(chunk).await?;
        }
        match (files.pop(), live, &mut changes) {
            (Some(file), Some(live), Some(changes)) => self.follow(file, path, &live, changes).await,
            _ => Ok(()),
        }
    }

    async fn follow(
        &mut self,
        mut file: Lines,
        path: &Path,
        live: &Log,
        changes: &mut Changes,
    ) -> io::Result<()> {
        let mut end = live.ended();
        let mut ignored = VecDeque::new();
        loop {
            let ended = end.has_changed().is_err();
            self.collect(&mut file, &mut ignored).await?;
            if let Some(next) = next_after(&file, path)? {
                // What was written between the last read and the rotation is still in the old file.
                self.collect(&mut file, &mut ignored).await?;
                file = next;
                continue;
            }
            if ended || self.left == Some(0) {
                return Ok(());
            }
            tokio::select! {
                () = changes.next() => {}
                _ = end.changed() => {}
                () = self.chunks.closed() => return Ok(()),
            }
        }
    }

    /// Reads whole lines up to the end of the file: sent at once, or kept when only the last ones are wanted.
    async fn collect(&mut self, file: &mut Lines, kept: &mut VecDeque<Vec<u8>>) -> io::Result<()> {
        let mut chunk = Vec::new();
        while let Some(line) = file.next()? {
            match self.options.tail_lines {
                Some(limit) => {
                    self.full_kept += u64::from(is_full(&line));
                    kept.push_back(line);
                    while self.full_kept > limit {
                        let dropped = kept.pop_front();
                        self.full_kept -= u64::from(dropped.is_some_and(|line| is_full(&line)));
                    }
                }
                None => self.render(&line, &mut chunk),
            }
            if chunk.len() >= CHUNK_BYTES {
                self.send(std::mem::take(&mut chunk)).await?;
            }
        }
        self.send(chunk).await
    }

    fn render(&mut self, line: &[u8], into: &mut Vec<u8>) {
        let mut parts = line.splitn(4, |b| *b == b' ');
        let (Some(time), Some(_), Some(tag), Some(text)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return;
        };
        if let Some(since) = self.options.since {
            let written: Option<Timestamp> = std::str::from_utf8(time).ok().and_then(|t| t.parse().ok());
            if written.is_none_or(|written| written < since) {
                return;
            }
        }
        if self.options.timestamps && !self.line_open {
            into.extend_from_slice(time);
            into.push(b' ');
        }
        into.extend_from_slice(text);
        self.line_open = tag != b"F";
        if !self.line_open {
            into.push(b'\n');
        }
    }

    async fn send(&mut self, mut chunk: Vec<u8>) -> io::Result<()> {
        if let Some(left) = &mut self.left {
            chunk.truncate(usize::try_from(*left).unwrap_or(usize::MAX));
            *left -= chunk.len() as u64;
        }
        if !chunk.is_empty() && self.chunks.send(Ok(chunk.into())).await.is_err() {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        Ok(())
    }
}

/// The end of a log: at most so many lines and bytes.
pub(crate) fn last_lines(path: &Path, lines: usize, bytes: usize) -> Vec<u8> {
    let mut kept: VecDeque<Vec<u8>> = VecDeque::new();
    for mut file in all(path).unwrap_or_default() {
        while let Ok(Some(line)) = file.next() {
            let Some(text) = line.splitn(4, |b| *b == b' ').nth(3) else {
                continue;
            };
            kept.push_back(text.to_vec());
            if kept.len() > lines {
                kept.pop_front();
            }
        }
    }
    let mut text = kept
        .into_iter()
        .flat_map(|line| line.into_iter().chain([b'\n']))
        .collect::<Vec<u8>>();
    text.drain(..text.len().saturating_sub(bytes));
    text
}

fn is_full(line: &[u8]) -> bool {
    line.splitn(4, |b| *b == b' ').nth(2) == Some(b"F")
}

/// Lines of a growing file; an unfinished last line stays for the next call.
struct Lines {
    file: BufReader<File>,
    begun: Vec<u8>,
}

impl Lines {
    fn inode(&self) -> io::Result<u64> {
        Ok(self.file.get_ref().metadata()?.ino())
    }

    fn next(&mut self) -> io::Result<Option<Vec<u8>>> {
        self.file.read_until(b'\n', &mut self.begun)?;
        if self.begun.last() != Some(&b'\n') {
            return Ok(None);
        }
        let mut line = std::mem::take(&mut self.begun);
        line.pop();
        Ok(Some(line))
    }
}

fn open(path: &Path) -> io::Result<Option<Lines>> {
    match File::open(path) {
        Ok(file) => Ok(Some(Lines {
            file: BufReader::new(file),
            begun: Vec::new(),
        })),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// The files of a log, the oldest first.
fn all(path: &Path) -> io::Result<Vec<Lines>> {
    // The newest is opened first: a rotation meanwhile shows a file twice, but hides none.
    let mut files: Vec<Lines> = open(path)?.into_iter().collect();
    let mut seen = files.iter().map(Lines::inode).collect::<io::Result<Vec<u64>>>()?;
    for age in 1.. {
        let Some(file) = open(&older(path, age))? else {
            break;
        };
        let inode = file.inode()?;
        if !seen.contains(&inode) {
            seen.push(inode);
            files.push(file);
        }
    }
    files.reverse();
    Ok(files)
}

/// The file that was begun when `file` was put aside; `None` while it is the newest.
fn next_after(file: &Lines, path: &Path) -> io::Result<Option<Lines>> {
    let ours = file.inode()?;
    let mut newer = None;
    for age in 0.. {
        let name = if age == 0 {
            path.to_path_buf()
        } else {
            older(path, age)
        };
        let Some(candidate) = open(&name)? else { break };
        if candidate.inode()? == ours {
            return Ok(newer);
        }
        newer = Some(candidate);
    }
    // It was rotated away altogether: the oldest that is left comes next. Without any file the log is being deleted.
    Ok(newer)
}
