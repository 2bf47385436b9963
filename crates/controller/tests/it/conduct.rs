//! How decisions are carried out: what the configuration says of pods, events and new workflows, in virtual time.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use argosy_controller::{Conduct, Events, Rate};
use argosy_engine::Config;
use argosy_model::names::annotation::POD_GC_STRATEGY;
use http::{Method, Request};
use kube::Client;
use kube::client::Body;
use serde_json::{Value, json};
use tokio::sync::Barrier;

use crate::NAMESPACE;
use crate::play::{Play, pass};

const FINALIZER: &str = "workflows.argoproj.io/status";

/// A workflow of so many pods at once.
fn wide(count: usize) -> Value {
    json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow", "metadata": {"name": "w"},
        "spec": {"entrypoint": "main", "templates": [
            {"name": "main", "steps": [[{"name": "a", "template": "one", "withSequence": {"count": count.to_string()}}]]},
            {"name": "one", "container": {"image": "i", "command": ["c"]}},
        ]},
    })
}

/// A client whose answers to the creation of pods come only when so many are asked for.
fn answering_together(client: Client, count: usize) -> Client {
    let all = Arc::new(Barrier::new(count));
    let service = tower::service_fn(move |request: Request<Body>| {
        let (client, all) = (client.clone(), all.clone());
        async move {
            if request.method() == Method::POST && request.uri().path().ends_with("/pods") {
                all.wait().await;
            }
            client.send(request).await
        }
    });
    Client::new(service, NAMESPACE)
}

#[tokio::test(start_paused = true)]
async fn pods_of_one_decision_are_asked_for_together() {
    let mut play = Play::new();
    let good = play.stage.client.clone();
    play.stage.client = answering_together(good.clone(), 8);
    play.start(Config::default());
    play.stage.client = good;
    play.stage.submit(wide(16)).await;
    assert_eq!(play.stage.pods_when(16).await.len(), 16);
    play.stop().await;
}

#[tokio::test(start_paused = true)]
async fn c_exe_30_pods_are_made_at_the_rate_of_the_configuration() {
    let mut play = Play::new();
    let pods = Some(Rate {
        per_second: 1.0,
        burst: 2,
    });
    play.start_with(
        Config::default(),
        Conduct {
            pods,
            ..Conduct::default()
        },
    );
    play.stage.submit(wide(6)).await;
    // What a node shows may be stored four seconds after the pod was made.
    for (after, made, shown) in [
        (0.5, 2, Some(4)),
        (1.0, 3, None),
        (1.0, 4, None),
        (2.0, 6, None),
        (5.0, 6, Some(0)),
    ] {
        pass(after).await;
        assert_eq!(play.stage.pods().await.len(), made);
        let nodes = play.stage.workflow("w").await["status"]["nodes"].clone();
        let nodes = nodes.as_object().cloned().unwrap_or_default();
        let waiting = nodes
            .values()
            .filter(|n| n["message"] == "resource creation rate-limit reached" && n["phase"] == "Pending");
        let count = waiting.count();
        assert!(shown.is_none_or(|shown| shown == count), "{nodes:#?}");
    }
    play.stop().await;
}

#[tokio::test(start_paused = true)]
async fn c_inf_06_a_new_workflow_is_left_alone_for_a_while() {
    let mut play = Play::new();
    let conduct = Conduct {
        initial_delay: Duration::from_secs(30),
        ..Conduct::default()
    };
    play.start_with(Config::default(), conduct);
    play.stage.submit(wide(1)).await;
    let phase = async || play.stage.workflow("w").await["status"]["phase"].clone();
    pass(29.5).await;
    assert_eq!(phase().await, Value::Null);
    pass(1.0).await;
    assert_eq!(phase().await, "Running");
    play.stop().await;
}

#[tokio::test(start_paused = true)]
async fn c_evt_02_events_of_nodes_are_about_their_pods_if_wanted() {
    for (as_pod, kind, version) in [(true, "Pod", "v1"), (false, "Workflow", "argoproj.io/v1alpha1")] {
        let mut play = Play::new();
        let events = Events {
            as_pod,
            ..Events::default()
        };
        play.start_with(
            Config::default(),
            Conduct {
                events,
                ..Conduct::default()
            },
        );
        play.stage.submit(wide(1)).await;
        let pod = play.stage.pods_when(1).await[0].clone();
        play.stage.end(&pod, 1).await;
        pass(5.0).await;
        let path = format!("/api/v1/namespaces/{NAMESPACE}/events");
        let told = play.stage.call("GET", &path, None).await["items"].clone();
        let told = told.as_array().cloned().unwrap_or_default();
        let of_pod = told
            .iter()
            .find(|e| {
                e["reason"] == "WorkflowNodeFailed"
                    && e["metadata"]["annotations"]["workflows.argoproj.io/node-type"] == "Pod"
            })
            .expect("an event about the node");
        let about = &of_pod["involvedObject"];
        assert_eq!(
            (&about["kind"], &about["apiVersion"]),
            (&json!(kind), &json!(version))
        );
        let name = if as_pod {
            pod["metadata"]["name"].clone()
        } else {
            json!("w")
        };
        assert_eq!(about["name"], name);
        play.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn c_cln_20_pods_whose_workflow_is_gone_are_looked_after() {
    let mut play = Play::new();
    play.start(Config::default());
    let path = format!("/api/v1/namespaces/{NAMESPACE}/pods");
    for (name, strategy) in [("kept", "OnPodSuccess/0s"), ("gone", "OnPodCompletion/0s")] {
        let pod = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {
                "name": name, "finalizers": [FINALIZER, "example.com/other"],
                "annotations": {POD_GC_STRATEGY: strategy},
                "labels": {"workflows.argoproj.io/workflow": "w", "workflows.argoproj.io/completed": "false"},
            },
            "spec": {"containers": [{"name": "main", "image": "i"}]},
            "status": {},
        });
        let made = play.stage.call("POST", &path, Some(pod)).await;
        play.stage.end(&made, 1).await;
    }
    pass(5.0).await;
    let pods = play.stage.pods().await;
    let seen = pods.iter().map(|pod| {
        let meta = &pod["metadata"];
        let name = meta["name"].as_str().unwrap_or_default().to_owned();
        (
            name,
            (meta["deletionTimestamp"].is_string(), meta["finalizers"].clone()),
        )
    });
    let seen: BTreeMap<String, (bool, Value)> = seen.collect();
    let other = json!(["example.com/other"]);
    let wanted =
        [("gone", true), ("kept", false)].map(|(name, goes)| (name.to_owned(), (goes, other.clone())));
    assert_eq!(seen, BTreeMap::from(wanted));
    play.stop().await;
}

/// What a pod passes through within two and a half seconds, and how often its workflow is written meanwhile.
async fn check_moves(hooks: Value, writes: usize) {
    let mut play = Play::new();
    play.start(Config::default());
    let mut workflow = wide(1);
    workflow["spec"]["templates"][0]["steps"] = json!([[{"name": "a", "template": "one", "hooks": hooks}]]);
    play.stage.submit(workflow).await;
    let pod = play.stage.pods_when(1).await[0].clone();
    let name = pod["metadata"]["name"].as_str().expect("pods have names");
    pass(0.1).await;
    let version = async || play.stage.workflow("w").await["metadata"]["resourceVersion"].clone();
    let mut versions = vec![version().await];
    let path = format!("/api/v1/namespaces/{NAMESPACE}/pods/{name}/status");
    let waiting = |reason: &str| {
        json!({"phase": "Pending", "containerStatuses": [
            {"name": "main", "image": "i", "imageID": "", "ready": false, "restartCount": 0,
             "state": {"waiting": {"reason": reason}}},
        ]})
    };
    for status in [
        waiting("ContainerCreating"),
        waiting("PodInitializing"),
        json!({"phase": "Running", "containerStatuses": null}),
    ] {
        pass(0.7).await;
        play.stage
            .call("PATCH", &path, Some(json!({ "status": status })))
            .await;
        pass(0.1).await;
        versions.push(version().await);
    }
    versions.dedup();
    assert_eq!(versions.len(), 1 + writes);
    pass(4.0).await;
    let nodes = play.stage.workflow("w").await["status"]["nodes"].clone();
    let nodes = nodes.as_object().cloned().unwrap_or_default();
    assert!(
        nodes
            .values()
            .any(|n| n["type"] == "Pod" && n["phase"] == "Running"),
        "{nodes:#?}"
    );
    play.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_a_pod_passes_through_is_stored_at_once_only_where_a_hook_may_follow() {
    check_moves(Value::Null, 0).await;
    let hook = json!({"failed": {"template": "one", "expression": "steps.a.status == 'Failed'"}});
    check_moves(hook, 3).await;
}

/// Which client set which field is of use to those who apply objects, and as much to store as a status of thousands of
/// nodes is.
#[tokio::test(start_paused = true)]
async fn who_set_which_field_is_noted_of_applied_workflows_alone() {
    for (operation, is_noted) in [("Update", false), ("Apply", true)] {
        let mut play = Play::new();
        play.start(Config::default());
        let mut workflow = wide(1);
        workflow["metadata"]["managedFields"] = json!([{
            "manager": "kubectl", "operation": operation, "apiVersion": "argoproj.io/v1alpha1",
            "fieldsType": "FieldsV1", "fieldsV1": {"f:spec": {}},
        }]);
        play.stage.submit(workflow).await;
        let pods = play.stage.pods_when(1).await;
        play.stage.end(&pods[0], 0).await;
        let ended = play.stage.ended("w").await;
        assert_eq!(
            ended["metadata"]["managedFields"].is_array(),
            is_noted,
            "{operation}"
        );
        play.stop().await;
    }
}
