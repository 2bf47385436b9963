//! `argosy logs` as a user sees it: while pods run, afterwards, and when they are gone and only what was kept is there.

use std::process::Stdio;

use crate::kubectl;
use crate::machine::{Machine, finish, wait_for};

/// Two pods, one of them with two containers, that say the next word when they are told to.
const TALK: &str = r"
  entrypoint: main
  archiveLogs: true
  podGC: {strategy: OnWorkflowCompletion, deleteDelayDuration: 0s}
  templates:
  - name: main
    dag:
      tasks:
      - {name: a, template: a}
      - {name: b, template: b}
      - {name: c, template: quiet, depends: a && b}
  - name: a
    metadata: {labels: {letter: a}}
    volumes: [{name: v, hostPath: {path: FOLDER}}]
    containerSet:
      volumeMounts: [{name: v, mountPath: /turns}]
      containers:
      - name: main
        image: none
        command: [sh, -c, 'say() { until test -e /turns/$1; do sleep 0.01; done; echo $1; }; say one; say three']
      - {name: side, image: none, command: [echo, beside]}
  - name: b
    metadata: {labels: {letter: b}}
    volumes: [{name: v, hostPath: {path: FOLDER}}]
    container:
      image: none
      command: [sh, -c, 'say() { until test -e /turns/$1; do sleep 0.01; done; echo $1; }; say two; say four; say five; exit 3']
      volumeMounts: [{name: v, mountPath: /turns}]
  - name: quiet
    archiveLocation: {archiveLogs: false}
    container: {image: none, command: [echo, not kept]}
";

/// The words of lines, in order, without the executor's own and without names of pods.
fn words(text: &str) -> Vec<String> {
    let lines = text
        .lines()
        .filter(|l| !l.ends_with("argo=true") && !l.contains("Error: exit status"));
    lines
        .map(|l| l.split_once(": ").map_or(l, |(_, words)| words).to_owned())
        .collect()
}

#[test]
fn c_logs_01_followed_chosen_and_read_after_the_pods_are_gone() {
    let mut machine = Machine::new();
    machine.start();
    let turns = machine.folder().join("turns");
    std::fs::create_dir(&turns).expect("the folder can be written");
    // `c` runs whatever became of `b`.
    let talk = TALK
        .replace("FOLDER", &turns.display().to_string())
        .replace("a && b", "a && b.Failed");
    machine.submit("talk", &talk);
    let logs = |more: &[&str]| {
        let mut args = vec!["logs", "talk", "--no-color"];
        args.extend(more);
        let told = machine.run(&args);
        assert_eq!(told.code, Some(0), "{more:?}: {}", told.stderr);
        words(&told.stdout)
    };
    let mut follow = machine.argosy(&["logs", "talk", "-f", "--no-color"]);
    let follow = follow
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let say = |word: &str| std::fs::write(turns.join(word), "").expect("the folder can be written");
    // While they run; a word is there before the next one is said, so that their order is certain.
    let spoken = ["one", "two", "three", "four"];
    for (index, word) in spoken.iter().enumerate() {
        say(word);
        let said = format!("{word} is there");
        wait_for(&said, || (logs(&[]) == spoken[..=index]).then_some(()));
    }
    assert_eq!(logs(&["--grep", "o"]), ["one", "two", "four"]);
    assert_eq!(logs(&["b", "--tail", "1"]), ["four"]);
    assert_eq!(logs(&["-l", "letter=b"]), ["two", "four"]);
    assert_eq!(logs(&["-l", "letter=a", "-c", "side"]), ["beside"]);
    assert_eq!(logs(&["--since", "1h"]), spoken);
    assert_eq!(
        logs(&["--since-time", "2100-01-01T00:00:00Z"]),
        Vec::<String>::new()
    );
    let timed = machine
        .run(&["logs", "talk", "b", "--timestamps", "--grep", "four"])
        .stdout;
    let time = timed
        .split(' ')
        .nth(1)
        .and_then(|t| t.parse::<jiff::Timestamp>().ok());
    assert!(time.is_some(), "{timed}");

    say("five");
    let followed = finish(follow, "logs -f");
    assert_eq!(followed.code, Some(0), "{}", followed.stderr);
    let mut said = words(&followed.stdout);
    assert_eq!(said.pop().as_deref(), Some("not kept"), "{said:?}");
    // Two pods are followed side by side: the order is each one's own.
    said.sort_by_key(|w| matches!(w.as_str(), "two" | "four" | "five"));
    assert_eq!(said, ["one", "three", "two", "four", "five"]);

    machine.completed("talk");
    wait_for("the pods are gone", || {
        kubectl::says(&machine, "get pods -o name", "")
            .is_empty()
            .then_some(())
    });
    let mut kept = logs(&[]);
    kept.sort_by_key(|w| matches!(w.as_str(), "two" | "four" | "five"));
    assert_eq!(
        kept,
        ["one", "three", "two", "four", "five"],
        "the log of c was not to be kept"
    );
    assert_eq!(logs(&["b", "--tail", "2"]), ["four", "five"]);
    assert_eq!(logs(&["--grep", "^t"]).len(), 2);
    assert_eq!(logs(&["a", "-c", "side"]), ["beside"]);
    assert_eq!(
        logs(&["--since-time", "2100-01-01T00:00:00Z"]),
        Vec::<String>::new()
    );
    let told = machine.run(&["logs", "talk"]).stderr;
    assert_eq!(
        told,
        "note: a pod is gone, and its log was not kept (archiveLogs keeps logs)\n"
    );
    machine.stop();
}

/// A step for each row of the precedence: what the template says; the workflow says `WORKFLOW`.
const ROWS: &str = "
  entrypoint: main
  archiveLogs: WORKFLOW
  templates:
  - name: main
    steps:
    - - {name: unset, template: unset}
      - {name: asked, template: asked}
      - {name: not, template: not}
  - name: unset
    container: {image: none, command: [echo, unset]}
  - name: asked
    archiveLocation: {archiveLogs: true}
    container: {image: none, command: [echo, asked]}
  - name: not
    archiveLocation: {archiveLogs: false}
    container: {image: none, command: [echo, not]}
";

#[test]
fn x_log_01_controller_template_and_workflow_decide_in_this_order() {
    let mut machine = Machine::new();
    let config = machine.file("config.yaml", "artifactRepository: {archiveLogs: true}\n");
    for (options, workflow, kept) in [
        (vec![], "null", "asked"),
        (vec![], "true", "unset asked"),
        (vec![], "false", "asked"),
        (vec!["--config", &config], "false", "unset asked not"),
    ] {
        machine.start_with(&options);
        let name = format!("rows-{workflow}-{}", options.len());
        machine.submit(&name, &ROWS.replace("WORKFLOW", workflow));
        let done = machine.completed(&name);
        assert_eq!(done["status"]["phase"], "Succeeded", "{:#}", done["status"]);
        let nodes = done["status"]["nodes"].as_object().expect("nodes");
        let mut found = Vec::new();
        for step in ["unset", "asked", "not"] {
            let node = nodes.values().find(|n| n["displayName"] == step).expect("a node");
            if node["outputs"]["artifacts"][0]["name"] == "main-logs" {
                let key = node["outputs"]["artifacts"][0]["s3"]["key"]
                    .as_str()
                    .expect("a key");
                let text = std::fs::read_to_string(machine.data().join("artifacts/artifacts").join(key));
                assert_eq!(text.expect("the log is there"), format!("{step}\n"));
                found.push(step);
            }
        }
        assert_eq!(found.join(" "), kept, "{workflow} {options:?}");
        machine.stop();
    }
}
