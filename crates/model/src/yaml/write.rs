//! YAML text with the look of `kubectl -o yaml`: keys sorted, block style, lists not indented under their key, long
//! lines folded, strings quoted only where they would be read as something else.

use std::cmp::Ordering;

use serde::Serialize;
use serde_json::{Number, Value};

use super::scalar;

/// Columns after which a space may become a line break.
const WIDTH: usize = 80;
/// Keys longer than this are written with `?`.
const LONGEST_KEY: usize = 128;

/// The YAML text of a value, ending with a line break.
///
/// # Errors
/// When the value cannot be written as JSON, which no wire type of this crate does.
pub fn to_string<T: Serialize + ?Sized>(value: &T) -> Result<String, serde_json::Error> {
    // Through text, so that floats get the spelling that Go's JSON gives them.
    let value: Value = serde_json::from_str(&crate::go_json::to_string(value)?)?;
    Ok(value_to_string(&value))
}

/// The YAML text of a JSON value, ending with a line break.
pub fn value_to_string(value: &Value) -> String {
    let mut writer = Writer {
        out: String::new(),
        column: 0,
    };
    writer.node(value, 0, Place::Document);
    writer.out.push('\n');
    writer.out
}

/// Where a node stands, which decides how its first line starts.
#[derive(Clone, Copy, PartialEq)]
enum Place {
    Document,
    /// After `key:`.
    Value,
    /// After `- `, `? ` or `: `.
    Item,
}

struct Writer {
    out: String,
    column: usize,
}

impl Writer {
    fn put(&mut self, c: char) {
        self.out.push(c);
        self.column = if c == '\n' { 0 } else { self.column + 1 };
    }

    fn text(&mut self, text: &str) {
        for c in text.chars() {
            self.put(c);
        }
    }

    fn line(&mut self, indent: usize) {
        self.put('\n');
        for _ in 0..indent {
            self.put(' ');
        }
    }

    /// Writes a node whose own lines start at `indent`.
    fn node(&mut self, value: &Value, indent: usize, place: Place) {
        match value {
            Value::Object(map) if !map.is_empty() => {
                let mut entries: Vec<(&String, &Value)> = map.iter().collect();
                entries.sort_by(|a, b| natural(a.0, b.0));
                for (i, (key, value)) in entries.into_iter().enumerate() {
                    if i > 0 || place == Place::Value {
                        self.line(indent);
                    }
                    self.entry(key, value, indent);
                }
            }
            Value::Array(items) if !items.is_empty() => {
                for (i, item) in items.iter().enumerate() {
                    if i > 0 || place == Place::Value {
                        self.line(indent);
                    }
                    self.text("- ");
                    self.node(item, indent + 2, Place::Item);
                }
            }
            other => {
                if place == Place::Value {
                    self.put(' ');
                }
                let inner = if place == Place::Document { 2 } else { indent };
                self.scalar(other, inner);
            }
        }
    }

    fn entry(&mut self, key: &str, value: &Value, indent: usize) {
        let style = style(key, true);
        if key.len() > LONGEST_KEY {
            self.text("? ");
            self.string(key, style, indent + 2, false);
            self.line(indent);
            self.text(": ");
            self.node(value, indent + 2, Place::Item);
            return;
        }
        self.string(key, style, indent, false);
        self.put(':');
        // Lists stand under their key without indentation.
        let inner = if value.as_array().is_some_and(|l| !l.is_empty()) {
            indent
        } else {
            indent + 2
        };
        self.node(value, inner, Place::Value);
    }

    fn scalar(&mut self, value: &Value, indent: usize) {
        match value {
            Value::Null => self.text("null"),
            Value::Bool(b) => self.text(if *b { "true" } else { "false" }),
            Value::Number(n) => self.text(&number(n)),
            Value::String(text) => self.string(text, style(text, false), indent, true),
            Value::Array(_) => self.text("[]"),
            Value::Object(_) => self.text("{}"),
        }
    }

    fn string(&mut self, text: &str, style: Style, indent: usize, folds: bool) {
        match style {
            Style::Plain => self.plain(text, indent, folds),
            Style::Single => self.single(text, indent, folds),
            Style::Double => self.double(text, indent, folds),
            Style::Literal => self.literal(text, indent),
        }
    }

    /// Whether a single space may be replaced by a line break here.
    fn may_fold(&self, folds: bool, after_space: bool) -> bool {
        folds && !after_space && self.column > WIDTH
    }

    fn plain(&mut self, text: &str, indent: usize, folds: bool) {
        let mut after_space = false;
        let mut rest = text.chars().peekable();
        while let Some(c) = rest.next() {
            if c == ' ' && self.may_fold(folds, after_space) && rest.peek() != Some(&' ') {
                self.line(indent);
            } else {
                self.put(c);
            }
            after_space = c == ' ';
        }
    }

    fn single(&mut self, text: &str, indent: usize, folds: bool) {
        self.put('\'');
        let mut after_space = false;
        let mut rest = text.chars().peekable();
        let mut first = true;
        while let Some(c) = rest.next() {
            let inside = !first && rest.peek().is_some();
            if c == ' ' && inside && self.may_fold(folds, after_space) && rest.peek() != Some(&' ') {
                self.line(indent);
            } else {
                if c == '\'' {
                    self.put('\'');
                }
                self.put(c);
            }
            after_space = c == ' ';
            first = false;
        }
        self.put('\'');
    }

    fn double(&mut self, text: &str, indent: usize, folds: bool) {
        self.put('"');
        let mut after_space = false;
        let mut rest = text.chars().peekable();
        let mut first = true;
        while let Some(c) = rest.next() {
            let inside = !first && rest.peek().is_some();
            if c == ' ' && inside && self.may_fold(folds, after_space) {
                self.line(indent);
                if rest.peek() == Some(&' ') {
                    self.put('\\');
                }
            } else {
                self.escaped(c);
            }
            after_space = c == ' ';
            first = false;
        }
        self.put('"');
    }

    fn escaped(&mut self, c: char) {
        let short = match c {
            '\0' => '0',
            '\u{7}' => 'a',
            '\u{8}' => 'b',
            '\t' => 't',
            '\n' => 'n',
            '\u{b}' => 'v',
            '\u{c}' => 'f',
            '\r' => 'r',
            '\u{1b}' => 'e',
            '"' => '"',
            '\\' => '\\',
            '\u{85}' => 'N',
            '\u{2028}' => 'L',
            '\u{2029}' => 'P',
            _ if is_printable(c) => return self.put(c),
            _ => {
                let code = u32::from(c);
                return self.text(&match code {
                    0..=0xff => format!("\\x{code:02X}"),
                    0x100..=0xffff => format!("\\u{code:04X}"),
                    _ => format!("\\U{code:08X}"),
                });
            }
        };
        self.put('\\');
        self.put(short);
    }

    fn literal(&mut self, text: &str, indent: usize) {
        self.put('|');
        if text.starts_with([' ', '\n']) {
            self.put('2');
        }
        if !text.ends_with('\n') {
            self.put('-');
        } else if text == "\n" || text.ends_with("\n\n") {
            self.put('+');
        }
        let body = text.strip_suffix('\n').unwrap_or(text);
        for line in body.split('\n') {
            if line.is_empty() {
                self.put('\n');
            } else {
                self.line(indent);
                self.text(line);
            }
        }
    }
}

fn number(n: &Number) -> String {
    match n.as_f64() {
        Some(float) if n.is_f64() => crate::go_json::float_general_long(float),
        _ => n.to_string(),
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Style {
    Plain,
    Single,
    Double,
    Literal,
}

/// What characters of a string rule out.
#[derive(Default)]
struct Shape {
    /// An unprintable character, or a space before a line break.
    special: bool,
    breaks: bool,
    /// A space after a line break: no block style can be told from indentation.
    break_then_space: bool,
    /// A space or break at an end.
    loose_ends: bool,
    trailing_space: bool,
    /// A character that means something to YAML where it stands.
    indicator: bool,
}

fn style(text: &str, key: bool) -> Style {
    let shape = shape(text);
    let wanted = if text.contains('\n') {
        Style::Literal
    } else if scalar::needs_quotes(text) {
        Style::Double
    } else {
        Style::Plain
    };
    match wanted {
        Style::Literal if key || shape.special || shape.trailing_space => Style::Double,
        Style::Plain if shape.special || shape.breaks && (key || shape.break_then_space) => Style::Double,
        Style::Plain if shape.indicator || shape.loose_ends || shape.breaks => Style::Single,
        other => other,
    }
}

fn shape(text: &str) -> Shape {
    let mut shape = Shape {
        indicator: text.starts_with("---") || text.starts_with("..."),
        ..Shape::default()
    };
    let (mut after_space, mut after_break, mut after_blank, mut first) = (false, false, true, true);
    let mut rest = text.chars().peekable();
    while let Some(c) = rest.next() {
        let next = rest.peek().copied();
        let blank_next = next.is_none_or(|n| n == ' ' || n == '\t' || is_break(n));
        shape.indicator |= match c {
            ':' => blank_next,
            '#' => after_blank,
            '?' | '-' => first && blank_next,
            ',' | '[' | ']' | '{' | '}' | '&' | '*' | '!' | '|' | '>' | '\'' | '"' | '%' | '@' | '`' => first,
            _ => false,
        };
        let end = first || next.is_none();
        if c == ' ' {
            shape.loose_ends |= end;
            shape.trailing_space |= next.is_none();
            shape.break_then_space |= after_break;
        } else if is_break(c) {
            shape.breaks = true;
            shape.loose_ends |= end;
            shape.special |= after_space;
        }
        shape.special |= !is_printable(c) && c != '\n' && !is_break(c);
        shape.special |= matches!(c, '\r' | '\u{85}' | '\u{2028}' | '\u{2029}');
        after_space = c == ' ';
        after_break = is_break(c);
        after_blank = c == ' ' || c == '\t' || is_break(c);
        first = false;
    }
    shape
}

fn is_break(c: char) -> bool {
    matches!(c, '\n' | '\r' | '\u{85}' | '\u{2028}' | '\u{2029}')
}

/// What Go's library writes as it is: neither tabs nor characters beyond the basic plane.
fn is_printable(c: char) -> bool {
    matches!(c, '\n' | ' '..='~' | '\u{a0}'..='\u{d7ff}' | '\u{e000}'..='\u{fffd}') && c != '\u{feff}'
}

/// The order of keys: letters after other characters, numbers by value.
fn natural(a: &str, b: &str) -> Ordering {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let Some(at) = a.iter().zip(&b).position(|(x, y)| x != y) else {
        return a.len().cmp(&b.len());
    };
    let (x, y) = (a[at], b[at]);
    match (x.is_alphabetic(), y.is_alphabetic()) {
        (true, true) => return x.cmp(&y),
        (true, false) => return Ordering::Greater,
        (false, true) => return Ordering::Less,
        (false, false) => {}
    }
    // Zeros after a digit belong to its number; leading ones do not count.
    let inside = (x == '0' || y == '0')
        && a[..at]
            .iter()
            .rev()
            .take_while(|c| c.is_ascii_digit())
            .any(|c| *c != '0');
    let (n, n_len) = digits(&a[at..], inside);
    let (m, m_len) = digits(&b[at..], inside);
    n.cmp(&m).then(n_len.cmp(&m_len)).then(x.cmp(&y))
}

fn digits(text: &[char], inside: bool) -> (u128, usize) {
    let mut value = u128::from(inside);
    let mut length = 0;
    for digit in text.iter().map_while(|c| c.to_digit(10)) {
        value = value.saturating_mul(10).saturating_add(u128::from(digit));
        length += 1;
    }
    (value, length)
}
