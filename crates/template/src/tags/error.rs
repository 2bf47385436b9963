//! Errors of substitution. `Display` is the contract text.

use crate::expr;
use crate::value::quote::go_quote;

/// Why a text could not be substituted.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// The document is no JSON.
    #[error("cannot do template replacements with invalid JSON")]
    InvalidTemplate,
    /// A value turned the document into something that is no JSON.
    #[error("cannot finish template replacement because the result was invalid JSON")]
    InvalidResult,
    /// A tag has no end.
    #[error(
        "Cannot find end tag=\"}}}}\" in the template={} starting from {}",
        go_quote(.template.as_bytes()),
        go_quote(.from.as_bytes())
    )]
    Unterminated { template: String, from: String },
    /// A simple tag names what is not known and must be.
    #[error("failed to resolve {{{{{0}}}}}")]
    Unresolved(String),
    /// A simple tag names a value that is no text.
    #[error("failed to resolve {{{{{0}}}}} to string")]
    NotText(String),
    /// A simple tag names an absent optional.
    #[error(
        "unable to substitute {{{{{0}}}}}: output is an absent optional (skipped/omitted node with no default)"
    )]
    Absent(String),
    /// A tag inside a tag names an absent optional.
    #[error("unable to substitute nested tag {{{{{tag}}}}}: {} is an absent optional", go_quote(.name.as_bytes()))]
    NestedAbsent { tag: String, name: String },
    /// The text of an expression tag is no JSON string.
    #[error("failed to unmarshall JSON expression: {0}")]
    Unmarshal(String),
    /// An expression needs a variable that is not known and must be.
    #[error("failed to evaluate expression: {0} is missing")]
    Missing(String),
    /// An expression failed.
    #[error("failed to evaluate expression: {0}")]
    Evaluate(expr::Error),
    /// An expression gave nil.
    #[error("failed to evaluate expression {}", go_quote(.0.as_bytes()))]
    NoValue(String),
    /// The value of an expression has no JSON form.
    #[error("failed to marshal evaluated expression: {0}")]
    Marshal(String),
}

impl Error {
    /// Whether a variable was not known (C-SUB-06): what is missing may come later, so the caller waits instead of
    /// failing.
    #[must_use]
    pub fn is_missing_variable(&self) -> bool {
        matches!(self, Self::Unresolved(_) | Self::NotText(_) | Self::Missing(_))
    }
}
