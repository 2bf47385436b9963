//! Nobody gives away what they do not hold: whether some rules cover others, and how rules read in messages.
//!
//! Deliberately absent: whose rules these are.

use std::fmt::Write;

use serde_json::{Value, json};

/// The rules of `wanted` that `held` does not cover, each for one verb of one thing.
pub fn uncovered(held: &[Value], wanted: &[Value]) -> Vec<Value> {
    let single = wanted.iter().flat_map(taken_apart);
    single
        .filter(|rule| !held.iter().any(|held| covers(held, rule)))
        .collect()
}

/// Rules as Kubernetes writes them into messages, one a line.
pub fn listed(rules: &[Value]) -> String {
    let mut lines: Vec<String> = rules.iter().map(compact).collect();
    lines.sort();
    lines.dedup();
    lines.join("\n")
}

fn texts<'a>(rule: &'a Value, field: &str) -> Vec<&'a str> {
    let list = rule[field].as_array().map(Vec::as_slice).unwrap_or_default();
    list.iter().filter_map(Value::as_str).collect()
}

/// The same rights as rules that each name one verb and one resource or path.
fn taken_apart(rule: &Value) -> Vec<Value> {
    let mut parts = Vec::new();
    let names = texts(rule, "resourceNames");
    for verb in texts(rule, "verbs") {
        for group in texts(rule, "apiGroups") {
            for resource in texts(rule, "resources") {
                let part = json!({"verbs": [verb], "apiGroups": [group], "resources": [resource]});
                if names.is_empty() {
                    parts.push(part);
                    continue;
                }
                for name in &names {
                    let mut part = part.clone();
                    part["resourceNames"] = json!([name]);
                    parts.push(part);
                }
            }
        }
        for path in texts(rule, "nonResourceURLs") {
            parts.push(json!({"verbs": [verb], "nonResourceURLs": [path]}));
        }
    }
    parts
}

/// Whether a rule holds all that a rule for one thing gives.
fn covers(held: &Value, single: &Value) -> bool {
    let all = |field: &str| {
        let held = texts(held, field);
        held.contains(&"*") || texts(single, field).iter().all(|one| held.contains(one))
    };
    let resource = |one: &str| {
        let held = texts(held, "resources");
        let below = one.split_once('/').map(|(_, below)| format!("*/{below}"));
        held.contains(&"*") || held.contains(&one) || below.is_some_and(|any| held.contains(&any.as_str()))
    };
    let named = {
        let held = texts(held, "resourceNames");
        let wanted = texts(single, "resourceNames");
        held.is_empty() || !wanted.is_empty() && wanted.iter().all(|one| held.contains(one))
    };
    let path = |one: &str| {
        texts(held, "nonResourceURLs")
            .iter()
            .any(|held| match held.strip_suffix('*') {
                Some(prefix) => one.starts_with(prefix),
                None => *held == one,
            })
    };
    all("verbs")
        && all("apiGroups")
        && texts(single, "resources").into_iter().all(resource)
        && named
        && texts(single, "nonResourceURLs").into_iter().all(path)
}

fn compact(rule: &Value) -> String {
    let mut out = String::from("{");
    for (title, field) in [
        ("APIGroups", "apiGroups"),
        ("Resources", "resources"),
        ("ResourceNames", "resourceNames"),
        ("NonResourceURLs", "nonResourceURLs"),
        ("Verbs", "verbs"),
    ] {
        let texts: Vec<String> = texts(rule, field)
            .iter()
            .map(|text| format!("{text:?}"))
            .collect();
        if !texts.is_empty() {
            let comma = if out.len() > 1 { ", " } else { "" };
            let _ = write!(out, "{comma}{title}:[{}]", texts.join(" "));
        }
    }
    out + "}"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(held: Value, wanted: Value, missing: &str) {
        let held = [held];
        assert_eq!(listed(&uncovered(&held, &[wanted])), missing, "{held:?}");
    }

    #[test]
    fn rights_are_covered_one_by_one() {
        let rule = |groups: Value, resources: Value, verbs: Value| json!({"apiGroups": groups, "resources": resources, "verbs": verbs});
        let pods = rule(json!([""]), json!(["pods"]), json!(["get", "list"]));
        check(pods.clone(), pods.clone(), "");
        check(
            pods.clone(),
            rule(json!([""]), json!(["pods", "secrets"]), json!(["get", "watch"])),
            "{APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"watch\"]}\n\
             {APIGroups:[\"\"], Resources:[\"secrets\"], Verbs:[\"get\"]}\n\
             {APIGroups:[\"\"], Resources:[\"secrets\"], Verbs:[\"watch\"]}",
        );
        check(
            rule(json!(["*"]), json!(["*"]), json!(["*"])),
            rule(json!(["x"]), json!(["a/b"]), json!(["get"])),
            "",
        );
        check(
            rule(json!([""]), json!(["*/log"]), json!(["get"])),
            rule(json!([""]), json!(["pods/log"]), json!(["get"])),
            "",
        );
        let mut named = pods.clone();
        named["resourceNames"] = json!(["a"]);
        check(pods.clone(), named.clone(), "");
        check(
            named,
            rule(json!([""]), json!(["pods"]), json!(["get"])),
            "{APIGroups:[\"\"], Resources:[\"pods\"], Verbs:[\"get\"]}",
        );
        let paths = |path: &str| json!({"nonResourceURLs": [path], "verbs": ["get"]});
        check(paths("/healthz/*"), paths("/healthz/x"), "");
        check(
            paths("/healthz"),
            paths("/healthz/x"),
            "{NonResourceURLs:[\"/healthz/x\"], Verbs:[\"get\"]}",
        );
    }
}
