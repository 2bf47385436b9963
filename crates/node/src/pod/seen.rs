//! What the node knows about a pod it runs. Plain data; times are given, never taken.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use k8s_openapi::api::core::v1::{
    Container as Spec, ContainerState, ContainerStatus, EphemeralContainer, Pod, PodStatus,
};

use super::again::number_of;
use crate::runtime::{End, Record};

/// What the node knows about one pod.
#[derive(Debug, Clone)]
pub(crate) struct Seen {
    /// When the node took the pod.
    pub(crate) accepted: Timestamp,
    pub(crate) sandbox: Sandbox,
    pub(crate) containers: BTreeMap<String, Container>,
    /// Why the node ended the pod before its containers did, if so.
    pub(crate) stopped: Option<Stop>,
    /// The status last written.
    pub(crate) reported: Option<PodStatus>,
    pub(crate) host_ip: String,
}

/// Why a node ends a pod before its containers do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Stop {
    /// `activeDeadlineSeconds` had passed.
    Expired,
    /// It took more of the disk than it may.
    Evicted { message: String },
}

impl Stop {
    pub(crate) fn reason(&self) -> &'static str {
        match self {
            Stop::Expired => "DeadlineExceeded",
            Stop::Evicted { .. } => "Evicted",
        }
    }

    pub(crate) fn message(&self) -> &str {
        match self {
            Stop::Expired => "Pod was active on the node longer than the specified deadline",
            Stop::Evicted { message } => message,
        }
    }

    /// As a status tells it.
    fn told(status: &PodStatus) -> Option<Stop> {
        match status.reason.as_deref()? {
            "DeadlineExceeded" => Some(Stop::Expired),
            "Evicted" => Some(Stop::Evicted {
                message: status.message.clone().unwrap_or_default(),
            }),
            _ => None,
        }
    }
}

/// The namespaces, network and volumes of the pod.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Sandbox {
    /// Nothing was done yet.
    Absent,
    /// Being made.
    SettingUp,
    /// Could not be made; it is tried again.
    Failed { message: String, retry_at: Timestamp },
    /// The pod asks for something this node will never do.
    Refused { message: String },
    /// Containers can run.
    Ready { ip: String },
    /// Being taken down.
    TearingDown,
    /// Taken down, or never made by this run of the node.
    Gone,
}

/// What the node knows about one container.
#[derive(Debug, Clone, Default)]
pub(crate) struct Container {
    pub(crate) state: State,
    /// Times it was started again.
    pub(crate) restarts: u32,
    /// How the attempt before ended.
    pub(crate) last: Option<Ended>,
    pub(crate) image_id: String,
    pub(crate) container_id: String,
    /// When it was asked to end.
    pub(crate) terminated_at: Option<Timestamp>,
    pub(crate) killed: bool,
    /// Failed preparations since it last ran.
    pub(crate) start_failures: u32,
    /// By its probes; without probes set when it starts.
    pub(crate) ready: bool,
    pub(crate) started: bool,
    /// A probe says that it must be ended.
    pub(crate) condemned: bool,
    /// Why the hook after its start failed.
    pub(crate) hook_failure: Option<String>,
}

/// Where a container is in its life.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(crate) enum State {
    /// Not asked to start.
    #[default]
    Idle,
    /// Image, volumes and process are being prepared.
    Starting,
    /// Could not be prepared; it is tried again.
    Failing {
        reason: Reason,
        message: String,
        since: Timestamp,
        retry_at: Timestamp,
    },
    /// Its program runs.
    Running { since: Timestamp },
    /// Its program ended.
    Ended(Ended),
}

/// Why a container could not be prepared, in the kubelet's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Reason {
    ErrImagePull,
    ErrImageNeverPull,
    InvalidImageName,
    CreateContainerConfigError,
    CreateContainerError,
}

impl Reason {
    pub(crate) fn text(self) -> &'static str {
        match self {
            Reason::ErrImagePull => "ErrImagePull",
            Reason::ErrImageNeverPull => "ErrImageNeverPull",
            Reason::InvalidImageName => "InvalidImageName",
            Reason::CreateContainerConfigError => "CreateContainerConfigError",
            Reason::CreateContainerError => "CreateContainerError",
        }
    }

    /// The reason of the Event that tells of it.
    pub(crate) fn of_event(self) -> &'static str {
        match self {
            Reason::InvalidImageName => "InspectFailed",
            Reason::ErrImageNeverPull => "ErrImageNeverPull",
            _ => "Failed",
        }
    }
}

/// The end of one attempt.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Ended {
    pub(crate) exit_code: i32,
    pub(crate) reason: String,
    pub(crate) message: Option<String>,
    pub(crate) started_at: Option<Timestamp>,
    pub(crate) finished_at: Timestamp,
    pub(crate) container_id: String,
}

impl Seen {
    /// A pod the node meets for the first time, or again after a restart: what the status says has happened stays
    /// happened, and so does what is recorded on disk. What ran then and is not in `running` (keys) has died since.
    pub(crate) fn new(
        pod: &Pod,
        host_ip: &str,
        now: Timestamp,
        records: &BTreeMap<String, Vec<Record>>,
        running: &BTreeSet<String>,
    ) -> Seen {
        let status = pod.status.clone().unwrap_or_default();
        let began = status.start_time.as_ref().map(|time| time.0);
        let over = matches!(status.phase.as_deref(), Some("Succeeded" | "Failed"));
        let known = status
            .container_statuses
            .iter()
            .flatten()
            .chain(status.init_container_statuses.iter().flatten())
            .chain(status.ephemeral_container_statuses.iter().flatten());
        let mut containers: BTreeMap<String, Container> = BTreeMap::new();
        for known in known {
            containers.insert(known.name.clone(), adopt(known, now));
        }
        for spec in all_containers(pod) {
            containers.entry(spec.name.clone()).or_default();
        }
        for (name, records) in records.iter().filter(|_| !over) {
            if let Some(container) = containers.get_mut(name) {
                remember(container, records, running, now);
            }
        }
        Seen {
            accepted: began.unwrap_or(now),
            sandbox: if over { Sandbox::Gone } else { Sandbox::Absent },
            containers,
            stopped: Stop::told(&status),
            reported: pod.status.clone(),
            host_ip: host_ip.to_string(),
        }
    }

    pub(crate) fn container(&self, name: &str) -> Option<&Container> {
        self.containers.get(name)
    }
}

/// Init containers and containers, in the order of the pod, and those that were added to look at them.
pub(crate) fn all_containers(pod: &Pod) -> impl Iterator<Item = Cow<'_, Spec>> {
    let own = pod
        .spec
        .iter()
        .flat_map(|spec| spec.init_containers.iter().flatten().chain(&spec.containers));
    own.map(Cow::Borrowed).chain(added(pod).map(Cow::Owned))
}

/// Containers that were added to a pod that ran already, in the form of the others.
pub(crate) fn added(pod: &Pod) -> impl Iterator<Item = Spec> {
    ephemeral(pod).filter_map(|added| serde_json::from_value(serde_json::to_value(added).ok()?).ok())
}

/// The same as the pod has them.
pub(crate) fn ephemeral(pod: &Pod) -> impl Iterator<Item = &EphemeralContainer> {
    pod.spec
        .iter()
        .flat_map(|spec| spec.ephemeral_containers.iter().flatten())
}

fn adopt(status: &ContainerStatus, now: Timestamp) -> Container {
    let ended = |state: Option<&ContainerState>| {
        let terminated = state?.terminated.as_ref()?;
        Some(Ended {
            exit_code: terminated.exit_code,
            reason: terminated.reason.clone().unwrap_or_default(),
            message: terminated.message.clone(),
            started_at: terminated.started_at.as_ref().map(|t| t.0),
            finished_at: terminated.finished_at.as_ref().map_or(now, |t| t.0),
            container_id: terminated.container_id.clone().unwrap_or_default(),
        })
    };
    let running = status.state.as_ref().and_then(|s| s.running.as_ref());
    let lost = running.map(|running| {
        let started_at = running.started_at.as_ref().map(|t| t.0);
        lost(started_at, status.container_id.clone().unwrap_or_default(), now)
    });
    Container {
        state: ended(status.state.as_ref())
            .or(lost)
            .map_or(State::Idle, State::Ended),
        restarts: u32::try_from(status.restart_count).unwrap_or(0),
        last: ended(status.last_state.as_ref()),
        image_id: status.image_id.clone(),
        container_id: status.container_id.clone().unwrap_or_default(),
        ready: status.ready,
        started: status.started.unwrap_or(false),
        ..Container::default()
    }
}

fn lost(started_at: Option<Timestamp>, container_id: String, now: Timestamp) -> Ended {
    Ended {
        exit_code: 137,
        reason: "ContainerStatusUnknown".into(),
        message: Some("The container could not be located when the node was started again".into()),
        started_at,
        finished_at: now,
        container_id,
    }
}

/// Takes in what happened to a container since its status was last written.
fn remember(container: &mut Container, records: &[Record], running: &BTreeSet<String>, now: Timestamp) {
    for record in records {
        let Some(number) = number_of(&record.key) else {
            continue;
        };
        let newer = number > container.restarts || container.container_id.is_empty();
        let same = container.container_id == record.container_id;
        if !newer && !same {
            continue;
        }
        let ended = |end: End| Ended {
            exit_code: end.exit.code(),
            reason: reason_of(&end).into(),
            message: None,
            started_at: Some(record.started_at),
            finished_at: end.at,
            container_id: record.container_id.clone(),
        };
        let is_lost = |ended: &Ended| ended.reason == "ContainerStatusUnknown";
        let state = match (&container.state, record.end) {
            _ if running.contains(&record.key) => State::Running {
                since: record.started_at,
            },
            // The status knows more: the message, and why it did not start.
            (State::Ended(known), _) if same && !is_lost(known) => continue,
            (_, Some(end)) => State::Ended(ended(end)),
            (_, None) => State::Ended(lost(Some(record.started_at), record.container_id.clone(), now)),
        };
        if newer && let State::Ended(earlier) = &container.state {
            container.last = Some(earlier.clone());
        }
        (container.state, container.restarts) = (state, container.restarts.max(number));
        container.image_id.clone_from(&record.image_id);
        container.container_id.clone_from(&record.container_id);
    }
}

/// The reason of an end that nobody else explains.
pub(crate) fn reason_of(end: &End) -> &'static str {
    match end.exit.code() {
        _ if end.out_of_memory => "OOMKilled",
        0 => "Completed",
        _ => "Error",
    }
}
