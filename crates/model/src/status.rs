//! What a workflow has come to: its status and its nodes. What follows from them is in `node`.

use std::collections::BTreeMap;
use std::sync::Arc;

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

    /// What the run of a workflow has come to.
    pub struct WorkflowStatus ("WorkflowStatus") {
        /// How far it is.
        pub phase: WorkflowPhase = "phase", omit;
        /// When it started.
        pub started_at: Option<Time> = "startedAt", keep;
        /// When it ended.
        pub finished_at: Option<Time> = "finishedAt", keep;
        /// How long it will likely take, in seconds, from earlier runs; 0 is unknown.
        pub estimated_duration: i64 = "estimatedDuration", omit;
        /// How much is done, as `N/M`.
        pub progress: Progress = "progress", omit;
        /// What there is to say about it, for people.
        pub message: String = "message", omit;
        /// The nodes, packed and in base64, where they would be too large.
        pub compressed_nodes: String = "compressedNodes", omit;
        /// Nodes by id.
        pub nodes: BTreeMap<String, NodeStatus> = "nodes", omit;
        /// Version of the nodes in the database, where they are too large even so.
        pub offload_node_status_version: String = "offloadNodeStatusVersion", omit;
        /// Templates of other objects as they were when the run began, by scope and name.
        pub stored_templates: BTreeMap<String, Template> = "storedTemplates", omit;
        /// The volume claims that were made.
        pub persistent_volume_claims: Vec<Volume> = "persistentVolumeClaims", omit;
        /// Outputs with a global name.
        pub outputs: Option<Outputs> = "outputs", omit;
        /// Facts about it besides the phase.
        pub conditions: Vec<Condition> = "conditions", omit;
        /// Seconds of each resource that all pods used.
        pub resources_duration: BTreeMap<String, i64> = "resourcesDuration", omit;
        /// Specification of the template object as it was when the run began.
        pub stored_workflow_template_spec: Option<Box<WorkflowSpec>> = "storedWorkflowTemplateSpec", omit;
        /// Locks of the workflow.
        pub synchronization: Option<SynchronizationStatus> = "synchronization", omit;
        /// The artifact repository in use.
        pub artifact_repository_ref: Option<ArtifactRepositoryRefStatus> = "artifactRepositoryRef", omit;
        /// How far the clean-up of artifacts is.
        pub artifact_gc_status: Option<ArtGcStatus> = "artifactGCStatus", omit;
        /// Whether all results of a node arrived, by node id.
        pub task_results_completion_status: BTreeMap<String, bool> = "taskResultsCompletionStatus", omit;
    }

    /// One node of the tree that a workflow grows into.
    pub struct NodeStatus ("NodeStatus") {
        /// Id: the workflow's name, for others with a hash of the node's name.
        pub id: String = "id", keep;
        /// Full name, which tells the way from the root.
        pub name: String = "name", keep;
        /// Name for people, without the way.
        pub display_name: String = "displayName", omit;
        /// What kind of node it is.
        pub type_: NodeType = "type", keep;
        /// Name of its template.
        pub template_name: String = "templateName", omit;
        /// Its template, where that is in another object.
        pub template_ref: Option<TemplateRef> = "templateRef", omit;
        /// Where the search for its template started: `local/…`, `namespaced/…` or `cluster/…` (C-NODE-07).
        pub template_scope: String = "templateScope", omit;
        /// How far it is.
        pub phase: NodePhase = "phase", omit;
        /// Id of the steps or dag node that it is part of.
        pub boundary_id: String = "boundaryID", omit;
        /// What there is to say about it, for people.
        pub message: String = "message", omit;
        /// When it started.
        pub started_at: Option<Time> = "startedAt", keep;
        /// When it was first fulfilled.
        pub finished_at: Option<Time> = "finishedAt", keep;
        /// How long it will likely take, in seconds; 0 is unknown.
        pub estimated_duration: i64 = "estimatedDuration", omit;
        /// How much is done, as `N/M`.
        pub progress: Progress = "progress", omit;
        /// Seconds of each resource that its pods used.
        pub resources_duration: BTreeMap<String, i64> = "resourcesDuration", omit;
        /// Address of a daemon's pod.
        pub pod_ip: String = "podIP", omit;
        /// Whether it is a running daemon.
        pub daemoned: Option<bool> = "daemoned", omit;
        /// Marks of hooks and attempts.
        pub node_flag: Option<NodeFlag> = "nodeFlag", omit;
        /// Values and files that it takes.
        pub inputs: Option<Inputs> = "inputs", omit;
        /// Values and files that it gave.
        pub outputs: Option<Outputs> = "outputs", omit;
        /// Ids of the nodes that follow from it, shared by copies: a group may have thousands.
        pub children: Arc<Vec<String>> = "children", omit;
        /// Ids of its last nodes, which the next ones follow.
        pub outbound_nodes: Vec<String> = "outboundNodes", omit;
        /// Node of the cluster that its pod runs on.
        pub host_node_name: String = "hostNodeName", omit;
        /// What the cache said.
        pub memoization_status: Option<MemoizationStatus> = "memoizationStatus", omit;
        /// What lock it waits for.
        pub synchronization_status: Option<NodeSynchronizationStatus> = "synchronizationStatus", omit;
        /// Whether its outputs arrived; unset where none are expected.
        pub task_result_synced: Option<bool> = "taskResultSynced", omit;
        /// How often its pod was made again because it died before it ran.
        pub failed_pod_restarts: i32 = "failedPodRestarts", omit;
        /// Uid of the pod that is being replaced.
        pub restarting_pod_uid: String = "restartingPodUID", omit;
    }

    /// Marks of a node.
    pub struct NodeFlag ("NodeFlag") {
        /// It belongs to a hook.
        pub hooked: bool = "hooked", omit;
        /// It is one attempt of a retried node.
        pub retried: bool = "retried", omit;
    }

    /// A fact about an object.
    pub struct Condition ("Condition") {
        /// What the fact is about.
        pub type_: ConditionType = "type", omit;
        /// `True`, `False` or `Unknown`.
        pub status: String = "status", omit;
        /// What there is to say about it, for people.
        pub message: String = "message", omit;
    }

    /// What the cache said.
    pub struct MemoizationStatus ("MemoizationStatus") {
        /// Whether an earlier result was used.
        pub hit: bool = "hit", keep;
        /// Key.
        pub key: String = "key", keep;
        /// Name of the ConfigMap.
        pub cache_name: String = "cacheName", keep;
    }

    /// What a node waits for.
    pub struct NodeSynchronizationStatus ("NodeSynchronizationStatus") {
        /// Name of the lock.
        pub waiting: String = "waiting", omit;
    }

    /// How far the clean-up of artifacts is.
    pub struct ArtGcStatus ("ArtGCStatus") {
        /// Strategies whose pods were made.
        pub strategies_processed: BTreeMap<String, bool> = "strategiesProcessed", omit;
        /// Pods whose end was taken over, by name.
        pub pods_recouped: BTreeMap<String, bool> = "podsRecouped", omit;
        /// Whether there is nothing to clean up.
        pub not_specified: bool = "notSpecified", omit;
    }
}
