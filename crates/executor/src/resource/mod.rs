//! `resource ACTION`: acts on Kubernetes objects and waits for them (section 10 of the executor's
//! rules). This file holds the order of the steps and the wait.

mod actions;
mod discovery;
mod flags;
mod merge;

use std::time::Duration;

use argosy_artifact::Backoff;
use argosy_model::template::{Outputs, Parameter, ResourceTemplate};
use argosy_template::conditions::{Outcome, Selector, judge};
use argosy_template::{jq, kubectl};
use serde_json::Value;

use crate::api::Api;
use crate::args::Line;
use crate::log;
use crate::outcome::{Failure, write_termination_message};
use crate::paths::Layout;
use crate::report::Reporter;
use crate::startup::Pod;
use crate::task::given_text;
use crate::text::failed;
use crate::{env, retry};

use actions::{Found, Order, perform};
use flags::Flags;

/// How often an object is looked at when it cannot be watched.
const CHECK_INTERVAL: Duration = Duration::from_secs(5);

/// The file that messages name: where the manifest is for the peer.
const MANIFEST: &str = "/tmp/manifest.yaml";

/// What success and failure look like.
struct Conditions {
    success: Selector,
    failure: Selector,
    is_given: bool,
}

/// Runs one action from start to report.
///
/// # Errors
/// Whatever keeps the action from being done or its conditions from being met.
pub async fn run(layout: &Layout, line: &Line) -> Result<i32, Failure> {
    let [_, action] = line.words.as_slice() else {
        let given = line.words.len().saturating_sub(1);
        return Err(Failure::new(format!("accepts 1 arg(s), received {given}")));
    };
    let pod = Pod::read(layout, given_text(layout)?)?;
    let api = Api::connect(line).await?;
    let reporter = Reporter::new(api.clone(), &pod);
    reporter.begin().await?;
    let acted = act(&pod, &api, action, &reporter).await;
    // Logs are archived by wait, which then has the last word (X-RES-01).
    if !pod.task.archives_logs()
        && let Err(failure) = reporter.complete().await
    {
        log::error("cannot complete the task result", &[("error", &failure.message)]);
        if acted.is_ok() {
            write_termination_message(layout, &failure.message);
        }
    }
    acted.map(|()| 0)
}

async fn act(pod: &Pod, api: &Api, action: &str, reporter: &Reporter) -> Result<(), Failure> {
    let resource = pod.template.resource.as_deref();
    let resource = resource.ok_or_else(|| Failure::new("the template is no resource template"))?;
    let conditions = conditions_of(resource)?;
    let wants_outputs = pod
        .template
        .outputs
        .parameters
        .iter()
        .any(|p| p.value_from.is_some());
    if action == "delete" && (conditions.is_given || wants_outputs) {
        return Err(Failure::new(
            "successCondition, failureCondition and outputs are not supported for delete action",
        ));
    }
    let found = perform_with_retries(pod, api, action, resource).await?;
    if action == "delete" {
        return report(pod, None, reporter).await;
    }
    let object = one_of(action, found)?;
    let object = wait(api, object, &conditions).await?;
    report(pod, object.as_ref(), reporter).await
}

fn conditions_of(resource: &ResourceTemplate) -> Result<Conditions, Failure> {
    let parse = |what: &str, text: &str| {
        let parsed = Selector::parse(text);
        parsed.map_err(|e| Failure::new(format!("{what} condition '{text}' failed to parse: {e}")))
    };
    let (success, failure) = (&resource.success_condition, &resource.failure_condition);
    Ok(Conditions {
        success: parse("success", success)?,
        failure: parse("fail", failure)?,
        is_given: !success.is_empty() || !failure.is_empty(),
    })
}

async fn perform_with_retries(
    pod: &Pod,
    api: &Api,
    action: &str,
    resource: &ResourceTemplate,
) -> Result<Vec<Found>, Failure> {
    let text = manifest_text(pod, resource)?;
    let flags = Flags::parse(&resource.flags).map_err(no_more)?;
    if text.trim().is_empty() && resource.flags.is_empty() {
        return Err(Failure::new("Must provide at least one of flags or manifest."));
    }
    let documents = argosy_model::yaml::documents(&text)
        .map_err(|e| no_more(format!("error: error parsing {MANIFEST}: {e}")))?;
    let manifest: Vec<Value> = documents
        .into_iter()
        .map(|d| d.value)
        .filter(|value| !value.is_null())
        .collect();
    let order = Order {
        action,
        merge_strategy: &resource.merge_strategy,
        manifest: &manifest,
        file: MANIFEST,
        flags: &flags,
    };
    // R-KUBE
    let backoff = Backoff {
        steps: Some(4),
        first: Duration::from_millis(10),
        factor: 5.0,
        jitter: 0.1,
        cap: Duration::MAX,
    };
    let done = backoff
        .retry(actions::Failed::is_transient, || perform(api, &order))
        .await;
    done.map_err(|e| no_more(e.to_string()))
}

fn no_more(text: String) -> Failure {
    Failure::new(format!("no more retries {text}"))
}

/// The manifest's text; it is also left in the file where the peer's tools look for it.
fn manifest_text(pod: &Pod, resource: &ResourceTemplate) -> Result<String, Failure> {
    let read = |path: &std::path::Path| {
        std::fs::read_to_string(path).map_err(|e| Failure::new(failed("open", path, &e)))
    };
    let Some(artifact) = resource
        .manifest_from
        .as_ref()
        .and_then(|from| from.artifact.as_ref())
    else {
        let path = pod.layout.manifest();
        if let Err(error) = std::fs::write(&path, &resource.manifest) {
            // A read-only file system: the text is here all the same.
            log::warn(
                "cannot stage the manifest",
                &[("error", &failed("write", &path, &error))],
            );
        }
        return Ok(resource.manifest.clone());
    };
    let input = pod
        .template
        .inputs
        .artifacts
        .iter()
        .find(|a| a.name == artifact.name);
    let input = input.ok_or_else(|| Failure::new(format!("no input artifact {:?}", artifact.name)))?;
    read(&pod.layout.place(&input.path))
}

/// The one object that conditions and outputs are about (X-RES-09).
fn one_of(action: &str, mut found: Vec<Found>) -> Result<Option<Found>, Failure> {
    match found.len() {
        0 if action == "get" => Ok(None),
        1 => Ok(found.pop()),
        _ => Err(Failure::new(
            "Kind and name are both required but at least one of them is missing from the manifest",
        )),
    }
}

/// Waits until the conditions decide (X-RES-20); gives the object as it was then.
async fn wait(api: &Api, found: Option<Found>, conditions: &Conditions) -> Result<Option<Value>, Failure> {
    let Some(found) = found else {
        return if conditions.is_given {
            Err(Failure::new("there is no object for the conditions to be about"))
        } else {
            Ok(None)
        };
    };
    if !conditions.is_given {
        return Ok(Some(found.object));
    }
    let interval = match env::text("RESOURCE_STATE_CHECK_INTERVAL") {
        None => CHECK_INTERVAL,
        Some(text) => crate::duration::parse(&text)
            .filter(|d| !d.is_zero())
            .ok_or_else(|| {
                Failure::new(format!(
                    "RESOURCE_STATE_CHECK_INTERVAL: {text:?} is not a duration"
                ))
            })?,
    };
    let name = found.object["metadata"]["name"].as_str().unwrap_or_default();
    let path = found.kind.path(&found.namespace, name);
    let collection = found.kind.collection(&found.namespace);
    log::info("waiting for conditions", &[("path", &path)]);
    loop {
        let object = match api.get(&path).await {
            Ok(object) => Some(object),
            Err(error) if error.is_transient || retry::is_transient_text(&error.message) => None,
            Err(error) => return Err(Failure::new(error.message)),
        };
        match object
            .as_ref()
            .map(|o| judge(o, &conditions.success, &conditions.failure))
        {
            Some(Outcome::Success) => return Ok(object),
            Some(outcome @ Outcome::Failure(_)) => {
                return Err(Failure::new(outcome.message().unwrap_or_default()));
            }
            Some(Outcome::Pending) | None => {}
        }
        let version = object
            .as_ref()
            .and_then(|o| o["metadata"]["resourceVersion"].as_str());
        api.changed(&collection, name, version, interval).await;
    }
}

/// Fills in the parameters and reports them (X-RES-30, X-RES-31).
async fn report(pod: &Pod, object: Option<&Value>, reporter: &Reporter) -> Result<(), Failure> {
    let mut parameters = pod.template.outputs.parameters.clone();
    for parameter in &mut parameters {
        fill(parameter, object)?;
    }
    if parameters.is_empty() {
        return Ok(());
    }
    let outputs = Outputs {
        parameters,
        ..Outputs::default()
    };
    let outputs = serde_json::to_value(&outputs).map_err(|e| Failure::new(e.to_string()))?;
    reporter.outputs(&outputs).await
}

fn fill(parameter: &mut Parameter, object: Option<&Value>) -> Result<(), Failure> {
    let Some(from) = &parameter.value_from else {
        return Ok(());
    };
    if from.json_path.is_empty() && from.jq_filter.is_empty() {
        return Ok(());
    }
    let Some(object) = object else {
        parameter.value = Some(from.default.clone().unwrap_or_default());
        return Ok(());
    };
    let value = if from.json_path.is_empty() {
        jq::run(&from.jq_filter, object).map_err(|e| e.to_string())
    } else {
        kubectl::Template::parse(&from.json_path)
            .and_then(|t| t.print(object))
            .map_err(|e| e.to_string())
    };
    parameter.value = Some(value.map_err(Failure::new)?.into());
    Ok(())
}
