//! Pods that select a node: they run when the machine has the labels, and otherwise it is told what helps.

use std::process::Stdio;

use crate::kubectl::says;
use crate::machine::{Machine, finish, wait_for};

/// The file of a workflow whose pod selects a node; given up after a time, if there is one.
fn workflow(machine: &Machine, timeout: &str) -> String {
    let text = format!(
        "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {{name: w}}\nspec:\n  entrypoint: main\n  \
         templates:\n  - name: main\n    nodeSelector: {{disk: ssd}}\n    {timeout}\n    container: {{image: any, command: \
         ['true']}}\n"
    );
    std::fs::write(machine.folder().join("w.yaml"), text).expect("the folder can be written");
    "w.yaml".to_owned()
}

const ADVICE: &str =
    "hint: the node of this machine lacks a label that the pod selects; `--node-label KEY=VALUE`";

#[test]
fn a_run_gives_its_node_labels_or_says_that_they_lack() {
    let machine = Machine::new();
    let file = workflow(&machine, "timeout: 2s");
    for (more, code, advised) in [
        (&["--node-label", "disk=ssd"][..], Some(0), false),
        (&[], Some(1), true),
        (&["--node-label", "disk"], Some(2), false),
        (&["--node-label", "a b=c"], Some(2), false),
    ] {
        let run = ["run", "--runtime", "host", "--network", "host"];
        let mut command = machine.argosy(&[&run, more, &[&*file]].concat());
        command
            .env_remove("KUBECONFIG")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let ended = finish(command.spawn().expect("the program starts"), "argosy run");
        assert_eq!(ended.code, code, "{more:?}: {}{}", ended.stdout, ended.stderr);
        assert_eq!(
            ended.stderr.contains(ADVICE),
            advised,
            "{more:?}: {}",
            ended.stderr
        );
    }
}

#[test]
fn a_label_lets_a_pod_go_on_that_waits() {
    let mut machine = Machine::new();
    machine.start();
    let file = workflow(&machine, "");
    assert_eq!(machine.run(&["submit", &file]).code, Some(0));
    let wanted = "to start: Unschedulable: 0/1 nodes are available: 1 node(s) didn't match Pod's node affinity/selector. \
                  no new claims to deallocate, preemption: 0/1 nodes are available: 1 Preemption is not helpful for \
                  scheduling.";
    let why = wait_for("it is said why", || {
        let why = machine.run(&["why", "w"]);
        why.stdout.contains(wanted).then_some(why)
    });
    assert!(why.stderr.contains(ADVICE), "{}", why.stderr);
    assert_eq!(
        says(&machine, "label node argosy disk=ssd", ""),
        "node/argosy labeled\n"
    );
    wait_for("the workflow ends", || {
        machine
            .run(&["get", "w", "-o", "json"])
            .stdout
            .contains("\"phase\": \"Succeeded\"")
            .then_some(())
    });
    let described = says(&machine, "describe pod w", "");
    assert!(described.contains("FailedScheduling"), "{described}");
    machine.stop();
    // The label is the node's until somebody takes it away.
    machine.start();
    let labels = says(&machine, "get node argosy -o 'jsonpath={.metadata.labels}'", "");
    assert!(labels.contains("\"disk\":\"ssd\""), "{labels}");
}
