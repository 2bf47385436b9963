//! Vectors of expressions (`expr`, `sprig`): type, JSON form, error texts, and the tag form of each.

use std::collections::BTreeMap;

use argosy_template::{Env, Expr, Level, tags, value};
use serde_json::Value;

use super::Verdict;

fn scope(file: &Value) -> BTreeMap<String, Value> {
    file["env"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect()
}

fn differ(what: &str, ours: &str, theirs: &str) -> Verdict {
    if ours == theirs {
        Ok(())
    } else {
        Err(format!("{what}: ours {ours} | theirs {theirs}"))
    }
}

/// Checks one expression.
pub fn check(file: &Value, vector: &Value) -> Verdict {
    let source = vector["expr"].as_str().unwrap_or_default();
    let scope = scope(file);
    let env = Env::of(&scope);
    let result = Expr::compile(source).and_then(|e| e.eval_env(&env));
    if vector["unstable"] == true {
        return match result {
            Ok(v) => differ(
                "type",
                &v.type_name(),
                vector["type"].as_str().unwrap_or_default(),
            ),
            Err(e) => Err(format!("ours fails: {e}")),
        };
    }
    value_agrees(vector, result)?;
    if vector.get("strict").is_none() {
        // Only the value was recorded.
        return Ok(());
    }
    tag_agrees(vector, source, &scope)
}

fn value_agrees(
    vector: &Value,
    result: Result<argosy_template::Value, argosy_template::expr::Error>,
) -> Verdict {
    if let Some(error) = vector["error"].as_str() {
        return match result {
            Ok(v) => Err(format!("ours gives {} | theirs {error}", value::print::plain(&v))),
            Err(e) => {
                let stage = match e.stage {
                    argosy_template::expr::Stage::Run => "run",
                    _ => "compile",
                };
                differ("stage", stage, vector["stage"].as_str().unwrap_or_default())
                    .map_err(|w| format!("{w} ({e})"))?;
                differ("error", &e.to_string(), error)
            }
        };
    }
    let v = result.map_err(|e| format!("ours fails: {e}"))?;
    differ(
        "type",
        &v.type_name(),
        vector["type"].as_str().unwrap_or_default(),
    )?;
    match (
        value::json::write(&v, value::json::COMPACT),
        vector["marshalError"].as_str(),
    ) {
        (Ok(json), None) => differ("json", &json, vector["json"].as_str().unwrap_or_default()),
        (Err(e), Some(error)) => differ("marshal error", &e, error),
        (ours, theirs) => Err(format!("marshal: ours {ours:?} | theirs {theirs:?}")),
    }
}

fn tag_agrees(vector: &Value, source: &str, scope: &BTreeMap<String, Value>) -> Verdict {
    let mut inner = String::new();
    value::quote::json_escape_into(&mut inner, source.as_bytes(), true);
    let document = format!("{{\"v\":\"{{{{={inner}}}}}\"}}");
    let kept = document
        .replace("\\u003c", "<")
        .replace("\\u003e", ">")
        .replace("\\u0026", "&");
    for (level, key) in [(Level::Strict, "strict"), (Level::Lenient, "lenient")] {
        let expected = vector.get(key).unwrap_or(&vector["strict"]);
        let ours = tags::replace_in_json(&document, scope, level);
        // The value form must agree with the text form.
        let mut tree: Value = serde_json::from_str(&document).map_err(|e| e.to_string())?;
        let by_tree = tags::replace_in_value(&mut tree, scope, level);
        match (&ours, &by_tree) {
            (Ok(text), Ok(_)) => {
                let parsed: Value = serde_json::from_str(text).map_err(|e| e.to_string())?;
                if parsed != tree {
                    return Err(format!("{key}: forms differ: text {parsed} | value {tree}"));
                }
            }
            (Err(a), Err(b)) => differ("forms", &b.to_string(), &a.to_string())?,
            (a, b) => return Err(format!("{key}: forms differ: text {a:?} | value {b:?}")),
        }
        match (ours, expected["doc"].as_str(), expected["err"].as_str()) {
            (Ok(text), Some(doc), _) => differ(key, &text, doc)?,
            (Ok(text), None, None) if expected["kept"] == true => {
                if text != document && text != kept {
                    return Err(format!("{key}: ours {text} | theirs kept"));
                }
            }
            (Err(e), None, Some(err)) => differ(key, &e.to_string(), err)?,
            (ours, ..) => return Err(format!("{key}: ours {ours:?} | theirs {expected}")),
        }
    }
    Ok(())
}
