//! Many workflows: as a table, as names, as JSON or YAML.

use argosy_model::{Workflow, WorkflowPhase, yaml};

use super::time::Clock;
use super::workflow::{pod_counts, status};
use super::{json, table};

/// Blanks between columns.
const PADDING: usize = 3;

/// Longest parameter value shown in the table, in characters.
const VALUE: usize = 50;

/// How many workflows of one kind there may be before the reader is advised to clear up.
const MANY: usize = 100;

/// What a list shows beside the name, the state and the times.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// Leave out the row of headings.
    pub no_headers: bool,
    /// Show the namespace first.
    pub namespace: bool,
    /// Show the uid last.
    pub uid: bool,
}

/// Why a list can't be printed.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// There is no such form of output.
    #[error("unknown output mode: {0}")]
    Output(String),
    /// An object is no JSON.
    #[error("writing a workflow as JSON")]
    Json(#[from] serde_json::Error),
}

/// The list in the form asked for: empty and `wide` for the table, `name`, `json`, `yaml`.
///
/// # Errors
/// When there is no such form.
pub fn text(workflows: &[Workflow], clock: &Clock, output: &str, options: Options) -> Result<String, Error> {
    if workflows.is_empty() {
        return Ok(if matches!(output, "json" | "yaml") {
            "[]\n"
        } else {
            "No workflows found\n"
        }
        .to_owned());
    }
    match output {
        "" | "wide" => Ok(rows(workflows, clock, output == "wide", options) + &advice(workflows)),
        "name" => Ok(workflows
            .iter()
            .map(|w| format!("{}\n", w.metadata.name))
            .collect()),
        "json" => Ok(json::to_string(workflows, 2)? + "\n"),
        "yaml" => Ok(yaml::to_string(workflows)? + "\n"),
        other => Err(Error::Output(other.to_owned())),
    }
}

/// Puts workflows into the order of a list: unfinished ones first, and in both parts the newest first.
pub fn sort(workflows: &mut [Workflow]) {
    workflows.sort_by(|a, b| {
        let (x, y) = (a.status.finished_at, b.status.finished_at);
        let created = |w: &Workflow| w.metadata.creation_timestamp;
        x.is_some()
            .cmp(&y.is_some())
            .then(y.cmp(&x))
            .then(created(b).cmp(&created(a)))
            .then(a.metadata.name.cmp(&b.metadata.name))
    });
}

fn rows(workflows: &[Workflow], clock: &Clock, wide: bool, options: Options) -> String {
    let mut text = String::new();
    let mut row = |cells: &[&str]| text.push_str(&(cells.join("\t") + "\n"));
    let choose = |namespace: &'static str, wider: [&'static str; 2], uid: &'static str| {
        let mut cells = Vec::new();
        cells.extend(options.namespace.then_some(namespace));
        cells.extend(["NAME", "STATUS", "AGE", "DURATION", "PRIORITY", "MESSAGE"]);
        cells.extend(wide.then_some(wider).into_iter().flatten());
        cells.extend(options.uid.then_some(uid));
        cells
    };
    let columns = choose("NAMESPACE", ["P/R/C", "PARAMETERS"], "UID");
    if !options.no_headers {
        row(&columns);
    }
    for workflow in workflows {
        let (metadata, at) = (&workflow.metadata, &workflow.status);
        let value = |column: &&str| match *column {
            "NAMESPACE" => metadata.namespace.clone(),
            "NAME" => metadata.name.clone(),
            "STATUS" => status(workflow),
            "AGE" => clock.short_between(metadata.creation_timestamp, None),
            "DURATION" => clock.short_between(at.started_at, at.finished_at),
            "PRIORITY" => workflow.spec.priority.unwrap_or(0).to_string(),
            "MESSAGE" => at.message.clone(),
            "P/R/C" => pod_counts(workflow),
            "PARAMETERS" => parameters(workflow),
            _ => metadata.uid.clone(),
        };
        let cells: Vec<String> = columns.iter().map(value).collect();
        row(&cells.iter().map(String::as_str).collect::<Vec<_>>());
    }
    table::align(&text, PADDING)
}

fn parameters(workflow: &Workflow) -> String {
    let one = |p: &argosy_model::Parameter| Some(format!("{}={}", p.name, shortened(p.value.as_ref()?)));
    workflow
        .spec
        .arguments
        .parameters
        .iter()
        .filter_map(one)
        .collect::<Vec<_>>()
        .join(",")
}

/// Cuts the middle out of a long value, twice as much staying before as after.
fn shortened(value: &str) -> String {
    const DOTS: &str = "...";
    const AFTER: usize = (VALUE - DOTS.len()) / 3;
    let characters: Vec<char> = value.chars().collect();
    if characters.len() <= VALUE {
        return value.to_owned();
    }
    let before = VALUE - DOTS.len() - AFTER;
    let part = |range: &[char]| range.iter().collect::<String>();
    part(&characters[..before]) + DOTS + &part(&characters[characters.len() - AFTER..])
}

/// What to say when there are very many workflows.
fn advice(workflows: &[Workflow]) -> String {
    let done = |w: &&Workflow| {
        matches!(
            w.status.phase,
            WorkflowPhase::Succeeded | WorkflowPhase::Failed | WorkflowPhase::Error
        )
    };
    let completed = workflows.iter().filter(done).count();
    let (count, word) = match (completed, workflows.len() - completed) {
        (c, _) if c > MANY => (c, "completed"),
        (_, i) if i > MANY => (i, "incomplete"),
        _ => return String::new(),
    };
    format!(
        "\nYou have at least {count} {word} workflows. Reducing the total number of workflows will reduce your costs.\n\
         Learn more at https://argo-workflows.readthedocs.io/en/latest/cost-optimisation/\n"
    )
}
