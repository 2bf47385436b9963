//! Dates and durations.

use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::{Outcome, any, string, zero_time};
use crate::value::number::parse_int_or_nearest;
use crate::value::{Value, Width};
use crate::{duration as span, gotime};

fn current() -> Zoned {
    Timestamp::now().to_zoned(TimeZone::UTC)
}

/// A time of whatever was given; what is no time is now.
fn moment(v: &Value) -> Zoned {
    match v {
        Value::Time(t) => (**t).clone(),
        Value::Int(i) | Value::Sized(Width::I64 | Width::I32, i) => gotime::from_unix(*i, &TimeZone::UTC),
        _ => current(),
    }
}

fn in_zone(layout: &str, v: &Value, zone: &str) -> Value {
    let zone = gotime::zone(zone).unwrap_or(TimeZone::UTC);
    Value::str(gotime::format(&moment(v).with_time_zone(zone), layout))
}

pub fn now(_: &[Value]) -> Outcome {
    Ok(Value::Time(Box::new(current())))
}

pub fn date(a: &[Value]) -> Outcome {
    Ok(in_zone(&string(a, 0), any(a, 1), "Local"))
}

pub fn date_in_zone(a: &[Value]) -> Outcome {
    Ok(in_zone(&string(a, 0), any(a, 1), &string(a, 2)))
}

pub fn html_date(a: &[Value]) -> Outcome {
    Ok(in_zone("2006-01-02", any(a, 0), "Local"))
}

pub fn html_date_in_zone(a: &[Value]) -> Outcome {
    Ok(in_zone("2006-01-02", any(a, 0), &string(a, 1)))
}

pub fn ago(a: &[Value]) -> Outcome {
    let since = gotime::between(&current(), &moment(any(a, 0)));
    Ok(Value::str(span::show(span::round(since, 1_000_000_000))))
}

pub fn duration(a: &[Value]) -> Outcome {
    let seconds = match any(a, 0) {
        Value::Str(s) => parse_int_or_nearest(&s.lossy(), 10),
        Value::Sized(Width::I64, i) => *i,
        _ => 0,
    };
    Ok(Value::str(span::show(seconds.wrapping_mul(1_000_000_000))))
}

pub fn duration_round(a: &[Value]) -> Outcome {
    let nanos = match any(a, 0) {
        Value::Str(s) => span::parse_go(&s.lossy()).unwrap_or(0),
        Value::Sized(Width::I64, i) => *i,
        Value::Time(t) => gotime::between(&current(), t),
        _ => 0,
    };
    let seconds = nanos.unsigned_abs() / 1_000_000_000;
    let u = nanos.unsigned_abs();
    let unit =
        |name: &str, secs: u64| (u > secs * 1_000_000_000).then(|| format!("{}{name}", seconds / secs));
    let shown = unit("y", 365 * 86_400)
        .or_else(|| unit("mo", 30 * 86_400))
        .or_else(|| unit("d", 86_400))
        .or_else(|| unit("h", 3600))
        .or_else(|| unit("m", 60))
        .or_else(|| unit("s", 1))
        .unwrap_or_else(|| "0s".into());
    Ok(Value::str(shown))
}

pub fn to_date(a: &[Value]) -> Outcome {
    let parsed = gotime::parse(&string(a, 0), &string(a, 1), &TimeZone::UTC);
    Ok(Value::Time(Box::new(parsed.unwrap_or_else(|_| zero_time()))))
}

pub fn must_to_date(a: &[Value]) -> Outcome {
    gotime::parse(&string(a, 0), &string(a, 1), &TimeZone::UTC).map(|t| Value::Time(Box::new(t)))
}

pub fn unix_epoch(a: &[Value]) -> Outcome {
    Ok(Value::str(moment(any(a, 0)).timestamp().as_second().to_string()))
}

pub fn modify(a: &[Value]) -> Outcome {
    match span::parse_go(&string(a, 0)) {
        Ok(d) => gotime::add(&moment(any(a, 1)), d),
        Err(_) => Ok(any(a, 1).clone()),
    }
}

pub fn must_modify(a: &[Value]) -> Outcome {
    gotime::add(&moment(any(a, 1)), span::parse_go(&string(a, 0))?)
}
