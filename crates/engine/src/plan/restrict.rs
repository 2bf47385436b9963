//! What users may set when workflows must refer to templates (C-MRG-06).

use argosy_model::{Workflow, WorkflowSpec};
use serde_json::Value;

use super::{Diagnostic, Severity};
use crate::config::Config;

/// JSON keys that stay free, with the Go names of all fields in error texts made from the keys.
const FREE: [&str; 13] = [
    "arguments",
    "entrypoint",
    "shutdown",
    "suspend",
    "activeDeadlineSeconds",
    "priority",
    "ttlStrategy",
    "podGC",
    "volumeClaimGC",
    "archiveLogs",
    "workflowMetadata",
    "workflowTemplateRef",
    "metrics",
];

fn restricted(config: &Config) -> bool {
    matches!(config.template_referencing.as_str(), "Strict" | "Secure")
}

/// Checks the restrictions on a workflow.
pub(super) fn check(workflow: &Workflow, config: &Config) -> Result<(), Diagnostic> {
    if !restricted(config) {
        return Ok(());
    }
    if workflow.spec.workflow_template_ref.is_none() {
        return Err(Diagnostic::new(
            Severity::Error,
            "workflows must use workflowTemplateRef to be executed when the controller is in reference mode",
        ));
    }
    user_overrides(&workflow.spec, &config.override_allowlist)
        .map_err(|message| Diagnostic::new(Severity::Error, message))
}

/// Refuses fields that users may not set.
///
/// # Errors
/// The text that names them by their Go names, sorted.
pub fn user_overrides(spec: &WorkflowSpec, allowlist: &[String]) -> Result<(), String> {
    let Ok(Value::Object(fields)) = serde_json::to_value(spec) else {
        return Ok(());
    };
    let mut refused: Vec<String> = Vec::new();
    for (key, value) in &fields {
        let name = go_name(key);
        if FREE.contains(&key.as_str()) || allowlist.contains(&name) || is_zero(value) {
            continue;
        }
        if key == "artifactGC" {
            let guarded = ["podSpecPatch", "serviceAccountName", "podMetadata"];
            if !guarded.iter().any(|g| value.get(g).is_some_and(|v| !is_zero(v))) {
                continue;
            }
        }
        refused.push(name);
    }
    refused.sort();
    if refused.is_empty() {
        return Ok(());
    }
    Err(format!(
        "fields [{}] are not permitted when using workflowTemplateRef with templateReferencing restriction",
        refused.join(" ")
    ))
}

/// The spec without what users may not set.
#[must_use]
pub fn sanitize(spec: &WorkflowSpec, allowlist: &[String]) -> WorkflowSpec {
    let Ok(Value::Object(mut fields)) = serde_json::to_value(spec) else {
        return spec.clone();
    };
    fields.retain(|key, _| {
        FREE.contains(&key.as_str()) || key == "artifactGC" || allowlist.contains(&go_name(key))
    });
    if let Some(Value::Object(gc)) = fields.get_mut("artifactGC") {
        for guarded in ["podSpecPatch", "serviceAccountName", "podMetadata"] {
            gc.remove(guarded);
        }
    }
    serde_json::from_value(Value::Object(fields)).unwrap_or_default()
}

/// The spec as far as the restrictions in force let it count.
pub(super) fn allowed(spec: &WorkflowSpec, config: &Config) -> WorkflowSpec {
    if restricted(config) {
        sanitize(spec, &config.override_allowlist)
    } else {
        spec.clone()
    }
}

fn is_zero(value: &Value) -> bool {
    match value {
        Value::Null => true,
        Value::String(s) => s.is_empty(),
        Value::Array(a) => a.is_empty(),
        Value::Object(o) => o.values().all(is_zero),
        Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The Go name of a field: a capital in front, and two names that are abbreviations.
fn go_name(key: &str) -> String {
    match key {
        "dnsPolicy" => "DNSPolicy".to_owned(),
        "dnsConfig" => "DNSConfig".to_owned(),
        "ttlStrategy" => "TTLStrategy".to_owned(),
        other => {
            let mut chars = other.chars();
            chars
                .next()
                .map_or_else(String::new, |c| c.to_uppercase().chain(chars).collect())
        }
    }
}
