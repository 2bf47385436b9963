//! OpenAPI v3 of the served kinds: what `kubectl explain` and `kubectl apply` ask for.
//!
//! Deliberately absent: descriptions of Kubernetes' own kinds, and OpenAPI v2.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use serde_json::{Map, Value, json};

use crate::kinds::{Kind, Origin, Registry};
use crate::types::{self, Field, Shape, Type};

/// The index of documents: one for each group and version.
pub fn index(registry: &Registry) -> Value {
    let mut hashes: BTreeMap<String, DefaultHasher> = BTreeMap::new();
    for kind in registry.iter() {
        let hasher = hashes.entry(path(kind)).or_default();
        (
            env!("CARGO_PKG_VERSION"),
            &kind.kind,
            kind.schema_text.as_ref().map(ToString::to_string),
        )
            .hash(hasher);
    }
    let paths: Map<String, Value> = hashes
        .into_iter()
        .map(|(path, hasher)| {
            let url = format!("/openapi/v3/{path}?hash={:016X}", hasher.finish());
            (path, json!({"serverRelativeURL": url}))
        })
        .collect();
    json!({"paths": paths})
}

fn path(kind: &Kind) -> String {
    if kind.group.is_empty() {
        format!("api/{}", kind.version)
    } else {
        format!("apis/{}/{}", kind.group, kind.version)
    }
}

/// The document of one group and version; `None` when nothing is served there.
pub fn document(registry: &Registry, group: &str, version: &str) -> Option<Value> {
    let kinds: Vec<&Arc<Kind>> = registry
        .iter()
        .filter(|kind| kind.group == group && kind.version == version)
        .collect();
    if kinds.is_empty() {
        return None;
    }
    let mut paths = Map::new();
    let mut schemas = Schemas::default();
    for kind in kinds {
        add_paths(kind, &mut paths);
        schemas.add_kind(kind);
    }
    schemas.finish();
    let schemas: Map<String, Value> = schemas.made.into_iter().collect();
    Some(json!({
        "openapi": "3.0.0",
        "info": {"title": "Kubernetes", "version": "v1.34.0"},
        "paths": paths,
        "components": {"schemas": schemas},
    }))
}

fn add_paths(kind: &Kind, paths: &mut Map<String, Value>) {
    let home = if kind.namespaced {
        "/namespaces/{namespace}"
    } else {
        ""
    };
    let collection = format!("/{}{home}/{}", path(kind), kind.plural);
    let gvk = json!({"group": kind.group, "version": kind.version, "kind": kind.kind});
    let content = json!({"application/json": {"schema": {"$ref": reference(&schema_name(kind))}}});
    let parameter = |name: &str, place: &str, r#type: &str| json!({"name": name, "in": place, "required": place == "path", "schema": {"type": r#type, "uniqueItems": true}});
    let operation = |action: &str, writes: bool| {
        let mut operation = json!({
            "x-kubernetes-action": action, "x-kubernetes-group-version-kind": gvk,
            "responses": {"200": {"description": "OK", "content": content}},
        });
        if writes {
            let names = [
                ("dryRun", "string"),
                ("fieldManager", "string"),
                ("fieldValidation", "string"),
            ];
            let mut list: Vec<Value> = names
                .iter()
                .map(|(name, r#type)| parameter(name, "query", r#type))
                .collect();
            if action == "patch" {
                list.push(parameter("force", "query", "boolean"));
            }
            operation["parameters"] = list.into();
            operation["requestBody"] = json!({"content": content});
        }
        operation
    };
    let placed = |with_name: bool| {
        let mut list = Vec::new();
        if with_name {
            list.push(parameter("name", "path", "string"));
        }
        if kind.namespaced {
            list.push(parameter("namespace", "path", "string"));
        }
        Value::from(list)
    };
    if kind.origin == Origin::Review {
        paths.insert(
            collection,
            json!({"parameters": placed(false), "post": operation("post", true)}),
        );
        return;
    }
    let on_collection = json!({
        "parameters": placed(false), "get": operation("list", false), "post": operation("post", true),
        "delete": operation("deletecollection", false),
    });
    let on_object = json!({
        "parameters": placed(true), "get": operation("get", false), "put": operation("put", true),
        "patch": operation("patch", true), "delete": operation("delete", false),
    });
    if kind.status {
        let mut status = on_object.clone();
        if let Some(status) = status.as_object_mut() {
            status.remove("delete");
        }
        paths.insert(format!("{collection}/{{name}}/status"), status);
    }
    paths.insert(format!("{collection}/{{name}}"), on_object);
    paths.insert(collection, on_collection);
}

fn reference(name: &str) -> String {
    format!("#/components/schemas/{name}")
}

/// The name of a type in documents.
fn public_name(name: &str) -> String {
    match name.strip_prefix("meta.") {
        Some(rest) => format!("io.k8s.apimachinery.pkg.apis.meta.{rest}"),
        None => format!("io.k8s.api.{name}"),
    }
}

fn schema_name(kind: &Kind) -> String {
    match types::name_of(kind) {
        Some(name) if kind.origin != Origin::Custom => public_name(name),
        _ => {
            let group: Vec<&str> = kind.group.rsplit('.').collect();
            format!("{}.{}.{}", group.join("."), kind.version, kind.kind)
        }
    }
}

#[derive(Default)]
struct Schemas {
    made: BTreeMap<String, Value>,
    wanted: BTreeSet<&'static str>,
}

impl Schemas {
    fn add_kind(&mut self, kind: &Kind) {
        let gvk = json!([{"group": kind.group, "version": kind.version, "kind": kind.kind}]);
        let mut schema = match types::name_of(kind).filter(|_| kind.origin != Origin::Custom) {
            Some(name) => types::named(name)
                .map(|r#type| self.of_type(r#type))
                .unwrap_or_default(),
            None => match &kind.schema_text {
                Some(text) => text.as_ref().clone(),
                None => json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true}),
            },
        };
        self.wanted.insert("meta.v1.ObjectMeta");
        if !schema["properties"].is_object() {
            schema["properties"] = json!({});
        }
        schema["properties"]["apiVersion"] = json!({"type": "string"});
        schema["properties"]["kind"] = json!({"type": "string"});
        schema["properties"]["metadata"] =
            json!({"allOf": [{"$ref": reference(&public_name("meta.v1.ObjectMeta"))}], "default": {}});
        schema["x-kubernetes-group-version-kind"] = gvk;
        self.made.insert(schema_name(kind), schema);
    }

    /// Adds the types that the kinds refer to.
    fn finish(&mut self) {
        while let Some(name) = self.wanted.pop_first() {
            let public = public_name(name);
            if self.made.contains_key(&public) {
                continue;
            }
            // Types that contain themselves find this entry.
            self.made.insert(public.clone(), Value::Null);
            let schema = types::named(name)
                .map(|r#type| self.of_type(r#type))
                .unwrap_or_default();
            self.made.insert(public, schema);
        }
    }

    fn of_type(&mut self, r#type: &Type) -> Value {
        let properties: Map<String, Value> = r#type
            .fields
            .values()
            .map(|field| (field.name.to_owned(), self.of_field(field)))
            .collect();
        let mut schema = json!({"type": "object", "properties": properties});
        if r#type.atomic {
            schema["x-kubernetes-map-type"] = "atomic".into();
        }
        schema
    }

    fn of_field(&mut self, field: &Field) -> Value {
        let mut schema = self.of_shape(&field.shape);
        if matches!(field.shape, Shape::List(_)) {
            schema["x-kubernetes-list-type"] = match (field.keys.is_empty(), field.set) {
                (false, _) => "map".into(),
                (true, true) => "set".into(),
                (true, false) => "atomic".into(),
            };
            if !field.keys.is_empty() {
                schema["x-kubernetes-list-map-keys"] = json!(field.keys);
            }
        } else if field.atomic {
            schema["x-kubernetes-map-type"] = "atomic".into();
        }
        if let Some(key) = field.patch {
            schema["x-kubernetes-patch-strategy"] =
                if field.retain { "merge,retainKeys" } else { "merge" }.into();
            if !key.is_empty() {
                schema["x-kubernetes-patch-merge-key"] = key.into();
            }
        }
        schema
    }

    fn of_shape(&mut self, shape: &Shape) -> Value {
        match shape {
            Shape::Text | Shape::Quantity | Shape::Duration => json!({"type": "string"}),
            Shape::Int32 => json!({"type": "integer", "format": "int32"}),
            Shape::Int64 => json!({"type": "integer", "format": "int64"}),
            Shape::Boolean => json!({"type": "boolean"}),
            Shape::Float => json!({"type": "number", "format": "double"}),
            Shape::Bytes => json!({"type": "string", "format": "byte"}),
            Shape::Time | Shape::MicroTime => json!({"type": "string", "format": "date-time"}),
            Shape::IntOrString => {
                json!({"format": "int-or-string", "oneOf": [{"type": "integer"}, {"type": "string"}]})
            }
            Shape::Any | Shape::FieldSet => json!({"type": "object"}),
            Shape::List(element) => json!({"type": "array", "items": self.of_shape(element)}),
            Shape::Map(element) => json!({"type": "object", "additionalProperties": self.of_shape(element)}),
            Shape::Named(name) => {
                self.wanted.insert(name);
                json!({"allOf": [{"$ref": reference(&public_name(name))}], "default": {}})
            }
        }
    }
}
