//! The task set of a workflow, as it changes (X-AGT-10, X-AGT-11). Whoever follows it learns the
//! tasks that have no result yet, and that nothing more will come.

use std::pin::Pin;
use std::time::Duration;

use futures::{Stream, TryStreamExt as _};
use kube::api::WatchEvent;
use serde_json::Value;
use tokio::time::Instant;

use crate::api::{Api, Error};
use crate::log;
use crate::outcome::Failure;

/// How long one watch lasts before the set is read anew, which heals whatever was lost.
const WATCH_SECS: u64 = 300;

/// Pauses after watches that ended at once or failed in a way that goes away.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(10);

/// What the set came to.
#[derive(Debug)]
pub enum News {
    /// All tasks that have no result, by node id.
    Tasks(Vec<(String, Value)>),
    /// The workflow needs no agent any longer.
    Over,
}

type Watch = Pin<Box<dyn Stream<Item = Result<WatchEvent<Value>, kube::Error>> + Send>>;

/// One workflow's task set.
pub struct TaskSet {
    api: Api,
    collection: String,
    name: String,
    watch: Option<Watch>,
    was_there: bool,
    pause: Duration,
    /// The set is not read before this time.
    earliest: Instant,
}

impl TaskSet {
    /// Nothing is read yet.
    pub fn new(api: Api, workflow: &str) -> Self {
        let namespace = api.namespace();
        Self {
            collection: format!("/apis/argoproj.io/v1alpha1/namespaces/{namespace}/workflowtasksets"),
            name: workflow.to_owned(),
            api,
            watch: None,
            was_there: false,
            pause: FIRST_PAUSE,
            earliest: Instant::now(),
        }
    }

    /// Waits for the next change.
    ///
    /// # Errors
    /// The API says no for good, or tells of an error within the watch.
    pub async fn next(&mut self) -> Result<News, Failure> {
        loop {
            let Some(watch) = self.watch.as_mut() else {
                if let Some(news) = self.read().await? {
                    return Ok(news);
                }
                continue;
            };
            match watch.try_next().await {
                Ok(Some(WatchEvent::Added(set) | WatchEvent::Modified(set))) => {
                    self.pause = FIRST_PAUSE;
                    self.was_there = true;
                    return Ok(news_of(&set));
                }
                Ok(Some(WatchEvent::Deleted(_))) => return Ok(News::Over),
                Ok(Some(WatchEvent::Bookmark(_))) => {}
                // Too old a version is no fault of anyone: the set is read anew.
                Ok(Some(WatchEvent::Error(status))) if status.code == 410 => self.watch = None,
                Ok(Some(WatchEvent::Error(status))) => {
                    return Err(Failure::new(format!("watch of the task set: {}", status.message)));
                }
                Ok(None) | Err(_) => self.watch = None,
            }
        }
    }

    /// Reads the set and begins to watch it; news if it is there.
    async fn read(&mut self) -> Result<Option<News>, Failure> {
        tokio::time::sleep_until(self.earliest).await;
        let selector = format!("fieldSelector=metadata.name%3D{}", self.name);
        let list = self.api.get(&format!("{}?{selector}", self.collection)).await;
        self.earliest = Instant::now() + self.pause;
        self.pause = (self.pause * 2).min(LONGEST_PAUSE);
        let list = match list {
            Ok(list) => list,
            Err(error) => return refused(error).map(|()| None),
        };
        let version = list["metadata"]["resourceVersion"].as_str().unwrap_or_default();
        let path = format!(
            "{}?watch=true&{selector}&resourceVersion={version}&timeoutSeconds={WATCH_SECS}",
            self.collection
        );
        let set = list["items"].get(0);
        if set.is_none() && self.was_there {
            return Ok(Some(News::Over));
        }
        match self.api.watch(&path).await {
            Ok(watch) => self.watch = Some(Box::pin(watch)),
            Err(error) => refused(error)?,
        }
        self.was_there |= set.is_some();
        Ok(set.map(news_of))
    }
}

/// What goes away is waited for; everything else ends the agent, and its pod is restarted.
fn refused(error: Error) -> Result<(), Failure> {
    if error.is_transient {
        log::warn("the task set is not reached", &[("error", &error.message)]);
        return Ok(());
    }
    Err(Failure::new(error.message))
}

fn news_of(set: &Value) -> News {
    if set["metadata"]["labels"]["workflows.argoproj.io/completed"] == "true" {
        return News::Over;
    }
    // A restarted agent does not repeat what has been answered.
    let answered = |id: &str| {
        let phase = set["status"]["nodes"][id]["phase"].as_str();
        phase.is_some_and(|p| !matches!(p, "" | "Pending" | "Running"))
    };
    let tasks = set["spec"]["tasks"].as_object().into_iter().flatten();
    let open = tasks.filter(|(id, _)| !answered(id));
    News::Tasks(open.map(|(id, task)| (id.clone(), task.clone())).collect())
}

/// What kind of template a task is, in the words of the model.
pub fn kind(template: &Value) -> &'static str {
    const KINDS: &[(&str, &str)] = &[
        ("container", "Container"),
        ("containerSet", "ContainerSet"),
        ("steps", "Steps"),
        ("script", "Script"),
        ("resource", "Resource"),
        ("dag", "DAG"),
        ("suspend", "Suspend"),
        ("data", "Data"),
        ("http", "HTTP"),
        ("plugin", "Plugin"),
    ];
    let is_there = |(field, _): &&(&str, &str)| template.get(*field).is_some_and(|v| !v.is_null());
    KINDS.iter().find(is_there).map_or("Unknown", |(_, kind)| kind)
}
