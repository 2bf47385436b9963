//! `cargo xtask test`: one list of steps that a change must pass, in the order in which they fail fastest.

use crate::{examples, fuzz, parts, programs, shell, tidy, vectors};

#[derive(clap::Args)]
pub struct Args {
    /// Leave out the runs of our own examples (they need a machine that lets us make namespaces).
    #[arg(long)]
    no_examples: bool,
}

type Step = (&'static str, fn(&Args) -> anyhow::Result<()>);

const STEPS: &[Step] = &[
    ("format", |_| {
        component("rustfmt", "cargo-fmt")?;
        shell::run(shell::cargo().args(["fmt", "--all", "--check"]))
    }),
    ("tidy", |_| tidy::main()),
    ("lints", |_| {
        component("clippy", "cargo-clippy")?;
        shell::run(shell::cargo().args([
            "clippy",
            "--quiet",
            "--workspace",
            "--all-targets",
            "--",
            "-D",
            "warnings",
        ]))
    }),
    ("programs", |_| programs::build(programs::Profile::Dev).map(drop)),
    ("parts", |_| parts::main(&parts::Args::default())),
    ("tests", |_| {
        shell::run(shell::cargo().args(["test", "--quiet", "--workspace", "--no-fail-fast"]))
    }),
    ("vectors", |_| vectors::main(&vectors::Args::claimed())),
    ("fuzz", |_| fuzz::main(&fuzz::Args::default())),
    ("examples", |args| {
        if args.no_examples {
            Ok(())
        } else {
            examples::main()
        }
    }),
];

/// Runs every step, even after one failed, and says at the end what each came to.
///
/// # Errors
/// When any step fails.
pub fn main(args: &Args) -> anyhow::Result<()> {
    let mut results = Vec::new();
    for (name, step) in STEPS {
        println!("\n=== {name} ===");
        let started = std::time::Instant::now();
        let result = step(args);
        if let Err(error) = &result {
            eprintln!("{name} failed: {error:#}");
        }
        results.push((name, result.is_ok(), started.elapsed()));
    }
    println!();
    for (name, passed, took) in &results {
        println!(
            "test {name} ... {} ({:.1} s)",
            if *passed { "ok" } else { "FAILED" },
            took.as_secs_f64()
        );
    }
    let failed = results.iter().filter(|r| !r.1).count();
    let word = if failed == 0 { "ok" } else { "FAILED" };
    println!(
        "\ntest result: {word}. {} passed; {failed} failed",
        results.len() - failed
    );
    if failed > 0 {
        anyhow::bail!("{failed} of {} steps failed", results.len());
    }
    Ok(())
}

fn component(name: &str, program: &str) -> anyhow::Result<()> {
    if shell::cargo()
        .args([&program["cargo-".len()..], "--version"])
        .output()
        .is_ok_and(|o| o.status.success())
    {
        return Ok(());
    }
    anyhow::bail!("{program} is missing: rustup component add {name}")
}
