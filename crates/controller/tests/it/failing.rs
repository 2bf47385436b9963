//! Calls that fail: what was to be done is done a little later, not at the next time everything is looked at.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use argosy_engine::Config;
use http::{Method, Request, Response};
use kube::Client;
use kube::client::Body;
use serde_json::json;
use tower::BoxError;

use crate::NAMESPACE;
use crate::play::Play;

/// A client whose first calls of a kind are refused with a code.
fn unlucky(client: Client, method: Method, part: &'static str, code: u16, times: usize) -> Client {
    let left = Arc::new(AtomicUsize::new(times));
    let service = tower::service_fn(move |request: Request<Body>| {
        let (client, left, method) = (client.clone(), left.clone(), method.clone());
        async move {
            let meant = request.method() == method && request.uri().path().contains(part);
            let one_less = |n: usize| n.checked_sub(1);
            if meant
                && left
                    .fetch_update(Ordering::SeqCst, Ordering::SeqCst, one_less)
                    .is_ok()
            {
                let status = json!({"kind": "Status", "status": "Failure", "code": code, "message": "no"});
                let body = Body::from(status.to_string().into_bytes());
                return Ok::<_, BoxError>(Response::builder().status(code).body(body)?);
            }
            Ok(client.send(request).await?)
        }
    });
    Client::new(service, NAMESPACE)
}

/// A controller that was started with such a client, beside a stage with one that is not refused.
fn start_unlucky(method: Method, part: &'static str, code: u16, times: usize) -> Play {
    let mut play = Play::new();
    let good = play.stage.client.clone();
    play.stage.client = unlucky(good.clone(), method, part, code, times);
    play.start(Config::default());
    play.stage.client = good;
    play
}

#[tokio::test(start_paused = true)]
async fn tasks_of_the_agent_are_written_when_the_api_takes_them() {
    let play = start_unlucky(Method::POST, "workflowtasksets", 503, 2);
    play.stage
        .submit(json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "w"},
            "spec": {"entrypoint": "main", "templates": [{"name": "main", "http": {"url": "http://example.com"}}]},
        }))
        .await;
    tokio::time::sleep(Duration::from_secs(10)).await;
    let path = format!("/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}/workflowtasksets/w");
    let set = play.stage.call("GET", &path, None).await;
    assert_eq!(set["spec"]["tasks"]["w"]["http"]["url"], "http://example.com");
    play.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_status_that_the_api_finds_too_large_is_written_compressed_from_then_on() {
    let play = start_unlucky(Method::PATCH, "/workflows/w", 413, 1);
    let wait = |name: &str| json!([{"name": name, "template": "wait"}]);
    play.stage
        .submit(json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "w"},
            "spec": {"entrypoint": "main", "templates": [
                {"name": "main", "steps": [wait("a"), wait("b")]}, {"name": "wait", "suspend": {"duration": "20"}},
            ]},
        }))
        .await;
    for (secs, phase) in [(10, "Running"), (20, "Running"), (60, "Succeeded")] {
        tokio::time::sleep(Duration::from_secs(secs)).await;
        let path = format!("/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}/workflows/w");
        let status = &play.stage.call("GET", &path, None).await["status"];
        assert_eq!(status["phase"], phase);
        assert!(
            status["nodes"].is_null() && status["compressedNodes"].is_string(),
            "{status}"
        );
    }
    play.stop().await;
}
