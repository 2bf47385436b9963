//! Repository chores, called as `cargo xtask COMMAND`.
#![expect(clippy::print_stdout, reason = "a chore reports on standard output")]

mod vectors;

use clap::{Parser, Subcommand};

#[derive(Parser)]
#[command(about)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    /// Run recorded inputs and outputs against our code.
    Vectors(vectors::Args),
}

fn main() -> anyhow::Result<()> {
    match Args::parse().command {
        Command::Vectors(args) => vectors::main(&args),
    }
}
