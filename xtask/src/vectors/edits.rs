//! `edits.json`: what people do to workflows, on recorded statuses.

use argosy_engine::edit::{self, Resubmission, Retry, Selector, Set};
use argosy_engine::names::PodNames;
use argosy_model::{ShutdownStrategy, Workflow, decode};
use jiff::Timestamp;
use serde_json::{Map, Value, json};

use super::Verdict;
use super::compare::difference;

/// When the edits were made.
const NOW: &str = "2026-01-10T00:00:00Z";

/// Checks one edit.
pub fn check(file: &Value, vector: &Value) -> Verdict {
    let from = vector["from"].as_str().unwrap_or_default();
    let before: Workflow = decode::lenient(file["workflows"][from].clone()).map_err(|e| e.to_string())?;
    let outcome = run(before, vector);
    if vector.get("panic").is_some() {
        // The peer crashes; any answer is better.
        return Ok(());
    }
    let mut got = Map::new();
    match outcome {
        Ok((workflow, pods)) => {
            let mut workflow = serde_json::to_value(&workflow).map_err(|e| e.to_string())?;
            without_estimates(&mut workflow);
            got.insert("result".to_owned(), workflow);
            if let Some(pods) = pods {
                got.insert("podsToDelete".to_owned(), json!(pods));
            }
        }
        Err(error) => {
            got.insert("error".to_owned(), json!(error.to_string()));
        }
    }
    let mut want = Map::new();
    for key in ["result", "podsToDelete", "error"] {
        if let Some(value) = vector.get(key) {
            want.insert(key.to_owned(), value.clone());
        }
    }
    difference(&got.into(), &want.into())
}

type Outcome = Result<(Workflow, Option<Vec<String>>), edit::Error>;

fn run(mut workflow: Workflow, vector: &Value) -> Outcome {
    let now: Timestamp = NOW.parse().expect("the constant is a time");
    let text = |key: &str| vector[key].as_str().unwrap_or_default().to_owned();
    let list = |key: &str| -> Vec<String> { serde_json::from_value(vector[key].clone()).unwrap_or_default() };
    let selector = || text("nodeFieldSelector").parse::<Selector>();
    match vector["op"].as_str().unwrap_or_default() {
        "retry" => {
            let how = Retry {
                restart_successful: vector["restartSuccessful"] == true,
                selector: selector()?,
                parameters: list("parameters"),
            };
            let retried = edit::retry(&workflow, &how, PodNames::V2, now)?;
            return Ok((retried.workflow, Some(retried.pods)));
        }
        "resubmit" => {
            let how = Resubmission {
                memoized: vector["memoized"] == true,
                parameters: list("parameters"),
                suffix: "abcde".to_owned(),
            };
            return Ok((edit::resubmit(&workflow, &how, now)?, None));
        }
        "suspend" => edit::suspend(&mut workflow)?,
        "terminate" => edit::shutdown(&mut workflow, ShutdownStrategy::Terminate)?,
        "stop" if vector.get("nodeFieldSelector").is_some() => {
            edit::stop_nodes(&mut workflow, &selector()?, &text("message"), now)?;
        }
        "stop" => edit::shutdown(&mut workflow, ShutdownStrategy::Stop)?,
        "resume" if vector.get("nodeFieldSelector").is_some() => {
            let change = Set {
                phase: "Succeeded".into(),
                ..Set::default()
            };
            edit::set(&mut workflow, &selector()?, &change, now)?;
        }
        "resume" => edit::resume(&mut workflow, "", now)?,
        "set" => {
            let change = Set {
                phase: text("phase").as_str().into(),
                message: text("message"),
                outputs: serde_json::from_value(vector["outputParameters"].clone()).unwrap_or_default(),
            };
            edit::set(&mut workflow, &selector()?, &change, now)?;
        }
        other => panic!("unknown edit {other}"),
    }
    Ok((workflow, None))
}

fn without_estimates(value: &mut Value) {
    match value {
        Value::Object(map) => {
            map.remove("estimatedDuration");
            map.values_mut().for_each(without_estimates);
        }
        Value::Array(items) => items.iter_mut().for_each(without_estimates),
        _ => {}
    }
}
