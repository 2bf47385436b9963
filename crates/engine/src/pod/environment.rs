//! The environment that every container of a pod gets (C-BLD-12, C-BLD-15).

use argosy_model::k8s::{EnvVar, EnvVarSource, ObjectFieldSelector, Pod, Time};
use jiff::{SignedDuration, Timestamp};

use super::PodRequest;
use super::containers::Draft;
use crate::duration;

/// What Go writes for no time at all.
const NO_DEADLINE: &str = "0001-01-01T00:00:00Z";
/// Where users report progress.
const PROGRESS_FILE: &str = "/var/run/argo/progress";

/// A variable with a value.
pub(super) fn value(name: &str, value: impl Into<String>) -> EnvVar {
    EnvVar {
        name: name.to_owned(),
        value: value.into(),
        value_from: None,
    }
}

fn field(name: &str, path: &str) -> EnvVar {
    let selector = ObjectFieldSelector {
        api_version: "v1".to_owned(),
        field_path: path.to_owned(),
    };
    let source = EnvVarSource {
        field_ref: Some(selector),
        ..EnvVarSource::default()
    };
    EnvVar {
        name: name.to_owned(),
        value: String::new(),
        value_from: Some(Box::new(source)),
    }
}

/// What containers of ours know about the pod.
pub(super) fn of_executor(request: &PodRequest<'_>) -> Vec<EnvVar> {
    let workflow = &request.workflow.metadata;
    let mut env = vec![
        field("ARGO_POD_NAME", "metadata.name"),
        field("ARGO_POD_UID", "metadata.uid"),
        value("ARGO_WORKFLOW_NAME", &workflow.name),
        value("ARGO_WORKFLOW_UID", &workflow.uid),
    ];
    if !request.config.instance_id.is_empty() {
        env.push(value("ARGO_INSTANCE_ID", &request.config.instance_id));
    }
    if let Some(fragment) = &request.config.executor {
        env.extend(fragment.env.iter().cloned());
    }
    env
}

/// What every container gets behind its own variables. `template` goes in for init containers.
pub(super) fn of_every_container(draft: &Draft<'_>, container: &str, template: bool) -> Vec<EnvVar> {
    let request = draft.request;
    let workflow = &request.workflow.metadata;
    let trace = &draft.trace;
    let mut env = vec![value("ARGO_CONTAINER_NAME", container)];
    if template {
        env.push(value("ARGO_TEMPLATE", &draft.template_text));
    }
    env.push(value("ARGO_NODE_ID", request.node_id));
    env.push(value(
        "ARGO_INCLUDE_SCRIPT_OUTPUT",
        draft.include_script_output().to_string(),
    ));
    env.push(value("ARGO_DEADLINE", deadline(request)));
    env.push(value("ARGO_WORKFLOW_NAME", &workflow.name));
    env.push(value(
        "TRACESTATE",
        format!("workflow={}/{}", workflow.namespace, workflow.name),
    ));
    env.push(value(
        "TRACEPARENT",
        format!("00-{}-{}-01", trace.trace_id, trace.span_id),
    ));
    let patch = tick(
        request,
        "ARGO_PROGRESS_PATCH_TICK_DURATION",
        SignedDuration::from_mins(1),
    );
    let read = tick(
        request,
        "ARGO_PROGRESS_FILE_TICK_DURATION",
        SignedDuration::from_secs(3),
    );
    if !patch.is_zero() && !read.is_zero() {
        env.push(value("ARGO_PROGRESS_FILE", PROGRESS_FILE));
        env.push(value("ARGO_PROGRESS_PATCH_TICK_DURATION", duration::to_go(patch)));
        env.push(value("ARGO_PROGRESS_FILE_TICK_DURATION", duration::to_go(read)));
    }
    env
}

fn tick(request: &PodRequest<'_>, name: &str, default: SignedDuration) -> SignedDuration {
    request
        .config
        .environment
        .get(name)
        .and_then(|text| duration::parse_go(text).ok())
        .unwrap_or(default)
}

/// The earlier of the workflow's deadline, which exit handlers don't have, and the retry strategy's (C-BLD-51).
fn deadline(request: &PodRequest<'_>) -> String {
    let workflow: Option<Timestamp> = request.workflow_deadline.filter(|_| !request.on_exit);
    workflow
        .into_iter()
        .chain(request.retry_deadline)
        .min()
        .map_or_else(|| NO_DEADLINE.to_owned(), |time| Time(time).to_string())
}

/// Tells the containers how long they have to end, when the pod says so; it may say so only after its patches.
pub(super) fn add_grace_period(pod: &mut Pod) {
    if let Some(seconds) = pod.spec.termination_grace_period_seconds {
        for container in pod.spec.containers.iter_mut() {
            container.env.push(value(
                "ARGO_TERMINATION_GRACE_PERIOD_SECONDS",
                seconds.to_string(),
            ));
        }
    }
}
