//! `argosy run`: a platform inside this program, for as long as the workflows of some files run; or the same workflows on
//! a server that is named.

use std::io::IsTerminal;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::Context;
use argosy_model::{Workflow, WorkflowPhase};
use argosy_standalone::{Data, Options, write_private};
use serde_json::{Value, json};

use super::machine::{self, Interrupts, MachineArgs};
use super::submit::{OverrideArgs, read};
use super::{Output, emit, show};
use crate::api::{Api, Creation};
use crate::connection;
use crate::failure::{FAILED, INTERRUPTED, NOT_SUBMITTED, advise, report, tell};
use crate::follow::{self, End, States, View};
use crate::input;
use crate::kinds;
use crate::logs;
use crate::manifest::Object;
use crate::print::lookup::Filter;
use crate::print::{Style, why};
use crate::view::{Advising, Live, Plain, Quiet};

/// Arguments of `run`.
#[derive(Debug, clap::Args)]
#[command(
    after_help = "Objects of other kinds in the files (ConfigMaps, WorkflowTemplates, ...) are made before the workflows.\n\
    With --server or --kubeconfig the workflows run there, for example on a platform that `argosy standalone` keeps up.\n\
    Exit codes: 0 every workflow succeeded, 1 one failed, 2 one could not be submitted."
)]
pub struct Args {
    /// Files, web addresses, or - for standard input
    #[arg(required = true)]
    files: Vec<String>,
    #[command(flatten)]
    overrides: OverrideArgs,
    /// Show the logs of the pods
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set, num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    log: bool,
    /// Print the workflows at the end in this form, and nothing else to standard output
    #[arg(short, long)]
    output: Option<Output>,
    #[command(flatten)]
    machine: MachineArgs,
    /// Keep workflows, pods, logs and artifacts in this folder; otherwise they go when the workflow has ended
    #[arg(long, value_name = "FOLDER")]
    data: Option<PathBuf>,
    /// Write a kubeconfig there, so that other commands can look at the workflow while it runs
    #[arg(long, value_name = "FILE")]
    write_kubeconfig: Option<PathBuf>,
    /// Unknown fields and fields given twice are errors
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set, num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    strict: bool,
}

/// # Errors
/// Never: what goes wrong before a workflow is submitted is reported here, because it has an exit code of its own.
pub async fn perform(args: Args, connection: &connection::Options) -> anyhow::Result<ExitCode> {
    Ok(match Box::pin(run(args, connection)).await {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            tell(&report(&error));
            ExitCode::from(NOT_SUBMITTED)
        }
    })
}

async fn run(args: Args, connection: &connection::Options) -> anyhow::Result<u8> {
    let Args {
        files,
        overrides,
        log,
        output,
        machine,
        data,
        write_kubeconfig,
        strict,
    } = args;
    let overrides = overrides.read().await?;
    let (mut workflows, mut others) = (Vec::new(), Vec::new());
    for source in input::read_all(&files).await? {
        for object in read(&source, strict)? {
            match object {
                Object::Workflow(workflow, _) => workflows.push(*workflow),
                Object::Other(value) => others.push((source.name.clone(), value)),
            }
        }
    }
    check(&workflows, &others, &files)?;
    for workflow in &mut workflows {
        overrides.apply(workflow);
    }
    let mut interrupts = Interrupts::new()?;
    if connection.names_a_server() {
        refuse_machine(&machine, data.as_ref(), write_kubeconfig.as_ref())?;
        let api = connection.connect().await?;
        let states = submit(&api, workflows, &others).await?;
        return finish(&api, states, log, output, &mut interrupts, false).await;
    }
    let mut options = Options::default();
    if let Some(folder) = data {
        options.data = Data::Folder(folder);
    }
    if let Some(namespace) = connection.namespace.as_ref().filter(|n| !n.is_empty()) {
        options.namespace.clone_from(namespace);
    }
    // Images that come with the command are at hand; only without them it matters what else can be had.
    if machine.images.is_empty() {
        options.wanted_images = crate::images::of(&workflows);
    }
    machine.apply(&mut options)?;
    let platform = tokio::select! {
        started = machine::start(options) => started?,
        () = interrupts.caught() => return Ok(INTERRUPTED),
    };
    let work = async {
        machine.import(&platform).await?;
        if let Some(file) = &write_kubeconfig {
            write_private(file, &platform.kubeconfig())
                .with_context(|| format!("writing {}", file.display()))?;
        }
        let api = Api::new(platform.client(), platform.namespace());
        let states = submit(&api, workflows, &others).await?;
        finish(&api, states, log, output, &mut interrupts, true).await
    };
    let done = work.await;
    platform.stop().await;
    if let Some(file) = write_kubeconfig {
        // It leads nowhere any more.
        let _ = std::fs::remove_file(file);
    }
    done
}

/// Options that make no sense where somebody else runs the pods.
fn refuse_machine(
    machine: &MachineArgs,
    data: Option<&PathBuf>,
    write_kubeconfig: Option<&PathBuf>,
) -> anyhow::Result<()> {
    let given = [
        ("--runtime", machine.runtime.is_some()),
        ("--network", machine.network.is_some()),
        ("--node-label", !machine.node_labels.is_empty()),
        ("--images", !machine.images.is_empty()),
        ("--config", machine.config.is_some()),
        ("--data", data.is_some()),
        ("--write-kubeconfig", write_kubeconfig.is_some()),
    ];
    match given.iter().find(|(_, given)| *given) {
        None => Ok(()),
        Some((option, _)) => Err(advise(
            anyhow::anyhow!("{option} is for workflows that run in this program, and a server was named"),
            format!("leave out {option}, or --server and --kubeconfig"),
        )),
    }
}

/// Refuses files that hold no workflow, saying what they hold.
fn check(workflows: &[Workflow], others: &[(String, Value)], files: &[String]) -> anyhow::Result<()> {
    if !workflows.is_empty() {
        return Ok(());
    }
    let kinds: Vec<&str> = others.iter().filter_map(|(_, o)| o["kind"].as_str()).collect();
    let files = files.join(", ");
    if kinds.is_empty() {
        anyhow::bail!("no workflow found in {files}: nothing is in there");
    }
    Err(advise(
        anyhow::anyhow!("no workflow found in {files}, only: {}", kinds.join(", ")),
        "`argosy run` needs an object of kind Workflow",
    ))
}

/// Makes the other objects, then the workflows.
async fn submit(api: &Api, workflows: Vec<Workflow>, others: &[(String, Value)]) -> anyhow::Result<States> {
    for (file, object) in others {
        let what = || {
            format!(
                "{file}: making {} {}",
                text(object, "/kind"),
                text(object, "/metadata/name")
            )
        };
        let path = kinds::path(api, object).await.with_context(what)?;
        kinds::put(api, &path, object).await.with_context(what)?;
    }
    let mut states = States::new();
    for (index, mut workflow) in workflows.into_iter().enumerate() {
        api.namespace.clone_into(&mut workflow.metadata.namespace);
        let made = api
            .create(&workflow, Creation::default())
            .await
            .context("submitting the workflow")?;
        states.insert(index, made);
    }
    Ok(states)
}

fn text<'a>(object: &'a Value, pointer: &str) -> &'a str {
    object.pointer(pointer).and_then(Value::as_str).unwrap_or("?")
}

/// Follows the workflows to their end, prints what was asked for, and gives the exit code. On a machine of our own it is
/// told what helps a pod that cannot be placed.
async fn finish(
    api: &Api,
    mut states: States,
    log: bool,
    output: Option<Output>,
    interrupts: &mut Interrupts,
    own_machine: bool,
) -> anyhow::Result<u8> {
    let stopping = Arc::new(AtomicBool::new(false));
    let mut view = view(output, &stopping);
    if own_machine {
        view = Box::new(Advising::new(view));
    }
    let names: Vec<String> = states.values().map(|w| w.metadata.name.clone()).collect();
    let leave = leave(api, names, interrupts, stopping);
    let log = log.then(|| logs::Options {
        without_executor: true,
        ..logs::Options::default()
    });
    let end = follow::follow(api, &mut states, log, view.as_mut(), leave).await?;
    if matches!(end, End::Interrupted) {
        return Ok(INTERRUPTED);
    }
    let style = Style::from_environment(false, false);
    for workflow in states.values() {
        tell(&why::failures(workflow, None));
        if let Some(output) = output {
            emit(&show(workflow, output, style, &Filter::default())?)?;
        }
    }
    let good = states
        .values()
        .all(|w| w.status.phase == WorkflowPhase::Succeeded);
    Ok(if good { 0 } else { FAILED })
}

/// What is shown, and where: on standard output, unless that was asked to hold the workflows alone.
fn view(output: Option<Output>, stopping: &Arc<AtomicBool>) -> Box<dyn View> {
    let mut style = Style::from_environment(false, false);
    match output {
        None => {
            let terminal = std::io::stdout().is_terminal();
            style.colour &= terminal;
            match terminal {
                true => Box::new(Live::new(std::io::stdout(), style, stopping.clone())),
                false => Box::new(Plain::new(std::io::stdout(), style)),
            }
        }
        Some(_) => {
            let terminal = std::io::stderr().is_terminal();
            style.colour &= terminal;
            match terminal {
                true => Box::new(Live::new(std::io::stderr(), style, stopping.clone())),
                false => Box::new(Quiet::new(std::io::stderr(), style)),
            }
        }
    }
}

/// Stops the workflows at the first interrupt, and resolves at the second.
async fn leave(api: &Api, names: Vec<String>, interrupts: &mut Interrupts, stopping: Arc<AtomicBool>) {
    interrupts.caught().await;
    stopping.store(true, Ordering::Relaxed);
    tell("stopping the workflow; Ctrl-C again leaves at once\n");
    for name in names {
        // One that has ended meanwhile needs no stop.
        if let Err(error) = api
            .patch(&name, &json!({"spec": {"shutdown": "Terminate"}}))
            .await
        {
            tracing::warn!(
                workflow = name,
                error = &error as &dyn std::error::Error,
                "Workflow can't be stopped"
            );
        }
    }
    interrupts.caught().await;
}
