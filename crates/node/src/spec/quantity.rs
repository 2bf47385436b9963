//! Quantities of Kubernetes (`1Gi`, `500m`) as numbers.

use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

/// The value in thousandths, rounded up; `None` when the text is no quantity.
pub(crate) fn milli(quantity: &Quantity) -> Option<i128> {
    let text = quantity.0.trim();
    let end = text
        .find(|c: char| !c.is_ascii_digit() && !matches!(c, '.' | '+' | '-'))
        .unwrap_or(text.len());
    let (number, suffix) = text.split_at(end);
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let negative = whole.starts_with('-');
    let digits: String = whole
        .trim_start_matches(['+', '-'])
        .chars()
        .chain(fraction.chars())
        .collect();
    let mantissa: i128 = digits.parse().ok()?;
    let mut shrink = u32::try_from(fraction.len()).ok()?;
    let mut value = mantissa.checked_mul(1000)?;
    let binary = |power: u32| 1024i128.checked_pow(power);
    let factor = match suffix {
        "n" | "u" | "m" | "" | "k" | "M" | "G" | "T" | "P" | "E" => {
            let power = match suffix {
                "n" => -9,
                "u" => -6,
                "m" => -3,
                "" => 0,
                "k" => 3,
                "M" => 6,
                "G" => 9,
                "T" => 12,
                "P" => 15,
                _ => 18,
            };
            power_of_ten(power, &mut shrink)?
        }
        "Ki" => binary(1)?,
        "Mi" => binary(2)?,
        "Gi" => binary(3)?,
        "Ti" => binary(4)?,
        "Pi" => binary(5)?,
        "Ei" => binary(6)?,
        exponent => {
            let power: i32 = exponent.strip_prefix(['e', 'E'])?.parse().ok()?;
            power_of_ten(power, &mut shrink)?
        }
    };
    value = value.checked_mul(factor)?;
    let divisor = 10i128.checked_pow(shrink)?;
    let rounded = (value + divisor - 1) / divisor;
    Some(if negative { -rounded } else { rounded })
}

fn power_of_ten(power: i32, shrink: &mut u32) -> Option<i128> {
    if power >= 0 {
        return 10i128.checked_pow(power.unsigned_abs());
    }
    *shrink = shrink.checked_add(power.unsigned_abs())?;
    Some(1)
}

/// The value rounded up to whole units.
pub(crate) fn bytes(quantity: &Quantity) -> Option<u64> {
    let milli = milli(quantity)?;
    u64::try_from((milli + 999) / 1000).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantities_become_numbers() {
        for (text, expected) in [
            ("1", Some(1000)),
            ("500m", Some(500)),
            ("0.5", Some(500)),
            ("1Gi", Some(1_073_741_824_000)),
            ("1.5Ki", Some(1_536_000)),
            ("1k", Some(1_000_000)),
            ("1e3", Some(1_000_000)),
            ("2E", Some(2_000_000_000_000_000_000_000)),
            ("1n", Some(1)),
            ("-1", Some(-1000)),
            ("", None),
            ("x", None),
            ("1Xi", None),
        ] {
            assert_eq!(milli(&Quantity(text.into())), expected, "{text}");
        }
    }
}
