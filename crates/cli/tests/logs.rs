//! `argosy logs`: over pods that are there, whose logs a kubelet of the test holds, and pods that are gone, whose logs
//! were kept in an S3 store.
#![cfg(feature = "connect")]

mod program;
mod server;

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::sync::Arc;

use argosy_apiserver::{
    ContainerRef, ExecOptions, ExecStreams, Kubelet, KubeletError, LogOptions, LogStream,
};
use argosy_artifact::serve;
use expect_test::{Expect, expect};
use futures::future::BoxFuture;
use futures::{FutureExt, StreamExt, stream};
use serde_json::{Value, json};
use server::Server;

const PODS: &str = "/api/v1/namespaces/default/pods";

/// Logs by pod and container, each line with its time in seconds.
struct Logs(BTreeMap<(&'static str, &'static str), Vec<(u32, &'static str)>>);

impl Kubelet for Logs {
    fn logs(
        &self,
        container: ContainerRef,
        options: LogOptions,
    ) -> BoxFuture<'static, Result<LogStream, KubeletError>> {
        let key = (container.pod.as_str(), container.container.as_str());
        let mut lines: Vec<_> = match self.0.iter().find(|((p, c), _)| (*p, *c) == key) {
            Some((_, lines)) => lines.clone(),
            None => Vec::new(),
        };
        if let Some(tail) = options.tail_lines {
            let tail = usize::try_from(tail).expect("a small number");
            lines.drain(..lines.len().saturating_sub(tail));
        }
        if let Some(since) = options.since {
            lines.retain(|(second, _)| time(*second).parse::<jiff::Timestamp>().expect("a time") >= since);
        }
        let lines: Vec<_> = lines
            .into_iter()
            .map(|(second, text)| Ok(format!("{} {text}\n", time(second)).into()))
            .collect();
        async move { Ok(stream::iter(lines).boxed()) }.boxed()
    }

    fn exec(
        &self,
        _: ContainerRef,
        _: ExecOptions,
        _: ExecStreams,
    ) -> BoxFuture<'static, Result<i32, KubeletError>> {
        async { Err(KubeletError::Unsupported("no commands here".to_owned())) }.boxed()
    }
}

fn time(second: u32) -> String {
    format!("2026-01-01T00:00:{second:02}.500000000Z")
}

/// A pod node named after its letter, of a workflow `wf`.
fn node(letter: &str, second: u32, artifacts: &Value) -> Value {
    json!({
        "id": format!("wf-{letter}"), "name": format!("wf.{letter}"), "displayName": letter, "type": "Pod", "templateName": "t",
        "phase": "Succeeded", "startedAt": format!("2026-01-01T00:00:{second:02}Z"), "finishedAt": format!("2026-01-01T00:00:{:02}Z", second + 5),
        "outputs": {"artifacts": artifacts},
    })
}

/// The server with a workflow of two pods that are there, one that is gone with its log kept, and one without.
fn start() -> (Server, tempfile::TempDir) {
    let server = Server::start();
    let keys = json!({
        "apiVersion": "v1", "kind": "Secret", "metadata": {"name": "keys"},
        "stringData": {"accesskey": "user", "secretkey": "secret"},
    });
    server.make("/api/v1/namespaces/default/secrets", &keys);
    let folder = tempfile::tempdir().expect("a folder");
    std::fs::create_dir_all(folder.path().join("logs/wf/gone")).expect("a bucket");
    std::fs::write(
        folder.path().join("logs/wf/gone/main.log"),
        "kept one\nkept two\n",
    )
    .expect("an object");
    let options = serve::Options {
        root: folder.path().to_owned(),
        access_key: "user".to_owned(),
        secret_key: "secret".to_owned(),
        buckets: vec!["logs".to_owned()],
    };
    let store = serve::Server::open(&options).expect("the store opens");
    let address = server.runtime.block_on(async {
        let listener = tokio::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0))
            .await
            .expect("a free port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(store.listen(listener, std::future::pending()));
        address
    });
    let key = |key: &str| json!({"name": "keys", "key": key});
    let repository = json!({"default": true, "artifactRepository": {"s3": {
        "endpoint": address.to_string(), "bucket": "logs", "insecure": true,
        "accessKeySecret": key("accesskey"), "secretKeySecret": key("secretkey"),
    }}});
    let kept = json!([{"name": "main-logs", "s3": {"key": "wf/gone/main.log"}}]);
    let nodes = json!({
        "wf-a": node("a", 1, &json!([])), "wf-b": node("b", 2, &json!([])),
        "wf-c": node("c", 3, &kept), "wf-d": node("d", 4, &json!([])),
    });
    server.workflow_with(
        "wf",
        "Succeeded",
        &nodes,
        &json!({"artifactRepositoryRef": repository}),
    );
    for (letter, second) in [("a", 1), ("b", 2)] {
        let made = json!({
            "apiVersion": "v1", "kind": "Pod",
            "metadata": {"name": pod(letter), "labels": {"workflows.argoproj.io/workflow": "wf", "letter": letter}},
            "spec": {"nodeName": "n", "containers": [{"name": "main", "image": "x"}, {"name": "side", "image": "x"}]},
        });
        server.make(PODS, &made);
        let status = json!({"phase": "Succeeded", "startTime": format!("2026-01-01T00:00:{second:02}Z")});
        server.patch(
            &format!("{PODS}/{}/status", pod(letter)),
            &json!({ "status": status }),
        );
    }
    server.api.set_kubelet(Arc::new(Logs(BTreeMap::from([
        (("wf-t-2962115457", "main"), vec![(1, "a one"), (4, "a four")]),
        (("wf-t-2911782600", "main"), vec![(2, "b two"), (5, "b five")]),
        (("wf-t-2911782600", "side"), vec![(3, "side three")]),
    ]))));
    (server, folder)
}

/// The name of a node's pod.
fn pod(letter: &str) -> &'static str {
    if letter == "a" {
        "wf-t-2962115457"
    } else {
        "wf-t-2911782600"
    }
}

fn check(args: &[&str], wanted: Expect) {
    let mut all = vec!["logs", "--no-color"];
    all.extend(args);
    let (server, _folder) = start();
    server.check(&all, wanted);
}

#[test]
fn c_logs_01_lines_of_all_pods_come_in_order_also_of_those_that_are_gone() {
    check(
        &["wf"],
        expect![[r#"
            wf-t-2962115457: a one
            wf-t-2911782600: b two
            wf-t-2928560219: kept one
            wf-t-2928560219: kept two
            wf-t-2962115457: a four
            wf-t-2911782600: b five
            stderr:
            note: a pod is gone, and its log was not kept (archiveLogs keeps logs)
            exit code 0
        "#]],
    );
}

#[test]
fn c_logs_01_one_pod_is_chosen_by_its_name_or_its_node() {
    check(
        &["wf", pod("b")],
        expect![[r#"
            wf-t-2911782600: b two
            wf-t-2911782600: b five
            exit code 0
        "#]],
    );
    check(
        &["wf", "c"],
        expect![[r#"
        wf-t-2928560219: kept one
        wf-t-2928560219: kept two
        exit code 0
    "#]],
    );
    check(
        &["wf", "nobody"],
        expect![[r#"
        stderr:
        Error: workflow wf has no pod nobody with a log
        hint: give the name of a pod, or the name of a node
        exit code 1
    "#]],
    );
}

#[test]
fn c_logs_01_lines_are_chosen_by_words_number_and_time() {
    check(
        &["wf", "--grep", "t(wo|hree)$"],
        expect![[r#"
            wf-t-2911782600: b two
            wf-t-2928560219: kept two
            stderr:
            note: a pod is gone, and its log was not kept (archiveLogs keeps logs)
            exit code 0
        "#]],
    );
    check(
        &["wf", "--tail", "1", "--grep", "."],
        expect![[r#"
            wf-t-2928560219: kept two
            wf-t-2962115457: a four
            wf-t-2911782600: b five
            stderr:
            note: a pod is gone, and its log was not kept (archiveLogs keeps logs)
            exit code 0
        "#]],
    );
    check(
        &["wf", "--since-time", "2026-01-01T00:00:05Z"],
        expect![[r#"
            wf-t-2928560219: kept one
            wf-t-2928560219: kept two
            wf-t-2911782600: b five
            stderr:
            note: a pod is gone, and its log was not kept (archiveLogs keeps logs)
            exit code 0
        "#]],
    );
    check(
        &["wf", "-c", "side", "-l", "letter=b", "--timestamps"],
        expect![[r#"
            wf-t-2911782600: 2026-01-01T00:00:03.500000000Z side three
            exit code 0
        "#]],
    );
}

#[test]
fn c_logs_01_wrong_options_are_named() {
    check(
        &["wf", "--since", "1m", "--since-time", "x"],
        expect![[r#"
        stderr:
        Error: --since-time and --since cannot be used together
        exit code 1
    "#]],
    );
    check(
        &["wf", "--since-time", "yesterday"],
        expect![[r#"
        stderr:
        Error: --since-time yesterday: failed to parse four digit integer as year: invalid digit, expected 0-9 but got y
        exit code 1
    "#]],
    );
    check(
        &["wf", "--since", "soon"],
        expect![[r#"
        stderr:
        Error: --since soon: expected a length of time such as 10m
        exit code 1
    "#]],
    );
    check(
        &["wf", "--grep", "("],
        expect![[r#"
        stderr:
        Error: --grep: regex parse error:
            (
            ^
        error: unclosed group
        exit code 1
    "#]],
    );
    check(
        &["missing"],
        expect![[r#"
        stderr:
        Error: workflows.argoproj.io "missing" not found
        exit code 1
    "#]],
    );
}
