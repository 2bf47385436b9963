//! Elections against the embedded API: one leads, the next follows, and who has lost writes nothing.

use std::time::Duration;

use argosy_apiserver::ApiServer;
use argosy_controller::fence::Fence;
use argosy_controller::leader::{self, Options};
use kube::Client;
use serde_json::{Value, json};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

/// The longest wait for any state.
const LIMIT: Duration = Duration::from_secs(30);

struct Candidate {
    options: Options,
    fence: Fence,
    leading: watch::Receiver<bool>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Candidate {
    fn enter(client: &Client, identity: &str) -> Self {
        let options = Options {
            namespace: "default".into(),
            name: "workflow-controller".into(),
            identity: identity.into(),
            duration: Duration::from_secs(4),
            deadline: Duration::from_secs(3),
            retry: Duration::from_millis(50),
        };
        let (sender, leading) = watch::channel(false);
        let (fence, stop) = (Fence::default(), CancellationToken::new());
        let run = leader::run(
            client.clone(),
            options.clone(),
            fence.clone(),
            sender,
            stop.clone(),
        );
        Self {
            options,
            fence,
            leading,
            stop,
            task: tokio::spawn(run),
        }
    }

    async fn becomes(&mut self, leading: bool) {
        let wait = self.leading.wait_for(|now| *now == leading);
        let seen = tokio::time::timeout(LIMIT, wait)
            .await
            .expect("the state comes in time");
        drop(seen.expect("the election runs"));
    }
}

async fn call(client: &Client, method: &str, body: Option<Value>) -> Value {
    let path = "/apis/coordination.k8s.io/v1/namespaces/default/leases/workflow-controller";
    let request = http::Request::builder()
        .method(method)
        .uri(path)
        .header("content-type", "application/merge-patch+json")
        .body(body.map(|b| b.to_string().into_bytes()).unwrap_or_default())
        .expect("a well-formed request");
    client.request(request).await.expect("the API answers")
}

#[tokio::test]
async fn one_leads_and_the_next_follows() {
    let api = ApiServer::new(argosy_apiserver::Options::default()).expect("the API starts");
    let client = Client::new(api.service(), "default");
    let mut first = Candidate::enter(&client, "first");
    first.becomes(true).await;
    assert!(first.fence.is_open());
    let mut second = Candidate::enter(&client, "second");

    // Who stops gives the lease back, and the next has it at once, not after the lease's time.
    first.stop.cancel();
    first.task.await.expect("the election ends");
    assert!(!second.fence.is_open());
    leader::release(&client, &first.options).await;
    second.becomes(true).await;
    let lease = call(&client, "GET", None).await;
    assert_eq!(lease["spec"]["holderIdentity"], "second");

    // Somebody else has taken it: the fence shuts before anything is told.
    call(
        &client,
        "PATCH",
        Some(json!({"spec": {"holderIdentity": "thief", "leaseDurationSeconds": 60}})),
    )
    .await;
    second.becomes(false).await;
    assert!(!second.fence.is_open());
    second.task.await.expect("the election ends");
}

#[tokio::test]
async fn a_lease_that_is_not_renewed_is_taken_over() {
    let api = ApiServer::new(argosy_apiserver::Options::default()).expect("the API starts");
    let client = Client::new(api.service(), "default");
    let mut first = Candidate::enter(&client, "first");
    first.becomes(true).await;
    // Killed: nothing is given back.
    first.task.abort();
    let mut second = Candidate::enter(&client, "second");
    second.becomes(true).await;
    assert_eq!(call(&client, "GET", None).await["spec"]["leaseTransitions"], 1);
}
