//! Resource templates and steps that fail, in real pods: every action, conditions, outputs, owners (section 10 of the
//! executor's rules, X-WAIT-02).

use serde_json::Value;

use crate::kubectl;
use crate::machine::{Machine, wait_for};

const ACTIONS: &str = r#"
  entrypoint: main
  templates:
  - name: main
    steps:
    - - {name: create, template: create}
    - - {name: patch, template: patch}
    - - {name: apply, template: apply}
    - - {name: get, template: get}
    - - {name: replace, template: replace}
    - - {name: refused, template: refused, continueOn: {failed: true, error: true}}
    - - {name: delete, template: delete}
  - name: create
    resource:
      action: create
      setOwnerReference: true
      manifest: '{apiVersion: v1, kind: ConfigMap, metadata: {generateName: owned-, labels: {made: here}}, data: {a: "1"}}'
    outputs:
      parameters:
      - {name: name, valueFrom: {jsonPath: '{.metadata.name}'}}
      - {name: owner, valueFrom: {jqFilter: '.metadata.ownerReferences[0] | .kind + "/" + .name'}}
  - name: patch
    resource:
      action: patch
      mergeStrategy: merge
      flags: [configmap, "{{workflow.parameters.map}}"]
      manifest: '{"data": {"b": "2"}}'
  - name: apply
    resource:
      action: apply
      manifest: '{apiVersion: v1, kind: ConfigMap, metadata: {name: applied}, data: {c: "3"}}'
  - name: get
    resource:
      action: get
      flags: [configmap, "{{workflow.parameters.map}}"]
      successCondition: data.b == 2, data.z != 1
      failureCondition: data.b == 3
    outputs: {parameters: [{name: keys, valueFrom: {jqFilter: '.data | keys | join(" ")'}}]}
  - name: replace
    resource:
      action: replace
      manifest: '{apiVersion: v1, kind: ConfigMap, metadata: {name: applied}, data: {d: "4"}}'
  - name: refused
    resource:
      action: get
      successCondition: data.d == 5
      failureCondition: data.d == 4
      manifest: '{apiVersion: v1, kind: ConfigMap, metadata: {name: applied}}'
  - name: delete
    resource:
      action: delete
      manifest: '{apiVersion: v1, kind: ConfigMap, metadata: {name: applied}}'
  arguments: {parameters: [{name: map, value: mine}]}
"#;

const FAILED: &str = r#"
  entrypoint: main
  templates:
  - name: main
    steps:
    - - {name: fails, template: fails, continueOn: {failed: true}}
    - - name: reads
        template: reads
        arguments:
          parameters: [{name: word, value: "{{steps.fails.outputs.parameters.word}} {{steps.fails.outputs.result}} {{steps.fails.exitCode}}"}]
          artifacts: [{name: file, from: "{{steps.fails.outputs.artifacts.file}}"}]
  - name: fails
    script:
      image: none
      command: [sh]
      source: echo said; printf word > /tmp/word; printf kept > /tmp/file; exit 3
    outputs:
      parameters: [{name: word, valueFrom: {path: /tmp/word}}]
      artifacts: [{name: file, path: /tmp/file}]
  - name: reads
    inputs: {parameters: [{name: word}], artifacts: [{name: file, path: /tmp/in}]}
    script: {image: none, command: [sh], source: "cat /tmp/in; echo ' {{inputs.parameters.word}}'"}
"#;

fn node(workflow: &Value, name: &str) -> Value {
    let nodes = workflow["status"]["nodes"].as_object().expect("nodes");
    let found = nodes.values().find(|n| n["displayName"] == name).cloned();
    found.unwrap_or_else(|| panic!("no node {name}: {workflow:#}"))
}

fn outputs(workflow: &Value, name: &str) -> Vec<String> {
    let parameters = node(workflow, name)["outputs"]["parameters"].clone();
    let values = parameters.as_array().expect("a list").iter();
    values
        .map(|p| p["value"].as_str().expect("text").to_owned())
        .collect()
}

#[test]
fn x_res_06_to_31_every_action_in_a_pod_and_what_the_workflow_owns() {
    let mut machine = Machine::new();
    machine.start();
    let map =
        r#"{"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "mine"}, "data": {"a": "1"}}"#;
    kubectl::says(&machine, "create -f -", map);
    machine.submit("actions", ACTIONS);
    let done = machine.completed("actions");
    assert_eq!(done["status"]["phase"], "Succeeded", "{:#}", done["status"]);
    let made = outputs(&done, "create");
    assert!(made[0].starts_with("owned-"), "{made:?}");
    assert_eq!(made[1], "Workflow/actions", "C-RSC-02");
    assert_eq!(outputs(&done, "get"), ["a b"]);
    let refused = node(&done, "refused");
    let message = refused["message"].as_str().expect("a message");
    assert_eq!(refused["phase"], "Failed", "{message}");
    assert!(
        message.contains("failure condition '{data.d == [4]}' evaluated true"),
        "{message}"
    );
    let there = |name: &str| {
        kubectl::says(
            &machine,
            &format!("get configmap {name} -o name --ignore-not-found"),
            "",
        )
    };
    assert_eq!(there("applied"), "");
    assert_eq!(there(&made[0]), format!("configmap/{}\n", made[0]));
    assert_eq!(machine.run(&["delete", "actions"]).code, Some(0));
    wait_for("what the workflow owns goes with it", || {
        there(&made[0]).is_empty().then_some(())
    });
    machine.stop();
}

#[test]
fn x_wait_02_a_failed_step_hands_on_what_it_made() {
    let mut machine = Machine::new();
    machine.start();
    machine.submit("failed", FAILED);
    let done = machine.completed("failed");
    assert_eq!(done["status"]["phase"], "Succeeded", "{:#}", done["status"]);
    assert_eq!(node(&done, "fails")["phase"], "Failed");
    let logs = machine.run(&["logs", "failed", "reads", "--no-color"]).stdout;
    assert!(logs.contains(": kept word said 3\n"), "{logs}");
    machine.stop();
}
