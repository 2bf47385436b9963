//! `argosy convert`: manifests with fields of earlier versions, rewritten with those of this one (rule C-CONV-01).
//!
//! Works on the JSON form: the old fields are no part of the model any more.

use std::process::ExitCode;

use argosy_model::{go_json, yaml};
use serde_json::{Value, json};

use super::{emit, lint};
use crate::input;
use crate::manifest::API_VERSION;

/// Arguments of `convert`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files, folders, web addresses, or - for standard input
    #[arg(required = true)]
    files: Vec<String>,
    /// Form of output: yaml or json
    #[arg(short, long, default_value = "yaml")]
    output: String,
    /// Without colours; there are none
    #[arg(long)]
    no_color: bool,
}

/// # Errors
/// When arguments are wrong or a file can't be read.
pub async fn perform(args: Args) -> anyhow::Result<ExitCode> {
    let Args {
        files,
        output,
        no_color: _,
    } = args;
    anyhow::ensure!(
        matches!(output.as_str(), "yaml" | "json"),
        "unknown output mode: {output}"
    );
    for source in input::read_all(&lint::expand(&files)?).await? {
        let documents = yaml::documents(&source.text)
            .map_err(|e| anyhow::anyhow!("{}:{}:{}: {}", source.name, e.at.line, e.at.column, e.message))?;
        for document in documents {
            let converted = convert(document.value);
            let text = match output.as_str() {
                "json" => go_json::to_string(&converted)? + "\n",
                _ => format!("---\n{}", yaml::to_string(&converted)?),
            };
            emit(&text)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// An object with the fields of this version; objects of other kinds stay as they are.
pub fn convert(mut object: Value) -> Value {
    if object["apiVersion"] != API_VERSION {
        return object;
    }
    let spec = match object["kind"].as_str() {
        Some("CronWorkflow") => {
            schedules(&mut object["spec"]);
            &mut object["spec"]["workflowSpec"]
        }
        Some("Workflow" | "WorkflowTemplate" | "ClusterWorkflowTemplate") => &mut object["spec"],
        _ => return object,
    };
    if spec.is_object() {
        locks(spec);
        if let Some(templates) = spec.get_mut("templates").and_then(Value::as_array_mut) {
            templates.iter_mut().for_each(locks);
        }
    }
    object
}

/// One schedule wins over a list of them.
fn schedules(spec: &mut Value) {
    let Some(fields) = spec.as_object_mut() else {
        return;
    };
    if let Some(one) = fields.remove("schedule")
        && one.as_str().is_some_and(|s| !s.is_empty())
    {
        fields.insert("schedules".to_owned(), json!([one]));
    }
}

/// A single lock comes after those of the list.
fn locks(holder: &mut Value) {
    let Some(synchronization) = holder.get_mut("synchronization").and_then(Value::as_object_mut) else {
        return;
    };
    for (one, many) in [("semaphore", "semaphores"), ("mutex", "mutexes")] {
        let Some(lock) = synchronization.remove(one).filter(|l| !l.is_null()) else {
            continue;
        };
        match synchronization.get_mut(many).and_then(Value::as_array_mut) {
            Some(list) => list.push(lock),
            None => {
                synchronization.insert(many.to_owned(), json!([lock]));
            }
        }
    }
}
