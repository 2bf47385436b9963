//! The strftime conversions that `workflow.creationTimestamp.<c>` offers (C-VAR-01).

use jiff::Zoned;

/// The characters that are offered.
pub const CONVERSIONS: &[char] = &[
    'B', 'b', 'm', 'A', 'a', 'd', 'H', 'I', 'M', 'S', 'Y', 'y', 'p', 'Z', 'z', 'L',
];

/// A time converted by one character, or `None` for a character that is not offered. `L` is milliseconds.
#[must_use]
pub fn convert(t: &Zoned, conversion: char) -> Option<String> {
    let layout = match conversion {
        'B' => "January",
        'b' => "Jan",
        'm' => "01",
        'A' => "Monday",
        'a' => "Mon",
        'd' => "02",
        'H' => "15",
        'I' => "03",
        'M' => "04",
        'S' => "05",
        'Y' => "2006",
        'y' => "06",
        'p' => "PM",
        'Z' => "MST",
        'z' => "-0700",
        'L' => return Some(format!("{:03}", t.subsec_nanosecond() / 1_000_000)),
        _ => return None,
    };
    Some(super::format(t, layout))
}
