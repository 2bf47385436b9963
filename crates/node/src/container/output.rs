//! Takes what containers print and writes it to their logs, in the format of the container runtime interface.
//!
//! It happens in the sandbox, so that nothing is lost while no node is there.

use std::cell::RefCell;
use std::fs::{File, OpenOptions};
use std::io::{self, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::rc::Rc;

use jiff::Timestamp;
use rustix::net::SendFlags;

use crate::runtime::LogFile;

/// Longest line in one piece, as the kubelet's runtimes cut it.
const PIECE_BYTES: usize = 16 * 1024;
/// Most bytes taken from one stream at a time, so that a chatty container does not keep others waiting.
const CHUNK_BYTES: usize = 64 * 1024;

/// Where a log's file is put that was full so many rotations ago.
pub(crate) fn older(path: &Path, age: u32) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(format!(".{age}"));
    PathBuf::from(name)
}

/// The log of one attempt.
#[derive(Debug)]
pub(super) struct Log {
    place: LogFile,
    file: File,
    bytes: u64,
    /// Something could not be written, and the log does not say so yet.
    lossy: bool,
}

impl Log {
    pub(super) fn open(place: LogFile) -> io::Result<Rc<RefCell<Log>>> {
        let file = OpenOptions::new().create(true).append(true).open(&place.path)?;
        let bytes = file.metadata()?.len();
        Ok(Rc::new(RefCell::new(Log {
            place,
            file,
            bytes,
            lossy: false,
        })))
    }

    /// Writes entries; when the disk is full they are dropped rather than the container blocked.
    fn append(&mut self, entries: &[u8]) {
        if self.lossy {
            let mut note = Vec::new();
            entry(
                &mut note,
                &now(),
                "stderr",
                b"(output was lost: the disk was full)",
                true,
            );
            if self.write(&note).is_err() {
                return;
            }
            self.lossy = false;
        }
        self.lossy = self.write(entries).is_err();
    }

    fn write(&mut self, entries: &[u8]) -> io::Result<()> {
        if self.bytes > 0 && self.bytes + entries.len() as u64 > self.place.limit_bytes {
            self.rotate()?;
        }
        if let Err(error) = self.file.write_all(entries) {
            // Half a line would spoil the next one.
            let _ = self.file.set_len(self.bytes);
            return Err(error);
        }
        self.bytes += entries.len() as u64;
        Ok(())
    }

    fn rotate(&mut self) -> io::Result<()> {
        let path = &self.place.path;
        for age in (1..self.place.older_files).rev() {
            match std::fs::rename(older(path, age), older(path, age + 1)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        match self.place.older_files {
            0 => std::fs::remove_file(path)?,
            _ => std::fs::rename(path, older(path, 1))?,
        }
        self.file = OpenOptions::new().create(true).append(true).open(path)?;
        self.bytes = 0;
        Ok(())
    }
}

/// One of a container's two streams.
#[derive(Debug)]
pub(super) struct Stream {
    pipe: OwnedFd,
    name: &'static str,
    /// The beginning of a line whose end has not come yet.
    held: Vec<u8>,
    log: Rc<RefCell<Log>>,
    /// Sockets that get the same as it comes.
    pub(super) listeners: Vec<OwnedFd>,
}

impl Stream {
    /// A stream and the end into which the container writes.
    pub(super) fn open(name: &'static str, log: &Rc<RefCell<Log>>) -> io::Result<(Stream, OwnedFd)> {
        let (pipe, write) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        Ok((Stream::of(name, pipe, log)?, write))
    }

    /// What a container prints that has a terminal.
    pub(super) fn of_terminal(terminal: OwnedFd, log: &Rc<RefCell<Log>>) -> io::Result<Stream> {
        Stream::of("stdout", terminal, log)
    }

    fn of(name: &'static str, pipe: OwnedFd, log: &Rc<RefCell<Log>>) -> io::Result<Stream> {
        rustix::io::ioctl_fionbio(&pipe, true)?;
        Ok(Stream {
            pipe,
            name,
            held: Vec::new(),
            log: Rc::clone(log),
            listeners: Vec::new(),
        })
    }

    /// 0 for standard output, 1 for standard error.
    pub(super) fn number(&self) -> usize {
        usize::from(self.name == "stderr")
    }

    pub(super) fn pipe(&self) -> BorrowedFd<'_> {
        self.pipe.as_fd()
    }

    /// Takes what is there; false at the end, when every writer has closed it.
    pub(super) fn take(&mut self) -> bool {
        let mut chunk = [0u8; CHUNK_BYTES];
        let read = match rustix::io::read(&self.pipe, &mut chunk) {
            Ok(0) => return false,
            Ok(read) => read,
            Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => return true,
            Err(_) => return false,
        };
        self.listeners.retain(|listener| tell(listener, &chunk[..read]));
        self.held.extend_from_slice(&chunk[..read]);
        let mut entries = Vec::with_capacity(read + 64);
        let mut rest = self.held.as_slice();
        let time = now();
        while let Some((piece, full, after)) = split(rest) {
            entry(&mut entries, &time, self.name, piece, full);
            rest = after;
        }
        self.held = rest.to_vec();
        if !entries.is_empty() {
            self.log.borrow_mut().append(&entries);
        }
        true
    }

    /// Writes down what has no end of line.
    pub(super) fn close(self) {
        if !self.held.is_empty() {
            let mut last = Vec::new();
            entry(&mut last, &now(), self.name, &self.held, false);
            self.log.borrow_mut().append(&last);
        }
    }
}

/// Sends to a listener what it can take at once: a container never waits for one. False when it is gone.
fn tell(listener: &OwnedFd, mut bytes: &[u8]) -> bool {
    while !bytes.is_empty() {
        match rustix::net::send(listener, bytes, SendFlags::DONTWAIT | SendFlags::NOSIGNAL) {
            Ok(sent) => bytes = &bytes[sent..],
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return error == rustix::io::Errno::AGAIN,
        }
    }
    true
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_logs_are_put_aside_up_to_the_count() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("0.log");
        let place = LogFile {
            path: path.clone(),
            limit_bytes: 50,
            older_files: 2,
        };
        let log = Log::open(place).unwrap();
        let (mut stream, write) = Stream::open("stdout", &log).unwrap();
        for line in ["one\n", "two\n", "three\n", "four\n", "open"] {
            rustix::io::write(&write, line.as_bytes()).unwrap();
            assert!(stream.take());
        }
        drop(write);
        assert!(!stream.take());
        stream.close();
        let last = |path: &Path| {
            let text = std::fs::read_to_string(path).unwrap();
            text.split(' ').skip(1).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(last(&path), "stdout P open\n");
        assert_eq!(last(&older(&path, 1)), "stdout F four\n");
        assert_eq!(last(&older(&path, 2)), "stdout F three\n");
        assert!(!older(&path, 3).exists());
    }
}
