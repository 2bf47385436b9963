//! Decisions by what moved alone: what is not said to have moved is not looked at, unless more may come of what is.

use std::collections::BTreeMap;
use std::sync::Arc;

use argosy_engine::{Plan, Store, compile};
use argosy_model::k8s::Pod;
use argosy_model::{Workflow, decode, yaml};
use argosy_testkit::World;
use expect_test::{Expect, expect};
use jiff::Timestamp;

const WF: &str = "wf";

/// Decisions after which a workflow must be at rest.
const PASSES: usize = 20;

/// A workflow whose pods run, and its plan.
struct Case {
    world: World,
    plan: Plan,
    now: Timestamp,
}

impl Case {
    /// One that was not decided about.
    fn submitted(spec: &str) -> Self {
        let manifest =
            format!("metadata: {{name: {WF}, namespace: argo}}\nspec:\n  entrypoint: main\n{spec}");
        let object = yaml::value(&manifest).expect("it is YAML");
        let workflow: Workflow = decode::lenient(object).expect("a workflow");
        let now = Timestamp::from_second(1_767_225_600).expect("the number is a time");
        let mut world = World {
            hurried: true,
            ..World::default()
        };
        world.submit(workflow, now);
        let submitted = &world.workflows[WF].workflow;
        let (plan, _) = compile(submitted, &world.templates, &world.config);
        Self { world, plan, now }
    }

    fn new(spec: &str) -> Self {
        let mut case = Self::submitted(spec);
        case.rest();
        for name in case.pods() {
            case.set(&name, "Running", true);
        }
        case.rest();
        case
    }

    fn rest(&mut self) {
        for _ in 0..PASSES {
            let passed = self.world.pass_by(&self.plan, WF, self.now);
            let passed = passed.expect("it was submitted");
            let is_due = passed.decision.wake_at.is_some_and(|at| at <= self.now);
            if !is_due && passed.created.is_empty() {
                return;
            }
        }
        panic!("the workflow does not come to rest");
    }

    fn pods(&self) -> Vec<String> {
        self.world.workflows[WF].pods.keys().cloned().collect()
    }

    /// Brings a pod into a phase, which is told or not.
    fn set(&mut self, pod: &str, phase: &str, is_told: bool) {
        let life = self.world.workflows.get_mut(WF).expect("it was submitted");
        let known: &mut Arc<Pod> = life.pods.get_mut(pod).expect("the pod is there");
        phase.clone_into(&mut Arc::make_mut(known).status.phase);
        if is_told {
            life.moved.note_pod(pod);
        }
    }

    /// The pod of the node of that name.
    fn pod_of(&self, node: &str) -> String {
        let names: BTreeMap<_, _> = self.world.workflows[WF]
            .pods
            .iter()
            .map(|(name, pod)| (&pod.metadata.annotations["workflows.argoproj.io/node-name"], name))
            .collect();
        names[&node.to_owned()].clone()
    }
}

/// Two pods end well, and only the first is told of.
fn check(spec: &str, told: &str, untold: &str, expected: Expect) {
    let mut case = Case::new(spec);
    for (node, is_told) in [(told, true), (untold, false)] {
        let pod = case.pod_of(node);
        case.set(&pod, "Succeeded", is_told);
    }
    let passed = case
        .world
        .pass_by(&case.plan, WF, case.now)
        .expect("it was submitted");
    let nodes = passed.decision.changes.nodes.values();
    let nodes: Vec<String> = nodes
        .map(|n| format!("{}={} {}", n.name, n.phase, n.progress.as_str()))
        .collect();
    expected.assert_eq(&nodes.join("\n"));
}

const LEAF: &str = "  - {name: leaf, container: {image: x, command: [x]}}\n";

#[test]
fn a_pod_among_others_is_looked_at_alone() {
    check(
        &format!(
            "  templates:\n  - {{name: main, steps: [[{{name: s, template: leaf, withItems: [a, b, c]}}]]}}\n{LEAF}"
        ),
        "wf[0].s(0:a)",
        "wf[0].s(1:b)",
        expect![[r#"
            wf=Running 1/3
            wf[0]=Running 1/3
            wf[0].s(0:a)=Succeeded 1/1"#]],
    );
    check(
        &format!(
            "  templates:\n  - {{name: main, dag: {{tasks: [{{name: t, template: leaf, withItems: [a, b, c]}}]}}}}\n{LEAF}"
        ),
        "wf.t(0:a)",
        "wf.t(1:b)",
        expect![[r#"
            wf=Running 1/3
            wf.t(0:a)=Succeeded 1/1
            wf.t=Running 1/3"#]],
    );
    check(
        &format!(
            "  templates:\n  - {{name: main, dag: {{tasks: [{{name: a, template: leaf}}, {{name: b, template: leaf}}, {{name: c, template: leaf}}, {{name: d, template: leaf, dependencies: [a, c]}}]}}}}\n{LEAF}"
        ),
        "wf.a",
        "wf.b",
        expect![[r#"
            wf=Running 1/3
            wf.a=Succeeded 1/1"#]],
    );
}

#[test]
fn tasks_that_waited_for_it_alone_begin() {
    check(
        &format!(
            "  templates:\n  - {{name: main, dag: {{tasks: [{{name: a, template: leaf}}, {{name: b, template: leaf}}, {{name: c, template: leaf}}, {{name: d, template: leaf, dependencies: [a]}}]}}}}\n{LEAF}"
        ),
        "wf.a",
        "wf.b",
        expect![[r#"
            wf=Running 1/4
            wf.a=Succeeded 1/1
            wf.d=Pending 0/1"#]],
    );
    // In an inner DAG, with a loop.
    check(
        &format!(
            "  templates:\n  - {{name: main, dag: {{tasks: [{{name: x, template: inner}}, {{name: b, template: leaf}}]}}}}\n  - {{name: inner, dag: {{tasks: [{{name: a, template: leaf}}, {{name: d, template: leaf, depends: a, withItems: [1, 2]}}]}}}}\n{LEAF}"
        ),
        "wf.x.a",
        "wf.b",
        expect![[r#"
            wf=Running 2/4
            wf.x.d(0:1)=Pending 0/1
            wf.x.d(1:2)=Pending 0/1
            wf.x=Running 1/3
            wf.b=Succeeded 1/1
            wf.x.a=Succeeded 1/1
            wf.x.d=Running 0/2"#]],
    );
}

#[test]
fn all_is_looked_at_when_more_may_come_of_it() {
    // An exit handler.
    check(
        &format!(
            "  templates:\n  - {{name: main, steps: [[{{name: s, template: leaf, withItems: [a, b, c], onExit: leaf}}]]}}\n{LEAF}"
        ),
        "wf[0].s(0:a)",
        "wf[0].s(1:b)",
        expect![[r#"
            wf=Running 2/5
            wf[0].s(0:a).onExit=Pending 0/1
            wf[0].s(1:b)=Succeeded 1/1
            wf[0].s(1:b).onExit=Pending 0/1
            wf[0]=Running 2/5
            wf[0].s(0:a)=Succeeded 1/1"#]],
    );
    // Inside an item of a task with an exit handler, which may wait for that of the item before it.
    check(
        &format!(
            "  templates:\n  - {{name: main, dag: {{tasks: [{{name: x, template: inner, withItems: [1, 2], onExit: leaf}}, {{name: b, template: leaf}}]}}}}\n  - {{name: inner, dag: {{tasks: [{{name: a, template: leaf}}, {{name: c, template: leaf}}, {{name: d, template: leaf, depends: a}}]}}}}\n{LEAF}"
        ),
        "wf.x(1:2).a",
        "wf.b",
        expect![[r#"
            wf=Running 2/6
            wf.x=Running 1/5
            wf.x(1:2)=Running 1/3
            wf.x(1:2).a=Succeeded 1/1
            wf.x(1:2).d=Pending 0/1
            wf.b=Succeeded 1/1"#]],
    );
    // A template with a time limit.
    check(
        "  templates:\n  - {name: main, steps: [[{name: s, template: leaf, withItems: [a, b, c]}]]}\n  - {name: leaf, timeout: 1h, container: {image: x, command: [x]}}",
        "wf[0].s(0:a)",
        "wf[0].s(1:b)",
        expect![[r#"
            wf=Running 2/3
            wf[0].s(1:b)=Succeeded 1/1
            wf[0]=Running 2/3
            wf[0].s(0:a)=Succeeded 1/1"#]],
    );
}

/// What one pod's end leads to is looked at again at once only if limits, hooks or times of what begins have a say.
#[test]
fn what_begins_is_looked_at_again_if_more_may_come_of_it() {
    let tasks = |more: &str, d: &str| {
        format!(
            "  templates:\n  - {{name: main, {more}dag: {{tasks: [{{name: a, template: leaf}}, {{name: b, template: leaf}}, {{name: d, template: next, dependencies: [a]{d}}}]}}}}\n{LEAF}"
        )
    };
    let next = |more: &str| format!("  - {{name: next, {more}container: {{image: x, command: [x]}}}}\n");
    for (spec, again) in [
        (tasks("", "") + &next(""), false),
        (tasks("", ", withItems: [1, 2]") + &next(""), false),
        (tasks("", "") + &next("retryStrategy: {limit: 2}, "), false),
        (tasks("", "") + &next("timeout: 1h, "), true),
        (
            tasks("", "") + &next("synchronization: {mutexes: [{name: m}]}, "),
            true,
        ),
        (tasks("parallelism: 3, ", "") + &next(""), true),
        (tasks("failFast: true, ", "") + &next(""), true),
        (tasks("", ", onExit: leaf") + &next(""), true),
        (
            tasks(
                "",
                ", hooks: {tell: {template: leaf, expression: 'tasks.d.status == \"Running\"'}}",
            ) + &next(""),
            true,
        ),
    ] {
        let mut case = Case::new(&spec);
        let pod = case.pod_of("wf.a");
        case.set(&pod, "Succeeded", true);
        let passed = case
            .world
            .pass_by(&case.plan, WF, case.now)
            .expect("it was submitted");
        assert!(!passed.created.is_empty(), "{spec}");
        let is_due = passed.decision.wake_at.is_some_and(|at| at <= case.now);
        assert_eq!(is_due, again, "{spec}");
    }
}

/// The end of a pod beside others is stored together with theirs; whatever follows from an end is stored at once.
#[test]
fn ends_beside_others_wait_for_theirs() {
    let tasks = |d: &str| {
        format!(
            "  templates:\n  - {{name: main, dag: {{tasks: [{{name: a, template: leaf}}, {{name: b, template: leaf}}{d}]}}}}\n{LEAF}"
        )
    };
    for (spec, phase, waits) in [
        (tasks(""), "Succeeded", true),
        (
            tasks(", {name: d, template: leaf, dependencies: [a, b]}"),
            "Succeeded",
            true,
        ),
        (
            tasks(", {name: d, template: leaf, dependencies: [a]}"),
            "Succeeded",
            false,
        ),
        (
            tasks(", {name: d, template: leaf, depends: a.Failed || b}"),
            "Succeeded",
            true,
        ),
        (tasks(""), "Failed", false),
        (
            tasks("").replacen("template: leaf}", "template: leaf, onExit: leaf}", 1),
            "Succeeded",
            false,
        ),
    ] {
        let mut case = Case::new(&spec);
        let pod = case.pod_of("wf.a");
        case.set(&pod, phase, true);
        let passed = case.world.pass_by(&case.plan, WF, case.now);
        let store = passed.expect("it was submitted").decision.store;
        assert_eq!(
            matches!(store, Store::Soon { .. }),
            waits,
            "{phase} {store:?}\n{spec}"
        );
    }
}

/// C-NODE-03: a node gets the name of its template's annotation while it goes on, so that is stored at once.
#[test]
fn a_new_display_name_is_stored_before_the_node_can_end() {
    let template = |more: &str| {
        format!(
            "  templates:\n  - {{name: main, steps: [[{{name: s, template: t, withItems: [a, b]}}]]}}\n  - {{name: t, {more}container: {{image: x, command: [x]}}}}\n"
        )
    };
    let named = template("annotations: {workflows.argoproj.io/display-name: other}, ");
    for (spec, at_once) in [(template(""), false), (named, true)] {
        let mut case = Case::submitted(&spec);
        case.world
            .pass_by(&case.plan, WF, case.now)
            .expect("it was submitted");
        let pod = case.pod_of("wf[0].s(0:a)");
        case.set(&pod, "Running", true);
        let passed = case.world.pass_by(&case.plan, WF, case.now);
        let store = passed.expect("it was submitted").decision.store;
        assert_eq!(matches!(store, Store::Now), at_once, "{store:?}\n{spec}");
    }
}
