//! Results of tasks on their way into the task set's status (X-AGT-13, X-AGT-14): at once when
//! nothing is on its way, several together when they come fast, and never lost.

use std::collections::BTreeMap;
use std::time::Duration;

use argosy_artifact::Backoff;
use serde_json::{Value, json};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

use crate::api::Api;
use crate::log;

/// Results that come within this time after one was sent travel together.
const GATHER: Duration = Duration::from_millis(100);

/// Longest time for what is left when the agent ends; a pod has 30 seconds.
const LAST_WORDS: Duration = Duration::from_secs(20);

/// Writes of results (R-AGENT).
const BACKOFF: Backoff = Backoff {
    steps: Some(5),
    first: Duration::from_secs(1),
    factor: 2.0,
    jitter: 0.1,
    cap: Duration::from_secs(30),
};

/// Where tasks leave their results.
#[derive(Clone)]
pub struct Handle(UnboundedSender<(String, Value)>);

impl Handle {
    /// Hands one result over. There is at most one for each task that runs.
    pub fn send(&self, id: &str, node: Value) {
        // Only closed when the process is about to end.
        let _ = self.0.send((id.to_owned(), node));
    }
}

/// The task that sends results.
pub struct Results {
    handle: Handle,
    sender: JoinHandle<()>,
}

impl Results {
    /// Begins to send; `rate` is the pause after results could not be sent.
    pub fn start(api: Api, workflow: &str, rate: Duration) -> Self {
        let (handle, results) = unbounded_channel();
        let namespace = api.namespace();
        let path =
            format!("/apis/argoproj.io/v1alpha1/namespaces/{namespace}/workflowtasksets/{workflow}/status");
        let sender = tokio::spawn(send(api, path, rate, results));
        Self {
            handle: Handle(handle),
            sender,
        }
    }

    /// For whoever has results.
    pub fn handle(&self) -> Handle {
        self.handle.clone()
    }

    /// Sends what is left; every other handle must be gone.
    pub async fn finish(self) {
        drop(self.handle);
        if tokio::time::timeout(LAST_WORDS, self.sender).await.is_err() {
            log::warn("results are left that could not be sent", &[]);
        }
    }
}

async fn send(api: Api, path: String, rate: Duration, mut results: UnboundedReceiver<(String, Value)>) {
    let mut left = BTreeMap::new();
    loop {
        let is_open = match results.recv().await {
            Some((id, node)) => {
                left.insert(id, node);
                true
            }
            None => false,
        };
        while let Ok((id, node)) = results.try_recv() {
            left.insert(id, node);
        }
        while !left.is_empty() && !attempt(&api, &path, &mut left).await {
            if results.is_closed() {
                break;
            }
            tokio::time::sleep(rate).await;
        }
        if !is_open {
            return;
        }
        if !results.is_closed() {
            tokio::time::sleep(GATHER).await;
        }
    }
}

/// Sends everything in one patch. `false`: something is left for the next time.
async fn attempt(api: &Api, path: &str, left: &mut BTreeMap<String, Value>) -> bool {
    let patch = json!({"status": {"nodes": left}});
    let sent = BACKOFF
        .retry(|e: &crate::api::Error| e.is_transient, || api.merge(path, &patch))
        .await;
    let error = match sent {
        Ok(_) => {
            left.clear();
            return true;
        }
        Err(error) => error,
    };
    log::error("results not sent", &[("error", &error.message)]);
    if error.code == 404 {
        // There is no workflow any more that would read them.
        left.clear();
        return true;
    }
    if !error.is_transient {
        for node in left.values_mut() {
            *node = json!({
                "phase": "Error",
                "message": format!(
                    "HTTP request completed successfully but an error occurred when patching its result: {error}"
                ),
            });
        }
    }
    false
}
