//! `argosy wait`

use std::process::ExitCode;

use argosy_model::{Workflow, WorkflowPhase};
use futures::future::join_all;

use crate::api::Api;
use crate::connection;
use crate::failure::{FAILED, tell};
use crate::follow::{self, States, View};
use crate::logs::Line;

/// Arguments of `wait`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Names of workflows; @latest is the newest one
    names: Vec<String>,
    /// A missing workflow is no error
    #[arg(long)]
    ignore_not_found: bool,
}

/// # Errors
/// When the server can't be found.
pub async fn perform(args: Args, connection: &connection::Options) -> anyhow::Result<ExitCode> {
    let api = connection.connect().await?;
    let good = wait(&api, &args.names, args.ignore_not_found, false).await;
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    })
}

/// Waits for workflows side by side and says of each how it ended; whether all ended well.
pub async fn wait(api: &Api, names: &[String], ignore_missing: bool, quiet: bool) -> bool {
    let ends = join_all(
        names
            .iter()
            .map(|name| wait_for(api, name, ignore_missing, quiet)),
    )
    .await;
    ends.into_iter().all(|good| good)
}

async fn wait_for(api: &Api, name: &str, ignore_missing: bool, quiet: bool) -> bool {
    let workflow = match api.get(name).await {
        Ok(workflow) => workflow,
        Err(error) if error.is_not_found() && ignore_missing => return true,
        Err(error) => {
            tell(&format!("Error: {error}\n"));
            return false;
        }
    };
    let mut states = States::from([(0, workflow)]);
    if let Err(error) = follow::follow(api, &mut states, None, &mut Silent, std::future::pending()).await {
        tell(&format!("Error: waiting for {name}: {error}\n"));
        return false;
    }
    let ended = &states[&0];
    if !follow::is_complete(ended) {
        tell(&format!(
            "Error: workflow {} was deleted before it ended\n",
            ended.metadata.name
        ));
        return false;
    }
    if !quiet {
        let _ = super::emit(&end_line(ended));
    }
    ended.status.phase == WorkflowPhase::Succeeded
}

/// `name phase at time`, in the zone of this machine.
fn end_line(workflow: &Workflow) -> String {
    let at = workflow
        .status
        .finished_at
        .unwrap_or_default()
        .0
        .to_zoned(jiff::tz::TimeZone::system());
    format!(
        "{} {} at {}\n",
        workflow.metadata.name,
        workflow.status.phase,
        at.strftime("%Y-%m-%d %H:%M:%S %z %Z")
    )
}

struct Silent;

impl View for Silent {
    fn changed(&mut self, _: &Workflow) {}
    fn line(&mut self, _: &Line) {}
}
