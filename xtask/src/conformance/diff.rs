//! Where a record differs from the recorded one; nodes and artifacts are matched by their names.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

/// Fields that describe the recording, not the run.
const BESIDE: &[&str] = &[
    "duration_s",
    "unstable",
    "random",
    "note",
    "skipped",
    "runs",
    "phases_seen",
    "api_server",
    "actions",
];

/// Every difference, as a path with both values.
///
/// What the recorded set calls unstable is left out. Of a case drawn by chance only what the set states is compared.
pub fn differences(golden: &Value, got: &Value) -> Vec<String> {
    let wanted = leaves(golden);
    let found = leaves(got);
    let unstable: Vec<&str> = golden["unstable"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .collect();
    let by_chance = golden["random"] == true;
    let paths: BTreeSet<&String> = wanted.keys().chain(found.keys()).collect();
    let mut whole_nodes = BTreeSet::new();
    let mut out = Vec::new();
    for path in paths {
        let (g, r) = (wanted.get(path), found.get(path));
        if g == r
            || unstable.iter().any(|u| {
                path == u
                    || path
                        .strip_prefix(u)
                        .is_some_and(|rest| rest.starts_with(['/', '[']))
            })
        {
            continue;
        }
        if let Some(node) = node_of(path) {
            let has = |map: &BTreeMap<String, Value>| {
                map.keys()
                    .any(|k| k.starts_with(node) && k[node.len()..].starts_with('/'))
            };
            let (in_golden, in_got) = (has(&wanted), has(&found));
            if in_golden != in_got {
                let by_design = if in_golden {
                    !(by_chance && is_later_attempt(node))
                } else {
                    !by_chance
                };
                if by_design && !unstable.contains(&node) && whole_nodes.insert(node.to_owned()) {
                    out.push(format!(
                        "{node}: {}",
                        if in_golden { "missing" } else { "not expected" }
                    ));
                }
                continue;
            }
        }
        if by_chance && g.is_none() {
            continue;
        }
        let show = |v: Option<&Value>| v.map_or("nothing".to_owned(), |v| short(&v.to_string()));
        out.push(format!(
            "{path}\n    expected {}\n    got      {}",
            show(g),
            show(r)
        ));
    }
    // The workflow's own phase and message explain most of what else differs.
    out.sort_by_key(|d| {
        (
            !d.starts_with("create_error"),
            !d.starts_with("phase"),
            !d.starts_with("message"),
        )
    });
    out
}

/// Whether a node exists only because an attempt before it failed: `a(1)`, or something below such a node.
fn is_later_attempt(node: &str) -> bool {
    let numbers = node.split('(').skip(1).filter_map(|rest| rest.split(')').next());
    // Items of loops have their value after the number: `a(1:x)`.
    numbers.filter_map(|n| n.parse::<u32>().ok()).any(|n| n > 0)
}

fn short(text: &str) -> String {
    const LIMIT: usize = 400;
    text.chars().take(LIMIT).collect()
}

/// The node that a path lies in: `nodes[NAME]`, with what stands before it.
fn node_of(path: &str) -> Option<&str> {
    let start = path.find("nodes[")?;
    if start > 0 && !path[..start].starts_with("before_action[") {
        return None;
    }
    // Names hold brackets themselves; the one that ends the name is followed by a slash.
    let end = path[start..].find("]/")?;
    Some(&path[..=start + end])
}

fn leaves(record: &Value) -> BTreeMap<String, Value> {
    let mut out = BTreeMap::new();
    for (key, value) in record.as_object().into_iter().flatten() {
        if !BESIDE.contains(&key.as_str()) {
            flatten(value, key.clone(), &mut out);
        }
    }
    out
}

fn flatten(value: &Value, path: String, out: &mut BTreeMap<String, Value>) {
    match value {
        Value::Object(map) if !map.is_empty() => {
            for (key, inner) in map {
                flatten(inner, format!("{path}/{key}"), out);
            }
        }
        Value::Array(list) if !list.is_empty() && list.iter().all(Value::is_object) => {
            for (index, inner) in list.iter().enumerate() {
                match inner["name"].as_str() {
                    Some(name) if list.iter().all(|i| i["name"].is_string()) => {
                        let mut rest = inner.clone();
                        rest.as_object_mut().map(|m| m.remove("name"));
                        if rest == serde_json::json!({}) {
                            rest = serde_json::json!({"present": true});
                        }
                        flatten(&rest, format!("{path}[{name}]"), out);
                    }
                    _ => flatten(inner, format!("{path}[{index}]"), out),
                }
            }
        }
        leaf => {
            out.insert(path, leaf.clone());
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::differences;

    #[test]
    fn equal_records_have_no_difference() {
        let record = json!({"phase": "Succeeded", "nodes": [{"name": "<wf>", "phase": "Succeeded"}]});
        assert!(differences(&record, &record).is_empty());
    }

    #[test]
    fn a_missing_node_is_one_difference() {
        let golden =
            json!({"phase": "Failed", "nodes": [{"name": "<wf>[0].a", "phase": "Failed", "type": "Pod"}]});
        assert_eq!(
            differences(&golden, &json!({"phase": "Failed", "nodes": []})).len(),
            2
        );
    }

    #[test]
    fn unstable_paths_are_left_out() {
        let golden = json!({"message": "a", "unstable": ["message"]});
        assert!(differences(&golden, &json!({"message": "b"})).is_empty());
    }

    #[test]
    fn of_a_draw_only_what_is_stated_counts() {
        let golden = json!({"random": true, "nodes": [{"name": "a", "type": "Pod"}]});
        let got = json!({"phase": "Failed", "nodes": [{"name": "a", "type": "Pod", "phase": "Failed"}, {"name": "b", "type": "Pod"}]});
        assert!(differences(&golden, &got).is_empty());
    }

    #[test]
    fn how_often_a_draw_is_retried_is_chance_but_its_first_attempt_is_not() {
        let nodes = |names: &[&str]| {
            let nodes: Vec<_> = names.iter().map(|n| json!({"name": n, "type": "Pod"})).collect();
            json!({"random": true, "nodes": nodes})
        };
        let golden = nodes(&["a", "a(0)", "a(1)", "b(1:x)"]);
        assert!(differences(&golden, &nodes(&["a", "a(0)", "b(1:x)"])).is_empty());
        assert_eq!(differences(&golden, &nodes(&["a", "a(1)"])).len(), 2);
    }
}
