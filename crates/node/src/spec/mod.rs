//! From a pod's container to what a runtime needs: command, environment, mounts, user.

pub(crate) mod downward;
mod env;
pub(crate) mod expand;
pub(crate) mod quantity;
mod security;

use std::path::{Path, PathBuf};

use k8s_openapi::api::core::v1::{Container, Pod};

pub(crate) use env::environment;
pub(crate) use security::process_security;

use crate::images::Image;
use crate::runtime::{Cgroup, ContainerSpec, LogFile, Mount, Pids, ProcessSpec, Root, Stdin};
use crate::volumes::Prepared;

/// Where the kubelet expects a container's last words, if the container names no other place.
pub(crate) const TERMINATION_MESSAGE_PATH: &str = "/dev/termination-log";

/// Everything around a container that is not in the pod's own words.
pub(crate) struct Surroundings<'a> {
    pub(crate) pod: &'a Pod,
    pub(crate) container: &'a Container,
    pub(crate) image: &'a Image,
    pub(crate) layers_dir: PathBuf,
    pub(crate) volumes: &'a Prepared,
    /// Folder of the pod.
    pub(crate) pod_dir: &'a Path,
    /// Folder of this attempt of the container.
    pub(crate) dir: &'a Path,
    pub(crate) key: String,
    /// Show the host's files instead of the image; holds what stays hidden.
    pub(crate) host_view: Option<Vec<PathBuf>>,
    pub(crate) pids: Pids,
    pub(crate) own_network: bool,
    pub(crate) oci_runtime: Option<PathBuf>,
    pub(crate) log: LogFile,
    pub(crate) container_id: &'a str,
    pub(crate) cgroups: Vec<Cgroup>,
}

/// Builds the container; `env` is its whole environment.
pub(crate) fn container_spec(
    around: &Surroundings<'_>,
    env: Vec<(String, String)>,
) -> Result<ContainerSpec, String> {
    let container = around.container;
    let context = container.security_context.as_ref();
    let mut process = ProcessSpec {
        argv: command(around, &env),
        cwd: working_dir(around),
        env,
        image_user: around.image.config.user.clone(),
        uid: None,
        gid: None,
        groups: Vec::new(),
        must_not_be_root: false,
        capabilities: 0,
        no_new_privileges: false,
        filtered_calls: false,
        terminal: container.tty == Some(true),
    };
    process_security(around.pod, container, &mut process)?;
    if around.host_view.is_some() {
        // The image is not used, so its user means nothing on the host's files.
        process.image_user.clear();
    }
    let root = Root {
        layers_dir: around.layers_dir.clone(),
        layers: if around.host_view.is_some() {
            Vec::new()
        } else {
            around.image.layers.clone()
        },
        user_attributes: !rustix::process::geteuid().is_root(),
        host: around.host_view.is_some(),
        hidden: around.host_view.clone().unwrap_or_default(),
        upper: around.dir.join("upper"),
        work: around.dir.join("work"),
    };
    Ok(ContainerSpec {
        key: around.key.clone(),
        root,
        rootfs: around.dir.join("rootfs"),
        readonly_root: context.and_then(|c| c.read_only_root_filesystem).unwrap_or(false),
        mounts: mounts(around, &process.env)?,
        pids: around.pids.clone(),
        own_network: around.own_network,
        privileged: context.and_then(|c| c.privileged).unwrap_or(false),
        process,
        cgroups: around.cgroups.clone(),
        oci_runtime: around.oci_runtime.clone(),
        stdin: match (container.stdin, container.stdin_once) {
            (Some(true), Some(true)) => Stdin::Once,
            (Some(true), _) => Stdin::Open,
            _ => Stdin::None,
        },
        record: around.log.path.with_extension("json"),
        log: around.log.clone(),
        image_id: around.image.id.clone(),
        container_id: around.container_id.to_string(),
    })
}

/// Kubernetes' rule: `command` replaces the entrypoint and drops the image's arguments, `args` replaces the arguments.
fn command(around: &Surroundings<'_>, env: &[(String, String)]) -> Vec<String> {
    let lookup = |name: &str| {
        env.iter()
            .rev()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.clone())
    };
    let expanded = |list: &Option<Vec<String>>| -> Vec<String> {
        list.iter()
            .flatten()
            .map(|text| expand::expand(text, lookup))
            .collect()
    };
    let (command, args) = (
        expanded(&around.container.command),
        expanded(&around.container.args),
    );
    let image = &around.image.config;
    match (command.is_empty(), args.is_empty()) {
        (true, true) => image.entrypoint.iter().chain(&image.cmd).cloned().collect(),
        (true, false) => image.entrypoint.iter().cloned().chain(args).collect(),
        (false, _) => command.into_iter().chain(args).collect(),
    }
}

fn working_dir(around: &Surroundings<'_>) -> String {
    let own = around.container.working_dir.clone().filter(|dir| !dir.is_empty());
    let image =
        Some(around.image.config.workdir.clone()).filter(|dir| !dir.is_empty() && around.host_view.is_none());
    own.or(image).unwrap_or_else(|| "/".into())
}

fn mounts(around: &Surroundings<'_>, env: &[(String, String)]) -> Result<Vec<Mount>, String> {
    let plain = |source: PathBuf, target: &str, readonly: bool| Mount {
        source,
        sub_path: None,
        target: PathBuf::from(target),
        readonly,
    };
    let mut mounts = Vec::new();
    for file in &around.image.files {
        mounts.push(plain(file.source.clone(), &file.target.to_string_lossy(), true));
    }
    for name in ["hosts", "resolv.conf", "hostname"] {
        mounts.push(plain(around.pod_dir.join(name), &format!("/etc/{name}"), false));
    }
    let message_path = around
        .container
        .termination_message_path
        .as_deref()
        .filter(|p| !p.is_empty());
    let last_words = around.dir.join("termination-log");
    mounts.push(plain(
        last_words,
        message_path.unwrap_or(TERMINATION_MESSAGE_PATH),
        false,
    ));
    for mount in around.container.volume_mounts.iter().flatten() {
        let source = around.volumes.paths.get(&mount.name);
        let source = source.ok_or_else(|| format!("volume {:?} of a mount does not exist", mount.name))?;
        let readonly = mount.read_only == Some(true) || around.volumes.read_only.contains(&mount.name);
        let target = if mount.mount_path.starts_with('/') {
            PathBuf::from(&mount.mount_path)
        } else {
            Path::new("/").join(&mount.mount_path)
        };
        let lookup = |name: &str| {
            env.iter()
                .rev()
                .find(|(key, _)| key == name)
                .map(|(_, value)| value.clone())
        };
        let sub_path = match (&mount.sub_path, &mount.sub_path_expr) {
            (Some(path), _) if !path.is_empty() => Some(path.clone()),
            (_, Some(expression)) if !expression.is_empty() => Some(expand::expand(expression, lookup)),
            _ => None,
        };
        mounts.retain(|earlier| earlier.target != target);
        mounts.push(Mount {
            source: source.clone(),
            sub_path,
            target,
            readonly,
        });
    }
    // Parents first, else they would hide their children.
    mounts.sort_by_key(|mount| mount.target.components().count());
    Ok(mounts)
}

/// The quality-of-service class by Kubernetes' rule.
pub(crate) fn quality_of_service(pod: &Pod) -> &'static str {
    let spec = pod.spec.as_ref();
    let all = || {
        spec.into_iter()
            .flat_map(|s| s.containers.iter().chain(s.init_containers.iter().flatten()))
    };
    let (mut any, mut guaranteed) = (false, true);
    for container in all() {
        let resources = container.resources.as_ref();
        let limits = resources.and_then(|r| r.limits.as_ref());
        let requests = resources.and_then(|r| r.requests.as_ref());
        for name in ["cpu", "memory"] {
            let limit = limits.and_then(|l| l.get(name));
            let request = requests.and_then(|r| r.get(name));
            any |= limit.is_some() || request.is_some();
            guaranteed &= limit.is_some() && request.is_none_or(|request| Some(request) == limit);
        }
    }
    match (any, guaranteed) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}
