//! What `template`, `cluster-template` and `cron` share: objects of one kind, out of files and out of the cluster.

use argosy_engine::validate::Fault;
use serde_json::Value;

use super::lint;
use super::submit::read;
use crate::api::{Api, Page, encode};
use crate::connection;
use crate::failure::{hinted, tell};
use crate::input;
use crate::manifest::Object;

/// What is checked.
#[derive(Debug, clap::Args)]
pub struct LintArgs {
    /// Files, folders, web addresses, or - for standard input
    #[arg(required = true)]
    files: Vec<String>,
    /// Form of output: pretty or simple
    #[arg(short, long, default_value = "pretty")]
    output: String,
    /// Unknown fields and fields given twice are errors
    #[arg(long, default_value_t = true, action = clap::ArgAction::Set, num_args = 0..=1, default_missing_value = "true", require_equals = true)]
    strict: bool,
}

impl LintArgs {
    /// The check of objects of one kind, against the templates of the cluster.
    pub fn of_kind(self, kind: &str) -> lint::Args {
        let Self {
            files,
            output,
            strict,
        } = self;
        lint::Args::of_kind(files, format!("{}s", kind.to_lowercase()), output, strict)
    }
}

/// The objects of one kind in files; others are left out, and said to be.
///
/// # Errors
/// When a file can't be used, or holds none.
pub async fn of_files(files: &[String], strict: bool, kind: &str) -> anyhow::Result<Vec<Value>> {
    let mut wanted = Vec::new();
    for source in input::read_all(files).await? {
        for object in read(&source, strict)? {
            let other = match object {
                Object::Other(value) if value["kind"] == kind => {
                    wanted.push(value);
                    continue;
                }
                Object::Other(value) => value["kind"].as_str().unwrap_or("?").to_owned(),
                Object::Workflow(..) => "Workflow".to_owned(),
            };
            let name = &source.name;
            tell(&format!("{name}: a {other} is no {kind} and is left out\n"));
        }
    }
    anyhow::ensure!(!wanted.is_empty(), "no {kind} found in given files");
    Ok(wanted)
}

/// The error of an object that the controller would refuse, with its hint.
pub fn refused(fault: Fault) -> anyhow::Error {
    let hint = fault.hint.clone();
    hinted(fault, hint)
}

/// The objects of a collection that are ours by instance id and match a selector, by namespace and name.
///
/// # Errors
/// When the server refuses or can't be reached.
pub async fn list(
    api: &Api,
    path: &str,
    selector: &str,
    connection: &connection::Options,
) -> anyhow::Result<Vec<Value>> {
    let mut labels = connection.instance_selector();
    if !selector.is_empty() {
        labels = format!("{labels},{selector}");
    }
    let mut page: Page<Value> = api
        .read(&format!("{path}?labelSelector={}", encode(&labels)))
        .await?;
    page.items.sort_by(|a, b| {
        let key =
            |object: &Value| ["namespace", "name"].map(|f| object["metadata"][f].as_str().map(str::to_owned));
        key(a).cmp(&key(b))
    });
    Ok(page.items)
}
