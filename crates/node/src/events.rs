//! Tells in the API what happens to pods, as Events worded like the kubelet's. Whoever has something to tell never waits,
//! and nothing depends on an Event: when the API does not take them, they are lost.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{Container, Event, Pod, PodStatus};
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// Events that wait to be written; four for each container of as many pods as a node runs.
const QUEUE: usize = 4096;
/// Writes at a time.
const WRITERS: usize = 8;
/// Events that are counted on when they happen again, the latest ones.
const REMEMBERED: usize = 4096;
/// Who tells what: interfaces look for these names.
const KUBELET: &str = "kubelet";
const SCHEDULER: &str = "default-scheduler";

/// Where Events go.
#[derive(Debug, Clone)]
pub(crate) struct Recorder(mpsc::Sender<Note>);

impl Recorder {
    /// The recorder and what [`run`] takes.
    pub(crate) fn new() -> (Recorder, mpsc::Receiver<Note>) {
        let (sender, receiver) = mpsc::channel(QUEUE);
        (Recorder(sender), receiver)
    }
}

/// Something that happened to a pod.
#[derive(Debug)]
pub(crate) struct Note {
    teller: &'static str,
    subject: Arc<Value>,
    path: String,
    kind: &'static str,
    reason: &'static str,
    message: String,
}

/// Tells of one pod.
#[derive(Debug)]
pub(crate) struct Notes {
    teller: &'static str,
    recorder: Recorder,
    subject: Arc<Value>,
    /// Where each container is in the spec.
    lists: BTreeMap<String, &'static str>,
}

impl Notes {
    pub(crate) fn new(recorder: Recorder, pod: &Pod) -> Notes {
        let listed = |list: &'static str| move |container: &Container| (container.name.clone(), list);
        let inits = pod.spec.iter().flat_map(|s| s.init_containers.iter().flatten());
        let mains = pod.spec.iter().flat_map(|s| &s.containers);
        Notes {
            teller: KUBELET,
            recorder,
            lists: inits
                .map(listed("initContainers"))
                .chain(mains.map(listed("containers")))
                .collect(),
            subject: Arc::new(json!({
                "apiVersion": "v1",
                "kind": "Pod",
                "namespace": pod.metadata.namespace,
                "name": pod.metadata.name,
                "uid": pod.metadata.uid,
                "resourceVersion": pod.metadata.resource_version,
            })),
        }
    }

    /// Tells of where the pod runs.
    pub(crate) fn of_scheduler(recorder: Recorder, pod: &Pod) -> Notes {
        let teller = SCHEDULER;
        Notes {
            teller,
            ..Notes::new(recorder, pod)
        }
    }

    /// What goes as it should, with a container or with the whole pod.
    pub(crate) fn normal(&self, container: Option<&str>, reason: &'static str, message: String) {
        self.tell("Normal", container, reason, message);
    }

    /// What does not.
    pub(crate) fn warning(&self, container: Option<&str>, reason: &'static str, message: String) {
        self.tell("Warning", container, reason, message);
    }

    fn tell(&self, kind: &'static str, container: Option<&str>, reason: &'static str, message: String) {
        let path = container.map(|name| match self.lists.get(name) {
            Some(list) => format!("spec.{list}{{{name}}}"),
            // It was added later.
            None => format!("spec.ephemeralContainers{{{name}}}"),
        });
        let note = Note {
            teller: self.teller,
            subject: Arc::clone(&self.subject),
            path: path.unwrap_or_default(),
            kind,
            reason,
            message,
        };
        if self.recorder.0.try_send(note).is_err() {
            tracing::debug!(reason, "An Event was not told: too many wait");
        }
    }

    /// Tells of containers that begin to wait for another try.
    pub(crate) fn waits(&self, pod: &Pod, before: Option<&PodStatus>, now: &PodStatus) {
        let earlier = before.map(waiting).unwrap_or_default();
        for (name, (reason, image)) in waiting(now) {
            let unchanged = earlier.get(&name).is_some_and(|(known, _)| *known == reason);
            if unchanged {
                continue;
            }
            let container = Some(name.as_str());
            match reason.as_str() {
                "CrashLoopBackOff" => {
                    let text = |text: &Option<String>| text.clone().unwrap_or_default();
                    let (pod_name, namespace) = (text(&pod.metadata.name), text(&pod.metadata.namespace));
                    let uid = text(&pod.metadata.uid);
                    let message = format!(
                        "Back-off restarting failed container {name} in pod {pod_name}_{namespace}({uid})"
                    );
                    self.warning(container, "BackOff", message);
                }
                "ImagePullBackOff" => {
                    self.normal(container, "BackOff", format!("Back-off pulling image {image:?}"));
                    self.warning(container, "Failed", format!("Error: {reason}"));
                }
                _ => {}
            }
        }
    }
}

/// Why containers wait, and their images.
fn waiting(status: &PodStatus) -> BTreeMap<String, (String, String)> {
    let init = status.init_container_statuses.iter().flatten();
    let all = init.chain(status.container_statuses.iter().flatten());
    all.filter_map(|container| {
        let reason = container.state.as_ref()?.waiting.as_ref()?.reason.clone()?;
        Some((container.name.clone(), (reason, container.image.clone())))
    })
    .collect()
}

/// What makes an Event the same as an earlier one: pod, container, reason and message.
type Same = (String, String, &'static str, String);

/// An Event that was told before.
struct Known {
    name: String,
    first: String,
    count: u32,
}

/// Writes Events until nobody is left who could tell one.
pub(crate) async fn run(client: Client, node: String, mut notes: mpsc::Receiver<Note>) {
    let mut known: BTreeMap<Same, Known> = BTreeMap::new();
    let mut order: VecDeque<Same> = VecDeque::new();
    let mut writes = JoinSet::new();
    while let Some(note) = notes.recv().await {
        let text = |key: &str| note.subject[key].as_str().unwrap_or_default().to_owned();
        let same = (text("uid"), note.path.clone(), note.reason, note.message.clone());
        let now = Timestamp::now();
        let seen = known.entry(same.clone()).or_insert_with(|| {
            order.push_back(same);
            Known {
                name: format!("{}.{:x}", text("name"), now.as_nanosecond()),
                first: now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
                count: 0,
            }
        });
        seen.count += 1;
        let event = event(&note, seen, now, &node);
        let (again, name) = (seen.count > 1, seen.name.clone());
        if order.len() > REMEMBERED
            && let Some(oldest) = order.pop_front()
        {
            known.remove(&oldest);
        }
        if writes.len() >= WRITERS {
            writes.join_next().await;
        }
        let api: Api<Event> = Api::namespaced(client.clone(), &text("namespace"));
        writes.spawn(async move {
            if let Err(error) = write(&api, &name, event, again).await {
                tracing::debug!(event = name, %error, "An Event was not written");
            }
        });
    }
}

fn event(note: &Note, known: &Known, now: Timestamp, node: &str) -> Value {
    let mut subject = (*note.subject).clone();
    if !note.path.is_empty() {
        subject["fieldPath"] = note.path.clone().into();
    }
    let mut source = json!({"component": note.teller});
    if note.teller == KUBELET {
        source["host"] = node.into();
    }
    json!({
        "metadata": {"name": known.name, "namespace": subject["namespace"]},
        "involvedObject": subject,
        "type": note.kind,
        "reason": note.reason,
        "message": note.message,
        "source": source,
        "reportingComponent": note.teller,
        "reportingInstance": node,
        "firstTimestamp": known.first,
        "lastTimestamp": now.strftime("%Y-%m-%dT%H:%M:%SZ").to_string(),
        "count": known.count,
    })
}

async fn write(api: &Api<Event>, name: &str, event: Value, again: bool) -> Result<(), kube::Error> {
    if again {
        let change = json!({"count": event["count"], "lastTimestamp": event["lastTimestamp"]});
        let patched = api
            .patch(name, &PatchParams::default(), &Patch::Merge(change))
            .await;
        match patched {
            // Old Events are dropped.
            Err(kube::Error::Api(status)) if status.code == 404 => {}
            patched => return patched.map(drop),
        }
    }
    let event = serde_json::from_value(event).map_err(kube::Error::SerdeError)?;
    api.create(&PostParams::default(), &event).await.map(drop)
}
