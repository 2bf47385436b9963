//! Performs the effects of decisions. Matches every effect without a wildcard, so that a new one cannot be forgotten.

use std::time::Duration;

use argosy_engine::transient::is_transient_answer;
use argosy_engine::{Effect, Event, MetricKind, Order, Outcomes, Refusal};
use argosy_model::Workflow;
use argosy_model::k8s::{
    ConfigMap, Container, ObjectMeta, PartialObjectMetadata, PersistentVolumeClaim, Pod, PodSpec, PodStatus,
};
use argosy_model::names::annotation::NODE_ID;
use futures::stream::{self, StreamExt};
use serde::de::IgnoredAny;
use serde_json::{Value, json};
use tracing::{debug, info, warn};

use crate::Shared;
use crate::api::{self, Failure};
use crate::cleanup::{Action, What};
use crate::collect;
use crate::repository;
use crate::world::Key;

/// What nodes show whose pods wait for their turn (C-EXE-30).
const TOO_FAST: &str = "resource creation rate-limit reached";

/// How many pods of one workflow are asked for at the same time. Each takes a connection, and an API server that is busy
/// answers no sooner when it is asked for more.
const POD_CALLS: usize = 8;

/// What came of effects, the more telling the later.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Came {
    /// They are done.
    Done,
    /// One failed that a later decision asks for again.
    Failed,
    /// There is an outcome to be decided on.
    News,
}

impl Came {
    fn news(learned: bool) -> Self {
        if learned { Self::News } else { Self::Done }
    }
}

/// The pauses before an effect that only stored status allows is tried again. Together they are longer than an API
/// server takes to change its leader; what fails even then is found by a later look.
const PAUSES: [Duration; 4] = [
    Duration::from_millis(100),
    Duration::from_millis(200),
    Duration::from_millis(400),
    Duration::from_millis(800),
];

/// What came of the effects that come before the status is stored.
pub struct Before {
    /// Of all of them.
    pub came: Came,
    /// Whether a pod was made, or was there already.
    pub made: bool,
    /// Whether the decision had any effects, also later ones.
    pub acts: bool,
}

/// Performs the effects that come before the status is stored. The pods are taken out of them: those of a loop of
/// thousands are much to keep until the decision is stored.
pub async fn before(
    shared: &Shared,
    workflow: &Workflow,
    effects: &mut Vec<Effect>,
    outcomes: &mut Outcomes,
) -> Before {
    let acts = !effects.is_empty();
    // Pods last, and together: what they need is there then.
    let mut pods = Vec::new();
    let is_pod = |effect: &mut Effect| {
        effect.order() == Order::BeforePersist && matches!(effect, Effect::CreatePod { .. })
    };
    for effect in effects.extract_if(.., is_pod) {
        if let Effect::CreatePod { pod, config_maps, .. } = effect {
            pods.push((pod, config_maps));
        }
    }
    let mut came = Came::Done;
    for effect in effects.iter().filter(|e| e.order() == Order::BeforePersist) {
        came = came.max(perform(shared, workflow, effect, outcomes).await);
    }
    let mut made = false;
    let mut calls = stream::iter(pods)
        .map(|(pod, config_maps)| attempt(shared, pod, config_maps))
        .buffered(POD_CALLS);
    while let Some((pod, answer)) = calls.next().await {
        made |= answer.is_ok();
        came = came.max(Came::news(note_pod(shared, &pod, answer, outcomes)));
    }
    Before { came, made, acts }
}

/// Performs the effects that only stored status allows. The status no more asks for them, so each is tried several times.
pub async fn after(
    shared: &Shared,
    workflow: &Workflow,
    effects: &[Effect],
    outcomes: &mut Outcomes,
) -> Came {
    let mut came = Came::Done;
    // All at once: nobody else may take a place that is handed on.
    let locks = effects.iter().filter_map(|effect| match effect {
        Effect::Lock(op) if effect.order() == Order::AfterPersist => Some(op),
        _ => None,
    });
    let woken = shared.locks().apply(locks);
    shared.wake_workflows(&woken);
    for effect in effects.iter().filter(|e| e.order() == Order::AfterPersist) {
        let mut this = perform(shared, workflow, effect, outcomes).await;
        for pause in PAUSES {
            if this != Came::Failed {
                break;
            }
            tokio::time::sleep(pause).await;
            this = perform(shared, workflow, effect, outcomes).await;
        }
        came = came.max(this);
    }
    came
}

/// Does one thing.
async fn perform(shared: &Shared, workflow: &Workflow, effect: &Effect, outcomes: &mut Outcomes) -> Came {
    let namespace = workflow.metadata.namespace.as_str();
    match effect {
        Effect::CreatePod { pod, config_maps, .. } => {
            let (pod, answer) = attempt(shared, pod.clone(), config_maps.clone()).await;
            return Came::news(note_pod(shared, &pod, answer, outcomes));
        }
        Effect::CreateClaim { claim } => {
            return Came::news(create_claim(shared, workflow, claim, outcomes).await);
        }
        Effect::CreateAgentPod { pod } => return Came::news(create_agent(shared, pod, outcomes).await),
        Effect::SaveMemo {
            node_id,
            config_map,
            key,
            entry,
        } => {
            return Came::news(save_memo(shared, node_id, config_map, key, entry, outcomes).await);
        }
        Effect::ResolveArtifactRepository | Effect::LookUpImage { .. } | Effect::LookUpTokenSecret { .. } => {
            look_up(shared, workflow, effect, outcomes).await;
            return Came::News;
        }
        Effect::CreateDisruptionBudget { budget } => {
            return tell(api::create::<_, IgnoredAny>(&shared.client, &api::PDBS, namespace, budget).await);
        }
        Effect::DeleteDisruptionBudget { name } => {
            return tell(api::delete(&shared.client, &api::PDBS, namespace, name, None, None).await);
        }
        Effect::DeleteClaim { name } => return tell(delete_claim(shared, namespace, name).await),
        Effect::WriteTaskSet { tasks } => return tell(write_task_set(shared, workflow, &json!(tasks)).await),
        Effect::CompleteTasks { tasks, all } => {
            return tell(complete_tasks(shared, workflow, tasks, *all).await);
        }
        Effect::CreateArtifactGc { tasks, pod } => {
            return Came::news(create_collector(shared, tasks, pod, outcomes).await);
        }
        Effect::ReadArtifactGcTasks { pod, selector } => {
            return Came::news(collect::read(shared, namespace, pod, selector, outcomes).await);
        }
        Effect::DeleteArtifactGcTasks { tasks } => {
            return tell(collect::delete(shared, namespace, tasks).await);
        }
        // Those before persisting were applied together with the decision itself, the others together at once.
        Effect::Lock(_) => {}
        Effect::TerminateContainers { .. }
        | Effect::DeletePod { .. }
        | Effect::LabelPodCompleted { .. }
        | Effect::RemovePodFinalizer { .. } => clean(shared, workflow, effect),
        // One that is not seen yet wakes its workflow, which then asks again.
        Effect::DeleteTaskResults if no_results(shared, workflow) => {}
        Effect::DeleteTaskResults => {
            let selector = format!("{}={}", crate::world::WORKFLOW_LABEL, workflow.metadata.name);
            return tell(
                api::delete_matching(&shared.client, &api::TASK_RESULTS, namespace, &selector).await,
            );
        }
        Effect::Emit(event) => shared.emit(workflow, event),
        Effect::Metric(metric) => {
            if let MetricKind::Elapsed { node_id, .. } = &metric.kind {
                outcomes.followed.insert(node_id.clone());
            }
            shared.metrics.record(metric, &workflow.metadata.uid);
        }
        Effect::LeaveThrottler => shared.leave_throttler(&Key::new(namespace, &workflow.metadata.name)),
    }
    Came::Done
}

/// Finds out what a decision must know.
async fn look_up(shared: &Shared, workflow: &Workflow, effect: &Effect, outcomes: &mut Outcomes) {
    let namespace = workflow.metadata.namespace.as_str();
    match effect {
        Effect::ResolveArtifactRepository => {
            outcomes.repository = Some(resolve_repository(shared, workflow).await);
        }
        Effect::LookUpImage {
            image,
            pull_secrets,
            service_account,
        } => {
            let answer = shared
                .images
                .look_up(namespace, image, pull_secrets, service_account)
                .await;
            outcomes.images.insert(image.clone(), answer);
        }
        Effect::LookUpTokenSecret { service_account } => {
            let secret = token_secret(shared, namespace, service_account).await;
            outcomes.token_secrets.insert(service_account.clone(), secret);
        }
        _ => {}
    }
}

fn no_results(shared: &Shared, workflow: &Workflow) -> bool {
    let key = Key::new(&workflow.metadata.namespace, &workflow.metadata.name);
    shared.world.parts(&key).results.is_empty()
}

/// How much later what nobody waits for is done, so that the API server first does what the workflow goes on by: pods that
/// follow are made while labels and events of those before wait.
pub fn unhurried(workflow: &Workflow) -> Duration {
    match workflow.status.finished_at {
        Some(_) => Duration::ZERO,
        None => Duration::from_millis(500),
    }
}

/// Hands what concerns a finished pod to the cleaner.
fn clean(shared: &Shared, workflow: &Workflow, effect: &Effect) {
    let (pod, uid, what, after) = match effect {
        Effect::TerminateContainers { pod, uid, .. } => (pod, Some(uid), What::Terminate, Duration::ZERO),
        Effect::DeletePod { pod, uid, after, .. } => {
            let wait = Duration::try_from(*after).unwrap_or(Duration::ZERO);
            (pod, uid.as_ref(), What::Delete, wait)
        }
        Effect::LabelPodCompleted { pod, uid, .. } => {
            (pod, Some(uid), What::LabelCompleted, unhurried(workflow))
        }
        Effect::RemovePodFinalizer { pod, uid, .. } => {
            (pod, Some(uid), What::RemoveFinalizer, Duration::ZERO)
        }
        _ => return,
    };
    shared.cleaner.ask(
        Action {
            namespace: workflow.metadata.namespace.clone(),
            pod: pod.clone(),
            uid: uid.cloned(),
            what,
        },
        after,
    );
}

async fn resolve_repository(
    shared: &Shared,
    workflow: &Workflow,
) -> Result<argosy_model::ArtifactRepositoryRefStatus, String> {
    let reference = shared.effective_repository_ref(workflow);
    let config = shared.config();
    let (default, own) = (&config.artifact_repository, &config.namespace);
    repository::resolve(&shared.maps, workflow, reference.as_ref(), own, default).await
}

/// The account's token secret; the usual name when the account can't be read.
async fn token_secret(shared: &Shared, namespace: &str, account: &str) -> String {
    match repository::token_secret(&shared.client, namespace, account).await {
        Ok(secret) => secret,
        Err(failure) => {
            warn!(account, error = %failure, "Service account can't be read");
            format!("{account}.service-account-token")
        }
    }
}

/// Effects that a later decision asks for again need no more than a log line when they fail.
fn tell<T>(outcome: Result<T, Failure>) -> Came {
    match outcome {
        Ok(_) | Err(Failure::AlreadyExists(_) | Failure::NotFound(_)) => Came::Done,
        Err(failure) => {
            warn!(error = %failure, "An effect failed; it is asked for again");
            Came::Failed
        }
    }
}

/// Why a pod was not made.
enum NotMade {
    /// It is not its turn yet.
    TooFast(Duration),
    /// The API did not make it.
    Refused(Failure),
}

/// Makes a pod, after its ConfigMaps, if it is its turn.
async fn attempt(
    shared: &Shared,
    pod: Box<Pod>,
    config_maps: Vec<ConfigMap>,
) -> (Box<Pod>, Result<Pod, NotMade>) {
    if let Err(wait) = shared.take_turn() {
        return (pod, Err(NotMade::TooFast(wait)));
    }
    let made = create_pod(shared, &pod, &config_maps).await;
    (pod, made.map_err(NotMade::Refused))
}

/// Takes in what came of making a pod; true when that is news for a decision.
fn note_pod(shared: &Shared, pod: &Pod, made: Result<Pod, NotMade>, outcomes: &mut Outcomes) -> bool {
    let (namespace, name) = (pod.metadata.namespace.as_str(), pod.metadata.name.as_str());
    match made {
        Ok(made) => {
            debug!(pod = name, "Pod created");
            // What was refused and is there now is news: the decision still says why it was refused.
            let learned = outcomes.pods.remove(name).is_some();
            shared.world.put_pod(made);
            learned
        }
        Err(NotMade::Refused(failure)) => refuse(shared, &mut outcomes.pods, name, &failure),
        Err(NotMade::TooFast(wait)) => {
            // The decision alone would look again when the API may have changed its mind, which takes much longer.
            let owner = pod.metadata.labels.get(crate::world::WORKFLOW_LABEL);
            let owner = owner.cloned().unwrap_or_default();
            shared.queue.add_after(Key::new(namespace, owner), wait);
            let news = Refusal {
                transient: true,
                message: TOO_FAST.to_owned(),
            };
            note(&mut outcomes.pods, name, news)
        }
    }
}

/// Makes a pod after its ConfigMaps, or takes over the one that is there.
async fn create_pod(shared: &Shared, pod: &Pod, config_maps: &[ConfigMap]) -> Result<Pod, Failure> {
    let namespace = pod.metadata.namespace.as_str();
    for map in config_maps {
        match api::create::<_, IgnoredAny>(&shared.client, &api::CONFIG_MAPS, namespace, map).await {
            Ok(_) | Err(Failure::AlreadyExists(_)) => {}
            Err(failure) => return Err(failure),
        }
    }
    let begun = shared.clock.now();
    let made = match api::create::<_, PartialObjectMetadata>(&shared.client, &api::PODS, namespace, pod).await
    {
        Ok(made) => just_made(pod, made.metadata),
        Err(Failure::AlreadyExists(_)) => adopt(shared, pod).await?,
        Err(failure) => return Err(failure),
    };
    let owner = made.metadata.owner_references.first();
    if let (Some(owner), Some(node)) = (owner, made.metadata.annotations.get(NODE_ID)) {
        shared
            .tracer
            .made_pod(&owner.uid, node, begun, shared.clock.now());
    }
    Ok(made)
}

/// A pod as it is right after it was made, as far as is decided by it. What else the API put into it is seen with its
/// first change.
fn just_made(wanted: &Pod, metadata: ObjectMeta) -> Pod {
    let lean = |container: &Container| Container {
        name: container.name.clone(),
        env: container.env.clone(),
        resources: container.resources.clone(),
        ..Container::default()
    };
    Pod {
        metadata,
        spec: PodSpec {
            init_containers: wanted.spec.init_containers.iter().map(lean).collect(),
            containers: wanted.spec.containers.iter().map(lean).collect(),
            resources: wanted.spec.resources.clone(),
            ..PodSpec::default()
        },
        status: PodStatus {
            phase: "Pending".to_owned(),
            ..PodStatus::default()
        },
        ..Pod::default()
    }
}

/// Takes over a pod of this name if it is the one we wanted: the same node of the same workflow (C-BLD-40).
async fn adopt(shared: &Shared, wanted: &Pod) -> Result<Pod, Failure> {
    let found: Pod = api::get(
        &shared.client,
        &api::PODS,
        &wanted.metadata.namespace,
        &wanted.metadata.name,
    )
    .await?;
    let owner = |pod: &Pod| pod.metadata.owner_references.first().map(|o| o.uid.clone());
    let node = |pod: &Pod| pod.metadata.annotations.get(NODE_ID).cloned();
    if owner(&found) == owner(wanted) && node(&found) == node(wanted) {
        return Ok(found);
    }
    let message = format!(
        "pods \"{}\" already exists and belongs to somebody else",
        wanted.metadata.name
    );
    Err(Failure::Refused { code: 409, message })
}

async fn create_agent(shared: &Shared, pod: &Pod, outcomes: &mut Outcomes) -> bool {
    match api::create::<_, Pod>(&shared.client, &api::PODS, &pod.metadata.namespace, pod).await {
        Ok(made) => {
            outcomes.agent = None;
            shared.world.put_pod(made);
            false
        }
        Err(Failure::AlreadyExists(_)) => false,
        Err(failure) => {
            let news = Some(refusal(shared, &failure));
            let learned = outcomes.agent != news;
            outcomes.agent = news;
            learned
        }
    }
}

async fn create_claim(
    shared: &Shared,
    workflow: &Workflow,
    claim: &PersistentVolumeClaim,
    outcomes: &mut Outcomes,
) -> bool {
    let (namespace, name) = (workflow.metadata.namespace.as_str(), claim.metadata.name.as_str());
    let owned = match api::create::<_, IgnoredAny>(&shared.client, &api::PVCS, namespace, claim).await {
        Ok(_) => Ok(true),
        Err(Failure::AlreadyExists(_)) => {
            let found = api::get::<PersistentVolumeClaim>(&shared.client, &api::PVCS, namespace, name).await;
            found.map(|c| {
                c.metadata
                    .owner_references
                    .iter()
                    .any(|o| o.uid == workflow.metadata.uid)
            })
        }
        Err(other) => Err(other),
    };
    match owned {
        Ok(owned) => {
            outcomes.claims.remove(name);
            outcomes.claims_found.insert(name.to_owned(), owned) != Some(owned)
        }
        Err(failure) => refuse(shared, &mut outcomes.claims, name, &failure),
    }
}

/// Notes what the API refused.
fn refuse(
    shared: &Shared,
    refusals: &mut std::collections::BTreeMap<String, Refusal>,
    name: &str,
    failure: &Failure,
) -> bool {
    let news = refusal(shared, failure);
    info!(object = name, error = %failure, transient = news.transient, "The API refused an object");
    note(refusals, name, news)
}

/// Notes a refusal; news only if it differs from the last one, so that no round is repeated for nothing.
fn note(refusals: &mut std::collections::BTreeMap<String, Refusal>, name: &str, news: Refusal) -> bool {
    refusals.insert(name.to_owned(), news.clone()) != Some(news)
}

fn refusal(shared: &Shared, failure: &Failure) -> Refusal {
    let message = failure.to_string();
    let transient = match failure {
        Failure::Unreachable(_) => true,
        other => is_transient_answer(other.code(), &message, &shared.config().transient_error_pattern),
    };
    Refusal { transient, message }
}

async fn delete_claim(shared: &Shared, namespace: &str, name: &str) -> Result<(), Failure> {
    api::delete(&shared.client, &api::PVCS, namespace, name, None, None).await?;
    let patch = json!({"metadata": {"finalizers": null}});
    match api::merge_patch::<Value>(&shared.client, &api::PVCS, namespace, name, &patch).await {
        // A claim that is gone at once needs no finalizer removed.
        Ok(_) | Err(Failure::NotFound(_)) => Ok(()),
        Err(other) => Err(other),
    }
}

async fn write_task_set(shared: &Shared, workflow: &Workflow, tasks: &Value) -> Result<(), Failure> {
    let (namespace, name) = (&workflow.metadata.namespace, &workflow.metadata.name);
    let mut labels = serde_json::Map::new();
    labels.insert("workflows.argoproj.io/completed".into(), json!("false"));
    let config = shared.config();
    if !config.instance_id.is_empty() {
        labels.insert(crate::INSTANCE_LABEL.into(), json!(config.instance_id));
    }
    let set = json!({
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "WorkflowTaskSet",
        "metadata": {
            "name": name, "namespace": namespace, "labels": labels,
            "ownerReferences": [{
                "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "name": name, "uid": workflow.metadata.uid,
            }],
        },
        "spec": {"tasks": tasks},
    });
    match api::create::<_, Value>(&shared.client, &api::TASK_SETS, namespace, &set).await {
        Ok(_) => Ok(()),
        Err(Failure::AlreadyExists(_)) => {
            let patch = json!({"metadata": {"labels": labels}, "spec": {"tasks": tasks}});
            api::merge_patch::<Value>(&shared.client, &api::TASK_SETS, namespace, name, &patch)
                .await
                .map(drop)
        }
        Err(other) => Err(other),
    }
}

/// Removes tasks, their results first (C-HTTP-07).
async fn complete_tasks(
    shared: &Shared,
    workflow: &Workflow,
    tasks: &[String],
    all: bool,
) -> Result<(), Failure> {
    let (namespace, name) = (&workflow.metadata.namespace, &workflow.metadata.name);
    let gone: serde_json::Map<String, Value> = tasks.iter().map(|t| (t.clone(), Value::Null)).collect();
    let status = json!({"status": {"nodes": gone}});
    let path = format!("{name}/status");
    api::merge_patch::<Value>(&shared.client, &api::TASK_SETS, namespace, &path, &status).await?;
    let labels = json!({"workflows.argoproj.io/completed": all.to_string()});
    let spec = json!({"metadata": {"labels": labels}, "spec": {"tasks": gone}});
    api::merge_patch::<Value>(&shared.client, &api::TASK_SETS, namespace, name, &spec)
        .await
        .map(drop)
}

/// Makes what deletes artifacts; a pod that was not known is news.
async fn create_collector(
    shared: &Shared,
    tasks: &[argosy_model::WorkflowArtifactGcTask],
    pod: &Pod,
    outcomes: &mut Outcomes,
) -> bool {
    match collect::create(shared, tasks, pod).await {
        Ok(made) => {
            outcomes.pods.remove(&made.metadata.name);
            shared.world.put_pod(made);
            true
        }
        Err(failure) => refuse(shared, &mut outcomes.pods, &pod.metadata.name, &failure),
    }
}

/// Saves a cache entry in the controller's namespace; a map of somebody else's is refused (C-MEM-02, Q-12: other
/// labels of the map stay).
async fn save_memo(
    shared: &Shared,
    node_id: &str,
    map_name: &str,
    key: &str,
    entry: &str,
    outcomes: &mut Outcomes,
) -> bool {
    const TYPE: &str = "workflows.argoproj.io/configmap-type";
    let config = shared.config();
    let namespace = &config.namespace;
    let map = json!({
        "apiVersion": "v1", "kind": "ConfigMap",
        "metadata": {"name": map_name, "namespace": namespace, "labels": {TYPE: "Cache"}},
        "data": {key: entry},
    });
    let saved = match api::create::<_, ConfigMap>(&shared.client, &api::CONFIG_MAPS, namespace, &map).await {
        Err(Failure::AlreadyExists(_)) => {
            let patch = json!({"metadata": {"labels": {TYPE: "Cache"}}, "data": {key: entry}});
            api::merge_patch::<ConfigMap>(&shared.client, &api::CONFIG_MAPS, namespace, map_name, &patch)
                .await
        }
        other => other,
    };
    match saved {
        Ok(map) => {
            shared.world.put_config_map(namespace, map_name, Some(map));
            outcomes.memos.remove(node_id);
            false
        }
        Err(failure) => {
            let text = failure.to_string();
            outcomes.memos.insert(node_id.to_owned(), text.clone()) != Some(text)
        }
    }
}

/// Annotations that say which node an event is about (C-EVT-02).
pub fn of_node(workflow: &Workflow, event: &Event) -> serde_json::Map<String, Value> {
    let mut annotations = serde_json::Map::new();
    if let Some(node) = event
        .node_id
        .as_ref()
        .and_then(|id| workflow.status.nodes.get(id))
    {
        annotations.insert("workflows.argoproj.io/node-id".into(), json!(node.id));
        annotations.insert("workflows.argoproj.io/node-name".into(), json!(node.name));
        annotations.insert("workflows.argoproj.io/node-type".into(), json!(node.type_));
        if let Some(start) = &node.started_at {
            let nanos = start.0.as_nanosecond().to_string();
            annotations.insert("workflows.argoproj.io/node-start-time".into(), json!(nanos));
        }
    }
    annotations
}

/// The Kubernetes event for an engine's event about an object of one of our kinds, or about a pod.
pub fn event_object(
    kind: &str,
    meta: &ObjectMeta,
    event: &Event,
    annotations: serde_json::Map<String, Value>,
    now: jiff::Timestamp,
    serial: u64,
) -> Value {
    let time = argosy_model::k8s::Time(now);
    let version = if kind == "Pod" {
        "v1"
    } else {
        "argoproj.io/v1alpha1"
    };
    json!({
        "apiVersion": "v1", "kind": "Event",
        "metadata": {
            "name": format!("{}.{:x}{serial:04x}", meta.name, now.as_nanosecond()),
            "namespace": meta.namespace, "annotations": annotations,
        },
        "involvedObject": {
            "apiVersion": version, "kind": kind, "name": meta.name, "namespace": meta.namespace,
            "uid": meta.uid, "resourceVersion": meta.resource_version,
        },
        "reason": event.reason, "message": event.message,
        "type": if event.warning { "Warning" } else { "Normal" },
        "source": {"component": "workflow-controller"}, "reportingComponent": "workflow-controller",
        "firstTimestamp": time, "lastTimestamp": time, "count": 1,
    })
}
