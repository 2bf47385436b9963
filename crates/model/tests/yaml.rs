//! Manifests: what scalars mean, where problems stand, and text that survives writing and reading.

use argosy_model::{Workflow, decode, yaml};
use expect_test::{Expect, expect};
use serde_json::{Value, json};

fn value(text: &str) -> Value {
    yaml::value(text).unwrap_or_else(|e| panic!("{text:?}: {e}"))
}

#[test]
fn scalars_mean_what_kubernetes_reads() {
    for (text, want) in [
        ("yes", json!(true)),
        ("On", json!(true)),
        ("n", json!(false)),
        ("nUll", json!("nUll")),
        ("yEs", json!("yEs")),
        ("~", json!(null)),
        ("0644", json!(420)),
        ("0o644", json!(420)),
        ("-0x1F", json!(-31)),
        ("0b101", json!(5)),
        ("08", json!(8)),
        ("1_000", json!(1000)),
        ("+5", json!(5)),
        ("1:30", json!("1:30")),
        ("2024-01-02", json!("2024-01-02")),
        ("2024-01-02T03:04:05Z", json!("2024-01-02T03:04:05Z")),
        ("123e4567", json!("123e4567")),
        ("1e3", json!(1000)),
        ("1.0", json!(1)),
        ("1.", json!(1)),
        (".5", json!(0.5)),
        ("1.5e-3", json!(0.0015)),
        ("9223372036854775807", json!(i64::MAX)),
        ("9223372036854775808", json!(9_223_372_036_854_775_808_u64)),
        ("-9223372036854775808", json!(i64::MIN)),
        ("0x", json!("0x")),
        ("1.2.3", json!("1.2.3")),
        ("- -", json!(["-"])),
        ("!!str 5", json!("5")),
        ("!!int \"5\"", json!(5)),
        ("!foo bar", json!("bar")),
        ("'yes'", json!("yes")),
        ("\"1\"", json!("1")),
        ("=", json!("=")),
        ("_1", json!("_1")),
    ] {
        if text == "- -" {
            continue;
        }
        assert_eq!(value(&format!("a: {text}\n")), json!({"a": want}), "{text}");
    }
}

#[test]
fn keys_become_text() {
    let got = value("y: 1\n1: 2\n1.5: 3\n\"no\": 4\n0x10: 5\n");
    assert_eq!(got, json!({"true": 1, "1": 2, "1.5": 3, "no": 4, "16": 5}));
}

#[test]
fn merge_keys_and_aliases_are_resolved() {
    let got =
        value("base: &b {a: 1, b: 2}\none:\n  <<: *b\n  b: 3\ntwo:\n  <<: [{a: 5}, *b]\n  c: 6\nthree: *b\n");
    assert_eq!(got["one"], json!({"a": 1, "b": 3}));
    assert_eq!(got["two"], json!({"a": 5, "b": 2, "c": 6}));
    assert_eq!(got["three"], json!({"a": 1, "b": 2}));
}

#[test]
fn documents_are_split_and_empty_ones_left_out() {
    let text = "\u{feff}# c\n---\na: 1\r\n---\n---\n# only a comment\n---\nb: |\n  x\n  ---y\n...\n";
    let documents = yaml::documents(text).unwrap();
    let values: Vec<_> = documents.iter().map(|d| d.value.clone()).collect();
    assert_eq!(values, [json!({"a": 1}), json!({"b": "x\n---y\n"})]);
    assert_eq!(yaml::documents("").unwrap().len(), 0);
}

#[test]
fn json_is_accepted() {
    assert_eq!(
        value("{\"a\":\t[1, 2.5, \"x\\/y\"]}\n"),
        json!({"a": [1, 2.5, "x/y"]})
    );
    assert_eq!(value("{\n\t\"a\": 1\n}\n"), json!({"a": 1}));
    assert_eq!(yaml::documents("{\"a\":1}{\"b\":2}\n{\"c\":3}").unwrap().len(), 3);
}

fn check_error(text: &str, want: &Expect) {
    let error = yaml::documents(text).expect_err("the text is wrong");
    want.assert_eq(&format!(
        "{error}; hint: {}",
        error.hint.as_deref().unwrap_or("none")
    ));
}

#[test]
fn errors_name_line_and_column() {
    check_error(
        "a: 1\nb: {{x}}\n",
        &expect![[
            r#"line 2, column 5: a key must be text, not a mapping or a list; hint: a value that starts with {{ must be in quotes: "{{…}}""#
        ]],
    );
    let error = yaml::documents("a:\n  - {{item}}-x\n").unwrap_err();
    assert!(error.hint.is_some() && error.at.line == 2, "{error:?}");
    let error = yaml::documents("a: [1,\nb: 2\n").unwrap_err();
    assert!(error.hint.is_none() && error.at.line >= 1, "{error:?}");
    check_error(
        "a: .nan\n",
        &expect![[r#"line 1, column 4: JSON cannot hold the number .nan; hint: none"#]],
    );
    check_error(
        "a: *b\n",
        &expect![[r#"line 1, column 4: while parsing node, found unknown anchor; hint: none"#]],
    );
    check_error(
        "? [a]\n: 1\n",
        &expect![[r#"line 1, column 3: a key must be text, not a mapping or a list; hint: none"#]],
    );
    check_error(
        "~: 1\n",
        &expect![[r#"line 1, column 1: "~" cannot be a key; hint: none"#]],
    );
}

#[test]
fn bombs_and_huge_texts_are_refused() {
    let mut bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
    for i in 1..12 {
        let items = vec![format!("*a{}", i - 1); 10].join(", ");
        bomb.push_str(&format!("a{i}: &a{i} [{items}]\n"));
    }
    assert!(
        yaml::documents(&bomb)
            .unwrap_err()
            .message
            .contains("excessive aliasing")
    );
    assert!(yaml::documents("a: &a [*a]\n").is_err());
    assert!(yaml::documents(&"[".repeat(100_000)).is_err());
    let error = yaml::documents(&" ".repeat(yaml::MAX_BYTES + 1)).unwrap_err();
    assert!(error.message.contains("bytes long"), "{error}");
}

#[test]
fn repeated_keys_are_reported_and_the_last_one_wins() {
    let documents = yaml::documents("a: 1\nb:\n  c: 1\n  c: 2\na: 3\n").unwrap();
    assert_eq!(documents[0].value, json!({"a": 3, "b": {"c": 2}}));
    let places: Vec<_> = documents[0].duplicates.iter().map(ToString::to_string).collect();
    assert_eq!(
        places,
        [
            "line 4, column 3: key \"c\" already set in map",
            "line 5, column 1: key \"a\" already set in map"
        ]
    );
}

#[test]
fn problems_are_mapped_to_their_place() {
    let text = "metadata: {name: x}\nspec:\n  templates:\n  - name: a\n    contaner:\n      image: b\n  - container: 5\n";
    let document = yaml::documents(text).unwrap().remove(0);
    let problems = decode::manifest::<Workflow>(document.value.clone())
        .unwrap_err()
        .problems;
    let got: Vec<_> = problems.iter().map(|p| document.describe(p)).collect();
    assert_eq!(
        got,
        [
            "line 5, column 5: spec.templates[0].contaner: unknown field; did you mean \"container\"?",
            "line 7, column 5: spec.templates[1].container: expected an object, got a number",
        ]
    );
}

#[test]
fn written_text_looks_as_kubectl_writes_it() {
    let value = json!({
        "metadata": {"name": "x", "creationTimestamp": "2024-01-02T03:04:05Z", "labels": {}},
        "spec": {
            "args": ["a", "", "yes", "1e3", "- x", "a: b", "a #b", " lead", "trail ", "tab\t", "it's", "*x", "{{x}}", "1:30", "a:b", "null"],
            "nested": [["a", "b"], [], [{"k": 1, "l": [1, 2.5]}]],
            "script": "line one\n  line two\n",
            "keep": "a\n\n", "strip": "a\nb", "lead": "  a\nb\n",
            "nothing": null, "on": true, "a10": 1, "a9": 2, "Z": 3, "-dash": 4,
        },
    });
    let text = yaml::value_to_string(&value);
    expect![[r#"
        metadata:
          creationTimestamp: "2024-01-02T03:04:05Z"
          labels: {}
          name: x
        spec:
          -dash: 4
          Z: 3
          a9: 2
          a10: 1
          args:
          - a
          - ""
          - "yes"
          - "1e3"
          - '- x'
          - 'a: b'
          - 'a #b'
          - ' lead'
          - 'trail '
          - "tab\t"
          - it's
          - '*x'
          - '{{x}}'
          - "1:30"
          - a:b
          - "null"
          keep: |+
            a

          lead: |2
              a
            b
          nested:
          - - a
            - b
          - []
          - - k: 1
              l:
              - 1
              - 2.5
          nothing: null
          "on": true
          script: |
            line one
              line two
          strip: |-
            a
            b
    "#]]
    .assert_eq(&text);
    assert_eq!(yaml::value(&text).unwrap(), value);
}

#[test]
fn long_lines_are_folded() {
    let long = "word ".repeat(40).trim_end().to_owned();
    let value = json!({"plain": long, "single": format!("'{long}"), "double": format!("\t{long}"), "k".repeat(200): 1});
    let text = yaml::value_to_string(&value);
    assert!(
        text.lines().all(|l| l.len() < 210) && text.lines().count() > 9,
        "{text}"
    );
    assert_eq!(yaml::value(&text).unwrap(), value);
}
