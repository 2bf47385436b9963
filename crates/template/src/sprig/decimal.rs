//! Decimal arithmetic on floats: each is taken as its shortest decimal form, so that 0.1 + 0.2 is 0.3.

/// What to do.
#[derive(Clone, Copy, PartialEq)]
pub enum Op {
    Add,
    Sub,
    Mul,
    Div,
}

/// Digits after the point that a division gives.
const PLACES: i32 = 16;

/// A number `mantissa * 10^exponent`.
#[derive(Clone, Copy)]
struct Decimal {
    mantissa: i128,
    exponent: i32,
}

impl Decimal {
    fn of(f: f64) -> Option<Self> {
        let text = format!("{f:e}");
        let (digits, exponent) = text.split_once('e')?;
        let exponent: i32 = exponent.parse().ok()?;
        let (whole, part) = digits.split_once('.').unwrap_or((digits, ""));
        let mantissa: i128 = format!("{whole}{part}").parse().ok()?;
        Some(Self {
            mantissa,
            exponent: exponent - i32::try_from(part.len()).ok()?,
        })
    }

    fn scaled(self, exponent: i32) -> Option<i128> {
        let up = u32::try_from(self.exponent - exponent).ok()?;
        self.mantissa.checked_mul(10i128.checked_pow(up)?)
    }

    fn float(self) -> f64 {
        format!("{}e{}", self.mantissa, self.exponent)
            .parse()
            .unwrap_or(0.0)
    }
}

/// Folds numbers from the left.
///
/// # Errors
/// A division by zero; a number that is none.
pub fn fold(all: &[f64], op: Op) -> Result<f64, String> {
    let Some((first, rest)) = all.split_first() else {
        return Ok(0.0);
    };
    if let Some(bad) = all.iter().find(|f| !f.is_finite()) {
        return Err(format!(
            "Cannot create a Decimal from {}",
            crate::value::number::float_text(*bad)
        ));
    }
    if op == Op::Div && rest.contains(&0.0) {
        return Err("decimal division by 0".into());
    }
    let exact = rest.iter().try_fold(Decimal::of(*first), |acc, f| {
        let next = match (acc, Decimal::of(*f)) {
            (Some(a), Some(b)) => apply(a, b, op),
            _ => None,
        };
        next.map(Some)
    });
    Ok(match exact {
        Some(Some(d)) => d.float(),
        // Numbers too far apart for 128 bits: the float result differs in the last digit at most.
        _ => rest.iter().fold(*first, |a, b| match op {
            Op::Add => a + b,
            Op::Sub => a - b,
            Op::Mul => a * b,
            Op::Div => a / b,
        }),
    })
}

fn apply(a: Decimal, b: Decimal, op: Op) -> Option<Decimal> {
    match op {
        Op::Mul => Some(Decimal {
            mantissa: a.mantissa.checked_mul(b.mantissa)?,
            exponent: a.exponent + b.exponent,
        }),
        Op::Add | Op::Sub => {
            let exponent = a.exponent.min(b.exponent);
            let (x, y) = (a.scaled(exponent)?, b.scaled(exponent)?);
            let mantissa = if op == Op::Add {
                x.checked_add(y)?
            } else {
                x.checked_sub(y)?
            };
            Some(Decimal { mantissa, exponent })
        }
        Op::Div => {
            let shift = a.exponent - b.exponent + PLACES;
            let (x, y) = if shift >= 0 {
                (
                    a.mantissa
                        .checked_mul(10i128.checked_pow(u32::try_from(shift).ok()?)?)?,
                    b.mantissa,
                )
            } else {
                (
                    a.mantissa,
                    b.mantissa
                        .checked_mul(10i128.checked_pow(u32::try_from(-shift).ok()?)?)?,
                )
            };
            let (quotient, rest) = (x / y, x % y);
            let away = if rest.unsigned_abs().checked_mul(2)? >= y.unsigned_abs() {
                1
            } else {
                0
            };
            let sign = if (x < 0) == (y < 0) { 1 } else { -1 };
            Some(Decimal {
                mantissa: quotient + sign * away,
                exponent: -PLACES,
            })
        }
    }
}
