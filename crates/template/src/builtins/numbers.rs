//! Numbers: rounding, conversion, extremes and averages.

use super::arg;
use crate::expr::ast::Op;
use crate::expr::ops;
use crate::value::number::{float_to_int, parse_float, parse_int};
use crate::value::{Value, Width};

/// How deep lists inside lists are searched.
const DEPTH: usize = 64;

/// Calls one of the family.
///
/// # Errors
/// Values that are no numbers.
pub fn call(name: &str, args: &[Value]) -> Result<Value, String> {
    match name {
        "int" => int(arg(args, 0)?),
        "float" => float(arg(args, 0)?),
        "max" | "min" => extreme(name, args),
        "mean" => mean(args),
        "median" => median(args),
        _ => round(name, arg(args, 0)?),
    }
}

fn round(name: &str, v: &Value) -> Result<Value, String> {
    let wrong = || format!("invalid argument for {name} (type {})", v.type_name());
    if name == "abs" {
        return match v {
            Value::Float(f) => Ok(Value::Float(f.abs())),
            Value::Int(i) => Ok(Value::Int(i.wrapping_abs())),
            Value::Sized(w, i) => Ok(Value::Sized(*w, i.wrapping_abs())),
            _ => Err(wrong()),
        };
    }
    let f = v.number().ok_or_else(wrong)?;
    Ok(Value::Float(match name {
        "ceil" => f.ceil(),
        "floor" => f.floor(),
        _ => f.round(),
    }))
}

/// `int(v)`
///
/// # Errors
/// Text that is no decimal integer; other types.
pub fn int(v: &Value) -> Result<Value, String> {
    match v {
        Value::Str(s) => {
            let s = s.lossy();
            parse_int(&s, 10)
                .map(Value::Int)
                .map_err(|_| format!("invalid operation: int({s})"))
        }
        Value::Float(f) => Ok(Value::Int(float_to_int(*f))),
        Value::Duration(i) | Value::Month(i) | Value::Weekday(i) => Ok(Value::Int(*i)),
        Value::Nil => Err("reflect: call of reflect.Value.Type on zero Value".into()),
        other => match other.integer() {
            Some(i) => Ok(Value::Int(i)),
            None => Err(format!("invalid operation: int({})", other.type_name())),
        },
    }
}

/// `float(v)`
///
/// # Errors
/// Text that is no number; other types.
pub fn float(v: &Value) -> Result<Value, String> {
    match v {
        Value::Str(s) => {
            let s = s.lossy();
            go_float(&s)
                .map(Value::Float)
                .ok_or_else(|| format!("invalid operation: float({s})"))
        }
        other => match other.number() {
            Some(f) => Ok(Value::Float(f)),
            None => Err(format!("invalid operation: float({})", other.type_name())),
        },
    }
}

/// `strconv.ParseFloat`, which takes underscores only with a base prefix, but the language takes them.
fn go_float(s: &str) -> Option<f64> {
    parse_float(s).ok()
}

/// A number of any type built on one.
fn number_kind(v: &Value) -> Option<f64> {
    match v {
        Value::Duration(i) | Value::Month(i) | Value::Weekday(i) => Some(*i as f64),
        other => other.number(),
    }
}

fn each(
    name: &str,
    args: &[Value],
    depth: usize,
    put: &mut dyn FnMut(&Value) -> Result<(), String>,
) -> Result<(), String> {
    if depth > DEPTH {
        return Err(format!("recursion depth exceeded in {name}"));
    }
    for v in args {
        match v {
            Value::List(l) => each(name, &l.items, depth + 1, put)?,
            Value::Bytes(b) => {
                for byte in b.iter() {
                    put(&Value::Sized(Width::U8, i64::from(*byte)))?;
                }
            }
            v if number_kind(v).is_some() => put(v)?,
            other => {
                return Err(format!(
                    "invalid argument for {name} (type {})",
                    other.type_name()
                ));
            }
        }
    }
    Ok(())
}

fn extreme(name: &str, args: &[Value]) -> Result<Value, String> {
    // A single value that is no list is given back, whatever it is.
    if let [one] = args
        && !matches!(one, Value::List(_) | Value::Bytes(_))
    {
        return Ok(one.clone());
    }
    let op = if name == "max" { Op::Lt } else { Op::Gt };
    let mut best: Option<Value> = None;
    each(name, args, 0, &mut |v| {
        let better = match &best {
            None => true,
            Some(b) => ops::order(op, b, v)?,
        };
        if better {
            best = Some(v.clone());
        }
        Ok(())
    })?;
    Ok(best.unwrap_or(Value::Nil))
}

fn floats(name: &str, args: &[Value]) -> Result<Vec<f64>, String> {
    let mut all = Vec::new();
    each(name, args, 0, &mut |v| {
        all.push(number_kind(v).unwrap_or(0.0));
        Ok(())
    })?;
    Ok(all)
}

fn mean(args: &[Value]) -> Result<Value, String> {
    let all = floats("mean", args)?;
    let sum = all.iter().sum::<f64>();
    Ok(Value::Float(if all.is_empty() {
        0.0
    } else {
        sum / all.len() as f64
    }))
}

fn median(args: &[Value]) -> Result<Value, String> {
    let mut all = floats("median", args)?;
    all.sort_by(f64::total_cmp);
    let n = all.len();
    Ok(Value::Float(match n {
        0 => 0.0,
        _ if n % 2 == 1 => all[n / 2],
        _ => f64::midpoint(all[n / 2 - 1], all[n / 2]),
    }))
}
