//! When decisions are stored, with an API server that takes a tenth of a second for it, in virtual time.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use argosy_engine::Config;
use http::{Method, Request};
use kube::Client;
use kube::client::Body;
use serde_json::json;
use tokio::time::sleep;
use tower::BoxError;

use crate::NAMESPACE;
use crate::play::Play;

/// How long a write takes.
const WRITE: Duration = Duration::from_millis(100);

/// A client that takes its time to write workflows, and counts how often it does.
fn slow(client: Client) -> (Client, Arc<AtomicUsize>) {
    let writes = Arc::new(AtomicUsize::new(0));
    let count = writes.clone();
    let service = tower::service_fn(move |request: Request<Body>| {
        let (client, count) = (client.clone(), count.clone());
        async move {
            if request.method() == Method::PATCH && request.uri().path().contains("/workflows/") {
                count.fetch_add(1, Ordering::SeqCst);
                sleep(WRITE).await;
            }
            Ok::<_, BoxError>(client.send(request).await?)
        }
    });
    (Client::new(service, NAMESPACE), writes)
}

/// Three pods of a loop, after which another one follows, and the count of writes.
async fn three_pods() -> (Play, Arc<AtomicUsize>) {
    let mut play = Play::new();
    let quick = play.stage.client.clone();
    let (client, writes) = slow(quick.clone());
    play.stage.client = client;
    play.start(Config::default());
    play.stage.client = quick;
    play.stage
        .submit(json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "w"},
            "spec": {"entrypoint": "main", "templates": [
                {"name": "main", "steps": [
                    [{"name": "a", "template": "t", "withItems": [1, 2, 3]}], [{"name": "b", "template": "t"}],
                ]},
                {"name": "t", "container": {"image": "i", "command": ["c"]}},
            ]},
        }))
        .await;
    sleep(Duration::from_secs(60)).await;
    assert_eq!(play.stage.pods().await.len(), 3);
    (play, writes)
}

/// How many nodes have ended, as stored.
async fn ended(play: &Play) -> usize {
    let workflow = play.stage.workflow("w").await;
    let nodes = workflow["status"]["nodes"].as_object().expect("there are nodes");
    nodes.values().filter(|node| node["phase"] == "Succeeded").count()
}

#[tokio::test(start_paused = true)]
async fn pods_that_end_together_are_stored_together() {
    let (play, writes) = three_pods().await;
    let before = writes.load(Ordering::SeqCst);
    let pods = play.stage.pods().await;
    play.stage.end(&pods[0], 0).await;
    sleep(WRITE / 2).await;
    play.stage.end(&pods[1], 0).await;
    // Twice as long as a write takes, and one write.
    sleep(WRITE * 7 / 2).await;
    assert_eq!(ended(&play).await, 2);
    assert_eq!(writes.load(Ordering::SeqCst) - before, 1);
    play.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_follows_the_last_of_them_waits_for_no_write() {
    let (play, _) = three_pods().await;
    let pods = play.stage.pods().await;
    for pod in &pods {
        play.stage.end(pod, 0).await;
        sleep(WRITE / 10).await;
    }
    sleep(WRITE / 2).await;
    assert_eq!(play.stage.pods().await.len(), 4);
    play.stop().await;
}
