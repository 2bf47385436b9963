//! `argosy run` for real, on the machine's own files: what goes wrong in a run, how it is told, and that nothing stays
//! behind.

use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::machine::{Ended, Machine, finish, wait_for};

const SLEEP: &str = "command: [sleep, '1000']";

/// A folder in which a run keeps everything that it makes.
struct Room(Machine);

impl Room {
    fn new() -> Self {
        let room = Self(Machine::new());
        std::fs::create_dir(room.tmp()).expect("the folder can be made");
        room
    }

    fn tmp(&self) -> PathBuf {
        self.0.folder().join("tmp")
    }

    /// A file with a workflow of one container.
    fn workflow(&self, container: &str) -> PathBuf {
        let text = format!(
            "apiVersion: argoproj.io/v1alpha1\nkind: Workflow\nmetadata: {{name: one}}\nspec:\n  entrypoint: main\n  \
             templates:\n  - name: main\n    container:\n      image: none\n      {container}\n"
        );
        let file = self.0.folder().join("one.yaml");
        std::fs::write(&file, text).expect("the folder can be written");
        file
    }

    /// `argosy run` of a file, with all that it makes in this folder.
    fn run(&self, file: &Path) -> Command {
        let mut command = self.0.argosy(&["run", "--runtime", "host"]);
        command
            .arg(file)
            .env("TMPDIR", self.tmp())
            .env("HOME", self.0.folder())
            .env_remove("KUBECONFIG")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        command
    }

    /// What is left of runs that have ended: processes that know the folder, mounts and files in it.
    fn left(&self) -> Vec<String> {
        let tmp = self.tmp().display().to_string();
        let mut left = Vec::new();
        for entry in std::fs::read_dir("/proc").expect("/proc").flatten() {
            let name = entry.file_name().to_string_lossy().into_owned();
            let is_process = name.parse::<u32>().is_ok_and(|pid| pid != std::process::id());
            let read = |file: &str| std::fs::read(entry.path().join(file)).unwrap_or_default();
            if is_process
                && [read("environ"), read("cmdline")]
                    .iter()
                    .any(|t| contains(t, &tmp))
            {
                left.push(format!(
                    "process {name}: {}",
                    String::from_utf8_lossy(&read("cmdline"))
                ));
            }
        }
        let mounts = std::fs::read_to_string("/proc/self/mountinfo").expect("/proc");
        left.extend(mounts.lines().filter(|l| l.contains(&tmp)).map(str::to_owned));
        let files = std::fs::read_dir(&tmp).expect("the folder");
        left.extend(files.flatten().map(|f| f.path().display().to_string()));
        left
    }

    /// Waits until nothing is left.
    fn check_empty(&self) {
        wait_for("nothing is left behind", || self.left().is_empty().then_some(()));
    }
}

fn contains(bytes: &[u8], text: &str) -> bool {
    bytes.windows(text.len()).any(|w| w == text.as_bytes())
}

/// Exit code and all output.
fn told(ended: Ended) -> (Option<i32>, String) {
    (ended.code, ended.stdout + &ended.stderr)
}

/// Reads until a text has come.
fn read_until(output: &mut impl Read, wanted: &str) -> String {
    let (mut said, mut part) = (String::new(), [0; 4096]);
    while !said.contains(wanted) {
        let count = output.read(&mut part).expect("a pipe");
        assert!(count > 0, "{wanted:?} did not come: {said}");
        said += &String::from_utf8_lossy(&part[..count]);
    }
    said
}

#[test]
fn what_fails_in_a_container_is_told_and_nothing_stays() {
    for (container, wanted) in [
        ("command: [no-such-program]", "no-such-program"),
        ("command: [/]", "permission denied"),
        ("command: [sh, -c, 'echo out; exit 3']", "Error (exit code 3)"),
    ] {
        let room = Room::new();
        let child = room.run(&room.workflow(container)).spawn().expect("the program");
        let (code, said) = told(finish(child, "the run"));
        assert_eq!(code, Some(1), "{container}: {said}");
        assert!(
            said.to_lowercase().contains(&wanted.to_lowercase()),
            "{container}: {said}"
        );
        room.check_empty();
    }
}

#[test]
fn programs_get_the_workflow_alone_on_standard_output() {
    let room = Room::new();
    let mut command = room.run(&room.workflow("command: [echo, hello]"));
    let done = command.args(["-o", "json"]).output().expect("the program");
    let workflow: serde_json::Value = serde_json::from_slice(&done.stdout).expect("JSON alone");
    assert_eq!(workflow["status"]["phase"], "Succeeded");
    assert_eq!(done.status.code(), Some(0));
}

#[test]
fn an_interrupt_stops_the_workflow_and_nothing_stays() {
    let room = Room::new();
    let mut child = room.run(&room.workflow(SLEEP)).spawn().expect("the program");
    read_until(child.stdout.as_mut().expect("a pipe"), "● one");
    let pid = child.id().to_string();
    let sent = Command::new("kill").args(["-INT", &pid]).status().expect("kill");
    assert!(sent.success());
    let (code, said) = told(finish(child, "the run"));
    assert_eq!(code, Some(1), "{said}");
    assert!(said.contains("stopping the workflow"), "{said}");
    assert!(said.contains("Failed"), "{said}");
    room.check_empty();
}

#[test]
fn control_c_on_a_terminal_stops_the_workflow() {
    let room = Room::new();
    let run = room.run(&room.workflow(SLEEP));
    let words = std::iter::once(run.get_program()).chain(run.get_args());
    let line: Vec<String> = words.map(|w| format!("'{}'", w.display())).collect();
    // `script` gives the program a terminal, and types there what it reads. Without `exec`, a shell that waits for
    // the program dies of the interrupt itself, and its end hides the program's.
    let mut child = Command::new("script")
        .args(["-q", "-e", "-c", &format!("exec {}", line.join(" ")), "/dev/null"])
        .env("TMPDIR", room.tmp())
        .env("HOME", room.0.folder())
        .env("TERM", "xterm")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("script of the package bsdutils");
    let drawn = read_until(child.stdout.as_mut().expect("a pipe"), "0/1");
    assert!(drawn.contains('\x1b'), "a terminal is drawn on: {drawn}");
    read_until(child.stdout.as_mut().expect("a pipe"), "●");
    let mut typed = child.stdin.take().expect("a pipe");
    typed.write_all(b"\x03").expect("a pipe");
    let (code, said) = told(finish(child, "the run"));
    assert_eq!(code, Some(1), "{said}");
    room.check_empty();
}

#[test]
fn a_killed_run_leaves_no_process_and_the_next_one_clears_the_rest() {
    let room = Room::new();
    let file = room.workflow(SLEEP);
    let mut child = room.run(&file).spawn().expect("the program");
    read_until(child.stdout.as_mut().expect("a pipe"), "● one");
    child.kill().expect("a child");
    child.wait().expect("a child");
    wait_for("no process is left", || {
        room.left()
            .iter()
            .all(|l| !l.starts_with("process"))
            .then_some(())
    });
    let next = room.run(&room.workflow("command: ['true']")).spawn();
    let (code, said) = told(finish(next.expect("the program"), "the next run"));
    assert_eq!(code, Some(0), "{said}");
    room.check_empty();
}

#[test]
fn a_network_that_cannot_be_is_told() {
    let room = Room::new();
    let file = room.workflow("command: ['true']");
    let run = |command: &mut Command| finish(command.spawn().expect("the program starts"), "argosy run");
    let note = "note: pods share this machine's network: ";
    // Without the programs that let pods reach other machines, whoever runs this.
    let told = run(room.run(&file).env("PATH", "/nowhere"));
    assert_eq!(told.code, Some(0), "{}", told.stderr);
    assert!(told.stderr.contains(note), "{}", told.stderr);
    let chosen = run(room
        .run(&file)
        .env("PATH", "/nowhere")
        .env("ARGOSY_NETWORK", "host"));
    assert_eq!(chosen.code, Some(0), "{}", chosen.stderr);
    assert!(!chosen.stderr.contains(note), "{}", chosen.stderr);
    room.check_empty();
}
