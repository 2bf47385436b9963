//! What the controller knows of the cluster, as the watches and its own writes told it.
//!
//! Pure state: who fills it and who is woken is decided elsewhere. An object is never replaced by an older one, so a
//! late event cannot undo our own last write (hazard "stale cache").

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard};

use argosy_engine::{ConfigMaps, Moved, Templates, estimate, forget_pod};
use argosy_model::k8s::{ConfigMap, ObjectMeta, PartialObjectMetadata, Pod, Time};
use argosy_model::{
    ClusterWorkflowTemplate, CronWorkflow, Workflow, WorkflowPhase, WorkflowTaskResult, WorkflowTaskSet,
    WorkflowTemplate, compression,
};

use argosy_model::names::annotation::NODE_ID;

use crate::cron;
use crate::identity::Identity;

/// Label that names the workflow of a pod, task result and so on.
pub const WORKFLOW_LABEL: &str = "workflows.argoproj.io/workflow";

/// How many objects that are gone are remembered. An answer is late by seconds at most; so many don't go in that time.
const GONE: usize = 256;

/// Namespace and name of an object.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// Namespace, empty for cluster-scoped objects.
    pub namespace: String,
    /// Name.
    pub name: String,
}

impl Key {
    /// The key of these two.
    pub fn new(namespace: impl Into<String>, name: impl Into<String>) -> Self {
        Self {
            namespace: namespace.into(),
            name: name.into(),
        }
    }

    fn of(meta: &ObjectMeta) -> Self {
        Self::new(&meta.namespace, &meta.name)
    }

    /// The workflow that an object belongs to by its label.
    fn owner(meta: &ObjectMeta) -> Option<Self> {
        meta.labels
            .get(WORKFLOW_LABEL)
            .map(|name| Self::new(&meta.namespace, name))
    }
}

impl std::fmt::Display for Key {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}/{}", self.namespace, self.name)
    }
}

/// An object that the world keeps, or a part of one.
pub trait Kept {
    /// Its metadata.
    fn meta(&self) -> &ObjectMeta;
}

macro_rules! kept {
    ($($kind:ty),*) => { $(impl Kept for $kind { fn meta(&self) -> &ObjectMeta { &self.metadata } })* };
}
kept!(
    Workflow,
    WorkflowTaskResult,
    WorkflowTaskSet,
    WorkflowTemplate,
    ClusterWorkflowTemplate,
    CronWorkflow,
    Pod,
    PartialObjectMetadata,
    ConfigMap
);

/// Pods, results and agent reports of one workflow.
#[derive(Debug, Clone, Default)]
pub struct Parts {
    /// Pods by name.
    pub pods: Arc<BTreeMap<String, Arc<Pod>>>,
    /// Task results by node id.
    pub results: Arc<BTreeMap<String, Arc<WorkflowTaskResult>>>,
    /// The task set.
    pub task_set: Option<Arc<WorkflowTaskSet>>,
    /// What moved since that was taken last.
    moved: Moved,
}

#[derive(Debug, Default)]
struct State {
    workflows: BTreeMap<Key, Arc<Workflow>>,
    parts: BTreeMap<Key, Parts>,
    /// By namespace, then name.
    templates: BTreeMap<String, BTreeMap<String, Arc<WorkflowTemplate>>>,
    cluster_templates: BTreeMap<String, Arc<ClusterWorkflowTemplate>>,
    crons: BTreeMap<Key, Arc<CronWorkflow>>,
    /// Workflows that succeeded, by what later ones may be like them by, in the order of their creation.
    examples: BTreeMap<Likeness, BTreeSet<(Option<Time>, String)>>,
    /// Names of the workflows that a CronWorkflow started, so that finding them does not take looking at all.
    runs: BTreeMap<Key, BTreeSet<String>>,
    config_maps: Arc<ConfigMaps>,
    /// Uids of workflows whose nodes are stored compressed. What is stored of one node would be hidden by them.
    packed: BTreeSet<String>,
    /// Pods that are gone: the answer to our own creation may come after the news of the end.
    gone_pods: Gone,
    /// Workflows that are gone: so may the answer to our own write.
    gone_workflows: Gone,
    /// Counts changes of templates, for those who keep what they made of them.
    templates_generation: u64,
}

/// Uids and last versions of objects that are gone, the oldest first.
#[derive(Debug, Default)]
struct Gone(VecDeque<ObjectMeta>);

impl Gone {
    fn note(&mut self, meta: &ObjectMeta) {
        if self.0.len() == GONE {
            self.0.pop_front();
        }
        self.0.push_back(ObjectMeta {
            uid: meta.uid.clone(),
            resource_version: meta.resource_version.clone(),
            ..ObjectMeta::default()
        });
    }

    /// Whether the object is gone. It may come back: what a watch hides by its labels is there all the same.
    fn contains(&self, meta: &ObjectMeta) -> bool {
        self.0
            .iter()
            .any(|gone| gone.uid == meta.uid && !is_newer(gone, meta))
    }
}

/// The controller's cache.
#[derive(Debug, Default)]
pub struct World {
    state: Mutex<State>,
}

impl World {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no holder of this lock panics")
    }

    /// The workflow, as new as we know it.
    pub fn workflow(&self, key: &Key) -> Option<Arc<Workflow>> {
        self.lock().workflows.get(key).cloned()
    }

    /// Keys of all workflows.
    pub fn workflow_keys(&self) -> Vec<Key> {
        self.lock().workflows.keys().cloned().collect()
    }

    /// What belongs to the workflow.
    pub fn parts(&self, key: &Key) -> Parts {
        self.lock().parts.get(key).cloned().unwrap_or_default()
    }

    /// What belongs to the workflow, and what of all that decisions see moved since this was asked last. Anything may have
    /// if another version of the workflow is known by now.
    pub fn moved_parts(&self, key: &Key, workflow: &Workflow) -> (Parts, Moved) {
        let mut state = self.lock();
        let state = &mut *state;
        let Some(parts) = state.parts.get_mut(key) else {
            return (Parts::default(), Moved::Everything);
        };
        let version = &workflow.metadata.resource_version;
        let known = state.workflows.get(key);
        if known.is_none_or(|known| known.metadata.resource_version != *version) {
            return (parts.clone(), Moved::Everything);
        }
        let moved = std::mem::replace(&mut parts.moved, Moved::nothing());
        (parts.clone(), moved)
    }

    /// Notes that anything that decisions about a workflow see may have moved.
    pub fn note_all(&self, key: &Key) {
        self.lock().note_all(key);
    }

    /// All known ConfigMaps.
    pub fn config_maps(&self) -> Arc<ConfigMaps> {
        self.lock().config_maps.clone()
    }

    /// Counts changes of templates: plans of an older generation are compiled anew.
    pub fn templates_generation(&self) -> u64 {
        self.lock().templates_generation
    }

    /// Has every plan compiled anew, because settings changed.
    pub fn outdate_plans(&self) {
        self.lock().templates_generation += 1;
    }

    /// The templates that a workflow of this namespace may refer to.
    pub fn templates(&self, namespace: &str) -> Templates {
        let state = self.lock();
        Templates {
            namespaced: state.templates.get(namespace).cloned().unwrap_or_default(),
            cluster: state.cluster_templates.clone(),
            cluster_forbidden: false,
        }
    }

    /// Takes a workflow as somebody wrote it; false when an equal or newer one is known, or it is gone.
    pub fn put_workflow(&self, workflow: impl Into<Arc<Workflow>>) -> bool {
        self.lock().put_workflow(workflow.into(), true)
    }

    /// Takes a workflow as a decision was stored: nothing else about it has moved.
    pub fn put_decided(&self, workflow: Arc<Workflow>) {
        self.lock().put_workflow(workflow, false);
    }

    /// Whether this version of a workflow, or a later one, is known.
    pub fn knows_workflow(&self, who: &Identity) -> bool {
        let key = Key::new(&who.namespace, &who.name);
        let state = self.lock();
        state
            .workflows
            .get(&key)
            .is_some_and(|known| is_covered(&known.metadata, who))
    }

    /// Puts compressed nodes in their place, and notes how the workflow is stored.
    ///
    /// # Errors
    /// When they can't be read.
    pub fn unpack(&self, workflow: &mut Workflow) -> Result<(), compression::Error> {
        let is_packed = !workflow.status.compressed_nodes.is_empty();
        compression::restore(workflow)?;
        let uid = workflow.metadata.uid.as_str();
        let mut state = self.lock();
        if !is_packed {
            state.packed.remove(uid);
        } else if !state.packed.contains(uid) {
            state.packed.insert(uid.to_owned());
        }
        Ok(())
    }

    /// Notes that the nodes of the workflow of that uid are stored compressed from now on.
    pub fn note_packed(&self, uid: &str) {
        self.lock().packed.insert(uid.to_owned());
    }

    /// Whether the nodes of a workflow are stored compressed.
    pub fn is_packed(&self, workflow: &Workflow) -> bool {
        self.lock().packed.contains(&workflow.metadata.uid)
    }

    /// Forgets a deleted workflow; false when a later one of this name is known.
    pub fn remove_workflow(&self, workflow: &Workflow) -> bool {
        let mut state = self.lock();
        state.gone_workflows.note(&workflow.metadata);
        state.packed.remove(&workflow.metadata.uid);
        let key = Key::of(&workflow.metadata);
        let same = state
            .workflows
            .get(&key)
            .is_some_and(|known| known.metadata.uid == workflow.metadata.uid);
        if same {
            state.workflows.remove(&key);
            state.unindex(workflow);
        }
        same
    }

    /// Replaces all workflows by a listed state and gives the keys of those that are gone.
    pub fn replace_workflows(&self, listed: Vec<Workflow>) -> Vec<Key> {
        let mut state = self.lock();
        state.runs.clear();
        state.examples.clear();
        for workflow in &listed {
            state.index(workflow);
        }
        state
            .parts
            .values_mut()
            .for_each(|parts| parts.moved = Moved::Everything);
        replace(&mut state.workflows, listed, |w| Key::of(&w.metadata))
    }

    /// The CronWorkflow, as new as we know it.
    pub fn cron(&self, key: &Key) -> Option<Arc<CronWorkflow>> {
        self.lock().crons.get(key).cloned()
    }

    /// Keys of all CronWorkflows.
    pub fn cron_keys(&self) -> Vec<Key> {
        self.lock().crons.keys().cloned().collect()
    }

    /// The workflows that a CronWorkflow started, as far as they exist.
    pub fn runs(&self, cron: &Key) -> Vec<Arc<Workflow>> {
        let state = self.lock();
        let names = state.runs.get(cron).into_iter().flatten();
        names
            .filter_map(|name| state.workflows.get(&Key::new(&cron.namespace, name)).cloned())
            .collect()
    }

    /// The newest workflow that succeeded and is like this one (C-NODE-32).
    pub fn example(&self, workflow: &Workflow) -> Option<Arc<Workflow>> {
        let likeness = likenesses(workflow).next()?;
        let state = self.lock();
        let (_, name) = state.examples.get(&likeness)?.last()?;
        let key = Key::new(&workflow.metadata.namespace, name);
        state.workflows.get(&key).cloned()
    }

    /// Takes a CronWorkflow as it is now, or notes that it is gone; false when an equal or newer one is known.
    pub fn put_cron(&self, key: &Key, cron: Option<CronWorkflow>) -> bool {
        let mut state = self.lock();
        match cron {
            Some(cron) => put(&mut state.crons, key.clone(), cron),
            None => state.crons.remove(key).is_some(),
        }
    }

    /// A pod as it is known.
    pub fn pod(&self, pod: &Pod) -> Option<Arc<Pod>> {
        let owner = Key::owner(&pod.metadata)?;
        let state = self.lock();
        let known = state.parts.get(&owner)?.pods.get(&pod.metadata.name)?;
        (known.metadata.uid == pod.metadata.uid).then(|| known.clone())
    }

    /// Whether this version of a pod, or a later one, is known.
    pub fn knows_pod(&self, who: &Identity) -> bool {
        let Some(owner) = &who.owner else {
            return false;
        };
        let owner = Key::new(&who.namespace, &owner.workflow);
        let state = self.lock();
        let known = state
            .parts
            .get(&owner)
            .and_then(|parts| parts.pods.get(&who.name));
        known.is_some_and(|known| is_covered(&known.metadata, who))
    }

    /// The pod of a node.
    pub fn pod_of(&self, workflow: &Key, node_id: &str) -> Option<Arc<Pod>> {
        let state = self.lock();
        let of_node = |pod: &&Arc<Pod>| {
            pod.metadata
                .annotations
                .get(NODE_ID)
                .is_some_and(|id| id == node_id)
        };
        state.parts.get(workflow)?.pods.values().find(of_node).cloned()
    }

    /// Takes a pod as it is now; gives its workflow if that is to be looked at.
    pub fn put_pod(&self, pod: Pod) -> Option<Key> {
        let owner = Key::owner(&pod.metadata)?;
        let mut state = self.lock();
        if state.gone_pods.contains(&pod.metadata) {
            return None;
        }
        let parts = state.parts.entry(owner.clone()).or_default();
        let name = pod.metadata.name.clone();
        if !put(Arc::make_mut(&mut parts.pods), name.clone(), pod) {
            return None;
        }
        parts.moved.note_pod(&name);
        Some(owner)
    }

    /// Forgets a pod that is gone or was labelled completed; gives its workflow if that is to be looked at.
    pub fn remove_pod(&self, pod: &Pod) -> Option<Key> {
        let owner = Key::owner(&pod.metadata)?;
        let mut state = self.lock();
        let state = &mut *state;
        state.gone_pods.note(&pod.metadata);
        let parts = state.parts.get_mut(&owner)?;
        let is_news = forget_pod(Arc::make_mut(&mut parts.pods), pod, state.workflows.get(&owner));
        if is_news {
            parts.moved.note_pod(&pod.metadata.name);
        }
        state.drop_empty(&owner);
        is_news.then_some(owner)
    }

    /// Replaces all pods by a listed state; gives every workflow that has or had one.
    pub fn replace_pods(&self, listed: Vec<Pod>) -> BTreeSet<Key> {
        let mut state = self.lock();
        let mut by_owner: BTreeMap<Key, Vec<Pod>> = BTreeMap::new();
        for pod in listed {
            if let Some(owner) = Key::owner(&pod.metadata) {
                by_owner.entry(owner).or_default().push(pod);
            }
        }
        let owners: BTreeSet<Key> = state.parts.keys().chain(by_owner.keys()).cloned().collect();
        for owner in &owners {
            let pods = Arc::make_mut(&mut state.parts.entry(owner.clone()).or_default().pods);
            replace(pods, by_owner.remove(owner).unwrap_or_default(), |p| {
                p.metadata.name.clone()
            });
            state.note_all(owner);
            state.drop_empty(owner);
        }
        owners
    }

    /// Takes a task result; gives its workflow if that is to be looked at.
    pub fn put_result(&self, result: WorkflowTaskResult) -> Option<Key> {
        let owner = Key::owner(&result.metadata)?;
        let mut state = self.lock();
        let parts = state.parts.entry(owner.clone()).or_default();
        let name = result.metadata.name.clone();
        if !put(Arc::make_mut(&mut parts.results), name.clone(), result) {
            return None;
        }
        parts.moved.note_result(&name);
        Some(owner)
    }

    /// Replaces all task results by a listed state; gives every workflow that has or had one.
    pub fn replace_results(&self, listed: Vec<WorkflowTaskResult>) -> BTreeSet<Key> {
        let mut state = self.lock();
        let mut by_owner: BTreeMap<Key, Vec<WorkflowTaskResult>> = BTreeMap::new();
        for result in listed {
            if let Some(owner) = Key::owner(&result.metadata) {
                by_owner.entry(owner).or_default().push(result);
            }
        }
        let owners: BTreeSet<Key> = state.parts.keys().chain(by_owner.keys()).cloned().collect();
        for owner in &owners {
            let results = Arc::make_mut(&mut state.parts.entry(owner.clone()).or_default().results);
            replace(results, by_owner.remove(owner).unwrap_or_default(), |r| {
                r.metadata.name.clone()
            });
            state.note_all(owner);
            state.drop_empty(owner);
        }
        owners
    }

    /// Keys of all task sets.
    pub fn task_set_keys(&self) -> Vec<Key> {
        let state = self.lock();
        state
            .parts
            .iter()
            .filter(|(_, parts)| parts.task_set.is_some())
            .map(|(key, _)| key.clone())
            .collect()
    }

    /// Keys of all ConfigMaps that exist.
    pub fn config_map_keys(&self) -> Vec<Key> {
        let maps = self.config_maps();
        maps.existing()
            .map(|(namespace, name)| Key::new(namespace, name))
            .collect()
    }

    /// Keys of all templates.
    pub fn template_keys(&self) -> Vec<Key> {
        let state = self.lock();
        let of = |(ns, names): (&String, &BTreeMap<String, _>)| {
            names.keys().map(|n| Key::new(ns, n)).collect::<Vec<_>>()
        };
        state.templates.iter().flat_map(of).collect()
    }

    /// Keys of all cluster templates, without namespace.
    pub fn cluster_template_keys(&self) -> Vec<Key> {
        self.lock()
            .cluster_templates
            .keys()
            .map(|name| Key::new("", name))
            .collect()
    }

    /// Forgets a task result.
    pub fn remove_result(&self, result: &WorkflowTaskResult) {
        let Some(owner) = Key::owner(&result.metadata) else {
            return;
        };
        let mut state = self.lock();
        if let Some(parts) = state.parts.get_mut(&owner) {
            Arc::make_mut(&mut parts.results).remove(&result.metadata.name);
            parts.moved.note_result(&result.metadata.name);
        }
        state.drop_empty(&owner);
    }

    /// Takes the task set of a workflow, which has the workflow's name; `None` for a deleted one.
    pub fn put_task_set(&self, key: &Key, set: Option<WorkflowTaskSet>) {
        let mut state = self.lock();
        state.parts.entry(key.clone()).or_default().task_set = set.map(Arc::new);
        state.note_all(key);
        state.drop_empty(key);
    }

    /// Takes a ConfigMap, or notes that it is gone. One that is older than what is known is left aside: the news of a
    /// change may come after the answer to our own later one.
    pub fn put_config_map(&self, namespace: &str, name: &str, map: Option<ConfigMap>) {
        let mut state = self.lock();
        let known = state.config_maps.get(namespace, name).map(|m| &m.metadata);
        let newer = |map: &ConfigMap| known.is_none_or(|known| is_newer(known, &map.metadata));
        if map.as_ref().is_none_or(newer) {
            Arc::make_mut(&mut state.config_maps).insert(namespace, name, map.map(Arc::new));
        }
    }

    /// Takes a template, or notes that it is gone.
    pub fn put_template(&self, key: &Key, template: Option<WorkflowTemplate>) {
        let mut state = self.lock();
        state.templates_generation += 1;
        let templates = state.templates.entry(key.namespace.clone()).or_default();
        match template {
            Some(template) => drop(templates.insert(key.name.clone(), Arc::new(template))),
            None => drop(templates.remove(&key.name)),
        }
    }

    /// Takes a cluster template, or notes that it is gone.
    pub fn put_cluster_template(&self, name: &str, template: Option<ClusterWorkflowTemplate>) {
        let mut state = self.lock();
        state.templates_generation += 1;
        match template {
            Some(template) => drop(
                state
                    .cluster_templates
                    .insert(name.to_owned(), Arc::new(template)),
            ),
            None => drop(state.cluster_templates.remove(name)),
        }
    }
}

impl State {
    fn index(&mut self, workflow: &Workflow) {
        let meta = &workflow.metadata;
        if let Some(parent) = cron::parent(meta) {
            self.runs.entry(parent).or_default().insert(meta.name.clone());
        }
        if workflow.status.phase == WorkflowPhase::Succeeded {
            let example = (meta.creation_timestamp, meta.name.clone());
            for likeness in likenesses(workflow) {
                self.examples.entry(likeness).or_default().insert(example.clone());
            }
        }
    }

    fn unindex(&mut self, workflow: &Workflow) {
        let meta = &workflow.metadata;
        if let Some(parent) = cron::parent(meta) {
            take_out(&mut self.runs, &parent, &meta.name);
        }
        let example = (meta.creation_timestamp, meta.name.clone());
        for likeness in likenesses(workflow) {
            take_out(&mut self.examples, &likeness, &example);
        }
    }

    fn put_workflow(&mut self, workflow: Arc<Workflow>, may_differ: bool) -> bool {
        if self.gone_workflows.contains(&workflow.metadata) {
            return false;
        }
        self.index(&workflow);
        let key = Key::of(&workflow.metadata);
        let is_news = put(&mut self.workflows, key.clone(), workflow);
        if is_news && may_differ {
            self.note_all(&key);
        }
        is_news
    }

    fn note_all(&mut self, key: &Key) {
        if let Some(parts) = self.parts.get_mut(key) {
            parts.moved = Moved::Everything;
        }
    }

    fn drop_empty(&mut self, owner: &Key) {
        let empty = |p: &Parts| p.pods.is_empty() && p.results.is_empty() && p.task_set.is_none();
        if self.parts.get(owner).is_some_and(empty) {
            self.parts.remove(owner);
        }
    }
}

/// Namespace, label and value that workflows have in common.
type Likeness = (String, &'static str, String);

fn likenesses(workflow: &Workflow) -> impl Iterator<Item = Likeness> {
    let namespace = &workflow.metadata.namespace;
    estimate::likenesses(workflow).map(move |(label, value)| (namespace.clone(), label, value.to_owned()))
}

/// Takes a value out of an index, and its set when that is empty then.
fn take_out<K: Ord, V: Ord>(index: &mut BTreeMap<K, BTreeSet<V>>, key: &K, value: &V) {
    if let Some(values) = index.get_mut(key) {
        values.remove(value);
        if values.is_empty() {
            index.remove(key);
        }
    }
}

/// Whether `new` is newer than `known`. Resource versions are numbers that grow (KEP-5504); those that are not cannot
/// be compared, and then the later message wins. Another uid is another object.
fn is_newer(known: &ObjectMeta, new: &ObjectMeta) -> bool {
    if known.uid != new.uid {
        return known.creation_timestamp <= new.creation_timestamp;
    }
    is_later(&known.resource_version, &new.resource_version)
}

fn is_later(known: &str, new: &str) -> bool {
    match (known.parse::<u128>(), new.parse::<u128>()) {
        (Ok(known), Ok(new)) => new > known,
        _ => known != new,
    }
}

/// Whether what is known of an object is at least as new as a version of it.
fn is_covered(known: &ObjectMeta, who: &Identity) -> bool {
    known.uid == who.uid && !is_later(&known.resource_version, &who.resource_version)
}

fn put<K: Ord, T: Kept>(map: &mut BTreeMap<K, Arc<T>>, key: K, object: impl Into<Arc<T>>) -> bool {
    let object = object.into();
    match map.get(&key) {
        Some(known) if !is_newer(known.meta(), object.meta()) => false,
        _ => {
            map.insert(key, object);
            true
        }
    }
}

/// Takes a listed state. An object that we know newer than the list stays as it is.
fn replace<K: Ord + Clone, T: Kept>(
    map: &mut BTreeMap<K, Arc<T>>,
    listed: Vec<T>,
    key_of: impl Fn(&T) -> K,
) -> Vec<K> {
    let present: BTreeSet<K> = listed.iter().map(&key_of).collect();
    let gone: Vec<K> = map
        .keys()
        .filter(|key| !present.contains(*key))
        .cloned()
        .collect();
    for key in &gone {
        map.remove(key);
    }
    for object in listed {
        put(map, key_of(&object), object);
    }
    gone
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn workflow(uid: &str, version: &str) -> Workflow {
        let metadata = ObjectMeta {
            name: "w".into(),
            namespace: "n".into(),
            uid: uid.into(),
            resource_version: version.into(),
            ..ObjectMeta::default()
        };
        Workflow {
            metadata,
            ..Workflow::default()
        }
    }

    #[test]
    fn an_older_event_never_replaces_a_newer_object() {
        let world = World::default();
        for (uid, version, taken) in [
            ("a", "7", true),
            ("a", "6", false),
            ("a", "7", false),
            ("a", "10", true),
            ("b", "3", true),
        ] {
            assert_eq!(
                world.put_workflow(workflow(uid, version)),
                taken,
                "{uid} at {version}"
            );
        }
        assert!(
            !world.remove_workflow(&workflow("a", "10")),
            "the name belongs to another object now"
        );
        assert!(world.remove_workflow(&workflow("b", "3")));
        assert!(!world.put_workflow(workflow("b", "3")), "it is gone");
        assert!(world.put_workflow(workflow("b", "4")), "it came back");
    }

    #[test]
    fn what_is_known_need_not_be_read() {
        let world = World::default();
        world.put_workflow(workflow("a", "7"));
        let mut metadata = workflow("b", "7").metadata;
        metadata.labels.insert(WORKFLOW_LABEL.into(), "owner".into());
        world.put_pod(Pod {
            metadata,
            ..Pod::default()
        });
        for (uid, version, workflow, pod) in [
            ("a", "6", true, false),
            ("a", "7", true, false),
            ("a", "10", false, false),
            ("b", "7", false, true),
            ("b", "8", false, false),
            ("c", "7", false, false),
        ] {
            let object = json!({"metadata": {
                "name": "w", "namespace": "n", "uid": uid, "resourceVersion": version, "labels": {WORKFLOW_LABEL: "owner"},
            }});
            let who = Identity::of(&object.to_string());
            let known = (world.knows_workflow(&who), world.knows_pod(&who));
            assert_eq!(known, (workflow, pod), "{uid} at {version}");
        }
    }

    #[test]
    fn an_older_config_map_is_left_aside() {
        let world = World::default();
        let map = |version: &str| ConfigMap {
            metadata: workflow("m", version).metadata,
            ..ConfigMap::default()
        };
        for (version, known) in [("5", "5"), ("4", "5"), ("12", "12")] {
            world.put_config_map("n", "w", Some(map(version)));
            let maps = world.config_maps();
            let kept = maps.get("n", "w").expect("it was put");
            assert_eq!(kept.metadata.resource_version, known, "after {version}");
        }
    }
}
