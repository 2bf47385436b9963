//! Claims of persistent volumes.

use std::collections::BTreeMap;

use crate::k8s::meta::{
    LabelSelector, ObjectMeta, TypeMeta, TypedLocalObjectReference, TypedObjectReference,
};
use crate::k8s::quantity::Quantity;
use crate::k8s::value::Time;
use crate::object::objects;

objects! {
    "v1"

    /// A claim of a persistent volume.
    pub struct PersistentVolumeClaim ("PersistentVolumeClaim") {
        /// Kind and version of the object.
        pub type_meta: TypeMeta = "", inline;
        /// Name, namespace, labels and what else Kubernetes keeps about the object.
        pub metadata: ObjectMeta = "metadata", omit;
        /// What is wanted.
        pub spec: PersistentVolumeClaimSpec = "spec", omit;
        /// What it has come to.
        pub status: PersistentVolumeClaimStatus = "status", omit;
    }

    /// What volume is wanted.
    pub struct PersistentVolumeClaimSpec ("PersistentVolumeClaimSpec") {
        /// How it is used, for example `ReadWriteOnce`.
        pub access_modes: Vec<String> = "accessModes", omit;
        /// Labels that select objects.
        pub selector: Option<LabelSelector> = "selector", omit;
        /// Resources it needs or may use.
        pub resources: VolumeResourceRequirements = "resources", omit;
        /// The one volume that is meant.
        pub volume_name: String = "volumeName", omit;
        /// Kind of storage; the cluster's default when unset.
        pub storage_class_name: Option<String> = "storageClassName", omit;
        /// `Filesystem` by default, or `Block`.
        pub volume_mode: Option<String> = "volumeMode", omit;
        /// What it is filled from.
        pub data_source: Option<TypedLocalObjectReference> = "dataSource", omit;
        /// What it is filled from, of any kind.
        pub data_source_ref: Option<TypedObjectReference> = "dataSourceRef", omit;
        /// Class of changeable settings.
        pub volume_attributes_class_name: Option<String> = "volumeAttributesClassName", omit;
    }

    /// What a claim has come to.
    pub struct PersistentVolumeClaimStatus ("PersistentVolumeClaimStatus") {
        /// `Pending`, `Bound` or `Lost`.
        pub phase: String = "phase", omit;
        /// How it can be used.
        pub access_modes: Vec<String> = "accessModes", omit;
        /// How large it is.
        pub capacity: BTreeMap<String, Quantity> = "capacity", omit;
        /// Facts about it besides the phase.
        pub conditions: Vec<PersistentVolumeClaimCondition> = "conditions", omit;
        /// What the node has set aside.
        pub allocated_resources: BTreeMap<String, Quantity> = "allocatedResources", omit;
        /// How far a change of size is.
        pub allocated_resource_statuses: BTreeMap<String, String> = "allocatedResourceStatuses", omit;
        /// Class of settings in force.
        pub current_volume_attributes_class_name: Option<String> = "currentVolumeAttributesClassName", omit;
        /// How far a change of settings is.
        pub modify_volume_status: Option<ModifyVolumeStatus> = "modifyVolumeStatus", omit;
    }

    /// A fact about a claim.
    pub struct PersistentVolumeClaimCondition ("PersistentVolumeClaimCondition") {
        /// Kind.
        pub type_: String = "type", keep;
        /// `True`, `False` or `Unknown`.
        pub status: String = "status", keep;
        /// When it was looked at last.
        pub last_probe_time: Option<Time> = "lastProbeTime", keep;
        /// When the status changed last.
        pub last_transition_time: Option<Time> = "lastTransitionTime", keep;
        /// A word for machines that says why.
        pub reason: String = "reason", omit;
        /// What there is to say about it, for people.
        pub message: String = "message", omit;
    }

    /// How far a change of settings is.
    pub struct ModifyVolumeStatus ("ModifyVolumeStatus") {
        /// Class of settings that is wanted.
        pub target_volume_attributes_class_name: String = "targetVolumeAttributesClassName", omit;
        /// `Pending`, `InProgress` or `Infeasible`.
        pub status: String = "status", keep;
    }

    /// How large a volume is to be.
    pub struct VolumeResourceRequirements ("VolumeResourceRequirements") {
        /// Most that may be used, by resource.
        pub limits: BTreeMap<String, Quantity> = "limits", omit;
        /// What is set aside for it, by resource.
        pub requests: BTreeMap<String, Quantity> = "requests", omit;
    }
}
