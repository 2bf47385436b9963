//! Logs and processes from outside.

use argosy_node::LogOptions;
use futures::TryStreamExt;
use tokio::io::{AsyncReadExt, AsyncWriteExt};

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
        .exec("default", "slow", None, command, false)
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
    let mut process = f
        .node
        .exec("default", "host", Some("main"), command, true)
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
        .exec("default", "host", None, vec!["nothing".into()], false)
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
        .exec("default", "host", None, kill, false)
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
        .exec("default", "chatty", None, touch, false)
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
