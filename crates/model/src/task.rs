//! Objects between controller and pods: task sets, task results and tasks of artifact clean-up.

use std::collections::BTreeMap;

use crate::artifact::{Artifact, ArtifactLocation};
use crate::custom::Progress;
use crate::k8s::{ListMeta, ObjectMeta, TypeMeta};
use crate::object::objects;
use crate::scalar::List;
use crate::template::{Outputs, Template};
use crate::text::NodePhase;

objects! {
    "v1alpha1"

    /// `WorkflowTaskSet` of the wire form.
    pub struct WorkflowTaskSet ("WorkflowTaskSet") {
        /// The keys of this type, which stand directly among the others.
        pub type_meta: TypeMeta = "", inline;
        /// Key `metadata`.
        pub metadata: ObjectMeta = "metadata", keep;
        /// Key `spec`.
        pub spec: WorkflowTaskSetSpec = "spec", keep;
        /// Key `status`.
        pub status: WorkflowTaskSetStatus = "status", omit;
    }

    /// `WorkflowTaskSetList` of the wire form.
    pub struct WorkflowTaskSetList ("WorkflowTaskSetList") {
        /// The keys of this type, which stand directly among the others.
        pub type_meta: TypeMeta = "", inline;
        /// Key `metadata`.
        pub metadata: ListMeta = "metadata", keep;
        /// Key `items`.
        pub items: List<WorkflowTaskSet> = "items", keep;
    }

    /// `WorkflowTaskSetSpec` of the wire form.
    pub struct WorkflowTaskSetSpec ("WorkflowTaskSetSpec") {
        /// Key `tasks`.
        pub tasks: BTreeMap<String, Template> = "tasks", omit;
    }

    /// `WorkflowTaskSetStatus` of the wire form.
    pub struct WorkflowTaskSetStatus ("WorkflowTaskSetStatus") {
        /// Key `nodes`.
        pub nodes: BTreeMap<String, NodeResult> = "nodes", omit;
    }

    /// `WorkflowTaskResult` of the wire form.
    pub struct WorkflowTaskResult ("WorkflowTaskResult") {
        /// The keys of this type, which stand directly among the others.
        pub type_meta: TypeMeta = "", inline;
        /// Key `metadata`.
        pub metadata: ObjectMeta = "metadata", keep;
        /// The keys of this type, which stand directly among the others.
        pub result: NodeResult = "", inline;
    }

    /// `WorkflowTaskResultList` of the wire form.
    pub struct WorkflowTaskResultList ("WorkflowTaskResultList") {
        /// The keys of this type, which stand directly among the others.
        pub type_meta: TypeMeta = "", inline;
        /// Key `metadata`.
        pub metadata: ListMeta = "metadata", keep;
        /// Key `items`.
        pub items: List<WorkflowTaskResult> = "items", keep;
    }

    /// `NodeResult` of the wire form.
    pub struct NodeResult ("NodeResult") {
        /// Key `phase`.
        pub phase: NodePhase = "phase", omit;
        /// Key `message`.
        pub message: String = "message", omit;
        /// Key `outputs`.
        pub outputs: Option<Outputs> = "outputs", omit;
        /// Key `progress`.
        pub progress: Progress = "progress", omit;
    }

    /// `WorkflowArtifactGCTask` of the wire form.
    pub struct WorkflowArtifactGcTask ("WorkflowArtifactGCTask") {
        /// The keys of this type, which stand directly among the others.
        pub type_meta: TypeMeta = "", inline;
        /// Key `metadata`.
        pub metadata: ObjectMeta = "metadata", keep;
        /// Key `spec`.
        pub spec: ArtifactGcSpec = "spec", keep;
        /// Key `status`.
        pub status: ArtifactGcStatus = "status", omit;
    }

    /// `WorkflowArtifactGCTaskList` of the wire form.
    pub struct WorkflowArtifactGcTaskList ("WorkflowArtifactGCTaskList") {
        /// The keys of this type, which stand directly among the others.
        pub type_meta: TypeMeta = "", inline;
        /// Key `metadata`.
        pub metadata: ListMeta = "metadata", keep;
        /// Key `items`.
        pub items: List<WorkflowArtifactGcTask> = "items", keep;
    }

    /// `ArtifactGCSpec` of the wire form.
    pub struct ArtifactGcSpec ("ArtifactGCSpec") {
        /// Key `artifactsByNode`.
        pub artifacts_by_node: BTreeMap<String, ArtifactNodeSpec> = "artifactsByNode", omit;
    }

    /// `ArtifactNodeSpec` of the wire form.
    pub struct ArtifactNodeSpec ("ArtifactNodeSpec") {
        /// Key `archiveLocation`.
        pub archive_location: Option<Box<ArtifactLocation>> = "archiveLocation", omit;
        /// Key `artifacts`.
        pub artifacts: BTreeMap<String, Artifact> = "artifacts", omit;
    }

    /// `ArtifactGCStatus` of the wire form.
    pub struct ArtifactGcStatus ("ArtifactGCStatus") {
        /// Key `artifactResultsByNode`.
        pub artifact_results_by_node: BTreeMap<String, ArtifactResultNodeStatus> = "artifactResultsByNode", omit;
    }

    /// `ArtifactResultNodeStatus` of the wire form.
    pub struct ArtifactResultNodeStatus ("ArtifactResultNodeStatus") {
        /// Key `artifactResults`.
        pub artifact_results: BTreeMap<String, ArtifactResult> = "artifactResults", omit;
    }

    /// `ArtifactResult` of the wire form.
    pub struct ArtifactResult ("ArtifactResult") {
        /// Key `name`.
        pub name: String = "name", keep;
        /// Key `success`.
        pub success: bool = "success", omit;
        /// Key `error`.
        pub error: Option<String> = "error", omit;
    }
}
