//! `argosy lint`

use std::collections::BTreeMap;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use argosy_engine::scope_check::{self, Of};
use argosy_engine::validate::{self, Fault, Mode, Object};
use argosy_engine::{Config, Templates};
use argosy_model::decode;
use argosy_model::yaml::{self, Document};
use argosy_model::{ClusterWorkflowTemplate, CronWorkflow, Field, Workflow, WorkflowTemplate};

use super::emit;
use crate::api::{Api, Page};
use crate::connection;
use crate::failure::FAILED;
use crate::input;
use crate::manifest::{API_VERSION, Source};
use crate::print::Style;

/// Arguments of `lint`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Files, folders, web addresses, or - for standard input
    #[arg(required = true)]
    files: Vec<String>,
    /// Kinds that are checked: workflows, workflowtemplates, cronworkflows, clusterworkflowtemplates or all
    #[arg(long, value_delimiter = ',', default_value = "all")]
    kinds: Vec<String>,
    /// Form of output: pretty or simple
    #[arg(short, long, default_value = "pretty")]
    output: String,
    /// Look for templates in the given files only, not on the cluster
    #[arg(long)]
    offline: bool,
    /// Unknown fields and fields given twice are errors
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set, num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    strict: bool,
    /// Without colours
    #[arg(long)]
    no_color: bool,
}

impl Args {
    /// A check of files against the templates of a cluster, for objects of one kind.
    pub fn of_kind(files: Vec<String>, kind: String, output: String, strict: bool) -> Self {
        Self {
            files,
            kinds: vec![kind],
            output,
            offline: false,
            strict,
            no_color: false,
        }
    }
}

/// What is wrong in one file, each with the object's name and kind.
type Findings = BTreeMap<String, Vec<String>>;

enum Checked {
    Workflow(Box<Workflow>),
    Template(Arc<WorkflowTemplate>),
    ClusterTemplate(Arc<ClusterWorkflowTemplate>),
    Cron(Box<CronWorkflow>),
}

/// # Errors
/// When arguments are wrong, a file can't be read, or the server can't be reached.
pub async fn perform(args: Args, connection: &connection::Options) -> anyhow::Result<ExitCode> {
    let Args {
        files,
        kinds,
        output,
        offline,
        strict,
        no_color,
    } = args;
    anyhow::ensure!(
        matches!(output.as_str(), "pretty" | "simple"),
        "unknown output mode: {output}"
    );
    for kind in &kinds {
        let known = [
            "all",
            "workflows",
            "workflowtemplates",
            "cronworkflows",
            "clusterworkflowtemplates",
        ];
        anyhow::ensure!(known.contains(&kind.as_str()), "unknown kind: {kind}");
    }
    let mut templates = if offline {
        Templates::default()
    } else {
        of_cluster(&connection.connect().await?).await?
    };
    let (mut findings, mut objects) = (Findings::new(), Vec::new());
    for source in input::read_all(&expand(&files)?).await? {
        read(source, strict, &kinds, &mut findings, &mut objects);
    }
    for (_, _, object) in &objects {
        match object {
            Checked::Template(t) => drop(templates.namespaced.insert(t.metadata.name.clone(), t.clone())),
            Checked::ClusterTemplate(t) => drop(templates.cluster.insert(t.metadata.name.clone(), t.clone())),
            Checked::Workflow(_) | Checked::Cron(_) => {}
        }
    }
    let mut linted = !findings.is_empty();
    let mut warnings = Vec::new();
    for (file, document, object) in &objects {
        linted = true;
        warnings.extend(warned(file, document, object));
        for fault in check(object, &templates) {
            let (name, kind) = about(document);
            let at = document.position(&fault.place);
            let hint = fault.hint.as_ref().map_or(String::new(), |h| format!(" ({h})"));
            let text = format!("in \"{name}\" ({kind}): {fault}{hint} [{at}]");
            findings.entry(file.clone()).or_default().push(text);
        }
    }
    let style = Style::from_environment(no_color, false);
    let (text, good) = if output == "simple" {
        simple(&findings, linted)
    } else {
        pretty(&findings, linted, style)
    };
    emit(&text)?;
    for warning in &warnings {
        // Whoever reads the findings reads standard output: warnings are for people.
        let _ = writeln!(std::io::stderr(), "{warning}");
    }
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    })
}

/// The templates of the cluster that files may refer to.
///
/// # Errors
/// When the server can't be reached, or refuses those of the namespace.
pub async fn of_cluster(api: &Api) -> anyhow::Result<Templates> {
    let path = format!(
        "/apis/{API_VERSION}/namespaces/{}/workflowtemplates",
        api.namespace
    );
    let namespaced: Page<WorkflowTemplate> = api.read(&path).await?;
    let cluster = api
        .read::<Page<ClusterWorkflowTemplate>>(&format!("/apis/{API_VERSION}/clusterworkflowtemplates"))
        .await;
    // Many users may not read what belongs to the whole cluster.
    let (cluster, cluster_forbidden) = match cluster {
        Ok(page) => (page.items, false),
        Err(_) => (Vec::new(), true),
    };
    Ok(Templates {
        namespaced: namespaced
            .items
            .into_iter()
            .map(|t| (t.metadata.name.clone(), Arc::new(t)))
            .collect(),
        cluster: cluster
            .into_iter()
            .map(|t| (t.metadata.name.clone(), Arc::new(t)))
            .collect(),
        cluster_forbidden,
    })
}

/// Folders become the manifests in them and in their subfolders, in order of their names.
///
/// # Errors
/// When a folder can't be read.
pub fn expand(names: &[String]) -> anyhow::Result<Vec<String>> {
    let mut files = Vec::new();
    for name in names {
        if Path::new(name).is_dir() {
            walk(Path::new(name), &mut files)?;
        } else {
            files.push(name.clone());
        }
    }
    Ok(files)
}

fn walk(folder: &Path, files: &mut Vec<String>) -> anyhow::Result<()> {
    let entries =
        std::fs::read_dir(folder).with_context(|| format!("reading folder {}", folder.display()))?;
    let mut paths: Vec<PathBuf> = entries.filter_map(|e| e.ok().map(|e| e.path())).collect();
    paths.sort();
    for path in paths {
        let is_manifest = path
            .extension()
            .is_some_and(|e| e == "yaml" || e == "yml" || e == "json");
        // A link to a folder above would never end.
        if path.is_dir() && !path.is_symlink() {
            walk(&path, files)?;
        } else if is_manifest {
            files.push(path.display().to_string());
        }
    }
    Ok(())
}

fn read(
    source: Source,
    strict: bool,
    kinds: &[String],
    findings: &mut Findings,
    objects: &mut Vec<(String, Document, Checked)>,
) {
    let documents = match yaml::documents(&source.text) {
        Ok(documents) => documents,
        Err(error) => return findings.entry(source.name).or_default().push(error.to_string()),
    };
    for document in documents {
        match decoded(&document, strict, kinds) {
            Ok(Some(object)) => objects.push((source.name.clone(), document, object)),
            Ok(None) => {}
            Err(faults) => {
                let (name, kind) = about(&document);
                let lines = faults.into_iter().map(|f| format!("in \"{name}\" ({kind}): {f}"));
                findings.entry(source.name.clone()).or_default().extend(lines);
            }
        }
    }
}

/// Reads an object of a kind that is checked; `None` for any other.
fn decoded(document: &Document, strict: bool, kinds: &[String]) -> Result<Option<Checked>, Vec<String>> {
    let kind = document.value["kind"].as_str().unwrap_or_default();
    let plural = format!("{}s", kind.to_lowercase());
    let wanted = kinds.iter().any(|k| *k == "all" || *k == plural);
    if document.value["apiVersion"] != API_VERSION || !wanted {
        return Ok(None);
    }
    if strict && !document.duplicates.is_empty() {
        return Err(document.duplicates.iter().map(ToString::to_string).collect());
    }
    Ok(Some(match kind {
        "Workflow" => Checked::Workflow(Box::new(typed(document, strict)?)),
        "WorkflowTemplate" => Checked::Template(Arc::new(typed(document, strict)?)),
        "ClusterWorkflowTemplate" => Checked::ClusterTemplate(Arc::new(typed(document, strict)?)),
        "CronWorkflow" => Checked::Cron(Box::new(typed(document, strict)?)),
        _ => return Ok(None),
    }))
}

fn typed<T: Field>(document: &Document, strict: bool) -> Result<T, Vec<String>> {
    let value = document.value.clone();
    let read = if strict {
        decode::strict(value)
    } else {
        decode::lenient(value)
    };
    read.map_err(|error| error.problems.iter().map(|p| document.describe(p)).collect())
}

fn check(object: &Checked, templates: &Templates) -> Vec<Fault> {
    let config = Config {
        expression_templates: expression_tags(),
        ..Config::default()
    };
    let mode = Mode {
        lint: true,
        plain_tags_only: !config.expression_templates,
        ..Mode::default()
    };
    let object = match object {
        Checked::Workflow(workflow) => Object::Workflow(workflow),
        Checked::Template(template) => Object::Template(template),
        Checked::ClusterTemplate(template) => Object::ClusterTemplate(template),
        Checked::Cron(cron) => Object::Cron(cron),
    };
    validate::all(object, templates, &config, mode)
}

/// What will probably fail when it runs, though nothing refuses it: variables that are not in scope, expressions that
/// are none. All of them, each with its place.
fn warned(file: &str, document: &Document, object: &Checked) -> Vec<String> {
    let with = expression_tags();
    let found = match object {
        Checked::Workflow(workflow) => scope_check::check(&workflow.spec, Of::Workflow, with),
        Checked::Template(template) => scope_check::check(&template.spec, Of::Template, with),
        Checked::ClusterTemplate(template) => scope_check::check(&template.spec, Of::Template, with),
        Checked::Cron(cron) => scope_check::check_cron(cron, with),
    };
    let (name, kind) = about(document);
    found
        .into_iter()
        .map(|finding| {
            let at = document.position(&finding.place);
            format!(
                "{file}: warning: in \"{name}\" ({kind}) [{at}]: {}",
                finding.diagnosis
            )
        })
        .collect()
}

/// Whether `{{=…}}` is an expression: switched off by the variable that switches it off in the controller.
fn expression_tags() -> bool {
    std::env::var("EXPRESSION_TEMPLATES").as_deref() != Ok("false")
}

/// Name and kind of an object.
fn about(document: &Document) -> (&str, &str) {
    let metadata = &document.value["metadata"];
    let name = metadata["name"]
        .as_str()
        .or(metadata["generateName"].as_str())
        .unwrap_or_default();
    (name, document.value["kind"].as_str().unwrap_or("unknown"))
}

const NOTHING: &str = "found nothing to lint in the specified paths, failing...";
const GOOD: &str = "no linting errors found!";

fn pretty(findings: &Findings, linted: bool, style: Style) -> (String, bool) {
    let paint = |code: &str, text: &str| {
        if style.colour {
            format!("\x1b[{code}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    };
    let (bad, good) = (paint("31", "✖"), paint("32", "✔"));
    let mut text = String::new();
    for (file, list) in findings {
        text.push_str(&format!("{}:\n", paint("4", file)));
        for finding in list {
            text.push_str(&format!("   {bad} {finding}\n"));
        }
        text.push('\n');
    }
    let count: usize = findings.values().map(Vec::len).sum();
    text.push_str(&match (linted, count) {
        (false, _) => format!("{bad} {NOTHING}\n"),
        (true, 0) => format!("{good} {GOOD}\n"),
        (true, count) => format!("{bad} {count} linting errors found!\n"),
    });
    (text, linted && count == 0)
}

fn simple(findings: &Findings, linted: bool) -> (String, bool) {
    let lines = findings
        .iter()
        .flat_map(|(file, list)| list.iter().map(move |finding| format!("{file}: {finding}\n")));
    let text: String = lines.collect();
    match (linted, text.is_empty()) {
        (false, _) => (format!("✖ {NOTHING}\n"), false),
        (true, true) => (format!("✔ {GOOD}\n"), true),
        (true, false) => (text, false),
    }
}
