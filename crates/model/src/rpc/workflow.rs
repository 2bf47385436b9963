//! Requests about workflows: create, list, watch, change, logs.

use crate::k8s::{CreateOptions, DeleteOptions, GetOptions, ListOptions, PodLogOptions};
use crate::object::objects;
use crate::server::SubmitOpts;
use crate::workflow::Workflow;

objects! {
    "workflow"

    /// Make a workflow.
    pub struct WorkflowCreateRequest ("WorkflowCreateRequest") {
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// The workflow.
        pub workflow: Option<Box<Workflow>> = "workflow", omit;
        /// No longer used.
        pub instance_id: String = "instanceID", omit;
        /// Whether everything is checked but nothing kept.
        pub server_dry_run: bool = "serverDryRun", omit;
        /// Options of making it.
        pub create_options: Option<Box<CreateOptions>> = "createOptions", omit;
    }

    /// Read a workflow.
    pub struct WorkflowGetRequest ("WorkflowGetRequest") {
        /// Name of the object.
        pub name: String = "name", omit;
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// Options of reading it.
        pub get_options: Option<GetOptions> = "getOptions", omit;
        /// Fields of the reply, separated by commas; all when empty.
        pub fields: String = "fields", omit;
        /// Id of the workflow.
        pub uid: String = "uid", omit;
    }

    /// List workflows.
    pub struct WorkflowListRequest ("WorkflowListRequest") {
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// Which objects, and how.
        pub list_options: Option<Box<ListOptions>> = "listOptions", omit;
        /// Fields of the reply, separated by commas; all when empty.
        pub fields: String = "fields", omit;
        /// How the name is compared: `Contains`, `Prefix`, `Exact` or `NotEquals`.
        pub name_filter: String = "nameFilter", omit;
        /// Only those made after this time.
        pub created_after: String = "createdAfter", omit;
        /// Only those that ended before this time.
        pub finished_before: String = "finishedBefore", omit;
    }

    /// Start a workflow again as a new one.
    pub struct WorkflowResubmitRequest ("WorkflowResubmitRequest") {
        /// Name of the object.
        pub name: String = "name", omit;
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// Whether results of nodes that succeeded are used again.
        pub memoized: bool = "memoized", omit;
        /// Parameters as `name=value`.
        pub parameters: Vec<String> = "parameters", omit;
    }

    /// Run the failed nodes of a workflow again.
    pub struct WorkflowRetryRequest ("WorkflowRetryRequest") {
        /// Name of the object.
        pub name: String = "name", omit;
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// Whether nodes that succeeded and match the selector run again too.
        pub restart_successful: bool = "restartSuccessful", omit;
        /// Which nodes are meant.
        pub node_field_selector: String = "nodeFieldSelector", omit;
        /// Parameters as `name=value`.
        pub parameters: Vec<String> = "parameters", omit;
    }

    /// Let a suspended workflow or its suspended nodes go on.
    pub struct WorkflowResumeRequest ("WorkflowResumeRequest") {
        /// Name of the object.
        pub name: String = "name", omit;
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// Which nodes are meant.
        pub node_field_selector: String = "nodeFieldSelector", omit;
    }

    /// End a workflow at once.
    pub struct WorkflowTerminateRequest ("WorkflowTerminateRequest") {
        /// Name of the object.
        pub name: String = "name", omit;
        /// Namespace.
        pub namespace: String = "namespace", omit;
    }

    /// End a workflow or some of its suspended nodes; exit handlers run.
    pub struct WorkflowStopRequest ("WorkflowStopRequest") {
        /// Name of the object.
        pub name: String = "name", omit;
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// Which nodes are meant.
        pub node_field_selector: String = "nodeFieldSelector", omit;
        /// Message for the nodes.
        pub message: String = "message", omit;
    }

    /// Set message, phase or outputs of suspended nodes.
    pub struct WorkflowSetRequest ("WorkflowSetRequest") {
        /// Name of the object.
        pub name: String = "name", omit;
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// Which nodes are meant.
        pub node_field_selector: String = "nodeFieldSelector", omit;
        /// Message for the nodes.
        pub message: String = "message", omit;
        /// Phase for the nodes.
        pub phase: String = "phase", omit;
        /// Output parameters as a JSON object.
        pub output_parameters: String = "outputParameters", omit;
    }

    /// Start nothing new in a workflow.
    pub struct WorkflowSuspendRequest ("WorkflowSuspendRequest") {
        /// Name of the object.
        pub name: String = "name", omit;
        /// Namespace.
        pub namespace: String = "namespace", omit;
    }

    /// Read logs of a workflow's pods.
    pub struct WorkflowLogRequest ("WorkflowLogRequest") {
        /// Name of the object.
        pub name: String = "name", omit;
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// Name of the pod.
        pub pod_name: String = "podName", omit;
        /// Which lines.
        pub log_options: Option<Box<PodLogOptions>> = "logOptions", omit;
        /// Only lines that match this regular expression.
        pub grep: String = "grep", omit;
        /// Only pods with these labels.
        pub selector: String = "selector", omit;
    }

    /// Delete a workflow.
    pub struct WorkflowDeleteRequest ("WorkflowDeleteRequest") {
        /// Name of the object.
        pub name: String = "name", omit;
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// Options of deleting it.
        pub delete_options: Option<Box<DeleteOptions>> = "deleteOptions", omit;
        /// Whether finalizers are removed first.
        pub force: bool = "force", omit;
    }

    /// A workflow was deleted.
    pub struct WorkflowDeleteResponse ("WorkflowDeleteResponse") {
    }

    /// Watch workflows.
    pub struct WatchWorkflowsRequest ("WatchWorkflowsRequest") {
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// Which objects, and how.
        pub list_options: Option<Box<ListOptions>> = "listOptions", omit;
        /// Fields of the reply, separated by commas; all when empty.
        pub fields: String = "fields", omit;
    }

    /// A workflow changed.
    pub struct WorkflowWatchEvent ("WorkflowWatchEvent") {
        /// What happened: `ADDED`, `MODIFIED` or `DELETED`.
        pub type_: String = "type", omit;
        /// The object afterwards.
        pub object: Option<Box<Workflow>> = "object", omit;
    }

    /// Watch events of a namespace.
    pub struct WatchEventsRequest ("WatchEventsRequest") {
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// Which objects, and how.
        pub list_options: Option<Box<ListOptions>> = "listOptions", omit;
    }

    /// A line of a log.
    pub struct LogEntry ("LogEntry") {
        /// The line.
        pub content: String = "content", omit;
        /// Name of the pod.
        pub pod_name: String = "podName", omit;
    }

    /// Check a workflow.
    pub struct WorkflowLintRequest ("WorkflowLintRequest") {
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// The workflow.
        pub workflow: Option<Box<Workflow>> = "workflow", omit;
    }

    /// Start a workflow from another object.
    pub struct WorkflowSubmitRequest ("WorkflowSubmitRequest") {
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// Kind of the object to start from.
        pub resource_kind: String = "resourceKind", omit;
        /// Name of the object to start from.
        pub resource_name: String = "resourceName", omit;
        /// Changes to the workflow.
        pub submit_options: Option<Box<SubmitOpts>> = "submitOptions", omit;
    }
}
