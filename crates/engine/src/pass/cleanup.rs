//! What becomes of pods whose nodes are done (C-CLN-01).

use std::collections::{BTreeMap, BTreeSet};

use argosy_model::k8s::{LabelSelector, Pod};
use argosy_model::{PodGcStrategy, WorkflowPhase};
use jiff::SignedDuration;

use super::{Pass, labels};
use crate::decision::Effect;
use crate::node;

/// What is done with one pod.
enum Fate {
    Label,
    Delete,
    RemoveFinalizer,
    Keep,
}

impl Pass<'_> {
    /// Labels or deletes the pods of fulfilled nodes. Those of nodes that ended before were asked for then, unless they
    /// also wait for the end of the workflow.
    pub fn clean_up_pods(&mut self) {
        let asked = if node::workflow_fulfilled(&self.status.phase) {
            BTreeSet::new()
        } else {
            let ids = self.pods.iter().map(|(id, _)| id);
            let asked = ids.filter(|id| self.nodes.before(id).is_some_and(|n| self.ended_just_now(n)));
            asked.map(|id| id.to_string()).collect()
        };
        self.clean_up(|id| !asked.contains(id));
        self.delete_strays();
    }

    /// Labels or deletes the pods of those fulfilled nodes that the caller chooses.
    pub fn clean_up(&mut self, concerned: impl Fn(&str) -> bool) {
        let pods = self.pods.iter().filter(|(id, _)| concerned(id));
        let pods = pods.flat_map(|(id, pods)| pods.iter().map(move |pod| (id.clone(), *pod)));
        for (id, pod) in pods.collect::<Vec<_>>() {
            // What was at work when its workflow ended is looked after once that is stored.
            let left = self.labels.get(labels::COMPLETED) == self.wf.metadata.labels.get(labels::COMPLETED)
                && node::workflow_fulfilled(&self.status.phase);
            let fulfilled = self
                .nodes
                .get(&id)
                .is_some_and(|n| left || node::phase_ended(&n.phase));
            if !fulfilled || pod.metadata.labels.contains_key(labels::COMPONENT) {
                continue;
            }
            let (id, name) = (id.into_owned(), pod.metadata.name.clone());
            let uid = pod.metadata.uid.clone();
            match self.fate(pod) {
                Fate::Label => self.effect(Effect::LabelPodCompleted {
                    node_id: id,
                    pod: name,
                    uid,
                }),
                Fate::Delete => {
                    let after = self.delete_delay();
                    self.effect(Effect::DeletePod {
                        node_id: id,
                        pod: name,
                        uid: Some(uid),
                        by_strategy: true,
                        after,
                    });
                }
                Fate::RemoveFinalizer => self.effect(Effect::RemovePodFinalizer {
                    node_id: id,
                    pod: name,
                    uid,
                }),
                Fate::Keep => {}
            }
        }
    }

    /// Deletes a pod at once, and no later one of its name.
    pub fn delete_pod(&mut self, node_id: &str, pod: &Pod) {
        self.effect(Effect::DeletePod {
            node_id: node_id.to_owned(),
            pod: pod.metadata.name.clone(),
            uid: Some(pod.metadata.uid.clone()),
            by_strategy: false,
            after: SignedDuration::ZERO,
        });
    }

    /// Deletes at once whatever pod has that name.
    pub fn delete_any_pod(&mut self, node_id: &str, pod: String) {
        self.effect(Effect::DeletePod {
            node_id: node_id.to_owned(),
            pod,
            uid: None,
            by_strategy: false,
            after: SignedDuration::ZERO,
        });
    }

    /// Whether something is to be done to a pod of a node that ended.
    pub fn is_fated(&self, pod: &Pod) -> bool {
        !pod.metadata.labels.contains_key(labels::COMPONENT) && !matches!(self.fate(pod), Fate::Keep)
    }

    fn fate(&self, pod: &Pod) -> Fate {
        let Some(gc) = &self.spec.pod_gc else {
            return Fate::Label;
        };
        if gc
            .label_selector
            .as_ref()
            .is_some_and(|s| !selects(s, &pod.metadata.labels))
        {
            return Fate::Label;
        }
        let ended = node::workflow_fulfilled(&self.status.phase);
        match &gc.strategy {
            PodGcStrategy::Unset => return Fate::Label,
            PodGcStrategy::OnWorkflowCompletion if ended => return Fate::Delete,
            PodGcStrategy::OnWorkflowSuccess if self.status.phase == WorkflowPhase::Succeeded => {
                return Fate::Delete;
            }
            PodGcStrategy::OnPodCompletion => return Fate::Delete,
            PodGcStrategy::OnPodSuccess if pod.status.phase == "Succeeded" => return Fate::Delete,
            PodGcStrategy::OnPodSuccess if pod.status.phase == "Failed" => return Fate::Label,
            _ => {}
        }
        if ended {
            Fate::Label
        } else if pod.metadata.finalizers.iter().any(|f| f == labels::POD_FINALIZER) {
            Fate::RemoveFinalizer
        } else {
            Fate::Keep
        }
    }
}

/// Whether a selector matches labels.
pub(crate) fn selects(selector: &LabelSelector, labels: &BTreeMap<String, String>) -> bool {
    selector
        .match_labels
        .iter()
        .all(|(k, v)| labels.get(k) == Some(v))
        && selector.match_expressions.iter().all(|term| {
            let value = labels.get(&term.key);
            match term.operator.as_str() {
                "In" => value.is_some_and(|v| term.values.contains(v)),
                "NotIn" => value.is_none_or(|v| !term.values.contains(v)),
                "Exists" => value.is_some(),
                "DoesNotExist" => value.is_none(),
                _ => false,
            }
        })
}
