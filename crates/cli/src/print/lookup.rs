//! Which nodes a command is about: by phase, or by a selector over fields of the node.

use argosy_engine::edit::{Selector, SelectorError};
use argosy_model::NodeStatus;

/// A choice among nodes.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    phase: Option<String>,
    selector: Selector,
}

/// Why a choice can't be made.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Both ways of choosing were given.
    #[error("cannot use both --status and --node-field-selector")]
    Both,
    /// The selector can't be read.
    #[error(transparent)]
    Selector(#[from] SelectorError),
}

impl Filter {
    /// Reads the options `--status` and `--node-field-selector`; empty ones choose every node.
    ///
    /// # Errors
    /// When both are given, or the selector can't be read.
    pub fn new(phase: &str, selector: &str) -> Result<Self, Error> {
        if !phase.is_empty() && !selector.is_empty() {
            return Err(Error::Both);
        }
        let phase = (!phase.is_empty()).then(|| phase.to_owned());
        Ok(Self {
            phase,
            selector: selector.parse()?,
        })
    }

    /// Whether the node is chosen.
    pub fn matches(&self, node: &NodeStatus) -> bool {
        self.phase
            .as_deref()
            .is_none_or(|phase| node.phase.as_str() == phase)
            && self.selector.matches(node)
    }
}
