//! What an event costs by the size and shape of a workflow, in instructions, so that the machine's load does not matter.
//! The workflows are in `crates/testkit/examples/decide.rs`; valgrind counts.

use std::process::Command;

use anyhow::Context;

use crate::{programs, shell};

/// Pods that end before those that are measured: the first ones also pay for what is worked out once.
const WARM: u64 = 10;

/// Pods that end in one measured run: enough to even out what only some of them cause, such as the last one of a layer.
const EVENTS: u64 = 10;

/// Nodes of the workflows.
const SIZES: [u64; 4] = [100, 1_000, 10_000, 100_000];

/// Shapes: the argument of the program, and what it is.
const SHAPES: [(&str, &str); 4] = [
    ("fan-out", "fan-out, all pods run"),
    ("chain", "chain of steps, near its end"),
    ("line", "DAG in a line, near its end"),
    ("layers", "DAG in layers of 10, fully connected, near its end"),
];

/// Builds the program and prints the table.
///
/// # Errors
/// When valgrind is missing or the program fails.
pub fn print() -> anyhow::Result<()> {
    let mut build = shell::cargo();
    build.args([
        "build",
        "--release",
        "--quiet",
        "--package",
        "argosy-testkit",
        "--example",
        "decide",
    ]);
    shell::output(&mut build)?;
    println!(
        "Millions of instructions for a pod that ends, with all decisions until the workflow rests (their number)\n"
    );
    println!(
        "| workflow | {} nodes |",
        SIZES.map(|n| n.to_string()).join(" | ")
    );
    println!("|---|{}", "---|".repeat(SIZES.len()));
    for (shape, what) in SHAPES {
        let mut row = format!("| {what} |");
        for nodes in SIZES {
            let (before, first) = count(shape, nodes, WARM)?;
            let (after, decisions) = count(shape, nodes, WARM + EVENTS)?;
            let each = after.saturating_sub(before) / EVENTS;
            let thousands = each / 1_000;
            let per_event = decisions.saturating_sub(first) / EVENTS;
            row.push_str(&format!(
                " {}.{:03} ({per_event}) |",
                thousands / 1_000,
                thousands % 1_000
            ));
        }
        println!("{row}");
    }
    Ok(())
}

/// Instructions of a whole run, and the decisions that its events took.
fn count(shape: &str, nodes: u64, events: u64) -> anyhow::Result<(u64, u64)> {
    let program = programs::target_folder().join("release/examples/decide");
    let run = Command::new("valgrind")
        .args([
            "--tool=cachegrind",
            "--cache-sim=no",
            "--cachegrind-out-file=/dev/null",
        ])
        .arg(&program)
        .args([shape, &nodes.to_string(), &events.to_string()])
        .output()
        .context("running valgrind, which counts the instructions: install it")?;
    let (out, log) = (
        String::from_utf8_lossy(&run.stdout),
        String::from_utf8_lossy(&run.stderr),
    );
    anyhow::ensure!(run.status.success(), "{shape} with {nodes} nodes: {log}");
    let line = log
        .lines()
        .find(|l| l.contains("refs:"))
        .context("valgrind counts nothing")?;
    let number = line
        .rsplit(':')
        .next()
        .unwrap_or_default()
        .trim()
        .replace(',', "");
    let decisions = out
        .trim()
        .parse()
        .context("reading how many decisions there were")?;
    Ok((
        number.parse().with_context(|| format!("reading {line:?}"))?,
        decisions,
    ))
}
