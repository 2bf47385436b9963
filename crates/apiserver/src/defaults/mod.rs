//! What the server adds to Kubernetes' own kinds when they are written.
//!
//! Deliberately absent: custom kinds, whose defaults are in their schemas.

mod pod;

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use crate::kinds::Kind;
use crate::meta;
use crate::options::Clock;
use crate::status::Result;

pub use self::pod::bind;

/// What defaults may depend on.
pub struct World<'a> {
    /// Tells the time.
    pub clock: &'a Clock,
    /// Finds a service account by namespace and name.
    pub account: &'a dyn Fn(&str, &str) -> Option<Arc<Value>>,
}

/// Completes a new object.
///
/// # Errors
/// 403 for a pod whose service account does not exist.
pub fn on_create(kind: &Kind, object: &mut Value, world: &World<'_>) -> Result<()> {
    match &*kind.resource {
        "pods" => pod::on_create(object, world)?,
        "namespaces" => namespace(object),
        "secrets" => secret(object),
        "services" => service(object),
        "persistentvolumeclaims" => {
            let spec = child(object, "spec");
            put(spec, "volumeMode", json!("Filesystem"));
            object["status"] = json!({"phase": "Pending"});
        }
        "persistentvolumes" => {
            let spec = child(object, "spec");
            put(spec, "volumeMode", json!("Filesystem"));
            put(spec, "persistentVolumeReclaimPolicy", json!("Retain"));
            object["status"] = json!({"phase": "Pending"});
        }
        "customresourcedefinitions.apiextensions.k8s.io" => definition(object, world.clock),
        "roles.rbac.authorization.k8s.io" | "clusterroles.rbac.authorization.k8s.io" => {
            // Kubernetes shows a role without rules with null.
            object
                .as_object_mut()
                .map(|fields| fields.entry("rules").or_insert(Value::Null));
        }
        "nodes" => {
            child(object, "spec");
            child(object, "status");
        }
        _ => {}
    }
    Ok(())
}

/// Completes a changed object.
pub fn on_update(kind: &Kind, object: &mut Value) {
    match &*kind.resource {
        "secrets" => secret(object),
        "pods" => pod::complete(object),
        "namespaces" => label_namespace(object),
        _ => {}
    }
}

/// The object below `field`, made when it is missing.
fn child<'a>(object: &'a mut Value, field: &str) -> &'a mut Map<String, Value> {
    if !object[field].is_object() {
        object[field] = json!({});
    }
    object[field].as_object_mut().expect("it was just made an object")
}

/// Sets a field that is missing or null.
fn put(fields: &mut Map<String, Value>, field: &str, value: Value) {
    if fields.get(field).is_none_or(Value::is_null) {
        fields.insert(field.to_owned(), value);
    }
}

fn namespace(object: &mut Value) {
    child(object, "spec").insert("finalizers".to_owned(), json!(["kubernetes"]));
    object["status"] = json!({"phase": "Active"});
    label_namespace(object);
}

fn label_namespace(object: &mut Value) {
    let name = meta::name(object).to_owned();
    if let Some(metadata) = meta::metadata_mut(object) {
        let labels = metadata.entry("labels").or_insert_with(|| json!({}));
        labels["kubernetes.io/metadata.name"] = name.into();
    }
}

fn secret(object: &mut Value) {
    let Some(fields) = object.as_object_mut() else {
        return;
    };
    put(fields, "type", json!("Opaque"));
    let Some(Value::Object(plain)) = fields.remove("stringData") else {
        return;
    };
    let data = fields.entry("data").or_insert_with(|| json!({}));
    if data.is_null() {
        *data = json!({});
    }
    for (name, value) in plain {
        data[name.as_str()] = STANDARD.encode(value.as_str().unwrap_or_default()).into();
    }
}

fn service(object: &mut Value) {
    let spec = child(object, "spec");
    put(spec, "type", json!("ClusterIP"));
    put(spec, "sessionAffinity", json!("None"));
    put(spec, "internalTrafficPolicy", json!("Cluster"));
    for port in spec
        .get_mut("ports")
        .and_then(Value::as_array_mut)
        .into_iter()
        .flatten()
    {
        let Some(port) = port.as_object_mut() else {
            continue;
        };
        put(port, "protocol", json!("TCP"));
        let own = port.get("port").cloned().unwrap_or(Value::Null);
        put(port, "targetPort", own);
    }
    object["status"] = json!({"loadBalancer": {}});
}

fn definition(object: &mut Value, clock: &Clock) {
    let spec = child(object, "spec");
    put(spec, "conversion", json!({"strategy": "None"}));
    let names = spec.entry("names").or_insert_with(|| json!({}));
    let kind = names["kind"].as_str().unwrap_or_default().to_owned();
    if let Some(names) = names.as_object_mut() {
        put(names, "singular", kind.to_lowercase().into());
        put(names, "listKind", format!("{kind}List").into());
    }
    let accepted = names.clone();
    let versions = spec
        .get("versions")
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default();
    let stored: Vec<Value> = versions
        .iter()
        .filter(|v| v["storage"] == true)
        .map(|v| v["name"].clone())
        .collect();
    let now = clock.text();
    let condition = |r#type: &str, reason: &str, message: &str| json!({"type": r#type, "status": "True", "reason": reason, "message": message, "lastTransitionTime": now});
    object["status"] = json!({
        "acceptedNames": accepted, "storedVersions": stored,
        "conditions": [
            condition("NamesAccepted", "NoConflicts", "no conflicts found"),
            condition("Established", "InitialNamesAccepted", "the initial names have been accepted"),
        ],
    });
}
