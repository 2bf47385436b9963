//! Watches, asks the engine, performs its effects, persists; never branches on what a workflow means.
//!
//! [`Controller::start`] runs until [`Controller::stop`]. Deciding is `argosy-engine`'s; here are the tasks around it:
//! feeds (`feed`) fill the [`world`], the queue says who is looked at, `worker` looks.

pub mod api;
mod cleanup;
pub mod clock;
mod collect;
mod conduct;
mod cron;
mod effects;
pub mod entrypoints;
pub mod environment;
mod feed;
pub mod fence;
mod identity;
mod images;
pub mod leader;
mod lean;
mod maps;
pub mod meter;
pub mod metrics;
mod orphans;
pub mod otlp;
mod probe;
pub mod program;
mod queue;
mod repository;
mod retention;
pub mod settings;
mod watch;
mod watchdog;
mod worker;
pub mod world;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};
use std::time::{Duration, Instant};

use argosy_engine::throttle::Throttle;
use argosy_engine::{Config, Event, locks};
use argosy_model::k8s::ObjectMeta;
use argosy_model::{ArtifactRepositoryRef, Workflow};
use kube::Client;
use serde::de::IgnoredAny;
use serde_json::Value;
use tokio::sync::{Notify, mpsc};
use tokio::task::JoinSet;
use tokio_util::sync::CancellationToken;
use tracing::debug;

pub use argosy_engine::throttle::Limits;
pub use clock::Clock;
pub use conduct::{Conduct, Events, Rate, Specs};
pub use images::{Images, NoImages};
pub use metrics::Registry;
pub use probe::Probe;

use cleanup::Cleaner;
use conduct::Bucket;
use maps::Maps;
use queue::Queue;
use world::{Key, World};

/// Label that gives a workflow to one of several controllers.
pub const INSTANCE_LABEL: &str = "workflows.argoproj.io/controller-instanceid";

/// How many events may wait to be written; more are dropped, since events are help, not state. A workflow of 500 nodes
/// makes about 1,000.
const EVENTS_MAX: usize = 4096;

/// What the controller can be told at its start.
pub struct Options {
    /// Settings of decisions.
    pub config: Config,
    /// Limits of running workflows.
    pub limits: Limits,
    /// Only this namespace; default: all.
    pub namespace: Option<String>,
    /// How many workflows are looked at at the same time. Default 32; more than the API server answers at once gains
    /// nothing.
    pub workers: usize,
    /// Looks up the entrypoints of images.
    pub images: Arc<dyn Images>,
    /// How many finished pods are tidied up at the same time. Default 4; the peer's number (C-PROC-01).
    pub cleaners: usize,
    /// How many CronWorkflows are looked at at the same time. Default 8; the peer's number (C-PROC-01).
    pub cron_workers: usize,
    /// What tells the time. Default: the machine.
    pub clock: Clock,
    /// How decisions are carried out. Default: at once.
    pub conduct: Conduct,
    /// From how many bytes on the status of a workflow is stored compressed. Default 1 MiB, as etcd takes about 1.5.
    pub status_max: usize,
    /// How soon after the last write of a workflow the next one is made for changes that can wait: how far a node is that
    /// is starting. Default 4 s: a pod on a kubelet passes through several states in the two to three seconds until its
    /// containers run, and a short one has ended a second later; each state that is stored is a write of the whole object.
    /// Longer, and what people see is older; shorter, and the API server has more to write. Where the last write took long,
    /// it is two hundred times that, up to 30 s. 0: what can wait never does.
    pub store_pause: Duration,
    /// Where values of metrics go. Default: a registry of its own.
    pub metrics: Arc<Registry>,
    /// Makes spans. Default: none.
    pub tracer: otlp::Tracer,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            config: Config::default(),
            limits: Limits::default(),
            namespace: None,
            workers: 32,
            images: Arc::new(NoImages),
            cleaners: 4,
            cron_workers: 8,
            clock: Clock::default(),
            conduct: Conduct::default(),
            status_max: 1 << 20,
            store_pause: Duration::from_secs(4),
            metrics: Arc::default(),
            tracer: otlp::Tracer::default(),
        }
    }
}

/// A Kubernetes event that is to be written.
struct EventToWrite {
    namespace: String,
    /// It as text, which takes a fifth of the memory: thousands may wait.
    text: Vec<u8>,
    /// Not before this time.
    due: tokio::time::Instant,
}

/// What all tasks of the controller share.
struct Shared {
    client: Client,
    stopping: CancellationToken,
    config: RwLock<Arc<Config>>,
    world: World,
    queue: Queue<Key>,
    crons: cron::Crons,
    watchdog: watchdog::Watchdog,
    /// Told when a workflow has ended or the number of those that are kept has changed.
    ended: Notify,
    clock: Clock,
    machine: Mutex<locks::Machine>,
    throttle: Mutex<Throttle>,
    plans: Mutex<BTreeMap<Key, worker::Kept>>,
    /// When finished workflows were last looked through for what they left behind.
    tidied: Mutex<BTreeMap<Key, Instant>>,
    cleaner: Arc<Cleaner>,
    images: Arc<dyn Images>,
    maps: Maps,
    metrics: Arc<Registry>,
    tracer: otlp::Tracer,
    status_max: usize,
    store_pause: Duration,
    /// Whether everything was listed once.
    filled: AtomicBool,
    events: mpsc::Sender<EventToWrite>,
    conduct: RwLock<Conduct>,
    /// Limits how fast pods are made, if anything does.
    bucket: Mutex<Option<Bucket>>,
    event_serial: AtomicU64,
}

impl Shared {
    /// The settings that count now. Callers keep one answer for one decision.
    fn config(&self) -> Arc<Config> {
        let config = self.config.read().unwrap_or_else(PoisonError::into_inner);
        config.clone()
    }

    fn conduct(&self) -> Conduct {
        *self.conduct.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Whether a pod may be made now, else after which time.
    fn take_turn(&self) -> Result<(), Duration> {
        let mut bucket = self.bucket.lock().unwrap_or_else(PoisonError::into_inner);
        bucket.as_mut().map_or(Ok(()), Bucket::take)
    }

    fn locks(&self) -> MutexGuard<'_, locks::Machine> {
        self.machine.lock().expect("no holder of this lock panics")
    }

    fn throttle(&self) -> MutexGuard<'_, Throttle> {
        self.throttle.lock().expect("no holder of this lock panics")
    }

    fn plans(&self) -> MutexGuard<'_, BTreeMap<Key, worker::Kept>> {
        self.plans.lock().expect("no holder of this lock panics")
    }

    fn tidied(&self) -> MutexGuard<'_, BTreeMap<Key, Instant>> {
        self.tidied.lock().expect("no holder of this lock panics")
    }

    /// Looks at these workflows (`<namespace>/<name>`) as soon as possible.
    fn wake_workflows(&self, names: &BTreeSet<String>) {
        for (namespace, name) in names.iter().filter_map(|n| n.split_once('/')) {
            self.queue.add(Key::new(namespace, name));
        }
    }

    /// Forgets what was kept of a workflow that needs no more looks, and gives back its locks.
    fn let_go(&self, key: &Key) {
        self.plans().remove(key);
        self.tidied().remove(key);
        self.watchdog.forget(key);
        let op = argosy_engine::locks::Op::ReleaseAll {
            workflow: key.to_string(),
        };
        let woken = self.locks().apply([&op]);
        self.wake_workflows(&woken);
    }

    fn leave_throttler(&self, key: &Key) {
        let next = self.throttle().leave(&key.namespace, &key.name);
        for (namespace, name) in next {
            self.queue.add(Key::new(namespace, name));
        }
    }

    /// The reference that counts: the workflow's, or that of its merged spec.
    fn effective_repository_ref(&self, workflow: &Workflow) -> Option<ArtifactRepositoryRef> {
        let stored = workflow.status.stored_workflow_template_spec.as_ref();
        let own = workflow.spec.artifact_repository_ref.clone();
        own.or_else(|| stored.and_then(|spec| spec.artifact_repository_ref.clone()))
            .or_else(|| self.config().default_spec.artifact_repository_ref.clone())
    }

    /// Hands an event to the writer; never waits for it.
    fn emit(&self, workflow: &Workflow, event: &Event) {
        let events = self.conduct().events;
        let wanted = match event.node_id {
            Some(_) => events.nodes,
            None => events.workflows,
        };
        if !wanted {
            return;
        }
        let annotations = effects::of_node(workflow, event);
        let node = event.node_id.as_ref().filter(|_| events.as_pod);
        let key = Key::new(&workflow.metadata.namespace, &workflow.metadata.name);
        let pause = effects::unhurried(workflow);
        match node.and_then(|id| self.world.pod_of(&key, id)) {
            Some(pod) => self.write_event("Pod", &pod.metadata, event, annotations, pause),
            None => self.write_event("Workflow", &workflow.metadata, event, annotations, pause),
        }
    }

    /// The same for an event about an object of another kind of ours.
    fn emit_about(&self, kind: &str, meta: &ObjectMeta, event: &Event) {
        if self.conduct().events.workflows {
            self.write_event(kind, meta, event, serde_json::Map::new(), Duration::ZERO);
        }
    }

    fn write_event(
        &self,
        kind: &str,
        meta: &ObjectMeta,
        event: &Event,
        annotations: serde_json::Map<String, Value>,
        pause: Duration,
    ) {
        let serial = self.event_serial.fetch_add(1, Ordering::Relaxed);
        let object = effects::event_object(kind, meta, event, annotations, self.clock.now(), serial);
        let event_to_write = EventToWrite {
            namespace: meta.namespace.clone(),
            text: object.to_string().into_bytes(),
            due: tokio::time::Instant::now() + pause,
        };
        if self.events.try_send(event_to_write).is_err() {
            debug!(object = %meta.name, reason = %event.reason, "Event dropped, too many wait");
        }
    }
}

/// A running controller.
pub struct Controller {
    shared: Arc<Shared>,
    /// Watches and workers, apart from the rest so that a stop can wait for them to end by themselves.
    feed: JoinSet<()>,
    tasks: JoinSet<()>,
}

impl Controller {
    /// Starts watching and deciding. It finds by itself what an earlier controller left unfinished.
    pub fn start(client: Client, options: Options) -> Self {
        let Options {
            config,
            limits,
            namespace,
            workers,
            cleaners,
            cron_workers,
            clock,
            images,
            conduct,
            status_max,
            store_pause,
            metrics,
            tracer,
        } = options;
        let grace = config.pod_gc_grace_secs.and_then(|secs| u32::try_from(secs).ok());
        let cleaner = Cleaner::new(client.clone(), grace, metrics.clone());
        let (sender, receiver) = mpsc::channel(EVENTS_MAX);
        let shared = Arc::new(Shared {
            client: client.clone(),
            stopping: CancellationToken::new(),
            config: RwLock::new(Arc::new(config)),
            world: World::default(),
            queue: Queue::told("workflow_queue", metrics.clone()),
            crons: cron::Crons::new(metrics.clone()),
            watchdog: watchdog::Watchdog::default(),
            ended: Notify::new(),
            clock,
            machine: Mutex::default(),
            throttle: Mutex::new(Throttle::new(limits)),
            plans: Mutex::default(),
            tidied: Mutex::default(),
            cleaner: cleaner.clone(),
            images,
            maps: Maps::new(client.clone()),
            metrics,
            tracer,
            status_max,
            store_pause,
            filled: AtomicBool::new(false),
            events: sender,
            conduct: RwLock::new(conduct),
            bucket: Mutex::new(conduct.pods.map(Bucket::new)),
            event_serial: AtomicU64::new(0),
        });
        let mut tasks = JoinSet::new();
        tasks.spawn(write_events(client, receiver));
        for _ in 0..cleaners {
            tasks.spawn(cleaner.clone().work());
        }
        let mut feed = JoinSet::new();
        let workers = feed::Workers {
            workflows: workers,
            crons: cron_workers,
        };
        feed.spawn(feed::run(shared.clone(), namespace, workers));
        Self { shared, feed, tasks }
    }

    /// Takes new settings and limits: decisions from now on follow them, and every workflow that has not ended is
    /// looked at. The instance id stays what it was at the start, as watches select by it.
    pub fn reconfigure(&self, config: Config, limits: Limits, conduct: Conduct) {
        let shared = &self.shared;
        *shared.conduct.write().unwrap_or_else(PoisonError::into_inner) = conduct;
        {
            let mut bucket = shared.bucket.lock().unwrap_or_else(PoisonError::into_inner);
            // What was taken under the same rate counts on.
            if bucket.as_ref().map(Bucket::rate) != conduct.pods {
                *bucket = conduct.pods.map(Bucket::new);
            }
        }
        *shared.config.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(config);
        shared.world.outdate_plans();
        let next = shared.throttle().set_limits(limits);
        for (namespace, name) in next {
            shared.queue.add(Key::new(namespace, name));
        }
        for key in worker::unfinished(shared) {
            shared.queue.add(key);
        }
        shared.crons.look_at(shared.world.cron_keys());
        shared.ended.notify_one();
    }

    /// Values of metrics.
    pub fn metrics(&self) -> &Registry {
        &self.shared.metrics
    }

    /// A view for health checks and metrics.
    pub fn probe(&self) -> Probe {
        Probe(self.shared.clone())
    }

    /// Stops all tasks; once it returns nothing is written any more. What was begun is found again by the next start.
    pub async fn stop(mut self) {
        self.shared.stopping.cancel();
        self.shared.queue.close();
        self.shared.crons.stop();
        self.shared.cleaner.stop();
        while self.feed.join_next().await.is_some() {}
        self.tasks.shutdown().await;
    }
}

/// Writes events one after the other; an event that fails is not worth a retry.
async fn write_events(client: Client, mut events: mpsc::Receiver<EventToWrite>) {
    while let Some(EventToWrite { namespace, text, due }) = events.recv().await {
        tokio::time::sleep_until(due).await;
        let made = api::create_from::<IgnoredAny>(&client, &api::EVENTS, &namespace, text);
        if let Err(failure) = made.await {
            debug!(error = %failure, "Event not written");
        }
    }
}
