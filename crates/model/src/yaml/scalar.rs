//! What a plain YAML scalar means: YAML 1.1 as the Go library of Kubernetes reads it.
//!
//! Dates and sexagesimal numbers stay strings. Not here: quoting when writing (see `write`).

use serde_json::{Number, Value};

/// What a plain scalar is.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Scalar {
    Null,
    Bool(bool),
    Int(i64),
    /// An integer beyond the signed range.
    Uint(u64),
    Float(f64),
    Text,
}

impl Scalar {
    /// The JSON value; `None` for floats that JSON cannot hold.
    pub(super) fn value(&self, text: &str) -> Option<Value> {
        Some(match self {
            Self::Null => Value::Null,
            Self::Bool(b) => Value::Bool(*b),
            Self::Int(n) => Value::from(*n),
            Self::Uint(n) => Value::from(*n),
            Self::Float(n) => Value::Number(float(*n)?),
            Self::Text => Value::String(text.to_owned()),
        })
    }

    /// The scalar as the key of a JSON object; `None` where Go refuses it.
    pub(super) fn key(&self, text: &str) -> Option<String> {
        Some(match self {
            Self::Text => text.to_owned(),
            Self::Bool(b) => b.to_string(),
            Self::Int(n) => n.to_string(),
            Self::Float(n) => float_key(*n),
            Self::Null | Self::Uint(_) => return None,
        })
    }
}

/// Floats without a fraction become integers, because Go writes them so in JSON.
fn float(n: f64) -> Option<Number> {
    // 2^53: from here on Go pads the shortest digits with zeros, which the float itself is written with.
    if n.fract() == 0.0 && n.abs() < 9_007_199_254_740_992.0 && !(n == 0.0 && n.is_sign_negative()) {
        return Some(Number::from(n as i64));
    }
    Number::from_f64(n)
}

/// Keys that are floats are written with single precision, as in Go.
fn float_key(n: f64) -> String {
    let n = n as f32;
    if n.is_nan() {
        return ".nan".to_owned();
    }
    if n.is_infinite() {
        return if n > 0.0 { ".inf" } else { "-.inf" }.to_owned();
    }
    crate::go_json::float_general(n)
}

/// What a plain scalar means.
pub(super) fn resolve(text: &str) -> Scalar {
    if let Some(known) = known_word(text) {
        return known;
    }
    match text.as_bytes().first() {
        Some(b'.') => parse_float(text).map_or(Scalar::Text, Scalar::Float),
        Some(b'+' | b'-' | b'0'..=b'9') => number(&text.replace('_', "")),
        _ => Scalar::Text,
    }
}

fn known_word(text: &str) -> Option<Scalar> {
    Some(match text {
        "" | "~" | "null" | "Null" | "NULL" => Scalar::Null,
        "y" | "Y" | "yes" | "Yes" | "YES" | "true" | "True" | "TRUE" | "on" | "On" | "ON" => {
            Scalar::Bool(true)
        }
        "n" | "N" | "no" | "No" | "NO" | "false" | "False" | "FALSE" | "off" | "Off" | "OFF" => {
            Scalar::Bool(false)
        }
        ".nan" | ".NaN" | ".NAN" => Scalar::Float(f64::NAN),
        ".inf" | ".Inf" | ".INF" | "+.inf" | "+.Inf" | "+.INF" => Scalar::Float(f64::INFINITY),
        "-.inf" | "-.Inf" | "-.INF" => Scalar::Float(f64::NEG_INFINITY),
        _ => return None,
    })
}

fn number(plain: &str) -> Scalar {
    let (negative, digits) = match plain.as_bytes().first() {
        Some(b'-') => (true, &plain[1..]),
        Some(b'+') => (false, &plain[1..]),
        _ => (false, plain),
    };
    let signed = digits.len() != plain.len();
    if let Some(size) = integer(digits) {
        if negative {
            if size <= 1 << 63 {
                return Scalar::Int((size as i64).wrapping_neg());
            }
        } else if let Ok(n) = i64::try_from(size) {
            return Scalar::Int(n);
        } else if !signed {
            return Scalar::Uint(size);
        }
    }
    if is_float(digits) {
        return parse_float(plain).map_or(Scalar::Text, Scalar::Float);
    }
    Scalar::Text
}

/// A size with Go's prefixes `0x`, `0o`, `0b` and plain `0` for octal.
fn integer(digits: &str) -> Option<u64> {
    let bytes = digits.as_bytes();
    let (base, rest) = match (bytes.first(), bytes.get(1)) {
        (Some(b'0'), Some(b'x' | b'X')) => (16, &digits[2..]),
        (Some(b'0'), Some(b'o' | b'O')) => (8, &digits[2..]),
        (Some(b'0'), Some(b'b' | b'B')) => (2, &digits[2..]),
        (Some(b'0'), Some(_)) => (8, &digits[1..]),
        _ => (10, digits),
    };
    // The standard parser would take a second sign.
    if rest.is_empty() || !rest.bytes().all(|b| b.is_ascii_alphanumeric()) {
        return None;
    }
    u64::from_str_radix(rest, base).ok()
}

/// `digits[.digits]`, or `.digits`, with an exponent if wanted.
fn is_float(text: &str) -> bool {
    let (mantissa, exponent) = match text.find(['e', 'E']) {
        Some(at) => (&text[..at], Some(&text[at + 1..])),
        None => (text, None),
    };
    let digits = |t: &str| !t.is_empty() && t.bytes().all(|b| b.is_ascii_digit());
    let mantissa_fits = match mantissa.split_once('.') {
        Some(("", fraction)) => digits(fraction),
        Some((whole, fraction)) => digits(whole) && (fraction.is_empty() || digits(fraction)),
        None => digits(mantissa),
    };
    mantissa_fits && exponent.is_none_or(|e| digits(e.strip_prefix(['+', '-']).unwrap_or(e)))
}

/// Floats beyond the range stay text: a commit id such as `123e4567` must survive.
fn parse_float(text: &str) -> Option<f64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    if !is_float(digits) {
        return None;
    }
    text.parse().ok().filter(|n: &f64| n.is_finite())
}

/// Whether a string written without quotes would be read as something else, or as a sexagesimal number by YAML 1.1.
pub(super) fn needs_quotes(text: &str) -> bool {
    resolve(text) != Scalar::Text || is_timestamp(text) || is_sexagesimal(text) || text == "<<"
}

/// What Go's YAML library takes for a time: such strings are quoted.
fn is_timestamp(text: &str) -> bool {
    let Some((year, rest)) = text.split_once('-') else {
        return false;
    };
    let Some((month, rest)) = rest.split_once('-') else {
        return false;
    };
    let day_end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (day, time) = rest.split_at(day_end);
    if year.len() != 4 || !(within(year, 4, 9999) && within(month, 2, 12) && within(day, 2, 31)) {
        return false;
    }
    match time.as_bytes().first() {
        None => true,
        Some(b'T' | b't') => clock(&time[1..]).is_some_and(is_zone),
        Some(b' ') => clock(&time[1..]).is_some_and(str::is_empty),
        Some(_) => false,
    }
}

/// What follows `hours:minutes:seconds[.fraction]`.
fn clock(text: &str) -> Option<&str> {
    let (hours, rest) = text.split_once(':')?;
    let (minutes, rest) = rest.split_once(':')?;
    let end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
    let (seconds, rest) = rest.split_at(end);
    let fits = within(hours, 2, 23) && within(minutes, 2, 59) && within(seconds, 2, 59);
    let Some(fraction) = rest.strip_prefix(['.', ',']) else {
        return fits.then_some(rest);
    };
    let after = fraction.trim_start_matches(|c: char| c.is_ascii_digit());
    (fits && after.len() < fraction.len()).then_some(after)
}

fn is_zone(text: &str) -> bool {
    let Some(offset) = text.strip_prefix(['+', '-']) else {
        return text == "Z";
    };
    let Some((hours, minutes)) = offset.split_once(':') else {
        return false;
    };
    hours.len() == 2 && minutes.len() == 2 && within(hours, 2, 24) && within(minutes, 2, 60)
}

/// Whether a text has one to `most` digits and is no greater than `limit`.
fn within(text: &str, most: usize, limit: u32) -> bool {
    text.len() <= most
        && text.bytes().all(|b| b.is_ascii_digit())
        && text.parse::<u32>().is_ok_and(|n| n <= limit)
}

/// Numbers of base 60, which other readers of YAML 1.1 would take for numbers.
fn is_sexagesimal(text: &str) -> bool {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let mut parts = digits.split(':');
    let first = parts.next().unwrap_or_default();
    let mut rest: Vec<&str> = parts.collect();
    if let Some(last) = rest.last_mut()
        && let Some((whole, fraction)) = last.split_once('.')
        && fraction.bytes().all(|b| b.is_ascii_digit() || b == b'_')
    {
        *last = whole;
    }
    first.starts_with(|c: char| c.is_ascii_digit())
        && first.bytes().all(|b| b.is_ascii_digit() || b == b'_')
        && !rest.is_empty()
        && rest.iter().all(|part| !part.is_empty() && within(part, 2, 59))
}
