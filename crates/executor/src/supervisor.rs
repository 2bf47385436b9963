//! `supervisor`: what `init` and `wait` are together, in pods without init containers of ours (section 7 of the
//! executor's rules). Main's emissary waits for the marker that is written here.

use std::time::Duration;

use futures::future::{FutureExt as _, try_join_all};
use tokio::signal::unix::{SignalKind, signal};

use crate::api::Api;
use crate::args::Line;
use crate::init;
use crate::inputs::{self, Keeper};
use crate::log;
use crate::outcome::Failure;
use crate::paths::Layout;
use crate::plugins;
use crate::report::Reporter;
use crate::retry;
use crate::startup::Pod;
use crate::task::template_text;
use crate::text::reason;
use crate::wait;

/// How often main is told that we live; it gives us up after six times that (X-SUP-21).
const HEARTBEAT: Duration = Duration::from_secs(5);

/// Prepares the pod, lets main start, outlives it, saves and reports.
///
/// # Errors
/// As `init` and `wait`. What happens before main starts is also told to main.
pub async fn run(layout: &Layout, line: &Line) -> Result<i32, Failure> {
    crate::sys::clear_umask();
    mark(layout, "RUNNING\n")?;
    let (pod, reporter) = match start(layout, line).await {
        Ok(started) => started,
        Err(failure) => {
            tell_failure(layout, &failure);
            return Err(failure);
        }
    };
    let prepared = tokio::select! {
        prepared = prepare(&pod) => prepared,
        never = beat(layout) => match never {},
        terminated = terminated() => Err(terminated),
    };
    let prepared = prepared.and_then(|()| mark(layout, "READY\n"));
    if let Err(failure) = &prepared {
        tell_failure(layout, failure);
    }
    Box::pin(wait::outlive(&pod, reporter, prepared)).await
}

async fn start(layout: &Layout, line: &Line) -> Result<(Pod, Reporter), Failure> {
    let pod = Pod::read(layout, template_text(layout)?)?;
    let reporter = Reporter::new(Api::connect(line).await?, &pod);
    Ok((pod, reporter))
}

/// Everything that must be there before main starts (X-SUP-01).
async fn prepare(pod: &Pod) -> Result<(), Failure> {
    init::write_template(pod)?;
    init::stage(pod)?;
    let options = retry::store_options(&pod.layout)?;
    let plugins = plugins::names("ARGO_INPUT_ARTIFACT_PLUGIN_NAMES");
    let of_plugins = plugins.iter().map(|name| Keeper::Plugin(name));
    let keepers = std::iter::once(Keeper::Store).chain(of_plugins);
    let loads = keepers.map(|keeper| inputs::load(pod, &options, keeper).boxed());
    try_join_all(loads).await.map(drop)
}

/// Rewrites the marker for ever.
async fn beat(layout: &Layout) -> std::convert::Infallible {
    loop {
        tokio::time::sleep(HEARTBEAT).await;
        if let Err(failure) = mark(layout, "RUNNING\n") {
            log::warn("cannot write the status", &[("error", &failure.message)]);
        }
    }
}

async fn terminated() -> Failure {
    match signal(SignalKind::terminate()) {
        Ok(mut signals) => {
            signals.recv().await;
            Failure::new("terminated before main could start")
        }
        Err(error) => Failure::new(format!("signals: {}", reason(&error))),
    }
}

fn tell_failure(layout: &Layout, failure: &Failure) {
    if let Err(error) = mark(layout, &format!("FAILED\n{}", failure.message)) {
        log::warn("cannot write the status", &[("error", &error.message)]);
    }
}

/// Writes the marker, seen whole or not at all (X-SUP-03).
fn mark(layout: &Layout, text: &str) -> Result<(), Failure> {
    init::write_whole(&layout.marker(), text, 0o644)
}
