//! Logs and processes from outside.

use argosy_node::{LogOptions, Output, Streams};
use futures::TryStreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

use serde_json::json;

use crate::fixture::{Fixture, PATIENCE, one, phase};

#[tokio::test(flavor = "multi_thread")]
async fn logs_can_be_read_in_parts_and_followed() {
    let f = Fixture::start(|_| {}).await;
    f.create("count", one("seq 1 5; echo -n open")).await;
    f.ended("count").await;
    for (options, expected) in [
        (LogOptions::default(), "1\n2\n3\n4\n5\nopen"),
        (
            LogOptions {
                tail_lines: Some(2),
                ..Default::default()
            },
            "4\n5\nopen",
        ),
        (
            LogOptions {
                limit_bytes: Some(3),
                ..Default::default()
            },
            "1\n2",
        ),
        (
            LogOptions {
                previous: true,
                ..Default::default()
            },
            "(previous terminated container \"main\" in pod \"count\" not found)\n",
        ),
        (
            LogOptions {
                follow: true,
                ..Default::default()
            },
            "1\n2\n3\n4\n5\nopen",
        ),
    ] {
        assert_eq!(
            f.log("count", "main", options.clone()).await,
            expected,
            "{options:?}"
        );
    }
    f.create(
        "slow",
        one("echo first; while ! test -e /tmp/go; do sleep 0.05; done; echo second"),
    )
    .await;
    f.wait("slow", |pod| phase(pod) == "Running").await;
    let options = LogOptions {
        follow: true,
        ..Default::default()
    };
    let mut stream = f.node.logs("default", "slow", None, options).unwrap();
    let first = tokio::time::timeout(PATIENCE, stream.try_next())
        .await
        .unwrap()
        .unwrap()
        .unwrap();
    assert_eq!(&first[..], b"first\n");
    let command = ["touch", "/tmp/go"].map(String::from).to_vec();
    f.node
        .exec("default", "slow", None, command, Streams::default())
        .await
        .unwrap()
        .exit
        .await
        .unwrap();
    let rest: Vec<_> = tokio::time::timeout(PATIENCE, stream.try_collect())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(rest.concat(), b"second\n");
    f.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_run_in_a_container() {
    let f = Fixture::start(|_| {}).await;
    f.create(
        "host",
        one("export X=1; trap 'exit 5' TERM; while true; do sleep 0.05; done"),
    )
    .await;
    f.wait("host", |pod| phase(pod) == "Running").await;
    let command = ["sh", "-c", "cat; echo $FROM_IMAGE; echo err >&2; exit 4"]
        .map(String::from)
        .to_vec();
    let with_stdin = Streams {
        stdin: true,
        terminal: false,
    };
    let mut process = f
        .node
        .exec("default", "host", Some("main"), command, with_stdin)
        .await
        .unwrap();
    let mut stdin = process.stdin.take().unwrap();
    stdin.write_all(b"typed\n").await.unwrap();
    drop(stdin);
    let (mut out, mut err) = (String::new(), String::new());
    process.stdout.read_to_string(&mut out).await.unwrap();
    process.stderr.read_to_string(&mut err).await.unwrap();
    assert_eq!(
        (out.as_str(), err.as_str(), process.exit.await.unwrap().code()),
        ("typed\nyes\n", "err\n", 4)
    );

    let missing = f
        .node
        .exec(
            "default",
            "host",
            None,
            vec!["nothing".into()],
            Streams::default(),
        )
        .await;
    assert!(
        missing
            .err()
            .unwrap()
            .to_string()
            .contains("executable file not found in $PATH")
    );

    let kill = ["kill", "-15", "1"].map(String::from).to_vec();
    f.node
        .exec("default", "host", None, kill, Streams::default())
        .await
        .unwrap()
        .exit
        .await
        .unwrap();
    let pod = f.ended("host").await;
    assert_eq!(f.story(&pod).await, "Failed\nmain: Error 5\n");
    f.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_are_followed_across_rotation() {
    let f = Fixture::start(|options| (options.log_limit_bytes, options.log_older_files) = (4096, 3)).await;
    let script =
        "seq 1 50; while ! test -e /tmp/go; do sleep 0.05; done; for n in $(seq 51 400); do echo $n; done";
    f.create("chatty", one(script)).await;
    f.wait("chatty", |pod| phase(pod) == "Running").await;
    let options = LogOptions {
        follow: true,
        ..Default::default()
    };
    let stream = f.node.logs("default", "chatty", None, options).unwrap();
    let touch = ["touch", "/tmp/go"].map(String::from).to_vec();
    f.node
        .exec("default", "chatty", None, touch, Streams::default())
        .await
        .unwrap()
        .exit
        .await
        .unwrap();
    let followed: Vec<_> = tokio::time::timeout(PATIENCE, stream.try_collect())
        .await
        .unwrap()
        .unwrap();
    let followed = String::from_utf8(followed.concat()).unwrap();
    let numbers: Vec<u32> = followed.lines().map(|line| line.parse().unwrap()).collect();
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]), "{numbers:?}");
    assert_eq!((numbers.first(), numbers.last()), (Some(&1), Some(&400)));
    f.node.shutdown().await;
}

/// Reads until a text has come.
async fn read_until(from: &mut Output, wanted: &str) -> String {
    let mut text = String::new();
    let mut buffer = [0; 1024];
    while !text.contains(wanted) {
        let read = tokio::time::timeout(PATIENCE, from.read(&mut buffer)).await;
        let length = read
            .unwrap_or_else(|_| panic!("{wanted:?} did not come: {text:?}"))
            .unwrap();
        assert!(length > 0, "{wanted:?} did not come: {text:?}");
        text.push_str(&String::from_utf8_lossy(&buffer[..length]));
    }
    text
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_have_a_terminal_that_changes_its_size() {
    let f = Fixture::start(|_| {}).await;
    f.create("host", one("while true; do sleep 0.05; done")).await;
    f.wait("host", |pod| phase(pod) == "Running").await;
    let streams = Streams {
        stdin: true,
        terminal: true,
    };
    let script = "tty; echo $TERM; read line; echo got $line; stty size; exit 7";
    let command = ["sh", "-c", script].map(String::from).to_vec();
    let exec = f.node.exec("default", "host", None, command, streams).await;
    let mut process = exec.unwrap();
    let text = read_until(&mut process.stdout, "xterm").await;
    assert!(text.starts_with("/dev/pts/0\r\n"), "{text:?}");
    process.terminal.as_ref().unwrap().resize(123, 45).unwrap();
    process
        .stdin
        .as_mut()
        .unwrap()
        .write_all(b"typed\n")
        .await
        .unwrap();
    let text = read_until(&mut process.stdout, "45 123\r\n").await;
    assert!(text.contains("got typed\r\n"), "{text:?}");
    let mut rest = String::new();
    process.stdout.read_to_string(&mut rest).await.unwrap();
    assert_eq!(process.exit.await.unwrap().code(), 7);
    f.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn containers_are_listened_to_and_typed_into() {
    let f = Fixture::start(|_| {}).await;
    let mut spec = one("echo before; while read line; do echo got $line; done; echo end");
    spec["containers"][0]["stdin"] = json!(true);
    spec["containers"][0]["stdinOnce"] = json!(true);
    f.create("pipe", spec.clone()).await;
    spec["containers"][0]["tty"] = json!(true);
    f.create("terminal", spec).await;
    for name in ["pipe", "terminal"] {
        f.wait(name, |pod| phase(pod) == "Running").await;
        let mut attached = f.node.attach("default", name, None).await.unwrap();
        let mut stdin = attached.stdin.take().expect("the container has a standard input");
        stdin.write_all(b"typed\n").await.unwrap();
        read_until(&mut attached.stdout, "got typed").await;
        if name == "terminal" {
            attached.terminal.as_ref().unwrap().resize(80, 24).unwrap();
            // The end of input, as terminals know it.
            stdin.write_all(b"\x04").await.unwrap();
        }
        drop(stdin);
        read_until(&mut attached.stdout, "end").await;
        assert_eq!(phase(&f.ended(name).await), "Succeeded");
    }
    let log = f.log("pipe", "main", LogOptions::default()).await;
    assert_eq!(log, "before\ngot typed\nend\n");
    f.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_process_that_goes_with_its_pod_keeps_nobody_waiting() {
    let f = Fixture::start(|_| {}).await;
    let mut spec = one("while ! test -e /tmp/go; do sleep 0.05; done");
    // The process does not end with the container, only with all of the pod.
    spec["shareProcessNamespace"] = json!(true);
    f.create("gone", spec).await;
    f.wait("gone", |pod| phase(pod) == "Running").await;
    let command = ["sh", "-c", "touch /tmp/go; sleep 1000"]
        .map(String::from)
        .to_vec();
    let process = f
        .node
        .exec("default", "gone", None, command, Streams::default())
        .await
        .unwrap();
    f.ended("gone").await;
    // How it ended is not always known.
    let _ = tokio::time::timeout(PATIENCE, process.exit).await.unwrap();
    f.node.shutdown().await;
}
