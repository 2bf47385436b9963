//! The slow parts of a pod's life, each a task of its own: making the sandbox, preparing and starting a container.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Container as Spec, Pod, PodSpec};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use super::again;
use super::ask::Target;
use super::handle::{Handle, Output};
use super::hook;
use super::image::Wanted;
use super::refuse::refusal;
use super::seen::{self, Reason};
use crate::cgroups::Limits;
use crate::images::{self, Image};
use crate::logs::Log;
use crate::network::{Lease, files};
use crate::node::Shared;
use crate::runtime::{self, Cgroup, Ended, LogFile, Pids, ProcessSpec, Sandbox, SandboxSpec};
use crate::spec::downward::Addresses;
use crate::spec::{Surroundings, container_spec, environment};
use crate::volumes::{self, Prepared};

/// What containers of a pod stand on.
pub(crate) struct Ground {
    pub(crate) sandbox: Arc<dyn Sandbox>,
    pub(crate) volumes: Prepared,
    pub(crate) ip: String,
    /// The pod's own address, kept for it; without one it shares the host's network.
    pub(crate) lease: Option<Lease>,
}

/// A pod could not be set up.
pub(crate) enum SetUpError {
    /// Trying again may help: an object may appear. `reason` is that of the Event which tells of it.
    Retry { reason: &'static str, message: String },
    /// It will not.
    Refused(String),
}

impl SetUpError {
    fn sandbox(message: String) -> SetUpError {
        SetUpError::Retry {
            reason: "FailedCreatePodSandBox",
            message,
        }
    }

    fn mount(error: &volumes::Error) -> SetUpError {
        SetUpError::Retry {
            reason: "FailedMount",
            message: error.to_string(),
        }
    }
}

/// Makes folders, volumes and the sandbox.
pub(crate) async fn set_up(
    shared: &Shared,
    pod: &Pod,
    handle: &Handle,
) -> Result<(Ground, mpsc::UnboundedReceiver<Ended>), SetUpError> {
    if let Some(refusal) = refusal(pod, shared.bridge.is_some()) {
        return Err(SetUpError::Refused(refusal));
    }
    let spec = pod
        .spec
        .as_ref()
        .ok_or_else(|| SetUpError::Refused("the pod has no spec".into()))?;
    let retry = |what: &Path| {
        let what = what.display().to_string();
        move |e: std::io::Error| SetUpError::sandbox(format!("{what}: {e}"))
    };
    let dir = handle.dir.as_path();
    fs::create_dir_all(dir).map_err(retry(dir))?;
    let volumes = volumes::prepare(pod, dir, &shared.sources).await;
    let mut volumes = volumes.map_err(|e| SetUpError::mount(&e))?;
    let images = Wanted {
        shared,
        pod,
        notes: &handle.notes,
        container: None,
    };
    let added = images.add_volumes(dir, &mut volumes).await;
    added.map_err(|e| SetUpError::mount(&e))?;
    let hostname = hostname(pod);
    let lease = lease(shared, spec)?;
    let sandbox_spec = SandboxSpec {
        dir: dir.to_path_buf(),
        hostname: hostname.clone(),
        network: lease.as_ref().map(Lease::link),
        own_ipc: spec.host_ipc != Some(true),
        own_user: !shared.privileged,
        tmpfs: volumes.tmpfs.clone(),
        images: volumes.images.clone(),
        keep_running: shared.options.keep_running,
    };
    let ip = match &lease {
        Some(lease) => lease.address().to_string(),
        None => shared.host_ip.clone(),
    };
    files::write(pod, dir, &hostname, &ip, lease.is_some()).map_err(retry(dir))?;
    if shared.options.keep_running {
        again::keep(dir, &volumes, &ip, lease.is_some()).map_err(retry(dir))?;
    }
    let (sandbox, ends) = shared
        .runtime
        .create(&sandbox_spec)
        .await
        .map_err(|e| SetUpError::sandbox(full(&e)))?;
    Ok((
        Ground {
            sandbox: Arc::from(sandbox),
            volumes,
            ip,
            lease,
        },
        ends,
    ))
}

/// An address for the pod, unless it shares the host's network.
fn lease(shared: &Shared, spec: &PodSpec) -> Result<Option<Lease>, SetUpError> {
    let Some(bridge) = &shared.bridge else {
        return Ok(None);
    };
    if spec.host_network == Some(true) {
        return Ok(None);
    }
    let lease = bridge.lease();
    lease
        .map(Some)
        .ok_or_else(|| SetUpError::sandbox("all addresses for pods are in use".into()))
}

fn hostname(pod: &Pod) -> String {
    let name = pod
        .spec
        .as_ref()
        .and_then(|s| s.hostname.clone())
        .or_else(|| pod.metadata.name.clone());
    // The kernel takes 64 bytes; Kubernetes cuts at 63.
    let name: String = name.unwrap_or_default().chars().take(63).collect();
    name.trim_end_matches(['-', '.']).to_string()
}

/// A container that runs.
pub(crate) struct Started {
    pub(crate) at: Timestamp,
    pub(crate) image_id: String,
    pub(crate) container_id: String,
    pub(crate) process: ProcessSpec,
    pub(crate) log: Arc<Log>,
    /// Why the hook after its start failed; the container is ended then.
    pub(crate) hook_failure: Option<String>,
}

/// A container that does not.
pub(crate) enum Problem {
    /// It is tried again later.
    Waiting { reason: Reason, message: String },
    /// Its program could not be started: that counts as an attempt.
    StartError {
        message: String,
        container_id: String,
        image_id: String,
    },
}

impl Problem {
    fn config(message: String) -> Problem {
        Problem::Waiting {
            reason: Reason::CreateContainerConfigError,
            message,
        }
    }

    pub(super) fn create(message: String) -> Problem {
        Problem::Waiting {
            reason: Reason::CreateContainerError,
            message,
        }
    }

    pub(super) fn message(self) -> String {
        match self {
            Problem::Waiting { message, .. } | Problem::StartError { message, .. } => message,
        }
    }
}

/// One attempt to start a container.
pub(crate) struct Attempt {
    pub(crate) shared: Arc<Shared>,
    pub(crate) pod: Arc<Pod>,
    pub(crate) spec: Spec,
    pub(crate) ground: Arc<Ground>,
    pub(crate) handle: Arc<Handle>,
    pub(crate) key: String,
    pub(crate) number: u32,
}

impl Attempt {
    /// Gets the image, puts the container together and starts it.
    pub(crate) async fn run(self) -> Result<Started, Problem> {
        let image = self.image().await?;
        let id = self.id();
        let container_id = format!("argosy://{id}");
        let dir = again::attempt_dir(&self.handle.dir, &self.key);
        self.make_folders(&dir)
            .map_err(|e| Problem::create(format!("{}: {e}", dir.display())))?;
        let image = self.claim(image, &id, &dir)?;
        let addresses = Addresses {
            host_ip: self.shared.host_ip.clone(),
            pod_ip: self.ground.ip.clone(),
        };
        let api = self.shared.options.api_address.as_ref();
        let config = if self.shared.host_view.is_some() {
            images::ImageConfig {
                env: Vec::new(),
                ..image.config.clone()
            }
        } else {
            image.config.clone()
        };
        let env = environment(
            &self.pod,
            &self.spec,
            &config,
            api,
            &addresses,
            &self.shared.sources,
        );
        let env = env.await.map_err(Problem::config)?;
        let around = Surroundings {
            pod: &self.pod,
            container: &self.spec,
            image: &image,
            layers_dir: self.shared.store.layers_dir(),
            volumes: &self.ground.volumes,
            pod_dir: &self.handle.dir,
            dir: &dir,
            key: self.key.clone(),
            host_view: self.shared.host_view.clone(),
            pids: self.pids().map_err(Problem::config)?,
            own_network: self.ground.lease.is_some(),
            oci_runtime: self.shared.oci_runtime.clone(),
            log: self.log_file(),
            container_id: &container_id,
            cgroups: self.cgroups(&id)?,
        };
        let spec = container_spec(&around, env).map_err(Problem::config)?;
        let log = Log::new(spec.log.path.clone());
        self.expect_output(&log, &dir);
        self.tell("Created", format!("Created container: {}", self.spec.name));
        match self.ground.sandbox.start(&spec).await {
            Ok(()) => {
                let at = Timestamp::now();
                self.tell("Started", format!("Started container {}", self.spec.name));
                Ok(Started {
                    at,
                    hook_failure: self.after_start(&spec.process).await,
                    image_id: image.id,
                    container_id,
                    process: spec.process,
                    log,
                })
            }
            Err(runtime::Error::Start(failure)) => {
                log.close();
                let message = format!(
                    "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create \
                     failed: unable to start container process: {}",
                    failure.message
                );
                Err(Problem::StartError {
                    message,
                    container_id,
                    image_id: image.id,
                })
            }
            Err(error) => Err(Problem::create(full(&error))),
        }
    }

    /// Whose processes the container sees.
    fn pids(&self) -> Result<Pids, String> {
        let spec = self.pod.spec.as_ref();
        if spec.and_then(|spec| spec.share_process_namespace) == Some(true) {
            return Ok(Pids::Pod);
        }
        let mut added = seen::ephemeral(&self.pod).filter(|added| added.name == self.spec.name);
        let target = added.find_map(|added| added.target_container_name.as_deref());
        let Some(target) = target.filter(|name| !name.is_empty()) else {
            return Ok(Pids::Own);
        };
        if self.shared.oci_runtime.is_some() {
            return Err("an OCI runtime cannot show the processes of a target container".into());
        }
        let live = self.handle.container(target);
        live.map(|live| Pids::Of(live.key))
            .ok_or_else(|| format!("target container {target:?} does not run"))
    }

    fn tell(&self, reason: &'static str, message: String) {
        self.handle.notes.normal(Some(&self.spec.name), reason, message);
    }

    /// Runs the hook after the start, if there is one; a container whose hook fails is killed.
    async fn after_start(&self, process: &ProcessSpec) -> Option<String> {
        let lifecycle = self.spec.lifecycle.as_ref();
        let hook = lifecycle.and_then(|lifecycle| lifecycle.post_start.as_ref())?;
        let target = Target {
            handle: Arc::clone(&self.handle),
            spec: self.spec.clone(),
            key: self.key.clone(),
            ip: self.ground.ip.clone(),
            process: process.clone(),
        };
        let failure = hook::run(&target, hook).await.err()?;
        let message = format!("PostStartHook failed: {failure}");
        let name = Some(self.spec.name.as_str());
        self.handle.notes.warning(name, "FailedPostStartHook", message);
        let _ = self.ground.sandbox.signal(&self.key, libc::SIGKILL, true).await;
        Some(format!("PostStartHookError: {failure}"))
    }

    /// The end of a container may be told before its start: what it leaves must be known by then.
    fn expect_output(&self, log: &Arc<Log>, dir: &Path) {
        let output = Output::new(&self.spec, Arc::clone(log), dir.to_path_buf());
        self.handle.add_output(&self.key, output);
    }

    fn log_file(&self) -> LogFile {
        let logs = self.handle.dir.join("logs").join(&self.spec.name);
        LogFile {
            path: logs.join(format!("{}.log", self.number)),
            limit_bytes: self.shared.options.log_limit_bytes,
            older_files: self.shared.options.log_older_files,
        }
    }

    fn id(&self) -> String {
        let uid = self.pod.metadata.uid.as_deref().unwrap_or_default();
        images::hex(&Sha256::digest(format!("{uid}/{}", self.key).as_bytes()))
    }

    fn make_folders(&self, dir: &Path) -> std::io::Result<()> {
        // Left over from a start that was cancelled or failed.
        crate::tree::remove(dir)?;
        let log = self.log_file().path;
        fs::create_dir_all(log.parent().unwrap_or(dir))?;
        // Who asks for the log before anything is printed shall find an empty one.
        fs::File::create(log)?;
        for part in ["upper", "work", "rootfs"] {
            fs::create_dir_all(dir.join(part))?;
        }
        let last_words = dir.join("termination-log");
        fs::write(&last_words, "")?;
        // Any user of the container may leave a message.
        fs::set_permissions(&last_words, std::os::unix::fs::PermissionsExt::from_mode(0o666))
    }

    fn wanted(&self) -> Wanted<'_> {
        Wanted {
            shared: &self.shared,
            pod: &self.pod,
            notes: &self.handle.notes,
            container: Some(&self.spec.name),
        }
    }

    async fn image(&self) -> Result<Image, Problem> {
        let name = self.spec.image.as_deref().unwrap_or_default();
        if self.shared.host_view.is_some() {
            // The image is not needed, but its command is used when it happens to be here.
            let found = self.shared.store.get(name).ok().flatten();
            return Ok(found.unwrap_or_else(|| bare(name)));
        }
        let policy = self.spec.image_pull_policy.as_deref();
        self.wanted().get(name, policy).await
    }

    /// The groups that limit the container; limits without one are told of once.
    fn cgroups(&self, id: &str) -> Result<Vec<Cgroup>, Problem> {
        let limits = Limits::of(&self.spec).map_err(Problem::config)?;
        if let Some((resources, why)) = self.shared.cgroups.unlimited(&limits)
            && self.shared.told_unlimited.set(()).is_ok()
        {
            tracing::warn!(?resources, why, "Limits of containers are not applied");
        }
        Ok(self.shared.cgroups.groups(id, &limits))
    }

    /// Keeps the image's layers as long as the container's folder exists.
    fn claim(&self, image: Image, id: &str, dir: &Path) -> Result<Image, Problem> {
        if self.shared.host_view.is_some() {
            return Ok(image);
        }
        self.wanted().claim(&image, id, dir)
    }
}

fn bare(reference: &str) -> Image {
    Image {
        reference: reference.into(),
        id: String::new(),
        layers: Vec::new(),
        config: images::ImageConfig::default(),
        files: Vec::new(),
        size_bytes: 0,
        pulled: false,
    }
}

/// An error with all its causes.
pub(crate) fn full(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text.push_str(&format!(": {cause}"));
        source = cause.source();
    }
    text
}
