//! `argosy template ...` and `argosy cluster-template ...`: templates of a namespace, and of the whole cluster.

use std::process::ExitCode;

use argosy_engine::validate::{self, Mode};
use argosy_model::{ClusterWorkflowTemplate, WorkflowTemplate, decode, yaml};
use serde_json::Value;

use super::stored::{self, LintArgs};
use super::{emit, lint};
use crate::api::{Api, encode};
use crate::connection;
use crate::manifest::API_VERSION;
use crate::print::{Clock, json, template as print};

/// Which templates a group of commands is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// Those of a namespace.
    Namespace,
    /// Those of the whole cluster.
    Cluster,
}

impl Scope {
    fn kind(self) -> &'static str {
        match self {
            Self::Namespace => "WorkflowTemplate",
            Self::Cluster => "ClusterWorkflowTemplate",
        }
    }

    fn path(self, namespace: &str) -> String {
        match self {
            Self::Namespace => format!("/apis/{API_VERSION}/namespaces/{namespace}/workflowtemplates"),
            Self::Cluster => format!("/apis/{API_VERSION}/clusterworkflowtemplates"),
        }
    }
}

/// Files of templates.
#[derive(Debug, clap::Args)]
pub struct FilesArgs {
    /// Files, web addresses, or - for standard input
    #[arg(required = true)]
    files: Vec<String>,
    /// Form of output: name, json, yaml or wide
    #[arg(short, long, default_value = "", hide_default_value = true)]
    output: String,
    /// Unknown fields and fields given twice are errors
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set, num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    strict: bool,
}

/// The commands of a group.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Make templates of files
    Create(FilesArgs),
    /// Replace templates by those of files
    Update(FilesArgs),
    /// Show templates
    Get {
        /// Names
        #[arg(required = true)]
        names: Vec<String>,
        /// Form of output: name, json, yaml or wide
        #[arg(short, long, default_value = "", hide_default_value = true)]
        output: String,
    },
    /// List templates
    List {
        /// Templates of all namespaces
        #[arg(short = 'A', long)]
        all_namespaces: bool,
        /// Form of output: name or wide
        #[arg(short, long, default_value = "", hide_default_value = true)]
        output: String,
        /// Label selector
        #[arg(short = 'l', long, default_value = "", hide_default_value = true)]
        selector: String,
    },
    /// Delete templates
    Delete {
        /// Names
        names: Vec<String>,
        /// Every template
        #[arg(long)]
        all: bool,
    },
    /// Check files without making anything
    Lint(LintArgs),
}

/// # Errors
/// When arguments are wrong, a file can't be used, or the server refuses.
pub async fn perform(
    command: Command,
    scope: Scope,
    connection: &connection::Options,
) -> anyhow::Result<ExitCode> {
    match command {
        Command::Create(args) => write(args, scope, false, connection).await?,
        Command::Update(args) => write(args, scope, true, connection).await?,
        Command::Get { names, output } => {
            let api = connection.connect().await?;
            for name in names {
                let found: Value = api.read(&one(scope, &api.namespace, &name)).await?;
                emit(&show(&typed(found)?, scope, &output)?)?;
            }
        }
        Command::List {
            all_namespaces,
            output,
            selector,
        } => {
            let api = connection.connect().await?;
            let found = list(&api, scope, all_namespaces, &selector, connection).await?;
            emit(&match output.as_str() {
                "" | "wide" => print::list(&found, all_namespaces),
                "name" => found.iter().map(|t| t.metadata.name.clone() + "\n").collect(),
                other => anyhow::bail!("unknown output mode: {other}"),
            })?;
        }
        Command::Delete { names, all } => delete(names, all, scope, connection).await?,
        Command::Lint(args) => return lint::perform(args.of_kind(scope.kind()), connection).await,
    }
    Ok(ExitCode::SUCCESS)
}

fn one(scope: Scope, namespace: &str, name: &str) -> String {
    format!("{}/{}", scope.path(namespace), encode(name))
}

/// Both kinds have the same shape; the kind stays what the object says.
fn typed(object: Value) -> anyhow::Result<WorkflowTemplate> {
    Ok(decode::lenient(object)?)
}

/// Makes or replaces the templates of files, each checked before anything is sent.
async fn write(
    args: FilesArgs,
    scope: Scope,
    replace: bool,
    connection: &connection::Options,
) -> anyhow::Result<()> {
    let FilesArgs {
        files,
        output,
        strict,
    } = args;
    let wanted = stored::of_files(&files, strict, scope.kind()).await?;
    let wanted = wanted
        .into_iter()
        .map(typed)
        .collect::<anyhow::Result<Vec<_>>>()?;
    let api = connection.connect().await?;
    let known = lint::of_cluster(&api).await?;
    for mut template in wanted {
        check(&template, &known, scope).map_err(stored::refused)?;
        let namespace = Some(template.metadata.namespace.clone()).filter(|n| !n.is_empty());
        let namespace = namespace.unwrap_or_else(|| api.namespace.clone());
        connection.label(&mut template.metadata);
        let made: Value = if replace {
            let path = one(scope, &namespace, &template.metadata.name);
            let there: Value = api.read(&path).await?;
            there["metadata"]["resourceVersion"]
                .as_str()
                .unwrap_or_default()
                .clone_into(&mut template.metadata.resource_version);
            api.put(&path, &template).await?
        } else {
            api.post(&scope.path(&namespace), &template).await?
        };
        emit(&show(&typed(made)?, scope, &output)?)?;
    }
    Ok(())
}

fn check(
    template: &WorkflowTemplate,
    known: &argosy_engine::Templates,
    scope: Scope,
) -> Result<(), validate::Fault> {
    let mode = Mode::default();
    match scope {
        Scope::Namespace => validate::check_template(template, known, mode),
        Scope::Cluster => {
            let WorkflowTemplate {
                type_meta,
                metadata,
                spec,
            } = template.clone();
            let template = ClusterWorkflowTemplate {
                type_meta,
                metadata,
                spec,
            };
            validate::check_cluster_template(&template, known, mode)
        }
    }
}

async fn list(
    api: &Api,
    scope: Scope,
    everywhere: bool,
    selector: &str,
    connection: &connection::Options,
) -> anyhow::Result<Vec<WorkflowTemplate>> {
    let path = match everywhere {
        true => format!("/apis/{API_VERSION}/workflowtemplates"),
        false => scope.path(&api.namespace),
    };
    let found = stored::list(api, &path, selector, connection).await?;
    found.into_iter().map(typed).collect()
}

async fn delete(
    mut names: Vec<String>,
    all: bool,
    scope: Scope,
    connection: &connection::Options,
) -> anyhow::Result<()> {
    anyhow::ensure!(all || !names.is_empty(), "requires a name or --all");
    let api = connection.connect().await?;
    if all {
        let found = list(&api, scope, false, "", connection).await?;
        names.extend(found.into_iter().map(|t| t.metadata.name));
    }
    names.sort();
    names.dedup();
    for name in names {
        api.remove(&one(scope, &api.namespace, &name)).await?;
        emit(&format!("{} '{name}' deleted\n", scope.kind()))?;
    }
    Ok(())
}

fn show(template: &WorkflowTemplate, scope: Scope, output: &str) -> anyhow::Result<String> {
    Ok(match output {
        "" | "wide" => print::describe(template, &Clock::system(), scope == Scope::Namespace),
        "name" => template.metadata.name.clone() + "\n",
        "json" => json::to_string(template, 4)? + "\n",
        "yaml" => yaml::to_string(template)?,
        other => anyhow::bail!("unknown output mode: {other}"),
    })
}
