//! The emissary around real processes: exit codes, signals, captured output, dependencies
//! (section 5 of the executor's rules). Saved outputs are checked in `outputs.rs`.

use std::os::unix::process::ExitStatusExt as _;
use std::process::Output;
use std::time::Instant;

use rustix::process::{Pid, Signal, kill_process};

use super::pod::{Pod, adopt_orphans, eventually, finish, mode};

struct Expected<'a> {
    code: i32,
    file: &'a str,
    message: Option<&'a str>,
}

#[track_caller]
fn check(pod: &Pod, container: &str, output: &Output, want: &Expected<'_>) {
    let log = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        output.status.code(),
        Some(want.code),
        "{:?}\n{log}",
        output.status.signal()
    );
    assert_eq!(pod.of(container, "exitcode").as_deref(), Some(want.file));
    assert_eq!(pod.read("/dev/termination-log").as_deref(), want.message);
}

#[test]
fn x_gen_30_31_codes_of_the_child() {
    for (script, code) in [
        ("exit 0", 0),
        ("exit 3", 3),
        ("exit 255", 255),
        ("kill -TERM $$; sleep 60", 143),
        ("kill -KILL $$; sleep 60", 137),
    ] {
        let pod = Pod::with_template("{}");
        let output = pod.run("main", script);
        let file = code.to_string();
        check(
            &pod,
            "main",
            &output,
            &Expected {
                code,
                file: &file,
                message: None,
            },
        );
        assert_eq!(
            mode(&pod.path("/var/run/argo/ctr/main/exitcode")),
            0o644,
            "X-EMIS-01"
        );
        assert_eq!(mode(&pod.path("/var/run/argo/ctr/main")), 0o777, "X-EMIS-02");
        let log = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(log.contains("argo=true"), "X-GEN-25: {log}");
        assert_eq!(
            log.contains(&format!("Error: exit status {code}")),
            code != 0,
            "X-GEN-27"
        );
    }
}

#[test]
fn x_emis_09_commands_that_cannot_be_run() {
    for (command, message) in [
        (
            "nosuchcmd",
            "failed to find name in PATH: exec: \"nosuchcmd\": executable file not found in $PATH",
        ),
        (
            "/no/such/file",
            "failed to start command: fork/exec /no/such/file: no such file or directory",
        ),
        (
            "/etc",
            "failed to start command: fork/exec /etc: permission denied",
        ),
    ] {
        let pod = Pod::with_template("{}");
        let output = finish(pod.emissary("main", &[command]).spawn().unwrap());
        check(
            &pod,
            "main",
            &output,
            &Expected {
                code: 64,
                file: "64",
                message: Some(message),
            },
        );
    }
}

#[test]
fn x_emis_05_no_template() {
    let pod = Pod::with_template("{}");
    std::fs::remove_file(pod.path("/var/run/argo/template")).unwrap();
    let output = pod.run("main", "exit 0");
    assert_eq!(output.status.code(), Some(64));
    // The environment is the second place.
    let mut program = pod.emissary("main", &["true"]);
    let output = finish(program.env("ARGO_TEMPLATE", "{}").spawn().unwrap());
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn x_emis_22_nothing_is_kept_unless_asked_for() {
    let pod = Pod::with_template("{}");
    let output = pod.run("main", "echo out; echo err >&2");
    assert_eq!(String::from_utf8_lossy(&output.stdout), "out\n");
    assert_eq!(pod.of("main", "stdout"), None);
    assert_eq!(pod.of("main", "combined"), None);
}

#[test]
fn x_emis_22_kept_output() {
    for (template, variable) in [
        ("{}", "true"),
        (r#"{"archiveLocation":{"archiveLogs":true}}"#, "false"),
    ] {
        let pod = Pod::with_template(template);
        let mut program = pod.emissary("main", &["sh", "-c", "echo out; sleep 0.1; echo err >&2"]);
        program.env("ARGO_INCLUDE_SCRIPT_OUTPUT", variable);
        let output = finish(program.spawn().unwrap());
        assert_eq!(String::from_utf8_lossy(&output.stdout), "out\n");
        assert!(String::from_utf8_lossy(&output.stderr).contains("err\n"));
        assert_eq!(pod.of("main", "stdout").as_deref(), Some("out\n"));
        assert_eq!(pod.of("main", "combined").as_deref(), Some("out\nerr\n"));
        assert_eq!(mode(&pod.path("/var/run/argo/ctr/main/stdout")), 0o666);
    }
}

#[test]
fn x_emis_22_all_of_a_long_output_is_kept() {
    let pod = Pod::with_template("{}");
    let mut program = pod.emissary("main", &["sh", "-c", "head -c 3000000 /dev/zero"]);
    program.env("ARGO_INCLUDE_SCRIPT_OUTPUT", "true");
    let output = finish(program.spawn().unwrap());
    assert_eq!(output.stdout.len(), 3_000_000);
    assert_eq!(pod.of("main", "stdout").unwrap().len(), 3_000_000);
}

#[test]
fn x_emis_23_25_orphans_do_not_delay_the_end() {
    let pod = Pod::with_template("{}");
    let script = "i=0; while [ $i -lt 200 ]; do (sleep 0.05 &) ; i=$((i+1)); done; sleep 60 & exit 5";
    let mut program = pod.emissary("main", &["sh", "-c", script]);
    program.env("ARGO_INCLUDE_SCRIPT_OUTPUT", "true");
    adopt_orphans(&mut program);
    let start = Instant::now();
    let output = finish(
        program
            .stdout(std::process::Stdio::null())
            .stderr(std::process::Stdio::null())
            .spawn()
            .unwrap(),
    );
    assert_eq!(output.status.code(), Some(5));
    assert!(
        start.elapsed().as_secs() < 10,
        "the last orphan sleeps for a minute"
    );
}

#[test]
fn x_emis_24_an_orphans_status_is_not_the_childs() {
    let pod = Pod::with_template("{}");
    let mut program = pod.emissary("main", &["sh", "-c", "(sh -c 'exit 9' &) ; sleep 0.1; exit 4"]);
    adopt_orphans(&mut program);
    assert_eq!(finish(program.spawn().unwrap()).status.code(), Some(4));
}

#[test]
fn x_emis_30_signals_reach_the_whole_group() {
    let pod = Pod::with_template("{}");
    let marks = pod.path("/marks");
    std::fs::create_dir(&marks).unwrap();
    let script = format!(
        "sh -c 'trap \"touch {0}/grandchild; exit 0\" TERM; touch {0}/ready; while :; do sleep 0.01; done' & \
         trap 'wait; touch {0}/child; exit 7' TERM; touch {0}/set; while :; do sleep 0.01; done",
        marks.display()
    );
    let child = pod.emissary("main", &["sh", "-c", &script]).spawn().unwrap();
    eventually("start", || {
        let is_there = |name: &str| marks.join(name).exists();
        (is_there("ready") && is_there("set")).then_some(())
    });
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let output = finish(child);
    check(
        &pod,
        "main",
        &output,
        &Expected {
            code: 7,
            file: "7",
            message: None,
        },
    );
    assert!(marks.join("grandchild").exists() && marks.join("child").exists());
}

#[test]
fn x_emis_31_the_signal_file() {
    let pod = Pod::with_template("{}");
    let child = pod.emissary("main", &["sleep", "60"]).spawn().unwrap();
    let folder = pod.path("/var/run/argo/ctr/main");
    eventually("start", || folder.exists().then_some(()));
    // Half-written at first, as whoever writes it may be seen.
    std::fs::write(folder.join("signal"), "").unwrap();
    std::fs::write(folder.join("signal"), "15").unwrap();
    let output = finish(child);
    check(
        &pod,
        "main",
        &output,
        &Expected {
            code: 143,
            file: "143",
            message: None,
        },
    );
    assert_eq!(pod.of("main", "signal"), None, "it is deleted once read");
}

#[test]
fn x_emis_31_a_signal_file_from_before_the_start() {
    let pod = Pod::with_template("{}");
    pod.write("/var/run/argo/ctr/main/signal", "9\n");
    let output = finish(pod.emissary("main", &["sleep", "60"]).spawn().unwrap());
    check(
        &pod,
        "main",
        &output,
        &Expected {
            code: 137,
            file: "137",
            message: None,
        },
    );
}

#[test]
fn x_emis_32_a_sidecar_ends_after_main() {
    for (script, grace, code) in [
        ("touch ready; exec sleep 60", "30", 143),
        // One that does not listen is killed when the grace period is over.
        (
            "trap '' TERM; touch ready; while :; do sleep 0.01; done",
            "0",
            137,
        ),
    ] {
        let pod = Pod::with_template(r#"{"sidecars":[{"name":"side"}]}"#);
        let mut program = pod.emissary("side", &["sh", "-c", script]);
        program.current_dir(pod.root.path());
        let child = program
            .env("ARGO_TERMINATION_GRACE_PERIOD_SECONDS", grace)
            .spawn()
            .unwrap();
        // Only then it no longer listens.
        eventually("start", || pod.path("/ready").exists().then_some(()));
        pod.write("/var/run/argo/ctr/main/exitcode", "0");
        let output = finish(child);
        check(
            &pod,
            "side",
            &output,
            &Expected {
                code,
                file: &code.to_string(),
                message: None,
            },
        );
    }
}

const SET: &str = r#"{"containerSet":{"containers":[
    {"name":"a"},{"name":"b","dependencies":["a"]},{"name":"main","dependencies":["a","b"]}]}}"#;

#[test]
fn x_emis_07_dependencies_in_order() {
    let pod = Pod::with_template(SET);
    let order = pod.path("/order");
    let start = |name: &str| {
        let script = format!("echo {name} >> {}", order.display());
        pod.emissary(name, &["sh", "-c", &script]).spawn().unwrap()
    };
    let children = [start("main"), start("b"), start("a")];
    for child in children {
        assert_eq!(finish(child).status.code(), Some(0));
    }
    assert_eq!(pod.read("/order").as_deref(), Some("a\nb\nmain\n"));
}

#[test]
fn x_emis_07_a_failed_dependency() {
    let pod = Pod::with_template(SET);
    pod.write("/var/run/argo/ctr/a/exitcode", "3");
    let output = pod.run("b", "exit 0");
    let message = Some("dependency \"a\" exited with non-zero code: 3");
    check(
        &pod,
        "b",
        &output,
        &Expected {
            code: 64,
            file: "3",
            message,
        },
    );
}

#[test]
fn x_emis_07_terminated_while_waiting() {
    let pod = Pod::with_template(SET);
    let child = pod.emissary("b", &["true"]).spawn().unwrap();
    eventually("waiting", || {
        pod.path("/var/run/argo/ctr/a").exists().then_some(())
    });
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    let output = finish(child);
    check(
        &pod,
        "b",
        &output,
        &Expected {
            code: 143,
            file: "143",
            message: None,
        },
    );
}

#[test]
fn x_emis_08_the_file_says_what_the_process_says() {
    let pod = Pod::with_template(SET);
    pod.write("/var/run/argo/ctr/a/exitcode", "0");
    let output = finish(pod.emissary("b", &["nosuchcmd"]).spawn().unwrap());
    assert_eq!(output.status.code(), Some(64));
    assert_eq!(pod.of("b", "exitcode").as_deref(), Some("64"));
}

#[test]
fn x_emis_41_42_retries_are_runs_and_at_least_one() {
    for (retries, runs) in [("0", 1), ("1", 1), ("2", 2), ("\"3\"", 3)] {
        let pod = Pod::with_template(&format!(
            r#"{{"containerSet":{{"containers":[{{"name":"main"}}],"retryStrategy":{{"retries":{retries},"duration":"1ms"}}}}}}"#
        ));
        let count = pod.path("/count");
        let output = pod.run("main", &format!("echo run >> {}; exit 6", count.display()));
        assert_eq!(output.status.code(), Some(6));
        assert_eq!(
            pod.read("/count").unwrap().lines().count(),
            runs,
            "retries {retries}"
        );
    }
}

#[test]
fn x_emis_40_bad_retry_strategies() {
    for retry in [r#"{"retries":-1}"#, r#"{"retries":2,"duration":"soon"}"#] {
        let pod = Pod::with_template(&format!(
            r#"{{"containerSet":{{"containers":[{{"name":"main"}}],"retryStrategy":{retry}}}}}"#
        ));
        assert_eq!(pod.run("main", "exit 0").status.code(), Some(64));
        assert_eq!(pod.of("main", "exitcode").as_deref(), Some("64"));
    }
}

#[test]
fn x_emis_43_a_termination_signal_ends_retries() {
    let pod = Pod::with_template(
        r#"{"containerSet":{"containers":[{"name":"main"}],"retryStrategy":{"retries":5,"duration":"1h"}}}"#,
    );
    let child = pod.emissary("main", &["sh", "-c", "exit 1"]).spawn().unwrap();
    eventually("start", || {
        pod.path("/var/run/argo/ctr/main").exists().then_some(())
    });
    pod.write("/var/run/argo/ctr/main/signal", "15");
    // Whether the order comes while the process runs or while the emissary pauses.
    let code = finish(child).status.code();
    assert!(matches!(code, Some(1 | 143)), "{code:?}");
}

#[test]
fn x_emis_20_pauses() {
    let pod = Pod::with_template("{}");
    let mut program = pod.emissary("main", &["touch", "ran"]);
    program.current_dir(pod.root.path());
    program
        .env("ARGO_DEBUG_PAUSE_BEFORE", "true")
        .env("ARGO_DEBUG_PAUSE_AFTER", "true");
    let child = program.spawn().unwrap();
    eventually("start", || {
        pod.path("/var/run/argo/ctr/main").exists().then_some(())
    });
    assert!(!pod.path("/ran").exists());
    pod.write("/var/run/argo/ctr/main/before", "");
    eventually("run", || pod.path("/ran").exists().then_some(()));
    assert_eq!(pod.of("main", "exitcode"), None);
    pod.write("/var/run/argo/ctr/main/after", "");
    assert_eq!(finish(child).status.code(), Some(0));
}

#[test]
fn x_emis_03_offloaded_arguments() {
    let pod = Pod::with_template("{}");
    let long = "x".repeat(131_073);
    pod.write("/args.json", &serde_json::json!(["two words", long]).to_string());
    let script = r#"printf '%s|' "$0" "$1" "${2#@}""#;
    let mut program = pod.emissary("main", &["sh", "-c", script, "first"]);
    let output = finish(
        program
            .env("ARGO_CONTAINER_ARGS_FILE", "/args.json")
            .spawn()
            .unwrap(),
    );
    let file = pod.path("/tmp/argo_arg_4.txt");
    let want = format!("first|two words|{}|", file.display());
    assert_eq!(String::from_utf8_lossy(&output.stdout), want);
    assert_eq!(std::fs::read_to_string(file).unwrap(), long);
}

#[test]
fn x_cli_12_kill() {
    let pod = Pod::with_template("{}");
    let mut victim = std::process::Command::new("sleep").arg("60").spawn().unwrap();
    let output = std::process::Command::new(env!("CARGO_BIN_EXE_argosy-emissary"))
        .args(["kill", "15", &victim.id().to_string()])
        .env("ARGOSY_ROOT", pod.root.path())
        .output()
        .unwrap();
    let text = format!("killing {} with 15\n", victim.id());
    assert_eq!(String::from_utf8_lossy(&output.stdout), text);
    assert_eq!(victim.wait().unwrap().signal(), Some(15));
}

#[test]
fn x_cli_01_wrong_lines() {
    for (args, code) in [
        (vec![], 0),
        (vec!["version", "--short"], 0),
        (vec!["nosuch"], 64),
        (vec!["emissary"], 64),
        (vec!["emissary", "--nosuch"], 64),
        (vec!["kill", "15", "-1"], 64),
        (vec!["kill", "15"], 64),
    ] {
        let pod = Pod::with_template("{}");
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_argosy-emissary"))
            .args(&args)
            .env("ARGOSY_ROOT", pod.root.path())
            .env("ARGO_CONTAINER_NAME", "main")
            .output()
            .unwrap();
        assert_eq!(output.status.code(), Some(code), "{args:?}");
    }
}
