//! Text of an expression into tokens.

use super::error::Fault;
use crate::text::Text;

/// What a token is.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    Identifier(String),
    Number(String),
    Str(Text),
    Bytes(Vec<u8>),
    Operator(String),
    Bracket(char),
    Eof,
}

impl Token {
    /// Form in messages: `Operator("*")`, `EOF`.
    #[must_use]
    pub fn show(&self) -> String {
        let (kind, bytes) = match self {
            Self::Identifier(s) => ("Identifier", s.as_bytes().to_vec()),
            Self::Number(s) => ("Number", s.as_bytes().to_vec()),
            Self::Str(s) => ("String", s.bytes().to_vec()),
            Self::Bytes(b) => ("Bytes", b.clone()),
            Self::Operator(s) => ("Operator", s.as_bytes().to_vec()),
            Self::Bracket(c) => ("Bracket", c.to_string().into_bytes()),
            Self::Eof => return "EOF".into(),
        };
        if bytes.is_empty() {
            return kind.into();
        }
        format!("{kind}({})", crate::value::quote::go_quote(&bytes))
    }

    /// Whether it is this operator.
    #[must_use]
    pub fn is_op(&self, op: &str) -> bool {
        matches!(self, Self::Operator(s) if s == op)
    }

    /// Whether it is this bracket.
    #[must_use]
    pub fn is_bracket(&self, bracket: char) -> bool {
        matches!(self, Self::Bracket(c) if *c == bracket)
    }
}

const WORD_OPERATORS: [&str; 11] = [
    "not",
    "in",
    "or",
    "and",
    "matches",
    "contains",
    "startsWith",
    "endsWith",
    "let",
    "if",
    "else",
];

/// Letters, digits, `_` and `$` make identifiers.
#[must_use]
pub fn is_word(c: char) -> bool {
    c == '_' || c == '$' || c.is_alphanumeric() && (c.is_alphabetic() || is_decimal(c))
}

fn is_decimal(c: char) -> bool {
    c.is_ascii_digit() || (!c.is_ascii() && c.is_numeric())
}

/// Gives one token after the other, with its place in characters.
pub struct Lexer {
    chars: Vec<char>,
    at: usize,
    start: usize,
}

impl Lexer {
    #[must_use]
    pub fn new(source: &str) -> Self {
        Self {
            chars: source.chars().collect(),
            at: 0,
            start: 0,
        }
    }

    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn accept(&mut self, set: &str) -> bool {
        let hit = self.peek().is_some_and(|c| set.contains(c));
        if hit {
            self.at += 1;
        }
        hit
    }

    fn accept_run(&mut self, set: &str) {
        while self.accept(set) {}
    }

    fn word(&self) -> String {
        self.chars[self.start..self.at.min(self.chars.len())]
            .iter()
            .collect()
    }

    /// The next token and where it starts.
    ///
    /// # Errors
    /// Characters and literals that the language does not have.
    pub fn next(&mut self) -> Result<(Token, usize), Fault> {
        loop {
            self.start = self.at;
            let Some(c) = self.peek() else {
                return Ok((Token::Eof, self.chars.len().saturating_sub(1)));
            };
            if c.is_whitespace() {
                self.at += 1;
                continue;
            }
            if c == '/' && self.comment()? {
                continue;
            }
            let token = self.token(c)?;
            return Ok((token, self.start));
        }
    }

    fn comment(&mut self) -> Result<bool, Fault> {
        match self.chars.get(self.at + 1) {
            Some('/') => {
                while self.peek().is_some_and(|c| c != '\n') {
                    self.at += 1;
                }
                Ok(true)
            }
            Some('*') => {
                self.at += 2;
                loop {
                    match self.peek() {
                        None => return Err(Fault::new(self.at, "unclosed comment")),
                        Some('*') if self.chars.get(self.at + 1) == Some(&'/') => {
                            self.at += 2;
                            return Ok(true);
                        }
                        Some(_) => self.at += 1,
                    }
                }
            }
            _ => Ok(false),
        }
    }

    fn token(&mut self, c: char) -> Result<Token, Fault> {
        match c {
            '\'' | '"' => {
                let raw = self.quoted(c)?;
                unescape_text(&raw)
                    .map(Token::Str)
                    .map_err(|m| Fault::new(self.at - 1, m))
            }
            '`' => self.raw(),
            'b' if matches!(self.chars.get(self.at + 1), Some('\'' | '"')) => {
                self.at += 1;
                let quote = self.chars[self.at];
                let raw = self.quoted(quote)?;
                unescape_bytes(&raw)
                    .map(Token::Bytes)
                    .map_err(|m| Fault::new(self.at - 1, m))
            }
            '0'..='9' => self.number(),
            '(' | '[' | '{' | ')' | ']' | '}' => {
                self.at += 1;
                Ok(Token::Bracket(c))
            }
            '.' => {
                if self.chars.get(self.at + 1).is_some_and(char::is_ascii_digit) {
                    return self.number();
                }
                self.at += 1;
                self.accept(".");
                Ok(Token::Operator(self.word()))
            }
            _ if is_word(c) => {
                while self.peek().is_some_and(is_word) {
                    self.at += 1;
                }
                let word = self.word();
                Ok(if WORD_OPERATORS.contains(&word.as_str()) {
                    Token::Operator(word)
                } else {
                    Token::Identifier(word)
                })
            }
            _ => self.operator(c),
        }
    }

    fn operator(&mut self, c: char) -> Result<Token, Fault> {
        self.at += 1;
        match c {
            '?' => {
                self.accept(".?");
            }
            '|' => {
                self.accept("|");
            }
            ':' => {
                self.accept(":");
            }
            '/' | '#' | ',' | ';' | '%' | '+' | '-' | '^' => {}
            '&' | '!' | '=' | '*' | '<' | '>' => {
                self.accept("&=*");
            }
            _ => {
                return Err(Fault::new(
                    self.start,
                    format!("unrecognized character: U+{:04X} '{c}'", c as u32),
                ));
            }
        }
        Ok(Token::Operator(self.word()))
    }

    fn number(&mut self) -> Result<Token, Fault> {
        let mut digits = "0123456789_";
        if self.accept("0") {
            if self.accept("xX") {
                digits = "0123456789abcdefABCDEF_";
            } else if self.accept("oO") {
                digits = "01234567_";
            } else if self.accept("bB") {
                digits = "01_";
            }
        }
        self.accept_run(digits);
        let before_dot = self.at;
        if self.accept(".") {
            if self.peek() == Some('.') {
                self.at = before_dot;
                return Ok(Token::Number(self.word()));
            }
            self.accept_run(digits);
        }
        if self.accept("eE") {
            self.accept("+-");
            self.accept_run(digits);
        }
        if self.peek().is_some_and(is_word) {
            self.at += 1;
            let word = crate::value::quote::go_quote(self.word().as_bytes());
            return Err(Fault::new(self.at - 1, format!("bad number syntax: {word}")));
        }
        Ok(Token::Number(self.word()))
    }

    fn raw(&mut self) -> Result<Token, Fault> {
        self.at += 1;
        let mut out = String::new();
        loop {
            match self.peek() {
                None => return Err(Fault::new(self.at, "literal not terminated")),
                Some('`') => {
                    self.at += 1;
                    // A doubled backquote stands for one.
                    if self.peek() != Some('`') {
                        return Ok(Token::Str(Text::from(out)));
                    }
                    out.push('`');
                }
                Some(c) => out.push(c),
            }
            self.at += 1;
        }
    }

    /// What stands between the quotes, escapes untouched.
    fn quoted(&mut self, quote: char) -> Result<Vec<char>, Fault> {
        self.at += 1;
        let from = self.at;
        loop {
            match self.peek() {
                None | Some('\n') => return Err(Fault::new(self.at, "literal not terminated")),
                Some('\\') => {
                    self.at += 1;
                    self.escape(quote)?;
                }
                Some(c) if c == quote => {
                    self.at += 1;
                    return Ok(self.chars[from..self.at - 1].to_vec());
                }
                Some(_) => self.at += 1,
            }
        }
    }

    fn escape(&mut self, quote: char) -> Result<(), Fault> {
        let (digits, radix) = match self.peek() {
            Some('x') => (2, 16),
            Some('u') => (4, 16),
            Some('U') => (8, 16),
            Some('0'..='7') => {
                return self.escape_digits(3, 8);
            }
            Some(c) if c == quote || "abfnrtv\\".contains(c) => {
                self.at += 1;
                return Ok(());
            }
            other => {
                self.at += usize::from(other.is_some());
                let at = if other.is_some() { self.at - 1 } else { self.at };
                return Err(Fault::new(at, "invalid char escape"));
            }
        };
        self.at += 1;
        if digits == 4 && self.peek() == Some('{') {
            while self.peek().is_some_and(|c| c != '}' && c != quote && c != '\n') {
                self.at += 1;
            }
            if self.peek() == Some('}') {
                self.at += 1;
                return Ok(());
            }
        }
        self.escape_digits(digits, radix)
    }

    fn escape_digits(&mut self, count: usize, radix: u32) -> Result<(), Fault> {
        for _ in 0..count {
            match self.peek() {
                Some(c) if c.is_digit(radix) => self.at += 1,
                other => {
                    self.at += usize::from(other.is_some());
                    let at = if other.is_some() { self.at - 1 } else { self.at };
                    return Err(Fault::new(at, "invalid char escape"));
                }
            }
        }
        Ok(())
    }
}

fn unescape_text(raw: &[char]) -> Result<Text, &'static str> {
    let mut out = String::with_capacity(raw.len());
    unescape(raw, |code, _| {
        // Surrogates become the replacement character, as Go does when it makes text of a rune.
        out.push(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
        Ok(())
    })?;
    Ok(Text::from(out))
}

fn unescape_bytes(raw: &[char]) -> Result<Vec<u8>, &'static str> {
    let mut out = Vec::with_capacity(raw.len());
    unescape(raw, |code, byte| {
        if byte {
            out.push(u8::try_from(code).map_err(|_| "unable to unescape string")?);
        } else {
            let c = char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER);
            let mut buffer = [0; 4];
            out.extend_from_slice(c.encode_utf8(&mut buffer).as_bytes());
        }
        Ok(())
    })?;
    Ok(out)
}

/// Calls `put` with each character's code; the flag says that it was given as `\x` or in octal.
fn unescape(
    raw: &[char],
    mut put: impl FnMut(u32, bool) -> Result<(), &'static str>,
) -> Result<(), &'static str> {
    const BAD: &str = "unable to unescape string";
    let mut i = 0;
    while let Some(&c) = raw.get(i) {
        i += 1;
        if c != '\\' {
            put(c as u32, false)?;
            continue;
        }
        let Some(&e) = raw.get(i) else { return Err(BAD) };
        i += 1;
        let digits = |from: usize, count: usize, radix: u32| -> Option<u32> {
            let text: String = raw.get(from..from + count)?.iter().collect();
            u32::from_str_radix(&text, radix).ok()
        };
        match e {
            'a' => put(7, false)?,
            'b' => put(8, false)?,
            'f' => put(12, false)?,
            'n' => put(10, false)?,
            'r' => put(13, false)?,
            't' => put(9, false)?,
            'v' => put(11, false)?,
            'x' => {
                put(digits(i, 2, 16).ok_or(BAD)?, true)?;
                i += 2;
            }
            'u' if raw.get(i) == Some(&'{') => {
                let end = raw[i..].iter().position(|c| *c == '}').ok_or(BAD)? + i;
                let code = digits(i + 1, end - i - 1, 16).ok_or(BAD)?;
                char::from_u32(code).ok_or(BAD)?;
                put(code, false)?;
                i = end + 1;
            }
            'u' | 'U' => {
                let count = if e == 'u' { 4 } else { 8 };
                let code = digits(i, count, 16).ok_or(BAD)?;
                if code > 0x10_ffff {
                    return Err(BAD);
                }
                put(code, false)?;
                i += count;
            }
            '0'..='7' => {
                let code = digits(i - 1, 3, 8).ok_or(BAD)?;
                if code > 255 {
                    return Err(BAD);
                }
                put(code, true)?;
                i += 2;
            }
            other => put(other as u32, false)?,
        }
    }
    Ok(())
}
