//! How artifacts get into and out of the main container: mounts of the input volume and mirrors of main's own mounts
//! (C-BLD-19, C-BLD-20).

use argosy_model::k8s::VolumeMount;
use argosy_model::{Artifact, Template, TemplateType};

use super::containers::{Draft, MAIN};
use super::volumes::{MAIN_FILES, empty, mount};
use super::{Error, location, plugins};

const INPUTS: &str = "input-artifacts";
const INPUTS_DIRECTORY: &str = "/argo/inputs/artifacts";

/// Mounts for the input artifacts, when there are any.
pub(super) fn inputs(draft: &mut Draft<'_>) -> Result<(), Error> {
    if draft.template.inputs.artifacts.is_empty() {
        return Ok(());
    }
    draft.pod.spec.volumes.push(empty(INPUTS));
    let whole = mount(INPUTS, INPUTS_DIRECTORY);
    if draft.initless() {
        refuse_ancestors(&draft.template)?;
        if let Some(main) = draft.container_mut(MAIN) {
            main.volume_mounts.push(whole.clone());
        }
        if let Some(aux) = draft.aux_mut() {
            aux.volume_mounts.push(whole.clone());
        }
        for container in draft.pod.spec.containers.iter_mut() {
            if container.name.starts_with(plugins::SIDECAR_PREFIX) {
                container.volume_mounts.push(whole.clone());
            }
        }
        return Ok(());
    }
    let mirrors: Vec<VolumeMount> = own_mounts(&draft.template)
        .iter()
        .filter(|m| !is_windows_share(&draft.template, &m.mount_path))
        .map(|m| VolumeMount {
            mount_path: format!("{MAIN_FILES}{}", rooted(&m.mount_path)),
            ..m.clone()
        })
        .collect();
    for container in &mut draft.pod.spec.init_containers {
        if container.name == super::containers::INIT || plugins::is_init(&container.name) {
            container.volume_mounts.push(whole.clone());
            container.volume_mounts.extend(mirrors.iter().cloned());
        }
    }
    let mounts = artifact_mounts(&draft.template)?;
    if let Some(main) = draft.container_mut(MAIN) {
        main.volume_mounts.extend(mounts);
    }
    Ok(())
}

/// The mounts that the template itself has, which artifacts may lie in.
fn own_mounts(template: &Template) -> &[VolumeMount] {
    if let Some(container) = &template.container {
        &container.volume_mounts
    } else if let Some(script) = &template.script {
        &script.container.volume_mounts
    } else if let Some(set) = &template.container_set {
        &set.volume_mounts
    } else {
        &[]
    }
}

fn artifact_mounts(template: &Template) -> Result<Vec<VolumeMount>, Error> {
    let mut mounts = Vec::new();
    for artifact in &template.inputs.artifacts {
        if artifact.path.is_empty() {
            return Err(Error::refused(format!(
                "inputs.artifacts.{} did not specify a path",
                artifact.name
            )));
        }
        let supplied = location::has_location(&artifact.location) || location::has_key(&artifact.location);
        if !supplied && artifact.optional {
            continue;
        }
        if own_mounts(template)
            .iter()
            .any(|m| is_at_or_below(&artifact.path, &m.mount_path))
        {
            continue;
        }
        mounts.push(VolumeMount {
            sub_path: artifact.name.clone(),
            ..mount(INPUTS, &artifact.path)
        });
    }
    Ok(mounts)
}

/// Whether a path is the directory or inside it.
fn is_at_or_below(path: &str, directory: &str) -> bool {
    let directory = directory.trim_end_matches('/');
    path.strip_prefix(directory)
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

fn rooted(path: &str) -> String {
    if path.starts_with('/') {
        path.to_owned()
    } else {
        format!("/{path}")
    }
}

/// Without init containers, an artifact that holds a volume can't be put in place.
fn refuse_ancestors(template: &Template) -> Result<(), Error> {
    let below = |artifact: &Artifact, m: &&VolumeMount| {
        m.mount_path.trim_end_matches('/') != artifact.path.trim_end_matches('/')
            && is_at_or_below(&m.mount_path, &artifact.path)
    };
    for artifact in &template.inputs.artifacts {
        if let Some(m) = own_mounts(template).iter().find(|m| below(artifact, m)) {
            return Err(Error::refused(format!(
                "input artifact \"{}\" path \"{}\" is an ancestor of volume mount \"{}\" ({}); this is not supported in \
                 init-less pod mode because staging the artifact would clear the mounted volume",
                artifact.name, artifact.path, m.name, m.mount_path
            )));
        }
    }
    Ok(())
}

/// Our containers see the mounts of main, to read outputs from them.
pub(super) fn mirror_main(draft: &mut Draft<'_>) {
    if matches!(draft.kind, TemplateType::Resource | TemplateType::Data) {
        return;
    }
    let Some(mounts) = draft.container_mut(MAIN).map(|main| main.volume_mounts.clone()) else {
        return;
    };
    let template = draft.template.clone();
    let mirrors: Vec<VolumeMount> = mounts
        .into_iter()
        .filter(|m| !is_windows_share(&template, &m.mount_path))
        .map(|m| VolumeMount {
            mount_path: format!("{MAIN_FILES}{}", rooted(&m.mount_path)),
            read_only: false,
            ..m
        })
        .collect();
    if let Some(aux) = draft.aux_mut() {
        aux.volume_mounts.extend(mirrors.iter().cloned());
    }
    for container in draft.pod.spec.containers.iter_mut() {
        if container.name.starts_with(plugins::SIDECAR_PREFIX) {
            container.volume_mounts.extend(mirrors.iter().cloned());
        }
    }
}

fn is_windows_share(template: &Template, path: &str) -> bool {
    path.starts_with("\\\\")
        && template
            .node_selector
            .get("kubernetes.io/os")
            .is_some_and(|os| os == "windows")
}
