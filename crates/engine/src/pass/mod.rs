//! One decision from start to end: the order of section 5 of the behaviour rules.
//!
//! A pass works on the stored nodes with an overlay ([`Tree`]) and on a copy of the rest of the status. Each file below
//! holds one concern of it as methods of [`Pass`]. Not here: reading the spec (`plan`), building pods (`pod`).

mod above;
mod agent;
mod arguments;
mod artifacts;
mod claims;
mod cleanup;
mod collect;
mod control;
mod dag;
mod dag_assess;
mod derived;
mod events;
mod finish;
mod follow;
mod globals;
mod group;
mod hooks;
mod leaf;
mod loops;
mod memo;
mod metadata;
mod metrics;
mod moved;
mod nodes;
mod outputs;
mod parallelism;
mod plugins;
mod pod_phase;
mod pods;
mod prepared;
mod reads;
mod restart;
mod results;
mod retry;
mod scope;
mod steps;
mod suspend;
mod sync;
mod template;
mod tidy;
mod timeout;
mod tree;
mod unseen;
mod waiting;

use std::cell::OnceCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use argosy_model::k8s::Time;
use argosy_model::{NodePhase, ShutdownStrategy, Template, Workflow, WorkflowPhase, WorkflowStatus};
use jiff::{SignedDuration, Timestamp};

use crate::decision::{Changes, Decision, Effect, Store, Waiting, shallow};
use crate::plan::Plan;
use crate::snapshot::Snapshot;
use crate::vars::{self, Vars};
use crate::{locks, node};

pub(crate) use loops::for_item as expand_item;
pub(crate) use moved::Rest;
pub(crate) use prepared::Prepared;
pub(crate) use sync::holdings;
pub(crate) use template::Holder;
pub(crate) use tree::Tree;

/// Why the evaluation of a template gave no node, or an unusable one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Stop {
    /// As many run as may; nothing is recorded (C-PAR-05).
    #[error("Max parallelism reached")]
    Parallelism,
    /// Nested too deeply; the node is marked (C-EXE-01).
    #[error("Max recursion depth reached")]
    Depth,
    /// A timeout of the template; the node is marked (C-EXE-10).
    #[error("timeout")]
    Timeout,
    /// A value is referenced that does not exist yet (C-SUB-06).
    #[error("{0}")]
    Missing(String),
    /// Anything that makes the node an Error.
    #[error("{0}")]
    Error(String),
}

/// What stands in a name's place while it is being evaluated: the node's id, if there is a node.
pub(crate) type Evaluated = Result<Option<String>, Stop>;

/// The wait before a pass that failed for a reason outside is tried again: the peer's re-queue time (C-INF-07).
const RETRY_WAIT: SignedDuration = SignedDuration::from_secs(10);

/// One decision under way.
pub(crate) struct Pass<'a> {
    pub plan: &'a Plan,
    pub seen: Snapshot<'a>,
    pub wf: &'a Workflow,
    pub now: Timestamp,
    /// The status without nodes, as it is to become.
    pub status: WorkflowStatus,
    pub labels: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
    pub finalizers: Vec<String>,
    pub nodes: Tree<'a>,
    /// Global variables.
    pub globals: Vars,
    /// The spec to run by without its templates, with globals substituted.
    pub spec: Arc<argosy_model::WorkflowSpec>,
    /// The workflow's volumes: those of the spec and its claims.
    pub volumes: Vec<argosy_model::k8s::Volume>,
    pub effects: Vec<Effect>,
    pub locks: locks::Session<'a>,
    pub wake_at: Option<Timestamp>,
    pub waiting: BTreeMap<String, Waiting>,
    /// Whether there is anything to store.
    pub updated: bool,
    /// Whether there is a hook that may become due by what moves, and then not be due any more.
    pub hooks_wait: bool,
    /// Pods by node id.
    pub pods: pods::Pods<'a>,
    /// Pods that run or are about to, for `spec.parallelism` (C-PAR-01).
    pub active_pods: i64,
    /// How many of them are seen.
    pub pods_at_work: i64,
    /// Names of nodes that count among them and have no pod to be seen.
    pub lacking: Vec<String>,
    /// Pods whose nodes were never stored, found at the first question.
    pub strays: OnceCell<Vec<parallelism::Stray>>,
    /// Tasks of the agent by node id.
    pub tasks: BTreeMap<String, Template>,
    /// Pods to terminate, by node id, so that each is asked once.
    pub terminated: BTreeSet<String>,
    /// Nodes whose pods were asked for in this pass.
    pub asked: BTreeSet<String>,
    /// Key under which the workflow itself holds locks.
    pub lock_key: String,
    /// Templates resolved in this pass.
    pub resolved: BTreeMap<String, Arc<Template>>,
    /// How deep templates are nested at the moment.
    pub depth: usize,
    /// Boundaries that have refused a new node in this pass, and in which no node has ended since.
    pub full: BTreeSet<String>,
    /// Whether a node is to be looked at again: one that was begun, for its time, locks or name, once it is there, or one
    /// that fails as soon as nothing in it is active.
    pub looks_again: bool,
    /// Nodes that were evaluated whose templates limit how many go on inside them.
    pub limited: BTreeSet<String>,
    /// Whether what can't be known yet is an error now, because nothing can make it known any more.
    pub last_resort: bool,
    /// Nodes that the evaluation came to, noted only once nothing moves any more.
    pub reached: Option<BTreeSet<String>>,
    /// Whether pods were looked at: not in the first pass, and not once the workflow has ended.
    pub assessed: bool,
    /// Whether what follows from the nodes was worked out to the end.
    pub evaluated: bool,
    /// Cache entries written in this pass, which later lookups see: ConfigMap, key, text.
    pub memos: BTreeMap<(String, String), String>,
}

/// Decides about one workflow. See [`crate::decide`].
pub(crate) fn run(plan: &Plan, seen: &Snapshot<'_>, now: Timestamp) -> Decision {
    if let Some(decision) = moved::run(plan, seen, now) {
        return decision;
    }
    let mut pass = Pass::new(plan, *seen, now);
    pass.steps();
    if !seen.explain && pass.names_a_pod_at_work() {
        return pass.decision();
    }
    pass.complete_waiting();
    if !pass.is_stuck() {
        return pass.decision();
    }
    let mut look = Pass::new(plan, *seen, now);
    look.reached = Some(BTreeSet::new());
    look.steps();
    // What stands behind a node that is refused may go on all the same, or be tried again in its time.
    let mut reasons = look.waiting.values();
    let is_retried = reasons.any(|reason| matches!(reason, Waiting::RetryAt(at) if *at > now));
    if is_retried || look.has_changes() || !look.effects.is_empty() {
        look.complete_waiting();
        return look.decision();
    }
    let mut last = Pass::new(plan, *seen, now);
    last.last_resort = true;
    last.reached = look.reached;
    last.steps();
    last.end_abandoned();
    last.complete_waiting();
    last.decision()
}

impl<'a> Pass<'a> {
    fn new(plan: &'a Plan, seen: Snapshot<'a>, now: Timestamp) -> Self {
        let wf = seen.workflow;
        Self {
            plan,
            seen,
            wf,
            now,
            status: shallow(&wf.status),
            labels: wf.metadata.labels.clone(),
            annotations: wf.metadata.annotations.clone(),
            finalizers: wf.metadata.finalizers.clone(),
            nodes: Tree::new(&wf.metadata.name, &wf.status.nodes),
            globals: Vars::new(),
            spec: Arc::clone(&plan.bare),
            volumes: Vec::new(),
            effects: Vec::new(),
            locks: locks::Session::new(seen.locks),
            wake_at: None,
            hooks_wait: false,
            waiting: BTreeMap::new(),
            updated: false,
            pods: pods::Pods::default(),
            active_pods: 0,
            pods_at_work: 0,
            lacking: Vec::new(),
            strays: OnceCell::new(),
            tasks: BTreeMap::new(),
            terminated: BTreeSet::new(),
            asked: BTreeSet::new(),
            lock_key: locks::holder_key(&wf.metadata.namespace, &wf.metadata.name, None),
            resolved: BTreeMap::new(),
            depth: 0,
            full: BTreeSet::new(),
            looks_again: false,
            limited: BTreeSet::new(),
            last_resort: false,
            reached: None,
            assessed: false,
            evaluated: false,
            memos: BTreeMap::new(),
        }
    }

    /// The steps of one pass in order (C-OP-03). Every early return ends the pass.
    fn steps(&mut self) {
        if !self.admit() || !self.prepare() {
            return;
        }
        self.index_pods(self.seen.pods.values());
        self.apply_results();
        if self.labels.get(labels::COMPLETED).is_some_and(|v| v == "true") {
            self.collect_artifacts();
            self.tidy_ended();
            return;
        }
        self.adopt_stored_locks();
        if !self.workflow_locks() {
            return;
        }
        if self.status.phase == WorkflowPhase::Unset {
            self.first_pass();
        } else if !self.assess_pods() {
            return;
        }
        if self.status.phase == WorkflowPhase::Running {
            self.follow_workflow();
        }
        if self.spec.suspend == Some(true) && self.wf.metadata.deletion_timestamp.is_none() {
            self.waiting.insert(String::new(), Waiting::WorkflowSuspended);
            return;
        }
        self.count_active_pods();
        if !self.prepare_volumes() {
            return;
        }
        self.evaluate();
        self.evaluated = true;
        self.release_locks_of_the_dead();
    }

    /// From the entry template to the final phase (C-OP-03, rows 14 to 21).
    fn evaluate(&mut self) {
        let Some(entry) = self.run_entry() else {
            // A hook may hold what the entry waits for.
            if self.last_resort
                && let Err(stop) = self.run_workflow_hooks()
            {
                let root = self.nodes.id(&self.wf.metadata.name);
                self.mark_error(&root, &stop.to_string());
            }
            return;
        };
        let phase = self
            .nodes
            .get(&entry)
            .map_or(NodePhase::Unset, |n| n.phase.clone());
        self.set_outcome_variables(&phase);
        let hooks_done = match self.run_workflow_hooks() {
            Ok(done) => done,
            Err(stop) => {
                self.mark_error(&entry, &stop.to_string());
                false
            }
        };
        if *self.shutdown() == ShutdownStrategy::Unset {
            self.reconcile_agent();
        }
        let fulfilled = self.nodes.get(&entry).is_some_and(node::fulfilled);
        if !hooks_done || !fulfilled {
            return;
        }
        let Some(exit) = self.run_exit_handler(&entry) else {
            return;
        };
        self.finish(&entry, exit.as_deref());
    }

    /// Asks to be looked at again at that time.
    pub fn wake(&mut self, at: Timestamp) {
        let at = at.max(self.now);
        self.wake_at = Some(self.wake_at.map_or(at, |old| old.min(at)));
    }

    /// Asks to be looked at again because something outside may have got better.
    pub fn retry_later(&mut self) {
        self.wake(self.now + RETRY_WAIT);
    }

    /// Adds an effect. Questions and the few effects on the whole workflow are asked for once, however often they arise;
    /// those on single pods arise once.
    pub fn effect(&mut self, effect: Effect) {
        let once = matches!(
            effect,
            Effect::LookUpImage { .. }
                | Effect::LookUpTokenSecret { .. }
                | Effect::ResolveArtifactRepository
                | Effect::CreateClaim { .. }
                | Effect::CompleteTasks { .. }
        );
        if !once || !self.effects.contains(&effect) {
            self.effects.push(effect);
        }
    }

    pub fn set_global(&mut self, name: &str, value: impl Into<String>) {
        self.globals.insert(name.to_owned(), vars::text(value.into()));
    }

    /// The shutdown in force. A workflow that is being deleted and waits for its finalizers has nobody left to finish
    /// for; what it holds is not given back before it has ended.
    pub fn shutdown(&self) -> &ShutdownStrategy {
        match self.wf.metadata.deletion_timestamp {
            Some(_) => &ShutdownStrategy::Terminate,
            None => &self.spec.shutdown,
        }
    }

    /// Changes a node and notes that there is something to store if it changed.
    pub fn change(&mut self, id: &str, edit: impl FnOnce(&mut argosy_model::NodeStatus)) -> bool {
        let changed = self.nodes.change(id, edit);
        self.updated |= changed;
        changed
    }

    pub fn time(&self) -> Option<Time> {
        Some(Time(self.now))
    }

    /// Whether anything differs from what is stored: what was changed may have been changed back.
    fn has_changes(&self) -> bool {
        let before = &self.wf.metadata;
        self.updated
            && (self.nodes.differs()
                || shallow(&self.wf.status) != self.status
                || before.labels != self.labels
                || before.annotations != self.annotations
                || before.finalizers != self.finalizers)
    }

    /// The answer, once every step was taken.
    fn decision(mut self) -> Decision {
        let others_wait = self.others_wait();
        if !self.has_changes() {
            return self.unchanged(others_wait);
        }
        self.update_derived();
        self.changed(others_wait)
    }

    /// The answer when nothing is to be stored.
    fn unchanged(mut self, others_wait: bool) -> Decision {
        self.tidy_again();
        let effects = self.all_effects();
        let rest = self.rest(&effects, others_wait);
        let changes = Changes::default();
        self.leave(rest, &changes, self.wake_at);
        Decision {
            changes,
            effects,
            wake_at: self.wake_at,
            store: Store::Now,
            waiting: self.waiting,
        }
    }

    /// The answer with what is to be stored. `others_wait` tells whether anything may come of it that is not seen yet.
    fn changed(mut self, others_wait: bool) -> Decision {
        self.clean_up_pods();
        self.release_at_end();
        self.hold_back_locked_pods();
        self.node_events();
        self.node_metrics();
        let effects = self.all_effects();
        let rest = self.rest(&effects, others_wait);
        let ended = node::workflow_fulfilled(&self.status.phase);
        let before = &self.wf.metadata;
        let changes = Changes {
            labels: map_changes(&before.labels, &self.labels),
            annotations: map_changes(&before.annotations, &self.annotations),
            finalizers: (before.finalizers != self.finalizers).then(|| std::mem::take(&mut self.finalizers)),
            status: (shallow(&self.wf.status) != self.status)
                .then(|| Box::new(std::mem::take(&mut self.status))),
            nodes: self.nodes.take_touched(),
        };
        let leads_on = |effect: &Effect| !effect.is_for_others() && !self.begins_pod(effect);
        let may_follow = others_wait || !changes.are_of_pods_alone(self.wf) || effects.iter().any(leads_on);
        let store = if self.hooks_wait {
            Store::Now
        } else {
            Store::choose(&changes, &effects, self.wf, may_follow, self.wake_at, self.now)
        };
        let wake_at = if changes.is_empty() || ended || !may_follow {
            self.wake_at
        } else {
            Some(self.now)
        };
        self.leave(rest, &changes, wake_at);
        Decision {
            changes,
            effects,
            wake_at,
            store,
            waiting: self.waiting,
        }
    }

    /// Whether something else may come about by what is decided here: a limit that has room again, a hook that is due, a
    /// lock that was given back, a value that is there now, or that nothing moves any more.
    fn others_wait(&self) -> bool {
        self.last_resort
            || *self.shutdown() != ShutdownStrategy::Unset
            || self.awaits_others()
            || self.asked.is_empty() && self.pod_at_work().is_none()
    }

    /// Whether anything waits for what other nodes come to, or what was begun may have to.
    fn awaits_others(&self) -> bool {
        let by_others = |reason: &Waiting| {
            matches!(
                reason,
                Waiting::Parallelism { .. } | Waiting::Lock { .. } | Waiting::Variable { .. }
            )
        };
        self.hooks_wait
            || self.looks_again
            || self.begins_watched()
            || self.fills_places()
            || self.waiting.values().any(by_others)
    }

    /// All effects, with what is done to locks at the end. What is given back may let another node of the workflow go
    /// on, whether or not there is anything to store.
    fn all_effects(&mut self) -> Vec<Effect> {
        let gives_back = self.locks.gives_back();
        let locks = std::mem::replace(&mut self.locks, locks::Session::new(self.seen.locks)).into_ops();
        if gives_back && !node::workflow_fulfilled(&self.status.phase) {
            self.wake(self.now);
        }
        let mut effects = std::mem::take(&mut self.effects);
        effects.extend(locks.into_iter().map(Effect::Lock));
        effects
    }
}

fn map_changes(
    before: &BTreeMap<String, String>,
    after: &BTreeMap<String, String>,
) -> BTreeMap<String, Option<String>> {
    let removed = before
        .keys()
        .filter(|k| !after.contains_key(*k))
        .map(|k| (k.clone(), None));
    let set = after
        .iter()
        .filter(|(k, v)| before.get(*k) != Some(*v))
        .map(|(k, v)| (k.clone(), Some(v.clone())));
    removed.chain(set).collect()
}

/// Labels, annotations and finalizers that decisions read and write (C-LBL-01).
pub(crate) mod labels {
    pub const WORKFLOW: &str = "workflows.argoproj.io/workflow";
    pub const COMPLETED: &str = "workflows.argoproj.io/completed";
    pub const PHASE: &str = "workflows.argoproj.io/phase";
    pub const ARCHIVING: &str = "workflows.argoproj.io/workflow-archiving-status";
    pub const ON_EXIT: &str = "workflows.argoproj.io/on-exit";
    pub const COMPONENT: &str = "workflows.argoproj.io/component";
    pub const TEMPLATE: &str = "workflows.argoproj.io/workflow-template";
    pub const CLUSTER_TEMPLATE: &str = "workflows.argoproj.io/cluster-workflow-template";
    pub const REPORTED: &str = "workflows.argoproj.io/report-outputs-completed";
    pub const CONFIG_MAP_TYPE: &str = "workflows.argoproj.io/configmap-type";
    pub const NODE_ID: &str = "workflows.argoproj.io/node-id";
    pub const NODE_NAME: &str = "workflows.argoproj.io/node-name";
    pub const POD_NAME_FORMAT: &str = "workflows.argoproj.io/pod-name-format";
    pub const PROGRESS: &str = "workflows.argoproj.io/progress";
    pub const SCHEDULED_TIME: &str = "workflows.argoproj.io/scheduled-time";
    pub const DISPLAY_NAME: &str = "workflows.argoproj.io/display-name";
    pub const ARTIFACT_GC_FINALIZER: &str = "workflows.argoproj.io/artifact-gc";
    pub const POD_FINALIZER: &str = "workflows.argoproj.io/status";
}
