//! Pulls from a real registry, over a way that breaks, lies, and asks for passwords as it is told.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};

use argosy_node::images::{PullOptions, Store};
use base64::Engine;
use expect_test::{Expect, expect};
use k8s_openapi::api::core::v1::Secret;
use kube::Api;
use kube::api::PostParams;
use serde_json::{Value, json};

use crate::fixture::{File, Fixture, busybox_files, image_config, layer, phase, sha256};

/// The registry of go-containerregistry, and a way to it that tests can spoil.
struct Registry {
    server: Child,
    direct: String,
    /// `host:port` of the way that can be spoiled.
    address: String,
    way: Arc<Mutex<Way>>,
}

/// What happens on the way to the registry.
#[derive(Default)]
struct Way {
    /// Requests, as method and path, in their order.
    seen: Vec<String>,
    /// Connections that break after so many bytes of a layer, one after the other.
    breaks_after: Vec<usize>,
    /// A byte of each layer is changed.
    lies: bool,
    /// `user:password` that every request must have.
    password: Option<&'static str>,
}

impl Drop for Registry {
    fn drop(&mut self) {
        let _ = self.server.kill();
        let _ = self.server.wait();
    }
}

fn program() -> PathBuf {
    let cache = std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache/argosy-parts"));
    let parts = std::env::var_os("ARGOSY_PARTS").map(PathBuf::from).or(cache);
    let folders = parts.map(|parts| parts.join("bin")).into_iter();
    let path = std::env::var_os("PATH").unwrap_or_default();
    folders
        .chain(std::env::split_paths(&path).collect::<Vec<_>>())
        .map(|folder| folder.join("registry"))
        .find(|program| program.is_file())
        .expect("these tests need the program registry: cargo xtask parts registry")
}

impl Registry {
    fn start() -> Registry {
        let mut server = Command::new(program())
            .args(["-port", "0"])
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut errors = std::io::BufReader::new(server.stderr.take().unwrap());
        let mut line = String::new();
        std::io::BufRead::read_line(&mut errors, &mut line).unwrap();
        // It logs every request; somebody must take that in.
        std::thread::spawn(move || std::io::copy(&mut errors, &mut std::io::sink()));
        let port = line.trim().rsplit(' ').next().unwrap();
        let direct = format!("localhost:{port}");
        let way: Arc<Mutex<Way>> = Arc::default();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let (served, target) = (Arc::clone(&way), direct.clone());
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let (way, target) = (Arc::clone(&served), target.clone());
                std::thread::spawn(move || carry(client, &target, &way));
            }
        });
        Registry {
            server,
            direct,
            address,
            way,
        }
    }

    fn way(&self) -> std::sync::MutexGuard<'_, Way> {
        self.way.lock().unwrap()
    }

    /// What was asked for since the last call: manifests by tag, layers by the length of their name's start.
    fn seen(&self) -> Vec<String> {
        std::mem::take(&mut self.way().seen)
    }

    /// Pushes an image; returns how an index would name it.
    fn push(&self, name: &str, layers: &[Vec<u8>], config: &Value) -> Value {
        self.push_for(OWN, name, layers, config)
    }

    /// The same for another architecture.
    fn push_for(&self, architecture: &str, name: &str, layers: &[Vec<u8>], config: &Value) -> Value {
        let mut config = image_config(layers, config);
        config["architecture"] = json!(architecture);
        let (repository, tag) = name.split_once(':').unwrap();
        let blob = |kind: &str, content: &[u8]| {
            let digest = format!("sha256:{}", sha256(content));
            let path = format!("{repository}/blobs/uploads/?digest={digest}");
            self.send("POST", &path, "application/octet-stream", content);
            json!({"mediaType": kind, "digest": digest, "size": content.len()})
        };
        let layers: Vec<Value> = layers
            .iter()
            .map(|tar| blob("application/vnd.oci.image.layer.v1.tar", tar))
            .collect();
        let config = blob(
            "application/vnd.oci.image.config.v1+json",
            config.to_string().as_bytes(),
        );
        let manifest = json!({"schemaVersion": 2, "mediaType": MANIFEST, "config": config, "layers": layers});
        let manifest = manifest.to_string();
        self.send(
            "PUT",
            &format!("{repository}/manifests/{tag}"),
            MANIFEST,
            manifest.as_bytes(),
        );
        json!({
            "mediaType": MANIFEST, "digest": format!("sha256:{}", sha256(manifest.as_bytes())), "size": manifest.len(),
            "platform": {"architecture": architecture, "os": "linux"},
        })
    }

    fn send(&self, method: &str, path: &str, kind: &str, body: &[u8]) {
        let mut server = TcpStream::connect(&self.direct).unwrap();
        let length = body.len();
        let head = format!(
            "{method} /v2/{path} HTTP/1.1\r\nHost: {}\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n\
             Connection: close\r\n\r\n",
            self.direct
        );
        server.write_all(head.as_bytes()).unwrap();
        server.write_all(body).unwrap();
        let mut answer = String::new();
        server.read_to_string(&mut answer).unwrap();
        assert!(answer.starts_with("HTTP/1.1 201"), "{answer}");
    }
}

const MANIFEST: &str = "application/vnd.oci.image.manifest.v1+json";
const INDEX: &str = "application/vnd.oci.image.index.v1+json";
/// This machine's architecture in the words of images.
const OWN: &str = if cfg!(target_arch = "aarch64") {
    "arm64"
} else {
    "amd64"
};

/// Carries one request and its answer; HTTP only as far as it has to be known.
fn carry(mut client: TcpStream, target: &str, way: &Mutex<Way>) {
    let mut head = Vec::new();
    let mut byte = [0u8; 1];
    while !head.ends_with(b"\r\n\r\n") {
        match client.read(&mut byte) {
            Ok(1) => head.push(byte[0]),
            _ => return,
        }
    }
    let head = String::from_utf8(head).unwrap();
    let words: Vec<&str> = head.split_whitespace().collect();
    let path = words[1].split('?').next().unwrap();
    let is_layer = path.contains("/blobs/") && !head.contains("skip");
    let (broken, lies) = {
        let mut way = way.lock().unwrap();
        if let Some(password) = way.password {
            let wanted = base64::engine::general_purpose::STANDARD.encode(password);
            if !head.contains(&format!("Basic {wanted}")) {
                let refusal = "HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: Basic realm=\"test\"\r\n\
                               Content-Length: 0\r\nConnection: close\r\n\r\n";
                let _ = client.write_all(refusal.as_bytes());
                return;
            }
        }
        let range = head
            .lines()
            .find(|l| l.to_lowercase().starts_with("range:"))
            .unwrap_or("");
        let place = path.replace("/v2/", "").replace("sha256:", "");
        way.seen.push(format!("{place} {range}").trim().to_string());
        let broken = if is_layer { way.breaks_after.pop() } else { None };
        (broken, way.lies && is_layer)
    };
    let mut server = TcpStream::connect(target).unwrap();
    let head = head.replacen("\r\n", "\r\nConnection: close\r\n", 1);
    server.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let _ = server.read_to_end(&mut answer);
    let body = answer
        .windows(4)
        .position(|w| w == b"\r\n\r\n")
        .map_or(0, |at| at + 4);
    // Small blobs are configurations: they pass.
    let is_large = answer.len() - body > 100_000;
    if lies && is_large {
        answer[body + 700] ^= 1;
    }
    if let Some(bytes) = broken.filter(|_| is_large) {
        answer.truncate(body + bytes);
    } else if let Some(bytes) = broken {
        way.lock().unwrap().breaks_after.push(bytes);
    }
    let _ = client.write_all(&answer);
    let _ = client.shutdown(Shutdown::Both);
}

fn busybox_layer() -> Vec<u8> {
    layer(&busybox_files())
}

fn busybox_config() -> Value {
    json!({"Env": ["PATH=/bin"], "Cmd": ["sh", "-c", "echo pulled"]})
}

fn store() -> (tempfile::TempDir, Store) {
    let dir = tempfile::tempdir().unwrap();
    let store = Store::open(dir.path(), &[]).unwrap();
    (dir, store)
}

/// Pulls and compares the error, in which the registry's address is left out.
async fn refused(store: &Store, registry: &Registry, name: &str, options: &PullOptions, expected: Expect) {
    let reference = format!("{}/{name}", registry.address);
    let error = store.pull(&reference, &[], options).await.unwrap_err();
    expected.assert_eq(&error.to_string().replace(&registry.address, "REGISTRY"));
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_run_from_pulled_images() {
    let registry = Registry::start();
    registry.push("team/tool:1", &[busybox_layer()], &busybox_config());
    registry.way().password = Some("me:secret");
    let f = Fixture::start(|_| {}).await;
    let image = format!("{}/team/tool:1", registry.address);
    f.create("no-login", json!({"containers": [{"image": image}]}))
        .await;
    let pod = f.wait("no-login", |pod| reason(pod) == "ErrImagePull").await;
    let text = f.story(&pod).await.replace(&registry.address, "REGISTRY");
    expect![[r#"
        Pending
        main: waiting ErrImagePull "failed to pull and unpack image \"REGISTRY/team/tool:1\": failed to resolve reference \"REGISTRY/team/tool:1\": pull access denied, repository does not exist or may require authorization: unexpected status from GET request to http://REGISTRY/v2/team/tool/manifests/1: 401 Unauthorized"
    "#]].assert_eq(&text);
    let pod = f.wait("no-login", |pod| reason(pod) == "ImagePullBackOff").await;
    let text = f.story(&pod).await.replace(&registry.address, "REGISTRY");
    assert!(
        text.contains(r#"Back-off pulling image \"REGISTRY/team/tool:1\": ErrImagePull: "#),
        "{text}"
    );

    let login = json!({"auths": {registry.address.clone(): {"username": "me", "password": "secret"}}});
    let secret = json!({
        "metadata": {"name": "login"}, "type": "kubernetes.io/dockerconfigjson",
        "stringData": {".dockerconfigjson": login.to_string()},
        "data": {".dockerconfigjson": base64::engine::general_purpose::STANDARD.encode(login.to_string())},
    });
    let secrets: Api<Secret> = Api::default_namespaced(f.client.clone());
    let secret = serde_json::from_value(secret).unwrap();
    secrets.create(&PostParams::default(), &secret).await.unwrap();
    let spec = json!({"imagePullSecrets": [{"name": "missing"}, {"name": "login"}], "containers": [{"image": image}]});
    f.create("login", spec).await;
    let pod = f.ended("login").await;
    assert_eq!(f.story(&pod).await, "Succeeded\nmain: Completed 0\n  | pulled\n");
    assert!(
        f.node
            .images()
            .list()
            .unwrap()
            .iter()
            .any(|i| i.pulled && i.last_used.is_some())
    );
    f.node.shutdown().await;
}

fn reason(pod: &k8s_openapi::api::core::v1::Pod) -> String {
    assert_ne!(phase(pod), "Failed");
    let statuses = pod
        .status
        .iter()
        .flat_map(|s| s.container_statuses.iter().flatten());
    let waiting = statuses.filter_map(|s| s.state.as_ref()?.waiting.as_ref()?.reason.clone());
    waiting.collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn broken_transfers_go_on_and_wrong_contents_are_refused() {
    let registry = Registry::start();
    registry.push("big:1", &[busybox_layer()], &busybox_config());
    let size = busybox_layer().len();
    let name = format!("{}/big:1", registry.address);
    let options = PullOptions::default();

    let (_dir, broken) = store();
    registry.way().breaks_after = vec![30_000, 1000, 500_000];
    broken.pull(&name, &[], &options).await.unwrap();
    let ranges: Vec<String> = registry
        .seen()
        .into_iter()
        .filter_map(|line| Some(line.split_once(": bytes=")?.1.to_string()))
        .collect();
    let end = size - 1;
    assert_eq!(
        ranges,
        [
            format!("500000-{end}"),
            format!("501000-{end}"),
            format!("531000-{end}")
        ]
    );

    let (dir, lied) = store();
    registry.way().lies = true;
    let error = lied.pull(&name, &[], &options).await.unwrap_err().to_string();
    assert!(error.contains("unexpected commit digest sha256:"), "{error}");
    assert!(error.contains("failed precondition"), "{error}");
    assert_eq!(lied.list().unwrap(), []);
    let left = std::fs::read_dir(dir.path().join("images/layers")).unwrap();
    assert_eq!(left.count(), 0);
    assert_eq!(
        std::fs::read_dir(dir.path().join("images/tmp")).unwrap().count(),
        0
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn layers_that_are_here_are_not_downloaded_again() {
    let registry = Registry::start();
    let lower = busybox_layer();
    let upper = layer(&[File::Text("more", "more", 0o644)]);
    registry.push("one:1", std::slice::from_ref(&lower), &busybox_config());
    registry.push("two:1", &[lower.clone(), upper.clone()], &busybox_config());
    let (_dir, store) = store();
    let pull = async |name: &str| {
        let name = format!("{}/{name}", registry.address);
        store.pull(&name, &[], &PullOptions::default()).await.unwrap();
        let blob = |tar: &Vec<u8>| format!("blobs/{}", sha256(tar));
        let seen = registry.seen();
        let was_asked = |tar: &Vec<u8>| seen.iter().any(|line| line.contains(&blob(tar)));
        (was_asked(&lower), was_asked(&upper))
    };
    assert_eq!(pull("one:1").await, (true, false));
    assert_eq!(pull("two:1").await, (false, true));
    assert_eq!(pull("one:1").await, (false, false));
    let removed = store.prune().unwrap();
    assert_eq!(removed.references.len(), 2);
    assert_eq!(pull("one:1").await, (true, false));
}

#[tokio::test(flavor = "multi_thread")]
async fn mirrors_come_first_and_the_registry_itself_last() {
    let (registry, mirror) = (Registry::start(), Registry::start());
    registry.push("a:1", &[layer(&[File::Text("a", "registry", 0o644)])], &json!({}));
    registry.push("b:1", &[layer(&[File::Text("b", "registry", 0o644)])], &json!({}));
    mirror.push("a:1", &[layer(&[File::Text("a", "mirror", 0o644)])], &json!({}));
    mirror.way().password = Some("robot:1");
    let (dir, store) = store();
    let docker_config = dir.path().join("config.json");
    let login = base64::engine::general_purpose::STANDARD.encode("robot:1");
    std::fs::write(
        &docker_config,
        json!({"auths": {mirror.address.clone(): {"auth": login}}}).to_string(),
    )
    .unwrap();
    let mut options = PullOptions {
        docker_config: Some(docker_config),
        ..PullOptions::default()
    };
    let unreachable = "http://127.0.0.1:1".to_string();
    options.mirrors.insert(
        registry.address.clone(),
        vec![unreachable, format!("http://{}", mirror.address)],
    );
    for (name, from_mirror) in [("a:1", true), ("b:1", false)] {
        let name = format!("{}/{name}", registry.address);
        assert_eq!(store.pull(&name, &[], &options).await.unwrap(), name);
        assert_eq!(registry.seen().is_empty(), from_mirror, "{name}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_image_for_this_machine_is_taken() {
    let registry = Registry::start();
    let content = [layer(&[File::Text("which", "this", 0o644)])];
    let foreign = registry.push_for("s390x", "many:x", &content, &json!({}));
    let own = registry.push("many:own", &content, &json!({"Env": ["OWN=1"]}));
    for (tag, manifests) in [("both", json!([foreign, own])), ("foreign", json!([foreign]))] {
        let index = json!({"schemaVersion": 2, "mediaType": INDEX, "manifests": manifests});
        let path = format!("many/manifests/{tag}");
        registry.send("PUT", &path, INDEX, index.to_string().as_bytes());
    }
    let (_dir, store) = store();
    let options = PullOptions::default();
    let name = format!("{}/many:both", registry.address);
    store.pull(&name, &[], &options).await.unwrap();
    assert_eq!(store.image_config(&name).unwrap().env, ["OWN=1"]);
    let foreign = expect![[
        r#"failed to pull and unpack image "REGISTRY/many:foreign": no match for platform in manifest: REGISTRY/many:foreign is not made for linux/amd64: not found"#
    ]];
    refused(&store, &registry, "many:foreign", &options, foreign).await;
    let foreign = expect![
        "no match for platform in manifest: the image is for linux/s390x, this machine is linux/amd64: not found"
    ];
    let error = store
        .pull(&format!("{}/many:x", registry.address), &[], &options)
        .await
        .unwrap_err();
    foreign.assert_eq(&error.to_string());
}

#[tokio::test(flavor = "multi_thread")]
async fn refusals_are_told_in_the_words_of_a_kubelet() {
    let registry = Registry::start();
    registry.push("there:1", &[], &json!({}));
    let (_dir, store) = store();
    let options = PullOptions::default();
    refused(&store, &registry, "there:2", &options, expect![[r#"failed to pull and unpack image "REGISTRY/there:2": failed to resolve reference "REGISTRY/there:2": REGISTRY/there:2: not found"#]]).await;
    refused(&store, &registry, "nowhere:1", &options, expect![[r#"failed to pull and unpack image "REGISTRY/nowhere:1": failed to resolve reference "REGISTRY/nowhere:1": REGISTRY/nowhere:1: not found"#]]).await;
    registry.way().password = Some("me:secret");
    refused(&store, &registry, "there:1", &options, expect![[r#"failed to pull and unpack image "REGISTRY/there:1": failed to resolve reference "REGISTRY/there:1": pull access denied, repository does not exist or may require authorization: unexpected status from GET request to http://REGISTRY/v2/there/manifests/1: 401 Unauthorized"#]]).await;
    let error = store.pull("127.0.0.1:1/x", &[], &options).await.unwrap_err();
    expect![[r#"failed to pull and unpack image "127.0.0.1:1/x:latest": failed to resolve reference "127.0.0.1:1/x:latest": failed to do request: Get "http://127.0.0.1:1/v2/x/manifests/latest": Connection refused (os error 111)"#]].assert_eq(&error.to_string());
}
