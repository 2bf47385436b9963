//! Watches: what they tell, from where, and how they end.
//!
//! Deliberately absent: how kube's client follows them (see `clients`).

use std::time::Duration;

use crate::common::{Answer, TestApi, delete, merge, post, skip_waiting};
use argosy_apiserver::store::Limits;
use argosy_apiserver::{ApiServer, Options};
use bytes::Bytes;
use http::Request;
use http_body_util::{BodyExt, Full};
use serde_json::{Value, json};

const CM: &str = "/api/v1/namespaces/default/configmaps";
/// Virtual or real: no test waits longer for a line.
const BOUND: Duration = Duration::from_secs(3600);

struct Watch {
    body: Answer,
    lines: std::collections::VecDeque<Value>,
}

impl Watch {
    async fn start(api: &TestApi, query: &str) -> Self {
        let request = Request::get(format!("{CM}?watch=1&{query}"));
        let response = api.answer(request.body(Full::new(Bytes::new())).unwrap()).await;
        assert_eq!(response.status(), 200);
        Watch {
            body: response.into_body(),
            lines: Default::default(),
        }
    }

    /// The next line; `None` when the watch has ended.
    async fn next(&mut self) -> Option<Value> {
        while self.lines.is_empty() {
            let frame = tokio::time::timeout(BOUND, self.body.frame())
                .await
                .expect("a line in time")?;
            let text = frame.unwrap().into_data().unwrap();
            let lines = text.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
            self.lines
                .extend(lines.map(|line| serde_json::from_slice::<Value>(line).unwrap()));
        }
        self.lines.pop_front()
    }

    /// The types and names of the next lines.
    async fn told(&mut self, count: usize) -> Vec<String> {
        let mut told = Vec::new();
        for _ in 0..count {
            let Some(line) = self.next().await else { break };
            let name = line["object"]["metadata"]["name"]
                .as_str()
                .unwrap_or("-")
                .to_owned();
            told.push(format!("{} {name}", line["type"].as_str().unwrap_or("?")));
        }
        told
    }
}

fn cm(name: &str, label: &str) -> Value {
    json!({"metadata": {"name": name, "labels": {"l": label}}})
}

fn label(name: &str, label: &str) -> crate::common::Exchange {
    merge(
        &format!("{CM}/{name}"),
        json!({"metadata": {"labels": {"l": label}}}),
    )
}

/// The version of the list at this moment.
async fn version_now(api: &TestApi) -> String {
    let request = Request::get(CM).body(Full::new(Bytes::new())).unwrap();
    let body = api.answer(request).await.into_body().collect().await.unwrap();
    let list: Value = serde_json::from_slice(&body.to_bytes()).unwrap();
    list["metadata"]["resourceVersion"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_watch_tells_what_enters_and_leaves_its_choice() {
    skip_waiting();
    let api = TestApi::empty().await;
    let from = version_now(&api).await;
    // Not what a controller may do meanwhile.
    let others = "fieldSelector=metadata.name%21%3Dkube-root-ca.crt";
    let query = format!("resourceVersion={from}&timeoutSeconds=8&{others}");
    let mut all = Watch::start(&api, &query).await;
    let mut chosen = Watch::start(&api, "labelSelector=l%3Dyes").await;
    api.check(vec![
        post(CM, cm("a", "yes")).gives(201, json!({})),
        post(CM, cm("b", "no")).gives(201, json!({})),
        label("b", "yes"),
        label("a", "no"),
        delete(&format!("{CM}/a"), Value::Null),
        delete(&format!("{CM}/b"), Value::Null),
    ])
    .await;
    assert_eq!(
        chosen.told(4).await,
        ["ADDED a", "ADDED b", "DELETED a", "DELETED b"]
    );
    let expected = [
        "ADDED a",
        "ADDED b",
        "MODIFIED b",
        "MODIFIED a",
        "DELETED a",
        "DELETED b",
    ];
    assert_eq!(all.told(9).await, expected, "and then it ends in time");
}

#[tokio::test]
async fn quiet_watches_tell_how_far_they_are() {
    skip_waiting();
    let api = TestApi::empty().await;
    api.check(vec![post(CM, cm("a", "no")).gives(201, json!({}))])
        .await;
    let query = "labelSelector=l%3Dyes&allowWatchBookmarks=true&sendInitialEvents=true\
        &resourceVersionMatch=NotOlderThan&timeoutSeconds=10";
    let mut watch = Watch::start(&api, query).await;
    let first = watch.next().await.unwrap();
    assert_eq!(first["type"], "BOOKMARK");
    assert_eq!(
        first["object"]["metadata"]["annotations"]["k8s.io/initial-events-end"],
        "true"
    );
    api.check(vec![post(CM, cm("b", "no")).gives(201, json!({}))])
        .await;
    let second = watch.next().await.unwrap();
    assert_eq!(second["type"], "BOOKMARK");
    let version = |line: &Value| {
        line["object"]["metadata"]["resourceVersion"]
            .as_str()
            .unwrap()
            .parse::<u64>()
            .unwrap()
    };
    assert!(version(&second) > version(&first));
}

/// A line that says that the history does not reach back so far, and the end.
async fn ends_with_410(watch: &mut Watch) {
    let line = watch.next().await.unwrap();
    assert_eq!(
        (&line["type"], &line["object"]["code"]),
        (&json!("ERROR"), &json!(410))
    );
    assert_eq!(line["object"]["reason"], "Expired");
    assert!(watch.next().await.is_none());
}

#[tokio::test]
async fn a_watch_that_falls_behind_ends_with_410() {
    skip_waiting();
    let limits = Limits {
        history_changes: 4,
        ..Limits::default()
    };
    let server = ApiServer::new(Options {
        limits,
        ..Options::default()
    })
    .unwrap();
    let api = TestApi::Ours(server);
    let mut slow = Watch::start(&api, "").await;
    assert_eq!(slow.told(1).await, ["ADDED kube-root-ca.crt"]);
    let writes = (0..9).map(|number| post(CM, cm(&format!("c{number}"), "x")).gives(201, json!({})));
    api.check(writes.collect()).await;
    ends_with_410(&mut slow).await;
    ends_with_410(&mut Watch::start(&api, "resourceVersion=1").await).await;
}
