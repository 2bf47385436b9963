//! Everything that one decision sees: borrowed, plain data.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use argosy_model::k8s::{ConfigMap, Pod};
use argosy_model::{Workflow, WorkflowTaskResult, names};

use crate::config::{Config, ImageConfig};
use crate::{locks, node};

/// What a decision sees.
#[derive(Clone, Copy)]
pub struct Snapshot<'a> {
    /// The workflow, with its node status in clear.
    pub workflow: &'a Workflow,
    /// Pods of the workflow that are not labelled completed, by name, the agent's included.
    pub pods: &'a BTreeMap<String, Arc<Pod>>,
    /// Task results of the workflow by node id.
    pub results: &'a BTreeMap<String, Arc<WorkflowTaskResult>>,
    /// What the agent reported, by node id.
    pub agent_results: &'a BTreeMap<String, argosy_model::NodeResult>,
    /// ConfigMaps of parameters, caches and semaphores.
    pub config_maps: &'a ConfigMaps,
    /// All locks in memory.
    pub locks: &'a locks::Machine,
    /// What came of earlier effects.
    pub outcomes: &'a Outcomes,
    /// The controller's settings.
    pub config: &'a Config,
    /// False while the workflow's turn has not come (C-THR-08).
    pub admitted: bool,
    /// Whether [`Decision::waiting`](crate::Decision::waiting) is to name every node that does not move. It costs as much
    /// as the decision about a big workflow.
    pub explain: bool,
    /// What has moved: a decision may look at nothing else.
    pub moved: &'a Moved,
}

/// What is new, changed or gone since the last decision by the same plan whose changes, if it had any, were stored.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Moved {
    /// Anything.
    #[default]
    Everything,
    /// Only these. Nobody else has written the workflow, and nothing else that decisions see is different, but for the time
    /// and for locks. None at all means that there is another reason to decide.
    Only {
        /// Names of pods.
        pods: BTreeSet<String>,
        /// Task results by the ids of their nodes.
        results: BTreeSet<String>,
    },
}

impl Moved {
    /// Nothing has moved.
    #[must_use]
    pub fn nothing() -> Self {
        Self::Only {
            pods: BTreeSet::new(),
            results: BTreeSet::new(),
        }
    }

    /// Notes a pod by its name.
    pub fn note_pod(&mut self, name: &str) {
        if let Self::Only { pods, .. } = self
            && !pods.contains(name)
        {
            pods.insert(name.to_owned());
        }
    }

    /// Notes a task result by the id of its node.
    pub fn note_result(&mut self, node: &str) {
        if let Self::Only { results, .. } = self
            && !results.contains(node)
        {
            results.insert(node.to_owned());
        }
    }

    /// Notes what has moved after that.
    pub fn add(&mut self, later: Self) {
        match (&mut *self, later) {
            (Self::Only { pods, results }, Self::Only { pods: p, results: r }) => {
                pods.extend(p);
                results.extend(r);
            }
            _ => *self = Self::Everything,
        }
    }
}

/// Takes a pod that is gone out of a workflow's known ones. False: that leaves nothing to decide, as the pod had ended
/// when decisions saw it last, and so has its node by the status that is known.
#[must_use]
pub fn forget_pod(
    pods: &mut BTreeMap<String, Arc<Pod>>,
    gone: &Pod,
    workflow: Option<&Arc<Workflow>>,
) -> bool {
    let name = &gone.metadata.name;
    let is_known = pods
        .get(name)
        .is_some_and(|known| known.metadata.uid == gone.metadata.uid);
    let known = is_known.then(|| pods.remove(name)).flatten();
    !known.is_some_and(|pod| workflow.is_some_and(|workflow| is_done_with(workflow, &pod)))
}

/// Whether a pod's going leaves nothing to decide: it had ended, and so has its node by the status that is known.
#[must_use]
pub fn is_done_with(workflow: &Workflow, pod: &Pod) -> bool {
    let id = pod.metadata.annotations.get(names::annotation::NODE_ID);
    let node = id.and_then(|id| workflow.status.nodes.get(id));
    matches!(pod.status.phase.as_str(), "Succeeded" | "Failed")
        && node.is_some_and(|n| node::phase_ended(&n.phase) && node::synced(n))
}

/// ConfigMaps by namespace and name.
#[derive(Debug, Clone, Default)]
pub struct ConfigMaps {
    known: BTreeMap<(String, String), Option<Arc<ConfigMap>>>,
}

impl ConfigMaps {
    /// No ConfigMaps at all.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a ConfigMap that exists (`Some`) or is known not to.
    pub fn insert(&mut self, namespace: &str, name: &str, map: Option<Arc<ConfigMap>>) {
        self.known.insert((namespace.to_owned(), name.to_owned()), map);
    }

    /// Namespaces and names of those that exist.
    pub fn existing(&self) -> impl Iterator<Item = (&str, &str)> {
        let there = self.known.iter().filter(|(_, map)| map.is_some());
        there.map(|((namespace, name), _)| (namespace.as_str(), name.as_str()))
    }

    /// The ConfigMap, `None` when there is none.
    #[must_use]
    pub fn get(&self, namespace: &str, name: &str) -> Option<&ConfigMap> {
        self.known
            .get(&(namespace.to_owned(), name.to_owned()))?
            .as_deref()
    }
}

/// What came of earlier effects.
#[derive(Debug, Clone, Default)]
pub struct Outcomes {
    /// Pods that the API refused, by pod name.
    pub pods: BTreeMap<String, Refusal>,
    /// Volume claims that the API refused, by claim name.
    pub claims: BTreeMap<String, Refusal>,
    /// Volume claims that exist, by claim name; the value tells whether this workflow owns it.
    pub claims_found: BTreeMap<String, bool>,
    /// The API refused the agent pod.
    pub agent: Option<Refusal>,
    /// Entrypoints that were looked up, by image, or why that failed.
    pub images: BTreeMap<String, Result<ImageConfig, String>>,
    /// Cache entries that could not be saved, by node id.
    pub memos: BTreeMap<String, String>,
    /// The artifact repository that the reference stands for, or why there is none.
    pub repository: Option<Result<argosy_model::ArtifactRepositoryRefStatus, String>>,
    /// Tasks of clean-up pods that have ended, with their results, by pod name.
    pub artifact_gc_tasks: BTreeMap<String, Vec<argosy_model::WorkflowArtifactGcTask>>,
    /// Nodes whose gauges in real time are shown; the empty id stands for the workflow.
    pub followed: BTreeSet<String>,
    /// Earlier run to estimate durations from: duration in whole seconds by node name relative to the root ("" for the workflow).
    pub estimates: BTreeMap<String, i64>,
    /// Names of token secrets by service account, for pods with their own executor account (C-BLD-04).
    pub token_secrets: BTreeMap<String, String>,
}

/// An effect that the API refused.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Whether trying again can help (C-EXE-31).
    pub transient: bool,
    /// The API's text.
    pub message: String,
}
