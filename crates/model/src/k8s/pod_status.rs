//! What a pod has come to.

use std::collections::BTreeMap;

use crate::k8s::container::ResourceRequirements;
use crate::k8s::quantity::Quantity;
use crate::k8s::value::Time;
use crate::object::objects;
use crate::scalar::List;

objects! {
    "v1"

    /// `PodStatus` of the wire form.
    pub struct PodStatus ("PodStatus") {
        /// Key `observedGeneration`.
        pub observed_generation: i64 = "observedGeneration", omit;
        /// Key `phase`.
        pub phase: String = "phase", omit;
        /// Key `conditions`.
        pub conditions: Vec<PodCondition> = "conditions", omit;
        /// Key `message`.
        pub message: String = "message", omit;
        /// Key `reason`.
        pub reason: String = "reason", omit;
        /// Key `nominatedNodeName`.
        pub nominated_node_name: String = "nominatedNodeName", omit;
        /// Key `hostIP`.
        pub host_ip: String = "hostIP", omit;
        /// Key `hostIPs`.
        pub host_ips: Vec<HostIp> = "hostIPs", omit;
        /// Key `podIP`.
        pub pod_ip: String = "podIP", omit;
        /// Key `podIPs`.
        pub pod_ips: Vec<PodIp> = "podIPs", omit;
        /// Key `startTime`.
        pub start_time: Option<Time> = "startTime", omit;
        /// Key `initContainerStatuses`.
        pub init_container_statuses: Vec<ContainerStatus> = "initContainerStatuses", omit;
        /// Key `containerStatuses`.
        pub container_statuses: Vec<ContainerStatus> = "containerStatuses", omit;
        /// Key `qosClass`.
        pub qos_class: String = "qosClass", omit;
        /// Key `ephemeralContainerStatuses`.
        pub ephemeral_container_statuses: Vec<ContainerStatus> = "ephemeralContainerStatuses", omit;
        /// Key `resize`.
        pub resize: String = "resize", omit;
        /// Key `resourceClaimStatuses`.
        pub resource_claim_statuses: Vec<PodResourceClaimStatus> = "resourceClaimStatuses", omit;
        /// Key `extendedResourceClaimStatus`.
        pub extended_resource_claim_status: Option<PodExtendedResourceClaimStatus> = "extendedResourceClaimStatus", omit;
        /// Key `allocatedResources`.
        pub allocated_resources: BTreeMap<String, Quantity> = "allocatedResources", omit;
        /// Key `resources`.
        pub resources: Option<ResourceRequirements> = "resources", omit;
    }

    /// `PodCondition` of the wire form.
    pub struct PodCondition ("PodCondition") {
        /// Key `type`.
        pub type_: String = "type", keep;
        /// Key `observedGeneration`.
        pub observed_generation: i64 = "observedGeneration", omit;
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

    /// `HostIP` of the wire form.
    pub struct HostIp ("HostIP") {
        /// Key `ip`.
        pub ip: String = "ip", keep;
    }

    /// `PodIP` of the wire form.
    pub struct PodIp ("PodIP") {
        /// Key `ip`.
        pub ip: String = "ip", keep;
    }

    /// `PodResourceClaimStatus` of the wire form.
    pub struct PodResourceClaimStatus ("PodResourceClaimStatus") {
        /// Key `name`.
        pub name: String = "name", keep;
        /// Key `resourceClaimName`.
        pub resource_claim_name: Option<String> = "resourceClaimName", omit;
    }

    /// `PodExtendedResourceClaimStatus` of the wire form.
    pub struct PodExtendedResourceClaimStatus ("PodExtendedResourceClaimStatus") {
        /// Key `requestMappings`.
        pub request_mappings: List<ContainerExtendedResourceRequest> = "requestMappings", keep;
        /// Key `resourceClaimName`.
        pub resource_claim_name: String = "resourceClaimName", keep;
    }

    /// `ContainerExtendedResourceRequest` of the wire form.
    pub struct ContainerExtendedResourceRequest ("ContainerExtendedResourceRequest") {
        /// Key `containerName`.
        pub container_name: String = "containerName", keep;
        /// Key `resourceName`.
        pub resource_name: String = "resourceName", keep;
        /// Key `requestName`.
        pub request_name: String = "requestName", keep;
    }

    /// `ContainerStatus` of the wire form.
    pub struct ContainerStatus ("ContainerStatus") {
        /// Key `name`.
        pub name: String = "name", keep;
        /// Key `state`.
        pub state: ContainerState = "state", keep;
        /// Key `lastState`.
        pub last_state: ContainerState = "lastState", keep;
        /// Key `ready`.
        pub ready: bool = "ready", keep;
        /// Key `restartCount`.
        pub restart_count: i32 = "restartCount", keep;
        /// Key `image`.
        pub image: String = "image", keep;
        /// Key `imageID`.
        pub image_id: String = "imageID", keep;
        /// Key `containerID`.
        pub container_id: String = "containerID", omit;
        /// Key `started`.
        pub started: Option<bool> = "started", omit;
        /// Key `allocatedResources`.
        pub allocated_resources: BTreeMap<String, Quantity> = "allocatedResources", omit;
        /// Key `resources`.
        pub resources: Option<ResourceRequirements> = "resources", omit;
        /// Key `volumeMounts`.
        pub volume_mounts: Vec<VolumeMountStatus> = "volumeMounts", omit;
        /// Key `user`.
        pub user: Option<ContainerUser> = "user", omit;
        /// Key `allocatedResourcesStatus`.
        pub allocated_resources_status: Vec<ResourceStatus> = "allocatedResourcesStatus", omit;
        /// Key `stopSignal`.
        pub stop_signal: Option<String> = "stopSignal", omit;
    }

    /// `ContainerState` of the wire form.
    pub struct ContainerState ("ContainerState") {
        /// Key `waiting`.
        pub waiting: Option<ContainerStateWaiting> = "waiting", omit;
        /// Key `running`.
        pub running: Option<ContainerStateRunning> = "running", omit;
        /// Key `terminated`.
        pub terminated: Option<Box<ContainerStateTerminated>> = "terminated", omit;
    }

    /// `ContainerStateWaiting` of the wire form.
    pub struct ContainerStateWaiting ("ContainerStateWaiting") {
        /// Key `reason`.
        pub reason: String = "reason", omit;
        /// Key `message`.
        pub message: String = "message", omit;
    }

    /// `ContainerStateRunning` of the wire form.
    pub struct ContainerStateRunning ("ContainerStateRunning") {
        /// Key `startedAt`.
        pub started_at: Option<Time> = "startedAt", keep;
    }

    /// `ContainerStateTerminated` of the wire form.
    pub struct ContainerStateTerminated ("ContainerStateTerminated") {
        /// Key `exitCode`.
        pub exit_code: i32 = "exitCode", keep;
        /// Key `signal`.
        pub signal: i32 = "signal", omit;
        /// Key `reason`.
        pub reason: String = "reason", omit;
        /// Key `message`.
        pub message: String = "message", omit;
        /// Key `startedAt`.
        pub started_at: Option<Time> = "startedAt", keep;
        /// Key `finishedAt`.
        pub finished_at: Option<Time> = "finishedAt", keep;
        /// Key `containerID`.
        pub container_id: String = "containerID", omit;
    }

    /// `VolumeMountStatus` of the wire form.
    pub struct VolumeMountStatus ("VolumeMountStatus") {
        /// Key `name`.
        pub name: String = "name", keep;
        /// Key `mountPath`.
        pub mount_path: String = "mountPath", keep;
        /// Key `readOnly`.
        pub read_only: bool = "readOnly", omit;
        /// Key `recursiveReadOnly`.
        pub recursive_read_only: Option<String> = "recursiveReadOnly", omit;
    }

    /// `ContainerUser` of the wire form.
    pub struct ContainerUser ("ContainerUser") {
        /// Key `linux`.
        pub linux: Option<LinuxContainerUser> = "linux", omit;
    }

    /// `LinuxContainerUser` of the wire form.
    pub struct LinuxContainerUser ("LinuxContainerUser") {
        /// Key `uid`.
        pub uid: i64 = "uid", keep;
        /// Key `gid`.
        pub gid: i64 = "gid", keep;
        /// Key `supplementalGroups`.
        pub supplemental_groups: Vec<i64> = "supplementalGroups", omit;
    }

    /// `ResourceStatus` of the wire form.
    pub struct ResourceStatus ("ResourceStatus") {
        /// Key `name`.
        pub name: String = "name", keep;
        /// Key `resources`.
        pub resources: Vec<ResourceHealth> = "resources", omit;
    }

    /// `ResourceHealth` of the wire form.
    pub struct ResourceHealth ("ResourceHealth") {
        /// Key `resourceID`.
        pub resource_id: String = "resourceID", keep;
        /// Key `health`.
        pub health: String = "health", omit;
    }
}
