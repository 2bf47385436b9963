//! The types of Kubernetes' own kinds, read from a table of names, numbers and merge rules.
//!
//! Deliberately absent: descriptions, and rules about values (see `validate`).

pub mod protobuf;
mod prune;

use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::kinds::Kind;

pub use self::prune::prune;

const TABLE: &str = include_str!("types.txt");

/// What a value looks like.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shape {
    /// A string.
    Text,
    /// An integer of 32 bits.
    Int32,
    /// An integer of 64 bits.
    Int64,
    /// `true` or `false`.
    Boolean,
    /// A floating-point number.
    Float,
    /// Bytes, base64 in JSON.
    Bytes,
    /// An amount with a unit.
    Quantity,
    /// A time in whole seconds.
    Time,
    /// A time in microseconds.
    MicroTime,
    /// An integer or a string.
    IntOrString,
    /// A duration as Go writes it.
    Duration,
    /// Any JSON object.
    Any,
    /// A set of fields, as managedFields hold them.
    FieldSet,
    /// A list of one shape.
    List(Box<Shape>),
    /// A map from strings to one shape.
    Map(Box<Shape>),
    /// A type of the table.
    Named(&'static str),
}

/// One field of a type.
#[derive(Clone, Debug)]
pub struct Field {
    /// Its name in JSON; empty for a type whose fields are inlined.
    pub name: &'static str,
    /// What it holds.
    pub shape: Shape,
    /// Whether zero differs from absent.
    pub pointer: bool,
    /// Keys of an associative list; empty for all others.
    pub keys: Vec<&'static str>,
    /// Whether the list is a set.
    pub set: bool,
    /// Whether it has only one owner for everything below it.
    pub atomic: bool,
    /// How a strategic merge patch merges it: by this key, or as a set when it is empty.
    pub patch: Option<&'static str>,
    /// Whether a strategic merge patch may say which fields to keep.
    pub retain: bool,
}

/// One type.
#[derive(Clone, Debug, Default)]
pub struct Type {
    /// Fields by protobuf number; inlined types are one field here.
    pub numbers: BTreeMap<u32, Field>,
    /// Fields by JSON name; those of inlined types are among them.
    pub fields: BTreeMap<&'static str, Field>,
    /// Whether it has only one owner for everything in it.
    pub atomic: bool,
}

/// All types by name, for example `core.v1.Pod`.
pub fn all() -> &'static BTreeMap<&'static str, Type> {
    static ALL: OnceLock<BTreeMap<&'static str, Type>> = OnceLock::new();
    ALL.get_or_init(|| flatten(read(TABLE)))
}

/// The type with this name.
pub fn named(name: &str) -> Option<&'static Type> {
    all().get(name)
}

/// The name of the type of a kind.
pub fn name_of(kind: &Kind) -> Option<&'static str> {
    name_of_version(&kind.group, &kind.version, &kind.kind)
}

/// The name of the type of a kind by its parts.
pub fn name_of_version(group: &str, version: &str, kind: &str) -> Option<&'static str> {
    let package = match group.split('.').next().unwrap_or_default() {
        "" => "core",
        first => first,
    };
    let name = format!("{package}.{version}.{kind}");
    all().get_key_value(name.as_str()).map(|(name, _)| *name)
}

fn read(table: &'static str) -> BTreeMap<&'static str, Type> {
    let mut types = BTreeMap::new();
    let mut current: Option<(&'static str, Type)> = None;
    for line in table.lines().filter(|line| !line.starts_with('#')) {
        if let Some(head) = line.strip_prefix('@') {
            types.extend(current.take());
            let (name, flags) = head.split_once(' ').unwrap_or((head, ""));
            current = Some((
                name,
                Type {
                    atomic: flags == "atomic",
                    ..Type::default()
                },
            ));
            continue;
        }
        let (Some((_, r#type)), Some((number, field))) = (&mut current, field(line)) else {
            continue;
        };
        if !field.name.is_empty() {
            r#type.fields.insert(field.name, field.clone());
        }
        r#type.numbers.insert(number, field);
    }
    types.extend(current);
    types
}

fn field(line: &'static str) -> Option<(u32, Field)> {
    let mut words = line.split(' ');
    let (name, number, shape) = (words.next()?, words.next()?.parse().ok()?, shape(words.next()?));
    let name = if name == "*" { "" } else { name };
    let mut field = Field {
        name,
        shape,
        pointer: false,
        keys: Vec::new(),
        set: false,
        atomic: false,
        patch: None,
        retain: false,
    };
    for flag in words {
        let (flag, value) = flag.split_once('=').unwrap_or((flag, ""));
        match flag {
            "ptr" => field.pointer = true,
            "map" => field.keys = value.split(',').collect(),
            "set" => field.set = true,
            "atomic" => field.atomic = true,
            "patch" => field.patch = Some(value),
            "retain" => field.retain = true,
            _ => {}
        }
    }
    Some((number, field))
}

fn shape(text: &'static str) -> Shape {
    if let Some(element) = text.strip_prefix("[]") {
        return Shape::List(Box::new(shape(element)));
    }
    if let Some(element) = text.strip_prefix("{}") {
        return Shape::Map(Box::new(shape(element)));
    }
    match text {
        "s" => Shape::Text,
        "i" => Shape::Int32,
        "l" => Shape::Int64,
        "b" => Shape::Boolean,
        "f" => Shape::Float,
        "x" => Shape::Bytes,
        "q" => Shape::Quantity,
        "t" => Shape::Time,
        "m" => Shape::MicroTime,
        "o" => Shape::IntOrString,
        "d" => Shape::Duration,
        "r" => Shape::Any,
        "v" => Shape::FieldSet,
        name => Shape::Named(name),
    }
}

/// Adds the fields of inlined types to those that inline them.
fn flatten(mut types: BTreeMap<&'static str, Type>) -> BTreeMap<&'static str, Type> {
    // Types are inlined at most two deep.
    for _ in 0..2 {
        let before = types.clone();
        for r#type in types.values_mut() {
            let inlined = r#type.numbers.values().filter(|field| field.name.is_empty());
            let names: Vec<&str> = inlined
                .filter_map(|field| {
                    if let Shape::Named(name) = field.shape {
                        Some(name)
                    } else {
                        None
                    }
                })
                .collect();
            for name in names {
                if let Some(other) = before.get(name) {
                    r#type
                        .fields
                        .extend(other.fields.iter().map(|(name, field)| (*name, field.clone())));
                }
            }
        }
    }
    types
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kinds::{Origin, Registry};

    #[test]
    fn every_kind_of_ours_has_its_type() {
        let registry = Registry::builtin();
        for kind in registry.iter().filter(|kind| kind.origin != Origin::Custom) {
            if kind.group != "apiextensions.k8s.io" {
                assert!(name_of(kind).is_some(), "{}", kind.resource);
            }
        }
    }

    #[test]
    fn every_named_shape_is_in_the_table() {
        fn inner(shape: &Shape) -> Option<&'static str> {
            match shape {
                Shape::List(shape) | Shape::Map(shape) => inner(shape),
                Shape::Named(name) => Some(name),
                _ => None,
            }
        }
        for (name, r#type) in all() {
            for field in r#type.fields.values() {
                assert!(
                    inner(&field.shape).is_none_or(|inner| named(inner).is_some()),
                    "{name}.{}",
                    field.name
                );
            }
        }
        let volume = named("core.v1.Volume").expect("volumes have a type");
        assert!(volume.fields.contains_key("emptyDir") && volume.numbers[&2].name.is_empty());
    }
}
