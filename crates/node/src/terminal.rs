//! Ends of the streams of a process, as the one who talks to it holds them: pipes, sockets, or its terminal.

use std::io;
use std::os::fd::OwnedFd;
use std::pin::Pin;
use std::task::{Context, Poll};

use rustix::termios::Winsize;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::unix::pipe;

/// What a process reads is written here.
pub struct Input(pipe::Sender);

impl Input {
    /// Of a pipe or a terminal.
    pub(crate) fn of(end: OwnedFd) -> io::Result<Input> {
        rustix::io::ioctl_fionbio(&end, true)?;
        // A terminal is none, but is written to in the same way.
        pipe::Sender::from_owned_fd_unchecked(end).map(Input)
    }
}

impl AsyncWrite for Input {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.0).poll_write(cx, bytes)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.0).poll_shutdown(cx)
    }
}

/// What a process prints is read here.
pub struct Output(Box<dyn AsyncRead + Send + Unpin>);

impl Output {
    /// Of a pipe or a terminal.
    pub(crate) fn of(end: OwnedFd) -> io::Result<Output> {
        rustix::io::ioctl_fionbio(&end, true)?;
        Ok(Output(Box::new(pipe::Receiver::from_owned_fd_unchecked(end)?)))
    }

    pub(crate) fn of_socket(end: std::os::unix::net::UnixStream) -> io::Result<Output> {
        end.set_nonblocking(true)?;
        Ok(Output(Box::new(tokio::net::UnixStream::from_std(end)?)))
    }

    pub(crate) fn nothing() -> Output {
        Output(Box::new(tokio::io::empty()))
    }
}

impl AsyncRead for Output {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        match Pin::new(&mut self.0).poll_read(cx, buffer) {
            // How a terminal says that the last program has closed it.
            Poll::Ready(Err(error)) if error.raw_os_error() == Some(libc::EIO) => Poll::Ready(Ok(())),
            read => read,
        }
    }
}

/// The outer side of a terminal.
pub struct Terminal(OwnedFd);

impl Terminal {
    pub(crate) fn of(side: OwnedFd) -> Terminal {
        Terminal(side)
    }

    /// Tells programs how large the user's terminal is, in characters.
    ///
    /// # Errors
    /// When the terminal is gone.
    pub fn resize(&self, columns: u16, rows: u16) -> io::Result<()> {
        let size = Winsize {
            ws_row: rows,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        };
        Ok(rustix::termios::tcsetwinsize(&self.0, size)?)
    }
}
