//! Requests about workflows: create, list, watch, change, logs.

use crate::k8s::{CreateOptions, DeleteOptions, GetOptions, ListOptions, PodLogOptions};
use crate::object::objects;
use crate::server::SubmitOpts;
use crate::workflow::Workflow;

objects! {
    "workflow"

    /// `WorkflowCreateRequest` of the wire form.
    pub struct WorkflowCreateRequest ("WorkflowCreateRequest") {
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `workflow`.
        pub workflow: Option<Box<Workflow>> = "workflow", omit;
        /// Key `instanceID`.
        pub instance_id: String = "instanceID", omit;
        /// Key `serverDryRun`.
        pub server_dry_run: bool = "serverDryRun", omit;
        /// Key `createOptions`.
        pub create_options: Option<Box<CreateOptions>> = "createOptions", omit;
    }

    /// `WorkflowGetRequest` of the wire form.
    pub struct WorkflowGetRequest ("WorkflowGetRequest") {
        /// Key `name`.
        pub name: String = "name", omit;
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `getOptions`.
        pub get_options: Option<GetOptions> = "getOptions", omit;
        /// Key `fields`.
        pub fields: String = "fields", omit;
        /// Key `uid`.
        pub uid: String = "uid", omit;
    }

    /// `WorkflowListRequest` of the wire form.
    pub struct WorkflowListRequest ("WorkflowListRequest") {
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `listOptions`.
        pub list_options: Option<Box<ListOptions>> = "listOptions", omit;
        /// Key `fields`.
        pub fields: String = "fields", omit;
        /// Key `nameFilter`.
        pub name_filter: String = "nameFilter", omit;
        /// Key `createdAfter`.
        pub created_after: String = "createdAfter", omit;
        /// Key `finishedBefore`.
        pub finished_before: String = "finishedBefore", omit;
    }

    /// `WorkflowResubmitRequest` of the wire form.
    pub struct WorkflowResubmitRequest ("WorkflowResubmitRequest") {
        /// Key `name`.
        pub name: String = "name", omit;
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `memoized`.
        pub memoized: bool = "memoized", omit;
        /// Key `parameters`.
        pub parameters: Vec<String> = "parameters", omit;
    }

    /// `WorkflowRetryRequest` of the wire form.
    pub struct WorkflowRetryRequest ("WorkflowRetryRequest") {
        /// Key `name`.
        pub name: String = "name", omit;
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `restartSuccessful`.
        pub restart_successful: bool = "restartSuccessful", omit;
        /// Key `nodeFieldSelector`.
        pub node_field_selector: String = "nodeFieldSelector", omit;
        /// Key `parameters`.
        pub parameters: Vec<String> = "parameters", omit;
    }

    /// `WorkflowResumeRequest` of the wire form.
    pub struct WorkflowResumeRequest ("WorkflowResumeRequest") {
        /// Key `name`.
        pub name: String = "name", omit;
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `nodeFieldSelector`.
        pub node_field_selector: String = "nodeFieldSelector", omit;
    }

    /// `WorkflowTerminateRequest` of the wire form.
    pub struct WorkflowTerminateRequest ("WorkflowTerminateRequest") {
        /// Key `name`.
        pub name: String = "name", omit;
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
    }

    /// `WorkflowStopRequest` of the wire form.
    pub struct WorkflowStopRequest ("WorkflowStopRequest") {
        /// Key `name`.
        pub name: String = "name", omit;
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `nodeFieldSelector`.
        pub node_field_selector: String = "nodeFieldSelector", omit;
        /// Key `message`.
        pub message: String = "message", omit;
    }

    /// `WorkflowSetRequest` of the wire form.
    pub struct WorkflowSetRequest ("WorkflowSetRequest") {
        /// Key `name`.
        pub name: String = "name", omit;
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `nodeFieldSelector`.
        pub node_field_selector: String = "nodeFieldSelector", omit;
        /// Key `message`.
        pub message: String = "message", omit;
        /// Key `phase`.
        pub phase: String = "phase", omit;
        /// Key `outputParameters`.
        pub output_parameters: String = "outputParameters", omit;
    }

    /// `WorkflowSuspendRequest` of the wire form.
    pub struct WorkflowSuspendRequest ("WorkflowSuspendRequest") {
        /// Key `name`.
        pub name: String = "name", omit;
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
    }

    /// `WorkflowLogRequest` of the wire form.
    pub struct WorkflowLogRequest ("WorkflowLogRequest") {
        /// Key `name`.
        pub name: String = "name", omit;
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `podName`.
        pub pod_name: String = "podName", omit;
        /// Key `logOptions`.
        pub log_options: Option<Box<PodLogOptions>> = "logOptions", omit;
        /// Key `grep`.
        pub grep: String = "grep", omit;
        /// Key `selector`.
        pub selector: String = "selector", omit;
    }

    /// `WorkflowDeleteRequest` of the wire form.
    pub struct WorkflowDeleteRequest ("WorkflowDeleteRequest") {
        /// Key `name`.
        pub name: String = "name", omit;
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `deleteOptions`.
        pub delete_options: Option<Box<DeleteOptions>> = "deleteOptions", omit;
        /// Key `force`.
        pub force: bool = "force", omit;
    }

    /// `WorkflowDeleteResponse` of the wire form.
    pub struct WorkflowDeleteResponse ("WorkflowDeleteResponse") {
    }

    /// `WatchWorkflowsRequest` of the wire form.
    pub struct WatchWorkflowsRequest ("WatchWorkflowsRequest") {
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `listOptions`.
        pub list_options: Option<Box<ListOptions>> = "listOptions", omit;
        /// Key `fields`.
        pub fields: String = "fields", omit;
    }

    /// `WorkflowWatchEvent` of the wire form.
    pub struct WorkflowWatchEvent ("WorkflowWatchEvent") {
        /// Key `type`.
        pub type_: String = "type", omit;
        /// Key `object`.
        pub object: Option<Box<Workflow>> = "object", omit;
    }

    /// `WatchEventsRequest` of the wire form.
    pub struct WatchEventsRequest ("WatchEventsRequest") {
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `listOptions`.
        pub list_options: Option<Box<ListOptions>> = "listOptions", omit;
    }

    /// `LogEntry` of the wire form.
    pub struct LogEntry ("LogEntry") {
        /// Key `content`.
        pub content: String = "content", omit;
        /// Key `podName`.
        pub pod_name: String = "podName", omit;
    }

    /// `WorkflowLintRequest` of the wire form.
    pub struct WorkflowLintRequest ("WorkflowLintRequest") {
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `workflow`.
        pub workflow: Option<Box<Workflow>> = "workflow", omit;
    }

    /// `WorkflowSubmitRequest` of the wire form.
    pub struct WorkflowSubmitRequest ("WorkflowSubmitRequest") {
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `resourceKind`.
        pub resource_kind: String = "resourceKind", omit;
        /// Key `resourceName`.
        pub resource_name: String = "resourceName", omit;
        /// Key `submitOptions`.
        pub submit_options: Option<Box<SubmitOpts>> = "submitOptions", omit;
    }
}
