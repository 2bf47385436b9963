//! Figures of a server on disk, as one JSON object: `cargo xtask bench` runs this optimised and puts them into its table.
//!
//! Deliberately absent: judging them.
#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a measurement, not shipped"
)]

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use argosy_apiserver::{ApiServer, Body, Options, definition};
use bytes::Bytes;
use futures::future::join_all;
use http::Request;
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};
use tower::ServiceExt;

/// Writers at the same time: about as many as a controller and the pods of a busy machine.
const WRITERS: usize = 32;
/// Objects that each writer makes, and then changes twice.
const OBJECTS: usize = 200;
/// Watches at the same time.
const WATCHERS: usize = 8;
/// Characters in an object besides its metadata: a workflow of a few nodes has about that.
const SIZE: usize = 1500;

const PATH: &str = "/apis/example.com/v1/namespaces/default/widgets";

async fn send(server: &Arc<ApiServer>, method: &str, path: &str, content: &str, body: &Value) {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", content);
    let request = request.body(Full::new(Bytes::from(body.to_string()))).unwrap();
    let response = server.service().oneshot(request).await.unwrap();
    assert!(
        response.status().is_success(),
        "{method} {path}: {}",
        response.status()
    );
    response.into_body().collect().await.unwrap();
}

/// Makes and changes objects; gives how many writes that were.
async fn write(server: &Arc<ApiServer>, round: usize) -> usize {
    let one = |writer: usize| async move {
        for number in 0..OBJECTS {
            let name = format!("w{round}-{writer}-{number}");
            let object = json!({
                "apiVersion": "example.com/v1", "kind": "Widget", "metadata": {"name": name},
                "spec": {"text": "x".repeat(SIZE)},
            });
            send(server, "POST", PATH, "application/json", &object).await;
            for step in 0..2 {
                let change = json!({"status": {"step": step}});
                send(
                    server,
                    "PATCH",
                    &format!("{PATH}/{name}"),
                    "application/merge-patch+json",
                    &change,
                )
                .await;
            }
        }
    };
    join_all((0..WRITERS).map(one)).await;
    WRITERS * OBJECTS * 3
}

/// A watch of what is written from now on.
async fn watch(server: &Arc<ApiServer>) -> Body {
    let request = Request::get(format!(
        "{PATH}?watch=1&resourceVersion=0&sendInitialEvents=false"
    ));
    let request = request.body(Full::new(Bytes::new())).unwrap();
    server.service().oneshot(request).await.unwrap().into_body()
}

/// Counts events until there are `wanted`.
async fn count(mut body: Body, wanted: usize, told: Arc<AtomicUsize>) {
    let mut seen = 0;
    while seen < wanted {
        let frame = body.frame().await.unwrap().unwrap().into_data().unwrap();
        let events = frame.iter().filter(|byte| **byte == b'\n').count();
        seen += events;
        told.fetch_add(events, Ordering::Relaxed);
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
fn per_second(count: usize, begin: Instant) -> f64 {
    count as f64 / begin.elapsed().as_secs_f64()
}

/// The most memory that the process had, in MiB.
fn peak_mib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kib = line.and_then(|line| line.trim().trim_end_matches(" kB").parse::<u64>().ok());
    kib.unwrap_or(0) / 1024
}

#[tokio::main]
async fn main() {
    let folder = tempfile::tempdir().unwrap();
    let server = ApiServer::new(Options {
        definitions: vec![definition("example.com", "v1", "widgets", "Widget", true)],
        file: Some(folder.path().join("state.db")),
        ..Options::default()
    })
    .unwrap();
    let begin = Instant::now();
    let writes = write(&server, 0).await;
    let writes_per_second = per_second(writes, begin);

    let told = Arc::new(AtomicUsize::new(0));
    let mut watches = Vec::new();
    for _ in 0..WATCHERS {
        let body = watch(&server).await;
        watches.push(tokio::spawn(count(body, writes, told.clone())));
    }
    let begin = Instant::now();
    let both = async { tokio::join!(write(&server, 1), join_all(watches)) };
    both.await;
    let events_per_second = per_second(told.load(Ordering::Relaxed), begin);
    println!(
        "{}",
        json!({
            "writes_per_second": writes_per_second, "events_per_second": events_per_second, "peak_mib": peak_mib(),
        })
    );
}
