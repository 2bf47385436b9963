//! Fills the world from watches and says who is to be looked at.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::sync::Arc;
use std::time::Duration;

use argosy_model::decode::LeftOut;
use argosy_model::k8s::{ConfigMap, Pod};
use argosy_model::{
    ClusterWorkflowTemplate, CronWorkflow, Field, Workflow, WorkflowPhase, WorkflowTaskResult,
    WorkflowTaskSet, WorkflowTemplate,
};
use serde_json::json;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tracing::{error, info, warn};

use crate::api::{self, Resource};
use crate::identity::Identity;
use crate::lean;
use crate::metrics::changes;
use crate::watch::{self, Event, Interest, Scope, Seen};
use crate::world::{Kept, Key, World};
use crate::{INSTANCE_LABEL, Shared, Specs, clock, cron, retention, worker};

/// How many events of one kind may wait to be taken in. A full queue only slows the watch, nothing is lost.
const FEED_MAX: usize = 1024;

/// How long a stop waits for looks that are under way.
const STOP_LIMIT: Duration = Duration::from_millis(500);

/// How many of each look at things at the same time.
pub struct Workers {
    /// At workflows.
    pub workflows: usize,
    /// At CronWorkflows.
    pub crons: usize,
}

/// Fills the world and, once it is filled, starts the workers.
pub async fn run(shared: Arc<Shared>, namespace: Option<String>, workers: Workers) {
    let mut tasks = JoinSet::new();
    let mine = instance_selector(&shared.config().instance_id);
    let of_workflow = |more: &str| {
        let mut selector = format!("{},{mine}", crate::world::WORKFLOW_LABEL);
        let _ = write!(selector, "{more}");
        selector
    };
    let mut feeds = Feeds {
        shared: &shared,
        namespace,
        tasks: &mut tasks,
    };
    // Templates, pods and results first: a workflow is decided on only when all that belongs to it is known.
    let mut templates = feeds.open::<WorkflowTemplate>(&api::WORKFLOW_TEMPLATES, "");
    let mut cluster = feeds.open::<ClusterWorkflowTemplate>(&api::CLUSTER_WORKFLOW_TEMPLATES, "");
    let mut maps = feeds.open::<ConfigMap>(&api::CONFIG_MAPS, "");
    let unfinished = of_workflow(",workflows.argoproj.io/completed=false");
    let mut pods = feeds.open_for::<Pod>(&api::PODS, &unfinished, World::knows_pod, parts_of_pods);
    let mut results = feeds.open::<WorkflowTaskResult>(&api::TASK_RESULTS, &of_workflow(""));
    let mut sets = feeds.open::<WorkflowTaskSet>(&api::TASK_SETS, &mine);
    let mut workflows = feeds.open_for::<Workflow>(&api::WORKFLOWS, &mine, World::knows_workflow, |_, _| {
        lean::WHAT_WAS_SET
    });
    let crons = feeds.open::<CronWorkflow>(&api::CRON_WORKFLOWS, &mine);

    let filled = async {
        tokio::join!(
            first(&shared, &mut templates, take_template),
            first(&shared, &mut cluster, take_cluster_template),
            first(&shared, &mut maps, take_config_map),
            first(&shared, &mut pods, take_pod),
            first(&shared, &mut results, take_result),
            first(&shared, &mut sets, take_task_set),
        );
        first(&shared, &mut workflows, take_workflow).await;
    };
    tokio::select! {
        () = filled => {}
        () = shared.stopping.cancelled() => return,
    }
    worker::restore(&shared);
    shared.filled.store(true, std::sync::atomic::Ordering::Release);
    info!(
        workflows = shared.world.workflow_keys().len(),
        "Controller started"
    );

    tasks.spawn(follow(shared.clone(), templates, take_template));
    tasks.spawn(follow(shared.clone(), cluster, take_cluster_template));
    tasks.spawn(follow(shared.clone(), maps, take_config_map));
    tasks.spawn(follow(shared.clone(), pods, take_pod));
    tasks.spawn(follow(shared.clone(), results, take_result));
    tasks.spawn(follow(shared.clone(), sets, take_task_set));
    tasks.spawn(follow(shared.clone(), workflows, take_workflow));
    // After the workflows: a run that is there is never made again. Nobody waits for them to be listed, because
    // workflows run also where schedules can't be read.
    tasks.spawn(follow(shared.clone(), crons, cron::take));
    tasks.spawn(clock::watch(shared.clone()));
    tasks.spawn(retention::run(shared.clone()));
    let mut looks = JoinSet::new();
    for _ in 0..workers.workflows {
        looks.spawn(worker::run(shared.clone()));
    }
    for _ in 0..workers.crons {
        looks.spawn(cron::run(shared.clone()));
    }
    while !shared.stopping.is_cancelled() {
        let ended = tokio::select! {
            ended = tasks.join_next() => ended,
            ended = looks.join_next() => ended,
            () = shared.stopping.cancelled() => None,
        };
        if let Some(Err(failure)) = ended
            && failure.is_panic()
        {
            error!(error = %failure, "A task of the controller panicked");
        }
    }
    // Workers end after the look they are at; what hangs on the API is cut off. Nothing is written once this returns.
    let _ = tokio::time::timeout(STOP_LIMIT, async { while looks.join_next().await.is_some() {} }).await;
    looks.shutdown().await;
    tasks.shutdown().await;
}

/// The selector of the workflows that are this controller's (C-INF-02).
fn instance_selector(id: &str) -> String {
    if id.is_empty() {
        format!("!{INSTANCE_LABEL}")
    } else {
        format!("{INSTANCE_LABEL}={id}")
    }
}

struct Feeds<'a> {
    shared: &'a Arc<Shared>,
    namespace: Option<String>,
    tasks: &'a mut JoinSet<()>,
}

/// Pods are read whole only while their specs are logged.
fn parts_of_pods(shared: &Shared, is_gone: bool) -> LeftOut {
    match shared.conduct().logged_specs {
        _ if is_gone => lean::ALL_BUT_WHICH_POD,
        Specs::None => lean::HOW_PODS_RUN,
        Specs::Failed | Specs::All => lean::WHO_SET_WHAT,
    }
}

/// What is read of one kind.
struct Taste {
    shared: Arc<Shared>,
    is_known: fn(&World, &Identity) -> bool,
    left_out: fn(&Shared, bool) -> LeftOut,
}

impl Interest for Taste {
    fn is_known(&self, who: &Identity) -> bool {
        (self.is_known)(&self.shared.world, who)
    }

    fn left_out(&self, is_gone: bool) -> LeftOut {
        (self.left_out)(&self.shared, is_gone)
    }
}

impl Feeds<'_> {
    fn open<T: Field + Send + 'static>(
        &mut self,
        resource: &'static Resource,
        labels: &str,
    ) -> mpsc::Receiver<Event<T>> {
        self.open_for(resource, labels, |_, _| false, |_, _| lean::WHO_SET_WHAT)
    }

    /// As [`Feeds::open`], where we may know of a change before it is told, or want only parts.
    fn open_for<T: Field + Send + 'static>(
        &mut self,
        resource: &'static Resource,
        labels: &str,
        is_known: fn(&World, &Identity) -> bool,
        left_out: fn(&Shared, bool) -> LeftOut,
    ) -> mpsc::Receiver<Event<T>> {
        let (sender, receiver) = mpsc::channel(FEED_MAX);
        let cluster_wide = resource.plural == api::CLUSTER_WORKFLOW_TEMPLATES.plural;
        let namespace = if cluster_wide {
            None
        } else {
            self.namespace.clone()
        };
        let scope = Scope {
            resource,
            namespace,
            labels: labels.to_owned(),
            fields: String::new(),
            optional: cluster_wide,
        };
        let taste = Taste {
            shared: self.shared.clone(),
            is_known,
            left_out,
        };
        self.tasks
            .spawn(watch::run(self.shared.client.clone(), scope, taste, sender));
        receiver
    }
}

type Take<T> = fn(&Shared, Event<T>);

/// Takes the first list in.
async fn first<T>(shared: &Shared, events: &mut mpsc::Receiver<Event<T>>, take: Take<T>) {
    if let Some(event) = events.recv().await {
        take(shared, event);
    }
}

async fn follow<T>(shared: Arc<Shared>, mut events: mpsc::Receiver<Event<T>>, take: Take<T>) {
    while let Some(event) = events.recv().await {
        take(&shared, event);
    }
}

/// The objects that decoded; each that did not is told once.
fn good<T>(seen: impl IntoIterator<Item = Seen<T>>, kind: &'static str) -> Vec<T> {
    let decoded = seen.into_iter().filter_map(|one| match one {
        Seen::Good(object) => Some(*object),
        Seen::Malformed {
            namespace,
            name,
            error,
        } => {
            warn!(kind, object = %format!("{namespace}/{name}"), error, "Object does not decode; ignored");
            None
        }
    });
    decoded.collect()
}

fn take_workflow(shared: &Shared, event: Event<Workflow>) {
    match event {
        Event::Listed(all) => {
            let mut decoded = Vec::new();
            for seen in all {
                match seen {
                    Seen::Good(workflow) => decoded.extend(unpacked(shared, *workflow)),
                    Seen::Malformed {
                        namespace,
                        name,
                        error,
                    } => malformed(shared, &namespace, &name, &error),
                }
            }
            for key in shared.world.replace_workflows(decoded) {
                forget(shared, &key);
            }
            shared.crons.look_at(shared.world.cron_keys());
            for key in shared.world.workflow_keys() {
                let known = shared.world.workflow(&key);
                let is_new = known.is_some_and(|w| w.status.phase == WorkflowPhase::default());
                look_at(shared, key, is_new);
            }
        }
        Event::Applied(Seen::Good(workflow)) => {
            let key = Key::new(&workflow.metadata.namespace, &workflow.metadata.name);
            let parent = cron::parent(&workflow.metadata);
            let is_new = shared.world.workflow(&key).is_none();
            if let Some(workflow) = unpacked(shared, *workflow)
                && shared.world.put_workflow(workflow)
            {
                look_at(shared, key, is_new);
                shared.crons.look_at(parent);
            }
        }
        Event::Deleted(Seen::Good(workflow)) => {
            if shared.world.remove_workflow(&workflow) {
                cron::run_moved(shared, &workflow);
                shared.metrics.stop_clocks(&workflow.metadata.uid);
                forget(
                    shared,
                    &Key::new(&workflow.metadata.namespace, &workflow.metadata.name),
                );
            }
        }
        Event::Applied(Seen::Malformed {
            namespace,
            name,
            error,
        }) => malformed(shared, &namespace, &name, &error),
        Event::Deleted(Seen::Malformed { .. }) => {}
    }
}

/// Has a workflow looked at, a new one not before the configured delay (C-INF-06).
fn look_at(shared: &Shared, key: Key, is_new: bool) {
    let delay = shared.conduct().initial_delay;
    shared
        .queue
        .add_after(key, if is_new { delay } else { Duration::ZERO });
}

/// A workflow that does not decode is Failed, with the decoder's words (C-WRK-04).
fn malformed(shared: &Shared, namespace: &str, name: &str, error: &str) {
    warn!(workflow = %format!("{namespace}/{name}"), error, "Workflow does not decode");
    let message = format!("cannot unmarshall spec: {error}");
    mark(shared, namespace, name, "Failed", &message);
}

/// The workflow with its nodes in their place; one whose nodes can't be read ends as Error (C-WRK-06).
fn unpacked(shared: &Shared, mut workflow: Workflow) -> Option<Workflow> {
    let Err(failure) = shared.world.unpack(&mut workflow) else {
        return Some(workflow);
    };
    let (namespace, name) = (&workflow.metadata.namespace, &workflow.metadata.name);
    warn!(workflow = %format!("{namespace}/{name}"), error = %failure, "Status can't be read");
    if workflow.status.phase.as_str() != "Error" {
        mark(shared, namespace, name, "Error", &failure.to_string());
    }
    None
}

/// Ends a workflow that can't be looked at.
fn mark(shared: &Shared, namespace: &str, name: &str, phase: &str, message: &str) {
    let client = shared.client.clone();
    let (namespace, name) = (namespace.to_owned(), name.to_owned());
    let patch = json!({
        "metadata": {"labels": {
            "workflows.argoproj.io/completed": "true", "workflows.argoproj.io/phase": phase,
        }},
        "status": {"phase": phase, "message": message},
    });
    tokio::spawn(async move {
        let done =
            api::merge_patch::<serde_json::Value>(&client, &api::WORKFLOWS, &namespace, &name, &patch).await;
        if let Err(failure) = done {
            warn!(workflow = %format!("{namespace}/{name}"), error = %failure, "Marking it failed");
        }
    });
}

/// Lets go of everything that a deleted workflow held (C-INF-06).
fn forget(shared: &Shared, key: &Key) {
    shared.let_go(key);
    shared.leave_throttler(key);
}

fn take_pod(shared: &Shared, event: Event<Pod>) {
    match event {
        Event::Listed(all) => {
            for key in shared.world.replace_pods(good(all, "Pod")) {
                shared.queue.add(key);
            }
        }
        Event::Applied(Seen::Good(pod)) => {
            count_phase(shared, &pod);
            wake(shared, shared.world.put_pod(*pod));
        }
        Event::Deleted(Seen::Good(pod)) => wake(shared, shared.world.remove_pod(&pod)),
        Event::Applied(other) | Event::Deleted(other) => drop(good([other], "Pod")),
    }
}

/// Counts a pod that comes into another phase than the one we know it in, or waits for something else.
fn count_phase(shared: &Shared, pod: &Pod) {
    let (phase, namespace) = (pod.status.phase.as_str(), pod.metadata.namespace.as_str());
    let known = shared.world.pod(pod);
    if known.as_ref().map(|k| k.status.phase.as_str()) != Some(phase) {
        let labels = [("phase", phase), ("namespace", namespace)];
        shared.metrics.add("pods_total_count", &labels, 1.0);
    }
    changes::pending(&shared.metrics, known.as_deref(), pod);
}

fn take_result(shared: &Shared, event: Event<WorkflowTaskResult>) {
    match event {
        Event::Listed(all) => {
            for key in shared.world.replace_results(good(all, "WorkflowTaskResult")) {
                shared.queue.add(key);
            }
        }
        Event::Applied(Seen::Good(result)) => wake(shared, shared.world.put_result(*result)),
        Event::Deleted(Seen::Good(result)) => shared.world.remove_result(&result),
        Event::Applied(other) | Event::Deleted(other) => drop(good([other], "WorkflowTaskResult")),
    }
}

fn wake(shared: &Shared, key: Option<Key>) {
    if let Some(key) = key {
        shared.queue.add(key);
    }
}

fn take_task_set(shared: &Shared, event: Event<WorkflowTaskSet>) {
    each(
        shared,
        event,
        "WorkflowTaskSet",
        World::task_set_keys,
        |shared, key, set| {
            shared.world.put_task_set(key, set);
            shared.queue.add(key.clone());
        },
    );
}

fn take_config_map(shared: &Shared, event: Event<ConfigMap>) {
    each(
        shared,
        event,
        "ConfigMap",
        World::config_map_keys,
        |shared, key, map| {
            shared.world.put_config_map(&key.namespace, &key.name, map);
            // Who waits for a limit or a parameter is looked at again; looks that find nothing are cheap.
            for waiting in worker::unfinished(shared) {
                shared.world.note_all(&waiting);
                shared.queue.add(waiting);
            }
        },
    );
}

fn take_template(shared: &Shared, event: Event<WorkflowTemplate>) {
    each(
        shared,
        event,
        "WorkflowTemplate",
        World::template_keys,
        |shared, key, template| {
            shared.world.put_template(key, template);
            let of_namespace = |k: &Key| k.namespace == key.namespace;
            shared
                .crons
                .look_at(shared.world.cron_keys().into_iter().filter(of_namespace));
        },
    );
}

fn take_cluster_template(shared: &Shared, event: Event<ClusterWorkflowTemplate>) {
    each(
        shared,
        event,
        "ClusterWorkflowTemplate",
        World::cluster_template_keys,
        |shared, key, template| {
            shared.world.put_cluster_template(&key.name, template);
            shared.crons.look_at(shared.world.cron_keys());
        },
    );
}

/// Takes objects one by one; `None` stands for one that is gone.
pub fn each<T: Kept>(
    shared: &Shared,
    event: Event<T>,
    kind: &'static str,
    known: fn(&World) -> Vec<Key>,
    take: impl Fn(&Shared, &Key, Option<T>),
) {
    let key = |object: &T| Key::new(&object.meta().namespace, &object.meta().name);
    match event {
        Event::Listed(all) => {
            let mut gone: BTreeSet<Key> = known(&shared.world).into_iter().collect();
            for object in good(all, kind) {
                let key = key(&object);
                gone.remove(&key);
                take(shared, &key, Some(object));
            }
            // What was deleted while nobody watched is only seen by its absence.
            for key in gone {
                take(shared, &key, None);
            }
        }
        Event::Applied(seen) => {
            for object in good([seen], kind) {
                take(shared, &key(&object), Some(object));
            }
        }
        Event::Deleted(seen) => {
            for object in good([seen], kind) {
                take(shared, &key(&object), None);
            }
        }
    }
}
