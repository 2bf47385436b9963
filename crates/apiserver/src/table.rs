//! The form in which `kubectl get` prints objects.
//!
//! Deliberately absent: ages. Times are sent as they are and kubectl counts from them.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::kinds::Kind;
use crate::meta;
use crate::store::Object;

/// A table of one object.
pub fn of_one(kind: &Kind, object: &Object) -> Value {
    let metadata = json!({"resourceVersion": object.revision.to_string()});
    table(kind, std::iter::once(object), &metadata)
}

/// A table of a list.
pub fn of_list(kind: &Kind, objects: &[Arc<Object>], metadata: &Value) -> Value {
    table(kind, objects.iter().map(AsRef::as_ref), metadata)
}

fn table<'a>(kind: &Kind, objects: impl Iterator<Item = &'a Object>, metadata: &Value) -> Value {
    let rows: Vec<Value> = objects.map(|object| row(kind, &object.value)).collect();
    let columns = [("Name", "string", "name"), ("Age", "string", "")];
    let columns: Vec<Value> = columns
        .iter()
        .map(|(name, r#type, format)| {
            json!({"name": name, "type": r#type, "format": format, "description": "", "priority": 0})
        })
        .collect();
    json!({
        "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata, "columnDefinitions": columns, "rows": rows,
    })
}

fn row(_kind: &Kind, object: &Value) -> Value {
    let metadata = meta::metadata(object).cloned().unwrap_or_default();
    json!({
        "cells": [meta::name(object), meta::text(object, "creationTimestamp")],
        "object": {"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata},
    })
}
