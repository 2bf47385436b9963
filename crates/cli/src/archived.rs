//! Logs of pods that are gone, read from where the executor kept them: the artifact `main-logs` of a node.
//!
//! Credentials come from the Secrets that the location names, read through the API as whoever calls.

use std::io;

use argosy_artifact::store::Stream;
use argosy_artifact::{Options, Secrets, location};
use argosy_model::artifact::ArtifactLocation;
use argosy_model::{NodeStatus, Workflow};
use async_trait::async_trait;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD as BASE64;
use serde_json::Value;

use crate::api::Api;

/// Why a kept log can't be read.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The node has none of this container.
    #[error("the pod is gone, and its log was not kept")]
    NotKept,
    /// The store refused, or can't be reached.
    #[error("reading the log from its store")]
    Store(#[from] argosy_artifact::Error),
}

/// Secrets of the API, in one namespace.
struct OfApi<'a>(&'a Api);

#[async_trait]
impl Secrets for OfApi<'_> {
    async fn get(&self, name: &str, key: &str) -> io::Result<String> {
        let path = format!("/api/v1/namespaces/{}/secrets/{name}", self.0.namespace);
        let secret: Value = self.0.read(&path).await.map_err(io::Error::other)?;
        let none = || io::Error::new(io::ErrorKind::NotFound, "the secret has no such key");
        let text = secret["data"][key].as_str().ok_or_else(none)?;
        let bytes = BASE64.decode(text).map_err(io::Error::other)?;
        String::from_utf8(bytes).map_err(io::Error::other)
    }
}

/// Whether a node's log of a container was kept.
pub fn is_kept(node: &NodeStatus, container: &str) -> bool {
    kept(node, container).is_some()
}

/// Opens the kept log of a node's container.
///
/// # Errors
/// When none was kept, or the store refuses.
pub async fn open(
    api: &Api,
    workflow: &Workflow,
    node: &NodeStatus,
    container: &str,
) -> Result<Stream, Error> {
    let own = kept(node, container).ok_or(Error::NotKept)?;
    let place = location::complete(own, repository(workflow, node).as_ref())?;
    let store = argosy_artifact::open(&place, &OfApi(api), &Options::default()).await?;
    Ok(store.read().await?)
}

fn kept<'a>(node: &'a NodeStatus, container: &str) -> Option<&'a ArtifactLocation> {
    let name = format!("{container}-logs");
    let outputs = node.outputs.as_ref()?;
    Some(&outputs.artifacts.iter().find(|a| a.name == name)?.location)
}

/// The store that a location means which gives a key alone: the template's own, else the workflow's.
fn repository(workflow: &Workflow, node: &NodeStatus) -> Option<ArtifactLocation> {
    let stored = workflow.status.stored_templates.values();
    let template = workflow
        .spec
        .templates
        .iter()
        .chain(stored)
        .find(|t| t.name == node.template_name);
    let own = template.and_then(|t| t.archive_location.as_deref());
    if let Some(own) = own.filter(|l| location::kind(l).is_some()) {
        return Some(own.clone());
    }
    let reference = workflow.status.artifact_repository_ref.as_ref()?;
    argosy_engine::pod::archive_location(reference.artifact_repository.as_deref()?)
}
