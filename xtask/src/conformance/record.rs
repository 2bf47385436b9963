//! A finished workflow in the form of the recorded set: what two runs of the same file must have in common.
//!
//! Names, ids, times and addresses differ from run to run, so text is rewritten: `<wf>` the workflow's name,
//! `<node NAME>` a node id, `<pod>` a pod's name, `<ns>`, `<uid>`, `<uuid>`, `<ip>`, `<time>`, `<epoch>`, `<host>`.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use regex::{NoExpand, Regex};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

/// Longest text that is kept whole, in characters.
const TEXT_LIMIT: usize = 4000;

/// Stores that an artifact can lie in, as the recorded set names them.
const STORES: &[&str] = &[
    "s3",
    "raw",
    "http",
    "git",
    "gcs",
    "azure",
    "oss",
    "hdfs",
    "artifactory",
    "plugin",
];

fn regex(pattern: &str) -> Regex {
    Regex::new(pattern).expect("the patterns of this file are valid")
}

static TIME: LazyLock<Regex> = LazyLock::new(|| {
    regex(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d+)?(?:Z| ?[+-]\d\d:?\d\d(?: [A-Z]{3,4})?)?")
});
static UUID: LazyLock<Regex> =
    LazyLock::new(|| regex(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b"));
static IP: LazyLock<Regex> = LazyLock::new(|| regex(r"\b(?:\d{1,3}\.){3}\d{1,3}\b"));
static POD: LazyLock<Regex> = LazyLock::new(|| regex(r"<wf>(?:-[a-z0-9.]+)*-\d{5,10}\b"));
static EPOCH: LazyLock<Regex> = LazyLock::new(|| regex(r"\b1[789]\d{8}(\.\d+)?\b"));

struct Rewriter<'a> {
    name: &'a str,
    uid: &'a str,
    namespace: &'a str,
    hosts: Vec<Regex>,
    /// Node ids with node names, longest id first, without the root's.
    ids: Vec<(&'a str, &'a str)>,
}

impl<'a> Rewriter<'a> {
    fn new(workflow: &'a Value, nodes: &'a Map<String, Value>) -> Self {
        let text = |key: &str| workflow["metadata"][key].as_str().unwrap_or_default();
        let name = text("name");
        let mut ids: Vec<_> = nodes
            .iter()
            .filter(|(id, _)| id.as_str() != name)
            .map(|(id, node)| (id.as_str(), node["name"].as_str().unwrap_or_default()))
            .collect();
        ids.sort_by_key(|(id, _)| std::cmp::Reverse(id.len()));
        let mut hosts: Vec<&str> = nodes
            .values()
            .filter_map(|n| n["hostNodeName"].as_str())
            .filter(|h| !h.is_empty())
            .collect();
        hosts.sort_unstable();
        hosts.dedup();
        let hosts = hosts
            .iter()
            .map(|h| regex(&format!(r"\b{}\b", regex::escape(h))))
            .collect();
        Self {
            name,
            uid: text("uid"),
            namespace: text("namespace"),
            hosts,
            ids,
        }
    }

    fn text(&self, text: &str) -> String {
        let mut s = text.to_owned();
        for (id, node) in &self.ids {
            if s.contains(id) {
                s = s.replace(id, &format!("\0{}\0", node.replacen(self.name, "\u{1}", 1)));
            }
        }
        if !self.name.is_empty() {
            s = s.replace(self.name, "<wf>");
        }
        s = s.replace('\u{1}', "<wf>");
        s = s
            .split('\0')
            .enumerate()
            .map(|(i, part)| {
                if i % 2 == 1 {
                    format!("<node {part}>")
                } else {
                    part.to_owned()
                }
            })
            .collect();
        if !self.uid.is_empty() {
            s = s.replace(self.uid, "<uid>");
        }
        for host in &self.hosts {
            s = host.replace_all(&s, NoExpand("<host>")).into_owned();
        }
        s = replace_word(&s, self.namespace, "<ns>");
        for (pattern, with) in [
            (&POD, "<pod>"),
            (&TIME, "<time>"),
            (&UUID, "<uuid>"),
            (&IP, "<ip>"),
            (&EPOCH, "<epoch>"),
        ] {
            s = pattern.replace_all(&s, NoExpand(with)).into_owned();
        }
        let length = s.chars().count();
        if length > TEXT_LIMIT {
            let digest: String = Sha256::digest(s.as_bytes())
                .iter()
                .take(8)
                .map(|b| format!("{b:02x}"))
                .collect();
            let head: String = s.chars().take(500).collect();
            s = format!("{head}... <{length} characters, sha256 {digest}>");
        }
        s
    }

    fn value(&self, value: &Value) -> Value {
        value
            .as_str()
            .map_or_else(|| value.clone(), |s| self.text(s).into())
    }

    fn parameters(&self, list: &Value) -> Value {
        let one = |p: &Value| {
            (
                p["name"].as_str().unwrap_or_default().to_owned(),
                self.value(&p["value"]),
            )
        };
        Value::Object(items(list).map(one).collect())
    }

    fn artifacts(&self, list: &Value) -> Value {
        let mut out: Vec<Value> = items(list).map(|a| self.artifact(a)).collect();
        out.sort_by_key(|a| a["name"].as_str().unwrap_or_default().to_owned());
        out.into()
    }

    fn artifact(&self, artifact: &Value) -> Value {
        let mut out = json!({"name": artifact["name"]});
        for store in STORES {
            if let Some(location) = artifact.get(store) {
                out["kind"] = (*store).into();
                if let Some(key) = location["key"].as_str().filter(|k| !k.is_empty()) {
                    out["key"] = self.text(key).into();
                }
            }
        }
        if artifact["deleted"] == true {
            out["deleted"] = true.into();
        }
        out
    }

    fn outputs(&self, outputs: &Value) -> Value {
        let mut out = Map::new();
        if items(&outputs["parameters"]).next().is_some() {
            out.insert("parameters".into(), self.parameters(&outputs["parameters"]));
        }
        for key in ["result", "exitCode"] {
            if let Some(value) = outputs.get(key) {
                out.insert(
                    key.into(),
                    if key == "result" {
                        self.value(value)
                    } else {
                        value.clone()
                    },
                );
            }
        }
        if items(&outputs["artifacts"]).next().is_some() {
            out.insert("artifacts".into(), self.artifacts(&outputs["artifacts"]));
        }
        out.into()
    }
}

/// The record of a workflow object.
pub fn record(workflow: &Value) -> Value {
    let status = &workflow["status"];
    let none = Map::new();
    let nodes = status["nodes"].as_object().unwrap_or(&none);
    let rewriter = Rewriter::new(workflow, nodes);
    let text = |v: &Value| v.as_str().unwrap_or_default().to_owned();
    let mut out =
        json!({"phase": text(&status["phase"]), "message": rewriter.text(&text(&status["message"]))});
    keep(&mut out, "progress", status["progress"].clone());
    keep(&mut out, "outputs", rewriter.outputs(&status["outputs"]));
    let conditions = items(&status["conditions"]).map(|c| {
        let message = c["message"]
            .as_str()
            .filter(|m| !m.is_empty())
            .map(|m| format!(": {}", rewriter.text(m)));
        (
            text(&c["type"]),
            Value::String(text(&c["status"]) + &message.unwrap_or_default()),
        )
    });
    keep(&mut out, "conditions", Value::Object(conditions.collect()));
    let mut records: Vec<Value> = nodes
        .values()
        .map(|node| node_record(&rewriter, nodes, node))
        .collect();
    records.sort_by_key(|r| (text(&r["displayName"]), text(&r["name"])));
    out["nodes"] = records.into();
    let hashed = |node: &Value| format!("{}-{}", rewriter.name, fnv32(&text(&node["name"])));
    let odd = nodes
        .iter()
        .filter(|(id, node)| **id != text(&node["name"]) && **id != hashed(node))
        .count();
    if odd > 0 {
        out["idsNotNameHashes"] = odd.into();
    }
    out
}

fn node_record(rewriter: &Rewriter<'_>, nodes: &Map<String, Value>, node: &Value) -> Value {
    let text = |key: &str| node[key].as_str().unwrap_or_default();
    let display = |id: &Value| match nodes.get(id.as_str().unwrap_or_default()) {
        Some(other) => rewriter.text(other["displayName"].as_str().unwrap_or_default()),
        None => "<missing>".to_owned(),
    };
    let mut out = json!({
        "name": rewriter.text(text("name")),
        "displayName": rewriter.text(text("displayName")),
        "type": text("type"),
        "phase": text("phase"),
    });
    keep(
        &mut out,
        "templateName",
        rewriter.text(text("templateName")).into(),
    );
    if let Some(reference) = node.get("templateRef").filter(|r| r.is_object()) {
        let part = |key: &str| reference[key].as_str().unwrap_or("None").to_owned();
        let cluster = if reference["clusterScope"] == true {
            " (cluster)"
        } else {
            ""
        };
        out["templateRef"] = format!("{}/{}{cluster}", part("name"), part("template")).into();
    }
    keep(&mut out, "message", rewriter.text(text("message")).into());
    keep(
        &mut out,
        "inputs",
        rewriter.parameters(&node["inputs"]["parameters"]),
    );
    keep(
        &mut out,
        "inputArtifacts",
        sorted(
            items(&node["inputs"]["artifacts"]).map(|a| a["name"].as_str().unwrap_or_default().to_owned()),
        ),
    );
    keep(&mut out, "outputs", rewriter.outputs(&node["outputs"]));
    keep(
        &mut out,
        "children",
        sorted(items(&node["children"]).map(display)),
    );
    if !text("boundaryID").is_empty() {
        out["boundary"] = display(&node["boundaryID"]).into();
    }
    if node["memoizationStatus"].is_object() {
        out["memoizationHit"] = (node["memoizationStatus"]["hit"] == true).into();
    }
    keep(
        &mut out,
        "daemoned",
        if node["daemoned"] == true {
            true.into()
        } else {
            Value::Null
        },
    );
    keep(&mut out, "nodeFlag", node["nodeFlag"].clone());
    out
}

/// Sets a field unless there is nothing to say.
fn keep(out: &mut Value, key: &str, value: Value) {
    let empty = match &value {
        Value::Null => true,
        Value::String(s) => s.is_empty(),
        Value::Array(a) => a.is_empty(),
        Value::Object(o) => o.is_empty(),
        _ => false,
    };
    if !empty {
        out[key] = value;
    }
}

fn items(list: &Value) -> impl Iterator<Item = &Value> {
    list.as_array().into_iter().flatten()
}

fn sorted(names: impl Iterator<Item = String>) -> Value {
    let mut names: Vec<String> = names.collect();
    names.sort();
    names.into()
}

/// Replaces a word that is no part of a longer name or of a host's name.
fn replace_word(text: &str, word: &str, with: &str) -> String {
    if word.is_empty() {
        return text.to_owned();
    }
    let inside = |c: char| c.is_alphanumeric() || c == '_' || c == '-';
    let mut out = String::new();
    let mut rest = text;
    while let Some(at) = rest.find(word) {
        let before = rest[..at].chars().next_back().or_else(|| out.chars().next_back());
        let after = rest[at + word.len()..].chars().next();
        let whole = !before.is_some_and(|c| inside(c) || c == '.') && !after.is_some_and(inside);
        out.push_str(&rest[..at]);
        out.push_str(if whole { with } else { word });
        rest = &rest[at + word.len()..];
    }
    out + rest
}

/// FNV-1a with 32 bits, which node ids are made of.
fn fnv32(text: &str) -> u32 {
    text.bytes().fold(0x811c_9dc5, |hash: u32, byte| {
        (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193)
    })
}

/// Drops what a record made before an action doesn't hold.
pub fn before_action(mut record: Value, action: &Value) -> Value {
    const KEPT: &[&str] = &[
        "name",
        "displayName",
        "type",
        "phase",
        "message",
        "inputs",
        "outputs",
    ];
    for node in record["nodes"].as_array_mut().into_iter().flatten() {
        if let Some(map) = node.as_object_mut() {
            let kept: BTreeMap<_, _> = std::mem::take(map)
                .into_iter()
                .filter(|(k, _)| KEPT.contains(&k.as_str()))
                .collect();
            map.extend(kept);
        }
    }
    if let Some(map) = record.as_object_mut() {
        map.remove("progress");
        map.insert("action".into(), action.clone());
        map.insert("ok".into(), true.into());
    }
    record
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::{record, replace_word};

    #[test]
    fn text_loses_what_differs_from_run_to_run() {
        let workflow = json!({
            "metadata": {"name": "wf-x7", "namespace": "argo", "uid": "u-1"},
            "status": {
                "phase": "Failed",
                "message": "child 'wf-x7-123' of wf-x7-main-4567890 in argo at 2026-01-01T00:00:00Z on 10.0.0.1",
                "nodes": {"wf-x7-123": {"id": "wf-x7-123", "name": "wf-x7[0].a", "displayName": "a"}},
            },
        });
        let got = record(&workflow);
        assert_eq!(
            got["message"],
            "child '<node <wf>[0].a>' of <pod> in <ns> at <time> on <ip>"
        );
        assert_eq!(got["idsNotNameHashes"], 1);
    }

    #[test]
    fn words_inside_names_stay() {
        assert_eq!(
            replace_word("argo argo-x x.argo argo.io", "argo", "<ns>"),
            "<ns> argo-x x.argo <ns>.io"
        );
    }
}
