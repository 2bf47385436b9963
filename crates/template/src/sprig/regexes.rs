//! Regular expressions. The plain forms panic in the original on a bad pattern, the `must` forms give its error.

use super::{Outcome, int, string, text};
use crate::regexp::{cached, for_text};
use crate::value::{Element, Value};

fn panicked(a: &[Value], outcome: Outcome) -> Outcome {
    match cached(&string(a, 0)) {
        Err(e) => Err(format!("regexp: Compile({}): {e}", backquoted(&string(a, 0)))),
        Ok(_) => outcome,
    }
}

fn backquoted(s: &str) -> String {
    if s.contains('`') || s.chars().any(|c| c.is_control() && c != '\t') {
        crate::value::quote::go_quote(s.as_bytes())
    } else {
        format!("`{s}`")
    }
}

pub fn matches(a: &[Value]) -> Outcome {
    Ok(Value::Bool(
        cached(&string(a, 0)).is_ok_and(|r| r.is_match(text(a, 1))),
    ))
}

pub fn must_match(a: &[Value]) -> Outcome {
    Ok(Value::Bool(cached(&string(a, 0))?.is_match(text(a, 1))))
}

pub fn find(a: &[Value]) -> Outcome {
    let r = cached(&string(a, 0))?;
    Ok(Value::str(r.find(text(a, 1)).map_or(&b""[..], |m| m.as_bytes())))
}

pub fn panic_find(a: &[Value]) -> Outcome {
    panicked(a, find(a))
}

pub fn find_all(a: &[Value]) -> Outcome {
    let r = for_text(&string(a, 0))?;
    let limit = usize::try_from(int(a, 2)).unwrap_or(usize::MAX);
    let found: Vec<Value> = r
        .find_iter(&string(a, 1))
        .take(limit)
        .map(|m| Value::str(m.as_str()))
        .collect();
    Ok(if found.is_empty() {
        Value::nil_list(Element::Str)
    } else {
        Value::list_of(Element::Str, found)
    })
}

pub fn panic_find_all(a: &[Value]) -> Outcome {
    panicked(a, find_all(a))
}

pub fn replace_all(a: &[Value]) -> Outcome {
    let r = for_text(&string(a, 0))?;
    Ok(Value::str(
        r.replace_all(&string(a, 1), string(a, 2).as_str()).into_owned(),
    ))
}

pub fn panic_replace_all(a: &[Value]) -> Outcome {
    panicked(a, replace_all(a))
}

pub fn replace_all_literal(a: &[Value]) -> Outcome {
    let r = for_text(&string(a, 0))?;
    let new = string(a, 2);
    Ok(Value::str(
        r.replace_all(&string(a, 1), regex::NoExpand(&new)).into_owned(),
    ))
}

pub fn panic_replace_all_literal(a: &[Value]) -> Outcome {
    panicked(a, replace_all_literal(a))
}

pub fn split(a: &[Value]) -> Outcome {
    let r = for_text(&string(a, 0))?;
    let owned = string(a, 1);
    let s = owned.as_str();
    let n = int(a, 2);
    if n == 0 {
        return Ok(Value::nil_list(Element::Str));
    }
    let limit = usize::try_from(n).unwrap_or(usize::MAX);
    let mut parts: Vec<Value> = Vec::new();
    if !string(a, 0).is_empty() && s.is_empty() {
        return Ok(Value::list_of(Element::Str, vec![Value::str("")]));
    }
    let (mut begin, mut end) = (0, 0);
    for m in r.find_iter(s) {
        if parts.len() + 1 == limit {
            break;
        }
        end = m.start();
        if m.end() != 0 {
            parts.push(Value::str(&s[begin..end]));
        }
        begin = m.end();
    }
    if end != s.len() {
        parts.push(Value::str(&s[begin..]));
    }
    Ok(Value::list_of(Element::Str, parts))
}

pub fn panic_split(a: &[Value]) -> Outcome {
    panicked(a, split(a))
}

pub fn quote_meta(a: &[Value]) -> Outcome {
    let mut out = Vec::new();
    for b in text(a, 0) {
        if br"\.+*?()|[]{}^$".contains(b) {
            out.push(b'\\');
        }
        out.push(*b);
    }
    Ok(Value::str(out))
}
