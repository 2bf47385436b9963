//! Measures calls in process: creations, reads, status patches, and events told to watchers.
//!
//! Deliberately absent: judging the figures; they depend on the build and the machine.

use std::time::Instant;

use argosy_apiserver::{ApiServer, Body, Options, definition};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use tower::ServiceExt;

const COUNT: u32 = 20_000;
const PATH: &str = "/apis/example.com/v1/namespaces/default/widgets";

async fn send(
    server: &std::sync::Arc<ApiServer>,
    method: &str,
    path: &str,
    content: &str,
    body: String,
) -> Bytes {
    let request = Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", content);
    let request = request.body(Full::new(Bytes::from(body))).expect("a request");
    let response = server
        .service()
        .oneshot(request)
        .await
        .expect("the service never fails");
    assert!(response.status().is_success(), "{method} {path}");
    response.into_body().collect().await.expect("a body").to_bytes()
}

#[expect(clippy::print_stderr, reason = "the figures are what this program is for")]
fn report(what: &str, start: Instant, count: u32) {
    let micros = start.elapsed().as_micros() as f64 / f64::from(count);
    eprintln!("{what:<40} {micros:>8.1} µs each, {:>8.0} a second", 1e6 / micros);
}

async fn drain(body: Body, wanted: usize) -> usize {
    let mut body = body;
    let mut lines = 0;
    while lines < wanted {
        let Some(Ok(frame)) = body.frame().await else {
            break;
        };
        lines += frame
            .into_data()
            .map(|data| data.iter().filter(|byte| **byte == b'\n').count())
            .unwrap_or(0);
    }
    lines
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let definitions = vec![definition("example.com", "v1", "widgets", "Widget", true)];
    let server = ApiServer::new(Options {
        definitions,
        ..Options::default()
    })?;
    let mut watchers = Vec::new();
    for _ in 0..4 {
        let request = Request::get(format!("{PATH}?watch=1")).body(Full::new(Bytes::new()))?;
        let body = server.service().oneshot(request).await?.into_body();
        watchers.push(tokio::spawn(drain(body, 2 * COUNT as usize)));
    }
    let filler = "x".repeat(1500);
    let start = Instant::now();
    for number in 0..COUNT {
        let object = format!(
            r#"{{"apiVersion":"example.com/v1","kind":"Widget","metadata":{{"name":"w{number}","labels":{{"a":"b"}}}},"spec":{{"text":"{filler}"}}}}"#
        );
        send(&server, "POST", PATH, "application/json", object).await;
    }
    report("create (2 KiB)", start, COUNT);
    let from = start;
    let start = Instant::now();
    for number in 0..COUNT {
        let patch = format!(r#"{{"status":{{"phase":"P{number}"}}}}"#);
        send(
            &server,
            "PATCH",
            &format!("{PATH}/w{number}"),
            "application/merge-patch+json",
            patch,
        )
        .await;
    }
    report("merge patch (2 KiB)", start, COUNT);
    let mut told = 0;
    for watcher in watchers {
        told += watcher.await?;
    }
    report(
        "events told to 4 watchers, with writes",
        from,
        u32::try_from(told)?,
    );
    let start = Instant::now();
    for number in 0..COUNT {
        send(&server, "GET", &format!("{PATH}/w{number}"), "", String::new()).await;
    }
    report("get (2 KiB)", start, COUNT);
    let start = Instant::now();
    send(&server, "GET", PATH, "", String::new()).await;
    report("list, each object", start, COUNT);
    Ok(())
}
