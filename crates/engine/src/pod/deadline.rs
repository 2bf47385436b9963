//! How long a pod may run (C-BLD-50).

use argosy_model::Template;
use argosy_model::k8s::{IntOrString, Pod};

use super::{Error, PodRequest};
use crate::duration;

/// The earlier of the template's deadline and the workflow's, in whole seconds from the pod's start.
pub(super) fn of_pod(request: &PodRequest<'_>, template: &Template) -> Result<Option<i64>, Error> {
    let own = template
        .active_deadline_seconds
        .as_ref()
        .map(seconds)
        .transpose()?
        .filter(|own| *own > 0);
    let Some(end) = request.workflow_deadline.filter(|_| !request.on_exit) else {
        return Ok(own);
    };
    let left = end.duration_since(request.now);
    if left.as_secs() <= 0 {
        return Err(Error::NoTimeLeft);
    }
    // Rounded up: the workflow's own deadline comes first, and says so; the pod's is there in case nobody is.
    let left = left.as_secs() + i64::from(left.subsec_nanos() > 0);
    Ok(Some(own.map_or(left, |own| own.min(left))))
}

fn seconds(value: &IntOrString) -> Result<i64, Error> {
    match value {
        IntOrString::Int(n) => Ok(i64::from(*n)),
        IntOrString::String(text) => text
            .parse()
            .map_err(|_| Error::refused(format!("value '{text}' cannot be resolved to an int"))),
    }
}

/// The template's `timeout` replaces the deadline; containers that pause for debugging have none.
pub(super) fn apply_timeout(
    request: &PodRequest<'_>,
    template: &Template,
    pod: &mut Pod,
) -> Result<(), Error> {
    let pausing = pod.spec.containers.iter().flat_map(|c| &c.env).any(|env| {
        matches!(
            env.name.as_str(),
            "ARGO_DEBUG_PAUSE_BEFORE" | "ARGO_DEBUG_PAUSE_AFTER"
        ) && env.value == "true"
    });
    if pausing {
        pod.spec.active_deadline_seconds = None;
    }
    let (Some(started), false) = (request.started_at, template.timeout.is_empty()) else {
        return Ok(());
    };
    let timeout = duration::parse(&template.timeout)
        .map_err(|error| Error::refused(format!("invalid timeout format {error}")))?;
    let Ok(end) = started.checked_add(timeout) else {
        return Ok(()); // Later than time itself.
    };
    let left = end.duration_since(request.now).as_secs();
    if left <= 1 {
        return Err(Error::refused(format!(
            "{} exceeded its deadline",
            request.node_name
        )));
    }
    pod.spec.active_deadline_seconds = Some(left);
    Ok(())
}
