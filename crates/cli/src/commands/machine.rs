//! What `run` and `standalone` share: options of a platform on this machine, and the signals that end it.

use std::future::Future;
use std::path::{Path, PathBuf};

use anyhow::Context;
use argosy_standalone::{NetworkChoice, Options, Platform, RuntimeChoice, label_fault, user_pull_options};
use tokio::signal::unix::{SignalKind, signal};

use crate::failure::{hinted, tell};

/// How pods are run on this machine.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct MachineArgs {
    /// How containers are made: builtin, host (they see this machine's files, whatever their image), runc, crun, or the
    /// path of another OCI runtime
    #[arg(long, env = "ARGOSY_RUNTIME", value_parser = runtime)]
    pub runtime: Option<RuntimeChoice>,
    /// How pods are connected: bridge (each has an address of its own; needs root) or host [default: bridge where that can
    /// be, else host, which is said]
    #[arg(long, env = "ARGOSY_NETWORK", value_parser = network)]
    pub network: Option<NetworkChoice>,
    /// Give the node of this machine a label, for pods that select by it; can be repeated
    #[arg(long = "node-label", value_name = "KEY=VALUE", value_parser = label)]
    pub node_labels: Vec<(String, String)>,
    /// Take the images of a docker archive or OCI layout; can be repeated
    #[arg(long, value_name = "PATH")]
    pub images: Vec<PathBuf>,
    /// Settings of the controller: a file with the ConfigMap workflow-controller-configmap, or with its keys
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
}

impl MachineArgs {
    /// Fills in what was chosen.
    ///
    /// # Errors
    /// When the user's settings of registries, or those of the controller, can't be read.
    pub fn apply(&self, options: &mut Options) -> anyhow::Result<()> {
        options.pull = user_pull_options().context("reading the settings of registries")?;
        let Self {
            runtime,
            network,
            node_labels,
            images: _,
            config,
        } = self;
        options.node_labels = node_labels.iter().cloned().collect();
        if let Some(runtime) = runtime {
            options.runtime = runtime.clone();
        }
        if let Some(network) = network {
            options.network = *network;
        }
        if let Some(config) = config {
            configure(options, config).with_context(|| format!("settings in {}", config.display()))?;
        }
        Ok(())
    }

    /// Takes the images that were named.
    ///
    /// # Errors
    /// When a file can't be read or holds no image.
    pub async fn import(&self, platform: &Platform) -> anyhow::Result<()> {
        for path in &self.images {
            platform
                .import_images(path)
                .await
                .with_context(|| format!("taking the images of {}", path.display()))?;
        }
        Ok(())
    }
}

fn configure(options: &mut Options, file: &Path) -> anyhow::Result<()> {
    let ineffective = options.configure(&std::fs::read_to_string(file)?)?;
    if !ineffective.is_empty() {
        tell(&format!(
            "note: keys without effect in {}: {}\n",
            file.display(),
            ineffective.join(", ")
        ));
    }
    Ok(())
}

fn runtime(text: &str) -> Result<RuntimeChoice, String> {
    match text {
        "" => Err("no runtime has no name".to_owned()),
        "auto" => Ok(RuntimeChoice::Auto),
        "builtin" => Ok(RuntimeChoice::Builtin),
        "host" => Ok(RuntimeChoice::Host),
        "runc" | "crun" => Ok(RuntimeChoice::Oci(text.into())),
        path if path.contains('/') => Ok(RuntimeChoice::Oci(path.into())),
        _ => Err("expected builtin, host, runc, crun, or a path".to_owned()),
    }
}

fn network(text: &str) -> Result<NetworkChoice, String> {
    match text {
        "auto" => Ok(NetworkChoice::Auto),
        "host" => Ok(NetworkChoice::Host),
        "bridge" => Ok(NetworkChoice::Bridge),
        _ => Err("expected host or bridge".to_owned()),
    }
}

fn label(text: &str) -> Result<(String, String), String> {
    let (key, value) = text
        .split_once('=')
        .ok_or("expected KEY=VALUE, such as disk=ssd")?;
    match label_fault(key, value) {
        Some(fault) => Err(fault),
        None => Ok((key.to_owned(), value.to_owned())),
    }
}

/// Starts a platform and tells what is not as one would expect; what keeps it from starting comes with advice.
///
/// # Errors
/// As [`Platform::start`].
pub async fn start(options: Options) -> anyhow::Result<Platform> {
    let platform = Box::pin(Platform::start(options)).await.map_err(|error| {
        let hint = error.hint();
        let error = anyhow::Error::from(error).context("starting the platform");
        hinted(error, hint)
    })?;
    for notice in platform.notices() {
        tell(&format!("note: {notice}\n"));
    }
    Ok(platform)
}

/// Signals with which users and systems ask programs to end.
pub struct Interrupts([tokio::signal::unix::Signal; 3]);

impl Interrupts {
    /// Listens from now on; the signals no longer end the program by themselves.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn new() -> anyhow::Result<Self> {
        let of = |kind| signal(kind).context("listening for signals");
        Ok(Self([
            of(SignalKind::interrupt())?,
            of(SignalKind::terminate())?,
            of(SignalKind::hangup())?,
        ]))
    }

    /// Resolves at the next signal.
    pub fn caught(&mut self) -> impl Future<Output = ()> + '_ {
        let [interrupt, terminate, hangup] = &mut self.0;
        async move {
            tokio::select! {
                _ = interrupt.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
        }
    }
}
