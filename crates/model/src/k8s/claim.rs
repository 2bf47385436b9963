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

    /// `PersistentVolumeClaim` of the wire form.
    pub struct PersistentVolumeClaim ("PersistentVolumeClaim") {
        /// The keys of this type, which stand directly among the others.
        pub type_meta: TypeMeta = "", inline;
        /// Key `metadata`.
        pub metadata: ObjectMeta = "metadata", omit;
        /// Key `spec`.
        pub spec: PersistentVolumeClaimSpec = "spec", omit;
        /// Key `status`.
        pub status: PersistentVolumeClaimStatus = "status", omit;
    }

    /// `PersistentVolumeClaimSpec` of the wire form.
    pub struct PersistentVolumeClaimSpec ("PersistentVolumeClaimSpec") {
        /// Key `accessModes`.
        pub access_modes: Vec<String> = "accessModes", omit;
        /// Key `selector`.
        pub selector: Option<LabelSelector> = "selector", omit;
        /// Key `resources`.
        pub resources: VolumeResourceRequirements = "resources", omit;
        /// Key `volumeName`.
        pub volume_name: String = "volumeName", omit;
        /// Key `storageClassName`.
        pub storage_class_name: Option<String> = "storageClassName", omit;
        /// Key `volumeMode`.
        pub volume_mode: Option<String> = "volumeMode", omit;
        /// Key `dataSource`.
        pub data_source: Option<TypedLocalObjectReference> = "dataSource", omit;
        /// Key `dataSourceRef`.
        pub data_source_ref: Option<TypedObjectReference> = "dataSourceRef", omit;
        /// Key `volumeAttributesClassName`.
        pub volume_attributes_class_name: Option<String> = "volumeAttributesClassName", omit;
    }

    /// `PersistentVolumeClaimStatus` of the wire form.
    pub struct PersistentVolumeClaimStatus ("PersistentVolumeClaimStatus") {
        /// Key `phase`.
        pub phase: String = "phase", omit;
        /// Key `accessModes`.
        pub access_modes: Vec<String> = "accessModes", omit;
        /// Key `capacity`.
        pub capacity: BTreeMap<String, Quantity> = "capacity", omit;
        /// Key `conditions`.
        pub conditions: Vec<PersistentVolumeClaimCondition> = "conditions", omit;
        /// Key `allocatedResources`.
        pub allocated_resources: BTreeMap<String, Quantity> = "allocatedResources", omit;
        /// Key `allocatedResourceStatuses`.
        pub allocated_resource_statuses: BTreeMap<String, String> = "allocatedResourceStatuses", omit;
        /// Key `currentVolumeAttributesClassName`.
        pub current_volume_attributes_class_name: Option<String> = "currentVolumeAttributesClassName", omit;
        /// Key `modifyVolumeStatus`.
        pub modify_volume_status: Option<ModifyVolumeStatus> = "modifyVolumeStatus", omit;
    }

    /// `PersistentVolumeClaimCondition` of the wire form.
    pub struct PersistentVolumeClaimCondition ("PersistentVolumeClaimCondition") {
        /// Key `type`.
        pub type_: String = "type", keep;
        /// Key `status`.
        pub status: String = "status", keep;
        /// Key `lastProbeTime`.
        pub last_probe_time: Option<Time> = "lastProbeTime", keep;
        /// Key `lastTransitionTime`.
        pub last_transition_time: Option<Time> = "lastTransitionTime", keep;
        /// Key `reason`.
        pub reason: String = "reason", omit;
        /// Key `message`.
        pub message: String = "message", omit;
    }

    /// `ModifyVolumeStatus` of the wire form.
    pub struct ModifyVolumeStatus ("ModifyVolumeStatus") {
        /// Key `targetVolumeAttributesClassName`.
        pub target_volume_attributes_class_name: String = "targetVolumeAttributesClassName", omit;
        /// Key `status`.
        pub status: String = "status", keep;
    }

    /// `VolumeResourceRequirements` of the wire form.
    pub struct VolumeResourceRequirements ("VolumeResourceRequirements") {
        /// Key `limits`.
        pub limits: BTreeMap<String, Quantity> = "limits", omit;
        /// Key `requests`.
        pub requests: BTreeMap<String, Quantity> = "requests", omit;
    }
}
