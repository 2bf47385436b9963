//! Templates: what one node of a workflow does, with inputs, outputs and loops. Artifacts are in `artifact`.

use std::collections::BTreeMap;

use crate::artifact::{Artifact, ArtifactLocation};
use crate::custom::{AnyString, Bytes, Item, ParallelSteps, Plugin};
use crate::k8s::{
    Affinity, ConfigMapKeySelector, Container, HostAlias, IntOrString, LocalObjectReference,
    PodResourceClaim, PodSecurityContext, ResourceRequirements, SecretKeySelector, Toleration, Volume,
    VolumeMount,
};
use crate::object::objects;
use crate::scalar::List;
use crate::sync::Synchronization;
use crate::text::RetryPolicy;
use crate::workflow::{ExecutorConfig, Metadata, Metrics};

objects! {
    "v1alpha1"

    /// `Template` of the wire form.
    pub struct Template ("Template") {
        /// Key `name`.
        pub name: String = "name", omit;
        /// Key `inputs`.
        pub inputs: Inputs = "inputs", omit;
        /// Key `outputs`.
        pub outputs: Outputs = "outputs", omit;
        /// Key `nodeSelector`.
        pub node_selector: BTreeMap<String, String> = "nodeSelector", omit;
        /// Key `affinity`.
        pub affinity: Option<Box<Affinity>> = "affinity", omit;
        /// Key `metadata`.
        pub metadata: Metadata = "metadata", omit;
        /// Key `daemon`.
        pub daemon: Option<bool> = "daemon", omit;
        /// Key `steps`.
        pub steps: Vec<ParallelSteps> = "steps", omit;
        /// Key `container`.
        pub container: Option<Box<Container>> = "container", omit;
        /// Key `containerSet`.
        pub container_set: Option<Box<ContainerSetTemplate>> = "containerSet", omit;
        /// Key `script`.
        pub script: Option<Box<ScriptTemplate>> = "script", omit;
        /// Key `resource`.
        pub resource: Option<Box<ResourceTemplate>> = "resource", omit;
        /// Key `dag`.
        pub dag: Option<DagTemplate> = "dag", omit;
        /// Key `suspend`.
        pub suspend: Option<SuspendTemplate> = "suspend", omit;
        /// Key `data`.
        pub data: Option<Data> = "data", omit;
        /// Key `http`.
        pub http: Option<Box<Http>> = "http", omit;
        /// Key `plugin`.
        pub plugin: Option<Plugin> = "plugin", omit;
        /// Key `volumes`.
        pub volumes: Vec<Volume> = "volumes", omit;
        /// Key `initContainers`.
        pub init_containers: Vec<UserContainer> = "initContainers", omit;
        /// Key `sidecars`.
        pub sidecars: Vec<UserContainer> = "sidecars", omit;
        /// Key `archiveLocation`.
        pub archive_location: Option<Box<ArtifactLocation>> = "archiveLocation", omit;
        /// Key `activeDeadlineSeconds`.
        pub active_deadline_seconds: Option<IntOrString> = "activeDeadlineSeconds", omit;
        /// Key `retryStrategy`.
        pub retry_strategy: Option<Box<RetryStrategy>> = "retryStrategy", omit;
        /// Key `parallelism`.
        pub parallelism: Option<i64> = "parallelism", omit;
        /// Key `failFast`.
        pub fail_fast: Option<bool> = "failFast", omit;
        /// Key `tolerations`.
        pub tolerations: Vec<Toleration> = "tolerations", omit;
        /// Key `schedulerName`.
        pub scheduler_name: String = "schedulerName", omit;
        /// Key `priorityClassName`.
        pub priority_class_name: String = "priorityClassName", omit;
        /// Key `serviceAccountName`.
        pub service_account_name: String = "serviceAccountName", omit;
        /// Key `automountServiceAccountToken`.
        pub automount_service_account_token: Option<bool> = "automountServiceAccountToken", omit;
        /// Key `executor`.
        pub executor: Option<ExecutorConfig> = "executor", omit;
        /// Key `hostAliases`.
        pub host_aliases: Vec<HostAlias> = "hostAliases", omit;
        /// Key `securityContext`.
        pub security_context: Option<Box<PodSecurityContext>> = "securityContext", omit;
        /// Key `podSpecPatch`.
        pub pod_spec_patch: String = "podSpecPatch", omit;
        /// Key `metrics`.
        pub metrics: Option<Metrics> = "metrics", omit;
        /// Key `synchronization`.
        pub synchronization: Option<Synchronization> = "synchronization", omit;
        /// Key `memoize`.
        pub memoize: Option<Memoize> = "memoize", omit;
        /// Key `timeout`.
        pub timeout: String = "timeout", omit;
        /// Key `annotations`.
        pub annotations: BTreeMap<String, String> = "annotations", omit;
        /// Key `pendingTimeout`.
        pub pending_timeout: String = "pendingTimeout", omit;
        /// Key `podResources`.
        pub pod_resources: Option<ResourceRequirements> = "podResources", omit;
        /// Key `resourceClaims`.
        pub resource_claims: Vec<PodResourceClaim> = "resourceClaims", omit;
    }

    /// `TemplateRef` of the wire form.
    pub struct TemplateRef ("TemplateRef") {
        /// Key `name`.
        pub name: String = "name", omit;
        /// Key `template`.
        pub template: String = "template", omit;
        /// Key `clusterScope`.
        pub cluster_scope: bool = "clusterScope", omit;
    }

    /// `Inputs` of the wire form.
    pub struct Inputs ("Inputs") {
        /// Key `parameters`.
        pub parameters: Vec<Parameter> = "parameters", omit;
        /// Key `artifacts`.
        pub artifacts: Vec<Artifact> = "artifacts", omit;
    }

    /// `Outputs` of the wire form.
    pub struct Outputs ("Outputs") {
        /// Key `parameters`.
        pub parameters: Vec<Parameter> = "parameters", omit;
        /// Key `artifacts`.
        pub artifacts: Vec<Artifact> = "artifacts", omit;
        /// Key `result`.
        pub result: Option<String> = "result", omit;
        /// Key `exitCode`.
        pub exit_code: Option<String> = "exitCode", omit;
    }

    /// `Arguments` of the wire form.
    pub struct Arguments ("Arguments") {
        /// Key `parameters`.
        pub parameters: Vec<Parameter> = "parameters", omit;
        /// Key `artifacts`.
        pub artifacts: Vec<Artifact> = "artifacts", omit;
    }

    /// `Parameter` of the wire form.
    pub struct Parameter ("Parameter") {
        /// Key `name`.
        pub name: String = "name", keep;
        /// Key `default`.
        pub default: Option<AnyString> = "default", omit;
        /// Key `value`.
        pub value: Option<AnyString> = "value", omit;
        /// Key `valueFrom`.
        pub value_from: Option<Box<ValueFrom>> = "valueFrom", omit;
        /// Key `globalName`.
        pub global_name: String = "globalName", omit;
        /// Key `enum`.
        pub enum_: Vec<AnyString> = "enum", omit;
        /// Key `description`.
        pub description: Option<AnyString> = "description", omit;
    }

    /// `ValueFrom` of the wire form.
    pub struct ValueFrom ("ValueFrom") {
        /// Key `path`.
        pub path: String = "path", omit;
        /// Key `jsonPath`.
        pub json_path: String = "jsonPath", omit;
        /// Key `jqFilter`.
        pub jq_filter: String = "jqFilter", omit;
        /// Key `event`.
        pub event: String = "event", omit;
        /// Key `parameter`.
        pub parameter: String = "parameter", omit;
        /// Key `supplied`.
        pub supplied: Option<SuppliedValueFrom> = "supplied", omit;
        /// Key `configMapKeyRef`.
        pub config_map_key_ref: Option<ConfigMapKeySelector> = "configMapKeyRef", omit;
        /// Key `default`.
        pub default: Option<AnyString> = "default", omit;
        /// Key `expression`.
        pub expression: String = "expression", omit;
    }

    /// `SuppliedValueFrom` of the wire form.
    pub struct SuppliedValueFrom ("SuppliedValueFrom") {
    }

    /// `WorkflowStep` of the wire form.
    pub struct WorkflowStep ("WorkflowStep") {
        /// Key `name`.
        pub name: String = "name", omit;
        /// Key `template`.
        pub template: String = "template", omit;
        /// Key `inline`.
        pub inline: Option<Box<Template>> = "inline", omit;
        /// Key `arguments`.
        pub arguments: Arguments = "arguments", omit;
        /// Key `templateRef`.
        pub template_ref: Option<TemplateRef> = "templateRef", omit;
        /// Key `withItems`.
        pub with_items: Vec<Item> = "withItems", omit;
        /// Key `withParam`.
        pub with_param: String = "withParam", omit;
        /// Key `withSequence`.
        pub with_sequence: Option<Sequence> = "withSequence", omit;
        /// Key `when`.
        pub when: String = "when", omit;
        /// Key `continueOn`.
        pub continue_on: Option<ContinueOn> = "continueOn", omit;
        /// Key `onExit`.
        pub on_exit: String = "onExit", omit;
        /// Key `hooks`.
        pub hooks: BTreeMap<String, LifecycleHook> = "hooks", omit;
    }

    /// `DAGTemplate` of the wire form.
    pub struct DagTemplate ("DAGTemplate") {
        /// Key `target`.
        pub target: String = "target", omit;
        /// Key `tasks`.
        pub tasks: List<DagTask> = "tasks", keep;
        /// Key `failFast`.
        pub fail_fast: Option<bool> = "failFast", omit;
    }

    /// `DAGTask` of the wire form.
    pub struct DagTask ("DAGTask") {
        /// Key `name`.
        pub name: String = "name", keep;
        /// Key `template`.
        pub template: String = "template", omit;
        /// Key `inline`.
        pub inline: Option<Box<Template>> = "inline", omit;
        /// Key `arguments`.
        pub arguments: Arguments = "arguments", omit;
        /// Key `templateRef`.
        pub template_ref: Option<TemplateRef> = "templateRef", omit;
        /// Key `dependencies`.
        pub dependencies: Vec<String> = "dependencies", omit;
        /// Key `withItems`.
        pub with_items: Vec<Item> = "withItems", omit;
        /// Key `withParam`.
        pub with_param: String = "withParam", omit;
        /// Key `withSequence`.
        pub with_sequence: Option<Sequence> = "withSequence", omit;
        /// Key `when`.
        pub when: String = "when", omit;
        /// Key `continueOn`.
        pub continue_on: Option<ContinueOn> = "continueOn", omit;
        /// Key `onExit`.
        pub on_exit: String = "onExit", omit;
        /// Key `depends`.
        pub depends: String = "depends", omit;
        /// Key `hooks`.
        pub hooks: BTreeMap<String, LifecycleHook> = "hooks", omit;
    }

    /// `ContinueOn` of the wire form.
    pub struct ContinueOn ("ContinueOn") {
        /// Key `error`.
        pub error: bool = "error", omit;
        /// Key `failed`.
        pub failed: bool = "failed", omit;
    }

    /// `LifecycleHook` of the wire form.
    pub struct LifecycleHook ("LifecycleHook") {
        /// Key `template`.
        pub template: String = "template", omit;
        /// Key `arguments`.
        pub arguments: Arguments = "arguments", omit;
        /// Key `templateRef`.
        pub template_ref: Option<TemplateRef> = "templateRef", omit;
        /// Key `expression`.
        pub expression: String = "expression", omit;
    }

    /// `Sequence` of the wire form.
    pub struct Sequence ("Sequence") {
        /// Key `count`.
        pub count: Option<IntOrString> = "count", omit;
        /// Key `start`.
        pub start: Option<IntOrString> = "start", omit;
        /// Key `end`.
        pub end: Option<IntOrString> = "end", omit;
        /// Key `format`.
        pub format: String = "format", omit;
    }

    /// `ContainerSetTemplate` of the wire form.
    pub struct ContainerSetTemplate ("ContainerSetTemplate") {
        /// Key `containers`.
        pub containers: List<ContainerNode> = "containers", keep;
        /// Key `volumeMounts`.
        pub volume_mounts: Vec<VolumeMount> = "volumeMounts", omit;
        /// Key `retryStrategy`.
        pub retry_strategy: Option<ContainerSetRetryStrategy> = "retryStrategy", omit;
    }

    /// `ContainerSetRetryStrategy` of the wire form.
    pub struct ContainerSetRetryStrategy ("ContainerSetRetryStrategy") {
        /// Key `duration`.
        pub duration: String = "duration", omit;
        /// Key `retries`.
        pub retries: Option<IntOrString> = "retries", keep;
    }

    /// `ContainerNode` of the wire form.
    pub struct ContainerNode ("ContainerNode") {
        /// The keys of this type, which stand directly among the others.
        pub container: Container = "", inline;
        /// Key `dependencies`.
        pub dependencies: Vec<String> = "dependencies", omit;
    }

    /// `UserContainer` of the wire form.
    pub struct UserContainer ("UserContainer") {
        /// The keys of this type, which stand directly among the others.
        pub container: Container = "", inline;
        /// Key `mirrorVolumeMounts`.
        pub mirror_volume_mounts: Option<bool> = "mirrorVolumeMounts", omit;
    }

    /// `ScriptTemplate` of the wire form.
    pub struct ScriptTemplate ("ScriptTemplate") {
        /// The keys of this type, which stand directly among the others.
        pub container: Container = "", inline;
        /// Key `source`.
        pub source: String = "source", keep;
    }

    /// `ResourceTemplate` of the wire form.
    pub struct ResourceTemplate ("ResourceTemplate") {
        /// Key `action`.
        pub action: String = "action", keep;
        /// Key `mergeStrategy`.
        pub merge_strategy: String = "mergeStrategy", omit;
        /// Key `manifest`.
        pub manifest: String = "manifest", omit;
        /// Key `manifestFrom`.
        pub manifest_from: Option<ManifestFrom> = "manifestFrom", omit;
        /// Key `setOwnerReference`.
        pub set_owner_reference: bool = "setOwnerReference", omit;
        /// Key `successCondition`.
        pub success_condition: String = "successCondition", omit;
        /// Key `failureCondition`.
        pub failure_condition: String = "failureCondition", omit;
        /// Key `flags`.
        pub flags: Vec<String> = "flags", omit;
    }

    /// `ManifestFrom` of the wire form.
    pub struct ManifestFrom ("ManifestFrom") {
        /// Key `artifact`.
        pub artifact: Option<Box<Artifact>> = "artifact", keep;
    }

    /// `SuspendTemplate` of the wire form.
    pub struct SuspendTemplate ("SuspendTemplate") {
        /// Key `duration`.
        pub duration: String = "duration", omit;
    }

    /// `Data` of the wire form.
    pub struct Data ("Data") {
        /// Key `source`.
        pub source: DataSource = "source", keep;
        /// Key `transformation`.
        pub transformation: List<TransformationStep> = "transformation", keep;
    }

    /// `TransformationStep` of the wire form.
    pub struct TransformationStep ("TransformationStep") {
        /// Key `expression`.
        pub expression: String = "expression", keep;
    }

    /// `DataSource` of the wire form.
    pub struct DataSource ("DataSource") {
        /// Key `artifactPaths`.
        pub artifact_paths: Option<Box<ArtifactPaths>> = "artifactPaths", omit;
    }

    /// `ArtifactPaths` of the wire form.
    pub struct ArtifactPaths ("ArtifactPaths") {
        /// The keys of this type, which stand directly among the others.
        pub artifact: Artifact = "", inline;
    }

    /// `HTTP` of the wire form.
    pub struct Http ("HTTP") {
        /// Key `method`.
        pub method: String = "method", omit;
        /// Key `url`.
        pub url: String = "url", keep;
        /// Key `headers`.
        pub headers: Vec<HttpHeader> = "headers", omit;
        /// Key `timeoutSeconds`.
        pub timeout_seconds: Option<i64> = "timeoutSeconds", omit;
        /// Key `successCondition`.
        pub success_condition: String = "successCondition", omit;
        /// Key `body`.
        pub body: String = "body", omit;
        /// Key `bodyFrom`.
        pub body_from: Option<HttpBodySource> = "bodyFrom", omit;
        /// Key `insecureSkipVerify`.
        pub insecure_skip_verify: bool = "insecureSkipVerify", omit;
    }

    /// `HTTPHeader` of the wire form.
    pub struct HttpHeader ("HTTPHeader") {
        /// Key `name`.
        pub name: String = "name", keep;
        /// Key `value`.
        pub value: String = "value", omit;
        /// Key `valueFrom`.
        pub value_from: Option<HttpHeaderSource> = "valueFrom", omit;
    }

    /// `HTTPHeaderSource` of the wire form.
    pub struct HttpHeaderSource ("HTTPHeaderSource") {
        /// Key `secretKeyRef`.
        pub secret_key_ref: Option<SecretKeySelector> = "secretKeyRef", omit;
    }

    /// `HTTPBodySource` of the wire form.
    pub struct HttpBodySource ("HTTPBodySource") {
        /// Key `bytes`.
        pub bytes: Bytes = "bytes", omit;
    }

    /// `RetryStrategy` of the wire form.
    pub struct RetryStrategy ("RetryStrategy") {
        /// Key `limit`.
        pub limit: Option<IntOrString> = "limit", omit;
        /// Key `retryPolicy`.
        pub retry_policy: RetryPolicy = "retryPolicy", omit;
        /// Key `backoff`.
        pub backoff: Option<Backoff> = "backoff", omit;
        /// Key `affinity`.
        pub affinity: Option<RetryAffinity> = "affinity", omit;
        /// Key `expression`.
        pub expression: String = "expression", omit;
    }

    /// `Backoff` of the wire form.
    pub struct Backoff ("Backoff") {
        /// Key `duration`.
        pub duration: String = "duration", omit;
        /// Key `factor`.
        pub factor: Option<IntOrString> = "factor", omit;
        /// Key `maxDuration`.
        pub max_duration: String = "maxDuration", omit;
        /// Key `cap`.
        pub cap: String = "cap", omit;
    }

    /// `RetryAffinity` of the wire form.
    pub struct RetryAffinity ("RetryAffinity") {
        /// Key `nodeAntiAffinity`.
        pub node_anti_affinity: Option<RetryNodeAntiAffinity> = "nodeAntiAffinity", omit;
    }

    /// `RetryNodeAntiAffinity` of the wire form.
    pub struct RetryNodeAntiAffinity ("RetryNodeAntiAffinity") {
    }

    /// `Memoize` of the wire form.
    pub struct Memoize ("Memoize") {
        /// Key `key`.
        pub key: String = "key", keep;
        /// Key `cache`.
        pub cache: Option<Cache> = "cache", keep;
        /// Key `maxAge`.
        pub max_age: String = "maxAge", keep;
    }

    /// `Cache` of the wire form.
    pub struct Cache ("Cache") {
        /// Key `configMap`.
        pub config_map: Option<LocalObjectReference> = "configMap", keep;
    }
}
