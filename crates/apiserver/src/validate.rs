//! Rules that objects must keep, worded as Kubernetes words them.
//!
//! Deliberately absent: schemas of custom kinds (see `schema`).

use serde_json::{Map, Value, json};

use crate::kinds::{Kind, Origin};
use crate::meta;
use crate::status::{Cause, Result, Status};

/// Makes sure that the sent object is one of this kind; a missing kind or version is filled in.
///
/// # Errors
/// 400 for another kind or version, or for something that is no object.
pub fn envelope(kind: &Kind, object: &mut Value) -> Result<()> {
    let Some(fields) = object.as_object_mut() else {
        let said = "couldn't get version/kind; json parse error: json: cannot unmarshal into Go value";
        return Err(Status::bad_request(said));
    };
    let version = kind.api_version();
    let said = |fields: &Map<String, Value>, field: &str| {
        fields
            .get(field)
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned()
    };
    let (sent_version, sent_kind) = (said(fields, "apiVersion"), said(fields, "kind"));
    if kind.origin == Origin::Custom && (sent_kind.is_empty() || sent_version.is_empty()) {
        let field = if sent_kind.is_empty() {
            "Kind"
        } else {
            "apiVersion"
        };
        let said = format!(
            "Object '{field}' is missing in '{}'",
            Value::Object(fields.clone())
        );
        return Err(Status::bad_request(said));
    }
    if !sent_version.is_empty() && sent_version != version {
        let said = if kind.origin == Origin::Custom {
            format!(
                "the API version in the data ({sent_version}) does not match the expected API version ({version})"
            )
        } else {
            // Go's place in a file is part of the words that clients have always seen.
            format!(
                "{} in version {:?} cannot be handled as a {}: no kind {:?} is registered for version {sent_version:?} \
                 in scheme \"pkg/runtime/scheme.go:110\"",
                kind.kind,
                sent_version.rsplit('/').next().unwrap_or_default(),
                kind.kind,
                if sent_kind.is_empty() {
                    &kind.kind
                } else {
                    &sent_kind
                },
            )
        };
        return Err(Status::bad_request(said));
    }
    if !sent_kind.is_empty() && sent_kind != kind.kind {
        let said = format!(
            "{sent_kind} in version {:?} cannot be handled as a {}: converting ({sent_version}.{sent_kind}) \
            to ({version}.{}): unknown conversion",
            kind.version, kind.kind, kind.kind
        );
        return Err(Status::bad_request(said));
    }
    fields.insert("apiVersion".to_owned(), version.into());
    fields.insert("kind".to_owned(), kind.kind.as_str().into());
    match fields.get("metadata") {
        None | Some(Value::Null) => drop(fields.insert("metadata".to_owned(), json!({}))),
        Some(Value::Object(_)) => {}
        Some(_) => return Err(Status::bad_request("metadata: Invalid value: must be an object")),
    }
    Ok(())
}

/// Makes sure that the sent object is meant for the place in the URL.
///
/// # Errors
/// 400 for another namespace or name, or none.
pub fn place(object: &Value, namespace: &str, name: Option<&str>) -> Result<()> {
    let sent = meta::namespace(object).to_owned();
    if !sent.is_empty() && sent != namespace {
        let said = "the namespace of the provided object does not match the namespace sent on the request";
        return Err(Status::bad_request(said));
    }
    let Some(name) = name else { return Ok(()) };
    let sent = meta::name(object).to_owned();
    if sent.is_empty() {
        return Err(Status::bad_request(format!(
            "the name of the object ({name} based on URL) was undeterminable: name must be provided"
        )));
    }
    if sent != name {
        let said = format!("the name of the object ({sent}) does not match the name on the URL ({name})");
        return Err(Status::bad_request(said));
    }
    Ok(())
}

const SUBDOMAIN: &str = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and \
    must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const LABEL: &str = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and \
    end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is \
    '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
const QUALIFIED: &str = "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
    alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
    '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";
const LABEL_VALUE: &str = "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and \
    must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for \
    validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')";
/// What annotations of one object may weigh together, in bytes.
const MAX_ANNOTATIONS: usize = 256 * 1024;

/// What is wrong with an object's metadata.
pub fn metadata(kind: &Kind, object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let name = meta::name(object);
    if !name.is_empty() {
        causes.extend(name_faults(kind, name).map(|why| Cause::invalid("metadata.name", &json!(name), &why)));
    }
    let empty = Map::new();
    let own = meta::metadata(object).unwrap_or(&empty);
    if let Some(labels) = own.get("labels").and_then(Value::as_object) {
        for (key, value) in labels {
            causes.extend(key_fault(key).map(|why| Cause::invalid("metadata.labels", &json!(key), &why)));
            let faults = value_faults(value.as_str().unwrap_or_default());
            causes.extend(faults.map(|why| Cause::invalid("metadata.labels", value, why)));
        }
    }
    if let Some(annotations) = own.get("annotations").and_then(Value::as_object) {
        let mut size = 0;
        for (key, value) in annotations {
            size += key.len() + value.as_str().unwrap_or_default().len();
            let lower = key.to_lowercase();
            causes.extend(
                key_fault(&lower).map(|why| Cause::invalid("metadata.annotations", &json!(key), &why)),
            );
        }
        if size > MAX_ANNOTATIONS {
            let message = format!("Too long: may not be more than {MAX_ANNOTATIONS} bytes");
            causes.push(Cause {
                reason: "FieldValueTooLong",
                message,
                field: "metadata.annotations".into(),
            });
        }
    }
    for (at, owner) in meta::owners(object).iter().enumerate() {
        for field in ["apiVersion", "kind", "name", "uid"] {
            if owner[field].as_str().unwrap_or_default().is_empty() {
                let detail = match field {
                    "apiVersion" => "version must not be empty",
                    _ => "must not be empty",
                };
                let place = format!("metadata.ownerReferences[{at}].{field}");
                causes.push(Cause::invalid(place, &json!(""), detail));
            }
        }
    }
    causes
}

fn name_faults(kind: &Kind, name: &str) -> Option<String> {
    match kind.plural.as_str() {
        _ if kind.group == "rbac.authorization.k8s.io" => {
            let bad = name == "." || name == ".." || name.contains(['/', '%']);
            bad.then(|| "may not contain '/' or '%'".to_owned())
        }
        "namespaces" | "services" => {
            if name.len() > 63 {
                return Some("must be no more than 63 characters".to_owned());
            }
            (!is_label(name)).then(|| LABEL.to_owned())
        }
        _ if name.len() > 253 => Some("must be no more than 253 characters".to_owned()),
        _ => (!name.split('.').all(is_label)).then(|| SUBDOMAIN.to_owned()),
    }
}

fn is_label(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    text.starts_with(fits) && text.ends_with(fits) && text.chars().all(|c| fits(c) || c == '-')
}

fn is_qualified(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric();
    text.starts_with(fits)
        && text.ends_with(fits)
        && text.chars().all(|c| fits(c) || matches!(c, '-' | '_' | '.'))
}

fn key_fault(key: &str) -> Option<String> {
    let (prefix, name) = match key.split_once('/') {
        Some((prefix, name)) => (Some(prefix), name),
        None => (None, key),
    };
    if prefix.is_some_and(|prefix| !prefix.split('.').all(is_label)) {
        return Some(format!("prefix part {SUBDOMAIN}"));
    }
    if name.len() > 63 {
        return Some("name part must be no more than 63 characters".to_owned());
    }
    (!is_qualified(name)).then(|| QUALIFIED.to_owned())
}

fn value_faults(value: &str) -> impl Iterator<Item = &'static str> {
    let long = (value.len() > 63).then_some("must be no more than 63 characters");
    let odd = (!value.is_empty() && !is_qualified(value)).then_some(LABEL_VALUE);
    long.into_iter().chain(odd)
}

/// Why these are no label's key and value; `None` when they are.
pub fn label_fault(key: &str, value: &str) -> Option<String> {
    key_fault(key).or_else(|| value_faults(value).next().map(str::to_owned))
}

/// What is wrong with the rest of an object, for the built-in kinds where it matters to us.
pub fn body(kind: &Kind, object: &Value) -> Vec<Cause> {
    if kind.origin == Origin::Custom || !kind.group.is_empty() {
        return Vec::new();
    }
    match kind.plural.as_str() {
        "pods" => pod(&object["spec"]),
        _ => Vec::new(),
    }
}

fn pod(spec: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    let list = |field: &str| spec[field].as_array().map(Vec::as_slice).unwrap_or_default();
    if list("containers").is_empty() {
        causes.push(Cause::required("spec.containers", ""));
    }
    let mut names: Vec<&str> = Vec::new();
    for field in ["initContainers", "containers"] {
        for (at, container) in list(field).iter().enumerate() {
            let place = |field_name: &str| format!("spec.{field}[{at}].{field_name}");
            let name = container["name"].as_str().unwrap_or_default();
            if name.is_empty() {
                causes.push(Cause::required(place("name"), ""));
            } else if !is_label(name) || name.len() > 63 {
                causes.push(Cause::invalid(place("name"), &container["name"], LABEL));
            } else if names.contains(&name) {
                causes.push(Cause::duplicate(place("name"), &container["name"]));
            }
            names.push(name);
            if container["image"].as_str().unwrap_or_default().is_empty() {
                causes.push(Cause::required(place("image"), ""));
            }
            let mounts = container["volumeMounts"]
                .as_array()
                .map(Vec::as_slice)
                .unwrap_or_default();
            for (mount_at, mount) in mounts.iter().enumerate() {
                if !list("volumes")
                    .iter()
                    .any(|volume| volume["name"] == mount["name"])
                {
                    causes.push(Cause::not_found(
                        place(&format!("volumeMounts[{mount_at}].name")),
                        &mount["name"],
                    ));
                }
            }
        }
    }
    let mut volumes: Vec<&str> = Vec::new();
    for (at, volume) in list("volumes").iter().enumerate() {
        let name = volume["name"].as_str().unwrap_or_default();
        let place = format!("spec.volumes[{at}].name");
        if name.is_empty() {
            causes.push(Cause::required(place, ""));
        } else if !is_label(name) || name.len() > 63 {
            causes.push(Cause::invalid(place, &volume["name"], LABEL));
        } else if volumes.contains(&name) {
            causes.push(Cause::duplicate(place, &volume["name"]));
        }
        volumes.push(name);
    }
    if let Some(policy) = spec["restartPolicy"]
        .as_str()
        .filter(|p| !matches!(*p, "Always" | "OnFailure" | "Never"))
    {
        let known = ["Always", "OnFailure", "Never"].map(str::to_owned);
        causes.push(Cause::not_supported("spec.restartPolicy", &json!(policy), &known));
    }
    causes
}

/// What may not change between two states of an object.
pub fn transition(kind: &Kind, current: &Value, wanted: &Value, subresource: &str) -> Vec<Cause> {
    let mut causes = Vec::new();
    let core = kind.group.is_empty() && kind.origin == Origin::Builtin;
    if core && matches!(kind.plural.as_str(), "configmaps" | "secrets") && current["immutable"] == true {
        for field in ["data", "binaryData"] {
            if current.get(field) != wanted.get(field) {
                causes.push(Cause::forbidden(
                    field,
                    "field is immutable when `immutable` is set",
                ));
            }
        }
    }
    if core
        && kind.plural == "pods"
        && subresource.is_empty()
        && pod_core(&current["spec"]) != pod_core(&wanted["spec"])
    {
        let detail = "pod updates may not change fields other than `spec.containers[*].image`,\
            `spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing \
            tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)";
        causes.push(Cause::forbidden("spec", detail));
    }
    if kind.group == "rbac.authorization.k8s.io" && current.get("roleRef") != wanted.get("roleRef") {
        let role = &wanted["roleRef"];
        let text = |field: &str| role[field].as_str().unwrap_or_default();
        let shown = json!({
            "APIGroup": text("apiGroup"), "Kind": text("kind"), "Name": text("name"),
        });
        causes.push(Cause::invalid("roleRef", &shown, "cannot change roleRef"));
    }
    if meta::is_terminating(current) {
        let old = meta::finalizers(current);
        let new: Vec<&str> = meta::finalizers(wanted)
            .into_iter()
            .filter(|f| !old.contains(f))
            .collect();
        if !new.is_empty() {
            let detail = format!(
                "no new finalizers can be added if the object is being deleted, found new finalizers {new:?}"
            );
            causes.push(Cause::forbidden("metadata.finalizers", &detail));
        }
    }
    causes
}

/// The part of a pod's spec that may not change.
fn pod_core(spec: &Value) -> Value {
    let mut spec = spec.clone();
    if let Some(fields) = spec.as_object_mut() {
        for field in [
            "activeDeadlineSeconds",
            "tolerations",
            "terminationGracePeriodSeconds",
            "schedulingGates",
        ] {
            fields.remove(field);
        }
        for list in ["containers", "initContainers"] {
            for container in fields
                .get_mut(list)
                .and_then(Value::as_array_mut)
                .into_iter()
                .flatten()
            {
                if let Some(container) = container.as_object_mut() {
                    container.remove("image");
                }
            }
        }
    }
    spec
}
