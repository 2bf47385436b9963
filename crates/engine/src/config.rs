//! What of the controller's configuration decisions depend on (C-CFG-02, section 26).
//! Not here: how it is read, and everything that only the shells use.

use std::collections::BTreeMap;

use argosy_model::WorkflowSpec;
use argosy_model::k8s::{Container, ObjectMeta};
use jiff::SignedDuration;
use serde_json::Value;

/// Settings of decisions. [`Config::default`] is the behaviour without a configuration.
#[derive(Debug, Clone)]
pub struct Config {
    /// Selects the workflows of one controller; stamped on everything made. Default empty.
    pub instance_id: String,
    /// The controller's own namespace, where memoization caches live. Default `argo`.
    pub namespace: String,
    /// Metadata put under every workflow's own (C-MRG-01).
    pub default_metadata: ObjectMeta,
    /// Spec put under every workflow's own (C-MRG-01).
    pub default_spec: WorkflowSpec,
    /// `Strict`, `Secure` or empty (C-MRG-06).
    pub template_referencing: String,
    /// Fields allowed beside those of C-MRG-06 under restriction.
    pub override_allowlist: Vec<String>,
    /// Image of init, wait, supervisor and agent containers.
    pub executor_image: String,
    /// Pull policy of that image; empty leaves it to Kubernetes.
    pub executor_image_pull_policy: String,
    /// Container fragment for executor containers.
    pub executor: Option<Container>,
    /// Container fragment merged under every main container.
    pub main_container: Option<Container>,
    /// `{configMapName?, secretName, secretKey, volumeName, mountPath}` of the executor's kubeconfig.
    pub kube_config: Option<Value>,
    /// Log level forwarded to the executor. Default `info`.
    pub log_level: String,
    /// Log format forwarded to the executor. Default `text`.
    pub log_format: String,
    /// Level of client library logs forwarded to the executor. Default 0.
    pub glog_level: i32,
    /// Default artifact repository.
    pub artifact_repository: Value,
    /// Plugin drivers of artifacts: `{name, image, connectionTimeoutSeconds}`.
    pub artifact_drivers: Vec<Value>,
    /// Known entrypoints by exact image text: `{entrypoint, cmd}`.
    pub images: BTreeMap<String, ImageConfig>,
    /// Restart of pods that never ran (C-POD-30). Default `None`: off.
    pub failed_pod_restart: Option<FailedPodRestart>,
    /// Layout without init containers (C-BLD-60). Default false.
    pub initless_pod: bool,
    /// Somebody else runs the agent. Default false.
    pub disable_agent_pod: bool,
    /// Grace of pod deletions; `None` leaves it to Kubernetes.
    pub pod_gc_grace_secs: Option<i64>,
    /// Delay of pod deletions. Default 5 s.
    pub pod_gc_delay: SignedDuration,
    /// Whether workflows are archived, and which.
    pub archive: Option<Archive>,
    /// Whether pods get the status capture finalizer. Default false.
    pub pod_finalizer: bool,
    /// Environment passed to executor containers: progress ticks and the like.
    pub environment: BTreeMap<String, String>,
    /// A Running pod node younger than this whose pod is missing is not lost yet. Default 10 s (C-POD-05).
    pub recently_started: SignedDuration,
    /// How long the result of a pod that is gone may be late. Default 2 min (C-RES-03).
    pub recently_deleted: SignedDuration,
    /// How long the result of a finished pod may be late. Default 10 min (C-RES-03).
    pub task_result_timeout: SignedDuration,
    /// A regular expression for error texts that count as transient; empty matches nothing.
    pub transient_error_pattern: String,
    /// Whether recursion deeper than 100 templates is an error (C-EXE-01). Default true.
    pub recursion_limit: bool,
    /// Whether `{{=…}}` is evaluated. Default true.
    pub expression_templates: bool,
    /// Whether errors of the entry template end the workflow. Default true.
    pub bubble_entry_errors: bool,
    /// Version for links in messages: `latest` or `release-X.Y`.
    pub docs_version: String,
    /// Executor plugins that are installed as ConfigMaps run beside the agent. Default false.
    pub executor_plugins: bool,
    /// Workflow-level executor plugins are allowed. Default false.
    pub workflow_plugins: bool,
    /// Format of pod names for workflows without the annotation.
    pub pod_names: crate::names::PodNames,
    /// A lock database is configured.
    pub lock_database: bool,
    /// How many finished workflows are kept; `None`: all.
    pub retention: Option<argosy_model::config::RetentionPolicy>,
    /// Whether durations are estimated from earlier runs. Default true.
    pub estimates: bool,
}

/// Entrypoint and command of an image.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ImageConfig {
    /// The image's entrypoint.
    pub entrypoint: Vec<String>,
    /// The image's command.
    pub cmd: Vec<String>,
}

/// Restart of pods that never ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FailedPodRestart {
    /// How often. Default 3.
    pub max_restarts: i32,
}

/// Archiving of completed workflows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Archive {
    /// Only workflows that match are archived; `None` means all.
    pub label_selector: Option<argosy_model::k8s::LabelSelector>,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            instance_id: String::new(),
            namespace: "argo".to_owned(),
            default_metadata: ObjectMeta::default(),
            default_spec: WorkflowSpec::default(),
            template_referencing: String::new(),
            override_allowlist: Vec::new(),
            executor_image: "quay.io/argoproj/argoexec:v4.1.2".to_owned(),
            executor_image_pull_policy: String::new(),
            executor: None,
            main_container: None,
            kube_config: None,
            log_level: "info".to_owned(),
            log_format: "text".to_owned(),
            glog_level: 0,
            artifact_repository: Value::Null,
            artifact_drivers: Vec::new(),
            images: BTreeMap::new(),
            failed_pod_restart: None,
            initless_pod: false,
            disable_agent_pod: false,
            pod_gc_grace_secs: None,
            pod_gc_delay: SignedDuration::from_secs(5),
            archive: None,
            pod_finalizer: false,
            environment: BTreeMap::new(),
            recently_started: SignedDuration::from_secs(10),
            recently_deleted: SignedDuration::from_mins(2),
            task_result_timeout: SignedDuration::from_mins(10),
            transient_error_pattern: String::new(),
            recursion_limit: true,
            expression_templates: true,
            bubble_entry_errors: true,
            docs_version: "latest".to_owned(),
            executor_plugins: false,
            workflow_plugins: false,
            pod_names: crate::names::PodNames::V2,
            lock_database: false,
            retention: None,
            estimates: true,
        }
    }
}
