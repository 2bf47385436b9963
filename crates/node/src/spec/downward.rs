//! Values that a pod learns about itself: fields and resources.

use std::collections::BTreeMap;

use k8s_openapi::api::core::v1::{Container, Pod, ResourceFieldSelector};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

use super::quantity;

/// Addresses that are known only once the pod has its network.
#[derive(Debug, Clone, Default)]
pub(crate) struct Addresses {
    pub(crate) host_ip: String,
    pub(crate) pod_ip: String,
}

/// The value of a field path, `metadata.name` for example. Without addresses their fields are errors, as in volumes.
pub(crate) fn field(pod: &Pod, path: &str, addresses: Option<&Addresses>) -> Result<String, String> {
    let meta = &pod.metadata;
    let spec = pod.spec.as_ref();
    let text = |value: Option<&String>| value.cloned().unwrap_or_default();
    if let Some((map, key)) = subscript(path) {
        let values = match map {
            "metadata.labels" => &meta.labels,
            "metadata.annotations" => &meta.annotations,
            _ => return Err(format!("unsupported fieldPath: {path}")),
        };
        return Ok(text(values.as_ref().and_then(|values| values.get(key))));
    }
    Ok(match (path, addresses) {
        ("metadata.name", _) => text(meta.name.as_ref()),
        ("metadata.namespace", _) => text(meta.namespace.as_ref()),
        ("metadata.uid", _) => text(meta.uid.as_ref()),
        ("metadata.labels", _) => lines(meta.labels.as_ref()),
        ("metadata.annotations", _) => lines(meta.annotations.as_ref()),
        ("spec.nodeName", _) => text(spec.and_then(|s| s.node_name.as_ref())),
        ("spec.serviceAccountName", _) => spec
            .and_then(|s| s.service_account_name.clone())
            .unwrap_or_else(|| "default".into()),
        ("status.hostIP" | "status.hostIPs", Some(addresses)) => addresses.host_ip.clone(),
        ("status.podIP" | "status.podIPs", Some(addresses)) => addresses.pod_ip.clone(),
        _ => return Err(format!("unsupported fieldPath: {path}")),
    })
}

fn subscript(path: &str) -> Option<(&str, &str)> {
    let (map, rest) = path.split_once("['")?;
    Some((map, rest.strip_suffix("']")?))
}

fn lines(values: Option<&BTreeMap<String, String>>) -> String {
    let line = |(key, value): (&String, &String)| format!("{key}={value:?}");
    values
        .into_iter()
        .flatten()
        .map(line)
        .collect::<Vec<_>>()
        .join("\n")
}

/// The value of a resource of a container; `own` is the container asking, if one does.
pub(crate) fn resource(
    pod: &Pod,
    own: Option<&Container>,
    selector: &ResourceFieldSelector,
) -> Result<String, String> {
    let spec = pod.spec.as_ref();
    let named = selector.container_name.as_deref().filter(|name| !name.is_empty());
    let all = spec
        .into_iter()
        .flat_map(|s| s.containers.iter().chain(s.init_containers.iter().flatten()));
    let container = match named {
        Some(name) => all.into_iter().find(|c| c.name == name),
        None => own,
    };
    let container =
        container.ok_or_else(|| format!("container {:?} not found", named.unwrap_or_default()))?;
    let (kind, name) = selector
        .resource
        .split_once('.')
        .unwrap_or((&selector.resource, ""));
    let resources = container.resources.as_ref();
    let from = |map: Option<&BTreeMap<String, Quantity>>| map.and_then(|m| m.get(name)).cloned();
    let limits = resources.and_then(|r| r.limits.as_ref());
    let requests = resources.and_then(|r| r.requests.as_ref());
    let value = match kind {
        "limits" => from(limits).or_else(|| allocatable(name)),
        "requests" => from(requests).or_else(|| from(limits)),
        _ => return Err(format!("unsupported container resource: {}", selector.resource)),
    };
    let zero_divisor = Quantity("1".into());
    let divisor = selector
        .divisor
        .as_ref()
        .filter(|d| !matches!(d.0.as_str(), "" | "0"))
        .unwrap_or(&zero_divisor);
    let value = value.as_ref().map_or(Some(0), quantity::milli);
    let divisor = quantity::milli(divisor).filter(|d| *d > 0);
    match (value, divisor) {
        (Some(value), Some(divisor)) => Ok(((value + divisor - 1) / divisor).to_string()),
        _ => Err(format!("{} or its divisor is no quantity", selector.resource)),
    }
}

/// What the machine has: the limit of a container without one.
fn allocatable(name: &str) -> Option<Quantity> {
    match name {
        "cpu" => std::thread::available_parallelism()
            .ok()
            .map(|n| Quantity(n.to_string())),
        "memory" => memory_bytes().map(|bytes| Quantity(bytes.to_string())),
        _ => None,
    }
}

/// Bytes of memory of the machine.
pub(crate) fn memory_bytes() -> Option<u64> {
    let info = std::fs::read_to_string("/proc/meminfo").ok()?;
    let line = info.lines().find_map(|line| line.strip_prefix("MemTotal:"))?;
    line.trim()
        .trim_end_matches("kB")
        .trim()
        .parse::<u64>()
        .ok()
        .map(|kib| kib * 1024)
}
