//! Kubernetes types whose JSON form is their own: times and numbers that may be text. Quantities are in `quantity`.

use std::fmt;

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};

use crate::decode::Reader;
use crate::go_json::quoted;
use crate::object::{Asked, ChangeText, Field};
use crate::schema::{self, Path};

macro_rules! deserialize {
    ($($type:ty),*) => {$(
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::decode::from_deserializer(deserializer)
            }
        }
    )*};
}

deserialize!(Time, MicroTime, IntOrString);

/// Go's zero time, which the wire form writes as null.
const ZERO_SECONDS: i64 = -62_135_596_800;

/// A time, written in RFC 3339 with whole seconds in UTC. A field that may be unset is an `Option<Time>`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Time(pub Timestamp);

/// A time with microseconds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MicroTime(pub Timestamp);

impl From<Timestamp> for Time {
    fn from(time: Timestamp) -> Self {
        Self(time)
    }
}

impl From<Timestamp> for MicroTime {
    fn from(time: Timestamp) -> Self {
        Self(time)
    }
}

impl fmt::Display for Time {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.strftime("%Y-%m-%dT%H:%M:%SZ"))
    }
}

impl fmt::Display for MicroTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "{}.{:06}Z",
            self.0.strftime("%Y-%m-%dT%H:%M:%S"),
            self.0.subsec_microsecond()
        )
    }
}

macro_rules! time_form {
    ($($type:ident, $go:literal;)*) => {$(
        impl Serialize for $type {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                if self.0.as_second() == ZERO_SECONDS { serializer.serialize_none() } else { serializer.collect_str(self) }
            }
        }

        impl Field for $type {
            fn read(value: Value, reader: &mut Reader) -> Self {
                Self(read_time::<Self>(value, reader))
            }

            fn read_text(text: &str, reader: &mut Reader) -> Self {
                Self(read_time_text(text, reader))
            }

            fn go_type() -> String {
                $go.to_owned()
            }

            fn schema(_: &mut Path) -> Value {
                json!({"type": "string", "format": "date-time", "nullable": true})
            }
        }
    )*};
}

time_form! {
    Time, "v1.Time";
    MicroTime, "v1.MicroTime";
}

fn read_time<T: Field>(value: Value, reader: &mut Reader) -> Timestamp {
    match value {
        Value::String(text) => read_time_text(&text, reader),
        Value::Null => Timestamp::default(),
        other => {
            reader.wrong_type::<T>(&other, "a time as text");
            Timestamp::default()
        }
    }
}

fn read_time_text(text: &str, reader: &mut Reader) -> Timestamp {
    parse_time(text).unwrap_or_else(|go_text| {
        reader.invalid_as(
            format!("expected a time such as 2026-01-31T12:00:00Z, got {text:?}"),
            go_text,
        );
        Timestamp::default()
    })
}

/// RFC 3339 as Go reads it; jiff alone would also take other forms of ISO 8601. The error is Go's text.
fn parse_time(text: &str) -> Result<Timestamp, String> {
    const PARTS: [(&str, &str, &str, u32); 6] = [
        ("", "2006", "year", 9999),
        ("-", "01", "month", 12),
        ("-", "02", "day", 31),
        ("T", "15", "hour", 23),
        (":", "04", "minute", 59),
        (":", "05", "second", 59),
    ];
    let mut rest = text;
    for (separator, form, name, most) in PARTS {
        rest = rest
            .strip_prefix(separator)
            .ok_or_else(|| cannot_parse(text, rest, separator))?;
        let digits = rest
            .get(..form.len())
            .filter(|n| n.bytes().all(|b| b.is_ascii_digit()));
        let digits = digits.ok_or_else(|| cannot_parse(text, rest, form))?;
        let value: u32 = digits.parse().unwrap_or_default();
        if value > most || value == 0 && matches!(name, "month" | "day") {
            return Err(format!("parsing time {}: {name} out of range", quoted(text)));
        }
        rest = &rest[form.len()..];
    }
    if let Some(fraction) = rest.strip_prefix(['.', ',']) {
        rest = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
    }
    let after = zone(rest).ok_or_else(|| cannot_parse(text, rest, "Z07:00"))?;
    if !after.is_empty() {
        return Err(format!(
            "parsing time {}: extra text: {}",
            quoted(text),
            quoted(after)
        ));
    }
    // Everything else was checked, so only the day can be one that its month does not have.
    text.replace(',', ".")
        .parse()
        .map_err(|_| format!("parsing time {}: day out of range", quoted(text)))
}

/// What follows a time zone.
fn zone(text: &str) -> Option<&str> {
    if let Some(after) = text.strip_prefix('Z') {
        return Some(after);
    }
    let offset = text.strip_prefix(['+', '-'])?.get(..5)?;
    let (hours, minutes) = offset.split_once(':')?;
    let number = |t: &str| t.len() == 2 && t.bytes().all(|b| b.is_ascii_digit());
    (number(hours) && number(minutes)).then(|| &text[6..])
}

fn cannot_parse(text: &str, rest: &str, wanted: &str) -> String {
    let (text, rest) = (quoted(text), quoted(rest));
    format!("parsing time {text} as \"2006-01-02T15:04:05Z07:00\": cannot parse {rest} as \"{wanted}\"")
}

/// A number or a text; which one is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum IntOrString {
    /// A number.
    Int(i32),
    /// A text, for example a percentage or a template tag.
    String(String),
}

impl Default for IntOrString {
    fn default() -> Self {
        Self::Int(0)
    }
}

impl fmt::Display for IntOrString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Int(n) => write!(f, "{n}"),
            Self::String(text) => f.write_str(text),
        }
    }
}

impl From<i32> for IntOrString {
    fn from(n: i32) -> Self {
        Self::Int(n)
    }
}

impl From<&str> for IntOrString {
    fn from(text: &str) -> Self {
        Self::String(text.to_owned())
    }
}

impl Serialize for IntOrString {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Int(n) => serializer.serialize_i32(*n),
            Self::String(text) => serializer.serialize_str(text),
        }
    }
}

impl Field for IntOrString {
    fn read(value: Value, reader: &mut Reader) -> Self {
        match value {
            Value::String(text) => Self::String(text),
            Value::Null => Self::default(),
            Value::Number(_) => Self::Int(i32::read(value, reader)),
            other => {
                reader.wrong_type::<i32>(&other, "a number or a string");
                Self::default()
            }
        }
    }

    fn with_texts(&self, change: &mut ChangeText<'_>) -> Self {
        match self {
            Self::String(text) => Self::String(text.with_texts(change)),
            Self::Int(_) => self.clone(),
        }
    }

    fn any_text(&self, holds: &mut Asked<'_>) -> bool {
        matches!(self, Self::String(text) if holds(text))
    }

    fn go_type() -> String {
        "intstr.IntOrString".to_owned()
    }

    fn schema(_: &mut Path) -> Value {
        schema::int_or_string()
    }
}
