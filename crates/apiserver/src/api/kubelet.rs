//! Logs of pods, and commands in them, by way of whoever runs the pods.
//!
//! Deliberately absent: reading logs or starting commands.

use futures::StreamExt;
use http::{Response, StatusCode};
use serde_json::Value;

use super::{ApiServer, Call};
use crate::body::{Body, BoxError};
use crate::kubelet::{ContainerRef, KubeletError, LogOptions};
use crate::meta;
use crate::reply;
use crate::status::{Result, Status};

impl ApiServer {
    pub(super) async fn log(&self, call: &Call) -> Result<Response<Body>> {
        let pod = self.found(call)?;
        let container = container(&pod.value, call.query.get("container"))?;
        let number = |name: &str| call.query.number(name).and_then(|n| u64::try_from(n).ok());
        let since = call.query.get("sinceTime");
        let since = if since.is_empty() {
            None
        } else {
            let read = since.parse::<jiff::Timestamp>();
            Some(read.map_err(|error| Status::bad_request(format!("sinceTime: {error}")))?)
        };
        let options = LogOptions {
            follow: call.query.is("follow"),
            previous: call.query.is("previous"),
            timestamps: call.query.is("timestamps"),
            tail_lines: number("tailLines"),
            since_secs: number("sinceSeconds"),
            since,
            limit_bytes: number("limitBytes"),
        };
        let Some(kubelet) = self.kubelet.get() else {
            return Err(Status::unavailable("no node is connected that could show logs"));
        };
        let logs = kubelet.logs(container, options).await.map_err(failed)?;
        let body = Body::stream(logs.map(|chunk| chunk.map_err(BoxError::from)));
        Ok(reply::with_body(StatusCode::OK, "text/plain", body))
    }
}

/// The container that a request means: the named one, or the only one.
pub(super) fn container(pod: &Value, wanted: &str) -> Result<ContainerRef> {
    let names = |field: &str| -> Vec<&str> {
        let list = pod["spec"][field]
            .as_array()
            .map(Vec::as_slice)
            .unwrap_or_default();
        list.iter()
            .filter_map(|container| container["name"].as_str())
            .collect()
    };
    let (own, init) = (names("containers"), names("initContainers"));
    let pod_name = meta::name(pod);
    let annotated = pod["metadata"]["annotations"]["kubectl.kubernetes.io/default-container"].as_str();
    let name = if !wanted.is_empty() {
        wanted
    } else if let [only] = own.as_slice() {
        only
    } else if let Some(name) = annotated.filter(|name| own.contains(name)) {
        name
    } else {
        let mut said = format!(
            "a container name must be specified for pod {pod_name}, choose one of: [{}]",
            own.join(" ")
        );
        if !init.is_empty() {
            said.push_str(&format!(" or one of the init containers: [{}]", init.join(" ")));
        }
        return Err(Status::bad_request(said));
    };
    if !own.contains(&name) && !init.contains(&name) && !names("ephemeralContainers").contains(&name) {
        return Err(Status::bad_request(format!(
            "container {name} is not valid for pod {pod_name}"
        )));
    }
    Ok(ContainerRef {
        namespace: meta::namespace(pod).to_owned(),
        pod: pod_name.to_owned(),
        uid: meta::text(pod, "uid").to_owned(),
        container: name.to_owned(),
    })
}

pub(super) fn failed(error: KubeletError) -> Status {
    match error {
        KubeletError::NotReady(why) | KubeletError::Unsupported(why) => Status::bad_request(why),
        KubeletError::NotFound(why) => Status::bad_request(why),
        KubeletError::Failed(source) => Status::internal(source),
    }
}
