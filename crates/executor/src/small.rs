//! The commands of the small program, which also belong to the full one: emissary, kill and
//! version. Everything that reaches a store or the Kubernetes API is left to the full program.

use std::ffi::OsString;
use std::io::Write as _;

use crate::args::Line;
use crate::outcome::{EXECUTOR_ERROR, Failure, conclude};
use crate::paths::Layout;
use crate::{emissary, kill, log, version};

const HELP: &str = "argoexec runs the steps of a workflow inside its pods.

Usage:
  argoexec COMMAND [flags] [-- ARGS]

Commands:
  emissary   wrap the process of a container
  artifact-plugin-sidecar  run an artifact plugin beside the main containers
  kill       send a signal to a process
  version    print the version
";

/// The small program from its command line to its exit code.
pub fn main(args: impl IntoIterator<Item = OsString>) -> i32 {
    let layout = Layout::of_environment();
    let line = match prepare(args) {
        Ok(line) => line,
        Err(message) => return usage(&layout, &message, HELP),
    };
    match line.words.first().map(String::as_str) {
        None | Some("help") => help(HELP),
        Some(_) if line.is_on("help") => help(HELP),
        Some(name) => match command(&layout, name, &line) {
            Some(result) => conclude(&layout, result),
            None => usage(
                &layout,
                &format!("unknown command \"{name}\" for \"argoexec\""),
                HELP,
            ),
        },
    }
}

/// Reads the command line and sets the log up.
///
/// # Errors
/// The text of what is wrong with the line.
pub fn prepare(args: impl IntoIterator<Item = OsString>) -> Result<Line, String> {
    let line = Line::parse(args).map_err(|e| e.to_string())?;
    let (level, format) = line.logging().map_err(|e| e.to_string())?;
    log::set_up(level, format);
    Ok(line)
}

/// Runs one of the small program's commands; `None` if it has none of that name.
pub fn command(layout: &Layout, name: &str, line: &Line) -> Option<Result<i32, Failure>> {
    match name {
        "emissary" => Some(emissary::run(layout, wrapped(line))),
        "artifact-plugin-sidecar" => Some(emissary::run_plugin(layout, wrapped(line))),
        "kill" => {
            let words = line.words.iter().skip(1).cloned();
            let rest = line.rest.iter().map(|w| w.to_string_lossy().into_owned());
            Some(kill::run(&words.chain(rest).collect::<Vec<_>>()))
        }
        "version" => Some(Ok(version::run(line.is_on("short")))),
        _ => None,
    }
}

/// The command to wrap. Words before `--` belong to it as well, as the peer takes them.
fn wrapped(line: &Line) -> Vec<OsString> {
    let words = line.words.iter().skip(1).map(OsString::from);
    words.chain(line.rest.iter().cloned()).collect()
}

/// Prints a help text; exit code 0.
pub fn help(text: &str) -> i32 {
    // Nobody is left to tell when standard output is closed.
    let _ = std::io::stdout().write_all(text.as_bytes());
    0
}

/// Says what is wrong with a command line, and how it should look (X-CLI-01).
pub fn usage(layout: &Layout, message: &str, help: &str) -> i32 {
    crate::outcome::write_termination_message(layout, message);
    log::final_error(message);
    let _ = std::io::stderr().write_all(help.as_bytes());
    EXECUTOR_ERROR
}
