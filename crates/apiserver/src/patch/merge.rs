//! JSON merge patch (RFC 7386).
//!
//! Deliberately absent: merging lists (see `patch::strategic`).

use serde_json::{Map, Value};

/// What `patch` makes of `target`: null removes, objects merge, all else replaces.
pub fn apply(target: Value, patch: Value) -> Value {
    let Value::Object(patch) = patch else { return patch };
    let mut target = match target {
        Value::Object(target) => target,
        _ => Map::new(),
    };
    for (field, value) in patch {
        if value.is_null() {
            target.remove(&field);
        } else {
            let old = target.remove(&field).unwrap_or(Value::Null);
            target.insert(field, apply(old, value));
        }
    }
    Value::Object(target)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rfc_7386_cases() {
        let cases = [
            (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
            (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
            (json!({"a": "b", "b": 1}), json!({"a": null}), json!({"b": 1})),
            (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
            (
                json!({"a": {"b": "c"}}),
                json!({"a": {"b": "d", "c": null}}),
                json!({"a": {"b": "d"}}),
            ),
            (
                json!({"a": [1]}),
                json!({"a": [2, null]}),
                json!({"a": [2, null]}),
            ),
            (
                json!({}),
                json!({"a": {"b": {"c": null}}}),
                json!({"a": {"b": {}}}),
            ),
            (json!([1]), json!({"a": 1}), json!({"a": 1})),
        ];
        for (target, patch, expected) in cases {
            assert_eq!(apply(target.clone(), patch.clone()), expected, "{target} {patch}");
        }
    }
}
