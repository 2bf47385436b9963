//! kubectl itself against a platform: scripts of command lines and all that comes out of them, in `kubectl/*.txt`.
//!
//! A line that begins with `$` is a command; `$ let NAME = COMMAND` keeps what it prints for `{NAME}` in later ones. What
//! differs from run to run (ages, times, ids, addresses) is replaced. `UPDATE_EXPECT=1` writes the scripts anew.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use expect_test::{ExpectFile, expect_file};
use regex::Regex;

use crate::machine::{Machine, finish, wait_for};

/// Runs the commands of a script on a new platform, in a folder with these files, and compares what comes out.
#[expect(
    clippy::needless_pass_by_value,
    reason = "a case reads better without a reference"
)]
fn check(script: ExpectFile, files: &[(&str, &str)]) {
    let mut machine = Machine::new();
    machine.start();
    for (name, text) in files {
        std::fs::write(machine.folder().join(name), text).expect("the folder can be written");
    }
    let mut kept = BTreeMap::from([("server".to_owned(), format!("https://{}", machine.address()))]);
    let mut out = String::new();
    for line in script.data().lines() {
        let Some(wanted) = line.strip_prefix("$ ") else {
            continue;
        };
        let fill = |text: &str| {
            kept.iter().fold(text.to_owned(), |text, (name, value)| {
                text.replace(&format!("{{{name}}}"), value)
            })
        };
        out.push_str(&format!("{line}\n"));
        match wanted
            .strip_prefix("let ")
            .and_then(|rest| rest.split_once(" = "))
        {
            Some((name, line)) => {
                let child = command(&machine, &words(&fill(line))).spawn();
                let done = finish(child.expect("kubectl starts"), line);
                kept.insert(name.to_owned(), done.stdout.trim().to_owned());
            }
            None => out.push_str(&says(&machine, &fill(wanted), "")),
        }
        if !out.ends_with('\n') {
            out.push('\n');
        }
    }
    script.assert_eq(&out);
}

/// A call of kubectl.
pub fn command(machine: &Machine, args: &[String]) -> Command {
    let mut command = Command::new(program());
    command.args(args);
    around(machine, &mut command);
    command
}

/// Gives a command what kubectl needs around it.
pub fn around(machine: &Machine, command: &mut Command) {
    command
        .current_dir(machine.folder())
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap_or_default())
        .env("HOME", machine.folder())
        .env("KUBECONFIG", machine.kubeconfig())
        .env("KUBE_EDITOR", "sed -i s/edited-before/edited-after/")
        .env("TZ", "UTC")
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
}

/// What comes out of a line of words, separated by spaces; `'` keeps words together. Its standard input is `input`.
pub fn says(machine: &Machine, line: &str, input: &str) -> String {
    says_with(machine, line, input, &[])
}

fn says_with(machine: &Machine, line: &str, input: &str, environment: &[(&str, &str)]) -> String {
    let words = words(line);
    let mut command = command(machine, &words);
    command.envs(environment.iter().copied()).stdin(Stdio::piped());
    let mut child = command.spawn().expect("kubectl starts");
    let mut stdin = child.stdin.take().expect("standard input is a pipe");
    // A command that reads nothing closes it early.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let ended = finish(child, line);
    let code = match ended.code {
        Some(0) => String::new(),
        code => format!("exit code {}\n", code.unwrap_or(-1)),
    };
    masked(&format!("{}{}{code}", ended.stdout, ended.stderr))
}

/// kubectl where `ARGOSY_KUBECTL` says, else where `cargo xtask parts` puts it, else on the path.
pub fn program() -> PathBuf {
    if let Some(program) = std::env::var_os("ARGOSY_KUBECTL") {
        return program.into();
    }
    let home = std::env::var_os("HOME").map(PathBuf::from).unwrap_or_default();
    let parts =
        std::env::var_os("ARGOSY_PARTS").map_or_else(|| home.join(".cache/argosy-parts/bin"), PathBuf::from);
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::iter::once(parts)
        .chain(std::env::split_paths(&path))
        .map(|folder| folder.join("kubectl"))
        .find(|program| program.is_file());
    found.expect("kubectl is missing; `cargo xtask parts kubectl` brings it")
}

pub fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in line.split('\'').enumerate() {
        if index % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

/// The text without what differs from run to run.
fn masked(text: &str) -> String {
    let rules = [
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME"),
        (r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+\d{4}", "TIME"),
        (
            r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}",
            "UID",
        ),
        (r"(?m)\b(\d+m)?\d+s$", "AGE"),
        (r"Resource Version:( +)\d+", "Resource Version:${1}NUMBER"),
        (r"(?m) +$", ""),
        (r"127\.0\.0\.1:\d+", "ADDRESS"),
        // Where releases of kubectl differ, which are all welcome.
        (r"(?m) deleted from \w+ namespace$", " deleted"),
        (r"\n{2,}", "\n"),
    ];
    rules.into_iter().fold(text.to_owned(), |text, (pattern, with)| {
        let pattern = Regex::new(pattern).expect("a pattern");
        pattern.replace_all(&text, with).into_owned()
    })
}

const CONFIG: &str =
    "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: d}\ndata: {a: '1', b: edited-before}\n";

#[test]
fn objects_are_made_changed_shown_and_deleted() {
    let less = CONFIG.replace("a: '1', ", "");
    check(
        expect_file!["./kubectl/objects.txt"],
        &[("config", CONFIG), ("less", &less)],
    );
}

#[test]
fn applies_on_the_server_know_who_owns_what() {
    let other = CONFIG.replace("'1'", "'2'");
    check(
        expect_file!["./kubectl/applies.txt"],
        &[("config", CONFIG), ("other", &other)],
    );
}

#[test]
fn the_server_tells_what_it_serves() {
    check(expect_file!["./kubectl/serves.txt"], &[]);
}

const DEFINITION: &str = "
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: things.example.com}
spec:
  group: example.com
  scope: Namespaced
  names: {plural: things, singular: thing, kind: Thing, shortNames: [tg]}
  versions:
  - name: v1
    served: true
    storage: true
    schema:
      openAPIV3Schema:
        type: object
        description: A thing.
        properties:
          spec:
            type: object
            description: What it should be.
            properties:
              replicas: {type: integer, minimum: 0, description: How many.}
              size: {type: string, default: small}
          status: {type: object, properties: {replicas: {type: integer}, phase: {type: string}}}
    subresources:
      status: {}
      scale: {specReplicasPath: .spec.replicas, statusReplicasPath: .status.replicas}
    additionalPrinterColumns:
    - {name: Size, type: string, jsonPath: .spec.size}
    - {name: Replicas, type: integer, jsonPath: .spec.replicas}
    - {name: Wide, type: string, jsonPath: .metadata.name, priority: 1}
    - {name: Age, type: date, jsonPath: .metadata.creationTimestamp}
";

const THING: &str = "apiVersion: example.com/v1\nkind: Thing\nmetadata: {name: t}\nspec: {replicas: 2}\n";

#[test]
fn custom_kinds_are_used_like_others() {
    let files = [
        ("definition", DEFINITION),
        ("thing", THING),
        ("unknown", &THING.replace("replicas: 2", "siz: x")),
        ("negative", &THING.replace("2}", "-1}")),
    ];
    check(expect_file!["./kubectl/kinds.txt"], &files);
}

#[test]
fn roles_are_evaluated() {
    check(expect_file!["./kubectl/roles.txt"], &[]);
}

const POD: &str = "
apiVersion: v1
kind: Pod
metadata: {name: p, labels: {app: p}}
spec:
  restartPolicy: Never
  terminationGracePeriodSeconds: 1
  containers:
  - name: main
    image: any
    command: [sh, -c, 'echo begin; while ! test -e /tmp/go; do sleep 0.05; done; echo end']
";

#[test]
fn pods_are_shown_and_their_ends_awaited() {
    check(expect_file!["./kubectl/pods.txt"], &[("pod", POD)]);
}

#[test]
fn commands_run_in_pods_whatever_kubectl_speaks() {
    let mut machine = Machine::new();
    machine.start();
    assert_eq!(says(&machine, "apply -f -", POD), "pod/p created\n");
    says(&machine, "wait --for=condition=Ready pod/p --timeout=50s", "");
    for sockets in ["true", "false"] {
        // Without WebSockets kubectl speaks SPDY, as before 1.31.
        let exec = |line: &str, input: &str| {
            says_with(
                &machine,
                line,
                input,
                &[("KUBECTL_REMOTE_COMMAND_WEBSOCKETS", sockets)],
            )
        };
        assert_eq!(exec("exec p -- echo hello", ""), "hello\n", "{sockets}");
        assert_eq!(exec("exec -i p -- cat", "typed"), "typed", "{sockets}");
        let failed = exec("exec p -- sh -c 'echo out; exit 3'", "");
        assert_eq!(
            failed, "out\ncommand terminated with exit code 3\nexit code 3\n",
            "{sockets}"
        );
        let big = "x".repeat(300_000);
        assert_eq!(exec("exec -i p -- wc -c", &big).trim(), "300000", "{sockets}");
    }
}

#[test]
fn pods_are_watched_and_their_logs_followed() {
    let mut machine = Machine::new();
    machine.start();
    assert_eq!(says(&machine, "apply -f -", POD), "pod/p created\n");
    let watched = machine.folder().join("watched");
    let file = std::fs::File::create(&watched).expect("the folder can be written");
    let watched = || std::fs::read_to_string(&watched).unwrap_or_default();
    let mut watch = command(
        &machine,
        &words("get pods --watch -o 'jsonpath={.status.phase} '"),
    )
    .stdout(file)
    .spawn()
    .expect("kubectl starts");
    wait_for("the watch shows the pod", || {
        watched().contains("Running ").then_some(())
    });
    let follow = command(&machine, &words("logs -f p")).spawn();
    // The pod may end before the command has said how it ended.
    says(&machine, "exec p -- touch /tmp/go", "");
    let followed = finish(follow.expect("kubectl starts"), "logs -f");
    assert_eq!(
        (followed.stdout.as_str(), followed.code),
        ("begin\nend\n", Some(0))
    );
    wait_for("the watch shows the end", || {
        watched().ends_with("Succeeded ").then_some(())
    });
    watch.kill().expect("kubectl can be ended");
    watch.wait().expect("kubectl can be awaited");
}
