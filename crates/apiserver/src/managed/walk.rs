//! Walking objects by their types: which fields they have, what differs, and merging what is applied.
//!
//! Deliberately absent: managers (see `managed`).

use serde_json::{Map, Value, json};

use super::set::Set;
use crate::kinds::Kind;
use crate::schema::{ListType, Schema};
use crate::types::{self, Field, Shape, Type, named};

/// What is known about the values at one place.
#[derive(Clone, Debug)]
pub struct Node<'a> {
    inner: Inner<'a>,
    list: List,
    /// The whole value has one owner.
    atomic: bool,
    /// An object without declared fields, or one that may be absent: it is owned itself as well.
    optional: bool,
}

#[derive(Clone, Debug)]
enum Inner<'a> {
    Type(&'static Type),
    Shape(&'static Shape),
    Custom(&'a Schema),
    /// The object of a custom kind: its metadata has a type.
    Object(Option<&'a Schema>),
    Unknown,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum List {
    Atomic,
    Set,
    Keys(Vec<String>),
}

impl<'a> Node<'a> {
    /// The node of a kind's objects.
    pub fn of(kind: &'a Kind) -> Self {
        let inner = match types::name_of(kind).and_then(named) {
            Some(r#type) => Inner::Type(r#type),
            None => Inner::Object(kind.schema.as_deref()),
        };
        Node {
            inner,
            list: List::Atomic,
            atomic: false,
            optional: false,
        }
    }

    fn unknown() -> Self {
        Node {
            inner: Inner::Unknown,
            list: List::Atomic,
            atomic: false,
            optional: false,
        }
    }

    fn of_field(field: &'static Field) -> Self {
        let mut node = Node::of_shape(&field.shape);
        node.atomic |= field.atomic;
        node.optional |= field.pointer;
        if !field.keys.is_empty() {
            node.list = List::Keys(field.keys.iter().map(ToString::to_string).collect());
        } else if field.set {
            node.list = List::Set;
        }
        node
    }

    fn of_shape(shape: &'static Shape) -> Self {
        let (inner, atomic) = match shape {
            Shape::Named(name) => named(name).map_or((Inner::Unknown, false), |t| (Inner::Type(t), t.atomic)),
            Shape::Any | Shape::FieldSet => (Inner::Unknown, true),
            shape => (Inner::Shape(shape), false),
        };
        Node {
            inner,
            list: List::Atomic,
            atomic,
            optional: matches!(shape, Shape::Map(_)),
        }
    }

    fn of_schema(schema: &'a Schema) -> Self {
        let list = match &schema.list {
            ListType::Atomic => List::Atomic,
            ListType::Set => List::Set,
            ListType::Map(keys) => List::Keys(keys.clone()),
        };
        let optional = schema.properties.is_empty();
        Node {
            inner: Inner::Custom(schema),
            list,
            atomic: schema.atomic_map,
            optional,
        }
    }

    fn field(&self, name: &str) -> Node<'a> {
        match &self.inner {
            Inner::Type(r#type) => r#type.fields.get(name).map_or_else(Node::unknown, Node::of_field),
            Inner::Shape(Shape::Map(element)) => Node::of_shape(element),
            Inner::Object(_) if name == "metadata" => {
                named("meta.v1.ObjectMeta").map_or_else(Node::unknown, |r#type| Node {
                    inner: Inner::Type(r#type),
                    ..Node::unknown()
                })
            }
            Inner::Object(Some(schema)) | Inner::Custom(schema) => {
                schema.field(name).map_or_else(Node::unknown, Node::of_schema)
            }
            _ => Node::unknown(),
        }
    }

    fn item(&self) -> Node<'a> {
        match &self.inner {
            Inner::Shape(Shape::List(element)) => Node::of_shape(element),
            Inner::Custom(schema) => schema
                .items
                .as_deref()
                .map_or_else(Node::unknown, Node::of_schema),
            _ => Node::unknown(),
        }
    }

    /// The step that names a list's element; `None` in lists with one owner.
    fn step(&self, element: &Value) -> Option<String> {
        match &self.list {
            List::Atomic => None,
            List::Set => Some(format!("v:{element}")),
            List::Keys(keys) => {
                // An absent protocol is the default one, the only key that has a default.
                let value = |key: &String| match element.get(key) {
                    None if key == "protocol" => Some(json!("TCP")),
                    found => found.cloned(),
                };
                let keys: Map<String, Value> = keys
                    .iter()
                    .filter_map(|key| Some((key.clone(), value(key)?)))
                    .collect();
                Some(format!("k:{}", Value::Object(keys)))
            }
        }
    }

    fn splits(&self, value: &Value) -> bool {
        match value {
            Value::Object(fields) => !self.atomic && !fields.is_empty(),
            Value::Array(list) => self.list != List::Atomic && !list.is_empty(),
            _ => false,
        }
    }

    /// The parts of a value, by step.
    fn parts<'v>(&self, value: &'v Value) -> Vec<(String, Node<'a>, &'v Value)> {
        match value {
            Value::Object(fields) => fields
                .iter()
                .map(|(name, value)| (format!("f:{name}"), self.field(name), value))
                .collect(),
            Value::Array(list) => {
                let steps = list
                    .iter()
                    .filter_map(|element| Some((self.step(element)?, self.item(), element)));
                steps.collect()
            }
            _ => Vec::new(),
        }
    }
}

/// The fields of a value.
pub fn fields(node: &Node<'_>, value: &Value) -> Set {
    let mut set = Set::default();
    if !node.splits(value) {
        set.here = true;
        return set;
    }
    for (step, node, value) in node.parts(value) {
        let mut below = fields(&node, value);
        below.here |= !step.starts_with("f:");
        set.below.insert(step, below);
    }
    set
}

/// As [`fields`], with the objects that come and go as a whole.
fn fields_with_objects(node: &Node<'_>, value: &Value) -> Set {
    let mut set = fields(node, value);
    set.here |= node.optional;
    for (step, node, value) in node.parts(value) {
        if let Some(below) = set.below.get_mut(&step) {
            below.add(&fields_with_objects(&node, value));
        }
    }
    set
}

/// What was added or changed, and what was removed.
pub fn compare(node: &Node<'_>, old: &Value, new: &Value) -> (Set, Set) {
    let (mut changed, mut removed) = (Set::default(), Set::default());
    if old == new {
        return (changed, removed);
    }
    if !(node.splits(old) && node.splits(new)) || old.is_object() != new.is_object() {
        if node.splits(old) {
            removed = fields_with_objects(node, old);
        }
        return (fields_with_objects(node, new), removed);
    }
    let (old_parts, new_parts) = (node.parts(old), node.parts(new));
    for (step, node, new) in &new_parts {
        let old = old_parts.iter().find(|(old, _, _)| old == step);
        let (added, gone) = match old {
            Some((_, _, old)) => compare(node, old, new),
            None => {
                let mut added = fields_with_objects(node, new);
                added.here |= !step.starts_with("f:");
                (added, Set::default())
            }
        };
        for (set, part) in [(&mut changed, added), (&mut removed, gone)] {
            if !part.is_empty() {
                set.below.insert(step.clone(), part);
            }
        }
    }
    for (step, node, old) in &old_parts {
        if !new_parts.iter().any(|(new, _, _)| new == step) {
            let mut gone = fields_with_objects(node, old);
            gone.here = true;
            removed.below.insert(step.clone(), gone);
        }
    }
    (changed, removed)
}

/// What the object is after `applied` was laid over it.
pub fn merge(node: &Node<'_>, live: Value, applied: &Value) -> Value {
    match (live, applied) {
        (Value::Object(mut live), Value::Object(applied)) if !node.atomic => {
            for (name, value) in applied {
                let merged = match live.remove(name) {
                    Some(old) => merge(&node.field(name), old, value),
                    None => value.clone(),
                };
                live.insert(name.clone(), merged);
            }
            Value::Object(live)
        }
        (Value::Array(live), Value::Array(applied)) if node.list != List::Atomic => {
            let mut merged: Vec<Value> = Vec::with_capacity(live.len());
            let item = node.item();
            for element in applied {
                let old = live.iter().find(|old| node.step(old) == node.step(element));
                merged.push(match old {
                    Some(old) => merge(&item, old.clone(), element),
                    None => element.clone(),
                });
            }
            // What others have in the list stays, each after the element that it followed.
            let mut after = 0;
            for old in live {
                match merged.iter().position(|new| node.step(new) == node.step(&old)) {
                    Some(place) => after = place + 1,
                    None => {
                        merged.insert(after, old);
                        after += 1;
                    }
                }
            }
            Value::Array(merged)
        }
        (_, applied) => applied.clone(),
    }
}

/// Removes the fields of `set`, except where `kept` has something at or below them.
pub fn remove(node: &Node<'_>, value: &mut Value, set: &Set, kept: &Set) {
    let empty = Set::default();
    let kept_below = |step: &str| kept.below.get(step).unwrap_or(&empty);
    match value {
        Value::Object(fields) => {
            for (step, below) in &set.below {
                let Some(name) = step.strip_prefix("f:") else {
                    continue;
                };
                let Some(inner) = fields.get_mut(name) else {
                    continue;
                };
                let before = inner.clone();
                remove(&node.field(name), inner, below, kept_below(step));
                let emptied = *inner != before && is_hollow(inner);
                if (below.here || emptied) && kept_below(step).is_empty() {
                    fields.remove(name);
                }
            }
        }
        Value::Array(list) => {
            let item = node.item();
            list.retain_mut(|element| {
                let Some(step) = node.step(element) else {
                    return true;
                };
                let Some(below) = set.below.get(&step) else {
                    return true;
                };
                remove(&item, element, below, kept_below(&step));
                !(below.here && kept_below(&step).is_empty())
            });
        }
        _ => {}
    }
}

fn is_hollow(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.is_empty(),
        Value::Array(list) => list.is_empty(),
        _ => false,
    }
}
