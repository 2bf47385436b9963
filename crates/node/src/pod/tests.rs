//! Decisions about pods, without doing anything: a pod, a script of what happens, and what the node wants after each line.

use std::fmt::Write;

use expect_test::{Expect, expect};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{ContainerStatus, Pod, PodStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, json};

use super::next::{Action, next};
use super::seen::{Ended, Reason, Sandbox, Seen, State};

fn pod(spec: Value) -> Pod {
    let pod = json!({"metadata": {"name": "p", "namespace": "default", "uid": "u"}, "spec": spec});
    serde_json::from_value(pod).unwrap()
}

/// Plays `script`, one event per line, and prints the actions that follow each. Words: `ready`, `refused`, `running C`,
/// `exit C CODE`, `pull-failed C`, `delete`, `at SECONDS`, `torn-down`, `condemn C`.
fn check(spec: Value, script: &str, expected: Expect) {
    let mut pod = pod(spec);
    let start: Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let mut now = start;
    let mut seen = Seen::new(&pod, "10.0.0.1", now);
    let mut story = String::new();
    tell(&mut story, "begin", &pod, &mut seen, now, start);
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let words: Vec<&str> = line.split(' ').collect();
        match words[..] {
            ["at", seconds] => now = start + SignedDuration::from_secs(seconds.parse().unwrap()),
            ["ready"] => {
                seen.sandbox = Sandbox::Ready {
                    ip: "10.0.0.2".into(),
                }
            }
            ["refused"] => seen.sandbox = Sandbox::Refused { message: "no".into() },
            ["torn-down"] => seen.sandbox = Sandbox::Gone,
            ["delete"] => pod.metadata.deletion_timestamp = Some(Time(now)),
            ["running", name] => {
                let container = seen.containers.get_mut(name).unwrap();
                container.state = State::Running { since: now };
                (container.started, container.ready) = (true, true);
            }
            ["condemn", name] => seen.containers.get_mut(name).unwrap().condemned = true,
            ["pull-failed", name] => {
                let retry_at = now + SignedDuration::from_secs(10);
                let (reason, message) = (Reason::ErrImagePull, "no route".to_string());
                seen.containers.get_mut(name).unwrap().state = State::Failing {
                    reason,
                    message,
                    since: now,
                    retry_at,
                };
            }
            ["exit", name, code] => {
                let container = seen.containers.get_mut(name).unwrap();
                container.ready = false;
                container.state = State::Ended(Ended {
                    exit_code: code.parse().unwrap(),
                    reason: "Error".into(),
                    message: None,
                    started_at: Some(now),
                    finished_at: now,
                    container_id: "id".into(),
                });
            }
            _ => panic!("unknown line {line:?}"),
        }
        tell(&mut story, line, &pod, &mut seen, now, start);
    }
    expected.assert_eq(&story);
}

/// Prints the actions and does what the pod's task would do before anything else happens.
fn tell(story: &mut String, line: &str, pod: &Pod, seen: &mut Seen, now: Timestamp, start: Timestamp) {
    writeln!(story, "{line}").unwrap();
    for _ in 0..10 {
        let actions = next(pod, seen, now);
        assert_eq!(
            actions,
            next(pod, seen, now),
            "the same arguments give the same answer"
        );
        let mut again = false;
        for action in actions {
            let text = match action {
                Action::Wake(at) => format!("wake at {}", at.duration_since(start).as_secs()),
                Action::Report(status) => {
                    let text = summary(&status);
                    seen.reported = Some(*status);
                    text
                }
                other => {
                    again |= do_it(&other, seen, now);
                    format!("{other:?}")
                }
            };
            writeln!(story, "    {text}").unwrap();
        }
        if !again {
            return;
        }
    }
    panic!("it never comes to rest: {story}");
}

fn do_it(action: &Action, seen: &mut Seen, now: Timestamp) -> bool {
    let mut container = |name: &str| seen.containers.get_mut(name).unwrap().clone();
    match action {
        Action::SetUp => seen.sandbox = Sandbox::SettingUp,
        Action::TearDown => seen.sandbox = Sandbox::TearingDown,
        Action::Expire => seen.expired = true,
        Action::Start { container: name } => {
            let mut changed = container(name);
            if let State::Ended(ended) = &changed.state {
                changed.last = Some(ended.clone());
                changed.restarts += 1;
            }
            changed.state = State::Starting;
            seen.containers.insert(name.clone(), changed);
        }
        Action::Cancel { container: name } => seen.containers.get_mut(name).unwrap().state = State::Idle,
        Action::Terminate { container: name } => {
            seen.containers.get_mut(name).unwrap().terminated_at = Some(now)
        }
        Action::Kill { container: name } => seen.containers.get_mut(name).unwrap().killed = true,
        Action::Remove | Action::Report(_) | Action::Wake(_) => return false,
    }
    true
}

fn summary(status: &PodStatus) -> String {
    let mut text = format!("report {}", status.phase.as_deref().unwrap_or_default());
    if let Some(reason) = &status.reason {
        write!(text, " ({reason})").unwrap();
    }
    let true_ones = status
        .conditions
        .iter()
        .flatten()
        .filter(|c| c.status == "True")
        .map(|c| c.type_.as_str());
    let known = ["Initialized", "Ready"];
    let conditions: Vec<&str> = true_ones.filter(|c| known.contains(c)).collect();
    write!(text, " [{}]", conditions.join(" ")).unwrap();
    for container in status
        .init_container_statuses
        .iter()
        .flatten()
        .chain(status.container_statuses.iter().flatten())
    {
        write!(text, " {}={}", container.name, state(container)).unwrap();
    }
    text
}

fn state(container: &ContainerStatus) -> String {
    let state = container.state.clone().unwrap_or_default();
    if let Some(waiting) = state.waiting {
        waiting.reason.unwrap_or_default()
    } else if let Some(terminated) = state.terminated {
        terminated.exit_code.to_string()
    } else {
        "running".into()
    }
}

fn one(policy: &str) -> Value {
    json!({"restartPolicy": policy, "terminationGracePeriodSeconds": 5, "containers": [{"name": "c"}]})
}

#[test]
fn a_container_runs_once() {
    check(one("Never"), "ready\nrunning c\nexit c 0\ntorn-down", expect![""]);
    check(one("Never"), "ready\nrunning c\nexit c 3\ntorn-down", expect![""]);
    check(one("Never"), "refused", expect![""]);
}

#[test]
fn init_containers_and_sidecars_come_before_containers() {
    let spec = json!({"restartPolicy": "Never", "containers": [{"name": "c"}, {"name": "d"}],
        "initContainers": [{"name": "i"}, {"name": "s", "restartPolicy": "Always"}]});
    check(
        spec.clone(),
        "ready\nrunning i\nexit i 0\nrunning s\nrunning c\nrunning d\nexit c 0\nexit d 0\nexit s 137\ntorn-down",
        expect![""],
    );
    check(spec, "ready\nrunning i\nexit i 1\ntorn-down", expect![""]);
}

#[test]
fn restarts_back_off() {
    check(
        one("Always"),
        "ready\nrunning c\nexit c 1\nrunning c\nat 5\nexit c 1\nat 15\nrunning c\nat 16\nexit c 0",
        expect![""],
    );
    check(
        one("OnFailure"),
        "ready\nrunning c\nexit c 1\nrunning c\nexit c 0",
        expect![""],
    );
}

#[test]
fn deletion_is_polite_then_firm() {
    check(
        one("Never"),
        "ready\nrunning c\ndelete\nat 4\nat 5\nexit c 137\ntorn-down",
        expect![""],
    );
    check(one("Never"), "delete", expect![""]);
    check(one("Never"), "ready\ndelete\ntorn-down", expect![""]);
}

#[test]
fn deadlines_end_pods() {
    let mut spec = one("Never");
    spec["activeDeadlineSeconds"] = json!(10);
    check(
        spec.clone(),
        "ready\nrunning c\nat 10\nat 15\nexit c 137\ntorn-down",
        expect![""],
    );
    check(
        spec.clone(),
        "ready\nrunning c\nexit c 0\nat 20\ntorn-down",
        expect![""],
    );
    check(spec, "ready\npull-failed c\nat 10", expect![""]);
}

#[test]
fn failed_pulls_are_tried_again() {
    check(one("Never"), "ready\npull-failed c\nat 2\nat 10", expect![""]);
}

#[test]
fn condemned_containers_are_ended_and_restarted() {
    check(
        one("Always"),
        "ready\nrunning c\ncondemn c\nat 5\nexit c 137",
        expect![""],
    );
}

/// Whatever was running when the node was killed has ended; what had ended stays so.
#[test]
fn pods_met_again_are_not_run_twice() {
    let mut pod = pod(
        json!({"restartPolicy": "Never", "initContainers": [{"name": "i"}], "containers": [{"name": "c"}]}),
    );
    let status = json!({"phase": "Running", "startTime": "2026-01-01T00:00:00Z",
        "initContainerStatuses": [{"name": "i", "image": "", "imageID": "", "ready": true, "restartCount": 0,
            "state": {"terminated": {"exitCode": 0, "finishedAt": "2026-01-01T00:00:01Z"}}}],
        "containerStatuses": [{"name": "c", "image": "", "imageID": "", "ready": true, "restartCount": 0,
            "state": {"running": {"startedAt": "2026-01-01T00:00:02Z"}}}]});
    pod.status = Some(serde_json::from_value(status).unwrap());
    let now = "2026-01-01T01:00:00Z".parse().unwrap();
    let seen = Seen::new(&pod, "10.0.0.1", now);
    let actions = next(&pod, &seen, now);
    let [Action::Report(status)] = &actions[..] else {
        panic!("{actions:?}")
    };
    assert_eq!(summary(status), "report Failed [Initialized] i=0 c=137");
}
