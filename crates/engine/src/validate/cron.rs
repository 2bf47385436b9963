//! Cron workflows (C-VAL-18).

use argosy_model::{ConcurrencyPolicy, CronWorkflow, Workflow};
use argosy_template::cron::Schedule;

use super::Fault;
use super::fault::Place;
use crate::config::Config;
use crate::plan::Templates;

/// Longest name: children add a dash and a time in seconds.
const NAME_LIMIT: usize = 52;

/// Checks a cron workflow and the workflow in it.
pub(super) fn check(cron: &CronWorkflow, templates: &Templates, config: &Config) -> Result<(), Fault> {
    let name = &cron.metadata.name;
    if name.len() > NAME_LIMIT {
        return Err(Fault::new(format!(
            "cron workflow name \"{name}\" must not be more than {NAME_LIMIT} characters long (currently {})",
            name.len()
        ))
        .at(&[Place::Key("metadata"), Place::Key("name")]));
    }
    check_times(cron).map_err(|f| f.at(&[Place::Key("spec")]))?;
    super::check_workflow(&workflow(cron), templates, config, super::Mode::default()).map_err(in_cron)
}

/// The workflow in it.
pub(super) fn workflow(cron: &CronWorkflow) -> Workflow {
    Workflow {
        spec: cron.spec.workflow_spec.clone(),
        ..Workflow::default()
    }
}

/// A fault of the workflow in it as one of the cron workflow.
pub(super) fn in_cron(fault: Fault) -> Fault {
    fault.within("cannot validate Workflow: ").in_workflow_spec()
}

fn check_times(cron: &CronWorkflow) -> Result<(), Fault> {
    let spec = &cron.spec;
    if spec.schedules.is_empty() {
        return Err(
            Fault::new("cron workflow must have at least one schedule").at(&[Place::Key("schedules")])
        );
    }
    for (index, text) in spec.schedules.iter().enumerate() {
        Schedule::parse(text).map_err(|error| {
            Fault::new(format!("cron schedule {text} is malformed: {error}"))
                .at(&[Place::Key("schedules"), Place::Index(index)])
        })?;
    }
    if !spec.timezone.is_empty() && Schedule::parse_in("@daily", &spec.timezone).is_err() {
        let zone = &spec.timezone;
        return Err(
            Fault::new(format!("invalid timezone \"{zone}\": unknown time zone {zone}"))
                .at(&[Place::Key("timezone")]),
        );
    }
    if let ConcurrencyPolicy::Other(policy) = &spec.concurrency_policy {
        return Err(Fault::new(format!("'{policy}' is not a valid concurrencyPolicy"))
            .maybe(policy, ConcurrencyPolicy::KNOWN.iter().copied())
            .at(&[Place::Key("concurrencyPolicy")]));
    }
    if spec.starting_deadline_seconds.is_some_and(|seconds| seconds < 0) {
        return Err(Fault::new("startingDeadlineSeconds must be positive")
            .at(&[Place::Key("startingDeadlineSeconds")]));
    }
    Ok(())
}
