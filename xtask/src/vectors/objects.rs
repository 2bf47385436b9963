//! Objects: JSON to a typed object and back, and the error texts of Go.

use argosy_model::{catalog, yaml};
use serde_json::Value;

use super::Verdict;
use crate::shell;

/// Objects given as JSON.
pub fn check(_: &Value, vector: &Value) -> Verdict {
    compare(vector, &vector["input"])
}

/// Objects given as the name of an example file and the number of a document in it.
pub fn check_example(_: &Value, vector: &Value) -> Verdict {
    let source = vector["source"].as_str().unwrap_or_default();
    let (file, part) = source.split_once('#').ok_or("no document number in the source")?;
    let path = shell::shared("examples").join(file);
    let text = std::fs::read_to_string(&path).map_err(|e| format!("reading {}: {e}", path.display()))?;
    let documents = yaml::documents(&text).map_err(|e| e.to_string())?;
    let lines: Vec<&str> = text.lines().collect();
    let wanted = documents.into_iter().find(|document| {
        let before = lines
            .iter()
            .take(document.start().line)
            .filter(|l| l.starts_with("---"))
            .count();
        before.to_string() == part
    });
    compare(vector, &wanted.ok_or("no such document")?.value)
}

fn compare(vector: &Value, input: &Value) -> Verdict {
    let name = vector["type"].as_str().unwrap_or_default();
    let kind = catalog::find(name).ok_or_else(|| format!("no type {name}"))?;
    let got = (kind.rewrite)(input.clone(), false);
    if let Some(want) = vector["decodeErr"].as_str() {
        return match got {
            Err(e) if e.problems[0].go_text == want => Ok(()),
            Err(e) => Err(format!("want error {want:?}, got {:?}", e.problems[0].go_text)),
            Ok(json) => Err(format!("want error {want:?}, got {json}")),
        };
    }
    let got = got.map_err(|e| e.to_string())?;
    let want = vector["json"].as_str().unwrap_or_default();
    if got != want {
        let same = got.bytes().zip(want.bytes()).take_while(|(a, b)| a == b).count();
        let from = (0..=same.saturating_sub(40))
            .rev()
            .find(|i| want.is_char_boundary(*i))
            .unwrap_or(0);
        let show = |text: &str| {
            text.get(from..)
                .unwrap_or_default()
                .chars()
                .take(160)
                .collect::<String>()
        };
        return Err(format!("want …{}, got …{}", show(want), show(&got)));
    }
    match ((kind.rewrite)(input.clone(), true), vector["strictErr"].as_str()) {
        (Ok(_), None) => Ok(()),
        (Ok(_), Some(want)) => Err(format!("strict: want error {want:?}, got none")),
        (Err(e), Some(want)) if e.problems.iter().any(|p| p.go_text == want) => Ok(()),
        (Err(e), want) => Err(format!("strict: want {want:?}, got {e}")),
    }
}
