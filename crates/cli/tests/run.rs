//! `argosy run` when nothing can be run: what it says, and that its exit code is 2.
#![cfg(feature = "local")]

mod program;

use expect_test::expect;
use program::Program;

#[test]
fn a_missing_file_is_not_submitted() {
    Program::new(&["run", "nofile.yaml"]).check(expect![[r#"
        stderr:
        Error: nofile.yaml: no such file
        exit code 2
    "#]]);
}

#[test]
fn wrong_yaml_is_not_submitted() {
    Program::new(&["run", "x.yaml"])
        .file("x.yaml", "apiVersion: [\n")
        .check(expect![[r#"
        stderr:
        Error: x.yaml:1:13: unclosed bracket '['
        exit code 2
    "#]]);
}

#[test]
fn an_unknown_field_is_not_submitted() {
    let text =
        "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {name: x}\nspec: {entrypont: main}\n";
    Program::new(&["run", "-"]).input(text).check(expect![[r#"
        stderr:
        Error: -:4:8: spec.entrypont: unknown field; did you mean "entrypoint"?
        exit code 2
    "#]]);
}

#[test]
fn a_file_without_workflows_says_what_it_holds() {
    let text = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n";
    Program::new(&["run", "c.yaml"])
        .file("c.yaml", text)
        .check(expect![[r#"
        stderr:
        Error: no workflow found in c.yaml, only: ConfigMap
        hint: `argosy run` needs an object of kind Workflow
        exit code 2
    "#]]);
    Program::new(&["run", "c.yaml"])
        .file("c.yaml", "# nothing\n")
        .check(expect![[r#"
        stderr:
        Error: no workflow found in c.yaml: nothing is in there
        exit code 2
    "#]]);
}

#[test]
fn wrong_options_are_not_submitted() {
    Program::new(&["run", "--runtime", "docker", "x.yaml"]).check(expect![[r#"
        stderr:
        error: invalid value 'docker' for '--runtime <RUNTIME>': expected builtin, host, runc, crun, or a path

        For more information, try '--help'.
        exit code 2
    "#]]);
    Program::new(&["run"]).check(expect![[r#"
        stderr:
        error: the following required arguments were not provided:
          <FILES>...

        Usage: argosy run <FILES>...

        For more information, try '--help'.
        exit code 2
    "#]]);
    Program::new(&["run", "-p", "x", "x.yaml"]).check(expect![[r#"
        stderr:
        Error: expected parameter of the form: NAME=VALUE. Received: x
        exit code 2
    "#]]);
}
