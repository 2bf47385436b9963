//! GET with `watch`: a stream of changes from a revision on.
//!
//! Deliberately absent: queues. A watch keeps the revision it has sent and reads on from the store's history;
//! one that falls out of the history ends with 410, and its client lists again.

use std::sync::Arc;
use std::time::Duration;

use bytes::{BufMut, Bytes, BytesMut};
use http::{Response, StatusCode};
use serde_json::json;
use tokio::sync::watch;
use tokio::time::Instant;

use super::read::{Choice, Form, metadata_of, object_text, parse_revision};
use super::{ApiServer, Call};
use crate::body::{Body, BoxError};
use crate::kinds::Kind;
use crate::reply;
use crate::status::{Result, Status};
use crate::store::{Change, ChangeKind, Object};
use crate::table::Printing;

/// How often a quiet watch tells how far it is, as Kubernetes does.
const BOOKMARK_EVERY: Duration = Duration::from_secs(60);
/// How long a watch lives when the client does not say: Kubernetes takes 30 to 60 minutes.
const LIFETIME: Duration = Duration::from_secs(45 * 60);
/// Changes read under the lock at once: at 2 KiB an object one chunk is at most 512 KiB.
const BATCH: usize = 256;

/// One running watch.
struct Watcher {
    server: Arc<ApiServer>,
    kind: Arc<Kind>,
    choice: Choice,
    bell: watch::Receiver<u64>,
    seen: u64,
    /// Texts of the objects that existed when the watch began.
    first: Option<Bytes>,
    bookmarks: bool,
    form: Form,
    include: String,
    next_bookmark: Instant,
    end: Instant,
    done: bool,
}

impl ApiServer {
    pub(super) fn watch(self: &Arc<Self>, call: Call) -> Result<Response<Body>> {
        let choice = Choice::of(&call)?;
        let initial = call.query.is("sendInitialEvents");
        let bookmarks = call.query.is("allowWatchBookmarks");
        if initial && (!bookmarks || call.query.get("resourceVersionMatch") != "NotOlderThan") {
            let message = "sendInitialEvents: Forbidden: sendInitialEvents requires setting resourceVersionMatch to \
                NotOlderThan and allowWatchBookmarks to true";
            return Err(Status::bad_request(format!(
                "ListOptions.meta.k8s.io \"\" is invalid: {message}"
            )));
        }
        let given = call.query.get("sendInitialEvents");
        let from = parse_revision(call.query.get("resourceVersion"))?;
        let now = Instant::now();
        let lifetime = match call
            .query
            .number("timeoutSeconds")
            .and_then(|secs| u64::try_from(secs).ok())
        {
            Some(secs @ 1..) => Duration::from_secs(secs.min(24 * 3600)),
            _ => LIFETIME,
        };
        let mut watcher = Watcher {
            // The bell is taken before the list, so that no change falls between them.
            bell: self.store.bell(&call.kind.resource),
            server: self.clone(),
            form: Form::of(&call),
            include: call.query.get("includeObject").to_owned(),
            kind: call.kind,
            choice,
            seen: from,
            first: None,
            bookmarks,
            next_bookmark: now + BOOKMARK_EVERY,
            end: now + lifetime,
            done: false,
        };
        if initial || (from == 0 && given != "false") {
            watcher.list(initial);
        } else if from == 0 {
            watcher.seen = self.store.read().revision();
        }
        let body = Body::stream(futures::stream::unfold(watcher, |mut watcher| async move {
            let chunk = watcher.next().await?;
            Some((Ok::<_, BoxError>(chunk), watcher))
        }));
        Ok(reply::with_body(StatusCode::OK, "application/json", body))
    }
}

impl Watcher {
    /// Starts with everything that exists.
    fn list(&mut self, mark_end: bool) {
        let page = self
            .server
            .store
            .read()
            .list(&self.kind.resource, &self.choice.namespace);
        self.seen = page.revision;
        let mut text = BytesMut::new();
        for object in page.objects.iter().filter(|object| self.choice.takes(object)) {
            self.put(&mut text, "ADDED", object);
        }
        if mark_end {
            text.put(self.bookmark(true));
        }
        self.first = Some(text.freeze()).filter(|text| !text.is_empty());
    }

    /// The next chunk; `None` when the watch is over.
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(first) = self.first.take() {
            return Some(first);
        }
        while !self.done {
            self.bell.mark_unchanged();
            let changes = {
                let core = self.server.store.read();
                let safe = self.server.store.safe();
                let changes = core.changes(&self.kind.resource, self.seen, BATCH);
                changes.map(|mut changes| {
                    changes.retain(|change| change.revision() <= safe);
                    changes
                })
            };
            match changes {
                Ok(changes) => {
                    let text = self.read(&changes);
                    if !text.is_empty() {
                        return Some(text);
                    }
                    if changes.len() == BATCH {
                        continue;
                    }
                }
                Err(compacted) => {
                    self.done = true;
                    let message = format!(
                        "too old resource version: {} ({})",
                        compacted.wanted, compacted.oldest
                    );
                    let status = Status::expired(message).to_value();
                    return Some(format!("{}\n", json!({"type": "ERROR", "object": status})).into());
                }
            }
            tokio::select! {
                changed = self.bell.changed() => self.done = changed.is_err(),
                () = tokio::time::sleep_until(self.next_bookmark.min(self.end)) => {
                    let now = Instant::now();
                    self.done = now >= self.end;
                    self.next_bookmark = now + BOOKMARK_EVERY;
                    if self.bookmarks {
                        return Some(self.mark());
                    }
                }
            }
        }
        None
    }

    fn read(&mut self, changes: &[Arc<Change>]) -> Bytes {
        let mut text = BytesMut::new();
        for change in changes {
            self.seen = change.revision();
            let now = change.kind != ChangeKind::Deleted && self.choice.takes(&change.object);
            let before = change
                .previous
                .as_ref()
                .is_some_and(|previous| self.choice.takes(previous));
            let r#type = match (before, now) {
                (false, true) => "ADDED",
                (true, true) => "MODIFIED",
                (true, false) => "DELETED",
                (false, false) => continue,
            };
            self.put(&mut text, r#type, &change.object);
        }
        text.freeze()
    }

    fn put(&self, text: &mut BytesMut, r#type: &str, object: &Object) {
        text.put_slice(b"{\"type\":\"");
        text.put_slice(r#type.as_bytes());
        text.put_slice(b"\",\"object\":");
        match self.form {
            Form::Object => text.put(object_text(&self.kind, object)),
            Form::Table => {
                let now = self.server.options.clock.now();
                let printing = Printing {
                    kind: &self.kind,
                    now,
                    include: &self.include,
                };
                text.put_slice(printing.one(object).to_string().as_bytes());
            }
            Form::Metadata => text.put_slice(metadata_of(object).to_string().as_bytes()),
        }
        text.put_slice(b"}\n");
    }

    /// A bookmark at the newest revision: everything up to it has been sent or did not match.
    fn mark(&mut self) -> Bytes {
        let core = self.server.store.read();
        let behind = core
            .changes(&self.kind.resource, self.seen, 1)
            .is_ok_and(|changes| !changes.is_empty());
        if !behind {
            self.seen = self.seen.max(core.revision().min(self.server.store.safe()));
        }
        drop(core);
        self.bookmark(false)
    }

    fn bookmark(&self, ends_first: bool) -> Bytes {
        let mut metadata = json!({"resourceVersion": self.seen.to_string(), "creationTimestamp": null});
        if ends_first {
            metadata["annotations"] = json!({"k8s.io/initial-events-end": "true"});
        }
        let object =
            json!({"kind": self.kind.kind, "apiVersion": self.kind.api_version(), "metadata": metadata});
        format!("{}\n", json!({"type": "BOOKMARK", "object": object})).into()
    }
}
