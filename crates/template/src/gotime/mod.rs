//! Go's times: layouts (`2006-01-02`), printing, methods and zones, over jiff.

mod layout;
pub mod strftime;

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Zoned};

pub(crate) use layout::quote;
pub use layout::{format, parse, parse_civil};

use crate::value::{Value, Width};

const MONTHS: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const DAYS: [&str; 7] = [
    "Sunday",
    "Monday",
    "Tuesday",
    "Wednesday",
    "Thursday",
    "Friday",
    "Saturday",
];

/// English name of a month, 1 to 12.
#[must_use]
pub fn month_name(m: i64) -> &'static str {
    usize::try_from(m - 1)
        .ok()
        .and_then(|i| MONTHS.get(i))
        .copied()
        .unwrap_or("%!Month(0)")
}

/// English name of a day, Sunday is 0.
#[must_use]
pub fn weekday_name(d: i64) -> &'static str {
    usize::try_from(d)
        .ok()
        .and_then(|i| DAYS.get(i))
        .copied()
        .unwrap_or("%!Weekday(0)")
}

/// `time.LoadLocation`: `""` and `UTC` are UTC, `Local` is UTC here too, so that results do not depend on the host.
///
/// # Errors
/// `unknown time zone …`
pub fn zone(name: &str) -> Result<TimeZone, String> {
    match name {
        "" | "UTC" | "Local" => Ok(TimeZone::UTC),
        _ => TimeZone::get(name).map_err(|_| format!("unknown time zone {name}")),
    }
}

/// Name of a zone as Go prints it.
#[must_use]
pub fn zone_name(z: &TimeZone) -> String {
    z.iana_name().map_or_else(
        || {
            if *z == TimeZone::UTC {
                "UTC".into()
            } else {
                String::new()
            }
        },
        ToOwned::to_owned,
    )
}

/// `t.String()`: `2006-01-02 15:04:05.999999999 -0700 MST`.
#[must_use]
pub fn show(t: &Zoned) -> String {
    format(t, "2006-01-02 15:04:05.999999999 -0700 MST")
}

/// The JSON form: RFC 3339 with nanoseconds as needed.
///
/// # Errors
/// Years that RFC 3339 cannot write.
pub fn rfc3339(t: &Zoned) -> Result<String, String> {
    if !(0..=9999).contains(&t.year()) {
        return Err("Time.MarshalJSON: year outside of range [0,9999]".into());
    }
    Ok(format(t, "2006-01-02T15:04:05.999999999Z07:00"))
}

/// Reads a Kubernetes time (`metav1.Time`) as Go does and gives it in UTC, cut to whole seconds, in the same form.
///
/// # Errors
/// Go's words.
pub fn normal_rfc3339(text: &str) -> Result<String, String> {
    let (at, offset) = parse_civil("2006-01-02T15:04:05Z07:00", text)?;
    let utc = at.saturating_sub(Span::new().seconds(offset.unwrap_or(0)));
    let (date, time) = (utc.date(), utc.time());
    Ok(std::format!(
        "{date}T{:02}:{:02}:{:02}Z",
        time.hour(),
        time.minute(),
        time.second()
    ))
}

/// A time moved by nanoseconds.
///
/// # Errors
/// When the result is out of range.
pub fn add(t: &Zoned, nanos: i64) -> Result<Value, String> {
    t.timestamp()
        .checked_add(jiff::SignedDuration::from_nanos(nanos))
        .map(|moved| Value::Time(Box::new(moved.to_zoned(t.time_zone().clone()))))
        .map_err(|_| "time is out of range".to_owned())
}

/// `a.Sub(b)` in nanoseconds, held at the ends of the range.
#[must_use]
pub fn between(a: &Zoned, b: &Zoned) -> i64 {
    let nanos = a.timestamp().as_nanosecond() - b.timestamp().as_nanosecond();
    i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX })
}

/// `time.Unix(seconds, 0)` in a zone.
#[must_use]
pub fn from_unix(seconds: i64, zone: &TimeZone) -> Zoned {
    let t = Timestamp::from_second(seconds).unwrap_or(if seconds < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    });
    t.to_zoned(zone.clone())
}

fn int(i: impl Into<i64>) -> Value {
    Value::Int(i.into())
}

/// Calls a method of `time.Time` that is known to exist, with arguments of the right types.
///
/// # Errors
/// When the result is out of range.
pub fn method(t: &Zoned, name: &str, args: &[Value]) -> Result<Value, String> {
    let time = |z: Zoned| Value::Time(Box::new(z));
    Ok(match (name, args) {
        ("Year", _) => int(t.year()),
        ("Day", _) => int(t.day()),
        ("Hour", _) => int(t.hour()),
        ("Minute", _) => int(t.minute()),
        ("Second", _) => int(t.second()),
        ("Nanosecond", _) => int(t.subsec_nanosecond()),
        ("YearDay", _) => int(t.day_of_year()),
        ("Unix", _) => Value::Sized(Width::I64, t.timestamp().as_second()),
        ("UnixMilli", _) => Value::Sized(Width::I64, t.timestamp().as_millisecond()),
        ("UnixMicro", _) => Value::Sized(Width::I64, t.timestamp().as_microsecond()),
        ("UnixNano", _) => {
            let nanos = t.timestamp().as_nanosecond();
            Value::Sized(Width::I64, i64::try_from(nanos).unwrap_or(i64::MIN))
        }
        ("Month", _) => Value::Month(t.month().into()),
        ("Weekday", _) => Value::Weekday(t.weekday().to_sunday_zero_offset().into()),
        ("Location", _) => Value::Zone(t.time_zone().clone()),
        ("UTC" | "Local", _) => time(t.with_time_zone(TimeZone::UTC)),
        ("In", [Value::Zone(z)]) => time(t.with_time_zone(z.clone())),
        ("Format", [Value::Str(layout)]) => Value::str(format(t, &layout.lossy())),
        ("IsZero", _) => Value::Bool(t.timestamp().as_second() == -62_135_596_800),
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
