//! Times: seconds since 1970, and lists of year, month from 0, day, hour, minute, second, weekday, day of the year.
//! All in UTC.

use std::fmt::Write as _;

use super::functions::misfit;
use super::value::{Num, Val};
use super::{Flow, Stop};
use crate::gotime::{DAYS, MONTHS, month_name, weekday_name};

const DAY: i64 = 86_400;

/// A time in parts.
struct Parts {
    year: i64,
    /// From 1.
    month: i64,
    day: i64,
    hour: i64,
    minute: i64,
    second: f64,
}

/// Calls a function of times, or `None` when there is none of that name.
pub fn call(name: &str, v: &Val, args: &[Val]) -> Option<Flow<Val>> {
    Some(match (name, args) {
        ("now", []) => Ok(Val::float(now())),
        ("gmtime" | "localtime", []) => match v {
            Val::Num(n) => Parts::of_seconds(n.float()).list(),
            _ => Err(misfit(name, &[], v)),
        },
        ("mktime", []) => match v {
            Val::Arr(items) => Parts::of_list(&items.inner)
                .ok_or_else(|| misfit(name, &[], v))
                .map(|parts| whole(parts.seconds())),
            _ => Err(misfit(name, &[], v)),
        },
        ("strftime" | "strflocaltime", [format]) => strftime(name, v, format),
        ("strptime", [format]) => match (v, format) {
            (Val::Str(text), Val::Str(format)) => strptime(text, format).map_or_else(
                |why| {
                    Err(Stop::error(format!(
                        "strptime({format:?}) cannot be applied to {}: failed to parse {text:?} with {format:?}: {why}",
                        v.preview()
                    )))
                },
                |parts| parts.list(),
            ),
            _ => Err(misfit(name, args, v)),
        },
        _ => return None,
    })
}

fn now() -> f64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    since.map_or(0.0, |d| d.as_secs_f64())
}

/// A number of seconds, whole if it is.
fn whole(seconds: f64) -> Val {
    #[expect(clippy::cast_possible_truncation, reason = "`as` clamps")]
    let cut = seconds as i64;
    #[expect(clippy::cast_precision_loss, reason = "years that people use are exact")]
    if cut as f64 == seconds {
        return Val::Num(Num::Int(cut));
    }
    Val::float(seconds)
}

/// Days since 1970 of a date, whose month and day may lie outside their ranges.
fn days(year: i64, month: i64, day: i64) -> i64 {
    let months = year.saturating_mul(12).saturating_add(month - 1);
    let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * ((month + 9) % 12) + 2) / 5;
    let of_era_days = of_era * 365 + of_era / 4 - of_era / 100 + of_year;
    era.saturating_mul(146_097)
        .saturating_add(of_era_days - 719_468)
        .saturating_add(day - 1)
}

/// The date of a number of days since 1970.
fn date(days: i64) -> (i64, i64, i64) {
    let shifted = days.saturating_add(719_468);
    let era = shifted.div_euclid(146_097);
    let of_era = shifted.rem_euclid(146_097);
    let year = (of_era - of_era / 1_460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 {
        shifted_month + 3
    } else {
        shifted_month - 9
    };
    (year + era * 400 + i64::from(month <= 2), month, day)
}

impl Parts {
    fn of_seconds(seconds: f64) -> Self {
        /// The range in which days can be counted: far beyond what four digits show.
        const LIMIT: f64 = 1e15;
        let seconds = if seconds.is_nan() {
            0.0
        } else {
            seconds.clamp(-LIMIT, LIMIT)
        };
        #[expect(clippy::cast_possible_truncation, reason = "it was just bounded")]
        let floor = seconds.floor() as i64;
        let fraction = seconds - seconds.floor();
        // Times are kept in nanoseconds, so fractions are cut there.
        let fraction = (fraction * 1e9).floor() / 1e9;
        let (year, month, day) = date(floor.div_euclid(DAY));
        let of_day = floor.rem_euclid(DAY);
        #[expect(clippy::cast_precision_loss, reason = "at most 59")]
        let second = (of_day % 60) as f64 + fraction;
        Self {
            year,
            month,
            day,
            hour: of_day / 3_600,
            minute: of_day / 60 % 60,
            second,
        }
    }

    /// The parts of a list; what is missing is 0.
    fn of_list(items: &[Val]) -> Option<Self> {
        let at = |i: usize| match items.get(i) {
            None => Some(0.0),
            Some(Val::Num(n)) => Some(n.float()),
            Some(_) => None,
        };
        let whole = |i: usize| {
            #[expect(clippy::cast_possible_truncation, reason = "it is bounded")]
            let n = at(i)?.clamp(-1e9, 1e9) as i64;
            Some(n)
        };
        Some(Self {
            year: whole(0)?,
            month: whole(1)? + 1,
            day: whole(2)?,
            hour: whole(3)?,
            minute: whole(4)?,
            second: at(5)?.clamp(-1e12, 1e12),
        })
    }

    fn seconds(&self) -> f64 {
        let minutes = (days(self.year, self.month, self.day) * 24 + self.hour) * 60 + self.minute;
        #[expect(clippy::cast_precision_loss, reason = "years that people use are exact")]
        let seconds = (minutes * 60) as f64;
        seconds + self.second
    }

    fn weekday(&self) -> i64 {
        (days(self.year, self.month, self.day) + 4).rem_euclid(7)
    }

    /// From 1.
    fn day_of_year(&self) -> i64 {
        days(self.year, self.month, self.day) - days(self.year, 1, 1) + 1
    }

    /// Year and number of the week that begins on Monday.
    fn iso_week(&self) -> (i64, i64) {
        let monday = (self.weekday() + 6) % 7;
        let thursday = days(self.year, self.month, self.day) - monday + 3;
        let (year, _, _) = date(thursday);
        (year, (thursday - days(year, 1, 1)) / 7 + 1)
    }

    fn list(&self) -> Flow<Val> {
        let int = |n: i64| Val::Num(Num::Int(n));
        Val::array(vec![
            int(self.year),
            int(self.month - 1),
            int(self.day),
            int(self.hour),
            int(self.minute),
            whole(self.second),
            int(self.weekday()),
            int(self.day_of_year() - 1),
        ])
    }
}

fn strftime(name: &str, v: &Val, format: &Val) -> Flow<Val> {
    let list = match v {
        Val::Num(n) => Parts::of_seconds(n.float()).list()?,
        Val::Arr(_) => v.clone(),
        _ => return Err(misfit(name, std::slice::from_ref(format), v)),
    };
    let (Val::Arr(items), Val::Str(format)) = (&list, format) else {
        return Err(misfit(name, std::slice::from_ref(format), &list));
    };
    let Some(parts) = Parts::of_list(&items.inner) else {
        return Err(misfit(name, &[Val::Str(format.clone())], &list));
    };
    // Parts beyond their ranges carry over.
    let parts = Parts::of_seconds(parts.seconds());
    let mut out = String::new();
    write_time(&mut out, &parts, format);
    Ok(Val::text(out))
}

fn write_time(out: &mut String, t: &Parts, format: &str) {
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c != '%' {
            out.push(c);
            continue;
        }
        let rest = chars.as_str();
        let Some(mut code) = chars.next() else {
            out.push('%');
            return;
        };
        let mut pad = None;
        if matches!(code, '-' | '_' | '0' | ':')
            && let Some(next) = chars.next()
        {
            pad = Some(code);
            code = next;
        }
        if !convert(out, t, code, pad) {
            // What is not known stays as it stands.
            out.push('%');
            let taken = rest.len() - chars.as_str().len();
            out.push_str(&rest[..taken]);
        }
    }
}

fn number(out: &mut String, n: i64, width: usize, fill: char, pad: Option<char>) {
    let fill = match pad {
        Some('-') => None,
        Some('_') => Some(' '),
        Some('0') => Some('0'),
        _ => Some(fill),
    };
    let _ = match fill {
        None => write!(out, "{n}"),
        Some(' ') => write!(out, "{n:>width$}"),
        Some(_) => write!(out, "{n:0>width$}"),
    };
}

#[expect(clippy::cast_possible_truncation, reason = "seconds are below 60")]
fn convert(out: &mut String, t: &Parts, code: char, pad: Option<char>) -> bool {
    let hour12 = if t.hour % 12 == 0 { 12 } else { t.hour % 12 };
    let weekday = t.weekday();
    let short = |name: &'static str| &name[..3];
    let mut put = |n: i64, width: usize, fill: char| number(out, n, width, fill, pad);
    match code {
        'Y' => put(t.year, 4, '0'),
        'C' => put(t.year.div_euclid(100), 2, '0'),
        'y' => put(t.year.rem_euclid(100), 2, '0'),
        'G' => put(t.iso_week().0, 4, '0'),
        'g' => put(t.iso_week().0.rem_euclid(100), 2, '0'),
        'V' => put(t.iso_week().1, 2, '0'),
        'U' => put((t.day_of_year() + 6 - weekday) / 7, 2, '0'),
        'W' => put((t.day_of_year() + 6 - (weekday + 6) % 7) / 7, 2, '0'),
        'm' => put(t.month, 2, '0'),
        'd' => put(t.day, 2, '0'),
        'e' => put(t.day, 2, ' '),
        'j' => put(t.day_of_year(), 3, '0'),
        'H' => put(t.hour, 2, '0'),
        'k' => put(t.hour, 2, ' '),
        'I' => put(hour12, 2, '0'),
        'l' => put(hour12, 2, ' '),
        'M' => put(t.minute, 2, '0'),
        'S' => put(t.second as i64, 2, '0'),
        'f' => put((t.second.fract() * 1e6) as i64, 6, '0'),
        'u' => put(if weekday == 0 { 7 } else { weekday }, 1, '0'),
        'w' => put(weekday, 1, '0'),
        's' => put(t.seconds().floor() as i64, 1, '0'),
        'B' => out.push_str(month_name(t.month)),
        'b' | 'h' => out.push_str(short(month_name(t.month))),
        'A' => out.push_str(weekday_name(weekday)),
        'a' => out.push_str(short(weekday_name(weekday))),
        'p' => out.push_str(if t.hour < 12 { "AM" } else { "PM" }),
        'P' => out.push_str(if t.hour < 12 { "am" } else { "pm" }),
        'z' => out.push_str(if pad == Some(':') { "+00:00" } else { "+0000" }),
        'Z' => out.push_str("UTC"),
        'n' => out.push('\n'),
        't' => out.push('\t'),
        '%' => out.push('%'),
        'D' | 'x' => write_time(out, t, "%m/%d/%y"),
        'F' => write_time(out, t, "%Y-%m-%d"),
        'T' | 'X' => write_time(out, t, "%H:%M:%S"),
        'R' => write_time(out, t, "%H:%M"),
        'r' => write_time(out, t, "%I:%M:%S %p"),
        'c' => write_time(out, t, "%a %b %e %H:%M:%S %Y"),
        'v' => write_time(out, t, "%e-%b-%Y"),
        '+' => write_time(out, t, "%a %b %e %H:%M:%S UTC %Y"),
        _ => return false,
    }
    true
}

/// A text being read.
struct Reader<'t> {
    rest: &'t str,
}

impl Reader<'_> {
    fn digits(&mut self, most: usize) -> Option<i64> {
        let count = self
            .rest
            .bytes()
            .take(most)
            .take_while(u8::is_ascii_digit)
            .count();
        let n = self.rest[..count].parse().ok()?;
        self.rest = &self.rest[count..];
        Some(n)
    }

    fn literal(&mut self, c: char) -> Option<()> {
        self.rest = self.rest.strip_prefix(c)?;
        Some(())
    }

    /// One of some names, whole or its first three letters; its number from 0.
    fn name(&mut self, names: &[&'static str]) -> Option<i64> {
        let lower = self.rest.to_ascii_lowercase();
        for (i, name) in names.iter().enumerate() {
            for candidate in [name, &name[..3]] {
                if lower.starts_with(&candidate.to_ascii_lowercase()) {
                    self.rest = &self.rest[candidate.len()..];
                    return i64::try_from(i).ok();
                }
            }
        }
        None
    }

    /// Seconds east of Greenwich.
    fn zone(&mut self) -> Option<i64> {
        if let Some(rest) = self.rest.strip_prefix('Z') {
            self.rest = rest;
            return Some(0);
        }
        let sign = if self.rest.starts_with('-') { -1 } else { 1 };
        self.rest = self.rest.strip_prefix(['+', '-'])?;
        let hours = self.digits(2)?;
        if self.rest.starts_with(':') {
            self.literal(':')?;
        }
        let minutes = self.digits(2)?;
        Some(sign * (hours * 60 + minutes) * 60)
    }
}

fn strptime(text: &str, format: &str) -> Result<Parts, String> {
    let mut t = Parts {
        year: 1900,
        month: 1,
        day: 1,
        hour: 0,
        minute: 0,
        second: 0.0,
    };
    let mut read = State::default();
    let mut reader = Reader { rest: text };
    parse(&mut reader, format, &mut t, &mut read)?;
    if !reader.rest.is_empty() {
        return Err(format!("unparsed string {:?}", reader.rest));
    }
    if let Some(afternoon) = read.afternoon {
        t.hour = t.hour % 12 + if afternoon { 12 } else { 0 };
    }
    if let Some(seconds) = read.since_1970 {
        #[expect(clippy::cast_precision_loss, reason = "years that people use are exact")]
        return Ok(Parts::of_seconds(seconds as f64));
    }
    if let Some(day) = read.day_of_year {
        (t.month, t.day) = (1, day);
    }
    #[expect(clippy::cast_precision_loss, reason = "at most a day")]
    let offset = read.offset as f64;
    Ok(Parts::of_seconds(t.seconds() - offset))
}

/// What is read beside the parts.
#[derive(Default)]
struct State {
    offset: i64,
    afternoon: Option<bool>,
    since_1970: Option<i64>,
    day_of_year: Option<i64>,
}

fn parse(reader: &mut Reader<'_>, format: &str, t: &mut Parts, read: &mut State) -> Result<(), String> {
    let mut chars = format.chars();
    while let Some(c) = chars.next() {
        if c.is_whitespace() {
            reader.rest = reader.rest.trim_start();
            continue;
        }
        if c != '%' {
            reader.literal(c).ok_or_else(|| format!("expected {c:?}"))?;
            continue;
        }
        let code = chars.next().unwrap_or('%');
        let nested = match code {
            'F' => Some("%Y-%m-%d"),
            'T' => Some("%H:%M:%S"),
            'R' => Some("%H:%M"),
            'D' => Some("%m/%d/%y"),
            'c' => Some("%a %b %e %H:%M:%S %Y"),
            'r' => Some("%I:%M:%S %p"),
            _ => None,
        };
        match nested {
            Some(nested) => parse(reader, nested, t, read)?,
            None => part(reader, code, t, read).ok_or_else(|| format!("cannot parse \"%{code}\""))?,
        }
    }
    Ok(())
}

#[expect(
    clippy::cast_precision_loss,
    reason = "seconds have two digits, fractions nine"
)]
fn part(reader: &mut Reader<'_>, code: char, t: &mut Parts, read: &mut State) -> Option<()> {
    match code {
        'Y' => t.year = reader.digits(4)?,
        'y' => {
            let n = reader.digits(2)?;
            t.year = if n < 69 { 2000 + n } else { 1900 + n };
        }
        'm' => t.month = reader.digits(2).filter(|n| (1..=12).contains(n))?,
        'd' => t.day = reader.digits(2).filter(|n| (1..=31).contains(n))?,
        'e' => {
            reader.rest = reader.rest.trim_start_matches(' ');
            t.day = reader.digits(2).filter(|n| (1..=31).contains(n))?;
        }
        'j' => read.day_of_year = Some(reader.digits(3)?),
        'H' => t.hour = reader.digits(2).filter(|n| *n < 24)?,
        'I' => t.hour = reader.digits(2).filter(|n| (1..=12).contains(n))?,
        'M' => t.minute = reader.digits(2).filter(|n| *n < 60)?,
        'S' => t.second = reader.digits(2).filter(|n| *n <= 60)? as f64,
        'f' => {
            let before = reader.rest.len();
            let n = reader.digits(9)?;
            let digits = i32::try_from(before - reader.rest.len()).ok()?;
            t.second += n as f64 / 10_f64.powi(digits);
        }
        'B' | 'b' | 'h' => t.month = reader.name(&MONTHS)? + 1,
        'A' | 'a' => {
            reader.name(&DAYS)?;
        }
        'u' | 'w' => {
            reader.digits(1)?;
        }
        'p' | 'P' => {
            read.afternoon = Some(match reader.rest.get(..2)?.to_ascii_lowercase().as_str() {
                "am" => false,
                "pm" => true,
                _ => return None,
            });
            reader.rest = &reader.rest[2..];
        }
        's' => read.since_1970 = Some(reader.digits(18)?),
        'z' => read.offset = reader.zone()?,
        'Z' => {
            let end = reader
                .rest
                .find(|c: char| !c.is_ascii_alphabetic())
                .unwrap_or(reader.rest.len());
            if end == 0 {
                return None;
            }
            reader.rest = &reader.rest[end..];
        }
        'n' | 't' => reader.rest = reader.rest.trim_start(),
        '%' => reader.literal('%')?,
        _ => return None,
    }
    Some(())
}
