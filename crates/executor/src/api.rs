//! The Kubernetes API as the executor uses it: a client by the usual rules (X-GEN-23), and
//! requests on plain JSON. Which objects are written is not here.

use http::{Method, Request};
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
    /// What went wrong.
    pub message: String,
    /// Whether trying again may help.
    pub is_transient: bool,
}

impl From<kube::Error> for Error {
    fn from(error: kube::Error) -> Self {
        let (code, message) = match &error {
            kube::Error::Api(status) => (status.code, status.message.clone()),
            other => (0, chain(other)),
        };
        Self {
            code,
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
                message: e.to_string(),
                is_transient: false,
            })?;
        Ok(self.client.request::<Value>(request).await?)
    }
}
