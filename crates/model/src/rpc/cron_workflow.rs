//! Requests about scheduled workflows.

use crate::cron::CronWorkflow;
use crate::k8s::{CreateOptions, DeleteOptions, GetOptions, ListOptions};
use crate::object::objects;

objects! {
    "cronworkflow"

    /// `LintCronWorkflowRequest` of the wire form.
    pub struct LintCronWorkflowRequest ("LintCronWorkflowRequest") {
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `cronWorkflow`.
        pub cron_workflow: Option<Box<CronWorkflow>> = "cronWorkflow", omit;
    }

    /// `CreateCronWorkflowRequest` of the wire form.
    pub struct CreateCronWorkflowRequest ("CreateCronWorkflowRequest") {
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `cronWorkflow`.
        pub cron_workflow: Option<Box<CronWorkflow>> = "cronWorkflow", omit;
        /// Key `createOptions`.
        pub create_options: Option<Box<CreateOptions>> = "createOptions", omit;
    }

    /// `ListCronWorkflowsRequest` of the wire form.
    pub struct ListCronWorkflowsRequest ("ListCronWorkflowsRequest") {
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `listOptions`.
        pub list_options: Option<Box<ListOptions>> = "listOptions", omit;
    }

    /// `GetCronWorkflowRequest` of the wire form.
    pub struct GetCronWorkflowRequest ("GetCronWorkflowRequest") {
        /// Key `name`.
        pub name: String = "name", omit;
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `getOptions`.
        pub get_options: Option<GetOptions> = "getOptions", omit;
    }

    /// `UpdateCronWorkflowRequest` of the wire form.
    pub struct UpdateCronWorkflowRequest ("UpdateCronWorkflowRequest") {
        /// Key `name`.
        pub name: String = "name", omit;
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `cronWorkflow`.
        pub cron_workflow: Option<Box<CronWorkflow>> = "cronWorkflow", omit;
    }

    /// `DeleteCronWorkflowRequest` of the wire form.
    pub struct DeleteCronWorkflowRequest ("DeleteCronWorkflowRequest") {
        /// Key `name`.
        pub name: String = "name", omit;
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
        /// Key `deleteOptions`.
        pub delete_options: Option<Box<DeleteOptions>> = "deleteOptions", omit;
    }

    /// `CronWorkflowDeletedResponse` of the wire form.
    pub struct CronWorkflowDeletedResponse ("CronWorkflowDeletedResponse") {
    }

    /// `CronWorkflowSuspendRequest` of the wire form.
    pub struct CronWorkflowSuspendRequest ("CronWorkflowSuspendRequest") {
        /// Key `name`.
        pub name: String = "name", omit;
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
    }

    /// `CronWorkflowResumeRequest` of the wire form.
    pub struct CronWorkflowResumeRequest ("CronWorkflowResumeRequest") {
        /// Key `name`.
        pub name: String = "name", omit;
        /// Key `namespace`.
        pub namespace: String = "namespace", omit;
    }
}
