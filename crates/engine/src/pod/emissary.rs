//! The emissary around the user's commands, and the mounts that go into every container (C-BLD-18, C-BLD-30).

use std::collections::BTreeMap;

use argosy_model::TemplateType;
use argosy_model::k8s::{Container, Pod, VolumeMount};

use super::containers::{Draft, MAIN, is_ours, log_flags};
use super::volumes::{SCRATCH, SHARED, mount};
use super::{Error, PodRequest};
use crate::config::{Config, ImageConfig};

/// Where to read about images and commands.
const HELP: &str = "https://argo-workflows.readthedocs.io/en/latest/workflow-executors/#emissary-emissary";

/// The path of our program where an init container puts it.
pub(super) const LEGACY_PROGRAM: &str = "/var/run/argo/argoexec";

/// The path of our program inside the user's containers.
pub(super) fn program(request: &PodRequest<'_>) -> &'static str {
    if request.config.initless_pod {
        "/argo-bin/bin/argoexec"
    } else {
        LEGACY_PROGRAM
    }
}

/// Puts the emissary before every command of the user.
pub(super) fn wrap(draft: &Draft<'_>, pod: &mut Pod) -> Result<(), Error> {
    let request = draft.request;
    let shared_outputs = !draft.plugins.outputs.is_empty();
    for container in &mut pod.spec.init_containers {
        container.volume_mounts.push(mount(SHARED, "/var/run/argo"));
    }
    for (index, container) in pod.spec.containers.iter_mut().enumerate() {
        if !is_ours(&container.name) {
            wrap_one(request, container)?;
        }
        if has_our_image(draft, container) {
            let scratch = VolumeMount {
                sub_path: index.to_string(),
                ..mount(SCRATCH, "/tmp")
            };
            container.volume_mounts.push(scratch);
        }
        if shared_outputs && is_ours(&container.name) {
            let outputs = VolumeMount {
                sub_path: "argo/outputs".to_owned(),
                ..mount(SCRATCH, "/tmp/argo/outputs")
            };
            container.volume_mounts.push(outputs);
        }
        container.volume_mounts.push(mount(SHARED, "/var/run/argo"));
    }
    Ok(())
}

/// Whether a container runs a program of ours from our image. A user's container with the same image keeps its own
/// `/tmp`.
fn has_our_image(draft: &Draft<'_>, container: &Container) -> bool {
    let ours = is_ours(&container.name)
        || (container.name == MAIN && matches!(draft.kind, TemplateType::Resource | TemplateType::Data));
    ours && container.image == draft.request.config.executor_image
}

fn wrap_one(request: &PodRequest<'_>, container: &mut Container) -> Result<(), Error> {
    if container.command.is_empty() {
        let entry = entry_of(request.config, request.images, &container.image)?;
        container.command = entry.entrypoint;
        if container.args.is_empty() {
            container.args = entry.cmd;
        }
    }
    let mut command = vec![program(request).to_owned(), "emissary".to_owned()];
    command.extend(log_flags(request.config));
    command.push("--".to_owned());
    command.append(&mut container.command);
    container.command = command;
    Ok(())
}

/// Entrypoint and command of an image: configured, else looked up.
pub(super) fn entry_of(
    config: &Config,
    looked_up: &BTreeMap<String, Result<ImageConfig, String>>,
    image: &str,
) -> Result<ImageConfig, Error> {
    if let Some(known) = config.images.get(image) {
        return Ok(known.clone());
    }
    match looked_up.get(image) {
        Some(Ok(found)) => Ok(found.clone()),
        Some(Err(why)) => Err(Error::refused(format!(
            "failed to look-up entrypoint/cmd for image \"{image}\", you must either explicitly specify the command, or \
             list the image's command in the index: {HELP}: {why}"
        ))),
        None => Err(Error::ImageUnknown {
            image: image.to_owned(),
        }),
    }
}
