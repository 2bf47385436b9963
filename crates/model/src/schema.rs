//! Schemas of wire types in the structural form that Kubernetes asks of custom resources.
//!
//! They give types, and nothing that a workflow can break otherwise: what a workflow means is checked by the engine,
//! with better words. Fields that take several types take any.

use serde_json::{Map, Value, json};

use crate::object::{Field, Object};

/// The wire types around a value, so that a type which holds itself ends.
#[derive(Debug, Default)]
pub struct Path(Vec<&'static str>);

impl Path {
    /// The schema of a type with keys; open where the type is inside itself.
    pub fn object<T: Object>(&mut self) -> Value {
        if self.0.contains(&T::NAME) {
            return open_object();
        }
        self.0.push(T::NAME);
        let mut properties = Map::new();
        T::properties(self, &mut properties);
        self.0.pop();
        match properties.is_empty() {
            true => json!({"type": "object"}),
            false => json!({"type": "object", "properties": properties}),
        }
    }
}

/// The schema of a type.
pub fn of<T: Field>() -> Value {
    T::schema(&mut Path::default())
}

/// Any value at all.
pub(crate) fn anything() -> Value {
    json!({"x-kubernetes-preserve-unknown-fields": true})
}

/// An object with any keys.
pub(crate) fn open_object() -> Value {
    json!({"type": "object", "x-kubernetes-preserve-unknown-fields": true})
}

/// A whole number or a text.
pub(crate) fn int_or_string() -> Value {
    json!({"x-kubernetes-int-or-string": true})
}
