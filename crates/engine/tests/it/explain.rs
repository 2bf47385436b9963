//! What is told beside the contract's text when a tag or expression has failed while a workflow ran.

use argosy_engine::scope_check::explain;
use argosy_model::Workflow;
use serde_json::json;

/// A step of `main` calls `work`; the node `w[0]` is that of the step group, `w[0].a` that of the step.
fn workflow() -> Workflow {
    serde_json::from_value(json!({
        "metadata": {"name": "w"},
        "spec": {
            "entrypoint": "main",
            "templates": [
                {"name": "main", "steps": [[
                    {"name": "a", "template": "work", "arguments": {"parameters": [
                        {"name": "count", "value": "{{= 1 + asInt(workflow.name) }}"},
                        {"name": "other", "value": "{{steps.b.outputs.result}}"}
                    ]}}
                ]]},
                {"name": "work", "inputs": {"parameters": [{"name": "count"}, {"name": "other"}]},
                 "container": {"image": "i", "args": ["{{=inputs.parameters.coumt + 'x'}}", "{{=sprig.fail('no')}}"]}}
            ]
        },
        "status": {"nodes": {
            "w": {"id": "w", "name": "w", "templateName": "main", "templateScope": "local/w"},
            "g": {"id": "g", "name": "w[0]", "boundaryID": "w", "templateScope": "local/w"},
            "a": {"id": "a", "name": "w[0].a", "boundaryID": "w", "templateName": "work", "templateScope": "local/w"}
        }}
    }))
    .expect("a workflow")
}

fn check(node: &str, message: &str, wanted: &str) {
    let workflow = workflow();
    let told = explain(&workflow, workflow.status.nodes.get(node), message)
        .map(|diagnosis| diagnosis.to_string())
        .unwrap_or_default();
    let first: Vec<&str> = told
        .lines()
        .filter(|line| !line.starts_with("  in scope"))
        .collect();
    assert_eq!(first.join("\n"), wanted, "{message}");
}

#[test]
fn an_expression_of_the_caller_is_shown_with_a_caret() {
    check(
        "g",
        "failed to evaluate expression: invalid operation: int(w) (1:6)\n |  1 + asInt(workflow.name) \n | .....^",
        "failed to evaluate expression: invalid operation: int(w) (1:6)\n  |  1 + asInt(workflow.name) \n  |      ^",
    );
}

#[test]
fn a_name_that_nothing_gives_is_told_with_the_nearest_one() {
    check(
        "a",
        "failed to evaluate expression: inputs.parameters.coumt is missing",
        "failed to evaluate expression: inputs.parameters.coumt is missing\n  | inputs.parameters.coumt + 'x'\n  | ^\n  \
         did you mean inputs.parameters.count?",
    );
    check(
        "g",
        "failed to resolve {{steps.b.outputs.result}}",
        "failed to resolve {{steps.b.outputs.result}}\n  did you mean steps.a.outputs.result?",
    );
}

#[test]
fn other_messages_are_left_alone() {
    check("a", "Error (exit code 1)", "");
    check("a", "", "");
    check("w", "child 'a' failed", "");
}
