//! Decisions about pods, without doing anything: a pod, a script of what happens, and what the node wants after each line.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use expect_test::{Expect, expect};
use jiff::{SignedDuration, Timestamp};
use k8s_openapi::api::core::v1::{ContainerStatus, Pod, PodStatus};
use k8s_openapi::apimachinery::pkg::apis::meta::v1::Time;
use serde_json::{Value, json};

use super::next::{Action, next};
use super::seen::{Ended, Reason, Sandbox, Seen, State, Stop};

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
    let mut seen = Seen::new(&pod, "10.0.0.1", now, &BTreeMap::new(), &BTreeSet::new());
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
        Action::Expire => seen.stopped = Some(Stop::Expired),
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
    check(
        one("Never"),
        "ready\nrunning c\nexit c 0\ntorn-down",
        expect![[r#"
        begin
            SetUp
            report Pending [Initialized] c=ContainerCreating
        ready
            Start { container: "c" }
            report Pending [Initialized] c=ContainerCreating
        running c
            report Running [Initialized Ready] c=running
        exit c 0
            TearDown
            report Succeeded [Initialized] c=0
        torn-down
    "#]],
    );
    check(
        one("Never"),
        "ready\nrunning c\nexit c 3\ntorn-down",
        expect![[r#"
        begin
            SetUp
            report Pending [Initialized] c=ContainerCreating
        ready
            Start { container: "c" }
            report Pending [Initialized] c=ContainerCreating
        running c
            report Running [Initialized Ready] c=running
        exit c 3
            TearDown
            report Failed [Initialized] c=3
        torn-down
    "#]],
    );
    check(
        one("Never"),
        "refused",
        expect![[r#"
        begin
            SetUp
            report Pending [Initialized] c=ContainerCreating
        refused
            report Failed (NotSupported) [Initialized] c=ContainerCreating
    "#]],
    );
}

#[test]
fn init_containers_and_sidecars_come_before_containers() {
    let spec = json!({"restartPolicy": "Never", "containers": [{"name": "c"}, {"name": "d"}],
        "initContainers": [{"name": "i"}, {"name": "s", "restartPolicy": "Always"}]});
    check(
        spec.clone(),
        "ready\nrunning i\nexit i 0\nrunning s\nrunning c\nrunning d\nexit c 0\nexit d 0\nexit s 137\ntorn-down",
        expect![[r#"
            begin
                SetUp
                report Pending [] i=PodInitializing s=PodInitializing c=PodInitializing d=PodInitializing
            ready
                Start { container: "i" }
                report Pending [] i=PodInitializing s=PodInitializing c=PodInitializing d=PodInitializing
            running i
                report Pending [] i=running s=PodInitializing c=PodInitializing d=PodInitializing
            exit i 0
                Start { container: "s" }
                report Pending [] i=0 s=PodInitializing c=PodInitializing d=PodInitializing
            running s
                Start { container: "c" }
                Start { container: "d" }
                report Pending [Initialized] i=0 s=running c=PodInitializing d=PodInitializing
            running c
                report Pending [Initialized] i=0 s=running c=running d=PodInitializing
            running d
                report Running [Initialized Ready] i=0 s=running c=running d=running
            exit c 0
                report Running [Initialized] i=0 s=running c=0 d=running
            exit d 0
                Terminate { container: "s" }
                wake at 30
                report Running [Initialized] i=0 s=running c=0 d=0
                wake at 30
            exit s 137
                TearDown
                report Succeeded [Initialized] i=0 s=137 c=0 d=0
            torn-down
        "#]],
    );
    check(
        spec,
        "ready\nrunning i\nexit i 1\ntorn-down",
        expect![[r#"
        begin
            SetUp
            report Pending [] i=PodInitializing s=PodInitializing c=PodInitializing d=PodInitializing
        ready
            Start { container: "i" }
            report Pending [] i=PodInitializing s=PodInitializing c=PodInitializing d=PodInitializing
        running i
            report Pending [] i=running s=PodInitializing c=PodInitializing d=PodInitializing
        exit i 1
            TearDown
            report Failed [] i=1 s=PodInitializing c=PodInitializing d=PodInitializing
        torn-down
    "#]],
    );
}

#[test]
fn restarts_back_off() {
    check(
        one("Always"),
        "ready\nrunning c\nexit c 1\nrunning c\nat 5\nexit c 1\nat 15\nrunning c\nat 16\nexit c 0",
        expect![[r#"
            begin
                SetUp
                report Pending [Initialized] c=ContainerCreating
            ready
                Start { container: "c" }
                report Pending [Initialized] c=ContainerCreating
            running c
                report Running [Initialized Ready] c=running
            exit c 1
                Start { container: "c" }
                report Running [Initialized] c=1
                report Running [Initialized] c=ContainerCreating
            running c
                report Running [Initialized Ready] c=running
            at 5
            exit c 1
                wake at 15
                report Running [Initialized] c=CrashLoopBackOff
            at 15
                Start { container: "c" }
                report Running [Initialized] c=1
                report Running [Initialized] c=ContainerCreating
            running c
                report Running [Initialized Ready] c=running
            at 16
            exit c 0
                wake at 36
                report Running [Initialized] c=CrashLoopBackOff
        "#]],
    );
    check(
        one("OnFailure"),
        "ready\nrunning c\nexit c 1\nrunning c\nexit c 0",
        expect![[r#"
            begin
                SetUp
                report Pending [Initialized] c=ContainerCreating
            ready
                Start { container: "c" }
                report Pending [Initialized] c=ContainerCreating
            running c
                report Running [Initialized Ready] c=running
            exit c 1
                Start { container: "c" }
                report Running [Initialized] c=1
                report Running [Initialized] c=ContainerCreating
            running c
                report Running [Initialized Ready] c=running
            exit c 0
                TearDown
                report Succeeded [Initialized] c=0
        "#]],
    );
}

#[test]
fn deletion_is_polite_then_firm() {
    check(
        one("Never"),
        "ready\nrunning c\ndelete\nat 4\nat 5\nexit c 137\ntorn-down",
        expect![[r#"
            begin
                SetUp
                report Pending [Initialized] c=ContainerCreating
            ready
                Start { container: "c" }
                report Pending [Initialized] c=ContainerCreating
            running c
                report Running [Initialized Ready] c=running
            delete
                Terminate { container: "c" }
                wake at 5
                wake at 5
            at 4
                wake at 5
            at 5
                Kill { container: "c" }
            exit c 137
                TearDown
                report Failed [Initialized] c=137
            torn-down
                Remove
        "#]],
    );
    check(
        one("Never"),
        "delete",
        expect![[r#"
        begin
            SetUp
            report Pending [Initialized] c=ContainerCreating
        delete
    "#]],
    );
    check(
        one("Never"),
        "ready\ndelete\ntorn-down",
        expect![[r#"
        begin
            SetUp
            report Pending [Initialized] c=ContainerCreating
        ready
            Start { container: "c" }
            report Pending [Initialized] c=ContainerCreating
        delete
            Cancel { container: "c" }
            TearDown
            report Pending [Initialized] c=ContainerCreating
        torn-down
            report Failed [Initialized] c=ContainerCreating
            Remove
    "#]],
    );
}

#[test]
fn deadlines_end_pods() {
    let mut spec = one("Never");
    spec["activeDeadlineSeconds"] = json!(10);
    check(
        spec.clone(),
        "ready\nrunning c\nat 10\nat 15\nexit c 137\ntorn-down",
        expect![[r#"
            begin
                SetUp
                wake at 10
                report Pending [Initialized] c=ContainerCreating
                wake at 10
            ready
                Start { container: "c" }
                wake at 10
                report Pending [Initialized] c=ContainerCreating
                wake at 10
            running c
                wake at 10
                report Running [Initialized Ready] c=running
            at 10
                Expire
                Terminate { container: "c" }
                wake at 15
                wake at 15
            at 15
                Kill { container: "c" }
            exit c 137
                TearDown
                report Failed (DeadlineExceeded) [Initialized] c=137
            torn-down
        "#]],
    );
    check(
        spec,
        "ready\nrunning c\nexit c 0\nat 20\ntorn-down",
        expect![[r#"
            begin
                SetUp
                wake at 10
                report Pending [Initialized] c=ContainerCreating
                wake at 10
            ready
                Start { container: "c" }
                wake at 10
                report Pending [Initialized] c=ContainerCreating
                wake at 10
            running c
                wake at 10
                report Running [Initialized Ready] c=running
            exit c 0
                TearDown
                report Succeeded [Initialized] c=0
            at 20
            torn-down
        "#]],
    );
}

#[test]
fn deadlines_end_pods_that_never_ran() {
    let mut spec = one("Never");
    spec["activeDeadlineSeconds"] = json!(10);
    check(
        spec,
        "ready\npull-failed c\nat 10",
        expect![[r#"
        begin
            SetUp
            wake at 10
            report Pending [Initialized] c=ContainerCreating
            wake at 10
        ready
            Start { container: "c" }
            wake at 10
            report Pending [Initialized] c=ContainerCreating
            wake at 10
        pull-failed c
            wake at 10
            wake at 2
            wake at 10
            report Pending [Initialized] c=ErrImagePull
        at 10
            Expire
            TearDown
            report Failed (DeadlineExceeded) [Initialized] c=ImagePullBackOff
    "#]],
    );
}

#[test]
fn failed_pulls_are_tried_again() {
    check(
        one("Never"),
        "ready\npull-failed c\nat 2\nat 10",
        expect![[r#"
        begin
            SetUp
            report Pending [Initialized] c=ContainerCreating
        ready
            Start { container: "c" }
            report Pending [Initialized] c=ContainerCreating
        pull-failed c
            wake at 10
            wake at 2
            report Pending [Initialized] c=ErrImagePull
        at 2
            wake at 10
            report Pending [Initialized] c=ImagePullBackOff
        at 10
            Start { container: "c" }
            report Pending [Initialized] c=ContainerCreating
    "#]],
    );
}

#[test]
fn condemned_containers_are_ended_and_restarted() {
    check(
        one("Always"),
        "ready\nrunning c\ncondemn c\nat 5\nexit c 137",
        expect![[r#"
            begin
                SetUp
                report Pending [Initialized] c=ContainerCreating
            ready
                Start { container: "c" }
                report Pending [Initialized] c=ContainerCreating
            running c
                report Running [Initialized Ready] c=running
            condemn c
                Terminate { container: "c" }
                wake at 5
                wake at 5
            at 5
                Kill { container: "c" }
            exit c 137
                Start { container: "c" }
                report Running [Initialized] c=137
                report Running [Initialized] c=ContainerCreating
        "#]],
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
    let seen = Seen::new(&pod, "10.0.0.1", now, &BTreeMap::new(), &BTreeSet::new());
    let actions = next(&pod, &seen, now);
    let [Action::Report(status)] = &actions[..] else {
        panic!("{actions:?}")
    };
    assert_eq!(summary(status), "report Failed [Initialized] i=0 c=137");
}
