//! What decisions that were never stored leave behind, and what a person's retry sets back: places under limits, pods
//! that no node knows of, locks. Each of these once hung a workflow or broke a limit in the simulator.

use std::sync::Arc;

use argosy_engine::locks::Op;
use argosy_engine::names::{self, PodNames};
use argosy_engine::{Effect, Order, Refusal};
use argosy_model::k8s::Pod;
use argosy_model::{Workflow, WorkflowPhase, decode};
use argosy_testkit::World;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

const WF: &str = "wf";

/// Passes after which a test's workflow rests.
const PASSES: usize = 6;

/// A pod that is there: name of its node, its template, what became of it.
type Seen<'p> = (&'p str, &'p str, &'p str);

fn now() -> Timestamp {
    "2026-01-01T00:00:00Z".parse().expect("a time")
}

fn id(name: &str) -> String {
    names::node_id(WF, name)
}

/// A stored node from a line: name, type, phase (with `*`: it waits for the mutex), template, name of its boundary, names
/// of its children; `-` for none.
fn stored(line: &str) -> (String, Value) {
    let mut columns = line.split_whitespace();
    let mut next = || columns.next().filter(|column| *column != "-").unwrap_or_default();
    let (name, kind, phase, template, boundary) = (next(), next(), next(), next(), next());
    let mut node = json!({
        "id": id(name), "name": name, "displayName": name, "type": kind, "phase": phase.trim_end_matches('*'),
        "templateName": template, "templateScope": "local/wf", "startedAt": "2025-12-31T23:59:00Z",
        "children": columns.map(id).collect::<Vec<_>>(),
    });
    if !boundary.is_empty() {
        node["boundaryID"] = json!(id(boundary));
    }
    if kind == "Pod" {
        node["taskResultSynced"] = json!(true);
    }
    if phase.ends_with('*') {
        node["synchronizationStatus"] = json!({"waiting": "argo/Mutex/m"});
    }
    (id(name), node)
}

fn pod(&(name, template, state): &Seen<'_>) -> Pod {
    let running = json!({"running": {"startedAt": "2025-12-31T23:59:10Z"}});
    let ended = |code: i32| json!({"terminated": {"exitCode": code, "finishedAt": "2025-12-31T23:59:50Z"}});
    let status = |name: &str, state: &Value| json!({"name": name, "state": state});
    let (phase, containers) = match state {
        "runs" => (
            "Running",
            vec![status("main", &running), status("wait", &running)],
        ),
        "succeeded" => (
            "Succeeded",
            vec![status("main", &ended(0)), status("wait", &ended(0))],
        ),
        "only its sidecar runs" => (
            "Running",
            vec![
                status("main", &ended(0)),
                status("wait", &ended(0)),
                status("side", &running),
            ],
        ),
        other => panic!("no state {other:?}"),
    };
    decode::lenient(json!({
        "metadata": {
            "name": names::pod_name(WF, name, template, PodNames::V2), "uid": "u",
            "labels": {"workflows.argoproj.io/workflow": WF},
            "annotations": {"workflows.argoproj.io/node-id": id(name), "workflows.argoproj.io/node-name": name},
        },
        "status": {"phase": phase, "containerStatuses": containers},
    }))
    .expect("the pod is well formed")
}

/// A world with one workflow that was stored so: a node a line.
fn world(spec: &Value, nodes: &str, pods: &[Seen<'_>]) -> World {
    let mut spec = spec.clone();
    spec["entrypoint"] = json!("main");
    let leaf = json!({"name": "leaf", "container": {"image": "x", "command": ["x"]}});
    spec["templates"].as_array_mut().expect("templates").push(leaf);
    let lines = nodes.lines().filter(|line| !line.trim().is_empty());
    let nodes: serde_json::Map<String, Value> = lines.map(stored).collect();
    let workflow: Workflow = decode::lenient(json!({
        "metadata": {"name": WF, "namespace": "argo", "uid": "w"}, "spec": spec,
        "status": {"phase": "Running", "startedAt": "2025-12-31T23:59:00Z", "nodes": nodes},
    }))
    .expect("the workflow is well formed");
    let mut world = World::default();
    world.submit(workflow, now());
    let life = world.workflows.get_mut(WF).expect("submitted");
    for pod in pods.iter().map(pod) {
        life.pods.insert(pod.metadata.name.clone(), Arc::new(pod));
    }
    world
}

/// Decides until nothing moves, and gives the nodes whose pods were made or asked to end, each once.
fn rest(world: &mut World) -> Vec<String> {
    let mut done = Vec::new();
    for _ in 0..PASSES {
        let passed = world.pass(WF, now()).expect("submitted");
        let status = &world.workflows[WF].workflow.status;
        let name = |id: &String| {
            status
                .nodes
                .get(id)
                .map_or("a stray", |node| node.name.as_str())
                .to_owned()
        };
        done.extend(passed.created.iter().map(|(id, _)| format!("made {}", name(id))));
        for effect in &passed.decision.effects {
            if let Effect::TerminateContainers { node_id, .. } = effect {
                done.push(format!("ended {}", name(node_id)));
            }
        }
        if passed.decision.wake_at != Some(now()) {
            break;
        }
    }
    done.dedup();
    done
}

fn check(spec: &Value, nodes: &str, pods: &[Seen<'_>], expected: &[&str]) {
    assert_eq!(rest(&mut world(spec, nodes, pods)), expected);
}

/// Two steps side by side in one group.
fn two(more: Value) -> Value {
    let mut spec = json!({"templates": [
        {"name": "main", "steps": [[{"name": "a", "template": "leaf"}, {"name": "b", "template": "leaf"}]]},
    ]});
    spec.as_object_mut()
        .expect("a map")
        .extend(more.as_object().expect("a map").clone());
    spec
}

const GROUP: &str = "
    wf     Steps      Running  main  -   wf[0]
    wf[0]  StepGroup  Running  -     wf";

/// The order of two nodes under one limit changed between the lost decision and this one.
#[test]
fn a_pod_whose_node_was_never_stored_takes_a_place() {
    let spec = two(json!({"parallelism": 1}));
    check(&spec, GROUP, &[("wf[0].b", "leaf", "runs")], &[]);
}

/// A pod that ended unseen may be made anew under its node: until that is known, its place is taken.
#[test]
fn a_pod_that_ended_before_its_node_was_stored_gives_its_place_back_once_it_is_judged() {
    let spec = two(json!({"parallelism": 1}));
    check(
        &spec,
        GROUP,
        &[("wf[0].b", "leaf", "succeeded")],
        &["made wf[0].a"],
    );
}

/// Under a limit that such a pod fills, its sidecar would run for ever: the node that would end it has no place.
#[test]
fn sidecars_of_a_pod_whose_node_was_never_stored_are_ended() {
    let spec = two(json!({"parallelism": 1}));
    let pods = [("wf.onExit", "leaf", "only its sidecar runs")];
    check(&spec, GROUP, &pods, &["ended a stray"]);
}

/// The exit handler began in a decision that was lost, and this one sees nothing that it could follow.
#[test]
fn what_only_a_lost_decision_wanted_holds_no_place_for_ever() {
    let spec = two(json!({"parallelism": 1, "onExit": "leaf"}));
    check(
        &spec,
        GROUP,
        &[("wf.onExit", "leaf", "succeeded")],
        &["made wf[0].a"],
    );
}

/// The decision that had the lock was lost, and with it that the node no longer waits.
#[test]
fn a_node_that_waits_for_a_lock_and_has_its_pod_takes_a_place() {
    let lock = json!({"mutexes": [{"name": "m"}]});
    let spec = json!({"parallelism": 1, "templates": [
        {"name": "main", "steps": [[{"name": "a", "template": "leaf"}, {"name": "b", "template": "held"}]]},
        {"name": "held", "container": {"image": "x", "command": ["x"]}, "synchronization": lock},
    ]});
    let nodes = "
        wf       Steps      Running   main  -   wf[0]
        wf[0]    StepGroup  Running   -     wf  wf[0].b
        wf[0].b  Pod        Pending*  held  wf";
    check(&spec, nodes, &[("wf[0].b", "held", "runs")], &[]);
}

/// Somebody deleted the pod of a node whose end was decided, and not stored, before the next one was made.
#[test]
fn of_more_nodes_than_may_those_go_on_that_have_their_pods() {
    let spec = two(json!({"parallelism": 1}));
    let nodes = "
        wf       Steps      Running  main  -   wf[0]
        wf[0]    StepGroup  Running  -     wf  wf[0].a
        wf[0].a  Pod        Pending  leaf  wf";
    check(&spec, nodes, &[("wf[0].b", "leaf", "runs")], &[]);
}

/// The limit held back the retry node whose next attempt was there.
#[test]
fn the_next_attempt_of_a_lost_decision_is_taken_over() {
    let spec = json!({"parallelism": 1, "templates": [
        {"name": "main", "retryStrategy": {"limit": 2}, "container": {"image": "x", "command": ["x"]}},
    ]});
    let nodes = "
        wf     Retry  Running  main  -  wf(0)
        wf(0)  Pod    Failed   main  -";
    let pods = [("wf(1)", "main", "only its sidecar runs")];
    // Its node is known from then on, and ends what runs beside it.
    check(&spec, nodes, &pods, &["ended wf(1)"]);
}

/// After a retry by a person: the earlier attempts were set to Running as well, and nothing looks at them.
#[test]
fn attempts_that_others_have_followed_hold_no_place() {
    let spec = json!({"templates": [
        {"name": "main", "parallelism": 2, "steps": [[{"name": "a", "template": "again"}]]},
        {"name": "again", "retryStrategy": {"limit": 5}, "steps": [[{"name": "x", "template": "leaf"}]]},
    ]});
    let nodes = "
        wf             Steps      Running  main   -           wf[0]
        wf[0]          StepGroup  Running  -      wf          wf[0].a
        wf[0].a        Retry      Running  again  wf          wf[0].a(0) wf[0].a(1) wf[0].a(2)
        wf[0].a(0)     Steps      Running  again  wf          wf[0].a(0)[0]
        wf[0].a(0)[0]  StepGroup  Running  -      wf[0].a(0)
        wf[0].a(1)     Steps      Running  again  wf          wf[0].a(1)[0]
        wf[0].a(1)[0]  StepGroup  Running  -      wf[0].a(1)
        wf[0].a(2)     Steps      Failed   again  wf          wf[0].a(2)[0]
        wf[0].a(2)[0]  StepGroup  Failed   -      wf[0].a(2)";
    check(&spec, nodes, &[], &["made wf[0].a(3)[0].x"]);
}

/// After a retry by a person: a step of a later group was set to Running while an exit handler before it runs again.
#[test]
fn what_is_set_back_and_has_its_turn_later_holds_no_place() {
    let spec = json!({"templates": [
        {"name": "main", "parallelism": 1, "steps": [
            [{"name": "a", "template": "leaf", "onExit": "leaf"}], [{"name": "b", "template": "inner"}],
        ]},
        {"name": "inner", "steps": [[{"name": "x", "template": "leaf"}]]},
    ]});
    let nodes = "
        wf          Steps      Running    main   -        wf[0]
        wf[0]       StepGroup  Running    -      wf       wf[0].a
        wf[0].a     Pod        Succeeded  leaf   wf       wf[1]
        wf[1]       StepGroup  Running    -      wf       wf[1].b
        wf[1].b     Steps      Running    inner  wf       wf[1].b[0]
        wf[1].b[0]  StepGroup  Running    -      wf[1].b";
    check(&spec, nodes, &[], &["made wf[0].a.onExit"]);
}

/// Somebody deleted the pod of an exit handler's only task while no controller was there.
#[test]
fn a_pod_of_an_exit_handler_that_is_gone_is_made_again() {
    let spec = json!({"hooks": {"exit": {"template": "last"}}, "templates": [
        {"name": "main", "retryStrategy": {"limit": 1}, "container": {"image": "x", "command": ["x"]}},
        {"name": "last", "dag": {"tasks": [{"name": "t0", "template": "leaf", "onExit": "leaf"}], "failFast": false}},
    ]});
    let nodes = "
        wf            Retry  Failed   main  -          wf(0)
        wf(0)         Pod    Failed   main  -
        wf.onExit     DAG    Running  last  -          wf.onExit.t0
        wf.onExit.t0  Pod    Pending  leaf  wf.onExit";
    check(&spec, nodes, &[], &["made wf.onExit.t0"]);
}

/// Two steps side by side that work under one mutex.
fn two_under_a_mutex() -> Value {
    let held = json!({"name": "held", "container": {"image": "x", "command": ["x"]},
        "synchronization": {"mutexes": [{"name": "m"}]}});
    json!({"templates": [
        {"name": "main", "steps": [[{"name": "a", "template": "held"}, {"name": "b", "template": "held"}]]}, held,
    ]})
}

/// Has a node hold the mutex.
fn hold(world: &mut World, name: &str) {
    let lock = "argo/Mutex/m".to_owned();
    let limit = Op::Limit {
        lock: lock.clone(),
        limit: 1,
    };
    let holder = format!("argo/wf/{}", id(name));
    let take = Op::Acquire {
        lock,
        holder,
        handed: false,
    };
    world.locks.apply([&limit, &take]);
}

/// Who holds the mutex, in memory and by status.
fn holders(world: &World) -> (Vec<String>, Vec<String>) {
    let known = world.locks.get("argo/Mutex/m").expect("there is such a lock");
    let status = world.workflows[WF].workflow.status.synchronization.as_ref();
    let stored = status
        .and_then(|s| s.mutex.as_ref())
        .into_iter()
        .flat_map(|m| &m.holding);
    (
        known.holders.iter().cloned().collect(),
        stored.map(|held| held.holder.clone()).collect(),
    )
}

/// The write that handed the lock on worked, and the controller was told that it failed; who had it in memory has ended,
/// or has not.
#[test]
fn a_lock_that_is_stored_as_held_is_held() {
    let nodes = "
        wf         Steps      Running    main  -   wf[0]
        wf[0]      StepGroup  Running    -     wf  wf[0].a wf[0].b
        wf[0].a    Pod        Pending*   held  wf
        wf[0].b    Pod        Pending    held  wf
        wf.onExit  Pod        Succeeded  held  -";
    for had in ["wf.onExit", "wf[0].a"] {
        let mut world = world(&two_under_a_mutex(), nodes, &[("wf[0].b", "held", "runs")]);
        hold(&mut world, had);
        let next = format!("argo/wf/{}", id("wf[0].b"));
        let stored = json!({"mutex": {"holding": [{"mutex": "argo/Mutex/m", "holder": next}]}});
        let life = world.workflows.get_mut(WF).expect("submitted");
        life.workflow.status.synchronization = Some(decode::lenient(stored).expect("a status"));
        assert_eq!(rest(&mut world), Vec::<String>::new(), "{had} had it");
        assert_eq!(holders(&world), (vec![next.clone()], vec![next]), "{had} had it");
    }
}

/// The write that gave the lock back worked, and the controller was told that it failed; who waits was looked at before.
#[test]
fn a_lock_that_is_stored_as_given_back_goes_to_who_waits() {
    let nodes = "
        wf       Steps      Running   main  -   wf[0]
        wf[0]    StepGroup  Running   -     wf  wf[0].a wf[0].b
        wf[0].a  Pod        Pending*  held  wf
        wf[0].b  Pod        Failed    held  wf";
    let mut world = world(&two_under_a_mutex(), nodes, &[]);
    hold(&mut world, "wf[0].b");
    let remembered = world.locks.clone();
    world.pass(WF, now()).expect("submitted");
    world.locks = remembered;
    assert_eq!(rest(&mut world), ["made wf[0].a"]);
}

/// The call that made the pod worked, and the controller was told that it failed; then the group of steps ended.
#[test]
fn a_lock_is_kept_while_an_unseen_pod_may_work_under_it() {
    let nodes = "
        wf       Steps      Running  main  -   wf[0] wf[1]
        wf[0]    StepGroup  Failed   -     wf  wf[0].a
        wf[0].a  Pod        Pending  held  wf";
    let unseen = names::pod_name(WF, "wf[0].a", "held", PodNames::V2);
    let decide = |refused: bool| {
        let mut world = world(&two_under_a_mutex(), nodes, &[]);
        hold(&mut world, "wf[0].a");
        let refusal = Refusal {
            transient: true,
            message: "the server is away".to_owned(),
        };
        let life = world.workflows.get_mut(WF).expect("submitted");
        life.outcomes
            .pods
            .extend(refused.then(|| (unseen.clone(), refusal)));
        let passed = world.pass(WF, now()).expect("submitted");
        let releases = |effect: &Effect| matches!(effect, Effect::Lock(Op::Release { .. }));
        passed.decision.effects.iter().any(releases)
    };
    assert_eq!((decide(false), decide(true)), (true, false));
}

/// What waited for its lock longer than it may be pending ends, and its pod works until it is deleted.
#[test]
fn a_lock_is_kept_until_the_pod_of_a_node_that_ended_is_gone() {
    let nodes = "
        wf       Steps      Running   main  -   wf[0]
        wf[0]    StepGroup  Running   -     wf  wf[0].a wf[0].b
        wf[0].a  Pod        Failed    held  wf
        wf[0].b  Pod        Pending*  held  wf";
    let mut world = world(&two_under_a_mutex(), nodes, &[("wf[0].a", "held", "runs")]);
    hold(&mut world, "wf[0].a");
    let passed = world.pass(WF, now()).expect("submitted");
    assert_eq!(passed.created, []);
    assert_eq!(holders(&world).0, [format!("argo/wf/{}", id("wf[0].a"))]);
    world.workflows.get_mut(WF).expect("submitted").pods.clear();
    assert_eq!(rest(&mut world), ["made wf[0].b"]);
}

/// The deadline ends its attempt; the retry node itself has no pod and is still shown as pending.
#[test]
fn a_retry_node_that_waited_for_its_lock_does_not_end_before_its_attempt() {
    let spec = json!({"activeDeadlineSeconds": 10, "templates": [
        {"name": "main", "retryStrategy": {"limit": 1}, "container": {"image": "x", "command": ["x"]},
            "synchronization": {"mutexes": [{"name": "m"}]}},
    ]});
    let nodes = "
        wf     Retry  Pending  main  -  wf(0)
        wf(0)  Pod    Running  main  -";
    let mut world = world(&spec, nodes, &[("wf(0)", "main", "runs")]);
    hold(&mut world, "wf");
    let begun = json!({"metadata": {"name": id("wf(0)"),
        "labels": {"workflows.argoproj.io/report-outputs-completed": "false"}}});
    let life = world.workflows.get_mut(WF).expect("submitted");
    life.results
        .insert(id("wf(0)"), Arc::new(decode::lenient(begun).expect("a result")));
    world.pass(WF, now()).expect("submitted");
    let nodes = &world.workflows[WF].workflow.status.nodes;
    assert_eq!(nodes[&id("wf(0)")].phase.as_str(), "Failed");
    assert_eq!(nodes[&id("wf")].phase.as_str(), "Pending");
    assert_eq!(holders(&world).0, [format!("argo/wf/{}", id("wf"))]);
}

/// A template under the mutex, tried again.
fn tried_again_under_a_mutex(second: &str) -> Value {
    let mut spec = two_under_a_mutex();
    spec["templates"][0]["parallelism"] = json!(1);
    spec["templates"][0]["steps"][0][0]["template"] = json!("again");
    spec["templates"][0]["steps"][0][1]["template"] = json!(second);
    let again = json!({"name": "again", "retryStrategy": {"limit": 2}, "container": {"image": "x", "command": ["x"]},
        "synchronization": {"mutexes": [{"name": "m"}]}});
    let inner = json!({"name": "inner", "steps": [[{"name": "x", "template": "held"}]]});
    let templates = spec["templates"].as_array_mut().expect("templates");
    templates.extend([again, inner]);
    spec
}

/// Without any fault: the step beside it had the place, and waited for the lock that is kept between attempts.
#[test]
fn a_retry_that_holds_a_lock_does_not_wait_for_the_place_of_who_waits_for_that_lock() {
    let nodes = "
        wf          Steps      Running  main   -   wf[0]
        wf[0]       StepGroup  Running  -      wf  wf[0].a wf[0].b
        wf[0].a     Retry      Running  again  wf  wf[0].a(0)
        wf[0].a(0)  Pod        Failed   again  wf";
    let waits = "
        wf[0].b  Pod  Pending*  held  wf";
    let inside = "
        wf[0].b       Steps      Running   inner  wf       wf[0].b[0]
        wf[0].b[0]    StepGroup  Running   -      wf[0].b  wf[0].b[0].x
        wf[0].b[0].x  Pod        Pending*  held   wf[0].b";
    for (second, rest_of) in [("held", waits), ("inner", inside)] {
        let all = format!("{nodes}{rest_of}");
        let mut world = world(&tried_again_under_a_mutex(second), &all, &[]);
        hold(&mut world, "wf[0].a");
        assert_eq!(rest(&mut world), ["made wf[0].a(1)"], "beside {second:?}");
    }
}

/// An exit handler of an item before it holds back a whole item, and with it an exit handler that waits for a lock.
#[test]
fn an_exit_handler_that_waits_for_a_lock_and_has_no_turn_is_left_alone() {
    let held = json!({"name": "held", "container": {"image": "x", "command": ["x"]},
        "synchronization": {"mutexes": [{"name": "m"}]}});
    let spec = json!({"templates": [
        {"name": "main", "dag": {"tasks": [{"name": "t", "template": "inner", "withItems": ["a", "b"], "onExit": "leaf"}]}},
        {"name": "inner", "dag": {"tasks": [{"name": "u", "template": "leaf", "withItems": ["a"], "onExit": "held"}]}},
        held,
    ]});
    let nodes = "
        wf                       DAG        Running    main   -          wf.t
        wf.t                     TaskGroup  Running    inner  wf         wf.t(0:a) wf.t(1:b)
        wf.t(0:a)                DAG        Succeeded  inner  wf         wf.t(0:a).onExit
        wf.t(0:a).onExit         Pod        Running    leaf   wf
        wf.t(1:b)                DAG        Running    inner  wf         wf.t(1:b).u
        wf.t(1:b).u              TaskGroup  Succeeded  leaf   wf.t(1:b)  wf.t(1:b).u(0:a)
        wf.t(1:b).u(0:a)         Pod        Succeeded  leaf   wf.t(1:b)  wf.t(1:b).u(0:a).onExit
        wf.t(1:b).u(0:a).onExit  Pod        Pending*   held   wf.t(1:b)";
    let mut world = world(&spec, nodes, &[("wf.t(0:a).onExit", "leaf", "runs")]);
    hold(&mut world, "wf.t(0:a).onExit");
    rest(&mut world);
    let passed = world.pass(WF, now()).expect("submitted");
    assert!(passed.decision.changes.is_empty());
}

/// A limit refused its hook, which made an Error of it while its pod went on.
#[test]
fn containers_of_a_node_that_ended_before_its_pod_end_with_the_pod() {
    let set = json!({"name": "set", "containerSet": {"containers": [{"name": "main", "image": "x", "command": ["x"]}]}});
    let spec =
        json!({"templates": [{"name": "main", "dag": {"tasks": [{"name": "t", "template": "set"}]}}, set]});
    let nodes = "
        wf         DAG        Running  main  -     wf.t
        wf.t       Pod        Error    set   wf    wf.t.main
        wf.t.main  Container  Running  set   wf.t";
    let mut world = world(&spec, nodes, &[("wf.t", "set", "succeeded")]);
    rest(&mut world);
    assert_eq!(world.workflows[WF].workflow.status.phase, WorkflowPhase::Error);
}

/// The exit handler of a task had begun, and its pod was deleted.
#[test]
fn what_a_termination_leaves_of_a_tasks_exit_handler_ends() {
    let spec = json!({"shutdown": "Terminate", "templates": [
        {"name": "main", "dag": {"tasks": [{"name": "t", "template": "leaf", "onExit": "leaf"}]}},
    ]});
    let nodes = "
        wf           DAG  Running    main  -   wf.t
        wf.t         Pod  Succeeded  leaf  wf  wf.t.onExit
        wf.t.onExit  Pod  Pending    leaf  wf";
    let mut world = world(&spec, nodes, &[]);
    rest(&mut world);
    assert_eq!(world.workflows[WF].workflow.status.phase, WorkflowPhase::Failed);
}

/// A decision that was lost had one node give the lock back and the next one take it: then both held it.
#[test]
fn a_lock_is_handed_on_together_with_its_release() {
    let nodes = "
        wf       Steps      Running    main  -   wf[0]
        wf[0]    StepGroup  Running    -     wf  wf[0].a wf[0].b
        wf[0].a  Pod        Succeeded  held  wf
        wf[0].b  Pod        Pending*   held  wf";
    let mut world = world(&two_under_a_mutex(), nodes, &[]);
    hold(&mut world, "wf[0].a");
    let passed = world.pass(WF, now()).expect("submitted");
    let locks = passed.decision.effects.iter().filter_map(|effect| match effect {
        Effect::Lock(Op::Release { .. }) => Some(("given back", effect.order())),
        Effect::Lock(Op::Acquire { .. }) => Some(("taken", effect.order())),
        _ => None,
    });
    let expected = [
        ("given back", Order::AfterPersist),
        ("taken", Order::AfterPersist),
    ];
    assert_eq!(locks.collect::<Vec<_>>(), expected);
}

/// Old news made a finished node wait for its report again, and with it for a lock that another node had by then.
#[test]
fn a_node_that_has_ended_waits_for_no_lock() {
    let held = json!({"name": "held", "container": {"image": "x", "command": ["x"]},
        "synchronization": {"mutexes": [{"name": "m"}]}});
    let spec = json!({"templates": [{"name": "main", "steps": [[{"name": "a", "template": "held"}]]}, held]});
    let nodes = "
        wf       Steps      Running  main  -   wf[0]
        wf[0]    StepGroup  Running  -     wf  wf[0].a
        wf[0].a  Pod        Failed   held  wf";
    let mut world = world(&spec, nodes, &[("wf[0].a", "held", "succeeded")]);
    let lock = "argo/Mutex/m".to_owned();
    let limit = Op::Limit {
        lock: lock.clone(),
        limit: 1,
    };
    let holder = "argo/other".to_owned();
    world.locks.apply([
        &limit,
        &Op::Acquire {
            lock,
            holder,
            handed: false,
        },
    ]);
    let old = json!({"metadata": {"name": id("wf[0].a"),
        "labels": {"workflows.argoproj.io/report-outputs-completed": "false"}}});
    let life = world.workflows.get_mut(WF).expect("submitted");
    life.results
        .insert(id("wf[0].a"), Arc::new(decode::lenient(old).expect("a result")));
    let passed = world.pass(WF, now()).expect("submitted");
    let node = &world.workflows[WF].workflow.status.nodes[&id("wf[0].a")];
    assert_eq!((node.message.as_str(), &node.synchronization_status), ("", &None));
    assert!(
        !passed
            .decision
            .effects
            .iter()
            .any(|e| matches!(e, Effect::Lock(_)))
    );
}

/// A daemon never ends by itself: a limit that only its pod fills is not waited for.
#[test]
fn the_daemon_of_a_lost_decision_is_taken_over() {
    let spec = json!({"parallelism": 1, "templates": [
        {"name": "main", "steps": [[{"name": "a", "template": "leaf"}, {"name": "b", "template": "leaf"}]]},
    ]});
    let daemon = json!({"name": "leaf", "daemon": true, "container": {"image": "x"}}).to_string();
    let mut world = world(&spec, GROUP, &[("wf[0].b", "leaf", "runs")]);
    let pods = &mut world.workflows.get_mut(WF).expect("submitted").pods;
    for pod in pods.values_mut().map(Arc::make_mut) {
        pod.spec.containers =
            decode::lenient(json!([{"name": "main", "env": [{"name": "ARGO_TEMPLATE", "value": daemon}]}]))
                .expect("a container");
    }
    assert_eq!(rest(&mut world), Vec::<String>::new());
    assert!(
        world.workflows[WF]
            .workflow
            .status
            .nodes
            .contains_key(&id("wf[0].b"))
    );
}

/// The exit handler had begun when somebody terminated the workflow, its pod was deleted, and its report never came.
#[test]
fn what_a_termination_leaves_of_the_exit_handler_ends() {
    let spec = json!({"onExit": "last", "shutdown": "Terminate", "templates": [
        {"name": "main", "container": {"image": "x", "command": ["x"]}},
        {"name": "last", "dag": {"tasks": [{"name": "t", "template": "leaf"}]}},
    ]});
    let nodes = "
        wf           Pod  Failed   main  -
        wf.onExit    DAG  Running  last  -          wf.onExit.t
        wf.onExit.t  Pod  Pending  leaf  wf.onExit";
    let mut world = world(&spec, nodes, &[]);
    let life = world.workflows.get_mut(WF).expect("submitted");
    let begun = json!({"metadata": {"name": id("wf.onExit.t"),
        "labels": {"workflows.argoproj.io/report-outputs-completed": "false"}}});
    life.results.insert(
        id("wf.onExit.t"),
        Arc::new(decode::lenient(begun).expect("a result")),
    );
    assert_eq!(rest(&mut world), Vec::<String>::new());
    let later = now() + SignedDuration::from_mins(20);
    world.pass(WF, later).expect("submitted");
    world.pass(WF, later).expect("submitted");
    assert_eq!(world.workflows[WF].workflow.status.phase, WorkflowPhase::Failed);
}

/// A controller that dies between making a pod and storing that its lock is held loses the lock and not the pod.
#[test]
fn pods_under_a_lock_are_made_once_it_is_stored_that_it_is_held() {
    let held = |level: &str| {
        let lock = json!({"synchronization": {"mutexes": [{"name": "m"}]}});
        let mut spec = json!({"entrypoint": "main", "templates": [
            {"name": "main", "dag": {"tasks": [{"name": "free", "template": "free"}, {"name": "held", "template": "inner"}]}},
            {"name": "inner", "steps": [[{"name": "x", "template": "leaf"}]]},
            {"name": "leaf", "container": {"image": "x", "command": ["x"]}},
            {"name": "free", "container": {"image": "x", "command": ["x"]}},
        ]});
        let place = spec.pointer_mut(level).expect("there is such a level");
        place
            .as_object_mut()
            .expect("a map")
            .extend(lock.as_object().expect("a map").clone());
        spec
    };
    for (level, before) in [
        ("", 0),
        ("/templates/0", 0),
        ("/templates/1", 1),
        ("/templates/2", 1),
    ] {
        let workflow = json!({"metadata": {"name": WF, "namespace": "argo"}, "spec": held(level)});
        let mut world = World::default();
        world.submit(decode::lenient(workflow).expect("a workflow"), now());
        let passed = world.pass(WF, now()).expect("submitted");
        let made = |order: Order| {
            let effects = passed.decision.effects.iter();
            effects
                .filter(|e| matches!(e, Effect::CreatePod { .. }) && e.order() == order)
                .count()
        };
        let counts = (made(Order::BeforePersist), made(Order::AfterPersist));
        assert_eq!(counts, (before, 2 - before), "a lock at {level:?}");
    }
}
