//! Vectors of `depends`: expansion, the tasks that are named, evaluation, validation.

use std::collections::BTreeMap;

use argosy_template::depends::{ContinueOn, Depends, Error};
use serde_json::Value;

use super::Verdict;

/// Checks one task's dependencies.
pub fn check(_file: &Value, vector: &Value) -> Verdict {
    let tasks: BTreeMap<&str, &Value> = vector["tasks"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|t| t["name"].as_str().map(|n| (n, t)))
        .collect();
    let target = tasks[vector["target"].as_str().unwrap_or_default()];
    let known = |name: &str| {
        tasks.get(name).map(|t| ContinueOn {
            error: t["continueOn"]["error"] == true,
            failed: t["continueOn"]["failed"] == true,
        })
    };
    let depends = match target["depends"].as_str() {
        Some(text) if !text.is_empty() => Depends::compile(text, known),
        _ => {
            let names: Vec<&str> = target["dependencies"]
                .as_array()
                .into_iter()
                .flatten()
                .filter_map(Value::as_str)
                .collect();
            Depends::of_dependencies(&names, known)
        }
    };
    let depends = match (depends, vector["panic"].as_str()) {
        (Err(e), Some(panic)) if e.to_string() == panic => return Ok(()),
        (Ok(d), None) => d,
        (ours, theirs) => return Err(format!("ours {ours:?} | theirs panics {theirs:?}")),
    };
    let same = |what: &str, ours: &str, theirs: &Value| match theirs.as_str() {
        Some(t) if t == ours => Ok(()),
        _ => Err(format!("{what}: ours {ours} | theirs {theirs}")),
    };
    if vector["logic"] == ""
        && vector["nodes"]
            .get(vector["target"].as_str().unwrap_or_default())
            .is_some()
    {
        return Ok(());
    }
    same("logic", depends.logic(), &vector["logic"])?;
    let expected: Vec<&str> = vector["dependencies"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    if depends.tasks() != expected {
        return Err(format!("dependencies: ours {:?}", depends.tasks()));
    }
    match (depends.check_results(), vector.get("validateErr")) {
        (Ok(()), None) => {}
        (Err(e), Some(v)) => same("validation", &e.to_string(), v)?,
        (ours, theirs) => return Err(format!("validation: ours {ours:?} | theirs {theirs:?}")),
    }
    evaluation(vector, &depends)
}

fn evaluation(vector: &Value, depends: &Depends) -> Verdict {
    let already_there = vector["nodes"]
        .get(vector["target"].as_str().unwrap_or_default())
        .is_some();
    if vector["proceed"] == false || already_there {
        // A dependency is not finished, or the task's own node is there: the engine decides, nothing is evaluated.
        return Ok(());
    }
    let ours = depends.evaluate(|task, result| holds(&vector["nodes"][task], result));
    match (&ours, vector["execute"].as_bool(), vector["err"].as_str()) {
        (Ok(b), Some(e), None) if *b == e => Ok(()),
        (Err(Error::Evaluate { .. }), _, Some(err)) if ours.as_ref().is_err_and(|e| e.to_string() == err) => {
            Ok(())
        }
        _ => Err(format!(
            "evaluation: ours {ours:?} | theirs {} {}",
            vector["execute"], vector["err"]
        )),
    }
}

fn holds(node: &Value, result: &str) -> bool {
    let phase = node["phase"].as_str().unwrap_or_default();
    let children = || {
        node["children"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(Value::as_str)
    };
    match result {
        "Errored" => phase == "Error",
        "Daemoned" => node["daemoned"] == true && phase != "Pending",
        "AnySucceeded" => node["type"] == "TaskGroup" && children().any(|p| p == "Succeeded"),
        "AllFailed" => {
            node["type"] == "TaskGroup" && children().next().is_some() && children().all(|p| p == "Failed")
        }
        other => phase == other,
    }
}
