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

/// A client whose first calls of a kind are refused for the moment.
fn unlucky(client: Client, method: Method, part: &'static str, times: usize) -> Client {
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
                let status =
                    json!({"kind": "Status", "status": "Failure", "code": 503, "message": "not now"});
                let body = Body::from(status.to_string().into_bytes());
                return Ok::<_, BoxError>(Response::builder().status(503).body(body)?);
            }
            Ok(client.send(request).await?)
        }
    });
    Client::new(service, NAMESPACE)
}

#[tokio::test(start_paused = true)]
async fn tasks_of_the_agent_are_written_when_the_api_takes_them() {
    let mut play = Play::new();
    let good = play.stage.client.clone();
    play.stage.client = unlucky(good.clone(), Method::POST, "workflowtasksets", 2);
    play.start(Config::default());
    play.stage.client = good;
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
