//! Logs of containers, and processes started in them from outside.

use std::os::fd::OwnedFd;
use std::path::Path;

use k8s_openapi::api::core::v1::Pod;
use tokio::net::unix::pipe;
use tokio::sync::oneshot;

use crate::logs::{self, LogOptions, LogStream};
use crate::node::Node;
use crate::pod::seen::all_containers;
use crate::runtime::{self, Exit, Stdio};

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
    /// No pipe or terminal could be had.
    #[error("standard input and output of the process")]
    Io(#[from] std::io::Error),
}

/// A process started with [`Node::exec`].
pub struct Process {
    /// Write end of its standard input, if asked for. Dropping it means end of input.
    pub stdin: Option<pipe::Sender>,
    /// Read end of its standard output.
    pub stdout: pipe::Receiver,
    /// Read end of its standard error.
    pub stderr: pipe::Receiver,
    /// Its exit code: 128 + signal if it was killed. An error means that the container ended first.
    pub exit: oneshot::Receiver<Exit>,
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
        with_stdin: bool,
    ) -> Result<Process, AccessError> {
        let (handle, pod) = self
            .pods
            .find(namespace, name)
            .ok_or_else(|| AccessError::PodNotFound(name.to_string()))?;
        let container = choose(&pod, container)?;
        let missing = || AccessError::NotRunning(container.clone());
        let live = handle.container(&container).ok_or_else(missing)?;
        let sandbox = handle.sandbox().ok_or_else(missing)?;
        let (stdin_read, stdin) = if with_stdin {
            let (read, write) = pipe_pair()?;
            rustix::io::ioctl_fionbio(&write, true).map_err(std::io::Error::from)?;
            (read, Some(pipe::Sender::from_owned_fd(write)?))
        } else {
            (OwnedFd::from(std::fs::File::open("/dev/null")?), None)
        };
        let (stdout_read, stdout) = pipe_pair()?;
        let (stderr_read, stderr) = pipe_pair()?;
        let mut process = live.process.clone();
        process.argv = command;
        let (key, exit) = handle.add_exec();
        sandbox
            .exec(
                &key,
                &live.key,
                &process,
                Stdio {
                    stdin: stdin_read,
                    stdout,
                    stderr,
                },
            )
            .await?;
        let receiver = |read: OwnedFd| {
            rustix::io::ioctl_fionbio(&read, true).map_err(std::io::Error::from)?;
            pipe::Receiver::from_owned_fd(read)
        };
        Ok(Process {
            stdin,
            stdout: receiver(stdout_read)?,
            stderr: receiver(stderr_read)?,
            exit,
        })
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
    });
    let status = statuses.into_iter().find(|status| status.name == container);
    let waiting = status
        .and_then(|s| s.state.as_ref())
        .and_then(|s| s.waiting.as_ref());
    waiting
        .and_then(|w| w.reason.clone())
        .unwrap_or_else(|| "ContainerCreating".into())
}
