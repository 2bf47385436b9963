//! Tokens into a tree, by the language's precedences.

use super::token::Token;
use crate::regexp;

/// How deep conditions may be nested.
const DEPTH: usize = 120;

/// A step of the evaluation.
#[derive(Clone, Debug)]
pub enum Plan {
    /// An empty clause.
    Nothing,
    Value(Token),
    /// A pattern that was compiled because it is a literal.
    Pattern(regex::bytes::Regex),
    Clause(Box<Plan>),
    Prefix(&'static str, Box<Plan>),
    Binary(&'static str, Box<Plan>, Box<Plan>),
}

struct Planner<'t> {
    tokens: &'t [Token],
    at: usize,
    depth: usize,
}

type Planned = Result<Plan, String>;

/// Plans all tokens.
///
/// # Errors
/// Patterns that do not parse; too much nesting.
pub fn plan(tokens: &[Token]) -> Planned {
    let mut planner = Planner {
        tokens,
        at: 0,
        depth: 0,
    };
    let plan = planner.separator()?;
    Ok(plan.unwrap_or(Plan::Nothing))
}

impl<'t> Planner<'t> {
    fn peek(&self) -> Option<&'t Token> {
        self.tokens.get(self.at)
    }

    fn operator(&self, level: u8) -> Option<&'static str> {
        let (found, symbol) = match self.peek()? {
            Token::Separator => (0, ","),
            Token::Logic(s) => (if *s == "||" { 2 } else { 3 }, *s),
            Token::Ternary(s) => (1, *s),
            Token::Comparator(s) => (4, *s),
            Token::Modifier(s) => {
                let level = match *s {
                    "&" | "|" | "^" => 5,
                    "<<" | ">>" => 6,
                    "+" | "-" => 7,
                    "*" | "/" | "%" => 8,
                    _ => 9,
                };
                (level, *s)
            }
            _ => return None,
        };
        (found == level).then_some(symbol)
    }

    fn separator(&mut self) -> Result<Option<Plan>, String> {
        self.depth += 1;
        if self.depth > DEPTH {
            return Err(format!("condition is nested deeper than {DEPTH} levels"));
        }
        let planned = self.level(0);
        self.depth -= 1;
        planned
    }

    fn level(&mut self, level: u8) -> Result<Option<Plan>, String> {
        if level == 10 {
            return self.value();
        }
        let Some(mut left) = self.level(level + 1)? else {
            return Ok(None);
        };
        let mut links = 0;
        while let Some(symbol) = self.operator(level) {
            links += 1;
            if links > DEPTH {
                return Err(format!("condition is nested deeper than {DEPTH} levels"));
            }
            self.at += 1;
            let Some(right) = self.level(level + 1)? else {
                break;
            };
            let right = match (symbol, right) {
                ("=~" | "!~", Plan::Value(Token::Text(p))) => Plan::Pattern(regexp::compile(&p)?),
                (_, right) => right,
            };
            left = Plan::Binary(symbol, Box::new(left), Box::new(right));
        }
        Ok(Some(left))
    }

    fn value(&mut self) -> Result<Option<Plan>, String> {
        let Some(token) = self.peek() else { return Ok(None) };
        match token {
            Token::Open => {
                self.at += 1;
                let inner = self.separator()?.unwrap_or(Plan::Nothing);
                if matches!(self.peek(), Some(Token::Close)) {
                    self.at += 1;
                }
                Ok(Some(Plan::Clause(Box::new(inner))))
            }
            Token::Prefix(symbol) => {
                self.at += 1;
                let operand = self.value()?.unwrap_or(Plan::Nothing);
                Ok(Some(Plan::Prefix(symbol, Box::new(operand))))
            }
            Token::Number(_)
            | Token::Bool(_)
            | Token::Text(_)
            | Token::Time(_)
            | Token::Variable(_)
            | Token::Accessor(_) => {
                self.at += 1;
                Ok(Some(Plan::Value(token.clone())))
            }
            _ => Ok(None),
        }
    }
}
