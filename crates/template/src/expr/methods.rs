//! Methods and fields that values have as Go types: times, durations, zones, versions. Names are Go's.

use super::types::{Signature, Type};
use crate::sprig::semver;
use crate::value::{Element, Method, Value, Width};
use crate::{duration, gotime};

/// What is called on, a method's name, and what it takes and gives.
type Row = (Type, &'static str, Signature);

const ERROR: Type = Type::Named("error");
const INT64: Type = Type::Sized(Width::I64);
const UINT64: Type = Type::Sized(Width::U64);
const VERSION: Type = Type::Struct(semver::TYPE);
const NONE: &[Type] = &[];

const fn row(on: Type, name: &'static str, params: &'static [Type], out: Type) -> Row {
    also(on, name, params, out, &[])
}

const fn also(
    on: Type,
    name: &'static str,
    params: &'static [Type],
    out: Type,
    also: &'static [Type],
) -> Row {
    // Both copies are written out, since a constant function cannot clone.
    let receiver = match on {
        Type::Time => Type::Time,
        Type::Duration => Type::Duration,
        Type::Month => Type::Month,
        Type::Weekday => Type::Weekday,
        Type::Zone => Type::Zone,
        _ => VERSION,
    };
    let signature = Signature {
        receiver: Some(receiver),
        params,
        out,
        also,
        variadic: false,
    };
    (on, name, signature)
}

static METHODS: &[Row] = &[
    row(Type::Time, "Add", &[Type::Duration], Type::Time),
    row(
        Type::Time,
        "AddDate",
        &[Type::Int, Type::Int, Type::Int],
        Type::Time,
    ),
    row(Type::Time, "After", &[Type::Time], Type::Bool),
    row(Type::Time, "AppendFormat", &[Type::Bytes, Type::Str], Type::Bytes),
    also(Type::Time, "AppendText", &[Type::Bytes], Type::Bytes, &[ERROR]),
    row(Type::Time, "Before", &[Type::Time], Type::Bool),
    also(Type::Time, "Clock", NONE, Type::Int, &[Type::Int, Type::Int]),
    row(Type::Time, "Compare", &[Type::Time], Type::Int),
    also(Type::Time, "Date", NONE, Type::Int, &[Type::Month, Type::Int]),
    row(Type::Time, "Day", NONE, Type::Int),
    row(Type::Time, "Equal", &[Type::Time], Type::Bool),
    row(Type::Time, "Format", &[Type::Str], Type::Str),
    row(Type::Time, "GoString", NONE, Type::Str),
    also(Type::Time, "GobEncode", NONE, Type::Bytes, &[ERROR]),
    row(Type::Time, "Hour", NONE, Type::Int),
    also(Type::Time, "ISOWeek", NONE, Type::Int, &[Type::Int]),
    row(Type::Time, "In", &[Type::Zone], Type::Time),
    row(Type::Time, "IsDST", NONE, Type::Bool),
    row(Type::Time, "IsZero", NONE, Type::Bool),
    row(Type::Time, "Local", NONE, Type::Time),
    row(Type::Time, "Location", NONE, Type::Zone),
    also(Type::Time, "MarshalBinary", NONE, Type::Bytes, &[ERROR]),
    also(Type::Time, "MarshalJSON", NONE, Type::Bytes, &[ERROR]),
    also(Type::Time, "MarshalText", NONE, Type::Bytes, &[ERROR]),
    row(Type::Time, "Minute", NONE, Type::Int),
    row(Type::Time, "Month", NONE, Type::Month),
    row(Type::Time, "Nanosecond", NONE, Type::Int),
    row(Type::Time, "Round", &[Type::Duration], Type::Time),
    row(Type::Time, "Second", NONE, Type::Int),
    row(Type::Time, "String", NONE, Type::Str),
    row(Type::Time, "Sub", &[Type::Time], Type::Duration),
    row(Type::Time, "Truncate", &[Type::Duration], Type::Time),
    row(Type::Time, "UTC", NONE, Type::Time),
    row(Type::Time, "Unix", NONE, INT64),
    row(Type::Time, "UnixMicro", NONE, INT64),
    row(Type::Time, "UnixMilli", NONE, INT64),
    row(Type::Time, "UnixNano", NONE, INT64),
    row(Type::Time, "Weekday", NONE, Type::Weekday),
    row(Type::Time, "Year", NONE, Type::Int),
    row(Type::Time, "YearDay", NONE, Type::Int),
    also(Type::Time, "Zone", NONE, Type::Str, &[Type::Int]),
    also(Type::Time, "ZoneBounds", NONE, Type::Time, &[Type::Time]),
    row(Type::Duration, "Abs", NONE, Type::Duration),
    row(Type::Duration, "Hours", NONE, Type::Float),
    row(Type::Duration, "Microseconds", NONE, INT64),
    row(Type::Duration, "Milliseconds", NONE, INT64),
    row(Type::Duration, "Minutes", NONE, Type::Float),
    row(Type::Duration, "Nanoseconds", NONE, INT64),
    row(Type::Duration, "Round", &[Type::Duration], Type::Duration),
    row(Type::Duration, "Seconds", NONE, Type::Float),
    row(Type::Duration, "String", NONE, Type::Str),
    row(Type::Duration, "Truncate", &[Type::Duration], Type::Duration),
    row(Type::Month, "String", NONE, Type::Str),
    row(Type::Weekday, "String", NONE, Type::Str),
    row(Type::Zone, "String", NONE, Type::Str),
    row(VERSION, "Compare", &[VERSION], Type::Int),
    row(VERSION, "Equal", &[VERSION], Type::Bool),
    row(VERSION, "GreaterThan", &[VERSION], Type::Bool),
    row(VERSION, "GreaterThanEqual", &[VERSION], Type::Bool),
    row(VERSION, "LessThan", &[VERSION], Type::Bool),
    row(VERSION, "LessThanEqual", &[VERSION], Type::Bool),
    row(VERSION, "Major", NONE, UINT64),
    row(VERSION, "Metadata", NONE, Type::Str),
    row(VERSION, "Minor", NONE, UINT64),
    row(VERSION, "Original", NONE, Type::Str),
    row(VERSION, "Patch", NONE, UINT64),
    row(VERSION, "Prerelease", NONE, Type::Str),
    row(VERSION, "String", NONE, Type::Str),
];

fn find(base: &Type, name: &str) -> Option<&'static Row> {
    METHODS.iter().find(|(on, n, _)| *n == name && on == base)
}

/// The type of a method, if the type has it.
#[must_use]
pub fn method_type(base: &Type, name: &str) -> Option<Type> {
    find(base, name).map(|(_, _, signature)| Type::Signature(signature))
}

/// A method as a value, not called.
#[must_use]
pub fn bound(base: &Value, name: &str) -> Option<Value> {
    let (_, name, signature) = find(&Type::of(base), name)?;
    Some(Value::Method(Box::new(Method {
        on: base.clone(),
        name,
        signature,
    })))
}

/// The type of a struct's field, if it has it.
#[must_use]
pub fn field_type(base: &Type, name: &str) -> Option<Type> {
    match base {
        Type::Struct("controller.TaskResults") => {
            crate::depends::RESULTS.contains(&name).then_some(Type::Bool)
        }
        Type::Struct("sprig.certificate") => matches!(name, "Cert" | "Key").then_some(Type::Str),
        _ => None,
    }
}

/// Calls a method; `None` when the value has none of this name.
///
/// # Errors
/// Arguments that do not fit.
pub fn call(base: &Value, name: &str, args: &[Value]) -> Result<Option<Value>, String> {
    let Some((_, name, signature)) = find(&Type::of(base), name) else {
        return Ok(None);
    };
    invoke(base, name, signature, args).map(Some)
}

/// Calls a method that the value is known to have.
///
/// # Errors
/// Arguments that do not fit.
pub fn invoke(base: &Value, name: &str, signature: &Signature, args: &[Value]) -> Result<Value, String> {
    if args.len() != signature.params.len() {
        let many = if args.len() > signature.params.len() {
            "many"
        } else {
            "few"
        };
        return Err(format!("reflect: Call with too {many} input arguments"));
    }
    for (arg, param) in args.iter().zip(signature.params) {
        let given = Type::of(arg);
        if given != *param && !(matches!(given, Type::List(..)) && given.assignable_to(param)) {
            return Err(format!(
                "reflect: Call using {} as type {}",
                arg.type_name(),
                param.plain_name()
            ));
        }
    }
    Ok(match base {
        Value::Time(t) => gotime::methods::call(t, name, args)?,
        Value::Duration(d) => duration::method(*d, name, args),
        Value::Month(m) => Value::str(gotime::month_name(*m)),
        Value::Weekday(d) => Value::str(gotime::weekday_name(*d)),
        Value::Zone(z) => Value::str(gotime::zone_name(z)),
        Value::Struct(s) => semver::method(&s.text, name, args)?,
        _ => Value::nil_list(Element::Any),
    })
}
