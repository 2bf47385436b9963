//! The workflow that a schedule starts (C-CRON-12).

use argosy_model::k8s::{ObjectMeta, OwnerReference, Time, TypeMeta};
use argosy_model::{CronWorkflow, Workflow, WorkflowStatus};
use jiff::Timestamp;

use super::{CHILD_OF, INSTANCE};
use crate::config::Config;
use crate::names;

const SCHEDULED: &str = "workflows.argoproj.io/scheduled-time";

/// Labels that a run has of its CronWorkflow: who made it.
const INHERITED: &[&str] = &[
    "workflows.argoproj.io/creator",
    "workflows.argoproj.io/creator-email",
    "workflows.argoproj.io/creator-preferred-username",
];

/// The workflow that is to start at this time.
#[must_use]
pub fn child(cron: &CronWorkflow, time: Timestamp, config: &Config) -> Workflow {
    let own = &cron.metadata;
    let extra = cron.spec.workflow_metadata.as_deref();
    let mut labels = extra.map(|m| m.labels.clone()).unwrap_or_default();
    labels.extend(
        INHERITED
            .iter()
            .filter_map(|key| Some(((*key).to_owned(), own.labels.get(*key)?.clone()))),
    );
    labels.insert(CHILD_OF.to_owned(), own.name.clone());
    if !config.instance_id.is_empty() {
        labels.insert(INSTANCE.to_owned(), config.instance_id.clone());
    }
    let mut annotations = extra.map(|m| m.annotations.clone()).unwrap_or_default();
    annotations.insert(SCHEDULED.to_owned(), Time(time).to_string());
    Workflow {
        type_meta: TypeMeta {
            api_version: "argoproj.io/v1alpha1".to_owned(),
            kind: "Workflow".to_owned(),
        },
        metadata: ObjectMeta {
            name: names::cron_child(&own.name, time.as_second()),
            namespace: own.namespace.clone(),
            labels,
            annotations,
            finalizers: extra.map(|m| m.finalizers.clone()).unwrap_or_default(),
            owner_references: vec![owner(cron)],
            ..ObjectMeta::default()
        },
        spec: cron.spec.workflow_spec.clone(),
        status: WorkflowStatus::default(),
    }
}

/// The reference that makes an object go with its CronWorkflow.
pub(super) fn owner(cron: &CronWorkflow) -> OwnerReference {
    OwnerReference {
        api_version: "argoproj.io/v1alpha1".to_owned(),
        kind: "CronWorkflow".to_owned(),
        name: cron.metadata.name.clone(),
        uid: cron.metadata.uid.clone(),
        controller: Some(true),
        block_owner_deletion: Some(true),
    }
}
