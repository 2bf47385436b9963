//! Which nodes a command is about: by phase, or by a selector over fields of the node.

use argosy_model::NodeStatus;

/// A choice among nodes.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    phase: Option<String>,
    terms: Vec<Term>,
}

#[derive(Clone, Debug)]
struct Term {
    key: String,
    value: String,
    equal: bool,
}

/// Why a choice can't be made.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// Both ways of choosing were given.
    #[error("cannot use both --status and --node-field-selector")]
    Both,
    /// A part of the selector is no `key=value`.
    #[error("invalid selector: '{0}'; can't understand it")]
    Selector(String),
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
        let terms = selector
            .split(',')
            .filter(|part| !part.trim().is_empty())
            .map(Term::parse);
        Ok(Self {
            phase,
            terms: terms.collect::<Result<_, _>>()?,
        })
    }

    /// Whether the node is chosen.
    pub fn matches(&self, node: &NodeStatus) -> bool {
        self.phase
            .as_deref()
            .is_none_or(|phase| node.phase.as_str() == phase)
            && self
                .terms
                .iter()
                .all(|term| (value(node, &term.key) == term.value) == term.equal)
    }
}

impl Term {
    fn parse(part: &str) -> Result<Self, Error> {
        let pieces = [("!=", false), ("==", true), ("=", true)];
        let found = pieces
            .into_iter()
            .find_map(|(sign, equal)| Some((part.split_once(sign)?, equal)));
        let ((key, value), equal) = found.ok_or_else(|| Error::Selector(part.to_owned()))?;
        Ok(Self {
            key: key.trim().to_owned(),
            value: value.trim().to_owned(),
            equal,
        })
    }
}

/// The field of a node that a selector can ask for; unknown keys are empty.
fn value(node: &NodeStatus, key: &str) -> String {
    if let Some(parameter) = key
        .strip_prefix("inputs.parameters.")
        .and_then(|k| k.strip_suffix(".value"))
    {
        let list = node.inputs.as_ref().map_or(&[][..], |inputs| &inputs.parameters);
        let found = list.iter().find(|p| p.name == parameter);
        return found
            .and_then(|p| p.value.as_ref())
            .map(ToString::to_string)
            .unwrap_or_default();
    }
    let reference = node.template_ref.as_ref();
    match key {
        "id" => node.id.clone(),
        "name" => node.name.clone(),
        "displayName" => node.display_name.clone(),
        "templateName" => reference.map_or_else(|| node.template_name.clone(), |r| r.template.clone()),
        "templateRef.name" => reference.map(|r| r.name.clone()).unwrap_or_default(),
        "templateRef.template" => reference.map(|r| r.template.clone()).unwrap_or_default(),
        "phase" => node.phase.to_string(),
        _ => String::new(),
    }
}
