//! Go's times: layouts (`2006-01-02`), printing, methods and zones, over jiff.

mod layout;
pub mod methods;
pub mod strftime;

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, Zoned};

pub(crate) use layout::quote;
pub use layout::{format, parse, parse_civil};

use crate::value::Value;

pub(crate) const MONTHS: [&str; 12] = [
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
pub(crate) const DAYS: [&str; 7] = [
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
        // Names are files to Go, and so upper and lower case count.
        _ => TimeZone::get(name)
            .ok()
            .filter(|z| z.iana_name() == Some(name))
            .ok_or_else(|| format!("unknown time zone {name}")),
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
