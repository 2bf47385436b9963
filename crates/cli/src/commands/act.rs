//! `argosy suspend`, `resume`, `stop`, `terminate`

use std::process::ExitCode;

use argosy_model::Workflow;
use serde_json::{Value, json};

use super::emit;
use crate::api::{Api, Selection};
use crate::connection;
use crate::print::glyph::is_paused;
use crate::print::lookup::Filter;

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
        let workflow = api.get(&name).await?;
        anyhow::ensure!(!is_done(&workflow), "cannot suspend completed workflows");
        api.patch(&workflow.metadata.name, &json!({"spec": {"suspend": true}}))
            .await?;
        emit(&format!("workflow {} suspended\n", workflow.metadata.name))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// # Errors
/// When a workflow is missing, nothing in it is paused, or the server refuses.
pub async fn resume(args: ResumeArgs, connection: &connection::Options) -> anyhow::Result<ExitCode> {
    let filter = Filter::new("", &args.node_field_selector)?;
    let api = connection.connect().await?;
    for name in args.names {
        let workflow = api.get(&name).await?;
        let mut patch = json!({"status": {"nodes": ended_pauses(&workflow, &filter, "Succeeded", "")}});
        if args.node_field_selector.is_empty() {
            patch["spec"] = json!({"suspend": null});
        } else {
            check_matched(&patch, &args.node_field_selector)?;
        }
        api.patch(&workflow.metadata.name, &patch).await?;
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
    let filter = Filter::new("", &node_field_selector)?;
    let api = connection.connect().await?;
    for workflow in choose(&api, &chosen, connection).await? {
        let name = &workflow.metadata.name;
        let patch = if node_field_selector.is_empty() {
            json!({"spec": {"shutdown": "Stop"}})
        } else {
            let patch = json!({"status": {"nodes": ended_pauses(&workflow, &filter, "Failed", &message)}});
            check_matched(&patch, &node_field_selector)?;
            patch
        };
        shut(&api, &workflow, &patch, chosen.dry_run).await?;
        emit(&format!("workflow {name} stopped{}\n", dry(chosen.dry_run)))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// # Errors
/// When nothing is chosen, a workflow is missing, or the server refuses.
pub async fn terminate(args: TerminateArgs, connection: &connection::Options) -> anyhow::Result<ExitCode> {
    let api = connection.connect().await?;
    for workflow in choose(&api, &args.chosen, connection).await? {
        shut(
            &api,
            &workflow,
            &json!({"spec": {"shutdown": "Terminate"}}),
            args.chosen.dry_run,
        )
        .await?;
        emit(&format!(
            "workflow {} terminated{}\n",
            workflow.metadata.name,
            dry(args.chosen.dry_run)
        ))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A selector that chooses no pause is a slip, not a wish.
fn check_matched(patch: &Value, selector: &str) -> anyhow::Result<()> {
    let none = patch["status"]["nodes"]
        .as_object()
        .is_none_or(serde_json::Map::is_empty);
    anyhow::ensure!(
        !none,
        "currently, set only targets suspend nodes: no suspend nodes matching nodeFieldSelector: {selector}"
    );
    Ok(())
}

async fn choose(
    api: &Api,
    chosen: &Chosen,
    connection: &connection::Options,
) -> anyhow::Result<Vec<Workflow>> {
    let by_selector = !chosen.selector.is_empty() || !chosen.field_selector.is_empty();
    anyhow::ensure!(
        by_selector || !chosen.names.is_empty(),
        "requires either selector or workflow"
    );
    let mut found: Vec<Workflow> = Vec::new();
    if by_selector {
        let labels = [connection.instance_selector(), chosen.selector.clone()];
        let labels = labels
            .into_iter()
            .filter(|l| !l.is_empty())
            .collect::<Vec<_>>()
            .join(",");
        let selection = Selection {
            labels,
            fields: chosen.field_selector.clone(),
            ..Selection::default()
        };
        found = api
            .list(&selection)
            .await?
            .into_iter()
            .filter(|w| !is_done(w))
            .collect();
    }
    for name in &chosen.names {
        let workflow = api.get(name).await?;
        if found.iter().all(|w| w.metadata.name != workflow.metadata.name) {
            found.push(workflow);
        }
    }
    Ok(found)
}

async fn shut(api: &Api, workflow: &Workflow, patch: &Value, dry_run: bool) -> anyhow::Result<()> {
    let (name, namespace) = (&workflow.metadata.name, &workflow.metadata.namespace);
    anyhow::ensure!(
        !is_done(workflow),
        "cannot shutdown a completed workflow: workflow: \"{name}\", namespace: \"{namespace}\""
    );
    if !dry_run {
        api.patch(name, patch).await?;
    }
    Ok(())
}

/// The change that ends the chosen pauses of a workflow.
fn ended_pauses(workflow: &Workflow, filter: &Filter, phase: &str, message: &str) -> Value {
    let now = argosy_model::k8s::Time(jiff::Timestamp::now());
    let mut nodes = serde_json::Map::new();
    for (id, _) in workflow
        .status
        .nodes
        .iter()
        .filter(|(_, n)| is_paused(n) && filter.matches(n))
    {
        let mut change = json!({"phase": phase, "finishedAt": now.to_string()});
        if !message.is_empty() {
            change["message"] = message.into();
        }
        nodes.insert(id.clone(), change);
    }
    nodes.into()
}

fn is_done(workflow: &Workflow) -> bool {
    crate::follow::is_complete(workflow)
}

fn dry(dry_run: bool) -> &'static str {
    if dry_run { " (dry-run)" } else { "" }
}
