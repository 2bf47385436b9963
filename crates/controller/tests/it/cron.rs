//! CronWorkflows against the embedded API in virtual time: what starts when, and what stays of it. Runs pause for a
//! while and end, so that no pod has to be played.

use argosy_engine::Config;
use expect_test::{Expect, expect};
use jiff::Timestamp;
use serde_json::{Value, json};

use crate::NAMESPACE;
use crate::play::{Play, START, pass};

const CRONS: &str = "/apis/argoproj.io/v1alpha1/namespaces/default/cronworkflows";

impl Play {
    /// Makes a CronWorkflow `c` whose runs take this long.
    async fn make(&self, spec: &str, run_secs: u32) {
        let mut spec: Value = argosy_model::yaml::value(spec).expect("the case is YAML");
        spec["workflowSpec"] = json!({
            "entrypoint": "main", "templates": [{"name": "main", "suspend": {"duration": run_secs.to_string()}}],
        });
        let labels = json!({"workflows.argoproj.io/creator": "me", "team": "a"});
        let cron = json!({
            "apiVersion": "argoproj.io/v1alpha1", "kind": "CronWorkflow",
            "metadata": {"name": "c", "labels": labels}, "spec": spec,
        });
        self.stage.call("POST", CRONS, Some(cron)).await;
    }

    async fn act(&mut self, words: &[&str]) {
        match words {
            [] => {}
            ["start"] => self.start(Config::default()),
            ["stop"] => self.controllers.pop().expect("one runs").stop().await,
            // Nothing is finished or given back.
            ["crash"] => drop(self.controllers.pop()),
            ["spec", patch @ ..] => {
                let patch = json!({"spec": argosy_model::yaml::value(&patch.join(" ")).expect("YAML")});
                self.stage.call("PATCH", &format!("{CRONS}/c"), Some(patch)).await;
            }
            other => panic!("no such event: {other:?}"),
        }
    }

    /// Who runs or ran, named by the seconds of its time since the start, and what the status says.
    async fn told(&self) -> String {
        let start: Timestamp = START.parse().expect("a time");
        let since = |name: &str| {
            let secs: i64 = name
                .trim_start_matches("c-")
                .parse()
                .expect("a name with its time");
            format!("+{}", secs - start.as_second())
        };
        let mut told = String::new();
        for run in self.workflows().await {
            let name = since(run["metadata"]["name"].as_str().expect("a name"));
            let (phase, message) = (&run["status"]["phase"], &run["status"]["message"]);
            told += &format!("{name} {} {}\n", word(phase), word(message));
        }
        let cron = self.stage.call("GET", &format!("{CRONS}/c"), None).await;
        let status = &cron["status"];
        let active: Vec<String> = list(&status["active"])
            .iter()
            .map(|a| since(a["name"].as_str().expect("a name")))
            .collect();
        told += &format!(
            "{} active [{}] last {} good {} bad {}\n",
            word(&status["phase"]),
            active.join(" "),
            word(&status["lastScheduledTime"]),
            status["succeeded"],
            status["failed"],
        );
        for condition in list(&status["conditions"]) {
            told += &format!("{}: {}\n", word(&condition["type"]), word(&condition["message"]));
        }
        if cron["metadata"]["labels"]["cronworkflows.argoproj.io/completed"] == "true" {
            told += "completed\n";
        }
        told.lines()
            .map(|line| line.trim_end().to_owned() + "\n")
            .collect()
    }
}

fn word(value: &Value) -> &str {
    value.as_str().unwrap_or("-")
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

/// Plays lines of `<seconds after the last line> <event>` and expects what is there in the end.
async fn check(spec: &str, run_secs: u32, script: &str, expected: Expect) {
    let mut play = Play::new();
    play.start(Config::default());
    play.make(spec, run_secs).await;
    for line in script.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        let secs: f64 = words[0].parse().expect("a line begins with seconds");
        pass(secs).await;
        play.act(&words[1..]).await;
    }
    expected.assert_eq(&play.told().await);
    for controller in play.controllers {
        controller.stop().await;
    }
}

#[tokio::test(start_paused = true)]
async fn c_cron_10_runs_start_at_their_second() {
    check(
        "schedules: ['* * * * *']",
        300,
        "29.9",
        expect![[r#"
        - active [] last - good null bad null
    "#]],
    )
    .await;
    check(
        "schedules: ['* * * * *']",
        300,
        "30.1",
        expect![[r#"
        +30 Running -
        Active active [+30] last 2026-01-01T12:01:00Z good 0 bad 0
    "#]],
    )
    .await;
    check(
        "schedules: ['* * * * *', '@every 45s']",
        300,
        "121",
        expect![[r#"
        +30 Running -
        +45 Running -
        +90 Running -
        Active active [+30 +45 +90] last 2026-01-01T12:02:00Z good 0 bad 0
    "#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn c_cron_11_policies() {
    for (policy, expected) in [
        (
            "Allow",
            expect![[r#"
            +30 Succeeded -
            +90 Running -
            +150 Running -
            Active active [+90 +150] last 2026-01-01T12:03:00Z good 1 bad 0
        "#]],
        ),
        (
            "Forbid",
            expect![[r#"
            +30 Succeeded -
            +150 Running -
            Active active [+150] last 2026-01-01T12:03:00Z good 1 bad 0
        "#]],
        ),
        (
            "Replace",
            expect![[r#"
            +90 Failed Stopped with strategy 'Terminate'
            +150 Running -
            Active active [+150] last 2026-01-01T12:03:00Z good 0 bad 2
        "#]],
        ),
    ] {
        let spec = format!("{{schedules: ['* * * * *'], concurrencyPolicy: {policy}}}");
        check(&spec, 70, "152", expected).await;
    }
}

#[tokio::test(start_paused = true)]
async fn c_cron_40_old_runs_go() {
    check(
        "schedules: ['* * * * *']",
        5,
        "360",
        expect![[r#"
        +210 Succeeded -
        +270 Succeeded -
        +330 Succeeded -
        Active active [] last 2026-01-01T12:06:00Z good 6 bad 0
    "#]],
    )
    .await;
    check(
        "{schedules: ['* * * * *'], successfulJobsHistoryLimit: 0}",
        5,
        "160",
        expect![[r#"
            Active active [] last 2026-01-01T12:03:00Z good 3 bad 0
        "#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn c_cron_30_a_stop_condition_ends_it() {
    let spec = "{schedules: ['* * * * *'], stopStrategy: {expression: 'cronworkflow.succeeded >= 2'}}";
    check(
        spec,
        5,
        "600",
        expect![[r#"
        +30 Succeeded -
        +90 Succeeded -
        Stopped active [] last 2026-01-01T12:02:00Z good 2 bad 0
        completed
    "#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn c_cron_11_suspension_counts_at_once() {
    let script = "40 spec {suspend: true}\n100 spec {suspend: false}\n15";
    check(
        "schedules: ['* * * * *']",
        5,
        script,
        expect![[r#"
        +30 Succeeded -
        +150 Succeeded -
        Active active [] last 2026-01-01T12:03:00Z good 2 bad 0
    "#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn c_cron_02_a_wrong_spec_is_told_and_can_be_mended() {
    let spec = "schedules: ['* * *']";
    check(
        spec,
        5,
        "100",
        expect![[r#"
         active [] last - good 0 bad 0
        SpecError: cron schedule * * * is malformed: expected exactly 5 fields, found 3: [* * *]
    "#]],
    )
    .await;
    check(
        spec,
        5,
        "100 spec {schedules: ['* * * * *']}\n60",
        expect![[r#"
            +150 Succeeded -
            Active active [] last 2026-01-01T12:03:00Z good 1 bad 0
        "#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn c_cron_20_a_new_leader_makes_up_for_what_may_still_start() {
    let away = "40 stop\n120 start\n5";
    check(
        "schedules: ['* * * * *']",
        5,
        away,
        expect![[r#"
        +30 Succeeded -
        Active active [] last 2026-01-01T12:01:00Z good 1 bad 0
    "#]],
    )
    .await;
    let spec = "{schedules: ['* * * * *'], startingDeadlineSeconds: 30}";
    check(
        spec,
        5,
        away,
        expect![[r#"
        +30 Succeeded -
        +150 Succeeded -
        Active active [] last 2026-01-01T12:03:00Z good 2 bad 0
    "#]],
    )
    .await;
}

/// Whoever of several leaders comes first: each time has one run.
#[tokio::test(start_paused = true)]
async fn c_cron_12_each_time_has_one_run() {
    let spec = "{schedules: ['* * * * *'], startingDeadlineSeconds: 50, concurrencyPolicy: Forbid}";
    check(
        spec,
        5,
        "0 start\n0 start\n155",
        expect![[r#"
        +30 Succeeded -
        +90 Succeeded -
        +150 Succeeded -
        Active active [] last 2026-01-01T12:03:00Z good 3 bad 0
    "#]],
    )
    .await;
    check(
        spec,
        5,
        "89 crash\n0 start\n1 crash\n0 start\n0.001 crash\n0 start\n60",
        expect![[r#"
            +30 Succeeded -
            +90 Succeeded -
            +150 Running -
            Active active [+150] last 2026-01-01T12:03:00Z good 2 bad 0
        "#]],
    )
    .await;
}

#[tokio::test(start_paused = true)]
async fn c_cron_12_what_a_run_carries() {
    let mut play = Play::new();
    play.start(Config::default());
    let spec = "{schedules: ['* * * * *'], timezone: Europe/Zurich, \
        workflowMetadata: {labels: {a: b}, annotations: {c: d}}}";
    play.make(spec, 5).await;
    pass(31.0).await;
    let run = play.workflows().await.remove(0);
    let cron = play.stage.call("GET", &format!("{CRONS}/c"), None).await;
    let meta = &run["metadata"];
    assert_eq!(meta["name"], "c-1767268860");
    let labels = json!({
        "a": "b", "workflows.argoproj.io/creator": "me", "workflows.argoproj.io/cron-workflow": "c",
        "workflows.argoproj.io/completed": "false", "workflows.argoproj.io/phase": "Running",
    });
    assert_eq!(meta["labels"], labels);
    assert_eq!(meta["annotations"]["c"], "d");
    assert_eq!(
        meta["annotations"]["workflows.argoproj.io/scheduled-time"],
        "2026-01-01T12:01:00Z"
    );
    assert_eq!(
        meta["ownerReferences"],
        json!([{
            "apiVersion": "argoproj.io/v1alpha1", "kind": "CronWorkflow", "name": "c", "uid": cron["metadata"]["uid"],
            "controller": true, "blockOwnerDeletion": true,
        }])
    );
    assert_eq!(
        cron["metadata"]["annotations"]["cronworkflows.argoproj.io/last-used-schedule"],
        "CRON_TZ=Europe/Zurich * * * * *"
    );
    let text = play.controllers[0].metrics().text(&[]);
    assert!(
        text.contains("argo_workflows_cronworkflows_triggered_total{name=\"c\",namespace=\"default\"} 1"),
        "{text}"
    );
    play.act(&["stop"]).await;
}

/// C-CRON-03.
#[tokio::test(start_paused = true)]
async fn a_malformed_cron_workflow_is_told_by_an_event() {
    let mut play = Play::new();
    play.start(Config::default());
    let broken = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "CronWorkflow", "metadata": {"name": "broken"},
        "spec": {"schedules": 5, "workflowSpec": {}},
    });
    play.stage.call("POST", CRONS, Some(broken)).await;
    play.make("schedules: ['* * * * *']", 5).await;
    pass(40.0).await;
    assert_eq!(
        play.workflows().await.len(),
        1,
        "others are not kept from running"
    );
    let path = format!("/api/v1/namespaces/{NAMESPACE}/events");
    let events = play.stage.call("GET", &path, None).await;
    let told = list(&events["items"]).iter().find(|e| e["reason"] == "Malformed");
    let told = told.unwrap_or_else(|| panic!("{events:#}"));
    assert_eq!(told["involvedObject"]["name"], "broken");
    assert_eq!(told["involvedObject"]["kind"], "CronWorkflow");
    play.act(&["stop"]).await;
}
