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

    /// `Pod` of the wire form.
    pub struct Pod ("Pod") {
        /// The keys of this type, which stand directly among the others.
        pub type_meta: TypeMeta = "", inline;
        /// Key `metadata`.
        pub metadata: ObjectMeta = "metadata", omit;
        /// Key `spec`.
        pub spec: PodSpec = "spec", omit;
        /// Key `status`.
        pub status: PodStatus = "status", omit;
    }

    /// `PodSpec` of the wire form.
    pub struct PodSpec ("PodSpec") {
        /// Key `volumes`.
        pub volumes: Vec<Volume> = "volumes", omit;
        /// Key `initContainers`.
        pub init_containers: Vec<Container> = "initContainers", omit;
        /// Key `containers`.
        pub containers: List<Container> = "containers", keep;
        /// Key `ephemeralContainers`.
        pub ephemeral_containers: Vec<EphemeralContainer> = "ephemeralContainers", omit;
        /// Key `restartPolicy`.
        pub restart_policy: String = "restartPolicy", omit;
        /// Key `terminationGracePeriodSeconds`.
        pub termination_grace_period_seconds: Option<i64> = "terminationGracePeriodSeconds", omit;
        /// Key `activeDeadlineSeconds`.
        pub active_deadline_seconds: Option<i64> = "activeDeadlineSeconds", omit;
        /// Key `dnsPolicy`.
        pub dns_policy: String = "dnsPolicy", omit;
        /// Key `nodeSelector`.
        pub node_selector: BTreeMap<String, String> = "nodeSelector", omit;
        /// Key `serviceAccountName`.
        pub service_account_name: String = "serviceAccountName", omit;
        /// Key `serviceAccount`.
        pub service_account: String = "serviceAccount", omit;
        /// Key `automountServiceAccountToken`.
        pub automount_service_account_token: Option<bool> = "automountServiceAccountToken", omit;
        /// Key `nodeName`.
        pub node_name: String = "nodeName", omit;
        /// Key `hostNetwork`.
        pub host_network: bool = "hostNetwork", omit;
        /// Key `hostPID`.
        pub host_pid: bool = "hostPID", omit;
        /// Key `hostIPC`.
        pub host_ipc: bool = "hostIPC", omit;
        /// Key `shareProcessNamespace`.
        pub share_process_namespace: Option<bool> = "shareProcessNamespace", omit;
        /// Key `securityContext`.
        pub security_context: Option<Box<PodSecurityContext>> = "securityContext", omit;
        /// Key `imagePullSecrets`.
        pub image_pull_secrets: Vec<LocalObjectReference> = "imagePullSecrets", omit;
        /// Key `hostname`.
        pub hostname: String = "hostname", omit;
        /// Key `subdomain`.
        pub subdomain: String = "subdomain", omit;
        /// Key `affinity`.
        pub affinity: Option<Box<Affinity>> = "affinity", omit;
        /// Key `schedulerName`.
        pub scheduler_name: String = "schedulerName", omit;
        /// Key `tolerations`.
        pub tolerations: Vec<Toleration> = "tolerations", omit;
        /// Key `hostAliases`.
        pub host_aliases: Vec<HostAlias> = "hostAliases", omit;
        /// Key `priorityClassName`.
        pub priority_class_name: String = "priorityClassName", omit;
        /// Key `priority`.
        pub priority: Option<i32> = "priority", omit;
        /// Key `dnsConfig`.
        pub dns_config: Option<PodDnsConfig> = "dnsConfig", omit;
        /// Key `readinessGates`.
        pub readiness_gates: Vec<PodReadinessGate> = "readinessGates", omit;
        /// Key `runtimeClassName`.
        pub runtime_class_name: Option<String> = "runtimeClassName", omit;
        /// Key `enableServiceLinks`.
        pub enable_service_links: Option<bool> = "enableServiceLinks", omit;
        /// Key `preemptionPolicy`.
        pub preemption_policy: Option<String> = "preemptionPolicy", omit;
        /// Key `overhead`.
        pub overhead: BTreeMap<String, Quantity> = "overhead", omit;
        /// Key `topologySpreadConstraints`.
        pub topology_spread_constraints: Vec<TopologySpreadConstraint> = "topologySpreadConstraints", omit;
        /// Key `setHostnameAsFQDN`.
        pub set_hostname_as_fqdn: Option<bool> = "setHostnameAsFQDN", omit;
        /// Key `os`.
        pub os: Option<PodOs> = "os", omit;
        /// Key `hostUsers`.
        pub host_users: Option<bool> = "hostUsers", omit;
        /// Key `schedulingGates`.
        pub scheduling_gates: Vec<PodSchedulingGate> = "schedulingGates", omit;
        /// Key `resourceClaims`.
        pub resource_claims: Vec<PodResourceClaim> = "resourceClaims", omit;
        /// Key `resources`.
        pub resources: Option<ResourceRequirements> = "resources", omit;
        /// Key `hostnameOverride`.
        pub hostname_override: Option<String> = "hostnameOverride", omit;
        /// Key `workloadRef`.
        pub workload_ref: Option<WorkloadReference> = "workloadRef", omit;
    }

    /// `PodOS` of the wire form.
    pub struct PodOs ("PodOS") {
        /// Key `name`.
        pub name: String = "name", keep;
    }

    /// `WorkloadReference` of the wire form.
    pub struct WorkloadReference ("WorkloadReference") {
        /// Key `name`.
        pub name: String = "name", keep;
        /// Key `podGroup`.
        pub pod_group: String = "podGroup", keep;
        /// Key `podGroupReplicaKey`.
        pub pod_group_replica_key: String = "podGroupReplicaKey", omit;
    }

    /// `HostAlias` of the wire form.
    pub struct HostAlias ("HostAlias") {
        /// Key `ip`.
        pub ip: String = "ip", keep;
        /// Key `hostnames`.
        pub hostnames: Vec<String> = "hostnames", omit;
    }

    /// `PodDNSConfig` of the wire form.
    pub struct PodDnsConfig ("PodDNSConfig") {
        /// Key `nameservers`.
        pub nameservers: Vec<String> = "nameservers", omit;
        /// Key `searches`.
        pub searches: Vec<String> = "searches", omit;
        /// Key `options`.
        pub options: Vec<PodDnsConfigOption> = "options", omit;
    }

    /// `PodDNSConfigOption` of the wire form.
    pub struct PodDnsConfigOption ("PodDNSConfigOption") {
        /// Key `name`.
        pub name: String = "name", omit;
        /// Key `value`.
        pub value: Option<String> = "value", omit;
    }

    /// `PodResourceClaim` of the wire form.
    pub struct PodResourceClaim ("PodResourceClaim") {
        /// Key `name`.
        pub name: String = "name", keep;
        /// Key `resourceClaimName`.
        pub resource_claim_name: Option<String> = "resourceClaimName", omit;
        /// Key `resourceClaimTemplateName`.
        pub resource_claim_template_name: Option<String> = "resourceClaimTemplateName", omit;
    }

    /// `PodLogOptions` of the wire form.
    pub struct PodLogOptions ("PodLogOptions") {
        /// The keys of this type, which stand directly among the others.
        pub type_meta: TypeMeta = "", inline;
        /// Key `container`.
        pub container: String = "container", omit;
        /// Key `follow`.
        pub follow: bool = "follow", omit;
        /// Key `previous`.
        pub previous: bool = "previous", omit;
        /// Key `sinceSeconds`.
        pub since_seconds: Option<i64> = "sinceSeconds", omit;
        /// Key `sinceTime`.
        pub since_time: Option<Time> = "sinceTime", omit;
        /// Key `timestamps`.
        pub timestamps: bool = "timestamps", omit;
        /// Key `tailLines`.
        pub tail_lines: Option<i64> = "tailLines", omit;
        /// Key `limitBytes`.
        pub limit_bytes: Option<i64> = "limitBytes", omit;
        /// Key `insecureSkipTLSVerifyBackend`.
        pub insecure_skip_tls_verify_backend: bool = "insecureSkipTLSVerifyBackend", omit;
        /// Key `stream`.
        pub stream: Option<String> = "stream", omit;
    }
}
