//! `argosy delete`

use std::process::ExitCode;

use serde_json::json;

use super::emit;
use super::list::Choice;
use crate::api::Api;
use crate::connection;
use crate::print::Clock;

/// Arguments of `delete`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Names of workflows; @latest is the newest one
    names: Vec<String>,
    /// Every workflow
    #[arg(long)]
    all: bool,
    #[command(flatten)]
    choice: Choice,
    /// Say what would be deleted, and delete nothing
    #[arg(long)]
    dry_run: bool,
    /// Remove finalizers first
    #[arg(long)]
    force: bool,
    /// How many workflows are asked for at a time
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    query_chunk_size: u32,
}

/// # Errors
/// When nothing is chosen, or the server refuses.
pub async fn perform(args: Args, connection: &connection::Options) -> anyhow::Result<ExitCode> {
    let Args {
        names,
        all,
        choice,
        dry_run,
        force,
        query_chunk_size,
    } = args;
    let chosen = choice.completed
        || choice.resubmitted
        || choice.all_namespaces
        || !choice.prefix.is_empty()
        || choice.older.is_some()
        || !choice.status.is_empty()
        || !choice.selector.is_empty()
        || !choice.field_selector.is_empty();
    anyhow::ensure!(
        !names.is_empty() || all || chosen,
        "requires either selector or workflow"
    );
    let api = connection.connect().await?;
    let mut wanted: Vec<(String, String)> = Vec::new();
    for name in names {
        wanted.push((api.namespace.clone(), api.resolve(&name).await?));
    }
    if all || chosen {
        let mut found = api
            .list(&choice.selection(false, connection.instance_selector(), query_chunk_size))
            .await?;
        choice.keep(&mut found, None, &Clock::system())?;
        wanted.extend(found.into_iter().map(|w| (w.metadata.namespace, w.metadata.name)));
    }
    wanted.sort();
    wanted.dedup();
    if wanted.is_empty() {
        emit("No resources found\n")?;
    }
    for (namespace, name) in wanted {
        delete(&api.within(&namespace), &name, dry_run, force).await?;
    }
    Ok(ExitCode::SUCCESS)
}

async fn delete(api: &Api, name: &str, dry_run: bool, force: bool) -> anyhow::Result<()> {
    if dry_run {
        return emit(&format!("Workflow '{name}' deleted (dry-run)\n"));
    }
    let done = async {
        if force {
            api.patch(name, &json!({"metadata": {"finalizers": null}}))
                .await?;
        }
        api.delete(name).await
    };
    match done.await {
        Ok(()) => emit(&format!("Workflow '{name}' deleted\n")),
        Err(error) if error.is_not_found() => emit(&format!("Workflow '{name}' not found\n")),
        Err(error) => Err(error.into()),
    }
}
