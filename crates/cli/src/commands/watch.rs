//! `argosy watch`: the view of `get`, again and again until the workflow has ended.

use std::process::ExitCode;

use argosy_model::Workflow;

use super::get::NodeArgs;
use super::{Output, emit, show};
use crate::api::Api;
use crate::connection;
use crate::failure::tell;
use crate::follow::{self, States, View};
use crate::logs::Line;
use crate::print::Style;
use crate::print::lookup::Filter;

/// Arguments of `watch`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Name of the workflow; @latest is the newest one
    name: String,
    #[command(flatten)]
    nodes: NodeArgs,
}

/// # Errors
/// When the workflow is missing or the server can't be reached.
pub async fn perform(args: Args, connection: &connection::Options) -> anyhow::Result<ExitCode> {
    let Args { name, nodes } = args;
    let filter = Filter::new(&nodes.status, &nodes.node_field_selector)?;
    let api = connection.connect().await?;
    let workflow = api.get(&name).await?;
    watch(&api, workflow, filter).await?;
    Ok(ExitCode::SUCCESS)
}

/// Shows a workflow until it has ended.
///
/// # Errors
/// When the server can't be reached any more.
pub async fn watch(api: &Api, workflow: Workflow, filter: Filter) -> anyhow::Result<()> {
    let mut view = Screen { filter, last: None };
    let mut states = States::from([(0, workflow)]);
    follow::follow(api, &mut states, None, &mut view, std::future::pending()).await?;
    Ok(())
}

struct Screen {
    filter: Filter,
    last: Option<Workflow>,
}

impl Screen {
    fn draw(&self) {
        let Some(workflow) = &self.last else { return };
        // The clearing goes to standard error, so that a redirected view holds text only.
        tell("\x1b[H\x1b[2J\x1b[0;0H");
        let shown = show(
            workflow,
            Output::Text,
            Style::from_environment(false, false),
            &self.filter,
        );
        if let Ok(text) = shown {
            let _ = emit(&text);
        }
    }
}

impl View for Screen {
    fn changed(&mut self, workflow: &Workflow) {
        self.last = Some(workflow.clone());
        self.draw();
    }

    fn line(&mut self, _: &Line) {}

    fn tick(&mut self) {
        self.draw();
    }
}
