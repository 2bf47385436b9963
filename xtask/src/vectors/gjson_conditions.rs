//! Vectors of success and failure conditions of resource templates.

use argosy_template::conditions::{Outcome, Selector, judge};
use serde_json::Value;

use super::Verdict;

/// Checks one pair of conditions on one document.
pub fn check(file: &Value, vector: &Value) -> Verdict {
    let document = &file["documents"][vector["document"].as_str().unwrap_or_default()];
    let mut parsed = Vec::new();
    for which in ["success", "failure"] {
        let text = vector[format!("{which}Condition")].as_str().unwrap_or_default();
        let error = vector[format!("{which}ParseErr")].as_str();
        match (Selector::parse(text), error) {
            (Err(e), Some(err)) if e == err => return Ok(()),
            (Ok(s), None) => {
                if let Some(theirs) = vector[format!("{which}Parsed")].as_str()
                    && s.to_string() != theirs
                {
                    return Err(format!("{which}: ours {s} | theirs {theirs}"));
                }
                parsed.push(s);
            }
            (ours, theirs) => return Err(format!("{which}: ours {ours:?} | theirs {theirs:?}")),
        }
    }
    let ours = judge(document, &parsed[0], &parsed[1]);
    let agrees = match vector["err"].as_str() {
        None => ours == Outcome::Success && vector["ok"] == true,
        Some(err) => {
            ours.message().as_deref() == Some(err) && (ours == Outcome::Pending) == (vector["retry"] == true)
        }
    };
    if agrees {
        Ok(())
    } else {
        Err(format!("ours {ours:?} | theirs {vector}"))
    }
}
