//! What becomes of workflows that have ended, in virtual time: how long they stay, and what later ones learn of them.

use argosy_engine::Config;
use argosy_model::config::RetentionPolicy;
use serde_json::{Value, json};

use crate::play::{Play, pass};

/// A workflow that pauses for so many seconds.
fn pausing(name: &str, secs: u32, spec: &Value) -> Value {
    let mut workflow = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow",
        "metadata": {"name": name, "labels": {"workflows.argoproj.io/workflow-template": "t"}},
        "spec": {"entrypoint": "main", "templates": [
            {"name": "main", "steps": [[{"name": "a", "template": "pause"}]]},
            {"name": "pause", "suspend": {"duration": secs.to_string()}},
        ]},
    });
    for (key, value) in spec.as_object().into_iter().flatten() {
        workflow["spec"][key] = value.clone();
    }
    workflow
}

async fn names(play: &Play) -> Vec<String> {
    let name = |w: &Value| w["metadata"]["name"].as_str().expect("a name").to_owned();
    play.workflows().await.iter().map(name).collect()
}

#[tokio::test(start_paused = true)]
async fn c_gc_02_a_workflow_goes_at_its_second() {
    let mut play = Play::new();
    play.start(Config::default());
    let ttl = json!({"ttlStrategy": {"secondsAfterSuccess": 5, "secondsAfterCompletion": 900}});
    play.stage.submit(pausing("w", 2, &ttl)).await;
    // It ends at 2 s, and goes 5 s and one more after that.
    pass(7.9).await;
    assert_eq!(names(&play).await, ["w"]);
    pass(0.3).await;
    assert!(names(&play).await.is_empty());
    play.stop().await;
}

#[tokio::test(start_paused = true)]
async fn c_gc_10_only_the_newest_of_each_phase_are_kept() {
    let mut play = Play::new();
    let policy = RetentionPolicy {
        completed: 2,
        failed: 0,
        errored: 1,
    };
    // Those that were there before count, too.
    play.start(Config::default());
    let failing = json!({"activeDeadlineSeconds": 1});
    for (name, secs, spec) in [("a", 2, &json!({})), ("b", 2, &json!({})), ("f", 60, &failing)] {
        play.stage.submit(pausing(name, secs, spec)).await;
    }
    pass(20.0).await;
    assert_eq!(names(&play).await, ["a", "b", "f"]);
    play.controllers.pop().expect("it runs").stop().await;
    let config = Config {
        retention: Some(policy),
        ..Config::default()
    };
    play.start(config);
    pass(5.0).await;
    assert_eq!(names(&play).await, ["a", "b"]);
    play.stage.submit(pausing("c", 2, &json!({}))).await;
    play.stage.submit(pausing("d", 30, &json!({}))).await;
    pass(5.0).await;
    assert_eq!(names(&play).await, ["b", "c", "d"]);
    pass(30.0).await;
    assert_eq!(names(&play).await, ["c", "d"]);
    play.stop().await;
}

#[tokio::test(start_paused = true)]
async fn c_node_32_durations_are_estimated_from_the_last_good_run() {
    let mut play = Play::new();
    play.start(Config::default());
    for (name, secs) in [("first", 7), ("second", 60)] {
        play.stage.submit(pausing(name, secs, &json!({}))).await;
        pass(10.0).await;
    }
    let first = play.stage.workflow("first").await;
    assert_eq!(first["status"]["phase"], "Succeeded");
    assert!(
        first["status"]["estimatedDuration"].is_null(),
        "there was none before"
    );
    let second = play.stage.workflow("second").await;
    assert_eq!(second["status"]["estimatedDuration"], 7);
    let nodes = second["status"]["nodes"].as_object().expect("nodes");
    let pause = nodes
        .values()
        .find(|n| n["name"] == "second[0].a")
        .expect("it runs");
    assert_eq!(pause["estimatedDuration"], 7);
    play.stop().await;
}
