//! `template`, `cluster-template`, `convert`, `sync`, `auth` and `submit --from` against the API server of this project.
#![cfg(feature = "connect")]

mod program;
mod server;

use expect_test::{Expect, expect};
use program::Program;
use serde_json::json;
use server::Server;

const TEMPLATE: &str = "apiVersion: argoproj.io/v1alpha1
kind: WorkflowTemplate
metadata: {name: build}
spec:
  entrypoint: main
  arguments: {parameters: [{name: who, value: nobody}]}
  templates:
  - name: main
    suspend: {}
";
const CRONS: &str = "/apis/argoproj.io/v1alpha1/namespaces/default/cronworkflows";

fn with_file(server: &Server, args: &[&str], text: &str, wanted: Expect) {
    Program::new(args)
        .file("kubeconfig", &server.kubeconfig)
        .file("t.yaml", text)
        .check(wanted);
}

#[test]
fn templates_are_made_shown_replaced_and_deleted() {
    let server = Server::start();
    let run = |args: &[&str], text: &str, wanted| with_file(&server, args, text, wanted);
    let create = ["template", "create", "t.yaml", "-o", "name"];
    run(
        &create,
        TEMPLATE,
        expect![[r#"
        build
        exit code 0
    "#]],
    );
    run(
        &create,
        TEMPLATE,
        expect![[r#"
        stderr:
        Error: workflowtemplates.argoproj.io "build" already exists
        exit code 1
    "#]],
    );
    let changed = TEMPLATE.replace("nobody", "somebody");
    run(
        &["template", "update", "t.yaml", "-o", "name"],
        &changed,
        expect![[r#"
            build
            exit code 0
        "#]],
    );
    server.check(
        &["template", "list"],
        expect![[r#"
        NAME
        build   
        exit code 0
    "#]],
    );
    server.check(
        &["template", "list", "-A"],
        expect![[r#"
        NAMESPACE   NAME
        default     build   
        exit code 0
    "#]],
    );
    server.check(
        &["template", "get", "nothing"],
        expect![[r#"
        stderr:
        Error: workflowtemplates.argoproj.io "nothing" not found
        exit code 1
    "#]],
    );
    server.check(
        &["template", "delete", "build"],
        expect![[r#"
        WorkflowTemplate 'build' deleted
        exit code 0
    "#]],
    );
}

#[test]
fn templates_of_the_whole_cluster_have_commands_of_their_own() {
    let server = Server::start();
    let run = |args: &[&str], text: &str, wanted| with_file(&server, args, text, wanted);
    server.check(
        &["cluster-template", "list", "-o", "name"],
        expect![[r#"
        exit code 0
    "#]],
    );
    let cluster = TEMPLATE.replace("WorkflowTemplate", "ClusterWorkflowTemplate");
    run(
        &["cwft", "create", "t.yaml", "-o", "name"],
        &cluster,
        expect![[r#"
            build
            exit code 0
        "#]],
    );
    run(
        &["template", "create", "t.yaml"],
        &cluster,
        expect![[r#"
        stderr:
        t.yaml: a ClusterWorkflowTemplate is no WorkflowTemplate and is left out
        Error: no WorkflowTemplate found in given files
        exit code 1
    "#]],
    );
    server.check(
        &["cluster-template", "delete", "--all"],
        expect![[r#"
        ClusterWorkflowTemplate 'build' deleted
        exit code 0
    "#]],
    );
}

#[test]
fn a_template_that_could_not_run_is_refused() {
    let server = Server::start();
    let run = |args: &[&str], text: &str, wanted| with_file(&server, args, text, wanted);
    let wrong = TEMPLATE.replace("entrypoint: main", "entrypoint: min");
    run(
        &["template", "update", "t.yaml"],
        &wrong,
        expect![[r#"
        stderr:
        Error: template name 'min' undefined
        hint: did you mean "main"?
        exit code 1
    "#]],
    );
    run(
        &["template", "lint", "t.yaml"],
        &wrong,
        expect![[r#"
        [4mt.yaml[0m:
           [31m✖[0m in "build" (WorkflowTemplate): template name 'min' undefined (did you mean "main"?) [line 5, column 3]

        [31m✖[0m 1 linting errors found!
        exit code 1
    "#]],
    );
}

#[test]
fn workflows_are_submitted_from_what_the_cluster_holds() {
    let server = Server::start();
    let template = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "WorkflowTemplate", "metadata": {"name": "build"},
        "spec": {"entrypoint": "main", "arguments": {"parameters": [{"name": "who"}]}, "templates": [{"name": "main", "suspend": {}}]},
    });
    server.make(
        "/apis/argoproj.io/v1alpha1/namespaces/default/workflowtemplates",
        &template,
    );
    let dry = ["--dry-run", "-o", "yaml"];
    let check = |args: &[&str], wanted| server.check(&[&["submit"], args, &dry].concat(), wanted);
    check(
        &["--from", "wftmpl/build", "-p", "who=me", "--name", "x"],
        expect![[r#"
            metadata:
              generateName: build-
              labels:
                workflows.argoproj.io/workflow-template: build
              name: x
              namespace: default
            spec:
              arguments:
                parameters:
                - name: who
                  value: me
              workflowTemplateRef:
                name: build
            status:
              finishedAt: null
              startedAt: null
            exit code 0
        "#]],
    );
    server.check(
        &["submit", "--from", "workflowtemplate/build", "-o", "name"],
        expect![[r#"
            stderr:
            Error: spec.arguments.who.value or spec.arguments.who.valueFrom is required
            exit code 1
        "#]],
    );
    check(
        &["--from", "workflowtemplate/nothing"],
        expect![[r#"
        stderr:
        Error: workflowtemplates.argoproj.io "nothing" not found
        exit code 1
    "#]],
    );
    check(
        &["--from", "pod/build"],
        expect![[r#"
        stderr:
        Error: Resource kind 'pod' is not supported for submitting
        exit code 1
    "#]],
    );
    check(
        &["--from", "build"],
        expect![[r#"
        stderr:
        Error: --from build: expected KIND/NAME, such as workflowtemplate/build
        exit code 1
    "#]],
    );
}

#[test]
fn a_run_of_a_cron_workflow_is_started_by_hand() {
    let server = Server::start();
    let cron = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "CronWorkflow", "metadata": {"name": "nightly"},
        "spec": {"schedules": ["0 0 * * *"], "workflowSpec": {"entrypoint": "main", "templates": [{"name": "main", "suspend": {}}]}},
    });
    server.make(CRONS, &cron);
    server.check(
        &[
            "submit",
            "--from",
            "cronwf/nightly",
            "--scheduled-time",
            "2026-01-02T03:04:05Z",
            "--name",
            "by-hand",
            "-o",
            "name",
        ],
        expect![[r#"
            by-hand
            exit code 0
        "#]],
    );
    let made = server.read("by-hand");
    assert_eq!(
        made["metadata"]["annotations"]["workflows.argoproj.io/scheduled-time"],
        "2026-01-02T03:04:05Z"
    );
    assert_eq!(
        made["metadata"]["labels"]["workflows.argoproj.io/cron-workflow"],
        "nightly"
    );
}

#[test]
fn a_workflow_that_could_not_run_is_not_submitted() {
    let server = Server::start();
    let text = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: x}\nspec:\n  entrypoint: main\n  templates:\n  - name: main\n    steps:\n    - - {name: a, template: other}\n";
    Program::new(&["submit", "x.yaml"])
        .file("kubeconfig", &server.kubeconfig)
        .file("x.yaml", text)
        .check(expect![[r#"
            stderr:
            Error: x.yaml:9:9: templates.main.steps[0].a template name 'other' undefined
            exit code 1
        "#]]);
}

#[test]
fn limits_of_semaphores_are_kept_in_a_config_map() {
    let server = Server::start();
    let at = ["--type", "configmap", "--cm-name", "limits"];
    let check = |args: &[&str], wanted| server.check(&[&["sync"], args, &at].concat(), wanted);
    check(
        &["create", "builds", "--limit", "2"],
        expect![[r#"
        Sync limit created
        Key: builds
        Type: configmap
        ConfigMap Name: limits
        Namespace: default
        Limit: 2
        exit code 0
    "#]],
    );
    check(
        &["create", "builds", "--limit", "2"],
        expect![[r#"
        stderr:
        Error: sync limit builds already exists
        exit code 1
    "#]],
    );
    check(
        &["update", "builds", "--limit", "3"],
        expect![[r#"
        Sync limit updated
        Key: builds
        Type: configmap
        ConfigMap Name: limits
        Namespace: default
        Limit: 3
        exit code 0
    "#]],
    );
    check(
        &["get", "builds"],
        expect![[r#"
        Key: builds
        Type: configmap
        ConfigMap Name: limits
        Namespace: default
        Limit: 3
        exit code 0
    "#]],
    );
    check(
        &["delete", "builds"],
        expect![[r#"
        Sync limit deleted
        exit code 0
    "#]],
    );
    check(
        &["get", "builds"],
        expect![[r#"
        stderr:
        Error: sync limit builds not found in ConfigMap limits
        exit code 1
    "#]],
    );
    server.check(
        &["sync", "get", "builds", "--type", "database"],
        expect![[r#"
        stderr:
        Error: this is impossible if you are not using the Argo Server
        hint: commands of Argosy can't talk to a server yet
        exit code 1
    "#]],
    );
    server.check(
        &["sync", "get", "builds"],
        expect![[r#"
        stderr:
        Error: --type is required: configmap or database
        exit code 1
    "#]],
    );
}

#[test]
fn credentials_come_with_their_scheme() {
    let server = Server::start();
    server.check(
        &["auth", "token"],
        expect![[r#"
        Bearer test
        exit code 0
    "#]],
    );
    Program::new(&["auth", "token", "--server", "https://nowhere"]).check(expect![[r#"
        stderr:
        Error: could not find a token
        exit code 1
    "#]]);
}

#[test]
fn what_needs_a_server_says_so() {
    for args in [
        &["archive", "list"][..],
        &["archive", "get", "x", "--uid"],
        &["cp", "x", "folder", "--artifact-name", "a"],
    ] {
        Program::new(args).check(expect![[r#"
            stderr:
            Error: this is impossible if you are not using the Argo Server
            hint: commands of Argosy can't talk to a server yet
            exit code 1
        "#]]);
    }
}

#[test]
fn fields_of_earlier_versions_are_rewritten() {
    let text = "apiVersion: argoproj.io/v1alpha1
kind: CronWorkflow
metadata: {name: c}
spec:
  schedule: '0 0 * * *'
  schedules: ['1 1 * * *']
  workflowSpec:
    synchronization: {mutex: {name: m}, mutexes: [{name: n}]}
    templates:
    - {name: a, synchronization: {semaphore: {configMapKeyRef: {name: c, key: k}}}}
---
kind: Other
";
    Program::new(&["convert", "-"]).input(text).check(expect![[r#"
        ---
        apiVersion: argoproj.io/v1alpha1
        kind: CronWorkflow
        metadata:
          name: c
        spec:
          schedules:
          - 0 0 * * *
          workflowSpec:
            synchronization:
              mutexes:
              - name: false
              - name: m
            templates:
            - name: a
              synchronization:
                semaphores:
                - configMapKeyRef:
                    key: k
                    name: c
        ---
        kind: Other
        exit code 0
    "#]]);
    Program::new(&["convert", "-", "-o", "json"])
        .input(text)
        .check(expect![[r#"
            {"apiVersion":"argoproj.io/v1alpha1","kind":"CronWorkflow","metadata":{"name":"c"},"spec":{"schedules":["0 0 * * *"],"workflowSpec":{"synchronization":{"mutexes":[{"name":false},{"name":"m"}]},"templates":[{"name":"a","synchronization":{"semaphores":[{"configMapKeyRef":{"key":"k","name":"c"}}]}}]}}}
            {"kind":"Other"}
            exit code 0
        "#]]);
}
