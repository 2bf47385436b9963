//! `argosy cron` against the API server of this project; no controller starts anything.
#![cfg(feature = "connect")]

mod program;
mod server;

use expect_test::{Expect, expect};
use program::Program;
use serde_json::{Value, json};
use server::Server;

const CRONS: &str = "/apis/argoproj.io/v1alpha1/namespaces/default/cronworkflows";
const WORKFLOWS: &str = "/apis/argoproj.io/v1alpha1/namespaces/default/workflows";

const NIGHTLY: &str = "apiVersion: argoproj.io/v1alpha1
kind: CronWorkflow
metadata: {name: nightly}
spec:
  schedules: [0 2 31 2 *]
  timezone: Europe/Zurich
  workflowSpec:
    entrypoint: main
    serviceAccountName: builder
    templates:
    - name: main
      suspend: {}
";

/// Runs a command with the file `c.yaml`; times of the day are left out.
#[expect(
    clippy::needless_pass_by_value,
    reason = "a case reads better without a reference"
)]
fn check(server: &Server, args: &[&str], text: &str, wanted: Expect) {
    let said = Program::new(args)
        .file("kubeconfig", &server.kubeconfig)
        .file("c.yaml", text)
        .output();
    let lines = said.lines().map(|line| match line.split_once(": ") {
        Some((key @ ("Created" | "LastScheduledTime"), _)) => format!("{key}: ..."),
        _ => ages(line.trim_end()),
    });
    wanted.assert_eq(&lines.map(|line| line + "\n").collect::<String>());
}

/// The line with every age as if nothing took any time; a test may take seconds on a busy machine.
fn ages(line: &str) -> String {
    let age = |word: &str| word.len() == 2 && word.ends_with('s') && word.as_bytes()[0].is_ascii_digit();
    line.split(' ')
        .map(|word| if age(word) { "0s" } else { word })
        .collect::<Vec<_>>()
        .join(" ")
}

#[test]
fn they_are_made_and_shown() {
    let server = Server::start();
    let run = |args: &[&str], text: &str, wanted| check(&server, args, text, wanted);
    run(
        &["cron", "create", "c.yaml"],
        NIGHTLY,
        expect![[r#"
        Name:                          nightly
        Namespace:                     default
        Created: ...
        Schedules:                     0 2 31 2 *
        Suspended:                     false
        Timezone:                      Europe/Zurich
        exit code 0
    "#]],
    );
    run(
        &["cron", "create", "c.yaml"],
        NIGHTLY,
        expect![[r#"
        stderr:
        Error: cronworkflows.argoproj.io "nightly" already exists
        exit code 1
    "#]],
    );
    run(
        &["cron", "list"],
        "",
        expect![[r#"
        NAME      AGE   LAST RUN   NEXT RUN   SCHEDULES    TIMEZONE        SUSPENDED
        nightly   0s    N/A        N/A        0 2 31 2 *   Europe/Zurich   false
        exit code 0
    "#]],
    );
    run(
        &["cron", "list", "-A", "-o", "name"],
        "",
        expect![[r#"
        nightly
        exit code 0
    "#]],
    );
}

#[test]
fn they_are_suspended_replaced_and_deleted() {
    let server = Server::start();
    let run = |args: &[&str], text: &str, wanted| check(&server, args, text, wanted);
    run(
        &["cron", "create", "c.yaml", "-o", "name"],
        NIGHTLY,
        expect![[r#"
        nightly
        exit code 0
    "#]],
    );
    run(
        &["cron", "suspend", "nightly"],
        "",
        expect![[r#"
        CronWorkflow 'nightly' suspended
        exit code 0
    "#]],
    );
    server.patch(
        &format!("{CRONS}/nightly"),
        &json!({"status": {"succeeded": 3, "phase": "Active"}}),
    );
    let changed = NIGHTLY.replace("Europe/Zurich", "UTC");
    run(
        &["cron", "update", "c.yaml", "-o", "name"],
        &changed,
        expect![[r#"
        nightly
        exit code 0
    "#]],
    );
    let stored = server.object(&format!("{CRONS}/nightly"));
    assert_eq!(stored["spec"]["timezone"], "UTC");
    assert_eq!(stored["status"]["succeeded"], 3, "what it did so far stays");
    run(
        &["cron", "resume", "nightly"],
        "",
        expect![[r#"
        CronWorkflow 'nightly' resumed
        exit code 0
    "#]],
    );
    run(
        &["cron", "get", "nightly"],
        "",
        expect![[r#"
        Name:                          nightly
        Namespace:                     default
        Created: ...
        Schedules:                     0 2 31 2 *
        Suspended:                     false
        Timezone:                      UTC
        exit code 0
    "#]],
    );
    run(
        &["cron", "delete", "nightly"],
        "",
        expect![[r#"
        exit code 0
    "#]],
    );
    run(
        &["cron", "get", "nightly"],
        "",
        expect![[r#"
        stderr:
        Error: cronworkflows.argoproj.io "nightly" not found
        exit code 1
    "#]],
    );
    run(
        &["cron", "delete", "--all"],
        "",
        expect![[r#"
        exit code 0
    "#]],
    );
}

#[test]
fn options_of_create_count() {
    let server = Server::start();
    let args = [
        "cron",
        "create",
        "c.yaml",
        "--schedule",
        "*/5 * * * *",
        "--name",
        "often",
        "-p",
        "who=me",
        "-l",
        "team=a",
        "--serviceaccount",
        "other",
        "-o",
        "name",
    ];
    check(
        &server,
        &args,
        NIGHTLY,
        expect![[r#"
        often
        exit code 0
    "#]],
    );
    let made = server.object(&format!("{CRONS}/often"));
    assert_eq!(made["spec"]["schedules"], json!(["*/5 * * * *"]));
    assert_eq!(made["metadata"]["labels"], json!({"team": "a"}));
    let spec = &made["spec"]["workflowSpec"];
    assert_eq!(spec["serviceAccountName"], "other");
    assert_eq!(
        spec["arguments"]["parameters"],
        json!([{"name": "who", "value": "me"}])
    );
}

#[test]
fn what_could_not_run_is_not_made() {
    let server = Server::start();
    let wrong = NIGHTLY.replace("0 2 31 2 *", "0 2");
    check(
        &server,
        &["cron", "create", "c.yaml"],
        &wrong,
        expect![[r#"
        stderr:
        Error: cron schedule 0 2 is malformed: expected exactly 5 fields, found 2: [0 2]
        exit code 1
    "#]],
    );
    check(
        &server,
        &["cron", "lint", "c.yaml"],
        &wrong,
        expect![[r#"
        [4mc.yaml[0m:
           [31m✖[0m in "nightly" (CronWorkflow): cron schedule 0 2 is malformed: expected exactly 5 fields, found 2: [0 2] [line 5, column 15]

        [31m✖[0m 1 linting errors found!
        exit code 1
    "#]],
    );
    check(
        &server,
        &["cron", "lint", "c.yaml"],
        NIGHTLY,
        expect![[r#"
        [32m✔[0m no linting errors found!
        exit code 0
    "#]],
    );
}

#[test]
fn a_range_of_the_past_is_made_up_for() {
    let server = Server::start();
    let hourly = NIGHTLY.replace("0 2 31 2 *", "0 * * * *");
    check(
        &server,
        &["cron", "create", "c.yaml", "-o", "name"],
        &hourly,
        expect![[r#"
        nightly
        exit code 0
    "#]],
    );
    let args = |start, end| {
        [
            "cron",
            "backfill",
            "nightly",
            "--start",
            start,
            "--end",
            end,
            "--name",
            "redo",
            "--maxworkflowcount",
            "2",
            "--instanceid",
            "mine",
        ]
    };
    let (start, end) = ("Thu, 01 Jan 2026 00:30:00 UTC", "Thu, 01 Jan 2026 03:30:00 UTC");
    let said = Program::new(&args(start, end))
        .file("kubeconfig", &server.kubeconfig)
        .output();
    assert_eq!(
        said.lines().filter(|line| line.ends_with(" created")).count(),
        2,
        "{said}"
    );
    let made: Vec<Value> = server.object(WORKFLOWS)["items"]
        .as_array()
        .cloned()
        .expect("a list");
    for monitor in &made {
        let labels = &monitor["metadata"]["labels"];
        assert_eq!(labels["workflows.argoproj.io/backfill"], "redo");
        assert_eq!(labels["workflows.argoproj.io/controller-instanceid"], "mine");
        assert_eq!(monitor["spec"]["serviceAccountName"], "builder");
    }
    check(
        &server,
        &args(end, start),
        "",
        expect![[r#"
        stderr:
        Error: the end time must be after the start time
        exit code 1
    "#]],
    );
    check(
        &server,
        &args("yesterday", end),
        "",
        expect![[r#"
        stderr:
        Error: --start yesterday: parsing time "yesterday" as "Mon, 02 Jan 2006 15:04:05 MST": cannot parse "yesterday" as "Mon"
        exit code 1
    "#]],
    );
}
