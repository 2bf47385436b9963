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

    /// A workflow and what it has come to.
    pub struct Workflow ("Workflow") {
        /// Kind and version of the object.
        pub type_meta: TypeMeta = "", inline;
        /// Name, namespace, labels and what else Kubernetes keeps about the object.
        pub metadata: ObjectMeta = "metadata", keep;
        /// What is wanted.
        pub spec: WorkflowSpec = "spec", keep;
        /// What the run has come to; written by the controller.
        pub status: WorkflowStatus = "status", omit;
    }

    /// Several workflows.
    pub struct WorkflowList ("WorkflowList") {
        /// Kind and version of the object.
        pub type_meta: TypeMeta = "", inline;
        /// Name, namespace, labels and what else Kubernetes keeps about the object.
        pub metadata: ListMeta = "metadata", keep;
        /// The objects of the list.
        pub items: List<Workflow> = "items", keep;
    }

    /// What a workflow does, and settings that hold for all its pods.
    pub struct WorkflowSpec ("WorkflowSpec") {
        /// Templates, found by name.
        pub templates: Vec<Template> = "templates", omit;
        /// Name of the template that runs first.
        pub entrypoint: String = "entrypoint", omit;
        /// Values for the inputs of the entry point, also seen everywhere as `workflow.parameters`.
        pub arguments: Arguments = "arguments", omit;
        /// Service account of the pods; empty means `default`.
        pub service_account_name: String = "serviceAccountName", omit;
        /// Whether the token of the service account is mounted.
        pub automount_service_account_token: Option<bool> = "automountServiceAccountToken", omit;
        /// Options of the containers that we add to pods.
        pub executor: Option<ExecutorConfig> = "executor", omit;
        /// Volumes that containers may mount.
        pub volumes: Vec<Volume> = "volumes", omit;
        /// Claims of volumes that are made for this run and deleted after it.
        pub volume_claim_templates: Vec<PersistentVolumeClaim> = "volumeClaimTemplates", omit;
        /// How many pods may run at the same time.
        pub parallelism: Option<i64> = "parallelism", omit;
        /// Where artifacts go that name no place of their own.
        pub artifact_repository_ref: Option<ArtifactRepositoryRef> = "artifactRepositoryRef", omit;
        /// Whether nothing new is started.
        pub suspend: Option<bool> = "suspend", omit;
        /// Labels that a node of the cluster must have.
        pub node_selector: BTreeMap<String, String> = "nodeSelector", omit;
        /// Preferences for nodes of the cluster and for neighbours.
        pub affinity: Option<Box<Affinity>> = "affinity", omit;
        /// Taints of nodes that are tolerated.
        pub tolerations: Vec<Toleration> = "tolerations", omit;
        /// Secrets with credentials for image registries.
        pub image_pull_secrets: Vec<LocalObjectReference> = "imagePullSecrets", omit;
        /// Whether the pod uses the network of the node.
        pub host_network: Option<bool> = "hostNetwork", omit;
        /// Where names are looked up.
        pub dns_policy: Option<String> = "dnsPolicy", omit;
        /// Further settings of name look-up.
        pub dns_config: Option<PodDnsConfig> = "dnsConfig", omit;
        /// Template that runs at the end, whatever came of the workflow.
        pub on_exit: String = "onExit", omit;
        /// When the finished workflow is deleted.
        pub ttl_strategy: Option<TtlStrategy> = "ttlStrategy", omit;
        /// How long it may run, in seconds.
        pub active_deadline_seconds: Option<i64> = "activeDeadlineSeconds", omit;
        /// Order among waiting workflows; higher goes first.
        pub priority: Option<i32> = "priority", omit;
        /// Scheduler of the pods; empty means the cluster's default.
        pub scheduler_name: String = "schedulerName", omit;
        /// When finished pods are deleted.
        pub pod_gc: Option<PodGc> = "podGC", omit;
        /// Priority class of the pods.
        pub pod_priority_class_name: String = "podPriorityClassName", omit;
        /// Further entries for the hosts file.
        pub host_aliases: Vec<HostAlias> = "hostAliases", omit;
        /// Rights of the pod.
        pub security_context: Option<Box<PodSecurityContext>> = "securityContext", omit;
        /// Strategic merge patch (JSON or YAML) that is applied to pods last.
        pub pod_spec_patch: String = "podSpecPatch", omit;
        /// How many pods a drain of nodes may take away.
        pub pod_disruption_budget: Option<Box<PodDisruptionBudgetSpec>> = "podDisruptionBudget", omit;
        /// Metrics to emit.
        pub metrics: Option<Metrics> = "metrics", omit;
        /// Set to end the run early.
        pub shutdown: ShutdownStrategy = "shutdown", omit;
        /// Template that the whole specification comes from.
        pub workflow_template_ref: Option<WorkflowTemplateRef> = "workflowTemplateRef", omit;
        /// Locks that are needed before it runs.
        pub synchronization: Option<Synchronization> = "synchronization", omit;
        /// When the made volume claims are deleted.
        pub volume_claim_gc: Option<VolumeClaimGc> = "volumeClaimGC", omit;
        /// Retry for all templates that have none.
        pub retry_strategy: Option<Box<RetryStrategy>> = "retryStrategy", omit;
        /// Labels and annotations for all pods.
        pub pod_metadata: Option<Metadata> = "podMetadata", omit;
        /// Values for what templates leave open.
        pub template_defaults: Option<Box<Template>> = "templateDefaults", omit;
        /// Whether logs of containers are kept as artifacts.
        pub archive_logs: Option<bool> = "archiveLogs", omit;
        /// Templates that run when their expression becomes true; the key `exit` runs at the end.
        pub hooks: BTreeMap<String, LifecycleHook> = "hooks", omit;
        /// Labels and annotations that the workflow itself gets.
        pub workflow_metadata: Option<WorkflowMetadata> = "workflowMetadata", omit;
        /// When artifacts are deleted.
        pub artifact_gc: Option<Box<WorkflowLevelArtifactGc>> = "artifactGC", omit;
        /// Plugins to run beside the agent.
        pub executor_plugins: Vec<ExecutorPlugin> = "executorPlugins", omit;
        /// Resources for the pod as a whole.
        pub pod_resources: Option<ResourceRequirements> = "podResources", omit;
        /// Claims of devices that containers may use.
        pub resource_claims: Vec<PodResourceClaim> = "resourceClaims", omit;
    }

    /// Labels and annotations that a workflow gets from its own specification.
    pub struct WorkflowMetadata ("WorkflowMetadata") {
        /// Labels.
        pub labels: BTreeMap<String, String> = "labels", omit;
        /// Annotations.
        pub annotations: BTreeMap<String, String> = "annotations", omit;
        /// Labels whose values are expressions.
        pub labels_from: BTreeMap<String, LabelValueFrom> = "labelsFrom", omit;
    }

    /// Where the value of a label comes from.
    pub struct LabelValueFrom ("LabelValueFrom") {
        /// Expression of expr-lang.
        pub expression: String = "expression", keep;
    }

    /// Options of the containers that we add to pods.
    pub struct ExecutorConfig ("ExecutorConfig") {
        /// Service account whose token these containers use.
        pub service_account_name: String = "serviceAccountName", omit;
    }

    /// How long a finished workflow is kept. Unset fields keep it for ever.
    pub struct TtlStrategy ("TTLStrategy") {
        /// Seconds after the end.
        pub seconds_after_completion: Option<i32> = "secondsAfterCompletion", omit;
        /// Seconds after a good end; goes before the general value.
        pub seconds_after_success: Option<i32> = "secondsAfterSuccess", omit;
        /// Seconds after a bad end; goes before the general value.
        pub seconds_after_failure: Option<i32> = "secondsAfterFailure", omit;
    }

    /// When finished pods are deleted.
    pub struct PodGc ("PodGC") {
        /// The event after which pods go.
        pub strategy: PodGcStrategy = "strategy", omit;
        /// Only pods with these labels.
        pub label_selector: Option<LabelSelector> = "labelSelector", omit;
        /// How long to wait first; Go duration text or seconds.
        pub delete_delay_duration: String = "deleteDelayDuration", omit;
    }

    /// When volume claims of a workflow are deleted.
    pub struct VolumeClaimGc ("VolumeClaimGC") {
        /// The event after which claims go; empty means success.
        pub strategy: VolumeClaimGcStrategy = "strategy", omit;
    }

    /// Name of a template object that holds a whole workflow.
    pub struct WorkflowTemplateRef ("WorkflowTemplateRef") {
        /// Name of the template object.
        pub name: String = "name", omit;
        /// Whether it names a ClusterWorkflowTemplate.
        pub cluster_scope: bool = "clusterScope", omit;
    }

    /// A workflow to be used again, for one namespace.
    pub struct WorkflowTemplate ("WorkflowTemplate") {
        /// Kind and version of the object.
        pub type_meta: TypeMeta = "", inline;
        /// Name, namespace, labels and what else Kubernetes keeps about the object.
        pub metadata: ObjectMeta = "metadata", keep;
        /// What is wanted.
        pub spec: WorkflowSpec = "spec", keep;
    }

    /// Several templates.
    pub struct WorkflowTemplateList ("WorkflowTemplateList") {
        /// Kind and version of the object.
        pub type_meta: TypeMeta = "", inline;
        /// Name, namespace, labels and what else Kubernetes keeps about the object.
        pub metadata: ListMeta = "metadata", keep;
        /// The objects of the list.
        pub items: List<WorkflowTemplate> = "items", keep;
    }

    /// A workflow to be used again, for all namespaces.
    pub struct ClusterWorkflowTemplate ("ClusterWorkflowTemplate") {
        /// Kind and version of the object.
        pub type_meta: TypeMeta = "", inline;
        /// Name, namespace, labels and what else Kubernetes keeps about the object.
        pub metadata: ObjectMeta = "metadata", keep;
        /// What is wanted.
        pub spec: WorkflowSpec = "spec", keep;
    }

    /// Several templates of the cluster.
    pub struct ClusterWorkflowTemplateList ("ClusterWorkflowTemplateList") {
        /// Kind and version of the object.
        pub type_meta: TypeMeta = "", inline;
        /// Name, namespace, labels and what else Kubernetes keeps about the object.
        pub metadata: ListMeta = "metadata", keep;
        /// The objects of the list.
        pub items: List<ClusterWorkflowTemplate> = "items", keep;
    }

    /// A plugin that runs beside the agent.
    pub struct ExecutorPlugin ("ExecutorPlugin") {
        /// Name, namespace, labels and what else Kubernetes keeps about the object.
        pub metadata: ObjectMeta = "metadata", keep;
        /// What is wanted.
        pub spec: ExecutorPluginSpec = "spec", keep;
    }

    /// How a plugin is run.
    pub struct ExecutorPluginSpec ("ExecutorPluginSpec") {
        /// Its container.
        pub sidecar: ExecutorPluginSidecar = "sidecar", keep;
    }

    /// Container of a plugin.
    pub struct ExecutorPluginSidecar ("ExecutorPluginSidecar") {
        /// Whether the token of the service account is mounted.
        pub automount_service_account_token: bool = "automountServiceAccountToken", omit;
        /// The container.
        pub container: Container = "container", keep;
    }

    /// Labels and annotations for pods.
    pub struct Metadata ("Metadata") {
        /// Annotations.
        pub annotations: BTreeMap<String, String> = "annotations", omit;
        /// Labels.
        pub labels: BTreeMap<String, String> = "labels", omit;
    }

    /// Metrics that a workflow or template emits.
    pub struct Metrics ("Metrics") {
        /// The metrics.
        pub prometheus: List<Prometheus> = "prometheus", keep;
    }

    /// One metric, with exactly one of gauge, histogram and counter.
    pub struct Prometheus ("Prometheus") {
        /// Name of the metric, without our prefix.
        pub name: String = "name", keep;
        /// Labels of the metric, with values that may hold variables.
        pub labels: Vec<MetricLabel> = "labels", omit;
        /// Text that explains the metric.
        pub help: String = "help", keep;
        /// Condition for emitting.
        pub when: String = "when", omit;
        /// A value that goes up and down.
        pub gauge: Option<Gauge> = "gauge", omit;
        /// A value that is counted by size.
        pub histogram: Option<Histogram> = "histogram", omit;
        /// A value that only grows.
        pub counter: Option<Counter> = "counter", omit;
    }

    /// One label of a metric.
    pub struct MetricLabel ("MetricLabel") {
        /// Key.
        pub key: String = "key", keep;
        /// Value.
        pub value: String = "value", keep;
    }

    /// A value that goes up and down.
    pub struct Gauge ("Gauge") {
        /// The number, or variables that give it.
        pub value: String = "value", keep;
        /// Whether the value is kept up to date while the node runs.
        pub realtime: Option<bool> = "realtime", keep;
        /// What to do with the value; `Set` when empty.
        pub operation: GaugeOperation = "operation", omit;
    }

    /// A value that is counted by size.
    pub struct Histogram ("Histogram") {
        /// The number, or variables that give it.
        pub value: String = "value", keep;
        /// Upper bounds of the buckets, ascending.
        pub buckets: List<Amount> = "buckets", keep;
    }

    /// A value that only grows.
    pub struct Counter ("Counter") {
        /// What to add, or variables that give it.
        pub value: String = "value", keep;
    }
}
