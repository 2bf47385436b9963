//! The commands, one file each, and what they share.

pub mod act;
pub mod auth;
pub mod completion;
pub mod convert;
pub mod cron;
pub mod delete;
mod from;
pub mod get;
#[cfg(feature = "local")]
pub mod image;
pub mod lint;
pub mod list;
pub mod logs;
#[cfg(feature = "local")]
pub mod machine;
pub mod needs_server;
pub mod node;
pub mod resubmit;
pub mod retry;
#[cfg(feature = "local")]
pub mod run;
#[cfg(feature = "local")]
pub mod standalone;
mod stored;
pub mod submit;
pub mod sync;
pub mod template;
pub mod version;
pub mod wait;
pub mod watch;
pub mod why;

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use argosy_model::{Workflow, yaml};
use clap::{Parser, Subcommand};

use crate::api::Api;
use crate::connection;
use crate::print::lookup::Filter;
use crate::print::workflow::{Columns, View, describe};
use crate::print::{Clock, Style, json};

/// Runs container workflows, on a Kubernetes cluster or on this machine.
#[derive(Debug, Parser)]
#[command(
    name = "argosy",
    version,
    propagate_version = false,
    disable_help_subcommand = true
)]
pub struct Args {
    /// What to do.
    #[command(subcommand)]
    pub command: Command,
    /// Where the API server is.
    #[command(flatten)]
    pub connection: connection::Options,
    /// What is logged to standard error.
    #[command(flatten)]
    pub log: LogOptions,
}

/// Options of the log that the program itself writes.
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Log")]
pub struct LogOptions {
    /// Least level that is logged: debug, info, warn or error
    #[arg(
        long,
        global = true,
        default_value = "warn",
        env = "ARGO_LOGLEVEL",
        hide_env = true
    )]
    pub loglevel: String,
    /// Form of the log: text or json
    #[arg(
        long,
        global = true,
        default_value = "text",
        env = "ARGO_LOG_FORMAT",
        hide_env = true
    )]
    pub log_format: String,
    /// Log everything, as --loglevel debug
    #[arg(short, long, global = true)]
    pub verbose: bool,
}

/// The commands.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Run workflow files on this machine, without a cluster
    #[cfg(feature = "local")]
    Run(run::Args),
    /// Keep a Kubernetes-compatible platform for workflows up on this machine
    #[cfg(feature = "local")]
    Standalone(standalone::Args),
    /// List, take in and delete the images on this machine
    #[cfg(feature = "local")]
    Image(image::Args),
    /// Submit workflow files
    Submit(submit::Args),
    /// List workflows
    List(list::Args),
    /// Show workflows
    Get(get::Args),
    /// Show the logs of a workflow's pods
    Logs(logs::Args),
    /// Say what each node of a workflow waits for
    Why(why::Args),
    /// Show a workflow until it has ended
    Watch(watch::Args),
    /// Wait until workflows have ended
    Wait(wait::Args),
    /// Delete workflows
    Delete(delete::Args),
    /// Run the failed part of workflows again
    Retry(retry::Args),
    /// Run workflows again, each as a new one
    Resubmit(resubmit::Args),
    /// Change pauses of a workflow
    Node(node::Args),
    /// Check files without submitting them
    Lint(lint::Args),
    /// Let a workflow start nothing more until it is resumed
    Suspend(act::NamesArgs),
    /// Let a suspended workflow go on
    Resume(act::ResumeArgs),
    /// Stop workflows; their exit handlers run
    Stop(act::StopArgs),
    /// Stop workflows at once; no exit handler runs
    Terminate(act::TerminateArgs),
    /// Work with the templates of a namespace
    #[command(subcommand)]
    Template(template::Command),
    /// Work with the templates of the whole cluster
    #[command(subcommand, visible_aliases = ["cwftmpl", "cwft"])]
    ClusterTemplate(template::Command),
    /// Work with workflows on schedule
    #[command(subcommand, visible_aliases = ["cronwf", "cwf"])]
    Cron(cron::Command),
    /// Rewrite manifests that have fields of earlier versions
    Convert(convert::Args),
    /// Work with limits of semaphores
    #[command(subcommand)]
    Sync(sync::Command),
    /// Show what authenticates against a server
    #[command(subcommand)]
    Auth(auth::Command),
    /// Work with the archive of workflows; needs a server
    #[command(subcommand)]
    Archive(needs_server::ArchiveCommand),
    /// Download artifacts of a workflow; needs a server
    Cp(needs_server::CpArgs),
    /// Print a script that completes commands in a shell
    Completion(completion::Args),
    /// Print the version
    Version(version::Args),
}

/// Does what the arguments say and gives the exit code.
///
/// # Errors
/// When a command fails; the caller reports it and exits with 1.
pub async fn perform(args: Args) -> anyhow::Result<ExitCode> {
    let Args {
        command,
        connection,
        log: _,
    } = args;
    match command {
        #[cfg(feature = "local")]
        Command::Run(args) => Box::pin(run::perform(args, &connection)).await,
        #[cfg(feature = "local")]
        Command::Standalone(args) => Box::pin(standalone::perform(args, &connection)).await,
        #[cfg(feature = "local")]
        Command::Image(args) => image::perform(args).await,
        Command::Submit(args) => submit::perform(args, &connection).await,
        Command::List(args) => list::perform(args, &connection).await,
        Command::Get(args) => get::perform(args, &connection).await,
        Command::Logs(args) => logs::perform(args, &connection).await,
        Command::Watch(args) => watch::perform(args, &connection).await,
        Command::Why(args) => why::perform(args, &connection).await,
        Command::Wait(args) => wait::perform(args, &connection).await,
        Command::Delete(args) => delete::perform(args, &connection).await,
        Command::Retry(args) => retry::perform(args, &connection).await,
        Command::Resubmit(args) => resubmit::perform(args, &connection).await,
        Command::Node(args) => node::perform(args, &connection).await,
        Command::Lint(args) => lint::perform(args, &connection).await,
        Command::Suspend(args) => act::suspend(args, &connection).await,
        Command::Resume(args) => act::resume(args, &connection).await,
        Command::Stop(args) => act::stop(args, &connection).await,
        Command::Terminate(args) => act::terminate(args, &connection).await,
        Command::Template(command) => {
            template::perform(command, template::Scope::Namespace, &connection).await
        }
        Command::ClusterTemplate(command) => {
            template::perform(command, template::Scope::Cluster, &connection).await
        }
        Command::Cron(command) => cron::perform(command, &connection).await,
        Command::Convert(args) => convert::perform(args).await,
        Command::Sync(command) => sync::perform(command, &connection).await,
        Command::Auth(command) => auth::perform(&command, &connection).await,
        Command::Archive(_) | Command::Cp(_) => needs_server::refuse(),
        Command::Completion(args) => completion::perform(&args),
        Command::Version(args) => version::perform(&args),
    }
}

/// Writes data to standard output. A reader that went away ends the program quietly, as it does others in a pipe.
fn emit(text: &str) -> anyhow::Result<()> {
    let mut out = std::io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other.context("writing to standard output"),
    }
}

/// The forms in which one workflow is printed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, clap::ValueEnum)]
pub enum Output {
    /// A description and the tree of nodes.
    #[default]
    #[value(skip)]
    Text,
    /// Its name.
    Name,
    /// JSON.
    Json,
    /// YAML.
    Yaml,
    /// The tree alone.
    Short,
    /// More columns.
    Wide,
}

impl Output {
    /// Whether the output is made for programs, so that nothing else may stand in it.
    pub fn is_for_programs(self) -> bool {
        matches!(self, Self::Name | Self::Json | Self::Yaml)
    }
}

/// What happens with a workflow after it was submitted.
#[derive(Clone, Copy, Debug, Default, clap::Args)]
pub struct Afterwards {
    /// Wait until the workflow has ended
    #[arg(short, long)]
    pub wait: bool,
    /// Show the workflow until it has ended
    #[arg(long)]
    pub watch: bool,
    /// Show the logs until the workflow has ended
    #[arg(long)]
    pub log: bool,
}

impl Afterwards {
    /// Does it for one workflow; whether that ended well, as far as was waited for.
    ///
    /// # Errors
    /// When the server can't be reached any more.
    pub async fn perform(
        self,
        api: &Api,
        workflow: Workflow,
        output: Output,
        filter: &Filter,
    ) -> anyhow::Result<bool> {
        let api = api.within(&workflow.metadata.namespace);
        let name = workflow.metadata.name.clone();
        if self.log {
            let style = Style::from_environment(false, false);
            logs::follow_all(&api, workflow.clone(), crate::logs::Options::default(), style).await?;
        }
        if self.wait {
            return Ok(wait::wait(&api, &[name], false, output.is_for_programs()).await);
        }
        if self.watch {
            watch::watch(&api, workflow, filter.clone()).await?;
        }
        Ok(true)
    }
}

/// A workflow in the form asked for.
///
/// # Errors
/// When it can't be written as JSON.
pub fn show(workflow: &Workflow, output: Output, style: Style, filter: &Filter) -> anyhow::Result<String> {
    let columns = match output {
        Output::Name => return Ok(workflow.metadata.name.clone() + "\n"),
        Output::Json => return Ok(json::to_string(workflow, 4)? + "\n"),
        Output::Yaml => return Ok(yaml::to_string(workflow)?),
        Output::Short => Columns::Short,
        Output::Wide => Columns::Wide,
        Output::Text => Columns::Default,
    };
    Ok(describe(
        workflow,
        &Clock::system(),
        &View {
            style,
            columns,
            filter: filter.clone(),
        },
    ))
}
