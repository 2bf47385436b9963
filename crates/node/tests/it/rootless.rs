//! A node of a user without rights, where the kernel lets such users make namespaces.

use std::os::unix::fs::{PermissionsExt, chown};
use std::os::unix::process::CommandExt;
use std::process::{Command, Stdio};

use argosy_node::RuntimeChoice;
use expect_test::expect;
use serde_json::json;

use crate::fixture::{Fixture, one, sh};

/// Set for the process without rights; holds its data folder.
const VICTIM: &str = "ARGOSY_TEST_ROOTLESS";
/// A user that nobody is.
const USER: u32 = 54_321;

/// Not a test by itself: what [`users_without_rights_run_pods`] runs as such a user.
#[tokio::test(flavor = "multi_thread")]
async fn victim() {
    let Some(folder) = std::env::var_os(VICTIM) else {
        return;
    };
    let folder = std::path::PathBuf::from(folder);
    let data = folder.join("data");
    let f = Fixture::start(|options| options.data_dir = data).await;
    let mounts = json!([{"name": "v", "mountPath": "/v"}, {"name": "m", "mountPath": "/m"}]);
    let mut first = sh("id -u; echo one > /v/file; echo two > /m/file");
    let mut then = sh(
        "cat /v/file /m/file; hostname; ps > /tmp/ps; wc -l < /tmp/ps; touch /etc/mine && ls /etc/mine; exit 3",
    );
    (first["name"], first["volumeMounts"]) = (json!("init"), mounts.clone());
    then["volumeMounts"] = mounts;
    let pod = json!({
        "volumes": [{"name": "v", "emptyDir": {}}, {"name": "m", "emptyDir": {"medium": "Memory"}}],
        "initContainers": [first], "containers": [then],
    });
    let mut story = String::new();
    for (name, spec) in [("pod", pod), ("signal", one("sh -c 'kill -9 $$$$'; exit $?"))] {
        f.create(name, spec).await;
        let ended = f.ended(name).await;
        story.push_str(&f.story(&ended).await);
    }
    f.node.shutdown().await;
    // The host's files belong to others, also the folders in which something is mounted.
    let data = folder.join("host");
    let f = Fixture::start(|options| {
        options.data_dir = data;
        options.runtime = RuntimeChoice::Host;
    })
    .await;
    let mut spec = one("ls /usr/bin/mine && ls -d /etc/new/folder /usr/bin/env");
    spec["volumes"] = json!([{"name": "v", "emptyDir": {}}]);
    spec["containers"][0]["volumeMounts"] =
        json!([{"name": "v", "mountPath": "/bin/mine"}, {"name": "v", "mountPath": "/etc/new/folder"}]);
    f.create("view", spec).await;
    let ended = f.ended("view").await;
    story.push_str(&f.story(&ended).await);
    std::fs::write(folder.join("story"), story).unwrap();
    f.node.shutdown().await;
}

#[test]
fn users_without_rights_run_pods() {
    let dir = tempfile::Builder::new()
        .prefix("argosy-rootless-")
        .tempdir()
        .unwrap();
    std::fs::set_permissions(dir.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    chown(dir.path(), Some(USER), Some(USER)).expect("this test needs root to become someone else");
    // By descriptor, as the user may not enter the folders in which this program lies.
    let program = std::fs::File::open("/proc/self/exe").unwrap();
    rustix::io::fcntl_setfd(&program, rustix::io::FdFlags::empty()).unwrap();
    let path = format!("/proc/self/fd/{}", std::os::fd::AsRawFd::as_raw_fd(&program));
    let errors = std::fs::File::create(dir.path().join("errors")).unwrap();
    let status = Command::new(path)
        .args(["--exact", "rootless::victim", "--nocapture"])
        .env(VICTIM, dir.path())
        .env("TMPDIR", dir.path())
        .env("HOME", dir.path())
        .current_dir("/")
        .stdout(Stdio::null())
        .stderr(errors)
        .gid(USER)
        .uid(USER)
        .status()
        .unwrap();
    let story = std::fs::read_to_string(dir.path().join("story")).unwrap_or_default();
    let errors = std::fs::read_to_string(dir.path().join("errors")).unwrap();
    if !allowed() {
        assert!(
            errors.contains("user namespaces are not available to this user"),
            "{errors}"
        );
        return;
    }
    assert!(status.success(), "{errors}");
    expect![[r#"
        Failed
        init: Completed 0
          | 0
        main: Error 3
          | one
          | two
          | pod
          | 3
          | /etc/mine
        Failed
        main: Error 137
          | Killed
        Succeeded
        main: Completed 0
          | /etc/new/folder
          | /usr/bin/env
    "#]]
    .assert_eq(&story);
}

/// Whether the kernel lets users without rights make namespaces.
fn allowed() -> bool {
    let is = |file: &str, text: &str| std::fs::read_to_string(file).is_ok_and(|found| found.trim() == text);
    !is("/proc/sys/user/max_user_namespaces", "0")
        && !is("/proc/sys/kernel/unprivileged_userns_clone", "0")
        && !is("/proc/sys/kernel/apparmor_restrict_unprivileged_userns", "1")
}
