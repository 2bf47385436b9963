//! JSON text exactly as Go's `encoding/json` writes it: `<`, `>`, `&`, U+2028 and U+2029 escaped, Go's spelling of floats,
//! fields in declared order, map keys sorted.

use std::io;

use serde::Serialize;
use serde_json::ser::Formatter;

/// The compact text of a value.
///
/// # Errors
/// When the value cannot be written as JSON, which no wire type of this crate does.
pub fn to_string<T: Serialize + ?Sized>(value: &T) -> Result<String, serde_json::Error> {
    let mut out = Vec::new();
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, Go);
    value.serialize(&mut serializer)?;
    Ok(String::from_utf8(out).expect("serde_json writes UTF-8 only"))
}

/// The text of a value over several lines, with this many spaces for each level, as Go's `MarshalIndent` writes it.
///
/// # Errors
/// As [`to_string`].
pub fn to_string_indent<T: Serialize + ?Sized>(
    value: &T,
    spaces: usize,
) -> Result<String, serde_json::Error> {
    let indent = " ".repeat(spaces);
    let mut out = Vec::new();
    let pretty = GoPretty(serde_json::ser::PrettyFormatter::with_indent(indent.as_bytes()));
    let mut serializer = serde_json::Serializer::with_formatter(&mut out, pretty);
    value.serialize(&mut serializer)?;
    Ok(String::from_utf8(out).expect("serde_json writes UTF-8 only"))
}

/// A string as Go writes it, quotes included.
pub fn quoted(text: &str) -> String {
    to_string(text).expect("a string is always valid JSON")
}

/// A float as Go writes it in JSON: plain digits from 1e-6 up to 1e21, else the shortest exponent form.
/// NaN and infinities, which JSON cannot hold, become `null`.
pub fn float(value: f64) -> String {
    if !value.is_finite() {
        return "null".to_owned();
    }
    let size = value.abs();
    if value == 0.0 || (1e-6..1e21).contains(&size) {
        return format!("{value}");
    }
    let text = format!("{value:e}");
    match text.split_once('e') {
        Some((digits, exponent)) if !exponent.starts_with('-') => format!("{digits}e+{exponent}"),
        _ => text,
    }
}

/// A float of single precision as Go's `%g` writes it; YAML keys need it.
pub(crate) fn float_general(value: f32) -> String {
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    general(digits, exponent, format!("{value}"))
}

/// A float as Go's `%g` writes it.
pub(crate) fn float_general_long(value: f64) -> String {
    let text = format!("{value:e}");
    let (digits, exponent) = text.split_once('e').unwrap_or((&text, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    general(digits, exponent, format!("{value}"))
}

/// Go leaves plain digits below 1e-4 and from 1e6 on.
fn general(digits: &str, exponent: i32, plain: String) -> String {
    if (-4..6).contains(&exponent) {
        return plain;
    }
    let sign = if exponent < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", exponent.abs())
}

struct Go;

impl Formatter for Go {
    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        writer.write_all(float(value).as_bytes())
    }

    fn write_f32<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f32) -> io::Result<()> {
        self.write_f64(writer, f64::from(value))
    }

    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        let mut from = 0;
        for (at, found) in fragment.match_indices(['<', '>', '&', '\u{2028}', '\u{2029}']) {
            writer.write_all(&fragment.as_bytes()[from..at])?;
            let code = found.chars().next().map_or(0, u32::from);
            write!(writer, "\\u{code:04x}")?;
            from = at + found.len();
        }
        writer.write_all(&fragment.as_bytes()[from..])
    }
}

/// Line breaks and indentation of serde_json, which are Go's too, with Go's scalars.
struct GoPretty<'a>(serde_json::ser::PrettyFormatter<'a>);

macro_rules! layout {
    ($($name:ident($($argument:ident: $type:ty),*);)*) => {$(
        fn $name<W: ?Sized + io::Write>(&mut self, writer: &mut W, $($argument: $type),*) -> io::Result<()> {
            self.0.$name(writer, $($argument),*)
        }
    )*};
}

impl Formatter for GoPretty<'_> {
    layout! {
        begin_array();
        end_array();
        begin_array_value(first: bool);
        end_array_value();
        begin_object();
        end_object();
        begin_object_key(first: bool);
        begin_object_value();
        end_object_value();
    }

    fn write_f64<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f64) -> io::Result<()> {
        Go.write_f64(writer, value)
    }

    fn write_f32<W: ?Sized + io::Write>(&mut self, writer: &mut W, value: f32) -> io::Result<()> {
        Go.write_f32(writer, value)
    }

    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        Go.write_string_fragment(writer, fragment)
    }
}
