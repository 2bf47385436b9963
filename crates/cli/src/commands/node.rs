//! `argosy node set`

use std::process::ExitCode;

use argosy_engine::edit::{Selector, Set, set};
use argosy_model::NodePhase;
use clap::Subcommand;
use jiff::Timestamp;

use super::emit;
use crate::connection;
use crate::overrides::parameter;

/// Arguments of `node`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(subcommand)]
    command: Command,
}

/// What is done with nodes.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Set phase, message or output parameters of pauses
    Set(SetArgs),
}

/// Arguments of `node set`.
#[derive(Debug, clap::Args)]
pub struct SetArgs {
    /// Name of the workflow; @latest is the newest one
    workflow: String,
    /// Which pauses, such as displayName=approve
    #[arg(long, default_value = "", hide_default_value = true)]
    node_field_selector: String,
    /// New phase: Succeeded, Failed or Error
    #[arg(long, default_value = "", hide_default_value = true)]
    phase: String,
    /// Message to add
    #[arg(short, long, default_value = "", hide_default_value = true)]
    message: String,
    /// Value of an output parameter; can be repeated
    #[arg(short = 'p', long = "output-parameter", value_name = "NAME=VALUE")]
    output_parameters: Vec<String>,
}

/// # Errors
/// When arguments are wrong, nothing is chosen, or the server refuses.
pub async fn perform(args: Args, connection: &connection::Options) -> anyhow::Result<ExitCode> {
    let Command::Set(SetArgs {
        workflow,
        node_field_selector,
        phase,
        message,
        output_parameters,
    }) = args.command;
    let selector: Selector = node_field_selector.parse()?;
    anyhow::ensure!(
        !selector.is_empty(),
        "'set' currently only targets suspend nodes, use a node field selector to target them"
    );
    anyhow::ensure!(
        matches!(phase.as_str(), "" | "Succeeded" | "Failed" | "Error"),
        "{phase} is an invalid phase to set to"
    );
    let mut change = Set {
        phase: NodePhase::from(phase.as_str()),
        message,
        ..Set::default()
    };
    for text in &output_parameters {
        let (name, value) = parameter(text)?;
        // A quoted value is read as one; any other is taken as it stands.
        let value = if value.starts_with('"') {
            serde_json::from_str(&value).unwrap_or(value)
        } else {
            value
        };
        change.outputs.insert(name, value);
    }
    let api = connection.connect().await?;
    api.edit(&workflow, |w| set(w, &selector, &change, Timestamp::now()))
        .await?;
    emit("workflow values set\n")?;
    Ok(ExitCode::SUCCESS)
}
