//! What a client-side `apply` changes: everything that is wanted and not so, and everything that
//! was wanted before and no longer is. Lists are replaced whole, where kubectl merges those of
//! Kubernetes' own kinds by their keys.

use serde_json::{Map, Value};

/// The merge patch that leads from `current` to `wanted`, given what was wanted `last`.
pub fn three_way(last: &Value, wanted: &Value, current: &Value) -> Value {
    Value::Object(difference(last, wanted, current))
}

fn difference(last: &Value, wanted: &Value, current: &Value) -> Map<String, Value> {
    let mut change = Map::new();
    for (key, value) in wanted.as_object().into_iter().flatten() {
        let now = current.get(key).unwrap_or(&Value::Null);
        if value == now {
            continue;
        }
        if value.is_object() && now.is_object() {
            let inner = difference(last.get(key).unwrap_or(&Value::Null), value, now);
            if !inner.is_empty() {
                change.insert(key.clone(), Value::Object(inner));
            }
        } else {
            change.insert(key.clone(), value.clone());
        }
    }
    for key in last.as_object().into_iter().flat_map(Map::keys) {
        if wanted.get(key).is_none() && current.get(key).is_some() {
            change.insert(key.clone(), Value::Null);
        }
    }
    change
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn three_way_patches() {
        for (last, wanted, current, want) in [
            (json!({}), json!({"a": 1}), json!({"a": 1, "b": 2}), json!({})),
            (
                json!({"b": 2}),
                json!({"a": 1}),
                json!({"a": 1, "b": 2}),
                json!({"b": null}),
            ),
            (json!({"b": 2}), json!({"a": 1}), json!({"a": 1}), json!({})),
            (
                json!(null),
                json!({"m": {"x": 1}}),
                json!({"m": {"y": 2}}),
                json!({"m": {"x": 1}}),
            ),
            (
                json!({"m": {"y": 2}}),
                json!({"m": {}}),
                json!({"m": {"y": 2}}),
                json!({"m": {"y": null}}),
            ),
            (
                json!({}),
                json!({"l": [1]}),
                json!({"l": [1, 2]}),
                json!({"l": [1]}),
            ),
        ] {
            assert_eq!(three_way(&last, &wanted, &current), want);
        }
    }
}
