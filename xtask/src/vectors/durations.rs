//! Vectors of durations: reading, printing, and the forms of the API and the command line.

use argosy_template::{duration, gotime};
use serde_json::Value;

use super::Verdict;

fn nanos(v: &Value) -> Option<i64> {
    v.as_i64().or_else(|| v.as_str().and_then(|s| s.parse().ok()))
}

/// Checks one duration.
pub fn check(_file: &Value, vector: &Value) -> Verdict {
    let text = vector["in"].as_str().unwrap_or_default();
    match vector["fn"].as_str() {
        Some("parse") => {
            outcome("go", vector, "go", duration::parse_go(text))?;
            outcome(
                "argo",
                vector,
                "argo",
                duration::parse(text).map_err(|e| e.to_string()),
            )?;
            outcome("since", vector, "since", duration::parse_since(text))?;
            match (vector["goString"].as_str(), duration::parse_go(text)) {
                (Some(s), Ok(n)) if s != duration::show(n) => {
                    Err(format!("printed: ours {}", duration::show(n)))
                }
                _ => Ok(()),
            }
        }
        Some("format") => format(vector),
        Some("metav1Time") => time(vector),
        _ => Err(format!("no check: {vector}")),
    }
}

fn format(vector: &Value) -> Verdict {
    let n = nanos(&vector["nanos"]).unwrap_or(0);
    let shown = duration::show(n);
    let float = argosy_template::Value::Float((n / 1_000_000_000) as f64 + (n % 1_000_000_000) as f64 / 1e9);
    let pairs = [
        ("string", shown.clone()),
        ("metav1JSON", format!("\"{shown}\"")),
        ("roundSecond", duration::show(duration::round(n, 1_000_000_000))),
        ("seconds", argosy_template::value::print::plain(&float)),
    ];
    for (key, ours) in pairs {
        if vector[key].as_str() != Some(&ours) {
            return Err(format!("{key}: ours {ours} | theirs {}", vector[key]));
        }
    }
    Ok(())
}

fn time(vector: &Value) -> Verdict {
    let text = vector["in"].as_str().unwrap_or_default();
    // `null` and numbers are the business of the type that holds the time.
    let Some(inner) = text.strip_prefix('"').and_then(|t| t.strip_suffix('"')) else {
        return Ok(());
    };
    let ours = gotime::normal_rfc3339(inner);
    match (&ours, vector["out"].as_str(), vector["err"].as_str()) {
        (Ok(t), Some(out), _) if out == format!("\"{t}\"") => Ok(()),
        (Err(e), None, Some(err)) if e == err => Ok(()),
        _ => Err(format!("ours {ours:?} | theirs {vector}")),
    }
}

fn outcome(what: &str, vector: &Value, prefix: &str, ours: Result<i64, String>) -> Verdict {
    let expected = nanos(&vector[format!("{prefix}Nanos")]);
    let error = vector[format!("{prefix}Err")].as_str();
    match (&ours, expected, error) {
        (Ok(n), Some(e), _) if *n == e => Ok(()),
        (Err(m), None, Some(e)) if m == e => Ok(()),
        _ => Err(format!("{what}: ours {ours:?} | theirs {expected:?} {error:?}")),
    }
}
