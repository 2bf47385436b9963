//! What the methods of Go's `time.Time` give.

use std::sync::Arc;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Span, Timestamp, Zoned};

use super::{add, between, format, layout, month_name, rfc3339, show, zone_name};
use crate::value::quote::go_quote;
use crate::value::{Value, Width};

/// Seconds from the start of year 1, where Go counts from, to that of 1970.
const SINCE_YEAR_ONE: i64 = 62_135_596_800;

fn int(i: impl Into<i64>) -> Value {
    Value::Int(i.into())
}

fn time(z: Zoned) -> Value {
    Value::Time(Box::new(z))
}

/// Calls a method that is known to exist, with arguments of the right types. Of several results the first is given.
///
/// # Errors
/// When the result is out of range.
pub fn call(t: &Zoned, name: &str, args: &[Value]) -> Result<Value, String> {
    Ok(match (name, args) {
        ("Year" | "Date", _) => int(t.year()),
        ("Day", _) => int(t.day()),
        ("Hour" | "Clock", _) => int(t.hour()),
        ("Minute", _) => int(t.minute()),
        ("Second", _) => int(t.second()),
        ("Nanosecond", _) => int(t.subsec_nanosecond()),
        ("YearDay", _) => int(t.day_of_year()),
        ("ISOWeek", _) => int(t.date().iso_week_date().year()),
        ("Month", _) => Value::Month(t.month().into()),
        ("Weekday", _) => Value::Weekday(t.weekday().to_sunday_zero_offset().into()),
        ("Unix" | "UnixMilli" | "UnixMicro" | "UnixNano", _) => Value::Sized(Width::I64, unix(t, name)),
        ("Location", _) => Value::Zone(t.time_zone().clone()),
        ("Zone", _) if t.time_zone().iana_name().is_none() && *t.time_zone() != TimeZone::UTC => {
            Value::str("")
        }
        ("Zone", _) => Value::str(layout::abbreviation(t)),
        ("ZoneBounds", _) => time(bound(t)),
        ("IsDST", _) => Value::Bool(t.time_zone().to_offset_info(t.timestamp()).dst().is_dst()),
        ("UTC" | "Local", _) => time(t.with_time_zone(TimeZone::UTC)),
        ("In", [Value::Zone(z)]) => time(t.with_time_zone(z.clone())),
        ("Format", [Value::Str(layout)]) => Value::str(format(t, &layout.lossy())),
        ("AppendFormat", [Value::Bytes(b), Value::Str(layout)]) => append(b, &format(t, &layout.lossy())),
        ("AppendText", [Value::Bytes(b)]) => append(b, &rfc3339(t)?),
        ("MarshalText", _) => append(&[], &rfc3339(t)?),
        ("MarshalJSON", _) => append(&[], &std::format!("\"{}\"", rfc3339(t)?)),
        ("MarshalBinary" | "GobEncode", _) => Value::Bytes(binary(t).into()),
        ("GoString", _) => Value::str(source(t)),
        ("IsZero", _) => Value::Bool(t.timestamp().as_second() == -SINCE_YEAR_ONE),
        ("Add", [Value::Duration(d)]) => return add(t, *d),
        ("Sub", [Value::Time(o)]) => Value::Duration(between(t, o)),
        ("Before", [Value::Time(o)]) => Value::Bool(t.timestamp() < o.timestamp()),
        ("After", [Value::Time(o)]) => Value::Bool(t.timestamp() > o.timestamp()),
        ("Equal", [Value::Time(o)]) => Value::Bool(t.timestamp() == o.timestamp()),
        ("Compare", [Value::Time(o)]) => int(t.timestamp().cmp(&o.timestamp()) as i64),
        ("AddDate", [Value::Int(y), Value::Int(m), Value::Int(d)]) => time(add_date(t, *y, *m, *d)?),
        ("Truncate" | "Round", [Value::Duration(to)]) => return rounded(t, name == "Round", *to),
        _ => Value::str(show(t)),
    })
}

fn unix(t: &Zoned, name: &str) -> i64 {
    let at = t.timestamp();
    match name {
        "Unix" => at.as_second(),
        "UnixMilli" => at.as_millisecond(),
        "UnixMicro" => at.as_microsecond(),
        // As in Go the result wraps where 64 bits are too few.
        _ => at
            .as_second()
            .wrapping_mul(1_000_000_000)
            .wrapping_add(i64::from(at.subsec_nanosecond())),
    }
}

fn append(before: &[u8], text: &str) -> Value {
    let all: Vec<u8> = before.iter().copied().chain(text.bytes()).collect();
    Value::Bytes(Arc::from(all))
}

/// When the zone's present offset began; Go's zero time when it always was.
fn bound(t: &Zoned) -> Zoned {
    let zone = t.time_zone();
    let next = t
        .timestamp()
        .checked_add(SignedDuration::from_nanos(1))
        .unwrap_or(Timestamp::MAX);
    match zone.preceding(next).next() {
        Some(transition) => transition.timestamp().to_zoned(zone.clone()),
        None => super::from_unix(-SINCE_YEAR_ONE, &TimeZone::UTC),
    }
}

/// Go's binary form: version, seconds since year 1, nanoseconds, offset in minutes (-1 is UTC), and seconds of the
/// offset where it has them.
fn binary(t: &Zoned) -> Vec<u8> {
    let at = t.timestamp();
    // The timestamp rounds towards zero, Go towards the past.
    let (mut seconds, mut nanos) = (at.as_second(), at.subsec_nanosecond());
    if nanos < 0 {
        (seconds, nanos) = (seconds - 1, nanos + 1_000_000_000);
    }
    let offset = t.offset().seconds();
    let (minutes, rest) = if *t.time_zone() == TimeZone::UTC {
        (-1, 0)
    } else {
        (offset / 60, offset % 60)
    };
    let mut out = vec![if rest == 0 { 1 } else { 2 }];
    out.extend((seconds + SINCE_YEAR_ONE).to_be_bytes());
    out.extend(nanos.to_be_bytes());
    out.extend(i16::try_from(minutes).unwrap_or(-1).to_be_bytes());
    if rest != 0 {
        out.push(rest.to_le_bytes()[0]);
    }
    out
}

/// The time as Go source.
fn source(t: &Zoned) -> String {
    let zone = if *t.time_zone() == TimeZone::UTC {
        "time.UTC".to_owned()
    } else {
        std::format!("time.Location({})", go_quote(zone_name(t.time_zone()).as_bytes()))
    };
    std::format!(
        "time.Date({}, time.{}, {}, {}, {}, {}, {}, {zone})",
        t.year(),
        month_name(t.month().into()),
        t.day(),
        t.hour(),
        t.minute(),
        t.second(),
        t.subsec_nanosecond()
    )
}

/// Years, months and days added as Go does: an impossible day runs over into the next month.
fn add_date(t: &Zoned, years: i64, months: i64, days: i64) -> Result<Zoned, String> {
    let failed = |_| "time is out of range".to_owned();
    let total = i64::from(t.year())
        .saturating_add(years)
        .saturating_mul(12)
        .saturating_add(i64::from(t.month()) - 1)
        .saturating_add(months);
    let year = i16::try_from(total.div_euclid(12)).map_err(|_| "time is out of range".to_owned())?;
    let month = i8::try_from(total.rem_euclid(12) + 1).unwrap_or(1);
    let first = jiff::civil::Date::new(year, month, 1)
        .map_err(failed)?
        .to_datetime(t.time());
    let span = Span::new()
        .try_days(days.saturating_add(i64::from(t.day()) - 1))
        .map_err(failed)?;
    first
        .checked_add(span)
        .and_then(|d| d.to_zoned(t.time_zone().clone()))
        .map_err(failed)
}

/// Rounds the time since year 1, as Go does.
fn rounded(t: &Zoned, half_up: bool, to: i64) -> Result<Value, String> {
    if to <= 0 {
        return Ok(Value::Time(Box::new(t.clone())));
    }
    let since = t.timestamp().as_nanosecond() + 62_135_596_800_000_000_000;
    let rest = i64::try_from(since.rem_euclid(i128::from(to))).unwrap_or(0);
    let move_by = if half_up && rest.saturating_mul(2) >= to {
        to - rest
    } else {
        -rest
    };
    add(t, move_by)
}
