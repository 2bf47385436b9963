//! Repository chores, called as `cargo xtask COMMAND`; nothing here is shipped.
#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a chore reports on the terminal"
)]

mod bench;
mod cluster;
mod conformance;
mod decide;
mod deploy;
mod examples;
mod fuzz;
mod image;
mod images;
mod languages;
mod learned;
mod manifests;
mod measure;
mod parts;
mod programs;
mod shell;
mod simulate;
mod suite;
mod tidy;
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
    /// Everything that a change must pass: format, tidy, lints, tests, vectors, our own examples.
    Test(suite::Args),
    /// Check the house rules that no compiler checks.
    Tidy,
    /// Build the programs, then run workflow files on this machine: `argosy run ARGS`.
    Run(programs::RunArgs),
    /// Build `argosy` and, beside it, the two static programs that go into pods.
    Build(programs::BuildArgs),
    /// Run recorded inputs and outputs against our code.
    Vectors(vectors::Args),
    /// Run a set of workflow files and compare with what was recorded of them.
    Conformance(conformance::Args),
    /// Run many seeds of the simulator: random workflows, random faults, virtual time.
    Simulate(simulate::Args),
    /// Bring the real servers and clients that tests start, into a folder outside the checkout.
    Parts(parts::Args),
    /// Start, fill and stop a real Kubernetes of one node; with KUBECONFIG set, use that one.
    Cluster(cluster::Args),
    /// Make the images of the controller and of executors, without a container engine.
    Images(images::Args),
    /// Record what a controller does on a cluster with simulated nodes; what is shipped is compiled for that.
    Learn,
    /// Apply the manifests of an installation to the cluster and wait until it runs.
    Deploy(deploy::Args),
    /// Write the definitions of the custom resources into `manifests/`, from our types.
    Manifests,
    /// Give seeds changed at random to everything that reads bytes from outside, for a bounded time.
    Fuzz(fuzz::Args),
    /// Measure what the design has budgets for, and print a table.
    Bench(bench::Args),
    /// Figures from inside a program, as JSON; `bench` calls it.
    #[command(hide = true)]
    Measure {
        /// How often each thing is measured.
        #[arg(long, default_value_t = 7)]
        runs: usize,
    },
}

fn main() -> std::process::ExitCode {
    match perform() {
        Ok(()) => std::process::ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("error: {error:#}");
            std::process::ExitCode::FAILURE
        }
    }
}

fn perform() -> anyhow::Result<()> {
    match Args::parse().command {
        Command::Test(args) => suite::main(&args),
        Command::Tidy => tidy::main(),
        Command::Run(args) => programs::run(&args),
        Command::Build(args) => programs::main(&args),
        Command::Vectors(args) => vectors::main(&args),
        Command::Conformance(args) => conformance::main(&args),
        Command::Simulate(args) => simulate::main(&args),
        Command::Parts(args) => parts::main(&args),
        Command::Cluster(args) => cluster::main(&args),
        Command::Images(args) => images::main(&args),
        Command::Learn => learned::main(),
        Command::Deploy(args) => deploy::main(&args),
        Command::Manifests => manifests::main(),
        Command::Fuzz(args) => fuzz::main(&args),
        Command::Bench(args) => bench::main(&args),
        Command::Measure { runs } => measure::main(runs),
    }
}
