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

    /// HTTP and plugin tasks of one workflow, for its agent.
    pub struct WorkflowTaskSet ("WorkflowTaskSet") {
        /// Kind and version of the object.
        pub type_meta: TypeMeta = "", inline;
        /// Name, namespace, labels and what else Kubernetes keeps about the object.
        pub metadata: ObjectMeta = "metadata", keep;
        /// What is wanted.
        pub spec: WorkflowTaskSetSpec = "spec", keep;
        /// What it has come to.
        pub status: WorkflowTaskSetStatus = "status", omit;
    }

    /// Several task sets.
    pub struct WorkflowTaskSetList ("WorkflowTaskSetList") {
        /// Kind and version of the object.
        pub type_meta: TypeMeta = "", inline;
        /// Name, namespace, labels and what else Kubernetes keeps about the object.
        pub metadata: ListMeta = "metadata", keep;
        /// The objects of the list.
        pub items: List<WorkflowTaskSet> = "items", keep;
    }

    /// What the agent is to do.
    pub struct WorkflowTaskSetSpec ("WorkflowTaskSetSpec") {
        /// Templates by node id.
        pub tasks: BTreeMap<String, Template> = "tasks", omit;
    }

    /// What the agent has done.
    pub struct WorkflowTaskSetStatus ("WorkflowTaskSetStatus") {
        /// Results by node id.
        pub nodes: BTreeMap<String, NodeResult> = "nodes", omit;
    }

    /// What a pod reports about its node. Its name is the node's id.
    pub struct WorkflowTaskResult ("WorkflowTaskResult") {
        /// Kind and version of the object.
        pub type_meta: TypeMeta = "", inline;
        /// Name, namespace, labels and what else Kubernetes keeps about the object.
        pub metadata: ObjectMeta = "metadata", keep;
        /// The report.
        pub result: NodeResult = "", inline;
    }

    /// Several reports.
    pub struct WorkflowTaskResultList ("WorkflowTaskResultList") {
        /// Kind and version of the object.
        pub type_meta: TypeMeta = "", inline;
        /// Name, namespace, labels and what else Kubernetes keeps about the object.
        pub metadata: ListMeta = "metadata", keep;
        /// The objects of the list.
        pub items: List<WorkflowTaskResult> = "items", keep;
    }

    /// What is reported about a node.
    pub struct NodeResult ("NodeResult") {
        /// How far it is.
        pub phase: NodePhase = "phase", omit;
        /// What there is to say about it, for people.
        pub message: String = "message", omit;
        /// Values and files that it gave.
        pub outputs: Option<Outputs> = "outputs", omit;
        /// How much is done, as `N/M`.
        pub progress: Progress = "progress", omit;
    }

    /// Artifacts for one pod to delete.
    pub struct WorkflowArtifactGcTask ("WorkflowArtifactGCTask") {
        /// Kind and version of the object.
        pub type_meta: TypeMeta = "", inline;
        /// Name, namespace, labels and what else Kubernetes keeps about the object.
        pub metadata: ObjectMeta = "metadata", keep;
        /// What is wanted.
        pub spec: ArtifactGcSpec = "spec", keep;
        /// What it has come to.
        pub status: ArtifactGcStatus = "status", omit;
    }

    /// Several tasks of artifact clean-up.
    pub struct WorkflowArtifactGcTaskList ("WorkflowArtifactGCTaskList") {
        /// Kind and version of the object.
        pub type_meta: TypeMeta = "", inline;
        /// Name, namespace, labels and what else Kubernetes keeps about the object.
        pub metadata: ListMeta = "metadata", keep;
        /// The objects of the list.
        pub items: List<WorkflowArtifactGcTask> = "items", keep;
    }

    /// What is to be deleted.
    pub struct ArtifactGcSpec ("ArtifactGCSpec") {
        /// Artifacts by node id.
        pub artifacts_by_node: BTreeMap<String, ArtifactNodeSpec> = "artifactsByNode", omit;
    }

    /// Artifacts of one node.
    pub struct ArtifactNodeSpec ("ArtifactNodeSpec") {
        /// Where those are that name no place of their own.
        pub archive_location: Option<Box<ArtifactLocation>> = "archiveLocation", omit;
        /// Artifacts by name.
        pub artifacts: BTreeMap<String, Artifact> = "artifacts", omit;
    }

    /// What was deleted.
    pub struct ArtifactGcStatus ("ArtifactGCStatus") {
        /// Results by node id.
        pub artifact_results_by_node: BTreeMap<String, ArtifactResultNodeStatus> = "artifactResultsByNode", omit;
    }

    /// Results of one node.
    pub struct ArtifactResultNodeStatus ("ArtifactResultNodeStatus") {
        /// Results by artifact name.
        pub artifact_results: BTreeMap<String, ArtifactResult> = "artifactResults", omit;
    }

    /// What became of one artifact.
    pub struct ArtifactResult ("ArtifactResult") {
        /// Name, unique among its siblings.
        pub name: String = "name", keep;
        /// Whether it was deleted.
        pub success: bool = "success", omit;
        /// What went wrong.
        pub error: Option<String> = "error", omit;
    }
}
