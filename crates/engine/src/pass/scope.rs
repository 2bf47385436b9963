//! What siblings show to each other: `steps.<name>.…` and `tasks.<name>.…` (C-VAR-02, C-ARG-04, C-OUT-01).

use argosy_model::{NodePhase, NodeStatus, NodeType, Outputs};
use serde_json::{Value, json};

use super::Pass;
use crate::vars::{self, Vars};
use crate::{names, node};

impl Pass<'_> {
    /// Adds the variables of one node under a prefix.
    pub fn add_node_variables(&self, vars: &mut Vars, prefix: &str, node: &NodeStatus) {
        let mut text = |name: &str, value: &str| {
            if !value.is_empty() {
                vars.insert(format!("{prefix}.{name}"), vars::text(value.to_owned()));
            }
        };
        let shown = match node.type_ {
            NodeType::Retry => self.nodes.attempts(node).1.unwrap_or(node),
            _ => node,
        };
        let time =
            |t: &Option<argosy_model::k8s::Time>| t.as_ref().map_or_else(String::new, ToString::to_string);
        text("id", &shown.id);
        text("startedAt", &time(&shown.started_at));
        text("finishedAt", &time(&shown.finished_at));
        text("ip", &shown.pod_ip);
        text("status", shown.phase.as_str());
        text("hostNodeName", &shown.host_node_name);
        if let Some(outputs) = &shown.outputs {
            add_outputs(vars, prefix, outputs);
        }
    }

    /// Adds the declared outputs of a node that was skipped: their defaults, or their absence (C-ARG-04).
    pub fn add_absent_outputs(
        &self,
        vars: &mut Vars,
        prefix: &str,
        node: &NodeStatus,
        declared: Option<&Outputs>,
    ) {
        let skipped = matches!(node.phase, NodePhase::Skipped | NodePhase::Omitted) && node.outputs.is_none();
        let Some(declared) = declared.filter(|_| skipped) else {
            return;
        };
        for parameter in &declared.parameters {
            let default = parameter
                .value_from
                .as_ref()
                .and_then(|from| from.default.as_ref());
            let value = default.map_or(serde_json::Value::Null, |d| vars::text(d.to_string()));
            vars.entry(format!("{prefix}.outputs.parameters.{}", parameter.name))
                .or_insert(value);
        }
    }

    /// Adds what the items of a loop gave together (C-OUT-01).
    ///
    /// `items` are the nodes of the items, in any order; `name` is the loop's own node name.
    pub fn add_aggregate(&self, vars: &mut Vars, prefix: &str, name: &str, items: &[&NodeStatus]) {
        let mut items: Vec<&NodeStatus> = items.to_vec();
        items.sort_by_key(|n| n.name.strip_prefix(name).and_then(names::loop_index));
        let mut parameter_lists: std::collections::BTreeMap<String, Vec<String>> = Default::default();
        let mut parameters = Vec::new();
        let mut results = Vec::new();
        for item in items.iter().filter(|n| n.phase == NodePhase::Succeeded) {
            let Some(outputs) = &item.outputs else { continue };
            if !outputs.parameters.is_empty() {
                let mut row = serde_json::Map::new();
                for parameter in &outputs.parameters {
                    let value = parameter
                        .value
                        .as_ref()
                        .map_or_else(String::new, ToString::to_string);
                    row.insert(parameter.name.clone(), json!(value));
                    parameter_lists
                        .entry(parameter.name.clone())
                        .or_default()
                        .push(value);
                }
                parameters.push(Value::Object(row));
            }
            if let Some(result) = &outputs.result {
                // A result that is no JSON stands as text, where the peer fails.
                results.push(serde_json::from_str(result).unwrap_or_else(|_| json!(result)));
            }
        }
        let mut json = |name: String, value: &Value| {
            let text = argosy_model::go_json::to_string(value).expect("a JSON value is always valid JSON");
            vars.insert(format!("{prefix}.outputs.{name}"), vars::text(text));
        };
        if !results.is_empty() {
            json("result".to_owned(), &Value::Array(results));
        }
        if !parameters.is_empty() {
            json("parameters".to_owned(), &Value::Array(parameters));
        }
        for (name, values) in parameter_lists {
            let parsed: Option<Vec<Value>> = values
                .iter()
                .map(|v| {
                    serde_json::from_str(v)
                        .ok()
                        .filter(|v: &Value| v.is_object() || v.is_array())
                })
                .collect();
            let list = parsed.map_or_else(|| json!(values), Value::Array);
            json(format!("parameters.{name}"), &list);
        }
    }

    /// Nodes of a loop's items: in the boundary, named `<name>(…`, but no hooks or attempts.
    pub fn loop_items(&self, boundary: &str, name: &str) -> Vec<&NodeStatus> {
        let prefix = format!("{name}(");
        self.nodes
            .in_boundary(boundary)
            .filter(|n| n.name.starts_with(&prefix) && n.type_ != NodeType::Skipped)
            .filter(|n| n.node_flag.as_ref().is_none_or(|f| !f.retried) && !node::hooked(n))
            .collect()
    }
}

/// Adds output parameters and artifacts under a prefix, which is what hooks see of their own parent (C-HOOK-32).
pub(crate) fn add_given_outputs(vars: &mut Vars, prefix: &str, outputs: &Outputs) {
    let given = Outputs {
        result: None,
        exit_code: None,
        ..outputs.clone()
    };
    add_outputs(vars, prefix, &given);
}

/// Adds outputs under a prefix.
fn add_outputs(vars: &mut Vars, prefix: &str, outputs: &Outputs) {
    if let Some(result) = &outputs.result {
        vars.insert(format!("{prefix}.outputs.result"), vars::text(result.clone()));
    }
    if let Some(code) = &outputs.exit_code {
        vars.insert(format!("{prefix}.exitCode"), vars::text(code.clone()));
    }
    for parameter in &outputs.parameters {
        if let Some(value) = &parameter.value {
            vars.insert(
                format!("{prefix}.outputs.parameters.{}", parameter.name),
                vars::text(value.to_string()),
            );
        }
    }
    for artifact in &outputs.artifacts {
        vars.insert(
            format!("{prefix}.outputs.artifacts.{}", artifact.name),
            json!(artifact),
        );
    }
}
