//! Runs that make up for a range of the past (C-CRON-02 of the command line): monitor workflows whose steps create one
//! workflow for each time of the schedule.

use argosy_model::{CronWorkflow, Workflow};
use argosy_template::cron::Schedule;
use argosy_template::gotime;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};

use super::{BACKFILL, INSTANCE};
use crate::names;

/// How many times one backfill may have; a range of a year by the minute is more than anybody means.
const TIMES_MAX: usize = 100_000;

/// What is to be made up for.
#[derive(Debug, Clone)]
pub struct Request {
    /// Name of this backfill, in labels and names.
    pub name: String,
    /// Times after this one.
    pub start: Timestamp,
    /// Times up to and including this one.
    pub end: Timestamp,
    /// Runs may overlap.
    pub parallel: bool,
    /// Argument of each run that gets its time.
    pub argument: String,
    /// Go layout of that time.
    pub format: String,
    /// How many runs one monitor workflow makes.
    pub per_monitor: usize,
    /// The controller that all the workflows are for; empty: the one without an id.
    pub instance_id: String,
}

/// Reads a time by a Go layout. Without a zone it is in UTC.
///
/// # Errors
/// When the text is no such time.
pub fn time(text: &str, layout: &str) -> Result<Timestamp, String> {
    gotime::parse(layout, text, &TimeZone::UTC).map(|time| time.timestamp())
}

/// Stands for the time of a run while its manifest is made; it is no text anybody writes.
const TIME_MARK: &str = "@argosy-time@";

/// Why there is no backfill.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Error {
    /// More or fewer schedules than one.
    #[error("backfill is only supported for cron workflows with a single schedule, this one has {0}")]
    Schedules(usize),
    /// The schedule can't be read.
    #[error("cron schedule {text} is malformed: {error}")]
    Schedule {
        /// The schedule.
        text: String,
        /// What is wrong.
        error: String,
    },
    /// The end lies before the start.
    #[error("the end time must be after the start time")]
    Range,
    /// Nothing falls into the range.
    #[error("there is no suitable scheduling time")]
    NoTimes,
    /// Far too many fall into it.
    #[error("more than {TIMES_MAX} scheduling times; choose a shorter range")]
    TooMany,
    /// A monitor workflow without a run.
    #[error("the number of workflows of one backfill must be at least 1")]
    PerMonitor,
    /// An object can't be written as JSON.
    #[error("writing the run as JSON: {0}")]
    Json(String),
}

/// The monitor workflows.
///
/// # Errors
/// When the schedule or the range gives no times, or too many.
pub fn monitors(cron: &CronWorkflow, request: &Request) -> Result<Vec<Workflow>, Error> {
    let [text] = cron.spec.schedules.as_slice() else {
        return Err(Error::Schedules(cron.spec.schedules.len()));
    };
    if request.per_monitor == 0 {
        return Err(Error::PerMonitor);
    }
    if request.end <= request.start {
        return Err(Error::Range);
    }
    let schedule = Schedule::parse_in(text, &cron.spec.timezone).map_err(|error| Error::Schedule {
        text: text.clone(),
        error: error.to_string(),
    })?;
    let mut times = Vec::new();
    let mut at = request.start;
    while let Some(next) = schedule.next(at).filter(|t| *t <= request.end) {
        if times.len() == TIMES_MAX {
            return Err(Error::TooMany);
        }
        times.push(next);
        at = next;
    }
    if times.is_empty() {
        return Err(Error::NoTimes);
    }
    times
        .chunks(request.per_monitor)
        .map(|times| monitor(cron, request, times))
        .collect()
}

fn monitor(cron: &CronWorkflow, request: &Request, times: &[Timestamp]) -> Result<Workflow, Error> {
    let prefix = names::backfill_prefix(&cron.metadata.name, &request.name);
    let run = run(cron, request, &prefix)?;
    let items: Vec<Value> = times
        .iter()
        .map(|t| gotime::format(&t.to_zoned(TimeZone::UTC), &request.format))
        .map(Value::String)
        .collect();
    let synchronization = if request.parallel {
        Value::Null
    } else {
        json!({"mutexes": [{"name": prefix}]})
    };
    let monitor = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow",
        "metadata": {
            "generateName": format!("{prefix}-"),
            "namespace": cron.metadata.namespace,
            "labels": labels(request),
        },
        "spec": {
            "entrypoint": "main",
            "templates": [
                {"name": "main", "steps": [[{
                    "name": "create-workflow", "template": "create-workflow",
                    "arguments": {"parameters": [{"name": "cronscheduletime", "value": "{{item}}"}]},
                    "withItems": items,
                }]]},
                {
                    "name": "create-workflow",
                    "inputs": {"parameters": [{"name": "cronscheduletime"}]},
                    "synchronization": synchronization,
                    "resource": {
                        "action": "create", "manifest": run, "setOwnerReference": true,
                        "successCondition": "status.phase == Succeeded",
                        "failureCondition": "status.phase in (Failed, Error)",
                    },
                },
            ],
        },
    });
    let mut monitor: Workflow = serde_json::from_value(monitor).map_err(|e| Error::Json(e.to_string()))?;
    monitor
        .spec
        .service_account_name
        .clone_from(&cron.spec.workflow_spec.service_account_name);
    Ok(monitor)
}

fn labels(request: &Request) -> Value {
    let mut labels = json!({BACKFILL: request.name});
    if !request.instance_id.is_empty() {
        labels[INSTANCE] = json!(request.instance_id);
    }
    labels
}

/// The manifest of one run; its time comes in by a tag.
fn run(cron: &CronWorkflow, request: &Request, prefix: &str) -> Result<String, Error> {
    let mut spec = json!(cron.spec.workflow_spec);
    let parameters = spec["arguments"]["parameters"]
        .as_array()
        .cloned()
        .unwrap_or_default();
    let mut parameters: Vec<Value> = parameters
        .into_iter()
        .filter(|p| p["name"] != request.argument)
        .collect();
    parameters.push(json!({"name": request.argument, "value": TIME_MARK}));
    spec["arguments"]["parameters"] = parameters.into();
    let run = json!({
        "apiVersion": "argoproj.io/v1alpha1", "kind": "Workflow",
        "metadata": {"generateName": format!("{prefix}-"), "labels": labels(request)},
        "spec": spec,
    });
    let text = serde_json::to_string(&run).map_err(|e| Error::Json(e.to_string()))?;
    // The run's own tags must arrive as they are: braces stand side by side only within texts, where JSON lets us
    // write them so that the monitor does not see tags.
    let text = text.replace("{{", "\\u007b\\u007b");
    Ok(text.replace(TIME_MARK, "{{inputs.parameters.cronscheduletime}}"))
}
