//! `--from KIND/NAME`: the workflow that a template or a CronWorkflow of the cluster stands for.

use argosy_engine::{Config, cron, from_template};
use argosy_model::{CronWorkflow, Workflow};
use jiff::Timestamp;
use serde_json::Value;

use crate::api::{Api, encode};
use crate::connection;
use crate::manifest::API_VERSION;

/// Kinds that workflows are made from, each with its plural and its names (rule W-SUB-01).
const KINDS: [(&str, &[&str]); 3] = [
    (
        "workflowtemplates",
        &["workflowtemplate", "workflowtemplates", "wftmpl"],
    ),
    (
        "clusterworkflowtemplates",
        &[
            "clusterworkflowtemplate",
            "clusterworkflowtemplates",
            "cwftmpl",
            "cwft",
        ],
    ),
    (
        "cronworkflows",
        &["cronworkflow", "cronworkflows", "cronwf", "cwf"],
    ),
];

/// The workflow of an object of the cluster, which must exist. A run of a CronWorkflow is for `time`, otherwise for now.
///
/// # Errors
/// When the text names no such object, or the server can't be reached.
pub async fn workflow(
    from: &str,
    time: Option<Timestamp>,
    connection: &connection::Options,
) -> anyhow::Result<Workflow> {
    let (kind, name) = from
        .split_once('/')
        .filter(|(_, name)| !name.is_empty())
        .ok_or_else(|| {
            anyhow::anyhow!("--from {from}: expected KIND/NAME, such as workflowtemplate/build")
        })?;
    let plural = plural(kind)?;
    let api = connection.connect().await?;
    let mut workflow = match plural {
        "cronworkflows" => {
            let cron: CronWorkflow = api.read(&path(&api, plural, name)).await?;
            let mut run = cron::child(&cron, time.unwrap_or_else(Timestamp::now), &Config::default());
            // A run by hand takes no name from the schedule, so that it can't stand in the way of the next one.
            run.metadata.generate_name = format!("{name}-");
            run.metadata.name.clear();
            run
        }
        _ => {
            api.read::<Value>(&path(&api, plural, name)).await?;
            from_template::workflow(name, plural == "clusterworkflowtemplates")
        }
    };
    workflow.metadata.namespace = api.namespace;
    Ok(workflow)
}

fn plural(kind: &str) -> anyhow::Result<&'static str> {
    let wanted = kind.to_lowercase();
    let known = KINDS.iter().find(|(_, names)| names.contains(&wanted.as_str()));
    known
        .map(|(plural, _)| *plural)
        .ok_or_else(|| anyhow::anyhow!("Resource kind '{kind}' is not supported for submitting"))
}

fn path(api: &Api, plural: &str, name: &str) -> String {
    let name = encode(name);
    match plural {
        "clusterworkflowtemplates" => format!("/apis/{API_VERSION}/{plural}/{name}"),
        _ => format!("/apis/{API_VERSION}/namespaces/{}/{plural}/{name}", api.namespace),
    }
}
