//! Values and errors of expressions at the edges that recorded vectors do not reach; a case is data.

use std::collections::BTreeMap;

use argosy_template::{Expr, value};

fn check(cases: &[(&str, &str, &str)]) {
    let scope: BTreeMap<String, serde_json::Value> = BTreeMap::from([
        ("inputs.parameters.a".to_owned(), serde_json::json!("x")),
        ("inputs.parameters.b".to_owned(), serde_json::json!("y")),
        ("words".to_owned(), serde_json::json!(["b", "a"])),
    ]);
    for (expression, wanted_type, wanted) in cases {
        let result = Expr::compile(expression).and_then(|e| e.eval(&scope));
        let (kind, shown) = match result {
            Ok(v) => (v.type_name(), value::print::plain(&v)),
            Err(e) => ("error".to_owned(), e.message.clone()),
        };
        assert_eq!(
            (kind.as_str(), shown.as_str()),
            (*wanted_type, *wanted),
            "{expression}"
        );
    }
}

#[test]
fn methods_of_times_are_values_until_called() {
    check(&[
        (r#"date("2024-12-30").Year"#, "func() int", "0x0"),
        (r#"date("2024-12-30").ISOWeek"#, "func() (int, int)", "0x0"),
        (r#"date("2024-12-30").ISOWeek()"#, "int", "2025"),
        (
            r#"date("2024-12-30").Clock()"#,
            "error",
            "func Clock returns more then two values",
        ),
        (
            r#"date("2024-12-30").Year == 2024"#,
            "error",
            "invalid operation: == (mismatched types func(time.Time) int and int)",
        ),
        (
            r#"date("2024-12-30").Month() == 12"#,
            "error",
            "invalid operation: == (mismatched types time.Month and int)",
        ),
        (r#"int(date("2024-12-30").Month())"#, "int", "12"),
    ]);
}

#[test]
fn times_that_the_clock_skips_are_those_of_the_offset_before() {
    check(&[(
        r#"date("2024-03-10T02:30:00", "2006-01-02T15:04:05", "America/New_York").Unix()"#,
        "int64",
        "1710052200",
    )]);
}

#[test]
fn zones_are_known_by_their_exact_names() {
    check(&[(r#"timezone("utc")"#, "error", "unknown time zone utc")]);
}

#[test]
fn closures_over_maps_fail_only_where_they_look_at_an_element() {
    check(&[
        ("all(inputs.parameters, true)", "bool", "true"),
        (
            "all(inputs.parameters, #)",
            "error",
            "reflect: call of reflect.Value.Index on map Value",
        ),
    ]);
}

#[test]
fn nothing_but_a_pipe_follows_a_piped_call() {
    check(&[
        ("words | sort() | first()", "string", "a"),
        ("words | sort()[0]", "error", "unexpected token Bracket(\"[\")"),
    ]);
}

#[test]
fn expression_tags_can_be_switched_off() {
    use argosy_template::scope::SWITCHED_OFF;
    use argosy_template::{Level, Tags};
    let scope = std::collections::BTreeMap::from([
        (SWITCHED_OFF.to_owned(), serde_json::json!(true)),
        ("n".to_owned(), serde_json::json!("4")),
    ]);
    let tags = Tags::compile("{{n}} {{=n}} {{=)}}").expect("every tag ends");
    assert_eq!(
        tags.text(&scope, Level::Lenient).as_deref(),
        Ok("4 {{=n}} {{=)}}")
    );
    let strict = tags.text(&scope, Level::Strict).map_err(|e| e.to_string());
    assert_eq!(strict, Err("failed to resolve {{=n}}".to_owned()));
}

#[test]
fn work_inside_of_functions_is_counted() {
    check(&[
        (
            "len(uniq(map(1..20000, [#])))",
            "error",
            "expression takes more than 10000000 steps",
        ),
        ("len(groupBy(1..2000, string(#)))", "int", "2000"),
        ("len(fromPairs(map(1..2000, [string(#), #])))", "int", "2000"),
    ]);
}

#[test]
fn sorting_what_has_no_order_is_an_error_or_an_order() {
    check(&[
        (
            "len(sort(map(1..40, # % 3 == 0 ? float(\"NaN\") : #)))",
            "int",
            "40",
        ),
        (
            "sort(map(1..40, # % 3 == 0 ? \"a\" : #))",
            "error",
            "invalid operation: int < string",
        ),
    ]);
}

#[test]
fn what_no_regular_expression_is_is_told_in_the_words_of_go() {
    let wrong = |pattern: &str| match argosy_template::regexp::compile(pattern) {
        Ok(_) => String::new(),
        Err(message) => message.replace("error parsing regexp: ", ""),
    };
    let cases = [
        ("a**", "invalid nested repetition operator: `**`"),
        ("a{2}{3}", "invalid nested repetition operator: `{2}{3}`"),
        ("(a{100}){100}", "invalid repeat count: `{100}`"),
        ("a{2,1}", "invalid repeat count: `{2,1}`"),
        ("(*a)", "missing argument to repetition operator: `*`"),
        ("(?z)a", "invalid or unsupported Perl syntax: `(?z`"),
        ("(?P<a b>x)", "invalid named capture: `(?P<a b>`"),
        ("[[:foo:]]", "invalid character class range: `[:foo:]`"),
        ("[z-a]", "invalid character class range: `z-a`"),
        ("\\p{Foo}", "invalid character class range: `\\p{Foo}`"),
        ("\\1", "invalid escape sequence: `\\1`"),
        ("x(a", "missing closing ): `x(a`"),
        ("a)", "unexpected ): `a)`"),
        ("(?P<n>a)(?P<n>b)", ""),
        ("\\12[\\d-z]a{,5}{x", ""),
    ];
    for (pattern, wanted) in cases {
        assert_eq!(wrong(pattern), wanted, "{pattern}");
    }
}

#[test]
fn words_and_maps_come_out_as_sprig_gives_them() {
    check(&[
        (
            r#"sprig.camelcase("HTTPServer a__b c_")"#,
            "string",
            "HttpserverA_BC_",
        ),
        (r#"sprig.nospace("é x")"#, "string", "Ã©x"),
        (
            r#"sprig.mergeOverwrite({"a": 1}, {"a": nil})"#,
            "map[string]interface {}",
            "map[a:<nil>]",
        ),
        (
            r#"sprig.merge({"a": 0}, {"a": ""})"#,
            "map[string]interface {}",
            "map[a:]",
        ),
        (
            r#"sprig.atoi("99999999999999999999")"#,
            "int",
            "9223372036854775807",
        ),
    ]);
}

#[test]
fn hours_in_the_name_of_a_zone_say_how_a_time_is_shown() {
    check(&[
        (r#"date("29 Feb 24 10:11 GMT+3").Unix()"#, "int64", "1709201460"),
        (
            r#"date("29 Feb 24 10:11 ABCD")"#,
            "error",
            "invalid date 29 Feb 24 10:11 ABCD",
        ),
    ]);
}

#[test]
fn a_condition_that_calls_is_refused_after_all_that_can_be_read_of_it() {
    let cases = [
        ("f(1)", "Undefined function f"),
        ("f (1) ==", "Undefined function f"),
        ("f(1", "Unbalanced parenthesis"),
        ("f(1) 'a", "Unclosed string literal"),
        (
            "== f(1)",
            "Cannot transition token types from UNKNOWN [<nil>] to COMPARATOR [==]",
        ),
        (" ", "Unexpected end of expression"),
    ];
    for (when, what) in cases {
        let error = argosy_template::when::evaluate(when).expect_err("it is no condition");
        assert_eq!(
            error.to_string(),
            format!("Invalid 'when' expression '{when}': {what}")
        );
    }
}
