//! Text functions.

use std::sync::Arc;

use super::{Outcome, SIZE, any, as_text, cases, int, string, text};
use crate::gostrings as go;
use crate::text::Text;
use crate::value::quote::go_quote;
use crate::value::{Element, Map, Value, print};

fn count(n: i64) -> usize {
    usize::try_from(n).unwrap_or(0)
}

fn texts(items: impl IntoIterator<Item = Vec<u8>>) -> Value {
    Value::list_of(Element::Str, items.into_iter().map(Value::str).collect())
}

pub fn hello(_: &[Value]) -> Outcome {
    Ok("Hello!".into())
}

fn abbreviate(s: &[u8], offset: usize, width: usize) -> Option<Vec<u8>> {
    if s.is_empty() || width < 4 {
        return (s.is_empty()).then(Vec::new);
    }
    if s.len() <= width {
        return Some(s.to_vec());
    }
    let mut offset = offset.min(s.len());
    if s.len() - offset < width - 3 {
        offset = s.len() - (width - 3);
    }
    if offset <= 4 {
        return Some([&s[..width - 3], b"..."].concat());
    }
    if width < 7 {
        return None;
    }
    let rest = if offset + width - 3 < s.len() {
        abbreviate(&s[offset..], 0, width - 3)?
    } else {
        s[s.len() - (width - 3)..].to_vec()
    };
    Some([b"...".to_vec(), rest].concat())
}

pub fn abbrev(a: &[Value]) -> Outcome {
    let (width, s) = (int(a, 0), text(a, 1));
    if width < 4 {
        return Ok(Value::str(s));
    }
    Ok(Value::str(abbreviate(s, 0, count(width)).unwrap_or_default()))
}

pub fn abbrevboth(a: &[Value]) -> Outcome {
    let (left, right, s) = (int(a, 0), int(a, 1), text(a, 2));
    if right < 4 || left > 0 && right < 7 {
        return Ok(Value::str(s));
    }
    Ok(Value::str(
        abbreviate(s, count(left), count(right)).unwrap_or_default(),
    ))
}

pub fn trunc(a: &[Value]) -> Outcome {
    let (n, s) = (int(a, 0), text(a, 1));
    let len = i64::try_from(s.len()).unwrap_or(i64::MAX);
    Ok(Value::str(if n < 0 && len.saturating_add(n) > 0 {
        &s[count(len + n)..]
    } else if n >= 0 && len > n {
        &s[..count(n)]
    } else {
        s
    }))
}

pub fn trim(a: &[Value]) -> Outcome {
    Ok(Value::str(go::trim_space(text(a, 0))))
}

pub fn trim_all(a: &[Value]) -> Outcome {
    Ok(Value::str(go::trim(text(a, 1), text(a, 0))))
}

pub fn trim_prefix(a: &[Value]) -> Outcome {
    let s = text(a, 1);
    Ok(Value::str(s.strip_prefix(text(a, 0)).unwrap_or(s)))
}

pub fn trim_suffix(a: &[Value]) -> Outcome {
    let s = text(a, 1);
    Ok(Value::str(s.strip_suffix(text(a, 0)).unwrap_or(s)))
}

pub fn upper(a: &[Value]) -> Outcome {
    Ok(Value::str(go::upper(&string(a, 0))))
}

pub fn lower(a: &[Value]) -> Outcome {
    Ok(Value::str(go::lower(&string(a, 0))))
}

pub fn title(a: &[Value]) -> Outcome {
    Ok(Value::str(cases::title(&string(a, 0))))
}

pub fn untitle(a: &[Value]) -> Outcome {
    Ok(Value::str(cases::untitle(&string(a, 0))))
}

pub fn swapcase(a: &[Value]) -> Outcome {
    Ok(Value::str(cases::swap(&string(a, 0))))
}

pub fn snakecase(a: &[Value]) -> Outcome {
    Ok(Value::str(cases::delimited(&string(a, 0), '_')))
}

pub fn kebabcase(a: &[Value]) -> Outcome {
    Ok(Value::str(cases::delimited(&string(a, 0), '-')))
}

pub fn camelcase(a: &[Value]) -> Outcome {
    Ok(Value::str(cases::pascal(&string(a, 0))))
}

pub fn substr(a: &[Value]) -> Outcome {
    let (start, end, s) = (int(a, 0), int(a, 1), text(a, 2));
    let len = i64::try_from(s.len()).unwrap_or(i64::MAX);
    if start < 0 {
        if !(0..=len).contains(&end) {
            return Err(match end {
                e if e < 0 => format!("runtime error: slice bounds out of range [:{e}]"),
                e => format!("runtime error: slice bounds out of range [:{e}] with length {len}"),
            });
        }
        return Ok(Value::str(&s[..count(end)]));
    }
    if end < 0 || end > len {
        if start > len {
            return Err(format!(
                "runtime error: slice bounds out of range [{start}:{len}]"
            ));
        }
        return Ok(Value::str(&s[count(start)..]));
    }
    if start > end {
        return Err(format!(
            "runtime error: slice bounds out of range [{start}:{end}]"
        ));
    }
    Ok(Value::str(&s[count(start)..count(end)]))
}

pub fn repeat(a: &[Value]) -> Outcome {
    let (n, s) = (int(a, 0), text(a, 1));
    let Ok(n) = usize::try_from(n) else {
        return Err("strings: negative Repeat count".into());
    };
    if s.len().saturating_mul(n) > SIZE {
        return Err(format!("repeat makes more than {SIZE} bytes"));
    }
    Ok(Value::str(s.repeat(n)))
}

/// Takes blanks away. The original takes every byte for a character of its own.
pub fn nospace(a: &[Value]) -> Outcome {
    Ok(Value::str(
        string(a, 0)
            .bytes()
            .map(char::from)
            .filter(|c| !c.is_whitespace())
            .collect::<String>(),
    ))
}

pub fn initials(a: &[Value]) -> Outcome {
    let s = string(a, 0);
    Ok(Value::str(
        s.split_whitespace()
            .filter_map(|w| w.bytes().next())
            .map(char::from)
            .collect::<String>(),
    ))
}

pub fn wrap(a: &[Value]) -> Outcome {
    wrapped(text(a, 1), int(a, 0), b"\n", false)
}

pub fn wrap_with(a: &[Value]) -> Outcome {
    wrapped(text(a, 2), int(a, 0), text(a, 1), true)
}

/// Breaks lines at blanks; words longer than the width are cut only if asked for.
fn wrapped(s: &[u8], width: i64, glue: &[u8], cut: bool) -> Outcome {
    let glue = if glue.is_empty() { b"\n" } else { glue };
    let width = usize::try_from(width).unwrap_or(0).max(1);
    let mut out = Vec::new();
    let mut at = 0;
    while s.len() - at > width {
        if s[at] == b' ' {
            at += 1;
            continue;
        }
        let end = at + width + 1;
        let space = s[at..end.min(s.len())]
            .iter()
            .rposition(|b| *b == b' ')
            .map(|i| i + at);
        match space {
            Some(space) => {
                out.extend_from_slice(&s[at..space]);
                out.extend_from_slice(glue);
                at = space + 1;
            }
            None if cut => {
                out.extend_from_slice(&s[at..at + width]);
                out.extend_from_slice(glue);
                at += width;
            }
            None => match s[at + width..].iter().position(|b| *b == b' ') {
                Some(i) => {
                    let space = at + width + i;
                    out.extend_from_slice(&s[at..space]);
                    out.extend_from_slice(glue);
                    at = space + 1;
                }
                None => {
                    out.extend_from_slice(&s[at..]);
                    at = s.len();
                }
            },
        }
    }
    out.extend_from_slice(&s[at..]);
    Ok(Value::str(out))
}

pub fn contains(a: &[Value]) -> Outcome {
    Ok(Value::Bool(
        crate::expr::eval::find(text(a, 1), text(a, 0)).is_some(),
    ))
}

pub fn has_prefix(a: &[Value]) -> Outcome {
    Ok(Value::Bool(text(a, 1).starts_with(text(a, 0))))
}

pub fn has_suffix(a: &[Value]) -> Outcome {
    Ok(Value::Bool(text(a, 1).ends_with(text(a, 0))))
}

pub fn quote(a: &[Value]) -> Outcome {
    let all: Vec<String> = a
        .iter()
        .filter(|v| !matches!(v, Value::Nil))
        .map(|v| go_quote(&as_text(v)))
        .collect();
    Ok(Value::str(all.join(" ")))
}

pub fn squote(a: &[Value]) -> Outcome {
    let all: Vec<String> = a
        .iter()
        .filter(|v| !matches!(v, Value::Nil))
        .map(|v| format!("'{}'", print::plain(v)))
        .collect();
    Ok(Value::str(all.join(" ")))
}

pub fn cat(a: &[Value]) -> Outcome {
    let all: Vec<String> = a
        .iter()
        .filter(|v| !matches!(v, Value::Nil))
        .map(print::plain)
        .collect();
    Ok(Value::str(all.join(" ")))
}

pub fn indent(a: &[Value]) -> Outcome {
    indented(a, "")
}

pub fn nindent(a: &[Value]) -> Outcome {
    indented(a, "\n")
}

fn indented(a: &[Value], before: &str) -> Outcome {
    let (n, s) = (int(a, 0), string(a, 1));
    let Ok(n) = usize::try_from(n) else {
        return Err("strings: negative Repeat count".into());
    };
    if n.saturating_mul(s.matches('\n').count() + 1) > SIZE {
        return Err(format!("indent makes more than {SIZE} bytes"));
    }
    let pad = " ".repeat(n);
    Ok(Value::str(format!(
        "{before}{pad}{}",
        s.replace('\n', &format!("\n{pad}"))
    )))
}

pub fn replace(a: &[Value]) -> Outcome {
    let (old, new, s) = (text(a, 0), text(a, 1), text(a, 2));
    if new.len().saturating_mul(s.len() + 1) > SIZE * 8 {
        return Err(format!("replace may make more than {} bytes", SIZE * 8));
    }
    Ok(Value::str(go::replace(s, old, new, -1)))
}

pub fn plural(a: &[Value]) -> Outcome {
    Ok(Value::str(if int(a, 2) == 1 { text(a, 0) } else { text(a, 1) }))
}

pub fn to_string(a: &[Value]) -> Outcome {
    Ok(Value::str(as_text(any(a, 0))))
}

/// Text of each element; a value that is no list is a list of itself.
pub(super) fn strings(v: &Value) -> Vec<Vec<u8>> {
    match v {
        Value::Nil => Vec::new(),
        Value::List(l) => l
            .items
            .iter()
            .filter(|v| !matches!(v, Value::Nil))
            .map(as_text)
            .collect(),
        Value::Bytes(b) => b.iter().map(|b| b.to_string().into_bytes()).collect(),
        other => vec![as_text(other)],
    }
}

pub fn to_strings(a: &[Value]) -> Outcome {
    Ok(texts(strings(any(a, 0))))
}

pub fn join(a: &[Value]) -> Outcome {
    Ok(Value::str(strings(any(a, 1)).join(text(a, 0))))
}

pub fn sort_alpha(a: &[Value]) -> Outcome {
    let v = any(a, 0);
    let mut all = if matches!(v, Value::Nil) {
        vec![as_text(v)]
    } else {
        strings(v)
    };
    if matches!(v, Value::List(_)) {
        all.sort();
    }
    Ok(texts(all))
}

fn numbered(parts: Option<Vec<Vec<u8>>>) -> Value {
    let entries = parts
        .unwrap_or_default()
        .into_iter()
        .enumerate()
        .map(|(i, p)| (Text::from(format!("_{i}")), Value::str(p)))
        .collect();
    Value::Map(Arc::new(Map {
        of_text: true,
        entries,
    }))
}

pub fn split(a: &[Value]) -> Outcome {
    Ok(numbered(go::split(text(a, 1), text(a, 0), -1, false)))
}

pub fn splitn(a: &[Value]) -> Outcome {
    Ok(numbered(go::split(text(a, 2), text(a, 0), int(a, 1), false)))
}

pub fn split_list(a: &[Value]) -> Outcome {
    Ok(texts(
        go::split(text(a, 1), text(a, 0), -1, false).unwrap_or_default(),
    ))
}
