//! What this node will never do for a pod: said in the pod's status at once, instead of doing something else.

use k8s_openapi::api::core::v1::{
    AppArmorProfile, Container, HTTPGetAction, Pod, PodSpec, SeccompProfile, Volume,
};

use crate::cgroups;

/// Why the pod cannot run here, whatever is tried; `own_network` when pods have addresses of their own.
pub(crate) fn refusal(pod: &Pod, own_network: bool) -> Option<String> {
    let Some(spec) = &pod.spec else {
        return Some("the pod has no spec".into());
    };
    let unsupported = |what: String| format!("{what} is not supported by this node");
    of_pod(spec)
        .or_else(|| containers(spec).find_map(of_container))
        .or_else(|| spec.volumes.iter().flatten().find_map(of_volume))
        .map(unsupported)
        .or_else(|| cgroups::lacking(pod))
        .or_else(|| host_port(spec).filter(|_| own_network && spec.host_network != Some(true)))
}

fn containers(spec: &PodSpec) -> impl Iterator<Item = &Container> {
    spec.containers
        .iter()
        .chain(spec.init_containers.iter().flatten())
}

fn of_pod(spec: &PodSpec) -> Option<String> {
    let context = spec.security_context.as_ref();
    if spec.host_pid == Some(true) {
        return Some("hostPID".into());
    }
    if spec.host_users == Some(false) {
        return Some("hostUsers: false".into());
    }
    if spec.os.as_ref().is_some_and(|os| os.name != "linux") {
        return Some("an operating system other than linux".into());
    }
    if let Some(class) = &spec.runtime_class_name {
        return Some(format!("runtimeClassName {class:?}"));
    }
    let of_context = context.and_then(|c| profile(c.seccomp_profile.as_ref(), c.app_armor_profile.as_ref()));
    if let Some(profile) = of_context {
        return Some(profile);
    }
    let mut sysctls = context.into_iter().flat_map(|c| c.sysctls.iter().flatten());
    sysctls.next().map(|sysctl| format!("sysctl {}", sysctl.name))
}

/// A profile that the node cannot apply.
fn profile(seccomp: Option<&SeccompProfile>, app_armor: Option<&AppArmorProfile>) -> Option<String> {
    let file = seccomp.filter(|profile| profile.type_ == "Localhost");
    let app_armor = app_armor.filter(|profile| profile.type_ != "Unconfined");
    file.map(|_| "a seccompProfile of type Localhost".into())
        .or_else(|| app_armor.map(|profile| format!("an appArmorProfile of type {}", profile.type_)))
}

fn of_container(container: &Container) -> Option<String> {
    let name = &container.name;
    let context = container.security_context.as_ref();
    let of_context = context.and_then(|c| profile(c.seccomp_profile.as_ref(), c.app_armor_profile.as_ref()));
    if let Some(profile) = of_context {
        return Some(format!("{profile} for container {name}"));
    }
    if container
        .volume_devices
        .as_ref()
        .is_some_and(|list| !list.is_empty())
    {
        return Some(format!("volumeDevices of container {name}"));
    }
    let probes = [
        &container.startup_probe,
        &container.readiness_probe,
        &container.liveness_probe,
    ];
    let hooks = container
        .lifecycle
        .iter()
        .flat_map(|l| [&l.post_start, &l.pre_stop]);
    let asked = probes
        .into_iter()
        .flatten()
        .filter_map(|probe| probe.http_get.as_ref());
    let mut asked = asked.chain(hooks.flatten().filter_map(|hook| hook.http_get.as_ref()));
    let is_https = |http: &HTTPGetAction| http.scheme.as_deref() == Some("HTTPS");
    asked
        .any(is_https)
        .then(|| format!("a probe or hook with HTTPS of container {name}"))
}

fn of_volume(volume: &Volume) -> Option<String> {
    let known = volume.host_path.is_some()
        || volume.persistent_volume_claim.is_some()
        || volume.ephemeral.is_some()
        || volume.empty_dir.is_some()
        || volume.config_map.is_some()
        || volume.secret.is_some()
        || volume.downward_api.is_some()
        || volume.projected.is_some()
        || volume.image.is_some();
    if !known {
        return Some(format!("the kind of volume {:?}", volume.name));
    }
    let medium = volume
        .empty_dir
        .as_ref()
        .and_then(|empty| empty.medium.as_deref());
    let medium = medium.filter(|medium| !matches!(*medium, "" | "Memory"));
    medium.map(|medium| format!("medium {medium} of volume {:?}", volume.name))
}

fn host_port(spec: &PodSpec) -> Option<String> {
    let mut ports = containers(spec).flat_map(|container| container.ports.iter().flatten());
    let port = ports.find_map(|port| port.host_port.filter(|port| *port != 0))?;
    Some(format!(
        "hostPort {port} is not supported by this node: pods have addresses of their own, or hostNetwork"
    ))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_done_is_named() {
        for (spec, own_network, expected) in [
            ("{}", true, None),
            (
                r#"{"hostPID": true}"#,
                false,
                Some("hostPID is not supported by this node"),
            ),
            (
                r#"{"runtimeClassName": "gvisor"}"#,
                false,
                Some("runtimeClassName \"gvisor\" is not supported by this node"),
            ),
            (
                r#"{"securityContext": {"sysctls": [{"name": "net.x", "value": "1"}]}}"#,
                false,
                Some("sysctl net.x is not supported by this node"),
            ),
            (
                r#"{"securityContext": {"seccompProfile": {"type": "RuntimeDefault"}}}"#,
                false,
                None,
            ),
            (
                r#"{"containers": [{"name": "c", "securityContext": {"appArmorProfile": {"type": "RuntimeDefault"}}}]}"#,
                false,
                Some(
                    "an appArmorProfile of type RuntimeDefault for container c is not supported by this node",
                ),
            ),
            (
                r#"{"volumes": [{"name": "v", "nfs": {"server": "s", "path": "/"}}]}"#,
                false,
                Some("the kind of volume \"v\" is not supported by this node"),
            ),
            (
                r#"{"volumes": [{"name": "v", "emptyDir": {"medium": "HugePages"}}]}"#,
                false,
                Some("medium HugePages of volume \"v\" is not supported by this node"),
            ),
            (
                r#"{"containers": [{"name": "c", "livenessProbe": {"httpGet": {"port": 1, "scheme": "HTTPS"}}}]}"#,
                false,
                Some("a probe or hook with HTTPS of container c is not supported by this node"),
            ),
            (
                r#"{"containers": [{"name": "c", "ports": [{"containerPort": 1, "hostPort": 2}]}]}"#,
                false,
                None,
            ),
            (
                r#"{"containers": [{"name": "c", "ports": [{"containerPort": 1, "hostPort": 2}]}]}"#,
                true,
                Some(
                    "hostPort 2 is not supported by this node: pods have addresses of their own, or hostNetwork",
                ),
            ),
        ] {
            let pod = serde_json::from_str(&format!(r#"{{"spec": {spec}}}"#)).unwrap();
            assert_eq!(refusal(&pod, own_network).as_deref(), expected, "{spec}");
        }
    }
}
