//! Text of a template into nodes.

use std::sync::LazyLock;

use regex::Regex;

use crate::value::quote::is_print;

/// How deep filters and unions may be nested.
const DEPTH: usize = 50;

/// A piece of a template.
#[derive(Clone, Debug)]
pub enum Node {
    Text(String),
    /// An action: each step works on what the one before gave.
    List(Vec<Node>),
    Field(String),
    /// Start, end, step; a bound that was not given is `None`. The flag says that the end follows from the start.
    Array([Option<i64>; 3], bool),
    Filter(Vec<Node>, Vec<Node>, String),
    Int(i64),
    Float(f64),
    Bool(bool),
    Wildcard,
    Recursive,
    Union(Vec<Vec<Node>>),
    Identifier(String),
}

struct Parser {
    chars: Vec<char>,
    at: usize,
    depth: usize,
}

/// Parses a whole template.
///
/// # Errors
/// The original's words.
pub fn parse(text: &str, depth: usize) -> Result<Vec<Node>, String> {
    if depth > DEPTH {
        return Err(format!("nested deeper than {DEPTH} levels"));
    }
    let mut parser = Parser {
        chars: text.chars().collect(),
        at: 0,
        depth,
    };
    let mut nodes = Vec::new();
    loop {
        let text = parser.until(|c| c == '{');
        if !text.is_empty() {
            nodes.push(Node::Text(text));
        }
        if parser.peek().is_none() {
            return Ok(nodes);
        }
        parser.at += 1;
        nodes.push(Node::List(parser.action()?));
    }
}

/// Parses what stands inside braces.
fn inner(text: &str, depth: usize) -> Result<Vec<Node>, String> {
    let mut nodes = parse(&format!("{{{text}}}"), depth + 1)?;
    match nodes.drain(..).next() {
        Some(Node::List(nodes)) => Ok(nodes),
        _ => Ok(Vec::new()),
    }
}

fn is_word(c: char) -> bool {
    c == '_' || c.is_alphanumeric()
}

fn terminates(c: char) -> bool {
    matches!(
        c,
        ' ' | '\t' | '\r' | '\n' | '.' | ',' | '[' | ']' | '$' | '@' | '{' | '}'
    )
}

impl Parser {
    fn peek(&self) -> Option<char> {
        self.chars.get(self.at).copied()
    }

    fn starts(&self, text: &str) -> bool {
        text.chars()
            .enumerate()
            .all(|(i, c)| self.chars.get(self.at + i) == Some(&c))
    }

    fn until(&mut self, stop: impl Fn(char) -> bool) -> String {
        let from = self.at;
        while self.peek().is_some_and(|c| !stop(c)) {
            self.at += 1;
        }
        self.chars[from..self.at].iter().collect()
    }

    fn action(&mut self) -> Result<Vec<Node>, String> {
        let mut nodes = Vec::new();
        loop {
            if self.starts("}") {
                self.at += 1;
                return Ok(nodes);
            }
            if self.starts("[?(") {
                self.at += 3;
                nodes.push(self.filter()?);
                continue;
            }
            if self.starts("..") {
                if matches!(nodes.last(), Some(Node::Recursive)) {
                    return Err("invalid multiple recursive descent".into());
                }
                self.at += 2;
                nodes.push(Node::Recursive);
                if self.peek().is_some_and(is_word) {
                    nodes.push(self.field());
                }
                continue;
            }
            let Some(c) = self.peek() else {
                return Err("unclosed action".into());
            };
            match c {
                '\r' | '\n' => return Err("unclosed action".into()),
                ' ' | '@' | '$' => self.at += 1,
                '[' => {
                    self.at += 1;
                    self.array(&mut nodes)?;
                }
                '"' | '\'' => {
                    self.at += 1;
                    nodes.push(self.quoted(c)?);
                }
                '.' => {
                    self.at += 1;
                    nodes.push(self.field());
                }
                '+' | '-' | '0'..='9' => nodes.push(self.number()?),
                c if is_word(c) => {
                    let word = self.until(terminates);
                    nodes.push(match word.as_str() {
                        "true" | "false" => Node::Bool(word == "true"),
                        _ => Node::Identifier(word),
                    });
                }
                c => {
                    let shown = if is_print(c) {
                        format!(" '{c}'")
                    } else {
                        String::new()
                    };
                    return Err(format!(
                        "unrecognized character in action: U+{:04X}{shown}",
                        c as u32
                    ));
                }
            }
        }
    }

    fn field(&mut self) -> Node {
        let mut name = String::new();
        while let Some(c) = self.peek() {
            if c == '\\' {
                self.at += 1;
                // What is escaped stands for itself, the backslash goes.
                if let Some(escaped) = self.peek() {
                    if escaped != '\\' {
                        name.push(escaped);
                    }
                    self.at += 1;
                }
                continue;
            }
            if terminates(c) {
                break;
            }
            name.push(c);
            self.at += 1;
        }
        if name == "*" {
            Node::Wildcard
        } else {
            Node::Field(name)
        }
    }

    fn number(&mut self) -> Result<Node, String> {
        let from = self.at;
        if matches!(self.peek(), Some('+' | '-')) {
            self.at += 1;
        }
        self.until(|c| c != '.' && !c.is_ascii_digit());
        let text: String = self.chars[from..self.at].iter().collect();
        if let Ok(i) = crate::value::number::parse_int(&text, 10) {
            return Ok(Node::Int(i));
        }
        crate::value::number::parse_float(&text)
            .map(Node::Float)
            .map_err(|_| format!("cannot parse number {text}"))
    }

    fn quoted(&mut self, quote: char) -> Result<Node, String> {
        let from = self.at;
        loop {
            match self.peek() {
                None | Some('\n') => return Err("unterminated quoted string".into()),
                Some(c) => {
                    self.at += 1;
                    if c == quote && self.chars[self.at - 2] != '\\' {
                        break;
                    }
                }
            }
        }
        let body: String = self.chars[from..self.at - 1].iter().collect();
        unquote(&body, quote)
            .map(Node::Text)
            .ok_or_else(|| format!("unquote string {quote}{body}{quote} error invalid syntax"))
    }

    fn array(&mut self, nodes: &mut Vec<Node>) -> Result<(), String> {
        static SLICE: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new(r"^(-?[0-9]*)(:-?[0-9]*)?(:-?[0-9]*)?$").expect("the pattern is fixed")
        });
        static KEY: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r"^'([^']*)'$").expect("the pattern is fixed"));
        let text = self.until(|c| matches!(c, ']' | '\n'));
        if self.peek() != Some(']') {
            return Err("unterminated array".into());
        }
        self.at += 1;
        let text = if text == "*" { ":".to_owned() } else { text };
        if text.contains(',') {
            let parts: Result<Vec<_>, _> = text
                .split(',')
                .map(|part| inner(&format!("[{}]", part.trim_matches(' ')), self.depth))
                .collect();
            nodes.push(Node::Union(parts?));
            return Ok(());
        }
        if let Some(key) = KEY.captures(&text) {
            nodes.extend(inner(&format!(".{}", &key[1]), self.depth)?);
            return Ok(());
        }
        let Some(found) = SLICE.captures(&text) else {
            return Err(format!("invalid array index {text}"));
        };
        let bound = |i: usize| -> Result<Option<i64>, String> {
            let text = found.get(i).map_or("", |m| m.as_str()).trim_start_matches(':');
            if text.is_empty() {
                return Ok(None);
            }
            crate::value::number::parse_int(text, 10)
                .map(Some)
                .map_err(|_| format!("array index {text} is not a number"))
        };
        let start = bound(1)?;
        let derived = found.get(2).is_none_or(|m| m.as_str().is_empty());
        let end = if derived {
            Some(start.unwrap_or(0).saturating_add(1))
        } else {
            bound(2)?
        };
        nodes.push(Node::Array([start, end, bound(3)?], derived));
        Ok(())
    }

    fn filter(&mut self) -> Result<Node, String> {
        static PARTS: LazyLock<Regex> =
            LazyLock::new(|| Regex::new(r"^([^!<>=]+)([!<>=]+)(.+?)$").expect("the pattern is fixed"));
        let from = self.at;
        let (mut begun, mut ended, mut pair) = (false, false, ' ');
        loop {
            let Some(c) = self.peek().filter(|c| *c != '\n') else {
                return Err("unterminated filter".into());
            };
            self.at += 1;
            match c {
                '"' | '\'' if !begun => {
                    begun = true;
                    pair = c;
                }
                '"' | '\'' if c == pair && self.chars[self.at - 2] != '\\' => ended = true,
                ')' if begun == ended => break,
                _ => {}
            }
        }
        if self.peek() != Some(']') {
            return Err("unclosed array expect ]".into());
        }
        let text: String = self.chars[from..self.at - 1].iter().collect();
        self.at += 1;
        Ok(match PARTS.captures(&text) {
            None => Node::Filter(inner(&text, self.depth)?, Vec::new(), "exists".into()),
            Some(found) => Node::Filter(
                inner(&found[1], self.depth)?,
                inner(&found[3], self.depth)?,
                found[2].to_owned(),
            ),
        })
    }
}

/// Undoes Go's escapes; the other kind of quote may stand unescaped.
fn unquote(body: &str, quote: char) -> Option<String> {
    let chars: Vec<char> = body.chars().collect();
    let mut out = String::with_capacity(body.len());
    let mut i = 0;
    while i < chars.len() {
        let c = chars[i];
        i += 1;
        if c == quote {
            return None;
        }
        if c != '\\' {
            out.push(c);
            continue;
        }
        let e = *chars.get(i)?;
        i += 1;
        let code = |len: usize, radix: u32, from: usize| -> Option<char> {
            let digits: String = chars.get(from..from + len)?.iter().collect();
            char::from_u32(u32::from_str_radix(&digits, radix).ok()?)
        };
        let (made, digits) = match e {
            'a' => ('\u{7}', 0),
            'b' => ('\u{8}', 0),
            'f' => ('\u{c}', 0),
            'n' => ('\n', 0),
            'r' => ('\r', 0),
            't' => ('\t', 0),
            'v' => ('\u{b}', 0),
            '\\' => ('\\', 0),
            '\'' | '"' => (e, 0),
            'x' => (code(2, 16, i)?, 2),
            'u' => (code(4, 16, i)?, 4),
            'U' => (code(8, 16, i)?, 8),
            '0'..='7' => (code(3, 8, i - 1)?, 2),
            _ => return None,
        };
        i += digits;
        out.push(made);
    }
    Some(out)
}
