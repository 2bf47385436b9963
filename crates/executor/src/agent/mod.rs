//! `agent`: runs the HTTP and plugin templates of one workflow (section 12 of the executor's
//! rules). `agent init` makes the tokens of plugins; `agent main` follows the workflow's task set,
//! runs every task once, and reports into the task set's status. How a task is done is in `http`
//! and `plugin`, how results travel in `results`.

mod http;
mod plugin;
mod results;
mod tasks;
mod tokens;

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use argosy_model::template::Template;
use serde_json::{Value, json};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::api::Api;
use crate::args::Line;
use crate::env;
use crate::log;
use crate::outcome::{Failure, STARTUP_ERROR};
use crate::paths::Layout;
use plugin::Plugins;
use results::Results;
use tasks::{News, TaskSet};

/// Tasks that run at the same time when nothing else is said.
const DEFAULT_WORKERS: usize = 16;

/// Pause before results that could not be sent are sent again, when nothing else is said.
const DEFAULT_PATCH_RATE: Duration = Duration::from_secs(10);

/// Runs `agent init` or `agent main`.
///
/// # Errors
/// Another word, a malformed environment, or a task set that cannot be followed.
pub async fn run(layout: &Layout, line: &Line) -> Result<i32, Failure> {
    match line.words.get(1).map(String::as_str) {
        Some("init") => tokens::make(layout, &plugin::names()?),
        Some("main") => main(layout, line).await,
        _ => Err(Failure::new("agent needs one of: init, main")),
    }
}

/// What a task needs to be run.
pub(crate) struct Agent {
    api: Api,
    workflow: Value,
    plugins: Plugins,
    /// Roots that requests trust, as PEM.
    roots: Vec<u8>,
}

/// What became of a task.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    /// As in the status of the task set: phase, message, outputs, progress.
    node: Value,
    /// After this time the task runs again; zero means that it does not (X-AGT-15).
    again: Duration,
}

impl Answer {
    fn of(phase: &str, message: impl Into<String>) -> Self {
        Self {
            node: json!({"phase": phase, "message": message.into()}),
            again: Duration::ZERO,
        }
    }
}

async fn main(layout: &Layout, line: &Line) -> Result<i32, Failure> {
    let start = |failure: Failure| failure.with_code(STARTUP_ERROR);
    let needed =
        |name: &str| env::text(name).ok_or_else(|| start(Failure::new(format!("{name} is not set"))));
    let (workflow, uid) = (needed("ARGO_WORKFLOW_NAME")?, needed("ARGO_WORKFLOW_UID")?);
    let plugins = Plugins::of_environment(layout).map_err(start)?;
    let workers = crate::retry::number("ARGO_AGENT_TASK_WORKERS", DEFAULT_WORKERS).map_err(start)?;
    let rate = crate::retry::duration("ARGO_AGENT_PATCH_RATE", DEFAULT_PATCH_RATE).map_err(start)?;
    let api = Api::connect(line).await?;
    let agent = Arc::new(Agent {
        workflow: json!({"metadata": {"name": workflow, "namespace": api.namespace(), "uid": uid}}),
        plugins,
        roots: http::roots(layout),
        api: api.clone(),
    });
    log::info(
        "agent started",
        &[("workflow", &workflow), ("workers", &workers.to_string())],
    );
    let mut end = signal(SignalKind::terminate())
        .map_err(|e| Failure::new(format!("cannot listen for signals: {e}")))?;
    let results = Results::start(api.clone(), &workflow, rate);
    let mut crew = Crew {
        agent,
        results: results.handle(),
        places: Arc::new(Semaphore::new(workers.max(1))),
        seen: BTreeSet::new(),
        waiting: BTreeSet::new(),
        running: JoinSet::new(),
    };
    let mut set = TaskSet::new(api, &workflow);
    let ended = tokio::select! {
        ended = crew.work(&mut set) => ended,
        _ = end.recv() => Ok(()),
    };
    crew.running.shutdown().await;
    drop(crew);
    // What is known goes out before the process ends, whatever ends it (X-AGT-14).
    results.finish().await;
    ended.map(|()| 0)
}

/// The tasks that run, and those that ran.
struct Crew {
    agent: Arc<Agent>,
    results: results::Handle,
    places: Arc<Semaphore>,
    /// Every task that was started and does not run again (X-AGT-12).
    seen: BTreeSet<String>,
    /// Tasks whose time to run again has come or will come; they run if they are still wanted.
    waiting: BTreeSet<String>,
    running: JoinSet<(String, Duration)>,
}

impl Crew {
    /// Starts tasks as they appear, until the task set says that nothing more will come.
    async fn work(&mut self, set: &mut TaskSet) -> Result<(), Failure> {
        let mut wanted = Vec::new();
        loop {
            tokio::select! {
                news = set.next() => match news? {
                    News::Tasks(tasks) => {
                        for (id, template) in &tasks {
                            self.begin(id, template);
                        }
                        wanted = tasks;
                    }
                    News::Over => return Ok(()),
                },
                Some(ended) = self.running.join_next() => {
                    let Ok((id, again)) = ended else { continue };
                    if again.is_zero() {
                        self.waiting.remove(&id);
                    } else if self.waiting.insert(id.clone()) {
                        self.running.spawn(async move {
                            tokio::time::sleep(again).await;
                            (id, again)
                        });
                    } else {
                        // Its pause is over.
                        self.waiting.remove(&id);
                        self.seen.remove(&id);
                        if let Some((id, template)) = wanted.iter().find(|(wanted, _)| *wanted == id) {
                            self.begin(id, template);
                        }
                    }
                }
            }
        }
    }

    fn begin(&mut self, id: &str, template: &Value) {
        if !self.seen.insert(id.to_owned()) {
            return;
        }
        let (agent, results, places) = (self.agent.clone(), self.results.clone(), self.places.clone());
        let (id, template) = (id.to_owned(), template.clone());
        self.running.spawn(async move {
            // The semaphore is never closed.
            let _place = places.acquire().await;
            log::info("running task", &[("nodeID", &id)]);
            let answer = agent.execute(&template).await;
            let phase = answer.node["phase"].as_str().unwrap_or_default();
            let message = answer.node["message"].as_str().unwrap_or_default();
            log::info(
                "task ran",
                &[("nodeID", &id), ("phase", phase), ("message", message)],
            );
            // A result without phase says nothing (X-AGT-13).
            if !phase.is_empty() {
                results.send(&id, answer.node);
            }
            (id, answer.again)
        });
    }
}

impl Agent {
    async fn execute(&self, text: &Value) -> Answer {
        let template: Template = match serde_json::from_value(text.clone()) {
            Ok(template) => template,
            Err(error) => return Answer::of("Error", format!("error processing task: {error}")),
        };
        if let Some(request) = &template.http {
            http::execute(self, request).await
        } else if template.plugin.is_some() {
            self.plugins.execute(&self.workflow, text).await
        } else {
            let kind = tasks::kind(text);
            Answer::of(
                "Error",
                format!("error processing task: agent cannot execute: unknown task type: {kind}"),
            )
        }
    }
}
