//! The commands of the full program: everything of the small one, and what reaches stores and
//! the Kubernetes API. Which command does what is in the module of its name.

use std::ffi::OsString;
use std::future::Future;

use crate::args::Line;
use crate::outcome::{Failure, conclude};
use crate::paths::Layout;
use crate::{agent, collect, data, init, plugins, resource, small, supervisor, wait};

const HELP: &str = "argoexec runs the steps of a workflow inside its pods.

Usage:
  argoexec COMMAND [flags] [-- ARGS]

Commands:
  init       prepare the pod: program, template, script, input artifacts
  wait       wait for the main containers and save their outputs
  supervisor what init and wait do, in pods without init containers
  resource   act on Kubernetes objects and wait for them
  data       list artifacts and transform the list
  artifact   delete artifacts of a workflow (artifact delete)
  agent      run HTTP and plugin templates (agent init, agent main)
  emissary   wrap the process of a container
  artifact-plugin-init     start an artifact plugin and load its artifacts
  artifact-plugin-sidecar  run an artifact plugin beside the main containers
  kill       send a signal to a process
  version    print the version
";

/// The full program from its command line to its exit code.
pub fn main(args: impl IntoIterator<Item = OsString>) -> i32 {
    let layout = Layout::of_environment();
    let line = match small::prepare(args) {
        Ok(line) => line,
        Err(message) => return small::usage(&layout, &message, HELP),
    };
    let Some(name) = line.words.first().map(String::as_str) else {
        return small::help(HELP);
    };
    if name == "help" || line.is_on("help") {
        return small::help(HELP);
    }
    // The emissary must stay a process of one thread, without the runtime below.
    if let Some(result) = small::command(&layout, name, &line) {
        return conclude(&layout, result);
    }
    match command(&layout, name, &line) {
        Some(result) => conclude(&layout, result),
        None => small::usage(
            &layout,
            &format!("unknown command \"{name}\" for \"argoexec\""),
            HELP,
        ),
    }
}

fn command(layout: &Layout, name: &str, line: &Line) -> Option<Result<i32, Failure>> {
    match name {
        "init" => Some(run(init::run(layout))),
        "artifact-plugin-init" => Some(run(plugins::init(layout, line))),
        "supervisor" => Some(run(supervisor::run(layout, line))),
        "wait" => Some(run(wait::run(layout, line))),
        "resource" => Some(run(resource::run(layout, line))),
        "data" => Some(run(data::run(layout, line))),
        "agent" => Some(run(agent::run(layout, line))),
        "artifact" => Some(run(collect::run(layout, line))),
        _ => None,
    }
}

/// Runs a command on this thread; file work goes to threads that are started when needed.
fn run(work: impl Future<Output = Result<i32, Failure>>) -> Result<i32, Failure> {
    // An error means that a provider is installed already, which is as good.
    let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|e| Failure::new(format!("cannot start: {e}")))?;
    let result = runtime.block_on(work);
    // Reads of pipes and the like may never return; they must not hold the program up.
    runtime.shutdown_background();
    result
}
