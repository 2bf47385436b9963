//! Manifests: YAML text read exactly as Kubernetes tools read it, and written as they write it.
//!
//! Reading keeps the place of every value, so that a problem found later can name its line and column. JSON is accepted
//! too. Not here: what the keys of a manifest mean (see `decode`).

mod build;
mod scalar;
mod write;

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

use crate::decode::{Problem, Step};

pub use write::{to_string, value_to_string};

/// The longest text that is read, in bytes. A cluster takes objects of at most 3 MiB, so this is ten of the largest;
/// more is a mistake in the file's name rather than a manifest.
pub const MAX_BYTES: usize = 32 << 20;

/// One document of a manifest that is not empty.
#[derive(Clone, Debug, PartialEq)]
pub struct Document {
    /// What it says, as JSON.
    pub value: Value,
    /// Which document of the text it is, from 0; empty ones count.
    pub index: usize,
    /// Keys that stand twice in one mapping; the later one won.
    pub duplicates: Vec<Error>,
    spans: Spans,
}

/// A place in a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
}

impl fmt::Display for Position {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}", self.line, self.column)
    }
}

/// Why a text is no manifest.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{at}: {message}")]
pub struct Error {
    /// Where.
    pub at: Position,
    /// What is wrong.
    pub message: String,
    /// What to do about it, if we know.
    pub hint: Option<String>,
}

/// Where a value and what it holds stand.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Spans {
    /// Where the value starts.
    value: Position,
    /// Where the key of the value starts, if it has one.
    key: Option<Position>,
    items: Vec<Spans>,
    keys: BTreeMap<String, Spans>,
}

impl Document {
    /// Where the document's value starts.
    pub fn start(&self) -> Position {
        self.spans.value
    }

    /// Where a path leads: the key of the last step if there is one, else the value. A path that leads nowhere
    /// gives the last place that exists.
    pub fn position(&self, steps: &[Step]) -> Position {
        let mut spans = &self.spans;
        for step in steps {
            let next = match step {
                Step::Key(key) => spans.keys.get(key.as_ref()),
                Step::Index(i) => spans.items.get(*i),
            };
            match next {
                Some(next) => spans = next,
                None => break,
            }
        }
        spans.key.unwrap_or(spans.value)
    }

    /// A problem of this document as text that starts with line and column.
    pub fn describe(&self, problem: &Problem) -> String {
        format!("{}: {problem}", self.position(&problem.steps))
    }
}

/// Reads every document of a manifest. Documents without content are left out.
///
/// # Errors
/// When the text is longer than [`MAX_BYTES`], is neither YAML nor JSON, or says something that JSON cannot hold.
pub fn documents(text: &str) -> Result<Vec<Document>, Error> {
    if text.len() > MAX_BYTES {
        let message = format!(
            "the text is {} bytes long; at most {MAX_BYTES} are read",
            text.len()
        );
        return Err(Error {
            at: Position { line: 1, column: 1 },
            message,
            hint: None,
        });
    }
    build::documents(text).or_else(|error| {
        if looks_like_json(text) {
            json(text).ok_or(error)
        } else {
            Err(error)
        }
    })
}

/// Reads a text that should hold one document. Empty text is null.
///
/// # Errors
/// As [`documents`], and when there is more than one document.
pub fn value(text: &str) -> Result<Value, Error> {
    let mut documents = documents(text)?;
    if let Some(second) = documents.get(1) {
        let message = "expected one document, found another".to_owned();
        return Err(Error {
            at: second.start(),
            message,
            hint: None,
        });
    }
    Ok(documents.pop().map_or(Value::Null, |d| d.value))
}

fn looks_like_json(text: &str) -> bool {
    text.trim_start_matches('\u{feff}')
        .trim_start()
        .starts_with(['{', '['])
}

/// JSON that YAML does not take: several values in a row, or tabs where YAML forbids them.
fn json(text: &str) -> Option<Vec<Document>> {
    let text = text.trim_start_matches('\u{feff}');
    let mut documents = Vec::new();
    for (index, value) in serde_json::Deserializer::from_str(text)
        .into_iter::<Value>()
        .enumerate()
    {
        let spans = Spans {
            value: Position { line: 1, column: 1 },
            ..Spans::default()
        };
        documents.push(Document {
            value: value.ok()?,
            index,
            duplicates: Vec::new(),
            spans,
        });
    }
    Some(documents)
}
