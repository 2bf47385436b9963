//! Maps. Values do not change in place here: `set` and `unset` give a new map.

use std::collections::BTreeMap;

use super::logic::is_empty;
use super::{Outcome, any, as_text, text};
use crate::text::Text;
use crate::value::{Element, Value};

/// How deep maps are merged.
const DEPTH: usize = 100;

fn entries(v: &Value) -> BTreeMap<Text, Value> {
    match v {
        Value::Map(m) => m.entries.to_map(),
        _ => BTreeMap::new(),
    }
}

pub fn dict(a: &[Value]) -> Outcome {
    let mut made = BTreeMap::new();
    for pair in a.chunks(2) {
        let value = pair.get(1).cloned().unwrap_or_else(|| Value::str(""));
        made.insert(Text::from(as_text(&pair[0])), value);
    }
    Ok(Value::map(made))
}

pub fn get(a: &[Value]) -> Outcome {
    Ok(match any(a, 0) {
        Value::Map(m) => m
            .entries
            .get(text(a, 1))
            .cloned()
            .unwrap_or_else(|| Value::str("")),
        _ => Value::str(""),
    })
}

pub fn set(a: &[Value]) -> Outcome {
    let mut made = entries(any(a, 0));
    made.insert(Text::from(text(a, 1)), any(a, 2).clone());
    Ok(Value::map(made))
}

pub fn unset(a: &[Value]) -> Outcome {
    let mut made = entries(any(a, 0));
    made.remove(text(a, 1));
    Ok(Value::map(made))
}

pub fn has_key(a: &[Value]) -> Outcome {
    Ok(Value::Bool(
        matches!(any(a, 0), Value::Map(m) if m.entries.contains_key(text(a, 1))),
    ))
}

pub fn pluck(a: &[Value]) -> Outcome {
    let key = text(a, 0);
    let found = a[1..].iter().filter_map(|v| match v {
        Value::Map(m) => m.entries.get(key).cloned(),
        _ => None,
    });
    Ok(Value::list(found.collect()))
}

pub fn keys(a: &[Value]) -> Outcome {
    let all = a
        .iter()
        .flat_map(|v| entries(v).into_keys())
        .map(Value::Str)
        .collect();
    Ok(Value::list_of(Element::Str, all))
}

pub fn values(a: &[Value]) -> Outcome {
    Ok(Value::list(entries(any(a, 0)).into_values().collect()))
}

pub fn pick(a: &[Value]) -> Outcome {
    let from = entries(any(a, 0));
    let wanted = (1..a.len()).filter_map(|i| from.get_key_value(text(a, i)));
    Ok(Value::map(wanted.map(|(k, v)| (k.clone(), v.clone()))))
}

pub fn omit(a: &[Value]) -> Outcome {
    let mut made = entries(any(a, 0));
    for i in 1..a.len() {
        made.remove(text(a, i));
    }
    Ok(Value::map(made))
}

pub fn merge(a: &[Value]) -> Outcome {
    Ok(Value::map(
        a[1..].iter().fold(entries(any(a, 0)), |into, from| {
            merged(into, &entries(from), false, 0)
        }),
    ))
}

pub fn merge_overwrite(a: &[Value]) -> Outcome {
    Ok(Value::map(
        a[1..].iter().fold(entries(any(a, 0)), |into, from| {
            merged(into, &entries(from), true, 0)
        }),
    ))
}

/// Entries that are missing or empty are taken over; with `overwrite` all others too.
fn merged(
    mut into: BTreeMap<Text, Value>,
    from: &BTreeMap<Text, Value>,
    overwrite: bool,
    depth: usize,
) -> BTreeMap<Text, Value> {
    for (key, value) in from {
        if matches!(value, Value::Nil) && !overwrite {
            continue;
        }
        let known = into.get(key);
        let new = match (known, value) {
            (Some(Value::Map(a)), Value::Map(b)) if depth < DEPTH => Value::map(merged(
                a.entries.to_map(),
                &b.entries.to_map(),
                overwrite,
                depth + 1,
            )),
            (None, v) => v.clone(),
            (Some(k), v) if is_empty(k) => v.clone(),
            (Some(_), v) if overwrite => v.clone(),
            _ => continue,
        };
        into.insert(key.clone(), new);
    }
    into
}

pub fn dig(a: &[Value]) -> Outcome {
    let [keys @ .., default, dict] = a else {
        return Err("dig needs at least three arguments".into());
    };
    if keys.is_empty() {
        return Err("dig needs at least three arguments".into());
    }
    let conversion = |v: &Value, to: &str| crate::expr::conversion(v, to);
    let mut at = dict.clone();
    if !matches!(at, Value::Map(_)) {
        return Err(conversion(&at, "map[string]interface {}"));
    }
    let names = keys
        .iter()
        .map(|key| match key {
            Value::Str(name) => Ok(name),
            other => Err(conversion(other, "string")),
        })
        .collect::<Result<Vec<_>, _>>()?;
    for key in names {
        let Value::Map(m) = &at else {
            return Err(conversion(&at, "map[string]interface {}"));
        };
        match m.entries.get(key.bytes()) {
            Some(v) => at = v.clone(),
            None => return Ok(default.clone()),
        }
    }
    Ok(at)
}
