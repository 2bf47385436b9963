//! Prints how long pods take on this machine: `cargo run --release -p argosy-node --example node_figures`.
//!
//! Needs root and busybox. Not a test: nothing is asserted.
#![expect(clippy::print_stdout, reason = "it prints figures")]

use std::time::{Duration, Instant};

use argosy_apiserver::ApiServer;
use argosy_node::{NetworkChoice, Node, Options, RuntimeChoice};
use futures::StreamExt;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{PostParams, WatchEvent, WatchParams};
use kube::{Api, Client};
use serde_json::{Value, json};

fn main() {
    argosy_node::container_main_if_asked();
    let runtime = tokio::runtime::Runtime::new().expect("a runtime");
    for network in [NetworkChoice::Host, NetworkChoice::Bridge] {
        println!("network {network:?}");
        runtime.block_on(figures(network));
    }
}

async fn figures(network: NetworkChoice) {
    let dir = tempfile::tempdir().expect("temporary folder");
    let server = ApiServer::new(argosy_apiserver::Options {
        bind_to_node: Some("n".into()),
        ..Default::default()
    })
    .expect("API");
    let client = Client::new(server.service(), "default");
    let mut options = Options::new("n", dir.path());
    options.runtime = RuntimeChoice::Host;
    options.network = network;
    let node = Node::start(client.clone(), options).await.expect("node");
    let pods: Api<Pod> = Api::default_namespaced(client);
    let container = |name: &str| json!({"name": name, "image": "any", "command": ["/bin/busybox", "true"]});
    let one = json!({"restartPolicy": "Never", "automountServiceAccountToken": false, "containers": [container("main")]});
    let three = json!({
        "restartPolicy": "Never",
        "automountServiceAccountToken": false,
        "volumes": [{"name": "v", "emptyDir": {}}],
        "initContainers": [container("init")],
        "containers": [container("wait"), container("main")],
    });
    println!("first pod, one container: {:?}", run(&pods, "first", &one).await);
    for (name, spec) in [("one container", &one), ("init, wait and main", &three)] {
        let mut times = Vec::new();
        for number in 0..20 {
            times.push(run(&pods, &format!("p{}-{number}", name.len()), spec).await);
        }
        times.sort();
        println!("{name}: median {:?}, slowest {:?}", times[10], times[19]);
    }
    let begin = Instant::now();
    let names: Vec<String> = (0..200).map(|number| format!("many-{number}")).collect();
    let all = names.iter().map(|name| run(&pods, name, &one));
    let mut times: Vec<Duration> = futures::future::join_all(all).await;
    times.sort();
    println!(
        "200 pods at once: all {:?}, slowest {:?}",
        begin.elapsed(),
        times[199]
    );
    node.shutdown().await;
}

async fn run(pods: &Api<Pod>, name: &str, spec: &Value) -> Duration {
    let pod = json!({"metadata": {"name": name}, "spec": spec});
    let pod = serde_json::from_value(pod).expect("a pod");
    let begin = Instant::now();
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
            assert_eq!(phase, "Succeeded", "{name}");
            return begin.elapsed();
        }
    }
    unreachable!("the watch ended")
}
