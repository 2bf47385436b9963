//! `validate.json`: what lint, creation and submission say about objects.

use std::sync::Arc;

use argosy_engine::validate::{self, Fault, Mode};
use argosy_engine::{Config, Templates};
use argosy_model::{ClusterWorkflowTemplate, CronWorkflow, Workflow, WorkflowTemplate, decode};
use serde_json::Value;

use super::Verdict;

/// Checks one object in all modes.
pub fn check(file: &Value, vector: &Value) -> Verdict {
    let templates = templates(file)?;
    let modes = [
        ("create", Mode::default()),
        (
            "lint",
            Mode {
                lint: true,
                ..Mode::default()
            },
        ),
        (
            "submit",
            Mode {
                submit: true,
                ..Mode::default()
            },
        ),
    ];
    for (name, mode) in modes {
        let got = run(vector, &templates, mode);
        if let Some(want) = vector["decodeErr"].as_str() {
            return match got {
                Err(Refusal::Decode(text)) if text == want => Ok(()),
                got => Err(format!("want error {want:?} in decoding, got {got:?}")),
            };
        }
        let want = vector.get(name).unwrap_or(&vector["create"]);
        let got = match got {
            Ok(()) => None,
            Err(Refusal::Decode(text)) => return Err(format!("not decoded: {text}")),
            Err(Refusal::Fault(fault)) => Some(fault.to_string()),
        };
        let agree = match (want["err"].as_str(), want.get("unstable")) {
            (Some(text), _) => got.as_deref() == Some(text),
            (None, Some(texts)) => texts
                .as_array()
                .is_some_and(|t| t.iter().any(|t| t.as_str() == got.as_deref())),
            (None, None) => got.is_none(),
        };
        if !agree {
            return Err(format!("{name}: want {want}, got {got:?}"));
        }
    }
    Ok(())
}

#[derive(Debug)]
enum Refusal {
    Decode(String),
    Fault(Fault),
}

impl From<decode::Error> for Refusal {
    fn from(error: decode::Error) -> Self {
        Self::Decode(
            error
                .problems
                .first()
                .map(|p| p.go_text.clone())
                .unwrap_or_default(),
        )
    }
}

impl From<Fault> for Refusal {
    fn from(fault: Fault) -> Self {
        Self::Fault(fault)
    }
}

fn run(vector: &Value, templates: &Templates, mode: Mode) -> Result<(), Refusal> {
    let object = vector["object"].clone();
    let config = Config::default();
    match vector["kind"].as_str().unwrap_or_default() {
        "Workflow" => {
            let workflow: Workflow = decode::lenient(object)?;
            validate::check_workflow(&workflow, templates, &config, mode)?;
        }
        "WorkflowTemplate" => {
            let template: WorkflowTemplate = decode::lenient(object)?;
            validate::check_template(&template, templates, mode)?;
        }
        "ClusterWorkflowTemplate" => {
            let template: ClusterWorkflowTemplate = decode::lenient(object)?;
            validate::check_cluster_template(&template, templates, mode)?;
        }
        "CronWorkflow" => {
            let cron: CronWorkflow = decode::lenient(object)?;
            validate::check_cron_workflow(&cron, templates, &config)?;
        }
        other => panic!("unknown kind {other}"),
    }
    Ok(())
}

fn templates(file: &Value) -> Result<Templates, String> {
    let mut templates = Templates::default();
    for object in file["references"].as_array().into_iter().flatten() {
        if object["kind"] == "ClusterWorkflowTemplate" {
            let template: ClusterWorkflowTemplate =
                decode::lenient(object.clone()).map_err(|e| e.to_string())?;
            templates
                .cluster
                .insert(template.metadata.name.clone(), Arc::new(template));
        } else {
            let template: WorkflowTemplate = decode::lenient(object.clone()).map_err(|e| e.to_string())?;
            templates
                .namespaced
                .insert(template.metadata.name.clone(), Arc::new(template));
        }
    }
    Ok(templates)
}
