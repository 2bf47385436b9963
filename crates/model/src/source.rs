//! Where wire types are read from: text and values in memory, by serde, behind two small traits. They are objects of
//! traits, so that the reading of hundreds of types is compiled once and not for every kind of source.
//!
//! Not here: what is read into what (see `decode`).

use std::borrow::Cow;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// A source has failed; it knows why.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stopped;

/// What takes one value.
pub trait Target {
    /// Takes null, a boolean, a number, or a text that nobody else needs.
    fn value(&mut self, value: Value);

    /// Takes a text.
    fn text(&mut self, text: &str);

    /// Takes a list.
    ///
    /// # Errors
    /// When the source of the items fails.
    fn list(&mut self, items: &mut dyn Items) -> Result<(), Stopped>;

    /// Takes an object.
    ///
    /// # Errors
    /// When the source of the entries fails.
    fn object(&mut self, entries: &mut dyn Entries<'_>) -> Result<(), Stopped>;
}

/// The items of a list, as they come.
pub trait Items {
    /// Gives the next one; false at the end.
    ///
    /// # Errors
    /// When their source fails.
    fn next(&mut self, to: &mut dyn Target) -> Result<bool, Stopped>;
}

/// The entries of an object, as they come: for each its key and then its value.
pub trait Entries<'de> {
    /// The next key; `None` at the end.
    ///
    /// # Errors
    /// When their source fails.
    fn key(&mut self) -> Result<Option<Cow<'de, str>>, Stopped>;

    /// Gives the value.
    ///
    /// # Errors
    /// When their source fails.
    fn value(&mut self, to: &mut dyn Target) -> Result<(), Stopped>;

    /// Goes on without the value.
    ///
    /// # Errors
    /// When their source fails.
    fn skip(&mut self) -> Result<(), Stopped>;
}

/// Gives what serde has.
pub(crate) fn give<'de, D: Deserializer<'de>>(from: D, to: &mut dyn Target) -> Result<(), D::Error> {
    Give(to).deserialize(from)
}

/// Gives a value in memory.
pub(crate) fn give_value(value: Value, to: &mut dyn Target) {
    give(value, to).expect("a value in memory is valid JSON");
}

/// A list as a value in memory.
pub(crate) fn list(items: &mut dyn Items) -> Result<Value, Stopped> {
    let mut all = Vec::new();
    let mut item = Value::Null;
    while items.next(&mut item)? {
        all.push(item.take());
    }
    Ok(Value::Array(all))
}

/// An object as a value in memory.
pub(crate) fn object(entries: &mut dyn Entries<'_>) -> Result<Value, Stopped> {
    let mut all = Map::new();
    while let Some(key) = entries.key()? {
        let mut value = Value::Null;
        entries.value(&mut value)?;
        all.insert(key.into_owned(), value);
    }
    Ok(Value::Object(all))
}

impl Target for Value {
    fn value(&mut self, value: Value) {
        *self = value;
    }

    fn text(&mut self, text: &str) {
        *self = Value::String(text.to_owned());
    }

    fn list(&mut self, items: &mut dyn Items) -> Result<(), Stopped> {
        *self = list(items)?;
        Ok(())
    }

    fn object(&mut self, entries: &mut dyn Entries<'_>) -> Result<(), Stopped> {
        *self = object(entries)?;
        Ok(())
    }
}

/// Hands on what serde comes by.
struct Give<'t>(&'t mut dyn Target);

impl<'de> DeserializeSeed<'de> for Give<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Give<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any value")
    }

    fn visit_unit<E>(self) -> Result<(), E> {
        self.0.value(Value::Null);
        Ok(())
    }

    fn visit_none<E>(self) -> Result<(), E> {
        self.0.value(Value::Null);
        Ok(())
    }

    fn visit_some<D: Deserializer<'de>>(self, from: D) -> Result<(), D::Error> {
        self.deserialize(from)
    }

    fn visit_bool<E>(self, value: bool) -> Result<(), E> {
        self.0.value(value.into());
        Ok(())
    }

    fn visit_i64<E>(self, value: i64) -> Result<(), E> {
        self.0.value(value.into());
        Ok(())
    }

    fn visit_u64<E>(self, value: u64) -> Result<(), E> {
        self.0.value(value.into());
        Ok(())
    }

    fn visit_f64<E>(self, value: f64) -> Result<(), E> {
        self.0.value(value.into());
        Ok(())
    }

    fn visit_str<E>(self, text: &str) -> Result<(), E> {
        self.0.text(text);
        Ok(())
    }

    fn visit_string<E>(self, text: String) -> Result<(), E> {
        self.0.value(Value::String(text));
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, access: A) -> Result<(), A::Error> {
        let mut source = Source { access, fault: None };
        let given = self.0.list(&mut source);
        source.outcome(given)
    }

    fn visit_map<A: MapAccess<'de>>(self, access: A) -> Result<(), A::Error> {
        let mut source = Source { access, fault: None };
        let given = self.0.object(&mut source);
        source.outcome(given)
    }
}

/// Serde's access to a list or an object, and why it failed.
struct Source<A, E> {
    access: A,
    fault: Option<E>,
}

impl<A, E: Error> Source<A, E> {
    fn note<T>(&mut self, outcome: Result<T, E>) -> Result<T, Stopped> {
        outcome.map_err(|fault| {
            self.fault = Some(fault);
            Stopped
        })
    }

    fn outcome(self, given: Result<(), Stopped>) -> Result<(), E> {
        given.map_err(|Stopped| self.fault.unwrap_or_else(|| E::custom("reading stopped")))
    }
}

impl<'de, A: SeqAccess<'de>> Items for Source<A, A::Error> {
    fn next(&mut self, to: &mut dyn Target) -> Result<bool, Stopped> {
        let item = self.access.next_element_seed(Give(to));
        self.note(item).map(|item| item.is_some())
    }
}

impl<'de, A: MapAccess<'de>> Entries<'de> for Source<A, A::Error> {
    fn key(&mut self) -> Result<Option<Cow<'de, str>>, Stopped> {
        let key = self.access.next_key_seed(Key);
        self.note(key)
    }

    fn value(&mut self, to: &mut dyn Target) -> Result<(), Stopped> {
        let value = self.access.next_value_seed(Give(to));
        self.note(value)
    }

    fn skip(&mut self) -> Result<(), Stopped> {
        let skipped = self.access.next_value::<IgnoredAny>();
        self.note(skipped.map(drop))
    }
}

/// Reads a key without a copy, where the source has it as it is.
struct Key;

impl<'de> DeserializeSeed<'de> for Key {
    type Value = Cow<'de, str>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Cow<'de, str>, D::Error> {
        from.deserialize_str(self)
    }
}

impl<'de> Visitor<'de> for Key {
    type Value = Cow<'de, str>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a key")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Borrowed(text))
    }

    fn visit_str<E>(self, text: &str) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Cow<'de, str>, E> {
        Ok(Cow::Owned(text))
    }
}
