//! Strategic merge of JSON objects, as Kubernetes does it: lists of named things are merged by their key, all else is replaced.
//!
//! What is merged by which key is in `schema`; what a workflow makes of it is in the other files of this folder.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::schema::{Rule, Type};

/// The key of a patch that says what to do with the object it stands in.
const DIRECTIVE: &str = "$patch";
/// The key of a patch that lists the only keys to keep.
const RETAIN_KEYS: &str = "$retainKeys";
/// Begin of the keys that give the order of a list.
const ELEMENT_ORDER: &str = "$setElementOrder/";
/// Begin of the keys that name texts to take out of a list.
const DELETE_FROM_LIST: &str = "$deleteFromPrimitiveList/";

/// Why a patch can't be applied.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// `$patch` has an unknown value.
    #[error("Unknown patch type found: {0}")]
    UnknownDirective(String),
    /// An item of a list that is merged by a key does not have the key.
    #[error("map: {item} does not contain declared merge key: {key}")]
    NoMergeKey {
        /// The key that is missing.
        key: &'static str,
        /// The item, as JSON.
        item: String,
    },
    /// The patch has another kind of value than the object.
    #[error("unable to merge {patch} into {original} at {key}")]
    Kinds {
        /// The key.
        key: String,
        /// Kind of the value in the patch.
        patch: &'static str,
        /// Kind of the value in the object.
        original: &'static str,
    },
}

/// The object with the patch applied.
///
/// Nulls in the patch delete keys; `schema` says which lists are merged, and by which key.
///
/// # Errors
/// When a directive is unknown, a merge key is missing, or the kinds of two values differ.
pub fn merge(original: &Value, patch: &Value, schema: Type) -> Result<Value, Error> {
    let empty = Map::new();
    let original = original.as_object().unwrap_or(&empty);
    let patch = patch.as_object().unwrap_or(&empty);
    merge_maps(original.clone(), patch, schema).map(Value::Object)
}

fn merge_maps(
    mut target: Map<String, Value>,
    patch: &Map<String, Value>,
    schema: Type,
) -> Result<Map<String, Value>, Error> {
    match patch.get(DIRECTIVE) {
        Some(Value::String(word)) if word == "replace" => {
            let mut whole = patch.clone();
            whole.remove(DIRECTIVE);
            return Ok(whole);
        }
        Some(Value::String(word)) if word == "delete" => return Ok(Map::new()),
        Some(Value::String(word)) if word == "merge" => {}
        Some(other) => return Err(Error::UnknownDirective(text_of(other))),
        None => {}
    }
    if let Some(Value::Array(keep)) = patch.get(RETAIN_KEYS) {
        target.retain(|key, _| keep.iter().any(|k| k.as_str() == Some(key)));
    }
    for (key, value) in patch {
        if is_directive(key) {
            continue;
        }
        merge_key(&mut target, key, value, patch, schema)?;
    }
    for (key, value) in patch {
        apply_list_directive(&mut target, key, value, patch, schema)?;
    }
    Ok(target)
}

fn is_directive(key: &str) -> bool {
    key == DIRECTIVE
        || key == RETAIN_KEYS
        || key.starts_with(ELEMENT_ORDER)
        || key.starts_with(DELETE_FROM_LIST)
}

fn merge_key(
    target: &mut Map<String, Value>,
    key: &str,
    value: &Value,
    patch: &Map<String, Value>,
    schema: Type,
) -> Result<(), Error> {
    if value.is_null() {
        target.remove(key);
        return Ok(());
    }
    let rule = schema(key);
    let Some(old) = target.get(key).filter(|v| !v.is_null()) else {
        if let Some(value) = without_directives(value, rule)? {
            target.insert(key.to_owned(), value);
        }
        return Ok(());
    };
    if kind(old) != kind(value) {
        return Err(Error::Kinds {
            key: key.to_owned(),
            patch: kind(value),
            original: kind(old),
        });
    }
    let merged = match (old, value) {
        (Value::Object(old), Value::Object(new)) => {
            Value::Object(merge_maps(old.clone(), new, rule.object())?)
        }
        (Value::Array(old), Value::Array(new)) => match rule {
            Rule::Keyed(merge_key, item) => {
                let order = patch
                    .get(&format!("{ELEMENT_ORDER}{key}"))
                    .and_then(Value::as_array);
                Value::Array(merge_keyed(old, new, merge_key, item, order)?)
            }
            Rule::Set => Value::Array(union(old, new)),
            Rule::Plain | Rule::Object(_) => value.clone(),
        },
        _ => value.clone(),
    };
    target.insert(key.to_owned(), merged);
    Ok(())
}

/// A value that the object does not have yet: what is left of the patch without its directives and nulls.
fn without_directives(value: &Value, rule: Rule) -> Result<Option<Value>, Error> {
    Ok(Some(match value {
        Value::Object(map) => {
            let mut map = map.clone();
            let word = map.get(DIRECTIVE).cloned();
            if word.as_ref().and_then(Value::as_str) == Some("replace") {
                map.remove(DIRECTIVE);
                return Ok(Some(Value::Object(map)));
            }
            Value::Object(merge_maps(Map::new(), &map, rule.object())?)
        }
        Value::Array(items) => Value::Array(new_items(items, rule)?),
        other => other.clone(),
    }))
}

/// The items of a list that the object does not have yet. Equal keys are not joined here, so that a check can still
/// find them.
fn new_items(items: &[Value], rule: Rule) -> Result<Vec<Value>, Error> {
    let mut result = Vec::with_capacity(items.len());
    let inner = match rule {
        Rule::Keyed(_, item) => Rule::Object(item),
        Rule::Set | Rule::Plain | Rule::Object(_) => return Ok(items.to_vec()),
    };
    for item in items {
        match item.get(DIRECTIVE).and_then(Value::as_str) {
            Some("delete") => {}
            Some("replace") if item.as_object().is_some_and(|map| map.len() == 1) => {}
            _ => result.extend(without_directives(item, inner)?),
        }
    }
    Ok(result)
}

fn merge_keyed(
    original: &[Value],
    patch: &[Value],
    key: &'static str,
    item: Type,
    order: Option<&Vec<Value>>,
) -> Result<Vec<Value>, Error> {
    let mut result: Vec<Value> = original.to_vec();
    let mut ordinary = Vec::new();
    let mut replace = false;
    for entry in patch {
        match entry.get(DIRECTIVE).and_then(Value::as_str) {
            Some("delete") => {
                let wanted = key_of(entry, key)?;
                result.retain(|e| e.get(key) != Some(wanted));
            }
            Some("replace") => {
                replace = true;
                let only_directive = entry.as_object().is_some_and(|m| m.len() == 1);
                if !only_directive {
                    ordinary.push(stripped(entry));
                }
            }
            Some("merge") | None => ordinary.push(entry.clone()),
            Some(other) => return Err(Error::UnknownDirective(other.to_owned())),
        }
    }
    if replace {
        return Ok(ordinary);
    }
    for entry in &ordinary {
        let wanted = key_of(entry, key)?;
        let found = result.iter().position(|e| e.get(key) == Some(wanted));
        let empty = Map::new();
        let new = entry.as_object().unwrap_or(&empty);
        if let Some(at) = found {
            let old = result[at].as_object().cloned().unwrap_or_default();
            result[at] = Value::Object(merge_maps(old, new, item)?);
        } else {
            result.push(Value::Object(merge_maps(Map::new(), new, item)?));
        }
    }
    let wanted: Vec<&Value> = match order {
        Some(order) => order.iter().map(|e| e.get(key).unwrap_or(e)).collect(),
        None => ordinary.iter().filter_map(|e| e.get(key)).collect(),
    };
    let live: Vec<&Value> = original.iter().filter_map(|e| e.get(key)).collect();
    Ok(in_order(result, &wanted, &live, |e| e.get(key)))
}

fn stripped(entry: &Value) -> Value {
    let mut map = entry.as_object().cloned().unwrap_or_default();
    map.remove(DIRECTIVE);
    Value::Object(map)
}

fn key_of<'a>(entry: &'a Value, key: &'static str) -> Result<&'a Value, Error> {
    entry.get(key).ok_or_else(|| Error::NoMergeKey {
        key,
        item: entry.to_string(),
    })
}

/// Items that the patch names come in the patch's order, the others in the order of the object; where both lists
/// have an opinion, the object's order decides which comes first.
fn in_order<F>(items: Vec<Value>, wanted: &[&Value], live: &[&Value], id: F) -> Vec<Value>
where
    F: Fn(&Value) -> Option<&Value>,
{
    let place = |list: &[&Value], item: &Value| id(item).and_then(|i| list.iter().position(|w| *w == i));
    let (mut named, mut others): (Vec<Value>, Vec<Value>) =
        items.into_iter().partition(|item| place(wanted, item).is_some());
    named.sort_by_key(|item| place(wanted, item));
    others.sort_by_key(|item| place(live, item).unwrap_or(usize::MAX));
    let mut result = Vec::with_capacity(named.len() + others.len());
    let mut named = named.into_iter().peekable();
    let mut others = others.into_iter().peekable();
    loop {
        let take_other = match (others.peek(), named.peek()) {
            (None, None) => return result,
            (Some(_), None) => true,
            (None, Some(_)) => false,
            (Some(other), Some(name)) => match (place(live, other), place(live, name)) {
                (Some(a), Some(b)) => a < b,
                _ => false,
            },
        };
        result.extend(if take_other { others.next() } else { named.next() });
    }
}

fn union(original: &[Value], patch: &[Value]) -> Vec<Value> {
    let mut result: Vec<Value> = Vec::new();
    for item in original.iter().chain(patch) {
        if !result.contains(item) {
            result.push(item.clone());
        }
    }
    let wanted: Vec<&Value> = patch.iter().collect();
    let live: Vec<&Value> = original.iter().collect();
    in_order(result, &wanted, &live, |item| Some(item))
}

/// Orders a list that the patch only sorts, and takes texts out of lists.
fn apply_list_directive(
    target: &mut Map<String, Value>,
    key: &str,
    value: &Value,
    patch: &Map<String, Value>,
    schema: Type,
) -> Result<(), Error> {
    let Value::Array(named) = value else { return Ok(()) };
    if let Some(list) = key.strip_prefix(DELETE_FROM_LIST) {
        if let Some(Value::Array(items)) = target.get_mut(list) {
            items.retain(|item| !named.contains(item));
        }
    } else if let Some(list) = key.strip_prefix(ELEMENT_ORDER) {
        if patch.contains_key(list) {
            return Ok(());
        }
        if let (Some(Value::Array(items)), Rule::Keyed(merge_key, _)) = (target.get_mut(list), schema(list)) {
            let wanted: Vec<&Value> = named.iter().map(|e| e.get(merge_key).unwrap_or(e)).collect();
            let old = std::mem::take(items);
            let live: Vec<Value> = old.iter().filter_map(|e| e.get(merge_key).cloned()).collect();
            let live: Vec<&Value> = live.iter().collect();
            *items = in_order(old, &wanted, &live, |e| e.get(merge_key));
        }
    }
    Ok(())
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "bool",
        Value::Number(_) => "number",
        Value::String(_) => "string",
        Value::Array(_) => "list",
        Value::Object(_) => "map",
    }
}

fn text_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// Merges maps of texts: entries of `over` win.
pub fn overlay(
    under: &BTreeMap<String, String>,
    over: &BTreeMap<String, String>,
) -> BTreeMap<String, String> {
    let mut result = under.clone();
    result.extend(over.iter().map(|(k, v)| (k.clone(), v.clone())));
    result
}
