//! What must hold in every run: while it goes on, whenever it rests, and at its end.

use std::collections::BTreeMap;
use std::sync::Arc;

use argosy_engine::node::{failed_or_error, fulfilled, phase_ended, waits_for_lock, workflow_fulfilled};
use argosy_engine::{Decision, Effect, Outcomes, Waiting, check, names};
use argosy_model::k8s::Pod;
use argosy_model::{
    NodePhase, NodeStatus, NodeType, PodGcStrategy, ShutdownStrategy, Workflow, WorkflowPhase, WorkflowSpec,
};
use jiff::SignedDuration;

use super::Sim;
use super::cluster::{COMPLETED, WORKFLOW};
use super::kubelet::node_id;
use super::shell::{describe, is_settled};

/// The end of a workflow: phase and message of each node by name, the workflow's own under "".
pub fn tree(workflow: &Workflow) -> BTreeMap<String, String> {
    let status = &workflow.status;
    let mut tree: BTreeMap<String, String> = status
        .nodes
        .values()
        .map(|n| {
            // What a failed pod reports is taken if it comes in time, and nobody waits for it.
            let outputs = n.outputs.as_ref().filter(|_| !failed_or_error(&n.phase));
            let outputs = outputs.map(|o| argosy_model::go_json::to_string(o).unwrap_or_default());
            (
                n.name.clone(),
                format!("{} {} {}", n.phase, n.message, outputs.unwrap_or_default()),
            )
        })
        .collect();
    tree.insert(String::new(), format!("{} {}", status.phase, status.message));
    tree
}

/// The first difference of two ends.
pub fn difference(calm: &BTreeMap<String, String>, stormy: &BTreeMap<String, String>) -> Option<String> {
    let names = calm.keys().chain(stormy.keys());
    names
        .into_iter()
        .find(|name| calm.get(*name) != stormy.get(*name))
        .map(|name| {
            let show = |tree: &BTreeMap<String, String>| {
                tree.get(name).cloned().unwrap_or_else(|| "missing".to_owned())
            };
            format!("node {name:?} is {:?}, not {:?}", show(stormy), show(calm))
        })
}

/// A node in one line, for reports.
fn show(node: &NodeStatus) -> String {
    let (id, name, kind, phase, children) = (&node.id, &node.name, &node.type_, &node.phase, &node.children);
    let (daemoned, synced, message) = (node.daemoned, node.task_result_synced, &node.message);
    format!(
        "{id} {name} {kind} {phase} {message:?} daemoned {daemoned:?} synced {synced:?} children {children:?}"
    )
}

/// What a workflow runs by.
fn spec(workflow: &Workflow) -> &WorkflowSpec {
    let stored = workflow.status.stored_workflow_template_spec.as_deref();
    stored.unwrap_or(&workflow.spec)
}

fn active(pod: &Pod) -> bool {
    matches!(pod.status.phase.as_str(), "Pending" | "Running" | "")
}

impl Sim {
    /// Holds of every decision: a live workflow says what it waits for.
    pub(super) fn note_decision(&mut self, workflow: &Workflow, decision: &Decision) {
        self.decisions += 1;
        let name = &workflow.metadata.name;
        let phase = decision
            .changes
            .status
            .as_ref()
            .map_or(&workflow.status.phase, |s| &s.phase);
        if workflow_fulfilled(phase) {
            return;
        }
        if decision.waiting.is_empty() {
            self.violate(format!(
                "{name}: a live workflow waits for nothing: {}",
                describe(decision)
            ));
        }
        let idle = |reason: &Waiting| *reason == Waiting::Nodes(Vec::new());
        if decision.changes.is_empty() && decision.wake_at.is_none() && decision.waiting.values().all(idle) {
            for node in workflow.status.nodes.values() {
                self.say(|| show(node));
            }
            self.violate(format!("{name}: nothing can move the workflow any more"));
        }
    }

    /// After a look: deciding again on the same would change nothing, or somebody looks again at once.
    pub(super) fn check_rest(&mut self, name: &str, outcomes: &Outcomes, until: Option<SignedDuration>) {
        let Some(workflow) = self.shell.cache.workflows.get(name).cloned() else {
            return;
        };
        let asked = self.shell.due.get(name).is_some_and(|at| *at <= self.now);
        if until.is_some_and(|wait| wait <= SignedDuration::from_millis(50)) || asked || is_settled(&workflow)
        {
            return;
        }
        let again = self.again(&workflow, outcomes);
        if !again.changes.is_empty() {
            let patch = again.changes.merge_patch(&workflow);
            self.violate(format!(
                "{name}: not at rest: would change {}: {patch}",
                describe(&again)
            ));
        }
        let makes = |e: &Effect| matches!(e, Effect::CreatePod { .. });
        if until.is_none() && again.effects.iter().any(makes) {
            self.violate(format!(
                "{name}: not at rest: would make a pod that nobody waits for"
            ));
        }
    }

    /// Holds at every moment: limits and locks.
    pub(super) fn check_limits(&mut self) {
        if let Some(name) = self.cluster.twice.pop() {
            self.violate(format!("pod {name} was made twice"));
        }
        let workflows: Vec<Arc<Workflow>> = self.cluster.workflows.values().cloned().collect();
        // What is terminated is let in to be ended, whatever runs (C-THR-08).
        let counts = |w: &&Arc<Workflow>| {
            w.status.phase == WorkflowPhase::Running
                && w.spec.shutdown != ShutdownStrategy::Terminate
                && !self.retried.contains(&w.metadata.name)
        };
        let running = workflows.iter().filter(counts);
        let running = running.count();
        let limits = &self.scenario.limits;
        let exceeded = |limit: &usize| *limit > 0 && running > *limit;
        // All are in one namespace.
        if let Some(limit) = [limits.global, limits.namespace].into_iter().find(exceeded) {
            self.violate(format!("{running} workflows run, the limit is {limit}"));
        }
        let mut by_lock: BTreeMap<String, usize> = BTreeMap::new();
        for workflow in &workflows {
            self.check_parallelism(workflow);
            let held = workflow.status.synchronization.as_ref();
            for holding in held
                .and_then(|s| s.mutex.as_ref())
                .iter()
                .flat_map(|m| &m.holding)
            {
                *by_lock.entry(holding.mutex.clone()).or_default() += 1;
            }
            for holding in held
                .and_then(|s| s.semaphore.as_ref())
                .iter()
                .flat_map(|m| &m.holding)
            {
                *by_lock.entry(holding.semaphore.clone()).or_default() += holding.holders.len();
            }
        }
        for (lock, holders) in by_lock {
            let limit = self.scenario.lock_limit(&lock);
            if holders > limit {
                self.violate(format!(
                    "lock {lock} is held {holders} times by status, the limit is {limit}"
                ));
            }
        }
        self.check_lock_pods();
    }

    /// Pods of a workflow that run or are to run, and whose nodes are not done.
    fn active_pods<'s>(&'s self, workflow: &'s Workflow) -> impl Iterator<Item = &'s Arc<Pod>> {
        let name = &workflow.metadata.name;
        let mine = self
            .cluster
            .pods
            .values()
            .filter(move |p| p.metadata.labels.get(WORKFLOW) == Some(name));
        mine.filter(|p| active(p)).filter(|p| {
            let node = node_id(p).and_then(|id| workflow.status.nodes.get(id));
            node.is_none_or(|n| !fulfilled(n))
        })
    }

    /// Holds whenever a pod is made: with it, no more of its workflow are at work than `spec.parallelism` allows.
    ///
    /// What the deciding pass makes of the nodes counts, stored or not (C-PAR-01): a pod whose node that pass ends, at a
    /// stop or a timeout, gives up its place there and then, and if the controller dies before it stores so, the next
    /// one finds both pods (C-PER-10).
    pub(super) fn check_made(&mut self, workflow: &Workflow, decision: &Decision) {
        let Some(limit) = spec(workflow).parallelism else {
            return;
        };
        let name = workflow.metadata.name.clone();
        let counts = |pod: &&Arc<Pod>| {
            let node = node_id(pod).and_then(|id| {
                let decided = decision.changes.nodes.get(id);
                decided.or_else(|| workflow.status.nodes.get(id))
            });
            node.is_none_or(|n| !phase_ended(&n.phase))
        };
        let mine = |pod: &&Arc<Pod>| pod.metadata.labels.get(WORKFLOW) == Some(&name);
        let pods = self.cluster.pods.values().filter(mine);
        let at_work = pods.filter(|pod| active(pod)).filter(counts).count();
        if i64::try_from(at_work).unwrap_or(i64::MAX) > limit {
            self.violate(format!("{name}: {at_work} pods, spec.parallelism is {limit}"));
        }
    }

    fn check_parallelism(&mut self, workflow: &Workflow) {
        let spec = spec(workflow);
        let mut broken = Vec::new();
        let nodes = &workflow.status.nodes;
        for node in nodes
            .values()
            .filter(|n| matches!(n.type_, NodeType::Steps | NodeType::Dag) && !fulfilled(n))
        {
            let template = spec.templates.iter().find(|t| t.name == node.template_name);
            let Some(limit) = template.and_then(|t| t.parallelism) else {
                continue;
            };
            // A retry by a person sets all that held a failed pod to Running at once, as the peer's does, and leaves what
            // was unfinished at the end; only pods that are there count from then on.
            let retried = self.retried.contains(&workflow.metadata.name);
            let pods = self.cluster.pods.values();
            let seen: Vec<&str> = pods
                .filter(|pod| active(pod))
                .filter_map(|pod| node_id(pod))
                .collect();
            let counts = |n: &NodeStatus| match n.type_ {
                NodeType::Pod => !retried || seen.contains(&n.id.as_str()),
                NodeType::Steps | NodeType::Dag => !retried,
                _ => false,
            };
            // C-PAR-03 asks who is about to start, and a retry node runs between its attempts: ours wait for their places,
            // unless those that have them wait for locks, perhaps for its own. What waits for a lock is not at work.
            let works = |n: &NodeStatus| {
                let is_within = |other: &NodeStatus| names::is_within(&other.name, &n.name);
                let own = |id: &&str| nodes.get(*id).is_some_and(is_within);
                let waits = |other: &NodeStatus| waits_for_lock(other) && is_within(other);
                seen.iter().any(own) || !nodes.values().any(waits)
            };
            let inside = |n: &&NodeStatus| {
                n.boundary_id == node.id
                    && counts(n)
                    && works(n)
                    && matches!(n.phase, NodePhase::Pending | NodePhase::Running)
                    && n.daemoned != Some(true)
            };
            let active = nodes.values().filter(inside).count();
            if i64::try_from(active).unwrap_or(i64::MAX) > limit {
                broken.push(format!(
                    "{}: {active} at work, its parallelism is {limit}",
                    node.name
                ));
            }
        }
        broken.into_iter().for_each(|b| self.violate(b));
    }

    /// Locks of leaf templates, seen from the pods that really run.
    fn check_lock_pods(&mut self) {
        let mut by_lock: BTreeMap<String, Vec<String>> = BTreeMap::new();
        // What a workflow holds is given back at its end, though its last pods are still being ended (C-SYN-22).
        let workflows = self.cluster.workflows.values();
        for workflow in workflows.filter(|w| !workflow_fulfilled(&w.status.phase)) {
            let spec = spec(workflow);
            for pod in self.active_pods(workflow) {
                let node = node_id(pod).and_then(|id| workflow.status.nodes.get(id));
                let template = node.and_then(|n| spec.templates.iter().find(|t| t.name == n.template_name));
                let Some(block) = template.and_then(|t| t.synchronization.as_ref()) else {
                    continue;
                };
                for mutex in &block.mutexes {
                    by_lock
                        .entry(format!("argo/Mutex/{}", mutex.name))
                        .or_default()
                        .push(pod.metadata.name.clone());
                }
            }
        }
        for (lock, pods) in by_lock {
            if pods.len() > 1 {
                self.violate(format!("pods {} run at once under {lock}", pods.join(" and ")));
            }
        }
    }

    /// Holds at the end of the whole run.
    pub(super) fn check_end(&mut self) {
        if !self.violations.is_empty() {
            return;
        }
        let all: Vec<Arc<Workflow>> = self.cluster.workflows.values().cloned().collect();
        for workflow in &all {
            if workflow_fulfilled(&workflow.status.phase) {
                self.note_end(workflow);
                self.check_pods(workflow);
            } else {
                let kept = self.shell.plans.get(&workflow.metadata.name);
                let outcomes = kept.map_or_else(Outcomes::default, |kept| kept.outcomes.clone());
                let again = self.again(workflow, &outcomes);
                for node in workflow.status.nodes.values() {
                    self.say(|| show(node));
                }
                let name = &workflow.metadata.name;
                self.violate(format!(
                    "{name} hangs in {}: {:?}, to be looked at {:?}, {} effects",
                    workflow.status.phase,
                    again.waiting,
                    again.wake_at,
                    again.effects.len()
                ));
            }
        }
        let held: Vec<String> = self
            .shell
            .locks
            .iter()
            .filter(|(_, lock)| !lock.holders.is_empty() || !lock.queue.is_empty())
            .map(|(name, lock)| format!("{name} by {:?}, waiting {:?}", lock.holders, lock.queue))
            .collect();
        if !held.is_empty() {
            self.violate(format!("locks are left: {}", held.join("; ")));
        }
        let (running, _) = self.shell.throttle.load();
        if running > 0 {
            self.violate(format!("{running} places of running workflows are left"));
        }
    }

    /// Holds of a finished workflow.
    pub(super) fn note_end(&mut self, workflow: &Arc<Workflow>) {
        let name = workflow.metadata.name.clone();
        for fault in check::faults(workflow) {
            self.violate(format!("{name}: {fault}"));
        }
        self.ended.insert(name, workflow.clone());
    }

    /// Holds of the pods of a finished workflow, once everything rests.
    fn check_pods(&mut self, workflow: &Workflow) {
        let name = workflow.metadata.name.clone();
        let spec = spec(workflow);
        let strategy = spec
            .pod_gc
            .as_ref()
            .map_or(PodGcStrategy::Unset, |gc| gc.strategy.clone());
        let mine = |p: &&Arc<Pod>| p.metadata.labels.get(WORKFLOW) == Some(&name);
        let pods: Vec<Arc<Pod>> = self.cluster.pods.values().filter(mine).cloned().collect();
        for pod in pods {
            let label = pod.metadata.labels.get(COMPLETED).map(String::as_str);
            let pod_name = &pod.metadata.name;
            if active(&pod) {
                self.violate(format!("pod {pod_name} still runs after the end of {name}"));
            } else if matches!(
                strategy,
                PodGcStrategy::OnPodCompletion | PodGcStrategy::OnWorkflowCompletion
            ) {
                self.violate(format!(
                    "pod {pod_name} is left although its strategy is {strategy}"
                ));
            } else if label != Some("true") {
                self.violate(format!(
                    "pod {pod_name} is not labelled completed after the end of {name}"
                ));
            }
        }
    }
}
