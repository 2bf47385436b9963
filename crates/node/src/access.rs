//! Logs of containers, processes started in them from outside, and connections to their ports.

use std::os::fd::OwnedFd;
use std::path::Path;
use std::sync::Arc;

use k8s_openapi::api::core::v1::Pod;
use tokio::net::TcpStream;
use tokio::sync::oneshot;

use crate::logs::{self, LogOptions, LogStream};
use crate::network::reach;
use crate::node::Node;
use crate::pod::handle::{Handle, LiveContainer};
use crate::pod::seen::all_containers;
use crate::runtime::{self, Exit, Listeners, Sandbox, Stdio, wire};
use crate::terminal::{Input, Output, Terminal};

/// Annotation that names the container meant when none is given.
const DEFAULT_CONTAINER: &str = "kubectl.kubernetes.io/default-container";

/// Why logs or a process cannot be had; texts as the kubelet's.
#[derive(Debug, thiserror::Error)]
pub enum AccessError {
    /// The node runs no such pod.
    #[error("pods {0:?} not found")]
    PodNotFound(String),
    /// The pod has no such container.
    #[error("container {container} is not valid for pod {pod}")]
    ContainerNotFound {
        /// Name of the pod.
        pod: String,
        /// Name of the container.
        container: String,
    },
    /// Several containers and none named.
    #[error("a container name must be specified for pod {pod}, choose one of: [{}]", containers.join(" "))]
    Ambiguous {
        /// Name of the pod.
        pod: String,
        /// Its containers.
        containers: Vec<String>,
    },
    /// The container has not run yet.
    #[error("container {container:?} in pod {pod:?} is waiting to start: {reason}")]
    NotStarted {
        /// Name of the pod.
        pod: String,
        /// Name of the container.
        container: String,
        /// Reason of its waiting state.
        reason: String,
    },
    /// There was no attempt before the last.
    #[error("previous terminated container {container:?} in pod {pod:?} not found")]
    NoPrevious {
        /// Name of the pod.
        pod: String,
        /// Name of the container.
        container: String,
    },
    /// The container does not run.
    #[error("container not found ({0:?})")]
    NotRunning(String),
    /// The process could not be started.
    #[error(transparent)]
    Runtime(#[from] runtime::Error),
    /// A pipe or terminal could not be had, or a connection not made.
    #[error(transparent)]
    Io(#[from] std::io::Error),
}

/// A process started with [`Node::exec`], or one listened to with [`Node::attach`].
pub struct Process {
    /// Its standard input, if asked for. Dropping it means end of input.
    pub stdin: Option<Input>,
    /// Its standard output.
    pub stdout: Output,
    /// Its standard error; at its end from the beginning when it has a terminal.
    pub stderr: Output,
    /// Its terminal, if it has one.
    pub terminal: Option<Terminal>,
    /// Its exit code: 128 + signal if it was killed. An error means that the container ended first. Of a container that
    /// is listened to it is 0 at once: the end of its output is what tells.
    pub exit: oneshot::Receiver<Exit>,
}

/// Which streams a process started with [`Node::exec`] gets.
#[derive(Debug, Clone, Copy, Default)]
pub struct Streams {
    /// A standard input; without one it reads nothing.
    pub stdin: bool,
    /// One terminal for all.
    pub terminal: bool,
}

/// A container that runs, and where.
struct Place {
    handle: Arc<Handle>,
    sandbox: Arc<dyn Sandbox>,
    live: LiveContainer,
}

impl Node {
    /// The log of a container as a stream of bytes. Without a name, the pod's only or default container is meant.
    ///
    /// # Errors
    /// When pod, container or attempt are not there.
    pub fn logs(
        &self,
        namespace: &str,
        name: &str,
        container: Option<&str>,
        options: LogOptions,
    ) -> Result<LogStream, AccessError> {
        let (handle, pod) = self
            .pods
            .find(namespace, name)
            .ok_or_else(|| AccessError::PodNotFound(name.to_string()))?;
        let container = choose(&pod, container)?;
        let folder = handle.dir.join("logs").join(&container);
        let mut attempts = attempts(&folder);
        if options.previous {
            attempts.pop();
        }
        let (pod_name, previous) = (name.to_string(), options.previous);
        let Some(number) = attempts.last() else {
            return Err(match previous {
                true => AccessError::NoPrevious {
                    pod: pod_name,
                    container,
                },
                false => AccessError::NotStarted {
                    reason: waiting_reason(&pod, &container),
                    pod: pod_name,
                    container,
                },
            });
        };
        let path = folder.join(format!("{number}.log"));
        let live = handle
            .container(&container)
            .map(|live| live.log)
            .filter(|log| log.path() == path);
        Ok(logs::read(path, live, options))
    }

    /// Starts a process in a running container, with the container's environment, user and folder.
    ///
    /// # Errors
    /// When pod or container are not there, or the program cannot be started.
    pub async fn exec(
        &self,
        namespace: &str,
        name: &str,
        container: Option<&str>,
        command: Vec<String>,
        streams: Streams,
    ) -> Result<Process, AccessError> {
        let Place {
            handle,
            sandbox,
            live,
        } = self.place(namespace, name, container)?;
        let mut process = live.process.clone();
        process.argv = command;
        process.terminal = streams.terminal;
        let (key, exit) = handle.add_exec();
        if streams.terminal {
            let (ours, console) = wire::pair()?;
            let io = Stdio::Terminal { console };
            sandbox.exec(&key, &live.key, &process, io).await?;
            let terminal = sent(&ours)?.ok_or_else(|| AccessError::NotRunning(name.to_string()))?;
            return Ok(Process {
                stdin: streams
                    .stdin
                    .then(|| Input::of(terminal.try_clone()?))
                    .transpose()?,
                stdout: Output::of(terminal.try_clone()?)?,
                stderr: Output::nothing(),
                terminal: Some(Terminal::of(terminal)),
                exit,
            });
        }
        let (stdin_read, stdin) = if streams.stdin {
            let (read, write) = pipe_pair()?;
            (read, Some(Input::of(write)?))
        } else {
            (OwnedFd::from(std::fs::File::open("/dev/null")?), None)
        };
        let (stdout_read, stdout) = pipe_pair()?;
        let (stderr_read, stderr) = pipe_pair()?;
        let io = Stdio::Pipes {
            stdin: stdin_read,
            stdout,
            stderr,
        };
        sandbox.exec(&key, &live.key, &process, io).await?;
        Ok(Process {
            stdin,
            stdout: Output::of(stdout_read)?,
            stderr: Output::of(stderr_read)?,
            terminal: None,
            exit,
        })
    }

    /// Listens to what a running container prints from now on, and types into it if it has a standard input.
    ///
    /// # Errors
    /// When pod or container are not there, or the container's runtime cannot do this.
    pub async fn attach(
        &self,
        namespace: &str,
        name: &str,
        container: Option<&str>,
    ) -> Result<Process, AccessError> {
        let Place { sandbox, live, .. } = self.place(namespace, name, container)?;
        let (out_near, stdout) = std::os::unix::net::UnixStream::pair()?;
        let (err_near, stderr) = std::os::unix::net::UnixStream::pair()?;
        let (ours, console) = wire::pair()?;
        let listeners = Listeners {
            stdout: stdout.into(),
            stderr: stderr.into(),
            console,
        };
        sandbox.attach(&live.key, listeners).await?;
        let input = sent(&ours)?;
        let is_terminal = live.process.terminal;
        let terminal = input.as_ref().filter(|_| is_terminal);
        let (told, exit) = oneshot::channel();
        let _ = told.send(Exit::Code(0));
        Ok(Process {
            terminal: terminal.map(|t| t.try_clone().map(Terminal::of)).transpose()?,
            stdin: input.map(Input::of).transpose()?,
            stdout: Output::of_socket(out_near)?,
            stderr: Output::of_socket(err_near)?,
            exit,
        })
    }

    /// Connects to a port of a running pod, as seen from inside of it: on its own loopback address.
    ///
    /// # Errors
    /// When the pod does not run here or nobody listens at the port.
    pub async fn connect(&self, namespace: &str, name: &str, port: u16) -> Result<TcpStream, AccessError> {
        let (handle, _) = self
            .pods
            .find(namespace, name)
            .ok_or_else(|| AccessError::PodNotFound(name.to_string()))?;
        let sandbox = handle.sandbox();
        let pid = sandbox.and_then(|sandbox| sandbox.pid());
        let pid = pid.ok_or_else(|| AccessError::NotRunning(name.to_string()))?;
        Ok(reach::connect(pid, port).await?)
    }

    fn place(&self, namespace: &str, name: &str, container: Option<&str>) -> Result<Place, AccessError> {
        let (handle, pod) = self
            .pods
            .find(namespace, name)
            .ok_or_else(|| AccessError::PodNotFound(name.to_string()))?;
        let container = choose(&pod, container)?;
        let missing = || AccessError::NotRunning(container.clone());
        let live = handle.container(&container).ok_or_else(missing)?;
        let sandbox = handle.sandbox().ok_or_else(missing)?;
        Ok(Place {
            handle,
            sandbox,
            live,
        })
    }
}

/// The descriptor that a sandbox has sent before it answered, if it had one to send.
fn sent(console: &OwnedFd) -> std::io::Result<Option<OwnedFd>> {
    match wire::receive::<()>(console) {
        Ok(got) => Ok(got.and_then(|((), mut fds)| fds.pop())),
        Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => Ok(None),
        Err(error) => Err(error),
    }
}

fn pipe_pair() -> std::io::Result<(OwnedFd, OwnedFd)> {
    Ok(rustix::pipe::pipe_with(rustix::pipe::PipeFlags::CLOEXEC)?)
}

fn choose(pod: &Pod, wanted: Option<&str>) -> Result<String, AccessError> {
    let pod_name = || pod.metadata.name.clone().unwrap_or_default();
    let annotated = || pod.metadata.annotations.as_ref()?.get(DEFAULT_CONTAINER).cloned();
    let mains: Vec<String> = pod
        .spec
        .iter()
        .flat_map(|s| &s.containers)
        .map(|c| c.name.clone())
        .collect();
    let chosen = match wanted.map(String::from).or_else(annotated) {
        Some(chosen) => chosen,
        None if mains.len() == 1 => mains[0].clone(),
        None => {
            return Err(AccessError::Ambiguous {
                pod: pod_name(),
                containers: mains,
            });
        }
    };
    match all_containers(pod).any(|c| c.name == chosen) {
        true => Ok(chosen),
        false => Err(AccessError::ContainerNotFound {
            pod: pod_name(),
            container: chosen,
        }),
    }
}

/// Numbers of the attempts that have a log, ascending.
fn attempts(folder: &Path) -> Vec<u32> {
    let names = std::fs::read_dir(folder)
        .into_iter()
        .flatten()
        .flatten()
        .map(|entry| entry.file_name());
    let mut numbers: Vec<u32> = names
        .filter_map(|name| name.to_string_lossy().strip_suffix(".log")?.parse().ok())
        .collect();
    numbers.sort_unstable();
    numbers
}

fn waiting_reason(pod: &Pod, container: &str) -> String {
    let statuses = pod.status.iter().flat_map(|s| {
        s.container_statuses
            .iter()
            .flatten()
            .chain(s.init_container_statuses.iter().flatten())
            .chain(s.ephemeral_container_statuses.iter().flatten())
    });
    let status = statuses.into_iter().find(|status| status.name == container);
    let waiting = status
        .and_then(|s| s.state.as_ref())
        .and_then(|s| s.waiting.as_ref());
    waiting
        .and_then(|w| w.reason.clone())
        .unwrap_or_else(|| "ContainerCreating".into())
}
