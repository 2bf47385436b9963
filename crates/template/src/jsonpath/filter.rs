//! The expressions inside filters and computed indexes.

use serde_json::Value;

use super::{Walk, parse};
use crate::regexp;
use crate::value::number::float_text;

/// How deep expressions may be nested.
const DEPTH: usize = 60;

/// A value in a filter.
#[derive(Clone, Debug, PartialEq)]
pub enum Operand {
    Nothing,
    Bool(bool),
    Number(f64),
    Text(String),
    /// A list or a map.
    Other(Value),
}

impl From<Value> for Operand {
    fn from(v: Value) -> Self {
        match v {
            Value::Null => Self::Nothing,
            Value::Bool(b) => Self::Bool(b),
            Value::Number(n) => Self::Number(n.as_f64().unwrap_or(0.0)),
            Value::String(s) => Self::Text(s),
            other => Self::Other(other),
        }
    }
}

impl Operand {
    fn truth(&self) -> bool {
        match self {
            Self::Nothing => false,
            Self::Bool(b) => *b,
            Self::Number(n) => *n != 0.0,
            Self::Text(s) => !s.is_empty(),
            Self::Other(_) => true,
        }
    }

    fn shown(&self) -> String {
        match self {
            Self::Nothing => "<nil>".into(),
            Self::Bool(b) => b.to_string(),
            Self::Number(n) => float_text(*n),
            Self::Text(s) => s.clone(),
            Self::Other(v) => crate::value::print::plain(&crate::value::json::from_document(v)),
        }
    }
}

/// Whether a filter keeps a value; one that fails does not.
pub fn holds(walk: &mut Walk<'_>, current: &Value, expression: &str) -> bool {
    evaluate(walk, current, expression).is_ok_and(|v| v.truth())
}

/// Evaluates an expression.
///
/// # Errors
/// Texts that are no expression, operands that do not fit.
pub fn evaluate(walk: &mut Walk<'_>, current: &Value, expression: &str) -> Result<Operand, String> {
    let tokens = tokens(expression)?;
    let mut parser = Parser {
        tokens,
        at: 0,
        walk,
        current,
        depth: 0,
    };
    let value = parser.level(0)?;
    if parser.at < parser.tokens.len() {
        return Err(format!("invalid expression. unexpected text in '{expression}'"));
    }
    Ok(value)
}

#[derive(Clone, Debug, PartialEq)]
enum Token {
    Value(Operand),
    Path(String),
    Op(&'static str),
    Open,
    Close,
    Comma,
    OpenList,
    CloseList,
}

const OPS: &[&str] = &[
    "&&", "||", "==", "!=", "<=", ">=", "=~", "!~", "**", "<", ">", "+", "-", "*", "/", "%", "!",
];

fn tokens(text: &str) -> Result<Vec<Token>, String> {
    let chars: Vec<char> = text.chars().collect();
    let mut out: Vec<Token> = Vec::new();
    let mut i = 0;
    while i < chars.len() {
        let c = chars[i];
        if c.is_whitespace() {
            i += 1;
            continue;
        }
        let after_operand = matches!(
            out.last(),
            Some(Token::Value(_) | Token::Path(_) | Token::Close | Token::CloseList)
        );
        match c {
            '@' | '$' => {
                let end = path_end(&chars, i);
                out.push(Token::Path(chars[i..end].iter().collect()));
                i = end;
            }
            '\'' | '"' => {
                let len = chars[i + 1..]
                    .iter()
                    .position(|q| *q == c)
                    .ok_or("invalid expression. unclosed quote")?;
                out.push(Token::Value(Operand::Text(
                    chars[i + 1..i + 1 + len].iter().collect(),
                )));
                i += len + 2;
            }
            '(' | ')' | ',' | '[' | ']' => {
                out.push(match c {
                    '(' => Token::Open,
                    ')' => Token::Close,
                    ',' => Token::Comma,
                    '[' => Token::OpenList,
                    _ => Token::CloseList,
                });
                i += 1;
            }
            _ if c.is_ascii_digit()
                || (c == '-' && !after_operand && chars.get(i + 1).is_some_and(char::is_ascii_digit)) =>
            {
                let len = 1 + chars[i + 1..]
                    .iter()
                    .take_while(|c| c.is_ascii_digit() || **c == '.')
                    .count();
                let number: String = chars[i..i + len].iter().collect();
                let number = number
                    .parse()
                    .map_err(|_| format!("invalid expression. invalid number {number}"))?;
                out.push(Token::Value(Operand::Number(number)));
                i += len;
            }
            _ if c.is_alphabetic() || c == '_' => {
                let len = chars[i..]
                    .iter()
                    .take_while(|c| c.is_alphanumeric() || **c == '_')
                    .count();
                let word: String = chars[i..i + len].iter().collect();
                out.push(match word.as_str() {
                    "true" | "false" => Token::Value(Operand::Bool(word == "true")),
                    "null" | "nil" => Token::Value(Operand::Nothing),
                    "in" => Token::Op("in"),
                    "not" => Token::Op("not"),
                    _ => Token::Value(Operand::Text(word)),
                });
                i += len;
            }
            _ => {
                let rest: String = chars[i..chars.len().min(i + 2)].iter().collect();
                let op = OPS.iter().find(|op| rest.starts_with(**op)).copied();
                let op = op.ok_or_else(|| format!("invalid expression. unexpected token '{c}'"))?;
                out.push(Token::Op(op));
                i += op.len();
            }
        }
    }
    Ok(out)
}

/// Where a path inside an expression ends: at a blank or an operator outside brackets.
fn path_end(chars: &[char], from: usize) -> usize {
    let (mut depth, mut quote) = (0, None);
    let mut i = from + 1;
    while i < chars.len() {
        let c = chars[i];
        match quote {
            Some(q) if q == c => quote = None,
            Some(_) => {}
            None => match c {
                '\'' | '"' if depth > 0 => quote = Some(c),
                '[' => depth += 1,
                ']' if depth == 0 => break,
                ']' => depth -= 1,
                '.' | '_' => {}
                '*' if chars[i - 1] == '.' => {}
                // A dash may be part of a name, but not before a number or a blank.
                '-' if depth == 0 && chars.get(i + 1).is_some_and(|n| n.is_alphabetic()) => {}
                _ if depth > 0 || c.is_alphanumeric() => {}
                _ => break,
            },
        }
        i += 1;
    }
    i
}

struct Parser<'p, 'w, 'd> {
    tokens: Vec<Token>,
    at: usize,
    walk: &'w mut Walk<'d>,
    current: &'p Value,
    depth: usize,
}

type Outcome = Result<Operand, String>;

fn level_of(op: &str) -> u8 {
    match op {
        "||" => 0,
        "&&" => 1,
        "==" | "!=" | "<" | ">" | "<=" | ">=" | "=~" | "!~" | "in" | "not" => 2,
        "+" | "-" => 3,
        "*" | "/" | "%" => 4,
        "**" => 5,
        _ => 6,
    }
}

impl Parser<'_, '_, '_> {
    fn level(&mut self, level: u8) -> Outcome {
        self.depth += 1;
        if self.depth > DEPTH * 7 {
            return Err(format!("expression is nested deeper than {DEPTH} levels"));
        }
        let value = if level == 6 {
            self.operand()
        } else {
            self.chain(level)
        };
        self.depth -= 1;
        value
    }

    fn chain(&mut self, level: u8) -> Outcome {
        let mut left = self.level(level + 1)?;
        while let Some(Token::Op(op)) = self.tokens.get(self.at).cloned() {
            if level_of(op) != level || op == "!" {
                break;
            }
            self.at += 1;
            let mut negated = false;
            let mut op = op;
            if op == "not" {
                if self.tokens.get(self.at) != Some(&Token::Op("in")) {
                    return Err("invalid expression. unexpected token 'not'".into());
                }
                self.at += 1;
                (negated, op) = (true, "in");
            }
            let right = self.level(level + 1)?;
            left = match (apply(op, left, right)?, negated) {
                (Operand::Bool(b), true) => Operand::Bool(!b),
                (v, _) => v,
            };
        }
        Ok(left)
    }

    fn operand(&mut self) -> Outcome {
        let token = self.tokens.get(self.at).cloned();
        self.at += 1;
        match token {
            Some(Token::Value(v)) => Ok(v),
            Some(Token::Path(path)) => {
                let tokens = parse::parse(&path)?;
                let root = self.walk.root().clone();
                let start = if path.starts_with('$') {
                    &root
                } else {
                    self.current
                };
                let found = self.walk.apply(start, &tokens);
                found
                    .map(Operand::from)
                    .map_err(|message| format!("invalid expression. {message}"))
            }
            Some(Token::Open) => {
                let v = self.level(0)?;
                if self.tokens.get(self.at) != Some(&Token::Close) {
                    return Err("invalid expression. missing bracket".into());
                }
                self.at += 1;
                Ok(v)
            }
            Some(Token::OpenList) => self.list(),
            Some(Token::Op("!")) => match self.level(6)? {
                Operand::Bool(b) => Ok(Operand::Bool(!b)),
                _ => Err("invalid argument. expected bool".into()),
            },
            Some(Token::Op("-")) => match self.level(6)? {
                Operand::Number(n) => Ok(Operand::Number(-n)),
                _ => Err("invalid argument. expected number".into()),
            },
            _ => Err("invalid expression. missing operand".into()),
        }
    }

    fn list(&mut self) -> Outcome {
        let mut items = Vec::new();
        while self.tokens.get(self.at) != Some(&Token::CloseList) {
            if !items.is_empty() {
                if self.tokens.get(self.at) != Some(&Token::Comma) {
                    return Err("invalid expression. missing bracket".into());
                }
                self.at += 1;
            }
            items.push(match self.level(0)? {
                Operand::Nothing => Value::Null,
                Operand::Bool(b) => Value::Bool(b),
                Operand::Number(n) => Value::from(n),
                Operand::Text(s) => Value::String(s),
                Operand::Other(v) => v,
            });
        }
        self.at += 1;
        Ok(Operand::Other(Value::Array(items)))
    }
}

fn same(a: &Operand, b: &Operand) -> bool {
    match (a, b) {
        (Operand::Other(a), Operand::Other(b)) => crate::expr::ops::equal(
            &crate::value::json::from_document(a),
            &crate::value::json::from_document(b),
        ),
        _ => a == b,
    }
}

fn apply(op: &str, l: Operand, r: Operand) -> Outcome {
    let nothing = "invalid argument. is nil";
    let bools = |f: fn(bool, bool) -> bool| match (&l, &r) {
        (Operand::Bool(a), Operand::Bool(b)) => Ok(Operand::Bool(f(*a, *b))),
        _ => Err("invalid argument. expected bool".to_owned()),
    };
    let numbers = || match (&l, &r) {
        (Operand::Number(a), Operand::Number(b)) => Ok((*a, *b)),
        _ => Err("invalid argument. expected number".to_owned()),
    };
    match op {
        "&&" => bools(|a, b| a && b),
        "||" => bools(|a, b| a || b),
        _ if l == Operand::Nothing || r == Operand::Nothing => Err(nothing.into()),
        "==" => Ok(Operand::Bool(same(&l, &r))),
        "!=" => Ok(Operand::Bool(!same(&l, &r))),
        "=~" | "!~" => {
            let Operand::Text(pattern) = &r else {
                return Err("invalid argument. expected string".into());
            };
            let found = regexp::cached(pattern)?.is_match(l.shown().as_bytes());
            Ok(Operand::Bool(found == (op == "=~")))
        }
        "in" => match &r {
            Operand::Other(Value::Array(items)) => Ok(Operand::Bool(
                items.iter().any(|v| same(&Operand::from(v.clone()), &l)),
            )),
            Operand::Other(Value::Object(members)) => Ok(Operand::Bool(
                members.values().any(|v| same(&Operand::from(v.clone()), &l)),
            )),
            _ => Err("invalid argument. expected array, map or slice".into()),
        },
        "<" | ">" | "<=" | ">=" => {
            let order = match (&l, &r) {
                (Operand::Text(a), Operand::Text(b)) => Some(a.cmp(b)),
                _ => {
                    let (a, b) = numbers()?;
                    a.partial_cmp(&b)
                }
            };
            let Some(order) = order else {
                return Ok(Operand::Bool(false));
            };
            Ok(Operand::Bool(match op {
                "<" => order.is_lt(),
                ">" => order.is_gt(),
                "<=" => order.is_le(),
                _ => order.is_ge(),
            }))
        }
        "+" if matches!((&l, &r), (Operand::Text(_), Operand::Text(_))) => {
            Ok(Operand::Text(l.shown() + &r.shown()))
        }
        _ => {
            let (a, b) = numbers()?;
            Ok(Operand::Number(match op {
                "+" => a + b,
                "-" => a - b,
                "*" => a * b,
                "/" => a / b,
                "%" => (a.trunc()) % (b.trunc()),
                _ => a.powf(b),
            }))
        }
    }
}
