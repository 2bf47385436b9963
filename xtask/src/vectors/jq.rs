//! Vectors of jq filters. Texts of errors are the library's and no contract; that it is an error, and of which
//! stage, is compared.

use argosy_template::jq;
use serde_json::Value;

use super::Verdict;

/// Checks one filter on one document.
pub fn check(file: &Value, vector: &Value) -> Verdict {
    let document = &file["documents"][vector["document"].as_str().unwrap_or_default()];
    let ours = jq::run(vector["filter"].as_str().unwrap_or_default(), document);
    match (&ours, vector["out"].as_str(), vector["err"].as_str()) {
        (Ok(text), Some(out), _) if text == out => Ok(()),
        (Err(_), None, Some(_)) => Ok(()),
        _ => Err(format!(
            "ours {ours:?} | theirs {} {}",
            vector["out"], vector["err"]
        )),
    }
}
