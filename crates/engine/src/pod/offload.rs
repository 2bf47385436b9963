//! Moves what is too big for an environment or a command line into a ConfigMap (C-BLD-45).

use std::collections::BTreeMap;

use argosy_model::k8s::{ConfigMap, Pod, Volume};
use argosy_model::{decode, go_json};
use serde_json::json;

use super::containers::{Draft, is_ours};
use super::environment::value;
use super::metadata;
use super::volumes::mount;

/// The variable with the template, and its key in the ConfigMap.
pub(super) const TEMPLATE: &str = "ARGO_TEMPLATE";
/// The variable with the file of arguments, and its key in the ConfigMap.
const ARGUMENTS: &str = "ARGO_CONTAINER_ARGS_FILE";
/// The biggest single text that Linux gives to a program, in bytes: 32 pages of 4 KiB.
const LIMIT: usize = 32 * 4096;
const VOLUME: &str = "argo-env-config";
const DIRECTORY: &str = "/argo/config";

/// Replaces big values in the pod; gives the ConfigMap that holds them.
pub(super) fn apply(draft: &Draft<'_>, pod: &mut Pod) -> Vec<ConfigMap> {
    let mut data = BTreeMap::new();
    if draft.template_text.len() > LIMIT {
        data.insert(TEMPLATE.to_owned(), draft.template_text.clone());
        let containers = pod
            .spec
            .init_containers
            .iter_mut()
            .chain(pod.spec.containers.iter_mut());
        for container in containers {
            if let Some(variable) = container.env.iter_mut().find(|v| v.name == TEMPLATE) {
                "offloaded".clone_into(&mut variable.value);
                container.volume_mounts.push(mount(VOLUME, DIRECTORY));
            }
        }
    }
    for container in pod.spec.containers.iter_mut().filter(|c| !is_ours(&c.name)) {
        let arguments = go_json::to_string(&container.args).expect("texts are always valid JSON");
        if arguments.len() <= LIMIT {
            continue;
        }
        // The first has the name that everybody knows; each further container gets a key of its own.
        let key = if data.contains_key(ARGUMENTS) {
            format!("{ARGUMENTS}_{}", container.name)
        } else {
            ARGUMENTS.to_owned()
        };
        container.args.clear();
        container.env.push(value(ARGUMENTS, format!("{DIRECTORY}/{key}")));
        if !container.volume_mounts.iter().any(|m| m.name == VOLUME) {
            container.volume_mounts.push(mount(VOLUME, DIRECTORY));
        }
        data.insert(key, arguments);
    }
    if data.is_empty() {
        return Vec::new();
    }
    pod.spec.volumes.push(volume(&pod.metadata.name));
    let mut metadata = metadata::of_node(draft.request);
    if !draft.request.config.instance_id.is_empty() {
        let id = draft.request.config.instance_id.clone();
        metadata.labels.insert(super::label::INSTANCE_ID.to_owned(), id);
    }
    vec![ConfigMap {
        metadata,
        data,
        ..ConfigMap::default()
    }]
}

fn volume(config_map: &str) -> Volume {
    decode::lenient(json!({"name": VOLUME, "configMap": {"name": config_map}}))
        .expect("the volume is well formed")
}
