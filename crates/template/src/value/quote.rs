//! Go's quoted forms of text: `strconv.Quote` (for messages and simple tags) and the JSON string of `encoding/json`.

use std::fmt::Write;

use crate::text::runes;

/// `strconv.Quote`, with the quotes.
#[must_use]
pub fn go_quote(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() + 2);
    out.push('"');
    go_quote_into(&mut out, bytes);
    out.push('"');
    out
}

/// `strconv.Quote` without the quotes, appended.
pub fn go_quote_into(out: &mut String, bytes: &[u8]) {
    for (at, c, len) in runes(bytes) {
        if c == char::REPLACEMENT_CHARACTER && len == 1 {
            let _ = write!(out, "\\x{:02x}", bytes[at]);
            continue;
        }
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{7}' => out.push_str("\\a"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '\u{b}' => out.push_str("\\v"),
            c if is_print(c) => out.push(c),
            c if (c as u32) < 0x20 || c == '\u{7f}' => {
                let _ = write!(out, "\\x{:02x}", c as u32);
            }
            c if (c as u32) < 0x1_0000 => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => {
                let _ = write!(out, "\\U{:08x}", c as u32);
            }
        }
    }
}

/// Whether Go prints the character as it is: letters, marks, numbers, punctuation, symbols, and the ASCII blank.
#[must_use]
pub fn is_print(c: char) -> bool {
    if c.is_ascii() {
        return (' '..='~').contains(&c);
    }
    // `{:?}` of a char escapes what is not printable, and grapheme extenders besides, which Go prints.
    use std::sync::LazyLock;
    static PRINT: LazyLock<regex::Regex> =
        LazyLock::new(|| regex::Regex::new(r"^[\p{L}\p{M}\p{N}\p{P}\p{S}]$").expect("the pattern is fixed"));
    let mut buffer = [0; 4];
    PRINT.is_match(c.encode_utf8(&mut buffer))
}

/// Appends a JSON string as Go's `json.Marshal` writes it, with quotes. `html` escapes `<`, `>` and `&` too.
pub fn json_string_into(out: &mut String, bytes: &[u8], html: bool) {
    out.push('"');
    json_escape_into(out, bytes, html);
    out.push('"');
}

/// Like [`json_string_into`], without the quotes.
pub fn json_escape_into(out: &mut String, bytes: &[u8], html: bool) {
    let plain = |c: char| {
        !(matches!(c, '"' | '\\' | '\u{2028}' | '\u{2029}' | '\u{7f}')
            || (c as u32) < 0x20
            || (html && matches!(c, '<' | '>' | '&')))
    };
    if let Ok(s) = std::str::from_utf8(bytes)
        && s.chars().all(plain)
    {
        out.push_str(s);
        return;
    }
    for (_, c, len) in runes(bytes) {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\u{8}' => out.push_str("\\b"),
            '\u{c}' => out.push_str("\\f"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            '<' | '>' | '&' if html => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c if (c as u32) < 0x20 || c == '\u{2028}' || c == '\u{2029}' => {
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            char::REPLACEMENT_CHARACTER if len == 1 => out.push_str("\\ufffd"),
            c => out.push(c),
        }
    }
}
