//! Amounts of resources (`500m`, `1Gi`), canonical as Kubernetes writes them.

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use crate::decode::Reader;
use crate::object::Field;
use crate::schema::{self, Path};

const NANOS: i128 = 1_000_000_000;
/// Larger amounts with a binary suffix are cut to this many whole units, as Kubernetes does.
const MAX_NANOS: i128 = i64::MAX as i128 * NANOS;
/// Larger amounts of any form are cut: 10^28 units.
const LARGEST_NANOS: i128 = 10_i128.pow(37);

/// An amount with its preferred way of writing. Two are equal when their amounts are, whatever their spelling.
#[derive(Clone, Debug, Default)]
pub struct Quantity {
    /// Billionths of a unit.
    nanos: i128,
    form: Form,
    /// The text as it came, where Kubernetes takes it for canonical although it is not, as in `+5` or `1E3`.
    text: Option<Box<str>>,
}

impl PartialEq for Quantity {
    fn eq(&self, other: &Self) -> bool {
        self.nanos == other.nanos
    }
}

impl Eq for Quantity {}

impl Ord for Quantity {
    fn cmp(&self, other: &Self) -> Ordering {
        self.nanos.cmp(&other.nanos)
    }
}

impl PartialOrd for Quantity {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Form {
    #[default]
    Decimal,
    Binary,
    Exponent,
}

/// Why a text is no quantity.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The text has another shape.
    #[error("quantities must match the regular expression '^([+-]?[0-9.]+)([eEinumkKMGTP]*[-+]?[0-9]*)$'")]
    Format,
    /// The letters after the number mean nothing.
    #[error("unable to parse quantity's suffix")]
    Suffix,
}

impl Quantity {
    /// Whole units.
    pub fn from_units(units: i64) -> Self {
        Self {
            nanos: i128::from(units) * NANOS,
            ..Self::default()
        }
    }

    /// Thousandths of a unit, as used for CPU.
    pub fn from_millis(millis: i64) -> Self {
        Self {
            nanos: i128::from(millis) * (NANOS / 1000),
            ..Self::default()
        }
    }

    /// Whole units, rounded up.
    pub fn units(&self) -> i64 {
        ceil(self.nanos, NANOS)
    }

    /// Thousandths, rounded up; cut to what fits.
    pub fn millis(&self) -> i64 {
        ceil(self.nanos, NANOS / 1000)
    }

    /// Whether the amount is zero.
    pub fn is_zero(&self) -> bool {
        self.nanos == 0
    }

    /// The amount in units as a float, which may lose digits.
    pub fn as_f64(&self) -> f64 {
        self.nanos as f64 / NANOS as f64
    }
}

fn ceil(nanos: i128, per: i128) -> i64 {
    let whole = nanos.div_euclid(per) + i128::from(nanos.rem_euclid(per) != 0);
    i64::try_from(whole).unwrap_or(if whole < 0 { i64::MIN } else { i64::MAX })
}

impl FromStr for Quantity {
    type Err = Error;

    fn from_str(text: &str) -> Result<Self, Error> {
        let (negative, rest) = match text.as_bytes().first() {
            Some(b'-') => (true, &text[1..]),
            Some(b'+') => (false, &text[1..]),
            Some(_) => (false, text),
            None => return Err(Error::Format),
        };
        let end = rest
            .find(|c: char| !c.is_ascii_digit() && c != '.')
            .unwrap_or(rest.len());
        let (number, suffix) = rest.split_at(end);
        let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
        if fraction.contains('.') {
            return Err(Error::Format);
        }
        let (binary, power, form) = parse_suffix(suffix)?;
        let mut nanos = scaled(whole, fraction, binary, power);
        if form == Form::Binary {
            nanos = nanos.min(MAX_NANOS);
        }
        let quantity = Self {
            nanos: if negative { -nanos } else { nanos },
            form,
            text: None,
        };
        let kept = is_kept(whole, fraction, binary, power, form) && quantity.to_string() != text;
        Ok(Self {
            text: kept.then(|| text.into()),
            ..quantity
        })
    }
}

/// Whether Kubernetes keeps the text: a cheap test for canonical form, which lets signs and leading zeros pass.
fn is_kept(whole: &str, fraction: &str, binary: u32, power: i64, form: Form) -> bool {
    let whole = whole.trim_start_matches('0');
    let digits = format!("{whole}{fraction}");
    if form == Form::Binary {
        let room = 14 - i64::from(binary) * 3;
        let odd = digits.parse::<u64>().is_ok_and(|n| n % 8 != 0);
        return fraction.is_empty() && i64::try_from(digits.len()).is_ok_and(|n| n <= room) && odd;
    }
    let scale = i64::try_from(fraction.len()).map_or(i64::MIN, |n| power.saturating_sub(n));
    digits.len() <= 18 && scale >= -9 && scale % 3 == 0 && !digits.ends_with("000") && !whole.is_empty()
}

/// Power of 1024, power of ten and form of a suffix.
fn parse_suffix(suffix: &str) -> Result<(u32, i64, Form), Error> {
    Ok(match suffix {
        "" => (0, 0, Form::Decimal),
        "n" => (0, -9, Form::Decimal),
        "u" => (0, -6, Form::Decimal),
        "m" => (0, -3, Form::Decimal),
        "k" => (0, 3, Form::Decimal),
        "M" => (0, 6, Form::Decimal),
        "G" => (0, 9, Form::Decimal),
        "T" => (0, 12, Form::Decimal),
        "P" => (0, 15, Form::Decimal),
        "E" => (0, 18, Form::Decimal),
        "Ki" => (1, 0, Form::Binary),
        "Mi" => (2, 0, Form::Binary),
        "Gi" => (3, 0, Form::Binary),
        "Ti" => (4, 0, Form::Binary),
        "Pi" => (5, 0, Form::Binary),
        "Ei" => (6, 0, Form::Binary),
        other => match other.strip_prefix(['e', 'E']) {
            Some(power) if power.bytes().any(|b| b.is_ascii_digit()) => {
                (0, power.parse().map_err(|_| Error::Suffix)?, Form::Exponent)
            }
            _ if suffix.chars().all(|c| "eEinumkKMGTP+-0123456789".contains(c)) => return Err(Error::Suffix),
            _ => return Err(Error::Format),
        },
    })
}

/// The billionths of `whole.fraction * 1024^binary * 10^power`, rounded up, and cut at the greatest amount.
fn scaled(whole: &str, fraction: &str, binary: u32, power: i64) -> i128 {
    let digits = format!("{whole}{fraction}");
    let trimmed = digits.trim_start_matches('0');
    if trimmed.is_empty() {
        return 0;
    }
    let factor = 1024_i128.pow(binary);
    // digits * 10^shift * factor, in billionths
    let shift = power
        .saturating_add(9)
        .saturating_sub(i64::try_from(fraction.len()).unwrap_or(i64::MAX));
    let length = i64::try_from(trimmed.len()).unwrap_or(i64::MAX);
    if length.saturating_add(shift) > 37 {
        return LARGEST_NANOS;
    }
    if length.saturating_add(shift) < -20 {
        return 1;
    }
    scale_digits(trimmed, shift, factor)
}

fn scale_digits(digits: &str, shift: i64, factor: i128) -> i128 {
    // Times 1024^6, nineteen digits still fit; without a binary suffix thirty-seven hold every amount in full.
    let keep = digits.len().min(if factor == 1 { 37 } else { 19 });
    let (head, tail) = digits.split_at(keep);
    let mut sticky = tail.bytes().any(|b| b != b'0');
    let mut shift = shift + i64::try_from(tail.len()).unwrap_or(i64::MAX);
    let mut value = head.parse::<i128>().unwrap_or(0).saturating_mul(factor);
    while shift > 0 {
        value = value.saturating_mul(10);
        shift -= 1;
        if value > LARGEST_NANOS {
            return LARGEST_NANOS;
        }
    }
    while shift < 0 {
        sticky |= value % 10 != 0;
        value /= 10;
        shift += 1;
    }
    value + i128::from(sticky)
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(text) = &self.text {
            return f.write_str(text);
        }
        if self.nanos == 0 {
            return f.write_str("0");
        }
        let kilo = 1024 * NANOS;
        let binary = self.form == Form::Binary && self.nanos % NANOS == 0 && self.nanos.abs() >= kilo;
        if binary {
            let (mut value, mut power) = (self.nanos / NANOS, 0);
            while value % 1024 == 0 && power < 6 {
                value /= 1024;
                power += 1;
            }
            return write!(f, "{value}{}", ["", "Ki", "Mi", "Gi", "Ti", "Pi", "Ei"][power]);
        }
        let (mut value, mut power) = (self.nanos, -9);
        while value % 1000 == 0 && (power < 18 || self.form == Form::Exponent) {
            value /= 1000;
            power += 3;
        }
        if self.form == Form::Exponent {
            return if power == 0 {
                write!(f, "{value}")
            } else {
                write!(f, "{value}e{power}")
            };
        }
        let suffix = ["n", "u", "m", "", "k", "M", "G", "T", "P", "E"];
        write!(
            f,
            "{value}{}",
            suffix[usize::try_from(power / 3 + 3).unwrap_or(3)]
        )
    }
}

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Quantity {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        crate::decode::from_deserializer(deserializer)
    }
}

impl Field for Quantity {
    fn read(value: Value, reader: &mut Reader) -> Self {
        let text = match value {
            Value::Null => return Self::default(),
            Value::String(text) => text,
            Value::Number(n) => n.to_string(),
            other => {
                reader.wrong_type::<Self>(&other, "a quantity");
                return Self::default();
            }
        };
        text.trim().parse().unwrap_or_else(|error: Error| {
            reader.invalid(error.to_string());
            Self::default()
        })
    }

    fn go_type() -> String {
        "resource.Quantity".to_owned()
    }

    fn schema(_: &mut Path) -> Value {
        schema::int_or_string()
    }
}
