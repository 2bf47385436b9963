//! What happens to pods after the status that allows it is stored: end their containers, label them, delete them.
//!
//! Each action is repeatable, and comes back after a failure with a growing pause; one that can't succeed is dropped
//! after a bound, because the next persist of its workflow asks for it again (C-CLN-01, C-CLN-02, C-CLN-10).

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use argosy_model::k8s::{ContainerStatus, PartialObjectMetadata, Pod};
use futures::future::join_all;
use k8s_openapi::api::core::v1::Pod as ClusterPod;
use kube::api::AttachParams;
use kube::{Api, Client};
use serde_json::{Value, json};
use tokio::time::Instant;
use tracing::{debug, warn};

use crate::api::{self, Failure};
use crate::lean::Answer;
use crate::metrics::Registry;
use crate::queue::{Load, Queue};
use crate::world::Kept;

/// How often an action that fails is tried before it is dropped: 0.1 s × 2^9 is about a minute in all.
const TRIES: u32 = 10;

/// The pause after the first failure.
const FIRST_PAUSE: Duration = Duration::from_millis(100);

/// How long an exec may take (C-CLN-10).
const EXEC_LIMIT: Duration = Duration::from_secs(120);

/// How often it is looked whether the containers of a pod that was told to end have done so.
const LABEL_PAUSE: Duration = Duration::from_millis(500);

/// After this time a pod is labelled whatever still runs in it: its grace, the SIGKILL, and as long again.
const LABEL_LIMIT: Duration = Duration::from_secs(90);

/// Grace of pods that name none, in seconds (Kubernetes API reference, PodSpec).
const DEFAULT_GRACE_SECS: i64 = 30;

/// Our finalizer on pods.
pub const POD_FINALIZER: &str = "workflows.argoproj.io/status";

/// One thing to do to one pod.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Action {
    /// Namespace of the pod.
    pub namespace: String,
    /// Name of the pod.
    pub pod: String,
    /// Only this incarnation; whichever there is if `None`.
    pub uid: Option<String>,
    /// What is to be done.
    pub what: What,
}

impl Action {
    /// The pod, whatever is done to it.
    fn pod_key(&self) -> PodKey {
        (self.namespace.clone(), self.pod.clone(), self.uid.clone())
    }

    /// Whether a pod of that name is the one meant.
    fn is_of(&self, uid: &str) -> bool {
        self.uid.as_deref().is_none_or(|own| own == uid)
    }
}

/// Namespace, name and uid.
type PodKey = (String, String, Option<String>);

/// What can be done to a pod.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum What {
    /// SIGTERM to all running containers, then, after their grace, SIGKILL; a pending pod is deleted.
    Terminate,
    /// SIGKILL to all that still run.
    Kill,
    /// Delete it.
    Delete,
    /// Label it completed and remove our finalizer.
    LabelCompleted,
    /// Remove our finalizer.
    RemoveFinalizer,
}

/// Does what is asked for, one action per pod at a time.
pub struct Cleaner {
    client: Client,
    queue: Queue<Action>,
    grace_secs: Option<u32>,
    failures: Mutex<BTreeMap<Action, u32>>,
    /// Pods that were told to end, and until when their label waits for that. Who is labelled is seen by
    /// no controller any more, so a label that came first would leave what runs on to itself when we die.
    ending: Mutex<BTreeMap<PodKey, Instant>>,
}

impl Cleaner {
    /// A cleaner whose deletions carry this grace, if any.
    pub fn new(client: Client, grace_secs: Option<u32>, metrics: Arc<Registry>) -> Arc<Self> {
        Arc::new(Self {
            client,
            queue: Queue::told("pod_cleanup_queue", metrics),
            grace_secs,
            failures: Mutex::default(),
            ending: Mutex::default(),
        })
    }

    /// Asks for an action after a time.
    pub fn ask(&self, action: Action, after: Duration) {
        if action.what == What::Terminate {
            let until = Instant::now() + LABEL_LIMIT;
            self.ending().entry(action.pod_key()).or_insert(until);
        }
        self.queue.add_after(action, after);
    }

    fn ending(&self) -> MutexGuard<'_, BTreeMap<PodKey, Instant>> {
        self.ending.lock().expect("no holder of this lock panics")
    }

    /// How much there is to do, and was.
    pub fn load(&self) -> Load {
        self.queue.load()
    }

    /// Works until [`Cleaner::stop`].
    pub async fn work(self: Arc<Self>) {
        while let Some(action) = self.queue.next().await {
            let outcome = self.perform(&action).await;
            self.queue.done(&action);
            self.settle(action, outcome);
        }
    }

    /// Ends all workers.
    pub fn stop(&self) {
        self.queue.close();
    }

    fn settle(&self, action: Action, outcome: Result<(), Failure>) {
        let mut failures = self.failures.lock().expect("no holder of this lock panics");
        let Err(failure) = outcome else {
            failures.remove(&action);
            return;
        };
        let count = failures.entry(action.clone()).or_insert(0);
        *count += 1;
        if *count >= TRIES {
            warn!(pod = %action.pod, action = ?action.what, error = %failure, "Pod clean-up given up");
            failures.remove(&action);
            return;
        }
        let pause = FIRST_PAUSE * 2u32.pow(*count - 1);
        debug!(pod = %action.pod, action = ?action.what, error = %failure, "Pod clean-up failed; trying again");
        self.queue.retry(action, pause);
    }

    async fn perform(&self, action: &Action) -> Result<(), Failure> {
        let Action {
            namespace,
            pod,
            uid,
            what,
        } = action;
        match what {
            What::Delete => {
                api::delete(
                    &self.client,
                    &api::PODS,
                    namespace,
                    pod,
                    uid.as_deref(),
                    self.grace_secs,
                )
                .await
            }
            What::LabelCompleted if self.is_ending(action).await? => {
                self.queue.add_after(action.clone(), LABEL_PAUSE);
                Ok(())
            }
            What::LabelCompleted => {
                let mut labels = json!({"metadata": {"labels": {"workflows.argoproj.io/completed": "true"}}});
                // The API refuses it for a later pod of that name.
                if let Some(uid) = uid {
                    labels["metadata"]["uid"] = json!(uid);
                }
                match self.patch(namespace, pod, &labels).await {
                    // What is stored tells whether there is a finalizer; asking first would double the calls.
                    Ok(Some(stored)) => self.let_go(&stored).await,
                    Ok(None) => Ok(()),
                    Err(failure) => match self.stored::<PartialObjectMetadata>(action).await? {
                        Some(_) => Err(failure),
                        None => Ok(()),
                    },
                }
            }
            What::RemoveFinalizer => match self.stored::<PartialObjectMetadata>(action).await? {
                Some(pod) => self.let_go(&pod).await,
                None => Ok(()),
            },
            What::Terminate => self.signal(action, 15).await,
            What::Kill => self.signal(action, 9).await,
        }
    }

    /// Whether a pod was told to end and something in it still runs.
    async fn is_ending(&self, action: &Action) -> Result<bool, Failure> {
        let key = action.pod_key();
        let Some(until) = self.ending().get(&key).copied() else {
            return Ok(false);
        };
        if Instant::now() < until {
            let pod = self.stored::<Pod>(action).await?;
            if pod.is_some_and(|pod| !running(&pod).is_empty()) {
                return Ok(true);
            }
        }
        self.ending().remove(&key);
        Ok(false)
    }

    /// The pod as stored; `None` when it is gone.
    async fn patch(
        &self,
        namespace: &str,
        pod: &str,
        patch: &Value,
    ) -> Result<Option<PartialObjectMetadata>, Failure> {
        match api::merge_patch::<PartialObjectMetadata>(&self.client, &api::PODS, namespace, pod, patch).await
        {
            Ok(stored) => Ok(Some(stored)),
            Err(Failure::NotFound(_)) => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// The pod that an action is meant for, as stored, or a part of it; `None` when it is gone.
    async fn stored<T: Answer + Kept>(&self, action: &Action) -> Result<Option<T>, Failure> {
        match api::get::<T>(&self.client, &api::PODS, &action.namespace, &action.pod).await {
            Ok(pod) => Ok(Some(pod).filter(|pod| action.is_of(&pod.meta().uid))),
            Err(Failure::NotFound(_)) => Ok(None),
            Err(other) => Err(other),
        }
    }

    /// Removes our finalizer from a pod if it has it.
    async fn let_go(&self, pod: &PartialObjectMetadata) -> Result<(), Failure> {
        if !pod.metadata.finalizers.iter().any(|f| f == POD_FINALIZER) {
            return Ok(());
        }
        let rest: Vec<_> = pod
            .metadata
            .finalizers
            .iter()
            .filter(|f| *f != POD_FINALIZER)
            .collect();
        let patch =
            json!({"metadata": {"resourceVersion": pod.metadata.resource_version, "finalizers": rest}});
        let meta = &pod.metadata;
        self.patch(&meta.namespace, &meta.name, &patch).await.map(drop)
    }

    /// Sends a signal to what runs in the pod; after a SIGTERM the SIGKILL is already asked for.
    async fn signal(&self, action: &Action, signal: u8) -> Result<(), Failure> {
        let (namespace, name) = (&action.namespace, &action.pod);
        let Some(pod) = self.stored::<Pod>(action).await? else {
            return Ok(());
        };
        if pod.status.phase == "Pending" {
            let uid = Some(pod.metadata.uid.as_str());
            return api::delete(&self.client, &api::PODS, namespace, name, uid, self.grace_secs).await;
        }
        let running = running(&pod);
        if running.is_empty() {
            return Ok(());
        }
        if signal == 15 {
            let grace = pod
                .spec
                .termination_grace_period_seconds
                .unwrap_or(DEFAULT_GRACE_SECS);
            let kill = Action {
                what: What::Kill,
                ..action.clone()
            };
            self.queue
                .add_after(kill, Duration::from_secs(u64::try_from(grace).unwrap_or(0)));
        }
        let calls = running
            .iter()
            .map(|c| self.exec(namespace, name, &c.name, kill_command(&pod, &c.name, signal)));
        join_all(calls).await.into_iter().collect()
    }

    async fn exec(
        &self,
        namespace: &str,
        pod: &str,
        container: &str,
        command: Vec<String>,
    ) -> Result<(), Failure> {
        let pods: Api<ClusterPod> = Api::namespaced(self.client.clone(), namespace);
        let params = AttachParams::default()
            .container(container)
            .stdin(false)
            .stdout(true)
            .stderr(true);
        let run = async {
            let process = pods.exec(pod, command, &params).await.map_err(Failure::from)?;
            // Whatever it says or however it ends: a container that is gone meanwhile is what we want.
            let _ = process.join().await;
            Ok(())
        };
        match tokio::time::timeout(EXEC_LIMIT, run).await {
            Ok(Err(Failure::NotFound(_))) => Ok(()),
            Ok(outcome) => outcome,
            Err(_) => Err(Failure::Unreachable("exec took more than two minutes".to_owned())),
        }
    }
}

/// The containers of a pod that run.
fn running(pod: &Pod) -> Vec<&ContainerStatus> {
    let status = &pod.status;
    let all = status
        .init_container_statuses
        .iter()
        .chain(status.container_statuses.iter());
    all.filter(|c| c.state.running.is_some()).collect()
}

/// How a container is sent a signal (C-CLN-10).
fn kill_command(pod: &Pod, container: &str, signal: u8) -> Vec<String> {
    let annotation = format!("workflows.argoproj.io/kill-cmd-{container}");
    if let Some(text) = pod.metadata.annotations.get(&annotation)
        && let Ok(words) = serde_json::from_str::<Vec<String>>(text)
    {
        return words
            .iter()
            .map(|w| w.replace("%d", &signal.to_string()))
            .collect();
    }
    let mounts = |path: &str| {
        pod.spec
            .containers
            .iter()
            .chain(pod.spec.init_containers.iter())
            .filter(|c| c.name == container)
            .any(|c| c.volume_mounts.iter().any(|m| m.mount_path == path))
    };
    let program = match container {
        "wait" | "supervisor" => "argoexec",
        _ if mounts("/argo-bin") => "/argo-bin/bin/argoexec",
        _ if mounts("/var/run/argo") => "/var/run/argo/argoexec",
        _ => return vec!["/bin/sh".into(), "-c".into(), format!("kill -{signal} 1")],
    };
    vec![program.into(), "kill".into(), signal.to_string(), "1".into()]
}

#[cfg(test)]
mod tests {
    use argosy_apiserver::{ApiServer, Options};

    use super::*;

    /// A pod named "p" whose one container is in that state, seen through an API of its own.
    async fn one_pod(state: Value) -> (Client, Pod) {
        let server = ApiServer::new(Options::default()).expect("the API starts");
        let client = Client::new(server.service(), "default");
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p", "namespace": "default"},
            "spec": {"containers": [{"name": "main", "image": "i"}]},
        });
        let made: Result<Value, _> = api::create(&client, &api::PODS, "default", &pod).await;
        made.expect("the API takes it");
        (client.clone(), set(&client, state).await)
    }

    async fn set(client: &Client, state: Value) -> Pod {
        let status = json!({"phase": "Running", "containerStatuses": [{"name": "main", "state": state}]});
        let patch = json!({"status": status});
        let done = api::merge_patch(client, &api::PODS, "default", "p/status", &patch).await;
        done.expect("the API takes it")
    }

    async fn get(client: &Client) -> Pod {
        let pod = api::get(client, &api::PODS, "default", "p").await;
        pod.expect("it is there")
    }

    fn action(what: What, uid: Option<&str>) -> Action {
        Action {
            namespace: "default".to_owned(),
            pod: "p".to_owned(),
            uid: uid.map(ToOwned::to_owned),
            what,
        }
    }

    fn is_labelled(pod: &Pod) -> bool {
        pod.metadata
            .labels
            .contains_key("workflows.argoproj.io/completed")
    }

    /// A pod whose containers run on is labelled once they have ended; nobody can send them signals here.
    #[tokio::test(start_paused = true)]
    async fn a_pod_is_labelled_only_when_nothing_in_it_runs() {
        let (client, pod) = one_pod(json!({"running": {}})).await;
        let cleaner = Cleaner::new(client.clone(), None, Arc::default());
        let work = tokio::spawn(cleaner.clone().work());
        for what in [What::Terminate, What::LabelCompleted] {
            cleaner.ask(action(what, Some(&pod.metadata.uid)), Duration::ZERO);
        }
        // Virtual time: all that is due within it is done.
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert!(!is_labelled(&get(&client).await));
        set(&client, json!({"terminated": {"exitCode": 143}})).await;
        let labelled = async {
            while !is_labelled(&get(&client).await) {
                tokio::time::sleep(LABEL_PAUSE).await;
            }
        };
        let in_time = tokio::time::timeout(Duration::from_secs(3), labelled).await;
        assert!(in_time.is_ok(), "it is labelled within three seconds");
        cleaner.stop();
        work.await.expect("it ends");
    }

    /// What was meant for a pod is not done to a later one of its name, as a restart or a retry makes it; and it is no
    /// failure.
    #[tokio::test]
    async fn a_later_pod_of_the_same_name_is_left_alone() {
        let (client, pod) = one_pod(json!({"waiting": {}})).await;
        let cleaner = Cleaner::new(client.clone(), None, Arc::default());
        let all = [
            What::Terminate,
            What::Kill,
            What::LabelCompleted,
            What::RemoveFinalizer,
            What::Delete,
        ];
        for what in all {
            let done = cleaner
                .perform(&action(what.clone(), Some("of-an-earlier-one")))
                .await;
            assert!(done.is_ok(), "{what:?}: {done:?}");
        }
        let left = get(&client).await;
        assert_eq!(left.metadata.resource_version, pod.metadata.resource_version);
    }
}
