//! Typed calls on the Kubernetes API in our own model types: where each kind lives, and the few verbs the controller needs.
//!
//! Not here: retries and what a failure means; callers decide by [`Failure`].

use http::header::ACCEPT;
use http::{HeaderValue, Request};
use kube::Client;
use kube::core::params::{
    DeleteParams, GetParams, Patch, PatchParams, PostParams, Preconditions, PropagationPolicy,
};
use serde::Serialize;
use serde::de::IgnoredAny;
use serde_json::Value;

use crate::lean::Answer;

/// Where the objects of a kind live.
#[derive(Debug)]
pub struct Resource {
    /// API group, empty for the core group.
    pub group: &'static str,
    /// Version within the group.
    pub version: &'static str,
    /// Lower-case plural, as in paths.
    pub plural: &'static str,
}

macro_rules! resources {
    ($($(#[$doc:meta])* $name:ident = $group:literal, $version:literal, $plural:literal;)*) => {
        $($(#[$doc])* pub const $name: Resource = Resource { group: $group, version: $version, plural: $plural };)*
    };
}

resources! {
    /// Workflows.
    WORKFLOWS = "argoproj.io", "v1alpha1", "workflows";
    /// Templates of one namespace.
    WORKFLOW_TEMPLATES = "argoproj.io", "v1alpha1", "workflowtemplates";
    /// Templates of the whole cluster.
    CLUSTER_WORKFLOW_TEMPLATES = "argoproj.io", "v1alpha1", "clusterworkflowtemplates";
    /// Workflows on schedule.
    CRON_WORKFLOWS = "argoproj.io", "v1alpha1", "cronworkflows";
    /// What the executor reported of a node.
    TASK_RESULTS = "argoproj.io", "v1alpha1", "workflowtaskresults";
    /// Tasks of the agent.
    TASK_SETS = "argoproj.io", "v1alpha1", "workflowtasksets";
    /// Tasks of artifact clean-up.
    ARTIFACT_GC_TASKS = "argoproj.io", "v1alpha1", "workflowartifactgctasks";
    /// Pods.
    PODS = "", "v1", "pods";
    /// Configuration maps.
    CONFIG_MAPS = "", "v1", "configmaps";
    /// Volume claims.
    PVCS = "", "v1", "persistentvolumeclaims";
    /// Disruption budgets.
    PDBS = "policy", "v1", "poddisruptionbudgets";
    /// Events.
    EVENTS = "", "v1", "events";
}

impl Resource {
    /// The path of the collection, in one namespace or over all.
    pub fn path(&self, namespace: Option<&str>) -> String {
        let base = match self.group {
            "" => format!("/api/{}", self.version),
            group => format!("/apis/{group}/{}", self.version),
        };
        match namespace {
            Some(ns) => format!("{base}/namespaces/{ns}/{}", self.plural),
            None => format!("{base}/{}", self.plural),
        }
    }
}

/// Why a call failed, as far as callers tell failures apart.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// The object does not exist (404).
    #[error("{0}")]
    NotFound(String),
    /// An object of this name exists (409, reason AlreadyExists).
    #[error("{0}")]
    AlreadyExists(String),
    /// Somebody else changed the object first (409, reason Conflict).
    #[error("{0}")]
    Conflict(String),
    /// The object is larger than the API takes (413, or the texts of etcd).
    #[error("{0}")]
    TooLarge(String),
    /// The server refused the request for another reason.
    #[error("{message}")]
    Refused {
        /// HTTP status.
        code: u16,
        /// The server's words.
        message: String,
    },
    /// No answer: connection, time, or an answer that is none.
    #[error("{0}")]
    Unreachable(String),
}

impl Failure {
    /// The HTTP status, or 0 without an answer.
    pub fn code(&self) -> u16 {
        match self {
            Self::NotFound(_) => 404,
            Self::AlreadyExists(_) | Self::Conflict(_) => 409,
            Self::TooLarge(_) => 413,
            Self::Refused { code, .. } => *code,
            Self::Unreachable(_) => 0,
        }
    }
}

impl From<kube::Error> for Failure {
    fn from(error: kube::Error) -> Self {
        match error {
            kube::Error::Api(status) => {
                let message = status.message.clone();
                match (status.code, status.reason.as_str()) {
                    (404, _) => Self::NotFound(message),
                    (409, "AlreadyExists") => Self::AlreadyExists(message),
                    (409, "Conflict")
                        if message.starts_with("Operation cannot be fulfilled on resourcequota") =>
                    {
                        Self::Refused { code: 409, message }
                    }
                    (409, _) => Self::Conflict(message),
                    (413, _) => Self::TooLarge(message),
                    _ if message.contains("etcdserver: request is too large")
                        || message.contains("trying to send message larger than max") =>
                    {
                        Self::TooLarge(message)
                    }
                    (code, _) => Self::Refused { code, message },
                }
            }
            other => Self::Unreachable(full_text(&other)),
        }
    }
}

/// An error and its causes in one line.
fn full_text(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut source = error.source();
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}

/// Makes an object; gives it as stored.
///
/// # Errors
/// Every [`Failure`] but `NotFound` for a missing object.
pub async fn create<B: Serialize, T: Answer>(
    client: &Client,
    resource: &Resource,
    namespace: &str,
    body: &B,
) -> Result<T, Failure> {
    let text = serde_json::to_vec(body).map_err(|e| Failure::Unreachable(e.to_string()))?;
    create_from(client, resource, namespace, text).await
}

/// The same, from its text.
///
/// # Errors
/// As [`create`].
pub async fn create_from<T: Answer>(
    client: &Client,
    resource: &Resource,
    namespace: &str,
    text: Vec<u8>,
) -> Result<T, Failure> {
    let request = requests(resource, namespace).create(&PostParams::default(), text);
    send(client, request).await
}

/// Reads an object.
///
/// # Errors
/// Every [`Failure`].
pub async fn get<T: Answer>(
    client: &Client,
    resource: &Resource,
    namespace: &str,
    name: &str,
) -> Result<T, Failure> {
    send(
        client,
        requests(resource, namespace).get(name, &GetParams::default()),
    )
    .await
}

/// Reads the objects that a label selector matches, as a list.
///
/// # Errors
/// Every [`Failure`].
pub async fn list<T: Answer>(
    client: &Client,
    resource: &Resource,
    namespace: &str,
    labels: &str,
) -> Result<T, Failure> {
    let params = kube::core::params::ListParams::default().labels(labels);
    send(client, requests(resource, namespace).list(&params)).await
}

/// Changes an object by a JSON merge patch; gives it as stored. With `metadata.resourceVersion` in the patch it is a
/// compare-and-swap.
///
/// # Errors
/// Every [`Failure`].
pub async fn merge_patch<T: Answer>(
    client: &Client,
    resource: &Resource,
    namespace: &str,
    name: &str,
    patch: &Value,
) -> Result<T, Failure> {
    let request = requests(resource, namespace).patch(name, &PatchParams::default(), &Patch::Merge(patch));
    send(client, request).await
}

/// Deletes an object, of this uid only if one is given. An object that is already gone is success.
///
/// # Errors
/// Every [`Failure`] but `NotFound`.
pub async fn delete(
    client: &Client,
    resource: &Resource,
    namespace: &str,
    name: &str,
    uid: Option<&str>,
    grace_secs: Option<u32>,
) -> Result<(), Failure> {
    let params = DeleteParams {
        grace_period_seconds: grace_secs,
        propagation_policy: Some(PropagationPolicy::Background),
        preconditions: uid.map(|uid| Preconditions {
            uid: Some(uid.to_owned()),
            resource_version: None,
        }),
        ..DeleteParams::default()
    };
    match send::<IgnoredAny>(client, requests(resource, namespace).delete(name, &params)).await {
        Ok(_) | Err(Failure::NotFound(_)) => Ok(()),
        // Another uid has this name now: ours is gone.
        Err(Failure::Conflict(_)) if uid.is_some() => Ok(()),
        Err(other) => Err(other),
    }
}

/// Deletes all objects that a label selector matches.
///
/// # Errors
/// Every [`Failure`] but `NotFound`.
pub async fn delete_matching(
    client: &Client,
    resource: &Resource,
    namespace: &str,
    labels: &str,
) -> Result<(), Failure> {
    let params = DeleteParams::background();
    let list = kube::core::params::ListParams::default().labels(labels);
    match send::<IgnoredAny>(
        client,
        requests(resource, namespace).delete_collection(&params, &list),
    )
    .await
    {
        Ok(_) | Err(Failure::NotFound(_)) => Ok(()),
        Err(other) => Err(other),
    }
}

fn requests(resource: &Resource, namespace: &str) -> kube::core::Request {
    kube::core::Request::new(resource.path(Some(namespace).filter(|ns| !ns.is_empty())))
}

/// How long one call may take; a server that does not answer within it counts as unreachable.
const CALL_LIMIT: std::time::Duration = std::time::Duration::from_secs(30);

async fn send<T: Answer>(
    client: &Client,
    request: Result<Request<Vec<u8>>, kube::core::request::Error>,
) -> Result<T, Failure> {
    let mut request = request.map_err(|e| Failure::Unreachable(e.to_string()))?;
    if let Some(form) = T::FORM {
        request
            .headers_mut()
            .insert(ACCEPT, HeaderValue::from_static(form));
    }
    match tokio::time::timeout(CALL_LIMIT, client.request_text(request)).await {
        Ok(answer) => T::read(&answer?).map_err(|e| Failure::Unreachable(e.to_string())),
        Err(_) => Err(Failure::Unreachable(format!(
            "no answer within {} s",
            CALL_LIMIT.as_secs()
        ))),
    }
}
