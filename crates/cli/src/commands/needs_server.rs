//! Commands that only a server can serve: the archive of workflows and the download of artifacts. Their arguments are
//! read, so that a wrong one is told first.

use std::process::ExitCode;

use super::{Afterwards, Output};
use crate::failure::advise;

/// What is said of commands that need a server (rule C-CONN-06).
const IMPOSSIBLE: &str = "this is impossible if you are not using the Argo Server";

/// # Errors
/// Always.
pub fn refuse() -> anyhow::Result<ExitCode> {
    Err(advise(
        anyhow::anyhow!(IMPOSSIBLE),
        "commands of Argosy can't talk to a server yet",
    ))
}

/// How a workflow of the archive is named.
#[derive(Debug, clap::Args)]
pub struct Naming {
    /// The arguments are names
    #[arg(long)]
    name: bool,
    /// The arguments are UIDs
    #[arg(long)]
    uid: bool,
}

/// Which workflows of the archive run again, and what happens then.
#[derive(Debug, clap::Args)]
pub struct AgainArgs {
    /// Names or UIDs of workflows
    workflows: Vec<String>,
    /// Field selector
    #[arg(long, default_value = "", hide_default_value = true)]
    field_selector: String,
    /// Label selector
    #[arg(short = 'l', long, default_value = "", hide_default_value = true)]
    selector: String,
    /// New value of an argument; can be repeated
    #[arg(short = 'p', long = "parameter", value_name = "NAME=VALUE")]
    parameters: Vec<String>,
    /// Form of output
    #[arg(short, long)]
    output: Option<Output>,
    #[command(flatten)]
    naming: Naming,
    #[command(flatten)]
    afterwards: Afterwards,
}

/// The commands of `archive`.
#[derive(Debug, clap::Subcommand)]
pub enum ArchiveCommand {
    /// List archived workflows
    List {
        /// How many are asked for at a time
        #[arg(long, default_value_t = 0, hide_default_value = true)]
        chunk_size: u32,
        /// Form of output: name, json, yaml or wide
        #[arg(short, long, default_value = "wide")]
        output: String,
        /// Label selector
        #[arg(short = 'l', long, default_value = "", hide_default_value = true)]
        selector: String,
    },
    /// Show an archived workflow
    Get {
        /// Its name or UID
        workflow: String,
        /// Form of output: json, yaml or wide
        #[arg(short, long, default_value = "wide")]
        output: String,
        #[command(flatten)]
        naming: Naming,
    },
    /// Delete archived workflows
    Delete {
        /// Names or UIDs
        #[arg(required = true)]
        workflows: Vec<String>,
        #[command(flatten)]
        naming: Naming,
    },
    /// Run the failed part of archived workflows again
    Retry {
        #[command(flatten)]
        again: AgainArgs,
        /// Run nodes again that succeeded, too
        #[arg(long)]
        restart_successful: bool,
        /// Nodes to run again, such as displayName=build
        #[arg(long, default_value = "", hide_default_value = true)]
        node_field_selector: String,
    },
    /// Run archived workflows again, each as a new one
    Resubmit {
        #[command(flatten)]
        again: AgainArgs,
        /// Keep what succeeded
        #[arg(long)]
        memoized: bool,
        /// Priority of the new workflow
        #[arg(long, allow_negative_numbers = true)]
        priority: Option<i32>,
    },
    /// List keys of labels of archived workflows
    ListLabelKeys,
    /// List values of a label of archived workflows
    ListLabelValues {
        /// The label's key
        #[arg(short = 'l', long)]
        selector: String,
    },
}

/// Arguments of `cp`.
#[derive(Debug, clap::Args)]
pub struct CpArgs {
    /// Name of the workflow
    workflow: String,
    /// Folder to write to
    folder: String,
    /// Artifacts of this node only
    #[arg(long, default_value = "", hide_default_value = true)]
    node_id: String,
    /// Artifacts of nodes of this template only
    #[arg(long, default_value = "", hide_default_value = true)]
    template_name: String,
    /// Artifacts of this name only
    #[arg(long, default_value = "", hide_default_value = true)]
    artifact_name: String,
    /// Where each is written
    #[arg(
        long,
        default_value = "{namespace}/{workflowName}/{nodeId}/outputs/{artifactName}"
    )]
    path: String,
}
