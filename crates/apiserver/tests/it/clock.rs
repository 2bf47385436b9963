//! A machine's clock that is set back: order, ages and tokens.
//!
//! Deliberately absent: clocks of clients.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use argosy_apiserver::{ApiServer, Clock, Options};
use serde_json::{Value, json};

use crate::common::{check_on, delete, get, merge, post};

const CM: &str = "/api/v1/namespaces/default/configmaps";
const PODS: &str = "/api/v1/namespaces/default/pods";

#[tokio::test]
async fn a_clock_that_is_set_back_harms_nothing() {
    let now = Arc::new(AtomicI64::new(2_000_000_000));
    let told = now.clone();
    let clock = Clock::new(move || {
        jiff::Timestamp::from_second(told.load(Ordering::Relaxed)).expect("a time within the range")
    });
    let server = ApiServer::new(Options {
        clock,
        ..Options::default()
    })
    .expect("the server starts");
    let event = |name: &str| json!({"metadata": {"name": name}, "involvedObject": {"namespace": "default"}});
    let pod = json!({"metadata": {"name": "p", "finalizers": ["a/b"]}, "spec": {"containers": [{"name": "a", "image": "x"}]}});
    let before = vec![
        post(CM, json!({"metadata": {"name": "x"}}))
            .gives(
                201,
                json!({"metadata": {"creationTimestamp": "2033-05-18T03:33:20Z"}}),
            )
            .keeps("/metadata/resourceVersion", "first"),
        post(PODS, pod).gives(201, json!({})),
        delete(&format!("{PODS}/p"), json!({"gracePeriodSeconds": 5})),
        post("/api/v1/namespaces/default/events", event("e")).gives(201, json!({})),
    ];
    check_on(&server, before).await;
    now.fetch_sub(86_400, Ordering::Relaxed);
    let after = vec![
        merge(&format!("{CM}/x"), json!({"data": {"a": "1"}}))
            .gives(
                200,
                json!({"metadata": {"creationTimestamp": "2033-05-18T03:33:20Z"}}),
            )
            .keeps("/metadata/resourceVersion", "r"),
        // The version that was just written is still the newest one.
        merge(
            &format!("{CM}/x"),
            json!({"metadata": {"resourceVersion": "{r}"}, "data": {"a": "2"}}),
        ),
        post("/api/v1/namespaces/default/events", event("f")).gives(201, json!({})),
        get("/api/v1/namespaces/default/events").gives(200, json!({"items": [{}, {}]})),
        delete(&format!("{PODS}/p"), json!({"gracePeriodSeconds": 0})),
        merge(&format!("{PODS}/p"), json!({"metadata": {"finalizers": null}})),
        get(&format!("{PODS}/p")).gives(404, json!({})),
        delete(&format!("{CM}/x"), Value::Null),
    ];
    check_on(&server, after).await;
}
