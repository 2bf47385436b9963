//! The controller around `decide`, as `argosy-controller` does it: creations first, then the status under its resource
//! version, then what only stored status allows; a conflict throws the decision away. Every call may fail, and between
//! any two of them the whole controller may crash.

use std::collections::BTreeMap;
use std::sync::Arc;

use argosy_engine::config::ImageConfig;
use argosy_engine::throttle::{Throttle, had_turn};
use argosy_engine::{Decision, Effect, Moved, Order, Outcomes, Plan, Refusal, Snapshot, compile, locks};
use argosy_model::Workflow;
use argosy_model::k8s::Pod;
use jiff::{SignedDuration, Timestamp};

use super::Sim;
use super::cache::Cache;
use super::cluster::{COMPLETED, Refused};

/// As in the real worker.
const ROUNDS: usize = 16;
const RETRY: SignedDuration = SignedDuration::from_secs(1);
const IDLE_MIN: SignedDuration = SignedDuration::from_millis(50);
const TIDY: SignedDuration = SignedDuration::from_secs(30);
const CLEAN_TRIES: u32 = 10;
/// How many characters of an effect a violation shows.
const BRIEF: usize = 160;

/// The controller dies here.
pub struct Crash;

/// How a call to the API goes.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Fate {
    Fine,
    /// Nothing happens, and the answer is an error.
    Fails,
    /// It is done, and the answer is an error.
    HalfDone,
}

/// Something to do to a pod once the status that allows it is stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Clean {
    Terminate,
    Delete,
    Label,
}

/// What came of storing a decision.
enum Settled {
    /// It is stored and performed; to be looked at again after that time.
    Done(Option<SignedDuration>),
    /// It was thrown away.
    Again(SignedDuration),
}

pub struct Kept {
    source: Arc<Workflow>,
    plan: Arc<Plan>,
    pub outcomes: Outcomes,
    /// What moved since a decision was stored.
    moved: Moved,
}

/// One life of the controller.
pub struct Shell {
    pub cache: Cache,
    pub locks: locks::Machine,
    pub throttle: Throttle,
    pub plans: BTreeMap<String, Kept>,
    /// When workflows are to be looked at.
    pub due: BTreeMap<String, Timestamp>,
    /// What is to be done to pods: when, how often that failed, and to which incarnation alone.
    pub cleaning: BTreeMap<(String, Clean), (Timestamp, u32, Option<String>)>,
    /// When finished workflows were last looked through for what they left behind.
    tidied: BTreeMap<String, Timestamp>,
}

impl Shell {
    /// A controller that has just listed everything.
    pub fn start(cache: Cache, throttle: Throttle, now: Timestamp) -> Self {
        let mut shell = Self {
            due: cache.workflows.keys().map(|name| (name.clone(), now)).collect(),
            cache,
            locks: locks::Machine::default(),
            throttle,
            plans: BTreeMap::new(),
            cleaning: BTreeMap::new(),
            tidied: BTreeMap::new(),
        };
        for (name, workflow) in &shell.cache.workflows {
            if !is_settled(workflow) && had_turn(workflow) {
                shell.throttle.seed("argo", name);
                shell.locks.restore_workflow(workflow, &shell.cache.maps);
            }
        }
        shell
    }

    /// Asks for a look; an earlier one that was asked for stays.
    pub fn ask(&mut self, name: &str, at: Timestamp) {
        let due = self.due.entry(name.to_owned()).or_insert(at);
        *due = (*due).min(at);
    }
}

/// Whether nothing is left to decide about.
pub fn is_settled(workflow: &Workflow) -> bool {
    workflow
        .metadata
        .labels
        .get(COMPLETED)
        .is_some_and(|v| v == "true")
}

impl Sim {
    fn boundary(&mut self) -> Result<(), Crash> {
        if self.rng.permille(self.faults.crashes) {
            self.injected.crashes += 1;
            return Err(Crash);
        }
        Ok(())
    }

    fn call(&mut self) -> Fate {
        if !self.rng.permille(self.faults.calls) {
            return Fate::Fine;
        }
        if self.rng.one_in(2) {
            self.injected.failed_calls += 1;
            Fate::Fails
        } else {
            self.injected.half_done_calls += 1;
            Fate::HalfDone
        }
    }

    /// Looks at a workflow that is due.
    pub fn look(&mut self, name: &str) -> Result<(), Crash> {
        self.shell.due.remove(name);
        if let Some(wait) = self.look_once(name)? {
            self.shell.ask(name, self.now + wait);
        }
        Ok(())
    }

    fn look_once(&mut self, name: &str) -> Result<Option<SignedDuration>, Crash> {
        let Some(workflow) = self.shell.cache.workflows.get(name).cloned() else {
            return Ok(None);
        };
        if is_settled(&workflow) {
            self.shell.plans.remove(name);
            let tidy = self.tidy(&workflow)?;
            let expire = self.expire(&workflow)?;
            return Ok(tidy.into_iter().chain(expire).min());
        }
        let (plan, mut outcomes) = self.plan(&workflow);
        for _ in 0..ROUNDS {
            let Some(workflow) = self.shell.cache.workflows.get(name).cloned() else {
                return Ok(None);
            };
            let decision = self.decide(&plan, &workflow, &outcomes);
            self.note_decision(&workflow, &decision);
            if self.before(&workflow, &decision, &mut outcomes)? {
                self.shell.cache.all_moved(name);
                continue;
            }
            let made = |effect: &Effect| matches!(effect, Effect::CreatePod { pod, .. } if !outcomes.pods.contains_key(&pod.metadata.name));
            let made = decision.changes.is_empty() && decision.effects.iter().any(made);
            let wait = match self.settle(&workflow, &decision, &mut outcomes)? {
                // The pod is there now, which nobody tells us of.
                Settled::Done(_) if made => Some(SignedDuration::ZERO),
                Settled::Done(wait) => {
                    self.check_rest(name, &outcomes, wait);
                    wait
                }
                Settled::Again(wait) => Some(wait),
            };
            if let Some(kept) = self.shell.plans.get_mut(name) {
                kept.outcomes = outcomes;
            }
            return Ok(wait);
        }
        self.violate(format!(
            "{name}: deciding did not come to rest within {ROUNDS} rounds"
        ));
        Ok(Some(RETRY))
    }

    /// What a finished workflow may have left behind when its last write was not followed by its effects. Looked for
    /// again only after a while, since each effect that is done is an event.
    fn tidy(&mut self, workflow: &Arc<Workflow>) -> Result<Option<SignedDuration>, Crash> {
        let name = workflow.metadata.name.clone();
        let next = self.shell.throttle.leave("argo", &name);
        self.wake(next.into_iter().map(|(_, name)| name));
        if let Some(at) = self.shell.tidied.get(&name)
            && self.now < *at + TIDY
        {
            return Ok(Some((*at + TIDY).duration_since(self.now)));
        }
        let plan = self.plan(workflow).0;
        self.shell.plans.remove(&name);
        let decision = self.decide(&plan, workflow, &Outcomes::default());
        if decision.effects.is_empty() {
            self.shell.tidied.remove(&name);
            return Ok(None);
        }
        self.say(|| format!("{name}: {} effects to be done again", decision.effects.len()));
        self.shell.tidied.insert(name, self.now);
        self.after(workflow, &decision, &mut Outcomes::default())?;
        Ok(Some(TIDY))
    }

    fn expire(&mut self, workflow: &Workflow) -> Result<Option<SignedDuration>, Crash> {
        let Some(at) = argosy_engine::ttl::expires_at(workflow, &self.scenario.config) else {
            return Ok(None);
        };
        let wait = at.duration_since(self.wall()).max(SignedDuration::ZERO);
        if !wait.is_zero() {
            return Ok(Some(wait));
        }
        self.boundary()?;
        let fate = self.call();
        if fate != Fate::Fails {
            self.note_end(&Arc::new(workflow.clone()));
            self.cluster.delete_workflow(&workflow.metadata.name);
        }
        Ok((fate != Fate::Fine).then_some(RETRY))
    }

    fn plan(&mut self, workflow: &Workflow) -> (Arc<Plan>, Outcomes) {
        let mut outcomes = Outcomes::default();
        if let Some(kept) = self.shell.plans.remove(&workflow.metadata.name) {
            outcomes = kept.outcomes;
            if argosy_engine::plan::serves(&kept.source, workflow) {
                let plan = kept.plan.clone();
                let kept = Kept {
                    outcomes: outcomes.clone(),
                    ..kept
                };
                self.shell.plans.insert(workflow.metadata.name.clone(), kept);
                return (plan, outcomes);
            }
        }
        let plan = Arc::new(compile(workflow, &self.scenario.templates, &self.scenario.config).0);
        let kept = Kept {
            source: Arc::new(workflow.clone()),
            plan: plan.clone(),
            outcomes: outcomes.clone(),
            moved: Moved::Everything,
        };
        self.shell.plans.insert(workflow.metadata.name.clone(), kept);
        (plan, outcomes)
    }

    /// The decision on what is known now, without anything done about it.
    pub fn ponder(
        &mut self,
        plan: &Plan,
        workflow: &Workflow,
        outcomes: &Outcomes,
        moved: Option<&Moved>,
    ) -> Decision {
        let name = &workflow.metadata.name;
        let created = workflow
            .metadata
            .creation_timestamp
            .map_or(Timestamp::UNIX_EPOCH, |t| t.0);
        let priority = i64::from(plan.spec.priority.unwrap_or(0));
        let settled = is_settled(workflow);
        let admitted = settled || self.shell.throttle.ask("argo", name, priority, created);
        let parts = self.shell.cache.parts.entry(name.clone()).or_default();
        let snapshot = Snapshot {
            workflow,
            pods: &parts.pods,
            results: &parts.results,
            agent_results: &BTreeMap::new(),
            config_maps: &self.shell.cache.maps,
            locks: &self.shell.locks,
            outcomes,
            config: &self.scenario.config,
            admitted,
            explain: moved.is_none(),
            moved: moved.unwrap_or(&Moved::Everything),
        };
        argosy_engine::decide(plan, &snapshot, self.now + self.skew)
    }

    fn decide(&mut self, plan: &Plan, workflow: &Workflow, outcomes: &Outcomes) -> Decision {
        let decision = self.decide_twice(plan, workflow, outcomes);
        let taken = decision.effects.iter().filter_map(|effect| match effect {
            Effect::Lock(op) if effect.order() == Order::BeforePersist => Some(op),
            _ => None,
        });
        let taken: Vec<_> = taken.collect();
        self.say_locks("before storing", &taken);
        let mut woken = self.shell.locks.apply(taken);
        woken.remove(&format!("argo/{}", workflow.metadata.name));
        self.wake(woken);
        decision
    }

    /// The decision as the real controller makes it, which may look at what moved alone, and with everything looked at: both
    /// say the same.
    fn decide_twice(&mut self, plan: &Plan, workflow: &Workflow, outcomes: &Outcomes) -> Decision {
        let name = &workflow.metadata.name;
        let fresh = self.shell.cache.parts.entry(name.clone()).or_default();
        let fresh = std::mem::replace(&mut fresh.moved, Moved::nothing());
        let mut moved = Moved::Everything;
        if let Some(kept) = self.shell.plans.get_mut(name) {
            kept.moved.add(fresh);
            moved = kept.moved.clone();
        }
        let decision = self.ponder(plan, workflow, outcomes, Some(&moved));
        let whole = self.ponder(plan, workflow, outcomes, None);
        let wakes = |decision: &Decision| decision.wake_at.unwrap_or(Timestamp::MAX);
        if decision.changes != whole.changes
            || decision.effects != whole.effects
            || wakes(&decision) > wakes(&whole)
        {
            // Whole pods are too much to read.
            let brief = |effect: &Effect| format!("{effect:?}").chars().take(BRIEF).collect::<String>();
            let told = |d: &Decision| {
                let effects: Vec<String> = d.effects.iter().map(brief).collect();
                format!("{}{effects:?}, {:?}", describe(d), d.wake_at)
            };
            let (decision, whole) = (told(&decision), told(&whole));
            self.violate(format!(
                "{name}: {moved:?} gives {decision} alone, and with all {whole}"
            ));
        }
        Decision {
            wake_at: decision.wake_at,
            ..whole
        }
    }

    /// Notes that what was decided is stored.
    fn note_stored(&mut self, name: &str) {
        if let Some(kept) = self.shell.plans.get_mut(name) {
            kept.moved = Moved::nothing();
        }
    }

    /// Tells of locks that change hands.
    fn say_locks(&mut self, when: &str, ops: &[&locks::Op]) {
        for op in ops {
            match op {
                locks::Op::Acquire { lock, holder, .. } => {
                    self.say(|| format!("{when}: {holder} takes {lock}"))
                }
                locks::Op::Release { lock, holder } => {
                    self.say(|| format!("{when}: {holder} gives back {lock}"))
                }
                locks::Op::ReleaseAll { workflow } => {
                    self.say(|| format!("{when}: {workflow} gives back everything"))
                }
                locks::Op::Limit { .. } | locks::Op::Enqueue { .. } => {}
            }
        }
    }

    fn wake(&mut self, names: impl IntoIterator<Item = String>) {
        for name in names {
            let name = name.split_once('/').map_or(name.as_str(), |(_, n)| n);
            self.shell.ask(name, self.now);
        }
    }

    /// Performs what comes before the status is stored. True if something was learned that is to be decided on.
    fn before(
        &mut self,
        workflow: &Workflow,
        decision: &Decision,
        outcomes: &mut Outcomes,
    ) -> Result<bool, Crash> {
        let mut learned = false;
        for effect in decision
            .effects
            .iter()
            .filter(|e| e.order() == Order::BeforePersist)
        {
            self.boundary()?;
            learned |= match effect {
                Effect::CreatePod { pod, .. } => self.create_pod(workflow, decision, pod, outcomes),
                Effect::CreateClaim { claim } => {
                    let name = claim.metadata.name.clone();
                    outcomes.claims_found.insert(name, true) != Some(true)
                }
                Effect::SaveMemo {
                    node_id,
                    config_map,
                    key,
                    entry,
                } => self.save_memo(outcomes, (node_id, config_map, key, entry)),
                Effect::ResolveArtifactRepository => {
                    outcomes.repository = Some(Ok(argosy_model::ArtifactRepositoryRefStatus::default()));
                    true
                }
                Effect::LookUpImage { image, .. } => {
                    let entrypoint = vec!["/entry".to_owned()];
                    outcomes.images.insert(
                        image.clone(),
                        Ok(ImageConfig {
                            entrypoint,
                            cmd: Vec::new(),
                        }),
                    );
                    true
                }
                _ => false,
            };
        }
        Ok(learned)
    }

    fn create_pod(
        &mut self,
        workflow: &Workflow,
        decision: &Decision,
        pod: &Pod,
        outcomes: &mut Outcomes,
    ) -> bool {
        let name = pod.metadata.name.clone();
        let fate = self.call();
        let made = match fate {
            Fate::Fails => None,
            Fate::HalfDone | Fate::Fine => match self.cluster.create_pod(pod, self.now) {
                Ok(made) => {
                    self.say(|| format!("{}: made pod {name}", workflow.metadata.name));
                    self.check_made(workflow, decision);
                    Some(made)
                }
                Err(_) => self.cluster.pods.get(&name).cloned(),
            },
        };
        if let (Fate::Fine, Some(made)) = (fate, made) {
            let owner = |pod: &Pod| pod.metadata.owner_references.first().map(|o| o.uid.clone());
            if owner(&made) == owner(pod) {
                self.shell.cache.put_pod(&made);
                // What was refused and is there now is news: the decision still says why it was refused.
                return outcomes.pods.remove(&name).is_some();
            }
        }
        let news = Refusal {
            transient: true,
            message: "the server is away".to_owned(),
        };
        outcomes.pods.insert(name, news.clone()) != Some(news)
    }

    fn save_memo(&mut self, outcomes: &mut Outcomes, memo: (&str, &str, &str, &str)) -> bool {
        let (node, map, key, entry) = memo;
        let fate = self.call();
        if fate != Fate::Fails {
            let saved = self.cluster.put_map(map, "Cache", key, entry);
            if fate == Fate::Fine {
                self.shell.cache.maps.insert("argo", map, Some(saved));
                outcomes.memos.remove(node);
                return false;
            }
        }
        let text = "the server is away".to_owned();
        outcomes.memos.insert(node.to_owned(), text.clone()) != Some(text)
    }

    /// Stores the decision and does what follows.
    fn settle(
        &mut self,
        workflow: &Arc<Workflow>,
        decision: &Decision,
        outcomes: &mut Outcomes,
    ) -> Result<Settled, Crash> {
        let name = workflow.metadata.name.clone();
        let mut current = workflow.clone();
        if !decision.changes.is_empty() {
            self.boundary()?;
            self.meddle(&name);
            let fate = self.call();
            if fate == Fate::Fails {
                self.say(|| format!("{name}: storing fails"));
                return Ok(Settled::Again(RETRY));
            }
            let version = workflow.metadata.resource_version.clone();
            match self
                .cluster
                .update_workflow(&name, &version, |w| decision.changes.apply(w))
            {
                Ok(stored) => {
                    self.say(|| format!("{name}: stored {}", describe(decision)));
                    if fate == Fate::HalfDone {
                        self.say(|| format!("{name}: and is told that it failed"));
                        return Ok(Settled::Again(RETRY));
                    }
                    self.shell.cache.put_workflow(&stored);
                    self.note_stored(&name);
                    current = stored;
                }
                Err(Refused::Conflict) => {
                    self.say(|| format!("{name}: conflict"));
                    if self.call() == Fate::Fine
                        && let Some(fresh) = self.cluster.workflows.get(&name).cloned()
                    {
                        self.shell.cache.put_workflow(&fresh);
                        self.shell.cache.all_moved(&name);
                    }
                    return Ok(Settled::Again(SignedDuration::from_millis(5)));
                }
                Err(_) => return Ok(Settled::Done(None)),
            }
        } else {
            self.note_stored(&name);
        }
        if is_settled(&current) {
            self.shell.tidied.insert(name.clone(), self.now);
        }
        self.after(&current, decision, outcomes)?;
        let soonest = if decision.changes.is_empty() {
            IDLE_MIN
        } else {
            SignedDuration::ZERO
        };
        let wall = self.wall();
        let until = decision
            .wake_at
            .map(|at| at.duration_since(wall).max(SignedDuration::ZERO).max(soonest));
        // The real worker looks at everything again after a while; here only what has ended, or no run would.
        Ok(Settled::Done(until.or(is_settled(&current).then_some(TIDY))))
    }

    /// Somebody else writes the workflow.
    fn meddle(&mut self, name: &str) {
        if self.rng.permille(self.faults.conflicts)
            && let Some(workflow) = self.cluster.workflows.get(name)
        {
            self.injected.conflicts += 1;
            let mut workflow = (**workflow).clone();
            let count = self.injected.conflicts.to_string();
            workflow
                .metadata
                .annotations
                .insert("example.com/touched".to_owned(), count);
            self.cluster.put_workflow(workflow);
        }
    }

    /// Performs what only stored status allows.
    fn after(
        &mut self,
        workflow: &Workflow,
        decision: &Decision,
        outcomes: &mut Outcomes,
    ) -> Result<(), Crash> {
        self.boundary()?;
        let locks = decision.effects.iter().filter_map(|effect| match effect {
            Effect::Lock(op) if effect.order() == Order::AfterPersist => Some(op),
            _ => None,
        });
        let locks: Vec<_> = locks.collect();
        self.say_locks("after storing", &locks);
        let woken = self.shell.locks.apply(locks);
        self.wake(woken);
        for effect in decision
            .effects
            .iter()
            .filter(|e| e.order() == Order::AfterPersist)
        {
            self.boundary()?;
            match effect {
                Effect::CreatePod { pod, .. } => {
                    self.create_pod(workflow, decision, pod, outcomes);
                }
                Effect::TerminateContainers { pod, uid, .. } => {
                    self.clean(pod, Clean::Terminate, SignedDuration::ZERO, Some(uid.clone()));
                }
                Effect::DeletePod { pod, after, uid, .. } => {
                    self.clean(pod, Clean::Delete, *after, uid.clone())
                }
                Effect::LabelPodCompleted { pod, uid, .. } => {
                    self.clean(pod, Clean::Label, SignedDuration::ZERO, Some(uid.clone()));
                }
                Effect::DeleteTaskResults => {
                    let done = self.call() != Fate::Fails;
                    done.then(|| self.cluster.delete_results(&workflow.metadata.name));
                }
                Effect::LeaveThrottler => {
                    let next = self.shell.throttle.leave("argo", &workflow.metadata.name);
                    self.wake(next.into_iter().map(|(_, name)| name));
                }
                _ => {}
            }
        }
        Ok(())
    }

    fn clean(&mut self, pod: &str, what: Clean, after: SignedDuration, uid: Option<String>) {
        let at = self.now + after;
        let entry = self
            .shell
            .cleaning
            .entry((pod.to_owned(), what))
            .or_insert((at, 0, None));
        entry.0 = entry.0.min(at);
        entry.2 = uid;
    }

    /// Does what is due to a pod.
    pub fn clean_now(&mut self, pod: &str, what: Clean) -> Result<(), Crash> {
        let Some((_, tries, uid)) = self.shell.cleaning.remove(&(pod.to_owned(), what)) else {
            return Ok(());
        };
        self.boundary()?;
        let fate = self.call();
        let mut busy = false;
        if fate != Fate::Fails {
            self.say(|| format!("cleaner: {what:?} {pod}"));
            match what {
                _ if uid.as_deref().is_some_and(|uid| !self.is(pod, uid)) => {}
                // Nobody would see it any more: it is labelled once it is over.
                Clean::Label if !self.ended(pod) => busy = true,
                Clean::Label => self.cluster.change_pod(pod, |p| {
                    p.metadata.labels.insert(COMPLETED.to_owned(), "true".to_owned());
                }),
                Clean::Delete => self.cluster.delete_pod(pod),
                Clean::Terminate => self.terminate(pod),
            }
        }
        if (busy || fate != Fate::Fine) && tries + 1 < CLEAN_TRIES {
            let pause = SignedDuration::from_millis(100 << tries);
            self.shell
                .cleaning
                .insert((pod.to_owned(), what), (self.now + pause, tries + 1, uid));
        }
        Ok(())
    }

    /// The controller's clock.
    pub fn wall(&self) -> Timestamp {
        self.now + self.skew
    }

    /// Forgets a deleted workflow.
    pub fn forget(&mut self, workflow: &Workflow) {
        let name = &workflow.metadata.name;
        if self
            .shell
            .cache
            .workflows
            .get(name)
            .is_none_or(|known| known.metadata.uid != workflow.metadata.uid)
        {
            return;
        }
        self.shell.cache.workflows.remove(name);
        self.shell.plans.remove(name);
        self.shell.tidied.remove(name);
        let op = locks::Op::ReleaseAll {
            workflow: format!("argo/{name}"),
        };
        let woken = self.shell.locks.apply([&op]);
        self.wake(woken);
        let next = self.shell.throttle.leave("argo", name);
        self.wake(next.into_iter().map(|(_, name)| name));
    }

    /// What deciding once more on the same would change, for the property that at rest there is nothing to decide.
    pub fn again(&mut self, workflow: &Workflow, outcomes: &Outcomes) -> Decision {
        let plan = self.plan(workflow).0;
        self.ponder(&plan, workflow, outcomes, None)
    }
}

/// A decision in one line.
pub fn describe(decision: &Decision) -> String {
    let mut text = String::new();
    if let Some(status) = &decision.changes.status {
        text = format!("[{} {}] ", status.phase, status.message);
        let held = status.synchronization.as_ref().and_then(|s| s.mutex.as_ref());
        for held in held.iter().flat_map(|m| &m.holding) {
            text.push_str(&format!("<{} by {}> ", held.mutex, held.holder));
        }
        let held = status.synchronization.as_ref().and_then(|s| s.semaphore.as_ref());
        for held in held.iter().flat_map(|s| &s.holding) {
            text.push_str(&format!("<{} by {:?}> ", held.semaphore, held.holders));
        }
    }
    for node in decision.changes.nodes.values() {
        text.push_str(&format!("{}={} ", node.name, node.phase));
    }
    text
}
