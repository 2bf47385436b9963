//! `argosy resubmit`

use std::hash::{BuildHasher, RandomState};
use std::process::ExitCode;

use argosy_engine::edit::{Resubmission, resubmit};
use jiff::Timestamp;

use super::act::choose;
use super::{Afterwards, Output, emit, show};
use crate::api::Creation;
use crate::connection;
use crate::failure::FAILED;
use crate::print::Style;
use crate::print::lookup::Filter;

/// Arguments of `resubmit`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Names of workflows; @latest is the newest one
    names: Vec<String>,
    /// Label selector
    #[arg(short = 'l', long, default_value = "", hide_default_value = true)]
    selector: String,
    /// Field selector
    #[arg(long, default_value = "", hide_default_value = true)]
    field_selector: String,
    /// New value of an argument; can be repeated
    #[arg(short = 'p', long = "parameter", value_name = "NAME=VALUE")]
    parameters: Vec<String>,
    /// Keep what succeeded; only for workflows that failed
    #[arg(long)]
    memoized: bool,
    /// Priority of the new workflow
    #[arg(long, allow_negative_numbers = true)]
    priority: Option<i32>,
    /// Form of output
    #[arg(short, long)]
    output: Option<Output>,
    #[command(flatten)]
    afterwards: Afterwards,
}

/// # Errors
/// When nothing is chosen, a workflow can't be resubmitted, or the server refuses.
pub async fn perform(args: Args, connection: &connection::Options) -> anyhow::Result<ExitCode> {
    let Args {
        names,
        selector,
        field_selector,
        parameters,
        memoized,
        priority,
        output,
        afterwards,
    } = args;
    let output = output.unwrap_or_default();
    let api = connection.connect().await?;
    let mut made = Vec::new();
    for old in choose(&api, &names, &selector, &field_selector, connection).await? {
        let how = Resubmission {
            memoized,
            parameters: parameters.clone(),
            suffix: suffix(),
        };
        let mut new = resubmit(&old, &how, Timestamp::now())?;
        if priority.is_some() {
            new.spec.priority = priority;
        }
        let new = api
            .within(&old.metadata.namespace)
            .create(&new, Creation::default())
            .await?;
        emit(&show(
            &new,
            output,
            Style::from_environment(false, false),
            &Filter::default(),
        )?)?;
        made.push(new);
    }
    let mut good = true;
    if let [_] = made[..] {
        for workflow in made {
            good = afterwards
                .perform(&api, workflow, output, &Filter::default())
                .await?;
        }
    }
    Ok(if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(FAILED)
    })
}

/// Five characters that make a name unlike others, of those that Kubernetes uses for generated names.
fn suffix() -> String {
    const LETTERS: &[u8] = b"bcdfghjklmnpqrstvwxz2456789";
    let mut random = RandomState::new().hash_one(Timestamp::now().as_nanosecond());
    let mut next = || {
        let count = LETTERS.len() as u64;
        let letter = LETTERS[usize::try_from(random % count).unwrap_or_default()];
        random /= count;
        char::from(letter)
    };
    (0..5).map(|_| next()).collect()
}
