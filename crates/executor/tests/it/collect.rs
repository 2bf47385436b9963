//! `artifact delete` with tasks of a real API and a real S3 server (rules X-GC-20 to X-GC-24).

use serde_json::{Value, json};

use super::artifacts::{Bucket, pod};
use super::cluster::Cluster;
use super::pod::{Pod, finish};

const TASKS: &str = "/apis/argoproj.io/v1alpha1/namespaces/default/workflowartifactgctasks";

#[test]
fn x_gc_20_to_23_artifacts_go_and_each_is_reported() {
    let cluster = Cluster::start();
    let bucket = Bucket::start();
    for key in ["wf/a.tgz", "wf/tree/x", "wf/tree/y", "wf/kept", "own/b"] {
        let path = bucket.object(key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "x").unwrap();
    }
    let key = |key: &str| json!({"s3": {"key": key}});
    let named = |name: &str, mut place: Value| {
        place["name"] = json!(name);
        (name.to_owned(), place)
    };
    let mut stranger = bucket.location("k");
    stranger["secretKeySecret"] = json!({"name": "none", "key": "k"});
    let first: serde_json::Map<_, _> = [
        named("file", key("wf/a.tgz")),
        named("folder", key("wf/tree/")),
        named("gone", key("wf/none")),
        named("complete", json!({"s3": bucket.location("own/b")})),
        named("no-secret", json!({"s3": stranger})),
        named("raw", json!({"raw": {"data": "x"}})),
    ]
    .into_iter()
    .collect();
    let spec = |artifacts: Value| {
        let archive = json!({"s3": bucket.location("")});
        json!({"artifactsByNode": {"n-1": {"archiveLocation": archive, "artifacts": artifacts}}})
    };
    for (name, label, spec) in [
        ("pod-0", "42", spec(first.into())),
        (
            "pod-1",
            "42",
            spec(json!({"more": {"name": "more", "s3": {"key": "wf/none2"}}})),
        ),
        (
            "other-0",
            "43",
            spec(json!({"kept": {"name": "kept", "s3": {"key": "wf/kept"}}})),
        ),
    ] {
        make_task(&cluster, name, label, &spec);
    }
    let pod = pod("{}");
    delete(&cluster, &pod, "");
    let results = |task: &str| {
        let task = cluster.get(&format!("{TASKS}/{task}")).unwrap();
        task["status"]["artifactResultsByNode"]["n-1"]["artifactResults"].clone()
    };
    let got = results("pod-0");
    for name in ["file", "folder", "gone", "complete"] {
        assert_eq!(got[name], json!({"name": name, "success": true}), "{name}");
    }
    for (name, reason) in [
        ("no-secret", "secret none, key k: "),
        ("raw", "delete not supported for this artifact storage"),
    ] {
        assert_eq!(got[name]["success"], Value::Null, "{name}");
        let error = got[name]["error"].as_str().unwrap();
        assert!(error.starts_with(reason), "X-GC-22: {error}");
    }
    assert_eq!(results("pod-1")["more"]["success"], true);
    assert_eq!(results("other-0"), Value::Null);
    for (key, is_there) in [
        ("wf/a.tgz", false),
        ("wf/tree", false),
        ("own/b", false),
        ("wf/kept", true),
    ] {
        assert_eq!(bucket.object(key).exists(), is_there, "{key}");
    }
    assert_eq!(pod.read("/dev/termination-log"), None, "X-GC-23");
}

pub fn make_task(cluster: &Cluster, name: &str, label: &str, spec: &Value) {
    cluster.create(
        TASKS,
        &json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "WorkflowArtifactGCTask",
            "metadata": {"name": name, "labels": {"workflows.argoproj.io/artifact-gc-pod": label}},
            "spec": spec,
        }),
    );
}

/// Runs the program for the tasks of label 42, with these containers of plugins.
pub fn delete(cluster: &Cluster, pod: &Pod, plugins: &str) {
    let mut command = cluster.command(pod, "artifact");
    let command = command.arg("delete").envs([
        ("ARGO_ARTIFACT_POD_NAME", "42"),
        ("ARGO_TEMPLATE", "{}"),
        ("ARGO_ARTIFACT_PLUGIN_NAMES", plugins),
        ("EXECUTOR_RETRY_BACKOFF_STEPS", "1"),
    ]);
    let output = finish(command.spawn().unwrap());
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{said}");
}
