//! The program `argosy-controller`: reads its configuration, waits for its turn to lead, runs a [`Controller`], serves
//! health and metrics, and stops cleanly. Not here: anything about workflows.

pub mod args;
mod configuration;
mod connect;
mod health;
mod log;
mod serve;

use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, bail};
use argosy_engine::Config;
use http::StatusCode;
use kube::Client;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use crate::entrypoints::Registries;
use crate::environment::{Election, Environment};
use crate::fence::Fence;
use crate::meter::Meter;
use crate::metrics::Registry;
use crate::otlp::{self, Tracer};
use crate::settings::Settings;
use crate::{Controller, Options, leader};

pub use args::Args;
use configuration::Source;
use health::Health;

/// Runs the program and gives its exit code: 0 after a wanted stop, 1 after a failure or a lost lease.
pub fn main(args: Args) -> ExitCode {
    // The first provider stays; a second call only says that there is one.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let registry = Arc::new(Registry::default());
    let started = log::start(args.loglevel, args.log_format, registry.clone());
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(threads())
        .enable_all()
        .build();
    let done = match (started, runtime) {
        (Ok(()), Ok(runtime)) => {
            let done = runtime.block_on(run(args, registry));
            runtime.shutdown_background();
            done
        }
        (Err(failure), _) => Err(failure),
        (_, Err(failure)) => Err(failure.into()),
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            error!(error = %format!("{failure:#}"), "The controller ends");
            ExitCode::FAILURE
        }
    }
}

/// How many threads work: few, since nearly all work is short and waits for the API server, and threads that wake each
/// other for it take a fifth more time. What takes long is done apart (see `worker`).
fn threads() -> usize {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    (cores / 4).max(1)
}

/// What stays the same as long as the program runs.
struct Program {
    args: Args,
    /// Behind the fence: for everything that only a leader may do.
    client: Client,
    /// In front of it: for the lease and the configuration.
    own: Client,
    namespace: String,
    fence: Fence,
    registry: Arc<Registry>,
    health: Arc<Health>,
    election: Election,
    status_max: usize,
    tracer: Tracer,
    /// Whether metrics are sent as what came since the last time.
    delta: Arc<AtomicBool>,
    stop: CancellationToken,
}

async fn run(args: Args, registry: Arc<Registry>) -> anyhow::Result<()> {
    let stop = CancellationToken::new();
    stop_at_signals(stop.clone()).context("listening for signals")?;
    let get = |name: &str| std::env::var(name).ok();
    let environment = Environment::new(&get);
    let election = environment.election()?;
    let health = Health::new(environment.healthz_age()?);
    let fence = Fence::default();
    let connection = connect::config(&args.connection)
        .await
        .context("finding out how Kubernetes is reached")?;
    let namespace = connection.default_namespace.clone();
    let meter = Meter::new(registry.clone(), args.qps, args.burst);
    let (client, own) = connect::clients(connection, &fence, &meter).context("making a client")?;
    let source = Source {
        client: own.clone(),
        namespace: namespace.clone(),
        name: args.configmap.clone(),
        base: base(&args, environment.config()?, &namespace),
    };
    let settings = source.read().await?;
    let otlp = otlp::Settings::read(&get)?;
    let mut servers = JoinSet::new();
    let tracer = match otlp.traces.clone() {
        None => Tracer::default(),
        Some(target) => {
            let (tracer, sending) = otlp::send_spans(&otlp, target).context("sending spans")?;
            servers.spawn(sending);
            tracer
        }
    };
    info!(version = env!("CARGO_PKG_VERSION"), namespace = %namespace, "Starting");
    let program = Program {
        args,
        client,
        own,
        namespace,
        fence,
        registry,
        health,
        election,
        status_max: environment.status_max()?,
        tracer,
        delta: Arc::default(),
        stop,
    };
    program.serve(&settings, &mut servers).await?;
    if let Some(target) = otlp.metrics.clone() {
        servers.spawn(program.send_metrics(&otlp, target)?);
    }
    let (changes, settings) = watch::channel(settings);
    // Kept to the end, or who waits for changes would see that none can come.
    let _kept = changes.clone();
    if environment.watches_configuration() {
        servers.spawn(source.follow(changes));
    }
    program.lead(settings).await
}

/// What the command line says of decisions, over what the environment says.
fn base(args: &Args, mut config: Config, namespace: &str) -> Config {
    namespace.clone_into(&mut config.namespace);
    if let Some(image) = args.executor_image.clone().filter(|i| !i.is_empty()) {
        config.executor_image = image;
    }
    config
        .executor_image_pull_policy
        .clone_from(&args.executor_image_pull_policy);
    args.loglevel.as_str().clone_into(&mut config.log_level);
    args.log_format.as_str().clone_into(&mut config.log_format);
    config.glog_level = args.gloglevel;
    config.executor_plugins = args.executor_plugins;
    config.workflow_plugins = args.workflow_level_executor_plugins;
    config
}

fn stop_at_signals(stop: CancellationToken) -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        info!("Stopping");
        stop.cancel();
    });
    Ok(())
}

/// Why a term of leading ended.
enum Ended {
    Stopped,
    Lost,
    /// The instance id changed, and with it the lease.
    Again,
}

impl Program {
    async fn serve(&self, settings: &Settings, servers: &mut JoinSet<()>) -> anyhow::Result<()> {
        let health = self.health.clone();
        let listener = serve::listen(self.args.health_port).await?;
        servers.spawn(serve::run(
            listener,
            None,
            Arc::new(move |path| health.answer(path)),
        ));
        let metrics = &settings.metrics;
        self.registry.configure(metrics.modifiers.clone(), metrics.ttl);
        self.delta.store(metrics.delta, Ordering::Relaxed);
        self.registry.add("version", BUILD, 1.0);
        if !metrics.enabled {
            return Ok(());
        }
        let listener = serve::listen(metrics.port).await?;
        let tls = match metrics.secure {
            true => Some(serve::self_signed().context("making the certificate of the metrics port")?),
            false => None,
        };
        let (registry, health, path) = (self.registry.clone(), self.health.clone(), metrics.path.clone());
        let answer = move |asked: &str| {
            let text = || match health.probe() {
                Some(probe) => registry.text(&probe.gauges()),
                None => registry.text(&[]),
            };
            (asked == path).then(|| (StatusCode::OK, text()))
        };
        servers.spawn(serve::run(listener, tls, Arc::new(answer)));
        Ok(())
    }

    fn send_metrics(
        &self,
        settings: &otlp::Settings,
        target: otlp::Target,
    ) -> anyhow::Result<impl Future<Output = ()> + Send + 'static> {
        let health = self.health.clone();
        let gauges = move || health.probe().map(|probe| probe.gauges()).unwrap_or_default();
        otlp::send_metrics(
            settings,
            target,
            self.registry.clone(),
            gauges,
            self.delta.clone(),
        )
        .context("sending metrics")
    }

    /// Leads, as often as it takes, until the program is to stop.
    async fn lead(&self, mut settings: watch::Receiver<Settings>) -> anyhow::Result<()> {
        loop {
            let now = settings.borrow_and_update().clone();
            let ended = match self.lease(&now.engine.instance_id) {
                None => {
                    self.fence.open();
                    let (_never, leading) = watch::channel(true);
                    self.term(&mut settings, now, leading).await
                }
                Some(lease) => {
                    let term = self.stop.child_token();
                    let (sender, leading) = watch::channel(false);
                    let asking = leader::run(
                        self.own.clone(),
                        lease.clone(),
                        self.fence.clone(),
                        sender,
                        term.clone(),
                    );
                    let asking = tokio::spawn(asking);
                    let ended = self.term(&mut settings, now, leading).await;
                    term.cancel();
                    let _ = asking.await;
                    self.fence.shut();
                    if !matches!(ended, Ended::Lost) {
                        leader::release(&self.own, &lease).await;
                    }
                    ended
                }
            };
            match ended {
                Ended::Stopped => return Ok(()),
                Ended::Lost => bail!("the lease was lost"),
                Ended::Again => {}
            }
        }
    }

    fn lease(&self, instance_id: &str) -> Option<leader::Options> {
        let identity = self.election.identity.clone()?;
        let name = match instance_id {
            "" => "workflow-controller".to_owned(),
            id => format!("workflow-controller-{id}"),
        };
        Some(leader::Options {
            namespace: self.namespace.clone(),
            name,
            identity,
            duration: self.election.lease,
            deadline: self.election.deadline,
            retry: self.election.retry,
        })
    }

    /// Waits until we lead, then runs controllers until something ends it.
    async fn term(
        &self,
        settings: &mut watch::Receiver<Settings>,
        mut now: Settings,
        mut leading: watch::Receiver<bool>,
    ) -> Ended {
        let id = now.engine.instance_id.clone();
        self.registry.set("is_leader", &[], 0.0);
        tokio::select! {
            () = self.stop.cancelled() => return Ended::Stopped,
            led = leading.wait_for(|led| *led) => if led.is_err() { return Ended::Stopped },
        }
        self.registry.set("is_leader", &[], 1.0);
        loop {
            let controller = self.start(&now);
            self.health.watch(Some(controller.probe()));
            let ended = self.follow(&controller, settings, &mut now, &mut leading).await;
            self.health.watch(None);
            if matches!(ended, Some(Ended::Lost)) {
                self.fence.shut();
            }
            controller.stop().await;
            self.registry.set("is_leader", &[], 0.0);
            match ended {
                Some(ended) => return ended,
                None if now.engine.instance_id != id => return Ended::Again,
                None => info!("Starting anew with the changed configuration"),
            }
            self.registry.set("is_leader", &[], 1.0);
        }
    }

    /// Applies changes to a running controller; `None` when one needs a new controller.
    async fn follow(
        &self,
        controller: &Controller,
        settings: &mut watch::Receiver<Settings>,
        now: &mut Settings,
        leading: &mut watch::Receiver<bool>,
    ) -> Option<Ended> {
        loop {
            tokio::select! {
                () = self.stop.cancelled() => return Some(Ended::Stopped),
                _ = leading.wait_for(|led| !*led) => return Some(match self.stop.is_cancelled() {
                    true => Ended::Stopped,
                    false => Ended::Lost,
                }),
                Ok(()) = settings.changed() => {}
            }
            let before = std::mem::replace(now, settings.borrow_and_update().clone());
            self.registry
                .configure(now.metrics.modifiers.clone(), now.metrics.ttl);
            self.delta.store(now.metrics.delta, Ordering::Relaxed);
            if (before.metrics.port, before.metrics.secure, &before.metrics.path)
                != (now.metrics.port, now.metrics.secure, &now.metrics.path)
            {
                warn!("Port, path and TLS of metrics change with the next start");
            }
            let anew = before.engine.instance_id != now.engine.instance_id
                || before.namespace != now.namespace
                || before.engine.pod_gc_grace_secs != now.engine.pod_gc_grace_secs;
            if anew {
                return None;
            }
            controller.reconfigure(now.engine.clone(), now.limits.clone(), now.conduct);
        }
    }

    fn start(&self, settings: &Settings) -> Controller {
        let options = Options {
            config: settings.engine.clone(),
            limits: settings.limits.clone(),
            namespace: self.watched(settings),
            workers: self.args.workflow_workers.max(1),
            cleaners: self.args.pod_cleanup_workers.max(1),
            cron_workers: self.args.cron_workflow_workers.max(1),
            images: Arc::new(Registries::new(self.client.clone())),
            conduct: settings.conduct,
            status_max: self.status_max,
            metrics: self.registry.clone(),
            tracer: self.tracer.clone(),
            ..Options::default()
        };
        info!(namespace = ?options.namespace, instance_id = %settings.engine.instance_id, "Serving workflows");
        Controller::start(self.client.clone(), options)
    }

    /// The only namespace that is served; `None` is all (C-PROC-02).
    fn watched(&self, settings: &Settings) -> Option<String> {
        let managed = Some(self.args.managed_namespace.clone()).filter(|n| !n.is_empty());
        if self.args.namespaced {
            let own = || self.namespace.clone();
            return Some(managed.or_else(|| settings.namespace.clone()).unwrap_or_else(own));
        }
        if managed.is_some() {
            warn!("--managed-namespace counts only with --namespaced");
        }
        settings.namespace.clone()
    }
}

/// What dashboards show of this build. There is no Go in it, and a build that is the same from the same sources knows
/// neither its date nor its commit.
const BUILD: &[(&str, &str)] = &[
    ("version", env!("CARGO_PKG_VERSION")),
    ("platform", PLATFORM),
    ("go_version", ""),
    ("build_date", ""),
    ("compiler", "rustc"),
    ("git_commit", ""),
    ("git_tree_state", ""),
    ("git_tag", concat!("v", env!("CARGO_PKG_VERSION"))),
];

const PLATFORM: &str = if cfg!(target_arch = "aarch64") {
    "linux/arm64"
} else {
    "linux/amd64"
};
