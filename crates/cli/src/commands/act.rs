//! `argosy suspend`, `resume`, `stop`, `terminate`: edits of the engine, written back

use std::process::ExitCode;

use argosy_engine::edit::{self, Error, Selector, Set};
use argosy_model::{NodePhase, ShutdownStrategy, Workflow};
use jiff::Timestamp;

use super::emit;
use crate::api::{Api, Selection};
use crate::connection;

/// Arguments of `suspend`.
#[derive(Debug, clap::Args)]
pub struct NamesArgs {
    /// Names of workflows; @latest is the newest one
    #[arg(required = true)]
    names: Vec<String>,
}

/// Arguments of `resume`.
#[derive(Debug, clap::Args)]
pub struct ResumeArgs {
    /// Names of workflows; @latest is the newest one
    #[arg(required = true)]
    names: Vec<String>,
    /// Resume only pauses with these fields, such as displayName=approve
    #[arg(long, default_value = "", hide_default_value = true)]
    node_field_selector: String,
}

/// Which workflows `stop` and `terminate` are about.
#[derive(Debug, clap::Args)]
pub struct Chosen {
    /// Names of workflows; @latest is the newest one
    names: Vec<String>,
    /// Label selector
    #[arg(short = 'l', long, default_value = "", hide_default_value = true)]
    selector: String,
    /// Field selector
    #[arg(long, default_value = "", hide_default_value = true)]
    field_selector: String,
    /// Say what would be stopped, and stop nothing
    #[arg(long)]
    dry_run: bool,
}

/// Arguments of `stop`.
#[derive(Debug, clap::Args)]
pub struct StopArgs {
    #[command(flatten)]
    chosen: Chosen,
    /// Message for the pauses that are ended
    #[arg(long, default_value = "", hide_default_value = true)]
    message: String,
    /// End only pauses with these fields, such as displayName=approve; the workflow goes on
    #[arg(long, default_value = "", hide_default_value = true)]
    node_field_selector: String,
}

/// Arguments of `terminate`.
#[derive(Debug, clap::Args)]
pub struct TerminateArgs {
    #[command(flatten)]
    chosen: Chosen,
}

/// # Errors
/// When a workflow is missing or the server refuses.
pub async fn suspend(args: NamesArgs, connection: &connection::Options) -> anyhow::Result<ExitCode> {
    let api = connection.connect().await?;
    for name in args.names {
        let workflow = api.edit(&name, edit::suspend).await?;
        emit(&format!("workflow {} suspended\n", workflow.metadata.name))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// # Errors
/// When a workflow is missing, nothing in it is chosen, or the server refuses.
pub async fn resume(args: ResumeArgs, connection: &connection::Options) -> anyhow::Result<ExitCode> {
    let selector: Selector = args.node_field_selector.parse()?;
    let change = Set {
        phase: NodePhase::Succeeded,
        ..Set::default()
    };
    let api = connection.connect().await?;
    for name in args.names {
        let now = Timestamp::now();
        let resume = |workflow: &mut Workflow| match selector.is_empty() {
            true => edit::resume(workflow, "", now),
            false => edit::set(workflow, &selector, &change, now),
        };
        let workflow = api.edit(&name, resume).await?;
        emit(&format!("workflow {} resumed\n", workflow.metadata.name))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// # Errors
/// When nothing is chosen, a workflow is missing, or the server refuses.
pub async fn stop(args: StopArgs, connection: &connection::Options) -> anyhow::Result<ExitCode> {
    let StopArgs {
        chosen,
        message,
        node_field_selector,
    } = args;
    let selector: Selector = node_field_selector.parse()?;
    let stop = |workflow: &mut Workflow| match selector.is_empty() {
        true => edit::shutdown(workflow, ShutdownStrategy::Stop),
        false => edit::stop_nodes(workflow, &selector, &message, Timestamp::now()),
    };
    shut(&chosen, connection, "stopped", stop).await
}

/// # Errors
/// When nothing is chosen, a workflow is missing, or the server refuses.
pub async fn terminate(args: TerminateArgs, connection: &connection::Options) -> anyhow::Result<ExitCode> {
    shut(&args.chosen, connection, "terminated", |w| {
        edit::shutdown(w, ShutdownStrategy::Terminate)
    })
    .await
}

async fn shut(
    chosen: &Chosen,
    connection: &connection::Options,
    done: &str,
    change: impl Fn(&mut Workflow) -> Result<(), Error>,
) -> anyhow::Result<ExitCode> {
    let api = connection.connect().await?;
    for mut workflow in choose(
        &api,
        &chosen.names,
        &chosen.selector,
        &chosen.field_selector,
        connection,
    )
    .await?
    {
        let name = workflow.metadata.name.clone();
        if chosen.dry_run {
            change(&mut workflow)?;
            emit(&format!("workflow {name} {done} (dry-run)\n"))?;
        } else {
            api.within(&workflow.metadata.namespace)
                .edit(&name, &change)
                .await?;
            emit(&format!("workflow {name} {done}\n"))?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// The workflows that are named or match a selector, each once.
///
/// # Errors
/// When nothing is given, a workflow is missing, or the server can't be reached.
pub async fn choose(
    api: &Api,
    names: &[String],
    labels: &str,
    fields: &str,
    connection: &connection::Options,
) -> anyhow::Result<Vec<Workflow>> {
    let by_selector = !labels.is_empty() || !fields.is_empty();
    anyhow::ensure!(
        by_selector || !names.is_empty(),
        "requires either selector or workflow"
    );
    let mut found: Vec<Workflow> = Vec::new();
    if by_selector {
        let parts = [connection.instance_selector(), labels.to_owned()];
        let labels = parts
            .into_iter()
            .filter(|l| !l.is_empty())
            .collect::<Vec<_>>()
            .join(",");
        found = api
            .list(&Selection {
                labels,
                fields: fields.to_owned(),
                ..Selection::default()
            })
            .await?;
    }
    for name in names {
        let workflow = api.get(name).await?;
        if found.iter().all(|w| w.metadata.name != workflow.metadata.name) {
            found.push(workflow);
        }
    }
    Ok(found)
}
