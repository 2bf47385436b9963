//! Decisions that look at nothing but what moved: pods that go on or end well while others keep what they belong to open.
//!
//! A decision that leaves a workflow at rest notes so ([`Rest`]): all that could be done was done, and what is open waits
//! for pods or for a time. A pod that then begins to run, or ends well beside another one of its group, changes its own
//! node and the sums above it and nothing else, however big the workflow is; of a task of a DAG that ends well comes what
//! depends on it (`follow`). Whenever anything more could come of what moved, the whole is looked at instead; both say the
//! same, which tests in virtual time and the simulator check at every such decision.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use argosy_model::k8s::Pod;
use argosy_model::{NodeStatus, NodeType, Progress, ShutdownStrategy, Template, WorkflowPhase};
use jiff::Timestamp;
use rustc_hash::FxHashMap;

use super::above::Above;
use super::derived::{is_to_be_completed, sums_progress, sums_resources};
use super::follow::Ended;
use super::parallelism::in_progress;
use super::pods::is_running;
use super::waiting::reason_at_work;
use super::{Pass, labels};
use crate::decision::{Changes, Decision, Effect};
use crate::node;
use crate::plan::Plan;
use crate::snapshot::{Moved, Snapshot};

/// What is known of a workflow at rest. Names of nodes in it are only where to look first.
#[derive(Debug)]
pub(crate) struct Rest {
    /// Uid of the workflow.
    uid: String,
    /// The version of the workflow that this came of by changes, while it is not known that they were stored.
    came_of: Option<String>,
    /// When that was known. Once the clock was set back, all times are to be worked out again.
    since: Timestamp,
    /// When it is to be looked at, whatever moves.
    wake_at: Option<Timestamp>,
    /// When what is to be done to pods counts as lost.
    lost_at: Option<Timestamp>,
    /// Nodes of which the task results say more than what is stored.
    unsaved: BTreeSet<String>,
    /// Names of pods that were asked for and not seen yet.
    asked: BTreeSet<String>,
    /// Whether a result is awaited of a pod that has ended.
    lacks_result: bool,
    /// Nodes that had pods at work when these moved.
    at_work: BTreeSet<String>,
    /// The last node with a pod at work that was looked for.
    found_at_work: String,
    running: Option<Running>,
    /// By group: the place of one of its nodes that is at work.
    places: FxHashMap<String, usize>,
    /// Whether the sums that are stored are known to be right.
    is_summed: bool,
    above: Option<Above>,
}

/// How many pods run.
#[derive(Debug)]
struct Running {
    /// The version of the workflow that was decided about.
    version: String,
    /// By what was stored then.
    before: usize,
    /// By the decision.
    after: usize,
}

/// Decides by what moved alone; `None` when that is not enough.
pub(super) fn run(plan: &Plan, seen: &Snapshot<'_>, now: Timestamp) -> Option<Decision> {
    if seen.explain {
        return None;
    }
    let mut rest = plan.workings.take_rest()?;
    let Moved::Only { pods, results } = seen.moved else {
        return None;
    };
    if pods.is_empty() && results.is_empty() {
        return None;
    }
    let is_due = |at: Option<Timestamp>| at.is_some_and(|at| now >= at);
    let meta = &seen.workflow.metadata;
    if rest.uid != meta.uid
        || rest
            .came_of
            .take()
            .is_some_and(|version| version == meta.resource_version)
    {
        return None;
    }
    if is_due(rest.wake_at) || is_due(rest.lost_at) || now < rest.since {
        return None;
    }
    rest.since = now;
    rest.asked.retain(|pod| !seen.pods.contains_key(pod));
    if !rest.asked.is_empty() {
        return None;
    }
    let decision = Pass::new(plan, *seen, now).follow_moved(pods, results, &mut rest)?;
    let is_done = |effect: &Effect| is_done_once(effect) || effect.makes_pod();
    if decision.effects.iter().all(is_done) {
        plan.workings.put_rest(rest);
    }
    Some(decision)
}

/// What a node adds to the sums above it.
#[derive(Default, PartialEq)]
struct Difference {
    done: i64,
    total: i64,
    resources: BTreeMap<String, i64>,
}

impl<'a> Pass<'a> {
    /// What is to be known of the workflow if this decision leaves it at rest: nothing is left to do but to wait.
    pub fn rest(&self, effects: &[Effect], others_wait: bool) -> Option<Rest> {
        let hooks_follow = self.spec.hooks.keys().any(|name| name != "exit");
        let is_at_rest = !self.seen.explain
            && self.evaluated
            && !others_wait
            && !hooks_follow
            && self.status.phase == WorkflowPhase::Running
            && self.spec.suspend != Some(true)
            && self.pods.are_single()
            && effects
                .iter()
                .all(|effect| is_done_once(effect) || self.begins_pod(effect));
        let asked = names_of_made(effects);
        // What is asked for again was refused, or has yet to be seen.
        if !is_at_rest || !asked.is_empty() && (!self.has_changes() || !self.seen.outcomes.pods.is_empty()) {
            return None;
        }
        let results = self.seen.results;
        let unsaved = self.nodes.touched().filter(|n| results.contains_key(&n.id));
        Some(Rest {
            uid: self.wf.metadata.uid.clone(),
            came_of: None,
            since: self.now,
            wake_at: None,
            lost_at: self.due_to_pods().map(|(_, at)| at).min(),
            unsaved: unsaved.map(|n| n.id.clone()).collect(),
            asked,
            lacks_result: false,
            at_work: BTreeSet::new(),
            found_at_work: String::new(),
            running: None,
            places: FxHashMap::default(),
            is_summed: self.has_changes(),
            above: None,
        })
    }

    /// Whether an effect makes the first pod of a node that is new: whatever comes of it is news.
    pub fn begins_pod(&self, effect: &Effect) -> bool {
        let is_new = |id: &str| !self.wf.status.nodes.contains_key(id);
        matches!(effect, Effect::CreatePod { node_id, .. } if effect.makes_pod() && is_new(node_id))
    }

    /// Keeps that for the next decision, unless that is due at once.
    pub fn leave(&self, rest: Option<Rest>, changes: &Changes, wake_at: Option<Timestamp>) {
        if let Some(rest) = rest
            && wake_at.is_none_or(|at| at > self.now)
        {
            let version = &self.wf.metadata.resource_version;
            let came_of = (!changes.is_empty()).then(|| version.clone());
            self.plan.workings.put_rest(Rest {
                came_of,
                wake_at,
                ..rest
            });
        }
    }

    /// What moved, brought into the nodes; `None` if more may come of it.
    fn follow_moved(
        mut self,
        pods: &BTreeSet<String>,
        results: &BTreeSet<String>,
        rest: &mut Rest,
    ) -> Option<Decision> {
        let goes_on = self.status.phase == WorkflowPhase::Running
            && self.labels.get(labels::COMPLETED).is_none_or(|v| v != "true")
            && *self.shutdown() == ShutdownStrategy::Unset
            && !self.deadline_passed();
        // Once that has ended, the workflow waits for results alone, also of what goes on inside it.
        let entry = self.nodes.by_name(&self.wf.metadata.name);
        let goes_on = goes_on && entry.is_some_and(|entry| !node::fulfilled(entry));
        if !goes_on || !self.prepare() || self.updated {
            return None;
        }
        // What was reported of a node is looked at together with its pod.
        let of_results = results
            .iter()
            .filter_map(|id| Some(self.stored_pod_name(self.nodes.get(id)?)));
        let of_results = of_results.filter(|name| self.seen.pods.contains_key(name) && !pods.contains(name));
        let of_results: Vec<String> = of_results.collect();
        let pods = pods
            .iter()
            .chain(&of_results)
            .map(|name| self.seen.pods.get(name));
        let pods: Vec<&Arc<Pod>> = pods.collect::<Option<_>>()?;
        self.index_pods(pods.into_iter());
        self.take_moved_results(results, rest)?;
        rest.lacks_result |= !self.assess_seen_pods();
        let is_expected = |(id, pods): (&Cow<'_, str>, &[&Arc<Pod>])| {
            let node = self.nodes.get(id);
            node.is_some_and(|n| pods.len() == 1 && pods[0].metadata.name == self.stored_pod_name(n))
        };
        if !self.pods.iter().all(is_expected) || self.status.outputs != self.wf.status.outputs {
            return None;
        }
        let touched: Vec<NodeStatus> = self.nodes.touched().cloned().collect();
        let mut ended = Ended::default();
        for node in &touched {
            self.is_among_others(node, &mut ended, rest)?;
        }
        // What was decided by before, unsaved as it was, may be as it is stored again.
        let is_back = |id: &String| {
            self.nodes.get(id).is_some_and(node::fulfilled) && !touched.iter().any(|n| n.id == *id)
        };
        if rest.unsaved.iter().any(is_back) {
            return None;
        }
        let unsaved = touched.iter().filter(|n| self.seen.results.contains_key(&n.id));
        rest.unsaved = unsaved.map(|n| n.id.clone()).collect();
        self.follow_ended(&ended)?;
        let begins = !self.asked.is_empty();
        if begins && rest.lacks_result {
            return None;
        }
        self.note_one_at_work(rest)?;
        let has_changes = self.has_changes();
        if has_changes {
            self.add_up(rest)?;
            let runs = self.runs_still(&touched, rest);
            self.note_pod_running(runs);
        }
        if begins {
            rest.asked = names_of_made(&self.effects);
            rest.came_of = Some(self.wf.metadata.resource_version.clone());
        }
        rest.lost_at = self.due_to_pods().map(|(_, at)| at).chain(rest.lost_at).min();
        rest.wake_at = self.wake_at.into_iter().chain(rest.wake_at).min();
        self.wake_at = rest.wake_at;
        if has_changes {
            return Some(self.changed(false));
        }
        self.wake_at = rest.lost_at.into_iter().chain(self.wake_at).min();
        Some(self.unchanged(false))
    }

    fn take_moved_results(&mut self, moved: &BTreeSet<String>, rest: &Rest) -> Option<()> {
        let results: BTreeSet<&String> = moved.union(&rest.unsaved).collect();
        let of_pods = self.pods.iter().map(|(id, _)| id.to_string());
        let concerned: Vec<String> = of_pods.chain(moved.iter().cloned()).collect();
        for id in results {
            self.apply_result(id, self.seen.results.get(id)?);
        }
        for id in concerned {
            let silent = self.nodes.get(&id).filter(|n| self.is_silent(n)).cloned();
            silent.iter().for_each(|node| self.give_up_silent(node));
        }
        Some(())
    }

    /// `None` unless it is sure that nothing comes of what a node has become but what follows the tasks that have ended.
    fn is_among_others(&mut self, node: &NodeStatus, ended: &mut Ended, rest: &mut Rest) -> Option<()> {
        let before = self.nodes.before(&node.id)?;
        let bare = |n: &NodeStatus| n.daemoned.is_none() && n.restarting_pod_uid.is_empty();
        let template = self.node_template(node)?;
        if node.type_ != NodeType::Pod
            || node::fulfilled(before)
            || node::failed_or_error(&node.phase)
            || node.children != before.children
            || !bare(node)
            || !bare(before)
            || !is_plain(&template)
        {
            return None;
        }
        let whole = self
            .nodes
            .get(&node.boundary_id)
            .filter(|n| !node::fulfilled(n))?;
        let around = self.plan.workings.last(&whole.id)?;
        if around.watches() {
            return None;
        }
        let is_retried = node.node_flag.as_ref().is_some_and(|flag| flag.retried);
        if in_progress(node) {
            return Some(());
        }
        if is_retried || node::hooked(node) || self.spec.parallelism.is_some() {
            return None;
        }
        if !node::fulfilled(node) || ended.note(node, whole, &around, &self.wf.metadata.name) {
            return Some(());
        }
        self.leaves_group_open(node, rest)
    }

    /// `None` unless a node that ended is one of a loop or a group of steps that has others to wait for.
    fn leaves_group_open(&self, node: &NodeStatus, rest: &mut Rest) -> Option<()> {
        let above = rest.above.get_or_insert_with(|| Above::of(self.nodes.iter()));
        let group = self.nodes.get(above.only_parent_of(&node.id)?)?;
        if !matches!(group.type_, NodeType::StepGroup | NodeType::TaskGroup) || node::fulfilled(group) {
            return None;
        }
        let is_open = |id: &str| self.nodes.get(id).is_some_and(|n| !node::fulfilled(n));
        rest.find(&group.id, group.children.len(), |at| is_open(&group.children[at]))
    }

    /// Notes of one pod at work that its node waits for it, unless one was just asked for. `None`: there is none.
    fn note_one_at_work(&mut self, rest: &mut Rest) -> Option<()> {
        if !self.asked.is_empty() {
            return Some(());
        }
        let works = |n: &NodeStatus| {
            n.type_ == NodeType::Pod
                && !node::fulfilled(n)
                && self.seen.pods.contains_key(&self.stored_pod_name(n))
        };
        let works_still = |id: &String| self.nodes.get(id).is_some_and(works);
        rest.at_work
            .extend(self.pods.iter().map(|(id, _)| id.to_string()));
        while rest.at_work.first().is_some_and(|id| !works_still(id)) {
            rest.at_work.pop_first();
        }
        let node = match rest.at_work.first() {
            Some(id) => self.nodes.get(id)?,
            None => self.nodes.from(&rest.found_at_work).find(|n| works(n))?,
        };
        let (id, reason) = (node.id.clone(), reason_at_work(node, self.stored_pod_name(node)));
        rest.found_at_work.clone_from(&id);
        self.waiting.entry(id).or_insert(reason);
        Some(())
    }

    /// Whether any pod runs. All are counted once only.
    fn runs_still(&self, touched: &[NodeStatus], rest: &mut Rest) -> bool {
        let version = &self.wf.metadata.resource_version;
        let before = match &rest.running {
            Some(running) if running.version == *version => running.before,
            // Stored since.
            Some(running) => running.after,
            None => self.wf.status.nodes.values().filter(|n| is_running(n)).count(),
        };
        let ran = |n: &&NodeStatus| self.nodes.before(&n.id).is_some_and(is_running);
        let after =
            before + touched.iter().filter(|n| is_running(n)).count() - touched.iter().filter(ran).count();
        rest.running = Some(Running {
            version: version.clone(),
            before,
            after,
        });
        after > 0
    }

    /// Adds what became of nodes to all sums above them (C-NODE-30, C-NODE-31).
    fn add_up(&mut self, rest: &mut Rest) -> Option<()> {
        if !rest.is_summed && !self.stored_sums_hold() {
            return None;
        }
        rest.is_summed = true;
        let touched: Vec<NodeStatus> = self.nodes.touched().cloned().collect();
        match &mut rest.above {
            Some(above) => above.add(&touched).then_some(())?,
            above => *above = Some(Above::of(self.nodes.iter())),
        }
        let above = rest.above.as_mut()?;
        let mut all = Difference::default();
        let mut sums: BTreeMap<Arc<str>, Difference> = BTreeMap::new();
        for mut after in touched {
            if is_to_be_completed(&after) {
                after.progress = after.progress.complete();
                self.nodes.set_sums(
                    &after.id,
                    after.progress.clone(),
                    after.resources_duration.clone(),
                );
            }
            if after.type_ != NodeType::Pod {
                continue;
            }
            let difference = Difference::between(self.nodes.before(&after.id), &after)?;
            if difference == Difference::default() {
                continue;
            }
            all.add(&difference);
            for id in above.sums_of(&after.id).iter() {
                sums.entry(Arc::clone(id)).or_default().add(&difference);
            }
        }
        self.status.progress = all.added_to(&self.status.progress)?;
        all.add_resources_to(&mut self.status.resources_duration);
        for (id, difference) in sums {
            let node = self.nodes.get(&id)?;
            let (mut progress, mut resources) = (node.progress.clone(), node.resources_duration.clone());
            if sums_progress(node) {
                let is_new = self.nodes.before(&id).is_none();
                let sum = if is_new { &Progress::new(0, 0) } else { &progress };
                progress = difference.added_to(sum)?;
            }
            if sums_resources(node) {
                difference.add_resources_to(&mut resources);
            }
            if progress != node.progress || resources != node.resources_duration {
                self.nodes.set_sums(&id, progress, resources);
            }
        }
        Some(())
    }
}

/// Names of the pods that effects make.
fn names_of_made(effects: &[Effect]) -> BTreeSet<String> {
    let made = effects.iter().filter_map(|effect| match effect {
        Effect::CreatePod { pod, .. } => Some(pod.metadata.name.clone()),
        _ => None,
    });
    made.collect()
}

/// Whether an effect is asked for in one decision only, and nothing else of the workflow depends on it.
fn is_done_once(effect: &Effect) -> bool {
    effect.is_for_others()
        && !matches!(
            effect,
            Effect::DeletePod {
                uid: Some(_),
                by_strategy: false,
                ..
            }
        )
}

/// Whether nothing but its end can come of a pod of that template.
pub(super) fn is_plain(template: &Template) -> bool {
    template.synchronization.is_none()
        && template.metrics.is_none()
        && template.memoize.is_none()
        && template.container_set.is_none()
        && template.daemon != Some(true)
        && template.timeout.is_empty()
        && template.pending_timeout.is_empty()
        && !template.annotations.contains_key(labels::DISPLAY_NAME)
}

impl Rest {
    /// Finds a place that is as wanted, where it was last or after that.
    fn find(&mut self, group: &str, count: usize, is_wanted: impl Fn(usize) -> bool) -> Option<()> {
        let last = self.places.get(group).copied().unwrap_or(0);
        let place = (last..count)
            .chain(0..last.min(count))
            .find(|at| is_wanted(*at))?;
        self.places.insert(group.to_owned(), place);
        Some(())
    }
}

impl Difference {
    /// What a pod's node adds, one that is new included; `None` when it takes something away.
    fn between(before: Option<&NodeStatus>, after: &NodeStatus) -> Option<Self> {
        let parts = |n: &NodeStatus| n.progress.parts().unwrap_or_default();
        let (old, new) = (before.map(parts).unwrap_or_default(), parts(after));
        let nothing = BTreeMap::new();
        let old_resources = before.map_or(&nothing, |n| &n.resources_duration);
        if !old_resources
            .keys()
            .all(|name| after.resources_duration.contains_key(name))
        {
            return None;
        }
        let resources = after.resources_duration.iter();
        let resources = resources.filter(|(name, secs)| old_resources.get(*name) != Some(secs));
        Some(Self {
            done: new.0 - old.0,
            total: new.1 - old.1,
            resources: resources
                .map(|(name, secs)| (name.clone(), secs - old_resources.get(name).unwrap_or(&0)))
                .collect(),
        })
    }

    fn add(&mut self, other: &Self) {
        self.done += other.done;
        self.total += other.total;
        other.add_resources_to(&mut self.resources);
    }

    /// A sum of progress with this added; `None` if there was none.
    fn added_to(&self, sum: &Progress) -> Option<Progress> {
        if (self.done, self.total) == (0, 0) {
            return Some(sum.clone());
        }
        let (done, total) = sum.parts()?;
        Some(Progress::new(done + self.done, total + self.total))
    }

    fn add_resources_to(&self, sum: &mut BTreeMap<String, i64>) {
        for (name, secs) in &self.resources {
            *sum.entry(name.clone()).or_default() += secs;
        }
    }
}
