//! Commands that need no API server: what they print on both outputs, and how they exit.
#![cfg(feature = "connect")]

mod program;

use expect_test::expect;
use program::Program;

#[test]
fn the_version_is_short_when_asked() {
    Program::new(&["version", "--short"]).check(expect![[r"
        argosy: v0.1.0
        exit code 0
    "]]);
}

#[test]
fn an_unknown_command_is_refused_with_the_nearest_ones() {
    Program::new(&["lst"]).check(expect![[r#"
        stderr:
        error: unrecognized subcommand 'lst'

          tip: some similar subcommands exist: 'lint', 'stop', 'cluster-template', 'list'

        Usage: argosy [OPTIONS] <COMMAND>

        For more information, try '--help'.
        exit code 1
    "#]]);
}

#[test]
fn a_missing_file_is_named_with_its_neighbour() {
    let program = Program::new(&["submit", "hello.yml"]).file("hello.yaml", "");
    program.check(expect![[r#"
        stderr:
        Error: hello.yml: no such file
        hint: did you mean hello.yaml?
        exit code 1
    "#]]);
}

#[test]
fn an_unknown_field_has_line_column_and_the_nearest_name() {
    let text = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata:\n  generateName: x-\nspec:\n  entryPoint: main\n  templates:\n  - name: main\n    container:\n      imagee: busybox\n";
    Program::new(&["submit", "x.yaml"])
        .file("x.yaml", text)
        .check(expect![[r#"
            stderr:
            Error: x.yaml:6:3: spec.entryPoint: unknown field; did you mean "entrypoint"?
            x.yaml:10:7: spec.templates[0].container.imagee: unknown field; did you mean "image"?
            exit code 1
        "#]]);
}

#[test]
fn unknown_fields_are_allowed_when_not_strict() {
    let text =
        "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: x}\nspec: {entryPoint: main}\n";
    Program::new(&["submit", "--strict=false", "--dry-run", "-o", "name", "x.yaml"])
        .file("x.yaml", text)
        .check(expect![[r#"
            x
            exit code 0
        "#]]);
}

#[test]
fn wrong_yaml_has_line_and_column() {
    Program::new(&["submit", "x.yaml"])
        .file("x.yaml", "kind: Workflow\n  name: [x\n")
        .check(expect![[r#"
            stderr:
            Error: x.yaml:2:7: mapping values are not allowed in this context
            exit code 1
        "#]]);
}

#[test]
fn a_file_without_workflows_says_so() {
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n";
    Program::new(&["submit", "c.yaml"])
        .file("c.yaml", text)
        .check(expect![[r#"
            stderr:
            c.yaml: a ConfigMap is no workflow and is left out
            Error: no workflow found in given files
            exit code 1
        "#]]);
}

#[test]
fn a_huge_file_is_refused() {
    let text = "#".repeat(33 << 20);
    Program::new(&["submit", "x.yaml"])
        .file("x.yaml", &text)
        .check(expect![[r#"
            stderr:
            Error: reading x.yaml: longer than 32 MiB, which no manifest is
            exit code 1
        "#]]);
}

#[test]
fn options_change_the_workflow_that_is_printed() {
    let text = "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {generateName: x-}\nspec: {entrypoint: a, arguments: {parameters: [{name: m, value: 1}]}}\n";
    let args = [
        "submit",
        "-",
        "--dry-run",
        "-o",
        "yaml",
        "-p",
        "m=2",
        "-p",
        "n=3",
        "--entrypoint",
        "b",
        "--name",
        "y",
        "-l",
        "k=v",
    ];
    Program::new(&args).input(text).check(expect![[r#"
        apiVersion: argoproj.io/v1alpha1
        kind: Workflow
        metadata:
          generateName: x-
          labels:
            k: v
          name: "y"
        spec:
          arguments:
            parameters:
            - name: m
              value: "2"
            - name: "n"
              value: "3"
          entrypoint: b
        status:
          finishedAt: null
          startedAt: null
        exit code 0
    "#]]);
}

#[test]
fn conflicting_options_are_refused() {
    Program::new(&["submit", "x.yaml", "--dry-run"]).check(expect![[r#"
        stderr:
        Error: --dry-run should have an output option
        exit code 1
    "#]]);
    Program::new(&["submit", "x.yaml", "--wait", "--watch"]).check(expect![[r#"
        stderr:
        Error: --wait cannot be combined with --watch
        exit code 1
    "#]]);
    Program::new(&["list", "--completed", "--running"]).check(expect![[r#"
        stderr:
        Error: --completed and --running cannot be used together
        exit code 1
    "#]]);
    Program::new(&[
        "get",
        "x",
        "--status",
        "Failed",
        "--node-field-selector",
        "name=x",
    ])
    .check(expect![[r#"
        stderr:
        Error: cannot use both --status and --node-field-selector
        exit code 1
    "#]]);
    Program::new(&["delete"]).check(expect![[r#"
        stderr:
        Error: requires either selector or workflow
        exit code 1
    "#]]);
    Program::new(&["submit", "x.yaml", "-p", "m"]).check(expect![[r#"
        stderr:
        Error: expected parameter of the form: NAME=VALUE. Received: m
        exit code 1
    "#]]);
}

#[test]
fn without_a_cluster_the_way_out_is_named() {
    Program::new(&["list"]).check(expect![[r#"
        stderr:
        Error: no way to a Kubernetes API: failed to read kubeconfig from '"FOLDER/kubeconfig"': No such file or directory (os error 2)
        hint: set KUBECONFIG or --kubeconfig; without a cluster, `argosy run FILE` runs workflows on this machine
        exit code 1
    "#]]);
}

#[test]
fn an_unreachable_server_is_named_as_such() {
    Program::new(&["list", "--server", "http://127.0.0.1:1"]).check(expect![[r#"
        stderr:
        Error: the API server can't be reached: client error (Connect): tcp connect error: Connection refused (os error 111)
        exit code 1
    "#]]);
}
