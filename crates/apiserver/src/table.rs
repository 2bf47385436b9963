//! The form in which `kubectl get` prints objects: which columns there are, and what stands in them.
//!
//! Deliberately absent: choosing between tables and objects (see `api::read`).

mod cells;
mod columns;

use std::sync::Arc;

use serde_json::{Value, json};

use crate::kinds::Kind;
use crate::meta;
use crate::store::Object;

/// What a table is made for.
#[derive(Clone, Copy, Debug)]
pub struct Printing<'a> {
    /// The kind of the rows.
    pub kind: &'a Kind,
    /// The present moment, from which ages are counted.
    pub now: jiff::Timestamp,
    /// How much of each object goes along: `Metadata` (default), `Object` or `None`.
    pub include: &'a str,
}

impl Printing<'_> {
    /// A table of one object.
    pub fn one(&self, object: &Object) -> Value {
        let metadata = json!({"resourceVersion": object.revision.to_string()});
        self.table(std::iter::once(object), &metadata)
    }

    /// A table of a list.
    pub fn list(&self, objects: &[Arc<Object>], metadata: &Value) -> Value {
        self.table(objects.iter().map(AsRef::as_ref), metadata)
    }

    fn table<'b>(&self, objects: impl Iterator<Item = &'b Object>, metadata: &Value) -> Value {
        let columns = columns::of(self.kind);
        let rows: Vec<Value> = objects.map(|object| self.row(&columns, &object.value)).collect();
        let definitions: Vec<Value> = columns
            .iter()
            .map(|column| {
                let format = if column.name == "Name" { "name" } else { "" };
                json!({
                    "name": column.name, "type": column.r#type, "format": format,
                    "description": column.name, "priority": column.priority,
                })
            })
            .collect();
        json!({
            "kind": "Table", "apiVersion": "meta.k8s.io/v1", "metadata": metadata,
            "columnDefinitions": definitions, "rows": rows,
        })
    }

    fn row(&self, columns: &[columns::Shown], object: &Value) -> Value {
        let cells: Vec<Value> = columns
            .iter()
            .map(|column| column.cell.of(object, self.now))
            .collect();
        let object = match self.include {
            "None" => return json!({"cells": cells}),
            "Object" => object.clone(),
            _ => {
                let metadata = meta::metadata(object).cloned().unwrap_or_default();
                json!({"kind": "PartialObjectMetadata", "apiVersion": "meta.k8s.io/v1", "metadata": metadata})
            }
        };
        json!({"cells": cells, "object": object})
    }
}
