//! Logs of a workflow's pods, as lines with the pod they come from: read from pods that are there, and from what was kept
//! of those that are gone.

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, VecDeque};
use std::io;
use std::sync::Arc;

use argosy_model::k8s::Pod;
use argosy_model::{NodePhase, NodeStatus, NodeType, Workflow};
use futures::io::{AsyncBufRead, AsyncBufReadExt, BufReader};
use jiff::{SignedDuration, Timestamp};
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio_util::compat::TokioAsyncReadCompatExt;

use crate::api::{Api, encode};
use crate::archived;
use crate::failure::tell;
use crate::print::workflow::pod;

/// Label that says which workflow a pod belongs to.
pub const WORKFLOW: &str = "workflows.argoproj.io/workflow";

/// Lines that may wait to be shown before reading pauses; a terminal is slower than a pod.
const WAITING: usize = 1024;

/// Longest line, in bytes; what is longer comes as several (rule G-LOG-03).
const LONGEST: usize = 1024 * 1024;

/// How lines end that the executor writes.
const EXECUTOR: &str = " argo=true";

/// What of a log is wanted.
#[derive(Clone, Debug)]
pub struct Options {
    /// Only of this pod, given by its name or by the id, name or display name of its node.
    pub of: Option<String>,
    /// Only of pods with these labels.
    pub selector: String,
    /// The container.
    pub container: String,
    /// Wait for more.
    pub follow: bool,
    /// Of the container's previous run.
    pub previous: bool,
    /// Not older than this many seconds.
    pub since_secs: Option<i64>,
    /// Not older than this time.
    pub since_time: Option<Timestamp>,
    /// At most this many of the last lines.
    pub tail: Option<usize>,
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
            of: None,
            selector: String::new(),
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
        add("sinceTime", self.since_time.map(|t| t.to_string()));
        add("tailLines", self.tail.map(|n| n.to_string()));
        query
    }

    fn wants(&self, content: &str) -> bool {
        self.grep.as_ref().is_none_or(|g| g.is_match(content))
            && !(self.without_executor && content.ends_with(EXECUTOR))
    }

    /// The earliest time of a line that is wanted.
    fn since(&self) -> Option<Timestamp> {
        let ago = |secs| Timestamp::now().checked_sub(SignedDuration::from_secs(secs)).ok();
        self.since_time.or_else(|| self.since_secs.and_then(ago))
    }

    /// Whether a pod is meant: one without a node only by its own name.
    fn means(&self, pod: &str, node: Option<&NodeStatus>) -> bool {
        self.of.as_deref().is_none_or(|of| {
            of == pod || node.is_some_and(|n| of == n.id || of == n.name || of == n.display_name)
        })
    }
}

/// A line of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// When it was written, as the container runtime says it. Of a kept log: when its node started.
    pub at: Timestamp,
    /// The pod that wrote it.
    pub pod: String,
    /// What it says.
    pub content: String,
}

/// A pod whose log is wanted.
#[derive(Clone, Debug)]
pub struct Source {
    /// The pod's name.
    pub pod: String,
    /// No line is older.
    start: Timestamp,
    /// Whether the pod is there, as far as is known.
    live: bool,
    /// Its node, whose log may have been kept.
    node: Option<Arc<NodeStatus>>,
}

impl Source {
    /// The pod of a node that runs or ran.
    fn of_node(workflow: &Workflow, node: &NodeStatus, live: bool) -> Self {
        Self {
            pod: pod(workflow, node),
            start: node.started_at.map_or(Timestamp::UNIX_EPOCH, |t| t.0),
            live,
            node: Some(Arc::new(node.clone())),
        }
    }
}

/// The nodes of a workflow that have a pod which was started.
fn started(workflow: &Workflow) -> impl Iterator<Item = &NodeStatus> {
    workflow.status.nodes.values().filter(|n| {
        n.type_ == NodeType::Pod
            && matches!(
                n.phase,
                NodePhase::Running | NodePhase::Succeeded | NodePhase::Failed | NodePhase::Error
            )
    })
}

/// Every source of a workflow's logs at this moment: its pods, and nodes whose pod is gone.
///
/// # Errors
/// When the server can't be reached.
pub async fn sources(
    api: &Api,
    workflow: &Workflow,
    options: &Options,
) -> Result<Vec<Source>, crate::api::Error> {
    let mut labels = format!("{WORKFLOW}={}", workflow.metadata.name);
    if !options.selector.is_empty() {
        labels = format!("{labels},{}", options.selector);
    }
    let pods = api.pods(&labels).await?;
    let mut found = Vec::new();
    for there in pods.iter().filter(|p| has_log(p)) {
        let name = &there.metadata.name;
        let node = started(workflow).find(|n| pod(workflow, n) == *name);
        if options.means(name, node) {
            found.push(Source {
                pod: name.clone(),
                start: there.status.start_time.map_or(Timestamp::UNIX_EPOCH, |t| t.0),
                live: true,
                node: node.map(|n| Arc::new(n.clone())),
            });
        }
    }
    // Labels of pods that are gone are not known.
    if options.selector.is_empty() {
        let names: BTreeSet<&str> = pods.iter().map(|p| p.metadata.name.as_str()).collect();
        let gone = started(workflow)
            .map(|n| Source::of_node(workflow, n, false))
            .filter(|s| !names.contains(s.pod.as_str()) && options.means(&s.pod, s.node.as_deref()));
        found.extend(gone);
    }
    Ok(found)
}

/// Reads logs of one workflow.
#[derive(Clone)]
pub struct Reader {
    api: Api,
    workflow: Arc<Workflow>,
    options: Arc<Options>,
}

impl Reader {
    /// A reader in the workflow's namespace.
    pub fn new(api: &Api, workflow: &Workflow, options: Options) -> Self {
        Self {
            api: api.within(&workflow.metadata.namespace),
            workflow: Arc::new(workflow.clone()),
            options: Arc::new(options),
        }
    }

    /// Shows the lines of all sources in order of their times, until `show` has enough.
    ///
    /// A log is opened when its first line may be the next one, so that a workflow of thousands of pods needs no
    /// thousands of connections, and no log has to fit into memory.
    pub async fn in_order(&self, mut sources: Vec<Source>, mut show: impl FnMut(&Line) -> bool) {
        sources.sort_by(|a, b| (b.start, &b.pod).cmp(&(a.start, &a.pod)));
        let mut tasks = JoinSet::new();
        let mut open: Vec<(Option<Line>, mpsc::Receiver<Line>)> = Vec::new();
        let mut next: BinaryHeap<Reverse<(Timestamp, usize)>> = BinaryHeap::new();
        loop {
            while let Some(source) = sources.pop_if(|s| {
                next.peek()
                    .is_none_or(|Reverse((earliest, _))| s.start <= *earliest)
            }) {
                let (sender, mut lines) = mpsc::channel(WAITING);
                let reader = self.clone();
                tasks.spawn(async move {
                    let done = reader.read(&source, &sender).await;
                    done.err().map(|problem| (source.pod, problem))
                });
                if let Some(first) = lines.recv().await {
                    next.push(Reverse((first.at, open.len())));
                    open.push((Some(first), lines));
                }
            }
            let Some(Reverse((_, index))) = next.pop() else {
                break;
            };
            let (head, lines) = &mut open[index];
            if let Some(line) = head.take()
                && !show(&line)
            {
                return;
            }
            *head = lines.recv().await;
            if let Some(line) = head {
                next.push(Reverse((line.at, index)));
            }
        }
        tell_problems(tasks.join_all().await.into_iter().flatten().collect());
    }

    /// Reads one log to its end.
    async fn read(&self, source: &Source, sender: &mpsc::Sender<Line>) -> Result<(), Problem> {
        let kept = source
            .node
            .as_deref()
            .is_some_and(|n| archived::is_kept(n, &self.options.container));
        if !source.live {
            return self.read_kept(source, sender).await;
        }
        match self.read_live(source, sender).await {
            Err(Problem::Api(error)) if error.is_not_found() && kept => self.read_kept(source, sender).await,
            done => done,
        }
    }

    async fn read_live(&self, source: &Source, sender: &mpsc::Sender<Line>) -> Result<(), Problem> {
        let options = &self.options;
        let mut log = self
            .api
            .log(&source.pod, &options.container, &options.query())
            .await?;
        let mut at = source.start;
        while let Some(text) = next_line(&mut log).await? {
            let content = match timed(&text) {
                Some((time, content)) => {
                    at = time;
                    content
                }
                None => text.as_str(),
            };
            if !options.wants(content) {
                continue;
            }
            let content = if options.timestamps { &text } else { content };
            if !send(sender, source, at, content).await {
                break;
            }
        }
        Ok(())
    }

    async fn read_kept(&self, source: &Source, sender: &mpsc::Sender<Line>) -> Result<(), Problem> {
        let options = &self.options;
        let node = source.node.as_deref().ok_or(archived::Error::NotKept)?;
        let ended = node.finished_at.map_or_else(Timestamp::now, |t| t.0);
        if options.since().is_some_and(|since| ended < since) {
            return Ok(());
        }
        let stream = archived::open(&self.api, &self.workflow, node, &options.container).await?;
        let mut log = BufReader::new(stream.compat());
        let mut last = VecDeque::new();
        while let Some(text) = next_line(&mut log).await? {
            match options.tail {
                Some(most) => {
                    last.push_back(text);
                    if last.len() > most {
                        last.pop_front();
                    }
                }
                None => {
                    if options.wants(&text) && !send(sender, source, source.start, &text).await {
                        return Ok(());
                    }
                }
            }
        }
        for text in last.iter().filter(|t| options.wants(t)) {
            if !send(sender, source, source.start, text).await {
                break;
            }
        }
        Ok(())
    }
}

/// Why a log can't be read.
#[derive(Debug, thiserror::Error)]
enum Problem {
    #[error(transparent)]
    Api(#[from] crate::api::Error),
    #[error(transparent)]
    Kept(#[from] archived::Error),
    #[error("it broke off")]
    Broken(#[from] io::Error),
}

/// Says which logs could not be read; that is no reason to leave out the others. Of many that were not kept, how many.
fn tell_problems(mut problems: Vec<(String, Problem)>) {
    problems.sort_by(|a, b| a.0.cmp(&b.0));
    let count = problems.len();
    problems.retain(|(_, p)| !matches!(p, Problem::Kept(archived::Error::NotKept)));
    match count - problems.len() {
        0 => {}
        1 => tell("note: a pod is gone, and its log was not kept (archiveLogs keeps logs)\n"),
        n => tell(&format!(
            "note: {n} pods are gone, and their logs were not kept (archiveLogs keeps logs)\n"
        )),
    }
    for (pod, problem) in problems {
        let problem = anyhow::Error::from(problem);
        tell(&format!("note: no log of {pod}: {problem:#}\n"));
    }
}

/// Hands a line on; whether anybody still wants lines.
async fn send(sender: &mpsc::Sender<Line>, source: &Source, at: Timestamp, content: &str) -> bool {
    let line = Line {
        at,
        pod: source.pod.clone(),
        content: content.to_owned(),
    };
    sender.send(line).await.is_ok()
}

/// The next line, without its end, which on a terminal is two bytes; bytes that are no text are replaced.
async fn next_line(log: &mut (impl AsyncBufRead + Unpin)) -> io::Result<Option<String>> {
    let mut line = Vec::new();
    loop {
        let available = log.fill_buf().await?;
        let part = &available[..available.len().min(LONGEST - line.len())];
        let (used, ended) = match part.iter().position(|b| *b == b'\n') {
            Some(end) => (end + 1, true),
            None => (part.len(), part.is_empty()),
        };
        let at_end = part.is_empty();
        line.extend_from_slice(&part[..used - usize::from(ended && !at_end)]);
        log.consume_unpin(used);
        if at_end && line.is_empty() {
            return Ok(None);
        }
        if ended || line.len() >= LONGEST {
            let text = String::from_utf8_lossy(&line);
            return Ok(Some(text.trim_end_matches('\r').to_owned()));
        }
    }
}

/// A line's time and the rest of it.
fn timed(text: &str) -> Option<(Timestamp, &str)> {
    let (time, content) = text.split_once(' ').unwrap_or((text, ""));
    Some((time.parse().ok()?, content))
}

/// Whether a pod has a log: its containers were started once.
pub fn has_log(pod: &Pod) -> bool {
    pod.status.phase != "Pending" && !pod.status.phase.is_empty()
}

/// Follows the logs of pods as they start; each pod once.
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

    /// Starts to read the logs of a workflow's pods that were started since the last call.
    pub async fn add(&mut self, workflow: &Workflow) {
        let Some(sender) = self.sender.clone() else { return };
        let mut fresh: Vec<Source> = started(workflow)
            .map(|n| Source::of_node(workflow, n, true))
            .filter(|s| !self.seen.contains(&s.pod) && self.options.means(&s.pod, s.node.as_deref()))
            .collect();
        if !fresh.is_empty() && !self.options.selector.is_empty() {
            match sources(&self.api, workflow, &self.options).await {
                Ok(selected) => fresh.retain(|s| selected.iter().any(|x| x.pod == s.pod)),
                // The next change of the workflow is another chance.
                Err(_) => return,
            }
        }
        if fresh.is_empty() {
            return;
        }
        let reader = Reader::new(&self.api, workflow, self.options.clone());
        for source in fresh {
            self.seen.insert(source.pod.clone());
            let (reader, sender) = (reader.clone(), sender.clone());
            self.tasks.spawn(async move {
                if let Err(problem) = reader.read(&source, &sender).await
                    && !reader.options.without_executor
                {
                    tell_problems(vec![(source.pod, problem)]);
                }
            });
        }
    }

    /// No pod comes any more: the receiver ends when the logs at hand have ended.
    pub fn close(&mut self) {
        self.sender = None;
    }
}

#[cfg(test)]
mod tests {
    use super::{LONGEST, next_line, timed};

    #[test]
    fn times_are_taken_off() {
        let (time, content) = timed("2026-01-01T00:00:00.123456789Z hello  there").expect("a time");
        assert_eq!((time.subsec_nanosecond(), content), (123_456_789, "hello  there"));
        assert_eq!(timed("2026-01-01T00:00:00Z").map(|(_, c)| c), Some(""));
        assert!(timed("no time here").is_none());
    }

    #[test]
    fn lines_end_at_line_feeds_at_the_end_and_at_the_limit() {
        let long = "x".repeat(LONGEST + 1);
        let text = format!("a\r\n\n\u{e9}\n{long}\nend");
        let mut bytes = text.into_bytes();
        bytes.extend(b"\xff");
        let mut log = futures::io::BufReader::new(futures::io::Cursor::new(bytes));
        let runtime = tokio::runtime::Builder::new_current_thread()
            .build()
            .expect("a runtime");
        let mut lines = Vec::new();
        runtime.block_on(async {
            while let Some(line) = next_line(&mut log).await.expect("memory can be read") {
                lines.push(line);
            }
        });
        let sizes: Vec<usize> = lines.iter().map(String::len).collect();
        assert_eq!(sizes, [1, 0, 2, LONGEST, 1, 3 + "\u{fffd}".len()]);
    }
}
