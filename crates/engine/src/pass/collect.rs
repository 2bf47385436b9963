//! Clean-up of artifacts after the workflow's end (C-AGC-02 to C-AGC-06, X-GC-01 to X-GC-32).
//!
//! Everything follows from what is stored and seen: which artifacts are still there, which pods exist, whose end was
//! taken over. A pod that could not be made, or that vanished, is made again. The pod itself is built in `pod`.

use std::collections::BTreeMap;

use argosy_model::k8s::Pod;
use argosy_model::{
    Artifact, ArtifactGcStrategy, ArtifactLocation, ConditionType, NodeStatus, NodeType,
    WorkflowArtifactGcTask,
};

use super::{Pass, labels};
use crate::decision::{Effect, Event};
use crate::pod;
use crate::pod::collector::{self, Group, Request};

/// Artifacts by node id, with the place of those that name none.
type ByNode = BTreeMap<String, (Option<Box<ArtifactLocation>>, Vec<Artifact>)>;

impl Pass<'_> {
    /// Goes on with the clean-up of a workflow that has ended, if it wants one.
    pub fn collect_artifacts(&mut self) {
        let is_held = |f: &String| f == labels::ARTIFACT_GC_FINALIZER;
        if !self.finalizers.iter().any(is_held) {
            return;
        }
        self.take_over_collectors();
        for strategy in self.due_strategies() {
            self.start_collectors(&strategy);
        }
        if self.is_collected() {
            self.finalizers.retain(|f| !is_held(f));
            self.updated = true;
        }
    }

    /// Strategies whose time has come (C-AGC-02).
    fn due_strategies(&self) -> Vec<ArtifactGcStrategy> {
        let mut due = vec![ArtifactGcStrategy::OnWorkflowCompletion];
        if self.wf.metadata.deletion_timestamp.is_some() {
            due.push(ArtifactGcStrategy::OnWorkflowDeletion);
        }
        due
    }

    /// What of a strategy is still there, by who deletes it.
    fn left_to_collect(&self, strategy: &ArtifactGcStrategy) -> BTreeMap<Group, ByNode> {
        let mut groups: BTreeMap<Group, ByNode> = BTreeMap::new();
        for node in self.nodes.iter().filter(|n| n.type_ == NodeType::Pod) {
            let artifacts = node.outputs.iter().flat_map(|outputs| &outputs.artifacts);
            for artifact in artifacts.filter(|a| !a.deleted && self.gc_strategy(a) == *strategy) {
                let of_group = groups.entry(self.gc_group(artifact)).or_default();
                let of_node = of_group
                    .entry(node.id.clone())
                    .or_insert_with(|| (self.archive_of(node), Vec::new()));
                of_node.1.push(artifact.clone());
            }
        }
        groups
    }

    /// The artifact's own strategy, else the workflow's, else none (X-GC-01).
    fn gc_strategy(&self, artifact: &Artifact) -> ArtifactGcStrategy {
        let own = artifact.artifact_gc.as_ref().map(|gc| &gc.strategy);
        let general = self.spec.artifact_gc.as_deref().map(|gc| &gc.gc.strategy);
        own.filter(|s| **s != ArtifactGcStrategy::Unset)
            .or(general)
            .filter(|s| **s != ArtifactGcStrategy::Unset)
            .cloned()
            .unwrap_or(ArtifactGcStrategy::Never)
    }

    /// Account and metadata: the workflow's, with the artifact's over them (X-GC-10).
    fn gc_group(&self, artifact: &Artifact) -> Group {
        let general = self.spec.artifact_gc.as_deref().map(|gc| &gc.gc);
        let mut group = Group::default();
        for settings in general.into_iter().chain(&artifact.artifact_gc) {
            if !settings.service_account_name.is_empty() {
                group.service_account.clone_from(&settings.service_account_name);
            }
            if let Some(metadata) = &settings.pod_metadata {
                group.labels.extend(metadata.labels.clone());
                group.annotations.extend(metadata.annotations.clone());
            }
        }
        group
    }

    /// Where a node's template puts artifacts, else the workflow's repository (X-GC-11).
    fn archive_of(&self, node: &NodeStatus) -> Option<Box<ArtifactLocation>> {
        let stored = self.status.stored_templates.values();
        let own = self.plan.spec.templates.iter().chain(stored);
        let named = own.filter(|t| t.name == node.template_name);
        let own = named.filter_map(|t| t.archive_location.clone()).next();
        own.filter(|place| crate::pod::has_location(place)).or_else(|| {
            let reference = self.status.artifact_repository_ref.as_ref()?;
            let repository = reference.artifact_repository.as_deref()?;
            crate::pod::archive_location(repository).map(Box::new)
        })
    }

    /// Makes the pods of a strategy; those that exist or have ended are left alone.
    fn start_collectors(&mut self, strategy: &ArtifactGcStrategy) {
        let mut all_there = true;
        for (group, artifacts) in self.left_to_collect(strategy) {
            let Some(name) = collector::name(&self.wf.metadata.name, strategy, &group) else {
                continue;
            };
            if self.is_recouped(&name) || self.seen.pods.contains_key(&name) {
                continue;
            }
            // Whether the strategy counts as processed is known when its pods are seen (X-GC-04).
            all_there = false;
            self.retry_later();
            if let Some(refusal) = self.seen.outcomes.pods.get(&name) {
                self.note_gc_failure(&refusal.message.clone());
            }
            let request = Request {
                config: self.seen.config,
                workflow: self.wf,
                spec: &self.spec,
                strategy,
                group: &group,
                artifacts: &artifacts,
                images: &self.seen.outcomes.images,
                now: self.now,
            };
            match collector::build(&request, &name) {
                Ok((tasks, pod)) => self.effect(Effect::CreateArtifactGc {
                    tasks,
                    pod: Box::new(pod),
                }),
                Err(pod::Error::ImageUnknown { image }) => self.look_up_image(image, group.service_account),
                Err(error) => self.note_gc_failure(&error.to_string()),
            }
        }
        let gc = self.status.artifact_gc_status.get_or_insert_default();
        if all_there && gc.strategies_processed.insert(strategy.to_string(), true) != Some(true) {
            self.updated = true;
        }
    }

    fn is_recouped(&self, pod: &str) -> bool {
        let gc = self.status.artifact_gc_status.as_ref();
        gc.is_some_and(|gc| gc.pods_recouped.get(pod) == Some(&true))
    }

    /// Shows why artifacts are still there; stored only when it is news.
    fn note_gc_failure(&mut self, message: &str) {
        let known = self.status.conditions.iter();
        let mut known = known.filter(|c| c.type_ == ConditionType::ArtifactGcError);
        if known.any(|c| c.message == message) {
            return;
        }
        self.set_condition(ConditionType::ArtifactGcError, "True", message);
        self.updated = true;
    }

    /// Takes over what pods that have ended say (C-AGC-05).
    fn take_over_collectors(&mut self) {
        let pods: Vec<_> = self.seen.pods.values().cloned().collect();
        for pod in pods {
            let is_collector = pod
                .metadata
                .labels
                .get(labels::COMPONENT)
                .is_some_and(|c| c == collector::COMPONENT);
            let phase = pod.status.phase.as_str();
            let name = &pod.metadata.name;
            if !is_collector || !matches!(phase, "Succeeded" | "Failed") || self.is_recouped(name) {
                continue;
            }
            let Some(tasks) = self.seen.outcomes.artifact_gc_tasks.get(name) else {
                let (pod, selector) = (name.clone(), collector::tasks_selector(name));
                self.effect(Effect::ReadArtifactGcTasks { pod, selector });
                self.retry_later();
                continue;
            };
            self.take_over(&pod, tasks);
        }
    }

    fn take_over(&mut self, pod: &Pod, tasks: &[WorkflowArtifactGcTask]) {
        let name = &pod.metadata.name;
        let strategy = pod
            .metadata
            .annotations
            .get(collector::STRATEGY)
            .cloned()
            .unwrap_or_default();
        let prefix = format!("Artifact Garbage Collection failed for strategy {strategy}");
        let pod_failed = pod.status.phase == "Failed";
        if pod_failed {
            let message = format!(
                "{prefix}, pod {name} exited with non-zero exit code: check pod logs for more information"
            );
            self.note_gc_failure(&message);
            self.gc_event(message);
        }
        let mut done = Vec::new();
        for task in tasks {
            let failed = self.take_over_task(task);
            if let Some(error) = failed {
                self.gc_event(format!("{prefix}, err:{error}"));
            } else if !pod_failed {
                done.push(task.metadata.name.clone());
            }
        }
        if done.len() == tasks.len() && !done.is_empty() {
            // The pod goes with its tasks; what failed is kept to be looked at.
            self.effect(Effect::DeleteArtifactGcTasks { tasks: done });
        }
        let gc = self.status.artifact_gc_status.get_or_insert_default();
        gc.pods_recouped.insert(name.clone(), true);
        self.updated = true;
    }

    /// Marks what is deleted; gives the last error, also when something was not tried.
    fn take_over_task(&mut self, task: &WorkflowArtifactGcTask) -> Option<String> {
        let mut last = None;
        for (node, wanted) in &task.spec.artifacts_by_node {
            let results = task.status.artifact_results_by_node.get(node);
            for name in wanted.artifacts.keys() {
                let result = results.and_then(|r| r.artifact_results.get(name));
                let error = match result {
                    Some(result) if result.success => None,
                    Some(result) => Some(
                        result
                            .error
                            .clone()
                            .unwrap_or_else(|| "it was not deleted".to_owned()),
                    ),
                    None => Some(format!("nothing is known of artifact {name}")),
                };
                let is_deleted = error.is_none();
                self.change(node, |n| {
                    let outputs = n.outputs.iter_mut().flat_map(|outputs| &mut outputs.artifacts);
                    outputs
                        .filter(|a| a.name == *name)
                        .for_each(|a| a.deleted = is_deleted);
                });
                if let Some(error) = error {
                    let message = format!("{error} (artifactGCTask: {})", task.metadata.name);
                    self.note_gc_failure(&message);
                    last = Some(error);
                }
            }
        }
        last
    }

    fn gc_event(&mut self, message: String) {
        self.effect(Effect::Emit(Event {
            warning: true,
            reason: "ArtifactGCFailed".to_owned(),
            message,
            node_id: None,
        }));
    }

    /// Whether nothing keeps the object any more (C-AGC-06, X-GC-31, X-GC-32).
    fn is_collected(&self) -> bool {
        let due = self.due_strategies();
        let forced = self
            .spec
            .artifact_gc
            .as_deref()
            .is_some_and(|gc| gc.force_finalizer_removal);
        let all = [
            ArtifactGcStrategy::OnWorkflowCompletion,
            ArtifactGcStrategy::OnWorkflowDeletion,
        ];
        all.iter().all(|strategy| {
            let left = self.left_to_collect(strategy);
            let was_tried = |group: &Group| {
                let name = collector::name(&self.wf.metadata.name, strategy, group);
                name.is_none_or(|name| {
                    let refusal = self.seen.outcomes.pods.get(&name);
                    self.is_recouped(&name) || refusal.is_some_and(|r| !r.transient)
                })
            };
            left.is_empty() || forced && due.contains(strategy) && left.keys().all(was_tried)
        })
    }
}
