//! Cron schedules: five fields, descriptors such as `@daily`, and `@every` (C-CRON-02).
//!
//! Reading only, with the peer's error texts. Not here: when a schedule is due.

use argosy_template::duration;
use jiff::{SignedDuration, tz::TimeZone};

/// A schedule that was read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Schedule {
    /// At times that match all fields.
    Fields(Box<Fields>),
    /// Again and again after this long, whole seconds, at least one.
    Every(SignedDuration),
}

/// The fields of a schedule: one bit for each value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Fields {
    /// Minutes, 0 to 59.
    pub minutes: u64,
    /// Hours, 0 to 23.
    pub hours: u64,
    /// Days of the month, 1 to 31.
    pub days: u64,
    /// Whether every day of the month is meant, so that only the weekday counts.
    pub any_day: bool,
    /// Months, 1 to 12.
    pub months: u64,
    /// Weekdays, Sunday is 0.
    pub weekdays: u64,
    /// Whether every weekday is meant, so that only the day of the month counts.
    pub any_weekday: bool,
    /// The time zone of the schedule, if it names one.
    pub zone: Option<String>,
}

/// Why a schedule can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Error(String);

struct Bounds {
    least: u32,
    most: u32,
    names: &'static [&'static str],
}

const MINUTES: Bounds = Bounds {
    least: 0,
    most: 59,
    names: &[],
};
const HOURS: Bounds = Bounds {
    least: 0,
    most: 23,
    names: &[],
};
const DAYS: Bounds = Bounds {
    least: 1,
    most: 31,
    names: &[],
};
const MONTHS: Bounds = Bounds {
    least: 1,
    most: 12,
    names: &[
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ],
};
const WEEKDAYS: Bounds = Bounds {
    least: 0,
    most: 6,
    names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
};

/// Whether there is a time zone of that name.
#[must_use]
pub fn is_time_zone(name: &str) -> bool {
    matches!(name, "UTC" | "Local") || TimeZone::get(name).is_ok()
}

impl Schedule {
    /// Reads a schedule.
    ///
    /// # Errors
    /// When it is none; the text is the peer's.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let (zone, text) = split_zone(text)?;
        if let Some(descriptor) = text.strip_prefix('@') {
            return Self::parse_descriptor(descriptor, zone);
        }
        let words: Vec<&str> = text.split_whitespace().collect();
        let [minutes, hours, days, months, weekdays] = words[..] else {
            return Err(Error(format!(
                "expected exactly 5 fields, found {}: [{}]",
                words.len(),
                words.join(" ")
            )));
        };
        let (minutes, _) = field(minutes, &MINUTES)?;
        let (hours, _) = field(hours, &HOURS)?;
        let (days, any_day) = field(days, &DAYS)?;
        let (months, _) = field(months, &MONTHS)?;
        let (weekdays, any_weekday) = field(weekdays, &WEEKDAYS)?;
        Ok(Self::Fields(Box::new(Fields {
            minutes,
            hours,
            days,
            any_day,
            months,
            weekdays,
            any_weekday,
            zone,
        })))
    }

    fn parse_descriptor(descriptor: &str, zone: Option<String>) -> Result<Self, Error> {
        if let Some(text) = descriptor.strip_prefix("every ") {
            let every = duration::parse_go(text)
                .map_err(|error| Error(format!("failed to parse duration @{descriptor}: {error}")))?;
            let seconds = SignedDuration::from_nanos(every).as_secs().max(1);
            return Ok(Self::Every(SignedDuration::from_secs(seconds)));
        }
        let fields = match descriptor {
            "yearly" | "annually" => "0 0 1 1 *",
            "monthly" => "0 0 1 * *",
            "weekly" => "0 0 * * 0",
            "daily" | "midnight" => "0 0 * * *",
            "hourly" => "0 * * * *",
            _ => return Err(Error(format!("unrecognized descriptor: @{descriptor}"))),
        };
        let mut schedule = Self::parse(fields)?;
        if let Self::Fields(fields) = &mut schedule {
            fields.zone = zone;
        }
        Ok(schedule)
    }
}

/// Takes the time zone from the begin of a schedule.
fn split_zone(text: &str) -> Result<(Option<String>, &str), Error> {
    if text.is_empty() {
        return Err(Error("empty spec string".to_owned()));
    }
    let Some(rest) = text.strip_prefix("CRON_TZ=").or_else(|| text.strip_prefix("TZ=")) else {
        return Ok((None, text));
    };
    let (zone, rest) = rest
        .split_once(' ')
        .ok_or_else(|| Error("no fields after the time zone".to_owned()))?;
    if !is_time_zone(zone) {
        return Err(Error(format!(
            "provided bad location {zone}: unknown time zone {zone}"
        )));
    }
    Ok((Some(zone.to_owned()), rest.trim()))
}

/// The values of a field as bits, and whether it is a star.
fn field(text: &str, bounds: &Bounds) -> Result<(u64, bool), Error> {
    let mut bits = 0;
    let mut any = false;
    for part in text.split(',').filter(|part| !part.is_empty()) {
        let (more, star) = range(part, bounds)?;
        bits |= more;
        any |= star;
    }
    Ok((bits, any))
}

fn range(text: &str, bounds: &Bounds) -> Result<(u64, bool), Error> {
    let halves: Vec<&str> = text.split('/').collect();
    let ends: Vec<&str> = halves[0].split('-').collect();
    let mut any = false;
    let (start, mut end) = if matches!(ends[0], "*" | "?") {
        any = true;
        (bounds.least, bounds.most)
    } else {
        let start = number(ends[0], bounds)?;
        match ends[..] {
            [_] => (start, start),
            [_, end] => (start, number(end, bounds)?),
            _ => return Err(Error(format!("too many hyphens: {text}"))),
        }
    };
    let step = match halves[..] {
        [_] => 1,
        [_, step] => {
            let step = number(
                step,
                &Bounds {
                    names: &[],
                    ..*bounds
                },
            )?;
            if ends.len() == 1 {
                end = bounds.most;
            }
            if step > 1 {
                any = false;
            }
            step
        }
        _ => return Err(Error(format!("too many slashes: {text}"))),
    };
    let Bounds { least, most, .. } = bounds;
    if start < *least {
        return Err(Error(format!(
            "beginning of range ({start}) below minimum ({least}): {text}"
        )));
    }
    if end > *most {
        return Err(Error(format!(
            "end of range ({end}) above maximum ({most}): {text}"
        )));
    }
    if start > end {
        return Err(Error(format!(
            "beginning of range ({start}) beyond end of range ({end}): {text}"
        )));
    }
    if step == 0 {
        return Err(Error(format!(
            "step of range should be a positive number: {text}"
        )));
    }
    let bits = (start..=end)
        .step_by(step as usize)
        .fold(0, |bits, value| bits | 1 << value);
    Ok((bits, any))
}

fn number(text: &str, bounds: &Bounds) -> Result<u32, Error> {
    let lower = text.to_ascii_lowercase();
    if let Some(at) = bounds.names.iter().position(|name| *name == lower) {
        return Ok(u32::try_from(at).expect("names are few") + bounds.least);
    }
    text.parse::<u32>().map_err(|_| {
        Error(format!(
            "failed to parse int from {text}: strconv.Atoi: parsing {text:?}: invalid syntax"
        ))
    })
}
