//! Cron schedules (C-CRON-02): five fields, descriptors, `@every`, zones, with the answers of the original's library:
//! a skipped hour is skipped, a repeated hour runs twice.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use crate::value::number::parse_int;
use crate::value::quote::go_quote;
use crate::{duration, gotime};

/// Why a text is no schedule; the text is the contract.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Error(pub String);

/// A schedule that was understood.
#[derive(Clone, Debug)]
pub struct Schedule {
    when: When,
    zone: TimeZone,
}

#[derive(Clone, Debug)]
enum When {
    /// Every so many seconds from the moment that is asked about.
    Every(i64),
    Fields(Fields),
}

/// One bit for each value that fits; the top bit says that the field was `*`.
#[derive(Clone, Copy, Debug)]
struct Fields {
    minute: u64,
    hour: u64,
    day: u64,
    month: u64,
    weekday: u64,
}

const STAR: u64 = 1 << 63;

/// How many times the search may step before it gives up: five years of days, hours and minutes stay far below.
const STEPS: usize = 20_000;

struct Bounds {
    min: u64,
    max: u64,
    names: &'static [&'static str],
}

const MINUTES: Bounds = Bounds {
    min: 0,
    max: 59,
    names: &[],
};
const HOURS: Bounds = Bounds {
    min: 0,
    max: 23,
    names: &[],
};
const DAYS: Bounds = Bounds {
    min: 1,
    max: 31,
    names: &[],
};
const MONTHS: Bounds = Bounds {
    min: 1,
    max: 12,
    names: &[
        "jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec",
    ],
};
const WEEKDAYS: Bounds = Bounds {
    min: 0,
    max: 6,
    names: &["sun", "mon", "tue", "wed", "thu", "fri", "sat"],
};

impl Schedule {
    /// Reads a schedule; `CRON_TZ=ZONE ` or `TZ=ZONE ` before it names its zone, else it is in UTC.
    ///
    /// # Errors
    /// The original's words for what is wrong.
    pub fn parse(text: &str) -> Result<Self, Error> {
        let fail = |message: String| Err(Error(message));
        if text.is_empty() {
            return fail("empty spec string".into());
        }
        let (mut zone, mut rest) = (TimeZone::UTC, text);
        if let Some(after) = text.strip_prefix("TZ=").or_else(|| text.strip_prefix("CRON_TZ=")) {
            let Some((name, spec)) = after.split_once(' ') else {
                return fail(format!("provided time zone without a schedule: {text}"));
            };
            zone = gotime::zone(name).map_err(|e| Error(format!("provided bad location {name}: {e}")))?;
            rest = spec.trim();
        }
        let when = if rest.starts_with('@') {
            descriptor(rest)?
        } else {
            When::Fields(fields(rest)?)
        };
        Ok(Self { when, zone })
    }

    /// Reads a schedule in a zone of its own; an empty zone leaves the text as it is.
    ///
    /// # Errors
    /// Like [`Schedule::parse`].
    pub fn parse_in(text: &str, zone: &str) -> Result<Self, Error> {
        if zone.is_empty() {
            Self::parse(text)
        } else {
            Self::parse(&format!("CRON_TZ={zone} {text}"))
        }
    }

    /// The first time after `after`, or `None` when there is none within five years.
    #[must_use]
    pub fn next(&self, after: Timestamp) -> Option<Timestamp> {
        match &self.when {
            When::Every(seconds) => Timestamp::from_second(after.as_second().checked_add(*seconds)?).ok(),
            When::Fields(fields) => fields.next(after, &self.zone),
        }
    }
}

fn descriptor(text: &str) -> Result<When, Error> {
    let fixed = match text {
        "@yearly" | "@annually" => "0 0 1 1 *",
        "@monthly" => "0 0 1 * *",
        "@weekly" => "0 0 * * 0",
        "@daily" | "@midnight" => "0 0 * * *",
        "@hourly" => "0 * * * *",
        _ => match text.strip_prefix("@every ") {
            Some(every) => {
                let nanos = duration::parse_go(every)
                    .map_err(|e| Error(format!("failed to parse duration {text}: {e}")))?;
                return Ok(When::Every((nanos / 1_000_000_000).max(1)));
            }
            None => return Err(Error(format!("unrecognized descriptor: {text}"))),
        },
    };
    fields(fixed).map(When::Fields)
}

fn fields(text: &str) -> Result<Fields, Error> {
    let parts: Vec<&str> = text.split_whitespace().collect();
    let [minute, hour, day, month, weekday] = parts.as_slice() else {
        let message = format!(
            "expected exactly 5 fields, found {}: [{}]",
            parts.len(),
            parts.join(" ")
        );
        return Err(Error(message));
    };
    Ok(Fields {
        minute: field(minute, &MINUTES)?,
        hour: field(hour, &HOURS)?,
        day: field(day, &DAYS)?,
        month: field(month, &MONTHS)?,
        weekday: field(weekday, &WEEKDAYS)?,
    })
}

fn field(text: &str, bounds: &Bounds) -> Result<u64, Error> {
    text.split(',')
        .filter(|part| !part.is_empty())
        .try_fold(0, |bits, part| Ok(bits | range(part, bounds)?))
}

fn range(text: &str, bounds: &Bounds) -> Result<u64, Error> {
    let fail = |message: String| Err(Error(message));
    let stepped: Vec<&str> = text.split('/').collect();
    let ends: Vec<&str> = stepped[0].split('-').collect();
    let mut star = 0;
    let (start, mut end) = if matches!(ends[0], "*" | "?") {
        star = STAR;
        (bounds.min, bounds.max)
    } else {
        let start = number(ends[0], bounds.names)?;
        match ends.as_slice() {
            [_] => (start, start),
            [_, end] => (start, number(end, bounds.names)?),
            _ => return fail(format!("too many hyphens: {text}")),
        }
    };
    let step = match stepped.as_slice() {
        [_] => 1,
        [_, step] => {
            let step = number(step, &[])?;
            if ends.len() == 1 {
                end = bounds.max;
            }
            if step > 1 {
                star = 0;
            }
            step
        }
        _ => return fail(format!("too many slashes: {text}")),
    };
    let (min, max) = (bounds.min, bounds.max);
    if start < min {
        return fail(format!(
            "beginning of range ({start}) below minimum ({min}): {text}"
        ));
    }
    if end > max {
        return fail(format!("end of range ({end}) above maximum ({max}): {text}"));
    }
    if start > end {
        return fail(format!(
            "beginning of range ({start}) beyond end of range ({end}): {text}"
        ));
    }
    if step == 0 {
        return fail(format!("step of range should be a positive number: {text}"));
    }
    let step = usize::try_from(step).unwrap_or(usize::MAX);
    Ok((start..=end).step_by(step).fold(star, |bits, n| bits | 1 << n))
}

fn number(text: &str, names: &[&str]) -> Result<u64, Error> {
    let lower = text.to_lowercase();
    if let Some(i) = names.iter().position(|n| *n == lower) {
        // Months count from 1, weekdays from 0.
        return Ok(i as u64 + u64::from(names.len() == 12));
    }
    match parse_int(text, 10) {
        Err(e) => {
            let quoted = go_quote(text.as_bytes());
            Err(Error(format!(
                "failed to parse int from {text}: strconv.Atoi: parsing {quoted}: {}",
                e.text()
            )))
        }
        Ok(n) => u64::try_from(n).map_err(|_| Error(format!("negative number ({n}) not allowed: {text}"))),
    }
}

fn has(bits: u64, value: i8) -> bool {
    bits & (1 << u32::from(value.unsigned_abs())) != 0
}

/// Local date and time as a moment, as Go's `time.Date` chooses where the clock is set forward or back.
fn moment(at: DateTime, zone: &TimeZone) -> Option<Zoned> {
    let as_utc = at.to_zoned(TimeZone::UTC).ok()?.timestamp();
    let mut offset = zone.to_offset(as_utc);
    if offset.seconds() == 0 {
        return Some(as_utc.to_zoned(zone.clone()));
    }
    let shifted = |by: jiff::tz::Offset| {
        as_utc
            .checked_sub(jiff::SignedDuration::from_secs(by.seconds().into()))
            .ok()
    };
    let second = zone.to_offset(shifted(offset)?);
    if second != offset {
        offset = second;
    }
    Some(shifted(offset)?.to_zoned(zone.clone()))
}

fn plus(t: &Zoned, seconds: i64) -> Option<Zoned> {
    t.checked_add(jiff::SignedDuration::from_secs(seconds)).ok()
}

impl Fields {
    fn day_fits(&self, t: &Zoned) -> bool {
        let day = has(self.day, t.day());
        let weekday = has(self.weekday, t.weekday().to_sunday_zero_offset());
        if (self.day | self.weekday) & STAR != 0 {
            day && weekday
        } else {
            day || weekday
        }
    }

    fn next(&self, after: Timestamp, zone: &TimeZone) -> Option<Timestamp> {
        let first = Timestamp::from_second(after.as_second().checked_add(1)?).ok()?;
        let mut t = first.to_zoned(zone.clone());
        let last_year = t.year() + 5;
        let mut cut = false;
        let mut steps = 0;
        'wrap: loop {
            if t.year() > last_year {
                return None;
            }
            while !has(self.month, t.month()) {
                t = self.next_month(&t, &mut cut, zone)?;
                bounded(&mut steps)?;
                if t.month() == 1 {
                    continue 'wrap;
                }
            }
            while !self.day_fits(&t) {
                t = next_day(&t, &mut cut, zone)?;
                bounded(&mut steps)?;
                if t.day() == 1 {
                    continue 'wrap;
                }
            }
            while !has(self.hour, t.hour()) {
                if !cut {
                    cut = true;
                    t = moment(t.datetime().date().at(t.hour(), 0, 0, 0), zone)?;
                }
                t = plus(&t, 3600)?;
                bounded(&mut steps)?;
                if t.hour() == 0 {
                    continue 'wrap;
                }
            }
            while !has(self.minute, t.minute()) || t.second() != 0 {
                cut = true;
                t = plus(&t, 60 - i64::from(t.second()))?;
                bounded(&mut steps)?;
                if t.minute() == 0 {
                    continue 'wrap;
                }
            }
            return Some(t.timestamp());
        }
    }

    fn next_month(&self, t: &Zoned, cut: &mut bool, zone: &TimeZone) -> Option<Zoned> {
        let at = if *cut {
            t.datetime()
        } else {
            t.date().first_of_month().at(0, 0, 0, 0)
        };
        *cut = true;
        let (year, month) = if at.month() == 12 {
            (at.year() + 1, 1)
        } else {
            (at.year(), at.month() + 1)
        };
        let first = jiff::civil::Date::new(year, month, 1).ok()?;
        let date = first
            .checked_add(jiff::Span::new().days(i64::from(at.day()) - 1))
            .ok()?;
        moment(date.to_datetime(at.time()), zone)
    }
}

fn next_day(t: &Zoned, cut: &mut bool, zone: &TimeZone) -> Option<Zoned> {
    let at = if *cut {
        t.datetime()
    } else {
        t.date().at(0, 0, 0, 0)
    };
    *cut = true;
    let tomorrow = at.checked_add(jiff::Span::new().days(1)).ok()?;
    let mut next = moment(tomorrow, zone)?;
    // Where midnight does not exist the clock shows another hour: go to the nearest midnight.
    let hour = i64::from(next.hour());
    if hour > 12 {
        next = plus(&next, (24 - hour) * 3600)?;
    } else if hour != 0 {
        next = plus(&next, -hour * 3600)?;
    }
    // A day that the zone skipped as a whole would hold the search for ever.
    if next.timestamp() <= t.timestamp() {
        plus(t, 86_400)
    } else {
        Some(next)
    }
}

fn bounded(steps: &mut usize) -> Option<()> {
    *steps += 1;
    (*steps <= STEPS).then_some(())
}
