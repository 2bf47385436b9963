//! The scheduler of a node that is alone: brings pods that nobody has placed to this node, when they may run there, and
//! says of the others why they wait, as Kubernetes' scheduler does.
//!
//! Deliberately absent: a choice between nodes, priorities, and pre-emption.

mod affinity;
mod fit;
mod queue;

use std::collections::BTreeSet;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use futures::{StreamExt, stream};
use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Node, Pod};
use kube::api::{Patch, PatchParams};
use kube::runtime::WatchStreamExt;
use kube::runtime::watcher::{self, watcher};
use kube::{Api, Client};
use serde_json::json;
use tokio::sync::mpsc;

use self::queue::{Decision, Queue};
use crate::events::Notes;
use crate::node::Shared;

/// News that wait for the scheduler; whoever brings more waits for room.
pub(crate) const NEWS: usize = 1024;
/// News that are taken together.
const TOGETHER: usize = 256;
/// Writes at a time.
const WRITERS: usize = 8;
/// Wait before a pod that could not be brought here is looked at again.
const RETRY: Duration = Duration::from_secs(1);

/// What the node sees of pods, whoever's they are.
#[derive(Debug)]
pub(crate) enum News {
    Pod(Arc<Pod>),
    /// The pod with this uid is gone.
    Gone(String),
    /// There are no pods but those with these uids.
    Only(BTreeSet<String>),
}

/// Schedules until nobody brings news.
pub(crate) async fn run(shared: Arc<Shared>, mut news: mpsc::Receiver<News>) {
    let name = shared.options.name.as_str();
    let nodes: Api<Node> = Api::all(shared.client.clone());
    let itself = watcher::Config::default().fields(&format!("metadata.name={name}"));
    let mut nodes = pin!(watcher(nodes, itself).default_backoff());
    let mut queue = Queue::new(name);
    let mut batch = Vec::new();
    let mut look_again = false;
    loop {
        tokio::select! {
            count = news.recv_many(&mut batch, TOGETHER) => if count == 0 { return },
            Some(event) = nodes.next() => match event {
                Ok(watcher::Event::Apply(node) | watcher::Event::InitApply(node)) => queue.learn_node(Some(node)),
                Ok(watcher::Event::Delete(_)) => queue.learn_node(None),
                Ok(watcher::Event::Init | watcher::Event::InitDone) => {}
                Err(error) => tracing::warn!(%error, "Watch of the node was interrupted"),
            },
            () = tokio::time::sleep(RETRY), if look_again => {}
        }
        for news in batch.drain(..) {
            match news {
                News::Pod(pod) => queue.learn_pod(pod),
                News::Gone(uid) => queue.forget(&uid),
                News::Only(uids) => queue.keep(&uids),
            }
        }
        // Awaited together, so that no two writes about one pod overtake each other.
        let done = stream::iter(queue.decide()).map(|decision| perform(&shared, decision));
        let refused: Vec<String> = done
            .buffer_unordered(WRITERS)
            .filter_map(|refused| async { refused })
            .collect()
            .await;
        look_again = !refused.is_empty();
        for uid in refused {
            queue.refused(&uid);
        }
    }
}

/// Gives the uid of a pod that is to be looked at again.
async fn perform(shared: &Shared, decision: Decision) -> Option<String> {
    let (pod, done) = match &decision {
        Decision::Bind(pod) => (pod, bind(&shared.client, &shared.options.name, pod).await),
        Decision::Wait(pod, why) => (pod, tell(&shared.client, pod, why).await),
    };
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let notes = || Notes::of_scheduler(shared.recorder.clone(), pod);
    match (done, &decision) {
        (Ok(()), Decision::Bind(_)) => {
            let node = &shared.options.name;
            let message = format!("Successfully assigned {}/{name} to {node}", namespace(pod));
            notes().normal(None, "Scheduled", message);
            None
        }
        (Ok(()), Decision::Wait(_, why)) => {
            notes().warning(None, "FailedScheduling", why.clone());
            None
        }
        // Bound by someone else, or deleted meanwhile: the watch tells.
        (Err(kube::Error::Api(status)), _) if matches!(status.code, 404 | 409) => None,
        (Err(error), _) => {
            tracing::warn!(pod = name, %error, "Pod was not scheduled, trying again");
            pod.metadata.uid.clone()
        }
    }
}

fn namespace(pod: &Pod) -> &str {
    pod.metadata.namespace.as_deref().unwrap_or("default")
}

/// Brings a pod to the node.
async fn bind(client: &Client, node: &str, pod: &Pod) -> Result<(), kube::Error> {
    let (namespace, name) = (namespace(pod), pod.metadata.name.as_deref().unwrap_or_default());
    let binding = json!({
        "apiVersion": "v1",
        "kind": "Binding",
        "metadata": {"name": name, "namespace": namespace, "uid": pod.metadata.uid},
        "target": {"apiVersion": "v1", "kind": "Node", "name": node},
    });
    let request = http::Request::post(format!("/api/v1/namespaces/{namespace}/pods/{name}/binding"))
        .header("content-type", "application/json")
        .body(binding.to_string().into_bytes())
        .expect("a path of valid names is a valid request");
    client.request_text(request).await.map(drop)
}

/// Says in the pod's status why it waits.
async fn tell(client: &Client, pod: &Pod, why: &str) -> Result<(), kube::Error> {
    let known = pod.status.iter().flat_map(|s| s.conditions.iter().flatten());
    let mut earlier = known.filter(|c| c.type_ == "PodScheduled" && c.status == "False");
    let since = earlier.find_map(|condition| condition.last_transition_time.as_ref().map(|time| time.0));
    let since = since.unwrap_or_else(Timestamp::now);
    let condition = json!({
        "type": "PodScheduled",
        "status": "False",
        "reason": "Unschedulable",
        "message": why,
        "lastProbeTime": null,
        "lastTransitionTime": since.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
    });
    // The uid keeps it off another pod of the same name.
    let patch = json!({"metadata": {"uid": pod.metadata.uid}, "status": {"conditions": [condition]}});
    let pods: Api<Pod> = Api::namespaced(client.clone(), namespace(pod));
    let name = pod.metadata.name.as_deref().unwrap_or_default();
    let params = PatchParams::default();
    pods.patch_status(name, &params, &Patch::Strategic(patch))
        .await
        .map(drop)
}
