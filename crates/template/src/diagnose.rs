//! Help for people beside the contract texts: where in the expression, what was in scope, which name was meant.
//! Nothing here decides anything, and none of it is part of an error's own text.

use crate::expr::{self, Expr};
use crate::scope::Scope;
use crate::tags;
use crate::value::quote::go_quote;

/// How many names of the scope are shown at most.
const SHOWN: usize = 40;

/// How many of them are printed.
const PRINTED: usize = 12;

/// What a person needs to mend an expression or a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnosis {
    /// What is wrong, without place.
    pub message: String,
    /// The expression or the tag's name.
    pub source: String,
    /// Line and column of the place, both from 1.
    pub place: Option<(usize, usize)>,
    /// The line and, under it, a caret.
    pub snippet: Option<String>,
    /// The name that is not known, when that is what is wrong.
    pub unknown: Option<String>,
    /// The known name that looks most like it.
    pub nearest: Option<String>,
    /// Names that are in scope, sorted; at most 40, those beside the unknown one first.
    pub in_scope: Vec<String>,
}

/// Explains an error of an expression.
#[must_use]
pub fn expression(error: &expr::Error, scope: &dyn Scope) -> Diagnosis {
    let place = error.at.map(|at| expr::error::locate(&error.source, at));
    let unknown = error.unknown.clone();
    Diagnosis {
        message: error.message.clone(),
        source: error.source.to_string(),
        place: place.map(|(line, column, _)| (line + 1, column + 1)),
        snippet: place.map(|(_, column, text)| format!("{text}\n{}^", " ".repeat(column))),
        nearest: unknown.as_deref().and_then(|name| nearest(name, scope)),
        in_scope: beside(unknown.as_deref().unwrap_or_default(), scope),
        unknown,
    }
}

/// Explains a variable that an expression reads and that is not in scope.
#[must_use]
pub fn unknown(expression: &Expr, reference: &expr::Reference, scope: &dyn Scope) -> Diagnosis {
    let (line, column, text) = expr::error::locate(expression.source(), reference.at);
    Diagnosis {
        message: format!("unknown name {}", reference.name),
        source: expression.source().to_owned(),
        place: Some((line + 1, column + 1)),
        snippet: Some(format!("{text}\n{}^", " ".repeat(column))),
        nearest: nearest(&reference.name, scope),
        in_scope: beside(&reference.name, scope),
        unknown: Some(reference.name.clone()),
    }
}

/// Explains the contract text of a failure, if it is about this expression: it shows the expression, its line, or the
/// variable that is missing. `suspect` is a variable of it that nothing is known of.
#[must_use]
pub fn failure(
    message: &str,
    expression: &Expr,
    suspect: Option<&expr::Reference>,
    scope: &dyn Scope,
) -> Option<Diagnosis> {
    let source = expression.source();
    let missing = expression
        .references()
        .iter()
        .find(|reference| message.ends_with(&format!("expression: {} is missing", reference.name)));
    let place = place_in(message, source);
    let quoted = go_quote(source.as_bytes());
    let shown = missing.is_some()
        || place.is_some()
        || message.contains(&format!("'{source}'"))
        || message.contains(&format!("expression {quoted}"));
    if !shown {
        return None;
    }
    let suspect = missing.or(suspect);
    let (line, column) = place.or_else(|| {
        suspect.map(|reference| {
            let (line, column, _) = expr::error::locate(source, reference.at);
            (line, column)
        })
    })?;
    let text = source.lines().nth(line).unwrap_or_default();
    let unknown = suspect.map(|reference| reference.name.clone());
    let told = message.lines().next().unwrap_or_default();
    Some(Diagnosis {
        message: told.to_owned(),
        source: source.to_owned(),
        place: Some((line + 1, column + 1)),
        snippet: Some(format!("{text}\n{}^", " ".repeat(column))),
        nearest: unknown.as_deref().and_then(|name| nearest(name, scope)),
        in_scope: beside(unknown.as_deref().unwrap_or_default(), scope),
        unknown,
    })
}

/// The place that a contract text tells (`… (1:5)`, then the line), as line and column from 0, if the line is one of the
/// source.
fn place_in(message: &str, source: &str) -> Option<(usize, usize)> {
    let (told, shown) = message.split_once("\n | ")?;
    let (_, place) = told.rsplit_once('(')?;
    let (line, column) = place.strip_suffix(')')?.split_once(':')?;
    let line: usize = line.parse::<usize>().ok()?.checked_sub(1)?;
    let column: usize = column.parse::<usize>().ok()?.checked_sub(1)?;
    (source.lines().nth(line)? == shown.lines().next()?).then_some((line, column))
}

impl std::fmt::Display for Diagnosis {
    /// For people: what is wrong, the line with a caret under the place, what may be meant, what is there.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.message)?;
        if let Some(snippet) = &self.snippet {
            for line in snippet.lines() {
                write!(f, "\n  | {line}")?;
            }
        }
        if let Some(nearest) = &self.nearest {
            write!(f, "\n  did you mean {nearest}?")?;
        }
        if self.unknown.is_some() && !self.in_scope.is_empty() {
            let first = &self.in_scope[..self.in_scope.len().min(PRINTED)];
            let more = if self.in_scope.len() > PRINTED {
                ", …"
            } else {
                ""
            };
            write!(f, "\n  in scope: {}{more}", first.join(", "))?;
        }
        Ok(())
    }
}

/// Explains an error of substitution.
#[must_use]
pub fn substitution(error: &tags::Error, scope: &dyn Scope) -> Diagnosis {
    let name = match error {
        tags::Error::Evaluate(e) => return expression(e, scope),
        tags::Error::Unresolved(name) | tags::Error::Missing(name) => Some(name.trim().to_owned()),
        _ => None,
    };
    Diagnosis {
        message: error.to_string(),
        source: name.clone().unwrap_or_default(),
        place: None,
        snippet: None,
        nearest: name.as_deref().and_then(|name| nearest(name, scope)),
        in_scope: beside(name.as_deref().unwrap_or_default(), scope),
        unknown: name,
    }
}

/// Names of the scope, those with the same beginning first.
fn beside(name: &str, scope: &dyn Scope) -> Vec<String> {
    let parent = name.rsplit_once('.').map_or("", |(parent, _)| parent);
    let (mut near, far): (Vec<_>, Vec<_>) = scope
        .names()
        .into_iter()
        .partition(|n| !parent.is_empty() && n.starts_with(parent));
    near.extend(far);
    near.truncate(SHOWN);
    near
}

/// The name of the scope (or a top-level part of one) that differs in the fewest characters, if few enough.
fn nearest(name: &str, scope: &dyn Scope) -> Option<String> {
    let mut candidates = scope.names();
    let roots: Vec<String> = candidates
        .iter()
        .filter_map(|n| n.split_once('.').map(|(root, _)| root.to_owned()))
        .collect();
    candidates.extend(roots);
    candidates.extend(crate::env::functions());
    let allowed = (name.chars().count() / 3).clamp(1, 4);
    candidates
        .into_iter()
        .map(|c| (distance(name, &c), c))
        .filter(|(d, _)| *d <= allowed)
        .min()
        .map(|(_, c)| c)
}

/// How many characters must be changed, added or taken away to make one text of the other.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.chars().enumerate() {
        let mut before = row[0];
        row[0] = i + 1;
        for (j, y) in b.iter().enumerate() {
            let changed = before + usize::from(x != *y);
            before = row[j + 1];
            row[j + 1] = changed.min(before + 1).min(row[j] + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use serde_json::json;

    use super::*;
    use crate::{Expr, Level, Tags};

    fn scope() -> BTreeMap<String, serde_json::Value> {
        [
            "inputs.parameters.count",
            "inputs.parameters.name",
            "workflow.name",
        ]
        .into_iter()
        .map(|n| (n.to_owned(), json!("1")))
        .collect()
    }

    #[test]
    fn an_unknown_name_is_shown_with_its_place_and_the_nearest_one() {
        let error = Expr::compile("1 + input")
            .and_then(|e| e.eval(&scope()))
            .map(|_| ());
        let diagnosis = expression(&error.expect_err("the name is not known"), &scope());
        assert_eq!(diagnosis.place, Some((1, 5)));
        assert_eq!(diagnosis.snippet.as_deref(), Some("1 + input\n    ^"));
        assert_eq!(diagnosis.nearest.as_deref(), Some("inputs"));
    }

    #[test]
    fn an_unknown_tag_is_shown_with_the_nearest_name() {
        let text = Tags::compile("{{inputs.parameters.nam}}").and_then(|t| t.text(&scope(), Level::Strict));
        let diagnosis = substitution(&text.expect_err("the name is not known"), &scope());
        assert_eq!(diagnosis.nearest.as_deref(), Some("inputs.parameters.name"));
        assert_eq!(diagnosis.in_scope[0], "inputs.parameters.count");
    }
}
