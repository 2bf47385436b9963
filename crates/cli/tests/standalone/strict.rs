//! Steps that may do next to nothing: another user, no capabilities, a root that can't be written, an account with no
//! rights but to report; and steps that have a terminal, or more arguments than a command line holds (X-SEC-01 to
//! X-SEC-06, X-EMIS-03, X-EMIS-21, X-POD-10).

use crate::kubectl;
use crate::machine::Machine;

const STRICT: &str = r#"
  entrypoint: main
  archiveLogs: true
  serviceAccountName: nobody-special
  securityContext: {runAsUser: 8737, runAsGroup: 8737, runAsNonRoot: true, seccompProfile: {type: RuntimeDefault}}
  volumes: [{name: work, emptyDir: {}}]
  templates:
  - name: main
    steps:
    - - {name: write, template: write}
    - - name: read
        template: read
        arguments: {artifacts: [{name: file, from: "{{steps.write.outputs.artifacts.file}}"}]}
  - name: write
    container:
      image: none
      command: [sh, -c]
      args: ["id -u > /made/file; (echo x > /etc/x) 2> /dev/null || echo read-only; printf out > /made/word"]
      securityContext:
        readOnlyRootFilesystem: true
        allowPrivilegeEscalation: false
        capabilities: {drop: [ALL]}
      volumeMounts: [{name: work, mountPath: /made}]
    outputs:
      parameters: [{name: word, valueFrom: {path: /made/word}}]
      artifacts: [{name: file, path: /made/file}]
  - name: read
    inputs: {artifacts: [{name: file, path: /given}]}
    script:
      image: none
      command: [sh]
      source: cat /given; id -u
      securityContext: {readOnlyRootFilesystem: true, allowPrivilegeEscalation: false, capabilities: {drop: [ALL]}}
"#;

const LONG: &str = r#"
  entrypoint: main
  templates:
  - name: main
    container:
      image: none
      command: [sh, -c, 'test -t 1 && echo a terminal; head -c 5 "${1#@}"; wc -c < "${1#@}"', sh]
      args: [LONG]
      tty: true
"#;

#[test]
fn x_sec_01_to_06_a_step_needs_no_rights() {
    if !rustix::process::geteuid().is_root() {
        // For others there is only their own user.
        return;
    }
    let mut machine = Machine::new();
    machine.start();
    kubectl::says(&machine, "create serviceaccount nobody-special", "");
    machine.submit("strict", STRICT);
    let done = machine.completed("strict");
    assert_eq!(done["status"]["phase"], "Succeeded", "{:#}", done["status"]);
    let nodes = done["status"]["nodes"].as_object().expect("nodes");
    let write = nodes
        .values()
        .find(|n| n["displayName"] == "write")
        .expect("a node");
    assert_eq!(write["outputs"]["parameters"][0]["value"], "out");
    let logs = machine
        .run(&["logs", "strict", "--no-color", "--grep", "^(8737|read-only)$"])
        .stdout;
    let words: Vec<_> = logs.lines().filter_map(|l| l.split(": ").nth(1)).collect();
    assert_eq!(words, ["read-only", "8737", "8737"], "{logs}");
    machine.stop();
}

#[test]
fn x_emis_03_21_terminals_and_long_arguments() {
    let mut machine = Machine::new();
    machine.start();
    machine.submit("long", &LONG.replace("LONG", &"x".repeat(150_000)));
    let done = machine.completed("long");
    assert_eq!(done["status"]["phase"], "Succeeded");
    let logs = machine
        .run(&["logs", "long", "--no-color", "--grep", "terminal$|x+"])
        .stdout;
    assert!(
        logs.contains(": a terminal\n") && logs.contains(": xxxxx150000\n"),
        "{logs}"
    );
    machine.stop();
}
