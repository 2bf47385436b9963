//! Comparison of two JSON values for people: the first few places where they differ.

use serde_json::Value;

/// Texts longer than this are cut.
const LONGEST: usize = 300;
/// How many places are shown.
const SHOWN: usize = 3;

/// Ok when both are equal, else the places where `got` differs from `want`.
pub fn difference(got: &Value, want: &Value) -> Result<(), String> {
    let mut found = Vec::new();
    collect("", got, want, &mut found);
    if found.is_empty() {
        return Ok(());
    }
    let more = found.len().saturating_sub(SHOWN);
    found.truncate(SHOWN);
    let tail = if more == 0 {
        String::new()
    } else {
        format!("; {more} more")
    };
    Err(format!("{}{tail}", found.join("; ")))
}

fn collect(path: &str, got: &Value, want: &Value, found: &mut Vec<String>) {
    match (got, want) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            for key in keys {
                match (a.get(key), b.get(key)) {
                    (Some(a), Some(b)) => collect(&format!("{path}.{key}"), a, b, found),
                    (Some(a), None) => found.push(format!("{path}.{key}: got {}, want nothing", cut(a))),
                    (None, b) => found.push(format!(
                        "{path}.{key}: got nothing, want {}",
                        cut(b.unwrap_or(&Value::Null))
                    )),
                }
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (index, (a, b)) in a.iter().zip(b).enumerate() {
                collect(&format!("{path}[{index}]"), a, b, found);
            }
        }
        _ if got == want => {}
        _ => found.push(format!("{path}: got {}, want {}", cut(got), cut(want))),
    }
}

fn cut(value: &Value) -> String {
    let text = value.to_string();
    match text.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &text[..at]),
        None => text,
    }
}
