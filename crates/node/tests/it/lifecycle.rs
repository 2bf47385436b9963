//! From a pod's words to its end: commands, exit codes, order of containers, restarts, deletion, deadlines.

use argosy_node::{LogOptions, RuntimeChoice, Streams};
use expect_test::expect;
use k8s_openapi::api::core::v1::Pod;
use kube::api::{DeleteParams, Patch, PatchParams};
use serde_json::json;

use crate::fixture::{Fixture, IMAGE, check, describe, host, one, phase, sh};

#[tokio::test(flavor = "multi_thread")]
async fn containers_end_as_their_programs_do() {
    let f = Fixture::start(|_| {}).await;
    check(
        &f,
        "ok",
        one("echo out"),
        expect![[r#"
            Succeeded
            main: Completed 0
              | out
        "#]],
    )
    .await;
    check(
        &f,
        "code",
        one("echo bye; exit 3"),
        expect![[r#"
        Failed
        main: Error 3
          | bye
    "#]],
    )
    .await;
    check(
        &f,
        "signal",
        one("exec 2>/dev/null; sh -c 'kill -9 $$$$'; echo $?; sh -c 'kill -15 $$$$'; exit $?"),
        expect![[r#"
            Failed
            main: Error 143
              | 137
        "#]],
    )
    .await;
    check(
        &f,
        "image-command",
        json!({"containers": [{}]}),
        expect![[r#"
        Succeeded
        main: Completed 0
          | from the image
    "#]],
    )
    .await;
    check(&f, "missing", json!({"containers": [{"command": ["no-such-program"]}]}), expect![[r#"
        Failed
        main: StartError 128 "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: \"no-such-program\": executable file not found in $PATH"
    "#]]).await;
    check(&f, "missing-path", json!({"containers": [{"command": ["/no/such/program"]}]}), expect![[r#"
        Failed
        main: StartError 128 "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: \"/no/such/program\": stat /no/such/program: no such file or directory"
    "#]]).await;
    check(&f, "forbidden", json!({"containers": [{"command": ["/bin/not-executable"]}]}), expect![[r#"
        Failed
        main: StartError 128 "failed to create containerd task: failed to create shim task: OCI runtime create failed: runc create failed: unable to start container process: exec: \"/bin/not-executable\": permission denied"
    "#]]).await;
    check(
        &f,
        "partial",
        one("printf 'no newline'"),
        expect![[r#"
        Succeeded
        main: Completed 0
          | no newline
    "#]],
    )
    .await;
    f.node.shutdown().await;
    assert_eq!(f.leftovers(), Vec::<String>::new());
}

#[tokio::test(flavor = "multi_thread")]
async fn containers_are_isolated() {
    let f = Fixture::start(|_| {}).await;
    check(
        &f,
        "pids",
        one("echo $$$$; ps > /tmp/ps; wc -l < /tmp/ps; hostname; ls /"),
        expect![[r#"
            Succeeded
            main: Completed 0
              | 1
              | 3
              | pids
              | bin
              | dev
              | etc
              | proc
              | sys
              | tmp
        "#]],
    )
    .await;
    check(
        &f,
        "write",
        one("echo x > /etc/new && cat /etc/new; mount -t tmpfs t /tmp 2>/dev/null || echo no mount; cat /proc/keys | wc -c; (echo 1 > /proc/sys/kernel/panic) 2>/dev/null || echo no sysctl"),
        expect![[r#"
            Succeeded
            main: Completed 0
              | x
              | no mount
              | 0
              | no sysctl
        "#]],
    )
    .await;
    check(
        &f,
        "two",
        json!({"containers": [
            {"name": "a", "command": ["sh", "-c", "echo a > /tmp/x; ls /tmp"]},
            {"name": "b", "command": ["sh", "-c", "ls /tmp | wc -l"]},
        ]}),
        expect![[r#"
            Succeeded
            a: Completed 0
              | x
            b: Completed 0
              | 0
        "#]],
    )
    .await;
    f.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn init_containers_come_first_and_in_order() {
    let f = Fixture::start(|_| {}).await;
    let mount = json!([{"name": "v", "mountPath": "/v"}]);
    let step = |name: &str| json!({"name": name, "volumeMounts": mount, "command": ["sh", "-c", format!("cat /v/* 2>/dev/null; echo {name} > /v/{name}")]});
    check(
        &f,
        "order",
        json!({"volumes": [{"name": "v", "emptyDir": {}}], "initContainers": [step("one"), step("two")], "containers": [step("three")]}),
        expect![[r#"
            Succeeded
            one: Completed 0
            two: Completed 0
              | one
            three: Completed 0
              | one
              | two
        "#]],
    )
    .await;
    check(
        &f,
        "init-fails",
        json!({"initContainers": [{"name": "init", "command": ["sh", "-c", "exit 7"]}], "containers": [sh("echo never")]}),
        expect![[r#"
            Failed
            init: Error 7
            main: waiting PodInitializing
        "#]],
    )
    .await;
    check(
        &f,
        "sidecar",
        json!({"terminationGracePeriodSeconds": 5,
            "initContainers": [{"name": "side", "restartPolicy": "Always",
                "command": ["sh", "-c", "trap 'echo stopped; exit 0' TERM; echo up; while true; do sleep 0.1; done"]}],
            "containers": [sh("echo main")]}),
        expect![[r#"
            Succeeded
            side: Completed 0
              | up
              | stopped
            main: Completed 0
              | main
        "#]],
    )
    .await;
    f.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn deadlines_and_deletion_stop_pods() {
    let f = Fixture::start(|_| {}).await;
    let mut spec = one("echo started; sleep 100");
    spec["activeDeadlineSeconds"] = json!(1);
    spec["terminationGracePeriodSeconds"] = json!(1);
    check(
        &f,
        "deadline",
        spec,
        expect![[r#"
        Failed DeadlineExceeded Pod was active on the node longer than the specified deadline
        main: Error 137
          | started
    "#]],
    )
    .await;

    f.create(
        "polite",
        one("trap 'echo got TERM; exit 0' TERM; echo ready; while true; do sleep 0.1; done"),
    )
    .await;
    f.wait("polite", |pod| phase(pod) == "Running").await;
    f.pods()
        .delete("polite", &DeleteParams::default().grace_period(20))
        .await
        .unwrap();
    gone(&f, "polite").await;

    f.create(
        "stubborn",
        one("trap '' TERM; echo ready; while true; do sleep 0.1; done"),
    )
    .await;
    f.wait("stubborn", |pod| phase(pod) == "Running").await;
    f.pods()
        .delete("stubborn", &DeleteParams::default().grace_period(1))
        .await
        .unwrap();
    gone(&f, "stubborn").await;
    f.node.shutdown().await;
}

async fn gone(f: &Fixture, name: &str) {
    let watch = kube::runtime::wait::await_condition(f.pods(), name, |pod: Option<&Pod>| pod.is_none());
    tokio::time::timeout(crate::fixture::PATIENCE, watch)
        .await
        .expect("deleted in time")
        .unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn failed_containers_are_restarted_if_the_policy_says_so() {
    let f = Fixture::start(|_| {}).await;
    let script = "test -e /v/seen && exit 0; touch /v/seen; exit 1";
    let spec = json!({
        "restartPolicy": "OnFailure",
        "volumes": [{"name": "v", "emptyDir": {}}],
        "containers": [{"command": ["sh", "-c", script], "volumeMounts": [{"name": "v", "mountPath": "/v"}]}],
    });
    check(
        &f,
        "retry",
        spec,
        expect![[r#"
        Succeeded
        main: Completed 0 restarted 1
    "#]],
    )
    .await;
    f.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn last_words_reach_the_status() {
    let f = Fixture::start(|_| {}).await;
    check(
        &f,
        "words",
        one("echo -n because > /dev/termination-log; exit 1"),
        expect![[r#"
        Failed
        main: Error 1 "because"
    "#]],
    )
    .await;
    let mut spec = one("echo one; echo two; exit 1");
    spec["containers"][0]["terminationMessagePolicy"] = json!("FallbackToLogsOnError");
    check(
        &f,
        "fallback",
        spec,
        expect![[r#"
        Failed
        main: Error 1 "one\ntwo\n"
          | one
          | two
    "#]],
    )
    .await;
    f.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn unavailable_images_are_said_so() {
    let f = Fixture::start(|_| {}).await;
    let waiting = |reason: &'static str| {
        move |pod: &Pod| {
            let status = pod
                .status
                .as_ref()
                .and_then(|s| s.container_statuses.as_ref())
                .and_then(|c| c.first());
            let waiting = status
                .and_then(|s| s.state.as_ref())
                .and_then(|s| s.waiting.as_ref());
            waiting.and_then(|w| w.reason.as_deref()) == Some(reason)
        }
    };
    let never = json!({"containers": [{"image": "not/here", "imagePullPolicy": "Never"}]});
    f.create("never", never).await;
    let pod = f.wait("never", waiting("ErrImageNeverPull")).await;
    expect![[r#"
        Pending
        main: waiting ErrImageNeverPull "Container image \"not/here\" is not present with pull policy of Never"
    "#]].assert_eq(&f.story(&pod).await);
    f.create(
        "unreachable",
        json!({"containers": [{"image": "localhost:1/no/registry"}]}),
    )
    .await;
    f.wait("unreachable", waiting("ErrImagePull")).await;
    f.wait("unreachable", waiting("ImagePullBackOff")).await;
    f.create("invalid", json!({"containers": [{"image": "{{x}}"}]}))
        .await;
    f.wait("invalid", waiting("InvalidImageName")).await;
    f.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn the_host_view_needs_no_image() {
    let f = Fixture::start(host).await;
    let script = format!(
        "test -x /bin/bash && echo host programs; echo x > /etc/argosy-test && cat /etc/argosy-test; ls {}",
        f.dir.path().display()
    );
    let spec = json!({"containers": [{"image": "any/thing", "command": ["sh", "-c", script]}]});
    check(
        &f,
        "host",
        spec,
        expect![[r#"
        Succeeded
        main: Completed 0
          | host programs
          | x
    "#]],
    )
    .await;
    assert!(!std::path::Path::new("/etc/argosy-test").exists());
    f.node.shutdown().await;
    let _ = IMAGE;
}

#[tokio::test(flavor = "multi_thread")]
async fn probes_decide_readiness_and_life() {
    let f = Fixture::start(|_| {}).await;
    let ready = |pod: &Pod| {
        let conditions = pod.status.iter().flat_map(|s| s.conditions.iter().flatten());
        conditions
            .into_iter()
            .any(|c| c.type_ == "Ready" && c.status == "True")
    };
    let probe = json!({"exec": {"command": ["test", "-e", "/tmp/ready"]}, "periodSeconds": 1});
    let mut spec = one("while ! test -e /tmp/end; do sleep 0.05; done");
    spec["containers"][0]["readinessProbe"] = probe.clone();
    f.create("readiness", spec).await;
    let pod = f.wait("readiness", |pod| phase(pod) == "Running").await;
    assert!(!ready(&pod));
    let touch = |path: &str| ["touch", path].map(String::from).to_vec();
    f.node
        .exec(
            "default",
            "readiness",
            None,
            touch("/tmp/ready"),
            Streams::default(),
        )
        .await
        .unwrap()
        .exit
        .await
        .unwrap();
    f.wait("readiness", ready).await;
    f.node
        .exec(
            "default",
            "readiness",
            None,
            touch("/tmp/end"),
            Streams::default(),
        )
        .await
        .unwrap()
        .exit
        .await
        .unwrap();
    f.ended("readiness").await;

    let mut spec = one("sleep 1000");
    spec["terminationGracePeriodSeconds"] = json!(0);
    spec["containers"][0]["livenessProbe"] =
        json!({"tcpSocket": {"port": 1}, "periodSeconds": 1, "failureThreshold": 1});
    check(
        &f,
        "liveness",
        spec,
        expect![[r#"
            Failed
            main: Error 137
        "#]],
    )
    .await;
    f.node.shutdown().await;
}

/// With `runc`, if this machine has it. `crun` is given the same bundle, but refuses hosts with both versions of control
/// groups, as test machines often have.
#[tokio::test(flavor = "multi_thread")]
async fn other_runtimes_do_the_same() {
    for program in ["runc"] {
        let found =
            std::env::split_paths(&std::env::var_os("PATH").unwrap()).any(|dir| dir.join(program).exists());
        if !found || !rustix::process::geteuid().is_root() {
            continue;
        }
        let f = Fixture::start(|options| options.runtime = RuntimeChoice::Oci(program.into())).await;
        let mut spec = one("echo $$$$; hostname; cat /etc/hostname; ls /v; exit 3");
        spec["volumes"] = json!([{"name": "v", "emptyDir": {"medium": "Memory"}}]);
        spec["containers"][0]["volumeMounts"] = json!([{"name": "v", "mountPath": "/v"}]);
        check(
            &f,
            "other",
            spec,
            expect![[r#"
                Failed
                main: Error 3
                  | 1
                  | other
                  | other
            "#]],
        )
        .await;
        f.node.shutdown().await;
        assert_eq!(f.leftovers(), Vec::<String>::new());
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn containers_that_are_added_run_once() {
    let f = Fixture::start(|_| {}).await;
    let mut spec = one("while true; do sleep 0.05; done");
    spec["restartPolicy"] = json!("Always");
    spec["terminationGracePeriodSeconds"] = json!(0);
    f.create("seen", spec).await;
    f.wait("seen", |pod| phase(pod) == "Running").await;
    let mut added = [
        sh("tr '\\0' ' ' < /proc/1/cmdline; exit 4"),
        sh("true"),
        sh("true"),
    ];
    added[1]["command"] = added[0]["command"].clone();
    for (container, (name, target)) in added.iter_mut().zip([
        ("own", json!(null)),
        ("beside", json!("main")),
        ("lost", json!("none")),
    ]) {
        container["name"] = json!(name);
        container["image"] = json!(IMAGE);
        container["targetContainerName"] = target;
    }
    let patch = Patch::Strategic(json!({"spec": {"ephemeralContainers": added}}));
    let pods = f.pods();
    let params = PatchParams::default();
    let patched = pods.patch_subresource("ephemeralcontainers", "seen", &params, &patch);
    patched.await.expect("they are added");
    let told = |pod: &Pod| -> Vec<String> {
        let statuses = pod.status.iter();
        let statuses = statuses.flat_map(|s| s.ephemeral_container_statuses.iter().flatten());
        statuses.map(describe).collect()
    };
    let lost = "waiting CreateContainerConfigError \"target container \\\"none\\\" does not run\"";
    let pod = f
        .wait("seen", |pod| told(pod) == ["Error 4", "Error 4", lost])
        .await;
    assert_eq!(phase(&pod), "Running");
    assert!(
        !f.log("seen", "own", LogOptions::default())
            .await
            .contains("while true")
    );
    assert!(
        f.log("seen", "beside", LogOptions::default())
            .await
            .contains("while true")
    );
    f.node.shutdown().await;
}
