//! Limits of containers, where the kernel lets a node set them.

use expect_test::expect;
use serde_json::{Value, json};

use crate::fixture::{Fixture, check, one};

/// A shell that grows to this many megabytes.
fn hungry(megabytes: u32) -> String {
    format!("x=$(dd if=/dev/zero bs=1M count={megabytes} 2>/dev/null | tr '\\0' x); echo ${{#x}}")
}

fn limited(script: &str, resources: Value) -> Value {
    let mut spec = one(script);
    spec["containers"][0]["resources"] = resources;
    spec
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_beyond_the_limit_ends_the_container() {
    let f = Fixture::start(|_| {}).await;
    let memory = json!({"limits": {"memory": "32Mi"}});
    check(
        &f,
        "fits",
        limited(&hungry(4), memory.clone()),
        expect![[r#"
            Succeeded
            main: Completed 0
              | 4194304
        "#]],
    )
    .await;
    check(
        &f,
        "hungry",
        limited(&hungry(200), memory),
        expect![[r#"
            Failed
            main: OOMKilled 137
        "#]],
    )
    .await;
    f.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn processors_are_shared_out() {
    let f = Fixture::start(|_| {}).await;
    // The kernel counts how often the group was held back.
    let script = "cat /proc/self/cgroup > /dev/null; i=0; while test $i -lt 300000; do i=$((i+1)); done";
    let spec = limited(script, json!({"limits": {"cpu": "100m"}}));
    f.create("busy", spec).await;
    let pod = f
        .wait("busy", |pod| crate::fixture::phase(pod) == "Running")
        .await;
    let id = pod.status.unwrap().container_statuses.unwrap()[0]
        .container_id
        .clone()
        .unwrap();
    let group = find(&id.replace("argosy://", "")).expect("the container's group");
    let quota = ["cpu.cfs_quota_us", "cpu.max"]
        .into_iter()
        .find_map(|file| std::fs::read_to_string(group.join(file)).ok())
        .unwrap();
    assert_eq!(quota.split_whitespace().next(), Some("10000"));
    f.ended("busy").await;
    f.node.shutdown().await;
    assert!(!group.exists());
}

#[tokio::test(flavor = "multi_thread")]
async fn what_this_machine_does_not_have_is_named() {
    let f = Fixture::start(|_| {}).await;
    let mut spec = limited("true", json!({"limits": {"nvidia.com/gpu": 2}}));
    // Otherwise the scheduler would wait for a node that has it.
    spec["nodeName"] = json!("test-node");
    check(
        &f,
        "gpu",
        spec,
        expect![[r#"
            Failed NotSupported Node didn't have enough resource: nvidia.com/gpu, requested: 2, used: 0, capacity: 0
            main: waiting ContainerCreating
        "#]],
    )
    .await;
    f.node.shutdown().await;
}

/// Looks for a group below all mounted trees.
fn find(name: &str) -> Option<std::path::PathBuf> {
    let mounts = std::fs::read_to_string("/proc/self/mounts").unwrap();
    let mut folders: Vec<std::path::PathBuf> = mounts
        .lines()
        .filter(|line| line.contains(" cgroup") && line.contains("cpu"))
        .map(|line| line.split(' ').nth(1).unwrap().into())
        .collect();
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(&folder).into_iter().flatten().flatten() {
            if !entry.file_type().unwrap().is_dir() {
                continue;
            }
            if entry.file_name() == name {
                return Some(entry.path());
            }
            folders.push(entry.path());
        }
    }
    None
}

#[tokio::test(flavor = "multi_thread")]
async fn pods_that_take_too_much_of_the_disk_are_evicted() {
    let f = Fixture::start(|options| options.usage_check = std::time::Duration::from_millis(50)).await;
    let fill = |file: &str| format!("dd if=/dev/zero of={file} bs=1M count=3 2>/dev/null; sleep 1000");
    let mut spec = one(&fill("/v/file"));
    spec["volumes"] = json!([{"name": "v", "emptyDir": {"sizeLimit": "2Mi"}}]);
    spec["containers"][0]["volumeMounts"] = json!([{"name": "v", "mountPath": "/v"}]);
    let storage = json!({"limits": {"ephemeral-storage": "2Mi"}});
    let fits = limited(
        "dd if=/dev/zero of=/file bs=1M count=1 2>/dev/null",
        storage.clone(),
    );
    for (name, spec, expected) in [
        (
            "volume",
            spec,
            Some("Usage of EmptyDir volume \"v\" exceeds the limit \"2Mi\". "),
        ),
        (
            "storage",
            limited(&fill("/file"), storage),
            Some("Container main exceeded its local ephemeral storage limit \"2Mi\". "),
        ),
        ("fits", fits, None),
    ] {
        f.create(name, spec).await;
        let status = f.ended(name).await.status.unwrap();
        let reason = status.reason.as_deref();
        assert_eq!(reason, expected.map(|_| "Evicted"), "{name}");
        assert_eq!(status.message.as_deref(), expected, "{name}");
    }
    f.node.shutdown().await;
}
