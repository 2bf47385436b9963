//! `wait` against a real API: what it writes, when, and how it ends (sections 6 and 9 of the
//! executor's rules). Artifacts are in `artifacts.rs`.

use serde_json::{Value, json};

use super::cluster::Cluster;
use super::pod::{Pod, eventually, finish};

const SCRIPT: &str = r#"{"name":"t","script":{"image":"i","source":"s"}}"#;

#[track_caller]
fn check(cluster: &Cluster, output: &std::process::Output, code: i32, outputs: &Value) {
    let log = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(code), "{log}");
    let result = cluster.task_result().expect("the task result exists");
    assert_eq!(&result["outputs"], outputs);
    let labels = &result["metadata"]["labels"];
    assert_eq!(
        labels["workflows.argoproj.io/report-outputs-completed"], "true",
        "X-TR-06"
    );
    assert_eq!(labels["workflows.argoproj.io/workflow"], "wf");
    assert_eq!(
        result["metadata"]["ownerReferences"],
        json!([{"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "name": "wf", "uid": cluster.workflow_uid}]),
        "X-TR-01"
    );
}

#[test]
fn x_wait_01_an_empty_result_first_and_nothing_to_report() {
    let cluster = Cluster::start();
    let pod = Pod::with_template(r#"{"name":"t","container":{"image":"i"}}"#);
    let child = cluster.command(&pod, "wait").spawn().unwrap();
    let first = eventually("the empty result", || cluster.task_result());
    let labels = &first["metadata"]["labels"];
    assert_eq!(
        labels["workflows.argoproj.io/report-outputs-completed"], "false",
        "X-TR-02"
    );
    assert_eq!(first.get("outputs"), None);
    pod.write("/var/run/argo/ctr/main/exitcode", "0");
    check(&cluster, &finish(child), 0, &json!({}));
}

#[test]
fn x_wait_10_the_result_of_a_script() {
    let long = "é".repeat(200_000);
    for (stdout, want) in [
        ("hello\n\n", json!("hello\n")),
        ("", json!("")),
        (&long, json!(&long[long.len() - 262_144..])),
    ] {
        let cluster = Cluster::start();
        let pod = Pod::with_template(SCRIPT);
        pod.write("/var/run/argo/ctr/main/stdout", stdout);
        pod.write("/var/run/argo/ctr/main/exitcode", "1");
        let output = cluster.wait(&pod, &[("ARGO_INCLUDE_SCRIPT_OUTPUT", "true")]);
        check(&cluster, &output, 0, &json!({ "result": want }));
    }
}

#[test]
fn x_wait_20_21_parameters() {
    let template = r#"{"name":"t","container":{"image":"i","volumeMounts":[{"name":"v","mountPath":"/vol"}]},
        "outputs":{"parameters":[
            {"name":"fixed","value":"7"},
            {"name":"base","valueFrom":{"path":"/tmp/p"}},
            {"name":"volume","valueFrom":{"path":"/vol/p"}},
            {"name":"default","valueFrom":{"path":"/none","default":"d"}}]}}"#;
    let cluster = Cluster::start();
    let pod = Pod::with_template(template);
    pod.write("/var/run/argo/outputs/parameters/tmp/p", "one\ntwo\n");
    pod.write("/mainctrfs/vol/p", "three");
    pod.write("/var/run/argo/ctr/main/exitcode", "0");
    let outputs = json!({"parameters": [
        {"name": "fixed", "value": "7"},
        {"name": "base", "value": "one\ntwo", "valueFrom": {"path": "/tmp/p"}},
        {"name": "volume", "value": "three", "valueFrom": {"path": "/vol/p"}},
        {"name": "default", "value": "d", "valueFrom": {"path": "/none", "default": "d"}},
    ]});
    check(&cluster, &cluster.wait(&pod, &[]), 0, &outputs);
}

#[test]
fn x_wait_20_a_missing_parameter() {
    let template = r#"{"name":"t","container":{"image":"i"},
        "outputs":{"parameters":[{"name":"p","valueFrom":{"path":"/tmp/p"}}]}}"#;
    let cluster = Cluster::start();
    let pod = Pod::with_template(template);
    pod.write("/var/run/argo/ctr/main/exitcode", "0");
    let output = cluster.wait(&pod, &[]);
    let outputs = json!({"parameters": [{"name": "p", "valueFrom": {"path": "/tmp/p"}}]});
    check(&cluster, &output, 64, &outputs);
    let file = pod.path("/var/run/argo/outputs/parameters/tmp/p");
    let message = format!("open {}: no such file or directory", file.display());
    assert_eq!(pod.read("/dev/termination-log"), Some(message));
}

#[test]
fn x_dead_01_the_deadline_stops_main() {
    let cluster = Cluster::start();
    let pod = Pod::with_template(SCRIPT);
    let main = pod.emissary("main", &["sleep", "60"]).spawn().unwrap();
    let output = cluster.wait(&pod, &[("ARGO_DEADLINE", "2001-01-01T00:00:00Z")]);
    assert_eq!(finish(main).status.code(), Some(143));
    check(&cluster, &output, 0, &json!({}));
    assert_eq!(
        pod.read("/dev/termination-log").as_deref(),
        Some("Step exceeded its deadline")
    );
}

#[test]
fn x_wait_06_after_a_termination_signal_main_may_still_finish() {
    let cluster = Cluster::start();
    let pod = Pod::with_template(SCRIPT);
    let mut program = cluster.command(&pod, "wait");
    program.env("ARGO_INCLUDE_SCRIPT_OUTPUT", "true");
    let child = program.spawn().unwrap();
    eventually("the empty result", || cluster.task_result());
    // Only now does it listen to signals.
    eventually("waiting", || {
        pod.path("/var/run/argo/ctr/main").exists().then_some(())
    });
    std::thread::sleep(std::time::Duration::from_millis(100));
    rustix::process::kill_process(
        rustix::process::Pid::from_child(&child),
        rustix::process::Signal::TERM,
    )
    .unwrap();
    pod.write("/var/run/argo/ctr/main/stdout", "late\n");
    pod.write("/var/run/argo/ctr/main/exitcode", "143");
    check(&cluster, &finish(child), 0, &json!({"result": "late"}));
}

#[test]
fn x_prog_04_progress_is_reported() {
    let cluster = Cluster::start();
    let pod = Pod::with_template(SCRIPT);
    let child = cluster
        .command(&pod, "wait")
        .env("ARGO_PROGRESS_FILE", "/var/run/argo/progress")
        .env("ARGO_PROGRESS_PATCH_TICK_DURATION", "10ms")
        .env("ARGO_PROGRESS_FILE_TICK_DURATION", "3s")
        .spawn()
        .unwrap();
    eventually("progress", || {
        pod.write("/var/run/argo/progress", "50%\n");
        pod.write("/var/run/argo/progress", "1/10\n3/10\n");
        let result = cluster.task_result()?;
        (result["progress"] == "3/10").then_some(())
    });
    pod.write("/var/run/argo/ctr/main/exitcode", "0");
    check(&cluster, &finish(child), 0, &json!({}));
}

#[test]
fn x_gen_34_35_bad_environments() {
    let cluster = Cluster::start();
    for (name, value, code) in [
        ("ARGO_POD_NAME", "", 1),
        ("ARGO_DEADLINE", "tomorrow", 64),
        ("ARGO_TERMINATION_GRACE_PERIOD_SECONDS", "soon", 64),
    ] {
        let pod = Pod::with_template(SCRIPT);
        let output = cluster.wait(&pod, &[(name, value)]);
        assert_eq!(output.status.code(), Some(code), "{name}");
        assert!(pod.read("/dev/termination-log").is_some());
    }
    let pod = Pod::with_template("not json");
    assert_eq!(cluster.wait(&pod, &[]).status.code(), Some(64));
}

#[test]
fn x_init_01_to_04_a_pod_is_prepared() {
    let cluster = Cluster::start();
    let template = r#"{"name":"t","script":{"image":"i","source":"echo $\"x\"\n"},"unknown":1}"#;
    let pod = Pod {
        root: tempfile::tempdir().unwrap(),
    };
    std::fs::create_dir_all(pod.path("/dev")).unwrap();
    // The second run finds what the first one left.
    for _ in 0..2 {
        let output = finish(
            cluster
                .command(&pod, "init")
                .env("ARGO_TEMPLATE", template)
                .spawn()
                .unwrap(),
        );
        assert_eq!(
            output.status.code(),
            Some(0),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
    for (path, mode) in [
        ("/var/run/argo", 0o777),
        ("/var/run/argo/argoexec", 0o555),
        ("/var/run/argo/template", 0o444),
        ("/argo/staging/script", 0o755),
    ] {
        assert_eq!(super::pod::mode(&pod.path(path)), mode, "{path}");
    }
    assert_eq!(pod.read("/var/run/argo/template").as_deref(), Some(template));
    assert_eq!(pod.read("/argo/staging/script").as_deref(), Some("echo $\"x\"\n"));
    let copied = pod.path("/var/run/argo/argoexec");
    let output = std::process::Command::new(copied)
        .args(["version", "--short"])
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&output.stdout).starts_with("argoexec: v"));
    assert_eq!(cluster.task_result(), None, "X-INIT-05");
}
