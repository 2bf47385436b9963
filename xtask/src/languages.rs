//! Figures of the template languages: reading and evaluating typical tags, big parameters, long lists. The same work in
//! the peer's way (template to JSON text, scan for tags, text back to a template) was measured apart; see
//! `docs/expressions.md`.

use std::collections::BTreeMap;
use std::hint::black_box;
use std::time::Instant;

use argosy_engine::Substitution;
use argosy_model::Template;
use argosy_template::{Expr, Level, Tags};
use serde_json::{Value, json};

/// Bytes of the big parameter.
const BIG: usize = 1 << 20;

/// Elements of the long list.
const LONG: usize = 10_000;

/// Each thing with its time in microseconds: median, least, most.
///
/// # Errors
/// When an expression or a tag fails.
pub fn measure(runs: usize) -> anyhow::Result<Vec<(&'static str, [f64; 3])>> {
    const EXPRESSION: &str =
        "asInt(inputs.parameters.n) > 3 && workflow.name startsWith \"w\" ? \"yes\" : \"no\"";
    const TEXT: &str = "--n={{inputs.parameters.n}} --name={{workflow.name}}";
    let mut scope = BTreeMap::from([
        ("inputs.parameters.n".to_owned(), json!("4")),
        ("workflow.name".to_owned(), json!("w-1")),
        ("workflow.status".to_owned(), json!("Running")),
    ]);
    for i in 0..50 {
        scope.insert(format!("workflow.parameters.p{i}"), json!("value"));
    }
    let expression = Expr::compile(EXPRESSION)?;
    let text = Tags::compile(TEXT)?;
    let fill = |template: &Template, scope: &BTreeMap<String, Value>| {
        Substitution::lenient(&[scope]).apply(template).map(drop)
    };
    let mut all = vec![
        (
            "read an expression",
            timed(runs, 200, || Expr::compile(EXPRESSION).map(drop))?,
        ),
        (
            "evaluate it",
            timed(runs, 200, || expression.eval(&scope).map(drop))?,
        ),
        (
            "put values into a text",
            timed(runs, 200, || text.text(&scope, Level::Strict).map(drop))?,
        ),
    ];
    let items: Vec<String> = (0..LONG)
        .map(|i| format!("{{\"id\":{i},\"name\":\"n{i}\"}}"))
        .collect();
    scope.insert("inputs.parameters.big".to_owned(), json!("x".repeat(BIG)));
    scope.insert(
        "inputs.parameters.items".to_owned(),
        json!(format!("[{}]", items.join(","))),
    );
    for (what, repetitions, first, last) in TEMPLATES {
        let template: Template = serde_json::from_value(template(first, last))?;
        let filled = Substitution::lenient(&[&scope]).apply(&template)?;
        let left = filled
            .container
            .iter()
            .flat_map(|c| &c.args)
            .find(|arg| arg.contains("{{"));
        anyhow::ensure!(left.is_none(), "{what}: {left:?} was left");
        all.push((what, timed(runs, repetitions, || fill(&template, &scope))?));
    }
    Ok(all)
}

/// Templates by what is special in them: how often each is measured at once, and its first and last argument.
const TEMPLATES: [(&str, u32, &str, &str); 5] = [
    (
        "put values into a template of 12 simple tags",
        50,
        "echo {{inputs.parameters.n}}",
        "{{inputs.parameters.n}}",
    ),
    (
        "the same with an expression",
        50,
        "echo {{inputs.parameters.n}}",
        "{{=asInt(inputs.parameters.n) + 1}}",
    ),
    (
        "the same with a parameter of 1 MiB",
        2,
        "{{inputs.parameters.big}}",
        "{{=asInt(inputs.parameters.n) + 1}}",
    ),
    (
        "the same with 10,000 items as text, twice",
        2,
        "{{inputs.parameters.items}}",
        "{{=inputs.parameters.items}}",
    ),
    (
        "the same with 10,000 items filtered and summed up",
        1,
        "{{inputs.parameters.n}}",
        "{{=sum(map(filter(fromJSON(inputs.parameters.items), int(.id) % 2 == 0), .id))}}",
    ),
];

/// A template as people write them, with 12 tags.
fn template(first: &str, last: &str) -> Value {
    let env: Vec<Value> = (0..8)
        .map(|i| json!({"name": format!("E{i}"), "value": format!("{{{{workflow.parameters.p{i}}}}}")}))
        .collect();
    json!({
        "name": "work",
        "inputs": {"parameters": [{"name": "n", "value": "4"}]},
        "metadata": {"labels": {"of": "{{workflow.name}}"}},
        "container": {
            "image": "busybox:1.36",
            "command": ["sh", "-c"],
            "args": [first, "{{workflow.name}}", last],
            "env": env,
            "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}, "limits": {"memory": "128Mi"}},
        },
        "retryStrategy": {"limit": "3", "retryPolicy": "Always"},
    })
}

/// Median, least and most in microseconds, each the mean of some repetitions.
fn timed<E: std::error::Error + Send + Sync + 'static>(
    runs: usize,
    repetitions: u32,
    once: impl Fn() -> Result<(), E>,
) -> anyhow::Result<[f64; 3]> {
    once()?;
    let mut all = Vec::new();
    for _ in 0..runs.max(1) {
        let started = Instant::now();
        for _ in 0..repetitions {
            black_box(once())?;
        }
        all.push(started.elapsed().as_secs_f64() * 1e6 / f64::from(repetitions));
    }
    all.sort_by(f64::total_cmp);
    Ok([all[all.len() / 2], all[0], all[all.len() - 1]])
}
