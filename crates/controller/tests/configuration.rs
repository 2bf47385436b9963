//! The page about the configuration and what is read must name the same keys.

use std::collections::BTreeMap;

use argosy_controller::settings::Settings;
use argosy_engine::Config;
use serde_json::{Value, json};

/// The keys in the first column of the tables, as paths.
fn documented() -> Vec<String> {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/configuration.md");
    let text = std::fs::read_to_string(page).expect("the page is there");
    let keys = text.split("## Flags").next().unwrap_or_default();
    keys.lines()
        .filter_map(|line| line.strip_prefix("| `")?.split('`').next().map(str::to_owned))
        .collect()
}

/// A configuration that sets one path to a value.
fn nested(path: &str, value: &Value) -> Value {
    let (head, rest) = match path.split_once('.') {
        Some((head, rest)) => (head, nested(rest, value)),
        None => (path, value.clone()),
    };
    match head.strip_suffix("[]") {
        Some(list) if path.contains('.') => json!({list: [rest]}),
        Some(list) => json!({list: []}),
        None => json!({head: rest}),
    }
}

#[test]
fn every_key_of_the_page_is_read_and_no_other() {
    let keys = documented();
    assert_eq!(keys.len(), 144, "the peer has so many keys");
    for key in &keys {
        let fits = [
            json!("1s"),
            json!("Delta"),
            json!(1),
            json!(true),
            json!({}),
            json!([]),
            json!({"a": "b"}),
        ];
        // Half of a limit is a fault.
        let parent = key.rsplit_once('.').map(|(parent, _)| parent);
        let rest = match parent {
            Some("resourceRateLimit") => json!({"limit": 1, "burst": 1}),
            _ => Value::Null,
        };
        let taken = fits.iter().any(|value| {
            let mut config = nested(key, value);
            for (name, value) in rest.as_object().into_iter().flatten() {
                let limit = config[parent.unwrap_or_default()].as_object_mut();
                limit.expect("a mapping").entry(name).or_insert(value.clone());
            }
            let whole = BTreeMap::from([("config".to_owned(), config.to_string())]);
            Settings::read(&whole, &Config::default()).is_ok()
        });
        assert!(taken, "{key} is not read");
        let misspelt = format!("{}x", key.trim_end_matches("[]"));
        let whole = BTreeMap::from([("config".to_owned(), nested(&misspelt, &json!(null)).to_string())]);
        assert!(
            Settings::read(&whole, &Config::default()).is_err(),
            "{misspelt} is read"
        );
    }
}
