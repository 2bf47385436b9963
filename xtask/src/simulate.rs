//! `simulate`: many seeds of the simulator, optimised. What a seed is: `argosy_testkit::sim`.

use anyhow::{Result, ensure};

/// How many runs, and which.
#[derive(clap::Args)]
pub struct Args {
    /// How many seeds to run. One alone is shown with its workflows and its trace.
    #[arg(long, default_value_t = 1_000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
}

/// Builds the simulator and runs it.
///
/// # Errors
/// When a property was broken, or the build fails.
pub fn main(args: &Args) -> Result<()> {
    let Args { seeds, from } = args;
    let program = [
        "run",
        "--release",
        "--quiet",
        "-p",
        "argosy-testkit",
        "--example",
        "simulate",
        "--",
    ];
    let status = crate::shell::cargo()
        .args(program)
        .args([seeds.to_string(), from.to_string()])
        .status()?;
    ensure!(status.success(), "the simulation failed");
    Ok(())
}
