//! Containers that outlive their node are found again by the next one.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;

use argosy_apiserver::ApiServer;
use argosy_node::{LogOptions, Options, Streams};
use expect_test::expect;
use k8s_openapi::api::core::v1::Pod;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::{Value, json};
use tokio::net::TcpListener;

use crate::fixture::{Fixture, TOKEN, api_server, one, phase};

/// Set for the process that is to be killed: its data folder, in which its kubeconfig lies too.
const VICTIM: &str = "ARGOSY_TEST_SURVIVED";

fn keep(folder: &Path) -> impl FnOnce(&mut Options) {
    let folder = folder.to_path_buf();
    move |options| {
        options.data_dir = folder;
        options.keep_running = true;
    }
}

/// Not a test by itself: the node that the others start and kill.
#[tokio::test(flavor = "multi_thread")]
async fn victim() {
    let Some(folder) = std::env::var_os(VICTIM) else {
        return;
    };
    let folder = Path::new(&folder);
    let text = std::fs::read_to_string(folder.join("kubeconfig")).unwrap();
    let kubeconfig = Kubeconfig::from_yaml(&text).unwrap();
    let config = Config::from_custom_kubeconfig(kubeconfig, &KubeConfigOptions::default()).await;
    let client = Client::try_from(config.unwrap()).unwrap();
    let _f = Fixture::over(client, keep(folder), None).await;
    std::future::pending::<()>().await;
}

/// An API that outlives the nodes, and their data folder.
struct Machine {
    api: Arc<ApiServer>,
    dir: tempfile::TempDir,
}

impl Machine {
    async fn start() -> Machine {
        let api = api_server();
        let dir = tempfile::Builder::new()
            .prefix("argosy-survive-")
            .tempdir()
            .unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("https://{}", listener.local_addr().unwrap());
        std::fs::write(dir.path().join("kubeconfig"), api.kubeconfig(&url, TOKEN)).unwrap();
        let served = Arc::clone(&api);
        tokio::spawn(async move { served.serve(listener, std::future::pending()).await });
        Machine { api, dir }
    }

    /// A node in a process of its own.
    fn victim(&self) -> Child {
        Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "survive::victim", "--nocapture"])
            .env(VICTIM, self.dir.path())
            // What it cannot clean up any more goes with our own folder.
            .env("TMPDIR", self.dir.path())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap()
    }

    /// A node in this process.
    async fn node(&self) -> Fixture {
        let client = Client::new(self.api.service(), "default");
        Fixture::over(client, keep(self.dir.path()), None).await
    }

    /// Creates the pod, and kills the node with SIGKILL once the pod is as wanted.
    async fn kill_once(&self, name: &str, spec: Value, wanted: impl Fn(&Pod) -> bool) {
        let mut victim = self.victim();
        // Only its client is used: its node has another name and gets no pods.
        let watcher = Fixture::over(
            Client::new(self.api.service(), "default"),
            |options| options.name = "nobody".into(),
            None,
        )
        .await;
        watcher.create(name, spec).await;
        watcher.wait(name, wanted).await;
        victim.kill().unwrap();
        victim.wait().unwrap();
        watcher.node.shutdown().await;
    }
}

/// A container that waits for files in `/v`, which is the data folder's `v`.
fn waiting(machine: &Machine, script: &str) -> Value {
    let mut spec = one(script);
    let shared = machine.dir.path().join("v");
    std::fs::create_dir_all(&shared).unwrap();
    spec["volumes"] = json!([{"name": "v", "hostPath": {"path": shared}}]);
    spec["containers"][0]["volumeMounts"] = json!([{"name": "v", "mountPath": "/v"}]);
    spec["nodeName"] = json!("test-node");
    spec
}

fn wait_for(what: &str, path: &Path) {
    let begin = std::time::Instant::now();
    while !path.exists() {
        assert!(begin.elapsed() < crate::fixture::PATIENCE, "{what}: not in time");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn running_containers_are_found_again() {
    let machine = Machine::start().await;
    let script = "echo run >> /v/runs; echo before; while ! test -e /v/go; do sleep 0.05; done; echo after; \
                  echo -n why > /dev/termination-log; exit 3";
    let spec = waiting(&machine, script);
    machine
        .kill_once("pod", spec, |pod| phase(pod) == "Running")
        .await;
    let f = machine.node().await;
    std::fs::write(machine.dir.path().join("v/go"), "").unwrap();
    let pod = f.ended("pod").await;
    expect![[r#"
        Failed
        main: Error 3 "why"
          | before
          | after
    "#]]
    .assert_eq(&f.story(&pod).await);
    let runs = std::fs::read_to_string(machine.dir.path().join("v/runs")).unwrap();
    assert_eq!(runs, "run\n");
    f.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_ended_meanwhile_is_learned() {
    let machine = Machine::start().await;
    let script = "echo run >> /v/runs; while ! test -e /v/go; do sleep 0.05; done; echo alone; \
                  echo -n words > /dev/termination-log; touch /v/done";
    let mut spec = waiting(&machine, script);
    // A second container, so that the sandbox is still needed when the first one has ended.
    let mounts = spec["containers"][0]["volumeMounts"].clone();
    spec["containers"].as_array_mut().unwrap().push(json!({
        "name": "other", "volumeMounts": mounts,
        "command": ["sh", "-c", "while ! test -e /v/end; do sleep 0.05; done"],
    }));
    machine
        .kill_once("pod", spec, |pod| phase(pod) == "Running")
        .await;
    let shared = machine.dir.path().join("v");
    std::fs::write(shared.join("go"), "").unwrap();
    wait_for("the container ends without a node", &shared.join("done"));
    let f = machine.node().await;
    std::fs::write(shared.join("end"), "").unwrap();
    let pod = f.ended("pod").await;
    expect![[r#"
        Succeeded
        main: Completed 0 "words"
          | alone
        other: Completed 0
    "#]]
    .assert_eq(&f.story(&pod).await);
    assert_eq!(std::fs::read_to_string(shared.join("runs")).unwrap(), "run\n");
    f.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stopped_node_leaves_its_pods_to_the_next() {
    let machine = Machine::start().await;
    let f = machine.node().await;
    let spec = waiting(
        &machine,
        "echo run >> /v/runs; while ! test -e /v/go; do sleep 0.05; done; echo end",
    );
    f.create("pod", spec).await;
    f.wait("pod", |pod| phase(pod) == "Running").await;
    f.node.shutdown().await;
    drop(f);
    let f = machine.node().await;
    let touch = ["touch", "/v/go"].map(String::from).to_vec();
    // Processes can be started in a container that was found again, as soon as it was found.
    let begin = std::time::Instant::now();
    while f
        .node
        .exec("default", "pod", None, touch.clone(), Streams::default())
        .await
        .is_err()
    {
        assert!(begin.elapsed() < crate::fixture::PATIENCE);
        tokio::task::yield_now().await;
    }
    f.ended("pod").await;
    assert_eq!(f.log("pod", "main", LogOptions::default()).await, "end\n");
    let runs = std::fs::read_to_string(machine.dir.path().join("v/runs")).unwrap();
    assert_eq!(runs, "run\n");
    f.node.shutdown().await;
}
