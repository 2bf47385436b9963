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

    /// One thing to do. Exactly one of the kinds (container, steps, dag, …) is set.
    pub struct Template ("Template") {
        /// Name, unique among its siblings.
        pub name: String = "name", omit;
        /// Values and files that it takes.
        pub inputs: Inputs = "inputs", omit;
        /// Values and files that it gave.
        pub outputs: Outputs = "outputs", omit;
        /// Labels that a node of the cluster must have.
        pub node_selector: BTreeMap<String, String> = "nodeSelector", omit;
        /// Preferences for nodes of the cluster and for neighbours.
        pub affinity: Option<Box<Affinity>> = "affinity", omit;
        /// Labels and annotations for its pod.
        pub metadata: Metadata = "metadata", omit;
        /// Whether the node counts as done once its container is ready, and runs on.
        pub daemon: Option<bool> = "daemon", omit;
        /// Groups of steps; groups run one after the other, the steps of a group at the same time.
        pub steps: Vec<ParallelSteps> = "steps", omit;
        /// Kind: run a container.
        pub container: Option<Box<Container>> = "container", omit;
        /// Kind: run several containers of one pod, in an order.
        pub container_set: Option<Box<ContainerSetTemplate>> = "containerSet", omit;
        /// Kind: run a script in a container.
        pub script: Option<Box<ScriptTemplate>> = "script", omit;
        /// Kind: make or change an object of the cluster.
        pub resource: Option<Box<ResourceTemplate>> = "resource", omit;
        /// Kind: run tasks by their dependencies.
        pub dag: Option<DagTemplate> = "dag", omit;
        /// Kind: wait for a time or for someone.
        pub suspend: Option<SuspendTemplate> = "suspend", omit;
        /// Kind: make a list from artifacts.
        pub data: Option<Data> = "data", omit;
        /// Kind: send an HTTP request.
        pub http: Option<Box<Http>> = "http", omit;
        /// Kind: leave it to a plugin.
        pub plugin: Option<Plugin> = "plugin", omit;
        /// Volumes that containers may mount.
        pub volumes: Vec<Volume> = "volumes", omit;
        /// Containers that run before the main one.
        pub init_containers: Vec<UserContainer> = "initContainers", omit;
        /// Containers that run beside the main one and end with it.
        pub sidecars: Vec<UserContainer> = "sidecars", omit;
        /// Where artifacts and logs go that name no place of their own.
        pub archive_location: Option<Box<ArtifactLocation>> = "archiveLocation", omit;
        /// How long its pod may run, in seconds; may be a variable.
        pub active_deadline_seconds: Option<IntOrString> = "activeDeadlineSeconds", omit;
        /// When and how often to try again.
        pub retry_strategy: Option<Box<RetryStrategy>> = "retryStrategy", omit;
        /// How many children may run at the same time.
        pub parallelism: Option<i64> = "parallelism", omit;
        /// Whether a failed child of a loop stops the others.
        pub fail_fast: Option<bool> = "failFast", omit;
        /// Taints of nodes that are tolerated.
        pub tolerations: Vec<Toleration> = "tolerations", omit;
        /// Scheduler of the pods; empty means the cluster's default.
        pub scheduler_name: String = "schedulerName", omit;
        /// Priority class of the pods.
        pub priority_class_name: String = "priorityClassName", omit;
        /// Service account of the pods; empty means `default`.
        pub service_account_name: String = "serviceAccountName", omit;
        /// Whether the token of the service account is mounted.
        pub automount_service_account_token: Option<bool> = "automountServiceAccountToken", omit;
        /// Options of the containers that we add to pods.
        pub executor: Option<ExecutorConfig> = "executor", omit;
        /// Further entries for the hosts file.
        pub host_aliases: Vec<HostAlias> = "hostAliases", omit;
        /// Rights of the pod.
        pub security_context: Option<Box<PodSecurityContext>> = "securityContext", omit;
        /// Strategic merge patch (JSON or YAML) that is applied to pods last.
        pub pod_spec_patch: String = "podSpecPatch", omit;
        /// Metrics to emit.
        pub metrics: Option<Metrics> = "metrics", omit;
        /// Locks that are needed before it runs.
        pub synchronization: Option<Synchronization> = "synchronization", omit;
        /// Whether earlier results may be used again.
        pub memoize: Option<Memoize> = "memoize", omit;
        /// How long the node may take with all its waiting, as Go duration text.
        pub timeout: String = "timeout", omit;
        /// Annotations of the node, such as its display name.
        pub annotations: BTreeMap<String, String> = "annotations", omit;
        /// How long its pod may stay pending, as Go duration text.
        pub pending_timeout: String = "pendingTimeout", omit;
        /// Resources for the pod as a whole.
        pub pod_resources: Option<ResourceRequirements> = "podResources", omit;
        /// Claims of devices that containers may use.
        pub resource_claims: Vec<PodResourceClaim> = "resourceClaims", omit;
    }

    /// Name of a template in another object.
    pub struct TemplateRef ("TemplateRef") {
        /// Name of the object.
        pub name: String = "name", omit;
        /// Name of the template.
        pub template: String = "template", omit;
        /// Whether it names a ClusterWorkflowTemplate.
        pub cluster_scope: bool = "clusterScope", omit;
    }

    /// What a template takes.
    pub struct Inputs ("Inputs") {
        /// Parameters.
        pub parameters: Vec<Parameter> = "parameters", omit;
        /// Artifacts.
        pub artifacts: Vec<Artifact> = "artifacts", omit;
    }

    /// What a node gave.
    pub struct Outputs ("Outputs") {
        /// Parameters.
        pub parameters: Vec<Parameter> = "parameters", omit;
        /// Artifacts.
        pub artifacts: Vec<Artifact> = "artifacts", omit;
        /// Standard output of a script or container, at most 256 KiB, without its last line break.
        pub result: Option<String> = "result", omit;
        /// Exit code of the main container, as text.
        pub exit_code: Option<String> = "exitCode", omit;
    }

    /// Values for inputs.
    pub struct Arguments ("Arguments") {
        /// Parameters.
        pub parameters: Vec<Parameter> = "parameters", omit;
        /// Artifacts.
        pub artifacts: Vec<Artifact> = "artifacts", omit;
    }

    /// A named text.
    pub struct Parameter ("Parameter") {
        /// Name, unique among its siblings.
        pub name: String = "name", keep;
        /// Value if no other is given.
        pub default: Option<AnyString> = "default", omit;
        /// The value; goes before the default.
        pub value: Option<AnyString> = "value", omit;
        /// Where the value comes from.
        pub value_from: Option<Box<ValueFrom>> = "valueFrom", omit;
        /// Name under which an output is seen by the whole workflow.
        pub global_name: String = "globalName", omit;
        /// The only values allowed.
        pub enum_: List<AnyString> = "enum", omit;
        /// What it is for.
        pub description: Option<AnyString> = "description", omit;
    }

    /// Where a value comes from. One source, and a default for when it fails.
    pub struct ValueFrom ("ValueFrom") {
        /// File in the container.
        pub path: String = "path", omit;
        /// JSON path into an object, for resource templates.
        pub json_path: String = "jsonPath", omit;
        /// Filter of jq over an object, for resource templates.
        pub jq_filter: String = "jqFilter", omit;
        /// Expression over an event.
        pub event: String = "event", omit;
        /// Another parameter, as a variable.
        pub parameter: String = "parameter", omit;
        /// Someone gives it while the node is suspended.
        pub supplied: Option<SuppliedValueFrom> = "supplied", omit;
        /// Key of a ConfigMap.
        pub config_map_key_ref: Option<ConfigMapKeySelector> = "configMapKeyRef", omit;
        /// Value if the source gives none.
        pub default: Option<AnyString> = "default", omit;
        /// Expression of expr-lang.
        pub expression: String = "expression", omit;
    }

    /// Someone gives the value from outside. Has no settings.
    pub struct SuppliedValueFrom ("SuppliedValueFrom") {
    }

    /// One step of a group.
    pub struct WorkflowStep ("WorkflowStep") {
        /// Name, unique among its siblings.
        pub name: String = "name", omit;
        /// Name of the template.
        pub template: String = "template", omit;
        /// The template itself, in place of a name.
        pub inline: Option<Box<Template>> = "inline", omit;
        /// Values for the inputs of the template.
        pub arguments: Arguments = "arguments", omit;
        /// A template of another object to run instead of one of this workflow.
        pub template_ref: Option<TemplateRef> = "templateRef", omit;
        /// Items to loop over.
        pub with_items: Vec<Item> = "withItems", omit;
        /// JSON list to loop over, usually from a variable.
        pub with_param: String = "withParam", omit;
        /// Numbers to loop over.
        pub with_sequence: Option<Sequence> = "withSequence", omit;
        /// Condition; the node is skipped unless it is true.
        pub when: String = "when", omit;
        /// What failures of this one do not fail the rest.
        pub continue_on: Option<ContinueOn> = "continueOn", omit;
        /// Deprecated form of a hook `exit`.
        pub on_exit: String = "onExit", omit;
        /// Templates that run when their expression becomes true; the key `exit` runs at the end.
        pub hooks: BTreeMap<String, LifecycleHook> = "hooks", omit;
    }

    /// Tasks with dependencies.
    pub struct DagTemplate ("DAGTemplate") {
        /// The tasks that are wanted, separated by blanks; empty means all that nobody depends on.
        pub target: String = "target", omit;
        /// The tasks.
        pub tasks: List<DagTask> = "tasks", keep;
        /// Whether a failed task keeps others from starting; true by default.
        pub fail_fast: Option<bool> = "failFast", omit;
    }

    /// One task of a graph.
    pub struct DagTask ("DAGTask") {
        /// Name, unique among its siblings.
        pub name: String = "name", keep;
        /// Name of the template.
        pub template: String = "template", omit;
        /// The template itself, in place of a name.
        pub inline: Option<Box<Template>> = "inline", omit;
        /// Values for the inputs of the template.
        pub arguments: Arguments = "arguments", omit;
        /// A template of another object to run instead of one of this workflow.
        pub template_ref: Option<TemplateRef> = "templateRef", omit;
        /// Names of the tasks before it.
        pub dependencies: Vec<String> = "dependencies", omit;
        /// Items to loop over.
        pub with_items: Vec<Item> = "withItems", omit;
        /// JSON list to loop over, usually from a variable.
        pub with_param: String = "withParam", omit;
        /// Numbers to loop over.
        pub with_sequence: Option<Sequence> = "withSequence", omit;
        /// Condition; the node is skipped unless it is true.
        pub when: String = "when", omit;
        /// What failures of this one do not fail the rest.
        pub continue_on: Option<ContinueOn> = "continueOn", omit;
        /// Deprecated form of a hook `exit`.
        pub on_exit: String = "onExit", omit;
        /// Condition over other tasks, as in `A.Succeeded && (B || C.Failed)`; not together with `dependencies`.
        pub depends: String = "depends", omit;
        /// Templates that run when their expression becomes true; the key `exit` runs at the end.
        pub hooks: BTreeMap<String, LifecycleHook> = "hooks", omit;
    }

    /// Failures that do not fail the rest.
    pub struct ContinueOn ("ContinueOn") {
        /// Whether an error counts as passed.
        pub error: bool = "error", omit;
        /// Whether a failure counts as passed.
        pub failed: bool = "failed", omit;
    }

    /// A template that runs at a certain moment.
    pub struct LifecycleHook ("LifecycleHook") {
        /// Name of the template.
        pub template: String = "template", omit;
        /// Values for the inputs of the template.
        pub arguments: Arguments = "arguments", omit;
        /// A template of another object to run instead of one of this workflow.
        pub template_ref: Option<TemplateRef> = "templateRef", omit;
        /// When to run; the hook `exit` needs none.
        pub expression: String = "expression", omit;
    }

    /// Numbers to loop over: either a count or an end.
    pub struct Sequence ("Sequence") {
        /// How many numbers.
        pub count: Option<IntOrString> = "count", omit;
        /// The first number; 0 by default.
        pub start: Option<IntOrString> = "start", omit;
        /// The last number; may be below the first.
        pub end: Option<IntOrString> = "end", omit;
        /// How a number is printed, in the manner of `printf`.
        pub format: String = "format", omit;
    }

    /// Several containers of one pod.
    pub struct ContainerSetTemplate ("ContainerSetTemplate") {
        /// The containers.
        pub containers: List<ContainerNode> = "containers", keep;
        /// Mounts that every container gets.
        pub volume_mounts: Vec<VolumeMount> = "volumeMounts", omit;
        /// Whether a container that failed is run again in the same pod.
        pub retry_strategy: Option<ContainerSetRetryStrategy> = "retryStrategy", omit;
    }

    /// Retry inside a pod.
    pub struct ContainerSetRetryStrategy ("ContainerSetRetryStrategy") {
        /// Time between two attempts, as Go duration text.
        pub duration: String = "duration", omit;
        /// How often to try again.
        pub retries: Option<IntOrString> = "retries", keep;
    }

    /// One container of a set.
    pub struct ContainerNode ("ContainerNode") {
        /// The keys of this type, which stand directly among the others.
        pub container: Container = "", inline;
        /// Names of the containers before it.
        pub dependencies: Vec<String> = "dependencies", omit;
    }

    /// A container that runs before or beside the main one.
    pub struct UserContainer ("UserContainer") {
        /// The keys of this type, which stand directly among the others.
        pub container: Container = "", inline;
        /// Whether it gets the mounts of the main container too, with the same paths.
        pub mirror_volume_mounts: Option<bool> = "mirrorVolumeMounts", omit;
    }

    /// A container that runs a script.
    pub struct ScriptTemplate ("ScriptTemplate") {
        /// The keys of this type, which stand directly among the others.
        pub container: Container = "", inline;
        /// The script; it is put into a file whose path is the last argument.
        pub source: String = "source", keep;
    }

    /// An object of the cluster to make, change or watch.
    pub struct ResourceTemplate ("ResourceTemplate") {
        /// `get`, `create`, `apply`, `delete`, `replace` or `patch`.
        pub action: String = "action", keep;
        /// For `patch`: `strategic` (default), `merge` or `json`.
        pub merge_strategy: String = "mergeStrategy", omit;
        /// The object as YAML or JSON.
        pub manifest: String = "manifest", omit;
        /// Where the manifest comes from.
        pub manifest_from: Option<ManifestFrom> = "manifestFrom", omit;
        /// Whether the object is deleted with the workflow.
        pub set_owner_reference: bool = "setOwnerReference", omit;
        /// Selector over the object's fields that means success.
        pub success_condition: String = "successCondition", omit;
        /// Selector over the object's fields that means failure.
        pub failure_condition: String = "failureCondition", omit;
        /// Further arguments for kubectl.
        pub flags: Vec<String> = "flags", omit;
    }

    /// Where a manifest comes from.
    pub struct ManifestFrom ("ManifestFrom") {
        /// The artifact that holds it.
        pub artifact: Option<Box<Artifact>> = "artifact", keep;
    }

    /// A pause.
    pub struct SuspendTemplate ("SuspendTemplate") {
        /// How long, in seconds or as Go duration text; empty waits for someone.
        pub duration: String = "duration", omit;
    }

    /// A list made from artifacts.
    pub struct Data ("Data") {
        /// Where it comes from.
        pub source: DataSource = "source", keep;
        /// Steps over the list, one after the other.
        pub transformation: List<TransformationStep> = "transformation", keep;
    }

    /// One step over a list.
    pub struct TransformationStep ("TransformationStep") {
        /// Expression that gives the new list; the old one is `data`.
        pub expression: String = "expression", keep;
    }

    /// Where the list comes from.
    pub struct DataSource ("DataSource") {
        /// The keys below an artifact's location.
        pub artifact_paths: Option<Box<ArtifactPaths>> = "artifactPaths", omit;
    }

    /// The artifact whose keys are listed.
    pub struct ArtifactPaths ("ArtifactPaths") {
        /// The keys of this type, which stand directly among the others.
        pub artifact: Artifact = "", inline;
    }

    /// An HTTP request.
    pub struct Http ("HTTP") {
        /// The method; `GET` when empty.
        pub method: String = "method", omit;
        /// Where to.
        pub url: String = "url", keep;
        /// Header fields.
        pub headers: Vec<HttpHeader> = "headers", omit;
        /// How long the request may take; 30 by default.
        pub timeout_seconds: Option<i64> = "timeoutSeconds", omit;
        /// Expression over the response; without it, status 2xx is success.
        pub success_condition: String = "successCondition", omit;
        /// The body as text.
        pub body: String = "body", omit;
        /// Where the body comes from.
        pub body_from: Option<HttpBodySource> = "bodyFrom", omit;
        /// Whether any certificate is accepted.
        pub insecure_skip_verify: bool = "insecureSkipVerify", omit;
    }

    /// A header field.
    pub struct HttpHeader ("HTTPHeader") {
        /// Name, unique among its siblings.
        pub name: String = "name", keep;
        /// Value.
        pub value: String = "value", omit;
        /// Where the value comes from.
        pub value_from: Option<HttpHeaderSource> = "valueFrom", omit;
    }

    /// Where the value of a header field comes from.
    pub struct HttpHeaderSource ("HTTPHeaderSource") {
        /// Key of a Secret.
        pub secret_key_ref: Option<SecretKeySelector> = "secretKeyRef", omit;
    }

    /// Where the body of a request comes from.
    pub struct HttpBodySource ("HTTPBodySource") {
        /// The body as bytes.
        pub bytes: Bytes = "bytes", omit;
    }

    /// When and how often to try again.
    pub struct RetryStrategy ("RetryStrategy") {
        /// How many attempts after the first; without it there is no limit.
        pub limit: Option<IntOrString> = "limit", omit;
        /// What to retry; `OnFailure` when empty, `Always` when there is an expression.
        pub retry_policy: RetryPolicy = "retryPolicy", omit;
        /// How long to wait between attempts.
        pub backoff: Option<Backoff> = "backoff", omit;
        /// Whether to avoid the nodes of failed attempts.
        pub affinity: Option<RetryAffinity> = "affinity", omit;
        /// Condition for another attempt.
        pub expression: String = "expression", omit;
    }

    /// Waiting between attempts.
    pub struct Backoff ("Backoff") {
        /// The first wait, in seconds or as Go duration text.
        pub duration: String = "duration", omit;
        /// What each wait is multiplied with.
        pub factor: Option<IntOrString> = "factor", omit;
        /// How long all attempts together may take.
        pub max_duration: String = "maxDuration", omit;
        /// The longest single wait.
        pub cap: String = "cap", omit;
    }

    /// Where attempts may run.
    pub struct RetryAffinity ("RetryAffinity") {
        /// Avoid nodes of the cluster where an attempt failed.
        pub node_anti_affinity: Option<RetryNodeAntiAffinity> = "nodeAntiAffinity", omit;
    }

    /// Avoid nodes of the cluster where an attempt failed. Has no settings.
    pub struct RetryNodeAntiAffinity ("RetryNodeAntiAffinity") {
    }

    /// Use of earlier results.
    pub struct Memoize ("Memoize") {
        /// What identifies a result; may hold variables.
        pub key: String = "key", keep;
        /// Where results are kept.
        pub cache: Option<Cache> = "cache", keep;
        /// How old a result may be, as Go duration text; empty means any age.
        pub max_age: String = "maxAge", keep;
    }

    /// Where results are kept.
    pub struct Cache ("Cache") {
        /// The ConfigMap.
        pub config_map: Option<LocalObjectReference> = "configMap", keep;
    }
}
