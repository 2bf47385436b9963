//! `data`: lists artifacts and transforms the list by expressions (section 11 of the executor's
//! rules). The argument that the peer passes is ignored; the template counts.

use std::collections::BTreeMap;

use argosy_artifact::{Error, Options, location};
use argosy_model::template::{Data, Outputs};
use argosy_template::value::json::{from_document, to_json};
use argosy_template::{Env, Expr};
use serde_json::{Value, json};

use crate::api::Api;
use crate::args::Line;
use crate::artifacts::{MountedSecrets, failure};
use crate::log;
use crate::outcome::Failure;
use crate::paths::Layout;
use crate::report::Reporter;
use crate::startup::Pod;
use crate::task::given_text;

/// Runs a data template from start to report.
///
/// # Errors
/// The list cannot be had, an expression fails, or the result cannot be reported.
pub async fn run(layout: &Layout, line: &Line) -> Result<i32, Failure> {
    let pod = Pod::read(layout, given_text(layout)?)?;
    let reporter = Reporter::new(Api::connect(line).await?, &pod);
    // The peer does not, and then cannot complete what was never created (X-DATA-05).
    reporter.begin().await?;
    let reported = match result_of(&pod).await {
        Ok(result) => {
            let outputs = Outputs {
                result: Some(result),
                ..pod.template.outputs.clone()
            };
            let outputs = serde_json::to_value(&outputs).map_err(|e| Failure::new(e.to_string()))?;
            reporter.finish(&outputs).await
        }
        Err(failure) => Err(failure),
    };
    if reported.is_err()
        && let Err(failure) = reporter.complete().await
    {
        log::error("cannot complete the task result", &[("error", &failure.message)]);
    }
    reported.map(|()| 0)
}

async fn result_of(pod: &Pod) -> Result<String, Failure> {
    let data = pod
        .template
        .data
        .as_ref()
        .ok_or_else(|| Failure::new("the template is no data template"))?;
    let mut value = source(pod, data).await?;
    for (step, transformation) in data.transformation.iter().enumerate() {
        value = transform(&transformation.expression, &value)
            .map_err(|e| Failure::new(format!("error processing data step {step}: {e}")))?;
    }
    argosy_model::go_json::to_string(&value).map_err(|e| Failure::new(e.to_string()))
}

/// The full keys below the artifact's place (X-DATA-02).
async fn source(pod: &Pod, data: &Data) -> Result<Value, Failure> {
    let paths = data.source.artifact_paths.as_ref();
    let paths = paths.ok_or_else(|| Failure::new("no valid source is used for data template"))?;
    let archive = pod.template.archive_location.as_deref();
    let place = location::complete(&paths.artifact.location, archive).map_err(failure)?;
    // No plugin is started for data templates; waiting for one would take minutes.
    let options = Options {
        plugins: None,
        ..crate::retry::store_options(&pod.layout)?
    };
    let secrets = MountedSecrets::new(&pod.layout);
    let listed = match argosy_artifact::open(&place, &secrets, &options).await {
        Ok(store) => store.list().await,
        Err(error) => Err(error),
    };
    match listed {
        Ok(keys) => Ok(json!(keys)),
        Err(Error::NotFound(message)) => Err(Failure::new(message)),
        Err(error) => Err(failure(error)),
    }
}

/// One expression with one variable, `data` (X-DATA-03).
fn transform(expression: &str, data: &Value) -> Result<Value, String> {
    let expression = Expr::compile(expression).map_err(|e| e.to_string())?;
    let env = Env::bare(BTreeMap::from([("data".to_owned(), from_document(data))]));
    let value = expression.eval_env(&env).map_err(|e| e.to_string())?;
    to_json(&value).map_err(|e| e.to_string())
}
