//! Go's regular expressions on the `regex` crate: the same syntax for all that both have, Go's words for errors.

use std::sync::Arc;

use regex::bytes::{Regex, RegexBuilder};

use crate::kept::Kept;

/// Compiled size in bytes that one pattern may take: more than any sane pattern, small enough to refuse bombs.
const SIZE: usize = 4 << 20;

/// How many compiled patterns are kept: twice this.
const PATTERNS: usize = 128;

/// Compiles a pattern.
///
/// # Errors
/// `error parsing regexp: …` in Go's words.
pub fn compile(pattern: &str) -> Result<Regex, String> {
    let translated = translate(pattern)?;
    RegexBuilder::new(&translated)
        .size_limit(SIZE)
        .build()
        .map_err(|e| format!("error parsing regexp: {}", explain(pattern, &e)))
}

/// A pattern for valid text, where empty matches stand between characters, never inside one.
///
/// # Errors
/// Like [`compile`].
pub fn for_text(pattern: &str) -> Result<regex::Regex, String> {
    let translated = translate(pattern)?;
    regex::RegexBuilder::new(&translated)
        .size_limit(SIZE)
        .build()
        .or_else(|_| {
            compile(pattern).and_then(|_| Err("error parsing regexp: invalid expression".to_owned()))
        })
}

/// Like [`compile`], keeping the last patterns.
///
/// # Errors
/// Like [`compile`].
pub fn cached(pattern: &str) -> Result<Arc<Regex>, String> {
    static KEPT: Kept<Result<Arc<Regex>, String>> = Kept::new(PATTERNS);
    KEPT.get(pattern, |pattern| compile(pattern).map(Arc::new))
}

/// Rewrites what Go reads otherwise: its classes `\d`, `\w`, `\s`, `\b` know ASCII only, `\C`, `\Q…\E`, `\z`.
fn translate(pattern: &str) -> Result<String, String> {
    let mut out = String::with_capacity(pattern.len() + 8);
    let mut chars = pattern.chars().peekable();
    let mut in_class = false;
    while let Some(c) = chars.next() {
        match c {
            '\\' => escape(&mut out, &mut chars, in_class)?,
            '[' if in_class => {
                // Go reads `[` inside a class as itself unless it opens `[:name:]`.
                if chars.peek() == Some(&':') {
                    out.push('[');
                    for l in chars.by_ref() {
                        out.push(l);
                        if l == ']' {
                            break;
                        }
                    }
                } else {
                    out.push_str("\\[");
                }
            }
            '[' => {
                in_class = true;
                out.push('[');
                if chars.peek() == Some(&'^') {
                    chars.next();
                    out.push('^');
                }
                if chars.peek() == Some(&']') {
                    chars.next();
                    out.push_str("\\]");
                }
            }
            ']' if in_class => {
                in_class = false;
                out.push(']');
            }
            // Go reads a brace that opens no repetition as itself.
            '{' if !in_class && !repeats(chars.clone()) => out.push_str("\\{"),
            '&' | '~' if in_class => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    Ok(out)
}

/// Whether what follows an opening brace is `n}`, `n,}` or `n,m}`.
fn repeats(mut rest: impl Iterator<Item = char>) -> bool {
    let (mut digits, mut comma) = (false, false);
    loop {
        match rest.next() {
            Some('0'..='9') => digits = true,
            Some(',') if digits && !comma => comma = true,
            Some('}') => return digits,
            _ => return false,
        }
    }
}

/// One escape: what follows a backslash.
fn escape(
    out: &mut String,
    chars: &mut std::iter::Peekable<std::str::Chars<'_>>,
    in_class: bool,
) -> Result<(), String> {
    let failed = |what: &str| format!("error parsing regexp: {what}");
    match chars.next() {
        None => return Err(failed("trailing backslash at end of expression: ``")),
        Some('d') if in_class => out.push_str("0-9"),
        Some('d') => out.push_str("[0-9]"),
        Some('D') => out.push_str("[^0-9]"),
        Some('w') if in_class => out.push_str("0-9A-Za-z_"),
        Some('w') => out.push_str("[0-9A-Za-z_]"),
        Some('W') => out.push_str("[^0-9A-Za-z_]"),
        Some('s') if in_class => out.push_str("\\t\\n\\f\\r "),
        Some('s') => out.push_str("[\\t\\n\\f\\r ]"),
        Some('S') => out.push_str("[^\\t\\n\\f\\r ]"),
        Some('b') if !in_class => out.push_str("(?-u:\\b)"),
        Some('B') if !in_class => out.push_str("(?-u:\\B)"),
        Some('Q') if !in_class => {
            let mut literal = String::new();
            while let Some(l) = chars.next() {
                if l == '\\' && chars.peek() == Some(&'E') {
                    chars.next();
                    break;
                }
                literal.push(l);
            }
            out.push_str(&regex::escape(&literal));
        }
        Some('0'..='7') => {
            // Octal is rare; hand it on for the crate to judge.
            return Err(failed("invalid escape sequence: `\\0`"));
        }
        Some(e @ ('A' | 'z' | 'a' | 'f' | 'n' | 'r' | 't' | 'v')) => {
            out.push('\\');
            out.push(e);
        }
        Some(e @ ('p' | 'P' | 'x')) => {
            out.push('\\');
            out.push(e);
            // The braces of a class or of a number are no repetition.
            if chars.peek() == Some(&'{') {
                for c in chars.by_ref() {
                    out.push(c);
                    if c == '}' {
                        break;
                    }
                }
            }
        }
        Some(e) if e.is_ascii_alphanumeric() || !e.is_ascii() => {
            return Err(failed(&format!("invalid escape sequence: `\\{e}`")));
        }
        Some(e) => {
            out.push_str(&regex::escape(&e.to_string()));
            if !out.ends_with(e) {
                out.push(e);
            }
        }
    }
    Ok(())
}

/// Go's words for what is wrong.
fn explain(pattern: &str, error: &regex::Error) -> String {
    let text = error.to_string();
    let has = |s: &str| text.contains(s);
    if has("unclosed character class") {
        let at = pattern.rfind('[').unwrap_or(0);
        format!("missing closing ]: `{}`", &pattern[at..])
    } else if has("unclosed group") {
        format!("missing closing ): `{pattern}`")
    } else if has("unopened group") {
        format!("unexpected ): `{pattern}`")
    } else if has("repetition operator missing expression") {
        let at = pattern.find(['*', '+', '?', '{']).unwrap_or(0);
        let c = &pattern[at..=at];
        format!("missing argument to repetition operator: `{c}`")
    } else if has("invalid character class range") {
        let at = pattern.find('[').map_or(0, |i| i + 1);
        let end = pattern[at..].find(']').map_or(pattern.len(), |i| at + i);
        format!("invalid character class range: `{}`", &pattern[at..end])
    } else if has("look-around") {
        let at = pattern.find("(?").unwrap_or(0);
        let end = pattern[at..]
            .char_indices()
            .nth(3)
            .map_or(pattern.len(), |(i, _)| at + i);
        format!("invalid or unsupported Perl syntax: `{}`", &pattern[at..end])
    } else if has("exceeds size limit") {
        "expression too large".to_owned()
    } else {
        format!("invalid expression: `{pattern}`")
    }
}
