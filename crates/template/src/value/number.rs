//! Numbers in Go's spelling: `strconv` formatting and parsing. No arithmetic here.

/// A float as `%v` prints it: shortest form, with an exponent below 1e-4 and from 1e6 on.
#[must_use]
pub fn float_text(f: f64) -> String {
    shortest(f, -4, 6)
}

/// A float as `encoding/json` writes it, or `None` for infinities and NaN.
#[must_use]
pub fn float_json(f: f64) -> Option<String> {
    if !f.is_finite() {
        return None;
    }
    let a = f.abs();
    if a != 0.0 && !(1e-6..1e21).contains(&a) {
        let text = exponent_form(f);
        // encoding/json writes e-09 as e-9.
        let bytes = text.as_bytes();
        let n = bytes.len();
        if n >= 4 && &bytes[n - 4..n - 1] == b"e-0" {
            return Some(format!("{}{}", &text[..n - 2], &text[n - 1..]));
        }
        return Some(text);
    }
    Some(format!("{f}"))
}

fn special(f: f64) -> Option<&'static str> {
    if f.is_nan() {
        Some("NaN")
    } else if f.is_infinite() {
        Some(if f > 0.0 { "+Inf" } else { "-Inf" })
    } else {
        None
    }
}

/// `strconv.FormatFloat(f, 'g', -1, 64)` with the given bounds of the decimal exponent for plain form.
#[must_use]
pub fn shortest(f: f64, low: i32, high: i32) -> String {
    if let Some(s) = special(f) {
        return s.to_owned();
    }
    if f == 0.0 {
        return if f.is_sign_negative() {
            "-0".into()
        } else {
            "0".into()
        };
    }
    let scientific = format!("{f:e}");
    let exponent: i32 = scientific
        .split_once('e')
        .and_then(|(_, e)| e.parse().ok())
        .unwrap_or(0);
    if exponent < low || exponent >= high {
        exponent_form(f)
    } else {
        format!("{f}")
    }
}

/// `1e+21`: shortest digits, exponent with sign and at least two digits.
#[must_use]
pub fn exponent_form(f: f64) -> String {
    if let Some(s) = special(f) {
        return s.to_owned();
    }
    let text = format!("{f:e}");
    let Some((digits, exponent)) = text.split_once('e') else {
        return text;
    };
    let (sign, number) = match exponent.strip_prefix('-') {
        Some(n) => ('-', n),
        None => ('+', exponent),
    };
    format!("{digits}e{sign}{number:0>2}")
}

/// Why a text is no number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Bad {
    Syntax,
    Range,
}

impl Bad {
    /// Go's words for it.
    #[must_use]
    pub fn text(self) -> &'static str {
        match self {
            Self::Syntax => "invalid syntax",
            Self::Range => "value out of range",
        }
    }
}

/// `strconv.ParseInt(s, base, 64)`; base 0 reads the prefixes `0x`, `0o`, `0b`, `0` and underscores.
///
/// # Errors
/// When the text is no integer, or one outside 64 bits.
pub fn parse_int(s: &str, base: u32) -> Result<i64, Bad> {
    let (negative, body) = match s.as_bytes().first() {
        Some(b'-') => (true, &s[1..]),
        Some(b'+') => (false, &s[1..]),
        _ => (false, s),
    };
    let magnitude = parse_uint(body, base)?;
    let limit = if negative { 1u64 << 63 } else { (1u64 << 63) - 1 };
    if magnitude > limit {
        return Err(Bad::Range);
    }
    Ok(if negative {
        magnitude.wrapping_neg().cast_signed()
    } else {
        magnitude.cast_signed()
    })
}

/// What `strconv.ParseInt` gives beside an error that nobody looks at: the nearest number there is, or 0.
#[must_use]
pub fn parse_int_or_nearest(s: &str, base: u32) -> i64 {
    match parse_int(s, base) {
        Ok(number) => number,
        Err(Bad::Range) if s.starts_with('-') => i64::MIN,
        Err(Bad::Range) => i64::MAX,
        Err(Bad::Syntax) => 0,
    }
}

/// `strconv.ParseUint(s, base, 64)`.
///
/// # Errors
/// When the text is no unsigned integer, or one outside 64 bits.
pub fn parse_uint(s: &str, base: u32) -> Result<u64, Bad> {
    if s.is_empty() {
        return Err(Bad::Syntax);
    }
    let (radix, digits) = if base == 0 {
        prefixed(s)?
    } else {
        (base, s.to_owned())
    };
    if digits.is_empty() {
        return Err(Bad::Syntax);
    }
    let mut n: u64 = 0;
    let mut over = false;
    for c in digits.chars() {
        let d = c.to_digit(radix).ok_or(Bad::Syntax)?;
        match n
            .checked_mul(u64::from(radix))
            .and_then(|n| n.checked_add(u64::from(d)))
        {
            Some(next) => n = next,
            None => over = true,
        }
    }
    if over { Err(Bad::Range) } else { Ok(n) }
}

fn prefixed(s: &str) -> Result<(u32, String), Bad> {
    let lower = s.to_ascii_lowercase();
    let (radix, body, had_prefix) = if let Some(b) = lower.strip_prefix("0x") {
        (16, b, true)
    } else if let Some(b) = lower.strip_prefix("0o") {
        (8, b, true)
    } else if let Some(b) = lower.strip_prefix("0b") {
        (2, b, true)
    } else if lower.len() > 1 && lower.starts_with('0') {
        (8, &lower[1..], true)
    } else {
        (10, lower.as_str(), false)
    };
    if body.contains('_') {
        let proper = body
            .split('_')
            .enumerate()
            .all(|(i, part)| !part.is_empty() || (i == 0 && had_prefix));
        if !proper {
            return Err(Bad::Syntax);
        }
    }
    Ok((radix, body.replace('_', "")))
}

/// `strconv.ParseFloat(s, 64)`: decimal, hexadecimal, `inf`, `infinity`, `nan`; underscores between digits.
///
/// # Errors
/// When the text is no number or one too large.
pub fn parse_float(s: &str) -> Result<f64, Bad> {
    let (negative, body) = match s.as_bytes().first() {
        Some(b'-') => (true, &s[1..]),
        Some(b'+') => (false, &s[1..]),
        _ => (false, s),
    };
    let mut lower = body.to_ascii_lowercase();
    if lower.contains('_') {
        if !underscores_fit(&lower) {
            return Err(Bad::Syntax);
        }
        lower.retain(|c| c != '_');
    }
    let value = if lower == "inf" || lower == "infinity" {
        f64::INFINITY
    } else if lower == "nan" {
        f64::NAN
    } else if let Some(hex) = lower.strip_prefix("0x") {
        hex_float(hex)?
    } else {
        if !lower.starts_with(|c: char| c.is_ascii_digit() || c == '.') {
            return Err(Bad::Syntax);
        }
        let f: f64 = lower.parse().map_err(|_| Bad::Syntax)?;
        if f.is_infinite() {
            return Err(Bad::Range);
        }
        f
    };
    Ok(if negative { -value } else { value })
}

/// Whether every underscore stands between digits (or after `0x`).
fn underscores_fit(s: &str) -> bool {
    let hex = s.starts_with("0x");
    let digit = |c: Option<char>| {
        c.is_some_and(|c| c.is_ascii_digit() || (hex && (c.is_ascii_hexdigit() || c == 'x')))
    };
    let chars: Vec<char> = s.chars().collect();
    chars
        .iter()
        .enumerate()
        .filter(|(_, c)| **c == '_')
        .all(|(i, _)| {
            let before = i.checked_sub(1).and_then(|b| chars.get(b)).copied();
            digit(before) && digit(chars.get(i + 1).copied())
        })
}

fn hex_float(s: &str) -> Result<f64, Bad> {
    let (mantissa, exponent) = s.split_once('p').ok_or(Bad::Syntax)?;
    let exponent: i32 = exponent.parse().map_err(|_| Bad::Syntax)?;
    let (whole, part) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    if whole.is_empty() && part.is_empty() {
        return Err(Bad::Syntax);
    }
    let mut value = 0f64;
    for c in whole.chars().chain(part.chars()) {
        value = value * 16.0 + f64::from(c.to_digit(16).ok_or(Bad::Syntax)?);
    }
    let places = i32::try_from(part.len()).map_err(|_| Bad::Range)?;
    let f = value * 2f64.powi(exponent.saturating_sub(places.saturating_mul(4)));
    if f.is_infinite() { Err(Bad::Range) } else { Ok(f) }
}

/// A float turned into `int` as the processor does it: what does not fit becomes the smallest integer.
#[must_use]
pub fn float_to_int(f: f64) -> i64 {
    if !(-9_223_372_036_854_775_808.0..9_223_372_036_854_775_808.0).contains(&f) {
        i64::MIN
    } else {
        f as i64
    }
}

/// `math.Pow`, step by step as Go computes it, so that the last digit is the same.
#[must_use]
pub fn pow(x: f64, y: f64) -> f64 {
    if y == 0.0 || x == 1.0 {
        return 1.0;
    }
    if y == 1.0 {
        return x;
    }
    if x.is_nan() || y.is_nan() || x == 0.0 || x.is_infinite() || y.is_infinite() {
        // These cases are exact and the same everywhere.
        return x.powf(y);
    }
    if y == 0.5 {
        return x.sqrt();
    }
    if y == -0.5 {
        return 1.0 / x.sqrt();
    }
    let (mut whole, mut part) = (y.abs().trunc(), y.abs().fract());
    if part != 0.0 && x < 0.0 {
        return f64::NAN;
    }
    if whole >= 9.223_372_036_854_776e18 {
        return x.powf(y);
    }
    let mut result = 1.0;
    let mut exponent: i64 = 0;
    if part != 0.0 {
        if part > 0.5 {
            part -= 1.0;
            whole += 1.0;
        }
        result = (part * x.ln()).exp();
    }
    let (mut base, base_exponent) = split(x);
    let mut scale = i64::from(base_exponent);
    let mut bits = float_to_int(whole);
    while bits != 0 {
        if !(-(1 << 12)..=1 << 12).contains(&scale) {
            // Far out of range: the exponent alone decides.
            exponent += scale;
            break;
        }
        if bits & 1 == 1 {
            result *= base;
            exponent += scale;
        }
        base *= base;
        scale <<= 1;
        if base < 0.5 {
            base += base;
            scale -= 1;
        }
        bits >>= 1;
    }
    if y < 0.0 {
        result = 1.0 / result;
        exponent = -exponent;
    }
    join(result, exponent)
}

/// A float as fraction in [½, 1) and power of two.
fn split(x: f64) -> (f64, i32) {
    let bits = x.to_bits();
    let exponent = i32::try_from(bits >> 52 & 0x7ff).unwrap_or(0);
    if exponent == 0 {
        let (fraction, e) = split(x * (1u64 << 54) as f64);
        return (fraction, e - 54);
    }
    (
        f64::from_bits(bits & !(0x7ff << 52) | 1022 << 52),
        exponent - 1022,
    )
}

/// A float times a power of two.
fn join(fraction: f64, exponent: i64) -> f64 {
    let mut left = exponent.clamp(-3000, 3000);
    let mut value = fraction;
    while left != 0 {
        let step = left.clamp(-1000, 1000);
        value *= 2f64.powi(i32::try_from(step).unwrap_or(0));
        left -= step;
    }
    value
}
