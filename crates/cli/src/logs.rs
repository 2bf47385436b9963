//! Logs of a workflow's pods, as lines with the pod they come from.

use std::collections::BTreeSet;

use argosy_model::k8s::Pod;
use futures::{AsyncBufReadExt, StreamExt};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use crate::api::{Api, Error, encode};

/// Label that says which workflow a pod belongs to.
pub const WORKFLOW: &str = "workflows.argoproj.io/workflow";

/// Lines that may wait to be shown before reading pauses; a terminal is slower than a pod.
const WAITING: usize = 1024;

/// How lines end that the executor writes.
const EXECUTOR: &str = " argo=true";

/// What of a log is wanted.
#[derive(Clone, Debug)]
pub struct Options {
    /// The container.
    pub container: String,
    /// Wait for more.
    pub follow: bool,
    /// Of the container's previous run.
    pub previous: bool,
    /// Not older than this many seconds.
    pub since_secs: Option<i64>,
    /// Not older than this time, in RFC 3339.
    pub since_time: Option<String>,
    /// At most this many of the last lines.
    pub tail: Option<u64>,
    /// Only lines that match.
    pub grep: Option<regex::Regex>,
    /// Put the time before each line.
    pub timestamps: bool,
    /// Leave out what the executor itself writes into the log of a container.
    pub without_executor: bool,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            container: "main".to_owned(),
            follow: true,
            previous: false,
            since_secs: None,
            since_time: None,
            tail: None,
            grep: None,
            timestamps: false,
            without_executor: false,
        }
    }
}

impl Options {
    fn query(&self) -> String {
        let mut query = "&timestamps=true".to_owned();
        let mut add = |key: &str, value: Option<String>| {
            if let Some(value) = value {
                query.push_str(&format!("&{key}={}", encode(&value)));
            }
        };
        add("follow", self.follow.then(|| "true".to_owned()));
        add("previous", self.previous.then(|| "true".to_owned()));
        add("sinceSeconds", self.since_secs.map(|s| s.to_string()));
        add("sinceTime", self.since_time.clone());
        add("tailLines", self.tail.map(|n| n.to_string()));
        query
    }
}

/// A line of a log.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Line {
    /// When it was written, as the container runtime says it; sorts as text.
    pub time: String,
    /// The pod that wrote it.
    pub pod: String,
    /// What it says.
    pub content: String,
}

/// Follows the logs of pods; each pod once.
pub struct Follower {
    api: Api,
    options: Options,
    seen: BTreeSet<String>,
    tasks: JoinSet<()>,
    sender: Option<mpsc::Sender<Line>>,
}

impl Follower {
    /// A follower, and where its lines come out.
    pub fn new(api: Api, options: Options) -> (Self, mpsc::Receiver<Line>) {
        let (sender, receiver) = mpsc::channel(WAITING);
        (
            Self {
                api,
                options,
                seen: BTreeSet::new(),
                tasks: JoinSet::new(),
                sender: Some(sender),
            },
            receiver,
        )
    }

    /// Starts to read a pod's log unless that was done before. The pod's container must have been started.
    pub fn add(&mut self, pod: &str) {
        let Some(sender) = self.sender.clone() else { return };
        if !self.seen.insert(pod.to_owned()) {
            return;
        }
        let (api, options, pod) = (self.api.clone(), self.options.clone(), pod.to_owned());
        self.tasks.spawn(async move {
            if let Err(error) = read(&api, &pod, &options, &sender).await {
                tracing::debug!(pod, error = &error as &dyn std::error::Error, "Log can't be read");
            }
        });
    }

    /// No pod comes any more: the receiver ends when the logs at hand have ended.
    pub fn close(&mut self) {
        self.sender = None;
    }
}

/// Reads one log to its end.
async fn read(api: &Api, pod: &str, options: &Options, sender: &mpsc::Sender<Line>) -> Result<(), Error> {
    let mut lines = api.log(pod, &options.container, &options.query()).await?.lines();
    while let Some(Ok(text)) = lines.next().await {
        let line = parse(pod, &text, options.timestamps);
        let wanted = options.grep.as_ref().is_none_or(|g| g.is_match(&line.content))
            && !(options.without_executor && line.content.ends_with(EXECUTOR));
        if wanted && sender.send(line).await.is_err() {
            break;
        }
    }
    Ok(())
}

/// Takes the time off a line.
fn parse(pod: &str, text: &str, keep_time: bool) -> Line {
    let timed = text
        .split_once(' ')
        .filter(|(time, _)| time.parse::<jiff::Timestamp>().is_ok());
    let (time, content) = timed.unwrap_or(("", text));
    let content = if keep_time { text } else { content };
    Line {
        time: time.to_owned(),
        pod: pod.to_owned(),
        content: content.trim_end_matches('\r').to_owned(),
    }
}

/// Whether a pod has a log: its containers were started once.
pub fn has_log(pod: &Pod) -> bool {
    pod.status.phase != "Pending" && !pod.status.phase.is_empty()
}

#[cfg(test)]
mod tests {
    use super::parse;

    #[test]
    fn times_are_taken_off() {
        let line = parse("p", "2026-01-01T00:00:00.123456789Z hello  there", false);
        assert_eq!(
            (line.time.as_str(), line.content.as_str()),
            ("2026-01-01T00:00:00.123456789Z", "hello  there")
        );
        assert_eq!(parse("p", "no time here", false).content, "no time here");
    }
}
