//! `argosy logs`

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use argosy_model::Workflow;

use super::emit;
use crate::api::Api;
use crate::connection;
use crate::follow::{self, States};
use crate::logs::{Follower, Line, Options, WORKFLOW, has_log};
use crate::print::Style;
use crate::print::glyph::log_line;
use crate::print::time::parse_duration;
use crate::view::Quiet;

/// Arguments of `logs`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Name of the workflow; @latest is the newest one
    workflow: String,
    /// Name of a pod; otherwise all
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
    if let Some(time) = &since_time {
        time.parse::<jiff::Timestamp>()
            .with_context(|| format!("--since-time {time}"))?;
    }
    let grep = grep
        .map(|g| regex::Regex::new(&g))
        .transpose()
        .context("--grep")?;
    let tail = u64::try_from(tail).ok();
    let options = Options {
        container,
        follow,
        previous,
        since_secs,
        since_time,
        tail,
        grep,
        timestamps,
        without_executor: false,
    };
    let api = connection.connect().await?;
    let found = api.get(&workflow).await?;
    let style = Style::from_environment(no_color, false);
    if follow && pod.is_none() && selector.is_empty() {
        follow_all(&api, found, options, style).await?;
    } else {
        print_now(&api, &found, pod.as_deref(), &selector, options, style).await?;
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

/// Shows what the pods that exist have written: sorted by time, or as it comes when more is waited for.
async fn print_now(
    api: &Api,
    workflow: &Workflow,
    pod: Option<&str>,
    selector: &str,
    options: Options,
    style: Style,
) -> anyhow::Result<()> {
    let mut labels = format!("{WORKFLOW}={}", workflow.metadata.name);
    if !selector.is_empty() {
        labels = format!("{labels},{selector}");
    }
    let api = api.within(&workflow.metadata.namespace);
    let pods = api.pods(&labels).await?;
    let wait = options.follow;
    let (mut follower, mut lines) = Follower::new(api, options);
    for found in pods
        .iter()
        .filter(|p| has_log(p) && pod.is_none_or(|name| p.metadata.name == name))
    {
        follower.add(&found.metadata.name);
    }
    follower.close();
    let mut kept: Vec<Line> = Vec::new();
    while let Some(line) = lines.recv().await {
        if wait {
            let mut out = std::io::stdout().lock();
            if writeln!(out, "{}", log_line(&line.pod, &line.content, style.colour)).is_err() {
                return Ok(());
            }
        } else {
            kept.push(line);
        }
    }
    kept.sort_by(|a, b| a.time.cmp(&b.time));
    emit(
        &kept
            .iter()
            .map(|l| log_line(&l.pod, &l.content, style.colour) + "\n")
            .collect::<String>(),
    )
}
