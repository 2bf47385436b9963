//! Numbers: lenient conversion, integer arithmetic, decimal arithmetic, sequences.

use super::{Outcome, SIZE, any, as_text, decimal, int as int_at};
use crate::value::number::{float_to_int, parse_float, parse_int, parse_int_or_nearest};
use crate::value::{Element, Value, Width};

/// Any value as 64-bit integer; what is no number is 0.
pub(super) fn to_int(v: &Value) -> i64 {
    match v {
        Value::Bool(b) => i64::from(*b),
        Value::Float(f) => float_to_int(*f),
        Value::Month(i) | Value::Weekday(i) => *i,
        Value::Duration(_) => 0,
        Value::Str(s) => parse_int(&without_zero_decimals(&s.lossy()), 0).unwrap_or(0),
        other => other.integer().unwrap_or(0),
    }
}

/// `12.00` is read as `12`; other fractions make it no integer.
fn without_zero_decimals(s: &str) -> String {
    match s.split_once('.') {
        Some((whole, zeros)) if !zeros.is_empty() && zeros.bytes().all(|b| b == b'0') => whole.to_owned(),
        _ => s.to_owned(),
    }
}

/// Any value as float; what is no number is 0.
pub(super) fn to_float(v: &Value) -> f64 {
    match v {
        Value::Bool(b) => f64::from(u8::from(*b)),
        Value::Str(s) => parse_float(&s.lossy()).unwrap_or(0.0),
        other => other.number().unwrap_or(0.0),
    }
}

fn wide(i: i64) -> Value {
    Value::Sized(Width::I64, i)
}

pub fn atoi(a: &[Value]) -> Outcome {
    Ok(Value::Int(parse_int_or_nearest(&super::string(a, 0), 10)))
}

pub fn int(a: &[Value]) -> Outcome {
    Ok(Value::Int(to_int(any(a, 0))))
}

pub fn int64(a: &[Value]) -> Outcome {
    Ok(wide(to_int(any(a, 0))))
}

pub fn float64(a: &[Value]) -> Outcome {
    Ok(Value::Float(to_float(any(a, 0))))
}

pub fn to_decimal(a: &[Value]) -> Outcome {
    let s = crate::text::lossy(&as_text(any(a, 0))).into_owned();
    Ok(wide(parse_int(&s, 8).unwrap_or(0)))
}

pub fn add(a: &[Value]) -> Outcome {
    Ok(wide(a.iter().fold(0i64, |sum, v| sum.wrapping_add(to_int(v)))))
}

pub fn add1(a: &[Value]) -> Outcome {
    Ok(wide(to_int(any(a, 0)).wrapping_add(1)))
}

pub fn sub(a: &[Value]) -> Outcome {
    Ok(wide(to_int(any(a, 0)).wrapping_sub(to_int(any(a, 1)))))
}

pub fn mul(a: &[Value]) -> Outcome {
    Ok(wide(
        a.iter().fold(1i64, |product, v| product.wrapping_mul(to_int(v))),
    ))
}

pub fn div(a: &[Value]) -> Outcome {
    match to_int(any(a, 1)) {
        0 => Err("runtime error: integer divide by zero".into()),
        d => Ok(wide(to_int(any(a, 0)).wrapping_div(d))),
    }
}

pub fn modulo(a: &[Value]) -> Outcome {
    match to_int(any(a, 1)) {
        0 => Err("runtime error: integer divide by zero".into()),
        d => Ok(wide(to_int(any(a, 0)).wrapping_rem(d))),
    }
}

pub fn add1f(a: &[Value]) -> Outcome {
    decimal::fold(&[to_float(any(a, 0)), 1.0], decimal::Op::Add).map(Value::Float)
}

fn floats(a: &[Value], op: decimal::Op) -> Outcome {
    let all: Vec<f64> = a.iter().map(to_float).collect();
    decimal::fold(&all, op).map(Value::Float)
}

pub fn addf(a: &[Value]) -> Outcome {
    let all: Vec<f64> = std::iter::once(0.0).chain(a.iter().map(to_float)).collect();
    decimal::fold(&all, decimal::Op::Add).map(Value::Float)
}

pub fn subf(a: &[Value]) -> Outcome {
    floats(a, decimal::Op::Sub)
}

pub fn mulf(a: &[Value]) -> Outcome {
    floats(a, decimal::Op::Mul)
}

pub fn divf(a: &[Value]) -> Outcome {
    floats(a, decimal::Op::Div)
}

pub fn max(a: &[Value]) -> Outcome {
    Ok(wide(a.iter().map(to_int).max().unwrap_or(0)))
}

pub fn min(a: &[Value]) -> Outcome {
    Ok(wide(a.iter().map(to_int).min().unwrap_or(0)))
}

pub fn maxf(a: &[Value]) -> Outcome {
    Ok(Value::Float(
        a.iter()
            .map(to_float)
            .reduce(|x, y| if y > x || y.is_nan() { y } else { x })
            .unwrap_or(0.0),
    ))
}

pub fn minf(a: &[Value]) -> Outcome {
    Ok(Value::Float(
        a.iter()
            .map(to_float)
            .reduce(|x, y| if y < x || y.is_nan() { y } else { x })
            .unwrap_or(0.0),
    ))
}

pub fn ceil(a: &[Value]) -> Outcome {
    Ok(Value::Float(to_float(any(a, 0)).ceil()))
}

pub fn floor(a: &[Value]) -> Outcome {
    Ok(Value::Float(to_float(any(a, 0)).floor()))
}

pub fn round(a: &[Value]) -> Outcome {
    let on = a.get(2).map_or(0.5, to_float);
    let power = 10f64.powf(int_at(a, 1) as f64);
    let digit = power * to_float(any(a, 0));
    let rounded = if digit.fract() >= on {
        digit.ceil()
    } else {
        digit.floor()
    };
    Ok(Value::Float(rounded / power))
}

fn steps(start: i64, stop: i64, step: i64) -> Result<Vec<i64>, String> {
    let mut out = Vec::new();
    if (stop < start && step >= 0) || (stop >= start && step <= 0) {
        return Ok(out);
    }
    let mut i = start;
    while (step > 0 && i < stop) || (step < 0 && i > stop) {
        if out.len() >= SIZE {
            return Err(format!("sequence has more than {SIZE} elements"));
        }
        out.push(i);
        match i.checked_add(step) {
            Some(next) => i = next,
            None => break,
        }
    }
    Ok(out)
}

pub fn until(a: &[Value]) -> Outcome {
    let n = int_at(a, 0);
    ints(steps(0, n, if n < 0 { -1 } else { 1 })?)
}

pub fn until_step(a: &[Value]) -> Outcome {
    ints(steps(int_at(a, 0), int_at(a, 1), int_at(a, 2))?)
}

fn ints(all: Vec<i64>) -> Outcome {
    Ok(Value::list_of(
        Element::Int,
        all.into_iter().map(Value::Int).collect(),
    ))
}

pub fn seq(a: &[Value]) -> Outcome {
    let direction = |start: i64, end: i64| if end < start { -1 } else { 1 };
    let all = match a.len() {
        1 => {
            let end = int_at(a, 0);
            let d = direction(1, end);
            steps(1, end.saturating_add(d), d)?
        }
        2 => {
            let (start, end) = (int_at(a, 0), int_at(a, 1));
            let d = direction(start, end);
            steps(start, end.saturating_add(d), d)?
        }
        3 => {
            let (start, step, end) = (int_at(a, 0), int_at(a, 1), int_at(a, 2));
            if end < start && step > 0 {
                return Ok("".into());
            }
            steps(start, end.saturating_add(direction(start, end)), step)?
        }
        _ => Vec::new(),
    };
    let shown: Vec<String> = all.iter().map(ToString::to_string).collect();
    Ok(Value::str(shown.join(" ")))
}
