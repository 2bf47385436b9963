//! Hooks of a container's life, and probes of gRPC servers.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use argosy_node::LogOptions;
use bytes::Bytes;
use expect_test::expect;
use k8s_openapi::api::core::v1::Pod;
use kube::api::DeleteParams;
use serde_json::{Value, json};

use crate::fixture::{Fixture, check, one, phase};

fn with(script: &str, field: &str, value: Value) -> Value {
    let mut spec = one(script);
    spec["containers"][0][field] = value;
    spec
}

fn command(script: &str) -> Value {
    json!({"exec": {"command": ["sh", "-c", script]}})
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hook_after_the_start_comes_before_the_container_counts_as_running() {
    let f = Fixture::start(|_| {}).await;
    let hook = json!({"postStart": command("echo hook > /tmp/hook")});
    check(
        &f,
        "good",
        with(
            "until grep hook /tmp/hook 2>/dev/null; do true; done",
            "lifecycle",
            hook,
        ),
        expect![[r#"
            Succeeded
            main: Completed 0
              | hook
        "#]],
    )
    .await;
    check(
        &f,
        "bad",
        with("sleep 1000", "lifecycle", json!({"postStart": command("exit 4")})),
        expect![[r#"
            Failed
            main: Error 137 "PostStartHookError: exit code 4"
        "#]],
    )
    .await;
    f.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_hook_before_the_end_comes_before_the_signal() {
    let f = Fixture::start(|_| {}).await;
    let script =
        "trap 'cat /tmp/hook; echo signal; exit 0' TERM; touch /tmp/up; while true; do sleep 0.01; done";
    let mut spec = with(
        script,
        "lifecycle",
        json!({"preStop": command("echo hook > /tmp/hook")}),
    );
    spec["containers"][0]["readinessProbe"] =
        json!({"exec": {"command": ["test", "-e", "/tmp/up"]}, "periodSeconds": 1});
    spec["activeDeadlineSeconds"] = json!(2);
    f.create("deadline", spec).await;
    f.ended("deadline").await;
    let log = f.log("deadline", "main", LogOptions::default()).await;
    assert_eq!(log, "hook\nsignal\n");
    // A hook that never ends is cut off with the grace period.
    let mut spec = with(
        "trap '' TERM; sleep 1000",
        "lifecycle",
        json!({"preStop": {"sleep": {"seconds": 1000}}}),
    );
    spec["terminationGracePeriodSeconds"] = json!(1);
    f.create("slow", spec).await;
    f.wait("slow", |pod| phase(pod) == "Running").await;
    f.pods().delete("slow", &DeleteParams::default()).await.unwrap();
    let begin = std::time::Instant::now();
    while f.pods().get_opt("slow").await.unwrap().is_some() {
        assert!(begin.elapsed() < crate::fixture::PATIENCE);
        tokio::task::yield_now().await;
    }
    f.node.shutdown().await;
}

/// A gRPC server with the health service: `sick` serves only when told to.
async fn grpc_server(well: Arc<AtomicBool>) -> u16 {
    let listener = tokio::net::TcpListener::bind("0.0.0.0:0").await.unwrap();
    let port = listener.local_addr().unwrap().port();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(serve(stream, Arc::clone(&well)));
        }
    });
    port
}

async fn serve(stream: tokio::net::TcpStream, well: Arc<AtomicBool>) {
    let Ok(mut connection) = h2::server::handshake(stream).await else {
        return;
    };
    while let Some(Ok((request, mut answer))) = connection.accept().await {
        assert_eq!(request.uri().path(), "/grpc.health.v1.Health/Check");
        let mut body = request.into_body();
        let asked = body.data().await.unwrap().unwrap();
        let head = http::Response::builder().header("content-type", "application/grpc");
        let mut trailers = http::HeaderMap::new();
        if &asked[5..] != b"\n\x04sick" {
            trailers.insert("grpc-status", "5".parse().unwrap());
            trailers.insert("grpc-message", "unknown service".parse().unwrap());
            let mut body = answer.send_response(head.body(()).unwrap(), false).unwrap();
            body.send_trailers(trailers).unwrap();
            continue;
        }
        let status = if well.load(Ordering::Relaxed) { 1 } else { 2 };
        let mut body = answer.send_response(head.body(()).unwrap(), false).unwrap();
        body.send_data(Bytes::from(vec![0, 0, 0, 0, 2, 8, status]), false)
            .unwrap();
        trailers.insert("grpc-status", "0".parse().unwrap());
        body.send_trailers(trailers).unwrap();
    }
}

fn is_ready(pod: &Pod) -> bool {
    let statuses = pod
        .status
        .iter()
        .flat_map(|s| s.container_statuses.iter().flatten());
    statuses.into_iter().any(|status| status.ready)
}

#[tokio::test(flavor = "multi_thread")]
async fn grpc_servers_are_asked_for_their_health() {
    let f = Fixture::start(|_| {}).await;
    let well = Arc::new(AtomicBool::new(false));
    let port = grpc_server(Arc::clone(&well)).await;
    let probe = |service: &str| json!({"grpc": {"port": port, "service": service}, "periodSeconds": 1, "failureThreshold": 1});
    let mut spec = with("sleep 1000", "readinessProbe", probe("sick"));
    spec["hostNetwork"] = json!(true);
    f.create("server", spec).await;
    let pod = f.wait("server", |pod| phase(pod) == "Running").await;
    assert!(!is_ready(&pod));
    well.store(true, Ordering::Relaxed);
    f.wait("server", is_ready).await;
    well.store(false, Ordering::Relaxed);
    f.wait("server", |pod| !is_ready(pod)).await;
    let mut spec = with("sleep 1000", "livenessProbe", probe("other"));
    spec["terminationGracePeriodSeconds"] = json!(1);
    check(
        &f,
        "unknown",
        spec,
        expect![[r#"
            Failed
            main: Error 137
        "#]],
    )
    .await;
    f.node.shutdown().await;
}
