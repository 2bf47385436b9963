//! What operators do with values at run time, with the failures of the original's words.

use std::cmp::Ordering;

use super::ast::Op;
use super::methods;
use crate::text::Text;
use crate::value::number::float_to_int;
use crate::value::{Element, List, Map, Value, Width};

pub type Outcome = Result<Value, String>;

fn bad(op: &str, a: &Value, b: &Value) -> String {
    format!("invalid operation: {} {op} {}", a.type_name(), b.type_name())
}

/// What an operator makes of two values of `int`, when it can't fail and needs no memory: most of what closures do.
#[must_use]
pub fn integers(op: Op, a: i64, b: i64) -> Option<Value> {
    Some(match op {
        Op::Eq => Value::Bool(a == b),
        Op::Ne => Value::Bool(a != b),
        Op::Lt => Value::Bool(a < b),
        Op::Gt => Value::Bool(a > b),
        Op::Le => Value::Bool(a <= b),
        Op::Ge => Value::Bool(a >= b),
        Op::Add => Value::Int(a.wrapping_add(b)),
        Op::Sub => Value::Int(a.wrapping_sub(b)),
        Op::Mul => Value::Int(a.wrapping_mul(b)),
        Op::Mod if b != 0 => Value::Int(a.wrapping_rem(b)),
        _ => return None,
    })
}

/// Arithmetic on two values.
///
/// # Errors
/// Types that do not fit, and a remainder by zero.
pub fn arithmetic(op: Op, a: &Value, b: &Value) -> Outcome {
    if let (Some(x), Some(y)) = (a.integer(), b.integer()) {
        if op == Op::Mod && y == 0 {
            return Err("runtime error: integer divide by zero".into());
        }
        if let Some(value) = integers(op, x, y) {
            return Ok(value);
        }
    }
    if let (Some(x), Some(y)) = (a.number(), b.number()) {
        match op {
            Op::Add => return Ok(Value::Float(x + y)),
            Op::Sub => return Ok(Value::Float(x - y)),
            Op::Mul => return Ok(Value::Float(x * y)),
            Op::Div => return Ok(Value::Float(x / y)),
            Op::Pow(_) => return Ok(Value::Float(crate::value::number::pow(x, y))),
            _ => {}
        }
    }
    match (op, a, b) {
        (Op::Add, Value::Str(x), Value::Str(y)) => Ok(Value::str([x.bytes(), y.bytes()].concat())),
        (Op::Add, Value::Time(t), Value::Duration(d)) | (Op::Add, Value::Duration(d), Value::Time(t)) => {
            crate::gotime::add(t, *d)
        }
        (Op::Sub, Value::Time(t), Value::Duration(d)) => crate::gotime::add(t, d.wrapping_neg()),
        (Op::Sub, Value::Time(x), Value::Time(y)) => Ok(Value::Duration(crate::gotime::between(x, y))),
        (Op::Add, Value::Duration(x), Value::Duration(y)) => Ok(Value::Duration(x.wrapping_add(*y))),
        (Op::Sub, Value::Duration(x), Value::Duration(y)) => Ok(Value::Duration(x.wrapping_sub(*y))),
        (Op::Mul, Value::Duration(x), Value::Duration(y)) => Ok(Value::Duration(x.wrapping_mul(*y))),
        (Op::Mul, Value::Duration(d), n) | (Op::Mul, n, Value::Duration(d)) => {
            match (n.integer(), n.number()) {
                (Some(i), _) => Ok(Value::Duration(d.wrapping_mul(i))),
                (None, Some(f)) => Ok(Value::Float(*d as f64 * f)),
                _ => Err(bad("*", a, b)),
            }
        }
        (Op::Pow(_), ..) => {
            let wrong = if a.number().is_none() { a } else { b };
            Err(format!("invalid operation: float({})", wrong.type_name()))
        }
        _ => Err(bad(op.text(), a, b)),
    }
}

/// The sign before a value.
///
/// # Errors
/// When it is no number.
pub fn negate(v: &Value) -> Outcome {
    match v {
        Value::Float(f) => Ok(Value::Float(-f)),
        Value::Int(i) => Ok(Value::Int(i.wrapping_neg())),
        Value::Sized(w, i) => Ok(Value::Sized(*w, i.wrapping_neg())),
        _ => Err(format!("invalid operation: - {}", v.type_name())),
    }
}

/// `==` of the language: numbers by value, lists element by element, everything else by type and content.
#[must_use]
pub fn equal(a: &Value, b: &Value) -> bool {
    if let (Some(x), Some(y)) = (a.integer(), b.integer()) {
        return x == y;
    }
    if let (Some(x), Some(y)) = (a.number(), b.number()) {
        return x == y;
    }
    match (a, b) {
        (Value::List(x), Value::List(y)) if loose(x, y) => {
            x.items.len() == y.items.len() && x.items.iter().zip(&y.items).all(|(a, b)| equal(a, b))
        }
        _ if a.is_nil() && b.is_nil() => true,
        _ => same(a, b),
    }
}

/// Lists that are compared element by element: typed ones with themselves and with lists of anything.
fn loose(a: &List, b: &List) -> bool {
    let simple = |e| matches!(e, Element::Any | Element::Str | Element::Int | Element::Float);
    simple(a.of) && simple(b.of) && (a.of == b.of || a.of == Element::Any || b.of == Element::Any)
}

/// `reflect.DeepEqual`: the same type and the same content.
#[must_use]
pub fn same(a: &Value, b: &Value) -> bool {
    match (a, b) {
        (Value::Nil, Value::Nil) => true,
        (Value::Bool(x), Value::Bool(y)) => x == y,
        (Value::Int(x), Value::Int(y))
        | (Value::Duration(x), Value::Duration(y))
        | (Value::Month(x), Value::Month(y))
        | (Value::Weekday(x), Value::Weekday(y)) => x == y,
        (Value::Sized(v, x), Value::Sized(w, y)) => v == w && x == y,
        (Value::Float(x), Value::Float(y)) => x == y,
        (Value::Str(x), Value::Str(y)) => x == y,
        (Value::Bytes(x), Value::Bytes(y)) => x == y,
        (Value::List(x), Value::List(y)) => {
            x.of == y.of
                && x.nil == y.nil
                && x.items.len() == y.items.len()
                && x.items.iter().zip(&y.items).all(|(a, b)| same(a, b))
        }
        (Value::Map(x), Value::Map(y)) => {
            x.of_text == y.of_text
                && x.entries.len() == y.entries.len()
                && x.entries
                    .iter()
                    .zip(y.entries.iter())
                    .all(|((k, v), (l, w))| k == l && same(v, w))
        }
        (Value::AnyMap(x), Value::AnyMap(y)) => {
            x.of_lists == y.of_lists
                && x.entries.len() == y.entries.len()
                && x.entries
                    .iter()
                    .all(|(k, v)| y.entries.iter().any(|(l, w)| same(k, l) && same(v, w)))
        }
        (Value::Time(x), Value::Time(y)) => x.timestamp() == y.timestamp(),
        (Value::Zone(x), Value::Zone(y)) => x == y,
        (Value::Struct(x), Value::Struct(y)) => x.name == y.name && x.text == y.text,
        _ => false,
    }
}

/// `<`, `>`, `<=`, `>=`.
///
/// # Errors
/// Values that have no order.
pub fn order(op: Op, a: &Value, b: &Value) -> Result<bool, String> {
    let ordering = compare(a, b).ok_or_else(|| bad(op.text(), a, b))?;
    Ok(match (op, ordering) {
        (_, None) => false,
        (Op::Lt, Some(o)) => o == Ordering::Less,
        (Op::Gt, Some(o)) => o == Ordering::Greater,
        (Op::Le, Some(o)) => o != Ordering::Greater,
        (_, Some(o)) => o != Ordering::Less,
    })
}

/// `None` for values without order; `Some(None)` for NaN.
fn compare(a: &Value, b: &Value) -> Option<Option<Ordering>> {
    if let (Some(x), Some(y)) = (a.integer(), b.integer()) {
        return Some(Some(x.cmp(&y)));
    }
    if let (Some(x), Some(y)) = (a.number(), b.number()) {
        return Some(x.partial_cmp(&y));
    }
    match (a, b) {
        (Value::Str(x), Value::Str(y)) => Some(Some(x.cmp(y))),
        (Value::Time(x), Value::Time(y)) => Some(Some(x.timestamp().cmp(&y.timestamp()))),
        (Value::Duration(x), Value::Duration(y)) => Some(Some(x.cmp(y))),
        _ => None,
    }
}

/// `in`.
///
/// # Errors
/// When nothing can be in the right value.
pub fn contains(needle: &Value, stack: &Value) -> Result<bool, String> {
    match stack {
        Value::Nil => Ok(false),
        Value::List(l) => Ok(l.items.iter().any(|v| equal(v, needle))),
        Value::Bytes(b) => Ok(b
            .iter()
            .any(|v| equal(&Value::Sized(Width::U8, i64::from(*v)), needle))),
        Value::Map(m) => match needle {
            Value::Str(s) => Ok(m.entries.contains_key(s.bytes())),
            Value::Nil => Ok(m.entries.contains_key(b"")),
            other => Err(map_key(other)),
        },
        Value::AnyMap(_)
            if matches!(
                needle,
                Value::List(_) | Value::Map(_) | Value::AnyMap(_) | Value::Bytes(_)
            ) =>
        {
            Err(format!(
                "runtime error: hash of unhashable type {}",
                needle.type_name()
            ))
        }
        Value::AnyMap(m) => Ok(m.entries.iter().any(|(k, _)| same(k, needle))),
        Value::Time(_) if matches!(needle, Value::Str(_)) => Ok(false),
        Value::Struct(s) => match needle {
            Value::Str(name) => Ok(s.fields.contains_key(&*name.lossy())),
            other => Err(format!(
                "cannot use {} as field name of {}",
                other.type_name(),
                s.name
            )),
        },
        other => Err(format!("operator \"in\" not defined on {}", other.type_name())),
    }
}

fn map_key(key: &Value) -> String {
    format!(
        "reflect.Value.MapIndex: value of type {} is not assignable to type string",
        key.type_name()
    )
}

/// A value as index.
///
/// # Errors
/// When it is no number.
pub fn to_int(v: &Value) -> Result<i64, String> {
    match v {
        Value::Float(f) => Ok(float_to_int(*f)),
        other => other
            .integer()
            .ok_or_else(|| format!("invalid operation: int({})", other.type_name())),
    }
}

/// A member of a value: element, map entry, field or method result.
///
/// # Errors
/// When there is no such member.
pub fn fetch(from: &Value, key: &Value) -> Outcome {
    let missing = || {
        format!(
            "cannot fetch {} from {}",
            crate::value::print::plain(key),
            from.type_name()
        )
    };
    match from {
        Value::List(l) => {
            let at = index(to_int(key)?, l.items.len())?;
            Ok(l.items[at].clone())
        }
        Value::Bytes(b) => Ok(Value::Sized(
            Width::U8,
            i64::from(b[index(to_int(key)?, b.len())?]),
        )),
        Value::Str(s) => {
            let b = s.bytes();
            Ok(Value::Sized(
                Width::U8,
                i64::from(b[index(to_int(key)?, b.len())?]),
            ))
        }
        Value::Map(m) => match key {
            Value::Str(s) => Ok(entry(m, s)),
            Value::Nil => Ok(entry(m, &Text::from(""))),
            other => Err(map_key(other)),
        },
        Value::AnyMap(m) => Ok(match m.entries.iter().find(|(k, _)| same(k, key)) {
            Some((_, v)) => v.clone(),
            None if m.of_lists => Value::nil_list(Element::Any),
            None => Value::Nil,
        }),
        Value::Struct(s) => match key {
            Value::Str(name) => s
                .fields
                .get(&*name.lossy())
                .cloned()
                .or_else(|| super::methods::bound(from, &name.lossy()))
                .ok_or_else(missing),
            other => Err(super::eval::conversion(other, "string")),
        },
        Value::Time(_) if !matches!(key, Value::Str(_)) => Err(super::eval::conversion(key, "string")),
        _ => match key {
            Value::Str(name) => super::methods::bound(from, &name.lossy()).ok_or_else(missing),
            _ => Err(missing()),
        },
    }
}

fn entry(m: &Map, key: &Text) -> Value {
    match m.entries.get(key.bytes()) {
        Some(v) => v.clone(),
        None if m.of_text => Value::str(""),
        None => Value::Nil,
    }
}

fn index(at: i64, len: usize) -> Result<usize, String> {
    let length = i64::try_from(len).unwrap_or(i64::MAX);
    let at = if at < 0 { at.saturating_add(length) } else { at };
    if at < 0 || at >= length {
        return Err(format!("index out of range: {at} (array length is {len})"));
    }
    Ok(usize::try_from(at).unwrap_or(0))
}

/// `value[from:to]`; a missing bound is `None`.
///
/// # Errors
/// When the value has no parts or a bound is no number.
pub fn slice(value: &Value, from: Option<&Value>, to: Option<&Value>) -> Outcome {
    let len = match value {
        Value::List(l) => l.items.len(),
        Value::Bytes(b) => b.len(),
        Value::Str(s) => s.bytes().len(),
        Value::Map(_) | Value::AnyMap(_) => return Err(cannot_slice(from)),
        other if to.is_none() => {
            return Err(format!("invalid argument for len (type {})", other.type_name()));
        }
        _ => return Err(cannot_slice(from)),
    };
    let length = i64::try_from(len).unwrap_or(i64::MAX);
    let bound = |v: Option<&Value>, default: i64| -> Result<i64, String> {
        let at = v.map_or(Ok(default), to_int)?;
        Ok(if at < 0 {
            at.saturating_add(length).max(0)
        } else {
            at.min(length)
        })
    };
    let b = bound(to, length)?;
    let a = bound(from, 0)?.min(b);
    let range = usize::try_from(a).unwrap_or(0)..usize::try_from(b).unwrap_or(0);
    Ok(match value {
        Value::List(l) => {
            let items = l.items[range].to_vec();
            Value::List(std::sync::Arc::new(List {
                of: l.of,
                nil: l.nil,
                items,
            }))
        }
        Value::Bytes(b) => Value::Bytes(b[range].into()),
        Value::Str(s) => Value::str(&s.bytes()[range]),
        _ => Value::Nil,
    })
}

/// The original names the lower bound, not what can't be sliced.
fn cannot_slice(from: Option<&Value>) -> String {
    format!(
        "cannot slice {}",
        from.map_or("0".into(), crate::value::print::plain)
    )
}

/// Calls a method of a value, if the type has one of this name.
///
/// # Errors
/// When the call itself fails.
pub fn method(base: &Value, name: &str, args: &[Value]) -> Result<Option<Value>, String> {
    methods::call(base, name, args)
}
