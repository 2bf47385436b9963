//! `cargo xtask conformance`: runs workflow files, each on a platform of its own, and compares with what was recorded.
//!
//! A recorded set is one JSON document: `examples` maps a file's path (with `#2` for its second workflow) to how it
//! ended, or to `skipped` with the reason. What is compared is described in `record`.

mod case;
mod diff;
mod record;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, bail};
use serde_json::Value;

use crate::programs;

#[derive(clap::Args)]
pub struct Args {
    /// Folder with workflow files, searched with its subfolders.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/argo/examples"))]
    cases: PathBuf,
    /// What was recorded of them.
    #[arg(long, default_value = concat!(env!("CARGO_MANIFEST_DIR"), "/../../shared/argo/expected.json"))]
    golden: PathBuf,
    /// Files whose objects are made before each case; default: those the recorded set names, if they are there.
    #[arg(long)]
    prerequisite: Vec<PathBuf>,
    /// Only cases whose path contains one of these.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// How many cases run at a time. Most of their time is sleep, so more than there are processors.
    #[arg(long, default_value_t = 8)]
    jobs: usize,
    /// Longest time of one case, in seconds.
    #[arg(long, default_value_t = 180)]
    timeout: u64,
    /// Most differences printed of one case.
    #[arg(long, default_value_t = 1)]
    show: usize,
    /// Fail when fewer cases than this are equal; without it, any difference fails.
    #[arg(long)]
    at_least: Option<usize>,
    /// Run this `argosy` instead of building one.
    #[arg(long)]
    argosy: Option<PathBuf>,
    /// Write what came out, in the form of the recorded set.
    #[arg(long)]
    out: Option<PathBuf>,
    /// Options for every `argosy run`, such as `--images toolbox.tar`.
    #[arg(last = true)]
    options: Vec<String>,
}

/// How one recorded case compares.
enum Verdict {
    Equal,
    Different(Vec<String>),
    OutOfScope(String),
}

/// Runs every case, prints a line for each as it ends, and closes with the sums.
///
/// # Errors
/// When files are missing, the build fails, or more differs than is allowed.
pub fn main(args: &Args) -> anyhow::Result<()> {
    let text = std::fs::read_to_string(&args.golden).with_context(|| {
        format!(
            "reading the recorded set {} (--golden names another)",
            args.golden.display()
        )
    })?;
    let golden: Value =
        serde_json::from_str(&text).with_context(|| format!("parsing {}", args.golden.display()))?;
    let golden = golden["examples"]
        .as_object()
        .context("the recorded set has no `examples`")?
        .clone();
    let argosy = match &args.argosy {
        Some(path) => path.clone(),
        None => programs::build(programs::Profile::Dev)?.argosy,
    };
    let runner = case::Runner {
        argosy,
        prerequisites: prerequisites(args),
        options: args.options.clone(),
        limit: std::time::Duration::from_secs(args.timeout),
    };
    let mut files: BTreeMap<String, BTreeMap<String, Value>> = BTreeMap::new();
    for (key, record) in golden {
        if args.only.is_empty() || args.only.iter().any(|o| key.contains(o.as_str())) {
            files
                .entry(key.split('#').next().unwrap_or_default().to_owned())
                .or_default()
                .insert(key, record);
        }
    }
    let results = run_all(args, &runner, longest_first(files));
    report(args, &results)
}

fn prerequisites(args: &Args) -> Vec<PathBuf> {
    if !args.prerequisite.is_empty() {
        return args.prerequisite.clone();
    }
    let beside = args.golden.parent().map(|p| p.join("prerequisites.yaml"));
    let within = [
        "workflow-template/templates.yaml",
        "cluster-workflow-template/clustertemplates.yaml",
        "workflow-template/input-artifacts.yaml",
        "configmaps/simple-parameters-configmap.yaml",
        "testvolume.yaml",
    ];
    beside
        .into_iter()
        .chain(within.map(|f| args.cases.join(f)))
        .filter(|p| p.is_file())
        .collect()
}

/// The files in the order they are started: what took long when it was recorded must not come last.
fn longest_first(files: BTreeMap<String, BTreeMap<String, Value>>) -> Vec<(String, BTreeMap<String, Value>)> {
    let took = |records: &BTreeMap<String, Value>| -> f64 {
        records
            .values()
            .filter_map(|r| r["duration_s"].as_f64())
            .fold(0.0, f64::max)
    };
    let mut files: Vec<_> = files.into_iter().collect();
    files.sort_by(|a, b| took(&b.1).total_cmp(&took(&a.1)));
    files
}

/// A case's verdict, what came out, and how long it took.
struct Outcome {
    verdict: Verdict,
    record: Value,
    took: Duration,
}

type Results = BTreeMap<String, Outcome>;

fn run_all(args: &Args, runner: &case::Runner, files: Vec<(String, BTreeMap<String, Value>)>) -> Results {
    let next = AtomicUsize::new(0);
    let results = Mutex::new(Results::new());
    let work = || {
        while let Some((file, wanted)) = files.get(next.fetch_add(1, Ordering::Relaxed)) {
            let done = run_one(args, runner, file, wanted);
            let mut results = results
                .lock()
                .expect("no thread panics while it holds the results");
            for (key, outcome) in done {
                print(&key, &outcome.verdict, args.show);
                results.insert(key, outcome);
            }
        }
    };
    std::thread::scope(|scope| {
        for _ in 0..args.jobs.max(1) {
            scope.spawn(work);
        }
    });
    results
        .into_inner()
        .expect("no thread panicked while it held the results")
}

fn run_one(args: &Args, runner: &case::Runner, file: &str, wanted: &BTreeMap<String, Value>) -> Results {
    let skipped = |g: &Value| g["skipped"].as_str().map(str::to_owned);
    if let Some(reason) = wanted.values().next().and_then(skipped) {
        return wanted
            .keys()
            .map(|k| (k.clone(), (Verdict::OutOfScope(reason.clone()), Value::Null)))
            .collect();
    }
    let path = args.cases.join(file);
    if !path.is_file() {
        let reason = format!("{} is not there", path.display());
        return wanted
            .keys()
            .map(|k| (k.clone(), (Verdict::Different(vec![reason.clone()]), Value::Null)))
            .collect();
    }
    let got = runner.run(file, &path, wanted);
    let judge = |(key, golden): (&String, &Value)| {
        let (verdict, record) = match &got {
            Err(error) => (Verdict::Different(vec![format!("{error:#}")]), Value::Null),
            Ok(records) => match records.get(key) {
                None => (
                    Verdict::Different(vec!["the file gave no such workflow".to_owned()]),
                    Value::Null,
                ),
                Some(record) => {
                    let differences = diff::differences(golden, record);
                    let verdict = if differences.is_empty() {
                        Verdict::Equal
                    } else {
                        Verdict::Different(differences)
                    };
                    (verdict, record.clone())
                }
            },
        };
        (key.clone(), (verdict, record))
    };
    wanted.iter().map(judge).collect()
}

fn print(key: &str, verdict: &Verdict, show: usize) {
    match verdict {
        Verdict::Equal => println!("equal        {key}"),
        Verdict::OutOfScope(why) => println!("out of scope {key} ({why})"),
        Verdict::Different(what) => {
            println!("different    {key} ({} differences)", what.len());
            for difference in what.iter().take(show) {
                println!("    {}", difference.replace('\n', "\n    "));
            }
        }
    }
}

fn report(args: &Args, results: &Results) -> anyhow::Result<()> {
    if let Some(out) = &args.out {
        let records: BTreeMap<_, _> = results.iter().map(|(key, (_, record))| (key, record)).collect();
        let text = serde_json::to_string_pretty(&serde_json::json!({ "examples": records }))?;
        std::fs::write(out, text).with_context(|| format!("writing {}", out.display()))?;
    }
    let count = |f: fn(&Verdict) -> bool| results.values().filter(|(v, _)| f(v)).count();
    let equal = count(|v| matches!(v, Verdict::Equal));
    let different = count(|v| matches!(v, Verdict::Different(_)));
    println!(
        "{equal} equal, {different} different, {} out of scope",
        count(|v| matches!(v, Verdict::OutOfScope(_)))
    );
    match args.at_least {
        Some(least) if equal < least => bail!("{equal} cases are equal, {least} are required"),
        None if different > 0 => bail!("{different} cases differ"),
        _ => Ok(()),
    }
}
