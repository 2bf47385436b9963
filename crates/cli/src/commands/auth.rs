//! `argosy auth token`

use std::process::ExitCode;

use super::emit;
use crate::connection;

/// The commands of `auth`.
#[derive(Debug, clap::Subcommand)]
pub enum Command {
    /// Print the value of the Authorization header
    Token,
}

/// # Errors
/// When there is no kubeconfig, or no credentials in it that make a header.
pub async fn perform(command: &Command, connection: &connection::Options) -> anyhow::Result<ExitCode> {
    let Command::Token = command;
    emit(&(connection.authorization().await? + "\n"))?;
    Ok(ExitCode::SUCCESS)
}
