//! Pods with addresses of their own.

use std::io::Write as _;
use std::net::TcpListener;
use std::sync::Arc;

use argosy_node::{Bridge, LogOptions, NetworkChoice};
use expect_test::expect;
use k8s_openapi::api::core::v1::Pod;
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use crate::fixture::{Fixture, check, one, phase, sh};

/// A node whose pods stand behind a bridge, and the bridge.
async fn start() -> (Fixture, Arc<Bridge>) {
    let mut opened = None;
    let f = Fixture::start(|options| {
        let bridge = Arc::new(Bridge::open(&options.data_dir).expect("a bridge; these tests need root"));
        options.network = NetworkChoice::Auto;
        options.bridge = Some(Arc::clone(&bridge));
        opened = Some(bridge);
    })
    .await;
    (f, opened.unwrap())
}

fn ip(pod: &Pod) -> String {
    pod.status
        .as_ref()
        .and_then(|s| s.pod_ip.clone())
        .unwrap_or_default()
}

/// A pod that answers with a word at port 8080, and is ready when it can.
fn server(word: &str) -> Value {
    let script = format!(
        "while true; do printf 'HTTP/1.0 200 OK\\r\\n\\r\\n{word}\\n' | nc -l -p 8080 >/dev/null; done"
    );
    let mut spec = one(&script);
    spec["containers"][0]["readinessProbe"] =
        json!({"httpGet": {"path": "/", "port": 8080}, "periodSeconds": 1});
    spec
}

fn is_ready(pod: &Pod) -> bool {
    let statuses = pod
        .status
        .iter()
        .flat_map(|s| s.container_statuses.iter().flatten());
    statuses.into_iter().any(|s| s.ready)
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_have_addresses_of_their_own() {
    let (f, bridge) = start().await;
    f.create("one", server("one")).await;
    f.create("two", server("two")).await;
    let one_ip = ip(&f.wait("one", is_ready).await);
    let two_ip = ip(&f.wait("two", is_ready).await);
    assert_ne!(one_ip, two_ip);
    // This machine, where the API listens, is reached as well.
    let listener = TcpListener::bind((bridge.gateway(), 0)).unwrap();
    let port = listener.local_addr().unwrap().port();
    let host = std::thread::spawn(move || {
        let (mut pod, from) = listener.accept().unwrap();
        pod.write_all(b"host\n").unwrap();
        from.ip().to_string()
    });
    let ask = |ip: &str| {
        let request = format!("printf 'GET / HTTP/1.0\\r\\n\\r\\n' | nc {ip} 8080 2>/dev/null");
        format!("until {request} | grep -E 'one|two'; do true; done")
    };
    let script = format!(
        "{}; {}; nc {} {port} < /dev/null; ip -o -4 addr show eth0 | wc -l; ip route | head -1 | cut -d' ' -f1; cut -f2 /etc/hosts | grep asker",
        ask(&one_ip),
        ask(&two_ip),
        bridge.gateway()
    );
    f.create("asker", one(&script)).await;
    let pod = f.ended("asker").await;
    expect![[r#"
        Succeeded
        main: Completed 0
          | one
          | two
          | host
          | 1
          | default
          | asker
    "#]]
    .assert_eq(&f.story(&pod).await);
    assert_eq!(host.join().unwrap(), ip(&pod));
    // As `kubectl port-forward` does: from inside of the pod, though nothing of this machine is in its network.
    let mut inside = f.node.connect("default", "two", 8080).await.unwrap();
    inside.write_all(b"GET / HTTP/1.0\r\n\r\n").await.unwrap();
    let mut answer = String::new();
    inside.read_to_string(&mut answer).await.unwrap();
    assert!(answer.ends_with("two\n"), "{answer:?}");
    let refused = f.node.connect("default", "two", 8081).await.unwrap_err();
    assert_eq!(refused.to_string(), "Connection refused (os error 111)");
    f.node.shutdown().await;
    let links = std::fs::read_dir("/sys/class/net").unwrap().flatten();
    let aliases = links.map(|link| std::fs::read_to_string(link.path().join("ifalias")).unwrap_or_default());
    let folder = f.dir.path().to_string_lossy().into_owned();
    assert_eq!(aliases.filter(|alias| alias.contains(&folder)).count(), 0);
}

/// What pods have learned of the way to the gateway holds for as long as they run, whoever comes and goes besides:
/// with a wrong hardware address, all that they send is lost for up to a minute.
#[tokio::test(flavor = "multi_thread")]
async fn hardware_addresses_belong_to_addresses() {
    let (f, bridge) = start().await;
    let text = |path: std::path::PathBuf| std::fs::read_to_string(path).unwrap_or_default();
    let links = std::fs::read_dir("/sys/class/net").unwrap().flatten();
    let folder = f.dir.path().to_string_lossy().into_owned();
    let link = links
        .map(|link| link.path())
        .find(|link| text(link.join("ifalias")).contains(&folder))
        .expect("the bridge");
    let expected = |address: &str| {
        let bytes = address.split('.').map(|byte| byte.parse::<u8>().unwrap());
        let hex: Vec<String> = bytes.map(|byte| format!("{byte:02x}")).collect();
        format!("02:00:{}\n", hex.join(":"))
    };
    let of_gateway = expected(&bridge.gateway().to_string());
    assert_eq!(text(link.join("address")), of_gateway, "before the first pod");
    for name in ["a", "b", "c"] {
        f.create(name, one("sleep 1000")).await;
        f.wait(name, |pod| phase(pod) == "Running").await;
        assert_eq!(text(link.join("address")), of_gateway, "with {name}");
    }
    f.create("own", one("cat /sys/class/net/eth0/address")).await;
    let pod = f.ended("own").await;
    assert_eq!(
        f.log("own", "main", LogOptions::default()).await,
        expected(&ip(&pod))
    );
    f.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hosts_network_is_for_those_who_ask_for_it() {
    let (f, _) = start().await;
    let mut spec = one("sleep 1000");
    spec["hostNetwork"] = json!(true);
    f.create("host", spec).await;
    let pod = f.wait("host", |pod| phase(pod) == "Running").await;
    assert_eq!(ip(&pod), pod.status.unwrap().host_ip.unwrap());
    let mut container = sh("true");
    container["ports"] = json!([{"containerPort": 80, "hostPort": 8080}]);
    check(
        &f,
        "port",
        json!({"containers": [container]}),
        expect![[r#"
            Failed NotSupported hostPort 8080 is not supported by this node: pods have addresses of their own, or hostNetwork
            main: waiting ContainerCreating
        "#]],
    )
    .await;
    f.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn bridges_of_folders_that_are_gone_are_swept() {
    let left = tempfile::tempdir().unwrap();
    // Its owner is killed: nobody closes it.
    drop(Bridge::open(left.path()).unwrap());
    let alias = format!("argosy {}", left.path().display());
    let there = || {
        let links = std::fs::read_dir("/sys/class/net").unwrap().flatten();
        let mut aliases = links.map(|link| std::fs::read_to_string(link.path().join("ifalias")));
        aliases.any(|text| text.is_ok_and(|text| text.trim_end() == alias))
    };
    assert!(there());
    // The same folder finds its own again.
    drop(Bridge::open(left.path()).unwrap());
    assert!(there());
    drop(left);
    let (f, _) = start().await;
    assert!(!there());
    f.node.shutdown().await;
}
