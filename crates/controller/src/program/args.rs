//! Flags of `argosy-controller`: names and defaults of the peer's `workflow-controller`, each also as `ARGO_…`.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// Runs workflows of a Kubernetes cluster.
#[derive(Debug, Clone, Parser)]
#[command(name = "argosy-controller", version, about)]
pub struct Args {
    /// Name of the ConfigMap with the configuration, in the controller's namespace
    #[arg(long, env = "ARGO_CONFIGMAP", default_value = "workflow-controller-configmap")]
    pub configmap: String,
    /// Image of the containers that Argosy adds to pods
    #[arg(long, env = "ARGO_EXECUTOR_IMAGE")]
    pub executor_image: Option<String>,
    /// Pull policy of that image
    #[arg(long, env = "ARGO_EXECUTOR_IMAGE_PULL_POLICY", default_value = "")]
    pub executor_image_pull_policy: String,
    /// What is logged, here and by executors: debug, info, warn or error
    #[arg(long, env = "ARGO_LOGLEVEL", value_enum, default_value_t = Level::Info)]
    pub loglevel: Level,
    /// Level of logs of Kubernetes' client; passed on to executors
    #[arg(long, env = "ARGO_GLOGLEVEL", default_value_t = 0)]
    pub gloglevel: i32,
    /// How it is logged
    #[arg(long, env = "ARGO_LOG_FORMAT", value_enum, default_value_t = Format::Text)]
    pub log_format: Format,
    /// How many workflows are looked at at a time
    #[arg(long, env = "ARGO_WORKFLOW_WORKERS", default_value_t = 32)]
    pub workflow_workers: usize,
    /// How many finished pods are tidied up at a time
    #[arg(long, env = "ARGO_POD_CLEANUP_WORKERS", default_value_t = 4)]
    pub pod_cleanup_workers: usize,
    /// Taken and without effect: expired workflows are deleted by the workflow workers
    #[arg(long, env = "ARGO_WORKFLOW_TTL_WORKERS", default_value_t = 4)]
    pub workflow_ttl_workers: usize,
    /// How many CronWorkflows are looked at at a time
    #[arg(long, env = "ARGO_CRON_WORKFLOW_WORKERS", default_value_t = 8)]
    pub cron_workflow_workers: usize,
    /// Taken and without effect
    #[arg(long, env = "ARGO_WORKFLOW_ARCHIVE_WORKERS", default_value_t = 8)]
    pub workflow_archive_workers: usize,
    /// Requests to Kubernetes per second, over a long time; 0 is no limit
    #[arg(long, env = "ARGO_QPS", default_value_t = 0.0)]
    pub qps: f64,
    /// Requests to Kubernetes at once
    #[arg(long, env = "ARGO_BURST", default_value_t = 30)]
    pub burst: u32,
    /// Serve one namespace only
    #[arg(long, env = "ARGO_NAMESPACED")]
    pub namespaced: bool,
    /// That namespace; default: the controller's own
    #[arg(long, env = "ARGO_MANAGED_NAMESPACE", default_value = "")]
    pub managed_namespace: String,
    /// Run the executor plugins that are installed as ConfigMaps beside the agent
    #[arg(long, env = "ARGO_EXECUTOR_PLUGINS")]
    pub executor_plugins: bool,
    /// Let workflows name their own plugins
    #[arg(long, env = "ARGO_WORKFLOW_LEVEL_EXECUTOR_PLUGINS")]
    pub workflow_level_executor_plugins: bool,
    /// Port of the health checks
    #[arg(long, env = "ARGO_HEALTH_PORT", default_value_t = 6060)]
    pub health_port: u16,
    /// How Kubernetes is reached
    #[command(flatten)]
    pub connection: Connection,
}

/// How Kubernetes is reached. Without any of these: as a pod of the cluster, else by the user's kubeconfig.
#[derive(Debug, Clone, Default, clap::Args)]
#[command(next_help_heading = "Connection")]
pub struct Connection {
    /// A kubeconfig
    #[arg(long, env = "ARGO_KUBECONFIG")]
    pub kubeconfig: Option<PathBuf>,
    /// Context in it
    #[arg(long, env = "ARGO_CONTEXT")]
    pub context: Option<String>,
    /// Cluster in it
    #[arg(long, env = "ARGO_CLUSTER")]
    pub cluster: Option<String>,
    /// User in it
    #[arg(long, env = "ARGO_USER")]
    pub user: Option<String>,
    /// The controller's namespace; default: that of its pod, or of the context
    #[arg(long, short = 'n', env = "ARGO_NAMESPACE")]
    pub namespace: Option<String>,
    /// Address of the API server
    #[arg(long, env = "ARGO_SERVER")]
    pub server: Option<String>,
    /// Bearer token
    #[arg(long, env = "ARGO_TOKEN", hide_env_values = true)]
    pub token: Option<String>,
    /// File with the certificates to trust
    #[arg(long, env = "ARGO_CERTIFICATE_AUTHORITY")]
    pub certificate_authority: Option<PathBuf>,
    /// File with a client certificate
    #[arg(long, env = "ARGO_CLIENT_CERTIFICATE", requires = "client_key")]
    pub client_certificate: Option<String>,
    /// File with its key
    #[arg(long, env = "ARGO_CLIENT_KEY")]
    pub client_key: Option<String>,
    /// Don't check the server's certificate
    #[arg(long, env = "ARGO_INSECURE_SKIP_TLS_VERIFY")]
    pub insecure_skip_tls_verify: bool,
    /// Name that the server's certificate must have
    #[arg(long, env = "ARGO_TLS_SERVER_NAME")]
    pub tls_server_name: Option<String>,
    /// Act as this user
    #[arg(long = "as", env = "ARGO_AS")]
    pub act_as: Option<String>,
    /// Act as a member of these groups
    #[arg(long = "as-group", env = "ARGO_AS_GROUP")]
    pub act_as_group: Vec<String>,
    /// User name for basic authentication
    #[arg(long, env = "ARGO_USERNAME")]
    pub username: Option<String>,
    /// Password for basic authentication
    #[arg(long, env = "ARGO_PASSWORD", hide_env_values = true)]
    pub password: Option<String>,
    /// Proxy on the way to the API server
    #[arg(long, env = "ARGO_PROXY_URL")]
    pub proxy_url: Option<String>,
}

/// What is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Level {
    /// Everything.
    Debug,
    /// What happens.
    Info,
    /// What needs an eye.
    Warn,
    /// What failed.
    Error,
}

impl Level {
    /// The word of the flag.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Debug => "debug",
            Self::Info => "info",
            Self::Warn => "warn",
            Self::Error => "error",
        }
    }
}

/// How it is logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// For machines, one object a line.
    Json,
}

impl Format {
    /// The word of the flag.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Json => "json",
        }
    }
}
