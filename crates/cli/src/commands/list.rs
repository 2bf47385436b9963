//! `argosy list`

use std::process::ExitCode;

use argosy_model::Workflow;

use super::emit;
use crate::api::Selection;
use crate::connection;
use crate::print::time::parse_duration;
use crate::print::{Clock, list};

/// Label with the phase of a workflow.
const PHASE: &str = "workflows.argoproj.io/phase";
/// Label of workflows that have ended.
pub(super) const COMPLETED: &str = "workflows.argoproj.io/completed";
/// Label of workflows made from others.
const RESUBMITTED: &str = "workflows.argoproj.io/resubmitted-from-workflow";

/// Which workflows a command is about.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct Choice {
    /// Workflows of all namespaces
    #[arg(short = 'A', long)]
    pub all_namespaces: bool,
    /// Workflows that have ended
    #[arg(long)]
    pub completed: bool,
    /// Workflows that were resubmitted
    #[arg(long)]
    pub resubmitted: bool,
    /// Workflows whose name starts like this
    #[arg(long, default_value = "", hide_default_value = true)]
    pub prefix: String,
    /// Workflows that ended longer ago than this, such as 10m, 3h or 1d
    #[arg(long)]
    pub older: Option<String>,
    /// Workflows in one of these phases
    #[arg(long, value_delimiter = ',')]
    pub status: Vec<String>,
    /// Label selector
    #[arg(short = 'l', long, default_value = "", hide_default_value = true)]
    pub selector: String,
    /// Field selector
    #[arg(long, default_value = "", hide_default_value = true)]
    pub field_selector: String,
}

impl Choice {
    /// What the server can choose by.
    pub fn selection(&self, running: bool, instance: String, chunk: u32) -> Selection {
        let mut labels = vec![instance];
        if !self.selector.is_empty() {
            labels.push(self.selector.clone());
        }
        if !self.status.is_empty() {
            labels.push(format!("{PHASE} in ({})", self.status.join(",")));
        }
        if self.completed {
            labels.push(format!("{COMPLETED}=true"));
        }
        if running {
            labels.push(format!("{COMPLETED}!=true"));
        }
        if self.resubmitted {
            labels.push(RESUBMITTED.to_owned());
        }
        let (labels, fields) = (labels.join(","), self.field_selector.clone());
        Selection {
            labels,
            fields,
            all_namespaces: self.all_namespaces,
            chunk,
        }
    }

    /// What only we can choose by.
    ///
    /// # Errors
    /// When a length of time can't be read.
    pub fn keep(
        &self,
        workflows: &mut Vec<Workflow>,
        since: Option<&str>,
        clock: &Clock,
    ) -> anyhow::Result<()> {
        workflows.retain(|w| w.metadata.name.starts_with(&self.prefix));
        if let Some(before) = moment(self.older.as_deref(), clock)? {
            workflows.retain(|w| w.status.finished_at.is_some_and(|t| t.0 < before));
        }
        if let Some(after) = moment(since, clock)? {
            workflows.retain(|w| w.metadata.creation_timestamp.is_some_and(|t| t.0 > after));
        }
        Ok(())
    }
}

/// The point in time that lies a length such as `3h` back.
fn moment(length: Option<&str>, clock: &Clock) -> anyhow::Result<Option<jiff::Timestamp>> {
    let Some(text) = length.filter(|t| !t.is_empty()) else {
        return Ok(None);
    };
    let secs = parse_duration(text)
        .ok_or_else(|| anyhow::anyhow!("{text}: expected a length of time such as 30s, 10m, 3h or 1d"))?;
    Ok(Some(
        clock.now.checked_sub(jiff::SignedDuration::from_secs(secs))?,
    ))
}

/// Arguments of `list`.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[command(flatten)]
    choice: Choice,
    /// Workflows that have not ended
    #[arg(long)]
    running: bool,
    /// Workflows made less long ago than this, such as 10m, 3h or 1d
    #[arg(long)]
    since: Option<String>,
    /// Form of output: name, json, yaml or wide
    #[arg(short, long, default_value = "", hide_default_value = true)]
    output: String,
    /// Leave out the row of headings
    #[arg(long)]
    no_headers: bool,
    /// How many workflows are asked for at a time
    #[arg(long, default_value_t = 0, hide_default_value = true)]
    chunk_size: u32,
}

/// # Errors
/// When arguments exclude each other, or the server can't be reached.
pub async fn perform(args: Args, connection: &connection::Options) -> anyhow::Result<ExitCode> {
    let Args {
        choice,
        running,
        since,
        output,
        no_headers,
        chunk_size,
    } = args;
    anyhow::ensure!(
        !(choice.completed && running),
        "--completed and --running cannot be used together"
    );
    if !matches!(output.as_str(), "" | "name" | "json" | "yaml" | "wide") {
        anyhow::bail!("unknown output mode: {output}");
    }
    let api = connection.connect().await?;
    let clock = Clock::system();
    let mut workflows = api
        .list(&choice.selection(running, connection.instance_selector(), chunk_size))
        .await?;
    choice.keep(&mut workflows, since.as_deref(), &clock)?;
    list::sort(&mut workflows);
    let options = list::Options {
        no_headers,
        namespace: choice.all_namespaces,
        uid: false,
    };
    emit(&list::text(&workflows, &clock, &output, options)?)?;
    Ok(ExitCode::SUCCESS)
}
