//! Computes a planned condition.

use super::plan::Plan;
use super::token::Token;
use crate::regexp;
use crate::value::number::{float_text, float_to_int};

/// A value in a condition.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    Nothing,
    Number(f64),
    Bool(bool),
    Text(String),
    List(Vec<Operand>),
}

impl Operand {
    /// As messages print it.
    pub fn show(&self) -> String {
        match self {
            Self::Nothing => "<nil>".into(),
            Self::Number(f) => float_text(*f),
            Self::Bool(b) => b.to_string(),
            Self::Text(s) => s.clone(),
            Self::List(items) => {
                format!("[{}]", items.iter().map(Self::show).collect::<Vec<_>>().join(" "))
            }
        }
    }
}

type Outcome = Result<Operand, String>;

/// Computes a plan.
///
/// # Errors
/// Operands that do not fit; parameters, which do not exist.
pub fn run(plan: &Plan) -> Outcome {
    match plan {
        Plan::Nothing => Ok(Operand::Nothing),
        Plan::Value(token) => value(token),
        Plan::Pattern(p) => Ok(Operand::Text(p.as_str().to_owned())),
        Plan::Clause(inner) => run(inner),
        Plan::Prefix(symbol, operand) => prefix(symbol, run(operand)?),
        Plan::Binary(symbol, l, r) => binary(symbol, l, r),
    }
}

fn value(token: &Token) -> Outcome {
    Ok(match token {
        Token::Number(f) => Operand::Number(*f),
        Token::Bool(b) => Operand::Bool(*b),
        Token::Text(s) => Operand::Text(s.clone()),
        // Times count as seconds.
        Token::Time(t) => Operand::Number(t.as_second() as f64),
        Token::Variable(name) => return Err(format!("No parameter '{name}' found.")),
        Token::Accessor(parts) => return Err(format!("No parameter '{}' found.", parts[0])),
        _ => Operand::Nothing,
    })
}

fn prefix(symbol: &str, v: Operand) -> Outcome {
    match (symbol, &v) {
        ("!", Operand::Bool(b)) => Ok(Operand::Bool(!b)),
        ("-", Operand::Number(f)) => Ok(Operand::Number(-f)),
        ("~", Operand::Number(f)) => Ok(Operand::Number(!float_to_int(*f) as f64)),
        _ => Err(format!(
            "Value '{}' cannot be used with the prefix '{symbol}'",
            v.show()
        )),
    }
}

fn binary(symbol: &'static str, l: &Plan, r: &Plan) -> Outcome {
    let left = run(l)?;
    match (symbol, &left) {
        ("&&", Operand::Bool(false)) => return Ok(Operand::Bool(false)),
        ("||", Operand::Bool(true)) => return Ok(Operand::Bool(true)),
        ("??" | ":", v) if *v != Operand::Nothing => return Ok(left),
        ("?", Operand::Bool(false)) => return Ok(Operand::Nothing),
        _ => {}
    }
    if let Plan::Pattern(pattern) = r {
        let Operand::Text(s) = &left else {
            return Err(wrong(&left, "comparator", symbol, "not a number"));
        };
        return Ok(Operand::Bool(pattern.is_match(s.as_bytes()) == (symbol == "=~")));
    }
    let right = run(r)?;
    match symbol {
        "&&" | "||" => logic(symbol, &left, &right),
        "==" => Ok(Operand::Bool(left == right)),
        "!=" => Ok(Operand::Bool(left != right)),
        "<" | ">" | "<=" | ">=" => compare(symbol, &left, &right),
        "=~" | "!~" => matches(symbol, &left, &right),
        "in" => match &right {
            Operand::List(items) => Ok(Operand::Bool(items.contains(&left))),
            other => Err(wrong(other, "comparator", "in", "not a number")),
        },
        "," => Ok(match left {
            Operand::List(mut items) => {
                items.push(right);
                Operand::List(items)
            }
            left => Operand::List(vec![left, right]),
        }),
        "?" => match left {
            Operand::Bool(true) => Ok(right),
            other => Err(wrong(&other, "ternary operator", "?", "not a bool")),
        },
        ":" | "??" => Ok(right),
        _ => arithmetic(symbol, &left, &right),
    }
}

fn wrong(v: &Operand, what: &str, symbol: &str, not: &str) -> String {
    format!(
        "Value '{}' cannot be used with the {what} '{symbol}', it is {not}",
        v.show()
    )
}

fn logic(symbol: &str, l: &Operand, r: &Operand) -> Outcome {
    match (l, r) {
        (Operand::Bool(_), Operand::Bool(b)) => Ok(Operand::Bool(*b)),
        (Operand::Bool(_), other) | (other, _) => Err(format!(
            "Value '{}' cannot be used with the logical operator '{symbol}', it is not a bool",
            other.show()
        )),
    }
}

fn compare(symbol: &str, l: &Operand, r: &Operand) -> Outcome {
    let order = match (l, r) {
        (Operand::Number(a), Operand::Number(b)) => a.partial_cmp(b),
        (Operand::Text(a), Operand::Text(b)) => Some(a.cmp(b)),
        _ => return Err(wrong(l, "comparator", symbol, "not a number")),
    };
    let Some(order) = order else {
        return Ok(Operand::Bool(false));
    };
    Ok(Operand::Bool(match symbol {
        "<" => order.is_lt(),
        ">" => order.is_gt(),
        "<=" => order.is_le(),
        _ => order.is_ge(),
    }))
}

fn matches(symbol: &str, l: &Operand, r: &Operand) -> Outcome {
    let Operand::Text(text) = l else {
        return Err(wrong(l, "comparator", symbol, "not a number"));
    };
    let Operand::Text(pattern) = r else {
        return Err(wrong(r, "comparator", symbol, "not a number"));
    };
    let pattern =
        regexp::cached(pattern).map_err(|e| format!("Unable to compile regexp pattern '{pattern}': {e}"))?;
    Ok(Operand::Bool(
        pattern.is_match(text.as_bytes()) == (symbol == "=~"),
    ))
}

fn arithmetic(symbol: &str, l: &Operand, r: &Operand) -> Outcome {
    if symbol == "+" && (matches!(l, Operand::Text(_)) || matches!(r, Operand::Text(_))) {
        return Ok(Operand::Text(l.show() + &r.show()));
    }
    // `+` looks at both sides at once and blames the left one.
    if symbol == "+" && !matches!((l, r), (Operand::Number(_), Operand::Number(_))) {
        return Err(wrong(l, "modifier", symbol, "not a number"));
    }
    let number = |v: &Operand| match v {
        Operand::Number(f) => Ok(*f),
        other => Err(wrong(other, "modifier", symbol, "not a number")),
    };
    let (a, b) = (number(l)?, number(r)?);
    let bits = |f: fn(i64, i64) -> i64| f(float_to_int(a), float_to_int(b)) as f64;
    // Shifts work on 64 bits without sign.
    let unsigned = float_to_int(a).cast_unsigned();
    let shift = u32::try_from(float_to_int(b)).ok();
    Ok(Operand::Number(match symbol {
        "+" => a + b,
        "-" => a - b,
        "*" => a * b,
        "/" => a / b,
        "%" => a % b,
        "**" => crate::value::number::pow(a, b),
        "&" => bits(|a, b| a & b),
        "|" => bits(|a, b| a | b),
        "^" => bits(|a, b| a ^ b),
        "<<" => shift.and_then(|s| unsigned.checked_shl(s)).unwrap_or(0) as f64,
        _ => shift.and_then(|s| unsigned.checked_shr(s)).unwrap_or(0) as f64,
    }))
}
