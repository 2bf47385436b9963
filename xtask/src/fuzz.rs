//! `cargo xtask fuzz`: seeds changed at random, given to every target of `fuzz/targets` for a bounded time, on the stable
//! compiler. `cargo fuzz`, whose programs have the same targets, follows coverage and finds more.

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};

use anyhow::{Context, bail, ensure};
use serde_json::Value;

use crate::shell;

#[path = "../../fuzz/targets/mod.rs"]
mod targets;

use targets::{Seeds, Target};

/// How long one input may take: the bounds of the languages allow some seconds in a build without optimisation, and
/// the machine may have other work.
const SLOW: Duration = Duration::from_secs(60);

#[derive(clap::Args)]
pub struct Args {
    /// How long, over all targets.
    #[arg(long, default_value_t = 24)]
    seconds: u64,
    /// Begin of the random numbers; the same gives each target the same inputs.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only this target.
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// Give the target only what this file holds, as it is.
    #[arg(long, requires = "only", value_name = "FILE")]
    input: Option<PathBuf>,
    /// Only write the seeds as files for `cargo fuzz`, a folder for each target, into this folder.
    #[arg(long, value_name = "FOLDER")]
    corpus: Option<PathBuf>,
}

impl Default for Args {
    fn default() -> Self {
        Self {
            seconds: 24,
            seed: 1,
            only: None,
            input: None,
            corpus: None,
        }
    }
}

/// Runs until the time is over.
///
/// # Errors
/// When an input makes our code panic, or takes too long; the message names a file that holds it.
pub fn main(args: &Args) -> anyhow::Result<()> {
    let chosen: Vec<_> = targets::all()
        .into_iter()
        .filter(|target| args.only.as_ref().is_none_or(|name| name == target.name))
        .collect();
    ensure!(!chosen.is_empty(), "no target has this name");
    if let Some(folder) = &args.corpus {
        return chosen.into_iter().try_for_each(|t| write_corpus(folder, t));
    }
    if let Some(file) = &args.input {
        let bytes = std::fs::read(file).with_context(|| format!("reading {}", file.display()))?;
        (chosen[0].enter)(&bytes);
        return Ok(());
    }
    check_programs()?;
    println!("seed {}", args.seed);
    let each = Duration::from_secs(args.seconds) / u32::try_from(chosen.len())?;
    for target in chosen {
        let seeds = seeds(target)?;
        let from = seeds.len();
        let tried = watch(target, seeds, each, args.seed)?;
        println!("{}: {tried} inputs from {from} seeds", target.name);
    }
    Ok(())
}

/// Each target needs a program in `fuzz/Cargo.toml`, and nothing else has one.
fn check_programs() -> anyhow::Result<()> {
    let path = shell::root().join("fuzz/Cargo.toml");
    let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let (_, programs) = text.split_once("[[bin]]").unwrap_or_default();
    let programs: Vec<&str> = programs
        .lines()
        .filter_map(|line| line.strip_prefix("name = \"")?.strip_suffix('"'))
        .collect();
    let names: Vec<&str> = targets::all().iter().map(|target| target.name).collect();
    ensure!(
        names == programs,
        "{}: a [[bin]] for each target, in their order: {names:?}; found {programs:?}",
        path.display()
    );
    Ok(())
}

/// Tries inputs in a thread of their own, and gives their number. The thread has the stack that threads of our programs
/// have.
fn watch(target: &'static Target, seeds: Vec<Vec<u8>>, each: Duration, seed: u64) -> anyhow::Result<u64> {
    let current = Current::new(target)?;
    let path = current.path.clone();
    let (send, done) = mpsc::channel();
    let count = Arc::new(AtomicU64::new(0));
    let counted = Arc::clone(&count);
    std::thread::spawn(move || drop(send.send(attempts(target, &seeds, each, seed, &current, &counted))));
    let again = format!(
        "its input is in {0}; again: cargo xtask fuzz --only {1} --input {0}",
        path.display(),
        target.name
    );
    let mut seen = (0, Instant::now());
    loop {
        match done.recv_timeout(Duration::from_secs(1)) {
            Ok(Ok(())) => break,
            Ok(Err(error)) => return Err(error),
            Err(RecvTimeoutError::Disconnected) => bail!("{}: our code panics; {again}", target.name),
            Err(RecvTimeoutError::Timeout) => {
                let now = count.load(Ordering::Relaxed);
                if now != seen.0 {
                    seen = (now, Instant::now());
                }
                ensure!(
                    seen.1.elapsed() < SLOW,
                    "{}: no end after {SLOW:?}; {again}",
                    target.name
                );
            }
        }
    }
    std::fs::remove_file(&path).with_context(|| format!("removing {}", path.display()))?;
    Ok(count.load(Ordering::Relaxed))
}

fn attempts(
    target: &Target,
    seeds: &[Vec<u8>],
    each: Duration,
    seed: u64,
    current: &Current,
    count: &AtomicU64,
) -> anyhow::Result<()> {
    let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let started = Instant::now();
    while started.elapsed() < each {
        let input = changed(seeds, &mut random);
        current.keep(&input)?;
        (target.enter)(&input);
        count.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

/// A file with the input that is being tried: it outlives a crash.
struct Current {
    path: PathBuf,
    file: File,
}

impl Current {
    fn new(target: &Target) -> anyhow::Result<Self> {
        let path = std::env::temp_dir().join(format!("argosy-fuzz-{}-{}", target.name, std::process::id()));
        let file = File::create(&path).with_context(|| format!("making {}", path.display()))?;
        Ok(Self { path, file })
    }

    fn keep(&self, input: &[u8]) -> anyhow::Result<()> {
        self.file
            .set_len(input.len() as u64)
            .and_then(|()| self.file.write_all_at(input, 0))
            .with_context(|| format!("writing {}", self.path.display()))
    }
}

fn seeds(target: &Target) -> anyhow::Result<Vec<Vec<u8>>> {
    let found = match target.seeds {
        Seeds::Made(make) => make(),
        Seeds::Vectors(kind, keys) => {
            let path = shell::root().join(format!("tests/vectors/{kind}.json"));
            let text =
                std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
            let file: Value =
                serde_json::from_str(&text).with_context(|| format!("parsing {}", path.display()))?;
            let vectors = file["vectors"].as_array().map_or(&[][..], Vec::as_slice);
            vectors
                .iter()
                .flat_map(|vector| keys.iter().filter_map(|key| vector[*key].as_str()))
                .map(|text| text.as_bytes().to_vec())
                .collect()
        }
    };
    ensure!(!found.is_empty(), "{}: no seeds", target.name);
    Ok(found)
}

fn write_corpus(folder: &Path, target: &Target) -> anyhow::Result<()> {
    let folder = folder.join(target.name);
    std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    for (i, seed) in seeds(target)?.into_iter().enumerate() {
        let file = folder.join(format!("seed-{i}"));
        std::fs::write(&file, seed).with_context(|| format!("writing {}", file.display()))?;
    }
    Ok(())
}

/// A small generator (xorshift): quality does not matter here, repeating does.
struct Random(u64);

impl Random {
    fn below(&mut self, n: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 33).unwrap_or(0) % n.max(1)
    }
}

/// Pieces that languages and formats treat specially.
#[rustfmt::skip]
const PIECES: &[&str] = &[
    "{{", "}}", "{{=", "(", ")", "[", "]", "{", "}", "\"", "'", "`", "\\", "\\(", "|", "||", "&&", "..", "?.", "??", "?//",
    "//", "|=", "**", "%", "-", "1e999", "9223372036854775808", "0x", "é", "\0", "\n", "#", "$", "$env", "@", "*",
    " not ", " in ", "map(", "reduce(", "sprig.", "range(", "def f: f; ", "CRON_TZ=", "/0", ",", "../", ":", "\u{7f}",
    "PK", "77777777777", " ",
];

/// A seed with one to four changes.
fn changed(seeds: &[Vec<u8>], random: &mut Random) -> Vec<u8> {
    let mut bytes = seeds[random.below(seeds.len())].clone();
    for _ in 0..=random.below(4) {
        let at = random.below(bytes.len() + 1);
        let piece = match random.below(7) {
            0 => {
                let end = (at + 1 + random.below(6)).min(bytes.len());
                bytes.drain(at..end);
                continue;
            }
            1 => {
                if let Some(byte) = bytes.get_mut(at) {
                    *byte ^= 1 << random.below(8);
                }
                continue;
            }
            2 => {
                let end = (at + 1 + random.below(12)).min(bytes.len());
                bytes[at..end].to_vec()
            }
            3 => seeds[random.below(seeds.len())].clone(),
            4 => PIECES[random.below(PIECES.len())]
                .repeat(1 + random.below(40))
                .into_bytes(),
            _ => PIECES[random.below(PIECES.len())].as_bytes().to_vec(),
        };
        bytes.splice(at..at, piece);
    }
    bytes
}
