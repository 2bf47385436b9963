//! `wait`: outlives the main containers, then saves and reports what they left (section 6 of the
//! executor's rules). This file holds the order of the steps.

mod artifacts;
mod deadline;
mod mains;
mod outputs;
mod progress;

use argosy_model::template::Outputs;

use crate::api::Api;
use crate::args::Line;
use crate::log;
use crate::outcome::{Failure, write_termination_message};
use crate::paths::Layout;
use crate::plugins;
use crate::report::Reporter;
use crate::startup::Pod;
use crate::text::failed;

/// The first error wins; all of them are logged.
#[derive(Debug, Default)]
struct Errors {
    first: Option<String>,
}

impl Errors {
    fn record<T>(&mut self, result: Result<T, Failure>) -> Option<T> {
        match result {
            Ok(value) => Some(value),
            Err(failure) => {
                log::error("executor error", &[("error", &failure.message)]);
                self.first.get_or_insert(failure.message);
                None
            }
        }
    }
}

/// Runs from before main's start until everything is reported.
///
/// # Errors
/// Start-up fails. Later errors are recorded, and the first of them is what the pod shows.
pub async fn run(layout: &Layout, line: &Line) -> Result<i32, Failure> {
    let path = layout.template();
    let text = std::fs::read_to_string(&path).map_err(|e| Failure::new(failed("open", &path, &e)))?;
    let pod = Pod::read(layout, text)?;
    // Mains may have ended already; their folders must exist before anything is written there.
    crate::sys::clear_umask();
    let api = Api::connect(line).await?;
    Box::pin(outlive(&pod, Reporter::new(api, &pod), Ok(()))).await
}

/// Everything after the start. What kept main from starting is passed in; then only its logs are collected
/// (X-SUP-02).
///
/// # Errors
/// The first error of all.
pub(crate) async fn outlive(
    pod: &Pod,
    reporter: Reporter,
    prepared: Result<(), Failure>,
) -> Result<i32, Failure> {
    let mut errors = Errors::default();
    let has_run = errors.record(prepared).is_some();
    errors.record(reporter.begin().await);
    let ended = mains::wait(pod, &reporter).await;
    errors.record(ended);
    let outputs = collect(pod, has_run, &mut errors).await;
    let sidecars = plugins::sidecars();
    let mut is_complete = false;
    if let Some(value) = errors.record(to_report(pod, &outputs)) {
        if sidecars.is_empty() {
            is_complete = errors.record(reporter.finish(&value).await).is_some();
        } else {
            // Plugins may take long to end, and what is saved must not be lost with them.
            errors.record(reporter.outputs(&value).await);
        }
    }
    let failed = errors.first.is_some();
    errors.record(plugins::stop(&sidecars, &pod.layout, pod.grace).await);
    if !is_complete {
        errors.record(reporter.complete().await);
    }
    let Some(message) = errors.first else {
        return Ok(0);
    };
    if failed {
        return Err(Failure::new(message));
    }
    // Everything was saved and reported; only the final mark failed (X-WAIT-01).
    write_termination_message(&pod.layout, &message);
    Ok(0)
}

/// Outputs as JSON. For a resource template main reports the parameters, and this must not put its
/// own over them (X-TR-05).
fn to_report(pod: &Pod, outputs: &Outputs) -> Result<serde_json::Value, Failure> {
    let only_artifacts = Outputs {
        artifacts: outputs.artifacts.clone(),
        ..Outputs::default()
    };
    let reported = if pod.template.resource.is_some() {
        &only_artifacts
    } else {
        outputs
    };
    serde_json::to_value(reported).map_err(|e| Failure::new(format!("cannot write outputs: {e}")))
}

/// Steps 5 to 8 of the rules, whatever became of main (X-WAIT-02).
async fn collect(pod: &Pod, has_run: bool, errors: &mut Errors) -> Outputs {
    let mut outputs = pod.template.outputs.clone();
    let wanted = std::mem::take(&mut outputs.artifacts);
    if has_run && pod.template.resource.is_none() {
        outputs.result = errors.record(outputs::result(pod)).flatten();
        errors.record(outputs::parameters(pod, &mut outputs.parameters));
        errors.record(artifacts::save(pod, &wanted, &mut outputs.artifacts).await);
    }
    errors.record(artifacts::save_logs(pod, &mut outputs.artifacts).await);
    outputs
}
