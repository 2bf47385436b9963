//! Volumes of a pod and where its containers have them, in the order that the peer writes (C-BLD-17…C-BLD-21).

use argosy_model::TemplateType;
use argosy_model::k8s::{
    Container, EmptyDirVolumeSource, ImageVolumeSource, SecretVolumeSource, Volume, VolumeMount, VolumeSource,
};

use super::containers::{Draft, KubeConfig, MAIN, is_ours};
use super::{Error, artifacts, plugins, scheduling, secrets};

/// What all containers of a pod share.
pub(super) const SHARED: &str = "var-run-argo";
/// `/tmp` of containers that use the executor's image.
pub(super) const SCRATCH: &str = "tmp-dir-argo";
/// The executor's image as a volume.
const PROGRAMS: &str = "argoexec-bin";
/// Sources of scripts.
const STAGING: &str = "argo-staging";
/// The token of the executor's own account.
const TOKEN: &str = "exec-sa-token";
const TOKEN_DIRECTORY: &str = "/var/run/secrets/kubernetes.io/serviceaccount";
/// Under which the main container's file system is seen by ours.
pub(super) const MAIN_FILES: &str = "/mainctrfs";

/// A directory that lives as long as the pod.
pub(super) fn empty(name: &str) -> Volume {
    let source = VolumeSource {
        empty_dir: Some(EmptyDirVolumeSource::default()),
        ..VolumeSource::default()
    };
    Volume {
        name: name.to_owned(),
        source,
    }
}

/// A secret with all its keys.
pub(super) fn secret(name: &str, secret: &str) -> Volume {
    let source = SecretVolumeSource {
        secret_name: secret.to_owned(),
        ..SecretVolumeSource::default()
    };
    Volume {
        name: name.to_owned(),
        source: VolumeSource {
            secret: Some(source),
            ..VolumeSource::default()
        },
    }
}

/// A mount without a sub-path.
pub(super) fn mount(name: &str, path: &str) -> VolumeMount {
    VolumeMount {
        name: name.to_owned(),
        mount_path: path.to_owned(),
        ..VolumeMount::default()
    }
}

/// Adds all volumes and mounts that exist before patches.
pub(super) fn apply(draft: &mut Draft<'_>) -> Result<(), Error> {
    if let Some(kube_config) = KubeConfig::of(draft.request) {
        draft
            .pod
            .spec
            .volumes
            .push(secret(kube_config.volume_name, kube_config.secret_name));
    }
    draft.pod.spec.volumes.push(empty(SHARED));
    draft.pod.spec.volumes.push(empty(SCRATCH));
    let own = draft.template.volumes.clone();
    draft.pod.spec.volumes.extend(own);
    if draft.initless() {
        draft
            .pod
            .spec
            .volumes
            .push(programs(&draft.request.config.executor_image));
    }
    executor_token(draft)?;
    referenced(draft)?;
    credentials(draft);
    plugin_sockets(draft);
    artifacts::inputs(draft)?;
    staging(draft);
    mirrored_by_users(draft);
    artifacts::mirror_main(draft);
    if draft.initless() {
        for container in draft.pod.spec.containers.iter_mut().filter(|c| uses_programs(c)) {
            container.volume_mounts.push(VolumeMount {
                read_only: true,
                ..mount(PROGRAMS, "/argo-bin")
            });
        }
    }
    Ok(())
}

fn programs(image: &str) -> Volume {
    let source = ImageVolumeSource {
        reference: image.to_owned(),
        ..ImageVolumeSource::default()
    };
    Volume {
        name: PROGRAMS.to_owned(),
        source: VolumeSource {
            image: Some(source),
            ..VolumeSource::default()
        },
    }
}

fn uses_programs(container: &Container) -> bool {
    !is_ours(&container.name) || container.name.starts_with(plugins::SIDECAR_PREFIX)
}

/// The token of the executor's own account, in place of the pod's (C-BLD-04).
fn executor_token(draft: &mut Draft<'_>) -> Result<(), Error> {
    let Some(account) = scheduling::executor_account(draft.request, &draft.template).map(str::to_owned)
    else {
        return Ok(());
    };
    let Some(token) = draft.request.token_secrets.get(&account) else {
        return Err(Error::TokenSecretUnknown {
            service_account: account,
        });
    };
    draft.pod.spec.volumes.push(secret(TOKEN, token));
    Ok(())
}

/// Where containers of ours find that token.
pub(super) fn executor_token_mount() -> VolumeMount {
    VolumeMount {
        read_only: true,
        ..mount(TOKEN, TOKEN_DIRECTORY)
    }
}

/// Volumes that the user's containers mount: from the template, the workflow, the claims made for it.
fn referenced(draft: &mut Draft<'_>) -> Result<(), Error> {
    let spec = &draft.pod.spec;
    let mains = spec
        .containers
        .iter()
        .filter(|c| !is_ours(&c.name) && !is_sidecar(draft, &c.name));
    let inits = draft.template.init_containers.iter().map(|c| &c.container);
    let sidecars = draft.template.sidecars.iter().map(|c| &c.container);
    let kube_config = KubeConfig::of(draft.request).map(|k| k.volume_name);
    let names: Vec<String> = mains
        .chain(inits)
        .chain(sidecars)
        .flat_map(|c| &c.volume_mounts)
        .map(|m| m.name.clone())
        .filter(|name| Some(name.as_str()) != kube_config && name != TOKEN)
        .collect();
    for name in names {
        if draft.pod.spec.volumes.iter().any(|v| v.name == name) {
            continue;
        }
        let known = draft.request.spec.volumes.iter().chain(draft.request.claims);
        let Some(volume) = known.into_iter().find(|v| v.name == name).cloned() else {
            return Err(Error::refused(format!(
                "volume '{name}' not found in workflow spec"
            )));
        };
        draft.pod.spec.volumes.push(volume);
    }
    Ok(())
}

fn is_sidecar(draft: &Draft<'_>, name: &str) -> bool {
    draft.template.sidecars.iter().any(|s| s.container.name == name)
}

fn credentials(draft: &mut Draft<'_>) {
    let volumes = secrets::volumes(&draft.template);
    let mounts: Vec<VolumeMount> = volumes.iter().map(secrets::mount).collect();
    draft.pod.spec.volumes.extend(volumes);
    if let Some(init) = draft.init_mut() {
        init.volume_mounts.extend(mounts.clone());
    }
    if let Some(aux) = draft.aux_mut() {
        aux.volume_mounts.extend(mounts.clone());
    }
    if draft.kind == TemplateType::Data
        && let Some(main) = draft.container_mut(MAIN)
    {
        main.volume_mounts.extend(mounts);
    }
}

fn plugin_sockets(draft: &mut Draft<'_>) {
    for plugin in draft.plugins.beside(draft.initless()) {
        let name = plugins::sidecar_name(&plugin);
        let socket = mount(&name, &plugins::socket_directory(&plugin));
        draft.pod.spec.volumes.push(empty(&name));
        if let Some(aux) = draft.aux_mut() {
            aux.volume_mounts.push(socket.clone());
        }
        if let Some(sidecar) = draft.container_mut(&name) {
            sidecar.volume_mounts.push(socket);
        }
    }
}

fn staging(draft: &mut Draft<'_>) {
    if draft.kind != TemplateType::Script {
        return;
    }
    draft.pod.spec.volumes.push(empty(STAGING));
    let staging = mount(STAGING, "/argo/staging");
    if let Some(init) = draft.init_mut() {
        init.volume_mounts.push(staging.clone());
    } else if let Some(aux) = draft.aux_mut() {
        aux.volume_mounts.push(staging.clone());
    }
    if let Some(main) = draft.container_mut(MAIN) {
        main.volume_mounts.push(staging);
    }
}

/// Sidecars and init containers of the user that want the mounts of the main container (C-DMN-06).
fn mirrored_by_users(draft: &mut Draft<'_>) {
    let names: Vec<String> = draft.mirroring().map(|c| c.container.name.clone()).collect();
    let Some(mounts) = draft.container_mut(MAIN).map(|main| main.volume_mounts.clone()) else {
        return;
    };
    let spec = &mut draft.pod.spec;
    for container in spec.init_containers.iter_mut().chain(spec.containers.iter_mut()) {
        if names.contains(&container.name) {
            container.volume_mounts.extend(mounts.iter().cloned());
        }
    }
}
