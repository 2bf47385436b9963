//! Recorded objects: JSON to typed objects and back, byte for byte, and the error texts of Go.

use argosy_model::catalog;
use serde_json::Value;

/// The recorded vectors of this kind.
fn vectors() -> Vec<Value> {
    let path = "../../tests/vectors/objects.json";
    let file: Value =
        serde_json::from_str(&std::fs::read_to_string(path).expect("the vectors")).expect("JSON");
    file["vectors"].as_array().expect("a list").clone()
}

#[test]
fn every_recorded_object_is_rewritten_as_go_writes_it() {
    let vectors = vectors();
    assert!(!vectors.is_empty());
    for vector in vectors {
        let kind = catalog::find(vector["type"].as_str().unwrap()).unwrap();
        let got = (kind.rewrite)(vector["input"].clone(), false);
        match vector["decodeErr"].as_str() {
            Some(want) => assert_eq!(got.unwrap_err().problems[0].go_text, want, "{}", vector["id"]),
            None => assert_eq!(got.unwrap(), vector["json"], "{}", vector["id"]),
        }
    }
}

#[test]
fn strict_reading_reports_what_go_reports() {
    for vector in vectors() {
        if vector["decodeErr"].is_string() {
            continue;
        }
        let kind = catalog::find(vector["type"].as_str().unwrap()).unwrap();
        let got = (kind.rewrite)(vector["input"].clone(), true);
        match vector["strictErr"].as_str() {
            Some(want) => {
                let problems = got.unwrap_err().problems;
                assert!(
                    problems.iter().any(|p| p.go_text == want),
                    "{}: {problems:?}",
                    vector["id"]
                );
            }
            None => assert_eq!(got.err(), None, "{}", vector["id"]),
        }
    }
}

#[test]
fn reading_what_we_wrote_gives_the_same_text() {
    for vector in vectors() {
        let kind = catalog::find(vector["type"].as_str().unwrap()).unwrap();
        if let Some(json) = vector["json"].as_str() {
            let again = (kind.rewrite)(serde_json::from_str(json).unwrap(), false).unwrap();
            assert_eq!(again, json, "{}", vector["id"]);
        }
    }
}
