//! The platform is killed at any moment, again and again, while workflows run; none is lost, and no step runs twice.

use std::collections::{BTreeMap, VecDeque};
use std::path::Path;
use std::time::{Duration, Instant, SystemTime};

use crate::machine::{Machine, wait_within};

/// How often the platform is killed, unless `ARGOSY_KILLS` says otherwise.
const KILLS: u64 = 5;

/// Longest time from a start to the kill: half of that is about what a start takes on a busy machine.
const LONGEST_LIFE_MS: u64 = 3000;

/// How long what is left may take after the last kill, and how much longer for each workflow: on a busy machine hardly any
/// ends between two kills.
const REST: Duration = Duration::from_secs(240);
const REST_EACH: Duration = Duration::from_secs(10);

/// Steps one after the other and beside each other, results that go from step to step, and one that fails.
/// Each says in a file of the machine that it began and that it ended.
const WORKFLOW: &str = r#"
apiVersion: argoproj.io/v1alpha1
kind: Workflow
metadata: {name: NAME}
spec:
  entrypoint: main
  volumes: [{name: out, hostPath: {path: FOLDER}}]
  templates:
    - name: main
      steps:
        - - {name: first, template: say, arguments: {parameters: [{name: id, value: first}]}}
        - - {name: each, template: say, withItems: [a, b],
             arguments: {parameters: [{name: id, value: "{{item}}-{{steps.first.outputs.result}}"}]}}
        - - {name: bad, template: fail, continueOn: {failed: true}}
        - - {name: last, template: say, arguments: {parameters: [{name: id, value: "last"}]}}
    - name: say
      inputs: {parameters: [{name: id}]}
      container:
        image: any
        command: [sh, -c]
        args: ["echo NAME {{inputs.parameters.id}} >> /out/began; sleep 0.2; echo NAME {{inputs.parameters.id}} >> /out/ended; echo {{inputs.parameters.id}}"]
        volumeMounts: [{name: out, mountPath: /out}]
    - name: fail
      container:
        image: any
        command: [sh, -c, "echo NAME bad >> /out/began; sleep 0.1; echo NAME bad >> /out/ended; exit 3"]
        volumeMounts: [{name: out, mountPath: /out}]
"#;

const STEPS: [&str; 5] = ["a-first", "b-first", "bad", "first", "last"];

#[test]
fn a_killed_platform_loses_nothing_and_repeats_nothing() {
    let kills = std::env::var("ARGOSY_KILLS").map_or(KILLS, |n| n.parse().expect("ARGOSY_KILLS is a number"));
    let mut random = Random::new();
    let mut machine = Machine::with_own_network();
    let out = machine.folder().join("out");
    std::fs::create_dir(&out).expect("the folder can be written");
    let mut names = Vec::new();
    let mut waiting = VecDeque::new();
    for kill in 0..kills {
        // A workflow per kill, so that there is always something under way.
        let name = format!("w{kill}");
        let text = WORKFLOW
            .replace("NAME", &name)
            .replace("FOLDER", &out.display().to_string());
        std::fs::write(machine.folder().join(format!("{name}.yaml")), text)
            .expect("the folder can be written");
        waiting.push_back(name.clone());
        names.push(name);
        machine.spawn(&[]);
        let end = Instant::now() + Duration::from_millis(random.below(LONGEST_LIFE_MS));
        while Instant::now() < end {
            submit_first(&machine, &mut waiting);
            let left = end.saturating_duration_since(Instant::now());
            std::thread::park_timeout(if waiting.is_empty() {
                left
            } else {
                left.min(Duration::from_millis(20))
            });
        }
        machine.kill();
    }
    machine.start();
    while !waiting.is_empty() {
        submit_first(&machine, &mut waiting);
    }
    let mut left: Vec<String> = names.clone();
    let rest = REST + REST_EACH * u32::try_from(names.len()).expect("few workflows");
    wait_within(rest, "all workflows end", &mut || {
        left.retain(|name| {
            !phase(&machine, name)
                .is_some_and(|phase| matches!(phase.as_str(), "Succeeded" | "Failed" | "Error"))
        });
        left.is_empty().then_some(())
    });
    let mut wrong = Vec::new();
    for name in &names {
        let phase = phase(&machine, name);
        if phase.as_deref() != Some("Succeeded") {
            wrong.push(format!(
                "{name} is {phase:?}: {}",
                machine.run(&["get", name]).stdout
            ));
        }
    }
    for file in ["began", "ended"] {
        wrong.extend(differences(&names, &out.join(file)));
    }
    assert!(
        wrong.is_empty(),
        "seed {}: {}\n{}",
        random.seed,
        wrong.join("\n"),
        machine.read("stderr")
    );
    machine.stop();
}

/// Tries to submit the first that waits; a platform that is not up, or is killed meanwhile, may refuse.
fn submit_first(machine: &Machine, waiting: &mut VecDeque<String>) {
    let Some(name) = waiting.front() else { return };
    if !machine.data().join("kubeconfig").exists() {
        return;
    }
    let ended = machine.run(&["submit", &format!("{name}.yaml")]);
    if ended.code == Some(0) || ended.stderr.contains("already exists") {
        waiting.pop_front();
    }
}

fn phase(machine: &Machine, name: &str) -> Option<String> {
    let ended = machine.run(&["get", name, "-o", "json"]);
    let workflow: serde_json::Value = serde_json::from_str(&ended.stdout).ok()?;
    workflow["status"]["phase"].as_str().map(str::to_owned)
}

/// What each step did more or less often than once.
fn differences(names: &[String], file: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(file).unwrap_or_default();
    let mut times: BTreeMap<String, usize> = BTreeMap::new();
    for name in names {
        for step in STEPS {
            times.insert(format!("{name} {step}"), 0);
        }
    }
    for line in text.lines() {
        *times.entry(line.to_owned()).or_default() += 1;
    }
    let what = file.file_name().unwrap_or_default().display().to_string();
    let wrong = times.into_iter().filter(|(_, times)| *times != 1);
    wrong
        .map(|(line, times)| format!("{line} {what} {times} times"))
        .collect()
}

/// Numbers that differ from run to run; the seed is told when a test fails.
struct Random {
    seed: u64,
    state: u64,
}

impl Random {
    fn new() -> Self {
        let now = SystemTime::now()
            .duration_since(SystemTime::UNIX_EPOCH)
            .expect("after 1970");
        let seed =
            std::env::var("ARGOSY_SEED").map_or(now.subsec_nanos().into(), |n| n.parse().expect("a number"));
        Self {
            seed,
            state: seed ^ 0x9e37_79b9_7f4a_7c15,
        }
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.state ^= self.state << 13;
        self.state ^= self.state >> 7;
        self.state ^= self.state << 17;
        self.state % limit
    }
}
