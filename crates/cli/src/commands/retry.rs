//! `argosy retry`

use std::process::ExitCode;

use argosy_engine::edit::{Retry, retry};
use argosy_engine::names::PodNames;
use argosy_model::Workflow;
use jiff::Timestamp;

use super::act::choose;
use super::{Afterwards, Output, emit, show};
use crate::api::Api;
use crate::connection;
use crate::failure::FAILED;
use crate::print::Style;
use crate::print::lookup::Filter;

/// Annotation that says how the pods of a workflow are named.
const POD_NAMES: &str = "workflows.argoproj.io/pod-name-format";

/// Arguments of `retry`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Names of workflows; @latest is the newest one
    names: Vec<String>,
    /// Label selector
    #[arg(short = 'l', long, default_value = "", hide_default_value = true)]
    selector: String,
    /// Field selector
    #[arg(long, default_value = "", hide_default_value = true)]
    field_selector: String,
    /// New value of an argument; can be repeated
    #[arg(short = 'p', long = "parameter", value_name = "NAME=VALUE")]
    parameters: Vec<String>,
    /// Run also nodes again that succeeded, if --node-field-selector chooses them
    #[arg(long)]
    restart_successful: bool,
    /// Which of those, such as displayName=build
    #[arg(long, default_value = "", hide_default_value = true)]
    node_field_selector: String,
    /// Form of output
    #[arg(short, long)]
    output: Option<Output>,
    #[command(flatten)]
    afterwards: Afterwards,
}

/// # Errors
/// When nothing is chosen, a workflow can't be retried, or the server refuses.
pub async fn perform(args: Args, connection: &connection::Options) -> anyhow::Result<ExitCode> {
    let Args {
        names,
        selector,
        field_selector,
        parameters,
        restart_successful,
        node_field_selector,
        output,
        afterwards,
    } = args;
    let how = Retry {
        restart_successful,
        selector: node_field_selector.parse()?,
        parameters,
    };
    let output = output.unwrap_or_default();
    let api = connection.connect().await?;
    let chosen = choose(&api, &names, &selector, &field_selector, connection).await?;
    let mut done = Vec::new();
    for workflow in chosen {
        let again = again(&api.within(&workflow.metadata.namespace), &workflow, &how).await?;
        emit(&show(
            &again,
            output,
            Style::from_environment(false, false),
            &Filter::default(),
        )?)?;
        done.push(again);
    }
    let mut good = true;
    if let [_] = done[..] {
        for workflow in done {
            good = afterwards
                .perform(&api, workflow, output, &Filter::default())
                .await?;
        }
    }
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    })
}

/// Deletes the pods of what is run again, then writes the workflow: the other way round, the controller would find the
/// old pods and take them for the new ones.
async fn again(api: &Api, workflow: &Workflow, how: &Retry) -> anyhow::Result<Workflow> {
    let format = workflow
        .metadata
        .annotations
        .get(POD_NAMES)
        .map_or("", String::as_str);
    let retried = retry(workflow, how, PodNames::parse(format), Timestamp::now())?;
    for pod in &retried.pods {
        api.delete_pod(pod).await?;
    }
    Ok(api.replace(&retried.workflow).await?)
}
