//! Between expression values and JSON: reading as Go's `encoding/json` does into `interface {}`, writing with the
//! same bytes and the same errors.

use std::borrow::Cow;
use std::fmt::Write;

use base64::Engine;
use serde_json::Number;

use super::number::float_json;
use super::quote::json_string_into;
use super::{Value, Width};
use crate::gojson::{self, Make};
use crate::gotime;
use crate::text::Text;

/// How deep values may be nested when they are written.
const DEPTH: usize = 1000;

/// How to write JSON.
#[derive(Clone, Copy, Debug)]
pub struct Style {
    /// Escape `<`, `>`, `&` as `\u003c` and so on.
    pub html: bool,
    /// Blanks for each level; `None` writes one line.
    pub indent: Option<usize>,
}

/// `json.Marshal`
pub const COMPACT: Style = Style {
    html: true,
    indent: None,
};

/// A value of a scope: whole numbers are `int`, others `float64`.
#[must_use]
pub fn from_scope(value: &serde_json::Value) -> Value {
    convert(value, false)
}

/// What `json.Unmarshal` into `interface {}` gives: every number is `float64`.
#[must_use]
pub fn from_document(value: &serde_json::Value) -> Value {
    convert(value, true)
}

/// [`from_document`] of a text, without the steps between.
///
/// # Errors
/// Go's words for what is wrong with the text.
pub fn read(bytes: &[u8]) -> Result<Value, String> {
    gojson::read(bytes, Documents::default())
}

/// How many different keys are kept at hand.
const KEYS: usize = 64;

/// Makes values of documents. The objects of a list have the same keys, mostly: they share their texts.
struct Documents {
    keys: [Option<Text>; KEYS],
    /// How many members the last object had.
    members: usize,
}

impl Default for Documents {
    fn default() -> Self {
        Self {
            keys: [const { None }; KEYS],
            members: 0,
        }
    }
}

impl Documents {
    fn key(&mut self, key: &str) -> Text {
        let sum = key
            .bytes()
            .fold(key.len(), |sum, b| sum.wrapping_mul(31) ^ usize::from(b));
        let place = &mut self.keys[sum % KEYS];
        match place {
            Some(known) if known.bytes() == key.as_bytes() => known.clone(),
            _ => place.insert(key.into()).clone(),
        }
    }
}

impl Make for Documents {
    type Value = Value;
    type Members = Vec<(Text, Value)>;

    fn null(&mut self) -> Value {
        Value::Nil
    }

    fn bool(&mut self, value: bool) -> Value {
        Value::Bool(value)
    }

    fn number(&mut self, value: Number) -> Value {
        Value::Float(value.as_f64().unwrap_or(f64::INFINITY))
    }

    fn text(&mut self, value: Cow<'_, str>) -> Value {
        Value::str(&*value)
    }

    fn list(&mut self, items: Vec<Value>) -> Value {
        Value::list(items)
    }

    fn members(&mut self) -> Vec<(Text, Value)> {
        Vec::with_capacity(self.members)
    }

    fn member(&mut self, members: &mut Vec<(Text, Value)>, key: Cow<'_, str>, value: Value) {
        members.push((self.key(&key), value));
    }

    fn object(&mut self, members: Vec<(Text, Value)>) -> Value {
        self.members = members.len();
        Value::map(members)
    }
}

fn convert(value: &serde_json::Value, floats: bool) -> Value {
    match value {
        serde_json::Value::Null => Value::Nil,
        serde_json::Value::Bool(b) => Value::Bool(*b),
        serde_json::Value::Number(n) => match n.as_i64() {
            Some(i) if !floats => Value::Int(i),
            _ => Value::Float(n.as_f64().unwrap_or(f64::INFINITY)),
        },
        serde_json::Value::String(s) => Value::str(s.as_str()),
        serde_json::Value::Array(items) => Value::list(items.iter().map(|v| convert(v, floats)).collect()),
        serde_json::Value::Object(members) if !floats && crate::scope::as_time(members).is_some() => {
            crate::scope::as_time(members).map_or(Value::Nil, |time| Value::Time(Box::new(time)))
        }
        serde_json::Value::Object(members) => Value::map(
            members
                .iter()
                .map(|(k, v)| (Text::from(k.as_str()), convert(v, floats))),
        ),
    }
}

/// Writes a value as JSON.
///
/// # Errors
/// What JSON cannot hold: infinities, NaN, functions, maps with keys that are no text; Go's words for it.
pub fn write(value: &Value, style: Style) -> Result<String, String> {
    let mut out = String::new();
    write_into(&mut out, value, style, 0)?;
    Ok(out)
}

fn write_into(out: &mut String, value: &Value, style: Style, depth: usize) -> Result<(), String> {
    if depth > DEPTH {
        return Err(format!("value is nested deeper than {DEPTH} levels"));
    }
    match value {
        Value::Nil => out.push_str("null"),
        Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Value::Sized(Width::U64, i) => {
            let _ = write!(out, "{}", i.cast_unsigned());
        }
        Value::Int(i) | Value::Sized(_, i) | Value::Duration(i) | Value::Month(i) | Value::Weekday(i) => {
            let _ = write!(out, "{i}");
        }
        Value::Float(f) => match float_json(*f) {
            Some(s) => out.push_str(&s),
            None => {
                return Err(format!(
                    "json: unsupported value: {}",
                    super::number::float_text(*f)
                ));
            }
        },
        Value::Str(s) => json_string_into(out, s.bytes(), style.html),
        Value::Bytes(b) => {
            let text = base64::engine::general_purpose::STANDARD.encode(b);
            json_string_into(out, text.as_bytes(), style.html);
        }
        Value::List(l) if l.nil => out.push_str("null"),
        Value::List(l) => {
            let items = l.items.iter().map(|v| (None, v));
            members(out, items, l.items.is_empty(), ('[', ']'), style, depth)?;
        }
        Value::Map(m) => {
            let items = m.entries.iter().map(|(k, v)| (Some(k), v));
            members(out, items, m.entries.is_empty(), ('{', '}'), style, depth)?;
        }
        Value::Time(t) => json_string_into(out, gotime::rfc3339(t)?.as_bytes(), style.html),
        Value::Zone(_) => out.push_str("{}"),
        Value::Struct(s) if s.name == crate::sprig::semver::TYPE => {
            json_string_into(out, crate::sprig::semver::show(&s.text).as_bytes(), style.html)
        }
        Value::Struct(s) => {
            let owned: Vec<(Text, &Value)> = s.fields.iter().map(|(k, v)| (Text::from(*k), v)).collect();
            let items = owned.iter().map(|(k, v)| (Some(k), *v));
            members(out, items, owned.is_empty(), ('{', '}'), style, depth)?;
        }
        Value::AnyMap(_) | Value::Func(_) | Value::Method(_) => {
            return Err(format!("json: unsupported type: {}", value.type_name()));
        }
    }
    Ok(())
}

fn members<'a>(
    out: &mut String,
    items: impl Iterator<Item = (Option<&'a Text>, &'a Value)>,
    empty: bool,
    (open, close): (char, char),
    style: Style,
    depth: usize,
) -> Result<(), String> {
    out.push(open);
    for (i, (key, value)) in items.enumerate() {
        if i > 0 {
            out.push(',');
        }
        line(out, style, depth + 1);
        if let Some(key) = key {
            json_string_into(out, key.bytes(), style.html);
            out.push_str(if style.indent.is_some() { ": " } else { ":" });
        }
        write_into(out, value, style, depth + 1)?;
    }
    if !empty {
        line(out, style, depth);
    }
    out.push(close);
    Ok(())
}

fn line(out: &mut String, style: Style, depth: usize) {
    if let Some(blanks) = style.indent {
        out.push('\n');
        out.extend(std::iter::repeat_n(' ', blanks * depth));
    }
}

/// A value as a JSON value, for callers that go on with JSON.
///
/// # Errors
/// Like [`write`].
pub fn to_json(value: &Value) -> Result<serde_json::Value, String> {
    let text = write(value, COMPACT)?;
    serde_json::from_str(&text).map_err(|e| e.to_string())
}
