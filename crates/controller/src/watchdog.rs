//! Reports live workflows that nothing will ever move again: a fault of ours, which users must not find by waiting.
//!
//! A workflow is suspect when its decision wants nothing done, asks for no time, and names no reason that lies outside
//! its own tree of nodes. It is reported when that holds for [`GRACE`]: news of what was just done may be on the way.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::time::Duration;

use argosy_engine::{Decision, Event, Waiting, locks};
use argosy_model::Workflow;
use tokio::time::Instant;
use tracing::{error, info};

use crate::Shared;
use crate::world::Key;

/// How long nothing may be waited for. A watch that was cut off tells its news within seconds; this is many times that.
const GRACE: Duration = Duration::from_secs(60);

/// Workflows that nothing seems to move.
#[derive(Default)]
pub struct Watchdog {
    suspects: Mutex<BTreeMap<Key, Suspect>>,
}

struct Suspect {
    uid: String,
    since: Instant,
    reported: bool,
}

impl Watchdog {
    /// How many workflows are reported and have not moved since.
    pub fn reported(&self) -> usize {
        self.lock().values().filter(|s| s.reported).count()
    }

    /// Forgets a workflow that is looked at no more.
    pub fn forget(&self, key: &Key) {
        self.lock().remove(key);
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, BTreeMap<Key, Suspect>> {
        self.suspects.lock().expect("no holder of this lock panics")
    }

    /// Notes that a workflow is still at rest; whether to report it now.
    fn suspect(&self, key: &Key, uid: &str) -> bool {
        let mut suspects = self.lock();
        let suspect = suspects.entry(key.clone()).or_insert_with(|| Suspect {
            uid: String::new(),
            since: Instant::now(),
            reported: false,
        });
        if suspect.uid != uid {
            uid.clone_into(&mut suspect.uid);
            suspect.since = Instant::now();
            suspect.reported = false;
        }
        let report = !suspect.reported && suspect.since.elapsed() >= GRACE;
        suspect.reported |= report;
        report
    }
}

/// Judges a workflow by the decision about it and whether that had effects, and reports it when its time is up. Gives the
/// time after which to look again.
pub fn judge(
    shared: &Shared,
    key: &Key,
    workflow: &Workflow,
    decision: &Decision,
    acts: bool,
) -> Option<Duration> {
    if acts || moves(shared, workflow, decision) {
        let was = shared.watchdog.lock().remove(key);
        if was.is_some_and(|s| s.reported) {
            info!(workflow = %key, "Workflow moves again");
        }
        return None;
    }
    if shared.watchdog.suspect(key, &workflow.metadata.uid) {
        let nodes: Vec<&str> = decision.waiting.keys().map(String::as_str).collect();
        error!(workflow = %key, waiting = ?decision.waiting, "Nothing moves this workflow any more; please report this");
        shared
            .metrics
            .add("error_count", &[("cause", "WorkflowStuck")], 1.0);
        let event = Event {
            warning: true,
            reason: "WorkflowStuck".to_owned(),
            message: format!(
                "nothing moves this workflow any more; unfinished: {}",
                nodes.join(", ")
            ),
            node_id: None,
        };
        shared.emit(workflow, &event);
    }
    Some(GRACE)
}

fn moves(shared: &Shared, workflow: &Workflow, decision: &Decision) -> bool {
    crate::worker::is_completed(workflow)
        || !decision.changes.is_empty()
        || decision.wake_at.is_some()
        || decision.waiting.values().any(|reason| is_outside(shared, reason))
}

/// Whether a reason names something outside the workflow's own nodes that can still come about.
fn is_outside(shared: &Shared, reason: &Waiting) -> bool {
    match reason {
        Waiting::Admission
        | Waiting::WorkflowSuspended
        | Waiting::PodPending { .. }
        | Waiting::PodRunning { .. }
        | Waiting::Result { .. }
        | Waiting::Suspended { .. }
        | Waiting::Agent => true,
        Waiting::Lock { holders, .. } => {
            holders.is_empty() || holders.iter().any(|holder| is_alive(shared, holder))
        }
        // Each is brought about by an effect or a time that the decision asks for, or by another node.
        Waiting::Parallelism { .. }
        | Waiting::RetryAt(_)
        | Waiting::PodCreation { .. }
        | Waiting::PodRefused { .. }
        | Waiting::Nodes(_)
        | Waiting::Variable { .. }
        | Waiting::Image { .. }
        | Waiting::Claim { .. }
        | Waiting::ArtifactRepository => false,
    }
}

/// Whether the holder of a lock can still give it back.
fn is_alive(shared: &Shared, holder: &str) -> bool {
    let Some((namespace, name)) = locks::workflow_of(holder).split_once('/') else {
        return false;
    };
    let workflow = shared.world.workflow(&Key::new(namespace, name));
    workflow.is_some_and(|w| !crate::worker::is_completed(&w))
}

#[cfg(test)]
mod tests {
    use argosy_apiserver::{ApiServer, Options as ApiOptions};
    use argosy_model::k8s::ObjectMeta;
    use serde_json::Value;

    use super::*;
    use crate::{Controller, Options, api};

    async fn stage() -> (Controller, kube::Client, Workflow) {
        let server = ApiServer::new(ApiOptions::default()).expect("the API starts");
        let client = kube::Client::new(server.service(), "default");
        let controller = Controller::start(client.clone(), Options::default());
        let metadata = ObjectMeta {
            name: "w".to_owned(),
            namespace: "default".to_owned(),
            uid: "1".to_owned(),
            ..ObjectMeta::default()
        };
        let workflow = Workflow {
            metadata,
            ..Workflow::default()
        };
        (controller, client, workflow)
    }

    fn stuck(reason: Waiting) -> Decision {
        Decision {
            waiting: [("node".to_owned(), reason)].into(),
            ..Decision::default()
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_workflow_that_nothing_moves_is_reported_once() {
        let (controller, client, workflow) = stage().await;
        let (shared, key) = (controller.shared.clone(), Key::new("default", "w"));
        let nothing = stuck(Waiting::Nodes(Vec::new()));
        assert_eq!(judge(&shared, &key, &workflow, &nothing, false), Some(GRACE));
        assert_eq!(shared.watchdog.reported(), 0, "news may be on the way");
        for _ in 0..3 {
            tokio::time::advance(GRACE).await;
            judge(&shared, &key, &workflow, &nothing, false);
        }
        assert_eq!(shared.watchdog.reported(), 1);
        let text = controller.metrics().text(&controller.probe().gauges());
        for line in [
            "argo_workflows_error_count{cause=\"WorkflowStuck\"} 1",
            "argo_workflows_stuck_gauge 1",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
        tokio::time::sleep(Duration::from_secs(1)).await;
        let events: Value = api::list(&client, &api::EVENTS, "default", "")
            .await
            .expect("the API lists");
        let told = events["items"].as_array().expect("a list");
        assert_eq!(told.len(), 1, "{events:#}");
        assert_eq!(told[0]["reason"], "WorkflowStuck");
        assert_eq!(told[0]["involvedObject"]["name"], "w");
        let moving = Decision {
            wake_at: Some(jiff::Timestamp::UNIX_EPOCH),
            ..nothing
        };
        assert_eq!(judge(&shared, &key, &workflow, &moving, false), None);
        assert_eq!(shared.watchdog.reported(), 0);
        controller.stop().await;
    }

    #[tokio::test(start_paused = true)]
    async fn what_waits_for_something_outside_is_not_suspect() {
        let (controller, _, workflow) = stage().await;
        let key = Key::new("default", "w");
        let lock = |holders: &[&str]| Waiting::Lock {
            lock: "default/Mutex/m".to_owned(),
            holders: holders.iter().map(|h| (*h).to_owned()).collect(),
            message: String::new(),
        };
        let cases = [
            (Waiting::Admission, false),
            (Waiting::Suspended { until: None }, false),
            (Waiting::PodRunning { pod: "p".to_owned() }, false),
            (Waiting::PodCreation { pod: "p".to_owned() }, true),
            (lock(&[]), false),
            (lock(&["default/w"]), false),
            (lock(&["default/gone"]), true),
        ];
        controller.shared.world.put_workflow(workflow.clone());
        for (reason, suspect) in cases {
            let text = format!("{reason:?}");
            let judged = judge(&controller.shared, &key, &workflow, &stuck(reason), false);
            assert_eq!(judged.is_some(), suspect, "{text}");
        }
        controller.stop().await;
    }
}
