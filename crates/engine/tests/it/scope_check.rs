//! Warnings about variables that are not in scope; a case is a template and what is said of it.

use argosy_engine::scope_check::{self, Of};
use argosy_model::WorkflowSpec;
use argosy_model::decode::path_text;
use serde_json::json;

fn check(templates: &serde_json::Value, expected: &[(&str, &str)]) {
    let spec: WorkflowSpec = serde_json::from_value(json!({
        "entrypoint": "main",
        "arguments": {"parameters": [{"name": "env", "value": "dev"}]},
        "templates": templates,
    }))
    .expect("the case is a spec");
    let found: Vec<(String, String)> = scope_check::check(&spec, Of::Workflow)
        .into_iter()
        .map(|f| (path_text(&f.place), f.diagnosis.to_string()))
        .collect();
    let found: Vec<(&str, &str)> = found.iter().map(|(p, d)| (p.as_str(), d.as_str())).collect();
    assert_eq!(found, expected);
}

#[test]
fn what_is_in_scope_is_silent() {
    check(
        &json!([
            {"name": "main", "steps": [[{
                "name": "a", "template": "work", "withItems": [1, 2],
                "arguments": {"parameters": [{"name": "x", "value": "{{item}}-{{workflow.parameters.env}}"}]},
            }], [{
                "name": "b", "template": "work", "when": "{{steps.a.outputs.result}} == x",
                "arguments": {"parameters": [{"name": "x", "value": "{{=steps.a.outputs.result ?? 'none'}}"}]},
            }]]},
            {"name": "work", "inputs": {"parameters": [{"name": "x"}]},
             "retryStrategy": {"expression": "asInt(lastRetry.exitCode) > 1"},
             "container": {"image": "i", "args": [
                "{{inputs.parameters.x}} {{pod.name}} {{other.program}} {{=let y = inputs.parameters.x; y + '1'}}",
                "{{=sprig.trim(workflow.name)}} {{=map([1], # + 1)}} {{workflow.creationTimestamp.Y}}",
             ]}},
        ]),
        &[],
    );
}

#[test]
fn every_unknown_name_is_told_with_its_place() {
    check(
        &json!([{
            "name": "main", "inputs": {"parameters": [{"name": "name"}]},
            "container": {"image": "i", "args": ["{{=1 + asInt(inputs.parameters.nam)}}", "{{workflow.parameters.en}}"]},
            "retryStrategy": {"expression": "1 +"},
        }]),
        &[
            (
                "spec.templates[0].container.args[0]",
                "unknown name inputs.parameters.nam\n  | 1 + asInt(inputs.parameters.nam)\n  |           ^\n  \
                 did you mean inputs.parameters.name?\n  \
                 in scope: inputs.parameters, inputs.parameters.name, $env, asFloat, asInt, duration, exitCode, \
                 jsonpath, lastRetry.duration, lastRetry.exitCode, lastRetry.message, lastRetry.status, …",
            ),
            (
                "spec.templates[0].container.args[1]",
                "failed to resolve {{workflow.parameters.en}}\n  did you mean workflow.parameters.env?\n  \
                 in scope: workflow.parameters, workflow.parameters.env, workflow.parameters.json, $env, asFloat, asInt, \
                 duration, exitCode, inputs.parameters, inputs.parameters.name, jsonpath, lastRetry.duration, …",
            ),
            (
                "spec.templates[0].retryStrategy.expression",
                "unexpected token EOF\n  | 1 +\n  |   ^",
            ),
        ],
    );
}
