//! The functions that the language has by itself: their names, their static rules, and the way to each family.

pub mod bits;
pub mod json;
pub mod lists;
pub mod maps;
pub mod numbers;
pub mod rules;
pub mod strings;
pub mod time;

use crate::expr::eval::Machine;
use crate::expr::types::{Signature, Type};
use crate::value::Value;

/// An argument of a function with a closure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Argument {
    Plain,
    Closure,
    OptionalPlain,
    OptionalClosure,
}

impl Argument {
    #[must_use]
    pub fn is_optional(self) -> bool {
        matches!(self, Self::OptionalPlain | Self::OptionalClosure)
    }

    #[must_use]
    pub fn is_closure(self) -> bool {
        matches!(self, Self::Closure | Self::OptionalClosure)
    }
}

/// How the static check judges a call.
pub enum Rule {
    /// By a function over the types of all arguments.
    Validate(fn(&[Type]) -> Result<Type, String>),
    /// By signatures, of which one must fit.
    Types(&'static [Signature]),
}

use Argument::{Closure, OptionalClosure, OptionalPlain, Plain};

const PREDICATE: &[Argument] = &[Plain, Closure];

/// Functions with a closure and the shape of their arguments.
const CLOSURES: &[(&str, &[Argument])] = &[
    ("all", PREDICATE),
    ("none", PREDICATE),
    ("any", PREDICATE),
    ("one", PREDICATE),
    ("filter", PREDICATE),
    ("map", PREDICATE),
    ("count", &[Plain, OptionalClosure]),
    ("sum", &[Plain, OptionalClosure]),
    ("find", PREDICATE),
    ("findIndex", PREDICATE),
    ("findLast", PREDICATE),
    ("findLastIndex", PREDICATE),
    ("groupBy", PREDICATE),
    ("sortBy", &[Plain, Closure, OptionalPlain]),
    ("reduce", &[Plain, Closure, OptionalPlain]),
];

/// All others.
const PLAIN: &[&str] = &[
    "abs",
    "bitand",
    "bitnand",
    "bitnot",
    "bitor",
    "bitshl",
    "bitshr",
    "bitushr",
    "bitxor",
    "ceil",
    "concat",
    "date",
    "duration",
    "first",
    "flatten",
    "float",
    "floor",
    "fromBase64",
    "fromJSON",
    "fromPairs",
    "get",
    "hasPrefix",
    "hasSuffix",
    "indexOf",
    "int",
    "join",
    "keys",
    "last",
    "lastIndexOf",
    "len",
    "lower",
    "max",
    "mean",
    "median",
    "min",
    "now",
    "repeat",
    "replace",
    "reverse",
    "round",
    "sort",
    "split",
    "splitAfter",
    "string",
    "take",
    "timezone",
    "toBase64",
    "toJSON",
    "toPairs",
    "trim",
    "trimPrefix",
    "trimSuffix",
    "type",
    "uniq",
    "upper",
    "values",
];

/// The shape of a function with a closure, if `name` is one.
#[must_use]
pub fn closure_shape(name: &str) -> Option<(&'static str, &'static [Argument])> {
    CLOSURES.iter().find(|(n, _)| *n == name).copied()
}

/// The function without closure of this name.
#[must_use]
pub fn known(name: &str) -> Option<&'static str> {
    PLAIN.binary_search(&name).ok().map(|i| PLAIN[i])
}

/// Every function's name.
pub fn all_names() -> impl Iterator<Item = &'static str> {
    CLOSURES.iter().map(|(n, _)| *n).chain(PLAIN.iter().copied())
}

/// The static rule of a function without closure.
#[must_use]
pub fn rule(name: &str) -> Rule {
    rules::rule(name)
}

/// Functions that are called by their names: one for each family.
pub type Function = fn(&mut Machine<'_>, &str, &[Value]) -> Result<Value, String>;

/// What calls the function without closure of this name; its errors are in the original's words.
#[must_use]
pub fn function(name: &str) -> Function {
    match name {
        "len" | "type" | "string" => |_, name, args| strings::general(name, args),
        "abs" | "ceil" | "floor" | "round" | "int" | "float" | "max" | "min" | "mean" | "median" => {
            |_, name, args| numbers::call(name, args)
        }
        "trim" | "trimPrefix" | "trimSuffix" | "upper" | "lower" | "split" | "splitAfter" | "replace"
        | "repeat" | "join" | "indexOf" | "lastIndexOf" | "hasPrefix" | "hasSuffix" => strings::call,
        "toJSON" | "fromJSON" | "toBase64" | "fromBase64" => |_, name, args| json::call(name, args),
        "now" | "duration" | "date" | "timezone" => |_, name, args| time::call(name, args),
        "keys" | "values" | "toPairs" | "fromPairs" => maps::call,
        "bitand" | "bitor" | "bitxor" | "bitnand" | "bitnot" | "bitshl" | "bitshr" | "bitushr" => {
            |_, name, args| bits::call(name, args)
        }
        _ => lists::call,
    }
}

/// The argument at a place.
///
/// # Errors
/// When there are fewer.
pub fn arg(args: &[Value], at: usize) -> Result<&Value, String> {
    args.get(at)
        .ok_or_else(|| format!("invalid number of arguments (got {})", args.len()))
}

/// A text argument.
///
/// # Errors
/// When it is of another type.
pub fn text(args: &[Value], at: usize) -> Result<&crate::text::Text, String> {
    match arg(args, at)? {
        Value::Str(s) => Ok(s),
        other => Err(crate::expr::conversion(other, "string")),
    }
}

/// An integer argument.
///
/// # Errors
/// When it is of another type.
pub fn integer(args: &[Value], at: usize) -> Result<i64, String> {
    match arg(args, at)? {
        Value::Int(i) => Ok(*i),
        other => Err(crate::expr::conversion(other, "int")),
    }
}
