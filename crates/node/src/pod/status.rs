//! Writes the status of a pod as the kubelet does.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{
    Container as Spec, ContainerState, ContainerStateRunning, ContainerStateTerminated,
    ContainerStateWaiting, ContainerStatus, HostIP, Pod, PodCondition, PodIP, PodStatus,
};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;

use super::next::{init_done, is_over, is_sidecar, restart_at, restart_wait_secs, restarts};
use super::seen::{self, Container, Ended, Reason, Sandbox, Seen, State};

/// How long `ErrImagePull` is shown before `ImagePullBackOff` takes its place.
const PULL_ERROR_SHOWN: SignedDuration = SignedDuration::from_secs(2);

/// When a failed pull is shown as waiting for the next try.
pub(crate) fn back_off_shown_at(since: Timestamp) -> Timestamp {
    since.saturating_add(PULL_ERROR_SHOWN).unwrap_or(since)
}

/// The whole status.
pub(crate) fn status(pod: &Pod, seen: &Seen, now: Timestamp) -> PodStatus {
    let spec = pod.spec.clone().unwrap_or_default();
    let earlier = pod.status.clone().unwrap_or_default();
    let phase = phase(pod, seen);
    let describe = |spec: &Spec, init| container_status(pod, spec, init, seen, now);
    let inits: Vec<ContainerStatus> = spec
        .init_containers
        .iter()
        .flatten()
        .map(|c| describe(c, true))
        .collect();
    let mains: Vec<ContainerStatus> = spec.containers.iter().map(|c| describe(c, false)).collect();
    let added: Vec<ContainerStatus> = seen::added(pod).map(|c| describe(&c, false)).collect();
    let ip = match &seen.sandbox {
        Sandbox::Ready { ip } => Some(ip.clone()),
        Sandbox::TearingDown | Sandbox::Gone => seen.reported.as_ref().and_then(|s| s.pod_ip.clone()),
        _ => None,
    };
    let stopped = seen.stopped.as_ref().filter(|_| phase == "Failed");
    let (reason, message) = match (&seen.sandbox, stopped) {
        (Sandbox::Refused { message }, _) => (Some("NotSupported".to_string()), Some(message.clone())),
        (_, Some(stop)) => (Some(stop.reason().to_string()), Some(stop.message().to_string())),
        _ => (None, None),
    };
    PodStatus {
        conditions: Some(conditions(pod, seen, phase, &inits, &mains, now)),
        phase: Some(phase.into()),
        reason,
        message,
        host_ip: Some(seen.host_ip.clone()),
        host_ips: Some(vec![HostIP {
            ip: seen.host_ip.clone(),
        }]),
        pod_ips: ip.clone().map(|ip| vec![PodIP { ip }]),
        pod_ip: ip,
        start_time: Some(seconds(seen.accepted)),
        qos_class: earlier
            .qos_class
            .clone()
            .or_else(|| Some(super::super::spec::quality_of_service(pod).into())),
        container_statuses: Some(mains).filter(|list| !list.is_empty()),
        ephemeral_container_statuses: Some(added).filter(|list| !list.is_empty()),
        init_container_statuses: Some(inits).filter(|list| !list.is_empty()),
        ..earlier
    }
}

/// Times in the API have whole seconds.
fn seconds(time: Timestamp) -> Time {
    Time(Timestamp::from_second(time.as_second()).unwrap_or(time))
}

fn phase(pod: &Pod, seen: &Seen) -> &'static str {
    let Some(spec) = &pod.spec else { return "Failed" };
    if matches!(seen.sandbox, Sandbox::Refused { .. }) {
        return "Failed";
    }
    let alive = seen
        .containers
        .values()
        .any(|c| matches!(c.state, State::Running { .. } | State::Starting));
    if let (Sandbox::Gone, Some(known)) = (
        &seen.sandbox,
        seen.reported.as_ref().and_then(|s| s.phase.as_deref()),
    ) && let Some(end) = ["Succeeded", "Failed"].into_iter().find(|end| *end == known)
    {
        return end;
    }
    if (seen.stopped.is_some() || is_over(pod, seen)) && alive {
        // A terminal phase says that nothing runs any more.
        return if seen.reported.as_ref().and_then(|s| s.phase.as_deref()) == Some("Pending") {
            "Pending"
        } else {
            "Running"
        };
    }
    if seen.stopped.is_some() {
        return "Failed";
    }
    let state = |spec: &Spec| seen.container(&spec.name);
    let ended_well =
        |spec: &Spec| matches!(state(spec).map(|c| &c.state), Some(State::Ended(e)) if e.exit_code == 0);
    let inits = || spec.init_containers.iter().flatten();
    if is_over(pod, seen) {
        let good = inits().all(|init| is_sidecar(init) || ended_well(init))
            && spec.containers.iter().all(ended_well);
        return if good { "Succeeded" } else { "Failed" };
    }
    if !inits().all(|init| init_done(init, seen) || is_sidecar(init) && has_run(state(init))) {
        return "Pending";
    }
    if spec.containers.iter().all(|spec| has_run(state(spec))) {
        "Running"
    } else {
        "Pending"
    }
}

fn has_run(container: Option<&Container>) -> bool {
    container.is_some_and(|c| matches!(c.state, State::Running { .. } | State::Ended(_)) || c.last.is_some())
}

fn container_status(pod: &Pod, spec: &Spec, init: bool, seen: &Seen, now: Timestamp) -> ContainerStatus {
    let idle = Container::default();
    let container = seen.container(&spec.name).unwrap_or(&idle);
    let running = matches!(container.state, State::Running { .. });
    let ended_well = matches!(&container.state, State::Ended(ended) if ended.exit_code == 0);
    let ready = if init && !is_sidecar(spec) {
        ended_well
    } else {
        running && container.ready
    };
    let (state, last) = states(pod, spec, init, container, seen, now);
    ContainerStatus {
        name: spec.name.clone(),
        image: spec.image.clone().unwrap_or_default(),
        image_id: container.image_id.clone(),
        container_id: Some(container.container_id.clone()).filter(|id| !id.is_empty()),
        ready,
        started: Some(running && container.started),
        restart_count: i32::try_from(container.restarts).unwrap_or(i32::MAX),
        state: Some(state),
        last_state: last.map(|ended| ContainerState {
            terminated: Some(terminated(&ended)),
            ..Default::default()
        }),
        ..Default::default()
    }
}

fn states(
    pod: &Pod,
    spec: &Spec,
    init: bool,
    container: &Container,
    seen: &Seen,
    now: Timestamp,
) -> (ContainerState, Option<Ended>) {
    let last = container.last.clone();
    let initializing = pod
        .spec
        .as_ref()
        .is_some_and(|s| s.init_containers.iter().flatten().next().is_some());
    let pending = if initializing {
        "PodInitializing"
    } else {
        "ContainerCreating"
    };
    match &container.state {
        State::Idle => {
            let message = match &seen.sandbox {
                Sandbox::Failed { message, .. } => Some(message.clone()),
                _ => None,
            };
            (waiting(pending, message), last)
        }
        State::Starting => (waiting(pending, None), last),
        State::Failing {
            reason,
            message,
            since,
            ..
        } => {
            let backing_off = *reason == Reason::ErrImagePull && back_off_shown_at(*since) <= now;
            let shown = if backing_off {
                let image = spec.image.as_deref().unwrap_or_default();
                waiting(
                    "ImagePullBackOff",
                    Some(format!(
                        "Back-off pulling image {image:?}: ErrImagePull: {message}"
                    )),
                )
            } else {
                waiting(reason.text(), Some(message.clone()))
            };
            (shown, last)
        }
        State::Running { since } => {
            let running = ContainerStateRunning {
                started_at: Some(seconds(*since)),
            };
            (
                ContainerState {
                    running: Some(running),
                    ..Default::default()
                },
                last,
            )
        }
        State::Ended(ended)
            if comes_again(pod, spec, init, seen, ended) && restart_at(container, ended) > now =>
        {
            let wait = restart_wait_secs(container.restarts);
            let pod_name = pod.metadata.name.as_deref().unwrap_or_default();
            let message = format!(
                "back-off {wait}s restarting failed container={} pod={pod_name}_{}({})",
                spec.name,
                pod.metadata.namespace.as_deref().unwrap_or_default(),
                pod.metadata.uid.as_deref().unwrap_or_default(),
            );
            (waiting("CrashLoopBackOff", Some(message)), Some(ended.clone()))
        }
        State::Ended(ended) => (
            ContainerState {
                terminated: Some(terminated(ended)),
                ..Default::default()
            },
            last,
        ),
    }
}

/// Whether a container that has ended is started again, in time.
fn comes_again(pod: &Pod, spec: &Spec, init: bool, seen: &Seen, ended: &Ended) -> bool {
    restarts(pod, spec, init, ended) && !is_over(pod, seen) && seen.stopped.is_none()
}

fn waiting(reason: &str, message: Option<String>) -> ContainerState {
    let waiting = ContainerStateWaiting {
        reason: Some(reason.into()),
        message,
    };
    ContainerState {
        waiting: Some(waiting),
        ..Default::default()
    }
}

fn terminated(ended: &Ended) -> ContainerStateTerminated {
    // Kubernetes shows the epoch for a container whose program never ran.
    let never = Timestamp::UNIX_EPOCH;
    ContainerStateTerminated {
        exit_code: ended.exit_code,
        reason: Some(ended.reason.clone()),
        message: ended.message.clone(),
        started_at: Some(seconds(ended.started_at.unwrap_or(never))),
        finished_at: Some(seconds(ended.finished_at)),
        container_id: Some(ended.container_id.clone()).filter(|id| !id.is_empty()),
        ..Default::default()
    }
}

/// What a condition says besides its type.
struct Verdict {
    holds: bool,
    reason: Option<&'static str>,
    message: Option<String>,
}

impl Verdict {
    fn yes() -> Verdict {
        Verdict {
            holds: true,
            reason: None,
            message: None,
        }
    }

    fn no(reason: &'static str, message: Option<String>) -> Verdict {
        Verdict {
            holds: false,
            reason: Some(reason),
            message,
        }
    }
}

/// Init containers that the others still wait for.
fn not_initialized<'a>(pod: &'a Pod, seen: &Seen) -> Vec<&'a str> {
    let done = |init: &Spec| init_done(init, seen) || is_sidecar(init) && has_run(seen.container(&init.name));
    let inits = pod
        .spec
        .iter()
        .flat_map(|spec| spec.init_containers.iter().flatten());
    inits
        .filter(|init| !done(init))
        .map(|init| init.name.as_str())
        .collect()
}

fn conditions(
    pod: &Pod,
    seen: &Seen,
    phase: &str,
    inits: &[ContainerStatus],
    mains: &[ContainerStatus],
    now: Timestamp,
) -> Vec<PodCondition> {
    let names = |list: Vec<&str>| format!("[{}]", list.join(" "));
    let open = not_initialized(pod, seen);
    let sidecars = pod
        .spec
        .iter()
        .flat_map(|s| s.init_containers.iter().flatten())
        .filter(|init| is_sidecar(init));
    let beside: Vec<&str> = sidecars.map(|init| init.name.as_str()).collect();
    let counted = mains.iter().chain(
        inits
            .iter()
            .filter(|status| beside.contains(&status.name.as_str())),
    );
    let unready: Vec<&str> = counted.filter(|c| !c.ready).map(|c| c.name.as_str()).collect();
    let initialized = match phase {
        "Succeeded" => Verdict {
            holds: true,
            reason: Some("PodCompleted"),
            message: None,
        },
        _ if open.is_empty() => Verdict::yes(),
        _ => Verdict::no(
            "ContainersNotInitialized",
            Some(format!("containers with incomplete status: {}", names(open))),
        ),
    };
    let readiness = || match phase {
        "Succeeded" => Verdict::no("PodCompleted", None),
        "Failed" => Verdict::no("PodFailed", None),
        _ if unready.is_empty() => Verdict::yes(),
        _ => Verdict::no(
            "ContainersNotReady",
            Some(format!(
                "containers with unready status: {}",
                names(unready.clone())
            )),
        ),
    };
    let sandboxed = match seen.sandbox {
        Sandbox::Ready { .. } => Verdict::yes(),
        _ => Verdict {
            holds: false,
            reason: None,
            message: None,
        },
    };
    let verdicts = [
        ("PodReadyToStartContainers", sandboxed),
        ("Initialized", initialized),
        ("Ready", readiness()),
        ("ContainersReady", readiness()),
        ("PodScheduled", Verdict::yes()),
    ];
    stamp(verdicts, pod, seen, now)
}

/// Conditions with the times at which they changed, and those that others have set.
fn stamp(verdicts: [(&str, Verdict); 5], pod: &Pod, seen: &Seen, now: Timestamp) -> Vec<PodCondition> {
    let earlier = || {
        let newest = seen.reported.as_ref().or(pod.status.as_ref());
        newest
            .into_iter()
            .flat_map(|status| status.conditions.iter().flatten())
    };
    let mut conditions: Vec<PodCondition> = verdicts
        .into_iter()
        .map(|(kind, verdict)| {
            let status = if verdict.holds { "True" } else { "False" };
            let same = earlier().find(|c| c.type_ == kind && c.status == status);
            PodCondition {
                type_: kind.into(),
                status: status.into(),
                reason: verdict.reason.map(Into::into),
                message: verdict.message,
                last_transition_time: same
                    .and_then(|c| c.last_transition_time.clone())
                    .or(Some(seconds(now))),
                ..Default::default()
            }
        })
        .collect();
    // Conditions that others set are not ours to drop.
    let foreign: Vec<PodCondition> = earlier()
        .filter(|c| !conditions.iter().any(|ours| ours.type_ == c.type_))
        .cloned()
        .collect();
    conditions.extend(foreign);
    conditions
}
