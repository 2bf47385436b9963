//! Artifacts from main through the emissary, wait and a store into the next pod's init, with a
//! real S3 server (sections 4, 6 and 8 of the executor's rules).

use std::path::Path;

use argosy_artifact::serve::{Options, Server};
use serde_json::{Value, json};

use super::cluster::Cluster;
use super::pod::{Pod, finish, mode};

/// An S3 server over a folder.
pub struct Bucket {
    root: tempfile::TempDir,
    endpoint: String,
    _runtime: tokio::runtime::Runtime,
}

impl Bucket {
    pub fn start() -> Self {
        let root = tempfile::tempdir().unwrap();
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(2)
            .enable_all()
            .build()
            .unwrap();
        let server = Server::open(&Options {
            root: root.path().to_owned(),
            access_key: "admin".into(),
            secret_key: "password".into(),
            buckets: vec!["my-bucket".into()],
        })
        .unwrap();
        let listener = runtime
            .block_on(tokio::net::TcpListener::bind("127.0.0.1:0"))
            .unwrap();
        let endpoint = listener.local_addr().unwrap().to_string();
        runtime.spawn(server.listen(listener, std::future::pending()));
        Self {
            root,
            endpoint,
            _runtime: runtime,
        }
    }

    pub fn object(&self, key: &str) -> std::path::PathBuf {
        self.root.path().join("my-bucket").join(key)
    }

    pub fn location(&self, key: &str) -> Value {
        json!({
            "endpoint": self.endpoint, "bucket": "my-bucket", "insecure": true, "key": key,
            "accessKeySecret": {"name": "cred", "key": "accesskey"},
            "secretKeySecret": {"name": "cred", "key": "secretkey"},
        })
    }

    /// A template of a container with this store as its archive location.
    fn template(&self, extra: &Value) -> String {
        let mut template = json!({
            "name": "t", "container": {"image": "i"},
            "archiveLocation": {"s3": self.location("wf/pod")},
        });
        for (key, value) in extra.as_object().unwrap() {
            template[key] = value.clone();
        }
        template.to_string()
    }
}

/// A pod with the server's keys mounted.
pub fn pod(template: &str) -> Pod {
    let pod = Pod::with_template(template);
    pod.write("/argo/secret/cred/accesskey", "admin\n");
    pod.write("/argo/secret/cred/secretkey", "password\n");
    pod
}

/// Runs a script in main and then wait; gives the outputs that were reported.
fn produce(cluster: &Cluster, pod: &Pod, script: &str, code: i32) -> Value {
    let mut main = pod.emissary("main", &["sh", "-c", script]);
    finish(main.current_dir(pod.root.path()).spawn().unwrap());
    let output = cluster.wait(pod, &[("EXECUTOR_RETRY_BACKOFF_STEPS", "1")]);
    assert_eq!(
        output.status.code(),
        Some(code),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    cluster.task_result().unwrap()["outputs"].clone()
}

/// Runs init for a pod with this input; gives the pod.
fn consume(cluster: &Cluster, template: &str) -> Pod {
    let pod = pod("{}");
    let output = load(cluster, &pod, template);
    assert_eq!(
        output.status.code(),
        Some(0),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    pod
}

fn load(cluster: &Cluster, pod: &Pod, template: &str) -> std::process::Output {
    let mut init = cluster.command(pod, "init");
    finish(
        init.env("ARGO_TEMPLATE", template)
            .env("EXECUTOR_RETRY_BACKOFF_STEPS", "1")
            .spawn()
            .unwrap(),
    )
}

/// A tree as text: names, content, and where links lead.
fn tree(path: &Path) -> String {
    fn walk(path: &Path, depth: usize, out: &mut String) {
        let name = path.file_name().unwrap().to_string_lossy();
        let kind = path.symlink_metadata().unwrap().file_type();
        let indent = " ".repeat(depth);
        if kind.is_symlink() {
            out.push_str(&format!(
                "{indent}{name} -> {}\n",
                path.read_link().unwrap().display()
            ));
        } else if kind.is_dir() {
            out.push_str(&format!("{indent}{name}/\n"));
            let mut entries: Vec<_> = path.read_dir().unwrap().map(|e| e.unwrap().path()).collect();
            entries.sort();
            entries.iter().for_each(|e| walk(e, depth + 1, out));
        } else {
            let text = std::fs::read_to_string(path).unwrap();
            out.push_str(&format!("{indent}{name}={text}\n"));
        }
    }
    let mut out = String::new();
    walk(path, 0, &mut out);
    out
}

const SCRIPT: &str = "mkdir -p out/dir/empty mainctrfs/vol/dir; printf one > out/file; \
    printf two > out/dir/a; chmod 750 out/dir/a; ln -s a out/dir/link; \
    printf three > mainctrfs/vol/file; printf four > mainctrfs/vol/dir/b";

/// Every kind of archive, from the base layer and from a volume, of a file and of a folder, there
/// and back again (the table of X-WAIT-31 and X-INIT-17).
#[test]
fn x_wait_31_x_init_17_there_and_back() {
    let cluster = Cluster::start();
    let bucket = Bucket::start();
    let file = "x=one\n";
    let folder = "x/\n a=two\n empty/\n link -> a\n";
    // A zip knows neither links nor empty folders; a store knows only files.
    let plain = "x/\n a=two\n";
    let zipped = "x/\n a=two\n link=two\n";
    let none = json!({"none": {}});
    let zip = json!({"zip": {}});
    let level = json!({"tar": {"compressionLevel": 0}});
    for (path, archive, object, back) in [
        ("/out/file", Value::Null, "x.tgz", file),
        ("/out/file", level, "x.tgz", file),
        ("/out/file", none.clone(), "file", file),
        ("/out/file", zip.clone(), "x.zip", file),
        ("/out/dir", Value::Null, "x.tgz", folder),
        ("/out/dir/", Value::Null, "x.tgz", folder),
        ("/out/dir", none.clone(), "dir/a", plain),
        ("/out/dir", zip.clone(), "x.zip", zipped),
        ("/vol/file", Value::Null, "x.tgz", "x=three\n"),
        ("/vol/file", none.clone(), "file", "x=three\n"),
        ("/vol/file", zip.clone(), "x.zip", "x=three\n"),
        ("/vol/dir", Value::Null, "x.tgz", "x/\n b=four\n"),
        ("/vol/dir", none, "dir/b", "x/\n b=four\n"),
        ("/vol/dir", zip, "x.zip", "x/\n b=four\n"),
    ] {
        let what = format!("{path} {archive}");
        let mut artifact = json!({"name": "x", "path": path});
        if !archive.is_null() {
            artifact["archive"] = archive.clone();
        }
        let template = bucket.template(&json!({
            "container": {"image": "i", "volumeMounts": [{"name": "v", "mountPath": "/vol"}]},
            "outputs": {"artifacts": [artifact]},
        }));
        let outputs = produce(&cluster, &pod(&template), SCRIPT, 0);
        let name = object.split('/').next().unwrap();
        artifact["s3"] = json!({"key": format!("wf/pod/{name}")});
        assert_eq!(outputs, json!({"artifacts": [artifact]}), "{what}: X-WAIT-33");
        assert!(bucket.object(&format!("wf/pod/{object}")).is_file(), "{what}");
        let mut input = json!({"name": "x", "path": "/in/x", "s3": {"key": format!("wf/pod/{name}")}});
        if archive["zip"].is_object() {
            input["archive"] = archive;
        }
        let next = consume(
            &cluster,
            &bucket.template(&json!({"inputs": {"artifacts": [input]}})),
        );
        assert_eq!(tree(&next.path("/argo/inputs/artifacts/x")), back, "{what}");
        std::fs::remove_dir_all(bucket.object("wf")).unwrap();
    }
}

#[test]
fn x_wait_30_missing_artifacts() {
    let cluster = Cluster::start();
    let bucket = Bucket::start();
    let template = bucket.template(&json!({"outputs": {"artifacts": [
        {"name": "none", "path": "/none"},
        {"name": "optional", "path": "/none2", "optional": true},
        {"name": "there", "path": "/there"},
        {"name": "none3", "path": "/none3"},
    ]}}));
    let pod = pod(&template);
    let outputs = produce(&cluster, &pod, "printf x > there", 64);
    assert_eq!(
        outputs,
        json!({"artifacts": [{"name": "there", "path": "/there", "s3": {"key": "wf/pod/there.tgz"}}]})
    );
    let open = |name: &str| {
        let path = pod.path(&format!("/var/run/argo/outputs/artifacts/{name}.tgz"));
        format!("open {}: no such file or directory; ", path.display())
    };
    let message = format!("{}{}", open("none"), open("none3"));
    assert_eq!(pod.read("/dev/termination-log"), Some(message));
}

#[test]
fn x_wait_34_only_copies_of_ours_are_deleted() {
    let cluster = Cluster::start();
    let bucket = Bucket::start();
    let template = bucket.template(&json!({
        "container": {"image": "i", "volumeMounts": [{"name": "v", "mountPath": "/vol"}]},
        "outputs": {"artifacts": [
            {"name": "own", "path": "/vol/file", "archive": {"none": {}}},
            {"name": "zipped", "path": "/vol/file", "archive": {"zip": {}}},
        ]},
    }));
    let pod = pod(&template);
    let mut main = pod.emissary("main", &["sh", "-c", SCRIPT]);
    finish(main.current_dir(pod.root.path()).spawn().unwrap());
    let output = cluster.wait(&pod, &[("REMOVE_LOCAL_ART_PATH", "true")]);
    assert_eq!(output.status.code(), Some(0));
    assert!(bucket.object("wf/pod/file").is_file() && bucket.object("wf/pod/zipped.zip").is_file());
    assert!(pod.path("/mainctrfs/vol/file").is_file(), "the user's file stays");
    assert!(!pod.path("/tmp/argo/outputs/artifacts/zipped.zip").exists());
}

#[test]
fn x_wait_40_logs() {
    let cluster = Cluster::start();
    let bucket = Bucket::start();
    let mut template: Value = serde_json::from_str(&bucket.template(&json!({}))).unwrap();
    template["archiveLocation"]["archiveLogs"] = json!(true);
    let outputs = produce(
        &cluster,
        &pod(&template.to_string()),
        "echo out; echo err >&2; exit 1",
        0,
    );
    let log = json!({"name": "main-logs", "s3": {"key": "wf/pod/main.log"}});
    assert_eq!(outputs, json!({"artifacts": [log]}));
    let text = std::fs::read_to_string(bucket.object("wf/pod/main.log")).unwrap();
    assert!(matches!(&*text, "out\nerr\n" | "err\nout\n"), "{text}");
}

#[test]
fn x_init_10_to_20_inputs() {
    let cluster = Cluster::start();
    let bucket = Bucket::start();
    let template = bucket.template(&json!({
        "container": {"image": "i", "volumeMounts": [{"name": "v", "mountPath": "/vol"}]},
        "inputs": {"artifacts": [
            {"name": "raw", "path": "/a", "raw": {"data": "text"}, "mode": 0o755},
            {"name": "unsupplied", "path": "/b", "optional": true},
            {"name": "gone", "path": "/c", "optional": true, "s3": {"key": "no/such"}},
            {"name": "volume", "path": "/vol/sub/d", "raw": {"data": "v"}},
            {"name": "deep", "path": "/e", "mode": 0o750, "recurseMode": true, "s3": {"key": "tree"}},
            {"name": "shallow", "path": "/f", "mode": 0o750, "s3": {"key": "tree"}},
        ]},
    }));
    std::fs::create_dir_all(bucket.object("tree/sub")).unwrap();
    std::fs::write(bucket.object("tree/sub/file"), "x").unwrap();
    let pod = consume(&cluster, &template);
    assert_eq!(pod.read("/argo/inputs/artifacts/raw").as_deref(), Some("text"));
    assert_eq!(mode(&pod.path("/argo/inputs/artifacts/raw")), 0o755, "X-INIT-18");
    for (name, modes) in [("deep", [0o750; 3]), ("shallow", [0o750, 0o777, 0o666])] {
        let top = pod.path("/argo/inputs/artifacts").join(name);
        let found = [top.clone(), top.join("sub"), top.join("sub/file")].map(|path| mode(&path));
        assert_eq!(found, modes, "{name}: X-INIT-18, X-INIT-20");
    }
    assert!(!pod.path("/argo/inputs/artifacts/unsupplied").exists());
    assert!(!pod.path("/argo/inputs/artifacts/gone").exists());
    assert_eq!(
        pod.read("/mainctrfs/vol/sub/d").as_deref(),
        Some("v"),
        "X-INIT-14"
    );
    assert_eq!(mode(&pod.path("/mainctrfs/vol/sub")), 0o755, "X-INIT-15");
}

#[test]
fn x_init_01_inputs_that_cannot_be_loaded() {
    let cluster = Cluster::start();
    let bucket = Bucket::start();
    let no_archive = |artifact: Value| {
        json!({"name": "t", "container": {"image": "i"}, "inputs": {"artifacts": [artifact]}}).to_string()
    };
    let archive = |artifact: Value| {
        bucket
            .template(&json!({"inputs": {"artifacts": [artifact]}}))
            .to_string()
    };
    let mut other = bucket.location("k");
    other["secretKeySecret"] = json!({"name": "cred", "key": "accesskey"});
    for (template, message) in [
        (
            archive(json!({"name": "ia", "path": "/a", "s3": {"key": "no/such"}})),
            "artifact ia failed to load: The specified key does not exist.",
        ),
        (
            no_archive(json!({"name": "ia", "path": "/a"})),
            "required artifact 'ia' not supplied",
        ),
        (
            no_archive(json!({"name": "ia", "path": "/a", "s3": {"key": "k"}})),
            "failed to load artifact 'ia': template artifact location not set",
        ),
        (
            no_archive(json!({"name": "ia", "raw": {"data": "x"}})),
            "Artifact 'ia' did not specify a path",
        ),
        (
            no_archive(json!({"name": "ia", "path": "/a/../../b", "raw": {"data": "x"}})),
            "Artifact 'ia' attempted to use a path containing '..'. Directory traversal is not permitted",
        ),
        (
            no_archive(json!({"name": "ia", "path": "/a", "s3": other})),
            "artifact ia failed to load: the signature does not fit the request and the key",
        ),
        (
            no_archive(json!({"name": "ia", "path": "/a", "raw": {"data": "x"}, "archive": {"tar": {}}})),
            "invalid archive",
        ),
    ] {
        let pod = pod("{}");
        let output = load(&cluster, &pod, &template);
        assert_eq!(output.status.code(), Some(64), "{message}");
        let got = pod.read("/dev/termination-log").unwrap();
        assert!(got == message || message == "invalid archive", "{got}");
    }
}

#[test]
fn x_s3_08_large_files_go_in_parts() {
    let cluster = Cluster::start();
    let bucket = Bucket::start();
    let template = bucket.template(&json!({"outputs": {"artifacts": [
        {"name": "big", "path": "/big", "archive": {"none": {}}},
    ]}}));
    let pod = pod(&template);
    let script = "head -c 17000000 /dev/urandom > big";
    produce(&cluster, &pod, script, 0);
    let (sent, kept) = (bucket.object("wf/pod/big"), pod.path("/big"));
    assert!(std::fs::read(sent).unwrap() == std::fs::read(kept).unwrap());
    let left = std::fs::read_dir(bucket.root.path().join(".argosy"))
        .unwrap()
        .count();
    assert_eq!(left, 0, "nothing is left of the parts");
}

#[test]
fn x_emis_51_what_the_emissary_leaves() {
    let pod = Pod::with_template(
        r#"{"container":{"volumeMounts":[{"mountPath":"/vol"}]},"outputs":{
            "parameters":[{"name":"p","valueFrom":{"path":"/p"}},{"name":"q","valueFrom":{"path":"/none"}}],
            "artifacts":[{"name":"a","path":"/a/"},{"name":"v","path":"/vol/x"},{"name":"n","path":"/none"}]}}"#,
    );
    let mut main = pod.emissary(
        "main",
        &["sh", "-c", "printf 1 > p; mkdir a vol; printf 2 > vol/x; exit 3"],
    );
    let output = finish(main.current_dir(pod.root.path()).spawn().unwrap());
    assert_eq!(output.status.code(), Some(3));
    let outputs = pod.path("/var/run/argo/outputs");
    assert_eq!(tree(&outputs.join("parameters")), "parameters/\n p=1\n");
    let names: Vec<_> = outputs
        .join("artifacts")
        .read_dir()
        .unwrap()
        .map(|e| e.unwrap().file_name())
        .collect();
    assert_eq!(names, ["a.tgz"]);
    assert_eq!(mode(&outputs.join("artifacts/a.tgz")), 0o666);
    assert_eq!(mode(&outputs.join("artifacts")), 0o755);
    // Others save nothing.
    let output = pod.run("other", "exit 0");
    assert!(
        String::from_utf8_lossy(&output.stderr).contains("not saving outputs"),
        "X-EMIS-53"
    );
}

#[test]
fn x_data_01_to_04_lists_are_transformed() {
    let cluster = Cluster::start();
    let bucket = Bucket::start();
    for key in ["logs/a.log", "logs/b.txt", "logs/deep/c.log", "other.log"] {
        let path = bucket.object(key);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "x").unwrap();
    }
    for (expressions, code, want) in [
        (
            json!([]),
            0,
            json!({"result": "[\"logs/a.log\",\"logs/b.txt\",\"logs/deep/c.log\"]"}),
        ),
        (
            json!([{"expression": "filter(data, {# endsWith \".log\"})"}, {"expression": "len(data)"}]),
            0,
            json!({"result": "2"}),
        ),
        (json!([{"expression": "nope(data)"}]), 64, Value::Null),
    ] {
        let template = json!({
            "name": "t",
            "data": {
                "source": {"artifactPaths": {"name": "l", "s3": {"key": "logs/"}}},
                "transformation": expressions,
            },
            "archiveLocation": {"s3": bucket.location("wf/pod")},
        });
        let pod = pod(&template.to_string());
        let output = finish(
            cluster
                .command(&pod, "data")
                .arg("{\"ignored\":1}")
                .spawn()
                .unwrap(),
        );
        assert_eq!(
            output.status.code(),
            Some(code),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        if code == 0 {
            assert_eq!(cluster.task_result().unwrap()["outputs"], want);
        } else {
            let message = pod.read("/dev/termination-log").unwrap();
            assert!(message.starts_with("error processing data step 0: "), "{message}");
        }
    }
}
