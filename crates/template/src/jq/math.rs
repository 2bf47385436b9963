//! Functions of numbers.

use super::functions::misfit;
use super::value::{Num, Val};
use super::{Flow, ops};

type One = fn(f64) -> f64;
type Two = fn(f64, f64) -> f64;

/// Functions of one number.
const ONE: &[(&str, One)] = &[
    ("acos", f64::acos),
    ("acosh", f64::acosh),
    ("asin", f64::asin),
    ("asinh", f64::asinh),
    ("atan", f64::atan),
    ("atanh", f64::atanh),
    ("cbrt", libm::cbrt),
    ("cos", f64::cos),
    ("cosh", f64::cosh),
    ("erf", libm::erf),
    ("erfc", libm::erfc),
    ("exp", f64::exp),
    ("exp10", |x| 10_f64.powf(x)),
    ("exp2", f64::exp2),
    ("expm1", f64::exp_m1),
    ("fabs", f64::abs),
    ("gamma", libm::tgamma),
    ("j0", libm::j0),
    ("j1", libm::j1),
    ("lgamma", |x| libm::lgamma_r(x).0),
    ("log", f64::ln),
    ("log10", f64::log10),
    ("log1p", f64::ln_1p),
    ("log2", f64::log2),
    ("logb", |x| {
        if x == 0.0 {
            f64::NEG_INFINITY
        } else if x.is_finite() {
            f64::from(libm::ilogb(x))
        } else {
            x.abs()
        }
    }),
    ("nearbyint", f64::round_ties_even),
    ("rint", f64::round_ties_even),
    ("significand", significand),
    ("sin", f64::sin),
    ("sinh", f64::sinh),
    ("sqrt", f64::sqrt),
    ("tan", f64::tan),
    ("tanh", f64::tanh),
    ("tgamma", libm::tgamma),
    ("y0", libm::y0),
    ("y1", libm::y1),
];

/// Functions that leave whole numbers alone.
const ROUND: &[(&str, One)] = &[
    ("ceil", f64::ceil),
    ("floor", f64::floor),
    ("round", f64::round),
    ("trunc", f64::trunc),
];

/// Functions of two numbers, both arguments.
const TWO: &[(&str, Two)] = &[
    ("atan2", f64::atan2),
    ("copysign", f64::copysign),
    ("drem", libm::remainder),
    ("fdim", |a, b| if a > b { a - b } else { 0.0 }),
    ("fmax", f64::max),
    ("fmin", f64::min),
    ("fmod", |a, b| a % b),
    ("hypot", f64::hypot),
    ("jn", |n, x| libm::jn(small(n), x)),
    ("ldexp", |a, b| libm::ldexp(a, small(b))),
    ("nextafter", libm::nextafter),
    ("nexttoward", libm::nextafter),
    ("pow", crate::value::number::pow),
    ("remainder", libm::remainder),
    ("scalb", |a, b| a * b.exp2()),
    ("scalbln", |a, b| libm::ldexp(a, small(b))),
    ("yn", |n, x| libm::yn(small(n), x)),
];

/// Names that need no table: special results, kinds of numbers, three arguments.
const OTHERS: &[(&str, usize)] = &[
    ("abs", 0),
    ("fma", 3),
    ("frexp", 0),
    ("infinite", 0),
    ("isinfinite", 0),
    ("isnan", 0),
    ("isnormal", 0),
    ("modf", 0),
    ("nan", 0),
];

#[expect(
    clippy::cast_possible_truncation,
    reason = "`as` clamps, which is what is wanted"
)]
fn small(f: f64) -> i32 {
    f as i32
}

fn significand(x: f64) -> f64 {
    if x == 0.0 || !x.is_finite() {
        return x;
    }
    x / f64::from(libm::ilogb(x)).exp2()
}

/// Names and numbers of arguments of all of them.
pub fn names() -> impl Iterator<Item = (String, usize)> {
    let ones = ONE.iter().chain(ROUND).map(|(n, _)| (*n, 0));
    let twos = TWO.iter().map(|(n, _)| (*n, 2));
    ones.chain(twos)
        .chain(OTHERS.iter().copied())
        .map(|(n, args)| (n.to_owned(), args))
}

/// Whether there is such a function.
pub fn known(name: &str, args: usize) -> bool {
    names().any(|(n, a)| n == name && a == args)
}

/// Calls a function.
///
/// # Errors
/// When a value is no number.
pub fn call(name: &str, v: &Val, args: &[Val]) -> Flow<Val> {
    match (name, args) {
        ("nan", []) => return Ok(Val::float(f64::NAN)),
        ("infinite", []) => return Ok(Val::float(f64::INFINITY)),
        ("abs", []) => {
            return match v {
                Val::Num(n) if n.float() < 0.0 => ops::negate(v),
                Val::Num(_) => Ok(v.clone()),
                _ => Err(misfit(name, &[], v)),
            };
        }
        _ => {}
    }
    let number = |v: &Val| match v {
        Val::Num(n) => Ok(n.float()),
        other => Err(misfit(name, &[], other)),
    };
    match args {
        [] => {
            let x = number(v)?;
            match name {
                "isinfinite" => Ok(Val::Bool(x.is_infinite())),
                "isnan" => Ok(Val::Bool(x.is_nan())),
                "isnormal" => Ok(Val::Bool(x.is_normal())),
                "frexp" => {
                    let (fraction, exponent) = libm::frexp(x);
                    Val::array(vec![Val::float(fraction), Val::Num(Num::Int(exponent.into()))])
                }
                "modf" => {
                    let (fraction, whole) = libm::modf(x);
                    Val::array(vec![Val::float(fraction), Val::float(whole)])
                }
                _ => rounded(name, v, x),
            }
        }
        [a, b] => {
            let (a, b) = (number(a)?, number(b)?);
            let found = TWO.iter().find(|(n, _)| *n == name);
            found.map_or_else(|| Err(misfit(name, args, v)), |(_, f)| Ok(Val::float(f(a, b))))
        }
        [a, b, c] => Ok(Val::float(number(a)?.mul_add(number(b)?, number(c)?))),
        _ => Err(misfit(name, args, v)),
    }
}

fn rounded(name: &str, v: &Val, x: f64) -> Flow<Val> {
    if let Some((_, f)) = ROUND.iter().find(|(n, _)| *n == name) {
        return Ok(match v {
            Val::Num(n) if n.whole().is_some() => v.clone(),
            _ => Val::float(f(x)),
        });
    }
    let found = ONE.iter().find(|(n, _)| *n == name);
    found.map_or_else(|| Err(misfit(name, &[], v)), |(_, f)| Ok(Val::float(f(x))))
}
