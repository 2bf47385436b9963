//! `argosy logs`

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use argosy_model::Workflow;

use crate::api::Api;
use crate::connection;
use crate::failure::advise;
use crate::follow::{self, States};
use crate::logs::{self, Line, Options, Reader};
use crate::print::Style;
use crate::print::glyph::log_line;
use crate::print::time::parse_duration;
use crate::view::Quiet;

/// Arguments of `logs`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Name of the workflow; @latest is the newest one
    workflow: String,
    /// Name of a pod or of a node; otherwise all
    pod: Option<String>,
    /// The container
    #[arg(short, long, default_value = "main")]
    container: String,
    /// Wait for more until the workflow has ended
    #[arg(short, long)]
    follow: bool,
    /// The previous run of the container
    #[arg(short, long)]
    previous: bool,
    /// Lines that are not older than this, such as 10m
    #[arg(long)]
    since: Option<String>,
    /// Lines that are not older than this time (RFC 3339)
    #[arg(long)]
    since_time: Option<String>,
    /// That many of the last lines; -1 is all
    #[arg(long, default_value_t = -1, allow_negative_numbers = true)]
    tail: i64,
    /// Lines that match this regular expression
    #[arg(long)]
    grep: Option<String>,
    /// Pods with these labels
    #[arg(short = 'l', long, default_value = "", hide_default_value = true)]
    selector: String,
    /// With the time before each line
    #[arg(long)]
    timestamps: bool,
    /// Without colours
    #[arg(long)]
    no_color: bool,
}

/// # Errors
/// When arguments are wrong, the workflow is missing, or the server can't be reached.
pub async fn perform(args: Args, connection: &connection::Options) -> anyhow::Result<ExitCode> {
    let Args {
        workflow,
        pod,
        container,
        follow,
        previous,
        since,
        since_time,
        tail,
        grep,
        selector,
        timestamps,
        no_color,
    } = args;
    anyhow::ensure!(
        since.is_none() || since_time.is_none(),
        "--since-time and --since cannot be used together"
    );
    let since_secs = match since.as_deref() {
        None | Some("0s") => None,
        Some(text) => Some(
            parse_duration(text)
                .with_context(|| format!("--since {text}: expected a length of time such as 10m"))?,
        ),
    };
    let since_time = since_time
        .map(|time| {
            time.parse::<jiff::Timestamp>()
                .with_context(|| format!("--since-time {time}"))
        })
        .transpose()?;
    let grep = grep
        .map(|g| regex::Regex::new(&g))
        .transpose()
        .context("--grep")?;
    let options = Options {
        of: pod,
        selector,
        container,
        follow,
        previous,
        since_secs,
        since_time,
        tail: usize::try_from(tail).ok(),
        grep,
        timestamps,
        without_executor: false,
    };
    let api = connection.connect().await?;
    let found = api.get(&workflow).await?;
    let style = Style::from_environment(no_color, false);
    if follow && !follow::is_complete(&found) {
        follow_all(&api, found, options, style).await?;
    } else {
        print_now(&api, &found, options, style).await?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Shows the logs of a workflow's pods as they are written, until it has ended.
///
/// # Errors
/// When the server can't be reached any more.
pub async fn follow_all(api: &Api, workflow: Workflow, options: Options, style: Style) -> anyhow::Result<()> {
    let mut states = States::from([(0, workflow)]);
    let mut view = Quiet::new(std::io::stdout(), style);
    follow::follow(api, &mut states, Some(options), &mut view, std::future::pending()).await?;
    Ok(())
}

/// Shows what all pods have written, sorted by time.
async fn print_now(api: &Api, workflow: &Workflow, options: Options, style: Style) -> anyhow::Result<()> {
    let api = api.within(&workflow.metadata.namespace);
    let sources = logs::sources(&api, workflow, &options).await?;
    if let Some(of) = &options.of
        && sources.is_empty()
    {
        return Err(advise(
            anyhow::anyhow!("workflow {} has no pod {of} with a log", workflow.metadata.name),
            "give the name of a pod, or the name of a node",
        ));
    }
    let options = Options {
        follow: false,
        ..options
    };
    let mut out = std::io::BufWriter::new(std::io::stdout());
    let show = |line: &Line| writeln!(out, "{}", log_line(&line.pod, &line.content, style.colour)).is_ok();
    Reader::new(&api, workflow, options).in_order(sources, show).await;
    // A reader that went away wants no more.
    let _ = out.flush();
    Ok(())
}
