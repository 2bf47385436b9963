//! Sprig functions, called as `sprig.NAME(…)`: the table of names and parameters, and the check of arguments that
//! Go's reflection makes. The functions themselves are in families.

mod cases;
mod certificates;
mod crypto;
mod dates;
mod decimal;
mod dicts;
mod lists;
mod logic;
mod numbers;
mod paths;
mod random;
mod regexes;
pub mod semver;
mod strings;
mod table;
mod urls;

use std::collections::BTreeMap;
use std::sync::{Arc, LazyLock};

use crate::expr::types::Type;
use crate::text::Text;
use crate::value::{Element, Func, Map, Value, Width};

/// What a function gives, or what it fails with.
pub type Outcome = Result<Value, String>;

/// A function of the table.
pub struct Function {
    pub name: &'static str,
    /// One letter for each parameter; `*` after the last says that it repeats. `s` string, `i` int, `b` bool,
    /// `a` anything, `t` time, `m` map, `l` list, `u` uint32, `f` float64, `c` certificate.
    pub params: &'static str,
    pub call: fn(&[Value]) -> Outcome,
}

/// How many elements or bytes one call may make.
pub const SIZE: usize = 1_000_000;

/// The functions as a map of name to function.
#[must_use]
pub fn namespace() -> &'static Arc<Map> {
    static ALL: LazyLock<Arc<Map>> = LazyLock::new(|| {
        let entries = table::FUNCTIONS
            .iter()
            .zip(0u16..)
            .map(|(f, at)| (Text::from(f.name), Value::Func(Func::Sprig(at))))
            .collect();
        Arc::new(Map {
            of_text: false,
            entries,
        })
    });
    &ALL
}

/// How many steps a call counts for, beside one for its size: those that compare every element with every other.
#[must_use]
pub fn work(at: u16, args: &[Value]) -> u64 {
    let lists = args.iter().map(|v| match v {
        Value::List(l) => l.items.len() as u64,
        _ => 0,
    });
    match table::FUNCTIONS.get(usize::from(at)).map(|f| f.name) {
        Some("uniq" | "mustUniq") => lists.map(|n| n.saturating_mul(n) / 2).sum(),
        Some("without" | "mustWithout") => lists.sum::<u64>().saturating_mul(args.len() as u64),
        _ => lists.sum(),
    }
}

/// Calls a function by its place in the table.
///
/// # Errors
/// In the original's words.
pub fn call(at: u16, args: &[Value]) -> Outcome {
    let Some(function) = table::FUNCTIONS.get(usize::from(at)) else {
        return Err("invalid operation: cannot call nil".into());
    };
    let repeats = function.params.ends_with('*');
    let params: Vec<char> = function.params.chars().filter(|c| *c != '*').collect();
    let fixed = params.len() - usize::from(repeats);
    if repeats && args.len() < fixed {
        return Err(format!(
            "invalid number of arguments: expected at least {fixed}, got {}",
            args.len()
        ));
    }
    if !repeats && args.len() != fixed {
        return Err(format!(
            "invalid number of arguments: expected {fixed}, got {}",
            args.len()
        ));
    }
    let mut given = Vec::with_capacity(args.len());
    for (i, arg) in args.iter().enumerate() {
        let param = params[i.min(params.len() - 1)];
        match fit(arg, param) {
            Some(v) => given.push(v),
            None if repeats && i >= fixed => {
                return Err(format!(
                    "reflect: cannot use {} as type {} in Call",
                    arg.type_name(),
                    type_name(param)
                ));
            }
            None => {
                return Err(format!(
                    "reflect: Call using {} as type {}",
                    arg.type_name(),
                    type_name(param)
                ));
            }
        }
    }
    (function.call)(&given)
}

/// The argument as the parameter takes it; nil becomes the zero value.
fn fit(arg: &Value, param: char) -> Option<Value> {
    if matches!(arg, Value::Nil) {
        return Some(match param {
            's' => Value::str(""),
            'i' => Value::Int(0),
            'b' => Value::Bool(false),
            'f' => Value::Float(0.0),
            'm' => Value::map(BTreeMap::new()),
            'l' => Value::nil_list(Element::Any),
            't' => Value::Time(Box::new(zero_time())),
            'u' => Value::Sized(Width::U32, 0),
            _ => Value::Nil,
        });
    }
    let wanted = match param {
        's' => Type::Str,
        'i' => Type::Int,
        'b' => Type::Bool,
        'f' => Type::Float,
        'm' => Type::MAP,
        'l' => Type::LIST,
        't' => Type::Time,
        'u' => Type::Sized(Width::U32),
        'c' => Type::Struct("sprig.certificate"),
        _ => return Some(arg.clone()),
    };
    Type::of(arg).assignable_to(&wanted).then(|| arg.clone())
}

fn type_name(param: char) -> &'static str {
    match param {
        's' => "string",
        'i' => "int",
        'b' => "bool",
        'f' => "float64",
        'm' => "map[string]interface {}",
        'l' => "[]interface {}",
        't' => "time.Time",
        'u' => "uint32",
        'c' => "sprig.certificate",
        _ => "interface {}",
    }
}

/// Go's zero time: the first second of year 1 in UTC.
pub(crate) fn zero_time() -> jiff::Zoned {
    jiff::civil::date(1, 1, 1)
        .at(0, 0, 0, 0)
        .to_zoned(jiff::tz::TimeZone::UTC)
        .expect("the first day of year 1 is in range")
}

/// A text parameter that the table has checked.
pub(crate) fn text(args: &[Value], at: usize) -> &[u8] {
    match args.get(at) {
        Some(Value::Str(s)) => s.bytes(),
        _ => b"",
    }
}

/// Like [`text`], valid.
pub(crate) fn string(args: &[Value], at: usize) -> String {
    crate::text::lossy(text(args, at)).into_owned()
}

/// An `int` parameter that the table has checked.
pub(crate) fn int(args: &[Value], at: usize) -> i64 {
    match args.get(at) {
        Some(Value::Int(i)) => *i,
        _ => 0,
    }
}

/// Any parameter.
pub(crate) fn any(args: &[Value], at: usize) -> &Value {
    args.get(at).unwrap_or(&Value::Nil)
}

/// `fmt.Sprint` of a value as Sprig makes text of it: bytes are text.
pub(crate) fn as_text(v: &Value) -> Vec<u8> {
    match v {
        Value::Str(s) => s.bytes().to_vec(),
        Value::Bytes(b) => b.to_vec(),
        other => crate::value::print::plain(other).into_bytes(),
    }
}

/// Go's `reflect.Kind` of a value, `invalid` for nil.
pub(crate) fn kind(v: &Value) -> &'static str {
    match v {
        Value::Struct(s) if s.name.starts_with('*') => "ptr",
        other => Type::of(other).kind(),
    }
}
