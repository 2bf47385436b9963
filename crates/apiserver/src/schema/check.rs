//! Checking values against schemas, worded as Kubernetes words it.
//!
//! Deliberately absent: changing values (see `schema`).

use serde_json::{Value, json};

use super::{ENVELOPE, Limits, ListType, Schema, join};
use crate::status::Cause;

/// Faults reported at most: enough to mend an object in a few rounds, and bounded for hostile ones.
const MAX_CAUSES: usize = 100;

/// What is wrong with an object.
pub fn check(schema: &Schema, object: &Value) -> Vec<Cause> {
    let mut causes = Vec::new();
    walk(schema, object, "", &mut causes);
    causes.truncate(MAX_CAUSES);
    causes
}

fn walk(schema: &Schema, value: &Value, path: &str, causes: &mut Vec<Cause>) {
    if causes.len() >= MAX_CAUSES {
        return;
    }
    if let Some(wanted) = wrong_type(schema, value) {
        let found = type_of(value);
        let detail = format!("{path} in body must be of type {wanted}: {found:?}");
        causes.push(Cause::wrong_type(named(path), &json!(found), &detail));
        return;
    }
    schema.limits.check(value, path, causes);
    match value {
        Value::Object(fields) => {
            for name in schema.required.iter().filter(|name| !fields.contains_key(*name)) {
                causes.push(Cause::required(join(path, name), ""));
            }
            for (name, value) in fields {
                if path.is_empty() && ENVELOPE.contains(&name.as_str()) {
                    continue;
                }
                let below = if schema.properties.contains_key(name) || path.is_empty() {
                    join(path, name)
                } else {
                    format!("{path}.{name}")
                };
                if let Some(schema) = schema.field(name) {
                    walk(schema, value, &below, causes);
                }
            }
        }
        Value::Array(list) => {
            check_unique(&schema.list, list, path, causes);
            if let Some(items) = &schema.items {
                for (at, value) in list.iter().enumerate() {
                    walk(items, value, &format!("{path}[{at}]"), causes);
                }
            }
        }
        _ => {}
    }
}

/// A fault of the whole object has no path of its own.
fn named(path: &str) -> String {
    if path.is_empty() {
        "<nil>".to_owned()
    } else {
        path.to_owned()
    }
}

/// The type that the value should have had.
fn wrong_type<'a>(schema: &'a Schema, value: &Value) -> Option<&'a str> {
    if schema.int_or_string {
        let fits = value.is_string() || is_integer(value) || value.is_null() && schema.nullable;
        return (!fits).then_some("integer,string");
    }
    let fits = match (schema.r#type.as_str(), value) {
        ("", _) => true,
        (_, Value::Null) => schema.nullable,
        ("object", value) => value.is_object(),
        ("array", value) => value.is_array(),
        ("string", value) => value.is_string(),
        ("boolean", value) => value.is_boolean(),
        ("integer", value) => is_integer(value),
        ("number", value) => value.is_number(),
        _ => true,
    };
    (!fits).then_some(schema.r#type.as_str())
}

fn is_integer(value: &Value) -> bool {
    value.is_i64() || value.is_u64() || value.as_f64().is_some_and(|number| number.fract() == 0.0)
}

fn type_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "boolean",
        Value::Number(_) if is_integer(value) => "integer",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "array",
        Value::Object(_) => "object",
    }
}

fn check_unique(list_type: &ListType, list: &[Value], path: &str, causes: &mut Vec<Cause>) {
    let key = |element: &Value| match list_type {
        ListType::Atomic => None,
        ListType::Set => Some(element.clone()),
        ListType::Map(keys) => Some(Value::Object(
            keys.iter()
                .filter_map(|key| Some((key.clone(), element.get(key)?.clone())))
                .collect(),
        )),
    };
    let mut seen = std::collections::BTreeSet::new();
    for (at, element) in list.iter().enumerate() {
        let Some(key) = key(element) else { return };
        if !seen.insert(key.to_string()) {
            causes.push(Cause::duplicate(format!("{path}[{at}]"), &key));
        }
    }
}

fn fits(schema: &Schema, value: &Value, path: &str) -> bool {
    let mut causes = Vec::new();
    walk(schema, value, path, &mut causes);
    causes.is_empty()
}

impl Limits {
    fn check(&self, value: &Value, path: &str, causes: &mut Vec<Cause>) {
        let mut invalid = |detail: String| {
            causes.push(Cause::invalid(
                named(path),
                value,
                &format!("{path} in body {detail}"),
            ));
        };
        match value {
            Value::String(text) => {
                let length = text.chars().count() as u64;
                if let Some(least) = self.min_length.filter(|least| length < *least) {
                    invalid(format!("should be at least {least} chars long"));
                }
                if let Some(pattern) = self.pattern.as_ref().filter(|pattern| !pattern.is_match(text)) {
                    invalid(format!("should match '{pattern}'"));
                }
                if !has_format(&self.format, text) {
                    invalid(format!("must be of type {}: {text:?}", self.format));
                }
                if let Some(most) = self.max_length.filter(|most| length > *most) {
                    let message = format!("Too long: may not be more than {most} bytes");
                    causes.push(Cause {
                        reason: "FieldValueTooLong",
                        message,
                        field: named(path),
                    });
                }
            }
            Value::Number(number) => {
                self.check_number(number.as_f64().unwrap_or(f64::NAN), &mut invalid);
            }
            Value::Array(list) => {
                let count = list.len() as u64;
                if let Some(least) = self.min_items.filter(|least| count < *least) {
                    let detail = format!("{path} in body should have at least {least} items");
                    causes.push(Cause::invalid(named(path), &json!(count), &detail));
                }
                too_many(count, self.max_items, path, causes);
            }
            Value::Object(fields) => {
                let count = fields.len() as u64;
                if let Some(least) = self.min_properties.filter(|least| count < *least) {
                    let detail = format!("{path} in body should have at least {least} properties");
                    causes.push(Cause::invalid(named(path), &json!(count), &detail));
                }
                too_many(count, self.max_properties, path, causes);
            }
            _ => {}
        }
        if !self.options.is_empty() && !self.options.contains(value) && !value.is_null() {
            let known: Vec<String> = self
                .options
                .iter()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect();
            causes.push(Cause::not_supported(named(path), value, &known));
        }
        self.check_combinations(value, path, causes);
    }

    fn check_number(&self, number: f64, invalid: &mut impl FnMut(String)) {
        if let Some(least) = self.minimum {
            if self.exclusive_minimum && number <= least {
                invalid(format!("should be greater than {least}"));
            } else if number < least {
                invalid(format!("should be greater than or equal to {least}"));
            }
        }
        if let Some(most) = self.maximum {
            if self.exclusive_maximum && number >= most {
                invalid(format!("should be less than {most}"));
            } else if number > most {
                invalid(format!("should be less than or equal to {most}"));
            }
        }
        if let Some(factor) = self
            .multiple_of
            .filter(|factor| *factor != 0.0 && (number / factor).fract() != 0.0)
        {
            invalid(format!("should be a multiple of {factor}"));
        }
    }

    fn check_combinations(&self, value: &Value, path: &str, causes: &mut Vec<Cause>) {
        for schema in &self.all_of {
            walk(schema, value, path, causes);
        }
        let mut invalid = |detail: &str| {
            let detail = format!("{path:?} must {detail}");
            causes.push(Cause::invalid(named(path), &json!(""), &detail));
        };
        if !self.any_of.is_empty() && !self.any_of.iter().any(|schema| fits(schema, value, path)) {
            invalid("validate at least one schema (anyOf)");
        }
        if !self.one_of.is_empty() {
            match self
                .one_of
                .iter()
                .filter(|schema| fits(schema, value, path))
                .count()
            {
                0 => invalid("validate one and only one schema (oneOf). Found none valid"),
                1 => {}
                count => {
                    invalid(&format!(
                        "validate one and only one schema (oneOf). Found {count} valid alternatives"
                    ));
                }
            }
        }
        if self.not.as_ref().is_some_and(|schema| fits(schema, value, path)) {
            invalid("not validate the schema (not)");
        }
    }
}

fn too_many(count: u64, most: Option<u64>, path: &str, causes: &mut Vec<Cause>) {
    if let Some(most) = most.filter(|most| count > *most) {
        let message = format!("Too many: {count}: must have at most {most} items");
        causes.push(Cause {
            reason: "FieldValueTooMany",
            message,
            field: named(path),
        });
    }
}

/// Whether the text has the format; unknown formats are not checked.
fn has_format(format: &str, text: &str) -> bool {
    match format {
        "date-time" => text.parse::<jiff::Timestamp>().is_ok(),
        "date" => text.parse::<jiff::civil::Date>().is_ok() && text.len() == 10,
        "ipv4" => text.parse::<std::net::Ipv4Addr>().is_ok(),
        "ipv6" => text.parse::<std::net::Ipv6Addr>().is_ok(),
        "byte" => {
            use base64::Engine;
            base64::engine::general_purpose::STANDARD.decode(text).is_ok()
        }
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::super::{fill, prune};
    use super::*;

    fn schema() -> Schema {
        Schema::read(&json!({"type": "object", "required": ["spec"], "properties": {
            "spec": {"type": "object", "required": ["size"], "properties": {
                "size": {"type": "integer", "minimum": 1, "maximum": 9},
                "color": {"type": "string", "enum": ["red", "blue"], "default": "red"},
                "name": {"type": "string", "pattern": "^[a-z]+$", "minLength": 2, "maxLength": 4},
                "port": {"x-kubernetes-int-or-string": true},
                "free": {"type": "object", "x-kubernetes-preserve-unknown-fields": true},
                "tags": {"type": "object", "additionalProperties": {"type": "string"}},
                "list": {"type": "array", "maxItems": 2, "x-kubernetes-list-type": "map",
                    "x-kubernetes-list-map-keys": ["k"],
                    "items": {"type": "object", "properties": {"k": {"type": "string"}, "n": {"type": "integer", "default": 7}}}},
                "when": {"type": "string", "format": "date-time"},
            }},
        }}))
    }

    #[test]
    fn faults_are_worded_as_kubernetes_words_them() {
        let cases = [
            (json!({}), "spec: Required value"),
            (json!({"spec": {}}), "spec.size: Required value"),
            (
                json!({"spec": {"size": "x"}}),
                "spec.size: Invalid value: \"string\": spec.size in body must be of type integer: \"string\"",
            ),
            (
                json!({"spec": {"size": 0}}),
                "spec.size: Invalid value: 0: spec.size in body should be greater than or equal to 1",
            ),
            (
                json!({"spec": {"size": 10}}),
                "spec.size: Invalid value: 10: spec.size in body should be less than or equal to 9",
            ),
            (
                json!({"spec": {"size": 1, "color": "green"}}),
                "spec.color: Unsupported value: \"green\": supported values: \"red\", \"blue\"",
            ),
            (
                json!({"spec": {"size": 1, "name": "ab1"}}),
                "spec.name: Invalid value: \"ab1\": spec.name in body should match '^[a-z]+$'",
            ),
            (
                json!({"spec": {"size": 1, "name": "a"}}),
                "spec.name: Invalid value: \"a\": spec.name in body should be at least 2 chars long",
            ),
            (
                json!({"spec": {"size": 1, "name": "abcde"}}),
                "spec.name: Too long: may not be more than 4 bytes",
            ),
            (
                json!({"spec": {"size": 1, "port": true}}),
                "spec.port: Invalid value: \"boolean\": spec.port in body must be of type integer,string: \"boolean\"",
            ),
            (
                json!({"spec": {"size": 1, "tags": {"a": 1}}}),
                "spec.tags.a: Invalid value: \"integer\": spec.tags.a in body must be of type string: \"integer\"",
            ),
            (
                json!({"spec": {"size": 1, "list": [{"k": "a"}, {"k": "a"}]}}),
                "spec.list[1]: Duplicate value: {\"k\":\"a\"}",
            ),
            (
                json!({"spec": {"size": 1, "list": [{}, {"k": "b"}, {"k": "c"}]}}),
                "spec.list: Too many: 3: must have at most 2 items",
            ),
            (
                json!({"spec": {"size": 1, "when": "x"}}),
                "spec.when: Invalid value: \"x\": spec.when in body must be of type date-time: \"x\"",
            ),
            (
                json!({"spec": {"size": null}}),
                "spec.size: Invalid value: \"null\": spec.size in body must be of type integer: \"null\"",
            ),
            (json!({"spec": {"size": 3, "port": "a", "free": {"x": [1]}}}), ""),
        ];
        for (object, expected) in cases {
            let causes = check(&schema(), &object);
            let said: Vec<String> = causes
                .iter()
                .map(|cause| format!("{}: {}", cause.field, cause.message))
                .collect();
            assert_eq!(said.join("\n"), expected, "{object}");
        }
    }

    #[test]
    fn unknown_fields_go_and_defaults_come() {
        let mut object = json!({"apiVersion": "a", "kind": "K", "metadata": {"x": 1}, "other": 1, "spec": {
            "size": 1, "bad": {}, "free": {"x": {"y": 1}}, "list": [{"k": "a", "z": 1}], "color": null,
        }});
        let dropped = prune(&schema(), &mut object);
        assert_eq!(dropped, ["other", "spec.bad", "spec.list[0].z"]);
        fill(&schema(), &mut object);
        let expected = json!({"apiVersion": "a", "kind": "K", "metadata": {"x": 1}, "spec": {
            "size": 1, "free": {"x": {"y": 1}}, "list": [{"k": "a", "n": 7}], "color": "red",
        }});
        assert_eq!(object, expected);
    }
}
