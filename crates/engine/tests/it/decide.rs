//! Whole runs in virtual time: what a workflow comes to when its pods do what a script says. Cases are data.

use std::sync::Arc;

use argosy_engine::{Effect, compile};
use argosy_testkit::{World, run};
use expect_test::{Expect, expect};

#[expect(
    clippy::needless_pass_by_value,
    reason = "an expectation is written where it is used"
)]
fn check(templates: &str, script: &str, expected: Expect) {
    let manifest = format!("spec:\n  entrypoint: main\n{templates}");
    expected.assert_eq(&run(&mut World::default(), &manifest, script));
}

const LEAF: &str = "
  - {name: leaf, container: {image: x, command: [x]}}
  - {name: echo, inputs: {parameters: [{name: x}]}, container: {image: x, command: [x], args: ['{{inputs.parameters.x}}']}}
  - {name: script, script: {image: x, command: [x], source: ''}}
";

#[test]
fn one_container_succeeds() {
    check(
        "  templates:\n  - {name: main, container: {image: x, command: [x]}}",
        "",
        expect![[r#"
        Succeeded after 10s
        wf Succeeded
    "#]],
    );
}

#[test]
fn exit_code_is_the_message() {
    check(
        "  templates:\n  - {name: main, container: {image: x, command: [x]}}",
        "pod wf exits 3 message no_luck",
        expect![[r#"
            Failed after 10s main: Error (exit code 3): no luck
            wf Failed main: Error (exit code 3): no luck
        "#]],
    );
}

#[test]
fn second_attempt_succeeds() {
    check(
        "  templates:\n  - {name: main, retryStrategy: {limit: 2}, container: {image: x, command: [x]}}",
        "pod wf(0) exits 1",
        expect![[r#"
            Succeeded after 20s
            wf Succeeded
              wf(0) Failed main: Error (exit code 1)
              wf(1) Succeeded
        "#]],
    );
}

#[test]
fn limit_of_attempts() {
    check(
        "  templates:\n  - {name: main, retryStrategy: {limit: 1}, container: {image: x, command: [x]}}",
        "pod wf(0) exits 1; pod wf(1) exits 1",
        expect![[r#"
            Failed after 20s No more retries left
            wf Failed No more retries left
              wf(0) Failed main: Error (exit code 1)
              wf(1) Failed main: Error (exit code 1)
        "#]],
    );
}

#[test]
fn back_off_waits_from_the_end_of_the_attempt() {
    check(
        "  templates:\n  - {name: main, retryStrategy: {limit: 1, backoff: {duration: 30s}}, container: {image: x, command: [x]}}",
        "pod wf(0) exits 1",
        expect![[r#"
            Succeeded after 50s
            wf Succeeded
              wf(0) Failed main: Error (exit code 1)
              wf(1) Succeeded
        "#]],
    );
}

#[test]
fn a_result_reaches_the_next_step() {
    check(
        &format!(
            "  templates:
  - name: main
    steps:
    - - {{name: make, template: script}}
    - - name: use
        template: echo
        when: '{{{{steps.make.outputs.result}}}} == yes'
        arguments: {{parameters: [{{name: x, value: '{{{{steps.make.outputs.result}}}}'}}]}}
      - {{name: not, template: leaf, when: '{{{{steps.make.outputs.result}}}} == no'}}{LEAF}"
        ),
        "pod make result yes",
        expect![[r#"
            Succeeded after 20s
            wf Succeeded
              [0] Succeeded
                make Succeeded
                [1] Succeeded
                  not Skipped when 'yes == no' evaluated false
                  use Succeeded
        "#]],
    );
}

#[test]
fn a_dag_omits_what_depends_on_a_failure() {
    check(
        &format!(
            "  templates:
  - name: main
    dag:
      tasks:
      - {{name: a, template: leaf}}
      - {{name: b, template: leaf, depends: a}}
      - {{name: c, template: leaf, depends: a.Failed}}{LEAF}"
        ),
        "pod a exits 1",
        expect![[r#"
            Failed after 20s
            wf Failed
              a Failed main: Error (exit code 1)
              b Omitted omitted: depends condition not met
              c Succeeded
        "#]],
    );
}

#[test]
fn loops_are_gathered_even_when_results_are_plain_text() {
    check(
        &format!(
            "  templates:
  - name: main
    steps:
    - - {{name: each, template: script, withItems: [1, 2]}}
    - - {{name: all, template: echo, arguments: {{parameters: [{{name: x, value: '{{{{steps.each.outputs.result}}}}'}}]}}}}{LEAF}"
        ),
        "pod each(0:1) result one; pod each(1:2) result two",
        expect![[r#"
            Succeeded after 20s
            wf Succeeded
              [0] Succeeded
                each(0:1) Succeeded
                [1] Succeeded
                  all Succeeded
                each(1:2) Succeeded
        "#]],
    );
}

#[test]
fn the_exit_handler_runs_after_a_failure() {
    check(
        &format!(
            "  onExit: leaf\n  templates:\n  - {{name: main, container: {{image: x, command: [x]}}}}{LEAF}"
        ),
        "pod wf exits 1",
        expect![[r#"
            Failed after 20s main: Error (exit code 1)
            wf Failed main: Error (exit code 1)
            wf.onExit Succeeded
        "#]],
    );
}

#[test]
fn a_suspended_step_goes_on_by_itself() {
    check(
        &format!(
            "  templates:
  - name: main
    steps:
    - - {{name: wait, template: pause}}
    - - {{name: go, template: leaf}}
  - {{name: pause, suspend: {{duration: 1m}}}}{LEAF}"
        ),
        "",
        expect![[r#"
            Succeeded after 70s
            wf Succeeded
              [0] Succeeded
                wait Succeeded
                [1] Succeeded
                  go Succeeded
        "#]],
    );
}

#[test]
fn a_deadline_ends_running_pods() {
    check(
        "  activeDeadlineSeconds: 5\n  templates:\n  - {name: main, container: {image: x, command: [x]}}",
        "pod wf stays",
        expect![[r#"
            Failed after 5s Step exceeded its deadline
            wf Failed Step exceeded its deadline
        "#]],
    );
}

#[test]
fn terminate_ends_everything_and_skips_the_exit_handler() {
    check(
        &format!(
            "  onExit: leaf\n  templates:\n  - {{name: main, container: {{image: x, command: [x]}}}}{LEAF}"
        ),
        "pod wf stays; at 3s terminate",
        expect![[r#"
            Failed after 3s Stopped with strategy 'Terminate'
            wf Failed workflow shutdown with strategy:  Terminate
        "#]],
    );
}

#[test]
fn a_mutex_lets_one_after_the_other() {
    check(
        &format!(
            "  templates:
  - name: main
    steps:
    - - {{name: a, template: locked}}
      - {{name: b, template: locked}}
  - {{name: locked, synchronization: {{mutexes: [{{name: m}}]}}, container: {{image: x, command: [x]}}}}{LEAF}"
        ),
        "",
        expect![[r#"
            Succeeded after 20s
            wf Succeeded
              [0] Succeeded
                a Succeeded
                b Succeeded
        "#]],
    );
}

#[test]
fn parallelism_lets_one_after_the_other() {
    check(
        &format!(
            "  parallelism: 1
  templates:
  - name: main
    steps:
    - - {{name: each, template: leaf, withSequence: {{count: 3}}}}{LEAF}"
        ),
        "",
        expect![[r#"
            Succeeded after 30s
            wf Succeeded
              [0] Succeeded
                each(0:0) Succeeded
                each(1:1) Succeeded
                each(2:2) Succeeded
        "#]],
    );
}

/// A server that runs beside its client, and what else its template says.
fn check_daemon(how: &str, expected: Expect) {
    check(
        &format!(
            "  templates:
  - name: main
    steps:
    - - {{name: server, template: daemon}}
    - - {{name: client, template: leaf}}
  - {{name: daemon, daemon: true, {how}container: {{image: x, command: [x]}}}}{LEAF}"
        ),
        "pod server stays",
        expected,
    );
}

#[test]
fn a_daemon_ends_with_its_steps() {
    check_daemon(
        "",
        expect![[r#"
            Succeeded after 11s
            wf Succeeded
              [0] Succeeded
                server Succeeded
                [1] Succeeded
                  client Succeeded
        "#]],
    );
}

#[test]
fn a_daemon_that_may_be_tried_again_lets_the_next_step_begin() {
    check_daemon(
        "retryStrategy: {limit: 1}, ",
        expect![[r#"
            Succeeded after 11s
            wf Succeeded
              [0] Succeeded
                server Succeeded
                  server(0) Failed
                  [1] Succeeded
                    client Succeeded
        "#]],
    );
}

/// The peer waits for ever for a value that no step has given.
#[test]
fn a_value_that_never_comes_is_an_error() {
    check(
        &format!(
            "  templates:
  - name: main
    steps:
    - - {{name: make, template: script}}
    - - {{name: use, template: echo, arguments: {{parameters: [{{name: x, value: '{{{{steps.make.outputs.result}}}}'}}]}}}}{LEAF}"
        ),
        "",
        expect![[r#"
            Failed after 10s failed to resolve references: failed to resolve {{steps.make.outputs.result}}
            wf Failed failed to resolve references: failed to resolve {{steps.make.outputs.result}}
              [0] Succeeded
                make Succeeded
                [1] Error failed to resolve references: failed to resolve {{steps.make.outputs.result}}
        "#]],
    );
}

/// The peer retries without end when a lost pod never reported (Q-36).
#[test]
fn a_lost_pod_is_an_error_for_good() {
    let manifest =
        "spec:\n  entrypoint: main\n  templates:\n  - {name: main, container: {image: x, command: [x]}}";
    let mut world = World::default();
    let start = "2026-01-01T00:00:00Z".parse().expect("a time");
    let value = argosy_model::yaml::value(manifest).expect("YAML");
    let mut workflow: argosy_model::Workflow = serde_json::from_value(value).expect("a workflow");
    "wf".clone_into(&mut workflow.metadata.name);
    "argo".clone_into(&mut workflow.metadata.namespace);
    world.submit(workflow, start);
    world.pass("wf", start).expect("submitted");
    let life = world.workflows.get_mut("wf").expect("submitted");
    let pod = std::sync::Arc::make_mut(life.pods.get_mut("wf").expect("created"));
    "Running".clone_into(&mut pod.status.phase);
    world.pass("wf", start).expect("submitted");
    world.workflows.get_mut("wf").expect("submitted").pods.clear();
    let later = start + jiff::SignedDuration::from_secs(20);
    let passed = world.pass("wf", later).expect("submitted");
    assert!(passed.created.is_empty(), "no second pod");
    let node = &world.workflows["wf"].workflow.status.nodes["wf"];
    assert_eq!(
        (node.phase.as_str(), node.message.as_str()),
        ("Error", "pod deleted")
    );
}

#[test]
fn a_settled_workflow_decides_nothing() {
    let mut world = World::default();
    let manifest =
        "spec:\n  entrypoint: main\n  templates:\n  - {name: main, container: {image: x, command: [x]}}";
    let _ = run(&mut world, manifest, "");
    let later = "2026-01-02T00:00:00Z".parse().expect("a time");
    let passed = world.pass("wf", later).expect("submitted");
    assert!(
        passed.decision.changes.is_empty()
            && passed.decision.effects.is_empty()
            && passed.decision.wake_at.is_none()
    );
}

/// C-VAR-02: the entry template is called as a step without a name.
#[test]
fn the_name_of_the_step_is_empty_at_the_root() {
    check(
        &format!(
            "  templates:\n  - {{name: main, steps: [[{{name: a, template: echo, \
             arguments: {{parameters: [{{name: x, value: '{{{{steps.name}}}}'}}]}}}}]]}}{LEAF}"
        ),
        "",
        expect![[r#"
            Succeeded after 10s
            wf Succeeded
              [0] Succeeded
                a Succeeded
        "#]],
    );
}

/// C-LOOP-01, C-MEM-01, C-RTY-04.
#[test]
fn what_is_wrong_with_a_text_is_told_in_the_words_of_go() {
    let looped = |param: &str| format!("steps: [[{{name: a, template: leaf, withParam: '{param}'}}]]");
    let memoized = |age: &str| {
        format!(
            "container: {{image: x, command: [x]}}, memoize: {{key: k, maxAge: {age}, cache: {{configMap: {{name: c}}}}}}"
        )
    };
    let retried = |wait: &str| {
        format!(
            "container: {{image: x, command: [x]}}, retryStrategy: {{limit: 1, backoff: {{duration: {wait}}}}}"
        )
    };
    let no_list = "cannot unmarshal object into Go value of type []v1alpha1.Item";
    for (main, words) in [
        (
            looped("{}"),
            format!("withParam value could not be parsed as a JSON list: {{}}: json: {no_list}"),
        ),
        (looped("[1"), "[1: unexpected end of JSON input".to_owned()),
        (looped("null"), "a Skipped Skipped, empty params".to_owned()),
        (
            memoized("'10'"),
            "invalid maxAge: time: missing unit in duration \"10\"".to_owned(),
        ),
        (
            memoized("1d"),
            "invalid maxAge: time: unknown unit \"d\" in duration \"1d\"".to_owned(),
        ),
        (
            retried("1d"),
            "unable to parse 1d as a duration: time: unknown unit \"d\" in duration \"1d\"".to_owned(),
        ),
    ] {
        let manifest = format!("spec:\n  entrypoint: main\n  templates:{LEAF}  - {{name: main, {main}}}");
        let end = run(&mut World::default(), &manifest, "pod wf(0) exits 1");
        assert!(end.contains(&words), "{main}: {end}");
    }
}

/// C-RTY-08: also of what a retried template consists of.
#[test]
fn an_attempt_keeps_away_from_the_hosts_where_earlier_ones_failed() {
    let retry = "retryStrategy: {limit: 1, affinity: {nodeAntiAffinity: {}}}";
    let steps = "{name: main, RETRY, steps: [[{name: a, template: leaf}]]}";
    for main in [steps, "{name: main, RETRY, container: {image: x, command: [x]}}"] {
        let main = main.replace("RETRY", retry);
        let manifest = format!(
            "metadata: {{name: wf, namespace: argo}}\nspec:\n  entrypoint: main\n  templates:{LEAF}  - {main}"
        );
        let value = argosy_model::yaml::value(&manifest).expect("YAML");
        let mut now = "2026-01-01T00:00:00Z".parse().expect("a time");
        let mut world = World::default();
        world.submit(serde_json::from_value(value).expect("a workflow"), now);
        world.pass("wf", now).expect("submitted");
        let life = world.workflows.get_mut("wf").expect("submitted");
        let failed = Arc::make_mut(life.pods.values_mut().next().expect("the first attempt's"));
        "h1".clone_into(&mut failed.spec.node_name);
        "Failed".clone_into(&mut failed.status.phase);
        let made = (0..5).find_map(|_| {
            now += jiff::SignedDuration::from_secs(1);
            let effects = world.pass("wf", now).expect("submitted").decision.effects;
            effects.into_iter().find_map(|effect| match effect {
                Effect::CreatePod { pod, .. } => Some(pod),
                _ => None,
            })
        });
        let affinity = serde_json::to_string(&made.expect("the second attempt's").spec.affinity);
        let affinity = affinity.expect("wire types are always valid JSON");
        assert!(
            affinity.contains(r#""operator":"NotIn","values":["h1"]"#),
            "{main}: {affinity}"
        );
    }
}

/// C-EXE-02, C-RTY-07, C-MET-10: of each node once, of attempts when they fail.
#[test]
fn metrics_tell_of_all_that_ended() {
    let counter = |labels: &str| {
        let labels = labels.replace('<', "{{").replace('>', "}}");
        format!(
            "metrics: {{prometheus: [{{name: m, help: h, counter: {{value: '1'}}, labels: [{labels}]}}]}}"
        )
    };
    let template = counter(
        "{key: of, value: '<node.name> <status> <retries>'}, {key: x, value: '<inputs.parameters.x>'}",
    );
    let steps =
        counter("{key: of, value: '<node.name> <status>'}, {key: cpu, value: '<resourcesDuration.cpu>'}");
    let whole = counter(
        "{key: of, value: '<workflow.name> <workflow.status>'}, {key: cpu, value: '<resourcesDuration.cpu>'}",
    );
    let one = "arguments: {parameters: [{name: x, value: '1'}]}";
    let manifest = format!(
        "spec:\n  entrypoint: main\n  {whole}\n  templates:
  - {{name: main, {steps}, steps: [[{{name: a, template: t, {one}}}], [{{name: b, template: t, {one}, when: 'false'}}], [{{name: c, template: r, {one}}}]]}}
  - {{name: t, {template}, inputs: {{parameters: [{{name: x}}]}}, container: {{image: x, command: [x]}}}}
  - {{name: r, {template}, inputs: {{parameters: [{{name: x}}]}}, retryStrategy: {{limit: 2}}, container: {{image: x, command: [x]}}}}
"
    );
    let mut world = World::default();
    let _ = run(&mut world, &manifest, "pod c(0) exits 1");
    let told = world.metrics.iter().map(|metric| {
        let labels = metric.labels.iter().map(|(_, value)| value.as_str());
        labels.collect::<Vec<_>>().join(", ")
    });
    expect![[r#"
        wf[0].a Succeeded 0, 1
        wf[2].c(0) Failed 0, 1
        wf Succeeded, 6
        wf Succeeded, 6
        wf[2].c Succeeded 1, 1"#]]
    .assert_eq(&told.collect::<Vec<_>>().join("\n"));
}

/// C-MRG-06: under `Secure` a template must stay what it was.
#[test]
fn a_workflow_ends_when_its_template_changes_under_secure_referencing() {
    let template = |image: &str| {
        let spec = format!(
            "{{entrypoint: main, templates: [{{name: main, container: {{image: {image}, command: [x]}}}}]}}"
        );
        let value =
            argosy_model::yaml::value(&format!("{{metadata: {{name: t}}, spec: {spec}}}")).expect("YAML");
        Arc::new(serde_json::from_value(value).expect("a template"))
    };
    let now = "2026-01-01T00:00:00Z".parse().expect("a time");
    let end = |referencing: &str| {
        let mut world = World::default();
        referencing.clone_into(&mut world.config.template_referencing);
        world.templates.namespaced.insert("t".to_owned(), template("a"));
        let value = argosy_model::yaml::value(
            "{metadata: {name: wf, namespace: argo}, spec: {workflowTemplateRef: {name: t}}}",
        );
        let workflow = serde_json::from_value(value.expect("YAML")).expect("a workflow");
        world.submit(workflow, now);
        (0..2).for_each(|_| drop(world.pass("wf", now).expect("submitted")));
        let before = world.workflows["wf"].workflow.status.phase.to_string();
        world.templates.namespaced.insert("t".to_owned(), template("b"));
        let (plan, _) = compile(&world.workflows["wf"].workflow, &world.templates, &world.config);
        world.pass_by(&plan, "wf", now).expect("submitted");
        let status = &world.workflows["wf"].workflow.status;
        format!("{before}, {} {}", status.phase, status.message)
    };
    assert_eq!(end("Strict"), "Running, Running ");
    assert_eq!(
        end("Secure"),
        "Running, Error WorkflowSpec may not change during execution when the controller is set `templateReferencing: Secure`"
    );
}
