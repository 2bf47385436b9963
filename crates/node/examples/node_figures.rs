//! Prints, as JSON, how long pods take on this machine: `cargo run --release -p argosy-node --example node_figures`.
//!
//! Needs busybox; as root pods stand behind a bridge, as they do by default. Not a test: nothing is asserted.
#![expect(clippy::print_stdout, reason = "it prints figures")]

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use argosy_apiserver::ApiServer;
use argosy_node::runtime::linux::Linux;
use argosy_node::runtime::{
    ContainerSpec, Ended, Error, Listeners, ProcessSpec, Runtime, Sandbox, SandboxSpec, Stdio,
};
use argosy_node::{Bridge, Node, Options, RuntimeChoice};
use async_trait::async_trait;
use futures::StreamExt;
use jiff::Timestamp;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{PostParams, WatchEvent, WatchParams};
use kube::{Api, Client};
use serde_json::{Value, json};
use tokio::sync::mpsc;

/// Pods one after the other.
const SINGLE: usize = 30;
/// Pods at once.
const MANY: usize = 200;

fn main() {
    argosy_node::container_main_if_asked();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    println!("{}", runtime.block_on(figures()));
}

/// What the runtime did for the pod that runs alone.
#[derive(Debug, Default)]
struct Times {
    /// Time in the runtime itself: sandbox and container.
    inside: Duration,
    started: Option<Instant>,
    ended: Option<Timestamp>,
}

/// The runtime of Linux with a clock.
struct Timed {
    inner: Linux,
    times: Arc<Mutex<Times>>,
}

struct TimedSandbox {
    inner: Box<dyn Sandbox>,
    times: Arc<Mutex<Times>>,
}

#[async_trait]
impl Runtime for Timed {
    async fn create(
        &self,
        spec: &SandboxSpec,
    ) -> Result<(Box<dyn Sandbox>, mpsc::UnboundedReceiver<Ended>), Error> {
        let begin = Instant::now();
        let (inner, mut ends) = self.inner.create(spec).await?;
        let times = Arc::clone(&self.times);
        times.lock().expect("one at a time").inside += begin.elapsed();
        let (sender, receiver) = mpsc::unbounded_channel();
        let told = Arc::clone(&times);
        tokio::spawn(async move {
            while let Some(ended) = ends.recv().await {
                told.lock().expect("one at a time").ended = Some(ended.end.at);
                let _ = sender.send(ended);
            }
        });
        Ok((Box::new(TimedSandbox { inner, times }), receiver))
    }
}

#[async_trait]
impl Sandbox for TimedSandbox {
    async fn start(&self, spec: &ContainerSpec) -> Result<(), Error> {
        let begin = Instant::now();
        let started = self.inner.start(spec).await;
        let mut times = self.times.lock().expect("one at a time");
        times.inside += begin.elapsed();
        times.started = Some(Instant::now());
        started
    }

    async fn exec(&self, key: &str, target: &str, spec: &ProcessSpec, io: Stdio) -> Result<(), Error> {
        self.inner.exec(key, target, spec, io).await
    }

    async fn attach(&self, target: &str, listeners: Listeners) -> Result<(), Error> {
        self.inner.attach(target, listeners).await
    }

    async fn signal(&self, key: &str, signal: i32, group: bool) -> Result<(), Error> {
        self.inner.signal(key, signal, group).await
    }

    fn pid(&self) -> Option<u32> {
        self.inner.pid()
    }

    async fn destroy(&self) {
        self.inner.destroy().await;
    }
}

/// An API on disk and a node beside it.
async fn start(dir: &Path, times: &Arc<Mutex<Times>>) -> (Node, Api<Pod>) {
    let server = ApiServer::new(argosy_apiserver::Options {
        file: Some(dir.join("state.db")),
        ..Default::default()
    })
    .expect("API");
    let client = Client::new(server.service(), "default");
    let mut options = Options::new("n", dir);
    options.runtime = RuntimeChoice::Host;
    options.bridge = Bridge::open(dir).ok().map(Arc::new);
    let runtime = Timed {
        inner: Linux::new(options.init_program.clone()),
        times: Arc::clone(times),
    };
    let node = Node::start_with(client.clone(), options, Arc::new(runtime)).await;
    (node.expect("node"), Api::default_namespaced(client))
}

async fn figures() -> Value {
    let dir = tempfile::tempdir().expect("temporary folder");
    let times = Arc::new(Mutex::new(Times::default()));
    let (node, pods) = start(dir.path(), &times).await;
    run(&pods, "first").await;
    let (mut over, mut floor, mut written) = (Vec::new(), Vec::new(), Vec::new());
    for number in 0..SINGLE {
        *times.lock().expect("one at a time") = Times::default();
        let begin = Instant::now();
        run(&pods, &format!("single-{number}")).await;
        let seen = Timestamp::now();
        let times = times.lock().expect("one at a time");
        let (started, ended) = (times.started.expect("it ran"), times.ended.expect("it ended"));
        floor.push(times.inside);
        over.push((started - begin).saturating_sub(times.inside));
        written.push(Duration::try_from(seen.duration_since(ended)).unwrap_or_default());
    }
    let begin = Instant::now();
    let names: Vec<String> = (0..MANY).map(|number| format!("many-{number}")).collect();
    let phases = futures::future::join_all(names.iter().map(|name| run(&pods, name))).await;
    let took = begin.elapsed();
    let failed = phases.iter().filter(|phase| *phase != "Succeeded").count();
    node.shutdown().await;
    json!({
        "floor_ms": summary(floor),
        "over_floor_ms": summary(over),
        "written_ms": summary(written),
        "many": MANY,
        "many_failed": failed,
        "many_seconds": took.as_secs_f64(),
    })
}

/// Median, least and most.
fn summary(mut all: Vec<Duration>) -> [f64; 3] {
    all.sort();
    [all[all.len() / 2], all[0], all[all.len() - 1]].map(|time| time.as_secs_f64() * 1000.0)
}

/// Runs a pod of one container to its end and gives its phase.
async fn run(pods: &Api<Pod>, name: &str) -> String {
    let container = json!({"name": "main", "image": "any", "command": ["/bin/busybox", "true"]});
    let spec =
        json!({"restartPolicy": "Never", "automountServiceAccountToken": false, "containers": [container]});
    let pod = json!({"metadata": {"name": name}, "spec": spec});
    let pod = serde_json::from_value(pod).expect("a pod");
    let created = pods.create(&PostParams::default(), &pod).await.expect("create");
    let version = created.metadata.resource_version.expect("version");
    let params = WatchParams::default().fields(&format!("metadata.name={name}"));
    let mut events = pods.watch(&params, &version).await.expect("watch").boxed();
    while let Some(event) = events.next().await {
        let Ok(WatchEvent::Modified(pod)) = event else {
            continue;
        };
        let phase = pod.status.and_then(|status| status.phase).unwrap_or_default();
        if phase == "Succeeded" || phase == "Failed" {
            return phase;
        }
    }
    unreachable!("the watch ended")
}
