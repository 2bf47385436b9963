//! Lists and then watches one kind of object, straight into our own types.
//!
//! Not here: what an event means. kube's own watcher needs `k8s-openapi` metadata on every object; ours decodes each
//! line once, into the model, and hands on an object that does not decode instead of stopping.

use std::time::Duration;

use argosy_model::Field;
use argosy_model::decode::{self, LeftOut};
use futures::AsyncBufReadExt;
use kube::Client;
use kube::core::params::{ListParams, WatchParams};
use serde::Deserialize;
use serde_json::value::RawValue;
use tokio::sync::mpsc;
use tracing::{debug, warn};

use crate::api::Resource;
use crate::identity::Identity;
use crate::lean;

/// How many objects one page of a list holds; the peer's value for pods (C-INF-01).
const PAGE: u32 = 500;

/// How long the server may keep one watch open, in seconds; Kubernetes closes watches after 5 to 10 minutes anyway.
const WATCH_SECS: u32 = 290;

/// The pause after the first failure; it doubles up to [`PAUSE_MAX`].
const PAUSE_MIN: Duration = Duration::from_millis(50);

/// The longest pause between two attempts: an API server that is back is found within this time.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// How often it is tried again whether what was forbidden is allowed now.
const FORBIDDEN_PAUSE: Duration = Duration::from_secs(60);

/// What the cluster told about the objects of one kind.
#[derive(Debug)]
pub enum Event<T> {
    /// The whole state: what is not in it does not exist any more.
    Listed(Vec<Seen<T>>),
    /// One object was made or changed.
    Applied(Seen<T>),
    /// One object is gone; this is its last state.
    Deleted(Seen<T>),
}

/// An object as it was sent.
#[derive(Debug, Clone)]
pub enum Seen<T> {
    /// It decoded.
    Good(Box<T>),
    /// It did not: who it is, and why. Malformed objects never stop a watch.
    Malformed {
        /// Namespace, empty for cluster-scoped objects.
        namespace: String,
        /// Name.
        name: String,
        /// The decoder's words.
        error: String,
    },
}

/// Which objects to watch.
#[derive(Debug, Clone)]
pub struct Scope {
    /// The kind.
    pub resource: &'static Resource,
    /// Namespace, or all namespaces.
    pub namespace: Option<String>,
    /// Label selector in Kubernetes' text form; empty for everything.
    pub labels: String,
    /// Field selector; empty for everything.
    pub fields: String,
    /// Whether we can do without: when reading it is forbidden, there are none, until it is allowed.
    pub optional: bool,
}

/// What of that is read.
pub trait Interest {
    /// Whether a change need not be read: most are the echoes of our own writes.
    fn is_known(&self, who: &Identity) -> bool;

    /// Which parts of objects need not, and which of objects that are gone.
    fn left_out(&self, is_gone: bool) -> LeftOut;
}

/// All of it, but for who set what.
pub struct Everything;

impl Interest for Everything {
    fn is_known(&self, _: &Identity) -> bool {
        false
    }

    fn left_out(&self, _: bool) -> LeftOut {
        lean::WHO_SET_WHAT
    }
}

/// Watches until the receiver is dropped. Each loss of the connection ends in a new list or a resumed watch, with a
/// growing pause after failures.
pub async fn run<T: Field + Send + 'static>(
    client: Client,
    scope: Scope,
    interest: impl Interest,
    events: mpsc::Sender<Event<T>>,
) {
    let mut pause = PAUSE_MIN;
    let mut version: Option<String> = None;
    loop {
        if events.is_closed() {
            return;
        }
        let outcome = match version.take() {
            None => list(&client, &scope, &interest, &events).await,
            Some(from) => watch(&client, &scope, &interest, &events, from).await,
        };
        match outcome {
            Ok(next) => {
                pause = PAUSE_MIN;
                version = next;
            }
            Err(error) if scope.optional && is_forbidden(&error) => {
                debug!(
                    resource = scope.resource.plural,
                    "Reading is forbidden; there are none for us"
                );
                let _ = events.send(Event::Listed(Vec::new())).await;
                tokio::select! {
                    () = tokio::time::sleep(FORBIDDEN_PAUSE) => {}
                    () = events.closed() => return,
                }
            }
            Err(error) => {
                warn!(resource = scope.resource.plural, error = %chain(&error), "Watching failed; trying again");
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    () = events.closed() => return,
                }
                pause = (pause * 2).min(PAUSE_MAX);
            }
        }
    }
}

fn is_forbidden(error: &anyhow::Error) -> bool {
    matches!(error.downcast_ref(), Some(kube::Error::Api(status)) if status.code == 403)
}

/// Lists everything, page by page; gives the version to watch from.
async fn list<T: Field>(
    client: &Client,
    scope: &Scope,
    interest: &impl Interest,
    events: &mpsc::Sender<Event<T>>,
) -> anyhow::Result<Option<String>> {
    let request = kube::core::Request::new(scope.resource.path(scope.namespace.as_deref()));
    let mut params = ListParams::default().limit(PAGE);
    if !scope.labels.is_empty() {
        params = params.labels(&scope.labels);
    }
    if !scope.fields.is_empty() {
        params = params.fields(&scope.fields);
    }
    let mut all = Vec::new();
    loop {
        let text = client.request_text(request.list(&params)?).await?;
        let page: Page<'_> = serde_json::from_str(&text)?;
        let left_out = interest.left_out(false);
        all.extend(page.items.iter().map(|raw| read(raw.get(), left_out)));
        match page.metadata.next.filter(|n| !n.is_empty()) {
            Some(next) => params.continue_token = Some(next),
            None => {
                debug!(resource = scope.resource.plural, objects = all.len(), "Listed");
                let _ = events.send(Event::Listed(all)).await;
                return Ok(Some(page.metadata.resource_version));
            }
        }
    }
}

/// Follows changes; gives the version to resume from, or `None` when it has expired and only a new list helps.
async fn watch<T: Field>(
    client: &Client,
    scope: &Scope,
    interest: &impl Interest,
    events: &mpsc::Sender<Event<T>>,
    mut from: String,
) -> anyhow::Result<Option<String>> {
    let request = kube::core::Request::new(scope.resource.path(scope.namespace.as_deref()));
    let mut params = WatchParams::default().timeout(WATCH_SECS);
    if !scope.labels.is_empty() {
        params = params.labels(&scope.labels);
    }
    if !scope.fields.is_empty() {
        params = params.fields(&scope.fields);
    }
    let stream = match client.request_stream(request.watch(&params, &from)?).await {
        Err(kube::Error::Api(status)) if status.code == 410 => return Ok(None),
        other => other?,
    };
    let mut stream = Box::pin(stream);
    let mut line = String::new();
    loop {
        line.clear();
        let read_bytes = tokio::select! {
            read_bytes = stream.read_line(&mut line) => read_bytes?,
            () = events.closed() => return Ok(Some(from)),
        };
        if read_bytes == 0 {
            return Ok(Some(from));
        }
        let change = Change::of(line.trim_ascii_end())?;
        let who = Identity::of(change.object);
        match change.kind {
            "ERROR" => {
                debug!(resource = scope.resource.plural, "Watch expired; listing again");
                return Ok(None);
            }
            "BOOKMARK" => {}
            "DELETED" => {
                let last = read(change.object, interest.left_out(true));
                let _ = events.send(Event::Deleted(last)).await;
            }
            _ if interest.is_known(&who) => {}
            _ => {
                let now = read(change.object, interest.left_out(false));
                let _ = events.send(Event::Applied(now)).await;
            }
        }
        if !who.resource_version.is_empty() {
            from = who.resource_version;
        }
    }
}

fn read<T: Field>(object: &str, left_out: LeftOut) -> Seen<T> {
    match decode::text(object, left_out) {
        Ok(object) => Seen::Good(Box::new(object)),
        Err(error) => {
            let who = Identity::of(object);
            Seen::Malformed {
                namespace: who.namespace,
                name: who.name,
                error: error.to_string(),
            }
        }
    }
}

/// An error with its causes in one line.
pub fn chain(error: &anyhow::Error) -> String {
    format!("{error:#}")
}

#[derive(Deserialize)]
struct Page<'a> {
    metadata: PageMeta,
    #[serde(default, borrow)]
    items: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PageMeta {
    #[serde(default)]
    resource_version: String,
    #[serde(default, rename = "continue")]
    next: Option<String>,
}

/// A line of a watch.
#[derive(Debug, PartialEq)]
struct Change<'a> {
    kind: &'a str,
    /// Its text.
    object: &'a str,
}

impl<'a> Change<'a> {
    /// What every API server sends is found without a look into the object.
    fn of(line: &'a str) -> Result<Self, serde_json::Error> {
        #[derive(Deserialize)]
        struct Any<'a> {
            #[serde(rename = "type")]
            kind: &'a str,
            #[serde(borrow)]
            object: &'a RawValue,
        }
        let usual = || {
            let (kind, rest) = line.strip_prefix("{\"type\":\"")?.split_once('"')?;
            let object = rest.strip_prefix(",\"object\":")?.strip_suffix('}')?;
            (object.starts_with('{') && object.ends_with('}')).then_some(Self { kind, object })
        };
        if let Some(usual) = usual() {
            return Ok(usual);
        }
        let any: Any<'a> = serde_json::from_str(line)?;
        Ok(Self {
            kind: any.kind,
            object: any.object.get(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_a_watch_are_taken_apart() {
        let check = |line: &str, wanted: Option<(&str, &str)>| {
            let wanted = wanted.map(|(kind, object)| Change { kind, object });
            assert_eq!(Change::of(line).ok(), wanted, "{line}");
        };
        let object = r#"{"metadata":{"name":"\"}"},"n":[{}]}"#;
        check(
            &format!(r#"{{"type":"ADDED","object":{object}}}"#),
            Some(("ADDED", object)),
        );
        check(
            &format!(r#"{{ "object": {object}, "type": "DELETED" }}"#),
            Some(("DELETED", object)),
        );
        for line in ["", "{}", r#"{"type":"ADDED"}"#, r#"{"type":"ADDED","object":{"#] {
            check(line, None);
        }
    }
}
