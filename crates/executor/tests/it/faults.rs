//! Disks that are full and stores that are gone while outputs are saved: the step fails with the cause, and nothing half
//! comes to look whole (rules X-EMIS-52, X-WAIT-30, X-WAIT-02).

use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use super::artifacts::{Bucket, pod};
use super::cluster::Cluster;
use super::pod::{Pod, finish};

/// The same command with a small disk at `place`. What is on it at the end lies beside it, as `<place>.after`.
fn with_small_disk(command: &Command, place: &Path) -> Command {
    std::fs::create_dir_all(place).unwrap();
    let mut wrapped = Command::new("unshare");
    wrapped.arg("--mount");
    if !rustix::process::geteuid().is_root() {
        // Everybody but root needs a user namespace for that.
        wrapped.arg("--map-root-user");
    }
    let script = "mount -t tmpfs -o size=128k none \"$0\" || exit 99; \"$@\"; code=$?; cp -r \"$0\" \"$0.after\"; exit $code";
    wrapped.args(["sh", "-c", script]).arg(place);
    wrapped.arg(command.get_program()).args(command.get_args());
    wrapped.env_clear();
    for (name, value) in command.get_envs() {
        wrapped.env(name, value.unwrap_or_default());
    }
    wrapped
        .stdin(std::process::Stdio::null())
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    wrapped
}

/// What main writes: it does not get smaller by being packed, and is larger than the disk.
const BIG: &str =
    "mkdir -p vol mainctrfs; head -c 300000 /dev/urandom > big; cp big vol/big; cp -r vol mainctrfs";

/// Names of everything below a folder that is no folder.
fn files(folder: &Path) -> Vec<String> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).into_iter().flatten().flatten() {
        if entry.path().is_dir() {
            found.extend(files(&entry.path()));
        } else {
            found.push(entry.path().display().to_string());
        }
    }
    found
}

fn template(bucket: &Bucket, outputs: &Value) -> Value {
    json!({
        "name": "t", "container": {"image": "i", "volumeMounts": [{"name": "v", "mountPath": "/vol"}]},
        "archiveLocation": {"s3": bucket.location("wf/pod")}, "outputs": outputs,
    })
}

/// What the pod says, what was reported, and that it was reported to the end.
fn told(cluster: &Cluster, pod: &Pod) -> (String, Value) {
    let result = cluster.task_result().unwrap();
    let labels = &result["metadata"]["labels"];
    assert_eq!(
        labels["workflows.argoproj.io/report-outputs-completed"], "true",
        "X-TR-06"
    );
    let message = pod.read("/dev/termination-log").unwrap();
    (message, result["outputs"].clone())
}

#[test]
fn x_emis_52_a_full_disk_under_the_emissary_leaves_no_half_output() {
    for (outputs, operation) in [
        (json!({"artifacts": [{"name": "a", "path": "/big"}]}), "archive"),
        (
            json!({"parameters": [{"name": "p", "valueFrom": {"path": "/big"}}]}),
            "copy",
        ),
    ] {
        let (cluster, bucket) = (Cluster::start(), Bucket::start());
        let pod = pod(&template(&bucket, &outputs).to_string());
        let staged = pod.path("/var/run/argo/outputs");
        let mut main = pod.emissary("main", &["sh", "-c", BIG]);
        main.current_dir(pod.root.path());
        let output = finish(
            with_small_disk(&main, &staged)
                .current_dir(pod.root.path())
                .spawn()
                .unwrap(),
        );
        let log = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(64), "{log}");
        let reason = format!(
            "{operation} {}: no space left on device",
            pod.path("/big").display()
        );
        assert_eq!(pod.read("/dev/termination-log"), Some(reason), "{log}");
        assert_eq!(pod.of("main", "exitcode").as_deref(), Some("0"), "X-EMIS-51");
        let after = pod.path("/var/run/argo/outputs.after");
        assert_eq!(files(&after), Vec::<String>::new());
        // Wait finds what the emissary left.
        std::fs::remove_dir(&staged).unwrap();
        std::fs::rename(&after, &staged).unwrap();
        let output = cluster.wait(&pod, &[]);
        assert_eq!(output.status.code(), Some(64));
        let (message, reported) = told(&cluster, &pod);
        assert!(message.contains("no such file or directory"), "{message}");
        assert_eq!(reported["artifacts"], Value::Null);
        assert!(!bucket.object("wf").exists());
    }
}

#[test]
fn x_wait_30_a_full_disk_under_wait_is_the_reason() {
    let (cluster, bucket) = (Cluster::start(), Bucket::start());
    let artifact =
        |name: &str, path: &str, archive: Value| json!({"name": name, "path": path, "archive": archive});
    let outputs = json!({"artifacts": [
        artifact("zipped", "/vol/big", json!({"zip": {}})),
        artifact("unpacked", "/big", json!({"none": {}})),
        artifact("streamed", "/vol/big", json!({"tar": {}})),
    ]});
    let pod = pod(&template(&bucket, &outputs).to_string());
    let mut main = pod.emissary("main", &["sh", "-c", BIG]);
    finish(main.current_dir(pod.root.path()).spawn().unwrap());
    let wait = cluster.command(&pod, "wait");
    let output = finish(
        with_small_disk(&wait, &pod.path("/tmp/argo/outputs"))
            .spawn()
            .unwrap(),
    );
    let log = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(64), "{log}");
    let (message, reported) = told(&cluster, &pod);
    let zipped = format!(
        "archive {}: no space left on device; ",
        pod.path("/mainctrfs/vol/big").display()
    );
    assert!(message.starts_with(&zipped), "{message}");
    assert!(
        message.ends_with("archive is too large: no room on the disk for big; "),
        "{message}"
    );
    // What needs no room goes up all the same.
    let names: Vec<_> = reported["artifacts"]
        .as_array()
        .unwrap()
        .iter()
        .map(|a| &a["name"])
        .collect();
    assert_eq!(names, ["streamed"]);
    let kept = files(&bucket.object("wf"));
    assert_eq!(kept.len(), 1, "{kept:?}");
}

#[test]
fn x_wait_30_a_store_that_is_gone_is_the_reason_after_the_attempts() {
    let (cluster, bucket) = (Cluster::start(), Bucket::start());
    let outputs = json!({
        "artifacts": [{"name": "a", "path": "/a"}],
        "parameters": [{"name": "p", "valueFrom": {"path": "/a"}}],
    });
    let mut template = template(&bucket, &outputs);
    let gone = std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap();
    template["archiveLocation"]["s3"]["endpoint"] = json!(gone.to_string());
    template["archiveLocation"]["s3"]["region"] = json!("us-east-1");
    template["archiveLocation"]["archiveLogs"] = json!(true);
    let pod = pod(&template.to_string());
    let mut main = pod.emissary("main", &["sh", "-c", "printf x > a; exit 3"]);
    finish(main.current_dir(pod.root.path()).spawn().unwrap());
    let backoff = [
        ("EXECUTOR_RETRY_BACKOFF_STEPS", "3"),
        ("EXECUTOR_RETRY_BACKOFF_DURATION", "1ms"),
    ];
    let output = cluster.wait(&pod, &backoff);
    assert_eq!(output.status.code(), Some(64));
    let (message, reported) = told(&cluster, &pod);
    assert!(message.to_lowercase().contains("connection refused"), "{message}");
    // Main failed as well; what could be reported was (X-WAIT-02).
    let parameter = json!({"name": "p", "value": "x", "valueFrom": {"path": "/a"}});
    assert_eq!(reported, json!({"parameters": [parameter]}));
}
