//! jq filters: what they give, and that none runs without bound. How whole vectors agree is `cargo xtask vectors`.

use argosy_template::jq;
use serde_json::{Value, json};

fn document() -> Value {
    json!({"name": "p1", "list": [5, 3, 9, 1], "nested": {"a": [{"b": 1}, {"b": 2}]}, "none": null})
}

fn check(cases: &[(&str, &str)]) {
    for (filter, expected) in cases {
        let shown = match jq::run(filter, &document()) {
            Ok(text) => text.replace('\n', " "),
            Err(jq::Error::Compile(why)) => format!("no filter: {why}"),
            Err(jq::Error::Run(why)) => format!("failed: {why}"),
        };
        assert_eq!(shown, *expected, "{filter}");
    }
}

#[test]
fn several_results_come_in_the_languages_order() {
    check(&[
        ("(1,2) + (10,20)", "11 12 21 22"),
        (
            "{a: (1,2), b: (3,4)} | tojson",
            r#"{"a":1,"b":3} {"a":1,"b":4} {"a":2,"b":3} {"a":2,"b":4}"#,
        ),
        (r#""\(1,2)-\(3,4)""#, "1-3 2-3 1-4 2-4"),
        ("pow((2,3); (1,2))", "2 3 4 9"),
        ("[([1,2],[3,4])[0,1]]", "[1,3,2,4]"),
    ]);
}

#[test]
fn updates_reach_through_what_is_missing() {
    check(&[
        (".none.a.b |= 1 | .none", r#"{"a":{"b":1}}"#),
        (".list[1:3] |= map(. * 10) | .list", "[5,30,90,1]"),
        (".list | (.[] | select(. > 3)) |= empty", "[3,1]"),
        (".list | del(.[0, -1])", "[3,9]"),
        (".nested.a[].b += (1,2) | [.nested.a[].b]", "[2,3] [3,4]"),
        (
            "path(.nested.a[].b?)",
            r#"["nested","a",0,"b"] ["nested","a",1,"b"]"#,
        ),
        ("path(1)", "failed: invalid path against: number (1)"),
    ]);
}

#[test]
fn errors_are_caught_where_they_happen() {
    check(&[
        (r#"try error("x") catch ."#, "x"),
        (r#"(1, error("x"), 2)?"#, "1"),
        (r#".name.x? // "none""#, "none"),
        (
            ".name.x.y?",
            r#"failed: expected an object but got: string ("p1")"#,
        ),
        (r#"[.list[] | tostring] | .[0] as [$a] ?// $a | $a"#, "5"),
        ("label $out | 1, break $out, 2", "1"),
        ("\"x\" * 0 | length", "0"),
        (
            ".nested[0]",
            r#"failed: expected an array but got: object ({"a":[{"b":1},{"b":2}]})"#,
        ),
    ]);
}

#[test]
fn what_is_not_defined_is_found_before_it_runs() {
    check(&[
        ("empty | nope(1)", "no filter: function not defined: nope/1"),
        ("empty | $x", "no filter: variable not defined: $x"),
        ("break $x", "no filter: label not defined: $x"),
        ("@nope", "no filter: format not defined: @nope"),
        ("input", "no filter: input(s)/0 is not allowed"),
        (".[", "no filter: unexpected EOF"),
        (".a }", "no filter: unexpected token \"}\""),
    ]);
}

#[test]
fn filters_do_not_see_this_machine() {
    check(&[
        ("$ENV, env", "{} {}"),
        (".name | halt_error", "failed: halt error: p1"),
    ]);
}

#[test]
fn no_filter_runs_without_bound() {
    for filter in [
        "def f: f; f",
        "until(false; .)",
        "reduce range(1000000) as $i (null; [.])",
        "\"x\" * 1000000000",
        ".list | .[100000000] = 1",
    ] {
        assert!(jq::run(filter, &document()).is_err(), "{filter}");
    }
    for deep in ["(", "[", "{a:", "-", "try ", "\"\\(", "if 1 then "] {
        let filter = deep.repeat(100_000);
        assert!(jq::run(&filter, &document()).is_err(), "{deep} many times");
    }
    let sum = vec!["1"; 9_000].join("+");
    assert_eq!(jq::run(&sum, &document()).as_deref(), Ok("9000"));
}
