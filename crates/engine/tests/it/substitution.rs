//! Texts of a structure are changed in place with the result that the peer's way has, over JSON text: on the texts of
//! the recorded vectors, each in several places of a template.

use std::collections::BTreeMap;

use argosy_engine::Substitution;
use argosy_model::{Template, go_json};
use argosy_template::{Level, tags};
use serde_json::{Value, json};

const VECTORS: &str = include_str!("../../../../tests/vectors/template.json");

#[test]
fn texts_in_place_and_over_json_agree() {
    let file: Value = serde_json::from_str(VECTORS).expect("the vectors are JSON");
    let vectors = file["vectors"].as_array().expect("vectors are a list");
    for vector in vectors {
        let Some(text) = vector["template"].as_str() else {
            continue;
        };
        let mut scope: BTreeMap<String, Value> =
            serde_json::from_value(vector["replaceMap"].clone()).unwrap_or_default();
        // Objects are artifacts in the engine, which tags don't see.
        scope.retain(|_, value| !value.is_object());
        let template: Template = serde_json::from_value(json!({
            "name": text,
            "metadata": {"labels": {text: text}},
            "activeDeadlineSeconds": text,
            "inputs": {"parameters": [{"name": "p", "value": text}]},
            "steps": [[{"name": "s", "withItems": [{"k": [text, 1.0]}], "when": text}]],
            "plugin": {"x": {text: {"y": text}}},
        }))
        .expect("the case is a template");
        let json = go_json::to_string(&template).expect("a template is JSON");
        let over_json = tags::replace_in_json(&json, &scope, Level::Lenient)
            .map(|replaced| serde_json::from_str::<Template>(&replaced).expect("it is a template again"));
        let in_place = Substitution::lenient(&[&scope]).apply(&template);
        match (in_place, over_json) {
            (Ok(ours), Ok(theirs)) => assert_eq!(ours, theirs, "{}", vector["id"]),
            (Err(ours), Err(theirs)) => assert_eq!(ours.to_string(), theirs.to_string(), "{}", vector["id"]),
            (ours, theirs) => panic!("{}: {ours:?} but {theirs:?}", vector["id"]),
        }
    }
    assert!(vectors.len() > 400);
}
