//! Conditions on a live object (C-RSC-04): the syntax of label selectors over paths into its JSON.

mod path;
mod selector;

use serde_json::Value;

pub use selector::{Requirement, Selector};

/// What a look at the object came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// All of the success condition holds, or only a failure condition was given and it does not hold.
    Success,
    /// Neither condition was met: look again later. The text says so.
    Pending,
    /// A requirement of the failure condition holds; it is given in the form that messages show.
    Failure(String),
}

impl Outcome {
    /// The contract text of an outcome that is no success.
    #[must_use]
    pub fn message(&self) -> Option<String> {
        match self {
            Self::Success => None,
            Self::Pending => Some(
                "Neither success condition nor the failure condition has been matched. Retrying...".into(),
            ),
            Self::Failure(requirement) => Some(format!("failure condition '{requirement}' evaluated true")),
        }
    }
}

/// Judges an object. Conditions that were not given are empty selectors, which ask for nothing.
#[must_use]
pub fn judge(object: &Value, success: &Selector, failure: &Selector) -> Outcome {
    if let Some(met) = failure.requirements().iter().find(|r| r.matches(object)) {
        return Outcome::Failure(met.show());
    }
    if success.requirements().iter().all(|r| r.matches(object)) {
        Outcome::Success
    } else {
        Outcome::Pending
    }
}
