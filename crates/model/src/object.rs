//! The macro that declares wire types, and the traits it implements for them.
//!
//! One declaration gives the Rust struct, its JSON keys in Go's order and which of them are left out when empty.
//! One mechanism serves the lenient and the strict mode, and text as well as values in memory; every problem carries its
//! path. Not here: what a single value type accepts (see `decode` and `scalar`).

use serde::ser::SerializeMap;
use serde_json::Value;

use crate::decode::Reader;
use crate::schema::Path;
use crate::source::{self, Entries, Items, Stopped};

/// What a text becomes; `None` keeps it.
pub type ChangeText<'a> = dyn FnMut(&str) -> Option<String> + 'a;

/// What may hold for a text.
pub type Asked<'a> = dyn FnMut(&str) -> bool + 'a;

/// A value that stands behind a key of a wire type.
pub trait Field: Sized + Default + Clone {
    /// Reads the value; problems go to the reader, which then gets the zero value in its place.
    fn read(value: Value, reader: &mut Reader) -> Self;

    /// The same for a text. Types that are texts need not take a copy of it.
    fn read_text(text: &str, reader: &mut Reader) -> Self {
        Self::read(Value::String(text.to_owned()), reader)
    }

    /// The same for a list. Types that are lists read it as it comes, without a [`Value`] for all of it.
    ///
    /// # Errors
    /// When its source fails.
    fn read_list(items: &mut dyn Items, reader: &mut Reader) -> Result<Self, Stopped> {
        Ok(Self::read(source::list(items)?, reader))
    }

    /// The same for an object. Types that are objects read it as it comes, without a [`Value`] for all of it.
    ///
    /// # Errors
    /// When its source fails.
    fn read_map(entries: &mut dyn Entries<'_>, reader: &mut Reader) -> Result<Self, Stopped> {
        Ok(Self::read(source::object(entries)?, reader))
    }

    /// Whether Go's `omitempty` leaves the key out. Structs are never empty.
    fn is_empty(&self) -> bool {
        false
    }

    /// A copy in which the free texts of the wire form are changed, keys of maps too; they are gone through in Go's order.
    /// Types that hold none (numbers, times, quantities) are as they were.
    #[must_use]
    fn with_texts(&self, change: &mut ChangeText<'_>) -> Self {
        let _ = change;
        self.clone()
    }

    /// Whether something holds for one of these texts.
    fn any_text(&self, holds: &mut Asked<'_>) -> bool {
        let _ = holds;
        false
    }

    /// The Go name of the type, for error texts.
    fn go_type() -> String;

    /// What Kubernetes must know to accept such values; the path holds the types that enclose it.
    fn schema(path: &mut Path) -> Value;
}

/// A wire type with named keys.
pub trait Object: Sized + Default {
    /// The Go name of the type without its package.
    const NAME: &'static str;

    /// Takes the value of the key that was read last; false when the type has no such key, and then takes nothing.
    ///
    /// # Errors
    /// When the source of the entries fails.
    fn set(&mut self, key: &str, entries: &mut dyn Entries<'_>, reader: &mut Reader)
    -> Result<bool, Stopped>;

    /// Writes the keys in Go's order.
    ///
    /// # Errors
    /// When the serializer fails.
    fn write<M: SerializeMap>(&self, map: &mut M) -> Result<(), M::Error>;

    /// Collects the keys of the type, inlined types included.
    fn keys(out: &mut Vec<&'static str>);

    /// Collects the schemas of the keys, those of inlined types included.
    fn properties(path: &mut Path, out: &mut serde_json::Map<String, Value>);
}

/// Declares wire types. Each field is `pub name: Type = "key", omit;`, where the last word is
/// `omit` (left out when empty), `keep` (always written) or `inline` (the keys of the type appear in its parent).
macro_rules! objects {
    ($package:literal $(
        $(#[$meta:meta])*
        pub struct $name:ident ($go:literal) {
            $( $(#[$field_meta:meta])* pub $field:ident : $type:ty = $key:literal, $mode:ident; )*
        }
    )*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct $name {
            $( $(#[$field_meta])* pub $field: $type, )*
        }

        impl $crate::object::Object for $name {
            const NAME: &'static str = $go;

            #[allow(unused_variables)]
            fn set(
                &mut self,
                key: &str,
                entries: &mut dyn $crate::source::Entries<'_>,
                reader: &mut $crate::decode::Reader,
            ) -> Result<bool, $crate::source::Stopped> {
                $( objects!(@set $mode, self, $field, $key, key, entries, reader); )*
                Ok(false)
            }

            #[allow(unused_variables)]
            fn write<M: ::serde::ser::SerializeMap>(&self, map: &mut M) -> Result<(), M::Error> {
                $( objects!(@write $mode, self, $field, $key, map); )*
                Ok(())
            }

            #[allow(unused_variables)]
            fn keys(out: &mut Vec<&'static str>) {
                $( objects!(@keys $mode, $type, $key, out); )*
            }

            #[allow(unused_variables)]
            fn properties(
                path: &mut $crate::schema::Path,
                out: &mut ::serde_json::Map<String, ::serde_json::Value>,
            ) {
                $( objects!(@schema $mode, $type, $key, path, out); )*
            }
        }

        impl $crate::object::Field for $name {
            fn read(value: ::serde_json::Value, reader: &mut $crate::decode::Reader) -> Self {
                reader.object(value)
            }

            fn read_map(
                entries: &mut dyn $crate::source::Entries<'_>,
                reader: &mut $crate::decode::Reader,
            ) -> Result<Self, $crate::source::Stopped> {
                reader.entries(entries)
            }

            #[allow(unused_variables)]
            fn with_texts(&self, change: &mut $crate::object::ChangeText<'_>) -> Self {
                Self { $( $field: $crate::object::Field::with_texts(&self.$field, change), )* }
            }

            #[allow(unused_variables)]
            fn any_text(&self, holds: &mut $crate::object::Asked<'_>) -> bool {
                false $( || $crate::object::Field::any_text(&self.$field, holds) )*
            }

            fn go_type() -> String {
                concat!($package, ".", $go).to_owned()
            }

            fn schema(path: &mut $crate::schema::Path) -> ::serde_json::Value {
                path.object::<Self>()
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                let mut map = ::serde::Serializer::serialize_map(serializer, None)?;
                $crate::object::Object::write(self, &mut map)?;
                ::serde::ser::SerializeMap::end(map)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::decode::from_deserializer(deserializer)
            }
        }
    )*};

    (@set inline, $this:ident, $field:ident, $key:literal, $name:ident, $entries:ident, $reader:ident) => {
        if $crate::object::Object::set(&mut $this.$field, $name, $entries, $reader)? {
            return Ok(true);
        }
    };
    (@set $mode:ident, $this:ident, $field:ident, $key:literal, $name:ident, $entries:ident, $reader:ident) => {
        if $name == $key {
            $this.$field = $reader.field($key, $entries)?;
            return Ok(true);
        }
    };
    (@write inline, $this:ident, $field:ident, $key:literal, $map:ident) => {
        $crate::object::Object::write(&$this.$field, $map)?;
    };
    (@write keep, $this:ident, $field:ident, $key:literal, $map:ident) => {
        ::serde::ser::SerializeMap::serialize_entry($map, $key, &$this.$field)?;
    };
    (@write omit, $this:ident, $field:ident, $key:literal, $map:ident) => {
        if !$crate::object::Field::is_empty(&$this.$field) {
            ::serde::ser::SerializeMap::serialize_entry($map, $key, &$this.$field)?;
        }
    };
    (@keys inline, $type:ty, $key:literal, $out:ident) => {
        <$type as $crate::object::Object>::keys($out);
    };
    (@keys $mode:ident, $type:ty, $key:literal, $out:ident) => {
        $out.push($key);
    };
    (@schema inline, $type:ty, $key:literal, $path:ident, $out:ident) => {
        <$type as $crate::object::Object>::properties($path, $out);
    };
    (@schema $mode:ident, $type:ty, $key:literal, $path:ident, $out:ident) => {
        let schema = <$type as $crate::object::Field>::schema($path);
        $out.insert($key.to_owned(), schema);
    };
}

/// Declares a string type with known texts. Other texts are kept as they are, because Go keeps them too;
/// the empty text is the zero value.
macro_rules! texts {
    ($(
        $(#[$meta:meta])*
        pub enum $name:ident { $( $(#[$variant_meta:meta])* $variant:ident = $text:literal, )* }
    )*) => {$(
        $(#[$meta])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum $name {
            /// Not set: the empty text.
            #[default]
            Unset,
            $( $(#[$variant_meta])* $variant, )*
            /// A text that we do not know, kept as it came.
            Other(Box<str>),
        }

        impl $name {
            /// The text of the wire form; empty when not set.
            pub fn as_str(&self) -> &str {
                match self {
                    Self::Unset => "",
                    $( Self::$variant => $text, )*
                    Self::Other(text) => text,
                }
            }

            /// Every known text, in the order of the reference.
            pub const KNOWN: &'static [&'static str] = &[$( $text, )*];
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                match text {
                    "" => Self::Unset,
                    $( $text => Self::$variant, )*
                    other => Self::Other(other.into()),
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.pad(self.as_str())
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                $crate::decode::from_deserializer(deserializer)
            }
        }

        impl $crate::object::Field for $name {
            fn read(value: ::serde_json::Value, reader: &mut $crate::decode::Reader) -> Self {
                Self::from(<String as $crate::object::Field>::read(value, reader).as_str())
            }

            fn read_text(text: &str, _: &mut $crate::decode::Reader) -> Self {
                Self::from(text)
            }

            fn is_empty(&self) -> bool {
                *self == Self::Unset
            }

            fn with_texts(&self, change: &mut $crate::object::ChangeText<'_>) -> Self {
                match self {
                    Self::Other(text) => change(text).map_or_else(|| self.clone(), |text| Self::from(text.as_str())),
                    _ => self.clone(),
                }
            }

            fn any_text(&self, holds: &mut $crate::object::Asked<'_>) -> bool {
                matches!(self, Self::Other(text) if holds(text))
            }

            fn go_type() -> String {
                concat!("v1alpha1.", stringify!($name)).to_owned()
            }

            fn schema(path: &mut $crate::schema::Path) -> ::serde_json::Value {
                <String as $crate::object::Field>::schema(path)
            }
        }
    )*};
}

pub(crate) use {objects, texts};
