//! Vectors of cron schedules: the next six times, or the error.

use argosy_template::cron::Schedule;
use serde_json::Value;

use super::Verdict;

/// Checks one schedule.
pub fn check(_file: &Value, vector: &Value) -> Verdict {
    let text = vector["parsed"].as_str().unwrap_or_default();
    let schedule = match (Schedule::parse(text), vector["err"].as_str(), vector.get("panic")) {
        (Err(e), Some(err), _) if e.to_string() == err => return Ok(()),
        (Err(_), None, Some(_)) => return Ok(()),
        (Ok(s), None, None) => s,
        (ours, ..) => return Err(format!("ours {ours:?} | theirs {vector}")),
    };
    // Where the original never comes back, coming back is all we ask of ours.
    let hangs = vector.get("hang").is_some() || vector["next"] == "hang";
    let mut at: jiff::Timestamp = vector["from"]
        .as_str()
        .and_then(|f| f.parse().ok())
        .ok_or_else(|| format!("no start in {vector}"))?;
    let mut ours = Vec::new();
    for _ in 0..6 {
        match schedule.next(at) {
            Some(next) => {
                at = next;
                ours.push(next.to_string());
            }
            None => {
                ours.push("zero".to_owned());
                break;
            }
        }
    }
    let theirs: Vec<&str> = vector["next"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let same = ours.len() == theirs.len()
        && ours
            .iter()
            .zip(&theirs)
            .all(|(a, b)| a == b || a == "zero" && (b.starts_with("0001") || b.contains("zero")));
    if same || hangs || theirs.contains(&"hang") {
        Ok(())
    } else {
        Err(format!("ours {ours:?} | theirs {}", vector["next"]))
    }
}
