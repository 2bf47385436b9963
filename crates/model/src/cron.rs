//! Workflows that start on a schedule.

use crate::k8s::{ListMeta, ObjectMeta, ObjectReference, Time, TypeMeta};
use crate::object::objects;
use crate::scalar::List;
use crate::status::Condition;
use crate::text::{ConcurrencyPolicy, CronWorkflowPhase};
use crate::workflow::WorkflowSpec;

objects! {
    "v1alpha1"

    /// A workflow that starts on a schedule.
    pub struct CronWorkflow ("CronWorkflow") {
        /// Kind and version of the object.
        pub type_meta: TypeMeta = "", inline;
        /// Name, namespace, labels and what else Kubernetes keeps about the object.
        pub metadata: ObjectMeta = "metadata", keep;
        /// What is wanted.
        pub spec: CronWorkflowSpec = "spec", keep;
        /// What it has come to.
        pub status: CronWorkflowStatus = "status", omit;
    }

    /// Several scheduled workflows.
    pub struct CronWorkflowList ("CronWorkflowList") {
        /// Kind and version of the object.
        pub type_meta: TypeMeta = "", inline;
        /// Name, namespace, labels and what else Kubernetes keeps about the object.
        pub metadata: ListMeta = "metadata", keep;
        /// The objects of the list.
        pub items: List<CronWorkflow> = "items", keep;
    }

    /// What starts, and when.
    pub struct CronWorkflowSpec ("CronWorkflowSpec") {
        /// The workflow that starts.
        pub workflow_spec: WorkflowSpec = "workflowSpec", keep;
        /// What to do when the last run has not ended; `Allow` when empty.
        pub concurrency_policy: ConcurrencyPolicy = "concurrencyPolicy", omit;
        /// Whether nothing is started.
        pub suspend: bool = "suspend", omit;
        /// How late a missed start may be made up for.
        pub starting_deadline_seconds: Option<i64> = "startingDeadlineSeconds", omit;
        /// How many good runs are kept; 3 by default.
        pub successful_jobs_history_limit: Option<i32> = "successfulJobsHistoryLimit", omit;
        /// How many bad runs are kept; 1 by default.
        pub failed_jobs_history_limit: Option<i32> = "failedJobsHistoryLimit", omit;
        /// Time zone of the schedules by name; that of the controller when empty.
        pub timezone: String = "timezone", omit;
        /// Labels and annotations of the workflows that start.
        pub workflow_metadata: Option<Box<ObjectMeta>> = "workflowMetadata", omit;
        /// When to stop for good.
        pub stop_strategy: Option<StopStrategy> = "stopStrategy", omit;
        /// The schedules in cron's form.
        pub schedules: List<String> = "schedules", keep;
        /// Condition for a start.
        pub when: String = "when", omit;
    }

    /// When a schedule stops for good.
    pub struct StopStrategy ("StopStrategy") {
        /// Expression of expr-lang.
        pub expression: String = "expression", keep;
    }

    /// What a schedule has done.
    pub struct CronWorkflowStatus ("CronWorkflowStatus") {
        /// Workflows that run now.
        pub active: List<ObjectReference> = "active", keep;
        /// When the last start was due.
        pub last_scheduled_time: Option<Time> = "lastScheduledTime", keep;
        /// Facts about it besides the phase.
        pub conditions: List<Condition> = "conditions", keep;
        /// How many runs ended well.
        pub succeeded: i64 = "succeeded", keep;
        /// How many runs ended badly.
        pub failed: i64 = "failed", keep;
        /// How far it is.
        pub phase: CronWorkflowPhase = "phase", keep;
    }
}
