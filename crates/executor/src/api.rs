//! The Kubernetes API as the executor uses it: a client by the usual rules (X-GEN-23), and
//! requests on plain JSON. Which objects are written is not here.

use std::time::Duration;

use futures::TryStreamExt as _;
use http::{Method, Request};
use kube::api::WatchEvent;
use kube::config::{KubeConfigOptions, Kubeconfig};
use kube::{Client, Config};
use serde_json::Value;

use crate::args::Line;
use crate::env;
use crate::outcome::Failure;
use crate::retry::is_transient_status;

/// A client and the namespace it works in.
#[derive(Clone)]
pub struct Api {
    client: Client,
    namespace: String,
}

/// A request that failed.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Error {
    /// The status of the answer; 0 when there was none.
    pub code: u16,
    /// The API's word for it, such as `NotFound`; empty when there was no answer.
    pub reason: String,
    /// What went wrong.
    pub message: String,
    /// Whether trying again may help.
    pub is_transient: bool,
}

impl From<kube::Error> for Error {
    fn from(error: kube::Error) -> Self {
        let (code, reason, message) = match &error {
            kube::Error::Api(status) => (status.code, status.reason.clone(), status.message.clone()),
            other => (0, String::new(), chain(other)),
        };
        Self {
            code,
            reason,
            is_transient: is_transient_status(code, &message),
            message,
        }
    }
}

/// An error with everything that caused it.
fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        let cause_text = cause.to_string();
        if !text.ends_with(&cause_text) {
            text.push_str(": ");
            text.push_str(&cause_text);
        }
        source = cause.source();
    }
    text
}

impl Api {
    /// Connects as the flags, the environment or the pod say.
    ///
    /// # Errors
    /// No configuration is found, or it makes no sense.
    pub async fn connect(line: &Line) -> Result<Self, Failure> {
        let failed = |e: &dyn std::error::Error| {
            Failure::new(format!("failed to get kubernetes config: {}", chain(e)))
        };
        let mut config = match line.value("kubeconfig") {
            Some(path) => {
                let file = Kubeconfig::read_from(path).map_err(|e| failed(&e))?;
                let options = KubeConfigOptions {
                    context: line.value("context").map(str::to_owned),
                    cluster: line.value("cluster").map(str::to_owned),
                    user: line.value("user").map(str::to_owned),
                };
                Config::from_custom_kubeconfig(file, &options)
                    .await
                    .map_err(|e| failed(&e))?
            }
            None => Config::infer().await.map_err(|e| failed(&e))?,
        };
        let named = line.value("namespace").map(str::to_owned);
        let namespace =
            named.or_else(|| env::text("POD_NAMESPACE").filter(|_| line.value("kubeconfig").is_none()));
        if let Some(namespace) = namespace {
            config.default_namespace = namespace;
        }
        // A proxy's variables are meant for stores; the API is inside the cluster.
        config.proxy_url = None;
        let namespace = config.default_namespace.clone();
        let client = Client::try_from(config).map_err(|e| failed(&e))?;
        Ok(Self { client, namespace })
    }

    /// Uses a client that exists already.
    pub fn of_client(client: Client, namespace: impl Into<String>) -> Self {
        Self {
            client,
            namespace: namespace.into(),
        }
    }

    /// The namespace of the pod.
    pub fn namespace(&self) -> &str {
        &self.namespace
    }

    /// Creates an object below a collection's path.
    ///
    /// # Errors
    /// The API is not reached or says no.
    pub async fn create(&self, collection: &str, body: &Value) -> Result<Value, Error> {
        self.send(Method::POST, collection, "application/json", Some(body))
            .await
    }

    /// Reads an object or a list.
    ///
    /// # Errors
    /// The API is not reached or says no.
    pub async fn get(&self, path: &str) -> Result<Value, Error> {
        self.send(Method::GET, path, "application/json", None).await
    }

    /// Returns when an object may have changed since a version, and after `limit` in any case: also
    /// when it may not be watched.
    pub async fn changed(&self, collection: &str, name: &str, version: Option<&str>, limit: Duration) {
        let end = tokio::time::Instant::now() + limit;
        let Some(version) = version else {
            return tokio::time::sleep_until(end).await;
        };
        let secs = limit.as_secs().max(1);
        let path = format!(
            "{collection}?watch=true&fieldSelector=metadata.name%3D{name}&resourceVersion={version}&timeoutSeconds={secs}"
        );
        let watch = async {
            let request = Request::get(path).body(Vec::new()).ok()?;
            let events = self.client.request_events::<Value>(request).await.ok()?;
            let first = std::pin::pin!(events).try_next().await.ok()??;
            matches!(
                first,
                WatchEvent::Added(_) | WatchEvent::Modified(_) | WatchEvent::Deleted(_)
            )
            .then_some(())
        };
        // A watch that ended without news leaves the rest of the time to wait.
        if !matches!(tokio::time::timeout_at(end, watch).await, Ok(Some(()))) {
            tokio::time::sleep_until(end).await;
        }
    }

    /// Opens a watch; the path says of what.
    ///
    /// # Errors
    /// The API is not reached or says no.
    pub async fn watch(
        &self,
        path: &str,
    ) -> Result<impl futures::Stream<Item = kube::Result<WatchEvent<Value>>> + Send + use<>, Error> {
        let request = Request::get(path).body(Vec::new()).map_err(|e| Error {
            code: 0,
            reason: String::new(),
            message: e.to_string(),
            is_transient: false,
        })?;
        Ok(self.client.request_events::<Value>(request).await?)
    }

    /// Merges a change into an object.
    ///
    /// # Errors
    /// The API is not reached or says no.
    pub async fn merge(&self, path: &str, change: &Value) -> Result<Value, Error> {
        self.send(Method::PATCH, path, "application/merge-patch+json", Some(change))
            .await
    }

    /// Sends a request and reads the answer as JSON.
    ///
    /// # Errors
    /// The API is not reached or says no.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        content_type: &str,
        body: Option<&Value>,
    ) -> Result<Value, Error> {
        let bytes = body.map_or_else(Vec::new, |b| b.to_string().into_bytes());
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(
                http::header::USER_AGENT,
                concat!("argo-workflows/v", env!("CARGO_PKG_VERSION"), " argo-executor"),
            )
            .header(http::header::CONTENT_TYPE, content_type)
            .body(bytes)
            .map_err(|e| Error {
                code: 0,
                reason: String::new(),
                message: e.to_string(),
                is_transient: false,
            })?;
        Ok(self.client.request::<Value>(request).await?)
    }
}
