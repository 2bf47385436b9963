//! What containers cannot do, and what they do not leave behind.

use expect_test::expect;
use serde_json::json;

use crate::fixture::{Fixture, check, one};

#[tokio::test(flavor = "multi_thread")]
async fn a_profile_refuses_calls_that_reach_around_the_walls() {
    let f = Fixture::start(|_| {}).await;
    let mut spec = one(
        "grep -E '^(Seccomp|NoNewPrivs):' /proc/self/status; unshare -U true 2>/dev/null || echo refused; echo works",
    );
    spec["securityContext"] = json!({"seccompProfile": {"type": "RuntimeDefault"}});
    check(
        &f,
        "filtered",
        spec.clone(),
        expect![[r#"
            Succeeded
            main: Completed 0
              | NoNewPrivs:	0
              | Seccomp:	2
              | refused
              | works
        "#]],
    )
    .await;
    spec["containers"][0]["securityContext"] = json!({"seccompProfile": {"type": "Unconfined"}});
    f.create("unconfined", spec).await;
    let pod = f.ended("unconfined").await;
    assert!(f.story(&pod).await.contains("Seccomp:\t0"));
    f.node.shutdown().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn nobodys_children_do_not_stay_as_zombies() {
    let f = Fixture::start(|_| {}).await;
    // Their parent ends before they do; the pod's first process takes them.
    let script = "for i in 1 2 3 4 5; do (sleep 0.1 & echo $!); done | sort -u | wc -l; \
                  until test $(cat /proc/[0-9]*/stat 2>/dev/null | grep -c ' (sleep) ') = 0; do true; done; echo gone";
    let mut spec = one(script);
    spec["shareProcessNamespace"] = json!(true);
    check(
        &f,
        "orphans",
        spec,
        expect![[r#"
            Succeeded
            main: Completed 0
              | 5
              | gone
        "#]],
    )
    .await;
    f.node.shutdown().await;
}
