//! Text functions, and the three that take anything: `len`, `type`, `string`.

use super::{arg, integer, text};
use crate::expr::eval::{Machine, find};
use crate::expr::types::Type;
use crate::gostrings as go;
use crate::value::{Element, Value, print};

/// `len`, `type`, `string`.
///
/// # Errors
/// `len` of what has no length.
pub fn general(name: &str, args: &[Value]) -> Result<Value, String> {
    let v = arg(args, 0)?;
    match name {
        "string" => Ok(Value::str(print::plain(v))),
        "type" => Ok(Value::str(kind(v))),
        _ => {
            let n = match v {
                Value::Str(s) => s.chars(),
                Value::Bytes(b) => b.len(),
                Value::List(l) => l.items.len(),
                Value::Map(m) => m.entries.len(),
                Value::AnyMap(m) => m.entries.len(),
                other => return Err(format!("invalid argument for len (type {})", other.type_name())),
            };
            Ok(Value::Int(i64::try_from(n).unwrap_or(i64::MAX)))
        }
    }
}

fn kind(v: &Value) -> String {
    match v {
        Value::Nil => "nil".into(),
        Value::Bool(_) => "bool".into(),
        Value::Int(_) => "int".into(),
        Value::Sized(w, _) => if w.name().starts_with('u') { "uint" } else { "int" }.into(),
        Value::Float(_) => "float".into(),
        Value::Str(_) => "string".into(),
        Value::Bytes(_) | Value::List(_) => "array".into(),
        Value::Map(_) | Value::AnyMap(_) => "map".into(),
        Value::Func(_) | Value::Method(_) => "func".into(),
        Value::Struct(s) if s.name == crate::sprig::semver::TYPE => {
            "github.com/Masterminds/semver/v3.Version".into()
        }
        other => other.type_name().trim_start_matches('*').into(),
    }
}

/// Calls one of the family.
///
/// # Errors
/// Arguments of other types; results too large.
pub fn call(machine: &mut Machine<'_>, name: &str, args: &[Value]) -> Result<Value, String> {
    if name == "join" {
        return join(args);
    }
    let s = text(args, 0)?;
    let bytes = s.bytes();
    Ok(match name {
        "trim" if args.len() == 1 => Value::str(go::trim_space(bytes)),
        "trim" => Value::str(go::trim(bytes, text(args, 1)?.bytes())),
        "trimPrefix" | "trimSuffix" => {
            let cut = if args.len() > 1 {
                text(args, 1)?.bytes()
            } else {
                b" "
            };
            let cut = if name == "trimPrefix" {
                bytes.strip_prefix(cut)
            } else {
                bytes.strip_suffix(cut)
            };
            Value::str(cut.unwrap_or(bytes))
        }
        "upper" => Value::str(go::upper(&s.lossy())),
        "lower" => Value::str(go::lower(&s.lossy())),
        "split" | "splitAfter" => {
            let limit = if args.len() > 2 { integer(args, 2)? } else { -1 };
            list(go::split(
                bytes,
                text(args, 1)?.bytes(),
                limit,
                name == "splitAfter",
            ))
        }
        "replace" => {
            let limit = if args.len() > 3 { integer(args, 3)? } else { -1 };
            Value::str(go::replace(
                bytes,
                text(args, 1)?.bytes(),
                text(args, 2)?.bytes(),
                limit,
            ))
        }
        "repeat" => {
            let n = integer(args, 1)?;
            let n = u64::try_from(n)
                .map_err(|_| format!("invalid argument for repeat (expected positive integer, got {n})"))?;
            if n > 1_000_000 {
                return Err("memory budget exceeded".into());
            }
            let size = (bytes.len() as u64).saturating_mul(n);
            machine.grow(size)?;
            Value::str(bytes.repeat(usize::try_from(n).unwrap_or(0)))
        }
        "indexOf" => place(find(bytes, text(args, 1)?.bytes())),
        "lastIndexOf" => place(go::last_index(bytes, text(args, 1)?.bytes())),
        "hasPrefix" => Value::Bool(bytes.starts_with(text(args, 1)?.bytes())),
        _ => Value::Bool(bytes.ends_with(text(args, 1)?.bytes())),
    })
}

fn place(found: Option<usize>) -> Value {
    Value::Int(found.and_then(|i| i64::try_from(i).ok()).unwrap_or(-1))
}

fn list(parts: Option<Vec<Vec<u8>>>) -> Value {
    match parts {
        None => Value::nil_list(Element::Str),
        Some(parts) => Value::list_of(Element::Str, parts.into_iter().map(Value::str).collect()),
    }
}

fn join(args: &[Value]) -> Result<Value, String> {
    let glue = if args.len() > 1 {
        text(args, 1)?.bytes().to_vec()
    } else {
        Vec::new()
    };
    let Value::List(l) = arg(args, 0)? else {
        return Err(format!(
            "invalid argument for join (type {})",
            Type::of(&args[0]).plain_name()
        ));
    };
    if !matches!(l.of, Element::Any | Element::Str) {
        return Err(format!("invalid argument for join (type {})", l.of.list_name()));
    }
    let mut out = Vec::new();
    for (i, item) in l.items.iter().enumerate() {
        let Value::Str(s) = item else {
            return Err(crate::expr::conversion(item, "string"));
        };
        if i > 0 {
            out.extend_from_slice(&glue);
        }
        out.extend_from_slice(s.bytes());
    }
    Ok(Value::str(out))
}
