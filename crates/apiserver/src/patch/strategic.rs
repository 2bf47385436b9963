//! Strategic merge patch: lists of Kubernetes' own kinds merge by key, with `$patch` directives.
//!
//! Deliberately absent: custom kinds, which Kubernetes does not patch this way either.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::status::{Result, Status};
use crate::types::{Field, Shape, Type, named};

/// How a list merges.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum ListRule {
    /// The patch's list takes the place of the old one.
    Replace,
    /// Elements are objects with this key.
    ByKey(&'static str),
    /// Elements are scalars, each at most once.
    Set,
}

fn list_rule(r#type: Option<&Type>, field: &str) -> ListRule {
    match field_of(r#type, field).and_then(|field| field.patch) {
        None => ListRule::Replace,
        Some("") => ListRule::Set,
        Some(key) => ListRule::ByKey(key),
    }
}

fn field_of<'a>(r#type: Option<&'a Type>, field: &str) -> Option<&'a Field> {
    r#type?.fields.get(field)
}

/// The type of a field's values, or of its elements.
fn below(r#type: Option<&Type>, field: &str) -> Option<&'static Type> {
    match &field_of(r#type, field)?.shape {
        Shape::Named(name) => named(name),
        Shape::List(element) => match element.as_ref() {
            Shape::Named(name) => named(name),
            _ => None,
        },
        _ => None,
    }
}

/// What `patch` makes of `target`; lists of an unknown type are replaced.
///
/// # Errors
/// 400 for directives that cannot be followed.
pub fn apply(target: Value, patch: Value, r#type: Option<&Type>) -> Result<Value> {
    match patch {
        Value::Object(patch) => {
            let target = match target {
                Value::Object(target) => target,
                _ => Map::new(),
            };
            merge_map(target, patch, r#type)
        }
        _ => Err(Status::bad_request(
            "error decoding patch: a patch must be a JSON object",
        )),
    }
}

fn merge_map(
    mut target: Map<String, Value>,
    mut patch: Map<String, Value>,
    at: Option<&Type>,
) -> Result<Value> {
    match patch
        .remove("$patch")
        .as_ref()
        .map(|directive| directive.as_str().unwrap_or_default())
    {
        Some("replace") => return Ok(Value::Object(patch)),
        Some("delete") => return Ok(Value::Object(Map::new())),
        Some("merge") | None => {}
        Some(other) => {
            return Err(Status::bad_request(format!("unknown patch type found: {other}")));
        }
    }
    if let Some(Value::Array(kept)) = patch.remove("$retainKeys") {
        target.retain(|field, _| kept.iter().any(|kept| kept.as_str() == Some(field)));
    }
    let mut orders = BTreeMap::new();
    let mut removals = BTreeMap::new();
    patch.retain(|field, value| {
        if let Some(list) = field.strip_prefix("$setElementOrder/") {
            orders.insert(list.to_owned(), value.take());
        } else if let Some(list) = field.strip_prefix("$deleteFromPrimitiveList/") {
            removals.insert(list.to_owned(), value.take());
        } else {
            return true;
        }
        false
    });
    for (field, removed) in removals {
        if let (Some(Value::Array(list)), Value::Array(removed)) = (target.get_mut(&field), removed) {
            list.retain(|element| !removed.contains(element));
        }
    }
    for (field, value) in patch {
        let old = target.remove(&field);
        if value.is_null() {
            continue;
        }
        let merged = match (old, value) {
            (old, Value::Object(patch)) => {
                let removed = patch.get("$patch").and_then(Value::as_str) == Some("delete");
                let old = match old {
                    Some(Value::Object(old)) => old,
                    _ => Map::new(),
                };
                let merged = merge_map(old, patch, below(at, &field))?;
                if removed {
                    continue;
                }
                merged
            }
            (Some(Value::Array(old)), Value::Array(patch)) => {
                Value::Array(merge_list(old, patch, at, &field)?)
            }
            (_, Value::Array(patch)) => Value::Array(merge_list(Vec::new(), patch, at, &field)?),
            (_, other) => other,
        };
        target.insert(field, merged);
    }
    for (field, order) in orders {
        if let (Some(Value::Array(list)), Value::Array(order)) = (target.get_mut(&field), order) {
            reorder(list, &order, at, &field);
        }
    }
    Ok(Value::Object(target))
}

fn merge_list(old: Vec<Value>, patch: Vec<Value>, at: Option<&Type>, field: &str) -> Result<Vec<Value>> {
    let replaces = |element: &Value| element.get("$patch").and_then(Value::as_str) == Some("replace");
    if patch.iter().any(replaces) {
        return Ok(patch.into_iter().filter(|element| !replaces(element)).collect());
    }
    let key = match list_rule(at, field) {
        ListRule::Replace => return Ok(patch),
        ListRule::Set => {
            let mut list = old;
            for element in patch {
                if !list.contains(&element) {
                    list.push(element);
                }
            }
            return Ok(list);
        }
        ListRule::ByKey(key) => key,
    };
    let mut list = old;
    for element in patch {
        let Some(name) = element.get(key).cloned() else {
            let said = format!("map: {element} does not contain declared merge key: {key}");
            return Err(Status::bad_request(said));
        };
        let place = list.iter().position(|old| old.get(key) == Some(&name));
        let deletes = element.get("$patch").and_then(Value::as_str) == Some("delete");
        match (place, element) {
            (Some(place), _) if deletes => drop(list.remove(place)),
            (None, _) if deletes => {}
            (Some(place), Value::Object(element)) => {
                let old = match list[place].take() {
                    Value::Object(old) => old,
                    _ => Map::new(),
                };
                list[place] = merge_map(old, element, below(at, field))?;
            }
            (None, Value::Object(element)) => list.push(merge_map(Map::new(), element, below(at, field))?),
            (_, other) => list.push(other),
        }
    }
    Ok(list)
}

/// Puts the elements that `order` names into its order; others keep their place relative to their predecessor.
fn reorder(list: &mut Vec<Value>, order: &[Value], at: Option<&Type>, field: &str) {
    let key = match list_rule(at, field) {
        ListRule::ByKey(key) => Some(key),
        _ => None,
    };
    let name = |element: &Value| match key {
        Some(key) if element.is_object() => element.get(key).cloned().unwrap_or(Value::Null),
        _ => element.clone(),
    };
    let wanted: Vec<Value> = order.iter().map(name).collect();
    let rank = |element: &Value| wanted.iter().position(|wanted| *wanted == name(element));
    let mut last = 0;
    let mut ranked: Vec<(usize, bool, Value)> = Vec::with_capacity(list.len());
    for element in list.drain(..) {
        let own = rank(&element);
        last = own.unwrap_or(last);
        ranked.push((last, own.is_none(), element));
    }
    ranked.sort_by_key(|(rank, follows, _)| (*rank, *follows));
    list.extend(ranked.into_iter().map(|(_, _, element)| element));
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn lists_merge_by_their_keys() {
        let pod = json!({"metadata": {"finalizers": ["a"]}, "spec": {
            "containers": [{"name": "a", "image": "1", "env": [{"name": "X", "value": "1"}]}, {"name": "b"}],
            "tolerations": [{"key": "k"}],
        }});
        let cases = [
            (
                "one element changes",
                json!({"spec": {"containers": [{"name": "a", "image": "2"}]}}),
                "/spec/containers",
                json!([{"name": "a", "image": "2", "env": [{"name": "X", "value": "1"}]}, {"name": "b"}]),
            ),
            (
                "an element goes",
                json!({"spec": {"containers": [{"name": "a", "$patch": "delete"}]}}),
                "/spec/containers",
                json!([{"name": "b"}]),
            ),
            (
                "the list is replaced",
                json!({"spec": {"containers": [{"$patch": "replace"}, {"name": "c"}]}}),
                "/spec/containers",
                json!([{"name": "c"}]),
            ),
            (
                "an order is given",
                json!({"spec": {"$setElementOrder/containers": [{"name": "b"}, {"name": "a"}],
                    "containers": [{"name": "a", "env": null}]}}),
                "/spec/containers",
                json!([{"name": "b"}, {"name": "a", "image": "1"}]),
            ),
            (
                "lists without keys are replaced",
                json!({"spec": {"tolerations": [{"key": "l"}]}}),
                "/spec/tolerations",
                json!([{"key": "l"}]),
            ),
            (
                "sets grow",
                json!({"metadata": {"finalizers": ["b", "a"]}}),
                "/metadata/finalizers",
                json!(["a", "b"]),
            ),
            (
                "sets shrink",
                json!({"metadata": {"$deleteFromPrimitiveList/finalizers": ["a"]}}),
                "/metadata/finalizers",
                json!([]),
            ),
        ];
        for (name, patch, place, expected) in cases {
            let next = apply(pod.clone(), patch, named("core.v1.Pod")).expect(name);
            assert_eq!(next.pointer(place), Some(&expected), "{name}");
        }
        let nameless = json!({"spec": {"containers": [{"image": "x"}]}});
        assert!(apply(pod, nameless, named("core.v1.Pod")).is_err());
    }
}
