//! What holds for any input: no panic, and a second pass changes nothing.

use argosy_model::k8s::Quantity;
use argosy_model::{NodeStatus, Template, Workflow, catalog, decode, go_json, yaml};
use proptest::prelude::*;
use serde_json::{Map, Value};

/// Keys that the types know, so that random objects get somewhere.
const KEYS: &[&str] = &[
    "metadata",
    "spec",
    "status",
    "templates",
    "steps",
    "dag",
    "tasks",
    "inline",
    "container",
    "name",
    "inputs",
    "outputs",
    "parameters",
    "artifacts",
    "value",
    "default",
    "enum",
    "withItems",
    "nodes",
    "phase",
    "startedAt",
    "labels",
    "resources",
    "limits",
    "requests",
    "cpu",
    "plugin",
    "retryStrategy",
    "limit",
    "s3",
    "key",
    "volumes",
    "emptyDir",
    "sizeLimit",
    "creationTimestamp",
    "items",
    "buckets",
    "metrics",
    "progress",
    "other",
];

fn json() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        // YAML has no negative zero.
        any::<f64>().prop_map(|n| Value::from(if n == 0.0 { 0.0 } else { n })),
        prop_oneof![
            ".*",
            "[0-9]{1,5}(m|Ki|Gi|e3)?",
            "2024-01-0[1-9]T00:00:00Z",
            "[0-9]/[0-9]"
        ]
        .prop_map(Value::from),
    ];
    leaf.prop_recursive(6, 64, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((prop::sample::select(KEYS), inner), 0..6).prop_map(|entries| {
                Value::Object(
                    entries
                        .into_iter()
                        .map(|(k, v)| (k.to_owned(), v))
                        .collect::<Map<_, _>>(),
                )
            }),
        ]
    })
}

fn second_pass_changes_nothing<T: argosy_model::Field + serde::Serialize + PartialEq + std::fmt::Debug>(
    value: Value,
) {
    let Ok(first) = decode::lenient::<T>(value) else {
        return;
    };
    let text = go_json::to_string(&first).expect("valid JSON");
    let second: T = decode::lenient(serde_json::from_str(&text).expect("our JSON")).expect("our object");
    assert_eq!(go_json::to_string(&second).expect("valid JSON"), text);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(256) })]

    #[test]
    fn any_json_is_read_without_panic_and_written_the_same_twice(value in json()) {
        second_pass_changes_nothing::<Workflow>(value.clone());
        second_pass_changes_nothing::<Template>(value.clone());
        second_pass_changes_nothing::<NodeStatus>(value);
    }

    #[test]
    fn no_type_panics(value in json(), at in 0..catalog::TYPES.len()) {
        let _ = (catalog::TYPES[at].rewrite)(value.clone(), true);
        let _ = (catalog::TYPES[at].rewrite)(value, false);
    }

    #[test]
    fn any_text_is_read_as_yaml_without_panic(text in "\\PC*|[-a-z0-9:{}\\[\\]&*!|>'\"#%@ \n\t,?~<]{0,60}") {
        let _ = yaml::documents(&text);
    }

    #[test]
    fn written_yaml_reads_back(value in json()) {
        let text = yaml::value_to_string(&value);
        let back = yaml::value(&text).map(|back| go_json::to_string(&back).expect("valid JSON"));
        prop_assert_eq!(back.ok(), go_json::to_string(&value).ok(), "{}", text);
    }

    #[test]
    fn any_string_survives_yaml(text in "\\PC*|[-a-z0-9:{}&*!|>'\"#%@ \n\t,?~<.eE_+TZ]{0,90}|(?s).{0,30}") {
        let value = serde_json::json!({"k": [text.clone()], text: {"v": 1}});
        let written = yaml::value_to_string(&value);
        let back = yaml::value(&written);
        prop_assert_eq!(back.as_ref().ok(), Some(&value), "{}", written);
    }

    #[test]
    fn quantities_are_canonical_after_one_pass(text in "[-+]?[0-9]{0,22}(\\.[0-9]{0,12})?(n|u|m||k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei|[eE][-+]?[0-9]{1,2})?") {
        if let Ok(quantity) = text.parse::<Quantity>() {
            let written = quantity.to_string();
            prop_assert_eq!(written.parse::<Quantity>().unwrap().to_string(), written);
        }
    }
}
