//! A node that is killed leaves nothing behind.

use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use argosy_node::runtime::Exit;
use argosy_node::runtime::recording::{Behaviour, Recording};
use argosy_node::{Node, Options};
use expect_test::expect;
use serde_json::json;

use crate::fixture::{Fixture, PATIENCE, one, phase};

/// Set for the process that is to be killed; holds its data folder.
const VICTIM: &str = "ARGOSY_TEST_VICTIM";
/// Stands in the command line of the container's processes.
const MARK: &str = "argosy-crash-mark";

/// Not a test by itself: the process that [`killed_nodes_leave_nothing_behind`] starts and kills.
#[tokio::test(flavor = "multi_thread")]
async fn victim() {
    let Some(folder) = std::env::var_os(VICTIM) else {
        return;
    };
    let f = Fixture::start(|options| options.data_dir = folder.clone().into()).await;
    // A child in a session of its own, which no signal to a process group reaches.
    let script = format!("setsid sh -c 'sleep 1000; echo {MARK}' & touch /v/up; sleep 1000; echo {MARK}");
    let mut spec = one(&script);
    spec["volumes"] = json!([{"name": "v", "hostPath": {"path": folder.to_str()}}, {"name": "m", "emptyDir": {"medium": "Memory"}}]);
    spec["containers"][0]["volumeMounts"] =
        json!([{"name": "v", "mountPath": "/v"}, {"name": "m", "mountPath": "/m"}]);
    f.create("long", spec).await;
    f.wait("long", |pod| phase(pod) == "Running").await;
    std::future::pending::<()>().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn killed_nodes_leave_nothing_behind() {
    let dir = tempfile::Builder::new()
        .prefix("argosy-crash-")
        .tempdir()
        .unwrap();
    let mut victim = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "crash::victim", "--nocapture"])
        .env(VICTIM, dir.path())
        .env("TMPDIR", dir.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    wait_until("the container runs", || {
        dir.path().join("up").exists() && marked() >= 2
    });
    victim.kill().unwrap();
    victim.wait().unwrap();
    wait_until("its processes are gone", || marked() == 0);
    let mounts = std::fs::read_to_string("/proc/self/mountinfo").unwrap();
    assert!(!mounts.contains(&*dir.path().to_string_lossy()));
    let folders = || std::fs::read_dir(dir.path().join("pods")).unwrap().count();
    assert_eq!(folders(), 1);

    // The next node sweeps what the API does not know.
    let f = Fixture::start(|options| options.data_dir = dir.path().into()).await;
    wait_until("the folder is swept", || folders() == 0);
    f.node.shutdown().await;
}

fn wait_until(what: &str, done: impl Fn() -> bool) {
    let begin = Instant::now();
    while !done() {
        assert!(begin.elapsed() < PATIENCE, "{what}: not in time");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Processes whose command line has the mark.
fn marked() -> usize {
    let processes = std::fs::read_dir("/proc").unwrap().flatten();
    processes.filter(|process| has_mark(&process.path())).count()
}

fn has_mark(process: &Path) -> bool {
    std::fs::read(process.join("cmdline")).is_ok_and(|line| String::from_utf8_lossy(&line).contains(MARK))
}

#[tokio::test(flavor = "multi_thread")]
async fn one_folder_has_one_node() {
    let f = Fixture::start(|_| {}).await;
    let second = Node::start(f.client.clone(), Options::new("test-node", f.dir.path())).await;
    assert!(
        second
            .err()
            .unwrap()
            .to_string()
            .contains("is used by another node")
    );
    f.node.shutdown().await;
}

/// The same node over a runtime that only records: what it asks the operating system for, in order.
#[tokio::test(flavor = "multi_thread")]
async fn the_operating_system_is_asked_in_order() {
    let runtime = Recording::new(|spec| match spec.key.as_str() {
        "side/0" => Behaviour::Runs,
        "main/0" => Behaviour::Ends(Exit::Code(3)),
        _ => Behaviour::Ends(Exit::Code(0)),
    });
    let f = Fixture::start_with(|_| {}, Some(runtime.clone())).await;
    let spec = json!({
        "initContainers": [{"name": "init", "command": ["prepare"]}, {"name": "side", "restartPolicy": "Always", "command": ["serve"]}],
        "containers": [{"command": ["work", "hard"]}],
    });
    f.create("pod", spec).await;
    let pod = f.ended("pod").await;
    assert_eq!(
        f.story(&pod).await,
        "Failed\ninit: Completed 0\nside: Error 143\nmain: Error 3\n"
    );
    f.node.shutdown().await;
    expect![[r#"
        create pod
        start init/0: prepare
        start side/0: serve
        start main/0: work hard
        signal 15 to side/0
        destroy
    "#]]
    .assert_eq(&(runtime.calls().join("\n") + "\n"));
}
