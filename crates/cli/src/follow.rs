//! Following workflows to their end: what changes is shown as it happens, on any API server.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::time::Duration;

use argosy_model::{Workflow, WorkflowPhase};
use futures::stream::{SelectAll, StreamExt};
use futures::{Stream, stream};
use kube::core::WatchEvent;
use tokio::sync::mpsc;

use crate::api::{Api, Error};
use crate::failure::tell;
use crate::logs::{self, Follower, Line};

/// How often a running view is drawn again for the sake of the durations in it.
const TICK: Duration = Duration::from_secs(1);

/// How long to wait before a watch that broke off is begun again.
const AGAIN: Duration = Duration::from_millis(500);

/// How often a watch may fail in a row before we give up.
const ATTEMPTS: u32 = 20;

/// How long logs may take to come to their end after the workflow has come to its.
const LOG_DRAIN: Duration = Duration::from_secs(5);

/// What is told about followed workflows.
pub trait View {
    /// A workflow looks like this now.
    fn changed(&mut self, workflow: &Workflow);
    /// A pod wrote a line.
    fn line(&mut self, line: &Line);
    /// Something about the run itself is to be told.
    fn note(&mut self, text: &str) {
        tell(text);
    }
    /// Time went by.
    fn tick(&mut self) {}
    /// Nothing comes any more.
    fn ended(&mut self) {}
}

/// How following came to its end.
#[derive(Debug)]
pub enum End {
    /// Every workflow was followed to its end, or until it was deleted.
    Complete,
    /// The caller's signal came.
    Interrupted,
}

/// The workflows that are followed, in the order given, with their last known state.
pub type States = BTreeMap<usize, Workflow>;

/// Whether a workflow has come to its end.
pub fn is_complete(workflow: &Workflow) -> bool {
    matches!(
        workflow.status.phase,
        WorkflowPhase::Succeeded | WorkflowPhase::Failed | WorkflowPhase::Error
    ) && workflow.status.finished_at.is_some()
}

enum News {
    State(usize, Box<Workflow>),
    Gone(usize),
    Lost(String, Error),
}

/// Follows workflows until all have come to their end, or `leave` resolves.
///
/// `states` holds what is known at first and, afterwards, what became of each. With `log`, the logs of their pods go to
/// the view too.
///
/// # Errors
/// When the server can't be reached any more.
pub async fn follow(
    api: &Api,
    states: &mut States,
    log: Option<logs::Options>,
    view: &mut dyn View,
    leave: impl Future<Output = ()>,
) -> Result<End, Error> {
    let mut news: SelectAll<Pin<Box<dyn Stream<Item = News> + Send>>> = SelectAll::new();
    for (index, workflow) in states.iter() {
        view.changed(workflow);
        news.push(Box::pin(watch(
            api.within(&workflow.metadata.namespace),
            *index,
            workflow.metadata.name.clone(),
        )));
    }
    let mut open: std::collections::BTreeSet<usize> = states.keys().copied().collect();
    let (mut follower, mut lines) = match log {
        Some(options) => {
            let namespace = states
                .values()
                .next()
                .map_or(api.namespace.clone(), |w| w.metadata.namespace.clone());
            let (follower, lines) = Follower::new(api.within(&namespace), options);
            (Some(follower), Some(lines))
        }
        None => (None, None),
    };
    let mut tick = tokio::time::interval(TICK);
    let mut leave = std::pin::pin!(leave);
    while !open.is_empty() {
        tokio::select! {
            () = &mut leave => return Ok(End::Interrupted),
            _ = tick.tick() => view.tick(),
            Some(line) = next_line(&mut lines) => view.line(&line),
            Some(event) = news.next() => match event {
                News::State(index, workflow) => {
                    if let Some(follower) = &mut follower {
                        follower.add(&workflow).await;
                    }
                    if open.contains(&index) {
                        view.changed(&workflow);
                    }
                    if is_complete(&workflow) {
                        open.remove(&index);
                    }
                    states.insert(index, *workflow);
                }
                News::Gone(index) => {
                    open.remove(&index);
                }
                News::Lost(name, error) => {
                    tracing::error!(workflow = name, "Watch of a workflow is lost");
                    return Err(error);
                }
            },
        }
    }
    if let (Some(follower), Some(lines)) = (&mut follower, &mut lines) {
        follower.close();
        let drained = async {
            while let Some(line) = lines.recv().await {
                view.line(&line);
            }
        };
        tokio::select! {
            () = drained => {}
            () = tokio::time::sleep(LOG_DRAIN) => {}
            () = &mut leave => return Ok(End::Interrupted),
        }
    }
    view.ended();
    Ok(End::Complete)
}

/// The next line of a log; waits for ever when there are no logs.
async fn next_line(lines: &mut Option<mpsc::Receiver<Line>>) -> Option<Line> {
    match lines {
        Some(lines) => lines.recv().await,
        None => std::future::pending().await,
    }
}

/// The states of a workflow from now on. A watch that breaks off is begun again; every change that was missed comes with
/// the state that the server gives first.
fn watch(api: Api, index: usize, name: String) -> impl Stream<Item = News> + Send {
    struct At<S> {
        api: Api,
        name: String,
        events: Option<S>,
        failures: u32,
        ended: bool,
    }
    let start = At {
        api,
        name,
        events: None,
        failures: 0,
        ended: false,
    };
    stream::unfold(start, move |mut at| async move {
        if at.ended {
            return None;
        }
        loop {
            let Some(events) = &mut at.events else {
                match begin(&at.api, &at.name).await {
                    Ok(Some(events)) => at.events = Some(events),
                    Ok(None) => {
                        at.ended = true;
                        return Some((News::Gone(index), at));
                    }
                    Err(error) => {
                        at.failures += 1;
                        if at.failures >= ATTEMPTS {
                            at.ended = true;
                            return Some((News::Lost(at.name.clone(), error), at));
                        }
                        tokio::time::sleep(AGAIN).await;
                    }
                }
                continue;
            };
            match events.next().await {
                Some(Ok(WatchEvent::Added(workflow) | WatchEvent::Modified(workflow))) => {
                    at.failures = 0;
                    return Some((News::State(index, Box::new(workflow)), at));
                }
                Some(Ok(WatchEvent::Deleted(_))) => {
                    at.ended = true;
                    return Some((News::Gone(index), at));
                }
                Some(Ok(WatchEvent::Bookmark(_))) => {}
                Some(Ok(WatchEvent::Error(_)) | Err(_)) | None => at.events = None,
            }
        }
    })
}

type Events = Pin<Box<dyn Stream<Item = kube::Result<WatchEvent<Workflow>>> + Send>>;

/// Begins a watch; `None` when the workflow is gone, which a watch alone would not tell.
async fn begin(api: &Api, name: &str) -> Result<Option<Events>, Error> {
    let events = api.watch(name).await?;
    match api.get(name).await {
        Ok(_) => Ok(Some(Box::pin(events))),
        Err(error) if error.is_not_found() => Ok(None),
        Err(error) => Err(error),
    }
}
