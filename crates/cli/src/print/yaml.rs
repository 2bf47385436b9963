//! Objects as YAML in the form that Kubernetes tools write: keys sorted, lists not indented below their key, quotes only
//! where a reader would take the text for something else.

use std::cmp::Ordering;

use serde_json::{Map, Value};

/// Long text is broken at the first blank after this column.
const WIDTH: usize = 80;

/// The value as a YAML document, with a newline at its end.
pub fn to_string(value: &Value) -> String {
    let mut writer = Writer {
        out: String::new(),
        column: 0,
    };
    match value {
        Value::Object(map) if !map.is_empty() => writer.map(map, 0),
        Value::Array(list) if !list.is_empty() => writer.list(list, 0),
        other => {
            writer.scalar(other, 0, false);
            writer.end_line();
        }
    }
    writer.out
}

struct Writer {
    out: String,
    column: usize,
}

impl Writer {
    fn put(&mut self, text: &str) {
        self.out.push_str(text);
        self.column += text.chars().count();
    }

    fn end_line(&mut self) {
        self.out.push('\n');
        self.column = 0;
    }

    fn indent(&mut self, level: usize) {
        while self.column < level {
            self.put(" ");
        }
    }

    fn map(&mut self, map: &Map<String, Value>, level: usize) {
        let mut keys: Vec<&String> = map.keys().collect();
        keys.sort_by(|a, b| natural(a, b));
        for key in keys {
            self.indent(level);
            self.text(key, level, true);
            self.put(":");
            match &map[key] {
                Value::Object(inner) if !inner.is_empty() => {
                    self.end_line();
                    self.map(inner, level + 2);
                }
                Value::Array(inner) if !inner.is_empty() => {
                    self.end_line();
                    self.list(inner, level);
                }
                scalar => {
                    self.put(" ");
                    self.scalar(scalar, level + 2, false);
                    self.end_line();
                }
            }
        }
    }

    fn list(&mut self, list: &[Value], level: usize) {
        for item in list {
            self.indent(level);
            self.put("- ");
            match item {
                Value::Object(inner) if !inner.is_empty() => self.map(inner, level + 2),
                Value::Array(inner) if !inner.is_empty() => self.list(inner, level + 2),
                scalar => {
                    self.scalar(scalar, level + 2, false);
                    self.end_line();
                }
            }
        }
    }

    fn scalar(&mut self, value: &Value, level: usize, key: bool) {
        match value {
            Value::String(text) => self.text(text, level, key),
            Value::Object(_) => self.put("{}"),
            Value::Array(_) => self.put("[]"),
            other => self.put(&other.to_string()),
        }
    }

    fn text(&mut self, text: &str, level: usize, key: bool) {
        let shape = Shape::of(text);
        if text.contains('\n') {
            if shape.block && !key {
                self.literal(text, level)
            } else {
                self.double_quoted(text, level, key)
            }
        } else if means_something_else(text) || !shape.single {
            self.double_quoted(text, level, key);
        } else if shape.plain {
            self.folded(text, level, key);
        } else {
            self.put("'");
            self.folded(&text.replace('\'', "''"), level, key);
            self.put("'");
        }
    }

    /// Writes words, going to a new line at a single blank once the line is long.
    fn folded(&mut self, text: &str, level: usize, key: bool) {
        let characters: Vec<char> = text.chars().collect();
        for (at, c) in characters.iter().enumerate() {
            let alone = |i: Option<usize>| i.and_then(|i| characters.get(i)).is_some_and(|c| *c != ' ');
            if *c == ' '
                && !key
                && self.column > WIDTH
                && alone(at.checked_sub(1))
                && alone(at.checked_add(1))
            {
                self.end_line();
                self.indent(level);
            } else {
                self.put(c.encode_utf8(&mut [0; 4]));
            }
        }
    }

    fn double_quoted(&mut self, text: &str, level: usize, key: bool) {
        self.put("\"");
        let characters: Vec<char> = text.chars().collect();
        for (at, c) in characters.iter().enumerate() {
            let inside = at > 0 && at + 1 < characters.len();
            if *c == ' ' && !key && inside && self.column > WIDTH && characters[at - 1] != ' ' {
                self.end_line();
                self.indent(level);
                if characters[at + 1] == ' ' {
                    self.put("\\");
                }
                continue;
            }
            self.put(&escaped(*c));
        }
        self.put("\"");
    }

    fn literal(&mut self, text: &str, level: usize) {
        self.put("|");
        if text.starts_with([' ', '\n']) {
            self.put("2");
        }
        if !text.ends_with('\n') {
            self.put("-");
        } else if text == "\n" || text.ends_with("\n\n") {
            self.put("+");
        }
        let body = text.strip_suffix('\n').unwrap_or(text);
        for line in body.split('\n') {
            self.end_line();
            if !line.is_empty() {
                self.indent(level);
                self.put(line);
            }
        }
    }
}

fn escaped(c: char) -> String {
    match c {
        '"' => "\\\"".to_owned(),
        '\\' => "\\\\".to_owned(),
        '\0' => "\\0".to_owned(),
        '\u{7}' => "\\a".to_owned(),
        '\u{8}' => "\\b".to_owned(),
        '\t' => "\\t".to_owned(),
        '\n' => "\\n".to_owned(),
        '\u{b}' => "\\v".to_owned(),
        '\u{c}' => "\\f".to_owned(),
        '\r' => "\\r".to_owned(),
        '\u{1b}' => "\\e".to_owned(),
        '\u{85}' => "\\N".to_owned(),
        '\u{a0}' => "\\_".to_owned(),
        '\u{2028}' => "\\L".to_owned(),
        '\u{2029}' => "\\P".to_owned(),
        c if is_printable(c) => c.to_string(),
        c if u32::from(c) < 0x100 => format!("\\x{:02X}", u32::from(c)),
        c if u32::from(c) < 0x1_0000 => format!("\\u{:04X}", u32::from(c)),
        c => format!("\\U{:08X}", u32::from(c)),
    }
}

fn is_printable(c: char) -> bool {
    matches!(u32::from(c), 0x0a | 0x20..=0x7e | 0xa0..=0xd7ff | 0xe000..=0xfefe | 0xff00..=0xfffd | 0x1_0000..)
        && !matches!(c, '\u{2028}' | '\u{2029}')
}

/// In which forms a text can be written so that it reads back as itself.
struct Shape {
    plain: bool,
    single: bool,
    block: bool,
}

impl Shape {
    fn of(text: &str) -> Self {
        let characters: Vec<char> = text.chars().collect();
        let special = characters.iter().any(|c| !is_printable(*c));
        let blank_at_break = text.contains(" \n");
        let edge = text.starts_with(' ') || text.ends_with(' ');
        Self {
            plain: !text.is_empty()
                && !special
                && !edge
                && !text.contains('\n')
                && !has_indicator(&characters),
            single: !special && !blank_at_break && !text.contains("\n "),
            block: !special && !blank_at_break && !text.ends_with(' '),
        }
    }
}

fn has_indicator(text: &[char]) -> bool {
    let spaced = |at: usize| text.get(at).is_none_or(|c| matches!(c, ' ' | '\n' | '\t'));
    if text.starts_with(&['-', '-', '-']) || text.starts_with(&['.', '.', '.']) {
        return true;
    }
    text.iter().enumerate().any(|(at, c)| match c {
        '#' | ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`'
            if at == 0 =>
        {
            true
        }
        '?' | '-' if at == 0 => spaced(1),
        ':' => spaced(at + 1),
        '#' => at > 0 && spaced(at - 1),
        _ => false,
    })
}

/// Whether a reader would take the bare word for a boolean, a number, nothing, a time or a merge.
fn means_something_else(text: &str) -> bool {
    const WORDS: &[&str] = &[
        "", "~", "null", "Null", "NULL", "true", "True", "TRUE", "false", "False", "FALSE", "y", "Y", "yes",
        "Yes", "YES", "n", "N", "no", "No", "NO", "on", "On", "ON", "off", "Off", "OFF", ".nan", ".NaN",
        ".NAN", ".inf", ".Inf", ".INF", "+.inf", "+.Inf", "+.INF", "-.inf", "-.Inf", "-.INF", "<<", "=",
    ];
    WORDS.contains(&text) || is_number(text) || is_time(text)
}

fn is_number(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !digits.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
        return false;
    }
    let plain = digits.replace('_', "");
    for (prefix, radix) in [("0x", 16), ("0b", 2), ("0o", 8)] {
        if let Some(rest) = plain.strip_prefix(prefix) {
            return !rest.is_empty() && rest.chars().all(|c| c.is_digit(radix));
        }
    }
    if !plain.is_empty() && plain.chars().all(|c| c.is_ascii_digit()) {
        return true;
    }
    if digits.contains(':') {
        // Base 60 of YAML 1.1: some readers take 1:30 for ninety.
        let parts: Vec<&str> = digits.split(':').collect();
        return parts.iter().enumerate().all(|(i, p)| {
            let whole = p.split('.').next().unwrap_or_default();
            !p.is_empty()
                && p.chars().all(|c| c.is_ascii_digit() || c == '.' || c == '_')
                && (i == 0 || whole.len() <= 2 && whole < "60")
        });
    }
    let float = plain
        .chars()
        .all(|c| c.is_ascii_digit() || matches!(c, '.' | 'e' | 'E' | '+' | '-'));
    float && plain.chars().any(|c| c.is_ascii_digit()) && plain.parse::<f64>().is_ok()
}

fn is_time(text: &str) -> bool {
    let bytes = text.as_bytes();
    let digits =
        |range: std::ops::Range<usize>| bytes.get(range).is_some_and(|b| b.iter().all(u8::is_ascii_digit));
    let date = digits(0..4)
        && bytes.get(4) == Some(&b'-')
        && digits(5..7)
        && bytes.get(7) == Some(&b'-')
        && digits(8..10);
    if !date || text.len() == 10 {
        return date;
    }
    let clock = digits(11..13)
        && bytes.get(13) == Some(&b':')
        && digits(14..16)
        && bytes.get(16) == Some(&b':')
        && digits(17..19);
    let rest = || {
        text[19..]
            .chars()
            .all(|c| c.is_ascii_digit() || matches!(c, '.' | ':' | '+' | '-' | 'Z' | ' '))
    };
    matches!(bytes[10], b'T' | b't' | b' ') && clock && rest()
}

/// Order of keys: runs of digits by their value, other signs before letters.
fn natural(a: &str, b: &str) -> Ordering {
    let (left, right): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let Some(at) = left.iter().zip(&right).position(|(x, y)| x != y) else {
        return left.len().cmp(&right.len());
    };
    let number = |text: &[char]| {
        let start = text[..at]
            .iter()
            .rposition(|c| !c.is_ascii_digit())
            .map_or(0, |i| i + 1);
        let end = text[at..]
            .iter()
            .position(|c| !c.is_ascii_digit())
            .map_or(text.len(), |i| at + i);
        let digits: String = text[start..end].iter().collect();
        let value = digits.trim_start_matches('0').to_owned();
        (!digits.is_empty()).then_some((value.len(), value, digits.len()))
    };
    let (x, y) = (left[at], right[at]);
    if (x.is_ascii_digit() || y.is_ascii_digit())
        && let (Some(p), Some(q)) = (number(&left), number(&right))
    {
        return p.cmp(&q).then(x.cmp(&y));
    }
    x.is_alphabetic().cmp(&y.is_alphabetic()).then(x.cmp(&y))
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use serde_json::{Value, json};

    use super::to_string;

    #[expect(
        clippy::needless_pass_by_value,
        reason = "a case reads better without a reference"
    )]
    fn check(value: Value, wanted: Expect) {
        wanted.assert_eq(&to_string(&value));
    }

    #[test]
    fn quotes_only_where_needed() {
        check(
            json!([
                "plain",
                "yes",
                "12",
                "1e3",
                "",
                "a: b",
                "# no",
                "-x",
                "- x",
                "it's",
                " edge",
                "tab\there",
                "2026-01-02",
                "1:30",
                "{{x}}"
            ]),
            expect![[r##"
                - plain
                - "yes"
                - "12"
                - "1e3"
                - ""
                - 'a: b'
                - '# no'
                - -x
                - '- x'
                - it's
                - ' edge'
                - "tab\there"
                - "2026-01-02"
                - "1:30"
                - '{{x}}'
            "##]],
        );
    }

    #[test]
    fn lists_stand_below_their_key() {
        check(
            json!({"b": [{"name": "x", "list": [[1, 2], {}]}], "a10": {}, "a9": []}),
            expect![[r"
                a9: []
                a10: {}
                b:
                - list:
                  - - 1
                    - 2
                  - {}
                  name: x
            "]],
        );
    }

    #[test]
    fn lines_of_text_stay_lines() {
        check(
            json!({"one": "a\nb\n", "two": "a\nb", "three": "a\n\n", "four": " a\nb\n"}),
            expect![[r"
                four: |2
                   a
                  b
                one: |
                  a
                  b
                three: |+
                  a

                two: |-
                  a
                  b
            "]],
        );
    }
}
