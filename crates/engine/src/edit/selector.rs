//! Selection of nodes by their fields: `displayName=a,phase!=Failed` (C-CTL-05).

use std::fmt;
use std::str::FromStr;

use argosy_model::NodeStatus;

/// A selection of nodes: all terms must hold. The empty one matches every node.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selector {
    text: String,
    terms: Vec<Term>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Term {
    field: String,
    equal: bool,
    value: String,
}

/// A selector that can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SelectorError {
    /// A term has no operator.
    #[error("invalid selector: '{selector}'; can't understand '{term}'")]
    Term {
        /// The whole selector.
        selector: String,
        /// The term.
        term: String,
    },
    /// A backslash stands before something that needs none.
    #[error("invalid field selector: invalid escape sequence: {0}")]
    Escape(String),
    /// A value has an operator or comma in it.
    #[error("invalid field selector: unescaped character in value: {0:?}")]
    Unescaped(char),
}

impl Selector {
    /// Whether it selects everything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.terms.is_empty()
    }

    /// Whether a node has all the fields as wanted.
    #[must_use]
    pub fn matches(&self, node: &NodeStatus) -> bool {
        self.terms
            .iter()
            .all(|term| (field(node, &term.field) == term.value) == term.equal)
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

impl FromStr for Selector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, SelectorError> {
        let mut terms = Vec::new();
        for part in split(text) {
            if part.is_empty() {
                continue;
            }
            let (field, equal, value) = operator(&part).ok_or_else(|| SelectorError::Term {
                selector: text.to_owned(),
                term: part.clone(),
            })?;
            terms.push(Term {
                field: field.to_owned(),
                equal,
                value: unescape(value)?,
            });
        }
        Ok(Self {
            text: text.to_owned(),
            terms,
        })
    }
}

/// Splits at commas that have no backslash before them.
fn split(text: &str) -> Vec<String> {
    let mut parts = vec![String::new()];
    let mut escaped = false;
    for c in text.chars() {
        if c == ',' && !escaped {
            parts.push(String::new());
            continue;
        }
        escaped = c == '\\' && !escaped;
        if let Some(last) = parts.last_mut() {
            last.push(c);
        }
    }
    parts
}

fn operator(term: &str) -> Option<(&str, bool, &str)> {
    for (at, _) in term.char_indices() {
        let rest = &term[at..];
        for (word, equal) in [("!=", false), ("==", true), ("=", true)] {
            if let Some(value) = rest.strip_prefix(word) {
                return Some((&term[..at], equal, value));
            }
        }
    }
    None
}

fn unescape(text: &str) -> Result<String, SelectorError> {
    let mut result = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next() {
                Some(next @ ('\\' | ',' | '=')) => result.push(next),
                next => {
                    return Err(SelectorError::Escape(format!(
                        "\\{}",
                        next.map(String::from).unwrap_or_default()
                    )));
                }
            },
            ',' | '=' => return Err(SelectorError::Unescaped(c)),
            _ => result.push(c),
        }
    }
    Ok(result)
}

/// The text of a node's field; empty for fields that it does not have.
fn field<'a>(node: &'a NodeStatus, name: &str) -> &'a str {
    let reference = node.template_ref.as_ref();
    match name {
        "displayName" => &node.display_name,
        "templateName" => &node.template_name,
        "phase" => node.phase.as_str(),
        "name" => &node.name,
        "id" => &node.id,
        "templateRef.name" => reference.map_or("", |r| &r.name),
        "templateRef.template" => reference.map_or("", |r| &r.template),
        _ => name
            .strip_prefix("inputs.parameters.")
            .and_then(|rest| rest.strip_suffix(".value"))
            .and_then(|name| node.inputs.as_ref()?.parameters.iter().find(|p| p.name == name))
            .and_then(|parameter| parameter.value.as_ref())
            .map_or("", |value| value.as_str()),
    }
}
