//! Decides what to do about a pod. Pure: the same pod, knowledge and time give the same actions.

use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{Container as Spec, Pod, PodStatus};

use super::seen::{self, Container, Ended, Sandbox, Seen, State, Stop};
use super::status;

/// Wait before the second restart; doubled for every further one, as the kubelet does.
const BACKOFF_SECS: i64 = 10;
/// Longest wait between restarts.
const BACKOFF_LIMIT_SECS: i64 = 300;
/// Grace period of a pod that names none.
const GRACE_SECS: i64 = 30;
/// Grace period of a pod that takes too much, as a kubelet's.
const EVICTION_GRACE_SECS: i64 = 1;

/// Something to be done. Each may be repeated without harm.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Action {
    /// Make volumes, network and namespaces.
    SetUp,
    /// Start a container.
    Start { container: String },
    /// Give up starting a container.
    Cancel { container: String },
    /// Ask a container to end.
    Terminate { container: String },
    /// End a container.
    Kill { container: String },
    /// Remember that the deadline has passed.
    Expire,
    /// Kill what is left and give back network and mounts.
    TearDown,
    /// Write the status.
    Report(Box<PodStatus>),
    /// Let the API forget the pod, after the last status is written.
    Remove,
    /// Look again at this time.
    Wake(Timestamp),
}

/// What to do now.
pub(crate) fn next(pod: &Pod, seen: &Seen, now: Timestamp) -> Vec<Action> {
    let mut actions = Vec::new();
    let deadline = deadline(pod, seen);
    let over = is_over(pod, seen);
    let expires = seen.stopped.is_none() && !over && deadline.is_some_and(|deadline| deadline <= now);
    if expires {
        actions.push(Action::Expire);
    }
    let deleted = pod.metadata.deletion_timestamp.is_some();
    if deleted || seen.stopped.is_some() || expires {
        stop_all(pod, seen, now, deleted, &mut actions);
    } else if over {
        finish(pod, seen, now, &mut actions);
    } else {
        run(pod, seen, now, &mut actions);
        if let Some(deadline) = deadline {
            actions.push(Action::Wake(deadline));
        }
    }
    let mut known = seen.clone();
    if expires {
        known.stopped = Some(Stop::Expired);
    }
    if actions.contains(&Action::TearDown) {
        // Said at once, it saves a write for every pod.
        known.sandbox = Sandbox::TearingDown;
    }
    let status = status::status(pod, &known, now);
    if seen.reported.as_ref() != Some(&status) {
        // Before `Remove`, which is the last thing done.
        let place = actions
            .iter()
            .position(|a| *a == Action::Remove)
            .unwrap_or(actions.len());
        actions.insert(place, Action::Report(Box::new(status)));
    }
    actions
}

fn deadline(pod: &Pod, seen: &Seen) -> Option<Timestamp> {
    let secs = pod.spec.as_ref()?.active_deadline_seconds?;
    seen.accepted.checked_add(SignedDuration::from_secs(secs)).ok()
}

/// Stops every container, then takes the pod down.
fn stop_all(pod: &Pod, seen: &Seen, now: Timestamp, deleted: bool, actions: &mut Vec<Action>) {
    let of_pod = pod
        .spec
        .as_ref()
        .and_then(|spec| spec.termination_grace_period_seconds);
    let of_deletion = pod.metadata.deletion_grace_period_seconds.filter(|_| deleted);
    let of_eviction = matches!(seen.stopped, Some(Stop::Evicted { .. })).then_some(EVICTION_GRACE_SECS);
    let grace = of_deletion.or(of_eviction).or(of_pod).unwrap_or(GRACE_SECS);
    let names: Vec<&str> = seen.containers.keys().map(String::as_str).collect();
    let mut left = stop(seen, &names, grace, now, actions);
    if matches!(seen.sandbox, Sandbox::SettingUp) {
        left = true;
    }
    if left {
        return;
    }
    match seen.sandbox {
        Sandbox::Ready { .. } => actions.push(Action::TearDown),
        Sandbox::TearingDown => {}
        _ if deleted => actions.push(Action::Remove),
        _ => {}
    }
}

fn grace_of(pod: &Pod) -> i64 {
    pod.spec
        .as_ref()
        .and_then(|spec| spec.termination_grace_period_seconds)
        .unwrap_or(GRACE_SECS)
}

/// Stops the named containers; true while one of them is alive.
fn stop(seen: &Seen, names: &[&str], grace_secs: i64, now: Timestamp, actions: &mut Vec<Action>) -> bool {
    let mut left = false;
    for name in names {
        let Some(container) = seen.container(name) else {
            continue;
        };
        let container_name = || (*name).to_string();
        match &container.state {
            State::Starting => {
                actions.push(Action::Cancel {
                    container: container_name(),
                });
                left = true;
            }
            State::Running { .. } => {
                left = true;
                let asked = container.terminated_at;
                let due = asked
                    .unwrap_or(now)
                    .saturating_add(SignedDuration::from_secs(grace_secs.max(0)));
                let due = due.unwrap_or(now);
                if asked.is_none() && grace_secs > 0 {
                    actions.push(Action::Terminate {
                        container: container_name(),
                    });
                }
                if due <= now {
                    if !container.killed {
                        actions.push(Action::Kill {
                            container: container_name(),
                        });
                    }
                } else {
                    actions.push(Action::Wake(due));
                }
            }
            State::Idle | State::Failing { .. } | State::Ended(_) => {}
        }
    }
    left
}

/// All main containers have ended for good, or an init container failed: stop the sidecars and take the pod down.
fn finish(pod: &Pod, seen: &Seen, now: Timestamp, actions: &mut Vec<Action>) {
    let grace = pod
        .spec
        .as_ref()
        .and_then(|s| s.termination_grace_period_seconds)
        .unwrap_or(GRACE_SECS);
    let names: Vec<&str> = seen.containers.keys().map(String::as_str).collect();
    if !stop(seen, &names, grace, now, actions) && matches!(seen.sandbox, Sandbox::Ready { .. }) {
        actions.push(Action::TearDown);
    }
}

fn run(pod: &Pod, seen: &Seen, now: Timestamp, actions: &mut Vec<Action>) {
    match &seen.sandbox {
        Sandbox::Absent => return actions.push(Action::SetUp),
        Sandbox::Failed { retry_at, .. } if *retry_at <= now => return actions.push(Action::SetUp),
        Sandbox::Failed { retry_at, .. } => return actions.push(Action::Wake(*retry_at)),
        Sandbox::SettingUp | Sandbox::Refused { .. } | Sandbox::TearingDown | Sandbox::Gone => return,
        Sandbox::Ready { .. } => {}
    }
    for added in seen::added(pod) {
        drive(pod, &added, false, seen, now, actions);
    }
    let Some(spec) = &pod.spec else { return };
    for init in spec.init_containers.iter().flatten() {
        drive(pod, init, true, seen, now, actions);
        if !init_done(init, seen) {
            return;
        }
    }
    for container in &spec.containers {
        drive(pod, container, false, seen, now, actions);
    }
}

/// An init container ended well; a sidecar has started.
pub(crate) fn init_done(init: &Spec, seen: &Seen) -> bool {
    let Some(container) = seen.container(&init.name) else {
        return false;
    };
    match &container.state {
        State::Ended(ended) => !is_sidecar(init) && ended.exit_code == 0,
        State::Running { .. } => is_sidecar(init) && container.started,
        _ => false,
    }
}

/// An init container that goes on beside the others.
pub(crate) fn is_sidecar(init: &Spec) -> bool {
    init.restart_policy.as_deref() == Some("Always")
}

fn drive(pod: &Pod, spec: &Spec, init: bool, seen: &Seen, now: Timestamp, actions: &mut Vec<Action>) {
    let Some(container) = seen.container(&spec.name) else {
        return;
    };
    let start = || Action::Start {
        container: spec.name.clone(),
    };
    match &container.state {
        State::Idle => actions.push(start()),
        State::Failing { retry_at, .. } if *retry_at <= now => actions.push(start()),
        State::Failing { retry_at, since, .. } => {
            actions.push(Action::Wake(*retry_at));
            let shown = status::back_off_shown_at(*since);
            if shown > now {
                actions.push(Action::Wake(shown));
            }
        }
        State::Running { .. } if container.condemned => {
            stop(seen, &[&spec.name], grace_of(pod), now, actions);
        }
        State::Starting | State::Running { .. } => {}
        State::Ended(ended) => {
            if !restarts(pod, spec, init, ended) {
                return;
            }
            let due = restart_at(container, ended);
            actions.push(if due <= now { start() } else { Action::Wake(due) });
        }
    }
}

/// When an ended container is started again. The first time is at once.
pub(crate) fn restart_at(container: &Container, ended: &Ended) -> Timestamp {
    let wait = restart_wait_secs(container.restarts);
    ended
        .finished_at
        .saturating_add(SignedDuration::from_secs(wait))
        .unwrap_or(ended.finished_at)
}

/// Seconds to wait before another restart.
pub(crate) fn restart_wait_secs(restarts: u32) -> i64 {
    match restarts {
        0 => 0,
        n => BACKOFF_SECS
            .saturating_mul(1 << (n - 1).min(10))
            .min(BACKOFF_LIMIT_SECS),
    }
}

/// Whether a container that ended like this is started again.
pub(crate) fn restarts(pod: &Pod, spec: &Spec, init: bool, ended: &Ended) -> bool {
    if init && is_sidecar(spec) {
        return true;
    }
    if seen::ephemeral(pod).any(|added| added.name == spec.name) {
        return false;
    }
    let policy = pod
        .spec
        .as_ref()
        .and_then(|s| s.restart_policy.as_deref())
        .unwrap_or("Always");
    match policy {
        "Never" => false,
        "OnFailure" => ended.exit_code != 0,
        // Init containers run until they succeed, not for ever.
        _ => !init || ended.exit_code != 0,
    }
}

/// Nothing of the pod will be started any more.
pub(crate) fn is_over(pod: &Pod, seen: &Seen) -> bool {
    let Some(spec) = &pod.spec else { return true };
    if matches!(seen.sandbox, Sandbox::Gone | Sandbox::Refused { .. }) {
        return true;
    }
    let ended_for_good = |spec: &Spec, init: bool| match seen.container(&spec.name).map(|c| &c.state) {
        Some(State::Ended(ended)) => !restarts(pod, spec, init, ended),
        _ => false,
    };
    let failed = |init: &&Spec| ended_for_good(init, true) && !init_done(init, seen);
    spec.init_containers.iter().flatten().any(|init| failed(&init))
        || spec
            .containers
            .iter()
            .all(|container| ended_for_good(container, false))
}
