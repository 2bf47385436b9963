//! The task that runs one pod: asks `next` what to do, does it, and learns what came of it.

use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::Pod;
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinHandle;

use super::next::{Action, next};
use super::probe::{self, Verdict};
use super::seen::{self, Container, Seen, State};
use super::start::{Attempt, Ground, Problem, SetUpError, Started, set_up};
use crate::logs::Log;
use crate::node::Shared;
use crate::report::{self, Order};
use crate::runtime::{self, Exit, ProcessSpec, Sandbox};

/// Bytes of a termination message, as the kubelet cuts it.
const MESSAGE_LIMIT_BYTES: usize = 4096;
/// Lines and bytes of the log that stand in for a missing message.
const FALLBACK_LINES: usize = 80;
const FALLBACK_BYTES: usize = 2048;
/// How long the status waits for the rest of the output of an ended container. Processes that outlive their container
/// in a shared process namespace may hold it open.
const DRAIN_LIMIT: Duration = Duration::from_millis(500);
/// Longest wait before another try to set up a pod or start a container, in seconds.
const RETRY_LIMIT_SECS: i64 = 60;

/// What reaches a pod's task.
pub(crate) enum Event {
    /// The pod as the API has it now.
    Pod(Arc<Pod>),
    /// The API has it no more.
    Deleted,
    SetUp(Result<(Ground, mpsc::UnboundedReceiver<runtime::Ended>), SetUpError>),
    Started {
        container: String,
        key: String,
        result: Result<Started, Problem>,
    },
    /// A first process ended, and its output is written.
    Ended {
        container: String,
        key: String,
        exit: Exit,
        at: Timestamp,
        last_words: Option<String>,
    },
    /// A probe has found something out.
    Probed {
        container: String,
        key: String,
        verdict: Verdict,
    },
    /// The sandbox ended without being told to.
    SandboxLost,
    TornDown,
    /// The node stops; the pod stays in the API.
    Shutdown,
}

/// What others may reach of a running pod.
pub(crate) struct Handle {
    pub(crate) uid: String,
    pub(crate) dir: PathBuf,
    pub(crate) events: mpsc::UnboundedSender<Event>,
    live: Mutex<Live>,
}

#[derive(Default)]
struct Live {
    sandbox: Option<Arc<dyn Sandbox>>,
    containers: BTreeMap<String, LiveContainer>,
    execs: BTreeMap<String, oneshot::Sender<Exit>>,
    exec_count: u64,
    /// What is still to be read of containers, by key.
    outputs: BTreeMap<String, Output>,
}

/// What a container leaves: its output, and perhaps a message.
pub(crate) struct Output {
    pub(crate) container: String,
    pub(crate) log: Arc<Log>,
    pub(crate) pumps: Vec<JoinHandle<bool>>,
    /// Folder of the attempt.
    pub(crate) dir: PathBuf,
    /// Without a message, the end of the log of a failed container is one.
    pub(crate) fall_back_to_log: bool,
}

/// A container that was started.
#[derive(Clone)]
pub(crate) struct LiveContainer {
    pub(crate) key: String,
    pub(crate) process: ProcessSpec,
    pub(crate) log: Arc<Log>,
}

impl Handle {
    fn live(&self) -> MutexGuard<'_, Live> {
        self.live.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn container(&self, name: &str) -> Option<LiveContainer> {
        self.live().containers.get(name).cloned()
    }

    pub(crate) fn sandbox(&self) -> Option<Arc<dyn Sandbox>> {
        self.live().sandbox.clone()
    }

    /// Must be called before the container is started, whose end may come at once.
    pub(crate) fn add_output(&self, key: &str, output: Output) {
        self.live().outputs.insert(key.into(), output);
    }

    /// Registers a process beside the containers; the receiver tells its end.
    pub(crate) fn add_exec(&self) -> (String, oneshot::Receiver<Exit>) {
        let (sender, receiver) = oneshot::channel();
        let mut live = self.live();
        live.exec_count += 1;
        let key = format!("exec/{}", live.exec_count);
        live.execs.insert(key.clone(), sender);
        (key, receiver)
    }
}

/// Starts the task of a pod.
pub(crate) fn spawn(shared: Arc<Shared>, pod: Arc<Pod>) -> (Arc<Handle>, JoinHandle<()>) {
    let (events, receiver) = mpsc::unbounded_channel();
    let uid = pod.metadata.uid.clone().unwrap_or_default();
    let dir = shared.options.data_dir.join("pods").join(&uid);
    let handle = Arc::new(Handle {
        uid,
        dir,
        events,
        live: Mutex::default(),
    });
    let (orders, reporter) = watch::channel(Order::default());
    tokio::spawn(report::run(shared.client.clone(), Arc::clone(&pod), reporter));
    let seen = Seen::new(&pod, &shared.host_ip, Timestamp::now());
    let worker = Worker {
        shared,
        pod,
        seen,
        handle: Arc::clone(&handle),
        ground: None,
        starting: BTreeMap::new(),
        early_ends: BTreeMap::new(),
        probes: BTreeMap::new(),
        orders,
        set_up_failures: 0,
    };
    let task = tokio::spawn(worker.run(receiver));
    (handle, task)
}

struct Worker {
    shared: Arc<Shared>,
    pod: Arc<Pod>,
    seen: Seen,
    handle: Arc<Handle>,
    ground: Option<Arc<Ground>>,
    starting: BTreeMap<String, JoinHandle<()>>,
    /// Ends that were told before the start was: short programs.
    early_ends: BTreeMap<String, Event>,
    probes: BTreeMap<String, JoinHandle<()>>,
    orders: watch::Sender<Order>,
    set_up_failures: u32,
}

impl Worker {
    async fn run(mut self, mut events: mpsc::UnboundedReceiver<Event>) {
        loop {
            let wake = self.step().await;
            let sleep = async {
                match wake {
                    Some(at) => {
                        let wait = at.duration_since(Timestamp::now());
                        tokio::time::sleep(Duration::try_from(wait).unwrap_or_default()).await;
                    }
                    None => std::future::pending().await,
                }
            };
            tokio::select! {
                event = events.recv() => match event {
                    None | Some(Event::Deleted) => break,
                    Some(Event::Shutdown) => return self.stop().await,
                    Some(event) => self.learn(event),
                },
                () = sleep => {}
            }
        }
        self.take_away().await;
    }

    /// The API has forgotten the pod: so does the node, with everything it left on disk.
    async fn take_away(self) {
        self.stop().await;
        let dir = self.handle.dir.clone();
        let removed = tokio::task::spawn_blocking(move || crate::tree::remove(&dir)).await;
        if let Ok(Err(error)) = removed {
            tracing::warn!(pod = %self.handle.uid, %error, "Folder of a pod was not removed");
        }
    }

    /// Kills everything that runs; logs stay.
    async fn stop(&self) {
        for task in self.starting.values().chain(self.probes.values()) {
            task.abort();
        }
        let sandbox = self.handle.live().sandbox.take();
        if let Some(sandbox) = sandbox {
            sandbox.destroy().await;
        }
        clear(self.handle.dir.clone()).await;
    }

    /// Does what is to be done now; returns when to look again.
    async fn step(&mut self) -> Option<Timestamp> {
        // Each action changes what is known, and a changed knowledge may call for the next action at once.
        loop {
            let mut wake: Option<Timestamp> = None;
            let mut again = false;
            for action in next(&self.pod, &self.seen, Timestamp::now()) {
                match action {
                    Action::Wake(at) => wake = Some(wake.map_or(at, |wake| wake.min(at))),
                    Action::Report(status) => {
                        self.seen.reported = Some((*status).clone());
                        self.orders.send_modify(|order| order.status = Some(*status));
                    }
                    Action::Remove => self.orders.send_modify(|order| order.remove = true),
                    action => {
                        self.perform(action).await;
                        again = true;
                    }
                }
            }
            if !again {
                return wake;
            }
        }
    }

    async fn perform(&mut self, action: Action) {
        match action {
            Action::SetUp => self.set_up(),
            Action::Start { container } => self.start(&container),
            Action::Cancel { container } => {
                if let Some(task) = self.starting.remove(&container) {
                    task.abort();
                }
                self.update(&container, |c| c.state = State::Idle);
            }
            Action::Terminate { container } => {
                self.update(&container, |c| c.terminated_at = Some(Timestamp::now()));
                self.signal(&container, libc::SIGTERM, false).await;
            }
            Action::Kill { container } => {
                self.update(&container, |c| c.killed = true);
                self.signal(&container, libc::SIGKILL, true).await;
            }
            Action::Expire => self.seen.expired = true,
            Action::TearDown => self.tear_down(),
            Action::Report(_) | Action::Remove | Action::Wake(_) => {}
        }
    }

    fn update(&mut self, container: &str, change: impl FnOnce(&mut Container)) {
        if let Some(container) = self.seen.containers.get_mut(container) {
            change(container);
        }
    }

    async fn signal(&self, container: &str, signal: i32, group: bool) {
        let (sandbox, live) = (self.handle.sandbox(), self.handle.container(container));
        if let (Some(sandbox), Some(live)) = (sandbox, live)
            && let Err(error) = sandbox.signal(&live.key, signal, group).await
        {
            tracing::debug!(container, %error, "Signal was not delivered");
        }
    }

    fn set_up(&mut self) {
        self.seen.sandbox = seen::Sandbox::SettingUp;
        let (shared, pod, handle) = (
            Arc::clone(&self.shared),
            Arc::clone(&self.pod),
            Arc::clone(&self.handle),
        );
        tokio::spawn(async move {
            let result = set_up(&shared, &pod, &handle.dir).await;
            let _ = handle.events.send(Event::SetUp(result));
        });
    }

    fn start(&mut self, name: &str) {
        let Some(ground) = self.ground.clone() else { return };
        let Some(spec) = seen::all_containers(&self.pod).find(|c| c.name == name).cloned() else {
            return;
        };
        let Some(container) = self.seen.containers.get_mut(name) else {
            return;
        };
        if let State::Ended(ended) = &container.state {
            container.last = Some(ended.clone());
            container.restarts += 1;
        }
        container.state = State::Starting;
        let number = container.restarts;
        let key = format!("{name}/{number}");
        let attempt = Attempt {
            shared: Arc::clone(&self.shared),
            pod: Arc::clone(&self.pod),
            spec,
            ground,
            handle: Arc::clone(&self.handle),
            key: key.clone(),
            number,
        };
        let (events, container) = (self.handle.events.clone(), name.to_string());
        let task = tokio::spawn(async move {
            let result = attempt.run().await;
            let _ = events.send(Event::Started {
                container,
                key,
                result,
            });
        });
        self.starting.insert(name.to_string(), task);
    }

    fn tear_down(&mut self) {
        self.seen.sandbox = seen::Sandbox::TearingDown;
        let sandbox = self.handle.live().sandbox.take();
        self.ground = None;
        let (events, dir) = (self.handle.events.clone(), self.handle.dir.clone());
        tokio::spawn(async move {
            if let Some(sandbox) = sandbox {
                sandbox.destroy().await;
            }
            clear(dir).await;
            let _ = events.send(Event::TornDown);
        });
    }

    fn learn(&mut self, event: Event) {
        match event {
            Event::Pod(pod) => self.pod = pod,
            Event::Deleted | Event::Shutdown => {}
            Event::SetUp(result) => self.learn_set_up(result),
            Event::Started {
                container,
                key,
                result,
            } => self.learn_started(&container, &key, result),
            Event::Ended {
                container,
                key,
                exit,
                at,
                last_words,
            } => {
                let starting = self
                    .seen
                    .container(&container)
                    .is_some_and(|c| c.state == State::Starting);
                if starting {
                    self.early_ends.insert(
                        key.clone(),
                        Event::Ended {
                            container,
                            key,
                            exit,
                            at,
                            last_words,
                        },
                    );
                } else {
                    self.learn_ended(&container, exit, at, last_words);
                }
            }
            Event::Probed {
                container,
                key,
                verdict,
            } => self.learn_probed(&container, &key, &verdict),
            Event::SandboxLost => self.learn_lost(),
            Event::TornDown => self.seen.sandbox = seen::Sandbox::Gone,
        }
    }

    fn learn_set_up(
        &mut self,
        result: Result<(Ground, mpsc::UnboundedReceiver<runtime::Ended>), SetUpError>,
    ) {
        match result {
            Ok((ground, ends)) => {
                self.set_up_failures = 0;
                self.seen.sandbox = seen::Sandbox::Ready {
                    ip: ground.ip.clone(),
                };
                self.handle.live().sandbox = Some(Arc::clone(&ground.sandbox));
                self.ground = Some(Arc::new(ground));
                tokio::spawn(forward(Arc::clone(&self.handle), ends));
            }
            Err(SetUpError::Retry(message)) => {
                tracing::warn!(pod = %self.handle.uid, %message, "Pod could not be set up");
                let retry_at = retry_at(self.set_up_failures);
                self.set_up_failures += 1;
                self.seen.sandbox = seen::Sandbox::Failed { message, retry_at };
            }
            Err(SetUpError::Refused(message)) => self.seen.sandbox = seen::Sandbox::Refused { message },
        }
    }

    fn learn_started(&mut self, name: &str, key: &str, result: Result<Started, Problem>) {
        self.starting.remove(name);
        let Some(container) = self.seen.containers.get_mut(name) else {
            return;
        };
        if container.state != State::Starting {
            return;
        }
        match result {
            Ok(started) => {
                container.state = State::Running { since: started.at };
                container.image_id = started.image_id;
                container.container_id = started.container_id;
                (container.terminated_at, container.killed) = (None, false);
                container.condemned = false;
                let probed = |probe: &Option<_>| probe.is_some();
                let spec = seen::all_containers(&self.pod).find(|c| c.name == name);
                let (startup, readiness, liveness) = spec.map_or((false, false, false), |c| {
                    (
                        probed(&c.startup_probe),
                        probed(&c.readiness_probe),
                        probed(&c.liveness_probe),
                    )
                });
                (container.started, container.ready) = (!startup, !startup && !readiness);
                if let (true, Some(spec), Some(ground)) =
                    (startup || readiness || liveness, spec, &self.ground)
                {
                    let target = probe::Target {
                        handle: Arc::clone(&self.handle),
                        spec: spec.clone(),
                        key: key.into(),
                        ip: ground.ip.clone(),
                        process: started.process.clone(),
                    };
                    self.probes.insert(name.into(), tokio::spawn(probe::run(target)));
                }
                let live = LiveContainer {
                    key: key.into(),
                    process: started.process,
                    log: started.log,
                };
                self.handle.live().containers.insert(name.into(), live);
                container.start_failures = 0;
            }
            Err(Problem::StartError {
                message,
                container_id,
                image_id,
            }) => {
                container.image_id = image_id;
                container.container_id.clone_from(&container_id);
                container.state = State::Ended(seen::Ended {
                    exit_code: 128,
                    reason: "StartError".into(),
                    message: Some(message),
                    started_at: None,
                    finished_at: Timestamp::now(),
                    container_id,
                });
            }
            Err(Problem::Waiting { reason, message }) => {
                container.start_failures += 1;
                let (since, retry_at) = (Timestamp::now(), retry_at(container.start_failures));
                container.state = State::Failing {
                    reason,
                    message,
                    since,
                    retry_at,
                };
            }
        }
        if let Some(early) = self.early_ends.remove(key) {
            self.learn(early);
        }
    }

    fn learn_ended(&mut self, name: &str, exit: Exit, at: Timestamp, last_words: Option<String>) {
        let Some(container) = self.seen.containers.get_mut(name) else {
            return;
        };
        let State::Running { since } = container.state else {
            return;
        };
        let exit_code = exit.code();
        container.ready = false;
        container.state = State::Ended(seen::Ended {
            exit_code,
            reason: if exit_code == 0 { "Completed" } else { "Error" }.into(),
            message: last_words,
            started_at: Some(since),
            finished_at: at,
            container_id: container.container_id.clone(),
        });
    }

    fn learn_probed(&mut self, name: &str, key: &str, verdict: &Verdict) {
        if self.handle.container(name).is_none_or(|live| live.key != key) {
            return;
        }
        self.update(name, |container| match verdict {
            Verdict::Started => container.started = true,
            Verdict::Ready(ready) => container.ready = *ready,
            Verdict::Condemned => container.condemned = true,
        });
    }

    fn learn_lost(&mut self) {
        if matches!(
            self.seen.sandbox,
            seen::Sandbox::TearingDown | seen::Sandbox::Gone
        ) {
            return;
        }
        let now = Timestamp::now();
        let running = |(_, c): &(&String, &Container)| matches!(c.state, State::Running { .. });
        let running: Vec<String> = self
            .seen
            .containers
            .iter()
            .filter(running)
            .map(|(n, _)| n.clone())
            .collect();
        for name in running {
            self.learn_ended(&name, Exit::Signal(libc::SIGKILL), now, None);
        }
        self.ground = None;
        self.handle.live().sandbox = None;
        self.seen.sandbox = seen::Sandbox::Absent;
    }
}

/// Gives back the space of roots and volumes; logs stay until the API forgets the pod.
async fn clear(dir: PathBuf) {
    for part in ["containers", "volumes"] {
        let folder = dir.join(part);
        let _ = tokio::task::spawn_blocking(move || crate::tree::remove(&folder)).await;
    }
}

/// Tells the pod's task of every end, after the output is written: who reads a finished pod's log wants all of it.
async fn forward(handle: Arc<Handle>, mut ends: mpsc::UnboundedReceiver<runtime::Ended>) {
    while let Some(runtime::Ended { key, exit }) = ends.recv().await {
        let at = Timestamp::now();
        let (exec, output) = {
            let mut live = handle.live();
            (live.execs.remove(&key), live.outputs.remove(&key))
        };
        if let Some(exec) = exec {
            let _ = exec.send(exit);
        }
        let Some(output) = output else { continue };
        let handle = Arc::clone(&handle);
        tokio::spawn(async move {
            let drained = futures::future::join_all(output.pumps);
            let _ = tokio::time::timeout(DRAIN_LIMIT, drained).await;
            output.log.close();
            let last_words = last_words(
                &output.dir,
                &output.log,
                output.fall_back_to_log && exit.code() != 0,
            );
            let _ = handle.events.send(Event::Ended {
                container: output.container,
                key,
                exit,
                at,
                last_words,
            });
        });
    }
    let _ = handle.events.send(Event::SandboxLost);
}

fn last_words(dir: &std::path::Path, log: &Log, fall_back: bool) -> Option<String> {
    let mut message = Vec::new();
    if let Ok(file) = std::fs::File::open(dir.join("termination-log")) {
        let _ = file.take(MESSAGE_LIMIT_BYTES as u64).read_to_end(&mut message);
    }
    if message.is_empty() && fall_back {
        message = crate::logs::last_lines(log.path(), FALLBACK_LINES, FALLBACK_BYTES);
    }
    Some(String::from_utf8_lossy(&message).into_owned()).filter(|text| !text.is_empty())
}

/// When to try again after so many failures.
fn retry_at(failures: u32) -> Timestamp {
    let wait = SignedDuration::from_secs((1i64 << failures.min(10)).min(RETRY_LIMIT_SECS));
    Timestamp::now()
        .saturating_add(wait)
        .unwrap_or_else(|_| Timestamp::now())
}
