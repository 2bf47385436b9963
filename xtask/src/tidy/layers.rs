//! Which crate may use which: the layer table, held against what Cargo says of the workspace.

use anyhow::Context;
use serde_json::Value;

use crate::shell;

/// A crate and the crates of ours that it may use. A new edge is a design change: its own commit, and a line here.
const LAYERS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("template", &[]),
    ("engine", &["model", "template"]),
    ("artifact", &["model"]),
    ("executor", &["artifact", "model", "template"]),
    ("controller", &["engine", "model"]),
    ("apiserver", &[]),
    ("node", &[]),
    (
        "standalone",
        &["apiserver", "artifact", "controller", "engine", "model", "node"],
    ),
    ("cli", &["artifact", "engine", "model", "standalone"]),
];

/// What only tests may use, and what may use everything because nothing of it is shipped.
const FREE: &[&str] = &["testkit", "tests", "xtask"];

/// Dependencies that only some crates may name, with the reason.
const KEPT: &[(&str, &[&str], &str)] = &[
    (
        "kube",
        &["controller", "executor", "node", "standalone", "cli", "server"],
        "pure crates know no API server",
    ),
    (
        "tokio",
        &[
            "artifact",
            "executor",
            "controller",
            "apiserver",
            "node",
            "standalone",
            "cli",
            "server",
        ],
        "pure crates are synchronous",
    ),
    (
        "k8s-openapi",
        &["controller", "executor", "node", "standalone", "cli", "server"],
        "the model has lean types of its own",
    ),
];

pub fn check() -> anyhow::Result<Vec<String>> {
    let text = shell::output(shell::cargo().args(["metadata", "--format-version", "1", "--no-deps"]))?;
    let metadata: Value = serde_json::from_str(&text).context("reading `cargo metadata`")?;
    let mut faults = Vec::new();
    for package in metadata["packages"].as_array().into_iter().flatten() {
        check_package(package, &mut faults);
    }
    Ok(faults)
}

fn check_package(package: &Value, faults: &mut Vec<String>) {
    let file = package["manifest_path"].as_str().unwrap_or_default();
    let name = short(package["name"].as_str().unwrap_or_default());
    if FREE.contains(&name) {
        return;
    }
    let Some((_, allowed)) = LAYERS.iter().find(|(n, _)| *n == name) else {
        faults.push(format!("{file}: {name} is not in the layer table"));
        return;
    };
    for dependency in package["dependencies"].as_array().into_iter().flatten() {
        let used = dependency["name"].as_str().unwrap_or_default();
        let for_tests = dependency["kind"].as_str() == Some("dev");
        if !for_tests
            && let Some((_, users, reason)) = KEPT.iter().find(|(n, ..)| *n == used)
            && !users.contains(&name)
        {
            faults.push(format!("{file}: {name} must not use {used}: {reason}"));
        }
        if dependency["path"].is_null() || for_tests && short(used) == "testkit" {
            continue;
        }
        // Tests may go round the table (the node's run against the embedded API), except those of the API itself: they
        // must run against a real one, too.
        let bound = !for_tests || name == "apiserver";
        if bound && !allowed.contains(&short(used)) {
            faults.push(format!(
                "{file}: {name} must not use {}: the layer table has no such edge",
                short(used)
            ));
        }
    }
    let text = std::fs::read_to_string(file).unwrap_or_default();
    if !text.contains("[lints]\nworkspace = true") {
        faults.push(format!("{file}: does not inherit the workspace's lints"));
    }
}

fn short(name: &str) -> &str {
    name.strip_prefix("argosy-").unwrap_or(name)
}
