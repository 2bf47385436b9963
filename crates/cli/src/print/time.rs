//! Points and lengths of time in words: `3 minutes ago`, `1 minute 30 seconds`, `59m`.

use argosy_model::k8s::Time;
use jiff::Timestamp;
use jiff::tz::TimeZone;

const MINUTE: i64 = 60;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const WEEK: i64 = 7 * DAY;
const MONTH: i64 = 30 * DAY;
const YEAR: i64 = 12 * MONTH;
/// From this length on nobody counts any more.
const LONG_WHILE: i64 = 37 * YEAR;

/// What printing needs of the world: the present, and where the reader is.
#[derive(Clone)]
pub struct Clock {
    /// The present.
    pub now: Timestamp,
    /// The zone in which times are shown.
    pub zone: TimeZone,
}

impl Clock {
    /// The clock and zone of this machine.
    pub fn system() -> Self {
        Self {
            now: Timestamp::now(),
            zone: TimeZone::system(),
        }
    }

    /// A time with how far it is from now: `Mon Jan 02 15:04:05 -0700 (3 hours ago)`.
    pub fn timestamp(&self, at: Timestamp) -> String {
        let shown = at
            .to_zoned(self.zone.clone())
            .strftime("%a %b %d %H:%M:%S %z")
            .to_string();
        let nanos = self.now.as_nanosecond() - at.as_nanosecond();
        let far = match nanos {
            n if n.abs() < 1_000_000_000 => "now".to_owned(),
            n if n > 0 => format!("{} ago", truncated(whole_seconds(n))),
            n => format!("{} from now", truncated(whole_seconds(n))),
        };
        format!("{shown} ({far})")
    }

    /// The time from a start to an end or now, in words; an unset start counts as now.
    pub fn between(&self, start: Option<Time>, end: Option<Time>) -> String {
        duration(self.seconds_between(start, end))
    }

    /// The same in one number and one letter.
    pub fn short_between(&self, start: Option<Time>, end: Option<Time>) -> String {
        short(self.seconds_between(start, end))
    }

    fn seconds_between(&self, start: Option<Time>, end: Option<Time>) -> i64 {
        let end = end.map_or(self.now, |t| t.0);
        start.map_or(0, |start| {
            whole_seconds(end.as_nanosecond() - start.0.as_nanosecond())
        })
    }
}

fn whole_seconds(nanos: i128) -> i64 {
    i64::try_from(nanos / 1_000_000_000).unwrap_or(i64::MAX)
}

/// The largest unit of a length, rounded down: `4 weeks`. The sign is left out.
pub fn truncated(secs: i64) -> String {
    let secs = secs.abs();
    let count = |n: i64, unit: &str| format!("{n} {unit}{}", if n == 1 { "" } else { "s" });
    match secs {
        s if s < MINUTE => count(s, "second"),
        s if s < HOUR => count(s / MINUTE, "minute"),
        s if s < DAY => count(s / HOUR, "hour"),
        s if s < WEEK => count(s / DAY, "day"),
        s if s < MONTH => count(s / WEEK, "week"),
        s if s < YEAR => count(s / MONTH, "month"),
        s if s < YEAR * 3 / 2 => "1 year".to_owned(),
        s if s < 2 * YEAR => "2 years".to_owned(),
        s if s < LONG_WHILE => count(s / YEAR, "year"),
        _ => "a long while".to_owned(),
    }
}

/// A length in two units: `1 minute 30 seconds`, `2 days 4 hours`. The second unit has no singular, and a negative
/// length has no second unit.
pub fn duration(secs: i64) -> String {
    let first = truncated(secs);
    match secs {
        s if s < MINUTE => first,
        s if s < HOUR => format!("{first} {} seconds", s % MINUTE),
        s if s < DAY => format!("{first} {} minutes", s % HOUR / MINUTE),
        s => format!("{first} {} hours", s % DAY / HOUR),
    }
}

/// A length in one number and one letter, rounded down; days are the largest unit.
pub fn short(secs: i64) -> String {
    match secs.abs() {
        s if s < MINUTE => format!("{s}s"),
        s if s < HOUR => format!("{}m", s / MINUTE),
        s if s < DAY => format!("{}h", s / HOUR),
        s => format!("{}d", s / DAY),
    }
}

/// Go's spelling of a length in whole seconds: `1h0m5s`.
pub fn go_duration(secs: i64) -> String {
    let (sign, s) = (if secs < 0 { "-" } else { "" }, secs.abs());
    match s {
        s if s < MINUTE => format!("{sign}{s}s"),
        s if s < HOUR => format!("{sign}{}m{}s", s / MINUTE, s % MINUTE),
        s => format!("{sign}{}h{}m{}s", s / HOUR, s % HOUR / MINUTE, s % MINUTE),
    }
}

/// Reads a length such as `10m`, `3h` or `1d`, in seconds; `None` when it is none.
pub fn parse_duration(text: &str) -> Option<i64> {
    let split = text
        .len()
        .checked_sub(1)
        .filter(|at| text.is_char_boundary(*at))?;
    let (number, unit) = text.split_at(split);
    let unit = match unit {
        "s" => 1,
        "m" => MINUTE,
        "h" => HOUR,
        "d" => DAY,
        _ => return None,
    };
    number.parse::<u32>().ok().map(|n| i64::from(n) * unit)
}
