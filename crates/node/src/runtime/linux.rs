//! Sandboxes as processes: starts our own program again and talks to it over a socket.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};
use std::process::Stdio as ChildStdio;
use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use rustix::process::{PidfdFlags, Signal};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncReadExt, Interest};
use tokio::net::UnixDatagram;
use tokio::net::unix::pipe;
use tokio::process::Child;
use tokio::sync::{Mutex, mpsc, oneshot};

use super::{
    ContainerSpec, Ended, Error, Found, Listeners, ProcessSpec, Report, Request, Running, Runtime, Sandbox,
    SandboxSpec, StartFailure, Stdio, wire,
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
        let child = tokio::process::Command::new(&self.program)
            .arg(ENTRY)
            .env_clear()
            .current_dir("/")
            .stdin(ChildStdio::from(theirs))
            .stdout(ChildStdio::null())
            .stderr(ChildStdio::from(log))
            .kill_on_drop(!spec.keep_running)
            .spawn()
            .map_err(system("starting the sandbox's program"))?;
        let memory = wire::to_memory(spec).map_err(system("memfd"))?;
        wire::send(&ours, &(), &[memory.as_fd()]).map_err(system("sending to the sandbox"))?;
        let socket = watched(ours)?;
        let first = tokio::time::timeout(SANDBOX_TIMEOUT, receive(&socket)).await;
        match first {
            Ok(Ok(Some((Report::Ready, _)))) => {}
            Ok(Ok(Some((Report::Failed { message }, _)))) => return Err(Error::Sandbox(message)),
            Ok(_) => return Err(Error::Sandbox("the sandbox ended while it was set up".into())),
            Err(_) => return Err(Error::Sandbox("the sandbox was not set up in time".into())),
        }
        Ok(Process::watch(socket, child.id(), Outer::Child(Box::new(child))))
    }

    async fn find(&self, dir: &Path) -> Result<Option<Found>, Error> {
        let Some(socket) = wire::knock(dir).map_err(system("knocking at the sandbox's socket"))? else {
            return Ok(None);
        };
        let peer = rustix::net::sockopt::socket_peercred(&socket)
            .map_err(|e| system("asking for the sandbox's process")(e.into()))?;
        let pidfd = match rustix::process::pidfd_open(peer.pid, PidfdFlags::NONBLOCK) {
            // It ended between the two calls.
            Err(rustix::io::Errno::SRCH) => return Ok(None),
            opened => opened.map_err(|e| system("pidfd_open")(e.into()))?,
        };
        let socket = watched(socket)?;
        let running: Vec<Running> = match tokio::time::timeout(SANDBOX_TIMEOUT, receive(&socket)).await {
            Ok(Ok(Some((Report::Found, mut fds)))) if fds.len() == 1 => {
                wire::from_memory(fds.remove(0)).map_err(system("reading what the sandbox runs"))?
            }
            _ => {
                // It hangs, or is of a version that we do not understand: nobody can use it any more.
                let _ = rustix::process::pidfd_send_signal(&pidfd, Signal::KILL);
                return Ok(None);
            }
        };
        let pidfd = crate::watched::watch(pidfd).map_err(system("watching the sandbox"))?;
        let pid = u32::try_from(peer.pid.as_raw_nonzero().get()).ok();
        let (sandbox, ends) = Process::watch(socket, pid, Outer::Stranger(pidfd));
        Ok(Some(Found {
            sandbox,
            ends,
            running,
        }))
    }
}

/// A datagram socket to tokio: all it does with it is to wait.
fn watched(socket: OwnedFd) -> Result<Arc<UnixDatagram>, Error> {
    let socket = std::os::unix::net::UnixDatagram::from(socket);
    UnixDatagram::from_std(socket)
        .map(Arc::new)
        .map_err(system("watching the sandbox"))
}

async fn receive(socket: &UnixDatagram) -> io::Result<Option<(Report, Vec<OwnedFd>)>> {
    socket
        .async_io(Interest::READABLE, || wire::receive::<Report>(socket))
        .await
}

/// The outer process of a sandbox, whose end means that all of the pod is gone.
enum Outer {
    /// Ours to wait for.
    Child(Box<Child>),
    /// Started by an earlier node.
    Stranger(AsyncFd<OwnedFd>),
}

impl Outer {
    async fn ended(self) {
        match self {
            Outer::Child(mut child) => drop(child.wait().await),
            Outer::Stranger(pidfd) => drop(pidfd.readable().await),
        }
    }
}

struct Process {
    socket: Arc<UnixDatagram>,
    pid: Option<u32>,
    gone: Mutex<Option<oneshot::Receiver<()>>>,
}

impl Process {
    /// Begins to watch a sandbox that is up.
    fn watch(
        socket: Arc<UnixDatagram>,
        pid: Option<u32>,
        outer: Outer,
    ) -> (Box<dyn Sandbox>, mpsc::UnboundedReceiver<Ended>) {
        let (ends, events) = mpsc::unbounded_channel();
        let (gone, wait_gone) = oneshot::channel();
        let watched = Arc::clone(&socket);
        tokio::spawn(async move {
            while let Ok(Some((report, _))) = receive(&watched).await {
                if let Report::Exited { key, end } = report {
                    let _ = ends.send(Ended { key, end });
                }
            }
            // The end of the socket means that the inner process ended; the outer one follows when all are dead.
            let _ = rustix::net::shutdown(&*watched, rustix::net::Shutdown::Both);
            outer.ended().await;
            let _ = gone.send(());
        });
        let gone = Mutex::new(Some(wait_gone));
        (Box::new(Process { socket, pid, gone }), events)
    }
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
    async fn launch(
        &self,
        request: &Request,
        spec: Option<OwnedFd>,
        others: Vec<OwnedFd>,
    ) -> Result<(), Error> {
        let (read, write) =
            rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC).map_err(|e| Error::System {
                what: "making a pipe",
                source: e.into(),
            })?;
        rustix::io::ioctl_fionbio(&read, true).map_err(|e| Error::System {
            what: "fionbio",
            source: e.into(),
        })?;
        let fds: Vec<OwnedFd> = spec.into_iter().chain([write]).chain(others).collect();
        let borrowed: Vec<BorrowedFd<'_>> = fds.iter().map(AsFd::as_fd).collect();
        self.send(request, &borrowed).await?;
        drop(fds);
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
    async fn start(&self, spec: &ContainerSpec) -> Result<(), Error> {
        let memory = wire::to_memory(spec).map_err(system("memfd"))?;
        self.launch(&Request::Start, Some(memory), Vec::new()).await
    }

    async fn exec(&self, key: &str, target: &str, spec: &ProcessSpec, io: Stdio) -> Result<(), Error> {
        let memory = wire::to_memory(spec).map_err(system("memfd"))?;
        let request = Request::Exec {
            key: key.into(),
            target: target.into(),
        };
        let io = match io {
            Stdio::Pipes {
                stdin,
                stdout,
                stderr,
            } => vec![stdin, stdout, stderr],
            Stdio::Terminal { console } => vec![console],
        };
        self.launch(&request, Some(memory), io).await
    }

    async fn attach(&self, target: &str, listeners: Listeners) -> Result<(), Error> {
        let target = target.into();
        let Listeners {
            stdout,
            stderr,
            console,
        } = listeners;
        self.launch(&Request::Attach { target }, None, vec![stdout, stderr, console])
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
        // The end of the socket alone would only tell a sandbox that is to go on that its node is gone.
        let _ = self.send(&Request::End, &[]).await;
        let _ = rustix::net::shutdown(&*self.socket, rustix::net::Shutdown::Write);
        let mut gone = self.gone.lock().await;
        if let Some(wait) = gone.take() {
            let _ = wait.await;
        }
    }

    fn leave(&self) {
        let _ = rustix::net::shutdown(&*self.socket, rustix::net::Shutdown::Both);
    }
}
