//! `jsonpath()` of expressions: the dialect of the original's library, which differs from RFC 9535 in what it
//! flattens, in `.length`, in computed indexes and in the language of filters (see `filter`).

mod filter;
mod parse;

use serde_json::Value;

use parse::Token;

/// How many values one query may touch.
const VISITS: usize = 2_000_000;

/// Evaluates a path on a document. Paths that can name several values give a list.
///
/// # Errors
/// A path that is none, a member that is missing, a value that has no members: in the library's words.
pub fn query(path: &str, document: &Value) -> Result<Value, String> {
    let tokens = parse::parse(path)?;
    Walk {
        root: document,
        visits: 0,
    }
    .apply(document, &tokens)
}

/// The state of one query.
pub(crate) struct Walk<'d> {
    root: &'d Value,
    visits: usize,
}

fn kind(v: &Value) -> &'static str {
    match v {
        Value::Null => "nil",
        Value::Bool(_) => "bool",
        Value::Number(_) => "float64",
        Value::String(_) => "string",
        Value::Array(_) => "slice",
        Value::Object(_) => "map",
    }
}

fn target(what: &str, expected: &str, v: &Value) -> String {
    format!(
        "{what}: invalid token target. expected [{expected}] got [{}]",
        kind(v)
    )
}

fn out_of_range(what: &str) -> String {
    format!("{what}: invalid token out of range")
}

impl Walk<'_> {
    /// Applies tokens to a value.
    ///
    /// # Errors
    /// See [`query`].
    pub(crate) fn apply(&mut self, value: &Value, tokens: &[Token]) -> Result<Value, String> {
        self.visits += 1;
        if self.visits > VISITS {
            return Err(format!("query visits more than {VISITS} values"));
        }
        let Some((token, rest)) = tokens.split_first() else {
            return Ok(value.clone());
        };
        match token {
            Token::Root => self.apply(value, rest),
            Token::Key(name) => {
                let found = key(value, name)?;
                self.apply(&found, rest)
            }
            Token::Index(i) => {
                let Value::Array(items) = value else {
                    return Err(target("index", "array slice", value));
                };
                self.apply(index(items, *i)?, rest)
            }
            Token::Script(expression) => {
                let found = filter::evaluate(self, value, expression)?;
                match found {
                    filter::Operand::Number(n) => {
                        let token = Token::Index(crate::value::number::float_to_int(n));
                        self.apply_one(value, &token, rest)
                    }
                    filter::Operand::Text(s) => self.apply_one(value, &Token::Key(format!("'{s}'")), rest),
                    _ => Err("script: invalid token. unexpected expression result".into()),
                }
            }
            Token::Wildcard => {
                let all = children(value).ok_or_else(|| target("wildcard", "array map slice", value))?;
                Ok(self.each(&all, rest))
            }
            Token::Recursive => Ok(Value::Array(self.recurse(value, rest)?)),
            Token::Range(from, to, step) => {
                let Value::Array(items) = value else {
                    return Err(target("range", "array slice", value));
                };
                let picked = range(items, *from, *to, *step)?;
                self.picked(&picked, rest)
            }
            Token::Union(parts) => {
                let picked = union(value, parts)?;
                self.picked(&picked.iter().collect::<Vec<_>>(), rest)
            }
            Token::Filter(expression) => {
                let all = children(value).ok_or_else(|| target("filter", "array map slice", value))?;
                let mut kept = Vec::new();
                for item in all {
                    if filter::holds(self, item, expression) {
                        kept.push(item);
                    }
                }
                self.picked(&kept, rest)
            }
        }
    }

    fn apply_one(&mut self, value: &Value, token: &Token, rest: &[Token]) -> Result<Value, String> {
        let tokens: Vec<Token> = std::iter::once(token.clone())
            .chain(rest.iter().cloned())
            .collect();
        self.apply(value, &tokens)
    }

    /// The rest of the path for each value; what fails is left out.
    fn each(&mut self, values: &[&Value], rest: &[Token]) -> Value {
        Value::Array(values.iter().filter_map(|v| self.apply(v, rest).ok()).collect())
    }

    /// The rest of the path for what a range, union or filter picked. An index that follows is one into the picks.
    fn picked(&mut self, values: &[&Value], rest: &[Token]) -> Result<Value, String> {
        match rest.split_first() {
            Some((Token::Index(i), rest)) => {
                let list: Vec<Value> = values.iter().map(|v| (*v).clone()).collect();
                self.apply(index(&list, *i)?, rest)
            }
            _ => Ok(self.each(values, rest)),
        }
    }

    /// A value and all below it, parents first; lists that the rest of the path gives are taken apart.
    fn recurse(&mut self, value: &Value, rest: &[Token]) -> Result<Vec<Value>, String> {
        self.visits += 1;
        if self.visits > VISITS {
            return Err(format!("query visits more than {VISITS} values"));
        }
        let mut out = Vec::new();
        if rest.is_empty() {
            out.push(value.clone());
        } else {
            match self.apply(value, rest) {
                Ok(Value::Array(items)) => out.extend(items),
                Ok(found) => out.push(found),
                Err(_) => {}
            }
        }
        for child in children(value).unwrap_or_default() {
            out.extend(self.recurse(child, rest)?);
        }
        Ok(out)
    }

    /// The document.
    pub(crate) fn root(&self) -> &Value {
        self.root
    }
}

fn children(value: &Value) -> Option<Vec<&Value>> {
    match value {
        Value::Array(items) => Some(items.iter().collect()),
        Value::Object(members) => Some(members.values().collect()),
        _ => None,
    }
}

fn key(value: &Value, name: &str) -> Result<Value, String> {
    let length = |n: usize| Ok(Value::from(n));
    match value {
        Value::Object(members) => match members.get(name) {
            Some(found) => Ok(found.clone()),
            None if name == "length" => length(members.len()),
            None => Err(format!("key: invalid token key '{name}' not found")),
        },
        Value::Array(items) if name == "length" => length(items.len()),
        Value::String(s) if name == "length" => length(s.len()),
        other if name == "length" => Err(target("length", "array map slice string", other)),
        other => Err(target("key", "map", other)),
    }
}

fn index(items: &[Value], i: i64) -> Result<&Value, String> {
    let len = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let at = if i < 0 { i.saturating_add(len) } else { i };
    usize::try_from(at)
        .ok()
        .and_then(|at| items.get(at))
        .ok_or_else(|| out_of_range("index"))
}

fn range(
    items: &[Value],
    from: Option<i64>,
    to: Option<i64>,
    step: Option<i64>,
) -> Result<Vec<&Value>, String> {
    let len = i64::try_from(items.len()).unwrap_or(i64::MAX);
    let step = step.unwrap_or(1);
    if step == 0 {
        return Err(out_of_range("range"));
    }
    let bound = |b: Option<i64>, default: i64| match b {
        None => default,
        Some(b) if b < 0 => b.saturating_add(len).max(0),
        Some(b) => b.min(len),
    };
    let (start, end) = (bound(from, 0), bound(to, len));
    let mut picked = Vec::new();
    if step > 0 {
        let mut i = start;
        while i < end {
            picked.extend(usize::try_from(i).ok().and_then(|i| items.get(i)));
            i = i.saturating_add(step);
        }
    } else {
        let mut i = end - 1;
        while i >= start {
            picked.extend(usize::try_from(i).ok().and_then(|i| items.get(i)));
            i = i.saturating_add(step);
        }
    }
    Ok(picked)
}

fn union(value: &Value, parts: &[Token]) -> Result<Vec<Value>, String> {
    let of_keys = matches!(parts.first(), Some(Token::Key(_)));
    let mut picked = Vec::new();
    for part in parts {
        match (of_keys, part) {
            (true, Token::Key(name)) => match value {
                Value::Object(members) => picked.extend(members.get(name).cloned()),
                other => return Err(target("union", "map", other)),
            },
            (false, Token::Index(i)) => match value {
                Value::Array(items) => picked.extend(index(items, *i).ok().cloned()),
                other => return Err(target("union", "array slice", other)),
            },
            (true, _) => return Err("union: invalid token argument. expected [string] got [int]".into()),
            (false, _) => return Err("union: invalid token argument. expected [int] got [string]".into()),
        }
    }
    Ok(picked)
}
