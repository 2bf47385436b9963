//! Sandboxes as processes: starts our own program again and talks to it over a socket.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::PathBuf;
use std::process::Stdio as ChildStdio;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::io::{AsyncReadExt, Interest};
use tokio::net::UnixDatagram;
use tokio::net::unix::pipe;
use tokio::sync::{Mutex, mpsc, oneshot};

use super::{
    ContainerSpec, Ended, Error, ProcessSpec, Report, Request, Runtime, Sandbox, SandboxSpec, StartFailure,
    Stdio, wire,
};
use crate::container::ENTRY;

/// How long a sandbox may take to come up. A loaded machine needs well below a second.
const SANDBOX_TIMEOUT: Duration = Duration::from_secs(30);
/// How long putting a container together may take before it counts as stuck (a dead network file system, say).
const START_TIMEOUT: Duration = Duration::from_secs(120);

/// The runtime of Linux: namespaces made by a re-executed child.
pub struct Linux {
    program: PathBuf,
}

impl Linux {
    /// `program` must call [`crate::container_main_if_asked`] first thing in its `main`.
    pub fn new(program: PathBuf) -> Linux {
        Linux { program }
    }
}

fn system(what: &'static str) -> impl FnOnce(io::Error) -> Error {
    move |source| Error::System { what, source }
}

#[async_trait]
impl Runtime for Linux {
    async fn create(
        &self,
        spec: &SandboxSpec,
    ) -> Result<(Box<dyn Sandbox>, mpsc::UnboundedReceiver<Ended>), Error> {
        let (ours, theirs) = wire::pair().map_err(system("making a socket"))?;
        let log = std::fs::File::create(spec.dir.join("sandbox.log"))
            .map_err(system("writing into the pod's folder"))?;
        let mut child = tokio::process::Command::new(&self.program)
            .arg(ENTRY)
            .env_clear()
            .stdin(ChildStdio::from(theirs))
            .stdout(ChildStdio::null())
            .stderr(ChildStdio::from(log))
            .kill_on_drop(true)
            .spawn()
            .map_err(system("starting the sandbox's program"))?;
        let memory = wire::to_memory(spec).map_err(system("memfd"))?;
        wire::send(&ours, &(), &[memory.as_fd()]).map_err(system("sending to the sandbox"))?;
        // A datagram socket to tokio: all it does with it is to wait.
        let socket = std::os::unix::net::UnixDatagram::from(ours);
        let socket = Arc::new(UnixDatagram::from_std(socket).map_err(system("watching the sandbox"))?);
        let first = tokio::time::timeout(SANDBOX_TIMEOUT, receive(&socket)).await;
        match first {
            Ok(Ok(Some(Report::Ready))) => {}
            Ok(Ok(Some(Report::Failed { message }))) => return Err(Error::Sandbox(message)),
            Ok(_) => return Err(Error::Sandbox("the sandbox ended while it was set up".into())),
            Err(_) => return Err(Error::Sandbox("the sandbox was not set up in time".into())),
        }
        let pid = child.id();
        let (ends, events) = mpsc::unbounded_channel();
        let (gone, wait_gone) = oneshot::channel();
        let watched = Arc::clone(&socket);
        tokio::spawn(async move {
            while let Ok(Some(report)) = receive(&watched).await {
                if let Report::Exited { key, exit } = report {
                    let _ = ends.send(Ended { key, exit });
                }
            }
            // The end of the socket means that the inner process ended; the outer one follows when all are dead.
            let _ = rustix::net::shutdown(&*watched, rustix::net::Shutdown::Both);
            let _ = child.wait().await;
            let _ = gone.send(());
        });
        Ok((
            Box::new(Process {
                socket,
                pid,
                gone: Mutex::new(Some(wait_gone)),
            }),
            events,
        ))
    }
}

async fn receive(socket: &UnixDatagram) -> io::Result<Option<Report>> {
    let received = socket
        .async_io(Interest::READABLE, || wire::receive::<Report>(socket))
        .await?;
    Ok(received.map(|(report, _)| report))
}

struct Process {
    socket: Arc<UnixDatagram>,
    pid: Option<u32>,
    gone: Mutex<Option<oneshot::Receiver<()>>>,
}

impl Process {
    async fn send(&self, request: &Request, fds: &[BorrowedFd<'_>]) -> Result<(), Error> {
        let sent = self
            .socket
            .async_io(Interest::WRITABLE, || wire::send(&*self.socket, request, fds))
            .await;
        sent.map_err(|error| match error.raw_os_error() {
            Some(libc::EPIPE | libc::ECONNRESET | libc::ENOTCONN) => Error::Gone,
            _ => Error::System {
                what: "sending to the sandbox",
                source: error,
            },
        })
    }

    /// Sends the descriptors of a process and waits until its program runs, which closes the status pipe.
    async fn launch(&self, request: &Request, spec: OwnedFd, io: Stdio) -> Result<(), Error> {
        let (read, write) =
            rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).map_err(|e| Error::System {
                what: "making a pipe",
                source: e.into(),
            })?;
        rustix::io::ioctl_fionbio(&read, true).map_err(|e| Error::System {
            what: "fionbio",
            source: e.into(),
        })?;
        let fds = [
            spec.as_fd(),
            io.stdin.as_fd(),
            io.stdout.as_fd(),
            io.stderr.as_fd(),
            write.as_fd(),
        ];
        self.send(request, &fds).await?;
        drop((write, spec, io));
        let mut status = pipe::Receiver::from_owned_fd(read).map_err(system("watching a pipe"))?;
        let mut answer = Vec::new();
        match tokio::time::timeout(START_TIMEOUT, status.read_to_end(&mut answer)).await {
            Err(_) => Err(Error::Start(StartFailure {
                command: false,
                message: "context deadline exceeded".into(),
            })),
            Ok(Err(error)) => Err(system("reading the status pipe")(error)),
            Ok(Ok(0)) => Ok(()),
            Ok(Ok(_)) => Err(Error::Start(serde_json::from_slice(&answer).unwrap_or_else(
                |_| StartFailure {
                    command: false,
                    message: String::from_utf8_lossy(&answer).into_owned(),
                },
            ))),
        }
    }
}

#[async_trait]
impl Sandbox for Process {
    async fn start(&self, spec: &ContainerSpec, io: Stdio) -> Result<(), Error> {
        let memory = wire::to_memory(spec).map_err(system("memfd"))?;
        self.launch(&Request::Start, memory, io).await
    }

    async fn exec(&self, key: &str, target: &str, spec: &ProcessSpec, io: Stdio) -> Result<(), Error> {
        let memory = wire::to_memory(spec).map_err(system("memfd"))?;
        self.launch(
            &Request::Exec {
                key: key.into(),
                target: target.into(),
            },
            memory,
            io,
        )
        .await
    }

    async fn signal(&self, key: &str, signal: i32, group: bool) -> Result<(), Error> {
        self.send(
            &Request::Signal {
                key: key.into(),
                signal,
                group,
            },
            &[],
        )
        .await
    }

    fn pid(&self) -> Option<u32> {
        self.pid
    }

    async fn destroy(&self) {
        let _ = rustix::net::shutdown(&*self.socket, rustix::net::Shutdown::Both);
        let mut gone = self.gone.lock().await;
        if let Some(wait) = gone.take() {
            let _ = wait.await;
        }
    }
}
