//! Lists without closures: ends, parts, order, joining.

use super::arg;
use crate::expr::closures::sorted;
use crate::expr::eval::Machine;
use crate::expr::ops;
use crate::expr::types::Type;
use crate::value::{Element, List, Value, Width};

/// How deep `flatten` goes.
const DEPTH: usize = 1000;

/// Calls one of the family.
///
/// # Errors
/// Values that are no lists.
pub fn call(machine: &mut Machine<'_>, name: &str, args: &[Value]) -> Result<Value, String> {
    match name {
        "get" => get(arg(args, 0)?, arg(args, 1)?),
        "concat" => concat(machine, args),
        "first" => Ok(end(arg(args, 0)?, 0)),
        "last" => Ok(end(arg(args, 0)?, -1)),
        "take" => take(arg(args, 0)?, arg(args, 1)?),
        "reverse" | "uniq" => {
            let mut items = items(name, arg(args, 0)?)?;
            if name == "reverse" {
                items.reverse();
            } else {
                items = unique(machine, items)?;
            }
            machine.grow(items.len() as u64)?;
            Ok(Value::list(items))
        }
        "flatten" => {
            let mut out = Vec::new();
            flatten(&items(name, arg(args, 0)?)?, &mut out, 0)?;
            machine.grow(out.len() as u64)?;
            Ok(Value::list(out))
        }
        _ => sort(machine, args),
    }
}

fn items(name: &str, v: &Value) -> Result<Vec<Value>, String> {
    match v {
        Value::List(l) => Ok(l.items.clone()),
        Value::Bytes(b) => Ok(b.iter().map(|b| Value::Sized(Width::U8, i64::from(*b))).collect()),
        other => Err(format!("cannot {name} {}", Type::of(other).kind())),
    }
}

/// The element at an end; what has no elements has no first one either.
fn end(v: &Value, at: i64) -> Value {
    match v {
        Value::List(_) | Value::Bytes(_) | Value::Str(_) => {
            ops::fetch(v, &Value::Int(at)).unwrap_or(Value::Nil)
        }
        _ => Value::Nil,
    }
}

fn take(v: &Value, n: &Value) -> Result<Value, String> {
    if !matches!(v, Value::List(_) | Value::Bytes(_)) {
        return Err(format!("cannot take from {}", Type::of(v).kind()));
    }
    let count = match n {
        Value::Month(count) | Value::Weekday(count) | Value::Duration(count) => Some(*count),
        other => other.integer(),
    };
    match count {
        None => Err(format!("cannot take {} elements", Type::of(n).kind())),
        Some(n) if n < 0 => Err("reflect.Value.Slice: slice index out of bounds".into()),
        Some(n) => ops::slice(v, None, Some(&Value::Int(n))),
    }
}

fn get(from: &Value, key: &Value) -> Result<Value, String> {
    match from {
        // Only what is beyond the end is nil.
        Value::List(_) | Value::Bytes(_) | Value::Str(_) => {
            ops::to_int(key)?;
            Ok(ops::fetch(from, key).unwrap_or(Value::Nil))
        }
        Value::Map(_) => ops::fetch(from, key),
        Value::Nil => Ok(Value::Nil),
        Value::AnyMap(_)
            if matches!(
                key,
                Value::List(_) | Value::Map(_) | Value::AnyMap(_) | Value::Bytes(_)
            ) =>
        {
            Err(format!(
                "runtime error: hash of unhashable type {}",
                key.type_name()
            ))
        }
        _ => Ok(ops::fetch(from, key).unwrap_or(Value::Nil)),
    }
}

fn unique(machine: &mut Machine<'_>, items: Vec<Value>) -> Result<Vec<Value>, String> {
    let mut kept: Vec<Value> = Vec::with_capacity(items.len());
    let mut texts = std::collections::BTreeSet::new();
    for item in items {
        let fresh = if let Value::Str(s) = &item {
            texts.insert(s.clone())
        } else {
            // Comparing two values is dearer than visiting a node.
            machine.work(4 * kept.len() as u64)?;
            !kept.iter().any(|k| ops::equal(k, &item))
        };
        if fresh {
            kept.push(item);
        }
    }
    Ok(kept)
}

fn concat(machine: &mut Machine<'_>, args: &[Value]) -> Result<Value, String> {
    let mut all = Vec::new();
    for v in args {
        all.extend(items("concat", v)?);
    }
    machine.grow(all.len() as u64)?;
    Ok(if all.is_empty() {
        Value::nil_list(Element::Any)
    } else {
        Value::list(all)
    })
}

fn flatten(from: &[Value], out: &mut Vec<Value>, depth: usize) -> Result<(), String> {
    if depth > DEPTH {
        return Err("recursion depth exceeded".into());
    }
    for item in from {
        match item {
            Value::List(l) => flatten(&l.items, out, depth + 1)?,
            other => out.push(other.clone()),
        }
    }
    Ok(())
}

/// Lists of other types than these come out as a nil list, as in the original.
fn sort(machine: &mut Machine<'_>, args: &[Value]) -> Result<Value, String> {
    let items = match arg(args, 0)? {
        Value::List(l) if matches!(l.of, Element::Any | Element::Str | Element::Int | Element::Float) => {
            List::clone(l).items
        }
        _ => return Ok(Value::nil_list(Element::Any)),
    };
    let descending = match args.get(1) {
        None => false,
        Some(Value::Str(order)) => match &*order.lossy() {
            "asc" => false,
            "desc" => true,
            order => return Err(format!("invalid order {order}, expected asc or desc")),
        },
        Some(other) => {
            return Err(format!(
                "sort order argument must be a string (got {})",
                other.type_name()
            ));
        }
    };
    machine.grow(items.len() as u64)?;
    let items = sorted(items.into_iter().map(|v| (v.clone(), v)).collect(), descending)?;
    Ok(Value::list(items))
}
