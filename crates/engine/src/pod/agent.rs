//! The pod that runs the HTTP and plugin templates of a workflow (C-HTTP-05, C-PLG-01).

use std::collections::BTreeMap;

use argosy_model::k8s::{Container, EnvVar, ObjectMeta, Pod, Quantity, ResourceRequirements, VolumeMount};
use argosy_model::{ExecutorPlugin, Workflow, WorkflowSpec, go_json};

use super::containers::log_flags;
use super::volumes::{SHARED, empty, mount, secret};
use super::{Error, environment, label, metadata, patch, scheduling, security};
use crate::config::Config;
use crate::names;

/// Certificates that the agent trusts beside the system's.
const CERTIFICATES: &str = "argo-workflows-agent-ca-certificates";
const TOKEN_DIRECTORY: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// What an agent pod depends on.
#[derive(Clone, Copy)]
pub struct AgentRequest<'a> {
    /// The controller's settings.
    pub config: &'a Config,
    /// The workflow.
    pub workflow: &'a Workflow,
    /// The execution spec.
    pub spec: &'a WorkflowSpec,
    /// Executor plugins, in order.
    pub plugins: &'a [ExecutorPlugin],
    /// Token secrets by service account.
    pub token_secrets: &'a BTreeMap<String, String>,
    /// Whether the secret with certificates exists in the workflow's namespace.
    pub has_certificates: bool,
}

/// Builds the agent pod.
///
/// # Errors
/// [`Error::TokenSecretUnknown`] names an account whose token secret must be found first, [`Error::Refused`] is final.
pub fn build(request: &AgentRequest<'_>) -> Result<Pod, Error> {
    let mut pod = Pod {
        metadata: metadata(request),
        ..Pod::default()
    };
    let token = token_mount(request, &mut pod, account(request))?;
    let mut mounts = vec![mount(SHARED, "/var/run/argo"), token];
    if request.has_certificates {
        pod.spec.volumes.push(secret(CERTIFICATES, CERTIFICATES));
        mounts.push(VolumeMount {
            read_only: true,
            ..mount(CERTIFICATES, "/etc/ssl/certs/ca-certificates/")
        });
    }
    let mut sidecars = Vec::new();
    for plugin in request.plugins {
        sidecars.push(sidecar(request, &mut pod, plugin)?);
    }
    pod.spec.init_containers = vec![ours(request, "init", mounts.clone())];
    sidecars.push(ours(request, "main", mounts));
    pod.spec.containers = sidecars.into();
    pod.spec.volumes.insert(0, empty(SHARED));
    pod.spec.restart_policy = "OnFailure".to_owned();
    pod.spec.security_context = Some(Box::new(security::pod()));
    pod.spec.automount_service_account_token = Some(false);
    pod.spec
        .service_account_name
        .clone_from(&request.spec.service_account_name);
    scheduling::network(&mut pod.spec, request.spec);
    scheduling::constraints(&mut pod.spec, request.spec, None, None);
    if !request.spec.pod_spec_patch.is_empty() {
        pod.spec = patch::apply(&pod.spec, &request.spec.pod_spec_patch)
            .map_err(|_| Error::refused("Error applying PodSpecPatch"))?;
    }
    Ok(pod)
}

fn metadata(request: &AgentRequest<'_>) -> ObjectMeta {
    let workflow = &request.workflow.metadata;
    let mut labels = BTreeMap::from([
        (label::WORKFLOW.to_owned(), workflow.name.clone()),
        (label::COMPLETED.to_owned(), "false".to_owned()),
        (label::COMPONENT.to_owned(), "agent".to_owned()),
    ]);
    if !request.config.instance_id.is_empty() {
        labels.insert(label::INSTANCE_ID.to_owned(), request.config.instance_id.clone());
    }
    let mut annotations = BTreeMap::from([(label::DEFAULT_CONTAINER.to_owned(), "main".to_owned())]);
    if let Some(extra) = &request.spec.pod_metadata {
        labels.extend(extra.labels.clone());
        annotations.extend(extra.annotations.clone());
    }
    ObjectMeta {
        name: names::agent_pod(&workflow.name),
        namespace: workflow.namespace.clone(),
        labels,
        annotations,
        owner_references: vec![metadata::controlled_by(request.workflow)],
        ..ObjectMeta::default()
    }
}

fn account<'a>(request: &AgentRequest<'a>) -> &'a str {
    let name = request.spec.service_account_name.as_str();
    if name.is_empty() { "default" } else { name }
}

/// Adds the volume with an account's token; gives its mount.
fn token_mount(request: &AgentRequest<'_>, pod: &mut Pod, account: &str) -> Result<VolumeMount, Error> {
    let token = request
        .token_secrets
        .get(account)
        .ok_or_else(|| Error::TokenSecretUnknown {
            service_account: account.to_owned(),
        })?;
    let hash = names::fnv1a_32(format!("{}/{account}", request.workflow.metadata.uid).as_bytes());
    let name = format!("kube-api-access-{}", suffix(hash));
    if !pod.spec.volumes.iter().any(|v| v.name == name) {
        pod.spec.volumes.push(secret(&name, token));
    }
    Ok(VolumeMount {
        read_only: true,
        ..mount(&name, TOKEN_DIRECTORY)
    })
}

/// Five letters and digits of Kubernetes' alphabet for names, from a hash.
fn suffix(mut hash: u32) -> String {
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let count = u32::try_from(LETTERS.len()).expect("the alphabet is short");
    (0..5)
        .map(|_| {
            let letter = LETTERS[(hash % count) as usize];
            hash /= count;
            char::from(letter)
        })
        .collect()
}

fn ours(request: &AgentRequest<'_>, name: &str, mounts: Vec<VolumeMount>) -> Container {
    let config = request.config;
    let mut args = vec!["agent".to_owned(), name.to_owned()];
    args.extend(log_flags(config));
    Container {
        name: name.to_owned(),
        image: config.executor_image.clone(),
        image_pull_policy: config.executor_image_pull_policy.clone(),
        command: vec!["argoexec".to_owned()],
        args,
        env: environment(request),
        resources: resources(config),
        security_context: Some(Box::new(security::container(true))),
        volume_mounts: mounts,
        ..Container::default()
    }
}

fn environment(request: &AgentRequest<'_>) -> Vec<EnvVar> {
    let workflow = &request.workflow.metadata;
    let variables = &request.config.environment;
    let of = |name: &str, default: &str| variables.get(name).map_or(default, String::as_str).to_owned();
    let requeue = of("DEFAULT_REQUEUE_TIME", "10s");
    let names: Vec<&str> = request
        .plugins
        .iter()
        .map(|p| p.spec.sidecar.container.name.as_str())
        .collect();
    let addresses: Vec<String> = request.plugins.iter().map(address).collect();
    let json = |empty: bool, text: Result<String, serde_json::Error>| {
        if empty {
            "null".to_owned()
        } else {
            text.expect("texts are always valid JSON")
        }
    };
    let mut env = vec![
        environment::value("ARGO_WORKFLOW_NAME", &workflow.name),
        environment::value("ARGO_WORKFLOW_UID", &workflow.uid),
        environment::value("ARGO_AGENT_PATCH_RATE", of("ARGO_AGENT_PATCH_RATE", &requeue)),
        environment::value(
            "ARGO_PLUGIN_ADDRESSES",
            json(addresses.is_empty(), go_json::to_string(&addresses)),
        ),
        environment::value(
            "ARGO_PLUGIN_NAMES",
            json(names.is_empty(), go_json::to_string(&names)),
        ),
    ];
    if let Some(workers) = variables.get("ARGO_AGENT_TASK_WORKERS") {
        env.push(environment::value("ARGO_AGENT_TASK_WORKERS", workers));
    }
    env
}

fn address(plugin: &ExecutorPlugin) -> String {
    let port = plugin
        .spec
        .sidecar
        .container
        .ports
        .first()
        .map_or(0, |port| port.container_port);
    format!("http://localhost:{port}")
}

fn resources(config: &Config) -> ResourceRequirements {
    let quantity = |text: &str| text.parse::<Quantity>().unwrap_or_default();
    let of =
        |name: &str, default: &str| quantity(config.environment.get(name).map_or(default, String::as_str));
    ResourceRequirements {
        limits: BTreeMap::from([
            ("cpu".to_owned(), of("ARGO_AGENT_CPU_LIMIT", "100m")),
            ("memory".to_owned(), of("ARGO_AGENT_MEMORY_LIMIT", "256M")),
        ]),
        requests: BTreeMap::from([
            ("cpu".to_owned(), quantity("10m")),
            ("memory".to_owned(), quantity("64M")),
        ]),
        ..ResourceRequirements::default()
    }
}

/// A plugin beside the agent: it sees only its own token for the agent, and its own account's if it asks for it.
fn sidecar(request: &AgentRequest<'_>, pod: &mut Pod, plugin: &ExecutorPlugin) -> Result<Container, Error> {
    let mut container = plugin.spec.sidecar.container.clone();
    container.volume_mounts.push(VolumeMount {
        sub_path: container.name.clone(),
        read_only: true,
        ..mount(SHARED, "/var/run/argo")
    });
    if plugin.spec.sidecar.automount_service_account_token {
        let account = format!("{}-executor-plugin", plugin.metadata.name);
        container.volume_mounts.push(token_mount(request, pod, &account)?);
    }
    Ok(container)
}
