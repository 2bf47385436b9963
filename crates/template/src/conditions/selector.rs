//! Label selectors as Kubernetes reads them, errors included.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use regex::Regex;
use serde_json::Value;

use super::path;
use crate::value::number::parse_int;
use crate::value::quote::go_quote;

/// How a requirement compares.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Op {
    In,
    NotIn,
    Equals,
    DoubleEquals,
    NotEquals,
    Greater,
    Less,
    Exists,
    DoesNotExist,
}

impl Op {
    fn name(self) -> &'static str {
        match self {
            Self::In => "in",
            Self::NotIn => "notin",
            Self::Equals => "=",
            Self::DoubleEquals => "==",
            Self::NotEquals => "!=",
            Self::Greater => "gt",
            Self::Less => "lt",
            Self::Exists => "exists",
            Self::DoesNotExist => "!",
        }
    }
}

/// One term of a selector.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement {
    key: String,
    op: Op,
    values: Vec<String>,
}

impl Requirement {
    /// Whether an object meets it.
    #[must_use]
    pub fn matches(&self, object: &Value) -> bool {
        let found = path::find(object, &self.key).map(path::text);
        let has = |text: &String| self.values.contains(text);
        match self.op {
            Op::In | Op::Equals | Op::DoubleEquals => found.as_ref().is_some_and(has),
            Op::NotIn | Op::NotEquals => !found.as_ref().is_some_and(has),
            Op::Exists => found.is_some(),
            Op::DoesNotExist => found.is_none(),
            Op::Greater | Op::Less => {
                let number = |text: &str| parse_int(text, 10).ok();
                match (
                    found.as_deref().and_then(number),
                    self.values.first().and_then(|v| number(v)),
                ) {
                    (Some(a), Some(b)) if self.op == Op::Greater => a > b,
                    (Some(a), Some(b)) => a < b,
                    _ => false,
                }
            }
        }
    }

    /// The form that messages show: `{key op [values]}`.
    #[must_use]
    pub fn show(&self) -> String {
        format!("{{{} {} [{}]}}", self.key, self.op.name(), self.values.join(" "))
    }

    fn text(&self) -> String {
        let values = self.values.join(",");
        match self.op {
            Op::DoesNotExist => format!("!{}", self.key),
            Op::Exists => self.key.clone(),
            Op::In | Op::NotIn => format!("{} {} ({values})", self.key, self.op.name()),
            Op::Greater => format!("{}>{values}", self.key),
            Op::Less => format!("{}<{values}", self.key),
            op => format!("{}{}{values}", self.key, op.name()),
        }
    }
}

/// Requirements, sorted by key.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Selector(Vec<Requirement>);

impl std::fmt::Display for Selector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let all: Vec<String> = self.0.iter().map(Requirement::text).collect();
        f.write_str(&all.join(","))
    }
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Word(String),
    Symbol(String),
    Error(String),
    End,
}

impl Token {
    fn text(&self) -> &str {
        match self {
            Self::Word(s) | Self::Symbol(s) | Self::Error(s) => s,
            Self::End => "",
        }
    }

    fn is(&self, symbol: &str) -> bool {
        matches!(self, Self::Symbol(s) if s == symbol)
    }
}

const SYMBOLS: &[&str] = &["=", "==", "!=", "!", ",", "(", ")", ">", "<"];

fn tokens(text: &str) -> Vec<Token> {
    let chars: Vec<char> = text.chars().collect();
    let special = |c: char| "=!(),><".contains(c);
    let blank = |c: char| matches!(c, ' ' | '\t' | '\r' | '\n');
    let mut out = Vec::new();
    let mut i = 0;
    while i < chars.len() {
        let c = chars[i];
        if blank(c) {
            i += 1;
        } else if special(c) {
            let run = chars[i..].iter().take_while(|c| special(**c)).count();
            // The longest symbol from here; one that can't begin any is an error.
            let longest = (1..=run.min(2)).rev().find_map(|n| {
                let text: String = chars[i..i + n].iter().collect();
                SYMBOLS.contains(&text.as_str()).then_some(text)
            });
            match longest {
                Some(symbol) => {
                    i += symbol.len();
                    out.push(Token::Symbol(symbol));
                }
                None => {
                    let text: String = chars[i..i + run].iter().collect();
                    out.push(Token::Error(format!("error expected: keyword found '{text}'")));
                    i += run;
                }
            }
        } else {
            let run = chars[i..]
                .iter()
                .take_while(|c| !special(**c) && !blank(**c))
                .count();
            out.push(Token::Word(chars[i..i + run].iter().collect()));
            i += run;
        }
    }
    out
}

struct Parser {
    tokens: Vec<Token>,
    at: usize,
}

impl Selector {
    /// Reads a selector; an empty text selects by nothing.
    ///
    /// # Errors
    /// The words of Kubernetes for the first thing that is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let mut parser = Parser {
            tokens: tokens(text),
            at: 0,
        };
        let mut all = Vec::new();
        loop {
            let next = parser.peek();
            match next {
                Token::End => break,
                Token::Word(_) => {}
                ref t if t.is("!") => {}
                other => {
                    return Err(format!(
                        "found '{}', expected: !, identifier, or 'end of string'",
                        other.text()
                    ));
                }
            }
            let requirement = parser
                .requirement()
                .map_err(|e| format!("unable to parse requirement: {e}"))?;
            all.push(requirement);
            match parser.next() {
                Token::End => break,
                t if t.is(",") => match parser.peek() {
                    Token::Word(_) => {}
                    t if t.is("!") => {}
                    other => {
                        return Err(format!(
                            "found '{}', expected: identifier after ','",
                            other.text()
                        ));
                    }
                },
                other => {
                    return Err(format!(
                        "found '{}', expected: ',' or 'end of string'",
                        other.text()
                    ));
                }
            }
        }
        all.sort_by(|a: &Requirement, b: &Requirement| a.key.cmp(&b.key));
        Ok(Self(all))
    }

    /// Its terms.
    #[must_use]
    pub fn requirements(&self) -> &[Requirement] {
        &self.0
    }
}

impl Parser {
    fn peek(&self) -> Token {
        self.tokens.get(self.at).cloned().unwrap_or(Token::End)
    }

    fn next(&mut self) -> Token {
        let token = self.peek();
        self.at += 1;
        token
    }

    fn requirement(&mut self) -> Result<Requirement, String> {
        let mut token = self.next();
        let absent = token.is("!");
        if absent {
            token = self.next();
        }
        let Token::Word(key) = token else {
            return Err(format!("found '{}', expected: identifier", token.text()));
        };
        check_key(&key)?;
        if absent {
            return Ok(Requirement {
                key,
                op: Op::DoesNotExist,
                values: Vec::new(),
            });
        }
        let next = self.peek();
        if next == Token::End || next.is(",") {
            return Ok(Requirement {
                key,
                op: Op::Exists,
                values: Vec::new(),
            });
        }
        let op = self.operator()?;
        let values = if matches!(op, Op::In | Op::NotIn) {
            self.values()?
        } else {
            self.exact()?
        };
        let values: Vec<String> = values.into_iter().collect();
        check_values(&key, op, &values)?;
        Ok(Requirement { key, op, values })
    }

    fn operator(&mut self) -> Result<Op, String> {
        let token = self.next();
        Ok(match token.text() {
            "in" => Op::In,
            "notin" => Op::NotIn,
            "=" => Op::Equals,
            "==" => Op::DoubleEquals,
            "!=" => Op::NotEquals,
            ">" => Op::Greater,
            "<" => Op::Less,
            other => return Err(format!("found '{other}', expected: in, notin, =, ==, !=, gt, lt")),
        })
    }

    fn exact(&mut self) -> Result<BTreeSet<String>, String> {
        let next = self.peek();
        if next == Token::End || next.is(",") {
            return Ok(BTreeSet::from([String::new()]));
        }
        match self.next() {
            Token::Word(value) => Ok(BTreeSet::from([value])),
            other => Err(format!("found '{}', expected: identifier", other.text())),
        }
    }

    fn values(&mut self) -> Result<BTreeSet<String>, String> {
        let open = self.next();
        if !open.is("(") {
            return Err(format!("found '{}' expected: '('", open.text()));
        }
        match self.peek() {
            Token::Word(_) => {}
            t if t.is(",") => {}
            t if t.is(")") => {
                self.at += 1;
                return Ok(BTreeSet::from([String::new()]));
            }
            other => {
                return Err(format!(
                    "found '{}', expected: ',', ')' or identifier",
                    other.text()
                ));
            }
        }
        let all = self.list()?;
        let close = self.next();
        if close.is(")") {
            Ok(all)
        } else {
            Err(format!("found '{}', expected: ')'", close.text()))
        }
    }

    fn list(&mut self) -> Result<BTreeSet<String>, String> {
        let mut all = BTreeSet::new();
        loop {
            match self.next() {
                Token::Word(value) => {
                    all.insert(value);
                    match self.peek() {
                        t if t.is(",") => {}
                        t if t.is(")") => return Ok(all),
                        other => return Err(format!("found '{}', expected: ',' or ')'", other.text())),
                    }
                }
                t if t.is(",") => {
                    if all.is_empty() {
                        all.insert(String::new());
                    }
                    let next = self.peek();
                    if next.is(")") {
                        all.insert(String::new());
                        return Ok(all);
                    }
                    if next.is(",") {
                        self.at += 1;
                        all.insert(String::new());
                        if self.peek().is(")") {
                            return Ok(all);
                        }
                    }
                }
                other => return Err(format!("found '{}', expected: ',', or identifier", other.text())),
            }
        }
    }
}

const NAME: &str = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]";

fn is_name(text: &str) -> bool {
    static FORM: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(&format!("^{NAME}$")).expect("the pattern is fixed"));
    FORM.is_match(text)
}

/// Errors of a key, joined as Kubernetes joins them.
fn check_key(key: &str) -> Result<(), String> {
    let mut wrong = Vec::new();
    let parts: Vec<&str> = key.split('/').collect();
    let name = match parts.as_slice() {
        [name] => *name,
        [prefix, name] => {
            if prefix.is_empty() {
                wrong.push("prefix part must be non-empty".to_owned());
            } else {
                wrong.extend(subdomain(prefix).into_iter().map(|w| format!("prefix part {w}")));
            }
            *name
        }
        _ => {
            let message = format!(
                "a valid label key must consist of alphanumeric characters, '-', '_' or '.', and must start and end \
                 with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for \
                 validation is '{NAME}') with an optional DNS subdomain prefix and '/' (e.g. 'example.com/MyName')"
            );
            return Err(format!(
                "<nil>: Invalid value: {}: {message}",
                go_quote(key.as_bytes())
            ));
        }
    };
    if name.is_empty() {
        wrong.push("name part must be non-empty".into());
    } else if name.len() > 63 {
        wrong.push("name part must be no more than 63 bytes".into());
    }
    if !is_name(name) {
        wrong.push(format!(
            "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an \
             alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is \
             '{NAME}')"
        ));
    }
    if wrong.is_empty() {
        Ok(())
    } else {
        Err(format!(
            "<nil>: Invalid value: {}: {}",
            go_quote(key.as_bytes()),
            wrong.join("; ")
        ))
    }
}

fn subdomain(text: &str) -> Vec<String> {
    const FORM: &str = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*";
    static PATTERN: LazyLock<Regex> =
        LazyLock::new(|| Regex::new(&format!("^{FORM}$")).expect("the pattern is fixed"));
    let mut wrong = Vec::new();
    if text.len() > 253 {
        wrong.push("must be no more than 253 bytes".into());
    }
    if !PATTERN.is_match(text) {
        wrong.push(format!(
            "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must \
             start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '{FORM}')"
        ));
    }
    wrong
}

fn check_values(key: &str, op: Op, values: &[String]) -> Result<(), String> {
    let mut wrong = Vec::new();
    if matches!(op, Op::Greater | Op::Less) {
        for (i, v) in values.iter().enumerate() {
            if parse_int(v, 10).is_err() {
                wrong.push(format!(
                    "values[{i}]: Invalid value: {}: for 'Gt', 'Lt' operators, the value must be an integer",
                    go_quote(v.as_bytes())
                ));
            }
        }
    }
    for (i, v) in values.iter().enumerate() {
        let mut what = Vec::new();
        if v.len() > 63 {
            what.push("must be no more than 63 bytes".to_owned());
        }
        if !v.is_empty() && !is_name(v) {
            what.push(
                "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and \
                 must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', \
                 regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"
                    .to_owned(),
            );
        }
        if !what.is_empty() {
            wrong.push(format!(
                "values[{i}][{key}]: Invalid value: {}: {}",
                go_quote(v.as_bytes()),
                what.join("; ")
            ));
        }
    }
    match wrong.as_slice() {
        [] => Ok(()),
        [one] => Err(one.clone()),
        many => Err(format!("[{}]", many.join(", "))),
    }
}
