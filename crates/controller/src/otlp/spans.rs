//! Spans of workflows, made of what is stored about them: a controller that takes over in mid-flight makes the same ones.
//! Their ids follow from the workflow, so that those of pods (`TRACEPARENT`) have their place among them.

use argosy_engine::pod::Trace;
use argosy_engine::{Changes, node};
use argosy_model::{NodePhase, Workflow};
use jiff::Timestamp;
use opentelemetry_proto::tonic::trace::v1::{self as wire, span, status};
use tokio::sync::mpsc;

use super::{attribute, nanos};

/// The span of the whole workflow.
const WORKFLOW: &str = "workflow";

/// Something that took time.
#[derive(Debug, Clone, PartialEq)]
pub struct Span {
    name: &'static str,
    kind: span::SpanKind,
    trace: Trace,
    /// Id of the span above; empty for the topmost.
    parent: String,
    start: Timestamp,
    end: Timestamp,
    attributes: Vec<(&'static str, String)>,
    /// Why it failed, if it did.
    fault: Option<String>,
}

impl Span {
    fn new(name: &'static str, uid: &str, key: &str, parent: &str, start: Timestamp, end: Timestamp) -> Self {
        Self {
            name,
            kind: span::SpanKind::Internal,
            trace: Trace::derived(uid, key),
            parent: match parent {
                "" => String::new(),
                parent => Trace::derived(uid, parent).span_id,
            },
            start,
            end,
            attributes: Vec::new(),
            fault: None,
        }
    }

    fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.attributes.push((name, value.into()));
        self
    }

    /// The protocol's form.
    pub(super) fn into_wire(self) -> wire::Span {
        let attributes = self.attributes.iter().map(|(name, value)| attribute(name, value));
        let status = self.fault.map(|message| wire::Status {
            message,
            code: status::StatusCode::Error.into(),
        });
        wire::Span {
            trace_id: bytes(&self.trace.trace_id),
            span_id: bytes(&self.trace.span_id),
            parent_span_id: bytes(&self.parent),
            name: self.name.to_owned(),
            kind: self.kind.into(),
            start_time_unix_nano: nanos(self.start),
            end_time_unix_nano: nanos(self.end),
            attributes: attributes.collect(),
            status,
            ..wire::Span::default()
        }
    }
}

/// The bytes of hexadecimal digits.
fn bytes(hex: &str) -> Vec<u8> {
    let byte = |at: usize| {
        hex.get(at..at + 2)
            .and_then(|two| u8::from_str_radix(two, 16).ok())
    };
    (0..hex.len()).step_by(2).filter_map(byte).collect()
}

/// Makes spans. Default: none.
#[derive(Debug, Clone, Default)]
pub struct Tracer(Option<mpsc::Sender<Span>>);

impl Tracer {
    /// A tracer whose spans go there; those that find no room are dropped.
    pub(super) fn new(spans: mpsc::Sender<Span>) -> Self {
        Self(Some(spans))
    }

    /// Whether anybody wants spans.
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    fn send(&self, span: Span) {
        if let Some(spans) = &self.0 {
            let _ = spans.try_send(span);
        }
    }

    /// A pod was made, which took this long. The pod's own spans are below this one.
    pub fn made_pod(&self, uid: &str, node_id: &str, start: Timestamp, end: Timestamp) {
        if self.is_on() {
            let span = Span::new("createWorkflowPod", uid, node_id, &node_key(node_id), start, end);
            self.send(span.with("node_id", node_id));
        }
    }

    /// A decision was stored, which took this long.
    pub fn stored(
        &self,
        before: &Workflow,
        after: &Workflow,
        changes: &Changes,
        start: Timestamp,
        end: Timestamp,
    ) {
        if !self.is_on() {
            return;
        }
        let uid = after.metadata.uid.as_str();
        let version = &after.metadata.resource_version;
        let own = format!("persistUpdates/{version}");
        self.send(Span::new("persistUpdates", uid, &own, WORKFLOW, start, end));
        self.phases(before, after, end);
        for (id, node) in &changes.nodes {
            let old = before.status.nodes.get(id);
            if old.map(|n| &n.phase) == Some(&node.phase) {
                continue;
            }
            let key = format!("nodePhase/{id}/{}", node.phase.as_str());
            let mut phase = Span::new("nodePhase", uid, &key, &node_key(id), end, end)
                .with("node_id", id)
                .with("node_phase", node.phase.as_str());
            phase.kind = span::SpanKind::Producer;
            if !node.message.is_empty() {
                phase = phase.with("message", &node.message);
            }
            self.send(phase);
            if !node::phase_ended(&node.phase) {
                continue;
            }
            let start = node.started_at.as_ref().map_or(end, |t| t.0);
            let until = node.finished_at.as_ref().map_or(end, |t| t.0);
            let mut whole = Span::new("node", uid, &node_key(id), WORKFLOW, start, until)
                .with("node_id", id)
                .with("name", &node.name)
                .with("namespace", &after.metadata.namespace)
                .with("node_type", node.type_.as_str());
            if matches!(node.phase, NodePhase::Failed | NodePhase::Error) {
                whole.fault = Some(node.message.clone());
            }
            self.send(whole);
        }
    }

    /// The phase that a workflow has left, and the whole of one that has ended.
    fn phases(&self, before: &Workflow, after: &Workflow, now: Timestamp) {
        let (meta, status) = (&after.metadata, &after.status);
        if before.status.phase == status.phase {
            return;
        }
        let uid = meta.uid.as_str();
        let created = meta.creation_timestamp.as_ref().map_or(now, |t| t.0);
        let started = status.started_at.as_ref().map_or(now, |t| t.0);
        let ended = status.finished_at.as_ref().map_or(now, |t| t.0);
        let left = match before.status.phase.as_str() {
            "" => "Pending",
            phase => phase,
        };
        let (from, to) = match left {
            "Pending" => (created, started),
            _ => (started, ended),
        };
        let key = format!("workflowPhase/{left}");
        self.send(Span::new("workflowPhase", uid, &key, WORKFLOW, from, to).with("phase", left));
        if node::workflow_fulfilled(&status.phase) {
            let mut whole = Span::new("workflow", uid, WORKFLOW, "", created, ended)
                .with("name", &meta.name)
                .with("namespace", &meta.namespace);
            if matches!(status.phase.as_str(), "Failed" | "Error") {
                whole.fault = Some(status.message.clone());
            }
            self.send(whole);
        }
    }
}

/// What a node's span id is derived of. The node's id alone gives that of the making of its pod, which the pod knows.
fn node_key(id: &str) -> String {
    format!("node/{id}")
}
