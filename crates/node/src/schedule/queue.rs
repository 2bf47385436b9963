//! Which pods run on the node and which wait for it, and what is to be told of those. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use k8s_openapi::api::core::v1::{Node, Pod};

use super::fit::{Amounts, Used, misfit};

/// What becomes of a pod that waits.
#[derive(Debug, Clone)]
pub(super) enum Decision {
    /// It runs on the node.
    Bind(Arc<Pod>),
    /// It has to wait, for a reason that was not told yet.
    Wait(Arc<Pod>, String),
}

#[derive(Debug)]
struct Known {
    pod: Arc<Pod>,
    asked: Amounts,
    place: Place,
}

#[derive(Debug, PartialEq)]
enum Place {
    /// On the node, or told to go there.
    Here,
    /// Nowhere yet.
    Waiting {
        /// The order in which pods came.
        turn: u64,
        /// Why it waits, as far as that was told.
        told: Option<String>,
    },
}

/// Pods by their uid, and the node as the API has it.
#[derive(Debug)]
pub(super) struct Queue {
    name: String,
    node: Option<Node>,
    pods: BTreeMap<String, Known>,
    turns: u64,
    /// Pods that are to be looked at; all of them when there is more room than before.
    new: BTreeSet<String>,
    all: bool,
}

impl Queue {
    /// Of the node with this name.
    pub(super) fn new(name: &str) -> Queue {
        Queue {
            name: name.to_owned(),
            node: None,
            pods: BTreeMap::new(),
            turns: 0,
            new: BTreeSet::new(),
            all: false,
        }
    }

    pub(super) fn learn_node(&mut self, node: Option<Node>) {
        self.node = node;
        self.all = true;
    }

    pub(super) fn learn_pod(&mut self, pod: Arc<Pod>) {
        let uid = pod.metadata.uid.clone().unwrap_or_default();
        let at = pod.spec.as_ref().and_then(|spec| spec.node_name.as_deref());
        let phase = pod.status.as_ref().and_then(|status| status.phase.as_deref());
        let at = at.unwrap_or_default();
        let here = at == self.name;
        let deleted = pod.metadata.deletion_timestamp.is_some();
        if matches!(phase, Some("Succeeded" | "Failed")) || !here && (deleted || !at.is_empty()) {
            return self.forget(&uid);
        }
        let asked = Amounts::asked(&pod);
        if let Some(known) = self.pods.get_mut(&uid) {
            // A pod that was told to come may be seen once more without its node.
            if here {
                known.place = Place::Here;
            }
            (known.pod, known.asked) = (pod, asked);
            self.new.insert(uid);
            return;
        }
        self.turns += 1;
        let turn = self.turns;
        let place = match here {
            true => Place::Here,
            false => Place::Waiting {
                turn,
                told: said(&pod),
            },
        };
        self.new.insert(uid.clone());
        self.pods.insert(uid, Known { pod, asked, place });
    }

    pub(super) fn forget(&mut self, uid: &str) {
        let known = self.pods.remove(uid);
        self.all |= known.is_some_and(|known| known.place == Place::Here);
    }

    /// Forgets all pods but these.
    pub(super) fn keep(&mut self, uids: &BTreeSet<String>) {
        self.pods.retain(|uid, _| uids.contains(uid));
        self.all = true;
    }

    /// A pod that was told to come did not; it is looked at again with the next change.
    pub(super) fn refused(&mut self, uid: &str) {
        self.turns += 1;
        let turn = self.turns;
        if let Some(known) = self.pods.get_mut(uid) {
            known.place = Place::Waiting { turn, told: None };
            self.all = true;
        }
    }

    /// What is to be done with the pods that wait. Whoever is told to come counts as here from now on.
    pub(super) fn decide(&mut self) -> Vec<Decision> {
        let Some(node) = &self.node else { return Vec::new() };
        let (new, all) = (std::mem::take(&mut self.new), std::mem::take(&mut self.all));
        let mut used = Used::default();
        let mut waiting = Vec::new();
        for (uid, known) in &mut self.pods {
            match known.place {
                Place::Here => used.add(&known.asked),
                Place::Waiting { turn, .. } if all || new.contains(uid) => waiting.push((turn, known)),
                Place::Waiting { .. } => {}
            }
        }
        waiting.sort_by_key(|(turn, _)| *turn);
        let mut decisions = Vec::new();
        for (_, known) in waiting {
            if is_gated(&known.pod) {
                continue;
            }
            let Some(reason) = misfit(&known.pod, &known.asked, node, &used) else {
                used.add(&known.asked);
                known.place = Place::Here;
                decisions.push(Decision::Bind(Arc::clone(&known.pod)));
                continue;
            };
            let message = reason.message();
            if let Place::Waiting { told, .. } = &mut known.place
                && told.as_ref() != Some(&message)
            {
                *told = Some(message.clone());
                decisions.push(Decision::Wait(Arc::clone(&known.pod), message));
            }
        }
        decisions
    }
}

/// What the pod's status says already about why it waits.
fn said(pod: &Pod) -> Option<String> {
    let conditions = pod.status.iter().flat_map(|s| s.conditions.iter().flatten());
    let mut scheduled = conditions.filter(|c| c.type_ == "PodScheduled" && c.status == "False");
    scheduled.find_map(|condition| condition.message.clone())
}

/// Whether somebody has said that the pod is not ready to be placed.
fn is_gated(pod: &Pod) -> bool {
    let gates = pod.spec.as_ref().and_then(|spec| spec.scheduling_gates.as_ref());
    gates.is_some_and(|gates| !gates.is_empty())
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use serde_json::{Value, json};

    use super::*;

    fn node(labels: Value) -> Option<Node> {
        let node = json!({
            "metadata": {"name": "n", "labels": labels},
            "status": {"allocatable": {"cpu": "1", "pods": "10"}},
        });
        Some(serde_json::from_value(node).unwrap())
    }

    /// A pod named and identified so, with this spec and phase.
    fn pod(name: &str, spec: Value, phase: &str) -> Arc<Pod> {
        let pod = json!({"metadata": {"name": name, "uid": name}, "spec": spec, "status": {"phase": phase}});
        Arc::new(serde_json::from_value(pod).unwrap())
    }

    fn half() -> Value {
        json!({"containers": [{"name": "c", "resources": {"requests": {"cpu": "600m"}}}]})
    }

    type Step = Box<dyn FnOnce(&mut Queue)>;

    /// What is decided after each step.
    fn check(steps: Vec<(&str, Step)>, expected: &Expect) {
        let mut queue = Queue::new("n");
        let mut out = String::new();
        for (what, step) in steps {
            step(&mut queue);
            let said = queue.decide().into_iter().map(|decision| match decision {
                Decision::Bind(pod) => format!("bind {}", pod.metadata.name.as_ref().unwrap()),
                Decision::Wait(pod, why) => {
                    let why = why.split('.').next().unwrap_or_default().to_owned();
                    format!("{} waits: {why}", pod.metadata.name.as_ref().unwrap())
                }
            });
            let said: Vec<String> = said.collect();
            out.push_str(&format!("{what}: [{}]\n", said.join("; ")));
        }
        expected.assert_eq(&out);
    }

    #[test]
    fn pods_come_when_there_is_room() {
        let at = |name: &str, phase: &str| {
            let mut spec = half();
            spec["nodeName"] = "n".into();
            pod(name, spec, phase)
        };
        let ended = at("a", "Succeeded");
        let bound = at("a", "Running");
        check(
            vec![
                (
                    "no node yet",
                    Box::new(|q| q.learn_pod(pod("a", half(), "Pending"))),
                ),
                ("the node", Box::new(|q| q.learn_node(node(json!({}))))),
                (
                    "a second one",
                    Box::new(|q| q.learn_pod(pod("b", half(), "Pending"))),
                ),
                (
                    "the first once more",
                    Box::new(|q| q.learn_pod(pod("a", half(), "Pending"))),
                ),
                (
                    "the second once more",
                    Box::new(|q| q.learn_pod(pod("b", half(), "Pending"))),
                ),
                (
                    "a small one",
                    Box::new(|q| q.learn_pod(pod("c", json!({}), "Pending"))),
                ),
                ("the first runs", Box::new(move |q| q.learn_pod(bound))),
                ("the first ends", Box::new(move |q| q.learn_pod(ended))),
                ("the second is refused", Box::new(|q| q.refused("b"))),
                (
                    "only the third is left",
                    Box::new(|q| q.keep(&BTreeSet::from(["c".to_owned()]))),
                ),
            ],
            &expect![[r#"
                no node yet: []
                the node: [bind a]
                a second one: [b waits: 0/1 nodes are available: 1 Insufficient cpu]
                the first once more: []
                the second once more: []
                a small one: [bind c]
                the first runs: []
                the first ends: [bind b]
                the second is refused: [bind b]
                only the third is left: []
            "#]],
        );
    }

    #[test]
    fn labels_and_gates_count_as_they_are_now() {
        let wants = || json!({"nodeSelector": {"disk": "ssd"}});
        let gated = json!({"schedulingGates": [{"name": "g"}]});
        check(
            vec![
                ("the node", Box::new(|q| q.learn_node(node(json!({}))))),
                (
                    "one that selects",
                    Box::new(move |q| q.learn_pod(pod("a", wants(), "Pending"))),
                ),
                (
                    "a gated one",
                    Box::new(|q| q.learn_pod(pod("g", gated, "Pending"))),
                ),
                (
                    "the label",
                    Box::new(|q| q.learn_node(node(json!({"disk": "ssd"})))),
                ),
                (
                    "no gate any more",
                    Box::new(|q| q.learn_pod(pod("g", json!({}), "Pending"))),
                ),
                (
                    "one for another node",
                    Box::new(|q| q.learn_pod(pod("o", json!({"nodeName": "o"}), "Pending"))),
                ),
            ],
            &expect![[r#"
                the node: []
                one that selects: [a waits: 0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector]
                a gated one: []
                the label: [bind a]
                no gate any more: [bind g]
                one for another node: []
            "#]],
        );
    }
}
