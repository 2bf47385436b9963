//! Structural schemas of custom kinds: reading them, dropping unknown fields, filling in defaults.
//!
//! Deliberately absent: CEL rules (`x-kubernetes-validations`); they are stored and not evaluated.

mod check;

use std::collections::BTreeMap;

use regex::Regex;
use serde_json::{Map, Value};

pub use self::check::check;

/// A schema, read once when its kind is defined.
#[derive(Debug, Default)]
pub struct Schema {
    pub(crate) r#type: String,
    pub(crate) nullable: bool,
    pub(crate) int_or_string: bool,
    pub(crate) preserve: bool,
    pub(crate) embedded: bool,
    pub(crate) properties: BTreeMap<String, Schema>,
    pub(crate) additional: Option<Box<Schema>>,
    pub(crate) items: Option<Box<Schema>>,
    pub(crate) default: Option<Value>,
    pub(crate) required: Vec<String>,
    pub(crate) list: ListType,
    pub(crate) atomic_map: bool,
    limits: Limits,
}

/// How elements of a list are told apart.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum ListType {
    /// The list is one value.
    #[default]
    Atomic,
    /// Elements are scalars, each at most once.
    Set,
    /// Elements are objects with these keys.
    Map(Vec<String>),
}

/// What a schema says about single values.
#[derive(Debug, Default)]
struct Limits {
    format: String,
    options: Vec<Value>,
    pattern: Option<Regex>,
    minimum: Option<f64>,
    maximum: Option<f64>,
    exclusive_minimum: bool,
    exclusive_maximum: bool,
    multiple_of: Option<f64>,
    min_length: Option<u64>,
    max_length: Option<u64>,
    min_items: Option<u64>,
    max_items: Option<u64>,
    min_properties: Option<u64>,
    max_properties: Option<u64>,
    all_of: Vec<Schema>,
    any_of: Vec<Schema>,
    one_of: Vec<Schema>,
    not: Option<Box<Schema>>,
}

impl Schema {
    /// Reads a JSON schema in the form that definitions hold.
    pub fn read(schema: &Value) -> Self {
        let text = |field: &str| {
            schema
                .get(field)
                .and_then(Value::as_str)
                .unwrap_or_default()
                .to_owned()
        };
        let yes = |field: &str| schema.get(field).and_then(Value::as_bool).unwrap_or(false);
        let one = |field: &str| {
            schema
                .get(field)
                .filter(|s| s.is_object())
                .map(|s| Box::new(Schema::read(s)))
        };
        let texts = |field: &str| -> Vec<String> {
            let list = schema
                .get(field)
                .and_then(Value::as_array)
                .map(Vec::as_slice)
                .unwrap_or_default();
            list.iter().filter_map(Value::as_str).map(str::to_owned).collect()
        };
        let properties = schema.get("properties").and_then(Value::as_object);
        let list = match text("x-kubernetes-list-type").as_str() {
            "set" => ListType::Set,
            "map" => ListType::Map(texts("x-kubernetes-list-map-keys")),
            _ => ListType::Atomic,
        };
        let additional = match schema.get("additionalProperties") {
            Some(Value::Bool(true)) => Some(Box::new(Schema {
                preserve: true,
                ..Schema::default()
            })),
            _ => one("additionalProperties"),
        };
        Schema {
            r#type: text("type"),
            nullable: yes("nullable"),
            int_or_string: yes("x-kubernetes-int-or-string"),
            preserve: yes("x-kubernetes-preserve-unknown-fields"),
            embedded: yes("x-kubernetes-embedded-resource"),
            properties: properties
                .map(|fields| {
                    fields
                        .iter()
                        .map(|(name, schema)| (name.clone(), Schema::read(schema)))
                        .collect()
                })
                .unwrap_or_default(),
            additional,
            items: one("items"),
            default: schema.get("default").cloned(),
            required: texts("required"),
            list,
            atomic_map: text("x-kubernetes-map-type") == "atomic",
            limits: Limits::read(schema),
        }
    }

    /// The schema below a field of an object.
    pub fn field(&self, name: &str) -> Option<&Schema> {
        self.properties.get(name).or(self.additional.as_deref())
    }
}

impl Limits {
    fn read(schema: &Value) -> Self {
        let text = |field: &str| schema.get(field).and_then(Value::as_str).unwrap_or_default();
        let yes = |field: &str| schema.get(field).and_then(Value::as_bool).unwrap_or(false);
        let number = |field: &str| schema.get(field).and_then(Value::as_f64);
        let count = |field: &str| schema.get(field).and_then(Value::as_u64);
        let many = |field: &str| -> Vec<Schema> {
            let list = schema
                .get(field)
                .and_then(Value::as_array)
                .map(Vec::as_slice)
                .unwrap_or_default();
            list.iter().map(Schema::read).collect()
        };
        let pattern = Some(text("pattern")).filter(|pattern| !pattern.is_empty());
        let pattern = pattern.and_then(|pattern| {
            let read = Regex::new(pattern);
            if let Err(error) = &read {
                tracing::warn!(pattern, %error, "A schema's pattern cannot be read and is not checked");
            }
            read.ok()
        });
        Limits {
            format: text("format").to_owned(),
            options: schema
                .get("enum")
                .and_then(Value::as_array)
                .cloned()
                .unwrap_or_default(),
            pattern,
            minimum: number("minimum"),
            maximum: number("maximum"),
            exclusive_minimum: yes("exclusiveMinimum"),
            exclusive_maximum: yes("exclusiveMaximum"),
            multiple_of: number("multipleOf"),
            min_length: count("minLength"),
            max_length: count("maxLength"),
            min_items: count("minItems"),
            max_items: count("maxItems"),
            min_properties: count("minProperties"),
            max_properties: count("maxProperties"),
            all_of: many("allOf"),
            any_of: many("anyOf"),
            one_of: many("oneOf"),
            not: schema.get("not").map(|schema| Box::new(Schema::read(schema))),
        }
    }
}

/// What every object has, whatever its schema says.
const ENVELOPE: [&str; 3] = ["apiVersion", "kind", "metadata"];

/// Drops the fields that the schema does not know; gives their paths.
pub fn prune(schema: &Schema, object: &mut Value) -> Vec<String> {
    let mut dropped = Vec::new();
    let Some(fields) = object.as_object_mut() else {
        return dropped;
    };
    prune_fields(schema, fields, "", true, &mut dropped);
    dropped
}

fn prune_value(schema: &Schema, value: &mut Value, path: &str, dropped: &mut Vec<String>) {
    match value {
        Value::Object(fields) => prune_fields(schema, fields, path, schema.embedded, dropped),
        Value::Array(list) => {
            let Some(items) = &schema.items else { return };
            for (at, value) in list.iter_mut().enumerate() {
                prune_value(items, value, &format!("{path}[{at}]"), dropped);
            }
        }
        _ => {}
    }
}

fn prune_fields(
    schema: &Schema,
    fields: &mut Map<String, Value>,
    path: &str,
    whole_object: bool,
    dropped: &mut Vec<String>,
) {
    let known = |name: &str| {
        schema.preserve || schema.field(name).is_some() || whole_object && ENVELOPE.contains(&name)
    };
    fields.retain(|name, _| {
        let known = known(name);
        if !known {
            dropped.push(join(path, name));
        }
        known
    });
    for (name, value) in fields.iter_mut() {
        if whole_object && ENVELOPE.contains(&name.as_str()) {
            continue;
        }
        if let Some(schema) = schema
            .field(name)
            .filter(|_| value.is_object() || value.is_array())
        {
            prune_value(schema, value, &join(path, name), dropped);
        }
    }
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() {
        name.to_owned()
    } else {
        format!("{path}.{name}")
    }
}

/// Puts defaults where fields are missing, or null without being allowed to.
pub fn fill(schema: &Schema, value: &mut Value) {
    match value {
        Value::Object(fields) => {
            for (name, property) in &schema.properties {
                let Some(default) = &property.default else {
                    continue;
                };
                if fields
                    .get(name)
                    .is_none_or(|value| value.is_null() && !property.nullable)
                {
                    fields.insert(name.clone(), default.clone());
                }
            }
            for (name, value) in fields.iter_mut() {
                if let Some(schema) = schema.field(name) {
                    fill(schema, value);
                }
            }
        }
        Value::Array(list) => {
            if let Some(items) = &schema.items {
                list.iter_mut().for_each(|value| fill(items, value));
            }
        }
        _ => {}
    }
}
