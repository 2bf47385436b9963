//! Functions of Go's package `strings` over bytes.

use crate::expr::eval::find;
use crate::text::runes;

/// `strings.TrimSpace`
#[must_use]
pub fn trim_space(s: &[u8]) -> &[u8] {
    trim_by(s, char::is_whitespace)
}

/// `strings.Trim(s, cutset)`
#[must_use]
pub fn trim<'s>(s: &'s [u8], cutset: &[u8]) -> &'s [u8] {
    let set: Vec<char> = runes(cutset).map(|(_, c, _)| c).collect();
    trim_by(s, |c| set.contains(&c))
}

fn trim_by(s: &[u8], cut: impl Fn(char) -> bool) -> &[u8] {
    let (mut from, mut to) = (None, 0);
    for (at, c, len) in runes(s) {
        if !cut(c) {
            from.get_or_insert(at);
            to = at + len;
        }
    }
    match from {
        Some(from) => &s[from..to],
        None => &s[..0],
    }
}

/// `strings.ToUpper`: one character for one, so `ß` stays.
#[must_use]
pub fn upper(s: &str) -> String {
    s.chars().map(to_upper).collect()
}

/// One character's upper case, if it has a single one.
#[must_use]
pub fn to_upper(c: char) -> char {
    let mut u = c.to_uppercase();
    match (u.next(), u.next()) {
        (Some(one), None) => one,
        // Characters whose full mapping is longer have a simple one in Go for a few.
        _ => match c {
            '\u{1f80}'..='\u{1faf}' | '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => char::from_u32(
                c as u32
                    + if matches!(c, '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}') {
                        9
                    } else {
                        8
                    },
            )
            .unwrap_or(c),
            _ => c,
        },
    }
}

/// `strings.ToLower`
#[must_use]
pub fn lower(s: &str) -> String {
    s.chars().map(to_lower).collect()
}

/// One character's lower case; `İ` becomes `i` as in Go's simple mapping.
#[must_use]
pub fn to_lower(c: char) -> char {
    if c == 'İ' {
        return 'i';
    }
    let mut l = c.to_lowercase();
    match (l.next(), l.next()) {
        (Some(one), None) => one,
        _ => c,
    }
}

/// `strings.SplitN` or `SplitAfterN`; `None` for limit 0 (a nil slice).
#[must_use]
pub fn split(s: &[u8], separator: &[u8], limit: i64, keep: bool) -> Option<Vec<Vec<u8>>> {
    if limit == 0 {
        return None;
    }
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut parts = Vec::new();
    if separator.is_empty() {
        for (at, _, len) in runes(s) {
            if parts.len() + 1 == limit {
                parts.push(s[at..].to_vec());
                return Some(parts);
            }
            parts.push(s[at..at + len].to_vec());
        }
        return Some(parts);
    }
    let mut rest = s;
    while parts.len() + 1 < limit {
        let Some(at) = find(rest, separator) else { break };
        parts.push(rest[..at + if keep { separator.len() } else { 0 }].to_vec());
        rest = &rest[at + separator.len()..];
    }
    parts.push(rest.to_vec());
    Some(parts)
}

/// `strings.Replace`; a negative limit replaces all.
#[must_use]
pub fn replace(s: &[u8], old: &[u8], new: &[u8], limit: i64) -> Vec<u8> {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    let mut out = Vec::with_capacity(s.len());
    let mut done = 0;
    if old.is_empty() {
        for (at, _, len) in runes(s) {
            if done < limit {
                out.extend_from_slice(new);
                done += 1;
            }
            out.extend_from_slice(&s[at..at + len]);
        }
        if done < limit {
            out.extend_from_slice(new);
        }
        return out;
    }
    let mut rest = s;
    while done < limit {
        let Some(at) = find(rest, old) else { break };
        out.extend_from_slice(&rest[..at]);
        out.extend_from_slice(new);
        rest = &rest[at + old.len()..];
        done += 1;
    }
    out.extend_from_slice(rest);
    out
}

/// `strings.LastIndex`
#[must_use]
pub fn last_index(s: &[u8], needle: &[u8]) -> Option<usize> {
    if needle.is_empty() {
        return Some(s.len());
    }
    (0..=s.len().checked_sub(needle.len())?)
        .rev()
        .find(|&i| s[i..].starts_with(needle))
}
