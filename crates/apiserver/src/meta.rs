//! Reading and writing `metadata` of an object held as JSON.
//!
//! Deliberately absent: any rule about what metadata must hold (see `api::create` and `api::update`).

use serde_json::{Map, Value};

/// `metadata`, or nothing when the object has none.
pub fn metadata(object: &Value) -> Option<&Map<String, Value>> {
    object.get("metadata")?.as_object()
}

/// `metadata` for writing; made when it is missing. `None` when the object is no JSON object.
pub fn metadata_mut(object: &mut Value) -> Option<&mut Map<String, Value>> {
    let metadata = object
        .as_object_mut()?
        .entry("metadata")
        .or_insert_with(|| Value::Object(Map::new()));
    if metadata.is_null() {
        *metadata = Value::Object(Map::new());
    }
    metadata.as_object_mut()
}

/// A string of `metadata`, empty when it is missing.
pub fn text<'a>(object: &'a Value, field: &str) -> &'a str {
    metadata(object)
        .and_then(|metadata| metadata.get(field))
        .and_then(Value::as_str)
        .unwrap_or_default()
}

/// Sets a field of `metadata`.
pub fn set(object: &mut Value, field: &str, value: Value) {
    if let Some(metadata) = metadata_mut(object) {
        metadata.insert(field.to_owned(), value);
    }
}

/// Removes a field of `metadata`.
pub fn remove(object: &mut Value, field: &str) -> Option<Value> {
    object.get_mut("metadata")?.as_object_mut()?.remove(field)
}

/// `metadata.name`.
pub fn name(object: &Value) -> &str {
    text(object, "name")
}

/// `metadata.namespace`.
pub fn namespace(object: &Value) -> &str {
    text(object, "namespace")
}

/// `metadata.uid`, when there is one.
pub fn uid(object: &Value) -> Option<&str> {
    Some(text(object, "uid")).filter(|uid| !uid.is_empty())
}

/// Whether deletion has been asked for.
pub fn is_terminating(object: &Value) -> bool {
    !text(object, "deletionTimestamp").is_empty()
}

/// `metadata.deletionGracePeriodSeconds`, 0 when it is missing.
pub fn grace_secs(object: &Value) -> i64 {
    metadata(object)
        .and_then(|metadata| metadata.get("deletionGracePeriodSeconds"))
        .and_then(Value::as_i64)
        .unwrap_or(0)
}

/// A list of strings of `metadata`.
pub fn texts<'a>(object: &'a Value, field: &str) -> Vec<&'a str> {
    let list = metadata(object)
        .and_then(|metadata| metadata.get(field))
        .and_then(Value::as_array);
    list.map(|list| list.iter().filter_map(Value::as_str).collect())
        .unwrap_or_default()
}

/// `metadata.finalizers`.
pub fn finalizers(object: &Value) -> Vec<&str> {
    texts(object, "finalizers")
}

/// The list of ownerReferences.
pub fn owners(object: &Value) -> &[Value] {
    metadata(object)
        .and_then(|metadata| metadata.get("ownerReferences"))
        .and_then(Value::as_array)
        .map(Vec::as_slice)
        .unwrap_or_default()
}

/// The uids of the owners.
pub fn owner_uids(object: &Value) -> impl Iterator<Item = &str> {
    owners(object)
        .iter()
        .filter_map(|owner| owner.get("uid")?.as_str())
}
