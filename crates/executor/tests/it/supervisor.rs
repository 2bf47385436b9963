//! `supervisor` beside main, in pods without init containers of ours (section 7 of the executor's rules, and what the
//! emissary does there).

use std::process::Child;

use serde_json::{Value, json};

use super::cluster::Cluster;
use super::plugin::{self, Running};
use super::pod::{Pod, finish, mode};

/// A pod of which only folders are there, as its volumes are.
fn empty_pod() -> Pod {
    let pod = Pod::with_template("{}");
    std::fs::remove_file(pod.path("/var/run/argo/template")).unwrap();
    pod
}

fn supervisor(cluster: &Cluster, pod: &Pod, template: &str, variables: &[(&str, &str)]) -> Child {
    let mut command = cluster.command(pod, "supervisor");
    command
        .env("ARGO_TEMPLATE", template)
        .env("ARGO_INITLESS_POD", "true");
    command.envs(variables.iter().copied()).spawn().unwrap()
}

fn main_container(pod: &Pod, script: &str) -> Child {
    let mut command = pod.emissary("main", &["sh", "-c", script]);
    let command = command
        .env("ARGO_WAIT_FOR_READY", "true")
        .env("ARGO_INCLUDE_SCRIPT_OUTPUT", "true");
    command.current_dir(pod.root.path()).spawn().unwrap()
}

fn outputs(cluster: &Cluster) -> Value {
    cluster.task_result().unwrap()["outputs"].clone()
}

#[test]
fn x_sup_01_to_03_main_starts_when_everything_is_there() {
    let cluster = Cluster::start();
    let pod = empty_pod();
    let objects = plugin::objects(&pod);
    pod.write("/objects/kept", "by a plugin");
    let _running = Running::start(&pod, "plain");
    let template =
        json!({"name": "t", "script": {"image": "i", "source": "cat in/raw in/kept; echo more > in/raw"},
        "inputs": {"artifacts": [
            {"name": "raw", "path": "/in/raw", "raw": {"data": "given\n"}},
            {"name": "none", "path": "/in/none", "optional": true, "raw": null},
            {"name": "kept", "path": "/in/kept", "plugin": plugin::place(&objects, "kept")}]},
        "outputs": {"parameters": [{"name": "p", "valueFrom": {"path": "/in/raw"}}]}})
        .to_string();
    // Main comes first: it must wait.
    let main = main_container(&pod, "sh argo/staging/script");
    let variables = [
        ("ARGO_INPUT_ARTIFACT_PLUGIN_NAMES", "drv"),
        ("ARGO_INCLUDE_SCRIPT_OUTPUT", "true"),
    ];
    let supervisor = finish(supervisor(&cluster, &pod, &template, &variables));
    let main = finish(main);
    assert_eq!(
        main.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&main.stderr)
    );
    assert_eq!(
        supervisor.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&supervisor.stderr)
    );
    assert_eq!(String::from_utf8_lossy(&main.stdout), "given\nby a plugin");
    assert!(pod.path("/in/raw").is_symlink(), "X-EMIS-12");
    // What main made of an input is its own copy, not a volume's (X-SUP-23).
    assert_eq!(
        outputs(&cluster),
        json!({"result": "given\nby a plugin",
            "parameters": [{"name": "p", "value": "more", "valueFrom": {"path": "/in/raw"}}]})
    );
    assert_eq!(pod.read("/var/run/argo/status").as_deref(), Some("READY\n"));
    for (path, want) in [("/var/run/argo/status", 0o644), ("/var/run/argo/template", 0o444)] {
        assert_eq!(mode(&pod.path(path)), want, "{path}");
    }
}

#[test]
fn x_sup_02_what_keeps_main_from_starting() {
    let missing = r#"{"name":"t","container":{"image":"i"},"inputs":{"artifacts":[{"name":"a","path":"/a"}]},
        "outputs":{"parameters":[{"name":"p","valueFrom":{"path":"/p"}}]}}"#;
    for (template, deadline, message, reported) in [
        (
            missing,
            "0001-01-01T00:00:00Z",
            "required artifact 'a' not supplied",
            true,
        ),
        (
            "not json",
            "0001-01-01T00:00:00Z",
            "failed to unmarshal template",
            false,
        ),
        ("{}", "soon", "ARGO_DEADLINE \"soon\" is not a time", false),
    ] {
        let cluster = Cluster::start();
        let pod = empty_pod();
        let main = main_container(&pod, "echo never");
        let output = finish(supervisor(
            &cluster,
            &pod,
            template,
            &[("ARGO_DEADLINE", deadline)],
        ));
        assert_eq!(output.status.code(), Some(64), "X-GEN-32");
        let main = finish(main);
        assert_eq!(main.status.code(), Some(65), "X-GEN-33");
        assert_eq!(pod.of("main", "exitcode").as_deref(), Some("65"));
        assert!(main.stdout.is_empty());
        let status = pod.read("/var/run/argo/status").unwrap();
        assert!(status.starts_with(&format!("FAILED\n{message}")), "{status}");
        let said = String::from_utf8_lossy(&main.stderr);
        assert!(said.contains("supervisor reported pre-main failure: "), "{said}");
        let labels = cluster.task_result().map(|r| r["metadata"]["labels"].clone());
        let completed = labels.map(|l| l["workflows.argoproj.io/report-outputs-completed"].clone());
        assert_eq!(
            completed,
            reported.then(|| json!("true")),
            "outputs are reported all the same: {message}"
        );
    }
}
