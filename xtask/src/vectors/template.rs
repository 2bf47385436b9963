//! Vectors of substitution in JSON documents, at all three levels; our value form must agree with the text form.

use std::collections::BTreeMap;

use argosy_template::{Level, tags};
use serde_json::Value;

use super::Verdict;

/// Checks one document.
pub fn check(_file: &Value, vector: &Value) -> Verdict {
    let template = vector["template"].as_str().unwrap_or_default();
    let scope: BTreeMap<String, Value> = vector["replaceMap"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect();
    let prefixes: Vec<&str> = vector["prefixes"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let level = match vector["mode"].as_str() {
        Some("strict") => Level::Strict,
        Some("prefixes") => Level::StrictPrefixes(&prefixes),
        _ => Level::Lenient,
    };
    let ours = tags::replace_in_json(template, &scope, level);
    match (&ours, vector["out"].as_str(), vector["err"].as_str()) {
        (Ok(text), Some(out), _) if text == out => {}
        (Err(e), None, Some(err)) if e.to_string() == err => {
            let missing = vector["missingVariable"] == true;
            if e.is_missing_variable() != missing {
                return Err(format!("missing variable: theirs {missing}"));
            }
        }
        (ours, out, err) => return Err(format!("ours {ours:?} | theirs {out:?} {err:?}")),
    }
    // The value form writes JSON as the original does, so only documents in that form can be compared.
    let Ok(mut tree) = serde_json::from_str::<Value>(template) else {
        return Ok(());
    };
    let canonical = argosy_template::value::json::from_scope(&tree);
    if argosy_template::value::json::write(&canonical, argosy_template::value::json::COMPACT).as_deref()
        != Ok(template)
    {
        return Ok(());
    }
    let by_tree = tags::replace_in_value(&mut tree, &scope, level);
    match (&ours, by_tree) {
        (Ok(text), Ok(_)) => {
            let parsed: Value = serde_json::from_str(text).map_err(|e| e.to_string())?;
            if parsed == tree {
                Ok(())
            } else {
                Err(format!("forms differ: text {parsed} | value {tree}"))
            }
        }
        (Err(a), Err(b)) if *a == b || matches!(a, tags::Error::Unterminated { .. }) => Ok(()),
        (a, b) => Err(format!("forms differ: text {a:?} | value {b:?}")),
    }
}
