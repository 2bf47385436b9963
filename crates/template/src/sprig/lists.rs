//! Lists.

use super::logic::is_empty;
use super::{Outcome, any, int, kind};
use crate::expr::ops::same;
use crate::value::{Element, Value, Width};

/// The elements of a list.
fn items(v: &Value, wrong: &str) -> Result<Vec<Value>, String> {
    match v {
        Value::List(l) => Ok(l.items.clone()),
        Value::Bytes(b) => Ok(b.iter().map(|b| Value::Sized(Width::U8, i64::from(*b))).collect()),
        Value::Nil => Err("runtime error: invalid memory address or nil pointer dereference".into()),
        other => Err(format!("{wrong} {}", kind(other))),
    }
}

pub fn list(a: &[Value]) -> Outcome {
    Ok(Value::list(a.to_vec()))
}

pub fn append(a: &[Value]) -> Outcome {
    let mut all = items(any(a, 0), "Cannot push on type")?;
    all.push(any(a, 1).clone());
    Ok(Value::list(all))
}

pub fn prepend(a: &[Value]) -> Outcome {
    let mut all = items(any(a, 0), "Cannot prepend on type")?;
    all.insert(0, any(a, 1).clone());
    Ok(Value::list(all))
}

pub fn first(a: &[Value]) -> Outcome {
    Ok(items(any(a, 0), "Cannot find first on type")?
        .first()
        .cloned()
        .unwrap_or(Value::Nil))
}

pub fn last(a: &[Value]) -> Outcome {
    Ok(items(any(a, 0), "Cannot find last on type")?
        .last()
        .cloned()
        .unwrap_or(Value::Nil))
}

fn part(all: &[Value], from: usize, to: usize) -> Value {
    if all.is_empty() {
        Value::nil_list(Element::Any)
    } else {
        Value::list(all[from..to].to_vec())
    }
}

pub fn rest(a: &[Value]) -> Outcome {
    let all = items(any(a, 0), "Cannot find rest on type")?;
    Ok(part(&all, 1.min(all.len()), all.len()))
}

pub fn initial(a: &[Value]) -> Outcome {
    let all = items(any(a, 0), "Cannot find initial on type")?;
    Ok(part(&all, 0, all.len().saturating_sub(1)))
}

pub fn reverse(a: &[Value]) -> Outcome {
    let mut all = items(any(a, 0), "Cannot find reverse on type")?;
    all.reverse();
    Ok(Value::list(all))
}

pub fn uniq(a: &[Value]) -> Outcome {
    let all = items(any(a, 0), "Cannot find uniq on type")?;
    let mut kept: Vec<Value> = Vec::with_capacity(all.len());
    for v in all {
        if !kept.iter().any(|k| same(k, &v)) {
            kept.push(v);
        }
    }
    Ok(Value::list(kept))
}

pub fn compact(a: &[Value]) -> Outcome {
    let mut all = items(any(a, 0), "Cannot compact on type")?;
    all.retain(|v| !is_empty(v));
    Ok(Value::list(all))
}

pub fn without(a: &[Value]) -> Outcome {
    let mut all = items(any(a, 0), "Cannot find without on type")?;
    all.retain(|v| !a[1..].iter().any(|o| same(o, v)));
    Ok(Value::list(all))
}

pub fn has(a: &[Value]) -> Outcome {
    if matches!(any(a, 1), Value::Nil) {
        return Ok(Value::Bool(false));
    }
    let all = items(any(a, 1), "Cannot find has on type")?;
    Ok(Value::Bool(all.iter().any(|v| same(v, any(a, 0)))))
}

pub fn slice(a: &[Value]) -> Outcome {
    let all = items(any(a, 0), "list should be type of slice or array but")?;
    if all.is_empty() {
        return Ok(Value::Nil);
    }
    let at = |i: usize, none: usize| {
        a.get(i)
            .map_or(Some(none), |v| usize::try_from(super::numbers::to_int(v)).ok())
    };
    let (from, to) = (at(1, 0), at(2, all.len()));
    match (from, to) {
        (Some(from), Some(to)) if from <= to && to <= all.len() => Ok(match any(a, 0) {
            Value::List(l) => Value::list_of(l.of, all[from..to].to_vec()),
            _ => Value::list(all[from..to].to_vec()),
        }),
        _ => Err("reflect.Value.Slice: slice index out of bounds".into()),
    }
}

pub fn concat(a: &[Value]) -> Outcome {
    let mut all = Vec::new();
    for v in a {
        let wrong = |e: String| {
            if e.starts_with("runtime") {
                e
            } else {
                format!("Cannot concat type {} as list", kind(v))
            }
        };
        let found = items(v, "").map_err(wrong)?;
        all.extend(found);
    }
    Ok(if all.is_empty() {
        Value::nil_list(Element::Any)
    } else {
        Value::list(all)
    })
}

pub fn chunk(a: &[Value]) -> Outcome {
    let all = items(any(a, 1), "Cannot chunk type")?;
    let size = int(a, 0);
    let Some(size) = usize::try_from(size).ok().filter(|s| *s > 0) else {
        // The number of chunks is counted with the negative size: none for two elements, less than none for more.
        return if size == -1 && all.len() == 2 {
            Ok(Value::list_of(Element::AnyList, Vec::new()))
        } else {
            Err("runtime error: makeslice: len out of range".into())
        };
    };
    let chunks = all.chunks(size).map(|c| Value::list(c.to_vec())).collect();
    Ok(Value::list_of(Element::AnyList, chunks))
}
