//! Problems of objects: every one is reported with its path, and the lenient mode forgives what it should.

use argosy_model::{NodeStatus, Template, Workflow, decode};
use expect_test::{Expect, expect};
use serde_json::{Value, json};

fn check(value: Value, want: &Expect) {
    let text = match decode::strict::<Workflow>(value) {
        Ok(_) => "no problem".to_owned(),
        Err(error) => error.to_string(),
    };
    want.assert_eq(&text);
}

#[test]
fn all_unknown_fields_are_named_with_the_nearest_known_one() {
    check(
        json!({
            "metdata": {},
            "spec": {"templates": [{"name": "a", "contaner": {}, "zzzzzz": 1}, {"dag": {"tasks": [{"depend": "x"}]}}]},
        }),
        &expect![[r#"
            metdata: unknown field; did you mean "metadata"?
            spec.templates[0].contaner: unknown field; did you mean "container"?
            spec.templates[0].zzzzzz: unknown field
            spec.templates[1].dag.tasks[0].depend: unknown field; did you mean "depends"?"#]],
    );
}

#[test]
fn wrong_types_are_named_with_their_path() {
    check(
        json!({"metadata": {"labels": {"a.b/c": 1}}, "spec": {"entrypoint": ["x"], "parallelism": "2", "templates": {}}}),
        &expect![[r#"
            metadata.labels["a.b/c"]: expected a string, got a number
            spec.entrypoint: expected a string, got a list
            spec.parallelism: expected an integer, got a string
            spec.templates: expected a list, got an object"#]],
    );
}

#[test]
fn texts_of_go_are_kept_beside_ours() {
    let problem = |value| {
        decode::strict::<Workflow>(value)
            .unwrap_err()
            .problems
            .remove(0)
            .go_text
    };
    assert_eq!(
        problem(json!({"spec": {"templates": [{"name": 5}]}})),
        "json: cannot unmarshal number into Go struct field Template.spec.templates.name of type string"
    );
    assert_eq!(
        problem(json!({"spec": {"parallelism": 1.5}})),
        "json: cannot unmarshal number 1.5 into Go struct field WorkflowSpec.spec.parallelism of type int64"
    );
    assert_eq!(problem(json!({"sepc": {}})), "json: unknown field \"sepc\"");
    let steps = json!({"spec": {"templates": [{"steps": [[{"name": 1}]]}]}});
    assert_eq!(
        problem(steps),
        "json: cannot unmarshal number into Go struct field Template.spec.templates.steps.name of type string"
    );
}

#[test]
fn lenient_reading_ignores_unknown_fields_except_in_steps() {
    assert!(decode::lenient::<Template>(json!({"name": "a", "other": 1})).is_ok());
    let error = decode::lenient::<Template>(json!({"steps": [[{"name": "s", "other": 1}]]})).unwrap_err();
    assert!(error.problems[0].fatal);
    assert_eq!(error.problems[0].path, "steps[0][0].other");
}

#[test]
fn null_is_the_zero_value_everywhere() {
    let node: NodeStatus = serde_json::from_value(json!({
        "id": null, "phase": null, "startedAt": null, "children": [null], "resourcesDuration": {"cpu": null},
        "inputs": {"parameters": [null]}, "daemoned": null, "failedPodRestarts": null,
    }))
    .unwrap();
    assert_eq!(*node.children, [""]);
    assert_eq!(node.resources_duration["cpu"], 0);
    assert_eq!(node.inputs.unwrap().parameters.len(), 1);
}

#[test]
fn text_is_read_as_values_are() {
    let check = |text: &str| {
        let ours = decode::text::<Workflow>(text, |_, _| false).map_err(|e| e.to_string());
        let theirs = serde_json::from_str::<Workflow>(text).map_err(|e| e.to_string());
        assert_eq!(ours, theirs, "{text}");
    };
    for text in [
        "null",
        "[]",
        "{",
        "{} x",
        r#"{"metadata": 1}"#,
        r#"{"spec": {"templates": [{"name": 5}], "entrypoint": []}, "metadata": {"name": {}, "labels": {"a": 1}}}"#,
        r#"{"spec": {"templates": [{"steps": [[{"name": "a", "zzz": 1}]], "name": "\u0061\n"}], "parallelism": 1.0}}"#,
        r#"{"spec": {"arguments": {"parameters": [{"name": "n", "value": 1e3}, null]}, "suspend": null}}"#,
        r#"{"status": {"nodes": {"n\"": {"phase": "Strange", "startedAt": "2026-01-31T12:00:00Z", "children": null}}}}"#,
        r#"{"status": {"startedAt": "yesterday", "finishedAt": 1, "conditions": {}}}"#,
    ] {
        check(text);
    }
    let deep = |levels: usize| format!("{}1{}", "[".repeat(levels), "]".repeat(levels));
    for levels in [100, 200] {
        check(&format!(
            r#"{{"spec": {{"templates": [{{"plugin": {{"p": {}}}}}]}}}}"#,
            deep(levels)
        ));
    }
}

#[test]
fn what_is_left_out_is_not_even_looked_at() {
    let text = r#"{"metadata": {"name": "w", "labels": 1}, "spec": {"entrypoint": "e", "templates": 1}}"#;
    let read: Workflow = decode::text(text, |of, key| {
        matches!(
            (of, key),
            ("ObjectMeta", "labels") | ("WorkflowSpec", "templates")
        )
    })
    .expect("what is wrong is left out");
    assert_eq!(
        (read.metadata.name.as_str(), read.spec.entrypoint.as_str()),
        ("w", "e")
    );
}

#[test]
fn manifests_may_give_numbers_where_text_is_wanted() {
    let value =
        json!({"spec": {"entrypoint": 1.50, "templates": [{"name": true, "container": {"image": 12}}]}});
    let workflow: Workflow = decode::manifest(value.clone()).unwrap();
    assert_eq!(workflow.spec.entrypoint, "1.5");
    assert_eq!(workflow.spec.templates[0].name, "true");
    assert!(decode::strict::<Workflow>(value).is_err());
}

#[test]
fn nesting_has_a_limit() {
    let mut value = json!({});
    for _ in 0..400 {
        value = json!({"steps": [[{"inline": value}]]});
    }
    let error = decode::lenient::<Template>(value).unwrap_err();
    assert!(error.problems[0].message.contains("levels deep"), "{error}");
}

#[test]
fn quantities_are_canonical() {
    for (text, want) in [
        ("1000m", "1"),
        ("0.5", "500m"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("1536", "1536"),
        ("0.5Ki", "512"),
        ("1.5Ki", "1536"),
        ("1025Ki", "1025Ki"),
        ("100000", "100k"),
        ("1500m", "1500m"),
        ("2e3", "2e3"),
        ("2E3", "2E3"),
        ("20E3", "20E3"),
        ("2000E3", "2e6"),
        ("12e4", "120e3"),
        ("1E", "1E"),
        ("-5", "-5"),
        ("+5", "+5"),
        ("0Gi", "0"),
        ("00100", "00100"),
        (".5", "500m"),
        ("5.", "5."),
        ("05000", "5k"),
        ("1.500", "1.500"),
        ("1n", "1n"),
        ("0.1n", "1n"),
        ("1.1n", "2n"),
        ("99999999999999999999", "99999999999999999999"),
        ("100Ei", "9223372036854775807"),
        ("0.0001Gi", "107374182400u"),
        ("0.001", "1m"),
        // Kubernetes takes a missing number for 0.
        ("m", "0"),
    ] {
        let quantity: argosy_model::k8s::Quantity = text.parse().unwrap();
        assert_eq!(quantity.to_string(), want, "{text}");
    }
    for text in ["", "1GiB", "1e", "1 Gi", "{{x}}", "--1", "1.2.3", "0x10"] {
        assert!(text.parse::<argosy_model::k8s::Quantity>().is_err(), "{text}");
    }
}

#[test]
fn times_are_read_as_go_reads_them() {
    let read = |text: &str| match decode::lenient::<NodeStatus>(json!({"startedAt": text})) {
        Ok(node) => serde_json::to_value(&node).unwrap()["startedAt"].to_string(),
        Err(error) => error.problems[0].go_text.clone(),
    };
    for (text, want) in [
        ("2024-01-01T00:00:00+02:00", "\"2023-12-31T22:00:00Z\""),
        ("2024-01-01T00:00:00.999Z", "\"2024-01-01T00:00:00Z\""),
        ("0001-01-01T00:00:00Z", "null"),
        (
            "",
            r#"parsing time "" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "2006""#,
        ),
        (
            "x",
            r#"parsing time "x" as "2006-01-02T15:04:05Z07:00": cannot parse "x" as "2006""#,
        ),
        (
            "2024-01-01",
            r#"parsing time "2024-01-01" as "2006-01-02T15:04:05Z07:00": cannot parse "" as "T""#,
        ),
        (
            "2024-13-01T00:00:00Z",
            r#"parsing time "2024-13-01T00:00:00Z": month out of range"#,
        ),
        (
            "2024-02-30T00:00:00Z",
            r#"parsing time "2024-02-30T00:00:00Z": day out of range"#,
        ),
        (
            "2024-01-01T00:00:00Zx",
            r#"parsing time "2024-01-01T00:00:00Zx": extra text: "x""#,
        ),
        (
            "2024-01-01T00:00:00é",
            r#"parsing time "2024-01-01T00:00:00é" as "2006-01-02T15:04:05Z07:00": cannot parse "é" as "Z07:00""#,
        ),
    ] {
        assert_eq!(read(text), want, "{text}");
    }
}

#[test]
fn items_keep_the_form_of_their_numbers() {
    let step = json!({"withItems": [1, 1.0, 1.5, 1e21, {"a": [2.0]}]});
    let step: argosy_model::WorkflowStep = serde_json::from_value(step).unwrap();
    let text = argosy_model::go_json::to_string(&step).unwrap();
    assert_eq!(
        text,
        r#"{"arguments":{},"withItems":[1,1.0,1.5,1e+21,{"a":[2.0]}]}"#
    );
    assert_eq!(step.with_items[1].text(), "1");
}

#[test]
fn c_node_05_predicates() {
    let node = |value: Value| serde_json::from_value::<NodeStatus>(value).unwrap();
    for (value, completed, fulfilled) in [
        (json!({"phase": "Running"}), false, false),
        (json!({"phase": "Succeeded"}), true, true),
        (json!({"phase": "Failed", "taskResultSynced": true}), true, true),
        (json!({"phase": "Error", "taskResultSynced": false}), false, false),
        (json!({"phase": "Skipped"}), false, true),
        (
            json!({"phase": "Omitted", "taskResultSynced": false}),
            false,
            false,
        ),
        (json!({"phase": "Pending", "daemoned": true}), false, false),
        (json!({"phase": "Running", "daemoned": true}), false, true),
        (json!({"phase": "Weird"}), false, false),
        (json!({}), false, false),
    ] {
        let node = node(value.clone());
        assert_eq!(
            (node.is_completed(), node.is_fulfilled()),
            (completed, fulfilled),
            "{value}"
        );
    }
}

#[test]
fn progress_adds_up() {
    let progress = |text: &str| argosy_model::Progress::from(text);
    assert_eq!(progress("1/2").add(&progress("0/3")).as_str(), "1/5");
    assert_eq!(progress("").add(&progress("1/1")).as_str(), "1/1");
    assert_eq!(progress("1/3").complete().as_str(), "3/3");
    for text in ["", "1", "2/1", "-1/2", "0/0", "a/b", "1/2/3"] {
        assert!(!progress(text).is_valid(), "{text}");
    }
}
