//! Durations as Go writes them (`1m30s`, `2.5h`). Only what this crate reads: crate `template`
//! has the same for expressions, and is too much for the small program.

use std::time::Duration;

const UNITS: &[(&str, u64)] = &[
    ("ns", 1),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ms", 1_000_000),
    ("s", 1_000_000_000),
    ("m", 60_000_000_000),
    ("h", 3_600_000_000_000),
];

/// Reads a duration that is not negative; `None` when it is no duration or longer than Go can
/// hold (about 292 years).
pub fn parse(text: &str) -> Option<Duration> {
    let mut rest = text.strip_prefix('+').unwrap_or(text);
    if rest == "0" {
        return Some(Duration::ZERO);
    }
    if rest.is_empty() {
        return None;
    }
    let mut nanos: u64 = 0;
    while !rest.is_empty() {
        let digits = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let (number, tail) = rest.split_at(digits);
        let end = tail
            .find(|c: char| c.is_ascii_digit() || c == '.')
            .unwrap_or(tail.len());
        let (unit, tail) = tail.split_at(end);
        let (_, scale) = UNITS.iter().find(|(name, _)| *name == unit)?;
        nanos = nanos.checked_add(scaled(number, *scale)?)?;
        rest = tail;
    }
    i64::try_from(nanos).ok().map(|_| Duration::from_nanos(nanos))
}

/// A decimal number times a scale, without going through floats.
fn scaled(number: &str, scale: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let whole = if whole.is_empty() {
        0
    } else {
        whole.parse::<u64>().ok()?
    };
    let mut total = whole.checked_mul(scale)?;
    let mut unit = scale;
    for digit in fraction.bytes() {
        unit /= 10;
        total = total.checked_add(u64::from(digit - b'0') * unit)?;
    }
    Some(total)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn go_durations() {
        for (text, want) in [
            ("0", Some(0)),
            ("3s", Some(3000)),
            ("1m0s", Some(60_000)),
            ("1h1.5m", Some(3_690_000)),
            (".5s", Some(500)),
            ("10ms", Some(10)),
            ("", None),
            ("5", None),
            ("s", None),
            ("-1s", None),
            ("1.2.3s", None),
            ("9999999h", None),
        ] {
            let got = parse(text).map(|d| d.as_millis() as u64);
            assert_eq!(got, want, "{text}");
        }
    }
}
