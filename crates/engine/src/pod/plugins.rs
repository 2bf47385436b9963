//! Artifact plugins of a pod: which ones, and their containers (C-BLD-31, X-POD-15, X-POD-22).

use argosy_model::k8s::Container;
use argosy_model::{Artifact, ArtifactLocation, Template};
use serde_json::Value;

use super::containers::{Draft, executor_container, log_flags};
use super::{Error, PodRequest, emissary, environment, location};
use crate::config::Config;

/// Begin of the names of plugin containers beside the user's.
pub(super) const SIDECAR_PREFIX: &str = "artifact-plugin-";
/// Begin of the names of plugin init containers.
const INIT_PREFIX: &str = "init-artifact-";
/// Where plugins have their sockets.
pub(super) const SOCKETS: &str = "/tmp/artifact-plugins";

/// Names of the plugins that a pod uses.
#[derive(Debug, Default)]
pub(super) struct Plugins {
    /// For input artifacts.
    pub inputs: Vec<String>,
    /// For output artifacts and logs.
    pub outputs: Vec<String>,
}

/// The plugins of a template: each artifact's own, else the archive location's, else the default repository's.
pub(super) fn of(request: &PodRequest<'_>, template: &Template) -> Plugins {
    let repository = request
        .repository
        .and_then(|r| r.plugin.as_ref())
        .map(|p| p.name.as_str());
    let archive = template
        .archive_location
        .as_deref()
        .and_then(|l| l.plugin.as_ref())
        .map(|p| p.name.as_str());
    let fallback = archive.or(repository);
    let collect = |artifacts: &[Artifact]| {
        let mut names: Vec<String> = Vec::new();
        for artifact in artifacts {
            add(&mut names, of_artifact(artifact, fallback));
        }
        names
    };
    let inputs = collect(&template.inputs.artifacts);
    let mut outputs = collect(&template.outputs.artifacts);
    if location::archives_logs(template) {
        add(
            &mut outputs,
            archive.or(repository.filter(|_| template.archive_location.is_none())),
        );
    }
    Plugins { inputs, outputs }
}

/// The plugin that keeps an artifact; `archive` is that of artifacts which name no store.
pub(super) fn of_artifact<'a>(artifact: &'a Artifact, archive: Option<&'a str>) -> Option<&'a str> {
    let own = artifact.location.plugin.as_ref().map(|p| p.name.as_str());
    own.filter(|name| !name.is_empty())
        .or_else(|| archive.filter(|_| !names_a_store(&artifact.location)))
}

/// The name of the container that runs a plugin beside others, and of the volume with its socket.
pub(super) fn sidecar_name(plugin: &str) -> String {
    format!("{SIDECAR_PREFIX}{plugin}")
}

/// Tells the executor how long connecting to a plugin may take, where an artifact does not (X-APLG-04).
pub(super) fn add_timeouts(config: &Config, template: &mut Template) {
    let (inputs, outputs) = (&mut template.inputs.artifacts, &mut template.outputs.artifacts);
    let own = inputs.iter_mut().chain(outputs).map(|a| &mut a.location);
    for place in own.chain(template.archive_location.as_deref_mut()) {
        let Some(plugin) = &mut place.plugin else { continue };
        let driver = config
            .artifact_drivers
            .iter()
            .find(|d| d["name"] == plugin.name.as_str());
        let secs = driver.and_then(|d| i32::try_from(d["connectionTimeoutSeconds"].as_i64()?).ok());
        if let Some(secs) = secs.filter(|_| plugin.connection_timeout_seconds == 0) {
            plugin.connection_timeout_seconds = secs;
        }
    }
}

fn add(names: &mut Vec<String>, name: Option<&str>) {
    if let Some(name) = name
        && !names.iter().any(|known| known == name)
    {
        names.push(name.to_owned());
    }
}

/// Whether an artifact says what kind of store it is in, so that no plugin can be meant.
fn names_a_store(location: &ArtifactLocation) -> bool {
    location.s3.is_some()
        || location.git.is_some()
        || location.http.is_some()
        || location.artifactory.is_some()
        || location.hdfs.is_some()
        || location.raw.is_some()
        || location.oss.is_some()
        || location.gcs.is_some()
        || location.azure.is_some()
}

/// The directory of a plugin's socket.
pub(super) fn socket_directory(plugin: &str) -> String {
    format!("{SOCKETS}/{plugin}")
}

impl Plugins {
    /// Plugins that run beside the user's containers.
    pub fn beside(&self, initless: bool) -> Vec<String> {
        let mut names = self.outputs.clone();
        if initless {
            self.inputs.iter().for_each(|name| add(&mut names, Some(name)));
        }
        names
    }

    /// The names of the sidecars of some plugins, as the executor reads them.
    pub fn sidecar_names(&self, plugins: &[String]) -> String {
        plugins
            .iter()
            .map(|name| sidecar_name(name))
            .collect::<Vec<_>>()
            .join(",")
    }

    /// Sidecars of plugins.
    pub fn sidecars(&self, draft: &Draft<'_>) -> Result<Vec<Container>, Error> {
        let container = |plugin: &String| {
            let name = sidecar_name(plugin);
            container(draft, plugin, name, &["artifact-plugin-sidecar"])
        };
        self.beside(draft.initless()).iter().map(container).collect()
    }

    /// Init containers of plugins.
    pub fn inits(&self, draft: &Draft<'_>) -> Result<Vec<Container>, Error> {
        let container = |plugin: &String| {
            let name = format!("{INIT_PREFIX}{plugin}");
            container(
                draft,
                plugin,
                name,
                &["artifact-plugin-init", "--plugin-name", plugin],
            )
        };
        self.inputs.iter().map(container).collect()
    }
}

/// Whether an init container belongs to a plugin.
pub(super) fn is_init(name: &str) -> bool {
    name.starts_with(INIT_PREFIX)
}

fn container(draft: &Draft<'_>, plugin: &str, name: String, words: &[&str]) -> Result<Container, Error> {
    let request = draft.request;
    let image = image_of(request.config, plugin)?;
    let mut container = executor_container(request, &draft.template, &name);
    let entry = emissary::entry_of(request.config, request.images, &image)?;
    container.command = vec![emissary::program(request).to_owned()];
    container
        .command
        .extend(words.iter().map(|word| (*word).to_owned()));
    container.command.extend(log_flags(request.config));
    container.command.push("--".to_owned());
    container.command.extend(entry.entrypoint);
    container
        .command
        .push(format!("{}/socket", socket_directory(plugin)));
    container.args.clear();
    container.volume_mounts.clear();
    container.image = image;
    container
        .env
        .push(environment::value("ARGO_CONTAINER_NAME", name));
    Ok(container)
}

/// The image of a configured plugin.
pub(super) fn image_of(config: &Config, plugin: &str) -> Result<String, Error> {
    let text = |driver: &Value, key: &str| driver.get(key).and_then(Value::as_str).map(str::to_owned);
    config
        .artifact_drivers
        .iter()
        .find(|driver| text(driver, "name").as_deref() == Some(plugin))
        .and_then(|driver| text(driver, "image"))
        .ok_or_else(|| {
            Error::refused(format!(
                "artifact plugin '{plugin}' is not configured in artifactDrivers"
            ))
        })
}
