//! Labels, annotations, owner and finalizer of a pod (C-BLD-01).

use std::collections::BTreeMap;

use argosy_model::Workflow;
use argosy_model::k8s::{ObjectMeta, OwnerReference};

use super::PodRequest;
use super::containers::Draft;
use super::label;
use crate::duration;

/// The trace that a pod's containers continue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trace {
    /// Trace id: 32 hexadecimal digits.
    pub trace_id: String,
    /// Span id: 16 hexadecimal digits.
    pub span_id: String,
}

impl Trace {
    /// Ids that follow from the workflow's uid and the node's id, so that every try gives the same pod.
    #[must_use]
    pub fn derived(workflow_uid: &str, node_id: &str) -> Self {
        let high = fnv1a_64(0x9e37_79b9_7f4a_7c15, workflow_uid);
        let low = fnv1a_64(0xcbf2_9ce4_8422_2325, workflow_uid);
        let span = fnv1a_64(high, node_id);
        Self {
            trace_id: format!("{high:016x}{:016x}", low | 1),
            span_id: format!("{:016x}", span | 1),
        }
    }
}

fn fnv1a_64(seed: u64, text: &str) -> u64 {
    text.bytes().fold(seed, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3)
    })
}

/// The workflow as controlling owner.
pub(crate) fn controlled_by(workflow: &Workflow) -> OwnerReference {
    OwnerReference {
        api_version: "argoproj.io/v1alpha1".to_owned(),
        kind: "Workflow".to_owned(),
        name: workflow.metadata.name.clone(),
        uid: workflow.metadata.uid.clone(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    }
}

/// Metadata of an object that belongs to a node: the pod, or a ConfigMap beside it.
pub(super) fn of_node(request: &PodRequest<'_>) -> ObjectMeta {
    let workflow = &request.workflow.metadata;
    let mut annotations = BTreeMap::new();
    annotations.insert(label::NODE_NAME.to_owned(), request.node_name.to_owned());
    annotations.insert(label::NODE_ID.to_owned(), request.node_id.to_owned());
    ObjectMeta {
        name: request.pod_name.to_owned(),
        namespace: workflow.namespace.clone(),
        labels: BTreeMap::from([(label::WORKFLOW.to_owned(), workflow.name.clone())]),
        annotations,
        owner_references: vec![controlled_by(request.workflow)],
        ..ObjectMeta::default()
    }
}

/// Gives the pod its metadata; what the workflow and the template say comes last and may replace ours.
pub(super) fn apply(draft: &mut Draft<'_>) {
    let request = draft.request;
    let mut meta = of_node(request);
    meta.labels
        .insert(label::COMPLETED.to_owned(), "false".to_owned());
    if request.on_exit {
        meta.labels.insert(label::ON_EXIT.to_owned(), "true".to_owned());
    }
    if !request.config.instance_id.is_empty() {
        meta.labels
            .insert(label::INSTANCE_ID.to_owned(), request.config.instance_id.clone());
    }
    if request.config.pod_finalizer {
        meta.finalizers.push(label::POD_FINALIZER.to_owned());
    }
    meta.annotations.insert(
        label::DEFAULT_CONTAINER.to_owned(),
        draft.default_container.clone(),
    );
    if let Some(gc) = &request.spec.pod_gc {
        let delay = duration::parse(&gc.delete_delay_duration).unwrap_or(request.config.pod_gc_delay);
        meta.annotations.insert(
            label::POD_GC_STRATEGY.to_owned(),
            format!("{}/{}", gc.strategy, duration::to_go(delay)),
        );
    }
    meta.annotations
        .insert(label::TRACE_ID.to_owned(), draft.trace.trace_id.clone());
    meta.annotations
        .insert(label::SPAN_ID.to_owned(), draft.trace.span_id.clone());
    let workflow_level = request.spec.pod_metadata.iter();
    for extra in workflow_level.chain(std::iter::once(&draft.template.metadata)) {
        meta.labels.extend(extra.labels.clone());
        meta.annotations.extend(extra.annotations.clone());
    }
    draft.pod.metadata = meta;
}
