//! What a node becomes by its pod's status (C-POD-10 to C-POD-50). Pure in the pod and the node.

use std::collections::BTreeMap;

use argosy_model::k8s::{ContainerStatus, Pod, Time};
use argosy_model::{NodePhase, NodeStatus, NodeType, Outputs, Progress};
use jiff::Timestamp;

use super::Pass;
use crate::node;

/// The message of a container that its pod's end did not tell of (C-POD-20).
const LOST_CONTAINER: &str = "Pod Failed whilst container running";

/// The message of a node whose pod succeeded and whose declared outputs never came.
const LATE_OUTPUTS: &str = "the pod succeeded, but its outputs were not reported in time";

/// What the pod's template says that matters here.
pub(crate) struct Expectation {
    pub daemon: bool,
    /// Names of the main containers.
    pub mains: Vec<String>,
    pub parameters: bool,
    pub required_artifacts: bool,
    pub result: bool,
}

impl Pass<'_> {
    /// The node as the pod makes it, `None` when there is nothing to say.
    pub fn pod_node(&mut self, pod: &Pod, old: &NodeStatus) -> Option<NodeStatus> {
        let expected = self.expectation(old);
        let mut new = old.clone();
        let status = &pod.status;
        if old.phase == NodePhase::Pending
            && !old.restarting_pod_uid.is_empty()
            && old.restarting_pod_uid == pod.metadata.uid
        {
            self.restart_pod(old, pod);
            return None;
        }
        match status.phase.as_str() {
            "Pending" | "" => {
                new.phase = NodePhase::Pending;
                new.message = pending_message(pod);
                new.daemoned = None;
            }
            "Running" => {
                new.restarting_pod_uid = String::new();
                if !expected.daemon {
                    new.phase = NodePhase::Running;
                } else if !status.container_statuses.is_empty()
                    && status.container_statuses.iter().all(|c| c.ready)
                {
                    new.phase = NodePhase::Running;
                    new.daemoned = Some(true);
                    new.pod_ip.clone_from(&status.pod_ip);
                }
                if mains_ended(pod, &expected.mains) {
                    self.terminate(&old.id);
                }
            }
            "Succeeded" => {
                new.phase = if expected.daemon {
                    NodePhase::Failed
                } else {
                    NodePhase::Succeeded
                };
                new.daemoned = None;
                new.restarting_pod_uid = String::new();
            }
            "Failed" => {
                new.daemoned = None;
                let (phase, message) = failure(pod, &expected.mains, &self.wf.metadata.namespace);
                new.phase = phase;
                new.message = message;
                if let Some(restarting) = self.restart_instead(pod, old, &expected.mains) {
                    return Some(restarting);
                }
            }
            other => {
                new.phase = NodePhase::Error;
                new.message = format!("Unexpected pod phase for {}: {other}", pod.metadata.name);
            }
        }
        self.container_children(pod, old);
        self.complete_pod_node(pod, old, new, &expected)
    }

    /// Exit code, gates and finish (C-POD-40 to C-POD-50).
    fn complete_pod_node(
        &mut self,
        pod: &Pod,
        old: &NodeStatus,
        mut new: NodeStatus,
        expected: &Expectation,
    ) -> Option<NodeStatus> {
        let status = &pod.status;
        let main = status.container_statuses.iter().find(|c| c.name == "main");
        if let Some(ended) = main.and_then(|c| c.state.terminated.as_ref()) {
            new.outputs.get_or_insert_with(Outputs::default).exit_code = Some(ended.exit_code.to_string());
        }
        let aux = status
            .container_statuses
            .iter()
            .find(|c| c.name == "wait" || c.name == "supervisor");
        let ends = node::phase_completed(&new.phase);
        let failed = status.phase == "Failed";
        if let Some(aux) = aux {
            if aux.state.running.is_some() && ends && !failed {
                new.phase = old.phase.clone();
            }
            if aux.state.terminated.as_ref().is_some_and(|t| t.exit_code != 0)
                && new.task_result_synced.is_some()
            {
                new.task_result_synced = Some(true);
            }
        } else if failed && status.reason == "Evicted" && new.task_result_synced.is_some() {
            new.task_result_synced = Some(true);
        }
        if new.phase == NodePhase::Succeeded
            && let Some(outputs) = &new.outputs
        {
            let lacks = expected.parameters && outputs.parameters.is_empty()
                || expected.required_artifacts && outputs.artifacts.is_empty()
                || expected.result && outputs.result.is_none();
            let until = self.result_deadline(pod, &new);
            if lacks && self.now < until {
                new.phase = old.phase.clone();
                self.await_result(&old.id, Some(until));
            } else if lacks {
                new.phase = NodePhase::Error;
                new.message = LATE_OUTPUTS.to_owned();
            }
        }
        if new.host_node_name != pod.spec.node_name {
            new.host_node_name.clone_from(&pod.spec.node_name);
        }
        if !new.progress.is_valid() {
            new.progress = Progress::new(0, 1);
        }
        if let Some(text) = pod.metadata.annotations.get(super::labels::PROGRESS) {
            let progress = Progress::from(text.as_str());
            if progress.is_valid() && old.progress == Progress::new(0, 1) {
                new.progress = progress;
            }
        }
        if old.phase == NodePhase::Pending
            && new.phase != NodePhase::Pending
            && !node::failed_or_error(&new.phase)
            && new.message == old.message
        {
            new.message = String::new();
        }
        if node::fulfilled(&new) && new.finished_at.is_none() {
            new.finished_at = finish_time(pod, self.now).map(Time);
            new.resources_duration = resources_duration(pod, self.now);
        }
        Some(new)
    }

    /// Brings the nodes of a container set up to their containers (C-POD-20).
    pub fn container_children(&mut self, pod: &Pod, node: &NodeStatus) {
        for status in &pod.status.container_statuses {
            let id = self.nodes.id(&format!("{}.{}", node.name, status.name));
            let Some(child) = self.nodes.get(&id).filter(|n| n.type_ == NodeType::Container) else {
                continue;
            };
            if node::fulfilled(child) {
                continue;
            }
            let name = &status.name;
            let state = &status.state;
            if let Some(ended) = &state.terminated {
                let message = format!(
                    "{name}: {} (exit code {}): {}",
                    ended.reason, ended.exit_code, ended.message
                );
                match ended.exit_code {
                    0 => self.mark(&id, NodePhase::Succeeded, None),
                    64 => self.mark(&id, NodePhase::Error, Some(&message)),
                    _ => self.mark(&id, NodePhase::Failed, Some(&message)),
                }
            } else if pod.status.phase == "Failed" {
                self.mark(&id, NodePhase::Failed, Some(LOST_CONTAINER));
            } else if state.waiting.is_some() {
                self.mark(&id, NodePhase::Pending, None);
            } else if state.running.is_some() {
                self.mark(&id, NodePhase::Running, None);
            }
        }
        if pod.status.phase == "Failed" && pod.status.container_statuses.is_empty() {
            // The pod of a lost node says nothing on its containers any more, and never will.
            for id in self.container_descendants(&node.id) {
                if self.nodes.get(&id).is_some_and(|n| !node::fulfilled(n)) {
                    self.mark(&id, NodePhase::Failed, Some(LOST_CONTAINER));
                }
            }
        }
    }
}

/// Why a pod is pending (C-POD-11).
pub(super) fn pending_message(pod: &Pod) -> String {
    let joined = |reason: &str, message: &str| {
        if message.is_empty() {
            reason.to_owned()
        } else {
            format!("{reason}: {message}")
        }
    };
    if let Some(waiting) = pod
        .status
        .container_statuses
        .iter()
        .find_map(|c| c.state.waiting.as_ref())
    {
        return joined(&waiting.reason, &waiting.message);
    }
    let unschedulable = pod.status.conditions.iter().find(|c| c.reason == "Unschedulable");
    unschedulable.map_or_else(String::new, |c| joined(&c.reason, &c.message))
}

/// Whether any main failed, or all ended (C-POD-14).
fn mains_ended(pod: &Pod, mains: &[String]) -> bool {
    let statuses: Vec<_> = pod
        .status
        .container_statuses
        .iter()
        .filter(|c| mains.contains(&c.name))
        .collect();
    let ended = |c: &ContainerStatus| c.state.terminated.as_ref().map(|t| t.exit_code);
    statuses.iter().any(|c| ended(c).is_some_and(|code| code != 0))
        || !statuses.is_empty() && statuses.iter().all(|c| ended(c).is_some())
}

/// Phase and message of a failed pod (C-POD-12).
fn failure(pod: &Pod, mains: &[String], namespace: &str) -> (NodePhase, String) {
    let status = &pod.status;
    if !status.message.is_empty() {
        return (NodePhase::Failed, status.message.clone());
    }
    if status.container_statuses.is_empty() && status.init_container_statuses.is_empty() {
        let name = &pod.metadata.name;
        return (
            NodePhase::Failed,
            format!("can't find failed message for pod {name} namespace {namespace}"),
        );
    }
    let is_main = |c: &ContainerStatus| mains.contains(&c.name);
    let is_aux = |c: &ContainerStatus| c.name == "wait" || c.name == "supervisor";
    let code = |c: &ContainerStatus| c.state.terminated.as_ref().map(|t| t.exit_code);
    let supervisor_first = status
        .container_statuses
        .iter()
        .any(|c| is_main(c) && code(c) == Some(65));
    let rank = |c: &ContainerStatus| match () {
        () if supervisor_first && c.name == "supervisor" => 0,
        () if is_main(c) => 1,
        () if is_aux(c) => 2,
        () => 3,
    };
    let mut ordinary: Vec<&ContainerStatus> = status.container_statuses.iter().collect();
    ordinary.sort_by_key(|c| rank(c));
    let (mut main_ok, mut aux_ok) = (false, false);
    for container in status.init_container_statuses.iter().chain(ordinary) {
        let name = &container.name;
        if let Some(waiting) = &container.state.waiting {
            let message = format!(
                "Pod failed before {name} container starts due to {}: {}",
                waiting.reason, waiting.message
            );
            return (NodePhase::Error, message);
        }
        let Some(ended) = &container.state.terminated else {
            continue;
        };
        if ended.exit_code == 0 {
            main_ok |= is_main(container);
            aux_ok |= is_aux(container);
            continue;
        }
        let mut message = format!("{name}: {} (exit code {})", ended.reason, ended.exit_code);
        if !ended.message.is_empty() {
            message = format!("{message}: {}", ended.message);
        }
        if name == "init" || is_aux(container) {
            return (NodePhase::Error, message);
        }
        if is_main(container) || !matches!(ended.exit_code, 137 | 143) {
            return (NodePhase::Failed, message);
        }
    }
    match (main_ok, aux_ok) {
        (true, true) => (NodePhase::Succeeded, String::new()),
        (true, false) => (
            NodePhase::Failed,
            "pod failed: wait container did not complete successfully".to_owned(),
        ),
        (false, true) => (
            NodePhase::Failed,
            "pod failed: main container did not complete successfully".to_owned(),
        ),
        (false, false) => (
            NodePhase::Failed,
            "pod failed: neither main nor wait container completed successfully".to_owned(),
        ),
    }
}

/// When the last container ended; "now" while one runs; nothing without any news of containers.
fn finish_time(pod: &Pod, now: Timestamp) -> Option<Timestamp> {
    let statuses = pod
        .status
        .init_container_statuses
        .iter()
        .chain(&pod.status.container_statuses);
    statuses
        .filter_map(|s| match (&s.state.running, &s.state.terminated) {
            (Some(_), _) => Some(now),
            (None, Some(ended)) => ended.finished_at.as_ref().map(|t| t.0),
            (None, None) => None,
        })
        .max()
}

/// Resources that the pod's containers took, in resource-specific seconds (C-NODE-31).
pub(crate) fn resources_duration(pod: &Pod, _now: Timestamp) -> BTreeMap<String, i64> {
    let mut total = BTreeMap::new();
    let mut pod_level = pod.spec.resources.as_ref();
    let statuses: BTreeMap<&str, &ContainerStatus> = pod
        .status
        .init_container_statuses
        .iter()
        .chain(&pod.status.container_statuses)
        .map(|s| (s.name.as_str(), s))
        .collect();
    for container in pod.spec.init_containers.iter().chain(&pod.spec.containers) {
        let status = statuses.get(container.name.as_str());
        let mut amounts: BTreeMap<String, i128> = [
            ("cpu".to_owned(), 100),
            ("memory".to_owned(), 100 * 1024 * 1024 * 1000),
        ]
        .into();
        let own = &container.resources;
        let declares = !own.limits.is_empty() || !own.requests.is_empty();
        let layers = if declares { Some(own) } else { pod_level.take() };
        if let Some(layers) = layers {
            for (name, quantity) in layers.limits.iter().chain(&layers.requests) {
                amounts.insert(name.clone(), milli(quantity));
            }
        }
        let secs = status
            .and_then(|s| s.state.terminated.as_ref())
            .map_or(0, |ended| {
                let (Some(from), Some(to)) = (&ended.started_at, &ended.finished_at) else {
                    return 0;
                };
                to.0.duration_since(from.0).as_secs().max(0)
            });
        for (name, amount) in amounts {
            let denominator: i128 = match name.as_str() {
                "memory" => 100 * 1024 * 1024 * 1000,
                "storage" | "ephemeral-storage" => 10 * 1024 * 1024 * 1024 * 1000,
                _ => 1000,
            };
            let value = amount * i128::from(secs) / denominator;
            *total.entry(name).or_insert(0) += i64::try_from(value).unwrap_or(i64::MAX);
        }
    }
    total
}

/// A quantity in thousandths.
fn milli(quantity: &argosy_model::k8s::Quantity) -> i128 {
    i128::from(quantity.millis())
}
