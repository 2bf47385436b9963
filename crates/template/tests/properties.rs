//! Properties: no text makes anything panic, limits hold, what is printed is read back.

use std::collections::BTreeMap;

use argosy_template::conditions::Selector;
use argosy_template::cron::Schedule;
use argosy_template::depends::{ContinueOn, Depends};
use argosy_template::{
    Expr, Level, Tags, duration, gotime, jq, jsonpath, kubectl, regexp, tags, value, when,
};
use proptest::prelude::*;
use serde_json::{Value, json};

fn scope() -> BTreeMap<String, Value> {
    BTreeMap::from([
        ("a".to_owned(), json!("x")),
        ("b.c".to_owned(), json!("1")),
        ("n".to_owned(), json!(3)),
        ("l".to_owned(), json!([1, "a", null])),
        ("gone".to_owned(), Value::Null),
    ])
}

/// Texts made of pieces of the languages, which get further than random characters.
fn pieces() -> impl Strategy<Value = String> {
    let piece = prop::sample::select(vec![
        "a", "b.c", "n", "l", "gone", "(", ")", "[", "]", "{", "}", "{{", "}}", "=", "==", "+", "-", "*",
        "/", "%", "**", "??", "?.", ".", "..", ":", "?", ",", ";", "|", "||", "&&", "!", "not ", " in ", "#",
        "#acc", "'", "\"", "`", "1", "2.5", "1e9", "0x", "-1", "map(", "filter(", "sum(", "len(", "sprig.",
        "upper(", "let x = ", "matches ", "$env", "@", "$", "[?(", "*", "é", "😀", "\\", "\n", " ", "\u{0}",
        "range", "end", "true", "nil",
    ]);
    prop::collection::vec(piece, 0..16).prop_map(|v| v.concat())
}

fn text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), pieces()]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_text_makes_an_expression_panic(source in text()) {
        if let Ok(e) = Expr::compile(&source) {
            let _ = e.eval(&scope());
            let _ = e.references();
        }
    }

    #[test]
    fn no_text_makes_substitution_panic(source in text()) {
        let scope = scope();
        for level in [Level::Lenient, Level::Strict, Level::StrictPrefixes(&["b"])] {
            let _ = Tags::compile(&source).and_then(|t| t.text(&scope, level));
            let _ = tags::replace_in_json(&source, &scope, level);
            let _ = tags::replace_in_value(&mut json!({ "k": source, &source: [1] }), &scope, level);
        }
    }

    #[test]
    fn both_forms_of_substitution_agree(source in text()) {
        let scope = scope();
        let document = json!({ "k": source });
        let canonical = value::json::write(&value::json::from_scope(&document), value::json::COMPACT).unwrap();
        let by_text = tags::replace_in_json(&canonical, &scope, Level::Lenient);
        let mut tree = document;
        let by_tree = tags::replace_in_value(&mut tree, &scope, Level::Lenient);
        match (by_text, by_tree) {
            (Ok(text), Ok(_)) => prop_assert_eq!(serde_json::from_str::<Value>(&text).unwrap(), tree),
            (Err(a), Err(b)) => prop_assert_eq!(a.is_missing_variable(), b.is_missing_variable()),
            (a, b) => prop_assert!(false, "forms differ: {:?} {:?}", a, b),
        }
    }

    #[test]
    fn no_text_makes_the_small_languages_panic(source in text()) {
        let document = json!({"a": [1, {"b": null}], "s": "x"});
        let _ = when::evaluate(&source);
        let _ = when::evaluate_cron(&source);
        let _ = Depends::compile(&source, |_| Some(ContinueOn::default())).and_then(|d| d.evaluate(|_, _| true));
        let _ = duration::parse(&source);
        let _ = regexp::compile(&source);
        let _ = jsonpath::query(&format!("$.{source}"), &document);
        let _ = kubectl::Template::parse(&format!("{{{source}}}")).and_then(|t| t.print(&document));
        let _ = Selector::parse(&source);
        let _ = gotime::parse(&source, "2024-01-02", &jiff::tz::TimeZone::UTC);
        if let Ok(s) = Schedule::parse(&source) {
            let _ = s.next(jiff::Timestamp::UNIX_EPOCH);
        }
    }

    #[test]
    fn json_is_read_as_it_was_written(source in any::<String>(), number in any::<i64>(), float in any::<f64>()) {
        let document = json!({"s": source, "n": number, "f": if float.is_finite() { float } else { 0.0 }});
        let text = value::json::write(&value::json::from_scope(&document), value::json::COMPACT).unwrap();
        let read: Value = serde_json::from_str(&text).unwrap();
        prop_assert_eq!(&read["s"], &document["s"]);
        prop_assert_eq!(&read["n"], &document["n"]);
        prop_assert_eq!(read["f"].as_f64(), document["f"].as_f64());
    }

    #[test]
    fn durations_are_read_as_they_are_printed(nanos in any::<i64>()) {
        prop_assert_eq!(duration::parse_go(&duration::show(nanos)), Ok(nanos));
    }

    #[test]
    fn texts_pass_through_unchanged(value in any::<String>()) {
        let scope = BTreeMap::from([("v".to_owned(), json!(value))]);
        let tags = Tags::compile("{{=v}}").unwrap();
        prop_assert_eq!(tags.text(&scope, Level::Strict).unwrap(), value);
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn no_text_makes_a_filter_panic(source in pieces()) {
        let _ = jq::run(&source, &json!({"a": 1}));
    }
}

/// What a limit refuses, and a word of its message.
fn refused(source: &str, word: &str) {
    match Expr::compile(source).and_then(|e| e.eval(&scope())) {
        Ok(v) => panic!("not refused: {v:?}"),
        Err(error) => assert!(error.to_string().contains(word), "{error}"),
    }
}

#[test]
fn limits_hold() {
    refused(&"(".repeat(5_000), "nested deeper");
    refused(&"[".repeat(100_000), "nested deeper");
    refused(&format!("{}1", "-".repeat(100_000)), "nested deeper");
    refused(&format!("1{}", "+1".repeat(100_000)), "maximum allowed nodes");
    refused("1..100000000", "memory budget exceeded");
    refused("map(1..2000, map(1..2000, #))", "memory budget exceeded");
    refused("all(1..99999, all(1..99999, # > 0))", "steps");
    refused("repeat('a', 1000000000)", "memory budget exceeded");
    refused("sprig.repeat(1000000000, 'a')", "more than");
    refused("sprig.until(1000000000)", "more than");
}

#[test]
fn deep_but_allowed_nesting_fits_a_small_stack() {
    let source = format!("{}1{}", "(".repeat(100), ")".repeat(100));
    let run = move || Expr::compile(&source).and_then(|e| e.eval(&scope())).is_ok();
    let small = std::thread::Builder::new()
        .stack_size(2 << 20)
        .spawn(run)
        .unwrap();
    assert!(small.join().unwrap());
}
