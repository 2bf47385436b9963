//! Values as Go's `fmt` prints them with `%v`.

use std::fmt::Write;

use super::Value;
use super::number::float_text;
use crate::gotime;

/// `fmt.Sprintf("%v", value)`; text as it is.
#[must_use]
pub fn plain(value: &Value) -> String {
    let mut out = String::new();
    write_plain(&mut out, value);
    out
}

fn write_plain(out: &mut String, value: &Value) {
    match value {
        Value::Nil => out.push_str("<nil>"),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Sized(super::Width::U64, i) => {
            let _ = write!(out, "{}", i.cast_unsigned());
        }
        Value::Int(i) | Value::Sized(_, i) => {
            let _ = write!(out, "{i}");
        }
        Value::Float(f) => out.push_str(&float_text(*f)),
        Value::Str(s) => out.push_str(&s.lossy()),
        Value::Bytes(b) => {
            out.push('[');
            for (i, byte) in b.iter().enumerate() {
                if i > 0 {
                    out.push(' ');
                }
                let _ = write!(out, "{byte}");
            }
            out.push(']');
        }
        Value::List(l) => {
            out.push('[');
            for (i, item) in l.items.iter().enumerate() {
                if i > 0 {
                    out.push(' ');
                }
                write_plain(out, item);
            }
            out.push(']');
        }
        Value::Map(m) => {
            out.push_str("map[");
            for (i, (k, v)) in m.entries.iter().enumerate() {
                if i > 0 {
                    out.push(' ');
                }
                let _ = write!(out, "{k}:");
                write_plain(out, v);
            }
            out.push(']');
        }
        Value::AnyMap(m) => {
            out.push_str("map[");
            for (i, (k, v)) in sorted(&m.entries).into_iter().enumerate() {
                if i > 0 {
                    out.push(' ');
                }
                write_plain(out, k);
                out.push(':');
                write_plain(out, v);
            }
            out.push(']');
        }
        Value::Time(t) => out.push_str(&gotime::show(t)),
        Value::Duration(d) => out.push_str(&crate::duration::show(*d)),
        Value::Zone(z) => out.push_str(&gotime::zone_name(z)),
        Value::Month(m) => out.push_str(gotime::month_name(*m)),
        Value::Weekday(d) => out.push_str(gotime::weekday_name(*d)),
        // Go prints an address, which nobody can use.
        Value::Func(_) | Value::Method(_) => out.push_str("0x0"),
        Value::Struct(s) => out.push_str(&crate::sprig::semver::show(&s.text)),
    }
}

/// Entries in the order `fmt` prints keys of mixed types: nil, then numbers, then texts, else as they came.
fn sorted(entries: &[(Value, Value)]) -> Vec<(&Value, &Value)> {
    let mut all: Vec<_> = entries.iter().map(|(k, v)| (k, v)).collect();
    all.sort_by(|(a, _), (b, _)| match (a, b) {
        (Value::Str(a), Value::Str(b)) => a.cmp(b),
        _ => match (a.number(), b.number()) {
            (Some(a), Some(b)) => a.total_cmp(&b),
            _ => std::cmp::Ordering::Equal,
        },
    });
    all
}
