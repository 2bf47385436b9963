//! The controller against the embedded API: what a user sees of workflows whose pods are played by the test.

mod conduct;
mod cron;
mod ended;
mod failing;
mod measured;
mod otlp;
mod play;
mod storing;

use std::time::Duration;

use argosy_apiserver::{ApiServer, definition};
use argosy_controller::{Controller, Options};
use kube::Client;
use serde_json::{Value, json};

/// The longest wait for any state.
const LIMIT: Duration = Duration::from_secs(20);

const NAMESPACE: &str = "default";

/// Waits until there is something to be found.
async fn until<T>(what: &str, look: impl AsyncFn() -> Option<T>) -> T {
    let found = tokio::time::timeout(LIMIT, async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    });
    found.await.unwrap_or_else(|_| panic!("{what} did not come"))
}

struct Stage {
    client: Client,
}

impl Stage {
    fn new() -> Self {
        // The log of a failed test is printed with it.
        let _ = tracing_subscriber::fmt()
            .with_env_filter("debug")
            .with_test_writer()
            .try_init();
        let kinds = [
            ("workflows", "Workflow", true),
            ("workflowtemplates", "WorkflowTemplate", true),
            ("clusterworkflowtemplates", "ClusterWorkflowTemplate", false),
            ("workflowtaskresults", "WorkflowTaskResult", true),
            ("workflowtasksets", "WorkflowTaskSet", true),
            ("cronworkflows", "CronWorkflow", true),
        ];
        let define = |(plural, kind, namespaced): &(&str, &str, bool)| {
            definition("argoproj.io", "v1alpha1", plural, kind, *namespaced)
        };
        let options = argosy_apiserver::Options {
            definitions: kinds.iter().map(define).collect(),
            ..argosy_apiserver::Options::default()
        };
        let api = ApiServer::new(options).expect("the API starts");
        Self {
            client: Client::new(api.service(), NAMESPACE),
        }
    }

    async fn call(&self, method: &str, path: &str, body: Option<Value>) -> Value {
        let content = if method == "PATCH" {
            "application/merge-patch+json"
        } else {
            "application/json"
        };
        let body = body.map(|b| b.to_string().into_bytes()).unwrap_or_default();
        let request = http::Request::builder()
            .method(method)
            .uri(path)
            .header("content-type", content);
        let request = request.body(body).expect("the request is well-formed");
        self.client
            .request::<Value>(request)
            .await
            .expect("the API answers")
    }

    async fn submit(&self, workflow: Value) {
        let path = format!("/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}/workflows");
        self.call("POST", &path, Some(workflow)).await;
    }

    async fn workflow(&self, name: &str) -> Value {
        self.call(
            "GET",
            &format!("/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}/workflows/{name}"),
            None,
        )
        .await
    }

    /// All pods, oldest first.
    async fn pods(&self) -> Vec<Value> {
        let list = self
            .call("GET", &format!("/api/v1/namespaces/{NAMESPACE}/pods"), None)
            .await;
        let mut pods = list["items"].as_array().cloned().unwrap_or_default();
        pods.sort_by_key(|p| p["metadata"]["uid"].to_string());
        pods
    }

    /// Waits until there are so many pods.
    async fn pods_when(&self, count: usize) -> Vec<Value> {
        let made = tokio::time::timeout(LIMIT, async {
            loop {
                let pods = self.pods().await;
                if pods.len() >= count {
                    return pods;
                }
                tokio::task::yield_now().await;
            }
        });
        match made.await {
            Ok(pods) => pods,
            Err(_) => panic!(
                "{count} pods are not made in time: {:#}",
                self.workflow("w").await
            ),
        }
    }

    /// Ends a pod as its node would: main with this code, wait with 0.
    async fn end(&self, pod: &Value, code: i64) {
        let status = |name: &str, code: i64| {
            json!({"name": name, "image": "i", "imageID": "", "ready": false, "restartCount": 0, "state": {"terminated": {
                "exitCode": code, "reason": if code == 0 { "Completed" } else { "Error" },
                "startedAt": "2026-01-01T00:00:00Z", "finishedAt": "2026-01-01T00:00:01Z",
            }}})
        };
        let name = pod["metadata"]["name"].as_str().expect("pods have names");
        let phase = if code == 0 { "Succeeded" } else { "Failed" };
        let patch = json!({"status": {"phase": phase, "containerStatuses": [status("wait", 0), status("main", code)]}});
        self.call(
            "PATCH",
            &format!("/api/v1/namespaces/{NAMESPACE}/pods/{name}/status"),
            Some(patch),
        )
        .await;
    }

    /// Waits for the workflow's end.
    async fn ended(&self, name: &str) -> Value {
        tokio::time::timeout(LIMIT, async {
            loop {
                let workflow = self.workflow(name).await;
                if ["Succeeded", "Failed", "Error"]
                    .iter()
                    .any(|p| workflow["status"]["phase"] == *p)
                {
                    return workflow;
                }
                tokio::task::yield_now().await;
            }
        })
        .await
        .expect("the workflow ends in time")
    }
}

fn two_steps() -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "w"},
        "spec": {"entrypoint": "main", "templates": [
            {"name": "main", "steps": [[{"name": "a", "template": "t"}], [{"name": "b", "template": "t"}]]},
            {"name": "t", "container": {"image": "i", "command": ["c"]}},
        ]},
    })
}

/// Runs two steps whose pods end with these codes; the phase and message that come of it.
async fn check(codes: &[i64], phase: &str, message_has: &str) {
    let stage = Stage::new();
    let controller = Controller::start(stage.client.clone(), Options::default());
    stage.submit(two_steps()).await;
    let mut done: Vec<String> = Vec::new();
    for (index, code) in codes.iter().enumerate() {
        let pods = stage.pods_when(index + 1).await;
        let new = pods
            .iter()
            .find(|p| !done.contains(&p["metadata"]["name"].to_string()))
            .expect("one is new");
        done.push(new["metadata"]["name"].to_string());
        stage.end(new, *code).await;
    }
    let workflow = stage.ended("w").await;
    assert_eq!(workflow["status"]["phase"], phase, "{workflow:#}");
    let message = workflow["status"]["message"].as_str().unwrap_or_default();
    assert!(message.contains(message_has), "{message}");
    assert_eq!(
        workflow["metadata"]["labels"]["workflows.argoproj.io/completed"],
        "true"
    );
    assert_eq!(stage.pods().await.len(), codes.len(), "no pod beyond those");
    controller.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn steps_run_one_after_the_other_to_the_end() {
    check(&[0, 0], "Succeeded", "").await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_failed_step_ends_the_workflow() {
    check(&[3], "Failed", "failed").await;
}

/// C-PER-10: a controller that is replaced in mid-flight finds the pods of its predecessor and makes none twice, also
/// when the first pod ended before anybody had stored that it was made.
async fn check_replaced(crash: bool) {
    let stage = Stage::new();
    let first = Controller::start(stage.client.clone(), Options::default());
    stage.submit(two_steps()).await;
    let pods = stage.pods_when(1).await;
    if crash {
        drop(first);
    } else {
        first.stop().await;
    }
    stage.end(&pods[0], 0).await;
    let second = Controller::start(stage.client.clone(), Options::default());
    let pods = stage.pods_when(2).await;
    let fresh = pods
        .iter()
        .find(|p| p["status"]["phase"] != "Succeeded")
        .expect("the second step's pod is new");
    stage.end(fresh, 0).await;
    let workflow = stage.ended("w").await;
    assert_eq!(workflow["status"]["phase"], "Succeeded", "{workflow:#}");
    assert_eq!(stage.pods().await.len(), 2);
    second.stop().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn another_controller_carries_on_where_the_first_was_stopped() {
    check_replaced(false).await;
}

/// Where the crash hits differs from run to run, hence several.
#[tokio::test(flavor = "multi_thread")]
async fn another_controller_carries_on_where_the_first_crashed() {
    for _ in 0..20 {
        check_replaced(true).await;
    }
}

/// Workflows in which nothing moves once they have ended: one is to be deleted at its end, one was deleted and waits for
/// the clean-up of its artifacts.
#[tokio::test(flavor = "multi_thread")]
async fn a_workflow_without_pods_goes_when_it_is_to_go() {
    let stage = Stage::new();
    let controller = Controller::start(stage.client.clone(), Options::default());
    let workflow = |name: &str, wait: Value, more: Value| {
        let mut object = two_steps();
        object["metadata"]["name"] = json!(name);
        object["spec"] = more;
        object["spec"]["entrypoint"] = json!("main");
        let s3 = json!({"key": "k", "bucket": "b", "endpoint": "e"});
        object["spec"]["templates"] = json!([
            {"name": "main", "suspend": wait},
            {"name": "other", "container": {"image": "i", "command": ["c"]},
             "outputs": {"artifacts": [{"name": "o", "path": "/o", "s3": s3}]}},
        ]);
        object
    };
    stage
        .submit(workflow(
            "brief",
            json!({"duration": "0"}),
            json!({"ttlStrategy": {"secondsAfterCompletion": 0}}),
        ))
        .await;
    let held = json!({"artifactGC": {"strategy": "OnWorkflowDeletion"}});
    stage.submit(workflow("held", json!({}), held)).await;
    let path = format!("/apis/argoproj.io/v1alpha1/namespaces/{NAMESPACE}/workflows");
    let gone = tokio::time::timeout(LIMIT, async {
        loop {
            let left = stage.call("GET", &path, None).await;
            let left = left["items"].as_array().cloned().unwrap_or_default();
            if left.is_empty() {
                return;
            }
            let waits = |w: &Value| w["metadata"]["name"] == "held" && w["metadata"]["finalizers"].is_array();
            if left
                .iter()
                .any(|w| waits(w) && w["metadata"]["deletionTimestamp"].is_null())
            {
                stage.call("DELETE", &format!("{path}/held"), None).await;
            }
            tokio::task::yield_now().await;
        }
    });
    gone.await.expect("both are gone in time");
    controller.stop().await;
}

/// C-WRK-04: an object that is no workflow is ended with the decoder's words, and does not keep others from running.
#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_workflow_is_failed_and_stops_nobody() {
    let stage = Stage::new();
    let controller = Controller::start(stage.client.clone(), Options::default());
    let mut broken = two_steps();
    broken["metadata"]["name"] = json!("broken");
    broken["spec"]["templates"] = json!("no list");
    stage.submit(broken).await;
    stage.submit(two_steps()).await;
    let message = stage.ended("broken").await["status"]["message"].to_string();
    assert!(message.contains("cannot unmarshall spec"), "{message}");
    assert_eq!(stage.pods_when(1).await.len(), 1);
    controller.stop().await;
}
