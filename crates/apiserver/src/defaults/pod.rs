//! Pods: fields that Kubernetes fills in, and the service account's volume.
//!
//! Deliberately absent: choosing a node (a scheduler does, and binds the pod) and judging the pod (see `validate`).

use serde_json::{Map, Value, json};

use super::{World, child, put};
use crate::meta;
use crate::random;
use crate::status::{Result, Status};

/// Where the account's token, certificate and namespace appear in containers.
const ACCOUNT_PATH: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

pub(super) fn on_create(pod: &mut Value, world: &World<'_>) -> Result<()> {
    child(pod, "spec");
    complete(pod);
    give_account(pod, world)?;
    let spec = child(pod, "spec");
    put(spec, "priority", json!(0));
    put(spec, "preemptionPolicy", json!("PreemptLowerPriority"));
    tolerate(spec);
    let qos = qos_class(&pod["spec"]);
    pod["status"] = json!({"phase": "Pending", "qosClass": qos});
    let chosen = pod["spec"]["nodeName"].as_str().unwrap_or_default().to_owned();
    if !chosen.is_empty() {
        bind(pod, &chosen, &world.clock.text());
    }
    Ok(())
}

/// Binds the pod to a node.
pub fn bind(pod: &mut Value, node: &str, now: &str) {
    child(pod, "spec").insert("nodeName".to_owned(), node.into());
    let status = child(pod, "status");
    let scheduled =
        json!({"type": "PodScheduled", "status": "True", "lastProbeTime": null, "lastTransitionTime": now});
    let conditions = status.entry("conditions").or_insert_with(|| json!([]));
    if let Some(conditions) = conditions.as_array_mut() {
        conditions.retain(|condition| condition["type"] != "PodScheduled");
        conditions.push(scheduled);
    }
}

/// Fills in the fields that have fixed defaults.
pub(super) fn complete(pod: &mut Value) {
    let spec = child(pod, "spec");
    for (field, value) in [
        ("restartPolicy", json!("Always")),
        ("terminationGracePeriodSeconds", json!(30)),
        ("dnsPolicy", json!("ClusterFirst")),
        ("schedulerName", json!("default-scheduler")),
        ("securityContext", json!({})),
        ("enableServiceLinks", json!(true)),
    ] {
        put(spec, field, value);
    }
    for list in ["initContainers", "containers", "ephemeralContainers"] {
        for container in elements(spec, list) {
            complete_container(container);
        }
    }
    for volume in elements(spec, "volumes") {
        complete_volume(volume);
    }
}

fn elements<'a>(
    fields: &'a mut Map<String, Value>,
    list: &str,
) -> impl Iterator<Item = &'a mut Map<String, Value>> {
    fields
        .get_mut(list)
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
        .filter_map(Value::as_object_mut)
}

fn complete_container(container: &mut Map<String, Value>) {
    let image = container.get("image").and_then(Value::as_str).unwrap_or_default();
    let policy = if is_latest(image) {
        "Always"
    } else {
        "IfNotPresent"
    };
    put(container, "imagePullPolicy", policy.into());
    put(container, "terminationMessagePath", "/dev/termination-log".into());
    put(container, "terminationMessagePolicy", "File".into());
    put(container, "resources", json!({}));
    for port in elements(container, "ports") {
        put(port, "protocol", "TCP".into());
    }
    for env in elements(container, "env") {
        if let Some(field) = env
            .get_mut("valueFrom")
            .and_then(|from| from.get_mut("fieldRef")?.as_object_mut())
        {
            put(field, "apiVersion", "v1".into());
        }
    }
    for probe in ["livenessProbe", "readinessProbe", "startupProbe"] {
        if let Some(probe) = container.get_mut(probe).and_then(Value::as_object_mut) {
            complete_probe(probe);
        }
    }
    if let Some(resources) = container.get_mut("resources").and_then(Value::as_object_mut) {
        request_limits(resources);
    }
}

/// What is limited and not requested is requested up to its limit.
fn request_limits(resources: &mut Map<String, Value>) {
    let Some(Value::Object(limits)) = resources.get("limits").cloned() else {
        return;
    };
    let requests = resources.entry("requests").or_insert_with(|| json!({}));
    let Some(requests) = requests.as_object_mut() else {
        return;
    };
    for (name, amount) in limits {
        put(requests, &name, amount);
    }
}

fn complete_probe(probe: &mut Map<String, Value>) {
    for (field, value) in [
        ("timeoutSeconds", 1),
        ("periodSeconds", 10),
        ("successThreshold", 1),
        ("failureThreshold", 3),
    ] {
        put(probe, field, value.into());
    }
    if let Some(get) = probe.get_mut("httpGet").and_then(Value::as_object_mut) {
        put(get, "path", "/".into());
        put(get, "scheme", "HTTP".into());
    }
}

/// Whether the image's tag may move, so that it is pulled for every pod.
fn is_latest(image: &str) -> bool {
    if image.contains('@') {
        return false;
    }
    let name = image.rsplit('/').next().unwrap_or(image);
    name.split_once(':').is_none_or(|(_, tag)| tag == "latest")
}

fn complete_volume(volume: &mut Map<String, Value>) {
    if volume.len() == 1 && volume.contains_key("name") {
        volume.insert("emptyDir".to_owned(), json!({}));
    }
    for source in ["secret", "configMap", "downwardAPI", "projected"] {
        if let Some(source) = volume.get_mut(source).and_then(Value::as_object_mut) {
            put(source, "defaultMode", 0o644.into());
        }
    }
    if let Some(path) = volume.get_mut("hostPath").and_then(Value::as_object_mut) {
        put(path, "type", "".into());
    }
    for list in ["downwardAPI", "projected"] {
        let Some(source) = volume.get_mut(list).and_then(Value::as_object_mut) else {
            continue;
        };
        for item in elements(source, "items") {
            complete_field_item(item);
        }
        for source in elements(source, "sources") {
            if let Some(token) = source
                .get_mut("serviceAccountToken")
                .and_then(Value::as_object_mut)
            {
                put(token, "expirationSeconds", 3600.into());
            }
            if let Some(fields) = source.get_mut("downwardAPI").and_then(Value::as_object_mut) {
                elements(fields, "items").for_each(complete_field_item);
            }
        }
    }
}

fn complete_field_item(item: &mut Map<String, Value>) {
    if let Some(field) = item.get_mut("fieldRef").and_then(Value::as_object_mut) {
        put(field, "apiVersion", "v1".into());
    }
}

/// Gives the pod its account and, unless it or the account declines, the volume with the account's token.
fn give_account(pod: &mut Value, world: &World<'_>) -> Result<()> {
    let (namespace, name) = (meta::namespace(pod).to_owned(), meta::name(pod).to_owned());
    let spec = child(pod, "spec");
    let given = |field: &str| {
        spec.get(field)
            .and_then(Value::as_str)
            .filter(|name| !name.is_empty())
    };
    let account_name = given("serviceAccountName")
        .or(given("serviceAccount"))
        .unwrap_or("default")
        .to_owned();
    let account = (world.account)(&namespace, &account_name).ok_or_else(|| {
        let why = format!(
            "error looking up service account {namespace}/{account_name}: serviceaccount {account_name:?} not found"
        );
        Status::forbidden("", "pods", &name, &why)
    })?;
    spec.insert("serviceAccountName".to_owned(), account_name.as_str().into());
    spec.insert("serviceAccount".to_owned(), account_name.into());
    if let Some(secrets) = account
        .get("imagePullSecrets")
        .filter(|s| s.as_array().is_some_and(|s| !s.is_empty()))
    {
        put(spec, "imagePullSecrets", secrets.clone());
    }
    let declines = |object: Option<&Value>| object.and_then(Value::as_bool).map(|mount| !mount);
    let own = declines(spec.get("automountServiceAccountToken"));
    if own
        .or(declines(account.get("automountServiceAccountToken")))
        .unwrap_or(false)
    {
        return Ok(());
    }
    mount_account(spec);
    Ok(())
}

fn mount_account(spec: &mut Map<String, Value>) {
    let existing = elements(spec, "volumes").find_map(|volume| {
        let name = volume.get("name")?.as_str()?;
        name.starts_with("kube-api-access-").then(|| name.to_owned())
    });
    let name = existing
        .clone()
        .unwrap_or_else(|| format!("kube-api-access-{}", random::suffix()));
    let mut mounted = false;
    for list in ["initContainers", "containers"] {
        for container in elements(spec, list) {
            let mounts = container.entry("volumeMounts").or_insert_with(|| json!([]));
            let Some(mounts) = mounts.as_array_mut() else {
                continue;
            };
            if mounts.iter().any(|mount| mount["mountPath"] == ACCOUNT_PATH) {
                continue;
            }
            mounts.push(json!({"name": name, "readOnly": true, "mountPath": ACCOUNT_PATH}));
            mounted = true;
        }
    }
    if !mounted || existing.is_some() {
        return;
    }
    let volumes = spec.entry("volumes").or_insert_with(|| json!([]));
    if let Some(volumes) = volumes.as_array_mut() {
        volumes.push(json!({"name": name, "projected": {"defaultMode": 0o644, "sources": [
            {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
            {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
            {"downwardAPI": {"items": [
                {"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}},
            ]}},
        ]}}));
    }
}

/// A pod stays for five minutes on a node that is gone, unless it says otherwise.
fn tolerate(spec: &mut Map<String, Value>) {
    let list = spec.entry("tolerations").or_insert_with(|| json!([]));
    let Some(list) = list.as_array_mut() else { return };
    for key in ["node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable"] {
        let covered = list.iter().any(|toleration| {
            let own = toleration["key"].as_str().unwrap_or_default();
            let effect = toleration["effect"].as_str().unwrap_or_default();
            (own == key || own.is_empty()) && matches!(effect, "" | "NoExecute")
        });
        if !covered {
            list.push(
                json!({"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}),
            );
        }
    }
}

/// `Guaranteed` when every container has equal requests and limits of both kinds, `BestEffort` when none has any.
fn qos_class(spec: &Value) -> &'static str {
    let (mut any, mut all) = (false, true);
    for list in ["initContainers", "containers"] {
        for container in spec[list].as_array().into_iter().flatten() {
            for resource in ["cpu", "memory"] {
                let (request, limit) = (
                    container["resources"]["requests"].get(resource),
                    container["resources"]["limits"].get(resource),
                );
                any |= request.is_some() || limit.is_some();
                all &= limit.is_some() && request == limit;
            }
        }
    }
    match (any, all) {
        (false, _) => "BestEffort",
        (true, true) => "Guaranteed",
        (true, false) => "Burstable",
    }
}
