//! Workflows whose pods have no init containers of ours (`initlessPod.enabled`): everything that a step can read and hand
//! on, end to end (section 7 of the executor's rules, X-POD-20 to X-POD-23).

use serde_json::{Value, json};

use crate::kubectl;
use crate::machine::Machine;

const STEPS: &str = r#"
  entrypoint: main
  archiveLogs: true
  templates:
  - name: main
    steps:
    - - {name: write, template: write}
    - - name: read
        template: read
        arguments:
          artifacts: [{name: letter, from: "{{steps.write.outputs.artifacts.letter}}"}]
          parameters: [{name: word, value: "{{steps.write.outputs.parameters.word}} {{steps.write.outputs.result}}"}]
    - - name: made
        template: made
        arguments:
          artifacts: [{name: manifest, raw: {data: "{apiVersion: v1, kind: ConfigMap, metadata: {name: made}, data: {a: b}}"}}]
    - - {name: listed, template: listed}
  - name: write
    script:
      image: none
      command: [sh]
      source: |
        echo hello
        printf word > /tmp/word
        mkdir /tmp/out
        printf 'dear reader' > /tmp/out/letter
    outputs:
      parameters: [{name: word, valueFrom: {path: /tmp/word}}]
      artifacts: [{name: letter, path: /tmp/out}]
  - name: read
    inputs:
      parameters: [{name: word}]
      artifacts:
      - {name: letter, path: /tmp/in/letter}
      - {name: kept, path: /vol/kept, raw: {data: "on a volume\n"}}
      - {name: none, path: /tmp/none, optional: true}
    volumes: [{name: v, emptyDir: {}}]
    sidecars: [{name: beside, image: none, command: [sleep, '1000']}]
    container:
      image: none
      command: [sh, -c]
      args: ["cat /tmp/in/letter/letter /vol/kept; printf changed > /tmp/in/letter/letter; echo {{inputs.parameters.word}}"]
      volumeMounts: [{name: v, mountPath: /vol}]
    outputs:
      artifacts: [{name: again, path: /tmp/in/letter/letter, archive: {none: {}}}]
  - name: made
    inputs: {artifacts: [{name: manifest, path: /tmp/manifest-of-mine}]}
    resource:
      action: create
      successCondition: data.a == b
      manifestFrom: {artifact: {name: manifest}}
    outputs: {parameters: [{name: name, valueFrom: {jsonPath: '{.metadata.name}'}}]}
  - name: listed
    data:
      source: {artifactPaths: {name: all, s3: {key: steps/}}}
      transformation: [{expression: "len(data) > 0"}]
"#;

const MISSING: &str = "
  entrypoint: main
  templates:
  - name: main
    inputs: {artifacts: [{name: letter, path: /tmp/letter, s3: {key: no/such}}]}
    container: {image: none, command: ['true']}
";

fn node<'a>(workflow: &'a Value, name: &str) -> &'a Value {
    let nodes = workflow["status"]["nodes"].as_object().expect("nodes");
    let found = nodes.values().find(|n| n["displayName"] == name);
    found.unwrap_or_else(|| panic!("no node {name}: {workflow:#}"))
}

#[test]
fn x_sup_01_pods_without_init_containers_do_what_others_do() {
    let mut machine = Machine::new();
    let config = machine.file("config.yaml", "initlessPod: {enabled: true}\n");
    machine.start_with(&["--config", &config]);
    machine.submit("steps", STEPS);
    let done = machine.completed("steps");
    assert_eq!(done["status"]["phase"], "Succeeded", "{:#}", done["status"]);
    assert_eq!(node(&done, "write")["outputs"]["result"], "hello");
    assert_eq!(node(&done, "write")["outputs"]["parameters"][0]["value"], "word");
    assert_eq!(node(&done, "made")["outputs"]["parameters"][0]["value"], "made");
    assert_eq!(node(&done, "listed")["outputs"]["result"], "true");
    let logs = |node: &str| {
        machine
            .run(&["logs", "steps", node, "--no-color", "--grep", "^[^t]"])
            .stdout
    };
    let said = logs("read");
    assert!(
        said.contains(": dear readeron a volume\n") && said.ends_with(": word hello\n"),
        "{said}"
    );
    // What main made of its input is its own, and not the volume's (X-SUP-23).
    let key = node(&done, "read")["outputs"]["artifacts"][0]["s3"]["key"]
        .as_str()
        .expect("a key")
        .to_owned();
    let kept = std::fs::read_to_string(machine.data().join("artifacts/artifacts").join(key));
    assert_eq!(kept.expect("the artifact is there"), "changed");
    let names = node(&done, "read")["outputs"]["artifacts"]
        .as_array()
        .expect("a list")
        .len();
    assert_eq!(names, 2, "the log is kept, too");
    // X-POD-20, X-POD-21: a supervisor, and the programs as an image's files.
    let pods = kubectl::command(&machine, &kubectl::words("get pods -o json")).output();
    let pods: Value = serde_json::from_slice(&pods.expect("kubectl runs").stdout).expect("JSON");
    for pod in pods["items"].as_array().expect("a list") {
        let name = &pod["metadata"]["annotations"]["workflows.argoproj.io/node-name"];
        assert!(pod["spec"]["initContainers"].is_null(), "{name}");
        let containers = pod["spec"]["containers"].as_array().expect("a list");
        let names: Vec<_> = containers.iter().map(|c| c["name"].clone()).collect();
        let wanted = match name.as_str().expect("a name") {
            "steps[1].read" => json!(["supervisor", "main", "beside"]),
            "steps[3].listed" => json!(["main"]),
            _ => json!(["supervisor", "main"]),
        };
        assert_eq!(json!(names), wanted, "{name}");
        let command = &containers[names.len() - 1]["command"][0];
        assert_eq!(*command, "/argo-bin/bin/argoexec", "{name}");
    }
    machine.submit("missing", MISSING);
    let done = machine.completed("missing");
    let root = node(&done, "missing");
    assert_eq!(root["phase"], "Error", "X-GEN-36: {root:#}");
    let message = root["message"].as_str().expect("a message");
    assert!(
        message.contains("artifact letter failed to load: The specified key does not exist."),
        "{message}"
    );
    machine.stop();
}
