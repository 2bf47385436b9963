//! `cargo xtask fuzz`: texts made of recorded ones by random changes, given to every language of `argosy-template`, for
//! a bounded time. Stable stand-in for `cargo fuzz`, whose targets (`fuzz/`) have the same entry points.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::{Context, bail};
use serde_json::Value;

use crate::shell;

#[path = "../../fuzz/entries.rs"]
mod entries;

/// How long one text may take: the bounds of the languages allow some seconds in a build without optimisation.
const SLOW: Duration = Duration::from_secs(60);

#[derive(clap::Args)]
pub struct Args {
    /// How long, over all languages.
    #[arg(long, default_value_t = 60)]
    seconds: u64,
    /// Begin of the random numbers; the same gives the same texts.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Only write the recorded texts as files for `cargo fuzz` into this folder.
    #[arg(long)]
    corpus: Option<PathBuf>,
}

/// Runs until the time is over.
///
/// # Errors
/// When a text makes our code panic, or takes too long; the text is in the error.
pub fn main(args: &Args) -> anyhow::Result<()> {
    if let Some(folder) = &args.corpus {
        return write_corpus(folder);
    }
    let mut random = Random(args.seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
    let each = Duration::from_secs(args.seconds) / u32::try_from(entries::ALL.len()).unwrap_or(1);
    for (kind, entry) in entries::ALL {
        let seeds = seeds(kind)?;
        let started = Instant::now();
        let mut count = 0_u64;
        while started.elapsed() < each {
            let text = changed(&seeds, &mut random);
            let began = Instant::now();
            if std::panic::catch_unwind(|| entry(&text)).is_err() {
                bail!("{kind}: our code panics on {text:?} (seed {})", args.seed);
            }
            if began.elapsed() > SLOW {
                bail!("{kind}: {:?} for {text:?} (seed {})", began.elapsed(), args.seed);
            }
            count += 1;
        }
        println!("{kind}: {count} texts from {} seeds", seeds.len());
    }
    Ok(())
}

/// The texts in the vectors of a kind.
fn seeds(kind: &str) -> anyhow::Result<Vec<String>> {
    let path = shell::root().join(format!("tests/vectors/{kind}.json"));
    let text = std::fs::read_to_string(&path).with_context(|| format!("reading {}", path.display()))?;
    let file: Value = serde_json::from_str(&text).with_context(|| format!("parsing {}", path.display()))?;
    let fields = [
        "expr",
        "template",
        "when",
        "filter",
        "path",
        "successCondition",
        "failureCondition",
        "parsed",
        "in",
    ];
    let vectors = file["vectors"].as_array().cloned().unwrap_or_default();
    let found: Vec<String> = vectors
        .iter()
        .flat_map(|v| fields.iter().filter_map(|f| Some(v[*f].as_str()?.to_owned())))
        .collect();
    anyhow::ensure!(!found.is_empty(), "no texts in {}", path.display());
    Ok(found)
}

fn write_corpus(folder: &Path) -> anyhow::Result<()> {
    std::fs::create_dir_all(folder).with_context(|| format!("making {}", folder.display()))?;
    for (choice, (kind, _)) in entries::ALL.iter().enumerate() {
        for (i, text) in seeds(kind)?.into_iter().enumerate() {
            let mut bytes = vec![u8::try_from(choice)?];
            bytes.extend(text.into_bytes());
            std::fs::write(folder.join(format!("{kind}-{i}")), bytes)?;
        }
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

/// Pieces that languages treat specially.
const PIECES: &[&str] = &[
    "{{",
    "}}",
    "{{=",
    "(",
    ")",
    "[",
    "]",
    "{",
    "}",
    "\"",
    "'",
    "`",
    "\\",
    "\\(",
    "|",
    "||",
    "&&",
    "..",
    "?.",
    "??",
    "?//",
    "//",
    "|=",
    "**",
    "%",
    "-",
    "1e999",
    "9223372036854775808",
    "0x",
    "é",
    "\u{0}",
    "\n",
    "#",
    "$",
    "$env",
    "@",
    "*",
    "not ",
    " in ",
    "map(",
    "reduce(",
    "sprig.",
    "range(",
    "def f: f; ",
    "CRON_TZ=",
    "/0",
    ",",
];

/// A recorded text with one to four changes.
fn changed(seeds: &[String], random: &mut Random) -> String {
    let mut text: Vec<char> = seeds[random.below(seeds.len())].chars().collect();
    for _ in 0..=random.below(4) {
        let at = random.below(text.len() + 1);
        let piece: Vec<char> = match random.below(6) {
            0 => {
                let end = (at + 1 + random.below(6)).min(text.len());
                text.drain(at..end);
                continue;
            }
            1 => {
                let end = (at + 1 + random.below(12)).min(text.len());
                text[at..end].to_vec()
            }
            2 => seeds[random.below(seeds.len())].chars().collect(),
            3 => {
                let one = PIECES[random.below(PIECES.len())];
                one.repeat(1 + random.below(40)).chars().collect()
            }
            _ => PIECES[random.below(PIECES.len())].chars().collect(),
        };
        text.splice(at..at, piece);
    }
    text.into_iter().collect()
}
