//! Makes the node known to the API, and says that it is alive.

use std::collections::BTreeMap;
use std::net::UdpSocket;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::Node;
use kube::api::{Patch, PatchParams, PostParams};
use kube::{Api, Client};
use serde_json::{Value, json};

use crate::node::Shared;
use crate::spec::downward::memory_bytes;

/// How often the node's status is written when nothing changed; the kubelet's default.
const HEARTBEAT: Duration = Duration::from_secs(300);
/// How long a node that says nothing counts as alive, in seconds, and how often it says so; the kubelet's defaults.
const LEASE_SECS: u32 = 40;
const RENEWAL: Duration = Duration::from_secs(10);
/// The namespace of the leases of nodes.
const LEASES: &str = "kube-node-lease";
/// Wait after a failed try.
const RETRY: Duration = Duration::from_secs(5);
/// Most pods of one node: the addresses of a /24 network, less a few.
const PODS_LIMIT: u32 = 250;

/// The address by which others reach this machine, or the loopback address when it has no network.
pub(crate) fn host_ip() -> String {
    // Connecting a datagram socket sends nothing; it only asks for the route.
    let route = UdpSocket::bind("0.0.0.0:0").and_then(|socket| {
        socket.connect("192.0.2.1:9")?;
        socket.local_addr()
    });
    route.map_or_else(|_| "127.0.0.1".into(), |address| address.ip().to_string())
}

/// Keeps the node's object and its lease up to date.
pub(crate) async fn run(shared: Arc<Shared>) {
    let nodes: Api<Node> = Api::all(shared.client.clone());
    let name = shared.options.name.clone();
    let mut registered = None;
    loop {
        let is_due = |at: &Instant| at.elapsed() >= HEARTBEAT;
        let done = async {
            if registered.as_ref().is_none_or(is_due) {
                register(&nodes, &name, &shared).await?;
                registered = Some(Instant::now());
            }
            renew(&shared.client, &nodes, &name).await
        };
        let wait = match done.await {
            Ok(()) => RENEWAL,
            Err(error) => {
                tracing::debug!(node = name, %error, "Node was not registered");
                RETRY
            }
        };
        tokio::time::sleep(wait).await;
    }
}

/// Says that the node is alive in the way that costs least: by its lease.
async fn renew(client: &Client, nodes: &Api<Node>, name: &str) -> Result<(), kube::Error> {
    let leases: Api<Lease> = Api::namespaced(client.clone(), LEASES);
    let renewed =
        json!({"spec": {"renewTime": Timestamp::now().strftime("%Y-%m-%dT%H:%M:%S%.6fZ").to_string()}});
    let patched = leases
        .patch(name, &PatchParams::default(), &Patch::Merge(&renewed))
        .await;
    match patched {
        Err(kube::Error::Api(status)) if status.code == 404 => {}
        patched => return patched.map(drop),
    }
    let uid = nodes.get(name).await?.metadata.uid;
    let lease = json!({
        "metadata": {
            "name": name,
            "ownerReferences": [{"apiVersion": "v1", "kind": "Node", "name": name, "uid": uid}],
        },
        "spec": {
            "holderIdentity": name,
            "leaseDurationSeconds": LEASE_SECS,
            "renewTime": renewed["spec"]["renewTime"],
        },
    });
    let lease = serde_json::from_value(lease).map_err(kube::Error::SerdeError)?;
    leases.create(&PostParams::default(), &lease).await.map(drop)
}

async fn register(nodes: &Api<Node>, name: &str, shared: &Shared) -> Result<(), kube::Error> {
    let labels = json!({"metadata": {"name": name, "labels": labels(name, shared)}});
    if nodes.get_opt(name).await?.is_none() {
        let object: Node = serde_json::from_value(labels.clone()).map_err(kube::Error::SerdeError)?;
        match nodes.create(&PostParams::default(), &object).await {
            Err(kube::Error::Api(status)) if status.code == 409 => {}
            created => drop(created?),
        }
    }
    let params = PatchParams::default();
    // An earlier start may have made it, with other labels. Those that users gave stay.
    nodes.patch(name, &params, &Patch::Merge(labels)).await?;
    let patch = json!({"status": status(name, shared)});
    nodes
        .patch_status(name, &params, &Patch::Merge(patch))
        .await
        .map(drop)
}

/// The labels that a kubelet gives its node, and the user's.
fn labels(name: &str, shared: &Shared) -> BTreeMap<String, String> {
    let own = [
        ("kubernetes.io/hostname", name),
        ("kubernetes.io/os", "linux"),
        ("kubernetes.io/arch", architecture()),
        ("beta.kubernetes.io/os", "linux"),
        ("beta.kubernetes.io/arch", architecture()),
    ];
    let own = own.map(|(key, value)| (key.to_owned(), value.to_owned()));
    let users = shared.options.labels.iter().map(|(k, v)| (k.clone(), v.clone()));
    own.into_iter().chain(users).collect()
}

fn architecture() -> &'static str {
    match std::env::consts::ARCH {
        "x86_64" => "amd64",
        "aarch64" => "arm64",
        other => other,
    }
}

/// Size of the file system that holds logs and volumes of pods.
fn disk_bytes(folder: &Path) -> u64 {
    rustix::fs::statvfs(folder).map_or(0, |disk| disk.f_blocks.saturating_mul(disk.f_frsize))
}

fn status(name: &str, shared: &Shared) -> Value {
    let now = Timestamp::now().strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    let processors = std::thread::available_parallelism().map_or(1, usize::from);
    let capacity = json!({
        "cpu": processors.to_string(),
        "memory": memory_bytes().unwrap_or(0).to_string(),
        "ephemeral-storage": disk_bytes(&shared.options.data_dir).to_string(),
        "pods": PODS_LIMIT.to_string(),
    });
    let uname = rustix::system::uname();
    json!({
        "capacity": capacity,
        "allocatable": capacity,
        "addresses": [
            {"type": "InternalIP", "address": shared.host_ip},
            {"type": "Hostname", "address": name},
        ],
        "conditions": [{
            "type": "Ready",
            "status": "True",
            "reason": "NodeReady",
            "message": "the node runs pods",
            "lastHeartbeatTime": now,
            "lastTransitionTime": now,
        }],
        "nodeInfo": {
            "machineID": "",
            "systemUUID": "",
            "bootID": "",
            "kernelVersion": uname.release().to_string_lossy(),
            "osImage": "linux",
            "containerRuntimeVersion": concat!("argosy://", env!("CARGO_PKG_VERSION")),
            "kubeletVersion": concat!("argosy-", env!("CARGO_PKG_VERSION")),
            "kubeProxyVersion": "",
            "operatingSystem": "linux",
            "architecture": architecture(),
        },
    })
}
