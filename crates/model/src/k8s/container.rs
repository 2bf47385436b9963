//! Containers of a pod: environment, probes, hooks and mounts.

use std::collections::BTreeMap;

use crate::k8s::meta::LocalObjectReference;
use crate::k8s::quantity::Quantity;
use crate::k8s::security::SecurityContext;
use crate::k8s::value::IntOrString;
use crate::object::objects;

objects! {
    "v1"

    /// A container of a pod.
    pub struct Container ("Container") {
        /// Name, unique among its siblings.
        pub name: String = "name", keep;
        /// Image to run.
        pub image: String = "image", omit;
        /// Program and first arguments; the image's own when empty.
        pub command: Vec<String> = "command", omit;
        /// Further arguments.
        pub args: Vec<String> = "args", omit;
        /// Folder that it starts in; the image's own when empty.
        pub working_dir: String = "workingDir", omit;
        /// Ports that it listens on, for information.
        pub ports: Vec<ContainerPort> = "ports", omit;
        /// Objects whose keys all become environment variables.
        pub env_from: Vec<EnvFromSource> = "envFrom", omit;
        /// Environment variables.
        pub env: Vec<EnvVar> = "env", omit;
        /// Resources it needs or may use.
        pub resources: ResourceRequirements = "resources", omit;
        /// Whether a change of resources needs a restart.
        pub resize_policy: Vec<ContainerResizePolicy> = "resizePolicy", omit;
        /// `Always` makes an init container run on beside the others.
        pub restart_policy: Option<String> = "restartPolicy", omit;
        /// When a restart depends on the exit code.
        pub restart_policy_rules: Vec<ContainerRestartRule> = "restartPolicyRules", omit;
        /// Where volumes are mounted.
        pub volume_mounts: Vec<VolumeMount> = "volumeMounts", omit;
        /// Where volumes appear as block devices.
        pub volume_devices: Vec<VolumeDevice> = "volumeDevices", omit;
        /// Failing it restarts the container.
        pub liveness_probe: Option<Box<Probe>> = "livenessProbe", omit;
        /// Passing it makes the container ready.
        pub readiness_probe: Option<Box<Probe>> = "readinessProbe", omit;
        /// Until it passes, the other probes wait.
        pub startup_probe: Option<Box<Probe>> = "startupProbe", omit;
        /// What is done after the start and before the end.
        pub lifecycle: Option<Box<Lifecycle>> = "lifecycle", omit;
        /// File with the container's last words; `/dev/termination-log` when empty.
        pub termination_message_path: String = "terminationMessagePath", omit;
        /// `File`, or `FallbackToLogsOnError`.
        pub termination_message_policy: String = "terminationMessagePolicy", omit;
        /// `Always`, `IfNotPresent` or `Never`.
        pub image_pull_policy: String = "imagePullPolicy", omit;
        /// Rights of the container.
        pub security_context: Option<Box<SecurityContext>> = "securityContext", omit;
        /// Whether standard input stays open.
        pub stdin: bool = "stdin", omit;
        /// Whether it closes after the first client.
        pub stdin_once: bool = "stdinOnce", omit;
        /// Whether it gets a terminal.
        pub tty: bool = "tty", omit;
    }

    /// A container that is put into a running pod to look for faults.
    pub struct EphemeralContainer ("EphemeralContainer") {
        /// Name, unique among its siblings.
        pub name: String = "name", keep;
        /// Image to run.
        pub image: String = "image", omit;
        /// Program and first arguments; the image's own when empty.
        pub command: Vec<String> = "command", omit;
        /// Further arguments.
        pub args: Vec<String> = "args", omit;
        /// Folder that it starts in; the image's own when empty.
        pub working_dir: String = "workingDir", omit;
        /// Ports that it listens on, for information.
        pub ports: Vec<ContainerPort> = "ports", omit;
        /// Objects whose keys all become environment variables.
        pub env_from: Vec<EnvFromSource> = "envFrom", omit;
        /// Environment variables.
        pub env: Vec<EnvVar> = "env", omit;
        /// Resources it needs or may use.
        pub resources: ResourceRequirements = "resources", omit;
        /// Whether a change of resources needs a restart.
        pub resize_policy: Vec<ContainerResizePolicy> = "resizePolicy", omit;
        /// `Always` makes an init container run on beside the others.
        pub restart_policy: Option<String> = "restartPolicy", omit;
        /// When a restart depends on the exit code.
        pub restart_policy_rules: Vec<ContainerRestartRule> = "restartPolicyRules", omit;
        /// Where volumes are mounted.
        pub volume_mounts: Vec<VolumeMount> = "volumeMounts", omit;
        /// Where volumes appear as block devices.
        pub volume_devices: Vec<VolumeDevice> = "volumeDevices", omit;
        /// Failing it restarts the container.
        pub liveness_probe: Option<Box<Probe>> = "livenessProbe", omit;
        /// Passing it makes the container ready.
        pub readiness_probe: Option<Box<Probe>> = "readinessProbe", omit;
        /// Until it passes, the other probes wait.
        pub startup_probe: Option<Box<Probe>> = "startupProbe", omit;
        /// What is done after the start and before the end.
        pub lifecycle: Option<Box<Lifecycle>> = "lifecycle", omit;
        /// File with the container's last words; `/dev/termination-log` when empty.
        pub termination_message_path: String = "terminationMessagePath", omit;
        /// `File`, or `FallbackToLogsOnError`.
        pub termination_message_policy: String = "terminationMessagePolicy", omit;
        /// `Always`, `IfNotPresent` or `Never`.
        pub image_pull_policy: String = "imagePullPolicy", omit;
        /// Rights of the container.
        pub security_context: Option<Box<SecurityContext>> = "securityContext", omit;
        /// Whether standard input stays open.
        pub stdin: bool = "stdin", omit;
        /// Whether it closes after the first client.
        pub stdin_once: bool = "stdinOnce", omit;
        /// Whether it gets a terminal.
        pub tty: bool = "tty", omit;
        /// Container whose processes it sees.
        pub target_container_name: String = "targetContainerName", omit;
    }

    /// A port that a container listens on.
    pub struct ContainerPort ("ContainerPort") {
        /// Name, unique among its siblings.
        pub name: String = "name", omit;
        /// The same port on the node; 0 is none.
        pub host_port: i32 = "hostPort", omit;
        /// The port.
        pub container_port: i32 = "containerPort", keep;
        /// `TCP` when empty, `UDP` or `SCTP`.
        pub protocol: String = "protocol", omit;
        /// Address of the node to listen on.
        pub host_ip: String = "hostIP", omit;
    }

    /// An environment variable.
    pub struct EnvVar ("EnvVar") {
        /// Name, unique among its siblings.
        pub name: String = "name", keep;
        /// The value; `$(NAME)` stands for earlier variables.
        pub value: String = "value", omit;
        /// Where the value comes from.
        pub value_from: Option<Box<EnvVarSource>> = "valueFrom", omit;
    }

    /// Where a value comes from; one source.
    pub struct EnvVarSource ("EnvVarSource") {
        /// Field of the pod.
        pub field_ref: Option<ObjectFieldSelector> = "fieldRef", omit;
        /// Resource of a container.
        pub resource_field_ref: Option<ResourceFieldSelector> = "resourceFieldRef", omit;
        /// Key of a ConfigMap.
        pub config_map_key_ref: Option<ConfigMapKeySelector> = "configMapKeyRef", omit;
        /// Key of a Secret.
        pub secret_key_ref: Option<SecretKeySelector> = "secretKeyRef", omit;
        /// Key of a file with variables.
        pub file_key_ref: Option<FileKeySelector> = "fileKeyRef", omit;
    }

    /// An object whose keys all become environment variables.
    pub struct EnvFromSource ("EnvFromSource") {
        /// What is put before each key.
        pub prefix: String = "prefix", omit;
        /// A ConfigMap.
        pub config_map_ref: Option<ConfigMapEnvSource> = "configMapRef", omit;
        /// A Secret.
        pub secret_ref: Option<SecretEnvSource> = "secretRef", omit;
    }

    /// A ConfigMap whose keys become environment variables.
    pub struct ConfigMapEnvSource ("ConfigMapEnvSource") {
        /// The object's name.
        pub reference: LocalObjectReference = "", inline;
        /// Whether it is fine that it does not exist.
        pub optional: Option<bool> = "optional", omit;
    }

    /// A Secret whose keys become environment variables.
    pub struct SecretEnvSource ("SecretEnvSource") {
        /// The object's name.
        pub reference: LocalObjectReference = "", inline;
        /// Whether it is fine that it does not exist.
        pub optional: Option<bool> = "optional", omit;
    }

    /// A key of a ConfigMap.
    pub struct ConfigMapKeySelector ("ConfigMapKeySelector") {
        /// The object's name.
        pub reference: LocalObjectReference = "", inline;
        /// Key.
        pub key: String = "key", keep;
        /// Whether it is fine that it does not exist.
        pub optional: Option<bool> = "optional", omit;
    }

    /// A key of a Secret.
    pub struct SecretKeySelector ("SecretKeySelector") {
        /// The object's name.
        pub reference: LocalObjectReference = "", inline;
        /// Key.
        pub key: String = "key", keep;
        /// Whether it is fine that it does not exist.
        pub optional: Option<bool> = "optional", omit;
    }

    /// A key of a file with variables on a volume.
    pub struct FileKeySelector ("FileKeySelector") {
        /// Name of the volume.
        pub volume_name: String = "volumeName", keep;
        /// Path.
        pub path: String = "path", keep;
        /// Key.
        pub key: String = "key", keep;
        /// Whether it is fine that it does not exist.
        pub optional: Option<bool> = "optional", omit;
    }

    /// A field of the pod.
    pub struct ObjectFieldSelector ("ObjectFieldSelector") {
        /// Version that the path is written for; `v1` when empty.
        pub api_version: String = "apiVersion", omit;
        /// Path of the field.
        pub field_path: String = "fieldPath", keep;
    }

    /// A resource of a container.
    pub struct ResourceFieldSelector ("ResourceFieldSelector") {
        /// Name of the container.
        pub container_name: String = "containerName", omit;
        /// The resource, for example `limits.cpu`.
        pub resource: String = "resource", keep;
        /// The unit of the result; 0 means 1.
        pub divisor: Quantity = "divisor", keep;
    }

    /// Resources of a container or pod.
    pub struct ResourceRequirements ("ResourceRequirements") {
        /// Most that may be used, by resource.
        pub limits: BTreeMap<String, Quantity> = "limits", omit;
        /// What is set aside for it, by resource.
        pub requests: BTreeMap<String, Quantity> = "requests", omit;
        /// Claims of devices that are used.
        pub claims: Vec<ResourceClaim> = "claims", omit;
    }

    /// Use of a claim of the pod.
    pub struct ResourceClaim ("ResourceClaim") {
        /// Name, unique among its siblings.
        pub name: String = "name", keep;
        /// One of the claim's requests; all when empty.
        pub request: String = "request", omit;
    }

    /// Whether a change of a resource needs a restart.
    pub struct ContainerResizePolicy ("ContainerResizePolicy") {
        /// Name of the resource.
        pub resource_name: String = "resourceName", keep;
        /// `NotRequired` or `RestartContainer`.
        pub restart_policy: String = "restartPolicy", keep;
    }

    /// When a container is restarted.
    pub struct ContainerRestartRule ("ContainerRestartRule") {
        /// What to do: `Restart`.
        pub action: String = "action", omit;
        /// The exit codes that are meant.
        pub exit_codes: Option<ContainerRestartRuleOnExitCodes> = "exitCodes", omit;
    }

    /// A set of exit codes.
    pub struct ContainerRestartRuleOnExitCodes ("ContainerRestartRuleOnExitCodes") {
        /// `In` or `NotIn`.
        pub operator: String = "operator", omit;
        /// The codes.
        pub values: Vec<i32> = "values", omit;
    }

    /// Where a volume is mounted.
    pub struct VolumeMount ("VolumeMount") {
        /// Name of the volume.
        pub name: String = "name", keep;
        /// Whether writing is refused.
        pub read_only: bool = "readOnly", omit;
        /// Whether mounts below are read-only too.
        pub recursive_read_only: Option<String> = "recursiveReadOnly", omit;
        /// Path in the container.
        pub mount_path: String = "mountPath", keep;
        /// Path in the volume; its root when empty.
        pub sub_path: String = "subPath", omit;
        /// Whether later mounts pass between node and container.
        pub mount_propagation: Option<String> = "mountPropagation", omit;
        /// As `subPath`, with environment variables.
        pub sub_path_expr: String = "subPathExpr", omit;
    }

    /// Where a volume appears as a block device.
    pub struct VolumeDevice ("VolumeDevice") {
        /// Name of the volume claim.
        pub name: String = "name", keep;
        /// Path in the container.
        pub device_path: String = "devicePath", keep;
    }

    /// A check of a container that is repeated.
    pub struct Probe ("Probe") {
        /// What is done, of which exactly one is set.
        pub handler: ProbeHandler = "", inline;
        /// Seconds from the start to the first check.
        pub initial_delay_seconds: i32 = "initialDelaySeconds", omit;
        /// Seconds that a check may take; 1 when 0.
        pub timeout_seconds: i32 = "timeoutSeconds", omit;
        /// Seconds between checks; 10 when 0.
        pub period_seconds: i32 = "periodSeconds", omit;
        /// Checks in a row that mean success; 1 when 0.
        pub success_threshold: i32 = "successThreshold", omit;
        /// Checks in a row that mean failure; 3 when 0.
        pub failure_threshold: i32 = "failureThreshold", omit;
        /// Seconds that the container may still run after failure.
        pub termination_grace_period_seconds: Option<i64> = "terminationGracePeriodSeconds", omit;
    }

    /// What a check does.
    pub struct ProbeHandler ("ProbeHandler") {
        /// Run a command.
        pub exec: Option<ExecAction> = "exec", omit;
        /// Send an HTTP GET request.
        pub http_get: Option<Box<HttpGetAction>> = "httpGet", omit;
        /// Open a TCP connection.
        pub tcp_socket: Option<TcpSocketAction> = "tcpSocket", omit;
        /// Ask the gRPC health service.
        pub grpc: Option<GrpcAction> = "grpc", omit;
    }

    /// What is done after the start and before the end of a container.
    pub struct Lifecycle ("Lifecycle") {
        /// After the start.
        pub post_start: Option<LifecycleHandler> = "postStart", omit;
        /// Before the end.
        pub pre_stop: Option<LifecycleHandler> = "preStop", omit;
        /// Signal that asks the container to end.
        pub stop_signal: Option<String> = "stopSignal", omit;
    }

    /// What is done.
    pub struct LifecycleHandler ("LifecycleHandler") {
        /// Run a command.
        pub exec: Option<ExecAction> = "exec", omit;
        /// Send an HTTP GET request.
        pub http_get: Option<Box<HttpGetAction>> = "httpGet", omit;
        /// Open a TCP connection.
        pub tcp_socket: Option<TcpSocketAction> = "tcpSocket", omit;
        /// Wait.
        pub sleep: Option<SleepAction> = "sleep", omit;
    }

    /// A command.
    pub struct ExecAction ("ExecAction") {
        /// Program and arguments; no shell.
        pub command: Vec<String> = "command", omit;
    }

    /// An HTTP request.
    pub struct HttpGetAction ("HTTPGetAction") {
        /// Path.
        pub path: String = "path", omit;
        /// Number or name of the port.
        pub port: IntOrString = "port", keep;
        /// Host; the pod itself when empty.
        pub host: String = "host", omit;
        /// `HTTP` when empty, or `HTTPS`.
        pub scheme: String = "scheme", omit;
        /// Header fields.
        pub http_headers: Vec<HttpHeader> = "httpHeaders", omit;
    }

    /// A header field.
    pub struct HttpHeader ("HTTPHeader") {
        /// Name, unique among its siblings.
        pub name: String = "name", keep;
        /// Value.
        pub value: String = "value", keep;
    }

    /// A TCP connection.
    pub struct TcpSocketAction ("TCPSocketAction") {
        /// Number or name of the port.
        pub port: IntOrString = "port", keep;
        /// Host; the pod itself when empty.
        pub host: String = "host", omit;
    }

    /// A request to the gRPC health service.
    pub struct GrpcAction ("GRPCAction") {
        /// Port.
        pub port: i32 = "port", keep;
        /// Name of the service that is asked about.
        pub service: Option<String> = "service", keep;
    }

    /// A wait.
    pub struct SleepAction ("SleepAction") {
        /// How long.
        pub seconds: i64 = "seconds", keep;
    }
}
