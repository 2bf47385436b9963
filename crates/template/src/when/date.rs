//! Quoted texts that look like dates become times.

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// The layouts, in the order in which they are tried.
const LAYOUTS: &[&str] = &[
    "Mon Jan _2 15:04:05 2006",
    "Mon Jan _2 15:04:05 MST 2006",
    "Mon Jan 02 15:04:05 -0700 2006",
    "2006-01-02T15:04:05Z07:00",
    "2006-01-02T15:04:05.999999999Z07:00",
    "3:04PM",
    "2006-01-02",
    "2006-01-02 15:04",
    "2006-01-02 15:04:05",
    "2006-01-02 15:04:05-07:00",
    "2006-01-02T15Z0700",
    "2006-01-02T15:04Z0700",
    "2006-01-02T15:04:05Z0700",
    "2006-01-02T15:04:05.999999999Z0700",
    "Mon, 02 Jan 2006 15:04:05 MST",
    "Mon, 02 Jan 2006 15:04:05 -0700",
];

/// The time that a text gives, if it is one.
pub fn read(text: &str) -> Option<Timestamp> {
    LAYOUTS
        .iter()
        .find_map(|l| crate::gotime::parse(l, text, &TimeZone::UTC).ok())
        .map(|z| z.timestamp())
}
