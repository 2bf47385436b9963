//! `argosy cron ...`: workflows on schedule, and runs that make up for the past.

use std::process::ExitCode;

use anyhow::Context;
use argosy_engine::cron::{LAST_SCHEDULE, backfill, next_time};
use argosy_engine::{Config, validate};
use argosy_model::{CronWorkflow, Workflow, decode, yaml};
use jiff::Timestamp;
use serde_json::{Value, json};

use super::stored::{self, LintArgs};
use super::submit::OverrideArgs;
use super::{emit, lint};
use crate::api::{Api, Creation, encode};
use crate::connection;
use crate::manifest::API_VERSION;
use crate::overrides::Overrides;
use crate::print::{Clock, cron as print, json};

const KIND: &str = "CronWorkflow";

/// Files of CronWorkflows, and what of them is set on the command line.
#[derive(Debug, clap::Args)]
pub struct FilesArgs {
    /// Files, web addresses, or - for standard input
    #[arg(required = true)]
    files: Vec<String>,
    #[command(flatten)]
    overrides: OverrideArgs,
    /// Form of output: name, json, yaml or wide
    #[arg(short, long, default_value = "", hide_default_value = true)]
    output: String,
    /// Unknown fields and fields given twice are errors
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set, num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    strict: bool,
}

/// Which times are made up for, and how.
#[derive(Debug, clap::Args)]
pub struct BackfillArgs {
    /// Name of the CronWorkflow
    name_of_cron: String,
    /// Times after this one, in the form of --format
    #[arg(long)]
    start: String,
    /// Times up to this one, in the form of --format; default: now
    #[arg(long, default_value = "", hide_default_value = true)]
    end: String,
    /// Name of this backfill, in names and labels of its workflows; default: made of the time
    #[arg(long, default_value = "", hide_default_value = true)]
    name: String,
    /// Argument of each run that gets its time
    #[arg(long, default_value = "cronScheduleTime")]
    argname: String,
    /// Go layout of times
    #[arg(long, default_value = "Mon, 02 Jan 2006 15:04:05 MST")]
    format: String,
    /// How many runs one workflow makes; there are as many of those as it takes
    #[arg(long, default_value_t = 1000)]
    maxworkflowcount: usize,
    /// Let runs overlap
    #[arg(long)]
    parallel: bool,
}

/// The commands of the group.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Make CronWorkflows of files
    Create {
        #[command(flatten)]
        files: FilesArgs,
        /// Run by this schedule instead of those of the file
        #[arg(long, default_value = "", hide_default_value = true)]
        schedule: String,
    },
    /// Replace CronWorkflows by those of files; what they did so far stays
    Update(FilesArgs),
    /// Show CronWorkflows
    Get {
        /// Names
        #[arg(required = true)]
        names: Vec<String>,
        /// Form of output: name, json, yaml or wide
        #[arg(short, long, default_value = "", hide_default_value = true)]
        output: String,
    },
    /// List CronWorkflows
    List {
        /// CronWorkflows of all namespaces
        #[arg(short = 'A', long)]
        all_namespaces: bool,
        /// Form of output: name or wide
        #[arg(short, long, default_value = "", hide_default_value = true)]
        output: String,
        /// Label selector
        #[arg(short = 'l', long, default_value = "", hide_default_value = true)]
        selector: String,
    },
    /// Delete CronWorkflows, and with them their workflows
    Delete {
        /// Names
        names: Vec<String>,
        /// Every CronWorkflow
        #[arg(long)]
        all: bool,
    },
    /// Check files without making anything
    Lint(LintArgs),
    /// Let CronWorkflows start nothing until they are resumed
    Suspend {
        /// Names
        #[arg(required = true)]
        names: Vec<String>,
    },
    /// Let suspended CronWorkflows start runs again
    Resume {
        /// Names
        names: Vec<String>,
    },
    /// Run a CronWorkflow for the times of a range of the past
    Backfill(BackfillArgs),
}

/// # Errors
/// When arguments are wrong, a file can't be used, or the server refuses.
pub async fn perform(command: Command, connection: &connection::Options) -> anyhow::Result<ExitCode> {
    match command {
        Command::Create { files, schedule } => create(files, &schedule, connection).await?,
        Command::Update(files) => update(files, connection).await?,
        Command::Get { names, output } => {
            let api = connection.connect().await?;
            for name in names {
                emit(&show(&read(&api, &name).await?, &output)?)?;
            }
        }
        Command::List {
            all_namespaces,
            output,
            selector,
        } => list(all_namespaces, &output, &selector, connection).await?,
        Command::Delete { names, all } => delete(names, all, connection).await?,
        Command::Lint(args) => return lint::perform(args.of_kind(KIND), connection).await,
        Command::Suspend { names } => suspend(&names, true, connection).await?,
        Command::Resume { names } => suspend(&names, false, connection).await?,
        Command::Backfill(args) => make_up(args, connection).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn collection(namespace: &str) -> String {
    format!("/apis/{API_VERSION}/namespaces/{namespace}/cronworkflows")
}

fn one(namespace: &str, name: &str) -> String {
    format!("{}/{}", collection(namespace), encode(name))
}

async fn read(api: &Api, name: &str) -> anyhow::Result<CronWorkflow> {
    let found: Value = api.read(&one(&api.namespace, name)).await?;
    Ok(decode::lenient(found)?)
}

/// The CronWorkflows of files as they are to be stored, each checked, so that nothing is stored when one is wrong.
async fn wanted(
    args: FilesArgs,
    schedule: &str,
    api: &Api,
    connection: &connection::Options,
) -> anyhow::Result<(Vec<CronWorkflow>, String)> {
    let FilesArgs {
        files,
        overrides,
        output,
        strict,
    } = args;
    let overrides = overrides.read().await?;
    let found = stored::of_files(&files, strict, KIND).await?;
    let templates = lint::of_cluster(api).await?;
    let mut wanted = Vec::new();
    for object in found {
        let mut cron: CronWorkflow = decode::lenient(object)?;
        set(&mut cron, &overrides);
        if !schedule.is_empty() {
            cron.spec.schedules = vec![schedule.to_owned()].into();
        }
        if cron.metadata.namespace.is_empty() {
            cron.metadata.namespace.clone_from(&api.namespace);
        }
        connection.label(&mut cron.metadata);
        validate::check_cron_workflow(&cron, &templates, &Config::default()).map_err(stored::refused)?;
        wanted.push(cron);
    }
    Ok((wanted, output))
}

/// What options say of a workflow they say of the CronWorkflow: its own name and labels, its workflows' spec.
fn set(cron: &mut CronWorkflow, overrides: &Overrides) {
    let mut workflow = Workflow {
        metadata: std::mem::take(&mut cron.metadata),
        spec: std::mem::take(&mut cron.spec.workflow_spec),
        ..Workflow::default()
    };
    overrides.apply(&mut workflow);
    cron.metadata = workflow.metadata;
    cron.spec.workflow_spec = workflow.spec;
}

async fn create(args: FilesArgs, schedule: &str, connection: &connection::Options) -> anyhow::Result<()> {
    let api = connection.connect().await?;
    let (crons, output) = wanted(args, schedule, &api, connection).await?;
    for cron in crons {
        let made: Value = api.post(&collection(&cron.metadata.namespace), &cron).await?;
        emit(&show(&decode::lenient(made)?, &output)?)?;
    }
    Ok(())
}

async fn update(args: FilesArgs, connection: &connection::Options) -> anyhow::Result<()> {
    let api = connection.connect().await?;
    let (crons, output) = wanted(args, "", &api, connection).await?;
    for mut cron in crons {
        let there = read(&api.within(&cron.metadata.namespace), &cron.metadata.name).await?;
        let used = there.metadata.annotations.get_key_value(LAST_SCHEDULE);
        let used = used.map(|(key, value)| (key.clone(), value.clone()));
        cron.metadata.annotations.extend(used);
        cron.metadata.resource_version = there.metadata.resource_version;
        cron.status = there.status;
        let path = one(&cron.metadata.namespace, &cron.metadata.name);
        let stored: Value = api.put(&path, &cron).await?;
        emit(&show(&decode::lenient(stored)?, &output)?)?;
    }
    Ok(())
}

async fn listed(
    api: &Api,
    everywhere: bool,
    selector: &str,
    connection: &connection::Options,
) -> anyhow::Result<Vec<CronWorkflow>> {
    let path = match everywhere {
        true => format!("/apis/{API_VERSION}/cronworkflows"),
        false => collection(&api.namespace),
    };
    let mut found = Vec::new();
    for object in stored::list(api, &path, selector, connection).await? {
        found.push(decode::lenient(object)?);
    }
    Ok(found)
}

async fn list(
    everywhere: bool,
    output: &str,
    selector: &str,
    connection: &connection::Options,
) -> anyhow::Result<()> {
    let api = connection.connect().await?;
    let found = listed(&api, everywhere, selector, connection).await?;
    let clock = Clock::system();
    let text = match output {
        "" | "wide" => {
            let with_next = found.into_iter().map(|cron| {
                let next = next_time(&cron, clock.now);
                (cron, next)
            });
            print::list(&with_next.collect::<Vec<_>>(), &clock, everywhere)
        }
        "name" => found.iter().map(|c| c.metadata.name.clone() + "\n").collect(),
        other => anyhow::bail!("unknown output mode: {other}"),
    };
    emit(&text)
}

async fn delete(mut names: Vec<String>, all: bool, connection: &connection::Options) -> anyhow::Result<()> {
    anyhow::ensure!(all || !names.is_empty(), "requires a name or --all");
    let api = connection.connect().await?;
    if all {
        let found = listed(&api, false, "", connection).await?;
        names.extend(found.into_iter().map(|c| c.metadata.name));
    }
    names.sort();
    names.dedup();
    for name in names {
        api.remove(&one(&api.namespace, &name)).await?;
    }
    Ok(())
}

async fn suspend(names: &[String], on: bool, connection: &connection::Options) -> anyhow::Result<()> {
    let api = connection.connect().await?;
    for name in names {
        let patch = json!({"spec": {"suspend": on}});
        let _: Value = api.merge(&one(&api.namespace, name), &patch).await?;
        let done = if on { "suspended" } else { "resumed" };
        emit(&format!("CronWorkflow '{name}' {done}\n"))?;
    }
    Ok(())
}

/// Makes the workflows that run a CronWorkflow for times of the past (rule C-CRON-02 of the command line).
async fn make_up(args: BackfillArgs, connection: &connection::Options) -> anyhow::Result<()> {
    let BackfillArgs {
        name_of_cron,
        start,
        end,
        name,
        argname,
        format,
        maxworkflowcount,
        parallel,
    } = args;
    let now = Timestamp::now();
    let time = |text: &str, flag: &str| {
        backfill::time(text, &format)
            .map_err(|error| anyhow::anyhow!(error))
            .with_context(|| format!("{flag} {text}"))
    };
    let request = backfill::Request {
        name: match name.as_str() {
            "" => now.as_second().to_string(),
            name => name.to_owned(),
        },
        start: time(&start, "--start")?,
        end: match end.as_str() {
            "" => now,
            end => time(end, "--end")?,
        },
        parallel,
        argument: argname,
        format: format.clone(),
        per_monitor: maxworkflowcount,
        instance_id: connection.instanceid.clone().unwrap_or_default(),
    };
    let api = connection.connect().await?;
    let cron = read(&api, &name_of_cron).await?;
    for monitor in backfill::monitors(&cron, &request)? {
        let made = api.create(&monitor, Creation::default()).await?;
        emit(&format!("workflow {} created\n", made.metadata.name))?;
    }
    Ok(())
}

fn show(cron: &CronWorkflow, output: &str) -> anyhow::Result<String> {
    Ok(match output {
        "" | "wide" => {
            let clock = Clock::system();
            print::describe(cron, next_time(cron, clock.now), &clock, false)
        }
        "name" => cron.metadata.name.clone() + "\n",
        "json" => json::to_string(cron, 4)? + "\n",
        "yaml" => yaml::to_string(cron)?,
        other => anyhow::bail!("unknown output mode: {other}"),
    })
}
