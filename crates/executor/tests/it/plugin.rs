//! Artifact plugins: driver, init container, sidecar, clean-up (section 15 of the executor's rules), with the plugin
//! of `plugin_server.rs` as a process of its own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use argosy_artifact::{Error, Options, Secrets, Store};
use serde_json::{Value, json};
use tokio::io::AsyncReadExt as _;

use super::cluster::Cluster;
use super::collect;
use super::plugin_server::{STREAMS, VARIABLE};
use super::pod::{Pod, eventually, finish, mode};

/// The command that is the plugin; its last argument is the socket.
fn plugin(socket: &Path) -> Vec<String> {
    let program = std::env::current_exe().unwrap().display().to_string();
    let test = "plugin_server::a_plugin_process";
    let socket = socket.display().to_string();
    [program.as_str(), test, "--exact", "--nocapture", &socket]
        .map(str::to_owned)
        .to_vec()
}

fn socket(pod: &Pod) -> PathBuf {
    pod.path("/tmp/artifact-plugins/drv/socket")
}

/// The folder of the plugin's objects in a pod.
pub fn objects(pod: &Pod) -> String {
    let folder = pod.path("/objects");
    std::fs::create_dir_all(&folder).unwrap();
    folder.display().to_string()
}

pub fn place(objects: &str, key: &str) -> Value {
    json!({"name": "drv", "configuration": objects, "key": key})
}

struct NoSecrets;

#[async_trait::async_trait]
impl Secrets for NoSecrets {
    async fn get(&self, _: &str, _: &str) -> std::io::Result<String> {
        Err(std::io::ErrorKind::NotFound.into())
    }
}

/// A started plugin; it ends with the test.
pub struct Running(std::process::Child);

impl Running {
    pub fn start(pod: &Pod, kind: &str) -> Self {
        let socket = socket(pod);
        std::fs::create_dir_all(socket.parent().unwrap()).unwrap();
        let words = plugin(&socket);
        let mut command = Command::new(&words[0]);
        let command = command
            .args(&words[1..])
            .env(VARIABLE, kind)
            .stdout(Stdio::null());
        Self(command.spawn().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

async fn open(pod: &Pod, objects: &str, key: &str) -> Box<dyn Store> {
    let artifact = json!({"name": "a", "path": "/p", "mode": 0o640, "optional": true, "recurseMode": true,
        "plugin": place(objects, key)});
    let options = Options {
        plugins: Some(pod.path("/tmp/artifact-plugins")),
        plugin_appears: std::time::Duration::from_secs(20),
        ..Options::default()
    };
    let artifact = serde_json::from_value(artifact).unwrap();
    argosy_artifact::open_artifact(&artifact, &NoSecrets, &options)
        .await
        .unwrap()
}

async fn read(store: &dyn Store) -> Result<Vec<u8>, String> {
    let mut stream = store.read().await.map_err(|e| e.to_string())?;
    let mut bytes = Vec::new();
    stream.read_to_end(&mut bytes).await.map_err(|e| e.to_string())?;
    Ok(bytes)
}

#[tokio::test]
async fn x_aplg_01_to_05_every_call() {
    let pod = Pod::with_template("{}");
    // Nobody waits for the socket before the first call does (X-APLG-04).
    let _running = Running::start(&pod, STREAMS);
    let objects = objects(&pod);
    let here = |key: &str| Path::new(&objects).join(key);
    let content: Vec<u8> = (0..9_000_001_u32).map(|n| n.to_le_bytes()[0]).collect();
    std::fs::write(pod.path("/from"), &content).unwrap();
    let store = open(&pod, &objects, "dir/file").await;
    store.save(&pod.path("/from")).await.unwrap();
    let told = pod.read("/objects/told").unwrap();
    for field in [
        "name: \"a\"",
        "path: \"/p\"",
        "mode: 416",
        "optional: true",
        "recurse_mode: true",
        "key: \"dir/file\"",
    ] {
        assert!(told.contains(field), "{field} in {told}");
    }
    store.load(&pod.path("/to")).await.unwrap();
    assert!(std::fs::read(pod.path("/to")).unwrap() == content);
    assert!(
        read(&*store).await.unwrap() == content,
        "more than a window of the connection"
    );
    assert!(store.takes_streams().await.unwrap());
    let streamed = open(&pod, &objects, "streamed").await;
    streamed
        .save_stream(Path::new("x"), Box::new(std::io::Cursor::new(content.clone())))
        .await
        .unwrap();
    assert!(std::fs::read(here("streamed")).unwrap() == content);
    let broken = tokio_util::io::StreamReader::new(futures::stream::iter([
        Ok(bytes::Bytes::from_static(b"half")),
        Err(std::io::Error::other("the source broke off")),
    ]));
    let half = open(&pod, &objects, "half-written").await;
    let error = half
        .save_stream(Path::new("x"), Box::new(broken))
        .await
        .unwrap_err();
    assert!(error.to_string().contains("the source broke off"), "{error}");
    assert!(
        !here("half-written").exists(),
        "what is not whole looks like nothing"
    );
    let folder = open(&pod, &objects, "dir").await;
    assert!(folder.is_folder().await.unwrap() && !store.is_folder().await.unwrap());
    assert_eq!(
        folder.list().await.unwrap(),
        [here("dir/file").display().to_string()]
    );
    folder.delete().await.unwrap();
    folder.delete().await.unwrap();
    assert!(
        matches!(store.load(&pod.path("/to2")).await, Err(Error::NotFound(_))),
        "X-DRV-05"
    );
}

#[tokio::test]
async fn x_aplg_05_failures_and_less_able_plugins() {
    let pod = Pod::with_template("{}");
    let running = Running::start(&pod, "plain");
    let objects = objects(&pod);
    pod.write("/objects/broken", "begin");
    let store = open(&pod, &objects, "broken").await;
    assert!(
        !store.takes_streams().await.unwrap(),
        "X-APLG-03: unimplemented means no"
    );
    let error = read(&*store).await.unwrap_err();
    assert_eq!(error, "plugin drv open stream failed: the disk broke");
    let refused = open(&pod, &objects, "refused")
        .await
        .load(&pod.path("/to"))
        .await
        .unwrap_err();
    assert_eq!(
        refused.to_string(),
        "plugin drv load failed: not for you: 100 % sure"
    );
    let silent = open(&pod, &objects, "silent")
        .await
        .save(&pod.path("/tmp"))
        .await
        .unwrap_err();
    assert_eq!(silent.to_string(), "plugin drv save failed: it does not say why");
    // A plugin that has gone: its socket is still there, and nobody answers.
    drop(running);
    let error = store.delete().await.unwrap_err();
    assert!(error.to_string().contains("no connection to"), "{error}");
    let location = serde_json::from_value(json!({"plugin": place(&objects, "k")})).unwrap();
    let error = argosy_artifact::open(&location, &NoSecrets, &Options::default())
        .await
        .map(drop);
    assert!(
        error.unwrap_err().to_string().contains("plugin"),
        "outside of pods"
    );
}

/// `artifact-plugin-init` or the like, with the plugin as its command.
fn with_plugin(command: &mut Command, pod: &Pod) {
    command
        .arg("--")
        .args(plugin(&socket(pod)))
        .env(VARIABLE, "plain");
}

#[test]
fn x_aplg_20_input_artifacts() {
    let cluster = Cluster::start();
    let pod = Pod::with_template("{}");
    let objects = objects(&pod);
    pod.write("/objects/plain", "text");
    pod.write("/objects/tree/inner/x", "x");
    let template =
        json!({"name": "t", "container": {"image": "i", "volumeMounts": [{"name": "v", "mountPath": "/v"}]},
        "archiveLocation": {"plugin": place(&objects, "wf/pod")},
        "inputs": {"artifacts": [
            {"name": "file", "path": "/f", "plugin": place(&objects, "plain")},
            {"name": "tree", "path": "/v/t", "recurseMode": true, "plugin": {"key": "tree"}},
            {"name": "moded", "path": "/m", "mode": 0o600, "plugin": place(&objects, "plain")},
            {"name": "none", "path": "/n", "optional": true, "plugin": place(&objects, "none")},
            {"name": "raw", "path": "/r", "raw": {"data": "r"}}]}})
        .to_string();
    let load = |name: &str, template: &str| {
        let mut command = cluster.command(&pod, "artifact-plugin-init");
        command
            .args(["--plugin-name", name])
            .env("ARGO_TEMPLATE", template);
        with_plugin(&mut command, &pod);
        finish(command.spawn().unwrap())
    };
    let output = load("drv", &template);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    for (path, content, want) in [
        ("/argo/inputs/artifacts/file", "text", 0o666),
        ("/argo/inputs/artifacts/moded", "text", 0o600),
        ("/mainctrfs/v/t/inner/x", "x", 0o666),
    ] {
        assert_eq!(pod.read(path).as_deref(), Some(content), "{path}");
        assert_eq!(mode(&pod.path(path)), want, "{path}");
    }
    assert_eq!(mode(&pod.path("/mainctrfs/v/t/inner")), 0o777, "X-INIT-19");
    for absent in ["none", "raw"] {
        assert!(
            !pod.path("/argo/inputs/artifacts").join(absent).exists(),
            "X-INIT-13: {absent}"
        );
    }
    // As in a container that is started again.
    for path in ["/tmp/artifact-plugins", "/mainctrfs", "/argo"] {
        std::fs::remove_dir_all(pod.path(path)).unwrap();
    }
    let output = load("drv", &template.replace("\"optional\":true,", ""));
    assert_eq!(output.status.code(), Some(64));
    let message = pod.read("/dev/termination-log").unwrap();
    assert!(
        message.starts_with("artifact none failed to load: plugin drv load failed: "),
        "{message}"
    );
    // The socket is taken, so that the plugin ends at once; another one is never asked.
    std::fs::remove_file(pod.path("/argo/inputs/artifacts/file")).unwrap();
    let output = load("drv", &template);
    assert_eq!(
        output.status.code(),
        Some(64),
        "{:?}",
        pod.read("/dev/termination-log")
    );
}

/// Name of the container in which the plugin runs beside others.
const SIDECAR: &str = "artifact-plugin-drv";

/// Starts the plugin under one of the small program's commands, and waits until it listens.
fn sidecar(pod: &Pod, command: &str) -> std::process::Child {
    std::fs::create_dir_all(socket(pod).parent().unwrap()).unwrap();
    let words = plugin(&socket(pod));
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let mut sidecar = pod.small(command, SIDECAR, &words);
    let sidecar = sidecar.env(VARIABLE, "plain").spawn().unwrap();
    eventually("the plugin listens", || socket(pod).exists().then_some(()));
    sidecar
}

#[test]
fn x_aplg_22_24_artifacts_are_deleted_through_a_sidecar() {
    let cluster = Cluster::start();
    let pod = Pod::with_template("{}");
    let objects = objects(&pod);
    pod.write("/objects/wf/a", "x");
    let archive = json!({"plugin": place(&objects, "")});
    let artifacts = json!({"a": {"name": "a", "plugin": {"key": "wf/a"}}});
    let spec = json!({"artifactsByNode": {"n": {"archiveLocation": archive, "artifacts": artifacts}}});
    collect::make_task(&cluster, "pod-0", "42", &spec);
    let sidecar = sidecar(&pod, "emissary");
    collect::delete(&cluster, &pod, SIDECAR);
    assert_eq!(pod.read("/objects/wf/a"), None);
    // It ends well when it is asked to (X-APLG-01).
    assert_eq!(finish(sidecar).status.code(), Some(0));
}

#[test]
fn x_aplg_21_24_outputs_and_logs_go_through_a_sidecar() {
    let cluster = Cluster::start();
    let pod = Pod::with_template("{}");
    let objects = objects(&pod);
    pod.write("/mainctrfs/v/t/x", "x");
    pod.write("/out", "made by main");
    let mut archive = json!({"plugin": place(&objects, "wf/pod")});
    archive["archiveLogs"] = json!(true);
    let template = json!({"name": "t", "container": {"image": "i", "volumeMounts": [{"name": "v", "mountPath": "/v"}]},
        "archiveLocation": archive, "outputs": {"artifacts": [
            {"name": "staged", "path": "/out"},
            {"name": "tree", "path": "/v/t", "archive": {"none": {}}},
            {"name": "packed", "path": "/v/t"}]}});
    pod.write("/var/run/argo/template", &template.to_string());
    let sidecar = sidecar(&pod, "artifact-plugin-sidecar");
    // Kubernetes ends the pod; the plugin is still needed.
    let id = rustix::process::Pid::from_child(&sidecar);
    rustix::process::kill_process(id, rustix::process::Signal::TERM).unwrap();
    let mut main = pod.emissary("main", &["sh", "-c", "echo said"]);
    finish(main.spawn().unwrap());
    let output = cluster.wait(&pod, &[("ARGO_ARTIFACT_PLUGIN_NAMES", &format!("{SIDECAR}, "))]);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    let outputs = cluster.task_result().unwrap()["outputs"]["artifacts"].clone();
    let keys: Vec<_> = outputs
        .as_array()
        .unwrap()
        .iter()
        .map(|a| a["plugin"]["key"].as_str().unwrap())
        .collect();
    assert_eq!(
        keys,
        [
            "wf/pod/staged.tgz",
            "wf/pod/t",
            "wf/pod/packed.tgz",
            "wf/pod/main.log"
        ]
    );
    assert_eq!(pod.read("/objects/wf/pod/main.log").as_deref(), Some("said\n"));
    assert_eq!(pod.read("/objects/wf/pod/t/x").as_deref(), Some("x"));
    for packed in ["staged", "packed"] {
        let bytes = std::fs::read(pod.path(&format!("/objects/wf/pod/{packed}.tgz"))).unwrap();
        assert_eq!(bytes[..2], [0x1f, 0x8b], "{packed}");
    }
    let sidecar = finish(sidecar);
    assert_eq!(
        sidecar.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&sidecar.stderr)
    );
    assert_eq!(pod.of(SIDECAR, "exitcode").as_deref(), Some("0"));
}
