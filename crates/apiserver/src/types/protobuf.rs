//! Reading Kubernetes' protobuf form of its own kinds into JSON: some kubectl commands send nothing else.
//!
//! Deliberately absent: writing it. Every client that sends it also takes JSON.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Map, Value, json};

use super::{Field, Shape, named};

/// What every message in this form starts with.
const MAGIC: &[u8] = b"k8s\0";
/// How deep messages may nest: the types nest less than half as deep.
const MAX_DEPTH: usize = 32;

/// The object in `bytes`, or nothing when they are not of this form or of an unknown kind.
pub fn read(bytes: &[u8]) -> Option<Value> {
    let envelope = bytes.strip_prefix(MAGIC)?;
    let (mut version, mut kind, mut raw) = (String::new(), String::new(), &[][..]);
    for part in Parts(envelope) {
        match part? {
            (1, Wire::Bytes(meta)) => {
                for part in Parts(meta) {
                    match part? {
                        (1, Wire::Bytes(text)) => version = text_of(text),
                        (2, Wire::Bytes(text)) => kind = text_of(text),
                        _ => {}
                    }
                }
            }
            (2, Wire::Bytes(bytes)) => raw = bytes,
            _ => {}
        }
    }
    let (group, short) = version.split_once('/').unwrap_or(("", &version));
    let name = match kind.as_str() {
        "DeleteOptions" => "meta.v1.DeleteOptions",
        _ => super::name_of_version(group, short, &kind)?,
    };
    let mut object = message(name, raw, 0)?;
    object.insert("apiVersion".to_owned(), version.clone().into());
    object.insert("kind".to_owned(), kind.into());
    Some(Value::Object(object))
}

enum Wire<'a> {
    Number(u64),
    Double(f64),
    Bytes(&'a [u8]),
}

/// The numbered parts of a message; `None` in place of one that cannot be read ends it.
struct Parts<'a>(&'a [u8]);

impl<'a> Iterator for Parts<'a> {
    type Item = Option<(u32, Wire<'a>)>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let part = self.part();
        if part.is_none() {
            self.0 = &[];
        }
        Some(part)
    }
}

impl<'a> Parts<'a> {
    fn part(&mut self) -> Option<(u32, Wire<'a>)> {
        let tag = self.varint()?;
        let wire = match tag & 7 {
            0 => Wire::Number(self.varint()?),
            1 => Wire::Double(f64::from_le_bytes(self.take(8)?.try_into().ok()?)),
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                Wire::Bytes(self.take(length)?)
            }
            _ => return None,
        };
        Some((u32::try_from(tag >> 3).ok()?, wire))
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn varint(&mut self) -> Option<u64> {
        let mut number = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.take(1)?[0];
            number |= u64::from(byte & 0x7f) << shift;
            if byte & 0x80 == 0 {
                return Some(number);
            }
        }
        None
    }
}

fn text_of(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn message(name: &str, bytes: &[u8], depth: usize) -> Option<Map<String, Value>> {
    if depth > MAX_DEPTH {
        return None;
    }
    let r#type = named(name)?;
    let mut object = Map::new();
    for part in Parts(bytes) {
        let (number, wire) = part?;
        let Some(field) = r#type.numbers.get(&number) else {
            continue;
        };
        if let (true, Shape::Named(inner), Wire::Bytes(bytes)) = (field.name.is_empty(), &field.shape, &wire)
        {
            object.append(&mut message(inner, bytes, depth + 1)?);
            continue;
        }
        put(&mut object, field, &wire, depth)?;
    }
    Some(object)
}

fn put(object: &mut Map<String, Value>, field: &Field, wire: &Wire<'_>, depth: usize) -> Option<()> {
    match &field.shape {
        Shape::List(element) => {
            let list = object
                .entry(field.name)
                .or_insert_with(|| json!([]))
                .as_array_mut()?;
            match (element.as_ref(), wire) {
                (Shape::Int32 | Shape::Int64, Wire::Bytes(packed)) => {
                    let mut packed = Parts(packed);
                    while !packed.0.is_empty() {
                        list.push(integer(packed.varint()?));
                    }
                }
                _ => list.push(value(element, wire, depth)?),
            }
        }
        Shape::Map(element) => {
            let map = object
                .entry(field.name)
                .or_insert_with(|| json!({}))
                .as_object_mut()?;
            let Wire::Bytes(entry) = wire else { return None };
            let (mut key, mut found) = (String::new(), None);
            for part in Parts(entry) {
                match part? {
                    (1, Wire::Bytes(text)) => key = text_of(text),
                    (2, wire) => found = Some(value(element, &wire, depth)?),
                    _ => {}
                }
            }
            map.insert(key, found.unwrap_or_else(|| zero(element)));
        }
        shape => {
            let value = value(shape, wire, depth)?;
            if field.pointer || !is_zero(&value) {
                object.insert(field.name.to_owned(), value);
            }
        }
    }
    Some(())
}

fn zero(shape: &Shape) -> Value {
    match shape {
        Shape::Text | Shape::Bytes | Shape::Quantity => "".into(),
        Shape::List(_) => json!([]),
        Shape::Boolean => false.into(),
        Shape::Int32 | Shape::Int64 => 0.into(),
        _ => json!({}),
    }
}

/// What Go leaves out of JSON when it is no pointer.
fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::Bool(yes) => !yes,
        Value::Number(number) => number.as_f64() == Some(0.0),
        Value::String(text) => text.is_empty(),
        Value::Array(list) => list.is_empty(),
        Value::Object(fields) => fields.is_empty(),
    }
}

fn integer(number: u64) -> Value {
    // Negative numbers are sent as the two's complement of 64 bits.
    number.cast_signed().into()
}

fn value(shape: &Shape, wire: &Wire<'_>, depth: usize) -> Option<Value> {
    Some(match (shape, wire) {
        (Shape::Text, Wire::Bytes(bytes)) => text_of(bytes).into(),
        (Shape::Bytes, Wire::Bytes(bytes)) => STANDARD.encode(bytes).into(),
        (Shape::Int32 | Shape::Int64, Wire::Number(number)) => integer(*number),
        (Shape::Boolean, Wire::Number(number)) => (*number != 0).into(),
        (Shape::Float, Wire::Double(number)) => json!(number),
        (Shape::Named(name), Wire::Bytes(bytes)) => Value::Object(message(name, bytes, depth + 1)?),
        (Shape::List(element), Wire::Bytes(bytes)) => {
            let items = Parts(bytes).map(|part| part.and_then(|(_, wire)| value(element, &wire, depth)));
            Value::Array(items.collect::<Option<_>>()?)
        }
        (Shape::Time | Shape::MicroTime, Wire::Bytes(bytes)) => time(shape, bytes)?,
        (Shape::Quantity | Shape::Any | Shape::FieldSet, Wire::Bytes(bytes)) => {
            let inner = Parts(bytes).flatten().find_map(|(number, wire)| match wire {
                Wire::Bytes(bytes) if number == 1 => Some(bytes),
                _ => None,
            });
            let inner = inner.unwrap_or_default();
            if *shape == Shape::Quantity {
                text_of(inner).into()
            } else {
                serde_json::from_slice(inner).unwrap_or(Value::Null)
            }
        }
        (Shape::IntOrString, Wire::Bytes(bytes)) => {
            let (mut is_text, mut number, mut text) = (false, 0u64, String::new());
            for part in Parts(bytes) {
                match part? {
                    (1, Wire::Number(kind)) => is_text = kind == 1,
                    (2, Wire::Number(value)) => number = value,
                    (3, Wire::Bytes(value)) => text = text_of(value),
                    _ => {}
                }
            }
            if is_text { text.into() } else { integer(number) }
        }
        _ => return None,
    })
}

fn time(shape: &Shape, bytes: &[u8]) -> Option<Value> {
    let (mut seconds, mut nanos) = (0u64, 0u64);
    for part in Parts(bytes) {
        match part? {
            (1, Wire::Number(number)) => seconds = number,
            (2, Wire::Number(number)) => nanos = number,
            _ => {}
        }
    }
    let seconds = seconds.cast_signed();
    // Go's zero time is the year 1.
    if bytes.is_empty() || seconds == -62_135_596_800 {
        return Some(Value::Null);
    }
    let time = jiff::Timestamp::new(seconds, i32::try_from(nanos).ok()?).ok()?;
    Some(match shape {
        Shape::MicroTime => time.strftime("%Y-%m-%dT%H:%M:%S.%6fZ").to_string().into(),
        _ => crate::options::seconds(time).into(),
    })
}
