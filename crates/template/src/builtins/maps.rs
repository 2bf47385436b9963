//! Maps and lists of pairs.

use std::sync::Arc;

use super::arg;
use crate::expr::eval::Machine;
use crate::expr::ops;
use crate::expr::types::Type;
use crate::value::{AnyMap, Element, Value, print};

/// `keys`, `values`, `toPairs`, `fromPairs`. Where Go gives an unstable order we give the sorted one.
///
/// # Errors
/// Values that are no maps, pairs that are none.
pub fn call(machine: &mut Machine<'_>, name: &str, args: &[Value]) -> Result<Value, String> {
    let v = arg(args, 0)?;
    if name == "fromPairs" {
        return from_pairs(v);
    }
    let entries: Vec<(Value, Value)> = match v {
        Value::Map(m) => m
            .entries
            .iter()
            .map(|(k, v)| (Value::Str(k.clone()), v.clone()))
            .collect(),
        Value::AnyMap(m) => m.entries.clone(),
        other => {
            let given = Type::of(other).kind();
            return Err(match name {
                "keys" => format!("cannot get keys from {given}"),
                "values" => format!("cannot get values from {given}"),
                _ => format!("cannot transform {given} to pairs"),
            });
        }
    };
    machine.grow(entries.len() as u64)?;
    Ok(match name {
        "keys" => Value::list(entries.into_iter().map(|(k, _)| k).collect()),
        "values" => Value::list(entries.into_iter().map(|(_, v)| v).collect()),
        _ => {
            let pairs = entries
                .into_iter()
                .map(|(k, v)| Value::list_of(Element::Two, vec![k, v]));
            Value::list_of(Element::Pair, pairs.collect())
        }
    })
}

fn from_pairs(v: &Value) -> Result<Value, String> {
    let Value::List(pairs) = v else {
        return Err(not_pairs(v));
    };
    let mut entries: Vec<(Value, Value)> = Vec::new();
    for pair in &pairs.items {
        let invalid = || format!("invalid pair {}", print::plain(pair));
        let Value::List(p) = pair else {
            return Err(invalid());
        };
        let [key, value] = p.items.as_slice() else {
            return Err(invalid());
        };
        match entries.iter_mut().find(|(k, _)| ops::same(k, key)) {
            Some(known) => known.1 = value.clone(),
            None => entries.push((key.clone(), value.clone())),
        }
    }
    Ok(Value::AnyMap(Arc::new(AnyMap {
        of_lists: false,
        entries,
    })))
}

fn not_pairs(v: &Value) -> String {
    if let Value::Bytes(b) = v
        && let Some(first) = b.first()
    {
        return format!("invalid pair {first}");
    }
    let shown = match v {
        Value::Nil => "<invalid reflect.Value>".to_owned(),
        Value::Int(_) | Value::Sized(..) | Value::Float(_) | Value::Bool(_) => {
            format!("%!s({}={})", v.type_name(), print::plain(v))
        }
        other => print::plain(other),
    };
    format!("cannot transform {shown} from pairs")
}
