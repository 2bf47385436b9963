//! What every command that works for a pod reads first: who it works for, until when, and the
//! template (rules X-GEN-20, X-INIT-01, X-WAIT-01). No command changes it afterwards.

use std::time::Duration;

use argosy_model::template::Template;
use jiff::Timestamp;

use crate::env;
use crate::outcome::{Failure, STARTUP_ERROR};
use crate::paths::Layout;
use crate::task::Task;

/// The pod and the node that a command works for.
#[derive(Clone, Debug)]
pub struct Pod {
    /// Where the pod's files are.
    pub layout: Layout,
    /// Name of the pod.
    pub name: String,
    /// The node, whose id names the task result.
    pub node_id: String,
    /// Name of the workflow.
    pub workflow: String,
    /// Identity of the workflow, for owner references.
    pub workflow_uid: String,
    /// Which controller the workflow belongs to, if several share a cluster.
    pub instance_id: Option<String>,
    /// When main must have ended.
    pub deadline: Option<Timestamp>,
    /// Time between a termination signal and a kill.
    pub grace: Duration,
    /// Whether the pod has no init containers of ours.
    pub initless: bool,
    /// The template, as JSON and byte for byte.
    pub template_text: String,
    /// The template.
    pub template: Template,
    /// The part of the template that concerns containers and files.
    pub task: Task,
}

impl Pod {
    /// Reads everything from the environment; the template from `text`.
    ///
    /// # Errors
    /// A variable that is missing or malformed, or a text that is no template.
    pub fn read(layout: &Layout, text: String) -> Result<Self, Failure> {
        let name = env::text("ARGO_POD_NAME").ok_or_else(|| {
            Failure::new("Unable to determine pod name from environment variable ARGO_POD_NAME")
                .with_code(STARTUP_ERROR)
        })?;
        let parse = |e: serde_json::Error| Failure::new(format!("failed to unmarshal template: {e}"));
        Ok(Self {
            layout: layout.clone(),
            name,
            node_id: env::text("ARGO_NODE_ID").unwrap_or_default(),
            workflow: env::text("ARGO_WORKFLOW_NAME").unwrap_or_default(),
            workflow_uid: env::text("ARGO_WORKFLOW_UID").unwrap_or_default(),
            instance_id: env::text("ARGO_INSTANCE_ID"),
            deadline: deadline()?,
            grace: env::grace()?,
            initless: env::is_true("ARGO_INITLESS_POD"),
            template: serde_json::from_str(&text).map_err(parse)?,
            task: serde_json::from_str(&text).map_err(parse)?,
            template_text: text,
        })
    }

    /// Whether an output is found on a volume instead of in the emissary's copies (X-ART-21). In init-less pods
    /// what is at or below an input artifact's path is not (X-SUP-23).
    pub fn is_on_volume(&self, path: &str) -> bool {
        if self.initless {
            self.task.mount_of(path).is_some()
        } else {
            self.task.is_on_volume(path)
        }
    }
}

/// `ARGO_DEADLINE`; the zero time of Go means that there is none.
fn deadline() -> Result<Option<Timestamp>, Failure> {
    let Some(text) = env::text("ARGO_DEADLINE") else {
        return Ok(None);
    };
    let time: Timestamp = text
        .parse()
        .map_err(|e| Failure::new(format!("ARGO_DEADLINE {text:?} is not a time: {e}")))?;
    Ok((time.as_second() > 0).then_some(time))
}
