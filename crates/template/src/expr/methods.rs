//! Methods and fields that values have as Go types: times, durations, zones, versions. Names are Go's.

use super::types::{Signature, Type};
use crate::sprig::semver;
use crate::value::Value;
use crate::{duration, gotime};

const NONE: &[Type] = &[];

const fn sig(params: &'static [Type], out: Type) -> Signature {
    Signature {
        params,
        out,
        variadic: false,
    }
}

static TO_INT: Signature = sig(NONE, Type::Int);
static TO_INT64: Signature = sig(NONE, Type::Sized(crate::value::Width::I64));
static TO_UINT64: Signature = sig(NONE, Type::Sized(crate::value::Width::U64));
static TO_FLOAT: Signature = sig(NONE, Type::Float);
static TO_TEXT: Signature = sig(NONE, Type::Str);
static TO_BOOL: Signature = sig(NONE, Type::Bool);
static TO_TIME: Signature = sig(NONE, Type::Time);
static TO_MONTH: Signature = sig(NONE, Type::Month);
static TO_WEEKDAY: Signature = sig(NONE, Type::Weekday);
static TO_ZONE: Signature = sig(NONE, Type::Zone);
static TO_SPAN: Signature = sig(NONE, Type::Duration);
static FORMAT: Signature = sig(&[Type::Str], Type::Str);
static SPAN_TIME: Signature = sig(&[Type::Duration], Type::Time);
static SPAN_SPAN: Signature = sig(&[Type::Duration], Type::Duration);
static TIME_SPAN: Signature = sig(&[Type::Time], Type::Duration);
static TIME_BOOL: Signature = sig(&[Type::Time], Type::Bool);
static TIME_INT: Signature = sig(&[Type::Time], Type::Int);
static ZONE_TIME: Signature = sig(&[Type::Zone], Type::Time);
static ADD_DATE: Signature = sig(&[Type::Int, Type::Int, Type::Int], Type::Time);
static VERSION_INT: Signature = sig(&[Type::Struct("*semver.Version")], Type::Int);
static VERSION_BOOL: Signature = sig(&[Type::Struct("*semver.Version")], Type::Bool);

fn signature(base: &Type, name: &str) -> Option<&'static Signature> {
    Some(match (base, name) {
        (Type::Time, "Year" | "Day" | "Hour" | "Minute" | "Second" | "Nanosecond" | "YearDay") => &TO_INT,
        (Type::Time, "Unix" | "UnixMilli" | "UnixMicro" | "UnixNano") => &TO_INT64,
        (Type::Time, "Month") => &TO_MONTH,
        (Type::Time, "Weekday") => &TO_WEEKDAY,
        (Type::Time, "Location") => &TO_ZONE,
        (Type::Time, "UTC" | "Local") => &TO_TIME,
        (Type::Time, "Format") => &FORMAT,
        (Type::Time, "String" | "GoString") => &TO_TEXT,
        (Type::Time, "IsZero") => &TO_BOOL,
        (Type::Time, "Add" | "Truncate" | "Round") => &SPAN_TIME,
        (Type::Time, "Sub") => &TIME_SPAN,
        (Type::Time, "AddDate") => &ADD_DATE,
        (Type::Time, "Before" | "After" | "Equal") => &TIME_BOOL,
        (Type::Time, "Compare") => &TIME_INT,
        (Type::Time, "In") => &ZONE_TIME,
        (Type::Duration, "Hours" | "Minutes" | "Seconds") => &TO_FLOAT,
        (Type::Duration, "Milliseconds" | "Microseconds" | "Nanoseconds") => &TO_INT64,
        (Type::Duration | Type::Month | Type::Weekday | Type::Zone, "String") => &TO_TEXT,
        (Type::Duration, "Abs") => &TO_SPAN,
        (Type::Duration, "Round" | "Truncate") => &SPAN_SPAN,
        (Type::Struct("*semver.Version"), _) => match name {
            "Major" | "Minor" | "Patch" => &TO_UINT64,
            "Prerelease" | "Metadata" | "String" | "Original" => &TO_TEXT,
            "Compare" => &VERSION_INT,
            "Equal" | "LessThan" | "GreaterThan" | "LessThanEqual" | "GreaterThanEqual" => &VERSION_BOOL,
            _ => return None,
        },
        _ => return None,
    })
}

/// The type of a method, if the type has it.
#[must_use]
pub fn method_type(base: &Type, name: &str) -> Option<Type> {
    signature(base, name).map(Type::Signature)
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
    let Some(signature) = signature(&Type::of(base), name) else {
        return Ok(None);
    };
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
                param.name()
            ));
        }
    }
    Ok(Some(match base {
        Value::Time(t) => gotime::method(t, name, args)?,
        Value::Duration(d) => duration::method(*d, name, args),
        Value::Month(m) => Value::str(gotime::month_name(*m)),
        Value::Weekday(d) => Value::str(gotime::weekday_name(*d)),
        Value::Zone(z) => Value::str(gotime::zone_name(z)),
        Value::Struct(s) => semver::method(&s.text, name, args)?,
        _ => return Ok(None),
    }))
}
