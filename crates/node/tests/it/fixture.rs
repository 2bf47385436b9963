//! A node with its API, an image made of busybox, and a printer of what became of a pod.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use argosy_apiserver::ApiServer;
use argosy_node::runtime::recording::Recording;
use argosy_node::{LogOptions, NetworkChoice, Node, Options, RuntimeChoice};
use futures::{StreamExt, TryStreamExt};
use k8s_openapi::api::core::v1::{ContainerStatus, Pod};
use kube::api::{PostParams, WatchEvent, WatchParams};
use kube::{Api, Client};
use serde_json::{Value, json};

/// Bound of every wait: far above what is needed, so that only a hang reaches it.
pub const PATIENCE: Duration = Duration::from_secs(60);
/// The image of all tests.
pub const IMAGE: &str = "test/busybox:1";

pub struct Fixture {
    pub client: Client,
    pub node: Node,
    pub dir: tempfile::TempDir,
}

/// An API without a node behind it.
pub fn api_server() -> Arc<ApiServer> {
    let options = argosy_apiserver::Options {
        admin_token: Some(TOKEN.into()),
        ..Default::default()
    };
    ApiServer::new(options).expect("API")
}

/// Token of the API's administrator.
pub const TOKEN: &str = "test-token";

impl Fixture {
    /// A node whose only image is busybox.
    pub async fn start(change: impl FnOnce(&mut Options)) -> Fixture {
        Fixture::start_with(change, None).await
    }

    /// The same, perhaps over a runtime that only records.
    pub async fn start_with(change: impl FnOnce(&mut Options), runtime: Option<Recording>) -> Fixture {
        let client = Client::new(api_server().service(), "default");
        Fixture::over(client, change, runtime).await
    }

    /// The same for an API that is already there.
    pub async fn over(
        client: Client,
        change: impl FnOnce(&mut Options),
        runtime: Option<Recording>,
    ) -> Fixture {
        let dir = tempfile::Builder::new()
            .prefix("argosy-node-")
            .tempdir()
            .expect("temporary folder");
        let mut options = Options::new("test-node", dir.path());
        options.api_address = Some(("127.0.0.1".into(), 6443));
        options.network = NetworkChoice::Host;
        change(&mut options);
        let node = match runtime {
            Some(runtime) => Node::start_with(client.clone(), options, Arc::new(runtime)).await,
            None => Node::start(client.clone(), options).await,
        };
        let node = node.expect("node");
        let archive = dir.path().join("busybox.tar");
        busybox_archive(&archive, IMAGE);
        node.images().import(&archive).expect("import");
        Fixture { client, node, dir }
    }

    pub fn pods(&self) -> Api<Pod> {
        Api::default_namespaced(self.client.clone())
    }

    pub async fn create(&self, name: &str, spec: Value) -> Pod {
        let pod =
            json!({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": defaulted(spec)});
        let pod = serde_json::from_value(pod).expect("a pod");
        self.pods()
            .create(&PostParams::default(), &pod)
            .await
            .expect("create")
    }

    /// Waits until the pod is as wanted.
    pub async fn wait(&self, name: &str, wanted: impl Fn(&Pod) -> bool) -> Pod {
        let waited = tokio::time::timeout(PATIENCE, self.wait_forever(name, wanted)).await;
        match waited {
            Ok(pod) => pod,
            Err(_) => {
                let pod = self.pods().get_opt(name).await;
                let log = std::fs::read_to_string("/proc/self/mountinfo").map(|m| m.len());
                panic!("pod {name} is not as wanted: {pod:#?} {log:?}")
            }
        }
    }

    async fn wait_forever(&self, name: &str, wanted: impl Fn(&Pod) -> bool) -> Pod {
        let pod = self.pods().get(name).await.expect("get");
        if wanted(&pod) {
            return pod;
        }
        let version = pod.metadata.resource_version.expect("version");
        let params = WatchParams::default().fields(&format!("metadata.name={name}"));
        let mut events = self.pods().watch(&params, &version).await.expect("watch").boxed();
        while let Some(event) = events.next().await {
            match event.expect("event") {
                WatchEvent::Added(pod) | WatchEvent::Modified(pod) if wanted(&pod) => return pod,
                WatchEvent::Deleted(pod) => panic!("deleted: {pod:#?}"),
                _ => {}
            }
        }
        panic!("the watch ended")
    }

    pub async fn ended(&self, name: &str) -> Pod {
        self.wait(name, |pod| matches!(phase(pod), "Succeeded" | "Failed"))
            .await
    }

    pub async fn log(&self, name: &str, container: &str, options: LogOptions) -> String {
        let stream = self.node.logs("default", name, Some(container), options);
        match stream {
            Ok(stream) => {
                let chunks: Vec<_> = stream.try_collect().await.expect("log");
                String::from_utf8_lossy(&chunks.concat()).into_owned()
            }
            Err(error) => format!("({error})\n"),
        }
    }

    /// Phase, reason, and for every container its end and its log.
    pub async fn story(&self, pod: &Pod) -> String {
        let status = pod.status.clone().unwrap_or_default();
        let mut story = phase(pod).to_string();
        for text in [&status.reason, &status.message].into_iter().flatten() {
            write!(story, " {text}").unwrap();
        }
        story.push('\n');
        let name = pod.metadata.name.as_deref().unwrap();
        for container in status
            .init_container_statuses
            .iter()
            .flatten()
            .chain(status.container_statuses.iter().flatten())
        {
            writeln!(story, "{}: {}", container.name, describe(container)).unwrap();
            if container
                .state
                .as_ref()
                .is_some_and(|state| state.waiting.is_some())
            {
                continue;
            }
            let log = self.log(name, &container.name, LogOptions::default()).await;
            for line in log.lines() {
                writeln!(story, "  | {line}").unwrap();
            }
        }
        story
    }

    /// Everything the node has left on this machine.
    pub fn leftovers(&self) -> Vec<String> {
        let here = self.dir.path().to_string_lossy().into_owned();
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
        mounts
            .lines()
            .filter(|line| line.contains(&here))
            .map(String::from)
            .collect()
    }
}

pub fn phase(pod: &Pod) -> &str {
    pod.status
        .as_ref()
        .and_then(|status| status.phase.as_deref())
        .unwrap_or("")
}

/// State of a container and how often it was restarted.
pub fn describe(status: &ContainerStatus) -> String {
    let state = status.state.clone().unwrap_or_default();
    let mut text = if let Some(t) = state.terminated {
        let message = t.message.map(|m| format!(" {m:?}")).unwrap_or_default();
        format!("{} {}{message}", t.reason.unwrap_or_default(), t.exit_code)
    } else if let Some(w) = state.waiting {
        let message = w.message.map(|m| format!(" {m:?}")).unwrap_or_default();
        format!("waiting {}{message}", w.reason.unwrap_or_default())
    } else {
        "running".to_string()
    };
    if status.restart_count > 0 {
        write!(text, " restarted {}", status.restart_count).unwrap();
    }
    text
}

/// Fills in what most tests do not care about.
fn defaulted(mut spec: Value) -> Value {
    let fields = spec.as_object_mut().expect("a spec");
    fields.entry("restartPolicy").or_insert(json!("Never"));
    fields
        .entry("automountServiceAccountToken")
        .or_insert(json!(false));
    for list in ["initContainers", "containers"] {
        for container in fields
            .get_mut(list)
            .and_then(Value::as_array_mut)
            .into_iter()
            .flatten()
        {
            let fields = container.as_object_mut().expect("a container");
            fields.entry("image").or_insert(json!(IMAGE));
            fields.entry("name").or_insert(json!("main"));
        }
    }
    spec
}

/// A container that runs a shell script.
pub fn sh(script: &str) -> Value {
    json!({"command": ["sh", "-c", script]})
}

/// A pod of one container that runs a shell script.
pub fn one(script: &str) -> Value {
    json!({"containers": [sh(script)]})
}

/// Runs a pod to its end and compares its story.
pub async fn check(fixture: &Fixture, name: &str, spec: Value, expected: expect_test::Expect) {
    fixture.create(name, spec).await;
    let pod = fixture.ended(name).await;
    expected.assert_eq(&fixture.story(&pod).await);
}

/// A docker archive with busybox under its usual names.
pub fn busybox_archive(path: &Path, reference: &str) {
    let layer = layer(&busybox_files());
    let config =
        json!({"Env": ["PATH=/bin:/usr/bin", "FROM_IMAGE=yes"], "Cmd": ["sh", "-c", "echo from the image"]});
    docker_archive(path, &[layer], config, &[reference]);
}

/// One entry of a layer: path, content or link target, and kind.
pub enum File {
    Folder(&'static str, u32),
    Text(&'static str, &'static str, u32),
    Copy(&'static str, PathBuf),
    Link(&'static str, &'static str),
    HardLink(&'static str, &'static str),
}

pub fn busybox_files() -> Vec<File> {
    let program = ["/bin/busybox", "/usr/bin/busybox"]
        .into_iter()
        .map(PathBuf::from)
        .find(|p| p.exists());
    let program = program.expect("these tests need the package busybox-static");
    let mut files = vec![
        File::Folder("bin", 0o755),
        File::Folder("etc", 0o755),
        File::Folder("tmp", 0o1777),
        File::Text(
            "etc/passwd",
            "root:x:0:0:root:/root:/bin/sh\nalice:x:1001:1002::/srv/alice:/bin/sh\n",
            0o644,
        ),
        File::Text("etc/group", "root:x:0:\nalice:x:1002:\nstaff:x:50:alice\n", 0o644),
        File::Text("bin/not-executable", "#!/bin/sh\n", 0o644),
        File::Copy("bin/busybox", program),
    ];
    for name in [
        "sh", "cat", "echo", "ls", "id", "sleep", "touch", "env", "true", "false", "kill", "ps", "hostname",
        "mount", "stat", "mkdir", "chmod", "head", "tr", "grep", "seq", "wc", "pwd", "rm", "mknod", "dd",
        "readlink", "sort", "setsid", "ip", "wget", "nc", "ping", "cut", "od", "date", "test", "printf",
        "find",
    ] {
        files.push(File::Link(
            Box::leak(format!("bin/{name}").into_boxed_str()),
            "busybox",
        ));
    }
    files
}

pub fn layer(files: &[File]) -> Vec<u8> {
    let mut tar = tar::Builder::new(Vec::new());
    for file in files {
        let mut header = tar::Header::new_gnu();
        header.set_mtime(1_000_000_000);
        let (name, mode) = match file {
            File::Folder(name, mode) | File::Text(name, _, mode) => (*name, *mode),
            File::Copy(name, _) | File::Link(name, _) | File::HardLink(name, _) => (*name, 0o755),
        };
        header.set_mode(mode);
        // Not `set_path`, which refuses the hostile names that tests need.
        header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
        let content = match file {
            File::Text(_, text, _) => text.as_bytes().to_vec(),
            File::Copy(_, source) => std::fs::read(source).unwrap(),
            _ => Vec::new(),
        };
        match file {
            File::Folder(..) => header.set_entry_type(tar::EntryType::Directory),
            File::Link(_, target) => {
                header.set_entry_type(tar::EntryType::Symlink);
                header.set_link_name(target).unwrap();
            }
            File::HardLink(_, target) => {
                header.set_entry_type(tar::EntryType::Link);
                header.set_link_name(target).unwrap();
            }
            _ => header.set_entry_type(tar::EntryType::Regular),
        }
        header.set_size(content.len() as u64);
        header.set_cksum();
        tar.append(&header, content.as_slice()).unwrap();
    }
    tar.into_inner().unwrap()
}

pub fn sha256(bytes: &[u8]) -> String {
    use sha2::Digest;
    sha2::Sha256::digest(bytes)
        .iter()
        .fold(String::new(), |mut text, byte| {
            write!(text, "{byte:02x}").unwrap();
            text
        })
}

pub fn image_config(layers: &[Vec<u8>], config: &Value) -> Value {
    let diff_ids: Vec<String> = layers
        .iter()
        .map(|layer| format!("sha256:{}", sha256(layer)))
        .collect();
    json!({
        "architecture": "amd64", "os": "linux", "config": config,
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
    })
}

pub fn docker_archive(path: &Path, layers: &[Vec<u8>], config: Value, references: &[&str]) {
    let mut tar = tar::Builder::new(std::fs::File::create(path).unwrap());
    let mut add = |name: &str, content: &[u8]| {
        let mut header = tar::Header::new_gnu();
        header.set_size(content.len() as u64);
        header.set_mode(0o644);
        header.set_cksum();
        tar.append_data(&mut header, name, content).unwrap();
    };
    let names: Vec<String> = layers
        .iter()
        .map(|layer| format!("{}/layer.tar", sha256(layer)))
        .collect();
    for (name, layer) in names.iter().zip(layers) {
        add(name, layer);
    }
    let config = image_config(layers, &config).to_string();
    let config_name = format!("{}.json", sha256(config.as_bytes()));
    add(&config_name, config.as_bytes());
    let manifest = json!([{"Config": config_name, "RepoTags": references, "Layers": names}]);
    add("manifest.json", manifest.to_string().as_bytes());
    tar.finish().unwrap();
}

/// The `host` runtime instead of images.
pub fn host(options: &mut Options) {
    options.runtime = RuntimeChoice::Host;
}
