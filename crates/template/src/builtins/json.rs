//! JSON and base64.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::{arg, text};
use crate::gojson;
use crate::kept::Documents;
use crate::text::Text;
use crate::value::json::{COMPACT, Style, write};
use crate::value::{Value, Width, json};

/// `toJSON`, `fromJSON`, `toBase64`, `fromBase64`.
///
/// # Errors
/// Values without JSON form, text that is no JSON or no base64.
pub fn call(name: &str, args: &[Value]) -> Result<Value, String> {
    match name {
        "toJSON" => write(
            arg(args, 0)?,
            Style {
                html: true,
                indent: Some(2),
            },
        )
        .map(Value::str),
        "fromJSON" => {
            static READ: Documents<Value> = Documents::new();
            READ.get(text(args, 0)?, json::read)
        }
        "toBase64" => Ok(Value::str(STANDARD.encode(text(args, 0)?.bytes()))),
        _ => decode(text(args, 0)?.bytes()).map(Value::str),
    }
}

/// `toJson(v)`: one line.
///
/// # Errors
/// Values without JSON form.
pub fn compact(v: &Value) -> Result<Value, String> {
    write(v, COMPACT).map(Value::str)
}

/// `jsonpath(text, path)`.
///
/// # Errors
/// Text that is no JSON, a path that is none.
pub fn jsonpath(args: &[Value]) -> Result<Value, String> {
    // What is called by reflection takes nil for the zero value.
    let zero = Text::from("");
    let given = |at| match arg(args, at)? {
        Value::Nil => Ok(&zero),
        _ => text(args, at),
    };
    let (document, path) = (given(0)?, given(1)?);
    static READ: Documents<Arc<serde_json::Value>> = Documents::new();
    let document = READ.get(document, |bytes| gojson::parse(bytes).map(Arc::new))?;
    let found = crate::jsonpath::query(&path.lossy(), &document)?;
    // Lengths are counted, not read, and so of another type than the numbers of a document.
    match found.as_i64() {
        Some(n) if path.lossy().trim_end().ends_with(".length") => Ok(Value::Sized(Width::I64, n)),
        _ => Ok(json::from_document(&found)),
    }
}

/// Standard base64 with Go's error: the place of the first bad byte.
///
/// # Errors
/// `illegal base64 data at input byte N`.
pub fn decode(bytes: &[u8]) -> Result<Vec<u8>, String> {
    // Go skips line breaks.
    let clean: Vec<u8> = bytes
        .iter()
        .copied()
        .filter(|b| !matches!(b, b'\r' | b'\n'))
        .collect();
    STANDARD
        .decode(&clean)
        .map_err(|_| format!("illegal base64 data at input byte {}", bad_byte(bytes)))
}

/// Where Go finds the fault: at the first byte that does not belong, or at the start of the last, incomplete group.
fn bad_byte(bytes: &[u8]) -> usize {
    let valid = |b: u8| b.is_ascii_alphanumeric() || b == b'+' || b == b'/';
    let (mut group, mut at) = (0usize, 0usize);
    while at < bytes.len() {
        let b = bytes[at];
        if matches!(b, b'\r' | b'\n') {
            at += 1;
            continue;
        }
        if valid(b) {
            group = (group + 1) % 4;
            at += 1;
            continue;
        }
        if b == b'=' && group >= 2 {
            let rest: Vec<usize> = (at + 1..bytes.len())
                .filter(|&i| !matches!(bytes[i], b'\r' | b'\n'))
                .collect();
            if group == 2 {
                match rest.first() {
                    None => return bytes.len(),
                    Some(&i) if bytes[i] != b'=' => return i - 1,
                    Some(_) => return rest.get(1).copied().unwrap_or(at),
                }
            }
            return rest.first().copied().unwrap_or(at);
        }
        return at;
    }
    at - group
}
