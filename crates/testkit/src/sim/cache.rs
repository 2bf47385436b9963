//! What the simulated controller knows of the cluster. It follows the rules of the real one's `world`: an object is
//! never replaced by an older one, a deletion counts only for the incarnation it speaks of.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use argosy_engine::{ConfigMaps, Moved, forget_pod};
use argosy_model::k8s::{ObjectMeta, Pod};
use argosy_model::{Workflow, WorkflowTaskResult};

use super::cluster::{COMPLETED, Cluster, News, WORKFLOW};

/// Pods and results of one workflow.
#[derive(Debug, Clone, Default)]
pub struct Parts {
    /// By name.
    pub pods: BTreeMap<String, Arc<Pod>>,
    /// By node id.
    pub results: BTreeMap<String, Arc<WorkflowTaskResult>>,
    /// What moved since that was asked last.
    pub moved: Moved,
}

/// The state of all watches.
#[derive(Default)]
pub struct Cache {
    /// By name.
    pub workflows: BTreeMap<String, Arc<Workflow>>,
    /// By name of the workflow.
    pub parts: BTreeMap<String, Parts>,
    /// All ConfigMaps.
    pub maps: ConfigMaps,
    /// Uids of pods and results that are gone: repeated news must not bring them back.
    gone: BTreeSet<String>,
}

fn owner(meta: &ObjectMeta) -> Option<String> {
    meta.labels.get(WORKFLOW).cloned()
}

fn newer(known: &ObjectMeta, new: &ObjectMeta) -> bool {
    if known.uid != new.uid {
        return known.creation_timestamp <= new.creation_timestamp;
    }
    let number = |meta: &ObjectMeta| meta.resource_version.parse::<u64>().unwrap_or(0);
    number(new) > number(known)
}

impl Cache {
    /// Everything that is there at the moment, as the first lists give it.
    #[must_use]
    pub fn of(cluster: &Cluster) -> Self {
        let mut cache = Self::default();
        for kind in ["map", "pod", "result", "workflow"] {
            cache.replace(kind, &list(cluster, kind));
        }
        cache
    }

    /// Takes news; gives the workflows to look at.
    pub fn take(&mut self, news: &News) -> Vec<String> {
        match news {
            News::Workflow(workflow) => {
                let name = workflow.metadata.name.clone();
                if self.put_workflow(workflow) {
                    self.all_moved(&name);
                    vec![name]
                } else {
                    Vec::new()
                }
            }
            News::WorkflowGone(_) => Vec::new(),
            News::Pod(pod) => self.put_pod(pod).into_iter().collect(),
            News::PodGone(pod) => {
                let Some(owner) = owner(&pod.metadata) else {
                    return Vec::new();
                };
                self.gone.insert(pod.metadata.uid.clone());
                let parts = self.parts.entry(owner.clone()).or_default();
                if !forget_pod(&mut parts.pods, pod, self.workflows.get(&owner)) {
                    return Vec::new();
                }
                parts.moved.note_pod(&pod.metadata.name);
                vec![owner]
            }
            News::Result(result) => {
                let Some(owner) = owner(&result.metadata) else {
                    return Vec::new();
                };
                if self.gone.contains(&result.metadata.uid) {
                    return Vec::new();
                }
                let parts = self.parts.entry(owner.clone()).or_default();
                let known = parts.results.get(&result.metadata.name);
                if known.is_some_and(|known| !newer(&known.metadata, &result.metadata)) {
                    return Vec::new();
                }
                parts.moved.note_result(&result.metadata.name);
                parts.results.insert(result.metadata.name.clone(), result.clone());
                vec![owner]
            }
            News::ResultGone(result) => {
                self.gone.insert(result.metadata.uid.clone());
                if let Some(parts) = owner(&result.metadata).and_then(|o| self.parts.get_mut(&o)) {
                    parts.results.remove(&result.metadata.name);
                    parts.moved.note_result(&result.metadata.name);
                }
                Vec::new()
            }
            News::Map(map) => {
                let known = self.maps.get("argo", &map.metadata.name);
                if known.is_some_and(|known| !newer(&known.metadata, &map.metadata)) {
                    return Vec::new();
                }
                self.maps.insert("argo", &map.metadata.name, Some(map.clone()));
                let all: Vec<String> = self.workflows.keys().cloned().collect();
                all.iter().for_each(|name| self.all_moved(name));
                all
            }
        }
    }

    /// Notes that anything about a workflow may be new.
    pub fn all_moved(&mut self, name: &str) {
        self.parts.entry(name.to_owned()).or_default().moved = Moved::Everything;
    }

    /// Takes a workflow as it is now; false when an equal or newer one is known.
    pub fn put_workflow(&mut self, workflow: &Arc<Workflow>) -> bool {
        let name = &workflow.metadata.name;
        let known = self.workflows.get(name);
        if known.is_some_and(|known| !newer(&known.metadata, &workflow.metadata)) {
            return false;
        }
        self.workflows.insert(name.clone(), workflow.clone());
        true
    }

    /// Takes a pod as it is now; gives its workflow if that is to be looked at.
    pub fn put_pod(&mut self, pod: &Arc<Pod>) -> Option<String> {
        let owner = owner(&pod.metadata)?;
        if self.gone.contains(&pod.metadata.uid) {
            return None;
        }
        let parts = self.parts.entry(owner.clone()).or_default();
        let known = parts.pods.get(&pod.metadata.name);
        if known.is_some_and(|known| !newer(&known.metadata, &pod.metadata)) {
            return None;
        }
        parts.moved.note_pod(&pod.metadata.name);
        parts.pods.insert(pod.metadata.name.clone(), pod.clone());
        Some(owner)
    }

    /// Takes a list of one kind; gives the workflows to look at. Workflows that are gone are given by `gone`.
    pub fn replace(&mut self, kind: &str, listed: &[News]) -> Vec<String> {
        match kind {
            "pod" => {
                let there = |name: &str| listed.iter().any(|n| n.subject().1 == name);
                for parts in self.parts.values_mut() {
                    parts.pods.retain(|name, _| there(name));
                }
            }
            "result" => {
                let there = |name: &str| listed.iter().any(|n| n.subject().1 == name);
                for parts in self.parts.values_mut() {
                    parts.results.retain(|name, _| there(name));
                }
            }
            _ => {}
        }
        for news in listed {
            self.take(news);
        }
        let all: Vec<String> = self.workflows.keys().cloned().collect();
        all.iter().for_each(|name| self.all_moved(name));
        all
    }
}

/// All objects of a kind that the controller's watch shows.
#[must_use]
pub fn list(cluster: &Cluster, kind: &str) -> Vec<News> {
    let shown = |pod: &&Arc<Pod>| pod.metadata.labels.get(COMPLETED).is_none_or(|v| v != "true");
    match kind {
        "workflow" => cluster.workflows.values().cloned().map(News::Workflow).collect(),
        "pod" => cluster
            .pods
            .values()
            .filter(shown)
            .cloned()
            .map(News::Pod)
            .collect(),
        "result" => cluster.results.values().cloned().map(News::Result).collect(),
        _ => cluster.maps.values().cloned().map(News::Map).collect(),
    }
}
