//! The task that runs one pod: asks `next` what to do, does it, and learns what came of it.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::io::Read;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{Container, Pod};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

use super::again;
use super::ask::Target;
use super::handle::{Handle, LiveContainer, Output};
use super::hook;
use super::next::{Action, next};
use super::probe::{self, Verdict};
use super::seen::{self, Reason, Seen, State, Stop};
use super::start::{Attempt, Ground, Problem, SetUpError, Started, set_up};
use super::usage;
use crate::events::Notes;
use crate::logs::Log;
use crate::node::Shared;
use crate::report::{self, Order};
use crate::runtime::{self, End, Exit};
use crate::volumes::refresh;

/// Bytes of a termination message, as the kubelet cuts it.
const MESSAGE_LIMIT_BYTES: usize = 4096;
/// Lines and bytes of the log that stand in for a missing message.
const FALLBACK_LINES: usize = 80;
const FALLBACK_BYTES: usize = 2048;
/// Longest wait before another try to set up a pod or start a container, in seconds.
const RETRY_LIMIT_SECS: i64 = 60;

/// Folders of a pod that are of no use when it has ended; its logs are.
const LEFT: &[&str] = &["containers", "volumes"];

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
        end: End,
        last_words: Option<String>,
    },
    /// A probe has found something out.
    Probed {
        container: String,
        key: String,
        verdict: Verdict,
    },
    /// The pod takes more of the disk than it may; says of what.
    Overflowed(String),
    /// The sandbox ended without being told to.
    SandboxLost,
    TornDown,
    /// The node stops; the pod stays in the API.
    Shutdown,
}

/// Starts the task of a pod.
pub(crate) fn spawn(shared: Arc<Shared>, pod: Arc<Pod>) -> (Arc<Handle>, JoinHandle<()>) {
    let (events, receiver) = mpsc::unbounded_channel();
    let uid = pod.metadata.uid.clone().unwrap_or_default();
    let dir = shared.options.data_dir.join("pods").join(&uid);
    let handle = Arc::new(Handle {
        uid,
        dir,
        notes: Notes::new(shared.recorder.clone(), &pod),
        events,
        live: Mutex::default(),
    });
    let (orders, reporter) = watch::channel(Order::default());
    tokio::spawn(report::run(shared.client.clone(), Arc::clone(&pod), reporter));
    let live = Arc::clone(&handle);
    let task = tokio::spawn(async move {
        let found = again::find(&shared, &pod, &live.dir).await;
        let seen = Seen::new(
            &pod,
            &shared.host_ip,
            Timestamp::now(),
            &found.records,
            &found.running(),
        );
        let (pod_now, live_dir) = (Arc::clone(&pod), live.dir.clone());
        let mut worker = Worker {
            shared,
            pod,
            seen,
            handle: live,
            ground: None,
            starting: BTreeMap::new(),
            early_ends: BTreeMap::new(),
            probes: BTreeMap::new(),
            refresher: None,
            latest: watch::Sender::new(Arc::clone(&pod_now)),
            orders,
            set_up_failures: 0,
        };
        let left = found.alive.is_none() && !found.records.is_empty();
        worker.take_over(found);
        if left {
            // Roots of containers that died with their sandbox. Volumes stay: the pod may go on.
            clear(live_dir, &["containers"]).await;
        }
        worker.run(receiver).await;
    });
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
    /// Keeps the files of volumes up to date, and watches how large they are.
    refresher: Option<JoinHandle<()>>,
    latest: watch::Sender<Arc<Pod>>,
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
                    Some(Event::Shutdown) if self.shared.options.keep_running => return self.leave(),
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

    fn abort_tasks(&self) {
        let tasks = self.starting.values().chain(self.probes.values());
        for task in tasks.chain(&self.refresher) {
            task.abort();
        }
    }

    /// Lets everything go on for the next node.
    fn leave(&self) {
        self.abort_tasks();
        if let Some(sandbox) = self.handle.live().sandbox.take() {
            sandbox.leave();
        }
    }

    /// Kills everything that runs; logs stay.
    async fn stop(&self) {
        self.abort_tasks();
        let sandbox = self.handle.live().sandbox.take();
        if let Some(sandbox) = sandbox {
            sandbox.destroy().await;
        }
        clear(self.handle.dir.clone(), LEFT).await;
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
                        self.handle
                            .notes
                            .waits(&self.pod, self.seen.reported.as_ref(), &status);
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
                self.tell_of_end(&container);
                self.update(&container, |c| c.terminated_at = Some(Timestamp::now()));
                self.terminate(&container).await;
            }
            Action::Kill { container } => {
                if self
                    .seen
                    .container(&container)
                    .is_some_and(|c| c.terminated_at.is_none())
                {
                    self.tell_of_end(&container);
                }
                self.update(&container, |c| c.killed = true);
                self.signal(&container, libc::SIGKILL, true).await;
            }
            Action::Expire => self.seen.stopped = Some(Stop::Expired),
            Action::TearDown => self.tear_down(),
            Action::Report(_) | Action::Remove | Action::Wake(_) => {}
        }
    }

    fn tell_of_end(&self, name: &str) {
        let message = match self.seen.container(name) {
            Some(container) if container.condemned => {
                let probe = if container.started { "liveness" } else { "startup" };
                format!("Container {name} failed {probe} probe, will be restarted")
            }
            _ => format!("Stopping container {name}"),
        };
        self.handle.notes.normal(Some(name), "Killing", message);
    }

    fn update(&mut self, container: &str, change: impl FnOnce(&mut seen::Container)) {
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

    /// Asks a container to end: first by its hook, for which the grace period counts too, then by a signal.
    async fn terminate(&self, name: &str) {
        let spec = seen::all_containers(&self.pod).find(|c| c.name == name);
        let hook = spec.and_then(|spec| spec.lifecycle.as_ref()?.pre_stop.clone());
        let (Some(hook), Some(target)) = (hook, self.target(name)) else {
            return self.signal(name, libc::SIGTERM, false).await;
        };
        tokio::spawn(async move {
            if let Err(error) = hook::run(&target, &hook).await {
                let name = target.spec.name.as_str();
                tracing::warn!(
                    container = name,
                    error,
                    "The hook before the end of a container failed"
                );
                let message = format!("PreStopHook failed: {error}");
                target
                    .handle
                    .notes
                    .warning(Some(name), "FailedPreStopHook", message);
            }
            if let Some(sandbox) = target.handle.sandbox() {
                let _ = sandbox.signal(&target.key, libc::SIGTERM, false).await;
            }
        });
    }

    /// A container as the pod has it.
    fn spec(&self, name: &str) -> Option<Container> {
        seen::all_containers(&self.pod)
            .find(|container| container.name == name)
            .map(Cow::into_owned)
    }

    /// A running container, to be asked something.
    fn target(&self, name: &str) -> Option<Target> {
        let live = self.handle.container(name)?;
        Some(Target {
            handle: Arc::clone(&self.handle),
            spec: self.spec(name)?,
            key: live.key,
            ip: self.ground.as_ref()?.ip.clone(),
            process: live.process,
        })
    }

    fn set_up(&mut self) {
        self.seen.sandbox = seen::Sandbox::SettingUp;
        let (shared, pod, handle) = (
            Arc::clone(&self.shared),
            Arc::clone(&self.pod),
            Arc::clone(&self.handle),
        );
        tokio::spawn(async move {
            let result = set_up(&shared, &pod, &handle).await;
            let _ = handle.events.send(Event::SetUp(result));
        });
    }

    fn start(&mut self, name: &str) {
        let Some(ground) = self.ground.clone() else { return };
        let Some(spec) = self.spec(name) else { return };
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
        if let Some(refresher) = self.refresher.take() {
            refresher.abort();
        }
        let sandbox = self.handle.live().sandbox.take();
        self.ground = None;
        let (events, dir) = (self.handle.events.clone(), self.handle.dir.clone());
        tokio::spawn(async move {
            if let Some(sandbox) = sandbox {
                sandbox.destroy().await;
            }
            clear(dir, LEFT).await;
            let _ = events.send(Event::TornDown);
        });
    }

    fn learn(&mut self, event: Event) {
        match event {
            Event::Pod(pod) => {
                for added in seen::added(&pod) {
                    self.seen.containers.entry(added.name).or_default();
                }
                self.latest.send_replace(Arc::clone(&pod));
                self.pod = pod;
            }
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
                end,
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
                            end,
                            last_words,
                        },
                    );
                } else {
                    self.learn_ended(&container, end, last_words);
                }
            }
            Event::Probed {
                container,
                key,
                verdict,
            } => self.learn_probed(&container, &key, &verdict),
            Event::Overflowed(message) => self.learn_overflowed(message),
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
                self.stand_on(ground, ends);
            }
            Err(SetUpError::Retry { reason, message }) => {
                self.handle.notes.warning(None, reason, message.clone());
                tracing::warn!(pod = %self.handle.uid, %message, "Pod could not be set up");
                let retry_at = retry_at(self.set_up_failures);
                self.set_up_failures += 1;
                self.seen.sandbox = seen::Sandbox::Failed { message, retry_at };
            }
            Err(SetUpError::Refused(message)) => {
                self.handle.notes.warning(None, "NotSupported", message.clone());
                self.seen.sandbox = seen::Sandbox::Refused { message };
            }
        }
    }

    fn stand_on(&mut self, ground: Ground, ends: mpsc::UnboundedReceiver<runtime::Ended>) {
        self.seen.sandbox = seen::Sandbox::Ready {
            ip: ground.ip.clone(),
        };
        self.handle.live().sandbox = Some(Arc::clone(&ground.sandbox));
        self.ground = Some(Arc::new(ground));
        let refresher = refresh::run(
            self.latest.subscribe(),
            self.handle.dir.clone(),
            self.shared.sources.clone(),
            self.shared.options.volume_refresh,
        );
        let usage = usage::run(
            Arc::clone(&self.pod),
            Arc::clone(&self.handle),
            self.shared.options.usage_check,
        );
        let both = async {
            tokio::join!(refresher, usage);
        };
        if let Some(earlier) = self.refresher.replace(tokio::spawn(both)) {
            earlier.abort();
        }
        tokio::spawn(forward(Arc::clone(&self.handle), ends));
    }

    /// Goes on with what an earlier node left running.
    fn take_over(&mut self, found: again::Found) {
        self.recall_last_words();
        let Some((ground, ends, running)) = found.alive else {
            return;
        };
        for found in running {
            let Some((name, log)) = again::log_of(&self.handle.dir, &found.record.key) else {
                continue;
            };
            let Some(spec) = self.spec(&name) else { continue };
            let log = Log::new(log);
            let output = Output::new(
                &spec,
                Arc::clone(&log),
                again::attempt_dir(&self.handle.dir, &found.record.key),
            );
            self.handle.add_output(&found.record.key, output);
            let live = LiveContainer {
                key: found.record.key,
                process: found.process,
                log,
            };
            self.handle.live().containers.insert(name, live);
        }
        self.stand_on(ground, ends);
        let running: Vec<String> = self.handle.live().containers.keys().cloned().collect();
        for name in running {
            let Some(spec) = self.spec(&name) else { continue };
            self.update(&name, |container| {
                container.started |= spec.startup_probe.is_none();
                container.ready |= spec.startup_probe.is_none() && spec.readiness_probe.is_none();
            });
            self.probe(&name);
        }
    }

    /// Reads the messages of containers that ended while no node was there.
    fn recall_last_words(&mut self) {
        for spec in seen::all_containers(&self.pod) {
            let Some(container) = self.seen.containers.get_mut(&spec.name) else {
                continue;
            };
            let key = format!("{}/{}", spec.name, container.restarts);
            let Some((_, log)) = again::log_of(&self.handle.dir, &key) else {
                continue;
            };
            if let State::Ended(ended) = &mut container.state
                && ended.message.is_none()
            {
                let output = Output::new(&spec, Log::new(log), again::attempt_dir(&self.handle.dir, &key));
                ended.message = last_words(&output, ended.exit_code);
            }
        }
    }

    /// Begins to ask a container's probes.
    fn probe(&mut self, name: &str) {
        let Some(target) = self.target(name) else { return };
        let spec = &target.spec;
        if spec.startup_probe.is_none() && spec.readiness_probe.is_none() && spec.liveness_probe.is_none() {
            return;
        }
        self.probes.insert(name.into(), tokio::spawn(probe::run(target)));
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
                container.hook_failure = started.hook_failure;
                let spec = seen::all_containers(&self.pod).find(|c| c.name == name);
                let (startup, readiness) = spec.map_or((false, false), |c| {
                    (c.startup_probe.is_some(), c.readiness_probe.is_some())
                });
                (container.started, container.ready) = (!startup, !startup && !readiness);
                container.start_failures = 0;
                let live = LiveContainer {
                    key: key.into(),
                    process: started.process,
                    log: started.log,
                };
                self.handle.live().containers.insert(name.into(), live);
                self.probe(name);
            }
            Err(Problem::StartError {
                message,
                container_id,
                image_id,
            }) => {
                let said = format!("Error: {message}");
                self.handle.notes.warning(Some(name), "Failed", said);
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
                let said = match reason {
                    Reason::ErrImagePull => format!("Error: {}", reason.text()),
                    _ => format!("Error: {message}"),
                };
                self.handle.notes.warning(Some(name), reason.of_event(), said);
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

    fn learn_ended(&mut self, name: &str, end: End, last_words: Option<String>) {
        let Some(container) = self.seen.containers.get_mut(name) else {
            return;
        };
        let State::Running { since } = container.state else {
            return;
        };
        let exit_code = end.exit.code();
        container.ready = false;
        // A container that ends by itself takes its hook with it: then the failure of the hook explains nothing.
        let hook_failure = container.hook_failure.take();
        let killed_by_hook = hook_failure.filter(|_| matches!(end.exit, Exit::Signal(libc::SIGKILL)));
        container.state = State::Ended(seen::Ended {
            exit_code,
            reason: seen::reason_of(&end).into(),
            message: killed_by_hook.or(last_words),
            started_at: Some(since),
            finished_at: end.at,
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

    fn learn_overflowed(&mut self, message: String) {
        if self.seen.stopped.is_none() && matches!(self.seen.sandbox, seen::Sandbox::Ready { .. }) {
            self.handle.notes.warning(None, "Evicted", message.clone());
            self.seen.stopped = Some(Stop::Evicted { message });
        }
    }

    fn learn_lost(&mut self) {
        if matches!(
            self.seen.sandbox,
            seen::Sandbox::TearingDown | seen::Sandbox::Gone
        ) {
            return;
        }
        let now = Timestamp::now();
        let running = |(_, c): &(&String, &seen::Container)| matches!(c.state, State::Running { .. });
        let running: Vec<String> = self
            .seen
            .containers
            .iter()
            .filter(running)
            .map(|(n, _)| n.clone())
            .collect();
        for name in running {
            let end = End {
                exit: Exit::Signal(libc::SIGKILL),
                at: now,
                out_of_memory: false,
            };
            self.learn_ended(&name, end, None);
        }
        // What was being started may be told to run although nothing is left in which it could.
        for (name, task) in std::mem::take(&mut self.starting) {
            task.abort();
            self.update(&name, |container| container.state = State::Idle);
        }
        self.ground = None;
        self.handle.live().sandbox = None;
        self.seen.sandbox = seen::Sandbox::Absent;
    }
}

/// Gives back the space of roots and volumes; logs stay until the API forgets the pod.
async fn clear(dir: PathBuf, parts: &[&str]) {
    for part in parts {
        let folder = dir.join(part);
        let _ = tokio::task::spawn_blocking(move || crate::tree::remove(&folder)).await;
    }
}

/// Tells the pod's task of every end, with the last words.
async fn forward(handle: Arc<Handle>, mut ends: mpsc::UnboundedReceiver<runtime::Ended>) {
    while let Some(runtime::Ended { key, end }) = ends.recv().await {
        let (exec, output) = {
            let mut live = handle.live();
            (live.execs.remove(&key), live.outputs.remove(&key))
        };
        if let Some(exec) = exec {
            let _ = exec.send(end.exit);
        }
        let Some(output) = output else { continue };
        output.log.close();
        let last_words = last_words(&output, end.exit.code());
        let _ = handle.events.send(Event::Ended {
            container: output.container,
            key,
            end,
            last_words,
        });
    }
    // Their ends went with the sandbox; whoever waits for one must not wait for ever.
    handle.live().execs.clear();
    let _ = handle.events.send(Event::SandboxLost);
}

fn last_words(output: &Output, exit_code: i32) -> Option<String> {
    let mut message = Vec::new();
    if let Ok(file) = std::fs::File::open(output.dir.join("termination-log")) {
        let _ = file.take(MESSAGE_LIMIT_BYTES as u64).read_to_end(&mut message);
    }
    if message.is_empty() && output.fall_back_to_log && exit_code != 0 {
        message = crate::logs::last_lines(output.log.path(), FALLBACK_LINES, FALLBACK_BYTES);
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
