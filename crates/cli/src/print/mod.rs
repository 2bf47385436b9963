//! Text that commands show: tables, trees, times, JSON and YAML, as the published command line prints them.
//!
//! Pure: an object, a clock reading and options in, text out. Not here: talking to an API server.

pub mod cron;
pub mod glyph;
pub mod json;
pub mod list;
pub mod location;
pub mod lookup;
pub mod nodes;
pub mod progress;
pub mod table;
pub mod template;
pub mod time;
pub mod why;
pub mod workflow;

pub use glyph::Style;
pub use time::Clock;

/// Appends a line of a description: the key padded to `width` characters, a blank, the value.
fn line(out: &mut String, width: usize, key: &str, value: &str) {
    out.push_str(&table::pad(key, width));
    out.push(' ');
    out.push_str(value);
    out.push('\n');
}
