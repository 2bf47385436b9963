//! The pod that deletes artifacts, and the tasks that tell it which (C-AGC-03, C-AGC-04, X-GC-10 to X-GC-13).
//!
//! Not here: when it is made, and what follows from its end.

use std::collections::{BTreeMap, BTreeSet};

use argosy_model::k8s::{
    Container, EnvVar, EnvVarSource, ObjectFieldSelector, ObjectMeta, Pod, Quantity, ResourceRequirements,
    Time,
};
use argosy_model::{
    Artifact, ArtifactGcSpec, ArtifactGcStrategy, ArtifactLocation, ArtifactNodeSpec, Workflow,
    WorkflowArtifactGcTask, WorkflowSpec,
};
use jiff::Timestamp;

use super::containers::log_flags;
use super::emissary::LEGACY_PROGRAM;
use super::volumes::{SHARED, empty, mount};
use super::{Error, emissary, environment, label, metadata, patch, plugins, secrets, security};
use crate::config::{Config, ImageConfig};
use crate::names;

/// Selects the tasks of a pod.
const TASKS_OF: &str = "workflows.argoproj.io/artifact-gc-pod";
/// Tells why the pod is there.
pub(crate) const STRATEGY: &str = "workflows.argoproj.io/artifact-gc-strategy";
/// The component that such pods are.
pub(crate) const COMPONENT: &str = "artifact-gc";
/// Tells the program which containers run plugins.
const PLUGIN_NAMES: &str = "ARGO_ARTIFACT_PLUGIN_NAMES";
/// A task is not made larger than this, in bytes of JSON: the API takes about 1.5 MB, and results are added.
const TASK_LIMIT: usize = 512 * 1024;

/// Who deletes, and as what: artifacts that agree in this share a pod.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Group {
    pub service_account: String,
    pub labels: BTreeMap<String, String>,
    pub annotations: BTreeMap<String, String>,
}

/// What one pod is to delete.
pub(crate) struct Request<'a> {
    pub config: &'a Config,
    pub workflow: &'a Workflow,
    pub spec: &'a WorkflowSpec,
    pub strategy: &'a ArtifactGcStrategy,
    pub group: &'a Group,
    /// By node id: where its template puts artifacts, and those to delete.
    pub artifacts: &'a BTreeMap<String, (Option<Box<ArtifactLocation>>, Vec<Artifact>)>,
    /// Entrypoints of images, for plugins.
    pub images: &'a BTreeMap<String, Result<ImageConfig, String>>,
    pub now: Timestamp,
}

/// The name of the pod; `None` for strategies that delete nothing.
pub(crate) fn name(workflow: &str, strategy: &ArtifactGcStrategy, group: &Group) -> Option<String> {
    let pairs = |map: &BTreeMap<String, String>| -> Vec<(String, String)> {
        map.iter().map(|(k, v)| (k.clone(), v.clone())).collect()
    };
    let (labels, annotations) = (pairs(&group.labels), pairs(&group.annotations));
    names::artifact_gc_pod(
        workflow,
        strategy.as_str(),
        &group.service_account,
        labels.iter().map(|(k, v)| (k.as_str(), v.as_str())),
        annotations.iter().map(|(k, v)| (k.as_str(), v.as_str())),
    )
}

/// The value by which a pod finds its tasks.
pub(crate) fn tasks_label(pod: &str) -> String {
    names::fnv1a_32(pod.as_bytes()).to_string()
}

/// The label selector of a pod's tasks.
pub(crate) fn tasks_selector(pod: &str) -> String {
    format!("{TASKS_OF}={}", tasks_label(pod))
}

/// The tasks of a pod, and the pod, which the tasks will own.
///
/// # Errors
/// The workflow's patch for such pods does not fit, or a plugin is not configured; [`Error::ImageUnknown`] names what
/// to look up before another try.
pub(crate) fn build(request: &Request<'_>, name: &str) -> Result<(Vec<WorkflowArtifactGcTask>, Pod), Error> {
    Ok((tasks(request, name), pod(request, name)?))
}

fn tasks(request: &Request<'_>, pod: &str) -> Vec<WorkflowArtifactGcTask> {
    let mut specs = vec![ArtifactGcSpec::default()];
    let mut size = 0;
    for (node, (place, artifacts)) in request.artifacts {
        for artifact in artifacts {
            let length = |value: Result<String, serde_json::Error>| value.map_or(0, |text| text.len());
            let more = length(serde_json::to_string(artifact));
            if size > 0 && size + more > TASK_LIMIT {
                specs.push(ArtifactGcSpec::default());
                size = 0;
            }
            size += more;
            let spec = specs.last_mut().expect("there is always one");
            let of_node = spec.artifacts_by_node.entry(node.clone()).or_insert_with(|| {
                size += length(serde_json::to_string(place));
                ArtifactNodeSpec {
                    archive_location: place.clone(),
                    ..ArtifactNodeSpec::default()
                }
            });
            of_node.artifacts.insert(artifact.name.clone(), artifact.clone());
        }
    }
    let task = |(index, spec)| {
        let mut labels = BTreeMap::from([(TASKS_OF.to_owned(), tasks_label(pod))]);
        add_instance(request.config, &mut labels);
        WorkflowArtifactGcTask {
            type_meta: argosy_model::k8s::TypeMeta {
                api_version: "argoproj.io/v1alpha1".to_owned(),
                kind: "WorkflowArtifactGCTask".to_owned(),
            },
            metadata: ObjectMeta {
                name: format!("{pod}-{index}"),
                namespace: request.workflow.metadata.namespace.clone(),
                labels,
                owner_references: vec![metadata::controlled_by(request.workflow)],
                ..ObjectMeta::default()
            },
            spec,
            ..WorkflowArtifactGcTask::default()
        }
    };
    specs.into_iter().enumerate().map(task).collect()
}

/// The other engine writes it under a wrong name, and then waits for ever for pods that it cannot see.
fn add_instance(config: &Config, labels: &mut BTreeMap<String, String>) {
    if !config.instance_id.is_empty() {
        labels.insert(label::INSTANCE_ID.to_owned(), config.instance_id.clone());
    }
}

fn pod(request: &Request<'_>, name: &str) -> Result<Pod, Error> {
    let (workflow, group) = (&request.workflow.metadata, request.group);
    let mut labels = group.labels.clone();
    labels.extend([
        (label::WORKFLOW.to_owned(), workflow.name.clone()),
        (label::COMPONENT.to_owned(), COMPONENT.to_owned()),
        (label::COMPLETED.to_owned(), "false".to_owned()),
    ]);
    add_instance(request.config, &mut labels);
    let mut annotations = group.annotations.clone();
    annotations.insert(STRATEGY.to_owned(), request.strategy.to_string());
    let locations = request.artifacts.values().flat_map(|(place, artifacts)| {
        place
            .as_deref()
            .into_iter()
            .chain(artifacts.iter().map(|a| &a.location))
    });
    let mut volumes = secrets::volumes_of(locations);
    for secret in volumes.iter_mut().filter_map(|v| v.source.secret.as_mut()) {
        // A secret that is gone by now is the failure of its artifacts; without this, the pod would wait for it for ever.
        secret.optional = Some(true);
    }
    let mut pod = Pod {
        metadata: ObjectMeta {
            name: name.to_owned(),
            namespace: workflow.namespace.clone(),
            labels,
            annotations,
            ..ObjectMeta::default()
        },
        ..Pod::default()
    };
    let mut container = container(request, "main", &["artifact", "delete"]);
    container.env.extend([
        environment::value("ARGO_DEADLINE", Time(request.now).to_string()),
        environment::value("ARGO_ARTIFACT_POD_NAME", tasks_label(name)),
        environment::value(PLUGIN_NAMES, ""),
    ]);
    container.volume_mounts = volumes.iter().map(secrets::mount).collect();
    pod.spec.containers = vec![container].into();
    pod.spec.volumes = volumes;
    pod.spec.restart_policy = "Never".to_owned();
    pod.spec.service_account_name.clone_from(&group.service_account);
    pod.spec.security_context = Some(Box::new(security::pod()));
    pod.spec
        .image_pull_secrets
        .clone_from(&request.spec.image_pull_secrets);
    add_plugins(request, &mut pod)?;
    let own = request.spec.artifact_gc.as_deref();
    if let Some(text) = own.map(|gc| &gc.pod_spec_patch).filter(|text| !text.is_empty()) {
        pod.spec = patch::apply(&pod.spec, text).map_err(|e| Error::refused(e.to_string()))?;
    }
    Ok(pod)
}

/// Plugins that keep some of the artifacts: their sidecars, and what these need (X-GC-12, X-APLG-22).
fn add_plugins(request: &Request<'_>, pod: &mut Pod) -> Result<(), Error> {
    let mut plugins = BTreeSet::new();
    for (place, artifacts) in request.artifacts.values() {
        let archive = place
            .as_ref()
            .and_then(|p| p.plugin.as_ref())
            .map(|p| p.name.as_str());
        plugins.extend(artifacts.iter().filter_map(|a| plugins::of_artifact(a, archive)));
    }
    if plugins.is_empty() {
        return Ok(());
    }
    let names: Vec<String> = plugins.iter().map(|p| plugins::sidecar_name(p)).collect();
    let mut init = container(request, "init", &["init"]);
    init.volume_mounts.push(mount(SHARED, "/var/run/argo"));
    pod.spec.init_containers = vec![init];
    pod.spec.volumes.push(empty(SHARED));
    for (plugin, name) in plugins.iter().zip(&names) {
        pod.spec.volumes.push(empty(name));
        let socket = mount(name, &plugins::socket_directory(plugin));
        let mounts = [mount(SHARED, "/var/run/argo"), socket.clone()];
        let mut sidecar = container(request, name, &[]);
        sidecar.env.push(environment::value("ARGO_CONTAINER_NAME", name));
        sidecar.image = plugins::image_of(request.config, plugin)?;
        sidecar.image_pull_policy.clear();
        let entry = emissary::entry_of(request.config, request.images, &sidecar.image)?;
        sidecar.command = vec![LEGACY_PROGRAM.to_owned(), "emissary".to_owned()];
        sidecar.command.append(&mut sidecar.args);
        sidecar.command.push("--".to_owned());
        sidecar.command.extend(entry.entrypoint);
        sidecar
            .command
            .push(format!("{}/socket", plugins::socket_directory(plugin)));
        sidecar.security_context = Some(Box::new(security::container(false)));
        sidecar.volume_mounts = mounts.to_vec();
        pod.spec.containers.push(sidecar);
        if let Some(main) = pod.spec.containers.first_mut() {
            main.volume_mounts.push(socket);
        }
    }
    if let Some(main) = pod.spec.containers.first_mut() {
        main.volume_mounts.push(mount(SHARED, "/var/run/argo"));
        let variable = main.env.iter_mut().find(|e| e.name == PLUGIN_NAMES);
        variable.expect("every container has it").value = names.join(",");
    }
    Ok(())
}

/// A container of ours that runs this command.
fn container(request: &Request<'_>, name: &str, command: &[&str]) -> Container {
    let config = request.config;
    let mut args: Vec<String> = command.iter().map(|&word| word.to_owned()).collect();
    args.extend(log_flags(config));
    let own_name = EnvVar {
        name: "ARGO_POD_NAME".to_owned(),
        value: String::new(),
        value_from: Some(Box::new(EnvVarSource {
            field_ref: Some(ObjectFieldSelector {
                api_version: "v1".to_owned(),
                field_path: "metadata.name".to_owned(),
            }),
            ..EnvVarSource::default()
        })),
    };
    Container {
        name: name.to_owned(),
        image: config.executor_image.clone(),
        image_pull_policy: config.executor_image_pull_policy.clone(),
        command: vec!["argoexec".to_owned()],
        args,
        env: vec![own_name, environment::value("ARGO_TEMPLATE", "{}")],
        resources: resources(),
        security_context: Some(Box::new(security::container(true))),
        ..Container::default()
    }
}

fn resources() -> ResourceRequirements {
    let of = |cpu: &str, memory: &str| {
        let quantity = |text: &str| text.parse::<Quantity>().unwrap_or_default();
        BTreeMap::from([
            ("cpu".to_owned(), quantity(cpu)),
            ("memory".to_owned(), quantity(memory)),
        ])
    };
    ResourceRequirements {
        limits: of("100m", "64Mi"),
        requests: of("50m", "32Mi"),
        ..ResourceRequirements::default()
    }
}
