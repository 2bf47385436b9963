//! Vectors of the simple tags that a document has.

use argosy_template::tags;
use serde_json::Value;

use super::Verdict;

/// Checks one document.
pub fn check(_file: &Value, vector: &Value) -> Verdict {
    let template = vector["template"].as_str().unwrap_or_default();
    let ours = tags::simple_tags_in_json(template);
    match (&ours, vector["simpleTags"].as_array(), vector["err"].as_str()) {
        (Ok(found), Some(expected), None) if expected.iter().filter_map(Value::as_str).eq(found) => Ok(()),
        (Err(e), _, Some(err)) if e.to_string() == err => Ok(()),
        _ => Err(format!("ours {ours:?} | theirs {vector}")),
    }
}
