//! Items of loops: how they are written into names and variables, and sequences (C-LOOP-02, C-LOOP-03, C-LOOP-05).
//! Not here: expansion of steps and tasks (`pass::loops`).

use std::collections::BTreeMap;

use argosy_model::Sequence;
use argosy_model::k8s::IntOrString;
use serde_json::Value;

use crate::vars;

/// The name of the step or task for one item: `<name>(<index>:<description>)`.
#[must_use]
pub fn expanded_name(name: &str, index: usize, item: &Value) -> String {
    format!("{name}({index}:{})", describe(item))
}

fn describe(item: &Value) -> String {
    let text = match item {
        Value::Object(map) => {
            let pairs: Vec<String> = map.iter().map(|(k, v)| format!("{k}:{}", element(v))).collect();
            pairs.join(",")
        }
        Value::Array(list) => {
            let parts: Vec<String> = list.iter().map(element).collect();
            format!("[{}]", parts.join(" "))
        }
        Value::Null => "[]".to_owned(),
        Value::String(s) => quoted_inside(s),
        Value::Number(n) => written(n),
        Value::Bool(b) => b.to_string(),
    };
    text.replace(['(', ')'], "")
}

/// The text as it stands inside a JSON string: the peer cuts the quotes off the encoded item.
fn quoted_inside(text: &str) -> String {
    let quoted = json(&Value::String(text.to_owned()));
    quoted[1..quoted.len() - 1].to_owned()
}

/// A number as people write it: the peer keeps its text.
fn written(number: &serde_json::Number) -> String {
    number.to_string().replace("e+", "e")
}

fn json(value: &Value) -> String {
    argosy_model::go_json::to_string(value).expect("a JSON value is always valid JSON")
}

/// A member of a map or list item as text: a string as it is, else JSON.
fn element(value: &Value) -> String {
    match value {
        Value::String(s) => s.clone(),
        Value::Number(n) => written(n),
        other => json(other),
    }
}

/// The variables of one item: `item`, and `item.<key>` for maps.
#[must_use]
pub fn variables(item: &Value) -> BTreeMap<String, String> {
    let mut variables = BTreeMap::new();
    match item {
        Value::Object(map) => {
            for (key, value) in map {
                variables.insert(format!("item.{key}"), element(value));
            }
            variables.insert("item".to_owned(), json(item));
        }
        other => {
            variables.insert("item".to_owned(), element(other));
        }
    }
    variables
}

/// The items of a `withParam`: a JSON list, or null for none.
///
/// # Errors
/// Any other text, in the words of Go's JSON reader.
pub(crate) fn list(text: &str) -> Result<Vec<Value>, String> {
    let kind = match serde_json::from_str(text) {
        Ok(Value::Array(items)) => return Ok(items),
        Ok(Value::Null) => return Ok(Vec::new()),
        Ok(Value::Object(_)) => "object",
        Ok(Value::String(_)) => "string",
        Ok(Value::Number(_)) => "number",
        Ok(Value::Bool(_)) => "bool",
        Err(error) => return Err(vars::go_json_error(text, &error)),
    };
    Err(format!(
        "json: cannot unmarshal {kind} into Go value of type []v1alpha1.Item"
    ))
}

/// Why a sequence can't be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SequenceError {
    /// A bound that is no number.
    #[error("strconv.Atoi: parsing {0:?}: invalid syntax")]
    Number(String),
    /// A bound too big for a 64 bit integer.
    #[error("strconv.Atoi: parsing {0:?}: value out of range")]
    Range(String),
    /// Neither bound is given.
    #[error("neither end nor count was specified in withSequence")]
    NoEnd,
    /// More items than any workflow can hold.
    #[error("withSequence has more than {SEQUENCE_LIMIT} items")]
    TooLong,
}

/// Most items of one sequence; a node takes about 300 bytes of status, so this many never fit anyway.
pub const SEQUENCE_LIMIT: i64 = 1_000_000;

/// The texts of a sequence.
///
/// # Errors
/// When a bound is no number, or none is given.
pub fn sequence(sequence: &Sequence) -> Result<Vec<String>, SequenceError> {
    let text = |v: &Option<IntOrString>| v.as_ref().map(ToString::to_string);
    let (start, end, count) = (text(&sequence.start), text(&sequence.end), text(&sequence.count));
    let start = start.as_deref().map_or(Ok(0), integer)?;
    let end = match (end.as_deref(), count.as_deref()) {
        (Some(end), _) => integer(end)?,
        (None, Some(count)) => {
            let count = integer(count)?;
            if count == 0 {
                return Ok(Vec::new());
            }
            start.saturating_add(count).saturating_sub(1)
        }
        (None, None) => return Err(SequenceError::NoEnd),
    };
    if start.abs_diff(end) >= SEQUENCE_LIMIT.unsigned_abs() {
        return Err(SequenceError::TooLong);
    }
    let format = if sequence.format.is_empty() {
        "%d"
    } else {
        &sequence.format
    };
    let text = |n: i64| print_integer(format, n);
    Ok(if start <= end {
        (start..=end).map(text).collect()
    } else {
        (end..=start).rev().map(text).collect()
    })
}

fn integer(text: &str) -> Result<i64, SequenceError> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return Err(SequenceError::Number(text.to_owned()));
    }
    text.parse().map_err(|_| SequenceError::Range(text.to_owned()))
}

/// Prints one integer through a Go format text, its complaints about wrong verbs included.
fn print_integer(format: &str, number: i64) -> String {
    let mut out = String::new();
    let mut used = false;
    let mut chars = format.chars().peekable();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let mut flags = String::new();
        while let Some(f) = chars.next_if(|c| "+-# 0".contains(*c)) {
            flags.push(f);
        }
        let digits = |chars: &mut std::iter::Peekable<std::str::Chars<'_>>| {
            let mut text = String::new();
            while let Some(d) = chars.next_if(char::is_ascii_digit) {
                text.push(d);
            }
            text
        };
        let width: usize = digits(&mut chars).parse().unwrap_or(0).min(1000);
        let precision = chars
            .next_if_eq(&'.')
            .map(|_| digits(&mut chars).parse().unwrap_or(0usize).min(1000));
        match chars.next() {
            None => out.push_str("%!(NOVERB)"),
            Some('%') => out.push('%'),
            Some(verb) if used => out.push_str(&format!("%!{verb}(MISSING)")),
            Some(verb) => {
                used = true;
                out.push_str(&print_verb(verb, &flags, width, precision, number));
            }
        }
    }
    if !used {
        out.push_str(&format!("%!(EXTRA int={number})"));
    }
    out
}

fn print_verb(verb: char, flags: &str, width: usize, precision: Option<usize>, number: i64) -> String {
    let magnitude = number.unsigned_abs();
    let sharp = flags.contains('#');
    let (prefix, mut digits) = match verb {
        'd' | 'v' => ("", magnitude.to_string()),
        'x' => (if sharp { "0x" } else { "" }, format!("{magnitude:x}")),
        'X' => (if sharp { "0X" } else { "" }, format!("{magnitude:X}")),
        'o' => (if sharp { "0" } else { "" }, format!("{magnitude:o}")),
        'O' => ("0o", format!("{magnitude:o}")),
        'b' => (if sharp { "0b" } else { "" }, format!("{magnitude:b}")),
        'c' => return pad(&character(number).to_string(), flags, width),
        'q' => return pad(&format!("'{}'", character(number)), flags, width),
        'U' => return pad(&format!("U+{magnitude:04X}"), flags, width),
        other => return format!("%!{other}(int={number})"),
    };
    let sign = if number < 0 {
        "-"
    } else if flags.contains('+') {
        "+"
    } else if flags.contains(' ') {
        " "
    } else {
        ""
    };
    let zeros = match precision {
        Some(precision) => precision,
        None if flags.contains('0') && !flags.contains('-') => {
            width.saturating_sub(sign.len() + prefix.len())
        }
        None => 0,
    };
    while digits.len() < zeros {
        digits.insert(0, '0');
    }
    pad(&format!("{sign}{prefix}{digits}"), &flags.replace('0', ""), width)
}

fn character(number: i64) -> char {
    u32::try_from(number)
        .ok()
        .and_then(char::from_u32)
        .unwrap_or(char::REPLACEMENT_CHARACTER)
}

fn pad(text: &str, flags: &str, width: usize) -> String {
    if flags.contains('-') {
        format!("{text:<width$}")
    } else {
        format!("{text:>width$}")
    }
}
