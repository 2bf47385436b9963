//! Maps and lists of pairs.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::arg;
use crate::expr::eval::Machine;
use crate::expr::ops;
use crate::expr::types::Type;
use crate::text::Text;
use crate::value::{AnyMap, Element, Value, print};

/// `keys`, `values`, `toPairs`, `fromPairs`. Where Go gives an unstable order we give the sorted one.
///
/// # Errors
/// Values that are no maps, pairs that are none.
pub fn call(machine: &mut Machine<'_>, name: &str, args: &[Value]) -> Result<Value, String> {
    let v = arg(args, 0)?;
    if name == "fromPairs" {
        return from_pairs(machine, v);
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

fn from_pairs(machine: &mut Machine<'_>, v: &Value) -> Result<Value, String> {
    let Value::List(pairs) = v else {
        return Err(not_pairs(v));
    };
    let mut entries: Vec<(Value, Value)> = Vec::new();
    let mut places = Places::default();
    for pair in &pairs.items {
        let invalid = || format!("invalid pair {}", print::plain(pair));
        let Value::List(p) = pair else {
            return Err(invalid());
        };
        let [key, value] = p.items.as_slice() else {
            return Err(format!("invalid pair length {}", print::plain(pair)));
        };
        match places.find(machine, key, &entries)? {
            Some(at) => entries[at].1 = value.clone(),
            None => entries.push((key.clone(), value.clone())),
        }
    }
    Ok(Value::AnyMap(Arc::new(AnyMap {
        of_lists: false,
        entries,
    })))
}

/// Finds keys among entries: texts by an index, other keys one after the other.
#[derive(Default)]
pub struct Places {
    texts: BTreeMap<Text, usize>,
}

impl Places {
    /// Where a key stands among the entries. A text that is not among them must be added next.
    ///
    /// # Errors
    /// When the run has no steps left.
    pub fn find<V>(
        &mut self,
        machine: &mut Machine<'_>,
        key: &Value,
        entries: &[(Value, V)],
    ) -> Result<Option<usize>, String> {
        if let Value::Str(text) = key {
            let found = self.texts.get(text).copied();
            if found.is_none() {
                self.texts.insert(text.clone(), entries.len());
            }
            return Ok(found);
        }
        machine.work(entries.len() as u64)?;
        Ok(entries.iter().position(|(k, _)| ops::same(k, key)))
    }
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
