//! Texts with known values: phases, kinds of nodes, policies. Unknown texts are kept, because Go keeps them.

use crate::object::texts;

texts! {
    /// Where a template object is.
    pub enum ResourceScope {
        /// In the workflow itself.
        Local = "local",
        /// In a WorkflowTemplate.
        Namespaced = "namespaced",
        /// In a ClusterWorkflowTemplate.
        Cluster = "cluster",
    }

    /// What to do when a scheduled run is due and the last one has not ended.
    pub enum ConcurrencyPolicy {
        /// Start anyway.
        Allow = "Allow",
        /// Leave this one out.
        Forbid = "Forbid",
        /// End the old one first.
        Replace = "Replace",
    }

    /// Whether a schedule goes on.
    pub enum CronWorkflowPhase {
        /// It goes on.
        Active = "Active",
        /// Its stop condition was met.
        Stopped = "Stopped",
    }

    /// What a fact about an object is about.
    pub enum ConditionType {
        /// A scheduled run could not be submitted.
        SubmissionError = "SubmissionError",
        /// The workflow has ended.
        Completed = "Completed",
        /// At least one pod runs.
        PodRunning = "PodRunning",
        /// Something in the specification is doubtful.
        SpecWarning = "SpecWarning",
        /// Something in the specification is wrong.
        SpecError = "SpecError",
        /// A metric could not be emitted.
        MetricsError = "MetricsError",
        /// Artifacts could not be deleted.
        ArtifactGcError = "ArtifactGCError",
    }

    /// How far a workflow is; unset before it was first looked at.
    pub enum WorkflowPhase {
        /// It waits to start.
        Pending = "Pending",
        /// It runs.
        Running = "Running",
        /// It ended well.
        Succeeded = "Succeeded",
        /// Something that it ran failed.
        Failed = "Failed",
        /// Something around it went wrong.
        Error = "Error",
    }

    /// The kind of a template.
    pub enum TemplateType {
        /// A container.
        Container = "Container",
        /// Several containers of one pod.
        ContainerSet = "ContainerSet",
        /// Groups of steps.
        Steps = "Steps",
        /// A script in a container.
        Script = "Script",
        /// An object of the cluster.
        Resource = "Resource",
        /// Tasks with dependencies.
        Dag = "DAG",
        /// A pause.
        Suspend = "Suspend",
        /// A list made from artifacts.
        Data = "Data",
        /// An HTTP request.
        Http = "HTTP",
        /// A task of a plugin.
        Plugin = "Plugin",
        /// None of these.
        Unknown = "Unknown",
    }

    /// How far a node is.
    pub enum NodePhase {
        /// It waits to start.
        Pending = "Pending",
        /// It runs.
        Running = "Running",
        /// It ended well.
        Succeeded = "Succeeded",
        /// Its condition was false.
        Skipped = "Skipped",
        /// What it ran failed.
        Failed = "Failed",
        /// Something around it went wrong.
        Error = "Error",
        /// What it depends on did not come to be.
        Omitted = "Omitted",
    }

    /// What a node is.
    pub enum NodeType {
        /// A pod.
        Pod = "Pod",
        /// A container of a set.
        Container = "Container",
        /// Groups of steps.
        Steps = "Steps",
        /// One group of steps.
        StepGroup = "StepGroup",
        /// A graph of tasks.
        Dag = "DAG",
        /// The items of a loop.
        TaskGroup = "TaskGroup",
        /// Attempts of one node.
        Retry = "Retry",
        /// Something that was not run.
        Skipped = "Skipped",
        /// A pause.
        Suspend = "Suspend",
        /// An HTTP request.
        Http = "HTTP",
        /// A task of a plugin.
        Plugin = "Plugin",
    }

    /// When artifacts are deleted; unset takes over from above.
    pub enum ArtifactGcStrategy {
        /// When the workflow has ended.
        OnWorkflowCompletion = "OnWorkflowCompletion",
        /// When the workflow is deleted.
        OnWorkflowDeletion = "OnWorkflowDeletion",
        /// Not at all.
        Never = "Never",
    }

    /// When finished pods are deleted; unset keeps them.
    pub enum PodGcStrategy {
        /// When the pod has ended.
        OnPodCompletion = "OnPodCompletion",
        /// When the pod has ended well.
        OnPodSuccess = "OnPodSuccess",
        /// When the workflow has ended.
        OnWorkflowCompletion = "OnWorkflowCompletion",
        /// When the workflow has ended well.
        OnWorkflowSuccess = "OnWorkflowSuccess",
    }

    /// When volume claims are deleted.
    pub enum VolumeClaimGcStrategy {
        /// When the workflow has ended.
        OnWorkflowCompletion = "OnWorkflowCompletion",
        /// When the workflow has ended well.
        OnWorkflowSuccess = "OnWorkflowSuccess",
    }

    /// How a run is ended early; unset lets it go on.
    pub enum ShutdownStrategy {
        /// At once, without exit handlers.
        Terminate = "Terminate",
        /// Nothing new starts, exit handlers run.
        Stop = "Stop",
    }

    /// Which ends of an attempt are tried again.
    pub enum RetryPolicy {
        /// Failures and errors.
        Always = "Always",
        /// Failures.
        OnFailure = "OnFailure",
        /// Errors.
        OnError = "OnError",
        /// Errors that are known to pass.
        OnTransientError = "OnTransientError",
    }

    /// Kind of a metric.
    pub enum MetricType {
        /// A value that goes up and down.
        Gauge = "Gauge",
        /// A value that is counted by size.
        Histogram = "Histogram",
        /// A value that only grows.
        Counter = "Counter",
        /// None of these.
        Unknown = "Unknown",
    }

    /// What is done to a gauge.
    pub enum GaugeOperation {
        /// Set it.
        Set = "Set",
        /// Add to it.
        Add = "Add",
        /// Subtract from it.
        Sub = "Sub",
    }

    /// Kind of a lock.
    pub enum SynchronizationType {
        /// A lock with a limit.
        Semaphore = "Semaphore",
        /// A lock for one holder.
        Mutex = "Mutex",
        /// None of these.
        Unknown = "Unknown",
    }
}
