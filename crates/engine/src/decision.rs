//! What a decision says: changes of the object, effects on the world, when to look again, and who waits for what.

use std::collections::BTreeMap;

use argosy_model::k8s::{ConfigMap, PersistentVolumeClaim, Pod};
use argosy_model::{NodeStatus, NodeType, Template, Workflow, WorkflowArtifactGcTask, WorkflowStatus};
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Map, Value, json};

use crate::locks;
use crate::node;

/// The answer of [`crate::decide`].
#[derive(Debug, Clone, Default)]
pub struct Decision {
    /// What changes in the workflow object. Empty: nothing is to be written.
    pub changes: Changes,
    /// What is to be done, in order within each [`Order`].
    pub effects: Vec<Effect>,
    /// When to decide again if nothing happens before; never before `now`. Equal to `now` means: at once, as soon as
    /// the changes are stored.
    pub wake_at: Option<Timestamp>,
    /// When the changes are to be stored.
    pub store: Store,
    /// For every node that does not move, why; the key "" stands for the workflow. Unless
    /// [`Snapshot::explain`](crate::Snapshot::explain) asks for all, one pod at work is enough, if there is one.
    pub waiting: BTreeMap<String, Waiting>,
}

/// When the changes of a decision are to be stored.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Store {
    /// At once.
    #[default]
    Now,
    /// With the ends of others that come at the same time: pods have ended beside others, and nothing follows but what is
    /// done to them.
    Soon {
        /// Not after this time, when there is something else to decide.
        until: Option<Timestamp>,
    },
    /// With what comes in the next moments: nothing is lost by it. Nodes that are known have moved, none has ended,
    /// nothing follows from it and nothing is to be done.
    Later {
        /// Not after this time, when there is something else to decide.
        until: Option<Timestamp>,
    },
}

impl Store {
    /// When to store these changes, if something else is to be decided at `until`. `may_follow`: the next decision may find
    /// more to do.
    pub(crate) fn choose(
        changes: &Changes,
        effects: &[Effect],
        before: &Workflow,
        may_follow: bool,
        until: Option<Timestamp>,
        now: Timestamp,
    ) -> Self {
        let moved = |(id, node): (&String, &NodeStatus)| {
            let old = before.status.nodes.get(id);
            !node::phase_fulfilled(node) && old.is_some_and(|old| old.daemoned == node.daemoned)
        };
        let status = changes.status.as_ref();
        let goes_on = changes.labels.is_empty()
            && changes.annotations.is_empty()
            && changes.finalizers.is_none()
            && status.is_none_or(|status| status.phase == before.status.phase)
            && until.is_none_or(|at| at > now);
        // A node gets another name only while it goes on: one that has ended by the next decision would never get it.
        let is_known = |(id, node): (&String, &NodeStatus)| {
            let old = before.status.nodes.get(id);
            old.is_some_and(|old| old.display_name == node.display_name)
        };
        if !goes_on || !changes.nodes.iter().all(is_known) {
            Self::Now
        } else if changes.nodes.iter().all(moved)
            && effects.iter().all(|effect| matches!(effect, Effect::Emit(_)))
        {
            Self::Later { until }
        } else if !may_follow && effects.iter().all(Effect::is_for_others) {
            Self::Soon { until }
        } else {
            Self::Now
        }
    }
}

/// Changes of one workflow object: only what differs from the snapshot's.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Changes {
    /// Labels to set, or to remove (`None`).
    pub labels: BTreeMap<String, Option<String>>,
    /// Annotations to set, or to remove (`None`).
    pub annotations: BTreeMap<String, Option<String>>,
    /// The whole new list of finalizers.
    pub finalizers: Option<Vec<String>>,
    /// The whole new status without its nodes.
    pub status: Option<Box<WorkflowStatus>>,
    /// New and touched nodes by id.
    pub nodes: BTreeMap<String, NodeStatus>,
}

impl Changes {
    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Whether all that happened is that pods went on or ended well, and that others began: then nothing comes of it in the
    /// next decision.
    pub(crate) fn are_of_pods_alone(&self, before: &Workflow) -> bool {
        let goes_well = |node: &NodeStatus, old: &NodeStatus| {
            let is_well = match node.type_ {
                NodeType::Pod => !node::failed_or_error(&node.phase),
                _ => old.phase == node.phase,
            };
            // Nearly always one and the same list, which may be long.
            let has_kept = || node.children == old.children || node.children.starts_with(&old.children);
            is_well && old.daemoned == node.daemoned && has_kept()
        };
        let old = |id| before.status.nodes.get(id);
        let mut nodes = self.nodes.iter();
        nodes.all(|(id, node)| old(id).map_or_else(|| node::begins(node), |old| goes_well(node, old)))
            && self
                .status
                .as_ref()
                .is_none_or(|status| status.phase == before.status.phase)
    }

    /// The changes as they are read again once they are stored: with times in whole seconds.
    ///
    /// # Panics
    /// Never: what was written by the model's types is read by them.
    #[must_use]
    pub fn as_stored(&self) -> Self {
        fn reread<T: Serialize + DeserializeOwned>(value: &T) -> T {
            let text = serde_json::to_string(value).expect("wire types can always be written");
            serde_json::from_str(&text).expect("what was written is read")
        }
        let nodes = self.nodes.iter();
        Self {
            status: self.status.as_ref().map(reread),
            nodes: nodes.map(|(id, node)| (id.clone(), reread(node))).collect(),
            labels: self.labels.clone(),
            annotations: self.annotations.clone(),
            finalizers: self.finalizers.clone(),
        }
    }

    /// Makes the changes on the object they were decided for.
    pub fn apply(&self, workflow: &mut Workflow) {
        for (changes, map) in [
            (&self.labels, &mut workflow.metadata.labels),
            (&self.annotations, &mut workflow.metadata.annotations),
        ] {
            for (key, value) in changes {
                match value {
                    Some(value) => map.insert(key.clone(), value.clone()),
                    None => map.remove(key),
                };
            }
        }
        if let Some(finalizers) = &self.finalizers {
            workflow.metadata.finalizers.clone_from(finalizers);
        }
        if let Some(status) = &self.status {
            let nodes = std::mem::take(&mut workflow.status.nodes);
            workflow.status = (**status).clone();
            workflow.status.nodes = nodes;
        }
        workflow
            .status
            .nodes
            .extend(self.nodes.iter().map(|(id, node)| (id.clone(), node.clone())));
    }

    /// A JSON merge patch from the object they were decided for to the changed one.
    #[must_use]
    pub fn merge_patch(&self, before: &Workflow) -> Value {
        let mut patch = Map::new();
        let mut metadata = Map::new();
        for (key, changes) in [("labels", &self.labels), ("annotations", &self.annotations)] {
            if !changes.is_empty() {
                metadata.insert(key.to_owned(), json!(changes));
            }
        }
        if let Some(finalizers) = &self.finalizers {
            metadata.insert("finalizers".to_owned(), json!(finalizers));
        }
        if !metadata.is_empty() {
            patch.insert("metadata".to_owned(), metadata.into());
        }
        let mut status = Map::new();
        if let Some(after) = &self.status {
            let bare = WorkflowStatus {
                nodes: BTreeMap::new(),
                ..shallow(&before.status)
            };
            if let Some(Value::Object(difference)) = merge_difference(&json!(bare), &json!(after)) {
                status = difference;
            }
        }
        let mut nodes = Map::new();
        for (id, node) in &self.nodes {
            let old = before.status.nodes.get(id).map_or(Value::Null, |n| json!(n));
            if let Some(difference) = merge_difference(&old, &json!(node)) {
                nodes.insert(id.clone(), difference);
            }
        }
        if !nodes.is_empty() {
            status.insert("nodes".to_owned(), nodes.into());
        }
        if !status.is_empty() {
            patch.insert("status".to_owned(), status.into());
        }
        patch.into()
    }
}

/// The status without its nodes, which are big and compared one by one.
pub(crate) fn shallow(status: &WorkflowStatus) -> WorkflowStatus {
    WorkflowStatus {
        nodes: BTreeMap::new(),
        phase: status.phase.clone(),
        started_at: status.started_at,
        finished_at: status.finished_at,
        estimated_duration: status.estimated_duration,
        progress: status.progress.clone(),
        message: status.message.clone(),
        compressed_nodes: String::new(),
        offload_node_status_version: status.offload_node_status_version.clone(),
        stored_templates: status.stored_templates.clone(),
        persistent_volume_claims: status.persistent_volume_claims.clone(),
        outputs: status.outputs.clone(),
        conditions: status.conditions.clone(),
        resources_duration: status.resources_duration.clone(),
        stored_workflow_template_spec: status.stored_workflow_template_spec.clone(),
        synchronization: status.synchronization.clone(),
        artifact_repository_ref: status.artifact_repository_ref.clone(),
        artifact_gc_status: status.artifact_gc_status.clone(),
        task_results_completion_status: status.task_results_completion_status.clone(),
    }
}

/// The merge patch that turns `old` into `new`; `None` when they are equal.
pub(crate) fn merge_difference(old: &Value, new: &Value) -> Option<Value> {
    match (old, new) {
        (Value::Object(old), Value::Object(new)) => {
            let mut patch = Map::new();
            for key in old.keys().filter(|key| !new.contains_key(*key)) {
                patch.insert(key.clone(), Value::Null);
            }
            for (key, value) in new {
                if let Some(difference) = merge_difference(old.get(key).unwrap_or(&Value::Null), value) {
                    patch.insert(key.clone(), difference);
                }
            }
            (!patch.is_empty()).then(|| patch.into())
        }
        _ => (old != new).then(|| new.clone()),
    }
}

/// When an effect is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Order {
    /// Before the changes are stored: creations, which a repeat finds done.
    BeforePersist,
    /// Only after the changes are stored: what they allow and nothing can undo.
    AfterPersist,
}

/// Something to be done to the world. Each names its object from node ids, so a repeat is harmless.
#[derive(Debug, Clone, PartialEq)]
pub enum Effect {
    /// Create the pod of a node, after its ConfigMaps. "Already exists" is success when it carries the same node id.
    CreatePod {
        /// The node.
        node_id: String,
        /// The pod.
        pod: Box<Pod>,
        /// ConfigMaps with what is too big for the pod's environment.
        config_maps: Vec<ConfigMap>,
        /// Whether it is to work under a lock that this decision takes. It is made only once that is stored: a
        /// controller that died in between would lose the lock and not the pod.
        locked: bool,
    },
    /// Ask the containers of a pod to end, or delete the pod if it is still pending (C-CLN-10).
    TerminateContainers {
        /// The node.
        node_id: String,
        /// Name of the pod.
        pod: String,
        /// Only this incarnation: by then there may be a later one of its name.
        uid: String,
    },
    /// Delete a pod.
    DeletePod {
        /// The node, "" for pods without one.
        node_id: String,
        /// Name of the pod.
        pod: String,
        /// Only this incarnation; of a pod that was not seen, whichever there is.
        uid: Option<String>,
        /// Whether `podGC` asks for it, and not that it is in the way.
        by_strategy: bool,
        /// How long after the changes are stored.
        after: SignedDuration,
    },
    /// Label a pod completed and remove our finalizer from it.
    LabelPodCompleted {
        /// The node.
        node_id: String,
        /// Name of the pod.
        pod: String,
        /// Only this incarnation: by then there may be a later one of its name.
        uid: String,
    },
    /// Remove our finalizer from a pod.
    RemovePodFinalizer {
        /// The node.
        node_id: String,
        /// Name of the pod.
        pod: String,
        /// Only this incarnation: by then there may be a later one of its name.
        uid: String,
    },
    /// Create a volume claim.
    CreateClaim {
        /// The claim, owner included.
        claim: Box<PersistentVolumeClaim>,
    },
    /// Delete a volume claim and remove its protection finalizer.
    DeleteClaim {
        /// Name of the claim.
        name: String,
    },
    /// Create the disruption budget (`policy/v1`), as JSON.
    CreateDisruptionBudget {
        /// The whole object.
        budget: Value,
    },
    /// Delete the disruption budget.
    DeleteDisruptionBudget {
        /// Its name.
        name: String,
    },
    /// Create the task set or patch these tasks into it (C-HTTP-03).
    WriteTaskSet {
        /// Processed templates by node id.
        tasks: BTreeMap<String, Template>,
    },
    /// Remove tasks from the task set, first their results, then themselves (C-HTTP-07).
    CompleteTasks {
        /// Node ids.
        tasks: Vec<String>,
        /// The workflow is complete: label the set.
        all: bool,
    },
    /// Create the agent pod if it is missing.
    CreateAgentPod {
        /// The pod.
        pod: Box<Pod>,
    },
    /// Delete the task results of the workflow.
    DeleteTaskResults,
    /// Save a cache entry (C-MEM-02).
    SaveMemo {
        /// Node whose outputs these are.
        node_id: String,
        /// ConfigMap in the controller's namespace.
        config_map: String,
        /// Key in it.
        key: String,
        /// The entry's text.
        entry: String,
    },
    /// Operations on locks.
    Lock(locks::Op),
    /// A Kubernetes event about the workflow or one of its nodes.
    Emit(Event),
    /// A custom metric.
    Metric(Metric),
    /// Resolve the artifact repository reference (C-OP-10); the answer comes as `Outcomes::repository`.
    ResolveArtifactRepository,
    /// Look up entrypoint and command of an image; the answer comes as `Outcomes::images`.
    LookUpImage {
        /// The image.
        image: String,
        /// Pull secrets of the pod.
        pull_secrets: Vec<String>,
        /// Service account of the pod.
        service_account: String,
    },
    /// Find the token secret of a service account; the answer comes as `Outcomes::token_secrets`.
    LookUpTokenSecret {
        /// The account.
        service_account: String,
    },
    /// The workflow leaves its place among the running ones (C-THR-07).
    LeaveThrottler,
    /// Create the tasks of an artifact clean-up, then the pod, which they own (C-AGC-03). A refusal comes as
    /// `Outcomes::pods`.
    CreateArtifactGc {
        /// The tasks.
        tasks: Vec<WorkflowArtifactGcTask>,
        /// The pod.
        pod: Box<Pod>,
    },
    /// Read the tasks of a clean-up pod that has ended; the answer comes as `Outcomes::artifact_gc_tasks`.
    ReadArtifactGcTasks {
        /// Name of the pod.
        pod: String,
        /// Label selector of its tasks.
        selector: String,
    },
    /// Delete tasks that are done, and with them their pod.
    DeleteArtifactGcTasks {
        /// Their names.
        tasks: Vec<String>,
    },
}

impl Effect {
    /// Whether nothing that is decided about the workflow itself depends on it.
    pub(crate) fn is_for_others(&self) -> bool {
        matches!(
            self,
            Self::LabelPodCompleted { .. }
                | Self::RemovePodFinalizer { .. }
                | Self::DeletePod { .. }
                | Self::Emit(_)
                | Self::Metric(_)
        )
    }

    /// Whether the effect makes a pod at once. Whatever comes of it is news.
    pub(crate) fn makes_pod(&self) -> bool {
        matches!(self, Self::CreatePod { locked: false, .. })
    }

    /// When the effect is to be done.
    #[must_use]
    pub fn order(&self) -> Order {
        match self {
            Self::CreatePod { locked: true, .. } => Order::AfterPersist,
            Self::CreatePod { locked: false, .. }
            | Self::CreateClaim { .. }
            | Self::CreateDisruptionBudget { .. }
            | Self::WriteTaskSet { .. }
            | Self::CreateAgentPod { .. }
            | Self::CreateArtifactGc { .. }
            | Self::ReadArtifactGcTasks { .. }
            | Self::SaveMemo { .. }
            | Self::ResolveArtifactRepository
            | Self::LookUpImage { .. }
            | Self::LookUpTokenSecret { .. } => Order::BeforePersist,
            Self::Lock(op) => match op {
                locks::Op::Limit { .. }
                | locks::Op::Enqueue { .. }
                | locks::Op::Acquire { handed: false, .. } => Order::BeforePersist,
                locks::Op::Acquire { handed: true, .. }
                | locks::Op::Release { .. }
                | locks::Op::ReleaseAll { .. } => Order::AfterPersist,
            },
            Self::TerminateContainers { .. }
            | Self::DeletePod { .. }
            | Self::LabelPodCompleted { .. }
            | Self::RemovePodFinalizer { .. }
            | Self::DeleteClaim { .. }
            | Self::DeleteDisruptionBudget { .. }
            | Self::CompleteTasks { .. }
            | Self::DeleteTaskResults
            | Self::DeleteArtifactGcTasks { .. }
            | Self::Emit(_)
            | Self::Metric(_)
            | Self::LeaveThrottler => Order::AfterPersist,
        }
    }
}

/// A Kubernetes event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// `Warning` instead of `Normal`.
    pub warning: bool,
    /// Its reason, such as `WorkflowRunning`.
    pub reason: String,
    /// Its text.
    pub message: String,
    /// The node it is about (C-EVT-02).
    pub node_id: Option<String>,
}

/// A value for a custom metric (C-MET-10).
#[derive(Debug, Clone, PartialEq)]
pub struct Metric {
    /// Name without prefix.
    pub name: String,
    /// Help text.
    pub help: String,
    /// Labels in the order of the spec.
    pub labels: Vec<(String, String)>,
    /// What is done with the value.
    pub kind: MetricKind,
    /// The value.
    pub value: f64,
}

/// The kind of a custom metric.
#[derive(Debug, Clone, PartialEq)]
pub enum MetricKind {
    /// Adds the value.
    Counter,
    /// Sets, adds or subtracts the value.
    Gauge {
        /// `Set`, `Add` or `Sub`.
        operation: String,
    },
    /// A gauge of how long a node or the workflow has been running, in seconds, as long as the workflow runs.
    Elapsed {
        /// Node that it belongs to; empty for the workflow.
        node_id: String,
        /// From then on.
        since: Timestamp,
        /// Until then; `None` as long as it runs.
        until: Option<Timestamp>,
    },
    /// Observes the value.
    Histogram {
        /// Upper bounds of the buckets.
        buckets: Vec<f64>,
    },
}

/// Why a node does not move.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Waiting {
    /// The workflow waits for its turn (C-THR-08).
    Admission,
    /// `spec.suspend` is set.
    WorkflowSuspended,
    /// A lock is held by others.
    Lock {
        /// Name of the lock.
        lock: String,
        /// Who holds it.
        holders: Vec<String>,
        /// The text in status.
        message: String,
    },
    /// As many run as may.
    Parallelism {
        /// How many run.
        active: i64,
        /// How many may.
        limit: i64,
    },
    /// The next attempt comes later.
    RetryAt(Timestamp),
    /// The pod was asked for and is not there yet.
    PodCreation {
        /// Name of the pod.
        pod: String,
    },
    /// The API refuses the pod for now.
    PodRefused {
        /// The API's text.
        message: String,
    },
    /// The pod is there and does not start.
    PodPending {
        /// Name of the pod.
        pod: String,
        /// Reason and message, empty when Kubernetes gives none.
        message: String,
    },
    /// The pod runs.
    PodRunning {
        /// Name of the pod.
        pod: String,
    },
    /// The pod ended and its outputs or result are not reported yet.
    Result {
        /// Name of the pod.
        pod: String,
        /// When it is given up.
        until: Option<Timestamp>,
    },
    /// Until then, or until somebody resumes it (`None`).
    Suspended {
        /// When it goes on by itself.
        until: Option<Timestamp>,
    },
    /// The agent works on it.
    Agent,
    /// These nodes, by name, must end first. None at all means that nothing can move the workflow any more, which is
    /// a fault of ours and worth an alarm.
    Nodes(Vec<String>),
    /// A value is referenced that no node has given.
    Variable {
        /// The engine's text.
        message: String,
    },
    /// An image's entrypoint is being looked up.
    Image {
        /// The image.
        image: String,
    },
    /// A volume claim is being created.
    Claim {
        /// The API's text.
        message: String,
    },
    /// The artifact repository is being resolved.
    ArtifactRepository,
}
