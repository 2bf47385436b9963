//! Durations as the API writes them (C-EXE-12), and the words of back-off messages. What the texts mean, and Go's words for
//! what is wrong with one, is in `argosy_template::duration`.

use argosy_template::duration;
use jiff::SignedDuration;

pub use argosy_template::duration::Error;

/// Reads whole seconds (`10`) or a Go duration (`1h30m`).
///
/// # Errors
/// When the text is neither.
pub fn parse(text: &str) -> Result<SignedDuration, Error> {
    duration::parse(text).map(SignedDuration::from_nanos)
}

/// Reads a Go duration: signed decimal numbers with units, or `0`.
///
/// # Errors
/// Any other text, in Go's words.
pub fn parse_go(text: &str) -> Result<SignedDuration, String> {
    duration::parse_go(text).map(SignedDuration::from_nanos)
}

/// The text that Go gives a duration: `1h30m0s`, `1m0s`, `3s`, `1.5s`, `250ms`, `0s`. What Go can't hold, beyond 292
/// years, is cut.
#[must_use]
pub fn to_go(duration: SignedDuration) -> String {
    let nanos = duration.as_nanos();
    duration::show(i64::try_from(nanos).unwrap_or(if nanos < 0 { i64::MIN } else { i64::MAX }))
}

/// The two biggest units of a wait in words: `45 seconds`, `1 hour 5 minutes` (C-RTY-04).
#[must_use]
pub fn in_words(duration: SignedDuration) -> String {
    let secs = duration.as_secs();
    let units = [
        (secs / 86_400, "day"),
        (secs / 3_600 % 24, "hour"),
        (secs / 60 % 60, "minute"),
        (secs % 60, "second"),
    ];
    let first = units.iter().position(|(n, _)| *n > 0).unwrap_or(3);
    let words: Vec<String> = units[first..]
        .iter()
        .take(2)
        .map(|(n, unit)| format!("{n} {unit}{}", if *n == 1 { "" } else { "s" }))
        .collect();
    words.join(" ")
}
