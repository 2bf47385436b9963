//! The API server of a simulation: what is really there, and the news of every change for those who watch.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use argosy_model::k8s::{ConfigMap, ObjectMeta, Pod, Time};
use argosy_model::{Workflow, WorkflowTaskResult};
use jiff::Timestamp;

/// Label of pods that nothing is expected of any more; the controller's watch does not show these.
pub const COMPLETED: &str = "workflows.argoproj.io/completed";
/// Label that names the workflow.
pub const WORKFLOW: &str = "workflows.argoproj.io/workflow";

/// One change, as a watch tells it.
#[derive(Debug, Clone)]
pub enum News {
    /// A workflow is new or changed.
    Workflow(Arc<Workflow>),
    /// A workflow is gone.
    WorkflowGone(Arc<Workflow>),
    /// A pod is new or changed.
    Pod(Arc<Pod>),
    /// A pod is gone, or hidden from the watch by its label.
    PodGone(Arc<Pod>),
    /// A task result is new or changed.
    Result(Arc<WorkflowTaskResult>),
    /// A task result is gone.
    ResultGone(Arc<WorkflowTaskResult>),
    /// A ConfigMap is new or changed.
    Map(Arc<ConfigMap>),
}

impl News {
    /// Kind and name of the object.
    #[must_use]
    pub fn subject(&self) -> (&'static str, &str) {
        match self {
            Self::Workflow(w) | Self::WorkflowGone(w) => ("workflow", &w.metadata.name),
            Self::Pod(p) | Self::PodGone(p) => ("pod", &p.metadata.name),
            Self::Result(r) | Self::ResultGone(r) => ("result", &r.metadata.name),
            Self::Map(m) => ("map", &m.metadata.name),
        }
    }
}

/// Why a write was refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    /// Somebody wrote first.
    Conflict,
    /// There is no such object.
    NotFound,
    /// There is one already.
    AlreadyExists,
}

/// What is there.
#[derive(Default)]
pub struct Cluster {
    version: u64,
    /// By name; all are in one namespace.
    pub workflows: BTreeMap<String, Arc<Workflow>>,
    /// By name.
    pub pods: BTreeMap<String, Arc<Pod>>,
    /// By node id.
    pub results: BTreeMap<String, Arc<WorkflowTaskResult>>,
    /// By name.
    pub maps: BTreeMap<String, Arc<ConfigMap>>,
    /// Changes nobody was told of yet.
    pub news: Vec<News>,
    /// How often a pod of that name was made.
    pub made: BTreeMap<String, u32>,
    /// Pods that were taken away by somebody else, so that making them again is right.
    pub excused: BTreeSet<String>,
    /// Pods that were made again although nobody took them away.
    pub twice: Vec<String>,
}

impl Cluster {
    fn stamp(&mut self, meta: &mut ObjectMeta) {
        self.version += 1;
        meta.resource_version = self.version.to_string();
    }

    /// Adds a workflow.
    pub fn submit(&mut self, mut workflow: Workflow, now: Timestamp) {
        workflow.metadata.creation_timestamp = Some(Time(now));
        workflow.metadata.uid = format!("uid-{}", workflow.metadata.name);
        self.put_workflow(workflow);
    }

    /// Stores a workflow whatever was there.
    pub fn put_workflow(&mut self, mut workflow: Workflow) -> Arc<Workflow> {
        self.stamp(&mut workflow.metadata);
        let workflow = Arc::new(workflow);
        self.workflows
            .insert(workflow.metadata.name.clone(), workflow.clone());
        self.news.push(News::Workflow(workflow.clone()));
        workflow
    }

    /// Changes a workflow if it still has that resource version.
    ///
    /// # Errors
    /// [`Refused::NotFound`], [`Refused::Conflict`].
    pub fn update_workflow(
        &mut self,
        name: &str,
        version: &str,
        change: impl FnOnce(&mut Workflow),
    ) -> Result<Arc<Workflow>, Refused> {
        let current = self.workflows.get(name).ok_or(Refused::NotFound)?;
        if current.metadata.resource_version != version {
            return Err(Refused::Conflict);
        }
        let mut next = (**current).clone();
        change(&mut next);
        Ok(self.put_workflow(next))
    }

    /// Removes a workflow with all that it owns.
    pub fn delete_workflow(&mut self, name: &str) {
        let Some(gone) = self.workflows.remove(name) else {
            return;
        };
        let owned = |pod: &Arc<Pod>| pod.metadata.labels.get(WORKFLOW).is_some_and(|w| w == name);
        let pods: Vec<String> = self
            .pods
            .values()
            .filter(|p| owned(p))
            .map(|p| p.metadata.name.clone())
            .collect();
        for pod in pods {
            self.delete_pod(&pod);
        }
        self.delete_results(name);
        self.news.push(News::WorkflowGone(gone));
    }

    /// Creates a pod.
    ///
    /// # Errors
    /// [`Refused::AlreadyExists`].
    pub fn create_pod(&mut self, pod: &Pod, now: Timestamp) -> Result<Arc<Pod>, Refused> {
        let name = pod.metadata.name.clone();
        if self.pods.contains_key(&name) {
            return Err(Refused::AlreadyExists);
        }
        let count = self.made.entry(name.clone()).or_insert(0);
        *count += 1;
        if *count > 1 && !self.excused.remove(&name) {
            self.twice.push(name.clone());
        }
        let mut pod = pod.clone();
        pod.metadata.uid = format!("uid-{name}-{count}");
        pod.metadata.creation_timestamp = Some(Time(now));
        "Pending".clone_into(&mut pod.status.phase);
        Ok(self.put_pod(pod))
    }

    /// Stores a pod.
    pub fn put_pod(&mut self, mut pod: Pod) -> Arc<Pod> {
        self.stamp(&mut pod.metadata);
        let pod = Arc::new(pod);
        self.pods.insert(pod.metadata.name.clone(), pod.clone());
        let hidden = pod.metadata.labels.get(COMPLETED).is_some_and(|v| v == "true");
        self.news.push(if hidden {
            News::PodGone(pod.clone())
        } else {
            News::Pod(pod.clone())
        });
        pod
    }

    /// Changes a pod if it is there.
    pub fn change_pod(&mut self, name: &str, change: impl FnOnce(&mut Pod)) {
        if let Some(pod) = self.pods.get(name) {
            let mut pod = (**pod).clone();
            change(&mut pod);
            self.put_pod(pod);
        }
    }

    /// Removes a pod at once.
    pub fn delete_pod(&mut self, name: &str) {
        if let Some(gone) = self.pods.remove(name) {
            self.version += 1;
            let mut gone = (*gone).clone();
            gone.metadata.resource_version = self.version.to_string();
            self.news.push(News::PodGone(Arc::new(gone)));
        }
    }

    /// Stores a task result.
    pub fn put_result(&mut self, mut result: WorkflowTaskResult) {
        self.stamp(&mut result.metadata);
        let (name, version) = (&result.metadata.name, &result.metadata.resource_version);
        result.metadata.uid = match self.results.get(name) {
            Some(there) => there.metadata.uid.clone(),
            None => format!("uid-{name}-{version}"),
        };
        let result = Arc::new(result);
        self.results.insert(result.metadata.name.clone(), result.clone());
        self.news.push(News::Result(result));
    }

    /// Removes the task results of a workflow.
    pub fn delete_results(&mut self, workflow: &str) {
        let mine =
            |r: &Arc<WorkflowTaskResult>| r.metadata.labels.get(WORKFLOW).is_some_and(|w| w == workflow);
        let gone: Vec<String> = self
            .results
            .iter()
            .filter(|(_, r)| mine(r))
            .map(|(id, _)| id.clone())
            .collect();
        for id in gone {
            if let Some(result) = self.results.remove(&id) {
                self.news.push(News::ResultGone(result));
            }
        }
    }

    /// Sets one key of a ConfigMap, which is made if need be.
    pub fn put_map(&mut self, name: &str, kind: &str, key: &str, value: &str) -> Arc<ConfigMap> {
        let mut map = self
            .maps
            .get(name)
            .map_or_else(ConfigMap::default, |m| (**m).clone());
        name.clone_into(&mut map.metadata.name);
        "argo".clone_into(&mut map.metadata.namespace);
        let label = "workflows.argoproj.io/configmap-type".to_owned();
        map.metadata.labels.insert(label, kind.to_owned());
        map.data.insert(key.to_owned(), value.to_owned());
        self.stamp(&mut map.metadata);
        let map = Arc::new(map);
        self.maps.insert(name.to_owned(), map.clone());
        self.news.push(News::Map(map.clone()));
        map
    }
}
