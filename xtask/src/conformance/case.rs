//! One case: `argosy run` on a platform of its own, or a namespace of its own on a cluster, with the recorded user
//! actions done while it runs.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::Value;

use super::cluster::{Cluster, Submitted};
use super::record::{before_action, record};
use super::standins::Standins;
use crate::{examples, shell};

/// How every case is run.
pub struct Runner {
    pub argosy: PathBuf,
    /// Files whose objects are made first.
    pub prerequisites: Vec<PathBuf>,
    pub place: Place,
    pub limit: Duration,
    pub standins: Standins,
}

/// Where cases run.
pub enum Place {
    /// On this machine, each by an `argosy run` with these options.
    Machine { options: Vec<String> },
    /// On a cluster whose controller is there already.
    Cluster(Cluster),
}

/// Running workflows.
struct Run {
    /// Ends when they have ended.
    child: Child,
    started: Instant,
    /// Options of `argosy` that lead to them.
    reach: Vec<String>,
    /// Where they are once they have ended.
    result: Result,
    stderr: PathBuf,
    _scratch: tempfile::TempDir,
}

/// Where finished workflows are to be found.
enum Result {
    /// As JSON in this file.
    File(PathBuf),
    /// In a namespace of the cluster, which is deleted with this.
    Namespace(Submitted),
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
        let text = self.standins.outward(&self.ended(&run)?);
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
        if let Place::Cluster(cluster) = &self.place {
            return cluster.offer(file);
        }
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
        let (stdout, stderr) = (within("stdout"), within("stderr"));
        let prerequisites = self.copies(&self.prerequisites, &within("before"))?;
        let files = self.copies(files, &within("case"))?;
        let mut command = Command::new(&self.argosy);
        let started = Instant::now();
        let (reach, result) = match &self.place {
            Place::Machine { options: all } => {
                let kubeconfig = within("kubeconfig").display().to_string();
                let reach = vec!["--kubeconfig".to_owned(), kubeconfig.clone()];
                command
                    .args(["run", "-o", "json", "--write-kubeconfig", &kubeconfig])
                    .args(options)
                    .args(all)
                    .args(prerequisites)
                    .args(files);
                (reach, Result::File(stdout.clone()))
            }
            Place::Cluster(cluster) => {
                let submitted = cluster.submit(&prerequisites, &files)?;
                command
                    .args(submitted.reach())
                    .args(["wait", "--ignore-not-found"])
                    .args(submitted.names());
                (submitted.reach(), Result::Namespace(submitted))
            }
        };
        let child = command
            .stdin(Stdio::null())
            .stdout(std::fs::File::create(&stdout)?)
            .stderr(std::fs::File::create(&stderr)?)
            .spawn()
            .with_context(|| format!("starting {}", self.argosy.display()))?;
        Ok(Run {
            child,
            started,
            reach,
            result,
            stderr,
            _scratch: scratch,
        })
    }

    /// Copies of files in a folder, with the addresses of the stand-ins, in their order.
    fn copies<P: AsRef<Path>>(&self, files: &[P], folder: &Path) -> anyhow::Result<Vec<PathBuf>> {
        std::fs::create_dir(folder).with_context(|| format!("making {}", folder.display()))?;
        let copy = |(index, file): (usize, &P)| {
            let copy = folder.join(format!("{index}.yaml"));
            let file = file.as_ref();
            let text =
                std::fs::read_to_string(file).with_context(|| format!("reading {}", file.display()))?;
            std::fs::write(&copy, self.standins.inward(&text))
                .with_context(|| format!("writing {}", copy.display()))?;
            Ok(copy)
        };
        files.iter().enumerate().map(copy).collect()
    }

    /// The finished workflows, one JSON document after the other.
    fn ended(&self, run: &Run) -> anyhow::Result<String> {
        match &run.result {
            Result::File(file) => std::fs::read_to_string(file).context("reading standard output"),
            Result::Namespace(submitted) => submitted
                .names()
                .iter()
                .map(|name| self.argosy(&run.reach, &["get", name, "-o", "json"]))
                .collect(),
        }
    }

    /// Waits for the end and gives what was said on standard error.
    fn finish(&self, run: &mut Run) -> anyhow::Result<String> {
        let left = self.limit.saturating_sub(run.started.elapsed());
        let in_time = examples::exited_within(&mut run.child, left)?;
        let state = if in_time {
            String::new()
        } else {
            self.state(&run.reach)
        };
        examples::wait_within(&mut run.child, Duration::ZERO)?;
        let mut said = String::from_utf8_lossy(&std::fs::read(&run.stderr)?).into_owned();
        if let Result::Namespace(submitted) = &run.result {
            said.push_str(submitted.refused());
        }
        if !in_time {
            bail!("stopped after {} s\n{}{state}", self.limit.as_secs(), tail(&said));
        }
        Ok(said)
    }

    fn argosy(&self, reach: &[String], words: &[&str]) -> anyhow::Result<String> {
        let mut command = Command::new(&self.argosy);
        shell::output(command.args(reach).args(words).stdin(Stdio::null()))
    }

    /// What the workflows look like at this moment, for whoever reads why a case took too long.
    fn state(&self, reach: &[String]) -> String {
        let names = self.argosy(reach, &["list", "-o", "name"]).unwrap_or_default();
        let show = |name| {
            self.argosy(reach, &["get", name, "-o", "short", "--no-color"])
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
            let names = self.argosy(&run.reach, &["list", "-o", "name"])?;
            let name = names.lines().next().context("no workflow is running")?;
            before.push(self.state_before(run, action, name)?);
            let words: Vec<String> = action.words.iter().map(|w| w.replace("<wf>", name)).collect();
            self.argosy(&run.reach, &words.iter().map(String::as_str).collect::<Vec<_>>())?;
        }
        Ok(before)
    }

    /// The state before an action. A machine with much to do gets more time than recorded to reach that state.
    fn state_before(&self, run: &mut Run, action: &Action, name: &str) -> anyhow::Result<Value> {
        let since = Instant::now();
        loop {
            let text = self.argosy(&run.reach, &["get", name, "-o", "json"])?;
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
