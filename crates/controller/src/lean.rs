//! Reads objects without what the controller never looks at: `metadata.managedFields`, who has set which field. It is half
//! of a pod's bytes, and more than that of the work of reading one and of the memory to keep it.
//!
//! Deliberately absent: other parts. What we keep of an object may be shown, logged and decided on.

use std::fmt;

use serde::de::value::StringDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, Deserializer, Error, IgnoredAny, IntoDeserializer, MapAccess,
    SeqAccess, Visitor,
};

/// Reads an object, or a list of objects, from its text.
///
/// # Errors
/// When it is no JSON or does not fit the type.
pub fn read<T: DeserializeOwned>(text: &str) -> Result<T, serde_json::Error> {
    let mut source = serde_json::Deserializer::from_str(text);
    let place = Place::Object;
    let object = T::deserialize(Lean {
        inner: &mut source,
        place,
    })?;
    source.end()?;
    Ok(object)
}

/// Where in an object a value stands. Values elsewhere are read as they are.
#[derive(Clone, Copy)]
enum Place {
    /// The object itself, or a list of some.
    Object,
    /// The elements of a list of objects.
    Items,
    /// Its metadata.
    Metadata,
}

/// A part of serde's machinery that leaves out what it comes by.
struct Lean<T> {
    inner: T,
    place: Place,
}

impl<'de, D: Deserializer<'de>> Deserializer<'de> for Lean<D> {
    type Error = D::Error;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let place = self.place;
        self.inner.deserialize_any(Lean {
            inner: visitor,
            place,
        })
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, D::Error> {
        let place = self.place;
        self.inner.deserialize_option(Lean {
            inner: visitor,
            place,
        })
    }

    serde::forward_to_deserialize_any! {
        bool i8 i16 i32 i64 i128 u8 u16 u32 u64 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct enum identifier ignored_any
    }
}

impl<'de, V: Visitor<'de>> Visitor<'de> for Lean<V> {
    type Value = V::Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inner.expecting(f)
    }

    fn visit_map<A: MapAccess<'de>>(self, entries: A) -> Result<V::Value, A::Error> {
        self.inner.visit_map(Entries {
            entries,
            place: self.place,
            next: None,
        })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, elements: A) -> Result<V::Value, A::Error> {
        self.inner.visit_seq(Lean {
            inner: elements,
            place: self.place,
        })
    }

    fn visit_some<D: Deserializer<'de>>(self, inner: D) -> Result<V::Value, D::Error> {
        let place = self.place;
        self.inner.visit_some(Lean { inner, place })
    }

    fn visit_none<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_none()
    }

    fn visit_unit<E: Error>(self) -> Result<V::Value, E> {
        self.inner.visit_unit()
    }

    fn visit_bool<E: Error>(self, value: bool) -> Result<V::Value, E> {
        self.inner.visit_bool(value)
    }

    fn visit_i64<E: Error>(self, value: i64) -> Result<V::Value, E> {
        self.inner.visit_i64(value)
    }

    fn visit_u64<E: Error>(self, value: u64) -> Result<V::Value, E> {
        self.inner.visit_u64(value)
    }

    fn visit_f64<E: Error>(self, value: f64) -> Result<V::Value, E> {
        self.inner.visit_f64(value)
    }

    fn visit_str<E: Error>(self, value: &str) -> Result<V::Value, E> {
        self.inner.visit_str(value)
    }
}

impl<'de, A: SeqAccess<'de>> SeqAccess<'de> for Lean<A> {
    type Error = A::Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, A::Error> {
        match self.place {
            Place::Items => self.inner.next_element_seed(Lean {
                inner: seed,
                place: Place::Object,
            }),
            Place::Object | Place::Metadata => self.inner.next_element_seed(seed),
        }
    }
}

impl<'de, S: DeserializeSeed<'de>> DeserializeSeed<'de> for Lean<S> {
    type Value = S::Value;

    fn deserialize<D: Deserializer<'de>>(self, inner: D) -> Result<S::Value, D::Error> {
        let place = self.place;
        self.inner.deserialize(Lean { inner, place })
    }
}

/// The entries of a map, without those that are left out.
struct Entries<A> {
    entries: A,
    place: Place,
    /// Where the value stands whose key was read.
    next: Option<Place>,
}

impl<'de, A: MapAccess<'de>> MapAccess<'de> for Entries<A> {
    type Error = A::Error;

    fn next_key_seed<K: DeserializeSeed<'de>>(&mut self, seed: K) -> Result<Option<K::Value>, A::Error> {
        while let Some(key) = self.entries.next_key::<String>()? {
            self.next = match (self.place, key.as_str()) {
                (Place::Metadata, "managedFields") => {
                    self.entries.next_value::<IgnoredAny>()?;
                    continue;
                }
                (Place::Object, "metadata") => Some(Place::Metadata),
                (Place::Object, "items") => Some(Place::Items),
                _ => None,
            };
            let key: StringDeserializer<A::Error> = key.into_deserializer();
            return seed.deserialize(key).map(Some);
        }
        Ok(None)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, A::Error> {
        match self.next {
            Some(place) => self.entries.next_value_seed(Lean { inner: seed, place }),
            None => self.entries.next_value_seed(seed),
        }
    }
}

#[cfg(test)]
mod tests {
    use argosy_model::k8s::Pod;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn only_who_set_what_is_left_out() {
        let object = |managed: Value| {
            json!({
                "metadata": {"name": "p", "labels": {"managedFields": "kept"}, "managedFields": managed},
                "spec": {"metadata": {"managedFields": [1]}, "list": [{"metadata": {"managedFields": 2}}]},
                "status": null, "n": [-1, 1.5, true, "x"],
            })
        };
        let without = |mut object: Value| {
            let metadata = object["metadata"].as_object_mut().expect("it has metadata");
            metadata.remove("managedFields");
            object
        };
        let fields = json!([{"manager": "m", "fieldsV1": {"f:spec": {}}}]);
        let one = object(fields.clone());
        let list = json!({"metadata": {"resourceVersion": "7"}, "items": [one, one]});
        for (given, wanted) in [
            (one.clone(), without(one.clone())),
            (
                list,
                json!({"metadata": {"resourceVersion": "7"}, "items": [without(one.clone()), without(one)]}),
            ),
            (json!([1]), json!([1])),
            (Value::Null, Value::Null),
        ] {
            let read: Value = read(&given.to_string()).expect("it is JSON");
            assert_eq!(read, wanted);
        }
        let pod = json!({"metadata": {"name": "p", "uid": "u", "managedFields": fields}, "spec": {"nodeName": "n"}});
        let pod: Pod = read(&pod.to_string()).expect("it is a pod");
        assert_eq!(
            (pod.metadata.name.as_str(), pod.spec.node_name.as_str()),
            ("p", "n")
        );
        assert!(pod.metadata.managed_fields.is_empty());
    }

    #[test]
    fn what_does_not_fit_is_said_as_by_serde() {
        for text in ["{", "{} x", r#"{"metadata": 1}"#, r#"{"metadata": {"name": 1}}"#] {
            let ours = read::<Pod>(text).expect_err("it is wrong").to_string();
            let theirs = serde_json::from_str::<Pod>(text).expect_err("it is wrong");
            assert_eq!(ours, theirs.to_string(), "{text}");
        }
    }
}
