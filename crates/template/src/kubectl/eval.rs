//! Walks a document with the nodes of a template.

use std::borrow::Cow;
use std::fmt::Write;

use serde_json::Value;

use super::parse::Node;
use crate::value::json::{COMPACT, from_scope, write};
use crate::value::number::float_text;
use crate::value::quote::go_quote_into;

/// How many values one step may give.
const RESULTS: usize = 1_000_000;

type Found<'d> = Vec<Cow<'d, Value>>;

struct Walk {
    begin: usize,
    inside: usize,
    end: usize,
    /// Where the last `{end}` stood.
    last_end: Option<usize>,
    made: usize,
}

/// Prints a template.
///
/// # Errors
/// The original's words.
pub fn print(nodes: &[Node], document: &Value) -> Result<String, String> {
    let mut walk = Walk {
        begin: 0,
        inside: 0,
        end: 0,
        last_end: None,
        made: 0,
    };
    let mut out = String::new();
    walk.block(nodes, 0, document, &mut out)?;
    Ok(out)
}

fn show(out: &mut String, found: &Found<'_>, nothing: bool) -> Result<(), String> {
    for (i, value) in found.iter().enumerate() {
        if i > 0 {
            out.push(' ');
        }
        match &**value {
            Value::Null => out.push_str(if nothing { "<no value>" } else { "null" }),
            Value::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
            Value::Number(n) => out.push_str(&number(n)),
            Value::String(s) => out.push_str(s),
            other => out.push_str(&write(&from_scope(other), COMPACT)?),
        }
    }
    Ok(())
}

fn number(n: &serde_json::Number) -> String {
    match n.as_i64() {
        Some(i) => i.to_string(),
        None => float_text(n.as_f64().unwrap_or(0.0)),
    }
}

impl Walk {
    /// Walks nodes from a place on; a `range` walks what follows once for each of its values.
    fn block(&mut self, nodes: &[Node], from: usize, at: &Value, out: &mut String) -> Result<(), String> {
        let mut i = from;
        while i < nodes.len() {
            let found = self.step(vec![Cow::Borrowed(at)], &nodes[i])?;
            if self.end > 0 && self.end <= self.inside {
                self.end -= 1;
                self.last_end = Some(i);
                return Ok(());
            }
            if self.begin > 0 {
                self.begin -= 1;
                self.inside += 1;
                if found.is_empty() {
                    // Nothing to repeat, but the matching end must be found.
                    self.block(nodes, i + 1, &Value::Null, &mut String::new())?;
                }
                for value in &found {
                    self.block(nodes, i + 1, value, out)?;
                    if out.len() > RESULTS * 16 {
                        return Err("result is too large".into());
                    }
                }
                self.inside -= 1;
                match self.last_end {
                    Some(end) if end > i => i = end + 1,
                    _ => i += 1,
                }
                continue;
            }
            // A null that `range` came to has no value of its own.
            show(out, &found, at.is_null())?;
            i += 1;
        }
        Ok(())
    }

    fn list<'d>(&mut self, at: Found<'d>, nodes: &[Node]) -> Result<Found<'d>, String> {
        self.list_until(at, nodes).map_err(|(_, message)| message)
    }

    /// Like `list`; an error comes with whether there was anything where it happened.
    fn list_until<'d>(&mut self, mut at: Found<'d>, nodes: &[Node]) -> Result<Found<'d>, (bool, String)> {
        for node in nodes {
            let any = !at.is_empty();
            at = self.step(at, node).map_err(|message| (any, message))?;
            self.made += at.len();
            if self.made > RESULTS {
                return Err((false, "result is too large".into()));
            }
        }
        Ok(at)
    }

    fn step<'d>(&mut self, input: Found<'d>, node: &Node) -> Result<Found<'d>, String> {
        let same = |input: Found<'d>, v: Value| input.iter().map(|_| Cow::Owned(v.clone())).collect();
        match node {
            Node::Text(s) => Ok(vec![Cow::Owned(Value::String(s.clone()))]),
            Node::List(nodes) => self.list(input, nodes),
            Node::Field(name) => Ok(input.into_iter().filter_map(|v| member(v, name)).collect()),
            Node::Array(bounds, derived) => array(input, *bounds, *derived),
            Node::Filter(left, right, op) => self.filter(input, left, right, op),
            Node::Int(i) => Ok(same(input, Value::from(*i))),
            Node::Float(f) => Ok(same(input, Value::from(*f))),
            Node::Bool(b) => Ok(same(input, Value::Bool(*b))),
            Node::Wildcard => Ok(input.into_iter().flat_map(all_of).collect()),
            Node::Recursive => {
                let mut out = Vec::new();
                for v in input {
                    descend(v, &mut out);
                }
                Ok(out)
            }
            Node::Union(parts) => {
                let mut out = Vec::new();
                for part in parts {
                    out.extend(self.list(input.clone(), part)?);
                }
                Ok(out)
            }
            Node::Identifier(word) => match word.as_str() {
                "range" => {
                    self.begin += 1;
                    Ok(input)
                }
                "end" if self.inside == 0 => Err("not in range, nothing to end".into()),
                "end" => {
                    self.end += 1;
                    Ok(input)
                }
                other => Err(format!("unrecognized identifier {other}")),
            },
        }
    }

    fn filter<'d>(
        &mut self,
        input: Found<'d>,
        left: &[Node],
        right: &[Node],
        op: &str,
    ) -> Result<Found<'d>, String> {
        let mut out = Vec::new();
        for value in input {
            if !value.is_array() {
                let shown = go_syntax_plain(&value);
                return Err(format!("{shown} is not array or slice and cannot be filtered"));
            }
            for item in children(value) {
                let lefts = self.list_until(vec![item.clone()], left);
                if op == "exists" {
                    // The original does not look at the error here, only at what it had when it happened.
                    if lefts.map_or_else(|(any, _)| any, |found| !found.is_empty()) {
                        out.push(item);
                    }
                    continue;
                }
                let lefts = lefts.map_err(|(_, message)| message)?;
                let Some(l) = single(&lefts)? else { continue };
                let rights = self.list(vec![item.clone()], right)?;
                let Some(r) = single(&rights)? else { continue };
                if holds(l, op, r)? {
                    out.push(item);
                }
            }
        }
        Ok(out)
    }
}

fn single<'f>(found: &'f Found<'_>) -> Result<Option<&'f Value>, String> {
    match found.as_slice() {
        [] => Ok(None),
        [one] => Ok(Some(one)),
        _ => Err("can only compare one element at a time".into()),
    }
}

fn member<'d>(v: Cow<'d, Value>, name: &str) -> Option<Cow<'d, Value>> {
    match v {
        Cow::Borrowed(v) => v.as_object()?.get(name).map(Cow::Borrowed),
        Cow::Owned(Value::Object(mut m)) => m.remove(name).map(Cow::Owned),
        Cow::Owned(_) => None,
    }
}

fn children(v: Cow<'_, Value>) -> Vec<Cow<'_, Value>> {
    match v {
        Cow::Borrowed(Value::Array(items)) => items.iter().map(Cow::Borrowed).collect(),
        Cow::Borrowed(Value::Object(members)) => members.values().map(Cow::Borrowed).collect(),
        Cow::Owned(Value::Array(items)) => items.into_iter().map(Cow::Owned).collect(),
        Cow::Owned(Value::Object(members)) => members.into_iter().map(|(_, v)| Cow::Owned(v)).collect(),
        _ => Vec::new(),
    }
}

/// What `*` stands for: the children, and of a text the numbers of its bytes.
fn all_of(v: Cow<'_, Value>) -> Vec<Cow<'_, Value>> {
    match &*v {
        Value::String(s) => s.bytes().map(|b| Cow::Owned(Value::from(b))).collect(),
        _ => children(v),
    }
}

/// A value and all below it, parents first. Numbers, booleans, null and what is empty are left out, as in
/// the original.
fn descend<'d>(v: Cow<'d, Value>, out: &mut Found<'d>) {
    let has_length = match &*v {
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
        Value::String(s) => !s.is_empty(),
        _ => false,
    };
    if has_length {
        out.push(v.clone());
    }
    for child in children(v) {
        descend(child, out);
    }
}

fn array<'d>(input: Found<'d>, bounds: [Option<i64>; 3], derived: bool) -> Result<Found<'d>, String> {
    let mut out = Vec::new();
    for value in input {
        if value.is_null() {
            continue;
        }
        if !value.is_array() {
            // Only literals are values of nobody's document.
            let literal = matches!(value, Cow::Owned(_));
            return Err(format!("{} is not array or slice", type_name(&value, literal)));
        }
        let items = children(value);
        let len = i64::try_from(items.len()).unwrap_or(i64::MAX);
        let mut start = bounds[0].unwrap_or(0);
        if start < 0 {
            start = start.saturating_add(len);
        }
        let mut end = bounds[1].unwrap_or(len);
        if end < 0 || (end == 0 && derived) {
            end = end.saturating_add(len);
        }
        if start == end {
            continue;
        }
        if start >= len || start < 0 {
            return Err(format!("array index out of bounds: index {start}, length {len}"));
        }
        if end > len || end < 0 {
            return Err(format!(
                "array index out of bounds: index {}, length {len}",
                end - 1
            ));
        }
        if start > end {
            return Err(format!(
                "starting index {start} is greater than ending index {end}"
            ));
        }
        let step = match bounds[2] {
            None => 1,
            Some(s) if s <= 0 => return Err("step must be > 0".into()),
            Some(s) => usize::try_from(s).unwrap_or(usize::MAX),
        };
        let (start, end) = (
            usize::try_from(start).unwrap_or(0),
            usize::try_from(end).unwrap_or(0),
        );
        out.extend(items.into_iter().take(end).skip(start).step_by(step));
    }
    Ok(out)
}

fn type_name(v: &Value, literal: bool) -> &'static str {
    match v {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(n) if n.is_f64() => "float64",
        Value::Number(_) if literal => "int",
        Value::Number(_) => "int64",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

fn holds(l: &Value, op: &str, r: &Value) -> Result<bool, String> {
    use std::cmp::Ordering::{Equal, Greater, Less};
    const BAD: &str = "incompatible types for comparison";
    const NONE: &str = "invalid type for comparison";
    if !matches!(op, "<" | ">" | "==" | "!=" | "<=" | ">=") {
        return Err(format!("unrecognized filter operator {op}"));
    }
    let order = match (l, r) {
        (Value::Bool(a), Value::Bool(b)) => {
            return match op {
                "==" => Ok(a == b),
                "!=" => Ok(a != b),
                _ => Err(NONE.into()),
            };
        }
        (Value::String(a), Value::String(b)) => a.cmp(b),
        (Value::Number(a), Value::Number(b)) => match (a.as_i64(), b.as_i64(), a.is_f64(), b.is_f64()) {
            (Some(a), Some(b), false, false) => a.cmp(&b),
            (_, _, true, true) => a
                .as_f64()
                .partial_cmp(&b.as_f64())
                .ok_or_else(|| BAD.to_owned())?,
            _ => return Err(BAD.into()),
        },
        (Value::Array(_) | Value::Object(_) | Value::Null, _)
        | (_, Value::Array(_) | Value::Object(_) | Value::Null) => {
            return Err(NONE.into());
        }
        _ => return Err(BAD.into()),
    };
    Ok(match op {
        "<" => order == Less,
        ">" => order == Greater,
        "==" => order == Equal,
        "!=" => order != Equal,
        "<=" => order != Greater,
        _ => order != Less,
    })
}

/// A value as Go source text (`%#v`), for messages.
#[must_use]
pub fn go_syntax(v: &Value) -> String {
    let mut out = String::new();
    go_syntax_into(&mut out, v);
    out
}

fn go_syntax_into(out: &mut String, v: &Value) {
    match v {
        Value::Null => out.push_str("interface {}(nil)"),
        Value::Bool(b) => {
            let _ = write!(out, "{b}");
        }
        Value::Number(n) => out.push_str(&number(n)),
        Value::String(s) => {
            out.push('"');
            go_quote_into(out, s.as_bytes());
            out.push('"');
        }
        Value::Array(items) => {
            out.push_str("[]interface {}{");
            for (i, item) in items.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                go_syntax_into(out, item);
            }
            out.push('}');
        }
        Value::Object(members) => {
            out.push_str("map[string]interface {}{");
            for (i, (k, v)) in members.iter().enumerate() {
                if i > 0 {
                    out.push_str(", ");
                }
                out.push('"');
                go_quote_into(out, k.as_bytes());
                out.push_str("\":");
                go_syntax_into(out, v);
            }
            out.push('}');
        }
    }
}

fn go_syntax_plain(v: &Value) -> String {
    crate::value::print::plain(&from_scope(v))
}
