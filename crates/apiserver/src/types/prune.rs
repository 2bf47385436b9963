//! Dropping fields that Kubernetes' own kinds do not have.
//!
//! Deliberately absent: custom kinds (see `schema`).

use serde_json::Value;

use super::{Shape, Type, named};

/// Drops unknown fields of an object of this type; gives their paths.
pub fn prune(r#type: &Type, object: &mut Value) -> Vec<String> {
    let mut dropped = Vec::new();
    prune_type(r#type, object, "", &mut dropped);
    dropped
}

fn prune_type(r#type: &Type, value: &mut Value, path: &str, dropped: &mut Vec<String>) {
    let Some(fields) = value.as_object_mut() else {
        return;
    };
    let join = |name: &str| {
        if path.is_empty() {
            name.to_owned()
        } else {
            format!("{path}.{name}")
        }
    };
    fields.retain(|name, _| {
        let known = r#type.fields.contains_key(name.as_str())
            || path.is_empty() && matches!(name.as_str(), "apiVersion" | "kind");
        if !known {
            dropped.push(join(name));
        }
        known
    });
    for (name, value) in fields.iter_mut() {
        if let Some(field) = r#type.fields.get(name.as_str()) {
            prune_shape(&field.shape, value, &join(name), dropped);
        }
    }
}

fn prune_shape(shape: &Shape, value: &mut Value, path: &str, dropped: &mut Vec<String>) {
    match (shape, value) {
        (Shape::Named(name), value) => {
            if let Some(r#type) = named(name) {
                prune_type(r#type, value, path, dropped);
            }
        }
        (Shape::List(element), Value::Array(list)) if holds_types(element) => {
            for (at, value) in list.iter_mut().enumerate() {
                prune_shape(element, value, &format!("{path}[{at}]"), dropped);
            }
        }
        (Shape::Map(element), Value::Object(map)) if holds_types(element) => {
            for (key, value) in map.iter_mut() {
                prune_shape(element, value, &format!("{path}.{key}"), dropped);
            }
        }
        _ => {}
    }
}

fn holds_types(shape: &Shape) -> bool {
    match shape {
        Shape::Named(_) => true,
        Shape::List(shape) | Shape::Map(shape) => holds_types(shape),
        _ => false,
    }
}
