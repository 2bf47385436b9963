//! How plain Rust types read Go's JSON: text, numbers, optional values, lists and maps.
//!
//! Null reads as the zero value everywhere. Not here: types with a JSON form of their own (see `custom` and `k8s`).

use std::collections::BTreeMap;
use std::ops::{Deref, DerefMut};
use std::sync::Arc;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::{Value, json};

use crate::decode::{INTEGER, Reader};
use crate::object::{Asked, ChangeText, Field};
use crate::schema::{self, Path};
use crate::source::{Entries, Items, Stopped};

impl Field for String {
    fn read(value: Value, reader: &mut Reader) -> Self {
        match value {
            Value::String(text) => text,
            Value::Null => String::new(),
            other => reader.scalar_text(&other).unwrap_or_else(|| {
                reader.wrong_type::<Self>(&other, "a string");
                String::new()
            }),
        }
    }

    fn is_empty(&self) -> bool {
        String::is_empty(self)
    }

    fn with_texts(&self, change: &mut ChangeText<'_>) -> Self {
        change(self).unwrap_or_else(|| self.clone())
    }

    fn any_text(&self, holds: &mut Asked<'_>) -> bool {
        holds(self)
    }

    fn go_type() -> String {
        "string".to_owned()
    }

    fn schema(_: &mut Path) -> Value {
        json!({"type": "string"})
    }
}

impl Field for bool {
    fn read(value: Value, reader: &mut Reader) -> Self {
        match value {
            Value::Bool(b) => b,
            Value::Null => false,
            other => {
                reader.wrong_type::<Self>(&other, "true or false");
                false
            }
        }
    }

    fn is_empty(&self) -> bool {
        !*self
    }

    fn go_type() -> String {
        "bool".to_owned()
    }

    fn schema(_: &mut Path) -> Value {
        json!({"type": "boolean"})
    }
}

macro_rules! integers {
    ($($type:ty, $go:literal, $format:literal;)*) => {$(
        impl Field for $type {
            fn read(value: Value, reader: &mut Reader) -> Self {
                let whole = match &value {
                    Value::Null => Some(0),
                    Value::Number(n) => integer(n).and_then(|n| <$type>::try_from(n).ok()),
                    _ => None,
                };
                whole.unwrap_or_else(|| {
                    reader.wrong_type::<Self>(&value, INTEGER);
                    0
                })
            }

            fn is_empty(&self) -> bool {
                *self == 0
            }

            fn go_type() -> String {
                $go.to_owned()
            }

            fn schema(_: &mut Path) -> Value {
                json!({"type": "integer", "format": $format})
            }
        }
    )*};
}

integers! {
    i32, "int32", "int32";
    i64, "int64", "int64";
    u64, "uint64", "int64";
}

/// The whole number that a JSON number stands for. `1.0` counts: YAML readers of Kubernetes drop the fraction.
pub(crate) fn integer(number: &serde_json::Number) -> Option<i128> {
    if let Some(n) = number.as_i128() {
        return Some(n);
    }
    let float = number.as_f64()?;
    // Beyond 2^63 no integer type of the wire form could take it.
    (float.fract() == 0.0 && float.abs() < 9.3e18).then_some(float as i128)
}

impl Field for Value {
    fn read(value: Value, _: &mut Reader) -> Self {
        value
    }

    fn is_empty(&self) -> bool {
        self.is_null()
    }

    fn with_texts(&self, change: &mut ChangeText<'_>) -> Self {
        match self {
            Self::String(text) => Self::String(text.with_texts(change)),
            Self::Array(items) => Self::Array(items.with_texts(change)),
            Self::Object(members) => Self::Object(keyed(members, change)),
            Self::Null | Self::Bool(_) | Self::Number(_) => self.clone(),
        }
    }

    fn any_text(&self, holds: &mut Asked<'_>) -> bool {
        match self {
            Self::String(text) => holds(text),
            Self::Array(items) => items.any_text(holds),
            Self::Object(members) => members.iter().any(|(k, v)| holds(k) || v.any_text(holds)),
            Self::Null | Self::Bool(_) | Self::Number(_) => false,
        }
    }

    fn go_type() -> String {
        "interface {}".to_owned()
    }

    fn schema(_: &mut Path) -> Value {
        schema::anything()
    }
}

impl<T: Field> Field for Option<T> {
    fn read(value: Value, reader: &mut Reader) -> Self {
        if value.is_null() {
            None
        } else {
            Some(T::read(value, reader))
        }
    }

    fn read_text(text: &str, reader: &mut Reader) -> Self {
        Some(T::read_text(text, reader))
    }

    fn read_list(items: &mut dyn Items, reader: &mut Reader) -> Result<Self, Stopped> {
        T::read_list(items, reader).map(Some)
    }

    fn read_map(entries: &mut dyn Entries<'_>, reader: &mut Reader) -> Result<Self, Stopped> {
        T::read_map(entries, reader).map(Some)
    }

    fn is_empty(&self) -> bool {
        self.is_none()
    }

    fn with_texts(&self, change: &mut ChangeText<'_>) -> Self {
        self.as_ref().map(|value| value.with_texts(change))
    }

    fn any_text(&self, holds: &mut Asked<'_>) -> bool {
        self.as_ref().is_some_and(|value| value.any_text(holds))
    }

    fn go_type() -> String {
        T::go_type()
    }

    fn schema(path: &mut Path) -> Value {
        T::schema(path)
    }
}

/// What a pointer points to is read and written in its place.
macro_rules! pointers {
    ($($pointer:ident),*) => {$(
        impl<T: Field> Field for $pointer<T> {
            fn read(value: Value, reader: &mut Reader) -> Self {
                $pointer::new(T::read(value, reader))
            }

            fn read_text(text: &str, reader: &mut Reader) -> Self {
                $pointer::new(T::read_text(text, reader))
            }

            fn read_list(items: &mut dyn Items, reader: &mut Reader) -> Result<Self, Stopped> {
                T::read_list(items, reader).map($pointer::new)
            }

            fn read_map(entries: &mut dyn Entries<'_>, reader: &mut Reader) -> Result<Self, Stopped> {
                T::read_map(entries, reader).map($pointer::new)
            }

            fn is_empty(&self) -> bool {
                (**self).is_empty()
            }

            fn with_texts(&self, change: &mut ChangeText<'_>) -> Self {
                $pointer::new((**self).with_texts(change))
            }

            fn any_text(&self, holds: &mut Asked<'_>) -> bool {
                (**self).any_text(holds)
            }

            fn go_type() -> String {
                T::go_type()
            }

            fn schema(path: &mut Path) -> Value {
                T::schema(path)
            }
        }
    )*};
}
pointers!(Box, Arc);

impl<T: Field> Field for Vec<T> {
    fn read(value: Value, reader: &mut Reader) -> Self {
        match value {
            Value::Array(_) => reader.walk(value),
            Value::Null => Vec::new(),
            other => {
                reader.wrong_type::<Self>(&other, "a list");
                Vec::new()
            }
        }
    }

    fn read_list(items: &mut dyn Items, reader: &mut Reader) -> Result<Self, Stopped> {
        reader.list(items)
    }

    fn is_empty(&self) -> bool {
        Vec::is_empty(self)
    }

    fn with_texts(&self, change: &mut ChangeText<'_>) -> Self {
        self.iter().map(|item| item.with_texts(change)).collect()
    }

    fn any_text(&self, holds: &mut Asked<'_>) -> bool {
        self.iter().any(|item| item.any_text(holds))
    }

    fn go_type() -> String {
        format!("[]{}", T::go_type())
    }

    fn schema(path: &mut Path) -> Value {
        json!({"type": "array", "nullable": true, "items": T::schema(path)})
    }
}

/// A map with changed keys and values; of two keys that become equal the later counts, as in JSON text.
pub(crate) fn keyed<'m, M, T: Field + 'm>(
    map: impl IntoIterator<Item = (&'m String, &'m T)>,
    change: &mut ChangeText<'_>,
) -> M
where
    M: Default + Extend<(String, T)>,
{
    let mut changed = M::default();
    changed.extend(
        map.into_iter()
            .map(|(key, value)| (key.with_texts(change), value.with_texts(change))),
    );
    changed
}

impl<T: Field> Field for BTreeMap<String, T> {
    fn read(value: Value, reader: &mut Reader) -> Self {
        match value {
            Value::Object(_) => reader.walk(value),
            Value::Null => BTreeMap::new(),
            other => {
                reader.wrong_type::<Self>(&other, "an object");
                BTreeMap::new()
            }
        }
    }

    fn read_map(entries: &mut dyn Entries<'_>, reader: &mut Reader) -> Result<Self, Stopped> {
        reader.map(entries)
    }

    fn is_empty(&self) -> bool {
        BTreeMap::is_empty(self)
    }

    fn with_texts(&self, change: &mut ChangeText<'_>) -> Self {
        keyed(self, change)
    }

    fn any_text(&self, holds: &mut Asked<'_>) -> bool {
        self.iter().any(|(k, v)| holds(k) || v.any_text(holds))
    }

    fn go_type() -> String {
        format!("map[string]{}", T::go_type())
    }

    fn schema(path: &mut Path) -> Value {
        json!({"type": "object", "nullable": true, "additionalProperties": T::schema(path)})
    }
}

/// A list behind a key that is always written: one that was never set is written as `null`, an empty one as `[]`.
///
/// Use it like a `Vec`; a list made from a `Vec` is never `null`.
#[derive(Clone, Debug)]
pub struct List<T> {
    items: Vec<T>,
    set: bool,
}

impl<T> List<T> {
    /// Whether the list is written as `null`.
    pub fn is_null(&self) -> bool {
        !self.set && self.items.is_empty()
    }

    /// The items without the difference between null and empty.
    pub fn into_vec(self) -> Vec<T> {
        self.items
    }
}

impl<T> Default for List<T> {
    fn default() -> Self {
        Self {
            items: Vec::new(),
            set: false,
        }
    }
}

impl<T: PartialEq> PartialEq for List<T> {
    fn eq(&self, other: &Self) -> bool {
        self.items == other.items && self.is_null() == other.is_null()
    }
}

impl<T> Deref for List<T> {
    type Target = Vec<T>;

    fn deref(&self) -> &Vec<T> {
        &self.items
    }
}

impl<T> DerefMut for List<T> {
    fn deref_mut(&mut self) -> &mut Vec<T> {
        &mut self.items
    }
}

impl<T> From<Vec<T>> for List<T> {
    fn from(items: Vec<T>) -> Self {
        Self { items, set: true }
    }
}

impl<T> FromIterator<T> for List<T> {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self {
            items: items.into_iter().collect(),
            set: true,
        }
    }
}

impl<T> IntoIterator for List<T> {
    type Item = T;
    type IntoIter = std::vec::IntoIter<T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.into_iter()
    }
}

impl<'a, T> IntoIterator for &'a List<T> {
    type Item = &'a T;
    type IntoIter = std::slice::Iter<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter()
    }
}

impl<'a, T> IntoIterator for &'a mut List<T> {
    type Item = &'a mut T;
    type IntoIter = std::slice::IterMut<'a, T>;

    fn into_iter(self) -> Self::IntoIter {
        self.items.iter_mut()
    }
}

impl<T: Serialize> Serialize for List<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.is_null() {
            serializer.serialize_none()
        } else {
            self.items.serialize(serializer)
        }
    }
}

impl<'de, T: Field> Deserialize<'de> for List<T> {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::decode::from_deserializer(deserializer)
    }
}

impl<T: Field> Field for List<T> {
    fn read(value: Value, reader: &mut Reader) -> Self {
        let set = value.is_array();
        Self {
            items: Vec::read(value, reader),
            set,
        }
    }

    fn read_list(items: &mut dyn Items, reader: &mut Reader) -> Result<Self, Stopped> {
        reader.list(items).map(Self::from)
    }

    fn is_empty(&self) -> bool {
        self.items.is_empty()
    }

    fn with_texts(&self, change: &mut ChangeText<'_>) -> Self {
        Self {
            items: self.items.with_texts(change),
            set: self.set,
        }
    }

    fn any_text(&self, holds: &mut Asked<'_>) -> bool {
        self.items.any_text(holds)
    }

    fn go_type() -> String {
        Vec::<T>::go_type()
    }

    fn schema(path: &mut Path) -> Value {
        Vec::<T>::schema(path)
    }
}
