//! `argosy get`

use std::process::ExitCode;

use super::{Output, emit, show};
use crate::connection;
use crate::print::Style;
use crate::print::lookup::Filter;

/// Which nodes are shown, and with which symbols.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct NodeArgs {
    /// Show only nodes in this phase
    #[arg(long, default_value = "", hide_default_value = true)]
    pub status: String,
    /// Show only nodes with these fields, such as displayName=build
    #[arg(long, default_value = "", hide_default_value = true)]
    pub node_field_selector: String,
}

/// Arguments of `get`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Names of workflows; @latest is the newest one
    #[arg(required = true)]
    names: Vec<String>,
    /// Form of output
    #[arg(short, long)]
    output: Option<Output>,
    #[command(flatten)]
    nodes: NodeArgs,
    /// Without colours
    #[arg(long)]
    no_color: bool,
    /// With ASCII letters only
    #[arg(long)]
    no_utf8: bool,
}

/// # Errors
/// When a workflow is missing or the server can't be reached.
pub async fn perform(args: Args, connection: &connection::Options) -> anyhow::Result<ExitCode> {
    let Args {
        names,
        output,
        nodes,
        no_color,
        no_utf8,
    } = args;
    let filter = Filter::new(&nodes.status, &nodes.node_field_selector)?;
    let api = connection.connect().await?;
    for name in names {
        let workflow = api.get(&name).await?;
        emit(&show(
            &workflow,
            output.unwrap_or_default(),
            Style::from_environment(no_color, no_utf8),
            &filter,
        )?)?;
    }
    Ok(ExitCode::SUCCESS)
}
