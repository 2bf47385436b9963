//! Vectors of kubectl's JSONPath.

use argosy_template::kubectl::{Error, Template};
use serde_json::Value;

use super::Verdict;

/// Checks one template on one document.
pub fn check(file: &Value, vector: &Value) -> Verdict {
    let document = &file["documents"][vector["document"].as_str().unwrap_or_default()];
    let ours = Template::parse(vector["path"].as_str().unwrap_or_default()).and_then(|t| t.print(document));
    match (&ours, vector["out"].as_str(), vector["err"].as_str()) {
        (Ok(text), Some(out), _) if text == out => Ok(()),
        // Where Go's map order varies, the same pieces in another order are the same.
        (Ok(text), Some(out), _) if vector["unstable"] == true && letters(text) == letters(out) => Ok(()),
        (Err(e), None, Some(err)) => {
            let stage = if matches!(e, Error::Print { .. }) {
                "print"
            } else {
                "parse"
            };
            if vector["stage"] != stage {
                return Err(format!("stage: ours {stage}"));
            }
            if e.to_string() == err {
                Ok(())
            } else {
                Err(format!("ours {e} | theirs {err}"))
            }
        }
        _ => Err(format!(
            "ours {ours:?} | theirs {} {}",
            vector["out"], vector["err"]
        )),
    }
}

fn letters(text: &str) -> Vec<char> {
    let mut all: Vec<char> = text.chars().collect();
    all.sort_unstable();
    all
}
