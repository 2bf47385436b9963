//! The JSONPath of kubectl (`valueFrom.jsonPath` of resource templates): text with actions in braces.

mod eval;
mod parse;

use serde_json::Value;

/// Why a template has no result; `Display` is the contract text.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Nothing was given.
    #[error("template format specified but no template given")]
    Empty,
    /// The text is no template.
    #[error("error parsing jsonpath {template}, {what}")]
    Parse { template: String, what: String },
    /// It failed on the document.
    #[error(
        "error executing jsonpath {}: Error executing template: {what}. Printing more information for debugging the \
         template:\n\ttemplate was:\n\t\t{template}\n\tobject given to jsonpath engine was:\n\t\t{object}\n\n\n",
        crate::value::quote::go_quote(.template.as_bytes())
    )]
    Print {
        template: String,
        what: String,
        object: String,
    },
}

/// A template that was understood.
#[derive(Clone, Debug)]
pub struct Template {
    source: String,
    nodes: Vec<parse::Node>,
}

impl Template {
    /// Reads a template.
    ///
    /// # Errors
    /// [`Error::Empty`], [`Error::Parse`].
    pub fn parse(text: &str) -> Result<Self, Error> {
        if text.is_empty() {
            return Err(Error::Empty);
        }
        let nodes = parse::parse(text, 0).map_err(|what| Error::Parse {
            template: text.to_owned(),
            what,
        })?;
        Ok(Self {
            source: text.to_owned(),
            nodes,
        })
    }

    /// The text for a document. Members that are missing give nothing.
    ///
    /// # Errors
    /// [`Error::Print`]
    pub fn print(&self, document: &Value) -> Result<String, Error> {
        eval::print(&self.nodes, document).map_err(|what| Error::Print {
            template: self.source.clone(),
            what,
            object: eval::go_syntax(document),
        })
    }
}
