//! Workflows and their templates as objects: metadata, specification and what belongs to the whole workflow.
//! What a single template holds is in `template`, what a run has come to in `status`.

use std::collections::BTreeMap;

use crate::artifact::WorkflowLevelArtifactGc;
use crate::custom::Amount;
use crate::k8s::{
    Affinity, Container, HostAlias, LabelSelector, ListMeta, LocalObjectReference, ObjectMeta,
    PersistentVolumeClaim, PodDisruptionBudgetSpec, PodDnsConfig, PodResourceClaim, PodSecurityContext,
    ResourceRequirements, Toleration, TypeMeta, Volume,
};
use crate::object::objects;
use crate::repository::ArtifactRepositoryRef;
use crate::scalar::List;
use crate::status::WorkflowStatus;
use crate::sync::Synchronization;
use crate::template::{Arguments, LifecycleHook, RetryStrategy, Template};
use crate::text::{GaugeOperation, PodGcStrategy, ShutdownStrategy, VolumeClaimGcStrategy};

objects! {
    "v1alpha1"

    /// `Workflow` of the wire form.
    pub struct Workflow ("Workflow") {
        /// The keys of this type, which stand directly among the others.
        pub type_meta: TypeMeta = "", inline;
        /// Key `metadata`.
        pub metadata: ObjectMeta = "metadata", keep;
        /// Key `spec`.
        pub spec: WorkflowSpec = "spec", keep;
        /// Key `status`.
        pub status: WorkflowStatus = "status", omit;
    }

    /// `WorkflowList` of the wire form.
    pub struct WorkflowList ("WorkflowList") {
        /// The keys of this type, which stand directly among the others.
        pub type_meta: TypeMeta = "", inline;
        /// Key `metadata`.
        pub metadata: ListMeta = "metadata", keep;
        /// Key `items`.
        pub items: List<Workflow> = "items", keep;
    }

    /// `WorkflowSpec` of the wire form.
    pub struct WorkflowSpec ("WorkflowSpec") {
        /// Key `templates`.
        pub templates: Vec<Template> = "templates", omit;
        /// Key `entrypoint`.
        pub entrypoint: String = "entrypoint", omit;
        /// Key `arguments`.
        pub arguments: Arguments = "arguments", omit;
        /// Key `serviceAccountName`.
        pub service_account_name: String = "serviceAccountName", omit;
        /// Key `automountServiceAccountToken`.
        pub automount_service_account_token: Option<bool> = "automountServiceAccountToken", omit;
        /// Key `executor`.
        pub executor: Option<ExecutorConfig> = "executor", omit;
        /// Key `volumes`.
        pub volumes: Vec<Volume> = "volumes", omit;
        /// Key `volumeClaimTemplates`.
        pub volume_claim_templates: Vec<PersistentVolumeClaim> = "volumeClaimTemplates", omit;
        /// Key `parallelism`.
        pub parallelism: Option<i64> = "parallelism", omit;
        /// Key `artifactRepositoryRef`.
        pub artifact_repository_ref: Option<ArtifactRepositoryRef> = "artifactRepositoryRef", omit;
        /// Key `suspend`.
        pub suspend: Option<bool> = "suspend", omit;
        /// Key `nodeSelector`.
        pub node_selector: BTreeMap<String, String> = "nodeSelector", omit;
        /// Key `affinity`.
        pub affinity: Option<Box<Affinity>> = "affinity", omit;
        /// Key `tolerations`.
        pub tolerations: Vec<Toleration> = "tolerations", omit;
        /// Key `imagePullSecrets`.
        pub image_pull_secrets: Vec<LocalObjectReference> = "imagePullSecrets", omit;
        /// Key `hostNetwork`.
        pub host_network: Option<bool> = "hostNetwork", omit;
        /// Key `dnsPolicy`.
        pub dns_policy: Option<String> = "dnsPolicy", omit;
        /// Key `dnsConfig`.
        pub dns_config: Option<PodDnsConfig> = "dnsConfig", omit;
        /// Key `onExit`.
        pub on_exit: String = "onExit", omit;
        /// Key `ttlStrategy`.
        pub ttl_strategy: Option<TtlStrategy> = "ttlStrategy", omit;
        /// Key `activeDeadlineSeconds`.
        pub active_deadline_seconds: Option<i64> = "activeDeadlineSeconds", omit;
        /// Key `priority`.
        pub priority: Option<i32> = "priority", omit;
        /// Key `schedulerName`.
        pub scheduler_name: String = "schedulerName", omit;
        /// Key `podGC`.
        pub pod_gc: Option<PodGc> = "podGC", omit;
        /// Key `podPriorityClassName`.
        pub pod_priority_class_name: String = "podPriorityClassName", omit;
        /// Key `hostAliases`.
        pub host_aliases: Vec<HostAlias> = "hostAliases", omit;
        /// Key `securityContext`.
        pub security_context: Option<Box<PodSecurityContext>> = "securityContext", omit;
        /// Key `podSpecPatch`.
        pub pod_spec_patch: String = "podSpecPatch", omit;
        /// Key `podDisruptionBudget`.
        pub pod_disruption_budget: Option<Box<PodDisruptionBudgetSpec>> = "podDisruptionBudget", omit;
        /// Key `metrics`.
        pub metrics: Option<Metrics> = "metrics", omit;
        /// Key `shutdown`.
        pub shutdown: ShutdownStrategy = "shutdown", omit;
        /// Key `workflowTemplateRef`.
        pub workflow_template_ref: Option<WorkflowTemplateRef> = "workflowTemplateRef", omit;
        /// Key `synchronization`.
        pub synchronization: Option<Synchronization> = "synchronization", omit;
        /// Key `volumeClaimGC`.
        pub volume_claim_gc: Option<VolumeClaimGc> = "volumeClaimGC", omit;
        /// Key `retryStrategy`.
        pub retry_strategy: Option<Box<RetryStrategy>> = "retryStrategy", omit;
        /// Key `podMetadata`.
        pub pod_metadata: Option<Metadata> = "podMetadata", omit;
        /// Key `templateDefaults`.
        pub template_defaults: Option<Box<Template>> = "templateDefaults", omit;
        /// Key `archiveLogs`.
        pub archive_logs: Option<bool> = "archiveLogs", omit;
        /// Key `hooks`.
        pub hooks: BTreeMap<String, LifecycleHook> = "hooks", omit;
        /// Key `workflowMetadata`.
        pub workflow_metadata: Option<WorkflowMetadata> = "workflowMetadata", omit;
        /// Key `artifactGC`.
        pub artifact_gc: Option<Box<WorkflowLevelArtifactGc>> = "artifactGC", omit;
        /// Key `executorPlugins`.
        pub executor_plugins: Vec<ExecutorPlugin> = "executorPlugins", omit;
        /// Key `podResources`.
        pub pod_resources: Option<ResourceRequirements> = "podResources", omit;
        /// Key `resourceClaims`.
        pub resource_claims: Vec<PodResourceClaim> = "resourceClaims", omit;
    }

    /// `WorkflowMetadata` of the wire form.
    pub struct WorkflowMetadata ("WorkflowMetadata") {
        /// Key `labels`.
        pub labels: BTreeMap<String, String> = "labels", omit;
        /// Key `annotations`.
        pub annotations: BTreeMap<String, String> = "annotations", omit;
        /// Key `labelsFrom`.
        pub labels_from: BTreeMap<String, LabelValueFrom> = "labelsFrom", omit;
    }

    /// `LabelValueFrom` of the wire form.
    pub struct LabelValueFrom ("LabelValueFrom") {
        /// Key `expression`.
        pub expression: String = "expression", keep;
    }

    /// `ExecutorConfig` of the wire form.
    pub struct ExecutorConfig ("ExecutorConfig") {
        /// Key `serviceAccountName`.
        pub service_account_name: String = "serviceAccountName", omit;
    }

    /// `TTLStrategy` of the wire form.
    pub struct TtlStrategy ("TTLStrategy") {
        /// Key `secondsAfterCompletion`.
        pub seconds_after_completion: Option<i32> = "secondsAfterCompletion", omit;
        /// Key `secondsAfterSuccess`.
        pub seconds_after_success: Option<i32> = "secondsAfterSuccess", omit;
        /// Key `secondsAfterFailure`.
        pub seconds_after_failure: Option<i32> = "secondsAfterFailure", omit;
    }

    /// `PodGC` of the wire form.
    pub struct PodGc ("PodGC") {
        /// Key `strategy`.
        pub strategy: PodGcStrategy = "strategy", omit;
        /// Key `labelSelector`.
        pub label_selector: Option<LabelSelector> = "labelSelector", omit;
        /// Key `deleteDelayDuration`.
        pub delete_delay_duration: String = "deleteDelayDuration", omit;
    }

    /// `VolumeClaimGC` of the wire form.
    pub struct VolumeClaimGc ("VolumeClaimGC") {
        /// Key `strategy`.
        pub strategy: VolumeClaimGcStrategy = "strategy", omit;
    }

    /// `WorkflowTemplateRef` of the wire form.
    pub struct WorkflowTemplateRef ("WorkflowTemplateRef") {
        /// Key `name`.
        pub name: String = "name", omit;
        /// Key `clusterScope`.
        pub cluster_scope: bool = "clusterScope", omit;
    }

    /// `WorkflowTemplate` of the wire form.
    pub struct WorkflowTemplate ("WorkflowTemplate") {
        /// The keys of this type, which stand directly among the others.
        pub type_meta: TypeMeta = "", inline;
        /// Key `metadata`.
        pub metadata: ObjectMeta = "metadata", keep;
        /// Key `spec`.
        pub spec: WorkflowSpec = "spec", keep;
    }

    /// `WorkflowTemplateList` of the wire form.
    pub struct WorkflowTemplateList ("WorkflowTemplateList") {
        /// The keys of this type, which stand directly among the others.
        pub type_meta: TypeMeta = "", inline;
        /// Key `metadata`.
        pub metadata: ListMeta = "metadata", keep;
        /// Key `items`.
        pub items: List<WorkflowTemplate> = "items", keep;
    }

    /// `ClusterWorkflowTemplate` of the wire form.
    pub struct ClusterWorkflowTemplate ("ClusterWorkflowTemplate") {
        /// The keys of this type, which stand directly among the others.
        pub type_meta: TypeMeta = "", inline;
        /// Key `metadata`.
        pub metadata: ObjectMeta = "metadata", keep;
        /// Key `spec`.
        pub spec: WorkflowSpec = "spec", keep;
    }

    /// `ClusterWorkflowTemplateList` of the wire form.
    pub struct ClusterWorkflowTemplateList ("ClusterWorkflowTemplateList") {
        /// The keys of this type, which stand directly among the others.
        pub type_meta: TypeMeta = "", inline;
        /// Key `metadata`.
        pub metadata: ListMeta = "metadata", keep;
        /// Key `items`.
        pub items: List<ClusterWorkflowTemplate> = "items", keep;
    }

    /// `ExecutorPlugin` of the wire form.
    pub struct ExecutorPlugin ("ExecutorPlugin") {
        /// Key `metadata`.
        pub metadata: ObjectMeta = "metadata", keep;
        /// Key `spec`.
        pub spec: ExecutorPluginSpec = "spec", keep;
    }

    /// `ExecutorPluginSpec` of the wire form.
    pub struct ExecutorPluginSpec ("ExecutorPluginSpec") {
        /// Key `sidecar`.
        pub sidecar: ExecutorPluginSidecar = "sidecar", keep;
    }

    /// `ExecutorPluginSidecar` of the wire form.
    pub struct ExecutorPluginSidecar ("ExecutorPluginSidecar") {
        /// Key `automountServiceAccountToken`.
        pub automount_service_account_token: bool = "automountServiceAccountToken", omit;
        /// Key `container`.
        pub container: Container = "container", keep;
    }

    /// `Metadata` of the wire form.
    pub struct Metadata ("Metadata") {
        /// Key `annotations`.
        pub annotations: BTreeMap<String, String> = "annotations", omit;
        /// Key `labels`.
        pub labels: BTreeMap<String, String> = "labels", omit;
    }

    /// `Metrics` of the wire form.
    pub struct Metrics ("Metrics") {
        /// Key `prometheus`.
        pub prometheus: List<Prometheus> = "prometheus", keep;
    }

    /// `Prometheus` of the wire form.
    pub struct Prometheus ("Prometheus") {
        /// Key `name`.
        pub name: String = "name", keep;
        /// Key `labels`.
        pub labels: Vec<MetricLabel> = "labels", omit;
        /// Key `help`.
        pub help: String = "help", keep;
        /// Key `when`.
        pub when: String = "when", omit;
        /// Key `gauge`.
        pub gauge: Option<Gauge> = "gauge", omit;
        /// Key `histogram`.
        pub histogram: Option<Histogram> = "histogram", omit;
        /// Key `counter`.
        pub counter: Option<Counter> = "counter", omit;
    }

    /// `MetricLabel` of the wire form.
    pub struct MetricLabel ("MetricLabel") {
        /// Key `key`.
        pub key: String = "key", keep;
        /// Key `value`.
        pub value: String = "value", keep;
    }

    /// `Gauge` of the wire form.
    pub struct Gauge ("Gauge") {
        /// Key `value`.
        pub value: String = "value", keep;
        /// Key `realtime`.
        pub realtime: Option<bool> = "realtime", keep;
        /// Key `operation`.
        pub operation: GaugeOperation = "operation", omit;
    }

    /// `Histogram` of the wire form.
    pub struct Histogram ("Histogram") {
        /// Key `value`.
        pub value: String = "value", keep;
        /// Key `buckets`.
        pub buckets: List<Amount> = "buckets", keep;
    }

    /// `Counter` of the wire form.
    pub struct Counter ("Counter") {
        /// Key `value`.
        pub value: String = "value", keep;
    }
}
