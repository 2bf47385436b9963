//! `argosy completion`

use std::process::ExitCode;

use clap::CommandFactory;
use clap_complete::Shell;

use super::emit;

/// Arguments of `completion`.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The shell
    shell: Shell,
}

/// # Errors
/// When standard output can't be written.
pub fn perform(args: &Args) -> anyhow::Result<ExitCode> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::Args::command(), "argosy", &mut script);
    emit(&String::from_utf8(script)?)?;
    Ok(ExitCode::SUCCESS)
}
