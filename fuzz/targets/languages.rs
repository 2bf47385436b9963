//! Every way in which a user's text reaches `argosy-template`.

use std::collections::BTreeMap;

use argosy_template::conditions::{Selector, judge};
use argosy_template::cron::Schedule;
use argosy_template::depends::{ContinueOn, Depends};
use argosy_template::{
    Expr, Level, Tags, diagnose, duration, gojson, gotime, jq, jsonpath, kubectl, regexp, tags, when,
};
use serde_json::{Value, json};

use super::{Seeds, Target};

pub const TARGETS: &[Target] = &[
    Target {
        name: "expr",
        seeds: Seeds::Vectors("expr", &["expr"]),
        enter: |bytes| expression(&text(bytes)),
    },
    Target {
        name: "sprig",
        seeds: Seeds::Vectors("sprig", &["expr"]),
        enter: |bytes| expression(&text(bytes)),
    },
    Target {
        name: "template",
        seeds: Seeds::Vectors("template", &["template"]),
        enter: |bytes| substitution(&text(bytes)),
    },
    Target {
        name: "when",
        seeds: Seeds::Vectors("when", &["when"]),
        enter: |bytes| {
            let text = text(bytes);
            let _ = when::evaluate(&text);
            let _ = when::evaluate_cron(&text);
        },
    },
    Target {
        name: "depends",
        seeds: Seeds::Vectors("depends", &["logic"]),
        enter: |bytes| {
            let compiled = Depends::compile(&text(bytes), |_| Some(ContinueOn::default()));
            let _ = compiled.and_then(|depends| depends.evaluate(|task, _| task.len() % 2 == 0));
        },
    },
    Target {
        name: "jq",
        seeds: Seeds::Vectors("jq", &["filter"]),
        enter: |bytes| drop(jq::run(&text(bytes), &document())),
    },
    Target {
        name: "jsonpath",
        seeds: Seeds::Vectors("jsonpath", &["path"]),
        enter: |bytes| {
            let text = text(bytes);
            let _ = kubectl::Template::parse(&text).and_then(|template| template.print(&document()));
            let _ = jsonpath::query(&text, &document());
        },
    },
    Target {
        name: "conditions",
        seeds: Seeds::Vectors("gjson-conditions", &["successCondition", "failureCondition"]),
        enter: |bytes| {
            if let Ok(selector) = Selector::parse(&text(bytes)) {
                let _ = judge(&document(), &selector, &selector);
            }
        },
    },
    Target {
        name: "cron",
        seeds: Seeds::Vectors("cron", &["schedule"]),
        enter: |bytes| {
            if let Ok(schedule) = Schedule::parse(&text(bytes)) {
                let _ = schedule.next("2024-02-28T23:59:59Z".parse().expect("it is a time"));
            }
        },
    },
    Target {
        name: "times",
        seeds: Seeds::Vectors("durations", &["in"]),
        enter: |bytes| {
            let text = text(bytes);
            let _ = duration::parse(&text);
            let _ = duration::parse_since(&text);
            let _ = gotime::parse(&text, &text, &gotime::zone("UTC").expect("UTC is known"));
        },
    },
    Target {
        name: "json",
        seeds: Seeds::Vectors("template", &["template"]),
        enter: |bytes| drop(gojson::parse(bytes)),
    },
    Target {
        name: "regexp",
        seeds: Seeds::Made(|| PATTERNS.iter().map(|p| p.as_bytes().to_vec()).collect()),
        enter: |bytes| {
            if let Ok(pattern) = regexp::for_text(&text(bytes)) {
                let _ = pattern.is_match("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa é 2024-01-02");
            }
        },
    },
];

const PATTERNS: &[&str] = &[
    r"^(\d{4})-(\d\d)-(\d\d)$",
    r"(?i)(?P<name>[a-z_]\w*)\s*=\s*'([^']*)'",
    r"\p{Greek}+|\PN{2,5}?|[[:alpha:]&&[^x]]",
    r"(a|aa)+$",
    r"\Q*.*\E\x{10FFFF}\bz*?",
];

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Compiles, evaluates, and explains what went wrong.
fn expression(text: &str) {
    let scope = scope();
    let compiled = Expr::compile(text);
    if let Ok(expression) = &compiled {
        let _ = expression.references();
    }
    if let Err(error) = compiled.and_then(|expression| expression.eval(&scope)) {
        let _ = diagnose::expression(&error, &scope).to_string();
    }
}

fn substitution(text: &str) {
    let scope = scope();
    for level in [
        Level::Lenient,
        Level::Strict,
        Level::StrictPrefixes(&["steps", "tasks"]),
    ] {
        if let Err(error) = Tags::compile(text).and_then(|tags| tags.text(&scope, level)) {
            let _ = diagnose::substitution(&error, &scope).to_string();
        }
        let _ = tags::replace_in_json(text, &scope, level);
        let _ = tags::replace_in_value(&mut json!({ "key": text }), &scope, level);
    }
}

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
