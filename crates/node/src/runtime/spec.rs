//! What the node asks a runtime for: plain data that travels to the re-executed child as JSON.
//!
//! Nothing here knows Kubernetes types; `crate::spec` translates from them.

use std::net::Ipv4Addr;
use std::path::PathBuf;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// The namespaces and pod-wide mounts in which the containers of one pod live.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SandboxSpec {
    /// Folder of the pod; everything the pod leaves behind is below it.
    pub dir: PathBuf,
    /// Host name seen by the containers.
    pub hostname: String,
    /// Own network namespace, connected like this; otherwise the containers share the host's.
    pub network: Option<Link>,
    /// Own IPC namespace; otherwise the host's.
    pub own_ipc: bool,
    /// Become root of a new user namespace first, because the node is not privileged.
    pub own_user: bool,
    /// Memory-backed volumes, mounted once for all containers.
    pub tmpfs: Vec<Tmpfs>,
    /// Volumes that show images, mounted once for all containers.
    pub images: Vec<ImageMount>,
    /// Go on when the node is gone, and wait at [`SandboxSpec::door`] for the next one.
    pub keep_running: bool,
}

impl SandboxSpec {
    /// The socket at which a sandbox that outlived its node is found again.
    pub fn door(dir: &std::path::Path) -> PathBuf {
        dir.join("sandbox.sock")
    }
}

/// How a sandbox connects its own network namespace.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Name of the bridge on the host.
    pub bridge: String,
    /// Name of the end of the link at the bridge.
    pub outer: String,
    /// Address of the pod.
    pub address: Ipv4Addr,
    /// Length of the network part of the address.
    pub prefix: u8,
    /// Where everything else is sent to.
    pub gateway: Ipv4Addr,
    /// Size of packets in bytes.
    pub mtu: u32,
}

/// A memory-backed folder.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Tmpfs {
    /// Existing folder to mount on.
    pub path: PathBuf,
    /// Limit in bytes; `None` lets the kernel take its default, half of the memory.
    pub size_bytes: Option<u64>,
    /// Permission bits of the folder.
    pub mode: u32,
    /// Group that owns the folder.
    pub group: Option<u32>,
}

/// The file system of an image as a folder that can only be read.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ImageMount {
    /// Existing folder to mount on.
    pub path: PathBuf,
    /// What the image is made of.
    pub root: Root,
    /// Single files shown in it.
    pub files: Vec<Mount>,
}

/// One container.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ContainerSpec {
    /// Unique in the pod: container name and attempt.
    pub key: String,
    /// What the root file system is made of.
    pub root: Root,
    /// Existing folder on which the root is put together.
    pub rootfs: PathBuf,
    /// No writes outside of volumes.
    pub readonly_root: bool,
    /// Volumes and files, parents before children.
    pub mounts: Vec<Mount>,
    /// Which processes it sees.
    pub pids: Pids,
    /// The pod has its own network namespace, so that `/sys` can be mounted anew.
    pub own_network: bool,
    /// All host devices and nothing masked.
    pub privileged: bool,
    /// What to run.
    pub process: ProcessSpec,
    /// Control groups to make and enter.
    pub cgroups: Vec<Cgroup>,
    /// Program that runs the container in our place, if not the built-in one.
    pub oci_runtime: Option<PathBuf>,
    /// Keep a standard input for it, and how long; without one it reads nothing.
    pub stdin: Stdin,
    /// Where what it prints goes.
    pub log: LogFile,
    /// File that keeps what became of this attempt.
    pub record: PathBuf,
    /// Identity of the image, for the record.
    pub image_id: String,
    /// Identity of this attempt, for the record.
    pub container_id: String,
}

/// Whose processes a container sees.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Pids {
    /// Its own.
    #[default]
    Own,
    /// All of the pod.
    Pod,
    /// Those of the container with this key, with whose end it ends. Not for OCI runtimes.
    Of(String),
}

/// What a container reads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
pub enum Stdin {
    /// Nothing.
    #[default]
    None,
    /// What the first listener types; the end of that is its end.
    Once,
    /// What all listeners type.
    Open,
}

/// A control group of one container.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Cgroup {
    /// Its folder; made when the container starts, removed when it has ended.
    pub folder: PathBuf,
    /// What to write into files of the folder, in this order.
    pub settings: Vec<Setting>,
}

/// One setting of a control group.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Setting {
    /// Name of the file.
    pub file: String,
    /// What is written into it.
    pub value: String,
    /// The container is started even if the kernel does not take it.
    pub optional: bool,
}

/// A log with bounded rotation.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LogFile {
    /// The newest file; older ones have `.1`, `.2` and so on behind their name.
    pub path: PathBuf,
    /// Size at which it is put aside, in bytes.
    pub limit_bytes: u64,
    /// Older files to keep.
    pub older_files: u32,
}

/// What is known about one attempt of a container, also when node or sandbox have died since.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Record {
    /// As in [`ContainerSpec::key`].
    pub key: String,
    /// Identity of the image.
    pub image_id: String,
    /// Identity of the attempt.
    pub container_id: String,
    /// When it was started.
    pub started_at: Timestamp,
    /// How it ended; `None` while it runs, and for ever if its sandbox was killed.
    pub end: Option<End>,
}

/// The end of an attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct End {
    /// How its first process ended.
    pub exit: Exit,
    /// When.
    pub at: Timestamp,
    /// The kernel ended a process of the container because it used more memory than its limit.
    #[serde(default)]
    pub out_of_memory: bool,
}

/// A container that a sandbox runs when a node finds it again.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Running {
    /// What is known about it.
    pub record: Record,
    /// Its program, for probes and processes beside it.
    pub process: ProcessSpec,
}

/// What the root file system of a container is made of.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Root {
    /// Folder in which the lower layers lie.
    pub layers_dir: PathBuf,
    /// Names below `layers_dir`, the topmost first. With `host` this is empty.
    pub layers: Vec<String>,
    /// Overlay marks of layers are in `user.` attributes, as an unprivileged node writes them.
    pub user_attributes: bool,
    /// Show the host's files instead of layers, copy on write.
    pub host: bool,
    /// Folders of the host that stay hidden in a host view.
    pub hidden: Vec<PathBuf>,
    /// Where writes go.
    pub upper: PathBuf,
    /// Scratch folder of the overlay, on the file system of `upper`.
    pub work: PathBuf,
}

/// Something shown inside a container.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Mount {
    /// File or folder of the host.
    pub source: PathBuf,
    /// Part of `source`; must not lead out of it. A missing folder is made.
    pub sub_path: Option<String>,
    /// Absolute path in the container.
    pub target: PathBuf,
    /// No writes through this mount.
    pub readonly: bool,
}

/// A process in a container.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ProcessSpec {
    /// Program and arguments; the program is looked up in `PATH` of `env`.
    pub argv: Vec<String>,
    /// Whole environment in order; later entries win.
    pub env: Vec<(String, String)>,
    /// Working directory, made if missing.
    pub cwd: String,
    /// `user[:group]` of the image, names or numbers.
    pub image_user: String,
    /// User id that overrides the image's.
    pub uid: Option<u32>,
    /// Group id that overrides the image's.
    pub gid: Option<u32>,
    /// Further groups.
    pub groups: Vec<u32>,
    /// Refuse to run as user 0.
    pub must_not_be_root: bool,
    /// Capabilities to keep, as bits.
    pub capabilities: u64,
    /// The process and its children can never gain privileges.
    pub no_new_privileges: bool,
    /// System calls that reach around a container's walls are refused.
    #[serde(default)]
    pub filtered_calls: bool,
    /// Its standard input and output are one terminal.
    pub terminal: bool,
}

/// What the node sends to a sandbox.
#[derive(Debug, Serialize, Deserialize)]
pub enum Request {
    /// Run a container; descriptors: spec, status.
    Start,
    /// Run a process in container `target`; descriptors: spec, which is a [`ProcessSpec`], status, and those of
    /// [`super::Stdio`].
    Exec { key: String, target: String },
    /// Listen to container `target`; descriptors: status, and those of [`super::Listeners`].
    Attach { target: String },
    /// Send a signal to the first process of `key`, or to its whole group.
    Signal { key: String, signal: i32, group: bool },
    /// Kill everything and end, as the end of the socket means unless the sandbox is to go on without the node.
    End,
}

/// What a sandbox tells the node.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub enum Report {
    /// Namespaces and mounts are there.
    Ready,
    /// They are not, and the sandbox has ended.
    Failed { message: String },
    /// To a node that came later; descriptor: a list of [`Running`].
    Found,
    /// The first process of `key` ended, and what it printed is in its log.
    Exited { key: String, end: End },
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub enum Exit {
    /// By itself, with this code.
    Code(i32),
    /// By this signal.
    Signal(i32),
}

impl Exit {
    /// The exit code as Kubernetes shows it: 128 + signal for a killed process.
    pub fn code(self) -> i32 {
        match self {
            Exit::Code(code) => code,
            Exit::Signal(signal) => 128 + signal,
        }
    }
}

/// Why a process could not be started; written by the child into the status pipe.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct StartFailure {
    /// The command itself is at fault, not the setting up of the container.
    pub command: bool,
    /// In the words that kubelet users know.
    pub message: String,
}
