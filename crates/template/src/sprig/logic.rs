//! Defaults, JSON, and what a value is.

use super::{Outcome, any, kind, string, text};
use crate::expr::ops::same;
use crate::value::Value;
use crate::value::json::read;
use crate::value::json::{COMPACT, Style, write};

/// Whether Sprig counts a value as empty: nil, false, zero, and what has no elements.
pub(super) fn is_empty(v: &Value) -> bool {
    match v {
        Value::Nil => true,
        Value::Bool(b) => !b,
        Value::Str(s) => s.bytes().is_empty(),
        Value::Bytes(b) => b.is_empty(),
        Value::List(l) => l.items.is_empty(),
        Value::Map(m) => m.entries.is_empty(),
        Value::AnyMap(m) => m.entries.is_empty(),
        Value::Duration(i) | Value::Month(i) | Value::Weekday(i) => *i == 0,
        other => other.number().is_some_and(|f| f == 0.0),
    }
}

pub fn default(a: &[Value]) -> Outcome {
    Ok(match a.get(1) {
        Some(v) if !is_empty(v) => v.clone(),
        _ => any(a, 0).clone(),
    })
}

pub fn empty(a: &[Value]) -> Outcome {
    Ok(Value::Bool(is_empty(any(a, 0))))
}

pub fn coalesce(a: &[Value]) -> Outcome {
    Ok(a.iter().find(|v| !is_empty(v)).cloned().unwrap_or(Value::Nil))
}

pub fn all(a: &[Value]) -> Outcome {
    Ok(Value::Bool(!a.iter().any(is_empty)))
}

pub fn any_of(a: &[Value]) -> Outcome {
    Ok(Value::Bool(a.iter().any(|v| !is_empty(v))))
}

pub fn ternary(a: &[Value]) -> Outcome {
    Ok(any(a, usize::from(!matches!(any(a, 2), Value::Bool(true)))).clone())
}

pub fn fail(a: &[Value]) -> Outcome {
    Err(string(a, 0))
}

pub fn from_json(a: &[Value]) -> Outcome {
    Ok(read(text(a, 0)).unwrap_or(Value::Nil))
}

pub fn must_from_json(a: &[Value]) -> Outcome {
    read(text(a, 0))
}

const PRETTY: Style = Style {
    html: true,
    indent: Some(2),
};
const RAW: Style = Style {
    html: false,
    indent: None,
};

pub fn to_json(a: &[Value]) -> Outcome {
    Ok(Value::str(write(any(a, 0), COMPACT).unwrap_or_default()))
}

pub fn must_to_json(a: &[Value]) -> Outcome {
    write(any(a, 0), COMPACT).map(Value::str)
}

pub fn to_pretty_json(a: &[Value]) -> Outcome {
    Ok(Value::str(write(any(a, 0), PRETTY).unwrap_or_default()))
}

pub fn must_to_pretty_json(a: &[Value]) -> Outcome {
    write(any(a, 0), PRETTY).map(Value::str)
}

pub fn must_to_raw_json(a: &[Value]) -> Outcome {
    write(any(a, 0), RAW).map(Value::str)
}

pub fn type_of(a: &[Value]) -> Outcome {
    Ok(Value::str(any(a, 0).type_name()))
}

pub fn type_is(a: &[Value]) -> Outcome {
    Ok(Value::Bool(string(a, 0) == any(a, 1).type_name()))
}

pub fn type_is_like(a: &[Value]) -> Outcome {
    let (wanted, given) = (string(a, 0), any(a, 1).type_name());
    Ok(Value::Bool(wanted == given || format!("*{wanted}") == given))
}

pub fn kind_of(a: &[Value]) -> Outcome {
    Ok(kind(any(a, 0)).into())
}

pub fn kind_is(a: &[Value]) -> Outcome {
    Ok(Value::Bool(string(a, 0) == kind(any(a, 1))))
}

pub fn deep_equal(a: &[Value]) -> Outcome {
    Ok(Value::Bool(same(any(a, 0), any(a, 1))))
}

pub fn deep_copy(a: &[Value]) -> Outcome {
    match any(a, 0) {
        Value::Nil => Err("reflect: call of reflect.Value.Type on zero Value".into()),
        v => Ok(v.clone()),
    }
}
