//! Labels, annotations and finalizers of pods (C-LBL-01).

pub(super) const WORKFLOW: &str = "workflows.argoproj.io/workflow";
pub(super) const COMPLETED: &str = "workflows.argoproj.io/completed";
pub(super) const COMPONENT: &str = "workflows.argoproj.io/component";
pub(super) const ON_EXIT: &str = "workflows.argoproj.io/on-exit";
pub(super) const INSTANCE_ID: &str = "workflows.argoproj.io/controller-instanceid";
pub(super) const NODE_NAME: &str = "workflows.argoproj.io/node-name";
pub(super) const NODE_ID: &str = "workflows.argoproj.io/node-id";
pub(super) const POD_GC_STRATEGY: &str = "workflows.argoproj.io/pod-gc-strategy";
pub(super) const TRACE_ID: &str = "workflows.argoproj.io/trace-id";
pub(super) const SPAN_ID: &str = "workflows.argoproj.io/span-id";
pub(super) const DEFAULT_CONTAINER: &str = "kubectl.kubernetes.io/default-container";
pub(super) const POD_FINALIZER: &str = "workflows.argoproj.io/status";
