//! The pod of a node, to the last field, from plain data (section 24 of the behaviour).
//!
//! Pure: what is not known yet (the entrypoint of an image, the token of an account) comes back as an error that names
//! it, and the caller asks again when it knows. Not here: whether a pod is wanted at all, and its creation.

mod affinity;
pub mod agent;
mod artifacts;
pub(crate) mod collector;
mod containers;
mod deadline;
mod emissary;
mod environment;
mod label;
mod location;
mod metadata;
mod offload;
pub mod patch;
mod plugins;
mod resource;
mod scheduling;
mod secrets;
mod security;
mod tags;
mod volumes;

use std::collections::BTreeMap;

use argosy_model::k8s::{ConfigMap, Pod, Volume};
use argosy_model::{ArtifactRepository, Template, Workflow, WorkflowSpec};
use jiff::Timestamp;

use crate::config::{Config, ImageConfig};
use crate::vars::Substitution;

pub use location::archive_location;
pub(crate) use location::{has_key, has_location};
pub use metadata::Trace;

/// Everything that the pod of one node depends on.
#[derive(Clone, Copy)]
pub struct PodRequest<'a> {
    /// The controller's settings.
    pub config: &'a Config,
    /// The workflow: name, namespace, uid.
    pub workflow: &'a Workflow,
    /// The execution spec, globals substituted.
    pub spec: &'a WorkflowSpec,
    /// The template after processing of its arguments.
    pub template: &'a Template,
    /// The template of the node's boundary, whose scheduling constraints come before the workflow's.
    pub boundary: Option<&'a Template>,
    /// Full name of the node.
    pub node_name: &'a str,
    /// Id of the node.
    pub node_id: &'a str,
    /// Name of the pod.
    pub pod_name: &'a str,
    /// The node belongs to an exit handler: no workflow deadline, and a label.
    pub on_exit: bool,
    /// Whether somebody reads the result, so that it must be captured.
    pub include_script_output: bool,
    /// Now.
    pub now: Timestamp,
    /// When the node started; `timeout` counts from there.
    pub started_at: Option<Timestamp>,
    /// When the workflow must have ended.
    pub workflow_deadline: Option<Timestamp>,
    /// When the retry strategy gives up (C-RTY-04).
    pub retry_deadline: Option<Timestamp>,
    /// The default artifact repository.
    pub repository: Option<&'a ArtifactRepository>,
    /// Entrypoints found in registries, by image, or why they could not be found.
    pub images: &'a BTreeMap<String, Result<ImageConfig, String>>,
    /// Token secrets by service account.
    pub token_secrets: &'a BTreeMap<String, String>,
    /// Volumes of the claims that were made for the workflow.
    pub claims: &'a [Volume],
    /// Hosts of earlier failed attempts, to stay away from (C-RTY-08); only for `nodeAntiAffinity`.
    pub failed_hosts: &'a [String],
    /// Trace of the node; [`Trace::derived`] when no tracer is at work.
    pub trace: Option<&'a Trace>,
    /// Lenient, with globals, the node's variables and inputs: unknown tags stay.
    pub substitute: Substitution<'a>,
}

/// A pod and what must exist before it.
#[derive(Debug, Clone, PartialEq)]
pub struct Built {
    /// The pod.
    pub pod: Pod,
    /// ConfigMaps with what is too big for an environment.
    pub config_maps: Vec<ConfigMap>,
}

/// Why there is no pod.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The entrypoint of an image must be looked up first.
    #[error("the entrypoint of image {image} is not known yet")]
    ImageUnknown {
        /// The image.
        image: String,
    },
    /// The token secret of an account must be looked up first.
    #[error("the token secret of service account {service_account} is not known yet")]
    TokenSecretUnknown {
        /// The account.
        service_account: String,
    },
    /// No time is left: no pod is made, and the node says nothing (C-BLD-50).
    #[error("no time is left")]
    NoTimeLeft,
    /// The user's fault; the text becomes the node's message.
    #[error("{0}")]
    Refused(String),
}

impl Error {
    fn refused(text: impl Into<String>) -> Self {
        Self::Refused(text.into())
    }
}

/// Builds the pod of a node.
///
/// # Errors
/// [`Error::ImageUnknown`] and [`Error::TokenSecretUnknown`] name what to look up before another try;
/// [`Error::NoTimeLeft`] and [`Error::Refused`] are final.
pub fn build(request: &PodRequest<'_>) -> Result<Built, Error> {
    let mut draft = containers::Draft::new(request)?;
    metadata::apply(&mut draft);
    scheduling::apply(&mut draft)?;
    volumes::apply(&mut draft)?;
    let mut pod = tags::substituted_pod(request, &draft)?;
    tags::archive_location_is_resolved(&draft)?;
    patch::apply_all(request, &draft.template, &mut pod)?;
    emissary::wrap(&draft, &mut pod)?;
    environment::add_grace_period(&mut pod);
    let config_maps = offload::apply(&draft, &mut pod);
    deadline::apply_timeout(request, &draft.template, &mut pod)?;
    affinity::keep_away(&mut pod, request);
    Ok(Built { pod, config_maps })
}
