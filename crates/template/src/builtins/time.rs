//! Times, durations and zones.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::{arg, text};
use crate::value::Value;
use crate::{duration, gotime};

/// Layouts that `date` tries when none is given.
const LAYOUTS: &[&str] = &[
    "2006-01-02",
    "15:04:05",
    "2006-01-02 15:04:05",
    "2006-01-02T15:04:05Z07:00",
    "02 Jan 06 15:04 MST",
    "Monday, 02-Jan-06 15:04:05 MST",
    "Mon, 02 Jan 2006 15:04:05 MST",
];

/// Calls one of the family. `now` is the one function whose value is not given by its arguments.
///
/// # Errors
/// Text that is no date, duration or zone.
pub fn call(name: &str, args: &[Value]) -> Result<Value, String> {
    match name {
        "now" => {
            let zone = match args.first() {
                Some(Value::Zone(z)) => z.clone(),
                _ => TimeZone::UTC,
            };
            Ok(Value::Time(Box::new(Timestamp::now().to_zoned(zone))))
        }
        "duration" => duration::parse_go(&text(args, 0)?.lossy()).map(Value::Duration),
        "timezone" => gotime::zone(&text(args, 0)?.lossy()).map(Value::Zone),
        _ => date(args),
    }
}

fn date(args: &[Value]) -> Result<Value, String> {
    let (zone, args) = match arg(args, 0)? {
        Value::Zone(z) => (Some(z.clone()), &args[1..]),
        _ => (None, args),
    };
    if args.is_empty() {
        return Err("runtime error: index out of range [0] with length 0".into());
    }
    let given = text(args, 0)?.lossy().into_owned();
    let layout = match args.get(1) {
        Some(_) => Some(text(args, 1)?.lossy()),
        None => None,
    };
    let zone = match (zone, args.get(2)) {
        (None, Some(_)) => Some(gotime::zone(&text(args, 2)?.lossy())?),
        (zone, _) => zone,
    };
    let zone = zone.unwrap_or(TimeZone::UTC);
    if let Some(layout) = layout {
        return gotime::parse(&layout, &given, &zone).map(|t| Value::Time(Box::new(t)));
    }
    for layout in LAYOUTS {
        if let Ok(t) = gotime::parse(layout, &given, &zone) {
            return Ok(Value::Time(Box::new(t)));
        }
    }
    Err(format!("invalid date {given}"))
}
