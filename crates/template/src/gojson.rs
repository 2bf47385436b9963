//! Reads JSON text as Go's `encoding/json` does: the same texts are refused, with the same words. What is made of it is
//! the caller's: plain JSON values here, values of expressions in `value::json`.

use std::borrow::Cow;

use serde_json::{Map, Number, Value};

/// How deep documents may be nested, as in Go.
const DEPTH: usize = 10_000;

/// How deep we follow by recursion before we refuse; real documents stay far below.
const OURS: usize = 500;

/// What is made of a document, from the inside out.
pub(crate) trait Make {
    type Value;
    type Members;

    fn null(&mut self) -> Self::Value;
    fn bool(&mut self, value: bool) -> Self::Value;
    fn number(&mut self, value: Number) -> Self::Value;
    fn text(&mut self, value: Cow<'_, str>) -> Self::Value;
    fn list(&mut self, items: Vec<Self::Value>) -> Self::Value;
    fn members(&mut self) -> Self::Members;
    /// The later of two equal keys counts.
    fn member(&mut self, members: &mut Self::Members, key: Cow<'_, str>, value: Self::Value);
    fn object(&mut self, members: Self::Members) -> Self::Value;
}

struct Plain;

impl Make for Plain {
    type Value = Value;
    type Members = Map<String, Value>;

    fn null(&mut self) -> Value {
        Value::Null
    }

    fn bool(&mut self, value: bool) -> Value {
        Value::Bool(value)
    }

    fn number(&mut self, value: Number) -> Value {
        Value::Number(value)
    }

    fn text(&mut self, value: Cow<'_, str>) -> Value {
        Value::String(value.into_owned())
    }

    fn list(&mut self, items: Vec<Value>) -> Value {
        Value::Array(items)
    }

    fn members(&mut self) -> Map<String, Value> {
        Map::new()
    }

    fn member(&mut self, members: &mut Map<String, Value>, key: Cow<'_, str>, value: Value) {
        members.insert(key.into_owned(), value);
    }

    fn object(&mut self, members: Map<String, Value>) -> Value {
        Value::Object(members)
    }
}

struct Reader<'b, M> {
    bytes: &'b [u8],
    /// The same bytes, when all of them are text.
    text: Option<&'b str>,
    at: usize,
    make: M,
}

/// Parses a document. Stray bytes in strings become U+FFFD.
///
/// # Errors
/// Go's text for the first thing that is wrong.
pub fn parse(bytes: &[u8]) -> Result<Value, String> {
    read(bytes, Plain)
}

/// Like [`parse`], making something else of it.
///
/// # Errors
/// Like [`parse`].
pub(crate) fn read<M: Make>(bytes: &[u8], make: M) -> Result<M::Value, String> {
    let text = std::str::from_utf8(bytes).ok();
    let mut reader = Reader {
        bytes,
        text,
        at: 0,
        make,
    };
    reader.blanks();
    let value = reader.value(0)?;
    reader.blanks();
    match reader.peek() {
        None => Ok(value),
        Some(_) => Err(reader.unexpected("after top-level value")),
    }
}

/// Whether Go's `json.Valid` holds.
#[must_use]
pub fn valid(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}

/// A character in Go's single quotes, for messages.
fn show(c: u8) -> String {
    match c {
        b'\'' => r"'\''".into(),
        b'"' => "'\"'".into(),
        _ => {
            let c = char::from(c);
            let mut buffer = [0; 4];
            let quoted = crate::value::quote::go_quote(c.encode_utf8(&mut buffer).as_bytes());
            format!("'{}'", &quoted[1..quoted.len() - 1])
        }
    }
}

impl<'b, M: Make> Reader<'b, M> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn blanks(&mut self) {
        while matches!(self.peek(), Some(b' ' | b'\t' | b'\r' | b'\n')) {
            self.at += 1;
        }
    }

    fn unexpected(&self, place: &str) -> String {
        match self.peek() {
            None => "unexpected end of JSON input".into(),
            Some(c) => format!("invalid character {} {place}", show(c)),
        }
    }

    /// Like [`Self::unexpected`] inside numbers and literals, which Go ends with a blank at the end of the text.
    fn cut_short(&self, place: &str) -> String {
        match self.peek() {
            None => format!("invalid character ' ' {place}"),
            Some(_) => self.unexpected(place),
        }
    }

    fn value(&mut self, depth: usize) -> Result<M::Value, String> {
        if depth > DEPTH.min(OURS) {
            return Err("exceeded max depth".into());
        }
        match self.peek() {
            Some(b'{') => self.object(depth),
            Some(b'[') => self.array(depth),
            Some(b'"') => self.string().map(|text| self.make.text(text)),
            Some(b't') => self.literal("true").map(|()| self.make.bool(true)),
            Some(b'f') => self.literal("false").map(|()| self.make.bool(false)),
            Some(b'n') => self.literal("null").map(|()| self.make.null()),
            Some(b'-' | b'0'..=b'9') => self.number().map(|number| self.make.number(number)),
            _ => Err(self.unexpected("looking for beginning of value")),
        }
    }

    fn literal(&mut self, word: &str) -> Result<(), String> {
        for expected in word.bytes() {
            if self.peek() != Some(expected) {
                let place = format!("in literal {word} (expecting {})", show(expected));
                return Err(self.cut_short(&place));
            }
            self.at += 1;
        }
        Ok(())
    }

    fn object(&mut self, depth: usize) -> Result<M::Value, String> {
        self.at += 1;
        let mut members = self.make.members();
        self.blanks();
        if self.peek() == Some(b'}') {
            self.at += 1;
            return Ok(self.make.object(members));
        }
        loop {
            self.blanks();
            if self.peek() != Some(b'"') {
                return Err(self.unexpected("looking for beginning of object key string"));
            }
            let key = self.string()?;
            self.blanks();
            if self.peek() != Some(b':') {
                return Err(self.unexpected("after object key"));
            }
            self.at += 1;
            self.blanks();
            let value = self.value(depth + 1)?;
            self.make.member(&mut members, key, value);
            self.blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b'}') => {
                    self.at += 1;
                    return Ok(self.make.object(members));
                }
                _ => return Err(self.unexpected("after object key:value pair")),
            }
        }
    }

    fn array(&mut self, depth: usize) -> Result<M::Value, String> {
        self.at += 1;
        let mut items = Vec::new();
        self.blanks();
        if self.peek() == Some(b']') {
            self.at += 1;
            return Ok(self.make.list(items));
        }
        loop {
            self.blanks();
            items.push(self.value(depth + 1)?);
            self.blanks();
            match self.peek() {
                Some(b',') => self.at += 1,
                Some(b']') => {
                    self.at += 1;
                    return Ok(self.make.list(items));
                }
                _ => return Err(self.unexpected("after array element")),
            }
        }
    }

    fn string(&mut self) -> Result<Cow<'b, str>, String> {
        self.at += 1;
        let from = self.at;
        self.plain();
        if self.peek() == Some(b'"') {
            let found = match self.text.and_then(|text| text.get(from..self.at)) {
                Some(text) => Cow::Borrowed(text),
                None => crate::text::lossy(&self.bytes[from..self.at]),
            };
            self.at += 1;
            return Ok(found);
        }
        let mut out = self.bytes[from..self.at].to_vec();
        loop {
            match self.peek() {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(Cow::Owned(crate::text::lossy(&out).into_owned()));
                }
                Some(b'\\') => {
                    self.at += 1;
                    let c = self.escape()?;
                    let mut buffer = [0; 4];
                    out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
                }
                Some(0x20..) => {
                    let from = self.at;
                    self.plain();
                    out.extend_from_slice(&self.bytes[from..self.at]);
                }
                _ => return Err(self.unexpected("in string literal")),
            }
        }
    }

    /// Goes on to what is not itself in a string.
    fn plain(&mut self) {
        let rest = &self.bytes[self.at..];
        let end = rest.iter().position(|b| matches!(b, b'"' | b'\\' | ..0x20));
        self.at += end.unwrap_or(rest.len());
    }

    fn escape(&mut self) -> Result<char, String> {
        let c = match self.peek() {
            Some(b'"') => '"',
            Some(b'\\') => '\\',
            Some(b'/') => '/',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'n') => '\n',
            Some(b'r') => '\r',
            Some(b't') => '\t',
            Some(b'u') => return self.unicode(),
            _ => return Err(self.unexpected("in string escape code")),
        };
        self.at += 1;
        Ok(c)
    }

    fn hex(&mut self) -> Result<u32, String> {
        self.at += 1;
        let mut code = 0;
        for _ in 0..4 {
            let digit = self.peek().and_then(|c| char::from(c).to_digit(16));
            let Some(digit) = digit else {
                return Err(self.unexpected("in \\u hexadecimal character escape"));
            };
            code = code * 16 + digit;
            self.at += 1;
        }
        Ok(code)
    }

    fn unicode(&mut self) -> Result<char, String> {
        let high = self.hex()?;
        if (0xd800..0xdc00).contains(&high) && self.bytes[self.at..].starts_with(b"\\u") {
            let back = self.at;
            self.at += 1;
            let low = self.hex()?;
            if (0xdc00..0xe000).contains(&low) {
                let code = 0x1_0000 + ((high - 0xd800) << 10) + (low - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = back;
        }
        Ok(char::from_u32(high).unwrap_or(char::REPLACEMENT_CHARACTER))
    }

    fn number(&mut self) -> Result<Number, String> {
        let from = self.at;
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        match self.peek() {
            Some(b'0') => self.at += 1,
            Some(b'1'..=b'9') => self.digits(),
            _ => return Err(self.cut_short("in numeric literal")),
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if !matches!(self.peek(), Some(b'0'..=b'9')) {
                return Err(self.cut_short("after decimal point in numeric literal"));
            }
            self.digits();
        }
        if matches!(self.peek(), Some(b'e' | b'E')) {
            self.at += 1;
            if matches!(self.peek(), Some(b'+' | b'-')) {
                self.at += 1;
            }
            if !matches!(self.peek(), Some(b'0'..=b'9')) {
                return Err(self.cut_short("in exponent of numeric literal"));
            }
            self.digits();
        }
        let text = std::str::from_utf8(&self.bytes[from..self.at]).unwrap_or("0");
        if let Ok(i) = text.parse::<i64>()
            && text != "-0"
        {
            return Ok(i.into());
        }
        let number = text.parse::<f64>().ok().and_then(Number::from_f64);
        number.ok_or_else(|| format!("json: cannot unmarshal number {text} into Go value of type float64"))
    }

    fn digits(&mut self) {
        while matches!(self.peek(), Some(b'0'..=b'9')) {
            self.at += 1;
        }
    }
}
