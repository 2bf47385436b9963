//! Looks at one workflow: gathers what is known, has it decided, performs and stores the decision.
//!
//! The order keeps a crash at any point harmless: creations (repeatable), then the status under its resource version,
//! then what only stored status allows. A conflict throws the decision away; the newer object is decided on instead.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use argosy_engine::node::failed_or_error;
use argosy_engine::pod::Trace;
use argosy_engine::scope_check::explain;
use argosy_engine::{Decision, Effect, Moved, Order, Outcomes, Plan, Severity, Snapshot, Store, throttle};
use argosy_model::compression::{self, Effort};
use argosy_model::k8s::{ObjectMeta, PartialObjectMetadata};
use argosy_model::names::annotation::TRACE_ID;
use argosy_model::{NodeResult, NodeStatus, Workflow, WorkflowPhase};
use jiff::Timestamp;
use serde_json::{Value, json};
use tokio::runtime::{Handle, RuntimeFlavor};
use tracing::{debug, error, info, warn};

use crate::Shared;
use crate::api::{self, Failure};
use crate::clock::wait_until;
use crate::cron;
use crate::effects::{self, Before, Came};
use crate::lean::Answer;
use crate::metrics::changes;
use crate::orphans;
use crate::watchdog;
use crate::world::Key;

/// How often one look may decide again on what it has just learned. Each round needs news (an image, a repository, a
/// refusal); a workflow of 1,000 images needs one round, since all are asked for together.
const ROUNDS: usize = 16;

/// When a look failed for a reason outside, it is repeated after this time.
const RETRY: Duration = Duration::from_secs(1);

/// A decision that changed nothing is not repeated sooner than this, so that no mistake can keep a core busy.
const IDLE_MIN: Duration = Duration::from_millis(50);

/// The longest pause between looks while effects go on failing.
const RETRY_MAX: Duration = Duration::from_secs(30);

/// What can wait is stored after so many times the time that the last write of its workflow took, if that is longer than
/// the usual pause: an API server that is slow to answer has enough to do.
const PAUSE_FACTOR: u32 = 200;

/// And never later than this after it.
const PAUSE_MAX: Duration = Duration::from_secs(30);

/// That a pod has ended beside others is stored after twice the time that the last write took, at most this: pods that end
/// together take one write, and what follows the last of them need not wait for a write about the first.
const SOON_MAX: Duration = Duration::from_secs(1);

/// A live workflow is looked at at least this often, whatever happens (C-WRK-05).
const HEAL: Duration = Duration::from_secs(20 * 60);

/// How long the effects of a finished workflow's last write may take before they count as lost.
const TIDY: Duration = Duration::from_secs(30);

/// What is kept of a workflow between looks.
pub struct Kept {
    /// The object that the plan was made from.
    source: Arc<Workflow>,
    generation: u64,
    plan: Arc<Plan>,
    outcomes: Outcomes,
    /// What moved since a decision was stored, or had nothing to store.
    moved: Moved,
    /// How many looks in a row had an effect that failed.
    failures: u32,
    /// When a decision was stored last, and how long that took.
    stored: Option<(tokio::time::Instant, Duration)>,
    /// When it was first decided that a pod has ended, if that is not stored yet.
    end_seen: Option<tokio::time::Instant>,
    /// More bytes than this the workflow does not have, as far as we wrote it.
    size_at_most: Option<usize>,
}

/// Works on the queue until it is closed.
pub async fn run(shared: Arc<Shared>) {
    while let Some(key) = shared.queue.next().await {
        let begun = Instant::now();
        let again = look(&shared, &key).await;
        let took = begun.elapsed().as_secs_f64();
        shared.metrics.observe("operation_duration_seconds", &[], took);
        if let Some(wait) = again {
            shared.queue.done(&key);
            shared.queue.add_after(key, wait);
        } else {
            shared.queue.done(&key);
        }
    }
}

/// Keys of all workflows that are not completed.
pub fn unfinished(shared: &Shared) -> Vec<Key> {
    let keys = shared.world.workflow_keys();
    keys.into_iter()
        .filter(|k| shared.world.workflow(k).is_some_and(|w| !is_settled(&w)))
        .collect()
}

/// Rebuilds locks and turns from the status of workflows that ran before this start (C-SYN-30, C-THR-06).
pub fn restore(shared: &Shared) {
    for key in shared.world.workflow_keys() {
        let Some(workflow) = shared.world.workflow(&key) else {
            continue;
        };
        if is_settled(&workflow) || !throttle::had_turn(&workflow) {
            continue;
        }
        shared.throttle().seed(&key.namespace, &key.name);
        shared
            .locks()
            .restore_workflow(&workflow, &shared.world.config_maps());
    }
}

/// Whether nothing is left to decide about (C-INF-05).
fn is_settled(workflow: &Workflow) -> bool {
    is_completed(workflow)
        && !workflow
            .metadata
            .finalizers
            .iter()
            .any(|f| f == "workflows.argoproj.io/artifact-gc")
}

pub fn is_completed(workflow: &Workflow) -> bool {
    let labels = &workflow.metadata.labels;
    labels
        .get("workflows.argoproj.io/completed")
        .is_some_and(|v| v == "true")
}

/// One look. Gives the time after which to look again.
async fn look(shared: &Shared, key: &Key) -> Option<Duration> {
    let Some(workflow) = shared.world.workflow(key) else {
        return orphans::tidy(shared, key).await;
    };
    // Also one that still waits for its artifacts to go: some go when it is deleted.
    let expiry = if is_completed(&workflow) && workflow.metadata.deletion_timestamp.is_none() {
        expire(shared, key, &workflow).await
    } else {
        None
    };
    if is_settled(&workflow) {
        let tidy = tidy(shared, key, &workflow).await;
        return tidy.into_iter().chain(expiry).min();
    }
    let (plan, mut outcomes) = plan(shared, key, &workflow);
    estimate(shared, &workflow, &mut outcomes);
    for _ in 0..ROUNDS {
        let workflow = shared.world.workflow(key)?;
        let mut decision = decide(shared, key, &plan, &workflow, &outcomes);
        debug!(
            workflow = %key,
            version = %workflow.metadata.resource_version,
            effects = decision.effects.len(),
            changed = !decision.changes.is_empty(),
            wake_at = ?decision.wake_at,
            "Decided"
        );
        let before = effects::before(shared, &workflow, &mut decision.effects, &mut outcomes).await;
        if before.came == Came::News {
            shared.world.note_all(key);
            continue;
        }
        let mut wait = settle(shared, key, &workflow, &decision, &mut outcomes, &before).await;
        if before.made && decision.changes.is_empty() {
            // The pod is there now, which nobody tells us of.
            wait = Some(Duration::ZERO);
        }
        if let Some(kept) = shared.plans().get_mut(key) {
            kept.outcomes = outcomes;
        }
        return wait.into_iter().chain(expiry).min();
    }
    error!(workflow = %key, "Deciding did not come to rest; looking again later");
    Some(RETRY)
}

/// Finds out how long the workflow and its nodes will probably take (C-NODE-32), where that is not known yet.
fn estimate(shared: &Shared, workflow: &Workflow, outcomes: &mut Outcomes) {
    let status = &workflow.status;
    let wanted = status.phase == WorkflowPhase::default() || status.estimated_duration > 0;
    if wanted
        && outcomes.estimates.is_empty()
        && shared.config().estimates
        && let Some(example) = shared.world.example(workflow)
    {
        outcomes.estimates = argosy_engine::estimate::from(&example);
    }
}

/// Asks again for what a finished workflow left behind because the effects of its last write were lost. Looked for again
/// only after a while, since each effect that is done is an event.
async fn tidy(shared: &Shared, key: &Key, workflow: &Arc<Workflow>) -> Option<Duration> {
    shared.leave_throttler(key);
    let parts = shared.world.parts(key);
    if parts.pods.is_empty() && parts.results.is_empty() {
        shared.let_go(key);
        return None;
    }
    let now = Instant::now();
    let last = shared.tidied().get(key).copied();
    if let Some(next) = last.map(|last| last + TIDY).filter(|next| now < *next) {
        return Some(next - now);
    }
    let (plan, _) = plan(shared, key, workflow);
    shared.plans().remove(key);
    let mut outcomes = Outcomes::default();
    let decision = decide(shared, key, &plan, workflow, &outcomes);
    if decision.effects.is_empty() {
        shared.tidied().remove(key);
        return None;
    }
    shared.tidied().insert(key.clone(), now);
    effects::after(shared, workflow, &decision.effects, &mut outcomes).await;
    Some(TIDY)
}

/// Deletes a finished workflow when its time has come; gives the time until then.
async fn expire(shared: &Shared, key: &Key, workflow: &Workflow) -> Option<Duration> {
    let wait = wait_until(
        argosy_engine::ttl::expires_at(workflow, &shared.config())?,
        shared.clock.now(),
    );
    if !wait.is_zero() {
        return Some(wait);
    }
    let uid = Some(workflow.metadata.uid.as_str());
    match api::delete(
        &shared.client,
        &api::WORKFLOWS,
        &key.namespace,
        &key.name,
        uid,
        None,
    )
    .await
    {
        Ok(()) => {
            info!(workflow = %key, "Workflow deleted, its time to live has passed");
            None
        }
        Err(failure) => {
            warn!(workflow = %key, error = %failure, "Deleting an expired workflow failed; trying again");
            Some(RETRY)
        }
    }
}

/// Stores the decision and does what follows. Gives the time after which to look again.
async fn settle(
    shared: &Shared,
    key: &Key,
    workflow: &Workflow,
    decision: &Decision,
    outcomes: &mut Outcomes,
    before: &Before,
) -> Option<Duration> {
    let stored;
    let current = if decision.changes.is_empty() {
        workflow
    } else if let Some(Postponed { gather, rest }) = postponed(shared, key, decision) {
        tokio::time::sleep(gather).await;
        return Some(rest);
    } else {
        match persist(shared, workflow, decision).await {
            Ok(now) => {
                stored = now;
                &stored
            }
            Err(Failure::NotFound(_)) => return None,
            Err(Failure::Conflict(text)) => {
                debug!(workflow = %key, reason = %text, "Somebody else wrote first; deciding again");
                refresh(shared, key).await;
                return Some(Duration::from_millis(5));
            }
            Err(failure) => {
                warn!(workflow = %key, error = %failure, "Storing the status failed; trying again");
                return Some(RETRY);
            }
        }
    };
    if let Some(kept) = shared.plans().get_mut(key) {
        kept.moved = Moved::nothing();
    }
    explain_failures(key, workflow, current, decision);
    if is_settled(current) {
        shared.tidied().insert(key.clone(), Instant::now());
    }
    let after = effects::after(shared, current, &decision.effects, outcomes).await;
    let failed = before.came.max(after) == Came::Failed;
    if failed {
        shared.world.note_all(key);
    }
    let again = note_failure(shared, key, failed);
    let soonest = if decision.changes.is_empty() {
        IDLE_MIN
    } else {
        Duration::ZERO
    };
    if is_completed(current) && !is_completed(workflow) {
        shared.metrics.stop_clocks(&current.metadata.uid);
        // When it goes is decided by what it is now, and our own write is no news to anybody.
        shared.ended.notify_one();
        return Some(Duration::ZERO);
    }
    let suspicion = watchdog::judge(shared, key, current, decision, before.acts);
    let until = decision
        .wake_at
        .map(|at| wait_until(at, shared.clock.now()).max(soonest));
    until
        .into_iter()
        .chain(again)
        .chain(suspicion)
        .chain([HEAL])
        .min()
}

/// Tells what is wrong with the tags and expressions that have just failed: nodes say so in the contract's words alone.
fn explain_failures(key: &Key, before: &Workflow, now: &Workflow, decision: &Decision) {
    let fresh = decision
        .changes
        .nodes
        .iter()
        .filter(|(id, node)| {
            // Only these: what pods wait for changes in each of thousands, and looking through a template takes time.
            let old = before.status.nodes.get(*id);
            failed_or_error(&node.phase) && old.is_none_or(|old| old.message != node.message)
        })
        .map(|(_, node)| (Some(node), node.message.as_str()));
    let own = (before.status.message != now.status.message).then_some((None, now.status.message.as_str()));
    let mut told = BTreeSet::new();
    for (node, message) in fresh.chain(own) {
        let Some(diagnosis) = explain(now, node, message) else {
            continue;
        };
        // What one failed with, those around it say too.
        let explanation = diagnosis.to_string();
        if !told.contains(&explanation) {
            let node = node.map_or("", |node| node.name.as_str());
            info!(workflow = %key, node, explanation, "A tag or an expression failed");
            told.insert(explanation);
        }
    }
}

/// Counts looks of a workflow in which an effect failed; the pause before the next one, which asks for it again.
fn note_failure(shared: &Shared, key: &Key, failed: bool) -> Option<Duration> {
    let mut plans = shared.plans();
    let kept = plans.get_mut(key)?;
    if !failed {
        kept.failures = 0;
        return None;
    }
    kept.failures += 1;
    let factor = 2u32.saturating_pow(kept.failures - 1);
    Some(RETRY.saturating_mul(factor).min(RETRY_MAX))
}

/// How long a decision is not stored yet.
struct Postponed {
    /// During this time not even news are decided on.
    gather: Duration,
    /// After that, at most this time.
    rest: Duration,
}

/// How long the decision is not stored yet, because it can wait and the last write is not long ago, or because other pods
/// probably end now, too. `None`: it is to be stored.
fn postponed(shared: &Shared, key: &Key, decision: &Decision) -> Option<Postponed> {
    if shared.store_pause.is_zero() {
        return None;
    }
    let mut plans = shared.plans();
    let kept = plans.get_mut(key)?;
    let (at, took) = kept.stored?;
    let (until, since, pause, gather) = match decision.store {
        Store::Now => return None,
        Store::Soon { until } => {
            let since = *kept.end_seen.get_or_insert_with(tokio::time::Instant::now);
            (until, since, took.saturating_mul(2).min(SOON_MAX), took / 4)
        }
        Store::Later { until } => (until, at, store_pause(shared.store_pause, took), Duration::ZERO),
    };
    let rest = pause
        .checked_sub(since.elapsed())
        .filter(|rest| !rest.is_zero())?;
    let until = until.map(|at| wait_until(at, shared.clock.now()));
    let rest = until.map_or(rest, |until| until.min(rest));
    let gather = gather.min(rest);
    Some(Postponed {
        gather,
        rest: rest - gather,
    })
}

/// How long after a write that took so long the next one is made for what can wait.
fn store_pause(usual: Duration, took: Duration) -> Duration {
    took.saturating_mul(PAUSE_FACTOR)
        .clamp(usual, PAUSE_MAX.max(usual))
}

/// Writes the changes, only onto the object they were decided for.
async fn persist(
    shared: &Shared,
    workflow: &Workflow,
    decision: &Decision,
) -> Result<Arc<Workflow>, Failure> {
    let meta = &workflow.metadata;
    let mut patch = decision.changes.merge_patch(workflow);
    patch["metadata"]["resourceVersion"] = json!(meta.resource_version);
    patch["metadata"]["uid"] = json!(meta.uid);
    if is_noted_in_vain(meta) {
        // One empty entry resets them; from then on they are not noted any more (Kubernetes API, Server-Side Apply).
        patch["metadata"]["managedFields"] = json!([{}]);
    }
    if shared.tracer.is_on() && !meta.annotations.contains_key(TRACE_ID) {
        patch["metadata"]["annotations"][TRACE_ID] = json!(Trace::derived(&meta.uid, "").trace_id);
    }
    let (begun, asked) = (shared.clock.now(), tokio::time::Instant::now());
    let key = Key::new(&meta.namespace, &meta.name);
    let whole = match !shared.world.is_packed(workflow) && is_small(shared, &key, workflow, &patch) {
        true => write(shared, workflow, &patch).await,
        false => Err(Failure::TooLarge(String::new())),
    };
    let answer: PartialObjectMetadata = match whole {
        // The API may also count what we do not: who has set which field of which node.
        Err(Failure::TooLarge(_)) => {
            match apart(|| pack(&mut patch, workflow, decision, shared.status_max)) {
                Err(text) => return mark_too_large(shared, workflow, &text).await,
                Ok(()) => match write(shared, workflow, &patch).await {
                    Err(Failure::TooLarge(text)) => return mark_too_large(shared, workflow, &text).await,
                    packed => {
                        let answer = packed?;
                        shared.world.note_packed(&meta.uid);
                        answer
                    }
                },
            }
        }
        whole => whole?,
    };
    let mut stored = workflow.clone();
    // All else is known, and can be much to read.
    decision.changes.as_stored().apply(&mut stored);
    stored.metadata = answer.metadata;
    if stored.status.phase != workflow.status.phase {
        let phase = stored.status.phase.as_str();
        info!(workflow = %meta.name, namespace = %meta.namespace, phase, "Workflow changed phase");
    }
    let pod_of = |node: &NodeStatus| shared.world.pod_of(&key, &node.id);
    changes::count(&shared.metrics, workflow, &stored, &decision.changes, pod_of);
    shared.conduct().logged_specs.log(&decision.changes, pod_of);
    let now = shared.clock.now();
    shared
        .tracer
        .stored(workflow, &stored, &decision.changes, begun, now);
    let stored = Arc::new(stored);
    keep(shared, workflow, stored.clone());
    if let Some(kept) = shared.plans().get_mut(&key) {
        kept.stored = Some((tokio::time::Instant::now(), asked.elapsed()));
        kept.end_seen = None;
    }
    Ok(stored)
}

/// Whether Kubernetes notes which client set which field although none has ever applied the object, which alone makes use
/// of it. For a status of thousands of nodes that takes as many bytes as they do, and a good part of the time of a write.
fn is_noted_in_vain(meta: &ObjectMeta) -> bool {
    let noted = &meta.managed_fields;
    !noted.is_empty() && noted.iter().all(|entry| entry.operation != "Apply")
}

/// Whether a workflow with a patch is small enough to be stored as it is. Its size is counted once, and from then on the
/// patches are added, none of which can add more than its own size; only where that is too much it is counted again.
fn is_small(shared: &Shared, key: &Key, workflow: &Workflow, patch: &Value) -> bool {
    let added = compression::size(patch);
    let known = shared.plans().get(key).and_then(|kept| kept.size_at_most);
    let at_most = known
        .map(|known| known + added)
        .filter(|size| *size <= shared.status_max)
        .unwrap_or_else(|| compression::size(workflow) + added);
    if let Some(kept) = shared.plans().get_mut(key) {
        kept.size_at_most = Some(at_most);
    }
    at_most <= shared.status_max
}

/// Does what takes long without keeping others from this thread.
fn apart<T>(work: impl FnOnce() -> T) -> T {
    match Handle::current().runtime_flavor() {
        RuntimeFlavor::MultiThread => tokio::task::block_in_place(work),
        _ => work(),
    }
}

/// Has a patch write all nodes compressed, instead of the changed ones as they are (C-PER-02).
fn pack(patch: &mut Value, workflow: &Workflow, decision: &Decision, max: usize) -> Result<(), String> {
    let nodes: BTreeMap<String, &NodeStatus> = workflow
        .status
        .nodes
        .iter()
        .chain(&decision.changes.nodes)
        .map(|(id, node)| (id.clone(), node))
        .collect();
    let rest = compression::size(workflow) - compression::size(&workflow.status.nodes);
    let mut packed = compression::compress(&nodes, Effort::Fast);
    if rest + packed.len() > max {
        packed = compression::compress(&nodes, Effort::Usual);
    }
    let size = rest + packed.len();
    if size > max {
        return Err(format!(
            "workflow is longer than maximum allowed size. compressed size {size} > maxSize {max}\
             Tried to offload but encountered error: offload node status is not supported"
        ));
    }
    patch["status"]["nodes"] = Value::Null;
    patch["status"]["compressedNodes"] = json!(packed);
    Ok(())
}

/// Sends a patch of a workflow; gives what is asked for of it as stored.
async fn write<T: Answer>(shared: &Shared, workflow: &Workflow, patch: &Value) -> Result<T, Failure> {
    let (namespace, name) = (&workflow.metadata.namespace, &workflow.metadata.name);
    api::merge_patch(&shared.client, &api::WORKFLOWS, namespace, name, patch).await
}

/// A status that the API does not take ends the workflow with the API's words instead of leaving it stuck (C-PER-08).
async fn mark_too_large(shared: &Shared, workflow: &Workflow, text: &str) -> Result<Arc<Workflow>, Failure> {
    let meta = &workflow.metadata;
    let patch = json!({
        "metadata": {
            "resourceVersion": meta.resource_version,
            "labels": {"workflows.argoproj.io/completed": "true", "workflows.argoproj.io/phase": "Error"},
        },
        "status": {
            "phase": "Error", "message": text, "finishedAt": argosy_model::k8s::Time(shared.clock.now()),
        },
    });
    let mut stored: Workflow = write(shared, workflow, &patch).await?;
    let unpacked = shared.world.unpack(&mut stored);
    unpacked.map_err(|e| Failure::Unreachable(e.to_string()))?;
    let stored = Arc::new(stored);
    keep(shared, workflow, stored.clone());
    Ok(stored)
}

/// Takes our own write into the world. The watch tells it later and then it is no news, so who follows the workflow is
/// told here.
fn keep(shared: &Shared, before: &Workflow, stored: Arc<Workflow>) {
    shared.world.put_decided(stored.clone());
    if stored.status.phase != before.status.phase {
        cron::run_moved(shared, &stored);
    }
}

/// Reads the object anew after a conflict, in case the watch is behind.
async fn refresh(shared: &Shared, key: &Key) {
    match api::get::<Workflow>(&shared.client, &api::WORKFLOWS, &key.namespace, &key.name).await {
        Ok(mut workflow) => match shared.world.unpack(&mut workflow) {
            Ok(()) => drop(shared.world.put_workflow(workflow)),
            Err(failure) => warn!(workflow = %key, error = %failure, "Reading anew failed"),
        },
        Err(failure) => debug!(workflow = %key, error = %failure, "Reading anew failed"),
    }
}

/// Decides, and takes the locks that the decision takes, in one piece: nobody else can take them in between.
fn decide(shared: &Shared, key: &Key, plan: &Plan, workflow: &Workflow, outcomes: &Outcomes) -> Decision {
    let (parts, fresh) = shared.world.moved_parts(key, workflow);
    let moved = match shared.plans().get_mut(key) {
        Some(kept) => {
            kept.moved.add(fresh);
            kept.moved.clone()
        }
        None => Moved::Everything,
    };
    let agent_results: BTreeMap<String, NodeResult> = parts
        .task_set
        .as_ref()
        .map(|set| set.status.nodes.clone())
        .unwrap_or_default();
    let config_maps = shared.world.config_maps();
    let created = workflow
        .metadata
        .creation_timestamp
        .as_ref()
        .map_or(Timestamp::UNIX_EPOCH, |t| t.0);
    let priority = i64::from(plan.spec.priority.unwrap_or(0));
    // What has ended takes no place among those that run, whatever is still to be cleaned up.
    let admitted = is_completed(workflow)
        || shared
            .throttle()
            .ask(&key.namespace, &key.name, priority, created);
    let config = shared.config();
    let mut locks = shared.locks();
    let snapshot = Snapshot {
        workflow,
        pods: &parts.pods,
        results: &parts.results,
        agent_results: &agent_results,
        config_maps: &config_maps,
        locks: &locks,
        outcomes,
        config: &config,
        admitted,
        explain: false,
        moved: &moved,
    };
    let decision = argosy_engine::decide(plan, &snapshot, shared.clock.now());
    let taken = decision.effects.iter().filter_map(|effect| match effect {
        Effect::Lock(op) if effect.order() == Order::BeforePersist => Some(op),
        _ => None,
    });
    changes::locks(&shared.metrics, taken.clone());
    let woken = locks.apply(taken);
    drop(locks);
    let mut others = woken;
    others.remove(&key.to_string());
    shared.wake_workflows(&others);
    decision
}

/// The plan of a workflow and what earlier looks learned; compiled anew only when spec or templates changed.
fn plan(shared: &Shared, key: &Key, workflow: &Arc<Workflow>) -> (Arc<Plan>, Outcomes) {
    let generation = shared.world.templates_generation();
    let mut plans = shared.plans();
    let (outcomes, stored) = match plans.get_mut(key) {
        Some(kept) if kept.source.metadata.uid == workflow.metadata.uid => {
            if kept.generation == generation && argosy_engine::plan::serves(&kept.source, workflow) {
                return (kept.plan.clone(), kept.outcomes.clone());
            }
            (std::mem::take(&mut kept.outcomes), kept.stored)
        }
        _ => (Outcomes::default(), None),
    };
    drop(plans);
    let templates = shared.world.templates(&key.namespace);
    let (plan, diagnostics) = argosy_engine::compile(workflow, &templates, &shared.config());
    for found in diagnostics.iter().filter(|d| d.severity == Severity::Warning) {
        warn!(workflow = %key, place = found.path, fault = found.message, "A part of the spec will probably fail");
    }
    let plan = Arc::new(plan);
    let kept = Kept {
        source: workflow.clone(),
        generation,
        plan: plan.clone(),
        outcomes: outcomes.clone(),
        moved: Moved::Everything,
        failures: 0,
        stored,
        end_seen: None,
        size_at_most: None,
    };
    shared.plans().insert(key.clone(), kept);
    (plan, outcomes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_wait_waits_longer_for_a_slow_api_server() {
        for (usual_secs, took_millis, wanted_secs) in
            [(4, 0, 4), (4, 20, 4), (4, 100, 20), (4, 5000, 30), (60, 5000, 60)]
        {
            let pause = store_pause(
                Duration::from_secs(usual_secs),
                Duration::from_millis(took_millis),
            );
            assert_eq!(
                pause,
                Duration::from_secs(wanted_secs),
                "{usual_secs} s, {took_millis} ms"
            );
        }
    }
}
