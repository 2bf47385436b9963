//! Names of templates, steps, tasks, parameters and artifacts (C-VAL-02).

use std::collections::BTreeSet;

use super::Fault;
use super::fault::Place;

const TEMPLATE_NAME: &str = "name must consist of alpha-numeric characters or '-', and must start with an alpha-numeric \
                             character (e.g. My-name1-2, 123-NAME)";
const PARAMETER_NAME: &str = "Parameter/Artifact name must consist of alpha-numeric characters, '_' or '-' e.g. my_param_1, MY-PARAM-1";
/// Longest name of a template, step or task.
const TEMPLATE_NAME_LIMIT: usize = 128;

/// What is wrong with the name of a template, step or task; `None` for a good one.
pub(super) fn template_name_fault(name: &str) -> Option<String> {
    if name.len() > TEMPLATE_NAME_LIMIT {
        return Some(format!("must be no more than {TEMPLATE_NAME_LIMIT} characters"));
    }
    let mut bytes = name.bytes();
    let good = bytes.next().is_some_and(|b| b.is_ascii_alphanumeric())
        && bytes.all(|b| b.is_ascii_alphanumeric() || b == b'-');
    (!good).then(|| TEMPLATE_NAME.to_owned())
}

/// What is wrong with the name of a parameter or artifact; `None` for a good one.
pub(super) fn parameter_name_fault(name: &str) -> Option<String> {
    let good = !name.is_empty()
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_'));
    (!good).then(|| PARAMETER_NAME.to_owned())
}

/// Checks a list of named things: every one has a good name, none comes twice. Texts start with the index.
pub(super) fn check_list<'a>(
    names: impl Iterator<Item = &'a str>,
    fault: fn(&str) -> Option<String>,
) -> Result<(), Fault> {
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for (index, name) in names.enumerate() {
        let wrong = |message: String| Err(Fault::new(message).at(&[Place::Index(index), Place::Key("name")]));
        if name.is_empty() {
            return wrong(format!("[{index}].name is required"));
        }
        if let Some(why) = fault(name) {
            return wrong(format!("[{index}].name: '{name}' is invalid: {why}"));
        }
        if !seen.insert(name) {
            return wrong(format!("[{index}].name '{name}' is not unique"));
        }
    }
    Ok(())
}

/// Whether a text has a variable in it, so that nothing can be said about it yet.
pub(super) fn has_tag(text: &str) -> bool {
    text.contains("{{") || text.contains(super::scope::PLACEHOLDER)
}
