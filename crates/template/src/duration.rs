//! Durations: Go's text form (`1h30m`), plain seconds as the API takes them (C-EXE-12), and Go's printing (`1m0s`).

use crate::value::quote::go_quote;
use crate::value::{Value, Width};

/// Why a text is no duration; `Display` is the contract text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("unable to parse {text} as a duration: {reason}")]
pub struct Error {
    /// What was given.
    pub text: String,
    /// Go's words for what is wrong with it.
    pub reason: String,
}

/// Nanoseconds of a text that is either a whole number of seconds or a Go duration (C-EXE-12).
///
/// # Errors
/// When it is neither.
pub fn parse(text: &str) -> Result<i64, Error> {
    if let Ok(seconds) = crate::value::number::parse_int(text, 10) {
        return Ok(seconds.wrapping_mul(1_000_000_000));
    }
    parse_go(text).map_err(|reason| Error {
        text: text.to_owned(),
        reason,
    })
}

/// Nanoseconds of the short form that the command line takes: a whole number and one of `s`, `m`, `h`, `d`.
///
/// # Errors
/// Any other text.
pub fn parse_since(text: &str) -> Result<i64, String> {
    let split = text.len().saturating_sub(1);
    let (number, unit) = if text.is_char_boundary(split) {
        text.split_at(split)
    } else {
        ("", "")
    };
    let scale: i64 = match unit {
        "s" => 1,
        "m" => 60,
        "h" => 3600,
        "d" => 86_400,
        _ => 0,
    };
    let digits = !number.is_empty() && number.bytes().all(|b| b.is_ascii_digit());
    if scale == 0 || !digits {
        return Err(format!(
            "Invalid since format '{text}'. Expected format <duration><unit> (e.g. 3h)\n"
        ));
    }
    let number: i64 = number.parse().map_err(|_| {
        format!(
            "strconv.Atoi: parsing {}: value out of range",
            go_quote(number.as_bytes())
        )
    })?;
    Ok(number.wrapping_mul(scale).wrapping_mul(1_000_000_000))
}

/// Nanoseconds of a Go duration: `time.ParseDuration`.
///
/// # Errors
/// Go's words: `time: invalid duration "…"`, `time: missing unit in duration "…"`,
/// `time: unknown unit "…" in duration "…"`.
pub fn parse_go(text: &str) -> Result<i64, String> {
    let quoted = || crate::gotime::quote(text);
    let invalid = || format!("time: invalid duration {}", quoted());
    let (negative, mut rest) = match text.as_bytes().first() {
        Some(b'-') => (true, &text[1..]),
        Some(b'+') => (false, &text[1..]),
        _ => (false, text),
    };
    if rest == "0" {
        return Ok(0);
    }
    if rest.is_empty() {
        return Err(invalid());
    }
    let mut total: u64 = 0;
    while !rest.is_empty() {
        if !rest.starts_with(|c: char| c == '.' || c.is_ascii_digit()) {
            return Err(invalid());
        }
        let whole_end = rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len());
        let (whole, after) = rest.split_at(whole_end);
        let mut value: u64 = 0;
        for d in whole.bytes() {
            value = value
                .checked_mul(10)
                .and_then(|v| v.checked_add(u64::from(d - b'0')))
                .filter(|v| *v <= 1 << 63)
                .ok_or_else(invalid)?;
        }
        let (fraction, after) = match after.strip_prefix('.') {
            Some(f) => {
                let end = f.find(|c: char| !c.is_ascii_digit()).unwrap_or(f.len());
                f.split_at(end)
            }
            None => ("", after),
        };
        if whole.is_empty() && fraction.is_empty() {
            return Err(invalid());
        }
        let unit_end = after
            .find(|c: char| c == '.' || c.is_ascii_digit())
            .unwrap_or(after.len());
        let (unit, after) = after.split_at(unit_end);
        if unit.is_empty() {
            return Err(format!("time: missing unit in duration {}", quoted()));
        }
        let Some(scale) = nanos(unit) else {
            return Err(format!(
                "time: unknown unit {} in duration {}",
                crate::gotime::quote(unit),
                quoted()
            ));
        };
        value = value
            .checked_mul(scale)
            .filter(|v| *v <= 1 << 63)
            .ok_or_else(invalid)?;
        value = value
            .checked_add(fraction_nanos(fraction, scale))
            .filter(|v| *v <= 1 << 63)
            .ok_or_else(invalid)?;
        total = total
            .checked_add(value)
            .filter(|v| *v <= 1 << 63)
            .ok_or_else(invalid)?;
        rest = after;
    }
    if negative {
        return Ok(total.wrapping_neg().cast_signed());
    }
    i64::try_from(total).map_err(|_| invalid())
}

fn fraction_nanos(digits: &str, scale: u64) -> u64 {
    let (mut f, mut div, mut full) = (0u64, 1f64, false);
    for d in digits.bytes() {
        if full {
            continue;
        }
        if f > ((1 << 63) - 1) / 10 {
            full = true;
            continue;
        }
        let next = f * 10 + u64::from(d - b'0');
        if next > 1 << 63 {
            full = true;
            continue;
        }
        f = next;
        div *= 10.0;
    }
    (f as f64 * (scale as f64 / div)) as u64
}

fn nanos(unit: &str) -> Option<u64> {
    Some(match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

/// Go's text of a duration in nanoseconds: `1h0m0s`, `1.5s`, `100ms`, `0s`.
#[must_use]
pub fn show(nanos: i64) -> String {
    if nanos == 0 {
        return "0s".into();
    }
    let sign = if nanos < 0 { "-" } else { "" };
    let u = nanos.unsigned_abs();
    if u < 1_000_000_000 {
        let (unit, scale) = match u {
            0..1_000 => return format!("{sign}{u}ns"),
            1_000..1_000_000 => ("µs", 1_000),
            _ => ("ms", 1_000_000),
        };
        return format!("{sign}{}{unit}", decimal(u, scale));
    }
    let seconds = u / 1_000_000_000;
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    let rest = decimal(u % 60_000_000_000, 1_000_000_000);
    match (hours, minutes) {
        (0, 0) => format!("{sign}{rest}s"),
        (0, m) => format!("{sign}{m}m{rest}s"),
        (h, m) => format!("{sign}{h}h{m}m{rest}s"),
    }
}

fn decimal(value: u64, scale: u64) -> String {
    let digits = scale.ilog10() as usize;
    let fraction = format!("{:0digits$}", value % scale);
    let fraction = fraction.trim_end_matches('0');
    if fraction.is_empty() {
        format!("{}", value / scale)
    } else {
        format!("{}.{fraction}", value / scale)
    }
}

/// A duration rounded to a multiple of another, halves away from zero.
#[must_use]
pub fn round(d: i64, to: i64) -> i64 {
    if to <= 0 {
        return d;
    }
    let rest = d % to;
    if rest.unsigned_abs().saturating_mul(2) < to.unsigned_abs() {
        return d - rest;
    }
    let away = if d < 0 {
        d.checked_sub(to + rest)
    } else {
        d.checked_add(to - rest)
    };
    away.unwrap_or(if d < 0 { i64::MIN } else { i64::MAX })
}

/// Calls a method of `time.Duration` that is known to exist, with arguments of the right types.
#[must_use]
pub fn method(d: i64, name: &str, args: &[Value]) -> Value {
    let other = match args.first() {
        Some(Value::Duration(o)) => *o,
        _ => 0,
    };
    // Go splits before it divides, which decides the last bit.
    let float = |scale: i64| Value::Float((d / scale) as f64 + (d % scale) as f64 / scale as f64);
    match name {
        "Hours" => float(3_600_000_000_000),
        "Minutes" => float(60_000_000_000),
        "Seconds" => float(1_000_000_000),
        "Milliseconds" => Value::Sized(Width::I64, d / 1_000_000),
        "Microseconds" => Value::Sized(Width::I64, d / 1_000),
        "Nanoseconds" => Value::Sized(Width::I64, d),
        "Abs" => Value::Duration(d.checked_abs().unwrap_or(i64::MAX)),
        "Truncate" => Value::Duration(if other <= 0 { d } else { d - d % other }),
        "Round" => Value::Duration(round(d, other)),
        _ => Value::str(show(d)),
    }
}

/// Seconds as `%f` prints them: six places.
#[must_use]
pub fn seconds(nanos: i64) -> String {
    format!("{:.6}", nanos as f64 / 1e9)
}
