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

/// What one `argosy run` was given and left.
struct Run {
    scratch: tempfile::TempDir,
    kubeconfig: PathBuf,
}

struct Action {
    at: Duration,
    words: Vec<String>,
    source: Value,
}

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
        let scratch = tempfile::tempdir().context("making a folder for the case")?;
        let kubeconfig = scratch.path().join("kubeconfig");
        let (stdout, stderr) = (scratch.path().join("stdout"), scratch.path().join("stderr"));
        let mut command = Command::new(&self.argosy);
        command
            .args(["run", "-o", "json", "--strict=false", "--write-kubeconfig"])
            .arg(&kubeconfig)
            .args(&self.options);
        command.args(&self.prerequisites).arg(file);
        command
            .stdin(Stdio::null())
            .stdout(std::fs::File::create(&stdout)?)
            .stderr(std::fs::File::create(&stderr)?);
        let started = Instant::now();
        let mut child = command
            .spawn()
            .with_context(|| format!("starting {}", self.argosy.display()))?;
        let actions = wanted.get(key).map(actions).unwrap_or_default();
        let before = self.act(&mut child, started, &kubeconfig, &actions);
        let in_time = examples::exited_within(&mut child, self.limit.saturating_sub(started.elapsed()))?;
        let state = if in_time {
            String::new()
        } else {
            self.state(&kubeconfig)
        };
        examples::wait_within(&mut child, Duration::ZERO)?;
        let said = String::from_utf8_lossy(&std::fs::read(&stderr)?).into_owned();
        if !in_time {
            bail!("stopped after {} s\n{}{state}", self.limit.as_secs(), tail(&said));
        }
        let text = std::fs::read_to_string(&stdout).context("reading standard output")?;
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
    fn act(
        &self,
        child: &mut Child,
        started: Instant,
        kubeconfig: &Path,
        actions: &[Action],
    ) -> anyhow::Result<Vec<Value>> {
        let argosy = |words: &[&str]| self.argosy(kubeconfig, words);
        let mut before = Vec::new();
        for action in actions {
            let left = action.at.saturating_sub(started.elapsed());
            if examples::exited_within(child, left)? {
                bail!("the workflow ended before the action {}", action.source);
            }
            let names = argosy(&["list", "-o", "name"])?;
            let name = names.lines().next().context("no workflow is running")?;
            let state: Value = serde_json::from_str(&argosy(&["get", name, "-o", "json"])?)?;
            before.push(before_action(record(&state), &action.source));
            let words: Vec<String> = action.words.iter().map(|w| w.replace("<wf>", name)).collect();
            argosy(&words.iter().map(String::as_str).collect::<Vec<_>>())?;
        }
        Ok(before)
    }
}

fn actions(golden: &Value) -> Vec<Action> {
    let steps = golden["before_action"]
        .as_array()
        .into_iter()
        .flatten()
        .map(|b| &b["action"]);
    steps
        .filter_map(|action| {
            let words = action["argo"]
                .as_array()?
                .iter()
                .filter_map(|w| w.as_str().map(str::to_owned))
                .collect();
            Some(Action {
                at: Duration::from_secs(action["at_s"].as_u64()?),
                words,
                source: action.clone(),
            })
        })
        .collect()
}

fn tail(text: &str) -> String {
    const LINES: usize = 12;
    let lines: Vec<&str> = text.lines().collect();
    lines[lines.len().saturating_sub(LINES)..].join("\n")
}
