//! Text of a condition into tokens, and the check of which token may follow which.

use super::date;
use crate::value::number::{float_text, parse_float, parse_uint};

/// A token.
#[derive(Clone, Debug, PartialEq)]
pub enum Token {
    Number(f64),
    Bool(bool),
    Text(String),
    /// Seconds since 1970, and the nanoseconds.
    Time(jiff::Timestamp),
    Variable(String),
    /// `a.b`: reaching into parameters, of which there are none.
    Accessor(Vec<String>),
    Separator,
    Prefix(&'static str),
    Modifier(&'static str),
    Comparator(&'static str),
    Logic(&'static str),
    Ternary(&'static str),
    Open,
    Close,
}

impl Token {
    /// The kind as messages print it.
    pub fn kind(&self) -> &'static str {
        match self {
            Self::Number(_) => "NUMERIC",
            Self::Bool(_) => "BOOLEAN",
            Self::Text(_) => "STRING",
            Self::Time(_) => "TIME",
            Self::Variable(_) => "VARIABLE",
            Self::Accessor(_) => "ACCESSOR",
            Self::Separator => "SEPARATOR",
            Self::Prefix(_) => "PREFIX",
            Self::Modifier(_) => "MODIFIER",
            Self::Comparator(_) => "COMPARATOR",
            Self::Logic(_) => "LOGICALOP",
            Self::Ternary(_) => "TERNARY",
            Self::Open => "CLAUSE",
            Self::Close => "CLAUSE_CLOSE",
        }
    }

    fn value(&self) -> String {
        match self {
            Self::Number(f) => float_text(*f),
            Self::Bool(b) => b.to_string(),
            Self::Text(s) | Self::Variable(s) => s.clone(),
            Self::Time(t) => crate::gotime::show(&t.to_zoned(jiff::tz::TimeZone::UTC)),
            Self::Accessor(parts) => format!("[{}]", parts.join(" ")),
            Self::Separator => ",".into(),
            Self::Prefix(s) | Self::Modifier(s) | Self::Comparator(s) | Self::Logic(s) | Self::Ternary(s) => {
                (*s).to_owned()
            }
            Self::Open => "40".into(),
            Self::Close => "41".into(),
        }
    }
}

/// What may come next, by the kind of the token before; `None` is the start.
struct Follow {
    /// Whether the text may end here.
    end: bool,
    next: &'static [&'static str],
}

const START: &[&str] = &[
    "PREFIX", "NUMERIC", "BOOLEAN", "VARIABLE", "PATTERN", "FUNCTION", "ACCESSOR", "STRING", "TIME", "CLAUSE",
];
const AFTER_OPEN: &[&str] = &[
    "PREFIX",
    "NUMERIC",
    "BOOLEAN",
    "VARIABLE",
    "PATTERN",
    "FUNCTION",
    "ACCESSOR",
    "STRING",
    "TIME",
    "CLAUSE",
    "CLAUSE_CLOSE",
];
const AFTER_CLOSE: &[&str] = &[
    "COMPARATOR",
    "MODIFIER",
    "NUMERIC",
    "BOOLEAN",
    "VARIABLE",
    "STRING",
    "PATTERN",
    "TIME",
    "CLAUSE",
    "CLAUSE_CLOSE",
    "LOGICALOP",
    "TERNARY",
    "SEPARATOR",
];
const AFTER_OPERAND: &[&str] = &[
    "MODIFIER",
    "COMPARATOR",
    "LOGICALOP",
    "CLAUSE_CLOSE",
    "TERNARY",
    "SEPARATOR",
];
const AFTER_TIME: &[&str] = &["MODIFIER", "COMPARATOR", "LOGICALOP", "CLAUSE_CLOSE", "SEPARATOR"];
const AFTER_ACCESSOR: &[&str] = &[
    "CLAUSE",
    "MODIFIER",
    "COMPARATOR",
    "LOGICALOP",
    "CLAUSE_CLOSE",
    "TERNARY",
    "SEPARATOR",
];
const AFTER_MODIFIER: &[&str] = &[
    "PREFIX", "NUMERIC", "VARIABLE", "FUNCTION", "ACCESSOR", "STRING", "BOOLEAN", "CLAUSE",
];
const AFTER_PREFIX: &[&str] = &[
    "NUMERIC",
    "BOOLEAN",
    "VARIABLE",
    "FUNCTION",
    "ACCESSOR",
    "CLAUSE",
    "CLAUSE_CLOSE",
];

fn follow(kind: Option<&str>) -> Follow {
    let (end, next) = match kind {
        None => (false, START),
        Some("CLAUSE") => (false, AFTER_OPEN),
        Some("CLAUSE_CLOSE") => (true, AFTER_CLOSE),
        Some("TIME" | "PATTERN") => (true, AFTER_TIME),
        Some("NUMERIC" | "STRING" | "VARIABLE" | "BOOLEAN") => (true, AFTER_OPERAND),
        Some("ACCESSOR") => (true, AFTER_ACCESSOR),
        Some("MODIFIER") => (false, AFTER_MODIFIER),
        Some("PREFIX") => (false, AFTER_PREFIX),
        Some(_) => (false, START),
    };
    Follow { end, next }
}

const COMPARATORS: &[&str] = &["==", "!=", ">", ">=", "<", "<=", "=~", "!~", "in"];
const MODIFIERS: &[&str] = &["+", "-", "*", "/", "%", "**", "&", "|", "^", ">>", "<<"];
const LOGIC: &[&str] = &["&&", "||"];
const TERNARY: &[&str] = &["?", ":", "??"];
const PREFIXES: &[&str] = &["-", "!", "~"];

struct Reader {
    chars: Vec<char>,
    at: usize,
}

/// Reads all tokens and checks their order.
///
/// # Errors
/// In the language's words.
pub fn read(text: &str) -> Result<Vec<Token>, String> {
    let mut reader = Reader {
        chars: text.chars().collect(),
        at: 0,
    };
    let mut tokens: Vec<Token> = Vec::new();
    let mut state: Option<&'static str> = None;
    while let Some(token) = reader.next(state)? {
        state = Some(token.kind());
        tokens.push(token);
    }
    let mut depth = 0i64;
    for t in &tokens {
        depth += match t {
            Token::Open => 1,
            Token::Close => -1,
            _ => 0,
        };
    }
    if depth != 0 {
        return Err("Unbalanced parenthesis".into());
    }
    check(&tokens)?;
    Ok(tokens)
}

/// Checks that each token may follow the one before.
///
/// # Errors
/// In the language's words.
fn check(tokens: &[Token]) -> Result<(), String> {
    check_kinds(tokens, |_, token| token.kind())
}

/// Checks the order again when bare words have become texts. Quoted texts that are matched against are patterns by then.
///
/// # Errors
/// In the language's words.
pub fn check_texts(tokens: &[Token]) -> Result<(), String> {
    check_kinds(tokens, |before, token| match (before, token) {
        (Some(Token::Comparator("=~" | "!~")), Token::Text(_)) => "PATTERN",
        (_, Token::Variable(_)) => "STRING",
        _ => token.kind(),
    })
}

fn check_kinds(
    tokens: &[Token],
    kind: impl Fn(Option<&Token>, &Token) -> &'static str,
) -> Result<(), String> {
    let mut last: Option<&'static str> = None;
    let mut before: Option<&Token> = None;
    let mut called: Option<&str> = None;
    for token in tokens {
        let to = kind(before, token);
        if let (Some(Token::Variable(name)), Token::Open) = (before, token) {
            called = called.or(Some(name));
        } else if !follow(last).next.contains(&to) {
            let (from, shown) = (
                last.unwrap_or("UNKNOWN"),
                before.map_or("<nil>".to_owned(), Token::value),
            );
            let value = token.value();
            return Err(format!(
                "Cannot transition token types from {from} [{shown}] to {to} [{value}]"
            ));
        }
        (before, last) = (Some(token), Some(to));
    }
    if let Some(name) = called {
        return Err(format!("Undefined function {name}"));
    }
    if last.is_some() && follow(last).end {
        Ok(())
    } else {
        Err("Unexpected end of expression".into())
    }
}

fn is_variable(c: char) -> bool {
    c.is_alphabetic() || c.is_numeric() || c == '_'
}

impl Reader {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn next(&mut self, state: Option<&'static str>) -> Result<Option<Token>, String> {
        while self.peek().is_some_and(char::is_whitespace) {
            self.at += 1;
        }
        let Some(c) = self.peek() else { return Ok(None) };
        if c.is_ascii_digit() || (c == '.' && self.chars.get(self.at + 1).is_some_and(char::is_ascii_digit)) {
            return self.number().map(Some);
        }
        match c {
            ',' => {
                self.at += 1;
                return Ok(Some(Token::Separator));
            }
            '[' => {
                self.at += 1;
                let name = self.until(|c| c == ']').ok_or("Unclosed parameter bracket")?;
                self.at += 1;
                return Ok(Some(Token::Variable(name)));
            }
            '\'' | '"' => return self.quoted(c).map(Some),
            '(' => {
                self.at += 1;
                return Ok(Some(Token::Open));
            }
            ')' => {
                self.at += 1;
                return Ok(Some(Token::Close));
            }
            _ if c.is_alphabetic() => return self.word().map(Some),
            _ => {}
        }
        self.symbol(state).map(Some)
    }

    fn number(&mut self) -> Result<Token, String> {
        if self.peek() == Some('0') {
            for (mark, radix) in [('x', 16), ('X', 16), ('b', 2), ('o', 8)] {
                if self.chars.get(self.at + 1) == Some(&mark) {
                    let from = self.at + 2;
                    let len = self.chars[from..]
                        .iter()
                        .take_while(|c| c.is_digit(radix))
                        .count();
                    if len > 0 {
                        let digits: String = self.chars[from..from + len].iter().collect();
                        self.at = from + len;
                        let value = parse_uint(&digits, radix).map_err(|e| {
                            format!("Unable to parse value '{digits}' to uint64: {}", e.text())
                        })?;
                        return Ok(Token::Number(value as f64));
                    }
                }
            }
        }
        let from = self.at;
        while self.peek().is_some_and(|c| c.is_ascii_digit() || c == '.') {
            self.at += 1;
        }
        let text: String = self.chars[from..self.at].iter().collect();
        match parse_float(&text) {
            Ok(f) => Ok(Token::Number(f)),
            Err(_) => Err(format!("Unable to parse numeric value '{text}' to float64\n")),
        }
    }

    /// Reads to a character; a backslash takes the next one as it is. `None` when the end comes first.
    fn until(&mut self, stop: impl Fn(char) -> bool) -> Option<String> {
        let mut out = String::new();
        loop {
            let c = self.peek()?;
            if c == '\\' {
                self.at += 1;
                out.push(self.peek()?);
                self.at += 1;
                continue;
            }
            if stop(c) {
                return Some(out);
            }
            out.push(c);
            self.at += 1;
        }
    }

    fn quoted(&mut self, _quote: char) -> Result<Token, String> {
        self.at += 1;
        let text = self
            .until(|c| c == '\'' || c == '"')
            .ok_or("Unclosed string literal")?;
        self.at += 1;
        Ok(match date::read(&text) {
            Some(t) => Token::Time(t),
            None => Token::Text(text),
        })
    }

    fn word(&mut self) -> Result<Token, String> {
        let mut word = String::new();
        while let Some(c) = self.peek() {
            if c == '\\' {
                self.at += 1;
                if let Some(escaped) = self.peek() {
                    word.push(escaped);
                    self.at += 1;
                }
                continue;
            }
            if !is_variable(c) && c != '.' {
                break;
            }
            word.push(c);
            self.at += 1;
        }
        if word == "true" || word == "false" {
            return Ok(Token::Bool(word == "true"));
        }
        if word == "in" || word == "IN" {
            return Ok(Token::Comparator("in"));
        }
        if word.contains('.') {
            if word.ends_with('.') {
                return Err(format!("Hanging accessor on token '{word}'"));
            }
            let parts: Vec<String> = word.split('.').map(str::to_owned).collect();
            for part in &parts[1..] {
                if !part.starts_with(char::is_uppercase) {
                    return Err(format!(
                        "Unable to access unexported field '{part}' in token '{word}'"
                    ));
                }
            }
            return Ok(Token::Accessor(parts));
        }
        Ok(Token::Variable(word))
    }

    fn symbol(&mut self, state: Option<&'static str>) -> Result<Token, String> {
        let from = self.at;
        let stops = |c: char| {
            c.is_alphanumeric() || c.is_whitespace() || matches!(c, '\'' | '"' | '(' | ')' | '[' | ']')
        };
        while self.peek().is_some_and(|c| !stops(c)) {
            self.at += 1;
        }
        let text: String = self.chars[from..self.at].iter().collect();
        let find = |set: &[&'static str]| set.iter().find(|s| **s == text).copied();
        let prefix = follow(state).next.contains(&"PREFIX");
        if prefix && let Some(p) = find(PREFIXES) {
            return Ok(Token::Prefix(p));
        }
        if let Some(m) = find(MODIFIERS) {
            return Ok(Token::Modifier(m));
        }
        if let Some(l) = find(LOGIC) {
            return Ok(Token::Logic(l));
        }
        if let Some(c) = find(COMPARATORS) {
            return Ok(Token::Comparator(c));
        }
        if let Some(t) = find(TERNARY) {
            return Ok(Token::Ternary(t));
        }
        Err(format!("Invalid token: '{text}'"))
    }
}
