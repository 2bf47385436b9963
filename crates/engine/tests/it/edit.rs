//! Selectors and the edges of user edits; whole edits are in the recorded `edits.json`.

use argosy_engine::edit::{self, Error, Retry, Selector, Set};
use argosy_engine::names::PodNames;
use argosy_model::{NodeStatus, ShutdownStrategy, Workflow, decode};
use jiff::Timestamp;
use serde_json::{Value, json};

fn node(value: Value) -> NodeStatus {
    decode::lenient(value).expect("the node is well formed")
}

fn workflow(phase: &str, nodes: Value) -> Workflow {
    decode::lenient(json!({
        "metadata": {"name": "w", "namespace": "n"},
        "spec": {},
        "status": {"phase": phase, "nodes": nodes},
    }))
    .expect("the workflow is well formed")
}

fn check(selector: &str, expected: Result<bool, &str>) {
    let node = node(json!({
        "id": "w-1", "name": "w.a", "displayName": "a,b", "templateName": "t", "phase": "Running", "type": "Suspend",
        "inputs": {"parameters": [{"name": "p", "value": "x=y"}]},
        "templateRef": {"name": "object", "template": "t"},
    }));
    let got = selector
        .parse::<Selector>()
        .map(|s| s.matches(&node))
        .map_err(|error| error.to_string());
    assert_eq!(got, expected.map_err(str::to_owned), "{selector}");
}

#[test]
fn selectors_compare_fields() {
    check("", Ok(true));
    check("displayName=a\\,b", Ok(true));
    check("inputs.parameters.p.value==x\\=y", Ok(true));
    check("templateRef.name=object,phase!=Failed", Ok(true));
    check("phase!=Running", Ok(false));
    check("nonsense=", Ok(true));
    check("name", Err("invalid selector: 'name'; can't understand 'name'"));
    check(
        "name=a=b",
        Err("invalid field selector: unescaped character in value: '='"),
    );
    check(
        "name=a\\b",
        Err("invalid field selector: invalid escape sequence: \\b"),
    );
}

#[test]
fn outputs_with_a_global_name_are_known_at_once() {
    let mut workflow = workflow(
        "Running",
        json!({"w-1": {
            "id": "w-1", "name": "w.a", "displayName": "a", "type": "Suspend", "phase": "Running",
            "outputs": {"parameters": [{"name": "p", "globalName": "g", "valueFrom": {"supplied": {}}}]},
        }}),
    );
    let change = Set {
        outputs: [("p".to_owned(), "v".to_owned())].into(),
        ..Set::default()
    };
    let selector = "displayName=a".parse().expect("a selector");
    edit::set(&mut workflow, &selector, &change, Timestamp::UNIX_EPOCH).expect("the node waits for it");
    let outputs = workflow.status.outputs.expect("a global output");
    assert_eq!(outputs.parameters[0].name, "g");
    assert_eq!(
        outputs.parameters[0].value.as_ref().map(|v| v.as_str()),
        Some("v")
    );
}

#[test]
fn who_resumed_is_in_the_message() {
    let mut workflow = workflow(
        "Running",
        json!({"w-1": {
            "id": "w-1", "name": "w.a", "type": "Suspend", "phase": "Running", "message": "waiting",
        }}),
    );
    edit::resume(&mut workflow, "map[User:u]", Timestamp::UNIX_EPOCH).expect("nothing is missing");
    assert_eq!(
        workflow.status.nodes["w-1"].message,
        "waiting; Resumed by: map[User:u]"
    );
}

#[test]
fn what_has_ended_stays_ended() {
    let mut ended = workflow("Succeeded", json!({}));
    assert_eq!(edit::suspend(&mut ended), Err(Error::SuspendCompleted));
    let refused = edit::shutdown(&mut ended, ShutdownStrategy::Stop).map_err(|error| error.to_string());
    assert_eq!(
        refused,
        Err("cannot shutdown a completed workflow: workflow: \"w\", namespace: \"n\"".to_owned())
    );
}

#[test]
fn a_tree_in_circles_is_an_error_and_no_hang() {
    let circle = |boundary: &str| {
        json!({
            "w": {"id": "w", "name": "w", "type": "Steps", "phase": "Failed", "children": ["w-1"]},
            "w-1": {"id": "w-1", "name": "w[0]", "type": "StepGroup", "phase": "Failed", "boundaryID": boundary,
                "children": ["w-2"]},
            "w-2": {"id": "w-2", "name": "w[0].a", "type": "Pod", "phase": "Failed", "boundaryID": "w", "children": ["w-1"]},
        })
    };
    for boundary in ["w", "w-1", "nowhere"] {
        let failed = workflow("Failed", circle(boundary));
        let retried = edit::retry(&failed, &Retry::default(), PodNames::V2, Timestamp::UNIX_EPOCH);
        assert!(
            matches!(retried, Err(Error::NoParent(_))),
            "{boundary}: {retried:?}"
        );
    }
}

#[test]
fn ten_thousand_failed_items_are_retried_in_no_time() {
    let mut nodes = serde_json::Map::new();
    let ids: Vec<String> = (0..10_000).map(|n| format!("w-{n}")).collect();
    nodes.insert(
        "w".to_owned(),
        json!({"id": "w", "name": "w", "type": "Steps", "phase": "Failed", "children": ["g"]}),
    );
    nodes.insert(
        "g".to_owned(),
        json!({"id": "g", "name": "w[0]", "type": "StepGroup", "phase": "Failed", "boundaryID": "w", "children": ids}),
    );
    for id in &ids {
        let name = format!("w[0].{id}");
        let node = json!({"id": id, "name": name, "templateName": "t", "type": "Pod", "phase": "Failed", "boundaryID": "w"});
        nodes.insert(id.clone(), node);
    }
    let failed = workflow("Failed", nodes.into());
    let retried =
        edit::retry(&failed, &Retry::default(), PodNames::V2, Timestamp::UNIX_EPOCH).expect("it failed");
    assert_eq!(retried.pods.len(), 10_000);
    assert_eq!(retried.workflow.status.nodes.len(), 2);
}
