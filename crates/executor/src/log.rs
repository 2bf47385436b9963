//! The executor's own log lines on standard error (rules X-GEN-25 to X-GEN-27).
//! Deliberately no logging framework: the lines' form is part of the contract, and the small
//! program must stay small.

use std::fmt::Write as _;
use std::io::Write as _;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// How grave a line is.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd)]
pub enum Level {
    /// Details for whoever looks for a fault in the executor.
    Debug,
    /// What was done.
    Info,
    /// Something that the user may not have wanted, and that was passed over.
    Warn,
    /// What makes the step fail.
    Error,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }

    /// The level of a `--loglevel` flag, legacy names included (X-GEN-22).
    pub fn parse(text: &str) -> Option<Self> {
        match text.to_ascii_lowercase().as_str() {
            "debug" | "trace" => Some(Self::Debug),
            "info" | "print" | "" => Some(Self::Info),
            "warn" | "warning" => Some(Self::Warn),
            "error" | "fatal" | "panic" => Some(Self::Error),
            _ => None,
        }
    }
}

/// How a line is written.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Format {
    /// `time=… level=INFO msg="…" k=v`
    Text,
    /// One JSON object per line.
    Json,
}

// Process-wide: lines come from every depth of the program, and there is one standard error.
static LEVEL: AtomicU8 = AtomicU8::new(1);
static JSON: AtomicU8 = AtomicU8::new(0);

/// Chooses level and form for the whole process. Before it is called: info, text.
pub fn set_up(level: Level, format: Format) {
    LEVEL.store(level as u8, Ordering::Relaxed);
    JSON.store(u8::from(format == Format::Json), Ordering::Relaxed);
}

/// Writes one line, unless its level is below the chosen one. Fields keep their order.
pub fn line(level: Level, message: &str, fields: &[(&str, &str)]) {
    if (level as u8) < LEVEL.load(Ordering::Relaxed) {
        return;
    }
    let format = if JSON.load(Ordering::Relaxed) == 1 {
        Format::Json
    } else {
        Format::Text
    };
    let text = render(SystemTime::now(), level, format, message, fields);
    // A log that cannot be written has nowhere to be reported.
    let _ = std::io::stderr().write_all(text.as_bytes());
}

/// Writes an info line.
pub fn info(message: &str, fields: &[(&str, &str)]) {
    line(Level::Info, message, fields);
}

/// Writes a warning.
pub fn warn(message: &str, fields: &[(&str, &str)]) {
    line(Level::Warn, message, fields);
}

/// Writes an error line.
pub fn error(message: &str, fields: &[(&str, &str)]) {
    line(Level::Error, message, fields);
}

/// Prints `Error: <message>` on standard error, the last line of a failing command (X-GEN-27).
pub fn final_error(message: &str) {
    let _ = writeln!(std::io::stderr(), "Error: {message}");
}

fn render(time: SystemTime, level: Level, format: Format, message: &str, fields: &[(&str, &str)]) -> String {
    let time = rfc3339_millis(time);
    let mut out = String::with_capacity(128);
    match format {
        Format::Text => {
            let _ = write!(out, "time={time} level={} msg={}", level.name(), quoted(message));
            for (key, value) in fields {
                let _ = write!(out, " {key}={}", quoted(value));
            }
            out.push_str(" argo=true\n");
        }
        Format::Json => {
            let mut push = |key: &str, value: &str| {
                let key = serde_json::Value::from(key);
                let value = serde_json::Value::from(value);
                let comma = if out.is_empty() { '{' } else { ',' };
                let _ = write!(out, "{comma}{key}:{value}");
            };
            push("time", &time);
            push("level", level.name());
            push("msg", message);
            for (key, value) in fields {
                push(key, value);
            }
            out.push_str(",\"argo\":true}\n");
        }
    }
    out
}

/// A value of the text form: quoted when it is empty or holds spaces, quotes, `=` or control
/// characters.
fn quoted(value: &str) -> String {
    let plain = |c: char| !(c.is_whitespace() || c.is_control() || c == '"' || c == '=');
    if !value.is_empty() && value.chars().all(plain) {
        return value.to_owned();
    }
    let mut out = String::with_capacity(value.len() + 2);
    out.push('"');
    for c in value.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() => {
                let _ = write!(out, "\\x{:02x}", u32::from(c));
            }
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// UTC with milliseconds, as `2026-01-02T03:04:05.678Z`.
pub fn rfc3339_millis(time: SystemTime) -> String {
    let since = time.duration_since(UNIX_EPOCH).unwrap_or_default();
    let (days, seconds) = (since.as_secs() / 86_400, since.as_secs() % 86_400);
    let (year, month, day) = civil(days);
    format!(
        "{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}.{:03}Z",
        seconds / 3600,
        seconds / 60 % 60,
        seconds % 60,
        since.subsec_millis()
    )
}

/// Year, month and day of a number of days since 1970, counted in 400-year eras that begin
/// on the first of March, so that the leap day is an era's last day.
fn civil(days: u64) -> (u64, u64, u64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 {
        march_month + 3
    } else {
        march_month - 9
    };
    let year = year_of_era + era * 400 + u64::from(month <= 2);
    (year, month, day)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[track_caller]
    fn check(format: Format, message: &str, fields: &[(&str, &str)], want: &str) {
        let time = UNIX_EPOCH + Duration::from_millis(1_709_210_096_007);
        assert_eq!(render(time, Level::Info, format, message, fields), want);
    }

    #[test]
    fn x_gen_25_forms_of_a_line() {
        check(
            Format::Text,
            "sub-process exited",
            &[("error", "<nil>")],
            "time=2024-02-29T12:34:56.007Z level=INFO msg=\"sub-process exited\" error=<nil> argo=true\n",
        );
        check(
            Format::Text,
            "a \"b\"\n",
            &[("k", "")],
            "time=2024-02-29T12:34:56.007Z level=INFO msg=\"a \\\"b\\\"\\n\" k=\"\" argo=true\n",
        );
        check(
            Format::Json,
            "a\"b",
            &[("k", "v=1")],
            "{\"time\":\"2024-02-29T12:34:56.007Z\",\"level\":\"INFO\",\"msg\":\"a\\\"b\",\"k\":\"v=1\",\"argo\":true}\n",
        );
    }
}
