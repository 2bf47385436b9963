//! Containers of a pod: environment, probes, hooks and mounts.

use std::collections::BTreeMap;

use crate::k8s::meta::LocalObjectReference;
use crate::k8s::quantity::Quantity;
use crate::k8s::security::SecurityContext;
use crate::k8s::value::IntOrString;
use crate::object::objects;

objects! {
    "v1"

    /// `Container` of the wire form.
    pub struct Container ("Container") {
        /// Key `name`.
        pub name: String = "name", keep;
        /// Key `image`.
        pub image: String = "image", omit;
        /// Key `command`.
        pub command: Vec<String> = "command", omit;
        /// Key `args`.
        pub args: Vec<String> = "args", omit;
        /// Key `workingDir`.
        pub working_dir: String = "workingDir", omit;
        /// Key `ports`.
        pub ports: Vec<ContainerPort> = "ports", omit;
        /// Key `envFrom`.
        pub env_from: Vec<EnvFromSource> = "envFrom", omit;
        /// Key `env`.
        pub env: Vec<EnvVar> = "env", omit;
        /// Key `resources`.
        pub resources: ResourceRequirements = "resources", omit;
        /// Key `resizePolicy`.
        pub resize_policy: Vec<ContainerResizePolicy> = "resizePolicy", omit;
        /// Key `restartPolicy`.
        pub restart_policy: Option<String> = "restartPolicy", omit;
        /// Key `restartPolicyRules`.
        pub restart_policy_rules: Vec<ContainerRestartRule> = "restartPolicyRules", omit;
        /// Key `volumeMounts`.
        pub volume_mounts: Vec<VolumeMount> = "volumeMounts", omit;
        /// Key `volumeDevices`.
        pub volume_devices: Vec<VolumeDevice> = "volumeDevices", omit;
        /// Key `livenessProbe`.
        pub liveness_probe: Option<Box<Probe>> = "livenessProbe", omit;
        /// Key `readinessProbe`.
        pub readiness_probe: Option<Box<Probe>> = "readinessProbe", omit;
        /// Key `startupProbe`.
        pub startup_probe: Option<Box<Probe>> = "startupProbe", omit;
        /// Key `lifecycle`.
        pub lifecycle: Option<Box<Lifecycle>> = "lifecycle", omit;
        /// Key `terminationMessagePath`.
        pub termination_message_path: String = "terminationMessagePath", omit;
        /// Key `terminationMessagePolicy`.
        pub termination_message_policy: String = "terminationMessagePolicy", omit;
        /// Key `imagePullPolicy`.
        pub image_pull_policy: String = "imagePullPolicy", omit;
        /// Key `securityContext`.
        pub security_context: Option<Box<SecurityContext>> = "securityContext", omit;
        /// Key `stdin`.
        pub stdin: bool = "stdin", omit;
        /// Key `stdinOnce`.
        pub stdin_once: bool = "stdinOnce", omit;
        /// Key `tty`.
        pub tty: bool = "tty", omit;
    }

    /// `EphemeralContainer` of the wire form.
    pub struct EphemeralContainer ("EphemeralContainer") {
        /// Key `name`.
        pub name: String = "name", keep;
        /// Key `image`.
        pub image: String = "image", omit;
        /// Key `command`.
        pub command: Vec<String> = "command", omit;
        /// Key `args`.
        pub args: Vec<String> = "args", omit;
        /// Key `workingDir`.
        pub working_dir: String = "workingDir", omit;
        /// Key `ports`.
        pub ports: Vec<ContainerPort> = "ports", omit;
        /// Key `envFrom`.
        pub env_from: Vec<EnvFromSource> = "envFrom", omit;
        /// Key `env`.
        pub env: Vec<EnvVar> = "env", omit;
        /// Key `resources`.
        pub resources: ResourceRequirements = "resources", omit;
        /// Key `resizePolicy`.
        pub resize_policy: Vec<ContainerResizePolicy> = "resizePolicy", omit;
        /// Key `restartPolicy`.
        pub restart_policy: Option<String> = "restartPolicy", omit;
        /// Key `restartPolicyRules`.
        pub restart_policy_rules: Vec<ContainerRestartRule> = "restartPolicyRules", omit;
        /// Key `volumeMounts`.
        pub volume_mounts: Vec<VolumeMount> = "volumeMounts", omit;
        /// Key `volumeDevices`.
        pub volume_devices: Vec<VolumeDevice> = "volumeDevices", omit;
        /// Key `livenessProbe`.
        pub liveness_probe: Option<Box<Probe>> = "livenessProbe", omit;
        /// Key `readinessProbe`.
        pub readiness_probe: Option<Box<Probe>> = "readinessProbe", omit;
        /// Key `startupProbe`.
        pub startup_probe: Option<Box<Probe>> = "startupProbe", omit;
        /// Key `lifecycle`.
        pub lifecycle: Option<Box<Lifecycle>> = "lifecycle", omit;
        /// Key `terminationMessagePath`.
        pub termination_message_path: String = "terminationMessagePath", omit;
        /// Key `terminationMessagePolicy`.
        pub termination_message_policy: String = "terminationMessagePolicy", omit;
        /// Key `imagePullPolicy`.
        pub image_pull_policy: String = "imagePullPolicy", omit;
        /// Key `securityContext`.
        pub security_context: Option<Box<SecurityContext>> = "securityContext", omit;
        /// Key `stdin`.
        pub stdin: bool = "stdin", omit;
        /// Key `stdinOnce`.
        pub stdin_once: bool = "stdinOnce", omit;
        /// Key `tty`.
        pub tty: bool = "tty", omit;
        /// Key `targetContainerName`.
        pub target_container_name: String = "targetContainerName", omit;
    }

    /// `ContainerPort` of the wire form.
    pub struct ContainerPort ("ContainerPort") {
        /// Key `name`.
        pub name: String = "name", omit;
        /// Key `hostPort`.
        pub host_port: i32 = "hostPort", omit;
        /// Key `containerPort`.
        pub container_port: i32 = "containerPort", keep;
        /// Key `protocol`.
        pub protocol: String = "protocol", omit;
        /// Key `hostIP`.
        pub host_ip: String = "hostIP", omit;
    }

    /// `EnvVar` of the wire form.
    pub struct EnvVar ("EnvVar") {
        /// Key `name`.
        pub name: String = "name", keep;
        /// Key `value`.
        pub value: String = "value", omit;
        /// Key `valueFrom`.
        pub value_from: Option<Box<EnvVarSource>> = "valueFrom", omit;
    }

    /// `EnvVarSource` of the wire form.
    pub struct EnvVarSource ("EnvVarSource") {
        /// Key `fieldRef`.
        pub field_ref: Option<ObjectFieldSelector> = "fieldRef", omit;
        /// Key `resourceFieldRef`.
        pub resource_field_ref: Option<ResourceFieldSelector> = "resourceFieldRef", omit;
        /// Key `configMapKeyRef`.
        pub config_map_key_ref: Option<ConfigMapKeySelector> = "configMapKeyRef", omit;
        /// Key `secretKeyRef`.
        pub secret_key_ref: Option<SecretKeySelector> = "secretKeyRef", omit;
        /// Key `fileKeyRef`.
        pub file_key_ref: Option<FileKeySelector> = "fileKeyRef", omit;
    }

    /// `EnvFromSource` of the wire form.
    pub struct EnvFromSource ("EnvFromSource") {
        /// Key `prefix`.
        pub prefix: String = "prefix", omit;
        /// Key `configMapRef`.
        pub config_map_ref: Option<ConfigMapEnvSource> = "configMapRef", omit;
        /// Key `secretRef`.
        pub secret_ref: Option<SecretEnvSource> = "secretRef", omit;
    }

    /// `ConfigMapEnvSource` of the wire form.
    pub struct ConfigMapEnvSource ("ConfigMapEnvSource") {
        /// The keys of this type, which stand directly among the others.
        pub reference: LocalObjectReference = "", inline;
        /// Key `optional`.
        pub optional: Option<bool> = "optional", omit;
    }

    /// `SecretEnvSource` of the wire form.
    pub struct SecretEnvSource ("SecretEnvSource") {
        /// The keys of this type, which stand directly among the others.
        pub reference: LocalObjectReference = "", inline;
        /// Key `optional`.
        pub optional: Option<bool> = "optional", omit;
    }

    /// `ConfigMapKeySelector` of the wire form.
    pub struct ConfigMapKeySelector ("ConfigMapKeySelector") {
        /// The keys of this type, which stand directly among the others.
        pub reference: LocalObjectReference = "", inline;
        /// Key `key`.
        pub key: String = "key", keep;
        /// Key `optional`.
        pub optional: Option<bool> = "optional", omit;
    }

    /// `SecretKeySelector` of the wire form.
    pub struct SecretKeySelector ("SecretKeySelector") {
        /// The keys of this type, which stand directly among the others.
        pub reference: LocalObjectReference = "", inline;
        /// Key `key`.
        pub key: String = "key", keep;
        /// Key `optional`.
        pub optional: Option<bool> = "optional", omit;
    }

    /// `FileKeySelector` of the wire form.
    pub struct FileKeySelector ("FileKeySelector") {
        /// Key `volumeName`.
        pub volume_name: String = "volumeName", keep;
        /// Key `path`.
        pub path: String = "path", keep;
        /// Key `key`.
        pub key: String = "key", keep;
        /// Key `optional`.
        pub optional: Option<bool> = "optional", omit;
    }

    /// `ObjectFieldSelector` of the wire form.
    pub struct ObjectFieldSelector ("ObjectFieldSelector") {
        /// Key `apiVersion`.
        pub api_version: String = "apiVersion", omit;
        /// Key `fieldPath`.
        pub field_path: String = "fieldPath", keep;
    }

    /// `ResourceFieldSelector` of the wire form.
    pub struct ResourceFieldSelector ("ResourceFieldSelector") {
        /// Key `containerName`.
        pub container_name: String = "containerName", omit;
        /// Key `resource`.
        pub resource: String = "resource", keep;
        /// Key `divisor`.
        pub divisor: Quantity = "divisor", keep;
    }

    /// `ResourceRequirements` of the wire form.
    pub struct ResourceRequirements ("ResourceRequirements") {
        /// Key `limits`.
        pub limits: BTreeMap<String, Quantity> = "limits", omit;
        /// Key `requests`.
        pub requests: BTreeMap<String, Quantity> = "requests", omit;
        /// Key `claims`.
        pub claims: Vec<ResourceClaim> = "claims", omit;
    }

    /// `ResourceClaim` of the wire form.
    pub struct ResourceClaim ("ResourceClaim") {
        /// Key `name`.
        pub name: String = "name", keep;
        /// Key `request`.
        pub request: String = "request", omit;
    }

    /// `ContainerResizePolicy` of the wire form.
    pub struct ContainerResizePolicy ("ContainerResizePolicy") {
        /// Key `resourceName`.
        pub resource_name: String = "resourceName", keep;
        /// Key `restartPolicy`.
        pub restart_policy: String = "restartPolicy", keep;
    }

    /// `ContainerRestartRule` of the wire form.
    pub struct ContainerRestartRule ("ContainerRestartRule") {
        /// Key `action`.
        pub action: String = "action", keep;
        /// Key `exitCodes`.
        pub exit_codes: Option<ContainerRestartRuleOnExitCodes> = "exitCodes", omit;
    }

    /// `ContainerRestartRuleOnExitCodes` of the wire form.
    pub struct ContainerRestartRuleOnExitCodes ("ContainerRestartRuleOnExitCodes") {
        /// Key `operator`.
        pub operator: String = "operator", keep;
        /// Key `values`.
        pub values: Vec<i32> = "values", omit;
    }

    /// `VolumeMount` of the wire form.
    pub struct VolumeMount ("VolumeMount") {
        /// Key `name`.
        pub name: String = "name", keep;
        /// Key `readOnly`.
        pub read_only: bool = "readOnly", omit;
        /// Key `recursiveReadOnly`.
        pub recursive_read_only: Option<String> = "recursiveReadOnly", omit;
        /// Key `mountPath`.
        pub mount_path: String = "mountPath", keep;
        /// Key `subPath`.
        pub sub_path: String = "subPath", omit;
        /// Key `mountPropagation`.
        pub mount_propagation: Option<String> = "mountPropagation", omit;
        /// Key `subPathExpr`.
        pub sub_path_expr: String = "subPathExpr", omit;
    }

    /// `VolumeDevice` of the wire form.
    pub struct VolumeDevice ("VolumeDevice") {
        /// Key `name`.
        pub name: String = "name", keep;
        /// Key `devicePath`.
        pub device_path: String = "devicePath", keep;
    }

    /// `Probe` of the wire form.
    pub struct Probe ("Probe") {
        /// The keys of this type, which stand directly among the others.
        pub handler: ProbeHandler = "", inline;
        /// Key `initialDelaySeconds`.
        pub initial_delay_seconds: i32 = "initialDelaySeconds", omit;
        /// Key `timeoutSeconds`.
        pub timeout_seconds: i32 = "timeoutSeconds", omit;
        /// Key `periodSeconds`.
        pub period_seconds: i32 = "periodSeconds", omit;
        /// Key `successThreshold`.
        pub success_threshold: i32 = "successThreshold", omit;
        /// Key `failureThreshold`.
        pub failure_threshold: i32 = "failureThreshold", omit;
        /// Key `terminationGracePeriodSeconds`.
        pub termination_grace_period_seconds: Option<i64> = "terminationGracePeriodSeconds", omit;
    }

    /// `ProbeHandler` of the wire form.
    pub struct ProbeHandler ("ProbeHandler") {
        /// Key `exec`.
        pub exec: Option<ExecAction> = "exec", omit;
        /// Key `httpGet`.
        pub http_get: Option<Box<HttpGetAction>> = "httpGet", omit;
        /// Key `tcpSocket`.
        pub tcp_socket: Option<TcpSocketAction> = "tcpSocket", omit;
        /// Key `grpc`.
        pub grpc: Option<GrpcAction> = "grpc", omit;
    }

    /// `Lifecycle` of the wire form.
    pub struct Lifecycle ("Lifecycle") {
        /// Key `postStart`.
        pub post_start: Option<LifecycleHandler> = "postStart", omit;
        /// Key `preStop`.
        pub pre_stop: Option<LifecycleHandler> = "preStop", omit;
        /// Key `stopSignal`.
        pub stop_signal: Option<String> = "stopSignal", omit;
    }

    /// `LifecycleHandler` of the wire form.
    pub struct LifecycleHandler ("LifecycleHandler") {
        /// Key `exec`.
        pub exec: Option<ExecAction> = "exec", omit;
        /// Key `httpGet`.
        pub http_get: Option<Box<HttpGetAction>> = "httpGet", omit;
        /// Key `tcpSocket`.
        pub tcp_socket: Option<TcpSocketAction> = "tcpSocket", omit;
        /// Key `sleep`.
        pub sleep: Option<SleepAction> = "sleep", omit;
    }

    /// `ExecAction` of the wire form.
    pub struct ExecAction ("ExecAction") {
        /// Key `command`.
        pub command: Vec<String> = "command", omit;
    }

    /// `HTTPGetAction` of the wire form.
    pub struct HttpGetAction ("HTTPGetAction") {
        /// Key `path`.
        pub path: String = "path", omit;
        /// Key `port`.
        pub port: IntOrString = "port", keep;
        /// Key `host`.
        pub host: String = "host", omit;
        /// Key `scheme`.
        pub scheme: String = "scheme", omit;
        /// Key `httpHeaders`.
        pub http_headers: Vec<HttpHeader> = "httpHeaders", omit;
    }

    /// `HTTPHeader` of the wire form.
    pub struct HttpHeader ("HTTPHeader") {
        /// Key `name`.
        pub name: String = "name", keep;
        /// Key `value`.
        pub value: String = "value", keep;
    }

    /// `TCPSocketAction` of the wire form.
    pub struct TcpSocketAction ("TCPSocketAction") {
        /// Key `port`.
        pub port: IntOrString = "port", keep;
        /// Key `host`.
        pub host: String = "host", omit;
    }

    /// `GRPCAction` of the wire form.
    pub struct GrpcAction ("GRPCAction") {
        /// Key `port`.
        pub port: i32 = "port", keep;
        /// Key `service`.
        pub service: Option<String> = "service", keep;
    }

    /// `SleepAction` of the wire form.
    pub struct SleepAction ("SleepAction") {
        /// Key `seconds`.
        pub seconds: i64 = "seconds", keep;
    }
}
