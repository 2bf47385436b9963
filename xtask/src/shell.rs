//! Starting other programs: what is said, and what is advised when one is missing or fails.

use std::path::{Path, PathBuf};
use std::process::Command;

use anyhow::{Context, bail};

/// The root of the checkout: the one whose `cargo xtask` was typed. A build folder shared by several checkouts may have
/// been filled from another one, so what was compiled in counts only without Cargo.
pub fn root() -> PathBuf {
    let here = std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
    Path::new(&here)
        .parent()
        .expect("xtask lies one folder below the root")
        .to_owned()
}

/// A part of the reference data, which lies beside the checkout and never in it.
pub fn shared(part: &str) -> PathBuf {
    root().join("../shared/argo").join(part)
}

/// The Cargo that started us, so that a toolchain chosen on the command line stays chosen.
pub fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.current_dir(root());
    command
}

/// Says what is run, runs it with our own output, and fails when it fails.
///
/// # Errors
/// When the program is missing (with how to get it), or ends with another code than 0.
pub fn run(command: &mut Command) -> anyhow::Result<()> {
    println!("$ {}", line(command));
    let status = command.status().with_context(|| missing(command))?;
    if !status.success() {
        bail!("`{}` failed: {status}", line(command));
    }
    Ok(())
}

/// Runs quietly and gives standard output.
///
/// # Errors
/// As [`run`]; the program's standard error is part of the message.
pub fn output(command: &mut Command) -> anyhow::Result<String> {
    let out = command.output().with_context(|| missing(command))?;
    if !out.status.success() {
        bail!(
            "`{}` failed: {}\n{}",
            line(command),
            out.status,
            String::from_utf8_lossy(&out.stderr)
        );
    }
    String::from_utf8(out.stdout).with_context(|| format!("reading what `{}` printed", line(command)))
}

/// The full path of a program on `PATH`, if there is one.
pub fn which(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    std::env::split_paths(&path)
        .map(|dir| dir.join(name))
        .find(|file| file.is_file())
}

fn line(command: &Command) -> String {
    let mut words = vec![command.get_program().to_string_lossy().into_owned()];
    words.extend(command.get_args().map(|a| a.to_string_lossy().into_owned()));
    words[0] = Path::new(&words[0])
        .file_name()
        .unwrap_or_default()
        .to_string_lossy()
        .into_owned();
    words.join(" ")
}

fn missing(command: &Command) -> String {
    let name = command.get_program().to_string_lossy().into_owned();
    let cure = match name.as_str() {
        "git" | "curl" => format!("install the package `{name}`"),
        "go" => "install Go 1.24 or newer from https://go.dev/dl".to_owned(),
        "npm" => "install Node.js 20 or newer with npm from https://nodejs.org".to_owned(),
        "rustup" => "install it from https://rustup.rs".to_owned(),
        _ => "is it installed and on PATH?".to_owned(),
    };
    format!("starting `{name}`: {cure}")
}
