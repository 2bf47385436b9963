//! Go's reference-time layouts, for printing and for reading.

use jiff::civil::{Date, Time};
use jiff::tz::{Offset, TimeZone};
use jiff::{Zoned, civil::DateTime};

use super::{DAYS, MONTHS};

/// A piece of a layout.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Piece<'l> {
    Literal(&'l str),
    LongMonth,
    Month,
    NumMonth,
    ZeroMonth,
    LongWeekDay,
    WeekDay,
    Day,
    UnderDay,
    ZeroDay,
    UnderYearDay,
    ZeroYearDay,
    Hour,
    Hour12,
    ZeroHour12,
    Minute,
    ZeroMinute,
    Second,
    ZeroSecond,
    LongYear,
    Year,
    UpperHalf,
    LowerHalf,
    ZoneName,
    /// Offset: `Z` for UTC allowed, with colons, with minutes, with seconds.
    Offset {
        z: bool,
        colon: bool,
        minutes: bool,
        seconds: bool,
    },
    /// Fraction: separator, digits, whether trailing zeros are cut.
    Fraction(char, usize, bool),
}

/// Pieces by their spelling, longer ones first where one begins another.
const PIECES: &[(&str, Piece<'static>)] = &[
    ("January", Piece::LongMonth),
    ("Jan", Piece::Month),
    ("Monday", Piece::LongWeekDay),
    ("MST", Piece::ZoneName),
    ("Mon", Piece::WeekDay),
    ("002", Piece::ZeroYearDay),
    ("01", Piece::ZeroMonth),
    ("02", Piece::ZeroDay),
    ("03", Piece::ZeroHour12),
    ("04", Piece::ZeroMinute),
    ("05", Piece::ZeroSecond),
    ("06", Piece::Year),
    ("15", Piece::Hour),
    ("2006", Piece::LongYear),
    ("__2", Piece::UnderYearDay),
    ("_2", Piece::UnderDay),
    ("PM", Piece::UpperHalf),
    ("pm", Piece::LowerHalf),
    (
        "-07:00:00",
        Piece::Offset {
            z: false,
            colon: true,
            minutes: true,
            seconds: true,
        },
    ),
    (
        "-070000",
        Piece::Offset {
            z: false,
            colon: false,
            minutes: true,
            seconds: true,
        },
    ),
    (
        "-07:00",
        Piece::Offset {
            z: false,
            colon: true,
            minutes: true,
            seconds: false,
        },
    ),
    (
        "-0700",
        Piece::Offset {
            z: false,
            colon: false,
            minutes: true,
            seconds: false,
        },
    ),
    (
        "-07",
        Piece::Offset {
            z: false,
            colon: false,
            minutes: false,
            seconds: false,
        },
    ),
    (
        "Z07:00:00",
        Piece::Offset {
            z: true,
            colon: true,
            minutes: true,
            seconds: true,
        },
    ),
    (
        "Z070000",
        Piece::Offset {
            z: true,
            colon: false,
            minutes: true,
            seconds: true,
        },
    ),
    (
        "Z07:00",
        Piece::Offset {
            z: true,
            colon: true,
            minutes: true,
            seconds: false,
        },
    ),
    (
        "Z0700",
        Piece::Offset {
            z: true,
            colon: false,
            minutes: true,
            seconds: false,
        },
    ),
    (
        "Z07",
        Piece::Offset {
            z: true,
            colon: false,
            minutes: false,
            seconds: false,
        },
    ),
    ("1", Piece::NumMonth),
    ("2", Piece::Day),
    ("3", Piece::Hour12),
    ("4", Piece::Minute),
    ("5", Piece::Second),
];

/// The piece at the start of a text and its length.
fn piece_at(s: &str) -> Option<(Piece<'static>, usize)> {
    let bytes = s.as_bytes();
    if matches!(bytes.first(), Some(b'.' | b',')) && matches!(bytes.get(1), Some(b'0' | b'9')) {
        let digit = bytes[1];
        let digits = bytes[1..].iter().take_while(|b| **b == digit).count();
        let after = bytes.get(1 + digits);
        if !after.is_some_and(u8::is_ascii_digit) {
            return Some((
                Piece::Fraction(char::from(bytes[0]), digits, digit == b'9'),
                digits + 1,
            ));
        }
    }
    // `_2006` is a blank spot before a year, not a day.
    if s.starts_with("_2006") {
        return None;
    }
    let (text, piece) = PIECES.iter().find(|(text, _)| s.starts_with(text))?;
    // `Jan` and `Mon` must not begin a longer word such as `Janet`.
    if matches!(piece, Piece::Month | Piece::WeekDay) && bytes.get(3).is_some_and(u8::is_ascii_lowercase) {
        return None;
    }
    Some((*piece, text.len()))
}

fn pieces(layout: &str) -> Vec<Piece<'_>> {
    let mut out = Vec::new();
    let mut literal = 0;
    let mut at = 0;
    while at < layout.len() {
        if !layout.is_char_boundary(at) {
            at += 1;
            continue;
        }
        match piece_at(&layout[at..]) {
            Some((piece, len)) => {
                if literal < at {
                    out.push(Piece::Literal(&layout[literal..at]));
                }
                out.push(piece);
                at += len;
                literal = at;
            }
            None => at += 1,
        }
    }
    if literal < layout.len() {
        out.push(Piece::Literal(&layout[literal..]));
    }
    out
}

/// Prints a time by a layout.
#[must_use]
pub fn format(t: &Zoned, layout: &str) -> String {
    let mut out = String::new();
    for piece in pieces(layout) {
        write(&mut out, t, piece);
    }
    out
}

fn write(out: &mut String, t: &Zoned, piece: Piece<'_>) {
    use std::fmt::Write;
    let hour12 = match t.hour() % 12 {
        0 => 12,
        h => h,
    };
    let month = MONTHS[usize::try_from(t.month() - 1).unwrap_or(0)];
    let day = DAYS[usize::try_from(t.weekday().to_sunday_zero_offset()).unwrap_or(0)];
    let _ = match piece {
        Piece::Literal(s) => write!(out, "{s}"),
        Piece::LongMonth => write!(out, "{month}"),
        Piece::Month => write!(out, "{}", &month[..3]),
        Piece::NumMonth => write!(out, "{}", t.month()),
        Piece::ZeroMonth => write!(out, "{:02}", t.month()),
        Piece::LongWeekDay => write!(out, "{day}"),
        Piece::WeekDay => write!(out, "{}", &day[..3]),
        Piece::Day => write!(out, "{}", t.day()),
        Piece::UnderDay => write!(out, "{:2}", t.day()),
        Piece::ZeroDay => write!(out, "{:02}", t.day()),
        Piece::UnderYearDay => write!(out, "{:3}", t.day_of_year()),
        Piece::ZeroYearDay => write!(out, "{:03}", t.day_of_year()),
        Piece::Hour => write!(out, "{:02}", t.hour()),
        Piece::Hour12 => write!(out, "{hour12}"),
        Piece::ZeroHour12 => write!(out, "{hour12:02}"),
        Piece::Minute => write!(out, "{}", t.minute()),
        Piece::ZeroMinute => write!(out, "{:02}", t.minute()),
        Piece::Second => write!(out, "{}", t.second()),
        Piece::ZeroSecond => write!(out, "{:02}", t.second()),
        Piece::LongYear => write!(out, "{:04}", t.year()),
        Piece::Year => write!(out, "{:02}", t.year().rem_euclid(100)),
        Piece::UpperHalf => write!(out, "{}", if t.hour() < 12 { "AM" } else { "PM" }),
        Piece::LowerHalf => write!(out, "{}", if t.hour() < 12 { "am" } else { "pm" }),
        Piece::ZoneName => write!(out, "{}", abbreviation(t)),
        Piece::Offset {
            z,
            colon,
            minutes,
            seconds,
        } => {
            let offset = t.offset().seconds();
            if z && offset == 0 {
                write!(out, "Z")
            } else {
                let sign = if offset < 0 { '-' } else { '+' };
                let o = offset.abs();
                let colon = if colon { ":" } else { "" };
                let _ = write!(out, "{sign}{:02}", o / 3600);
                if minutes {
                    let _ = write!(out, "{colon}{:02}", o / 60 % 60);
                }
                if seconds {
                    write!(out, "{colon}{:02}", o % 60)
                } else {
                    Ok(())
                }
            }
        }
        Piece::Fraction(separator, digits, cut) => {
            let nanos = std::format!("{:09}", t.subsec_nanosecond());
            let text = &nanos[..digits.min(9)];
            let text = if cut { text.trim_end_matches('0') } else { text };
            if text.is_empty() {
                Ok(())
            } else {
                write!(out, "{separator}{text}")
            }
        }
    };
}

/// The zone's abbreviation; zones without one print their offset.
pub(super) fn abbreviation(t: &Zoned) -> String {
    let info = t.time_zone().to_offset_info(t.timestamp());
    let name = info.abbreviation();
    if *t.time_zone() == TimeZone::UTC {
        return "UTC".into();
    }
    if name.starts_with(['+', '-']) && t.time_zone().iana_name().is_none() {
        let o = t.offset().seconds();
        let sign = if o < 0 { '-' } else { '+' };
        let (h, m) = (o.abs() / 3600, o.abs() / 60 % 60);
        return std::format!("{sign}{h:02}{m:02}");
    }
    name.to_owned()
}

/// What was read so far.
#[derive(Default)]
struct Read {
    year: Option<i64>,
    month: Option<i64>,
    day: Option<i64>,
    year_day: Option<i64>,
    hour: i64,
    minute: i64,
    second: i64,
    nanos: i64,
    afternoon: Option<bool>,
    offset: Option<i32>,
    /// What of the offset is beyond its range.
    offset_fault: Option<&'static str>,
    zone_name: Option<String>,
    /// The hours of a zone `GMT+3`, which say how the time is shown, not when it is.
    shown_hours: Option<i32>,
}

struct Bad;

/// Reads a time by a layout. Without a zone in the text it is in `zone`.
///
/// # Errors
/// `parsing time "…" as "…": cannot parse "…" as "…"` and its like.
pub fn parse(layout: &str, text: &str, zone: &TimeZone) -> Result<Zoned, String> {
    let read = read(layout, text)?;
    finish(&read)
        .and_then(|at| place(at, &read, zone).ok_or("time"))
        .map_err(|what| std::format!("parsing time {}: {what} out of range", quote(text)))
}

/// Reads date and time by a layout, and the offset in seconds if the text has one. Unlike [`parse`] it knows the last
/// hours of the year 9999.
///
/// # Errors
/// Like [`parse`].
pub fn parse_civil(layout: &str, text: &str) -> Result<(DateTime, Option<i32>), String> {
    let read = read(layout, text)?;
    finish(&read)
        .map(|at| (at, read.offset))
        .map_err(|what| std::format!("parsing time {}: {what} out of range", quote(text)))
}

/// A text in quotes as Go's time errors show it: every byte outside ASCII escaped.
pub(crate) fn quote(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        if c.is_ascii() && c >= ' ' {
            if matches!(c, '"' | '\\') {
                out.push('\\');
            }
            out.push(c);
        } else {
            let mut buffer = [0; 4];
            for b in c.encode_utf8(&mut buffer).bytes() {
                out.push_str(&std::format!("\\x{b:02x}"));
            }
        }
    }
    out.push('"');
    out
}

fn read(layout: &str, text: &str) -> Result<Read, String> {
    let quoted = quote;
    let mut read = Read::default();
    let mut rest = text;
    let parts = pieces(layout);
    for (i, piece) in parts.iter().enumerate() {
        let before = rest;
        let ok = match piece {
            Piece::Literal(literal) => skip(&mut rest, literal),
            _ => take(&mut read, piece, &mut rest, parts.get(i + 1)),
        };
        if let Some(what) = ok.as_ref().ok().and_then(|()| out_of_range(&read, piece)) {
            return Err(std::format!("parsing time {}: {what} out of range", quoted(text)));
        }
        if ok.is_err() {
            return Err(std::format!(
                "parsing time {} as {}: cannot parse {} as {}",
                quoted(text),
                quoted(layout),
                quoted(if matches!(piece, Piece::Literal(_)) {
                    rest
                } else {
                    before
                }),
                quoted(&spelling(piece))
            ));
        }
    }
    if !rest.is_empty() {
        return Err(std::format!(
            "parsing time {}: extra text: {}",
            quoted(text),
            quoted(rest)
        ));
    }
    Ok(read)
}

/// What Go refuses as soon as it has read it.
fn out_of_range(read: &Read, piece: &Piece<'_>) -> Option<&'static str> {
    match piece {
        Piece::NumMonth | Piece::ZeroMonth if !(1..=12).contains(&read.month?) => Some("month"),
        Piece::Hour if read.hour > 23 => Some("hour"),
        Piece::Hour12 | Piece::ZeroHour12 if read.hour > 12 => Some("hour"),
        Piece::Minute | Piece::ZeroMinute if read.minute > 59 => Some("minute"),
        Piece::Second | Piece::ZeroSecond if read.second > 59 => Some("second"),
        Piece::Offset { .. } => read.offset_fault,
        _ => None,
    }
}

fn spelling(piece: &Piece<'_>) -> String {
    match piece {
        Piece::Literal(s) => (*s).to_owned(),
        Piece::Fraction(c, digits, cut) => {
            std::format!("{c}{}", if *cut { "9" } else { "0" }.repeat(*digits))
        }
        other => PIECES
            .iter()
            .find(|(_, p)| p == other)
            .map(|(s, _)| (*s).to_owned())
            .unwrap_or_default(),
    }
}

/// Skips a literal; a blank in it stands for any number of blanks.
fn skip(rest: &mut &str, literal: &str) -> Result<(), Bad> {
    let mut wanted = literal.chars().peekable();
    while let Some(c) = wanted.next() {
        if c == ' ' {
            if !rest.is_empty() && !rest.starts_with(' ') {
                return Err(Bad);
            }
            *rest = rest.trim_start_matches(' ');
            while wanted.peek() == Some(&' ') {
                wanted.next();
            }
            continue;
        }
        *rest = rest.strip_prefix(c).ok_or(Bad)?;
    }
    Ok(())
}

fn digits(rest: &mut &str, min: usize, max: usize) -> Result<i64, Bad> {
    let count = rest.bytes().take(max).take_while(u8::is_ascii_digit).count();
    if count < min {
        return Err(Bad);
    }
    let (number, after) = rest.split_at(count);
    *rest = after;
    number.parse().map_err(|_| Bad)
}

fn name(rest: &mut &str, names: &[&str], length: Option<usize>) -> Result<i64, Bad> {
    for (i, full) in names.iter().enumerate() {
        let wanted = &full[..length.unwrap_or(full.len())];
        if rest
            .get(..wanted.len())
            .is_some_and(|s| s.eq_ignore_ascii_case(wanted))
        {
            *rest = &rest[wanted.len()..];
            return i64::try_from(i).map_err(|_| Bad);
        }
    }
    Err(Bad)
}

fn take(read: &mut Read, piece: &Piece<'_>, rest: &mut &str, next: Option<&Piece<'_>>) -> Result<(), Bad> {
    match piece {
        Piece::Literal(_) => {}
        Piece::LongMonth => read.month = Some(name(rest, &MONTHS, None)? + 1),
        Piece::Month => read.month = Some(name(rest, &MONTHS, Some(3))? + 1),
        Piece::NumMonth => read.month = Some(digits(rest, 1, 2)?),
        Piece::ZeroMonth => read.month = Some(digits(rest, 2, 2)?),
        Piece::LongWeekDay => {
            name(rest, &DAYS, None)?;
        }
        Piece::WeekDay => {
            name(rest, &DAYS, Some(3))?;
        }
        Piece::Day | Piece::UnderDay => {
            if *piece == Piece::UnderDay {
                *rest = rest.strip_prefix(' ').unwrap_or(rest);
            }
            read.day = Some(digits(rest, 1, 2)?);
        }
        Piece::ZeroDay => read.day = Some(digits(rest, 2, 2)?),
        Piece::UnderYearDay | Piece::ZeroYearDay => {
            let mut blanks = 0;
            while *piece == Piece::UnderYearDay && blanks < 2 && rest.starts_with(' ') {
                *rest = &rest[1..];
                blanks += 1;
            }
            let least = if *piece == Piece::ZeroYearDay { 3 } else { 1 };
            read.year_day = Some(digits(rest, least, 3)?);
        }
        Piece::Hour | Piece::Hour12 => read.hour = digits(rest, 1, 2)?,
        Piece::ZeroHour12 => read.hour = digits(rest, 2, 2)?,
        Piece::Minute => read.minute = digits(rest, 1, 2)?,
        Piece::ZeroMinute => read.minute = digits(rest, 2, 2)?,
        Piece::Second | Piece::ZeroSecond => {
            read.second = digits(rest, if *piece == Piece::Second { 1 } else { 2 }, 2)?;
            // A fraction may follow the seconds even when the layout has none.
            let has_fraction =
                rest.starts_with(['.', ',']) && rest[1..].starts_with(|c: char| c.is_ascii_digit());
            if has_fraction && !matches!(next, Some(Piece::Fraction(..))) {
                read.nanos = fraction(rest, None)?;
            }
        }
        Piece::LongYear => read.year = Some(digits(rest, 4, 4)?),
        Piece::Year => {
            let y = digits(rest, 2, 2)?;
            read.year = Some(if y >= 69 { 1900 + y } else { 2000 + y });
        }
        Piece::UpperHalf | Piece::LowerHalf => {
            let wanted = if *piece == Piece::UpperHalf {
                ["AM", "PM"]
            } else {
                ["am", "pm"]
            };
            let i = wanted.iter().position(|w| rest.starts_with(w)).ok_or(Bad)?;
            *rest = &rest[2..];
            read.afternoon = Some(i == 1);
        }
        Piece::ZoneName => zone_abbreviation(read, rest)?,
        Piece::Offset {
            z,
            colon,
            minutes,
            seconds,
        } => offset(read, rest, (*z, *colon, *minutes, *seconds))?,
        Piece::Fraction(_, count, cut) => {
            if *cut {
                if rest.starts_with(['.', ',']) && rest[1..].starts_with(|c: char| c.is_ascii_digit()) {
                    read.nanos = fraction(rest, None)?;
                }
            } else {
                read.nanos = fraction(rest, Some(*count))?;
            }
        }
    }
    Ok(())
}

fn fraction(rest: &mut &str, exactly: Option<usize>) -> Result<i64, Bad> {
    let body = rest.strip_prefix(['.', ',']).ok_or(Bad)?;
    let count = match exactly {
        Some(n) => n,
        None => body.bytes().take_while(u8::is_ascii_digit).count(),
    };
    let number = body
        .get(..count)
        .filter(|s| s.bytes().all(|b| b.is_ascii_digit()))
        .ok_or(Bad)?;
    *rest = &body[count..];
    let padded = std::format!("{:0<9}", number);
    padded[..9].parse().map_err(|_| Bad)
}

fn zone_abbreviation(read: &mut Read, rest: &mut &str) -> Result<(), Bad> {
    if rest.len() < 3 {
        return Err(Bad);
    }
    if let Some((_, after)) = signed_hours(rest) {
        *rest = after;
        return Ok(());
    }
    let capitals = rest.bytes().take_while(u8::is_ascii_uppercase).count();
    let (found, after) = if rest.starts_with("ChST") || rest.starts_with("MeST") {
        rest.split_at(4)
    } else {
        rest.split_at(capitals)
    };
    if let Some(after) = rest.strip_prefix("GMT")
        && let Some((hours, after)) = signed_hours(after)
    {
        read.shown_hours = Some(hours);
        *rest = after;
        return Ok(());
    }
    let known = match found.len() {
        3 => true,
        4 => found.ends_with('T') || found == "WITA",
        5 => found.ends_with('T'),
        _ => false,
    };
    if !known {
        return Err(Bad);
    }
    read.zone_name = Some(found.to_owned());
    *rest = after;
    Ok(())
}

/// Hours with a sign, as many digits as they have, at most 23; and what comes after.
fn signed_hours(text: &str) -> Option<(i32, &str)> {
    let digits = text.strip_prefix(['+', '-'])?;
    let count = digits.bytes().take_while(u8::is_ascii_digit).count();
    let hours: i32 = text[..=count].parse().ok()?;
    (hours.abs() <= 23).then(|| (hours, &digits[count..]))
}

fn offset(
    read: &mut Read,
    rest: &mut &str,
    (z, colon, minutes, seconds): (bool, bool, bool, bool),
) -> Result<(), Bad> {
    if z && rest.starts_with('Z') {
        *rest = &rest[1..];
        read.offset = Some(0);
        return Ok(());
    }
    let negative = rest.starts_with('-');
    if !negative && !rest.starts_with('+') {
        return Err(Bad);
    }
    *rest = &rest[1..];
    let mut total = digits(rest, 2, 2)? * 3600;
    read.offset_fault = (total > 24 * 3600).then_some("time zone offset hour");
    for (wanted, scale, what) in [
        (minutes, 60, "time zone offset minute"),
        (seconds, 1, "time zone offset second"),
    ] {
        if wanted {
            if colon {
                *rest = rest.strip_prefix(':').ok_or(Bad)?;
            }
            let number = digits(rest, 2, 2)?;
            // Sixty passes in the original, and of several faults it tells the last.
            if number > 60 {
                read.offset_fault = Some(what);
            }
            total += number * scale;
        }
    }
    let total = i32::try_from(total).map_err(|_| Bad)?;
    read.offset = Some(if negative { -total } else { total });
    Ok(())
}

fn finish(read: &Read) -> Result<DateTime, &'static str> {
    let small = |v: i64, what| i8::try_from(v).map_err(|_| what);
    let year = i16::try_from(read.year.unwrap_or(0)).map_err(|_| "year")?;
    let mut hour = read.hour;
    if !(0..24).contains(&hour) {
        return Err("hour");
    }
    match read.afternoon {
        Some(_) if hour > 12 => return Err("hour"),
        Some(true) if hour < 12 => hour += 12,
        Some(false) if hour == 12 => hour = 0,
        _ => {}
    }
    let (month, day) = match read.year_day {
        Some(n) => {
            let first = Date::new(year, 1, 1).map_err(|_| "year")?;
            let span = jiff::Span::new().try_days(n - 1).map_err(|_| "day-of-year")?;
            let date = first.checked_add(span).map_err(|_| "day-of-year")?;
            if n < 1 || date.year() != year {
                return Err("day-of-year");
            }
            (i64::from(date.month()), i64::from(date.day()))
        }
        None => (read.month.unwrap_or(1), read.day.unwrap_or(1)),
    };
    if !(1..=12).contains(&month) {
        return Err("month");
    }
    let date = Date::new(year, small(month, "month")?, small(day, "day")?).map_err(|_| "day")?;
    if read.minute > 59 {
        return Err("minute");
    }
    if read.second > 59 {
        return Err("second");
    }
    let nanos = i32::try_from(read.nanos).map_err(|_| "fractional second")?;
    let time = Time::new(
        small(hour, "hour")?,
        small(read.minute, "minute")?,
        small(read.second, "second")?,
        nanos,
    )
    .map_err(|_| "time")?;
    Ok(DateTime::from_parts(date, time))
}

/// A local time in a zone, chosen as Go does where the clock is set: the offset that was in force shortly before.
fn in_zone(at: DateTime, zone: &TimeZone) -> Option<Zoned> {
    let utc = at.to_zoned(TimeZone::UTC).ok()?.timestamp();
    let shift = |offset: Offset| utc.checked_sub(jiff::SignedDuration::from_secs(offset.seconds().into()));
    let first = shift(zone.to_offset(utc)).ok()?;
    let second = shift(zone.to_offset(first)).ok()?;
    Some(second.to_zoned(zone.clone()))
}

fn place(at: DateTime, read: &Read, zone: &TimeZone) -> Option<Zoned> {
    if let Some(seconds) = read.offset {
        if seconds == 0 {
            return at.to_zoned(TimeZone::UTC).ok();
        }
        // The offset of the given zone at that moment keeps the zone's name.
        let fixed = at
            .to_zoned(TimeZone::fixed(Offset::from_seconds(seconds).ok()?))
            .ok()?;
        let local = fixed.with_time_zone(zone.clone());
        return Some(if local.offset() == fixed.offset() {
            local
        } else {
            fixed
        });
    }
    if let Some(hours) = read.shown_hours {
        let shown = TimeZone::fixed(Offset::from_seconds(hours * 3600).ok()?);
        return Some(at.to_zoned(TimeZone::UTC).ok()?.with_time_zone(shown));
    }
    if let Some(name) = &read.zone_name {
        let local = in_zone(at, zone)?;
        // An abbreviation that the zone does not know counts as UTC with that name.
        if name == "UTC" {
            return at.to_zoned(TimeZone::UTC).ok();
        }
        return if abbreviation(&local) == *name {
            Some(local)
        } else {
            at.to_zoned(TimeZone::UTC).ok()
        };
    }
    in_zone(at, zone)
}
