//! Paths into JSON: names and list positions with dots between. The keys of selectors allow no more.

use serde_json::Value;

use crate::value::json::{COMPACT, from_scope, write};

/// The value at a path.
pub fn find<'v>(value: &'v Value, path: &str) -> Option<&'v Value> {
    let mut at = value;
    for part in path.split('.') {
        at = match at {
            Value::Object(members) => members.get(part)?,
            Value::Array(items) => {
                if part.is_empty() || !part.bytes().all(|b| b.is_ascii_digit()) {
                    return None;
                }
                items.get(part.parse::<usize>().ok()?)?
            }
            _ => return None,
        };
    }
    Some(at)
}

/// A value as the text that is compared: numbers without exponent, null empty.
pub fn text(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::Bool(b) => b.to_string(),
        Value::Number(n) => match n.as_i64() {
            Some(i) => i.to_string(),
            None => format!("{}", n.as_f64().unwrap_or(0.0)),
        },
        Value::String(s) => s.clone(),
        other => write(&from_scope(other), COMPACT).unwrap_or_default(),
    }
}
