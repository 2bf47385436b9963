//! Types of workflows whose JSON form is their own: loop items, any-text, raw objects, plugins, progress.

use std::borrow::Borrow;
use std::fmt;
use std::ops::{Deref, DerefMut};

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;
use serde_json::{Map, Number, Value, json};

use crate::decode::Reader;
use crate::object::{Asked, ChangeText, Field};
use crate::scalar::{List, keyed};
use crate::schema::{self, Path};
use crate::source::{Items, Stopped};
use crate::template::WorkflowStep;

/// Gives a type serde's way in through its `Field` implementation.
macro_rules! deserialize {
    ($($type:ty),*) => {$(
        impl<'de> Deserialize<'de> for $type {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                crate::decode::from_deserializer(deserializer)
            }
        }
    )*};
}

deserialize!(
    AnyString,
    Item,
    Amount,
    Plugin,
    ParallelSteps,
    Progress,
    Bytes,
    SyncConfigType
);

/// Text that may be given as a string, a number or a boolean, and is always written as a string.
///
/// Numbers become plain decimals without an exponent; lists and objects become the empty text, as in Go.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(transparent)]
pub struct AnyString(pub String);

impl AnyString {
    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Deref for AnyString {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl Borrow<str> for AnyString {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl PartialEq<str> for AnyString {
    fn eq(&self, other: &str) -> bool {
        self.0 == other
    }
}

impl PartialEq<&str> for AnyString {
    fn eq(&self, other: &&str) -> bool {
        self.0 == *other
    }
}

impl fmt::Display for AnyString {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl From<&str> for AnyString {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl From<String> for AnyString {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl From<AnyString> for String {
    fn from(text: AnyString) -> Self {
        text.0
    }
}

impl Field for AnyString {
    fn read(value: Value, _: &mut Reader) -> Self {
        Self(match value {
            Value::String(text) => text,
            Value::Bool(b) => b.to_string(),
            // Go holds the number in a float64 here, so large integers lose digits.
            Value::Number(n) => format!("{}", n.as_f64().unwrap_or_default()),
            Value::Null | Value::Array(_) | Value::Object(_) => String::new(),
        })
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn with_texts(&self, change: &mut ChangeText<'_>) -> Self {
        Self(self.0.with_texts(change))
    }

    fn any_text(&self, holds: &mut Asked<'_>) -> bool {
        self.0.any_text(holds)
    }

    fn go_type() -> String {
        "v1alpha1.AnyString".to_owned()
    }

    fn schema(_: &mut Path) -> Value {
        schema::anything()
    }
}

/// One item of a loop: any JSON value.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Item(pub Value);

impl Serialize for Item {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        Raw(&self.0).serialize(serializer)
    }
}

/// A value that Go keeps as text: floats without a fraction keep their `.0`.
struct Raw<'a>(&'a Value);

impl Serialize for Raw<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            Value::Number(n) => raw_number(n, serializer),
            Value::Array(items) => serializer.collect_seq(items.iter().map(Raw)),
            Value::Object(map) => serializer.collect_map(map.iter().map(|(k, v)| (k, Raw(v)))),
            other => other.serialize(serializer),
        }
    }
}

fn raw_number<S: Serializer>(number: &Number, serializer: S) -> Result<S::Ok, S::Error> {
    match number.as_f64() {
        // From 1e21 on the short form is with an exponent.
        Some(float) if number.is_f64() && float.fract() == 0.0 && float.abs() < 1e21 => {
            let text = RawValue::from_string(format!("{float:.1}")).map_err(serde::ser::Error::custom)?;
            text.serialize(serializer)
        }
        _ => number.serialize(serializer),
    }
}

impl Item {
    /// The text that stands for the item in a template: a string without its quotes, anything else as compact JSON.
    pub fn text(&self) -> String {
        match &self.0 {
            Value::String(text) => text.clone(),
            other => crate::go_json::to_string(other).expect("a JSON value is always valid JSON"),
        }
    }
}

impl From<Value> for Item {
    fn from(value: Value) -> Self {
        Self(value)
    }
}

impl Field for Item {
    fn read(value: Value, _: &mut Reader) -> Self {
        Self(value)
    }

    fn with_texts(&self, change: &mut ChangeText<'_>) -> Self {
        Self(self.0.with_texts(change))
    }

    fn any_text(&self, holds: &mut Asked<'_>) -> bool {
        self.0.any_text(holds)
    }

    fn go_type() -> String {
        "v1alpha1.Item".to_owned()
    }

    fn schema(_: &mut Path) -> Value {
        schema::anything()
    }
}

/// A bare JSON number, for the buckets of a histogram.
#[derive(Clone, Debug, PartialEq)]
pub struct Amount(pub Number);

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        raw_number(&self.0, serializer)
    }
}

impl Default for Amount {
    fn default() -> Self {
        Self(Number::from(0))
    }
}

impl Amount {
    /// The number as a float.
    pub fn value(&self) -> f64 {
        self.0.as_f64().unwrap_or_default()
    }
}

impl Field for Amount {
    fn read(value: Value, reader: &mut Reader) -> Self {
        match value {
            Value::Number(n) => Self(n),
            Value::Null => Self::default(),
            other => {
                reader.wrong_type::<Self>(&other, "a number");
                Self::default()
            }
        }
    }

    fn go_type() -> String {
        "json.Number".to_owned()
    }

    fn schema(_: &mut Path) -> Value {
        json!({"type": "number"})
    }
}

/// The body of a plugin template: an object with exactly one key, the name of the plugin.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Plugin(pub Map<String, Value>);

impl Serialize for Plugin {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(k, v)| (k, Raw(v))))
    }
}

impl Plugin {
    /// The plugin's name and what it is given.
    pub fn entry(&self) -> Option<(&str, &Value)> {
        self.0.iter().next().map(|(name, value)| (name.as_str(), value))
    }
}

impl Field for Plugin {
    fn read(value: Value, reader: &mut Reader) -> Self {
        match value {
            Value::Object(map) => {
                if map.len() != 1 {
                    reader.invalid(format!("expected exactly one key, got {}", map.len()));
                }
                Self(map)
            }
            other => {
                reader.wrong_type::<Self>(&other, "an object with the plugin's name as its only key");
                Self::default()
            }
        }
    }

    fn with_texts(&self, change: &mut ChangeText<'_>) -> Self {
        Self(keyed(&self.0, change))
    }

    fn any_text(&self, holds: &mut Asked<'_>) -> bool {
        self.0.iter().any(|(k, v)| holds(k) || v.any_text(holds))
    }

    fn go_type() -> String {
        "map[string]interface {}".to_owned()
    }

    fn schema(_: &mut Path) -> Value {
        schema::open_object()
    }
}

/// Steps that run at the same time. Unknown keys inside are refused even in the lenient mode, as Go does.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(transparent)]
pub struct ParallelSteps(pub List<WorkflowStep>);

impl Deref for ParallelSteps {
    type Target = Vec<WorkflowStep>;

    fn deref(&self) -> &Vec<WorkflowStep> {
        &self.0
    }
}

impl DerefMut for ParallelSteps {
    fn deref_mut(&mut self) -> &mut Vec<WorkflowStep> {
        &mut self.0
    }
}

impl From<Vec<WorkflowStep>> for ParallelSteps {
    fn from(steps: Vec<WorkflowStep>) -> Self {
        Self(steps.into())
    }
}

impl Field for ParallelSteps {
    fn read(value: Value, reader: &mut Reader) -> Self {
        reader.refusing_unknown(|reader| Self(List::read(value, reader)))
    }

    fn read_list(items: &mut dyn Items, reader: &mut Reader) -> Result<Self, Stopped> {
        reader.refusing_unknown(|reader| List::read_list(items, reader).map(Self))
    }

    fn with_texts(&self, change: &mut ChangeText<'_>) -> Self {
        Self(self.0.with_texts(change))
    }

    fn any_text(&self, holds: &mut Asked<'_>) -> bool {
        self.0.any_text(holds)
    }

    fn go_type() -> String {
        "v1alpha1.ParallelSteps".to_owned()
    }

    fn schema(path: &mut Path) -> Value {
        List::<WorkflowStep>::schema(path)
    }
}

/// How far a node is, as text `N/M`; empty when nothing is known.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize)]
#[serde(transparent)]
pub struct Progress(pub String);

impl Progress {
    /// Progress of `done` out of `total`.
    pub fn new(done: i64, total: i64) -> Self {
        Self(format!("{done}/{total}"))
    }

    /// What is done and how much there is, when the text is valid: 0 ≤ done ≤ total and total > 0.
    pub fn parts(&self) -> Option<(i64, i64)> {
        // By bytes: thousands of nodes are summed up whenever one of them moves.
        let slash = self.0.bytes().position(|b| b == b'/')?;
        let (done, total): (i64, i64) = (self.0[..slash].parse().ok()?, self.0[slash + 1..].parse().ok()?);
        (0 <= done && done <= total && total > 0).then_some((done, total))
    }

    /// Whether the text is valid.
    pub fn is_valid(&self) -> bool {
        self.parts().is_some()
    }

    /// Both together; invalid progress counts as nothing. The sum of two invalid ones is `0/0`.
    #[must_use]
    pub fn add(&self, other: &Self) -> Self {
        let (a, b) = (
            self.parts().unwrap_or_default(),
            other.parts().unwrap_or_default(),
        );
        Self::new(a.0.saturating_add(b.0), a.1.saturating_add(b.1))
    }

    /// The same with everything done; unchanged when invalid.
    #[must_use]
    pub fn complete(&self) -> Self {
        self.parts()
            .map_or_else(|| self.clone(), |(_, total)| Self::new(total, total))
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl From<&str> for Progress {
    fn from(text: &str) -> Self {
        Self(text.to_owned())
    }
}

impl fmt::Display for Progress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

impl Field for Progress {
    fn read(value: Value, reader: &mut Reader) -> Self {
        Self(String::read(value, reader))
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn with_texts(&self, change: &mut ChangeText<'_>) -> Self {
        Self(self.0.with_texts(change))
    }

    fn any_text(&self, holds: &mut Asked<'_>) -> bool {
        self.0.any_text(holds)
    }

    fn go_type() -> String {
        "v1alpha1.Progress".to_owned()
    }

    fn schema(_: &mut Path) -> Value {
        json!({"type": "string"})
    }
}

/// Bytes, written as base64 text.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Bytes(pub Vec<u8>);

impl Serialize for Bytes {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&STANDARD.encode(&self.0))
    }
}

impl Field for Bytes {
    fn read(value: Value, reader: &mut Reader) -> Self {
        let text = match value {
            Value::String(text) => text,
            Value::Null => return Self::default(),
            other => {
                reader.wrong_type::<Self>(&other, "base64 text");
                return Self::default();
            }
        };
        match STANDARD.decode(text.replace(['\r', '\n'], "")) {
            Ok(bytes) => Self(bytes),
            Err(error) => {
                reader.invalid(format!("expected base64 text: {error}"));
                Self::default()
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    fn go_type() -> String {
        "[]uint8".to_owned()
    }

    fn schema(_: &mut Path) -> Value {
        json!({"type": "string", "format": "byte"})
    }
}

/// Where a lock's limit is kept: the one enumeration that the wire form writes as a number.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(transparent)]
pub struct SyncConfigType(pub i32);

impl SyncConfigType {
    /// In a ConfigMap.
    pub const CONFIG_MAP: Self = Self(0);
    /// In the database.
    pub const DATABASE: Self = Self(1);
}

impl Field for SyncConfigType {
    fn read(value: Value, reader: &mut Reader) -> Self {
        if matches!(value, Value::Null | Value::Number(_)) {
            return Self(i32::read(value, reader));
        }
        reader.wrong_type::<Self>(&value, "0 for a ConfigMap or 1 for the database");
        Self::default()
    }

    fn is_empty(&self) -> bool {
        self.0 == 0
    }

    fn go_type() -> String {
        "sync.SyncConfigType".to_owned()
    }

    fn schema(path: &mut Path) -> Value {
        i32::schema(path)
    }
}
