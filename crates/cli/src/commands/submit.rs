//! `argosy submit`

use std::process::ExitCode;

use argosy_engine::validate::{self, Mode};
use argosy_engine::{Config, Templates};
use argosy_model::Workflow;
use argosy_model::yaml::Document;
use serde_json::Value;

use super::get::NodeArgs;
use super::lint::of_cluster;
use super::{Afterwards, Output, emit, from, show};
use crate::api::{Api, Creation};
use crate::connection;
use crate::failure::{FAILED, hinted, tell};
use crate::input;
use crate::manifest::{self, Object, Source};
use crate::overrides::{self, Overrides};
use crate::print::Style;
use crate::print::lookup::Filter;

/// What of a workflow is set on the command line.
#[derive(Clone, Debug, Default, clap::Args)]
pub struct OverrideArgs {
    /// Argument of the workflow; can be repeated
    #[arg(short = 'p', long = "parameter", value_name = "NAME=VALUE")]
    pub parameters: Vec<String>,
    /// File or web address of an object of parameter names and values
    #[arg(short = 'f', long, value_name = "FILE")]
    pub parameter_file: Option<String>,
    /// Template to start with
    #[arg(long, default_value = "", hide_default_value = true)]
    pub entrypoint: String,
    /// Name of the workflow
    #[arg(long, default_value = "", hide_default_value = true)]
    pub name: String,
    /// Start of the workflow's generated name
    #[arg(long, default_value = "", hide_default_value = true)]
    pub generate_name: String,
    /// Account that pods run as
    #[arg(long, default_value = "", hide_default_value = true)]
    pub serviceaccount: String,
    /// Labels of the workflow, k=v,...
    #[arg(short = 'l', long, default_value = "", hide_default_value = true)]
    pub labels: String,
    /// Priority of the workflow
    #[arg(long, allow_negative_numbers = true)]
    pub priority: Option<i32>,
}

impl OverrideArgs {
    /// Reads what is given, parameter file included.
    ///
    /// # Errors
    /// When something can't be understood or read.
    pub async fn read(self) -> anyhow::Result<Overrides> {
        let Self {
            parameters,
            parameter_file,
            entrypoint,
            name,
            generate_name,
            serviceaccount,
            labels,
            priority,
        } = self;
        let mut overrides = Overrides {
            name,
            generate_name,
            entrypoint,
            parameters: parameters
                .iter()
                .map(|p| overrides::parameter(p))
                .collect::<Result<_, _>>()?,
            service_account: serviceaccount,
            labels: overrides::labels(&labels)?,
            priority,
        };
        if let Some(file) = parameter_file {
            let source = input::read(&file).await?;
            overrides.add_file(overrides::parameter_file(&source.name, &source.text)?);
        }
        Ok(overrides)
    }
}

/// Arguments of `submit`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files, web addresses, or - for standard input
    files: Vec<String>,
    #[command(flatten)]
    overrides: OverrideArgs,
    /// Submit from an object of the cluster: workflowtemplate/NAME, clusterworkflowtemplate/NAME or cronwf/NAME
    #[arg(long, value_name = "KIND/NAME")]
    from: Option<String>,
    /// The time that a run of a CronWorkflow is for; needs --from
    #[arg(long, value_name = "RFC 3339", requires = "from")]
    scheduled_time: Option<jiff::Timestamp>,
    /// Print the workflow as it would be submitted; needs --output
    #[arg(long)]
    dry_run: bool,
    /// Let the server check the workflow without making it; needs --output
    #[arg(long)]
    server_dry_run: bool,
    /// Form of output
    #[arg(short, long)]
    output: Option<Output>,
    #[command(flatten)]
    afterwards: Afterwards,
    /// Unknown fields and fields given twice are errors
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set, num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    strict: bool,
    #[command(flatten)]
    nodes: NodeArgs,
}

impl Args {
    fn check(&self) -> anyhow::Result<()> {
        let Self {
            dry_run,
            server_dry_run,
            afterwards: Afterwards { wait, watch, .. },
            ..
        } = self;
        let conflicts = [
            (
                self.from.is_some() && !self.files.is_empty(),
                "cannot combine --from with file arguments",
            ),
            (*wait && *watch, "--wait cannot be combined with --watch"),
            (*watch && *dry_run, "--watch cannot be combined with --dry-run"),
            (
                *watch && *server_dry_run,
                "--watch cannot be combined with --server-dry-run",
            ),
            (*wait && *dry_run, "--wait cannot be combined with --dry-run"),
            (
                *wait && *server_dry_run,
                "--wait cannot be combined with --server-dry-run",
            ),
            (
                *dry_run && self.output.is_none(),
                "--dry-run should have an output option",
            ),
            (
                *server_dry_run && self.output.is_none(),
                "--server-dry-run should have an output option",
            ),
            (
                *dry_run && *server_dry_run,
                "--dry-run cannot be combined with --server-dry-run",
            ),
        ];
        match conflicts.into_iter().find(|(wrong, _)| *wrong) {
            Some((_, text)) => anyhow::bail!(text),
            None => Ok(()),
        }
    }
}

/// # Errors
/// When arguments are wrong, a file can't be used, or the server refuses.
pub async fn perform(args: Args, connection: &connection::Options) -> anyhow::Result<ExitCode> {
    args.check()?;
    let Args {
        files,
        overrides,
        dry_run,
        server_dry_run,
        output,
        afterwards,
        strict,
        nodes,
        from,
        scheduled_time,
    } = args;
    anyhow::ensure!(
        from.is_some() || !files.is_empty(),
        "requires at least one file, or --from"
    );
    let overrides = overrides.read().await?;
    let mut workflows = match from {
        Some(from) => vec![Given {
            workflow: from::workflow(&from, scheduled_time, connection).await?,
            file: None,
        }],
        None => workflows(&input::read_all(&files).await?, strict)?,
    };
    anyhow::ensure!(
        !(afterwards.watch && workflows.len() > 1),
        "cannot watch more than one workflow"
    );
    let (style, output) = (Style::from_environment(false, false), output.unwrap_or_default());
    let filter = Filter::new(&nodes.status, &nodes.node_field_selector)?;
    for Given { workflow, .. } in &mut workflows {
        overrides.apply(workflow);
        connection.label(&mut workflow.metadata);
    }
    if dry_run {
        for Given { workflow, .. } in &workflows {
            emit(&show(workflow, output, style, &filter)?)?;
        }
        return Ok(ExitCode::SUCCESS);
    }
    let api = connection.connect().await?;
    let templates = if workflows.iter().any(Given::names_templates) {
        of_cluster(&api).await?
    } else {
        Templates::default()
    };
    for given in &workflows {
        given.check(&templates)?;
    }
    let created = create(
        &api,
        workflows,
        Creation {
            dry_run: server_dry_run,
        },
        |made| emit(&show(made, output, style, &filter)?),
    )
    .await?;
    if server_dry_run {
        return Ok(ExitCode::SUCCESS);
    }
    let mut good = true;
    for workflow in created {
        good &= afterwards.perform(&api, workflow, output, &filter).await?;
    }
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    })
}

/// Makes the workflows, each told as soon as it is there.
async fn create(
    api: &Api,
    workflows: Vec<Given>,
    creation: Creation,
    tell: impl Fn(&Workflow) -> anyhow::Result<()>,
) -> anyhow::Result<Vec<Workflow>> {
    let mut created = Vec::new();
    for Given { mut workflow, .. } in workflows {
        if workflow.metadata.namespace.is_empty() {
            workflow.metadata.namespace.clone_from(&api.namespace);
        }
        let made = api
            .within(&workflow.metadata.namespace)
            .create(&workflow, creation)
            .await?;
        tell(&made)?;
        created.push(made);
    }
    Ok(created)
}

/// A workflow that is to be submitted, and the file that it was written in.
struct Given {
    workflow: Workflow,
    file: Option<(String, Box<Document>)>,
}

impl Given {
    /// Whether anything in it is kept in templates of the cluster.
    fn names_templates(&self) -> bool {
        serde_json::to_value(&self.workflow.spec).is_ok_and(|spec| names_template(&spec))
    }

    /// Refuses what the controller would refuse, before anything is made (rules W-CRE-01, W-SUB-06).
    fn check(&self, templates: &Templates) -> anyhow::Result<()> {
        let mode = Mode {
            submit: self.file.is_none(),
            ..Mode::default()
        };
        let checked = validate::check_workflow(&self.workflow, templates, &Config::default(), mode);
        checked.map_err(|fault| {
            let error = match &self.file {
                Some((name, document)) => {
                    let place = manifest::place(name, document, &fault.place);
                    anyhow::anyhow!("{place}: {fault}")
                }
                None => anyhow::anyhow!("{fault}"),
            };
            hinted(error, fault.hint)
        })
    }
}

fn names_template(value: &Value) -> bool {
    match value {
        Value::Object(fields) => fields.iter().any(|(name, value)| {
            matches!(name.as_str(), "templateRef" | "workflowTemplateRef") || names_template(value)
        }),
        Value::Array(items) => items.iter().any(names_template),
        _ => false,
    }
}

/// The workflows of files; objects of other kinds are left out with a warning.
fn workflows(sources: &[Source], strict: bool) -> anyhow::Result<Vec<Given>> {
    let mut found = Vec::new();
    for source in sources {
        for object in read(source, strict)? {
            match object {
                Object::Workflow(workflow, document) => found.push(Given {
                    workflow: *workflow,
                    file: Some((source.name.clone(), document)),
                }),
                Object::Other(value) => {
                    let kind = value["kind"].as_str().unwrap_or("?");
                    tell(&format!(
                        "{}: a {kind} is no workflow and is left out\n",
                        source.name
                    ));
                }
            }
        }
    }
    anyhow::ensure!(!found.is_empty(), "no workflow found in given files");
    Ok(found)
}

/// The objects of a file, faults with their hints.
///
/// # Errors
/// When the file can't be used.
pub fn read(source: &Source, strict: bool) -> anyhow::Result<Vec<Object>> {
    manifest::objects(source, strict).map_err(|error| {
        let hint = error.hint().map(str::to_owned);
        hinted(error, hint)
    })
}
