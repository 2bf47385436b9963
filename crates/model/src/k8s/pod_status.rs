//! What a pod has come to.

use std::collections::BTreeMap;

use crate::k8s::container::ResourceRequirements;
use crate::k8s::quantity::Quantity;
use crate::k8s::value::Time;
use crate::object::objects;
use crate::scalar::List;

objects! {
    "v1"

    /// What a pod has come to.
    pub struct PodStatus ("PodStatus") {
        /// Generation of the object that this was seen with.
        pub observed_generation: i64 = "observedGeneration", omit;
        /// `Pending`, `Running`, `Succeeded`, `Failed` or `Unknown`.
        pub phase: String = "phase", omit;
        /// Facts about it besides the phase.
        pub conditions: Vec<PodCondition> = "conditions", omit;
        /// What there is to say about it, for people.
        pub message: String = "message", omit;
        /// A word for machines that says why.
        pub reason: String = "reason", omit;
        /// Node that others are pushed out of for it.
        pub nominated_node_name: String = "nominatedNodeName", omit;
        /// Address of the node.
        pub host_ip: String = "hostIP", omit;
        /// Addresses of the node.
        pub host_ips: Vec<HostIp> = "hostIPs", omit;
        /// Address of the pod.
        pub pod_ip: String = "podIP", omit;
        /// Addresses of the pod.
        pub pod_ips: Vec<PodIp> = "podIPs", omit;
        /// When the node took it on.
        pub start_time: Option<Time> = "startTime", omit;
        /// How the init containers are.
        pub init_container_statuses: Vec<ContainerStatus> = "initContainerStatuses", omit;
        /// How the containers are.
        pub container_statuses: Vec<ContainerStatus> = "containerStatuses", omit;
        /// `Guaranteed`, `Burstable` or `BestEffort`.
        pub qos_class: String = "qosClass", omit;
        /// How containers for finding faults are.
        pub ephemeral_container_statuses: Vec<ContainerStatus> = "ephemeralContainerStatuses", omit;
        /// How far a change of resources is; replaced by conditions.
        pub resize: String = "resize", omit;
        /// Claims that were made for it.
        pub resource_claim_statuses: Vec<PodResourceClaimStatus> = "resourceClaimStatuses", omit;
        /// Claim that was made for its extended resources.
        pub extended_resource_claim_status: Option<PodExtendedResourceClaimStatus> = "extendedResourceClaimStatus", omit;
        /// What the node has set aside.
        pub allocated_resources: BTreeMap<String, Quantity> = "allocatedResources", omit;
        /// Resources it needs or may use.
        pub resources: Option<ResourceRequirements> = "resources", omit;
    }

    /// A fact about a pod.
    pub struct PodCondition ("PodCondition") {
        /// Kind.
        pub type_: String = "type", keep;
        /// Generation of the object that this was seen with.
        pub observed_generation: i64 = "observedGeneration", omit;
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

    /// An address of a node.
    pub struct HostIp ("HostIP") {
        /// Address.
        pub ip: String = "ip", keep;
    }

    /// An address of a pod.
    pub struct PodIp ("PodIP") {
        /// Address.
        pub ip: String = "ip", keep;
    }

    /// A claim that was made for a pod.
    pub struct PodResourceClaimStatus ("PodResourceClaimStatus") {
        /// Name in the pod.
        pub name: String = "name", keep;
        /// Name of the claim.
        pub resource_claim_name: Option<String> = "resourceClaimName", omit;
    }

    /// The claim that was made for extended resources.
    pub struct PodExtendedResourceClaimStatus ("PodExtendedResourceClaimStatus") {
        /// Which request serves which container.
        pub request_mappings: List<ContainerExtendedResourceRequest> = "requestMappings", keep;
        /// Name of the claim.
        pub resource_claim_name: String = "resourceClaimName", keep;
    }

    /// A request of a claim and the container it serves.
    pub struct ContainerExtendedResourceRequest ("ContainerExtendedResourceRequest") {
        /// Name of the container.
        pub container_name: String = "containerName", keep;
        /// Name of the resource.
        pub resource_name: String = "resourceName", keep;
        /// Name of the request.
        pub request_name: String = "requestName", keep;
    }

    /// How a container is.
    pub struct ContainerStatus ("ContainerStatus") {
        /// Name, unique among its siblings.
        pub name: String = "name", keep;
        /// Its state.
        pub state: ContainerState = "state", keep;
        /// Its state before the last restart.
        pub last_state: ContainerState = "lastState", keep;
        /// Whether it is ready.
        pub ready: bool = "ready", keep;
        /// How often it was restarted.
        pub restart_count: i32 = "restartCount", keep;
        /// Image that runs.
        pub image: String = "image", keep;
        /// Id of the image.
        pub image_id: String = "imageID", keep;
        /// Id of the container at its runtime.
        pub container_id: String = "containerID", omit;
        /// Whether it is past its startup probe.
        pub started: Option<bool> = "started", omit;
        /// What the node has set aside.
        pub allocated_resources: BTreeMap<String, Quantity> = "allocatedResources", omit;
        /// Resources it needs or may use.
        pub resources: Option<ResourceRequirements> = "resources", omit;
        /// How its volumes are mounted.
        pub volume_mounts: Vec<VolumeMountStatus> = "volumeMounts", omit;
        /// User.
        pub user: Option<ContainerUser> = "user", omit;
        /// Health of its devices.
        pub allocated_resources_status: Vec<ResourceStatus> = "allocatedResourcesStatus", omit;
        /// Signal that asks the container to end.
        pub stop_signal: Option<String> = "stopSignal", omit;
    }

    /// State of a container; one is set, none means waiting.
    pub struct ContainerState ("ContainerState") {
        /// It has not started.
        pub waiting: Option<ContainerStateWaiting> = "waiting", omit;
        /// It runs.
        pub running: Option<ContainerStateRunning> = "running", omit;
        /// It has ended.
        pub terminated: Option<Box<ContainerStateTerminated>> = "terminated", omit;
    }

    /// A container that has not started.
    pub struct ContainerStateWaiting ("ContainerStateWaiting") {
        /// A word for machines that says why.
        pub reason: String = "reason", omit;
        /// What there is to say about it, for people.
        pub message: String = "message", omit;
    }

    /// A container that runs.
    pub struct ContainerStateRunning ("ContainerStateRunning") {
        /// When it started.
        pub started_at: Option<Time> = "startedAt", keep;
    }

    /// A container that has ended.
    pub struct ContainerStateTerminated ("ContainerStateTerminated") {
        /// Its exit code.
        pub exit_code: i32 = "exitCode", keep;
        /// Signal that ended it; 0 if none.
        pub signal: i32 = "signal", omit;
        /// A word for machines that says why.
        pub reason: String = "reason", omit;
        /// What there is to say about it, for people.
        pub message: String = "message", omit;
        /// When it started.
        pub started_at: Option<Time> = "startedAt", keep;
        /// When it ended.
        pub finished_at: Option<Time> = "finishedAt", keep;
        /// Id of the container at its runtime.
        pub container_id: String = "containerID", omit;
    }

    /// How a volume is mounted.
    pub struct VolumeMountStatus ("VolumeMountStatus") {
        /// Name of the volume.
        pub name: String = "name", keep;
        /// Path in the container.
        pub mount_path: String = "mountPath", keep;
        /// Whether writing is refused.
        pub read_only: bool = "readOnly", omit;
        /// Whether mounts below are read-only too.
        pub recursive_read_only: Option<String> = "recursiveReadOnly", omit;
    }

    /// Who the processes of a container run as.
    pub struct ContainerUser ("ContainerUser") {
        /// On Linux.
        pub linux: Option<LinuxContainerUser> = "linux", omit;
    }

    /// User and groups of a process.
    pub struct LinuxContainerUser ("LinuxContainerUser") {
        /// User id.
        pub uid: i64 = "uid", keep;
        /// Group id.
        pub gid: i64 = "gid", keep;
        /// Further groups.
        pub supplemental_groups: Vec<i64> = "supplementalGroups", omit;
    }

    /// Health of the devices of one resource.
    pub struct ResourceStatus ("ResourceStatus") {
        /// Name of the resource.
        pub name: String = "name", keep;
        /// The devices.
        pub resources: Vec<ResourceHealth> = "resources", omit;
    }

    /// Health of one device.
    pub struct ResourceHealth ("ResourceHealth") {
        /// Id of the device.
        pub resource_id: String = "resourceID", keep;
        /// `Healthy`, `Unhealthy` or `Unknown`.
        pub health: String = "health", omit;
    }
}
