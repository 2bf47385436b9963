//! Workflows that start on a schedule.

use crate::k8s::{ListMeta, ObjectMeta, ObjectReference, Time, TypeMeta};
use crate::object::objects;
use crate::scalar::List;
use crate::status::Condition;
use crate::text::{ConcurrencyPolicy, CronWorkflowPhase};
use crate::workflow::WorkflowSpec;

objects! {
    "v1alpha1"

    /// `CronWorkflow` of the wire form.
    pub struct CronWorkflow ("CronWorkflow") {
        /// The keys of this type, which stand directly among the others.
        pub type_meta: TypeMeta = "", inline;
        /// Key `metadata`.
        pub metadata: ObjectMeta = "metadata", keep;
        /// Key `spec`.
        pub spec: CronWorkflowSpec = "spec", keep;
        /// Key `status`.
        pub status: CronWorkflowStatus = "status", omit;
    }

    /// `CronWorkflowList` of the wire form.
    pub struct CronWorkflowList ("CronWorkflowList") {
        /// The keys of this type, which stand directly among the others.
        pub type_meta: TypeMeta = "", inline;
        /// Key `metadata`.
        pub metadata: ListMeta = "metadata", keep;
        /// Key `items`.
        pub items: List<CronWorkflow> = "items", keep;
    }

    /// `CronWorkflowSpec` of the wire form.
    pub struct CronWorkflowSpec ("CronWorkflowSpec") {
        /// Key `workflowSpec`.
        pub workflow_spec: WorkflowSpec = "workflowSpec", keep;
        /// Key `concurrencyPolicy`.
        pub concurrency_policy: ConcurrencyPolicy = "concurrencyPolicy", omit;
        /// Key `suspend`.
        pub suspend: bool = "suspend", omit;
        /// Key `startingDeadlineSeconds`.
        pub starting_deadline_seconds: Option<i64> = "startingDeadlineSeconds", omit;
        /// Key `successfulJobsHistoryLimit`.
        pub successful_jobs_history_limit: Option<i32> = "successfulJobsHistoryLimit", omit;
        /// Key `failedJobsHistoryLimit`.
        pub failed_jobs_history_limit: Option<i32> = "failedJobsHistoryLimit", omit;
        /// Key `timezone`.
        pub timezone: String = "timezone", omit;
        /// Key `workflowMetadata`.
        pub workflow_metadata: Option<Box<ObjectMeta>> = "workflowMetadata", omit;
        /// Key `stopStrategy`.
        pub stop_strategy: Option<StopStrategy> = "stopStrategy", omit;
        /// Key `schedules`.
        pub schedules: List<String> = "schedules", keep;
        /// Key `when`.
        pub when: String = "when", omit;
    }

    /// `StopStrategy` of the wire form.
    pub struct StopStrategy ("StopStrategy") {
        /// Key `expression`.
        pub expression: String = "expression", keep;
    }

    /// `CronWorkflowStatus` of the wire form.
    pub struct CronWorkflowStatus ("CronWorkflowStatus") {
        /// Key `active`.
        pub active: List<ObjectReference> = "active", keep;
        /// Key `lastScheduledTime`.
        pub last_scheduled_time: Option<Time> = "lastScheduledTime", keep;
        /// Key `conditions`.
        pub conditions: List<Condition> = "conditions", keep;
        /// Key `succeeded`.
        pub succeeded: i64 = "succeeded", keep;
        /// Key `failed`.
        pub failed: i64 = "failed", keep;
        /// Key `phase`.
        pub phase: CronWorkflowPhase = "phase", keep;
    }
}
