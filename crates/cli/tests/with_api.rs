//! Commands against the API server of this project, which knows nothing of workflows: nobody moves them but the test.
#![cfg(feature = "connect")]

mod program;
mod server;

use std::collections::BTreeMap;

use argosy_model::NodeStatus;
use argosy_model::compression::{Effort, compress};
use expect_test::expect;
use program::Program;
use serde_json::json;
use server::Server;

#[test]
fn workflows_are_listed_newest_end_first_after_the_unfinished() {
    let server = Server::start();
    server.check(
        &["list"],
        expect![[r#"
        No workflows found
        exit code 0
    "#]],
    );
    server.check(
        &["list", "-o", "json"],
        expect![[r#"
        []
        exit code 0
    "#]],
    );
    for (name, phase) in [("done", "Succeeded"), ("bad", "Failed"), ("open", "Running")] {
        server.workflow(name, phase, &json!({}));
    }
    server.check(
        &["list", "-o", "name"],
        expect![[r#"
        open
        bad
        done
        exit code 0
    "#]],
    );
    server.check(
        &["list", "-o", "name", "--status", "Failed,Running"],
        expect![[r#"
        open
        bad
        exit code 0
    "#]],
    );
    server.check(
        &["list", "-o", "name", "--prefix", "do"],
        expect![[r#"
        done
        exit code 0
    "#]],
    );
    server.check(
        &["list", "-o", "name", "--field-selector", "metadata.name=bad"],
        expect![[r#"
            bad
            exit code 0
        "#]],
    );
}

/// A large status has its nodes compressed; commands show them, and an edit keeps them.
#[test]
fn compressed_nodes_are_read() {
    let server = Server::start();
    let nodes = serde_json::from_value::<BTreeMap<String, NodeStatus>>(json!({"w": {
        "id": "w", "name": "w", "displayName": "w", "type": "Suspend", "phase": "Running",
        "startedAt": "2026-01-01T00:00:00Z", "finishedAt": null, "templateName": "main",
    }}));
    let packed = compress(&nodes.expect("nodes"), Effort::Usual);
    server.workflow_with("w", "Running", &json!({}), &json!({"compressedNodes": packed}));
    let said = |args: &[&str]| Program::new(args).file("kubeconfig", &server.kubeconfig).output();
    let shown = said(&["get", "w", "-o", "short", "--no-color"]);
    assert!(shown.contains("main"), "{shown}");
    let listed = said(&["list", "-o", "json"]);
    assert!(listed.contains("\"displayName\": \"w\""), "{listed}");
    said(&["resume", "w"]);
    let resumed = said(&["get", "w", "-o", "json"]);
    assert!(resumed.contains("\"phase\": \"Succeeded\""), "{resumed}");
}

#[test]
fn a_missing_workflow_is_an_error() {
    let server = Server::start();
    server.check(
        &["get", "nobody"],
        expect![[r#"
        stderr:
        Error: workflows.argoproj.io "nobody" not found
        exit code 1
    "#]],
    );
    server.check(
        &["get", "@latest"],
        expect![[r#"
        stderr:
        Error: no workflow in namespace default
        exit code 1
    "#]],
    );
    server.check(
        &["get", "a/b"],
        expect![[r#"
        stderr:
        Error: "a/b" is no name of an object
        exit code 1
    "#]],
    );
    server.check(
        &["wait", "nobody"],
        expect![[r#"
        stderr:
        Error: workflows.argoproj.io "nobody" not found
        exit code 1
    "#]],
    );
    server.check(
        &["wait", "nobody", "--ignore-not-found"],
        expect![[r#"
        exit code 0
    "#]],
    );
    server.check(
        &["delete", "nobody"],
        expect![[r#"
        Workflow 'nobody' not found
        exit code 0
    "#]],
    );
}

#[test]
fn a_workflow_is_shown_as_a_tree() {
    let server = Server::start();
    let node = json!({"id": "w", "name": "w", "displayName": "w", "type": "Pod", "templateName": "main", "phase": "Failed",
                      "startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:00:05Z", "message": "exit code 1"});
    server.workflow("w", "Failed", &json!({"w": node}));
    server.check(
        &["get", "w", "-o", "short", "--no-color"],
        expect![[r#"
        STEP  TEMPLATE  PODNAME  DURATION  MESSAGE      NODENAME
         ✖ w  main      w        5s        exit code 1  
        exit code 0
    "#]],
    );
    server.check(
        &["get", "@latest", "-o", "name"],
        expect![[r#"
        w
        exit code 0
    "#]],
    );
    server.check(
        &[
            "get",
            "w",
            "-o",
            "short",
            "--no-color",
            "--no-utf8",
            "--status",
            "Succeeded",
        ],
        expect![[r#"
            STEP  TEMPLATE  PODNAME  DURATION  MESSAGE  NODENAME
            exit code 0
        "#]],
    );
}

#[test]
fn waiting_ends_with_the_workflow() {
    let server = Server::start();
    server.workflow("good", "Succeeded", &json!({}));
    server.workflow("bad", "Error", &json!({}));
    server.check(
        &["wait", "good"],
        expect![[r#"
        good Succeeded at 2026-01-01 00:00:05 +0000 UTC
        exit code 0
    "#]],
    );
    server.check(
        &["wait", "bad"],
        expect![[r#"
        bad Error at 2026-01-01 00:00:05 +0000 UTC
        exit code 1
    "#]],
    );
}

#[test]
fn files_are_submitted_into_the_namespace() {
    let server = Server::start();
    let text = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: x}\nspec: {entrypoint: main, templates: [{name: main, suspend: {}}]}\n";
    let submit = Program::new(&["submit", "x.yaml", "-o", "name", "--instanceid", "i"]);
    submit
        .file("kubeconfig", &server.kubeconfig)
        .file("x.yaml", text)
        .check(expect![[r#"
            x
            exit code 0
        "#]]);
    let labels = server.read("x")["metadata"]["labels"].to_string();
    expect![[r#"{"workflows.argoproj.io/controller-instanceid":"i"}"#]].assert_eq(&labels);
    let again = Program::new(&["submit", "x.yaml", "-o", "name"]);
    again
        .file("kubeconfig", &server.kubeconfig)
        .file("x.yaml", text)
        .check(expect![[r#"
            stderr:
            Error: workflows.argoproj.io "x" already exists
            exit code 1
        "#]]);
}

#[test]
fn actions_change_the_workflow() {
    let server = Server::start();
    let pause = json!({"id": "w-1", "name": "w.approve", "displayName": "approve", "type": "Suspend", "phase": "Running", "startedAt": null, "finishedAt": null});
    server.workflow("w", "Running", &json!({"w-1": pause}));
    server.check(
        &["suspend", "w"],
        expect![[r#"
        workflow w suspended
        exit code 0
    "#]],
    );
    server.check(
        &["stop", "w", "--node-field-selector", "displayName=other"],
        expect![[r#"
            stderr:
            Error: currently, set only targets suspend nodes: no suspend nodes matching nodeFieldSelector: displayName=other
            exit code 1
        "#]],
    );
    server.check(
        &["resume", "w", "--node-field-selector", "displayName=other"],
        expect![[r#"
            stderr:
            Error: currently, set only targets suspend nodes: no suspend nodes matching nodeFieldSelector: displayName=other
            exit code 1
        "#]],
    );
    server.check(
        &["resume", "w"],
        expect![[r#"
        workflow w resumed
        exit code 0
    "#]],
    );
    let after = server.read("w");
    expect![[r#"{"arguments":{},"entrypoint":"main"} "Succeeded""#]].assert_eq(&format!(
        "{} {}",
        after["spec"], after["status"]["nodes"]["w-1"]["phase"]
    ));
    server.check(
        &["stop", "w", "--dry-run"],
        expect![[r#"
        workflow w stopped (dry-run)
        exit code 0
    "#]],
    );
    server.check(
        &["terminate", "w"],
        expect![[r#"
        workflow w terminated
        exit code 0
    "#]],
    );
    expect![[r#"{"arguments":{},"entrypoint":"main","shutdown":"Terminate"}"#]]
        .assert_eq(&server.read("w")["spec"].to_string());
    server.workflow("done", "Succeeded", &json!({}));
    server.check(
        &["stop", "done"],
        expect![[r#"
        stderr:
        Error: cannot shutdown a completed workflow: workflow: "done", namespace: "default"
        exit code 1
    "#]],
    );
    server.check(
        &["suspend", "done"],
        expect![[r#"
            stderr:
            Error: timed out waiting for the condition: cannot suspend completed workflows
            exit code 1
        "#]],
    );
    server.check(
        &["terminate"],
        expect![[r#"
        stderr:
        Error: requires either selector or workflow
        exit code 1
    "#]],
    );
}

#[test]
fn workflows_are_deleted_by_name_and_by_choice() {
    let server = Server::start();
    for name in ["a-1", "a-2", "b-1"] {
        server.workflow(name, "Succeeded", &json!({}));
    }
    server.check(
        &["delete", "--prefix", "a-", "--dry-run"],
        expect![[r#"
        Workflow 'a-1' deleted (dry-run)
        Workflow 'a-2' deleted (dry-run)
        exit code 0
    "#]],
    );
    server.check(
        &["delete", "b-1"],
        expect![[r#"
        Workflow 'b-1' deleted
        exit code 0
    "#]],
    );
    server.check(
        &["delete", "--prefix", "b"],
        expect![[r#"
        No resources found
        exit code 0
    "#]],
    );
    server.check(
        &["delete", "--all"],
        expect![[r#"
        Workflow 'a-1' deleted
        Workflow 'a-2' deleted
        exit code 0
    "#]],
    );
    server.check(
        &["list"],
        expect![[r#"
        No workflows found
        exit code 0
    "#]],
    );
}

#[test]
fn why_shows_the_expression_that_a_node_failed_with() {
    let server = Server::start();
    let main = json!({"name": "main", "inputs": {"parameters": [{"name": "count", "value": "3"}]},
        "container": {"image": "i", "args": ["{{=inputs.parameters.coumt + 'x'}}"]}});
    let message = "failed to evaluate expression: inputs.parameters.coumt is missing";
    server.make(
        "/apis/argoproj.io/v1alpha1/namespaces/default/workflows",
        &json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "w"},
            "spec": {"entrypoint": "main", "templates": [main]},
            "status": {"phase": "Error", "message": message, "startedAt": "2026-01-01T00:00:00Z",
                "finishedAt": "2026-01-01T00:00:05Z", "nodes": {"w": {
                    "id": "w", "name": "w", "displayName": "w", "type": "Pod", "phase": "Error", "message": message,
                    "templateName": "main", "templateScope": "local/w",
                    "startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:00:05Z",
                }}},
        }),
    );
    server.check(&["why", "w"], expect![[r#"
        w: failed to evaluate expression: inputs.parameters.coumt is missing
          | inputs.parameters.coumt + 'x'
          | ^
          did you mean inputs.parameters.count?
          in scope: inputs.parameters, inputs.parameters.count, node.name, pod.name, steps.name, tasks.name, workflow.annotations, workflow.creationTimestamp, workflow.duration, workflow.failures, workflow.labels, workflow.mainEntrypoint, …
        stderr:
        w has ended: Error
        exit code 0
    "#]]);
}
