//! Texts with known values: phases, kinds of nodes, policies. Unknown texts are kept, because Go keeps them.

use crate::object::texts;

texts! {
    /// `ResourceScope` of the wire form.
    pub enum ResourceScope {
        /// `local`.
        Local = "local",
        /// `namespaced`.
        Namespaced = "namespaced",
        /// `cluster`.
        Cluster = "cluster",
    }

    /// `ConcurrencyPolicy` of the wire form.
    pub enum ConcurrencyPolicy {
        /// `Allow`.
        Allow = "Allow",
        /// `Forbid`.
        Forbid = "Forbid",
        /// `Replace`.
        Replace = "Replace",
    }

    /// `CronWorkflowPhase` of the wire form.
    pub enum CronWorkflowPhase {
        /// `Active`.
        Active = "Active",
        /// `Stopped`.
        Stopped = "Stopped",
    }

    /// `ConditionType` of the wire form.
    pub enum ConditionType {
        /// `SubmissionError`.
        SubmissionError = "SubmissionError",
        /// `Completed`.
        Completed = "Completed",
        /// `PodRunning`.
        PodRunning = "PodRunning",
        /// `SpecWarning`.
        SpecWarning = "SpecWarning",
        /// `SpecError`.
        SpecError = "SpecError",
        /// `MetricsError`.
        MetricsError = "MetricsError",
        /// `ArtifactGCError`.
        ArtifactGcError = "ArtifactGCError",
    }

    /// `WorkflowPhase` of the wire form.
    pub enum WorkflowPhase {
        /// `Pending`.
        Pending = "Pending",
        /// `Running`.
        Running = "Running",
        /// `Succeeded`.
        Succeeded = "Succeeded",
        /// `Failed`.
        Failed = "Failed",
        /// `Error`.
        Error = "Error",
    }

    /// `TemplateType` of the wire form.
    pub enum TemplateType {
        /// `Container`.
        Container = "Container",
        /// `ContainerSet`.
        ContainerSet = "ContainerSet",
        /// `Steps`.
        Steps = "Steps",
        /// `Script`.
        Script = "Script",
        /// `Resource`.
        Resource = "Resource",
        /// `DAG`.
        Dag = "DAG",
        /// `Suspend`.
        Suspend = "Suspend",
        /// `Data`.
        Data = "Data",
        /// `HTTP`.
        Http = "HTTP",
        /// `Plugin`.
        Plugin = "Plugin",
        /// `Unknown`.
        Unknown = "Unknown",
    }

    /// `NodePhase` of the wire form.
    pub enum NodePhase {
        /// `Pending`.
        Pending = "Pending",
        /// `Running`.
        Running = "Running",
        /// `Succeeded`.
        Succeeded = "Succeeded",
        /// `Skipped`.
        Skipped = "Skipped",
        /// `Failed`.
        Failed = "Failed",
        /// `Error`.
        Error = "Error",
        /// `Omitted`.
        Omitted = "Omitted",
    }

    /// `NodeType` of the wire form.
    pub enum NodeType {
        /// `Pod`.
        Pod = "Pod",
        /// `Container`.
        Container = "Container",
        /// `Steps`.
        Steps = "Steps",
        /// `StepGroup`.
        StepGroup = "StepGroup",
        /// `DAG`.
        Dag = "DAG",
        /// `TaskGroup`.
        TaskGroup = "TaskGroup",
        /// `Retry`.
        Retry = "Retry",
        /// `Skipped`.
        Skipped = "Skipped",
        /// `Suspend`.
        Suspend = "Suspend",
        /// `HTTP`.
        Http = "HTTP",
        /// `Plugin`.
        Plugin = "Plugin",
    }

    /// `ArtifactGCStrategy` of the wire form.
    pub enum ArtifactGcStrategy {
        /// `OnWorkflowCompletion`.
        OnWorkflowCompletion = "OnWorkflowCompletion",
        /// `OnWorkflowDeletion`.
        OnWorkflowDeletion = "OnWorkflowDeletion",
        /// `Never`.
        Never = "Never",
    }

    /// `PodGCStrategy` of the wire form.
    pub enum PodGcStrategy {
        /// `OnPodCompletion`.
        OnPodCompletion = "OnPodCompletion",
        /// `OnPodSuccess`.
        OnPodSuccess = "OnPodSuccess",
        /// `OnWorkflowCompletion`.
        OnWorkflowCompletion = "OnWorkflowCompletion",
        /// `OnWorkflowSuccess`.
        OnWorkflowSuccess = "OnWorkflowSuccess",
    }

    /// `VolumeClaimGCStrategy` of the wire form.
    pub enum VolumeClaimGcStrategy {
        /// `OnWorkflowCompletion`.
        OnWorkflowCompletion = "OnWorkflowCompletion",
        /// `OnWorkflowSuccess`.
        OnWorkflowSuccess = "OnWorkflowSuccess",
    }

    /// `ShutdownStrategy` of the wire form.
    pub enum ShutdownStrategy {
        /// `Terminate`.
        Terminate = "Terminate",
        /// `Stop`.
        Stop = "Stop",
    }

    /// `RetryPolicy` of the wire form.
    pub enum RetryPolicy {
        /// `Always`.
        Always = "Always",
        /// `OnFailure`.
        OnFailure = "OnFailure",
        /// `OnError`.
        OnError = "OnError",
        /// `OnTransientError`.
        OnTransientError = "OnTransientError",
    }

    /// `MetricType` of the wire form.
    pub enum MetricType {
        /// `Gauge`.
        Gauge = "Gauge",
        /// `Histogram`.
        Histogram = "Histogram",
        /// `Counter`.
        Counter = "Counter",
        /// `Unknown`.
        Unknown = "Unknown",
    }

    /// `GaugeOperation` of the wire form.
    pub enum GaugeOperation {
        /// `Set`.
        Set = "Set",
        /// `Add`.
        Add = "Add",
        /// `Sub`.
        Sub = "Sub",
    }

    /// `SynchronizationType` of the wire form.
    pub enum SynchronizationType {
        /// `Semaphore`.
        Semaphore = "Semaphore",
        /// `Mutex`.
        Mutex = "Mutex",
        /// `Unknown`.
        Unknown = "Unknown",
    }
}
