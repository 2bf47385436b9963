//! The slow parts of a pod's life, each a task of its own: making the sandbox, preparing and starting a container.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Container as Spec, Pod, PodSpec};
use sha2::{Digest, Sha256};
use tokio::sync::mpsc;

use super::again;
use super::ask::Target;
use super::handle::{Handle, Output};
use super::hook;
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
}

/// Makes folders, volumes and the sandbox.
pub(crate) async fn set_up(
    shared: &Shared,
    pod: &Pod,
    dir: &Path,
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
    fs::create_dir_all(dir).map_err(retry(dir))?;
    let volumes = volumes::prepare(pod, dir, &shared.sources)
        .await
        .map_err(|e| SetUpError::Retry {
            reason: "FailedMount",
            message: e.to_string(),
        })?;
    let hostname = hostname(pod);
    let lease = lease(shared, spec)?;
    let sandbox_spec = SandboxSpec {
        dir: dir.to_path_buf(),
        hostname: hostname.clone(),
        network: lease.as_ref().map(Lease::link),
        own_ipc: spec.host_ipc != Some(true),
        own_user: !shared.privileged,
        tmpfs: volumes.tmpfs.clone(),
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

    fn create(message: String) -> Problem {
        Problem::Waiting {
            reason: Reason::CreateContainerError,
            message,
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

    async fn image(&self) -> Result<Image, Problem> {
        let name = self.spec.image.as_deref().unwrap_or_default();
        let store = &self.shared.store;
        let invalid = |error: images::Error| match error {
            images::Error::Reference(_) => Problem::Waiting {
                reason: Reason::InvalidImageName,
                message: format!("Failed to apply default image tag {name:?}: {error}"),
            },
            other => Problem::create(full(&other)),
        };
        if self.shared.host_view.is_some() {
            // The image is not needed, but its command is used when it happens to be here.
            return Ok(store.get(name).ok().flatten().unwrap_or_else(|| bare(name)));
        }
        let policy = self.spec.image_pull_policy.as_deref().unwrap_or("IfNotPresent");
        let found = store.get(name).map_err(invalid)?;
        match (found, policy) {
            // What was taken in by hand is what the user wants, whatever a registry has under that name; and a single
            // machine is often offline, where an image of yesterday beats an error.
            (Some(image), "Always") if image.pulled => Ok(self.pull(name).await.unwrap_or(image)),
            (Some(image), _) => {
                let said = format!("Container image {name:?} already present on machine");
                self.tell("Pulled", said);
                Ok(image)
            }
            (None, "Never") => Err(Problem::Waiting {
                reason: Reason::ErrImageNeverPull,
                message: format!("Container image {name:?} is not present with pull policy of Never"),
            }),
            (None, _) => self.pull(name).await,
        }
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
        let claimed = self.shared.store.claim(&image.reference, id, dir);
        claimed
            .map_err(|e| Problem::create(full(&e)))?
            .ok_or_else(|| Problem::create(format!("image {} was deleted meanwhile", image.reference)))
    }

    async fn pull(&self, name: &str) -> Result<Image, Problem> {
        let failed = |message: String| {
            let said = format!("Failed to pull image {name:?}: {message}");
            let container = Some(self.spec.name.as_str());
            self.handle.notes.warning(container, "Failed", said);
            Problem::Waiting {
                reason: Reason::ErrImagePull,
                message,
            }
        };
        self.tell("Pulling", format!("Pulling image {name:?}"));
        let begun = Instant::now();
        let pulled = self
            .shared
            .pull(&self.pod, name)
            .await
            .map_err(|e| failed(full(&e)))?;
        let found = self.shared.store.get(&pulled).map_err(|e| failed(full(&e)))?;
        let image = found.ok_or_else(|| failed("the image was deleted while it was pulled".into()))?;
        let took = format!("{:.3}s", begun.elapsed().as_secs_f64());
        let size = image.size_bytes;
        let said = format!(
            "Successfully pulled image {name:?} in {took} ({took} including waiting). Image size: {size} bytes."
        );
        self.tell("Pulled", said);
        Ok(image)
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
