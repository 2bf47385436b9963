//! The controller's configuration as its ConfigMap holds it: keys and types of the peer's, all of them.
//!
//! Durations stay texts here. Not here: what a value means, and how the two layouts of the ConfigMap are told apart.

use std::collections::BTreeMap;

use crate::custom::Amount;
use crate::k8s::{Container, LabelSelector, SecretKeySelector};
use crate::object::objects;
use crate::repository::ArtifactRepository;
use crate::server::{Column, Link};
use crate::workflow::Workflow;

objects! {
    "config"

    /// The whole configuration.
    pub struct ControllerConfig ("Config") {
        /// Events about nodes.
        pub node_events: NodeEvents = "nodeEvents", omit;
        /// Events about workflows.
        pub workflow_events: WorkflowEvents = "workflowEvents", omit;
        /// Put under the executor's containers.
        pub executor: Option<Box<Container>> = "executor", omit;
        /// Put under main containers.
        pub main_container: Option<Box<Container>> = "mainContainer", omit;
        /// The kubeconfig of executors.
        pub kube_config: Option<KubeConfig> = "kubeConfig", omit;
        /// Where artifacts go that name no place.
        pub artifact_repository: Option<Box<ArtifactRepository>> = "artifactRepository", omit;
        /// The only namespace that is watched.
        pub namespace: String = "namespace", omit;
        /// Selects the workflows of this controller.
        pub instance_id: String = "instanceID", omit;
        /// How metrics are served.
        pub metrics_config: MetricsConfig = "metricsConfig", omit;
        /// How metrics were served by earlier releases.
        pub telemetry_config: MetricsConfig = "telemetryConfig", omit;
        /// How many workflows run at a time; 0 is no limit.
        pub parallelism: i64 = "parallelism", omit;
        /// How many workflows run at a time in each namespace; 0 is no limit.
        pub namespace_parallelism: i64 = "namespaceParallelism", omit;
        /// How fast pods are made.
        pub resource_rate_limit: Option<ResourceRateLimit> = "resourceRateLimit", omit;
        /// The database of the archive.
        pub persistence: Option<Box<PersistConfig>> = "persistence", omit;
        /// Links that the UI shows.
        pub links: Vec<Link> = "links", omit;
        /// Further columns of the UI's list.
        pub columns: Vec<Column> = "columns", omit;
        /// Put under every workflow.
        pub workflow_defaults: Option<Box<Workflow>> = "workflowDefaults", omit;
        /// Which pods' specs are logged.
        pub pod_spec_log_strategy: PodSpecLogStrategy = "podSpecLogStrategy", omit;
        /// Grace of deleted pods, in seconds.
        pub pod_gc_grace_period_seconds: Option<i64> = "podGCGracePeriodSeconds", omit;
        /// How long pods stay before they are deleted.
        pub pod_gc_delete_delay_duration: Option<String> = "podGCDeleteDelayDuration", omit;
        /// What workflows may say.
        pub workflow_restrictions: Option<WorkflowRestrictions> = "workflowRestrictions", omit;
        /// How long a new workflow waits before it is looked at.
        pub initial_delay: String = "initialDelay", omit;
        /// Entrypoints of images by their name.
        pub images: BTreeMap<String, Image> = "images", omit;
        /// How many finished workflows stay.
        pub retention_policy: Option<RetentionPolicy> = "retentionPolicy", omit;
        /// Colour of the UI's bar.
        pub nav_color: String = "navColor", omit;
        /// Single sign-on of the server.
        pub sso: Option<Box<SsoConfig>> = "sso", omit;
        /// The database of locks.
        pub synchronization: Option<Box<SyncConfig>> = "synchronization", omit;
        /// Plugins that store artifacts.
        pub artifact_drivers: Vec<ArtifactDriver> = "artifactDrivers", omit;
        /// Restart of pods that never ran.
        pub failed_pod_restart: Option<FailedPodRestartConfig> = "failedPodRestart", omit;
        /// Whether somebody else runs the agent.
        pub disable_agent_pod_creation: bool = "disableAgentPodCreation", omit;
        /// The layout of pods without init containers.
        pub initless_pod: Option<Switch> = "initlessPod", omit;
    }

    /// Events about nodes.
    pub struct NodeEvents ("NodeEvents") {
        /// Whether they are written; not set means yes.
        pub enabled: Option<bool> = "enabled", omit;
        /// Whether they are about the pod instead of the workflow.
        pub send_as_pod: bool = "sendAsPod", omit;
    }

    /// Events about workflows.
    pub struct WorkflowEvents ("WorkflowEvents") {
        /// Whether they are written; not set means yes.
        pub enabled: Option<bool> = "enabled", omit;
    }

    /// Something that is off unless it is switched on.
    pub struct Switch ("Switch") {
        /// Whether it is on.
        pub enabled: bool = "enabled", omit;
    }

    /// The kubeconfig of executors.
    pub struct KubeConfig ("KubeConfig") {
        /// Not used any more.
        pub config_map_name: String = "configMapName", omit;
        /// The secret.
        pub secret_name: String = "secretName", keep;
        /// The key in it.
        pub secret_key: String = "secretKey", keep;
        /// Name of the volume; empty is `kubeconfig`.
        pub volume_name: String = "volumeName", omit;
        /// Where it is mounted; empty is `/kube/config`.
        pub mount_path: String = "mountPath", omit;
    }

    /// How metrics are served.
    pub struct MetricsConfig ("MetricsConfig") {
        /// Whether they are; not set means yes.
        pub enabled: Option<bool> = "enabled", omit;
        /// Accepted, without effect.
        pub disable_legacy: bool = "disableLegacy", omit;
        /// Custom metrics that did not change for so long are dropped; empty keeps them.
        pub metrics_ttl: String = "metricsTTL", omit;
        /// Path; empty is `/metrics`.
        pub path: String = "path", omit;
        /// Port; 0 is 9090.
        pub port: i32 = "port", omit;
        /// Whether what can't be collected is left out silently.
        pub ignore_errors: bool = "ignoreErrors", omit;
        /// Whether TLS is used; not set means yes.
        pub secure: Option<bool> = "secure", omit;
        /// Changes to single metrics by their short name.
        pub modifiers: BTreeMap<String, MetricModifier> = "modifiers", omit;
        /// `Cumulative` or `Delta`, for OTLP.
        pub temporality: String = "temporality", omit;
    }

    /// Changes to a metric.
    pub struct MetricModifier ("MetricModifier") {
        /// Whether it is left out.
        pub disabled: bool = "disabled", omit;
        /// Labels that are left out.
        pub disabled_attributes: Vec<String> = "disabledAttributes", omit;
        /// Upper bounds of buckets.
        pub histogram_buckets: Vec<Amount> = "histogramBuckets", omit;
    }

    /// How fast pods are made.
    pub struct ResourceRateLimit ("ResourceRateLimit") {
        /// Pods per second.
        pub limit: Amount = "limit", keep;
        /// How many at once.
        pub burst: i64 = "burst", keep;
    }

    /// Which pods' specs are logged.
    pub struct PodSpecLogStrategy ("PodSpecLogStrategy") {
        /// Those of failed ones.
        pub failed_pod: bool = "failedPod", omit;
        /// All.
        pub all_pods: bool = "allPods", omit;
    }

    /// What workflows may say.
    pub struct WorkflowRestrictions ("WorkflowRestrictions") {
        /// `Strict`, `Secure` or empty.
        pub template_referencing: String = "templateReferencing", omit;
    }

    /// What starts in an image.
    pub struct Image ("Image") {
        /// Its entrypoint.
        pub entrypoint: Vec<String> = "entrypoint", omit;
        /// Its command.
        pub cmd: Vec<String> = "cmd", omit;
    }

    /// How many finished workflows stay; 0 is all.
    pub struct RetentionPolicy ("RetentionPolicy") {
        /// Those that succeeded.
        pub completed: i64 = "completed", omit;
        /// Those that failed.
        pub failed: i64 = "failed", omit;
        /// Those that ended in an error.
        pub errored: i64 = "errored", omit;
    }

    /// A plugin that stores artifacts.
    pub struct ArtifactDriver ("ArtifactDriver") {
        /// Its name.
        pub name: String = "name", keep;
        /// Its image.
        pub image: String = "image", keep;
        /// How long connecting to it may take, in seconds; 0 is 5.
        pub connection_timeout_seconds: i32 = "connectionTimeoutSeconds", omit;
    }

    /// Restart of pods that never ran.
    pub struct FailedPodRestartConfig ("FailedPodRestart") {
        /// Whether they are restarted.
        pub enabled: bool = "enabled", omit;
        /// How often; not set is 3.
        pub max_restarts: Option<i32> = "maxRestarts", omit;
    }

    /// What both databases have.
    pub struct DbConfig ("DBConfig") {
        /// PostgreSQL.
        pub postgresql: Option<PostgreSqlConfig> = "postgresql", omit;
        /// MySQL.
        pub mysql: Option<MySqlConfig> = "mysql", omit;
        /// How many connections are kept.
        pub connection_pool: Option<ConnectionPool> = "connectionPool", omit;
        /// How a lost connection is made again.
        pub reconnection_config: Option<ReconnectionConfig> = "reconnectionConfig", omit;
        /// How long connecting may take, in seconds; 0 is 5.
        pub connection_timeout_seconds: i64 = "connectionTimeoutSeconds", omit;
    }

    /// The database of the archive.
    pub struct PersistConfig ("PersistConfig") {
        /// The database.
        pub database: DbConfig = "", inline;
        /// Whether status of nodes is kept there.
        pub node_status_offload: bool = "nodeStatusOffLoad", omit;
        /// Whether finished workflows are kept there.
        pub archive: bool = "archive", omit;
        /// Which of them.
        pub archive_label_selector: Option<LabelSelector> = "archiveLabelSelector", omit;
        /// For how long; empty is for ever.
        pub archive_ttl: String = "archiveTTL", omit;
        /// Name of the cluster in the tables; empty is `default`.
        pub cluster_name: String = "clusterName", omit;
        /// Whether the tables are left as they are.
        pub skip_migration: bool = "skipMigration", omit;
    }

    /// The database of locks.
    pub struct SyncConfig ("SyncConfig") {
        /// The database.
        pub database: DbConfig = "", inline;
        /// Whether the server lets users change limits.
        pub enable_api: bool = "enableAPI", omit;
        /// Name of this controller among those that share the locks.
        pub controller_name: String = "controllerName", omit;
        /// Whether the tables are left as they are.
        pub skip_migration: bool = "skipMigration", omit;
        /// Table of limits.
        pub limit_table_name: String = "limitTableName", omit;
        /// Table of holders.
        pub state_table_name: String = "stateTableName", omit;
        /// Table of controllers.
        pub controller_table_name: String = "controllerTableName", omit;
        /// Table of locks.
        pub lock_table_name: String = "lockTableName", omit;
        /// How often it is asked, in seconds.
        pub poll_seconds: Option<i64> = "pollSeconds", omit;
        /// How often this controller shows that it lives, in seconds.
        pub heartbeat_seconds: Option<i64> = "heartbeatSeconds", omit;
        /// After how long another counts as dead, in seconds.
        pub inactive_controller_seconds: Option<i64> = "inactiveControllerSeconds", omit;
        /// How long limits are remembered, in seconds.
        pub semaphore_limit_cache_seconds: Option<i64> = "semaphoreLimitCacheSeconds", omit;
    }

    /// How many connections are kept.
    pub struct ConnectionPool ("ConnectionPool") {
        /// Idle ones.
        pub max_idle_conns: i64 = "maxIdleConns", omit;
        /// All.
        pub max_open_conns: i64 = "maxOpenConns", omit;
        /// How long one lives.
        pub conn_max_lifetime: String = "connMaxLifetime", omit;
    }

    /// How a lost connection is made again.
    pub struct ReconnectionConfig ("DBReconnectConfig") {
        /// How often it is tried.
        pub max_retries: i64 = "maxRetries", omit;
        /// The first pause, in seconds.
        pub base_delay_seconds: i64 = "baseDelaySeconds", omit;
        /// The longest pause, in seconds.
        pub max_delay_seconds: i64 = "maxDelaySeconds", omit;
        /// How the pauses grow.
        pub retry_multiple: Amount = "retryMultiple", omit;
    }

    /// Where a database is.
    pub struct DatabaseConfig ("DatabaseConfig") {
        /// Host.
        pub host: String = "host", keep;
        /// Port; 0 is the usual one.
        pub port: i64 = "port", omit;
        /// Name of the database.
        pub database: String = "database", keep;
        /// Table of off-loaded status.
        pub table_name: String = "tableName", omit;
        /// The user's name.
        pub user_name_secret: SecretKeySelector = "userNameSecret", omit;
        /// The user's password.
        pub password_secret: SecretKeySelector = "passwordSecret", omit;
    }

    /// A PostgreSQL database.
    pub struct PostgreSqlConfig ("PostgreSQLConfig") {
        /// Where it is.
        pub place: DatabaseConfig = "", inline;
        /// Whether TLS is used.
        pub ssl: bool = "ssl", omit;
        /// How the server's certificate is checked.
        pub ssl_mode: String = "sslMode", omit;
        /// A token of Azure instead of a password.
        pub azure_token: Option<AzureToken> = "azureToken", omit;
        /// A token of AWS instead of a password.
        pub aws_rds_token: Option<AwsRdsToken> = "awsRDSToken", omit;
    }

    /// A token of Azure.
    pub struct AzureToken ("AzureTokenConfig") {
        /// Whether it is used.
        pub enabled: bool = "enabled", omit;
        /// Its scope.
        pub scope: String = "scope", omit;
    }

    /// A token of AWS.
    pub struct AwsRdsToken ("AWSRDSTokenConfig") {
        /// Whether it is used.
        pub enabled: bool = "enabled", omit;
        /// The region; empty is found out.
        pub region: String = "region", omit;
    }

    /// A MySQL database.
    pub struct MySqlConfig ("MySQLConfig") {
        /// Where it is.
        pub place: DatabaseConfig = "", inline;
        /// Options of the connection.
        pub options: BTreeMap<String, String> = "options", omit;
    }

    /// Single sign-on of the server.
    pub struct SsoConfig ("SSOConfig") {
        /// Who issues tokens.
        pub issuer: String = "issuer", keep;
        /// Another name of the issuer.
        pub issuer_alias: String = "issuerAlias", omit;
        /// The client's id.
        pub client_id: SecretKeySelector = "clientId", keep;
        /// The client's secret.
        pub client_secret: SecretKeySelector = "clientSecret", keep;
        /// Where users come back to.
        pub redirect_url: String = "redirectUrl", omit;
        /// Whether claims choose service accounts.
        pub rbac: Option<Switch> = "rbac", omit;
        /// What is asked for besides `openid`.
        pub scopes: Vec<String> = "scopes", omit;
        /// How long a session lasts.
        pub session_expiry: String = "sessionExpiry", omit;
        /// The claim with groups.
        pub custom_group_claim_name: String = "customGroupClaimName", omit;
        /// Where groups are asked for.
        pub user_info_path: String = "userInfoPath", omit;
        /// Whether certificates go unchecked.
        pub insecure_skip_verify: bool = "insecureSkipVerify", omit;
        /// Which groups are kept.
        pub filter_groups_regex: Vec<String> = "filterGroupsRegex", omit;
        /// Certificates to trust.
        pub root_ca: String = "rootCA", omit;
    }
}
