//! What the API is told of pods, and of the node itself.

use k8s_openapi::api::coordination::v1::Lease;
use k8s_openapi::api::core::v1::{Event, Node, Pod};
use kube::Api;
use kube::api::{DeleteParams, ListParams, Patch, PatchParams};
use serde_json::{Value, json};

use crate::fixture::{Fixture, PATIENCE, one, phase, sh};

/// How often the API is asked.
const LOOK: std::time::Duration = std::time::Duration::from_millis(20);

/// Waits until a pod's Events are these: type, reason, place and message, sorted. They are written in no hurry.
async fn check(f: &Fixture, name: &str, expected: &[&str]) {
    let events: Api<Event> = Api::default_namespaced(f.client.clone());
    let params = ListParams::default().fields(&format!("involvedObject.name={name}"));
    let mut told = Vec::new();
    let waited = tokio::time::timeout(PATIENCE, async {
        let mut look = tokio::time::interval(LOOK);
        while told != expected {
            look.tick().await;
            told = lines(events.list(&params).await.expect("events").items);
        }
    });
    if waited.await.is_err() {
        assert_eq!(told, expected, "{name}");
    }
}

fn lines(events: Vec<Event>) -> Vec<String> {
    let line = |event: Event| {
        let uid = event.involved_object.uid.unwrap_or_default();
        let text = |text: Option<String>| text.unwrap_or_default();
        let message = text(event.message).replace(&uid, "UID");
        let path = text(event.involved_object.field_path).replace("spec.", "");
        format!("{} {} {path}: {message}", text(event.type_), text(event.reason))
    };
    let mut lines: Vec<String> = events.into_iter().map(line).collect();
    // Those of one moment are written side by side.
    lines.sort();
    lines
}

const CREATED: &str = "Normal Created containers{main}: Created container: main";
const PULLED: &str =
    "Normal Pulled containers{main}: Container image \"test/busybox:1\" already present on machine";
const STARTED: &str = "Normal Started containers{main}: Started container main";

#[tokio::test(flavor = "multi_thread")]
async fn the_life_of_a_pod_is_told() {
    let f = Fixture::start(|_| {}).await;
    let mut spec = one("trap 'exit 0' TERM; while true; do sleep 0.05; done");
    spec["initContainers"] = json!([sh("true")]);
    spec["initContainers"][0]["name"] = json!("init");
    spec["containers"][0]["readinessProbe"] = json!({"exec": {"command": ["false"]}, "periodSeconds": 1});
    f.create("told", spec).await;
    let mut expected = vec![
        CREATED,
        "Normal Created initContainers{init}: Created container: init",
        PULLED,
        "Normal Pulled initContainers{init}: Container image \"test/busybox:1\" already present on machine",
        "Normal Scheduled : Successfully assigned default/told to test-node",
        STARTED,
        "Normal Started initContainers{init}: Started container init",
        "Warning Unhealthy containers{main}: Readiness probe failed: exit code 1",
    ];
    check(&f, "told", &expected).await;
    f.pods().delete("told", &DeleteParams::default()).await.unwrap();
    expected.insert(2, "Normal Killing containers{main}: Stopping container main");
    check(&f, "told", &expected).await;
    f.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_goes_wrong_is_told() {
    let f = Fixture::start(|_| {}).await;
    let mut failing = one("exit 1");
    failing["restartPolicy"] = json!("Always");
    let mut absent = one("true");
    absent["containers"][0]["image"] = json!("test/absent:1");
    absent["containers"][0]["imagePullPolicy"] = json!("Never");
    let mut nothing = one("true");
    nothing["containers"][0]["command"] = json!(["/nothing"]);
    let back_off = "Warning BackOff containers{main}: Back-off restarting failed container main in pod \
                    failing_default(UID)";
    let never = "Warning ErrImageNeverPull containers{main}: Error: Container image \"test/absent:1\" is not present \
                 with pull policy of Never";
    let missing = "Warning Failed containers{main}: Error: failed to create containerd task: failed to create shim \
                   task: OCI runtime create failed: runc create failed: unable to start container process: exec: \
                   \"/nothing\": stat /nothing: no such file or directory";
    for (name, spec, expected) in [
        ("failing", failing, vec![CREATED, PULLED, STARTED, back_off]),
        ("absent", absent, vec![never]),
        ("nothing", nothing, vec![CREATED, PULLED, missing]),
    ] {
        f.create(name, spec).await;
        let scheduled = format!("Normal Scheduled : Successfully assigned default/{name} to test-node");
        let mut expected = [vec![&*scheduled], expected].concat();
        expected.sort_unstable();
        check(&f, name, &expected).await;
    }
    f.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn why_a_pod_waits_is_told_until_the_node_is_as_it_asks() {
    let f = Fixture::start(|options| options.labels = [("disk".to_owned(), "ssd".to_owned())].into()).await;
    let selects = |labels: Value| {
        let mut spec = one("true");
        spec["nodeSelector"] = labels;
        spec
    };
    f.create(
        "here",
        selects(json!({"disk": "ssd", "kubernetes.io/os": "linux"})),
    )
    .await;
    assert_eq!(phase(&f.ended("here").await), "Succeeded");
    let mut large = one("true");
    large["containers"][0]["resources"] = json!({"requests": {"memory": "1Ei"}});
    for (name, spec, lacks) in [
        (
            "selects",
            selects(json!({"rank": "5"})),
            "node(s) didn't match Pod's node affinity/selector",
        ),
        ("large", large, "Insufficient memory"),
    ] {
        f.create(name, spec).await;
        let why = format!(
            "0/1 nodes are available: 1 {lacks}. no new claims to deallocate, preemption: 0/1 nodes are available: 1 \
             Preemption is not helpful for scheduling."
        );
        let waits = |pod: &Pod| {
            let conditions = pod.status.iter().flat_map(|s| s.conditions.iter().flatten());
            let mut told = conditions.filter(|c| c.type_ == "PodScheduled" && c.status == "False");
            told.any(|c| c.reason.as_deref() == Some("Unschedulable") && c.message.as_ref() == Some(&why))
        };
        assert_eq!(phase(&f.wait(name, waits).await), "Pending");
        check(&f, name, &[&format!("Warning FailedScheduling : {why}")]).await;
    }
    let nodes: Api<Node> = Api::all(f.client.clone());
    let label = json!({"metadata": {"labels": {"rank": "5"}}});
    let (params, label) = (PatchParams::default(), Patch::Merge(label));
    nodes.patch("test-node", &params, &label).await.expect("a label");
    assert_eq!(phase(&f.ended("selects").await), "Succeeded");
    assert_eq!(phase(&f.pods().get("large").await.unwrap()), "Pending");
    f.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_node_says_that_it_is_alive() {
    let f = Fixture::start(|_| {}).await;
    let leases: Api<Lease> = Api::namespaced(f.client.clone(), "kube-node-lease");
    let lease = tokio::time::timeout(PATIENCE, async {
        let mut look = tokio::time::interval(LOOK);
        loop {
            look.tick().await;
            if let Some(lease) = leases.get_opt("test-node").await.expect("leases") {
                return lease;
            }
        }
    });
    let spec = lease.await.expect("a lease").spec.unwrap();
    assert_eq!(spec.holder_identity.as_deref(), Some("test-node"));
    assert_eq!(spec.lease_duration_seconds, Some(40));
    assert!(spec.renew_time.is_some());
    f.node.shutdown().await;
}
