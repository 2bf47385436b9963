//! Requests about scheduled workflows.

use crate::cron::CronWorkflow;
use crate::k8s::{CreateOptions, DeleteOptions, GetOptions, ListOptions};
use crate::object::objects;

objects! {
    "cronworkflow"

    /// Check a scheduled workflow.
    pub struct LintCronWorkflowRequest ("LintCronWorkflowRequest") {
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// The scheduled workflow.
        pub cron_workflow: Option<Box<CronWorkflow>> = "cronWorkflow", omit;
    }

    /// Make a scheduled workflow.
    pub struct CreateCronWorkflowRequest ("CreateCronWorkflowRequest") {
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// The scheduled workflow.
        pub cron_workflow: Option<Box<CronWorkflow>> = "cronWorkflow", omit;
        /// Options of making it.
        pub create_options: Option<Box<CreateOptions>> = "createOptions", omit;
    }

    /// List scheduled workflows.
    pub struct ListCronWorkflowsRequest ("ListCronWorkflowsRequest") {
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// Which objects, and how.
        pub list_options: Option<Box<ListOptions>> = "listOptions", omit;
    }

    /// Read a scheduled workflow.
    pub struct GetCronWorkflowRequest ("GetCronWorkflowRequest") {
        /// Name of the object.
        pub name: String = "name", omit;
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// Options of reading it.
        pub get_options: Option<GetOptions> = "getOptions", omit;
    }

    /// Replace a scheduled workflow.
    pub struct UpdateCronWorkflowRequest ("UpdateCronWorkflowRequest") {
        /// Name of the object.
        pub name: String = "name", omit;
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// The scheduled workflow.
        pub cron_workflow: Option<Box<CronWorkflow>> = "cronWorkflow", omit;
    }

    /// Delete a scheduled workflow.
    pub struct DeleteCronWorkflowRequest ("DeleteCronWorkflowRequest") {
        /// Name of the object.
        pub name: String = "name", omit;
        /// Namespace.
        pub namespace: String = "namespace", omit;
        /// Options of deleting it.
        pub delete_options: Option<Box<DeleteOptions>> = "deleteOptions", omit;
    }

    /// A scheduled workflow was deleted.
    pub struct CronWorkflowDeletedResponse ("CronWorkflowDeletedResponse") {
    }

    /// Start nothing on the schedule.
    pub struct CronWorkflowSuspendRequest ("CronWorkflowSuspendRequest") {
        /// Name of the object.
        pub name: String = "name", omit;
        /// Namespace.
        pub namespace: String = "namespace", omit;
    }

    /// Start on the schedule again.
    pub struct CronWorkflowResumeRequest ("CronWorkflowResumeRequest") {
        /// Name of the object.
        pub name: String = "name", omit;
        /// Namespace.
        pub namespace: String = "namespace", omit;
    }
}
