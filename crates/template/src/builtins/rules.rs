//! Static rules of the functions: what they may be given and what they give.

use super::Rule;
use crate::expr::types::{Signature, Type};
use crate::value::Element;

const STRINGS: Type = Type::List(Element::Str, None);

const fn sig(params: &'static [Type], out: Type) -> Signature {
    Signature::plain(params, out)
}

const S: Type = Type::Str;
const I: Type = Type::Int;
const ANY: Type = Type::Any;

static TEXT: &[Signature] = &[sig(&[ANY], S)];
static TRIM: &[Signature] = &[sig(&[S], S), sig(&[S, S], S)];
static CUT: &[Signature] = &[sig(&[S, S], S), sig(&[S], S)];
static CASE: &[Signature] = &[sig(&[S], S)];
static SPLIT: &[Signature] = &[sig(&[S, S], STRINGS), sig(&[S, S, I], STRINGS)];
static REPLACE: &[Signature] = &[sig(&[S, S, S, I], S), sig(&[S, S, S], S)];
static REPEAT: &[Signature] = &[sig(&[S, I], S)];
static JOIN: &[Signature] = &[
    sig(&[STRINGS, S], S),
    sig(&[Type::LIST, S], S),
    sig(&[Type::LIST], S),
    sig(&[STRINGS], S),
];
static INDEX: &[Signature] = &[sig(&[S, S], I)];
static HAS: &[Signature] = &[sig(&[S, S], Type::Bool)];
static FROM_JSON: &[Signature] = &[sig(&[S], ANY)];
static SPAN: &[Signature] = &[sig(&[S], Type::Duration)];
static ZONE: &[Signature] = &[sig(&[S], Type::Zone)];
static BITS: &[Signature] = &[sig(&[I, I], I)];
static BIT: &[Signature] = &[sig(&[I], I)];
const INTS: Type = Type::List(Element::Int, None);
const FLOATS: Type = Type::List(Element::Float, None);
static SORT: &[Signature] = &[
    sig(&[Type::LIST, S], Type::LIST),
    sig(&[INTS, S], Type::LIST),
    sig(&[FLOATS, S], Type::LIST),
    sig(&[STRINGS, S], Type::LIST),
    sig(&[Type::LIST], Type::LIST),
    sig(&[FLOATS], Type::LIST),
    sig(&[STRINGS], Type::LIST),
    sig(&[INTS], Type::LIST),
];

/// The rule of a function.
#[must_use]
pub fn rule(name: &str) -> Rule {
    match name {
        "len" => Rule::Validate(len),
        "abs" => Rule::Validate(|t| number("abs", t).cloned()),
        "ceil" => Rule::Validate(|t| number("ceil", t).map(|_| Type::Float)),
        "floor" => Rule::Validate(|t| number("floor", t).map(|_| Type::Float)),
        "round" => Rule::Validate(|t| number("round", t).map(|_| Type::Float)),
        "int" => Rule::Validate(|t| convertible("int", t).map(|()| Type::Int)),
        "float" => Rule::Validate(|t| convertible("float", t).map(|()| Type::Float)),
        "max" => Rule::Validate(|t| several("max", t)),
        "min" => Rule::Validate(|t| several("min", t)),
        "mean" => Rule::Validate(|t| several("mean", t)),
        "median" => Rule::Validate(|t| several("median", t)),
        "now" => Rule::Validate(|t| match t {
            [] | [Type::Zone] => Ok(Type::Time),
            _ => Err(format!(
                "invalid number of arguments (expected 0, got {})",
                t.len()
            )),
        }),
        "date" => Rule::Validate(|t| {
            if t.is_empty() {
                Err("invalid number of arguments (expected at least 1, got 0)".into())
            } else {
                Ok(Type::Time)
            }
        }),
        "first" => Rule::Validate(|t| element("first", t)),
        "last" => Rule::Validate(|t| element("last", t)),
        "take" => Rule::Validate(take),
        "keys" => Rule::Validate(|t| map("cannot get keys from", t).map(|()| Type::LIST)),
        "values" => Rule::Validate(|t| map("cannot get values from", t).map(|()| Type::LIST)),
        "toPairs" => Rule::Validate(|t| map_with("cannot transform", "to pairs", t).map(|()| Type::LIST)),
        "fromPairs" => Rule::Validate(|t| {
            one(t)?;
            if t[0].is_list() || t[0].is_unknown() {
                Ok(Type::AnyMap(false))
            } else {
                Err(format!("cannot transform {} from pairs", t[0].plain_name()))
            }
        }),
        "reverse" => Rule::Validate(|t| list("reverse", t)),
        "uniq" => Rule::Validate(|t| list("uniq", t)),
        "flatten" => Rule::Validate(|t| list("flatten", t)),
        "concat" => Rule::Validate(concat),
        other => Rule::Types(signatures(other)),
    }
}

fn signatures(name: &str) -> &'static [Signature] {
    match name {
        "trim" => TRIM,
        "trimPrefix" | "trimSuffix" => CUT,
        "split" | "splitAfter" => SPLIT,
        "replace" => REPLACE,
        "repeat" => REPEAT,
        "join" => JOIN,
        "indexOf" | "lastIndexOf" => INDEX,
        "hasPrefix" | "hasSuffix" => HAS,
        "fromJSON" => FROM_JSON,
        "duration" => SPAN,
        "timezone" => ZONE,
        "bitnot" => BIT,
        "sort" => SORT,
        "upper" | "lower" | "toBase64" | "fromBase64" => CASE,
        n if n.starts_with("bit") => BITS,
        _ => TEXT,
    }
}

fn one(t: &[Type]) -> Result<(), String> {
    if t.len() == 1 {
        Ok(())
    } else {
        Err(format!(
            "invalid number of arguments (expected 1, got {})",
            t.len()
        ))
    }
}

fn invalid(name: &str, t: &Type) -> String {
    format!("invalid argument for {name} (type {})", t.plain_name())
}

fn len(t: &[Type]) -> Result<Type, String> {
    one(t)?;
    if t[0].is_list() || t[0].is_map() || t[0].is_str() || t[0].is_unknown() {
        Ok(Type::Int)
    } else {
        Err(invalid("len", &t[0]))
    }
}

fn number<'t>(name: &str, t: &'t [Type]) -> Result<&'t Type, String> {
    one(t)?;
    if t[0].is_number_kind() || t[0].is_unknown() {
        Ok(&t[0])
    } else {
        Err(invalid(name, &t[0]))
    }
}

fn convertible(name: &str, t: &[Type]) -> Result<(), String> {
    one(t)?;
    let fits = t[0].is_number_kind() || t[0].is_unknown() || t[0].is_str();
    if fits { Ok(()) } else { Err(invalid(name, &t[0])) }
}

fn several(name: &str, t: &[Type]) -> Result<Type, String> {
    let Some(first) = t.first() else {
        return Err(format!("not enough arguments to call {name}"));
    };
    for given in t {
        if given.is_unknown() || given.is_list() {
            return Ok(Type::Any);
        }
        if !given.is_number_kind() {
            return Err(invalid(name, given));
        }
    }
    Ok(first.clone())
}

fn element(name: &str, t: &[Type]) -> Result<Type, String> {
    one(t)?;
    if t[0].is_list() || t[0].is_unknown() {
        Ok(Type::Any)
    } else {
        Err(format!("cannot get {name} element from {}", t[0].plain_name()))
    }
}

fn take(t: &[Type]) -> Result<Type, String> {
    if t.len() != 2 {
        return Err(format!(
            "invalid number of arguments (expected 2, got {})",
            t.len()
        ));
    }
    if !t[0].is_list() && !t[0].is_unknown() {
        return Err(format!("cannot take from {}", t[0].plain_name()));
    }
    if !(t[1].is_integer() || t[1].is_number_kind() && t[1] != Type::Float || t[1].is_unknown()) {
        return Err(format!("cannot take {} elements", t[1].plain_name()));
    }
    Ok(t[0].clone())
}

fn map(what: &str, t: &[Type]) -> Result<(), String> {
    one(t)?;
    let fits = t[0].is_map() || t[0].is_unknown();
    if fits {
        Ok(())
    } else {
        Err(format!("{what} {}", t[0].plain_name()))
    }
}

fn map_with(before: &str, after: &str, t: &[Type]) -> Result<(), String> {
    one(t)?;
    map(before, t).map_err(|m| format!("{m} {after}"))
}

fn list(name: &str, t: &[Type]) -> Result<Type, String> {
    one(t)?;
    let fits = t[0].is_list() || t[0].is_unknown();
    if fits {
        Ok(Type::LIST)
    } else {
        Err(format!("cannot {name} {}", t[0].plain_name()))
    }
}

fn concat(t: &[Type]) -> Result<Type, String> {
    if t.is_empty() {
        return Err("invalid number of arguments (expected at least 1, got 0)".into());
    }
    match t.iter().find(|t| !t.is_list() && !t.is_unknown()) {
        Some(wrong) => Err(format!("cannot concat {}", wrong.plain_name())),
        None => Ok(Type::LIST),
    }
}
