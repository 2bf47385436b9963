//! The words of a jq filter. Texts are read by the parser, since filters stand in them.

use super::parse::Parsed;

/// How many tokens a filter may have: far more than people write, few enough to walk by recursion.
const TOKENS: usize = 20_000;

#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    End,
    Name(String),
    Field(String),
    Variable(String),
    Format(String),
    Number(String),
    Quote,
    Sign(&'static str),
}

/// Longest first.
const SIGNS: &[&str] = &[
    "?//", "//=", "..", "|=", "+=", "-=", "*=", "/=", "%=", "//", "==", "!=", "<=", ">=", ".", "[", "]", "{",
    "}", "(", ")", "|", ",", ":", ";", "=", "<", ">", "+", "-", "*", "/", "%", "?",
];

/// A filter being read.
pub struct Parser<'s> {
    source: &'s str,
    pub at: usize,
    /// Where the token that was looked at began, and the token.
    ahead: Option<(usize, Token)>,
    tokens: usize,
    pub depth: usize,
    /// Whether a term may be bound by `as`: not in members of objects.
    pub bindable: bool,
}

fn is_name(c: char, first: bool) -> bool {
    c == '_' || c.is_ascii_alphabetic() || !first && c.is_ascii_digit()
}

impl<'s> Parser<'s> {
    pub fn new(source: &'s str) -> Self {
        Self {
            source,
            at: 0,
            ahead: None,
            tokens: 0,
            depth: 0,
            bindable: true,
        }
    }

    // ---- tokens

    pub fn rest(&self) -> &'s str {
        &self.source[self.at..]
    }

    pub fn take_while(&mut self, mut wanted: impl FnMut(char) -> bool) -> &'s str {
        let rest = self.rest();
        let end = rest.find(|c| !wanted(c)).unwrap_or(rest.len());
        self.at += end;
        &rest[..end]
    }

    pub fn peek(&mut self) -> Parsed<&Token> {
        if self.ahead.is_none() {
            self.blanks();
            let start = self.at;
            let token = self.read()?;
            self.ahead = Some((start, token));
        }
        Ok(&self.ahead.as_ref().expect("it was just filled").1)
    }

    pub fn next(&mut self) -> Parsed<Token> {
        self.peek()?;
        let (_, token) = self.ahead.take().expect("peek fills it");
        self.tokens += 1;
        if self.tokens > TOKENS {
            return Err(format!("filter has more than {TOKENS} parts"));
        }
        Ok(token)
    }

    fn blanks(&mut self) {
        loop {
            self.take_while(|c| matches!(c, ' ' | '\t' | '\n' | '\r'));
            if !self.rest().starts_with('#') {
                return;
            }
            self.take_while(|c| c != '\n' && c != '\r');
        }
    }

    fn read(&mut self) -> Parsed<Token> {
        let rest = self.rest();
        let mut chars = rest.chars();
        let Some(first) = chars.next() else {
            return Ok(Token::End);
        };
        let second = chars.next();
        if first.is_ascii_digit() || first == '.' && second.is_some_and(|c| c.is_ascii_digit()) {
            return self.number();
        }
        if is_name(first, true) {
            return Ok(Token::Name(self.name()));
        }
        let named = second.is_some_and(|c| is_name(c, true));
        match first {
            '.' if named => {
                self.at += 1;
                let name = self.take_while(|c| is_name(c, false)).to_owned();
                Ok(Token::Field(name))
            }
            '$' if named => {
                self.at += 1;
                Ok(Token::Variable(self.name()))
            }
            '@' if named => {
                self.at += 1;
                let name = self.take_while(|c| is_name(c, false)).to_owned();
                Ok(Token::Format(name))
            }
            '"' => {
                self.at += 1;
                Ok(Token::Quote)
            }
            _ => match SIGNS.iter().find(|s| rest.starts_with(**s)) {
                Some(sign) => {
                    self.at += sign.len();
                    Ok(Token::Sign(sign))
                }
                None => Err(format!("unexpected token \"{}\"", first.escape_default())),
            },
        }
    }

    /// A name, also of a module's member (`a::b`).
    fn name(&mut self) -> String {
        let mut name = self.take_while(|c| is_name(c, false)).to_owned();
        while let Some(after) = self.rest().strip_prefix("::") {
            if !after.chars().next().is_some_and(|c| is_name(c, true)) {
                break;
            }
            self.at += 2;
            name.push_str("::");
            name.push_str(self.take_while(|c| is_name(c, false)));
        }
        name
    }

    fn number(&mut self) -> Parsed<Token> {
        let start = self.at;
        self.take_while(|c| c.is_ascii_digit());
        if self.rest().starts_with('.') {
            self.at += 1;
            self.take_while(|c| c.is_ascii_digit());
        }
        let mut bad = false;
        if self.rest().starts_with(['e', 'E']) {
            self.at += 1;
            if self.rest().starts_with(['+', '-']) {
                self.at += 1;
            }
            bad = self.take_while(|c| c.is_ascii_digit()).is_empty();
        }
        bad |= !self.take_while(|c| is_name(c, false)).is_empty();
        let text = &self.source[start..self.at];
        if bad {
            return Err(format!("invalid token \"{text}\""));
        }
        Ok(Token::Number(text.to_owned()))
    }

    pub fn unexpected<T>(&mut self) -> Parsed<T> {
        self.peek()?;
        let (start, token) = self.ahead.as_ref().expect("peek fills it");
        if *token == Token::End {
            return Err("unexpected EOF".into());
        }
        let mut shown = self.source[*start..self.at].to_owned();
        if *token == Token::Quote {
            let rest = &self.source[self.at..];
            shown.push_str(&rest[..rest.find('"').map_or(rest.len(), |i| i + 1)]);
        }
        Err(format!("unexpected token {shown:?}"))
    }

    pub fn sign(&mut self, wanted: &str) -> Parsed<bool> {
        let found = matches!(self.peek()?, Token::Sign(s) if *s == wanted);
        if found {
            self.next()?;
        }
        Ok(found)
    }

    pub fn word(&mut self, wanted: &str) -> Parsed<bool> {
        let found = matches!(self.peek()?, Token::Name(n) if n == wanted);
        if found {
            self.next()?;
        }
        Ok(found)
    }

    pub fn expect(&mut self, wanted: &str) -> Parsed<()> {
        if self.sign(wanted)? {
            Ok(())
        } else {
            self.unexpected()
        }
    }

    pub fn expect_word(&mut self, wanted: &str) -> Parsed<()> {
        if self.word(wanted)? {
            Ok(())
        } else {
            self.unexpected()
        }
    }

    pub fn end(&mut self) -> Parsed<()> {
        if self.peek()? == &Token::End {
            Ok(())
        } else {
            self.unexpected()
        }
    }

    pub fn escape(&mut self, out: &mut String) -> Parsed<()> {
        let Some(c) = self.rest().chars().next() else {
            return Err("unterminated string literal".into());
        };
        self.at += c.len_utf8();
        out.push(match c {
            '"' | '\\' | '/' => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => self.unicode()?,
            other => {
                return Err(format!("invalid escape sequence \"\\{other}\" in string literal"));
            }
        });
        Ok(())
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.rest().get(..4)?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }

    /// The character of four digits, or of two such escapes; halves of pairs become the replacement character.
    fn unicode(&mut self) -> Parsed<char> {
        let Some(first) = self.hex() else {
            return Err("invalid escape sequence \"\\u\" in string literal".into());
        };
        if !(0xd800..0xe000).contains(&first) {
            return Ok(char::from_u32(first).unwrap_or(char::REPLACEMENT_CHARACTER));
        }
        let back = self.at;
        if first < 0xdc00 && self.rest().starts_with("\\u") {
            self.at += 2;
            if let Some(second @ 0xdc00..0xe000) = self.hex() {
                let code = 0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00);
                return Ok(char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER));
            }
            self.at = back;
        }
        Ok(char::REPLACEMENT_CHARACTER)
    }
}
