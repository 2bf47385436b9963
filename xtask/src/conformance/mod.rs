//! `cargo xtask conformance`: runs workflow files, each on a platform of its own or in a namespace of a real cluster, and
//! compares with what was recorded.
//!
//! A recorded set is one JSON document: `examples` maps a file's path (with `#2` for its second workflow) to how it
//! ended, or to `skipped` with the reason. What is compared is described in `record`.

mod case;
mod cluster;
mod diff;
mod record;
mod standins;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::Value;

use crate::{programs, shell};

#[derive(clap::Args)]
pub struct Args {
    /// Folder with workflow files, searched with its subfolders.
    #[arg(long, default_value_os_t = shell::shared("examples"))]
    cases: PathBuf,
    /// What was recorded of them.
    #[arg(long, default_value_os_t = shell::shared("expected.json"))]
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
    /// Longest time of one case, in seconds. The longest recorded one sleeps for 200.
    #[arg(long, default_value_t = 300)]
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
    /// Run the cases on the cluster of KUBECONFIG or `cargo xtask cluster up`, whose controller is deployed.
    #[arg(long)]
    cluster: bool,
    /// Run instead the suite of the embedded API against a kube-apiserver that is started for it.
    #[arg(long, conflicts_with = "cluster")]
    api: bool,
    /// Docker archives of images that its nodes have; the controller is told what starts in them.
    #[arg(long, requires = "cluster")]
    archive: Vec<PathBuf>,
    /// Options for every `argosy run`, such as `--images toolbox.tar`.
    #[arg(last = true, conflicts_with = "cluster")]
    options: Vec<String>,
}

/// How one recorded case compares.
enum Verdict {
    Equal,
    Different(Vec<String>),
    OutOfScope(String),
}

/// Where our API and a real one differ, ours is wrong: the tests of ours must hold of a real one too.
fn real_api(only: &[String]) -> anyhow::Result<()> {
    let plane = crate::cluster::ControlPlane::start()?;
    let mut tests = shell::cargo();
    tests.args([
        "test",
        "--package",
        "argosy-apiserver",
        "--test",
        "it",
        "--",
        "--test-threads=1",
    ]);
    // They share one namespace.
    tests.args(only).env("ARGOSY_REAL_API", plane.kubeconfig());
    shell::run(&mut tests)
}

/// Runs every case, prints a line for each as it ends, and closes with the sums.
///
/// # Errors
/// When files are missing, the build fails, or more differs than is allowed.
pub fn main(args: &Args) -> anyhow::Result<()> {
    if args.api {
        return real_api(&args.only);
    }
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
    let standins = standins::Standins::start()?;
    let runner = case::Runner {
        argosy,
        prerequisites: prerequisites(args),
        place: match args.cluster {
            true => case::Place::Cluster(cluster::Cluster::open(
                &args.archive,
                &standins.inward("minio:9000"),
            )?),
            false => case::Place::Machine {
                options: args.options.clone(),
            },
        },
        limit: Duration::from_secs(args.timeout),
        standins,
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
    let rights = shell::root().join("xtask/src/conformance/rights.yaml");
    beside
        .into_iter()
        .chain([rights])
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

/// How often a case is run whose outcome is drawn by chance, until a draw agrees with what is recorded of it.
const DRAWS: usize = 4;

fn run_one(args: &Args, runner: &case::Runner, file: &str, wanted: &BTreeMap<String, Value>) -> Results {
    let started = Instant::now();
    let path = args.cases.join(file);
    let mut results = Results::new();
    for _ in 0..DRAWS {
        results = draw(runner, file, &path, wanted);
        let unlucky = results
            .iter()
            .any(|(key, o)| wanted[key]["random"] == true && matches!(o.verdict, Verdict::Different(_)));
        if !unlucky {
            break;
        }
    }
    for outcome in results.values_mut() {
        outcome.took = started.elapsed();
    }
    results
}

/// Runs a file once and judges each of its workflows.
fn draw(runner: &case::Runner, file: &str, path: &Path, wanted: &BTreeMap<String, Value>) -> Results {
    let outcome = |verdict, record| Outcome {
        verdict,
        record,
        took: Duration::ZERO,
    };
    let different = |text: String| outcome(Verdict::Different(vec![text]), Value::Null);
    let (skipped, to_run): (Vec<_>, Vec<_>) = wanted.iter().partition(|(_, g)| g["skipped"].is_string());
    let mut results: Results = skipped
        .into_iter()
        .map(|(key, golden)| match golden["api_server"].as_str() {
            Some(wanted) => (key.clone(), offer(runner, path, wanted)),
            None => {
                let reason = golden["skipped"].as_str().unwrap_or_default().to_owned();
                (key.clone(), outcome(Verdict::OutOfScope(reason), Value::Null))
            }
        })
        .collect();
    if to_run.is_empty() {
        return results;
    }
    let got = if path.is_file() {
        runner.run(file, path, wanted).map_err(|e| format!("{e:#}"))
    } else {
        Err(format!("{} is not there", path.display()))
    };
    for (key, golden) in to_run {
        let judged = match &got {
            Err(error) => different(error.clone()),
            Ok(records) => match records.get(key) {
                None => different("the file gave no such workflow".to_owned()),
                Some(record) => {
                    let differences = diff::differences(golden, record);
                    let verdict = match differences.is_empty() {
                        true => Verdict::Equal,
                        false => Verdict::Different(differences),
                    };
                    outcome(verdict, record.clone())
                }
            },
        };
        results.insert(key.clone(), judged);
    }
    results
}

/// Judges a file without a workflow by whether the API server takes its objects.
fn offer(runner: &case::Runner, path: &Path, wanted: &str) -> Outcome {
    let got = runner.offer(path).unwrap_or_else(|e| format!("{e:#}"));
    let verdict = match got == wanted {
        true => Verdict::Equal,
        false => Verdict::Different(vec![format!(
            "api_server\n    expected {wanted}\n    got      {got}"
        )]),
    };
    Outcome {
        verdict,
        record: serde_json::json!({ "api_server": got }),
        took: Duration::ZERO,
    }
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

/// How many of the cases that took longest are named at the end.
const SLOWEST: usize = 5;

fn report(args: &Args, results: &Results) -> anyhow::Result<()> {
    if let Some(out) = &args.out {
        let records: BTreeMap<_, _> = results.iter().map(|(key, o)| (key, &o.record)).collect();
        let text = serde_json::to_string_pretty(&serde_json::json!({ "examples": records }))?;
        std::fs::write(out, text).with_context(|| format!("writing {}", out.display()))?;
    }
    let count = |f: fn(&Verdict) -> bool| results.values().filter(|o| f(&o.verdict)).count();
    let equal = count(|v| matches!(v, Verdict::Equal));
    let different = count(|v| matches!(v, Verdict::Different(_)));
    let mut slowest: Vec<_> = results.iter().map(|(key, o)| (o.took, key)).collect();
    slowest.sort_by(|a, b| b.cmp(a));
    let slowest: Vec<String> = slowest
        .iter()
        .take(SLOWEST)
        .map(|(took, key)| format!("{key} {} s", took.as_secs()))
        .collect();
    println!("slowest: {}", slowest.join(", "));
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
