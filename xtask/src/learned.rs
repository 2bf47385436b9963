//! `cargo xtask learn`: records what a controller does under load, so that the one that is shipped is compiled for that.
//!
//! The record is kept with the sources, because the same sources must give the same program. Where code has changed since,
//! the compiler does without; so it is made anew before a release.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, ensure};

use crate::{programs, shell};

/// Where the record is, in the repository, compressed. It also tells what was never done: that is made small.
const RECORD: &str = "xtask/src/controller.profdata.zst";

/// How much it is compressed: it is stored for good, and written seldom.
const LEVEL: i32 = 19;

/// The oldest LLVM that reads it: the one that made it.
const LLVM: u32 = 22;

/// The cases of `bench --cluster` that are recorded, by a part of their names.
const CASES: [&str; 3] = ["200 workflows", "fan-out of 500", "DAG 20"];

/// What the compiler is told to use the record; nothing for one that can't read it.
///
/// # Errors
/// When the compiler does not say what it is.
pub fn flags() -> anyhow::Result<Vec<String>> {
    let about = shell::output(Command::new("rustc").arg("-vV"))?;
    let version = about.lines().find_map(|line| line.strip_prefix("LLVM version: "));
    let major = version.and_then(|version| version.split('.').next()?.parse::<u32>().ok());
    if major.is_none_or(|major| major < LLVM) {
        eprintln!("this compiler can't read {RECORD}; the controller will be a little slower");
        return Ok(Vec::new());
    }
    Ok(vec![
        format!("-Cprofile-use={}", unpacked()?.display()),
        "-Cllvm-args=-no-pgo-warn-mismatch".to_owned(),
    ])
}

/// The record as the compiler reads it, in the build folder.
fn unpacked() -> anyhow::Result<PathBuf> {
    let packed = File::open(shell::root().join(RECORD))
        .with_context(|| format!("opening {RECORD}, which `cargo xtask learn` makes"))?;
    let record = zstd::decode_all(packed).with_context(|| format!("reading {RECORD}"))?;
    let folder = programs::target_folder();
    std::fs::create_dir_all(&folder).with_context(|| format!("making {}", folder.display()))?;
    let path = folder.join("controller.profdata");
    // Left as it is where it is the same, or all would be built anew.
    if std::fs::read(&path).ok().as_ref() != Some(&record) {
        std::fs::write(&path, record).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(path)
}

/// Builds a controller that records, has it measured on the cluster, and keeps what it recorded.
///
/// # Errors
/// When there is no cluster with simulated nodes, a build or a measurement fails, or LLVM's tools can't be had.
pub fn main() -> anyhow::Result<()> {
    let tool = merger()?;
    let folder = tempfile::tempdir().context("making a folder for records")?;
    let recording = format!("-Cprofile-generate={}", folder.path().display());
    let controller = programs::build_controller(&[recording])?;
    let own = std::env::current_exe().context("finding this program")?;
    for case in CASES {
        let mut bench = Command::new(&own);
        bench.args(["bench", "--cluster", "--only", case, "--controller"]);
        shell::run(bench.arg(&controller))?;
    }
    let records: Vec<PathBuf> = std::fs::read_dir(folder.path())?
        .map(|entry| Ok(entry?.path()))
        .collect::<anyhow::Result<_>>()?;
    ensure!(!records.is_empty(), "nothing was recorded");
    let merged = folder.path().join("merged");
    shell::run(
        Command::new(tool)
            .args(["merge", "-o"])
            .arg(&merged)
            .args(records),
    )?;
    let packed = zstd::encode_all(File::open(&merged)?, LEVEL).context("compressing the record")?;
    std::fs::write(shell::root().join(RECORD), packed).with_context(|| format!("writing {RECORD}"))?;
    println!("{RECORD}");
    Ok(())
}

/// LLVM's program that brings records together; tries once to get it.
fn merger() -> anyhow::Result<PathBuf> {
    let libraries = shell::output(Command::new("rustc").args(["--print", "target-libdir"]))?;
    let beside = Path::new(libraries.trim()).with_file_name("bin");
    let tool = beside.join("llvm-profdata");
    if !tool.is_file() {
        shell::run(Command::new("rustup").args(["component", "add", "llvm-tools"]))?;
    }
    ensure!(tool.is_file(), "{} is missing", tool.display());
    Ok(tool)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_record_is_there_as_the_compiler_reads_it() {
        let path = unpacked().expect("the record is kept with the sources");
        let record = std::fs::read(&path).expect("it was written just now");
        // The mark of LLVM's indexed profiles, from the end.
        assert!(record.starts_with(b"\xfflprofi\x81"), "{:x?}", record.get(..8));
        let found = flags().expect("the compiler says what it is");
        let uses = |flag: &String| flag.ends_with(&path.display().to_string());
        assert!(found.is_empty() || found.iter().any(uses), "{found:?}");
    }
}
