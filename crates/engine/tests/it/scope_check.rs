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
    let found: Vec<(String, String)> = scope_check::check(&spec, Of::Workflow, true)
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
                 in scope: inputs.parameters, inputs.parameters.name, lastRetry.duration, lastRetry.exitCode, \
                 lastRetry.message, lastRetry.status, node.name, pod.name, retries, steps.name, tasks.name, \
                 workflow.annotations, …",
            ),
            (
                "spec.templates[0].container.args[1]",
                "failed to resolve {{workflow.parameters.en}}\n  did you mean workflow.parameters.env?\n  \
                 in scope: workflow.parameters, workflow.parameters.env, workflow.parameters.json, inputs.parameters, \
                 inputs.parameters.name, lastRetry.duration, lastRetry.exitCode, lastRetry.message, \
                 lastRetry.status, node.name, pod.name, retries, …",
            ),
            (
                "spec.templates[0].retryStrategy.expression",
                "unexpected token EOF\n  | 1 +\n  |   ^",
            ),
        ],
    );
}

#[test]
fn kinds_that_do_not_fit_are_told() {
    check(
        &json!([
            {"name": "main", "inputs": {"parameters": [{"name": "n"}, {"name": "l"}]}, "steps": [[
                {"name": "a", "template": "work"},
                {"name": "b", "template": "work", "withItems": [1], "arguments": {"parameters": [
                    {"name": "1", "value": "{{=inputs.parameters.n * 2}}"},
                    {"name": "2", "value": "{{=filter(inputs.parameters.l, # > 1)}}"},
                    {"name": "3", "value": "{{=workflow.name.first}}"},
                    {"name": "4", "value": "{{=steps.a.outputs.parameters.twice - 1}}"},
                    {"name": "5", "value": "{{=steps.a.outputs.parameters.tvice}}"},
                    {"name": "6", "value": "{{=item + 1}} {{=asInt(steps.a.outputs.parameters.twice) - 1}}"},
                    {"name": "7", "value": "{{=sprig.trimm(workflow.name)}} {{=lastRetry.exitCode}}"},
                ]}},
            ]]},
            {"name": "work", "container": {"image": "i"},
             "outputs": {"parameters": [{"name": "twice", "valueFrom": {"path": "/t"}}]}},
        ]),
        &[
            (
                "spec.templates[0].steps[0][1].arguments.parameters[0].value",
                "invalid operation: * (mismatched types string and int)\n  | inputs.parameters.n * 2\n  |                     ^",
            ),
            (
                "spec.templates[0].steps[0][1].arguments.parameters[1].value",
                "builtin filter takes only array (got string)\n  | filter(inputs.parameters.l, # > 1)\n  |                          ^",
            ),
            (
                "spec.templates[0].steps[0][1].arguments.parameters[2].value",
                "type string has no field first\n  | workflow.name.first\n  |               ^",
            ),
            (
                "spec.templates[0].steps[0][1].arguments.parameters[3].value",
                "invalid operation: - (mismatched types string and int)\n  | steps.a.outputs.parameters.twice - 1\n  \
                 |                                  ^",
            ),
            (
                "spec.templates[0].steps[0][1].arguments.parameters[4].value",
                "unknown name steps.a.outputs.parameters.tvice\n  | steps.a.outputs.parameters.tvice\n  | ^\n  \
                 did you mean steps.a.outputs.parameters.twice?\n  in scope: steps.a.outputs.parameters.twice, \
                 inputs.parameters, inputs.parameters.l, inputs.parameters.n, item, node.name, steps.a.exitCode, \
                 steps.a.finishedAt, steps.a.hostNodeName, steps.a.id, steps.a.ip, steps.a.outputs.result, …",
            ),
            (
                "spec.templates[0].steps[0][1].arguments.parameters[6].value",
                "unknown name sprig.trimm\n  | sprig.trimm(workflow.name)\n  | ^\n  did you mean sprig.trim?\n  \
                 in scope: inputs.parameters, inputs.parameters.l, inputs.parameters.n, item, node.name, steps.a.exitCode, \
                 steps.a.finishedAt, steps.a.hostNodeName, steps.a.id, steps.a.ip, steps.a.outputs.parameters.twice, \
                 steps.a.outputs.result, …",
            ),
            (
                "spec.templates[0].steps[0][1].arguments.parameters[6].value",
                "unknown name lastRetry.exitCode\n  | lastRetry.exitCode\n  | ^\n  \
                 in scope: inputs.parameters, inputs.parameters.l, inputs.parameters.n, item, node.name, steps.a.exitCode, \
                 steps.a.finishedAt, steps.a.hostNodeName, steps.a.id, steps.a.ip, steps.a.outputs.parameters.twice, \
                 steps.a.outputs.result, …",
            ),
        ],
    );
}

#[test]
fn places_have_variables_of_their_own() {
    check(
        &json!([
            {"name": "main", "data": {"transformation": [{"expression": "filter(data, # endsWith 'x')"}]},
             "metrics": {"prometheus": [{"name": "m", "help": "h", "gauge": {"value": "{{=asInt(duration) + 1}}"}}]}},
            {"name": "call", "http": {"url": "u", "successCondition": "response.statusCode == 200 && body == ''"}},
        ]),
        &[(
            "spec.templates[1].http.successCondition",
            "unknown name body\n  | response.statusCode == 200 && body == ''\n  |                               ^\n  \
             in scope: inputs.parameters, node.name, request.body, request.headers, request.method, request.url, \
             response.body, response.headers, response.statusCode, steps.name, tasks.name, workflow.annotations, …",
        )],
    );
}

#[test]
fn conditions_of_cron_workflows_have_their_own_variables() {
    let cron = serde_json::from_value(json!({"spec": {
        "when": "{{=cronworkflow.lastScheduledTime == nil || cronworkflow.faild > 1}}",
        "stopStrategy": {"expression": "cronworkflow.failed >= 3 && workflow.name == ''"},
    }}))
    .expect("the case is a cron workflow");
    let found = scope_check::check_cron(&cron, true);
    let places: Vec<String> = found.iter().map(|f| path_text(&f.place)).collect();
    let found: Vec<(&str, &str)> = places
        .iter()
        .zip(&found)
        .map(|(place, f)| (place.as_str(), f.diagnosis.message.as_str()))
        .collect();
    assert_eq!(
        found,
        [
            ("spec.stopStrategy.expression", "unknown name workflow.name"),
            ("spec.when", "unknown name cronworkflow.faild"),
        ]
    );
    assert_eq!(scope_check::check_cron(&cron, false).len(), 1);
}
