//! What a workflow has come to: its status and its nodes. What follows from them is in `node`.

use std::collections::BTreeMap;

use crate::custom::Progress;
use crate::k8s::{Time, Volume};
use crate::object::objects;
use crate::repository::ArtifactRepositoryRefStatus;
use crate::sync::SynchronizationStatus;
use crate::template::{Inputs, Outputs, Template, TemplateRef};
use crate::text::{ConditionType, NodePhase, NodeType, WorkflowPhase};
use crate::workflow::WorkflowSpec;

objects! {
    "v1alpha1"

    /// `WorkflowStatus` of the wire form.
    pub struct WorkflowStatus ("WorkflowStatus") {
        /// Key `phase`.
        pub phase: WorkflowPhase = "phase", omit;
        /// Key `startedAt`.
        pub started_at: Option<Time> = "startedAt", keep;
        /// Key `finishedAt`.
        pub finished_at: Option<Time> = "finishedAt", keep;
        /// Key `estimatedDuration`.
        pub estimated_duration: i64 = "estimatedDuration", omit;
        /// Key `progress`.
        pub progress: Progress = "progress", omit;
        /// Key `message`.
        pub message: String = "message", omit;
        /// Key `compressedNodes`.
        pub compressed_nodes: String = "compressedNodes", omit;
        /// Key `nodes`.
        pub nodes: BTreeMap<String, NodeStatus> = "nodes", omit;
        /// Key `offloadNodeStatusVersion`.
        pub offload_node_status_version: String = "offloadNodeStatusVersion", omit;
        /// Key `storedTemplates`.
        pub stored_templates: BTreeMap<String, Template> = "storedTemplates", omit;
        /// Key `persistentVolumeClaims`.
        pub persistent_volume_claims: Vec<Volume> = "persistentVolumeClaims", omit;
        /// Key `outputs`.
        pub outputs: Option<Outputs> = "outputs", omit;
        /// Key `conditions`.
        pub conditions: Vec<Condition> = "conditions", omit;
        /// Key `resourcesDuration`.
        pub resources_duration: BTreeMap<String, i64> = "resourcesDuration", omit;
        /// Key `storedWorkflowTemplateSpec`.
        pub stored_workflow_template_spec: Option<Box<WorkflowSpec>> = "storedWorkflowTemplateSpec", omit;
        /// Key `synchronization`.
        pub synchronization: Option<SynchronizationStatus> = "synchronization", omit;
        /// Key `artifactRepositoryRef`.
        pub artifact_repository_ref: Option<ArtifactRepositoryRefStatus> = "artifactRepositoryRef", omit;
        /// Key `artifactGCStatus`.
        pub artifact_gc_status: Option<ArtGcStatus> = "artifactGCStatus", omit;
        /// Key `taskResultsCompletionStatus`.
        pub task_results_completion_status: BTreeMap<String, bool> = "taskResultsCompletionStatus", omit;
    }

    /// `NodeStatus` of the wire form.
    pub struct NodeStatus ("NodeStatus") {
        /// Key `id`.
        pub id: String = "id", keep;
        /// Key `name`.
        pub name: String = "name", keep;
        /// Key `displayName`.
        pub display_name: String = "displayName", omit;
        /// Key `type`.
        pub type_: NodeType = "type", keep;
        /// Key `templateName`.
        pub template_name: String = "templateName", omit;
        /// Key `templateRef`.
        pub template_ref: Option<TemplateRef> = "templateRef", omit;
        /// Key `templateScope`.
        pub template_scope: String = "templateScope", omit;
        /// Key `phase`.
        pub phase: NodePhase = "phase", omit;
        /// Key `boundaryID`.
        pub boundary_id: String = "boundaryID", omit;
        /// Key `message`.
        pub message: String = "message", omit;
        /// Key `startedAt`.
        pub started_at: Option<Time> = "startedAt", keep;
        /// Key `finishedAt`.
        pub finished_at: Option<Time> = "finishedAt", keep;
        /// Key `estimatedDuration`.
        pub estimated_duration: i64 = "estimatedDuration", omit;
        /// Key `progress`.
        pub progress: Progress = "progress", omit;
        /// Key `resourcesDuration`.
        pub resources_duration: BTreeMap<String, i64> = "resourcesDuration", omit;
        /// Key `podIP`.
        pub pod_ip: String = "podIP", omit;
        /// Key `daemoned`.
        pub daemoned: Option<bool> = "daemoned", omit;
        /// Key `nodeFlag`.
        pub node_flag: Option<NodeFlag> = "nodeFlag", omit;
        /// Key `inputs`.
        pub inputs: Option<Inputs> = "inputs", omit;
        /// Key `outputs`.
        pub outputs: Option<Outputs> = "outputs", omit;
        /// Key `children`.
        pub children: Vec<String> = "children", omit;
        /// Key `outboundNodes`.
        pub outbound_nodes: Vec<String> = "outboundNodes", omit;
        /// Key `hostNodeName`.
        pub host_node_name: String = "hostNodeName", omit;
        /// Key `memoizationStatus`.
        pub memoization_status: Option<MemoizationStatus> = "memoizationStatus", omit;
        /// Key `synchronizationStatus`.
        pub synchronization_status: Option<NodeSynchronizationStatus> = "synchronizationStatus", omit;
        /// Key `taskResultSynced`.
        pub task_result_synced: Option<bool> = "taskResultSynced", omit;
        /// Key `failedPodRestarts`.
        pub failed_pod_restarts: i32 = "failedPodRestarts", omit;
        /// Key `restartingPodUID`.
        pub restarting_pod_uid: String = "restartingPodUID", omit;
    }

    /// `NodeFlag` of the wire form.
    pub struct NodeFlag ("NodeFlag") {
        /// Key `hooked`.
        pub hooked: bool = "hooked", omit;
        /// Key `retried`.
        pub retried: bool = "retried", omit;
    }

    /// `Condition` of the wire form.
    pub struct Condition ("Condition") {
        /// Key `type`.
        pub type_: ConditionType = "type", omit;
        /// Key `status`.
        pub status: String = "status", omit;
        /// Key `message`.
        pub message: String = "message", omit;
    }

    /// `MemoizationStatus` of the wire form.
    pub struct MemoizationStatus ("MemoizationStatus") {
        /// Key `hit`.
        pub hit: bool = "hit", keep;
        /// Key `key`.
        pub key: String = "key", keep;
        /// Key `cacheName`.
        pub cache_name: String = "cacheName", keep;
    }

    /// `NodeSynchronizationStatus` of the wire form.
    pub struct NodeSynchronizationStatus ("NodeSynchronizationStatus") {
        /// Key `waiting`.
        pub waiting: String = "waiting", omit;
    }

    /// `ArtGCStatus` of the wire form.
    pub struct ArtGcStatus ("ArtGCStatus") {
        /// Key `strategiesProcessed`.
        pub strategies_processed: BTreeMap<String, bool> = "strategiesProcessed", omit;
        /// Key `podsRecouped`.
        pub pods_recouped: BTreeMap<String, bool> = "podsRecouped", omit;
        /// Key `notSpecified`.
        pub not_specified: bool = "notSpecified", omit;
    }
}
