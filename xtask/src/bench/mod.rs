//! `cargo xtask bench`: the figures that the design has budgets for, as one table with the machine they come from.

mod cases;
mod cluster;
mod pods;

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Context;

use crate::{decide, examples, programs, shell};

/// Longest time one run may take.
const LIMIT: Duration = Duration::from_secs(120);

#[derive(clap::Args)]
pub struct Args {
    /// How often each thing is measured; the table shows the median.
    #[arg(long, default_value_t = 7)]
    runs: usize,
    /// Build nothing, and measure only the two programs for pods that are in this folder.
    #[arg(long, value_name = "FOLDER")]
    pods: Option<PathBuf>,
    /// Only count what decisions cost by the size of a workflow.
    #[arg(long)]
    decide: bool,
    /// Measure the controller on the cluster of KUBECONFIG or `cargo xtask cluster up` instead, with its images loaded
    /// and, for simulated pods, `cluster kwok`.
    #[arg(long)]
    cluster: bool,
    /// With `--cluster`: only what has this in its name.
    #[arg(long, default_value = "", requires = "cluster")]
    only: String,
    /// With `--cluster`: how the controller is built.
    #[arg(long, value_enum, default_value = "release", requires = "cluster")]
    profile: programs::Profile,
    /// With `--cluster`: measure this controller instead of building one.
    #[arg(long, requires = "cluster")]
    controller: Option<PathBuf>,
    /// Options for `argosy run`, such as `--runtime host`.
    #[arg(last = true)]
    options: Vec<String>,
}

struct Row {
    what: &'static str,
    value: String,
    budget: &'static str,
}

/// Builds the programs as they are shipped, measures, prints.
///
/// # Errors
/// When a build or a run fails.
pub fn main(args: &Args) -> anyhow::Result<()> {
    if let Some(folder) = &args.pods {
        print(&of_pods(folder)?, args.runs);
        return Ok(());
    }
    if args.decide {
        println!("{}\n", machine());
        return decide::print();
    }
    if args.cluster {
        return cluster::main(args.controller.as_deref(), args.profile, &args.only);
    }
    let built = programs::build(programs::Profile::Small)?;
    let mut rows = vec![
        size("size of argosy", &built.argosy, "–")?,
        Row {
            what: "argosy version",
            value: times(args.runs, || timed(Command::new(&built.argosy).arg("version")))?,
            budget: "–",
        },
    ];
    rows.extend(of_pods(&built.pod)?);
    for (what, file, budget) in [
        ("argosy run, one pod", "hello-world.yaml", "< 1 s"),
        ("argosy run, diamond of four pods", "dag-diamond.yaml", "–"),
        ("argosy run, loop of pods", "loop.yaml", "–"),
    ] {
        let path = shell::root().join("examples").join(file);
        let once = || {
            timed(
                Command::new(&built.argosy)
                    .arg("run")
                    .args(&args.options)
                    .arg(&path),
            )
        };
        rows.push(Row {
            what,
            value: times(args.runs, once)?,
            budget,
        });
    }
    rows.extend(inside(args.runs)?);
    rows.extend(api(args.runs)?);
    rows.extend(node()?);
    print(&rows, args.runs);
    Ok(())
}

/// Rows about the programs for pods in a folder.
fn of_pods(folder: &Path) -> anyhow::Result<Vec<Row>> {
    let [executor, emissary] = programs::POD_PROGRAMS.map(|name| folder.join(name));
    let mut rows = vec![
        size("size of argosy-executor", &executor, "≤ 15 MB")?,
        size("size of argosy-emissary", &emissary, "≤ 1.5 MB")?,
    ];
    rows.extend(pods::rows(executor, emissary)?);
    Ok(rows)
}

/// What an optimised program of a package prints as JSON; `program` is the package and what follows it.
fn figures(program: &[&str]) -> anyhow::Result<serde_json::Value> {
    let mut command = shell::cargo();
    command
        .args(["run", "--quiet", "--release", "--package"])
        .args(program);
    serde_json::from_str(&shell::output(&mut command)?)
        .with_context(|| format!("reading the figures of {}", program[0]))
}

/// Rows that are measured inside a program of their own.
fn inside(runs: usize) -> anyhow::Result<Vec<Row>> {
    let figures = figures(&["xtask", "--", "measure", "--runs", &runs.to_string()])?;
    let show = |key: &str| {
        let all = figures[key].as_array().cloned().unwrap_or_default();
        let ms: Vec<String> = all
            .iter()
            .map(|v| format!("{:.2} ms", v.as_f64().unwrap_or_default() / 1000.0))
            .collect();
        match &ms[..] {
            [median, least, most] => format!("{median} ({least} to {most})"),
            _ => "?".to_owned(),
        }
    };
    Ok(vec![
        Row {
            what: "decide, 10,000 pods at rest",
            value: show("decide"),
            budget: "≤ 2 ms",
        },
        Row {
            what: "compile the same workflow",
            value: show("compile"),
            budget: "–",
        },
    ])
}

/// Rows of the embedded API on disk. Its own program, so that chores build without it.
fn api(runs: usize) -> anyhow::Result<Vec<Row>> {
    let mut all = Vec::new();
    for _ in 0..runs.max(1) {
        all.push(figures(&["argosy-apiserver", "--example", "measure"])?);
    }
    let show = |key: &str, unit: &str| {
        let mut numbers: Vec<f64> = all.iter().filter_map(|figures| figures[key].as_f64()).collect();
        numbers.sort_by(f64::total_cmp);
        match (numbers.get(numbers.len() / 2), numbers.first(), numbers.last()) {
            (Some(median), Some(least), Some(most)) => format!("{median:.0}{unit} ({least:.0} to {most:.0})"),
            _ => "?".to_owned(),
        }
    };
    Ok(vec![
        Row {
            what: "API, writes a second on disk, 32 writers",
            value: show("writes_per_second", ""),
            budget: "≥ 2,000",
        },
        Row {
            what: "API, events a second to 8 watches, while written",
            value: show("events_per_second", ""),
            budget: "≥ 10,000",
        },
        Row {
            what: "API, most memory with 12,800 objects of 2 KiB",
            value: show("peak_mib", " MiB"),
            budget: "–",
        },
    ])
}

/// Rows of the node, with its API on disk. One run holds many pods already.
fn node() -> anyhow::Result<Vec<Row>> {
    let figures = figures(&["argosy-node", "--example", "node_figures"])?;
    let number = |value: &serde_json::Value| value.as_f64().unwrap_or(f64::NAN);
    let show = |key: &str| {
        let [median, least, most] = [0, 1, 2].map(|at| number(&figures[key][at]));
        format!("{median:.1} ms ({least:.1} to {most:.1})")
    };
    let (many, failed) = (&figures["many"], &figures["many_failed"]);
    let seconds = number(&figures["many_seconds"]);
    Ok(vec![
        Row {
            what: "node, sandbox and container in the runtime alone",
            value: show("floor_ms"),
            budget: "–",
        },
        Row {
            what: "node, pod created → container started, over that",
            value: show("over_floor_ms"),
            budget: "≤ 60 ms",
        },
        Row {
            what: "node, container ended → status written and seen",
            value: show("written_ms"),
            budget: "≤ 20 ms",
        },
        Row {
            what: "node, many pods at once",
            value: format!("{many} pods in {seconds:.1} s, {failed} failed"),
            budget: "none fails",
        },
    ])
}

fn timed(command: &mut Command) -> anyhow::Result<Duration> {
    let started = Instant::now();
    let (code, said, _) = examples::run_within(command, LIMIT)?;
    anyhow::ensure!(code == Some(0), "a measured run failed: {code:?}\n{said}");
    Ok(started.elapsed())
}

fn times(runs: usize, mut once: impl FnMut() -> anyhow::Result<Duration>) -> anyhow::Result<String> {
    once()?;
    let mut all = (0..runs.max(1))
        .map(|_| once())
        .collect::<anyhow::Result<Vec<_>>>()?;
    all.sort();
    let show = |d: Duration| format!("{:.0} ms", d.as_secs_f64() * 1000.0);
    Ok(format!(
        "{} ({} to {})",
        show(all[all.len() / 2]),
        show(all[0]),
        show(all[all.len() - 1])
    ))
}

fn size(what: &'static str, file: &Path, budget: &'static str) -> anyhow::Result<Row> {
    let bytes = std::fs::metadata(file)
        .with_context(|| format!("reading {}", file.display()))?
        .len();
    #[expect(
        clippy::cast_precision_loss,
        reason = "a program is far smaller than 2^52 bytes"
    )]
    let megabytes = bytes as f64 / 1e6;
    Ok(Row {
        what,
        value: format!("{megabytes:.2} MB"),
        budget,
    })
}

fn print(rows: &[Row], runs: usize) {
    println!(
        "{}; median of {runs} runs (least to most), after one that is not counted\n",
        machine()
    );
    println!("| what | measured | budget |\n|---|---|---|");
    for Row { what, value, budget } in rows {
        println!("| {what} | {value} | {budget} |");
    }
}

/// Processor, cores, memory and kernel, as far as the machine tells.
fn machine() -> String {
    let read = |path: &str| std::fs::read_to_string(path).unwrap_or_default();
    let field = |text: &str, key: &str| {
        text.lines()
            .find_map(|l| {
                Some(
                    l.strip_prefix(key)?
                        .trim_start_matches([' ', '\t', ':'])
                        .trim()
                        .to_owned(),
                )
            })
            .unwrap_or_default()
    };
    let cores = std::thread::available_parallelism().map_or(0, usize::from);
    format!(
        "{}, {cores} cores, {} memory, Linux {}, {}",
        field(&read("/proc/cpuinfo"), "model name"),
        field(&read("/proc/meminfo"), "MemTotal"),
        read("/proc/sys/kernel/osrelease").trim(),
        shell::output(Command::new("rustc").arg("--version"))
            .unwrap_or_default()
            .trim(),
    )
}
