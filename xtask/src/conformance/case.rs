//! One case: `argosy run` on a platform of its own, with the recorded user actions done while it runs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::Value;

use super::record::{before_action, record};
use super::standins::Standins;
use crate::{examples, shell};

/// How every case is run.
pub struct Runner {
    pub argosy: PathBuf,
    /// Files whose objects are made first.
    pub prerequisites: Vec<PathBuf>,
    pub options: Vec<String>,
    pub limit: Duration,
    pub standins: Standins,
}

/// A running `argosy run` and the files it writes.
struct Run {
    child: Child,
    started: Instant,
    kubeconfig: PathBuf,
    stdout: PathBuf,
    stderr: PathBuf,
    _scratch: tempfile::TempDir,
}

struct Action {
    at: Duration,
    words: Vec<String>,
    source: Value,
    /// What was recorded just before it.
    before: Value,
}

/// A workflow that ends at once, for files that hold none.
const NOTHING: &str = r#"{"apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow",
 "metadata": {"generateName": "nothing-"},
 "spec": {"entrypoint": "main", "templates": [{"name": "main", "suspend": {"duration": "0"}}]}}"#;

/// How much longer than recorded an action waits for the state that was recorded before it.
const LATE: Duration = Duration::from_secs(60);

impl Runner {
    /// Runs a file to its end and gives a record for each workflow in it, by the key that the recorded set uses.
    ///
    /// # Errors
    /// When the program can't be started, doesn't end in time, or prints no workflow.
    pub fn run(
        &self,
        key: &str,
        file: &Path,
        wanted: &BTreeMap<String, Value>,
    ) -> anyhow::Result<BTreeMap<String, Value>> {
        let mut run = self.start(&["--strict=false"], &[file])?;
        let actions = wanted.get(key).map(actions).unwrap_or_default();
        let before = self.act(&mut run, &actions);
        let said = self.finish(&mut run)?;
        let text = std::fs::read_to_string(&run.stdout).context("reading standard output")?;
        let text = self.standins.outward(&text);
        let mut records = BTreeMap::new();
        for (index, workflow) in serde_json::Deserializer::from_str(&text)
            .into_iter::<Value>()
            .enumerate()
        {
            let mut made =
                record(&workflow.with_context(|| format!("parsing what {} printed", self.argosy.display()))?);
            if index == 0 && !actions.is_empty() {
                made["before_action"] = before
                    .as_ref()
                    .map_err(|e| anyhow::anyhow!("{e:#}"))?
                    .clone()
                    .into();
            }
            records.insert(
                if index == 0 {
                    key.to_owned()
                } else {
                    format!("{key}#{}", index + 1)
                },
                made,
            );
        }
        if records.is_empty() {
            // A refused workflow is recorded by the words of the API server, which ours must have among its own.
            let Some(words) = wanted
                .get(key)
                .and_then(|g| g["create_error"].as_str())
                .filter(|w| said.contains(w))
            else {
                bail!("no workflow came out\n{}", tail(&said));
            };
            records.insert(key.to_owned(), serde_json::json!({ "create_error": words }));
        }
        Ok(records)
    }

    /// Makes the objects of a file that holds no workflow, and says what the API server said: `accepted`, or its words.
    ///
    /// # Errors
    /// When the program can't be started or doesn't end in time.
    pub fn offer(&self, file: &Path) -> anyhow::Result<String> {
        let nothing = tempfile::NamedTempFile::new().context("making a file")?;
        std::fs::write(nothing.path(), NOTHING).context("writing a workflow")?;
        let mut run = self.start(&[], &[file, nothing.path()])?;
        let said = self.finish(&mut run)?;
        Ok(match run.child.wait()?.code() {
            Some(0) => "accepted".to_owned(),
            _ => tail(&said),
        })
    }

    fn start(&self, options: &[&str], files: &[&Path]) -> anyhow::Result<Run> {
        let scratch = tempfile::tempdir().context("making a folder for the case")?;
        let within = |name: &str| scratch.path().join(name);
        let (kubeconfig, stdout, stderr) = (within("kubeconfig"), within("stdout"), within("stderr"));
        let mut command = Command::new(&self.argosy);
        command
            .args(["run", "-o", "json", "--write-kubeconfig"])
            .arg(&kubeconfig)
            .args(options)
            .args(&self.options);
        let all = self.prerequisites.iter().map(PathBuf::as_path);
        for (index, file) in all.chain(files.iter().copied()).enumerate() {
            let copy = within(&format!("{index}.yaml"));
            let text =
                std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
            std::fs::write(&copy, self.standins.inward(&text))
                .with_context(|| format!("writing {}", copy.display()))?;
            command.arg(copy);
        }
        command
            .stdin(Stdio::null())
            .stdout(std::fs::File::create(&stdout)?)
            .stderr(std::fs::File::create(&stderr)?);
        let child = command
            .spawn()
            .with_context(|| format!("starting {}", self.argosy.display()))?;
        Ok(Run {
            child,
            started: Instant::now(),
            kubeconfig,
            stdout,
            stderr,
            _scratch: scratch,
        })
    }

    /// Waits for the end and gives what was said on standard error.
    fn finish(&self, run: &mut Run) -> anyhow::Result<String> {
        let left = self.limit.saturating_sub(run.started.elapsed());
        let in_time = examples::exited_within(&mut run.child, left)?;
        let state = if in_time {
            String::new()
        } else {
            self.state(&run.kubeconfig)
        };
        examples::wait_within(&mut run.child, Duration::ZERO)?;
        let said = String::from_utf8_lossy(&std::fs::read(&run.stderr)?).into_owned();
        if !in_time {
            bail!("stopped after {} s\n{}{state}", self.limit.as_secs(), tail(&said));
        }
        Ok(said)
    }

    fn argosy(&self, kubeconfig: &Path, words: &[&str]) -> anyhow::Result<String> {
        let mut command = Command::new(&self.argosy);
        shell::output(
            command
                .arg("--kubeconfig")
                .arg(kubeconfig)
                .args(words)
                .stdin(Stdio::null()),
        )
    }

    /// What the workflows look like at this moment, for whoever reads why a case took too long.
    fn state(&self, kubeconfig: &Path) -> String {
        let names = self
            .argosy(kubeconfig, &["list", "-o", "name"])
            .unwrap_or_default();
        let show = |name| {
            self.argosy(kubeconfig, &["get", name, "-o", "short", "--no-color"])
                .unwrap_or_default()
        };
        names.lines().map(show).collect()
    }

    /// Does each action at its time and gives the record of the moment before it.
    fn act(&self, run: &mut Run, actions: &[Action]) -> anyhow::Result<Vec<Value>> {
        let mut before = Vec::new();
        for action in actions {
            let left = action.at.saturating_sub(run.started.elapsed());
            if examples::exited_within(&mut run.child, left)? {
                bail!("the workflow ended before the action {}", action.source);
            }
            let names = self.argosy(&run.kubeconfig, &["list", "-o", "name"])?;
            let name = names.lines().next().context("no workflow is running")?;
            before.push(self.state_before(run, action, name)?);
            let words: Vec<String> = action.words.iter().map(|w| w.replace("<wf>", name)).collect();
            self.argosy(
                &run.kubeconfig,
                &words.iter().map(String::as_str).collect::<Vec<_>>(),
            )?;
        }
        Ok(before)
    }

    /// The state before an action. A machine with much to do gets more time than recorded to reach that state.
    fn state_before(&self, run: &mut Run, action: &Action, name: &str) -> anyhow::Result<Value> {
        let since = Instant::now();
        loop {
            let text = self.argosy(&run.kubeconfig, &["get", name, "-o", "json"])?;
            let workflow: Value = serde_json::from_str(&self.standins.outward(&text))?;
            let state = before_action(record(&workflow), &action.source);
            let reached = super::diff::differences(&action.before, &state).is_empty();
            if reached || since.elapsed() > LATE || examples::exited_within(&mut run.child, LOOK)? {
                return Ok(state);
            }
        }
    }
}

/// How long to wait before the state is looked at again.
const LOOK: Duration = Duration::from_millis(500);

fn actions(golden: &Value) -> Vec<Action> {
    let steps = golden["before_action"].as_array().into_iter().flatten();
    steps
        .filter_map(|before| {
            let action = &before["action"];
            let words = action["argo"]
                .as_array()?
                .iter()
                .filter_map(|w| w.as_str().map(str::to_owned))
                .collect();
            Some(Action {
                at: Duration::from_secs(action["at_s"].as_u64()?),
                words,
                source: action.clone(),
                before: before.clone(),
            })
        })
        .collect()
}

fn tail(text: &str) -> String {
    const LINES: usize = 12;
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}
