//! What a pod takes from the workflow, its boundary and its template as it is: where and as whom it runs (C-BLD-02, C-BLD-03).

use argosy_model::k8s::{PodSpec, ResourceRequirements};
use argosy_model::{Template, WorkflowSpec};

use super::Error;
use super::containers::Draft;
use super::{PodRequest, deadline};

/// Fills the fields of the pod's spec that are no containers and no volumes.
pub(super) fn apply(draft: &mut Draft<'_>) -> Result<(), Error> {
    let request = draft.request;
    let template = &draft.template;
    let spec = &mut draft.pod.spec;
    spec.restart_policy = "Never".to_owned();
    network(spec, request.spec);
    constraints(spec, request.spec, Some(template), request.boundary);
    spec.host_aliases = request
        .spec
        .host_aliases
        .iter()
        .chain(&template.host_aliases)
        .cloned()
        .collect();
    spec.resources = template
        .pod_resources
        .clone()
        .or_else(|| request.spec.pod_resources.clone())
        .filter(declared);
    spec.resource_claims = first([&template.resource_claims, &request.spec.resource_claims]);
    spec.security_context = template
        .security_context
        .clone()
        .or_else(|| request.spec.security_context.clone());
    spec.service_account_name = first([&template.service_account_name, &request.spec.service_account_name]);
    let automount = template
        .automount_service_account_token
        .or(request.spec.automount_service_account_token);
    if automount == Some(false) {
        if executor_account(request, template).is_none() {
            return Err(Error::refused(
                "executor.serviceAccountName must not be empty if automountServiceAccountToken is false",
            ));
        }
        spec.automount_service_account_token = Some(false);
    }
    spec.active_deadline_seconds = deadline::of_pod(request, template)?;
    Ok(())
}

/// The account whose token our containers use instead of the pod's (C-BLD-04).
pub(super) fn executor_account<'a>(request: &PodRequest<'a>, template: &'a Template) -> Option<&'a str> {
    let of = |executor: &'a Option<argosy_model::ExecutorConfig>| {
        executor
            .as_ref()
            .map(|e| e.service_account_name.as_str())
            .filter(|name| !name.is_empty())
    };
    of(&template.executor).or_else(|| of(&request.spec.executor))
}

fn declared(resources: &ResourceRequirements) -> bool {
    *resources != ResourceRequirements::default()
}

/// What pods share that belong to the workflow and to no node.
pub(super) fn network(pod: &mut PodSpec, workflow: &WorkflowSpec) {
    pod.image_pull_secrets.clone_from(&workflow.image_pull_secrets);
    pod.host_network = workflow.host_network.unwrap_or_default();
    pod.dns_policy = workflow.dns_policy.clone().unwrap_or_default();
    pod.dns_config.clone_from(&workflow.dns_config);
}

/// Scheduling constraints: each from the template, else the boundary, else the workflow, as a whole.
pub(super) fn constraints(
    pod: &mut PodSpec,
    workflow: &WorkflowSpec,
    template: Option<&Template>,
    boundary: Option<&Template>,
) {
    let near = || template.into_iter().chain(boundary);
    pod.node_selector = near()
        .map(|t| &t.node_selector)
        .chain([&workflow.node_selector])
        .find(|selector| !selector.is_empty())
        .cloned()
        .unwrap_or_default();
    pod.affinity = near()
        .map(|t| &t.affinity)
        .chain([&workflow.affinity])
        .flatten()
        .next()
        .cloned();
    pod.tolerations = near()
        .map(|t| &t.tolerations)
        .chain([&workflow.tolerations])
        .find(|tolerations| !tolerations.is_empty())
        .cloned()
        .unwrap_or_default();
    let text = |of: fn(&Template) -> &String, whole: &String| {
        template
            .map(of)
            .into_iter()
            .chain([whole])
            .find(|text| !text.is_empty())
            .cloned()
            .unwrap_or_default()
    };
    pod.scheduler_name = text(|t| &t.scheduler_name, &workflow.scheduler_name);
    pod.priority_class_name = text(|t| &t.priority_class_name, &workflow.pod_priority_class_name);
}

/// The first value that is not empty.
fn first<T: Clone + Default + PartialEq>(values: [&T; 2]) -> T {
    values
        .into_iter()
        .find(|value| **value != T::default())
        .cloned()
        .unwrap_or_default()
}
