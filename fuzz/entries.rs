//! Every way in which a text of a user reaches `argosy-template`. Nothing may panic or run without bound, whatever the
//! text. Shared by the targets of `cargo fuzz` and by `cargo xtask fuzz`.

use std::collections::BTreeMap;

use argosy_template::conditions::Selector;
use argosy_template::cron::Schedule;
use argosy_template::{
    Expr, Level, Tags, duration, gojson, gotime, jq, jsonpath, kubectl, regexp, tags, when,
};
use serde_json::{Value, json};

/// What is called with a text.
pub type Entry = fn(&str);

/// All of them, by the kind of vectors whose inputs are seeds for it.
pub const ALL: &[(&str, Entry)] = &[
    ("expr", |text| {
        if let Ok(expression) = Expr::compile(text) {
            let _ = expression.references();
            let _ = expression.eval(&scope());
        }
    }),
    ("template", |text| {
        let scope = scope();
        for level in [
            Level::Lenient,
            Level::Strict,
            Level::StrictPrefixes(&["steps", "tasks"]),
        ] {
            let _ = Tags::compile(text).and_then(|tags| tags.text(&scope, level));
            let _ = tags::replace_in_json(text, &scope, level);
            let _ = tags::replace_in_value(&mut json!({ "key": text }), &scope, level);
        }
    }),
    ("when", |text| {
        let _ = when::evaluate(text);
        let _ = when::evaluate_cron(text);
    }),
    ("jq", |text| {
        let _ = jq::run(text, &document());
    }),
    ("jsonpath", |text| {
        if let Ok(template) = kubectl::Template::parse(text) {
            let _ = template.print(&document());
        }
        let _ = jsonpath::query(text, &document());
    }),
    ("gjson-conditions", |text| {
        let _ = Selector::parse(text);
    }),
    ("cron", |text| {
        if let Ok(schedule) = Schedule::parse(text) {
            let _ = schedule.next("2024-02-28T23:59:59Z".parse().expect("it is a time"));
        }
    }),
    ("durations", |text| {
        let _ = duration::parse(text);
        let _ = gotime::parse(text, text, &gotime::zone("UTC").expect("UTC is known"));
        let _ = gojson::parse(text.as_bytes());
        let _ = regexp::compile(text);
    }),
];

fn scope() -> BTreeMap<String, Value> {
    let names = [
        ("inputs.parameters.x", json!("4")),
        ("inputs.parameters.list", json!("[1,2,3]")),
        ("steps.a.outputs.result", Value::Null),
        ("item", json!({"a": [1, "x", null]})),
        ("n", json!(3)),
        ("s", json!("text")),
        ("nums", json!([3, 1, 2])),
    ];
    names
        .into_iter()
        .map(|(name, value)| (name.to_owned(), value))
        .collect()
}

fn document() -> Value {
    json!({"metadata": {"name": "p"}, "spec": {"list": [5, 3, 9], "flag": true, "ratio": 1.5},
        "status": {"conditions": [{"type": "Ready", "status": "True"}], "none": null}})
}
