//! Pods: what is to run. What has run is in `pod_status`.

use std::collections::BTreeMap;

use crate::k8s::container::{Container, EphemeralContainer, ResourceRequirements};
use crate::k8s::meta::{LocalObjectReference, ObjectMeta, TypeMeta};
use crate::k8s::pod_status::PodStatus;
use crate::k8s::quantity::Quantity;
use crate::k8s::scheduling::{
    Affinity, PodReadinessGate, PodSchedulingGate, Toleration, TopologySpreadConstraint,
};
use crate::k8s::security::PodSecurityContext;
use crate::k8s::value::Time;
use crate::k8s::volume::Volume;
use crate::object::objects;
use crate::scalar::List;

objects! {
    "v1"

    /// A pod and what it has come to.
    pub struct Pod ("Pod") {
        /// Kind and version of the object.
        pub type_meta: TypeMeta = "", inline;
        /// Name, namespace, labels and what else Kubernetes keeps about the object.
        pub metadata: ObjectMeta = "metadata", omit;
        /// What is wanted.
        pub spec: PodSpec = "spec", omit;
        /// What it has come to.
        pub status: PodStatus = "status", omit;
    }

    /// What a pod runs.
    pub struct PodSpec ("PodSpec") {
        /// Volumes that containers may mount.
        pub volumes: Vec<Volume> = "volumes", omit;
        /// Containers that run first, one after the other.
        pub init_containers: Vec<Container> = "initContainers", omit;
        /// Containers that run at the same time.
        pub containers: List<Container> = "containers", keep;
        /// Containers that were put in to look for faults.
        pub ephemeral_containers: Vec<EphemeralContainer> = "ephemeralContainers", omit;
        /// Whether ended containers are restarted: `Always` when empty, `OnFailure` or `Never`.
        pub restart_policy: String = "restartPolicy", omit;
        /// Seconds between asking to end and killing; 30 by default.
        pub termination_grace_period_seconds: Option<i64> = "terminationGracePeriodSeconds", omit;
        /// How long it may run, in seconds.
        pub active_deadline_seconds: Option<i64> = "activeDeadlineSeconds", omit;
        /// `ClusterFirst` when empty, `ClusterFirstWithHostNet`, `Default` or `None`.
        pub dns_policy: String = "dnsPolicy", omit;
        /// Labels that a node of the cluster must have.
        pub node_selector: BTreeMap<String, String> = "nodeSelector", omit;
        /// Service account of the pods; empty means `default`.
        pub service_account_name: String = "serviceAccountName", omit;
        /// Former name of `serviceAccountName`.
        pub service_account: String = "serviceAccount", omit;
        /// Whether the token of the service account is mounted.
        pub automount_service_account_token: Option<bool> = "automountServiceAccountToken", omit;
        /// Node that it is placed on.
        pub node_name: String = "nodeName", omit;
        /// Whether the pod uses the network of the node.
        pub host_network: bool = "hostNetwork", omit;
        /// Whether it sees all processes of the node.
        pub host_pid: bool = "hostPID", omit;
        /// Whether it shares memory with processes of the node.
        pub host_ipc: bool = "hostIPC", omit;
        /// Whether its containers see each other's processes.
        pub share_process_namespace: Option<bool> = "shareProcessNamespace", omit;
        /// Rights of the pod.
        pub security_context: Option<Box<PodSecurityContext>> = "securityContext", omit;
        /// Secrets with credentials for image registries.
        pub image_pull_secrets: Vec<LocalObjectReference> = "imagePullSecrets", omit;
        /// Its host name; the pod's name when empty.
        pub hostname: String = "hostname", omit;
        /// Domain of its full host name.
        pub subdomain: String = "subdomain", omit;
        /// Preferences for nodes of the cluster and for neighbours.
        pub affinity: Option<Box<Affinity>> = "affinity", omit;
        /// Scheduler of the pods; empty means the cluster's default.
        pub scheduler_name: String = "schedulerName", omit;
        /// Taints of nodes that are tolerated.
        pub tolerations: Vec<Toleration> = "tolerations", omit;
        /// Further entries for the hosts file.
        pub host_aliases: Vec<HostAlias> = "hostAliases", omit;
        /// Priority class of the pods.
        pub priority_class_name: String = "priorityClassName", omit;
        /// Priority; higher goes first.
        pub priority: Option<i32> = "priority", omit;
        /// Further settings of name look-up.
        pub dns_config: Option<PodDnsConfig> = "dnsConfig", omit;
        /// Further conditions of readiness.
        pub readiness_gates: Vec<PodReadinessGate> = "readinessGates", omit;
        /// Runtime that runs it.
        pub runtime_class_name: Option<String> = "runtimeClassName", omit;
        /// Whether services become environment variables; true by default.
        pub enable_service_links: Option<bool> = "enableServiceLinks", omit;
        /// Whether it may push out others: `PreemptLowerPriority` by default, or `Never`.
        pub preemption_policy: Option<String> = "preemptionPolicy", omit;
        /// What the runtime itself needs.
        pub overhead: BTreeMap<String, Quantity> = "overhead", omit;
        /// How evenly such pods are spread.
        pub topology_spread_constraints: Vec<TopologySpreadConstraint> = "topologySpreadConstraints", omit;
        /// Whether the host name is the full one.
        pub set_hostname_as_fqdn: Option<bool> = "setHostnameAsFQDN", omit;
        /// Operating system it is for.
        pub os: Option<PodOs> = "os", omit;
        /// Whether it has the user ids of the node; true by default.
        pub host_users: Option<bool> = "hostUsers", omit;
        /// Reasons not to place it yet.
        pub scheduling_gates: Vec<PodSchedulingGate> = "schedulingGates", omit;
        /// Claims of devices that containers may use.
        pub resource_claims: Vec<PodResourceClaim> = "resourceClaims", omit;
        /// Resources it needs or may use.
        pub resources: Option<ResourceRequirements> = "resources", omit;
        /// Host name instead of any other.
        pub hostname_override: Option<String> = "hostnameOverride", omit;
        /// Group of pods that it is placed with.
        pub workload_ref: Option<WorkloadReference> = "workloadRef", omit;
    }

    /// An operating system.
    pub struct PodOs ("PodOS") {
        /// `linux` or `windows`.
        pub name: String = "name", keep;
    }

    /// A group of pods that are placed together.
    pub struct WorkloadReference ("WorkloadReference") {
        /// Name of the workload.
        pub name: String = "name", keep;
        /// Name of the group in it.
        pub pod_group: String = "podGroup", keep;
        /// Which copy of the group.
        pub pod_group_replica_key: String = "podGroupReplicaKey", omit;
    }

    /// An entry of the hosts file.
    pub struct HostAlias ("HostAlias") {
        /// Address.
        pub ip: String = "ip", keep;
        /// Its names.
        pub hostnames: Vec<String> = "hostnames", omit;
    }

    /// Settings of name look-up.
    pub struct PodDnsConfig ("PodDNSConfig") {
        /// Addresses of name servers.
        pub nameservers: Vec<String> = "nameservers", omit;
        /// Domains to try.
        pub searches: Vec<String> = "searches", omit;
        /// Options of the resolver.
        pub options: Vec<PodDnsConfigOption> = "options", omit;
    }

    /// An option of the resolver.
    pub struct PodDnsConfigOption ("PodDNSConfigOption") {
        /// Name, unique among its siblings.
        pub name: String = "name", omit;
        /// Value.
        pub value: Option<String> = "value", omit;
    }

    /// A claim of devices: one that exists or one to be made.
    pub struct PodResourceClaim ("PodResourceClaim") {
        /// Name, unique among its siblings.
        pub name: String = "name", keep;
        /// The claim that exists.
        pub resource_claim_name: Option<String> = "resourceClaimName", omit;
        /// The template to make it from.
        pub resource_claim_template_name: Option<String> = "resourceClaimTemplateName", omit;
    }

    /// Which log lines are wanted.
    pub struct PodLogOptions ("PodLogOptions") {
        /// Kind and version of the object.
        pub type_meta: TypeMeta = "", inline;
        /// The container; the only one when empty.
        pub container: String = "container", omit;
        /// Whether to wait for more.
        pub follow: bool = "follow", omit;
        /// Whether those of the container before the last restart are meant.
        pub previous: bool = "previous", omit;
        /// Only those of the last seconds.
        pub since_seconds: Option<i64> = "sinceSeconds", omit;
        /// Only those after this time.
        pub since_time: Option<Time> = "sinceTime", omit;
        /// Whether each line starts with its time.
        pub timestamps: bool = "timestamps", omit;
        /// Only the last lines.
        pub tail_lines: Option<i64> = "tailLines", omit;
        /// At most this many bytes.
        pub limit_bytes: Option<i64> = "limitBytes", omit;
        /// Whether any certificate of the node is accepted.
        pub insecure_skip_tls_verify_backend: bool = "insecureSkipTLSVerifyBackend", omit;
        /// `All` by default, `Stdout` or `Stderr`.
        pub stream: Option<String> = "stream", omit;
    }
}
