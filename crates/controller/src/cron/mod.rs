//! Starts workflows on schedule: gathers what is known of a CronWorkflow, has it decided, does what comes of it.
//!
//! A CronWorkflow is looked at when it or one of its runs moved, and at the second its next run is due. A run's name
//! holds its time, so that a crash or a change of leaders between its creation and the write of the status can't make
//! it twice. Not here: any rule about schedules (`argosy_engine::cron`).

mod effects;

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use argosy_engine::Event as Note;
use argosy_engine::cron::{self, CHILD_OF, Decision, Memory, Outcomes, Snapshot};
use argosy_model::k8s::ObjectMeta;
use argosy_model::{CronWorkflow, Workflow};
use serde_json::json;
use tracing::{debug, error, info, warn};

use crate::Shared;
use crate::api::{self, Failure};
use crate::feed;
use crate::metrics::Registry;
use crate::queue::{Load, Queue};
use crate::watch::{Event, Seen};
use crate::world::{Key, World};
use effects::Retry;

/// How often one look may decide again. Each round starts a run or meets a newer object; a machine that slept over
/// several schedules starts one run of each.
const ROUNDS: usize = 64;

/// The pause after the first failure; it doubles up to [`RETRY_MAX`].
const RETRY_MIN: Duration = Duration::from_millis(250);

/// The longest pause: an API server that is back starts what is due within this time.
const RETRY_MAX: Duration = Duration::from_secs(8);

/// What is remembered of CronWorkflows between looks.
pub struct Crons {
    queue: Queue<Key>,
    kept: Mutex<BTreeMap<Key, Kept>>,
}

#[derive(Default)]
struct Kept {
    uid: String,
    memory: Option<Memory>,
    failures: u32,
}

impl Crons {
    /// Nothing is known yet; times of looks go into these metrics.
    pub fn new(metrics: Arc<Registry>) -> Self {
        Self {
            queue: Queue::told("cron_wf_queue", metrics),
            kept: Mutex::default(),
        }
    }

    /// Asks for looks at these.
    pub fn look_at(&self, keys: impl IntoIterator<Item = Key>) {
        for key in keys {
            self.queue.add(key);
        }
    }

    /// How much there is to do, and was.
    pub fn load(&self) -> Load {
        self.queue.load()
    }

    /// Ends all workers.
    pub fn stop(&self) {
        self.queue.close();
    }

    fn kept(&self) -> MutexGuard<'_, BTreeMap<Key, Kept>> {
        self.kept.lock().expect("no holder of this lock panics")
    }

    fn memory(&self, key: &Key, uid: &str) -> Option<Memory> {
        self.kept().get(key).filter(|k| k.uid == uid)?.memory.clone()
    }

    fn remember(&self, key: &Key, uid: &str, memory: Memory) {
        let kept = Kept {
            uid: uid.to_owned(),
            memory: Some(memory),
            failures: 0,
        };
        self.kept().insert(key.clone(), kept);
    }

    /// Counts a failure; the pause before the next try.
    fn pause(&self, key: &Key, uid: &str) -> Duration {
        let mut all = self.kept();
        let kept = all.entry(key.clone()).or_default();
        uid.clone_into(&mut kept.uid);
        kept.failures += 1;
        RETRY_MIN
            .saturating_mul(2u32.saturating_pow(kept.failures - 1))
            .min(RETRY_MAX)
    }

    fn forget(&self, key: &Key) {
        self.kept().remove(key);
    }
}

/// The CronWorkflow whose run a workflow is, if it is one's.
pub fn parent(meta: &ObjectMeta) -> Option<Key> {
    let name = meta.labels.get(CHILD_OF)?;
    Some(Key::new(&meta.namespace, name))
}

/// Has the CronWorkflow of a run looked at: the run came, went or changed its phase.
pub fn run_moved(shared: &Shared, run: &Workflow) {
    shared.crons.look_at(parent(&run.metadata));
}

/// Takes CronWorkflows as the watch tells them.
pub fn take(shared: &Shared, event: Event<CronWorkflow>) {
    let told: Vec<&Seen<CronWorkflow>> = match &event {
        Event::Listed(all) => all.iter().collect(),
        Event::Applied(one) => vec![one],
        Event::Deleted(_) => Vec::new(),
    };
    for seen in told {
        if let Seen::Malformed {
            namespace,
            name,
            error,
        } = seen
        {
            malformed(shared, namespace, name, error);
        }
    }
    feed::each(
        shared,
        event,
        "CronWorkflow",
        World::cron_keys,
        |shared, key, cron| {
            if cron.is_none() {
                shared.crons.forget(key);
            }
            if shared.world.put_cron(key, cron) {
                shared.crons.queue.add(key.clone());
            }
        },
    );
}

/// Tells the user of a CronWorkflow that does not decode (C-CRON-03).
fn malformed(shared: &Shared, namespace: &str, name: &str, error: &str) {
    let meta = ObjectMeta {
        namespace: namespace.to_owned(),
        name: name.to_owned(),
        ..ObjectMeta::default()
    };
    let note = Note {
        warning: true,
        reason: "Malformed".to_owned(),
        message: format!("malformed CronWorkflow: {error}"),
        node_id: None,
    };
    shared.emit_about("CronWorkflow", &meta, &note);
}

/// Works on the queue until it is closed.
pub async fn run(shared: Arc<Shared>) {
    while let Some(key) = shared.crons.queue.next().await {
        let again = look(&shared, &key).await;
        shared.crons.queue.done(&key);
        if let Some(wait) = again {
            shared.crons.queue.add_after(key, wait);
        }
    }
}

/// One look. Gives the time after which to look again.
async fn look(shared: &Shared, key: &Key) -> Option<Duration> {
    // One time for all rounds: what is due in the first is due in the last.
    let now = shared.clock.now();
    let mut outcomes = Outcomes::default();
    for _ in 0..ROUNDS {
        let cron = shared.world.cron(key)?;
        let uid = &cron.metadata.uid;
        let memory = shared.crons.memory(key, uid);
        let decision = cron::decide(
            &Snapshot {
                cron: &cron,
                children: &shared.world.runs(key),
                templates: &shared.world.templates(&key.namespace),
                config: &shared.config(),
                memory: memory.as_ref(),
                outcomes: &outcomes,
            },
            now,
        );
        debug!(cron = %key, effects = decision.effects.len(), wake_at = ?decision.wake_at, "Decided");
        match effects::starts(shared, &cron, &decision, &mut outcomes).await {
            Ok(true) => continue,
            Ok(false) => {}
            Err(Retry) => return Some(shared.crons.pause(key, uid)),
        }
        match persist(shared, &cron, &decision).await {
            Ok(()) => {}
            Err(Failure::NotFound(_)) => return None,
            Err(Failure::Conflict(text)) => {
                debug!(cron = %key, reason = %text, "Somebody else wrote first; deciding again");
                refresh(shared, key).await;
                continue;
            }
            Err(failure) => {
                warn!(cron = %key, error = %failure, "Storing the status of a CronWorkflow failed; trying again");
                return Some(shared.crons.pause(key, uid));
            }
        }
        if let Some(reason) = &decision.held_back {
            info!(cron = %key, ?reason, "Nothing is started");
        }
        effects::rest(shared, &cron, &decision.effects).await;
        shared.crons.remember(key, uid, decision.memory);
        let wake = decision.wake_at?;
        return Some(Duration::try_from(wake.duration_since(shared.clock.now())).unwrap_or(Duration::ZERO));
    }
    error!(cron = %key, "Deciding did not come to rest; looking again later");
    Some(RETRY_MAX)
}

/// Writes the changes, only onto the object they were decided for.
async fn persist(shared: &Shared, cron: &CronWorkflow, decision: &Decision) -> Result<(), Failure> {
    if decision.changes.is_empty() {
        return Ok(());
    }
    let meta = &cron.metadata;
    let mut patch = decision.changes.merge_patch();
    patch["metadata"]["resourceVersion"] = json!(meta.resource_version);
    patch["metadata"]["uid"] = json!(meta.uid);
    let stored: CronWorkflow = api::merge_patch(
        &shared.client,
        &api::CRON_WORKFLOWS,
        &meta.namespace,
        &meta.name,
        &patch,
    )
    .await?;
    let key = Key::new(&meta.namespace, &meta.name);
    shared.world.put_cron(&key, Some(stored));
    Ok(())
}

/// Reads the object anew after a conflict, in case the watch is behind.
async fn refresh(shared: &Shared, key: &Key) {
    match api::get::<CronWorkflow>(&shared.client, &api::CRON_WORKFLOWS, &key.namespace, &key.name).await {
        Ok(cron) => drop(shared.world.put_cron(key, Some(cron))),
        Err(failure) => debug!(cron = %key, error = %failure, "Reading anew failed"),
    }
}
