//! Scheduled workflows in virtual time: what starts when, and what the status says in the end. Cases are data.

use std::sync::Arc;

use argosy_engine::cron::{self, Decision, Effect, Memory, Outcomes, Snapshot};
use argosy_engine::{Config, Templates};
use argosy_model::k8s::{ObjectReference, Time};
use argosy_model::{CronWorkflow, CronWorkflowStatus, ShutdownStrategy, Workflow, WorkflowPhase};
use expect_test::{Expect, expect};
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// The controller's side of a CronWorkflow, played.
struct Stage {
    cron: CronWorkflow,
    runs: Vec<Arc<Workflow>>,
    memory: Option<Memory>,
    now: Timestamp,
    refuse: bool,
    told: String,
}

impl Stage {
    fn new(spec: &str, start: &str) -> Self {
        let mut spec: Value = argosy_model::yaml::value(spec).expect("the case is YAML");
        let status = spec
            .as_object_mut()
            .expect("a map")
            .remove("status")
            .unwrap_or(json!({}));
        let annotations = spec
            .as_object_mut()
            .expect("a map")
            .remove("annotations")
            .unwrap_or(json!({}));
        spec["workflowSpec"] = json!({
            "entrypoint": "main", "templates": [{"name": "main", "container": {"image": "x", "command": ["x"]}}],
        });
        let cron = json!({
            "metadata": {"name": "c", "namespace": "n", "uid": "cron-uid", "labels": {"team": "a"}, "annotations": annotations},
            "spec": spec, "status": status,
        });
        Self {
            cron: serde_json::from_value(cron).expect("the case is a CronWorkflow"),
            runs: Vec::new(),
            memory: None,
            now: start.parse().expect("a time"),
            refuse: false,
            told: String::new(),
        }
    }

    fn tell(&mut self, what: &str) {
        let time = self.now.strftime("%d %H:%M:%S");
        self.told.push_str(&format!("{time} {what}\n"));
    }

    /// One look: decides until nothing is left to submit, stores, and gives the time to look again.
    fn look(&mut self) -> Option<Timestamp> {
        let mut outcomes = Outcomes::default();
        loop {
            let decision = cron::decide(
                &Snapshot {
                    cron: &self.cron,
                    children: &self.runs,
                    templates: &Templates::default(),
                    config: &Config::default(),
                    memory: self.memory.as_ref(),
                    outcomes: &outcomes,
                },
                self.now,
            );
            if !self.perform(&decision, &mut outcomes) {
                let changes = decision.changes;
                self.cron.metadata.labels.extend(changes.labels);
                self.cron.metadata.annotations.extend(changes.annotations);
                if let Some(status) = changes.status {
                    self.cron.status = *status;
                }
                self.memory = Some(decision.memory);
                return decision.wake_at;
            }
        }
    }

    /// Does what is asked; whether something was submitted, so that it is to be decided again.
    fn perform(&mut self, decision: &Decision, outcomes: &mut Outcomes) -> bool {
        let mut submitted = false;
        let effects = &decision.effects;
        if !effects.iter().any(|e| matches!(e, Effect::Submit(_)))
            && let Some(reason) = &decision.held_back
        {
            self.tell(&format!("held back: {reason:?}"));
        }
        for effect in effects {
            match effect {
                Effect::Submit(run) => {
                    submitted = true;
                    let name = run.metadata.name.clone();
                    self.tell(&format!("submit {name}"));
                    let outcome = if self.refuse {
                        Err("quota".to_owned())
                    } else if self.runs.iter().any(|r| r.metadata.name == name) {
                        Ok(None)
                    } else {
                        Ok(Some(self.made(run)))
                    };
                    outcomes.submitted.insert(name, outcome);
                }
                Effect::Terminate { name } => {
                    let run = self
                        .runs
                        .iter_mut()
                        .find(|r| r.metadata.name == *name)
                        .expect("it is there");
                    if run.spec.shutdown == ShutdownStrategy::Unset {
                        Arc::make_mut(run).spec.shutdown = ShutdownStrategy::Terminate;
                        self.tell(&format!("terminate {name}"));
                    }
                }
                Effect::Delete { name, .. } => {
                    self.runs.retain(|r| r.metadata.name != *name);
                    self.tell(&format!("delete {name}"));
                }
                Effect::Emit(_)
                | Effect::PolicyApplied { .. }
                | Effect::Triggered
                | Effect::CountError { .. } => {}
            }
        }
        submitted
    }

    fn made(&mut self, run: &Workflow) -> ObjectReference {
        let mut run = run.clone();
        run.metadata.uid = format!("uid-{}", run.metadata.name);
        run.status.phase = WorkflowPhase::Running;
        let reference = ObjectReference {
            name: run.metadata.name.clone(),
            uid: run.metadata.uid.clone(),
            ..ObjectReference::default()
        };
        self.runs.push(Arc::new(run));
        reference
    }

    /// Lets time pass until then, looking whenever asked to.
    fn until(&mut self, end: Timestamp) {
        loop {
            match self.look() {
                Some(at) if at <= end => self.now = at.max(self.now),
                _ => break,
            }
        }
        self.now = end;
    }

    fn event(&mut self, words: &[&str]) {
        match words {
            ["end", phase] => {
                let run = self
                    .runs
                    .iter_mut()
                    .find(|r| r.status.phase == WorkflowPhase::Running)
                    .expect("one runs");
                let run = Arc::make_mut(run);
                run.status.phase = WorkflowPhase::from(*phase);
                run.status.finished_at = Some(Time(self.now));
            }
            ["suspend"] => self.cron.spec.suspend = true,
            ["resume"] => self.cron.spec.suspend = false,
            ["refuse"] => self.refuse = true,
            ["schedule", rest @ ..] => self.cron.spec.schedules = vec![rest.join(" ")].into(),
            ["restart"] => self.memory = None,
            // As after a crash between the creation of a run and the write of the status.
            ["lose", last] => {
                self.memory = None;
                self.cron.status = CronWorkflowStatus::default();
                self.cron.status.last_scheduled_time = Some(Time(last.parse().expect("a time")));
            }
            ["clock", time] => self.now = time.parse().expect("a time"),
            [] => {}
            other => panic!("no such event: {other:?}"),
        }
    }
}

/// Plays the script, lines of `<seconds after the last line> <event>`; expects what was done and the status.
#[expect(
    clippy::needless_pass_by_value,
    reason = "an expectation is written where it is used"
)]
fn check(spec: &str, start: &str, script: &str, expected: Expect) {
    let mut stage = Stage::new(spec, start);
    for line in script.lines().map(str::trim).filter(|l| !l.is_empty()) {
        let words: Vec<&str> = line.split_whitespace().collect();
        let secs: i64 = words[0].parse().expect("a line begins with seconds");
        let end = stage.now + SignedDuration::from_secs(secs);
        stage.until(end);
        stage.event(&words[1..]);
        let now = stage.now;
        stage.until(now);
    }
    let status = &stage.cron.status;
    let active: Vec<&str> = status.active.iter().map(|a| a.name.as_str()).collect();
    let last = status
        .last_scheduled_time
        .map_or("-".to_owned(), |t| t.to_string());
    stage.told.push_str(&format!(
        "phase '{}' active {active:?} last {last} good {} bad {}\n",
        status.phase, status.succeeded, status.failed
    ));
    for condition in status.conditions.iter() {
        stage
            .told
            .push_str(&format!("{}: {}\n", condition.type_, condition.message));
    }
    expected.assert_eq(&stage.told);
}

const NOON: &str = "2026-01-01T12:00:30Z";

#[test]
fn c_cron_10_each_minute_one_run_starts() {
    check(
        "schedules: ['* * * * *']",
        NOON,
        "150",
        expect![[r#"
            01 12:01:00 submit c-1767268860
            01 12:02:00 submit c-1767268920
            01 12:03:00 submit c-1767268980
            phase 'Active' active ["c-1767268860", "c-1767268920", "c-1767268980"] last 2026-01-01T12:03:00Z good 0 bad 0
        "#]],
    );
}

#[test]
fn c_cron_02_several_schedules_and_coinciding_times() {
    check(
        "schedules: ['*/2 * * * *', '* * * * *', '@every 45s']",
        NOON,
        "100",
        expect![[r#"
            01 12:01:00 submit c-1767268860
            01 12:01:15 submit c-1767268875
            01 12:02:00 submit c-1767268920
            phase 'Active' active ["c-1767268860", "c-1767268875", "c-1767268920"] last 2026-01-01T12:02:00Z good 0 bad 0
        "#]],
    );
}

#[test]
fn c_cron_02_time_zones_skip_and_repeat_hours() {
    let spec = "{schedules: ['30 2 * * *'], timezone: Europe/Zurich}";
    check(
        spec,
        "2026-03-28T12:00:00Z",
        "180000",
        expect![[r#"
            30 00:30:00 submit c-1774830600
            phase 'Active' active ["c-1774830600"] last 2026-03-30T00:30:00Z good 0 bad 0
        "#]],
    );
    check(
        spec,
        "2026-10-24T12:00:00Z",
        "90000",
        expect![[r#"
            25 00:30:00 submit c-1792888200
            25 01:30:00 submit c-1792891800
            phase 'Active' active ["c-1792888200", "c-1792891800"] last 2026-10-25T01:30:00Z good 0 bad 0
        "#]],
    );
}

#[test]
fn c_cron_11_forbid_waits_for_the_active_run() {
    let script = "70
        20 end Succeeded
        60";
    check(
        "{schedules: ['* * * * *'], concurrencyPolicy: Forbid}",
        NOON,
        "100\n 10 end Succeeded\n 60",
        expect![[r#"
            01 12:01:00 submit c-1767268860
            01 12:02:00 held back: Active(["c-1767268860"])
            01 12:03:00 submit c-1767268980
            phase 'Active' active ["c-1767268980"] last 2026-01-01T12:03:00Z good 1 bad 0
        "#]],
    );
    let deadline = "{schedules: ['* * * * *'], concurrencyPolicy: Forbid, startingDeadlineSeconds: 50}";
    check(
        deadline,
        NOON,
        script,
        expect![[r#"
            01 12:01:00 submit c-1767268860
            01 12:02:00 held back: Active(["c-1767268860"])
            01 12:02:00 submit c-1767268920
            01 12:03:00 held back: Active(["c-1767268920"])
            01 12:03:00 held back: Active(["c-1767268920"])
            phase 'Active' active ["c-1767268920"] last 2026-01-01T12:02:00Z good 1 bad 0
        "#]],
    );
}

#[test]
fn c_cron_11_replace_ends_the_active_run() {
    check(
        "{schedules: ['* * * * *'], concurrencyPolicy: Replace}",
        NOON,
        "100\n 0 end Failed\n 1",
        expect![[r#"
            01 12:01:00 submit c-1767268860
            01 12:02:00 terminate c-1767268860
            01 12:02:00 submit c-1767268920
            phase 'Active' active ["c-1767268920"] last 2026-01-01T12:02:00Z good 0 bad 1
        "#]],
    );
}

#[test]
fn c_cron_11_when_and_suspend_hold_back() {
    check(
        "{schedules: ['* * * * *'], when: '{{=cronworkflow.lastScheduledTime == nil}}'}",
        NOON,
        "100",
        expect![[r#"
            01 12:01:00 submit c-1767268860
            01 12:02:00 held back: When
            phase 'Active' active ["c-1767268860"] last 2026-01-01T12:01:00Z good 0 bad 0
        "#]],
    );
    check(
        "{schedules: ['* * * * *'], when: 'a-b'}",
        NOON,
        "40",
        expect![[r#"
            phase '' active [] last - good 0 bad 0
            SubmissionError: run policy error: No parameter 'a' found.
        "#]],
    );
    check(
        "{schedules: ['* * * * *']}",
        NOON,
        "1 suspend\n 100 resume\n 60",
        expect![[r#"
            01 12:01:00 held back: Suspended
            01 12:02:00 held back: Suspended
            01 12:03:00 submit c-1767268980
            phase 'Active' active ["c-1767268980"] last 2026-01-01T12:03:00Z good 0 bad 0
        "#]],
    );
}

#[test]
fn c_cron_12_a_refused_submission_is_told_and_counted_once() {
    check(
        "{schedules: ['* * * * *'], startingDeadlineSeconds: 40}",
        NOON,
        "1 refuse\n 32\n 5\n 5",
        expect![[r#"
            01 12:01:00 submit c-1767268860
            phase '' active [] last - good 0 bad 1
            SubmissionError: Failed to submit Workflow: quota
        "#]],
    );
}

#[test]
fn c_cron_20_missed_starts_are_made_up_for_within_the_deadline_only() {
    let seen = |deadline: &str| {
        format!(
            "{{schedules: ['0 * * * *'], {deadline} annotations: {{cronworkflows.argoproj.io/last-used-schedule: '0 * * * *'}}, status: {{lastScheduledTime: '2026-01-01T09:00:00Z'}}}}"
        )
    };
    check(
        &seen(""),
        NOON,
        "10",
        expect![[r#"
            phase '' active [] last 2026-01-01T09:00:00Z good 0 bad 0
        "#]],
    );
    check(
        &seen("startingDeadlineSeconds: 20,"),
        NOON,
        "10",
        expect![[r#"
            phase '' active [] last 2026-01-01T09:00:00Z good 0 bad 0
        "#]],
    );
    check(
        &seen("startingDeadlineSeconds: 60,"),
        NOON,
        "10\n 10 restart\n 5",
        expect![[r#"
            01 12:00:30 submit c-1767268800
            phase 'Active' active ["c-1767268800"] last 2026-01-01T12:00:00Z good 0 bad 0
        "#]],
    );
    check(
        &seen("startingDeadlineSeconds: 60, timezone: Asia/Tokyo,"),
        NOON,
        "10",
        expect![[r#"
            phase '' active [] last 2026-01-01T09:00:00Z good 0 bad 0
        "#]],
    );
    check(
        "{schedules: ['0 * * * *'], startingDeadlineSeconds: 60}",
        NOON,
        "0 schedule * * * * *\n 20",
        expect![[r#"
            phase '' active [] last - good 0 bad 0
        "#]],
    );
}

#[test]
fn c_cron_30_the_stop_condition_ends_it() {
    check(
        "{schedules: ['* * * * *'], stopStrategy: {expression: 'cronworkflow.failed >= 2'}}",
        NOON,
        "31 end Failed\n 60 end Error\n 100",
        expect![[r#"
            01 12:01:00 submit c-1767268860
            01 12:02:00 submit c-1767268920
            01 12:02:01 delete c-1767268860
            phase 'Stopped' active [] last 2026-01-01T12:02:00Z good 0 bad 2
        "#]],
    );
    check(
        "{schedules: ['* * * * *'], stopStrategy: {expression: 'cronworkflow.x.y'}}",
        NOON,
        "31",
        expect![[r#"
            01 12:01:00 submit c-1767268860
            phase 'Active' active ["c-1767268860"] last 2026-01-01T12:01:00Z good 0 bad 0
            SpecError: failed to check CronWorkflow 'c' stopping condition: unable to evaluate expression 'cronworkflow.x.y': cannot fetch y from <nil> (1:16)
             | cronworkflow.x.y
             | ...............^
        "#]],
    );
}

#[test]
fn c_cron_40_history_keeps_the_newest_of_each_kind() {
    let script = "31 end Succeeded\n 60 end Failed\n 60 end Succeeded\n 60 end Error\n 60 end Succeeded\n 5";
    check(
        "{schedules: ['* * * * *'], successfulJobsHistoryLimit: 2}",
        NOON,
        script,
        expect![[r#"
            01 12:01:00 submit c-1767268860
            01 12:02:00 submit c-1767268920
            01 12:03:00 submit c-1767268980
            01 12:04:00 submit c-1767269040
            01 12:04:01 delete c-1767268920
            01 12:05:00 submit c-1767269100
            01 12:05:01 delete c-1767268860
            phase 'Active' active [] last 2026-01-01T12:05:00Z good 3 bad 2
        "#]],
    );
    check(
        "{schedules: ['* * * * *'], successfulJobsHistoryLimit: 0, failedJobsHistoryLimit: -1}",
        NOON,
        script,
        expect![[r#"
            01 12:01:00 submit c-1767268860
            01 12:01:01 delete c-1767268860
            01 12:02:00 submit c-1767268920
            01 12:03:00 submit c-1767268980
            01 12:03:01 delete c-1767268980
            01 12:04:00 submit c-1767269040
            01 12:04:01 delete c-1767268920
            01 12:05:00 submit c-1767269100
            01 12:05:01 delete c-1767269100
            phase 'Active' active [] last 2026-01-01T12:05:00Z good 3 bad 2
        "#]],
    );
}

#[test]
fn c_cron_02_what_is_wrong_is_told_and_nothing_starts() {
    check(
        "schedules: ['* * * *']",
        NOON,
        "100",
        expect![[r#"
            01 12:00:30 held back: Spec("cron schedule * * * * is malformed: expected exactly 5 fields, found 4: [* * * *]")
            01 12:02:10 held back: Spec("cron schedule * * * * is malformed: expected exactly 5 fields, found 4: [* * * *]")
            phase '' active [] last - good 0 bad 0
            SpecError: cron schedule * * * * is malformed: expected exactly 5 fields, found 4: [* * * *]
        "#]],
    );
}

#[test]
fn c_cron_12_names_labels_and_owner_of_a_run() {
    let spec = "{schedules: ['0 * * * *'], workflowMetadata: {labels: {a: b}, annotations: {c: d}, finalizers: [e/f]}}";
    let mut stage = Stage::new(spec, NOON);
    stage
        .cron
        .metadata
        .labels
        .insert("workflows.argoproj.io/creator".to_owned(), "me".to_owned());
    let config = Config {
        instance_id: "blue".to_owned(),
        ..Config::default()
    };
    let run = cron::child(
        &stage.cron,
        "2026-01-01T13:00:00Z".parse().expect("a time"),
        &config,
    );
    expect![[r#"
        {
          "name": "c-1767272400",
          "namespace": "n",
          "labels": {
            "a": "b",
            "workflows.argoproj.io/controller-instanceid": "blue",
            "workflows.argoproj.io/creator": "me",
            "workflows.argoproj.io/cron-workflow": "c"
          },
          "annotations": {
            "c": "d",
            "workflows.argoproj.io/scheduled-time": "2026-01-01T13:00:00Z"
          },
          "ownerReferences": [
            {
              "apiVersion": "argoproj.io/v1alpha1",
              "kind": "CronWorkflow",
              "name": "c",
              "uid": "cron-uid",
              "controller": true,
              "blockOwnerDeletion": true
            }
          ],
          "finalizers": [
            "e/f"
          ]
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&run.metadata).expect("it is JSON"));
}

#[test]
fn backfill_makes_one_run_for_each_time() {
    let stage = Stage::new("{schedules: ['0 * * * *']}", NOON);
    let request = cron::backfill::Request {
        name: "Redo".to_owned(),
        start: "2026-01-01T00:30:00Z".parse().expect("a time"),
        end: "2026-01-01T03:30:00Z".parse().expect("a time"),
        parallel: false,
        argument: "cronScheduleTime".to_owned(),
        format: "Mon, 02 Jan 2006 15:04:05 MST".to_owned(),
        per_monitor: 2,
        instance_id: String::new(),
    };
    let mut cron = stage.cron;
    cron.spec.workflow_spec.templates[0]
        .container
        .as_mut()
        .expect("a container")
        .args = vec!["{{workflow.name}}".to_owned()];
    let monitors = cron::backfill::monitors(&cron, &request).expect("there are times");
    assert_eq!(monitors.len(), 2, "three times, two to a monitor");
    expect![[r#"
        apiVersion: argoproj.io/v1alpha1
        kind: Workflow
        metadata:
          generateName: c-backfill-redo-
          labels:
            workflows.argoproj.io/backfill: Redo
          namespace: "n"
        spec:
          arguments: {}
          entrypoint: main
          templates:
          - inputs: {}
            metadata: {}
            name: main
            outputs: {}
            steps:
            - - arguments:
                  parameters:
                  - name: cronscheduletime
                    value: '{{item}}'
                name: create-workflow
                template: create-workflow
                withItems:
                - Thu, 01 Jan 2026 01:00:00 UTC
                - Thu, 01 Jan 2026 02:00:00 UTC
          - inputs:
              parameters:
              - name: cronscheduletime
            metadata: {}
            name: create-workflow
            outputs: {}
            resource:
              action: create
              failureCondition: status.phase in (Failed, Error)
              manifest: '{"apiVersion":"argoproj.io/v1alpha1","kind":"Workflow","metadata":{"generateName":"c-backfill-redo-","labels":{"workflows.argoproj.io/backfill":"Redo"}},"spec":{"arguments":{"parameters":[{"name":"cronScheduleTime","value":"{{inputs.parameters.cronscheduletime}}"}]},"entrypoint":"main","templates":[{"container":{"args":["\u007b\u007bworkflow.name}}"],"command":["x"],"image":"x","name":"","resources":{}},"inputs":{},"metadata":{},"name":"main","outputs":{}}]}}'
              setOwnerReference: true
              successCondition: status.phase == Succeeded
            synchronization:
              mutexes:
              - name: c-backfill-redo
        status:
          finishedAt: null
          startedAt: null
    "#]].assert_eq(&argosy_model::yaml::to_string(&monitors[0]).expect("it is YAML"));
}

#[test]
fn backfill_of_a_range_without_times_is_refused() {
    let cron = Stage::new("{schedules: ['0 * * * *']}", NOON).cron;
    for (start, end, text) in [
        (
            "2026-01-01T01:01:00Z",
            "2026-01-01T01:30:00Z",
            "there is no suitable scheduling time",
        ),
        (
            "2026-01-01T02:00:00Z",
            "2026-01-01T01:00:00Z",
            "the end time must be after the start time",
        ),
    ] {
        let wrong = cron::backfill::Request {
            start: start.parse().expect("a time"),
            end: end.parse().expect("a time"),
            name: "redo".to_owned(),
            parallel: true,
            argument: "at".to_owned(),
            format: "2006".to_owned(),
            per_monitor: 1,
            instance_id: String::new(),
        };
        assert_eq!(
            cron::backfill::monitors(&cron, &wrong)
                .expect_err("it is wrong")
                .to_string(),
            text
        );
    }
}

#[test]
fn c_cron_12_a_run_that_nobody_remembers_is_not_made_again() {
    let replace = "{schedules: ['* * * * *'], concurrencyPolicy: Replace, startingDeadlineSeconds: 50}";
    check(
        replace,
        NOON,
        "100\n 0 lose 2026-01-01T12:01:00Z\n 5",
        expect![[r#"
            01 12:01:00 submit c-1767268860
            01 12:02:00 terminate c-1767268860
            01 12:02:00 submit c-1767268920
            phase 'Active' active ["c-1767268860", "c-1767268920"] last 2026-01-01T12:02:00Z good 0 bad 0
        "#]],
    );
}

#[test]
fn c_cron_11_runs_that_are_due_together_count_for_each_other() {
    check(
        "{schedules: ['* * * * *', '1-59/2 * * * *'], concurrencyPolicy: Forbid, timezone: UTC}",
        NOON,
        "0\n 0 clock 2026-01-01T12:02:20Z\n 1",
        expect![[r#"
            01 12:02:20 submit c-1767268860
            01 12:02:20 held back: Active(["c-1767268860"])
            phase 'Active' active ["c-1767268860"] last 2026-01-01T12:01:00Z good 0 bad 0
        "#]],
    );
}

#[test]
fn a_clock_that_was_far_ahead_stops_nothing() {
    check(
        "schedules: ['0 * * * *']",
        "2030-01-01T12:00:30Z",
        "0\n 0 clock 2026-01-01T12:59:00Z\n 100",
        expect![[r#"
            01 13:00:00 submit c-1767272400
            phase 'Active' active ["c-1767272400"] last 2026-01-01T13:00:00Z good 0 bad 0
        "#]],
    );
}
