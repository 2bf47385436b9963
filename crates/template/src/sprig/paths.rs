//! Slash-separated paths, as Go's package `path`.

use super::{Outcome, string};
use crate::value::Value;

/// `path.Clean`
fn cleaned(path: &str) -> String {
    if path.is_empty() {
        return ".".into();
    }
    let rooted = path.starts_with('/');
    let mut parts: Vec<&str> = Vec::new();
    for part in path.split('/') {
        match part {
            "" | "." => {}
            ".." => match parts.last() {
                Some(&last) if last != ".." => {
                    parts.pop();
                }
                _ if rooted => {}
                _ => parts.push(".."),
            },
            other => parts.push(other),
        }
    }
    let joined = parts.join("/");
    match (rooted, joined.is_empty()) {
        (true, _) => format!("/{joined}"),
        (false, true) => ".".into(),
        (false, false) => joined,
    }
}

pub fn clean(a: &[Value]) -> Outcome {
    Ok(cleaned(&string(a, 0)).into())
}

pub fn base(a: &[Value]) -> Outcome {
    let path = string(a, 0);
    if path.is_empty() {
        return Ok(".".into());
    }
    let trimmed = path.trim_end_matches('/');
    let last = trimmed.rsplit('/').next().unwrap_or_default();
    Ok(if last.is_empty() { "/" } else { last }.into())
}

pub fn dir(a: &[Value]) -> Outcome {
    let path = string(a, 0);
    let end = path.rfind('/').map_or(0, |i| i + 1);
    Ok(cleaned(&path[..end]).into())
}

pub fn ext(a: &[Value]) -> Outcome {
    let path = string(a, 0);
    let last = path.rsplit('/').next().unwrap_or_default();
    Ok(last.rfind('.').map_or("", |i| &last[i..]).into())
}

pub fn is_abs(a: &[Value]) -> Outcome {
    Ok(Value::Bool(string(a, 0).starts_with('/')))
}
