//! Vectors of `when` conditions, of steps and tasks and of cron workflows.

use argosy_template::when;
use serde_json::Value;

use super::Verdict;

/// Checks one condition.
pub fn check(_file: &Value, vector: &Value) -> Verdict {
    let text = vector["when"].as_str().unwrap_or_default();
    compare(
        "controller",
        &vector["controller"],
        when::evaluate(text).map_err(|e| e.to_string()),
    )?;
    compare("cron", &vector["cron"], when::evaluate_cron(text))
}

fn compare(what: &str, expected: &Value, ours: Result<bool, String>) -> Verdict {
    let agrees = match &ours {
        Ok(b) => expected["out"].as_bool() == Some(*b),
        // Where the original panics an error is what we want.
        Err(e) => expected["err"].as_str() == Some(e) || expected.get("panic").is_some(),
    };
    if agrees {
        Ok(())
    } else {
        Err(format!("{what}: ours {ours:?} | theirs {expected}"))
    }
}
