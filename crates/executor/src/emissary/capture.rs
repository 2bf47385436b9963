//! Copies of a child's output: to our own streams, and to the files from which results and
//! logs are made (rule X-EMIS-22). Which files those are is decided by the caller.

use std::fs::File;
use std::io::{self, Write as _};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::thread::JoinHandle;

use rustix::event::{PollFd, PollFlags, poll};

use crate::sys;

/// How much is read at once. A pipe holds 64 KiB by default, so that one read can empty it.
const CHUNK: usize = 64 * 1024;

/// How much is still taken from a pipe after the child's end: the largest size a pipe can have
/// by default. What the child itself wrote is in there; descendants that go on writing must not
/// keep us (X-EMIS-23).
const LAST_BYTES: usize = 1024 * 1024;

/// Which of our own streams gets the copy.
#[derive(Clone, Copy, Debug)]
pub enum Stream {
    /// Standard output.
    Output,
    /// Standard error.
    Error,
}

/// Running copies of one child's output.
#[derive(Debug)]
pub struct Capture {
    threads: Vec<JoinHandle<io::Result<()>>>,
    // Closing it tells the threads that the child has ended.
    stop: Option<OwnedFd>,
    stopped: Arc<OwnedFd>,
}

impl Capture {
    /// A capture without streams.
    ///
    /// # Errors
    /// No pipe can be made.
    pub fn new() -> io::Result<Self> {
        let (stopped, stop) = rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?;
        Ok(Self {
            threads: Vec::new(),
            stop: Some(stop),
            stopped: Arc::new(stopped),
        })
    }

    /// Starts to copy what can be read from `source` to one of our streams and to `files`.
    ///
    /// # Errors
    /// No thread can be started.
    pub fn copy(&mut self, source: OwnedFd, stream: Stream, files: Vec<Arc<File>>) -> io::Result<()> {
        sys::set_nonblocking(source.as_fd())?;
        let stopped = Arc::clone(&self.stopped);
        let work = move || copy(&source, stream, &files, stopped.as_fd());
        // The copy needs one buffer and no depth; the default stack would count as memory in
        // containers with a tight limit.
        let thread = std::thread::Builder::new().stack_size(128 * 1024).spawn(work)?;
        self.threads.push(thread);
        Ok(())
    }

    /// Waits until what the child wrote has been copied.
    ///
    /// # Errors
    /// The first failure to write one of the files.
    pub fn finish(mut self) -> io::Result<()> {
        self.stop = None;
        let mut result = Ok(());
        for thread in self.threads {
            let copied = thread
                .join()
                .unwrap_or_else(|_| Err(io::Error::other("copy panicked")));
            result = result.and(copied);
        }
        result
    }
}

fn copy(source: &OwnedFd, stream: Stream, files: &[Arc<File>], stopped: BorrowedFd<'_>) -> io::Result<()> {
    let mut buffer = vec![0_u8; CHUNK];
    let mut result = Ok(());
    let mut ended = false;
    let mut last_bytes = 0;
    loop {
        match rustix::io::read(source, &mut buffer) {
            Ok(0) => return result,
            Ok(read) => {
                let written = pass_on(&buffer[..read], stream, files);
                result = result.and(written);
                last_bytes += if ended { read } else { 0 };
                if last_bytes >= LAST_BYTES {
                    return result;
                }
            }
            // A terminal whose last user is gone reads as EIO.
            Err(rustix::io::Errno::IO) => return result,
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) if ended => return result,
            Err(rustix::io::Errno::AGAIN) => {
                let mut wanted = [
                    PollFd::new(source, PollFlags::IN),
                    PollFd::from_borrowed_fd(stopped, PollFlags::IN),
                ];
                match poll(&mut wanted, None) {
                    Ok(_) | Err(rustix::io::Errno::INTR) => {}
                    Err(error) => return Err(error.into()),
                }
                ended = !wanted[1].revents().is_empty();
            }
            Err(error) => return Err(error.into()),
        }
    }
}

/// The files come first, so that a slow reader of the pod's log cannot hold results back.
fn pass_on(bytes: &[u8], stream: Stream, files: &[Arc<File>]) -> io::Result<()> {
    let mut result = Ok(());
    for file in files {
        result = result.and(file.as_ref().write_all(bytes));
    }
    // Our own stream may have been closed by whoever started the pod; the files still count.
    let _ = match stream {
        Stream::Output => write_all(rustix::stdio::stdout(), bytes),
        Stream::Error => write_all(rustix::stdio::stderr(), bytes),
    };
    result
}

/// Without the buffer of `std::io::stdout`, which would hold back half a line.
fn write_all(to: BorrowedFd<'_>, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(to, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = &bytes[written..],
            Err(rustix::io::Errno::INTR) => {}
            Err(rustix::io::Errno::AGAIN) => {
                // Our stream may have been handed to us in non-blocking mode.
                let _ = poll(&mut [PollFd::from_borrowed_fd(to, PollFlags::OUT)], None);
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
