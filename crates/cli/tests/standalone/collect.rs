//! The clean-up of artifacts on a platform: each strategy in its time, and an end in every case (section 16 of the
//! executor's rules).

use serde_json::{Value, json};

use crate::kubectl;
use crate::machine::{Machine, wait_for};

/// An artifact for each strategy; `MORE` is the workflow's own word on them.
const ARTIFACTS: &str = "
  entrypoint: main
  archiveLogs: true
  artifactGC: {MORE}
  templates:
  - name: main
    container: {image: none, command: [sh, -c, 'for f in now later never plain; do echo $f > /tmp/$f; done']}
    outputs:
      artifacts:
      - {name: now, path: /tmp/now, s3: {key: kept-NAME/now}, artifactGC: {strategy: OnWorkflowCompletion}}
      - {name: later, path: /tmp/later, s3: {key: kept-NAME/later}, artifactGC: {strategy: OnWorkflowDeletion}}
      - {name: never, path: /tmp/never, s3: {key: kept-NAME/never}, artifactGC: {strategy: Never}}
      - {name: plain, path: /tmp/plain, s3: {key: kept-NAME/plain}}
";

/// An artifact with a secret of its own.
const SECRET: &str = "
  entrypoint: main
  artifactGC: {strategy: OnWorkflowDeletion, forceFinalizerRemoval: FORCED}
  templates:
  - name: main
    container: {image: none, command: [sh, -c, 'echo x > /tmp/x']}
    outputs:
      artifacts: 
      - name: x
        path: /tmp/x
        s3:
          endpoint: ADDRESS
          bucket: artifacts
          insecure: true
          key: kept-NAME/x
          accessKeySecret: {name: own, key: accesskey}
          secretKeySecret: {name: own, key: secretkey}
";

fn objects(machine: &Machine, name: &str) -> Vec<String> {
    let folder = machine
        .data()
        .join("artifacts/artifacts")
        .join(format!("kept-{name}"));
    let entries = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let mut names: Vec<String> = entries
        .map(|e| e.file_name().to_string_lossy().into_owned())
        .collect();
    names.sort();
    names
}

fn deleted(machine: &Machine, name: &str) {
    let told = machine.run(&["delete", name]);
    assert_eq!(told.code, Some(0), "{}", told.stderr);
    gone(machine, name);
}

fn gone(machine: &Machine, name: &str) {
    wait_for("the workflow is gone", || {
        (machine.run(&["get", name]).code != Some(0)).then_some(())
    });
}

fn strategies(machine: &Machine, name: &str, more: &str) {
    machine.submit(name, &ARTIFACTS.replace("NAME", name).replace("MORE", more));
    let done = machine.completed(name);
    assert_eq!(done["status"]["phase"], "Succeeded", "{:#}", done["status"]);
    wait_for("what is to go at the end is gone", || {
        (objects(machine, name) == ["later", "never", "plain"]).then_some(())
    });
    wait_for("that is written down", || {
        let nodes = machine.get(name)["status"]["nodes"].clone();
        let artifact = |n: &Value| n["outputs"]["artifacts"][0].clone();
        (artifact(&nodes[name])["deleted"] == true).then_some(())
    });
    let finalizers = &machine.get(name)["metadata"]["finalizers"];
    assert_eq!(finalizers[0], "workflows.argoproj.io/artifact-gc", "X-GC-02");
    deleted(machine, name);
}

#[test]
fn x_gc_01_03_strategies_have_their_time_and_workflows_go() {
    let mut machine = Machine::new();
    machine.start();
    strategies(&machine, "own", "strategy: Never");
    assert_eq!(objects(&machine, "own"), ["never", "plain"]);
    // The workflow's word counts where an artifact has none, and for logs (X-GC-05).
    strategies(
        &machine,
        "all",
        "strategy: OnWorkflowDeletion, serviceAccountName: default",
    );
    assert_eq!(objects(&machine, "all"), ["never"]);
    // A workflow that is deleted while it runs is ended and cleaned up (X-GC-31).
    let running = ARTIFACTS
        .replace("NAME", "run")
        .replace("MORE", "strategy: OnWorkflowDeletion");
    machine.submit("run", &running.replace("'for f", "'sleep 1000; for f"));
    wait_for("it runs", || {
        (machine.get("run")["status"]["phase"] == "Running").then_some(())
    });
    deleted(&machine, "run");
    assert_eq!(
        kubectl::says(&machine, "get workflowartifactgctasks -o name", ""),
        ""
    );
    machine.stop();
}

#[test]
fn x_gc_13_an_instance_id_keeps_nothing_from_ending() {
    let mut machine = Machine::new();
    let config = machine.file("config.yaml", "instanceID: mine\n");
    machine.start_with(&["--config", &config]);
    let text = ARTIFACTS
        .replace("NAME", "one")
        .replace("MORE", "strategy: OnWorkflowDeletion");
    let labels = "{name: one, labels: {workflows.argoproj.io/controller-instanceid: mine}}";
    let head = format!("apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {labels}\nspec:");
    let file = machine.file("one.yaml", &format!("{head}{text}"));
    assert_eq!(
        kubectl::says(&machine, &format!("apply -f {file}"), ""),
        "workflow.argoproj.io/one created\n"
    );
    wait_for("what is to go at the end is gone", || {
        (objects(&machine, "one") == ["later", "never", "plain"]).then_some(())
    });
    kubectl::says(&machine, "delete workflow one --wait=false", "");
    gone(&machine, "one");
    assert_eq!(objects(&machine, "one"), ["never"]);
    machine.stop();
}

#[test]
fn x_gc_30_to_33_what_cannot_be_deleted_is_told_and_force_ends_it() {
    let mut machine = Machine::new();
    machine.start();
    let kept = std::fs::read_to_string(machine.data().join("platform.json")).expect("it is there");
    let kept: Value = serde_json::from_str(&kept).expect("JSON");
    let address = kept["artifacts"].as_str().expect("an address");
    let secret = kubectl::says(&machine, "get secret argosy-artifacts -o json", "");
    let mut secret: Value = serde_json::from_str(&secret).expect("JSON");
    secret["metadata"] = json!({"name": "own"});
    kubectl::says(&machine, "create -f -", &secret.to_string());
    for (name, forced) in [("held", "false"), ("forced", "true")] {
        let spec = SECRET.replace("ADDRESS", address).replace("NAME", name);
        machine.submit(name, &spec.replace("FORCED", forced));
        let done = machine.completed(name);
        assert_eq!(done["status"]["phase"], "Succeeded", "{:#}", done["status"]);
    }
    kubectl::says(&machine, "delete secret own", "");
    deleted(&machine, "forced");
    assert_eq!(machine.run(&["delete", "held"]).code, Some(0));
    wait_for("the reason is told", || {
        let conditions = machine.get("held")["status"]["conditions"].clone();
        let errors = conditions
            .as_array()?
            .iter()
            .filter(|c| c["type"] == "ArtifactGCError");
        let told: Vec<_> = errors.filter_map(|c| c["message"].as_str()).collect();
        told.iter()
            .any(|t| t.contains("secret own, key accesskey"))
            .then_some(())
    });
    // Nobody but the user decides that the objects may stay.
    assert_eq!(machine.run(&["delete", "held", "--force"]).code, Some(0));
    gone(&machine, "held");
    assert_eq!(
        (objects(&machine, "held"), objects(&machine, "forced")),
        (vec!["x".to_owned()], vec!["x".to_owned()])
    );
    machine.stop();
}
