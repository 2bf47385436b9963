//! Runs every vector file of a folder against our code and prints how many agree.
//!
//! One module per kind of vector; a kind is the file's name without `.json`.

mod cliformat;
mod compare;
mod cron;
mod depends;
mod durations;
mod edits;
mod expr;
mod gjson_conditions;
mod jq;
mod jsonpath;
mod merge;
mod names;
mod objects;
mod pods;
mod sprig;
mod template;
mod template_tags;
mod traces;
mod traces_compare;
mod validate;
mod when;

use std::path::PathBuf;

use anyhow::{Context, bail};
use serde_json::{Value, json};

use crate::shell;

/// What one vector came to: agreement, or the first difference in words.
pub type Verdict = Result<(), String>;

/// Checks one vector. The first argument is the whole file (shared inputs such as `env`), the second the vector.
pub type Check = fn(&Value, &Value) -> Verdict;

/// Every kind that we run: the file's stem and its check.
const KINDS: &[(&str, Check)] = &[
    ("cliformat", cliformat::check),
    ("cron", cron::check),
    ("depends", depends::check),
    ("durations", durations::check),
    ("edits", edits::check),
    ("expr", expr::check),
    ("gjson-conditions", gjson_conditions::check),
    ("jq", jq::check),
    ("jsonpath", jsonpath::check),
    ("merge", merge::check),
    ("names", names::check),
    ("objects", objects::check),
    ("objects-examples", objects::check_example),
    ("pods", pods::check),
    ("sprig", sprig::check),
    ("template", template::check),
    ("template-tags", template_tags::check),
    ("traces-hand", traces::check),
    ("traces-random", traces::check),
    ("validate", validate::check),
    ("when", when::check),
];

/// Kinds of which every vector must agree, so that `cargo xtask test` fails when one no longer does.
const CLAIMED: &[&str] = &[
    "cliformat",
    "cron",
    "depends",
    "durations",
    "edits",
    "expr",
    "gjson-conditions",
    "jq",
    "jsonpath",
    "merge",
    "names",
    "objects",
    "pods",
    "sprig",
    "template",
    "template-tags",
    "traces-hand",
    "traces-random",
    "validate",
    "when",
];

/// How many differences of a file are printed.
const SHOWN: usize = 3;

#[derive(clap::Args)]
pub struct Args {
    /// Folder with vector files.
    #[arg(long, default_value_os_t = own())]
    dir: PathBuf,
    /// Print one JSON document instead of a table.
    #[arg(long)]
    json: bool,
    /// Only these kinds.
    #[arg(long, value_delimiter = ',')]
    only: Vec<String>,
    /// Only kinds of which every vector must agree.
    #[arg(long)]
    claimed: bool,
    /// Print at most this many differences of each file.
    #[arg(long, default_value_t = SHOWN)]
    show: usize,
}

impl Args {
    /// The project's own files, of the kinds that we have a check for.
    pub fn claimed() -> Self {
        Self {
            dir: own(),
            json: false,
            only: Vec::new(),
            claimed: true,
            show: SHOWN,
        }
    }
}

/// The project's own copy of the files.
fn own() -> PathBuf {
    shell::root().join("tests/vectors")
}

/// Runs the files of the folder.
///
/// # Errors
/// When a file can't be read, or any vector differs.
pub fn main(args: &Args) -> anyhow::Result<()> {
    let mut files: Vec<PathBuf> = std::fs::read_dir(&args.dir)
        .with_context(|| format!("reading folder {}", args.dir.display()))?
        .filter_map(|e| e.ok().map(|e| e.path()))
        .filter(|p| p.extension().is_some_and(|e| e == "json"))
        .collect();
    files.sort();
    let mut report = Vec::new();
    let (mut passed_all, mut failed_all) = (0, 0);
    for path in files {
        let stem = path
            .file_stem()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        let wanted = args.only.is_empty() || args.only.contains(&stem);
        if !wanted || args.claimed && !CLAIMED.contains(&stem.as_str()) {
            continue;
        }
        let Some((_, check)) = KINDS.iter().find(|(k, _)| *k == stem) else {
            if !args.json {
                println!("{stem}: no check for this kind");
            }
            report.push(json!({"kind": stem, "checked": false}));
            continue;
        };
        let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
        let file: Value =
            serde_json::from_str(&text).with_context(|| format!("parsing {}", path.display()))?;
        let vectors = file["vectors"].as_array().cloned().unwrap_or_default();
        let mut differences = Vec::new();
        for vector in &vectors {
            let verdict = std::panic::catch_unwind(|| check(&file, vector))
                .unwrap_or_else(|_| Err("our code panicked".to_owned()));
            if let Err(why) = verdict {
                differences.push(json!({"id": vector["id"], "why": why}));
            }
        }
        let passed = vectors.len() - differences.len();
        passed_all += passed;
        failed_all += differences.len();
        if !args.json {
            println!("{stem}: {passed} of {}", vectors.len());
            for d in differences.iter().take(args.show) {
                println!(
                    "  {}: {}",
                    d["id"].as_str().unwrap_or("?"),
                    d["why"].as_str().unwrap_or("?")
                );
            }
        }
        report.push(json!({"kind": stem, "checked": true, "passed": passed, "of": vectors.len(), "differences": differences}));
    }
    if args.json {
        println!(
            "{}",
            serde_json::to_string_pretty(
                &json!({"files": report, "passed": passed_all, "failed": failed_all})
            )?
        );
    } else {
        println!("{passed_all} passed, {failed_all} failed");
    }
    if failed_all > 0 {
        bail!("{failed_all} vectors differ");
    }
    Ok(())
}
