//! Errors of expressions with their place in the source, printed as the language prints them.

use std::fmt;
use std::sync::Arc;

/// When an expression failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// The text is no expression.
    Parse,
    /// It is one, but cannot fit the variables at hand (unknown name, types that do not match).
    Check,
    /// It failed while it ran.
    Run,
}

/// A failed expression. `Display` gives the contract text: message, `(line:column)`, the line and a caret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    pub stage: Stage,
    /// The message without place.
    pub message: String,
    /// Where, in characters from the start of the source.
    pub at: Option<usize>,
    /// The whole expression.
    pub source: Arc<str>,
    /// The name that is not known, when that is what failed.
    pub unknown: Option<String>,
}

impl std::error::Error for Error {}

/// Line and column of a place, both from 0, and the line's text.
#[must_use]
pub fn locate(source: &str, at: usize) -> (usize, usize, &str) {
    let (mut line, mut column, mut start) = (0, 0, 0);
    for (count, (i, c)) in source.char_indices().enumerate() {
        if count == at {
            break;
        }
        if c == '\n' {
            start = i + 1;
            line += 1;
            column = 0;
        } else {
            column += 1;
        }
    }
    let end = source[start..].find('\n').map_or(source.len(), |i| start + i);
    (line, column, &source[start..end])
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Some(at) = self.at else {
            return f.write_str(&self.message);
        };
        let (line, column, text) = locate(&self.source, at);
        if text.is_empty() {
            return f.write_str(&self.message);
        }
        let text = text.replace('\t', " ");
        let dots = ".".repeat(column);
        write!(
            f,
            "{} ({}:{})\n | {text}\n | {dots}^",
            self.message,
            line + 1,
            column + 1
        )
    }
}

/// A failure while the source is at hand elsewhere: message and place.
#[derive(Clone, Debug)]
pub struct Fault {
    pub message: String,
    pub at: usize,
    pub unknown: Option<String>,
}

impl Fault {
    pub fn new(at: usize, message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            at,
            unknown: None,
        }
    }

    /// The full error.
    #[must_use]
    pub fn place(self, stage: Stage, source: &Arc<str>) -> Error {
        Error {
            stage,
            message: self.message,
            at: Some(self.at),
            source: Arc::clone(source),
            unknown: self.unknown,
        }
    }
}
