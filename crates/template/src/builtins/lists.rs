//! Lists without closures: ends, parts, order, joining.

use super::{arg, text};
use crate::expr::closures::sorted;
use crate::expr::eval::Machine;
use crate::expr::ops;
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
        "first" | "last" => {
            let items = items(arg(args, 0)?, &|t| format!("cannot get {name} element from {t}"))?;
            Ok(if name == "first" {
                items.first()
            } else {
                items.last()
            }
            .cloned()
            .unwrap_or(Value::Nil))
        }
        "take" => {
            let v = arg(args, 0)?;
            items(v, &|t| format!("cannot take from {t}"))?;
            let n = arg(args, 1)?;
            let Some(n) = n.integer() else {
                return Err(format!("cannot take {} elements", n.type_name()));
            };
            if n < 0 {
                return Err(format!("cannot take {n} elements"));
            }
            ops::slice(v, None, Some(&Value::Int(n)))
        }
        "reverse" | "uniq" => {
            let mut items = items(arg(args, 0)?, &|t| format!("cannot {name} {t}"))?;
            if name == "reverse" {
                items.reverse();
            } else {
                items = unique(items);
            }
            machine.grow(items.len() as u64)?;
            Ok(Value::list(items))
        }
        "flatten" => {
            let mut out = Vec::new();
            flatten(
                &items(arg(args, 0)?, &|t| format!("cannot flatten {t}"))?,
                &mut out,
                0,
            )?;
            machine.grow(out.len() as u64)?;
            Ok(Value::list(out))
        }
        _ => sort(machine, args),
    }
}

fn items(v: &Value, wrong: &dyn Fn(&str) -> String) -> Result<Vec<Value>, String> {
    match v {
        Value::List(l) => Ok(l.items.clone()),
        Value::Bytes(b) => Ok(b.iter().map(|b| Value::Sized(Width::U8, i64::from(*b))).collect()),
        other => Err(wrong(&other.type_name())),
    }
}

fn get(from: &Value, key: &Value) -> Result<Value, String> {
    match from {
        Value::List(_) | Value::Bytes(_) if key.integer().is_none() => {
            Err(format!("invalid operation: int({})", key.type_name()))
        }
        Value::Nil => Ok(Value::Nil),
        _ => Ok(ops::fetch(from, key).unwrap_or(Value::Nil)),
    }
}

fn unique(items: Vec<Value>) -> Vec<Value> {
    let mut kept: Vec<Value> = Vec::with_capacity(items.len());
    let mut texts = std::collections::BTreeSet::new();
    for item in items {
        let fresh = match &item {
            Value::Str(s) => texts.insert(s.clone()),
            other => !kept.iter().any(|k| ops::equal(k, other)),
        };
        if fresh {
            kept.push(item);
        }
    }
    kept
}

fn concat(machine: &mut Machine<'_>, args: &[Value]) -> Result<Value, String> {
    let mut all = Vec::new();
    for v in args {
        all.extend(items(v, &|t| format!("cannot concat {t}"))?);
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

fn sort(machine: &mut Machine<'_>, args: &[Value]) -> Result<Value, String> {
    let items = match arg(args, 0)? {
        Value::List(l) => List::clone(l).items,
        other => return Err(format!("cannot sort {}", other.type_name())),
    };
    let descending = match args.get(1) {
        None => false,
        Some(_) => match &*text(args, 1)?.lossy() {
            "asc" => false,
            "desc" => true,
            order => return Err(format!("invalid order {order}, expected asc or desc")),
        },
    };
    machine.grow(items.len() as u64)?;
    let items = sorted(items.into_iter().map(|v| (v.clone(), v)).collect(), descending)?;
    Ok(Value::list(items))
}
